"""Slow, obvious oracle of rotation row by row and of its tail; one walk is in `diffusion`.

Written from the methodology page (Section 3) alone; ``None`` is null.
"""

from collections.abc import Sequence
from datetime import date

from tests.reference.diffusion import Week, rotation


def rotation_by_row(dates: Sequence[date], rs: Sequence[float]) -> list[Week]:
    """Rotation as known on every row, its own week counting as one though unfinished.

    The page: weekly closes, an unfinished last week counting as a week. Reading: that holds on
    whichever row the study ends, so every row has a value of its own, that of a study which ends
    there; a later row changes no earlier value, and the last row of each week has the same value
    in either reading.
    """
    return [rotation(dates[: t + 1], rs[: t + 1])[-1] for t in range(len(dates))]


def tail(dates: Sequence[date], rs: Sequence[float], weeks: int = 10) -> list[Week]:
    """Last ten weeks, oldest first, the last one included and finished or not.

    Reading: weeks with both coordinates only, so that a young line has a shorter tail.
    """
    there = [week for week in rotation(dates, rs) if week.momentum is not None]
    return there[-weeks:]
