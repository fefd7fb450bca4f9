"""Bars against those before them and against what is stored: limits, revisions, previous closes."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Days, Flags, Rows, Vector
from indexer.market.actions import RESTATING, Action, decimal, exact_ex_reference
from indexer.market.checks import ROW
from indexer.market.conventions.bounds import plausible
from indexer.market.conventions.gates import gate_limits
from indexer.market.conventions.limits import limit_prices
from indexer.market.conventions.ticks import tick_size
from indexer.market.sources.bars import EXACT, FEW, PRICES, Known, Scope
from indexer.market.sources.verdict import Sieve

OVERLAP = 20  # sessions that every fetch repeats, to be compared with what is stored
CHANGED = 0.1  # share of them that upstream may have revised; more is another series
VOLUME = 0.01  # relative: sources round volume and amount differently
NEAR = 0.02  # a close that leaves the limits by less is wrong alone: no level has broken
LEVEL = 0.01  # to which levels of series are published
YEAR = 250  # sessions: after as many any limit is wider than what is plausible
MILL = 0.001  # to which sources tell a change, where the tick is finer


def agreeing_bars(
    sieve: Sieve, rows: pl.DataFrame, stored: pl.DataFrame
) -> tuple[pl.DataFrame, set[date]]:
    """Return the bars that do not differ from those stored, and the dates that are confirmed.

    A few that differ are revisions of upstream, to be reported and not applied; more of them mean
    that the prices were adjusted or are those of another symbol.
    """
    both = rows.join(stored.select("date", *_FIGURES), on="date", suffix="_stored")
    if both.is_empty():
        return rows, set()
    differs = pl.any_horizontal(_differs(name) for name in _FIGURES)
    changed = both.filter(differs)
    if len(changed) > max(1, CHANGED * len(both)):
        ratio = (changed["close"] / changed["close_stored"]).to_numpy()
        first = changed.row(0, named=True)
        shape = "by one factor" if np.ptp(ratio) < 1e-3 else "by no one factor"
        why = (
            f"close {first['close']:g} on {first['date']} where {first['close_stored']:g} is "
            f"stored, and {len(changed)} of {len(both)} repeated bars differ, {shape}: adjusted "
            "prices, or another symbol; nothing is taken"
        )
        return sieve.condemn(rows, "revision", why), set()
    stored_of = {row["date"]: row for row in changed.iter_rows(named=True)}
    kept = sieve.drop(
        rows,
        pl.col("date").is_in(list(stored_of)),
        "revision",
        lambda row: f"stored is {_told(stored_of[row['date']])}: restate if the new one is right",
    )
    return kept, set(both["date"]) - set(stored_of)


_FIGURES = (*PRICES, "volume", "amount")


def _differs(name: str) -> pl.Expr:
    new, old = pl.col(name), pl.col(f"{name}_stored")
    slack = EXACT if name in PRICES else VOLUME
    return ((new - old).abs() > slack * old.abs()).fill_null(value=False)


def _told(row: dict[str, object]) -> str:
    return " ".join(f"{name} {row[f'{name}_stored']}" for name in _FIGURES)


class _Chain(NamedTuple):
    """Bars in order, those stored that the reply lacks among them."""

    row: Rows  # number in the reply; -1 for what is only stored
    day: Days
    prices: Vector  # (n, 4): open, high, low, close
    previous: Vector  # previous close by the source, NaN where it gives none
    anchored: Flags  # stored, or equal to what is


def bounded_bars(
    sieve: Sieve, rows: pl.DataFrame, scope: Scope, known: Known, confirmed: set[date]
) -> pl.DataFrame:
    """Return the bars within the limits that the bar before and the actions since set.

    A bar beyond them that the next one comes back from is dropped alone. Where prices break for
    good, what joins on to stored bars is kept; without any, nothing is, for nobody can say which
    side of the break is wrong.
    """
    if rows.is_empty():
        return rows
    dropped: dict[int, str] = {}
    while True:
        left = rows.filter(~pl.col(ROW).is_in(list(dropped)))
        chain = _chain(left, known.stored, confirmed)
        low, high = _limits(chain, scope, known)
        broken = _outside(chain.prices[:, 3], low, high)
        spike = _spike(chain, (low, high), scope, known)
        if spike is None:
            break
        dropped[int(chain.row[spike])] = why = _why(chain, spike, low, high)
        if len(dropped) > max(1, FEW * len(rows)):
            return sieve.condemn(rows, "limit", f"{why}; and {len(dropped) - 1} more before it")
    rows = sieve.drop(rows, pl.col(ROW).is_in(list(dropped)), "limit", lambda r: dropped[r[ROW]])
    return _joined(sieve, rows, chain, (low, high), broken)


def _spike(chain: _Chain, bounds: tuple[Vector, Vector], scope: Scope, known: Known) -> int | None:
    """Return the first bar that is wrong alone; None where there is none.

    Its close is within the limits and another price is not, or only just outside them, or the bar
    after it comes back to the bar before it.
    """
    low, high = bounds
    broken = _outside(chain.prices[:, 3], low, high)
    far = _outside(chain.prices[:, 3], low * (1 - NEAR), high * (1 + NEAR))
    others = np.array([_outside(column, *bounds) for column in chain.prices.T[:3]]).any(axis=0)
    for i in np.flatnonzero((others | broken) & ~chain.anchored).tolist():
        if not far[i]:
            return int(i)
        if i + 1 < len(broken) and broken[i + 1]:
            pair = _Chain._make(column[[i - 1, i + 1]] for column in chain)
            if not _outside(pair.prices[:, 3], *_limits(pair, scope, known))[1]:
                return int(i)
    return None


def _joined(
    sieve: Sieve, rows: pl.DataFrame, chain: _Chain, bounds: tuple[Vector, Vector], broken: Flags
) -> pl.DataFrame:
    """Return the bars of those stretches without a break that hold a stored bar."""
    if not broken.any():
        return rows
    why = _why(chain, int(np.flatnonzero(broken)[0]), *bounds)
    stretch = np.cumsum(broken)
    sound = np.isin(stretch, stretch[chain.anchored])
    lost = chain.row[~sound].tolist()
    return sieve.drop(rows, pl.col(ROW).is_in(lost), "limit", f"nothing stored joins on: {why}")


def _chain(rows: pl.DataFrame, stored: pl.DataFrame, confirmed: set[date]) -> _Chain:
    own = rows.select(ROW, "date", *PRICES, "previous_close").with_columns(
        pl.col(ROW).cast(pl.Int64), anchored=pl.col("date").is_in(list(confirmed))
    )
    only = stored.filter(~pl.col("date").is_in(rows["date"].implode())).select(
        pl.lit(-1, pl.Int64).alias(ROW),
        "date",
        *PRICES,
        previous_close=pl.lit(None, pl.Float64),
        anchored=pl.lit(value=True),
    )
    both = pl.concat([own, only]).sort("date")
    return _Chain(
        both[ROW].to_numpy(),
        both["date"].to_numpy().astype("datetime64[D]"),
        both.select(PRICES).to_numpy(),
        both["previous_close"].to_numpy(),
        both["anchored"].to_numpy(),
    )


def _outside(price: Vector, low: Vector, high: Vector) -> Flags:
    return (price < low) | (price > high)  # false where the price or the bound is NaN


def _limits(chain: _Chain, scope: Scope, known: Known) -> tuple[Vector, Vector]:
    """Return the lowest and highest price of each bar by the one before; NaN for the first."""
    days, reference = chain.day, references(chain.day, chain.prices[:, 3], known.actions)
    low, high = np.full(len(days), np.nan), np.full(len(days), np.nan)
    elapsed = np.diff(np.searchsorted(_trading(known, days), days, side="right"))
    age = _sessions_listed(known, days)
    for i, day in enumerate(days.tolist()[1:], 1):
        least, most = _plausible("series_move" if scope.series else "move", day)
        low[i], high[i] = least * reference[i], most * reference[i]
        gates = gate_limits(day)
        if scope.series or age[i] <= gates.exempt_sessions:
            continue
        exact, count = decimal(reference[i]), min(max(1, int(elapsed[i - 1])), YEAR)  # each has one
        if prices := limit_prices(scope.symbol, day, exact, count):
            room = gates.ticks * tick_size(scope.symbol, day, exact) * (1 + EXACT)
            low[i] = max(low[i], float(prices[0]) - room)
            high[i] = min(high[i], float(prices[1]) + room)
    return low, high


def _plausible(quantity: str, day: date) -> tuple[float, float]:
    return plausible(quantity, day) or (0.0, np.inf)


def _trading(known: Known, days: Days) -> Days:
    """Return the sessions from the first to the last of some days without known suspensions."""
    if not len(days):
        return days
    every = known.calendar.sessions
    sessions: Days = every[(every >= days[0]) & (every <= days[-1])]
    trading: Days = sessions[~suspended(sessions, known.suspensions)]
    return trading


def ended(suspensions: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Return suspensions that end before the first bar with trade: dates are often planned ones."""
    days = bars.filter(pl.col("volume").fill_null(1.0) > 0)["date"].sort()
    rows = []
    for symbol, first, until, reason in suspensions.iter_rows():
        traded = days.filter(days >= first)
        over = traded[0] if len(traded) else date.max
        rows.append((symbol, first, min(until or date.max, over), reason))
    return pl.DataFrame(rows, schema=suspensions.schema, orient="row")


