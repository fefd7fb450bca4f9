"""One index of very many constituents over twenty years: time, memory, and how both grow."""

import resource
import time
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from indexer.definitions.basket import Basket
from indexer.index.build import build
from indexer.market.calendar import read_calendar
from indexer.market.tables import TABLES, Manifest, Market

FIRST, LAST, SEED = date(2006, 1, 4), date(2025, 12, 31), 1
ACTIONS = 2  # per constituent


@dataclass(frozen=True, slots=True)
class Large:
    """What building one index took, in a process that had built nothing before."""

    constituents: int
    sessions: int
    cpu_seconds: float
    peak_mib: float


def build_large(constituents: int) -> Large:
    """Build an equal-weighted, quarterly index of random walks with random actions."""
    symbols = [f"{600000 + n}.SH" for n in range(constituents)]
    sessions = read_calendar("XSHG").between(FIRST, LAST)
    market = _market(symbols, sessions)
    basket = Basket.model_validate(
        {
            "version": "1",
            "id": "large",
            "name": {"en": "Large"},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": FIRST, "level": 1000},
            "variants": ["price", "gross"],
            "weighting": {"scheme": "equal"},
            "rebalance": {"frequency": "quarterly", "day": "third friday", "reference_lag": 5},
            "constituents": [{"symbol": symbol} for symbol in symbols],
        }
    )
    build(basket, market, until=date(2006, 3, 31))  # the kernel is compiled before the clock runs
    start = time.process_time()
    history = build(basket, market)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Large(constituents, len(history.days), seconds, peak)


def _market(
    symbols: list[str], sessions: np.ndarray[tuple[int], np.dtype[np.datetime64]]
) -> Market:
    rng = np.random.default_rng(SEED)
    shape = (len(sessions), len(symbols))
    close = np.maximum(np.round(20 * np.exp(rng.normal(0, 0.01, shape).cumsum(axis=0)), 2), 0.01)
    prices = pl.DataFrame(
        {
            "symbol": pl.Series(symbols)[np.tile(np.arange(shape[1]), shape[0])],
            "date": np.repeat(sessions, shape[1]),
            "close": close.ravel(),
        }
    )
    count = ACTIONS * len(symbols)
    kind = rng.choice(["dividend", "bonus", "split"], count)
    actions = pl.DataFrame(
        {
            "symbol": rng.choice(symbols, count),
            "ex_date": rng.choice(sessions[1:], count),
            "kind": kind,
            "cash": np.where(kind == "dividend", 0.001, np.nan),
            "ratio": np.where(kind == "bonus", 0.3, np.where(kind == "split", 2.0, np.nan)),
        }
    ).with_columns(pl.col("cash", "ratio").fill_nan(None))
    tables = {name: table.empty() for name, table in TABLES.items()}
    for name, rows in (("prices", prices), ("actions", actions)):
        tables[name] = pl.concat([tables[name], rows], how="diagonal")
    return Market("generated", Manifest(synthetic=True), **tables)
