"""Two sources side by side: whose figure counts, by the written hierarchy.

The hierarchy is data (``indexer/market/conventions/hierarchy.csv``): per field the order of the
sources, by how much they may differ, and what happens where no two agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import cast

import numpy as np
import polars as pl

from indexer.arrays import Flags, Grid, Rows, Vector
from indexer.definitions.symbols import split_symbol
from indexer.market.conventions.hierarchy import Precedence, precedence
from indexer.market.conventions.ticks import tick_size
from indexer.market.sources.verdict import Disregarded
from indexer.market.tables import TABLES

IDENTITY = {  # columns by which rows of two sources tell of the same
    **{name: TABLES[name].key for name in ("prices", "series", "shares", "fx")},
    "actions": ("symbol", "ex_date", "kind"),
}
_NTH = "\0nth"  # tells equal keys of one source apart, such as two dividends of one date
_UNDECIDED = (  # of two, of more
    "neither counts, ask a third source",
    "none counts, look it up and name by --source whom to believe",
)
_EXACT = 1e-9  # relative: a difference this far above the tolerance is that of its decimals


def ranking(table: str, on: date) -> tuple[str, ...]:
    """Return the sources of a table in the order of the hierarchy of a date; none of any other.

    Examples
    --------
    >>> ranking("actions", date(2026, 11, 20))
    ('cninfo', 'eastmoney')
    """
    columns = TABLES[table].columns if table in IDENTITY else ()
    rules = (precedence(table, name, "", on) for name in columns)
    return next((rule.sources for rule in rules if rule), ())


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What several sources make of one table.

    Attributes
    ----------
    rows : the rows taken, in the schema of the table, by key
    disregarded : every figure that differs from the one taken, and those of refused rows
    refused : keys of rows that no source is believed about
    single : keys of rows that only one of several sources has
    """

    rows: pl.DataFrame
    disregarded: tuple[Disregarded, ...]
    refused: pl.DataFrame
    single: pl.DataFrame


