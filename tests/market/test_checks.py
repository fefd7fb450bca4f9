"""Checks of tables: what is accepted all the same, actions, and how flaws are named and counted."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import MarketDataError
from indexer.market.checks import ROW, SHOWN, ascending
from indexer.market.tables import TABLES, Market, read_market

SHANGHAI = "Asia/Shanghai"
DAY = date(2024, 1, 2)


def market(folder: Path, **tables: str | pl.DataFrame) -> Market:
    """Return the market of CSV texts and of frames written to Parquet."""
    for table, content in tables.items():
        if isinstance(content, str):
            (folder / f"{table}.csv").write_bytes(content.encode())
        else:
            content.write_parquet(folder / f"{table}.parquet")
    return read_market(folder)


def flaws(folder: Path, **tables: str | pl.DataFrame) -> list[str]:
    try:
        market(folder, **tables)
    except MarketDataError as refused:
        return [str(flaw) for flaw in refused.flaws]
    return []


def prices(*rows: str, head: str = "symbol,date,close", end: str = "\n") -> str:
    return "".join(line + end for line in (head, *rows))


GOOD = "300308.SZ,2024-01-02,10.5"


# What is accepted all the same


@pytest.mark.parametrize(
    "text",
    [
        prices(GOOD),
        prices(GOOD).rstrip("\n"),
        "\ufeff" + prices(GOOD),
        prices(GOOD, end="\r\n"),
        prices('"300308.SZ","2024-01-02","10.5"'),
        prices("", GOOD, "", ""),
        prices(GOOD + ",", head="symbol,date,close,volume"),
        prices(GOOD + ',""', head="symbol,date,close,volume"),
        prices(GOOD + ",算力", head="symbol,date,close,note"),
        prices("x," + GOOD, head=",symbol,date,close"),
        prices("10.5,2024-01-02,300308.SZ", head="close,date,symbol"),
        prices("300308.SZ,2024-01-02,+1.05e1"),
        prices(GOOD, "300308.SZ,2024-01-02,10.50"),
        prices(GOOD, GOOD, GOOD),
    ],
)
def test_a_table_may_be_written_like_this(tmp_path: Path, text: str) -> None:
    rows = market(tmp_path, prices=text).prices.select("symbol", "date", "close").rows()
    assert rows == [("300308.SZ", DAY, 10.5)]


@pytest.mark.parametrize(
    "cells",
    [
        {"date": [DAY]},
        {"date": ["2024-01-02"]},
        {"date": [datetime(2024, 1, 2)]},  # noqa: DTZ001
        {"date": pl.Series([datetime(2024, 1, 2)]).dt.replace_time_zone(SHANGHAI)},  # noqa: DTZ001
        {"date": pl.Series([datetime(2024, 1, 2)], dtype=pl.Datetime("ns"))},  # noqa: DTZ001
        {"close": ["10.5"]},
        {"close": [Decimal("10.50")]},
        {"close": pl.Series([10.5], dtype=pl.Float32)},
        {"symbol": pl.Series(["300308.SZ"], dtype=pl.Categorical)},
        {"volume": pl.Series([None], dtype=pl.Null)},
        {"note": [[1, 2]]},
    ],
    ids=str,
)
def test_a_column_may_be_stored_like_this(tmp_path: Path, cells: dict[str, Any]) -> None:
    frame = pl.DataFrame({"symbol": ["300308.SZ"], "date": [DAY], "close": [10.5]} | cells)
    rows = market(tmp_path, prices=frame).prices.select("symbol", "date", "close").rows()
    assert rows == [("300308.SZ", DAY, 10.5)]


@pytest.mark.parametrize("symbol", ["300308.SZ", "430047.BJ", "688981.SH", "00700.HK", "BRK.B.US"])
def test_canonical_symbols_of_every_exchange_are_accepted(tmp_path: Path, symbol: str) -> None:
    assert flaws(tmp_path, prices=prices(f"{symbol},2024-01-02,1")) == []


INSTANT = datetime(2024, 1, 2, 8, 15)  # noqa: DTZ001 (UTC by the table's definition)
FX = "date,base,quote,rate,fixed_at\n2024-01-02,USD,CNY,7.1,"


@pytest.mark.parametrize(
    "written",
    [
        *("2024-01-02T08:15:00Z", "2024-01-02T08:15:00", "2024-01-02 08:15:00"),
        *("2024-01-02T08:15:00+00:00", "2024-01-02T08:15:00.000000", "2024-01-02T08:15:00.0Z"),
    ],
)
def test_an_instant_may_be_written_like_this(tmp_path: Path, written: str) -> None:
    assert market(tmp_path, fx=FX + written).fx["fixed_at"].to_list() == [INSTANT]


@pytest.mark.parametrize(
    "cells",
    [
        pl.Series([INSTANT]),
        pl.Series([INSTANT.replace(tzinfo=UTC)]),
        pl.Series([INSTANT.replace(tzinfo=UTC)]).dt.convert_time_zone(SHANGHAI),
        pl.Series([INSTANT], dtype=pl.Datetime("ns")),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_an_instant_may_be_stored_like_this(tmp_path: Path, cells: pl.Series) -> None:
    fx = pl.DataFrame({"date": [DAY], "base": ["USD"], "quote": ["CNY"], "rate": [7.1]})
    read = market(tmp_path, fx=fx.with_columns(fixed_at=cells)).fx
    assert read["fixed_at"].to_list() == [INSTANT]


@pytest.mark.parametrize(
    "written",
    [
        "2024-02-30T08:15:00Z",
        "2024-01-02T08:15Z",
        "2024-01-02TT08:15:00",
        "2024-01-02T8:15:00Z",
        "08:15:00",
    ],
)
def test_an_instant_may_not_be_written_like_this(tmp_path: Path, written: str) -> None:
    [flaw] = flaws(tmp_path, fx=FX + written)
    assert flaw.startswith(f"fx.csv line 2: fixed_at {written!r}: expected an instant in UTC")


def test_a_stored_day_is_no_instant(tmp_path: Path) -> None:
    fx = pl.DataFrame({"date": [DAY], "base": ["USD"], "quote": ["CNY"], "rate": [7.1]})
    [flaw] = flaws(tmp_path, fx=fx.with_columns(fixed_at=DAY))
    assert flaw.startswith("fx.parquet row 1: fixed_at 2024-01-02: expected an instant in UTC")


NANOSECONDS = 1_772_409_600_000_000_000  # of the 2nd of March 2026, taken for microseconds


@pytest.mark.parametrize(
    ("table", "column", "cells"),
    [
        ("prices", "date", pl.Series([2_000_000_000], dtype=pl.Int32).cast(pl.Date)),
        ("prices", "date", pl.Series([NANOSECONDS]).cast(pl.Datetime("us"))),
        ("securities", "list_date", pl.Series([NANOSECONDS]).cast(pl.Datetime("us"))),
        ("fx", "fixed_at", pl.Series([NANOSECONDS]).cast(pl.Datetime("us", "Asia/Shanghai"))),
        ("fx", "fixed_at", pl.Series([-NANOSECONDS]).cast(pl.Datetime("ms"))),
    ],
)
def test_a_stored_date_that_python_has_none_for_is_named(
    tmp_path: Path, table: str, column: str, cells: pl.Series
) -> None:
    row = {"symbol": "300308.SZ", "date": DAY, "close": 10.0}
    row |= {"base": "USD", "quote": "CNY", "rate": 7.0}
    frame = pl.DataFrame({name: [row[name]] for name in TABLES[table].required})
    found = flaws(tmp_path, **{table: frame.with_columns(cells.alias(column))})

    assert len(found) == 1
    assert f"{column} is not within the years 1 to 9999: expected " in found[0]


def test_a_stored_date_without_end_is_one(tmp_path: Path) -> None:
    """As whoever has to write something where there is no end writes it."""
    never = pl.Series([date(9999, 12, 31)])
    span = {"symbol": ["300308.SZ"], "from": [DAY]}
    frame = pl.DataFrame(span | {"until": never.cast(pl.Datetime("us")), "reason": ["x"]})

    assert market(tmp_path, suspensions=frame).suspensions["until"].to_list() == never.to_list()


@pytest.mark.parametrize(
    "more",
    [
        pl.Series([NANOSECONDS]).cast(pl.Datetime("us")),
        pl.Series([[date(2024, 1, 2)]]),
        pl.Series([b"\xff"]),
    ],
)
@pytest.mark.parametrize("table", ["prices", "securities"])
def test_a_column_that_nobody_knows_may_hold_anything(
    tmp_path: Path, table: str, more: pl.Series
) -> None:
    """Also where another cell is wrong, and rows are looked at."""
    row = {"symbol": "300308.SZ", "date": DAY, "close": 10.0}
    frame = pl.DataFrame({name: [row[name]] for name in TABLES[table].required})
    frame = frame.with_columns(more.alias("updated"))

    assert flaws(tmp_path, **{table: frame}) == []
    wrong = frame.with_columns(symbol=pl.lit("300308"))
    assert "symbol '300308': expected" in flaws(tmp_path, **{table: wrong})[0]


@pytest.mark.parametrize("name", ["*", "^a.*$"])
def test_a_column_may_have_the_name_of_a_pattern(tmp_path: Path, name: str) -> None:
    found = market(tmp_path, securities=f"symbol,{name}\n300308.SZ,7\n").securities

    assert found[[name]].row(0) == ("7",)


def test_bytes_are_no_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({"symbol": [b"\xff"], "date": [DAY], "close": [10.0]})

    assert r"symbol b'\xff': expected a symbol" in flaws(tmp_path, prices=frame)[0]


def test_categories_are_the_text_that_they_stand_for(tmp_path: Path) -> None:
    text = pl.DataFrame({"symbol": ["300308.SZ"], "date": ["2024-01-02"], "close": ["10.5"]})
    frame = text.with_columns(pl.all().cast(pl.Categorical))
    empty = pl.DataFrame({"symbol": ["300308.SZ"], "segment": [""]}).cast(pl.Categorical)
    found = market(tmp_path, prices=frame, securities=empty)

    assert found.prices.row(0)[:3] == ("300308.SZ", DAY, 10.5)
    assert found.securities["segment"].to_list() == [None]


def test_score_columns_are_kept_and_empty_text_is_null(tmp_path: Path) -> None:
    text = 'symbol,segment,quality\n300308.SZ,"",0.5\n00700.HK,internet,\n'
    read = market(tmp_path, securities=text).securities
    assert read.select("symbol", "segment", "quality").rows() == [
        ("300308.SZ", None, "0.5"),
        ("00700.HK", "internet", None),
    ]


# Actions

ACTIONS = "symbol,ex_date,kind,cash,ratio,price,other\n"
SOUND = [
    "dividend,0.5,,,",
    "special_dividend,0.5,,,",
    "split,,2,,",
    "split,,0.1,,",
    "bonus,,0.4,,",
    "rights,,0.3,8.5,",
    "delisting,,,,",
    "delisting,,,0,",
    "delisting,,,1.5,",
    "merger,3,,,",
    "merger,0,,,",
    "merger,,0.4,,00700.HK",
    "merger,3,0.4,,00700.HK",
    "spinoff,,0.2,,00700.HK",
    "symbol_change,,,,00700.HK",
]
UNSOUND = [
    ("dividend,,,,", "a dividend needs cash above zero"),
    ("dividend,0,,,", "a dividend needs cash above zero"),
    ("dividend,0.5,0.4,,", "ratio 0.4 has no meaning for a dividend: leave it empty"),
    ("special_dividend,,,,", "a special_dividend needs cash above zero"),
    ("split,,,,", "a split needs ratio above zero"),
    ("split,,0,,", "a split needs ratio above zero"),
    ("split,1,2,,", "cash 1.0 has no meaning for a split: leave it empty"),
    ("bonus,,,,", "a bonus needs ratio above zero"),
    ("bonus,,0.4,8,", "price 8.0 has no meaning for a bonus: leave it empty"),
    ("rights,,0.3,,", "a rights needs price above zero"),
    ("rights,,,8.5,", "a rights needs ratio above zero"),
    ("rights,,0.3,8.5,00700.HK", "other '00700.HK' has no meaning for a rights: leave it empty"),
    ("delisting,1,,,", "cash 1.0 has no meaning for a delisting: leave it empty"),
    ("merger,,,,", "a merger pays cash, or ratio shares of other"),
    ("merger,3,0.4,,", "a merger's ratio and other go together"),
    ("merger,3,,,00700.HK", "a merger's ratio and other go together"),
    ("merger,3,,8,", "price 8.0 has no meaning for a merger: leave it empty"),
    ("spinoff,,,,00700.HK", "a spinoff needs ratio above zero"),
    ("spinoff,,0.2,,", "a spinoff needs other, a symbol"),
    ("spinoff,,0.2,,300308.SZ", "other is the symbol itself"),
    ("symbol_change,,,,", "a symbol_change needs other, a symbol"),
    ("symbol_change,,,,300308.SZ", "other is the symbol itself"),
    ("symbol_change,,1,,00700.HK", "ratio 1.0 has no meaning for a symbol_change: leave it empty"),
    ("payout,1,,,", "kind 'payout': expected one of dividend, special_dividend, split, bonus, "),
]


@pytest.mark.parametrize("row", SOUND)
def test_an_action_with_what_its_kind_needs_is_sound(tmp_path: Path, row: str) -> None:
    assert flaws(tmp_path, actions=f"{ACTIONS}300308.SZ,2024-01-02,{row}\n") == []


@pytest.mark.parametrize(("row", "said"), UNSOUND)
def test_an_action_without_what_its_kind_needs_is_named(
    tmp_path: Path, row: str, said: str
) -> None:
    rows = f"00700.HK,2024-01-02,dividend,1,,,\n300308.SZ,2024-01-02,{row}\n"
    [flaw] = flaws(tmp_path, actions=ACTIONS + rows)
    assert flaw.startswith(f"actions.csv line 3: 300308.SZ: {said}")


def test_equal_actions_are_two_actions(tmp_path: Path) -> None:
    row = "300308.SZ,2024-01-02,dividend,1,,,\n"
    assert len(market(tmp_path, actions=ACTIONS + row * 2).actions) == 2


def test_a_float_may_equal_the_total(tmp_path: Path) -> None:
    head = "symbol,date,total_shares,free_float_shares\n"
    assert flaws(tmp_path, shares=f"{head}300308.SZ,2024-01-02,100,100\n") == []


# Naming and counting


def test_a_line_is_that_of_the_file_also_after_blank_ones(tmp_path: Path) -> None:
    text = prices(GOOD, "", "", "00700.HK,2024-01-02,0")
    assert flaws(tmp_path, prices=text)[0].startswith("prices.csv line 5: 00700.HK: close '0'")


def test_a_line_is_that_of_the_file_also_after_cells_of_several_lines(tmp_path: Path) -> None:
    text = prices(
        GOOD + ',"one\ntwo\nthree"',
        "00700.HK,2024-01-02,0,",
        head="symbol,date,close,note",
    )
    assert flaws(tmp_path, prices=text)[0].startswith("prices.csv line 5: 00700.HK: close '0'")


def test_a_line_is_that_of_the_file_also_after_rows_that_agree(tmp_path: Path) -> None:
    head = "symbol,date,total_shares,free_float_shares\n"
    good = "300308.SZ,2024-01-02,100,50\n"
    found = flaws(tmp_path, shares=f"{head}{good}{good}00700.HK,2024-01-02,100,101\n")
    assert found == ["shares.csv line 4: 00700.HK: free float 101 above total 100"]


def test_every_conflicting_row_is_named(tmp_path: Path) -> None:
    rows = [f"300308.SZ,2024-01-02,{close}" for close in (10.5, 10.6, 10.5, 10.7)]
    assert flaws(tmp_path, prices=prices(*rows)) == [
        "prices.csv line 2: 300308.SZ: 2024-01-02 conflicts in lines 2 and 3 and 5: "
        "close 10.5 and 10.6 and 10.7; keep the right one"
    ]


RATES = st.tuples(
    st.sampled_from([DAY, date(2024, 1, 3)]),
    st.sampled_from(["HKD", "USD"]),
    st.sampled_from(["CNY", "EUR"]),
    st.sampled_from([1.0, 2.0]),
)


@given(st.lists(RATES, max_size=6), st.booleans())
def test_the_order_of_rows_decides_only_which_of_equal_ones_stays(
    rows: list[tuple[date, str, str, float]], in_order: bool
) -> None:
    """Tables whose keys ascend are not searched for equal ones: it must not show."""
    rows = sorted(rows) if in_order else rows
    given_rows = pl.DataFrame(rows, schema=["date", "base", "quote", "rate"], orient="row")
    typed = given_rows.cast({"date": pl.Date, "base": pl.String, "quote": pl.String})
    frame, found = TABLES["fx"].checked(typed.with_row_index(ROW), "fx.parquet")

    distinct = list(dict.fromkeys(rows))
    keys = [row[:3] for row in distinct]
    assert frame.select("date", "base", "quote", "rate").rows() == distinct
    assert len(found) == len({key for key in keys if keys.count(key) > 1})


def test_cells_rules_and_conflicts_are_reported_at_once(tmp_path: Path) -> None:
    rows = [
        "300308.SZ,2024-01-02,100,50",
        "300308.SZ,2024-01-02,100,60",
        "00700.HK,2024-01-02,x,",
        "00700.HK,today,-1,",
        "NVDA.US,2024-01-02,100,101",
    ]
    found = flaws(tmp_path, shares=prices(*rows, head="symbol,date,total_shares,free_float_shares"))
    assert [flaw.split(": ")[:2] for flaw in found] == [
        ["shares.csv line 5", "00700.HK"],
        ["shares.csv line 4", "00700.HK"],
        ["shares.csv line 5", "00700.HK"],
        ["shares.csv line 2", "300308.SZ"],
        ["shares.csv line 6", "NVDA.US"],
    ]


def rows_of(count: int, row: str) -> list[str]:
    return [row.format(symbol=f"{n:05}.HK", n=n) for n in range(count)]


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        (rows_of(SHOWN + 3, "{symbol},2024-01-02,0"), "prices.csv: close: 3 more rows like these"),
        (rows_of(SHOWN + 1, "{n},2024-01-02,1"), "prices.csv: symbol: 1 more rows like these"),
        (
            [row for n in (1, 2) for row in rows_of(SHOWN + 2, f"{{symbol}},2024-01-02,{n}")],
            "prices.csv: 2 more conflicts like these",
        ),
    ],
    ids=["cells", "symbols", "conflicts"],
)
def test_more_than_ten_of_a_kind_are_counted(tmp_path: Path, rows: list[str], more: str) -> None:
    found = flaws(tmp_path, prices=prices(*rows))
    assert found[SHOWN:] == [more]


def test_ten_of_a_kind_are_all_named(tmp_path: Path) -> None:
    found = flaws(tmp_path, prices=prices(*rows_of(SHOWN, "{symbol},2024-01-02,0")))
    assert [flaw.split(" ")[2] for flaw in found] == [f"{line}:" for line in range(2, SHOWN + 2)]


def test_actions_without_meaning_are_counted_too(tmp_path: Path) -> None:
    rows = "".join(row + "\n" for row in rows_of(SHOWN + 5, "{symbol},2024-01-02,split,,,,"))
    assert flaws(tmp_path, actions=ACTIONS + rows)[SHOWN:] == [
        "actions.csv: ratio: 5 more rows like these"
    ]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6))
def test_rows_ascend_where_their_keys_do_and_none_comes_twice(rows: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")

    assert ascending(frame, ("a", "b")) == (rows == sorted(set(rows)))
