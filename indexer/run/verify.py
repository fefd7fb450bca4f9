"""Verification: the chain, the files, and the levels themselves, made again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from indexer.errors import LedgerError, Refusal
from indexer.ledger.database import reading
from indexer.ledger.heads import Head, all_heads, heads, noted, subjects
from indexer.ledger.history import read_definition, read_entry
from indexer.ledger.verify import check_chain, check_database
from indexer.market.delta import split_version
from indexer.market.sources.archive import REPLIES, verify_replies
from indexer.market.tables import Market, read_market
from indexer.run.derived import wrong_files
from indexer.run.entries import Candidate
from indexer.run.provenance import code_digest
from indexer.run.rebuild import Subject, built_again, by_other_code, wrong_entry
from indexer.run.results import Progress
from indexer.run.revise import compared
from indexer.run.stored import market_of_entry


@dataclass(frozen=True, slots=True)
class Verified:
    """How much was found to be as it was published.

    Attributes
    ----------
    entries, head : how many entries follow each other, and the hash of the last one
    files : whether published files were compared
    built : entries that were made again, counted twice where both ways were asked for; what has no
        rows of its own, such as an approval, is none of them
    replies : those of sources that are as they came into the folder of the market
    others : entries no longer in force that another version published and this one makes otherwise
    """

    entries: int
    head: str
    files: bool
    built: int
    replies: int
    others: int = 0


class Wrong(NamedTuple):
    """An entry that cannot be made again as it is, and the error that says how."""

    head: Head
    error: LedgerError


def verify(
    engine: sa.Engine,
    *,
    market: Path | None = None,
    out: Path | None = None,
    inputs: bool = False,
    progress: Progress = lambda _: None,
) -> Verified:
    """Check that the ledger is what was written to it, and what it says can be made again.

    Parameters
    ----------
    market : a market from which the levels in force are built again; what sources replied is
        looked at where the folder keeps it
    out : a folder whose published files are compared with the ledger
    inputs : whether every level, also those no longer in force, is built again from the rows of
        the market that the ledger itself has kept

    Raises
    ------
    LedgerError
        With the first entry that fails, or every file that does.
    MissingInputError, MarketDataError
        If the market cannot be read, or with every reply that is gone or damaged.
    """
    progress("following the chain")
    with reading(engine) as connection:
        check_database(connection)
        number, head = check_chain(connection)
        found = [Subject(*told) for told in subjects(connection).items()]
    if out is not None:
        files = [Refusal(str(path), "", "", why) for path, why in wrong_files(engine, out)]
        if files:
            raise LedgerError(files)
    built, replies, wrong = 0, 0, list[Wrong]()
    tables = None if market is None else read_market(market)
    if market is not None:
        progress("reading what sources replied")
        replies = verify_replies(split_version(market)[0] / REPLIES)
    for subject in found:
        progress(f"building {subject.id}")
        if tables is not None:
            built += _from_market(engine, subject, tables, wrong)
        if inputs:
            built += _from_inputs(engine, subject, wrong)
    others = _of_others(engine, found, wrong)
    if len(others) < len(wrong):
        left = (one for one in wrong if one.head.number not in others)
        raise min(left, key=lambda one: one.head.number).error
    return Verified(number, head, out is not None, built, replies, len(others))


def _of_others(engine: sa.Engine, checked: Sequence[Subject], wrong: Sequence[Wrong]) -> set[int]:
    """Return the entries, not in force any more, that only the version that made them can prove.

    What it knew of a calendar, or got wrong, is what was corrected since.
    """
    with reading(engine) as connection:
        standing = {h.number for one in checked for h in heads(connection, one.id, one.kind)}
    apart = {one.head.number for one in wrong if one.head.code != code_digest()}
    return apart - standing


def _from_market(engine: sa.Engine, subject: Subject, market: Market, wrong: list[Wrong]) -> int:
    """Build the entries in force of a subject from a market; return how many, but for the wrong."""
    with reading(engine) as connection:
        known = noted(connection, subject.id)
        by_definition: dict[str, list[Head]] = {}
        for head in heads(connection, subject.id, subject.kind):
            by_definition.setdefault(head.definition, []).append(head)
        texts = {digest: read_definition(connection, digest) or "" for digest in by_definition}
    count = 0
    for digest, found in by_definition.items():
        try:
            candidate = built_again(texts[digest], subject, found[-1], market).candidate
        except LedgerError as error:
            wrong.append(Wrong(found[-1], error))
            continue
        asked = [head for head in found if not _is_noted(candidate, head, known)]
        count += _compare(engine, candidate, asked, wrong)
    return count


def _is_noted(candidate: Candidate, head: Head, known: Mapping[str, str]) -> bool:
    """Return whether what a session would be has been recorded as immaterial beside it."""
    at = candidate.row(date.fromisoformat(head.session))
    return at is not None and known.get(head.session) == candidate.content_digest(at)


def _from_inputs(engine: sa.Engine, subject: Subject, wrong: list[Wrong]) -> int:
    """Build every entry of a subject from its own stored inputs; return how many, but the wrong.

    A build of the last one serves all whose rows are those it had by their session.
    """
    with reading(engine) as connection:
        left = all_heads(connection, subject.id, subject.kind)
    count = 0
    while left:
        last = left[-1]
        with reading(engine) as connection:
            text = read_definition(connection, last.definition) or ""
            # What data are marked as is no part of the content that is compared.
            market = market_of_entry(connection, last.number, synthetic=False)
        served = [h for h in left if h.definition == last.definition and h.session <= last.session]
        days = sorted({date.fromisoformat(head.session) for head in served})
        try:
            candidate = built_again(text, subject, last, market).candidate
            digests = dict(zip(days, candidate.market_digests(days), strict=True))
            if digests[days[-1]] != last.market:
                message = "its stored inputs are not those its digest was taken of"
                raise wrong_entry(subject.id, last, message)
        except LedgerError as error:
            wrong.append(Wrong(last, error))
            left.remove(last)
            continue
        same = [h for h in served if digests[date.fromisoformat(h.session)] == h.market]
        count += _compare(engine, candidate, same, wrong)
        done = {head.number for head in same}
        left = [head for head in left if head.number not in done]
    return count


def _compare(
    engine: sa.Engine, candidate: Candidate, found: Sequence[Head], wrong: list[Wrong]
) -> int:
    """Return how many entries are what a candidate has of their sessions; append the others."""
    with reading(engine) as connection:
        each = [(head, _difference(connection, candidate, head)) for head in found]
    differing = [(head, why) for head, why in each if why]
    wrong += [
        Wrong(head, wrong_entry(candidate.id, head, f"{why}{by_other_code(head)}"))
        for head, why in differing
    ]
    return len(found) - len(differing)


def _difference(connection: sa.Connection, candidate: Candidate, head: Head) -> str:
    """Return how a session, built again, is another one; empty where it is the same."""
    session = date.fromisoformat(head.session)
    at = candidate.row(session)
    if at is None and session > candidate.last:
        return f"cannot be built again: the market ends on {candidate.last}"
    if at is None:
        return "built again, it is no session of the index"
    if candidate.content_digest(at) == head.content:
        return ""
    published = read_entry(connection, head.number)
    _, text = compared(published, replace(published, rows=candidate.content(at)))
    return f"built again, it is another: {text}"
