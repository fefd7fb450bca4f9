"""Hypothesis strategies of market folders: closes, actions, share counts, securities and rates.

What shrinks is the structure: sessions, constituents, gaps, actions. Closes follow from one drawn
number a symbol, of which zero means that they never move. Strategies are of places in lists, so
that one made for lists of a length serves all of them: making one takes longer than drawing.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from indexer.definitions.symbols import exchange_of
from indexer.market.calendar import read_calendar
from tests.index.examples import Row, Tables

RESTATING = ("dividend", "special_dividend", "split", "bonus", "rights")
MOVING = ("delisting", "merger", "spinoff", "symbol_change")
CURRENCY = {"SH": "CNY", "SZ": "CNY", "BJ": "CNY", "HK": "HKD", "US": "USD"}
LIMIT = {"6000": "0.1", "6880": "0.2", "0000": "0.1", "3000": "0.2", "9200": "0.3"}


@lru_cache
def open_days(code: str) -> list[date]:
    """Return the sessions of a calendar that markets are laid out on."""
    days: list[date] = read_calendar(code).sessions.tolist()
    return [day for day in days if day.year >= 2019]


@dataclass(frozen=True)
class Layout:
    """What a market is drawn around.

    Attributes
    ----------
    code : calendar of the index
    start, base, end : first close, base date and last close
    currency : of the index
    dates : base, effective and reference dates, on which most of what can go wrong does
    symbols : constituents; others : symbols that actions may lead to
    sound : nothing in it may be refused
    zeros : figures that weights follow may be zero
    ranked : constituents are selected by rank
    """

    code: str
    start: date
    base: date
    end: date
    currency: str
    dates: Sequence[date]
    symbols: Sequence[str]
    others: Sequence[str]
    sound: bool = False
    zeros: bool = False
    ranked: bool = False

    @property
    def length(self) -> int:
        """Return the number of dates of the span, sessions or not."""
        return (self.end - self.start).days + 1

    def at(self, place: tuple[int, ...]) -> date:
        """Return a date of the span, or one on which the basket may change, or its neighbour."""
        if len(place) == 1:
            return self.start + timedelta(place[0])
        return self.dates[place[0]] + timedelta(place[1])


@lru_cache
def _places(days: int, dates: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Return a strategy of what `Layout.at` takes."""
    anywhere: st.SearchStrategy[tuple[int, ...]] = st.tuples(st.integers(0, days - 1))
    return anywhere | st.tuples(st.integers(0, dates - 1), st.integers(-1, 1))


def turning(draw: st.DrawFn, layout: Layout) -> date:
    """Draw a date on which the basket may change, or its neighbour."""
    return layout.at((draw(st.integers(0, len(layout.dates) - 1)), draw(st.integers(-1, 1))))


def one_of(draw: st.DrawFn, items: Sequence[Any]) -> Any:
    """Draw an item."""
    return items[draw(st.integers(0, len(items) - 1))]


def seldom(draw: st.DrawFn, one_in: int) -> bool:
    """Draw True once in so many times."""
    return draw(st.integers(0, one_in - 1)) == one_in - 1


@st.composite
def markets(draw: st.DrawFn, layout: Layout, kinds: Sequence[str]) -> Tables:
    """Draw the tables of a market folder."""
    every = [*layout.symbols, *layout.others]
    securities = _securities(draw, layout, every)
    prices = [row for symbol in every for row in _closes(draw, layout, symbol)]
    actions = [row for s in every for row in _actions(draw, layout, s, prices, kinds)]
    first = {row["symbol"]: row["date"] for row in reversed(prices)}
    actions = [row for row in actions if not _pointless(layout, row, first)]
    followed = _followed(layout, actions, prices, securities)
    actions = [r for r in actions if r["kind"] != "symbol_change" or r["symbol"] in followed]
    _spare(actions, followed)
    # What takes over has no closes of its own before; unless it is listed, it is known by the
    # figures of the line that it continues.
    begins = {row["other"]: row["ex_date"] for row in followed.values()}
    actions = [r for r in actions if not _early(r, begins)]
    actions = [r for r in actions if not _circular(r, actions)]
    for row in securities:
        if row["symbol"] in begins and row["symbol"] in layout.others:
            row.pop("points", None)
            row.pop("segment", None)
    counted = [s for s in every if s not in begins or s in layout.symbols]
    return {
        "prices": [r for r in prices if r["date"] >= begins.get(r["symbol"], layout.start)],
        "actions": actions,
        "securities": securities,
        "shares": [r for s in counted for r in _share_counts(draw, layout, s, late=not begins)],
        "fx": _rates(draw, layout, securities),
    }


