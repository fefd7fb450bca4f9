"""Sources side by side: one tick apart they agree, further apart the hierarchy decides."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from indexer.market.conventions.hierarchy import precedence
from indexer.market.sources.agree import Agreement, agree
from indexer.market.tables import TABLES
from tests.market.sources.example import case

ON = date(2026, 11, 20)
DAY = date(2026, 8, 20)


def bar(close: float, symbol: str = "300308.SZ", **figures: float) -> pl.DataFrame:
    row = {"symbol": symbol, "date": DAY, "close": close, **figures}
    return pl.DataFrame([row], schema_overrides=TABLES["prices"].empty().schema)


def action(day: date = DAY, **amounts: Any) -> pl.DataFrame:
    row = {"symbol": "300308.SZ", "ex_date": day, "kind": "dividend", **amounts}
    return pl.DataFrame([row], schema=TABLES["actions"].empty().schema)


def fields(found: Agreement) -> list[tuple[str, str]]:
    return [(entry.field, entry.value) for entry in found.disregarded]


@pytest.mark.parametrize("other", [9.99, 10.0, 10.01])
def test_a_tick_apart_the_first_source_counts(other: float):
    found = agree("prices", {"tencent": bar(other), "eastmoney": bar(10.0)}, ON)

    assert found.rows["close"].to_list() == [10.0]
    assert (found.disregarded, len(found.refused), len(found.single)) == ((), 0, 0)


def test_a_cent_apart_two_sources_of_an_american_share_below_a_dollar_do_not_agree():
    replies = {"eastmoney": bar(0.30, "NVDA.US"), "sina": bar(0.31, "NVDA.US")}

    assert agree("prices", replies, ON).refused.rows() == [("NVDA.US", DAY)]


def test_two_ticks_apart_a_close_is_refused_and_both_are_logged():
    found = agree("prices", {"eastmoney": bar(10.0), "tencent": bar(10.02)}, ON)

    assert found.rows.is_empty()
    assert found.refused.rows() == [("300308.SZ", DAY)]
    assert fields(found) == [("close", "10"), ("close", "10.02")]
    for part in ("eastmoney", "tencent 10.02", "1 (tick)", "ask a third source"):
        assert part in found.disregarded[0].why


@pytest.mark.parametrize(("close", "rows"), [(45.02, 1), (45.03, 0)])
def test_the_tick_is_that_of_the_market_the_price_and_the_date(close: float, rows: int):
    replies = {"eastmoney": bar(45.0, "00700.HK"), "sina": bar(close, "00700.HK")}

    assert len(agree("prices", replies, ON).rows) == rows


def test_of_three_sources_the_two_that_agree_count():
    replies = {"eastmoney": bar(10.5), "tencent": bar(10.0), "sina": bar(10.01)}

    found = agree("prices", replies, ON)

    assert found.rows["close"].to_list() == [10.0]
    assert fields(found) == [("close", "10.5")]


def test_two_that_agree_do_not_count_against_a_third():
    replies = {"eastmoney": bar(10.0), "tencent": bar(10.0), "sina": bar(10.5)}

    found = agree("prices", replies, ON)

    assert found.rows.is_empty()
    assert fields(found) == [("close", "10"), ("close", "10"), ("close", "10.5")]
    assert (
        "none counts, look it up and name by --source whom to believe" in found.disregarded[0].why
    )


def test_a_third_that_has_no_such_row_stands_against_nobody():
    late = bar(10.0).with_columns(date=date(2026, 8, 19))
    replies = {"eastmoney": bar(10.0), "tencent": bar(10.0), "sina": late}

    assert DAY in agree("prices", replies, ON).rows["date"].to_list()


@pytest.mark.parametrize(("others", "refused"), [((10.02,), True), ((10.02, 10.02), False)])
def test_a_figure_says_whether_its_row_is_refused(others, refused):
    replies = {"eastmoney": bar(10.0)}
    replies |= dict(zip(("tencent", "sina"), map(bar, others), strict=False))

    assert {entry.refused for entry in agree("prices", replies, ON).disregarded} == {refused}


def test_a_field_no_level_rests_on_is_that_of_the_first_source():
    replies = {"eastmoney": bar(10.0, high=10.5), "tencent": bar(10.0, high=10.9)}

    found = agree("prices", replies, ON)

    assert found.rows["high"].to_list() == [10.5]
    assert fields(found) == [("high", "10.9")]
    assert found.refused.is_empty()


def test_what_one_source_lacks_another_gives():
    found = agree("prices", {"eastmoney": bar(10.0), "sina": bar(10.0, volume=1e6)}, ON)

    assert found.rows["volume"].to_list() == [1e6]
    assert found.disregarded == ()


def test_a_bar_of_one_source_alone_is_taken_and_named():
    empty = bar(10.0).clear()

    found = agree("prices", {"eastmoney": empty, "tencent": bar(10.0)}, ON)

    assert found.rows["close"].to_list() == [10.0]
    assert found.single.rows() == [("300308.SZ", DAY)]


def test_a_plausible_wrong_close_on_the_last_day_shows_against_another_source():
    """No check of one reply can see it: it is within the limit and the range of the day."""
    clean = case()
    last = pl.col("date") == DAY
    wrong = clean.bars.with_columns(
        close=pl.when(last & (pl.col("close") - pl.col("low") > 0.02))
        .then(pl.col("low"))
        .when(last)
        .then(pl.col("high"))
        .otherwise("close")
    )

    alone = clean.check(wrong)
    found = agree("prices", {"eastmoney": alone.rows, "tencent": clean.bars}, ON)

    assert (alone.outcome, alone.disregarded) == ("ok", ())
    assert found.refused["date"].to_list() == [DAY]
    assert len(found.rows) == len(clean.bars) - 1


def test_actions_that_agree_on_date_and_amount_are_taken():
    found = agree("actions", {"cninfo": action(cash=0.5), "eastmoney": action(cash=0.5)}, ON)

    assert found.rows["cash"].to_list() == [0.5]
    assert found.rows.columns == TABLES["actions"].empty().columns


@pytest.mark.parametrize("other", [action(cash=5.0), action(date(2026, 8, 21), cash=0.5)])
def test_actions_that_differ_in_amount_or_date_are_refused(other: pl.DataFrame):
    found = agree("actions", {"cninfo": action(cash=0.5), "eastmoney": other}, ON)

    assert found.rows.is_empty()
    assert len(found.disregarded) == 2


def test_two_equal_actions_of_one_source_stay_two():
    twice = pl.concat([action(cash=0.5), action(cash=0.5)])

    assert len(agree("actions", {"cninfo": twice, "eastmoney": twice}, ON).rows) == 2


@pytest.mark.parametrize(("other", "rows"), [(7.1001, 1), (7.1003, 0)])
def test_rates_agree_to_four_decimals(other: float, rows: int):
    def rate(figure: float) -> pl.DataFrame:
        row = {"date": DAY, "base": "USD", "quote": "CNY", "rate": figure}
        return pl.DataFrame([row], schema=TABLES["fx"].empty().schema)

    found = agree("fx", {"safe": rate(7.1), "sina": rate(other)}, ON)

    assert len(found.rows) == rows
    assert {entry.symbol for entry in found.disregarded} <= {"USD/CNY"}


def test_one_source_alone_is_taken_as_it_is():
    clean = case()

    found = agree("prices", {"sina": clean.bars}, ON)

    assert found.rows.sort("date").equals(clean.bars)
    assert found.single.is_empty()


def test_a_source_without_a_place_is_an_error():
    with pytest.raises(ValueError, match=r"nobody: no place .*hierarchy\.csv"):
        agree("prices", {"nobody": bar(10.0)}, ON)


def test_every_field_that_levels_rest_on_has_a_precedence():
    for table, field in [("prices", "close"), ("series", "close"), ("fx", "rate")]:
        found = precedence(table, field, "SZ", ON)
        assert found is not None
        assert found.otherwise == "refuse"
