"""Daily price limits of the boards, as dated data."""

from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from indexer.definitions.symbols import split_symbol
from indexer.market.conventions.dated import rows_of
from indexer.market.conventions.ticks import tick_size


class _Limit(NamedTuple):
    suffix: str
    prefix: str
    since: date
    limit: Fraction


def price_limit(symbol: str, day: date) -> Fraction | None:
    """Return the daily price limit of a symbol's board on a date, as a fraction.

    None where there is none: Hong Kong, New York, and dates before the board had one. Shares under
    special treatment have narrower limits, and Shenzhen's funds of ChiNext shares wider ones than
    its others: no code tells them.
    """
    code, suffix = split_symbol(symbol)
    found = [
        row
        for row in _limits()
        if row.suffix == suffix and code.startswith(row.prefix) and row.since <= day
    ]
    return max(found, key=lambda row: (len(row.prefix), row.since)).limit if found else None


def at_limit(symbol: str, day: date, close: float, reference: Fraction) -> bool:
    """Return whether a close stands at the price limit that a reference price sets, to the tick."""
    limit, near = price_limit(symbol, day), float(reference)
    if limit is None or abs(close - near) < 0.5 * float(limit) * near:
        return False  # far from it: no need for exact fractions
    return Fraction(repr(close)) in (limit_prices(symbol, day, reference) or ())


def limit_prices(
    symbol: str, day: date, reference: Fraction, sessions: int = 1
) -> tuple[Fraction, Fraction] | None:
    """Return the lowest and the highest price of a session; None where the board has no limit.

    They are ``reference * (1 ± limit)``, rounded half up to the tick; of the last of several
    ``sessions`` the same again for each. None also where dividends have left nothing to count from.

    Examples
    --------
    >>> limits = limit_prices("600519.SH", date(2024, 1, 2), Fraction("10.05"))
    >>> [float(price) for price in limits]
    [9.05, 11.06]
    >>> limits = limit_prices("510300.SH", date(2024, 1, 2), Fraction("4.123"))
    >>> [float(price) for price in limits]
    [3.711, 4.535]
    """
    limit = price_limit(symbol, day)
    if limit is None or reference <= 0:
        return None
    tick = Fraction(repr(tick_size(symbol, day, reference)))
    low = high = reference
    for _ in range(sessions):
        low, high = _half_up(low * (1 - limit), tick), _half_up(high * (1 + limit), tick)
    return low, high


@lru_cache(maxsize=4096)
def narrowest_limit(symbol: str) -> float:
    """Return the narrowest limit that the board of a symbol ever had; NaN where it had none."""
    code, suffix = split_symbol(symbol)
    rows = _limits()
    found = [r.limit for r in rows if r.suffix == suffix and code.startswith(r.prefix)]
    return float(min(found, default=float("nan")))


def _half_up(price: Fraction, tick: Fraction) -> Fraction:
    return (price / tick + Fraction(1, 2)).__floor__() * tick


@lru_cache
def _limits() -> tuple[_Limit, ...]:
    return tuple(
        _Limit(r["suffix"], r["prefix"], date.fromisoformat(r["from"]), Fraction(r["limit"]))
        for r in rows_of("limits")
    )