@st.composite
def constituents(draw: st.DrawFn, count: int) -> list[str]:
    """Draw symbols of all exchanges and boards, not in alphabetical order."""
    boards = ("S", "6000", "0000", "000", "6880", "3000", "9200")
    found = []
    for n in range(count):
        board = draw(st.sampled_from(boards))
        suffix = {"S": "US", "6": "SH", "9": "BJ", "0": "SZ", "3": "SZ"}[board[0]]
        found.append(f"{board}{(7 * n + 5) % 41:02}.{'HK' if board == '000' else suffix}")
    return found


# --- prices -----------------------------------------------------------------------------------


def _closes(draw: st.DrawFn, layout: Layout, symbol: str) -> list[Row]:
    """Draw closes on the symbol's own sessions but for gaps, and a few on no session at all."""
    every = open_days(exchange_of(symbol))
    own = every[bisect_left(every, layout.start) : bisect_right(every, layout.end)]
    late = draw(st.integers(0, 30)) if not layout.sound and seldom(draw, 8) else 0
    early = draw(st.integers(0, 30)) if not layout.sound and seldom(draw, 8) else 0
    own = own[late : max(late + 1, len(own) - early)]
    days = set(own)
    for begin, length in draw(_gaps(len(own))) if own else ():
        days -= set(own[begin : min(begin + length, len(own) - 1)])
    days |= {layout.start + timedelta(shift) for shift in draw(_spots(201))}
    days |= {layout.start} if layout.sound else set()
    kept = sorted(day for day in days if day <= layout.end) or [layout.start]
    walk = walked(draw(st.integers(int(layout.sound), 2**16)), len(kept), 0.03)
    start = draw(st.sampled_from((10.0, 7.77, 123.45, 1000.0)))
    money = draw(st.integers(1, 9)) * 1e6
    rows = [
        {
            "symbol": symbol,
            "date": day,
            "close": float(max(round(start * move, 2), 5.0)),
            "amount": float(round(money * move, 2)),
        }
        for day, move in zip(kept, walk, strict=True)
    ]
    if symbol[:4] in LIMIT and not symbol.endswith(".HK"):
        moves = {layout.dates[n]: way for n, way in draw(_limits(len(layout.dates)))}
        _put_at_limit(rows, Decimal(LIMIT[symbol[:4]]), moves)
    return rows


@lru_cache
def _gaps(sessions: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    gaps = st.tuples(st.integers(1, sessions), st.integers(1, 40) | st.integers(1, 3))
    return st.lists(gaps, max_size=3)


@lru_cache
def _spots(days: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, days - 1), max_size=2)


