"""Bars of one symbol, each looked at by itself: cells, duplicates, dates, prices, units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.definitions.symbols import MAINLAND, split_symbol
from indexer.market.calendar import Calendar
from indexer.market.checks import ROW, Column
from indexer.market.conventions.finality import last_final_bar, minutes_to_final
from indexer.market.conventions.limits import price_limit
from indexer.market.conventions.ticks import tick_size
from indexer.market.sources.cells import typed_cells
from indexer.market.sources.plain import LOT, VWAP
from indexer.market.sources.verdict import Sieve, quoted
from indexer.market.tables import TABLES

EXACT = 1e-9  # relative: prices this close are the same decimal number
FEW = 0.01  # share of rows that may be wrong one by one; more of them condemn the reply
UNFIT = 0.05  # share of bars whose amount may fit their volume in no unit
LIVELY = 100_000  # shares: smaller turnovers may be equal two days running

PRICES = ("open", "high", "low", "close")
FIGURES = (*PRICES, "volume", "amount", "previous_close")
REQUIRED = ("symbol", "date", "close")
COLUMNS = tuple(TABLES["prices"].columns)

_NUMBER = Column("number", expected="a finite number, zero or above")
_CELLS = {
    "symbol": Column("text", expected="a symbol"),
    "date": Column("date", expected="a date like 2024-01-02"),
} | dict.fromkeys(FIGURES, _NUMBER)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reply is to be of, and by when: what a source was asked for.

    Attributes
    ----------
    since, until : first and last date, both inclusive
    at : the instant of the reply, with its time zone
    series : whether the symbol is a ready-made series, whose code may be that of a share too
    source : who was asked; empty where that does not matter
    """

    symbol: str
    since: date
    until: date
    at: datetime
    series: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known without the source. Tables may hold other symbols too.

    Attributes
    ----------
    calendar : sessions of the exchange
    stored : bars believed before; columns of the table ``prices``
    actions : all that is known, announced ones with an ex-date to come included
    suspensions : ``until`` is the day from which there is trade again, as in a market folder; one
        is over before it where a bar shows so
    listed, delisted : first day of trading (or from which the source declares to have bars), and
        the day from which there is none; where the first is not known, a bar is expected of every
        session asked for
    """

    calendar: Calendar
    stored: pl.DataFrame = field(default_factory=TABLES["prices"].empty)
    actions: pl.DataFrame = field(default_factory=TABLES["actions"].empty)
    suspensions: pl.DataFrame = field(default_factory=TABLES["suspensions"].empty)
    listed: date | None = None
    delisted: date | None = None


def days_between(calendar: Calendar, first: date, last: date) -> Days:
    """Return the sessions between two dates, none where the second comes first."""
    return calendar.between(first, last) if first <= last else calendar.sessions[:0]


def shape_fault(columns: dict[str, pl.DataType]) -> str:
    """Return what is wrong with the columns of a reply, in words; empty where nothing is."""
    if not columns:
        return "the reply has no columns at all: it is no table; ask another source"
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in {"symbol", "date", *FIGURES}]
    odd = [name for name, dtype in columns.items() if dtype.is_nested() or dtype == pl.Object]
    present = [name for name in PRICES if name in columns]
    if missing or unknown or odd or len(present) not in (1, 4):
        return (
            f"columns {', '.join(columns)}: missing {missing or 'none'}, unknown "
            f"{unknown or 'none'}, no plain cells in {odd or 'none'}; expected symbol, date and "
            "close, open with high and low or none of the three, volume, amount: the source has "
            "changed its table, adapt what reads it"
        )
    return ""


def typed_bars(sieve: Sieve, symbol: str) -> pl.DataFrame:
    """Return the bars in the types of the table, absent columns null, without those that are not.

    A figure that is no finite number condemns its row; NaN counts as absent where a bar may lack
    the figure, which may be everything but its close.
    """
    rows = typed_cells(sieve, _CELLS, REQUIRED)
    some = [pl.col(name).is_null() for name in ("open", "high", "low")]
    torn = pl.any_horizontal(some) & ~pl.all_horizontal(some)
    rows = sieve.drop(rows, torn, "type", "open, high and low come together or not at all")
    others = rows.filter(pl.col("symbol") != symbol)
    if others.is_empty():
        return rows.sort("date", ROW)
    found = quoted(others["symbol"][0])
    return sieve.condemn(
        rows, "identity", f"{symbol} was asked for and {found} came: nothing holds"
    )


def unique_bars(sieve: Sieve, rows: pl.DataFrame) -> pl.DataFrame:
    """Return one bar a date: equal ones once, and none where they differ."""
    twice = ~pl.struct(pl.exclude(ROW)).is_first_distinct()
    rows = sieve.drop(rows, twice, "duplicate", "the same row came before: kept once")
    return sieve.drop(
        rows,
        pl.col("date").is_duplicated(),
        "conflict",
        lambda row: f"several rows of {row['date']} disagree: none is believed, ask another source",
    )


def dated_bars(sieve: Sieve, rows: pl.DataFrame, scope: Scope, known: Known) -> pl.DataFrame:
    """Return the bars that were asked for and may exist: on sessions that are over."""
    day, calendar = pl.col("date"), known.calendar
    today = scope.at.astimezone(calendar.zone).date()
    final = last_final_bar(calendar, scope.at)
    wait = minutes_to_final(calendar.code, today)
    drop = sieve.drop
    rows = drop(rows, day > today, "future", f"it is only {today}: no bar can be of a later date")
    early = f"bars of {today} are final {wait} minutes after the close: fetch again then"
    first, more = calendar.sessions[0].item(), timedelta(days=10)
    begin = max(scope.since, first + more) - more  # also where no date lies so far back
    sessions = days_between(calendar, begin, today)
    closed = (day >= begin) & ~day.is_in(pl.Series(sessions).cast(pl.Date).implode())
    why = f"the exchange is closed on that date by the calendar {calendar.code}"
    rows = drop(rows, closed | (day.dt.weekday() > 5), "calendar", why)
    rows = drop(rows, day > final, "provisional", early)
    rows = drop(
        rows,
        ~day.is_between(scope.since, scope.until),
        "window",
        f"{scope.since} to {scope.until} was asked for",
    )
    alive = (day >= (known.listed or date.min)) & (day < (known.delisted or date.max))
    before = rows.filter(~alive)
    if before.is_empty():
        return rows
    return sieve.condemn(
        rows,
        "listing",
        f"a bar of {before['date'][0]}, but it traded only from {known.listed} until before "
        f"{known.delisted}: the bars are another's, or correct the dates in securities",
    )


def priced_bars(sieve: Sieve, rows: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Return the bars whose prices are possible: above zero, in order, on the tick."""
    open_, high, low, close = map(pl.col, PRICES)
    slack = 1 + EXACT
    above = pl.all_horizontal(pl.col(name).is_null() | (pl.col(name) > 0) for name in PRICES)
    order = (low <= pl.min_horizontal(open_, close) * slack) & (
        high * slack >= pl.max_horizontal(open_, close)
    )
    wrong = ~above | ~order.fill_null(value=True)
    why = "expected 0 < low <= open, close <= high"
    if many := _too_many(rows, wrong):
        why = f"{why}; {many}: columns are swapped, or the table is none of daily bars"
        return sieve.condemn(rows, "price", why)
    rows = sieve.drop(rows, wrong, "price", why)
    if scope.series or split_symbol(scope.symbol)[1] not in MAINLAND:
        return rows
    rows = sieve.drop(
        rows,
        pl.col("volume") == 0,
        "filler",
        "nothing was traded: a mainland share without trade is suspended, enter the suspension",
    )
    if rows.is_empty() or price_limit(scope.symbol, scope.until) is None:
        return rows
    return _on_tick(sieve, rows, scope)


