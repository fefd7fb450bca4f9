"""Plain data in the bytes of a reply, or a refusal: text, JSON, rows, dates and numbers."""

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from indexer.market.sources.verdict import Outcome

TEXT = "utf-8-sig"  # what text is, whatever a header calls it; a mark of its order is no part of it

FIRST = date(1990, 12, 19)  # before it nothing was traded on the mainland
LOT = 100  # shares in the lot in which mainland volumes are mostly told
VWAP = 0.01  # by which amount / volume may leave the day's range: rounding, and trades after hours

_HUGE = 1e15  # no figure of a company's is larger
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Refused(BaseException):
    """A reply is no answer.

    Attributes
    ----------
    outcome : which way
    reason : what came, and what was expected
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        self.outcome: Outcome = outcome
        self.reason = reason
        super().__init__(f"{outcome}: {reason}")


class NoRecords(Refused):
    """A reply is whole and holds none: there may never have been any."""


def refuse_page(body: bytes) -> None:
    """Raise `Refused` where nothing came, or a page in the place of data."""
    if not body.strip():
        raise Refused("transient", "an empty body")
    if body.lstrip()[:1] == b"<":
        raise Refused("blocked", "a page instead of data")


def text_of(body: bytes) -> str:
    """Return the text of a body; raises `Refused` where it is none."""
    refuse_page(body)
    try:
        return body.decode(TEXT)
    except UnicodeDecodeError as error:
        raise Refused("corrupt", f"not UTF-8 at byte {error.start}") from None


def parsed(text: str) -> Any:
    """Return what JSON says; raises `Refused` where it is none."""
    try:
        return json.loads(text, parse_constant=_constant)
    except RecursionError:
        raise Refused("corrupt", "JSON nested too deep") from None
    except ValueError as error:
        raise Refused("transient", f"not whole JSON: {error}") from None


def _constant(name: str) -> Any:
    raise Refused("corrupt", f"{name} for a number")


def object_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is; raises `Refused` where it is none."""
    found = parsed(text_of(body))
    if not isinstance(found, dict):
        raise Refused("corrupt", "JSON that is no object")
    return found


def refuse_unkeyed(rows: Sequence[Any], needed: Iterable[str]) -> None:
    """Raise `Refused` unless all rows are objects with some keys."""
    missing = [key for key in needed if not all(isinstance(r, dict) and key in r for r in rows)]
    if missing:
        raise Refused("corrupt", f"rows without {', '.join(missing)}")


def refuse_cells(
    rows: Sequence[Any], needed: Sequence[str], days: Sequence[str], figures: Sequence[str]
) -> None:
    """Raise `Refused` where akshare would say "missing": what stands is no date, or no number."""
    refuse_unkeyed(rows, (*needed, *days, *figures))
    for row in rows:
        for name in days:
            if row[name]:
                refuse_day(str(row[name]).removesuffix(" 00:00:00"))
        for name in figures:
            cell = row[name]
            plain = isinstance(cell, int | float) or _NUMBER.fullmatch(str(cell))
            if cell is not None and not (plain and abs(float(cell)) < _HUGE):
                raise Refused("corrupt", f"{name} {str(cell)[:24]!r} is no number")


def refuse_day(text: Any) -> None:
    """Raise `Refused` unless this is a date like 2024-01-02."""
    if isinstance(text, str) and _DAY.fullmatch(text):
        with suppress(ValueError):
            date.fromisoformat(text)
            return
    raise Refused("corrupt", f"{text!r} is no date")


def refuse_figures(cells: Sequence[Any], prices: int) -> None:
    """Raise `Refused` unless all are plain decimal numbers, the first ones, prices, above zero."""
    for n, cell in enumerate(cells):
        if not isinstance(cell, str) or not _NUMBER.fullmatch(cell) or len(cell) > 24:
            raise Refused("corrupt", f"{cell!r} is no number")
        number = float(cell)
        if number < 0 or (number == 0 and n < prices):
            raise Refused("corrupt", f"{cell} where a {'price' if n < prices else 'volume'} stands")
