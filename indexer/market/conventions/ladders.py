"""Ladders of free float: how much of a company's capital an index counts, as dated data."""

from functools import lru_cache

import numpy as np

from indexer.arrays import Vector
from indexer.market.conventions.dated import rows_of

EDGE = 1e-12  # a ratio this close above an edge still belongs to the band below it


def float_band(ladder: str, ratio: Vector) -> Vector:
    """Return the share of capital that a ladder counts for free-float ratios, (n,) to (n,).

    At or below the first edge a ratio counts as it is.

    Examples
    --------
    >>> float_band("csi-2010", np.array([0.09, 0.438, 0.82])).tolist()
    [0.09, 0.5, 1.0]
    """
    above, counted = _ladder(ladder)
    band = np.searchsorted(above + EDGE, ratio, side="left")
    return np.where(band == 0, ratio, counted[band - 1])


@lru_cache
def _ladder(name: str) -> tuple[Vector, Vector]:
    rows = [row for row in rows_of("ladders") if row["ladder"] == name]
    return (
        np.array([float(row["above"]) for row in rows]),
        np.array([float(row["counted"]) for row in rows]),
    )
