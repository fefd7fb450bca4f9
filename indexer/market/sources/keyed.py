"""Rows under a key, as a source returned them: what is asked for, has come, and joins on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from indexer.market.checks import ROW
from indexer.market.sources.bars import EXACT, Known, Scope
from indexer.market.sources.cells import typed_cells
from indexer.market.sources.verdict import Sieve, Verdict, quoted
from indexer.market.tables import TABLES


def typed_rows(sieve: Sieve, name: str, symbol: str | None) -> pl.DataFrame | None:
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


def asked_for(sieve: Sieve, rows: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Return the rows of the dates that were asked for."""
    outside = ~pl.col(sieve.key).is_between(scope.since, scope.until)
    return sieve.drop(rows, outside, "window", f"{scope.since} to {scope.until} was asked for")


def not_yet(sieve: Sieve, rows: pl.DataFrame, scope: Scope, known: Known) -> pl.DataFrame:
    """Return the rows of dates that have come."""
    today = scope.at.astimezone(known.calendar.zone).date()
    return sieve.drop(rows, pl.col("date") > today, "future", f"it is only {today}")


def unrevised(
    sieve: Sieve,
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    key: tuple[str, ...],
    figures: tuple[str, ...],
) -> pl.DataFrame:
    """Return the rows that do not differ from what is stored under their key."""
    groups: dict[tuple[Any, ...], list[tuple[float, ...]]] = {}
    for cells in stored.select(*key, pl.col(figures).fill_null(0.0)).iter_rows():
        groups.setdefault(cells[: len(key)], []).append(cells[len(key) :])
    wrong: dict[int, str] = {}
    for row in rows.iter_rows(named=True):
        old = groups.get(tuple(row[name] for name in key), [])
        new = [row[name] or 0.0 for name in figures]
        if old and not any(_same(new, figure) for figure in old):
            told = ", ".join(f"{n} {v:g}" for n, v in zip(figures, old[0], strict=True))
            wrong[row[ROW]] = f"stored is {told}: restate if the new one is right"
    at = pl.col(ROW).is_in(list(wrong))
    return sieve.drop(rows, at, "revision", lambda row: wrong[row[ROW]])


def _same(new: Sequence[float], old: Sequence[float]) -> bool:
    """Return whether all figures are the same but for rounding."""
    pairs = zip(new, old, strict=True)
    return all(abs(now - before) <= EXACT * abs(before) for now, before in pairs)


def chained(
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


def told_verdict(sieve: Sieve, rows: pl.DataFrame, missing: tuple[date, ...]) -> Verdict:
    """Return what is made of the rows that are left."""
    rows, log = rows.drop(ROW, strict=False), tuple(sieve.log)
    if fault := sieve.fault:
        return Verdict("corrupt", rows, log, missing, fault)
    if missing or (rows.is_empty() and not dates_under(sieve, "revision")):
        what = f"nothing for {', '.join(map(str, missing[:3])) or 'any date'}"
        reason = (
            f"{sieve.symbol}: {what}: ask the next source, come again later, or enter what is right"
        )
        return Verdict("no_data_unexplained", rows, log, missing, reason)
    return Verdict("ok", rows, log)


def dates_under(sieve: Sieve, rule: str) -> list[date]:
    """Return the dates whose rows a rule held back."""
    return [entry.date for entry in sieve.log if entry.rule == rule and entry.date is not None]
