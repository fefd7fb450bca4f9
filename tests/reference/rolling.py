"""Slow, obvious oracles of rolling correlation, and the kinds of line it is hard on.

Every double is a whole number of some power of two, and sums of whole numbers round nothing.
"""

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from indexer.arrays import Vector

Pairs = Sequence[tuple[int, int]]

# The root is taken of an integer this many times the square; it is right to 1e-40.
_SCALE = 10**40
T = 80


def rolling_correlation(
    a: Sequence[float], b: Sequence[float], window: int, least: int
) -> list[float | None]:
    """Pearson correlation of the complete pairs among the last `window`, null below `least`."""
    return _rolling(pearson, wholes(a), wholes(b), window, least)


def rolling_rank_correlation(
    a: Sequence[float], b: Sequence[float], window: int, least: int
) -> list[float | None]:
    """Spearman's correlation of the complete pairs among the last `window`, null below `least`."""
    return _rolling(spearman, wholes(a), wholes(b), window, least)


def mean_correlation(columns: Sequence[Sequence[float]], window: int) -> list[float | None]:
    """Mean correlation of all pairs of columns that are complete over the last `window`."""
    found = [rolling_correlation(*pair, window, window) for pair in combinations(columns, 2)]
    means: list[float | None] = []
    for t in range(len(columns[0])):
        there = [line[t] for line in found if line[t] is not None]
        means.append(math.fsum(there) / len(there) if there else None)
    return means


def vector(found: Sequence[float | None]) -> Vector:
    """Turn what an oracle found into an array, null into NaN."""
    return np.array([np.nan if value is None else value for value in found])


def pearson(pairs: Pairs) -> float | None:
    """Pearson correlation, null where a side is constant."""
    n = len(pairs)
    x, y = sum(p for p, _ in pairs), sum(q for _, q in pairs)
    xx = n * sum(p * p for p, _ in pairs) - x * x
    yy = n * sum(q * q for _, q in pairs) - y * y
    xy = n * sum(p * q for p, q in pairs) - x * y
    if xx == 0 or yy == 0:
        return None
    root = math.isqrt(xy * xy * _SCALE**2 // (xx * yy)) / _SCALE
    return root if xy > 0 else -root


def spearman(pairs: Pairs) -> float | None:
    """Pearson correlation of the average ranks."""
    x, y = (ranks(side) for side in zip(*pairs, strict=True))
    return pearson(list(zip(x, y, strict=True)))


def ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value in order, that of equal ones being their average."""
    ordered = sorted(values)
    # The first of n equal ones stands at f, the last at f + n - 1: twice their average is the sum.
    return [2 * ordered.index(value) + ordered.count(value) + 1 for value in values]


def wholes(line: Sequence[float]) -> list[int | None]:
    """Count a line in a unit that leaves no fraction; null what is not finite."""
    ratios = [value.as_integer_ratio() if math.isfinite(value) else None for value in line]
    parts = max((ratio[1] for ratio in ratios if ratio), default=1)
    numbers = [ratio and ratio[0] * (parts // ratio[1]) for ratio in ratios]
    unit = math.gcd(*(number for number in numbers if number)) or 1
    return [None if number is None else number // unit for number in numbers]


def _rolling(
    statistic: Callable[[Pairs], float | None],
    a: Sequence[int | None],
    b: Sequence[int | None],
    window: int,
    least: int,
) -> list[float | None]:
    found: list[float | None] = []
    for t in range(len(a)):
        span = range(max(0, t - window + 1), t + 1)
        pairs = [(x, y) for k in span if (x := a[k]) is not None and (y := b[k]) is not None]
        found.append(statistic(pairs) if len(pairs) >= least else None)
    return found


def noise(seed: int, count: int = T) -> Vector:
    """Draw from the normal distribution."""
    return np.random.default_rng(seed).standard_normal(count)


def spiked(seed: int, count: int = T) -> Vector:
    """Noise with two errors far beyond it."""
    line = noise(seed, count)
    line[20:21], line[45:46] = 1e12, -1e12
    return line


def stepped(seed: int, count: int = T) -> Vector:
    """Noise that stands still for a while, at a value that is no short binary fraction."""
    line = noise(seed, count)
    line[15:40] = 0.1
    return line


def holed(seed: int, count: int = T) -> Vector:
    """Noise that lacks four values in ten."""
    line = noise(seed, count)
    line[np.random.default_rng(seed + 1000).random(count) < 0.4] = np.nan
    return line


def late(seed: int, count: int = T) -> Vector:
    """Begin after the others."""
    return np.where(np.arange(count) < 13, np.nan, noise(seed, count))


def priced(seed: int, count: int = T) -> Vector:
    """Prices in cents."""
    return np.round(1000 * np.exp(np.cumsum(0.02 * noise(seed, count))), 2)


COMPLETE: dict[str, Callable[..., Vector]] = {
    "noise": noise,
    "offset": lambda seed, count=T: 1e9 + noise(seed, count),
    "prices": priced,
    "logs of prices": lambda seed, count=T: np.log(priced(seed, count)),
    "spikes": spiked,
    "constant stretch": stepped,
    "tiny": lambda seed, count=T: 1e-200 * noise(seed, count),
    "huge": lambda seed, count=T: 1e200 * noise(seed, count),
    "a trend with little else": lambda seed, count=T: np.arange(count) + 1e-6 * noise(seed, count),
    "constant": lambda _, count=T: np.full(count, 0.1),
}
GAPPY: dict[str, Callable[..., Vector]] = {
    "missing": holed,
    "late": late,
    "infinite": lambda seed, count=T: np.where(
        noise(seed, count) > 1, np.inf, -spiked(seed, count)
    ),
    "absent": lambda _, count=T: np.full(count, np.nan),
}
LINES = COMPLETE | GAPPY
