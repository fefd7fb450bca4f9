"""What keeps a market store supplied: how fresh it is, its archive, and who may be asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from indexer.definitions.symbols import exchange_of
from indexer.errors import IndexerError
from indexer.market.calendar import read_calendar
from indexer.market.conventions.finality import last_final_bar
from indexer.market.sources.archive import REPLIES, index_of, sizes
from indexer.market.sources.guard import standings

NEARLY = 0.9  # of a day's requests, from which it is worth telling


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``ok``, ``note``, ``late`` or ``wrong``, and why.

    Attributes
    ----------
    error : what it is that is wrong, where it was raised as an error
    """

    about: str
    state: Literal["ok", "note", "late", "wrong"]
    message: str
    error: IndexerError | None = None


def supplied(market: Path, prices: pl.DataFrame, now: datetime) -> Iterator[Check]:
    """Yield what is found of a store that is fetched into; nothing of any other market.

    Parameters
    ----------
    prices : of the store
    now : the instant, with its zone

    Raises
    ------
    IndexerError
        If the calendar of an exchange is malformed, or does not know a date.
    OSError
        If the archive of replies cannot be read.
    """
    folder = market / REPLIES
    if not folder.is_dir():
        return
    yield from _fresh(prices, now)
    count, size = sizes(folder)
    yield Check(str(folder), "ok", f"replies: {count:,}, {size / 2**20:,.1f} MiB")
    last: dict[str, str] = {}
    for entry in index_of(folder):
        if entry.get("status") == 200:
            last[str(entry.get("source"))] = str(entry.get("fetched_at"))
    for source, instant in sorted(last.items()):
        yield Check(f"source {source}", "ok", f"last replied at {instant}")
    for host in standings(now):
        message = f"requests today: {host.asked}, at most {host.daily}"
        if host.rests_until:
            yield Check(host.name, "note", f"is left alone until {host.rests_until}; {message}")
        else:
            state: Literal["ok", "note"] = "note" if host.asked >= NEARLY * host.daily else "ok"
            yield Check(host.name, state, message)


def _fresh(prices: pl.DataFrame, now: datetime) -> Iterator[Check]:
    """Yield how far the closes of each exchange lie behind the last session that is final."""
    lasts: dict[str, date] = {}
    for symbol, day in prices.group_by("symbol").agg(pl.col("date").max()).iter_rows():
        code = exchange_of(symbol)
        lasts[code] = max(lasts.get(code, day), day)
    for code, day in sorted(lasts.items()):
        calendar = read_calendar(code)
        due = last_final_bar(calendar, now)
        behind = len(calendar.between(day + timedelta(1), due)) if due > day else 0
        if behind:
            message = f"last close {day}, {behind} behind {due}, the last final session: fetch"
            yield Check(f"market {code}", "late", message)
        else:
            yield Check(f"market {code}", "ok", f"last close {day}")
