"""No cell that never was written is read as if it had been: it is named, with what it holds."""

import pytest

from indexer.errors import LedgerError
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.entry import content_digest
from indexer.ledger.heads import subjects
from indexer.ledger.history import history_rows, read_entry
from indexer.ledger.tables import PARTS, definitions, entries
from indexer.ledger.verify import check_chain
from tests.ledger.chain import appended, changed, entry

NONE = {  # of each kind of column, what is none of its values, as SQL
    "TEXT": ["x'78'", "x''"],
    "INTEGER": ["'x'", "1.5", "x'01'"],
    "DOUBLE": ["'x'", "''", "x'01'", "9e999", "-9e999"],
    "BOOLEAN": ["'yes'", "''", "2", "-1", "1.5", "x'01'"],
    "BLOB": ["'x'", "7"],
}
COLUMNS = [column for table in (entries, definitions, *PARTS) for column in table.columns]
CASES = [
    (column, value)
    for column in COLUMNS
    for value in NONE[str(column.type)]
    if column is not entries.c.number  # SQLite itself holds whole numbers alone in it
]


def fault(engine):
    """Follow the chain of a ledger, which must fail, and return what is said."""
    with reading(engine) as connection, pytest.raises(LedgerError) as caught:
        check_chain(connection)
    return str(caught.value)


@pytest.mark.parametrize(("column", "value"), CASES, ids=str)
def test_what_a_column_cannot_hold_is_named_with_its_place(engine, column, value):
    last = "" if column.table in (entries, definitions) else " AND position = 0"
    key = column.table.columns[0].name
    where = "1" if column.table is definitions else f"{key} = 2{last}"
    changed(engine, f'UPDATE {column.table.name} SET "{column.name}" = {value} WHERE {where}')  # noqa: S608

    said = fault(engine)
    assert f"the database is damaged: {column} (" in said
    assert f"({key} 2" in said or column.name == key or column.table is definitions


def test_the_cell_is_told_with_what_it_holds_and_what_it_should(engine):
    changed(engine, "UPDATE levels SET level_exact = 'much' WHERE entry = 2 AND position = 1")

    assert fault(engine) == (
        "ledger: the database is damaged: levels.level_exact (entry 2, position 1) is 'much', "
        "not a finite number above zero: restore it from a copy, then verify"
    )


def test_a_number_replaced_by_the_text_its_digest_is_taken_of_is_found(engine):
    """So the digest is the same, and cannot tell."""
    with reading(engine) as connection:
        before = read_entry(connection, 2)
    changed(engine, "UPDATE levels SET divisor = ? WHERE entry = 2", values=[(1.5).hex()])
    forged = [(*row[:3], (1.5).hex(), *row[4:]) for row in before.rows["levels"][:1]]
    rows = {**before.rows, "levels": [*forged, *before.rows["levels"][1:]]}

    assert content_digest(rows) == before.content
    assert "levels.divisor (entry 2, position 0) is '0x1.8" in fault(engine)


@pytest.mark.parametrize("value", ["0.0", "-1.0"])
def test_a_level_that_is_not_above_zero_is_found(engine, value):
    changed(engine, f"UPDATE levels SET level_exact = {value} WHERE entry = 2")  # noqa: S608

    assert f"(entry 2, position 0) is {value}, not a finite number above zero" in fault(engine)


@pytest.mark.parametrize("day", ["x", "", "2026-13-01", "2026-02-30", "20260303", "2026-W10-2"])
def test_a_session_that_is_no_day_is_found(engine, day):
    changed(engine, "UPDATE entries SET session = ? WHERE number = 2", values=[day])

    assert f"entries.session (number 2) is {day!r}, not an ISO date" in fault(engine)
    with reading(engine) as connection, pytest.raises(LedgerError, match=r"entries\.session is"):
        history_rows(connection, "example")


def test_nothing_where_something_must_be_is_found(engine):
    """As somebody can bring about who changes what the database says of itself."""
    changed(
        engine,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'rule TEXT NOT NULL', 'rule TEXT')",
    )
    changed(engine, "UPDATE findings SET rule = NULL WHERE entry = 2")

    assert "findings.rule (entry 2, position 0) is None, not text" in fault(engine)


@pytest.mark.parametrize("value", ["'x'", "x'01'", "9e999", "0.0"])
def test_a_reader_is_told_as_well(engine, value):
    changed(engine, f"UPDATE levels SET level_exact = {value} WHERE entry = 2")  # noqa: S608

    with reading(engine) as connection, pytest.raises(LedgerError, match=r"levels\.level_exact is"):
        history_rows(connection, "example")


@pytest.mark.parametrize("value", ["'yes'", "''", "2"])
def test_a_flag_is_true_or_false_and_no_other_truth(engine, value):
    changed(engine, f"UPDATE entries SET synthetic = {value} WHERE number = 2")  # noqa: S608

    with reading(engine) as connection, pytest.raises(LedgerError, match=r"entries\.synthetic is"):
        read_entry(connection, 2)


def test_a_subject_that_is_no_text_is_told(engine):
    changed(engine, "UPDATE entries SET subject = x'78' WHERE number = 2")

    with reading(engine) as connection, pytest.raises(LedgerError, match=r"entries\.subject is b"):
        subjects(connection)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "0"])
def test_what_postgresql_takes_for_a_number_and_we_do_not_is_found(database, value):
    engine = open_ledger(database("cells"), create=True)
    appended(engine, entry())
    with engine.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")  # without guards
        connection.exec_driver_sql(f"UPDATE levels SET level_exact = '{value}'")  # noqa: S608
    engine.dispose()

    assert "levels.level_exact (entry 1, position 0) is" in fault(engine)
    engine.dispose()
