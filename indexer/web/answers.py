"""What the ledger says, as the records and tables that are answered; nothing of HTTP."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from indexer.ledger.entry import Row
from indexer.ledger.heads import AFTER_ALL
from indexer.ledger.history import STUDY_COLUMNS, read_definition
from indexer.ledger.pages import (
    CONSTITUENT_COLUMNS,
    HEAD_COLUMNS,
    LEVEL_COLUMNS,
    PUBLICATION_COLUMNS,
    STATE_COLUMNS,
    Page,
    Span,
    constituent_page,
    first_session,
    head_at,
    is_published,
    last_instant,
    last_known,
    level_page,
    publications,
    signal_page,
    state_page,
    subject_spans,
)

Object = dict[str, Any]
_DIGESTS = {"content": "digest", "definition": "definition_digest", "market": "market_digest"}
RECORD = (*(_DIGESTS.get(name, name) for name in HEAD_COLUMNS), "carried")  # of which entry it is
_NAMES = ("id", "name_en", "name_zh", "first_session")
INDEX_COLUMNS = (*_NAMES, "calendar", "currency", "level", "level_exact", *RECORD)
STUDY_LIST_COLUMNS = (*_NAMES, *RECORD[:-1])
SUMMARY = {"index": INDEX_COLUMNS, "study": STUDY_LIST_COLUMNS}
_PUBLICATIONS = 1000  # instants that are told of one subject
_ALL_ROWS = 100_000  # of one session: what a definition can hold is bounded far below


class Answer(NamedTuple):
    """A table, and what is told beside it.

    Attributes
    ----------
    beside : by name, what stands beside the rows
    after : what the next page must be asked with
    """

    columns: Sequence[str]
    rows: Sequence[Row]
    beside: Object
    after: Mapping[str, str] | None = None


class Unpublished(LookupError):  # noqa: N818 (it is an answer, not a failure of ours)
    """There is no index, or no study, of an id."""


def _check(connection: sa.Connection, id: str, kind: str) -> None:
    if not is_published(connection, id, kind):
        raise Unpublished(f"there is no {kind} of that id")


def record_at(connection: sa.Connection, span: Span, kind: str) -> Object | None:
    """Return the entry that stands for a span of sessions: the last one in force."""
    head = head_at(connection, span, kind)
    if head is None:
        return None
    known = None if span.known_at == AFTER_ALL else span.known_at
    return dict(zip(RECORD, head, strict=True)) | {"known_at": known}


def listed(connection: sa.Connection, kind: str, after: str, limit: int, known_at: str) -> Answer:
    """Return a page of the indices, or of the studies, by id."""
    number, instant = last_known(connection, known_at)
    found = [one for one in subject_spans(connection, kind, number) if one[0] > after]
    rows = []
    for id, first in found[:limit]:
        span = Span(id, known_at=known_at)
        if record := record_at(connection, span, kind):
            rows.append(_summary(connection, span, kind, first, record))
    more = {"after": found[limit - 1][0], "as_known_at": instant} if len(found) > limit else None
    return Answer(SUMMARY[kind], rows, {}, more)


def _summary(connection: sa.Connection, span: Span, kind: str, first: str, record: Object) -> Row:
    """Return the row of an index or a study, by the record that stands for a span."""
    told = _told(_definition(connection, record["definition_digest"]))
    names = (span.subject, told["name"]["en"], told["name"]["zh"], first)
    cells = tuple(record[name] for name in RECORD)
    if kind == "study":
        return (*names, *cells[:-1])
    day = record["session"]
    level = level_page(connection, span._replace(first=day, last=day), "price").rows
    last = level[0][2:4] if level else (None, None)
    return (*names, told["calendar"], told["currency"], *last, *cells)


def described(connection: sa.Connection, id: str, kind: str, known_at: str) -> Answer:
    """Return one index or study: its summary, and beside it definition and publications.

    There is no summary where nothing was published by that instant.

    Raises
    ------
    Unpublished
        If there is none.
    """
    _check(connection, id, kind)
    span = Span(id, known_at=known_at)
    record = record_at(connection, span, kind)
    found = publications(connection, id, kind, _PUBLICATIONS)
    beside: Object = {"record": record, "publications": objects(PUBLICATION_COLUMNS, found)}
    parts = {"index": (LEVEL_COLUMNS, level_page), "study": (STATE_COLUMNS, state_page)}
    columns, page = parts[kind]
    rows: Sequence[Row] = ()
    summary: list[Row] = []
    beside["definition"] = None
    if record is not None:
        day = record["session"]
        beside["definition"] = _definition(connection, record["definition_digest"])
        rows = page(connection, span._replace(first=day, last=day, limit=_ALL_ROWS)).rows
        first = first_session(connection, id, kind, known_at)
        summary = [_summary(connection, span, kind, first, record)]
    beside["levels" if kind == "index" else "states"] = objects(columns, rows)
    return Answer(SUMMARY[kind], summary, beside)


def levels(connection: sa.Connection, span: Span, variant: str) -> Answer:
    """Return a page of the levels of an index.

    Raises
    ------
    Unpublished
        If there is none.
    """
    _check(connection, span.subject, "index")
    page = level_page(connection, span, variant)
    return _paged(connection, LEVEL_COLUMNS, page, span, "index")


def signals(
    connection: sa.Connection, span: Span, signal: str, leader: str, follower: str
) -> Answer:
    """Return a page of the signals of a study; what is empty is not asked for.

    Raises
    ------
    Unpublished
        If there is none.
    """
    _check(connection, span.subject, "study")
    page = signal_page(connection, span, signal, leader, follower)
    return _paged(connection, STUDY_COLUMNS, page, span, "study")


def constituents(connection: sa.Connection, span: Span) -> Answer:
    """Return the constituents of an index on one session: the last in a span.

    Raises
    ------
    Unpublished
        If there is none.
    """
    _check(connection, span.subject, "index")
    record = record_at(connection, span, "index")
    if record is None:
        return Answer(CONSTITUENT_COLUMNS, [], {"record": None})
    session = record["session"]
    page = constituent_page(connection, span._replace(first=session, last=session, limit=_ALL_ROWS))
    return Answer(CONSTITUENT_COLUMNS, page.rows, {"record": record})


def _paged(
    connection: sa.Connection, columns: Sequence[str], page: Page, span: Span, kind: str
) -> Answer:
    after = None
    if page.after is not None:
        known = span.known_at
        if known == AFTER_ALL:
            known = last_instant(connection, span.subject, kind)
        place = f"{page.after.session}.{page.after.position}"
        after = {"after": place, "as_known_at": known}
    return Answer(columns, page.rows, {"record": record_at(connection, span, kind)}, after)


def objects(columns: Sequence[str], rows: Sequence[Row]) -> list[Object]:
    """Return rows as objects."""
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _definition(connection: sa.Connection, digest: str) -> Object:
    return _parsed(read_definition(connection, digest) or "{}")


@lru_cache(maxsize=64)
def _parsed(text: str) -> Object:
    found: Object = json.loads(text)
    return found


def _told(definition: Object) -> Object:
    """Return what is listed of a definition; that of a study stands beside those of its indices."""
    own = definition.get("study", definition)
    name = own.get("name") or {}
    return {
        "name": {"en": name.get("en") or own.get("id", ""), "zh": name.get("zh") or ""},
        "calendar": own.get("calendar") or "",
        "currency": own.get("currency") or "",
    }
