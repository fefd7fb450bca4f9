"""Hypothesis strategies: an index definition and a market folder to go with it.

What shrinks is the structure: sessions, constituents, gaps, actions. Closes follow from one drawn
number a constituent, of which zero means that they never move.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from indexer.market.calendar import exchange_of, read_calendar
from tests.index.examples import Row, Tables
from tests.reference.schedule import effective_dates

SCHEMES = (
    "equal",
    "market_cap",
    "free_float",
    "price",
    "fixed",
    "rank",
    "inverse_volatility",
    "score",
)
REAL_SHARES = ("market_cap", "free_float")
RESTATING = ("dividend", "special_dividend", "split", "bonus", "rights")
CURRENCY = {"SH": "CNY", "SZ": "CNY", "HK": "HKD", "US": "USD"}
COUNTRY = {"SH": "CN", "SZ": "CN", "HK": "HK", "US": "US"}
DAYS = (
    *(f"{nth} {day}" for nth in ("first", "second", "third", "fourth", "last")
      for day in ("monday", "wednesday", "friday")),
    "first session",
    "last session",
    *(str(number) for number in (1, 2, 5, 15, 28, 30, 31)),
)  # fmt: skip
MONTHS = {"never": 0, "monthly": 12, "quarterly": 4, "semiannual": 2, "annual": 1}


@dataclass(frozen=True)
class Case:
    """A definition, the tables of a market folder, and the last date asked for."""

    definition: Row
    tables: Tables
    until: date | None = None

    @property
    def sessions(self) -> list[date]:
        """Return the sessions of the calendar around everything that is dated in the case."""
        days = [row["date"] for name in ("prices", "shares") for row in self.tables[name]]
        days += [row["list_date"] for row in self.tables["securities"] if row.get("list_date")]
        days.append(self.definition["base"]["date"])
        first, last = min(days) - timedelta(90), max(days) + timedelta(70)
        return [d for d in open_days(self.definition["calendar"]) if first <= d <= last]

    def but(self, **keys: Any) -> "Case":
        """Return the case with some keys of the definition replaced."""
        return replace(self, definition=self.definition | keys)

    def with_table(self, name: str, rows: Sequence[Row]) -> "Case":
        """Return the case with one table replaced."""
        return replace(self, tables=self.tables | {name: list(rows)})


@lru_cache
def open_days(code: str) -> list[date]:
    """Return the sessions of a calendar that cases are laid out on."""
    days: list[date] = read_calendar(code).sessions.tolist()
    return [day for day in days if day.year >= 2019]


@dataclass(frozen=True)
class Span:
    """The calendar of a case: first close, base date and last close."""

    code: str
    start: date
    base: date
    end: date

    @property
    def days(self) -> list[date]:
        """Return every date of the span, session or not."""
        return [self.start + timedelta(n) for n in range((self.end - self.start).days + 1)]


# (largest number of constituents, largest number of sessions): small ones mostly
SIZES = ((2, 12), (3, 45), (3, 45), (4, 130), (8, 70), (40, 40), (5, 600))


@st.composite
def cases(draw: st.DrawFn, schemes: Sequence[str] = SCHEMES, *, sound: bool = False) -> Case:
    """Draw a case; a sound one is never refused."""
    most, longest = draw(st.sampled_from(SIZES))
    span = draw(spans(longest))
    currency = draw(st.sampled_from(("CNY", "HKD", "USD")))
    symbols = draw(constituent_symbols(most))
    rule = draw(rebalances())
    dates = turning_points(rule, span)
    securities = draw(securities_tables(symbols, span, sound=sound))
    prices = [row for symbol in symbols for row in draw(closes(symbol, span, sound=sound))]
    actions = [row for s in symbols for row in draw(actions_of(s, span, dates, prices))]
    definition = {
        "currency": currency,
        "calendar": span.code,
        "base": {"date": span.base, "level": draw(st.sampled_from((1000.0, 100.0, 3.7)))},
        "rebalance": rule,
        **draw(schemes_of(symbols, draw(st.sampled_from(schemes)), sound=sound)),
        **draw(options(sound=sound)),
    }
    for entry in definition["constituents"]:
        entry.update(draw(memberships(dates, sound=sound)))
    tables = {
        "prices": prices,
        "actions": actions,
        "securities": securities,
        "shares": [row for s in symbols for row in draw(share_counts(s, span, sound=sound))],
        "fx": draw(rates(symbols, securities, currency, span, sound=sound)),
    }
    until = draw(st.none() | st.sampled_from(span.days)) if not sound else None
    return Case(definition, tables, until)


# --- calendar ---------------------------------------------------------------------------------


@st.composite
def spans(draw: st.DrawFn, longest: int) -> Span:
    code = draw(st.sampled_from(("24/5", "XSHG", "XHKG", "XNYS")))
    sessions = open_days(code)
    first = 750 + draw(st.integers(0, 450))  # from 2022 on
    base = first + draw(st.integers(0, 25))
    last = base + draw(st.integers(0, longest))
    return Span(code, sessions[first], sessions[base], sessions[last])


@st.composite
def rebalances(draw: st.DrawFn) -> Row:
    frequency = draw(st.sampled_from(("never", "monthly", "monthly", "quarterly", "annual")))
    rule: Row = {"frequency": frequency, "day": draw(st.sampled_from(DAYS))}
    count = MONTHS[frequency]
    if 0 < count < 12 and draw(st.booleans()):
        months = st.lists(st.integers(1, 12), min_size=count, max_size=count, unique=True)
        rule["months"] = draw(months)
    if draw(st.booleans()):
        rule["reference_lag"] = draw(st.integers(0, 12))
    return rule


def turning_points(rule: Row, span: Span) -> list[date]:
    """Return base, effective and reference dates, on which most of what can go wrong does."""
    sessions = open_days(span.code)
    found = [span.base]
    for effective in effective_dates(rule, [d for d in sessions if d <= span.end], span.base):
        found += [effective, sessions[sessions.index(effective) - rule.get("reference_lag", 0)]]
    return found


# --- market -----------------------------------------------------------------------------------


@st.composite
def constituent_symbols(draw: st.DrawFn, most: int) -> list[str]:
    """Draw symbols of all exchanges that are not in alphabetical order."""
    suffixes = draw(st.lists(st.sampled_from(("US", "SH", "SZ", "HK")), min_size=1, max_size=most))
    found = []
    for n, suffix in enumerate(suffixes):
        number = (7 * n + 5) % 41
        code = {"US": f"S{number}", "SH": f"{600000 + number}", "SZ": f"{number:06}"}
        found.append(f"{code.get(suffix, f'{number:05}')}.{suffix}")
    return found


@st.composite
def closes(draw: st.DrawFn, symbol: str, span: Span, *, sound: bool) -> list[Row]:
    """Draw closes on the symbol's own sessions but for gaps, and a few on no session at all."""
    own = [d for d in open_days(exchange_of(symbol)) if span.start <= d <= span.end]
    late = draw(st.just(0) | st.integers(0, 30)) if not sound else 0
    early = draw(st.just(0) | st.integers(0, 30))
    days = set(own[late : max(late + 1, len(own) - early)]) or {span.start}
    gaps = st.tuples(st.integers(0, len(own)), st.integers(1, 40) | st.integers(1, 3))
    for begin, length in draw(st.lists(gaps, max_size=3)):
        days -= set(own[max(begin, 1) : begin + length])
    days |= {span.start + timedelta(n) for n in draw(st.lists(st.integers(0, 200), max_size=2))}
    if sound:
        days |= {span.start}
    kept = sorted(day for day in days if day <= span.end)
    walk = _walk(draw(st.integers(0, 2**16)), len(kept), 0.03)
    start = draw(st.sampled_from((10.0, 7.77, 123.45, 1000.0)))
    money = draw(st.integers(1, 9)) * 1e6
    return [
        {
            "symbol": symbol,
            "date": day,
            "close": float(max(round(start * move, 2), 5.0)),
            "amount": float(round(money * move, 2)),
        }
        for day, move in zip(kept, walk, strict=True)
    ]


