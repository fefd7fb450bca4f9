"""The closes of a market folder: read and checked once, mapped into memory after that.

A grid is kept under the digest of the file it was read from or, of a version of a store, under the
names and states of that version's files, which are written once: it is never out of date, and
losing it costs only time. It is laid out as

    digest of the labels | their length | labels as JSON, padded | closes | amounts

with the figures as they stand in memory. Labels and sizes are checked whenever it is mapped; the
figures are not, which would take longer than reading the table.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import polars.selectors as cs

from indexer.digest import digest_bytes, digest_json
from indexer.errors import MarketDataError
from indexer.folders import cache_folder
from indexer.market.delta import ANCHOR, files_of, rows_of, split_version, tables_at
from indexer.market.grid import CloseGrid, grid_of
from indexer.market.tables import TABLES, read_table, table_files

if TYPE_CHECKING:
    from deltalake import DeltaTable

FORMAT = 1  # to be raised whenever the layout, or what is checked in a table, changes
SETTLED = 2_000_000_000  # ns after a change by which the next one shows: file clocks are coarse
KEPT = {"closes": 4, "digest": 64}  # files of each kind; closes of 12 M rows take 110 or 220 MB
ABANDONED = 3_600_000_000_000  # ns after which a file half written will not be finished

_GRID = ("symbol", "date", "close", "amount")  # columns that a grid is made of
_DIGEST = 64  # characters
_HEAD = _DIGEST + 8  # bytes before the labels
_ALIGNED = 64  # bytes: no figure straddles two cache lines

State = tuple[int, int, int, int, int]


def read_grid(folder: Path | str) -> CloseGrid:
    """Return the checked closes of a market folder, ``DIR`` or ``DIR@VERSION``, as a grid.

    A file that has not changed is neither read nor checked again: its grid is mapped from this
    user's cache folder. Nothing is kept where that is not private or cannot be written, and within
    two seconds of a change of the file.

    Of a store, columns that are no part of a grid are not read: they were checked when they were
    written. Those that are part of it are checked like any other.

    Raises
    ------
    MissingInputError
        If the folder has no table of prices, or no such version.
    MarketDataError
        With every flaw of that table.
    """
    path, _ = split_version(folder)
    stored, kept = _stored(folder), cache_folder("closes")
    files = table_files(path, ANCHOR)
    if stored is not None:
        files = files_of(path, ANCHOR, stored)
    elif len(files) != 1:
        kept = None  # reading the table says what is wrong
    read = partial(_read, folder, stored)
    if kept is None:
        return read()
    try:
        before = [_state(file) for file in files]
        key, settled = _key(files, before, kept, in_store=stored is not None)
    except OSError:  # reading the table says what is wrong
        return read()
    place = kept / f"{key}.closes"
    found = _mapped(place)
    if found is None:
        found = read()
        if settled and found.symbols and [_state(file) for file in files] == before:
            _write(place, _parts(found))
    return found


def _stored(folder: Path | str) -> "DeltaTable | None":
    """Return a folder's prices as a Delta table; None where they stand in a file, or in both."""
    path, version = split_version(folder)
    found = tables_at(path, [ANCHOR], version).get(ANCHOR)
    return None if table_files(path, ANCHOR) else found


def _read(folder: Path | str, stored: "DeltaTable | None") -> CloseGrid:
    """Return the closes of a folder, or of its Delta table at one version, checked."""
    if stored is None:
        return grid_of(read_table(folder, ANCHOR))
    with suppress(MarketDataError):
        rows = rows_of(stored, columns=cs.by_name(*_GRID, require_all=False))
        there = TABLES[ANCHOR].required.keys() <= set(rows.columns)
        if there and all(_sound(name, rows[name]) for name in rows.columns):
            found = grid_of(rows)
            if _sound("symbol", pl.Series(found.symbols), each=True):
                return found
    # Reading the whole table says what is wrong, and makes one of rows that agree.
    path, _ = split_version(folder)
    return grid_of(read_table(f"{path}/@{stored.version()}", ANCHOR))


def _sound(name: str, cells: pl.Series, *, each: bool = False) -> bool:
    """Return whether cells of a stored table are what their column holds, as `checked` sees it.

    A symbol is looked at once, not in each of its rows, which takes 12 M rows 0.4 s.
    """
    column, required = TABLES[ANCHOR].columns[name], name in TABLES[ANCHOR].required
    if cells.dtype != column.dtype or (required and cells.null_count()):
        return False
    return (name == "symbol" and not each) or bool(column.sound(cells).all())


