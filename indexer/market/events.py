"""Dated events: where on a panel each action takes effect, and what it does there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days, Flags
from indexer.errors import Flaw, MarketDataError
from indexer.market.actions import Action, Event
from indexer.market.lines import RENAME, SPINOFF, Line, Span, spans_of

DEPARTING = ("delisting", "merger")
_TOLD = ("price", "cash", "ratio", "other")  # of a departure
_CASH = ("special_dividend", "dividend")
_ORDER = pl.Enum(["split", "bonus", "rights", *_CASH, RENAME, SPINOFF, "merger", "delisting"])


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """All actions of a line with one ex-date that restate its price, before a session's open."""

    row: int
    column: int
    ex_date: np.datetime64
    actions: tuple[Action, ...]
    event: Event

    @property
    def kind(self) -> str:
        """The kinds of its actions, as in ``bonus+dividend``."""
        return "+".join(dict.fromkeys(action.kind for action in self.actions))


@dataclass(frozen=True, slots=True)
class Transfer:
    """Index shares that pass from one line to another before a session's open.

    A change of symbol hands over all shares one for one (``keeps`` is 0); a spin-off gives
    ``ratio`` shares of the other line per share (``keeps`` is 1), which join at price zero.
    ``apart``: the other line has a past of its own, so that what befalls this one on the day of the
    change does so before it.
    """

    row: int
    column: int
    ex_date: np.datetime64
    into: int
    ratio: float
    keeps: float
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """A line that leaves after a session's close: delisted, or merged into another line.

    ``price`` values it that day (None: its last close); ``into`` is the line that a merger's
    ``ratio`` shares are of, -1 where there is none.
    """

    row: int
    column: int
    kind: str
    day: date
    price: float | None = None
    into: int = -1
    ratio: float = 0.0


def in_order(actions: pl.DataFrame) -> pl.DataFrame:
    """Return actions in the one order in which they are dealt with, however a file lists them."""
    return actions.sort("ex_date", pl.col("kind").cast(_ORDER), pl.exclude("ex_date", "kind"))


def by_symbol(lines: Sequence[Line], *, apart: bool = False) -> dict[str, list[Span]]:
    """Return the spans of each symbol, and if asked who takes its shares with a past of its own."""
    taken = [
        Span(symbol, j, day, day) for j, line in enumerate(lines) for symbol, day in line.apart
    ]
    found: dict[str, list[Span]] = {}
    for span in spans_of(lines) + (taken if apart else []):
        found.setdefault(span.symbol, []).append(span)
    return found


def _holder(spans: Sequence[Span], day: date, session: date) -> int:
    """Return the column that holds on a session what an action of a day is of; -1 for none.

    ``spans`` are of the symbol that the action names. On the day of a change of symbol it may be
    either; shares have passed by then.
    """
    known = [span for span in spans if span.since <= session and day <= span.until]
    return max(known, key=lambda span: span.since).column if known else -1


def _parties(
    row: dict[str, Any], column: dict[str, int], spans: dict[str, list[Span]], session: date
) -> tuple[int, int]:
    """Return who holds on a session what an action is of, and what its other is; -1 for none.

    No line is its own other: that it gives up its symbol that day leaves it to the other.
    """
    day = row["ex_date"]
    j, into = (_holder(spans.get(row[of], ()), day, session) for of in ("symbol", "other"))
    return j, into if into != j else column.get(row["other"], -1)


