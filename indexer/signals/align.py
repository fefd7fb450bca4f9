"""Index lines side by side: on each evening the levels that were known by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

import numpy as np

from indexer.arrays import Dates, Days, Flags, Grid, Instants, Mask, Rows, Vector, log
from indexer.definitions.basket import Basket, Index
from indexer.definitions.study import Study
from indexer.definitions.symbols import exchange_of
from indexer.index.history import backtested
from indexer.market.calendar import Calendar, read_calendar
from indexer.signals.rounding import settled


@dataclass(frozen=True, slots=True, eq=False)
class IndexLine:
    """The levels of one index: date (L,), level (L,), and the instant each became known (L,)."""

    id: str
    days: Days
    level: Vector
    known_at: Instants
    selected_on: date | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """What was known of each index at the cut-off of each study session; D sessions, K indices.

    Attributes
    ----------
    sessions : (D,) from the study's start on
    ids : (K,)
    level : (D, K) last level known; NaN where there is none yet
    dated : (D, K) date of that level; NaT where there is none
    known_at : (D, K) instant at which that level became known; NaT where there is none
    fresh : (D, K) whether the level is another session's than on the study session before; on the
        first, whether there is one
    backtested : (D, K) whether the level is dated before the constituents were selected
    """

    sessions: Days
    ids: tuple[str, ...]
    level: Grid
    dated: Dates
    known_at: Dates
    fresh: Mask
    backtested: Mask

    def rows(self, ids: Sequence[str]) -> Rows:
        """Return the sessions on which all of some indices are fresh, after the first with all."""
        columns = self.columns(ids)
        complete = np.flatnonzero(~np.isnan(self.level[:, columns]).any(axis=1))
        if not complete.size:
            return complete
        use = np.asarray(self.fresh[:, columns].all(axis=1))
        use[: complete[0]] = False
        use[complete[0]] = True
        return np.flatnonzero(use)

    def columns(self, ids: Sequence[str]) -> list[int]:
        """Return the columns of some indices."""
        return [self.ids.index(id) for id in ids]

    def logs(self, id: str, rows: Rows) -> Vector:
        """Return the log levels of an index on some rows."""
        logs = log(self.level[rows, self.ids.index(id)])
        return settled(logs, logs)

    def backtested_on(self, ids: Sequence[str], rows: Rows) -> Flags:
        """Return on which rows a level of any of the indices is back-tested."""
        return np.asarray(self.backtested[:, self.columns(ids)][rows].any(axis=1))


def known_at(index: Index, days: Days) -> Instants:
    """Return when the levels of an index became known: the latest close of its exchanges.

    The exchanges of a basket are those of its constituents that trade on the date, that of a
    series is its calendar's; where none trades, the latest of their ordinary closing times.
    """
    if isinstance(index, Basket):
        codes = sorted({exchange_of(symbol) for symbol in index.symbols})
    else:
        codes = [index.calendar]
    calendars = [read_calendar(code) for code in codes]
    closes = np.stack([calendar.close_of(days) for calendar in calendars])
    trades = np.stack([np.isin(days, calendar.sessions) for calendar in calendars])
    counted = trades | ~trades.any(axis=0)
    return cast("Instants", np.where(counted, closes, closes.min()).max(axis=0))


def cutoffs(study: Study, sessions: Days) -> Instants:
    """Return the instant of the study's cut-off on each session, UTC."""
    hour, zone = study.cutoff_time
    return np.array(
        [
            datetime.combine(day, hour, zone).astimezone(UTC).replace(tzinfo=None)
            for day in sessions.tolist()
        ],
        dtype="datetime64[m]",
    )


def study_sessions(
    study: Study, calendar: Calendar, lines: Sequence[IndexLine], until: date | None
) -> Days:
    """Return the sessions from the start to the latest level of any index of the pairs.

    Raises
    ------
    MissingInputError
        If the calendar of the study does not know the start or the end.
    """
    last = max(line.days[-1].item() for line in lines if line.id in study.indices)
    last = last if until is None else min(last, until)
    if last < study.start:
        return np.empty(0, dtype="datetime64[D]")
    return calendar.between(study.start, last)


def align(study: Study, sessions: Days, lines: Sequence[IndexLine]) -> Aligned:
    """Return the last level of each line known at the cut-off of each study session."""
    moments = cutoffs(study, sessions)
    shape = (len(sessions), len(lines))
    level, fresh = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    dated = np.full(shape, np.datetime64("NaT", "D"))
    instants = np.full(shape, np.datetime64("NaT", "m"))
    tested = np.zeros(shape, dtype=bool)
    for k, line in enumerate(lines):
        at = np.searchsorted(line.known_at, moments, side="right") - 1
        known = at >= 0
        level[known, k] = line.level[at[known]]
        dated[known, k] = line.days[at[known]]
        instants[known, k] = line.known_at[at[known]]
        fresh[:, k] = known & (at != np.concatenate([[-1], at[:-1]]))
        tested[:, k] = backtested(dated[:, k], line.selected_on)
    ids = tuple(line.id for line in lines)
    return Aligned(sessions, ids, level, dated, instants, fresh, tested)
