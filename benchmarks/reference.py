"""The answers in extended precision: slow, obvious, and written without a look at the kernels.

Every window is taken on its own, in two passes about its own mean, in numbers of 64 significant
bits. The nulls are exact: a side is constant where its largest value is its smallest.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from indexer.arrays import Flags, Grid, Vector

_ROWS = 20_000  # windows at once: a million sessions of sixty would take a gigabyte an array


def require_extended() -> None:
    """Refuse a machine whose long double is a double.

    Raises
    ------
    RuntimeError
        If it has fewer than 64 significant bits: it could not tell a wrong answer from a right one.
    """
    if np.finfo(np.longdouble).eps > 2.0**-63:
        raise RuntimeError("numpy's longdouble has fewer than 64 significant bits on this machine")


def rolling_correlation(a: Vector, b: Vector, window: int, least: int) -> Vector:
    """Return the Pearson correlation of the complete pairs among the last ``window``, (T,)."""
    complete = np.isfinite(a) & np.isfinite(b)
    before = np.full(window - 1, np.nan)
    x, y = (np.concatenate([before, np.where(complete, side, np.nan)]) for side in (a, b))
    out = np.empty(len(a))
    for first in range(0, len(a), _ROWS):
        rows = slice(first, first + _ROWS)
        out[rows] = _correlations(
            sliding_window_view(x, window)[rows], sliding_window_view(y, window)[rows], least
        )
    return out


def _correlations(x: Grid, y: Grid, least: int) -> Vector:
    there = ~np.isnan(x)
    count = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        u, v = _deviations(x, there, count), _deviations(y, there, count)
        found = _products(u, v) / np.sqrt(_products(u, u)) / np.sqrt(_products(v, v))
    null = (count < least) | _constant(x, there) | _constant(y, there)
    return np.where(null, np.nan, found.astype(np.float64))


def _deviations(x: Grid, there: Flags, count: NDArray[np.int64]) -> NDArray[np.longdouble]:
    """Return x less its mean in each row, zero where missing."""
    found = np.where(there, x, 0.0).astype(np.longdouble)
    found -= (found.sum(axis=1) / count)[:, None]
    found[~there] = 0
    return found


def _products(u: NDArray[np.longdouble], v: NDArray[np.longdouble]) -> NDArray[np.longdouble]:
    return np.asarray(np.einsum("ij,ij->i", u, v))


def _constant(x: Grid, there: Flags) -> Flags:
    most, least = np.where(there, x, -np.inf).max(axis=1), np.where(there, x, np.inf).min(axis=1)
    return np.asarray(most <= least)


def pairwise_correlation(values: Grid, window: int, least: int) -> Grid:
    """Return the correlation of every pair of columns in the order of triu_indices, (T, P)."""
    pairs = zip(*np.triu_indices(values.shape[1], 1), strict=True)
    columns = np.ascontiguousarray(values.T)
    found = [rolling_correlation(columns[i], columns[j], window, least) for i, j in pairs]
    return np.column_stack(found)


def correlation_with(values: Grid, one: Vector, window: int, least: int) -> Grid:
    """Return the correlation of every column with one series, (T, N)."""
    columns = np.ascontiguousarray(values.T)
    return np.column_stack([rolling_correlation(x, one, window, least) for x in columns])


def mean_pairwise_correlation(values: Grid, window: int) -> Vector:
    """Return the mean correlation of all pairs of columns that are complete and vary, (T,).

    With columns of unit length about their means, all correlations and N ones sum to the squared
    length of the columns' sum.
    """
    out = np.full(len(values), np.nan)
    for t in range(window - 1, len(values)):
        part = values[t - window + 1 : t + 1].T
        part = part[np.isfinite(part).all(axis=1)]
        part = part[part.max(axis=1) > part.min(axis=1)]
        every = np.ones(part.shape, dtype=bool)
        if len(part) >= 2:
            unit = _deviations(part, every, every.sum(axis=1))
            unit /= np.sqrt(_products(unit, unit))[:, None]
            total = unit.sum(axis=0)
            out[t] = (total @ total - len(unit)) / (len(unit) * (len(unit) - 1))
    return out


class Difference(NamedTuple):
    """How an answer differs from the reference.

    Attributes
    ----------
    error : worst absolute error where both have a value; infinite where the answer is
    lost, invented : nulls where a value must be, and values where null must be
    beyond : correlations outside [-1, 1]
    """

    error: float
    lost: int
    invented: int
    beyond: int

    def right(self, tolerance: float) -> bool:
        """Return whether nulls are exact and the error is within a tolerance."""
        return self.error <= tolerance and not (self.lost or self.invented)


def difference(
    found: Vector | Grid, expected: Vector | Grid, *, relative: bool = False
) -> Difference:
    """Compare an answer with the reference, both of one shape; levels by their relative error.

    Raises
    ------
    ValueError
        If the shapes differ: nothing of such an answer can be trusted.
    """
    if found.shape != expected.shape:
        raise ValueError(f"expected an answer of shape {expected.shape}, got {found.shape}")
    null, absent = np.isnan(found), np.isnan(expected)
    both = ~null & ~absent
    errors = np.abs(found[both] - expected[both])
    if relative:
        errors = errors / np.abs(expected[both])
    return Difference(
        error=float(errors.max(initial=0.0)),
        lost=int((null & ~absent).sum()),
        invented=int((~null & absent).sum()),
        beyond=0 if relative else int((np.abs(found[~null]) > 1.0).sum()),
    )
