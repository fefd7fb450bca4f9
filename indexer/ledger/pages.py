"""What is published of one subject a page at a time, for readers who ask for a range of it.

A page goes on after a place: a session and, within it, a position. Both are those of the rows
themselves, so a page neither repeats nor leaves out a row whatever was published since the last.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from indexer.ledger.entry import Row
from indexer.ledger.heads import AFTER_ALL, IN_FORCE_AT, MINE
from indexer.ledger.history import COLUMNS, LEVEL_CELLS, SIGNAL_CELLS
from indexer.ledger.tables import constituents, entries, levels, signals, states

LEVEL_COLUMNS = (*COLUMNS, "backtested", "synthetic")


def _told(table: sa.Table) -> tuple[str, ...]:
    """Return the columns of a table that say something of an entry, as plain text."""
    names = (str(column.name) for column in table.columns)
    return tuple(name for name in names if name not in ("entry", "position"))


CONSTITUENT_COLUMNS = ("date", *_told(constituents), "carried")
STATE_COLUMNS = ("date", *_told(states))
HEAD_COLUMNS = (  # of the entry that an answer is about; after them how many prices are carried
    "number",
    "session",
    "revision",
    "status",
    "published_at",
    "run",
    "content",
    "definition",
    "market",
    "methodology",
    "synthetic",
    "backtested",
    "source",
)
PUBLICATION_COLUMNS = ("published_at", "first", "last", "sessions", "corrected")


class Place(NamedTuple):
    """Where a page ends: the session and position of its last row."""

    session: str = ""
    position: int = -1


class Span(NamedTuple):
    """Which rows are asked for.

    Attributes
    ----------
    subject : id of the index or study
    first, last : ISO dates, inclusive
    after : the place at which the page before ended
    known_at : instant as the ledger holds it; entries published later are not looked at
    limit : largest number of rows
    """

    subject: str
    first: str = ""
    last: str = AFTER_ALL
    after: Place = Place()
    known_at: str = AFTER_ALL
    limit: int = 1000


class Page(NamedTuple):
    """Rows, and the place where the next page goes on; None on the last one."""

    rows: list[Row]
    after: Place | None


def level_page(connection: sa.Connection, span: Span, variant: str = "") -> Page:
    """Return rows of `LEVEL_COLUMNS` of an index, of one variant or all."""
    return _page(connection, _LEVELS, span, {"kind": "index", "variant": variant})


def signal_page(
    connection: sa.Connection, span: Span, signal: str = "", leader: str = "", follower: str = ""
) -> Page:
    """Return rows of `STUDY_COLUMNS` of a study; what is empty is not asked for."""
    named = {"signal": signal, "leader": leader, "follower": follower}
    return _page(connection, _SIGNALS, span, {"kind": "study", **named})


def constituent_page(connection: sa.Connection, span: Span) -> Page:
    """Return rows of `CONSTITUENT_COLUMNS` of an index."""
    return _page(connection, _CONSTITUENTS, span, {"kind": "index"})


def state_page(connection: sa.Connection, span: Span) -> Page:
    """Return rows of `STATE_COLUMNS` of a study."""
    return _page(connection, _STATES, span, {"kind": "study"})


def head_at(connection: sa.Connection, span: Span, kind: str) -> Row | None:
    """Return `HEAD_COLUMNS` of the last entry in force within a span; None where there is none."""
    asked = {"subject": span.subject, "kind": kind, "known_at": span.known_at}
    between = {"first": span.first, "last": span.last}
    row = connection.execute(_HEAD, asked | between).first()
    return None if row is None else tuple(row)


def publications(connection: sa.Connection, subject: str, kind: str, limit: int) -> list[Row]:
    """Return the last instants at which something of a subject was published, newest first.

    Rows of `PUBLICATION_COLUMNS`: the first and the last session, how many, and how many
    of them corrected: that an index was retired is no correction.
    """
    asked = {"subject": subject, "kind": kind, "limit": limit}
    return [tuple(row) for row in connection.execute(_PUBLICATIONS, asked)]


def is_published(connection: sa.Connection, subject: str, kind: str) -> bool:
    """Return whether there is an index, or a study, of an id."""
    return connection.scalar(_ANY, {"subject": subject, "kind": kind}) is not None


def last_known(connection: sa.Connection, known_at: str = AFTER_ALL) -> tuple[int, str]:
    """Return the number of the last entry published by an instant, and its own; 0 and no text."""
    found = connection.execute(_LAST_KNOWN, {"known_at": known_at}).first()
    return (0, "") if found is None else (found[0], found[1])


def subject_spans(connection: sa.Connection, kind: str, number: int) -> list[tuple[str, str]]:
    """Return the indices, or studies, of the entries up to a number: ids and first sessions.

    They are in the order of their ids.
    """
    # Ordered here: a database has an order of its own, and what pages go on after is compared here.
    found = connection.execute(_SUBJECTS, {"kind": kind, "number": number})
    return sorted((id, first) for id, first in found)


def first_session(connection: sa.Connection, subject: str, kind: str, known_at: str) -> str:
    """Return the first session published by an instant; empty where there is none."""
    asked = {"subject": subject, "kind": kind, "known_at": known_at}
    return connection.scalar(_FIRST, asked) or ""


def last_instant(connection: sa.Connection, subject: str, kind: str) -> str:
    """Return when the last entry of a subject was published; empty where there is none."""
    return connection.scalar(_LAST_INSTANT, {"subject": subject, "kind": kind}) or ""


def _page(
    connection: sa.Connection, query: sa.Select[Any], span: Span, named: Mapping[str, str]
) -> Page:
    session, position = span.after
    asked = {
        "subject": span.subject,
        "first": max(span.first, session),
        "last": span.last,
        "session": session,
        "position": position,
        "known_at": span.known_at,
        "limit": span.limit + 1,  # one more tells whether there is a next page
        **named,
    }
    found = [tuple(row) for row in connection.execute(query, asked)]
    rows = [row[1:] for row in found[: span.limit]]
    if len(found) <= span.limit:
        return Page(rows, None)
    at, day = found[span.limit - 1][:2]
    return Page(rows, Place(day, at))


def _paged(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the question for a page of a table, in which the second column is the session."""
    session = sa.bindparam("session", type_=sa.Text)
    position = sa.bindparam("position", type_=sa.Integer)
    return (
        sa.select(table.c.position, entries.c.session, *columns)
        .join_from(entries, table, table.c.entry == entries.c.number)
        .where(*MINE, IN_FORCE_AT, entries.c.session.between(*_SPAN))
        .where(sa.or_(entries.c.session > session, table.c.position > position))
        .order_by(entries.c.session, table.c.position)
        .limit(_LIMIT)
    )


