"""The stationary bootstrap: rows resampled in blocks, and studentised statistics of them."""

from typing import NamedTuple

import numpy as np

from indexer.arrays import Mask, Vector, vectors
from indexer.kernels.compile import compiled

RowGrid = np.ndarray[tuple[int, int], np.dtype[np.int64]]


class Resamples(NamedTuple):
    """R resamples of n rows.

    Attributes
    ----------
    row : (R, n) which row stands at each place
    begins : (R, n) whether a block begins there; always at the first place
    """

    row: RowGrid
    begins: Mask


def stationary_rows(
    length: int, block: float, replications: int, rng: np.random.Generator
) -> Resamples:
    """Return resamples of as many rows as there are, in blocks of geometric length.

    Parameters
    ----------
    length : rows, n
    block : mean length of a block, at least one; after the last row comes the first
    replications : R, at least one

    Raises
    ------
    ValueError
        If length, block or replications is below one, or the block is NaN.

    Notes
    -----
    Politis and Romano (1994), "The stationary bootstrap", JASA 89.
    """
    if length < 1 or replications < 1 or not block >= 1.0:
        given = f"{length=}, {block=}, {replications=}"
        raise ValueError(f"expected length, block and replications of at least 1, got {given}")
    shape = (replications, length)
    begins = rng.random(shape) < 1.0 / block
    begins[:, 0] = True
    row = rng.integers(length, size=shape)
    _continue(begins, row)
    return Resamples(row, begins)


def check_resamples(resamples: Resamples, *series: Vector) -> None:
    """Check that resamples are of the rows of (n,) series: compiled bodies read what they name.

    Raises
    ------
    ValueError
        As `check_rows` does, or if the beginnings are of another shape than the rows.
    """
    row, begins = resamples
    if row.shape != begins.shape:
        found = f"{row.shape} and {begins.shape}"
        raise ValueError(f"expected rows and beginnings of (R, n), got {found}")
    check_rows(row, *series)


def check_rows(row: RowGrid, *series: Vector) -> None:
    """Check that (R, n) row numbers are of the rows of (n,) series.

    Raises
    ------
    ValueError
        If there is no row, a shape is another, the rows are no whole numbers, or one is not in the
        series.
    """
    shapes = [np.shape(side) for side in series]
    if row.ndim != 2 or not row.shape[1] or shapes != [row.shape[1:]] * len(series):
        found = f"{', '.join(map(str, shapes))} and resamples of {row.shape}"
        raise ValueError(f"expected (n,), at least one row, and resamples of (R, n), got {found}")
    if row.dtype.kind not in "iu":
        raise ValueError(f"expected resamples of whole numbers, got {row.dtype}")
    if row.size and not 0 <= row.min() <= row.max() < row.shape[1]:
        found = f"{row.min()} to {row.max()}"
        raise ValueError(f"resamples have rows from {found}, outside 0 to {row.shape[1] - 1}")


def studentised_sums(values: Vector, resamples: Resamples) -> Vector:
    """Return what each resample's sum is beside that of the values, in its own deviations, (R,).

    ``sum(v* - mean(v)) / sqrt(sum((v* - mean(v*))**2))``; NaN where all of v* are alike, and
    everywhere if one of the values is NaN, infinite or masked. Raises as `check_resamples` does.
    """
    (values,) = vectors(values=values)
    check_resamples(resamples, values)
    out = np.empty(len(resamples.row))
    _studentised_sums(values, resamples.row, out)
    return out


def correlation_pivots(x: Vector, y: Vector, centre: float, resamples: Resamples) -> Vector:
    """Return how far each resample's correlation is from a centre, in its own deviations, (R,).

    Parameters
    ----------
    x, y : (n,)
    centre : in atanh space

    Returns
    -------
    (R,) ``(atanh r* - centre) / s*``; NaN where a side of a resample is constant, or it is one
    block, or has a pair with a side that is NaN, infinite or masked; not finite where its
    correlation is one in size.

    Raises
    ------
    ValueError
        As `check_resamples` does.

    Notes
    -----
    ``s*`` is from the sums of the correlation's influence over each block, as blocks and not rows
    are what is drawn (Götze and Künsch 1996, "Second-order correctness of the blockwise
    bootstrap for stationary observations", Annals of Statistics 24).
    """
    x, y = vectors(x=x, y=y)
    check_resamples(resamples, x, y)
    out = np.empty(len(resamples.row))
    _pivots(x, y, centre, *resamples, out)
    return out


