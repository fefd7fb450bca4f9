"""Appending: entries get their place in the chain, and are there whole or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from indexer.ledger.entry import FIRST, Entry, sealed
from indexer.ledger.heads import MINE
from indexer.ledger.tables import PARTS, definitions, entries

_LAST = (
    sa.select(entries.c.number, entries.c.hash, entries.c.published_at)
    .order_by(entries.c.number.desc())
    .limit(1)
)
_REVISIONS = (
    sa.select(entries.c.session, sa.func.max(entries.c.revision))
    .where(*MINE, entries.c.session.between(sa.bindparam("first"), sa.bindparam("last")))
    .group_by(entries.c.session)
)
_DIGEST = sa.select(definitions.c.digest).where(definitions.c.digest == sa.bindparam("digest"))
_HEAD = [f.name for f in fields(Entry) if f.name != "rows"]


def append(
    connection: sa.Connection,
    new: Sequence[Entry],
    now: datetime,
    contents: Mapping[str, str],
) -> list[Entry]:
    """Append entries to the chain and return them as they now stand.

    Parameters
    ----------
    now : the instant of publication; that of the entries is always later than that of the entry
        before, whatever a clock says, so that what was known at an instant stays known
    contents : by digest, the text of definitions; those there already stay
    """
    if not new:
        return []
    last = connection.execute(_LAST).first()
    number, previous, before = (0, FIRST, "") if last is None else last
    at = max(instant_text(now), _after(before))
    revisions = _revisions(connection, new)
    appended = []
    for draft in new:
        number += 1
        key = (draft.kind, draft.subject, draft.session)
        revisions[key] = revisions.get(key, 0) + 1
        entry = sealed(
            draft, number=number, revision=revisions[key], published_at=at, previous=previous
        )
        previous = entry.hash
        appended.append(entry)
    _define(connection, contents)
    for table in PARTS:
        names = [column.name for column in table.columns]
        rows = [
            dict(zip(names, (entry.number, n, *row), strict=True))
            for entry in appended
            for n, row in enumerate(entry.rows.get(table.name, ()))
        ]
        if rows:
            connection.execute(sa.insert(table), rows)
    heads = [{name: getattr(entry, name) for name in _HEAD} for entry in appended]
    connection.execute(sa.insert(entries), heads)
    return appended


def instant_text(instant: datetime) -> str:
    """Return an instant as the ledger holds it: UTC to the microsecond, in order as text.

    One that its zone takes out of the calendar is the first or the last there is.

    Examples
    --------
    >>> instant_text(datetime(2026, 5, 7, 8, tzinfo=UTC))
    '2026-05-07T08:00:00.000000Z'
    >>> instant_text(datetime.fromisoformat("0001-01-01T00:00:00+08:00"))
    '0001-01-01T00:00:00.000000Z'
    """
    try:
        at = instant.astimezone(UTC)
    except OverflowError:
        ends = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        at = ends[instant.year > 1]
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _after(instant: str) -> str:
    """Return the next instant; none after none."""
    return instant and instant_text(datetime.fromisoformat(instant) + timedelta(microseconds=1))


def _revisions(connection: sa.Connection, new: Iterable[Entry]) -> dict[tuple[str, str, str], int]:
    """Return the newest revision there is of each subject and session that is to be appended."""
    found: dict[tuple[str, str, str], int] = {}
    for kind, subject in sorted({(entry.kind, entry.subject) for entry in new}):
        sessions = [e.session for e in new if (e.kind, e.subject) == (kind, subject)]
        span = {"first": min(sessions), "last": max(sessions)}
        rows = connection.execute(_REVISIONS, {"kind": kind, "subject": subject, **span})
        found |= {(kind, subject, session): revision for session, revision in rows}
    return found


def _define(connection: sa.Connection, contents: Mapping[str, str]) -> None:
    """Store the text of definitions that are not there yet."""
    for digest, content in contents.items():
        if connection.execute(_DIGEST, {"digest": digest}).first() is None:
            row = {"digest": digest, "content": content}
            connection.execute(sa.insert(definitions), row)
