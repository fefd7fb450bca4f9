"""Twenty years of publication, evening by evening, from a source that errs and a process that dies.

Whatever is published, refused or left for later must be what the model expects, and what was
published must be the level of the state that was shown, to the last bit, until it is put right.
Indices are built once for each state of the source: a level does not depend on later rows. One
seed is one execution (B8).
"""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.reliability.expected import (
    BASE,
    MATERIAL,
    Expected,
    Line,
    Model,
    Shown,
    apart,
    cut,
    day_of,
    until,
)
from benchmarks.reliability.record import Found
from benchmarks.reliability.vendor import slips
from benchmarks.reliability.world import definitions, drawn
from indexer.definitions.basket import Basket
from indexer.errors import IndexerError, LedgerError, TryAgainError
from indexer.index.gates import findings
from indexer.ledger.database import open_ledger, publishing, reading
from indexer.ledger.entry import Entry
from indexer.ledger.history import history_rows
from indexer.ledger.publish import instant_text
from indexer.run.desk import Desk, Outcome, Terms
from indexer.run.publish import append_revised, record
from indexer.run.revise import corrected, differences, remaining
from indexer.run.sessions import Period, sessions_asked

FIRST = 130  # row of the first evening
DEATHS, ODD = 0.01, 0.01  # of evenings on which the process dies, or something odd is asked for
LOST_CAUSE = 60  # sessions that wait: then only the last one is asked for
QUERIES = 10  # instants at which an index is looked back upon
NAME = "R. Ito"


class Died(BaseException):
    """The process dies here."""


@dataclass(frozen=True, slots=True, eq=False)
class Evening:
    """One index on one evening: what is asked for, and what the source shows.

    Attributes
    ----------
    rows : asked for, the last one that of today
    ends : first row of which the source shows nothing; None where it shows all
    """

    line: Line
    shown: Shown
    rows: tuple[int, ...]
    ends: int | None

    @property
    def today(self) -> int:
        """The row of today."""
        return self.rows[-1]


