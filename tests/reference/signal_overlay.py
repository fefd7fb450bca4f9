"""Slow, obvious oracle of the divergence of an overlaid series from an index.

Written from the methodology page (Section 3) alone; ``None`` is null.
"""

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from tests.reference.study import last_score


class Print(NamedTuple):
    """One figure of an overlaid series on the row on which it is first known."""

    row: int
    change: float | None  # log change from the figure before
    index_change: float | None  # of the index between the two rows
    divergence: float | None


def divergence(
    dates: Sequence[date],
    index: Sequence[float],
    announced: Sequence[date],
    values: Sequence[float],
) -> list[Print]:
    """Divergence of each figure of a series, dated by its announcement.

    The page: by announcement date; z-score of the series' log change minus that of the index's
    over the same span. Readings: "that" is the z-score, so two z-scores are subtracted; a change
    runs from one announcement to the next, and the index's from the first row on or after the
    one to the first on or after the other; each z-score is over all changes so far, today's
    included, ddof 1 (no look ahead; the page names no window), so the first has none; figures
    announced before the first row are left out; of figures that fall on one row the last counts.
    """
    known: dict[int, float] = {}
    for day, value in sorted(zip(announced, values, strict=True), key=lambda pair: pair[0]):
        later = [t for t, session in enumerate(dates) if session >= day]
        if day >= dates[0] and later:
            known[later[0]] = value
    found: list[Print] = []
    own: list[float] = []
    others: list[float] = []
    before: int | None = None
    for row, value in known.items():
        if before is None:
            found.append(Print(row, None, None, None))
        else:
            own.append(math.log(value / known[before]))
            others.append(math.log(index[row] / index[before]))
            x, y = last_score(own), last_score(others)
            score = None if x is None or y is None else x - y
            found.append(Print(row, own[-1], others[-1], score))
        before = row
    return found
