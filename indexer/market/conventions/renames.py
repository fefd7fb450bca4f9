"""Securities that changed their symbol, as dated data, and what a market says of it.

An engine knows of changes of symbol by the actions of a market alone: what this table knows becomes
rows of the kind ``symbol_change`` when a market is fetched.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from indexer.market.conventions.dated import rows_of


class Rename(NamedTuple):
    """A change of symbol: the security trades as ``other`` from a date on."""

    symbol: str
    other: str
    since: date


def symbol_on(symbol: str, day: date) -> str:
    """Return the symbol that a security, named by any of its symbols, had on a date.

    Examples
    --------
    >>> [symbol_on(s, date(2025, 10, 8)) for s in ("430047.BJ", "920047.BJ")]
    ['430047.BJ', '430047.BJ']
    >>> [symbol_on(s, date(2025, 10, 9)) for s in ("430047.BJ", "920047.BJ")]
    ['920047.BJ', '920047.BJ']
    """
    changes = renames_of(symbol)
    past = [change.other for change in changes if change.since <= day]
    return past[-1] if past else changes[0].symbol if changes else symbol


def latest_symbol(symbol: str) -> str:
    """Return the symbol that a security has after all changes that are known."""
    return symbol_on(symbol, date.max)


def renames_of(symbol: str) -> tuple[Rename, ...]:
    """Return the changes of a security, named by any of its symbols, oldest first."""
    by_old, by_new = _renames()
    first = symbol
    while first in by_new:
        first = by_new[first].symbol
    found = []
    while first in by_old:
        found.append(by_old[first])
        first = by_old[first].other
    return tuple(found)


def rename_actions(symbols: Iterable[str]) -> pl.DataFrame:
    """Return the changes of some securities as rows of a market's table of actions.

    They belong to the actions of their symbol: ``other`` is the symbol from ``ex_date`` on.
    """
    found = dict.fromkeys(change for symbol in symbols for change in renames_of(symbol))
    schema = {"symbol": pl.String, "other": pl.String, "ex_date": pl.Date}
    rows = pl.DataFrame(list(found), schema, orient="row")
    kind = pl.lit("symbol_change").alias("kind")
    return rows.select("symbol", "ex_date", kind, "other")


@lru_cache
def _renames() -> tuple[dict[str, Rename], dict[str, Rename]]:
    """Return the table by the earlier and by the later symbol."""
    rows = [
        Rename(row["symbol"], row["other"], date.fromisoformat(row["from"]))
        for row in rows_of("renames")
    ]
    return {row.symbol: row for row in rows}, {row.other: row for row in rows}