def _state(file: Path) -> State:
    """Return what changes with a file: nobody can set its ctime."""
    s = file.stat()
    return s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns


def _key(files: list[Path], states: list[State], kept: Path, *, in_store: bool) -> tuple[str, bool]:
    """Return what the grid of some files is kept under, and whether a change of them would show.

    The digest of a file is remembered by its state, as git does. A file changed so lately that the
    next change might leave it in the same state is not remembered. Files of a store have names of
    their own, which no other content will ever have: they need no digest.
    """
    if in_store:
        told = [[file.name, *state] for file, state in zip(files, states, strict=True)]
        return digest_json([FORMAT, told]), _settled(states, kept)
    [file], [state] = files, states
    memo = kept / f"{digest_json(state)}.digest"
    with suppress(OSError, UnicodeDecodeError):
        known = memo.read_text("ascii")
        if re.fullmatch(f"[0-9a-f]{{{_DIGEST}}}", known):
            return known, True
    settled = _settled(states, kept)
    with file.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").digest()
    key = digest_bytes([str(FORMAT).encode(), file.suffix.encode(), content])
    settled = settled and _state(file) == state
    if settled:
        _write(memo, [key.encode()])
    return key, settled


def _settled(states: list[State], kept: Path) -> bool:
    """Return whether the last change of some files is so long ago that the next one shows."""
    return _clock(kept) - max((state[-1] for state in states), default=0) >= SETTLED


def _clock(folder: Path) -> int:
    """Return the time that a file written now is given, in ns; 0 where none can be written."""
    with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
        return os.fstat(file.fileno()).st_mtime_ns
    return 0


def _parts(grid: CloseGrid) -> Iterable[bytes | memoryview]:
    """Yield what is kept of a grid, in the order it is laid out."""
    told = {
        "days": np.datetime_as_string(grid.days).tolist(),
        "symbols": grid.symbols,
        "amount": grid.amount is not None,
    }
    labels = json.dumps(told).encode()
    labels += b" " * (-(_HEAD + len(labels)) % _ALIGNED)
    yield _digest(labels)
    yield len(labels).to_bytes(_HEAD - _DIGEST, "little")
    yield labels
    for figures in (grid.close, grid.amount):
        if figures is not None:
            yield figures.astype("<f8", order="C", copy=False).data


def _mapped(place: Path) -> CloseGrid | None:
    """Return a grid that was kept; None where there is none, or one that is damaged."""
    try:
        with place.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            top = stream.read(_HEAD)
            length = min(int.from_bytes(top[_DIGEST:], "little"), size)
            labels = stream.read(length)
            if top[:_DIGEST] != _digest(labels):
                return None
            told = json.loads(labels)
            shape = (1 + told["amount"], len(told["days"]), len(told["symbols"]))
            if size != _HEAD + length + 8 * int(np.prod(shape)):
                return None
            figures = np.asarray(np.memmap(stream, "<f8", "r", _HEAD + length, shape))
    except OSError:
        return None
    amount = figures[1] if told["amount"] else None
    days = np.array(told["days"], dtype="datetime64[D]")
    return CloseGrid(days, tuple(told["symbols"]), figures[0], amount)


def _digest(labels: bytes) -> bytes:
    return digest_bytes([str(FORMAT).encode(), labels]).encode()


def _write(place: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write a file whole, or, where it cannot be written, not at all; remove the oldest ones."""
    with suppress(OSError):
        handle, name = tempfile.mkstemp(dir=place.parent)
        half = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                for part in parts:
                    stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())  # else a power cut may leave a file without its figures
            half.replace(place)
            _prune(place.parent, place.stat().st_mtime_ns)
        finally:
            half.unlink(missing_ok=True)


def _prune(folder: Path, now: int) -> None:
    """Remove all but the newest files of each kind, and what was half written long ago."""
    files = sorted(((file.stat().st_mtime_ns, file) for file in folder.iterdir()), reverse=True)
    for suffix, count in KEPT.items():
        for _, file in [f for f in files if f[1].suffix == f".{suffix}"][count:]:
            file.unlink(missing_ok=True)
    for written, file in files:
        if not file.suffix and now - written > ABANDONED:
            file.unlink(missing_ok=True)
