"""Half-life: told only where a unit root is rejected, as statsmodels would."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.stattools import adfuller

from indexer.arrays import Vector
from indexer.signals.reversion import half_life, unit_root_rejected
from tests.reference import signal_strength

seeds = st.integers(0, 2**32 - 1)


def autoregression(seed: int, phi: float, rows: int) -> Vector:
    x = np.random.default_rng(seed).standard_normal(rows)
    for t in range(1, rows):
        x[t] += phi * x[t - 1]
    return x


@given(seeds, st.floats(0.3, 1.0), st.integers(60, 300))
def test_a_unit_root_is_rejected_where_statsmodels_rejects_it(
    seed: int, phi: float, rows: int
) -> None:
    x = autoregression(seed, phi, rows)
    statistic, _, _, _, critical, _ = adfuller(x, regression="c", result_object=False)
    margin = statistic - critical["5%"]
    if abs(margin) > 1e-9:
        assert unit_root_rejected(x) == (margin < 0)


@given(seeds, st.floats(0.3, 0.95))
def test_a_half_life_is_told_only_where_a_unit_root_is_rejected(seed: int, phi: float) -> None:
    x = autoregression(seed, phi, 250)
    rejected = unit_root_rejected(x)
    expected = signal_strength.half_life(x.tolist(), 250, unit_root_rejected=rejected)
    assert half_life(x) == pytest.approx(math.nan if expected is None else expected, nan_ok=True)


def test_a_random_walk_mostly_has_none() -> None:
    walks = np.random.default_rng(5).standard_normal((100, 250)).cumsum(axis=1)
    assert sum(not math.isnan(half_life(walk)) for walk in walks) <= 10


def test_a_line_that_does_not_move_has_no_half_life() -> None:
    assert math.isnan(half_life(np.full(250, 1.0)))


@pytest.mark.parametrize(
    "values",
    [
        np.r_[0.0, np.full(59, 0.1)],
        np.r_[np.zeros(30), np.ones(30)],
        np.tile([0.0, 0.0, 0.3], 20),
        np.arange(60) * 0.01,
        np.empty(0),
        np.zeros(1),
    ],
    ids=["one jump", "a step", "three levels", "a straight line", "none", "one"],
)
def test_a_line_that_cannot_be_judged_has_no_half_life(values: Vector) -> None:
    assert math.isnan(half_life(values))
