"""What published sessions would be if they were published today, and what is done about it."""

import json
import math
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from indexer.errors import LedgerError, Refusal, TryAgainError, counted
from indexer.ledger.correct import basis_points
from indexer.ledger.entry import Entry, content_digest
from indexer.ledger.heads import AFTER_ALL, Head, head_before, heads, last_heads, last_number, noted
from indexer.ledger.history import read_definition, read_entry
from indexer.ledger.tables import CONTENT, levels
from indexer.run import stored
from indexer.run.entries import Candidate
from indexer.run.resting import resting

SHOWN = 10  # differences a message names; the rest are counted


@dataclass(frozen=True, slots=True)
class Difference:
    """A published session that would now be another.

    Attributes
    ----------
    head : the entry in force
    entry : what it would be, without inputs; None where it would be no session any more
    bp : the new level against the published one, of the variant that differs most, in basis points;
        0 where none does, and for a study; infinite where there would be other variants, or none
    rebalance : whether it would be one of a rebalance and is not, or the other way round
    text : what would differ, in words
    reason : what it comes from, as a word of ``correct.REASONS``
    """

    head: Head
    entry: Entry | None
    bp: float
    rebalance: bool
    text: str
    reason: str


def stands(candidate: Candidate, newest: Sequence[Head]) -> bool:
    """Return whether nothing of what was published can have changed, by its last heads.

    A publication compares everything there is before it appends. So where the entry appended last
    is a publication of the last session, and comes from the same definition, rows and code as
    today, all of them stand: its rows are all there were. After a gap was filled, or only some
    sessions were restated, that says nothing of the others: they are compared session by session,
    as they are where a candidate ends before the last one.
    """
    if not newest:
        return True
    alone = len(newest) == 1 and newest[0].status == "final"
    if not alone or date.fromisoformat(newest[0].session) > candidate.last:
        return False
    return not _suspects(candidate, newest)


def differences(
    connection: sa.Connection, candidate: Candidate, *, immaterial: bool = False
) -> list[Difference]:
    """Return the published sessions that would now be other ones.

    Sessions after the last one of the candidate are not looked at, nor, unless asked for, those
    whose new numbers have been recorded as immaterial beside the revision in force.
    """
    until = candidate.last.isoformat()
    found = heads(connection, candidate.id, candidate.kind, between=("", until))
    known = {} if immaterial else noted(connection, candidate.id)
    suspects = _suspects(candidate, found)
    if known and candidate.kind == "study":
        rests = resting(connection, candidate)
        known = {h.session: known[h.session] for h in suspects if h.session in known and rests(h)}
    return list(_differences(connection, candidate, suspects, known))


def check_not_retired(subject: str, newest: Sequence[Head]) -> None:
    """Raise ``LedgerError`` where the last heads of a subject say that it was retired."""
    for head in newest:
        if head.status == "retired":
            message = f"was retired on {head.published_at}: its history is final"
            raise LedgerError([Refusal(subject, head.session, "retired", message)])


def check_kind(connection: sa.Connection, candidate: Candidate) -> None:
    """Raise ``LedgerError`` where an index has the id of a published study, or a study one's."""
    other = "index" if candidate.kind == "study" else "study"
    for head in last_heads(connection, candidate.id, other)[:1]:
        message = f"is the id of a published {other} already: give this {candidate.kind} another"
        raise LedgerError([Refusal(candidate.id, head.session, "", message)])


def unseen(connection: sa.Connection, candidate: Candidate) -> list[str]:
    """Return the published sessions after the last one of a candidate, which it says nothing of."""
    last = candidate.last.isoformat()
    found = heads(connection, candidate.id, candidate.kind, between=(last, AFTER_ALL))
    return [head.session for head in found if head.session > last]


def check_whole(connection: sa.Connection, candidate: Candidate) -> None:
    """Raise ``TryAgainError`` where a correction would end before what is published does."""
    left = unseen(connection, candidate)
    if left:
        reason = (
            f"published until {left[-1]}, and the last data are of {candidate.last}: what would "
            f"differ is corrected with all that comes after it, or not at all"
        )
        raise TryAgainError(candidate.id, reason)


def refuse(
    connection: sa.Connection, candidate: Candidate, found: Sequence[Difference]
) -> LedgerError:
    """Return the refusal to publish beside published sessions that would now be others."""
    count = counted(len(found), "published session")
    keys = ", ".join(_otherwise(connection, candidate, found[-1].head))
    since = f"; it is defined otherwise since, at {keys}" if keys else ""
    remedy = f"{count} would now differ: find out why, then restate{since}"
    told = [Refusal(candidate.id, one.head.session, "R9", one.text) for one in found[:SHOWN]]
    return LedgerError([*told, Refusal(candidate.id, "", "R9", remedy)])


