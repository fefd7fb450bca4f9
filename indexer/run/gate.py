"""What becomes of what gates find: it stands in the way, or it is recorded with its session."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from indexer.errors import LedgerError, Refusal, TryAgainError
from indexer.index.finding import Finding
from indexer.ledger.entry import Entry
from indexer.run.desk import Terms

Gate = Callable[[Sequence[date]], Sequence[Finding]]
Noted = dict[date, list[tuple[str, str, str, str]]]  # rows of findings by session

UNYIELDING = {"R34", "R35"}  # a level that is none, or does not add up, is nobody's to publish
HORIZON = "R22"  # the gate that lets estimated sessions through when asked


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
