"""Rebalance dates: facts of calendars, and what a rebalance makes of them."""

from datetime import date

import pytest

from indexer.definitions.basket import Rebalance
from indexer.index.schedule import effective_dates
from indexer.market.calendar import read_calendar
from tests.index.examples import history, weights
from tests.reference.example import MONDAY, SESSIONS, WEEK, closes

MAINLAND = read_calendar("XSHG")
WEEKDAYS = read_calendar("24/5")
A, B = closes("A.US", 10, 11, 12, 13, 14), closes("B.US", *[20] * 5)
BEFORE = SESSIONS[SESSIONS.index(MONDAY) - 3 : SESSIONS.index(MONDAY)]


def dates(base: str, last: str, calendar=MAINLAND, **rule) -> list[str]:
    """Return the effective dates of a rule after the base date and up to the last date."""
    found = effective_dates(
        Rebalance(**rule), calendar, date.fromisoformat(base), date.fromisoformat(last)
    )
    return [str(day) for day in found]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"frequency": "never"}, []),
        (
            {"frequency": "quarterly", "day": "third friday"},
            ["2024-03-15", "2024-06-21", "2024-09-20", "2024-12-20"],
        ),
        ({"frequency": "semiannual"}, ["2024-06-28", "2024-12-31"]),
        ({"frequency": "annual"}, ["2024-12-31"]),
        ({"frequency": "annual", "months": [8], "day": "second wednesday"}, ["2024-08-14"]),
        ({"frequency": "annual", "months": [8], "day": "last thursday"}, ["2024-08-29"]),
        ({"frequency": "annual", "months": [5], "day": "last friday"}, ["2024-05-31"]),
        ({"frequency": "annual", "months": [2], "day": "last friday"}, ["2024-02-23"]),
        ({"frequency": "annual", "months": [8], "day": "fourth thursday"}, ["2024-08-22"]),
        ({"frequency": "annual", "months": [10], "day": "first session"}, ["2024-10-08"]),
        ({"frequency": "annual", "months": [8], "day": "first session"}, ["2024-08-01"]),
        ({"frequency": "annual", "months": [9], "day": "last session"}, ["2024-09-30"]),
        ({"frequency": "semiannual", "months": [11, 5], "day": 15}, ["2024-05-15", "2024-11-15"]),
    ],
)
def test_days_of_a_rule(rule, expected):
    rule = rule | ({"day": str(rule["day"])} if "day" in rule else {})

    assert dates("2024-01-02", "2024-12-31", **rule) == expected


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ({"frequency": "quarterly", "day": "third friday"}, "1990-12-21"),
        ({"frequency": "monthly", "day": "1"}, "1990-12-31"),
        ({"frequency": "monthly", "day": "first session"}, "1991-01-02"),
        ({"frequency": "monthly", "day": "last session"}, "1990-12-31"),
    ],
)
def test_days_before_a_calendar_begins_are_not_asked_of_it(rule, first):
    """Shanghai's begins on 19 December 1990."""
    assert dates("1990-12-20", "1991-04-01", **rule)[0] == first


def test_a_holiday_moves_back_to_the_session_before():
    """The third Friday of June 2026 is the Dragon Boat festival."""
    rule = {"frequency": "annual", "months": [6], "day": "third friday"}

    assert dates("2026-01-05", "2026-12-31", **rule) == ["2026-06-18"]


@pytest.mark.parametrize("day", ["1", "7", "first monday"])
def test_a_holiday_moves_back_into_the_month_before(day):
    """The first week of October 2024 was a holiday."""
    rule = {"frequency": "annual", "months": [10], "day": day}

    assert dates("2024-01-02", "2024-12-31", **rule) == ["2024-09-30"]


def test_january_moves_back_into_the_year_before():
    rule = {"frequency": "annual", "months": [1], "day": "1"}

    assert dates("2024-01-02", "2024-12-31", **rule) == ["2024-12-31"]
    assert dates("2024-01-02", "2024-12-30", **rule) == []


def test_a_day_beyond_the_months_end_means_its_last_day():
    rule = {"frequency": "monthly", "day": "31"}
    found = dates("2024-01-02", "2024-06-30", WEEKDAYS, **rule)

    assert found == ["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-05-31",
                     "2024-06-28"]  # fmt: skip
    assert dates("2023-02-01", "2023-03-30", WEEKDAYS, **rule) == ["2023-02-28"]


