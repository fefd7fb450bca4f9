"""Sums and logarithms that are the same on any machine, beside numpy's and exact ones."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexer.arrays import dot, expm1, log

doubles = st.floats(-1e6, 1e6)


@given(arrays(float, st.tuples(st.integers(0, 4), st.integers(0, 40)), elements=doubles))
def test_a_dot_is_the_exact_sum_of_products_of_each_row(grid):
    found = dot(grid, grid[:1] + 1.0)

    for row, told in zip(grid, found, strict=True):
        products = [Fraction(a) * Fraction(b) for a, b in zip(row, grid[0] + 1.0, strict=True)]
        assert told == pytest.approx(float(sum(products)), rel=1e-12, abs=1e-3)


@given(arrays(float, st.integers(0, 9), elements=st.floats()))
def test_logarithms_are_numpys_but_for_the_last_bit(values):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(log(values), np.log(values), rtol=3e-16)


@given(arrays(float, st.integers(0, 9), elements=st.floats()))
@example(np.array([709.0, 710.0, -1e300, 1e300]))
def test_simple_returns_are_numpys_but_for_the_last_bits(values):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(expm1(values), np.expm1(values), rtol=1e-15)
