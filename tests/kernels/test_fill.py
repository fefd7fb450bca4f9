"""Forward fill: a worked example, an oracle, and what may not change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numba import config
from numpy.testing import assert_array_equal

from indexer.arrays import Grid
from indexer.kernels import fill as kernel
from indexer.kernels.fill import fill_forward
from tests.reference import fill as reference

NAN, INF = float("nan"), float("inf")

grids = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=20),
    elements=st.sampled_from([NAN, NAN, -0.0, 0.0, 1.5, -INF, INF, 1e300, 5e-324]),
)


def test_what_is_missing_takes_the_value_above() -> None:
    x = np.array([[NAN, 1.0, 5.0], [2.0, NAN, NAN], [NAN, NAN, INF], [NAN, 4.0, NAN]])
    expected = [[NAN, 1.0, 5.0], [2.0, 1.0, 5.0], [2.0, 1.0, INF], [2.0, 4.0, INF]]
    assert_array_equal(fill_forward(x), expected)


@given(grids)
def test_it_agrees_with_one_value_at_a_time(x: Grid) -> None:
    expected = np.empty_like(x)
    for j, column in enumerate(x.T.tolist()):
        expected[:, j] = reference.fill(column)
    found = fill_forward(x)
    assert found.tobytes() == expected.tobytes()  # also the sign of a zero


def test_rows_longer_than_a_vector_of_the_machine() -> None:
    rng = np.random.default_rng(1)
    x = np.where(rng.random((50, 1003)) < 0.5, NAN, rng.normal(size=(50, 1003)))
    columns = [reference.fill(column) for column in x.T.tolist()]
    assert_array_equal(fill_forward(x), np.transpose(columns))


@given(grids)
def test_in_place_and_into_an_array_are_the_same(x: Grid) -> None:
    expected, given_x, out = fill_forward(x), x.copy(), np.full(x.shape, 7.0)
    assert fill_forward(x, out) is out
    assert_array_equal(x, given_x)
    assert fill_forward(x, x) is x
    assert expected.tobytes() == out.tobytes() == x.tobytes()


@given(grids, st.integers(0, 20))
def test_it_never_looks_ahead(x: Grid, cut: int) -> None:
    assert_array_equal(fill_forward(x[:cut]), fill_forward(x)[:cut])


@given(grids)
def test_filled_twice_is_filled_once(x: Grid) -> None:
    once = fill_forward(x)
    assert_array_equal(fill_forward(once), once)


@pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")
@given(grids)
def test_the_compiled_body_is_the_interpreted_one(x: Grid) -> None:
    out = np.empty(x.shape)
    kernel._fill_forward.py_func(x, out)
    assert fill_forward(x).tobytes() == out.tobytes()


def test_any_layout_and_number_type_will_do() -> None:
    x = np.array([[1.0, NAN, 3.0], [NAN, 2.0, NAN]])
    expected = fill_forward(x)
    closed = x.copy()
    closed.flags.writeable = False
    for other in (np.asfortranarray(x), x.astype(np.float32), np.repeat(x, 2, axis=0)[::2], closed):
        assert_array_equal(fill_forward(other), expected)
    assert_array_equal(fill_forward(np.array([[1, 2], [3, 4]])), [[1.0, 2.0], [3.0, 4.0]])


def test_what_a_masked_array_hides_is_missing() -> None:
    x = np.ma.MaskedArray([[1.0, 2.0], [99.0, 3.0]], [[False, False], [True, False]])
    assert_array_equal(fill_forward(x), [[1.0, 2.0], [1.0, 3.0]])


BLOCK = np.zeros((6, 4))
REFUSED = {
    "one axis": (np.zeros(3), None, "sessions by symbols"),
    "another shape": (BLOCK, np.zeros((4, 6)), r"C-contiguous float64 \(6, 4\)"),
    "another type": (BLOCK, np.zeros((6, 4), np.float32), "float32"),
    "under a mask": (BLOCK, np.ma.MaskedArray(np.zeros((6, 4))), "MaskedArray"),
    "a list": (BLOCK, [[0.0] * 4] * 6, "got list"),
    "a frame": (BLOCK, pd.DataFrame(BLOCK), "got DataFrame"),
    "another order": (BLOCK, np.zeros((4, 6)).T, "strides"),
    "in place in another order": (BLOCK[:, :2], BLOCK[:, :2], "strides"),
    "not to be written to": (BLOCK, np.broadcast_to(0.0, (1, 1)), "writeable"),
    "overlapping": (BLOCK[:5], BLOCK[1:], "overlaps"),
    "the same memory by another name": (BLOCK, BLOCK[:], "overlaps"),
}


@pytest.mark.parametrize(("x", "out", "told"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_mean_nothing_are_refused(x: Grid, out: Grid | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        fill_forward(x, out)
