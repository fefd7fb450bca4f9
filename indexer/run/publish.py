"""Publication: the level of a session enters the ledger whole, once, and only if no gate is shut.

Each index is published by itself: one that is refused does not hold up the others.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from polars.exceptions import PanicException

from indexer.definitions.basket import Index
from indexer.definitions.study import Study
from indexer.errors import (
    DefinitionError,
    IndexerError,
    LedgerError,
    OutputError,
    Refusal,
    TryAgainError,
    explained,
)
from indexer.index.history import History
from indexer.index.schedule import calendar_of
from indexer.ledger.database import publishing, reading
from indexer.ledger.entry import Entry
from indexer.ledger.heads import AFTER_ALL, head_before, heads, kind_of, last_heads, noted
from indexer.ledger.publish import append
from indexer.market.tables import Market, read_market
from indexer.run.derived import check_folder, write_derived
from indexer.run.desk import Desk, Outcome, State
from indexer.run.entries import Candidate
from indexer.run.find import definition_named, indices_of
from indexer.run.gate import Gate, Noted, found_anew, gate_of, passed, passed_over, with_findings
from indexer.run.policy import by_policy
from indexer.run.rebuild import built
from indexer.run.results import Progress
from indexer.run.revise import (
    check_kind,
    check_not_retired,
    check_whole,
    differences,
    redefined,
    refuse,
    stands,
    with_inputs,
)
from indexer.run.sessions import Period, has_session, sessions_asked, sessions_within

# A name, its definition or why there is none, and the indices it needs by id.
_Asked = tuple[str, Index | Study | IndexerError, Mapping[str, Index]]


def publish(
    names: Sequence[str],
    market: Path,
    desk: Desk,
    period: Period,
    *,
    progress: Progress = lambda _: None,
) -> list[Outcome]:
    """Publish indices and studies, each whole or not at all; return what became of each.

    A study's indices are published before it, up to what is final on their own exchanges, also
    where they are named themselves.

    Raises
    ------
    MissingInputError, MarketDataError
        If the market cannot be read: then nothing is published.
    """
    progress(f"reading {market}")
    tables = read_market(market)
    told: dict[str, Outcome] = {}
    asked = _asked(names)
    due: dict[str, bool] = {}
    for study in (one for _, one, _ in asked if isinstance(one, Study)):
        there = has_session(study, period)
        due |= {id: there or due.get(id, False) for id in study.indices}
    for name, found, members in asked:
        if isinstance(found, IndexerError):
            told.setdefault(name, _failed(name, found))
            continue
        ids = found.indices if isinstance(found, Study) else (found.id,)
        for id in ids:
            if id not in told:
                progress(f"publishing {id}")
                sessions = partial(sessions_within, members[id], period, desk.instant, due.get(id))
                told[id] = _attempt(members[id], tables, desk, sessions)
        if not isinstance(found, Study):
            continue
        failed = [told[id] for id in ids if told[id].error is not None]
        if failed:
            told.setdefault(found.id, _held_up(found.id, failed))
        elif found.id not in told:
            progress(f"publishing {found.id}")
            indices = [*members.values()]
            of_study = partial(sessions_asked, found, period, desk.instant, members=indices)
            told[found.id] = _attempt(found, tables, desk, of_study)
    return [
        replace(one, synthetic=tables.manifest.synthetic, last=_last(desk, one))
        for one in told.values()
    ]


def _asked(names: Sequence[str]) -> list[_Asked]:
    """Return what names stand for, before anything is published.

    What an index is published up to goes by the studies it is in, not by the order of the names.
    """
    known: dict[str, Index | Study] = {}
    asked: list[_Asked] = []
    for name in names:
        try:
            found = definition_named(name)
            members = indices_of(found) if isinstance(found, Study) else {found.id: found}
            _check_one_each(known, [found, *members.values()])
        except IndexerError as error:
            asked.append((name, error, {}))
        else:
            asked.append((name, found, members))
    return asked


def _last(desk: Desk, outcome: Outcome) -> date | None:
    """Return the last session that is published of a subject; None where it cannot be told."""
    with suppress(IndexerError), reading(desk.engine) as connection:
        if kind := kind_of(connection, outcome.subject):
            (head,) = head_before(connection, outcome.subject, AFTER_ALL, kind)
            return date.fromisoformat(head.session)
    return None


def _check_one_each(known: dict[str, Index | Study], found: Sequence[Index | Study]) -> None:
    """Raise where an id has another definition in this run already; else remember those found."""
    for one in found:
        before = known.get(one.id, one)
        if before.digest != one.digest:
            message = f"{one.id!r} is another index or study in {before.file}: name one of them"
            raise DefinitionError([one.problem(("id",), message)])
    known |= {one.id: one for one in found}


def _held_up(study: str, failed: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a study whose indices failed: to be tried again if all of them are."""
    text = f"not published, because {', '.join(o.subject for o in failed)} could not be"
    if all(isinstance(outcome.error, TryAgainError) for outcome in failed):
        return _failed(study, TryAgainError(study, text))
    return _failed(study, LedgerError([Refusal(study, "", "", text)]))


