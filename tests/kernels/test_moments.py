"""Mean and deviation of rolling windows, against exact arithmetic of each window alone."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Vector
from indexer.kernels.moments import window_moments


def exactly(values: Vector, window: int) -> tuple[list[float], list[float]]:
    """Return mean and sample deviation of each window in fractions, rounded once."""
    mean, deviation = [math.nan] * len(values), [math.nan] * len(values)
    for t in range(window - 1, len(values)):
        part = values[t + 1 - window : t + 1]
        if np.isfinite(part).all():
            exact = [Fraction(x) for x in part.tolist()]
            centre = sum(exact) / window
            mean[t] = float(centre)
            if window > 1:
                square = sum((x - centre) ** 2 for x in exact) / (window - 1)
                deviation[t] = math.sqrt(square)
    return mean, deviation


def agree(values: Vector, window: int) -> None:
    with np.errstate(invalid="ignore"):  # 0 / 0, of one value, is told where it is not compiled
        mean, deviation = window_moments(values, window)
    expected, spread = exactly(values, window)
    np.testing.assert_allclose(mean, expected, rtol=1e-14, atol=1e-12 * np.nanmax(np.abs(values)))
    # A window is known as well as doubles of its size can tell its values apart.
    of_size = 1e-15 * np.nanmax(np.abs(values))
    np.testing.assert_allclose(deviation, spread, rtol=1e-10, atol=of_size)


@given(
    st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=1, max_size=40),
    st.integers(1, 45),
)
def test_any_values_and_missing_ones(values: list[float], window: int) -> None:
    agree(np.array([0.5, *values]), window)


@pytest.mark.parametrize("window", [1, 2, 7, 60, 250])
@pytest.mark.parametrize("offset", [0.0, 1e3, -1e6])
def test_a_walk_far_from_zero(window: int, offset: float) -> None:
    walk = np.random.default_rng(20260507).normal(size=700).cumsum()
    agree(walk + offset, window)


@pytest.mark.parametrize("window", [5, 20])
def test_an_outlier_leaves_no_trace(window: int) -> None:
    """Windows that it has left are known to thirteen digits."""
    values = np.random.default_rng(1).normal(size=120)
    values[37] = 1e12
    _, deviation = window_moments(values, window)
    _, spread = exactly(values, window)
    after = slice(37 + 2 * window, None)
    np.testing.assert_allclose(deviation[after], spread[after], rtol=1e-13)


def test_a_block_that_follows_a_missing_value_has_one_whole_window() -> None:
    values = np.array([1.0, 2.0, np.nan, 4.0, 6.0, 11.0, 8.0])
    mean, _ = window_moments(values, 3)
    assert mean[5:].tolist() == [7.0, 25 / 3]
    assert np.isnan(mean[:5]).all()


def test_a_stretch_that_does_not_move_has_its_own_mean_and_no_deviation() -> None:
    """Also where the block it lies in counts from another value."""
    values = np.array([7.3, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    mean, deviation = window_moments(values, 4)
    assert mean[6:].tolist() == [0.1] * 3
    assert deviation[6:].tolist() == [0.0] * 3


@pytest.mark.parametrize("unit", [1e-150, 1e150])
@pytest.mark.parametrize("window", [2, 7, 5000])
def test_deviations_are_known_between_the_bounds_told(unit: float, window: int) -> None:
    values = np.random.default_rng(1).normal(size=5200)
    expected, spread = window_moments(values, window)
    mean, deviation = window_moments(values * unit, window)
    np.testing.assert_allclose(mean / unit, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(deviation / unit, spread, rtol=1e-10)


def test_beyond_them_a_deviation_is_infinite_or_nothing() -> None:
    values = np.array([1.0, -1.0, 3.0])
    assert window_moments(values * 1e200, 3)[1][-1] == math.inf
    assert window_moments(values * 1e-200, 3)[1][-1] == 0.0


@pytest.mark.parametrize("infinite", [[math.inf], [-math.inf], [math.inf, -math.inf]])
def test_an_infinite_value_leaves_no_trace(infinite: list[float]) -> None:
    values = np.array([1.0, 2.0, 3.0, *infinite, 4.0, 5.0, 6.0, 7.0])
    mean, deviation = window_moments(values, 3)
    touched = np.isnan(deviation)[2:].tolist()
    assert touched == [False, *[True] * (len(infinite) + 2), False, False]
    assert not np.isfinite(mean[np.isnan(deviation)]).any()
    assert mean[-2:].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("values", [np.ones((5, 2)), 1.0])
def test_values_of_another_shape_are_refused(values: Vector) -> None:
    with pytest.raises(ValueError, match=r"expected values .*\(T,\), got shapes"):
        window_moments(values, 5)
