"""The Delta tables of a market store, each as it stood at one version of the store.

The version of a store is the version of its table of prices. Each commit to that table says, as
transaction identifiers of the Delta protocol, which version of every other table goes with it, so
one number names one state of all tables, and naming it is one atomic commit. What another table
holds beyond the version that is named was never finished, and does not count.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.folders import is_folder

if TYPE_CHECKING:
    from deltalake import DeltaTable

# Polars panics on some broken Parquet files, and a panic is no Exception.
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)

ANCHOR = "prices"  # the table whose versions are those of the store
MARK = "indexer"  # transaction identifier in every commit of ours


def split_version(market: Path | str) -> tuple[Path, int | None]:
    """Return the folder and the version that ``DIR@VERSION`` names; None for the latest one.

    A folder that has such a name is that folder: ``DIR/@VERSION`` is a version in any case.

    Examples
    --------
    >>> split_version("no/such/market@12")[1], split_version("no/such/market@home")[1]
    (12, None)
    """
    folder, at, version = str(market).rpartition("@")
    if not at or not (version.isascii() and version.isdigit()) or is_folder(Path(market)):
        return Path(market), None
    return Path(folder or "."), int(version)


def is_delta(folder: Path, name: str) -> bool:
    """Return whether a table of a market folder stands in a folder of its own, as Delta."""
    return is_folder(folder / name / "_delta_log")


def tables_at(
    folder: Path, names: Collection[str], version: int | None = None
) -> dict[str, "DeltaTable"]:
    """Return the named Delta tables of a market folder as they stood at a version of the store.

    Those that are no Delta tables, or were not there at that version, are left out. Tables that
    other software wrote, and that no version names therefore, count as they are now.

    Raises
    ------
    MissingInputError
        If the store has no such version, or a table has versions that it does not name.
    MarketDataError
        If the log of a table cannot be read.
    """
    found: dict[str, DeltaTable] = {}
    anchor = _opened(folder, ANCHOR, version) if is_delta(folder, ANCHOR) else None
    if anchor is None and version is not None:
        message = f"has no version {version}: no Delta table {ANCHOR}/ in it"
        raise MissingInputError([Flaw(str(folder), None, "", message)])
    for name in names:
        if name == ANCHOR or not is_delta(folder, name):
            continue
        named = anchor.transaction_version(name) if anchor is not None else None
        table = _opened(folder, name, named)
        if table is None or (named is None and table.transaction_version(MARK) is not None):
            continue  # ours, and never finished
        if named is None and version is not None:
            message = f"version {version} does not say which version of {name}/ goes with it"
            raise MissingInputError([Flaw(str(folder), None, "", message)])
        found[name] = table
    return found | ({ANCHOR: anchor} if anchor is not None and ANCHOR in names else {})


def _opened(folder: Path, name: str, version: int | None) -> "DeltaTable | None":
    """Return a table at one of its own versions; None where nothing was ever committed to it."""
    # 0.1 s, which a folder without such tables need not pay.
    from deltalake import DeltaTable  # noqa: PLC0415
    from deltalake.exceptions import DeltaError, TableNotFoundError  # noqa: PLC0415

    try:
        latest = DeltaTable(folder / name)
        if version is None or version == latest.version():
            return latest
        if version < latest.version():
            return DeltaTable(folder / name, version=version)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise MarketDataError([Flaw(f"{name}/", None, "", _told(error))]) from error
    message = f"has no version {version}: its versions are 0 to {latest.version()}"
    whose = str(folder) if name == ANCHOR else f"{folder}/{name}/"  # the anchor's are the store's
    raise MissingInputError([Flaw(whose, None, "", message)])


def rows_of(table: "DeltaTable", *asked: pl.Expr, columns: pl.Expr | None = None) -> pl.DataFrame:
    """Return the rows of a table for which all that is asked holds, in no order.

    Raises
    ------
    MarketDataError
        If a file of the table is missing or damaged.
    """
    escaped = "%" in table.table_uri  # polars takes the escaped name of a folder for its name
    try:
        rows = pl.DataFrame(table.scan()).lazy() if escaped else pl.scan_delta(table)
        rows = rows.filter(*asked)
        return (rows if columns is None else rows.select(columns)).collect()
    except UNREADABLE as error:
        name = table.table_uri.rstrip("/").rpartition("/")[2]
        raise MarketDataError([Flaw(f"{name}/", None, "", _told(error))]) from error


def files_of(folder: Path, name: str, table: "DeltaTable") -> list[Path]:
    """Return the files of a table of a market folder, sorted."""
    actions = pl.DataFrame(table.get_add_actions())
    return sorted(folder / name / file for file in actions["path"])


def _told(error: BaseException) -> str:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return f"cannot be read as a table: {reason}"
