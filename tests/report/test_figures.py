"""Charts as data: what is drawn is what the comparison says, session by session."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from indexer.definitions.study import Overlay, Pair, WindowLengths
from indexer.report.breadth import breadth_figure
from indexer.report.figures import bands, compact, pair_slots, signal_line
from indexer.report.words import BANDS, NONE, kind_shown
from indexer.signals.result import Comparison
from indexer.words import Text
from tests.report.conftest import figures_of

FOLLOWER = "domestic-compute"
SELECTED = Text("selected 2026-05-07", "选样日 2026-05-07")


def figure(comparison: Comparison, start: str) -> dict:
    """Return the first figure whose id begins so."""
    return next(f for f in figures_of(comparison) if f["id"].startswith(start))


def drawn(comparison: Comparison, line: dict) -> dict[str, float | None]:
    """Return the values of a line by date."""
    sessions = [str(day) for day in comparison.aligned.sessions]
    return {sessions[t]: value for t, value in zip(line["rows"], line["values"], strict=True)}


def told(comparison: Comparison, name: str, ids: tuple[str, ...], window: int | None) -> dict:
    """Return the values of a signal in the long table by date."""
    leader, follower, other = (*ids, "")[:3]
    rows = comparison.table.filter(
        pl.col("window").eq_missing(window),
        signal=name,
        leader=leader,
        follower=follower,
        other=other,
    )
    return {str(day): value for day, value in rows.select("date", "value").iter_rows()}


def test_figures_stand_in_reading_order(comparison: Comparison, single: Comparison) -> None:
    kinds = [f["id"].split("_")[0] for f in figures_of(comparison)]
    shared = ["correlations", "level", "gaps", "breadth", "rotation", "leadlag"]
    ends = ["leadlag", "heat", "heat", "event"]
    assert kinds == ["indices", "pair", "pair", "ratio", "ratiolevels", *shared, *ends]
    kinds = [f["id"].split("_")[0] for f in figures_of(single)]
    assert kinds == ["indices", "pair", *shared, "heat", "heat"]


def test_the_shaded_states_are_those_of_the_comparison(
    comparison: Comparison, single: Comparison
) -> None:
    for found in (comparison, single):
        sessions = found.aligned.sessions.tolist()
        for pair in found.states:
            shaded = {
                sessions[t]: key for first, last, key in bands(pair) for t in range(first, last + 1)
            }
            stated = found.state_table.filter(
                leader=pair.pair.leader, follower=pair.pair.follower
            ).filter(pl.col("state") != "neutral", pl.col("date") <= sessions[pair.rows[-1]])
            expected = {
                row["date"]: row["kind"].replace(" ", "-")
                if row["state"] == "catching_up"
                else row["state"]
                for row in stated.iter_rows(named=True)
            }
            assert shaded == expected
            assert set(shaded.values()) <= set(BANDS)
            assert len(shaded) > 20


def test_how_a_gap_closes_is_told_once_it_has_turned() -> None:
    assert kind_shown("leader fall", turned=True).en == "leader falls"
    assert kind_shown("leader fall", turned=False) == kind_shown(None, turned=True) == NONE


def test_bands_neither_touch_nor_repeat_a_state(comparison: Comparison) -> None:
    for pair in comparison.states:
        found = bands(pair)
        for (_, last, key), (first, _, following) in pairwise(found):
            assert first > last
            assert first > last + 1 or key != following


def test_a_state_is_shaded_to_the_last_row_and_no_further(comparison: Comparison) -> None:
    pair = comparison.states[0]
    count = len(pair.rows)
    for stretched in (1, 2):  # rows at the end
        since = count - stretched
        state = ["neutral"] * since + ["stretched"] * stretched
        peak = np.where(np.arange(count) < since, -1, since)
        entered = replace(pair, states=pair.states._replace(state=state, peak=peak))
        assert bands(entered) == [[int(pair.rows[since]), int(pair.rows[-1]), "stretched"]]


def test_the_benchmark_alone_is_dashed_among_the_indices(comparison: Comparison) -> None:
    lines = dict(zip(comparison.aligned.ids, figure(comparison, "indices")["lines"], strict=True))
    dashed = [id for id, line in lines.items() if line["style"] == "dashed"]

    assert dashed == [comparison.study.benchmark]


def test_correlations_are_the_signals_of_their_window(comparison: Comparison) -> None:
    ids, lines = comparison.ratios[0].ids, figure(comparison, "ratio")["lines"]
    names = [("ratio_correlation", "ratio_null")[n % 2] for n in range(6)]
    for line, name, window in zip(lines, names, (20, 20, 60, 60, 120, 120), strict=True):
        values = {day: v for day, v in drawn(comparison, line).items() if v is not None}
        assert values == pytest.approx(told(comparison, name, ids, window), abs=5.1e-4)
        assert len(values) > 400


def test_a_correlation_ends_in_its_interval_over_its_window(comparison: Comparison) -> None:
    line = figure(comparison, "ratio_")["lines"][2]
    bounds = comparison.summary["ratio_lines"][0]["ratio_correlation_interval"][60]
    assert {name: line["reach"][name] for name in bounds} == {
        name: round(bound, 3) for name, bound in bounds.items()
    }
    assert (line["reach"]["first"], line["reach"]["last"]) == (line["rows"][-60], line["rows"][-1])
    assert line["reach"]["low"] <= line["values"][-1] <= line["reach"]["high"]


def test_below_60_rows_there_is_no_interval(comparison: Comparison) -> None:
    lines = [*figure(comparison, "ratio_")["lines"][::2], *figure(comparison, "corr")["lines"]]
    assert [line["reach"] is None for line in lines] == [True, False, False] * 3


def test_pairs_have_the_intervals_of_their_own(comparison: Comparison) -> None:
    lines = figure(comparison, "correlations")["lines"]
    found = [line["reach"]["low"] for line in lines if line["reach"]]
    assert found == [
        round(pair["correlation_interval"][window]["low"], 3)
        for pair in comparison.summary["pairs"]
        for window in (60, 120)
    ]


def test_levels_of_ratio_lines_end_in_their_null(comparison: Comparison) -> None:
    line = figure(comparison, "ratiolevels")["lines"][1]
    null = comparison.summary["ratio_lines"][0]["level_null"][60]
    assert {name: line["reach"][name] for name in ("low", "median", "high")} == {
        name: round(null[name], 3) for name in ("low", "median", "high")
    }
    ids = comparison.ratios[0].ids
    values = {day: v for day, v in drawn(comparison, line).items() if v is not None}
    assert values == pytest.approx(told(comparison, "level_correlation", ids, 60), abs=5.1e-4)


def test_relative_strength_is_drawn_on_the_rows_of_its_pair(comparison: Comparison) -> None:
    pair = comparison.states[1]
    (line,) = figure(comparison, f"pair_{pair.pair.leader}_{pair.pair.follower}")["lines"]
    ids = (pair.pair.leader, pair.pair.follower)
    expected = told(comparison, "relative_strength", ids, None)
    assert drawn(comparison, line) == pytest.approx(expected, rel=1e-4)
    assert len(expected) < len(comparison.aligned.sessions)  # Hong Kong was shut on some


def test_a_window_that_is_not_full_is_null(comparison: Comparison) -> None:
    for line in figure(comparison, "correlations")["lines"]:
        window = int(line["label"].en.split()[-2])
        assert line["values"][:window] == [None] * window
        assert line["values"][window] is not None


def test_every_index_is_100_on_the_first_common_session(comparison: Comparison) -> None:
    lines = figure(comparison, "indices")["lines"]
    assert [line["values"][0] for line in lines] == [100.0] * 6


def test_the_caption_of_index_lines_is_true_wherever_the_slider_stands(
    comparison: Comparison,
) -> None:
    about = figure(comparison, "indices")["about"]
    assert "at 100 on 2024-01-02, or on the session that the slider sets" in about.en
    assert "以2024-01-02（或滑块所选交易日）为100" in about.zh


def test_an_index_without_a_level_yet_is_null_and_starts_later(comparison: Comparison) -> None:
    level = comparison.aligned.level.copy()
    level[:10, 2] = np.nan
    late = replace(comparison, aligned=replace(comparison.aligned, level=level))
    lines = figure(late, "indices")["lines"]
    assert lines[2]["values"][:11] == [None] * 10 + [100.0]
    assert lines[0]["values"][10] == 100.0
    assert str(late.aligned.sessions[10]) in figure(late, "indices")["about"].en


def test_back_tested_values_are_those_dated_before_the_selection(comparison: Comparison) -> None:
    chart = figure(comparison, "indices")
    sessions = comparison.aligned.sessions
    first = chart["lines"][0]
    assert sessions[first["tested"] - 1] < np.datetime64("2026-05-07") <= sessions[first["tested"]]
    assert chart["lines"][2]["tested"] == 0  # a ready-made series
    assert chart["marks"] == [{"at": first["tested"], "label": SELECTED}]


def test_a_day_of_selection_is_marked_once_where_nothing_is_back_tested_any_more(
    single: Comparison,
) -> None:
    chart = figure(single, "indices")
    ends = [line["tested"] for line in chart["lines"]]
    assert ends[0] == ends[1] + 1  # New York's level of a date is known a session later
    assert chart["marks"] == [{"at": ends[0], "label": SELECTED}]


def test_a_correlation_is_back_tested_while_its_window_is(comparison: Comparison) -> None:
    live = figure(comparison, "indices")["lines"][0]["tested"]
    for line in figure(comparison, "correlations")["lines"][:3]:
        window = int(line["label"].en.split()[-2])
        assert line["tested"] == min(live + window, len(line["values"]))


def test_only_the_headline_window_is_shown_at_first(comparison: Comparison) -> None:
    for name in ("ratio", "correlations"):
        shown = [line["shown"] for line in figure(comparison, name)["lines"]]
        assert shown == [
            " 60 rows" in f" {x['label'].en}" for x in figure(comparison, name)["lines"]
        ]
        assert any(shown)


def test_without_60_rows_the_middle_window_is_the_headline() -> None:
    windows = [WindowLengths(correlation=w) for w in ((20, 60), (10, 120, 30), (250,))]

    assert [each.headline for each in windows] == [60, 30, 250]


def test_an_index_has_one_colour_wherever_it_is_drawn(comparison: Comparison) -> None:
    found: dict[str, set[int]] = {}
    for chart in ("indices", "breadth", "event"):
        for line in figure(comparison, chart)["lines"]:
            found.setdefault(line["label"].en.partition(":")[0], set()).add(line["slot"])
    assert [len(slots) for slots in found.values()] == [1] * 6
    assert len(set.union(*found.values())) == 6


def test_an_index_keeps_its_colour_beside_an_overlaid_series(comparison: Comparison) -> None:
    """Two series laid over one index are told apart by their strokes."""
    overlays = (Overlay(symbol="CAPEX.US", name="Capex"), Overlay(symbol="DRAM.US", name="DRAM"))
    study = comparison.study.model_copy(update={"overlays": overlays})
    own = next(s for s in comparison.signals if s.name == "breadth_20" and s.follower == FOLLOWER)
    laid = [replace(own, name="divergence", other=one.symbol) for one in overlays]
    found = replace(comparison, study=study, signals=(*comparison.signals, *laid))
    lines = figure(found, "overlays")["lines"]
    assert [line["slot"] for line in lines] == [comparison.aligned.ids.index(FOLLOWER) + 1] * 2
    assert [line["style"] for line in lines] == ["solid", "dashed"]


def test_a_series_laid_over_is_drawn_from_announcement_to_announcement(
    comparison: Comparison,
) -> None:
    study = comparison.study.model_copy(
        update={"overlays": (Overlay(symbol="CAPEX.US", name="Capex"),)}
    )
    own = next(s for s in comparison.signals if s.name == "breadth_20" and s.follower == FOLLOWER)
    value, tested = np.full(len(own.days), np.nan), np.arange(len(own.days)) < 60
    value[[10, 50, 90]] = 1.0, -0.5, 2.0
    laid = replace(own, name="divergence", other="CAPEX.US", value=value, backtested=tested)
    found = replace(comparison, study=study, signals=(*comparison.signals, laid))
    (line,) = figure(found, "overlays")["lines"]
    rows = np.searchsorted(comparison.aligned.sessions, own.days[[10, 50, 90]])
    assert (line["rows"], line["values"]) == (rows.tolist(), [1.0, -0.5, 2.0])
    assert (line["tested"], line["points"]) == (2, True)


def test_a_line_is_pale_up_to_its_last_back_tested_value(comparison: Comparison) -> None:
    """Marks of a divergence stand on announcements alone: they are no beginning of it."""
    own = next(s for s in comparison.signals if s.name == "breadth_20" and s.follower == FOLLOWER)
    flags, value = np.zeros(len(own.days), dtype=bool), np.full(len(own.days), np.nan)
    value[[10, 50, 90]], flags[[10, 50, 70]] = 1.0, True
    marked = replace(own, backtested=flags, value=value)
    assert signal_line(comparison, marked, 2)["tested"] == 51


def test_a_pair_has_the_colour_of_its_follower(comparison: Comparison) -> None:
    slots = {line["label"].en: line["slot"] for line in figure(comparison, "indices")["lines"]}
    wanted = [slots["Domestic Compute Chain"], slots["Hang Seng TECH Index"]]
    for chart in ("gaps", "rotation"):
        assert [line["slot"] for line in figure(comparison, chart)["lines"]][:2] == wanted
    bars = [f["slot"] for f in figures_of(comparison) if f["kind"] == "bars"]
    headline = [f["slot"] for f in figure(comparison, "corr")["lines"] if f["shown"]]
    assert bars == headline == wanted


@pytest.mark.parametrize(
    ("pairs", "slots"),
    [
        ("ab ac", [2, 3]),
        ("ba ca", [1, 3]),  # of two followed by one, the second has its leader's
        ("ab cb ac bc", [2, 3, 1, 4]),  # where both are taken it has one of no index
    ],
)
def test_no_two_pairs_have_one_colour(comparison: Comparison, pairs: str, slots: list[int]) -> None:
    told = [Pair(leader=leader, follower=follower) for leader, follower in pairs.split()]
    study = comparison.study.model_copy(update={"pairs": tuple(told)})
    aligned = replace(comparison.aligned, ids=("a", "b", "c"))
    assert pair_slots(replace(comparison, study=study, aligned=aligned)) == slots


def test_values_have_the_digits_that_are_printed_and_what_is_not_finite_is_null() -> None:
    values = np.array([np.nan, np.inf, 1234567.891, -0.5])
    assert compact(values, 2) == [None, None, 1234567.89, -0.5]
    assert compact(np.array([np.nan]), 2) == [None]


def test_a_value_too_large_to_be_rounded_is_not_drawn() -> None:
    assert compact(np.array([1.0, 1e307]), 2) == [1.0, None]


def test_turns_are_marked_where_the_episodes_have_them(comparison: Comparison) -> None:
    pair = comparison.pairs[0]
    marked = [m["at"] for m in figure(comparison, "pair")["marks"] if m["label"] is None]
    turns = [episode.turn_on for episode in pair.episodes if episode.turn_on is not None]
    assert marked == [int(comparison.states[0].rows[t]) for t in turns]
    assert marked


def test_the_gap_is_drawn_in_errors_of_prediction_between_its_band(comparison: Comparison) -> None:
    first, *_, upper, lower = figure(comparison, "gaps")["lines"]
    ids = (comparison.states[0].pair.leader, comparison.states[0].pair.follower)
    values = {day: v for day, v in drawn(comparison, first).items() if v is not None}
    assert values == pytest.approx(told(comparison, "gap_z", ids, 60), abs=5.1e-3)
    assert (upper["values"], lower["values"]) == ([1.96, 1.96], [-1.96, -1.96])
    assert upper["tested"] == lower["tested"] == 0


def test_breadth_is_that_of_the_signals(comparison: Comparison) -> None:
    line = figure(comparison, "breadth")["lines"][0]
    values = {day: v for day, v in drawn(comparison, line).items() if v is not None}
    expected = told(comparison, "breadth_20", ("", "north-america-compute"), 20)
    assert values == pytest.approx(expected, abs=5.1e-4)


def test_the_axis_of_breadth_goes_below_nought_only_where_a_line_does(
    comparison: Comparison,
) -> None:
    found = next(s for s in comparison.signals if s.name == "mean_pair_correlation")
    for value, low in ((0.2, 0), (-0.2, -1)):
        line = replace(found, value=np.full_like(found.value, value))
        shown = breadth_figure(replace(comparison, signals=[line]))
        assert shown
        assert shown["bounds"] == [low, 1]


def test_a_tail_of_rotation_ends_at_the_last_row_and_has_one_point_a_week(
    comparison: Comparison,
) -> None:
    line = figure(comparison, "rotation")["lines"][0]
    last = comparison.summary["pairs"][0]["rotation"]
    assert (line["x"][-1], line["y"][-1]) == (
        round(last["rs_ratio"], 2),
        round(last["rs_momentum"], 2),
    )
    weeks = [np.datetime64(day, "D").item().isocalendar()[:2] for day in line["days"]]
    assert len(weeks) == len(set(weeks)) == 10


def test_a_week_of_rotation_is_pale_where_either_of_its_figures_is_back_tested(
    comparison: Comparison,
) -> None:
    line = figure(comparison, "rotation")["lines"][0]
    ids = (comparison.states[0].pair.leader, comparison.states[0].pair.follower)
    across, up = (comparison.signal(name, *ids) for name in ("rs_ratio", "rs_momentum"))
    weeks = np.isin(up.days, np.array(line["days"], "datetime64[D]"))
    tested = [int(found.backtested[weeks].sum()) for found in (across, up)]

    assert line["tested"] == max(tested)
    assert tested[0] < tested[1]


def test_bars_are_the_lead_and_lag_of_the_table(comparison: Comparison) -> None:
    chart = figure(comparison, "leadlag")
    rows = comparison.leadlag_table.filter(leader=comparison.states[0].pair.leader)
    rows = rows.filter(follower=comparison.states[0].pair.follower)
    assert chart["x"] == rows["lag"].to_list()
    assert chart["y"] == pytest.approx(rows["correlation"].to_list(), abs=5.1e-4)
    assert chart["band"] == round(rows["band"][0], 3)


def test_cells_of_the_heat_map_are_correlations_of_closes(comparison: Comparison) -> None:
    chart = figure(comparison, "heat")
    panel = comparison.histories["north-america-compute"].panel
    assert panel is not None
    first, second = (panel.symbols.index(chart["symbols"][n]) for n in (0, 1))
    closes = panel.close[-61:, [first, second]]
    expected = np.corrcoef((closes[1:] / closes[:-1] - 1).T)[0, 1]
    assert chart["values"][1][0] == pytest.approx(expected, abs=0.02)  # an action between
    assert [len(row) for row in chart["values"]] == list(range(1, len(chart["symbols"]) + 1))


def test_lines_of_an_event_are_its_cumulative_returns(comparison: Comparison) -> None:
    chart = figure(comparison, "event")
    rows = comparison.event_table.filter(index="chinext")
    values = [v for v in chart["lines"][0]["y"] if v is not None]
    assert values == pytest.approx((100 * np.expm1(rows["cumulative"])).to_list(), abs=5.1e-3)
