"""Relative strength, momentum and z-score: worked by hand, by the oracle, and cut short."""

import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Vector
from indexer.kernels.moments import window_moments
from indexer.signals.strength import momentum, percentile, relative_strength, zscore
from tests.reference import study as reference
from tests.reference.study import Column
from tests.signals.example import walk, walks


def same(found: Vector, expected: Column) -> None:
    """Assert that null stands where null is expected, and elsewhere nine digits agree."""
    values = np.array([np.nan if value is None else value for value in expected])
    np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-9)


def test_relative_strength_begins_at_one_hundred() -> None:
    """The leader gains a fifth while the follower loses a tenth."""
    found = relative_strength(np.array([10.0, 11.0, 12.0]), np.array([200.0, 220.0, 180.0]))
    assert found.tolist() == pytest.approx([100.0, 100.0, 100 * 1.2 / 0.9], rel=1e-15)


def test_relative_strength_of_nothing_is_nothing() -> None:
    assert relative_strength(np.empty(0), np.empty(0)).shape == (0,)


@pytest.mark.parametrize("last", [1e307, 1.7e308])
def test_relative_strength_beyond_all_numbers_is_missing(last: float) -> None:
    found = relative_strength(np.array([1.0, 2.0, last]), np.array([1.0, 1.0, 0.5]))
    assert found[:2].tolist() == [100.0, 200.0]
    assert math.isnan(found[2])


def test_momentum_is_the_change_over_so_many_rows() -> None:
    found = momentum(np.array([0.5, 0.25, 1.0, 2.0]), 2)
    assert np.isnan(found[:2]).all()
    assert found[2:].tolist() == [0.5, 1.75]


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_a_line_too_short_has_neither_momentum_nor_zscore(count: int) -> None:
    values = walk(1, count)
    assert np.isnan(momentum(values, 5)).tolist() == [True] * count
    assert np.isnan(zscore(values, 6)).tolist() == [True] * count
    assert np.isnan(percentile(values, 6)).tolist() == [True] * count


@pytest.mark.parametrize("count", [0, -1, -3])
def test_a_window_of_nothing_is_refused(count: int) -> None:
    """A negative one read what lies before the array."""
    line = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    for function in (momentum, zscore, percentile):
        with pytest.raises(ValueError, match=f"at least 1 .*, got {count}"):
            function(line, count)


def test_zscore_counts_today_and_divides_by_one_less() -> None:
    found = zscore(np.array([5.0, 1.0, 2.0, 6.0]), 3)
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx((2 - 8 / 3) / statistics.stdev([5.0, 1.0, 2.0]), rel=1e-14)
    assert found[3] == pytest.approx(3 / statistics.stdev([1.0, 2.0, 6.0]), rel=1e-14)


def test_moments_do_not_see_what_a_mask_hides() -> None:
    values = np.ma.MaskedArray([5.0, 99.0, 2.0, 6.0], [False, True, False, False])
    assert np.isnan(window_moments(values, 2)[0]).tolist() == [True, True, True, False]


def test_a_constant_window_has_a_mean_but_no_zscore() -> None:
    """At a value that no double holds exactly, and not one row longer than it lasts."""
    values = np.array([0.3, 0.1, 0.1, 0.1, 0.1, 0.3])
    mean, deviation = window_moments(values, 3)
    assert deviation[3:5].tolist() == [0.0, 0.0]
    assert mean[3:5].tolist() == [0.1, 0.1]
    assert np.isnan(zscore(values, 3)).tolist() == [True, True, False, True, True, False]


def test_percentile_counts_today_and_its_equals() -> None:
    found = percentile(np.array([3.0, 1.0, 2.0, 2.0, 0.0, 2.0]), 4)
    assert np.isnan(found[:3]).all()
    assert found[3:].tolist() == [0.75, 0.25, 1.0]


def test_percentile_looks_250_rows_back() -> None:
    values = np.concatenate([[-1.0], np.arange(250.0)[::-1]])
    assert percentile(values)[249:].tolist() == [2 / 250, 1 / 250]
    assert np.isnan(percentile(values[:249])).all()


