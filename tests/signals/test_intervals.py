"""Interval table: worked by hand, by the oracle, and which intervals there are."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Days, Vector
from indexer.signals.intervals import SPANS, Intervals, interval_table
from tests.reference import signal_strength as reference
from tests.signals.example import MAINLAND, days, walk

seeds = st.integers(0, 2**32 - 1)
SESSIONS = MAINLAND.between(date(2023, 1, 3), date(2025, 6, 30))
NAMES = {str(span): f"rows_{span}" for span in SPANS} | {
    "year to date": "year_to_date",
    "since maximum": "since_maximum",
    "since low": "since_minimum",
}


def table(on: Days, leader: Vector, follower: Vector) -> Intervals:
    """Return the table of two lines of levels."""
    return interval_table(on, np.log(leader), np.log(follower))


def begins(found: Intervals) -> dict[str, int]:
    return dict(zip(found.name, found.begin.tolist(), strict=True))


def test_a_return_beyond_all_numbers_is_missing() -> None:
    found = table(days("05-06", "05-07"), np.array([1e-200, 1e200]), np.array([2.0, 1.0]))
    assert np.isnan([found.leader[0], found.strength[0]]).all()
    assert found.follower[0] == pytest.approx(-0.5, rel=1e-14)


def test_the_returns_by_hand() -> None:
    """A fifth up and a tenth down in a day: relative strength gains a third."""
    leader, follower = np.array([100.0, 100.0, 120.0]), np.array([40.0, 50.0, 45.0])
    found = table(days("05-06", "05-07", "05-08"), leader, follower)
    assert found.name == ("rows_1",)
    assert found.begin.tolist() == [1]
    assert [found.leader[0], found.follower[0]] == pytest.approx([0.2, -0.1], rel=1e-14)
    assert found.strength[0] == pytest.approx(1.2 / 0.9 - 1, rel=1e-14)


@given(seeds, st.integers(0, 200), st.integers(1, 380))
def test_all_agree_with_the_oracle(seed: int, begin: int, count: int) -> None:
    on = SESSIONS[begin : begin + count]
    leader, follower = walk(seed, count), walk(seed + 1, count)
    found = table(on, leader, follower)
    expected = reference.interval_table(on.tolist(), leader.tolist(), follower.tolist())
    there = [row for row in expected if row.since is not None]
    assert found.name == tuple(NAMES[row.name] for row in there)
    assert found.begin.tolist() == [row.since for row in there]
    returns = np.column_stack([found.leader, found.follower, found.strength])
    values = [(row.leader, row.follower, row.relative_strength) for row in there]
    np.testing.assert_allclose(returns, np.reshape(values, (-1, 3)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("span", SPANS)
def test_a_span_takes_one_row_more(span: int) -> None:
    line = walk(1, span + 1)
    on = np.datetime64("2024-01-02") + np.arange(span + 1).astype("m8[D]")
    assert begins(table(on, line, line[::-1]))[f"rows_{span}"] == 0
    assert f"rows_{span}" not in begins(table(on[1:], line[1:], line[:-1]))


def test_the_year_counts_from_the_last_row_of_the_one_before() -> None:
    on = np.array(["2023-12-28", "2023-12-29", "2024-01-02", "2024-01-03"], "datetime64[D]")
    line = np.array([1.0, 2.0, 3.0, 4.0])
    assert begins(table(on, line, np.ones(4)))["year_to_date"] == 1
    assert "year_to_date" not in begins(table(on[2:], line[2:], np.ones(2)))
    assert "year_to_date" not in begins(table(on[:2], line[:2], np.ones(2)))
    assert begins(table(on[:3], line[:3], np.ones(3)))["year_to_date"] == 1


def test_a_year_without_rows_is_passed_over() -> None:
    on = np.array(["2021-12-30", "2021-12-31", "2024-01-02"], "datetime64[D]")
    assert begins(table(on, np.ones(3), np.ones(3)))["year_to_date"] == 1


def strength_of(*peaks: tuple[int, float], count: int = 300) -> dict[str, int]:
    """Return the begins where relative strength is one but on some rows."""
    leader = np.ones(count)
    for row, value in peaks:
        leader[row] = value
    on = np.datetime64("2024-01-02") + np.arange(count).astype("m8[D]")
    return begins(table(on, leader, np.ones(count)))


def test_the_maximum_is_that_of_the_last_250_rows_and_the_minimum_comes_after_it() -> None:
    found = strength_of((49, 9.0), (50, 3.0), (60, 0.2), (70, 4.0), (90, 0.5), (100, 0.6))
    assert (found["since_maximum"], found["since_minimum"]) == (70, 90)
    first = strength_of((49, 9.0), (50, 3.0), (60, 0.2))
    assert (first["since_maximum"], first["since_minimum"]) == (50, 60)


def test_of_equals_the_earliest_counts() -> None:
    found = strength_of((80, 2.0), (90, 0.5), (100, 2.0), (110, 0.5))
    assert (found["since_maximum"], found["since_minimum"]) == (80, 90)


def test_a_maximum_on_the_last_row_has_no_minimum_after_it() -> None:
    found = strength_of((299, 2.0))
    assert found["since_maximum"] == 299
    assert "since_minimum" not in found
    assert strength_of((298, 2.0))["since_minimum"] == 299


def test_below_250_rows_there_is_no_maximum() -> None:
    assert "since_maximum" not in strength_of((100, 2.0), count=249)
    assert strength_of((100, 2.0), count=250)["since_maximum"] == 100


def test_without_rows_there_is_no_interval() -> None:
    nothing = np.empty(0)
    found = interval_table(np.empty(0, dtype="datetime64[D]"), nothing, nothing)
    assert found.name == ()
    assert [len(column) for column in found] == [0] * 5


@given(seeds, st.integers(1, 300), st.floats(0.01, 100.0))
def test_base_levels_do_not_matter(seed: int, count: int, scale: float) -> None:
    on = SESSIONS[:count]
    leader, follower = walk(seed, count), walk(seed + 1, count)
    one, two = table(on, leader, follower), table(on, scale * leader, follower / scale)
    assert one.name == two.name
    assert one.begin.tolist() == two.begin.tolist()
    for column, other in zip(one[2:], two[2:], strict=True):
        np.testing.assert_allclose(column, other, rtol=1e-9, atol=1e-12)
