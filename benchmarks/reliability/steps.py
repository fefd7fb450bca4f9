"""Random steps on a ledger beside a dictionary that says what it must hold (B12)."""

import contextlib
import functools
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from benchmarks.reliability.plain import candidate, day, desk, levels_of, publish
from benchmarks.reliability.record import Found
from indexer.errors import LedgerError
from indexer.ledger.database import open_ledger, publishing, reading
from indexer.ledger.history import history_rows
from indexer.ledger.publish import instant_text
from indexer.ledger.verify import check_chain
from indexer.run.publish import append_revised
from indexer.run.revise import corrected, differences, remaining

DAYS, SUBJECTS = 6, ("alpha", "beta")  # few: steps must meet
START = datetime(2026, 1, 5, 10, tzinfo=UTC)
CENT = 0.01

subject = st.sampled_from(SUBJECTS)
number = st.integers(0, DAYS - 1)
Told = tuple[str, int, int, float]  # instant, day, revision, level


@functools.cache
def empty_ledger(memory: str | None) -> Path:
    """Return an empty ledger to copy: making one takes longer than many steps."""
    file = Path(tempfile.mkdtemp(dir=memory)) / "indexer.db"
    open_ledger(f"sqlite:///{file}", create=True).dispose()
    return file


class Died(BaseException):
    """The process dies here."""


