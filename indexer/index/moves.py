"""Gates of what moved: beyond belief (R16), not at all (R17), or not on one exchange (R18)."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl

from indexer.arrays import Days, Flags, Rows, Vector, log
from indexer.errors import counted
from indexer.index.finding import Asked, Finding, Fresh
from indexer.index.holding import ex_reference
from indexer.market.conventions.gates import GateLimits
from indexer.market.conventions.limits import (
    limit_prices,
    narrowest_limit,
    price_limit,
)
from indexer.market.conventions.ticks import tick_size
from indexer.market.fx import rates_on
from indexer.market.lines import Line
from indexer.market.tables import Market

Values = Vector | float

_ROUNDING = 1e-9  # of a log return: a constant level moves this little by rounding alone


def index_moves(levels: Vector, days: Days, rows: Rows, limits: GateLimits) -> Iterator[Finding]:
    """Yield the sessions on which an index moved beyond belief.

    Parameters
    ----------
    levels, days : (T,)
    rows : sessions that are judged, ascending

    Notes
    -----
    ``|r| > deviations s``, s the sample deviation (ddof 1) of the last ``returns`` daily log
    returns before it, or of as many as there are, from ``returns_minimum`` on. With fewer s would
    be off by more than a tenth, and so would the bound: the constituents' own limits have to do.
    """
    rows = rows[rows > limits.returns_minimum]
    if not rows.size:
        return
    first = max(0, int(rows[0]) - 1 - limits.returns)
    with np.errstate(invalid="ignore"):  # a broken level is R34's to tell
        returns = np.diff(log(levels[first : int(rows[-1]) + 1]))
    ends = rows - 1 - first
    count = np.minimum(rows - 1, limits.returns)
    bound = limits.deviations * _deviations(returns, ends, count)
    move = returns[ends]
    for n in np.flatnonzero(np.abs(move) > bound + _ROUNDING).tolist():
        day, was = days[rows[n]].item(), days[rows[n] - 1]
        message = (
            f"level {levels[rows[n]]:.6f} on {day} after {levels[rows[n] - 1]:.6f} on {was}: a log "
            f"return of {move[n]:+.4%}, beyond {limits.deviations:g} deviations "
            f"(±{bound[n]:.4%}) of the {count[n]} before it: check the closes and rates that moved "
            f"it; publish with a recorded override if they are right"
        )
        yield Finding(day, "R16", message, "refuse")


def _deviations(returns: Vector, ends: Rows, count: Rows) -> Vector:
    """Return the sample deviation of so many returns before each position."""
    found = np.empty(len(ends))
    full = count == count.max()
    windows = np.lib.stride_tricks.sliding_window_view(returns, int(count.max()))
    found[full] = windows[ends[full] - count.max()].std(axis=1, ddof=1)
    for n in np.flatnonzero(~full).tolist():
        found[n] = returns[ends[n] - count[n] : ends[n]].std(ddof=1)
    return found


def constituent_moves(asked: Asked, fresh: Fresh) -> Iterator[Finding]:
    """Yield closes beyond what their board allows, counted from the ex-reference price.

    A board without limit has a bound of ours, wide enough for a market and too narrow for a
    split nobody recorded or a close in another unit.
    """
    closes = asked.panel.closes
    for n in np.flatnonzero(_doubtful(asked, fresh)).tolist():
        at, column = int(fresh.at[n]), int(fresh.column[n])
        day, close = closes.date[at], float(closes.close[at])
        if _newly_listed(asked, column, day):
            continue
        reference = ex_reference(asked.panel, column, int(fresh.before[n]), day)
        bounds, why = _bounds(asked, column, day.item(), reference)
        if bounds[0] <= Fraction(repr(close)) <= bounds[1]:
            continue
        low, high = (f"{float(bound):.6g}" for bound in bounds)
        message = (
            f"{asked.symbol(column)} closed at {close!r} on {day}, outside {low} to {high} ({why} "
            f"from the ex-reference price {float(reference):.6g} of {closes.date[fresh.before[n]]}"
            f"{_gap(asked, column, (closes.date[fresh.before[n]], day))}): "
            f"check its unit and its actions; publish with a recorded override if it is right"
        )
        yield Finding(asked.day(int(fresh.k[n])), "R16", message, "refuse")


def rate_moves(asked: Asked, market: Market) -> Iterator[Finding]:
    """Yield the sessions that held lines are converted on at a rate beyond belief.

    It is counted from the rate of the session before. No currency has a limit: the bound is that
    of a board without one, wide enough for any market and too narrow for a pair the wrong way
    round or a decimal point in the wrong place.
    """
    panel, jump = asked.panel, asked.limits.jump
    units = np.array(panel.currencies)
    sessions_before = panel.sessions[np.maximum(asked.at - 1, 0)]
    for unit in sorted(set(panel.currencies) - {panel.currency}):
        held = np.flatnonzero(asked.held[:, units == unit].any(axis=1))
        rate, before = (
            rates_on(market, unit, panel.currency, days[held])
            for days in (asked.days, sessions_before)
        )
        for n in np.flatnonzero((rate > before * jump) | (rate < before / jump)).tolist():
            day = asked.day(held[n])
            message = (
                f"{unit}/{panel.currency} of {rate[n]:.6g} on {day} after {before[n]:.6g} on "
                f"{sessions_before[held[n]]}, more than a factor of {jump:g}: check which way "
                f"round it is, and its decimal point; publish with a recorded override if it is "
                f"right"
            )
            yield Finding(day, "R16", message, "refuse")


def _gap(asked: Asked, column: int, days: tuple[np.datetime64, np.datetime64]) -> str:
    """Return how many sessions of its exchange a line has no close of between two closes."""
    before, day = np.searchsorted(asked.calendar(int(asked.suffix[column])).sessions, days)
    without = int(day - before) - 1
    return f", {counted(without, 'session')} without a close between" if without > 0 else ""


def _doubtful(asked: Asked, fresh: Fresh) -> Flags:
    """Return the closes that need a close look: far from the one before, as events restate it."""
    closes, limits = asked.panel.closes, asked.limits
    limit = np.array([narrowest_limit(line.symbol) for line in asked.panel.lines])[fresh.column]
    close, before = closes.close[fresh.at], closes.close[fresh.before]
    found = _far(close, before, limit, limits.jump)
    for at in _after_events(asked, fresh):
        n = int(np.searchsorted(fresh.at, at))
        if n < len(fresh.at) and fresh.at[n] == at and fresh.before[n] >= 0:
            day, position = closes.date[at], int(fresh.before[n])
            reference = float(ex_reference(asked.panel, int(fresh.column[n]), position, day))
            found[n] = _far(close[n], reference, limit[n], limits.jump)
    return np.asarray(found & (fresh.before >= 0))


def _far(close: Values, reference: Values, limit: Values, jump: float) -> Flags:
    """Return whether closes are so far from a price that they have to be looked at."""
    ratio = close / reference
    jumped = (ratio > jump) | (ratio < 1 / jump)
    return np.where(np.isnan(limit), jumped, np.abs(close - reference) > limit * reference)


def _after_events(asked: Asked, fresh: Fresh) -> Iterator[int]:
    """Yield the position of the first close after each event that may lie before a fresh one."""
    closes, events = asked.panel.closes, asked.panel.events
    had = fresh.before >= 0
    oldest = closes.date[fresh.before[had]].min() if had.any() else asked.days[-1]
    row = int(np.searchsorted(asked.panel.sessions, oldest))
    for event in events[bisect_left(events, row, key=lambda e: e.row) :]:
        if event.row > asked.at[-1]:
            return
        start, end = closes.first[event.column : event.column + 2]
        yield int(start + np.searchsorted(closes.date[start:end], event.ex_date))


def _newly_listed(asked: Asked, column: int, day: np.datetime64) -> bool:
    """Return whether a date is among the first sessions after listing."""
    sessions = asked.calendar(int(asked.suffix[column])).sessions
    begin = np.searchsorted(sessions, asked.panel.listed[column])
    count = np.searchsorted(sessions, day, side="right") - begin
    return bool(count <= asked.limits.exempt_sessions)


def _bounds(
    asked: Asked, column: int, day: date, reference: Fraction
) -> tuple[tuple[Fraction, Fraction], str]:
    """Return the lowest and the highest close that is believed, and by what rule."""
    symbol, limits = asked.symbol(column), asked.limits
    limit = price_limit(symbol, day)
    prices = limit_prices(symbol, day, reference)
    if limit is None or prices is None:
        factor = Fraction(repr(limits.jump))
        return (reference / factor, reference * factor), f"a factor of {limits.jump:g}"
    why = f"{float(limit):.0%} of its board"
    if asked.panel.adjusted[column]:
        limit += Fraction(repr(limits.adjusted_room))
        why += f" and {limits.adjusted_room:.0%} for adjusted closes"
        return (reference * (1 - limit), reference * (1 + limit)), why
    room = limits.ticks * Fraction(repr(tick_size(symbol, day, reference)))
    return (prices[0] - room, prices[1] + room), f"{why}, rounded, and {limits.ticks} tick"


def frozen(asked: Asked, fresh: Fresh, market: Market) -> Iterator[Finding]:
    """Yield sessions on which every close of the index, or of one exchange, is the one before.

    Volume counts where the table has both: another volume is another day. The same one, above
    zero, is proof by one close; closes alone prove it from ``members`` of them on, since fewer
    are unchanged by chance.
    """
    closes, width = asked.panel.closes, len(asked.suffixes)
    own = closes.date[fresh.at] == asked.days[fresh.k]
    fresh = fresh.part(own)
    same = (fresh.before >= 0) & (closes.close[fresh.at] == closes.close[fresh.before])
    group = fresh.k * width + asked.suffix[fresh.column]
    shape = (len(asked.days), width)
    count = np.bincount(group, minlength=shape[0] * width).reshape(shape)
    moved = np.bincount(group[~same], minlength=shape[0] * width).reshape(shape)
    still = (count > 0) & (moved == 0)
    if not still.any():
        return
    idle = still.ravel()[group]
    other, proof = _volumes(asked, fresh.part(idle), market)
    group = group[idle]
    other_day = np.bincount(group[other], minlength=shape[0] * width).reshape(shape) > 0
    proven = np.bincount(group[proof], minlength=shape[0] * width).reshape(shape) > 0
    still &= ~other_day
    moving = (count > 0) & ~still
    for k in np.flatnonzero(still.any(axis=1)).tolist():
        if not moving[k].any():
            if proven[k].any() or count[k].sum() >= asked.limits.members:
                yield _all_frozen(asked, k, int(count[k].sum()))
            continue
        for s in np.flatnonzero(still[k]).tolist():
            if proven[k, s] or count[k, s] >= asked.limits.members:
                others = [asked.suffixes[n] for n in np.flatnonzero(moving[k])]
                yield _one_frozen(asked, k, s, int(count[k, s]), others)


def _volumes(asked: Asked, fresh: Fresh, market: Market) -> tuple[Flags, Flags]:
    """Return whether each close has another volume than the one before, and whether the same."""
    lines = [asked.panel.lines[j] for j in fresh.column.tolist()]
    names = {name for line in lines for name in line.symbols}
    dates = asked.panel.closes.date
    days, before = dates[fresh.at].tolist(), dates[fresh.before].tolist()
    rows = market.prices.filter(
        pl.col("volume").is_not_null(),
        pl.col("date").is_between(min(before), max(days)),
        pl.col("symbol").is_in(list(names)),
    ).select("symbol", "date", "volume")
    volume = {(symbol, day): value for symbol, day, value in rows.iter_rows()}

    def traded(line: Line, day: date) -> float | None:
        return next((volume[s, day] for s in line.symbols if (s, day) in volume), None)

    pairs = [(traded(line, days[n]), traded(line, before[n])) for n, line in enumerate(lines)]
    known = np.array([None not in pair for pair in pairs], dtype=bool)
    equal = np.array([now == was for now, was in pairs], dtype=bool)
    above = np.array([bool(now) for now, _ in pairs], dtype=bool)
    return known & ~equal, known & equal & above


def _all_frozen(asked: Asked, k: int, count: int) -> Finding:
    day = asked.day(k)
    message = (
        f"all {count} held constituents with a close of {day} have the one they had before, and "
        f"no other volume: the feed is frozen: fetch {day} again"
    )
    return Finding(day, "R17", message, "refuse")


def _one_frozen(asked: Asked, k: int, suffix: int, count: int, others: Sequence[str]) -> Finding:
    day = asked.day(k)
    message = (
        f"all {count} held .{asked.suffixes[suffix]} constituents with a close of {day} have the "
        f"one they had before, and no other volume, while .{', .'.join(others)} moved: the feed "
        f"of that exchange is frozen: fetch {day} again"
    )
    return Finding(day, "R18", message, "refuse")
