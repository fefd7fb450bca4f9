"""Compiled drivers of rolling correlation: which windows of which columns, block by block.

Blocks of sessions are independent of each other, so that threads may share them out: whoever
computes a block computes the same bits.
"""

import numpy as np
from numba import uint64

from indexer.kernels.compile import compiled
from indexer.kernels.vector import WIDTH, fused, load, splat, store
from indexer.kernels.windows import (
    DOUBTFUL,
    against,
    alone,
    centre,
    complete,
    fill,
    moments,
    pairwise,
    room,
)

_0, _W = np.uint64(0), np.uint64(WIDTH)
_SUMS = 6 * WIDTH
# Columns whose correlations with one chunk are written in turn: the chunk stays in the nearest
# cache for all of them, and what they write in the next one until its rows are whole.
_STRIP = 8


@compiled(nogil=True)
def one_pair(x, y, window, least, out, first, end):
    """Write the correlations of two columns in some blocks; the lanes are blocks."""
    sessions, w = x.shape[0], window
    z, v, r = room(2 * w * WIDTH), room(2 * w * WIDTH), room(w * WIDTH)
    later = room(w * _SUMS)
    for group in range(first, end, WIDTH):
        _side_by_side(x, group, w, z)
        _side_by_side(y, group, w, v)
        again = pairwise(z, _0, z, v, _0, w, least, later, r, _0, _W, w)
        for lane in range(min(WIDTH, end - group)):
            start = (group + lane) * w
            for t in range(min(w, sessions - start)):
                out[start + t] = r[t * WIDTH + lane]
            for t in range(start, min(sessions, start + w) if again else start):
                if out[t] == DOUBTFUL:
                    out[t] = alone(x, 0, y, 0, t, w, least)


@compiled(nogil=True)
def _side_by_side(x, group, window, z):
    """Lay a chunk's worth of blocks out, a block each lane, the one before it above, and centre."""
    sessions, w = x.shape[0], window
    for lane in range(WIDTH):
        for half in range(2):
            start = (group + lane + half - 1) * w
            known = min(w, sessions - start) if start >= 0 else 0
            at = half * w * WIDTH + lane
            for s in range(known):
                z[at + s * WIDTH] = x[start + s, 0]
            for s in range(max(0, known), w):
                z[at + s * WIDTH] = np.nan if start < 0 else 0.0
    centre(z, 0, w, 0, 2 * w)


@compiled(nogil=True)
def one_to_many(x, y, window, least, out, first, end):
    """Write the correlations of every column of x with the one of y, in some blocks."""
    (sessions, symbols), w = x.shape, window
    z, r, later = room(2 * w * WIDTH), room(w * WIDTH), room(w * _SUMS)
    drift, scale = room(w * WIDTH), room(w * WIDTH)
    own, sides = room((end - first) * 2 * w), room((end - first) * 2 * w)
    sound = np.empty(end - first, dtype=np.bool_)
    for k in range(end - first):
        start = (first + k) * w
        rows = min(w, sessions - start)
        fill(y, 0, 1, 0, start - w, np.nan, z, 2 * w)
        centre(z, 0, w, max(0, w - start), w + rows)
        moments(z, _0, w, drift, scale, _0)
        _transpose(z, drift, scale, w, 0, 0, 0, own, sides, k)
        # Where y lacks a value, is constant or doubtful, it has no scale.
        sound[k] = start > 0 and not np.isnan(sides[2 * k * w : 2 * k * w + rows]).any()
    values, written, stride = x.reshape(-1), out.reshape(-1), uint64(symbols)
    # A chunk of columns goes through all blocks: the block before is still near.
    for c in range(0, symbols, WIDTH):
        columns = min(WIDTH, symbols)
        j = min(c, symbols - columns)  # the last chunk begins within the one before
        for k in range(end - first):
            start, mine = (first + k) * w, uint64(2 * k * w)
            rows = min(w, sessions - start)
            if sound[k] and columns == WIDTH:
                at, to = uint64((start - w) * symbols + j), uint64(start * symbols + j)
                if not against(
                    own, mine, sides, mine, values, at, stride, w, later, written, to, stride, rows
                ):
                    continue
            fill(x, j, columns, 0, start - w, np.nan, z, 2 * w)
            centre(z, 0, w, max(0, w - start), w + rows)
            pairwise(own, mine, None, z, _0, w, least, later, r, _0, _W, rows)
            for t in range(start, start + rows):
                for i in range(j, j + columns):
                    value = r[(t - start) * WIDTH + i - j]
                    alike = value != DOUBTFUL
                    out[t, i] = value if alike else alone(x, i, y, 0, t, w, least)


