"""Restatement: published sessions are corrected by new revisions; what was published stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from indexer.definitions.basket import Index
from indexer.definitions.study import Study
from indexer.errors import DefinitionError, LedgerError, Refusal, TryAgainError, counted
from indexer.ledger.database import publishing, reading
from indexer.ledger.entry import Entry
from indexer.ledger.heads import AFTER_ALL, Head, head_before, heads, last_heads
from indexer.market.tables import read_market
from indexer.run.derived import check_folder, write_derived
from indexer.run.desk import Desk, Outcome, Terms
from indexer.run.due import Known, definition_in, published_definition, retired, studies_of
from indexer.run.entries import Candidate
from indexer.run.find import definition_named, meant
from indexer.run.gate import Gate, Noted, gate_of, passed, with_findings
from indexer.run.publish import append_revised
from indexer.run.rebuild import Built, built
from indexer.run.results import Progress
from indexer.run.revise import (
    SHOWN,
    Difference,
    check_not_retired,
    check_whole,
    corrected,
    differences,
    remaining,
    unseen,
)
from indexer.run.sessions import Period
from indexer.signals.align import Aligned
from indexer.signals.result import Comparison


@dataclass(frozen=True, slots=True)
class Ground:
    """Why published sessions are corrected.

    Attributes
    ----------
    reason, note, by : a word, a sentence, and who decided it
    basket : the definition from now on, by file or id; the one last published where there is none
    """

    reason: str
    note: str
    by: str
    basket: str | None = None


@dataclass(frozen=True, slots=True)
class Restatement:
    """What a restatement did.

    Attributes
    ----------
    left : sessions it was not asked about that would differ too
    unseen : published sessions after the end of the data, which could not be compared
    studies : published studies that are made of a restated index, and were not restated with it
    """

    outcome: Outcome
    corrected: tuple[Difference, ...]
    left: tuple[str, ...]
    unseen: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()


def restate(
    subject: str,
    market: Path,
    desk: Desk,
    period: Period,
    ground: Ground,
    *,
    progress: Progress = lambda _: None,
) -> Restatement:
    """Publish a new revision of every session of a period that would now be another.

    Raises
    ------
    LedgerError
        If the index was never published, in that period or at all, was retired, or its files are
        not this ledger's; a study would rest on levels of its indices that are not published; or a
        published session would be none any more, or one that nobody may publish: the gates that
        yield to somebody who overrides them yield to who restates, and are recorded with his name
        and reason.
    DefinitionError, MissingInputError, MarketDataError
        As building it does.
    TryAgainError
        If something would differ, and the data end before the period does; another definition was
        published meanwhile; or the ledger cannot be written now.
    OutputError
        If the files cannot be written; the next run of any publication writes them.
    """
    known = published_definition(desk.engine, subject) if ground.basket is None else None
    definition, indices = known or (_given(subject, ground.basket), None)
    progress(f"reading {market}")
    tables = read_market(market)
    kind = "study" if isinstance(definition, Study) else "index"
    with reading(desk.engine) as connection:
        published = head_before(connection, subject, AFTER_ALL, kind)
    if not published:
        raise _never_published(subject)
    last = date.fromisoformat(published[0].session)
    check_folder(desk.engine, desk.out, subject, kind)
    progress(f"building {subject}")
    made = built(definition, tables, last, indices=indices)
    candidate = made.candidate
    since, until = map(str, (period.first or date.min, period.last or last))
    with publishing(desk.engine) as connection:
        check_not_retired(subject, last_heads(connection, subject, kind))
        if known is not None:
            _check_in_force(connection, subject, known)
        if not heads(connection, subject, kind, between=(since, until)):
            raise _none_published(subject, heads(connection, subject, kind))
        anew = _anew(connection, made, since, until, redefined=ground.basket is not None)
        would = [d.head.session for d in differences(connection, candidate)]
        beyond = unseen(connection, candidate)
        entries = [
            corrected(entry, ground.reason, ground.note, ground.by, desk.run) for _, entry in anew
        ]
        told = _taken(subject, gate_of(made.found, tables), entries)
        entries = [with_findings(entry, told) for entry in entries]
        appended = append_revised(connection, desk, candidate, entries)
        studies = studies_of(connection, subject) if appended else ()
    write_derived(desk.engine, desk.out, subject, kind)
    sessions = tuple(date.fromisoformat(entry.session) for entry in appended)
    return Restatement(
        Outcome(
            subject,
            "restated" if appended else "unchanged",
            sessions,
            tuple(appended),
            synthetic=tables.manifest.synthetic,
        ),
        tuple(one for one, _ in anew),
        tuple(day for day in would if not since <= day <= until),
        tuple(beyond),
        studies,
    )


def _anew(
    connection: sa.Connection, made: Built, since: str, until: str, *, redefined: bool
) -> list[tuple[Difference, Entry]]:
    """Return the sessions of a span that would differ, each with what it would be.

    Raises
    ------
    LedgerError
        If one of them would be none any more, or by a new definition any published one; or where a
        study would rest on levels that are not published.
    TryAgainError
        If the data end before the span does.
    """
    candidate = made.candidate
    found = differences(connection, candidate, immaterial=True)
    inside = [one for one in found if since <= one.head.session <= until]
    if redefined:  # what leaves a published session without a level could never be published on
        remaining(candidate.id, found)
    anew = remaining(candidate.id, inside)
    if anew and until > candidate.last.isoformat():
        check_whole(connection, candidate)
    if anew and isinstance(made.found, Comparison):
        _check_members(connection, candidate, made.found.aligned, until)
    return anew


def _check_members(
    connection: sa.Connection, candidate: Candidate, aligned: Aligned, until: str
) -> None:
    """Raise where a study would rest on levels that are not those published of its indices."""
    told: list[Refusal] = []
    seen = aligned.dated[aligned.sessions <= np.datetime64(until)]
    for index in candidate.members:
        dated = seen[:, aligned.ids.index(index.id)]
        days = set(dated[~np.isnat(dated)].astype(str).tolist())
        found = differences(connection, index, immaterial=True)
        would = [one for one in found if one.head.session in days]
        told += [Refusal(index.id, d.head.session, "R9", d.text) for d in would[:SHOWN]]
        if would:
            remedy = "restate it first"
            if retired(connection, index.id):
                remedy = f"it is retired: retire {candidate.id} too, or restate it without"
            sessions = counted(len(would), "published session")
            message = f"{sessions} would differ, on which {candidate.id} rests: {remedy}"
            told.append(Refusal(index.id, "", "R9", message))
    if told:
        raise LedgerError(told)


def _taken(subject: str, gate: Gate, entries: Sequence[Entry]) -> Noted:
    """Return what the gates find on restated sessions: who restates takes it upon himself.

    Raises
    ------
    LedgerError
        If it is what nobody may publish.
    """
    found = gate([date.fromisoformat(e.session) for e in entries]) if entries else ()
    rules = {one.rule for one in found}
    terms = Terms(tuple(rules), entries[0].by, entries[0].note) if entries else Terms()
    return passed(terms, subject, found)


def _given(subject: str, basket: str | None) -> Index | Study:
    """Return the definition that a subject is to have from now on."""
    if basket is None:
        raise _never_published(subject)
    definition = definition_named(basket)
    if definition.id != subject:
        message = f"is {definition.id!r}, and {subject!r} is to be restated"
        raise DefinitionError([definition.problem(("id",), message)])
    return definition


def _check_in_force(connection: sa.Connection, subject: str, known: Known) -> None:
    """Raise where a restatement by somebody else has changed the definition since it was read."""
    now = definition_in(connection, subject)
    before, after = (
        [one.digest for one in (found[0], *found[1].values())] if found else []
        for found in (known, now)
    )
    if before != after:
        raise TryAgainError(subject, "another definition of it was published meanwhile")


def _none_published(subject: str, published: Sequence[Head]) -> LedgerError:
    first, last = published[0].session, published[-1].session
    message = f"has no published session then: they run from {first} to {last}"
    return LedgerError([Refusal(subject, "", "", message)])


def _never_published(subject: str) -> LedgerError:
    return LedgerError([Refusal(subject, "", "", f"was never published{meant(subject)}")])
