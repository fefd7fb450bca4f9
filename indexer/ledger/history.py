"""What is known, and what was known at an instant: entries in force, and their rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import sqlalchemy as sa

from indexer.ledger.entry import Entry
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
)
_BY_NAME = {table.name: table for table in PARTS}
_HEAD = [entries.c[f.name] for f in fields(Entry) if f.name != "rows"]


class Head(NamedTuple):
    """What tells whether an entry would be the same if it were published again."""

    number: int
    session: str
    revision: int
    status: str
    published_at: str
    definition: str
    market: str
    code: str
    content: str


def in_force(subject: str, kind: str = "index", *, known_at: str | None = None) -> sa.Subquery:
    """Return, as a query, the entries of a subject: of each session the newest revision.

    Parameters
    ----------
    known_at : an instant as the ledger holds it; entries published later are not looked at
    """
    query = sa.select(
        entries,
        sa.func.row_number()
        .over(partition_by=entries.c.session, order_by=entries.c.revision.desc())
        .label("age"),
    ).where(entries.c.subject == subject, entries.c.kind == kind)
    if known_at is not None:
        query = query.where(entries.c.published_at <= known_at)
    ranked = query.subquery()
    newest = sa.select(ranked).where(ranked.c.age == 1)
    return newest.subquery()


def heads(
    connection: sa.Connection,
    subject: str,
    kind: str = "index",
    *,
    between: tuple[str, str] = ("", "9"),
) -> list[Head]:
    """Return the heads of the entries in force, by session, within two ISO dates inclusive."""
    found = in_force(subject, kind)
    rows = connection.execute(
        sa.select(*(found.c[name] for name in Head._fields))
        .where(found.c.session.between(*between))
        .order_by(found.c.session)
    )
    return [Head(*row) for row in rows]


def last_heads(connection: sa.Connection, subject: str, kind: str = "index") -> list[Head]:
    """Return the head appended last, and that of the last session; one where they are the same."""
    columns = [entries.c[name] for name in Head._fields]
    mine = sa.select(*columns).where(entries.c.subject == subject, entries.c.kind == kind).limit(1)
    by_number = mine.order_by(entries.c.number.desc())
    by_session = mine.order_by(entries.c.session.desc(), entries.c.revision.desc())
    found = (connection.execute(query).first() for query in (by_number, by_session))
    return list(dict.fromkeys(Head(*row) for row in found if row is not None))


def all_heads(connection: sa.Connection, subject: str, kind: str = "index") -> list[Head]:
    """Return the head of every revision of every session, in the order of the chain."""
    query = sa.select(*(entries.c[name] for name in Head._fields))
    query = query.where(entries.c.subject == subject, entries.c.kind == kind)
    return [Head(*row) for row in connection.execute(query.order_by(entries.c.number))]


def corrections(connection: sa.Connection, subject: str, kind: str) -> dict[str, list[int]]:
    """Return the numbers of the entries that each correction of a subject has made."""
    query = sa.select(entries.c.correction, entries.c.number).where(
        entries.c.subject == subject, entries.c.kind == kind, entries.c.correction != ""
    )
    found: dict[str, list[int]] = {}
    for correction, number in connection.execute(query.order_by(entries.c.number)):
        found.setdefault(correction, []).append(number)
    return found


def head_before(
    connection: sa.Connection, subject: str, session: str, kind: str = "index"
) -> list[Head]:
    """Return the head in force of the last session before a date; none where there is none."""
    query = (
        sa.select(*(entries.c[name] for name in Head._fields))
        .where(entries.c.subject == subject, entries.c.kind == kind)
        .where(entries.c.session < session)
        .order_by(entries.c.session.desc(), entries.c.revision.desc())
        .limit(1)
    )
    return [Head(*row) for row in connection.execute(query)]


def last_session(connection: sa.Connection, subject: str, kind: str) -> str | None:
    """Return the last session of a subject; None where it was never published."""
    query = sa.select(sa.func.max(entries.c.session))
    query = query.where(entries.c.subject == subject, entries.c.kind == kind)
    found: str | None = connection.scalar(query)
    return found


def last_number(connection: sa.Connection) -> int:
    """Return the number of the last entry of the chain; 0 where there is none."""
    return connection.scalar(sa.select(sa.func.max(entries.c.number))) or 0


def history_rows(
    connection: sa.Connection,
    subject: str,
    *,
    variant: str | None = None,
    known_at: str | None = None,
) -> list[tuple[Any, ...]]:
    """Return one row a session and variant in force, with the columns `COLUMNS`."""
    return _history(connection, in_force(subject, known_at=known_at), variant)


def published_rows(
    connection: sa.Connection, numbers: Sequence[int]
) -> dict[int, list[tuple[Any, ...]]]:
    """Return the rows of `COLUMNS` of some entries, whether in force or not, by entry."""
    return _by_entry(
        connection, numbers, lambda chosen: _history(connection, chosen, None, numbered=True)
    )


def signal_rows(
    connection: sa.Connection, numbers: Sequence[int]
) -> dict[int, list[tuple[Any, ...]]]:
    """Return the rows of `STUDY_COLUMNS` of some entries of a study, by entry."""

    def rows(chosen: sa.Subquery) -> Iterable[Sequence[Any]]:
        head, signal = chosen.c, signals.c
        query = sa.select(
            head.number,
            head.session,
            *(signal[name] for name in STUDY_COLUMNS[1:8]),
            *(head[name] for name in STUDY_COLUMNS[8:12]),
            head.definition,
            head.market,
            head.methodology,
        ).join_from(chosen, signals, signal.entry == head.number)
        return connection.execute(query.order_by(head.number, signal.position))

    return _by_entry(connection, numbers, rows)


def _by_entry(
    connection: sa.Connection,
    numbers: Sequence[int],
    rows: Callable[[sa.Subquery], Iterable[Sequence[Any]]],
) -> dict[int, list[tuple[Any, ...]]]:
    """Return the rows of some entries, whose first cell is the number of the entry, by it."""
    found: dict[int, list[tuple[Any, ...]]] = {number: [] for number in numbers}
    wanted = sorted(found)
    for at in range(0, len(wanted), 500):  # SQLite takes so many values in one question
        some = entries.c.number.in_(wanted[at : at + 500])
        for number, *cells in rows(sa.select(entries).where(some).subquery()):
            found[number].append(tuple(cells))
    return found


def _history(
    connection: sa.Connection, chosen: sa.Subquery, variant: str | None, *, numbered: bool = False
) -> list[tuple[Any, ...]]:
    head, level = chosen.c, levels.c
    query = (
        sa.select(
            *([head.number] if numbered else []),
            head.session,
            level.variant,
            level.level,
            level.level_exact,
            level.divisor,
            head.revision,
            head.status,
            head.published_at,
            head.run,
            head.definition,
            head.market,
            head.methodology,
        )
        .join_from(chosen, levels, level.entry == head.number)
        .order_by(head.session, head.number, level.position)
    )
    if variant is not None:
        query = query.where(level.variant == variant)
    return [tuple(row) for row in connection.execute(query)]


def read_entries(
    connection: sa.Connection, first: int = 1, last: int | None = None
) -> Iterator[Entry]:
    """Yield whole entries in the order of the chain, both numbers inclusive."""
    end = last_number(connection)
    end = end if last is None else min(end, last)
    for begin in range(first, end + 1, 500):
        span = (begin, min(begin + 499, end))
        rows = {name: _grouped(connection, table, span) for name, table in _BY_NAME.items()}
        for head in connection.execute(
            sa.select(*_HEAD).where(entries.c.number.between(*span)).order_by(entries.c.number)
        ):
            cells: dict[str, Any] = dict(head._mapping)
            mine = {name: of[head.number] for name, of in rows.items() if head.number in of}
            yield Entry(**cells, rows=mine)


def read_entry(connection: sa.Connection, number: int) -> Entry:
    """Return one whole entry."""
    return next(read_entries(connection, number, number))


def read_definition(connection: sa.Connection, digest: str) -> str | None:
    """Return the text of a definition by its digest; None where it is not there."""
    query = sa.select(definitions.c.content).where(definitions.c.digest == digest)
    found: str | None = connection.execute(query).scalar()
    return found


def subjects(connection: sa.Connection) -> Mapping[str, str]:
    """Return every index and study there is, and its kind."""
    query = sa.select(entries.c.subject, entries.c.kind).distinct()
    rows = connection.execute(query.where(entries.c.kind.in_(("index", "study"))))
    return dict(sorted((subject, kind) for subject, kind in rows))


def _grouped(
    connection: sa.Connection, table: sa.Table, span: tuple[int, int]
) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    query = sa.select(table).where(table.c.entry.between(*span))
    for entry, _, *cells in connection.execute(query.order_by(table.c.entry, table.c.position)):
        found.setdefault(entry, []).append(tuple(cells))
    return found


def inputs_of_entry(connection: sa.Connection, number: int) -> list[bytes]:
    """Return the stored inputs of an entry and of every entry below it, the lowest first."""
    found: list[bytes] = []
    at: int | None = number
    while at is not None:
        query = sa.select(entries.c.basis, entries.c.inputs).where(entries.c.number == at)
        at, packed = connection.execute(query).one()
        found.append(packed)
    return found[::-1]
