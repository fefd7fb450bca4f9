"""The bars a source returned for one symbol: what of them is believed.

Nothing is trusted: not the shape, the code, the dates, the units or the prices. What other facts
contradict is not believed and is written down, row by row, with the rule it breaks.

What is wrong and yet plausible does not show in one reply: a close within the day's range, open
and close exchanged, a bar at another price with an amount to match within the limit, bars of near
days exchanged, a first history wholly at another scale with amounts to match. Some of it shows by
the next bar's previous close, where sources give it, or against what is stored; all of it against
a second source (`indexer.market.sources.agree`).
"""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.errors import counted
from indexer.market.calendar import Calendar
from indexer.market.checks import ROW
from indexer.market.conventions.finality import last_final_bar
from indexer.market.sources.bars import (
    COLUMNS,
    Known,
    Scope,
    dated_bars,
    days_between,
    measured_bars,
    moving_bars,
    priced_bars,
    shape_fault,
    typed_bars,
    unique_bars,
)
from indexer.market.sources.continuity import (
    OVERLAP,
    agreeing_bars,
    bounded_bars,
    ended,
    followed_bars,
    suspended,
)
from indexer.market.sources.verdict import Outcome, Sieve, Verdict
from indexer.market.tables import TABLES

NONE = TABLES["prices"].empty().select(COLUMNS)
LATE = 5  # sessions by which a source may be late; one that ends earlier has a hole


def check_bars(frame: pl.DataFrame, scope: Scope, known: Known) -> Verdict:
    """Return what is believed of the daily bars a source returned for one symbol.

    Parameters
    ----------
    frame : ``symbol, date, close`` and possibly ``open, high, low, volume, amount,
        previous_close``, in any of the types that sources give them. ``volume`` in shares or
        lots, ``amount`` in currency, prices raw; figures that are absent may be null or NaN
    scope : the symbol, the dates and the instant of the reply
    known : calendar, stored bars, actions, suspensions and life of the symbol

    Returns
    -------
    Verdict
        ``rows`` in the schema of the table ``prices``, volume in shares. ``ok`` if every session
        asked for that is over has a bar, or an explanation; ``transient`` if only the last few
        lack theirs; ``no_data_explained`` if none was to be expected; ``no_data_unexplained`` if
        others lack theirs; ``corrupt`` if anything shows that the reply is wrong, and the rows
        are then those that nothing speaks against.

    Raises
    ------
    ValueError
        If the dates asked for do not repeat the last 20 sessions stored.
    MissingInputError
        If the dates asked for lie outside the calendar.
    """
    known = _of(scope.symbol, known)
    _require_overlap(scope, known)
    sieve = Sieve(scope.symbol, frame.with_row_index(ROW))
    if fault := shape_fault(dict(frame.schema)):
        numbers = sieve.given.select(ROW, symbol=pl.lit(scope.symbol))
        sieve.condemn(numbers, "shape", fault)
        return _verdict(sieve, NONE, tuple(_expected(scope, known).tolist()))
    rows = unique_bars(sieve, typed_bars(sieve, scope.symbol))
    rows = dated_bars(sieve, rows, scope, known)
    rows = priced_bars(sieve, rows, scope)
    rows = measured_bars(sieve, rows, scope)
    rows = moving_bars(sieve, rows)
    known = replace(known, suspensions=ended(known.suspensions, _bars(rows, known.stored)))
    rows, confirmed = agreeing_bars(sieve, rows, known.stored)
    rows = bounded_bars(sieve, rows, scope, known, confirmed)
    rows = followed_bars(sieve, rows, scope, known, confirmed)
    return _covered(sieve, rows, scope, known)


def unmet(
    scope: Scope, known: Known, stored: pl.Series, *, fixed: Calendar | None = None
) -> tuple[date, date] | None:
    """Return the dates to ask for so that no session lacks its figure; None where none does.

    They begin as many sessions before the first one that lacks it as are repeated, so that what
    comes is held against what is stored. A session before the last one stored may lack its figure
    where that is explained; whether one after it may, only its source can tell.

    Parameters
    ----------
    scope : all that is needed
    stored : dates of what is stored, not empty
    fixed : the only sessions on which there need be a figure among them; None for all

    Raises
    ------
    MissingInputError
        If the calendar does not know the dates.
    """
    days = stored.unique().sort()
    present, last = days.to_numpy().astype("datetime64[D]"), days[-1]
    own = _of(scope.symbol, known)
    own = replace(own, suspensions=ended(own.suspensions, own.stored))
    lacking = _expected(replace(scope, until=min(last, scope.until)), own)
    lacking = lacking[~np.isin(lacking, present)]
    if fixed is not None:
        lacking = lacking[np.isin(lacking, fixed.sessions)]
    first = max(scope.since, known.listed or scope.since, last + timedelta(days=1))
    final = last_final_bar(known.calendar, scope.at)
    due = days_between(known.calendar, first, min(final, scope.until))
    due = due[due < np.datetime64(known.delisted or date.max, "D")]
    if not len(lacking) and not len(due):
        return None
    repeated = min(OVERLAP, len(days))
    before = int(np.searchsorted(present, lacking[0])) if len(lacking) else len(days)
    begin = max(0, before - repeated)
    since = days[begin] if before else scope.since
    return since, max(scope.until, days[begin + repeated - 1])


