"""Daily price limits: which board a code is of, and from when its limit counts."""

from datetime import date
from fractions import Fraction

import pytest

from indexer.market.conventions.limits import price_limit

CHINEXT = ["300750.SZ", "301269.SZ", "302132.SZ"]


@pytest.mark.parametrize("symbol", CHINEXT)
def test_every_code_of_chinext_has_its_wide_limit(symbol: str) -> None:
    """302132 was 300114 until 2025: the codes after 301 are of the same board."""
    assert price_limit(symbol, date(2025, 3, 3)) == Fraction(1, 5)


@pytest.mark.parametrize("symbol", CHINEXT)
def test_chinext_had_the_limit_of_the_main_board_before(symbol: str) -> None:
    assert price_limit(symbol, date(2020, 8, 21)) == Fraction(1, 10)


@pytest.mark.parametrize(
    ("symbol", "limit"),
    [("600519.SH", "0.1"), ("000333.SZ", "0.1"), ("003816.SZ", "0.1"), ("688981.SH", "0.2"),
     ("689009.SH", "0.2"), ("920002.BJ", "0.3")],
)  # fmt: skip
def test_the_limits_of_the_other_boards(symbol: str, limit: str) -> None:
    assert price_limit(symbol, date(2025, 3, 3)) == Fraction(limit)


@pytest.mark.parametrize("symbol", ["00700.HK", "NVDA.US"])
def test_elsewhere_there_is_no_limit(symbol: str) -> None:
    assert price_limit(symbol, date(2025, 3, 3)) is None