class Steps(RuleBasedStateMachine):
    """A ledger of two indices, the closes they have today, and what was told of them and when."""

    taken: ClassVar[Counter[str]] = Counter()
    memory: ClassVar[str | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=Steps.memory))
        self.url = f"sqlite:///{self.folder / 'indexer.db'}"
        shutil.copyfile(empty_ledger(self.memory), self.folder / "indexer.db")
        self.engine = open_ledger(self.url)
        self.now = START
        self.levels = {id: [1000.0 + n for n in range(DAYS)] for id in SUBJECTS}
        self.told: dict[str, list[Told]] = {id: [] for id in SUBJECTS}

    def teardown(self) -> None:
        """Follow the chain to its end, and leave nothing behind."""
        with reading(self.engine) as connection:
            count, _ = check_chain(connection)
        self.engine.dispose()
        shutil.rmtree(self.folder)
        assert count == sum(map(len, self.told.values()))

    # --- what the model says ------------------------------------------------------------------

    def known(self, id: str, instant: str = "9") -> dict[str, tuple[int, float]]:
        """Return revision and level by day as known at an instant."""
        told = [t for t in self.told[id] if t[0] <= instant]
        return {day(n).isoformat(): (revision, level) for _, n, revision, level in told}

    def changed(self, id: str) -> list[int]:
        """Return the published days that would now have another level."""
        force = {n: level for _, n, _, level in self.told[id]}
        return sorted(n for n, level in force.items() if level != self.levels[id][n])

    def entered(self, id: str, numbers: Sequence[int]) -> None:
        """Take note of days that were published, or published again."""
        before = [datetime.fromisoformat(t[0]) for told in self.told.values() for t in told]
        later = [instant + timedelta(microseconds=1) for instant in before]
        at = instant_text(max([self.now, *later]))
        for n in numbers:
            revision = 1 + sum(t[1] == n for t in self.told[id])
            self.told[id].append((at, n, revision, self.levels[id][n]))

    # --- steps --------------------------------------------------------------------------------

    @rule(hours=st.integers(-30, 100))
    def let_time_pass(self, hours: int) -> None:
        """Set the clock on, or back."""
        self.taken["clock"] += 1
        self.now += timedelta(hours=hours)

    @rule(id=subject, n=number, cents=st.integers(1, 600))
    def learn(self, id: str, n: int, cents: int) -> None:
        """Learn that the level of a day is another, of a published one where there is one."""
        self.taken["learn"] += 1
        there = sorted({t[1] for t in self.told[id]})
        n = there[n % len(there)] if there else n
        self.levels[id][n] = round(1000.0 + n + (cents - 300) * CENT, 2)

    @rule(id=subject, first=number, count=st.integers(1, 4))
    def publish(self, id: str, first: int, count: int) -> None:
        """Publish days; refused while published ones would be others."""
        self.taken["publish"] += 1
        numbers = range(first, min(DAYS, first + count))
        there = {t[1] for t in self.told[id]}
        new = [n for n in numbers if n not in there]
        rules = set()
        try:
            self._publish(id, numbers)
        except LedgerError as error:
            rules = {refusal.rule for refusal in error.refusals}
        assert rules == ({"R9"} if self.changed(id) else set())
        if not rules:
            self.entered(id, new)

    @rule(id=subject, first=st.just(0) | number, count=st.just(DAYS) | st.integers(1, DAYS))
    def restate(self, id: str, first: int, count: int) -> None:
        """Publish new revisions of the days of a period that have changed."""
        self.taken["restate"] += 1
        self._restate(id, first, count)

    @rule(id=subject, n=number, cents=st.integers(1, 600))
    def put_right(self, id: str, n: int, cents: int) -> None:
        """Learn that a published day has another level, and restate all that differs."""
        self.taken["put right"] += 1
        there = sorted({t[1] for t in self.told[id]})
        if there:
            n = there[n % len(there)]
            self.levels[id][n] = round(1000.0 + n + (cents - 300) * CENT, 2)
            self._restate(id, 0, DAYS)

    def _restate(self, id: str, first: int, count: int) -> None:
        one = candidate(id, self.levels[id])
        inside = [n for n in self.changed(id) if first <= n < first + count]
        with publishing(self.engine) as connection:
            found = [
                d for d in differences(connection, one)
                if day(first) <= datetime.fromisoformat(d.head.session).date() < day(first + count)
            ]  # fmt: skip
            new = [
                corrected(entry, "bad-price", "learnt", "R. Ito", "correction")
                for _, entry in remaining(id, found)
            ]
            append_revised(connection, desk(self.engine, self.now), one, new)
        assert [d.head.session for d in found] == [day(n).isoformat() for n in inside]
        self.entered(id, inside)
        self.taken["restated days"] += len(inside)

    @rule(id=subject, first=number, statement=st.integers(1, 20))
    def die(self, id: str, first: int, statement: int) -> None:
        """Die at some statement of a publication, or before it is committed; open it again."""
        self.taken["die"] += 1
        left = [statement]

        def count(*_: Any) -> None:
            left[0] -= 1
            if not left[0]:
                raise Died

        def commit(connection: sa.Connection) -> None:
            if connection.get_execution_options().get("writing"):
                raise Died

        sa.event.listen(self.engine, "before_cursor_execute", count)
        sa.event.listen(self.engine, "commit", commit)
        with contextlib.suppress(Died, LedgerError):
            self._publish(id, range(first, DAYS))
        self.engine.dispose()
        self.engine = open_ledger(self.url)

    @rule(id=subject, back=st.floats(0, 1))
    def look_back(self, id: str, back: float) -> None:
        """Ask what was known at an instant."""
        self.taken["look back"] += 1
        instant = instant_text(START + (self.now + timedelta(days=1) - START) * back)
        with reading(self.engine) as connection:
            found = levels_of(history_rows(connection, id, known_at=instant))
        assert found == self.known(id, instant)

    @invariant()
    def what_is_in_force_is_what_was_told(self) -> None:
        """Compare every index with the model."""
        with reading(self.engine) as connection:
            for id in SUBJECTS:
                assert levels_of(history_rows(connection, id)) == self.known(id)

    def _publish(self, id: str, numbers: Sequence[int]) -> None:
        publish(self.engine, candidate(id, self.levels[id]), [day(n) for n in numbers], self.now)


def steps(seed: int, examples: int, memory: Path) -> Found:
    """Take random steps, so many times two hundred; the first contradiction is reported."""
    began = time.perf_counter()
    Steps.memory, Steps.taken = str(memory), Counter()
    machine = hypothesis.seed(seed)(type("Seeded", (Steps,), {}))
    profile = settings(
        max_examples=examples,
        stateful_step_count=200,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    wrong: tuple[str, ...] = ()
    try:
        run_state_machine_as_test(machine, settings=profile)
    except Exception as error:  # noqa: BLE001 (whatever the machine found)
        wrong = (f"seed {seed}: {error!r}",)
    figures = {name.replace(" ", "_"): n for name, n in Steps.taken.items()}
    count = sum(n for name, n in Steps.taken.items() if name != "restated days")
    return Found(count, wrong, time.perf_counter() - began, figures)
