"""What a publisher must do in a simulated world, evening by evening, and what is then in force.

The gates are those of `judge`; what becomes of published levels that would now be others is the
correction policy, written once more from its page.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal

import numpy as np

from benchmarks.reliability.judge import Prices, refusals
from benchmarks.reliability.vendor import Known, Slip, known
from benchmarks.reliability.world import World
from indexer.definitions.basket import Basket
from indexer.index.build import build
from indexer.index.history import History
from indexer.run.entries import Candidate, index_candidate

BASE = 30  # row of the base date
MATERIAL, APPROVED, AUTOMATIC = 1.0, 25.0, 2  # basis points, basis points, sessions
AT_ONCE = 1000  # rows that are judged together

Key = tuple[Slip, ...]
Levels = tuple[tuple[str, str, float], ...]  # by variant: its level as printed, and exact
Act = Literal["published", "later", "refused", "R9", "R10"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What must happen.

    Attributes
    ----------
    new : rows that are published for the first time
    shut : rows and the rules that refuse them
    decided : rows that would now be others, and what the policy says of each
    """

    act: Act
    new: tuple[int, ...] = ()
    shut: frozenset[tuple[int, str]] = frozenset()
    decided: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Shown:
    """An index as one state of the source has it."""

    key: Key
    known: Known
    prices: Prices
    history: History
    candidate: Candidate

    def digest(self, row: int) -> str:
        """Return what is published of a session, told from everything else."""
        content = self.candidate.content(row - BASE)
        return hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()

    def levels(self, row: int) -> Levels:
        """Return the levels of a session."""
        found = ((name, float(level[row - BASE])) for name, level in self.history.variants.items())
        return tuple((name, printed(exact), exact) for name, exact in found)


def printed(level: float) -> str:
    """Return a level as it is published: four decimals, half to even."""
    return str(Decimal(level).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))


@dataclass
class Line:
    """What is known of one index.

    Attributes
    ----------
    digests, levels, revisions : of what is in force, by row
    noted : digests of numbers that were recorded as immaterial, by row
    pending, closed : rows still to be published, and those given up after a refusal
    agreed : state of the source that all of it was last compared with
    told : instant, row, revision and printed level of everything published, in order
    """

    basket: Basket
    digests: dict[int, str] = field(default_factory=dict)
    levels: dict[int, Levels] = field(default_factory=dict)
    revisions: dict[int, int] = field(default_factory=dict)
    noted: dict[int, str] = field(default_factory=dict)
    pending: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    agreed: Key = ()
    told: list[tuple[str, int, int, str]] = field(default_factory=list)


