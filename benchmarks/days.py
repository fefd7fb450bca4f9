"""Days of fetching on a clock that is only told: a share of all requests fails, the store must not.

Every evening a basket is fetched through akshare's own code into a real store, up to four times an
hour apart, while requests are faulted at random. In the end the store holds what the market holds,
or lacks sessions that the last fetch says it lacks. One seed replays all of it.
"""

import random
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.faults import LAST, SEED, Ground, ground
from benchmarks.standin.faults import KINDS, Fault
from benchmarks.standin.market import Market
from benchmarks.standin.wire import Request
from indexer.market.sources.akshare import upstreams
from indexer.market.store import read_rows
from indexer.run.fetch import Span, fetch

ATTEMPTS = 4  # an evening
QUIET = tuple(kind for kind in KINDS if kind not in {"hang", "drip"})  # which cost no seconds
_BASKET = """
version: 1
id: days
name: {{en: Days}}
currency: CNY
calendar: XSHG
base: {{date: 2026-04-01, level: 1000}}
weighting: {{scheme: free_float}}
constituents: [{listed}]
"""


@dataclass(slots=True)
class _Chance:
    """Faults drawn request by request."""

    share: float
    kinds: tuple[str, ...]
    draw: random.Random
    counts: dict[str, int] = field(default_factory=dict)

    def __call__(self, request: Request) -> Fault | None:
        del request
        kind = self.draw.choice(self.kinds) if self.draw.random() < self.share else "none"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return None if kind == "none" else Fault(kind, self.draw.choice((1, 1, 2, 10)))


def with_actions(market: Market) -> None:
    """Let every third symbol pay and split in the middle of its bars."""
    for symbol, bars in list(market.bars.items())[::3]:
        at = len(bars) // 2
        day = bars[at].day
        row = {"symbol": symbol, "ex_date": day, "cash": None, "ratio": None, "price": None}
        market.actions[symbol] = [
            row | {"kind": "bonus", "ratio": 0.4},
            row | {"kind": "dividend", "cash": 0.5},
        ]
        restated = [
            bar._replace(
                **{
                    name: round((getattr(bar, name) - 0.5) / 1.4, 2)
                    for name in ("open", "high", "low", "close")
                }
            )
            for bar in bars[at:]
        ]
        market.bars[symbol] = bars[:at] + [
            bar._replace(amount=float(round(bar.volume * (bar.high + bar.low) / 2)))
            for bar in restated
        ]


def simulate(
    days: int,
    *,
    share: float = 0.3,
    count: int = 6,
    seed: int = SEED,
    kinds: tuple[str, ...] = KINDS,
    deadline: float = 4.0,
) -> dict[str, Any]:
    """Fetch on some evenings; return what was asked, what failed, and what is wrong in the end."""
    begun = time.monotonic()
    chance = _Chance(share, kinds, random.Random(seed))  # noqa: S311 (one seed replays it)
    refused: list[str] = []
    with ground(count, deadline) as on, tempfile.TemporaryDirectory() as folder:
        with_actions(on.standin.market)
        listed = ", ".join(f"{{symbol: {symbol}}}" for symbol in on.symbols)
        name = Path(folder) / "days.yaml"
        name.write_text(_BASKET.format(listed=listed), encoding="utf-8")
        on.standin.choose = chance
        for day in on.true["date"].unique().sort()[-days:]:
            refused += _evening(on, name, day)
        wrong, lacking = _compared(on, Path(folder) / "store")
        complete = not refused or not refused[-1].startswith(f"{LAST} {ATTEMPTS}")
    return {
        "id": "days",
        "n": days,
        "wrong": wrong + (len(lacking) if complete else 0),
        "lacking": lacking,
        "complete": complete,
        "attempts_refused": len(refused),
        "refusals": refused[-20:],
        "requests": sum(chance.counts.values()),
        "faulted": sum(n for kind, n in chance.counts.items() if kind != "none"),
        "constituents": count,
        "share": share,
        "seed": seed,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _evening(on: Ground, name: Path, day: date) -> list[str]:
    """Fetch until nothing stands against it or the evening is over; return what did."""
    on.standin.market.today = day
    refused = []
    for attempt in range(1, ATTEMPTS + 1):
        start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
        on.clock.at = start + timedelta(hours=attempt)
        sources = upstreams(on.access)
        span = Span(on.clock.at, until=day)
        found = fetch([str(name)], name.parent / "store", sources, span)
        if found.problem is None:
            break
        first = str(found.problem).splitlines()[0][:200]
        refused.append(f"{day} {attempt}: {type(found.problem).__name__}: {first}")
    return refused


def _compared(on: Ground, store: Path) -> tuple[int, list[str]]:
    """Return how many stored rows are not the market's, and which sessions are not stored."""
    market = on.standin.market
    bars = [(s, bar.day, bar.close) for s in on.symbols for bar in market.bars[s]]
    true = pl.DataFrame(bars, schema=["symbol", "date", "close"], orient="row")
    have = read_rows(store, "prices").select("symbol", "date", "close")
    wrong = len(have.join(true, on=["symbol", "date", "close"], how="anti"))
    lacking = true.join(have, on=["symbol", "date"], how="anti")
    acts = [
        (row["symbol"], row["ex_date"], row["kind"], row["cash"], row["ratio"])
        for rows in market.actions.values()
        for row in rows
    ]
    names = ["symbol", "ex_date", "kind", "cash", "ratio"]
    true_acts = pl.DataFrame(acts, schema=names, orient="row")
    held = read_rows(store, "actions").select(names)
    wrong += len(held.join(true_acts, on=names, how="anti", nulls_equal=True))
    return wrong, [f"{row[0]} {row[1]}" for row in lacking.iter_rows()]
