"""A whole market spread out for the batch kernel: worth of every symbol on every session.

Made from panels, so that carried prices, rates and events are those of `build`; made once and
mapped into memory by every process after that.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.arrays import Days, Flags, Grid, Rows, Vector
from indexer.digest import digest_json
from indexer.errors import MarketDataError
from indexer.folders import cache_folder
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.events import DEPARTING
from indexer.market.excerpt import MappedMarket, excerpt
from indexer.market.lines import RENAME, SPINOFF
from indexer.market.panel import Panel, panel_of

FORMAT = 1  # to be raised whenever what is kept changes
KEPT = 6  # spread markets; one of 5,500 symbols and 2,500 sessions takes 220 MB
BLOCK = 256  # symbols a panel: the rows of all of a market at once take gigabytes

Names = NDArray[Any]  # text


class Spread(NamedTuple):
    """T sessions of one calendar by N symbols, in one currency; every array is only read.

    Attributes
    ----------
    sessions : (T,) from the one before which there is no close
    symbols, segments : (N,) ascending; the segment of the securities table, or empty
    worth : (T, N) carried close in index currency; NaN before the first
    grown : (T, N) worth of what one share at the beginning has become: events are in it
    first : (N,) row from which there is a close; T where there is none
    listed, latest : (N,) list date, and date of the last close
    fit : (N,) whether worth and income are all there is to know: the line never passes into
        another, leaves or pays cash that moves the divisor, and its prices are raw
    plain : (N,) whether no rights bring in money, which moves the divisor of real-share schemes
    start, row, amount : of its ordinary dividends, as `Income` has them
    counted, on, total, free : share counts in order of column and date: (K,) each
    """

    sessions: Days
    symbols: Names
    segments: Names
    worth: Grid
    grown: Grid
    first: Rows
    listed: Days
    latest: Days
    fit: Flags
    plain: Flags
    start: Rows
    row: Rows
    amount: Vector
    counted: Rows
    on: Days
    total: Vector
    free: Vector


def spread_market(market: MappedMarket, digest: str, calendar: str, currency: str) -> Spread:
    """Return a market spread out, mapped from this user's cache folder where it was kept there.

    Parameters
    ----------
    digest : of what the market holds, and of the code
    """
    folder = cache_folder("spread")
    if folder is None:
        return _spread(market, read_calendar(calendar), currency)
    place = folder / digest_json([FORMAT, digest, calendar, currency])
    if not place.is_dir():
        _keep(place, _spread(market, read_calendar(calendar), currency))
    try:
        kept: list[Any] = [_mapped(place / f"{name}.npy") for name in Spread._fields]
        return Spread(*kept)
    except (OSError, ValueError):  # damaged, or the disk was full
        shutil.rmtree(place, ignore_errors=True)
        return _spread(market, read_calendar(calendar), currency)


def _mapped(file: Path) -> NDArray[np.generic]:
    return np.asarray(np.load(file, mmap_mode="r" if file.stat().st_size > 1 << 16 else None))


def _keep(place: Path, found: Spread) -> None:
    """Keep a spread market; its name appears when all of it is written. Remove the oldest ones."""
    with suppress(OSError):
        half = Path(tempfile.mkdtemp(dir=place.parent, prefix=".half-"))
        try:
            for name, values in found._asdict().items():
                np.save(half / f"{name}.npy", values, allow_pickle=False)
            half.rename(place)
        except OSError:  # or another process was faster
            shutil.rmtree(half, ignore_errors=True)
        kept = sorted((f for f in place.parent.iterdir()), key=lambda f: f.stat().st_mtime_ns)
        for old in kept[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)


def _spread(market: MappedMarket, calendar: Calendar, currency: str) -> Spread:
    """Return a market spread out, a block of symbols after another."""
    grid = market.grid
    if grid is None or not len(grid.days):
        raise ValueError("a market without closes cannot be spread")
    begin = calendar.on_or_before(max(grid.days[0].item(), calendar.sessions[0].item()))
    sessions = calendar.between(begin, calendar.on_or_before(grid.days[-1].item()))
    shape = (len(sessions), len(grid.symbols))
    there = ~np.isnan(grid.close)
    found = Spread(
        sessions=sessions,
        symbols=np.array(grid.symbols),
        segments=np.full(shape[1], "", dtype="U64"),
        worth=np.full(shape, np.nan),
        grown=np.full(shape, np.nan),
        first=np.full(shape[1], shape[0]),
        listed=np.full(shape[1], np.datetime64("NaT", "D")),
        latest=grid.days[len(there) - 1 - np.argmax(there[::-1], axis=0)],
        fit=np.zeros(shape[1], dtype=bool),
        plain=np.ones(shape[1], dtype=bool),
        start=np.zeros(0, dtype=np.int64),
        row=np.zeros(0, dtype=np.int64),
        amount=np.zeros(0),
        **_share_counts(market, grid.symbols),
    )
    paid: list[tuple[int, int, float]] = []
    loose = _tied(market)
    for at in range(0, shape[1], BLOCK):
        columns = np.arange(at, min(at + BLOCK, shape[1]))
        for part, panel in _panels(market, columns, sessions, currency):
            paid += _fill(found, part, panel)
    found.fit[[n for n, symbol in enumerate(grid.symbols) if symbol in loose]] = False
    paid.sort()
    return found._replace(
        start=np.searchsorted([column for column, _, _ in paid], np.arange(shape[1] + 1)),
        row=np.array([row for _, row, _ in paid], dtype=np.int64),
        amount=np.array([amount for _, _, amount in paid], dtype=float),
    )


def _panels(
    market: MappedMarket, columns: Rows, sessions: Days, currency: str
) -> Iterator[tuple[Rows, Panel]]:
    """Yield panels of some symbols; of a symbol that has none, for want of a rate, nothing."""
    symbols = [market.grid.symbols[n] for n in columns] if market.grid else []
    try:
        part = excerpt(market, symbols)
        yield columns, panel_of(part, symbols, sessions, currency, [""] * len(symbols))
    except MarketDataError:
        if len(columns) > 1:
            half = len(columns) // 2
            yield from _panels(market, columns[:half], sessions, currency)
            yield from _panels(market, columns[half:], sessions, currency)


def _fill(found: Spread, columns: Rows, panel: Panel) -> list[tuple[int, int, float]]:
    """Put a panel in its place; return column, row and amount of each ordinary dividend."""
    width = len(columns)
    place = slice(columns[0], columns[-1] + 1)
    found.worth[:, place] = panel.worth[:, :width]
    found.grown[:, place] = panel.worth[:, :width]
    priced = ~np.isnan(panel.close[:, :width])
    found.first[place] = np.where(priced.any(axis=0), np.argmax(priced, axis=0), len(priced))
    found.listed[place] = panel.listed[:width]
    found.segments[place] = panel.segments[:width]
    found.fit[place] = ~panel.adjusted[:width]
    paid: list[tuple[int, int, float]] = []
    growth = np.ones(width)
    for e in panel.events:
        if e.column >= width:
            continue
        column = int(columns[e.column])
        if e.event.special != 0.0:
            found.fit[column] = False
        if e.event.ordinary != 0.0:
            amount = e.event.ordinary * panel.fx[e.row, e.column] * growth[e.column]
            paid.append((column, e.row, float(amount)))
        if e.event.factor != 1.0:
            growth[e.column] *= e.event.factor
            found.grown[e.row :, column] *= e.event.factor
        if e.event.subscribed != 0.0:
            found.plain[column] = False
    return paid


def _tied(market: MappedMarket) -> set[str]:
    """Return symbols that leave, or pass into others or come from them, on any date."""
    kinds = [RENAME, SPINOFF, *DEPARTING]
    rows = market.rest.actions.filter(pl.col("kind").is_in(kinds) | pl.col("other").is_not_null())
    return {s for pair in rows.select("symbol", "other").rows() for s in pair if s is not None}


def _share_counts(market: MappedMarket, symbols: Sequence[str]) -> dict[str, Any]:
    """Return the share counts of some symbols by column and date; free is total where not told."""
    names = pl.DataFrame({"symbol": symbols}, schema={"symbol": pl.String}).with_row_index("column")
    rows = market.rest.shares.join(names, on="symbol").sort("column", "date")
    total = rows["total_shares"].to_numpy().astype(float)
    free = rows["free_float_shares"].cast(pl.Float64).to_numpy()
    return {
        "counted": rows["column"].to_numpy().astype(np.int64),
        "on": rows["date"].to_numpy().astype("datetime64[D]"),
        "total": total,
        "free": np.where(np.isnan(free), total, free),
    }
