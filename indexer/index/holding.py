"""Index shares: what a rebalance makes of the basket at the close of its effective date."""

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from indexer.arrays import Flags, Rows, Vector, dot
from indexer.definitions.basket import Basket
from indexer.definitions.rules import REAL_SHARES
from indexer.index.schedule import RebalanceDates
from indexer.index.selection import Excluded
from indexer.index.weighting import Weights
from indexer.market.actions import decimal, exact_ex_reference
from indexer.market.conventions.limits import at_limit
from indexer.market.panel import Panel


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """What an index holds after a close: shares (N,), their market value, and the divisor."""

    shares: Vector
    market_value: float
    divisor: float


@dataclass(frozen=True, slots=True, eq=False)
class Rebalanced:
    """One rebalance: the basket it set and the weights it came from, n members.

    Attributes
    ----------
    reference, effective, first_session : its dates
    columns : (n,) columns of the panel, as listed in the definition
    target, drifted : (n,) weights after caps, and at the close of the effective date; the target
        of a line that was only kept because it could not be traded is 0
    capping_factor : (n,) target over uncapped weight, scaled so that the largest is one
    tradable : (n,) whether the member has a close dated on the effective date, off its price limit
    turnover : one-way, at the close of the effective date; 0 for the first basket
    excluded : symbol and reason of each constituent that is not held
    before, after : the book around it
    """

    reference: date
    effective: date
    first_session: date
    columns: Rows
    target: Vector
    drifted: Vector
    capping_factor: Vector
    tradable: Flags
    turnover: float
    excluded: Excluded
    before: Book
    after: Book


def rebalance(
    basket: Basket,
    panel: Panel,
    when: RebalanceDates,
    weights: Weights,
    held: tuple[Book, Collection[int]],
) -> Rebalanced:
    """Return the new basket after the close of the effective date; it may have no value.

    Parameters
    ----------
    held : the book before, and the columns in it that only joined by a spin-off
    """
    book, joined = held
    row = when.effective
    effective = panel.sessions[row].item()
    lines = np.union1d(weights.columns, np.flatnonzero(book.shares)).astype(np.int64)
    tradable = {int(j): is_tradable(panel, row, int(j)) for j in lines}
    freeze = basket.rebalance.untradable == "freeze" and not when.ahead
    kept = np.zeros(len(panel.lines))
    for j in np.flatnonzero(book.shares) if freeze else ():
        if not tradable[int(j)] and (j in weights.columns or j not in joined):
            kept[j] = book.shares[j]
    traded = np.array([not freeze or tradable[int(j)] for j in weights.columns], dtype=bool)
    after = _book_after(basket, panel, when, weights, (book, kept, traded))
    refused = [int(j) for j in weights.columns[~traded] if kept[j] == 0.0]
    members = set(weights.columns.tolist()).difference(refused) | set(np.flatnonzero(kept).tolist())
    columns = np.array(sorted(members), dtype=np.int64)
    new, old = (market_weights(panel, row, b.shares) for b in (after, book))
    target, capping = np.zeros(len(panel.lines)), np.ones(len(panel.lines))
    target[weights.columns], capping[weights.columns] = weights.target, weights.capping_factor
    return Rebalanced(
        reference=panel.sessions[when.reference].item(),
        effective=effective,
        first_session=when.first_session,
        columns=columns,
        target=target[columns],
        drifted=new[columns],
        capping_factor=capping[columns],
        tradable=np.array([tradable[int(j)] for j in columns], dtype=bool),
        turnover=float(np.abs(new - old).sum() / 2) if old.any() else 0.0,
        excluded=weights.sat_out
        + tuple((panel.lines[j].symbol, "not tradable, and not held before") for j in refused),
        before=book,
        after=after,
    )


def _book_after(
    basket: Basket,
    panel: Panel,
    when: RebalanceDates,
    weights: Weights,
    held: tuple[Book, Vector, Flags],
) -> Book:
    """Return the book after a rebalance.

    Shares follow from target weights at reference prices (or effective ones, where the definition
    says so) and from the events since. They are scaled so that the market value stays what it
    was, beside what is kept because it cannot be traded; the divisor moves only where nothing
    can take up what is left. Real-share schemes hold the shares outstanding instead, and the
    divisor moves.
    """
    book, kept, traded = held
    columns = weights.columns[traded]
    worth = panel.worth[when.effective]
    shares = kept.copy()
    wanted = _wanted(basket, panel, when, weights)[traded]
    value = float(dot(wanted, worth[columns]))
    if basket.weighting.scheme in REAL_SHARES:
        shares[columns] = wanted
    elif value > 0:
        left = book.market_value - _value(kept, worth)
        shares[columns] = wanted * (left / value)
        return Book(shares, book.market_value, book.divisor)
    if shares.any() and np.array_equal(shares, book.shares):
        return book  # a divisor times value over value can be another in the last bit
    total = _value(shares, worth)
    return Book(shares, total, book.divisor * total / book.market_value)


def _wanted(basket: Basket, panel: Panel, when: RebalanceDates, weights: Weights) -> Vector:
    """Return the shares of each member at the close of the effective date, not yet scaled."""
    real = basket.weighting.scheme in REAL_SHARES
    columns = weights.columns
    if not real and basket.rebalance.price_date == "effective":
        return np.asarray(weights.target / panel.worth[when.effective, columns])
    if real:
        shares = weights.shares * weights.capping_factor
    else:
        shares = weights.target / panel.worth[when.reference, columns]
    return np.asarray(shares * growth(panel, when.reference, when.effective, real=real)[columns])


def growth(panel: Panel, after: int, until: int, *, real: bool) -> Vector:
    """Return shares at the close of row ``until`` for one share at the close of row ``after``."""
    factor = np.ones(len(panel.lines))
    for found in panel.events:
        if after < found.row <= until:
            factor[found.column] *= found.event.shares(real=real)
    return factor


def is_tradable(panel: Panel, row: int, column: int) -> bool:
    """Return whether a line has a close dated on a session, and not at its price limit.

    The limit counts from the close before, restated by the ex-reference price of every event since.
    """
    day = panel.sessions[row]
    if panel.dated[row, column] != day:
        return False
    at = panel.closes.before(column, day)
    if at < 0:
        return True
    reference = ex_reference(panel, column, at, day)
    symbol = panel.lines[column].symbol
    return not at_limit(symbol, day.item(), float(panel.close[row, column]), reference)


def ex_reference(panel: Panel, column: int, at: int, day: np.datetime64) -> Fraction:
    """Return the ex-reference price of a line on a date, from one of its closes before that.

    ``at`` is the position of the close; every event since restates it. Figures count as the
    decimal numbers they are printed as.
    """
    reference, events = decimal(panel.closes.close[at]), panel.events_of(column)
    for found in events[bisect_right(events, panel.closes.date[at], key=lambda e: e.ex_date) :]:
        if found.ex_date > day:
            break
        reference = exact_ex_reference(found.actions, reference)
    return reference


def market_weights(panel: Panel, row: int, shares: Vector) -> Vector:
    """Return the weight of every column at the close of a row; zero where nothing is held."""
    held, weights = np.flatnonzero(shares > 0), np.zeros(len(shares))
    value = np.nan_to_num(shares[held] * panel.worth[row, held])
    total = value.sum()
    weights[held] = value / total if total > 0 else 0.0
    return weights


def _value(shares: Vector, worth: Vector) -> float:
    """Return what shares are worth; a line that has not traded yet is worth nothing."""
    held = (shares > 0) & ~np.isnan(worth)
    return float(dot(shares[held], worth[held]))
