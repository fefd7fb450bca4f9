"""Could it be chance? Nulls, p-values and intervals of what the signals say.

Every draw comes from a generator that is handed in: the same seed gives the same figures. Nothing
here is known before the window it rests on is whole.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from indexer.arrays import Grid, Vector, dot, or_none, vectors
from indexer.kernels.bootstrap import (
    Resamples,
    correlation_pivots,
    rank_pivots,
    stationary_rows,
    studentised_sums,
)
from indexer.signals.correlation import partial_correlation
from indexer.signals.regression import gram_schmidt

FEWEST_ROWS = 60  # rows below which nothing is inferred
DRAWS = 1000  # of the null of a level correlation
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A correlation and the interval that covers the true one 95 times in 100."""

    value: float
    low: float
    high: float

    @property
    def told(self) -> dict[str, float | None]:
        """The bounds by name, None for NaN."""
        return {"low": or_none(self.low), "high": or_none(self.high)}


NO_INTERVAL = Interval(math.nan, math.nan, math.nan)


class LevelNull(NamedTuple):
    """A correlation of levels, and what followers unrelated given the leader would show.

    Attributes
    ----------
    value : the correlation observed
    median, low, high : of the null; 5 and 95 per cent
    p : share of the null's draws at or above the observed one
    """

    value: float
    median: float
    low: float
    high: float
    p: float

    @property
    def told(self) -> dict[str, float | None]:
        """The null by name, None for NaN."""
        return {name: or_none(getattr(self, name)) for name in ("median", "low", "high", "p")}


def generator(seed: int, *of: object) -> np.random.Generator:
    """Return the random numbers of one figure, whatever else a study computes.

    Parameters
    ----------
    of : what names the figure
    """
    return np.random.default_rng([seed, *"/".join(map(str, of)).encode()])


def block_length(values: Vector, most: float) -> float:
    """Return the mean block of a stationary bootstrap for the mean of a series.

    Parameters
    ----------
    values : (n,)
    most : upper bound of the block; the lower one is a single row

    Notes
    -----
    Politis and White (2004), corrected by Patton, Politis and White (2009), as the arch package
    computes it; written out here because importing that takes a second, as long as all the rest
    of a study. A series it cannot judge, one too short or that does not move, has blocks of one
    row.
    """
    n = len(values)
    run = max(5, int(math.log10(max(n, 1))))  # insignificant lags in a row that end the search
    lags = math.ceil(math.sqrt(n)) + run
    if n < lags + 2:
        return 1.0
    x = values - values.mean()
    moments = np.array([dot(x[k:], x[: n - k]) for k in range(lags + 1)])
    squares = np.concatenate([[0.0], np.cumsum(x * x)])
    k = np.arange(lags + 1)
    spread = np.sqrt((squares[-1] - squares[k + 1]) * squares[n - 1 - k])
    small = np.abs(moments) < 2 * math.sqrt(math.log10(n) / n) * spread
    quiet = [m for m in range(1, lags - run + 1) if small[m : m + run].all()]
    reach = min(2 * quiet[0], lags) if quiet else lags
    k = np.arange(1, reach + 1)
    tapered = np.minimum(1.0, 2 * (1 - k / reach)) * moments[1 : reach + 1]
    spectrum = moments[0] + 2 * tapered.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        found = math.cbrt(n * (2 * (k * tapered).sum() / spectrum) ** 2)
    return min(max(found, 1.0), most) if math.isfinite(found) else 1.0


def most_block(rows: int) -> float:
    """Return the longest mean block of a bootstrap over so many rows."""
    return max(1.0, min(3 * math.sqrt(rows), rows / 3))


def residuals(values: Vector, controls: Grid) -> Vector:
    """Return what least squares with intercept leaves of (n,) values on (n, k) controls."""
    return np.asarray(gram_schmidt(np.vstack([np.ones(len(values)), controls.T, values])).left[-1])


