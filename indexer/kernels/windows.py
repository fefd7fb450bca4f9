"""Compiled bodies of rolling correlation: windows of a row of lanes at once.

Sessions are cut into blocks as long as the window. A window that ends in a block is the end of the
block before it and the beginning of its own, so its sums are one sum backwards plus one forwards:
nothing is ever subtracted, and what has left a window leaves no trace in it. Values count from the
column's last one of the block before, so that a large offset is gone before anything is squared.
Where a variance is still too small against its sum of squares, the window is looked at alone.

A panel lies in chunks of WIDTH columns, two blocks w of rows each: value `lane` of `row` in `chunk`
is ``z[(chunk * 2 * w + row) * WIDTH + lane]``.
"""

import numpy as np
from numba import uint64

from indexer.kernels.compile import compiled
from indexer.kernels.vector import (
    WIDTH,
    finite,
    fused,
    inverse_root,
    known,
    load,
    select,
    some,
    splat,
    store,
)

# A variance above this share of its sum of squares has lost two digits of sixteen, and what the
# rounding of a long window adds up to another two.
_SHARE = 1e-2
# Products of two sums of squares within these neither vanish nor overflow.
_LEAST, _MOST = 1e-140, 1e140
# Stands for a window that has to be looked at alone: no correlation is 2.
DOUBTFUL = 2.0

_W = np.uint64(WIDTH)
_1 = np.uint64(1)
_2W, _3W, _4W, _5W, _6W = (np.uint64(n * WIDTH) for n in range(2, 7))


@compiled(nogil=True)
def alone(x, i, y, j, last, window, least):
    """Return the correlation of columns i and j over one window, in passes about its first pair.

    Scaled by the largest deviation: squares neither overflow nor vanish, and those of a constant
    are zero exactly.
    """
    first = max(0, last - window + 1)
    count = 0
    x0 = y0 = x_sum = y_sum = 0.0
    for t in range(first, last + 1):
        if np.isfinite(x[t, i]) and np.isfinite(y[t, j]):
            if count == 0:
                x0, y0 = x[t, i], y[t, j]
            x_sum += x[t, i] - x0
            y_sum += y[t, j] - y0
            count += 1
    if count < least:
        return np.nan
    x_mean, y_mean = x_sum / count, y_sum / count
    x_most = y_most = 0.0
    for t in range(first, last + 1):
        if np.isfinite(x[t, i]) and np.isfinite(y[t, j]):
            x_most = max(x_most, abs(x[t, i] - x0 - x_mean))
            y_most = max(y_most, abs(y[t, j] - y0 - y_mean))
    if not (x_most > 0.0 and y_most > 0.0):
        return np.nan
    xx = yy = xy = 0.0
    for t in range(first, last + 1):
        if np.isfinite(x[t, i]) and np.isfinite(y[t, j]):
            a = (x[t, i] - x0 - x_mean) / x_most
            b = (y[t, j] - y0 - y_mean) / y_most
            xx += a * a
            yy += b * b
            xy += a * b
    return max(-1.0, min(1.0, xy / np.sqrt(xx * yy)))


