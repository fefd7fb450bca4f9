"""Rolling correlation of ranks, exact: ranks are whole numbers, and so are all their sums."""

import numpy as np

from indexer.kernels.compile import compiled


@compiled(nogil=True)
def rank_correlation(a, b, window, least, out):
    """Write Spearman's correlation, with average ranks, of the last `window` pairs at each session.

    The places of a window's values are kept from session to session: a value that comes or goes
    moves each of the others by one comparison.
    """
    x, y = np.full(window, np.nan), np.full(window, np.nan)
    # Twice the values below, and once those alike: twice the rank, but for a constant.
    places, others = np.zeros(window), np.zeros(window)
    n = 0
    for t in range(a.size):
        slot = t % window
        n += _leave(x, places, slot)
        _leave(y, others, slot)
        if np.isfinite(a[t]) and np.isfinite(b[t]):
            _enter(x, places, slot, a[t])
            _enter(y, others, slot, b[t])
            n += 1
        out[t] = np.nan
        if n < least:
            continue
        square = product = other = 0.0
        for k in range(window):
            square += places[k] * places[k]
            other += others[k] * others[k]
            product += places[k] * others[k]
        mean = n * (n - 1.0)  # the sum of all places, whatever their order
        vx, vy = n * square - mean * mean, n * other - mean * mean
        if vx > 0.0 and vy > 0.0:
            r = (n * product - mean * mean) / np.sqrt(vx * vy)
            out[t] = max(-1.0, min(1.0, r))


@compiled(nogil=True)
def _leave(values, places, slot):
    """Empty a slot, and return how many values are fewer for it, as a number below one."""
    gone = values[slot]
    if np.isnan(gone):
        return 0
    values[slot] = np.nan
    places[slot] = 0.0
    for k in range(values.size):
        places[k] -= 2.0 * (values[k] > gone) + (values[k] == gone)
    return -1


@compiled(nogil=True)
def _enter(values, places, slot, new):
    place = 0.0
    for k in range(values.size):
        alike = 1.0 * (values[k] == new)
        places[k] += 2.0 * (values[k] > new) + alike
        place += 2.0 * (values[k] < new) + alike
    values[slot] = new
    places[slot] = place
