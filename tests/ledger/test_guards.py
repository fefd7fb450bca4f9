"""What was published cannot be changed, whoever asks: the database itself refuses."""

import pytest
import sqlalchemy as sa

from indexer.errors import LedgerError
from indexer.ledger import tables
from indexer.ledger.database import open_ledger, publishing, reading
from indexer.ledger.history import read_entries
from indexer.ledger.migrations.versions import ledger_0001
from indexer.ledger.tables import (
    NEVER,
    PARTS,
    TABLES,
    definitions,
    entries,
    members,
    postgresql_triggers,
    sqlite_triggers,
)
from indexer.ledger.verify import check_chain, check_database
from tests.ledger.chain import DIGEST, ROWS, appended, entry, ledger

ALL = [entries, definitions, *PARTS]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    """Return a ledger with two entries."""
    engine = ledger(tmp_path_factory.mktemp("sqlite"))
    appended(engine, entry(), entry("2026-03-03"))
    return engine


@pytest.fixture(scope="module")
def postgres(database):
    """Yield the same on PostgreSQL."""
    engine = open_ledger(database("guards"), create=True)
    appended(engine, entry(), entry("2026-03-03"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request):
    """Return one after the other."""
    return request.getfixturevalue(request.param)


def refused(engine, statement):
    """Do something to a ledger, which must be refused; return what it said."""
    with pytest.raises(LedgerError) as caught, publishing(engine) as connection:
        connection.execute(sa.text(statement) if isinstance(statement, str) else statement)
    return str(caught.value)


def copied(table, **changed):
    """Return an insertion of a row that is there, with some columns changed."""
    columns = [sa.literal(changed[c.name]) if c.name in changed else c for c in table.columns]
    chosen = sa.select(*columns).order_by(*table.primary_key.columns).limit(1)
    return sa.insert(table).from_select([c.name for c in table.columns], chosen)


@pytest.mark.parametrize("table", ALL, ids=str)
def test_no_row_is_updated(engine, table):
    for column in table.columns:
        assert NEVER in refused(engine, sa.update(table).values({column.name: column}))


@pytest.mark.parametrize("table", ALL, ids=str)
def test_no_row_is_deleted(engine, table):
    assert NEVER in refused(engine, sa.delete(table))


@pytest.mark.parametrize("table", PARTS, ids=str)
def test_no_row_is_added_to_an_entry_that_is_there(engine, table):
    assert NEVER in refused(engine, copied(table, position=7))


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 1, "revision": 9},
        {"number": 4, "revision": 9},
        {"number": 0, "revision": 9},
        {"number": 3},
    ],
    ids=["a number that is taken", "a gap", "before the first", "a revision that is there"],
)
def test_no_entry_is_put_out_of_its_place(engine, changed):
    assert NEVER in refused(engine, copied(entries, **changed))


def test_no_definition_is_written_twice(engine):
    assert NEVER in refused(engine, copied(definitions, content="{}"))


@pytest.mark.parametrize("table", ALL, ids=str)
def test_nothing_is_replaced_on_sqlite(sqlite, table):
    """REPLACE removes the older row without asking the trigger on removal."""
    assert NEVER in refused(sqlite, copied(table).prefix_with("OR REPLACE"))


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_truncated_on_postgresql(postgres, table):
    assert NEVER in refused(postgres, f"TRUNCATE {table} CASCADE")


def test_rows_of_no_entry_do_not_outlive_their_transaction(engine):
    row = dict(zip(members.columns.keys(), (9, 0, *ROWS["members"][0]), strict=True))

    assert "foreign key" in refused(engine, sa.insert(members).values(row)).lower()


def test_both_databases_hold_the_same_entries(sqlite, postgres):
    told = []
    for engine in (sqlite, postgres):
        with reading(engine) as connection:
            check_database(connection)
            assert check_chain(connection)[0] == 2
            told.append(list(read_entries(connection)))

    assert told[0] == told[1]
    assert told[0][0].definition == DIGEST


@pytest.fixture
def broken(database):
    """Yield a ledger of its own on PostgreSQL, whose guards may be touched."""
    engine = open_ledger(database("broken"), create=True)
    appended(engine, entry())
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER levels_no_update ON levels",
        "ALTER TABLE levels DISABLE TRIGGER levels_no_update",
        "CREATE OR REPLACE FUNCTION levels_no_update() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NEW; END $$",
    ],
    ids=["dropped", "disabled", "its function replaced"],
)
def test_a_guard_of_postgresql_that_is_gone_is_named(broken, statement):
    with broken.begin() as connection:
        connection.exec_driver_sql(statement)

    with reading(broken) as connection, pytest.raises(LedgerError, match="levels_no_update"):
        check_database(connection)


def test_a_new_ledger_has_the_guards_that_are_asked_for(tmp_path):
    with reading(ledger(tmp_path)) as connection:
        check_database(connection)


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        (ledger_0001._sqlite_guards, sqlite_triggers),
        (ledger_0001._postgresql_guards, postgresql_triggers),
    ],
    ids=["sqlite", "postgresql"],
)
def test_the_first_version_has_the_guards_that_are_asked_for_and_no_other(kept, asked):
    """One that is no more asked for would be dropped without anybody noticing."""
    assert [text for table in TABLES for text in kept(table)] == [text for _, text in asked()]


def test_a_guard_that_changes_leaves_the_first_version_as_it_was(tmp_path, monkeypatch):
    """Otherwise a ledger begun after the change has another history than one begun before it."""
    monkeypatch.setattr(tables, "NEVER", "something else")

    with ledger(tmp_path).connect() as connection:
        found = "SELECT sql FROM sqlite_master WHERE name = 'levels_no_update'"
        assert NEVER in str(connection.scalar(sa.text(found)))
