"""Entries to be appended, and a ledger to append them to; nothing in them was computed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from indexer.digest import digest_bytes
from indexer.ledger.database import open_ledger, publishing
from indexer.ledger.entry import Entry
from indexer.ledger.publish import append

DEFINITION = '{"id":"example"}'
DIGEST = digest_bytes([DEFINITION.encode()])
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)

# A row of every table, no cell of which is empty.
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "levels": [
        ("price", "1000.1250", 1000.125, 1.5, 1500.1875),
        ("net", "1001.0000", 1001.0, 2.0, 2002.0),
    ],
    "constituents": [("600001.SH", 12.5, 9.87, "2026-03-02", 1.0, 0.75, 0.01)],
    "changes": [("600001.SH", "split", 1.0, 2.0, 1.5, 1.25)],
    "signals": [("gap", "a", "b", "c", 20, 0.125, True)],
    "states": [("a", "b", "open", "strong", "2026-03-01", "2026-03-02", 0.5, 0.25)],
    "aligned": [("a", 1000.5, True, False)],
    "members": [("600001.SH", 0.5, 12.0)],
    "findings": [("R14", "10.5% is stale", "Ada", "it is suspended")],
}  # fmt: skip

OLDER = (  # makes a ledger one of the first version of the schema
    "DROP INDEX entries_of_subject",
    "ALTER TABLE entries DROP COLUMN source",
    "UPDATE alembic_version SET version_num = '0001'",
)


def entry(session: str = "2026-03-02", **fields: Any) -> Entry:
    """Return an entry with a row in every table."""
    told = {
        "subject": "example",
        "kind": "index",
        "status": "final",
        "definition": DIGEST,
        "market": "m" * 64,
        "code": "c" * 64,
        "methodology": "1-abc",
        "rows": ROWS,
        "reason": "bad-price",
        "note": "a note",
        "by": "Ada",
        "correction": "run-1",
        "inputs": b"inputs",
        "run": "run-1",
        "basis": 1,
    }
    return Entry(session=session, **{**told, **fields})


def level(value: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of one level."""
    return {"levels": [("price", value, float(value), None, None)]}


def ledger(path: Path) -> sa.Engine:
    """Return the ledger in a folder, made where there is none."""
    return open_ledger(f"sqlite:///{path / 'ledger.db'}", create=True)


def appended(engine: sa.Engine, *new: Entry, now: datetime = MORNING) -> list[Entry]:
    """Append entries, in one transaction, and return them as they stand."""
    with publishing(engine) as connection:
        return append(connection, new, now, {DIGEST: DEFINITION})


def changed(engine: sa.Engine, *statements: str, values: Sequence[Any] = ()) -> None:
    """Change a ledger behind the back of its guards, and put them back as they were."""
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("PRAGMA synchronous = OFF")  # each statement would wait
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type='trigger'"
        )
        guards = list(rows)
        for name, _ in guards:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.exec_driver_sql(statement, tuple(values))
        for _, text in guards:
            connection.exec_driver_sql(text)
    engine.dispose()
