"""Rotation of relative strength: where it stands among its weeks, and which way that moves.

In the manner of relative rotation graphs, whose original formulas are not public.
"""

from typing import Literal, NamedTuple

import numpy as np

from indexer.arrays import Days, Flags, Rows, Vector, dot

Quadrant = Literal["", "leading", "weakening", "lagging", "improving"]

WEEKS = 14
CENTRE = 100.0
_STILL = 1e-12  # deviation, as a share of the mean, that is rounding


class Rotation(NamedTuple):
    """Weekly rotation of a pair as known on each of R rows.

    Attributes
    ----------
    row : (W,) the last row of each week
    rs_ratio : (R,) 100 plus the deviations of relative strength from its mean of 14 weeks; NaN
        before the 14th week and where it stood still
    rs_momentum : (R,) the same of the change of rs_ratio since the week before; NaN before the
        28th
    """

    row: Rows
    rs_ratio: Vector
    rs_momentum: Vector

    def reach(self, weeks: int) -> Rows:
        """Return how many rows back the end of the week lies that so many weeks begin with, (R,).

        The present week counts; the first row stands in where there are fewer.
        """
        rows = np.arange(len(self.rs_ratio))
        number = np.searchsorted(self.row, rows)
        begin = number - (weeks - 1)
        first = np.where(begin >= 0, self.row[np.maximum(begin, 0)], 0)
        return np.asarray(rows - first)


def rotation(days: Days, strength: Vector) -> Rotation:
    """Return the weekly rotation of relative strength.

    Parameters
    ----------
    days : (R,) ascending
    strength : (R,) relative strength, not its log

    Notes
    -----
    A week is that of ISO 8601, from Monday on; one without a row is not counted. On each row its
    own week counts as it stands then, the ones before by their last rows: nothing that comes
    later changes a value. With mean and population deviation (``ddof`` 0) of 14 weeks,
    ``rs_ratio = 100 + (RS - mean) / deviation``, and rs_momentum likewise of
    ``rs_ratio_t / rs_ratio_{t-1} - 1``.
    """
    last = week_ends(days)
    row = np.flatnonzero(last)
    number: Rows = np.cumsum(last) - last  # of each row's week, from nought
    rs_ratio = _about_centre(strength, row, number)
    change = np.full(len(days), np.nan)
    later = number > 0
    # A z-score does not see the 1 taken off a growth factor, but tells rounding by its size.
    change[later] = rs_ratio[later] / rs_ratio[row[number[later] - 1]]
    return Rotation(row, rs_ratio, _about_centre(change, row, number))


def week_ends(days: Days) -> Flags:
    """Return whether a row is the last of its week, from Monday on, (R,); the last one always is.

    ``days`` ascend.
    """
    week = (days.astype("datetime64[D]").astype(np.int64) + 3) // 7  # day 0 was a Thursday
    last = np.ones(len(week), dtype=bool)
    last[:-1] = week[1:] != week[:-1]
    return last


def quadrant(rs_ratio: float, rs_momentum: float) -> Quadrant:
    """Return the name of the quadrant about (100, 100); a line belongs to what is above it.

    Empty where either is NaN.

    Examples
    --------
    >>> quadrant(101.0, 100.5), quadrant(101.0, 99.0), quadrant(99.0, 99.0), quadrant(99.0, 101.0)
    ('leading', 'weakening', 'lagging', 'improving')
    """
    if np.isnan(rs_ratio) or np.isnan(rs_momentum):
        return ""
    if rs_ratio >= CENTRE:
        return "leading" if rs_momentum >= CENTRE else "weakening"
    return "improving" if rs_momentum >= CENTRE else "lagging"


def _about_centre(values: Vector, row: Rows, number: Rows) -> Vector:
    """Return 100 plus the z-score of each value among the ends of the 13 weeks before and itself.

    Parameters
    ----------
    values : (R,)
    row : (W,) the last row of each week
    number : (R,) of each row's week
    """
    out = np.full(len(values), np.nan)
    late = np.flatnonzero(number >= WEEKS - 1)
    before = values[row[number[late, None] + np.arange(1 - WEEKS, 0)]]
    part = np.column_stack([before, values[late]])
    mean = part.mean(axis=1)
    centred = part - mean[:, None]
    deviation = np.sqrt(dot(centred, centred) / WEEKS)
    moves = deviation > _STILL * np.abs(mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        out[late] = np.where(moves, CENTRE + centred[:, -1] / deviation, np.nan)
    return out
