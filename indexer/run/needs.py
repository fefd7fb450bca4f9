"""What definitions need of market data: which rows of whom, and from when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.study import Study
from indexer.market.conventions.renames import renames_of
from indexer.market.sources.source import Table
from indexer.run.find import definition, indices_of

_BEFORE = 30  # days of data before the first date: a close to carry, a rate to look back to
_YEARS = 5  # of a series of which nothing says where it begins
_CURRENCY = {"SH": "CNY", "SZ": "CNY", "BJ": "CNY", "HK": "HKD", "US": "USD"}
_BY_SHARES = {"market_cap", "free_float", "free_float_cap"}
_ORDER: tuple[Table, ...] = ("actions", "prices", "series", "shares", "listing", "fx")


@dataclass(frozen=True, slots=True)
class Need:
    """Rows that are needed.

    Attributes
    ----------
    table, subject : of what and of whom
    since : the first date that matters
    until : the last one, where the subject has another symbol after it; else None
    """

    table: Table
    subject: str
    since: date
    until: date | None = None


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
    found: dict[tuple[Table, str], Need] = {}
    for need in _all(names, asked_on, since):
        key = (need.table, need.subject)
        found[key] = min(need, found.get(key, need), key=lambda n: n.since)
    return sorted(found.values(), key=lambda need: _ORDER.index(need.table))


def _all(names: Iterable[str], asked_on: date, since: date | None) -> Iterator[Need]:
    for name in names:
        found = definition(name)
        if not isinstance(found, Study):
            base = found.base.date if found.base else asked_on - timedelta(days=366 * _YEARS)
            yield from _of_index(found, base, since)
            continue
        start = since or found.start - timedelta(days=_BEFORE)
        for index in indices_of(found).values():
            yield from _of_index(index, start, since)
            if found.currency != "local":
                yield from _rate(index.currency, found.currency, start)
        for overlay in found.overlays:
            yield Need("series", overlay.symbol, start)


def _of_index(index: Index, start: date, given: date | None) -> Iterator[Need]:
    """Yield what one index needs; a series begins where it is compared from."""
    if isinstance(index, Series):
        begin = min(start, index.base.date) if index.base else start
        yield Need("series", index.symbol, given or begin)
        return
    since = given or index.base.date - timedelta(days=_BEFORE + 2 * _sessions_before(index))
    by_shares = {index.weighting.scheme, index.selection.rank_by if index.selection else ""}
    for symbol in index.symbols:
        for own, first, last in _periods(symbol, since):
            yield Need("actions", own, first, last)
            yield Need("prices", own, first, last)
            if by_shares & _BY_SHARES:
                yield Need("shares", own, first, last)
            if index.eligibility.seasoning:
                yield Need("listing", own, first, last)
        yield from _rate(_CURRENCY[symbol.rpartition(".")[2]], index.currency, since)


def _periods(symbol: str, since: date) -> Iterator[tuple[str, date, date | None]]:
    """Yield the symbols a security has had since a date, and the first and last date of each."""
    changes = renames_of(symbol)
    names = [changes[0].symbol, *(c.other for c in changes)] if changes else [symbol]
    starts = [date.min, *(change.since for change in changes)]
    ends = [*(change.since - timedelta(days=1) for change in changes), None]
    for name, first, last in zip(names, starts, ends, strict=True):
        if last is None or last >= since:
            yield name, max(first, since), last


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
