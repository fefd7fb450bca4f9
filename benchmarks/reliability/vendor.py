"""What a source shows of the world: the truth up to a day, with its faults of that day.

A slip is seen from its first evening on until it is put right. Between slips the truth is shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from benchmarks.reliability.world import Row, World
from indexer.market.tables import Market

RATES = {  # how often each happens in a year
    "missing": 0.7,  # a close is not there
    "spike": 0.6,  # a close is in another unit, or nonsense
    "wrong": 1.2,  # a close is off by less than any limit
    "late action": 0.8,  # an action is told days after its ex-date
    "weekend": 0.4,  # a bar of a day without trade
    "frozen": 0.1,  # the day before is shown again, of all symbols
    "outage": 1.5,  # nothing is shown
}
SPIKES = (0.01, 0.1, 0.5, 1.6, 10.0, 100.0)
WRONG = (0.0004, 0.004, 0.015)  # of a close, up or down


@dataclass(frozen=True, slots=True, order=True)
class Slip:
    """One fault.

    Attributes
    ----------
    at, until : rows of the first session on whose evening it is seen, and of the first it is not
    column : the symbol, -1 for all
    factor : of the true close, where one is wrong
    """

    at: int
    until: int
    kind: str
    column: int = -1
    factor: float = 1.0


def slips(seed: int, world: World, first: int) -> list[Slip]:
    """Draw the faults of a source over a world, from a session on; all are put right in the end."""
    rng = np.random.default_rng([seed, 5])
    years = (len(world.days) - first) / 243
    found: list[Slip] = []
    for kind, rate in RATES.items():
        for _ in range(rng.poisson(rate * years)):
            at = int(rng.integers(first + 1, len(world.days) - 12))
            lasts = 1 if kind == "outage" and rng.random() < 0.7 else int(rng.integers(1, 6))
            column = int(rng.integers(len(world.symbols)))
            found += _fitted(rng, world, Slip(at, at + lasts, kind, column), first)
    return sorted(found)


def _fitted(rng: np.random.Generator, world: World, slip: Slip, first: int) -> Iterator[Slip]:
    """Yield a slip that can be: there is a close to be wrong about, an action to be late."""
    if slip.kind in {"frozen", "outage"}:
        yield replace(slip, column=-1)
    elif slip.kind == "late action":
        row = world.actions[int(rng.integers(len(world.actions)))]
        at, column = world.row(row["ex_date"]), world.symbols.index(row["symbol"])
        traded = not np.isnan(world.close[at - 1 : at + 1, column]).any()
        if first < at < len(world.days) - 12 and traded:
            yield Slip(at, at + slip.until - slip.at, slip.kind, column)
    elif not np.isnan(world.close[slip.at - 1 : slip.at + 1, slip.column]).any():
        if slip.kind == "spike":
            yield replace(slip, factor=float(rng.choice(SPIKES)))
        elif slip.kind == "wrong":
            yield replace(slip, factor=1.0 + float(rng.choice([-1, 1]) * rng.choice(WRONG)))
        elif slip.kind == "missing" or phantom_day(world, slip.at) is not None:
            yield slip


def phantom_day(world: World, at: int) -> date | None:
    """Return a day without trade between the session before and this one; None where none is."""
    day, before = world.day(at), world.day(at - 1)
    return before + timedelta(days=1) if (day - before).days > 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The world as a source shows it, all later rows as they truly will be.

    Attributes
    ----------
    world : with what is wrong in it
    phantoms : row of the session after a bar that should not be, and its symbol
    market : the same as tables
    """

    world: World
    phantoms: tuple[tuple[int, int], ...]
    market: Market


def known(world: World, active: Sequence[Slip]) -> Known:
    """Return the world as shown while some slips last; outages are no part of it."""
    close, volume, actions = world.close.copy(), world.volume.copy(), world.actions
    phantoms = []
    for s in active:
        if s.kind == "missing":
            close[s.at, s.column] = np.nan
        elif s.kind in {"spike", "wrong"}:
            close[s.at, s.column] = max(round(close[s.at, s.column] * s.factor, 2), 0.01)
        elif s.kind == "frozen":
            both = ~np.isnan(close[s.at - 1 : s.at + 1]).any(axis=0)
            close[s.at, both], volume[s.at, both] = close[s.at - 1, both], volume[s.at - 1, both]
        elif s.kind == "late action":
            symbol = world.symbols[s.column]
            actions = tuple(
                a for a in actions if a["symbol"] != symbol or world.row(a["ex_date"]) != s.at
            )
        elif s.kind == "weekend":
            phantoms.append((s.at, s.column))
    shown = replace(world, close=close, volume=volume, actions=actions)
    return Known(shown, tuple(phantoms), _with_phantoms(shown, phantoms))


def _with_phantoms(shown: World, phantoms: Sequence[tuple[int, int]]) -> Market:
    rows: list[Row] = [
        {
            "symbol": shown.symbols[column],
            "date": phantom_day(shown, at),
            "close": float(shown.close[at - 1, column]),
        }
        for at, column in phantoms
    ]
    if not rows:
        return shown.market
    more = pl.DataFrame(rows, schema=shown.market.prices.select("symbol", "date", "close").schema)
    prices = pl.concat([shown.market.prices, more], how="diagonal")
    return replace(shown.market, prices=prices)
