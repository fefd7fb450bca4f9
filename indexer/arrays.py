"""Array types and the axis order used everywhere: sessions run down, symbols run across.

With them what turns an argument into such an array, or refuses it; and functions in place of
numpy's: published numbers must be the same to the last bit on any machine, and whatever is known
beside them. BLAS, behind ``@`` and what is like it, adds up in an order of the processor's own,
numpy's logarithm is another where there is AVX-512, and its sum of a row groups the terms by how
many there are.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Days = NDArray[np.datetime64]  # (T,) dates, ascending, datetime64[D]
Instants = NDArray[np.datetime64]  # (T,) UTC, ascending, datetime64[m]
Dates = NDArray[np.datetime64]  # (sessions, symbols) of dates, NaT where there is none
Vector = NDArray[np.float64]  # one axis: sessions or symbols
Grid = NDArray[np.float64]  # (sessions, symbols)
Cube = NDArray[np.float64]  # (windows, series, series)
AnyArray = NDArray[np.float64]  # of any number of axes
Rows = NDArray[np.int64]  # row or column numbers
Flags = NDArray[np.bool_]  # one yes/no per session or symbol
Mask = NDArray[np.bool_]  # (sessions, symbols) of yes/no

_LARGEST = math.log(np.finfo(float).max)  # beyond it the exponential is infinite


def floats(values: ArrayLike) -> AnyArray:
    """Return numbers as an array of float64, itself where it is one; what a mask hides is NaN.

    Examples
    --------
    >>> floats(np.ma.MaskedArray([1, 2], mask=[False, True])).tolist()
    [1.0, nan]
    """
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    return np.asarray(values, dtype=np.float64)


def vectors(**given: ArrayLike) -> list[Vector]:
    """Return series of one length as C-contiguous arrays of float64; what a mask hides is NaN.

    Parameters
    ----------
    given : (T,) each, by the names they have as arguments

    Raises
    ------
    ValueError
        If one has not one axis, or the lengths differ.

    Examples
    --------
    >>> vectors(a=[1, 2], b=[3, 4])
    [array([1., 2.]), array([3., 4.])]
    """
    found = [floats(values) for values in given.values()]
    shapes = [values.shape for values in found]
    if any(len(shape) != 1 or shape != shapes[0] for shape in shapes):
        names = ", ".join(given)
        raise ValueError(f"expected {names} of one length, (T,), got shapes {shapes}")
    return [np.ascontiguousarray(values) for values in found]


def whole(name: str, numbers: ArrayLike) -> Rows:
    """Return row or column numbers as a C-contiguous array of int64.

    Raises
    ------
    ValueError
        If they have not one axis, one hides behind a mask, or their type is not that of whole
        numbers.

    Examples
    --------
    >>> whole("row", [3, 4])
    array([3, 4])
    """
    found = np.asarray(numbers)
    hidden = np.ma.is_masked(numbers)
    if found.ndim != 1 or hidden or (found.size and found.dtype.kind not in "iu"):
        told = f"expected (n,), none masked, got {found.dtype} {found.shape}"
        raise ValueError(f"{name} is not made of whole numbers: {told}")
    return np.ascontiguousarray(found, dtype=np.int64)


def output(out: Grid | None, shape: tuple[int, ...]) -> Grid:
    """Return the array that results are written to: the one given, or a new one for None.

    Raises
    ------
    ValueError
        If it is no array, has a mask, may not be written to, or is not C-contiguous float64 of
        that shape.
    """
    if out is None:
        return np.empty(shape)
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise ValueError(f"expected an array to write to, got {type(out).__name__}")
    flags = out.flags
    right = out.shape == shape and out.dtype == np.dtype(np.float64)
    if not (right and flags.c_contiguous and flags.writeable):
        found = f"{out.dtype} {out.shape}, strides {out.strides}, writeable={flags.writeable}"
        message = f"expected out to be writeable C-contiguous float64 {shape}, got {found}"
        raise ValueError(message)
    return out


def dot(a: AnyArray, b: AnyArray) -> AnyArray:
    """Return the sums of the products of two arrays along their last axis.

    Examples
    --------
    >>> float(dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    return np.asarray((a * b).sum(axis=-1))


def row_sums(grid: Grid) -> Vector:
    """Return the sum of each row of (T, N) values, one column after the other.

    Columns of zeros, as of lines that are held only later, change no bit of it: numpy's own sum
    of a row groups its terms by how many there are.

    Examples
    --------
    >>> row_sums(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [3.0, 7.0]
    """
    total = np.zeros(len(grid))
    for column in grid.T:
        total += column
    return total


def log(values: Vector) -> Vector:
    """Return the natural logarithms of (T,) values; NaN where there is none, of zero -inf.

    Examples
    --------
    >>> log(np.array([1.0, 0.0, -1.0, np.nan])).tolist()
    [0.0, -inf, nan, nan]
    """
    told = (
        math.log(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan for x in values.tolist()
    )
    return np.fromiter(told, dtype=float, count=len(values))


def expm1(values: Vector) -> Vector:
    """Return ``exp(x) - 1`` of (T,) values, the simple returns of logarithmic ones."""
    found = (math.inf if x > _LARGEST else math.expm1(x) for x in values.tolist())
    return np.fromiter(found, dtype=float, count=len(values))


def or_none(value: float) -> float | None:
    """Return a number, None for NaN, which JSON does not know."""
    return None if math.isnan(value) else float(value)
