"""From a definition and a market folder to an index: calendar, panel, dates, then the levels."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import compress
from typing import cast

import numpy as np
import polars as pl

from indexer.arrays import Days, Vector
from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.rules import REAL_SHARES
from indexer.definitions.symbols import exchange_of
from indexer.errors import DefinitionError, Flaw, MarketDataError, MissingInputError, short
from indexer.index.calculate import calculate
from indexer.index.caveats import (
    adjusted_caveat,
    calendar_caveat,
    exchange_caveats,
    issuer_caveat,
    missing_caveat,
    never_caveat,
    off_calendar_caveat,
    renamed_caveats,
    untraded_caveat,
)
from indexer.index.history import History
from indexer.index.schedule import RebalanceDates, calendar_of, effective_dates
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.events import in_order
from indexer.market.inputs import Used, inputs_of
from indexer.market.lines import RENAME, SPINOFF, Line, lines_of, without_close
from indexer.market.panel import Panel, panel_of
from indexer.market.tables import Market


def build(
    definition: Index, market: Market, *, until: date | None = None, strict: bool = False
) -> History:
    """Return the history of an index up to ``until`` (inclusive), or to its latest close.

    Pure: reads no file, clock or network but the bundled calendars. A rebalance is given only
    the panel up to its reference date.

    Parameters
    ----------
    strict : treat constituents without any close as an error instead of leaving them out

    Raises
    ------
    TypeError
        If the definition is none of an index, or ``until`` no date.
    DefinitionError
        If the calendar is none, the base date no session of it, a cap cannot be met or needs
        segments that nobody names, two weighted constituents have become one, or a tax rate is
        missing; of a series if it has no close on its base date, or another currency.
    MissingInputError
        If there is no close to begin with, nothing that can be held or is left, no rate of a
        currency, no share count a scheme needs, or the calendar ends before the data.
    MarketDataError
        If a price is carried for longer than the definition allows, a scheme that counts shares is
        given adjusted prices, a score is no number, an action is impossible, two changes of one
        symbol fall on one day, or a level would be zero, below it, or too large to be a number.
    """
    if until is not None and type(until) is not date:
        raise TypeError(f"until is {until!r}: give a datetime.date")
    if isinstance(definition, Series):
        return series_history(definition, market, until)
    if not isinstance(definition, Basket):
        raise TypeError(f"{short(definition)} is no index: give what read_basket returns")
    return basket_history(definition, market, until, strict=strict)


def series_history(series: Series, market: Market, until: date | None) -> History:
    """Return a ready-made series as an index, rebased where it says so; raises as `build` does."""
    rows = _series_rows(series, market, until)
    days = rows["date"].to_numpy().astype("datetime64[D]")
    level = rows["close"].to_numpy().astype(float)
    if series.base is not None:
        if days[0] != np.datetime64(series.base.date):
            message = f"no close on {series.base.date}, the first one after it is on {days[0]}"
            raise DefinitionError([series.problem(("base", "date"), message)])
        level = _rebased(series, series.base.level, days, level)
    unknown = np.full(len(days), np.nan)
    off = rows.filter(~pl.col("date").is_in(pl.Series(calendar_of(series).sessions).implode()))
    inputs = inputs_of(market, Used({series.symbol: date.min}))
    return History(
        definition=series,
        synthetic=market.manifest.synthetic,
        days=days,
        variants={"price": level},
        divisor=unknown,
        market_value=unknown,
        carried=np.zeros(len(days), dtype=np.int64),
        off_calendar=len(off),
        market_digest=inputs.digest(days[-1].item()),
        inputs=inputs,
        warnings=tuple(off_calendar_caveat(off)),
    )


def _rebased(series: Series, base: float, days: Days, close: Vector) -> Vector:
    """Return closes brought to the level of the base date; raises where that is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        level: Vector = close / close[0] * base  # in this order the first one is it exactly
    wrong = ~(np.isfinite(level) & (level > 0.0))
    if wrong.any():
        message = f"the level of {days[wrong][0]} is no number above zero: its close is too far off"
        raise MarketDataError([Flaw(series.id, None, series.symbol, message)])
    return level


def _series_rows(series: Series, market: Market, until: date | None) -> pl.DataFrame:
    """Return the closes of a series that count, by date; raises where there is none."""
    every = market.series.filter(pl.col("symbol") == series.symbol).sort("date")
    known = every if until is None else every.filter(pl.col("date") <= until)
    rows = known if series.base is None else known.filter(pl.col("date") >= series.base.date)
    if rows.is_empty():
        message = "no close in the folder"
        if not every.is_empty():
            bounds = [] if until is None else [f"up to {until}"]
            if series.base is not None and not known.is_empty():
                bounds.insert(0, f"from its base date {series.base.date} on")
            there = f"the folder has those from {_oldest(every)} to {_latest(every)}"
            message = f"no close {', '.join(bounds)}: {there}"
        raise MissingInputError([Flaw("series", None, series.symbol, message)])
    others = sorted({*rows["currency"].drop_nulls().unique()} - {series.currency})
    if others:
        message = (
            f"{series.currency}, but the series table has {series.symbol} in "
            f"{' and '.join(others)}: make them agree, a series is not converted"
        )
        raise DefinitionError([series.problem(("currency",), message)])
    return rows


