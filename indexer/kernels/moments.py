"""Mean and deviation of rolling windows, right on constant stretches and large offsets."""

from operator import index

import numpy as np

from indexer.arrays import Vector, vectors
from indexer.kernels.compile import compiled


def window_moments(values: Vector, window: int) -> tuple[Vector, Vector]:
    """Return mean and sample deviation (``ddof`` 1) of the last ``window`` values, (T,) each.

    NaN while the window is short, and where a value in it is NaN or masked; the deviation of a
    constant window is zero exactly, of a window of one value NaN. Where a value is infinite the
    mean is so or NaN, and the deviation NaN. Deviations from 1e-150 to 1e150 are known, of values
    up to 1e300: squares of smaller ones vanish, which gives zero, and those of larger ones are
    beyond all numbers, which gives infinity.

    Raises
    ------
    ValueError
        If values are not (T,), or window is below 1.
    """
    (values,) = vectors(values=values)
    window = min(index(window), len(values) + 1)
    if window < 1:
        raise ValueError(f"expected a window of at least 1 value, got {window}")
    mean, deviation = np.empty(len(values)), np.empty(len(values))
    moments(values, window, mean, deviation)
    return mean, deviation


# A sum of squares about the mean above this share of that about the middle has lost two digits of
# sixteen at most.
_SHARE = 1e-2


@compiled(nogil=True)
def moments(values, window, mean, deviation):
    """Write mean and sample deviation of each window.

    Sessions are cut into blocks as long as the window: its sums are one backwards from the end of
    the block before, and one forwards. Nothing is ever subtracted but the middle that a block
    counts from, its last value before; where too little is left, a window is looked at alone.
    """
    for begin in range(0, values.size, window):
        end = min(begin + window, values.size)
        # Of a block that follows a missing value only the last window is whole, and all in it.
        before = values[begin - 1] if begin else np.nan
        middle = before if np.isfinite(before) else values[begin]
        total = square = 0.0
        for t in range(begin + window - 1, begin - 1, -1):
            if t < end:
                mean[t], deviation[t] = total, square
            x = values[t - window] - middle if t >= window else np.nan
            total += x
            square += x * x
        total = square = 0.0
        for t in range(begin, end):
            x = values[t] - middle
            total += x
            square += x * x
            s, of_squares = mean[t] + total, deviation[t] + square
            about_mean = of_squares - s * (s / window)
            if about_mean > _SHARE * of_squares:
                mean[t] = middle + s / window
                deviation[t] = np.sqrt(about_mean / (window - 1))
            elif np.isnan(s):
                mean[t] = deviation[t] = np.nan
            else:
                mean[t], deviation[t] = _alone(values[t + 1 - window : t + 1])


# A sum whose order is free is one of eight lanes: 0.1 ns a value instead of 0.9.
@compiled(nogil=True, fastmath={"reassoc"})
def _alone(part):
    """Return mean and sample deviation of one window, in two passes about its own first value."""
    first, total, square = part[0], 0.0, 0.0
    for x in part:
        total += x - first
    centre = total / part.size
    for x in part:
        square += (x - first - centre) ** 2
    return first + centre, np.sqrt(square / (part.size - 1))
