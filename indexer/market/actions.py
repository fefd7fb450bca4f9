"""Corporate actions: the one place that knows what an ex-date does to yesterday's close."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite

RESTATING = ("dividend", "special_dividend", "split", "bonus", "rights")

_ROUNDING = 1e-12  # relative: of figures that are equal as decimals, but for what floats lose


@dataclass(frozen=True, slots=True)
class Action:
    """One row of the actions table that restates a price; amounts are per share held before it."""

    kind: str
    cash: float = 0.0  # listing currency
    ratio: float = 0.0  # new shares per old (split), additional shares per share (bonus, rights)
    price: float = 0.0  # subscription price of rights


@dataclass(frozen=True, slots=True)
class Event:
    """All actions of one constituent with one ex-date, against the close before them.

    Attributes
    ----------
    prior : the last close, carried and restated up to this event
    quantity : shares after the event for one share before, ``Q``
    special, ordinary : cash per share by special and by ordinary dividends
    subscribed : money per share that rights bring in
    """

    prior: float
    quantity: float
    special: float
    ordinary: float
    subscribed: float

    @property
    def restated(self) -> float:
        """Prior close as the price index goes on with it: ``P'``, blind to ordinary dividends."""
        return (self.prior - self.special + self.subscribed) / self.quantity

    @property
    def ex_reference(self) -> float:
        """The exchange's ex-reference price ``P^ex``, not rounded to the tick."""
        return (self.prior - self.special - self.ordinary + self.subscribed) / self.quantity

    def shares(self, *, real: bool) -> float:
        """Return index shares after for one before, real ones or such as weights ask for."""
        return self.quantity if real else self.factor

    @property
    def factor(self) -> float:
        """Index shares after for one before, where the weights and not the shares are given."""
        if self.subscribed == 0.0:
            return self.quantity
        return (self.prior - self.special) / self.restated


def event(actions: Iterable[Action], prior: float) -> Event:
    """Return what the actions of one ex-date do to a share whose last close is ``prior``.

    Rights count only where their price is below the last close before any cash of the day.

    Notes
    -----
    The ex-reference price of the Shanghai and Shenzhen trading rules,
    ``(prior - cash + price * rights) / (1 + bonus + rights)``, with splits in place of the one.

    Examples
    --------
    >>> share = event([Action("dividend", cash=0.5)], 32.41)
    >>> round(share.ex_reference, 2), share.restated
    (31.91, 32.41)
    >>> event([Action("bonus", ratio=0.4)], 14.0).restated
    10.0
    """
    split, added, special, ordinary, subscribed = 1.0, 0.0, 0.0, 0.0, 0.0
    for action in actions:
        match action.kind:
            case "split":
                split *= action.ratio
            case "bonus":
                added += action.ratio
            case "rights" if action.price < prior * (1 - _ROUNDING):
                added += action.ratio
                subscribed += action.ratio * action.price
            case "special_dividend":
                special += action.cash
            case "dividend":
                ordinary += action.cash
    return Event(prior, split + added, special, ordinary, subscribed)


def impossible(made: Event) -> str:
    """Return why an event of what has a price cannot be; empty where it can."""
    if made.ex_reference > 0 and isfinite(made.restated):
        return ""
    paid = made.special + made.ordinary - made.subscribed
    if paid >= made.prior:
        return f"cash of {paid:g} leaves nothing of the close of {made.prior:g}"
    return (
        f"the close of {made.prior:g} becomes {made.restated:g}: a ratio is too small or too large"
    )


def exact_ex_reference(actions: Iterable[Action], prior: Fraction) -> Fraction:
    """Return the ex-reference price ``P^ex`` of `event` without a rounding error.

    Limits are rounded half up to the tick, and what a float loses tips a half: of closes and cash
    of two decimals one limit in a hundred would be a tick off.

    Examples
    --------
    >>> paid = [Action("dividend", cash=0.37)]
    >>> exact_ex_reference(paid, decimal(5.02)), event(paid, 5.02).ex_reference
    (Fraction(93, 20), 4.6499999999999995)
    """
    split, added, money = Fraction(1), Fraction(0), Fraction(0)
    for action in actions:
        cash, ratio, price = decimal(action.cash), decimal(action.ratio), decimal(action.price)
        match action.kind:
            case "split":
                split *= ratio
            case "bonus":
                added += ratio
            case "rights" if price < prior:
                added += ratio
                money += ratio * price
            case "special_dividend" | "dividend":
                money -= cash
    return (prior + money) / (split + added)


def decimal(value: float) -> Fraction:
    """Return the decimal number that a float is printed as, exactly."""
    return Fraction(Decimal(repr(float(value))))  # half the time it takes to read the text itself
