"""What definitions need of market data: which rows of whom, and from when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from indexer.definitions.basket import Basket, Constituent, Index, Series
from indexer.definitions.study import Study
from indexer.index.schedule import calendar_of, effective_dates
from indexer.market.calendar import Calendar, exchange_of, read_calendar
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
    until : the last one, where the subject has another symbol after it or is held no longer; else
        None
    """

    table: Table
    subject: str
    since: date
    until: date | None = None

    @property
    def calendar(self) -> Calendar:
        """The sessions on which there should be a row: its exchange's, of a rate Shanghai's."""
        return read_calendar("XSHG" if self.table == "fx" else exchange_of(self.subject))


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
        found[key] = _both(need, found.get(key, need))
    return sorted(found.values(), key=lambda need: _ORDER.index(need.table))


def _both(one: Need, other: Need) -> Need:
    """Return one need that holds all of two."""
    until = max(one.until or date.max, other.until or date.max)
    last = None if until == date.max else until
    return replace(one, since=min(one.since, other.since), until=last)


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
    since = given or _looked_back(index, index.base.date)
    by_shares = {index.weighting.scheme, index.selection.rank_by if index.selection else ""}
    for constituent in index.constituents:
        symbol = constituent.symbol
        begin, end = _held(index, constituent)
        for own, first, last in _periods(symbol, since if given else max(since, begin), end):
            yield Need("actions", own, first, last)
            yield Need("prices", own, first, last)
            if by_shares & _BY_SHARES:
                yield Need("shares", own, first, last)
            if index.eligibility.seasoning:
                yield Need("listing", own, first, last)
        yield from _rate(_CURRENCY[symbol.rpartition(".")[2]], index.currency, since)


def _held(index: Basket, constituent: Constituent) -> tuple[date, date | None]:
    """Return from when to when figures of a constituent can matter; None for as long as it trades.

    It enters and leaves after the close of an effective date, by its own dates. Where it must have
    been listed for some sessions, its first close may have to tell since when it is.
    """
    if constituent.from_ is None and constituent.until is None:
        return date.min, None
    calendar, base = calendar_of(index), index.base.date
    dates = effective_dates(index.rebalance, calendar, base, calendar.horizon)
    days = [base, *dates]
    enters = next((day for day in days if day >= (constituent.from_ or base)), days[-1])
    leaves = constituent.until and next((d for d in days if d >= constituent.until), None)
    return date.min if index.eligibility.seasoning else _looked_back(index, enters), leaves


def _periods(
    symbol: str, since: date, until: date | None
) -> Iterator[tuple[str, date, date | None]]:
    """Yield the symbols a security has had between two dates, and the first and last of each."""
    changes = renames_of(symbol)
    names = [changes[0].symbol, *(c.other for c in changes)] if changes else [symbol]
    starts = [date.min, *(change.since for change in changes)]
    ends = [*(change.since - timedelta(days=1) for change in changes), None]
    for name, start, end in zip(names, starts, ends, strict=True):
        first, last = max(start, since), min(end or date.max, until or date.max)
        if first <= last:
            yield name, first, None if last == date.max else last


def _looked_back(index: Basket, effective: date) -> date:
    """Return the first date that may matter for a rebalance."""
    lookback = index.weighting.lookback if index.weighting.scheme == "inverse_volatility" else 0
    turnover = re.fullmatch(r"amount_(\d+)", index.selection.rank_by if index.selection else "")
    sessions = index.rebalance.reference_lag + max(lookback, int(turnover[1]) if turnover else 0)
    return effective - timedelta(days=_BEFORE + 2 * sessions)


def _rate(unit: str, price: str, since: date) -> Iterator[Need]:
    """Yield the pair in which a rate is published: the yuan prices the others."""
    if unit != price:
        base, quote = (price, unit) if unit == "CNY" else (unit, price)
        yield Need("fx", f"{base}/{quote}", since)
