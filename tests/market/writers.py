"""What is written to a store by processes of their own, which import this and no more."""

import itertools
import os
import signal
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from indexer.market import store
from indexer.market.delta import ANCHOR, tables_at
from indexer.market.store import write_rows


def prices(*rows: tuple[str, date, float], source: str | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}, orient="row"
    )
    return frame.with_columns(source=pl.lit(source, pl.String))


def versions(folder: Path) -> int:
    """Return how many versions a store has."""
    found = tables_at(folder, [ANCHOR]).get(ANCHOR)
    return 0 if found is None else len(found.history())


def day_of(n: int) -> date:
    return date(2024, 1, 1) + timedelta(n)


def pair(n: int, who: int = 0) -> dict[str, pl.DataFrame]:
    """Return rows of two tables that belong together."""
    rate = {"date": [day_of(n)], "base": ["USD"], "quote": ["ABCD"[who] * 3], "rate": [1.0 + n]}
    return {
        "prices": prices((f"{600_000 + who}.SH", day_of(n), 1.0 + n)),
        "fx": pl.DataFrame(rate),
    }


def write_often(folder: Path, who: int, times: int) -> None:
    for n in range(times):
        write_rows(folder, pair(n, who))


def write_for_ever(folder: Path, done: int, begun: Any) -> None:
    begun.set()
    for n in itertools.count(done):
        write_rows(folder, pair(n))


def write_and_die(folder: Path, after: int) -> None:
    """Be killed before one of the commits of a transaction, or after all of them."""
    left = iter(range(after))
    commit: Callable[..., None] = store.write_deltalake

    def counted(*arguments: Any, **options: Any) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(*arguments, **options)

    store.write_deltalake = counted
    write_rows(folder, pair(1))
    os.kill(os.getpid(), signal.SIGKILL)
