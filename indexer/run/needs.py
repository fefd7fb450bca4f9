"""What definitions need of market data: which rows of whom, and from when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.study import Study
from indexer.market.sources.source import Table
from indexer.run.find import definition, indices_of

_BEFORE = 30  # days of data before the first date: a close to carry, a rate to look back to
_YEARS = 5  # of a series of which nothing says where it begins
_CURRENCY = {"SH": "CNY", "SZ": "CNY", "BJ": "CNY", "HK": "HKD", "US": "USD"}
_BY_SHARES = {"market_cap", "free_float", "free_float_cap"}
_ORDER: tuple[Table, ...] = ("actions", "prices", "series", "shares", "listing", "fx")


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """Rows that are needed.

    Attributes
    ----------
    table, subject : of what and of whom
    since : the first date that matters
    """

    table: Table
    subject: str
    since: date


def needs_of(names: Iterable[str], asked_on: date, since: date | None = None) -> list[Need]:
    """Return what some baskets, series and studies need, each row's subject once.

    Actions come before the prices that are judged by them.

    Parameters
    ----------
    since : instead of what the definitions say

    Raises
    ------
    MissingInputError, DefinitionError
        As finding the definitions does.
    """
    first: dict[tuple[Table, str], date] = {}
    for need in _all(names, asked_on):
        key = (need.table, need.subject)
        first[key] = since or min(need.since, first.get(key, need.since))
    found = [Need(table, subject, day) for (table, subject), day in first.items()]
    return sorted(found, key=lambda need: _ORDER.index(need.table))


def _all(names: Iterable[str], asked_on: date) -> Iterator[Need]:
    for name in names:
        found = definition(name)
        if not isinstance(found, Study):
            base = found.base.date if found.base else asked_on - timedelta(days=366 * _YEARS)
            yield from _of_index(found, base)
            continue
        start = found.start - timedelta(days=_BEFORE)
        for index in indices_of(found).values():
            yield from _of_index(index, start)
            if found.currency != "local":
                yield from _rate(index.currency, found.currency, start)
        for overlay in found.overlays:
            yield Need("series", overlay.symbol, start)


def _of_index(index: Index, start: date) -> Iterator[Need]:
    """Yield what one index needs; a series begins where it is compared from."""
    if isinstance(index, Series):
        yield Need("series", index.symbol, min(start, index.base.date) if index.base else start)
        return
    since = index.base.date - timedelta(days=_BEFORE + 2 * _sessions_before(index))
    by_shares = {index.weighting.scheme, index.selection.rank_by if index.selection else ""}
    for symbol in index.symbols:
        yield Need("actions", symbol, since)
        yield Need("prices", symbol, since)
        if by_shares & _BY_SHARES:
            yield Need("shares", symbol, since)
        if index.eligibility.seasoning:
            yield Need("listing", symbol, since)
        yield from _rate(_CURRENCY[symbol.rpartition(".")[2]], index.currency, since)


def _sessions_before(index: Basket) -> int:
    """Return how many sessions before its base date an index looks at."""
    lookback = index.weighting.lookback if index.weighting.scheme == "inverse_volatility" else 0
    turnover = re.fullmatch(r"amount_(\d+)", index.selection.rank_by if index.selection else "")
    return index.rebalance.reference_lag + max(lookback, int(turnover[1]) if turnover else 0)


def _rate(unit: str, price: str, since: date) -> Iterator[Need]:
    """Yield the pair in which a rate is published: the yuan prices the others."""
    if unit != price:
        base, quote = (price, unit) if unit == "CNY" else (unit, price)
        yield Need("fx", f"{base}/{quote}", since)
