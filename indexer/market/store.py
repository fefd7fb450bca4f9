"""The market store: Delta tables that rows are merged into, a version for every change.

What is written in one call counts as a whole or not at all, whoever is killed and whoever else is
writing: other tables first, then one commit to the table of prices, which names their versions and
fails if another writer was faster. Then all of it is done again on what that one wrote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from logging import NullHandler, getLogger
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl
import stamina
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from indexer.errors import Flaw, MarketDataError, OutputError, TryAgainError
from indexer.market.checks import ROW, Column, Table, ascending
from indexer.market.delta import ANCHOR, MARK, rows_of, tables_at
from indexer.market.tables import TABLES, table_files

# That another writer was faster is nothing to tell anyone; without a handler it shows on stderr.
getLogger("stamina").addHandler(NullHandler())

PATIENCE = 60.0  # seconds for which a writer tries to get in between others
FILES = 100  # of a table, before they are made few again
FILE_SIZE = 32 << 20  # bytes; a correction writes the files anew that it touches

PROVENANCE = {  # columns a row may have besides; where a row comes from is no part of what it says
    "source": Column("text", expected="text"),
    "fetched_at": Column("instant", expected="an instant in UTC like 2024-01-02T08:15:00Z"),
    "sha256": Column("text", r"^[0-9a-f]{64}$", expected="the SHA-256 of a reply"),
}
_POSITION = "position"  # of an action among those of its symbol: their order is kept

_DATES = ("date", "from")
_UNFIT = "%[]^|\\"  # deltalake takes such a name for another one, or panics

KEYS = {name: table.key for name, table in TABLES.items()} | {"suspensions": ("symbol", "from")}

_SETTINGS = {  # every version stays readable
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}


class _Change(NamedTuple):
    """Rows to add to a table, or to put in the place of those that meet a condition."""

    rows: pl.DataFrame
    mode: Literal["append", "overwrite"]
    where: str | None = None  # None: in the place of all


def write_rows(
    folder: Path | str, rows: Mapping[str, pl.DataFrame], *, symbols: Iterable[str] = ()
) -> int:
    """Merge rows into a market store, made where there is none; return its version after that.

    A row takes the place of the stored row with its key: (symbol, date) in prices, shares and
    series, symbol in securities, (symbol, from) in suspensions, (date, base, quote) in fx. Actions
    have no key: those given take the place of all stored actions of their symbols.

    Where every row is stored as it is, its provenance aside, nothing is written; but that of a row
    is gone which somebody gives without one: it is entered now, and no source's any more.

    Parameters
    ----------
    rows : tables by name, typed or as text, with the columns of a market folder and, where known,
        ``source, fetched_at`` and ``sha256`` of the reply that a row is from
    symbols : whose actions are given besides the symbols in the rows: one that has none loses those
        that are stored

    Raises
    ------
    MarketDataError
        With everything wrong with the rows, as `read_market` finds it, or if what is stored cannot
        be read; nothing is written.
    TryAgainError
        If other writers have been faster for a minute.
    OutputError
        If the folder cannot be written to.
    """
    place, asked = Path(folder), frozenset(symbols)
    if asked and "actions" not in rows:
        rows = {**rows, "actions": _empty("actions")}
    if unfit := {c for c in place.absolute().as_posix() if c in _UNFIT or not c.isprintable()}:
        said = " ".join(map(repr, sorted(unfit)))
        raise OutputError(str(folder), f"a folder of Delta tables has no {said} in its name")
    _refuse_files(place, {*rows, ANCHOR})
    given = _checked(rows)
    try:
        for attempt in stamina.retry_context(
            _is_conflict,
            attempts=None,
            timeout=PATIENCE,
            wait_initial=0.01,
            wait_max=0.5,
            wait_jitter=0.05,
        ):
            with attempt:
                return _commit(place, given, asked)
    except (DeltaError, OSError) as error:
        if _is_conflict(error):
            raise TryAgainError(str(folder), "other writers are at it") from error
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise OutputError(str(folder), reason) from error
    raise AssertionError  # the loop returns or raises


def read_rows(folder: Path | str, name: str, symbols: Iterable[str] | None = None) -> pl.DataFrame:
    """Return the stored rows of a table, of all symbols or of some, with their provenance.

    Empty where there are none. Sorted by key; actions by symbol and as they were written.

    Raises
    ------
    MarketDataError
        If the table cannot be read.
    """
    found = tables_at(Path(folder), [name]).get(name)
    asked = [] if symbols is None else [pl.col("symbol").is_in(list(symbols))]
    rows = _empty(name) if found is None else rows_of(found, *asked)
    return rows.sort(KEYS[name] or ("symbol", _POSITION)).drop(_POSITION, strict=False)


def _is_conflict(error: Exception) -> bool:
    """Return whether another writer was faster."""
    created = isinstance(error, DeltaError) and "already exists" in str(error)
    return created or isinstance(error, CommitFailedError)


def _refuse_files(folder: Path, names: Iterable[str]) -> None:
    """Raise where a table stands in a file already, which has no versions."""
    flaws = [
        Flaw(file.name, None, "", "cannot be added to: write its rows too, and move it away")
        for name in names
        for file in table_files(folder, name)
    ]
    if flaws:
        raise MarketDataError(flaws)


def _checked(rows: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return rows in the types of the store, or raise with all that is wrong with them."""
    found, flaws = {}, []
    for name, frame in rows.items():
        table = replace(TABLES[name], key=KEYS[name], optional=TABLES[name].optional | _more(name))
        known = [c for c in frame.columns if c in table.columns or table.open_ended]
        told = frame.select(known)
        if KEYS[name] and not ascending(told, KEYS[name]):
            # Rows that differ in nothing but where they are from are one.
            told = told.unique(pl.exclude(*PROVENANCE), keep="first", maintain_order=True)
        typed, wrong = table.checked(told.with_row_index(ROW, offset=1), name)
        flaws += wrong
        found[name] = _stored(typed, table)
    if flaws:
        raise MarketDataError(flaws)
    return found


