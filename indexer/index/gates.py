"""Gates before publication: what stands against publishing sessions of an index.

They block and never substitute: a level is published as it was calculated, or not at all.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import numpy as np
import polars as pl

from indexer.arrays import Days, Rows, Vector
from indexer.definitions.basket import Series
from indexer.definitions.symbols import exchange_of
from indexer.errors import Flaw, MissingInputError, counted
from indexer.index.evidence import in_chinese
from indexer.index.finding import (
    Asked,
    Finding,
    Fresh,
    asked_of,
    fresh_closes,
    joining_closes,
    shown,
)
from indexer.index.history import History
from indexer.index.holes import RESTED, holes, left_out, old_rates
from indexer.index.moves import constituent_moves, frozen, index_moves, rate_moves
from indexer.index.schedule import calendar_of
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.conventions.gates import GateLimits, gate_limits
from indexer.market.events import DEPARTING
from indexer.market.tables import Market
from indexer.words import Text

_WEIGHTS = 1e-12  # how far the sum of weights may be from one
_RETURN = 1e-9  # and that of the contributions from the price return, relative to its growth
_AFTER_CLOSE = (*DEPARTING, "rebalance")


def findings(history: History, market: Market, sessions: Sequence[date]) -> tuple[Finding, ...]:
    """Return what the gates R14 to R22, R34 and R35 find on some sessions, by session.

    Half days, late opens and early ends pass: a session with closes is a session (R20).

    Parameters
    ----------
    history : the index, built from the market
    sessions : of its calendar, from its base date on; those after its last one are waited for

    Raises
    ------
    MissingInputError
        If a date is before the base date, or no session of the index's calendar.
    """
    calendar = calendar_of(history.definition)
    days = np.unique(np.array(list(sessions), dtype="datetime64[D]"))
    _check(history, calendar, days)
    found = [*_estimated(calendar, days, "the index's")]
    at = np.minimum(np.searchsorted(history.days, days), len(history.days) - 1)
    known = history.days[at] == days
    found += _to_come(history, market, days[~known])
    for limits, rows in _by_limits(history, at[known]):
        found += _levels(history, rows, limits)
        if history.panel is None:
            found += _series(history, calendar, rows)
        else:
            asked = asked_of(history, history.panel, rows, limits)
            found += _basket(asked, market, calendar)
    return tuple(sorted(found))


def gate_caveats(history: History, market: Market) -> Iterator[Text]:
    """Yield how often R15, R16 and R19 would refuse a level of a history, old rates, the first."""
    panel, rows = history.panel, np.arange(1, len(history.days))
    if panel is None or not rows.size:
        return
    asked = asked_of(history, panel, rows, gate_limits(history.days[-1].item()))
    missing = sorted(f for f in holes(asked, market) if f.rule != "R14" and f.verdict != "note")
    if missing:
        count = len({finding.session for finding in missing})
        yield Text(
            f"{counted(count, 'session')} without a close that nothing explains, which R15 or R19 "
            f"would refuse to publish: the one before went on. The first: {missing[0].message}",
            f"{count}个交易日缺收盘价且原因不明，按R15或R19不得发布，此处沿用旧价。"
            f"最早一例：{in_chinese(missing[0].message)}",
        )
    old = sorted(old_rates(asked, market, beyond=RESTED))
    if old:
        count = len({finding.session for finding in old})
        yield Text(
            f"{counted(count, 'session')} at a rate more than {RESTED} days old. The first: "
            f"{old[0].message}",
            f"{count}个交易日沿用超过{RESTED}天的旧汇率。最早一例：{in_chinese(old[0].message)}",
        )
    fresh = fresh_closes(asked)
    beyond = sorted(_moves(asked, fresh.part(asked.held[fresh.k, fresh.column])))
    if beyond:
        yield Text(
            f"{counted(len(beyond), 'close')} beyond belief, of which R16 would refuse to publish "
            f"a level. The first: {beyond[0].message}",
            f"{len(beyond)}个收盘价超出R16的限度，所含点位不得发布。"
            f"最早一例：{in_chinese(beyond[0].message)}",
        )
    turned = sorted(rate_moves(asked, market))
    if turned:
        yield Text(
            f"{counted(len(turned), 'rate')} beyond belief, at which R16 would refuse to publish "
            f"a level. The first: {turned[0].message}",
            f"{len(turned)}个汇率超出R16的限度，所折算的点位不得发布。最早一例："
            f"{in_chinese(turned[0].message)}",
        )


def _by_limits(history: History, rows: Rows) -> Iterator[tuple[GateLimits, Rows]]:
    """Yield the rows that are judged by the same limits, with those."""
    days: list[date] = history.days[rows].tolist()
    for limits, group in groupby(zip(days, rows, strict=True), lambda pair: gate_limits(pair[0])):
        yield limits, np.array([row for _, row in group], dtype=np.int64)


def _check(history: History, calendar: Calendar, days: Days) -> None:
    """Raise where a date is none on which the index can have a level."""
    early = days[days < history.days[0]]
    at = np.minimum(np.searchsorted(history.days, days), len(history.days) - 1)
    closed = days[~calendar.open_on(days) & (history.days[at] != days)]
    wrong = [(day, f"is before its first level, of {history.days[0]}") for day in early.tolist()]
    wrong += [(day, f"is no session of {calendar.code}") for day in closed.tolist()]
    if wrong:
        raise MissingInputError(
            [Flaw(history.definition.id, None, "", f"{day} {why}") for day, why in wrong]
        )


def _to_come(history: History, market: Market, days: Days) -> Iterator[Finding]:
    """Yield the sessions without a level: to be waited for, unless the data have passed them by."""
    last = history.days[-1].item()
    if isinstance(history.definition, Series):  # its history may end before its data do
        dates = market.series.filter(pl.col("symbol") == history.definition.symbol)["date"]
        last = max(last, dates.max())
    for day in days.tolist():
        if day > last:
            message = (
                f"no close of {day} yet, the last level is of {last}: complete the market folder "
                f"and publish again, or up to --to {last}"
            )
            yield Finding(day, "R15", message, "wait")
        else:
            message = (
                f"the series has no close of {day}, but one of {last}: add it, or an "
                f"official entry to the calendar's overlay if the exchange was closed"
            )
            yield Finding(day, "R15", message, "refuse")


def _basket(asked: Asked, market: Market, calendar: Calendar) -> Iterator[Finding]:
    """Yield what is found of a basket's sessions beyond its levels."""
    codes = dict.fromkeys(map(exchange_of, asked.suffixes))
    for code in codes:
        own = [exchange_of(suffix) == code for suffix in asked.suffixes]
        if code != calendar.code:
            held = asked.held[:, np.array(own)[asked.suffix]].any(axis=1)
            yield from _estimated(read_calendar(code), asked.days[held], "a constituent's")
    yield from _invariants(asked)
    yield from left_out(asked)
    yield from holes(asked, market)
    yield from old_rates(asked, market)
    fresh = fresh_closes(asked)
    yield from _off_calendar(asked, fresh)
    fresh = fresh.part(asked.held[fresh.k, fresh.column])
    yield from _moves(asked, fresh)
    yield from rate_moves(asked, market)
    yield from frozen(asked, fresh, market)