def test_dates_on_or_before_the_base_date_are_skipped():
    rule = {"frequency": "monthly", "day": "8"}

    assert dates("2024-01-08", "2024-02-28", WEEKDAYS, **rule) == ["2024-02-08"]
    assert dates("2024-01-05", "2024-01-31", WEEKDAYS, **rule) == ["2024-01-08"]
    # 8 June is a Saturday: the Friday it moves back to is the base date itself.
    assert dates("2024-06-07", "2024-07-07", WEEKDAYS, **rule) == []


def test_the_last_date_is_included():
    rule = {"frequency": "monthly", "day": "8"}

    assert dates("2024-01-02", "2024-02-08", WEEKDAYS, **rule)[-1] == "2024-02-08"
    assert dates("2024-01-02", "2024-02-07", WEEKDAYS, **rule)[-1] == "2024-01-08"


def test_nothing_is_nominal_beyond_the_calendar():
    """The last day of its last month is no date, if the calendar ends before it."""
    horizon = MAINLAND.horizon
    rule = {"frequency": "monthly", "day": "31"}
    found = dates(f"{horizon.year}-01-04", str(horizon), **rule)

    assert found
    assert all(day <= str(horizon) for day in found)


def test_a_month_beyond_the_calendar_has_no_first_session():
    year = MAINLAND.horizon.year
    rule = {"frequency": "annual", "months": [1], "day": "first session"}

    found = dates(f"{year - 1}-12-01", str(MAINLAND.horizon), **rule)
    assert [day[:7] for day in found] == [f"{year}-01"]


def test_the_last_day_of_the_calendar_is_nominal():
    horizon = MAINLAND.horizon
    rule = {"frequency": "annual", "months": [horizon.month], "day": str(horizon.day)}

    assert dates(f"{horizon.year}-01-04", str(horizon), **rule) == [
        str(MAINLAND.on_or_before(horizon))
    ]


def test_the_new_basket_counts_after_the_close_of_its_effective_date():
    found = history(A + B, rebalance={"frequency": "monthly", "day": "10"})

    assert found.weights["effective"].unique().sort().to_list() == [MONDAY, WEEK[2]]
    assert found.weights["first_session"].unique().sort().to_list() == [WEEK[1], WEEK[3]]
    # Wednesday 1.2 · 500 + 500 = 1100 is the old basket's; then half of 1100 is in each.
    assert found.variants["price"].tolist() == pytest.approx(
        [1000, 1050, 1100, 550 * 13 / 12 + 550, 550 * 14 / 12 + 550]
    )


def test_the_first_session_may_lie_after_the_data():
    """Friday is the last close; the rebalance of that Friday opens on Monday."""
    found = history(A + B, rebalance={"frequency": "monthly", "day": "12"})

    assert found.days[-1].item() == WEEK[4]
    assert found.weights["first_session"].to_list()[-1] == date(2024, 1, 15)


def test_the_reference_date_lies_lag_sessions_before():
    found = history(A + B, rebalance={"frequency": "monthly", "day": "11", "reference_lag": 2})
    rows = found.weights.select("reference", "effective").unique().sort("effective")

    # No close is two sessions old on the base date: it is its own reference date.
    assert rows.rows() == [(MONDAY, MONDAY), (WEEK[1], WEEK[3])]


@pytest.mark.parametrize(("oldest", "lag"), [(3, 3), (2, 0)])
def test_the_reference_of_the_first_basket_wants_a_close_that_old(oldest, lag):
    """A lag of three sessions, and closes from so many sessions before the base date on."""
    start, reference = (SESSIONS[SESSIONS.index(MONDAY) - n] for n in (oldest, lag))
    early = closes("A.US", 9, start=start) + closes("B.US", 20, start=start)
    found = history(early + A + B, rebalance={"reference_lag": 3})

    assert set(weights(found, MONDAY, "reference").values()) == {reference}


def test_any_close_in_the_folder_is_old_enough_for_the_first_reference():
    """C is no constituent, but its close makes Wednesday the reference date of A, and not of B."""
    early = closes("C.US", 7, start=BEFORE[0]) + closes("A.US", 9, start=BEFORE[0])
    found = history(early + A + B, rebalance={"reference_lag": 3})

    assert weights(found, MONDAY, "reference") == {"A.US": BEFORE[0]}
