"""Slow, obvious oracle of correlation and the ratio family, in exact arithmetic.

Every double is a fraction, so that nothing is rounded before the last root and variance is zero
exactly where it is: a second derivation beside that of `study`, by solved normal equations.
Written from the methodology page (Section 3) alone; ``None`` is null. A column holds the returns
of one window (or the log levels, for `level_correlation`); that short windows are null is the
caller's, by `study.rolling`.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

Exact = list[Fraction]


def exact(values: Sequence[float]) -> Exact:
    """Doubles as fractions."""
    return [Fraction(value) for value in values]


def products(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    """Sum of products of deviations from the means."""
    n = len(x)
    total = sum((p * q for p, q in zip(x, y, strict=True)), Fraction(0))
    return total - sum(x, Fraction(0)) * sum(y, Fraction(0)) / n


def over_root(top: Fraction, square: Fraction) -> float:
    """Quotient of a number by the root of a positive one."""
    return math.copysign(math.sqrt(top * top / square), top)


def correlate(x: Sequence[Fraction], y: Sequence[Fraction]) -> float | None:
    """Pearson correlation of exact columns, null where a side is constant."""
    xx, yy = products(x, x), products(y, y)
    return None if xx == 0 or yy == 0 else over_root(products(x, y), xx * yy)


def pearson(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson correlation; never +-1 for want of variance but null."""
    return correlate(exact(x), exact(y))


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson correlation of ranks, ties at the mean of the ranks they take up."""
    return correlate(ranks(x), ranks(y))


def ranks(values: Sequence[float]) -> Exact:
    """Average ranks from 1, counted off the sorted values."""
    line = sorted(values)
    found = []
    for value in values:
        first = line.index(value) + 1
        found.append(Fraction(first + first + line.count(value) - 1, 2))
    return found


def solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> Exact | None:
    """Solution of a square system by elimination, null where it is singular."""
    n = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for k in range(n):
        pivot = next((j for j in range(k, n) if lines[j][k] != 0), None)
        if pivot is None:
            return None
        lines[k], lines[pivot] = lines[pivot], lines[k]
        for j in range(n):
            if j != k:
                factor = lines[j][k] / lines[k][k]
                lines[j] = [p - factor * q for p, q in zip(lines[j], lines[k], strict=True)]
    return [lines[k][n] / lines[k][k] for k in range(n)]


def coefficients(y: Sequence[Fraction], controls: Sequence[Sequence[Fraction]]) -> Exact | None:
    """OLS coefficients, intercept first; null where intercept and controls are collinear."""
    columns = [[Fraction(1)] * len(y), *controls]
    matrix = [
        [sum((p * q for p, q in zip(u, v, strict=True)), Fraction(0)) for v in columns]
        for u in columns
    ]
    right = [sum((p * q for p, q in zip(u, y, strict=True)), Fraction(0)) for u in columns]
    return solve(matrix, right)


def residuals(y: Sequence[Fraction], controls: Sequence[Sequence[Fraction]]) -> Exact | None:
    """OLS residuals with intercept, null where the controls are collinear."""
    found = coefficients(y, controls)
    if found is None:
        return None
    left = []
    for t, value in enumerate(y):
        fit = found[0]
        for slope, control in zip(found[1:], controls, strict=True):
            fit += slope * control[t]
        left.append(value - fit)
    return left


def partial_correlation(
    b: Sequence[float], c: Sequence[float], *controls: Sequence[float]
) -> float | None:
    """Correlation of the OLS residuals of b and of c on the controls.

    The page has two: given a; given a and the benchmark's return. Reading: residual variance of
    zero, or collinear controls (also a constant a), give null like any zero variance.
    """
    given = [exact(control) for control in controls]
    e, f = residuals(exact(b), given), residuals(exact(c), given)
    return None if e is None or f is None else correlate(e, f)


def residual_statistic(
    b: Sequence[float], c: Sequence[float], *controls: Sequence[float]
) -> float | None:
    """Sum of the products u of both residuals over the root of their squared deviations.

    The page: ``tau = sum u / sqrt(sum (u - mean u)**2)``. Reading: null where u is constant.
    """
    given = [exact(control) for control in controls]
    e, f = residuals(exact(b), given), residuals(exact(c), given)
    if e is None or f is None:
        return None
    u = [p * q for p, q in zip(e, f, strict=True)]
    spread = products(u, u)
    return None if spread == 0 else over_root(sum(u, Fraction(0)), spread)


def ratio_correlation(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float | None:
    """Correlation of a - b with a - c, from the two differences themselves."""
    x = [Fraction(p) - Fraction(q) for p, q in zip(a, b, strict=True)]
    y = [Fraction(p) - Fraction(q) for p, q in zip(a, c, strict=True)]
    return correlate(x, y)


def _parts(
    a: Sequence[float], b: Sequence[float], c: Sequence[float]
) -> tuple[Fraction, Fraction, Fraction] | None:
    p, q, r = exact(a), exact(b), exact(c)
    aa, ab, ac = products(p, p), products(p, q), products(p, r)
    square = (aa - 2 * ab + products(q, q)) * (aa - 2 * ac + products(r, r))
    if aa == 0 or square == 0:
        return None
    null = ab * ac / aa
    return aa - ab - ac + null, products(q, r) - null, square


def ratio_null(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float | None:
    """Shared-leg null: cov(b, c) replaced by cov(a, b) cov(a, c) / var(a).

    The page: the same expression otherwise, so the denominator keeps the actual var(a - b) and
    var(a - c). Reading: null also where a alone is constant (the quotient has no value), though
    the ratio correlation itself then has one.
    """
    parts = _parts(a, b, c)
    return None if parts is None else over_root(parts[0], parts[2])


def ratio_excess(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float | None:
    """Ratio correlation less its null, taken before the roots: nothing cancels."""
    parts = _parts(a, b, c)
    return None if parts is None else over_root(parts[1], parts[2])
