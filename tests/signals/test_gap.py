"""Beta-adjusted gap and Dimson beta: by hand, by statsmodels, by the oracle, and what is null."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from indexer.arrays import Vector
from indexer.signals.gap import Gap, beta_gap, dimson_beta
from tests.reference import diffusion, signal_gap
from tests.signals.example import walk, walks

spans, windows = st.integers(1, 12), st.integers(3, 20)


def levels(*returns: float) -> Vector:
    """Return log levels from returns, the first of them zero."""
    return np.concatenate([[0.0], np.cumsum(returns)])


def pair(seed: int, count: int = 60) -> tuple[Vector, Vector]:
    """Return log levels of a leader and a follower that goes along by half."""
    leader, other = np.log(walk(seed, count)), np.log(walk(seed + 1, count))
    return leader, 0.5 * leader + other


@pytest.mark.parametrize(("span", "window"), [(0, 3), (-1, 9), (2, 2), (5, -2)])
def test_spans_and_windows_too_short_are_refused(span: int, window: int) -> None:
    leader, follower = pair(1)
    with pytest.raises(ValueError, match=f"at least 3 returns, got {span} and {window}"):
        beta_gap(leader, follower, span, window)


def test_the_gap_by_hand() -> None:
    """Before the span b = 0.5 a + 0.01 but for errors of 0.01, -0.02, 0.01; in it a gains 0.3."""
    a = levels(0.0, 0.1, 0.2, 0.1, 0.2)
    b = levels(0.02, 0.04, 0.12, 0.0, 0.06)
    found = beta_gap(a, b, 2, 3)
    assert np.isnan([value[:5] for value in found]).all()
    variance = (0.01**2 + 0.02**2 + 0.01**2) / 1
    error = math.sqrt(variance * (2 + 4 / 3 + (0.3 - 2 * 0.1) ** 2 / 0.02))
    assert found.beta[5] == pytest.approx(0.5, rel=1e-12)
    assert found.alpha[5] == pytest.approx(0.01, rel=1e-12)
    assert found.gap[5] == pytest.approx(0.5 * 0.3 - 0.06, rel=1e-12)
    assert found.z[5] == pytest.approx((0.09 + 2 * 0.01) / error, rel=1e-12)


@given(st.integers(0, 2**32), windows)
def test_over_one_row_z_is_that_of_the_prediction_of_statsmodels(seed: int, window: int) -> None:
    """An interval for one more observation has its bound where z is the quantile of the bound."""
    leader, follower = pair(seed, window + 2)
    a, b = np.diff(leader), np.diff(follower)
    fit = OLS(b[:-1], add_constant(a[:-1])).fit()
    predicted = fit.get_prediction([[1.0, a[-1]]])
    found = beta_gap(leader, follower, 1, window)
    assert [found.alpha[-1], found.beta[-1]] == pytest.approx(fit.params, rel=1e-9, abs=1e-12)
    z = (predicted.predicted[0] - b[-1]) / predicted.se_obs[0]
    assert found.z[-1] == pytest.approx(z, rel=1e-8, abs=1e-9)


@given(st.integers(0, 2**32), st.integers(2, 30), windows)
def test_the_error_is_that_of_the_sum_of_the_predictions(seed: int, span: int, window: int) -> None:
    """Errors of the h returns share the coefficients': all entries of their covariance add up."""
    leader, follower = pair(seed, window + span + 1)
    a, b = np.diff(leader), np.diff(follower)
    fit = OLS(b[:window], add_constant(a[:window])).fit()
    ahead = add_constant(a[window:], has_constant="add")
    variance = fit.scale * span + (ahead @ fit.cov_params() @ ahead.T).sum()
    z = (fit.predict(ahead).sum() - b[window:].sum()) / math.sqrt(variance)
    found = beta_gap(leader, follower, span, window)
    assert found.z[-1] == pytest.approx(z, rel=1e-8, abs=1e-9)


@given(walks(2), spans, windows)
def test_the_gap_agrees_with_the_oracle(lines: list[Vector], span: int, window: int) -> None:
    found = beta_gap(np.log(lines[0]), np.log(lines[1]), span, window)
    expected = diffusion.beta_gap(lines[0].tolist(), lines[1].tolist(), span, window)
    for t, row in enumerate(expected):
        told = [found.alpha[t], found.beta[t], found.gap[t], found.z[t]]
        values = [math.nan if v is None else v for v in (row or [None] * 4)]
        np.testing.assert_allclose(told, values, rtol=1e-7, atol=1e-9)


