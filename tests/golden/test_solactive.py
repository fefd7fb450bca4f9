"""A public index-modelling exercise, from files on disk to its 262 published levels.

Ten stocks; the three largest on the last weekday of a month are held at a half, a quarter and a
quarter of the index, after the close of the first weekday of the next.
"""

import polars as pl
import pytest

import indexer
from tests.shared import SHARED, real

EXERCISE = SHARED / "examples" / "solactive"
pytestmark = real

DEFINITION = """\
version: 1
id: exercise
name: {en: Exercise}
currency: USD
calendar: 24/5
base: {date: 2020-01-01, level: 100}
weighting: {scheme: rank, weights: [0.5, 0.25, 0.25]}
selection: {rank_by: market_cap, top: 3}
rebalance: {frequency: monthly, day: first session, reference_lag: 1, price_date: effective}
constituents:
"""


def published(name: str) -> pl.DataFrame:
    """Return a table of the exercise, its dates read as days before months."""
    table = pl.read_csv(EXERCISE / f"{name}.csv")
    return table.with_columns(date=pl.col("Date").str.to_date("%d/%m/%Y")).drop("Date")


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Return the levels of the exercise, built from a market folder and a definition."""
    folder = tmp_path_factory.mktemp("exercise")
    closes = published("stock_prices").rename(lambda name: name.replace("Stock_", "STOCK"))
    prices = closes.unpivot(index="date", variable_name="symbol", value_name="close")
    prices = prices.with_columns(pl.col("symbol") + ".US")
    prices.write_csv(folder / "prices.csv")
    symbols = prices["symbol"].unique().sort()
    # Every stock has as many shares as the others: the largest is the one of the highest price.
    counts = pl.DataFrame({"symbol": symbols}).with_columns(
        date=pl.lit("2019-12-30"), total_shares=pl.lit(1e6)
    )
    counts.write_csv(folder / "shares.csv")
    definition = folder / "exercise.yaml"
    listed = "".join(f"  - {{symbol: {name}}}\n" for name in symbols)
    definition.write_text(DEFINITION + listed, encoding="utf-8")
    return indexer.build(indexer.read_basket(definition), indexer.read_market(folder)).levels


def test_every_published_level_is_met_at_two_decimals(levels: pl.DataFrame) -> None:
    expected = published("expected_levels").select("date", "index_level")
    assert len(expected) == 262
    assert levels["variant"].unique().to_list() == ["price"]
    assert levels["date"].to_list() == expected["date"].to_list()
    assert [round(level, 2) for level in levels["level"]] == expected["index_level"].to_list()
