"""Rolling correlation, right on constant stretches, large offsets and extreme scales.

Every function takes NaN, what is infinite and what a masked array hides for a missing value; a pair
counts where both sides are there. NaN comes out where fewer than ``min_periods`` pairs (None:
``window``) lie among the last ``window`` positions, or one side is constant over them. Results are
within 1e-10 of exact arithmetic for windows up to 5,000 and values up to 1e300 that are not
subnormal, never beyond one in size, rest on nothing outside their window, and are the same bits
with or without later sessions and with any number of threads (`NUMBA_NUM_THREADS`). A pair's
Pearson correlation is the same bits from any function.

Notes
-----
A window's sums are the end of one block of sessions plus the beginning of the next, so that nothing
is subtracted and an outlier leaves no trace; where a variance is too small beside its sum of
squares, a window is computed alone in two passes about its own first pair.
"""

from collections.abc import Callable
from functools import partial
from operator import index

import numpy as np

from indexer.arrays import Grid, Vector, floats, output, vectors
from indexer.kernels.compile import config
from indexer.kernels.panels import all_pairs, mean_of_pairs, one_pair, one_to_many
from indexer.kernels.ranks import rank_correlation
from indexer.kernels.threads import share
from indexer.kernels.vector import WIDTH

# So many results are done before a second thread has begun.
_WORTH_A_THREAD = 200_000


def rolling_correlation(
    a: Vector, b: Vector, window: int, min_periods: int | None = None
) -> Vector:
    """Return the Pearson correlation of the last ``window`` pairs at each position.

    Parameters
    ----------
    a, b : (T,), any unit
    window : positions looked back over, the current one included, at least 2
    min_periods : fewest complete pairs for an answer, at least 2; None means ``window``

    Returns
    -------
    (T,) in [-1, 1], NaN as the module says.

    Raises
    ------
    ValueError
        If the lengths differ, or window or min_periods is out of range.

    Examples
    --------
    >>> rolling_correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.0]), 3).round(6)
    array([     nan,      nan, 0.981981])
    """
    x, y = _pair(a, b)
    window, least = _windows(len(a), window, min_periods)
    out = np.empty(len(a))
    x, y = x.reshape(-1, 1), y.reshape(-1, 1)
    _in_blocks(partial(one_pair, x, y, window, least, out), len(a), window, len(a), WIDTH)
    return out


def rolling_rank_correlation(
    a: Vector, b: Vector, window: int, min_periods: int | None = None
) -> Vector:
    """Return Spearman's correlation, with average ranks, of the last ``window`` pairs.

    Arguments, result and errors are those of `rolling_correlation`. A session takes time in
    proportion to the window.

    Examples
    --------
    >>> rolling_rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([2.0, 4.0, 3.0]), 3)
    array([nan, nan, 0.5])
    """
    x, y = _pair(a, b)
    window, least = _windows(len(a), window, min_periods)
    out = np.empty(len(a))
    rank_correlation(x, y, window, least, out)
    return out


def correlation_with(x: Grid, y: Vector, window: int, min_periods: int | None = None) -> Grid:
    """Return the correlation of every column with one line.

    Parameters
    ----------
    x : (T, N), any unit
    y : (T,), any unit
    window, min_periods : as in `rolling_correlation`

    Returns
    -------
    (T, N) in [-1, 1], NaN as the module says.

    Raises
    ------
    ValueError
        If the lengths differ, or window or min_periods is out of range.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    >>> correlation_with(x, np.array([2.0, 4.0, 6.0]), 3)[-1]
    array([ 1., -1.])
    """
    x, y = _floats(x), _floats(y)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"expected (T, N) and (T,), got {x.shape=} and {y.shape=}")
    window, least = _windows(len(x), window, min_periods)
    line, out = y.reshape(-1, 1), np.empty(x.shape)
    _in_blocks(partial(one_to_many, x, line, window, least, out), len(x), window, x.size)
    return out


