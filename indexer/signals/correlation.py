"""Two ratio lines that share a leg: how much of their correlation is arithmetic."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Cube, Flags, Grid, Vector, dot
from indexer.kernels.rolling import rolling_correlation

SINGULAR = 1e-12  # share of a sum of squares below which what is left of it is rounding


class RatioFamily(NamedTuple):
    """Correlation of ln(A/B) with ln(A/C) over a window of returns, and what it is made of; (T,).

    Attributes
    ----------
    correlation : of ``a - b`` with ``a - c``
    null : the same if B and C shared nothing but their relation to A
    excess : correlation less null
    partial : correlation of ``b`` with ``c`` given ``a``
    """

    correlation: Vector
    null: Vector
    excess: Vector
    partial: Vector


def ratio_family(a: Vector, b: Vector, c: Vector, window: int) -> RatioFamily:
    """Return the rolling correlation of two ratio lines beside its shared-leg null.

    Parameters
    ----------
    a, b, c : (T,) log returns of leader and two followers over the same spans
    window : returns looked back over, the current one included

    Returns
    -------
    (T,) each; NaN while the window is short and where a line does not move.

    Notes
    -----
    A is in both lines, so they correlate even if B and C have nothing to do with each other
    (Pearson 1897, spurious correlation of indices). The null is the same expression with
    ``cov(b, c)`` replaced by ``cov(a, b) cov(a, c) / var(a)``, which makes it
    ``corr(a, a - b) corr(a, a - c)``. Excess and partial correlation share sign and zero.
    """
    to_b, to_c = a - b, a - c
    correlation = rolling_correlation(to_b, to_c, window)
    null = rolling_correlation(a, to_b, window) * rolling_correlation(a, to_c, window)
    partial = np.full(len(a), np.nan)
    if len(a) >= window:
        moments = _covariances(np.column_stack([a, b, c]), window)
        if window > 3:  # three rows and three lines leave nothing to chance
            partial[window - 1 :] = _partial(moments)
        still = _still(moments, 1) | _still(moments, 2)
        correlation[window - 1 :][still] = np.nan
        null[window - 1 :][still] = np.nan
    return RatioFamily(correlation, null, correlation - null, partial)


def _still(moments: Cube, other: int) -> Flags:
    """Return where the difference of the first series and another is only rounding."""
    one, two, both = moments[:, 0, 0], moments[:, other, other], moments[:, 0, other]
    return np.asarray(one + two - 2 * both <= SINGULAR * (one + two))


def partial_correlation(b: Vector, c: Vector, controls: Grid, window: int) -> Vector:
    """Return the rolling correlation of b and c given the controls, (T,).

    That is the correlation of their residuals from regressions with intercept on the controls
    (T, k) over the window. NaN while it is short, where the controls are collinear, where they
    explain a series wholly, and in windows of less than k + 3 rows, which leave nothing to chance.
    """
    out = np.full(len(b), np.nan)
    if len(b) >= window >= controls.shape[1] + 3:
        out[window - 1 :] = _partial(_covariances(np.column_stack([controls, b, c]), window))
    return out


def _covariances(
    series: Grid, window: int
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Return the sums of centred products of each window, (T - window + 1, k, k)."""
    parts = sliding_window_view(series, window, axis=0)  # (windows, k, window)
    centred = parts - parts[:, :, :1]
    centred = centred - centred.mean(axis=2, keepdims=True)
    products = [dot(centred, centred[:, k : k + 1]) for k in range(centred.shape[1])]
    return np.stack(products, axis=1)


def _partial(moments: Cube) -> Vector:
    """Sweep all series but the last two out of their covariances; correlate what is left."""
    left = moments.copy()
    size = left.shape[1]
    total = np.diagonal(moments, axis1=1, axis2=2)
    sound = np.ones(len(left), dtype=bool)
    for k in range(size - 2):
        pivot = left[:, k, k].copy()
        sound &= pivot > SINGULAR * total[:, k]
        pivot[~sound] = np.nan
        left -= left[:, :, k, None] * left[:, None, k, :] / pivot[:, None, None]
    b, c = size - 2, size - 1
    sound &= (left[:, b, b] > SINGULAR * total[:, b]) & (left[:, c, c] > SINGULAR * total[:, c])
    with np.errstate(invalid="ignore", divide="ignore"):
        found = left[:, b, c] / np.sqrt(left[:, b, b] * left[:, c, c])
    return np.where(sound, np.clip(found, -1.0, 1.0), np.nan)