def _walk(seed: int, length: int, deviation: float) -> np.ndarray:
    """Return a path that begins at one; seed zero stays there."""
    if seed == 0:
        return np.ones(length)
    steps = np.random.default_rng(seed).normal(0, deviation, length)
    return np.exp(np.cumsum(steps) - steps[:1])


@st.composite
def actions_of(
    draw: st.DrawFn, symbol: str, span: Span, dates: Sequence[date], prices: Sequence[Row]
) -> list[Row]:
    """Draw up to five actions of one constituent, several on one day among them.

    Together they never pay out a whole price, which would be an error.
    """
    own = [row["close"] for row in prices if row["symbol"] == symbol]
    day = st.sampled_from(span.days) | st.builds(
        lambda on, shift: on + timedelta(shift), st.sampled_from(dates), st.integers(-1, 1)
    )
    kinds = st.lists(st.sampled_from(RESTATING), min_size=1, max_size=3)
    groups = draw(st.lists(st.tuples(day, kinds), max_size=3))
    rows = [
        draw(_action(symbol, on, kind, own)) for on, together in groups for kind in together
    ]
    dilution = float(np.prod([1.0 + row.get("ratio", 0.0) for row in rows]))
    room = 0.9 * min(own) / dilution / max(len(rows), 1)
    for row in rows:
        if "cash" in row:
            row["cash"] = max(round(row["cash"] * room, 4), 0.0001)
    return rows


