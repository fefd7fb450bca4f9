"""What the correction policy makes of published sessions that would now be others."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from indexer.errors import LedgerError, Refusal, counted
from indexer.ledger.correct import Decision, Policy, decide, policy_on
from indexer.ledger.entry import Entry
from indexer.market.calendar import read_calendar
from indexer.run.desk import Desk
from indexer.run.entries import Candidate
from indexer.run.resting import other_since, resting
from indexer.run.revise import SHOWN, Difference, corrected, remaining

BY_POLICY = "policy"  # who decides where nobody has to


def by_policy(
    connection: sa.Connection, candidate: Candidate, found: Sequence[Difference], desk: Desk
) -> list[Entry]:
    """Return what the policy makes of differences: corrections, and what is only recorded.

    How old a level is goes by the clock, not by the last session asked for. A session that would be
    one of a rebalance, or is one no more, differs materially, however little it is: what is held
    after it is another basket. Whatever follows a corrected session of an index is corrected with
    it, however little it is: it was made of that one. A study follows its indices: it is corrected
    whenever they are, and recorded beside where levels of theirs are. What comes of another
    definition is never corrected by rule, however little it is. What somebody approves of is a
    correction of its own.

    Raises
    ------
    LedgerError
        If somebody must decide and nobody has, or a session would be none any more.
    """
    calendar = read_calendar(candidate.calendar)
    today = desk.instant.astimezone(calendar.zone).date()
    policy = policy_on(today)
    rests = resting(connection, candidate)
    at_rest = [one.head for one in found if rests(one.head)]
    since = other_since(connection, candidate, at_rest[-1]) if at_rest else ""
    entries, open_ = [], []
    lead: Entry | None = None  # a corrected session of an index: what comes after it follows
    for one, entry in remaining(candidate.id, found):
        age = len(calendar.between(date.fromisoformat(one.head.session), today)) - 1
        mere = rests(one.head) and one.head.session < since
        said: Decision = "immaterial" if mere else "automatic"
        if candidate.kind == "index":
            size = max(abs(one.bp), policy.material_bp) if one.rebalance else one.bp
            said = decide(policy, age, size)
        if one.reason == "methodology":
            said = "approval"
        if said == "immaterial" and lead is not None:
            entries.append(corrected(entry, one.reason, one.text, lead.by, lead.correction))
        elif said == "immaterial":
            what = (
                "below" if candidate.kind == "index" else "made of levels that differ by less than"
            )
            note = f"{one.text}: {what} {policy.material_bp:g} bp, not restated"
            beside = corrected(entry, one.reason, note, BY_POLICY, desk.run)
            entries.append(replace(beside, kind="immaterial", status="recorded"))
        elif said == "automatic":
            entries.append(corrected(entry, one.reason, one.text, BY_POLICY, desk.run))
        elif desk.terms.by:
            note = f"{desk.terms.note}: {one.text}" if desk.terms.note else one.text
            approved = f"{desk.run}-approved"
            entries.append(corrected(entry, one.reason, note, desk.terms.by, approved))
        else:
            open_.append(one)
        if candidate.kind == "index" and entries and entries[-1].status == "corrected":
            lead = entries[-1]
    if open_:
        told = [Refusal(candidate.id, one.head.session, "R10", one.text) for one in open_[:SHOWN]]
        raise LedgerError([*told, Refusal(candidate.id, "", "R10", _undecided(open_, policy))])
    return entries


def _undecided(found: Sequence[Difference], policy: Policy) -> str:
    """Return why nothing is corrected by rule, and what is to be done."""
    count = counted(len(found), "correction")
    if any(one.reason == "methodology" for one in found):
        return f"{count} by another definition than that published: name who approves them, by --by"
    return (
        f"{count} past {counted(policy.automatic_sessions, 'session')} or above "
        f"{policy.approval_bp:g} bp, or to other variants or another mark: name who approves them, "
        "by --by"
    )
