"""Slow, obvious oracle of p-values, intervals and nulls; every random draw is an input.

Written from the methodology page (Section 3) alone; ``None`` is null. A resample is a list of the
rows that it takes, in order, of the same length as the window.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tests.reference.study import Column, mean, pearson, product, residuals

Resamples = Iterable[Sequence[int]]
Quantile = Callable[[Sequence[float], float], float]
Shape = Callable[..., tuple[Sequence[float], Sequence[float]] | None]


class LevelNull(NamedTuple):
    """What two lines that share nothing but a leg show by chance."""

    median: float
    low: float  # 5 %
    high: float  # 95 %
    p_value: float


def stationary_path(starts: Sequence[int], renewed: Sequence[bool]) -> list[int]:
    """Rows of one stationary resample (Politis and Romano 1994).

    Where `renewed` a block begins at that place of `starts`; elsewhere the row after the one
    before follows, the first after the last. The first row always begins a block.
    """
    path: list[int] = []
    for t, start in enumerate(starts):
        path.append(start if t == 0 or renewed[t] else (path[-1] + 1) % len(starts))
    return path


def block_length(u: Sequence[float]) -> float | None:
    """Mean block of Politis and White (2004, corrected 2009), clipped to [1, min(3 sqrt n, n/3)].

    Readings, the arch package's own: autocovariances over n about the mean; the correlation of a
    lag over the rows but one that it leaves on either side, significant from 2 sqrt(log10 n / n)
    on; m is the first lag of the first run of K = max(5, floor(log10 n)) insignificant ones
    before lag ceil(sqrt n) + K, at least 1; M is the lesser of 2 m and that lag, the latter too
    where no run is found. The clip's upper end is not rounded. A constant has none.
    """
    n = len(u)
    if min(u) == max(u):
        return None
    centre = mean(u)
    x = [value - centre for value in u]
    most = min(3 * math.sqrt(n), n / 3)
    run = max(5, int(math.log10(n)))
    lags = math.ceil(math.sqrt(n)) + run
    r = [math.fsum(x[t] * x[t - k] for t in range(k, n)) for k in range(lags + 1)]
    bound = 2 * math.sqrt(math.log10(n) / n)
    small = []
    for k in range(lags + 1):
        late, early = (math.fsum(v * v for v in side) for side in (x[k + 1 :], x[: n - k - 1]))
        small.append(abs(r[k]) / math.sqrt(late * early) < bound)
    reach = lags
    for m in range(1, lags - run + 1):
        if all(small[m : m + run]):
            reach = min(2 * m, lags)
            break
    g, total = 0.0, r[0] / n
    for k in range(1, reach + 1):
        taper = min(1.0, 2 * (1 - k / reach))
        g += 2 * taper * k * r[k] / n
        total += 2 * taper * r[k] / n
    if total == 0:
        return max(1.0, most)
    return max(1.0, min(most, math.cbrt(g * g / (total * total) * n)))


def residual_products(
    b: Sequence[float], c: Sequence[float], *controls: Sequence[float]
) -> list[float] | None:
    """Products u of the residuals of b and of c on the controls, row by row."""
    e, f = residuals(b, controls), residuals(c, controls)
    return None if e is None or f is None else [p * q for p, q in zip(e, f, strict=True)]


def statistic(u: Sequence[float], centre: float = 0.0) -> float | None:
    """Sum of u less `centre` over the root of the squared deviations from u's own mean."""
    if min(u) == max(u):
        return None
    return math.fsum(value - centre for value in u) / math.sqrt(product(u, u))


def p_value(u: Sequence[float], resamples: Resamples, least: int = 60) -> float | None:
    """Share of resamples, itself counted, whose centred statistic is as large either way.

    The page: the null is imposed by centring at u's mean, the denominator is about the
    resample's own; ``(1 + #{|tau*| >= |tau|}) / (R + 1)``; none below 60 rows. Readings:
    residuals are taken once, not again in each resample; rows are those of the window (w, each
    a return); a resample of one value has an infinite statistic unless that value is the mean
    (counted), and zero then (not counted, unless tau is zero too).
    """
    tau = statistic(u)
    if len(u) < least or tau is None:
        return None
    centre = mean(u)
    count, r = 0, 0
    for rows in resamples:
        star = [u[row] for row in rows]
        found = statistic(star, centre)
        if found is None:
            found = 0.0 if star[0] == centre else math.inf
        count += abs(found) >= abs(tau)
        r += 1
    return (1 + count) / (r + 1)


