"""Studies of drawn markets, full of gaps: every signal and every state against the oracle."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.definitions.study import Study
from indexer.index.history import History
from indexer.signals.align import known_at
from tests.reference import catchup, diffusion, signal_marks, signal_rotation
from tests.reference import study as reference
from tests.reference.study import Column
from tests.signals.example import (
    MAINLAND,
    PLACES,
    SHORT,
    START,
    Told,
    chosen,
    compared,
    history,
    on_calendar,
    same,
    series,
    study,
    until,
    walk,
)


class Oracle:
    """The same study by the slow implementation."""

    def __init__(self, asked: Study, histories: Sequence[History]) -> None:
        self.study = asked
        self.selected = {h.definition.id: h.definition.selected_on or date.min for h in histories}
        levels = {h.definition.id: _levels(h) for h in histories}
        sessions = MAINLAND.sessions.tolist()
        self.aligned = reference.align(
            sessions, asked.cutoff, levels, asked.start, paired=asked.indices
        )

    def rows(self, ids: Sequence[str]) -> list[date]:
        """Return the rows of a pair or a triple."""
        return reference.rows(self.aligned, ids, self.study.start)

    def levels(self, id: str, rows: list[date]) -> list[float]:
        """Return the levels of an index of a pair, which has one on every row."""
        levels = reference.row_levels(self.aligned, rows, id)
        return [level for level in levels if level is not None]

    def marked(
        self,
        rows: list[date],
        values: Sequence[float | None],
        ids: Sequence[str],
        window: int | None,
    ) -> Told:
        """Return values and marks by date, for indices used and levels in the window."""
        selected = {id: self.selected[id] for id in ids}
        marks = reference.backtested(self.aligned, rows, selected, window)
        both = zip(rows, values, marks, strict=True)
        return {day: (value, mark) for day, value, mark in both if value is not None}

    def pair(self, ids: tuple[str, str], span: int, window: int, z: int) -> dict[str, Told]:
        """Return the signals of a pair by name."""
        rows = self.rows(ids)
        leader, follower = (self.levels(id, rows) for id in ids)
        strength = reference.relative_strength(leader, follower)
        logs = [math.log(value) for value in strength]
        moves = [reference.log_returns(x) for x in (leader, follower)]
        correlation = reference.rolling(reference.pearson, window, *moves)
        ranked = reference.rolling(reference.spearman, window, *moves)
        levels = reference.level_correlation(leader, follower, window)
        return {
            "relative_strength": self.marked(rows, strength, ids, None),
            "momentum": self.marked(rows, reference.momentum(logs, span), ids, span + 1),
            "zscore": self.marked(rows, reference.zscore(logs, z), ids, z),
            "correlation": self.marked(rows, correlation, ids, window + 1),
            "level_correlation": self.marked(rows, levels, ids, window),
            "spearman": self.marked(rows, ranked, ids, window + 1),
            **self.gap(rows, (leader, follower), ids, (span, window)),
            **self.rotation(rows, strength, ids),
        }

    def gap(
        self,
        rows: list[date],
        levels: tuple[list[float], list[float]],
        ids: tuple[str, str],
        lengths: tuple[int, int],
    ) -> dict[str, Told]:
        """Return beta, gap and band by name; the gap is over as many rows as the momentum."""
        found = diffusion.beta_gap(*levels, *lengths)
        return {
            name: self.marked(
                rows, [row and getattr(row, part) for row in found], ids, sum(lengths) + 1
            )
            for name, part in (("beta", "beta"), ("gap", "gap"), ("gap_z", "gap_z"))
        }

    def rotation(
        self, rows: list[date], strength: list[float], ids: tuple[str, str]
    ) -> dict[str, Told]:
        """Return the weekly rotation by name, marked where an early level is among its closes."""
        selected = {id: self.selected[id] for id in ids}
        early = reference.backtested(self.aligned, rows, selected, 1)
        weeks = signal_rotation.rotation_by_row(rows, strength)
        found = {}
        for name, part in (("rs_ratio", "ratio"), ("rs_momentum", "momentum")):
            told = {}
            for t, week in enumerate(weeks):
                if (value := getattr(week, part)) is not None:
                    used = signal_marks.weekly_rows_used(rows, t, name) or []
                    told[rows[t]] = (value, any(early[row] for row in used))
            found[name] = told
        return found

    def triple(self, ids: tuple[str, str, str], benchmark: str, window: int) -> dict[str, Told]:
        """Return the signals of a triple by name."""
        rows = self.rows(ids)
        leader, *others = (self.levels(id, rows) for id in ids)
        control = reference.row_levels(self.aligned, rows, benchmark)
        a, b, c, m = (reference.log_returns(line) for line in (leader, *others, control))
        ratios = [reference.relative_strength(leader, other) for other in others]
        statistics: dict[str, tuple[Callable[..., float | None], list[Column]]] = {
            "ratio_correlation": (reference.ratio_correlation, [a, b, c]),
            "ratio_null": (reference.ratio_null, [a, b, c]),
            "ratio_excess": (reference.ratio_excess, [a, b, c]),
            "partial_correlation": (reference.partial_correlation, [b, c, a]),
            "partial_correlation_benchmark": (reference.partial_correlation, [b, c, a, m]),
        }
        found = {}
        for name, (statistic, columns) in statistics.items():
            used = (*ids, benchmark) if name.endswith("benchmark") else ids
            values = reference.rolling(statistic, window, *columns)
            found[name] = self.marked(rows, values, used, window + 1)
        levels = reference.level_correlation(*ratios, window)
        return found | {"level_correlation": self.marked(rows, levels, ids, window)}


def _levels(found: History) -> list[reference.Level]:
    moments = known_at(found.definition, found.days).astype("M8[us]").tolist()
    known_from = [datetime.replace(moment, tzinfo=UTC) for moment in moments]
    levels = next(iter(found.variants.values())).tolist()
    return list(zip(found.days.tolist(), known_from, levels, strict=True))


class Gaps(NamedTuple):
    """What is drawn of one index: its walk, and what it lacks."""

    seed: int
    still: list[tuple[int, int]]  # first row and length of what is constant
    begins: int  # row of its first level
    lacking: float  # share of days without level
    selected: date | None

    def history(self, id: str, code: str) -> History:
        """Return the index on the sessions of its exchange."""
        whole = on_calendar(id, code, 0)
        kept = np.random.default_rng(self.seed).random(len(whole.days)) >= self.lacking
        kept[: self.begins] = False
        kept[30] = True
        level = walk(self.seed, len(whole.days), self.still)[kept]
        return history(series(id, code, selected_on=self.selected), whole.days[kept], level)


GAPS = st.builds(
    Gaps,
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 15)), max_size=2),
    st.sampled_from([0, 0, 30]),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.none() | st.dates(START, date(2024, 6, 28)),
)
MARKETS = st.tuples(GAPS, GAPS, GAPS, GAPS)
Drawn = tuple[Gaps, Gaps, Gaps, Gaps]


def drawn(gaps: Drawn) -> list[History]:
    """Return a leader in New York, two followers and a benchmark."""
    return [g.history(id, code) for g, (id, code) in zip(gaps, PLACES.items(), strict=True)]


@settings(max_examples=25)
@given(MARKETS, st.integers(1, 9), st.integers(6, 12), st.integers(2, 30))
def test_every_signal_is_that_of_the_oracle(gaps: Drawn, span: int, window: int, z: int) -> None:
    histories = drawn(gaps)
    windows = {"momentum": [str(span)], "correlation": [str(window)], "zscore": str(z)}
    windows |= {"gap": str(span), "beta": str(window)}
    asked = study("a", "b", "c", windows=windows)
    oracle = Oracle(asked, histories)
    table = compared(*histories, study=asked).table
    lengths = {"relative_strength": None, "momentum": span, "zscore": z}
    lengths |= {"gap": span, "gap_z": span, "rs_ratio": 14, "rs_momentum": 14}
    for ids in (("a", "b"), ("a", "c")):
        for name, expected in oracle.pair(ids, span, window, z).items():
            same(chosen(table, name, ids, lengths.get(name, window)), expected, name)
    triple = ("a", "b", "c")
    for name, expected in oracle.triple(triple, "market", window).items():
        same(chosen(table, name, triple, window), expected, name)


@settings(max_examples=40)
@given(MARKETS, st.integers(10, 40), st.floats(0.3, 1.5), st.floats(0.05, 0.5))
def test_every_state_is_that_of_the_oracle(gaps: Drawn, z: int, enter: float, turn: float) -> None:
    histories = drawn(gaps)[:2]
    windows = SHORT | {"zscore": str(z)}
    asked = study("a", "b", windows=windows, catch_up={"enter": enter, "turn": turn})
    oracle = Oracle(asked, histories)
    rows = oracle.rows(("a", "b"))
    levels = [oracle.levels(id, rows) for id in ("a", "b")]
    walked, _ = catchup.walk(catchup.inputs(*levels, z)._replace(enter=enter, turn=turn))
    expected = catchup.carry(list(oracle.aligned), rows, walked)
    table = compared(*histories, study=asked).state_table
    assert table["date"].to_list() == list(oracle.aligned)[-len(table) :]
    there = [row for row in expected if row is not None]
    assert len(there) == len(table)
    for row, state in zip(table.rows(named=True), there, strict=True):
        assert (row["state"], row["kind"]) == (state.state, state.kind)
        assert row["since"] == rows[state.since]
        assert row["peak_on"] == (None if state.peak is None else rows[state.peak])
        moves = [(row[name], getattr(state, name)) for name in ("move_leader", "move_follower")]
        for move, other in moves:
            assert (move is None) == (other is None)
            assert move is None or math.isclose(move, other, rel_tol=1e-9, abs_tol=1e-12)


@settings(max_examples=25)
@given(MARKETS, st.dates(date(2024, 3, 1), date(2024, 6, 28)))
def test_it_never_looks_ahead(gaps: Drawn, last: date) -> None:
    """Cut every level after a day: what was told by then stays as it was, to the last bit."""
    histories = drawn(gaps)
    whole = compared(*histories)
    part = compared(*(until(found, last) for found in histories))
    end = part.aligned.sessions[-1].item()
    for name in ("table", "state_table", "levels"):
        expected = getattr(whole, name).filter(pl.col("date") <= end)
        assert getattr(part, name).equals(expected), name
