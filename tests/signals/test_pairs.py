"""What may be chance about pairs and ratio lines: reproducible, each figure alone, honest nulls."""

import math
from dataclasses import replace

import numpy as np
import pytest

from indexer.index.history import History
from indexer.signals.pairs import _apparent_leader
from indexer.signals.result import Comparison
from tests.signals.example import PLACES, compared, history, on_calendar, series, walk

WINDOWS = {"correlation": ["20", "60"], "momentum": ["2"], "zscore": "40", "beta": "20", "gap": "5"}


def lines(*ids: str) -> list[History]:
    """Return walks on the mainland's sessions of half a year, the leader in all of them."""
    whole = on_calendar("a", "XSHG", 0)
    common = np.log(walk(1, len(whole.days)))
    found = []
    for n, id in enumerate(ids):
        level = np.exp(0.5 * common + np.log(walk(10 + n, len(whole.days))))
        found.append(history(series(id, "XSHG"), whole.days, level))
    return found


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compared(*lines("a", "b", "c", "market"), windows=WINDOWS)


def test_the_same_study_gives_the_same_figures(found: Comparison) -> None:
    again = compared(*lines("a", "b", "c", "market"), windows=WINDOWS)
    assert again.summary == found.summary
    assert again.leadlag_table.equals(found.leadlag_table)


def test_another_pair_changes_no_figure_of_this_one(found: Comparison) -> None:
    more = compared(*lines("a", "b", "c", "market"), lines("a", "b", "c", "m", "e")[4],
                    windows=WINDOWS)  # fmt: skip
    assert more.summary["pairs"][:2] == found.summary["pairs"]
    assert more.summary["ratio_lines"][0] == found.summary["ratio_lines"][0]


def test_another_window_changes_only_what_is_adjusted_for_it(found: Comparison) -> None:
    windows = WINDOWS | {"correlation": ["20", "60", "80"]}
    wider = compared(*lines("a", "b", "c", "market"), windows=windows).ratios[0]
    assert wider.p_value[60] == found.ratios[0].p_value[60]
    assert wider.correlation[60] == found.ratios[0].correlation[60]
    assert wider.adjusted[60] >= found.ratios[0].adjusted[60]


def test_another_seed_changes_the_draws_and_not_the_figures(found: Comparison) -> None:
    other = compared(*lines("a", "b", "c", "market"), windows=WINDOWS, bootstrap={"seed": "7"})
    one, two = found.ratios[0], other.ratios[0]
    assert one.correlation[60].value == two.correlation[60].value
    assert one.correlation[60] != two.correlation[60]
    assert one.levels[60].median != two.levels[60].median
    assert one.p_value[60] == pytest.approx(two.p_value[60], abs=0.06)


def test_below_sixty_rows_nothing_is_inferred_but_the_null_of_levels(found: Comparison) -> None:
    ratio = found.ratios[0]
    for value in (ratio.p_value, ratio.adjusted, ratio.p_benchmark, ratio.adjusted_benchmark):
        assert [math.isnan(value[w]) for w in (20, 60)] == [True, False]
    for intervals in (ratio.correlation, ratio.partial, found.pairs[0].spearman):
        assert [math.isnan(intervals[w].low) for w in (20, 60)] == [True, False]
    assert not math.isnan(ratio.levels[20].median)


def test_intervals_are_about_the_last_value_of_their_signal(found: Comparison) -> None:
    for told in found.summary["pairs"]:
        for name in ("correlation", "spearman"):
            bounds = told[f"{name}_interval"][60]
            assert bounds["low"] < told[name][60] < bounds["high"]
    (told,) = found.summary["ratio_lines"]
    for name in ("ratio_correlation", "partial_correlation"):
        assert told[f"{name}_interval"][60]["low"] < told[name][60]
        assert told[f"{name}_interval"][60]["high"] > told[name][60]
    ratio = found.ratios[0]
    assert ratio.levels[60].value == pytest.approx(told["level_correlation"][60], rel=1e-9)
    assert ratio.partial[60].value == pytest.approx(told["partial_correlation"][60], rel=1e-9)


