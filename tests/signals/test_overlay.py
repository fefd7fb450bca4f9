"""Overlaid series: divergence by hand, by the oracle, and never before it is announced."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Days, Vector
from indexer.signals.overlay import divergence, divergence_reach
from tests.reference import signal_overlay as reference
from tests.signals.example import days, walk

ON = days("05-06", "05-07", "05-08", "05-09", "05-10", "05-13", "05-14", "05-15")


def test_divergence_by_hand() -> None:
    """Of two changes the larger is 1/sqrt(2) deviations above the mean, the smaller below.

    The series grows by 10 %, 20 %, 10 %; the index by 0.1, 0.3, 0.4 between those days. So both
    rise in the second span, and in the third only the index.
    """
    index = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.8, 0.8])
    told = days("05-06", "05-07", "05-10", "05-14")
    found = divergence(index, ON, np.array([1.0, 1.1, 1.32, 1.452]), told, 2)
    there = np.flatnonzero(~np.isnan(found))
    assert there.tolist() == [4, 6]
    assert found[there] == pytest.approx([0.0, -2 / math.sqrt(2)], abs=1e-12)


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_of_nothing_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 change, got {window}"):
        divergence_reach(ON, ON, window)


def test_a_figure_counts_from_the_session_after_its_date() -> None:
    """Announced over a weekend it is known on Monday, the first session on or after it."""
    index = np.log(walk(3, len(ON)))
    value = np.array([1.0, 2.0, 3.0, 7.0])
    weekend = divergence(index, ON, value, days("05-06", "05-08", "05-11", "05-14"), 2)
    monday = divergence(index, ON, value, days("05-06", "05-08", "05-13", "05-14"), 2)
    np.testing.assert_array_equal(weekend, monday)
    assert np.flatnonzero(~np.isnan(weekend)).tolist() == [5, 6]


def test_of_figures_first_known_on_one_day_the_last_announced_counts() -> None:
    index = np.log(walk(3, len(ON)))
    announced = days("05-06", "05-08", "05-12", "05-11", "05-14")
    twice = divergence(index, ON, np.array([1.0, 2.0, 3.0, 99.0, 7.0]), announced, 2)
    once = divergence(index, ON, np.array([1.0, 2.0, 3.0, 7.0]), announced[[0, 1, 2, 4]], 2)
    np.testing.assert_array_equal(twice, once)


def test_a_figure_from_before_the_index_has_no_span() -> None:
    index = np.log(walk(3, len(ON)))
    found = divergence(
        index, ON, np.array([9.0, 1.0, 2.0, 3.0]), days("05-03", "05-06", "05-08", "05-10"), 2
    )
    assert np.flatnonzero(~np.isnan(found)).tolist() == [4]


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_a_figure_without_a_logarithm_takes_out_the_windows_it_is_in(bad: float) -> None:
    index = np.log(walk(3, len(ON)))
    value = np.array([1.0, 2.0, bad, 3.0, 5.0, 9.0, 8.0, 9.0])
    found = divergence(index, ON, value, ON, 2)
    assert np.flatnonzero(~np.isnan(found)).tolist() == [5, 6, 7]


def test_a_side_that_does_not_vary_has_no_score() -> None:
    index, value = np.log(walk(3, len(ON))), np.exp(walk(4, len(ON)) / 1000)
    assert np.isnan(divergence(index * 0, ON, value, ON, 3)).all()
    assert np.isnan(divergence(index, ON, value * 0 + 5.0, ON, 3)).all()
    assert np.isnan(divergence(index[:0], ON[:0], value, ON, 3)).all()
    assert np.isnan(divergence(index, ON, value[:0], ON[:0], 3)).all()


@st.composite
def overlays(draw: st.DrawFn) -> tuple[Vector, Days, Vector, Days]:
    """Draw log levels of an index on most days, and figures announced on any day."""
    count = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    on = np.cumsum(rng.integers(1, 4, count)).astype("datetime64[D]")
    figures = draw(st.integers(0, 25))
    announced = rng.integers(-5, 3 * count, figures).astype("datetime64[D]")
    value = np.exp(rng.standard_normal(figures) / 5)
    return np.log(walk(draw(st.integers(0, 99)), count)), on, value, announced


@given(overlays(), st.integers(2, 12))
def test_it_agrees_with_the_oracle_where_the_window_is_all_there_is(
    drawn: tuple[Vector, Days, Vector, Days], window: int
) -> None:
    """The oracle knows no window: the change on which there are so many has the same score."""
    index, on, value, announced = drawn
    told = reference.divergence(
        on.tolist(), np.exp(index).tolist(), announced.tolist(), value.tolist()
    )
    found = divergence(index, on, value, announced, window)
    assert np.isnan(np.delete(found, [p.row for p in told[window:]])).all()
    if len(told) > window:
        expected = told[window]
        assert found[expected.row] == pytest.approx(expected.divergence, rel=1e-8, abs=1e-8)


@given(overlays(), st.integers(2, 6), st.integers(0, 60))
def test_it_never_looks_ahead(
    drawn: tuple[Vector, Days, Vector, Days], window: int, cut: int
) -> None:
    """Neither beyond the last day of the index, nor to what is announced after it."""
    index, on, value, announced = drawn
    whole = divergence(index, on, value, announced, window)
    part = divergence(index[:cut], on[:cut], value, announced, window)
    np.testing.assert_array_equal(part, whole[:cut])
    known = announced <= on[:cut].max(initial=np.datetime64(-9999, "D"))
    part = divergence(index[:cut], on[:cut], value[known], announced[known], window)
    np.testing.assert_array_equal(part, whole[:cut])


@given(overlays(), st.integers(2, 6), st.floats(0.01, 100.0), st.floats(-5.0, 5.0))
def test_neither_unit_nor_base_matter(
    drawn: tuple[Vector, Days, Vector, Days], window: int, unit: float, base: float
) -> None:
    index, on, value, announced = drawn
    found = divergence(index + base, on, value * unit, announced, window)
    expected = divergence(index, on, value, announced, window)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
