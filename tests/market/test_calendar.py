"""Calendars as they are bundled: facts from exchanges' notices, bounds and laws."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import MissingInputError
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.calendars.listing import SNAPSHOTS

MAINLAND, HONG_KONG, NEW_YORK, WEEKDAYS, PARIS = map(read_calendar, SNAPSHOTS)

calendars = st.sampled_from((MAINLAND, HONG_KONG, NEW_YORK, WEEKDAYS, PARIS))
dates = st.dates(date(1991, 2, 1), date(2027, 12, 30))


def closed_weekdays(calendar: Calendar, first: str, last: str) -> list[str]:
    """Return the weekdays without session from first to last, both inclusive."""
    days = np.arange(first, np.datetime64(last) + np.timedelta64(1, "D"), dtype="M8[D]")
    sessions = calendar.between(date.fromisoformat(first), date.fromisoformat(last))
    return [str(day) for day in days[np.is_busday(days) & ~np.isin(days, sessions)]]


def close(calendar: Calendar, day: str) -> str:
    """Return the instant in UTC at which a date closes."""
    return str(calendar.close_of(np.array([day], "M8[D]"))[0])


# Facts from outside


def test_mainland_closures_of_2024_are_those_of_the_exchange_notice() -> None:
    assert closed_weekdays(MAINLAND, "2024-01-01", "2024-12-31") == [
        "2024-01-01",
        *(f"2024-02-{day:02}" for day in (9, 12, 13, 14, 15, 16)),
        *("2024-04-04", "2024-04-05"),
        *("2024-05-01", "2024-05-02", "2024-05-03"),
        "2024-06-10",
        *("2024-09-16", "2024-09-17"),
        *("2024-10-01", "2024-10-02", "2024-10-03", "2024-10-04", "2024-10-07"),
    ]


def test_mainland_closures_of_2026_are_those_of_the_exchange_notice() -> None:
    assert closed_weekdays(MAINLAND, "2026-01-01", "2026-12-31") == [
        *("2026-01-01", "2026-01-02"),
        *(f"2026-02-{day}" for day in (16, 17, 18, 19, 20, 23)),
        *("2026-04-06", "2026-05-01", "2026-05-04", "2026-05-05", "2026-06-19", "2026-09-25"),
        *("2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"),
    ]


def test_mainland_stayed_shut_one_day_longer_in_2020() -> None:
    assert MAINLAND.after(date(2020, 1, 23)) == date(2020, 2, 3)


def test_mainland_begins_on_the_day_the_exchange_opened() -> None:
    assert MAINLAND.sessions[0] == np.datetime64("1990-12-19")
    assert MAINLAND.on_or_before(date(1990, 12, 19)) == date(1990, 12, 19)


@pytest.mark.parametrize(
    "day",
    [
        "2021-10-13",  # Kompasu
        "2023-07-17",  # Talim
        "2023-09-01",  # Saola
        "2023-09-08",  # black rainstorm
        "2024-09-06",  # Yagi
    ],
)
def test_hong_kong_was_shut_by_the_weather(day: str) -> None:
    assert not HONG_KONG.is_session(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2023-10-09", "2024-11-14", "2025-09-24"])
def test_hong_kong_traded_in_the_afternoon_or_through_the_typhoon(day: str) -> None:
    assert HONG_KONG.is_session(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("calendar", "day", "instant"),
    [
        (MAINLAND, "2024-10-08", "2024-10-08T07:00"),
        (MAINLAND, "1991-07-01", "1991-07-01T06:00"),  # China had summer time in 1991
        (HONG_KONG, "2024-12-23", "2024-12-23T08:00"),
        (HONG_KONG, "2024-12-24", "2024-12-24T04:00"),  # half day
        (NEW_YORK, "2024-03-08", "2024-03-08T21:00"),  # last session of winter time
        (NEW_YORK, "2024-03-11", "2024-03-11T20:00"),
        (NEW_YORK, "2024-11-01", "2024-11-01T20:00"),
        (NEW_YORK, "2024-11-04", "2024-11-04T21:00"),
        (NEW_YORK, "2024-11-29", "2024-11-29T18:00"),  # early close after Thanksgiving
        (WEEKDAYS, "2024-01-05", "2024-01-06T00:00"),
    ],
)
def test_sessions_close_when_the_exchange_does(calendar: Calendar, day: str, instant: str) -> None:
    assert calendar.is_session(date.fromisoformat(day))
    assert close(calendar, day) == instant


@pytest.mark.parametrize(
    ("calendar", "day", "instant"),
    [
        (MAINLAND, "2024-10-01", "2024-10-01T07:00"),
        (MAINLAND, "2024-02-17", "2024-02-17T07:00"),
        (HONG_KONG, "2023-09-01", "2023-09-01T08:00"),
        (NEW_YORK, "2024-07-04", "2024-07-04T20:00"),
        (NEW_YORK, "2024-12-25", "2024-12-25T21:00"),
        (NEW_YORK, "2024-03-09", "2024-03-09T21:00"),  # the Saturday before the clocks change
        (NEW_YORK, "2024-03-10", "2024-03-10T20:00"),  # the Sunday on which they do
        (WEEKDAYS, "2024-01-06", "2024-01-07T00:00"),
    ],
)
def test_other_dates_close_at_the_ordinary_time(calendar: Calendar, day: str, instant: str) -> None:
    assert not calendar.is_session(date.fromisoformat(day))
    assert close(calendar, day) == instant


@pytest.mark.parametrize(
    ("calendar", "year", "sessions"),
    # Of Hong Kong's 2023, two days fewer than exchange_calendars 4.13.2 lists.
    [(MAINLAND, 2023, 242), (MAINLAND, 2025, 243), (HONG_KONG, 2023, 243), (NEW_YORK, 2024, 252)],
)
def test_years_have_as_many_sessions_as_index_providers_count(
    calendar: Calendar, year: int, sessions: int
) -> None:
    assert len(calendar.between(date(year, 1, 1), date(year, 12, 31))) == sessions


def test_new_york_was_shut_for_storms_and_mourning() -> None:
    assert closed_weekdays(NEW_YORK, "2012-10-22", "2012-11-02") == ["2012-10-29", "2012-10-30"]
    assert closed_weekdays(NEW_YORK, "2025-01-06", "2025-01-10") == ["2025-01-09"]


# How far it is known


def test_mainland_is_verified_to_2026_and_estimated_to_2027() -> None:
    assert MAINLAND.verified_until == date(2026, 12, 31)
    assert MAINLAND.horizon == date(2027, 12, 31)


def test_estimated_mainland_closures_of_2027_follow_the_notices_before() -> None:
    assert closed_weekdays(MAINLAND, "2027-01-01", "2027-12-31") == [
        "2027-01-01",
        *(f"2027-02-{day:02}" for day in (5, 8, 9, 10, 11, 12)),
        "2027-04-05",
        *("2027-05-03", "2027-05-04", "2027-05-05"),
        *("2027-06-09", "2027-09-15"),
        *("2027-10-01", "2027-10-04", "2027-10-05", "2027-10-06", "2027-10-07"),
    ]


@pytest.mark.parametrize("calendar", [HONG_KONG, NEW_YORK, WEEKDAYS])
def test_others_are_as_the_library_says_to_2030(calendar: Calendar) -> None:
    assert calendar.verified_until == calendar.horizon == date(2030, 12, 31)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: MAINLAND.on_or_before(date(2028, 1, 3)),
            "calendar XSHG: does not know 2028-01-03: it ends on 2027-12-31, install an "
            "exchange_calendars that knows more or add the dates to "
            "indexer/market/calendars/XSHG.yaml",
        ),
        (
            lambda: MAINLAND.after(date(2027, 12, 31)),
            "calendar XSHG: has no session after 2027-12-31: it ends on 2027-12-31, install an "
            "exchange_calendars that knows more or add the dates to "
            "indexer/market/calendars/XSHG.yaml",
        ),
        (
            lambda: WEEKDAYS.close_of(np.array(["2031-01-01", "2024-01-01"], "M8[D]")),
            "calendar 24/5: does not know 2031-01-01: it ends on 2030-12-31, install an "
            "exchange_calendars that knows more or add the dates to "
            "indexer/market/calendars/24-5.yaml",
        ),
        (
            lambda: NEW_YORK.close_of(np.array(["2024-01-02", "1989-12-29"], "M8[D]")),
            "calendar XNYS: does not know 1989-12-29: it begins on 1990-01-02, "
            "ask for a later date",
        ),
        (
            lambda: MAINLAND.is_session(date(1990, 12, 18)),
            "calendar XSHG: does not know 1990-12-18: it begins on 1990-12-19, "
            "ask for a later date",
        ),
    ],
)
def test_dates_outside_the_calendar_are_refused(ask, message: str) -> None:
    with pytest.raises(MissingInputError) as caught:
        ask()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "ask",
    [
        lambda day: NEW_YORK.between(day, date(2024, 1, 2)),
        lambda day: NEW_YORK.between(date(2024, 1, 2), day),
        NEW_YORK.on_or_after,
        NEW_YORK.after,
        NEW_YORK.neighbours,
        lambda day: NEW_YORK.close_of(np.array([day], "M8[D]")),
    ],
)
@pytest.mark.parametrize("day", [date(1989, 12, 29), date(2031, 1, 1)])
def test_every_question_is_held_to_the_bounds(ask, day: date) -> None:
    with pytest.raises(MissingInputError, match=f"does not know {day}"):
        ask(day)


# Laws


def test_neighbours_of_a_holiday_are_the_sessions_around_it() -> None:
    assert MAINLAND.neighbours(date(2024, 2, 12)) == (date(2024, 2, 8), date(2024, 2, 19))


def test_no_dates_have_no_closes() -> None:
    assert len(MAINLAND.close_of(np.array([], "M8[D]"))) == 0


@given(calendars, dates)
def test_lookups_agree_on_what_lies_around_a_date(calendar: Calendar, day: date) -> None:
    before, at, after = calendar.on_or_before(day), calendar.on_or_after(day), calendar.after(day)
    assert before <= day <= at <= after
    assert day < after
    assert (before == day) == (at == day) == calendar.is_session(day)
    assert calendar.between(before, after).tolist() == [before, after]
    assert calendar.is_session(before)
    assert calendar.is_session(after)


@given(calendars, st.lists(dates, min_size=3, max_size=3).map(sorted))
def test_periods_split_at_any_date(calendar: Calendar, days: list[date]) -> None:
    first, middle, last = days
    split = [
        *calendar.between(first, middle),
        *calendar.between(middle + timedelta(days=1), last + timedelta(days=1)),
    ]
    assert split == calendar.between(first, last + timedelta(days=1)).tolist()


@given(calendars, st.lists(dates, max_size=30))
def test_closes_are_the_local_closing_times_in_utc(calendar: Calendar, days: list[date]) -> None:
    closes = calendar.close_of(np.array(days, "M8[D]"))
    for day, instant in zip(days, closes.tolist(), strict=True):
        if calendar.is_session(day):
            assert [instant] == calendar.closes[calendar.sessions == np.datetime64(day)].tolist()
        else:
            at = datetime.combine(day, calendar.ordinary_close, calendar.zone)
            at += timedelta(days=calendar.ordinary_close == time(0))
            assert instant == at.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize("calendar", [MAINLAND, HONG_KONG, NEW_YORK, WEEKDAYS])
def test_sessions_and_closes_ascend_and_cannot_be_changed(calendar: Calendar) -> None:
    assert (np.diff(calendar.sessions) > np.timedelta64(0, "D")).all()
    assert (np.diff(calendar.closes) > np.timedelta64(0, "m")).all()
    assert (calendar.sessions.dtype, calendar.closes.dtype) == ("M8[D]", "M8[m]")
    with pytest.raises(ValueError, match="read-only"):
        calendar.sessions[0] = np.datetime64("2000-01-01")
    with pytest.raises(ValueError, match="read-only"):
        calendar.closes[0] = np.datetime64("2000-01-01")


@pytest.mark.parametrize("code", ["XSHG", "XHKG", "XNYS"])
def test_up_to_its_horizon_a_calendar_says_when_it_is_open_and_weekdays_do_after_that(code):
    calendar = read_calendar(code)
    last, horizon = calendar.sessions[-1].item(), calendar.horizon
    after = [horizon + timedelta(n) for n in range(1, 8)]
    days = np.array([last - timedelta(7), last, *after], dtype="datetime64[D]")

    told = calendar.open_on(days).tolist()
    assert told[:2] == [calendar.is_session(last - timedelta(7)), True]
    assert told[2:] == [day.weekday() < 5 for day in after]


def test_before_its_first_session_a_calendar_is_closed_on_every_date():
    days = MAINLAND.sessions[:1] - np.arange(1, 8)

    assert not MAINLAND.open_on(days).any()


def test_a_holiday_on_a_weekday_is_closed_and_so_is_a_weekend():
    days = np.array(["2024-10-01", "2024-10-05", "2024-10-08"], dtype="datetime64[D]")

    assert MAINLAND.open_on(days).tolist() == [False, False, True]


def test_the_weekday_on_which_a_calendar_ends_is_closed_if_it_is_a_holiday():
    """Only after it nothing is known."""
    ended = replace(MAINLAND, horizon=date(2024, 10, 1))
    days = np.array(["2024-10-01", "2024-10-02"], dtype="datetime64[D]")
    assert ended.open_on(days).tolist() == [False, True]