def basket_history(basket: Basket, market: Market, until: date | None, *, strict: bool) -> History:
    """Return the history of a basket; raises as `build` does."""
    calendar = calendar_of(basket)
    # As the panel will have them: who takes over from whom on one day depends on it.
    market = replace(market, actions=in_order(market.actions))
    lines = lines_of(market, basket.symbols, until)
    _check_segments(basket, market, lines)
    names = [line.symbol for line in lines if line.entry >= 0]
    rows = market.prices.filter(pl.col("symbol").is_in([s for line in lines for s in line.symbols]))
    closes = rows.filter(pl.col("symbol").is_in(names))
    missing = without_close(basket.symbols, lines, rows)
    none = market.prices.is_empty() and market.manifest.oldest is None  # else an excerpt
    _check_closes(basket, missing, closes, strict=strict, none=none)
    latest = market.manifest.ends.get(basket.id, _latest(closes))
    end = latest if until is None else min(until, latest)
    last = _last_session(calendar, closes, end)
    check_end(basket, last, until if end == until else None)
    # Also of lines that come by a spin-off: the age of a carried close is counted in sessions.
    ever = rows.filter(pl.col("symbol").is_in([line.symbol for line in lines]))
    begin = min(_oldest(ever), basket.base.date)
    row = int(np.searchsorted(calendar.sessions, np.datetime64(begin), side="right")) - 1
    sessions = calendar.between(
        calendar.sessions[max(0, row - basket.rebalance.reference_lag)].item(), last
    )
    panel = basket_panel(basket, market, sessions, missing)
    _check_adjusted(basket, panel)
    dates = rebalance_dates(basket, panel, calendar, oldest_of(market))
    off = _off_calendar(closes.filter(pl.col("date") <= last))
    reference = panel.sessions[dates[0].reference].item()
    inputs = inputs_of(market, _used(basket, market, panel, reference))
    history = calculate(basket, panel, dates)
    return replace(
        history,
        synthetic=market.manifest.synthetic,
        missing=missing,
        off_calendar=len(off),
        market_digest=inputs.digest(last),
        inputs=inputs,
        warnings=(
            *never_caveat(basket.rebalance),
            *missing_caveat(missing),
            *issuer_caveat(basket.constituents, market.securities),
            *exchange_caveats(panel),
            *renamed_caveats(panel.lines, market, last),
            *adjusted_caveat(panel),
            *untraded_caveat(panel, history.shares),
            *off_calendar_caveat(off),
            *calendar_caveat(calendar, last),
        ),
    )


def _last_session(calendar: Calendar, closes: pl.DataFrame, day: date) -> date:
    """Return the last session on or before a date; raises, with whose it is, beyond a calendar."""
    try:
        return calendar.on_or_before(day)
    except MissingInputError as error:
        symbols = closes.filter(pl.col("date") == day)["symbol"].cast(pl.String).sort()
        message = f"has a close of {day}: take it out of prices if that is no day of trade"
        asked = [Flaw("prices", None, symbol, message) for symbol in symbols.head(1)]
        raise MissingInputError([*asked, *error.flaws]) from error


def check_end(basket: Basket, last: date, until: date | None) -> None:
    """Check that the last session, asked for or that of the data, is not before the base date.

    Raises
    ------
    MissingInputError
        If it is.
    """
    if last >= basket.base.date:
        return
    before = f"before the base date {basket.base.date}"
    if until is not None:
        message = f"is asked for until {until}, {before}"
        raise MissingInputError([Flaw(basket.id, None, "", message)])
    message = f"ends on {last}, {before} of {basket.id}"
    raise MissingInputError([Flaw("prices", None, "", message)])


def _check_segments(basket: Basket, market: Market, lines: Sequence[Line]) -> None:
    """Raise where a segment cap is set and a constituent has no segment, held or not."""
    if basket.weighting.caps.segment is None:
        return
    table = dict(market.securities.select("symbol", "segment").iter_rows())
    named = {line.entry: line.symbols for line in lines}  # by any of its names
    message = "has no segment here or in the securities table, which the segment cap needs"
    lacking = [
        basket.problem(("constituents", n, "segment"), f"{c.symbol} {message}")
        for n, c in enumerate(basket.constituents)
        if not (c.segment or any(table.get(name) for name in named.get(n, (c.symbol,))))
    ]
    if lacking:
        raise DefinitionError(lacking)


