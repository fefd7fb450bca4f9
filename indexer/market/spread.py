"""A whole market spread out for the batch kernel: worth of every symbol on every session.

Made from panels, so that carried prices, rates and events are those of `build`; made once, by one
process or by several that fill some columns each, and mapped into memory by every one after that.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.arrays import Days, Flags, Grid, Rows, Vector
from indexer.digest import digest_json
from indexer.errors import MarketDataError
from indexer.folders import cache_folder
from indexer.market.cache import ABANDONED
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.events import DEPARTING
from indexer.market.excerpt import MappedMarket, excerpt
from indexer.market.grid import CloseGrid, off_calendar
from indexer.market.lines import RENAME, SPINOFF
from indexer.market.panel import Panel, panel_of

FORMAT = 3  # to be raised whenever what is kept changes
KEPT = 6  # spread markets; one of 5,500 symbols and 2,500 sessions takes 220 MB
BLOCK = 256  # symbols a panel: the rows of all of a market at once take gigabytes

Names = NDArray[Any]  # text
LARGE = ("worth", "grown")  # arrays that are filled where they are kept


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
        another, leaves or pays cash that moves the divisor, its prices are raw, and no close of it
        is dated on a day on which its exchange was shut
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


class Part(NamedTuple):
    """What there is to know of some columns beside their worth.

    Attributes
    ----------
    payer, row, amount : column, row and amount of each ordinary dividend, in order
    counted, on, total, free : share counts in order of column and date
    """

    symbols: Names
    segments: Names
    first: Rows
    listed: Days
    latest: Days
    fit: Flags
    plain: Flags
    payer: Rows
    row: Rows
    amount: Vector
    counted: Rows
    on: Days
    total: Vector
    free: Vector


class Laid(NamedTuple):
    """A market laid out for processes to fill some columns each, and where it will be kept."""

    folder: Path
    place: Path
    calendar: str
    currency: str


def spread_market(market: MappedMarket, digest: str, calendar: str, currency: str) -> Spread:
    """Return a market spread out, mapped from this user's cache folder where it was kept there.

    Parameters
    ----------
    digest : of what the market holds, and of the code
    """
    grid, place = mapped_grid(market), _place(digest, calendar, currency)
    if place is not None:
        try:
            with laid_out(grid, digest, calendar, currency) as laid:
                if laid is not None:
                    write_spread(laid, grid, [spread_part(market, laid, range(len(grid.symbols)))])
            kept: list[Any] = [_mapped(place / f"{name}.npy") for name in Spread._fields]
            return Spread(*kept)
        except (OSError, ValueError):  # the disk is full, or what was kept is damaged
            shutil.rmtree(place, ignore_errors=True)
    return _spread(market, read_calendar(calendar), currency)


def mapped_grid(market: MappedMarket) -> CloseGrid:
    """Return the closes of a market that has some.

    Raises
    ------
    ValueError
        If it has none.
    """
    if market.grid is None or not len(market.grid.days):
        raise ValueError("a market without closes cannot be spread")
    return market.grid


def _place(digest: str, calendar: str, currency: str) -> Path | None:
    folder = cache_folder("spread")
    return folder and folder / digest_json([FORMAT, digest, calendar, currency])


def _mapped(file: Path) -> NDArray[np.generic]:
    return np.asarray(np.load(file, mmap_mode="r" if file.stat().st_size > 1 << 16 else None))


@contextmanager
def laid_out(grid: CloseGrid, digest: str, calendar: str, currency: str) -> Iterator[Laid | None]:
    """Lay a market out in the cache folder, for `spread_part` to fill and `write_spread` to keep.

    None where it is kept already, or there is no such folder. What is not kept is gone afterwards.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    place = _place(digest, calendar, currency)
    if place is None or place.is_dir():
        yield None
        return
    shape = (len(_sessions(grid, read_calendar(calendar))), len(grid.symbols))
    folder = Path(tempfile.mkdtemp(dir=place.parent, prefix=".half-"))
    try:
        # Written, not only laid out: who fills a page that finds no room on the disk dies of it.
        for name in LARGE:
            _lay(folder / f"{name}.npy", shape)
        yield Laid(folder, place, calendar, currency)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lay(file: Path, shape: tuple[int, int]) -> None:
    """Write an array of NaN; `numpy.save` takes ten times as long for one that is broadcast."""
    row = np.full(shape[1], np.nan).tobytes()
    with file.open("xb") as stream:
        told = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, told)
        for _ in range(shape[0]):
            stream.write(row)


