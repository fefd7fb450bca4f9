"""Daily price limits: which board a code is of, and from when its limit counts."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.market.conventions.limits import at_limit, limit_prices, price_limit

CHINEXT = ["300750.SZ", "301269.SZ", "302132.SZ"]


@pytest.mark.parametrize("symbol", CHINEXT)
def test_every_code_of_chinext_has_its_wide_limit(symbol: str) -> None:
    """302132 was 300114 until 2025: the codes after 301 are of the same board."""
    assert price_limit(symbol, date(2025, 3, 3)) == Fraction(1, 5)


@pytest.mark.parametrize("symbol", CHINEXT)
def test_chinext_had_the_limit_of_the_main_board_before(symbol: str) -> None:
    assert price_limit(symbol, date(2020, 8, 21)) == Fraction(1, 10)


@pytest.mark.parametrize("symbol", CHINEXT)
def test_a_limit_counts_from_its_first_day_on(symbol: str) -> None:
    assert price_limit(symbol, date(2020, 8, 24)) == Fraction(1, 5)


@pytest.mark.parametrize(
    ("symbol", "limit"),
    [("600519.SH", "0.1"), ("000333.SZ", "0.1"), ("003816.SZ", "0.1"), ("688981.SH", "0.2"),
     ("689009.SH", "0.2"), ("588000.SH", "0.2"), ("510300.SH", "0.1"), ("920002.BJ", "0.3")],
)  # fmt: skip
def test_the_limits_of_the_other_boards(symbol: str, limit: str) -> None:
    assert price_limit(symbol, date(2025, 3, 3)) == Fraction(limit)


@pytest.mark.parametrize("symbol", ["00700.HK", "NVDA.US"])
def test_elsewhere_there_is_no_limit(symbol: str) -> None:
    assert price_limit(symbol, date(2025, 3, 3)) is None


DAY, CENT = date(2025, 3, 3), Decimal("0.01")
PRICES = st.integers(10, 200_000).map(lambda cents: cents * CENT)
SYMBOLS = st.sampled_from(["600519.SH", "300750.SZ", "920002.BJ"])


@given(PRICES, SYMBOLS)
def test_the_limits_of_one_session_are_those_that_floats_give_with_some_slack(price, symbol):
    limit = float(price_limit(symbol, DAY) or 0)
    told = [floor(float(price) * (1 + side * limit) / 0.01 + 0.5 + 1e-7) for side in (-1, 1)]

    prices = limit_prices(symbol, DAY, Fraction(price))

    assert prices == tuple(Fraction(cents, 100) for cents in told)


@given(PRICES, SYMBOLS, st.integers(1, 8))
def test_the_limits_of_several_sessions_are_rounded_at_each_of_them(price, symbol, sessions):
    low = high = price
    limit = Decimal(str(float(price_limit(symbol, DAY) or 0)))
    for _ in range(sessions):
        low = (low * (1 - limit)).quantize(CENT, ROUND_HALF_UP)
        high = (high * (1 + limit)).quantize(CENT, ROUND_HALF_UP)

    assert limit_prices(symbol, DAY, Fraction(price), sessions) == (Fraction(low), Fraction(high))


@given(st.integers(100, 200_000).map(lambda cents: cents * CENT), SYMBOLS)
def test_a_close_at_either_limit_stands_there_and_one_a_tick_inside_does_not(price, symbol):
    low, high = limit_prices(symbol, DAY, Fraction(price)) or ()
    closes = [low, high, low + Fraction(1, 100), high - Fraction(1, 100), Fraction(price)]

    told = [at_limit(symbol, DAY, float(close), Fraction(price)) for close in closes]

    assert told == [True, True, False, False, False]
