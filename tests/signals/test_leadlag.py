"""Leads and lags: shifted lines, statsmodels, the oracle on the same resamples, what is null."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.ar_model import AutoReg

from indexer.arrays import Vector
from indexer.kernels.bootstrap import RowGrid, stationary_rows
from indexer.signals.leadlag import lead_lag, whitened
from tests.reference import diffusion, signal_leadlag
from tests.signals.example import walks

seeds = st.integers(0, 2**32 - 1)


def noise(seed: int, count: int = 200) -> Vector:
    return np.asarray(0.02 * np.random.default_rng(seed).standard_normal(count))


def resamples(seed: int, count: int, replications: int = 99) -> tuple[RowGrid, RowGrid]:
    """Return rows for two lines of so many returns."""
    rng = np.random.default_rng(seed)
    one, two = (stationary_rows(count - 1, 3.0, replications, rng).row for _ in range(2))
    return one, two


def higher(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the draws and one more does not exceed."""
    return sorted(values)[min(math.ceil(share * (len(values) + 1)), len(values)) - 1]


@given(seeds, st.integers(4, 60))
def test_whitening_is_the_first_order_autoregression_of_statsmodels(seed: int, count: int) -> None:
    returns = noise(seed, count)
    np.testing.assert_allclose(whitened(returns), AutoReg(returns, 1).fit().resid, atol=1e-13)


def test_whitening_by_hand() -> None:
    """Returns 1, 3, 2, 4: on 1, 3, 2 regress 3, 2, 4 with slope -1/2 and intercept 4."""
    np.testing.assert_allclose(whitened(np.array([1.0, 3.0, 2.0, 4.0])), [-0.5, -0.5, 1.0])


@pytest.mark.parametrize("late", [1, 4, 10])
def test_a_follower_so_many_rows_late_shows_there(late: int) -> None:
    """The leader shows where the lag is positive, and the same backwards where it follows."""
    moves = noise(1)
    a, b = moves[late:], moves[:-late]
    drawn = resamples(1, len(a))
    found, back = lead_lag(a, b, *drawn), lead_lag(b, a, *drawn)
    assert found.lag.tolist() == list(range(-10, 11))
    assert found.lag[np.argmax(found.correlation)] == late
    assert found.correlation.max() > 0.99
    np.testing.assert_allclose(back.correlation, found.correlation[::-1], rtol=1e-9, atol=1e-12)
    assert 0.1 < found.band < 0.4


def test_each_correlation_is_of_the_pairs_that_lag_leaves() -> None:
    a, b = noise(1, 40), noise(2, 40)
    found = lead_lag(a, b, *resamples(1, 40), furthest=3)
    x, y = whitened(a), whitened(b)
    ends = {-3: (x[3:], y[:-3]), -1: (x[1:], y[:-1]), 0: (x, y), 1: (x[:-1], y[1:])}
    for lag, sides in ends.items():
        assert found.correlation[lag + 3] == pytest.approx(np.corrcoef(*sides)[0, 1], rel=1e-10)


def test_what_moves_at_once_is_neither_lead_nor_in_the_band() -> None:
    """The correlation at lag 0 is whole; a resample that keeps rows together would have it too."""
    moves, drawn = noise(3), resamples(3, 200)
    found = lead_lag(moves, moves, *drawn)
    assert found.correlation[10] == pytest.approx(1.0, rel=1e-12)
    together = lead_lag(moves, moves, drawn[0], drawn[0])
    assert found.band < 0.35
    assert together.band < 0.35


@given(walks(2, count=40), seeds, st.integers(1, 12), st.integers(1, 40))
def test_all_agree_with_the_oracle(
    lines: list[Vector], seed: int, furthest: int, replications: int
) -> None:
    a, b = (np.diff(np.log(line)) for line in lines)
    rows_a, rows_b = resamples(seed, len(a), replications)
    found = lead_lag(a, b, rows_a, rows_b, furthest)
    one, two = a.tolist(), b.tolist()
    expected = diffusion.lead_lag(one, two, furthest)
    values = [math.nan if value is None else value for value in expected.values()]
    np.testing.assert_allclose(found.correlation, values, rtol=1e-8, atol=1e-9)
    drawn = list(zip(rows_a.tolist(), rows_b.tolist(), strict=True))
    band = signal_leadlag.band(one, two, drawn, furthest, quantile=higher)
    assert found.band == pytest.approx(math.nan if band is None else band, rel=1e-8, nan_ok=True)


def test_the_band_keeps_a_share_of_the_resamples_and_one_more() -> None:
    """Of 99 draws the 95th: one in twenty of a hundred, the observed one counted, is beyond."""
    a, b = noise(5, 80), noise(6, 80)
    rows_a, rows_b = resamples(7, 80)
    alone = [
        lead_lag(a, b, rows_a[r : r + 1], rows_b[r : r + 1], furthest=4).band for r in range(99)
    ]
    assert lead_lag(a, b, rows_a, rows_b, furthest=4).band == sorted(alone)[94]
    assert lead_lag(a, b, rows_a[:9], rows_b[:9], furthest=4).band == max(alone[:9])


