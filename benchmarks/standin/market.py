"""What the stand-in knows: bars, actions, shares, suspensions and rates of an invented market."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple


class Bar(NamedTuple):
    """One session of one symbol: prices in its currency, volume in shares, amount in currency."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    amount: float


@dataclass(slots=True)
class Market:
    """What the vendors answer from, and the day it is there.

    Attributes
    ----------
    today : no vendor tells anything dated after it
    bars : of securities and of series, by symbol, ascending
    actions, shares : rows of the market folder's tables, by symbol, ascending
    suspensions : rows of the table
    rates : yuan for one unit, by currency and date
    sessions : trading days of Shanghai
    listed : first trading days, by symbol
    weights : constituents and their fraction of one, by index
    """

    today: date
    bars: dict[str, list[Bar]] = field(default_factory=dict)
    actions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shares: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    suspensions: list[dict[str, Any]] = field(default_factory=list)
    rates: dict[str, dict[date, float]] = field(default_factory=dict)
    sessions: list[date] = field(default_factory=list)
    listed: dict[str, date] = field(default_factory=dict)
    weights: dict[str, list[tuple[str, float]]] = field(default_factory=dict)

    def known_bars(self, symbol: str) -> list[Bar]:
        """Return the bars of a symbol that have happened."""
        return [bar for bar in self.bars.get(symbol, []) if bar.day <= self.today]


def bars_of(closes: Mapping[date, float], spread: float = 0.0) -> list[Bar]:
    """Return a bar for each close of one symbol; volumes never repeat from one to the next.

    Parameters
    ----------
    spread : by how much the open differs from the close, a fraction of it; half as much more lies
        between them and high and low. At 0 all prices are the close, within any limit it is in
    """
    bars = []
    for n, (day, close) in enumerate(sorted(closes.items())):
        open_ = round(close * (1 + spread * (1 if n % 2 else -1)), 2) if spread else close
        high = round(max(open_, close) * (1 + spread / 2), 2) if spread else close
        low = round(min(open_, close) * (1 - spread / 2), 2) if spread else close
        shares = 100.0 * (math.floor(2e5 / close) + 7 * (n % 97) + 11)
        bars.append(
            Bar(day, open_, high, low, close, shares, float(round(shares * (high + low) / 2)))
        )
    return bars


def invented(symbols: Sequence[str], sessions: Sequence[date], seed: int) -> Market:
    """Return a market of random walks within all price limits, the last session its today."""
    market = Market(sessions[-1], sessions=list(sessions))
    for n, symbol in enumerate(symbols):
        draw = random.Random(seed * 1000 + n)  # noqa: S311 (no secret)
        closes, close = {}, 8.0 + 90 * draw.random()
        for day in sessions:
            step = draw.uniform(0.003, 0.03) * draw.choice((-1, 1))
            close = round(close * (1 + step), 2)
            closes[day] = close
        market.bars[symbol] = bars_of(closes, 0.004)
        market.listed[symbol] = date(2015, 1, 5)
        shares = {"total_shares": 1e9, "free_float_shares": 9e8}
        market.shares[symbol] = [{"symbol": symbol, "date": date(2015, 1, 5)} | shares]
    return market
