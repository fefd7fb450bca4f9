"""Returns of a pair and of its relative strength over the usual spans up to the last row."""

from typing import NamedTuple

import numpy as np

from indexer.arrays import Days, Rows, Vector, expm1
from indexer.signals.rounding import log_strength

SPANS = (1, 5, 20, 40, 60, 120, 250)
WINDOW = 250  # rows among which the maximum of relative strength is looked for


class Intervals(NamedTuple):
    """Simple returns from some row to the last one, K intervals.

    Attributes
    ----------
    name : (K,) ``rows_n``, ``year_to_date``, ``since_maximum``, ``since_minimum``
    begin : (K,) the row whose levels the returns start from
    leader, follower, strength : (K,) returns of both and of relative strength, fractions of one;
        NaN where one is too large to be a number
    """

    name: tuple[str, ...]
    begin: Rows
    leader: Vector
    follower: Vector
    strength: Vector


def interval_table(days: Days, leader: Vector, follower: Vector) -> Intervals:
    """Return the returns of leader, follower and relative strength up to the last row.

    Parameters
    ----------
    days : (R,) ascending
    leader, follower : (R,) log levels

    Notes
    -----
    Over 1, 5, 20, 40, 60, 120 and 250 rows; ``year_to_date`` from the last row before the last
    one's year; ``since_maximum`` from the maximum of relative strength among the last 250 rows,
    the earliest of equals; ``since_minimum`` from its lowest row after that, likewise. What there
    are too few rows for is left out: so is ``since_maximum`` below 250 rows, and ``since_minimum``
    where the last row is the maximum.
    """
    begins = _begins(days, log_strength(leader, follower))
    begin = np.array(list(begins.values()), dtype=np.int64)
    move_leader, move_follower = (x[-1:] - x[begin] for x in (leader, follower))
    return Intervals(
        tuple(begins),
        begin,
        *map(_simple, (move_leader, move_follower, move_leader - move_follower)),
    )


def _simple(moves: Vector) -> Vector:
    """Return the simple returns of log returns; NaN for infinite ones."""
    found = expm1(moves)
    return np.where(np.isfinite(found), found, np.nan)


def _begins(days: Days, strength: Vector) -> dict[str, int]:
    """Return the first row of each interval there is."""
    rows = len(days)
    found = {f"rows_{span}": rows - 1 - span for span in SPANS if span < rows}
    year = days[-1:].astype("datetime64[Y]")
    earlier = int(np.count_nonzero(days.astype("datetime64[Y]") < year))
    if earlier:
        found["year_to_date"] = earlier - 1
    if rows >= WINDOW:
        maximum = rows - WINDOW + int(np.argmax(strength[-WINDOW:]))
        found["since_maximum"] = maximum
        if maximum < rows - 1:
            found["since_minimum"] = maximum + 1 + int(np.argmin(strength[maximum + 1 :]))
    return found