def holm(p_values: Sequence[float | None]) -> Column:
    """Holm's adjustment, in the order given.

    The page adjusts over the windows of the study. Reading: a window without a p-value is no
    test, so it is not counted among those adjusted for.
    """
    order = sorted((p, k) for k, p in enumerate(p_values) if p is not None)
    adjusted: Column = [None] * len(p_values)
    least = 0.0
    for rank, (p, k) in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p))
        adjusted[k] = least
    return adjusted


def order_quantile(values: Sequence[float], share: float) -> float:
    """Value at place (n + 1) share of the sorted ones, interpolated, the ends beyond them."""
    line = sorted(values)
    place = min(max((len(line) + 1) * share, 1.0), float(len(line)))
    below = int(place)
    above = min(below + 1, len(line))
    return line[below - 1] + (place - below) * (line[above - 1] - line[below - 1])


def linear_quantile(values: Sequence[float], share: float) -> float:
    """Value at place 1 + (n - 1) share of the sorted ones, interpolated (NumPy's default)."""
    line = sorted(values)
    place = (len(line) - 1) * share
    below = int(place)
    above = min(below + 1, len(line) - 1)
    return line[below] + (place - below) * (line[above] - line[below])


def plain(a: Sequence[float], b: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Sides of the correlation of a and b."""
    return a, b


def spreads(
    a: Sequence[float], b: Sequence[float], c: Sequence[float]
) -> tuple[Sequence[float], Sequence[float]]:
    """Sides of the ratio correlation."""
    return [p - q for p, q in zip(a, b, strict=True)], [p - q for p, q in zip(a, c, strict=True)]


def given(
    b: Sequence[float], c: Sequence[float], *controls: Sequence[float]
) -> tuple[Sequence[float], Sequence[float]] | None:
    """Sides of the partial correlation of b and c."""
    e, f = residuals(b, controls), residuals(c, controls)
    return None if e is None or f is None else (e, f)


def atanh_error(x: Sequence[float], y: Sequence[float]) -> tuple[float, float] | None:
    """Correlation in atanh space and its delta-method standard error.

    With z the values standardised (ddof 0), the influence of a row on r is
    ``z_x z_y - r (z_x**2 + z_y**2) / 2``; the error of r is the root of the sum of their squares
    over n, that of atanh r this over 1 - r**2. Null where a side is constant or |r| is 1 up to
    rounding, or the error is zero.
    """
    r = pearson(x, y)
    if r is None or 1 - r * r < 1e-12:
        return None
    n = len(x)
    x_sd, y_sd = math.sqrt(product(x, x) / n), math.sqrt(product(y, y) / n)
    x_mean, y_mean = mean(x), mean(y)
    squares = []
    for p, q in zip(x, y, strict=True):
        u, v = (p - x_mean) / x_sd, (q - y_mean) / y_sd
        squares.append((u * v - r * (u * u + v * v) / 2) ** 2)
    error = math.sqrt(math.fsum(squares)) / n / (1 - r * r)
    return None if error == 0 else (math.atanh(r), error)


def studentised_interval(
    columns: Sequence[Sequence[float]],
    shape: Shape,
    resamples: Resamples,
    level: float = 0.95,
    quantile: Quantile = order_quantile,
) -> tuple[float, float] | None:
    """Bootstrap-t interval of a correlation in atanh space.

    The page: studentised stationary bootstrap in atanh space. Readings: rows of all columns are
    resampled together and the sides (differences, residuals) formed again in each resample;
    ``t* = (atanh r* - atanh r) / s*`` with the delta-method error s of `atanh_error`, in the
    sample and in the resample, which knows no serial dependence (the blocks' spread of t* does);
    bounds ``tanh(atanh r - q s)`` with q the upper, then the lower quantile of t*; the level is
    95 %; quantiles at (R + 1) share, whole for 999; resamples without t* are left out.
    """
    sides = shape(*columns)
    found = None if sides is None else atanh_error(*sides)
    if found is None:
        return None
    centre, error = found
    pivots = []
    for rows in resamples:
        sides = shape(*([column[row] for row in rows] for column in columns))
        star = None if sides is None else atanh_error(*sides)
        if star is not None:
            pivots.append((star[0] - centre) / star[1])
    if not pivots:
        return None
    tail = (1 - level) / 2
    low, high = (centre - quantile(pivots, q) * error for q in (1 - tail, tail))
    return math.tanh(low), math.tanh(high)


def cumulate(returns: Sequence[float]) -> list[float]:
    """Log levels, zero before the first return: one more than the returns."""
    line = [0.0]
    for value in returns:
        line.append(line[-1] + value)
    return line


def sign_path(signs: Sequence[int], renewed: Sequence[bool]) -> list[int]:
    """Signs of one draw: that of `signs` where a block begins, else that of the row before."""
    path: list[int] = []
    for t, sign in enumerate(signs):
        path.append(sign if t == 0 or renewed[t] else path[-1])
    return path


def level_observed(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float | None:
    """Correlation of the two ln RS lines that the returns of a window draw."""
    return pearson(*(cumulate(side) for side in spreads(a, b, c)))


def level_null(
    a: Sequence[float], b: Sequence[float], c: Sequence[float], signs: Iterable[Sequence[int]]
) -> Column:
    """Level correlation of the lines of A/B and A/C under each draw of signs.

    The page: C's returns become those fitted on a plus residuals with block-wise random signs,
    lines cumulated. Readings: a window of w rows of levels holds w - 1 returns, which is what
    the columns hold, so the fit (OLS with intercept) and the signs are of w - 1; signs change
    between blocks of geometric length and are fair; a and b stay as they are. Null without a fit.
    """
    left = residuals(c, [a])
    draws: Column = []
    for path in signs:
        if left is None:
            draws.append(None)
            continue
        made = [now + (sign - 1) * f for now, f, sign in zip(c, left, path, strict=True)]
        draws.append(level_observed(a, b, made))
    return draws


def level_summary(
    observed: float | None, draws: Sequence[float | None], quantile: Quantile = linear_quantile
) -> LevelNull | None:
    """Median, 5 and 95 % of the null and the share of its draws at or above the observed value.

    Readings: the share is one-sided and plain, without the one added in `p_value`; quantiles are
    interpolated as by NumPy; draws without a value are left out.
    """
    there = [value for value in draws if value is not None]
    if observed is None or not there:
        return None
    low, middle, high = (quantile(there, share) for share in (0.05, 0.5, 0.95))
    return LevelNull(middle, low, high, sum(value >= observed for value in there) / len(there))


def block_pivot(
    x: Sequence[float], y: Sequence[float], centre: float, begins: Sequence[bool]
) -> float | None:
    """Distance of a resample's correlation from a centre, in atanh space, by its blocks' spread.

    As `atanh_error`, but what is squared is the influence summed over each block, since blocks
    and not rows are drawn. Null where there is no correlation; infinite where it is one block.
    """
    r = pearson(x, y)
    if r is None or 1 - r * r < 1e-12:
        return None
    n = len(x)
    x_sd, y_sd = math.sqrt(product(x, x) / n), math.sqrt(product(y, y) / n)
    x_mean, y_mean = mean(x), mean(y)
    blocks: list[float] = []
    for p, q, new in zip(x, y, begins, strict=True):
        u, v = (p - x_mean) / x_sd, (q - y_mean) / y_sd
        influence = u * v - r * (u * u + v * v) / 2
        if new:
            blocks.append(influence)
        else:
            blocks[-1] += influence
    if len(blocks) == 1:
        return math.inf
    error = math.sqrt(math.fsum(block**2 for block in blocks)) / n / (1 - r * r)
    return (math.atanh(r) - centre) / error if error > 1e-9 else math.inf


def resampled_variance(values: Sequence[float], block: float) -> float:
    """Variance of the sum of a stationary resample of values of mean zero, by its definition.

    Two places k apart are in one block with probability ``(1 - 1/block)**k`` and then hold rows k
    apart, the first following the last; in two blocks they have nothing to do with each other.
    """
    n, total = len(values), 0.0
    for first in range(n):
        for second in range(n):
            apart = abs(first - second)
            together = (1 - 1 / block) ** apart
            products = (values[row] * values[(row + apart) % n] for row in range(n))
            total += together * math.fsum(products) / n
    return total
