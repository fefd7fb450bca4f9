"""What definitions need of market data: which rows of whom, and from when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.study import Study
from indexer.market.calendar import Calendar, exchange_of, read_calendar
from indexer.market.conventions.renames import renames_of
from indexer.market.sources.source import Table
from indexer.run.find import definition, indices_of

_BEFORE = 30  # days of data before the first date: a close to carry, a rate to look back to
_YEARS = 5  # of a series of which nothing says where it begins
_CURRENCY = {"SH": "CNY", "SZ": "CNY", "BJ": "CNY", "HK": "HKD", "US": "USD"}
_BY_SHARES = {"market_cap", "free_float", "free_float_cap"}
_ENDING = {"delisting", "merger", "symbol_change"}  # after the close of their date, or before it
_GOING_ON = {"merger", "spinoff", "symbol_change"}  # as another share, or beside it
_ORDER: tuple[Table, ...] = ("actions", "prices", "series", "shares", "listing", "fx")


@dataclass(frozen=True, slots=True)
class Need:
    """Rows that are needed.

    Attributes
    ----------
    table, subject : of what and of whom
    since : the first date that matters
    until : the last one, where the subject ends or has another symbol after it; else None
    """

    table: Table
    subject: str
    since: date
    until: date | None = None

    @property
    def calendar(self) -> Calendar:
        """The sessions on which there should be a row: its exchange's, of a rate Shanghai's."""
        return read_calendar("XSHG" if self.table == "fx" else exchange_of(self.subject))


def needs_of(
    names: Iterable[str], asked_on: date, actions: pl.DataFrame, since: date | None = None
) -> list[Need]:
    """Return what some baskets, series and studies need, each row's subject once.

    Actions come before the prices that are judged by them.

    Parameters
    ----------
    actions : those known already: a share is needed until one of them ends it, and so is what it
        becomes, or what is spun off from it
    since : instead of what the definitions say

    Raises
    ------
    MissingInputError, DefinitionError
        As finding the definitions does.
    """
    found: dict[tuple[Table, str], Need] = {}
    for need in _all(names, asked_on, actions, since):
        key = (need.table, need.subject)
        found[key] = _both(need, found.get(key, need))
    return sorted(found.values(), key=lambda need: _ORDER.index(need.table))


def _both(one: Need, other: Need) -> Need:
    """Return one need that holds all of two."""
    until = max(one.until or date.max, other.until or date.max)
    last = None if until == date.max else until
    return replace(one, since=min(one.since, other.since), until=last)


def _all(
    names: Iterable[str], asked_on: date, actions: pl.DataFrame, since: date | None
) -> Iterator[Need]:
    for name in names:
        found = definition(name)
        if not isinstance(found, Study):
            base = found.base.date if found.base else asked_on - timedelta(days=366 * _YEARS)
            yield from _of_index(found, base, actions, since)
            continue
        start = since or found.start - timedelta(days=_BEFORE)
        for index in indices_of(found).values():
            yield from _of_index(index, start, actions, since)
            if found.currency != "local":
                yield from _rate(index.currency, found.currency, start)
        for overlay in found.overlays:
            yield Need("series", overlay.symbol, start)


def _of_index(
    index: Index, start: date, actions: pl.DataFrame, given: date | None
) -> Iterator[Need]:
    """Yield what one index needs; a series begins where it is compared from."""
    if isinstance(index, Series):
        begin = min(start, index.base.date) if index.base else start
        yield Need("series", index.symbol, given or begin)
        return
    since = given or index.base.date - timedelta(days=_BEFORE + 2 * _sessions_before(index))
    by_shares = {index.weighting.scheme, index.selection.rank_by if index.selection else ""}
    for symbol in index.symbols:
        for own, (first, last) in _lives(symbol, since, actions).items():
            yield Need("actions", own, first, last)
            yield Need("prices", own, first, last)
            if by_shares & _BY_SHARES:
                yield Need("shares", own, first, last)
            if index.eligibility.seasoning:
                yield Need("listing", own, first, last)
            yield from _rate(_CURRENCY[own.rpartition(".")[2]], index.currency, first)


def _lives(symbol: str, since: date, actions: pl.DataFrame) -> dict[str, tuple[date, date | None]]:
    """Return from when to when a security is needed, and all that it becomes or spins off."""
    found = {name: (first, last) for name, first, last in _periods(symbol, since)}
    ends = dict[str, date]()
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        for row in actions.filter(symbol=name).iter_rows(named=True):
            day, kind, other = row["ex_date"], row["kind"], row["other"]
            if day < found[name][0]:
                continue
            if kind in _ENDING:
                last = day - timedelta(days=kind == "symbol_change")
                ends[name] = min(last, ends.get(name, last))
            # A new symbol has no bars before; of another share the last close may be carried.
            first = day - timedelta(days=0 if kind == "symbol_change" else _BEFORE)
            if other and kind in _GOING_ON and first < found.get(other, (date.max,))[0]:
                found[other] = (first, found.get(other, (first, None))[1])
                waiting.append(other)
    return {name: (first, _earlier(last, ends.get(name))) for name, (first, last) in found.items()}


def _earlier(one: date | None, other: date | None) -> date | None:
    """Return the earlier of two dates, None being none."""
    return min(filter(None, (one, other)), default=None)


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
