"""A small invented market, a clock that only moves when told, and sources that speak over both."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.standin.market import Bar, Market, bars_of
from benchmarks.standin.server import Standin, serving
from indexer.market.calendar import read_calendar
from indexer.market.sources.akshare import Access
from indexer.market.sources.guard import Guard, Pace
from indexer.market.sources.worker import Worker

SHARES = ("300308.SZ", "688256.SH", "000063.SZ", "600584.SH", "920002.BJ")
ABROAD = ("00700.HK", "NVDA.US")
SERIES = ("000985.SH", "399006.SZ", "HSTECH.HK")
FIRST, LAST = date(2026, 3, 2), date(2026, 6, 12)
EX_DATE = date(2026, 5, 18)


class StillClock:
    """A clock that stands still but for what is slept."""

    def __init__(self, now: datetime) -> None:
        self.at = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return where it stands."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Stand later, at once."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def evening(day: date = LAST) -> datetime:
    """Return an instant at which every exchange's bars of a day are final but New York's."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def sessions_of(exchange: str) -> list[date]:
    return read_calendar(exchange).between(FIRST, LAST).tolist()


def small_market() -> Market:
    """Return a market in which closes never repeat and one share pays, splits and is suspended."""
    market = Market(LAST, sessions=[date(1990, 12, 19), *sessions_of("XSHG")])
    exchanges = {"HK": "XHKG", "US": "XNYS"}
    for k, symbol in enumerate((*SHARES, *ABROAD, *SERIES)):
        days = sessions_of(exchanges.get(symbol[-2:], "XSHG"))
        level = 20.0 + 10 * k
        closes = {
            d: round(level * (1 + (n * 7 % 11) * 0.004 + n * 0.001), 2) for n, d in enumerate(days)
        }
        if symbol == "300308.SZ":  # as the exchange restates it: 5 yuan a share... and 4 for 10
            closes = {
                d: round((p - 0.5) / 1.4, 2) if d >= EX_DATE else p for d, p in closes.items()
            }
        market.bars[symbol] = bars_of(closes, 0.004)
        market.listed[symbol] = date(2015, 1, 5)
    paid = {"symbol": "300308.SZ", "ex_date": EX_DATE, "cash": None, "ratio": None, "price": None}
    market.actions["300308.SZ"] = [
        paid | {"kind": "dividend", "cash": 0.5},
        paid | {"kind": "bonus", "ratio": 0.4},
    ]
    market.actions["00700.HK"] = [paid | {"symbol": "00700.HK", "kind": "dividend", "cash": 5.3}]
    counts = {"total_shares": 1.0e9, "free_float_shares": 9.0e8}
    for symbol in SHARES:
        market.shares[symbol] = [{"symbol": symbol, "date": date(2026, 1, 5)} | counts]
    more = {"total_shares": 1.4e9, "free_float_shares": 1.26e9}
    market.shares["300308.SZ"].append({"symbol": "300308.SZ", "date": EX_DATE} | more)
    market.rates = {
        code: {d: round(rate + n * 0.0003, 4) for n, d in enumerate(sessions_of("XSHG"))}
        for code, rate in (("USD", 7.1), ("HKD", 0.91))
    }
    market.weights["000985.SH"] = [("300308.SZ", 0.6), ("600584.SH", 0.4)]
    suspend(market, "688256.SH", date(2026, 4, 8), date(2026, 4, 13))
    return market


def suspend(market: Market, symbol: str, first: date, resumes: date) -> None:
    """Take a share's bars away from a date until it is traded again, and say so."""
    kept = [bar for bar in market.bars[symbol] if not first <= bar.day < resumes]
    market.bars[symbol] = kept
    row: dict[str, Any] = {"symbol": symbol, "from": first, "until": resumes, "reason": "重大事项"}
    market.suspensions.append(row)


@dataclass(frozen=True)
class Reach:
    """A stand-in, and the way to it."""

    standin: Standin
    access: Access
    clock: StillClock


@contextmanager
def reaching(folder: Path, deadline: float = 20.0) -> Iterator[Reach]:
    """Start the stand-in and a process that reaches it through akshare."""
    clock = StillClock(evening())
    with (
        serving(small_market(), folder) as standin,
        Worker(os.environ | standin.environment, deadline) as worker,
    ):
        guard = Guard(clock, pace=Pace(3.0, 3.0, 10**6))
        yield Reach(standin, Access(worker, guard, folder / "raw"), clock)


def body_of(archive: Path, digest: str) -> bytes:
    """Return the bytes of a reply that was kept."""
    return gzip.decompress((archive / digest[:2] / f"{digest}.gz").read_bytes())


def write_folder(market: Market, folder: Path) -> None:
    """Write the market as a market folder."""
    folder.mkdir(exist_ok=True)
    tables = {
        "prices": _frame(market, lambda symbol: symbol not in SERIES),
        "series": _frame(market, lambda symbol: symbol in SERIES).select("symbol", "date", "close"),
        "actions": pl.DataFrame([r for rows in market.actions.values() for r in rows]),
        "shares": pl.DataFrame([r for rows in market.shares.values() for r in rows]),
        "suspensions": pl.DataFrame(market.suspensions),
        "securities": pl.DataFrame(
            {"symbol": [*market.listed], "list_date": [*market.listed.values()]}
        ),
        "fx": pl.DataFrame(
            [
                {"date": day, "base": base, "quote": "CNY", "rate": rate}
                for base, rates in market.rates.items()
                for day, rate in rates.items()
            ]
        ),
    }
    for name, frame in tables.items():
        shown = frame.filter(~pl.col("symbol").is_in(SERIES)) if name == "securities" else frame
        shown.write_csv(folder / f"{name}.csv")


def _frame(market: Market, chosen: Any) -> pl.DataFrame:
    rows = [
        {"symbol": symbol, "date": bar.day} | dict(zip(Bar._fields[1:], bar[1:], strict=True))
        for symbol, bars in market.bars.items()
        for bar in bars
        if chosen(symbol)
    ]
    return pl.DataFrame(rows)
