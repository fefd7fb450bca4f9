"""Levels of many indices over one panel, price and total return, in one pass over its sessions."""

from typing import Any, NamedTuple

import numpy as np

from indexer.arrays import Grid, Rows, Vector, floats, vectors, whole
from indexer.kernels.blocks import chain_values, value_baskets
from indexer.kernels.threads import share
from indexer.kernels.vector import WIDTH


class Batch(NamedTuple):
    """Indices and their rebalances: B indices, R rebalances, M constituents, one after another.

    Attributes
    ----------
    first : (B + 1,) where the rebalances of each index begin; the first of them is its base
    effective : (R,) sessions after whose close each basket counts, ascending within an index
    reference : (R,) sessions at whose close the weights hold; -1 where they are index shares
    start : (R + 1,) where the constituents of each rebalance begin
    column : (M,) constituents
    weight : (M,) weights, of which only the proportions count, or index shares
    """

    first: Rows
    effective: Rows
    reference: Rows
    start: Rows
    column: Rows
    weight: Vector


class Income(NamedTuple):
    """Ordinary dividends, those of one column after those of another, each in order of sessions.

    Attributes
    ----------
    start : (N + 1,) where the dividends of each column begin
    row : (D,) session on which each takes effect
    amount : (D,) index currency per share, in the terms of the panel's worth
    """

    start: Rows
    row: Rows
    amount: Vector


class Levels(NamedTuple):
    """Levels of a batch, stored index by index.

    Attributes
    ----------
    price, total : (T, B) price and total return, NaN before the base; no total without income
    """

    price: Grid
    total: Grid | None


def batch_levels(
    worth: Grid,
    batch: Batch,
    income: Income | None = None,
    *,
    base: float = 1000.0,
    threads: int = 1,
) -> Levels:
    """Return the levels that follow from holding each index's baskets one after another.

    From an effective session e to the next, ``level = level_e * value / value_e`` with
    ``value = sum(shares * worth)`` and ``shares = weight / worth_reference``.

    Parameters
    ----------
    worth : (T, N), index currency per share, restated so that splits and the like are in it
        Carried forward by the caller where a constituent does not trade. Does not count under a
        weight of zero. NaN under another makes the level of that session NaN; at the reference or
        the effective close it makes every later level NaN. An infinite one is no price: levels
        that it touches are NaN or zero.
    batch : what to hold from when on
        A basket of no constituents, or of weights of zero alone, makes every later level NaN.
    income : what total return reinvests at the close of its session
        On a session without a price level it makes every later total NaN.
    base : level of each index at its base
    threads : each takes a stretch of the sessions, then some of the indices; same bits

    Raises
    ------
    ValueError
        If shapes disagree, sessions or offsets do not ascend, are no whole numbers, or lie outside
        the panel.

    Notes
    -----
    ``total = price * product(1 + income / value)``: the daily chain of S&P Dow Jones Indices,
    ``total_t / total_s = (value_t + income_t) / value_s``, with the price return taken out.

    Examples
    --------
    >>> worth = np.array([[10.0, 20.0], [11.0, 20.0], [11.0, 22.0]])
    >>> basket = [np.array(part) for part in ([0, 1], [0], [0], [0, 2], [0, 1], [0.5, 0.5])]
    >>> batch_levels(worth, Batch(*basket)).price.round(9).tolist()
    [[1000.0], [1050.0], [1100.0]]
    """
    worth, batch = floats(worth), Batch(*_arrays(batch))
    _check(worth, batch, threads)
    if income is not None:
        income = Income(*_arrays(income))
        _check_income(worth, income)
    sessions, symbols = worth.shape
    indices = len(batch.first) - 1
    none = np.zeros(0, dtype=np.int64)
    paid = income or Income(np.zeros(symbols + 1, dtype=np.int64), none, none.astype(float))
    panel = np.ascontiguousarray(worth).ravel()
    first, effective, *baskets = _unsigned(batch)
    end, room, blocks = _ends(sessions, batch), _rooms(batch), _blocks(sessions, batch)
    # Read row by row, a column costs six times what it costs laid out among all of them.
    every = 6 * len(batch.column) * indices > len(effective) * symbols
    laid_out = WIDTH * symbols if every else 0
    opening = np.empty(len(effective))  # value of each basket at its effective close
    price = np.empty(indices * sessions)  # values, until they are chained
    total = np.empty(0 if income is None else price.size)  # income, until it is chained
    described: tuple[Any, ...] = (
        *(panel, np.uint64(sessions), np.uint64(symbols), first, effective, end),
        *(*baskets, *_unsigned(paid), room, every),
    )

    def value(a: int, z: int) -> None:
        part = blocks[a : z + 1]
        value_baskets(*described, part, _aligned(laid_out), opening, price, total)

    def chain(a: int, z: int) -> None:
        own = slice(a * sessions, z * sessions)
        given = (first[a : z + 1], effective, end, opening, float(base), np.uint64(sessions))
        chain_values(*given, price[own], total[own])

    share(value, len(blocks) - 1, threads)
    share(chain, indices, threads)
    shape = (indices, sessions)
    return Levels(price.reshape(shape).T, None if income is None else total.reshape(shape).T)


