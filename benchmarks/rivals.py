"""Rolling correlations by pandas, polars, numbagg, bottleneck and numpy, as their users write them.

Conversions into a rival's own form are made before the clock runs, and it may keep its output
array where its interface takes one.
"""

# Rivals live in an environment of their own, where this is not checked.
# mypy: disable-error-code="import-untyped,import-not-found"

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.contenders import Contender, Ready, Rolling, as_it_is, mean_of_pairs
from indexer.arrays import Vector


def _polars(case: Rolling) -> tuple[Any, list[str]]:
    import polars as pl

    names = [f"s{n}" for n in range(case.values.shape[1])]
    return pl.from_numpy(case.values, names).fill_nan(None), names


def _by_polars(case: Rolling, pairs: list[tuple[str, str]], frame: Any) -> Ready:
    import polars as pl

    def run() -> Any:
        return frame.select(
            pl.rolling_corr(a, b, window_size=case.window, min_samples=case.least).alias(f"{a}{b}")
            for a, b in pairs
        )

    return Ready(run, lambda found: found.fill_null(np.nan).to_numpy())


def _pandas_pairwise(case: Rolling) -> Ready:
    import pandas as pd

    frame, series = pd.DataFrame(case.values), case.values.shape[1]
    upper = np.triu_indices(series, 1)

    def run() -> Any:
        return frame.rolling(case.window, min_periods=case.least).corr(pairwise=True)

    def read(found: Any) -> Any:
        return found.to_numpy().reshape(-1, series, series)[:, upper[0], upper[1]]

    return Ready(run, read)


def _polars_pairwise(case: Rolling) -> Ready:
    frame, names = _polars(case)
    left, right = np.triu_indices(len(names), 1)
    pairs = [(names[i], names[j]) for i, j in zip(left, right, strict=True)]
    return _by_polars(case, pairs, frame)


def _numbagg_matrix(case: Rolling) -> Ready:
    import numbagg

    series = case.values.shape[1]
    upper = np.triu_indices(series, 1)
    out = np.empty((len(case.values), series, series))

    def run() -> Any:
        return numbagg.move_corrmatrix(
            case.values, window=case.window, min_count=case.least, out=out
        )

    return Ready(run, lambda found: found[:, upper[0], upper[1]])


def _numbagg_pairwise(case: Rolling) -> Ready:
    """Give every pair as two rows side by side in memory, which suits it best."""
    import numbagg

    left, right = np.triu_indices(case.values.shape[1], 1)
    columns = np.ascontiguousarray(case.values.T)
    a, b, out = columns[left], columns[right], np.empty((len(left), len(case.values)))

    def run() -> Any:
        return numbagg.move_corr(a, b, window=case.window, min_count=case.least, out=out)

    return Ready(run, lambda found: found.T)


def _blas_pairwise(case: Rolling) -> Ready:
    """Standardise each window and take one product of matrices."""
    values, window = case.values, case.window
    upper = np.triu_indices(values.shape[1], 1)
    out = np.full((len(values), len(upper[0])), np.nan)

    def run() -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            for t in range(window - 1, len(values)):
                part = values[t - window + 1 : t + 1]
                part = part - part.mean(axis=0)
                part /= np.sqrt((part * part).sum(axis=0))
                out[t] = (part.T @ part)[upper]
        return out

    return Ready(run, as_it_is)


def _pandas_pair(case: Rolling) -> Ready:
    import pandas as pd

    a, b = (pd.Series(case.values[:, side].copy()) for side in (0, 1))
    return Ready(
        lambda: a.rolling(case.window, min_periods=case.least).corr(b),
        lambda found: found.to_numpy(),
    )


def _polars_pair(case: Rolling) -> Ready:
    frame, names = _polars(case.narrowed(2))
    ready = _by_polars(case, [(names[0], names[1])], frame)
    return Ready(ready.run, lambda found: ready.read(found)[:, 0])


def _numbagg_pair(case: Rolling) -> Ready:
    import numbagg

    a, b = (np.ascontiguousarray(case.values[:, side]) for side in (0, 1))
    out = np.empty(len(a))
    return Ready(
        lambda: numbagg.move_corr(a, b, window=case.window, min_count=case.least, out=out),
        as_it_is,
    )


