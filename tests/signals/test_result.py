"""What a study found, as tables: the contract's columns, complete states, honest marks."""

from datetime import date
from itertools import groupby

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from indexer.definitions.study import Pair
from indexer.signals.catchup import States, kind_of
from indexer.signals.pairs import PairStates
from indexer.signals.result import Comparison
from tests.reference import signal_marks
from tests.signals.example import PAIRS, SHORT, TRIPLE, small, study

SIGNALS = {
    "date": pl.Date,
    "signal": pl.String,
    "leader": pl.String,
    "follower": pl.String,
    "other": pl.String,
    "window": pl.Int64,
    "value": pl.Float64,
    "backtested": pl.Boolean,
}
MEMBERS = {
    "carried": None,
    "breadth_20": 20,
    "breadth_60": 60,
    "breadth_outperform": 20,
    "diffusion": None,
    "mean_pair_correlation": 60,
    "dispersion": None,
}
STATES = {
    "date": pl.Date,
    "leader": pl.String,
    "follower": pl.String,
    "state": pl.String,
    "kind": pl.String,
    "since": pl.Date,
    "peak_on": pl.Date,
    "move_leader": pl.Float64,
    "move_follower": pl.Float64,
}
LEVELS = {
    "date": pl.Date,
    "index": pl.String,
    "level": pl.Float64,
    "fresh": pl.Boolean,
    "backtested": pl.Boolean,
}


def test_a_comparison_is_equal_to_itself_alone_and_may_be_a_key() -> None:
    one, other = small(), small()

    assert one != other
    assert len({one, other, one}) == 2


def test_what_may_be_chance_of_a_pair_is_equal_to_itself_alone() -> None:
    assert small().pairs != small().pairs


# --- signals --------------------------------------------------------------------------------------


def test_the_signals_have_the_columns_of_the_contract_and_no_nulls(sample: Comparison) -> None:
    table = sample.table
    assert dict(table.schema) == SIGNALS
    rest = table.drop("window")
    assert rest.null_count().sum_horizontal().item() == 0
    assert table["value"].is_finite().all()
    without = {name for name, window in MEMBERS.items() if window is None}
    found = set(table.filter(pl.col("window").is_null())["signal"])
    assert found == {"relative_strength", *without}
    assert table.height > 20_000


def test_the_signals_are_those_of_the_contract_in_order(sample: Comparison) -> None:
    """By date, then as listed in the definition: pairs, then triples, window by window."""
    last = sample.table.filter(date=sample.table["date"].max())
    keys = ["signal", "follower", "other", "window"]
    own, triple, members = [], [], []
    for _, follower in PAIRS:
        own += [("relative_strength", follower, "", None)]
        own += [("momentum", follower, "", n) for n in (20, 40)]
        own += [("percentile", follower, "", 250), ("zscore", follower, "", 250)]
        for w in (20, 60, 120):
            names = ("correlation", "spearman", "level_correlation")
            own += [(name, follower, "", w) for name in names]
        own += [(name, follower, "", w) for name, w in (("beta", 120), ("gap", 60), ("gap_z", 60))]
        own += [(name, follower, "", 14) for name in ("rs_ratio", "rs_momentum")]
    for w in (20, 60, 120):
        for name in (
            *("ratio_correlation", "ratio_null", "ratio_excess", "partial_correlation"),
            *("partial_correlation_benchmark", "level_correlation"),
        ):
            triple += [(name, *TRIPLE[1:], w)]
    for id in TRIPLE[:2]:  # the third is a series
        for name, window in MEMBERS.items():
            if id == TRIPLE[1] or name != "breadth_outperform":
                members += [(name, id, "", window)]
        members += [("crowding", id, "", window) for window in (20, 250)]
    assert last.select(keys).rows() == own + triple + members
    pairs = last.filter(pl.col("leader") != "")
    assert set(pairs["leader"]) == {"north-america-compute"}
    assert len(pairs) == len(own + triple)
    assert sample.table["date"].is_sorted()


