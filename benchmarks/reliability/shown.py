"""A ledger to be looked at: indices and a study whose numbers are drawn, none of them computed."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from indexer.digest import digest_bytes
from indexer.ledger.database import open_ledger, publishing
from indexer.ledger.entry import Entry, Row, decimal_text
from indexer.ledger.publish import append

FIRST = date(2016, 1, 4)
PUBLISHED = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = (  # of the indices, in order; the second and third try to be something else
    {"en": "First chain", "zh": "第一链"},
    {"en": "<script>alert(1)</script>", "zh": "\"><img src=x onerror='alert(2)'>"},
    {"en": "=cmd|' /C calc'!A0", "zh": "@SUM(1+1)"},
    {"en": "Fourth chain"},
    {"en": "Fifth chain", "zh": "第五链"},
)
STUDY = "pair"
_SIGNALS = ("gap", "momentum", "relative_strength", "correlation")
_MEMBERS = 30


def days(count: int) -> list[str]:
    """Return so many sessions: every weekday is one."""
    weekdays = (FIRST + timedelta(days=n) for n in range(2 * count))
    return [day.isoformat() for day in weekdays if day.weekday() < 5][:count]


def ids(count: int) -> list[str]:
    """Return the ids of so many indices."""
    return [f"chain-{n + 1}" for n in range(count)]


def write(path: Path, sessions: int) -> sa.Engine:
    """Write a ledger into a file and return it."""
    return write_at(f"sqlite:///{path}", sessions)


def write_at(url: str, sessions: int, indices: int = len(NAMES), seed: int = 1) -> sa.Engine:
    """Write a ledger and return it; the back-tested stretch is the first half."""
    engine = open_ledger(url, create=True)
    rng = random.Random(seed)  # noqa: S311 (the same numbers each time)
    for n, id in enumerate(ids(indices)):
        text = _definition(id, NAMES[n % len(NAMES)])
        publish(engine, list(_index(id, days(sessions), text, rng)), text, PUBLISHED)
    text = json.dumps({"study": {"id": STUDY, "name": {"en": "The pair", "zh": "配对"}}})
    publish(engine, list(_study(days(sessions), text, rng)), text, PUBLISHED + timedelta(hours=1))
    return engine


def correct(engine: sa.Engine, id: str, session: str, level: float, at: datetime) -> None:
    """Publish another revision of a session, with other levels."""
    text = _definition(id, NAMES[0])
    rows = {"levels": _levels(level)}
    entry = _entry(id, "index", session, text, rows, status="corrected", reason="bad-price")
    publish(engine, [entry], text, at)


def publish(engine: sa.Engine, entries: Sequence[Entry], text: str, at: datetime) -> None:
    """Append entries of one definition in one transaction."""
    with publishing(engine) as connection:
        append(connection, entries, at, {_digest(text): text})


def more(id: str, sessions: Sequence[str], seed: int) -> tuple[list[Entry], str]:
    """Return entries of further sessions of an index, and the text of its definition."""
    text = _definition(id, NAMES[0])
    return list(_index(id, sessions, text, random.Random(seed))), text  # noqa: S311


def _definition(id: str, name: dict[str, str]) -> str:
    told = {"id": id, "name": name, "calendar": "XSHG", "currency": "CNY"}
    return json.dumps(told, ensure_ascii=False)


def _digest(text: str) -> str:
    return digest_bytes([text.encode()])


def _entry(
    subject: str, kind: str, session: str, text: str, rows: dict[str, Any], **given: Any
) -> Entry:
    told = {
        "status": "final",
        "synthetic": True,
        "source": "random walks",
        "run": "20260302T090000Z-00000000",
        **given,
    }
    definition, market = _digest(text), _digest(f"{subject} {session}")
    return Entry(
        subject=subject,
        kind=kind,
        session=session,
        definition=definition,
        market=market,
        code="c" * 64,
        methodology="1-0123456789abcdef",
        rows=rows,
        **told,
    )


def _levels(level: float) -> list[Row]:
    return [
        ("price", decimal_text(level, 4), level, 1.5, 1.5 * level),
        ("gross", decimal_text(1.01 * level, 4), 1.01 * level, None, None),
    ]


def _index(id: str, sessions: Sequence[str], text: str, rng: random.Random) -> Iterator[Entry]:
    level = 1000.0
    for n, session in enumerate(sessions):
        level *= 1 + rng.gauss(0, 0.01)
        before = sessions[max(0, n - 1)]
        members = [
            (f"{600000 + k}.SH", 10.0 + k, level / 100 + k, before if k == n % 40 else session)
            for k in range(_MEMBERS)
        ]
        rows = {
            "levels": _levels(level),
            "constituents": [(*member, 1.0, 1 / _MEMBERS, 0.0001) for member in members],
        }
        yield _entry(id, "index", session, text, rows, backtested=n < len(sessions) // 2)


def _study(sessions: Sequence[str], text: str, rng: random.Random) -> Iterator[Entry]:
    leader, *followers = ids(3)
    for n, session in enumerate(sessions):
        early = n < len(sessions) // 2
        signals = [
            (signal, leader, follower, "", window, rng.gauss(0, 1), early)
            for follower in followers
            for signal in _SIGNALS
            for window in ((20, 60) if signal != "relative_strength" else (None,))
        ]
        states = [
            (leader, follower, "neutral", None, sessions[0], None, None, None)
            for follower in followers
        ]
        rows = {"signals": signals, "states": states}
        yield _entry(STUDY, "study", session, text, rows, backtested=early)
