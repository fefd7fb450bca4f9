"""What a study found, as records and as tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days, Flags, Rows, Vector
from indexer.definitions.study import Pair, Study
from indexer.index.history import History
from indexer.signals.align import Aligned
from indexer.signals.catchup import States, kind_of


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure over time, for a pair or a triple of indices; R rows.

    Attributes
    ----------
    name, leader, follower, other : as the contract's ``signals`` names them
    window : its length in rows; None where it has none
    days : (R,) dates
    value : (R,) NaN where there is none
    backtested : (R,) whether a level in its window is back-tested
    """

    name: str
    leader: str
    follower: str
    other: str
    window: int | None
    days: Days
    value: Vector
    backtested: Flags


@dataclass(frozen=True, slots=True)
class PairStates:
    """The catch-up states of a pair on its rows; rows count the sessions of the study.

    Attributes
    ----------
    rows : (R,) study sessions that are rows
    leader, follower : (R,) log levels
    """

    pair: Pair
    rows: Rows
    leader: Vector
    follower: Vector
    states: States

    def at(self, row: int) -> dict[str, Any]:
        """Return the state of one row: since and peak as rows, moves in log, kind."""
        peak = int(self.states.peak[row])
        told: dict[str, Any] = {
            "state": self.states.state[row],
            "kind": None,
            "since": int(self.states.since[row]),
            "peak": None,
            "move_leader": None,
            "move_follower": None,
        }
        if peak < 0:
            return told
        leader = float(self.leader[row] - self.leader[peak])
        follower = float(self.follower[row] - self.follower[peak])
        kind = None if row == peak else kind_of(leader, follower)
        return told | {
            "kind": kind,
            "peak": peak,
            "move_leader": leader,
            "move_follower": follower,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything a study found.

    Attributes
    ----------
    histories : of every index it looked at, by id
    aligned : the levels known on each study session
    signals : each figure over time
    states : one per pair, in the order of the study
    warnings : what a reader must know before trusting a figure
    """

    study: Study
    histories: dict[str, History]
    aligned: Aligned
    signals: tuple[Signal, ...]
    states: tuple[PairStates, ...]
    warnings: tuple[str, ...]

    @property
    def levels(self) -> pl.DataFrame:
        """One row per session and index with a level, as the contract's ``aligned``."""
        row, column = np.nonzero(~np.isnan(self.aligned.level))
        return pl.DataFrame(
            {
                "date": self.aligned.sessions[row],
                "index": pl.Series(self.aligned.ids, dtype=pl.String)[column],
                "level": self.aligned.level[row, column],
                "fresh": self.aligned.fresh[row, column],
                "backtested": self.aligned.backtested[row, column],
            }
        )

    @property
    def table(self) -> pl.DataFrame:
        """All signals in long form without null values, as the contract's ``signals``."""
        parts = []
        for n, signal in enumerate(self.signals):
            there = ~np.isnan(signal.value)
            parts.append(
                pl.DataFrame(
                    {"date": signal.days[there], "order": n, "value": signal.value[there]}
                ).with_columns(backtested=pl.Series(signal.backtested[there]))
            )
        named = pl.DataFrame(
            [
                (n, s.name, s.leader, s.follower, s.other, s.window)
                for n, s in enumerate(self.signals)
            ],
            schema={
                "order": pl.Int32,
                "signal": pl.String,
                "leader": pl.String,
                "follower": pl.String,
                "other": pl.String,
                "window": pl.Int64,
            },
            orient="row",
        )
        rows = pl.concat(parts).sort("date", "order").join(named, on="order", maintain_order="left")
        return rows.select(
            "date", "signal", "leader", "follower", "other", "window", "value", "backtested"
        )

    @property
    def state_table(self) -> pl.DataFrame:
        """The state of each pair on every session from its first row on, as ``states``."""
        rows = [row for pair in self.states for row in self._state_rows(pair)]
        frame = pl.DataFrame(rows, schema=_STATES, orient="row")
        return frame.sort("date", maintain_order=True)

    def _state_rows(self, pair: PairStates) -> Iterator[tuple[Any, ...]]:
        days = self.aligned.sessions[pair.rows]
        known = [pair.at(row) for row in range(len(days))]
        for t in range(int(pair.rows[0]), len(self.aligned.sessions)):
            told = known[int(np.searchsorted(pair.rows, t, side="right")) - 1]
            yield (
                self.aligned.sessions[t].item(),
                pair.pair.leader,
                pair.pair.follower,
                told["state"],
                told["kind"],
                days[told["since"]].item(),
                None if told["peak"] is None else days[told["peak"]].item(),
                told["move_leader"],
                told["move_follower"],
            )

    def last(self, name: str, *ids: str, window: int | None = None) -> float | None:
        """Return the last value of a signal; None where its last row has none."""
        other = ids[2] if len(ids) > 2 else ""
        for signal in self.signals:
            key = (signal.name, signal.leader, signal.follower, signal.other, signal.window)
            if key == (name, ids[0], ids[1], other, window):
                return None if np.isnan(signal.value[-1]) else float(signal.value[-1])
        return None

    @property
    def synthetic(self) -> bool:
        """Whether any level rests on synthetic data."""
        return any(history.synthetic for history in self.histories.values())

    @property
    def summary(self) -> dict[str, Any]:
        """The last session of each pair in numbers, as the contract's ``summary.json``."""
        study = self.study
        return {
            "id": study.id,
            "name": study.name.model_dump(exclude_none=True),
            "synthetic": self.synthetic,
            "definition_digest": study.digest,
            "last_session": str(self.aligned.sessions[-1]),
            "pairs": [self._pair_summary(pair) for pair in self.states],
            "ratio_lines": [self._ratio_summary(ids) for ids in self.triples],
            "indices": {id: self._index_summary(id) for id in self.aligned.ids},
            "warnings": list(self.warnings),
        }

    @property
    def triples(self) -> list[tuple[str, str, str]]:
        """Leader and two followers of every two pairs that share a leader."""
        found = dict.fromkeys((s.leader, s.follower, s.other) for s in self.signals if s.other)
        return list(found)

    def _pair_summary(self, pair: PairStates) -> dict[str, Any]:
        ids = (pair.pair.leader, pair.pair.follower)
        days = self.aligned.sessions[pair.rows]
        told = pair.at(len(days) - 1)
        peak = told.pop("peak")
        windows = self.study.windows
        return {
            "leader": ids[0],
            "follower": ids[1],
            "last_row": str(days[-1]),
            "rows": len(days),
            **told,
            "since": str(days[told["since"]]),
            "peak_on": None if peak is None else str(days[peak]),
            "failed_turns": int(pair.states.failed_turns[-1]),
            "relative_strength": self.last("relative_strength", *ids),
            "zscore": self.last("zscore", *ids, window=windows.zscore),
            "momentum": {w: self.last("momentum", *ids, window=w) for w in windows.momentum},
            "correlation": {
                w: self.last("correlation", *ids, window=w) for w in windows.correlation
            },
        }

    def _ratio_summary(self, ids: tuple[str, str, str]) -> dict[str, Any]:
        names = (
            "ratio_correlation",
            "ratio_null",
            "ratio_excess",
            "partial_correlation",
            "partial_correlation_benchmark",
            "level_correlation",
        )
        windows = self.study.windows.correlation
        return {
            "leader": ids[0],
            "follower": ids[1],
            "other": ids[2],
            "benchmark": self.study.benchmark,
            **{name: {w: self.last(name, *ids, window=w) for w in windows} for name in names},
        }

    def _index_summary(self, id: str) -> dict[str, Any]:
        history = self.histories[id]
        column = self.aligned.ids.index(id)
        return {
            "name": history.definition.name.model_dump(exclude_none=True),
            "constituents": len(history.symbols),
            "carried_last": int(history.carried[-1]),
            "missing": list(history.missing),
            "last_level_on": str(history.days[-1]),
            "backtested_sessions": int(self.aligned.backtested[:, column].sum()),
            "definition_digest": history.definition.digest,
            "market_digest": history.market_digest,
            "warnings": list(history.warnings),
        }


_STATES = {
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
