"""Two ratio lines that share a leg: how much of their correlation is arithmetic."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Cube, Flags, Grid, Vector, dot, floats, vectors
from indexer.kernels.rolling import rolling_correlation
from indexer.signals.regression import SINGULAR, gram_schmidt


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
    window : returns looked back over, the current one included, at least 2

    Returns
    -------
    (T,) each; NaN while the window is short and where a line does not move.

    Raises
    ------
    ValueError
        If one is not (T,), the lengths differ, or window is below 2.

    Notes
    -----
    A is in both lines, so they correlate even if B and C have nothing to do with each other
    (Pearson 1897, spurious correlation of indices). The null is the same expression with
    ``cov(b, c)`` replaced by ``cov(a, b) cov(a, c) / var(a)``, which makes it
    ``corr(a, a - b) corr(a, a - c)``. Excess and partial correlation share sign and zero.
    """
    a, b, c = vectors(a=a, b=b, c=c)
    to_b, to_c = a - b, a - c
    correlation = rolling_correlation(to_b, to_c, window)
    null = rolling_correlation(a, to_b, window) * rolling_correlation(a, to_c, window)
    partial = np.full(len(a), np.nan)
    if len(a) >= window:
        centred = _centred(np.column_stack([a, b, c]), window)
        if window > 3:  # three rows and three lines leave nothing to chance
            partial[window - 1 :] = _partial(centred)
        still = _still(centred, 1) | _still(centred, 2)
        correlation[window - 1 :][still] = np.nan
        null[window - 1 :][still] = np.nan
    return RatioFamily(correlation, null, correlation - null, partial)


def _still(centred: Cube, other: int) -> Flags:
    """Return where the difference of the first series and another is only rounding."""
    one, two = centred[:, 0], centred[:, other]
    apart = one - two
    return np.asarray(dot(apart, apart) <= SINGULAR * (dot(one, one) + dot(two, two)))


def partial_correlation(b: Vector, c: Vector, controls: Grid, window: int) -> Vector:
    """Return the rolling correlation of b and c given the controls, (T,).

    That is the correlation of their residuals from regressions with intercept on the controls
    (T, k) over the window. NaN while it is short, where the controls are collinear, where they
    explain a series wholly, and in windows of less than k + 3 rows, which leave nothing to chance.

    Raises
    ------
    ValueError
        If b or c is not (T,), controls are not (T, k), or the lengths differ.

    Notes
    -----
    By `gram_schmidt`, window by window. Where series are near to collinear sweeping their
    covariances would lose twice as many digits.
    """
    b, c = vectors(b=b, c=c)
    controls = floats(controls)
    if controls.ndim != 2 or len(controls) != len(b):
        raise ValueError(f"expected controls of ({len(b)}, k), got {controls.shape}")
    out = np.full(len(b), np.nan)
    if len(b) >= window >= controls.shape[1] + 3:
        out[window - 1 :] = _partial(_centred(np.column_stack([controls, b, c]), window))
    return out


def _centred(series: Grid, window: int) -> Cube:
    """Return each window of the columns less its mean, (T - window + 1, k, window)."""
    parts = sliding_window_view(series, window, axis=0)
    centred = parts - parts[:, :, :1]
    return np.asarray(centred - centred.mean(axis=2, keepdims=True))


def _partial(centred: Cube) -> Vector:
    """Return the correlation of the last two series, swept of all before them, (windows,)."""
    swept = gram_schmidt(centred)
    along, beyond = swept.parts[:, -2, -1], swept.parts[:, -1, -1]  # of the last, on the other
    left = along * along + beyond * beyond
    last = centred[:, -1]
    sound = swept.sound[:, :-1].all(axis=1) & (left > SINGULAR * dot(last, last))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = along / np.sqrt(left)
    return np.where(sound, np.clip(found, -1.0, 1.0), np.nan)
