"""Which differences of a study rest on levels of its indices that were only recorded."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

import sqlalchemy as sa

from indexer.ledger.heads import AFTER_ALL, Head, heads, noted
from indexer.run import stored
from indexer.run.entries import Candidate

_KEYS = frozenset({"symbol", "date", "ex_date", "kind", "base", "quote"})  # of rows of the market
_Cell = tuple[str, frozenset[tuple[str, object]], str]  # of a table, by the keys of its row


def resting(connection: sa.Connection, candidate: Candidate) -> Callable[[Head], bool]:
    """Return what tells whether a study may differ by levels that were never published.

    Those are levels of its indices that are recorded as immaterial. Where one of its indices was
    corrected after the study was published, it follows that one.
    """
    beside = [s for index in candidate.members for s in _beside(connection, index)]
    again: list[tuple[str, int]] = []
    for index in candidate.members if beside else ():
        there = heads(connection, index.id)
        again += [(h.session, h.number) for h in there if h.status == "corrected"]
    first = min(beside, default=AFTER_ALL)

    def rests(head: Head) -> bool:
        since = any(day <= head.session and number > head.number for day, number in again)
        return first <= head.session and not since

    return rests


def other_since(connection: sa.Connection, candidate: Candidate, head: Head) -> str:
    """Return the ISO date from which a study differs by more than levels that are only recorded.

    That is by rows of the market which none of them explains, such as of turnover or of the
    benchmark; every date where they have none, or where the code is another. After all dates where
    there is nothing of the kind.

    Parameters
    ----------
    head : of the last session that differs: its rows are all that count
    """
    if head.code != candidate.code:
        return ""
    explained = {
        cell
        for index in candidate.members
        if list(_beside(connection, index))
        for own in heads(connection, index.id, between=("", head.session))[-1:]
        for cell in _changed(connection, index, own)
    }
    left = set(_changed(connection, candidate, head)) - explained
    return min((_day(row) for _, row, _ in left), default=AFTER_ALL)


def _beside(connection: sa.Connection, index: Candidate) -> Iterator[str]:
    """Yield the sessions on which an index now is what is recorded beside it."""
    for session, content in noted(connection, index.id).items():
        at = index.row(date.fromisoformat(session))
        if at is not None and index.content_digest(at) == content:
            yield session


def _changed(connection: sa.Connection, candidate: Candidate, head: Head) -> Iterator[_Cell]:
    """Yield the cells that differ between a candidate and an entry of it, or that one alone has."""
    published = stored.bag_of(connection, head.number)
    now = stored.bag(candidate.inputs.rows(date.fromisoformat(head.session)))
    cells: Counter[tuple[_Cell, object]] = Counter()
    for rows, sign in ((now - published, 1), (published - now, -1)):
        for (table, columns, row), count in rows.items():
            named = dict(zip(columns, row, strict=True))
            key = frozenset((name, named[name]) for name in _KEYS & named.keys())
            for name in named.keys() - _KEYS:
                if named[name] is not None:
                    cells[(table, key, name), named[name]] += sign * count
    for (cell, _), count in cells.items():
        if count:
            yield cell


def _day(row: frozenset[tuple[str, object]]) -> str:
    """Return the date of a row of the market by its keys; empty where it has none."""
    return max((str(value) for name, value in row if name in ("date", "ex_date")), default="")
