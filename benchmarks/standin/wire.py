"""What goes over the wire, and what every vendor's replies have in common."""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol

from benchmarks.standin.market import Bar, Market

Row = list[Any]  # cells of one bar as the vendor writes them; the first six are the same everywhere


class Request(NamedTuple):
    """One request: GET or POST, with the fields of its query and of its form."""

    host: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]


class Reply(NamedTuple):
    """One reply as it goes over the wire."""

    body: bytes
    content_type: str = "application/json"
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = ()


class Spoil(Protocol):
    """What may be done to a vendor's data before they are written."""

    def symbol(self, symbol: str) -> str:
        """Return the symbol that is answered instead of the one asked for."""

    def bars(self, bars: list[Bar]) -> list[Bar]:
        """Return the bars served for the true ones."""

    def rows(self, rows: list[Row]) -> list[Row]:
        """Return the rows written for those of the bars."""

    def figures(self, rows: list[Row]) -> list[Row]:
        """Return the rows of a date and its figures written for the true ones."""

    def records(self, records: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
        """Return the records written, of which one key may be left out."""

    def page(self, rows: list[Any]) -> list[Any]:
        """Return what is served of the rows of a page, of which the count is told whole."""


def as_json(content: Any) -> Reply:
    """Return content as a reply in JSON."""
    return Reply(json.dumps(content, ensure_ascii=False).encode())


def as_script(text: str) -> Reply:
    """Return text as a reply that browsers would run."""
    return Reply(text.encode(), "application/javascript")


def price_text(number: float) -> str:
    """Return a price to the cent, or to the mill where it has one."""
    return f"{number:.3f}" if round(number, 2) != number else f"{number:.2f}"


def payouts(market: Market, symbol: str, spoil: Spoil) -> list[tuple[str, Any, Any]]:
    """Return ex-date, cash and bonus shares a share of each payout told today."""
    found: dict[date, list[float]] = {}
    for row in market.actions.get(symbol, []):
        if row["kind"] in {"dividend", "special_dividend", "bonus"}:
            if row["ex_date"] > market.today + timedelta(days=7):  # not announced yet
                continue
            sums = found.setdefault(row["ex_date"], [0.0, 0.0])
            sums[0] += row.get("cash") or 0.0
            sums[1] += row.get("ratio") or 0.0
    rows: list[Row] = [
        [str(day), round(cash, 6), round(ratio, 6)] for day, (cash, ratio) in sorted(found.items())
    ]
    return [(day, cash, ratio) for day, cash, ratio in spoil.figures(rows)]


def tenfold(figure: Any) -> Any:
    """Return a figure to ten shares, as the mainland tells it; what is no number as it is."""
    return round(figure * 10, 6) or None if isinstance(figure, int | float) else figure


def share_counts(market: Market, symbol: str) -> list[Row]:
    """Return date, total and freely tradable shares of each count of a symbol."""
    return [
        [str(row["date"]), row["total_shares"], row["free_float_shares"] or row["total_shares"]]
        for row in market.shares.get(symbol, [])
    ]


def ex_references(market: Market, symbol: str) -> Callable[[date, float], float]:
    """Return what the exchange makes of a close on the next day: lower by what is paid that day."""
    paid: dict[date, list[float]] = {}
    for row in market.actions.get(symbol, []):
        sums = paid.setdefault(row["ex_date"], [0.0, 0.0])
        rights = (row["ratio"] or 0.0) if row["kind"] == "rights" else 0.0
        sums[0] += (row["cash"] or 0.0) - rights * (row["price"] or 0.0)
        sums[1] += row["ratio"] or 0.0
    mainland = symbol[-2:] in {"SH", "SZ", "BJ"}  # elsewhere changes are from the close itself

    def restated(day: date, close: float) -> float:
        cash, ratio = paid.get(day, (0.0, 0.0)) if mainland else (0.0, 0.0)
        return round((close - cash) / (1 + ratio), 2) if cash or ratio else close

    return restated
