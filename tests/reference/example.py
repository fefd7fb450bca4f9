"""Small indices to be worked by hand: tables of a few rows and an oracle to put them to.

Unless told otherwise an index holds A.US and B.US, equal weighted, with base level 1000 on MONDAY.
"""

from datetime import date, timedelta
from typing import Any

from tests.reference.index import Result, build

MONDAY = date(2024, 1, 8)
SESSIONS = [d for n in range(-400, 800) if (d := MONDAY + timedelta(n)).weekday() < 5]
WEEK = [MONDAY + timedelta(n) for n in range(5)]
MONTHLY = {"frequency": "monthly", "day": WEEK[2].day}  # on Wednesday
SATURDAY, SUNDAY, NEXT_MONDAY = (MONDAY + timedelta(n) for n in (5, 6, 7))


def closes(symbol: str, *prices: float | None, start: date = MONDAY) -> list[dict[str, Any]]:
    """Rows of the prices table on consecutive sessions; None is a session without a close."""
    dates = SESSIONS[SESSIONS.index(start) :]
    pairs = zip(dates, prices, strict=False)
    return [{"symbol": symbol, "date": d, "close": p} for d, p in pairs if p is not None]


def action(symbol: str, day: date, kind: str, **columns: Any) -> dict[str, Any]:
    """Row of the actions table."""
    return {"symbol": symbol, "ex_date": day, "kind": kind, **columns}


def index(
    prices: list[dict[str, Any]], *actions: dict[str, Any], market: Any = None, **keys: Any
) -> Result:
    """Index of the constituents A.US and B.US, or of others, over the sessions of the prices."""
    definition = {
        "currency": "USD",
        "base": {"date": MONDAY, "level": 1000.0},
        "weighting": {"scheme": "equal"},
        "constituents": [{"symbol": "A.US"}, {"symbol": "B.US"}],
        **keys,
    }
    return build(definition, {"prices": prices, "actions": actions, **(market or {})}, SESSIONS)


def column(result: Result, name: str) -> list[Any]:
    """Figures of one column, session by session."""
    return [row[name] for row in result.rows]


def shares(*counts: float) -> dict[str, Any]:
    """Build the table of total shares of A.US and B.US."""
    rows = [
        {"symbol": s, "date": date(2023, 1, 1), "total_shares": n}
        for s, n in zip(("A.US", "B.US"), counts, strict=True)
    ]
    return {"shares": rows}


def listed(*symbols: str) -> list[dict[str, Any]]:
    """Build the constituents of a definition."""
    return [{"symbol": symbol} for symbol in symbols]


def weights(result: Result, effective: date, name: str = "effective_weight") -> dict[str, Any]:
    """One column of the weights of a rebalance, by symbol."""
    return {row["symbol"]: row[name] for row in result.weights if row["effective"] == effective}