def _moves(asked: Asked, fresh: Fresh) -> Iterator[Finding]:
    """Yield closes beyond belief, of what is held and of what joins."""
    joining = joining_closes(asked)
    yield from constituent_moves(asked, fresh)
    yield from constituent_moves(asked, joining.part(~np.isin(joining.at, fresh.at)))


def _estimated(calendar: Calendar, days: Days, whose: str) -> Iterator[Finding]:
    """Yield the sessions for which a calendar is estimated, or has ended."""
    known = calendar.verified_until
    for day in days[days > np.datetime64(known)].tolist():
        message = (
            f"{day} is beyond {known}, up to which {whose} calendar {calendar.code} is verified: "
            f"update exchange_calendars, or publish with --allow-estimated-calendar"
        )
        yield Finding(day, "R22", message, "refuse")


def _levels(history: History, rows: Rows, limits: GateLimits) -> Iterator[Finding]:
    """Yield levels that are no levels, and moves of the index beyond belief."""
    decimals = history.definition.publish.decimals
    for name, level in history.variants.items():
        values = level[rows]
        for n in np.flatnonzero(~(np.isfinite(values) & (values > 0))).tolist():
            day = history.days[rows[n]].item()
            message = (
                f"{name} level {float(values[n])!r} of {day}: a level is finite and above zero"
            )
            yield Finding(day, "R34", message, "refuse")
        for n in np.flatnonzero((values > 0) & (values <= 0.5 * 10.0**-decimals)).tolist():
            day = history.days[rows[n]].item()
            message = (
                f"{name} level {float(values[n])!r} of {day} is zero to {decimals} decimals: give "
                "the base another level, or publish.decimals more"
            )
            yield Finding(day, "R34", message, "refuse")
    first = next(iter(history.variants.values()))
    yield from index_moves(first, history.days, rows, limits)


