"""SSE 50: holding the official closing weights reproduces the official level."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from indexer.definitions.basket import Basket
from indexer.index.build import build
from indexer.market.tables import read_market

FOLDER = Path(__file__).parents[3] / "shared" / "market" / "sse50"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no market data at {FOLDER}")

BASIS_POINT = 1e-4


def held_from(day: date, level: float) -> Basket:
    """Return the members at their official weights of a day, never rebalanced."""
    weights = pl.read_csv(FOLDER / "official-weights.csv").filter(pl.col("date") == str(day))
    return Basket.model_validate(
        {
            "version": "1",
            "id": "sse-50",
            "name": {"en": "SSE 50", "zh": "上证50"},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": day, "level": level},
            "weighting": {"scheme": "fixed", "normalise": True},
            "constituents": [
                {"symbol": row["symbol"], "weight": row["weight_percent"] / 100}
                for row in weights.iter_rows(named=True)
            ],
        }
    )


def test_weights_of_september_follow_the_official_level_to_december():
    """Within 0.03 basis points on every session from 2025-09-30 to 2025-12-12."""
    market = read_market(FOLDER)
    official = market.series.filter(pl.col("date") >= date(2025, 9, 30)).sort("date")
    history = build(
        held_from(date(2025, 9, 30), official["close"][0]), market, until=date(2025, 12, 12)
    )
    level = history.variants["price"]
    differences = np.abs(level / official["close"].to_numpy() - 1) / BASIS_POINT

    assert history.days.tolist() == official["date"].to_list()
    assert len(level) == 48
    assert differences.max() < 0.03
