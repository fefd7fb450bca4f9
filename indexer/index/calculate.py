"""From a basket and a panel to levels: the methodology, one step a line."""

from collections.abc import Iterator, Sequence

import numpy as np

from indexer.arrays import Grid, Rows, Vector
from indexer.definitions.basket import Basket, Variant
from indexer.definitions.rules import REAL_SHARES
from indexer.errors import DefinitionError, Flaw, MarketDataError, MissingInputError
from indexer.index.history import Change, History
from indexer.index.holding import Book, Rebalanced, hold, market_weights
from indexer.index.schedule import RebalanceDates
from indexer.index.selection import choose
from indexer.index.weighting import weigh
from indexer.kernels.level import Chain, Events, chain_levels
from indexer.market.panel import DatedEvent, Panel


def calculate(basket: Basket, panel: Panel, dates: Sequence[RebalanceDates]) -> History:
    """Return the history of a basket over a panel, from its base date to the last row.

    Stretch by stretch: each begins after the close of a rebalance, with the book it left.

    Parameters
    ----------
    dates : the base date first, then every rebalance, ascending

    Raises
    ------
    DefinitionError
        If a cap cannot be met, or the net variant has no rate for a constituent's country.
    MissingInputError
        If no constituent can be held at a rebalance, or a rate or share count is missing then.
    MarketDataError
        If a price is carried for longer than the definition allows.
    """
    worth = panel.worth
    ends = [d.effective for d in dates[1:]] + [len(panel.sessions) - 1]
    book = Book(np.zeros(len(panel.symbols)), basket.base.level, 1.0)
    chains, rebalances, changes = [], [], []
    for when, end in zip(dates, ends, strict=True):
        done = _rebalance(basket, panel, when, book)
        events = [e for e in panel.events if when.effective < e.row <= end]
        chain = chain_levels(
            worth[when.effective + 1 : end + 1],
            done.after.shares,
            (done.after.market_value, done.after.divisor),
            _kernel_events(basket, panel, events, when.effective + 1),
        )
        rebalances.append(done)
        chains.append(chain)
        changes += [*_rebalance_changes(panel, done), *_event_changes(panel, events, chain)]
        book = _last_book(done.after, chain)
    return _history(basket, panel, rebalances, chains, changes)


def _rebalance(basket: Basket, panel: Panel, when: RebalanceDates, book: Book) -> Rebalanced:
    """Return the new basket after the close of the effective date."""
    known = panel.upto(when.reference)
    effective = panel.sessions[when.effective].item()
    chosen = choose(basket, known, effective, set(np.flatnonzero(book.shares).tolist()))
    if not chosen.columns.size:
        message = f"none of the {len(panel.symbols)} constituents can be held on {effective}"
        raise MissingInputError([Flaw(basket.id, None, "", message)])
    weights = weigh(basket, known, chosen.columns)
    _check_rates(panel, when.reference, weights.columns)
    after = hold(basket, panel, when, weights, book)
    new = market_weights(panel, when.effective, after.shares)
    old = market_weights(panel, when.effective, book.shares)
    return Rebalanced(
        reference=panel.sessions[when.reference].item(),
        effective=effective,
        first_session=when.first_session,
        columns=weights.columns,
        target=weights.target,
        drifted=new[weights.columns],
        capping_factor=weights.capping_factor,
        tradable=panel.traded[when.effective, weights.columns],
        turnover=float(np.abs(new - old).sum() / 2) if old.any() else 0.0,
        excluded=chosen.excluded + weights.sat_out,
        before=book,
        after=after,
    )


def _check_rates(panel: Panel, row: int, columns: Rows) -> None:
    lacking = [j for j in columns if np.isnan(panel.fx[row, j])]
    if lacking:
        day = panel.sessions[row]
        raise MissingInputError(
            [
                Flaw("fx", None, panel.symbols[j], f"no {panel.currencies[j]} rate by {day}")
                for j in lacking
            ]
        )


def _kernel_events(
    basket: Basket, panel: Panel, events: Sequence[DatedEvent], first: int
) -> Events:
    """Return what the events do to one share, in index currency."""
    real = basket.weighting.scheme in REAL_SHARES
    rows = np.array([e.row for e in events], dtype=np.int64)
    columns = np.array([e.column for e in events], dtype=np.int64)
    parts = [e.event for e in events]
    joins = [(p.subscribed if real else 0.0) - p.special for p in parts]
    paid = np.array([p.ordinary for p in parts]) * panel.fx[rows, columns]
    return Events(
        row=rows - first,
        column=columns,
        factor=np.array([p.quantity if real else p.factor for p in parts]),
        money=np.array(joins) * panel.fx[rows - 1, columns],
        income=paid[:, None] * (1.0 - _withheld(basket, panel)[columns]),
    )


