"""What reads closes in processes of their own, which import this and no more."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.testing import assert_array_equal

from indexer.market.cache import read_grid
from indexer.market.grid import CloseGrid

SYMBOLS = ("00700.HK", "300308.SZ", "NVDA.US")


def assert_right(found: CloseGrid, market: Path) -> None:
    """Compare a grid with the table, one cell at a time."""
    prices = pl.read_csv(market / "prices.csv", try_parse_dates=True)
    days = sorted(set(prices["date"]))
    assert found.symbols == SYMBOLS
    assert found.days.tolist() == days
    expected = np.full((len(days), len(SYMBOLS)), np.nan)
    amounts = expected.copy()
    for row in prices.iter_rows(named=True):
        cell = days.index(row["date"]), SYMBOLS.index(row["symbol"])
        expected[cell], amounts[cell] = row["close"], row.get("amount", np.nan)
    assert_array_equal(found.close, expected)
    assert (found.amount is None) == ("amount" not in prices.columns)
    if found.amount is not None:
        assert_array_equal(found.amount, amounts)


def read_and_die(market: Path, after: int, home: str) -> None:
    """Be killed at one of the system calls by which a grid is written."""
    os.environ["XDG_CACHE_HOME"] = home
    calls = iter(range(after))

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    for name in ("open", "fdopen", "fsync", "replace", "rename", "unlink"):
        setattr(os, name, counted(name))
    read_grid(market)


def read_often(markets: Path, times: int, home: str) -> None:
    os.environ["XDG_CACHE_HOME"] = home
    for n in range(times):
        name = ("one", "bare")[n % 2]
        assert_right(read_grid(markets / name), markets / name)
