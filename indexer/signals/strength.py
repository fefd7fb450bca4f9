"""Relative strength of a leader over a follower, and where it stands against its own past."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Vector


def relative_strength(leader: Vector, follower: Vector) -> Vector:
    """Return ``100 (A_t / A_0) / (B_t / B_0)`` of two lines of levels, (T,) and (T,) to (T,)."""
    return np.asarray(100.0 * (leader / leader[0]) / (follower / follower[0]))


def momentum(log_strength: Vector, span: int) -> Vector:
    """Return the change of log relative strength over ``span`` rows, (T,); NaN at the start."""
    out = np.full(len(log_strength), np.nan)
    out[span:] = log_strength[span:] - log_strength[:-span]
    return out


def zscore(values: Vector, window: int) -> Vector:
    """Return how far each value stands from the mean of its window, in standard deviations.

    The window is the last ``window`` values, the current one included; the deviation is the
    sample's (``ddof`` 1). (T,) to (T,); NaN while the window is short, and where it is constant.
    """
    out = np.full(len(values), np.nan)
    mean, deviation = window_moments(values, window)
    with np.errstate(invalid="ignore"):
        out[:] = np.where(deviation > 0, (values - mean) / deviation, np.nan)
    return out


def window_moments(values: Vector, window: int) -> tuple[Vector, Vector]:
    """Return mean and sample deviation (``ddof`` 1) of the last ``window`` values, (T,) each.

    NaN while the window is short; the deviation of a constant window is zero exactly.
    """
    mean, deviation = np.full(len(values), np.nan), np.full(len(values), np.nan)
    if len(values) >= window:
        parts = sliding_window_view(values, window)
        shift = parts[:, :1]  # about its own first value a constant window is zero exactly
        centred = parts - shift
        mean[window - 1 :] = shift[:, 0] + centred.mean(axis=1)
        deviation[window - 1 :] = centred.std(axis=1, ddof=1)
    return mean, deviation
