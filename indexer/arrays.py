"""Array types and the axis order used everywhere: sessions run down, symbols run across."""

import math

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]  # (T,) dates, ascending, datetime64[D]
Instants = NDArray[np.datetime64]  # (T,) UTC, ascending, datetime64[m]
Dates = NDArray[np.datetime64]  # (sessions, symbols) of dates, NaT where there is none
Vector = NDArray[np.float64]  # one axis: sessions or symbols
Grid = NDArray[np.float64]  # (sessions, symbols)
Cube = NDArray[np.float64]  # (windows, series, series)
Rows = NDArray[np.int64]  # row or column numbers
Flags = NDArray[np.bool_]  # one yes/no per session or symbol
Mask = NDArray[np.bool_]  # (sessions, symbols) of yes/no


def or_none(value: float) -> float | None:
    """Return a number, None for NaN, which JSON does not know."""
    return None if math.isnan(value) else float(value)