@st.composite
def _action(draw: st.DrawFn, symbol: str, day: date, kind: str, own: Sequence[float]) -> Row:
    row: Row = {"symbol": symbol, "ex_date": day, "kind": kind}
    if kind in ("dividend", "special_dividend"):
        row["cash"] = draw(st.sampled_from((1.0, 0.5, 0.01)))
    elif kind == "split":
        row["ratio"] = draw(st.sampled_from((2.0, 0.1, 1.5, 3.0)))
    elif kind == "bonus":
        row["ratio"] = draw(st.sampled_from((0.4, 1.0, 0.05)))
    else:
        row["ratio"] = draw(st.sampled_from((0.3, 0.5, 1.0)))
        part = draw(st.sampled_from((0.5, 0.8, 1.0, 1.3)))
        row["price"] = round(part * draw(st.sampled_from(own)), 2)
    return row


@st.composite
def securities_tables(
    draw: st.DrawFn, symbols: Sequence[str], span: Span, *, sound: bool
) -> list[Row]:
    """Draw facts of the constituents; now and then one is adjusted or lacks a figure."""
    adjusted = not sound and draw(st.integers(0, 9)) == 9
    rows = []
    for symbol in symbols:
        row: Row = {"symbol": symbol, "points": draw(st.sampled_from((1, 2.5, 10, 0)))}
        row["segment"] = draw(st.sampled_from(("x", "y", "z")))
        if draw(st.integers(0, 3)) == 3:
            row["list_date"] = span.base + timedelta(draw(st.integers(-400, 10)))
        if draw(st.integers(0, 9)) == 9:
            row["country"] = draw(st.sampled_from(("CN", "HK")))
        if draw(st.integers(0, 9)) == 9:
            row["currency"] = draw(st.sampled_from(("CNY", "USD")))
        if adjusted and draw(st.booleans()):
            row["price_kind"] = "total_return_adjusted"
        if sound and row["points"] == 0:
            row["points"] = 1
        if not sound and draw(st.integers(0, 30)) == 30:
            del row["points"]
        rows.append(row)
    return rows


@st.composite
def share_counts(draw: st.DrawFn, symbol: str, span: Span, *, sound: bool) -> list[Row]:
    """Draw the rows of the shares table of one symbol; now and then it begins too late."""
    late = not sound and draw(st.integers(0, 30)) == 30
    days = draw(st.lists(st.sampled_from(span.days), max_size=2, unique=True))
    rows = []
    for day in [span.end if late else span.start - timedelta(30), *days]:
        total = draw(st.integers(1, 50)) * 1000.0
        free = draw(st.sampled_from((None, 1.0, 0.1, 0.2, 0.15, 0.438, 0.8, 0.82, 0.05, 0.0)))
        if sound and free == 0.0:
            free = 0.5
        rows.append({"symbol": symbol, "date": day, "total_shares": total})
        rows[-1]["free_float_shares"] = None if free is None else total * free
    return list({row["date"]: row for row in rows}.values())


@st.composite
def rates(
    draw: st.DrawFn,
    symbols: Sequence[str],
    securities: Sequence[Row],
    currency: str,
    span: Span,
    *,
    sound: bool,
) -> list[Row]:
    """Draw a rate for every listing currency, one way round or the other, with holes."""
    given = {row["symbol"]: row.get("currency") for row in securities}
    needed = {given.get(s) or CURRENCY[s.rpartition(".")[2]] for s in symbols} - {currency}
    rows = []
    for other in sorted(needed):
        base, quote = draw(st.permutations((other, currency)))
        begin = 0 if sound else draw(st.just(0) | st.just(0) | st.integers(0, 60))
        days = span.days[begin :: draw(st.sampled_from((1, 3, 10)))] or [span.end]
        moves = draw(st.sampled_from((1.0, 7.1, 0.128))) * _walk(draw(st.integers(0, 99)), len(days), 0.01)
        rows += [
            {"date": day, "base": base, "quote": quote, "rate": float(round(rate, 5))}
            for day, rate in zip(days, moves, strict=True)
        ]
    return rows


