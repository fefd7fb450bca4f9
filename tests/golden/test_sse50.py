"""SSE 50: holding what the official closing weights imply reproduces the official level.

The weights are those of two dates; in the review between them four members left, four entered and
shares of others changed. The market folder ends with the review; three closing levels after it are
quoted from a public record (AI-Trader on GitHub, index_daily_sse_50.json, as of 2026-01-20).
"""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from indexer.definitions.basket import Basket
from indexer.index.build import build
from indexer.index.history import History
from indexer.index.holding import market_weights
from indexer.market.tables import Market, read_market
from tests.shared import SSE50, real

pytestmark = real

BASIS_POINT = 1e-4
SEPTEMBER, REVIEW, DECEMBER = date(2025, 9, 30), date(2025, 12, 12), date(2025, 12, 31)
# The shares of 30 September miss the official level of the days before it, by up to 4 basis points.
UNCHANGED_SINCE = date(2025, 9, 4)
QUOTED = {
    date(2025, 12, 15): 2987.0684,  # the first session after the review
    date(2025, 12, 31): 3031.1258,
    date(2026, 1, 20): 3070.6460,
}
HALF_A_DECIMAL = 0.0005  # per cent, the last one of a published weight


@pytest.fixture(scope="module")
def market() -> Market:
    return read_market(SSE50)


def official(market: Market) -> dict[date, float]:
    """Return the official level of every session of the folder, and those that are quoted."""
    return dict(market.series.select("date", "close").iter_rows()) | QUOTED


def published(day: date) -> dict[str, float]:
    """Return the official closing weights of a day, in per cent."""
    weights = pl.read_csv(SSE50 / "official-weights.csv", try_parse_dates=True)
    return dict(weights.filter(date=day).select("symbol", "weight_percent").iter_rows())


def closes(market: Market, day: date) -> dict[str, float]:
    return dict(market.prices.filter(date=day).select("symbol", "close").iter_rows())


def worth(market: Market, shares: dict[str, float], day: date) -> float:
    """Return what shares are worth at the closes of a day."""
    close = closes(market, day)
    return sum(count * close[symbol] for symbol, count in shares.items())


def shares_of(market: Market, day: date) -> dict[str, float]:
    """Return shares in the proportions that the official weights of a day imply."""
    close = closes(market, day)
    return {symbol: weight / close[symbol] for symbol, weight in published(day).items()}


def sse_50(day: date, level: float, **keys: Any) -> Basket:
    """Return a definition that begins on a day at a level."""
    return Basket.model_validate(
        {
            "version": "1",
            "id": "sse-50",
            "name": {"en": "SSE 50", "zh": "上证50"},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": day, "level": level},
            **keys,
        }
    )


def held_from(day: date, level: float) -> Basket:
    """Return the members at their official weights of a day, never rebalanced."""
    constituents = [{"symbol": s, "weight": w / 100} for s, w in published(day).items()]
    weighting = {"scheme": "fixed", "normalise": True}
    return sse_50(day, level, weighting=weighting, constituents=constituents)


def through_the_review(market: Market, until: date) -> History:
    """Return one index that holds the shares of either date, and is reviewed in between.

    The review is that of the index: after the close of the second Friday of December. Shares are
    tabled from the dates since which they were counted; on the base date they are worth what
    makes the level of 30 September the official one.
    """
    before, after = shares_of(market, SEPTEMBER), shares_of(market, DECEMBER)
    rows = [
        {"symbol": symbol, "date": day, "total_shares": count}
        for day, counted in ((UNCHANGED_SINCE, before), (REVIEW, after))
        for symbol, count in counted.items()
    ]
    constituents = [
        {"symbol": s}
        | ({} if s in before else {"from": REVIEW})
        | ({} if s in after else {"until": REVIEW})
        for s in sorted({*before, *after})
    ]
    growth = worth(market, before, UNCHANGED_SINCE) / worth(market, before, SEPTEMBER)
    definition = sse_50(
        UNCHANGED_SINCE,
        official(market)[SEPTEMBER] * growth,
        weighting={"scheme": "market_cap"},
        rebalance={"frequency": "semiannual", "day": "second friday"},
        constituents=constituents,
    )
    shares = pl.DataFrame(rows, schema=market.shares.schema)
    return build(definition, replace(market, shares=shares), until=until)


def differences(found: History, market: Market) -> dict[date, float]:
    """Return by how many basis points the level is off on each session with an official one."""
    levels = zip(found.days.tolist(), found.variants["price"], strict=True)
    expected = official(market)
    return {d: abs(x / expected[d] - 1) / BASIS_POINT for d, x in levels if d in expected}


def test_weights_of_september_follow_the_official_level_to_december(market: Market) -> None:
    """Within 0.03 basis points on every session from 2025-09-30 to 2025-12-12."""
    level = official(market)[SEPTEMBER]
    found = build(held_from(SEPTEMBER, level), market, until=REVIEW)
    off = differences(found, market)

    assert list(off) == [day for day in official(market) if SEPTEMBER <= day <= REVIEW]
    assert len(off) == 48
    assert max(off.values()) < 0.03


def test_weights_of_december_follow_the_official_level_in_january(market: Market) -> None:
    until = date(2026, 1, 20)
    found = build(held_from(DECEMBER, QUOTED[DECEMBER]), market, until=until)

    assert len(found.days) == 13
    assert differences(found, market)[until] < 0.01


def test_one_index_runs_through_both_dates_and_the_review_between(market: Market) -> None:
    """Within 0.03 basis points on 66 sessions before the review, after it and at the year's end."""
    found = through_the_review(market, DECEMBER)
    off = differences(found, market)

    assert len(found.days) == 79
    assert len([day for day in off if day <= REVIEW]) == 66
    assert [day for day in off if day > REVIEW] == [date(2025, 12, 15), DECEMBER]
    assert max(off.values()) < 0.03


def test_the_review_alone_changes_members_and_divisor(market: Market) -> None:
    found = through_the_review(market, DECEMBER)
    [_, review] = found.weights.partition_by("effective")
    before, after = set(published(SEPTEMBER)), set(published(DECEMBER))

    assert review.select("effective", "first_session").unique().rows() == [
        (REVIEW, date(2025, 12, 15))
    ]
    assert set(review["symbol"]) == after
    assert before - after == {"600048.SH", "600941.SH", "601600.SH", "601766.SH"}
    assert after - before == {"600104.SH", "600111.SH", "600930.SH", "603019.SH"}
    changes = found.days[1:][np.diff(found.divisor) != 0]
    assert changes.tolist() == [REVIEW]


def test_members_that_stayed_drift_to_the_next_published_weights(market: Market) -> None:
    """Of the 46 that stayed 33 arrive at them within the rounding of both publications.

    The shares of the others changed in the review. What entered, left or changed scales the
    weights of all the rest alike, by the median.
    """
    found = build(held_from(SEPTEMBER, official(market)[SEPTEMBER]), market, until=DECEMBER)
    assert found.panel is not None
    weights = market_weights(found.panel, -1, found.shares[-1])
    drifted = dict(zip(found.symbols, weights, strict=True))
    before, after = published(SEPTEMBER), published(DECEMBER)
    stayed = [symbol for symbol in before if symbol in after]
    ratio = np.array([after[symbol] / drifted[symbol] for symbol in stayed])
    rounding = [HALF_A_DECIMAL * (1 / before[symbol] + 1 / after[symbol]) for symbol in stayed]

    assert len(stayed) == 46
    assert (abs(ratio / np.median(ratio) - 1) <= rounding).sum() == 33
