"""A study as a whole: its pairs and triples, benchmark, variants, currency, and what is missing."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from indexer.arrays import Days, Instants, Vector
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.index.build import build
from indexer.market.fx import rates_known
from indexer.market.tables import read_market
from indexer.run.find import BUNDLED_MARKET
from indexer.signals.result import Comparison
from indexer.signals.study import compare
from tests.signals.example import (
    MAINLAND,
    START,
    basket,
    compared,
    days,
    fixed_rates,
    history,
    on_calendar,
    same,
    series,
    study,
    three,
    told,
    until,
    walk,
)

SPRING = MAINLAND.between(START, date(2024, 6, 28))


@pytest.mark.parametrize(("count", "said"), [(8, ["few"]), (9, [])])
def test_an_overlay_of_too_few_announcements_is_told_and_one_without_data(
    count: int, said: list[str]
) -> None:
    """A divergence is set beside the eight announcements before it."""
    named = {f.definition.id: f for f in three()}
    given = [{"symbol": f"{id}.US", "name": id} for id in ("FEW", "NONE")]
    announced = MAINLAND.between(START, date(2024, 3, 1))[::2][:count]
    overlays = {"FEW.US": (announced, np.arange(1.0, count + 1) ** 2)}
    asked = study(*(id for id in named if id != "market"), overlays=given)
    found = compare(asked, named, fixed_rates({}), overlays=overlays)
    about = [w.en for w in found.warnings if w.en.startswith("overlay")]

    assert about[-1] == "overlay NONE.US left out: it has no data here"
    assert [w for w in about[:-1] if "fewer than 9 announcements that differ" in w] == [
        f"overlay {one.upper()}.US tells nothing: fewer than 9 announcements that differ"
        for one in said
    ]


# --- laws -----------------------------------------------------------------------------------------


def test_until_looks_at_nothing_later() -> None:
    whole, part = compared(*three()), compared(*three(), until=date(2024, 5, 15))
    assert part.aligned.sessions[-1] == np.datetime64("2024-05-15")
    assert part.table.equals(whole.table.filter(pl.col("date") <= date(2024, 5, 15)))
    assert part.state_table.equals(whole.state_table.filter(pl.col("date") <= date(2024, 5, 15)))
    assert compared(*three(), until=date(2030, 1, 1)).table.equals(whole.table)


def test_swapping_the_followers_changes_only_their_names() -> None:
    a, b, c, market = three()
    for name in ("ratio_correlation", "ratio_null", "partial_correlation_benchmark"):
        one = told(compared(a, b, c, market), name, ("a", "b", "c"), 6)
        two = told(compared(a, c, b, market), name, ("a", "c", "b"), 6)
        same(one, two, name)


# --- pairs and triples ----------------------------------------------------------------------------


def test_pairs_that_share_a_leader_are_compared_with_each_other_once() -> None:
    a, b, c, market = three()
    pairs = [("a", "b"), ("c", "b"), ("a", "c"), ("a", "market")]
    asked = study("a", "b", pairs=[{"leader": x, "follower": y} for x, y in pairs], benchmark="x")
    found = compared(a, b, c, market, study=asked)
    assert [ratio.ids for ratio in found.ratios] == [
        ("a", "b", "c"),
        ("a", "b", "market"),
        ("a", "c", "market"),
    ]


def test_a_triple_has_rows_of_its_own() -> None:
    """The pair of a and b goes on while c has no new level."""
    a, b, c, market = three()
    c = until(c, date(2024, 6, 14))
    found = compared(a, b, c, market)
    pair, triple = (told(found, "correlation", "ab", 6), told(found, "ratio_null", "abc", 6))
    assert max(pair) == date(2024, 6, 28)
    assert max(triple) == date(2024, 6, 14)


@pytest.mark.parametrize(("level", "rate"), [(1e308, 7.0), (5e-324, 0.1)])
def test_a_level_that_conversion_takes_beyond_all_numbers_is_refused(
    level: float, rate: float
) -> None:
    levels = np.where(np.arange(len(SPRING)) == 7, level, 1.0)
    a, b = (history(series(id, currency="USD"), SPRING, line) for id, line in
            (("a", levels), ("b", walk(1, len(SPRING)))))  # fmt: skip
    with pytest.raises(MarketDataError) as refused:
        compared(a, b, rates={"USD": rate}, currency="CNY")
    message = f"its level of {SPRING[7]} in CNY is no number above zero: too far off"
    assert refused.value.flaws == (Flaw("fx", None, "a", message),)


# --- benchmark ------------------------------------------------------------------------------------


def test_a_study_without_its_benchmark_says_so() -> None:
    *indices, market = three()
    found = compared(*indices)
    assert found.summary["warnings"] == ["benchmark market left out: it has no data here"]
    assert "partial_correlation_benchmark" not in set(found.table["signal"])
    whole = compared(*indices, market)
    assert not whole.warnings
    rest = whole.table.filter(pl.col("signal") != "partial_correlation_benchmark")
    assert rest.equals(found.table)


def test_a_benchmark_that_is_one_of_the_three_is_no_control() -> None:
    found = compared(*three(), study=study("a", "b", "c", benchmark="b"))
    assert found.summary["warnings"] == [
        "benchmark b is compared itself: what it is part of is not given the benchmark",
    ]
    assert "partial_correlation_benchmark" not in {signal.name for signal in found.signals}


def test_a_benchmark_on_holiday_has_not_ended() -> None:
    """Shanghai is closed from 2024-02-09 to -16, New York is not."""
    indices = [on_calendar(id, "XNYS", n) for n, id in enumerate("ab")]
    market = until(on_calendar("market", "XSHG", 3), date(2024, 2, 8))
    evening = {"calendar": "XNYS", "cutoff": "17:00 America/New_York"}
    for last, warned in ((date(2024, 2, 16), False), (date(2024, 2, 27), True)):
        found = compared(*indices, market, study=study("a", "b", **evening), until=last)
        assert any("ends on 2024-02-08" in text for text in found.summary["warnings"]) == warned


def test_a_stale_benchmark_takes_part_with_its_last_level_and_makes_no_row() -> None:
    *indices, market = three()
    found = compared(*indices, until(market, date(2024, 5, 15)))
    assert found.summary["warnings"] == [
        "benchmark market ends on 2024-05-15: after that it counts as unchanged",
    ]
    whole = told(compared(*indices, market), "partial_correlation_benchmark", "abc", 6)
    part = told(found, "partial_correlation_benchmark", "abc", 6)
    assert [d for d in part if d <= date(2024, 5, 15)] == [
        d for d in whole if d <= date(2024, 5, 15)
    ]
    # While some of its returns are there it still explains; once none is, it cannot.
    assert date(2024, 5, 15) < max(part) < date(2024, 5, 24)
    assert max(told(found, "ratio_null", "abc", 6)) == date(2024, 6, 28)


def test_an_index_that_ends_before_the_study_is_told() -> None:
    a, b, c, market = three()
    found = compared(a, b, until(c, date(2024, 5, 15)), market)

    assert found.summary["warnings"] == [
        "c ends on 2024-05-14: what it is compared in ends there too"
    ]


def test_a_benchmark_of_another_exchange_has_not_ended() -> None:
    """New York's last level known in Shanghai's evening is of the session before."""
    *indices, _ = three()
    assert compared(*indices, on_calendar("market", "XNYS", 9)).warnings == ()


def test_a_benchmark_that_was_selected_later_marks_what_rests_on_it() -> None:
    *indices, _ = three()
    market = on_calendar("market", "XSHG", 3, selected_on=date(2024, 4, 1))
    found = compared(*indices, market)
    given_it = told(found, "partial_correlation_benchmark", "abc", 6)
    marked = [day for day, (_, mark) in given_it.items() if mark]
    rows = list(told(found, "ratio_correlation", "abc", 6))
    first_clean = next(n for n, day in enumerate(rows) if day >= date(2024, 4, 1)) + 6
    assert marked == rows[:first_clean]
    assert not any(mark for _, mark in told(found, "partial_correlation", "abc", 6).values())


# --- variants -------------------------------------------------------------------------------------


def test_an_index_without_the_variant_takes_part_with_what_it_has_and_is_flagged() -> None:
    on, level = SPRING, walk(1, len(SPRING))
    whole = history(basket("a", "600000.SH"), on, level, "gross")
    whole.variants["price"] = level / 2
    lacking, ready = history(basket("b", "600000.SH"), on, walk(2, len(on))), three()[1]
    ready = replace(ready, definition=series("c"))
    market = history(series("market"), on, level)
    found = compared(whole, lacking, ready, market, variant="gross")
    assert found.summary["warnings"] == [
        "b has no gross variant here: its price is used",
        "c has no gross variant here: its price is used",
        "market has no gross variant here: its price is used",
    ]
    assert np.array_equal(found.aligned.level[:, 0], level)
    assert np.array_equal(found.aligned.level[:, 1], walk(2, len(on)))
    assert np.array_equal(compared(whole, lacking).aligned.level[:, 0], level / 2)


# --- currency -------------------------------------------------------------------------------------


def test_levels_are_converted_before_they_are_compared() -> None:
    """At rates that never move nothing but the levels changes."""
    one = on_calendar("a", "XNYS", 1, currency="USD")
    two = on_calendar("b", "XHKG", 2, currency="HKD")
    rates = {"USD": 7.0, "HKD": 0.9}
    local, found = compared(one, two), compared(one, two, rates=rates, currency="CNY")
    np.testing.assert_allclose(found.aligned.level, local.aligned.level * [7.0, 0.9], rtol=1e-15)
    for name in ("relative_strength", "correlation"):
        window = 6 if name == "correlation" else None
        same(told(found, name, "ab", window), told(local, name, "ab", window), name)


def test_rates_are_asked_for_in_the_index_currency_at_every_cutoff() -> None:
    asked: list[tuple[str, Instants]] = []

    def fixings(currency: str, instants: Instants) -> Vector:
        asked.append((currency, instants))
        return np.ones(len(instants))

    one, two = on_calendar("a", "XNYS", 1, currency="USD"), on_calendar("b", "XSHG", 2)
    histories = {"a": one, "b": two}
    found = compare(study("a", "b", currency="HKD", cutoff="17:30 Asia/Tokyo"), histories, fixings)
    assert [currency for currency, _ in asked] == ["USD", "CNY"]
    half_past_five = found.aligned.sessions + np.timedelta64(8 * 60 + 30, "m")
    assert all(np.array_equal(instants, half_past_five) for _, instants in asked)


@pytest.mark.parametrize(
    ("fixed_at", "rates"),
    [
        ("", [7.0, 7.1]),
        ("T09:59:00Z", [7.1, 7.2]),
        ("T10:00:00Z", [7.1, 7.2]),
        ("T10:01:00Z", [7.0, 7.1]),
    ],
    ids=["no instant", "before the cut-off", "at the cut-off", "after the cut-off"],
)
def test_only_a_fixing_known_at_the_cutoff_converts(
    tmp_path: Path, fixed_at: str, rates: list[float]
) -> None:
    """A rate of the day itself, without a word when it was fixed, is tomorrow's."""
    tables = {
        "fx": ["date,base,quote,rate,fixed_at"]
        + [
            f"{day},USD,CNY,{rate},{day + fixed_at if fixed_at else ''}"
            for day, rate in zip(
                ("2024-05-06", "2024-05-07", "2024-05-08"), (7, 7.1, 7.2), strict=True
            )
        ],
        "series": ["symbol,date,close"]
        + [f"{s},2024-05-0{n},100" for s in ("IXIC.US", "000001.SH") for n in (6, 7, 8)],
    }
    for name, rows in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(rows), encoding="utf-8")
    market = read_market(tmp_path)
    asked = study("a", "b", currency="CNY", start=date(2024, 5, 7))
    indices = [
        series("a", "XNYS", "USD").model_copy(update={"symbol": "IXIC.US"}),
        series("b"),
    ]

    def fixings(currency: str, instants: Instants) -> Vector:
        return rates_known(market, currency, "CNY", instants, asked.cutoff_time[1])

    found = compare(asked, {i.id: build(i, market) for i in indices}, fixings)
    np.testing.assert_allclose(found.aligned.level[:, 0], [100 * rate for rate in rates])
    assert found.aligned.level[:, 1].tolist() == [100.0, 100.0]


