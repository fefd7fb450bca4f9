"""Slow, obvious oracle of the Dimson beta and of the gap in per cent; the rest is in `diffusion`.

Written from the methodology page (Section 3) alone; ``None`` is null.
"""

import math
from collections.abc import Sequence

from tests.reference.signal_correlation import coefficients, exact
from tests.reference.study import Column


def gap_percent(gap: float) -> float:
    """Per cent by which B alone would have to rise to close the gap, ``100 (e**G - 1)``."""
    return 100 * (math.exp(gap) - 1)


def dimson_beta(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Sum of the slopes of b on a of the row before, of the row and of the row after.

    The page: lags -1, 0, 1. Readings: one joint OLS with intercept (Dimson 1979), slopes added
    without weights; only returns inside the window are used, so that the first and last rows of
    b have no equation; null where the three are collinear.
    """
    x = exact(a)
    found = coefficients(exact(b)[1:-1], [x[:-2], x[1:-1], x[2:]])
    return None if found is None else float(sum(found[1:]))


def dimson_betas(a: Column, b: Column, h: int, n: int) -> Column:
    """Dimson beta of every row, over the n returns that end h rows before it.

    `a` and `b` are returns, null on the first row. Reading: the window is that of beta.
    """
    found: Column = []
    for t in range(len(a)):
        window = [] if t < h + n else range(t - h - n + 1, t - h + 1)
        x = [value for r in window if (value := a[r]) is not None]
        y = [value for r in window if (value := b[r]) is not None]
        found.append(dimson_beta(x, y) if x else None)
    return found
