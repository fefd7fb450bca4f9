"""Clocks that are wrong, or of other zones: what is published, and in which order, stays (B7)."""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.reliability.observe import Rows, observe
from benchmarks.reliability.publication import Publication
from benchmarks.reliability.record import Found
from benchmarks.reliability.scenario import START, Scenario, Words
from benchmarks.reliability.tracing import forked

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
NOT_FINAL = 75
DAY = timedelta(days=1)


def cases(zone: ZoneInfo) -> Iterator[tuple[str, datetime, timedelta, int]]:
    """Yield a name, an instant, how far the clock jumps at each look, and the exit code."""
    none = timedelta()
    yield "year end", datetime(2025, 12, 31, 23, 59, 58, tzinfo=zone), none, 0
    yield "leap day", datetime(2028, 2, 29, 12, tzinfo=zone), none, 0
    yield "summer time begins", datetime(2026, 3, 8, 2, 30, tzinfo=zone), none, 0
    yield "an hour back", START - timedelta(hours=1), none, 0
    yield "a day back", START - DAY, none, 0
    yield "a year back", START - 365 * DAY, none, NOT_FINAL
    yield "ten years forward", START + 3652 * DAY, none, 0
    yield "jumps back on the way", START + DAY, -3 * DAY, 0


def clocks(publication: Publication, scenario: Scenario, zone: str, memory: Path) -> Found:
    """Publish, then publish again by each clock, and look at what the ledger holds."""
    began = time.perf_counter()
    wrong: list[str] = []
    tried = list(cases(ZoneInfo(zone)))
    for name, now, jump, code in tried:
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            place = Path(folder) / "case"
            place.mkdir()
            for words in scenario.before:
                _run(publication, place, words, (zone, START))
            before = observe(place).rows
            by_clock = replace(publication, jump=jump)
            ended = _run(by_clock, place, scenario.disturbed, (zone, now))
            flaws = [] if ended == code else [f"ended with {ended}, expected {code}"]
            flaws += _flaws(before, observe(place).rows, published=code == 0)
            if _run(publication, place, ("verify",), (zone, START)):
                flaws.append("verify fails")
            wrong += [f"{zone}, {name}: {'; '.join(flaws)}"] if flaws else []
    return Found(len(tried), tuple(wrong), time.perf_counter() - began)


def _run(publication: Publication, place: Path, words: Words, clock: tuple[str, datetime]) -> int:
    zone, now = clock

    def work() -> int:
        os.environ["TZ"] = zone
        time.tzset()
        return publication(place, words, now.astimezone(UTC))

    return forked(work).code


def _flaws(before: Rows, after: Rows, *, published: bool) -> list[str]:
    """Return what is wrong with the entries: they only grow, in time as well as in number."""
    old, new = (dict(rows).get("entries", ()) for rows in (before, after))
    told = [] if set(old) <= set(new) else ["an entry has changed"]
    if (len(new) > len(old)) != published:
        told.append(f"{len(new) - len(old)} new entries")
    instants = [row[1] for row in sorted(_numbered(new))]
    return told if instants == sorted(instants) else [*told, "entries are not in order of time"]


def _numbered(rows: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield number and instant of entries, which are told as text."""
    for row in rows:
        cells = row.strip("()").split(", ")
        instant = next(cell for cell in cells if cell.startswith("'20") and cell.endswith("Z'"))
        yield int(cells[0]), instant