def test_before_the_first_fixing_an_index_has_no_level() -> None:
    def fixings(currency: str, instants: Instants) -> Vector:
        known = instants >= np.datetime64("2024-02-01")
        return np.where(known | (currency == "CNY"), 7.0, np.nan)

    histories = {
        "a": on_calendar("a", "XNYS", 1, currency="USD"),
        "b": on_calendar("b", "XSHG", 2),
    }
    found = compare(study("a", "b", currency="CNY"), histories, fixings)
    assert min(told(found, "relative_strength", "ab", None)) == date(2024, 2, 1)
    assert found.levels.filter(index="a")["date"].min() == date(2024, 2, 1)
    assert "a begins on 2024-02-01: no rate into CNY is known before" in found.summary["warnings"]


def test_a_benchmark_without_a_rate_is_left_out() -> None:
    def fixings(currency: str, instants: Instants) -> Vector:
        if currency == "CNY":
            raise MissingInputError([Flaw("fx", None, "", "no rate of CNY/HKD")])
        return np.ones(len(instants))

    histories = {
        "a": on_calendar("a", "XHKG", 1, currency="HKD"),
        "b": on_calendar("b", "XHKG", 2, currency="HKD"),
        "c": on_calendar("c", "XHKG", 3, currency="HKD"),
        "market": on_calendar("market", "XSHG", 4),
    }
    found = compare(study("a", "b", "c", currency="HKD"), histories, fixings)

    assert "market left out: no rate into HKD is known" in found.summary["warnings"]
    given = found.table.filter(pl.col("signal") == "partial_correlation_benchmark")
    assert given["value"].drop_nulls().is_empty()
    assert found.summary["ratio_lines"][0]["partial_correlation"]


