"""Levels of indices by ours and by numpy, scipy, pandas, polars, bt and vectorbt."""

# Rivals live in an environment of their own, where this is not checked.
# mypy: disable-error-code="import-untyped,import-not-found"

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from benchmarks.contenders import Contender, Ready, Size, as_it_is
from indexer.arrays import Grid, Rows, Vector
from indexer.kernels.batch import Batch, batch_levels

BASE = 1000.0


@dataclass(frozen=True, slots=True)
class Baskets:
    """Indices over one panel that are rebalanced on common sessions.

    Attributes
    ----------
    worth : (T, N) closes, none missing
    columns : (B, M) constituents of each index
    effective : (R,) sessions after whose close new weights count; the first is 0, the base
    weights : (R, B, M) that hold at those closes, each row sums to one
    """

    worth: Grid
    columns: Rows
    effective: Rows
    weights: Grid

    def narrowed(self, series: int) -> Self:
        """Return the same for the first indices alone."""
        return replace(self, columns=self.columns[:series], weights=self.weights[:, :series])

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """Yield rebalance, effective session, and the one up to which it counts."""
        ends = [*self.effective[1:], len(self.worth) - 1]
        for n, (first, last) in enumerate(zip(self.effective, ends, strict=True)):
            yield n, int(first), int(last)


def drawn(size: Size, seed: int) -> Baskets:
    """Draw walks, and for each index its constituents and their weights."""
    random = np.random.default_rng(seed)
    moves = 0.02 * random.standard_normal((size.sessions, size.series))
    worth = 20.0 * np.exp(np.cumsum(moves, axis=0))
    order = [random.permutation(size.series)[: size.members] for _ in range(size.indices)]
    weights = random.uniform(0.1, 1.0, (size.rebalances, size.indices, size.members))
    return Baskets(
        worth=worth,
        columns=np.sort(np.array(order), axis=1),
        effective=np.linspace(0, size.sessions - 1, size.rebalances, endpoint=False).astype(int),
        weights=weights / weights.sum(axis=2, keepdims=True),
    )


def exact_levels(case: Baskets) -> Grid:
    """Return the levels in extended precision, one index and one stretch after another, (T, B)."""
    out = np.full((len(case.worth), len(case.columns)), np.nan)
    for b, columns in enumerate(case.columns):
        closes = case.worth[:, columns].astype(np.longdouble)
        level = np.longdouble(BASE)
        out[0, b] = BASE
        for n, first, last in case.stretches():
            growth = (closes[first + 1 : last + 1] / closes[first]) @ case.weights[n, b].astype(
                np.longdouble
            )
            found = level * growth / case.weights[n, b].astype(np.longdouble).sum()
            out[first + 1 : last + 1, b] = found
            level = found[-1]
    return out


def ours(case: Baskets, threads: int = 1) -> Ready:
    """Hold every index's baskets by the kernel; its description is made before the clock runs."""
    baskets, members = case.columns.shape
    rebalances = len(case.effective)
    batch = Batch(
        first=np.arange(baskets + 1) * rebalances,
        effective=np.tile(case.effective, baskets),
        reference=np.tile(case.effective, baskets),
        start=np.arange(baskets * rebalances + 1) * members,
        column=np.repeat(case.columns, rebalances, axis=0).ravel(),
        weight=case.weights.transpose(1, 0, 2).ravel(),
    )
    return Ready(
        lambda: batch_levels(case.worth, batch, base=BASE, threads=threads).price, as_it_is
    )


def _numpy_periods(case: Baskets) -> Ready:
    """Gather the constituents of each stretch, one index after another."""
    out = np.empty((len(case.worth), len(case.columns)))

    def run() -> Any:
        out[0] = BASE
        for b, columns in enumerate(case.columns):
            for n, first, last in case.stretches():
                closes = case.worth[first : last + 1, columns]
                shares = out[first, b] * case.weights[n, b] / closes[0]
                out[first + 1 : last + 1, b] = closes[1:] @ shares
        return out

    return Ready(run, as_it_is)


def _numpy_transposed(case: Baskets) -> Ready:
    """Gather from a panel that was laid out symbol by symbol before the clock ran."""
    rows, out = np.ascontiguousarray(case.worth.T), np.empty((len(case.columns), len(case.worth)))

    def run() -> Any:
        out[:, 0] = BASE
        for b, columns in enumerate(case.columns):
            for n, first, last in case.stretches():
                closes = rows[columns, first : last + 1]
                shares = out[b, first] * case.weights[n, b] / closes[:, 0]
                out[b, first + 1 : last + 1] = shares @ closes[:, 1:]
        return out.T

    return Ready(run, as_it_is)


