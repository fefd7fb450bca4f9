"""Rolling rank correlation against ranks found by sorting, against scipy, and its laws."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from indexer.arrays import Vector
from indexer.kernels import ranks
from indexer.kernels.compile import config
from indexer.kernels.rolling import rolling_correlation, rolling_rank_correlation
from tests.reference import rolling as reference
from tests.reference.rolling import LINES, holed, noise, spiked, stepped

if config.DISABLE_JIT:  # numpy warns of what overflows
    pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Vector, Vector, int, int]:
    """Draw two lines with many ties and some holes, a window and its fewest pairs."""
    count = draw(st.integers(1, 30))
    value = st.one_of(
        st.integers(-2, 2).map(float), st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf])
    )
    a, b = (np.array(draw(st.lists(value, min_size=count, max_size=count))) for _ in "ab")
    window = draw(st.integers(2, 32))
    return a, b, window, draw(st.integers(2, window))


def exact(a: Vector, b: Vector, window: int, least: int) -> Vector:
    found = reference.rolling_rank_correlation(a.tolist(), b.tolist(), window, least)
    return reference.vector(found)


def assert_near(found: Vector, expected: Vector) -> None:
    """Allow for the last root and division: sums of ranks are whole numbers."""
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(abs(found - expected), initial=0.0) <= 1e-15
    assert np.nanmax(abs(found), initial=0.0) <= 1.0


@pytest.mark.parametrize("x", LINES)
@pytest.mark.parametrize("y", ["noise", "missing", "constant stretch", "infinite"])
def test_every_kind_of_line_against_sorting(x: str, y: str) -> None:
    a, b = LINES[x](1), LINES[y](2)
    for of in ((2, 2), (10, 3), (25, 25), (80, 40), (99, 2)):
        assert_near(rolling_rank_correlation(a, b, *of), exact(a, b, *of))


@given(cases())
def test_ties_and_holes_against_sorting(case: tuple[Vector, Vector, int, int]) -> None:
    assert_near(rolling_rank_correlation(*case), exact(*case))


def test_worked_by_hand() -> None:
    """Ranks 1, 2.5, 2.5, 4 and 4, 1, 2, 3: products of deviations -0.5 over sqrt(4.5 * 5)."""
    found = rolling_rank_correlation(
        np.array([-7.0, 0.5, 0.5, 9.0]), np.array([30.0, 1.0, 2.0, 20.0]), 4
    )
    assert np.isnan(found[:3]).all()
    assert found[3] == pytest.approx(-1.5 / np.sqrt(4.5 * 5.0), rel=1e-15)


@pytest.mark.parametrize("a", [noise, spiked, lambda seed: np.round(noise(seed))])
@pytest.mark.parametrize("window", [3, 20, 80])
def test_scipy_agrees_on_every_complete_window(a: Callable[[int], Vector], window: int) -> None:
    x, y = a(1), np.round(2.0 * noise(2))
    found = rolling_rank_correlation(x, y, window)
    for t in range(window - 1, len(x)):
        span = slice(t - window + 1, t + 1)
        if len(set(x[span])) == 1 or len(set(y[span])) == 1:
            assert np.isnan(found[t])
        else:
            assert found[t] == pytest.approx(spearmanr(x[span], y[span]).statistic, abs=1e-14)


@pytest.mark.parametrize(("window", "still"), [(5, range(19, 40)), (25, [39]), (26, [])])
def test_null_exactly_where_a_side_stands_still(window: int, still: range | list[int]) -> None:
    a, b = stepped(1), noise(2)
    for found in (rolling_rank_correlation(a, b, window), rolling_rank_correlation(b, a, window)):
        assert np.flatnonzero(np.isnan(found)).tolist() == [*range(window - 1), *still]


@given(cases())
def test_only_the_order_of_values_matters(case: tuple[Vector, Vector, int, int]) -> None:
    """Whole numbers in the same order give the same ranks, and so the same bits."""
    a, b, window, least = case
    found = rolling_rank_correlation(*case)
    x, y = (np.where(np.isfinite(v), np.unique(v, return_inverse=True)[1], np.nan) for v in (a, b))
    for moved in (
        rolling_rank_correlation(x, y, window, least),
        rolling_rank_correlation(x**3, np.exp(y), window, least),
        -rolling_rank_correlation(a, -b, window, least),
        rolling_rank_correlation(b, a, window, least),
    ):
        assert np.array_equal(moved, found, equal_nan=True)


def test_a_monotone_image_correlates_fully() -> None:
    a = noise(1)
    assert np.all(rolling_rank_correlation(a, np.exp(a), 9)[8:] == 1.0)
    assert np.all(rolling_rank_correlation(a, -(a**3), 9)[8:] == -1.0)


def test_it_is_the_correlation_of_ranks() -> None:
    """Over all sessions the ranks are one line each."""
    a, b = noise(1), np.round(noise(2))
    x, y = (np.array(reference.ranks(side.tolist()), dtype=float) for side in (a, b))
    found, expected = (
        rolling_rank_correlation(a, b, len(a))[-1],
        rolling_correlation(x, y, len(a))[-1],
    )
    assert found == pytest.approx(expected, abs=1e-14)


@given(cases(), st.integers(0, 30))
def test_a_window_has_one_answer_wherever_it_stands(
    case: tuple[Vector, Vector, int, int], shift: int
) -> None:
    """What came before leaves no trace, not by one bit."""
    a, b, window, least = case
    x, y = (np.concatenate([noise(shift, shift) * 1e12, line]) for line in (a, b))
    found = rolling_rank_correlation(x, y, window, least)[shift + window - 1 :]
    assert np.array_equal(found, rolling_rank_correlation(*case)[window - 1 :], equal_nan=True)


def test_ten_thousand_sessions_leave_the_places_exact() -> None:
    """Places are moved, never counted anew: after many windows the last is still a first one."""
    a, b = holed(1, 10_000), np.round(3.0 * noise(2, 10_000))
    found = rolling_rank_correlation(a, b, 17, 2)[-1]
    assert found == rolling_rank_correlation(a[-17:], b[-17:], 17, 2)[-1]


@pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")
@given(cases())
def test_the_compiled_body_is_the_interpreted_one(case: tuple[Vector, Vector, int, int]) -> None:
    """No operation is fused, so that it is the same to the last bit."""
    out = np.empty(len(case[0]))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_enter", "_leave"):
            patch.setattr(ranks, name, getattr(ranks, name).py_func)
        ranks.rank_correlation.py_func(*case, out)
    assert np.array_equal(rolling_rank_correlation(*case), out, equal_nan=True)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_line_shorter_than_its_window_is_all_null(count: int) -> None:
    found = rolling_rank_correlation(noise(1, count), noise(2, count), 5)
    assert found.shape == (count,)
    assert np.isnan(found).all()


def test_nothing_outside_the_output_is_written() -> None:
    for count in range(6):
        for window in range(2, 8):
            buffer = np.full(count + 4, 7.25)
            ranks.rank_correlation(noise(1, count), noise(2, count), window, 2, buffer[2:-2])
            assert np.all(buffer[[0, 1, -2, -1]] == 7.25)
            assert not np.any(buffer[2:-2] == 7.25)
