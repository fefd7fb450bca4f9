"""When the bar of a session is final: how long after the close, as dated data."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from indexer.market.calendar import Calendar
from indexer.market.conventions.dated import rows_of

OTHERWISE = 60  # minutes, of an exchange or a date that the table does not name


def minutes_to_final(exchange: str, day: date) -> int:
    """Return how many minutes after the close of a session its bar counts as final.

    Counted from the close of that very session, so that half days are final earlier.

    Examples
    --------
    >>> [minutes_to_final(code, date(2026, 8, 20)) for code in ("XSHG", "XHKG", "XNYS", "XLON")]
    [30, 40, 60, 60]
    """
    found = [row for row in _margins() if row[0] == exchange and row[1] <= day]
    return max(found, key=lambda row: row[1])[2] if found else OTHERWISE


def bar_final_at(calendar: Calendar, session: date) -> datetime:
    """Return when the bar of a session is final, in UTC.

    Raises
    ------
    MissingInputError
        If the calendar does not know the date.
    """
    close: datetime = calendar.close_of(np.array([session], dtype="datetime64[D]"))[0].item()
    margin = timedelta(minutes=minutes_to_final(calendar.code, session))
    return close.replace(tzinfo=UTC) + margin


def last_final_bar(calendar: Calendar, now: datetime) -> date:
    """Return the last session whose bar is final by an instant; raises as `bar_final_at` does."""
    day = calendar.on_or_before(now.astimezone(calendar.zone).date())
    while bar_final_at(calendar, day) > now:
        day = calendar.on_or_before(day - timedelta(days=1))
    return day


@lru_cache
def _margins() -> tuple[tuple[str, date, int], ...]:
    return tuple(
        (row["exchange"], date.fromisoformat(row["from"]), int(row["minutes"]))
        for row in rows_of("finality")
    )
