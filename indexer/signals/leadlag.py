"""Which of two lines moves first: correlations at leads and lags, and the band of chance."""

from typing import NamedTuple

import numpy as np

from indexer.arrays import Grid, Rows, Vector, dot, vectors
from indexer.kernels.bootstrap import RowGrid, check_rows
from indexer.signals.inference import bound_of
from indexer.signals.regression import SINGULAR

_TOGETHER = 64  # resamples correlated at a time: they stay in the processor's cache


class LeadLag(NamedTuple):
    """Correlations of one line with another, earlier and later.

    Attributes
    ----------
    lag : (2 furthest + 1,) rows by which the first line is ahead; ascending from ``-furthest``
    correlation : of the first line's returns with the second's, ``lag`` rows later; NaN where
        there are fewer than two pairs and where one side does not move
    band : size that the largest correlation but that of lag 0 stays within 95 times in 100 if the
        lines have nothing to do with each other, not even their volatility; NaN where a line does
        not move
    """

    lag: Rows
    correlation: Vector
    band: float


def lead_lag(a: Vector, b: Vector, rows_a: RowGrid, rows_b: RowGrid, furthest: int = 10) -> LeadLag:
    """Return the correlation of a with later and earlier b, and the band of chance.

    Parameters
    ----------
    a, b : (n,) log returns over the same spans
    rows_a, rows_b : (replications, n - 1) stationary-block resamples of the rows of `whitened`,
        drawn one without the other; at least one
    furthest : longest lag, at least 1

    Raises
    ------
    ValueError
        If the returns are not (n,) or differ in length, the resamples in shape or from the returns,
        as `check_rows` says, or furthest is below 1.

    Notes
    -----
    Both lines are whitened: what each says about its own next return would show as a lead. The band
    is of the largest correlation over all lags but 0, so that one beyond it is rarer than one in
    twenty among all that were looked at. Lag 0 is no lead and stands outside the band.

    The lines are drawn one without the other: the band takes it that they share no volatility.
    Where they do, large returns meet large returns at short lags and correlations spread wider.
    Unrelated lines of one stochastic volatility pass the band somewhere in 18 of 100 draws of 100
    rows, and in 39 of 100 draws of 600 (docs/inference.md).
    """
    if furthest < 1:
        raise ValueError(f"expected a longest lag of at least 1 row, got {furthest}")
    a, b = vectors(a=a, b=b)
    if rows_a.shape != rows_b.shape or not rows_a.size:
        shapes = f"{rows_a.shape} and {rows_b.shape}"
        raise ValueError(f"{len(a)} returns, resamples of {shapes}: want (R, {len(a) - 1})")
    lag = np.arange(-furthest, furthest + 1)
    x, y = whitened(a), whitened(b)
    check_rows(rows_a, x, y)
    check_rows(rows_b, x, y)
    largest = np.empty(len(rows_a))
    for begin in range(0, len(rows_a), _TOGETHER):
        part = slice(begin, begin + _TOGETHER)
        drawn = _correlations(x[rows_a[part]], y[rows_b[part]], furthest)
        largest[part] = np.fmax.reduce(np.abs(drawn[:, lag != 0]), axis=1)
    return LeadLag(lag, _correlations(x[None], y[None], furthest)[0], bound_of(largest))


def whitened(returns: Vector) -> Vector:
    """Return what a return says beyond the one before it, (n,) to (n - 1,).

    That is the residual of least squares with intercept on the return before, over all rows; NaN
    where the returns do not vary or follow from each other.
    """
    before, after = returns[:-1], returns[1:]
    x, y = before - before.mean(), after - after.mean()
    if not dot(x, x) > SINGULAR * dot(before, before):
        return np.full(len(after), np.nan)
    left = y - dot(x, y) / dot(x, x) * x
    return left if dot(left, left) > SINGULAR * dot(after, after) else np.full(len(after), np.nan)


def _correlations(x: Grid, y: Grid, furthest: int) -> Grid:
    """Return the correlation of each row of x with that of y, ``lag`` places later, by lag."""
    x, y = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    reach = min(furthest, x.shape[1] - 1)
    lags = np.arange(-reach, reach + 1)
    count = x.shape[1] - np.abs(lags)
    x_sum, y_sum = _overlapping(x, reach), _overlapping(y, reach)[:, ::-1]
    x_square, y_square = _overlapping(x**2, reach), _overlapping(y**2, reach)[:, ::-1]
    product = np.column_stack([_product(x, y, int(lag)) for lag in lags])
    # Centred as a whole already: what the places left out change of the mean is small.
    x_moves, y_moves = x_square - x_sum**2 / count, y_square - y_sum**2 / count
    moves = (x_moves > SINGULAR * x_square) & (y_moves > SINGULAR * y_square) & (count > 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        together = (product - x_sum * y_sum / count) / np.sqrt(x_moves * y_moves)
    found = np.full((len(x), 2 * furthest + 1), np.nan)
    found[:, furthest + lags] = np.where(moves, np.clip(together, -1.0, 1.0), np.nan)
    return found


def _overlapping(values: Grid, reach: int) -> Grid:
    """Return the sums over the places of x that have a place of y, by lag from ``-reach`` on.

    They are all but the first at a lag below zero, and all but the last above it.
    """
    return np.column_stack([_growing(values[:, ::-1], reach), _growing(values, reach)[:, -2::-1]])


def _growing(values: Grid, reach: int) -> Grid:
    """Return the sums over all places but the last ``reach``, and so on up to all of them.

    Places are added, never taken away: what an outlier leaves behind would be its rounding.
    """
    inner = values.shape[1] - reach
    return np.cumsum(np.column_stack([values[:, :inner].sum(axis=1), values[:, inner:]]), axis=1)


def _product(x: Grid, y: Grid, lag: int) -> Vector:
    """Return the sum of products of each row of x with that of y ``lag`` places later."""
    count = x.shape[1] - abs(lag)
    return dot(x[:, max(-lag, 0) :][:, :count], y[:, max(lag, 0) :][:, :count])
