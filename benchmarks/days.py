"""Days of fetching on a clock that is only told: a share of all answers fails, the store must not.

Every evening two baskets, two series and their rates are fetched through akshare's own code into
a real store, up to four times an hour apart, while answers are faulted at random. Beside it the
same days are fetched without a fault. In the end both stores hold the same, or the one lacks what
its last fetch says that it lacks. One seed replays all of it.
"""

import random
import tempfile
import time
from collections import Counter
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
    counts : how many had which kind
    """

    share: float
    kinds: tuple[str, ...]
    draw: random.Random
    counts: Counter[str] = field(default_factory=Counter)

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
) -> dict[str, Any]:
    """Fetch on some evenings; return what was asked, what failed, and what is wrong in the end."""
    begun = time.monotonic()
    chance = Chance(share, kinds, random.Random(seed))  # noqa: S311 (one seed replays it)
    refused: list[str] = []
    with ground(SHARES, deadline, FIRST) as on, tempfile.TemporaryDirectory() as folder:
        names = definitions(Path(folder), on.shares, ABROAD[:2], date(2026, 3, 20))
        sessions = read_calendar("XSHG").between(LAST - timedelta(days=days * 2), LAST).tolist()
        for day in sessions[-days:]:
            on.recorder.choose = lambda *_: None
            if found := evening_of(on, names, Path(folder) / "clean", day):
                raise AssertionError(f"a day without faults is refused: {found}")
            on.recorder.choose = chance
            refused += evening_of(on, names, Path(folder) / "store", day)
        wrong, lacking = compared(Path(folder) / "store", Path(folder) / "clean")
        told = refused[-1] if refused else ""
    open_ = told.startswith(f"{LAST} {ATTEMPTS}")
    return {
        "id": "days",
        "n": days,
        "wrong": len(wrong) + (0 if open_ else len(lacking)),
        "wrong_rows": wrong[:20],
        "lacking": lacking[:50],
        "evenings_refused": sum(f" {ATTEMPTS}: " in line for line in refused),
        "attempts_refused": len(refused),
        "refusals": refused[-50:],
        "answers": sum(chance.counts.values()),
        "faulted": sum(n for kind, n in chance.counts.items() if kind != "none"),
        "answers_by_akshare": on.recorder.real,
        "share": share,
        "seed": seed,
        "commit": commit(),
        "seconds": round(time.monotonic() - begun),
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