def test_a_missing_value_has_no_percentile_while_it_is_in_the_window() -> None:
    values = np.array([1.0, 2.0, np.nan, 3.0, 4.0, 5.0, 1.0])
    found = percentile(values, 2)
    np.testing.assert_array_equal(found, [np.nan, 1.0, np.nan, np.nan, 1.0, 1.0, 0.5])


@given(st.lists(st.integers(-5, 5), max_size=40), st.integers(2, 20))
def test_percentile_is_the_highest_rank_of_pandas(values: list[int], window: int) -> None:
    line = np.array(values, dtype=float)
    expected = pd.Series(line).rolling(window).rank(method="max", pct=True)
    np.testing.assert_allclose(percentile(line, window), expected, rtol=1e-14)


@given(walks(2), st.integers(1, 20), st.integers(2, 20))
def test_all_agree_with_the_oracle(lines: list[Vector], span: int, window: int) -> None:
    leader, follower = lines
    strength = np.log(leader) - np.log(follower)
    expected = reference.relative_strength(leader.tolist(), follower.tolist())
    logs = [math.log(value) for value in expected]
    same(relative_strength(leader, follower), list(expected))
    same(momentum(strength, span), reference.momentum(logs, span))
    same(zscore(strength, window), reference.zscore(logs, window))
    same(percentile(strength, window), reference.percentile(strength.tolist(), window))


@given(walks(1), st.integers(2, 20))
def test_moments_agree_with_the_oracle(lines: list[Vector], window: int) -> None:
    values = np.log(lines[0])
    mean, deviation = window_moments(values, window)
    same(mean, reference.rolling(reference.mean, window, values.tolist()))
    same(
        deviation,
        reference.rolling(lambda x: reference.deviation(x, 1) or 0.0, window, values.tolist()),
    )


@pytest.mark.parametrize("window", [4, 2**70])
def test_moments_of_a_window_longer_than_the_line_are_null(window: int) -> None:
    assert np.isnan(window_moments(np.arange(3.0), window)).all()


def test_a_window_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(TypeError):
        window_moments(np.arange(3.0), 2.5)  # type: ignore[arg-type]


@given(walks(2), st.integers(1, 20), st.integers(2, 20), st.integers(1, 60))
def test_none_looks_ahead(lines: list[Vector], span: int, window: int, cut: int) -> None:
    """Cut at any row, nothing before it changes by one bit."""

    def signals(leader: Vector, follower: Vector) -> list[Vector]:
        strength = np.log(leader) - np.log(follower)
        scores = [momentum(strength, span), zscore(strength, window)]
        scores.append(percentile(strength, window))
        return [relative_strength(leader, follower), *scores, *window_moments(strength, window)]

    for part, whole in zip(signals(*(x[:cut] for x in lines)), signals(*lines), strict=True):
        assert np.array_equal(part, whole[:cut], equal_nan=True)


@given(walks(2), st.floats(-10.0, 10.0))
def test_another_base_level_changes_no_zscore(lines: list[Vector], offset: float) -> None:
    strength = np.log(lines[0] / lines[1])
    moved, found = zscore(strength + offset, 12), zscore(strength, 12)
    still = window_moments(strength, 12)[1] < 1e-3  # there is rounding, once moved
    np.testing.assert_allclose(moved[~still], found[~still], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_a_deviation_that_is_not_known_makes_no_zscore(unit: float) -> None:
    """In the larger unit it was infinite, and the z-score nought."""
    assert np.isnan(zscore(np.array([1.0, -1.0, 3.0]) * unit, 3)).all()


def test_what_a_mask_hides_is_missing() -> None:
    values = np.ma.MaskedArray([5.0, 4.0, 2.0, 6.0], [False, True, False, False])
    for found in (zscore(values, 2), percentile(values, 2), momentum(values, 1)):
        assert np.isnan(found).tolist() == [True, True, True, False]
    assert np.isnan(relative_strength(values, values)).tolist() == [False, True, False, False]


def test_lines_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="leader, follower of one length"):
        relative_strength(np.ones(3), np.ones(2))
    for function in (momentum, zscore, percentile):
        with pytest.raises(ValueError, match=r"got shapes \[\(3, 2\)\]"):
            function(np.ones((3, 2)), 2)
