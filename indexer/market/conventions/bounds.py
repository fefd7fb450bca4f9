"""Bounds of plausibility for figures that no rule of an exchange bounds, as dated data."""

from datetime import date
from functools import lru_cache

from indexer.market.conventions.dated import rows_of


def plausible(quantity: str, day: date) -> tuple[float, float] | None:
    """Return the lowest and the highest plausible value of a quantity on a date, both inclusive.

    None where the table says nothing of it.

    Examples
    --------
    >>> plausible("bonus", date(2024, 6, 3))
    (0.0, 3.0)
    """
    found = [row for row in _bounds() if row[0] == quantity and row[1] <= day]
    return max(found, key=lambda row: row[1])[2:] if found else None


@lru_cache
def _bounds() -> tuple[tuple[str, date, float, float], ...]:
    return tuple(
        (row["quantity"], date.fromisoformat(row["from"]), float(row["low"]), float(row["high"]))
        for row in rows_of("bounds")
    )
