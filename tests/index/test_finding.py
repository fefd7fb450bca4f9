"""When an exchange is open, and how many names a message gives."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from indexer.index.finding import open_on, shown
from indexer.market.calendar import read_calendar


@pytest.mark.parametrize("code", ["XSHG", "XHKG", "XNYS"])
def test_up_to_its_horizon_a_calendar_says_when_it_is_open_and_weekdays_do_after_that(code):
    calendar = read_calendar(code)
    last, horizon = calendar.sessions[-1].item(), calendar.horizon
    after = [horizon + timedelta(n) for n in range(1, 8)]
    days = np.array([last - timedelta(7), last, *after], dtype="datetime64[D]")

    told = open_on(calendar, days).tolist()
    assert told[:2] == [calendar.is_session(last - timedelta(7)), True]
    assert told[2:] == [day.weekday() < 5 for day in after]


def test_a_holiday_on_a_weekday_is_closed_and_so_is_a_weekend():
    days = np.array(["2024-10-01", "2024-10-05", "2024-10-08"], dtype="datetime64[D]")

    assert open_on(read_calendar("XSHG"), days).tolist() == [False, False, True]


def test_the_weekday_on_which_a_calendar_ends_is_closed_if_it_is_a_holiday():
    """Only after it nothing is known."""
    calendar = read_calendar("XSHG")
    ended = replace(calendar, horizon=date(2024, 10, 1))
    days = np.array(["2024-10-01", "2024-10-02"], dtype="datetime64[D]")
    assert open_on(ended, days).tolist() == [False, True]


def test_a_message_names_five_and_counts_the_rest():
    names = list("abcdefg")

    assert shown(names[:1]) == "a"
    assert shown(names[:5]) == "a, b, c, d, e"
    assert shown(names) == "a, b, c, d, e and 2 more"