def _invariants(asked: Asked) -> Iterator[Finding]:
    """Yield broken identities: weights sum to one, contributions to the price return."""
    history, rows = asked.history, asked.rows
    with np.errstate(all="ignore"):
        level, before = (
            history.market_value[n] / history.divisor[n] for n in (rows, np.maximum(rows - 1, 0))
        )
        off = asked.value().sum(axis=1) / (level * _divisor_held(asked)) - 1.0
        growth = level / before
        gained = np.nansum(history.contribution[rows], axis=1)
        apart = np.where(rows > 0, (1.0 + gained) / growth - 1.0, 0.0)
    for values, bound, what in (
        (off, _WEIGHTS, "weights at the close sum to one"),
        (apart, _RETURN, "contributions sum to the price return"),
    ):
        for k in np.flatnonzero(~(np.abs(values) <= bound)).tolist():
            message = (
                f"{what} to {bound:g}, but on {asked.day(k)} they are {values[k]:.3g} away: "
                f"publish nothing and report it"
            )
            yield Finding(asked.day(k), "R35", message, "refuse")


def _divisor_held(asked: Asked) -> Vector:
    """Return the divisor of each level: the one before what changes after the close, (K,)."""
    divisor = asked.history.divisor[asked.rows]
    changes = asked.history.changes
    done = {asked.history.days[0]}  # whose level is that of its first basket
    for change in changes[bisect_left(changes, asked.days[0], key=lambda c: c.date) :]:
        if change.date > asked.days[-1]:
            break
        if change.kind in _AFTER_CLOSE and change.date not in done:
            done.add(change.date)
            divisor[asked.days == change.date] = change.divisor_before
    return divisor


def _off_calendar(asked: Asked, fresh: Fresh) -> Iterator[Finding]:
    """Yield sessions with closes dated on a day the exchange was closed.

    Those are closes since the session before, of any line, and older ones at which what is held
    still stands: that a session was passed over makes no such price right.
    """
    lines, closes = asked.panel.lines, asked.panel.closes
    since = np.array([line.past[0][1] if line.past else date.min for line in lines], dtype="M8[D]")
    dated = asked.panel.dated[asked.at]
    stands = asked.held & (dated < asked.days[:, None])
    k, column = np.concatenate([(fresh.k, fresh.column), np.nonzero(stands)], axis=1)
    days = np.concatenate([closes.date[fresh.at], dated[stands]])
    closed = days >= since[column]  # what came before is of another symbol
    for s in range(len(asked.suffixes)):
        own = asked.suffix[column] == s
        closed[own] &= ~asked.calendar(s).open_on(days[own])
    wrong = sorted({*zip(k[closed].tolist(), column[closed].tolist(), days[closed], strict=True)})
    for row, found in groupby(wrong, lambda one: one[0]):
        names = [f"{asked.symbol(j)} {_close_of(asked, j, day):g} of {day}" for _, j, day in found]
        yield Finding(asked.day(row), "R19", _closed(names), "refuse")


def _close_of(asked: Asked, column: int, day: np.datetime64) -> float:
    """Return the close of a line that is dated on a day."""
    closes = asked.panel.closes
    start, end = closes.first[column : column + 2]
    return float(closes.close[start + np.searchsorted(closes.date[start:end], day)])


def _closed(names: list[str]) -> str:
    return (
        f"closes on days on which their exchange was closed: {shown(names)}: delete them, or add "
        f"the day as an official entry to the overlay of the exchange's calendar if it was open"
    )


def _series(history: History, calendar: Calendar, rows: Rows) -> Iterator[Finding]:
    """Yield what is found of a ready-made series beyond its levels."""
    level = next(iter(history.variants.values()))
    symbol = getattr(history.definition, "symbol", "")
    is_open = calendar.open_on(history.days)
    for row in rows.tolist():
        day, first = history.days[row].item(), row
        while first > 0 and not is_open[first - 1]:
            first -= 1
        closed = [n for n in range(first, row + 1) if not is_open[n]]
        if closed:
            names = [f"{symbol} {level[n]:g} of {history.days[n]}" for n in closed]
            yield Finding(day, "R19", _closed(names), "refuse")
        if row and is_open[row] and level[row] == level[row - 1]:
            message = (
                f"level {level[row]} of {day} is that of {history.days[row - 1]}: the feed is "
                f"frozen: fetch {day} again"
            )
            yield Finding(day, "R17", message, "refuse")
