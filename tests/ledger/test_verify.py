"""Whatever is changed behind the ledger's back is found, and named."""

import re
from types import SimpleNamespace

import pytest

from indexer.digest import digest_bytes
from indexer.errors import LedgerError
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.tables import PARTS, definitions, entries, levels, sqlite_triggers
from indexer.ledger.verify import check_chain, check_database
from tests.ledger.chain import changed

OTHER = {  # SQL that makes another value of a column
    "INTEGER": "{} + 1",
    "TEXT": "{} || 'x'",
    "DOUBLE": "{} + 1.0",
    "BOOLEAN": "NOT {}",
    "BLOB": "CAST({} || 'x' AS BLOB)",
}
CELLS = [(table, column.name) for table in PARTS for column in table.columns]
HEADS = [column.name for column in entries.columns]


def fault(engine):
    """Verify a ledger, which must fail, and return what is said."""
    with reading(engine) as connection:
        try:
            check_database(connection)
            check_chain(connection)
        except LedgerError as error:
            return str(error)
    raise AssertionError("nothing was found")


def other(table, name, where):
    """Return a statement that changes one cell."""
    change = OTHER[str(table.c[name].type).upper()].format(f'"{name}"')
    return f'UPDATE {table.name} SET "{name}" = {change} WHERE {where}'  # noqa: S608


def test_what_was_written_passes(engine):
    with reading(engine) as connection:
        check_database(connection)
        number, head = check_chain(connection)

    assert (number, len(head)) == (3, 64)


@pytest.mark.parametrize("name", HEADS)
def test_a_changed_column_of_an_entry_is_found_and_the_entry_named(engine, name):
    row = 3 if name == "number" else 2  # of the others the next number is taken
    changed(engine, other(entries, name, f"number = {row}"))

    said = fault(engine)
    named = f"(entry {4 if name == 'number' else 2}, " in said or "session (number 2)" in said
    assert named or "rows of no entry" in said


@pytest.mark.parametrize(("table", "name"), CELLS, ids=str)
def test_a_changed_column_of_a_row_is_found_and_the_entry_named(engine, table, name):
    if name == "entry":  # moved to an entry that has a row in that place: take that one away
        changed(engine, f"DELETE FROM {table.name} WHERE entry = 3")  # noqa: S608
    last = 1 if table.name == "levels" else 0
    changed(engine, other(table, name, f"entry = 2 AND position = {last}"))

    said = fault(engine)
    assert "entry 2" in said or (name == "entry" and "entry 3" in said)


@pytest.mark.parametrize("table", PARTS, ids=str)
def test_a_row_taken_away_is_found(engine, table):
    changed(engine, f"DELETE FROM {table.name} WHERE entry = 2 AND position = 0")  # noqa: S608

    assert "entry 2" in fault(engine)


@pytest.mark.parametrize("column", ["digest", "content"])
def test_a_changed_definition_is_found(engine, column):
    changed(engine, other(definitions, column, "1"))

    assert "is not what was written" in fault(engine)


@pytest.mark.parametrize("content", ["{}", "nonsense", "[" * 5000, '{"id": "example"}'])
def test_a_definition_replaced_by_another_text_is_found(engine, content):
    changed(engine, "UPDATE definitions SET content = ?", values=[content])

    assert "is not what was written" in fault(engine)


@pytest.mark.parametrize("content", ["nonsense", "[" * 5000, '{"id": "example"}'])
def test_a_definition_beside_them_in_no_form_of_ours_is_found(engine, content):
    """Its digest is right, and nothing asks for it."""
    digest = digest_bytes([content.encode()])
    changed(engine, "INSERT INTO definitions VALUES (?, ?)", values=[digest, content])

    assert f"definition {digest} is not what was written" in fault(engine)


def test_a_definition_taken_away_is_found(engine):
    changed(engine, "DELETE FROM definitions")

    assert "its definition is missing" in fault(engine)


def test_an_entry_taken_from_the_middle_is_found(engine):
    rows = [f"DELETE FROM {table.name} WHERE entry = 2" for table in PARTS]  # noqa: S608
    changed(engine, *rows, "DELETE FROM entries WHERE number = 2")

    assert fault(engine).endswith("entry 2 is missing")


def test_entries_renumbered_to_close_a_gap_are_found(engine):
    rows = [f"DELETE FROM {table.name} WHERE entry = 2" for table in PARTS]  # noqa: S608
    moved = [f"UPDATE {table.name} SET entry = 2 WHERE entry = 3" for table in PARTS]  # noqa: S608
    changed(
        engine,
        *rows,
        *moved,
        "DELETE FROM entries WHERE number = 2",
        "UPDATE entries SET number = 2 WHERE number = 3",
    )

    assert "2026-03-04 (entry 2, revision 1): it does not follow the entry before it" in fault(
        engine
    )