def agree(table: str, replies: Mapping[str, pl.DataFrame], on: date) -> Agreement:
    """Return what is believed of a table that several sources gave, by the hierarchy of a date.

    Of each figure that of the first source counts with which another one agrees, and among those
    who agree must be the last source that has it: the first ones often copy one another. Where
    none do, the row is refused or the first source counts, as the hierarchy says of the field.

    Parameters
    ----------
    table : one of ``prices``, ``series``, ``shares``, ``actions``, ``fx``
    replies : by source, at least one; rows as the checks of one reply believe them
    on : the date whose hierarchy counts

    Raises
    ------
    ValueError
        If the hierarchy does not list one of the sources for the table.

    Examples
    --------
    >>> bar = pl.DataFrame({"symbol": "300308.SZ", "date": date(2026, 8, 20), "close": 10.0})
    >>> other = bar.with_columns(close=10.02)
    >>> replies = {"eastmoney": bar, "tencent": other}
    >>> found = agree("prices", replies, date(2026, 11, 20))
    >>> print(found.disregarded[0])
    disagreement: 300308.SZ 2026-08-20: close 10: eastmoney says so and tencent 10.02; ...
    """
    order = _order(table, list(replies), on)
    names = list(TABLES[table].columns)
    key = [*IDENTITY[table], _NTH]
    wide = _side_by_side(table, [replies[source] for source in order], key)
    taken = wide.select(*key, *(_first(name, len(order)) for name in names if name not in key))
    refused = np.zeros(len(wide), dtype=bool)
    log: list[Disregarded] = []
    present = wide.select(f"present@{n}" for n in range(len(order))).to_numpy().astype(bool)
    single = (present.sum(axis=1) == 1) & (len(order) > 1)
    suffixes = _suffixes(wide)
    for name in names:
        for suffix in sorted(set(suffixes)):
            rule = precedence(table, name, suffix, on)
            at = np.flatnonzero(np.array(suffixes) == suffix)
            if rule is None or not len(at):
                continue
            if name in key:
                alone = at[single[at] & (rule.otherwise == "refuse")]
                refused[alone] = True
                _log_single(log, wide, name, alone, (order, present))
                continue
            values = wide[at.tolist()].select(f"{name}@{n}" for n in range(len(order))).to_numpy()
            column = _Column(name, order, rule)
            chosen, wrong = _judged(column, wide[at.tolist()], values.astype(float), log)
            refused[at] |= wrong
            taken = _replaced(taken, name, at, chosen)
    rows = taken.filter(pl.Series(~refused)).sort(key).select(names)
    keys = wide.select(IDENTITY[table])
    return Agreement(
        rows, tuple(log), keys.filter(pl.Series(refused)), keys.filter(pl.Series(single))
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A field, the sources that give it in their order, and what holds for it."""

    name: str
    order: tuple[str, ...]
    rule: Precedence


def _order(table: str, sources: list[str], on: date) -> tuple[str, ...]:
    """Return the sources in the order of the hierarchy, or raise if it does not list one."""
    ranked = ranking(table, on)
    if unknown := [source for source in sources if source not in ranked]:
        raise ValueError(
            f"{', '.join(unknown)}: no place among {', '.join(ranked)} for {table}; add it "
            "to conventions/hierarchy.csv"
        )
    return tuple(source for source in ranked if source in sources)


def _side_by_side(table: str, frames: list[pl.DataFrame], key: list[str]) -> pl.DataFrame:
    """Return one row a key, with the columns of the n-th source named ``column@n``."""
    numbered = []
    for n, frame in enumerate(frames):
        whole = pl.concat([TABLES[table].empty(), frame], how="diagonal_relaxed")
        marked = whole.sort(pl.all()).with_columns(
            pl.int_range(pl.len()).over(IDENTITY[table]).alias(_NTH), present=pl.lit(value=True)
        )
        numbered.append(marked.rename({c: f"{c}@{n}" for c in marked.columns if c not in key}))
    wide = reduce(lambda a, b: a.join(b, on=key, how="full", coalesce=True), numbered)
    return wide.with_columns(pl.col("^present@.*$").fill_null(value=False))


def _suffixes(wide: pl.DataFrame) -> list[str]:
    if "symbol" not in wide.columns:
        return [""] * len(wide)
    return [split_symbol(symbol)[1] for symbol in wide["symbol"]]


def _first(name: str, count: int) -> pl.Expr:
    """Return a column of the first source that has it."""
    return pl.coalesce(pl.col(f"^{name}@[0-{count - 1}]$")).alias(name)


def _judged(
    column: _Column, rows: pl.DataFrame, values: Grid, log: list[Disregarded]
) -> tuple[Vector, Flags]:
    """Return the figure that counts of each row, and which rows are refused; log the others."""
    slack = _tolerances(column.rule, rows, values)
    given = ~np.isnan(values)
    near = np.abs(values[:, :, None] - values[:, None, :]) <= slack[:, None, None]
    last = given.shape[1] - 1 - given[:, ::-1].argmax(axis=1)
    seconded = (near.sum(axis=2) > 1) & near[np.arange(len(values)), last]  # each is near itself
    alone = given.sum(axis=1) <= 1
    best = np.where(seconded.any(axis=1), seconded.argmax(axis=1), given.argmax(axis=1))
    chosen = values[np.arange(len(values)), best]
    split = ~seconded.any(axis=1) & ~alone
    wrong = split & (column.rule.otherwise == "refuse")
    off = given & ~(np.abs(values - chosen[:, None]) <= slack[:, None])
    for i in np.flatnonzero(off.any(axis=1)).tolist():
        said = [(s, v) for s, v in zip(column.order, values[i], strict=True) if not np.isnan(v)]
        for n, source in enumerate(column.order):
            if given[i, n] and (off[i, n] or wrong[i]):
                others = " and ".join(f"{s} {v:g}" for s, v in said if s != source)
                counts = f"{column.order[best[i]]} counts"
                end = _UNDECIDED[len(said) > 2] if wrong[i] else counts
                why = (
                    f"{source} says so and {others}; {column.rule.tolerance:g} "
                    f"({column.rule.unit}) apart is allowed: {end}"
                )
                entry = _entry(rows.row(i, named=True), column.name, f"{values[i, n]:g}", why)
                log.append(replace(entry, refused=bool(wrong[i])))
    return chosen, wrong


def _tolerances(rule: Precedence, rows: pl.DataFrame, values: Grid) -> Vector:
    """Return by how much the figures of each row may differ."""
    size: Vector = np.nanmax(np.where(np.isnan(values), 0.0, np.abs(values)), axis=1)
    slack: Vector = _EXACT * size
    if rule.unit == "relative":
        slack += rule.tolerance * size
        return slack
    if rule.unit == "absolute":
        slack += rule.tolerance
        return slack
    ticks = [
        tick_size(symbol, day, price)
        for symbol, day, price in zip(rows["symbol"], rows["date"], size.tolist(), strict=True)
    ]
    slack += rule.tolerance * np.array(ticks)
    return slack


def _log_single(
    log: list[Disregarded],
    wide: pl.DataFrame,
    name: str,
    at: Rows,
    seen: tuple[tuple[str, ...], Grid | Flags],
) -> None:
    order, present = seen
    for i in at.tolist():
        source = order[int(np.argmax(present[i]))]
        why = f"{source} alone has it, of {', '.join(order)}: not taken, ask a third source"
        row = wide.row(i, named=True)
        log.append(replace(_entry(row, name, str(row[name]), why), refused=True))


def _entry(row: Mapping[str, object], field: str, value: str, why: str) -> Disregarded:
    symbol = row.get("symbol") or f"{row.get('base')}/{row.get('quote')}"
    day = cast("date", row.get("date") or row.get("ex_date"))  # part of every key
    return Disregarded("disagreement", str(symbol), day, field, value, why)


def _replaced(taken: pl.DataFrame, name: str, at: Rows, chosen: Vector) -> pl.DataFrame:
    column = taken[name].cast(pl.Float64).to_numpy().copy()
    column[at] = chosen
    return taken.with_columns(pl.Series(name, column).fill_nan(None))
