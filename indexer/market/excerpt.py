"""A market folder for many processes: closes mapped into memory, rows made for who needs them.

Every process that maps the closes shares the same pages, so that a market is in memory once
however many processes calculate on it.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from indexer.digest import digest_json
from indexer.errors import MissingInputError
from indexer.market.cache import read_grid
from indexer.market.delta import ANCHOR, files_of, split_version, tables_at
from indexer.market.grid import CloseGrid
from indexer.market.tables import TABLES, Market, read_market, table_files


@dataclass(frozen=True, slots=True, eq=False)
class MappedMarket:
    """A market folder whose closes are a grid; ``rest`` is every other table.

    Without prices, as in a folder of series alone, there is no grid.
    """

    rest: Market
    grid: CloseGrid | None


def map_market(folder: Path | str) -> MappedMarket:
    """Return the checked tables of a market folder, ``DIR`` or ``DIR@VERSION``, closes as a grid.

    Raises
    ------
    MissingInputError, MarketDataError
        As `read_market` does.
    """
    rest = read_market(folder, without={ANCHOR})
    try:
        return MappedMarket(rest, read_grid(folder))
    except MissingInputError:
        return MappedMarket(rest, None)


def excerpt(mapped: MappedMarket, symbols: Collection[str]) -> Market:
    """Return a market with the closes of some symbols, and of all that actions tie to them.

    Indices of these symbols are the same on it as on the whole market.
    """
    if mapped.grid is None:
        return mapped.rest
    grid, wanted = mapped.grid, _tied(mapped.rest, symbols)
    place = {symbol: n for n, symbol in enumerate(grid.symbols) if symbol in wanted}
    columns = np.array(list(place.values()), dtype=np.int64)
    close = grid.close[:, columns]
    column, row = np.nonzero(~np.isnan(close.T))
    found = {
        "symbol": pl.Series(list(place), dtype=pl.String)[column],
        "date": grid.days[row],
        "close": close[row, column],
    }
    if grid.amount is not None:
        amount = grid.amount[:, columns][row, column]
        found["amount"] = pl.Series(amount).fill_nan(None)
    prices = pl.DataFrame(found, schema_overrides={"symbol": pl.String, "date": pl.Date})
    empty = TABLES[ANCHOR].empty()
    manifest = mapped.rest.manifest
    if len(grid.days):
        manifest = replace(manifest, oldest=grid.days[0].item())
    prices = pl.concat([empty, prices], how="diagonal_relaxed").select(empty.columns)
    return replace(mapped.rest, prices=prices, manifest=manifest)


def _tied(market: Market, symbols: Collection[str]) -> set[str]:
    """Return some symbols, and every one that actions lead to from or to them."""
    pairs = market.actions.filter(pl.col("other").is_not_null()).select("symbol", "other").rows()
    found = set(symbols)
    while more := {s for pair in pairs if found & set(pair) for s in pair} - found:
        found |= more
    return found


def market_digest(folder: Path | str) -> str:
    """Return the SHA-256 of what a market folder holds.

    Of a store its files are told by their names, which no other content will ever have.

    Raises
    ------
    MissingInputError, MarketDataError
        If there is no such version, or a store cannot be read.
    """
    path, version = split_version(folder)
    stored = tables_at(path, TABLES, version)
    told = {name: sorted(f.name for f in files_of(path, name, t)) for name, t in stored.items()}
    files = [f for name in TABLES for f in table_files(path, name)] + [path / "manifest.yaml"]
    content: dict[str, str] = {}
    for file in files:
        if file.is_file():
            with file.open("rb") as stream:
                content[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return digest_json([told, content])
