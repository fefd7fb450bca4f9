"""From a definition to what can be published of it: now, or made again as it was published."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from indexer.definitions.basket import Index
from indexer.definitions.read import restore
from indexer.definitions.study import Study
from indexer.errors import IndexerError, LedgerError, Refusal
from indexer.index.build import build
from indexer.index.history import History
from indexer.ledger.heads import Head
from indexer.market.tables import Market
from indexer.run.entries import Candidate, index_candidate, study_candidate
from indexer.run.provenance import code_digest
from indexer.run.results import study as compare_study
from indexer.signals.result import Comparison


class Subject(NamedTuple):
    """What entries are about: an index or a study."""

    id: str
    kind: str


class Built(NamedTuple):
    """An index or a study, and the entries that could be published of it."""

    found: History | Comparison
    candidate: Candidate


def built(
    definition: Index | Study,
    market: Market,
    until: date,
    *,
    indices: Mapping[str, Index] | None = None,
) -> Built:
    """Return an index or a study up to a session; raises as `build` and `study` do.

    Parameters
    ----------
    indices : those of a study, by id; found beside its file where they are not given
    """
    if isinstance(definition, Study):
        compared = compare_study(definition, market, indices=indices, until=until)
        return Built(compared, study_candidate(compared, market))
    history = build(definition, market, until=until)
    return Built(history, index_candidate(history))


def built_again(text: str, subject: Subject, head: Head, market: Market) -> Built:
    """Return a subject made with the definition of an entry, its text, and up to its session.

    No connection is held while that lasts: a reader would keep publishers waiting.

    Raises
    ------
    LedgerError
        If it cannot be made.
    """
    try:
        definition, indices = restore(subject.kind, text)
    except ValueError as error:
        message = f"its definition is none to this version: {error}"
        raise wrong_entry(subject.id, head, message) from error
    try:
        return built(definition, market, date.fromisoformat(head.session), indices=indices)
    except IndexerError as error:
        raise wrong_entry(subject.id, head, f"cannot be built again: {error}") from error


def by_other_code(head: Head) -> str:
    """Return, to be added to why an entry is wrong, that another version published it."""
    other = head.code != code_digest()
    return "; it was published by another version of indexer" if other else ""


def wrong_entry(id: str, head: Head, message: str) -> LedgerError:
    """Return the error that names an entry and what is wrong with it."""
    where = f"{head.session} (entry {head.number}, revision {head.revision})"
    return LedgerError([Refusal(id, where, "", message)])
