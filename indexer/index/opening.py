"""What takes effect before each open, in index currency: the kernel's view of corporate actions."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from indexer.arrays import Grid
from indexer.definitions.basket import Basket
from indexer.definitions.rules import REAL_SHARES
from indexer.errors import DefinitionError
from indexer.kernels.level import Events
from indexer.market.lines import RENAME, SPINOFF
from indexer.market.panel import Panel

_BEFORE, _RENAME, _OWN, _SPINOFF = range(4)  # order within one ex-date


class _Entry(NamedTuple):
    """One event of the kernel, and its place in the order of one morning."""

    row: int
    ex_date: np.datetime64
    phase: int
    column: int
    kind: str
    factor: float
    money: float = 0.0
    into: int = -1
    ratio: float = 0.0
    income: tuple[float, float] = (0.0, 0.0)  # gross, net


class Opening(NamedTuple):
    """Every opening event of a panel in order, and the kind of each."""

    events: Events
    kinds: tuple[str, ...]

    def between(self, first: int, end: int) -> tuple[Events, Sequence[str]]:
        """Return the events of rows ``first`` to ``end`` (exclusive), rows counted from first."""
        part = slice(*np.searchsorted(self.events.row, [first, end]))
        every = self.events
        events = Events(
            row=every.row[part] - first,
            column=every.column[part],
            factor=every.factor[part],
            money=every.money[part],
            into=every.into[part],
            ratio=every.ratio[part],
            income=every.income[part],
        )
        return events, self.kinds[part]


def opening_of(basket: Basket, panel: Panel) -> Opening:
    """Return what the panel's events and transfers do to one share of each line.

    Events use the rates of the session before, dividends those of their own. Of one ex-date,
    changes of symbol come first and spin-offs last, each in the order of the panel; but what befell
    a line comes before its shares pass to one with a past of its own.

    Raises
    ------
    DefinitionError
        If the net variant is offered and has no rate for a constituent's country.
    """
    real = basket.weighting.scheme in REAL_SHARES
    entries = sorted(
        [*_own(basket, panel, real=real), *_passed_on(panel, real=real)],
        key=lambda entry: (entry.row, entry.ex_date, entry.phase),
    )
    return Opening(
        Events(
            row=np.array([entry.row for entry in entries], dtype=np.int64),
            column=np.array([entry.column for entry in entries], dtype=np.int64),
            factor=np.array([entry.factor for entry in entries], dtype=float),
            money=np.array([entry.money for entry in entries], dtype=float),
            into=np.array([entry.into for entry in entries], dtype=np.int64),
            ratio=np.array([entry.ratio for entry in entries], dtype=float),
            income=np.array([entry.income for entry in entries], dtype=float).reshape(-1, 2),
        ),
        tuple(entry.kind for entry in entries),
    )


def _own(basket: Basket, panel: Panel, *, real: bool) -> Iterator[_Entry]:
    """Yield what each event does to the shares, the divisor and the income of its own line."""
    kept = 1.0 - _withheld(basket, panel)
    apart = {(t.column, t.ex_date) for t in panel.transfers if t.apart}
    for e in panel.events:
        money = (e.event.subscribed if real else 0.0) - e.event.special
        paid = e.event.ordinary * panel.fx[e.row, e.column] * kept[e.column]
        yield _Entry(
            row=e.row,
            ex_date=e.ex_date,
            phase=_BEFORE if (e.column, e.ex_date) in apart else _OWN,
            column=e.column,
            kind=e.kind,
            factor=e.event.shares(real=real),
            money=money * panel.fx[e.row - 1, e.column],
            income=(float(paid[0]), float(paid[1])),
        )


def _passed_on(panel: Panel, *, real: bool) -> Iterator[_Entry]:
    """Yield the shares that pass from line to line.

    The ratio of a spin-off counts per share before the parent's own event of that day, which has
    come by then.
    """
    factor = {(e.column, e.ex_date): e.event.shares(real=real) for e in panel.events}
    for t in panel.transfers:
        if t.apart:
            given = factor.get((t.column, t.ex_date), 1.0)
            factor[t.into, t.ex_date] = factor.get((t.into, t.ex_date), 1.0) * given
    for t in panel.transfers:
        before = factor.get((t.column, t.ex_date), 1.0) if t.keeps else 1.0
        yield _Entry(
            row=t.row,
            ex_date=t.ex_date,
            phase=_SPINOFF if t.keeps else _RENAME,
            column=t.column,
            kind=SPINOFF if t.keeps else RENAME,
            factor=t.keeps,
            into=t.into,
            ratio=t.ratio / before,
        )


def _withheld(basket: Basket, panel: Panel) -> Grid:
    """Return the share of ordinary dividends withheld in the gross and the net variant, (N, 2)."""
    rates = np.zeros((len(panel.lines), 2))
    if "net" not in basket.variants or basket.withholding is None or panel.adjusted.any():
        return rates
    known = {country: basket.withholding.rate(country) for country in set(panel.countries)}
    if lacking := sorted(country for country, rate in known.items() if rate is None):
        message = f"no rate for {', '.join(lacking)}, where constituents are from"
        raise DefinitionError([basket.problem(("withholding",), message)])
    rates[:, 1] = [known[country] for country in panel.countries]
    return rates
