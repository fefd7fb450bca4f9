"""The closes of a market folder: read and checked once, mapped into memory after that.

A grid is kept under the digest of the file it was read from: it is never out of date, and losing it
costs only time. It is laid out as

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
from pathlib import Path

import numpy as np

from indexer.digest import digest_bytes, digest_json
from indexer.folders import cache_folder
from indexer.market.grid import CloseGrid, grid_of
from indexer.market.tables import read_table, table_files

FORMAT = 1  # to be raised whenever the layout, or what is checked in a table, changes
SETTLED = 2_000_000_000  # ns after a change by which the next one shows: file clocks are coarse
KEPT = {"closes": 4, "digest": 64}  # files of each kind; closes of 12 M rows take 110 or 220 MB
ABANDONED = 3_600_000_000_000  # ns after which a file half written will not be finished

_DIGEST = 64  # characters
_HEAD = _DIGEST + 8  # bytes before the labels
_ALIGNED = 64  # bytes: no figure straddles two cache lines

State = tuple[int, int, int, int, int]


def read_grid(folder: Path | str) -> CloseGrid:
    """Return the checked closes of a market folder as a grid.

    A file that has not changed is neither read nor checked again: its grid is mapped from this
    user's cache folder. Nothing is kept where that is not private or cannot be written, and within
    two seconds of a change of the file.

    Raises
    ------
    MissingInputError
        If the folder has no table of prices.
    MarketDataError
        With every flaw of that table.
    """
    files, kept = table_files(Path(folder), "prices"), cache_folder("closes")
    if kept is None or len(files) != 1:
        return grid_of(read_table(folder, "prices"))
    file = files[0]
    try:
        before = _state(file)
        key, settled = _key(file, before, kept)
    except OSError:  # reading the table says what is wrong
        return grid_of(read_table(folder, "prices"))
    place = kept / f"{key}.closes"
    found = _mapped(place)
    if found is None:
        found = grid_of(read_table(folder, "prices"))
        if settled and found.symbols and _state(file) == before:
            _write(place, _parts(found))
    return found


def _state(file: Path) -> State:
    """Return what changes with a file: nobody can set its ctime."""
    s = file.stat()
    return s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns


def _key(file: Path, state: State, kept: Path) -> tuple[str, bool]:
    """Return what a file's grid is kept under, and whether a change from now on would show.

    Its digest is remembered by its state, as git does. A file changed so lately that the next
    change might leave it in the same state is not remembered.
    """
    memo = kept / f"{digest_json(state)}.digest"
    with suppress(OSError, UnicodeDecodeError):
        known = memo.read_text("ascii")
        if re.fullmatch(f"[0-9a-f]{{{_DIGEST}}}", known):
            return known, True
    now = _clock(kept)
    with file.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").digest()
    key = digest_bytes([str(FORMAT).encode(), file.suffix.encode(), content])
    settled = now - state[-1] >= SETTLED and _state(file) == state
    if settled:
        _write(memo, [key.encode()])
    return key, settled


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