def pairwise_correlation(
    x: Grid, window: int, min_periods: int | None = None, out: Grid | None = None
) -> Grid:
    """Return the correlation of every column with every later one.

    Parameters
    ----------
    x : (T, N), any unit
    window, min_periods : as in `rolling_correlation`
    out : (T, N (N - 1) / 2), C-contiguous float64 without a mask, written and
        returned; None: a new array

    Returns
    -------
    (T, N (N - 1) / 2) in [-1, 1], NaN as the module says; pairs in the order of
    ``numpy.triu_indices(N, 1)``.

    Raises
    ------
    ValueError
        If x is not two-dimensional, out is not as described, or window or min_periods is out of
        range.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0, 1.0], [2.0, 2.0, 0.0], [3.0, 1.0, 1.0]])
    >>> pairwise_correlation(x, 3)[-1].round(9) + 0.0
    array([-1.,  0.,  0.])
    """
    columns = _floats(x)
    if columns.ndim != 2:
        raise ValueError(f"expected (T, N), got {columns.shape=}")
    sessions, symbols = columns.shape
    window, least = _windows(sessions, window, min_periods)
    out = output(out, (sessions, symbols * (symbols - 1) // 2))
    if np.may_share_memory(columns, out):
        raise ValueError("out shares memory with x: what is written would be read again")
    flat = out.reshape(-1)
    _in_blocks(partial(all_pairs, columns, window, least, flat), sessions, window, out.size)
    return out


def mean_pairwise_correlation(x: Grid, window: int) -> Vector:
    """Return the mean correlation of all pairs of columns that are complete over the window.

    Parameters
    ----------
    x : (T, N), any unit
    window : as in `rolling_correlation`

    Returns
    -------
    (T,) in [-1, 1]; NaN where fewer than two columns are complete and not constant.

    Raises
    ------
    ValueError
        If x is not two-dimensional or window is out of range.

    Notes
    -----
    Of N columns scaled to unit length about their means the squared length of the sum is
    ``N + 2 sum(r)``: time in proportion to T N window, not to the N (N - 1) / 2 pairs.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0, 1.0], [2.0, 2.0, 0.0], [3.0, 1.0, 1.0]])
    >>> mean_pairwise_correlation(x, 3).round(6)
    array([      nan,       nan, -0.333333])
    """
    x = _floats(x)
    if x.ndim != 2:
        raise ValueError(f"expected (T, N), got {x.shape=}")
    window, least = _windows(len(x), window, None)
    out = np.full(len(x), np.nan)
    if least > window:  # there are fewer sessions than it asks for
        return out
    _in_blocks(partial(mean_of_pairs, x, window, out), len(x), window, x.size * window)
    return out


def _pair(a: Vector, b: Vector) -> tuple[Vector, Vector]:
    x, y = vectors(a=a, b=b)
    return _floats(x), _floats(y)


def _windows(sessions: int, window: int, min_periods: int | None) -> tuple[int, int]:
    """Return a window no longer than the sessions, which asks for as much, and min_periods."""
    window = index(window)
    least = window if min_periods is None else index(min_periods)
    if window < 2 or not 2 <= least <= window:
        raise ValueError(f"expected 2 <= min_periods <= window, got {least} and {window}")
    most = max(2, sessions)  # what asks for more is never there, however much more it is
    return min(window, most), min(least, most + 1)


def _floats(x: Grid) -> Grid:
    """Return an array as the kernels are compiled for; one that may not be written to is copied."""
    return np.require(floats(x), np.float64, ["C", "W"])


def _in_blocks(
    compute: Callable[[int, int], None], sessions: int, window: int, size: int, together: int = 1
) -> None:
    """Compute all blocks of sessions, so many together, in as many threads as are worth it."""
    blocks = -(-sessions // window)
    pieces = -(-blocks // together)
    threads = max(1, min(config.NUMBA_NUM_THREADS, size // _WORTH_A_THREAD, pieces))
    share(lambda a, z: compute(a * together, min(z * together, blocks)), pieces, threads)
