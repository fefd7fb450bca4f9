"""Slow, obvious oracle of the interval table and of the half-life of relative strength.

Relative strength, momentum, percentile and z-score are in `study`. Written from the methodology
page (Section 3) alone; ``None`` is null, rows count from 0.
"""

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from tests.reference.study import mean, product, relative_strength

SPANS = (1, 5, 20, 40, 60, 120, 250)


class Interval(NamedTuple):
    """Returns of leader, follower and relative strength from one row to the last one."""

    name: str
    since: int | None  # row from which the returns count
    leader: float | None
    follower: float | None
    relative_strength: float | None


def year_start(dates: Sequence[date]) -> int | None:
    """Last row of an earlier year than the last row's, null where there is none.

    The page says "year to date". Readings: the year is that of the study session, not of the
    level's own date; the return counts from the last row of the year before, so that the year's
    first row is in it; a study that begins inside the year has none.
    """
    earlier = [t for t, day in enumerate(dates) if day.year < dates[-1].year]
    return earlier[-1] if earlier else None


def maximum_row(rs: Sequence[float], window: int = 250) -> int | None:
    """Row of the maximum of the last 250 values of RS.

    Readings: 250 rows include the last one; fewer rows give null, as for any window; of equal
    maxima the first counts, as in the state machine, where only a higher value is a new maximum.
    """
    if len(rs) < window:
        return None
    best = len(rs) - window
    for t in range(best, len(rs)):
        if rs[t] > rs[best]:
            best = t
    return best


def minimum_row(rs: Sequence[float], maximum: int | None) -> int | None:
    """Row of the lowest RS after its maximum.

    Readings: the lowest point is RS's, of the rows strictly after the maximum; a maximum on the
    last row has no row after it, hence null; of equal minima the first counts. It may be the last
    row, which gives returns of zero.
    """
    if maximum is None or maximum + 1 >= len(rs):
        return None
    best = maximum + 1
    for t in range(best, len(rs)):
        if rs[t] < rs[best]:
            best = t
    return best


def interval_table(
    dates: Sequence[date], leader: Sequence[float], follower: Sequence[float], window: int = 250
) -> list[Interval]:
    """Table of returns up to the last row: over n rows, this year, since the maximum and low.

    The page lists 1, 5, 20, 40, 60, 120 and 250 rows. Readings: returns are simple ones,
    ``X_t / X_s - 1`` (other signals say "in log"); RS's own, (1 + A) / (1 + B) - 1; over n rows
    needs n + 1 levels, else null.
    """
    rs = relative_strength(leader, follower)
    last = len(rs) - 1
    peak = maximum_row(rs, window)
    starts: list[tuple[str, int | None]] = [
        (str(n), last - n if last >= n else None) for n in SPANS
    ]
    starts.append(("year to date", year_start(dates)))
    starts.append(("since maximum", peak))
    starts.append(("since low", minimum_row(rs, peak)))
    table = []
    for name, s in starts:
        if s is None:
            table.append(Interval(name, None, None, None, None))
            continue
        table.append(Interval(name, s, *(x[last] / x[s] - 1 for x in (leader, follower, rs))))
    return table


def autoregression(values: Sequence[float]) -> float | None:
    """Slope of the last W - 1 values on the first W - 1, OLS with intercept; null if constant."""
    x, y = values[:-1], values[1:]
    if len(x) < 2 or min(x) == max(x):
        return None
    return product(x, y) / product(x, x)


def half_life(log_rs: Sequence[float], window: int, *, unit_root_rejected: bool) -> float | None:
    """Rows that half of a deviation of ln RS takes to go, from the last `window` values.

    The page: AR(1) with intercept, x2..xW on x1..xW-1, ``-ln 2 / ln phi``, null unless a unit
    root is rejected at 5 % (the test is an input here). Readings: phi <= 0 and phi >= 1 have no
    half-life, hence null; the unit is rows; fewer rows than `window` give null.
    """
    if not unit_root_rejected or len(log_rs) < window:
        return None
    phi = autoregression(log_rs[-window:])
    if phi is None or not 0 < phi < 1:
        return None
    return -math.log(2) / math.log(phi)


def dickey_fuller(values: Sequence[float]) -> float | None:
    """Dickey-Fuller t statistic with constant and without lagged differences.

    The page says "ADF with constant" and names neither the number of lagged differences nor how
    it is chosen; this is the case of none, t of (phi - 1) in the regression of `autoregression`,
    with residual variance over W - 1 - 2. Null where phi or the variance is.
    """
    phi = autoregression(values)
    if phi is None or len(values) < 4:
        return None
    x, y = values[:-1], values[1:]
    alpha = mean(y) - phi * mean(x)
    left = math.fsum((q - alpha - phi * p) ** 2 for p, q in zip(x, y, strict=True))
    if left == 0:
        return None
    return (phi - 1) / math.sqrt(left / (len(x) - 2) / product(x, x))
