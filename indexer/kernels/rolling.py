"""Rolling correlation, right on constant stretches, large offsets and extreme scales."""

import numpy as np
from numba import njit

from indexer.arrays import Vector


def rolling_correlation(
    a: Vector, b: Vector, window: int, min_periods: int | None = None
) -> Vector:
    """Return the Pearson correlation of the last ``window`` pairs at each position.

    Parameters
    ----------
    a, b : (T,), any unit
        NaN is a missing value, and so is an infinite one; a pair counts where both are there.
    window : positions looked back over, the current one included, at least 2
    min_periods : fewest complete pairs for an answer, at least 2; None means ``window``

    Returns
    -------
    (T,) in [-1, 1]; NaN where too few pairs are complete or one side is constant over them.

    Raises
    ------
    ValueError
        If the lengths differ, or window or min_periods is out of range.

    Notes
    -----
    Two passes over each window about its own first pair, scaled by the largest deviation: an
    offset cancels before anything is squared, a constant side is zero exactly, nothing carries
    over from one window to the next, and squares neither overflow nor vanish.

    Examples
    --------
    >>> rolling_correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.0]), 3).round(6)
    array([     nan,      nan, 0.981981])
    """
    least = window if min_periods is None else min_periods
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two series of one length, got {a.shape=} and {b.shape=}")
    if window < 2 or not 2 <= least <= window:
        raise ValueError(f"expected 2 <= min_periods <= window, got {least} and {window}")
    out = np.empty(len(a))
    _rolling_correlation(
        np.ascontiguousarray(a, dtype=np.float64),
        np.ascontiguousarray(b, dtype=np.float64),
        window,
        least,
        out,
    )
    return out


@njit(cache=True, error_model="numpy")
def _rolling_correlation(a, b, window, least, out):
    for t in range(a.size):
        first = max(0, t - window + 1)
        count = 0
        x0 = y0 = x_sum = y_sum = 0.0
        for k in range(first, t + 1):
            if np.isfinite(a[k]) and np.isfinite(b[k]):
                if count == 0:
                    x0, y0 = a[k], b[k]
                x_sum += a[k] - x0
                y_sum += b[k] - y0
                count += 1
        out[t] = np.nan
        if count < least:
            continue
        x_mean, y_mean = x_sum / count, y_sum / count
        x_most = y_most = 0.0
        for k in range(first, t + 1):
            if np.isfinite(a[k]) and np.isfinite(b[k]):
                x_most = max(x_most, abs(a[k] - x0 - x_mean))
                y_most = max(y_most, abs(b[k] - y0 - y_mean))
        if not (x_most > 0.0 and y_most > 0.0):
            continue
        xx = yy = xy = 0.0
        for k in range(first, t + 1):
            if np.isfinite(a[k]) and np.isfinite(b[k]):
                x = (a[k] - x0 - x_mean) / x_most
                y = (b[k] - y0 - y_mean) / y_most
                xx += x * x
                yy += y * y
                xy += x * y
        out[t] = max(-1.0, min(1.0, xy / np.sqrt(xx * yy)))
