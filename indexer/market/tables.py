"""A market folder: tables of prices, actions and reference data, read and checked whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml

from indexer.definitions.symbols import CANONICAL, CANONICAL_SERIES
from indexer.digest import digest_bytes
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.market.checks import Column, Table, action_flaws, float_flaws

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
    ),
    "shares": Table(
        {"symbol": _SYMBOL, "date": _DATE, "total_shares": _POSITIVE},
        {"free_float_shares": _NUMBER},
        key=("symbol", "date"),
    ),
    "actions": Table(
        {"symbol": _SYMBOL, "ex_date": _DATE, "kind": _TEXT},
        dict.fromkeys(("cash", "ratio", "price"), _NUMBER) | {"other": _SYMBOL},
    ),
    "suspensions": Table({"symbol": _SYMBOL, "from": _DATE}, {"until": _DATE, "reason": _TEXT}),
    "fx": Table(
        {"date": _DATE, "base": _CURRENCY, "quote": _CURRENCY, "rate": _POSITIVE},
        {"fixed_at": _INSTANT},
        key=("date", "base", "quote"),
    ),
    "series": Table(
        {"symbol": _SERIES, "date": _DATE, "close": _POSITIVE},
        {"currency": _CURRENCY, "announced_at": _TEXT},
        key=("symbol", "date"),
    ),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a market folder says of itself."""

    price_kind: PriceKind = "raw"
    synthetic: bool = False
    source: str = ""
    retrieved: str = ""


@dataclass(frozen=True, slots=True)
class Market:
    """A market folder after checking; absent tables and absent optional columns are empty."""

    folder: str
    manifest: Manifest
    prices: pl.DataFrame
    securities: pl.DataFrame
    shares: pl.DataFrame
    actions: pl.DataFrame
    suspensions: pl.DataFrame
    fx: pl.DataFrame
    series: pl.DataFrame


def read_market(folder: Path | str) -> Market:
    """Return the checked tables of a market folder.

    Raises
    ------
    MissingInputError
        If the folder, or every table in it, is missing.
    MarketDataError
        With every flaw of every table: a missing column, a cell that is not what its column
        holds, a close that is zero, negative or not finite, rows that conflict.
    """
    path = Path(folder)
    if not path.is_dir():
        raise MissingInputError([Flaw(str(folder), None, "", "no such market folder")])
    flaws: list[Flaw] = []
    files = {name: _files(path, name) for name in TABLES}
    if not any(files.values()):
        message = f"holds none of the tables {', '.join(TABLES)}"
        raise MissingInputError([Flaw(str(folder), None, "", message)])
    frames = {name: _read_table(name, found, flaws) for name, found in files.items()}
    manifest = _read_manifest(path / "manifest.yaml", flaws)
    if flaws:
        raise MarketDataError(flaws)
    return Market(str(folder), manifest, **frames)


def digest_of(
    market: Market, symbols: Iterable[str], currencies: Iterable[str], until: date
) -> str:
    """Return the SHA-256 of the rows an index of these symbols rests on up to a date.

    Blind to the order of rows, to other symbols and currencies, to later rows and to columns not
    known here.
    """
    wanted, money = list(symbols), list(currencies)
    parts = [market.manifest.price_kind.encode()]
    for name, table in TABLES.items():
        frame: pl.DataFrame = getattr(market, name)
        rows = frame.select(*table.columns)
        if "symbol" in table.columns:
            rows = rows.filter(pl.col("symbol").is_in(wanted))
        if "date" in table.columns:
            rows = rows.filter(pl.col("date") <= until)
        if name == "fx":
            rows = rows.filter(pl.col("base").is_in(money), pl.col("quote").is_in(money))
        if name == "actions":
            rows = rows.filter(pl.col("ex_date") <= until)
        rows = rows.sort(pl.all())
        parts += [name.encode(), rows.write_csv(include_header=False).encode()]
    return digest_bytes(parts)


def _files(folder: Path, name: str) -> list[Path]:
    return [p for p in (folder / f"{name}.parquet", folder / f"{name}.csv") if p.exists()]


def _read_table(name: str, files: list[Path], flaws: list[Flaw]) -> pl.DataFrame:
    """Return one table, empty where it is absent; append what is wrong with it."""
    table = TABLES[name]
    if not files:
        return table.empty()
    if len(files) > 1:
        both = " and ".join(path.name for path in files)
        flaws.append(Flaw(files[0].name, None, "", f"{both} both exist: keep one of them"))
        return table.empty()
    file = files[0]
    try:
        raw = _read_frame(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        flaws.append(Flaw(file.name, None, "", f"cannot be read as a table: {reason}"))
        return table.empty()
    frame, found = table.checked(raw, file.name)
    if name == "actions" and not found:
        found = list(action_flaws(frame, file.name))
    if name == "shares" and not found:
        found = list(float_flaws(frame, file.name))
    flaws.extend(found)
    return frame


def _read_frame(file: Path) -> pl.DataFrame:
    if file.suffix == ".parquet":
        return pl.read_parquet(file)
    return pl.read_csv(file, infer_schema=False)


def _read_manifest(file: Path, flaws: list[Flaw]) -> Manifest:
    """Return what the manifest says, every scalar read as text; append what is wrong with it."""
    if not file.exists():
        return Manifest()
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (text only)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        flaws.append(Flaw(file.name, None, "", f"cannot be read: {' '.join(str(error).split())}"))
        return Manifest()
    given: dict[str, Any] = content if isinstance(content, dict) else {}
    allowed: dict[str, Iterable[str]] = {
        "price_kind": ("raw", "total_return_adjusted"),
        "synthetic": ("true", "false"),
    }
    for key, values in allowed.items():
        if key in given and given[key] not in values:
            message = f"{key} {given[key]!r}: expected {' or '.join(values)}"
            flaws.append(Flaw(file.name, None, "", message))
    return Manifest(
        price_kind=given.get("price_kind", "raw"),
        synthetic=given.get("synthetic") == "true",
        source=str(given.get("source", "")),
        retrieved=str(given.get("retrieved", "")),
    )
