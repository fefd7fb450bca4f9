"""A command in a situation, how it ends undisturbed, and what may be seen on the way."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.reliability.observe import (
    OUT,
    Observed,
    digest_of,
    is_temporary,
    observe,
    state_of,
)
from benchmarks.reliability.tracing import Change, Ended, Fault, forked, traced

Words = tuple[str, ...]
Publisher = Callable[[Path, Words, datetime], int]
"""Runs a command in a folder at an instant and returns its exit code."""

HEALED_WITHIN = 5.0  # seconds of CPU the next run may take
START = datetime(2026, 1, 5, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Commands that go before, and the one that is disturbed.

    Attributes
    ----------
    transactions : of the ledger that the disturbed command commits
    """

    name: str
    before: tuple[Words, ...]
    disturbed: Words
    transactions: int = 1


class Stage:
    """A scenario made ready below a folder: it can be run again and again from the same state."""

    def __init__(self, root: Path, publisher: Publisher, scenario: Scenario) -> None:
        self.scenario, self.publisher = scenario, publisher
        self.ready, self.place = root / "ready", root / "case"
        self.now = START + timedelta(hours=len(scenario.before))
        for place in (self.ready, self.place):
            shutil.rmtree(place, ignore_errors=True)
        self.place.mkdir(parents=True)
        for n, words in enumerate(scenario.before):
            ended = forked(partial(publisher, self.place, words, START + timedelta(hours=n)))
            if ended.code:
                raise RuntimeError(f"{scenario.name}: {' '.join(words)}: {ended.said}")
        shutil.copytree(self.place, self.ready)
        self.before = observe(self.place)
        self.seen: set[tuple[str, str]] = set(self.before.published.items())
        self.changes = self._undisturbed()
        self.healed: dict[str, list[str]] = {}
        self.longest = 0.0

    def _undisturbed(self) -> tuple[Change, ...]:
        last: list[Change] = []

        def look(change: Change) -> None:
            """Keep what each file holds right after it was moved into place."""
            self._keep(last)
            last[:] = [change]

        ended = traced(self.command, self.place, look=look)
        self._keep(last)
        if ended.code:
            raise RuntimeError(f"{self.scenario.name}: {ended.said}")
        self.after = observe(self.place)
        self.seen |= set(self.after.published.items())
        return ended.changes

    def _keep(self, last: list[Change]) -> None:
        if last and "rename" in last[0].name and last[0].path.startswith(f"{OUT}/"):
            path = last[0].path.removeprefix(f"{OUT}/")
            file = self.place / last[0].path
            if file.is_file():
                self.seen.add((path, digest_of(file)))

    def command(self) -> int:
        """Run the disturbed command."""
        return self.publisher(self.place, self.scenario.disturbed, self.now)

    def reset(self) -> None:
        """Bring the situation back."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.ready, self.place)

    def disturb(self, fault: Fault) -> Ended:
        """Run the command in the situation with a fault."""
        self.reset()
        return traced(self.command, self.place, fault)

    def flaws_on_the_way(self, found: Observed) -> list[str]:
        """Return what a reader should not see between crash and next run."""
        told = [
            f"{path}: a reader sees neither the old nor the new file"
            for path, digest in found.published.items()
            if (path, digest) not in self.seen
        ]
        lost = self.before.published.keys() - found.published.keys()
        told += [f"{path}: gone" for path in sorted(lost)]
        unwritten = self.scenario.transactions and found.rows == self.before.rows
        if unwritten and found.published != self.before.published:
            told.append("files of what the ledger does not hold")
        before, after = self.before.bundles, self.after.bundles
        told += [
            f"{subject}: a part of a bundle in the ledger"
            for subject in sorted({*before, *found.bundles})
            if found.bundles.get(subject) not in (before.get(subject), after.get(subject))
        ]
        return told

    def heal(self) -> list[str]:
        """Run the command again, undisturbed, and return what is not as if nothing had happened.

        What the same files have led to before is not tried again.
        """
        state = state_of(self.place)
        if state not in self.healed:
            self.healed[state] = self._healed()
        return self.healed[state]

    def _healed(self) -> list[str]:
        ended = forked(self.command)
        self.longest = max(self.longest, ended.cpu_seconds)
        if ended.code:
            return [f"the next run ended with {ended.code}: {ended.said.strip()[-300:]}"]
        slow = ended.cpu_seconds > HEALED_WITHIN
        told = [f"the next run took {ended.cpu_seconds:.1f} s"] if slow else []
        found = observe(self.place)
        if found.rows != self.after.rows:  # one that failed once may have let another go before
            ended = forked(partial(self.publisher, self.place, ("verify",), self.now))
            told += [f"does not verify: {ended.said.strip()[-300:]}"] if ended.code else []
        return told + differences(self.after, found)


def differences(expected: Observed, found: Observed) -> list[str]:
    """Return one line for each table and file in which two folders differ.

    Indices are published one by one: in which order their entries stand is no difference.
    """
    told = []
    ours, theirs = dict(found.rows), dict(expected.rows)
    if found.bundles == expected.bundles:
        ours, theirs = ({"definitions": rows.get("definitions", ())} for rows in (ours, theirs))
    for table in sorted({*ours, *theirs}):
        if ours.get(table) != theirs.get(table):
            extra = len(set(ours.get(table, ())) - set(theirs.get(table, ())))
            lacking = len(set(theirs.get(table, ())) - set(ours.get(table, ())))
            told.append(f"table {table}: {extra} other rows, {lacking} lacking")
    for path in sorted({*found.files, *expected.files}):
        if found.files.get(path) != expected.files.get(path):
            kind = "left behind" if path not in expected.files else "lacking or different"
            told.append(f"{path}: {kind}{' (temporary)' if is_temporary(path) else ''}")
    return told
