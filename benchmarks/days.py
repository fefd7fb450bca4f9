"""Days of fetching on a clock that is only told: a share of all answers fails, the store must not.

Every evening two baskets, two series and their rates are fetched through akshare's own code into
a real store, up to four times an hour apart, while answers are faulted at random. Beside it the
same days are fetched without a fault. In the end both stores hold the same, or the one lacks what
its last fetch says that it lacks. One seed replays all of it.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.faults import FIGURES
from benchmarks.ground import ABROAD, LAST, SEED, Ground, evening, ground
from benchmarks.reliability.record import commit
from benchmarks.standin.faults import KINDS, Fault
from indexer.market.calendar import read_calendar
from indexer.market.sources.akshare import upstreams
from indexer.market.sources.source import Ask
from indexer.market.store import read_rows
from indexer.run.fetch import Span, fetch

ATTEMPTS = 4  # an evening
SHARES = 6
FIRST = date(2026, 2, 2)  # earlier than anything that is fetched
_BASKET = """
version: 1
id: {id}
name: {{en: Days}}
currency: CNY
calendar: XSHG
base: {{date: {base}, level: 1000}}
weighting: {{scheme: {scheme}}}
constituents: [{listed}]
"""
_SERIES = """
version: 1
id: {id}
name: {{en: Days}}
kind: series
symbol: {symbol}
currency: {currency}
calendar: {calendar}
base: {{date: {base}, level: 1000}}
"""


@dataclass(slots=True)
class Chance:
    """Faults drawn answer by answer.

    Attributes
    ----------
    share : of all answers that are faulted
    seed : of all evenings; each draws anew, so that a run may begin with any of them
    counts : how many had which kind
    """

    share: float
    kinds: tuple[str, ...]
    draw: random.Random
    seed: int = SEED
    counts: Counter[str] = field(default_factory=Counter)

    def begin(self, day: date) -> None:
        """Draw what is drawn on an evening."""
        self.draw.seed(f"{self.seed} {day}")

    def __call__(self, source: str, ask: Ask) -> Fault | None:
        """Return the fault of an answer, if it has one."""
        del source, ask
        kind = self.draw.choice(self.kinds) if self.draw.random() < self.share else "none"
        self.counts[kind] += 1
        return None if kind == "none" else Fault(kind, self.draw.choice((1, 2, 10)))


def definitions(
    folder: Path, shares: tuple[str, ...], abroad: tuple[str, ...], base: date
) -> list[str]:
    """Write what is fetched and return the names of the files."""
    home = {"scheme": "free_float", "listed": _listed(shares)}
    tech = {"symbol": "HSTECH.HK", "currency": "HKD", "calendar": "XHKG"}
    csi = {"symbol": "000985.SH", "currency": "CNY", "calendar": "XSHG"}
    texts = {
        "home": _BASKET.format(id="home", base=base, **home),
        "abroad": _BASKET.format(id="abroad", base=base, scheme="equal", listed=_listed(abroad)),
        "all": _SERIES.format(id="all", base=base, **csi),
        "tech": _SERIES.format(id="tech", base=base, **tech),
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.yaml") for name in texts]


def _listed(symbols: tuple[str, ...]) -> str:
    return ", ".join(f"{{symbol: {symbol}}}" for symbol in symbols)


def simulate(
    days: int,
    *,
    share: float = 0.3,
    seed: int = SEED,
    kinds: tuple[str, ...] = KINDS,
    deadline: float = 4.0,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Fetch on some evenings; return what was asked, what failed, and what is wrong in the end.

    Parameters
    ----------
    kept : folder in which a run that is stopped leaves what it goes on from
    """
    chance = Chance(share, kinds, random.Random(), seed)  # noqa: S311 (one seed replays it)
    with ground(SHARES, deadline, FIRST) as on, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        names = definitions(place, on.shares, ABROAD[:2], date(2026, 3, 20))
        sessions = read_calendar("XSHG").between(LAST - timedelta(days=days * 2), LAST).tolist()

        def fetched(day: date) -> list[str]:
            on.recorder.choose = lambda *_: None
            if found := evening_of(on, names, place / "stores" / "clean", day):
                raise AssertionError(f"a day without faults is refused: {found}")
            on.recorder.choose = chance
            return evening_of(on, names, place / "stores" / "store", day)

        course = Course(place / "stores", kept, f"{commit()} {days} {share} {seed}")
        course.run(sessions[-days:], chance, fetched)
        found = compared(place / "stores" / "store", place / "stores" / "clean")
    return told("days", sessions[-days:], course, chance, found) | {
        "answers_by_akshare": on.recorder.real
    }