def test_a_study_too_short_for_a_window_has_nothing_of_it() -> None:
    whole = lines("a", "b", "c", "market")
    short = [
        history(h.definition, h.days[:30], h.variants["price"][:30])  # type: ignore[arg-type]
        for h in whole
    ]
    found = compared(*short, windows=WINDOWS)
    pair, ratio = found.pairs[0], found.ratios[0]
    assert (pair.chance, pair.lead_lag) == (None, None)
    assert math.isnan(pair.half_life)
    assert math.isnan(ratio.p_value[60])
    assert math.isnan(ratio.levels[60].median)
    assert found.leadlag_table.is_empty()


def test_where_a_follower_is_the_leader_nothing_is_inferred() -> None:
    """The second ratio line stands still: correlation and partial correlation are null."""
    a, _, c, market = lines("a", "b", "c", "market")
    copy = history(series("b", "XSHG"), a.days, a.variants["price"])
    found = compared(a, copy, c, market, windows=WINDOWS)
    (told,) = found.summary["ratio_lines"]
    for name in ("ratio_correlation", "partial_correlation", "partial_correlation_benchmark"):
        assert told[name] == {20: None, 60: None}
    for name in ("p_value", "p_value_adjusted", "p_value_benchmark", "p_value_benchmark_adjusted"):
        assert told[name] == {20: None, 60: None}
    none = {"low": None, "high": None}
    for name in ("ratio_correlation_interval", "partial_correlation_interval"):
        assert told[name] == {20: none, 60: none}


def test_chance_rates_are_shares_of_all_rows(found: Comparison) -> None:
    chance = found.pairs[0].chance
    assert chance is not None
    assert sum(mean for mean, _, _ in chance.share.values()) == pytest.approx(1)
    assert all(0 <= low <= mean <= high <= 1 for mean, low, high in chance.share.values())
    mean, low, high = chance.episodes
    assert 0 <= low <= mean <= high


def test_one_whole_window_is_enough_for_the_states_of_chance() -> None:
    rows = len(lines("a")[0].days)
    for window, there in ((rows, True), (rows + 1, False)):
        pair = compared(*lines("a", "b"), windows=WINDOWS | {"zscore": str(window)}).pairs[0]
        assert (pair.chance is not None) == there


def test_a_pair_without_a_z_score_is_warned_of() -> None:
    found = compared(*lines("a", "b"), windows=WINDOWS | {"zscore": "5000"})
    assert "neutral for want of the 5000 of a z-score" in found.summary["warnings"][-1]


@pytest.mark.parametrize(
    ("ids", "benchmark", "told"),
    [
        (("a", "b", "c", "market"), "market", "market"),
        (("a", "b", "c"), "market", None),
        (("a", "b", "c"), "b", None),
    ],
)
def test_a_benchmark_without_data_or_that_is_a_leg_itself_controls_nothing(
    ids: tuple[str, ...], benchmark: str, told: str | None
) -> None:
    (found,) = compared(*lines(*ids), windows=WINDOWS, benchmark=benchmark).summary["ratio_lines"]
    assert found["benchmark"] == told


@pytest.mark.parametrize(("leader", "apparent"), [("a", "b"), ("b", ""), ("c", "c")])
def test_who_closes_later_would_lead_by_that_alone(leader: str, apparent: str) -> None:
    """Against Shanghai: New York is known the next day, as of a session before; Hong Kong later."""
    one = on_calendar(leader, PLACES[leader], 1)
    two = on_calendar("b" if leader != "b" else "other", "XSHG", 2)
    found = compared(one, two, windows=WINDOWS)
    assert found.pairs[0].apparent_leader == apparent
    assert math.isnan(found.pairs[0].dimson_beta) == (apparent == "")


@pytest.mark.parametrize(("part", "apparent"), [(0.04, ""), (0.6, "b")])
def test_a_few_half_days_make_nobody_a_leader(part: float, apparent: str) -> None:
    """On a part of the rows one of the two is known some hours before the other."""
    rows = compared(*lines("a", "b"), windows=WINDOWS).pairs[0].rows
    known = rows.aligned.known_at.copy()
    known[rows.at[: int(part * len(rows.at))], 0] -= np.timedelta64(4, "h")
    early = replace(rows, aligned=replace(rows.aligned, known_at=known))
    assert _apparent_leader(early) == apparent


def test_what_two_compared_baskets_both_hold_is_told(sample: Comparison) -> None:
    told = sample.summary["pairs"][0]["shared_issuers"]
    held = [
        set(sample.histories[id].symbols) for id in ("north-america-compute", "domestic-compute")
    ]
    assert set(told) == held[0] & held[1]
