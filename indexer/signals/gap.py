"""How far a follower is behind what its beta to the leader asks for."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Vector, dot, vectors
from indexer.signals.regression import SINGULAR, gram_schmidt
from indexer.signals.rounding import log_returns

_COEFFICIENTS = 4  # of the Dimson regression, the intercept included


class Gap(NamedTuple):
    """The beta-adjusted gap of a pair on each of R rows; NaN where there is none.

    Attributes
    ----------
    beta, alpha : (R,) slope and intercept of the follower's returns on the leader's
    gap : (R,) log return the follower still lacks to have moved by beta times the leader's move
    z : (R,) the gap beside its standard error of prediction
    """

    beta: Vector
    alpha: Vector
    gap: Vector
    z: Vector


class _Fit(NamedTuple):
    """Least squares with intercept of b on a over windows of n returns, (windows,) each."""

    beta: Vector
    alpha: Vector
    mean: Vector  # of a
    square: Vector  # sum of squares of a about its mean
    variance: Vector  # of the residuals, over n - 2


def beta_gap(leader: Vector, follower: Vector, span: int, window: int) -> Gap:
    """Return how far the follower is behind its beta to the leader over the last rows.

    Parameters
    ----------
    leader, follower : (R,) log levels
    span : rows h the gap is measured over, at least 1
    window : returns n of the regression, at least 3; they end h rows before the row

    Returns
    -------
    (R,) each, from row ``span + window`` on. NaN before, and where the leader's returns do not
    vary over the window; z is NaN too where the regression leaves nothing.

    Raises
    ------
    ValueError
        If one is not (R,), the lengths differ, span is below 1, or window below 3.

    Notes
    -----
    ``G = beta (A_t - A_{t-h}) - (B_t - B_{t-h})`` in logs. The regression has not seen the span, so
    that under it ``G + alpha h`` is an error of prediction, with variance
    ``s^2 (h + h^2 / n + (A_t - A_{t-h} - h mean(a))^2 / sum((a - mean(a))^2))``.
    """
    if span < 1 or window < 3:
        message = "expected a span of at least 1 row and a window of at least 3 returns"
        raise ValueError(f"{message}, got {span} and {window}")
    leader, follower = vectors(leader=leader, follower=follower)
    rows, first = len(leader), span + window
    if rows <= first:
        return Gap(*(np.full(rows, np.nan) for _ in Gap._fields))
    a, b = log_returns(leader), log_returns(follower)
    fit = _Fit(*(part[:-span] for part in _regression(a, b, window)))
    move_leader, move_follower = (x[first:] - x[window:-span] for x in (leader, follower))
    gap = fit.beta * move_leader - move_follower
    drift = move_leader - span * fit.mean
    error = fit.variance * (span + span**2 / window + drift**2 / fit.square)
    z = (gap + fit.alpha * span) / np.sqrt(error)
    missing = np.full(first, np.nan)
    return Gap(*(np.concatenate([missing, found]) for found in (fit.beta, fit.alpha, gap, z)))


def _regression(a: Vector, b: Vector, window: int) -> _Fit:
    """Return the regression of each window; its squares are NaN where they are but rounding."""
    x, y = sliding_window_view(a, window), sliding_window_view(b, window)
    mean, height = x.mean(axis=1), y.mean(axis=1)
    x_centred, y_centred = x - mean[:, None], y - height[:, None]
    square = _above_rounding(dot(x_centred, x_centred), dot(x, x))
    beta = dot(x_centred, y_centred) / square
    left = y_centred - beta[:, None] * x_centred
    rest = _above_rounding(dot(left, left), dot(y, y))
    return _Fit(beta, height - beta * mean, mean, square, rest / (window - 2))


def _above_rounding(left: Vector, whole: Vector) -> Vector:
    """Return a sum of squares, NaN where it is rounding beside that of the values themselves."""
    return np.where(left > SINGULAR * whole, left, np.nan)


def dimson_beta(a: Vector, b: Vector, window: int) -> Vector:
    """Return the beta of b to a where closes differ and a move shows a return early or late.

    Parameters
    ----------
    a, b : (T,) log returns of leader and follower
    window : returns looked back over, the current one included

    Returns
    -------
    (T,) sum of the coefficients of b on the returns of a on the row before, its own and the row
    after. NaN while the window is short, where the three are collinear over it, and for windows
    below six returns.

    Raises
    ------
    ValueError
        If one is not (T,), or the lengths differ.

    Notes
    -----
    Dimson (1979), "Risk measurement when shares are subject to infrequent trading", Journal of
    Financial Economics 7. The row after must have come already: the first and the last return of
    the window count on the side of a alone, and ``window - 2`` rows are regressed.
    """
    a, b = vectors(a=a, b=b)
    out = np.full(len(a), np.nan)
    rows = window - 2
    if len(a) < window or rows < _COEFFICIENTS:
        return out
    early, own, late = a[:-2], a[1:-1], a[2:]
    # With the others less it, the coefficient on its own row is the sum of all three.
    beside = np.column_stack([np.ones(len(own)), early - own, late - own, own, b[1:-1]])
    swept = gram_schmidt(sliding_window_view(beside, rows, axis=0))  # (windows, 5, rows)
    apart = swept.sound[:, :4].all(axis=1)
    out[window - 1 :][apart] = swept.parts[apart, 3, 4] / swept.parts[apart, 3, 3]
    return out
