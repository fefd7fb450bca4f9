"""A small ledger to damage, and a PostgreSQL server on loopback, as a user without rights."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.ledger.database import open_ledger
from tests.ledger.chain import appended, entry, ledger

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _unprivileged(*command: str | Path) -> list[str]:
    """Return a command as it is run by a user who is not root: the server refuses him."""
    if os.geteuid() != 0:
        return list(map(str, command))
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *map(str, command)]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _why_not() -> str:
    if not PROGRAMS:
        return "no PostgreSQL server is installed below /usr/lib/postgresql"
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return "there is no user postgres to run the server as"
    return ""


def _wait(url: str) -> None:
    for _ in range(100):
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not answer within ten seconds")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Yield the URL of a server's database, without the name of one."""
    if why := _why_not():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="indexer-postgresql-"))
    programs, data, port = PROGRAMS[-1], folder / "data", _free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    made = ("-D", data, "-U", "indexer", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
    subprocess.run(
        _unprivileged(programs / "initdb", *made), check=True, capture_output=True, cwd=folder
    )
    options = ("-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F")
    process = subprocess.Popen(
        _unprivileged(programs / "postgres", *options),
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"postgresql+psycopg://indexer:secret@127.0.0.1:{port}"
        _wait(f"{url}/postgres")
        yield url
    finally:
        process.send_signal(signal.SIGINT)  # which waits for no client
        process.wait(10)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def database(server: str) -> Callable[[str], str]:
    """Return a way to make an empty database, and have its URL."""

    def made(name: str) -> str:
        engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return f"{server}/{name}"

    return made


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger with three entries, which no test changes."""
    folder = tmp_path_factory.mktemp("written")
    engine = ledger(folder)
    appended(engine, *(entry(f"2026-03-0{n}") for n in (2, 3, 4)))
    engine.dispose()
    return folder / "ledger.db"


@pytest.fixture
def engine(written: Path, tmp_path: Path) -> sa.Engine:
    """Return a copy of it."""
    shutil.copy(written, tmp_path)
    return open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