def remaining(subject: str, found: Sequence[Difference]) -> list[tuple[Difference, Entry]]:
    """Return differences, each with what its session would be.

    Raises
    ------
    LedgerError
        If a session would be none any more: what was published cannot be taken back.
    """
    lost = [one for one in found if one.entry is None]
    if lost:
        message = "would be no session any more, and what was published cannot be taken back"
        told = [Refusal(subject, one.head.session, "R9", message) for one in lost[:SHOWN]]
        raise LedgerError(told)
    return [
        (one, replace(one.entry, revision=one.head.revision + 1))
        for one in found
        if one.entry is not None
    ]


def corrected(entry: Entry, reason: str, note: str, by: str, correction: str) -> Entry:
    """Return what a session would be as the next revision of it."""
    return replace(
        entry, status="corrected", reason=reason, note=note, by=by, correction=correction
    )


def with_inputs(
    connection: sa.Connection, candidate: Candidate, new: Sequence[Entry]
) -> Iterator[Entry]:
    """Yield entries, by session, each with the inputs it adds to the entry of the session before.

    That may be one of ``new`` itself, by the number it will have: the first is appended next.
    """
    number = last_number(connection)
    span = (new[0].session, new[-1].session)
    before = head_before(connection, candidate.id, span[0], candidate.kind)
    there = heads(connection, candidate.id, candidate.kind, between=span)
    basis = {h.session: (h.number, h.definition, h.market) for h in (*before, *there)}
    sessions = sorted(basis)
    for entry in new:
        at = bisect_left(sessions, entry.session)
        below = sessions[at - 1] if at else ""
        yield _based(connection, candidate, entry, below, basis.get(below))
        number += 1
        basis[entry.session] = (number, entry.definition, entry.market)
        if sessions[at : at + 1] != [entry.session]:
            sessions.insert(at, entry.session)


def _suspects(candidate: Candidate, found: Sequence[Head]) -> list[Head]:
    """Return the heads that do not come from the definition, rows and code of a candidate."""
    looked = [head for head in found if date.fromisoformat(head.session) <= candidate.last]
    sessions = [date.fromisoformat(head.session) for head in looked]
    return [
        head
        for head, market in zip(looked, candidate.market_digests(sessions), strict=True)
        if (head.definition, head.market, head.code, head.synthetic)
        != (candidate.definition, market, candidate.code, candidate.synthetic)
    ]


def _differences(
    connection: sa.Connection, candidate: Candidate, suspects: Sequence[Head], known: dict[str, str]
) -> Iterator[Difference]:
    kinds = {head.number: _other_kinds(connection, candidate, head) for head in suspects[-1:]}
    for head in suspects:
        session = date.fromisoformat(head.session)
        at, kind = candidate.row(session), kinds.get(head.number, "")
        if at is None:
            lost = "would be no session any more"
            why = _reason(connection, candidate, head)
            yield Difference(head, None, math.inf, False, lost, why)
        elif (
            (head.synthetic, head.backtested) != (candidate.synthetic, candidate.backtested[at])
            or candidate.content_digest(at) not in (head.content, known.get(head.session))
            or kind
        ):
            entry = candidate.entry(session)
            published = read_entry(connection, head.number)
            bp, text = compared(published, entry)
            if kind:
                bp, text = math.inf, f"{kind}; {text}" if text else kind
            moved = _rebalanced(published) != _rebalanced(entry)
            yield Difference(head, entry, bp, moved, text, _reason(connection, candidate, head))


def _other_kinds(connection: sa.Connection, candidate: Candidate, head: Head) -> str:
    """Return which prices an index was published of as another kind than now; empty for none.

    No level shows it before the next dividend, which adjusted prices have in them already.
    """
    if candidate.kind != "index":
        return ""
    before = stored.price_kinds(*stored.rows_of_entry(connection, head.number))
    rows = candidate.inputs.rows(date.fromisoformat(head.session))
    now = stored.price_kinds(rows, candidate.inputs.price_kind)
    for symbol in sorted(before.keys() & now.keys()):
        if before[symbol] != now[symbol]:
            return f"the prices of {symbol} were published as {before[symbol]}, now {now[symbol]}"
    return ""


