"""The ground on which faults are tried: an invented market of every table, served to akshare.

Shares of five boards, of Hong Kong and New York, series, payouts, share counts and rates. What
akshare makes of one question under one fault is always the same, so it is asked once in a process
and repeated from then on, request by request.
"""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.standin.faults import Fault
from benchmarks.standin.market import Bar, Market, invented
from benchmarks.standin.server import Standin, serving
from indexer.definitions.symbols import exchange_of
from indexer.market.calendar import read_calendar
from indexer.market.sources.akshare import Access
from indexer.market.sources.guard import Guard, Pace
from indexer.market.sources.source import Ask
from indexer.market.sources.worker import Ended, Got, Want, Worker

SEED = 20260507
FIRST, LAST = date(2026, 3, 2), date(2026, 6, 12)
BOARDS = (("600", "SH"), ("000", "SZ"), ("300", "SZ"), ("688", "SH"), ("920", "BJ"))
ABROAD = ("00700.HK", "09988.HK", "NVDA.US")
SERIES = ("000985.SH", "399006.SZ", "HSTECH.HK")
PAYING = (0, 1, 3)  # the shares that pay, of which the first and third issue bonus shares
PAIRS = ("USD/CNY", "HKD/CNY")

PATIENCE = 300.0  # seconds that whatever is not silent may take on a machine with other work
# Kinds that cost seconds, and those that fall on one row: the others are the same wherever it is.
SILENT = frozenset({"hang", "drip"})
PLACED = frozenset(
    (
        *("dup_rows", "conflicting_dup", "dash_values", "nan_inf", "neg_price", "zero_price"),
        *("bad_date", "huge_int", "ragged", "fractional_lots", "scaled_up", "scaled_down"),
        *("decimals_lost_once", "row_dropped", "rebased_history", "flat_zero_volume"),
        *("repeated_close", "phantom", "volume_times_100", "volume_over_100"),
    )
)
Choose = Callable[[str, Ask], Fault | None]  # the fault of a source's answer to a question


@dataclass(slots=True)
class Clock:
    """A clock that is only told.

    Attributes
    ----------
    at : the instant
    """

    at: datetime

    def now(self) -> datetime:
        """Return the instant."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Stand later."""
        self.at += timedelta(seconds=seconds)


class Recorder(Worker):
    """akshare's process, of which each answer under each fault is asked for once.

    Attributes
    ----------
    choose : the fault of an answer, if any
    asked, faulted, real : answers so far, those under a fault, and those that akshare gave itself
    """

    def __init__(self, environment: Mapping[str, str], deadline: float, standin: Standin) -> None:
        super().__init__(environment, deadline, PATIENCE)
        self._silence = deadline
        self.choose: Choose = lambda *_: None
        self.asked = self.faulted = self.real = 0
        self._standin = standin
        self._told: dict[Any, tuple[list[tuple[Any, ...]], dict[str, Any] | Ended]] = {}

    def ask(self, source: str, ask: Ask, want: Want, got: Got) -> dict[str, Any]:
        """Return what akshare answers; see `Worker.ask`."""
        fault = self.choose(source, ask)
        self.asked += 1
        self.faulted += fault is not None
        key = _key(source, ask, self._standin.market.today, fault)
        if key not in self._told:
            return self._ask_akshare(key, source, ask, fault, want, got)
        steps, end = self._told[key]
        for step in steps:
            if len(step) > 1:
                got(*step)
            elif reason := want(*step):
                return {"done": "blocked", "reason": reason}
        if isinstance(end, Ended):
            raise Ended(end.how)
        return end

    def close(self) -> None:
        """End akshare's process."""
        self.stop()

    def _ask_akshare(
        self,
        key: Any,
        source: str,
        ask: Ask,
        fault: Fault | None,
        want: Want,
        got: Got,
    ) -> dict[str, Any]:
        steps: list[tuple[Any, ...]] = []
        refused = False

        def wanted(url: str) -> str:
            nonlocal refused
            reason = want(url)
            refused = refused or bool(reason)
            steps.append((url,))
            return reason

        def gotten(url: str, status: int, function: str, body: bytes) -> None:
            steps.append((url, status, function, body))
            got(url, status, function, body)

        self._standin.choose = lambda _: fault
        silent = fault is not None and fault.kind in SILENT
        self._deadline = self._silence if silent else PATIENCE
        self.real += 1
        end: dict[str, Any] | Ended
        try:
            end = super().ask(source, ask, wanted, gotten)
        except Ended as ended:
            end = ended
            raise
        finally:
            self._standin.choose = lambda _: None
            if not refused:  # else it is the gate's answer, which may be another the next time
                self._told[key] = steps, end
        return end


def _key(source: str, ask: Ask, today: date, fault: Fault | None) -> Any:
    """Return what an answer depends on; silence is the same whoever it is about."""
    if fault is None:
        return source, ask, today
    if fault.kind in SILENT:
        return source, ask.table, ask.subject[-3:], fault.kind
    return source, ask, today, fault if fault.kind in PLACED else fault.kind