def _check(worth: Grid, batch: Batch, threads: int) -> None:
    if worth.ndim != 2:
        raise ValueError(f"worth is no grid of sessions by symbols: {worth.shape=}")
    if threads < 1:
        raise ValueError(f"expected threads >= 1, got {threads=}")
    rebalances, constituents = len(batch.effective), len(batch.column)
    lengths = (len(batch.reference), len(batch.start) - 1, len(batch.weight))
    if lengths != (rebalances, rebalances, constituents):
        told = {name: len(part) for name, part in zip(Batch._fields, batch, strict=True)}
        raise ValueError(f"lengths of a batch do not fit: {told}")
    _check_offsets("first", batch.first, 1, rebalances)
    _check_offsets("start", batch.start, 0, constituents)
    _check_inside("effective", batch.effective, 0, len(worth))
    _check_inside("reference", batch.reference, -1, len(worth))
    _check_inside("column", batch.column, 0, worth.shape[1])
    _check_order("effective", batch.effective, 1, batch.first)


def _check_income(worth: Grid, income: Income) -> None:
    lengths = len(income.start) - 1, len(income.amount)
    if lengths != (worth.shape[1], len(income.row)):
        told = {name: len(part) for name, part in zip(Income._fields, income, strict=True)}
        raise ValueError(f"lengths of income do not fit: {told}, {worth.shape=}")
    _check_offsets("income.start", income.start, 0, len(income.row))
    _check_inside("income.row", income.row, 0, len(worth))
    _check_order("income.row", income.row, 0, income.start)


def _check_offsets(name: str, offsets: Rows, least: int, end: int) -> None:
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != end or _any_below(offsets, least):
        raise ValueError(f"{name} does not go from 0 to {end} in steps of at least {least}")


def _any_below(offsets: Rows, least: int) -> bool:
    return bool(np.any(np.diff(offsets) < least))


def _check_inside(name: str, values: Rows, low: int, end: int) -> None:
    """Raise where a value lies outside; as an unsigned one it can only be too large: one pass."""
    above = (values - low if low else values).view(np.uint64)
    if len(values) and above.max() >= end - low:
        found = f"{values.min()} to {values.max()}"
        raise ValueError(f"{name} reaches from {found}, outside {low} to {end - 1}")


def _check_order(name: str, rows: Rows, least: int, offsets: Rows) -> None:
    """Raise where rows between two offsets do not ascend by at least so much."""
    steps = np.diff(rows)
    steps[offsets[(offsets > 0) & (offsets < len(rows))] - 1] = least
    if np.any(steps < least):
        raise ValueError(f"{name} does not ascend at {int(np.argmin(steps >= least)) + 1}")


def _arrays(parts: Batch | Income) -> list[Any]:
    *rows, amounts = parts
    *names, last = type(parts)._fields
    return [*map(whole, names, rows), *vectors(**{last: amounts})]


def _unsigned(parts: Batch | Income) -> list[Any]:
    """Return arrays for a compiled body; a reference of -1 becomes the largest number there is."""
    *rows, amounts = parts
    return [*(part.view(np.uint64) for part in rows), amounts]


def _ends(sessions: int, batch: Batch) -> Any:
    """Return the session before which each basket ends, its successor's first one."""
    end = np.append(batch.effective[1:], 0) + 1
    end[batch.first[1:] - 1] = sessions
    return end.astype(np.uint64)


def _rooms(batch: Batch) -> Rows:
    """Return where the constituents of each index are kept, groups of eight whole."""
    most = np.maximum.reduceat(np.diff(batch.start), batch.first[:-1])
    return np.cumsum([0, *(most + 7) // 8 * 8]).astype(np.uint64)


def _aligned(size: int) -> Vector:
    """Return zeros that begin where a cache line does: a vector across two lines is read twice."""
    room = np.zeros(size + 8)
    skip = -room.ctypes.data // 8 % 8
    return room[skip : skip + size]


def _blocks(sessions: int, batch: Batch) -> Rows:
    """Return where each block of sessions begins, and the end of the last one.

    A block ends where half of the indices rebalance: one that they straddle is summed twice.
    """
    rebalancing = np.bincount(batch.effective, minlength=sessions)
    row = np.arange(sessions)
    edge = np.zeros(sessions, dtype=np.int64)
    edge[1:] = np.where(2 * rebalancing[:-1] >= len(batch.first) - 1, row[1:], 0)
    begins = (row - np.maximum.accumulate(edge)) % WIDTH == 0
    return np.append(np.flatnonzero(begins), sessions).astype(np.uint64)
