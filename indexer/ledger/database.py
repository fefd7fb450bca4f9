"""Where the ledger lives: SQLite by default, PostgreSQL by URL, one publisher at a time.

SQLite keeps a rollback journal, not a write-ahead log: with it a power cut after a commit loses
nothing, and Debian's 3.40 is not exposed to the log's known corruption. A publisher takes its turn
before the transaction, so that nobody starves on SQLite's own locks.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from indexer.errors import (
    Flaw,
    LedgerError,
    MissingInputError,
    Refusal,
    TryAgainError,
    UsageError,
    not_installed,
    short,
)
from indexer.ledger.cells import damage
from indexer.ledger.faults import fault
from indexer.ledger.readers import only_reading
from indexer.ledger.tables import entries

try:
    import fcntl
except ImportError:  # not on Windows: there SQLite's own lock has to do
    fcntl = None  # type: ignore[assignment]

SCHEMAS = ("0001", "0002")  # the migrations
SCHEMA = SCHEMAS[-1]
PATIENCE = 60.0  # seconds a publisher waits for its turn

_PRAGMAS = (
    "journal_mode=DELETE",
    "synchronous=EXTRA",
    "foreign_keys=ON",
    f"busy_timeout={PATIENCE * 1000:.0f}",  # a reader of all there is may take a while
)
_TURN = 7310894311706259304  # number of the advisory lock on PostgreSQL: any, but always the same


class NoLedgerError(MissingInputError):
    """There is no ledger: no file, or a database in which none was begun."""


def open_ledger(url: str, *, create: bool = False, read_only: bool = False) -> sa.Engine:
    """Return the ledger at an SQLAlchemy URL, its tables brought up to date if it may be created.

    Parameters
    ----------
    read_only : the database itself refuses whatever would write to it, and is waited for no
        longer than a reader has patience; an SQLite file is looked for under its name each time

    Raises
    ------
    NoLedgerError
        If there is no ledger there, and it may not be created.
    UsageError
        If the URL is none of a ledger.
    MissingInputError
        If its folder is missing, or it is of an older schema and may not be brought up to date; if
        the driver is not installed, or `reading` says so.
    LedgerError
        If what is there is no ledger, or a newer version wrote it.
    OutputError
        If SQLite may not write its file, or beside it.
    TryAgainError
        If the database cannot be reached, opened or written.
    """
    engine = _engine(url)
    if engine.dialect.name == "sqlite":
        file = _file(engine)
        if file is not None and not create and not _is_there(file):
            raise NoLedgerError([Flaw(str(file), None, "", "no such ledger: publish first")])
        if file is not None and os.path.isdir(file):
            message = "is a folder: name a file in it"
            raise LedgerError([Refusal(name_of(engine), "", "", message)])
        if file is not None and not os.path.isdir(file.parent):
            raise MissingInputError([Flaw(str(file.parent), None, "", "no such folder")])
        if not read_only:
            sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
    if read_only:
        only_reading(engine, _file(engine))
    found = _schema(engine)
    if found == SCHEMA:
        return engine
    if not create:
        if found is None:
            message = "holds no ledger: publish first"
            raise NoLedgerError([Flaw(name_of(engine), None, "", message)])
        message = f"has schema {found}, not {SCHEMA}: the next publication brings it up to date"
        raise MissingInputError([Flaw(name_of(engine), None, "", message)])
    with publishing(engine) as connection:
        _migrate(connection)
    return engine


def _engine(url: str) -> sa.Engine:
    """Return the engine of a URL; raise where it is none of a ledger, or has no driver here."""
    kind, _, rest = url.partition(":")
    why = "is no URL of a ledger: write sqlite:///FILE, or postgresql://USER@HOST/DATABASE"
    if rest.startswith("//") and kind.partition("+")[0] in {"sqlite", "postgresql"}:
        try:
            return sa.create_engine(url)
        except ImportError as error:
            if kind.partition("+")[2] in {"", "psycopg"}:
                raise not_installed("psycopg", "postgres") from error
            why = str(error)
        except (sa.exc.ArgumentError, ValueError) as error:
            # What the last one says may be a part of a password.
            why = "its port is no number" if isinstance(error, ValueError) else str(error)
    raise UsageError("ledger", f"{kind!r}: {why}")


def name_of(engine: sa.Engine) -> str:
    """Return the URL of a ledger without its password, nor one among its options."""
    url = engine.url
    secret = [key for key in url.query if "password" in key.lower()]
    return url.difference_update_query(secret).render_as_string(hide_password=True)


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that sees one state of the ledger.

    Raises
    ------
    MissingInputError
        If a server does not know the database or the user, or does not let him in, nobody knows
        the server, or SQLite may not read its file.
    LedgerError
        If the database is damaged.
    OutputError
        If SQLite may not open its file for writing.
    TryAgainError
        If it cannot be reached or read now.
    """
    with _named(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def publishing(engine: sa.Engine, patience: float = PATIENCE) -> Iterator[sa.Connection]:
    """Give the one connection that may write; everything done with it is committed, or nothing.

    Raises
    ------
    MissingInputError
        As `reading` does.
    LedgerError
        If the database is damaged, or refuses a change of what was published.
    OutputError
        If SQLite may not write its file, or beside it.
    TryAgainError
        If another publisher holds the ledger for longer than ``patience`` seconds, or the database
        cannot be written now.
    """
    with _named(engine), _turn(engine, patience), engine.connect() as connection:
        connection.execution_options(writing=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                wait = int(patience * 1000)
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait}")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))
            yield connection


def _file(engine: sa.Engine) -> Path | None:
    """Return the file of an SQLite ledger; None where it is in memory, and of any other."""
    name = engine.url.database if engine.dialect.name == "sqlite" else None
    return None if name in (None, "", ":memory:") else Path(str(name))


def _prepare(connection: Any, _: Any) -> None:
    """Set up a fresh SQLite connection; sqlite3 must not begin transactions by itself."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _turn(engine: sa.Engine, patience: float) -> Iterator[None]:
    """Hold the right to publish; the system gives it back if the process dies."""
    file = _file(engine)
    if file is None or fcntl is None:
        yield
        return
    file = file.resolve()  # whichever way to it somebody takes, there is one turn
    lock = file.with_name(f"{file.name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    if not _taken(handle, patience):
        raise TryAgainError(
            name_of(engine), f"another publisher has held it for {patience:g} seconds"
        )
    try:
        yield
    finally:
        os.close(handle)


def _taken(handle: int, patience: float) -> bool:
    """Wait for a lock; return whether it came in time. The handle is closed where it did not.

    Raises
    ------
    OSError
        If the system gives no such lock.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    except OSError:
        os.close(handle)
        raise
    else:
        return True
    settled = threading.Lock()  # whoever gets it first decides: the lock came, or patience ended
    failed: list[OSError] = []

    def wait() -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            failed.append(error)
        if not settled.acquire(blocking=False):
            os.close(handle)  # too late: nobody wants it any more

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    waiter.join(patience)
    came = not waiter.is_alive() or not settled.acquire(blocking=False)
    if came and failed:
        os.close(handle)
        raise failed.pop()
    return came


@contextmanager
def _named(engine: sa.Engine) -> Iterator[None]:
    """Turn what a database driver raises into what a caller can decide on."""
    try:
        yield
    except (sa.exc.DBAPIError, UnicodeDecodeError, OSError) as error:
        raise fault(error, name_of(engine), _file(engine)) from error


def _is_there(file: Path) -> bool:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # in a folder one may not enter, of a name too long
        raise MissingInputError([Flaw(str(file), None, "", str(error.strerror))]) from None
    return True


def _schema(engine: sa.Engine) -> str | None:
    """Return the newest migration a database has had; None where it is empty.

    Raises
    ------
    LedgerError
        If a newer version wrote it, or what it says of itself cannot be.
    """
    with reading(engine) as connection:
        inspector = sa.inspect(connection)
        if not inspector.has_table("alembic_version"):
            return None
        rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        versions = rows.scalars().all()
        found = str(versions[0]) if len(versions) == 1 else ""
        if re.fullmatch("[0-9]{4}", found) and found > SCHEMA:
            newer = f"was written by a newer version (schema {found}, known {SCHEMA})"
            raise LedgerError([Refusal(name_of(engine), "", "", f"{newer}: update indexer")])
        why = f"not one of {', '.join(SCHEMAS)}"
        if found in SCHEMAS:
            why = "" if found == SCHEMA else _not_older(inspector)
        if why:
            said = " and ".join(sorted(map(short, versions))) or "nothing"
            raise damage(f"it says that its schema is {said}, {why}", name_of(engine))
        return found


def _not_older(inspector: sa.Inspector) -> str:
    """Return why the newest migration cannot be what is to be done next; empty where it can."""
    if not inspector.has_table(entries.name):
        return f"yet there is no table {entries.name}"
    columns = {column["name"] for column in inspector.get_columns(entries.name)}
    indices = {index["name"] for index in inspector.get_indexes(entries.name)}
    newer = "source" in columns or "entries_of_subject" in indices
    return "yet its tables are newer" if newer else ""


def _migrate(connection: sa.Connection) -> None:
    """Bring the tables up to date, inside the transaction of the connection."""
    from alembic import command  # noqa: PLC0415  0.2 s, only where there is something to do
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
