"""Carried closes: what the actions of each ex-date make of the last close before it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from math import isnan, nan
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Dates, Days, Flags, Grid
from indexer.errors import Flaw, MarketDataError
from indexer.market.actions import RESTATING, Action, event, impossible
from indexer.market.events import DatedEvent, by_symbol
from indexer.market.lines import SPINOFF, Closes, Line


def restate(
    actions: pl.DataFrame,
    lines: Sequence[Line],
    sessions: Days,
    prices: tuple[Closes, Grid, Dates, Flags],
) -> tuple[DatedEvent, ...]:
    """Return the events that restate prices, by session; restate the carried closes in place.

    Parameters
    ----------
    prices : every close, those carried (T, N), the dates of these (T, N), and the lines whose own
        actions their adjusted prices already contain (N,)

    Raises
    ------
    MarketDataError
        If an action pays out the whole price or more, or its ratio leaves no price.
    """
    closes, close, dated, adjusted = prices
    carried = _Carried(closes, close, dated)
    joined = _spun_off(actions, lines)
    befallen, passed = dict(_by_ex_date(actions, lines, adjusted)), _apart(lines)
    events: list[DatedEvent] = []
    flaws: list[Flaw] = []
    for day in sorted(befallen.keys() | passed.keys()):
        ex_date, found = np.datetime64(day), befallen.get(day, {})
        row = int(np.searchsorted(sessions, ex_date))
        if row == len(sessions):
            break  # what follows lies ahead
        givers = {old for old, _ in passed.get(day, ())}
        for j in sorted(found, key=lambda j: (j not in givers, j)):
            if j not in givers and day in passed:
                carried.take(row, ex_date, passed.pop(day))
            prior = carried.prior(ex_date, j)
            priced = not isnan(prior.price)
            if not (priced or (row and j in joined)) or not (row or carried.lasts(0, ex_date, j)):
                continue
            # What is held before it is priced is worth nothing, whatever befalls it.
            made = event(found[j], prior.price if priced else 0.0)
            if priced and (why := impossible(made)):
                flaws.append(Flaw("actions", None, lines[j].symbol, f"{day}: {why}"))
                continue
            if priced:
                carried.go_on(row, ex_date, j, _Prior(made.restated, prior.dated))
            if row:
                events.append(DatedEvent(row, j, ex_date, tuple(found[j]), made))
        carried.take(row, ex_date, passed.pop(day, ()))
    if flaws:
        raise MarketDataError(flaws)
    return tuple(sorted(events, key=lambda e: (e.row, e.ex_date, e.column)))


class _Prior(NamedTuple):
    """A price before a date, after all that befell it, and the date of the close it comes from."""

    price: float
    dated: np.datetime64


@dataclass(frozen=True, slots=True, eq=False)
class _Carried:
    """Carried closes while they are restated, ex-date by ex-date.

    Attributes
    ----------
    closes : every close, as it was traded
    close, dated : (T, N) carried ones and their dates
    running : by column, the date of its last event or of its taking over, and the price since then
    """

    closes: Closes
    close: Grid
    dated: Dates
    running: dict[int, tuple[np.datetime64, _Prior]] = field(default_factory=dict)

    def prior(self, ex_date: np.datetime64, j: int) -> _Prior:
        """Return the last close before an ex-date, be it on no session, as restated since."""
        at, (since, running) = self.closes.before(j, ex_date), self.running.get(j, _NEVER)
        if at < 0 or self.closes.date[at] < since:
            return running
        return _Prior(float(self.closes.close[at]), self.closes.date[at])

    def lasts(self, row: int, ex_date: np.datetime64, j: int) -> bool:
        """Return whether what a session carries is from before an ex-date."""
        return bool(self.dated[row, j] < ex_date)

    def go_on(self, row: int, ex_date: np.datetime64, j: int, after: _Prior) -> None:
        """Let a line go on at a price after an event, until it has a close of its own."""
        self.running[j] = ex_date, after
        if self.lasts(row, ex_date, j):
            own = self.dated[row:, j]
            self.close[row : row + np.searchsorted(own, own[0], side="right"), j] = after.price

    def take(self, row: int, ex_date: np.datetime64, changes: Collection[tuple[int, int]]) -> None:
        """Let lines go on from the closes of those that pass into them, until they have their own.

        ``changes`` are of one date, columns of the old and the new line each.
        """
        found = [(new, self.prior(ex_date, old)) for old, new in changes]
        for new, prior in ((new, prior) for new, prior in found if not isnan(prior.price)):
            stamps = self.dated[row:, new].view(np.int64)  # in which what has no date comes first
            until = row + int(np.searchsorted(stamps, ex_date.astype(np.int64)))
            self.close[row:until, new], self.dated[row:until, new] = prior
            self.running[new] = ex_date, prior


_NEVER = np.datetime64("0001-01-01"), _Prior(nan, np.datetime64("NaT", "D"))


def _spun_off(actions: pl.DataFrame, lines: Sequence[Line]) -> set[int]:
    """Return the columns of what is spun off, and of what takes over from that."""
    spun = set(actions.filter(pl.col("kind") == SPINOFF)["other"])
    return {j for j, line in enumerate(lines) if spun & set(line.symbols)}


def _apart(lines: Sequence[Line]) -> dict[date, list[tuple[int, int]]]:
    """Return which lines go on from the close of which, by date: columns of the old and the new."""
    column = {line.symbol: j for j, line in enumerate(lines)}
    found: dict[date, list[tuple[int, int]]] = {}
    for j, line in enumerate(lines):
        for old, day in line.apart:
            if day not in {known for _, known in line.past}:
                found.setdefault(day, []).append((column[old], j))
    return found


def _by_ex_date(
    actions: pl.DataFrame, lines: Sequence[Line], adjusted: Flags
) -> Iterator[tuple[date, dict[int, list[Action]]]]:
    """Yield each ex-date and its actions by column, ascending; a past symbol's with its heir."""
    spans = by_symbol(lines)
    rows = (
        actions.filter(pl.col("symbol").is_in(list(spans)), pl.col("kind").is_in(RESTATING))
        .sort("ex_date", maintain_order=True)
        .select("ex_date", "symbol", "kind", pl.col("cash", "ratio", "price").fill_null(0.0))
    )
    for day, group in groupby(rows.iter_rows(), key=itemgetter(0)):
        found: dict[int, list[Action]] = {}
        for _, symbol, *told in group:
            action = Action(*told)
            for span in spans[symbol]:
                if day <= span.until and not adjusted[span.column]:
                    found.setdefault(span.column, []).append(action)
        yield day, found
