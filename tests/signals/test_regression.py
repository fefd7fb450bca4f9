"""Least squares beside numpy's, by LAPACK, and by statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from indexer.signals.regression import gram_schmidt


def drawn(seed: int, count: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, rows)) + 3.0


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(6, 40))
def test_parts_are_those_of_a_qr_decomposition(seed, count, rows):
    """LAPACK's columns may point the other way."""
    series = drawn(seed, count, rows)
    found = gram_schmidt(series)
    expected = np.linalg.qr(series.T)[1]

    np.testing.assert_allclose(np.abs(found.parts), np.abs(expected), rtol=1e-9, atol=1e-9)
    assert found.sound.all()
    assert (np.tril(found.parts, -1) == 0.0).all()


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(8, 40))
def test_residuals_and_the_last_coefficient_are_those_of_statsmodels(seed, count, rows):
    series = drawn(seed, count + 1, rows)
    found, fitted = gram_schmidt(series), OLS(series[-1], series[:-1].T).fit()

    np.testing.assert_allclose(found.left[-1], fitted.resid, atol=1e-9)
    slope = found.parts[-2, -1] / found.parts[-2, -2]
    assert slope == pytest.approx(fitted.params[-1], rel=1e-8, abs=1e-9)


def test_many_at_once_are_each_by_itself():
    many = np.array([drawn(seed, 3, 12) for seed in range(5)])

    for one, *found in zip(many, *gram_schmidt(many), strict=True):
        for part, alone in zip(found, gram_schmidt(one), strict=True):
            assert (part == alone).all()


def test_what_follows_from_those_before_is_unsound_and_swept_out_of_nothing():
    one, two, three = drawn(1, 3, 20)
    found = gram_schmidt(np.array([one, two, 2 * one - two, three]))

    assert found.sound.tolist() == [True, True, False, True]
    np.testing.assert_allclose(found.left[-1], gram_schmidt(np.array([one, two, three])).left[-1])


def test_the_series_stay_as_they_are():
    series = drawn(2, 3, 9)
    before = series.copy()
    gram_schmidt(series)

    assert (series == before).all()