def suspended(sessions: Days, suspensions: pl.DataFrame) -> Flags:
    """Return which sessions lie in a suspension; an open end lasts for ever."""
    off = np.zeros(len(sessions), dtype=bool)
    for first, until in suspensions.select("from", "until").iter_rows():
        off |= (sessions >= np.datetime64(first, "D")) & (
            sessions < np.datetime64(until or date.max, "D")
        )
    return off


def _sessions_listed(known: Known, days: Days) -> Vector:
    """Return how many sessions there were since the listing, its own included; infinite if ever."""
    if known.listed is None:
        return np.full(len(days), np.inf)
    sessions = known.calendar.sessions
    begin = np.searchsorted(sessions, np.datetime64(known.listed, "D"))
    return (np.searchsorted(sessions, days, side="right") - begin).astype(float)


def references(days: Days, close: Vector, actions: pl.DataFrame) -> Vector:
    """Return the ex-reference price of each bar: the close before, through the actions since.

    An action counts from its ex-date on, however early it is announced.
    """
    reference = np.concatenate([[np.nan], close[:-1]]) if len(close) else close
    restating = actions.filter(pl.col("kind").is_in(RESTATING))
    for (ex_date,), group in restating.sort("ex_date").group_by("ex_date", maintain_order=True):
        i = int(np.searchsorted(days, np.datetime64(ex_date, "D")))
        if 0 < i < len(days):
            reference[i] = exact_ex_reference(_actions(group), decimal(reference[i]))
    return reference


