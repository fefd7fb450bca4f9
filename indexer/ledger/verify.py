"""The chain followed from its first entry, and the database's own guards looked at."""

import json

import sqlalchemy as sa

from indexer.digest import canonical_json, digest_bytes
from indexer.errors import LedgerError, Refusal
from indexer.ledger.cells import check_cells
from indexer.ledger.entry import FIRST, Entry, content_digest, hash_of
from indexer.ledger.history import read_entries
from indexer.ledger.tables import PARTS, definitions, entries, postgresql_triggers, sqlite_triggers


def check_database(connection: sa.Connection) -> None:
    """Raise ``LedgerError`` where pages are damaged, guards are gone, or rows have no place.

    Raises
    ------
    LedgerError
        With the first thing that is wrong; where a guard is gone, after the first entry that was
        changed without it.
    """
    if connection.dialect.name == "sqlite":
        found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise _wrong(f"the database is damaged: {found[0]}")
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master")
        there = {name: text for name, text in rows if text}
        expected = dict(sqlite_triggers())
        gone = [name for name, text in expected.items() if there.get(name) != text]
    else:
        rows = connection.exec_driver_sql(
            "SELECT tgname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        )
        there = {row[0]: row[1] for row in rows}
        expected = {name: text.split("$$")[1] for name, text in postgresql_triggers()}
        gone = [name for name, text in expected.items() if there.get(name) != text]
    if gone:
        gone_guard = _wrong(f"the guard {gone[0]} is gone or altered: rows may have been changed")
        try:
            check_chain(connection)
        except LedgerError as changed:
            raise LedgerError([*changed.refusals, *gone_guard.refusals]) from None
        raise gone_guard
    first = connection.scalar(sa.select(sa.func.min(entries.c.number)))
    if first is not None and first < 1:  # the chain is followed from 1: it would not be looked at
        raise _wrong(f"entry {first} is none: the first has the number 1")
    for table in PARTS:
        lost = sa.select(sa.func.count()).select_from(table)
        lost = lost.where(table.c.entry.not_in(sa.select(entries.c.number)))
        if connection.scalar(lost):
            raise _wrong(f"{table.name} has rows of no entry")
        at, count = table.c.position, sa.func.count()
        apart = sa.select(table.c.entry).group_by(table.c.entry)
        apart = apart.having(sa.or_(sa.func.min(at) != 0, sa.func.max(at) != count - 1))
        for number in connection.scalars(apart.order_by(table.c.entry).limit(1)):
            raise _wrong(f"{table.name} of entry {number} are not numbered as they were written")


def check_chain(connection: sa.Connection) -> tuple[int, str]:
    """Return the number and the hash of the last entry, after checking every one.

    Raises
    ------
    LedgerError
        With the first entry that is not what was written.
    """
    for table in (entries, definitions, *PARTS):  # a digest is the same of a double and its text
        check_cells(connection, table)
    known = set()
    for digest, content in connection.execute(sa.select(definitions)):
        if not _is_digest(digest, content):
            raise _wrong(f"definition {digest} is not what was written")
        known.add(digest)
    number, previous = 0, FIRST
    for entry in read_entries(connection):
        number += 1
        why = _fault(entry, number, previous, known)
        if why:
            where = f"{entry.session} (entry {number}, revision {entry.revision})"
            raise LedgerError([Refusal(entry.subject, where, "", why)])
        previous = entry.hash
    return number, previous


def _fault(entry: Entry, number: int, previous: str, known: set[str]) -> str:
    """Return what is wrong with an entry; empty where nothing is."""
    if entry.number != number:
        return f"entry {number} is missing"
    if entry.previous != previous:
        return "it does not follow the entry before it"
    if entry.content != content_digest(entry.rows):
        return "its rows are not what was written"
    if entry.hash != hash_of(entry):
        return "it is not what was written"
    return "" if entry.definition in known else "its definition is missing"


def _is_digest(digest: str, content: str) -> bool:
    try:
        return (
            digest_bytes([content.encode()]) == digest
            and canonical_json(json.loads(content)) == content
        )
    except (ValueError, RecursionError):
        return False


def _wrong(message: str) -> LedgerError:
    return LedgerError([Refusal("ledger", "", "", message)])
