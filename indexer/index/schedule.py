"""The calendar of an index, and the reference and effective dates of its rebalances."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from indexer.definitions.basket import DEFAULT_MONTHS, Base, Index, Rebalance
from indexer.definitions.rules import Broken, breaks
from indexer.definitions.study import Study
from indexer.errors import DefinitionError, MissingInputError
from indexer.market.calendar import Calendar, read_calendar

_NTH = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


@dataclass(frozen=True, slots=True)
class RebalanceDates:
    """Rows of the panel: data are frozen at reference; shares change after the close of effective.

    ``first_session`` is a date: it may lie after the last row. A rebalance that is ``ahead`` of the
    data counts everything as tradable: what will have a close on its day nobody knows.
    """

    reference: int
    effective: int
    first_session: date
    ahead: bool = False


def calendar_of(definition: Index | Study) -> Calendar:
    """Return the calendar of an index or a study.

    Raises
    ------
    DefinitionError
        If no calendar has that code, or an index begins on a date that is no session of it.
    """
    wrong = [definition.problem(*rule) for rule in breaks(CALENDAR_RULES, dict(definition))]
    if wrong:
        raise DefinitionError(wrong)
    return read_calendar(definition.calendar)


def _calendar_is_known(calendar: str) -> Broken:
    try:
        read_calendar(calendar)
    except ValueError as error:
        yield ("calendar",), str(error)


def _base_is_a_session(calendar: str, base: Base | None) -> Broken:
    if base is None or any(_calendar_is_known(calendar)):
        return
    try:
        known = read_calendar(calendar)
        if not known.is_session(base.date):
            before, after = known.neighbours(base.date)
            message = f"{base.date} is no session of {calendar}: take {before} or {after}"
            yield ("base", "date"), message
    except MissingInputError as error:
        yield ("base", "date"), str(error)


CALENDAR_RULES = (_calendar_is_known, _base_is_a_session)


def effective_dates(
    rule: Rebalance, calendar: Calendar, base_date: date, last: date
) -> Iterator[date]:
    """Yield the effective dates after the base date and up to ``last``, ascending.

    The nominal day of each month of the rule moves back to the last session on or before it,
    also into the month before.
    """
    months = rule.months or DEFAULT_MONTHS[rule.frequency]
    by_session = rule.day == "first session"
    begin = calendar.sessions[0].item()
    end = calendar.sessions[-1].item() if by_session else calendar.horizon
    for year in range(base_date.year, last.year + 2):
        for month in sorted(months):
            first = date(year, month, 1)
            if first > end:
                return
            # What is over by the base date may lie before the calendar, which knows nothing of it.
            if first < base_date.replace(day=1) or (by_session and first < begin):
                continue
            nominal = nominal_day(rule.day, year, month, calendar)
            if nominal <= base_date:
                continue
            if nominal > calendar.horizon or (effective := calendar.on_or_before(nominal)) > last:
                return
            if effective > base_date:
                yield effective


def nominal_day(day: str, year: int, month: int, calendar: Calendar) -> date:
    """Return the day a rule names in a month, session or not.

    Examples
    --------
    >>> nominal_day("third friday", 2026, 6, None), nominal_day("31", 2026, 6, None)
    (datetime.date(2026, 6, 19), datetime.date(2026, 6, 30))
    """
    length = monthrange(year, month)[1]
    if day.isdecimal():
        return date(year, month, min(int(day), length))
    nth, what = day.split()
    if what == "session":
        if nth == "last":
            return date(year, month, length)
        first = date(year, month, 1)
        return first if calendar.is_session(first) else calendar.after(first)
    earliest = 1 + (_WEEKDAYS.index(what) - date(year, month, 1).weekday()) % 7
    return date(year, month, range(earliest, length + 1, 7)[_NTH[nth]])