class Model:
    """States of the source, built when they are first shown, and what follows from them.

    Attributes
    ----------
    policy : whether differences are dealt with by the written policy, or by somebody
    """

    def __init__(self, world: World, *, policy: bool) -> None:
        self.world, self.policy = world, policy
        self._known: dict[Key, tuple[Known, Prices]] = {}
        self._shown: dict[tuple[str, Key], Shown] = {}
        self._rules: dict[tuple[str, Key, int], frozenset[str]] = {}
        self.states = 0

    def columns(self, basket: Basket) -> set[int]:
        """Return the symbols of an index by column."""
        return {self.world.symbols.index(symbol) for symbol in basket.symbols}

    def shown(self, basket: Basket, key: Key) -> Shown:
        """Return an index as a state of the source has it, until the last slip is put right."""
        name = basket.id, key
        if name not in self._shown:
            if key not in self._known:
                state = known(self.world, key)
                self._known[key] = state, Prices(state.world)
            state, prices = self._known[key]
            last = len(self.world.days) - 1
            until = self.world.day(min(max((s.until for s in key), default=last), last))
            history = build(basket, state.market, until=until)
            candidate = index_candidate(history)
            candidate.market_digests(history.days.tolist())  # all in one pass, and remembered
            self._shown[name] = Shown(key, state, prices, history, candidate)
            self.states += 1
        return self._shown[name]

    def forget(self, t: int) -> None:
        """Let go of the states that will not be shown again."""
        for name in [n for n in self._shown if n[1] and max(s.until for s in n[1]) < t]:
            del self._shown[name]
        for key in [k for k in self._known if k and max(s.until for s in k) < t]:
            del self._known[key]

    def expected(
        self,
        line: Line,
        shown: Shown,
        rows: Sequence[int],
        *,
        ends: int | None = None,
        override: Collection[str] = (),
        approved: bool = False,
    ) -> Expected:
        """Return what must happen when rows are asked for on the evening of the last of them.

        Parameters
        ----------
        ends : first row of which the source shows nothing; None where it shows all
        override, approved : rules that somebody takes upon himself, and corrections
        """
        new = [row for row in rows if row not in line.digests]
        if ends is not None and any(row >= ends for row in new):
            return Expected("later")
        inherited = self._inherited(line, shown, new, override)
        if shut := inherited | self._shut(line, shown, new, override):
            return Expected("refused", shut=shut)
        changed = self.differing(line, shown, rows[-1])
        if changed and not self.policy:
            return Expected("R9")
        decided = tuple(self._decisions(line, shown, changed, rows[-1]))
        if not approved and any(said == "approval" for _, said in decided):
            return Expected("R10")
        again = [row for row, said in decided if said != "immaterial"]
        if shut := self._shut(line, shown, again, override):
            return Expected("refused", shut=shut)
        return Expected("published", tuple(new), decided=decided)

    def differing(self, line: Line, shown: Shown, t: int, *, noted: bool = True) -> list[int]:
        """Return the published rows that would now be others, but for those noted as immaterial."""
        apart = set(shown.key) ^ set(line.agreed)
        begin = min((s.at for s in apart), default=t + 1)
        return [
            row
            for row in sorted(row for row in line.digests if begin <= row <= t)
            if (digest := shown.digest(row)) != line.digests[row]
            and not (noted and line.noted.get(row) == digest)
        ]

    def rules(self, basket: Basket, shown: Shown, row: int) -> frozenset[str]:
        """Return the rules by which a session must be refused."""
        name = basket.id, shown.key, row
        if name not in self._rules:
            panel = shown.history.panel
            columns = [self.world.symbols.index(s) for s in panel.symbols] if panel else []
            index = (
                np.array(columns), shown.history.shares, shown.history.variants["price"], BASE
            )  # fmt: skip
            end = min(BASE + len(shown.history.days), row + (1 if shown.key else AT_ONCE))
            found = refusals(shown.known, shown.prices, index, range(row, end))
            for each, rules in zip(range(row, end), found, strict=True):
                self._rules[basket.id, shown.key, each] = rules
        return self._rules[name]

    def _shut(
        self, line: Line, shown: Shown, rows: Sequence[int], override: Collection[str]
    ) -> frozenset[tuple[int, str]]:
        """Return what refuses rows, be it their first level or a corrected one."""
        found = ((row, rule) for row in rows for rule in self.rules(line.basket, shown, row))
        return frozenset((row, rule) for row, rule in found if rule not in override)

    def _inherited(
        self, line: Line, shown: Shown, new: Sequence[int], override: Collection[str]
    ) -> frozenset[tuple[int, str]]:
        """Return the new rows that follow on an unpublished one with a price beyond belief."""
        if "R16" in override or not new:
            return frozenset()
        before = max((row for row in line.digests if row < new[0]), default=new[0])
        passed_over = {*range(before + 1, new[-1])} - {*new} - line.digests.keys()
        return frozenset(
            (min(later for later in new if later > row), "R16")
            for row in passed_over
            if "R16" in self.rules(line.basket, shown, row)
        )

    def _decisions(
        self, line: Line, shown: Shown, rows: Sequence[int], t: int
    ) -> Iterator[tuple[int, str]]:
        """Yield rows that would be others and what is decided; what is made of one goes with it."""
        corrects = False
        for row in rows:
            size = apart(line.levels[row], shown.levels(row))
            if size >= MATERIAL:
                corrects = True
                young = t - row <= AUTOMATIC and size <= APPROVED
                yield row, "automatic" if young else "approval"
            else:
                yield row, "automatic" if corrects else "immaterial"


def apart(old: Levels, new: Levels) -> float:
    """Return how far the variant that differs most does, in basis points of the first."""
    moves = (
        abs(Fraction(after[2]) / Fraction(before[2]) - 1)
        for before, after in zip(old, new, strict=True)
    )
    return round(float(max(moves) * 10_000), 9)


def until(candidate: Candidate, row: int) -> Candidate:
    """Return a candidate as one built from the rows before this one would be."""
    return replace(candidate, days=candidate.days[: row - BASE])


def cut(history: History, row: int) -> History:
    """Return a history as one built from the rows before this one would be."""
    levels = {name: level[: row - BASE] for name, level in history.variants.items()}
    return replace(history, days=history.days[: row - BASE], variants=levels)


def day_of(world: World, session: str) -> int:
    """Return the row of a session in ISO form."""
    return world.row(date.fromisoformat(session))
