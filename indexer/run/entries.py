"""From what was computed to entries that can be published."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import or_

import numpy as np
import polars as pl

from indexer.arrays import Days, Flags, or_none
from indexer.definitions.read import study_text
from indexer.digest import digest_bytes
from indexer.index.history import Change, History
from indexer.index.positions import positions
from indexer.ledger.entry import Entry, Row, content_digest, decimal_text
from indexer.market.inputs import Inputs, Used, inputs_of
from indexer.market.tables import Market
from indexer.run.provenance import code_digest, methodology
from indexer.signals.result import Comparison

Content = Mapping[str, Sequence[Row]]  # by table of the ledger


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An index or a study as it would be published.

    Attributes
    ----------
    id, kind : its id, and ``index`` or ``study``
    definition, text : digest and text of its definition, with those of the indices of a study
    calendar : code of the calendar its sessions are of
    days : (T,) its sessions
    backtested : (T,) marks
    content : what is published of a row
    inputs : the rows of the market it rests on
    members : the indices of a study as they would be published; none of an index
    """

    id: str
    kind: str
    definition: str
    text: str
    calendar: str
    days: Days
    backtested: Flags
    synthetic: bool
    content: Callable[[int], Content]
    inputs: Inputs
    members: Sequence["Candidate"] = ()
    code: str = field(default_factory=code_digest)
    _digests: dict[date, str] = field(default_factory=dict)

    @property
    def last(self) -> date:
        """The last session."""
        day: date = self.days[-1].item()
        return day

    def row(self, session: date) -> int | None:
        """Return where a session is; None where there is no such session."""
        day = np.datetime64(session, "D")
        at = int(np.searchsorted(self.days, day))
        return at if at < len(self.days) and self.days[at] == day else None

    def market_digests(self, sessions: Sequence[date]) -> list[str]:
        """Return the digest of the market as known on each session; sessions ascend."""
        new = [session for session in sessions if session not in self._digests]
        if new:
            days = np.array(new, dtype="datetime64[D]")
            self._digests.update(zip(new, self.inputs.digests(days), strict=True))
        return [self._digests[session] for session in sessions]

    def content_digest(self, at: int) -> str:
        """Return the SHA-256 of what is published of a row."""
        return content_digest(self.content(at))

    def entry(self, session: date) -> Entry:
        """Return what would be published of a session, without its inputs.

        Raises
        ------
        ValueError
            If it is no session of the index or study.
        """
        at = self.row(session)
        if at is None:
            raise ValueError(f"{self.id} has no session {session}")
        return Entry(
            subject=self.id,
            kind=self.kind,
            session=session.isoformat(),
            status="final",
            definition=self.definition,
            market=self.market_digests([session])[0],
            code=self.code,
            methodology=methodology(),
            synthetic=self.synthetic,
            source=self.inputs.source,
            backtested=bool(self.backtested[at]),
            rows=self.content(at),
        )


def index_candidate(history: History) -> Candidate:
    """Return the candidate of an index."""
    changes: dict[date, list[Change]] = {}
    for change in history.changes:
        changes.setdefault(change.date.astype(date), []).append(change)

    def content(at: int) -> Content:
        found = {
            "levels": list(_levels(history, at)),
            "constituents": list(_constituents(history, at)),
            "changes": [_change(c) for c in changes.get(history.days[at].item(), ())],
        }
        return {name: rows for name, rows in found.items() if rows}

    return Candidate(
        id=history.definition.id,
        kind="index",
        definition=history.definition.digest,
        text=history.definition.canonical,
        calendar=history.definition.calendar,
        days=history.days,
        backtested=history.backtested,
        synthetic=history.synthetic,
        content=content,
        inputs=history.inputs,
    )


def study_candidate(found: Comparison, market: Market) -> Candidate:
    """Return the candidate of a study made on a market."""
    study = found.study
    used = reduce(or_, (history.inputs.used for history in found.histories.values()))
    indices = {id: history.definition for id, history in found.histories.items()}
    more = Used(
        dict.fromkeys((overlay.symbol for overlay in study.overlays), date.min),
        {study.currency, *(index.currency for index in indices.values())} - {"local"},
        amounts=True,
        instants=True,
    )
    by_day = _by_day(found)
    text = study_text(study, indices)
    return Candidate(
        id=study.id,
        kind="study",
        definition=digest_bytes([text.encode()]),
        text=text,
        calendar=study.calendar,
        days=found.aligned.sessions,
        backtested=np.asarray(found.aligned.backtested.any(axis=1)),
        synthetic=found.synthetic,
        content=lambda at: by_day.get(found.aligned.sessions[at].item(), {}),
        inputs=inputs_of(market, used | more),
        members=tuple(map(index_candidate, found.histories.values())),
    )


def _by_day(found: Comparison) -> dict[date, dict[str, list[Row]]]:
    """Return the rows of a study's tables by session, dates in ISO form."""
    tables = {"signals": found.table, "states": found.state_table, "aligned": found.levels}
    rows: dict[date, dict[str, list[Row]]] = {}
    for name, table in tables.items():
        text = table.with_columns(pl.selectors.date().exclude("date").dt.to_string("iso"))
        for day, *cells in text.iter_rows():
            rows.setdefault(day, {}).setdefault(name, []).append(tuple(cells))
    return rows


def _levels(history: History, at: int) -> Iterator[Row]:
    for name, level in history.variants.items():
        exact = float(level[at])
        beside = (history.divisor[at], history.market_value[at])
        numbers = map(or_none, beside) if name == "price" else (None, None)
        yield (name, decimal_text(exact, history.definition.publish.decimals), exact, *numbers)


def _constituents(history: History, at: int) -> Iterator[Row]:
    for held in positions(history, at):
        dated = "" if held.dated is None else held.dated.isoformat()
        beside = (held.fx, held.weight, held.contribution)
        yield (held.symbol, held.shares, held.close, dated, *beside)


def _change(change: Change) -> Row:
    return (
        change.symbol,
        change.kind,
        float(change.shares_before),
        float(change.shares_after),
        float(change.divisor_before),
        float(change.divisor_after),
    )
