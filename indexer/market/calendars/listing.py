"""What exchange_calendars lists, asked of the library or read from a snapshot of it.

Importing the library costs a second of CPU. So for the calendars in ``SNAPSHOTS`` a text file here
keeps what it lists, used as long as the installed version is the one it was written from.
After installing another version: ``python -m indexer.market.calendars.listing``
"""

import difflib
import warnings
from dataclasses import dataclass
from datetime import date, time
from importlib import metadata
from pathlib import Path

from indexer.definitions.symbols import CALENDARS

FOLDER = Path(__file__).parent
SNAPSHOTS = ("XSHG", "XHKG", "XNYS", "24/5", "XPAR")

_PERIOD = (date(1990, 1, 1), date(2030, 12, 31))  # asked of the library, whatever today is
_ON_XSHG = ("XSHE", "BJSE", "XBEI")  # Shenzhen and Beijing
_HEADER = """\
# What exchange_calendars (Apache License 2.0) lists: every weekday from first to last is a session
# with the ordinary close, but for the dates below. Closes are local, 00:00 is the end of the date.
# Not edited by hand: python -m indexer.market.calendars.listing
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the library lists: weekdays with the ordinary close, but for exceptions.

    Attributes
    ----------
    code : name of the calendar, never an alias
    version : of exchange_calendars
    zone : name of the time zone
    first, last : first session, and last date the library was asked for or knows
    close : ordinary close in local time; 00:00 is the end of the date, here and below
    exceptions : dates that break the rule, with the close of the session, or None for no session
    """

    code: str
    version: str
    zone: str
    first: date
    last: date
    close: time
    exceptions: dict[date, time | None]


def read_listing(code: str) -> Listing:
    """Return what the installed exchange_calendars lists, without importing it if possible.

    Raises
    ------
    ValueError
        If it knows no such calendar, when the message names the most similar one, or fails to
        compute it.
    """
    if code in SNAPSHOTS:
        listing = parse_snapshot(path_of(code, ".txt").read_text(encoding="ascii"))
        if listing.version == metadata.version("exchange_calendars"):
            return listing
    return ask_library(code)


def ask_library(code: str) -> Listing:
    """Return what exchange_calendars lists from 1990 to 2030, or for as much of it as it knows.

    Raises
    ------
    ValueError
        If it knows no such calendar, when the message names the most similar one, or fails to
        compute it.
    """
    import exchange_calendars  # noqa: PLC0415  1.1 s of CPU, most of it for pandas

    names = exchange_calendars.get_calendar_names(include_aliases=True)
    if code not in names:
        raise ValueError(f"{code!r} is no calendar of exchange_calendars: {_hint(code, names)}")
    version = exchange_calendars.__version__
    first, last = _PERIOD
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pandas', of the library's code
        try:
            kind = type(exchange_calendars.get_calendar(code))
            if low := kind.bound_min():
                first = max(first, low.date())
            if high := kind.bound_max():
                last = min(last, high.date())
            calendar = exchange_calendars.get_calendar(code, start=f"{first}", end=f"{last}")
        except (NotImplementedError, ValueError) as error:  # 5 of its 71 with pandas 3
            raise ValueError(
                f"{code!r} is known to exchange_calendars {version}, which fails to compute it: "
                "choose another calendar or install another version"
            ) from error
    local = calendar.closes.dt.tz_convert(calendar.tz).dt.tz_localize(None)
    closes = dict(zip(calendar.sessions.date.tolist(), local.dt.time, strict=True))
    first, ordinary = min(closes), calendar.close_times[-1][1]
    return Listing(
        calendar.name,
        version,
        calendar.tz.key,
        first,
        last,
        ordinary,
        {
            day: closes.get(day)
            for day in map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
            if closes.get(day) != (ordinary if day.weekday() < 5 else None)
        },
    )


def _hint(code: str, names: list[str]) -> str:
    if code.upper() in _ON_XSHG:
        return "its sessions are those of 'XSHG'"
    if code.upper() in CALENDARS:
        return f"did you mean {CALENDARS[code.upper()]!r}?"
    best = difflib.get_close_matches(code.upper(), names, 1)
    return f"did you mean {best[0]!r}?" if best else "expected an ISO 10383 code, such as 'XSHG'"


def path_of(code: str, suffix: str) -> Path:
    """Return where the snapshot (``.txt``) or the overlay (``.yaml``) of a calendar is kept."""
    return FOLDER / f"{code.replace('/', '-')}{suffix}"


def snapshot_text(listing: Listing) -> str:
    """Return a listing as the text of a snapshot: named values, then a line per exception."""
    exceptions = (
        f"{day} {f'{close:%H:%M}' if close else 'closed'}"
        for day, close in sorted(listing.exceptions.items())
    )
    named = (
        f"code {listing.code}",
        f"version {listing.version}",
        f"zone {listing.zone}",
        f"first {listing.first}",
        f"last {listing.last}",
        f"close {listing.close:%H:%M}",
    )
    return _HEADER + "\n".join((*named, *exceptions)) + "\n"


def parse_snapshot(text: str) -> Listing:
    """Return the listing a snapshot holds."""
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    named = dict(lines[:6])
    return Listing(
        named["code"],
        named["version"],
        named["zone"],
        date.fromisoformat(named["first"]),
        date.fromisoformat(named["last"]),
        time.fromisoformat(named["close"]),
        {
            date.fromisoformat(day): None if close == "closed" else time.fromisoformat(close)
            for day, close in lines[6:]
        },
    )


if __name__ == "__main__":
    for name in SNAPSHOTS:
        path_of(name, ".txt").write_text(snapshot_text(ask_library(name)), encoding="ascii")