@compiled(nogil=True)
def _transpose(z, drift, scale, window, at, to, lane, own, sides, i):
    """Lay one column of a chunk out by itself: its values, its scale and its drift."""
    for s in range(2 * window):
        own[2 * i * window + s] = z[at + s * WIDTH + lane]
    for t in range(window):
        sides[2 * i * window + t] = scale[to + t * WIDTH + lane]
        sides[(2 * i + 1) * window + t] = drift[to + t * WIDTH + lane]


@compiled(nogil=True)
def _prepare(x, block, window, before, z, drift, scale, own, sides, whole):
    """Lay a block out, by chunks and by columns, and tell whether any column is doubtful.

    The columns end with the last chunk, so that no row of pairs runs over its end.
    """
    (sessions, symbols), w = x.shape, window
    start = block * w
    rows, begin = min(w, sessions - start), w if block == 0 else 0
    chunks = (symbols + WIDTH - 1) // WIDTH
    pad = chunks * WIDTH - symbols
    doubts = False
    fill(x, 0, symbols, pad, start - w, before, z, 2 * w)
    for c in range(chunks):
        first = pad if c == 0 else 0
        at, to = c * 2 * w * WIDTH, c * w * WIDTH
        lacks = centre(z, at, w, begin, w + rows) or (block == 0 and before != 0.0)
        doubts |= moments(z, uint64(at), w, drift, scale, uint64(to))
        for lane in range(first, WIDTH):
            i = c * WIDTH - pad + lane
            _transpose(z, drift, scale, w, at, to, lane, own, sides, i)
            whole[symbols + c] = not lacks
            whole[i] = not lacks or not np.isnan(own[2 * i * w : 2 * (i + 1) * w]).any()
    return doubts


