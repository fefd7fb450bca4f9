"""Corporate actions: the one place that knows what an ex-date does to yesterday's close."""

from collections.abc import Iterable
from dataclasses import dataclass

RESTATING = ("dividend", "special_dividend", "split", "bonus", "rights")


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
            case "rights" if action.price < prior:
                added += action.ratio
                subscribed += action.ratio * action.price
            case "special_dividend":
                special += action.cash
            case "dividend":
                ordinary += action.cash
    return Event(prior, split + added, special, ordinary, subscribed)
