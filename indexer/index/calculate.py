"""From a basket and a panel to levels: the methodology, one step a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from indexer.arrays import Grid, Vector, dot
from indexer.definitions.basket import Basket, Variant
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.index.finding import shown
from indexer.index.history import Change, History
from indexer.index.holding import Book, Rebalanced, rebalance
from indexer.index.opening import Opening, opening_of
from indexer.index.schedule import RebalanceDates
from indexer.index.selection import check_rates, choose, rate_flaw
from indexer.index.weighting import weigh
from indexer.kernels.level import Chain, Events, chain_levels
from indexer.market.events import Departure
from indexer.market.panel import Panel


@dataclass
class _Told:
    """What has been calculated so far, stretch by stretch."""

    chains: list[Chain] = field(default_factory=list)
    rebalances: list[Rebalanced] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    after: dict[int, Book] = field(default_factory=dict)  # by row: the book after its last change


def calculate(basket: Basket, panel: Panel, dates: Sequence[RebalanceDates]) -> History:
    """Return the history of a basket over a panel, from its base date to the last row.

    Stretch by stretch: each ends with a session after whose close the basket changes. There,
    delistings and mergers come first, then the rebalance.

    Parameters
    ----------
    dates : the base date first, then every rebalance, ascending

    Raises
    ------
    DefinitionError
        If a cap cannot be met, the net variant has no rate for a constituent's country, or two
        constituents with a weight of their own have become one line.
    MissingInputError
        If nothing can be held at a rebalance or is left after a delisting, or a rate or share
        count is missing.
    MarketDataError
        If a price is carried for longer than the definition allows, a column to rank or score by
        is missing or holds something else than numbers, or a level would be no finite number.
    """
    base, last = dates[0].effective, len(panel.sessions) - 1
    opening = opening_of(basket, panel)
    departures = [d for d in panel.departures if base < d.row <= last]
    rebalances = {when.effective: when for when in dates}
    told = _Told()
    book = Book(np.zeros(len(panel.lines)), basket.base.level, 1.0)
    start = base
    for row in sorted({base, *rebalances, *(d.row for d in departures), last}):
        if row > base:
            book = _chained(panel, opening, (start, row), book, told)
        leaving = [d for d in departures if d.row == row and book.shares[d.column] != 0.0]
        if leaving:
            book = _left(basket, panel, row, book, leaving, told)
        if row in rebalances:
            book = _rebalanced(basket, panel, rebalances[row], book, told)
        told.after[row] = book
        start = row
    return _history(basket, panel, base, told)


def _chained(
    panel: Panel, opening: Opening, span: tuple[int, int], book: Book, told: _Told
) -> Book:
    """Hold the book over the sessions after the first row of a span; return it after the last."""
    first, last = span
    events, kinds = opening.between(first + 1, last + 1)
    chain = chain_levels(
        panel.worth[first + 1 : last + 1], book.shares, panel.worth[first], book.divisor, events
    )
    told.chains.append(chain)
    told.changes += _event_changes(panel, first + 1, events, kinds, chain)
    return Book(chain.shares[-1], float(chain.market_value[-1]), float(chain.divisor[-1]))


def _left(
    basket: Basket, panel: Panel, row: int, book: Book, leaving: Sequence[Departure], told: _Told
) -> Book:
    """Return the book after delistings and mergers at a close; the divisor takes up their value."""
    shares = book.shares.copy()
    shares[[d.column for d in leaving]] = 0.0
    for gone in leaving:
        if gone.into >= 0 and shares[gone.into] != 0.0:
            shares[gone.into] += book.shares[gone.column] * gone.ratio
    held = shares != 0.0
    value = float(dot(shares[held], np.nan_to_num(panel.worth[row, held])))
    if not value > 0:
        day = panel.sessions[row]
        message = f"nothing is left after the close of {day}: {leaving[0].kind}"
        raise MissingInputError(
            [Flaw(basket.id, None, panel.lines[leaving[0].column].symbol, message)]
        )
    after = Book(shares, value, book.divisor * value / book.market_value)
    kinds = {d.column: d.kind for d in leaving}
    told.changes += _book_changes(panel, row, (book, after), kinds, "merger")
    return after


def _rebalanced(
    basket: Basket, panel: Panel, when: RebalanceDates, book: Book, told: _Told
) -> Book:
    """Choose, weigh and hold; return the book after the close of the effective date."""
    known = panel.upto(when.reference)
    effective = panel.sessions[when.effective].item()
    chosen = choose(basket, known, effective, set(np.flatnonzero(book.shares).tolist()))
    if not chosen.columns.size:
        raise _nobody(basket, effective, chosen.excluded)
    check_rates(panel, when.reference, chosen.columns)
    held = (book, _joined(panel, effective, book, told))
    done = rebalance(basket, panel, when, weigh(basket, chosen.known, chosen.columns), held)
    place = {line.symbol: j for j, line in enumerate(panel.lines)}
    excluded = sorted(chosen.excluded + done.excluded, key=lambda left: place[left[0]])
    if not np.isfinite([done.after.market_value, *done.after.shares]).all():
        raise _boundless(basket, effective)
    if not done.after.market_value > 0:
        raise _nobody(basket, effective, excluded)
    done = replace(done, excluded=tuple(excluded))
    told.rebalances.append(done)
    told.changes += _book_changes(panel, when.effective, (book, done.after), {}, "rebalance")
    return done.after


def _nobody(
    basket: Basket, effective: date, excluded: Sequence[tuple[str, str]]
) -> MissingInputError:
    """Return what is wrong where nothing can be held, and the first reasons why."""
    reasons = [f"{symbol} ({why})" for symbol, why in excluded]
    message = f"none of the {len(basket.constituents)} constituents can be held on {effective}"
    message += f": {shown(reasons)}" if reasons else ""
    return MissingInputError([Flaw(basket.id, None, "", message)])


def _boundless(basket: Basket, day: date, level: float = np.nan) -> MarketDataError:
    """Return what is wrong where a level, or what is held, is beyond all numbers or below zero."""
    message = (
        f"the level of {day} is no finite number above zero: a close, a rate, a ratio or the base "
        "is too large or too small"
    )
    if level < 0:
        message = (
            f"the level of {day} is {level:g}: what joined at no price has paid out more than all "
            "else is worth: check the cash of its special dividends"
        )
    return MarketDataError([Flaw(basket.id, None, "", message)])


def _joined(panel: Panel, effective: date, book: Book, told: _Told) -> set[int]:
    """Return the columns held that only a spin-off has brought since the last rebalance."""
    columns = set(np.flatnonzero(book.shares).tolist())
    for last in told.rebalances[-1:]:
        gone = {d.column for d in panel.departures if d.day <= effective}
        chosen = panel.heirs(effective)[np.flatnonzero(last.after.shares)]
        columns -= set(chosen.tolist()) - gone
    return columns


def _history(basket: Basket, panel: Panel, base: int, told: _Told) -> History:
    """Join the stretches; the row after which the basket changed shows the book after that."""
    days, chains = panel.sessions[base:], told.chains
    first = told.after[base]
    no_return = np.full((1, len(panel.lines)), np.nan)
    level = np.concatenate([[basket.base.level], *(c.level for c in chains)])
    divisor = np.concatenate([[first.divisor], *(c.divisor for c in chains)])
    value = np.concatenate([[first.market_value], *(c.market_value for c in chains)])
    income = np.concatenate([np.zeros((1, 2)), *(c.income for c in chains)])
    shares = np.concatenate([first.shares[None], *(c.shares for c in chains)])
    contribution = np.concatenate([no_return, *(c.contribution for c in chains)])
    for row, book in told.after.items():
        divisor[row - base], value[row - base] = book.divisor, book.market_value
    _check_values(panel, base, shares)
    variants = _variants(basket, panel, level, income)
    sound = np.isfinite([level, value, *variants.values()]).all(axis=0) & (level > 0)
    if not sound.all():
        at = int(np.argmin(sound))
        raise _boundless(basket, days[at].item(), level[at])
    _check_stale(basket, panel, base, shares)
    return History(
        definition=basket,
        synthetic=False,
        days=days,
        variants=variants,
        divisor=divisor,
        market_value=value,
        carried=((shares > 0) & ~panel.traded(slice(base, None))).sum(axis=1),
        panel=panel,
        shares=shares,
        contribution=contribution,
        income=income,
        rebalances=tuple(told.rebalances),
        changes=tuple(told.changes),
    )


def _variants(basket: Basket, panel: Panel, level: Vector, income: Grid) -> dict[Variant, Vector]:
    """Return the levels of each variant; gross alone where prices are adjusted already."""
    offered: tuple[Variant, ...] = ("gross",) if panel.adjusted.any() else basket.variants
    total = {"gross": income[:, 0], "net": income[:, 1]}
    found: dict[Variant, Vector] = {}
    for name in offered:
        if name == "price":
            found[name] = level
        else:
            growth = np.ones(len(level))
            with np.errstate(all="ignore"):  # what is beyond all numbers is refused after this
                growth[1:] = (level[1:] + total[name][1:]) / level[:-1]
                found[name] = np.asarray(basket.base.level * np.cumprod(growth))
    return found


def _check_values(panel: Panel, base: int, shares: Grid) -> None:
    """Raise where something is held that has a close but no rate to value it with."""
    lacking = (shares > 0) & np.isnan(panel.fx[base:]) & ~np.isnan(panel.close[base:])
    if lacking.any():
        t, j = (int(n) for n in np.argwhere(lacking)[0])
        raise MissingInputError([rate_flaw(panel, base + t, j)])


def _check_stale(basket: Basket, panel: Panel, base: int, shares: Grid) -> None:
    """Raise where a held price has been carried for more sessions than the definition allows."""
    if basket.max_stale is None:
        return
    row = np.arange(base, len(panel.sessions))[:, None]
    age = row + 1 - np.searchsorted(panel.sessions, panel.dated[base:], side="right")
    flaws = []
    too_old = (age > basket.max_stale) & (shares > 0)
    for j in np.flatnonzero(too_old.any(axis=0)):
        t = int(np.argmax(too_old[:, j]))
        day, old = panel.sessions[base + t], panel.dated[base + t, j]
        message = f"on {day} its close of {old} is carried beyond max_stale {basket.max_stale}"
        flaws.append(Flaw("prices", None, panel.lines[j].symbol, message))
    if flaws:
        raise MarketDataError(flaws)


def _book_changes(
    panel: Panel, row: int, books: tuple[Book, Book], kinds: dict[int, str], other: str
) -> Iterator[Change]:
    """Yield what changed between two books after a close."""
    before, after = books
    for j in np.flatnonzero(before.shares != after.shares):
        yield Change(
            panel.sessions[row],
            panel.lines[j].symbol,
            kinds.get(int(j), other),
            float(before.shares[j]),
            float(after.shares[j]),
            before.divisor,
            after.divisor,
        )


def _event_changes(
    panel: Panel, first: int, events: Events, kinds: Sequence[str], chain: Chain
) -> Iterator[Change]:
    """Yield what changed before the opens of a stretch; who gives comes before who receives."""
    for row, column, into, kind, numbers in zip(
        events.row, events.column, events.into, kinds, chain.change.tolist(), strict=True
    ):
        before, after, *divisors, had, has = numbers
        moves = [(column, before, after)] if before != after or divisors[0] != divisors[1] else []
        moves += [(into, had, has)] if had != has and into != column else []
        for j, *shares in moves:
            day, symbol = panel.sessions[first + row], panel.lines[j].symbol
            yield Change(day, symbol, kind, *shares, *divisors)
