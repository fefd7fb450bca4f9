"""Actions, share counts, exchange rates and suspensions that a source returned: what is believed.

As for bars, what other facts contradict is not believed, and is written down row by row.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.checks import ROW
from indexer.market.conventions.bounds import plausible
from indexer.market.conventions.finality import last_final_bar
from indexer.market.sources.bars import Known, Scope, days_between
from indexer.market.sources.continuity import CHANGED
from indexer.market.sources.keyed import (
    asked_for,
    chained,
    dates_under,
    not_yet,
    told_verdict,
    typed_rows,
    unrevised,
)
from indexer.market.sources.verdict import Sieve, Verdict, quoted
from indexer.market.tables import TABLES

_COUNTS = ("total_shares", "free_float_shares")
_TOLD = ("dividend", "special_dividend", "bonus")  # by every source; other kinds by one, or none
ALIKE = (["dividend", "special_dividend"], ["bonus", "split"])  # kinds taken for one another
_ROUNDED = 1e-6  # relative: payouts to ten shares are told to some digits
EURO = "XPAR"  # Euronext trades on the days on which TARGET settles
_FRIDAY = 5  # of the week, by ISO


def check_actions(frame: pl.DataFrame, scope: Scope, known: Known) -> Verdict:
    """Return what is believed of the corporate actions a source returned for one symbol.

    Announced actions whose ex-date has not come are kept: they act from that date on. Of actions
    known already, those that changed are reported and not applied, and those that the reply
    lacks are ``missing``, but for what no source tells, or one alone: rights, splits, and what was
    entered by hand. An empty reply says nothing: no action and no answer look alike.

    Parameters
    ----------
    frame : the columns of the table ``actions``, amounts per share
    scope : ``since`` and ``until`` bound the ex-dates
    known : ``actions`` are those believed before; a cash amount is held against the last close
        before its ex-date among ``stored``
    """
    sieve = Sieve(scope.symbol, frame.with_row_index(ROW), key="ex_date")
    rows = typed_rows(sieve, "actions", scope.symbol)
    if rows is None:
        return told_verdict(sieve, TABLES["actions"].empty(), ())
    rows = asked_for(sieve, rows, scope)
    day = pl.col("ex_date")
    alive = (day >= (known.listed or date.min)) & (day <= (known.delisted or date.max))
    rows = sieve.drop(rows, ~alive, "listing", "the share was not listed: it is another's")
    closed = ~day.is_in(_known_days(known.calendar, rows["ex_date"]).implode())
    why = f"no session of {known.calendar.code}: an ex-date is one, take it from another source"
    rows = sieve.drop(rows, closed, "session", why)
    rows = _plausible_actions(sieve, rows, known.stored.filter(pl.col("symbol") == scope.symbol))
    before = known.actions.filter(
        pl.col("symbol") == scope.symbol, day.is_between(scope.since, scope.until)
    )
    told = set(rows.select("ex_date", "kind").rows())
    same = as_entered(rows, before)
    rows = rows.join(same, on=["ex_date", "kind"], how="anti")
    rows = unrevised(sieve, rows, before, ("ex_date", "kind"), ("cash", "ratio", "price"))
    rows = pl.concat([rows, same]).sort("ex_date", "kind", maintain_order=True)
    if "source" in before.columns:
        before = before.filter(pl.col("source").is_not_null())
    held = (
        before.filter(pl.col("kind").is_in(_TOLD))
        .select("ex_date", "kind")
        .unique()
        .sort(pl.all())
        .rows()
    )
    missing = dict.fromkeys(day for day, kind in held if (day, kind) not in told)
    return told_verdict(sieve, rows, tuple(missing))


def entered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are of no source's telling."""
    return rows.filter(pl.col("source").is_null()) if "source" in rows.columns else rows


def worth(actions: pl.DataFrame) -> float:
    """Return the cash that actions of one date pay for a share, or the shares that it becomes."""
    bonus = pl.when(kind="bonus").then(pl.col("ratio")).sum()
    split = pl.when(kind="split").then(pl.col("ratio")).otherwise(1.0).product()
    cash = pl.col("cash").sum()
    return float(actions.select(pl.when(cash > 0).then(cash).otherwise(split + bonus)).item())


