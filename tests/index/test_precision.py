"""Twenty years, session upon session, beside the same in sixty digits: R33."""

from datetime import date
from decimal import Decimal, localcontext

import numpy as np
import pytest

from indexer.market.calendar import read_calendar
from tests.index.examples import history

SESSIONS = [
    day
    for day in read_calendar("XSHG").sessions.tolist()
    if date(2006, 1, 4) <= day <= date(2026, 6, 30)
]
SYMBOLS = [f"{600000 + n}.SH" for n in range(10)]
PAID = Decimal("0.13")  # by everybody, at the first session of every July


@pytest.fixture(scope="module")
def closes() -> list[list[Decimal]]:
    """Return the closes of each session to the cent, random walks from a seed."""
    rng = np.random.default_rng(20260507)
    moves = rng.normal(0.0002, 0.02, (len(SESSIONS), len(SYMBOLS)))
    prices = np.maximum(20 * np.exp(np.cumsum(moves, axis=0)), 1.0)
    return [[Decimal(f"{price:.2f}") for price in row] for row in prices.tolist()]


@pytest.fixture(scope="module")
def ex_dates() -> set[date]:
    years = range(SESSIONS[0].year, SESSIONS[-1].year)
    return {min(day for day in SESSIONS if day >= date(year, 7, 1)) for year in years}


def exact(closes, ex_dates, rebalanced):
    """Yield the price and the gross level of each session: equal parts after each rebalance."""
    shares = [Decimal(1000) / len(SYMBOLS) / close for close in closes[0]]
    before = value = price = gross = Decimal(1000)
    yield price, gross
    for day, row in zip(SESSIONS[1:], closes[1:], strict=True):
        value = sum(count * close for count, close in zip(shares, row, strict=True))
        income = sum(shares) * PAID if day in ex_dates else 0
        price, gross = price * value / before, gross * (value + income) / before
        before = value
        yield price, gross
        if day in rebalanced:
            shares = [value / len(SYMBOLS) / close for close in row]


def test_twenty_years_of_levels_are_those_of_sixty_digits(closes, ex_dates):
    rows = [
        {"symbol": symbol, "date": day, "close": float(close)}
        for day, row in zip(SESSIONS, closes, strict=True)
        for symbol, close in zip(SYMBOLS, row, strict=True)
    ]
    paid = [
        {"symbol": symbol, "ex_date": day, "kind": "dividend", "cash": float(PAID)}
        for day in sorted(ex_dates)
        for symbol in SYMBOLS
    ]
    found = history(
        rows,
        *paid,
        currency="CNY",
        calendar="XSHG",
        base={"date": SESSIONS[0], "level": 1000},
        variants=("price", "gross"),
        rebalance={"frequency": "monthly"},
        constituents=[{"symbol": symbol} for symbol in SYMBOLS],
    )
    rebalanced = {r.effective for r in found.rebalances}
    with localcontext(prec=60):
        expected = list(exact(closes, ex_dates, rebalanced))
        for name, levels in zip(("price", "gross"), zip(*expected, strict=True), strict=True):
            pairs = zip(found.variants[name].tolist(), levels, strict=True)
            worst = max(abs(Decimal(level) / wanted - 1) for level, wanted in pairs)
            assert worst < Decimal("1e-12"), name

    assert (len(SESSIONS), len(rebalanced)) == (4975, 247)