def _of(symbol: str, known: Known) -> Known:
    """Return what is known of one symbol."""
    own = pl.col("symbol") == symbol
    return replace(
        known,
        stored=pl.concat(
            [NONE, known.stored.filter(own)],
            how="diagonal_relaxed",
        )
        .select(COLUMNS)
        .sort("date"),
        actions=known.actions.filter(own),
        suspensions=pl.concat(
            [TABLES["suspensions"].empty(), known.suspensions.filter(own)], how="diagonal_relaxed"
        ).select("symbol", "from", "until", "reason"),
    )


def _bars(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(frame.select("date", "volume") for frame in frames)


def _require_overlap(scope: Scope, known: Known) -> None:
    stored = known.stored["date"]
    repeated = stored.is_between(scope.since, scope.until).sum()
    if repeated < min(OVERLAP, len(stored)):
        raise ValueError(
            f"{scope.symbol}: {scope.since} to {scope.until} repeats {repeated} of the "
            f"{counted(len(stored), 'session')} stored: ask for dates that hold {OVERLAP} of them, "
            f"back to {stored[max(-OVERLAP, -len(stored))]}"
        )


def _covered(sieve: Sieve, rows: pl.DataFrame, scope: Scope, known: Known) -> Verdict:
    """Return the verdict, with the sessions that should have a bar and have none."""
    expected = _expected(scope, known)
    revised = [e.date for e in sieve.log if e.rule == "revision" and not sieve.condemned]
    present = pl.concat([rows["date"], pl.Series(revised, dtype=pl.Date)]).to_numpy()
    missing = expected[~np.isin(expected, present.astype("datetime64[D]"))]
    closed = [entry for entry in sieve.log if entry.rule == "calendar"]
    if closed and len(missing) and not rows.is_empty():
        why = (
            f"a bar of {closed[0].date}, when the exchange is closed, and none of {missing[0]}, "
            "when it is open: the dates are shifted, as by a change of time zone"
        )
        rows = sieve.condemn(rows, "calendar", why)
        missing = expected
    return _verdict(sieve, rows.select(COLUMNS), tuple(missing.tolist()), expected)


def _expected(scope: Scope, known: Known) -> Days:
    """Return the sessions that are over, asked for, and without an explanation."""
    final = last_final_bar(known.calendar, scope.at)
    first = max(scope.since, known.listed or date.min)
    sessions = days_between(known.calendar, first, min(scope.until, final))
    if known.delisted is not None:
        sessions = sessions[sessions < np.datetime64(known.delisted, "D")]
    return sessions[~suspended(sessions, known.suspensions)]


def _verdict(
    sieve: Sieve, rows: pl.DataFrame, missing: tuple[date, ...], expected: Days | None = None
) -> Verdict:
    log = tuple(sieve.log)
    if fault := sieve.fault:
        return Verdict("corrupt", rows, log, missing, fault)
    if not missing:
        return Verdict(
            "no_data_explained" if rows.is_empty() else "ok",
            rows,
            log,
        )
    late = expected is not None and missing == tuple(expected[-len(missing) :].tolist())
    outcome: Outcome = "no_data_unexplained"
    if late and len(missing) <= LATE and not rows.is_empty():
        outcome = "transient"
    remedy = (
        "fetch again later, or ask the next source"
        if outcome == "transient"
        else "ask the next source, or enter the suspension, listing, delisting or closure behind it"
    )
    span = f"{missing[0]}" if len(missing) == 1 else f"{missing[0]} to {missing[-1]}"
    reason = f"{sieve.symbol}: no bar for {counted(len(missing), 'session')}, {span}: {remedy}"
    return Verdict(outcome, rows, log, missing, reason)
