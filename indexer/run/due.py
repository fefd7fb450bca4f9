"""What should be published by now: the last session of each definition whose closes are final."""

from datetime import datetime

import sqlalchemy as sa

from indexer.definitions.basket import Index
from indexer.definitions.read import restore
from indexer.definitions.study import Study
from indexer.errors import IndexerError, LedgerError, Refusal
from indexer.ledger.database import reading
from indexer.ledger.heads import kind_of, last_heads, subjects
from indexer.ledger.history import read_definition
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
    found = _last_known(connection, subject)
    if found is None:
        return None
    definition, indices = found
    for id in indices:
        one, _ = _last_known(connection, id) or (None, {})
        if one is not None and not isinstance(one, Study):
            indices[id] = one
    return definition, indices


def _last_known(connection: sa.Connection, subject: str) -> Known | None:
    kind = kind_of(connection, subject)
    if kind is None:
        return None
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
        heads = {id: last_heads(connection, id, kind) for id, kind in kinds.items()}
    found = {}
    for id, mine in heads.items():
        if any(head.status == "retired" for head in mine):
            continue
        try:
            known = published_definition(engine, id)
            if known is not None:
                definition, indices = known
                found[id] = last_final(definition, now, members=indices.values()).isoformat()
        except (IndexerError, LookupError):  # `doctor` says what is wrong with it
            continue
    return found
