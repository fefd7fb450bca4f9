"""Ticks: the smallest step of a price, as dated data."""

from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from indexer.definitions.symbols import split_symbol
from indexer.market.conventions.dated import rows_of


class _Step(NamedTuple):
    suffix: str
    prefix: str
    since: date
    above: float
    tick: float


def tick_size(symbol: str, day: date, price: float | Fraction) -> float:
    """Return the tick of a symbol at a price on a date, in its listing currency.

    A price on the edge of two bands has the wider tick of the two. A date before the first entry
    of a market has the ticks of that entry.

    Raises
    ------
    ValueError
        If no entry is for the symbol's suffix.

    Examples
    --------
    >>> tick_size("300308.SZ", date(2024, 1, 2), 151.2)
    0.01
    >>> [tick_size("00700.HK", date(2025, 8, day), 45.0) for day in (1, 4)]
    [0.05, 0.02]
    """
    steps = [step for step in _table(*split_symbol(symbol)) if step.above <= price]
    if not steps:
        raise ValueError(f"{symbol!r} has no tick: add its market to conventions/ticks.csv")
    first = min(step.since for step in steps)
    dated = [step for step in steps if step.since <= max(day, first)]
    return max(dated, key=lambda step: (step.since, step.above)).tick


@lru_cache
def _table(code: str, suffix: str) -> tuple[_Step, ...]:
    """Return the steps of the longest prefix that a code begins with."""
    own = [s for s in _steps() if s.suffix == suffix and code.startswith(s.prefix)]
    longest = max((len(step.prefix) for step in own), default=0)
    return tuple(step for step in own if len(step.prefix) == longest)


@lru_cache
def _steps() -> tuple[_Step, ...]:
    return tuple(
        _Step(
            r["suffix"],
            r["prefix"],
            date.fromisoformat(r["from"]),
            float(r["above"]),
            float(r["tick"]),
        )
        for r in rows_of("ticks")
    )