@dataclass(slots=True)
class Course:
    """Evenings one after the other, which go on where they were stopped.

    Attributes
    ----------
    stores : folder of all that an evening leaves behind
    kept : where it is left for a run to come, if anywhere
    key : of what is run; only the same goes on
    step : evenings after which it is left there
    refused : what stood against each attempt that was refused
    seconds : wall time so far, of all runs
    """

    stores: Path
    kept: Path | None
    key: str
    step: int = 1
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def run(
        self, evenings: list[date], chance: Chance, fetched: Callable[[date], list[str]]
    ) -> None:
        """Fetch on those evenings that are not over yet."""
        self.stores.mkdir()
        last = self._resumed(chance)
        for n, day in enumerate(evenings, 1):
            if str(day) <= last:
                continue
            begun = time.monotonic()
            chance.begin(day)
            self.refused += fetched(day)
            self.seconds += time.monotonic() - begun
            if self.kept and n % self.step == 0:
                self._keep(self.kept, str(day), chance)
                print(f"{n} of {len(evenings)}: {len(self.refused)} refused", file=sys.stderr)

    def _resumed(self, chance: Chance) -> str:
        """Put back what a run left and return its last evening; empty if there is none."""
        for folder in (self.kept, self.kept and self.kept.with_suffix(".new")):
            if folder and (folder / "told.json").is_file():
                said = json.loads((folder / "told.json").read_text("utf-8"))
                if said["key"] == self.key:
                    shutil.copytree(folder / "stores", self.stores, dirs_exist_ok=True)
                    self.refused, self.seconds = said["refused"], said["seconds"]
                    chance.counts = Counter(said["counts"])
                    return str(said["last"])
        return ""

    def _keep(self, kept: Path, last: str, chance: Chance) -> None:
        new = kept.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(self.stores, new / "stores")
        said = {"key": self.key, "last": last, "refused": self.refused, "seconds": self.seconds}
        (new / "told.json").write_text(json.dumps(said | {"counts": chance.counts}), "utf-8")
        shutil.rmtree(kept, ignore_errors=True)
        new.rename(kept)


def told(
    name: str,
    evenings: list[date],
    course: Course,
    chance: Chance,
    found: tuple[list[str], list[str]],
) -> dict[str, Any]:
    """Return what is kept of some evenings, with every one that was refused, and why."""
    wrong, lacking = found
    last = f"{evenings[-1]} {ATTEMPTS}: "
    refused = [line for line in course.refused if f" {ATTEMPTS}: " in line]
    open_ = any(line.startswith(last) for line in refused)  # it lacks what was refused last
    return {
        "id": name,
        "n": len(evenings),
        "wrong": len(wrong) + (0 if open_ else len(lacking)),
        "wrong_rows": wrong[:20],
        "lacking": lacking[:50],
        "evenings_refused": len(refused),
        "attempts_refused": len(course.refused),
        "refusals": refused,
        "answers": sum(chance.counts.values()),
        "faulted": sum(n for kind, n in chance.counts.items() if kind != "none"),
        "share": chance.share,
        "seed": chance.seed,
        "commit": course.key.split()[0],
        "seconds": round(course.seconds),
    }


def evening_of(on: Ground, names: list[str], store: Path, day: date) -> list[str]:
    """Fetch until nothing stands against it or the evening is over; return what did."""
    on.standin.market.today = day
    refused = []
    on.access.guard._hosts.clear()  # a day has passed
    for attempt in range(1, ATTEMPTS + 1):
        on.clock.at = evening(day) + timedelta(hours=attempt - 2)
        span = Span(on.clock.at, until=day)
        found = fetch(names, store, upstreams(on.access), span)
        if found.problem is None:
            break
        first = str(found.problem).splitlines()[0][:200]
        refused.append(f"{day} {attempt}: {type(found.problem).__name__}: {first}")
    return refused


def compared(store: Path, clean: Path) -> tuple[list[str], list[str]]:
    """Return the figures of a store that a clean one has otherwise, and what it lacks of them."""
    wrong, lacking = [], []
    for table, names in FIGURES.items():
        have, true = (read_rows(folder, table).select(names) for folder in (store, clean))
        keys = [name for name in names if true[name].dtype in (pl.String, pl.Date)]
        strange = have.join(true, on=list(names), how="anti", nulls_equal=True)
        wrong += [f"{table} {row}" for row in strange.iter_rows()]
        absent = true.join(have, on=keys, how="anti")
        lacking += [f"{table} {row}" for row in absent.select(keys).iter_rows()]
    return wrong, lacking
