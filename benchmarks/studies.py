"""A study of five baskets over 2,500 sessions with every signal: time, and memory as it grows."""

import resource
import time
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from indexer.definitions.basket import Basket
from indexer.definitions.study import Study
from indexer.index.build import build
from indexer.market.calendar import read_calendar
from indexer.market.tables import TABLES, Manifest, Market
from indexer.signals.study import compare

FIRST, SEED, MEMBERS = date(2015, 1, 5), 1, 40
IDS = ("leader", "second", "third", "fourth", "market")


@dataclass(frozen=True, slots=True)
class StudyCost:
    """What comparing took, of indices built before, in a process that had compared before."""

    sessions: int
    signals: int
    rows: int
    cpu_seconds: float
    peak_mib: float


def study_cost(sessions: int) -> StudyCost:
    """Compare a leader with three followers of 40 members each, against a fifth basket."""
    days = read_calendar("XSHG").sessions
    days = days[days >= np.datetime64(FIRST)][:sessions]
    baskets = {id: _basket(id, n) for n, id in enumerate(IDS)}
    market = _market(days)
    histories = {id: build(basket, market) for id, basket in baskets.items()}
    asked = Study.model_validate(
        {
            "version": "1",
            "id": "large",
            "name": {"en": "Large"},
            "start": FIRST,
            "benchmark": "market",
            "pairs": [{"leader": "leader", "follower": id} for id in IDS[1:4]],
            "events": [{"date": days[-40].item(), "name": "Some day", "indices": list(IDS[:4])}],
        }
    )
    compare(asked, histories, _no_fixings, until=days[300].item())  # kernels are loaded
    start = time.process_time()
    found = compare(asked, histories, _no_fixings)
    rows = len(found.table) + len(found.state_table)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return StudyCost(len(days), len(found.signals), rows, seconds, peak)


def _no_fixings(currency: str, *_: object) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    raise AssertionError(f"a study in local currency asks for {currency}")


def _basket(id: str, number: int) -> Basket:
    return Basket.model_validate(
        {
            "version": "1",
            "id": id,
            "name": {"en": id},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": FIRST, "level": 1000},
            "weighting": {"scheme": "equal"},
            "rebalance": {"frequency": "quarterly"},
            "constituents": [{"symbol": symbol} for symbol in _symbols(number)],
        }
    )


def _symbols(number: int) -> list[str]:
    return [f"{600000 + MEMBERS * number + k}.SH" for k in range(MEMBERS)]


def _market(days: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> Market:
    rng = np.random.default_rng(SEED)
    symbols = [symbol for n in range(len(IDS)) for symbol in _symbols(n)]
    together = 0.01 * rng.standard_normal((len(days), 1))
    moves = together + 0.02 * rng.standard_normal((len(days), len(symbols)))
    close = 20 * np.exp(np.cumsum(moves, axis=0))
    prices = pl.DataFrame(
        {
            "symbol": np.repeat(symbols, len(days)),
            "date": np.tile(days, len(symbols)),
            "close": close.T.ravel().round(2).clip(0.01),
            "amount": np.exp(rng.normal(18, 1, close.size)).round(0),
        }
    )
    tables = {name: table.empty() for name, table in TABLES.items()}
    known = tables["prices"].schema
    filled = prices.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in known.items() if name not in prices
    )
    tables["prices"] = filled.select(list(known)).cast(pl.Schema(known))
    return Market("random", Manifest(synthetic=True), **tables)
