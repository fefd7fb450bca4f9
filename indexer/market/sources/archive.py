"""Raw replies, kept as they came: by the digest of their bytes, compressed, never deleted by us.

What an upstream said on a day can be shown years later: `index.jsonl` tells of each reply what was
asked, when, by which function and versions. Levels are not rebuilt from them but from the rows that
the ledger has kept; each row of a store names the digest of the reply it is from.
"""

import gzip
import hashlib
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.errors import Flaw, MarketDataError, MissingInputError, OutputError
from indexer.folders import cache_folder, whole_file
from indexer.market.sources.source import Reply

REPLIES = "replies"  # in the folder of a market store: its archive


def append_reply(
    folder: Path, asked: tuple[str, int, str], body: bytes, told: Mapping[str, Any] | None = None
) -> Reply:
    """Store a reply durably and return how it is found again.

    Parameters
    ----------
    asked : address, status and instant in UTC
    told : what else is known of it, such as versions; goes into the index as it is

    Raises
    ------
    OutputError
        If the archive cannot be written.

    Notes
    -----
    The body is on disk before the index names it; equal bodies are stored once.
    """
    digest = hashlib.sha256(body).hexdigest()
    target = _place(folder, digest)
    with _written(folder):
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(target, durable=True) as stream:
                stream.write(gzip.compress(body, 6, mtime=0))
        url, status, fetched_at = asked
        reply = Reply(url, status, digest, fetched_at)
        line = asdict(reply) | {"size": len(body)} | dict(told or {})
        text = json.dumps(line, ensure_ascii=False, sort_keys=True)
        _append(folder / "index.jsonl", f"{text}\n")
    return reply


def append_disregarded(folder: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """Append what was disregarded, and whose answer did not count, to `disregarded.jsonl`.

    Raises
    ------
    OutputError
        If the archive cannot be written.
    """
    lines = [json.dumps(dict(entry), ensure_ascii=False, sort_keys=True) for entry in entries]
    if not lines:
        return
    with _written(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _append(folder / "disregarded.jsonl", "".join(f"{line}\n" for line in lines))


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Raise ``OutputError`` where something in a folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(str(folder), error.strerror or str(error)) from error


def _append(file: Path, lines: str) -> None:
    """Append lines, in one write: those of two runs do not mix; after one that was cut off too."""
    with file.open("a+b") as stream:
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            lines = lines if stream.read(1) == b"\n" else f"\n{lines}"
        stream.write(lines.encode())
        stream.flush()
        os.fsync(stream.fileno())


def index_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what is known of each reply, oldest first; a line that was cut off is passed over.

    Raises
    ------
    OSError
        If the index may not be read.
    """
    file = folder / "index.jsonl"
    for line in file.read_bytes().splitlines() if file.is_file() else ():
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry


def verify_replies(folder: Path) -> int:
    """Return how many replies the index names, all of which are there as they came.

    Raises
    ------
    MissingInputError
        If the index, or a reply, may not be read.
    MarketDataError
        With each that is gone, or is damaged.
    """
    try:
        digests = dict.fromkeys(e["sha256"] for e in index_of(folder) if _is_digest(e))
        wrong = {digest: why for digest in digests if (why := _damage(folder, digest))}
    except OSError as error:
        place, why = str(error.filename or folder), error.strerror or str(error)
        raise MissingInputError([Flaw(place, None, "", why)]) from error
    if wrong:
        raise MarketDataError(
            [Flaw(f"{REPLIES}/{d[:2]}/{d}.gz", None, "", wrong[d]) for d in wrong]
        )
    return len(digests)


def _is_digest(entry: Mapping[str, Any]) -> bool:
    return re.fullmatch("[0-9a-f]{64}", str(entry.get("sha256"))) is not None


def _damage(folder: Path, digest: str) -> str:
    """Return why a reply is not there as it came; empty where it is."""
    place = _place(folder, digest)
    if not place.is_file():
        return "is gone, and the index names it: bring it back from a copy"
    packed = place.read_bytes()
    try:
        whole = hashlib.sha256(gzip.decompress(packed)).hexdigest() == digest
    except (OSError, EOFError, zlib.error):
        whole = False
    return (
        "" if whole else "is damaged, its bytes are not those that came: bring it back from a copy"
    )


def sizes(folder: Path) -> tuple[int, int]:
    """Return how many bodies are kept, and how many bytes they take."""
    found = [file.stat().st_size for file in folder.glob("??/*.gz")]
    return len(found), sum(found)


@contextmanager
def private_archive() -> Iterator[Path]:
    """Give a folder for replies that belong to no store: this user's, or one that is then gone."""
    kept = cache_folder("replies")
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _place(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / f"{digest}.gz"
