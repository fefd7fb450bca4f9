"""What becomes of what gates find: it stands in the way, or it is recorded with its session."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import sqlalchemy as sa

from indexer.errors import LedgerError, Refusal, TryAgainError
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.index.history import History
from indexer.ledger.entry import Entry
from indexer.ledger.heads import head_before, heads
from indexer.market.tables import Market
from indexer.run.beside import study_findings
from indexer.run.desk import Terms
from indexer.run.entries import Candidate
from indexer.signals.result import Comparison

Gate = Callable[[Sequence[date]], Sequence[Finding]]
Noted = dict[date, list[tuple[str, str, str, str]]]  # rows of findings by session

UNYIELDING = {"R34", "R35"}  # a level that is none, or does not add up, is nobody's to publish
HORIZON = "R22"  # the gate that lets estimated sessions through when asked
LASTING = "R16"  # the gate that finds what later sessions inherit


def gate_of(found: History | Comparison, market: Market) -> Gate:
    """Return what judges sessions of an index, or of a study, made on a market."""
    if isinstance(found, History):
        return lambda sessions: findings(found, market, sessions)
    return lambda sessions: study_findings(found, market, sessions)


def passed_over(connection: sa.Connection, candidate: Candidate, new: Sequence[date]) -> list[date]:
    """Return the sessions that were never published, from the last published one to new ones.

    None before a first publication: what lies before it is computed, and published by nobody.
    """
    if not new:
        return []
    before = head_before(connection, candidate.id, new[0].isoformat(), candidate.kind)
    begin = date.fromisoformat(before[0].session) if before else new[0]
    days = candidate.days
    within = days[(days > np.datetime64(begin)) & (days < np.datetime64(new[-1]))].tolist()
    if not (left := sorted({*within} - {*new})):
        return []
    span = (left[0].isoformat(), left[-1].isoformat())
    there = {head.session for head in heads(connection, candidate.id, candidate.kind, between=span)}
    return [day for day in left if day.isoformat() not in there]


def found_anew(gate: Gate, new: Sequence[date], skipped: Sequence[date]) -> list[Finding]:
    """Return what a gate finds of new sessions, and what lasts of those passed over before them.

    A price beyond belief is in every later level as well: that its own session was not published
    makes no other one right.
    """
    found, asked = gate([*skipped, *new]) if new else (), {*new}
    kept = [one for one in found if one.session in asked]
    for one in found:
        if one.session not in asked and (one.rule, one.verdict) == (LASTING, "refuse"):
            message = f"{one.session} was not published, and is in its level: {one.message}"
            later = new[bisect_left(new, one.session)]
            kept.append(replace(one, session=later, message=message))
    return kept


def passed(terms: Terms, subject: str, found: Sequence[Finding]) -> Noted:
    """Return what is recorded of findings, by session.

    Raises
    ------
    TryAgainError, LedgerError
        For those that stand in the way, and are not overridden.
    """
    waits = [one for one in found if one.verdict == "wait" and one.rule not in terms.override]
    if waits:
        first = waits[0]
        raise TryAgainError(subject, f"{first.session}: {first.rule}: {first.message}")
    opened = {*terms.override, *([HORIZON] if terms.estimated else [])} - UNYIELDING
    shut = [one for one in found if one.verdict == "refuse" and one.rule not in opened]
    if shut:
        refusals = [
            Refusal(subject, one.session.isoformat(), one.rule, one.message) for one in shut
        ]
        raise LedgerError(refusals)
    told: Noted = {}
    for one in found:
        who = (terms.by, terms.note) if one.verdict != "note" else ("", "")
        told.setdefault(one.session, []).append((one.rule, one.message, *who))
    return told


def with_findings(entry: Entry, told: Noted) -> Entry:
    """Return an entry with what the gates found on its session."""
    found = told.get(date.fromisoformat(entry.session), [])
    return replace(entry, rows={**entry.rows, "findings": found})