def rank_pivots(x: Vector, y: Vector, centre: float, resamples: Resamples) -> Vector:
    """Return the same as `correlation_pivots` for Spearman's: each resample is ranked anew.

    Raises as `check_resamples` does.
    """
    x, y = vectors(x=x, y=y)
    check_resamples(resamples, x, y)
    out = np.empty(len(resamples.row))
    places = [np.unique(side, return_inverse=True)[1].astype(np.int64) for side in (x, y)]
    _rank_pivots(places[0], places[1], centre, *resamples, out)
    lacking = ~(np.isfinite(x) & np.isfinite(y))
    if lacking.any():  # the body knows places only, and NaN has the last one
        out[lacking[resamples.row].any(axis=1)] = np.nan
    return out


@compiled(nogil=True)
def _continue(begins, row):
    """Let each row that begins no block be the one after its neighbour."""
    for r in range(row.shape[0]):
        for k in range(1, row.shape[1]):
            if not begins[r, k]:
                after = row[r, k - 1] + 1
                row[r, k] = after if after < row.shape[1] else 0


@compiled(nogil=True)
def _studentised_sums(values, row, out):
    n = values.size
    mean = values.mean()
    for r in range(row.shape[0]):
        drawn = values[row[r]]
        if np.all(drawn == drawn[0]):
            out[r] = np.nan
            continue
        total = 0.0
        for k in range(n):
            total += drawn[k] - mean
        square = 0.0
        for k in range(n):
            square += (drawn[k] - mean - total / n) ** 2
        out[r] = total / np.sqrt(square)


@compiled(nogil=True)
def _pivots(x, y, centre, row, begins, out):
    n = x.size
    one, two = np.empty(n), np.empty(n)
    for r in range(row.shape[0]):
        for k in range(n):
            one[k], two[k] = x[row[r, k]], y[row[r, k]]
        out[r] = _pivot(one, two, centre, begins[r])


@compiled(nogil=True)
def _rank_pivots(x, y, centre, row, begins, out):
    n = x.size
    one, two, rank = np.empty(n), np.empty(n), np.empty(n)
    for r in range(row.shape[0]):
        _ranks(x, row[r], rank)
        for k in range(n):
            one[k] = rank[x[row[r, k]]]
        _ranks(y, row[r], rank)
        for k in range(n):
            two[k] = rank[y[row[r, k]]]
        out[r] = _pivot(one, two, centre, begins[r])


@compiled(nogil=True)
def _ranks(place, row, rank):
    """Write the average rank, within a resample, of each place of the whole sample's order."""
    rank[:] = 0.0
    for k in range(row.size):
        rank[place[row[k]]] += 1.0
    below = 0.0
    for p in range(rank.size):
        alike = rank[p]
        rank[p] = below + (alike + 1.0) / 2.0
        below += alike


@compiled(nogil=True)
def _pivot(x, y, centre, begins):
    n = x.size
    # By what they are: their sums are rounding, and would pass for small numbers.
    if begins.sum() == 1 or np.all(x == x[0]) or np.all(y == y[0]):
        return np.nan
    mx, my = x.mean(), y.mean()
    xx = yy = xy = 0.0
    for k in range(n):
        xx += (x[k] - mx) ** 2
        yy += (y[k] - my) ** 2
        xy += (x[k] - mx) * (y[k] - my)
    r = xy / np.sqrt(xx * yy)
    square = block = 0.0
    for k in range(n):
        if begins[k]:
            square += block * block
            block = 0.0
        p, q = (x[k] - mx) / np.sqrt(xx), (y[k] - my) / np.sqrt(yy)
        block += p * q - 0.5 * r * (p * p + q * q)
    square += block * block
    return (np.arctanh(r) - centre) * (1.0 - r * r) / np.sqrt(square)