class Years:
    """One execution."""

    def __init__(self, seed: int, span: tuple[date, date], indices: int, folder: Path) -> None:
        self.rng = np.random.default_rng([seed, 6])
        self.world = drawn(seed, *span)
        self.lines = [
            Line(Basket.model_validate(told | {"version": "1"}))
            for told in definitions(seed, self.world, count=indices, base=BASE)
        ]
        self.slips = slips(seed, self.world, FIRST)
        self.model = Model(self.world, policy=seed % 2 == 0)
        self.url, self.out = f"sqlite:///{folder / 'indexer.db'}", folder / "out"
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.countdown = 0
        self.engine = self._opened()

    def run(self) -> None:
        """Live through all evenings, then compare everything that is in force with the truth."""
        for t in range(FIRST, len(self.world.days)):
            for line in self.lines:
                self._live(line, t)
            self.model.forget(t)
        for line in self.lines:
            self._compare(line)
            self._look_back(line)
        self.engine.dispose()

    def _live(self, line: Line, t: int) -> None:
        """Ask for today, or for everything since the first session that is still missing."""
        active = [s for s in self.slips if s.at <= t < s.until]
        touched = {*self.model.columns(line.basket), -1}
        key = tuple(s for s in active if s.kind != "outage" and s.column in touched)
        ends = min((s.at for s in active if s.kind == "outage"), default=None)
        line.pending.add(t)
        catching_up = self.rng.random() < 0.7 and len(line.pending) < LOST_CAUSE
        rows = tuple(range(min(line.pending) if catching_up else t, t + 1))
        evening = Evening(line, self.model.shown(line.basket, key), rows, ends)
        if self.rng.random() < ODD:
            self._ask_oddly(evening)
        if self.rng.random() < DEATHS:
            self._die(evening)
        expected = self._try(evening, Terms(correct=self.model.policy))
        if expected.act == "refused":
            self._face_refusal(evening, expected)
        elif expected.act in {"R9", "R10"}:
            self._decide(evening)

    # --- what somebody does ---------------------------------------------------------------------

    def _try(self, evening: Evening, terms: Terms) -> Expected:
        """Publish, and compare what happens with what was expected."""
        expected = self.model.expected(
            evening.line,
            evening.shown,
            evening.rows,
            ends=evening.ends,
            override=terms.override,
            approved=bool(terms.by),
        )
        self.counts[expected.act] += 1
        self._judge(evening, expected, self._publish(evening, terms))
        return expected

    def _face_refusal(self, evening: Evening, expected: Expected) -> None:
        """Override what suspensions shut, and the truth; give up what no better data will open."""
        line, rules = evening.line, {rule for _, rule in expected.shut}
        if {row for row, _ in expected.shut} <= line.digests.keys():
            if not evening.shown.key:  # what is published is not the truth, and this is
                self.counts["overridden"] += 1
                taken = Terms(tuple(sorted(rules)), NAME, "looked at", correct=True)
                self._try(evening, taken)
        elif rules == {"R14"} and self.rng.random() < 0.5:
            note = Terms(("R14",), NAME, "suspended, looked at", correct=self.model.policy)
            self.counts["overridden"] += 1
            if self._try(evening, note).act in {"R9", "R10"}:
                self._decide(evening, override=("R14",))
        elif not evening.shown.key:
            shut = {row for row, _ in expected.shut} & line.pending
            line.closed |= shut
            line.pending -= shut

    def _decide(self, evening: Evening, override: tuple[str, ...] = ()) -> None:
        """Restate, or approve of what the policy leaves open; then publish."""
        if not self.model.policy:
            self._restate(evening)
        made = self._try(evening, Terms(override, NAME, "looked at", correct=self.model.policy))
        if made.act == "refused":
            self._face_refusal(evening, made)

    def _publish(self, evening: Evening, terms: Terms) -> Outcome | IndexerError:
        now = self._evening_of(evening.today)
        desk = Desk(self.engine, self.out, now, f"run-{now:%Y%m%dT%H%M}", terms)
        shown, market = evening.shown, evening.shown.known.market
        first, last = self.world.day(evening.rows[0]), self.world.day(evening.today)
        known = evening.today + 1 if evening.ends is None else evening.ends
        history = shown.history if evening.ends is None else cut(shown.history, known)
        try:
            sessions = sessions_asked(evening.line.basket, Period(first, last), now)
            candidate = until(shown.candidate, known)
            return record(desk, candidate, sessions, lambda new: findings(history, market, new))
        except IndexerError as error:
            return error

    def _restate(self, evening: Evening) -> None:
        """Correct by hand all published sessions that differ."""
        line, shown = evening.line, evening.shown
        now = self._evening_of(evening.today)
        known = evening.today + 1 if evening.ends is None else evening.ends
        candidate = until(shown.candidate, known)
        desk = Desk(self.engine, self.out, now, f"restate-{now:%Y%m%dT%H%M}")
        with publishing(self.engine) as connection:
            found = differences(connection, candidate, immaterial=True)
            new = [
                corrected(revised, "bad-price", "put right", NAME, desk.run)
                for _, revised in remaining(line.basket.id, found)
            ]
            entries = append_revised(connection, desk, candidate, new)
        self._same(evening, "restated", self.model.differing(line, shown, known - 1), entries)
        line.agreed = shown.key
        self.counts["restated"] += len(entries)

    # --- trouble --------------------------------------------------------------------------------

    def _ask_oddly(self, evening: Evening) -> None:
        """Ask before the closes are final, and for a day without session."""
        today, basket = self.world.day(evening.today), evening.line.basket
        early = datetime(today.year, today.month, today.day, 7, 10, tzinfo=UTC)  # 15:10 in Shanghai
        try:
            sessions_asked(basket, Period(None, today), early)
            self._say(evening, "closes were taken for final too soon")
        except TryAgainError:
            self.counts["too_soon"] += 1
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        if sessions_asked(basket, Period(saturday, saturday), early + timedelta(days=9)):
            self._say(evening, f"{saturday} is taken for a session")
        self.counts["no_session"] += 1

    def _die(self, evening: Evening) -> None:
        """Let the process die at some statement, or before a commit; the next one starts anew."""
        self.countdown = int(self.rng.integers(1, 25))
        try:
            self._publish(evening, Terms(correct=self.model.policy))
        except Died:
            self.counts["died"] += 1
            self.engine.dispose()
            self.engine = self._opened()
        self.countdown = 0

    def _opened(self) -> sa.Engine:
        engine = open_ledger(self.url, create=True)

        def count(*_: Any) -> None:
            if self.countdown:
                self.countdown -= 1
                if not self.countdown:
                    raise Died

        def commit(connection: sa.Connection) -> None:
            if self.countdown and connection.get_execution_options().get("writing"):
                raise Died

        sa.event.listen(engine, "before_cursor_execute", count)
        sa.event.listen(engine, "commit", commit)
        return engine

    # --- comparing ------------------------------------------------------------------------------

    def _judge(self, evening: Evening, expected: Expected, outcome: Outcome | IndexerError) -> None:
        act = expected.act
        if act == "published" and isinstance(outcome, Outcome):
            self._judge_published(evening, expected, outcome)
        elif act == "later" and isinstance(outcome, TryAgainError):
            pass
        elif act in {"refused", "R9", "R10"} and isinstance(outcome, LedgerError):
            told = {(r.session, r.rule) for r in outcome.refusals}
            want = {(self.world.day(row).isoformat(), rule) for row, rule in expected.shut}
            if act == "refused" and told != want:
                self._say(evening, f"refused for {sorted(told)}, expected {sorted(want)}")
            elif act != "refused" and {rule for _, rule in told} != {act}:
                self._say(evening, f"refused for {sorted(told)}, expected {act}")
        else:
            self._say(evening, f"expected {expected!r:.300}, got {outcome!r:.500}")

    def _judge_published(self, evening: Evening, expected: Expected, outcome: Outcome) -> None:
        line, shown = evening.line, evening.shown
        again = [row for row, said in expected.decided if said != "immaterial"]
        index = [entry for entry in outcome.entries if entry.kind == "index"]
        self._same(evening, "published", sorted([*expected.new, *again]), index)
        noted = [row for row, said in expected.decided if said == "immaterial"]
        beside = [day_of(self.world, e.session) for e in outcome.entries if e.kind == "immaterial"]
        if noted != sorted(beside):
            self._say(evening, f"noted {beside}, expected {noted}")
        line.noted |= {row: shown.digest(row) for row in noted}
        line.agreed = shown.key
        line.pending -= set(expected.new)
        line.closed -= set(expected.new)
        self.counts["sessions"] += len(expected.new)
        self.counts["corrected"] += len(again)
        self.counts["immaterial"] += len(noted)

    def _same(self, evening: Evening, what: str, rows: list[int], entries: list[Entry]) -> None:
        """Compare entries with the rows expected, and take them into the model."""
        line, shown = evening.line, evening.shown
        told = [day_of(self.world, entry.session) for entry in entries]
        if told != rows:
            self._say(evening, f"{what} {told}, expected {rows}")
        for entry, row in zip(entries, told, strict=True):
            levels = tuple((name, text, exact) for name, text, exact, *_ in entry.rows["levels"])
            revision = line.revisions.get(row, 0) + 1
            if (levels, entry.revision) != (shown.levels(row), revision):
                self._say(evening, f"{levels} r{entry.revision}, expected {shown.levels(row)}")
            line.digests[row], line.revisions[row] = shown.digest(row), revision
            line.levels[row] = levels
            line.noted.pop(row, None)
            line.told.append((entry.published_at, row, revision, levels[0][1]))

    def _compare(self, line: Line) -> None:
        """Compare what is in force with the truth; nothing may be missing without a refusal."""
        truth = self.model.shown(line.basket, ())
        for row in range(FIRST, len(self.world.days)):
            evening = Evening(line, truth, (row,), None)
            if row not in line.digests and row not in line.closed | line.pending:
                self._say(evening, "neither published nor refused")
            elif row in line.digests and line.levels[row] != truth.levels(row):
                size = apart(truth.levels(row), line.levels[row])
                if row not in line.noted or size >= MATERIAL:
                    self._say(evening, "in force, and not the truth")

    def _look_back(self, line: Line) -> None:
        """Compare what was known at random instants."""
        last = len(self.world.days) - 1
        picks = [last, *self.rng.integers(FIRST, last, QUERIES).tolist()]
        with reading(self.engine) as connection:
            for pick in picks:
                instant = instant_text(self._evening_of(pick))
                rows = history_rows(connection, line.basket.id, variant="price", known_at=instant)
                want = {
                    self.world.day(row).isoformat(): (revision, text)
                    for at, row, revision, text in line.told
                    if at <= instant
                }
                self.counts["queries"] += 1
                if {r[0]: (r[5], r[2]) for r in rows} != want:
                    evening = Evening(line, self.model.shown(line.basket, ()), (pick,), None)
                    self._say(evening, f"as known at {instant}: other rows")

    def _say(self, evening: Evening, message: str) -> None:
        self.wrong.append(f"{evening.line.basket.id} {self.world.day(evening.today)}: {message}")

    def _evening_of(self, row: int) -> datetime:
        day = self.world.day(row)
        return datetime(day.year, day.month, day.day, 10, 30, tzinfo=UTC)


def years(seed: int, span: tuple[date, date], indices: int, memory: Path) -> Found:
    """Live through one execution of so many indices."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=memory) as name:
        one = Years(seed, span, indices, Path(name))
        one.run()
    lived = len(one.world.days) - FIRST
    published = sum(len(line.digests) for line in one.lines)
    figures: dict[str, float] = {
        "simulated_years": round(lived / 243, 2),
        "evenings": lived * len(one.lines),
        "published_sessions": published,
        "states_of_the_source": one.model.states,
        "given_up": sum(len(line.closed) for line in one.lines),
        **one.counts,
    }
    wrong = tuple(f"seed {seed}: {line}" for line in one.wrong)
    return Found(lived * len(one.lines), wrong, time.perf_counter() - began, figures)
