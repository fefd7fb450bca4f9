"""What stands in a folder of publication: rows of the ledger, and files as a reader sees them."""

import hashlib
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

LEDGER, OUT, MANIFEST = "indexer.db", "out", "MANIFEST.sha256"
INSTANT = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}")

Rows = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a folder holds.

    Attributes
    ----------
    rows : of the ledger by table, each sorted
    bundles : of each index or study, all its rows, told by session and revision instead of their
        place in the chain: what it would be whoever else was published before
    files : digests by path below the folder, as `digest_of` takes them
    """

    rows: Rows
    bundles: Mapping[str, frozenset[str]]
    files: Mapping[str, str]

    @property
    def published(self) -> dict[str, str]:
        """Return the files a reader would take for results: not those still being written.

        Nor the figures of a run, which are written whether or not anything was published.
        """
        return {
            path: digest
            for path, digest in self.files.items()
            if not is_temporary(path) and not path.endswith(".prom")
        }


def is_temporary(path: str) -> bool:
    """Return whether a name says that a file is not whole yet."""
    name = path.rsplit("/", 1)[-1]
    return name.startswith(".") or name.endswith(".tmp")


def observe(folder: Path) -> Observed:
    """Read a folder without changing it: the ledger is opened, and so recovered, as a copy."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        for file in folder.glob(f"{LEDGER}*"):
            shutil.copy2(file, name)
        rows = ledger_rows(Path(name) / LEDGER)
        bundles = ledger_bundles(Path(name) / LEDGER)
    out = folder / OUT
    files = {
        str(path.relative_to(out)): digest_of(path)
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    return Observed(rows, bundles, files)


def state_of(folder: Path) -> str:
    """Return one digest of all files and folders, byte for byte."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        total.update(f"{path.relative_to(folder)}\0".encode())
        if path.is_file():
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def ledger_rows(path: Path) -> Rows:
    """Return the rows of every table that has any, as text; a hot journal is rolled back first.

    Raises
    ------
    sqlite3.DatabaseError
        If the file is not whole.
    """
    if not path.is_file() or not path.stat().st_size:
        return ()
    with closing(sqlite3.connect(path)) as ledger:
        if (state := ledger.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(state)
        found = {
            name: tuple(sorted(repr(row) for row in ledger.execute(f'SELECT * FROM "{name}"')))  # noqa: S608
            for name in sorted(_tables(ledger))
        }
    return tuple((name, rows) for name, rows in found.items() if rows)


def ledger_bundles(path: Path) -> dict[str, frozenset[str]]:
    """Return the rows of each subject of a whole ledger, without number and hash of any entry.

    Rows of no entry, as a ledger that is no chain has them, belong together.
    """
    if not path.is_file() or not path.stat().st_size:
        return {}
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(path)) as ledger:
        ledger.row_factory = sqlite3.Row
        tables = {
            name: [dict(row) for row in ledger.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
            for name in sorted({*_tables(ledger)} - {"definitions"})
        }
    entries = tables.pop("entries", [])
    keys = {e["number"]: (e["kind"], e["subject"], e["session"], e["revision"]) for e in entries}
    for entry in entries:
        told = {name: entry[name] for name in entry if name not in ("number", "previous", "hash")}
        told["basis"] = keys.get(entry["basis"])
        told["published_at"] = _to_the_second(entry["published_at"].encode())
        found.setdefault(f"{entry['kind']} {entry['subject']}", set()).add(repr(told))
    for name, rows in tables.items():
        for row in rows:
            key = keys.get(row.pop("entry", 0), ("rows", "of no entry"))
            found.setdefault(f"{key[0]} {key[1]}", set()).add(repr((name, key, row)))
    return {subject: frozenset(rows) for subject, rows in found.items()}


def _tables(ledger: sqlite3.Connection) -> list[str]:
    names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [row[0] for row in ledger.execute(names) if row[0] != "alembic_version"]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as it would be whoever else was published before.

    Instants count to the second, and a manifest, which is digests of the files beside it, by what
    those are: a digest that is not its file's stays, and is another. The figures of a run, which
    are not compared, are a word.
    """
    if path.suffix == ".prom":
        return "figures of the last run"  # which was another one
    told = path.read_bytes()
    if path.name == MANIFEST:
        told = b"\n".join(_listed(line, path.parent) for line in told.splitlines())
    return hashlib.sha256(_to_the_second(told)).hexdigest()


def _listed(line: bytes, folder: Path) -> bytes:
    digest, _, name = line.partition(b"  ")
    file = folder / os.fsdecode(name)
    whole = file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest().encode() == digest
    return digest_of(file).encode() + name if whole else line


def _to_the_second(told: bytes) -> bytes:
    """Cut instants: an entry's is a microsecond after the one before it, if there is one."""
    return INSTANT.sub(rb"\1", told)
