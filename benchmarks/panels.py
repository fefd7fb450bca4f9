"""Panels: carrying values forward, and long tables of closes turned into arrays."""

# Rivals live in an environment of their own, where this is not checked.
# mypy: disable-error-code="import-untyped,import-not-found"

import atexit
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from benchmarks.contenders import Contender, Ready, Rolling, Size, as_it_is
from indexer.arrays import Grid
from indexer.kernels.fill import fill_forward
from indexer.market.cache import SETTLED, _read, _stored, read_grid
from indexer.market.grid import grid_of
from indexer.market.store import write_rows
from indexer.market.tables import read_table

_PAGE = 512  # doubles of a page of memory


@dataclass(frozen=True, slots=True)
class Closes:
    """A market folder with one long table of closes, and the array it must become.

    Attributes
    ----------
    folder : holds ``prices.parquet``: symbol, date, close; sorted by symbol, then date
    values : (T, N), NaN where the table has no row
    """

    folder: Path
    values: Grid

    @classmethod
    def stored(cls, values: Grid) -> Self:
        """Write the table of some values into a folder that goes with the process."""
        folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        column, row = np.nonzero(~np.isnan(values.T))
        symbols = pl.Series([f"{600_000 + n}.SH" for n in range(values.shape[1])])
        days = np.datetime64("2015-01-05") + np.arange(len(values)).astype("m8[D]")
        closes = pl.Series(values[row, column])
        table = {"symbol": symbols[column], "date": days[row], "close": closes}
        pl.DataFrame(table).write_parquet(folder / "prices.parquet")
        return cls(folder, values)

    def narrowed(self, series: int) -> Self:
        """Return the same of the first symbols alone."""
        return type(self).stored(np.ascontiguousarray(self.values[:, :series]))


def drawn(size: Size, seed: int) -> Closes:
    """Draw walks of which some closes are missing, and store them as a table."""
    random = np.random.default_rng(seed)
    moves = 0.02 * random.standard_normal((size.sessions, size.series))
    values = 20.0 * np.exp(np.cumsum(moves, axis=0))
    values[random.random(values.shape) < size.missing] = np.nan
    return Closes.stored(values)


def exact_fill(case: Rolling) -> Grid:
    """Return the last value known in each column, session by session."""
    out, known = np.empty_like(case.values), np.full(case.values.shape[1], np.nan)
    for t, row in enumerate(case.values):
        there = ~np.isnan(row)
        known[there] = row[there]
        out[t] = known
    return out


def fill(case: Rolling) -> Ready:
    """Fill into one array that is kept."""
    out = np.empty_like(case.values)
    return Ready(lambda: fill_forward(case.values, out), as_it_is)


def _pandas_fill(case: Rolling) -> Ready:
    import pandas as pd

    frame = pd.DataFrame(case.values)
    return Ready(frame.ffill, lambda found: found.to_numpy())


def _polars_fill(case: Rolling) -> Ready:
    frame = pl.from_numpy(case.values).fill_nan(None)
    return Ready(
        lambda: frame.select(pl.all().forward_fill()),
        lambda found: found.fill_null(np.nan).to_numpy(),
    )


def _numbagg_fill(case: Rolling) -> Ready:
    import numbagg

    return Ready(lambda: numbagg.ffill(case.values, axis=0), as_it_is)


def _bottleneck_fill(case: Rolling) -> Ready:
    import bottleneck as bn

    return Ready(lambda: bn.push(case.values, axis=0), as_it_is)


def _numpy_fill(case: Rolling) -> Ready:
    rows = np.arange(len(case.values))[:, None]

    def run() -> Any:
        latest = np.maximum.accumulate(np.where(np.isnan(case.values), 0, rows), axis=0)
        return np.take_along_axis(case.values, latest, axis=0)

    return Ready(run, as_it_is)


def read_and_check(case: Closes) -> Ready:
    """Read, check and lay out the table, as on the first use of a file."""
    return Ready(lambda: grid_of(read_table(case.folder, "prices")), lambda found: found.close)


def read_store(case: Closes) -> Ready:
    """Read, check and lay out the same rows from a store, as on the first use of a version."""
    store = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, store, ignore_errors=True)
    write_rows(store, {"prices": pl.read_parquet(case.folder / "prices.parquet")})
    return Ready(lambda: _read(store, _stored(store)), lambda found: found.close)


def map_kept(case: Closes) -> Ready:
    """Map the grid that an earlier use has kept, and touch each of its pages."""
    time.sleep(1.1 * SETTLED / 1e9)  # nothing is kept of a file that may still be changing
    read_grid(case.folder)

    def run() -> Any:
        close = read_grid(case.folder).close
        close.reshape(-1)[::_PAGE].sum()
        return close

    return Ready(run, as_it_is)


def _pandas_pivot(case: Closes) -> Ready:
    import pandas as pd

    def run() -> Any:
        table = pd.read_parquet(case.folder / "prices.parquet")
        return table.pivot(index="date", columns="symbol", values="close").to_numpy()

    return Ready(run, as_it_is)


def _polars_pivot(case: Closes) -> Ready:
    def run() -> Any:
        table = pl.read_parquet(case.folder / "prices.parquet")
        wide = table.pivot("symbol", index="date", values="close").sort("date")
        return wide.drop("date").to_numpy()

    return Ready(run, as_it_is)


def _arrow_scatter(case: Closes) -> Ready:
    """Scatter by codes, unchecked; the table is known to be sorted by symbol."""
    from pyarrow import parquet

    def run() -> Any:
        table = parquet.read_table(
            case.folder / "prices.parquet", use_threads=False, read_dictionary=["symbol"]
        ).combine_chunks()
        # A dictionary may differ from chunk to chunk until they are made one.
        symbol = table["symbol"].unify_dictionaries().combine_chunks()
        day = table["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
        row = day - day.min()
        out = np.full((int(row.max()) + 1, len(symbol.dictionary)), np.nan)
        out[row, symbol.indices.to_numpy()] = table["close"].to_numpy()
        return out

    return Ready(run, as_it_is)


FILL = (
    Contender("pandas", _pandas_fill, ("pandas",), reuses="frame"),
    Contender("polars", _polars_fill, reuses="frame"),
    Contender("numbagg", _numbagg_fill, ("numbagg",)),
    Contender("bottleneck", _bottleneck_fill, ("bottleneck",)),
    Contender("numpy", _numpy_fill),
)
TABLE = (
    Contender("pyarrow, scatter", _arrow_scatter, ("pyarrow",)),
    Contender("pandas pivot", _pandas_pivot, ("pandas", "pyarrow")),
    # 200 symbols take 0.15 s, 800 take 2.4 s, 2,000 take 14 s.
    Contender("polars pivot", _polars_pivot, series=800, linear=False),
)
