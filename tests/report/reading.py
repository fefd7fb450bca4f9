"""What the data of a page say, read with eyes of their own."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any


def numbers_of(text: str, digits: int = 0) -> list[float | None]:
    """Return the numbers that a text of differences tells."""
    found: list[float | None] = []
    last = code = shift = 0
    for character in text:
        if character == "!":
            found.append(None)
            continue
        bits = ord(character) - 63
        code |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            last += ~(code >> 1) if code & 1 else code >> 1
            found.append(last / 10**digits)
            code = shift = 0
    return found


def sessions_of(content: dict[str, Any]) -> list[date]:
    """Return the sessions of a page."""
    days = numbers_of(content["sessions"])
    return [date(1970, 1, 1) + timedelta(days=int(day)) for day in days]


def lines_of(content: dict[str, Any], figure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the lines of a figure over time, with the rows they stand on and their values."""
    for line in figure["lines"]:
        rows = [int(row) for row in numbers_of(content["rows"][line["rows"]])]
        yield line | {"rows": rows, "values": numbers_of(line["values"], line["digits"])}
