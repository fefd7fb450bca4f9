"""Exchange calendars: which dates are sessions, and the instant at which each one closes.

What exchange_calendars lists stands, but for dated overlays of ours (``calendars/<code>.yaml``):
an official entry corrects the library, an estimated one only adds dates after its last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

import numpy as np
import yaml

from indexer.arrays import Days, Flags, Instants
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.market.calendars.listing import Listing, path_of, read_listing

_Minutes = np.ndarray[tuple[int], np.dtype[np.timedelta64]]  # timedelta64[m]

_DAY = timedelta(days=1)
_CLOSED = np.timedelta64("NaT", "m")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's parser is five times faster


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The sessions of one exchange.

    A date outside the calendar, before its first session or after its horizon, is not guessed:
    every method raises ``MissingInputError`` for it, but ``open_on``, which answers for any date.

    Attributes
    ----------
    code : ISO 10383 code of the exchange, or the library's own name (``24/5``)
    sessions : dates, ascending, read-only
    closes : the instant in UTC at which each session closes, same length, read-only
    zone : time zone of the exchange
    ordinary_close : local time at which a date without session would close; 00:00 is its end
    verified_until : last date the library or an official overlay vouches for; what the calendar
        says of later dates is estimated
    horizon : last date of the calendar
    """

    code: str
    sessions: Days
    closes: Instants
    zone: ZoneInfo
    ordinary_close: time
    verified_until: date
    horizon: date

    def between(self, first: date, last: date) -> Days:
        """Return the sessions from ``first`` to ``last``, both inclusive."""
        return self.sessions[self._count_before(first) : self._count_until(last)]

    def is_session(self, day: date) -> bool:
        """Return whether the exchange trades on a date."""
        return self._count_until(day) > self._count_before(day)

    def on_or_before(self, day: date) -> date:
        """Return the last session on or before a date."""
        found: date = self.sessions[self._count_until(day) - 1].item()
        return found

    def on_or_after(self, day: date) -> date:
        """Return the first session on or after a date."""
        return self._session(self._count_before(day), f"on or after {day}")

    def after(self, day: date) -> date:
        """Return the first session after a date."""
        return self._session(self._count_until(day), f"after {day}")

    def neighbours(self, day: date) -> tuple[date, date]:
        """Return the sessions next to a date that is none, the one before it and the one after."""
        return self.on_or_before(day), self.on_or_after(day)

    def open_on(self, days: Days) -> Flags:
        """Return whether it is open on dates, in any order; raises for none.

        It is closed on every date before its first session. After its horizon nothing is known,
        and every weekday is taken for open.
        """
        row = np.minimum(np.searchsorted(self.sessions, days), len(self.sessions) - 1)
        known = days <= np.datetime64(self.horizon)
        return np.where(known, self.sessions[row] == days, np.is_busday(days))

    def close_of(self, days: Days) -> Instants:
        """Return the instants in UTC at which dates, in any order, close.

        That is the close of the session, or the ordinary closing time of a date that is none.
        """
        for end in (days.min(), days.max()) if len(days) else ():
            self._require(end.item())
        rows = np.minimum(np.searchsorted(self.sessions, days), len(self.sessions) - 1)
        ordinary = _instants(days, _after_midnight(self.ordinary_close), self.zone)
        return np.where(self.sessions[rows] == days, self.closes[rows], ordinary)

    def _count_before(self, day: date) -> int:
        return int(np.searchsorted(self.sessions, self._require(day), "left"))

    def _count_until(self, day: date) -> int:
        return int(np.searchsorted(self.sessions, self._require(day), "right"))

    def _session(self, row: int, which: str) -> date:
        if row == len(self.sessions):
            raise self._ends_early(f"has no session {which}")
        session: date = self.sessions[row].item()
        return session

    def _require(self, day: date) -> np.datetime64:
        """Return a date as arrays hold it, or raise if the calendar does not know it."""
        if day < self.sessions[0].item():
            raise self._begins_late(f"does not know {day}")
        if day > self.horizon:
            raise self._ends_early(f"does not know {day}")
        return np.datetime64(day, "D")

    def _begins_late(self, fact: str) -> MissingInputError:
        return self._missing(f"{fact}: it begins on {self.sessions[0]}, ask for a later date")

    def _ends_early(self, fact: str) -> MissingInputError:
        return self._missing(
            f"{fact}: it ends on {self.horizon}, install an exchange_calendars that knows more "
            f"or add the dates to indexer/market/calendars/{path_of(self.code, '.yaml').name}"
        )

    def _missing(self, message: str) -> MissingInputError:
        return MissingInputError([Flaw(f"calendar {self.code}", None, "", message)])


class _Entry(NamedTuple):
    """One entry of an overlay: weekdays become sessions, dates have none, or another close."""

    first: date
    last: date
    what: str
    close: time | None
    official: bool

    def dates(self) -> Iterator[date]:
        return map(date.fromordinal, range(self.first.toordinal(), self.last.toordinal() + 1))


@lru_cache
def read_calendar(code: str) -> Calendar:
    """Return the calendar of an exchange from 1990, or from its first session after that.

    Parameters
    ----------
    code : ISO 10383 code or another name known to exchange_calendars

    Raises
    ------
    ValueError
        If exchange_calendars knows no such calendar; the message names the most similar one.
    MarketDataError
        If the overlay file of the calendar is malformed, with everything wrong in it.
    """
    listing = read_listing(code)
    path = path_of(listing.code, ".yaml")
    return calendar_with(listing, path) if path.is_file() else _assemble(listing, [])


