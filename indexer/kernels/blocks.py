"""Values of many baskets over one panel, block by block of sessions; compiled bodies.

Where many baskets are valued, the columns of a block lie side by side in a grid, sixteen sessions
of each, small enough for a core's second-level cache: a constituent of any index is one vector
there, and no gather. A few baskets are read straight from the panel's rows. Each session is summed
in one order without fused operations, so that neither blocks nor threads nor the machine can move a
value by one bit.

Arrays are flat and indices unsigned: a signed one is checked for wrapping round, which costs half
the speed. Bodies that are called once a basket call no other with arrays: their references would
be counted at each call, an eighth of the time.
"""

import numpy as np

from indexer.kernels.compile import compiled
from indexer.kernels.vector import WIDTH, load, splat, store

_NEVER = np.uint32(2**32 - 1)
_U = np.uint64
_W, _0, _1, _2, _3, _4, _5, _6, _7, _8 = (_U(n) for n in (WIDTH, *range(9)))


@compiled()
def _dot(a, b, c, d, e, f, g, h, s, t, u, v, w, x, y, z):
    """Return the sum of eight products, in the one order that every sum has."""
    return ((a * s + b * t) + (c * u + d * v)) + ((e * w + f * x) + (g * y + h * z))


@compiled()
def _value(shares, at, count, worth):
    """Value a basket once, eight constituents at a time."""
    value = 0.0
    k = at
    for i in range(_0, count, _8):
        value += _dot(
            shares[k], shares[k + _1], shares[k + _2], shares[k + _3],
            shares[k + _4], shares[k + _5], shares[k + _6], shares[k + _7],
            worth[i], worth[i + _1], worth[i + _2], worth[i + _3],
            worth[i + _4], worth[i + _5], worth[i + _6], worth[i + _7],
        )  # fmt: skip
        k += _8
    return value


@compiled()
def _values(shares, held, at, count, grid, out):
    """Value a basket on all sessions of a block: `_value` in each lane."""
    values = splat(0.0)
    for k in range(at, at + count, _8):
        values = values + _dot(
            splat(shares[k]), splat(shares[k + _1]), splat(shares[k + _2]), splat(shares[k + _3]),
            splat(shares[k + _4]), splat(shares[k + _5]), splat(shares[k + _6]),
            splat(shares[k + _7]),
            load(grid, _U(held[k]) * _W), load(grid, _U(held[k + _1]) * _W),
            load(grid, _U(held[k + _2]) * _W), load(grid, _U(held[k + _3]) * _W),
            load(grid, _U(held[k + _4]) * _W), load(grid, _U(held[k + _5]) * _W),
            load(grid, _U(held[k + _6]) * _W), load(grid, _U(held[k + _7]) * _W),
        )  # fmt: skip
    store(out, _0, values)


@compiled()
def _values_by_row(panel, symbols, shares, held, at, count, since, until, out, price):
    """Write the value of a basket on some sessions, each straight from the panel's row."""
    for t in range(since, until):
        value, row = 0.0, t * symbols
        for k in range(at, at + count, _8):
            value += _dot(
                shares[k], shares[k + _1], shares[k + _2], shares[k + _3],
                shares[k + _4], shares[k + _5], shares[k + _6], shares[k + _7],
                panel[row + _U(held[k])], panel[row + _U(held[k + _1])],
                panel[row + _U(held[k + _2])], panel[row + _U(held[k + _3])],
                panel[row + _U(held[k + _4])], panel[row + _U(held[k + _5])],
                panel[row + _U(held[k + _6])], panel[row + _U(held[k + _7])],
            )  # fmt: skip
        price[out + t] = value


@compiled()
def _lay_out(panel, sessions, symbols, since, until, grid):
    """Lay the columns side by side over some sessions.

    Eight sessions are read at a time, also some after the last; lanes to spare are not used.
    """
    for lane in range(_0, until - since, _8):
        row = since + lane
        if row + _8 <= sessions:
            for k in range(symbols):
                i, to = row * symbols + k, k * _W + lane
                for t in range(_8):
                    grid[to + t] = panel[i + t * symbols]
        else:
            for k in range(symbols):
                i, to = row * symbols + k, k * _W + lane
                for t in range(sessions - row):
                    grid[to + t] = panel[i + t * symbols]


@compiled()
def _hold(
    panel, sessions, symbols, row, reference, column, weight, first, count, held, shares, at, worth
):
    """Write a basket's columns, shares and closes, without those of weight zero; return how many.

    The last eight are filled up with no shares of the first.
    """
    zeros = _0
    for i in range(count):
        held[at + i] = column[first + i]
        shares[at + i] = weight[first + i]
        zeros += _U(weight[first + i] == 0.0)
    checked = count * _U(zeros != _0)
    some = count - checked
    for i in range(checked):
        held[at + some] = held[at + i]
        shares[at + some] = shares[at + i]
        some += _U(shares[at + i] != 0.0)
    for i in range(some * _U(reference < sessions)):
        worth[i] = panel[reference * symbols + _U(held[at + i])]
    for i in range(some * _U(reference < sessions)):
        shares[at + i] /= worth[i]
    for i in range(some * _U(reference != row)):
        worth[i] = panel[row * symbols + _U(held[at + i])]
    eights = (some + _7) // _8 * _8
    for i in range(some, eights):
        held[at + i] = held[at]
        shares[at + i] = worth[i] = 0.0
    return eights


