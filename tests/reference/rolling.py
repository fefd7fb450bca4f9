"""Slow, obvious oracle of rolling correlation: every double is a fraction, nothing is rounded."""

import math
from collections.abc import Sequence
from fractions import Fraction

# The root is taken of an integer this many times the square; it is right to 1e-40.
_SCALE = 10**40


def rolling_correlation(
    a: Sequence[float], b: Sequence[float], window: int, least: int
) -> list[float | None]:
    """Pearson correlation of the complete pairs among the last `window`, null below `least`."""
    found: list[float | None] = []
    for t in range(len(a)):
        span = range(max(0, t - window + 1), t + 1)
        pairs = [(Fraction(a[k]), Fraction(b[k])) for k in span if complete(a[k], b[k])]
        found.append(pearson(pairs) if len(pairs) >= least else None)
    return found


def complete(*values: float) -> bool:
    """Whether none of the values is missing."""
    return not any(math.isnan(value) for value in values)


def pearson(pairs: Sequence[tuple[Fraction, Fraction]]) -> float | None:
    """Pearson correlation, null where a side is constant."""
    n = len(pairs)
    x, y = sum(p for p, _ in pairs), sum(q for _, q in pairs)
    xx = n * sum(p * p for p, _ in pairs) - x * x
    yy = n * sum(q * q for _, q in pairs) - y * y
    xy = n * sum(p * q for p, q in pairs) - x * y
    if xx == 0 or yy == 0:
        return None
    square = Fraction(xy * xy) / (xx * yy)
    root = Fraction(math.isqrt(int(square * _SCALE**2)), _SCALE)
    return float(root if xy > 0 else -root)