def test_where_no_rate_is_known_on_any_session_that_is_what_is_missing() -> None:
    def fixings(currency: str, instants: Instants) -> Vector:
        return np.full(len(instants), 1.0 if currency == "CNY" else np.nan)

    histories = {
        "a": on_calendar("a", "XNYS", 1, currency="USD"),
        "b": on_calendar("b", "XSHG", 2),
    }
    with pytest.raises(MissingInputError, match="fx: a: no rate of USD/CNY is known by 2024-"):
        compare(study("a", "b", currency="CNY"), histories, fixings)


# --- too little to look at ------------------------------------------------------------------------


def test_one_row_has_a_relative_strength_and_a_state_and_nothing_else() -> None:
    on: Days = days("05-07")
    found = compared(*(history(series(id), on, 100.0) for id in ("a", "b", "c", "market")))
    assert found.table["signal"].to_list() == ["relative_strength"] * 2
    assert found.table["value"].to_list() == [100.0, 100.0]
    assert found.state_table["state"].to_list() == ["neutral"] * 2


@pytest.mark.parametrize("currency", ["local", "CNY"])
@pytest.mark.parametrize("keys", [{"start": date(2024, 7, 1)}, {"until": date(2023, 12, 1)}])
def test_a_pair_without_a_session_in_common_is_an_error_that_names_it(
    keys: dict[str, date], currency: str
) -> None:
    with pytest.raises(MissingInputError, match=r"b: no session from .* with levels of both a"):
        compared(*three(), **keys, currency=currency)


