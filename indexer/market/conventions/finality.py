"""When the bar of a session is final: how long after the close, as dated data."""

from datetime import date
from functools import lru_cache

from indexer.market.conventions.dated import rows_of


def minutes_to_final(exchange: str, day: date) -> int:
    """Return how many minutes after the close of a session its bar counts as final.

    Counted from the close of that very session, so that half days are final earlier.

    Raises
    ------
    ValueError
        If no entry is for the exchange and date.

    Examples
    --------
    >>> [minutes_to_final(code, date(2026, 8, 20)) for code in ("XSHG", "XHKG", "XNYS")]
    [30, 40, 60]
    """
    found = [row for row in _margins() if row[0] == exchange and row[1] <= day]
    if not found:
        raise ValueError(
            f"{exchange} on {day}: no bar is known to be final; add conventions/finality.csv"
        )
    return max(found, key=lambda row: row[1])[2]


@lru_cache
def _margins() -> tuple[tuple[str, date, int], ...]:
    return tuple(
        (row["exchange"], date.fromisoformat(row["from"]), int(row["minutes"]))
        for row in rows_of("finality")
    )
