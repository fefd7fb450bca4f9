"""What definitions need of market data: which rows of whom, and from when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

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
    until : the last one, where the subject ends, is another one or is held by nobody after it; None
        where it goes on
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
    names: Iterable[str],
    asked_on: date,
    since: date | None = None,
    actions: pl.DataFrame | None = None,
) -> list[Need]:
    """Return what some baskets, series and studies need, each row's subject once.

    Actions come before the prices that are judged by them.

    Parameters
    ----------
    since : instead of what the definitions say
    actions : those known already: a share is needed until it ends by one of them, and so is what
        it becomes, or what is spun off from it

    Raises
    ------
    MissingInputError, DefinitionError
        As finding the definitions does.
    """
    found: dict[tuple[Table, str], Need] = {}
    for need in _all(names, asked_on, since):
        key = (need.table, need.subject)
        found[key] = _both(need, found.get(key, need))
    if actions is not None:
        _follow(found, actions)
    return sorted(found.values(), key=lambda need: _ORDER.index(need.table))


def _follow(found: dict[tuple[Table, str], Need], actions: pl.DataFrame) -> None:
    """Add to needs what shares become, and end those of shares that end."""
    for row in actions.sort("ex_date").iter_rows(named=True):
        day, kind = row["ex_date"], row["kind"]
        need = found.get(("prices", row["symbol"]))
        if need is None or not need.since <= day <= (need.until or date.max):
            continue
        if kind in _ENDING:
            last = _earlier(need.until, day - timedelta(days=kind == "symbol_change"))
            found["prices", row["symbol"]] = replace(need, until=last)
        if row["other"] is not None and kind in _GOING_ON:
            first = day - timedelta(days=_BEFORE if kind == "merger" else 0)
            tables: tuple[Table, ...] = ("actions", "prices")
            for more in (Need(table, row["other"], first) for table in tables):
                key = (more.table, more.subject)
                found[key] = _both(more, found.get(key, more))


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
    since = given or index.base.date - timedelta(days=_BEFORE + 2 * _sessions_before(index))
    by_shares = {index.weighting.scheme, index.selection.rank_by if index.selection else ""}
    for constituent in index.constituents:
        symbol, left = constituent.symbol, _left(index, constituent)
        for own, first, end in _periods(symbol, since):
            yield Need("actions", own, first, end)
            last = _earlier(end, left)
            if last is not None and last < first:
                continue
            yield Need("prices", own, first, last)
            if by_shares & _BY_SHARES:
                yield Need("shares", own, first, last)
            if index.eligibility.seasoning:
                yield Need("listing", own, first, last)
        yield from _rate(_CURRENCY[symbol.rpartition(".")[2]], index.currency, since)


def _left(index: Basket, constituent: Constituent) -> date | None:
    """Return the date after whose close a constituent leaves by its definition; None if never.

    One that cannot be traded then may be frozen, and held for as long as that lasts.
    """
    until = constituent.until
    if until is None or index.rebalance.untradable == "freeze":
        return None
    calendar, base = calendar_of(index), index.base.date
    dates = effective_dates(index.rebalance, calendar, base, calendar.horizon)
    return next((day for day in (base, *dates) if day >= until), None)


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
