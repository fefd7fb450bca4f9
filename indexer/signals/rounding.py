"""Lines that do not move: differences of logarithms that are equal but for rounding are equal.

The logarithm of a level is off by some 1e-16 of one for the level's own rounding and some 1e-16 of
its size for its own. What is left of two that ought to cancel is that, however small their
difference: a window of it would have a deviation, ranks and correlations, all of them noise.
"""

import math
from bisect import bisect_left

import numpy as np

from indexer.arrays import Vector

ROUNDING = 1e-14  # of what a number is made of: some fifty times what one operation leaves


def settled(values: Vector, *terms: Vector) -> Vector:
    """Return values of which one that rounding alone tells from an earlier one is that one.

    Whether a line moves, and what is its highest value, can then be asked of its values exactly.

    Parameters
    ----------
    values : (T,)
    terms : (T,) each, what the values are sums or differences of: logarithms

    Returns
    -------
    (T,), nothing looked at that comes later; all other values are the same bits.

    Examples
    --------
    >>> settled(np.array([0.3, 0.4, 0.1 + 0.2]), np.array([5.0, 5.1, 5.3])).tolist()
    [0.3, 0.4, 0.3]
    """
    bound = ROUNDING * (1.0 + np.abs(terms).sum(axis=0))
    apart = np.diff(np.sort(values))
    if not ((apart > 0.0) & (apart < np.fmax.reduce(bound, initial=0.0))).any():
        return values  # as nearly always, told in a hundredth of the time
    seen: list[float] = []  # in order
    out = values.tolist()
    for t, (value, near) in enumerate(zip(out, bound.tolist(), strict=True)):
        place = bisect_left(seen, value)
        beside = [x for x in seen[max(place - 1, 0) : place + 1] if abs(x - value) < near]
        if beside:
            out[t] = min(beside, key=lambda x: abs(x - value))
        elif not math.isnan(value):
            seen.insert(place, value)
    return np.array(out, dtype=float)


def log_returns(logs: Vector) -> Vector:
    """Return the changes of (T,) log levels, (T - 1,)."""
    return settled(np.diff(logs), logs[1:], logs[:-1])


def log_strength(leader: Vector, follower: Vector) -> Vector:
    """Return the log relative strength of two lines of log levels, (T,) and (T,) to (T,)."""
    return settled(leader - follower, leader, follower)
