"""What should be published by now: the last session of each definition whose closes are final."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from indexer.definitions.basket import Index
from indexer.definitions.read import restore
from indexer.definitions.study import Study
from indexer.errors import IndexerError, LedgerError, Refusal, counted
from indexer.index.schedule import calendar_of
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.heads import heads, kind_of, last_heads, subjects
from indexer.ledger.history import read_definition
from indexer.market.calendar import Calendar
from indexer.run.desk import Outcome
from indexer.run.sessions import last_final

Known = tuple[Index | Study, dict[str, Index]]  # a definition, and of a study its indices by id


def published_definition(engine: sa.Engine, subject: str) -> Known | None:
    """Return the definition a subject was last published with; None where it never was.

    The indices of a study are as they were last published themselves; where they never were, as
    the study was made of them.

    Raises
    ------
    LedgerError
        If what was published is no definition to this version.
    """
    with reading(engine) as connection:
        return definition_in(connection, subject)


def definition_in(connection: sa.Connection, subject: str) -> Known | None:
    """Return the definition that a state of the ledger has; as `published_definition` does."""
    kind = kind_of(connection, subject)
    return None if kind is None else _known(connection, subject, kind)


def _known(connection: sa.Connection, subject: str, kind: str) -> Known:
    definition, indices = _last_published(connection, subject, kind)
    for id in indices:
        if (its_kind := kind_of(connection, id)) is not None:
            one, _ = _last_published(connection, id, its_kind)
            indices[id] = indices[id] if isinstance(one, Study) else one
    return definition, indices


def studies_of(connection: sa.Connection, subject: str) -> tuple[str, ...]:
    """Return the published studies that are made of an index, and are not retired."""
    studies = [id for id, kind in subjects(connection).items() if kind == "study"]
    known = {id: definition_in(connection, id) for id in studies if not retired(connection, id)}
    return tuple(id for id, found in known.items() if found is not None and subject in found[1])


def retired(connection: sa.Connection, subject: str) -> bool:
    """Return whether something published has had its final entry."""
    kind = kind_of(connection, subject)
    newest = [] if kind is None else last_heads(connection, subject, kind)
    return any(head.status == "retired" for head in newest)


def missed(
    connection: sa.Connection, subject: str, kind: str, calendar: Calendar, until: date
) -> list[str]:
    """Return the sessions from the first published one until a date that are not published."""
    published = {head.session for head in heads(connection, subject, kind)}
    days = calendar.between(date.fromisoformat(min(published)), until)
    return [day for day in map(str, days.tolist()) if day not in published]


def gaps(url: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield, of what was published now or before, the sessions before its last one that were not.

    Raises
    ------
    MissingInputError, LedgerError, OutputError, TryAgainError
        If the ledger cannot be read.
    """
    done = [one.subject for one in outcomes if one.state in ("published", "unchanged")]
    if not done:
        return
    with reading(open_ledger(url)) as connection:
        for id in done:
            kind, known = kind_of(connection, id), definition_in(connection, id)
            if kind is None or known is None:
                continue
            last = max(head.session for head in last_heads(connection, id, kind))
            calendar = calendar_of(known[0])
            if days := missed(connection, id, kind, calendar, date.fromisoformat(last)):
                told = f"{counted(len(days), 'session')} before {last} not published"
                yield f"{id}: {told}: publish --from {days[0]} --to {days[-1]}"


def _last_published(connection: sa.Connection, subject: str, kind: str) -> Known:
    newest, *_ = last_heads(connection, subject, kind)
    try:
        return restore(kind, read_definition(connection, newest.definition) or "")
    except ValueError as error:
        message = f"its definition is none to this version: {error}"
        raise LedgerError([Refusal(subject, newest.session, "", message)]) from error


def due_sessions(engine: sa.Engine, now: datetime) -> dict[str, str]:
    """Return the ISO date of the last final session of everything published.

    What is retired has none due, and neither has a definition whose calendar ends before.
    """
    with reading(engine) as connection:
        kinds = subjects(connection)
        live = [id for id in kinds if not retired(connection, id)]
    found = {}
    for id in live:
        try:
            with reading(engine) as connection:
                definition, indices = _known(connection, id, kinds[id])
            found[id] = last_final(definition, now, members=indices.values()).isoformat()
        except (IndexerError, LookupError):  # `doctor` says what is wrong with it
            continue
    return found
