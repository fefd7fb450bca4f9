"""Slow, obvious oracle of the event study.

Written from the methodology page (Section 3) alone; ``None`` is null, rows count from 0.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from tests.reference.diffusion import ols
from tests.reference.study import log_returns

FIRST, LAST = -250, -31
BEFORE, AFTER = -5, 20


class EventStudy(NamedTuple):
    """What one date meant for one index."""

    row: int
    alpha: float
    beta: float
    abnormal: float
    p_abnormal: float
    cumulative: float | None
    placebos: int
    p_cumulative: float | None


def event_row(dates: Sequence[date], day: date) -> int | None:
    """First row on or after the date, null where there is none yet.

    Reading: an event on a day that is no row counts on the next one, where the news first shows.
    """
    later = [t for t, session in enumerate(dates) if session >= day]
    return later[0] if later else None


def rank_p(value: float, others: Sequence[float]) -> float:
    """Share of values as large either way, the value itself counted among them.

    Readings: two-sided by absolute value, not centred; (1 + count) / (n + 1), as elsewhere.
    """
    return (1 + sum(abs(other) >= abs(value) for other in others)) / (len(others) + 1)


def event_study(
    dates: Sequence[date], index: Sequence[float], benchmark: Sequence[float], day: date
) -> EventStudy | None:
    """Abnormal return of a date and around it, against the market model.

    `index` and `benchmark` are levels on the rows of the two. The page: market model on rows
    -250 to -31; AR_0 with p its rank among the estimation window's; CAR -5 to +20 with placebo
    starts and their count. Readings: rows are those of index and benchmark; log returns; OLS
    with intercept over 220 returns, so 251 rows must come before the event, else null; the
    estimation window's abnormal returns are its residuals (in sample); CAR sums 26 rows and is
    null until row +20 is there; a placebo is a sum of 26 rows that lie wholly inside the
    estimation window, one from every row, 195, with the same alpha and beta and no claim of
    independence: they overlap.
    """
    row = event_row(dates, day)
    if row is None or row + FIRST < 1:
        return None
    x, y = log_returns(benchmark), log_returns(index)
    window = range(row + FIRST, row + LAST + 1)
    market = [value for t in window if (value := x[t]) is not None]
    own = [value for t in window if (value := y[t]) is not None]
    line = ols(market, own)
    if line is None:
        return None

    def abnormal(t: int) -> float:
        p, q = x[t], y[t]
        assert p is not None
        assert q is not None
        return q - line.alpha - line.beta * p

    estimated = [abnormal(t) for t in window]
    span = AFTER - BEFORE + 1
    placebos = [sum(estimated[s : s + span]) for s in range(len(estimated) - span + 1)]
    here = abnormal(row)
    p_here = rank_p(here, estimated)
    found = EventStudy(row, line.alpha, line.beta, here, p_here, None, len(placebos), None)
    if row + AFTER >= len(dates):
        return found
    total = sum(abnormal(t) for t in range(row + BEFORE, row + AFTER + 1))
    return found._replace(cumulative=total, p_cumulative=rank_p(total, placebos))