def compared(published: Entry, entry: Entry) -> tuple[float, str]:
    """Return how far the level that differs most would move, in basis points, and what differs."""
    if mark := _other_mark(published, entry):
        _, text = compared(
            replace(published, synthetic=entry.synthetic, backtested=entry.backtested), entry
        )
        return math.inf, f"{mark}; {text}" if text else mark
    before, after = _levels(published), _levels(entry)
    if before.keys() != after.keys():
        return math.inf, f"variants {', '.join(before)} would be {', '.join(after)}"
    moves = {n: basis_points(level, after[n]) for n, level in before.items()}
    if before != after:
        names = sorted((n for n in before if before[n] != after[n]), key=lambda n: -abs(moves[n]))
        each = (f"{n} {before[n]!r} would be {after[n]!r} ({moves[n]:+.4g} bp)" for n in names)
        return moves[names[0]], ", ".join(each)
    printed = {name: text for name, text, *_ in published.rows.get("levels", ())}
    for name, text, *_ in entry.rows.get("levels", ()):
        if text != printed[name]:
            return 0.0, f"no level would differ, {name} {printed[name]} would be printed as {text}"
    differing = [
        f"other columns of {table.name}" if table is levels else table.name
        for table in CONTENT
        if _content(published, table.name) != _content(entry, table.name)
    ]
    if not differing:
        return 0.0, ""
    no_level = "" if published.kind == "study" else "no level would differ, "
    return 0.0, f"{no_level}{' and '.join(differing)} would{'' if no_level else ' differ'}"


def _other_mark(published: Entry, entry: Entry) -> str:
    """Return how an entry is marked otherwise than it would be; empty where it is not."""
    if published.synthetic != entry.synthetic:
        was, now = ("synthetic", "real")[:: 1 if published.synthetic else -1]
        return f"published as {was}, and the market is now marked {now}"
    if published.backtested != entry.backtested:
        return f"would {'' if entry.backtested else 'no more '}be marked back-tested"
    return ""


def _rebalanced(entry: Entry) -> bool:
    return any(kind == "rebalance" for _, kind, *_ in entry.rows.get("changes", ()))


def _content(entry: Entry, table: str) -> str:
    return content_digest({table: entry.rows.get(table, ())})


def _reason(connection: sa.Connection, candidate: Candidate, head: Head) -> str:
    """Return what makes a session another: the definition, the market, or the code."""
    if any(_otherwise(connection, candidate, head)):
        return "methodology"
    [market] = candidate.market_digests([date.fromisoformat(head.session)])
    same = (market, candidate.synthetic) == (head.market, head.synthetic)
    return "software" if same else "vendor-revision"


def redefined(
    connection: sa.Connection, candidate: Candidate, session: str, renewed: Collection[str]
) -> str:
    """Return how a session is defined otherwise than the one published before it; else nothing.

    What is ``renewed`` with it is defined as the candidate is.
    """
    for head in head_before(connection, candidate.id, session, candidate.kind):
        keys = list(_otherwise(connection, candidate, head))
        if keys and head.session not in renewed:
            return f"defined otherwise than for {head.session}: {', '.join(keys)}"
    return ""


def _otherwise(connection: sa.Connection, candidate: Candidate, head: Head) -> Iterator[str]:
    """Yield the keys at which a candidate is defined otherwise than a session was."""
    if head.definition != candidate.definition:
        published = read_definition(connection, head.definition) or "{}"
        yield from _changed(_calculated(published), _calculated(candidate.text))


def _calculated(text: str) -> Any:
    """Return what a definition says but for what only names things: no level goes by that."""
    named = ("name", "description")
    return json.loads(text, object_hook=lambda d: {k: v for k, v in d.items() if k not in named})


def _changed(old: Any, new: Any, key: str = "") -> Iterator[str]:
    """Yield the dotted keys at which two definitions differ; a list is compared as a whole."""
    if old != new and {type(old), type(new)} <= {dict, type(None)}:  # defaults are left out
        before, after = old or {}, new or {}
        for name in sorted(before.keys() | after.keys()):
            yield from _changed(before.get(name), after.get(name), f"{key}.{name}".lstrip("."))
    elif old != new:
        yield key


def _levels(entry: Entry) -> dict[str, float]:
    """Return the exact levels of an entry by variant; none for a study."""
    return {name: exact for name, _, exact, *_ in entry.rows.get("levels", ())}


def _based(
    connection: sa.Connection,
    candidate: Candidate,
    entry: Entry,
    below: str,
    basis: tuple[int, str, str] | None,
) -> Entry:
    session = date.fromisoformat(entry.session)
    if basis is None:
        return replace(entry, inputs=stored.whole(candidate.inputs, session))
    number, *digests = basis
    on = date.fromisoformat(below)
    # Another definition may want other columns, of which a digest of equal cells tells nothing.
    if [candidate.definition, *candidate.market_digests([on])] == digests:
        packed = stored.since(candidate.inputs, on, session)
    else:
        packed = stored.against(candidate.inputs, session, stored.bag_of(connection, number))
    return replace(entry, basis=number, inputs=packed)