def test_every_date_lists_its_signals_in_the_same_order(sample: Comparison) -> None:
    place = {(s.name, s.follower, s.other, s.window): n for n, s in enumerate(sample.signals)}
    keys = sample.table.select("date", "signal", "follower", "other", "window").rows()
    for _, group in groupby(keys, key=lambda row: row[0]):
        places = [place[key] for _, *rest in group if (key := tuple(rest))]
        assert places == sorted(places)


def test_each_signal_stands_in_the_table_where_it_has_a_value(sample: Comparison) -> None:
    table = sample.table  # made anew each time
    for signal in sample.signals:
        rows = table.filter(
            pl.col("window").eq_missing(signal.window),
            signal=signal.name,
            follower=signal.follower,
            other=signal.other,
        )
        there = ~np.isnan(signal.value)
        assert rows["date"].to_list() == signal.days[there].tolist()
        assert rows["value"].to_list() == signal.value[there].tolist()
        assert rows["backtested"].to_list() == signal.backtested[there].tolist()


@pytest.mark.parametrize(
    ("name", "ids", "window", "null"),
    [
        ("relative_strength", PAIRS[0], None, 0),
        ("momentum", PAIRS[0], 40, 40),
        ("percentile", PAIRS[0], 250, 249),
        ("zscore", PAIRS[0], 250, 249),
        ("spearman", PAIRS[0], 60, 60),
        ("beta", PAIRS[0], 120, 180),
        ("gap", PAIRS[1], 60, 180),
        ("gap_z", PAIRS[1], 60, 180),
        ("correlation", PAIRS[1], 60, 60),
        ("level_correlation", PAIRS[1], 60, 59),
        ("ratio_correlation", TRIPLE, 120, 120),
        ("ratio_null", TRIPLE, 120, 120),
        ("ratio_excess", TRIPLE, 20, 20),
        ("partial_correlation", TRIPLE, 20, 20),
        ("partial_correlation_benchmark", TRIPLE, 60, 60),
        ("level_correlation", TRIPLE, 60, 59),
    ],
)
def test_a_signal_begins_with_its_first_whole_window(
    sample: Comparison, name: str, ids: tuple[str, ...], window: int | None, null: int
) -> None:
    """A statistic of w returns needs w + 1 rows, one of levels w."""
    signal = sample.signal(name, *ids, window=window)
    assert np.flatnonzero(np.isnan(signal.value)).tolist() == list(range(null))


def test_every_signal_is_found_by_what_the_table_tells_of_it(sample: Comparison) -> None:
    for signal in sample.signals:
        ids = (signal.leader, signal.follower, signal.other)
        assert sample.signal(signal.name, *ids, window=signal.window) is signal


def test_a_signal_that_there_is_not_is_an_error_and_has_no_last_value(sample: Comparison) -> None:
    with pytest.raises(KeyError, match="zscore"):
        sample.signal("zscore", *PAIRS[0], window=7)
    assert sample.last("zscore", *PAIRS[0], window=7) is None


def test_of_several_windows_one_must_be_named(sample: Comparison) -> None:
    for asked in (sample.signal, sample.last, sample.last_backtested):
        with pytest.raises(KeyError, match="windows there are"):
            asked("correlation", *PAIRS[0])


def test_a_signal_without_any_value_leaves_the_table_whole() -> None:
    """Too short for its z-score: no row, and no other column suffers."""
    table, whole = (
        small(study=study("a", "b", "c", windows=SHORT | {"zscore": length})).table
        for length in ("250", "4")
    )
    assert dict(table.schema) == SIGNALS
    assert "zscore" not in set(table["signal"])
    assert_frame_equal(whole.filter(pl.col("signal") != "zscore"), table)


# --- marks ----------------------------------------------------------------------------------------


