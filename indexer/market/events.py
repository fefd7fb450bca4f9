"""Dated events: where on a panel each action takes effect, and what it does there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Dates, Days, Flags, Grid
from indexer.errors import Flaw, MarketDataError
from indexer.market.actions import RESTATING, Action, Event, event
from indexer.market.lines import RENAME, Line

DEPARTING = ("delisting", "merger")


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
    """

    row: int
    column: int
    ex_date: np.datetime64
    into: int
    ratio: float
    keeps: float


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


def restate(
    actions: pl.DataFrame, lines: Sequence[Line], sessions: Days, grids: tuple[Grid, Dates, Flags]
) -> tuple[DatedEvent, ...]:
    """Return the events that restate prices, by session; restate the carried closes in place.

    Parameters
    ----------
    grids : closes (T, N), their dates (T, N), and the lines whose own actions their adjusted
        prices already contain (N,)

    Raises
    ------
    MarketDataError
        If an action pays out the whole price or more.
    """
    close, dated, adjusted = grids
    events: list[DatedEvent] = []
    flaws: list[Flaw] = []
    running: dict[tuple[int, int], float] = {}  # close before the next event of the same session
    for day, j, group in _by_ex_date(actions, lines, adjusted):
        ex_date = np.datetime64(day)
        row = int(np.searchsorted(sessions, ex_date))
        if row == len(sessions) or np.isnan(close[row, j]):
            continue  # it lies ahead, or nothing was ever priced
        parts = tuple(_action(part) for part in group)
        if dated[row, j] < ex_date:  # no close since: the carried one goes on restated
            until = row + int(np.searchsorted(dated[row:, j], dated[row, j], side="right"))
            close[row:until, j] = event(parts, close[row, j]).restated
        prior = np.nan if row == 0 else running.get((row, j), close[row - 1, j])
        if np.isnan(prior):
            continue  # nothing was priced on the session before: no share was held
        found = event(parts, prior)
        if found.restated <= 0 or found.ex_reference <= 0:
            paid = prior - found.ex_reference * found.quantity
            message = f"{day}: cash of {paid:g} exceeds the close of {prior:g}"
            flaws.append(Flaw("actions", None, lines[j].symbol, message))
            continue
        running[row, j] = found.restated
        events.append(DatedEvent(row, j, ex_date, parts, found))
    if flaws:
        raise MarketDataError(flaws)
    return tuple(sorted(events, key=lambda e: (e.row, e.ex_date, e.column)))


def _by_ex_date(
    actions: pl.DataFrame, lines: Sequence[Line], adjusted: Flags
) -> Iterator[tuple[date, int, list[dict[str, Any]]]]:
    """Yield ex-date, column and actions of each event, ascending; a past symbol's with its heir."""
    column_of: dict[str, list[tuple[int, date]]] = {}
    for j, line in enumerate(lines):
        if not adjusted[j]:
            for symbol, until in ((line.symbol, date.max), *line.past):
                column_of.setdefault(symbol, []).append((j, until))
    rows = actions.filter(
        pl.col("symbol").is_in(list(column_of)), pl.col("kind").is_in(RESTATING)
    ).sort("ex_date", maintain_order=True)
    for day, group in groupby(rows.iter_rows(named=True), key=lambda row: row["ex_date"]):
        found: dict[int, list[dict[str, Any]]] = {}
        for row in group:
            for j, until in column_of[row["symbol"]]:
                if day <= until:
                    found.setdefault(j, []).append(row)
        for j in sorted(found):
            yield day, j, found[j]


def _action(row: dict[str, Any]) -> Action:
    cash, ratio, price = (float(row[k] or 0.0) for k in ("cash", "ratio", "price"))
    return Action(row["kind"], cash, ratio, price)


def transfers_of(
    actions: pl.DataFrame, lines: Sequence[Line], sessions: Days, adjusted: Flags
) -> tuple[Transfer, ...]:
    """Return the shares that change line, by session; changes of symbol before spin-offs.

    Adjusted prices contain the spin-offs of their line already: those are left out.
    """
    column = {line.symbol: j for j, line in enumerate(lines)}
    found = []
    for row in actions.filter(pl.col("kind").is_in([RENAME, "spinoff"])).iter_rows(named=True):
        j, into = column.get(row["symbol"]), column.get(row["other"])
        at = int(np.searchsorted(sessions, np.datetime64(row["ex_date"])))
        if j is None or into is None:
            continue
        day = np.datetime64(row["ex_date"])
        if row["kind"] == RENAME:
            found.append(Transfer(at, j, day, into, 1.0, 0.0))
        elif not adjusted[j]:
            found.append(Transfer(at, j, day, into, float(row["ratio"]), 1.0))
    return tuple(sorted(found, key=lambda t: (t.row, t.ex_date, t.keeps, t.column)))


def departures_of(
    actions: pl.DataFrame, lines: Sequence[Line], sessions: Days
) -> tuple[Departure, ...]:
    """Return the lines that leave, by session; those dated after the last session included.

    A date that is no session counts on the first one after it. ``row`` is the number of sessions
    where that lies ahead.
    """
    column = {line.symbol: j for j, line in enumerate(lines)}
    found = [
        Departure(
            row=int(np.searchsorted(sessions, np.datetime64(row["ex_date"]))),
            column=column[row["symbol"]],
            kind=row["kind"],
            day=row["ex_date"],
            price=row["price"],
            into=column.get(row["other"] or "", -1),
            ratio=float(row["ratio"] or 0.0),
        )
        for row in actions.filter(pl.col("kind").is_in(DEPARTING)).iter_rows(named=True)
        if row["symbol"] in column
    ]
    return tuple(sorted(found, key=lambda d: (d.row, d.day, d.column)))
