"""Lines: who continues whom after a change of symbol, and every close of each line in order.

A symbol that takes over another on a date has, from then on, the other's earlier closes and
actions as its own past, unless it traded before that date itself. Then it goes on from the other's
last close all the same, but its past stays its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Days, Rows, Vector
from indexer.errors import Flaw, MarketDataError
from indexer.market.tables import Market

RENAME = "symbol_change"
SPINOFF = "spinoff"


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a panel: a symbol, and the constituent it stands for.

    Attributes
    ----------
    symbol : the symbol of the column
    entry : position of the constituent in the definition; -1 for a line that only joins by a
        spin-off or takes over from such a line
    past : the symbols it takes over from and the date of each change, latest first
    apart : the other symbols whose shares it takes, having a past of its own, and when
    """

    symbol: str
    entry: int
    past: tuple[tuple[str, date], ...] = ()
    apart: tuple[tuple[str, date], ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Its own symbol, then those it takes over from, latest first."""
        return (self.symbol, *(symbol for symbol, _ in self.past))


class Span(NamedTuple):
    """Rows of a symbol that are of a line.

    Those dated before ``until``, and actions also on that date; ``since`` is the date from which
    the line holds what they are of.
    """

    symbol: str
    column: int
    since: date
    until: date


@dataclass(frozen=True, slots=True, eq=False)
class Closes:
    """Every close, by line and date; those of line j are ``first[j]:first[j + 1]``."""

    first: Rows
    date: Days
    close: Vector
    amount: Vector

    def before(self, column: int, day: np.datetime64) -> int:
        """Return the position of a line's last close before a date; -1 where there is none."""
        start, end = self.first[column], self.first[column + 1]
        at = int(np.searchsorted(self.date[start:end], day)) - 1
        return -1 if at < 0 else int(start) + at


def lines_of(market: Market, symbols: Sequence[str], until: date | None) -> list[Line]:
    """Return the lines of some constituents and of all that came to be held in their stead.

    The constituents come first, in their order; then what has taken over from them and what was
    spun off up to a date, in the order of the actions.

    Raises
    ------
    MarketDataError
        If a symbol becomes two on one day, or if a spin-off names a symbol that another line, with
        a price of its own, has yet to take.
    """
    rows = market.actions.filter(
        pl.col("kind").is_in([RENAME, SPINOFF]), pl.col("ex_date") <= (until or date.max)
    ).sort("ex_date", maintain_order=True)
    arrows = [
        (r["symbol"], r["other"], r["kind"], r["ex_date"]) for r in rows.iter_rows(named=True)
    ]
    entry = {symbol: n for n, symbol in enumerate(symbols)}
    reached, before = dict.fromkeys(symbols), 0
    while len(reached) > before:  # as time goes: what comes later changes no order of before
        before = len(reached)
        for old, new, _, _ in arrows:
            if old in reached:
                reached.setdefault(new)
    _check_changes([arrow for arrow in arrows if arrow[0] in reached])
    taken = market.prices.filter(pl.col("symbol").is_in([new for _, new, _, _ in arrows]))
    first = dict(taken.group_by("symbol").agg(pl.col("date").min()).iter_rows())
    for old, new, kind, _ in arrows:
        if kind == RENAME and old in entry:
            entry.setdefault(new, entry[old])
    lines = []
    for symbol in reached:
        past = tuple(_past(symbol, arrows, first))
        into = [(o, day) for o, new, kind, day in arrows if kind == RENAME and new == symbol]
        apart = tuple((o, day) for o, day in into if o in reached and (o, day) not in past)
        lines.append(Line(symbol, entry.get(symbol, -1), past, apart))
    _check_spinoffs(lines, arrows)
    return lines


def without_close(
    symbols: Sequence[str], lines: Sequence[Line], prices: pl.DataFrame
) -> tuple[str, ...]:
    """Return the constituents without a close that counts, under their own symbol or a later one.

    One that takes over from another before its own first close has that one's. What a symbol closes
    at once it has become another counts for nothing.

    Parameters
    ----------
    prices : of all symbols of the lines
    """
    ends = {old: day for line in lines for old, day in (*line.past, *line.apart)}
    first = dict(prices.group_by("symbol").agg(pl.col("date").min()).iter_rows())
    traded = {symbol for symbol, day in first.items() if day < ends.get(symbol, date.max)}
    found: set[str] = set()
    for line in lines:
        if not traded.isdisjoint(line.symbols):
            found |= {line.symbol, *(old for old, _ in (*line.past, *line.apart))}
    return tuple(symbol for symbol in symbols if symbol not in found)


def _check_changes(arrows: Sequence[tuple[str, str, str, date]]) -> None:
    """Raise where a symbol becomes two on one day."""
    became: dict[tuple[str, date], str] = {}
    flaws = [
        Flaw(
            "actions",
            None,
            old,
            f"symbol_change of {day} to {became[old, day]} and to {new}: keep the right one",
        )
        for old, new, kind, day in arrows
        if kind == RENAME and became.setdefault((old, day), new) != new
    ]
    if flaws:
        raise MarketDataError(flaws)


def _check_spinoffs(lines: Sequence[Line], arrows: Sequence[tuple[str, str, str, date]]) -> None:
    """Raise where a spin-off names a symbol before the day on which another line takes it."""
    past = {line.symbol: line.past for line in lines}
    flaws = [
        Flaw(
            "actions",
            None,
            parent,
            f"spinoff of {day} brings {new}, which has no close by then and is what {old} is "
            f"called from {since} on: name {old}, or the symbol the new shares had",
        )
        for parent, new, kind, day in arrows
        if kind == SPINOFF and parent in past
        for old, since in past[new][:1]
        if day < since
    ]
    if flaws:
        raise MarketDataError(flaws)


def _past(
    symbol: str, arrows: Sequence[tuple[str, str, str, date]], first: dict[str, date]
) -> Iterator[tuple[str, date]]:
    """Yield the symbols a symbol takes over from, and when, latest first."""
    found: tuple[str, date] | None = (symbol, date.max)
    while found is not None:
        symbol, known = found
        found = next(
            (
                (old, day)
                for old, new, kind, day in arrows
                if kind == RENAME and new == symbol and day < known
            ),
            None,
        )
        if found is not None and first.get(symbol, date.max) < found[1]:
            return  # it traded before: it has a past of its own
        if found is not None:
            yield found


def spans_of(lines: Sequence[Line]) -> list[Span]:
    """Return whose rows each line is made of: those of its own symbol and of its past ones."""
    own = [Span(line.symbol, j, date.min, date.max) for j, line in enumerate(lines)]
    return own + [
        Span(symbol, j, line.past[0][1], until)
        for j, line in enumerate(lines)
        for symbol, until in line.past
    ]


def closes_of(prices: pl.DataFrame, lines: Sequence[Line], last: date) -> Closes:
    """Return every close of every line up to a date, those of its past symbols included."""
    columns = pl.DataFrame(
        spans_of(lines),
        schema={"symbol": pl.String, "column": pl.Int64, "since": pl.Date, "until": pl.Date},
        orient="row",
    )
    rows = (
        prices.select("symbol", "date", "close", "amount")
        .filter(pl.col("date") <= last)
        .join(columns, on="symbol")
        .filter(pl.col("date") < pl.col("until"))
        .sort("column", "date")
    )
    column = rows["column"].to_numpy()
    return Closes(
        first=np.searchsorted(column, np.arange(len(lines) + 1)),
        date=rows["date"].to_numpy().astype("datetime64[D]"),
        close=rows["close"].to_numpy().astype(float),
        amount=rows["amount"].to_numpy().astype(float),
    )
