"""Index levels from prices and index shares by the divisor method."""

from typing import NamedTuple

import numpy as np

from indexer.arrays import Grid, Rows, Vector, floats, vectors, whole
from indexer.kernels.compile import compiled


class Events(NamedTuple):
    """What takes effect before the open of a session, one entry each, in order.

    Attributes
    ----------
    row, column : (E,) the session and the constituent
    factor : (E,) index shares after for one before; 0 where it hands all of them over
    money : (E,) index currency that joins the basket, through the divisor, per share before
    into, ratio : (E,) the constituent that receives ``ratio`` shares per share before; -1 for none
    income : (E, V) index currency paid out per share before, in each of V total-return variants
    """

    row: Rows
    column: Rows
    factor: Vector
    money: Vector
    into: Rows
    ratio: Vector
    income: Grid


class Chain(NamedTuple):
    """A stretch of an index between two rebalances; T sessions, N symbols.

    Attributes
    ----------
    level, divisor, market_value : (T,) at the close
    income : (T, V) distributed that session, in index points
    shares : (T, N) index shares held during the session
    contribution : (T, N) share of the price return; NaN where nothing is held
    change : (E, 6) shares before and after, divisor before and after each event; then the shares
        of the constituent that receives, before and after, 0 where there is none
    """

    level: Vector
    divisor: Vector
    market_value: Vector
    income: Grid
    shares: Grid
    contribution: Grid
    change: Grid


def chain_levels(worth: Grid, held: Vector, start: Vector, divisor: float, events: Events) -> Chain:
    """Return the levels that follow from holding a basket from one rebalance to the next.

    ``level = sum(shares * worth) / divisor``. The divisor moves only where an event brings
    money into the basket or takes it out, by ``value after / value before`` at the same prices.

    Parameters
    ----------
    worth : (T, N), index currency per share
        Closes of the sessions. Where shares are zero they are not read; NaN under shares is a
        line that joined by a spin-off and has not traded yet: zero.
    held : (N,) index shares after the close before the first session
    start : (N,) closes of that session
    divisor : after that close
    events : rows count from the first session given; shares handed over join at price zero,
        unless their giver keeps none (a change of symbol), when their value goes with them

    Raises
    ------
    ValueError
        If shapes disagree, or rows, columns or receivers of events are no whole numbers, lie
        outside the grid or come before the one listed before them.

    Notes
    -----
    The divisor method of S&P Dow Jones Indices' Index Mathematics. Contributions compare closing
    values with opening ones after the events, so that they sum to the price return.

    Examples
    --------
    >>> none, rows = np.empty(0), np.empty(0, dtype=int)
    >>> quiet = Events(rows, rows, none, none, rows, none, none.reshape(0, 1))
    >>> worth = np.array([[10.0, 20.0], [11.0, 20.0]])
    >>> chain_levels(worth, np.ones(2), worth[0], 0.03, quiet).level.round(2).tolist()
    [1000.0, 1033.33]
    """
    worth, held, start = floats(worth), floats(held), floats(start)
    if worth.ndim != 2 or not held.shape == start.shape == worth.shape[1:]:
        shapes = f"{worth.shape=} {held.shape=} {start.shape=}"
        raise ValueError(f"shapes differ: expected (T, N), (N,) and (N,), got {shapes}")
    sessions, symbols = worth.shape
    events = _checked(events, sessions, symbols)
    chain = Chain(
        level=np.empty(sessions),
        divisor=np.empty(sessions),
        market_value=np.empty(sessions),
        income=np.zeros((sessions, events.income.shape[1])),
        shares=np.empty(worth.shape),
        contribution=np.empty(worth.shape),
        change=np.empty((len(events.row), 6)),
    )
    _chain_levels(worth, held.copy(), start, divisor, *events, *chain)
    return chain


def _checked(events: Events, sessions: int, symbols: int) -> Events:
    """Return events as the body is compiled for: it skips a row that is no number, unheard."""
    row, column, factor, money, into, ratio, income = events
    row, column, into = whole("row", row), whole("column", column), whole("into", into)
    factor, money, ratio = vectors(factor=factor, money=money, ratio=ratio)
    checked = Events(row, column, factor, money, into, ratio, floats(income))
    if checked.income.ndim != 2 or len({len(part) for part in checked}) != 1:
        shapes = {name: part.shape for name, part in checked._asdict().items()}
        raise ValueError(f"shapes differ: expected (E,) and income of (E, V), got {shapes}")
    if np.any(np.diff(row) < 0):
        raise ValueError(f"events are not in order of their rows: {row}")
    bounds = ((row, 0, sessions), (column, 0, symbols), (into, -1, symbols))
    if any(np.any((where < first) | (where >= end)) for where, first, end in bounds):
        raise ValueError(f"an event lies outside the {sessions} sessions of {symbols} symbols")
    return checked


@compiled()
def _chain_levels(
    worth, held, start, current, row, column, factor, money, into, ratio, paid,
    level, divisor, market_value, income, shares, contribution, change,
):  # fmt: skip
    stake = np.zeros(held.size)  # value of each holding at the open, then at the close
    value = 0.0
    for i in range(held.size):
        if held[i] != 0.0 and not np.isnan(start[i]):
            stake[i] = held[i] * start[i]
            value += stake[i]
    e = 0
    for t in range(worth.shape[0]):
        while e < row.size and row[e] == t:
            i, j = column[e], into[e]
            before = held[i]
            change[e, 0], change[e, 2] = before, current
            change[e, 4] = held[j] if j >= 0 else 0.0
            if before != 0.0:
                after = value + before * money[e]
                current *= after / value
                value = after
                stake[i] += before * money[e]
                for v in range(income.shape[1]):
                    income[t, v] += before * paid[e, v]
                held[i] = before * factor[e]
                if j >= 0:
                    held[j] += before * ratio[e]
                    if factor[e] == 0.0:
                        stake[j] += stake[i]
                        stake[i] = 0.0
            change[e, 1], change[e, 3] = held[i], current
            change[e, 5] = held[j] if j >= 0 else 0.0
            e += 1
        opening = value
        value = 0.0
        for i in range(held.size):
            shares[t, i] = held[i]
            contribution[t, i] = np.nan
            if held[i] != 0.0:
                close = 0.0 if np.isnan(worth[t, i]) else held[i] * worth[t, i]
                contribution[t, i] = (close - stake[i]) / opening
                stake[i] = close
                value += close
        for v in range(income.shape[1]):
            income[t, v] /= current
        level[t] = value / current
        divisor[t] = current
        market_value[t] = value
