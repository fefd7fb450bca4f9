"""A published session as it was shown: made again from the rows the ledger kept, and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from indexer.errors import Flaw, MissingInputError, counted
from indexer.index.evidence import in_chinese
from indexer.index.history import History
from indexer.ledger.correct import basis_points
from indexer.ledger.database import reading
from indexer.ledger.entry import Entry
from indexer.ledger.heads import Head, heads, kind_of
from indexer.ledger.history import columns_of, published_rows, read_definition, read_entry
from indexer.ledger.publish import instant_text
from indexer.report.notice import CHINESE_REASONS
from indexer.report.record import Record
from indexer.report.words import RULES
from indexer.run.entries import Candidate
from indexer.run.find import meant
from indexer.run.rebuild import Subject, built_again, by_other_code, wrong_entry
from indexer.run.stored import market_of_entry
from indexer.signals.result import Comparison
from indexer.signals.signal import Signal
from indexer.words import Text, joined, many, same


@dataclass(frozen=True, slots=True)
class Asked:
    """Which publication is shown: of a session, the last by default, as known at an instant."""

    session: date | None = None
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Publication:
    """A published session, and everything before it as it was known then.

    Attributes
    ----------
    found : the index or study; its caveats stand among the warnings
    record : the entry it was made from
    caveats : what sets it apart from a calculation made today
    published : one row per session and variant, or signal, of the revisions in force
    """

    found: History | Comparison
    record: Record
    caveats: tuple[Text, ...]
    published: pl.DataFrame

    @property
    def kind(self) -> str:
        """Whether it is of an ``index`` or a ``study``."""
        return "index" if isinstance(self.found, History) else "study"


def publication(engine: sa.Engine, id: str, asked: Asked) -> Publication:
    """Return what was published of a session, and of those before it, as known at an instant.

    It is built from the rows of the market that the entry itself has kept, by its definition.
    Levels and signals of earlier sessions are those published then, though the rows of this entry
    may give others: a correction below the threshold of the policy is recorded, not published.

    Raises
    ------
    MissingInputError
        If nothing was published of that id, session and instant.
    LedgerError
        If what is built is not what was published.
    """
    with reading(engine) as connection:
        subject, standing = _standing(connection, id, asked)
        last = standing[-1]
        text = read_definition(connection, last.definition) or ""
        synthetic = any(head.synthetic for head in standing)
        market = market_of_entry(connection, last.number, synthetic=synthetic, source=last.source)
        table = _table(connection, subject, standing)
    found, candidate = built_again(text, subject, last, market)
    session = date.fromisoformat(last.session)
    if candidate.market_digests([session])[0] != last.market:
        message = "its stored inputs are not those its digest was taken of"
        raise wrong_entry(id, last, message)
    at = candidate.row(session)
    if at is None or candidate.content_digest(at) != last.content:
        message = "built again, it is another: verify --inputs says more"
        raise wrong_entry(id, last, f"{message}{by_other_code(last)}")
    other = [head for head in standing[:-1] if not _same(candidate, head)]
    with reading(engine) as connection:
        entry, *entries = (read_entry(connection, head.number) for head in (last, *other))
    caveats = (
        *_entry_caveats(entry),
        *_coverage(candidate, standing),
        *_differences(candidate, entries),
    )
    return Publication(
        _as_published(found, entries, caveats),
        _record(last, asked, tuple(head.session for head in other)),
        caveats,
        table,
    )


def _standing(connection: sa.Connection, id: str, asked: Asked) -> tuple[Subject, list[Head]]:
    """Return the entries in force at an instant up to the session that is asked for, by session."""
    kind = kind_of(connection, id)
    if kind is None:
        raise _missing(id, f"is no index or study that was ever published{meant(id)}")
    known = None if asked.known_at is None else instant_text(asked.known_at)
    standing = heads(connection, id, kind, known_at=known)
    sessions = [head.session for head in standing]
    when = f" by {known}" if known else ""
    if not sessions:
        raise _missing(id, f"nothing was published{when}")
    wanted = sessions[-1] if asked.session is None else asked.session.isoformat()
    if wanted not in sessions:
        span = f"the {len(sessions)} published sessions run from {sessions[0]} to {sessions[-1]}"
        raise _missing(id, f"session {wanted} was not published{when}: {span}")
    return Subject(id, kind), [head for head in standing if head.session <= wanted]


def _missing(id: str, message: str) -> MissingInputError:
    return MissingInputError([Flaw(id, None, "", message)])


def _record(head: Head, asked: Asked, differing: tuple[str, ...]) -> Record:
    return Record(
        number=head.number,
        session=head.session,
        revision=head.revision,
        published_at=head.published_at,
        known_at=None if asked.known_at is None else instant_text(asked.known_at),
        digest=head.content,
        differing=differing,
    )


def _table(connection: sa.Connection, subject: Subject, standing: Sequence[Head]) -> pl.DataFrame:
    numbers = [head.number for head in standing]
    rows = published_rows(connection, numbers, subject.kind)
    told, columns = [row for number in numbers for row in rows[number]], columns_of(subject.kind)
    return pl.DataFrame(told, schema=list(columns), orient="row", infer_schema_length=None)


def _same(candidate: Candidate, head: Head) -> bool:
    at = candidate.row(date.fromisoformat(head.session))
    return at is not None and candidate.content_digest(at) == head.content


def _entry_caveats(entry: Entry) -> Iterator[Text]:
    """Yield why an entry is no first revision, and what the gates noted of it."""
    if entry.status != "final":
        why = [part for part in (entry.reason, entry.note) if part and part != entry.status]
        zh = "，".join(CHINESE_REASONS.get(part, part) for part in why)
        yield Text(
            f"revision {entry.revision} of {entry.session} is {entry.status}: {', '.join(why)} "
            f"({entry.by})",
            f"{entry.session}第{entry.revision}版{_STATUS[entry.status]}：{zh}（{entry.by}）",
        )
    for rule, message, by, note in entry.rows.get("findings", ()):
        zh = f"{rule}（{RULES.get(rule, '检查')}）：{in_chinese(message)}"
        found = Text(f"{rule}: {message}", zh)
        over = Text(f" (overridden by {by}: {note})", f"（{by}予以放行：{note}）")
        yield joined([found, over if by else same("")], "")


_STATUS = {"corrected": "为更正版，原因", "retired": "为终止发布"}


def _coverage(candidate: Candidate, standing: Sequence[Head]) -> Iterator[Text]:
    """Yield how many of the sessions that are shown were published."""
    shown = len(candidate.days)
    if len(standing) < shown:
        count, first = len(standing), standing[0].session
        yield Text(
            f"{count} of {counted(shown, 'session')} were published by then, from {first}: the "
            "others are calculated from the inputs of this one",
            f"共{shown}个交易日，截至当时仅{count}个已发布（自{first}起），其余按本次输入数据计算",
        )


def _differences(candidate: Candidate, entries: Sequence[Entry]) -> Iterator[Text]:
    """Yield which earlier sessions the inputs of the last one would make others."""
    if not entries:
        return
    most = max((abs(bp) for entry in entries for bp in _moves(candidate, entry)), default=0.0)
    by = Text(f", levels by up to {most:.4g} bp", f"，点位至多相差{most:.4g}个基点")
    first, last = entries[0].session, entries[-1].session
    when = (
        Text(first, first)
        if first == last
        else Text(f"between {first} and {last}", f"{first}至{last}")
    )
    told = many(len(entries), "earlier session", "个较早的交易日")
    yield Text(
        f"{told.en} ({when.en}) would be others by the inputs of this one{by.en if most else ''}: "
        "their levels and signals are shown as published, everything else as calculated",
        f"按本次的输入，{told.zh}（{when.zh}）会有所不同{by.zh if most else ''}："
        "其点位与信号按已发布者列示，其余按计算者列示",
    )


def _moves(candidate: Candidate, entry: Entry) -> Iterator[float]:
    """Yield by how many basis points each level of an entry would be another."""
    at = candidate.row(date.fromisoformat(entry.session))
    content = {} if at is None else candidate.content(at)
    for table, key, value in (("levels", 0, 2), ("aligned", 0, 1)):
        now = {row[key]: row[value] for row in content.get(table, ())}
        for row in entry.rows.get(table, ()):
            if row[key] in now:
                yield basis_points(row[value], now[row[key]])


def _as_published(
    found: History | Comparison, entries: Sequence[Entry], caveats: tuple[Text, ...]
) -> History | Comparison:
    """Return an index or study with what was published of some sessions, and caveats."""
    warnings = (*caveats, *found.warnings)
    if isinstance(found, History):
        return replace(_index_as_published(found, entries), warnings=warnings)
    return replace(_study_as_published(found, entries), warnings=warnings)


def _index_as_published(history: History, entries: Sequence[Entry]) -> History:
    variants = {name: level.copy() for name, level in history.variants.items()}
    divisor, value = history.divisor.copy(), history.market_value.copy()
    rows = {day: at for at, day in enumerate(history.days.tolist())}
    for entry in entries:
        at = rows.get(date.fromisoformat(entry.session))
        for name, _, exact, *beside in entry.rows.get("levels", ()):
            if at is not None and name in variants:
                variants[name][at] = exact
                if None not in beside:
                    divisor[at], value[at] = beside
    return replace(history, variants=variants, divisor=divisor, market_value=value)


def _study_as_published(found: Comparison, entries: Sequence[Entry]) -> Comparison:
    aligned = found.aligned
    level = aligned.level.copy()
    rows = {day: at for at, day in enumerate(aligned.sessions.tolist())}
    told: dict[date, dict[tuple[Any, ...], float]] = {}
    for entry in entries:
        day = date.fromisoformat(entry.session)
        told[day] = {tuple(key): exact for *key, exact, _ in entry.rows.get("signals", ())}
        for id, exact, *_ in entry.rows.get("aligned", ()):
            if day in rows and id in aligned.ids:
                level[rows[day], aligned.ids.index(id)] = exact
    signals = tuple(_signal_as_published(signal, told) for signal in found.signals)
    return replace(found, aligned=replace(aligned, level=level), signals=signals)


def _signal_as_published(
    signal: Signal, told: Mapping[date, Mapping[tuple[Any, ...], float]]
) -> Signal:
    """Return a signal with the values of some sessions; what has none there was not published."""
    key = (signal.name, signal.leader, signal.follower, signal.other, signal.window)
    value = signal.value.copy()
    for at, day in enumerate(signal.days.tolist()):
        if day in told:
            value[at] = told[day].get(key, np.nan)
    return replace(signal, value=value)
