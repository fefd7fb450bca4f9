"""Twenty years of publication, evening by evening, from a source that errs and a process that dies.

Whatever is published, refused or left for later must be what the model expects: the rules are
those of `judge`, and what was published must be the level of the state that was shown, to the last
bit, until it is put right. Indices are built once for each state of the source: a level of a day
does not depend on later rows. One seed is one execution.
"""

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from benchmarks.reliability.judge import Prices, refusals
from benchmarks.reliability.record import Found
from benchmarks.reliability.vendor import Known, Slip, known, slips
from benchmarks.reliability.world import definitions, drawn
from indexer.definitions.basket import Basket
from indexer.errors import IndexerError, LedgerError, TryAgainError
from indexer.index.build import build
from indexer.index.gates import findings
from indexer.index.history import History
from indexer.ledger.database import open_ledger, publishing, reading
from indexer.ledger.history import history_rows
from indexer.ledger.publish import instant_text
from indexer.run.entries import Candidate, index_candidate
from indexer.run.publish import Desk, Outcome, Terms, append_revised, record
from indexer.run.revise import corrected, differences
from indexer.run.sessions import Period, sessions_asked

ZONE = ZoneInfo("Asia/Shanghai")
BASE, FIRST = 30, 130  # rows of the base date, and of the first evening
CRASHES, EARLY, CLOSED = (
    0.01,
    0.01,
    0.01,
)  # of evenings: the process dies; asked too soon; no session
NAME = "R. Ito"
MATERIAL, APPROVED, AUTOMATIC = 1.0, 25.0, 2  # basis points, basis points, sessions


class Died(BaseException):
    """The process dies here."""


@dataclass(frozen=True, eq=False)
class Shown:
    """An index as one state of the source has it."""

    key: tuple[Slip, ...]
    known: Known
    prices: Prices
    history: History
    candidate: Candidate

    def digest(self, row: int) -> str:
        """Return what is published of a session, told from everything else."""
        content = self.candidate.content(row - BASE)
        return hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()

    def levels(self, row: int) -> tuple[tuple[str, str, float], ...]:
        """Return the levels of a session, by variant: as printed, and exact."""
        found = ((name, float(level[row - BASE])) for name, level in self.history.variants.items())
        return tuple((name, _printed(exact), exact) for name, exact in found)


def _printed(level: float) -> str:
    return str(Decimal(level).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))


@dataclass
class Line:
    """What the model knows of one index: by row, what is in force, and what waits."""

    basket: Basket
    digests: dict[int, str] = field(default_factory=dict)
    levels: dict[int, tuple[tuple[str, str, float], ...]] = field(default_factory=dict)
    revisions: dict[int, int] = field(default_factory=dict)
    noted: dict[int, str] = field(default_factory=dict)
    pending: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    agreed: tuple[Slip, ...] = ()
    told: list[tuple[str, int, int, str]] = field(default_factory=list)  # instant, row, revision