@given(walks(2), spans, st.integers(6, 20))
def test_the_dimson_beta_agrees_with_the_oracle(
    lines: list[Vector], span: int, window: int
) -> None:
    """Which has it where the gap has its beta, ``span`` rows later."""
    a, b = np.diff(np.log(lines))
    one, two = ([None, *side.tolist()] for side in (a, b))
    expected = signal_gap.dimson_betas(one, two, span, window)
    found = [math.nan, *dimson_beta(a, b, window).tolist()]
    values = [math.nan if value is None else value for value in expected]
    told = np.concatenate([np.full(span, np.nan), found])[: len(values)]
    np.testing.assert_allclose(told, values, rtol=1e-6, atol=1e-6)


def test_a_follower_that_trades_late_has_a_dimson_beta_and_no_other() -> None:
    """It makes up half of the leader's move at once, two thirds of the rest a row later."""
    a = np.diff(np.log(walk(1, 300)))
    b = np.concatenate([[0.0], 0.5 * a[1:] + a[:-1] / 3])
    assert dimson_beta(a, b, 200)[-1] == pytest.approx(0.5 + 1 / 3, rel=1e-12)
    early = np.concatenate([b[1:], [0.0]])
    assert dimson_beta(a, early, 200)[-2] == pytest.approx(0.5 + 1 / 3, rel=1e-12)
    assert beta_gap(levels(*a), levels(*b), 1, 200).beta[-1] == pytest.approx(0.5, abs=0.1)


@given(st.integers(0, 2**32), st.integers(7, 20))
def test_the_dimson_beta_is_that_of_statsmodels(seed: int, window: int) -> None:
    a, b = (np.diff(line) for line in pair(seed, window + 3))
    inside = slice(len(a) - window, len(a))
    x = a[inside]
    design = add_constant(np.column_stack([x[:-2], x[1:-1], x[2:]]))
    fit = OLS(b[inside][1:-1], design).fit()
    assume(np.linalg.cond(design[:, 1:]) < 1e4)
    found = dimson_beta(a, b, window)
    assert np.flatnonzero(~np.isnan(found))[0] == window - 1
    assert found[-1] == pytest.approx(fit.params[1:].sum(), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("growth", [0.0, 0.0001, -0.03])
def test_a_leader_that_grows_evenly_has_no_beta_and_no_gap(growth: float) -> None:
    """The differences of its logs are not all the same double."""
    leader, follower = np.log(1000.0 * np.exp(growth * np.arange(60))), np.log(walk(1, 60))
    for found in beta_gap(leader, follower, 5, 20):
        assert np.isnan(found).all()
    assert np.isnan(dimson_beta(np.diff(leader), np.diff(follower), 20)).all()


@pytest.mark.parametrize("growth", [0.0, 0.0001, -0.03])
def test_a_follower_that_grows_evenly_has_a_beta_of_zero_and_no_z(growth: float) -> None:
    leader, follower = np.log(walk(1, 60)), np.log(1000.0 * np.exp(growth * np.arange(60)))
    found = beta_gap(leader, follower, 5, 20)
    np.testing.assert_allclose(found.beta[25:], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.gap[25:], -5 * growth, atol=1e-12)
    assert np.isnan(found.z).all()
    dimson = dimson_beta(np.diff(leader), np.diff(follower), 20)
    np.testing.assert_allclose(dimson[19:], 0.0, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 3.0, 0.1])
def test_the_leader_under_another_base_level_has_no_gap_and_no_z(scale: float) -> None:
    leader = np.log(walk(1, 60))
    found = beta_gap(leader, np.log(scale * walk(1, 60)), 5, 20)
    np.testing.assert_allclose(found.beta[25:], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.gap[25:], 0.0, atol=1e-12)
    assert np.isnan(found.z).all()


def test_a_leader_that_swings_has_a_beta_but_not_three() -> None:
    """The return before and the one after are the same."""
    a, b = 0.01 * (-1.0) ** np.arange(40), np.diff(np.log(walk(1, 41)))
    assert np.isnan(dimson_beta(a, b, 10)).all()
    assert not np.isnan(beta_gap(levels(*a), levels(*b), 5, 10).z[15:]).any()