def test_a_value_is_marked_while_its_window_reaches_before_the_selection(
    sample: Comparison,
) -> None:
    """Level by level, by the date of each level and not of the session."""
    aligned, asked = sample.aligned, sample.study
    for signal in sample.signals:
        if signal.leader == "" or signal.name == "relative_strength":
            continue
        used = [signal.leader, signal.follower, *([signal.other] if signal.other else [])]
        rows = aligned.rows(used)
        early = aligned.backtested[rows][:, aligned.columns(used)].any(axis=1).tolist()
        dates = aligned.sessions[rows].tolist()
        window = asked.windows.beta if signal.name.startswith("gap") else signal.window or 0
        for t in range(0, len(rows), 7):
            if signal.name.startswith("rs_"):
                rests = signal_marks.weekly_rows_used(dates, t, signal.name)
            else:
                rests = signal_marks.rows_used(signal.name, t, window, asked.windows.gap)
            if rests is not None:
                marked = any(early[row] for row in rests)
                assert signal.backtested[t] == marked, (signal.name, t)


def test_relative_strength_rests_on_its_first_row_for_ever(sample: Comparison) -> None:
    (first, *_) = (s for s in sample.signals if s.name == "relative_strength")
    assert first.backtested.all()


def test_a_figure_of_members_is_marked_while_its_sessions_reach_before_the_selection(
    sample: Comparison,
) -> None:
    """75 rows have followed the selection, of which the first is the day itself."""
    marks = {
        (s.name, s.window): int(s.backtested.sum())
        - int((s.days < np.datetime64("2026-05-07")).sum())
        for s in sample.signals
        if s.follower == TRIPLE[1] and s.leader == ""
    }
    assert marks["carried", None] == 0
    assert marks["diffusion", None] == marks["dispersion", None] == 1
    assert marks["breadth_20", 20] == marks["crowding", 20] == 19
    assert marks["breadth_outperform", 20] == 20
    assert marks["breadth_60", 60] == 59
    assert marks["mean_pair_correlation", 60] == 60
    assert all(
        s.backtested.all() for s in sample.signals if (s.name, s.window) == ("crowding", 250)
    )


def test_a_level_is_marked_up_to_the_day_of_the_selection(sample: Comparison) -> None:
    marks = sample.levels.filter(backtested=True).group_by("index").agg(pl.col("date").max())
    assert dict(marks.rows()) == dict.fromkeys(TRIPLE[:2], date(2026, 5, 6))
    for id in TRIPLE[:2]:
        assert sample.histories[id].definition.selected_on == date(2026, 5, 7)
    clean = sample.levels.filter(backtested=False, index=TRIPLE[0])
    assert clean["date"].min() == date(2026, 5, 7)


# --- states ---------------------------------------------------------------------------------------


def test_states_cover_every_session_from_the_first_row_on(sample: Comparison) -> None:
    table = sample.state_table
    assert dict(table.schema) == STATES
    sessions = sample.aligned.sessions.tolist()
    assert table.select("date", "leader", "follower").rows() == [
        (day, *pair) for day in sessions for pair in PAIRS
    ]


def test_a_pair_that_begins_later_has_states_from_its_own_first_row_on() -> None:
    table = small().state_table
    for follower, first in (("b", date(2024, 5, 6)), ("c", date(2024, 5, 9))):
        own = table.filter(follower=follower)["date"].to_list()
        assert own == [day.item() for day in small().aligned.sessions if day.item() >= first]
    assert table["date"].is_sorted()


def test_since_is_the_row_on_which_the_present_state_was_entered(sample: Comparison) -> None:
    for pair in sample.states:
        rows = {day.item() for day in sample.aligned.sessions[pair.rows]}
        own = sample.state_table.filter(follower=pair.pair.follower).to_dicts()
        assert len({row["state"] for row in own}) > 2
        for state, group in groupby(own, key=lambda row: row["state"]):
            spell = list(group)
            assert {row["since"] for row in spell} == {spell[0]["date"]}, state
            assert spell[0]["date"] in rows


