"""Trading days as an exchange announces them, against its calendar, and as entries of its overlay.

Entries are written into the package's own overlay, never into a folder of a user: what a calendar
says must not depend on who asks.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml

from indexer.arrays import Days
from indexer.digest import digest_bytes
from indexer.errors import Flaw, MarketDataError, OutputError
from indexer.market.calendar import Calendar, calendar_with, read_calendar
from indexer.market.calendars.listing import Listing, path_of, read_listing

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where announced trading days and a calendar differ, between the first and the last of them.

    Attributes
    ----------
    first, last : the span that was compared; ``last`` may lie beyond the calendar's horizon
    opens : dates to open: announced, and no session of the calendar
    closes : dates to close: sessions of the calendar, and not announced
    """

    first: date
    last: date
    opens: tuple[date, ...]
    closes: tuple[date, ...]


def difference(calendar: Calendar, announced: Days) -> Difference:
    """Return where a calendar differs from announced trading days, of which there is one at least.

    Dates before its first session are not compared; those beyond its horizon are all to open.
    """
    days = np.unique(announced[announced >= calendar.sessions[0]])
    if not days.size:
        first = calendar.sessions[0].item()
        return Difference(first, first, (), ())
    known = calendar.sessions[(calendar.sessions >= days[0]) & (calendar.sessions <= days[-1])]
    return Difference(
        days[0].item(),
        days[-1].item(),
        tuple(np.setdiff1d(days, known).tolist()),
        tuple(np.setdiff1d(known, days).tolist()),
    )


def overlay_digest(code: str) -> str:
    """Return the SHA-256 of the overlay of a calendar; empty where it has none."""
    path = path_of(read_listing(code).code, ".yaml")
    return digest_bytes([path.read_bytes()]) if path.is_file() else ""


def overlay_entries(code: str, announced: Days, source: str) -> str:
    """Return official entries, as YAML, by which a calendar comes to have the announced days.

    What the library lists is corrected date by date; beyond that every weekday up to the last
    announced date is a session but for closures. Empty where there is nothing to correct.
    """
    calendar, listing = read_calendar(code), read_listing(code)
    found = difference(calendar, announced)
    days = set(announced.tolist())
    entries = []
    if found.last > listing.last and found.last > calendar.verified_until:
        begin = calendar.verified_until + _DAY  # what is official before it stands
        entries.append((begin, found.last, "open: weekdays"))
        span = map(date.fromordinal, range(begin.toordinal(), found.last.toordinal() + 1))
        weekdays = [day for day in span if day.weekday() < 5]
        closed = [day for day in weekdays if day not in days]
        opened = sorted(day for day in days if day >= begin and day.weekday() >= 5)
    else:
        closed, opened = [], []
    extends = bool(entries)  # what it says of its dates is in the entries already
    closed += [day for day in found.closes if day <= calendar.verified_until or not extends]
    opened += [day for day in found.opens if day <= calendar.verified_until or not extends]
    entries += [(first, last, "closed: not announced") for first, last in _ranges(sorted(closed))]
    close = f"close: '{listing.close:%H:%M}'"
    entries += [(day, day, close) for day in sorted(opened)]
    return "".join(_entry(*entry, source) for entry in entries)


def refreshed_overlay(code: str, announced: Days, source: str) -> str:
    """Return the overlay of a calendar with the announced days in the place of estimates.

    Estimates that reach farther begin where the announced days end.
    """
    path = path_of(read_listing(code).code, ".yaml")
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    entries = overlay_entries(code, announced, source)
    if not entries:
        return text
    last, kept = announced.max().item(), text.splitlines(keepends=True)
    for node in reversed(getattr(yaml.compose(text, yaml.BaseLoader), "value", [])):
        fields = {key.value: value for key, value in node.value}
        if fields["status"].value != "estimated":
            continue
        until = date.fromisoformat(fields["date" if "date" in fields else "until"].value)
        if until <= last:
            del kept[node.start_mark.line : node.value[-1][1].end_mark.line + 1]
        elif "from" in fields and date.fromisoformat(fields["from"].value) <= last:
            begin, end = fields["from"].start_mark, fields["from"].end_mark
            line = kept[begin.line]
            kept[begin.line] = f"{line[: begin.column]}{last + _DAY}{line[end.column :]}"
    return entries + "".join(kept)


def write_overlay(code: str, announced: Days, source: str) -> Path:
    """Bring the overlay in the package up to the announced days, whole or not at all.

    Raises
    ------
    ValueError
        If exchange_calendars knows no such calendar.
    MarketDataError
        If an official entry of the overlay says otherwise: people have to settle that.
    OutputError
        If the package cannot be written to.
    """
    listing = read_listing(code)
    path = path_of(listing.code, ".yaml")
    try:
        with TemporaryDirectory(dir=path.parent) as folder:
            half = Path(folder) / path.name
            with half.open("w", encoding="utf-8") as stream:
                stream.write(refreshed_overlay(code, announced, source))
                stream.flush()
                os.fsync(stream.fileno())
            _check_agrees(listing, half, source)
            half.replace(path)
    except OSError as error:
        raise OutputError(str(path), error.strerror or str(error)) from error
    read_calendar.cache_clear()
    return path


def _check_agrees(listing: Listing, half: Path, source: str) -> None:
    """Raise where a date that is to be corrected has an official entry already."""
    try:
        calendar_with(listing, half)
    except MarketDataError as error:
        why = error.flaws[0].message
        message = f"says otherwise than {source}: {why}: settle by hand which is right"
        raise MarketDataError([Flaw(half.name, None, "", message)]) from error


def _ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and the last of dates between which there are but weekends."""
    first = last = None
    for day in days:
        if first is not None and last is not None:
            between = (last + n * _DAY for n in range(1, (day - last).days))
            if all(other.weekday() >= 5 for other in between):
                last = day
                continue
            yield first, last
        first = last = day
    if first is not None and last is not None:
        yield first, last


def _entry(first: date, last: date, what: str, source: str) -> str:
    when = f"date: {first}" if first == last else f"from: {first}\n  until: {last}"
    return f"- {when}\n  {what}\n  status: official\n  source: {_scalar(source)}\n"


def _scalar(text: str) -> str:
    """Return a text as a YAML scalar on one line."""
    return yaml.safe_dump(text, allow_unicode=True, width=10**6).removesuffix("...\n").strip()