@dataclass(slots=True)
class Ground:
    """A stand-in, the way to it, and what is there.

    Attributes
    ----------
    standin : the server, whose market may be changed
    recorder : the process that asks it
    access : the way through the gate
    clock : where all of it takes time from
    shares : symbols of the mainland
    """

    standin: Standin
    recorder: Recorder
    access: Access
    clock: Clock
    shares: tuple[str, ...]
    market: Market = field(init=False)

    def __post_init__(self) -> None:
        self.market = self.standin.market


def symbols_of(count: int) -> tuple[str, ...]:
    """Return invented symbols of mainland shares, of each board in turn."""
    boards = itertools.cycle(BOARDS)
    return tuple(f"{b}{n:03d}.{s}" for n, (b, s) in zip(range(1, count + 1), boards, strict=False))


def market_of(shares: Sequence[str], first: date = FIRST, last: date = LAST) -> Market:
    """Return a market of every table, in which all that is paid and split shows in the prices.

    With fewer shares than are to pay, none does.
    """
    days = read_calendar("XSHG").between(first, last).tolist()
    market = invented(shares, days, SEED)
    market.sessions = [date(1990, 12, 19), *days]
    for symbol in (*ABROAD, *SERIES):
        open_ = read_calendar(exchange_of(symbol)).between(first, last).tolist()
        market.bars |= invented([symbol], open_, hash_of(symbol)).bars
        market.listed[symbol] = date(2015, 1, 5)
    market.bars["NVDA.US"] = [bar for bar in market.bars["NVDA.US"] if bar.day < last]
    for n in PAYING if len(shares) > max(PAYING) else ():
        _pay(market, shares[n], n)
    for symbol, third in itertools.product(ABROAD[:2], (1, 2)):
        at = market.bars[symbol][third * len(market.bars[symbol]) // 3]
        act(market, symbol, at.day, "dividend", cash=round(0.01 * at.close, 2))
    market.rates = {
        code: {day: round(rate + n % 50 * 0.0003, 4) for n, day in enumerate(days)}
        for code, rate in (("USD", 7.1), ("HKD", 0.91))
    }
    return market


def hash_of(symbol: str) -> int:
    """Return a number of a symbol that is the same everywhere."""
    return SEED + sum(map(ord, symbol))


def act(market: Market, symbol: str, day: date, kind: str, **amounts: float) -> None:
    """Add an action to a market; prices are left as they are."""
    row = {"symbol": symbol, "ex_date": day, "kind": kind, "cash": None, "ratio": None}
    market.actions.setdefault(symbol, []).append({**row, "price": None, **amounts})


def _pay(market: Market, symbol: str, n: int) -> None:
    """Let a symbol pay after a third of its bars, and every third one issue bonus shares later."""
    bars, counts = market.bars[symbol], {"total_shares": 1e9, "free_float_shares": 9e8}
    paid, given = len(bars) // 3 + n % 5, 2 * len(bars) // 3 + n % 7
    act(market, symbol, bars[paid].day, "dividend", cash=0.12)
    ratio = 0.4 if n % 3 == 0 else 0.0
    if ratio:
        act(market, symbol, bars[given].day, "bonus", ratio=ratio)
        row = {"symbol": symbol, "date": bars[given].day}
        market.shares[symbol].append(row | {k: round(v * 1.4) for k, v in counts.items()})
    market.bars[symbol] = [
        _restated(bar, 0.12 if at >= paid else 0.0, ratio if at >= given else 0.0)
        for at, bar in enumerate(bars)
    ]


def _restated(bar: Bar, cash: float, ratio: float) -> Bar:
    names = ("open", "high", "low", "close")
    prices = {name: round((getattr(bar, name) - cash) / (1 + ratio), 2) for name in names}
    amount = float(round(bar.volume * (prices["high"] + prices["low"]) / 2))
    return bar._replace(**prices, amount=amount)


def evening(day: date = LAST) -> datetime:
    """Return an instant at which every bar of a day is final but New York's."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@contextmanager
def ground(
    count: int = 9,
    deadline: float = 4.0,
    first: date = FIRST,
    last: date = LAST,
    made: type[Recorder] = Recorder,
) -> Iterator[Ground]:
    """Start the stand-in and the process that asks it.

    Parameters
    ----------
    count : mainland shares in the market
    deadline : seconds after which silence is the end of a question
    made : the process that asks
    """
    shares, clock = symbols_of(count), Clock(evening(last))
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(market_of(shares, first, last), Path(folder)) as standin,
        closing(made(os.environ | standin.environment, deadline, standin)) as recorder,
    ):
        guard = Guard(clock, pace=Pace(3.0, 3.0, 10**9), draw=lambda: 0.5)
        access = Access(recorder, guard, Path(folder) / "replies")
        yield Ground(standin, recorder, access, clock, shares)
