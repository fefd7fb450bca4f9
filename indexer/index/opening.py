"""What takes effect before each open, in index currency: the kernel's view of corporate actions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from indexer.arrays import Grid
from indexer.definitions.basket import Basket
from indexer.definitions.rules import REAL_SHARES
from indexer.errors import DefinitionError
from indexer.kernels.level import Events
from indexer.market.events import DatedEvent, Transfer
from indexer.market.panel import Panel

_RENAME, _OWN, _SPINOFF = range(3)  # order within one ex-date


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
    changes of symbol come first and spin-offs last.

    Raises
    ------
    DefinitionError
        If the net variant is offered and has no rate for a constituent's country.
    """
    real = basket.weighting.scheme in REAL_SHARES
    factor = {(e.column, e.ex_date): _factor(e, real=real) for e in panel.events}
    kept = 1.0 - _withheld(basket, panel)
    rows = []
    for e in panel.events:
        money = (e.event.subscribed if real else 0.0) - e.event.special
        rows.append(
            (
                (e.row, e.ex_date, _OWN, e.column),
                (factor[e.column, e.ex_date], money * panel.fx[e.row - 1, e.column], -1, 0.0),
                e.event.ordinary * panel.fx[e.row, e.column] * kept[e.column],
                e.kind,
            )
        )
    for t in _inside(panel):
        if t.keeps:
            # The ratio counts per share before the parent's own event, which has come by then.
            ratio = t.ratio / factor.get((t.column, t.ex_date), 1.0)
            rows.append(((t.row, t.ex_date, _SPINOFF, t.column), (1.0, 0.0, t.into, ratio),
                         np.zeros(2), "spinoff"))  # fmt: skip
        else:
            rows.append(((t.row, t.ex_date, _RENAME, t.column), (0.0, 0.0, t.into, 1.0),
                         np.zeros(2), "symbol_change"))  # fmt: skip
    rows.sort(key=lambda row: row[0])
    return Opening(
        Events(
            row=np.array([place[0] for place, *_ in rows], dtype=np.int64),
            column=np.array([place[3] for place, *_ in rows], dtype=np.int64),
            factor=np.array([what[0] for _, what, *_ in rows], dtype=float),
            money=np.array([what[1] for _, what, *_ in rows], dtype=float),
            into=np.array([what[2] for _, what, *_ in rows], dtype=np.int64),
            ratio=np.array([what[3] for _, what, *_ in rows], dtype=float),
            income=np.array([paid for *_, paid, _ in rows], dtype=float).reshape(len(rows), 2),
        ),
        tuple(kind for *_, kind in rows),
    )


def _factor(found: DatedEvent, *, real: bool) -> float:
    return found.event.quantity if real else found.event.factor


def _inside(panel: Panel) -> list[Transfer]:
    return [t for t in panel.transfers if 0 < t.row < len(panel.sessions)]


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
