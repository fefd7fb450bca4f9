"""Relative strength of a leader over a follower, and where it stands against its own past."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Vector, vectors
from indexer.kernels.moments import window_moments

PERCENTILE = 250  # values among which one has its place


def relative_strength(leader: Vector, follower: Vector) -> Vector:
    """Return ``100 (A_t / A_0) / (B_t / B_0)`` of two lines of levels, (T,) and (T,) to (T,).

    NaN where that, or a part of it, is too large to be a number.

    Raises
    ------
    ValueError
        If one is not (T,), or the lengths differ.
    """
    leader, follower = vectors(leader=leader, follower=follower)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        found = 100.0 * (leader / leader[:1]) / (follower / follower[:1])
    return np.where(np.isfinite(found), found, np.nan)


def momentum(log_strength: Vector, span: int) -> Vector:
    """Return the change of log relative strength over ``span`` rows, (T,); NaN at the start.

    Raises
    ------
    ValueError
        If the values are not (T,), or span is below 1.
    """
    (log_strength,) = vectors(log_strength=log_strength)
    if span < 1:
        raise ValueError(f"expected a span of at least 1 row, got {span}")
    out = np.full(len(log_strength), np.nan)
    out[span:] = log_strength[span:] - log_strength[:-span]
    return out


def zscore(values: Vector, window: int) -> Vector:
    """Return how far each value stands from the mean of its window, in standard deviations.

    The window is the last ``window`` values, the current one included; the deviation is the
    sample's (``ddof`` 1). (T,) to (T,); NaN while the window is short, where a value in it is NaN,
    infinite or masked, and where it is constant. NaN too where the deviation is far below 1e-150
    or far above 1e150, which `window_moments` does not know.

    Raises
    ------
    ValueError
        If values are not (T,), or window is below 1.
    """
    mean, deviation = window_moments(values, window)
    known = (deviation > 0) & (deviation < np.inf)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(known, (values - mean) / deviation, np.nan)


def percentile(values: Vector, window: int = PERCENTILE) -> Vector:
    """Return the share of the last ``window`` values that are no greater than the current one.

    The current one counts, so that the lowest has ``1 / window`` and the highest, or one of equals,
    has 1. (T,) to (T,); NaN while the window is short, and where a value in it is NaN or masked. An
    infinite one has its place like any other.

    Raises
    ------
    ValueError
        If values are not (T,), or window is below 1.
    """
    (values,) = vectors(values=values)
    if window < 1:
        raise ValueError(f"expected a window of at least 1 value, got {window}")
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        part = sliding_window_view(values, window)
        share = (part <= part[:, -1:]).mean(axis=1)
        out[window - 1 :] = np.where(np.isnan(part).any(axis=1), np.nan, share)
    return out
