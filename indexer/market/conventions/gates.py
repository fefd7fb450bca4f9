"""Limits of the gates before publication, as dated data."""

import math
from bisect import bisect_right
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml

from indexer.errors import Flaw, MarketDataError


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What a level may do and still be published; a value on a limit passes.

    Attributes
    ----------
    stale_weight : largest part of the index weight at a carried price while its exchange is open
    review_age : sessions of its exchange after which a carried price is reviewed
    deviations : largest move of an index, in sample deviations of its log returns
    returns, returns_minimum : how many returns before a session the deviation is of; with fewer
        than the minimum the move is not judged
    ticks : how far beyond the limit price of its board a close may stand
    exempt_sessions : first sessions of a listing on which a close may be anything
    jump : largest close over reference price, and its inverse, where a board has no limit; and
        largest rate over that of the session before
    adjusted_room : what is added to a board's limit for adjusted closes, which have no tick
    members : closes that make an exchange; fewer can be idle or unchanged by chance
    """

    stale_weight: float
    review_age: int
    deviations: float
    returns: int
    returns_minimum: int
    ticks: int
    exempt_sessions: int
    jump: float
    adjusted_room: float
    members: int


def gate_limits(day: date) -> GateLimits:
    """Return the limits in force on a date; before the first entry those of the first.

    Raises
    ------
    MarketDataError
        If the file of the limits is malformed.
    """
    entries = _entries()
    at = bisect_right(entries, day, key=lambda entry: entry[0]) - 1
    return entries[max(0, at)][1]


@lru_cache
def _entries() -> tuple[tuple[date, GateLimits], ...]:
    path = Path(__file__).with_name("gates.yaml")
    return parsed(path.read_text(encoding="utf-8"), path.name)


def parsed(text: str, file: str) -> tuple[tuple[date, GateLimits], ...]:
    """Return the entries of a file of limits, each with the day from which it counts.

    Raises
    ------
    MarketDataError
        If a key is missing or unknown, a limit is no positive number, or the days do not ascend.
    """
    found: list[tuple[date, GateLimits]] = []
    names = {field.name for field in fields(GateLimits)}
    for row, entry in enumerate(yaml.BaseLoader(text).get_single_data() or [], 1):
        since = _date(entry.get("from"))
        given = {name: _number(value) for name, value in entry.items() if name != "from"}
        wrong = {name: entry[name] for name, value in given.items() if not value > 0}
        if given.keys() != names:
            message = f"{', '.join(sorted(names ^ given.keys()))}: missing or unknown"
        elif wrong:
            message = f"{wrong}: expected numbers above zero"
        elif since is None or (found and since <= found[-1][0]):
            message = f"from {entry.get('from')}: expected a date later than that of the one before"
        else:
            found.append((since, GateLimits(**given)))  # type: ignore[arg-type]
            continue
        raise MarketDataError([Flaw(file, row, "", message)])
    if not found:
        raise MarketDataError([Flaw(file, None, "", "has no entry of limits")])
    return tuple(found)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _number(text: str) -> float:
    """Return what a text says, whole where it is; NaN where it is no number."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except (ValueError, AttributeError):
        return math.nan