@pytest.mark.parametrize("number", [0, -1])
def test_an_entry_put_before_the_first_is_found(engine, number):
    """With rows of its own, and a revision that would be in force."""
    changed(
        engine,
        copied(entries, f"number = {number}, revision = 2"),
        copied(levels, f"entry = {number}"),
    )

    assert f"entry {number} is none: the first has the number 1" in fault(engine)


def copied(table, changes):
    """Return a statement that adds the row of the first entry once more, with changes."""
    told = dict(change.split(" = ") for change in changes.split(", "))
    names = [column.name for column in table.columns]
    cells = ", ".join(told.get(name, f'"{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    key = table.columns[0].name
    return f"INSERT INTO {table.name} ({quoted}) SELECT {cells} FROM {table.name} WHERE {key} = 1"  # noqa: S608


def test_a_tail_cut_off_without_its_rows_is_found(engine):
    changed(engine, "DELETE FROM entries WHERE number = 3")

    assert "rows of no entry" in fault(engine)


def test_a_tail_cut_off_whole_is_told_by_the_last_hash(engine):
    """A chain without its end is a chain: who kept the last hash, or the files, sees it."""
    with reading(engine) as connection:
        before = check_chain(connection)
    rows = [f"DELETE FROM {table.name} WHERE entry = 3" for table in PARTS]  # noqa: S608
    changed(engine, *rows, "DELETE FROM entries WHERE number = 3")

    with reading(engine) as connection:
        assert check_chain(connection)[0] == before[0] - 1
        assert check_chain(connection)[1] != before[1]


@pytest.mark.parametrize("name", [name for name, _ in sqlite_triggers()])
def test_a_guard_that_was_dropped_is_named(engine, name):
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")

    assert f"the guard {name} is gone" in fault(engine)


def test_what_was_changed_without_a_guard_is_named(engine):
    """Nothing is changed in SQLite otherwise: the guard alone would never name an entry."""
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER levels_no_update")
        connection.exec_driver_sql("UPDATE levels SET level = '1' WHERE entry = 2")

    assert re.search(
        r"\(entry 2, revision \d\): its rows are not what was written\n.*levels_no_update is gone",
        fault(engine),
    )


def test_a_guard_that_lets_everything_pass_is_named(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER levels_no_update")
        connection.exec_driver_sql(
            "CREATE TRIGGER levels_no_update BEFORE UPDATE ON levels BEGIN SELECT 1; END"
        )

    assert "levels_no_update" in fault(engine)


def damage(file):
    """Open and verify a ledger, and return what is said of it."""
    try:
        return fault(open_ledger(f"sqlite:///{file}"))
    except LedgerError as error:
        return str(error)


def test_a_damaged_page_is_found(engine, tmp_path):
    engine.dispose()
    file = tmp_path / "ledger.db"
    text = bytearray(file.read_bytes())
    text[4096 * 3 : 4096 * 9] = b"\x5a" * 4096 * 6
    file.write_bytes(text)

    assert "damaged" in damage(file)


def test_of_several_damages_the_first_is_told():
    rows = [("row 3 missing from index",), ("row 4 missing from index",)]
    told = SimpleNamespace(dialect=SimpleNamespace(name="sqlite"), exec_driver_sql=lambda _: rows)

    with pytest.raises(LedgerError, match=r"is damaged: row 3 missing from index$"):
        check_database(told)


@pytest.mark.parametrize("word", [b"final", b"CREATE TABLE levels", b"definitions_sealed"])
def test_a_bit_that_makes_text_no_text_is_damage(engine, tmp_path, word):
    """It is not to be tried again: it will be the same tomorrow."""
    engine.dispose()
    file = tmp_path / "ledger.db"
    text = bytearray(file.read_bytes())
    text[text.index(word)] ^= 0x80
    file.write_bytes(text)

    assert "damaged" in damage(file)


def test_a_count_of_free_pages_that_is_none_is_found(written, tmp_path):
    """Every page is whole; the database itself says that they do not add up."""
    content = bytearray(written.read_bytes())
    content[36:40] = (7).to_bytes(4, "big")
    (tmp_path / "ledger.db").write_bytes(content)

    found = fault(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"))

    assert "the database is damaged: " in found
    assert "reelist" in found


def test_no_bit_of_the_head_of_the_file_makes_damage_a_matter_of_time(written, tmp_path):
    content = written.read_bytes()
    for place in range(100):  # what SQLite says of the whole file
        file = tmp_path / "ledger.db"
        file.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        found = open_or_fault(f"sqlite:///{file}")
        assert "damaged" in found or found == "", (place, found)


def open_or_fault(url):
    """Return what is said of a ledger; nothing where it is as it was."""
    try:
        engine = open_ledger(url)
        with reading(engine) as connection:
            check_database(connection)
            check_chain(connection)
    except LedgerError as error:
        return str(error)
    engine.dispose()
    return ""
