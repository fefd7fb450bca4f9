"""Heads of entries: what tells which revisions there are, and whether they would be the same again.

The questions are written down once: putting one together costs more than answering it. Whoever
reads rows of a ledger, here or elsewhere, may meet a cell that is not what its column holds: that
is damage, a ``LedgerError``.
"""

from typing import NamedTuple

import sqlalchemy as sa

from indexer.ledger.tables import entries

AFTER_ALL = "9"  # after every ISO date, as text


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
    synthetic: bool
    backtested: bool
    source: str


class Mark(NamedTuple):
    """One entry of the chain: its hash names all that was published before it as well."""

    number: int = 0
    subject: str = ""
    hash: str = ""


_later = entries.alias()
_span = (sa.bindparam("first", type_=sa.Text), sa.bindparam("last", type_=sa.Text))


def _same_session(known: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.max(_later.c.revision))
        .where(_later.c.kind == entries.c.kind, _later.c.subject == entries.c.subject)
        .where(_later.c.session == entries.c.session, known)
        .scalar_subquery()
    )


MINE = (  # the entries of one subject, of which these are parameters
    entries.c.subject == sa.bindparam("subject"),
    entries.c.kind == sa.bindparam("kind"),
)
IN_FORCE = entries.c.revision == _same_session(sa.true())  # the newest revision of its session
IN_FORCE_AT = entries.c.revision == _same_session(_later.c.published_at <= sa.bindparam("known_at"))

_HEADS = sa.select(*(entries.c[name] for name in Head._fields)).where(*MINE)
_ALL = _HEADS.order_by(entries.c.number)
_BY_SESSION = _HEADS.where(entries.c.session.between(*_span)).order_by(entries.c.session)
_STANDING, _STOOD = _BY_SESSION.where(IN_FORCE), _BY_SESSION.where(IN_FORCE_AT)
_REVISED = (
    sa.select(sa.func.max(_later.c.number))
    .where(_later.c.subject == entries.c.subject, _later.c.session == entries.c.session)
    .where(_later.c.kind.in_(("index", "study")), _later.c.status != "retired")
    .scalar_subquery()
)
_NOTED = _STANDING.where(entries.c.number > _REVISED)
_PUBLISHED = (
    sa.select(entries.c.session, entries.c.revision, entries.c.number)
    .where(entries.c.subject == sa.bindparam("subject"), entries.c.kind.in_(("index", "study")))
    .order_by(entries.c.session, entries.c.revision)
)
_BY_NUMBER = _HEADS.order_by(entries.c.number.desc()).limit(1)
_BEFORE = (
    _HEADS.where(entries.c.session < sa.bindparam("session"))
    .order_by(entries.c.session.desc(), entries.c.revision.desc())
    .limit(1)
)
_LAST_NUMBER = sa.select(sa.func.max(entries.c.number))
_LAST_HASH = sa.select(entries.c.hash).order_by(entries.c.number.desc()).limit(1)
_SINCE = (
    sa.select(entries.c.number, entries.c.subject, entries.c.hash)
    .where(entries.c.number >= sa.bindparam("number"))
    .order_by(entries.c.number.desc())
    .limit(10_000)
)
_CORRECTED = (
    sa.select(entries.c.correction, entries.c.number)
    .where(*MINE, entries.c.correction != "")
    .order_by(entries.c.number)
)
_SUBJECTS = (
    sa.select(entries.c.subject, entries.c.kind)
    .where(entries.c.kind.in_(("index", "study")))
    .distinct()
    .order_by(entries.c.subject)
)


def heads(
    connection: sa.Connection,
    subject: str,
    kind: str = "index",
    *,
    between: tuple[str, str] = ("", AFTER_ALL),
    known_at: str | None = None,
) -> list[Head]:
    """Return the heads of the entries in force, by session, within two ISO dates inclusive.

    Parameters
    ----------
    known_at : an instant as the ledger holds it; entries published later are not looked at
    """
    asked = {"subject": subject, "kind": kind, "first": between[0], "last": between[1]}
    if known_at is None:
        return [Head(*row) for row in connection.execute(_STANDING, asked)]
    return [Head(*row) for row in connection.execute(_STOOD, asked | {"known_at": known_at})]


def noted(connection: sa.Connection, subject: str) -> dict[str, str]:
    """Return by session the digest of numbers recorded as immaterial beside what is in force.

    A note is about the revision it was judged beside: one that came later ends it. A retirement is
    no such revision, for it says the last one once more.
    """
    asked = {"subject": subject, "kind": "immaterial", "first": "", "last": AFTER_ALL}
    return {
        head.session: head.content for head in (Head(*r) for r in connection.execute(_NOTED, asked))
    }


def all_heads(connection: sa.Connection, subject: str, kind: str = "index") -> list[Head]:
    """Return the head of every revision of every session, in the order of the chain."""
    return [Head(*row) for row in connection.execute(_ALL, {"subject": subject, "kind": kind})]


def revisions(connection: sa.Connection, subject: str) -> list[tuple[str, int, int]]:
    """Return session, revision and number of everything published under an id, of either kind."""
    return [tuple(row) for row in connection.execute(_PUBLISHED, {"subject": subject})]


def head_before(
    connection: sa.Connection, subject: str, session: str, kind: str = "index"
) -> list[Head]:
    """Return the head in force of the last session before a date; none where there is none."""
    asked = {"subject": subject, "kind": kind, "session": session}
    return [Head(*row) for row in connection.execute(_BEFORE, asked)]


def last_heads(connection: sa.Connection, subject: str, kind: str = "index") -> list[Head]:
    """Return the head appended last, and that of the last session; one where they are the same."""
    asked = {"subject": subject, "kind": kind}
    newest = [Head(*row) for row in connection.execute(_BY_NUMBER, asked)]
    return list(dict.fromkeys([*newest, *head_before(connection, subject, AFTER_ALL, kind)]))


def last_number(connection: sa.Connection) -> int:
    """Return the number of the last entry of the chain; 0 where there is none."""
    return connection.scalar(_LAST_NUMBER) or 0


def last_hash(connection: sa.Connection) -> str:
    """Return the hash of the last entry, which names all that was ever published; empty if none."""
    return connection.scalar(_LAST_HASH) or ""


def marks_since(connection: sa.Connection, number: int) -> list[Mark]:
    """Return the entries from a number on, newest first: ten thousand of them at most."""
    return [Mark(*row) for row in connection.execute(_SINCE, {"number": number})]


def corrections(connection: sa.Connection, subject: str, kind: str) -> dict[str, list[int]]:
    """Return the numbers of the entries that each correction of a subject has made."""
    found: dict[str, list[int]] = {}
    for correction, number in connection.execute(_CORRECTED, {"subject": subject, "kind": kind}):
        found.setdefault(correction, []).append(number)
    return found


def kind_of(connection: sa.Connection, subject: str) -> str | None:
    """Return whether a subject is published as an index or a study; None where it never was.

    Two short questions: to ask which kinds there are would look through all entries.
    """
    kinds = ("index", "study")
    return next((kind for kind in kinds if head_before(connection, subject, AFTER_ALL, kind)), None)


def subjects(connection: sa.Connection) -> dict[str, str]:
    """Return every index and study there is, and its kind."""
    return {str(subject): str(kind) for subject, kind in connection.execute(_SUBJECTS)}