def _failed(subject: str, error: IndexerError, sessions: Sequence[date] = ()) -> Outcome:
    """Return an outcome that an error explains, in the word for such an error."""
    kinds: dict[type[IndexerError], State] = {LedgerError: "refused", TryAgainError: "delayed"}
    states = [state for kind, state in kinds.items() if isinstance(error, kind)]
    return Outcome(subject, states[0] if states else "failed", tuple(sessions), error=error)


def _attempt(
    definition: Index | Study, market: Market, desk: Desk, asked: Callable[[], Sequence[date]]
) -> Outcome:
    """Publish one index or study; what stands in its way stands in the way of no other."""
    sessions: Sequence[date] = ()
    try:
        sessions = asked()
        if not sessions:
            return Outcome(definition.id, "no session")
        return _publish(definition, market, desk, sessions)
    except (Exception, PanicException) as error:  # noqa: BLE001 (a bug of one stops no other)
        return _failed(definition.id, explained(definition.id, error), sessions)


def _publish(
    definition: Index | Study, market: Market, desk: Desk, sessions: Sequence[date]
) -> Outcome:
    kind = "index"
    if isinstance(definition, Study):
        kind, first = "study", calendar_of(definition).on_or_after(definition.start)
        sessions = _from(definition, "start", first, sessions)
    until = _reaching(desk, definition.id, kind, sessions[-1])
    found, candidate = built(definition, market, until)
    if isinstance(found, History):
        sessions = _from(definition, "base date", found.days[0].item(), sessions)
    return publish_candidate(desk, candidate, sessions, gate_of(found, market))


def _from(
    definition: Index | Study, bound: str, first: date, sessions: Sequence[date]
) -> list[date]:
    """Return the sessions from the first one there can be on; raise where there are none."""
    kept = [session for session in sessions if session >= first]
    if not kept:
        message = f"before the {bound}: its first session is {first}"
        raise LedgerError([Refusal(definition.id, sessions[-1].isoformat(), "", message)])
    return kept


def _reaching(desk: Desk, subject: str, kind: str, last: date) -> date:
    """Return how far to compute for some sessions: what is published after them must stand too."""
    with reading(desk.engine) as connection:
        published = head_before(connection, subject, AFTER_ALL, kind)
    return max([last, *(date.fromisoformat(head.session) for head in published)])


def publish_candidate(
    desk: Desk, candidate: Candidate, sessions: Sequence[date], gate: Gate
) -> Outcome:
    """Record sessions in the ledger, then write the published files; raises as all three do.

    If the files cannot be written the ledger has the entries, the outcome has the error beside
    them, and the next run writes the files.
    """
    check_folder(desk.engine, desk.out, candidate.id, candidate.kind)
    outcome = record(desk, candidate, sessions, gate)
    if not desk.terms.dry_run:
        try:
            write_derived(desk.engine, desk.out, candidate.id, candidate.kind)
        except OutputError as error:
            return replace(outcome, error=error)
    return outcome