def test_kinds_follow_the_moves_since_the_peak(sample: Comparison) -> None:
    kinds = set()
    for row in sample.state_table.to_dicts():
        told = (row["peak_on"], row["move_leader"], row["move_follower"])
        if row["state"] == "neutral":
            assert (*told, row["kind"]) == (None,) * 4
        elif row["kind"] is None:
            assert told[1:] == (0.0, 0.0)
        else:
            assert row["kind"] == kind_of(*told[1:])
            assert row["since"] is not None
        kinds.add(row["kind"])
    assert kinds == {None, "catch-up", "leader fall", "both falling"}


def test_moves_are_those_of_the_log_levels_since_the_peak(sample: Comparison) -> None:
    aligned = sample.aligned
    for pair in sample.states:
        columns = aligned.columns((pair.pair.leader, pair.pair.follower))
        level = dict(
            zip(
                aligned.sessions[pair.rows].tolist(),
                aligned.level[pair.rows][:, columns],
                strict=True,
            )
        )
        own = sample.state_table.filter(
            pl.col("peak_on").is_not_null(), follower=pair.pair.follower
        )
        assert own.height > 50
        for row in own.filter(pl.col("date").is_in(list(level))).to_dicts():
            leader, follower = np.log(level[row["date"]] / level[row["peak_on"]])
            assert row["move_leader"] == pytest.approx(leader, abs=1e-12)
            assert row["move_follower"] == pytest.approx(follower, abs=1e-12)
            on_peak = row["date"] == row["peak_on"]
            assert (row["kind"] is None) == on_peak


def test_a_session_that_is_no_row_carries_the_state(sample: Comparison) -> None:
    carried = 0
    told = sample.state_table.select(pl.exclude("date"))
    for n, pair in enumerate(sample.states):
        own = told.gather_every(2, n).rows()
        rows = set(pair.rows.tolist())
        assert 0 in rows
        for t in range(len(own)):
            if t not in rows:
                assert own[t] == own[t - 1]
                carried += 1
    assert carried > 10


def test_the_state_of_one_row_in_numbers() -> None:
    rows = np.array([3, 5, 6])
    at = np.array([-1, 1, 1])
    found = PairStates(
        Pair(leader="a", follower="b"),
        rows,
        np.array([0.0, 0.5, 0.25]),
        np.array([0.0, 0.25, 0.75]),
        States(["neutral", "stretched", "catching_up"], np.array([0, 1, 2]), at, at, at),
    )
    neutral, peak, later = (found.at(row) for row in range(3))
    assert list(neutral.values()) == ["neutral", None, 0, None, None, None]
    assert list(peak.values()) == ["stretched", None, 1, 1, 0.0, 0.0]
    assert list(later.values()) == ["catching_up", "catch-up", 2, 1, -0.25, 0.5]
    assert list(later) == ["state", "kind", "since", "peak", "move_leader", "move_follower"]


# --- levels ---------------------------------------------------------------------------------------


def test_levels_are_what_each_index_contributes(sample: Comparison) -> None:
    table, aligned = sample.levels, sample.aligned
    assert dict(table.schema) == LEVELS
    assert table["date"].is_sorted()
    assert table.height == (~np.isnan(aligned.level)).sum()
    assert list(dict.fromkeys(table["index"])) == [*TRIPLE, "csi-all-share"]
    for k, id in enumerate(aligned.ids):
        there = ~np.isnan(aligned.level[:, k])
        own = table.filter(index=id)
        assert own["date"].to_list() == aligned.sessions[there].tolist()
        for name, grid in (
            ("level", aligned.level),
            ("fresh", aligned.fresh),
            ("backtested", aligned.backtested),
        ):
            assert own[name].to_list() == grid[there, k].tolist()


def test_a_session_before_the_first_level_of_an_index_has_no_row_for_it() -> None:
    table = small().levels
    assert table.filter(index="c")["date"].min() == date(2024, 5, 9)
    assert table.filter(index="c").height == 9