def _named(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return whether a column is what is asked for; everything is where nothing is."""
    asked = sa.bindparam(column.key, type_=sa.Text)
    return sa.or_(asked == "", column == asked)


_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_SPAN = (sa.bindparam("first", type_=sa.Text), sa.bindparam("last", type_=sa.Text))
_CARRIED = (  # how many constituents had no close of the session itself
    sa.select(sa.func.count())
    .where(constituents.c.entry == entries.c.number, constituents.c.dated < entries.c.session)
    .scalar_subquery()
)
_LEVELS = _paged(
    levels,
    *LEVEL_CELLS,
    entries.c.backtested,
    entries.c.synthetic,
).where(_named(levels.c.variant))
_SIGNALS = _paged(signals, *SIGNAL_CELLS).where(
    *(_named(signals.c[name]) for name in ("signal", "leader", "follower"))
)
_CONSTITUENTS = _paged(
    constituents,
    *(constituents.c[name] for name in CONSTITUENT_COLUMNS[1:-1]),
    constituents.c.dated < entries.c.session,
)
_STATES = _paged(states, *(states.c[name] for name in STATE_COLUMNS[1:]))
_HEAD = (
    sa.select(*(entries.c[name] for name in HEAD_COLUMNS), _CARRIED)
    .where(*MINE, IN_FORCE_AT, entries.c.session.between(*_SPAN))
    .order_by(entries.c.session.desc())
    .limit(1)
)
_ANY = sa.select(entries.c.number).where(*MINE).limit(1)
_PUBLICATIONS = (
    sa.select(
        entries.c.published_at,
        sa.func.min(entries.c.session),
        sa.func.max(entries.c.session),
        sa.func.count(),
        sa.func.sum(sa.case((entries.c.status == "corrected", 1), else_=0)),
    )
    .where(*MINE)
    .group_by(entries.c.published_at)
    .order_by(entries.c.published_at.desc())
    .limit(_LIMIT)
)
_KNOWN = entries.c.published_at <= sa.bindparam("known_at")
_LAST_KNOWN = (
    sa.select(entries.c.number, entries.c.published_at)
    .where(_KNOWN)
    .order_by(entries.c.number.desc())
    .limit(1)
)
_SUBJECTS = (  # by number: an instant is in no index, and entries are published in their order
    sa.select(entries.c.subject, sa.func.min(entries.c.session))
    .where(entries.c.kind == sa.bindparam("kind"), entries.c.number <= sa.bindparam("number"))
    .group_by(entries.c.subject)
)
_FIRST = sa.select(sa.func.min(entries.c.session)).where(*MINE, _KNOWN)
_LAST_INSTANT = (
    sa.select(entries.c.published_at).where(*MINE).order_by(entries.c.number.desc()).limit(1)
)