@compiled()
def _look_ahead(column, first, count, since, paid, row, ahead, soon):
    """Move columns on to their first dividends from a session on."""
    for k in range(first, first + count):
        c = _U(column[k])
        if soon[c] < since:
            while ahead[c] < paid[c + _1] and row[ahead[c]] < since:
                ahead[c] += _1
            soon[c] = row[ahead[c]] if ahead[c] < paid[c + _1] else _NEVER


@compiled()
def _pay(
    held, shares, at, count, since, until, paid, row, amount, ahead, soon, hit, flow, out, total
):
    """Write the income of a basket on each of its sessions."""
    hits = _0
    for k in range(at, at + count):
        hit[hits] = k  # stays if it pays: a branch here would be guessed wrong again and again
        hits += _U(soon[held[k]] < until)
    for t in range(since, until):
        flow[t] = 0.0
    for h in range(hits):
        m = _U(hit[h])
        c = _U(held[m])
        i = ahead[c]
        while i < paid[c + _1] and row[i] < until:
            flow[row[i]] += shares[m] * amount[i]
            i += _1
    for t in range(since, until):
        total[out + t] = flow[t]


@compiled(nogil=True)
def value_baskets(
    panel, sessions, symbols, first, effective, end, reference, start, column, weight,
    paid, row, amount, room, every, blocks, grid, opening, price, total,
):  # fmt: skip
    """Write the value and the income of each index's basket on every session of some blocks.

    With ``every`` the grid has all columns of a block, else there is none.
    """
    indices, size = _U(first.size) - _1, room[room.size - 1]
    held, shares, worth = np.zeros(size, np.uint32), np.zeros(size), np.zeros(size)
    own = np.zeros(symbols, np.uint32)
    for k in range(symbols):
        own[k] = k
    ahead, soon = paid.copy(), np.zeros(symbols, np.uint32)
    hit, flow, values = np.zeros(size, np.uint32), np.zeros(sessions), np.zeros(WIDTH)
    current, taken, counts = first.copy(), first.copy(), np.zeros(indices, np.uint64)
    for n in range(_U(blocks.size) - _1):
        a, z = blocks[n], blocks[n + _1]
        if every:
            _lay_out(panel, sessions, symbols, a, z, grid)
            _look_ahead(own, _0, symbols * _U(total.size != 0), a, paid, row, ahead, soon)
        for b in range(indices):
            p, successor, at = current[b], first[b + _1], room[b]
            while p < successor:
                since, until = max(a, effective[p] + _1), min(z, end[p])
                if since < until:
                    if taken[b] <= p:
                        counts[b] = _hold(
                            panel, sessions, symbols, effective[p], reference[p], column, weight,
                            start[p], start[p + _1] - start[p], held, shares, at, worth,
                        )  # fmt: skip
                        opening[p] = _value(shares, at, counts[b], worth)
                        taken[b] = p + _1
                        if total.size:
                            if not every:
                                _look_ahead(held, at, counts[b], a, paid, row, ahead, soon)
                            _pay(
                                held, shares, at, counts[b], since, min(blocks[-1], end[p]), paid,
                                row, amount, ahead, soon, hit, flow, b * sessions, total,
                            )  # fmt: skip
                    if every:
                        _values(shares, held, at, counts[b], grid, values)
                        for t in range(since, until):
                            price[b * sessions + t] = values[t - a]
                    else:
                        _values_by_row(
                            panel, symbols, shares, held, at, counts[b], since, until,
                            b * sessions, price,
                        )  # fmt: skip
                if end[p] > z:
                    break
                p += _1
            current[b] = p


@compiled(nogil=True)
def chain_values(first, effective, end, opening, base, sessions, price, total):
    """Turn the values of some indices into levels, and their income into total return."""
    for b in range(_U(first.size) - _1):
        at = b * sessions
        begin = at + effective[first[b]]
        level, grown = base, 1.0
        for t in range(at, begin):
            price[t] = np.nan
        price[begin] = base
        for t in range(at * _U(total.size != 0), begin * _U(total.size != 0)):
            total[t] = np.nan
        if total.size:
            total[begin] = base
        for p in range(first[b], first[b + _1]):
            since, until = at + effective[p] + _1, at + end[p]
            value = opening[p]
            if total.size:
                for t in range(since, until):
                    growth = 1.0 + total[t] / price[t]
                    total[t] = growth if total[t] != 0.0 else 1.0
                for t in range(since, until):
                    grown *= total[t]
                    total[t] = grown
            for t in range(since, until):
                price[t] = level * (price[t] / value)
            if total.size:
                for t in range(since, until):
                    total[t] *= price[t]
            level = price[until - _1]
