"""Index shares: what a rebalance makes of the basket at the close of its effective date."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from indexer.arrays import Flags, Rows, Vector
from indexer.definitions.basket import Basket
from indexer.definitions.rules import REAL_SHARES
from indexer.index.schedule import RebalanceDates
from indexer.index.weighting import Weights
from indexer.market.panel import Panel


@dataclass(frozen=True, slots=True)
class Book:
    """What an index holds after a close: shares (N,), their market value, and the divisor."""

    shares: Vector
    market_value: float
    divisor: float


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """One rebalance: the basket it set and the weights it came from, n members.

    Attributes
    ----------
    reference, effective, first_session : its dates
    columns : (n,) columns of the panel
    target, drifted : (n,) weights after caps, and at the close of the effective date
    capping_factor : (n,) target over uncapped weight, scaled so that the largest is one
    tradable : (n,) whether the member has a close dated on the effective date
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
    excluded: tuple[tuple[str, str], ...]
    before: Book
    after: Book


def hold(basket: Basket, panel: Panel, dates: RebalanceDates, weights: Weights, book: Book) -> Book:
    """Return the book after a rebalance at the close of its effective date.

    Shares follow from target weights at reference prices (or effective ones, where the definition
    says so) and from the events since; they are then scaled so that the market value is what it
    was. Real-share schemes hold the shares outstanding instead, and the divisor moves.
    """
    real = basket.weighting.scheme in REAL_SHARES
    columns = weights.columns
    if real:
        shares = weights.shares * weights.capping_factor
    elif basket.rebalance.price_date == "effective":
        shares = weights.target / panel.worth[dates.effective, columns]
    else:
        shares = weights.target / panel.worth[dates.reference, columns]
    if real or basket.rebalance.price_date == "reference":
        shares = shares * growth(panel, dates.reference, dates.effective, real=real)[columns]
    value = float(shares @ panel.worth[dates.effective, columns])
    held = np.zeros(len(panel.symbols))
    if real:
        held[columns] = shares
        return Book(held, value, book.divisor * value / book.market_value)
    held[columns] = shares * (book.market_value / value)
    return Book(held, book.market_value, book.divisor)


def growth(panel: Panel, after: int, until: int, *, real: bool) -> Vector:
    """Return shares at the close of row ``until`` for one share at the close of row ``after``."""
    factor = np.ones(len(panel.symbols))
    for found in panel.events:
        if after < found.row <= until:
            factor[found.column] *= found.event.quantity if real else found.event.factor
    return factor


def market_weights(panel: Panel, row: int, shares: Vector) -> Vector:
    """Return the weight of every column at the close of a row; zero where nothing is held."""
    value = np.where(shares > 0, shares * panel.worth[row], 0.0)
    total = value.sum()
    return value / total if total > 0 else value
