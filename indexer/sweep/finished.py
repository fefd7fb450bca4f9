"""Results that are there already: one file each, whole or not at all, and told from a damaged one.

A result is kept under the digest of what it was made of: definition, market and code. So a sweep
that was cut off, or one that asks for more, goes on with what is there.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from indexer.errors import OutputError
from indexer.folders import TEMPORARY, read_file, turn, whole_file

FOLDER = "finished"


def read_result(place: Path, key: str) -> bytes | None:
    """Return a result that is kept; None where there is none, or one that is damaged."""
    try:
        digest, _, content = read_file(place / key).partition(b"\n")
    except OSError:
        return None
    return content if digest == _digest(content) else None


def write_result(place: Path, key: str, content: bytes) -> None:
    """Keep a result, in turn with others; its name appears when all of it is written.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with turn(place), whole_file(place / key, durable=False) as stream:
            stream.write(_digest(content) + b"\n" + content)
    except OSError as error:
        raise OutputError(str(place), error.strerror or str(error)) from error


def sweep_away(place: Path) -> None:
    """Remove what a run that was killed while it wrote has left half written.

    Nobody else writes meanwhile: what is half written then is of nobody who lives.
    """
    with suppress(OSError), turn(place):
        for left in place.glob(f".*{TEMPORARY}"):
            left.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
