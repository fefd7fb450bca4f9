"""A market folder: tables of prices, actions and reference data, read and checked whole.

A table is a Parquet or CSV file, or a Delta table as `write_rows` makes them; the latter are read
as they stood at any version of the store.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import yaml

from indexer.definitions.symbols import CANONICAL, CANONICAL_SERIES
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.folders import is_folder, is_there
from indexer.market.checks import (
    ACTION_RULES,
    FLOAT_RULES,
    FX_RULES,
    ROW,
    Column,
    Table,
    ascending,
    currency_rules,
    in_order,
)
from indexer.market.delimited import csv_flaws, short_rows, with_lines
from indexer.market.delta import ANCHOR, UNREADABLE, rows_of, split_version, tables_at
from indexer.market.strays import strays

if TYPE_CHECKING:
    from deltalake import DeltaTable

PriceKind = Literal["raw", "total_return_adjusted"]

_TEXT = Column("text", expected="text")
_DATE = Column("date", expected="a date like 2024-01-02")
_SYMBOL = Column("text", CANONICAL, expected="a symbol like 300308.SZ, 00700.HK or NVDA.US")
_SERIES = Column("text", CANONICAL_SERIES, expected="a series like 399006.SZ or HSTECH.HK")
_CURRENCY = Column("text", r"^[A-Z]{3}$", expected="a currency like CNY")
_KIND = Column("text", r"^(?:raw|total_return_adjusted)$", expected="raw or total_return_adjusted")
_POSITIVE = Column("number", positive=True, expected="a finite number above zero")
_NUMBER = Column("number", expected="a finite number, zero or above")
_INSTANT = Column("instant", expected="an instant in UTC like 2024-01-02T08:15:00Z")

SOURCE = "source"  # of a row of a Delta table: whom it is from

TABLES = {
    "prices": Table(
        {"symbol": _SYMBOL, "date": _DATE, "close": _POSITIVE},
        dict.fromkeys(("open", "high", "low", "volume", "amount"), _NUMBER),
        key=("symbol", "date"),
    ),
    "securities": Table(
        {"symbol": _SYMBOL},
        dict.fromkeys(("name_zh", "name_en", "country", "segment", "issuer"), _TEXT)
        | {"currency": _CURRENCY, "list_date": _DATE, "delist_date": _DATE, "price_kind": _KIND},
        key=("symbol",),
        open_ended=True,
        rules=(*currency_rules("currency"), in_order("list_date", "delist_date")),
    ),
    "shares": Table(
        {"symbol": _SYMBOL, "date": _DATE, "total_shares": _POSITIVE},
        {"free_float_shares": _NUMBER},
        key=("symbol", "date"),
        rules=FLOAT_RULES,
    ),
    "actions": Table(
        {"symbol": _SYMBOL, "ex_date": _DATE, "kind": _TEXT},
        dict.fromkeys(("cash", "ratio", "price"), _NUMBER) | {"other": _SYMBOL},
        rules=ACTION_RULES,
    ),
    "suspensions": Table(
        {"symbol": _SYMBOL, "from": _DATE},
        {"until": _DATE, "reason": _TEXT},
        rules=(in_order("from", "until"),),
    ),
    "fx": Table(
        {"date": _DATE, "base": _CURRENCY, "quote": _CURRENCY, "rate": _POSITIVE},
        {"fixed_at": _INSTANT},
        key=("date", "base", "quote"),
        rules=currency_rules("base", "quote") + FX_RULES,
    ),
    "series": Table(
        {"symbol": _SERIES, "date": _DATE, "close": _POSITIVE},
        {"currency": _CURRENCY, "announced_at": _DATE},
        key=("symbol", "date"),
        rules=currency_rules("currency"),
    ),
}

_MANIFEST = {  # known keys, and the values allowed; any text where there are none
    "price_kind": ("raw", "total_return_adjusted"),
    "synthetic": ("true", "false"),
    "source": (),
    "retrieved": (),  # for who reads the file
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a market folder says of itself.

    Attributes
    ----------
    price_kind : ``raw``, or ``total_return_adjusted`` where closes have dividends in them
    synthetic : whether its prices are invented
    source : whom its data are from; empty where it does not say
    oldest : where only some rows of a folder are at hand, the date of the first close of all
    ends : likewise, the last session that each index has with all of them, by id
    bare : tables that are there and hold no row: they say that there is nothing
    """

    price_kind: PriceKind = "raw"
    synthetic: bool = False
    source: str = ""
    oldest: date | None = None
    ends: Mapping[str, date] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """A market folder after checking; absent tables and absent optional columns are empty.

    Attributes
    ----------
    folder : where it was read from
    manifest : what it says of itself
    prices, securities, shares, actions, suspensions, fx, series : its tables, with the columns of
        the contract of market folders
    """

    folder: str
    manifest: Manifest
    prices: pl.DataFrame
    securities: pl.DataFrame
    shares: pl.DataFrame
    actions: pl.DataFrame
    suspensions: pl.DataFrame
    fx: pl.DataFrame
    series: pl.DataFrame


