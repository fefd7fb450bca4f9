"""What should be published by now: the last session of each definition whose closes are final."""

from datetime import datetime

import sqlalchemy as sa

from indexer.definitions.basket import Index
from indexer.definitions.read import restore_index, restore_study
from indexer.definitions.study import Study
from indexer.errors import IndexerError
from indexer.ledger.database import reading
from indexer.ledger.heads import last_heads, subjects
from indexer.ledger.history import read_definition
from indexer.run.sessions import last_final


def published_definition(engine: sa.Engine, subject: str) -> Index | Study | None:
    """Return the definition a subject was last published with; None where it never was."""
    with reading(engine) as connection:
        for kind in ("index", "study"):
            newest = last_heads(connection, subject, kind)
            if newest:
                text = read_definition(connection, newest[0].definition) or ""
                return restore_study(text)[0] if kind == "study" else restore_index(text)
    return None


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
            definition = published_definition(engine, id)
            if definition is not None:
                found[id] = last_final(definition, now).isoformat()
        except (IndexerError, ValueError, LookupError):  # `doctor` says what is wrong with it
            continue
    return found
