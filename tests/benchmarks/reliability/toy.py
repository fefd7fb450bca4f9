"""A publisher small enough to be seen to be right, and the bugs that are planted in it.

The instruments are proven on it: they must find nothing wrong with it, and every bug.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.reliability.observe import LEDGER, OUT
from benchmarks.reliability.record import Found
from benchmarks.reliability.scenario import Publisher, Scenario, Words

BUGS = (
    "no fsync of the file",
    "no fsync of the directory",
    "files before the ledger",
    "two transactions",
    "synchronous off",
)
DAYS = ("2026-01-05", "2026-01-06", "2026-01-07")
SCENARIOS = (
    Scenario("first", (), ("publish", DAYS[0])),
    Scenario("next", (("publish", DAYS[0]),), ("publish", DAYS[1])),
    Scenario("several", (("publish", DAYS[0]),), ("publish", *DAYS[1:])),
)


def toy(*bugs: str) -> Publisher:
    """Return a publisher with these bugs."""

    def publish(folder: Path, words: Words, now: datetime) -> int:
        try:
            _publish(folder, words[1:], now, bugs)
        except (OSError, sqlite3.Error) as error:
            if "untyped error" in bugs:
                raise
            print(f"error: {error}")  # noqa: T201
            return 0 if "silent error" in bugs else 75
        return 0

    return publish


def _publish(folder: Path, days: Words, now: datetime, bugs: Collection[str]) -> None:
    if "files before the ledger" in bugs:
        for day in days:
            _file(folder, day, bugs)
    _record(folder / LEDGER, days, now, bugs)
    for day in _recorded(folder / LEDGER):
        _file(folder, day, bugs)
    for half in (folder / OUT).glob(".*.tmp"):  # of a run that was stopped
        half.unlink()


def _record(path: Path, days: Words, now: datetime, bugs: Collection[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as ledger:
        ledger.execute(f"PRAGMA synchronous = {'OFF' if 'synchronous off' in bugs else 'EXTRA'}")
        ledger.execute("BEGIN IMMEDIATE")
        for table in ("levels", "weights"):
            ledger.execute(f"CREATE TABLE IF NOT EXISTS {table} (day TEXT PRIMARY KEY, value, at)")
        for table in ("levels", "weights"):
            for day in days:
                row = (day, _value(day), now.isoformat())
                ledger.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)", row)  # noqa: S608
            if "two transactions" in bugs:
                ledger.execute("COMMIT")
                ledger.execute("BEGIN IMMEDIATE")
        ledger.execute("COMMIT")


def _recorded(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as ledger:
        return [day for (day,) in ledger.execute("SELECT day FROM levels ORDER BY day")]


def _value(day: str) -> str:
    return hashlib.sha256(day.encode()).hexdigest()


def _file(folder: Path, day: str, bugs: Collection[str]) -> None:
    out = folder / OUT
    out.mkdir(exist_ok=True)
    target, half = out / f"{day}.csv", out / f".{day}.csv.tmp"
    content = f"day,level\n{day},{_value(day)}\n".encode()
    if target.is_file() and target.read_bytes() == content:
        return
    if "written in place" in bugs:
        half = target
    with half.open("wb", buffering=0) as stream:
        stream.write(content)
        if "no fsync of the file" not in bugs:
            os.fsync(stream.fileno())
    if half != target:
        half.replace(target)
    if "no fsync of the directory" not in bugs:
        for place in (out, folder):
            handle = os.open(place, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


def swept(sweep: Callable[..., Found], bugs: tuple[str, ...], *given: Any) -> Found:
    """Run a sweep on the toy; for a process apart, to which no closure can be sent."""
    return sweep(toy(*bugs), *given)