def read_market(folder: Path | str, *, without: Collection[str] = ()) -> Market:
    """Return the checked tables of a market folder, ``DIR`` or ``DIR@VERSION``.

    Parameters
    ----------
    without : tables that are neither read nor checked, and empty

    Raises
    ------
    ValueError
        If a table is to be left out that is none.
    MissingInputError
        If the folder, the version, or every table in it, is missing.
    MarketDataError
        With every flaw of every table: a missing column, a cell that is not what its column
        holds, a close that is zero, negative or not finite, rows that conflict; and with every
        file that has nearly a table's name.
    """
    if none := sorted({*without} - {*TABLES}):
        raise ValueError(f"without: {', '.join(none)}: the tables are {', '.join(TABLES)}")
    path, version = split_version(folder)
    if not is_folder(path):
        there = is_there(path)
        wrong = "is a file: name the folder of tables" if there else "no such market folder"
        raise MissingInputError([Flaw(str(folder), None, "", wrong)])
    flaws = list(strays(path, TABLES))
    stored = tables_at(path, TABLES, version)
    files = {name: table_files(path, name) for name in TABLES}
    if not any(files.values()) and not stored and not flaws:
        message = f"holds none of the tables {', '.join(TABLES)}"
        raise MissingInputError([Flaw(str(folder), None, "", message)])
    frames = {
        name: TABLES[name].empty()
        if name in without
        else _read_table(name, files[name], stored.get(name), flaws)
        for name in TABLES
    }
    manifest = _read_manifest(path / "manifest.yaml", flaws)
    if flaws:
        raise MarketDataError(flaws)
    if not manifest.source:
        manifest = replace(manifest, source=_sources(stored))
    held = {name for name in TABLES if files[name] or name in stored}.difference(without)
    bare = frozenset(name for name in held if frames[name].is_empty())
    return Market(str(folder), replace(manifest, bare=bare), **frames)


def _sources(stored: Mapping[str, "DeltaTable"]) -> str:
    """Return whom the rows of Delta tables are from, where they say so, sorted."""
    who, found = pl.col(SOURCE).cast(pl.String).drop_nulls().unique(), set[str]()
    for table in stored.values():
        if SOURCE in {column.name for column in table.schema().fields}:
            found.update(rows_of(table, columns=who)[SOURCE])
    return ", ".join(sorted(found))


def read_table(folder: Path | str, name: str) -> pl.DataFrame:
    """Return one table of a market folder, ``DIR`` or ``DIR@VERSION``, checked.

    Raises
    ------
    MissingInputError
        If the folder has no such table, or no such version.
    MarketDataError
        With every flaw of the table, as `read_market` does.
    """
    path, version = split_version(folder)
    files, stored = table_files(path, name), tables_at(path, [name], version).get(name)
    if not files and stored is None:
        raise MissingInputError([Flaw(str(folder), None, "", f"holds no table {name}")])
    flaws: list[Flaw] = []
    frame = _read_table(name, files, stored, flaws)
    if flaws:
        raise MarketDataError(flaws)
    return frame


def table_files(folder: Path, name: str) -> list[Path]:
    """Return the files a table of a market folder stands in; there should be one."""
    places = (folder / f"{name}.parquet", folder / f"{name}.csv")
    return [p for p in places if os.path.lexists(p)]  # also a link that leads nowhere