def _bottleneck_pair(case: Rolling) -> Ready:
    """Take moments, as bottleneck has no correlation; a pair counts where both are there."""
    import bottleneck as bn

    a, b = (np.ascontiguousarray(case.values[:, side]) for side in (0, 1))

    def mean(x: Vector) -> Any:
        return bn.move_mean(x, case.window, case.least)

    def run() -> Any:
        lacking = np.isnan(a + b)
        x, y = np.where(lacking, np.nan, a), np.where(lacking, np.nan, b)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = bn.move_std(x, case.window, case.least) * bn.move_std(
                y, case.window, case.least
            )
            return (mean(x * y) - mean(x) * mean(y)) / spread

    return Ready(run, as_it_is)


def _numpy_pair(case: Rolling) -> Ready:
    """Take every window on its own, of complete data."""
    a, b = case.values[:, 0], case.values[:, 1]

    def deviations(x: Vector) -> Any:
        found = sliding_window_view(x, case.window)
        return found - found.mean(axis=1, keepdims=True)

    def run() -> Any:
        u, v = deviations(a), deviations(b)
        out = np.full(len(a), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = np.einsum("ij,ij->i", u, u) * np.einsum("ij,ij->i", v, v)
            out[case.window - 1 :] = np.einsum("ij,ij->i", u, v) / np.sqrt(squares)
        return out

    return Ready(run, as_it_is)


def _pandas_against(case: Rolling) -> Ready:
    import pandas as pd

    frame, one = pd.DataFrame(case.values[:, 1:]), pd.Series(case.values[:, 0])
    return Ready(
        lambda: frame.rolling(case.window, min_periods=case.least).corr(one),
        lambda found: found.to_numpy(),
    )


def _polars_against(case: Rolling) -> Ready:
    frame, names = _polars(case)
    return _by_polars(case, [(name, names[0]) for name in names[1:]], frame)


def _numbagg_against(case: Rolling) -> Ready:
    import numbagg

    x, y = np.ascontiguousarray(case.values[:, 1:].T), np.ascontiguousarray(case.values[:, 0])
    out = np.empty(x.shape)
    return Ready(
        lambda: numbagg.move_corr(x, y, window=case.window, min_count=case.least, out=out),
        lambda found: found.T,
    )


def _averaged(prepare: Any) -> Any:
    """Return a contender of the mean: every pair, then their mean."""

    def prepared(case: Rolling) -> Ready:
        ready = prepare(case)
        return Ready(lambda: ready.read(ready.run()).mean(axis=1), as_it_is)

    return prepared


OUT = "output"
FRAME = "frame"

PAIRWISE = (
    Contender("pandas", _pandas_pairwise, ("pandas",), reuses=FRAME),
    Contender("polars", _polars_pairwise, ("polars",), reuses=FRAME),
    Contender("numbagg matrix", _numbagg_matrix, ("numbagg",), reuses=OUT),
    Contender("numbagg", _numbagg_pairwise, ("numbagg",), reuses=f"{OUT}, pairs laid out"),
    Contender("numpy BLAS", _blas_pairwise, reuses=OUT, holes=False),
)
PAIR = (
    Contender("pandas", _pandas_pair, ("pandas",), reuses="series"),
    Contender("polars", _polars_pair, ("polars",), reuses=FRAME),
    Contender("numbagg", _numbagg_pair, ("numbagg",), reuses=OUT),
    Contender("bottleneck", _bottleneck_pair, ("bottleneck",)),
    Contender("numpy windows", _numpy_pair, holes=False),
)
AGAINST = (
    Contender("pandas", _pandas_against, ("pandas",), reuses=FRAME),
    Contender("polars", _polars_against, ("polars",), reuses=FRAME),
    Contender("numbagg", _numbagg_against, ("numbagg",), reuses=f"{OUT}, transposed"),
)
MEAN = (
    Contender("every pair, ours", mean_of_pairs, reuses=OUT),
    Contender("pandas", _averaged(_pandas_pairwise), ("pandas",), series=40, reuses=FRAME),
    Contender("numbagg matrix", _averaged(_numbagg_matrix), ("numbagg",), series=100, reuses=OUT),
    Contender("numpy BLAS", _averaged(_blas_pairwise), reuses=OUT, holes=False),
)
