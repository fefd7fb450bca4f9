"""Sums and logarithms that are the same on any machine, beside numpy's and exact ones."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexer.arrays import dot, expm1, log, row_sums, vectors, whole

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


@given(
    arrays(float, st.tuples(st.integers(0, 4), st.integers(0, 40)), elements=doubles),
    st.lists(st.integers(0, 40), max_size=40),
)
def test_columns_of_zeros_change_no_bit_of_the_sum_of_a_row(grid, places):
    found = row_sums(np.insert(grid, [min(p, grid.shape[1]) for p in places], 0.0, axis=1))

    np.testing.assert_array_equal(found, row_sums(grid))
    np.testing.assert_allclose(found, grid.sum(axis=1), rtol=1e-12, atol=1e-6)


HIDDEN = np.ma.MaskedArray([1.0, 2.0], [False, True])


@pytest.mark.parametrize("values", [[1, 2], (1.0, 2.0), np.array([1, 2], object), [True, 2]])
def test_a_vector_is_made_of_whatever_holds_numbers(values):
    (found,) = vectors(values=values)
    assert found.dtype == np.float64
    assert found.tolist() == [1.0, 2.0]


def test_what_a_mask_hides_of_a_vector_is_missing():
    assert np.isnan(vectors(values=HIDDEN)[0]).tolist() == [False, True]


@pytest.mark.parametrize("b", [3.0, [1.0], np.ones((2, 1))])
def test_vectors_of_other_shapes_are_refused_by_name(b):
    with pytest.raises(ValueError, match=r"a, b of one length, \(T,\), got shapes \[\(2,\), "):
        vectors(a=[1.0, 2.0], b=b)


def test_no_rows_are_whole_whatever_their_type():
    assert whole("row", []).dtype == np.int64


@pytest.mark.parametrize(
    "numbers", [[0.5], [np.nan], [1.0], [True], [[1]], 1, ["1"], HIDDEN.astype(int)]
)
def test_what_is_no_row_of_whole_numbers_is_refused(numbers):
    with pytest.raises(ValueError, match="row is not made of whole numbers: expected"):
        whole("row", numbers)