def as_entered(actions: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the actions that a source tells which are worth what is stored, some of it entered.

    Sources tell a special dividend as a dividend, both in one where both are paid, and a split as a
    bonus issue.
    """
    same = [actions.clear()]
    for kinds in ALIKE:
        own, told = (a.filter(pl.col("kind").is_in(kinds)) for a in (stored, actions))
        for day in set(entered(own)["ex_date"]) & set(told["ex_date"]):
            one, other = (a.filter(ex_date=day) for a in (told, own))
            if math.isclose(worth(one), worth(other), rel_tol=_ROUNDED):
                same.append(one)
    return pl.concat(same)


def _plausible_actions(sieve: Sieve, rows: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Return the actions whose ratio, or cash against the close before, is within its bounds."""
    closes = bars.select("date", last="close").sort("date")
    rows = rows.sort("ex_date").join_asof(
        closes, left_on="ex_date", right_on="date", allow_exact_matches=False
    )
    wrong: dict[int, str] = {}
    for row in rows.iter_rows(named=True):
        cash = row["cash"] is not None and row["kind"] != "merger"
        quantity = "cash" if cash else row["kind"]
        value = row["ratio"]
        if cash:
            value = row["cash"] / row["last"] if row["last"] else None
        bounds = plausible(quantity, row["ex_date"])
        if bounds and value is not None and not bounds[0] <= value <= bounds[1]:
            against = f" of the close {row['last']:g}" if cash else ""
            wrong[row[ROW]] = (
                f"{row['kind']} of {value:g}{against}: {bounds[0]:g} to {bounds[1]:g} is "
                "plausible; is it given per 10 shares?"
            )
    rows = rows.select(ROW, *TABLES["actions"].columns)
    at = pl.col(ROW).is_in(list(wrong))
    return sieve.drop(rows, at, "bound", lambda row: wrong[row[ROW]])


def check_shares(frame: pl.DataFrame, scope: Scope, known: Known, stored: pl.DataFrame) -> Verdict:
    """Return what is believed of the share counts a source returned for one symbol.

    A step of the total beyond what is plausible, after the bonus issues and splits between, drops
    every row until one joins on again. Counts that are stored from a later date on, of which the
    reply knows nothing, are those, dated otherwise.

    Parameters
    ----------
    frame : the columns of the table ``shares``, in shares
    stored : the rows believed before, of the table ``shares``; where they say from whom they are,
        a source need not repeat what is from another
    """
    sieve = Sieve(scope.symbol, frame.with_row_index(ROW))
    rows = typed_rows(sieve, "shares", scope.symbol)
    if rows is None:
        return told_verdict(sieve, TABLES["shares"].empty(), ())
    rows = not_yet(sieve, asked_for(sieve, rows, scope), scope, known)
    told = set(rows["date"])
    before = stored.filter(pl.col("symbol") == scope.symbol).sort("date")
    factors = _factors(known.actions.filter(pl.col("symbol") == scope.symbol))
    rows = unrevised(sieve, rows, before, ("date",), _COUNTS)

    def fault(row: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
        size = plausible("outstanding", row["date"])
        if size and not size[0] <= row["total_shares"] <= size[1]:
            return f"total {row['total_shares']:g}, expected {size[0]:g} to {size[1]:g} shares"
        step = plausible("total_shares", row["date"])
        if last is None or step is None:
            return ""
        ratio = row["total_shares"] / last["total_shares"]
        ratio /= factors(last["date"], row["date"])
        if step[0] <= ratio <= step[1]:
            return ""
        return (
            f"total {row['total_shares']:g} after {last['total_shares']:g} on {last['date']}, "
            f"{ratio:g} times what the actions explain: expected {step[0]:g} to {step[1]:g}; enter "
            "the action, or take it from another source"
        )

    rows = chained(sieve, rows, before, fault)
    old = {row["date"]: row for row in before.to_dicts()}
    counts = old | {row["date"]: row for row in rows.to_dicts()}
    steps = [
        (last, day)
        for last, day in pairwise(sorted(counts))
        if all(counts[day][name] == counts[last][name] for name in _COUNTS)
    ]
    early = [last for last, day in steps if last not in old and day not in told]
    why = "stored is the same from a later date on: restate if the new date is right"
    rows = sieve.drop(rows, pl.col("date").is_in(early), "revision", why)
    same = [day for _, day in steps if day not in old]
    why = "its counts are those of the date before"
    rows = sieve.drop(rows, pl.col("date").is_in(same), "duplicate", why)
    return told_verdict(sieve, rows, _absent(before, rows, sieve, scope))


def check_rates(frame: pl.DataFrame, scope: Scope, known: Known, stored: pl.DataFrame) -> Verdict:
    """Return what is believed of the exchange rates a source returned for one pair.

    ``missing`` are the sessions without a rate; of a reply that lacks some the rest is believed,
    and it is ``transient``. Nothing is of one in which many rates differ from those stored.

    Parameters
    ----------
    frame : the columns of the table ``fx``, units of quote for one of base
    scope : its ``symbol`` is the pair, as in ``USD/CNY``
    stored : the rows believed before, of the table ``fx``
    """
    base, _, quote = scope.symbol.partition("/")
    sieve = Sieve(scope.symbol, frame.with_row_index(ROW))
    rows = typed_rows(sieve, "fx", None)
    if rows is None:
        return told_verdict(sieve, TABLES["fx"].empty(), ())
    pair = (pl.col("base") == base) & (pl.col("quote") == quote)
    if not rows.filter(~pair).is_empty():
        found = "/".join(quoted(cell)[1:-1] for cell in rows.filter(~pair).row(0)[2:4])
        rows = sieve.condemn(rows, "identity", f"{scope.symbol} was asked for and {found} came")
    rows = not_yet(sieve, asked_for(sieve, rows, scope), scope, known)
    rows = sieve.drop(
        rows, pl.col("date").dt.weekday() > _FRIDAY, "calendar", "no rate is fixed then"
    )
    before = stored.filter(pair).sort("date")
    repeated = len(rows.join(before, on="date", how="semi"))
    rows = unrevised(sieve, rows, before, ("date",), ("rate",))
    revised = dates_under(sieve, "revision")
    if len(revised) > max(1, CHANGED * repeated):
        why = (
            f"{len(revised)} of {repeated} repeated rates differ from those stored, the first of "
            f"{revised[0]}: they are of other dates or of another pair; nothing is taken"
        )
        rows = sieve.condemn(rows, "revision", why)

    def fault(row: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
        band, step = plausible(scope.symbol, row["date"]), plausible("rate_move", row["date"])
        if band and not band[0] <= row["rate"] <= band[1]:
            return (
                f"rate {row['rate']:g}, expected {band[0]:g} to {band[1]:g}: is it given for 100, "
                "or the other way round?"
            )
        if last is None or step is None or step[0] <= row["rate"] / last["rate"] <= step[1]:
            return ""
        return (
            f"rate {row['rate']:g} after {last['rate']:g} on {last['date']}: {step} times is most"
        )

    rows = chained(sieve, rows, before, fault)
    missing = _gaps(rows, before, sieve, scope, known)
    verdict = told_verdict(sieve, rows, missing)
    late = verdict.outcome == "no_data_unexplained" and not rows.is_empty()
    return replace(verdict, outcome="transient") if late else verdict


def _gaps(
    rows: pl.DataFrame, before: pl.DataFrame, sieve: Sieve, scope: Scope, known: Known
) -> tuple[date, ...]:
    """Return the sessions without a rate: one is fixed on every morning before them.

    Sources of European rates fix none while the euro's banks rest; one that never has is not late.
    """
    last = min(scope.until, last_final_bar(known.calendar, scope.at))
    present = {*rows["date"], *dates_under(sieve, "revision")}
    sessions = days_between(known.calendar, scope.since, last).tolist()
    gaps = [day for day in sessions if day not in present]
    if not gaps:
        return ()
    open_ = set(read_calendar(EURO).sessions.tolist())
    ever = present | set(before["date"])
    rests = any(day not in open_ and day.isoweekday() <= _FRIDAY for day in ever)
    return tuple(day for day in gaps if rests or day in open_)


def check_suspensions(frame: pl.DataFrame, scope: Scope, known: Known) -> Verdict:
    """Return what is believed of the suspensions a source returned.

    Parameters
    ----------
    frame : the columns of the table ``suspensions``; of any symbols where ``scope.symbol`` is empty
    known : a suspension through which one of the ``stored`` bars was traded is not believed
    """
    sieve = Sieve(scope.symbol, frame.with_row_index(ROW), key="from")
    rows = typed_rows(sieve, "suspensions", scope.symbol or None)
    if rows is None:
        return told_verdict(sieve, TABLES["suspensions"].empty(), ())
    traded = known.stored.filter(pl.col("volume") > 0).select("symbol", "date")
    hit = (
        rows.join(traded, on="symbol")
        .filter(pl.col("date") >= pl.col("from"))
        .filter((pl.col("date") < pl.col("until")).fill_null(value=True))
        .group_by(ROW)
        .agg(pl.col("date").min())
    )
    first = dict(hit.iter_rows())
    rows = sieve.drop(
        rows,
        pl.col(ROW).is_in(list(first)),
        "bound",
        lambda row: f"it was traded on {first[row[ROW]]}: the dates are planned ones, not what was",
    )
    return told_verdict(sieve, rows, ())


def _known_days(calendar: Calendar, days: pl.Series) -> pl.Series:
    """Return the sessions, and such of some days as the calendar does not reach."""
    beyond = days.filter((days > calendar.horizon) | (days < calendar.sessions[0].item()))
    sessions: Days = calendar.sessions
    return pl.concat([pl.Series(sessions).cast(pl.Date), beyond.drop_nulls()])


def _factors(actions: pl.DataFrame) -> Callable[[date, date], float]:
    """Return by how much bonus issues and splits multiply the shares between two dates."""
    steps = actions.filter(pl.col("kind").is_in(["bonus", "split"])).select(
        "ex_date", factor=pl.col("ratio") + (pl.col("kind") == "bonus")
    )

    def between(first: date, last: date) -> float:
        found = (factor for day, factor in steps.iter_rows() if first < day <= last)
        return float(np.prod(list(found)))

    return between


def _absent(
    stored: pl.DataFrame, rows: pl.DataFrame, sieve: Sieve, scope: Scope
) -> tuple[date, ...]:
    """Return the dates stored before, from the same source, that the reply has no row of."""
    if scope.source and "source" in stored.columns:
        stored = stored.filter(pl.col("source") == scope.source)
    known = stored.filter(pl.col("date").is_between(scope.since, scope.until))["date"]
    present = {*rows["date"], *dates_under(sieve, "revision")}
    return tuple(day for day in known if day not in present)
