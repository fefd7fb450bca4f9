"""Bugs planted in the publisher while a campaign looks on: one that is not found blinds it.

Each is a patch of the running process, never of the product.
"""

import os
import stat
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.reliability.observe import OUT


def plant(name: str) -> None:
    """Plant a bug in this process."""
    BUGS[name]()


def _no_file_sync() -> None:
    _sync_only(stat.S_ISDIR)


def _no_folder_sync() -> None:
    _sync_only(stat.S_ISREG)


def _sync_only(kind: Callable[[int], bool]) -> None:
    sync = os.fsync

    def fsync(file: int) -> None:
        if kind(os.fstat(file).st_mode):
            sync(file)

    os.fsync = fsync  # type: ignore[assignment]


def _files_first() -> None:
    """Write the files before the transaction is committed."""
    publish = import_module("indexer.run.publish")
    derived = import_module("indexer.run.derived")
    append = publish.append

    def appending(connection: sa.Connection, new: Sequence[Any], *given: Any) -> Any:
        done = append(connection, new, *given)
        for entry in done[-1:]:
            files = derived._files(connection, entry.subject, entry.kind, {})
            derived.write_folders(Path(OUT), {entry.subject: files}, "csv")
        return done

    publish.append = appending  # type: ignore[attr-defined]


def _two_transactions() -> None:
    """Commit the first sessions of a range before the others.

    Half an entry cannot be committed: foreign keys and the triggers of the tables forbid it.
    """
    publish = import_module("indexer.run.publish")
    append = publish.append

    def appending(connection: sa.Connection, new: Sequence[Any], *given: Any) -> Any:
        half = len(new) // 2
        done = append(connection, new[:half], *given)
        for statement in ("COMMIT", "BEGIN IMMEDIATE"):
            connection.exec_driver_sql(statement)
        return [*done, *append(connection, new[half:], *given)]

    publish.append = appending  # type: ignore[attr-defined]


def _no_database_sync() -> None:
    database = import_module("indexer.ledger.database")
    database._PRAGMAS = tuple(  # type: ignore[attr-defined]
        "synchronous=OFF" if pragma.startswith("synchronous") else pragma
        for pragma in database._PRAGMAS
    )


BUGS: dict[str, Callable[[], None]] = {
    "no fsync of the file": _no_file_sync,
    "no fsync of the directory": _no_folder_sync,
    "files before the ledger": _files_first,
    "two transactions": _two_transactions,
    "synchronous off": _no_database_sync,
}