def spread_part(market: MappedMarket, laid: Laid, columns: range) -> Part:
    """Fill some columns of a market that is laid out, and return what else is known of them."""
    worth, grown = (np.load(laid.folder / f"{name}.npy", mmap_mode="r+") for name in LARGE)
    return _part(market, read_calendar(laid.calendar), laid.currency, columns, (worth, grown))


def write_spread(laid: Laid, grid: CloseGrid, parts: Sequence[Part]) -> None:
    """Keep a market whose columns are filled; its name appears when all of it is on disk.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    large = [np.load(laid.folder / f"{name}.npy", mmap_mode="r") for name in LARGE]
    sessions = _sessions(grid, read_calendar(laid.calendar))
    for name, values in _whole(sessions, parts, large)._asdict().items():
        file = laid.folder / f"{name}.npy"
        if name not in LARGE:
            np.save(file, values, allow_pickle=False)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())  # else a power cut may leave a file without its figures
    with suppress(OSError):  # another process was faster
        laid.folder.rename(laid.place)
    found: list[tuple[int, Path]] = []
    for file in laid.place.parent.iterdir():
        with suppress(OSError):  # another process has let go of it
            found.append((file.stat().st_mtime_ns, file))
    half = [(changed, file) for changed, file in found if file.name.startswith(".")]
    dead = [file for changed, file in half if max(found)[0] - changed > ABANDONED]
    whole = [file for _, file in sorted(set(found).difference(half))]
    for old in (*whole[:-KEPT], *dead):
        shutil.rmtree(old, ignore_errors=True)


def _spread(market: MappedMarket, calendar: Calendar, currency: str) -> Spread:
    """Return a market spread out in the memory of this process."""
    grid = mapped_grid(market)
    sessions, columns = _sessions(grid, calendar), range(len(grid.symbols))
    large = [np.full((len(sessions), len(columns)), np.nan) for _ in LARGE]
    return _whole(sessions, [_part(market, calendar, currency, columns, large)], large)


def _sessions(grid: CloseGrid, calendar: Calendar) -> Days:
    begin = calendar.on_or_before(max(grid.days[0].item(), calendar.sessions[0].item()))
    return calendar.between(begin, calendar.on_or_before(grid.days[-1].item()))


def _whole(sessions: Days, parts: Sequence[Part], large: Sequence[Grid]) -> Spread:
    told = Part(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    known = {name: values for name, values in told._asdict().items() if name != "payer"}
    start = np.searchsorted(told.payer, np.arange(len(told.symbols) + 1))
    worth, grown = large
    return Spread(sessions=sessions, worth=worth, grown=grown, start=start, **known)


def _part(
    market: MappedMarket, calendar: Calendar, currency: str, columns: range, large: Sequence[Grid]
) -> Part:
    """Fill some columns, a block of them after another, and return what else is known of them."""
    grid = mapped_grid(market)
    sessions, wide = _sessions(grid, calendar), len(columns)
    symbols = grid.symbols[columns.start : columns.stop]
    there = ~np.isnan(grid.close[:, columns.start : columns.stop])
    tabled = market.rest.securities["segment"].drop_nulls()
    lengths = [1, *tabled.str.len_chars().to_list()]
    found = Part(
        symbols=np.array(symbols),
        segments=np.full(wide, "", dtype=f"U{max(lengths)}"),
        first=np.full(wide, len(sessions)),
        listed=np.full(wide, np.datetime64("NaT", "D")),
        latest=grid.days[len(there) - 1 - np.argmax(there[::-1], axis=0)],
        fit=np.zeros(wide, dtype=bool),
        plain=np.ones(wide, dtype=bool),
        payer=np.zeros(0, dtype=np.int64),
        row=np.zeros(0, dtype=np.int64),
        amount=np.zeros(0),
        **_share_counts(market, symbols, columns.start),
    )
    paid: list[tuple[int, int, float]] = []
    for at in range(columns.start, columns.stop, BLOCK):
        block = range(at, min(at + BLOCK, columns.stop))
        for some, panel in _panels(market, block, sessions, currency):
            paid += _fill(found, columns.start, large, some, panel)
    loose = _tied(market)
    found.fit[[n for n, symbol in enumerate(symbols) if symbol in loose]] = False
    found.fit[off_calendar(grid, columns)] = False  # `build` counts them and warns
    paid.sort()
    return found._replace(
        payer=np.array([column for column, _, _ in paid], dtype=np.int64),
        row=np.array([row for _, row, _ in paid], dtype=np.int64),
        amount=np.array([amount for _, _, amount in paid], dtype=float),
    )


def _panels(
    market: MappedMarket, columns: range, sessions: Days, currency: str
) -> Iterator[tuple[range, Panel]]:
    """Yield panels of some symbols; of a symbol that has none, for want of a rate, nothing."""
    symbols = mapped_grid(market).symbols[columns.start : columns.stop]
    try:
        part = excerpt(market, symbols)
        yield columns, panel_of(part, symbols, sessions, currency, [""] * len(symbols))
    except MarketDataError:
        if len(columns) > 1:
            half = len(columns) // 2
            yield from _panels(market, columns[:half], sessions, currency)
            yield from _panels(market, columns[half:], sessions, currency)


def _fill(
    found: Part, begin: int, large: Sequence[Grid], columns: range, panel: Panel
) -> list[tuple[int, int, float]]:
    """Put a panel in its place; return column, row and amount of each ordinary dividend."""
    width = len(columns)
    place = slice(columns.start - begin, columns.stop - begin)
    worth, grown = (values[:, columns.start : columns.stop] for values in large)
    worth[:] = panel.worth[:, :width]
    grown[:] = panel.worth[:, :width]
    priced = ~np.isnan(panel.close[:, :width])
    found.first[place] = np.where(priced.any(axis=0), np.argmax(priced, axis=0), len(priced))
    found.listed[place] = panel.listed[:width]
    found.segments[place] = panel.segments[:width]
    fit, plain = found.fit[place], found.plain[place]
    fit[:] = ~panel.adjusted[:width]
    paid: list[tuple[int, int, float]] = []
    growth = np.ones(width)
    for e in panel.events:
        if e.column >= width:
            continue
        if e.event.special != 0.0:
            fit[e.column] = False
        if e.event.ordinary != 0.0:
            amount = e.event.ordinary * panel.fx[e.row, e.column] * growth[e.column]
            paid.append((columns[e.column], e.row, float(amount)))
        if e.event.factor != 1.0:
            growth[e.column] *= e.event.factor
            grown[e.row :, e.column] *= e.event.factor
        if e.event.subscribed != 0.0:
            plain[e.column] = False
    return paid


def _tied(market: MappedMarket) -> set[str]:
    """Return symbols that leave, or pass into others or come from them, on any date."""
    kinds = [RENAME, SPINOFF, *DEPARTING]
    rows = market.rest.actions.filter(pl.col("kind").is_in(kinds) | pl.col("other").is_not_null())
    return {s for pair in rows.select("symbol", "other").rows() for s in pair if s is not None}


def _share_counts(market: MappedMarket, symbols: Sequence[str], begin: int) -> dict[str, Any]:
    """Return the share counts of some symbols by column and date; free is total where not told."""
    names = pl.DataFrame({"symbol": symbols}, schema={"symbol": pl.String}).with_row_index("column")
    rows = market.rest.shares.join(names, on="symbol").sort("column", "date")
    total = rows["total_shares"].to_numpy().astype(float)
    free = rows["free_float_shares"].cast(pl.Float64).to_numpy()
    return {
        "counted": rows["column"].to_numpy().astype(np.int64) + begin,
        "on": rows["date"].to_numpy().astype("datetime64[D]"),
        "total": total,
        "free": np.where(np.isnan(free), total, free),
    }