def _scipy_sparse(case: Baskets) -> Ready:
    """Take a sparse matrix of index shares times each stretch of a panel laid out by symbol."""
    from scipy import sparse

    baskets, members = case.columns.shape
    rows = np.ascontiguousarray(case.worth.T)
    start, columns = np.arange(baskets + 1) * members, case.columns.ravel()
    out = np.empty((baskets, len(case.worth)))

    def run() -> Any:
        out[:, 0] = BASE
        for n, first, last in case.stretches():
            shares = out[:, first, None] * case.weights[n] / case.worth[first, case.columns]
            matrix = sparse.csr_array(
                (shares.ravel(), columns, start), shape=(baskets, case.worth.shape[1])
            )
            out[:, first + 1 : last + 1] = matrix @ rows[:, first + 1 : last + 1]
        return out.T

    return Ready(run, as_it_is)


def _pandas_periods(case: Baskets) -> Ready:
    import pandas as pd

    frame = pd.DataFrame(case.worth)

    def level(b: int) -> Any:
        value, parts = BASE, [pd.Series([BASE])]
        for n, first, last in case.stretches():
            closes = frame.iloc[first : last + 1, case.columns[b]]
            shares = value * case.weights[n, b] / closes.iloc[0]
            parts.append(closes.iloc[1:].mul(shares).sum(axis=1))
            value = parts[-1].iloc[-1]
        return pd.concat(parts, ignore_index=True)

    return Ready(
        lambda: pd.concat([level(b) for b in range(len(case.columns))], axis=1),
        lambda found: found.to_numpy(),
    )


def _polars_periods(case: Baskets) -> Ready:
    import polars as pl

    frame = pl.from_numpy(case.worth, [f"s{n}" for n in range(case.worth.shape[1])])

    def level(b: int) -> Any:
        value, parts = BASE, [pl.Series([BASE])]
        names = [f"s{n}" for n in case.columns[b]]
        for n, first, last in case.stretches():
            closes = frame[first : last + 1].select(names)
            shares = value * case.weights[n, b] / np.array(closes.row(0))
            held = [pl.col(s) * w for s, w in zip(names, shares.tolist(), strict=True)]
            parts.append(closes[1:].select(level=pl.sum_horizontal(held)).to_series())
            value = parts[-1][-1]
        return pl.concat(parts)

    return Ready(
        lambda: [level(b) for b in range(len(case.columns))],
        lambda found: np.column_stack([levels.to_numpy() for levels in found]),
    )


def _days(case: Baskets) -> Any:
    import pandas as pd

    days = np.datetime64("2015-01-05") + np.arange(len(case.worth)).astype("m8[D]")
    columns = [f"s{n}" for n in case.columns[0]]
    quotes = pd.DataFrame(case.worth[:, case.columns[0]], pd.DatetimeIndex(days), columns)
    return quotes, pd.DataFrame(case.weights[:, 0], quotes.index[case.effective], columns)


def _bt_trades(case: Baskets) -> Ready:
    """Trade the one index; bt is given its constituents' prices alone."""
    import bt

    quotes, wanted = _days(case)

    def run() -> Any:
        strategy = bt.Strategy("index", [bt.algos.WeighTarget(wanted), bt.algos.Rebalance()])
        trades = bt.Backtest(strategy, quotes, integer_positions=False, progress_bar=False)
        trades.run()
        return trades.strategy.prices

    def read(found: Any) -> Vector:
        values = found.to_numpy()[1:]  # a row of its own comes before the first
        return np.asarray(BASE * values / values[0])[:, None]

    return Ready(run, read)


def _vectorbt_orders(case: Baskets) -> Ready:
    """Order the one index; vectorbt is given its constituents' prices alone."""
    import vectorbt

    quotes, wanted = _days(case)
    wanted = wanted.reindex(quotes.index)

    def run() -> Any:
        return vectorbt.Portfolio.from_orders(
            quotes,
            size=wanted,
            size_type="targetpercent",
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            init_cash=BASE,
        ).value()

    return Ready(run, lambda found: found.to_numpy()[:, None])


OUT = "output"
ONE = (
    Contender("numpy", _numpy_periods, reuses=OUT),
    Contender("numpy by symbol", _numpy_transposed, reuses=f"{OUT}, transposed"),
    Contender("pandas", _pandas_periods, ("pandas",), reuses="frame"),
    Contender("polars", _polars_periods, ("polars",), reuses="frame"),
    Contender("bt", _bt_trades, ("bt",), reuses="frame"),
    Contender("vectorbt", _vectorbt_orders, ("vectorbt",), reuses="frame"),
)
MANY = (
    Contender("scipy CSR", _scipy_sparse, ("scipy",), reuses=f"{OUT}, transposed"),
    Contender("numpy", _numpy_periods, series=20, reuses=OUT),
    Contender("numpy by symbol", _numpy_transposed, series=100, reuses=f"{OUT}, transposed"),
    Contender("pandas", _pandas_periods, ("pandas",), series=5, reuses="frame"),
    Contender("polars", _polars_periods, ("polars",), series=5, reuses="frame"),
)
