"""Very many indices at once, by the batch kernel: those that it can do.

Its levels and those of `build` agree to a relative 1e-11, what the order of summing may do; which
indices stand beside an index does not move a bit of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from indexer.arrays import Days, Rows, Vector
from indexer.definitions.basket import Basket, Index
from indexer.definitions.rules import REAL_SHARES
from indexer.errors import IndexerError
from indexer.index.caps import capped
from indexer.index.schedule import effective_dates
from indexer.kernels.batch import Batch, Income, batch_levels
from indexer.market.calendar import read_calendar
from indexer.market.conventions.ladders import float_band
from indexer.market.spread import Names, Spread

SCHEMES = {"equal", "price", "fixed", *REAL_SHARES}  # that the batch kernel is given weights of

Levels = dict[str, Vector]
Batched = tuple[Days, Levels, tuple[str, ...]]
Spreads = Callable[[str, str], Spread]  # by calendar and currency


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """The baskets of one index: rows and columns of a spread market, as `Batch` has them."""

    missing: tuple[str, ...]
    last: int
    effective: list[int]
    reference: list[int]
    columns: list[Rows]
    weights: list[Vector]


def batchable(index: Index) -> bool:
    """Return whether all that a definition asks for is what the batch kernel can do."""
    return (
        isinstance(index, Basket)
        and index.weighting.scheme in SCHEMES
        and index.selection is None
        and index.max_stale is None
        and index.rebalance.untradable == "ignore"
        and set(index.variants) <= {"price", "gross"}
    )


def batch_built(indices: Sequence[Index], spreads: Spreads) -> dict[int, Batched]:
    """Return sessions and levels, as published, of the indices that the batch kernel can do.

    Parameters
    ----------
    spreads : gives the market spread out over a calendar, in a currency

    Returns
    -------
    by position among the indices: (T,) sessions from the base date on, (T,) levels by variant, and
    the constituents without any close. Those of which only `build` knows the levels, or what is
    wrong with them, are left out.
    """
    groups: dict[tuple[str, str, float, bool], list[int]] = {}
    for n, index in enumerate(indices):
        if isinstance(index, Basket) and batchable(index):
            total = "gross" in index.variants
            key = (index.calendar, index.currency, index.base.level, total)
            groups.setdefault(key, []).append(n)
    found: dict[int, Batched] = {}
    for (calendar, currency, base, total), members in groups.items():
        spread = spreads(calendar, currency)
        held = {n: _held(index, spread) for n in members if isinstance(index := indices[n], Basket)}
        fit = {n: h for n, h in held.items() if h is not None}
        for n, levels in _levels(fit, spread, base, total=total).items():
            rows = slice(fit[n].effective[0], fit[n].last + 1)
            kept = {v: levels[v][rows] for v in getattr(indices[n], "variants", ())}
            if all(np.isfinite(level).all() for level in kept.values()):
                found[n] = (spread.sessions[rows], kept, fit[n].missing)
    return found


def _levels(
    held: dict[int, _Held], spread: Spread, base: float, *, total: bool
) -> dict[int, Levels]:
    """Return the levels of some indices on every session of a market, by position."""
    if not held:
        return {}
    columns = [part for h in held.values() for part in h.columns]
    batch = Batch(
        first=np.cumsum([0, *(len(h.effective) for h in held.values())]),
        effective=np.concatenate([h.effective for h in held.values()]),
        reference=np.concatenate([h.reference for h in held.values()]),
        start=np.cumsum([0, *map(len, columns)]),
        column=np.concatenate(columns),
        weight=np.concatenate([part for h in held.values() for part in h.weights]),
    )
    income = Income(spread.start, spread.row, spread.amount) if total else None
    done = batch_levels(spread.grown, batch, income, base=base)
    found = {n: {"price": done.price[:, k]} for k, n in enumerate(held)}
    if done.total is not None:
        for k, n in enumerate(held):
            found[n]["gross"] = done.total[:, k]
    return found


def _held(basket: Basket, spread: Spread) -> _Held | None:
    """Return the baskets of an index; None where only `build` knows, or says what is wrong."""
    place = np.minimum(np.searchsorted(spread.symbols, basket.symbols), len(spread.symbols) - 1)
    traded = spread.symbols[place] == np.array(basket.symbols)
    there = np.flatnonzero(traded)
    columns = place[there]
    segments = _segments(basket, np.where(traded, spread.segments[place], ""))
    calendar = read_calendar(basket.calendar)
    real = basket.weighting.scheme in REAL_SHARES
    fit = spread.fit[columns] & (spread.plain[columns] | (not real))
    if not len(columns) or not fit.all():
        return None
    if basket.weighting.caps.segment is not None and not segments.all():
        return None
    latest = calendar.on_or_before(spread.latest[columns].max().item())
    if not spread.sessions[0].item() <= basket.base.date <= latest:
        return None
    dates = [
        basket.base.date,
        *effective_dates(basket.rebalance, calendar, basket.base.date, latest),
    ]
    effective = np.searchsorted(spread.sessions, np.array(dates, dtype="datetime64[D]"))
    lag = basket.rebalance.reference_lag
    if effective[0] < lag:
        return None
    last = int(np.searchsorted(spread.sessions, np.datetime64(latest)))
    missing = tuple(compress(basket.symbols, ~traded))
    found = _Held(missing, last, effective.tolist(), [], [], [])
    members = _members(basket, there)
    seasons = np.searchsorted(calendar.sessions, spread.listed[columns], side="right")
    for row in effective.tolist():
        reference = row - lag
        known = np.searchsorted(calendar.sessions, spread.sessions[reference], side="right")
        able = (spread.first[columns] <= reference) & (members[0] <= spread.sessions[row])
        able &= spread.sessions[row] < members[1]
        able &= np.maximum(known - seasons, 0) >= basket.eligibility.seasoning
        chosen = (there[able], columns[able], segments[there[able]])
        weight = _weights(basket, spread, chosen, reference)
        if weight is None:
            return None
        by_price = basket.rebalance.price_date == "reference"
        found.reference.append(-1 if real else reference if by_price else row)
        found.columns.append(columns[able])
        found.weights.append(weight)
    return found


def _members(basket: Basket, there: Rows) -> tuple[Days, Days]:
    """Return from when and until when each constituent may be held."""
    always = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")
    spans = [(basket.constituents[n].from_, basket.constituents[n].until) for n in there]
    since = np.array([begin or always[0] for begin, _ in spans], dtype="datetime64[D]")
    return since, np.array([end or always[1] for _, end in spans], dtype="datetime64[D]")


def _weights(
    basket: Basket, spread: Spread, chosen: tuple[Rows, Rows, Names], reference: int
) -> Vector | None:
    """Return the target weights, or index shares, of the chosen; None where there is an error.

    ``chosen`` are their positions in the definition, their columns and their segments.
    """
    columns, scheme = chosen[1], basket.weighting.scheme
    worth = spread.worth[reference, columns]
    shares = _shares(basket, spread, columns, reference)
    if shares is None or not len(columns) or np.isnan(worth).any():
        return None
    if scheme == "fixed":
        raw = np.array([basket.constituents[n].weight or 0.0 for n in chosen[0]])
    else:
        raw = np.ones(len(columns)) if scheme == "equal" else worth * shares
    if not raw.sum() > 0:
        return None
    uncapped = raw / raw.sum()
    caps = basket.weighting.caps
    target = uncapped
    if caps.segment is not None or uncapped.max() > (caps.constituent or 1.0):
        try:
            target = capped(basket, uncapped, chosen[2].tolist())
        except IndexerError:
            return None
    if scheme not in REAL_SHARES:
        return np.asarray(target)
    factor = np.divide(target, uncapped, out=np.ones(len(target)), where=uncapped > 0)
    grown = spread.grown[reference, columns] / worth  # shares since then, for one at the beginning
    return np.asarray(shares * (factor / factor.max()) / grown)


def _segments(basket: Basket, tabled: Names) -> Names:
    """Return the segment of each constituent, as the definition or else the table has it.

    Of one without a close the table is not at hand here: it may have a segment there all the same.
    """
    told = zip(basket.constituents, tabled.tolist(), strict=True)
    return np.array([constituent.segment or other for constituent, other in told], dtype=object)


def _shares(basket: Basket, spread: Spread, columns: Rows, reference: int) -> Vector | None:
    """Return the shares a real-share scheme counts, else ones; None where one has no row."""
    if basket.weighting.scheme not in REAL_SHARES:
        return np.ones(len(columns))
    counts = _counts(spread, columns, spread.sessions[reference])
    if counts is None or basket.weighting.scheme == "market_cap":
        return None if counts is None else counts[0]
    total, free = counts
    return np.asarray(total * float_band(basket.weighting.ladder, free / total))


def _counts(spread: Spread, columns: Rows, day: np.datetime64) -> tuple[Vector, Vector] | None:
    """Return total and free-float shares as tabled on a day; None where one has no row by then."""
    known = np.flatnonzero(spread.on <= day)
    at = np.searchsorted(spread.counted[known], columns, side="right") - 1
    if not len(known) or (at < 0).any() or (spread.counted[known][at] != columns).any():
        return None
    return spread.total[known][at], spread.free[known][at]
