"""A published entry made again, from its definition and a market: by default the rows it kept."""

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from indexer.definitions.read import restore_index, restore_study
from indexer.errors import IndexerError, LedgerError, Refusal
from indexer.index.build import build
from indexer.index.history import History
from indexer.ledger.heads import Head
from indexer.ledger.history import read_definition
from indexer.market.tables import Market
from indexer.run.entries import Candidate, index_candidate, study_candidate
from indexer.run.results import study as compare_study
from indexer.signals.result import Comparison


class Subject(NamedTuple):
    """What entries are about: an index or a study."""

    id: str
    kind: str


class Rebuilt(NamedTuple):
    """An index or a study made again, and the entries that could be published of it."""

    found: History | Comparison
    candidate: Candidate


def built_again(connection: sa.Connection, subject: Subject, head: Head, market: Market) -> Rebuilt:
    """Return a subject made with the definition and up to the session of an entry.

    Raises
    ------
    LedgerError
        If it cannot be made.
    """
    text = read_definition(connection, head.definition) or ""
    until = date.fromisoformat(head.session)
    try:
        if subject.kind == "index":
            history = build(restore_index(text), market, until=until)
            return Rebuilt(history, index_candidate(history))
        study, indices = restore_study(text)
        found = compare_study(study, market, indices=indices, until=until)
        return Rebuilt(found, study_candidate(found, market))
    except IndexerError as error:
        raise wrong_entry(subject.id, head, f"cannot be built again: {error}") from error


def wrong_entry(id: str, head: Head, message: str) -> LedgerError:
    """Return the error that names an entry and what is wrong with it."""
    where = f"{head.session} (entry {head.number}, revision {head.revision})"
    return LedgerError([Refusal(id, where, "", message)])