def record(desk: Desk, candidate: Candidate, sessions: Sequence[date], gate: Gate) -> Outcome:
    """Record those of some sessions that are not published yet, in one transaction.

    Parameters
    ----------
    sessions : ascending
    gate : what stands against publishing sessions, for the first time or corrected

    Raises
    ------
    LedgerError
        If a gate is shut, published sessions would now be others, or the index is retired.
    TryAgainError
        If the data of a session are not complete yet, or end before what is published and would
        now be another; or the ledger cannot be written now.
    """
    span = (sessions[0].isoformat(), sessions[-1].isoformat())
    with reading(desk.engine) as connection:
        there = {h.session for h in heads(connection, candidate.id, candidate.kind, between=span)}
        would = _revised(connection, desk, candidate, gate) if desk.terms.dry_run else []
        new = [session for session in sessions if session.isoformat() not in there]
        skipped = passed_over(connection, candidate, new)
    candidate.market_digests(new)  # of all at once: each alone would write out every row again
    told = passed(desk.terms, candidate.id, found_anew(gate, new, skipped))
    _check_there(candidate, new)
    if desk.terms.dry_run:
        with reading(desk.engine) as connection:
            would += _first_published(connection, candidate, new, told, would)
        would = [replace(entry, revision=entry.revision or 1) for entry in would]
        asked = tuple(date.fromisoformat(entry.session) for entry in would)
        return _outcome(candidate.id, "would publish", asked, would)
    with publishing(desk.engine) as connection:
        revised = _revised(connection, desk, candidate, gate)
        there = {h.session for h in heads(connection, candidate.id, candidate.kind, between=span)}
        left = [session for session in new if session.isoformat() not in there]
        entries = [*revised, *_first_published(connection, candidate, left, told, revised)]
        appended = append_revised(connection, desk, candidate, entries)
    return _outcome(candidate.id, "published", sessions, appended)


def _first_published(
    connection: sa.Connection,
    candidate: Candidate,
    new: Sequence[date],
    told: Noted,
    revised: Sequence[Entry],
) -> list[Entry]:
    """Return the entries of new sessions; the first one notes that it is defined otherwise."""
    renewed = {entry.session for entry in revised if entry.kind == candidate.kind}
    entries = [with_findings(candidate.entry(session), told) for session in new]
    for first in entries[:1]:
        if keys := redefined(connection, candidate, first.session, renewed):
            findings = [*first.rows["findings"], ("R30", keys, "", "")]
            entries[0] = replace(first, rows={**first.rows, "findings": findings})
    return entries


def _outcome(
    subject: str, state: State, sessions: Sequence[date], entries: Sequence[Entry]
) -> Outcome:
    """Return an outcome: unchanged where nothing is published, whatever is recorded beside."""
    outcome = Outcome(subject, state, tuple(sessions), tuple(entries))
    return outcome if outcome.published else replace(outcome, state="unchanged")


def append_revised(
    connection: sa.Connection, desk: Desk, candidate: Candidate, entries: Sequence[Entry]
) -> list[Entry]:
    """Append entries of a candidate, in order of their sessions, with the inputs of each."""
    published = sorted(
        (entry for entry in entries if entry.kind == candidate.kind), key=lambda e: e.session
    )
    beside = [entry for entry in entries if entry.kind != candidate.kind]
    based = with_inputs(connection, candidate, published) if published else ()
    stamped = [replace(entry, run=desk.run) for entry in (*based, *beside)]
    return append(connection, stamped, desk.stamp, {candidate.definition: candidate.text})


def _revised(
    connection: sa.Connection, desk: Desk, candidate: Candidate, gate: Gate
) -> list[Entry]:
    """Return the corrections that published sessions need, or raise where none are to be made.

    They pass the gates as first publications do; so does one of a session that somebody had taken
    upon himself, for it was not this level that he looked at.
    """
    check_kind(connection, candidate)
    newest = last_heads(connection, candidate.id, candidate.kind)
    check_not_retired(candidate.id, newest)
    beside = candidate.kind == "study" and noted(connection, candidate.id)
    if stands(candidate, newest) and not beside:  # what is beside a study its indices may end
        return []
    found = differences(connection, candidate)
    if found and not desk.terms.correct:
        raise refuse(connection, candidate, found)
    if found:
        check_whole(connection, candidate)
    entries = by_policy(connection, candidate, found, desk)
    again = [date.fromisoformat(e.session) for e in entries if e.kind == candidate.kind]
    told = passed(desk.terms, candidate.id, gate(again) if again else ())
    return [with_findings(e, told) if e.kind == candidate.kind else e for e in entries]


def _check_there(candidate: Candidate, new: Sequence[date]) -> None:
    """Raise for a session without data: refused where later ones are there, else to be waited for.

    No override gives it a level.
    """
    for session in new:
        if candidate.row(session) is None and session < candidate.last:
            message = f"there are no data of it, the last are of {candidate.last}"
            raise LedgerError([Refusal(candidate.id, session.isoformat(), "", message)])
        if candidate.row(session) is None:
            reason = f"there are no data of {session} yet, the last are of {candidate.last}"
            raise TryAgainError(candidate.id, reason)
