"""Slow, obvious oracle of gap, lead-lag, rotation and the statistics of members.

Written from the methodology page (Section 3) alone; ``None`` is null.
"""

import math
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import NamedTuple

from tests.reference.study import ZERO, Column, deviation, mean, pearson, product


class Line(NamedTuple):
    """OLS line of y on x with intercept."""

    alpha: float
    beta: float
    residual_sum: float  # of squares; 0 where nothing but rounding is left


class Gap(NamedTuple):
    """Beta-adjusted gap of one row."""

    alpha: float
    beta: float
    gap: float
    gap_z: float | None


class Week(NamedTuple):
    """Rotation of one ISO week, dated on its last row."""

    on: date
    ratio: float | None
    momentum: float | None
    quadrant: str | None


def ols(x: Sequence[float], y: Sequence[float]) -> Line | None:
    """Line of y on x with intercept, null where x is constant."""
    if min(x) == max(x):
        return None
    beta = product(x, y) / product(x, x)
    alpha = mean(y) - beta * mean(x)
    left = [q - (alpha + beta * p) for p, q in zip(x, y, strict=True)]
    total = math.fsum(e * e for e in left)
    return Line(alpha, beta, 0.0 if total <= ZERO * product(y, y) else total)


def beta_gap(
    leader: Sequence[float], follower: Sequence[float], h: int, n: int
) -> list[Gap | None]:
    """Gap over h rows, beta from the n returns that end h rows before.

    `leader` and `follower` are levels.
    """
    a = [math.log(level) for level in leader]
    b = [math.log(level) for level in follower]
    found: list[Gap | None] = []
    for t in range(len(a)):
        if t < h + n:
            found.append(None)
            continue
        window = range(t - h - n + 1, t - h + 1)
        x = [a[r] - a[r - 1] for r in window]
        line = ols(x, [b[r] - b[r - 1] for r in window])
        if line is None:
            found.append(None)
            continue
        move = a[t] - a[t - h]
        gap = line.beta * move - (b[t] - b[t - h])
        spread = h + h**2 / n + (move - h * mean(x)) ** 2 / product(x, x)
        band = math.sqrt(line.residual_sum / (n - 2) * spread)
        score = None if band == 0 else (gap + line.alpha * h) / band
        found.append(Gap(line.alpha, line.beta, gap, score))
    return found


def whiten(returns: Sequence[float]) -> list[float] | None:
    """Residuals of an AR(1) with intercept, one fewer than the returns."""
    line = ols(returns[:-1], returns[1:])
    if line is None or line.residual_sum == 0:
        return None
    return [returns[t] - (line.alpha + line.beta * returns[t - 1]) for t in range(1, len(returns))]


def lead_lag(a: Sequence[float], b: Sequence[float], lags: int = 10) -> dict[int, float | None]:
    """Correlation of the leader k rows earlier with the follower, both whitened, k = 0 too."""
    e, f = whiten(a), whiten(b)
    found: dict[int, float | None] = {}
    for k in range(-lags, lags + 1):
        if e is None or f is None:
            found[k] = None
            continue
        pairs = [(e[t - k], f[t]) for t in range(len(f)) if 0 <= t - k < len(e)]
        found[k] = pearson([p for p, _ in pairs], [q for _, q in pairs])
    return found


def weekly(dates: Sequence[date], values: Sequence[float]) -> list[tuple[date, float]]:
    """Value of the last row of every ISO week, the last week finished or not."""
    last: dict[tuple[int, int], tuple[date, float]] = {}
    for day, value in zip(dates, values, strict=True):
        year, week, _ = day.isocalendar()
        last[year, week] = (day, value)
    return list(last.values())


def _normalised(values: Sequence[float | None], window: int) -> Column:
    found: Column = []
    for t in range(len(values)):
        part = [v for v in values[max(0, t + 1 - window) : t + 1] if v is not None]
        sd = deviation(part, 0) if len(part) == window else None
        found.append(None if sd is None else 100 + (part[-1] - mean(part)) / sd)
    return found


def quadrant(ratio: float, momentum: float) -> str:
    """Quadrant about (100, 100); the axes belong to the upper and the right side."""
    if ratio >= 100:
        return "leading" if momentum >= 100 else "weakening"
    return "improving" if momentum >= 100 else "lagging"


def rotation(dates: Sequence[date], rs: Sequence[float], window: int = 14) -> list[Week]:
    """Rotation of the weekly closes of relative strength."""
    weeks = weekly(dates, rs)
    ratio = _normalised([value for _, value in weeks], window)
    change: Column = [None]
    for now, then in zip(ratio[1:], ratio[:-1], strict=True):
        change.append(None if now is None or then is None else now / then - 1)
    momentum = _normalised(change, window)
    found = []
    for (day, _), x, y in zip(weeks, ratio, momentum, strict=True):
        found.append(Week(day, x, y, None if x is None or y is None else quadrant(x, y)))
    return found


def breadth(members: Sequence[Sequence[float | None]], t: int, window: int) -> float | None:
    """Share of members whose last close is above the mean of their own last `window` closes.

    `members` holds restated closes by session, null without a close; a member with fewer closes
    by session t is left out.
    """
    above: list[bool] = []
    for closes in members:
        own = [close for close in closes[: t + 1] if close is not None][-window:]
        if len(own) == window:
            above.append(own[-1] > mean(own))
    return sum(above) / len(above) if above else None


def breadth_outperform(
    members: Sequence[Sequence[float | None]], leader: Sequence[float], t: int, n: int = 20
) -> float | None:
    """Share of members whose return over n sessions beats the leader's."""
    if t < n:
        return None
    beats: list[bool] = []
    for closes in members:
        now, then = closes[t], closes[t - n]
        if now is not None and then is not None:
            beats.append(now / then > leader[t] / leader[t - n])
    return sum(beats) / len(beats) if beats else None


def diffusion_index(returns: Sequence[float | None]) -> float | None:
    """Share of the members up plus half the share unchanged; null (no trade) is left out."""
    traded = [r for r in returns if r is not None]
    if not traded:
        return None
    return (sum(r > 0 for r in traded) + sum(r == 0 for r in traded) / 2) / len(traded)


def mean_pair_correlation(
    returns: Sequence[Sequence[float | None]], t: int, window: int = 60
) -> float | None:
    """Mean correlation over the pairs of members with complete windows that end on session t."""
    complete: list[list[float]] = []
    for member in returns:
        part = [r for r in member[max(0, t + 1 - window) : t + 1] if r is not None]
        if len(part) == window:
            complete.append(part)
    found = [pearson(x, y) for x, y in combinations(complete, 2)]
    values = [value for value in found if value is not None]
    return mean(values) if values else None


def dispersion(weights: Sequence[float], returns: Sequence[float], index_return: float) -> float:
    """Weighted root mean square of the members' returns about the index's."""
    return math.sqrt(
        math.fsum(w * (r - index_return) ** 2 for w, r in zip(weights, returns, strict=True))
    )
