"""A market mapped into memory: an index is the same on what is cut out of it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings

from indexer.errors import IndexerError
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.excerpt import MappedMarket, excerpt, map_market, market_digest
from indexer.market.grid import grid_of
from indexer.market.store import write_rows
from indexer.market.tables import TABLES, Market, read_market
from indexer.run.find import BUNDLED_MARKET
from tests.index.drawn import SCHEMES, SMALL, Case, cases
from tests.index.drawn_market import MOVING, RESTATING
from tests.index.examples import basket, market


def mapped(whole: Market) -> MappedMarket:
    """Return a market in memory as it is once its closes are mapped."""
    return MappedMarket(replace(whole, prices=TABLES["prices"].empty()), grid_of(whole.prices))


def built(case: Case, tables: Market) -> History | str:
    try:
        return build(basket(**case.definition), tables)
    except IndexerError as error:
        return str(error)


@given(cases(SCHEMES, (*RESTATING, *MOVING), sizes=SMALL))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_an_index_is_the_same_on_an_excerpt_bit_for_bit(case: Case) -> None:
    whole = market(case.tables)
    one = built(case, whole)
    other = built(case, excerpt(mapped(whole), basket(**case.definition).symbols))

    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert one.market_digest == other.market_digest
    assert {n: v.tolist() for n, v in one.variants.items()} == {
        n: v.tolist() for n, v in other.variants.items()
    }
    assert one.summary == other.summary


def test_the_bundled_market_is_cut_out_row_by_row() -> None:
    whole, symbols = read_market(BUNDLED_MARKET), ["300308.SZ", "300502.SZ"]
    rows = whole.prices.filter(pl.col("symbol").is_in(symbols)).sort("symbol", "date")
    found = excerpt(map_market(BUNDLED_MARKET), symbols).prices.sort("symbol", "date")

    shown = ["symbol", "date", "close"]
    assert rows.height > 0
    assert found.select(shown).equals(rows.select(shown))
    assert found.schema == whole.prices.schema


def test_a_folder_of_series_alone_has_no_grid(tmp_path: Path) -> None:
    shutil.copy(BUNDLED_MARKET / "series.csv", tmp_path)

    assert map_market(tmp_path).grid is None


def test_the_digest_changes_with_a_byte_and_not_with_the_place(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(BUNDLED_MARKET, tmp_path / "copy"))
    before = market_digest(copy)
    assert before == market_digest(BUNDLED_MARKET)
    (copy / "fx.csv").write_text((copy / "fx.csv").read_text() + "\n", encoding="utf-8")

    assert market_digest(copy) != before


def test_the_digest_of_a_store_is_that_of_a_version(tmp_path: Path) -> None:
    rows = read_market(BUNDLED_MARKET).prices.head(3).select("symbol", "date", "close")
    write_rows(tmp_path / "store", {"prices": rows})
    first = market_digest(tmp_path / "store")
    write_rows(tmp_path / "store", {"prices": rows.with_columns(close=pl.col("close") + 1)})

    assert market_digest(tmp_path / "store") != first
    assert market_digest(f"{tmp_path}/store@0") == first


def test_what_is_cut_out_knows_how_far_back_the_folder_reaches() -> None:
    found = excerpt(map_market(BUNDLED_MARKET), ["300308.SZ"])

    assert found.manifest.oldest == np.min(read_market(BUNDLED_MARKET).prices["date"].to_list())
