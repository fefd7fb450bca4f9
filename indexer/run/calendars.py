"""What the calendars of exchanges know, and how that compares with days that were announced."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.definitions.symbols import suffixes_of
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.folders import is_file, is_folder
from indexer.market.calendar import read_calendar
from indexer.market.delta import split_version
from indexer.market.overlays import (
    difference,
    overlay_digest,
    overlay_entries,
    write_overlay,
)
from indexer.market.tables import read_table

CODES = ("XSHG", "XHKG", "XNYS")


def calendars(codes: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is known of some calendars: spans, sessions, and the digest of the overlay.

    Raises
    ------
    MissingInputError
        If there is no such calendar.
    MarketDataError
        If an overlay is malformed.
    """
    return [_told(code) for code in codes or CODES]


def against(
    code: str, announced: str | Days, *, source: str = "", write: bool = False
) -> dict[str, Any]:
    """Return a calendar, where it differs from announced trading days, and what would mend that.

    Parameters
    ----------
    announced : trading days, or a file of dates, one a line, or a market, whose prices are of its
        trading days
    source : who announced them, for the entries; default the name of the file or market, if any
    write : whether the overlay in the package is to have the entries

    Raises
    ------
    MissingInputError
        If there is no such calendar, file or market.
    MarketDataError
        If a line is no date, the market's prices are wrong, or an official entry says otherwise.
    OutputError
        If the package cannot be written to.
    """
    told = _told(code)
    named = source or "announced trading days"
    if isinstance(announced, str):
        days = _announced(code, announced)
        named = source or f"trading days of {Path(announced).name}"
    else:
        days = announced
    found = difference(read_calendar(code), days)
    told |= {
        "compared": [str(found.first), str(found.last)],
        "to_open": [str(day) for day in found.opens],
        "to_close": [str(day) for day in found.closes],
        "entries": overlay_entries(code, days, named),
    }
    if write and told["entries"]:
        told["written"] = str(write_overlay(code, days, named))
        told |= _told(code)
    return told


def _told(code: str) -> dict[str, Any]:
    try:
        calendar = read_calendar(code)
    except ValueError as error:
        raise MissingInputError([Flaw("calendar", None, "", str(error))]) from None
    estimated = calendar.sessions > np.datetime64(calendar.verified_until)
    return {
        "code": calendar.code,
        "first": str(calendar.sessions[0]),
        "verified_until": str(calendar.verified_until),
        "horizon": str(calendar.horizon),
        "sessions": len(calendar.sessions),
        "estimated": int(estimated.sum()),
        "overlay": overlay_digest(code),
    }


def _announced(code: str, name: str) -> Days:
    """Return the dates in a file, or those of the prices a market has of an exchange."""
    path = Path(name)
    if is_file(path):
        days = _dates(path)
    elif is_folder(split_version(name)[0]):
        prices = read_table(name, "prices").select("symbol", "date")
        suffixes = suffixes_of(code)
        here = pl.col("symbol").str.split(".").list.last().is_in(suffixes)
        days = prices.filter(here)["date"].unique().to_list()
    else:
        raise MissingInputError([Flaw(name, None, "", "no such file or market folder")])
    if not days:
        raise MissingInputError([Flaw(name, None, "", f"holds no trading day of {code}")])
    return np.array(sorted(days), dtype="datetime64[D]")


def _dates(path: Path) -> list[date]:
    """Return the dates of a file: the first cell of each line, after a heading if there is one."""
    days, flaws = [], []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        said = "is not UTF-8: give a text of dates, one a line, or a market's folder"
        raise MarketDataError([Flaw(str(path), None, "", said)]) from None
    except OSError as error:
        raise MarketDataError([Flaw(str(path), None, "", f"cannot be read: {error}")]) from error
    for n, line in enumerate(lines, 1):
        cell = line.partition(",")[0].strip()
        try:
            days += [date.fromisoformat(cell)] if cell else []
        except ValueError:
            if n > 1 or any(c.isdigit() for c in cell):
                said = f"line {n}: {cell!r}: expected a date like 2024-01-02"
                flaws.append(Flaw(str(path), None, "", said))
    if flaws:
        raise MarketDataError(flaws)
    return days
