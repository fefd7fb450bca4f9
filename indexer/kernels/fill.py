"""Forward fill: the last known value of each column, carried down over what is missing."""

import numpy as np

from indexer.arrays import Grid, floats, output
from indexer.kernels.compile import compiled


def fill_forward(x: Grid, out: Grid | None = None) -> Grid:
    """Return the last known value at each position of each column.

    Parameters
    ----------
    x : (T, N), any unit; NaN is missing, and what a masked array hides; an infinite value is a
        value
    out : (T, N), C-contiguous float64 without a mask, written and returned; ``x`` itself fills in
        place. None means a new array

    Returns
    -------
    (T, N); NaN before the first value of a column.

    Raises
    ------
    ValueError
        If ``x`` is no grid, or ``out`` is no array, is of another shape, type or order, is masked,
        may not be written to, or overlaps ``x`` without being it.

    Notes
    -----
    Into an array that exists it takes about as long as a copy, in place less: each row is read
    once, while the row above it is still in the cache.

    Examples
    --------
    >>> fill_forward(np.array([[np.nan, 1.0], [2.0, np.nan], [np.nan, 3.0]]))
    array([[nan,  1.],
           [ 2.,  1.],
           [ 2.,  3.]])
    """
    values = floats(x)
    if values.ndim != 2:
        raise ValueError(f"expected sessions by symbols, got {values.shape=}")
    values = np.ascontiguousarray(values)
    out = output(out, values.shape)
    if out is not x and np.may_share_memory(values, out):
        raise ValueError("out overlaps x: give x itself, or another array")
    _fill_forward(values, out)
    return out


@compiled()
def _fill_forward(x, out):
    out[:1] = x[:1]
    for t in range(1, x.shape[0]):
        now, before, into = x[t], out[t - 1], out[t]  # as slices the inner loop is vectorised
        for j in range(into.size):
            into[j] = before[j] if np.isnan(now[j]) else now[j]