@pytest.mark.parametrize(("span", "window"), [(1, 3), (5, 20), (60, 120)])
def test_the_first_row_with_a_gap(span: int, window: int) -> None:
    leader, follower = pair(3, span + window + 1)
    for found in beta_gap(leader, follower, span, window):
        assert np.flatnonzero(~np.isnan(found)).tolist() == [span + window]
    for count in (0, 1, span, window, span + window):
        for found in beta_gap(leader[:count], follower[:count], span, window):
            assert np.isnan(found).tolist() == [True] * count


@pytest.mark.parametrize("window", range(3, 8))
def test_a_window_too_small_for_four_coefficients_has_no_dimson_beta(window: int) -> None:
    a, b = (np.diff(line) for line in pair(4, 30))
    first = window - 1 if window >= 6 else len(a)
    assert np.isnan(dimson_beta(a, b, window)).tolist() == [t < first for t in range(len(a))]
    assert np.isnan(dimson_beta(a[: window - 1], b[: window - 1], window)).all()


@given(walks(2), spans, windows, st.integers(0, 60))
def test_none_looks_ahead(lines: list[Vector], span: int, window: int, cut: int) -> None:
    """Cut at any row, nothing before it changes by one bit."""

    def signals(leader: Vector, follower: Vector) -> list[Vector]:
        dimson = dimson_beta(np.diff(leader), np.diff(follower), window)
        return [*beta_gap(leader, follower, span, window), np.concatenate([[np.nan], dimson])]

    whole = [np.log(line) for line in lines]
    for part, found in zip(signals(*(x[:cut] for x in whole)), signals(*whole), strict=True):
        assert np.array_equal(part[:cut], found[:cut], equal_nan=True)


@given(st.integers(0, 2**32), spans, windows, st.integers(0, 59), st.booleans())
def test_nothing_beyond_the_window_matters(
    seed: int, span: int, window: int, row: int, lead: bool
) -> None:
    """A level that moves changes at most rows up to ``span + window`` later, and some of them."""
    lines = pair(seed)
    before = beta_gap(*lines, span, window)
    lines[0 if lead else 1][row] += 0.1
    after = beta_gap(*lines, span, window)
    changed = np.flatnonzero(~np.isnan(before.gap) & (before.gap != after.gap))
    assert all(row <= t <= row + span + window for t in changed)
    assert (row in changed) == (row >= span + window)


@given(st.integers(0, 2**32), st.floats(-5.0, 5.0), st.floats(0.01, 100.0))
def test_base_levels_and_the_unit_of_the_follower(seed: int, offset: float, scale: float) -> None:
    """Beta, alpha and gap go with the follower's unit; z and another base level do not matter."""
    leader, follower = pair(seed)
    plain = beta_gap(leader, follower, 5, 20)
    moved = beta_gap(leader + offset, scale * (follower - offset), 5, 20)
    expected = Gap(scale * plain.beta, scale * plain.alpha, scale * plain.gap, plain.z)
    for one, two in zip(moved, expected, strict=True):
        np.testing.assert_allclose(
            one / max(scale, 1.0), two / max(scale, 1.0), rtol=1e-6, atol=1e-9
        )


def test_a_missing_level_is_null_only_while_a_window_holds_it() -> None:
    leader, follower = pair(5)
    whole = beta_gap(leader, follower, 5, 10)
    leader[20] = np.nan
    for broken, found in zip(beta_gap(leader, follower, 5, 10), whole, strict=True):
        assert np.array_equal(broken[:20], found[:20], equal_nan=True)
        assert np.array_equal(broken[36:], found[36:])
    gap = beta_gap(leader, follower, 5, 10).gap
    assert np.flatnonzero(np.isnan(gap[15:])).tolist() == [5, *range(10, 21)]


def test_lines_of_different_lengths_are_refused() -> None:
    a, b = pair(1)
    with pytest.raises(ValueError, match="leader, follower of one length"):
        beta_gap(a, b[1:], 5, 20)
    with pytest.raises(ValueError, match="a, b of one length"):
        dimson_beta(a, b[1:], 20)
