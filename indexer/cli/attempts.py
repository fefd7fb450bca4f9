"""When a publication begins, and until when it is tried again."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from indexer.errors import IndexerError

_POLL = 30.0  # seconds between two looks at data that are not complete yet


def instants_of(
    names: Sequence[str], wait_until: datetime | None, deadline: datetime | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return the instants of two times of day, today in the zone of the first calendar.

    A deadline that is not after the beginning is that of the next day.
    """
    zone = _zone_of_first(names) if wait_until or deadline else UTC
    today = now.astimezone(zone).date()
    begin, end = (
        moment and datetime.combine(today, moment.time(), zone) for moment in (wait_until, deadline)
    )
    if begin and end and end <= begin:
        end += timedelta(days=1)
    return begin, end


def attempts(
    once: Callable[[], Any],
    between: tuple[datetime | None, datetime | None],
    log: Callable[[Any], Any],
    outcomes: list[Any],
) -> Any:
    """Attempt something, not before one instant, and again until another while it is too early.

    All attempts but the last, which is returned, are logged and let go: the errors in them hold on
    to their market. What became of each subject by then stands in ``outcomes``, also for whoever
    interrupts.
    """
    from indexer.run.attempt import so_far

    begin, end = between
    if begin:
        time.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds()))
    while True:
        made = once()
        outcomes[:] = so_far(outcomes, made)
        if not (made.early and end and datetime.now(UTC) < end):
            return made
        log(made)
        time.sleep(_POLL)


def _zone_of_first(names: Sequence[str]) -> tzinfo:
    """Return the time zone of the first definition that can be read; UTC where none can."""
    from indexer.run.sessions import zone_of

    for name in names:
        with suppress(IndexerError):
            return zone_of(name)
    return UTC
