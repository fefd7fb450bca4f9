"""Connections that read alone know a ledger by the name of its file."""

import os
import shutil
import sqlite3

import pytest
import sqlalchemy as sa

from benchmarks.reliability import shown
from indexer.errors import TryAgainError
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.heads import last_hash, marks_since
from indexer.ledger.tables import entries


@pytest.fixture
def file(tmp_path):
    """Give the file of a ledger."""
    shown.write(tmp_path / "ledger.db", 2).dispose()
    return tmp_path / "ledger.db"


@pytest.fixture
def reader(file):
    """Give a ledger opened for reading alone, in whose pool a connection waits."""
    engine = open_ledger(f"sqlite:///{file}", read_only=True)
    yield engine
    engine.dispose()


def read(engine):
    with reading(engine) as connection:
        return last_hash(connection)


def test_a_file_that_has_taken_the_place_of_another_is_read(file, reader, tmp_path):
    shown.write(tmp_path / "longer.db", 3).dispose()
    before = read(reader)
    os.replace(tmp_path / "longer.db", file)

    assert read(reader) != before


def test_a_file_that_is_gone_is_read_no_more_until_it_is_back(file, reader, tmp_path):
    before = read(reader)
    shutil.move(file, tmp_path / "away.db")
    with pytest.raises(TryAgainError, match="No such file"):
        read(reader)
    shutil.move(tmp_path / "away.db", file)

    assert read(reader) == before


def test_a_connection_is_kept_as_long_as_its_file_is_the_same(file, reader):
    """Making one costs many times what a look at the file does."""
    with reader.connect() as first:
        one = first.connection.dbapi_connection
    with sqlite3.connect(file) as writer:
        writer.execute("CREATE TABLE beside (x)")
    with reader.connect() as second:
        assert second.connection.dbapi_connection is one


def test_of_a_long_chain_the_newest_ten_thousand_entries_are_told(file):
    engine = open_ledger(f"sqlite:///{file}")
    with engine.begin() as connection:
        guards = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in guards.all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        first = connection.execute(sa.select(entries).where(entries.c.number == 1)).mappings().one()
        more = ({"number": n, "revision": n, "hash": str(n)} for n in range(100, 10_201))
        connection.execute(entries.insert(), [{**first, **one} for one in more])
        found = marks_since(connection, 1)

    assert [found[0].number, found[-1].number, len(found)] == [10_200, 201, 10_000]
