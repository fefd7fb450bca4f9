"""Rebalance dates of an index, written from the methodology page alone.

Everything is found on the full calendar, not on the span of the data.
"""

import calendar
from bisect import bisect_right
from datetime import date
from typing import Any

MONTHS = {
    "monthly": list(range(1, 13)),
    "quarterly": [3, 6, 9, 12],
    "semiannual": [6, 12],
    "annual": [12],
}
ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def nominal_day(rule: str | int, year: int, month: int, sessions: list[date]) -> date | None:
    """Day of a month that a rule names, session or not; None where the month has no such day."""
    length = calendar.monthrange(year, month)[1]
    if str(rule).isdigit():  # "a day number beyond the month's end means its last day"
        return date(year, month, min(int(rule), length))
    ordinal, noun = str(rule).split()
    days = [date(year, month, number) for number in range(1, length + 1)]
    if noun == "session":
        open_days = set(sessions)
        days = [day for day in days if day in open_days]
    else:
        days = [day for day in days if day.weekday() == WEEKDAYS.index(noun)]
    return days[ORDINALS[ordinal]] if days else None


def effective_dates(rebalance: dict[str, Any], sessions: list[date], base: date) -> list[date]:
    """Sessions after the base date at whose close the index is rebalanced, ascending."""
    frequency = rebalance.get("frequency") or "never"
    if frequency == "never":
        return []
    months = rebalance.get("months") or MONTHS[frequency]
    rule = rebalance.get("day") or "last session"
    found = set()
    for year in range(base.year, sessions[-1].year + 1):
        near = [d for d in sessions if year - 1 <= d.year <= year]
        for month in months:
            day = nominal_day(rule, year, month, near)
            # "the nominal day of the rule, moved back to the last session on or before it (also
            # into the month before)"; beyond the calendar's last month no day is nominal.
            if day is not None and day <= sessions[-1]:
                found.add(sessions[bisect_right(sessions, day) - 1])
    # "Dates on or before the base date are skipped."
    return sorted(day for day in found if day > base)


def reference_date(lag: int, sessions: list[date], effective: date) -> date | None:
    """Session `lag` sessions before the effective date; None where the calendar starts later."""
    position = sessions.index(effective) - lag
    return sessions[position] if position >= 0 else None


def first_reference(lag: int, sessions: list[date], base: date, closes: set[date]) -> date:
    """Find the reference date of the first basket.

    "r = `reference_lag` sessions before it if any close in the folder is that old, else the base
    date itself".
    """
    earlier = reference_date(lag, sessions, base)
    if earlier is not None and any(day <= earlier for day in closes):
        return earlier
    return base
