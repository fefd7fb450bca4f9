"""A signal, and the rows that some indices share, on which signals are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from indexer.arrays import Days, Flags, Rows, Vector
from indexer.signals.align import Aligned
from indexer.signals.rounding import log_returns


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One figure over time, of an index, a pair or a triple of indices; R rows.

    Attributes
    ----------
    name, leader, follower, other : as the table ``signals`` names them: of one index its id is the
        follower and the leader is empty; of divergence the other is the announced series
    window : its length: of a pair in rows, of rotation in weeks, of a basket in sessions or in its
        members' closes, of divergence in announcements; None where it has none
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


@dataclass(frozen=True, slots=True, eq=False)
class SharedRows:
    """The rows of a pair or a triple: sessions on which all of their levels are fresh.

    Attributes
    ----------
    aligned : the levels they are rows of
    ids : leader, follower and, of a triple, the other follower
    at : (R,) study sessions
    backtested : (R,) whether a level of the row is back-tested
    """

    aligned: Aligned
    ids: tuple[str, ...]
    at: Rows
    backtested: Flags

    @classmethod
    def of(cls, aligned: Aligned, *ids: str) -> Self:
        """Return the rows of some indices."""
        at = aligned.rows(ids)
        return cls(aligned, ids, at, aligned.backtested_on(ids, at))

    @property
    def days(self) -> Days:
        """Dates of the rows, (R,)."""
        return self.aligned.sessions[self.at]

    def log(self, id: str) -> Vector:
        """Return the log levels of an index, (R,)."""
        return self.aligned.logs(id, self.at)

    def logs(self) -> list[Vector]:
        """Return the log levels of each of the indices, (R,) each."""
        return [self.log(id) for id in self.ids]

    def returns(self) -> list[Vector]:
        """Return the log returns of each of the indices, (R - 1,) each."""
        return [log_returns(log) for log in self.logs()]

    def signal(self, name: str, value: Vector, window: int | None, reach: int | Rows) -> Signal:
        """Return a signal whose window begins ``reach`` rows before the row it stands on.

        Of a statistic of returns (R - 1,) the first row has none.
        """
        leader, follower, *other = self.ids
        missing = len(self.at) - len(value)
        return Signal(
            name=name,
            leader=leader,
            follower=follower,
            other=other[0] if other else "",
            window=window,
            days=self.days,
            value=np.concatenate([np.full(missing, np.nan), value]),
            backtested=reaching(self.backtested, reach),
        )


def reaching(tested: Flags, reach: int | Rows) -> Flags:
    """Return whether any of the last ``reach`` rows or the row itself is back-tested, (R,)."""
    before = np.concatenate([[0], np.cumsum(tested)])
    row = np.arange(len(tested))
    return np.asarray(before[row + 1] > before[np.maximum(row - reach, 0)])


def after_last(tested: Flags) -> int:
    """Return the row after the last one that is back-tested; 0 where none is."""
    rows = np.flatnonzero(tested)
    return int(rows[-1]) + 1 if rows.size else 0


def siblings(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Return leader and two followers of every two pairs that share their leader, in order."""
    return [
        (leader, follower, other)
        for n, (leader, follower) in enumerate(pairs)
        for also, other in pairs[n + 1 :]
        if also == leader
    ]
