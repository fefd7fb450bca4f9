"""Slow, obvious oracle of forward fill: one column at a time, one value at a time."""

import math
from collections.abc import Iterable


def fill(column: Iterable[float]) -> list[float]:
    """Return the last value that was no NaN at each position; NaN before the first."""
    found, last = [], math.nan
    for value in column:
        last = last if math.isnan(value) else value
        found.append(last)
    return found
