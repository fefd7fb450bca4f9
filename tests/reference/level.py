"""Slow, obvious oracle of the level kernel: one session's value over the last, no divisor at all.

Every double is a fraction, so nothing is rounded before the end.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Event(NamedTuple):
    """What takes effect before the open of a session, per share before."""

    row: int
    column: int
    factor: float = 1.0
    money: float = 0.0
    into: int = -1
    ratio: float = 0.0
    paid: tuple[float, ...] = (0.0, 0.0)


class Session(NamedTuple):
    """Level and income (index points, one per variant) of one session, and its constituents."""

    level: float
    income: list[float]
    shares: list[float]
    contribution: list[float]  # NaN where nothing is held


class _Line:
    """Shares of one constituent and the last close, restated for what has happened since."""

    def __init__(self, shares: float, price: float) -> None:
        self.shares = Fraction(shares)
        self.price = Fraction(0 if math.isnan(price) else price)

    @property
    def value(self) -> Fraction:
        return self.shares * self.price

    def become(self, shares: Fraction, value: Fraction) -> None:
        self.shares = shares
        self.price = value / shares if shares else Fraction(0)


def chain(
    worth: Sequence[Sequence[float]],
    held: Sequence[float],
    start: Sequence[float],
    level: float,
    events: Sequence[Event],
) -> list[Session]:
    """Sessions of a basket held from a close and a level on.

    The level moves by the value at the close over the value of the same shares before it, at the
    restated prices of the last close. One index point is what a level of one stands for.
    """
    lines = [_Line(shares, price) for shares, price in zip(held, start, strict=True)]
    chained = Fraction(level)
    found = []
    for t, closes in enumerate(worth):
        paid = [Fraction(0), Fraction(0)]
        for event in (e for e in events if e.row == t):
            shares = lines[event.column].shares
            paid = [p + shares * Fraction(cash) for p, cash in zip(paid, event.paid, strict=True)]
            _take_effect(lines, event)
        before = sum((line.value for line in lines), Fraction())
        point = before / chained
        contribution = []
        for line, close in zip(lines, closes, strict=True):
            opened = line.value
            line.become(
                line.shares, Fraction(0) if math.isnan(close) else line.shares * Fraction(close)
            )
            share = (line.value - opened) / before
            contribution.append(float(share) if line.shares else math.nan)
        chained = sum((line.value for line in lines), Fraction()) / point
        income = [float(p / point) for p in paid]
        found.append(
            Session(float(chained), income, [float(x.shares) for x in lines], contribution)
        )
    return found


def _take_effect(lines: Sequence[_Line], event: Event) -> None:
    """Money joins its shares; what is handed over is worth nothing unless its giver keeps none."""
    giver = lines[event.column]
    shares, value = giver.shares, giver.value + giver.shares * Fraction(event.money)
    keeps = Fraction(event.factor)
    if event.into >= 0:
        taker = lines[event.into]
        taken = Fraction(0) if keeps else value
        taker.become(taker.shares + shares * Fraction(event.ratio), taker.value + taken)
    giver.become(shares * keeps, value if keeps else Fraction(0))
