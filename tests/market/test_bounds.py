"""Dated conventions: ticks, finality and bounds of plausibility."""

from datetime import UTC, date, datetime, timedelta

import pytest

from indexer.market.calendar import read_calendar
from indexer.market.conventions.bounds import plausible
from indexer.market.conventions.finality import bar_final_at, last_final_bar, minutes_to_final
from indexer.market.conventions.ticks import tick_size

DAY = date(2024, 1, 2)


@pytest.mark.parametrize(
    ("symbol", "price", "tick"),
    [
        ("300308.SZ", 151.2, 0.01),
        ("510300.SH", 3.9, 0.001),
        ("900901.SH", 0.5, 0.001),
        ("920808.BJ", 20.0, 0.01),
        ("NVDA.US", 180.0, 0.01),
        ("NVDA.US", 1.0, 0.01),
        ("NVDA.US", 0.9999, 0.0001),
        ("00700.HK", 0.2, 0.001),
        ("00700.HK", 9.99, 0.01),
        ("00700.HK", 15.0, 0.02),
        ("00700.HK", 45.0, 0.05),
        ("00700.HK", 300.0, 0.2),
    ],
)
def test_the_tick_is_that_of_the_market_and_the_band(symbol: str, price: float, tick: float):
    assert tick_size(symbol, DAY, price) == tick


def test_hong_kong_has_narrower_ticks_from_august_2025_on():
    before, after = date(2025, 8, 1), date(2025, 8, 4)

    assert [tick_size("00700.HK", day, 15.0) for day in (before, after)] == [0.02, 0.01]


def test_new_york_has_finer_ticks_below_a_dollar_since_2006():
    before, after = date(2006, 1, 30), date(2006, 1, 31)

    assert [tick_size("NVDA.US", day, 0.3) for day in (before, after)] == [0.01, 0.0001]


def test_before_its_first_entry_a_market_has_the_ticks_of_that_entry():
    assert tick_size("NVDA.US", date(1999, 1, 4), 0.3) == 0.01


def test_a_market_without_ticks_is_an_error():
    with pytest.raises(ValueError, match=r"has no tick.*ticks\.csv"):
        tick_size("VOD.L", DAY, 70.0)


def test_a_margin_counts_from_its_first_day_on():
    first = date(1990, 12, 19)

    assert [minutes_to_final("XSHG", day) for day in (first - timedelta(1), first)] == [60, 30]


def test_an_exchange_that_the_table_does_not_name_waits_an_hour():
    assert minutes_to_final("XLON", DAY) == 60


@pytest.mark.parametrize(
    ("code", "day", "at"),
    [
        ("XSHG", date(2026, 3, 2), datetime(2026, 3, 2, 7, 30, tzinfo=UTC)),
        ("XHKG", date(2026, 2, 16), datetime(2026, 2, 16, 4, 40, tzinfo=UTC)),  # half a day
        ("XNYS", date(2025, 11, 28), datetime(2025, 11, 28, 19, tzinfo=UTC)),  # until 13:00
    ],
)
def test_a_bar_is_final_so_long_after_the_close_of_its_own_session(code, day, at):
    calendar = read_calendar(code)
    before = calendar.on_or_before(day - timedelta(days=1))

    assert bar_final_at(calendar, day) == at
    assert last_final_bar(calendar, at) == day
    assert last_final_bar(calendar, at - timedelta(seconds=1)) == before


def test_what_no_entry_bounds_is_not_bounded():
    assert plausible("height", DAY) is None
    assert plausible("USD/CNY", date(1993, 12, 31)) is None
    assert plausible("USD/CNY", DAY) == (5.0, 10.0)
