"""Caps on constituents and segments."""

from collections.abc import Sequence

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.definitions.basket import Basket
from indexer.definitions.rules import at_least
from indexer.errors import DefinitionError, counted

_SLACK = 1e-12


def capped(basket: Basket, weights: Vector, segments: Sequence[str]) -> Vector:
    """Return the weights nearest to the given ones that obey the basket's caps.

    The unique minimiser of ``sum(w ln(w/u))`` under ``sum(w) = 1``, each ``w_i`` at most the
    constituent cap and each segment at most the segment cap.

    Raises
    ------
    DefinitionError
        If no weights obey the caps, naming the smallest feasible one.

    Notes
    -----
    At the minimum ``w_i = min(cap, u_i * s)`` with one scale ``s`` for all segments below their
    cap, and a smaller one for each segment at it: the familiar rule of setting offenders to the
    cap and sharing the excess pro rata, for constituents inside a segment and for segments.
    """
    caps = basket.weighting.caps
    if caps.constituent is None and caps.segment is None:
        return weights
    limit = 1.0 if caps.constituent is None else caps.constituent
    if caps.segment is None:
        groups = np.zeros(len(weights), dtype=int)
        segment_cap = 1.0
    else:
        groups = np.unique(segments, return_inverse=True)[1]
        segment_cap = caps.segment
    held = weights > 0
    result = np.zeros(len(weights))
    _feasible(basket, groups[held], limit, segment_cap)
    result[held] = _nearest(weights[held], groups[held], limit, segment_cap)
    return result


def _nearest(weights: Vector, groups: Rows, limit: float, segment_cap: float) -> Vector:
    """Scale all segments together; those that overflow stay at their cap, the rest scale again."""
    full = np.zeros(groups.max() + 1, dtype=bool)
    result = weights
    while True:
        free = ~full[groups]
        result = np.empty(len(weights))
        result[free] = _filled(weights[free], limit, 1.0 - segment_cap * full.sum())
        totals = np.bincount(groups[free], result[free], minlength=len(full))
        over = totals > segment_cap
        if not over.any():
            break
        full |= over
    for group in np.flatnonzero(full):
        inside = groups == group
        result[inside] = _filled(weights[inside], limit, segment_cap)
    return result


def _filled(weights: Vector, limit: float, total: float) -> Vector:
    """Return ``min(limit, s * weights)`` with the scale ``s`` at which it sums to ``total``."""
    order = np.argsort(-weights, kind="stable")
    falling = weights[order]
    rest = np.cumsum(falling[::-1])[::-1]
    for at_limit in range(len(weights)):
        scale = (total - at_limit * limit) / rest[at_limit]
        if scale * falling[at_limit] <= limit:
            return np.asarray(np.minimum(limit, scale * weights))
    return np.full(len(weights), limit)


def _feasible(basket: Basket, groups: Rows, limit: float, segment_cap: float) -> None:
    """Raise unless segments and constituents together have room for a sum of one."""
    sizes = np.bincount(groups)
    sizes = sizes[sizes > 0]
    if np.minimum(segment_cap, sizes * limit).sum() >= 1 - _SLACK:
        return
    if segment_cap * len(sizes) < 1 - _SLACK:
        key, least = "segment", 1 / len(sizes)
    else:
        key, least = "constituent", _least_limit(sizes, segment_cap)
    message = (
        f"{counted(len(groups), 'constituent')} in {counted(len(sizes), 'segment')} cannot reach "
        "a sum of 1 under it: "
        f"the smallest feasible cap is {at_least(least)}"
    )
    raise DefinitionError([basket.problem(("weighting", "caps", key), message)])


def _least_limit(sizes: Rows, segment_cap: float) -> float:
    """Return the smallest ``c`` with ``sum(min(segment_cap, sizes * c)) = 1``."""
    breaks = np.sort(segment_cap / sizes)  # where a segment becomes full
    room = [np.minimum(segment_cap, sizes * c).sum() for c in breaks]
    n = int(np.searchsorted(room, 1 - _SLACK))
    below = breaks[n - 1] if n else 0.0
    filled = np.minimum(segment_cap, sizes * below).sum()
    slope = sizes[segment_cap / sizes > below].sum()
    return float(below + (1 - filled) / slope)
