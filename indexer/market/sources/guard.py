"""When an upstream may be asked: spaced, within a daily budget, and not while it says no.

Upstreams ban those who ask too often, for days and by address, so asking a host that has refused
twice only makes it worse. What was asked when is kept in a file: a ban outlives a process.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from indexer.errors import OutputError
from indexer.folders import cache_folder, turn, whole_file

REST = timedelta(minutes=30)  # how long a host is left alone
FAILURES = 2  # in a row, after which it is


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """Return the instant, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a host may be asked.

    Attributes
    ----------
    spacing : least seconds between two requests
    jitter : up to how many more, drawn evenly: a fixed rhythm is what a machine has
    daily : requests a day in UTC
    """

    spacing: float = 3.0
    jitter: float = 3.0
    daily: int = 2000


@dataclass(slots=True)
class _Host:
    next_at: str = ""  # ISO instants
    rests_until: str = ""
    day: str = ""
    asked: int = 0
    failed: int = 0  # in a row


@dataclass(slots=True)
class Guard:
    """The gate in front of every request.

    Attributes
    ----------
    clock : the only place it takes time from
    file : where it remembers, with every process that asks; None forgets
    pace : of every host
    draw : gives numbers in [0, 1) for the jitter
    """

    clock: Clock
    file: Path | None = None
    pace: Pace = Pace()
    draw: Callable[[], float] = random.random
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def instant(self) -> str:
        """Return the instant in UTC, to the second, ISO 8601."""
        return self.clock.now().astimezone(UTC).isoformat(timespec="seconds")

    def refusal(self, host: str) -> str:
        """Return why a host is not to be asked now; empty where it may be."""
        kept = self._host(host)
        now = self.clock.now()
        if kept.rests_until and now < datetime.fromisoformat(kept.rests_until):
            return f"{host} refused {FAILURES} times in a row: left alone until {kept.rests_until}"
        if kept.day == f"{now:%Y-%m-%d}" and kept.asked >= self.pace.daily:
            return f"{host} was asked {kept.asked} times today, the most it is"
        return ""

    def wait(self, host: str) -> str:
        """Wait for a host's turn and take it; return why not, as `refusal` does, where it is not.

        Another process may have been refused, or have asked for the last time today, meanwhile.

        Raises
        ------
        OutputError
            If what is remembered of the hosts cannot be written down.
        """
        while not (reason := self.refusal(host)) and (left := self._taken(host)):
            self.clock.sleep(left)
        return reason

    def note(self, host: str, *, failed: bool) -> bool:
        """Take down how a request ended; return whether the host is left alone from now on.

        Raises as `wait` does.
        """
        with self._changing(host) as kept:
            kept.failed = kept.failed + 1 if failed else 0
            rests = kept.failed >= FAILURES
            if rests:
                kept.rests_until = (self.clock.now() + REST).isoformat(timespec="seconds")
                kept.failed = FAILURES - 1  # the first refusal after the rest is enough
        return rests

    def _taken(self, host: str) -> float:
        """Take a host's turn where it has come; else return how many seconds it is away."""
        longest = self.pace.spacing + self.pace.jitter
        with self._changing(host) as kept:
            now = self.clock.now()
            due = datetime.fromisoformat(kept.next_at) if kept.next_at else now
            if due > now:
                # A clock put back must not stop everything.
                due = min(due, now + timedelta(seconds=longest))
                kept.next_at = due.isoformat()
                return (due - now).total_seconds()
            pause = timedelta(seconds=self.pace.spacing + self.pace.jitter * self.draw())
            kept.next_at = (now + pause).isoformat()
            today = f"{now:%Y-%m-%d}"
            kept.day, kept.asked = today, kept.asked + 1 if kept.day == today else 1
        return 0.0

    def _host(self, host: str) -> _Host:
        """Return what is remembered of a host, what other processes have taken down included."""
        if self.file is not None:
            self._hosts |= _remembered(self.file)
        return self._hosts.setdefault(upstream(host), _Host())

    @contextmanager
    def _changing(self, host: str) -> Iterator[_Host]:
        """Give what is remembered of a host, to be changed; by one process at a time."""
        if self.file is None:
            yield self._host(host)
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with turn(self.file.parent):
                yield self._host(host)
                kept = {name: asdict(host) for name, host in self._hosts.items()}
                with whole_file(self.file, durable=False) as stream:
                    stream.write(json.dumps(kept, indent=1).encode())
        except OSError as error:
            raise OutputError(str(self.file), error.strerror or str(error)) from error


def lasting(clock: Clock) -> Guard:
    """Return a guard that remembers in this user's cache folder, where there is one."""
    return Guard(clock, _memory())


def _memory() -> Path | None:
    folder = cache_folder("sources")
    return folder / "pace.json" if folder else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a host.

    Attributes
    ----------
    name : the host
    asked, daily : requests today, and how many they may be
    rests_until : instant until which it is left alone, ISO 8601; empty where it is not
    """

    name: str
    asked: int
    daily: int
    rests_until: str


def standings(now: datetime) -> list[Standing]:
    """Return how it stands with every host that this user has asked, by name."""
    file, today = _memory(), f"{now.astimezone(UTC):%Y-%m-%d}"
    found = []
    for name, host in sorted(_remembered(file).items() if file else ()):
        rests = host.rests_until and now < datetime.fromisoformat(host.rests_until)
        asked = host.asked if host.day == today else 0
        found.append(Standing(name, asked, Pace().daily, host.rests_until if rests else ""))
    return found


def upstream(host: str) -> str:
    """Return whom a host belongs to: numbered mirrors count, and ban, as one.

    Examples
    --------
    >>> upstream("33.push2his.eastmoney.com")
    'push2his.eastmoney.com'
    """
    return re.sub(r"^\d+\.", "", host.lower())


def _remembered(file: Path) -> dict[str, _Host]:
    """Return what was asked when; nothing where the file is absent or is not what we wrote."""
    try:
        kept: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        hosts = {name: _Host(**fields) for name, fields in kept.items()}
        for name, host in hosts.items():
            counted = all(type(n) is int for n in (host.asked, host.failed))
            if not counted or not isinstance(host.day, str):
                raise ValueError(name)
            for instant in (host.next_at, host.rests_until):
                if instant and datetime.fromisoformat(instant).tzinfo is None:
                    raise ValueError(instant)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return hosts


def host_of(url: str) -> str:
    """Return the host of an address, without its port.

    Examples
    --------
    >>> host_of("https://push2his.eastmoney.com:443/api?x=/")
    'push2his.eastmoney.com'
    """
    found = re.match(r"https?://(?:[^/?#@]*@)?([^/?#:]+)", url)
    return found[1].lower() if found else ""