def _on_tick(sieve: Sieve, rows: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    tick = tick_size(scope.symbol, scope.until, 1.0)
    steps = [pl.col(name) / tick for name in PRICES]
    off = pl.any_horizontal((s - s.round()).abs() > 1e-6 + 1e-9 * s for s in steps)
    why = f"raw prices are multiples of {tick:g}: these are adjusted or averaged, ask for raw ones"
    if many := _too_many(rows, off):
        return sieve.condemn(rows, "tick", f"{why}; {many}")
    return sieve.drop(rows, off, "tick", why)


def moving_bars(sieve: Sieve, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the bars that do not repeat the one before to the last share traded."""
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in PRICES)
    frozen = same & (pl.col("volume") == pl.col("volume").shift(1)) & (pl.col("volume") > LIVELY)
    why = "prices and volume are those of the bar before: the feed stood still, fetch again"
    return sieve.drop(rows, frozen, "frozen", why)


def measured_bars(sieve: Sieve, rows: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Return the bars with volume in shares, by what their amounts say.

    Volume comes in shares or in lots of 100. Whether ``amount / volume`` lies in the day's range
    settles which, bar by bar; most bars settle it for the series, and a bar in another unit, one
    of shares that was taken for lots among them, keeps its prices and loses its volume. A bar that
    fits none is not believed.

    For a series the same figures must not fit: an index whose turnover by volume lies in its own
    range is a share with the same digits.
    """
    traded = (pl.col("volume") > 0) & pl.col("amount").is_not_null() & pl.col("low").is_not_null()
    fitting = (pl.when(traded & _fits(unit)).then(unit) for unit in (1.0, LOT, 1 / LOT))
    marked = rows.with_columns(unit=pl.coalesce(*fitting), judged=traded)
    judged = marked.filter("judged")
    if judged.is_empty():
        return rows
    told = (pl.col("unit") >= 1).fill_null(value=False)  # a source tells shares or lots
    units, unfit = judged.filter(told)["unit"], judged.filter(~told)
    if scope.series:
        return rows if len(units) <= len(judged) / 2 else _share_for_index(sieve, rows, judged)
    if len(unfit) > max(1, UNFIT * len(judged)):
        why = (
            f"{_implied(unfit.row(0, named=True))}, and so on {len(unfit)} of {len(judged)} bars: "
            "prices are adjusted, columns swapped, or it is another symbol; ask another source"
        )
        return sieve.condemn(rows, "turnover", why)
    marked = sieve.drop(
        marked,
        pl.col("judged") & pl.col("unit").is_null(),
        "turnover",
        lambda row: f"{_implied(row)}: prices or volume are wrong, ask another source",
    )
    unit = int(np.bincount(units.to_numpy().astype(int)).argmax()) if len(units) else 1
    untold = ~pl.col("judged") & (pl.col("volume") > 0) & (unit != 1)
    marked = sieve.blank(
        marked,
        (pl.col("unit") != unit).fill_null(value=False) | untold,
        ("volume", "amount"),
        "unit",
        lambda row: f"{_implied(row)}, and a unit is {unit} here: prices are kept without it",
    )
    return marked.with_columns(pl.col("volume") * unit).drop("unit", "judged")


def _fits(unit: float) -> pl.Expr:
    """Return whether amount and volume, in shares of so many, fit the range of the day."""
    half = 0.5 if unit > 1 else 0.0  # lots are rounded
    low = pl.col("low") * (1 - VWAP) * (pl.col("volume") - half) * unit
    high = pl.col("high") * (1 + VWAP) * (pl.col("volume") + half) * unit
    return pl.col("amount").is_between(low, high)


def _share_for_index(sieve: Sieve, rows: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    why = (
        f"{_implied(judged.row(0, named=True))}: this is a share with the digits of the index; "
        "ask with the exchange in the code"
    )
    return sieve.condemn(rows, "identity", why)


def _implied(row: Mapping[str, Any]) -> str:
    if not row["volume"] or row["amount"] is None or row["low"] is None:
        return f"nothing tells the unit of the volume on {row['date']}"
    return (
        f"amount / volume is {row['amount'] / row['volume']:.6g} on {row['date']}, the day's range "
        f"{row['low']:g} to {row['high']:g}"
    )


def _too_many(rows: pl.DataFrame, wrong: pl.Expr) -> str:
    """Return in words that more rows than a few are wrong; empty where that is not so."""
    count = int(rows.select(wrong.fill_null(value=False).sum()).item())
    return f"{count} of {len(rows)} rows" if count > max(1, FEW * len(rows)) else ""