def _more(name: str) -> dict[str, Column]:
    """Return the columns of a table in the store besides those of a market folder."""
    position = {} if KEYS[name] else {_POSITION: Column("number")}
    return PROVENANCE | position


def _stored(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return checked rows in the types of Delta; what is a score or a name is so in any table."""
    free = [c for c in rows.columns if c not in table.columns]
    numbers = [c for c in free if rows[c].dtype.is_numeric()]
    instants = [name for name, column in table.columns.items() if column.kind == "instant"]
    return rows.with_columns(
        pl.col(instants).dt.replace_time_zone("UTC"),
        pl.col(numbers).cast(pl.Float64),
        pl.col([c for c in free if c not in numbers]).cast(pl.String),
    )


def _empty(name: str) -> pl.DataFrame:
    """Return a table of the store without rows."""
    table = replace(TABLES[name], optional=TABLES[name].optional | _more(name))
    return _stored(table.empty(), table)


def _commit(folder: Path, given: Mapping[str, pl.DataFrame], symbols: frozenset[str]) -> int:
    """Write what is new of some rows on the latest version of a store; return the version."""
    tables = tables_at(folder, {*given, ANCHOR})
    changes = {
        name: change
        for name, rows in given.items()
        if (change := _change(name, tables.get(name), rows, symbols)) is not None
    }
    anchor, last = tables.get(ANCHOR), changes.pop(ANCHOR, None)
    named = [
        Transaction(name, _advance(folder / name, tables.get(name), change))
        for name, change in changes.items()
    ]
    if anchor is None:
        _put(folder / ANCHOR, None, last or _Change(_empty(ANCHOR), "append"), named)
        return 0
    before = anchor.version()
    if last is not None:
        _put(anchor, anchor, last, named)
    elif named:
        anchor.create_write_transaction(
            [], "append", anchor.schema(), commit_properties=_properties(named)
        )
    else:
        return before
    return before + 1


def _advance(place: Path, base: DeltaTable | None, change: _Change) -> int:
    """Write a table on one of its versions, undoing what was never finished; return its version."""
    latest = DeltaTable(place) if DeltaTable.is_deltatable(str(place)) else None
    if latest is None:
        _put(place, None, change, [])
        return 0
    if base is None:
        change = _Change(change.rows, "overwrite")
    elif base.version() != latest.version():
        latest.restore(base.version(), commit_properties=_properties([]))
        latest = DeltaTable(place)
    expected = latest.version() + 1
    _put(latest, latest, change, [])
    return expected


def _put(
    place: Path | DeltaTable, table: DeltaTable | None, change: _Change, named: list[Transaction]
) -> None:
    """Make one commit, on the version that is given or on none, or fail."""
    how: dict[str, Any] = {"mode": "error", "configuration": _SETTINGS}
    if table is not None:
        how = {"mode": change.mode, "predicate": change.where, "schema_mode": "merge"}
    write_deltalake(
        place,
        change.rows,
        target_file_size=FILE_SIZE,
        commit_properties=_properties(named),
        **how,
    )


def _properties(named: list[Transaction]) -> CommitProperties:
    """Return how a commit is made: never on top of another's of which nothing was known."""
    return CommitProperties(max_commit_retries=0, app_transactions=[*named, Transaction(MARK, 1)])


def _change(
    name: str, table: DeltaTable | None, given: pl.DataFrame, symbols: frozenset[str]
) -> _Change | None:
    """Return what must change in a table for some rows to be in it; None where they are."""
    if not KEYS[name]:
        return _change_of_sets(table, given, symbols)
    key = list(KEYS[name])
    if table is None:
        return _Change(given.sort(key), "append")
    span = next((column for column in key if column in _DATES), key[0])
    least, most = pl.lit(given[span].min()), pl.lit(given[span].max())
    stored = rows_of(table, pl.col(span).is_between(least, most))
    stored, given = _aligned(stored.join(given, on=key, how="semi"), given)
    fresh = _unknown(given, stored)
    if fresh.is_empty():
        return None
    few = len(table.file_uris()) < FILES
    if few and fresh.join(stored, on=key, how="semi").is_empty():
        return _Change(fresh.sort(key), "append")
    where = None
    if few and "symbol" in key:
        where = _among(fresh["symbol"])
        kept = rows_of(table, pl.col("symbol").is_in(fresh["symbol"].unique().to_list()))
    else:
        kept = rows_of(table)
    kept, fresh = _aligned(kept.join(fresh, on=key, how="anti"), fresh)
    return _Change(pl.concat([kept, fresh]).sort(key), "overwrite", where)


def _change_of_sets(
    table: DeltaTable | None, given: pl.DataFrame, symbols: frozenset[str]
) -> _Change | None:
    """Return what must change for these to be all the actions of their symbols."""
    given = given.with_columns(
        pl.int_range(pl.len()).over("symbol").cast(pl.Float64).alias(_POSITION)
    )
    if table is None:
        return _Change(given, "append")
    asked = symbols.union(given["symbol"])
    stored, given = _aligned(rows_of(table, pl.col("symbol").is_in(list(asked))), given)
    if len(stored) == len(given) and _unknown(given, stored).is_empty():
        return None
    return _Change(given, "overwrite", _among(asked))


def _unknown(given: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are not stored as they are: of no source if they have none, else any."""
    told = [column for column in given.columns if column not in PROVENANCE]
    if "source" not in given.columns:
        return given.join(stored, on=told, how="anti", nulls_equal=True)
    entered = pl.col("source").is_null()
    by_hand, others = given.filter(entered), given.filter(~entered)
    return pl.concat(
        [
            by_hand.join(stored.filter(entered), on=told, how="anti", nulls_equal=True),
            others.join(stored, on=told, how="anti", nulls_equal=True),
        ]
    )


def _aligned(one: pl.DataFrame, other: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return two tables with the columns of both, null where a table has them not."""
    empty = pl.concat([one.clear(), other.clear()], how="diagonal_relaxed")
    first, second = (pl.concat([empty, t], how="diagonal_relaxed") for t in (one, other))
    return first, second


def _among(symbols: Iterable[str]) -> str:
    """Return the condition that a row is of one of some symbols, as SQL."""
    quoted = ", ".join(f"'{symbol}'" for symbol in sorted(set(symbols)))
    return f"symbol IN ({quoted})"