@lru_cache
def _limits(dates: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    return st.lists(st.tuples(st.integers(0, dates - 1), st.sampled_from((1, -1))), max_size=2)


def _put_at_limit(rows: Sequence[Row], limit: Decimal, moves: dict[date, int]) -> None:
    """Let closes of some dates stand at the price limit of their board."""
    for before, row in itertools.pairwise(rows):
        if row["date"] in moves:
            bound = Decimal(str(before["close"])) * (1 + moves[row["date"]] * limit)
            row["close"] = float(bound.quantize(Decimal("0.01"), ROUND_HALF_UP))


def walked(seed: int, length: int, deviation: float) -> list[float]:
    """Return a path that begins at one; seed zero stays there."""
    if seed == 0:
        return [1.0] * length
    steps = np.random.default_rng(seed).normal(0, deviation, length)
    path: list[float] = np.exp(np.cumsum(steps) - steps[:1]).tolist()
    return path


# --- actions ----------------------------------------------------------------------------------


def _actions(
    draw: st.DrawFn, layout: Layout, symbol: str, prices: Sequence[Row], kinds: Sequence[str]
) -> list[Row]:
    """Draw the actions of one symbol, several on one day among them.

    Together they never pay out a whole price, which would be an error.
    """
    own = [row["close"] for row in prices if row["symbol"] == symbol] or [10.0]
    restating = tuple(kind for kind in kinds if kind in RESTATING)
    moving = tuple(kind for kind in kinds if kind in MOVING)
    sizes = layout.length, len(layout.dates)
    drawn = draw(_groups(*sizes, restating)) if restating else []
    groups = [(layout.at(place), group) for place, group in drawn]
    rows = [_restating(draw, symbol, on, kind, own) for on, group in groups for kind in group]
    dilution = float(np.prod([1.0 + row.get("ratio", 0.0) for row in rows]))
    room = 0.8 * min(own) / dilution / max(len(rows), 1)
    for row in rows:
        if "cash" in row:
            row["cash"] = max(round(row["cash"] * room, 4), 0.0001)
    others = [other for other in (*layout.others, *layout.symbols) if other != symbol]
    if moving and others and seldom(draw, 6):
        on = one_of(draw, groups)[0] if groups else layout.at(draw(_places(*sizes)))
        for kind in draw(_moves(moving)):
            move = {"symbol": symbol, "ex_date": on, "kind": kind} | _moving(draw, kind, others)
            rows.insert(draw(st.integers(0, len(rows))), move)
    return rows


@lru_cache
def _groups(
    days: int, dates: int, kinds: tuple[str, ...]
) -> st.SearchStrategy[list[tuple[tuple[int, ...], list[str]]]]:
    """Return a strategy of what is paid and issued, by place in the span."""
    together = st.lists(st.sampled_from(kinds), min_size=1, max_size=3)
    return st.lists(st.tuples(_places(days, dates), together), max_size=3)


def _pointless(layout: Layout, row: Row, first: dict[str, date]) -> bool:
    """Tell whether an action asks what nobody has answered.

    Whether a line of weight zero is a member that others merge into; whose turnover it is that a
    constituent is ranked by which continues another; what money means to shares without a price.
    """
    if row["kind"] in ("dividend", "special_dividend", "rights"):
        return bool(row["ex_date"] <= first[row["symbol"]])
    renamed = row["kind"] == "symbol_change" and row["other"] in layout.symbols
    return (layout.zeros and row["kind"] == "merger") or (layout.ranked and renamed)


def _followed(
    layout: Layout, actions: Sequence[Row], prices: Sequence[Row], securities: Sequence[Row]
) -> dict[str, Row]:
    """Return the changes of symbol that make sense, by the old one.

    Into a symbol in the same money that has closes from then on and takes part in no other change.
    """
    last = {row["symbol"]: row["date"] for row in prices}
    money = {row["symbol"]: row.get("currency") or CURRENCY[row["symbol"].rpartition(".")[2]]
             for row in securities}  # fmt: skip
    found: dict[str, Row] = {}
    taken: set[str] = set()
    for row in actions:
        if row["kind"] == "symbol_change":
            old, new = row["symbol"], row["other"]
            if money[old] == money[new] and last[new] >= row["ex_date"] and not {old, new} & taken:
                found[old] = row
                taken |= {old, new}
    return found


def _early(row: Row, begins: dict[str, date]) -> bool:
    """Tell whether a spin-off names a symbol that another line has yet to take: refused."""
    return row["kind"] == "spinoff" and bool(row["ex_date"] < begins.get(row["other"], date.min))


def _circular(row: Row, actions: Sequence[Row]) -> bool:
    """Tell whether spin-offs of one day lead from a line to itself through others: refused."""
    if row["kind"] != "spinoff":
        return False
    of_day = [r for r in actions if r["ex_date"] == row["ex_date"]]
    name = {r["symbol"]: r["other"] for r in of_day if r["kind"] == "symbol_change"}
    steps = [_carriers(r, name) for r in of_day if r["kind"] == "spinoff"]
    giver, other = _carriers(row, name)
    reached = {other} - {giver}
    while more := {new for old, new in steps if old in reached and new != old} - reached:
        reached |= more
    return giver in reached


def _carriers(row: Row, name: dict[str, str]) -> tuple[str, str]:
    """Return the symbols, that day, of the line that gives and of the other one."""
    giver, other = (name.get(row[of], row[of]) for of in ("symbol", "other"))
    return giver, other if other != giver else row["other"]


def _spare(actions: Sequence[Row], followed: dict[str, Row]) -> None:
    """Let a line that goes on at other prices pay out a hundredth, lest it pay out all of them."""
    linked = {*followed, *(row["other"] for row in followed.values())}
    for row in actions:
        if row["symbol"] in linked and row["kind"] in ("dividend", "special_dividend"):
            row["cash"] = max(round(row["cash"] / 100, 6), 1e-6)


def _restating(draw: st.DrawFn, symbol: str, day: date, kind: str, own: Sequence[float]) -> Row:
    row: Row = {"symbol": symbol, "ex_date": day, "kind": kind}
    if kind in ("dividend", "special_dividend"):
        row["cash"] = draw(st.sampled_from((1.0, 0.5, 0.01)))  # parts of what there is room for
    elif kind == "split":
        row["ratio"] = draw(st.sampled_from((2.0, 0.1, 1.5, 3.0)))
    elif kind == "bonus":
        row["ratio"] = draw(st.sampled_from((0.4, 1.0, 0.05)))
    else:
        row["ratio"] = draw(st.sampled_from((0.3, 0.5, 1.0)))
        part = draw(st.sampled_from((0.5, 0.8, 1.0, 1.3)))
        row["price"] = round(part * one_of(draw, own), 2)
    return row


@lru_cache
def _moves(kinds: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """Return a strategy of what happens to a line on one day; it leaves in one way at most."""
    several = st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True)
    return several.filter(lambda moves: set(moves) != {"delisting", "merger"})


def _moving(draw: st.DrawFn, kind: str, others: Sequence[str]) -> Row:
    other, ratio = one_of(draw, others), draw(st.sampled_from((1.0, 0.5, 3.0)))
    if kind == "delisting":
        return {"price": draw(st.sampled_from((None, 8.88, 0.0)))}
    if kind == "symbol_change":
        return {"other": other}
    if kind == "spinoff":
        return {"other": other, "ratio": ratio}
    cash = draw(st.sampled_from((None, 3.5)))
    stock = {"other": other, "ratio": ratio} if cash is None or draw(st.booleans()) else {}
    return {"cash": cash} | stock


# --- facts ------------------------------------------------------------------------------------


def _securities(draw: st.DrawFn, layout: Layout, every: Sequence[str]) -> list[Row]:
    """Draw facts of the symbols; now and then one is adjusted or lacks a figure."""
    adjusted = not layout.sound and seldom(draw, 12)
    rows = []
    for symbol in every:
        row: Row = {"symbol": symbol, "segment": draw(st.sampled_from(("x", "y", "z")))}
        points = (1, 2.5, 10, 0) if layout.zeros else (1, 2.5, 10)
        row["points"] = draw(st.sampled_from(points))
        if seldom(draw, 4):
            row["list_date"] = layout.base + timedelta(draw(st.integers(-400, 10)))
        if symbol in layout.symbols and seldom(draw, 10):
            row["country"] = draw(st.sampled_from(("CN", "HK")))
        if seldom(draw, 10):
            row["currency"] = draw(st.sampled_from(("CNY", "USD")))
        if adjusted and symbol in layout.symbols and draw(st.booleans()):
            row["price_kind"] = "total_return_adjusted"
        if not layout.sound and seldom(draw, 60):
            del row[draw(st.sampled_from(("points", "segment")))]
        rows.append(row)
    return rows


def _share_counts(draw: st.DrawFn, layout: Layout, symbol: str, *, late: bool) -> list[Row]:
    """Draw the rows of the shares table of one symbol; now and then it begins late, if it may."""
    late = late and not layout.sound and seldom(draw, 40)
    free = (None, 1.0, 0.1, 0.2, 0.15, 0.438, 0.8, 0.82, 0.05)
    free = (*free, 0.0) if layout.zeros else free
    rows = {}
    days = [layout.start + timedelta(n) for n in draw(_spots(layout.length))]
    for day in [layout.end if late else layout.start - timedelta(30), *days]:
        total, part = draw(st.integers(1, 50)) * 1000.0, draw(st.sampled_from(free))
        row = {"symbol": symbol, "date": day, "total_shares": total}
        rows[day] = row | {"free_float_shares": None if part is None else total * part}
    return list(rows.values())


def _rates(draw: st.DrawFn, layout: Layout, securities: Sequence[Row]) -> list[Row]:
    """Draw a rate for every listing currency, one way round or the other, with holes."""
    listing = {row.get("currency") or CURRENCY[row["symbol"].rpartition(".")[2]]
               for row in securities}  # fmt: skip
    rows = []
    late = not (layout.sound or layout.ranked)  # who is not chosen may need no rate
    for other in sorted(listing - {layout.currency}):
        base, quote = draw(st.permutations((other, layout.currency)))
        begin = draw(st.integers(0, 60)) if late and seldom(draw, 10) else 0
        step = draw(st.sampled_from((1, 3, 10)))
        spots = range(begin, layout.length, step)
        days = [layout.start + timedelta(n) for n in spots] or [layout.end]
        first = draw(st.sampled_from((1.0, 7.1, 0.128)))
        walk = walked(draw(st.integers(0, 99)), len(days), 0.01)
        rows += [
            {"date": day, "base": base, "quote": quote, "rate": float(round(first * move, 5))}
            for day, move in zip(days, walk, strict=True)
        ]
    return rows
