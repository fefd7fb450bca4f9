"""Prices as a labelled grid: what each constituent was worth on each session, as known then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl

from indexer.arrays import Dates, Days, Flags, Grid, Mask, Rows, Vector
from indexer.definitions.symbols import country_of, currency_of
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.market.carried import restate
from indexer.market.events import (
    DatedEvent,
    Departure,
    Transfer,
    departures_of,
    in_order,
    transfers_of,
)
from indexer.market.fx import rates_on
from indexer.market.lines import Closes, Line, closes_of, lines_of
from indexer.market.tables import Market


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Constituents of one index, sessions by lines.

    Attributes
    ----------
    sessions : (T,) sessions of the index's calendar
    lines : (N,) the constituents in their order, then lines that may come to be held in their stead
    currencies, countries, segments : (N,) labels; a segment may be empty
    currency : of the index
    adjusted : (N,) prices are adjusted for total return, so their own actions are in them
    listed : (N,) list date, else the date of the first close; NaT where there is neither
    close : (T, N) latest close dated on or before the session, restated for the actions since,
        listing currency; NaN before the first
    dated : (T, N) date of that close; NaT before the first
    amount : (T, N) turnover of the session, listing currency; NaN where there is none
    fx : (T, N) price of one unit of listing currency in index currency; NaN before the first rate
    worth : (T, N) close in index currency
    events, by_column : what restates prices on these sessions, in order; and of each line
    transfers, departures : shares that change line and lines that leave, in order; a row of 0 or
        T stands for a session before or after these
    securities, shares : rows of those tables; securities one a line
    """

    sessions: Days
    lines: tuple[Line, ...]
    currencies: tuple[str, ...]
    countries: tuple[str, ...]
    segments: tuple[str, ...]
    currency: str
    adjusted: Flags
    listed: Days
    close: Grid
    dated: Dates
    amount: Grid
    fx: Grid
    worth: Grid
    events: tuple[DatedEvent, ...]
    by_column: dict[int, list[DatedEvent]]
    transfers: tuple[Transfer, ...]
    departures: tuple[Departure, ...]
    securities: pl.DataFrame
    shares: pl.DataFrame
    _closes: Closes
    _whole: bool = True  # else there are closes of later sessions among them

    @property
    def closes(self) -> Closes:
        """Every close as it was traded, up to the last session."""
        # Cut only here: at each of 120 rebalances of 200 lines it took as long as the levels.
        return self._closes if self._whole else _closes_by(self._closes, self.sessions[-1])

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbol of each line, (N,)."""
        return tuple(line.symbol for line in self.lines)

    def traded(self, rows: slice) -> Mask:
        """Return whether a line has a close dated on the session itself, on some rows."""
        return np.asarray(self.dated[rows] == self.sessions[rows, None])

    def heirs(self, day: date) -> Rows:
        """Return the column under which each line goes on a date, after changes of symbol, (N,)."""
        heirs = np.arange(len(self.lines))
        for change in self.transfers:
            if change.keeps == 0.0 and change.ex_date <= np.datetime64(day):
                heirs[heirs == change.column] = change.into
        return heirs

    def entry_symbol(self, column: int) -> str:
        """Return the symbol, as listed, of the constituent a line stands for; else its own."""
        entry = self.lines[column].entry
        return self.lines[column if entry < 0 else entry].symbol

    def events_of(self, column: int) -> Sequence[DatedEvent]:
        """Return the events of one line on these sessions, in order."""
        return self.by_column.get(column, ())

    def upto(self, row: int) -> Self:
        """Return what was known at the close of a session: no figure dated after it.

        Transfers and departures stay: they are announced, and asked by the effective date.
        """
        last = self.sessions[row].item()
        known = {
            name: getattr(self, name)[: row + 1]
            for name in ("sessions", "close", "dated", "amount", "fx", "worth")
        }
        return replace(
            self,
            **known,
            events=tuple(e for e in self.events if e.row <= row),
            by_column={
                j: [e for e in found if e.row <= row] for j, found in self.by_column.items()
            },
            shares=self.shares.filter(pl.col("date") <= last),
            _whole=False,
        )


def panel_of(
    market: Market, symbols: Sequence[str], sessions: Days, currency: str, segments: Sequence[str]
) -> Panel:
    """Return the panel of some constituents over some sessions, whatever the order of the actions.

    A close dated between two sessions stands at the later one, unless that has its own. A
    delisting's price stands as the close of its session.

    Raises
    ------
    MissingInputError
        If the folder has no rate between a listing currency and the index currency.
    MarketDataError
        If an action pays out the whole price or more or leaves none, a spin-off names a symbol that
        is another line's only later, lines bring forth each other on one day, a line is delisted
        and leaves that day in another way too, or one that has closes goes on in another currency.
    """
    market = replace(market, actions=in_order(market.actions))
    lines = lines_of(market, symbols, sessions[-1].item())
    facts = _facts(market, lines)
    _check_currencies(market, lines, facts["currency"].to_list())
    closes = closes_of(market.prices, lines, sessions[-1].item())
    close, dated, amount = _grids(closes, sessions)
    adjusted = np.array([kind == "total_return_adjusted" for kind in facts["price_kind"]])
    events = restate(market.actions, lines, sessions, (closes, close, dated, adjusted))
    by_column: dict[int, list[DatedEvent]] = {}
    for found in events:
        by_column.setdefault(found.column, []).append(found)
    departures = departures_of(market.actions, lines, sessions)
    for leaving in departures:
        if leaving.price is not None and leaving.row < len(sessions):
            close[leaving.row, leaving.column] = leaving.price
            dated[leaving.row, leaving.column] = sessions[leaving.row]
    fx = _rates(market, lines, facts["currency"].to_list(), (currency, sessions))
    return Panel(
        sessions=sessions,
        lines=tuple(lines),
        currencies=tuple(facts["currency"]),
        countries=tuple(facts["country"]),
        segments=_segments(lines, segments, facts["segment"].to_list()),
        currency=currency,
        adjusted=adjusted,
        listed=_list_dates(facts, closes),
        close=close,
        dated=dated,
        amount=amount,
        fx=fx,
        worth=close * fx,
        events=events,
        by_column=by_column,
        transfers=transfers_of(market.actions, lines, sessions, adjusted),
        departures=departures,
        securities=facts,
        shares=market.shares,
        _closes=closes,
    )


def _closes_by(closes: Closes, day: np.datetime64) -> Closes:
    """Return the closes dated on or before a day."""
    kept = closes.date <= day
    first = np.concatenate([[0], np.cumsum(kept)])[closes.first]
    return Closes(first, closes.date[kept], closes.close[kept], closes.amount[kept])


def _rates(
    market: Market, lines: Sequence[Line], currencies: Sequence[str], of: tuple[str, Days]
) -> Grid:
    """Return the rates of each line; NaN for a line that may never be held and has no pair."""
    currency, sessions = of
    needed = {c for line, c in zip(lines, currencies, strict=True) if line.entry >= 0}
    rates = {code: rates_on(market, code, currency, sessions) for code in needed}
    for code in set(currencies) - needed:
        try:
            rates[code] = rates_on(market, code, currency, sessions)
        except MissingInputError:
            rates[code] = np.full(len(sessions), np.nan)
    return np.column_stack([rates[code] for code in currencies])


def _facts(market: Market, lines: Sequence[Line]) -> pl.DataFrame:
    """Return one row a line with currency, country and price kind filled in.

    Names, dates and scores come from a line's own row, else from those of its past symbols.
    """
    table = {row["symbol"]: row for row in market.securities.iter_rows(named=True)}
    rows: list[dict[str, Any]] = []
    for line in lines:
        own = {k: v for k, v in table.get(line.symbol, {}).items() if v is not None}
        found: dict[str, Any] = {}
        for past, _ in reversed(line.past):
            found |= {k: v for k, v in table.get(past, {}).items() if v is not None}
        found |= own | {
            "symbol": line.symbol,
            "currency": own.get("currency", currency_of(line.symbol)),
            "country": own.get("country", country_of(line.symbol)),
            "price_kind": own.get("price_kind", market.manifest.price_kind),
        }
        rows.append(found)
    return pl.DataFrame(rows, schema=market.securities.schema)


def _check_currencies(market: Market, lines: Sequence[Line], currencies: Sequence[str]) -> None:
    """Raise where a line that has closes goes on in another currency."""
    renamed = [n for n, line in enumerate(lines) if line.past or line.apart]
    known = dict(market.securities.select("symbol", "currency").iter_rows()) if renamed else {}
    flaws = []
    for line, currency in ((lines[n], currencies[n]) for n in renamed):
        for old, day in (*line.past, *line.apart):
            was = known.get(old) or currency_of(old)
            if was == currency or market.prices.filter(symbol=old).is_empty():
                continue
            message = (
                f"symbol_change of {day} leads from {was} to {line.symbol} in {currency}, and its "
                f"closes are of one line: give both one currency in securities, with closes in it, "
                f"or end {old} by a delisting and list {line.symbol} beside it"
            )
            flaws.append(Flaw("actions", None, old, message))
    if flaws:
        raise MarketDataError(flaws)


def _segments(
    lines: Sequence[Line], given: Sequence[str], table: Sequence[str | None]
) -> tuple[str, ...]:
    return tuple(
        (given[line.entry] if line.entry >= 0 else "") or fact or ""
        for line, fact in zip(lines, table, strict=True)
    )


def _grids(closes: Closes, sessions: Days) -> tuple[Grid, Dates, Grid]:
    """Return the latest close of each cell, the date of it, and the amount turned over that day."""
    columns = np.arange(len(closes.first) - 1)
    cell = (np.searchsorted(sessions, closes.date), np.repeat(columns, np.diff(closes.first)))
    close = np.full((len(sessions), len(columns)), np.nan)
    amount = close.copy()
    dated = np.full(close.shape, np.datetime64("NaT", "D"))
    close[cell] = closes.close  # of several closes in one cell the last one stays
    amount[cell] = closes.amount
    dated[cell] = closes.date
    last = np.where(np.isnan(close), 0, np.arange(len(sessions))[:, None])
    np.maximum.accumulate(last, axis=0, out=last)
    return close[last, columns], dated[last, columns], amount


def _list_dates(facts: pl.DataFrame, closes: Closes) -> Days:
    table = facts["list_date"].cast(pl.Date).to_numpy().astype("datetime64[D]")
    empty = np.diff(closes.first) == 0
    first = np.full(len(empty), np.datetime64("NaT", "D"))
    first[~empty] = closes.date[closes.first[:-1][~empty]]
    return np.where(np.isnat(table), first, table)


def shares_known(panel: Panel, columns: Rows) -> tuple[Vector, Vector]:
    """Return total and free-float shares of some lines as tabled at the last session.

    A line without rows of its own takes those of the symbol it continues.

    Raises
    ------
    MissingInputError
        If a line has no row dated on or before that session.
    """
    known = panel.shares.sort("date").group_by("symbol").last()
    table = {row["symbol"]: row for row in known.iter_rows(named=True)}
    found, missing = [], []
    for j in columns:
        line = panel.lines[j]
        row = next((table[name] for name in line.symbols if name in table), None)
        found.append(row or {})
        missing += [line.symbol] if row is None else []
    if missing:
        on = panel.sessions[-1]
        message = f"no row dated on or before {on}, which the weighting needs"
        raise MissingInputError([Flaw("shares", None, symbol, message) for symbol in missing])
    total = np.array([row["total_shares"] for row in found], dtype=float)
    free = [row["free_float_shares"] for row in found]
    return total, np.array([t if f is None else f for f, t in zip(free, total, strict=True)])