def _read_table(
    name: str, files: list[Path], stored: "DeltaTable | None", flaws: list[Flaw]
) -> pl.DataFrame:
    """Return one table, empty where it is absent; append what is wrong with it."""
    table = TABLES[name]
    forms = [file.name for file in files] + [f"{name}/"] * (stored is not None)
    if len(forms) > 1:
        both = " and ".join(forms)
        flaws.append(Flaw(forms[0], None, "", f"{both} both exist: keep one of them"))
    if len(forms) != 1:
        return table.empty()
    try:
        rows = _read_rows(files[0], table) if stored is None else _stored_rows(table, stored)
    except MarketDataError as error:
        flaws.extend(error.flaws)
        return table.empty()
    except UNREADABLE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        if stored is None and not os.path.isfile(files[0]):
            flaws.append(Flaw(forms[0], None, "", "is no file, nor a link to one"))
            return table.empty()
        told = csv_flaws(files[0], table) if forms[0].endswith(".csv") else []
        told = told or [Flaw(forms[0], None, "", f"cannot be read as a table: {reason}")]
        flaws.extend(told)
        return table.empty()
    frame, found = table.checked(rows, forms[0])
    if stored is not None:
        found = [_keyed(flaw, rows, table) for flaw in found]
    elif files[0].suffix == ".csv":
        if found:
            frame, found = table.checked(with_lines(rows, files[0]), forms[0])
        elif name == ANCHOR and rows[:, -1].has_nulls():  # a row of events may leave out its end
            found = short_rows(files[0], table)
    flaws.extend(found)
    return frame


def _stored_rows(table: Table, stored: "DeltaTable") -> pl.DataFrame:
    """Return the rows of a Delta table, which have no order of their own, in that of its key."""
    rows = rows_of(stored)
    order = [c for c in table.key or ("symbol", "from", "position") if c in rows.columns]
    if order and not ascending(rows, tuple(order)):
        rows = rows.sort(order, maintain_order=True)
    return rows.with_row_index(ROW, offset=1)


def _keyed(flaw: Flaw, rows: pl.DataFrame, table: Table) -> Flaw:
    """Return a flaw of a row that has a key, but no place in a file."""
    if flaw.row is None:
        return flaw
    cells = rows.row(flaw.row - 1, named=True)
    told = [cells[name] for name in (*table.required, *table.key) if name in _TELLING]
    key = " ".join(str(cell) for cell in dict.fromkeys(told))
    begun = not key or flaw.message.startswith(key)
    return Flaw(flaw.table, None, flaw.symbol, flaw.message if begun else f"{key}: {flaw.message}")


_TELLING = ("date", "ex_date", "from", "base", "quote")  # which row of a symbol, or of all, it is


def _read_rows(file: Path, table: Table) -> pl.DataFrame:
    """Return the rows of a file that are not blank, and in the column `ROW` where they stand."""
    if file.suffix == ".parquet":
        return pl.read_parquet(file, glob=False).with_row_index(ROW, offset=1)
    rows = pl.read_csv(file, infer_schema=False, glob=False).with_row_index(ROW, offset=2)
    # A quote that the header opens and nothing closes takes every row into a name.
    if rows.is_empty() and (flaws := csv_flaws(file, table)):
        raise MarketDataError(flaws)
    return rows.filter(~pl.all_horizontal(pl.exclude(ROW).is_null()))


def _read_manifest(file: Path, flaws: list[Flaw]) -> Manifest:
    """Return what the manifest says, every scalar read as text; append what is wrong with it."""
    if not file.exists():
        return Manifest()
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        flaws.append(Flaw(file.name, None, "", f"cannot be read: {' '.join(str(error).split())}"))
        return Manifest()
    given: dict[str, Any] = {}
    flaws.extend(Flaw(file.name, None, "", wrong) for wrong in _take_manifest(root, given))
    return Manifest(
        price_kind=given.get("price_kind", "raw"),
        synthetic=given.get("synthetic") == "true",
        source=given.get("source", ""),
    )


def _take_manifest(root: yaml.Node | None, given: dict[str, Any]) -> Iterator[str]:
    """Put what a manifest says of the known keys in ``given``; yield what is wrong with it."""
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        yield "expected keys and values, as in 'synthetic: true'"
        return
    for key, value in root.value:
        name = str(key.value)
        if name not in _MANIFEST:
            for meant in get_close_matches(name, _MANIFEST, 1, 0.8):  # `synthetic` must not be lost
                yield f"unknown key {name!r}; did you mean {meant!r}?"
            continue
        allowed = _MANIFEST[name]
        if name in given:
            yield f"{name} is given twice"
        elif not isinstance(value, yaml.ScalarNode):
            yield f"{name}: expected text"
        elif allowed and value.value not in allowed:
            yield f"{name} {value.value!r}: expected {' or '.join(allowed)}"
        given[name] = value.value
