"""Lines that do not move: a difference of logarithms that is constant but for rounding is constant.

The logarithm of a level is off by some 1e-16 of one for the level's own rounding and some 1e-16 of
its size for its own. What is left of two that ought to cancel is that, however small their
difference: a window of it would have a deviation, ranks and correlations, all of them noise.
"""

import numpy as np

from indexer.arrays import Vector

ROUNDING = 1e-12  # of what a number is made of; chained levels are off by up to a tenth of it


def settled(values: Vector, *terms: Vector) -> Vector:
    """Return values of which one that rounding alone tells from the one before it is that one.

    Whether a line moves can then be asked of its values exactly, over any window.

    Parameters
    ----------
    values : (T,)
    terms : (T,) each, what the values are sums or differences of: logarithms

    Returns
    -------
    (T,), nothing looked at that comes later; all other values are the same bits.

    Examples
    --------
    >>> settled(np.array([0.3, 0.1 + 0.2, 0.4]), np.array([5.0, 5.1, 5.3])).tolist()
    [0.3, 0.3, 0.4]
    """
    bound = (ROUNDING * (1.0 + np.abs(terms).sum(axis=0))).tolist()
    out = values.tolist()
    for t in range(1, len(out)):
        if abs(out[t] - out[t - 1]) < bound[t]:
            out[t] = out[t - 1]
    return np.array(out, dtype=float)


def log_returns(logs: Vector) -> Vector:
    """Return the changes of (T,) log levels, (T - 1,)."""
    return settled(np.diff(logs), logs[1:], logs[:-1])


def log_strength(leader: Vector, follower: Vector) -> Vector:
    """Return the log relative strength of two lines of log levels, (T,) and (T,) to (T,)."""
    return settled(leader - follower, leader, follower)
