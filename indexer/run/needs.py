"""What definitions need of market data: which rows of whom, and from when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.study import Study
from indexer.definitions.symbols import MAINLAND, currency_of, exchange_of, split_symbol
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.conventions.renames import rename_actions, renames_of
from indexer.market.lines import RENAME, SPINOFF
from indexer.market.sources.source import Table
from indexer.run.find import definition_named, indices_of

_BEFORE = 30  # days of data before the first date: a close to carry, a rate to look back to
_YEARS = 5  # of a series of which nothing says where it begins
_BY_SHARES = {"market_cap", "free_float", "free_float_cap"}
_ORDER: tuple[Table, ...] = ("actions", "prices", "series", "shares", "listing", "fx")


@dataclass(frozen=True, slots=True)
class Need:
    """Rows that are needed.

    Attributes
    ----------
    table, subject : of what and of whom
    since : the first date that matters
    until : the last one, where the subject has another symbol after it, or is another's price; else
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

    @property
    def mainland(self) -> bool:
        """Whether its subject is traded in Shanghai, Shenzhen or Beijing."""
        return split_symbol(self.subject)[1] in MAINLAND


def needs_of(
    names: Iterable[str], asked_on: date, actions: pl.DataFrame, since: date | None = None
) -> list[Need]:
    """Return what some baskets, series and studies need, each row's subject once.

    Actions come before the prices that are judged by them.

    Parameters
    ----------
    actions : those known already: what a share becomes is needed, and what is spun off from it
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
        found = definition_named(name)
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
        for own, first, last in _periods(symbol, since, actions):
            yield from _listed(own, first, last, index.currency)
            for other, begin, end in _beside(own, first, last, actions):
                yield from _listed(other, begin, end, index.currency)
            if by_shares & _BY_SHARES:
                yield Need("shares", own, first, last)
            if index.eligibility.seasoning:
                yield Need("listing", own, first, last)


def _listed(symbol: str, since: date, until: date | None, currency: str) -> Iterator[Need]:
    """Yield what is needed of a share to value it."""
    yield Need("actions", symbol, since, until)
    yield Need("prices", symbol, since, until)
    yield from _rate(currency_of(symbol), currency, since)


def _periods(
    symbol: str, since: date, actions: pl.DataFrame
) -> Iterator[tuple[str, date, date | None]]:
    """Yield the symbols a security has had since a date, and the first and last date of each."""
    known = renames_of(symbol)
    told = pl.concat([actions, rename_actions([symbol])], how="diagonal_relaxed")
    told = told.filter(kind=RENAME).select("ex_date", "symbol", "other").unique()
    changes = told.drop_nulls().sort(pl.all()).rows()
    name, start = known[0].symbol if known else symbol, date.min
    while change := next((c for c in changes if c[1] == name and c[0] >= start), None):
        changes.remove(change)  # a symbol may come back, and be told to on the same day
        if change[0] > max(start, since):
            yield name, max(start, since), change[0] - timedelta(days=1)
        start, _, name = change
    yield name, max(start, since), None


def _beside(
    symbol: str, since: date, last: date | None, actions: pl.DataFrame
) -> Iterator[tuple[str, date, date | None]]:
    """Yield what is spun off a share, and what it is exchanged for, and the dates that matter."""
    end = last + timedelta(days=1) if last else date.max  # on the day of its change as well
    own = actions.filter(pl.col("ex_date").is_between(since, end), symbol=symbol)
    for row in own.iter_rows(named=True):
        begin = row["ex_date"] - timedelta(days=_BEFORE)  # of both a close may be carried
        if row["kind"] == SPINOFF:
            yield row["other"], begin, None
        elif row["kind"] == "merger" and row["other"]:
            yield row["other"], begin, row["ex_date"]


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