def partial_p_value(
    b: Vector, c: Vector, controls: Grid, replications: int, rng: np.random.Generator
) -> float:
    """Return the p-value of the partial correlation of b and c given the controls.

    It is that of the excess over the shared-leg null too: both share sign and zero.

    Parameters
    ----------
    b, c, controls : (n,), (n,) and (n, k) returns of one window
    replications : resamples, R, at least one

    Returns
    -------
    NaN below 60 rows, and where a series is explained wholly or a return is missing.

    Raises
    ------
    ValueError
        From 60 rows on, as `partial_correlation` does, or if replications is below 1.

    Notes
    -----
    With e and f what is left of b and c, ``u = e f`` has mean zero under the null. Its
    studentised sum is set beside those of stationary-bootstrap resamples of the centred u:
    ``(1 + number as large in size) / (R + 1)``.
    """
    n = len(b)
    if n < FEWEST_ROWS or math.isnan(partial_correlation(b, c, controls, n)[-1]):
        return math.nan
    u = residuals(b, controls) * residuals(c, controls)
    spread = float(np.sqrt(np.sum((u - u.mean()) ** 2)))
    if not spread > 0.0:
        return math.nan
    drawn = stationary_rows(n, block_length(u, most_block(n)), replications, rng)
    return p_value(float(u.sum()) / spread, studentised_sums(u, drawn))


