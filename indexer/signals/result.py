"""What a study found, as records and as tables."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from indexer.arrays import or_none
from indexer.definitions.study import Study
from indexer.index.history import History
from indexer.signals.align import Aligned
from indexer.signals.events import Happening
from indexer.signals.issuers import shared_issuers
from indexer.signals.members import stale_sessions
from indexer.signals.pairs import PairInference, PairStates
from indexer.signals.ratios import RatioInference
from indexer.signals.rotation import WEEKS, quadrant
from indexer.signals.signal import Signal
from indexer.signals.strength import PERCENTILE
from indexer.signals.tables import episode_rows, event_rows, interval_rows, leadlag_rows
from indexer.words import Text

if TYPE_CHECKING:
    from indexer.report.drawing import Drawing


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Comparison:
    """Everything a study found.

    Attributes
    ----------
    study : the definition that it follows
    histories : of every index it looked at, by id
    aligned : the levels known on each study session
    signals : each figure over time
    states, pairs : one per pair, in the order of the study; what may be chance is in pairs
    ratios : one for every two pairs that share a leader
    happenings : one for every dated event and index of it
    warnings : what a reader must know before trusting a figure
    """

    study: Study
    histories: dict[str, History]
    aligned: Aligned
    signals: tuple[Signal, ...]
    states: tuple[PairStates, ...]
    pairs: tuple[PairInference, ...]
    ratios: tuple[RatioInference, ...]
    happenings: tuple[Happening, ...]
    warnings: tuple[Text, ...]

    @property
    def levels(self) -> pl.DataFrame:
        """One row per session and index with a level, as the table ``aligned``."""
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
        """All signals in long form without null values, as the table ``signals``."""
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

    @property
    def interval_table(self) -> pl.DataFrame:
        """Returns of each pair up to its last row, as ``intervals``."""
        return interval_rows(self.pairs)

    @property
    def leadlag_table(self) -> pl.DataFrame:
        """Correlation of leader and follower at each lag, as ``leadlag``."""
        return leadlag_rows(self.pairs)

    @property
    def episode_table(self) -> pl.DataFrame:
        """The episodes of each pair, as ``episodes``."""
        return episode_rows(self.pairs)

    @property
    def event_table(self) -> pl.DataFrame:
        """Abnormal returns about each event, as ``events``."""
        return event_rows(self.happenings)

    def signal(self, name: str, *ids: str, window: int | None = None) -> Signal:
        """Return the signal of a pair, or of two ratio lines where there are three ids.

        Parameters
        ----------
        ids : leader, follower and other, as the table has them: that of an index alone has no
            leader, an empty text
        window : need not be given where the signal has one alone

        Raises
        ------
        KeyError
            If there is none of that name and window, or it has several.
        """
        found = self._signal(name, ids, window)
        if found is None:
            windows = [s.window for s in self._windows(name, ids)]
            raise KeyError((name, *ids, window), f"windows there are: {windows}")
        return found

    def last(self, name: str, *ids: str, window: int | None = None) -> float | None:
        """Return the last value of a signal; None where its last row has none, or there is none.

        Parameters are those of `signal`.

        Raises
        ------
        KeyError
            If no window is given and it has several.
        """
        found = self._signal(name, ids, window)
        return None if found is None else or_none(found.value[-1])

    def last_backtested(self, name: str, *ids: str, window: int | None = None) -> bool:
        """Return whether there is a last value of a signal that rests on a back-tested level.

        Raises
        ------
        KeyError
            If no window is given and it has several.
        """
        found = self._signal(name, ids, window)
        return found is not None and bool(found.backtested[-1])

    def _signal(self, name: str, ids: tuple[str, ...], window: int | None) -> Signal | None:
        """Return a signal, or None; raises where several windows have it and none is asked for."""
        found = [s for s in self._windows(name, ids) if s.window == window or window is None]
        if len(found) > 1:
            raise KeyError((name, *ids), f"windows there are: {[s.window for s in found]}")
        return found[0] if found else None

    def _windows(self, name: str, ids: tuple[str, ...]) -> list[Signal]:
        """Return a signal once for each of its windows."""
        asked = (name, *(*ids, "", "", "")[:3])
        return [s for s in self.signals if asked == (s.name, s.leader, s.follower, s.other)]

    @property
    def synthetic(self) -> bool:
        """Whether any level rests on synthetic data."""
        return any(history.synthetic for history in self.histories.values())

    @property
    def backtested_before(self) -> dict[str, list[str]]:
        """The indices with back-tested levels, by the day on which their lists were selected."""
        found: dict[str, list[str]] = {}
        for id, tested in zip(self.aligned.ids, self.aligned.backtested.T, strict=True):
            if tested.any():
                day = str(self.histories[id].definition.selected_on)
                found.setdefault(day, []).append(id)
        return found

    def plot(self) -> "Drawing":
        """Return the lines of its indices, pairs and ratio lines, as a notebook shows them."""
        from indexer.report.notebook import comparison_drawing  # noqa: PLC0415

        return comparison_drawing(self)

    def __repr__(self) -> str:
        sessions = self.aligned.sessions
        mark = " SYNTHETIC DATA" if self.synthetic else ""
        return f"<Comparison of {self.study.id}, {sessions[0]} to {sessions[-1]}{mark}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        from indexer.report.notebook import comparison_html  # noqa: PLC0415

        return comparison_html(self)

    @property
    def summary(self) -> dict[str, Any]:
        """The last session of each pair in numbers, as in ``summary.json``."""
        study = self.study
        return {
            "id": study.id,
            "name": study.name.model_dump(exclude_none=True),
            "synthetic": self.synthetic,
            "definition_digest": study.digest,
            "last_session": str(self.aligned.sessions[-1]),
            "headline_window": study.windows.headline,
            "backtested_before": self.backtested_before,
            "pairs": [
                self._pair_summary(states) | found.summary
                for states, found in zip(self.states, self.pairs, strict=True)
            ],
            "ratio_lines": [self._ratio_summary(found) | found.summary for found in self.ratios],
            "indices": {id: self._index_summary(id) for id in self.aligned.ids},
            "warnings": [warning.en for warning in self.warnings],
        }

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
            "shared_issuers": {
                shared.issuer: shared.held_as
                for shared in shared_issuers({id: self.histories[id] for id in ids})
            },
            "relative_strength": self.last("relative_strength", *ids),
            "zscore": self.last("zscore", *ids, window=windows.zscore),
            "momentum": {w: self.last("momentum", *ids, window=w) for w in windows.momentum},
            "percentile": self.last("percentile", *ids, window=PERCENTILE),
            "correlation": self._by_window("correlation", *ids),
            "spearman": self._by_window("spearman", *ids),
            "level_correlation": self._by_window("level_correlation", *ids),
            "beta": self.last("beta", *ids, window=windows.beta),
            "gap": self.last("gap", *ids, window=windows.gap),
            "gap_z": self.last("gap_z", *ids, window=windows.gap),
            "rotation": self._rotation(*ids),
        }

    def _rotation(self, *ids: str) -> dict[str, Any]:
        place = {name: self.last(name, *ids, window=WEEKS) for name in ("rs_ratio", "rs_momentum")}
        values = [math.nan if value is None else value for value in place.values()]
        return place | {"quadrant": quadrant(*values)}

    def _ratio_summary(self, ratio: RatioInference) -> dict[str, Any]:
        ids = ratio.ids
        names = (
            "ratio_correlation",
            "ratio_null",
            "ratio_excess",
            "partial_correlation",
            "partial_correlation_benchmark",
            "level_correlation",
        )
        lines = self.signal("ratio_correlation", *ids, window=self.study.windows.headline)
        return {
            "leader": ids[0],
            "follower": ids[1],
            "other": ids[2],
            "benchmark": ratio.benchmark,
            "last_row": str(lines.days[-1]),
            **{name: self._by_window(name, *ids) for name in names},
        }

    def _by_window(self, name: str, *ids: str) -> dict[int, float | None]:
        windows = self.study.windows.correlation
        return {window: self.last(name, *ids, window=window) for window in windows}

    def _index_summary(self, id: str) -> dict[str, Any]:
        history = self.histories[id]
        column = self.aligned.ids.index(id)
        return {
            "name": history.definition.name.model_dump(exclude_none=True),
            "constituents": history.constituents,
            "carried_last": int(history.carried[-1]),
            "stale_sessions": stale_sessions(self.study, self.aligned, history)[0],
            "missing": list(history.missing),
            "last_level_on": str(history.days[-1]),
            "backtested_sessions": int(self.aligned.backtested[:, column].sum()),
            "definition_digest": history.definition.digest,
            "market_digest": history.market_digest,
            "warnings": [warning.en for warning in history.warnings],
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
