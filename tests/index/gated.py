"""Small indices put to the gates: closes that are sound, and what a test does to them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from indexer.definitions.symbols import exchange_of
from indexer.index.build import build
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.market.tables import Market
from tests.index.examples import Row, Tables, basket, market

FIRST = date(2024, 8, 1)
LAST = date(2024, 9, 30)
SHANGHAI = ("600001.SH", "600002.SH", "600003.SH")
SHENZHEN = ("000011.SZ", "000012.SZ", "000013.SZ")
HONG_KONG = ("00011.HK", "00012.HK", "00013.HK")


def days_of(symbol: str, first: date = FIRST, last: date = LAST) -> list[date]:
    """Return the sessions of a symbol's exchange."""
    days: list[date] = read_calendar(exchange_of(symbol)).between(first, last).tolist()
    return days


def sound(symbols: Iterable[str], first: date = FIRST, last: date = LAST) -> list[Row]:
    """Return closes on every session, each with its own volume, that go up and down by a cent."""
    return [
        {"symbol": s, "date": day, "close": 10.0 + 0.01 * (n % 2), "volume": 100.0 + n}
        for s in symbols
        for n, day in enumerate(days_of(s, first, last))
    ]


def without(rows: Iterable[Row], symbols: Iterable[str], *days: date) -> list[Row]:
    """Return closes but those of some symbols on some days."""
    gone = set(symbols)
    return [r for r in rows if r["symbol"] not in gone or r["date"] not in days]


def with_close(rows: Iterable[Row], symbol: str, day: date, close: float) -> list[Row]:
    """Return closes with another one of a symbol on a day."""
    return [r | {"close": close} if (r["symbol"], r["date"]) == (symbol, day) else r for r in rows]


def built(
    prices: Sequence[Row], tables: Tables | None = None, **keys: Any
) -> tuple[History, Market]:
    """Return an index over closes, and its market."""
    symbols = tuple(dict.fromkeys(row["symbol"] for row in prices))
    base = min(row["date"] for row in prices)
    given = {
        "currency": "CNY",
        "calendar": "XSHG",
        "base": {"date": base, "level": 1000.0},
        "constituents": [{"symbol": symbol} for symbol in symbols],
    }
    days = sorted({row["date"] for row in prices})
    rates = [{"date": day, "base": "HKD", "quote": "CNY", "rate": 0.9} for day in days]
    folder = market({"prices": list(prices), "fx": rates, **(tables or {})})
    return build(basket(**given | keys), folder), folder


def judged(
    prices: Sequence[Row], *sessions: date, tables: Tables | None = None, **keys: Any
) -> list[Finding]:
    """Return what the gates find on some sessions, or on all of them, of an index over closes."""
    history, folder = built(prices, tables, **keys)
    return list(findings(history, folder, sessions or history.days.tolist()))


def told(found: Iterable[Finding], rule: str = "") -> list[tuple[str, str, str]]:
    """Return session, rule and verdict of findings, or of those of one rule."""
    return [(str(f.session), f.rule, f.verdict) for f in found if rule in ("", f.rule)]