def p_value(observed: float, null: Vector) -> float:
    """Return the two-sided p-value of a statistic among (R,) draws of its null; NaN of NaN.

    A draw that is NaN counts as one as large: it says nothing against chance.

    Examples
    --------
    >>> p_value(2.0, np.array([0.1, -2.5, 1.0]))
    0.5
    """
    if math.isnan(observed):
        return math.nan
    smaller = np.count_nonzero(np.abs(null) < abs(observed))
    return float((1 + len(null) - smaller) / (len(null) + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being looked at together; NaN is left out and stays.

    Notes
    -----
    Holm (1979), "A simple sequentially rejective multiple test procedure".

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    there = sorted((value, n) for n, value in enumerate(p) if not math.isnan(value))
    adjusted, highest = list(p), 0.0
    for rank, (value, n) in enumerate(there):
        highest = max(highest, min(1.0, (len(there) - rank) * value))
        adjusted[n] = highest
    return adjusted


def correlation_interval(
    x: Vector,
    y: Vector,
    replications: int,
    rng: np.random.Generator,
    *,
    ranked: bool = False,
) -> Interval:
    """Return the correlation of one window of returns and its interval.

    Parameters
    ----------
    x, y : (n,)
    replications : resamples, at least one
    ranked : Spearman's instead of Pearson's

    Returns
    -------
    All NaN below 60 rows, where a value is NaN, infinite or masked, where a side does not move,
    and where all lies on a line; bounds of one where blocks are too few to tell anything.

    Raises
    ------
    ValueError
        If one is not (n,), the lengths differ, or replications is below 1 where there is an
        interval.

    Notes
    -----
    A studentised stationary bootstrap of ``atanh r``, symmetric about it. Both deviations are
    those of block sums: of the data by the weights of Politis and Romano (1994), of a resample by
    its own blocks. The mean block is the rule's, at least the cube root and at most a sixth of
    the rows.
    """
    x, y = vectors(x=x, y=y)
    n = len(x)
    if n < FEWEST_ROWS or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return NO_INTERVAL
    one, two = (_average_ranks(x), _average_ranks(y)) if ranked else (x, y)
    r, influence = _influence(one, two)
    if math.isnan(r) or 1.0 - abs(r) < 1e-12:
        return NO_INTERVAL
    block = max(block_length(influence, n / 6), n ** (1 / 3))
    drawn = stationary_rows(n, block, replications, rng)
    pivots = rank_pivots if ranked else correlation_pivots
    pivot = np.abs(pivots(x, y, math.atanh(r), drawn))
    reach = bound_of(np.where(np.isnan(pivot), math.inf, pivot))
    reach *= math.sqrt(_long_run(influence, block)) / (1.0 - r * r)
    return Interval(r, math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach))


def _influence(x: Vector, y: Vector) -> tuple[float, Vector]:
    """Return the correlation and what each row adds to its error, over the rows."""
    p, q = x - x.mean(), y - y.mean()
    xx, yy = float(dot(p, p)), float(dot(q, q))
    if not (xx > 0.0 and yy > 0.0) or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return math.nan, p
    p, q = p / math.sqrt(xx), q / math.sqrt(yy)
    r = float(dot(p, q))
    return r, np.asarray(p * q - 0.5 * r * (p * p + q * q))


def _long_run(values: Vector, block: float) -> float:
    """Return the variance of the sum of stationary-bootstrap resamples of values of mean zero."""
    n, stay = len(values), 1.0 - 1.0 / block
    total = float(dot(values, values))
    for k in range(1, n):
        weight = (1 - k / n) * stay**k + k / n * stay ** (n - k)
        total += 2 * weight * float(dot(values[k:], values[:-k]))
    return max(total, 0.0)


def bound_of(sizes: Vector) -> float:
    """Return the bound that 95 of 100 drawn sizes keep, (R,), the observed one counted as one more.

    NaN are beyond every number: where there are too many of them the bound is NaN.
    """
    last = min(math.ceil(CONFIDENCE * (len(sizes) + 1)), len(sizes)) - 1
    return float(np.sort(sizes)[last])


def _average_ranks(values: Vector) -> Vector:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def level_null(a: Vector, b: Vector, c: Vector, draws: int, rng: np.random.Generator) -> LevelNull:
    """Return the correlation of the levels of two ratio lines that share a leg, and its null.

    Parameters
    ----------
    a, b, c : (n - 1,) log returns of leader and followers between the n rows of a window
    draws : how many times c is drawn anew, at least one

    Raises
    ------
    ValueError
        If one is not (n - 1,), the lengths differ, or there is no return or draw.

    Notes
    -----
    Levels wander: two lines that share nothing but the leader look alike over any window. Drawn
    is c as its regression on a leaves it, each residual kept in size and in place, with the sign
    of its block (stationary blocks, mean by Politis and White on the residuals). Only c is drawn,
    b stays as it was: with b and c exchanged, and so with the pairs of a study in another order,
    the null is another one.
    """
    a, b, c = vectors(a=a, b=b, c=c)
    n = len(a)
    line = np.concatenate([[0.0], np.cumsum(a - b)])
    observed = float(_correlations(line, np.concatenate([[0.0], np.cumsum(a - c)])[None])[0])
    left = residuals(c, a[:, None])
    block = block_length(left, most_block(n))
    drawn = stationary_rows(n, block, draws, rng)
    cumulated = np.zeros((draws, n + 1))
    np.cumsum(a - (c - left) - _signs(drawn, rng) * left, axis=1, out=cumulated[:, 1:])
    null = _correlations(line, cumulated)
    if math.isnan(observed) or np.isnan(null).any() or np.ptp(line) == 0.0:
        return LevelNull(*[math.nan] * 5)
    low, median, high = (float(q) for q in np.quantile(null, [0.05, 0.5, 0.95]))
    return LevelNull(observed, median, low, high, float(np.mean(null >= observed)))


def _signs(drawn: Resamples, rng: np.random.Generator) -> Grid:
    """Return plus or minus one for each place, the same throughout a block."""
    signs = rng.integers(2, size=drawn.row.shape) * 2.0 - 1.0
    places = np.where(drawn.begins, np.arange(drawn.row.shape[1]), 0)
    first = np.maximum.accumulate(places, axis=1)
    return np.asarray(np.take_along_axis(signs, first, axis=1))


def _correlations(line: Vector, others: Grid) -> Vector:
    """Return the correlation of one line with each row of others; NaN where one does not move."""
    one, two = line - line.mean(), others - others.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(dot(two, one) / np.sqrt(dot(one, one) * dot(two, two)))