def calendar_with(listing: Listing, overlay: Path) -> Calendar:
    """Return the calendar that a listing and an overlay file make; raises as `read_calendar`."""
    return _assemble(listing, _read_overlay(overlay))


def _read_overlay(path: Path) -> list[_Entry]:
    """Return the entries of an overlay file, or raise ``MarketDataError`` with all its flaws."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), _LOADER)
    except yaml.YAMLError as error:
        raise MarketDataError([Flaw(path.name, None, "", f"is not YAML: {error}")]) from error
    if not isinstance(root, yaml.SequenceNode):
        raise MarketDataError([Flaw(path.name, None, "", "is no list of entries")])
    entries: list[_Entry] = []
    flaws: list[Flaw] = []
    corrected: set[date] = set()
    for row, node in enumerate(root.value, 1):
        try:
            entry = _entry(_fields(node))
        except (TypeError, ValueError) as error:
            flaws.append(Flaw(path.name, row, "", str(error)))
            continue
        entries.append(entry)
        dates = set() if entry.what == "open" else set(entry.dates())
        if twice := dates & corrected:
            flaws.append(Flaw(path.name, row, "", f"an earlier entry has {min(twice)} too"))
        corrected |= dates
    if flaws:
        raise MarketDataError(flaws)
    return entries


def _fields(node: yaml.Node) -> dict[str, str]:
    """Return the keys and values of an entry as text, or raise ``ValueError``."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("expected keys and values, as in 'date: 2024-01-02'")
    fields: dict[str, str] = {}
    for key, value in node.value:
        if not isinstance(value, yaml.ScalarNode) or not value.value:
            raise ValueError(f"{key.value!r} has no text as its value")
        if key.value in fields:
            raise ValueError(f"{key.value!r} is given twice")
        fields[key.value] = value.value
    return fields


def _entry(fields: dict[str, str]) -> _Entry:
    """Return an entry of an overlay, or raise ``ValueError``."""
    when = ("date",) if "date" in fields else ("from", "until")
    what = next((key for key in ("close", "open") if key in fields), "closed")
    if fields.keys() != {*when, what, "status", "source"}:
        raise ValueError(
            f"has {', '.join(fields)}: expected date or from and until; "
            "closed, close or open; status; source"
        )
    first, last = (date.fromisoformat(fields[key]) for key in (when[0], when[-1]))
    if first > last:
        raise ValueError(f"from {first} is later than until {last}")
    if fields["status"] not in ("official", "estimated"):
        raise ValueError(f"status is {fields['status']!r}: expected official or estimated")
    if fields.get("open", "weekdays") != "weekdays":
        raise ValueError(f"open is {fields['open']!r}: expected weekdays")
    close = time.fromisoformat(fields["close"]) if what == "close" else None
    return _Entry(first, last, what, close, fields["status"] == "official")


def _assemble(listing: Listing, entries: list[_Entry]) -> Calendar:
    """Return the calendar a listing and the entries of its overlay make."""
    horizon, estimated = listing.last, set[date]()
    for entry in sorted(entries, key=lambda entry: entry.first):
        # An extension that does not join on to the listing would leave dates nobody looked at.
        if entry.what == "open" and entry.first <= horizon + _DAY <= entry.last:
            estimated |= set() if entry.official else {horizon + _DAY}
            horizon = entry.last
    exceptions = dict(listing.exceptions)
    for entry in entries:
        if entry.what != "open":
            begin = listing.first if entry.official else listing.last + _DAY
            dates = {day for day in entry.dates() if begin <= day <= horizon}
            exceptions |= dict.fromkeys(dates, entry.close)
            estimated |= set() if entry.official else dates
    days = np.arange(np.datetime64(listing.first, "D"), np.datetime64(horizon + _DAY, "D"))
    after = np.where(np.is_busday(days), _after_midnight(listing.close), _CLOSED)
    for day, close in exceptions.items():
        row = day.toordinal() - listing.first.toordinal()
        after[row] = _CLOSED if close is None else _after_midnight(close)
    trades = ~np.isnat(after)
    sessions, zone = days[trades], ZoneInfo(listing.zone)
    closes = _instants(sessions, after[trades], zone)
    sessions.flags.writeable = closes.flags.writeable = False
    verified_until = min(estimated, default=horizon + _DAY) - _DAY
    return Calendar(listing.code, sessions, closes, zone, listing.close, verified_until, horizon)


def _after_midnight(close: time) -> np.timedelta64:
    return np.timedelta64(close.hour * 60 + close.minute or 24 * 60, "m")


def _instants(days: Days, after: _Minutes | np.timedelta64, zone: ZoneInfo) -> Instants:
    """Return the instants in UTC at which clocks of the zone stand so long after each midnight."""
    local = np.add(days.astype("M8[m]"), after)
    offset = cast("Callable[[datetime], timedelta]", zone.utcoffset)  # None only for None
    # By way of numbers: making an array of 10,000 timedelta takes numpy 4 ms instead of 1.
    seconds = np.array([offset(at).total_seconds() for at in local.tolist()])
    instants: Instants = local - seconds.astype("m8[s]").astype("m8[m]")
    return instants
