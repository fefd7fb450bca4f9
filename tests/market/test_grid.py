"""Prices as one grid: a worked example, an oracle, and rows that are no close of their own."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from indexer.errors import MarketDataError
from indexer.market.grid import CloseGrid, grid_of, off_calendar

NAN = float("nan")
FIRST = date(2024, 1, 2)
SCHEMA = {"symbol": pl.String, "date": pl.Date, "close": pl.Float64, "amount": pl.Float64}

Row = tuple[str, date, float, float | None]


def table(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def day(n: int) -> date:
    return FIRST + timedelta(n)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of distinct symbols and days, in any order."""
    symbols = st.sampled_from(["NVDA.US", "00700.HK", "300308.SZ", "600519.SH", "A.US", "AB.US"])
    keys = draw(st.lists(st.tuples(symbols, st.integers(0, 40)), unique=True, max_size=60))
    amounts = st.none() | st.floats(0, 1e12)
    closes = st.floats(5e-324, 1e300)
    return [(symbol, day(n), draw(closes), draw(amounts)) for symbol, n in keys]


def slow(rows: list[Row]) -> CloseGrid:
    """Return the same by looking up every cell."""
    closes = {(symbol, when): (close, amount) for symbol, when, close, amount in rows}
    symbols = tuple(sorted({symbol for symbol, _ in closes}))
    days = sorted({when for _, when in closes})
    cells = [[closes.get((symbol, when), (NAN, NAN)) for symbol in symbols] for when in days]
    figures = np.array(cells, dtype=float).reshape(len(days), len(symbols), 2)
    known = any(amount is not None for *_, amount in rows)
    return CloseGrid(
        np.array(days, dtype="datetime64[D]"),
        symbols,
        figures[..., 0],
        figures[..., 1] if known else None,
    )


def assert_same(found: CloseGrid, expected: CloseGrid) -> None:
    assert found.symbols == expected.symbols
    assert found.days.dtype == expected.days.dtype
    assert_array_equal(found.days, expected.days)
    assert found.close.shape == expected.close.shape
    assert_array_equal(found.close, expected.close)
    assert (found.amount is None) == (expected.amount is None)
    if found.amount is not None and expected.amount is not None:
        assert_array_equal(found.amount, expected.amount)


def test_rows_become_cells() -> None:
    rows: list[Row] = [
        ("B.US", day(3), 21.0, 2e6),
        ("A.US", day(0), 10.0, None),
        ("B.US", day(0), 20.0, 1e6),
        ("A.US", day(7), 11.0, 3e6),
    ]
    found = grid_of(table(rows))

    assert found.symbols == ("A.US", "B.US")
    assert found.days.tolist() == [day(0), day(3), day(7)]
    assert_array_equal(found.close, [[10.0, 20.0], [NAN, 21.0], [11.0, NAN]])
    assert_array_equal(found.amount, [[NAN, 1e6], [NAN, 2e6], [3e6, NAN]])


@given(tables(), st.sampled_from([pl.String, pl.Categorical]))
def test_it_agrees_with_looking_up_every_cell(rows: list[Row], text: type[pl.DataType]) -> None:
    prices = table(rows).with_columns(pl.col("symbol").cast(text))

    assert_same(grid_of(prices), slow(rows))


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], chance: st.DataObject) -> None:
    expected = grid_of(table(sorted(rows)))
    by_day = sorted(rows, key=lambda row: (row[1], row[0]))
    chance.shuffle(rows)

    for order in (rows, by_day, rows[::-1]):
        assert_same(grid_of(table(order)), expected)


def test_an_enum_lists_more_symbols_than_there_are() -> None:
    listed = pl.Enum(["B.US", "NONE.US", "A.US"])
    prices = table([("B.US", day(0), 2.0, None), ("A.US", day(0), 1.0, None)])
    found = grid_of(prices.with_columns(pl.col("symbol").cast(listed)))

    assert found.symbols == ("A.US", "B.US")
    assert_array_equal(found.close, [[1.0, 2.0]])


def test_tables_read_in_pieces_are_one() -> None:
    rows: list[Row] = [("A.US", day(0), 1.0, None), ("A.US", day(1), 2.0, None)]
    pieces = pl.concat([table(rows[:1]), table(rows[1:])], rechunk=False)

    assert_same(grid_of(pieces), slow(rows))


def test_a_table_without_amounts_has_none() -> None:
    prices = table([("A.US", day(0), 1.0, None)])

    assert grid_of(prices).amount is None
    assert grid_of(prices.drop("amount")).amount is None


def test_a_grid_cannot_be_written_to() -> None:
    found = grid_of(table([("A.US", day(0), 1.0, 2.0)]))

    assert found.amount is not None
    assert not found.close.flags.writeable
    assert not found.amount.flags.writeable


SOUND: Row = ("A.US", day(0), 1.0, None)
REFUSED = {
    "twice": ([SOUND, SOUND], "2024-01-02 is given twice"),
    "twice, apart": ([SOUND, ("B.US", day(0), 1.0, None), SOUND], "A.US: 2024-01-02 is given"),
    "twice, differing": ([SOUND, ("A.US", day(0), 2.0, None)], "keep one row, close 2.0"),
    "no close": ([SOUND, ("B.US", day(0), None, None)], "B.US: 2024-01-02: close None is no"),
    "not a number": ([SOUND, ("B.US", day(0), NAN, None)], "close nan is no number"),
}


@pytest.mark.parametrize(("rows", "told"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_is_no_close_of_its_own_is_refused(rows: list[Row], told: str) -> None:
    with pytest.raises(MarketDataError, match=told):
        grid_of(table(rows))


def test_of_many_such_rows_the_first_are_named() -> None:
    with pytest.raises(MarketDataError) as refused:
        grid_of(table([("A.US", day(n // 2), 1.0, None) for n in range(40)]))

    assert len(refused.value.flaws) == 11
    assert refused.value.flaws[-1].message == "30 more rows like these"


def test_a_close_is_off_the_calendar_of_its_own_exchange_alone() -> None:
    """On 15 January 2024 New York was shut, Shanghai was not; the 13th is a Saturday."""
    monday, saturday = date(2024, 1, 15), date(2024, 1, 13)
    closes = [("300308.SZ", monday), ("600519.SH", saturday), ("A.US", monday), ("AB.US", day(0))]
    grid = grid_of(table([(symbol, on, 1.0, None) for symbol, on in closes]))

    assert off_calendar(grid, range(4)).tolist() == [False, True, True, False]
    assert off_calendar(grid, range(2, 4)).tolist() == [True, False]
