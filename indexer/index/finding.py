"""What stands against publishing a session, and what it is judged by."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

import numpy as np

from indexer.arrays import Days, Flags, Grid, Mask, Rows
from indexer.definitions.symbols import exchange_of, split_symbol
from indexer.errors import few
from indexer.index.history import History
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.conventions.gates import GateLimits
from indexer.market.lines import Closes
from indexer.market.panel import Panel

Verdict = Literal["refuse", "wait", "note"]
_DAY = np.timedelta64(1, "D")
SHOWN = 5  # constituents a message names; the rest are counted


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a gate found on one session of an index.

    Attributes
    ----------
    rule : the gate, such as ``R14``
    message : the evidence, the bound it breaks and what to do
    verdict : ``refuse``; ``wait`` where data are not complete yet; ``note`` does not refuse
    """

    session: date
    rule: str
    message: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The sessions of a basket that are judged; K sessions, N lines of its panel.

    Attributes
    ----------
    rows, at : (K,) their rows in the history and in the panel, ascending
    days : (K,) their dates
    limits : those in force on all of them
    held : (K, N) whether the level of the session rests on shares of a line
    traded : (K, N) whether a line has a close dated on the session
    suffixes : suffixes of the lines' symbols, such as ``SH``, each once
    suffix : (N,) position of each line's suffix among them
    is_open : (K, suffixes) whether the exchange is open; after its horizon, every weekday
    """

    history: History
    panel: Panel
    rows: Rows
    at: Rows
    days: Days
    limits: GateLimits
    held: Mask
    traded: Mask
    suffixes: tuple[str, ...]
    suffix: Rows
    is_open: Mask

    def calendar(self, suffix: int) -> Calendar:
        """Return the calendar of an exchange."""
        return read_calendar(exchange_of(self.suffixes[suffix]))

    def symbol(self, column: int) -> str:
        """Return the symbol of a line."""
        return self.panel.lines[column].symbol

    def day(self, k: int) -> date:
        """Return the date of a session."""
        day: date = self.days[k].item()
        return day

    def value(self) -> Grid:
        """Return what the held shares are worth at the close, before anything changes, (K, N)."""
        worth = np.nan_to_num(self.panel.worth[self.at])
        return np.where(self.held, self.history.shares[self.rows], 0.0) * worth


def asked_of(history: History, panel: Panel, rows: Rows, limits: GateLimits) -> Asked:
    """Return what some sessions of a basket are judged by."""
    at = rows + (len(panel.sessions) - len(history.days))
    days = panel.sessions[at]
    endings = [split_symbol(line.symbol)[1] for line in panel.lines]
    suffixes = tuple(dict.fromkeys(endings))
    place = {suffix: n for n, suffix in enumerate(suffixes)}
    open_days = [read_calendar(exchange_of(suffix)).open_on(days) for suffix in suffixes]
    return Asked(
        history=history,
        panel=panel,
        rows=rows,
        at=at,
        days=days,
        limits=limits,
        held=history.shares[rows] > 0,
        traded=panel.dated[at] == days[:, None],
        suffixes=suffixes,
        suffix=np.array([place[ending] for ending in endings], dtype=np.int64),
        is_open=np.column_stack(open_days),
    )


class Fresh(NamedTuple):
    """Closes dated after the session before and up to one that is judged, by line and date.

    Attributes
    ----------
    k, column : (F,) session and line
    at, before : (F,) positions of the close, and of the line's close before it; -1 for none
    """

    k: Rows
    column: Rows
    at: Rows
    before: Rows

    def part(self, kept: Flags) -> "Fresh":
        """Return some of them."""
        return Fresh(*(values[kept] for values in self))


def fresh_closes(asked: Asked) -> Fresh:
    """Return the closes of all lines that came with the sessions judged."""
    closes, sessions = asked.panel.closes, asked.panel.sessions
    first = sessions[asked.at[0] - 1] if asked.at[0] else sessions[0] - _DAY
    begin, end = _until(closes, first), _until(closes, asked.days[-1])
    count = end - begin
    column = np.repeat(np.arange(len(count)), count)
    at = np.arange(count.sum()) + (begin - np.cumsum(count) + count)[column]
    row = np.searchsorted(sessions, closes.date[at])
    k = np.minimum(np.searchsorted(asked.at, row), len(asked.at) - 1)
    kept = asked.at[k] == row
    at, k, column = at[kept], k[kept], column[kept]
    return Fresh(k, column, at, np.where(at > closes.first[column], at - 1, -1))


def joining_closes(asked: Asked) -> Fresh:
    """Return the closes by which lines join at rebalances among the sessions judged.

    Nobody held them, and the weight they get goes by their closes of the reference day; what they
    are worth when they come by those of the effective one. What is known of both with that session.
    """
    closes = asked.panel.closes
    found: dict[int, tuple[int, int, int]] = {}
    for one in asked.history.rebalances:
        k = bisect_left(asked.days, np.datetime64(one.effective))
        if k == len(asked.days) or asked.days[k] != np.datetime64(one.effective):
            continue
        for column in np.flatnonzero((one.after.shares > 0) & ~(one.before.shares > 0)).tolist():
            start, end = closes.first[column : column + 2].tolist()
            for day in (one.reference, one.effective):
                at = start - 1 + bisect_right(closes.date[start:end], np.datetime64(day))
                if at > start:
                    found.setdefault(at, (k, column, at - 1))
    rows = [(k, column, at, before) for at, (k, column, before) in sorted(found.items())]
    return Fresh(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def _until(closes: Closes, day: np.datetime64) -> Rows:
    """Return the position after the last close of each line dated on or before a date, (N,).

    All lines are halved together: a look at every date took 5 ms of 5,000 sessions of 88 lines.
    """
    low, high = closes.first[:-1].copy(), closes.first[1:].copy()
    while (apart := low < high).any():
        middle = (low + high) // 2
        earlier = np.zeros(len(low), dtype=bool)
        earlier[apart] = closes.date[middle[apart]] <= day
        low = np.where(earlier, middle + 1, low)
        high = np.where(apart & ~earlier, middle, high)
    return low


def shown(names: list[str]) -> str:
    """Return names for a message: the first few, and how many more there are."""
    return few(names, SHOWN)
