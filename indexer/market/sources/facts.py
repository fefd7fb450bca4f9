"""Actions, share counts, exchange rates and suspensions that a source returned: what is believed.

As for bars, what other facts contradict is not believed, and is written down row by row.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.market.calendar import Calendar
from indexer.market.checks import ROW
from indexer.market.conventions.bounds import plausible
from indexer.market.sources.bars import EXACT, Asked, Known, days_between, last_final
from indexer.market.sources.cells import typed_cells
from indexer.market.sources.verdict import Sieve, Verdict, quoted
from indexer.market.tables import TABLES

_COUNTS = ("total_shares", "free_float_shares")


def check_actions(frame: pl.DataFrame, asked: Asked, known: Known) -> Verdict:
    """Return what is believed of the corporate actions a source returned for one symbol.

    Announced actions whose ex-date has not come are kept: they act from that date on. Of actions
    known already, those that changed are reported and not applied, and those that the reply
    lacks are ``missing``. An empty reply says nothing: no action and no answer look alike.

    Parameters
    ----------
    frame : the columns of the table ``actions``, amounts per share
    asked : ``since`` and ``until`` bound the ex-dates
    known : ``actions`` are those believed before; a cash amount is held against the last close
        before its ex-date among ``stored``
    """
    sieve = Sieve(asked.symbol, frame.with_row_index(ROW), key="ex_date")
    rows = _typed(sieve, "actions", asked.symbol)
    if rows is None:
        return _verdict(sieve, TABLES["actions"].empty(), ())
    rows = _asked_for(sieve, rows, asked)
    day = pl.col("ex_date")
    alive = (day >= (known.listed or date.min)) & (day <= (known.delisted or date.max))
    rows = sieve.drop(rows, ~alive, "listing", "the share was not listed: it is another's")
    closed = ~day.is_in(_known_days(known.calendar, rows["ex_date"]).implode())
    why = f"no session of {known.calendar.code}: an ex-date is one, take it from another source"
    rows = sieve.drop(rows, closed, "session", why)
    rows = _plausible_actions(sieve, rows, known.stored.filter(pl.col("symbol") == asked.symbol))
    before = known.actions.filter(
        pl.col("symbol") == asked.symbol, day.is_between(asked.since, asked.until)
    )
    told = set(rows.select("ex_date", "kind").rows())
    rows = _unrevised(sieve, rows, before, ("ex_date", "kind"), ("cash", "ratio", "price"))
    held = before.select("ex_date", "kind").unique().sort(pl.all()).rows()
    missing = dict.fromkeys(day for day, kind in held if (day, kind) not in told)
    return _verdict(sieve, rows, tuple(missing))


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
                f"{row['kind']} of {value:g}{against}: at most {bounds[1]:g} is plausible; is it "
                "given per 10 shares?"
            )
    rows = rows.select(ROW, *TABLES["actions"].columns)
    at = pl.col(ROW).is_in(list(wrong))
    return sieve.drop(rows, at, "bound", lambda row: wrong[row[ROW]])


def check_shares(frame: pl.DataFrame, asked: Asked, known: Known, stored: pl.DataFrame) -> Verdict:
    """Return what is believed of the share counts a source returned for one symbol.

    A step of the total beyond what is plausible, after the bonus issues and splits between, drops
    every row until one joins on again.

    Parameters
    ----------
    frame : the columns of the table ``shares``, in shares
    stored : the rows believed before, of the table ``shares``
    """
    sieve = Sieve(asked.symbol, frame.with_row_index(ROW))
    rows = _typed(sieve, "shares", asked.symbol)
    if rows is None:
        return _verdict(sieve, TABLES["shares"].empty(), ())
    rows = _not_yet(sieve, _asked_for(sieve, rows, asked), asked, known)
    before = stored.filter(pl.col("symbol") == asked.symbol).sort("date")
    factors = _factors(known.actions.filter(pl.col("symbol") == asked.symbol))
    rows = _unrevised(sieve, rows, before, ("date",), _COUNTS)

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

    rows = _chained(sieve, rows, before, fault)
    old = {row["date"]: row for row in before.to_dicts()}
    counts = old | {row["date"]: row for row in rows.to_dicts()}
    same = [
        day
        for last, day in pairwise(sorted(counts))
        if day not in old and all(counts[day][n] == counts[last][n] for n in _COUNTS)
    ]
    why = "its counts are those of the date before"
    rows = sieve.drop(rows, pl.col("date").is_in(same), "duplicate", why)
    return _verdict(sieve, rows, _absent(before, rows, sieve, asked))


def check_rates(frame: pl.DataFrame, asked: Asked, known: Known, stored: pl.DataFrame) -> Verdict:
    """Return what is believed of the exchange rates a source returned for one pair.

    ``missing`` are the sessions without a rate; of a reply that lacks some the rest is believed,
    and it is ``transient``.

    Parameters
    ----------
    frame : the columns of the table ``fx``, units of quote for one of base
    asked : its ``symbol`` is the pair, as in ``USD/CNY``
    stored : the rows believed before, of the table ``fx``
    """
    base, _, quote = asked.symbol.partition("/")
    sieve = Sieve(asked.symbol, frame.with_row_index(ROW))
    rows = _typed(sieve, "fx", None)
    if rows is None:
        return _verdict(sieve, TABLES["fx"].empty(), ())
    pair = (pl.col("base") == base) & (pl.col("quote") == quote)
    if not rows.filter(~pair).is_empty():
        found = "/".join(quoted(cell)[1:-1] for cell in rows.filter(~pair).row(0)[2:4])
        rows = sieve.condemn(rows, "identity", f"{asked.symbol} was asked for and {found} came")
    rows = _not_yet(sieve, _asked_for(sieve, rows, asked), asked, known)
    rows = sieve.drop(rows, pl.col("date").dt.weekday() > 5, "calendar", "no rate is fixed then")
    before = stored.filter(pair).sort("date")
    rows = _unrevised(sieve, rows, before, ("date",), ("rate",))

    def fault(row: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
        band, step = plausible(asked.symbol, row["date"]), plausible("rate_move", row["date"])
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

    rows = _chained(sieve, rows, before, fault)
    missing = _gaps(rows, sieve, asked, known)
    verdict = _verdict(sieve, rows, missing)
    late = verdict.outcome == "no_data_unexplained" and not rows.is_empty()
    return replace(verdict, outcome="transient") if late else verdict


def _gaps(rows: pl.DataFrame, sieve: Sieve, asked: Asked, known: Known) -> tuple[date, ...]:
    """Return the sessions without a rate: one is fixed on every morning before them."""
    last = min(asked.until, last_final(asked, known.calendar) or date.min)
    present = {*rows["date"], *_dates(sieve, "revision")}
    sessions = days_between(known.calendar, asked.since, last).tolist()
    return tuple(day for day in sessions if day not in present)


def check_suspensions(frame: pl.DataFrame, asked: Asked, known: Known) -> Verdict:
    """Return what is believed of the suspensions a source returned.

    Parameters
    ----------
    frame : the columns of the table ``suspensions``; of any symbols where ``asked.symbol`` is empty
    known : a suspension through which one of the ``stored`` bars was traded is not believed
    """
    sieve = Sieve(asked.symbol, frame.with_row_index(ROW), key="from")
    rows = _typed(sieve, "suspensions", asked.symbol or None)
    if rows is None:
        return _verdict(sieve, TABLES["suspensions"].empty(), ())
    backwards = pl.col("until") < pl.col("from")
    why = "it ends before it begins: take the dates from another source"
    rows = sieve.drop(rows, backwards, "bound", why)
    today = asked.at.astimezone(known.calendar.zone).date()
    last = pl.col("until").fill_null(today)
    traded = known.stored.filter(pl.col("volume") > 0).select("symbol", "date")
    hit = (
        rows.join(traded, on="symbol")
        .filter(pl.col("date").is_between(pl.col("from"), last))
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
    return _verdict(sieve, rows, ())


def _typed(sieve: Sieve, name: str, symbol: str | None) -> pl.DataFrame | None:
    """Return rows in the types and rules of a table; None where the columns are not its own."""
    table, given = TABLES[name], sieve.given
    columns = set(given.columns) - {ROW}
    missing, unknown = set(table.required) - columns, columns - set(table.columns)
    if missing or unknown or any(given[c].dtype == pl.Object for c in columns):
        why = (
            f"columns {', '.join(sorted(columns)) or 'none'}: missing "
            f"{', '.join(sorted(missing)) or 'none'}, unknown "
            f"{', '.join(sorted(unknown)) or 'none'} for the table {name}: the source "
            "has changed its table, adapt what reads it"
        )
        sieve.condemn(given.select(ROW), "shape", why)
        return None
    rows = typed_cells(sieve, table.columns, table.required)
    if symbol is not None and not (others := rows.filter(pl.col("symbol") != symbol)).is_empty():
        found = quoted(others["symbol"][0])
        return sieve.condemn(rows, "identity", f"{symbol} was asked for and {found} came")
    twice = ~pl.struct(pl.exclude(ROW)).is_first_distinct()
    rows = sieve.drop(rows, twice, "duplicate", "the same row came before: kept once")
    if table.key:
        conflict = pl.struct(table.key).is_duplicated()
        why = "several rows of this key disagree: none is believed, ask another source"
        rows = sieve.drop(rows, conflict, "conflict", why)
    for rule in table.rules:
        rows = sieve.drop(rows, rule.broken, "bound", rule.message.format_map)
    return rows.sort(sieve.key, ROW)


def _asked_for(sieve: Sieve, rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    outside = ~pl.col(sieve.key).is_between(asked.since, asked.until)
    return sieve.drop(rows, outside, "window", f"{asked.since} to {asked.until} was asked for")


def _not_yet(sieve: Sieve, rows: pl.DataFrame, asked: Asked, known: Known) -> pl.DataFrame:
    today = asked.at.astimezone(known.calendar.zone).date()
    return sieve.drop(rows, pl.col("date") > today, "future", f"it is only {today}")


def _known_days(calendar: Calendar, days: pl.Series) -> pl.Series:
    """Return the sessions, and such of some days as the calendar does not reach."""
    beyond = days.filter((days > calendar.horizon) | (days < calendar.sessions[0].item()))
    sessions: Days = calendar.sessions
    return pl.concat([pl.Series(sessions).cast(pl.Date), beyond.drop_nulls()])


def _unrevised(
    sieve: Sieve,
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    key: tuple[str, ...],
    figures: tuple[str, ...],
) -> pl.DataFrame:
    """Return the rows that do not differ from what is stored under their key."""
    groups = {
        k: group.select(figures).fill_null(0.0).rows()
        for k, group in stored.group_by(key, maintain_order=True)
    }
    wrong: dict[int, str] = {}
    for row in rows.iter_rows(named=True):
        old = groups.get(tuple(row[name] for name in key), [])
        new = [row[name] or 0.0 for name in figures]
        if old and not any(np.allclose(new, figure, rtol=EXACT, atol=0.0) for figure in old):
            told = ", ".join(f"{n} {v:g}" for n, v in zip(figures, old[0], strict=True))
            wrong[row[ROW]] = f"stored is {told}: restate if the new one is right"
    at = pl.col(ROW).is_in(list(wrong))
    return sieve.drop(rows, at, "revision", lambda row: wrong[row[ROW]])


def _chained(
    sieve: Sieve,
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    fault: Callable[[Mapping[str, Any], Mapping[str, Any] | None], str],
) -> pl.DataFrame:
    """Return the rows without fault against the last one believed, by date."""
    old = stored.to_dicts()
    wrong: dict[int, str] = {}
    last: Mapping[str, Any] | None = None
    for row in rows.iter_rows(named=True):
        while old and old[0]["date"] < row["date"]:
            last = old.pop(0)
        if said := fault(row, last):
            wrong[row[ROW]] = said
        else:
            last = row
    at = pl.col(ROW).is_in(list(wrong))
    return sieve.drop(rows, at, "bound", lambda row: wrong[row[ROW]])


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
    stored: pl.DataFrame, rows: pl.DataFrame, sieve: Sieve, asked: Asked
) -> tuple[date, ...]:
    """Return the dates stored before that the reply has no row of."""
    known = stored.filter(pl.col("date").is_between(asked.since, asked.until))["date"]
    present = {*rows["date"], *_dates(sieve, "revision")}
    return tuple(day for day in known if day not in present)


def _dates(sieve: Sieve, rule: str) -> list[date]:
    return [entry.date for entry in sieve.log if entry.rule == rule and entry.date is not None]


def _verdict(sieve: Sieve, rows: pl.DataFrame, missing: tuple[date, ...]) -> Verdict:
    rows, log = rows.drop(ROW, strict=False), tuple(sieve.log)
    if fault := sieve.fault:
        return Verdict("corrupt", rows, log, missing, fault)
    if missing or (rows.is_empty() and not _dates(sieve, "revision")):
        what = f"nothing for {', '.join(map(str, missing[:3])) or 'any date'}"
        reason = f"{sieve.symbol}: {what}: ask the next source, or come again later"
        return Verdict("no_data_unexplained", rows, log, missing, reason)
    return Verdict("ok", rows, log)
