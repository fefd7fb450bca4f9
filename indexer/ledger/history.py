"""What is published, and what was published at an instant: levels, signals and whole entries."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from indexer.ledger.cells import damage
from indexer.ledger.entry import Entry, Row
from indexer.ledger.heads import IN_FORCE, IN_FORCE_AT, MINE, last_number
from indexer.ledger.tables import PARTS, definitions, entries, levels, signals

COLUMNS = (  # of the history of an index, in order
    "date",
    "variant",
    "level",
    "level_exact",
    "divisor",
    "revision",
    "status",
    "published_at",
    "run",
    "basket_digest",
    "market_digest",
    "methodology",
)
STUDY_COLUMNS = (  # of the published signals of a study, in order
    "date",
    "signal",
    "leader",
    "follower",
    "other",
    "window",
    "value",
    "backtested",
    "revision",
    "status",
    "published_at",
    "run",
    "study_digest",
    "market_digest",
    "methodology",
    "synthetic",
)

_HEAD = [entries.c[f.name] for f in fields(Entry) if f.name != "rows"]
_SPAN = (sa.bindparam("first", type_=sa.Integer), sa.bindparam("last", type_=sa.Integer))
_SOME = entries.c.number.in_(sa.bindparam("numbers", expanding=True))

LEVEL_CELLS = (  # of `COLUMNS`, without the date
    *(levels.c[name] for name in COLUMNS[1:5]),
    *(entries.c[name] for name in COLUMNS[5:9]),
    entries.c.definition,
    entries.c.market,
    entries.c.methodology,
)
SIGNAL_CELLS = (  # of `STUDY_COLUMNS`, without the date
    *(signals.c[name] for name in STUDY_COLUMNS[1:8]),
    *(entries.c[name] for name in STUDY_COLUMNS[8:12]),
    entries.c.definition,
    entries.c.market,
    *(entries.c[name] for name in STUDY_COLUMNS[14:]),
)
_LEVELS = sa.select(entries.c.number, entries.c.session, *LEVEL_CELLS).join_from(
    entries, levels, levels.c.entry == entries.c.number
)
_BY_SESSION = _LEVELS.where(*MINE).order_by(entries.c.session, levels.c.position)
_BY_NUMBER = _LEVELS.where(_SOME).order_by(entries.c.number, levels.c.position)
_SIGNALS = (
    sa.select(entries.c.number, entries.c.session, *SIGNAL_CELLS)
    .join_from(entries, signals, signals.c.entry == entries.c.number)
    .where(_SOME)
    .order_by(entries.c.number, signals.c.position)
)
_ENTRIES = sa.select(*_HEAD).where(entries.c.number.between(*_SPAN)).order_by(entries.c.number)
_ROWS = {
    table.name: sa.select(table)
    .where(table.c.entry.between(*_SPAN))
    .order_by(table.c.entry, table.c.position)
    for table in PARTS
}
_INPUTS = sa.select(entries.c.basis, entries.c.inputs).where(
    entries.c.number == sa.bindparam("number")
)
_DEFINITION = sa.select(definitions.c.content).where(definitions.c.digest == sa.bindparam("digest"))


def history_rows(
    connection: sa.Connection,
    subject: str,
    *,
    variant: str | None = None,
    known_at: str | None = None,
) -> list[Row]:
    """Return one row of `COLUMNS` a session and variant: the revision in force, now or then.

    Parameters
    ----------
    known_at : an instant as the ledger holds it; entries published later are not looked at
    """
    asked = {"subject": subject, "kind": "index"}
    query = _BY_SESSION.where(IN_FORCE)
    if known_at is not None:
        query = _BY_SESSION.where(IN_FORCE_AT)
        asked["known_at"] = known_at
    rows = (tuple(row)[1:] for row in connection.execute(query, asked))
    return [row for row in rows if variant in (None, row[1])]


def columns_of(kind: str) -> tuple[str, ...]:
    """Return the columns of what is published of an ``index`` or a ``study``."""
    return STUDY_COLUMNS if kind == "study" else COLUMNS


def published_rows(
    connection: sa.Connection, numbers: Sequence[int], kind: str = "index"
) -> dict[int, list[Row]]:
    """Return what some entries of a kind publish, in force or not, as `columns_of` it, by entry."""
    query = _SIGNALS if kind == "study" else _BY_NUMBER
    found: dict[int, list[Row]] = {number: [] for number in numbers}
    wanted = sorted(found)
    for at in range(0, len(wanted), 500):  # SQLite takes so many values in one question
        for number, *cells in connection.execute(query, {"numbers": wanted[at : at + 500]}):
            found[number].append(tuple(cells))
    return found


def read_entries(connection: sa.Connection) -> Iterator[Entry]:
    """Yield every entry, whole, in the order of the chain."""
    for before in range(0, last_number(connection), 500):
        yield from _entries_between(connection, before + 1, before + 500)


def read_entry(connection: sa.Connection, number: int) -> Entry:
    """Return one whole entry."""
    return next(_entries_between(connection, number, number))


def _entries_between(connection: sa.Connection, first: int, last: int) -> Iterator[Entry]:
    """Yield entries with all their rows, both numbers inclusive."""
    span = {"first": first, "last": last}
    rows: dict[str, dict[int, list[Row]]] = {}
    for name, query in _ROWS.items():
        for entry, _, *cells in connection.execute(query, span):
            rows.setdefault(name, {}).setdefault(entry, []).append(tuple(cells))
    for head in connection.execute(_ENTRIES, span):
        facts: dict[str, Any] = dict(head._mapping)
        mine = {name: of[head.number] for name, of in rows.items() if head.number in of}
        yield Entry(**facts, rows=mine)


def read_definition(connection: sa.Connection, digest: str) -> str | None:
    """Return the text of a definition by its digest; None where it is not there."""
    found: str | None = connection.scalar(_DEFINITION, {"digest": digest})
    return found


def inputs_of_entry(connection: sa.Connection, number: int) -> list[bytes]:
    """Return the stored inputs of an entry and of every entry below it, the lowest first.

    Raises
    ------
    LedgerError
        If one adds to the inputs of an entry that is not before it, or not there.
    """
    found: list[bytes] = []
    at: int | None = number
    while at is not None:
        row = connection.execute(_INPUTS, {"number": at}).first()
        if row is None or (row.basis is not None and row.basis >= at):  # else it would never end
            raise damage(f"entries.basis of entry {number} does not lead to an entry before it")
        found.append(row.inputs)
        at = row.basis
    return found[::-1]
