"""Slow, obvious oracle of the batch kernel: one index, one session's value over the last.

Every double is a fraction, so nothing is rounded before the end.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Basket(NamedTuple):
    """What an index holds after the close of a session; None: the weights are index shares."""

    effective: int
    reference: int | None
    weights: Sequence[tuple[int, float]]  # column and weight


class Payment(NamedTuple):
    """An ordinary dividend per share."""

    column: int
    row: int
    amount: float


def levels(
    worth: Sequence[Sequence[float]],
    baskets: Sequence[Basket],
    payments: Sequence[Payment],
    base: float,
) -> tuple[list[float], list[float]]:
    """Price and total levels of every session; NaN before the base and where a close is missing.

    A missing close is one session without a level; missing when the basket is priced or begins, it
    takes all levels after it. Income on a session without a level takes all totals after it.
    """
    price: list[Fraction | None] = [None] * len(worth)
    total = price.copy()
    first = baskets[0].effective
    price[first] = total[first] = Fraction(base)
    for n, basket in enumerate(baskets):
        last = baskets[n + 1].effective if n + 1 < len(baskets) else len(worth) - 1
        shares = _shares(basket, worth)
        at = basket.effective
        before = (_value(shares, worth[at]), price[at], total[at])
        for t in range(at + 1, last + 1):
            value = _value(shares, worth[t])
            paid = _income(shares, payments, t)
            if value is None:
                if paid != 0:
                    before = (before[0], before[1], None)
                continue
            price[t] = _grown(before[1], value, before[0])
            total[t] = _grown(before[2], None if paid is None else value + paid, before[0])
            before = (value, price[t], total[t])
    return [_float(x) for x in price], [_float(x) for x in total]


def _shares(basket: Basket, worth: Sequence[Sequence[float]]) -> list[tuple[int, Fraction | None]]:
    held = [(column, Fraction(weight)) for column, weight in basket.weights if weight]
    if basket.reference is None:
        return list(held)
    closes = worth[basket.reference]
    return [(c, None if math.isnan(closes[c]) else w / Fraction(closes[c])) for c, w in held]


def _value(
    shares: Sequence[tuple[int, Fraction | None]], closes: Sequence[float]
) -> Fraction | None:
    value = Fraction()
    for column, count in shares:
        if count is None or math.isnan(closes[column]):
            return None
        value += count * Fraction(closes[column])
    return value


def _income(
    shares: Sequence[tuple[int, Fraction | None]], payments: Sequence[Payment], t: int
) -> Fraction | None:
    income = Fraction()
    for payment in payments:
        for column, count in shares:
            if (payment.row, payment.column) == (t, column):
                if count is None:
                    return None
                income += count * Fraction(payment.amount)
    return income


def _grown(
    level: Fraction | None, value: Fraction | None, before: Fraction | None
) -> Fraction | None:
    if level is None or value is None or before is None:
        return None
    return level * value / before


def _float(level: Fraction | None) -> float:
    return math.nan if level is None else float(level)
