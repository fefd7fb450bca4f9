"""Two ratio lines that share a leg: worked numbers, least squares, the oracle, and what is null."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Grid, Vector
from indexer.signals.correlation import partial_correlation, ratio_family
from tests.reference import study as reference
from tests.signals.example import walk, walks

# Mutually orthogonal columns of mean zero and equal length: exact samples of any covariance.
H = np.array([[(-1.0) ** (i & mask).bit_count() for i in range(8)] for mask in range(1, 8)])


def returns(*lines: Vector) -> list[Vector]:
    return [np.diff(np.log(line)) for line in lines]


def given_all(b: Vector, c: Vector, *controls: Vector) -> float:
    """Return the partial correlation over all rows."""
    return float(partial_correlation(b, c, np.column_stack(controls), len(b))[-1])


def residuals(y: Vector, controls: Grid) -> Vector:
    """Return what least squares with intercept leaves."""
    design = np.column_stack([np.ones(len(y)), controls])
    return np.asarray(y - design @ np.linalg.lstsq(design, y, rcond=None)[0])


def test_independent_legs_of_equal_variance_correlate_by_one_half() -> None:
    found = ratio_family(H[0], H[1], H[2], 8)
    assert found.correlation[-1] == pytest.approx(0.5, rel=1e-14)
    assert found.null[-1] == pytest.approx(0.5, rel=1e-14)
    assert found.excess[-1] == pytest.approx(0.0, abs=1e-14)
    assert found.partial[-1] == pytest.approx(0.0, abs=1e-14)


def test_the_worked_correlation_is_all_shared_leg() -> None:
    """Volatilities .45, .45, .35; correlations .7, .4, .28 = .7 x .4."""
    a = 0.45 * H[0]
    b = 0.45 * (0.7 * H[0] + math.sqrt(0.51) * H[1])
    c = 0.35 * (0.4 * H[0] + math.sqrt(0.84) * H[2])
    found = ratio_family(a, b, c, 8)
    assert round(found.correlation[-1], 3) == 0.269
    assert found.correlation[-1] == pytest.approx(0.04185 / math.sqrt(0.1215 * 0.199), rel=1e-12)
    assert found.null[-1] == pytest.approx(found.correlation[-1], rel=1e-12)
    assert found.partial[-1] == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("tie", [-0.6, -0.1, 0.0, 0.1, 0.6])
def test_excess_and_partial_correlation_share_sign_and_zero(tie: float) -> None:
    a, b = 0.02 * H[0], 0.03 * (0.5 * H[0] + 0.8 * H[1])
    c = 0.01 * (-0.3 * H[0] + tie * H[1] + 0.7 * H[2])
    found = ratio_family(a, b, c, 8)
    assert found.partial[-1] == pytest.approx(tie / math.hypot(tie, 0.7), rel=1e-12, abs=1e-14)
    assert np.sign(np.round(found.excess[-1], 12)) == np.sign(tie)
    assert found.excess[-1] == pytest.approx(found.correlation[-1] - found.null[-1], abs=1e-15)


@given(walks(3, longest=3), st.integers(5, 20))
def test_excess_and_partial_correlation_never_disagree(lines: list[Vector], window: int) -> None:
    found = ratio_family(*returns(*lines), window)
    decided = (abs(found.excess) > 1e-9) & ~np.isnan(found.partial)
    assert np.array_equal(np.sign(found.excess[decided]), np.sign(found.partial[decided]))


def test_a_benchmark_takes_out_what_both_share_beyond_the_leader() -> None:
    a, market = H[0], 0.5 * H[0] + 2 * H[3]
    b = 0.7 * H[0] + H[3] + 0.6 * H[1]
    c = 0.2 * H[0] + H[3] + 0.6 * H[1] + 0.8 * H[2]
    assert given_all(b, c, a) == pytest.approx(1.36 / math.sqrt(1.36 * 2.0), rel=1e-12)
    assert given_all(b, c, a, market) == pytest.approx(0.6, rel=1e-12)
    assert given_all(b, c, market, a) == pytest.approx(0.6, rel=1e-12)


@given(walks(5, longest=0), st.integers(10, 30), st.integers(1, 3))
def test_the_partial_correlation_is_that_of_least_squares_residuals(
    lines: list[Vector], window: int, controls: int
) -> None:
    b, c, *others = returns(*lines)
    grid = np.column_stack(others[:controls])
    found = partial_correlation(b, c, grid, window)
    assert np.isnan(found[: window - 1]).all()
    for t in range(window - 1, len(b), 7):
        part = slice(t + 1 - window, t + 1)
        left = [residuals(x[part], grid[part]) for x in (b, c)]
        assert found[t] == pytest.approx(np.corrcoef(*left)[0, 1], rel=1e-9, abs=1e-9)


@given(walks(4), st.integers(6, 20))
def test_all_agree_with_the_oracle(lines: list[Vector], window: int) -> None:
    a, b, c, m = returns(*lines)
    found = ratio_family(a, b, c, window)
    benchmark = partial_correlation(b, c, np.column_stack([a, m]), window)
    told = dict(zip((*found._fields, "benchmark"), (*found, benchmark), strict=True))
    sides: dict[str, tuple[Callable[..., float | None], tuple[Vector, ...]]] = {
        "correlation": (reference.ratio_correlation, (a, b, c)),
        "null": (reference.ratio_null, (a, b, c)),
        "excess": (reference.ratio_excess, (a, b, c)),
        "partial": (reference.partial_correlation, (b, c, a)),
        "benchmark": (reference.partial_correlation, (b, c, a, m)),
    }
    for name, (statistic, columns) in sides.items():
        expected = reference.rolling(statistic, window, *(x.tolist() for x in columns))
        values = np.array([np.nan if value is None else value for value in expected])
        np.testing.assert_allclose(told[name], values, rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_leader_that_stands_still_leaves_the_correlation_of_the_others() -> None:
    b, c = returns(walk(1, 30), walk(2, 30))
    found = ratio_family(np.full(29, 0.1), b, c, 29)
    assert found.correlation[-1] == pytest.approx(np.corrcoef(b, c)[0, 1], rel=1e-12)
    assert np.isnan([found.null[-1], found.excess[-1], found.partial[-1]]).all()


@pytest.mark.parametrize("scale", [1.0, 3.0, 0.1])
def test_the_leader_under_another_base_level_leaves_nothing_to_correlate(scale: float) -> None:
    """Its ratio line moves by rounding alone, which is no variance."""
    a, b, c = returns(walk(1, 40), scale * walk(1, 40), walk(2, 40))
    for found in (*ratio_family(a, b, c, 10), *ratio_family(a, c, b, 10)):
        assert np.isnan(found).all()


def test_a_series_wholly_explained_has_no_partial_correlation() -> None:
    a, m, free = returns(walk(1, 40), walk(2, 40), walk(3, 40))
    explained = 0.3 * a - 0.7 * m + 0.001
    controls = np.column_stack([a, m])
    assert np.isnan(partial_correlation(explained, free, controls, 10)).all()
    assert np.isnan(partial_correlation(free, explained, controls, 10)).all()
    assert not np.isnan(partial_correlation(free, a, m[:, None], 10)[9:]).any()


def test_collinear_controls_have_no_partial_correlation() -> None:
    a, b, c = returns(walk(1, 40), walk(2, 40), walk(3, 40))
    controls = np.column_stack([a, 2 * a + 0.001])
    assert np.isnan(partial_correlation(b, c, controls, 10)).all()
    controls[20, 1] += 0.01  # while this row is in the window they are two
    there = ~np.isnan(partial_correlation(b, c, controls, 10))
    assert np.flatnonzero(there).tolist() == list(range(20, 30))


def exact_partial(*columns: Vector) -> float:
    """Return the correlation of the last two columns given the others, in fractions."""
    left = [[Fraction(x) for x in column.tolist()] for column in columns]
    left = [[x - sum(column) / len(column) for x in column] for column in left]

    def product(one: list[Fraction], two: list[Fraction]) -> Fraction:
        return sum((x * y for x, y in zip(one, two, strict=True)), Fraction(0))

    for k in range(len(left) - 2):
        control = left[k]
        for j in range(k + 1, len(left)):
            slope = product(control, left[j]) / product(control, control)
            left[j] = [y - slope * x for x, y in zip(control, left[j], strict=True)]
    b, c = left[-2:]
    return float(product(b, c)) / math.sqrt(product(b, b) * product(c, c))


def test_near_collinear_controls_keep_nine_digits() -> None:
    a, free, b, c = returns(*(walk(seed, 21) for seed in range(4)))
    near = a + 1e-5 * free
    found = partial_correlation(b, c, np.column_stack([a, near]), 20)
    assert found[-1] == pytest.approx(exact_partial(a, near, b, c), rel=1e-9)


def test_followers_near_the_leader_keep_nine_digits() -> None:
    a, one, two = returns(*(walk(seed, 21) for seed in range(3)))
    b, c = a + 1e-5 * one, a + 1e-5 * two
    found = ratio_family(a, b, c, 20)
    assert found.partial[-1] == pytest.approx(exact_partial(a, b, c), rel=1e-9)


def test_a_missing_control_is_null_only_while_it_is_in_the_window() -> None:
    a, b, c = returns(walk(1, 40), walk(2, 40), walk(3, 40))
    whole = partial_correlation(b, c, a[:, None], 10)
    a[:5] = np.nan
    found = partial_correlation(b, c, a[:, None], 10)
    assert np.isnan(found[:14]).all()
    assert np.array_equal(found[14:], whole[14:])


@given(walks(3, longest=3), st.integers(6, 20), st.floats(0.01, 100.0))
def test_order_and_unit_of_the_returns_do_not_matter(
    lines: list[Vector], window: int, scale: float
) -> None:
    a, b, c = returns(*lines)
    found = ratio_family(a, b, c, window)
    for other in (
        ratio_family(a, c, b, window),
        ratio_family(*(scale * np.array([a, b, c])), window),
    ):
        for one, two in zip(found, other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-9)


@given(walks(4), st.integers(2, 20), st.integers(1, 60))
def test_none_looks_ahead(lines: list[Vector], window: int, cut: int) -> None:
    """Cut at any row, nothing before it changes by one bit."""

    def signals(a: Vector, b: Vector, c: Vector, m: Vector) -> list[Vector]:
        controls = np.column_stack([a, m])
        return [*ratio_family(a, b, c, window), partial_correlation(b, c, controls, window)]

    whole = returns(*lines)
    for part, found in zip(signals(*(x[:cut] for x in whole)), signals(*whole), strict=True):
        assert np.array_equal(part, found[:cut], equal_nan=True)


@given(walks(4), st.integers(2, 20))
def test_every_figure_is_a_correlation(lines: list[Vector], window: int) -> None:
    a, b, c, m = returns(*lines)
    family = ratio_family(a, b, c, window)
    given_both = partial_correlation(b, c, np.column_stack([a, m]), window)
    for found in (family.correlation, family.null, family.partial, given_both):
        assert np.all(np.isnan(found) | (abs(found) <= 1.0))
    null = np.isnan(family.correlation) | np.isnan(family.null)
    assert np.array_equal(np.isnan(family.excess), null)


@pytest.mark.parametrize(("window", "null"), [(3, True), (4, False)])
def test_three_rows_of_three_lines_leave_nothing_to_chance(window: int, null: bool) -> None:
    """Two residuals of three rows and two parameters lie on one line, whatever they are."""
    a, b, c = np.random.default_rng(1).standard_normal((3, 10))
    found = ratio_family(a, b, c, window).partial[window - 1 :]
    assert np.isnan(found).all() == null
    two = partial_correlation(b, c, np.column_stack([a, c[::-1]]), window + 1)[window:]
    assert np.isnan(two).all() == null


def test_lines_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="a, b, c of one length"):
        ratio_family(np.ones(9), np.ones(8), np.ones(9), 5)
    with pytest.raises(ValueError, match="b, c of one length"):
        partial_correlation(np.ones(9), np.ones(8), np.ones((9, 1)), 5)


@pytest.mark.parametrize("shape", [(9,), (8, 1), (9, 1, 1)])
def test_controls_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected controls of \(9, k\), got"):
        partial_correlation(np.ones(9), np.ones(9), np.ones(shape), 5)