class Years:
    """One execution."""

    def __init__(self, seed: int, span: tuple[date, date], folder: Path) -> None:
        self.rng = np.random.default_rng([seed, 6])
        self.world = drawn(seed, *span)
        self.lines = [
            Line(Basket.model_validate(told | {"version": "1"}))
            for told in definitions(seed, self.world, base=BASE)
        ]
        self.slips = slips(seed, self.world, FIRST)
        self.policy = seed % 2 == 0  # who decides of corrections: the written policy, or somebody
        self.url = f"sqlite:///{folder / 'indexer.db'}"
        self.out = folder / "out"
        self.known: dict[tuple[Slip, ...], tuple[Known, Prices]] = {}
        self.shown: dict[tuple[str, tuple[Slip, ...]], Shown] = {}
        self.rules: dict[tuple[str, tuple[Slip, ...], int], frozenset[str]] = {}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.countdown = 0
        self.engine = self._opened()

    def run(self) -> None:
        """Live through all evenings, then compare everything that is in force with the truth."""
        for t in range(FIRST, len(self.world.days)):
            for line in self.lines:
                self._evening(line, t)
            self._forget(t)
        for line in self.lines:
            self._compare(line)
        self.engine.dispose()

    # --- an evening ---------------------------------------------------------------------------

    def _evening(self, line: Line, t: int) -> None:
        active = [s for s in self.slips if s.at <= t < s.until]
        outage = min((s.at for s in active if s.kind == "outage"), default=None)
        columns = {self.world.symbols.index(symbol) for symbol in line.basket.symbols}
        key = tuple(s for s in active if s.kind != "outage" and s.column in {*columns, -1})
        shown = self._shown(line, key)
        self._odd_requests(line, shown, t)
        line.pending.add(t)
        catching_up = self.rng.random() < 0.7 and len(line.pending) < 60
        rows = sorted(line.pending) if catching_up else [t]
        rows = list(range(rows[0], t + 1))
        expected = self._expected(line, shown, rows, outage)
        if self.rng.random() < CRASHES:
            self._dies(line, shown, rows, outage)
        self._attempt(line, shown, (rows, t), expected, outage)

    def _attempt(
        self,
        line: Line,
        shown: Shown,
        asked: tuple[list[int], int],
        expected: tuple[str, Any],
        outage: int | None,
    ) -> None:
        """Publish, compare with what was expected, and do what somebody would do about it."""
        rows, t = asked
        terms = Terms(correct=self.policy)
        outcome = self._publish(line, shown, rows, outage, terms)
        self._judge(line, shown, asked, expected, outcome)
        if expected[0] == "refused":
            rules = {rule for _, rule in expected[1]}
            if rules == {"R14"} and self.rng.random() < 0.5:
                terms = replace(terms, override=("R14",), by=NAME, note="suspended, looked at")
                again = self._expected(line, shown, rows, outage, override={"R14"})
                outcome = self._publish(line, shown, rows, outage, terms)
                self._judge(line, shown, asked, again, outcome)
                expected = again
            elif not shown.key:  # nothing will change: these sessions are given up
                shut = {row for row, _ in expected[1]}
                line.closed |= shut & line.pending
                line.pending -= shut
        if expected[0] in {"R9", "R10"}:
            self._decide(line, shown, asked, outage)

    def _decide(
        self, line: Line, shown: Shown, asked: tuple[list[int], int], outage: int | None
    ) -> None:
        """Restate, or approve of what the policy leaves open; then publish."""
        rows, t = asked
        if self.policy:
            terms = Terms(correct=True, by=NAME, note="looked at")
        else:
            terms = Terms()
            self._restate(line, shown, t)
        expected = self._expected(line, shown, rows, outage, approved=True)
        outcome = self._publish(line, shown, rows, outage, terms)
        self._judge(line, shown, asked, expected, outcome)

    def _publish(
        self, line: Line, shown: Shown, rows: list[int], outage: int | None, terms: Terms
    ) -> Outcome | IndexerError:
        now = self._evening_of(rows[-1])
        desk = Desk(self.engine, self.out, now, f"run-{now:%Y%m%dT%H%M}", terms)
        try:
            sessions = sessions_asked(
                line.basket, Period(self.world.day(rows[0]), self.world.day(rows[-1])), now
            )
            end = len(self.world.days) if outage is None else outage
            candidate = _until(shown.candidate, end if outage is not None else rows[-1] + 1)
            history = shown.history if outage is None else _cut(shown.history, outage)
            market = shown.known.market
            return record(desk, candidate, sessions, lambda new: findings(history, market, new))
        except IndexerError as error:
            return error

    def _restate(self, line: Line, shown: Shown, t: int) -> None:
        """Correct by hand all that differs; the published sessions up to today."""
        candidate = _until(shown.candidate, t + 1)
        now = self._evening_of(t)
        desk = Desk(self.engine, self.out, now, f"restate-{now:%Y%m%dT%H%M}")
        with publishing(self.engine) as connection:
            found = differences(connection, candidate, immaterial=True)
            new = [corrected(one, "bad-price", "put right", NAME, desk.run) for one in found]
            entries = append_revised(connection, desk, candidate, new)
        rows = self._differing(line, shown, t, noted=False)
        told = [self.world.row(date.fromisoformat(entry.session)) for entry in entries]
        if told != rows:
            self._say(line, t, f"restated {told}, expected {rows}")
        for entry, row in zip(entries, told, strict=True):
            self._enter(line, shown, row, entry)
        line.agreed = shown.key
        self.counts["restated"] += len(entries)

    # --- the model ----------------------------------------------------------------------------

    def _expected(
        self,
        line: Line,
        shown: Shown,
        rows: Sequence[int],
        outage: int | None,
        *,
        override: Iterable[str] = (),
        approved: bool = False,
    ) -> tuple[str, Any]:
        """Return what must happen: ``later``, ``refused`` and why, ``R9``, ``R10`` or ``published``."""
        new = [row for row in rows if row not in line.digests]
        if outage is not None and any(row >= outage for row in new):
            return "later", ()
        shut = {(row, rule) for row in new for rule in self._rules(line, shown, row)}
        shut = {(row, rule) for row, rule in shut if rule not in set(override)}
        if shut:
            return "refused", shut
        changed = self._differing(line, shown, rows[-1])
        if changed and not self.policy:
            return "R9", changed
        decided = [(row, self._decided(line, shown, row, rows[-1])) for row in changed]
        if not approved and any(said == "approval" for _, said in decided):
            return "R10", changed
        return "published", (new, decided)

    def _differing(self, line: Line, shown: Shown, t: int, *, noted: bool = True) -> list[int]:
        """Return the published rows that would now be others."""
        apart = set(shown.key) ^ set(line.agreed)
        if not apart:
            return []
        begin = min(s.at for s in apart)
        found = []
        for row in sorted(row for row in line.digests if begin <= row <= t):
            digest = shown.digest(row)
            if digest != line.digests[row] and not (noted and line.noted.get(row) == digest):
                found.append(row)
        return found

    def _decided(self, line: Line, shown: Shown, row: int, t: int) -> str:
        pairs = zip(line.levels[row], shown.levels(row), strict=True)
        size = max(abs(new[2] / old[2] - 1.0) * 1e4 for old, new in pairs)
        if size < MATERIAL:
            return "immaterial"
        return "automatic" if t - row <= AUTOMATIC and size <= APPROVED else "approval"

    def _rules(self, line: Line, shown: Shown, row: int) -> frozenset[str]:
        name = line.basket.id, shown.key, row
        if name not in self.rules:
            columns = np.array([self.world.symbols.index(s) for s in shown.history.panel.symbols])  # type: ignore[union-attr]
            index = (columns, shown.history.shares, shown.history.variants["price"], BASE)
            last = BASE + len(shown.history.days)
            rows = range(row, min(last, row + (1000 if not shown.key else 1)))
            for each, rules in zip(
                rows, refusals(shown.known, shown.prices, index, rows), strict=True
            ):
                self.rules[line.basket.id, shown.key, each] = rules
        return self.rules[name]

    # --- comparing ----------------------------------------------------------------------------

    def _judge(
        self,
        line: Line,
        shown: Shown,
        asked: tuple[list[int], int],
        expected: tuple[str, Any],
        outcome: Outcome | IndexerError,
    ) -> None:
        what, t = expected[0], asked[1]
        self.counts[what] += 1
        if what == "published" and isinstance(outcome, Outcome):
            self._judge_published(line, shown, t, expected[1], outcome)
        elif what == "later" and isinstance(outcome, TryAgainError):
            pass
        elif isinstance(outcome, LedgerError) and what in {"refused", "R9", "R10"}:
            told = {(r.session, r.rule) for r in outcome.refusals if r.rule != what}
            if what == "refused":
                want = {(self.world.day(row).isoformat(), rule) for row, rule in expected[1]}
                if told != want:
                    self._say(line, t, f"refused for {sorted(told)}, expected {sorted(want)}")
            elif told:
                self._say(line, t, f"refused for {sorted(told)}, expected {what}")
        else:
            self._say(line, t, f"expected {what} {str(expected[1])[:200]}, got {outcome!r:.500}")

    def _judge_published(
        self, line: Line, shown: Shown, t: int, expected: tuple[Any, Any], outcome: Outcome
    ) -> None:
        new, decided = expected
        index = [entry for entry in outcome.entries if entry.kind == "index"]
        told = [self.world.row(date.fromisoformat(entry.session)) for entry in index]
        want = sorted([*new, *(row for row, said in decided if said != "immaterial")])
        if told != want:
            self._say(line, t, f"published {told}, expected {want}")
        for entry, row in zip(index, told, strict=True):
            self._enter(line, shown, row, entry)
        noted = {row for row, said in decided if said == "immaterial"}
        beside = {
            self.world.row(date.fromisoformat(entry.session))
            for entry in outcome.entries
            if entry.kind == "immaterial"
        }
        if noted != beside:
            self._say(line, t, f"noted {sorted(beside)}, expected {sorted(noted)}")
        line.noted |= {row: shown.digest(row) for row in noted}
        line.agreed = shown.key
        line.pending -= set(new)
        self.counts["sessions"] += len(new)
        self.counts["corrected"] += len(index) - len(new)
        self.counts["immaterial"] += len(noted)

    def _enter(self, line: Line, shown: Shown, row: int, entry: Any) -> None:
        """Compare an entry with what was shown, and take it into the model."""
        levels = tuple((name, text, exact) for name, text, exact, *_ in entry.rows["levels"])
        if levels != shown.levels(row):
            self._say(line, row, f"level {levels}, expected {shown.levels(row)}")
        revision = line.revisions.get(row, 0) + 1
        if entry.revision != revision:
            self._say(line, row, f"revision {entry.revision}, expected {revision}")
        line.digests[row], line.revisions[row] = shown.digest(row), revision
        line.levels[row] = levels
        line.noted.pop(row, None)
        line.told.append((entry.published_at, row, revision, levels[0][1]))

    def _compare(self, line: Line) -> None:
        """Compare what is in force, now and at random instants, with the model and the truth."""
        truth = self._shown(line, ())
        last = len(self.world.days) - 1
        for row in range(FIRST, last + 1):
            known = row in line.digests
            if not known and row not in line.closed | line.pending:
                self._say(line, row, "neither published nor refused")
            if known and row not in line.noted and line.levels[row] != truth.levels(row):
                self._say(line, row, "in force, and not the truth")
        instants = [instant_text(self._evening_of(last + 1 if last < 0 else last))]
        picks = self.rng.integers(FIRST, last, 10)
        instants += [instant_text(self._evening_of(int(pick))) for pick in picks]
        with reading(self.engine) as connection:
            for instant in instants:
                rows = history_rows(connection, line.basket.id, variant="price", known_at=instant)
                found = {r[0]: (r[5], r[2]) for r in rows}
                want: dict[str, tuple[int, str]] = {}
                for at, row, revision, text in line.told:
                    if at <= instant:
                        want[self.world.day(row).isoformat()] = (revision, text)
                self.counts["queries"] += 1
                if found != want:
                    self._say(line, last, f"as known at {instant}: {len(found)} rows differ")

    def _say(self, line: Line, row: int, message: str) -> None:
        day = self.world.day(min(row, len(self.world.days) - 1))
        self.wrong.append(f"{line.basket.id} {day}: {message}")

    # --- what is shown ------------------------------------------------------------------------

    def _shown(self, line: Line, key: tuple[Slip, ...]) -> Shown:
        name = line.basket.id, key
        if name not in self.shown:
            if key not in self.known:
                state = known(self.world, key)
                self.known[key] = state, Prices(state.world)
            state, prices = self.known[key]
            until = self.world.day(min(max((s.until for s in key), default=10**9),
                                       len(self.world.days) - 1))  # fmt: skip
            history = build(line.basket, state.market, until=until)
            candidate = index_candidate(history, state.market)
            candidate.market_digests(history.days.tolist())  # all in one pass, and remembered
            self.shown[name] = Shown(key, state, prices, history, candidate)
            self.counts["states"] += 1
        return self.shown[name]

    def _forget(self, t: int) -> None:
        """Let go of the states that will not be shown again."""
        for mapping in (self.shown, self.known):
            for name in [n for n in mapping if (key := n[1] if mapping is self.shown else n)
                         and all(isinstance(s, Slip) and s.until < t for s in key)]:  # fmt: skip
                del mapping[name]  # type: ignore[attr-defined]

    # --- trouble ------------------------------------------------------------------------------

    def _odd_requests(self, line: Line, shown: Shown, t: int) -> None:
        """Ask before the closes are final, and for a day without session."""
        if self.rng.random() < EARLY:
            now = datetime.combine(self.world.day(t), datetime.min.time(), ZONE) + timedelta(
                hours=15, minutes=10
            )
            try:
                sessions_asked(line.basket, Period(None, self.world.day(t)), now)
                self._say(line, t, "published before the closes are final")
            except TryAgainError:
                self.counts["too soon"] += 1
        if self.rng.random() < CLOSED:
            day = self.world.day(t) + timedelta(days=(5 - self.world.day(t).weekday()) % 7)
            if sessions_asked(line.basket, Period(day, day), self._evening_of(t) + timedelta(9)):
                self._say(line, t, f"{day} is taken for a session")
            self.counts["no session"] += 1

    def _dies(self, line: Line, shown: Shown, rows: list[int], outage: int | None) -> None:
        """Let the process die at some statement of a publication; the next one starts anew."""
        self.countdown = int(self.rng.integers(1, 25))
        try:
            self._publish(line, shown, rows, outage, Terms(correct=self.policy))
        except Died:
            self.counts["died"] += 1
            self.engine.dispose()
            self.engine = self._opened()
        self.countdown = 0

    def _opened(self) -> sa.Engine:
        """Open the ledger, and let whoever uses it die when the countdown ends, or at a commit."""
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

    def _evening_of(self, row: int) -> datetime:
        day = self.world.day(row)
        return datetime(day.year, day.month, day.day, 10, 30, tzinfo=UTC)


def _until(candidate: Candidate, row: int) -> Candidate:
    """Return a candidate as one built from the rows before this one would be."""
    return replace(candidate, days=candidate.days[: row - BASE])


def _cut(history: History, row: int) -> History:
    levels = {name: level[: row - BASE] for name, level in history.variants.items()}
    return replace(history, days=history.days[: row - BASE], variants=levels)


def years(seed: int, span: tuple[date, date], memory: Path) -> Found:
    """Live through one execution."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=memory) as name:
        one = Years(seed, span, Path(name))
        one.run()
    sessions = len(one.world.days) - FIRST
    figures: dict[str, float] = {
        "simulated_years": round(sessions / 243, 2),
        **{kind.replace(" ", "_"): n for kind, n in one.counts.items()},
        "given_up": sum(len(line.closed) for line in one.lines),
    }
    wrong = tuple(f"seed {seed}: {line}" for line in one.wrong)
    return Found(one.counts["sessions"], wrong, time.perf_counter() - began, figures)
