"""Several publishers want the same days at once, on SQLite and on PostgreSQL (B13)."""

import contextlib
import multiprocessing
import queue
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.reliability.plain import candidate, day, publish
from benchmarks.reliability.record import Found
from benchmarks.reliability.server import postgresql
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.tables import entries, levels

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
LONGEST = 5.0  # seconds a publisher may wait for its turn
READERS = 2
FAIR_AFTER = 1000  # days: on a busy machine one of three has gone without for 25
PAUSE = 0.01  # seconds at most before an attempt: a queue in step serves the same one first


@dataclass(frozen=True, slots=True)
class Share:
    """What one publisher did: days it published, its longest wait, errors, days it attempted."""

    won: int
    longest: float
    errors: tuple[str, ...]


def contest(kind: str, publishers: int, days: int, memory: Path) -> Found:
    """Let publishers race through the days, and readers look on; count what went wrong."""
    began = time.perf_counter()
    with _ledger(kind, memory) as url:
        open_ledger(url, create=True).dispose()
        shares, seen = _race(url, publishers, days)
        wrong = [*seen, *_judged(url, days), *(e for share in shares for e in share.errors)]
    longest = max(share.longest for share in shares)
    if longest > LONGEST:
        wrong.append(f"{kind}, {publishers} publishers: waited {longest:.1f} s")
    least = min(share.won for share in shares) / days
    if starved(shares, days):
        wrong.append(f"{kind}, {publishers} publishers: one never got a day")
    name = f"{kind}_{publishers}"
    figures = {
        f"max_wait_seconds_{name}": round(longest, 3),
        f"least_share_{name}": round(least, 4),
    }
    return Found(days, tuple(wrong), time.perf_counter() - began, figures)


def starved(shares: Sequence[Share], days: int) -> bool:
    """Return whether a publisher never got one of so many days that even bad luck gives it one."""
    return days >= FAIR_AFTER and not all(share.won for share in shares)


@contextlib.contextmanager
def _ledger(kind: str, memory: Path) -> Iterator[str]:
    if kind == "postgresql":
        with postgresql() as url:
            yield url
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield f"sqlite:///{folder}/indexer.db"


def _race(url: str, publishers: int, days: int) -> tuple[list[Share], list[str]]:
    context = multiprocessing.get_context("spawn")
    done, told = context.Event(), context.Queue()
    at = context.Array("l", publishers)  # the day each is at
    racing = [
        context.Process(target=_publisher, args=(url, n, days, at, told)) for n in range(publishers)
    ]
    looking = [context.Process(target=_reader, args=(url, done, told)) for _ in range(READERS)]
    for process in (*racing, *looking):
        process.start()
    shares = [_taken(told, racing) for _ in racing]
    done.set()
    seen = [line for _ in looking for line in _taken(told, looking)]
    for process in (*racing, *looking):
        process.join()
    return shares, seen


def _taken(told: Any, processes: list[Any]) -> Any:
    """Return what one of the processes says; fail if one has ended without saying anything."""
    while True:
        with contextlib.suppress(TimeoutError, queue.Empty):
            return told.get(timeout=5)
        if any(process.exitcode for process in processes):
            raise RuntimeError("a process of the contest has died")


def _publisher(url: str, number: int, days: int, at: Any, told: Any) -> None:
    """Attempt every day at the same time as the others; say how many this process published."""
    engine = open_ledger(url)
    one = candidate("contested", np.linspace(1000.0, 2000.0, days).tolist())
    one.market_digests(one.days.tolist())
    rng = random.Random(number)  # noqa: S311
    won, longest, errors = 0, 0.0, []
    for n in range(days):
        at[number] = n
        while min(at) < n:  # whoever is behind could find nothing but published days
            time.sleep(0.0005)
        time.sleep(rng.uniform(0.0, PAUSE))
        began = time.perf_counter()
        try:
            won += publish(engine, one, [day(n)], NOW).state == "published"
        except Exception as error:  # noqa: BLE001 (counted, whatever it is)
            errors.append(f"{day(n)}: {error!r}")
        longest = max(longest, time.perf_counter() - began)
    at[number] = days
    engine.dispose()
    told.put(Share(won, longest, tuple(errors[:10])))


def _reader(url: str, done: Event, told: Any) -> None:
    """Look again and again: days only come, one revision each, and each with its level."""
    engine = open_ledger(url)
    wrong: list[str] = []
    before = 0
    while not done.is_set():
        with reading(engine) as connection:
            count, last, sessions = connection.execute(
                sa.select(
                    sa.func.count(),
                    sa.func.coalesce(sa.func.max(entries.c.number), 0),
                    sa.func.count(sa.distinct(entries.c.session)),
                )
            ).one()
            parts = connection.scalar(sa.select(sa.func.count()).select_from(levels))
        if not count == last == sessions == parts or count < before:
            wrong.append(
                f"a reader saw {count} entries, last {last}, {parts} levels, {before} before"
            )
        before = count
        time.sleep(0.01)
    engine.dispose()
    told.put(wrong[:10])


def _judged(url: str, days: int) -> list[str]:
    engine = open_ledger(url)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(entries.c.session, entries.c.revision)).all()
    engine.dispose()
    want = [(day(n).isoformat(), 1) for n in range(days)]
    found = sorted((session, revision) for session, revision in rows)
    return [] if found == want else [f"{len(rows)} entries of {days} days, or twice, or revised"]
