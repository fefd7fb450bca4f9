"""Prices as one grid: every close of a market, sessions by symbols, from rows in any order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.arrays import Days, Flags, Grid, Rows, Vector
from indexer.definitions.symbols import exchange_of
from indexer.errors import Flaw, MarketDataError
from indexer.market.calendar import read_calendar

BLOCK = 1 << 17  # rows whose positions take 1 MB: all at once, 12 M rows take a third longer
SHOWN = 10  # rows named where rows conflict; the rest are counted


@dataclass(frozen=True, slots=True, eq=False)
class CloseGrid:
    """Closes as they were traded, nothing carried; every array is read-only.

    Attributes
    ----------
    days : (T,) every date on which any symbol has a close
    symbols : (N,) ascending
    close : (T, N) listing currency; NaN where a symbol has none that day
    amount : (T, N) turnover of the day, listing currency; NaN where there is none. None where no
        symbol ever has one
    """

    days: Days
    symbols: tuple[str, ...]
    close: Grid
    amount: Grid | None


def grid_of(prices: pl.DataFrame) -> CloseGrid:
    """Return the closes of a table of prices as a grid; the order of its rows does not matter.

    Parameters
    ----------
    prices : ``symbol`` (text, Categorical or Enum), ``date``, ``close`` and, where it has them,
        ``amount``, as `read_market` returns them

    Raises
    ------
    MarketDataError
        If two rows are of one symbol and date, which checked tables never hold, or a close is null
        or NaN.
    """
    columns, symbols = _columns(prices["symbol"])
    first, starts, days = _rows(prices["date"], len(symbols))
    shape = (len(days), len(symbols))

    def cells(rows: slice) -> Rows:
        """Return where the closes of some rows of the table stand in a flat grid."""
        found: Rows = starts[_part(prices["date"].to_physical(), rows) - first]
        found += columns[rows]
        return found

    close = _scatter(prices["close"], cells, shape)
    if np.count_nonzero(np.isnan(close)) != close.size - len(prices):
        raise MarketDataError(_flaws(prices, cells(slice(0, len(prices)))))
    amount = None
    if "amount" in prices.columns and prices["amount"].null_count() < len(prices):
        amount = _scatter(prices["amount"], cells, shape)
    return CloseGrid(days, symbols, close, amount)


def off_calendar(grid: CloseGrid, columns: range) -> Flags:
    """Return which of some columns have a close dated on no session of their own exchange."""
    exchanges = [exchange_of(symbol) for symbol in grid.symbols[columns.start : columns.stop]]
    found = np.zeros(len(columns), dtype=bool)
    for code in set(exchanges):
        own = np.flatnonzero([exchange == code for exchange in exchanges])
        shut = np.flatnonzero(~np.isin(grid.days, read_calendar(code).sessions))
        found[own] = ~np.isnan(grid.close[np.ix_(shut, own + columns.start)]).all(axis=0)
    return found


def _columns(symbol: pl.Series) -> tuple[NDArray[np.uint32], tuple[str, ...]]:
    """Return the column of each row, and the symbols in order.

    Rows of one symbol mostly stand together: only the first of each run is looked up.
    """
    runs = symbol.rle().struct
    heads = runs.field("value").cast(pl.String)
    known = heads.unique().sort()
    codes = heads.cast(pl.Enum(known)).to_physical().cast(pl.UInt32).to_numpy()
    return np.repeat(codes, runs.field("len").to_numpy()), tuple(known)


def _rows(date: pl.Series, width: int) -> tuple[int, Rows, Days]:
    """Return the rows of a grid so wide by date.

    That is the first date as a number, the first cell of the row of each date from then on, and
    the dates that have a row, in order.
    """
    if date.is_empty():
        return 0, np.empty(0, dtype=np.int64), np.empty(0, dtype="datetime64[D]")
    day = date.to_physical()
    first, last = int(day.min()), int(day.max())  # type: ignore[arg-type]  # of numbers
    seen = np.zeros(last - first + 1, dtype=bool)
    for rows in _blocks(len(day)):
        seen[_part(day, rows) - first] = True
    days = (np.flatnonzero(seen) + first).astype("datetime64[D]")
    return first, (np.cumsum(seen) - 1) * width, days


def _scatter(values: pl.Series, cells: Callable[[slice], Rows], shape: tuple[int, int]) -> Grid:
    grid = np.full(shape, np.nan)
    flat: Vector = grid.reshape(-1)
    for rows in _blocks(len(values)):
        flat[cells(rows)] = _part(values, rows)
    grid.flags.writeable = False
    return grid


def _blocks(count: int) -> Iterator[slice]:
    """Yield the rows of a table in parts whose positions stay in the processor's cache."""
    return (slice(at, min(at + BLOCK, count)) for at in range(0, count, BLOCK))


def _part(values: pl.Series, rows: slice) -> NDArray[Any]:
    """Return some rows as an array, without a copy of them where they lie together."""
    return values.slice(rows.start, rows.stop - rows.start).to_numpy()


def _flaws(prices: pl.DataFrame, cells: Rows) -> list[Flaw]:
    """Return a flaw for each of the first rows that are no close of their own."""
    bad = pl.col("close").is_null() | pl.col("close").is_nan()
    marked = prices.select("symbol", "date", "close").with_columns(
        twice=pl.Series(cells).is_duplicated()
    )
    found = marked.filter(bad | pl.col("twice"))
    flaws = [Flaw("prices", None, str(row["symbol"]), _told(row)) for row in _few(found)]
    if len(found) > SHOWN:
        flaws.append(Flaw("prices", None, "", f"{len(found) - SHOWN} more rows like these"))
    return flaws


def _few(found: pl.DataFrame) -> list[dict[str, Any]]:
    return found.sort("symbol", "date").head(SHOWN).to_dicts()


def _told(row: dict[str, Any]) -> str:
    if row["twice"]:
        return f"{row['date']} is given twice: keep one row, close {row['close']}"
    return f"{row['date']}: close {row['close']} is no number"