def transfers_of(
    actions: pl.DataFrame, lines: Sequence[Line], sessions: Days, adjusted: Flags
) -> tuple[Transfer, ...]:
    """Return the shares that change line, by session; changes of symbol before spin-offs.

    What a line gives is of the shares held before: of one ex-date and kind, a line gives before it
    receives. Adjusted prices contain the spin-offs of their line already: those are left out.

    Raises
    ------
    MarketDataError
        If lines bring forth each other on one day.
    """
    column = {line.symbol: j for j, line in enumerate(lines)}
    spans = by_symbol(lines, apart=True)
    found = []
    for row in actions.filter(
        pl.col("kind").is_in([RENAME, SPINOFF]),
        pl.col("symbol").is_in(list(column)),
        pl.col("other").is_in(list(column)),
    ).iter_rows(named=True):
        day, into = np.datetime64(row["ex_date"]), column[row["other"]]
        at = int(np.searchsorted(sessions, day))
        if row["kind"] == RENAME:
            apart = (row["symbol"], row["ex_date"]) in lines[into].apart
            found.append(Transfer(at, column[row["symbol"]], day, into, 1.0, 0.0, apart))
            continue
        j, into = _parties(row, column, spans, row["ex_date"])
        if not adjusted[j]:
            found.append(Transfer(at, j, day, into, float(row["ratio"]), 1.0))
    found.sort(key=lambda t: (*_moment(t), t.column))
    return tuple(t for _, moved in groupby(found, _moment) for t in _in_turn(list(moved), lines))


def _moment(transfer: Transfer) -> tuple[int, np.datetime64, float]:
    return transfer.row, transfer.ex_date, transfer.keeps


def _in_turn(moved: Sequence[Transfer], lines: Sequence[Line]) -> list[Transfer]:
    """Return transfers of one ex-date and kind so that a line gives before it receives."""
    receivers: dict[int, set[int]] = {}
    for t in moved:
        receivers.setdefault(t.column, set()).update({t.into} - {t.column})
    try:
        order = list(TopologicalSorter(receivers).static_order())
    except CycleError as error:
        circle = [lines[column].symbol for column in reversed(error.args[1])]
        kind, day = SPINOFF if moved[0].keeps else RENAME, moved[0].ex_date
        message = (
            f"each {kind} of {day} leads to the next, and the last to the first again: "
            f"{', '.join(circle)}: what is given is of shares held before; correct or leave out one"
        )
        raise MarketDataError([Flaw("actions", None, circle[0], message)]) from None
    steps: dict[int, int] = {}  # of what a line gives, until a line that gives nothing
    for column in order:
        steps[column] = max((steps[into] + 1 for into in receivers.get(column, ())), default=0)
    return sorted(moved, key=lambda t: steps[t.column])


def departures_of(
    actions: pl.DataFrame, lines: Sequence[Line], sessions: Days
) -> tuple[Departure, ...]:
    """Return the lines that leave, by session; those dated after the last session included.

    A date that is no session counts on the first one after it. ``row`` is the number of sessions
    where that lies ahead.

    Raises
    ------
    MarketDataError
        If a line is delisted and leaves on that date in another way besides.
    """
    column = {line.symbol: j for j, line in enumerate(lines)}
    spans = by_symbol(lines, apart=True)
    found, ways = [], dict[tuple[date, int], dict[str, str]]()
    for row in actions.filter(
        pl.col("kind").is_in(DEPARTING), pl.col("symbol").is_in(list(spans))
    ).iter_rows(named=True):
        day = row["ex_date"]
        at = int(np.searchsorted(sessions, np.datetime64(day)))
        session = sessions[at].item() if at < len(sessions) else day
        j, into = _parties(row, column, spans, session)
        if j >= 0:
            ratio = float(row["ratio"] or 0.0)
            found.append(Departure(at, j, row["kind"], day, row["price"], into, ratio))
            ways.setdefault((day, j), {})[_way(row)] = row["kind"]
    flaws = [
        Flaw("actions", None, lines[j].symbol, f"{' and '.join(way)} on {day}: keep the right one")
        for (day, j), way in ways.items()
        if len(way) > 1 and "delisting" in way.values()  # shares may merge into two others
    ]
    if flaws:
        raise MarketDataError(flaws)
    return tuple(sorted(found, key=lambda d: (d.row, d.day, d.column)))


def _way(row: dict[str, Any]) -> str:
    """Return in what way a line leaves, as a row tells it."""
    given = [f"{name} {row[name]}" for name in _TOLD if row[name] is not None]
    return " ".join([row["kind"], *given])
