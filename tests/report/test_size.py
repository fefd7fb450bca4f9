"""A page of five indices over ten years is small enough to be sent."""

from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest

from indexer.definitions.basket import Basket, Series
from indexer.definitions.study import Study
from indexer.index.build import build
from indexer.index.schedule import calendar_of
from indexer.market.tables import TABLES, Manifest, Market
from indexer.report.page import study_page
from indexer.signals import catchup
from indexer.signals.result import Comparison
from indexer.signals.study import compare

INDICES, SESSIONS, MEMBERS = 5, 2500, 40
BOUND = 2_500_000  # bytes
LAST = date(2026, 5, 7)
SEGMENTS = ("optical-module", "pcb", "memory", "liquid-cooling", "server-odm")
SERIES = {"version": "1", "kind": "series", "symbol": "000985.SH", "currency": "CNY"}


def definition(n: int, base: date) -> Basket:
    """Return the n-th of the indices."""
    members = [
        {"symbol": f"{300000 + MEMBERS * n + k}.SZ", "name": f"名称{k}", "segment": segment}
        for k, segment in zip(range(MEMBERS), SEGMENTS * MEMBERS, strict=False)
    ]
    told: dict[str, Any] = {
        "version": "1",
        "id": f"some-chain-{n}",
        "name": {"en": f"Compute Chain Number {n}", "zh": f"算力链第{n}号"},
        "selected_on": LAST.replace(year=2025),
        "currency": "CNY",
        "calendar": "XSHG",
        "base": {"date": base, "level": 1000.0},
        "weighting": {"scheme": "equal"},
        "constituents": members,
    }
    return Basket.model_validate(told)


@pytest.fixture(scope="module")
def decade() -> Comparison:
    """Return a study of five baskets, each one with each other, over ten years of drawn prices."""
    series = Series.model_validate(
        SERIES | {"id": "csi-all-share", "name": {"en": "Market"}} | {"calendar": "XSHG"}
    )
    sessions = calendar_of(series).sessions
    sessions = sessions[sessions <= np.datetime64(LAST)][-SESSIONS:]
    baskets = [definition(n, sessions[0].item()) for n in range(INDICES)]
    symbols = [s for basket in baskets for s in basket.symbols]
    rng = np.random.default_rng(20260507)
    market = rng.standard_t(5, SESSIONS) * 0.008
    chains = 1.2 * market[:, None] + rng.standard_t(5, (SESSIONS, INDICES)) * 0.01
    returns = np.repeat(chains, MEMBERS, axis=1)
    returns += rng.standard_t(4, (SESSIONS, len(symbols))) * 0.015
    close = np.round(20 * np.exp(returns.cumsum(axis=0)), 2).clip(0.01)
    frames = {name: table.empty() for name, table in TABLES.items()}
    told = {
        "symbol": np.tile(symbols, SESSIONS),
        "date": np.repeat(sessions, len(symbols)),
        "close": close.ravel(),
    }
    frames["prices"] = pl.concat([frames["prices"], pl.DataFrame(told)], how="diagonal")
    told = {
        "symbol": [series.symbol] * SESSIONS,
        "date": sessions,
        "close": 1000 * np.exp(market.cumsum()),
    }
    frames["series"] = pl.concat([frames["series"], pl.DataFrame(told)], how="diagonal")
    folder = Market("drawn", Manifest(synthetic=True), **frames)
    study = Study.model_validate(
        {
            "version": "1",
            "id": "decade",
            "name": {"en": "A decade", "zh": "十年"},
            "start": sessions[0].item(),
            "pairs": [{"leader": a.id, "follower": b.id} for a, b in combinations(baskets, 2)],
            "bootstrap": {"replications": 99},  # a page is no larger for more
        }
    )
    histories = {one.id: build(one, folder) for one in (*baskets, series)}
    with pytest.MonkeyPatch.context() as few:
        few.setattr(catchup, "PATHS", 50)  # a page is no larger for a thousand
        return compare(study, histories, lambda *_: pytest.fail("all of it is in one currency"))


def test_the_page_of_a_decade_is_within_its_bound(decade: Comparison) -> None:
    assert decade.aligned.level.shape == (SESSIONS, INDICES + 1)
    assert len(study_page(decade).encode()) <= BOUND
