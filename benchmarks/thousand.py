"""A thousand custom indices over a whole market: rows to panel, fill, weights, levels.

What each stage costs, and the last one beside a sparse matrix and a loop over indices.
"""

# scipy comes with a rival and has no types of its own.
# mypy: disable-error-code="import-untyped"

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Grid, Rows
from indexer.definitions.basket import Basket
from indexer.index.caps import capped
from indexer.kernels.batch import Batch, Income, Levels, batch_levels
from indexer.kernels.fill import fill_forward
from indexer.market.grid import CloseGrid, grid_of

SEED, BASE = 1, 1000.0
MISSING, LATE = 0.03, 0.1  # of all closes, and of the symbols that list after the first session
QUARTER, LAG = 62, 5  # sessions from one rebalance to the next, and from reference to effective
LEAVING = 15  # constituents replaced at a rebalance
CAP = 6.0  # on a weight, over an equal one
_AGREE = 1e-11  # relative: what two orders of summing may differ by


class Stage(NamedTuple):
    """What one stage took."""

    name: str
    cpu_seconds: float
    wall_seconds: float


class Beside(NamedTuple):
    """Another way to the same levels, timed in turns with ours, and how far apart they are."""

    name: str
    cpu_seconds: float
    ours_cpu_seconds: float
    difference: float


@dataclass(frozen=True, slots=True)
class Thousand:
    """What the levels of so many indices took, in a process that should have done nothing else.

    Attributes
    ----------
    rows : closes, of which ``sessions * symbols`` less what is missing
    stages : in their order; the levels once for price return alone, with total return, and with
        total return by two threads, the least of several rounds
    member_session_ns : CPU nanoseconds per constituent and session, price return alone
    copy_seconds : of the panel into an array that exists, measured in the same process
    peak_mib : of the process, the market and its drawing included
    """

    indices: int
    members: int
    sessions: int
    symbols: int
    rebalances: int
    rows: int
    stages: tuple[Stage, ...]
    rivals: tuple[Beside, ...]
    member_session_ns: float
    copy_seconds: float
    peak_mib: float