# --- definition -------------------------------------------------------------------------------


@st.composite
def schemes_of(draw: st.DrawFn, symbols: Sequence[str], scheme: str, *, sound: bool) -> Row:
    """Draw weighting, selection and constituents."""
    entries: list[Row] = [{"symbol": symbol} for symbol in symbols]
    weighting: Row = {"scheme": scheme}
    keys: Row = {"weighting": weighting, "constituents": entries}
    if scheme == "rank" or draw(st.integers(0, 2)) == 2:
        keys["selection"] = draw(selections(len(symbols), sound=sound))
    if scheme == "fixed":
        weighting["normalise"] = True
        for entry in entries:
            entry["weight"] = draw(st.sampled_from((1.0, 0.3, 2.0, 0.0 if not sound else 0.1)))
        if not any(entry["weight"] for entry in entries):
            entries[0]["weight"] = 1.0
    elif scheme == "rank":
        raw = np.sort(_walk(draw(st.integers(0, 99)), keys["selection"]["top"], 0.4))[::-1]
        weighting["weights"] = (raw / raw.sum()).tolist()
    elif scheme == "inverse_volatility":
        weighting["lookback"] = draw(st.integers(2, 20))
    elif scheme == "score":
        weighting["column"] = "points"
    if not sound and draw(st.booleans()):
        most = min(len(symbols), keys.get("selection", {}).get("top", len(symbols)))
        weighting["caps"] = draw(caps(most))
    return keys


@st.composite
def caps(draw: st.DrawFn, count: int) -> dict[str, float]:
    """Draw caps that the constituents can mostly meet."""
    found = {}
    slack = st.floats(1.0, 2.5)
    if draw(st.booleans()):
        found["constituent"] = min(1.0, draw(slack) / count)
    if draw(st.booleans()):
        found["segment"] = min(1.0, draw(st.sampled_from((0.34, 0.5, 0.7))))
    return found


@st.composite
def selections(draw: st.DrawFn, count: int, *, sound: bool) -> Row:
    by = ["price", "market_cap", "free_float_cap", "amount_5", "amount_1"]
    found: Row = {"rank_by": draw(st.sampled_from(by if sound else [*by, "points"]))}
    found["top"] = draw(st.integers(1, count))
    if draw(st.booleans()):
        found["enter"] = draw(st.integers(1, found["top"]))
        found["keep"] = found["top"] + draw(st.integers(0, 5))
    return found


@st.composite
def options(draw: st.DrawFn, *, sound: bool) -> Row:
    """Draw variants, tax, seasoning and staleness."""
    keys: Row = {"variants": ["price", "gross", "net"]}
    keys["withholding"] = {"CN": 0.1, "HK": 0.0, "US": 0.3, "view": "non-resident"}
    if not sound and draw(st.integers(0, 5)) == 5:
        keys["withholding"] = draw(st.sampled_from((0.2, {"CN": 0.1}, 0.0)))
    if draw(st.integers(0, 3)) == 3:
        keys["variants"] = draw(st.sampled_from((["net"], ["gross", "price"], ["price"])))
    if not sound and draw(st.integers(0, 3)) == 3:
        keys["eligibility"] = {"seasoning": draw(st.integers(0, 30))}
    if not sound and draw(st.integers(0, 3)) == 3:
        keys["max_stale"] = draw(st.integers(0, 40))
    return keys


@st.composite
def memberships(draw: st.DrawFn, dates: Sequence[date], *, sound: bool) -> dict[str, date]:
    """Draw from and until, on a date of a rebalance or next to it."""
    if sound or draw(st.integers(0, 3)) < 3:
        return {}
    near = st.builds(
        lambda on, shift: on + timedelta(shift), st.sampled_from(dates), st.integers(-1, 1)
    )
    found = {"from": draw(near)} if draw(st.booleans()) else {}
    until = draw(near) + timedelta(20)
    return found | ({"until": until} if until > found.get("from", date.min) else {})