def test_the_band_is_of_the_largest_over_all_lags() -> None:
    a, b, drawn = noise(5), noise(6), resamples(7, 200)
    bands = [lead_lag(a, b, *drawn, furthest=furthest).band for furthest in (1, 5, 10)]
    assert bands == sorted(bands)
    assert bands[0] < 0.9 * bands[2]


def test_unrelated_lines_leave_the_band_one_time_in_twenty() -> None:
    """Of 400 pairs 20, give or take 4.4; lines that follow their own past are no other."""
    beyond = 0
    for seed in range(400):
        a, b = noise(2 * seed, 121), noise(2 * seed + 1, 121)
        for t in range(1, 121):
            a[t] += 0.5 * a[t - 1]
            b[t] += 0.5 * b[t - 1]
        found = lead_lag(a, b, *resamples(seed, 121))
        beyond += bool((np.abs(found.correlation)[found.lag != 0] > found.band).any())
    assert 8 <= beyond <= 33


@given(seeds, st.floats(0.01, 100.0), st.floats(-1.0, 1.0))
def test_unit_and_mean_of_the_returns_do_not_matter(seed: int, scale: float, mean: float) -> None:
    a, b, drawn = noise(seed, 60), noise(seed + 1, 60), resamples(seed, 60, 19)
    found = lead_lag(a, b, *drawn)
    other = lead_lag(scale * a, mean - scale * b, *drawn)
    np.testing.assert_allclose(other.correlation, -found.correlation, rtol=1e-6, atol=1e-8)
    assert other.band == pytest.approx(found.band, rel=1e-6)


@pytest.mark.parametrize("growth", [0.0, 0.0001, -0.03])
def test_a_line_that_grows_evenly_neither_leads_nor_lags(growth: float) -> None:
    even = np.diff(np.log(1000.0 * np.exp(growth * np.arange(61))))
    for a, b in ((even, noise(1, 60)), (noise(1, 60), even)):
        found = lead_lag(a, b, *resamples(1, 60))
        assert np.isnan(found.correlation).all()
        assert math.isnan(found.band)


def test_returns_that_follow_from_each_other_have_nothing_left() -> None:
    assert np.isnan(whitened(0.5 ** np.arange(12))).all()
    assert np.isnan(whitened(np.array([0.01, 0.02]))).all()


def test_a_lag_with_fewer_than_two_pairs_has_no_correlation() -> None:
    found = lead_lag(noise(1, 8), noise(2, 8), *resamples(1, 8))
    assert np.isnan(found.correlation).tolist() == [abs(lag) > 5 for lag in found.lag]
    assert np.isfinite(found.band)


def test_a_stretch_without_moves_has_no_correlation_at_the_lags_that_leave_only_it() -> None:
    """Of fifty returns only the last but one moves the leader: three rows before it stood still."""
    a = np.zeros(50)
    a[-2] = 0.02
    found = lead_lag(a, noise(2, 50), *resamples(1, 50), furthest=3)
    assert np.isnan(found.correlation).tolist() == [False] * 5 + [True] * 2


@pytest.mark.parametrize("change", ["short", "shape", "length", "none"])
def test_resamples_must_be_of_the_whitened_returns(change: str) -> None:
    a, b, (rows_a, rows_b) = noise(1, 30), noise(2, 30), resamples(1, 30)
    if change == "short":
        b = b[1:]
    elif change == "shape":
        rows_b = rows_b[1:]
    elif change == "length":
        a, b = a[1:], b[1:]
    else:
        rows_a, rows_b = rows_a[:0], rows_b[:0]
    with pytest.raises(ValueError, match=r"a, b of one length|\(R, "):
        lead_lag(a, b, rows_a, rows_b)


@pytest.mark.parametrize("row", [-1, 29, 0.0])
@pytest.mark.parametrize("side", [0, 1])
def test_a_row_that_the_whitened_returns_have_not_is_refused(side: int, row: float) -> None:
    """One below zero counted from the end, unheard."""
    rows = list(resamples(1, 30))
    rows[side] = np.where(rows[side] == 5, row, rows[side])
    with pytest.raises(ValueError, match=r"outside 0 to 28|got float64"):
        lead_lag(noise(1, 30), noise(2, 30), rows[0], rows[1])


@pytest.mark.parametrize("furthest", [0, -1])
def test_without_a_lead_or_a_lag_there_is_no_band(furthest: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 row, got {furthest}"):
        lead_lag(noise(1, 30), noise(2, 30), *resamples(1, 30), furthest)