@compiled(nogil=True)
def all_pairs(x, window, least, out, first, end):
    """Write the correlations of all pairs of columns in some blocks; `out` is flat, row by row."""
    (sessions, symbols), w = x.shape, window
    chunks = (symbols + WIDTH - 1) // WIDTH
    pad = chunks * WIDTH - symbols
    pairs = symbols * (symbols - 1) // 2
    z, own, sides = room(chunks * 2 * w * WIDTH), room(symbols * 2 * w), room(symbols * 2 * w)
    drift, scale = room(chunks * w * WIDTH), room(chunks * w * WIDTH)
    later, r = room(w * _SUMS), room(w * WIDTH)
    whole = np.empty(symbols + chunks, dtype=np.bool_)  # of each column, then of each chunk
    for block in range(first, end):
        start = block * w
        rows = min(w, sessions - start)
        before = 0.0 if block == 0 and least == w else np.nan
        where = start, rows, pad, pairs
        doubts = _prepare(x, block, w, before, z, drift, scale, own, sides, whole)
        for last in range(symbols - 2, -1, -_STRIP):
            low = max(0, last - _STRIP + 1)
            for c in range((pad + low + 1) // WIDTH, chunks):
                for i in range(min(last, (c + 1) * WIDTH - 2 - pad), low - 1, -1):
                    _pairs_of(
                        x, i, c, w, least, where, whole[i] and whole[symbols + c],
                        z, drift, scale, own, sides, later, r, out,
                    )  # fmt: skip
        if doubts:
            _look_again(x, w, least, where, sides, whole, out)
        if block == 0 and least == w:
            out[: min(sessions, w - 1) * pairs] = np.nan


@compiled(nogil=True)
def _pairs_of(
    x, i, c, window, least, where, whole, z, drift, scale, own, sides, later, r, out,
):  # fmt: skip
    """Write one column's correlations with a chunk of columns.

    Lanes of columns up to i are not its pairs: what they write lies where pairs of columns before i
    do, which are written after it. Where that would be another session's, they stay beside.
    """
    w = window
    start, rows, pad, pairs = where
    symbols = x.shape[1]
    # In a session's row the pairs of column i end here, and with them the last chunk.
    ending = (i + 1) * symbols - (i + 1) * (i + 2) // 2
    j = c * WIDTH - pad
    to = ending - (symbols - j)
    skip = max(0, i + 1 - j)
    beside = to < 0
    if beside:
        at, step, written = _0, _W, r
    else:
        at, step, written = uint64(start * pairs + to), uint64(pairs), out
    mine, its, side = uint64(2 * i * w), uint64(c * 2 * w * WIDTH), uint64(c * w * WIDTH)
    if whole:
        complete(
            own, mine, sides, mine, z, its, w, drift, scale, side, later, written, at, step, rows
        )
        again = False
    else:
        again = pairwise(own, mine, None, z, its, w, least, later, written, at, step, rows)
    if beside:
        for t in range(rows):
            for lane in range(skip, WIDTH):
                out[(start + t) * pairs + to + lane] = r[t * WIDTH + lane]
    if again:
        for t in range(start, start + rows):
            for lane in range(skip, WIDTH):
                if out[t * pairs + to + lane] == DOUBTFUL:
                    out[t * pairs + to + lane] = alone(x, i, x, j + lane, t, w, least)


@compiled(nogil=True)
def _look_again(x, window, least, where, sides, whole, out):
    """Write the pairs of columns whose sums do not suffice, one window at a time."""
    start, rows, pad, pairs = where
    symbols = x.shape[1]
    for i in range(symbols):
        for t in range(rows if whole[i] else 0):  # pairs of the others were doubted one by one
            if _is_doubtful(sides, i, window, t):
                steady = _is_constant(x, i, start + t, window)
                for j in range(symbols):
                    a, b = min(i, j), max(i, j)
                    if a == b or not (whole[a] and whole[symbols + (b + pad) // WIDTH]):
                        continue  # doubted one by one
                    pair = (start + t) * pairs + a * (2 * symbols - a - 1) // 2 + b - a - 1
                    out[pair] = np.nan if steady else alone(x, a, x, b, start + t, window, least)


@compiled(nogil=True)
def _is_doubtful(sides, i, window, t):
    return np.isnan(sides[2 * i * window + t]) and not np.isnan(sides[(2 * i + 1) * window + t])


@compiled(nogil=True)
def _is_constant(x, i, last, window):
    return np.all(x[max(0, last - window + 1) : last, i] == x[last, i])


@compiled(nogil=True)
def mean_of_pairs(x, window, out, first, end):
    """Write the mean correlation of all pairs of columns in some blocks.

    The sum over all pairs is ``(|sum of unit deviations| ** 2 - columns) / 2``: one pass over the
    columns, not over the pairs.
    """
    (sessions, symbols), w = x.shape, window
    chunks = (symbols + WIDTH - 1) // WIDTH
    z, sides = room(chunks * 2 * w * WIDTH), room(symbols * 2 * w)
    own = room(symbols * 2 * w + 4 * WIDTH)
    drift, scale = room(chunks * w * WIDTH), room(chunks * w * WIDTH)
    whole = np.empty(symbols + chunks, dtype=np.bool_)
    total = room(w + 4 * WIDTH)
    own[symbols * 2 * w :] = 0.0
    for block in range(first, end):
        start = block * w
        doubts = _prepare(x, block, w, 0.0, z, drift, scale, own, sides, whole)
        for t in range(min(w, sessions - start)):
            if start + t < w - 1:
                out[start + t] = np.nan
                continue
            known = _sum_of_deviations(own, sides, symbols, w, t, total)
            if doubts:
                for i in range(symbols):
                    if _is_doubtful(sides, i, w, t):
                        known += _add_unit_deviations(x, i, start + t, w, total)
            square = 0.0
            for s in range(w):
                square += total[s] * total[s]
            mean = (square - known) / (known * (known - 1.0))
            out[start + t] = max(-1.0, min(1.0, mean)) if known > 1 else np.nan


@compiled(nogil=True)
def _sum_of_deviations(own, sides, symbols, window, t, total):
    """Write the sum of the columns' unit deviations in each session of a window, and count them."""
    w = window
    scales, rows = np.empty(symbols), np.empty(symbols, dtype=np.int64)
    drift, known = 0.0, 0
    for i in range(symbols):
        if not np.isnan(sides[2 * i * w + t]):
            scales[known], rows[known] = sides[2 * i * w + t], 2 * i * w + t + 1
            drift += sides[(2 * i + 1) * w + t]
            known += 1
    root = np.sqrt(float(w))
    n, mean = splat(root), splat(-drift / root)
    for q in range(0, w, 4 * WIDTH):
        # Four vectors of the window at a time, so that a column is read once.
        a = b = c = d = splat(0.0)
        for k in range(known):
            x, at = splat(scales[k]), rows[k] + q
            a = fused(x, load(own, at), a)
            b = fused(x, load(own, at + WIDTH), b)
            c = fused(x, load(own, at + 2 * WIDTH), c)
            d = fused(x, load(own, at + 3 * WIDTH), d)
        store(total, q, fused(n, a, mean))
        store(total, q + WIDTH, fused(n, b, mean))
        store(total, q + 2 * WIDTH, fused(n, c, mean))
        store(total, q + 3 * WIDTH, fused(n, d, mean))
    return known


@compiled(nogil=True)
def _add_unit_deviations(x, i, last, window, total):
    """Add one column's deviations over a window, their squares summing to one, and count it.

    A column that is constant counts for nothing.
    """
    first = last - window + 1
    mean = most = square = 0.0
    for t in range(first, last + 1):
        mean += (x[t, i] - x[first, i]) / window
    for t in range(first, last + 1):
        most = max(most, abs(x[t, i] - x[first, i] - mean))
    if not most > 0.0:
        return 0
    for t in range(first, last + 1):
        square += ((x[t, i] - x[first, i] - mean) / most) ** 2
    for t in range(first, last + 1):
        total[t - first] += (x[t, i] - x[first, i] - mean) / (most * np.sqrt(square))
    return 1
