"""Which sessions a publication is about: those whose closes are final."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from indexer.definitions.basket import Basket, Index
from indexer.definitions.study import Study
from indexer.definitions.symbols import exchange_of
from indexer.errors import IndexerError, MissingInputError, TryAgainError, few
from indexer.index.schedule import calendar_of
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.conventions.finality import bar_final_at
from indexer.run.find import definition_named
from indexer.signals.align import cutoffs, known_at

_NAMED = 3  # subjects in a line that is about all of one calendar


@dataclass(frozen=True, slots=True)
class Period:
    """One session or a range of them, both ends inclusive.

    Without an end it ends with the last final session; without a beginning it is that end alone.
    """

    first: date | None = None
    last: date | None = None


def sessions_asked(
    index: Index | Study, period: Period, now: datetime, *, members: Collection[Index] = ()
) -> list[date]:
    """Return the sessions of a request, ascending; none where no day of it is a session.

    Parameters
    ----------
    members : the indices of a study, which is final when they are

    Raises
    ------
    TryAgainError
        If a session that was asked for is not final yet.
    MissingInputError
        If the calendar does not know a date.
    """
    calendar = calendar_of(index)
    last = last_final(index, now, members=members) if period.last is None else period.last
    first = last if period.first is None else period.first
    if period.last is None and first > last and calendar.is_session(first):
        last = first  # not final yet, which is said
    found: list[date] = calendar.between(first, last).tolist()
    if found and (at := final_at(index, found[-1], members)) > now:
        raise TryAgainError(
            index.id, f"closes of {found[-1]} are final only from {at.isoformat(' ', 'minutes')}"
        )
    return found


def has_session(study: Study, period: Period) -> bool:
    """Return whether a study may have a session in a period; what a calendar cannot tell it may."""
    if period.last is None:
        return True
    with suppress(MissingInputError):
        return calendar_of(study).between(period.first or period.last, period.last).size > 0
    return True


def sessions_within(index: Index, period: Period, now: datetime, due: bool | None) -> list[date]:
    """Return the sessions of an index that are to be published.

    Parameters
    ----------
    due : whether a study that it is part of has a session: then those that are final on its own
        exchanges, be they before the period; None where it is part of none
    """
    if due is None:
        return sessions_asked(index, period, now)
    until = last_final(index, now, period.last)
    first = period.first or (until if due or period.last is None else period.last)
    if first > until and not due:
        return []
    return sessions_asked(index, Period(min(first, until), until), now)


def closures(names: Sequence[str], subjects: Collection[str], period: Period) -> Iterator[str]:
    """Yield each calendar that is closed for a period, with the sessions beside and whose it is.

    Parameters
    ----------
    names : definitions, by file or id; what cannot be read, or known, is passed over
    subjects : the ids, of those in the names, of which no day of the period is a session
    """
    days = [day for day in (period.first, period.last) if day]
    told: dict[str, list[str]] = {}
    for name in dict.fromkeys(names) if days and subjects else ():  # reading them takes a while
        with suppress(IndexerError):
            found = definition_named(name)
            if found.id in subjects:
                told.setdefault(_closed(calendar_of(found), days[0], days[-1]), []).append(found.id)
    for text, ids in told.items():
        yield f"{few(ids, _NAMED)}: {text}"


def _closed(calendar: Calendar, first: date, last: date) -> str:
    """Return that a calendar is closed from a date to another, and the sessions next to them."""
    before, after = calendar.on_or_before(first), calendar.on_or_after(last)
    when = f"on {first}" if first == last else f"from {first} to {last}"
    return f"{calendar.code} is closed {when}, the nearest sessions are {before} and {after}"


def last_final(
    index: Index | Study,
    now: datetime,
    until: date | None = None,
    *,
    members: Collection[Index] = (),
) -> date:
    """Return the last session, up to a date, whose closes are final by an instant."""
    calendar = calendar_of(index)
    day = calendar.on_or_before(min(until or date.max, now.astimezone(calendar.zone).date()))
    while final_at(index, day, members) > now:
        day = calendar.on_or_before(day - timedelta(days=1))
    return day


def final_at(index: Index | Study, session: date, members: Collection[Index] = ()) -> datetime:
    """Return when the closes of a session are final on every exchange that trades on it.

    Those of a study are also the levels of its indices that are known at its cut-off.
    """
    at = [
        bar_final_at(calendar, session)
        for calendar in _calendars(index)
        if calendar.is_session(session)
    ]
    if isinstance(index, Study):
        at += [final_at(member, _known_on(index, member, session)) for member in members]
    return max(at).astimezone(calendar_of(index).zone)


def _known_on(study: Study, member: Index, session: date) -> date:
    """Return the last session of an index whose close is known at the cut-off of a study."""
    [cutoff] = cutoffs(study, np.array([session], dtype="datetime64[D]"))
    calendar = calendar_of(member)
    day = calendar.on_or_before(session)
    while known_at(member, np.array([day], dtype="datetime64[D]"))[0] > cutoff:
        day = calendar.on_or_before(day - timedelta(days=1))
    return day


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of the calendar of a definition, by file or id."""
    return calendar_of(definition_named(name)).zone


def _calendars(index: Index | Study) -> Iterator[Calendar]:
    yield calendar_of(index)
    if isinstance(index, Basket):
        yield from map(read_calendar, sorted({exchange_of(s) for s in index.symbols}))
