"""Prices as a labelled grid: what each constituent was worth on each session, as known then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Self

import numpy as np
import polars as pl

from indexer.arrays import Dates, Days, Flags, Grid, Mask, Rows, Vector
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.market.actions import RESTATING, Action, Event, event
from indexer.market.fx import rates_on
from indexer.market.tables import Market

_CURRENCY = {"SH": "CNY", "SZ": "CNY", "BJ": "CNY", "HK": "HKD", "US": "USD"}
_COUNTRY = {"SH": "CN", "SZ": "CN", "BJ": "CN", "HK": "HK", "US": "US"}


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """An event, and the cell of the panel where it takes effect (before that session's open)."""

    row: int
    column: int
    ex_date: np.datetime64
    kinds: tuple[str, ...]
    event: Event


@dataclass(frozen=True, slots=True)
class Panel:
    """Constituents of one index, sessions by symbols.

    Attributes
    ----------
    sessions : (T,) sessions of the index's calendar
    symbols, currencies, countries, segments : (N,) labels; a segment may be empty
    adjusted : (N,) prices are adjusted for total return, so their own actions are in them
    listed : (N,) list date, else the date of the first close; NaT where there is neither
    close : (T, N) latest close dated on or before the session, restated for the actions since,
        listing currency; NaN before the first
    dated : (T, N) date of that close; NaT before the first
    amount : (T, N) turnover of the session, listing currency; NaN where there is none
    fx : (T, N) price of one unit of listing currency in index currency; NaN before the first rate
    events : what takes effect before the open of a session, in order
    """

    sessions: Days
    symbols: tuple[str, ...]
    currencies: tuple[str, ...]
    countries: tuple[str, ...]
    segments: tuple[str, ...]
    adjusted: Flags
    listed: Days
    close: Grid
    dated: Dates
    amount: Grid
    fx: Grid
    events: tuple[DatedEvent, ...]
    securities: pl.DataFrame
    shares: pl.DataFrame

    @property
    def worth(self) -> Grid:
        """Close in index currency, (T, N)."""
        return self.close * self.fx

    @property
    def traded(self) -> Mask:
        """Whether a constituent has a close dated on the session itself, (T, N)."""
        return np.asarray(self.dated == self.sessions[:, None])

    def upto(self, row: int) -> Self:
        """Return what was known at the close of a session: nothing dated after it."""
        last = self.sessions[row].item()
        return replace(
            self,
            sessions=self.sessions[: row + 1],
            close=self.close[: row + 1],
            dated=self.dated[: row + 1],
            amount=self.amount[: row + 1],
            fx=self.fx[: row + 1],
            events=tuple(e for e in self.events if e.row <= row),
            shares=self.shares.filter(pl.col("date") <= last),
        )


def panel_of(
    market: Market, symbols: Sequence[str], sessions: Days, currency: str, segments: Sequence[str]
) -> Panel:
    """Return the panel of some symbols over some sessions.

    A close dated between two sessions stands at the later one, unless that has its own.

    Raises
    ------
    MissingInputError
        If the folder has no rate between a listing currency and the index currency.
    MarketDataError
        If an action pays out the whole price or more.
    """
    securities = _securities(market, symbols)
    close, dated, amount = _closes(market.prices, symbols, sessions)
    listed = _list_dates(securities, dated)
    adjusted = np.array([kind == "total_return_adjusted" for kind in securities["price_kind"]])
    rates = {
        code: rates_on(market, code, currency, sessions) for code in set(securities["currency"])
    }
    fx = np.column_stack([rates[code] for code in securities["currency"]])
    given = [s or table or "" for s, table in zip(segments, securities["segment"], strict=True)]
    close, events = _restated(market.actions, symbols, sessions, (close, dated, adjusted))
    return Panel(
        sessions=sessions,
        symbols=tuple(symbols),
        currencies=tuple(securities["currency"]),
        countries=tuple(securities["country"]),
        segments=tuple(given),
        adjusted=adjusted,
        listed=listed,
        close=close,
        dated=dated,
        amount=amount,
        fx=fx,
        events=events,
        securities=securities,
        shares=market.shares.filter(pl.col("symbol").is_in(list(symbols))),
    )


def _securities(market: Market, symbols: Sequence[str]) -> pl.DataFrame:
    """Return one row a symbol, in order, with currency, country and price kind filled in."""
    suffix = pl.col("symbol").str.split(".").list.last()
    wanted = pl.DataFrame({"symbol": list(symbols)}, schema={"symbol": pl.String})
    table = wanted.join(market.securities, on="symbol", how="left", maintain_order="left")
    return table.with_columns(
        pl.col("currency").fill_null(suffix.replace_strict(_CURRENCY)),
        pl.col("country").fill_null(suffix.replace_strict(_COUNTRY)),
        pl.col("price_kind").fill_null(market.manifest.price_kind),
    )


def _closes(
    prices: pl.DataFrame, symbols: Sequence[str], sessions: Days
) -> tuple[Grid, Dates, Grid]:
    """Return the latest close of each cell, the date of it, and the amount turned over that day."""
    column = pl.DataFrame({"symbol": list(symbols), "column": range(len(symbols))})
    rows = (
        prices.select("symbol", "date", "close", "amount")
        .filter(pl.col("date") <= sessions[-1].item())
        .join(column, on="symbol")
        .sort("date")
    )
    days = rows["date"].to_numpy().astype("datetime64[D]")
    cell = (np.searchsorted(sessions, days), rows["column"].to_numpy())
    close = np.full((len(sessions), len(symbols)), np.nan)
    amount = close.copy()
    dated = np.full(close.shape, np.datetime64("NaT", "D"))
    close[cell] = rows["close"].to_numpy()  # of several closes in one cell the last one stays
    amount[cell] = rows["amount"].to_numpy()
    dated[cell] = days
    last = np.where(np.isnan(close), 0, np.arange(len(sessions))[:, None])
    np.maximum.accumulate(last, axis=0, out=last)
    columns = np.arange(len(symbols))
    return close[last, columns], dated[last, columns], amount


def _list_dates(securities: pl.DataFrame, dated: Dates) -> Days:
    table = securities["list_date"].cast(pl.Date).to_numpy().astype("datetime64[D]")
    first = np.where(np.isnat(dated), np.datetime64("9999-12-31"), dated).min(axis=0)
    first[first == np.datetime64("9999-12-31")] = np.datetime64("NaT")
    return np.where(np.isnat(table), first, table)


def _restated(
    actions: pl.DataFrame,
    symbols: Sequence[str],
    sessions: Days,
    grids: tuple[Grid, Dates, Flags],
) -> tuple[Grid, tuple[DatedEvent, ...]]:
    """Return the closes with carried ones restated, and the events that did it."""
    close, dated, adjusted = grids
    column = {s: n for n, s in enumerate(symbols) if not adjusted[n]}
    rows = actions.filter(
        pl.col("symbol").is_in(list(column)), pl.col("kind").is_in(RESTATING)
    ).sort("ex_date", "symbol", maintain_order=True)
    events: list[DatedEvent] = []
    flaws: list[Flaw] = []
    running: dict[tuple[int, int], float] = {}  # close before the next event in the same cell
    for (day, symbol), group in groupby(
        rows.iter_rows(named=True), key=lambda row: (row["ex_date"], row["symbol"])
    ):
        ex_date, j = np.datetime64(day), column[symbol]
        row = int(np.searchsorted(sessions, ex_date))
        if row == 0 or row == len(sessions) or np.isnan(close[row - 1, j]):
            continue  # nothing was priced before it, or it lies ahead
        prior = running.get((row, j), close[row - 1, j])
        parts = [_action(part) for part in group]
        found = event(parts, prior)
        if found.restated <= 0 or found.ex_reference <= 0:
            message = (
                f"{day}: cash of {prior - found.ex_reference:g} exceeds the close of {prior:g}"
            )
            flaws.append(Flaw("actions", None, symbol, message))
            continue
        running[row, j] = found.restated
        events.append(DatedEvent(row, j, ex_date, tuple(p.kind for p in parts), found))
        if dated[row, j] < ex_date:  # no close since: the carried one goes on restated
            until = row + int(np.searchsorted(dated[row:, j], dated[row, j], side="right"))
            close[row:until, j] = found.restated
    if flaws:
        raise MarketDataError(flaws)
    return close, tuple(sorted(events, key=lambda e: (e.row, e.ex_date, e.column)))


def _action(row: dict[str, object]) -> Action:
    cash, ratio, price = (float(row[k] or 0.0) for k in ("cash", "ratio", "price"))  # type: ignore[arg-type]
    return Action(str(row["kind"]), cash, ratio, price)


def shares_known(panel: Panel, columns: Rows) -> tuple[Vector, Vector]:
    """Return total and free-float shares of some constituents as tabled at the last session.

    Raises
    ------
    MissingInputError
        If a constituent has no row dated on or before that session.
    """
    known = panel.shares.sort("date").group_by("symbol").last()
    table = {row["symbol"]: row for row in known.iter_rows(named=True)}
    missing = [panel.symbols[j] for j in columns if panel.symbols[j] not in table]
    if missing:
        on = panel.sessions[-1]
        message = f"no row dated on or before {on}, which the weighting needs"
        raise MissingInputError([Flaw("shares", None, symbol, message) for symbol in missing])
    found = [table[panel.symbols[j]] for j in columns]
    total = np.array([row["total_shares"] for row in found], dtype=float)
    free = [row["free_float_shares"] for row in found]
    return total, np.array([t if f is None else f for f, t in zip(free, total, strict=True)])