def test_indices_that_begin_after_the_other_ended_still_meet() -> None:
    """The last level of the one is carried, so the first of the other is a row, and the only."""
    old = history(series("a"), days("05-06", "05-07"), 100.0)
    new = history(series("b"), days("05-09", "05-10"), 100.0)
    assert list(told(compared(old, new), "relative_strength", "ab", None)) == [date(2024, 5, 9)]


def test_a_study_in_local_currency_asks_for_no_rate() -> None:
    histories = {found.definition.id: found for found in three()}
    assert compare(study("a", "b"), histories, fixed_rates({})).table.height > 0


def test_no_figure_of_the_sample_looks_ahead(sample: Comparison) -> None:
    """Build and compare by what there was on a Wednesday: members, states and signals stay."""
    last = date(2026, 7, 15)
    market = read_market(BUNDLED_MARKET)
    named = {id: found.definition for id, found in sample.histories.items()}
    histories = {id: build(index, market, until=last) for id, index in named.items()}
    part = compare(sample.study, histories, fixed_rates({}), until=last)
    for name in ("table", "state_table", "levels"):
        expected = getattr(sample, name).filter(pl.col("date") <= last)
        assert getattr(part, name).equals(expected), name
    later = pl.selectors.starts_with("forward")
    over = sample.episode_table.filter(pl.col("closed_on") <= last).drop(later)
    closed = part.episode_table.filter(pl.col("closed_on").is_not_null()).drop(later)
    assert closed.equals(over)
    assert len(over) > 0
    assert set(part.table["signal"]) == set(sample.table["signal"])
