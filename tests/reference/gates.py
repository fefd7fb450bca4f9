"""The gates on constituents, slow and obvious: one constituent and one close at a time.

No line here continues another. Price limits are exact: fractions throughout.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from indexer.definitions.symbols import exchange_of
from indexer.market.calendar import read_calendar

Row = dict[str, Any]
BOARDS = {"6000": Fraction(1, 10), "6880": Fraction(1, 5), "0000": Fraction(1, 10),
          "3000": Fraction(1, 5), "9200": Fraction(3, 10)}  # fmt: skip
JUMP = 1.8
FREE = 5  # sessions after listing


def closes_of(prices: Sequence[Row], symbol: str) -> dict[date, float]:
    """Return the closes of a symbol by date, ascending."""
    return dict(sorted((row["date"], row["close"]) for row in prices if row["symbol"] == symbol))


def beyond_belief(
    prices: Sequence[Row], actions: Sequence[Row], symbol: str, listed: date | None
) -> Iterator[date]:
    """Yield the dates of closes that are beyond what the board of a symbol allows."""
    closes = closes_of(prices, symbol)
    sessions: list[date] = read_calendar(exchange_of(symbol)).sessions.tolist()
    begin = listed or min(closes)
    for (since, before), (day, close) in pairwise(closes.items()):
        new = sum(begin <= session <= day for session in sessions) <= FREE
        reference = ex_reference(actions, symbol, (since, before), day)
        if not new and not is_believed(symbol, close, reference):
            yield day


def ex_reference(
    actions: Sequence[Row], symbol: str, previous: tuple[date, float], day: date
) -> Fraction:
    """Return the previous close after every event since, one ex-date after the other."""
    since, price = previous[0], decimal(previous[1])
    own = [a for a in actions if a["symbol"] == symbol and since < a["ex_date"] <= day]
    for ex_date in sorted({a["ex_date"] for a in own}):
        cash, paid_in, split, added = (Fraction(n) for n in (0, 0, 1, 0))
        for a in (a for a in own if a["ex_date"] == ex_date):
            if a["kind"] in ("dividend", "special_dividend"):
                cash += decimal(a["cash"])
            elif a["kind"] == "split":
                split *= decimal(a["ratio"])
            elif a["kind"] == "bonus" or decimal(a["price"]) < price:
                added += decimal(a["ratio"])
                paid_in += decimal(a["ratio"]) * decimal(a.get("price", 0.0))
        price = (price - cash + paid_in) / (split + added)
    return price


def decimal(figure: float) -> Fraction:
    """Return the number that a figure is printed as."""
    return Fraction(repr(figure))


def is_believed(symbol: str, close: float, reference: Fraction) -> bool:
    """Return whether a close stands within a tick of its limit prices, or a factor of 1.8."""
    if symbol.endswith(".HK") or symbol[:4] not in BOARDS:
        return reference / JUMP <= close <= reference * JUMP
    limit = BOARDS[symbol[:4]]
    lowest = (reference * (1 - limit) * 100 + Fraction(1, 2)).__floor__() - 1
    highest = (reference * (1 + limit) * 100 + Fraction(1, 2)).__floor__() + 1
    return lowest <= decimal(close) * 100 <= highest


def stale_weight(prices: Sequence[Row], weights: dict[str, float], day: date) -> float:
    """Return the weight of what has no close of a day on which its exchange is open."""
    return sum(
        weight
        for symbol, weight in weights.items()
        if read_calendar(exchange_of(symbol)).is_session(day)
        and day not in closes_of(prices, symbol)
    )
