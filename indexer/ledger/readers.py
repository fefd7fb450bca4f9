"""Connections that read alone: the database itself refuses whatever would write to it.

An SQLite ledger is the file of its name: one that has taken the place of another is read from then
on, and where it is gone nothing is, whatever a connection made before still holds open.
"""

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_PRAGMAS = ("query_only=ON", "busy_timeout=2000")


def only_reading(engine: sa.Engine, file: Path | None) -> None:
    """Have the connections of an engine read alone.

    Parameters
    ----------
    file : of an SQLite ledger; None of any other
    """
    if engine.dialect.name != "sqlite":
        sa.event.listen(engine, "connect", _refuse_writes)
        return
    sa.event.listen(engine, "connect", _prepare)
    if file is not None:
        sa.event.listen(engine, "do_connect", partial(_connect, file))
        sa.event.listen(engine, "checkout", partial(_check_replaced, file))


def _connect(file: Path, _: Any, record: Any, *__: Any) -> sqlite3.Connection:
    record.info["file"] = file.stat()  # before it is opened: it may be replaced meanwhile
    name = f"{file.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(name, uri=True, check_same_thread=False)  # a pool lends it to threads


def _check_replaced(file: Path, _: Any, record: Any, __: Any) -> None:
    """Have a connection made anew where its file is no longer the one of that name."""
    if not os.path.samestat(record.info["file"], file.stat()):
        raise sa.exc.DisconnectionError


def _prepare(connection: Any, _: Any) -> None:
    """Set up a fresh SQLite connection that writes nothing, not even how its journal is kept."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _refuse_writes(connection: Any, _: Any) -> None:
    """Set up a fresh PostgreSQL connection that writes nothing."""
    connection.read_only = True