def _check_closes(
    basket: Basket, missing: tuple[str, ...], closes: pl.DataFrame, *, strict: bool, none: bool
) -> None:
    if closes.is_empty():
        message = f"no close of any of the {len(basket.symbols)} constituents of {basket.id}"
        message += ": neither prices.csv nor prices.parquet has a row" if none else ""
        raise MissingInputError([Flaw("prices", None, "", message)])
    if strict and missing:
        message = f"no close in the folder, and {basket.id} is built strictly"
        raise MissingInputError([Flaw("prices", None, symbol, message) for symbol in missing])


def _check_adjusted(basket: Basket, panel: Panel) -> None:
    if basket.weighting.scheme in REAL_SHARES and panel.adjusted.any():
        message = f"adjusted prices cannot be weighted by {basket.weighting.scheme}: give raw ones"
        adjusted = compress(panel.symbols, panel.adjusted)
        raise MarketDataError([Flaw("prices", None, symbol, message) for symbol in adjusted])


def basket_panel(basket: Basket, market: Market, sessions: Days, missing: Collection[str]) -> Panel:
    """Return the panel of the constituents that have any close at all."""
    constituents = [c for c in basket.constituents if c.symbol not in missing]
    return panel_of(
        market,
        [c.symbol for c in constituents],
        sessions,
        basket.currency,
        [c.segment or "" for c in constituents],
    )


def rebalance_dates(
    basket: Basket, panel: Panel, calendar: Calendar, oldest: date
) -> list[RebalanceDates]:
    """Return the first basket's dates and those of every rebalance up to the last session.

    ``oldest`` is the date of the first close in the folder, see `oldest_of`.
    """
    last = panel.sessions[-1].item()
    rows = []
    for effective in (
        basket.base.date,
        *effective_dates(basket.rebalance, calendar, basket.base.date, last),
    ):
        row = int(np.searchsorted(panel.sessions, np.datetime64(effective)))
        reference = max(0, row - basket.rebalance.reference_lag)
        if effective == basket.base.date and panel.sessions[reference].item() < oldest:
            reference = row
        rows.append(RebalanceDates(reference, row, calendar.after(effective)))
    return rows


def oldest_of(market: Market) -> date:
    """Return the date of the first close in a folder, also where not all of it is at hand."""
    return market.manifest.oldest or _oldest(market.prices)


def _used(basket: Basket, market: Market, panel: Panel, reference: date) -> Used:
    """Return what of a market the levels of a basket rest on.

    That the folder reaches back to the first reference date counts, where it is not the base date.
    """
    columns = {basket.weighting.column, basket.selection and basket.selection.rank_by}
    return Used(
        symbols=dict(_counting(basket, market, panel)),
        currencies={basket.currency, *panel.currencies},
        scores={name for name in columns if name in market.securities.columns},
        amounts=basket.selection is not None and basket.selection.rank_by.startswith("amount_"),
        sessions={basket.id: panel.sessions},
        oldest={basket.id: reference} if reference < basket.base.date else {},
    )


def _counting(basket: Basket, market: Market, panel: Panel) -> Iterator[tuple[str, date]]:
    """Yield every symbol of an index, and the day from which its rows matter."""
    since = dict.fromkeys(basket.symbols, date.min)
    brought = market.actions.filter(pl.col("kind").is_in([RENAME, SPINOFF])).sort("ex_date")
    arrows = brought.select("symbol", "other", "ex_date").rows()
    while new := {o: max(d, since[s]) for s, o, d in arrows if s in since and o not in since}:
        since |= new
    for line in panel.lines:
        yield line.symbol, since[line.symbol]
        for past, day in line.past:
            if past not in panel.symbols:
                yield past, max(day, since[line.symbol])
    yield from ((symbol, date.min) for symbol in basket.symbols)


def _oldest(rows: pl.DataFrame) -> date:
    return cast("date", rows["date"].min())


def _latest(rows: pl.DataFrame) -> date:
    return cast("date", rows["date"].max())


def _off_calendar(closes: pl.DataFrame) -> pl.DataFrame:
    """Return the closes dated on no session of their own exchange."""
    symbols = closes["symbol"].unique().to_list()
    exchange = {symbol: exchange_of(symbol) for symbol in symbols}
    off = pl.lit(value=False)
    for code in sorted(set(exchange.values())):
        sessions = pl.Series(read_calendar(code).sessions).implode()
        own = pl.col("symbol").is_in([s for s in symbols if exchange[s] == code])
        off |= own & ~pl.col("date").is_in(sessions)
    return closes.filter(off)