@compiled(nogil=True)
def room(size):
    """Return an array whose first value begins a cache line: no vector lies across three."""
    given = np.empty(size + 8)
    first = -(given.ctypes.data // 8) % 8
    return given[first : first + size]


@compiled(nogil=True)
def fill(x, j, columns, lane, first, before, z, rows):
    """Copy columns into chunks from one lane on, from a session on.

    Lanes they leave repeat the first, so that none is constant or lacks a value for no reason. Rows
    before the first session hold `before`, those after the last one 0. A row is copied whole
    before the next: the nearer its values lie together, the faster they come.
    """
    sessions, symbols = x.shape
    flat = x.reshape(-1)
    for s in range(rows):
        t = first + s
        inside = 0 <= t < sessions
        for c in range((lane + columns + WIDTH - 1) // WIDTH):
            to, k = (c * rows + s) * WIDTH, c * WIDTH - lane
            if inside and k >= 0 and k + WIDTH <= columns:
                store(z, to, load(flat, t * symbols + j + k))
            else:
                outside = before if t < 0 else 0.0
                store(z, to, splat(x[t, j] if inside else outside))
                if inside:
                    for i in range(max(0, k), min(columns, k + WIDTH)):
                        z[to + i - k] = x[t, j + i]


@compiled(nogil=True)
def centre(z, at, window, start, end):
    """Count a chunk's values from a middle, mark what is missing, and tell whether anything is.

    Rows start to end hold sessions. The middle is the last value before the block, or else the
    first in it: a later session changes nothing.
    """
    nothing, zero = splat(np.nan), splat(0.0)
    middle = nothing
    for s in range(start, min(window, end)):
        value = load(z, at + s * WIDTH)
        middle = select(finite(value), value, middle)
    for s in range(window, end):
        value = load(z, at + s * WIDTH)
        middle = select(known(middle), middle, select(finite(value), value, nothing))
    missing = zero
    for s in range(start, end):
        value = load(z, at + s * WIDTH)
        there = finite(value)
        store(z, at + s * WIDTH, select(there, value - middle, nothing))
        missing = select(there, missing, splat(1.0))
    return some(missing > zero)


@compiled(nogil=True)
def moments(z, at, window, drift, scale, to):
    """Write what one side brings to a correlation, for each session of the block.

    ``r = (n * sum(x y)) * (scale_x * scale_y) - drift_x * drift_y``, with the inverse roots of the
    variances in scale and the sums in drift. Where the sums do not suffice, as those of a constant
    never do, scale is NaN and drift is not; where a value is missing both are. Tell whether any is
    doubtful.
    """
    w = uint64(window)
    n, zero, one = splat(float(window)), splat(0.0), splat(1.0)
    nothing = splat(np.nan)
    share, least_sum, most_sum = splat(_SHARE), splat(_LEAST), splat(_MOST)
    total, square = zero, zero
    for k in range(w):
        s = w - _1 - k
        store(drift, to + s * _W, total)
        store(scale, to + s * _W, square)
        value = load(z, at + s * _W)
        total = total + value
        square = fused(value, value, square)
    total, square = zero, zero
    doubts = zero
    for t in range(w):
        value = load(z, at + (w + t) * _W)
        total = total + value
        square = fused(value, value, square)
        x = total + load(drift, to + t * _W)
        xx = n * (square + load(scale, to + t * _W))
        variance = xx - x * x
        sound = (variance > share * xx) & (xx > least_sum) & (xx < most_sum)
        inverse = select(sound, inverse_root(variance), nothing)
        doubtful = select(sound, zero, select(known(x), one, zero))
        store(drift, to + t * _W, select(doubtful > zero, one, x * inverse))
        store(scale, to + t * _W, inverse)
        doubts = doubts + doubtful
    return some(doubts > zero)


@compiled(nogil=True)
def complete(
    own, i, sides, side, z, at, window, drift, scale, of, later, out, to, step, rows,
):  # fmt: skip
    """Write one column's correlations with a chunk of columns, where nothing is missing."""
    w = uint64(window)
    n, one, minus = splat(float(window)), splat(1.0), splat(-1.0)
    total = splat(0.0)
    store(later, (w - _1) * _W, total)
    for k in range(w - _1):
        s = w - _1 - k
        total = fused(splat(own[i + s]), load(z, at + s * _W), total)
        store(later, (s - _1) * _W, total)
    total = splat(0.0)
    for t in range(uint64(rows)):
        total = fused(splat(own[i + w + t]), load(z, at + (w + t) * _W), total)
        row = t * _W
        both = splat(sides[side + t]) * load(scale, of + row)
        mean = splat(sides[side + w + t]) * load(drift, of + row)
        r = n * (total + load(later, row)) * both - mean
        r = select(r > one, one, r)
        store(out, to, select(r < minus, minus, r))
        to += step


@compiled(nogil=True)
def against(own, i, sides, side, x, at, stride, window, later, out, to, step, rows):
    """Write one column's correlations with a chunk as it lies in a panel, a row each `stride`.

    DOUBTFUL where the chunk lacks a value or the sums do not suffice; tell whether any is.
    """
    w = uint64(window)
    n, zero, one, minus = splat(float(window)), splat(0.0), splat(1.0), splat(-1.0)
    share, least_sum, most_sum = splat(_SHARE), splat(_LEAST), splat(_MOST)
    middle = load(x, at + (w - _1) * stride)
    total = square = product = worst = zero
    for k in range(w):
        s = w - _1 - k
        store(later, s * _3W, total)
        store(later, s * _3W + _W, square)
        store(later, s * _3W + _2W, product)
        value = load(x, at + s * stride) - middle
        total = total + value
        square = fused(value, value, square)
        product = fused(splat(own[i + s]), value, product)
    total = square = product = zero
    for t in range(uint64(rows)):
        value = load(x, at + (w + t) * stride) - middle
        total = total + value
        square = fused(value, value, square)
        product = fused(splat(own[i + w + t]), value, product)
        sums = total + load(later, t * _3W)
        squares = n * (square + load(later, t * _3W + _W))
        products = n * (product + load(later, t * _3W + _2W))
        variance = squares - sums * sums
        sound = (variance > share * squares) & (squares > least_sum) & (squares < most_sum)
        scale = inverse_root(variance)
        mean = splat(sides[side + w + t]) * (sums * scale)
        r = products * (splat(sides[side + t]) * scale) - mean
        r = select(r > one, one, r)
        r = select(sound, select(r < minus, minus, r), splat(DOUBTFUL))
        worst = select(r > worst, r, worst)
        store(out, to, r)
        to += step
    return some(worst > one)


@compiled(nogil=True)
def pairwise(own, i, x, y, j, window, least, later, out, to, step, rows):
    """Write correlations over complete pairs, of a chunk y with a chunk x or with one column.

    The column is `own`, where x is None. NaN below `least` pairs, DOUBTFUL where sums do not
    suffice; tell whether any is.
    """
    w = uint64(window)
    zero, nothing = splat(0.0), splat(np.nan)
    enough, worst = splat(least - 0.5), zero
    sums = (zero, zero, zero, zero, zero, zero)
    for k in range(w):
        s = w - _1 - k
        before = s * _6W
        store(later, before, sums[0])
        store(later, before + _W, sums[1])
        store(later, before + _2W, sums[2])
        store(later, before + _3W, sums[3])
        store(later, before + _4W, sums[4])
        store(later, before + _5W, sums[5])
        a = splat(own[i + s]) if x is None else load(x, i + s * _W)
        sums = _with_pair(sums, a, load(y, j + s * _W))
    sums = (zero, zero, zero, zero, zero, zero)
    for t in range(uint64(rows)):
        s = w + t
        a = splat(own[i + s]) if x is None else load(x, i + s * _W)
        sums = _with_pair(sums, a, load(y, j + s * _W))
        r = _correlation(sums, later, t * _6W)
        worst = select(r > worst, r, worst)
        count = sums[0] + load(later, t * _6W)
        store(out, to, select(count > enough, r, nothing))
        to += step
    return some(worst > splat(1.0))


@compiled(nogil=True)
def _with_pair(sums, a, b):
    """Return count, sums, squares and products with one more pair where both sides are there."""
    zero = splat(0.0)
    pair = known(a) & known(b)
    a, b = select(pair, a, zero), select(pair, b, zero)
    return (
        sums[0] + select(pair, splat(1.0), zero),
        sums[1] + a,
        sums[2] + b,
        fused(a, a, sums[3]),
        fused(b, b, sums[4]),
        fused(a, b, sums[5]),
    )


@compiled(nogil=True)
def _correlation(sums, later, at):
    """Return the correlation from the sums of a window's parts; DOUBTFUL where they cancel."""
    n = sums[0] + load(later, at)
    x, y = sums[1] + load(later, at + _W), sums[2] + load(later, at + _2W)
    xx = n * (sums[3] + load(later, at + _3W))
    yy = n * (sums[4] + load(later, at + _4W))
    vx, vy = xx - x * x, yy - y * y
    xs, ys = inverse_root(vx), inverse_root(vy)
    r = n * (sums[5] + load(later, at + _5W)) * (xs * ys) - (x * xs) * (y * ys)
    r = select(r > splat(1.0), splat(1.0), r)
    r = select(r < splat(-1.0), splat(-1.0), r)
    less, more = select(xx < yy, xx, yy), select(xx < yy, yy, xx)
    sound = (vx > splat(_SHARE) * xx) & (vy > splat(_SHARE) * yy)
    sound = sound & (less > splat(_LEAST)) & (more < splat(_MOST))
    return select(sound, r, splat(DOUBTFUL))