def _actions(rows: pl.DataFrame) -> Iterator[Action]:
    for row in rows.iter_rows(named=True):
        yield Action(row["kind"], row["cash"] or 0.0, row["ratio"] or 0.0, row["price"] or 0.0)


def _why(chain: _Chain, i: int, low: Vector, high: Vector) -> str:
    day, before = chain.day[i], chain.prices[i - 1, 3]
    prices = ", ".join(f"{price:g}" for price in chain.prices[i] if not np.isnan(price))
    return (
        f"{prices} on {day} after {before:g} on {chain.day[i - 1]}: {low[i]:.6g} to {high[i]:.6g} "
        "is possible by the limit and the actions known; enter the action that is missing, or take "
        "the bar from another source"
    )


def followed_bars(
    sieve: Sieve, rows: pl.DataFrame, scope: Scope, known: Known, confirmed: set[date]
) -> pl.DataFrame:
    """Return the bars whose close the next one names as its previous close, where sources say it.

    The previous close may be given as it was or as the exchange restates it for the actions of
    the day. It is not compared across sessions that lack a bar.
    """
    chain = _chain(rows, known.stored, confirmed)
    if np.isnan(chain.previous).all():
        return rows
    close = chain.prices[:, 3]
    reference = references(chain.day, close, known.actions)
    gap = np.diff(np.searchsorted(_trading(known, chain.day), chain.day, side="right")) > 1
    wrong: dict[int, str] = {}
    for i in range(1, len(close)):
        said = chain.previous[i]
        tick = tick_size(scope.symbol, chain.day[i].item(), close[i - 1])
        slack = (LEVEL if scope.series else max(tick, MILL)) * 1.01
        off = min(abs(said - close[i - 1]), abs(said - reference[i]))
        if not gap[i - 1] and off > slack:  # false where nothing is said
            j = i if chain.anchored[i - 1] else i - 1
            wrong[int(chain.row[j])] = (
                f"close {close[i - 1]:g} on {chain.day[i - 1]} is called {said:g} on "
                f"{chain.day[i]}: one of them is wrong, or an action is missing"
            )
    if len(wrong) > max(1, FEW * len(rows)):
        why = f"{next(iter(wrong.values()))}; {len(wrong)} of {len(rows)} rows: columns are swapped"
        return sieve.condemn(rows, "previous", why)
    at = pl.col(ROW).is_in(list(wrong))
    return sieve.drop(rows, at, "previous", lambda row: wrong[row[ROW]])