def _withheld(basket: Basket, panel: Panel) -> Grid:
    """Return the share of ordinary dividends withheld in the gross and the net variant, (N, 2)."""
    rates = np.zeros((len(panel.symbols), 2))
    if "net" not in basket.variants or basket.withholding is None:
        return rates
    known = {country: basket.withholding.rate(country) for country in set(panel.countries)}
    if lacking := sorted(country for country, rate in known.items() if rate is None):
        message = f"no rate for {', '.join(lacking)}, where constituents are from"
        raise DefinitionError([basket.problem(("withholding",), message)])
    rates[:, 1] = [known[country] for country in panel.countries]
    return rates


def _last_book(after: Book, chain: Chain) -> Book:
    """Return what is held after the last close of a stretch."""
    if not len(chain.level):
        return after
    return Book(chain.shares[-1], float(chain.market_value[-1]), float(chain.divisor[-1]))


def _history(
    basket: Basket,
    panel: Panel,
    rebalances: Sequence[Rebalanced],
    chains: Sequence[Chain],
    changes: Sequence[Change],
) -> History:
    """Join the stretches; the row of a rebalance shows divisor and value after it."""
    base = int(np.searchsorted(panel.sessions, np.datetime64(rebalances[0].effective)))
    days = panel.sessions[base:]
    first = rebalances[0].after
    level = np.concatenate([[basket.base.level], *(c.level for c in chains)])
    divisor = np.concatenate([[first.divisor], *(c.divisor for c in chains)])
    value = np.concatenate([[first.market_value], *(c.market_value for c in chains)])
    income = np.concatenate([np.zeros((1, 2)), *(c.income for c in chains)])
    shares = np.concatenate([first.shares[None], *(c.shares for c in chains)])
    for done in rebalances[1:]:
        row = int(np.searchsorted(days, np.datetime64(done.effective)))
        divisor[row], value[row] = done.after.divisor, done.after.market_value
    _check_stale(basket, panel, base, shares)
    return History(
        definition=basket,
        synthetic=False,
        days=days,
        variants=_variants(basket, panel, level, income),
        divisor=divisor,
        market_value=value,
        carried=((shares > 0) & ~panel.traded[base:]).sum(axis=1),
        symbols=panel.symbols,
        shares=shares,
        worth=panel.worth[base:],
        contribution=_contributions(panel, base, shares),
        rebalances=tuple(rebalances),
        changes=tuple(changes),
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
            growth[1:] = (level[1:] + total[name][1:]) / level[:-1]
            found[name] = np.asarray(basket.base.level * np.cumprod(growth))
    return found


def _contributions(panel: Panel, base: int, shares: Grid) -> Grid:
    """Return each constituent's part of the price return; they sum to it."""
    worth = panel.worth
    opening = np.vstack([np.full((1, worth.shape[1]), np.nan), worth[:-1]])
    for found in panel.events:
        rate = panel.fx[found.row - 1, found.column]
        opening[found.row, found.column] = found.event.restated * rate
    held = shares > 0
    start = np.where(held, shares * opening[base:], 0.0)
    end = np.where(held, shares * worth[base:], 0.0)
    total = start.sum(axis=1, keepdims=True)
    total[0] = np.nan  # no return on the base date
    return np.where(held, (end - start) / total, np.nan)


def _check_stale(basket: Basket, panel: Panel, base: int, shares: Grid) -> None:
    """Raise where a held price has been carried for more sessions than the definition allows."""
    if basket.max_stale is None:
        return
    row = np.arange(len(panel.sessions))[:, None]
    last = np.maximum.accumulate(np.where(panel.traded, row, -1), axis=0)
    age = (row - last)[base:]
    flaws = []
    for j in np.flatnonzero(((age > basket.max_stale) & (shares > 0)).any(axis=0)):
        t = int(np.argmax((age[:, j] > basket.max_stale) & (shares[:, j] > 0)))
        day, old = panel.sessions[base + t], panel.dated[base + t, j]
        message = f"on {day} its close of {old} is carried beyond max_stale {basket.max_stale}"
        flaws.append(Flaw("prices", None, panel.symbols[j], message))
    if flaws:
        raise MarketDataError(flaws)


def _rebalance_changes(panel: Panel, done: Rebalanced) -> Iterator[Change]:
    before, after = done.before, done.after
    for j in np.flatnonzero(before.shares != after.shares):
        yield Change(
            np.datetime64(done.effective),
            panel.symbols[j],
            "rebalance",
            float(before.shares[j]),
            float(after.shares[j]),
            before.divisor,
            after.divisor,
        )


def _event_changes(panel: Panel, events: Sequence[DatedEvent], chain: Chain) -> Iterator[Change]:
    for found, (before, after, divisor_before, divisor_after) in zip(
        events, chain.change, strict=True
    ):
        if before != after or divisor_before != divisor_after:
            yield Change(
                panel.sessions[found.row],
                panel.symbols[found.column],
                "+".join(dict.fromkeys(found.kinds)),
                float(before),
                float(after),
                float(divisor_before),
                float(divisor_after),
            )