def thousand(
    indices: int = 1000,
    members: int = 300,
    sessions: int = 2500,
    symbols: int = 5500,
    rounds: int = 5,
) -> Thousand:
    """Draw a market, build the indices stage by stage, and time the last one beside its rivals.

    Raises
    ------
    ArithmeticError
        If a rival's levels are others than ours, or threads or total return move one by a bit.
    """
    rng = np.random.default_rng(SEED)
    income = _income(rng, sessions, symbols)
    stages: list[Stage] = []
    grid, rows = _panel(stages, rng, sessions, symbols)
    _warm()
    worth = _timed(stages, "forward fill", lambda: fill_forward(grid.close))
    drawn = _drawn(rng, worth.shape, indices, members)
    batch = _timed(stages, "weights", lambda: _weighed(worth, drawn))
    price = _least(stages, "price levels", rounds, lambda: batch_levels(worth, batch))
    total = _least(stages, "price and total", rounds, lambda: batch_levels(worth, batch, income))
    shared = _least(
        stages,
        "price and total, two threads",
        rounds,
        lambda: batch_levels(worth, batch, income, threads=2),
    )
    _require_same(shared.price, total.price)
    _require_same(shared.total, total.total)
    _require_same(price.price, total.price)
    rivals = _rivals(worth, (batch, drawn), income, total, rounds)
    held = np.count_nonzero(batch.weight) / len(batch.effective) * indices
    return Thousand(
        indices=indices,
        members=members,
        sessions=sessions,
        symbols=symbols,
        rebalances=len(drawn.effective),
        rows=rows,
        stages=tuple(stages),
        rivals=rivals,
        member_session_ns=stages[3].cpu_seconds * 1e9 / (held * (sessions - drawn.effective[0])),
        copy_seconds=_copy_seconds(worth, rounds),
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _panel(
    stages: list[Stage], rng: np.random.Generator, sessions: int, symbols: int
) -> tuple[CloseGrid, int]:
    """Draw the rows of a market, scatter them into a grid, and let them go."""
    prices = _prices(rng, sessions, symbols)
    return _timed(stages, "panel from rows", lambda: grid_of(prices)), len(prices)


class Drawn(NamedTuple):
    """Who is in which index when: (R,) effective sessions, and (B, R, M) columns, ascending."""

    effective: Rows
    columns: np.ndarray[Any, np.dtype[np.int64]]


def _prices(rng: np.random.Generator, sessions: int, symbols: int) -> pl.DataFrame:
    """Return closes of random walks, symbol by symbol, some missing and some before listing."""
    walks = rng.standard_normal((sessions, symbols))
    walks *= 0.02
    np.exp(np.cumsum(walks, axis=0, out=walks), out=walks)
    walks *= rng.uniform(5.0, 200.0, symbols)
    there = rng.random((symbols, sessions)) >= MISSING
    listed = rng.integers(0, sessions, symbols) * (rng.random(symbols) < LATE)
    there &= np.arange(sessions) >= listed[:, None]
    names = pl.Series([f"{600000 + n}.SH" for n in range(symbols)])
    days = pl.Series(np.datetime64("2016-01-01", "D") + np.arange(sessions).astype("m8[D]"))
    column, row = np.nonzero(there)
    return pl.DataFrame(
        {"symbol": names[column], "date": days[row], "close": walks[row, column].round(2)}
    )


def _income(rng: np.random.Generator, sessions: int, symbols: int) -> Income:
    """Return a dividend a year for each symbol."""
    years = max(1, sessions // 250)
    row = np.sort(rng.integers(0, sessions, (symbols, years)), axis=1)
    return Income(
        start=np.arange(symbols + 1) * years,
        row=row.ravel(),
        amount=rng.uniform(0.1, 1.0, row.size),
    )


def _drawn(rng: np.random.Generator, shape: tuple[int, int], indices: int, members: int) -> Drawn:
    """Let each index move down a list of its own: some leave at its top, as many follow."""
    effective = np.arange(LAG, shape[0], QUARTER)
    ends = members + LEAVING * np.arange(len(effective))
    lists = [rng.permutation(shape[1])[: ends[-1]] for _ in range(indices)]
    columns = [[np.sort(names[end - members : end]) for end in ends] for names in lists]
    return Drawn(effective, np.array(columns))


def _weighed(worth: Grid, drawn: Drawn) -> Batch:
    """Weigh the indices in turn equally, by price, and by price capped, at the reference close."""
    indices, rebalances, members = drawn.columns.shape
    capping = _capping(CAP / members)
    weight = np.empty(drawn.columns.shape)
    for n, row in enumerate(drawn.effective - LAG):
        closes = np.nan_to_num(worth[row])[drawn.columns[:, n]]  # not listed: not held
        closes[::3] = closes[::3] > 0
        weight[:, n] = closes / closes.sum(axis=1, keepdims=True)
        for b in range(2, indices, 3):
            weight[b, n] = capped(capping, weight[b, n], ())
    effective = np.tile(drawn.effective, indices)
    return Batch(
        first=np.arange(indices + 1) * rebalances,
        effective=effective,
        reference=effective - LAG,
        start=np.arange(indices * rebalances + 1) * members,
        column=drawn.columns.ravel(),
        weight=weight.ravel(),
    )


def _capping(cap: float) -> Basket:
    return Basket.model_validate(
        {
            "version": "1",
            "id": "capped",
            "name": {"en": "Capped"},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": date(2016, 1, 4), "level": BASE},
            "weighting": {"scheme": "price", "caps": {"constituent": cap}},
            "constituents": [{"symbol": "600000.SH"}],
        }
    )


def _rivals(
    worth: Grid, given: tuple[Batch, Drawn], income: Income, levels: Levels, rounds: int
) -> tuple[Beside, ...]:
    from scipy import sparse

    batch, drawn = given
    some = min(50, len(drawn.columns))
    few = _first(batch, some)
    paid = sparse.csc_matrix((income.amount, income.row, income.start), shape=worth.shape).tocsr()
    ways: dict[str, tuple[Callable[[], Any], Income | None, float]] = {
        "scipy CSR, price": (lambda: _by_matrix(worth, batch, drawn, None), None, 1),
        "scipy CSR, price and total": (lambda: _by_matrix(worth, batch, drawn, paid), income, 1),
        f"numpy, index by index ({some} of them)": (
            lambda: (_by_loop(worth, few), None),
            None,
            len(drawn.columns) / some,
        ),
    }
    found = []
    for name, (other, with_income, times) in ways.items():
        apart = max(_apart(name, *pair) for pair in zip(other(), levels, strict=True))
        theirs = ours = np.inf
        for _ in range(rounds):
            theirs = min(theirs, _cost(other)[1])
            ours = min(ours, _cost(lambda: batch_levels(worth, batch, with_income))[1])  # noqa: B023
        found.append(Beside(name, theirs * times, ours, apart))
    return tuple(found)


def _apart(name: str, answer: Grid | None, expected: Grid | None) -> float:
    """Return the largest relative difference of what was answered.

    Raises
    ------
    ArithmeticError
        If it is no rounding, or levels are missing elsewhere.
    """
    if answer is None or expected is None:
        return 0.0
    expected = expected[:, : answer.shape[1]]
    apart = float(np.nanmax(np.abs(answer / expected - 1)))
    if apart > _AGREE or not np.array_equal(np.isnan(answer), np.isnan(expected)):
        raise ArithmeticError(f"{name}: levels are {apart:.1e} apart")
    return apart


def _by_matrix(worth: Grid, batch: Batch, drawn: Drawn, paid: Any) -> tuple[Grid, Grid | None]:
    """Multiply a sparse matrix of shares with the panel, rebalance by rebalance."""
    from scipy import sparse

    indices, rebalances, members = drawn.columns.shape
    weights = batch.weight.reshape(drawn.columns.shape)
    price = np.full((len(worth), indices), np.nan)
    price[drawn.effective[0]] = BASE
    total = price.copy()
    offsets = np.arange(indices + 1) * members
    for n, first in enumerate(drawn.effective):
        last = drawn.effective[n + 1] + 1 if n + 1 < rebalances else len(worth)
        columns = drawn.columns[:, n].ravel()
        used = weights[:, n].ravel() / np.nan_to_num(worth[first - LAG], nan=1.0)[columns]
        held = sparse.csr_matrix((used, columns, offsets), shape=(indices, worth.shape[1]))
        values = held @ np.nan_to_num(worth[first:last].T)
        price[first + 1 : last] = (values[:, 1:] / values[:, :1] * price[first][:, None]).T
        if paid is not None:
            income = (held @ paid[first + 1 : last].T).toarray()
            growth = np.cumprod((values[:, 1:] + income) / values[:, :-1], axis=1)
            total[first + 1 : last] = (growth * total[first][:, None]).T
    return price, None if paid is None else total


def _by_loop(worth: Grid, batch: Batch) -> Grid:
    """Gather the constituents of each basket, index by index."""
    price = np.full((len(worth), len(batch.first) - 1), np.nan)
    for b in range(price.shape[1]):
        baskets = range(batch.first[b], batch.first[b + 1])
        price[batch.effective[baskets[0]], b] = BASE
        for p in baskets:
            first = batch.effective[p]
            last = batch.effective[p + 1] + 1 if p < baskets[-1] else len(worth)
            own = slice(batch.start[p], batch.start[p + 1])
            columns, weights = batch.column[own], batch.weight[own]
            if not weights.all():
                columns, weights = columns[weights > 0], weights[weights > 0]
            values = worth[first:last, columns] @ (weights / worth[first - LAG, columns])
            price[first + 1 : last, b] = price[first, b] * values[1:] / values[0]
    return price


def _first(batch: Batch, indices: int) -> Batch:
    rebalances = batch.first[indices]
    members = batch.start[rebalances]
    return Batch(
        batch.first[: indices + 1],
        batch.effective[:rebalances],
        batch.reference[:rebalances],
        batch.start[: rebalances + 1],
        batch.column[:members],
        batch.weight[:members],
    )


def _warm() -> None:
    """Compile or load every kernel before the clock runs."""
    closes = np.ones((2, 2))
    closes.flags.writeable = False  # as in a grid: another type to compiled code
    fill_forward(closes)
    line = np.zeros(1, dtype=np.int64)
    batch = Batch(np.arange(2), line, line, np.arange(2), line, np.ones(1))
    batch_levels(np.ones((2, 1)), batch, Income(np.zeros(2, dtype=np.int64), line[:0], np.ones(0)))


def _require_same(a: Grid | None, b: Grid | None) -> None:
    if a is None or b is None or not np.array_equal(a, b, equal_nan=True):
        raise ArithmeticError("threads or total return have moved a level")


def _copy_seconds(panel: Grid, rounds: int) -> float:
    other = panel.copy()
    return min(_cost(lambda: np.copyto(other, panel))[1] for _ in range(rounds))


def _least(stages: list[Stage], name: str, rounds: int, work: Callable[[], Any]) -> Any:
    costs = [_cost(work) for _ in range(rounds)]
    stages.append(Stage(name, min(c[1] for c in costs), min(c[2] for c in costs)))
    return costs[-1][0]


def _timed(stages: list[Stage], name: str, work: Callable[[], Any]) -> Any:
    return _least(stages, name, 1, work)


def _cost(work: Callable[[], Any]) -> tuple[Any, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = work()
    return found, time.process_time() - cpu, time.perf_counter() - wall
