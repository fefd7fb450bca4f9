"""Resampling in blocks: which rows follow which, and the statistics of each resample."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config

from indexer.kernels import bootstrap
from indexer.kernels.bootstrap import (
    Resamples,
    check_resamples,
    correlation_pivots,
    rank_pivots,
    stationary_rows,
    studentised_sums,
)
from tests.reference import signal_inference as reference
from tests.reference.signal_correlation import ranks

seeds = st.integers(0, 2**32 - 1)
compiled_only = pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")


def drawn(seed: int, rows: int = 20, count: int = 30) -> tuple[np.random.Generator, Resamples]:
    rng = np.random.default_rng(seed)
    return rng, stationary_rows(rows, 3.0, count, rng)


@given(seeds, st.integers(1, 30), st.floats(1, 10))
def test_a_block_goes_on_with_the_next_row_and_after_the_last_with_the_first(seed, rows, block):
    resamples = stationary_rows(rows, block, 5, np.random.default_rng(seed))
    for row, begins in zip(resamples.row.tolist(), resamples.begins.tolist(), strict=True):
        assert begins[0]
        assert row == reference.stationary_path(row, begins)
        assert all(0 <= at < rows for at in row)


def test_blocks_of_one_row_are_drawn_with_replacement():
    row, begins = stationary_rows(50, 1.0, 4, np.random.default_rng(1))
    assert begins.all()
    assert all(0 < len(set(drawn_rows)) < 50 for drawn_rows in row.tolist())


def test_the_mean_block_is_as_long_as_asked():
    """A block ends with a chance of one in eight: 25,000 of 200,000 rows, give or take 450."""
    _, begins = stationary_rows(2000, 8.0, 100, np.random.default_rng(1))
    assert begins.sum() == pytest.approx(25_000, abs=600)


def test_every_row_is_drawn_as_often():
    row, _ = stationary_rows(10, 4.0, 20_000, np.random.default_rng(1))
    assert np.bincount(row.ravel()) == pytest.approx(20_000, rel=0.03)


@given(seeds)
def test_studentised_sums_are_the_oracles(seed):
    rng, resamples = drawn(seed)
    u = rng.standard_normal(20)
    found = studentised_sums(u, resamples)
    for rows, value in zip(resamples.row.tolist(), found, strict=True):
        expected = reference.statistic([u[row] for row in rows], float(u.mean()))
        if expected is None:
            assert not math.isfinite(value)
        else:
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(seeds, st.booleans())
def test_pivots_are_the_oracles(seed, ranked):
    """Ties come by drawing the same row twice; a few more are in the data."""
    rng, resamples = drawn(seed)
    x, y = rng.integers(0, 12, (2, 20)).astype(float)
    found = (rank_pivots if ranked else correlation_pivots)(x, y, 0.25, resamples)
    for n, rows in enumerate(resamples.row.tolist()):
        sides = [[side[row] for row in rows] for side in (x.tolist(), y.tolist())]
        if ranked:
            sides = [[float(rank) for rank in ranks(side)] for side in sides]
        expected = reference.block_pivot(*sides, 0.25, resamples.begins[n].tolist())
        if expected is None or not math.isfinite(expected):
            assert not math.isfinite(found[n])
        else:
            assert found[n] == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_a_resample_of_one_value_has_no_correlation():
    row = np.zeros((1, 5), dtype=np.int64)
    begins = np.ones((1, 5), dtype=bool)
    x = np.array([1.0, 2.0, 4.0, 3.0, 9.0])
    assert not np.isfinite(correlation_pivots(x, x[::-1], 0.0, Resamples(row, begins))).any()


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.007])
@pytest.mark.parametrize("rows", range(5, 30))
def test_a_side_of_one_value_has_no_correlation_however_its_mean_is_rounded(value, rows):
    """The mean of many 0.1 is not 0.1: what is left of each would correlate."""
    rng = np.random.default_rng(rows)
    resamples = stationary_rows(rows, 2.0, 4, rng)
    x, y = np.full(rows, value), rng.standard_normal(rows)

    assert np.isnan(correlation_pivots(x, y, 0.0, resamples)).all()
    assert np.isnan(correlation_pivots(y, x, 0.0, resamples)).all()
    assert np.isnan(studentised_sums(x, resamples)).all()


@pytest.mark.parametrize("ranked", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_a_resample_of_one_block_has_no_deviation(seed, ranked):
    """What its influences sum to is rounding."""
    x, y = np.random.default_rng(seed).standard_normal((2, 20))
    begins = np.zeros((1, 20), dtype=bool)
    begins[0, 0] = True
    resamples = Resamples((np.arange(20)[None] + seed) % 20, begins)

    assert np.isnan((rank_pivots if ranked else correlation_pivots)(x, y, 0.1, resamples)).all()


ROWS, BEGINS = np.arange(10)[None] % 5, np.ones((1, 10), dtype=bool)
UNFIT = {
    "longer resamples": (5, Resamples(ROWS, BEGINS), r"\(R, n\)"),
    "shorter resamples": (20, Resamples(ROWS, BEGINS), r"\(R, n\)"),
    "fewer beginnings": (10, Resamples(ROWS, BEGINS[:, :5]), r"\(R, n\)"),
    "no resamples but rows": (10, Resamples(ROWS[0], BEGINS[0]), r"\(R, n\)"),
    "no rows": (0, Resamples(ROWS[:, :0], BEGINS[:, :0]), "at least one row"),
    "a row too far": (10, Resamples(ROWS + 6, BEGINS), "rows from 6 to 10, outside 0 to 9"),
    "a row before": (10, Resamples(ROWS - 1, BEGINS), "rows from -1 to 3"),
}


@pytest.mark.parametrize(("length", "resamples", "told"), UNFIT.values(), ids=UNFIT)
def test_resamples_of_other_rows_are_refused(length, resamples, told):
    """The compiled bodies would read beside the arrays."""
    x = np.arange(float(length))
    with pytest.raises(ValueError, match=told):
        studentised_sums(x, resamples)
    for pivots in (correlation_pivots, rank_pivots):
        with pytest.raises(ValueError, match=told):
            pivots(x, x, 0.0, resamples)


@pytest.mark.parametrize("pivots", [correlation_pivots, rank_pivots])
def test_sides_of_different_lengths_are_refused(pivots):
    with pytest.raises(ValueError, match=r"\(10,\), \(4,\)"):
        pivots(np.arange(10.0), np.arange(4.0), 0.0, Resamples(ROWS, BEGINS))


def test_no_resamples_have_no_sums():
    assert studentised_sums(np.arange(10.0), Resamples(ROWS[:0], BEGINS[:0])).shape == (0,)


@compiled_only
@pytest.mark.parametrize(
    "name", ["_continue", "_studentised_sums", "_pivots", "_rank_pivots", "_ranks"]
)
def test_every_kernel_is_compiled(name):
    assert hasattr(getattr(bootstrap, name), "py_func")


@compiled_only
@given(seeds)
def test_the_compiled_bodies_equal_the_interpreted_ones(seed):
    rng, (row, begins) = drawn(seed, rows=12, count=4)
    x, y = rng.standard_normal((2, 12))
    places = [np.argsort(np.argsort(side)) for side in (x, y)]
    for name, inputs in (
        ("_studentised_sums", (x, row)),
        ("_pivots", (x, y, 0.1, row, begins)),
        ("_rank_pivots", (*places, 0.1, row, begins)),
    ):
        body, one, two = getattr(bootstrap, name), np.empty(4), np.empty(4)
        body(*inputs, one)
        with np.errstate(all="ignore"):
            body.py_func(*inputs, two)
        np.testing.assert_allclose(one, two, rtol=1e-12)


@pytest.mark.parametrize(
    ("length", "block", "replications"),
    [(0, 1.0, 3), (5, 0, 3), (5, 0.5, 3), (5, math.nan, 3), (5, -2.0, 3), (5, 1.0, 0)],
)
def test_nothing_is_drawn_of_less_than_one(length, block, replications):
    told = f"at least 1, got length={length}, block={block}, replications={replications}"
    with pytest.raises(ValueError, match=told):
        stationary_rows(length, block, replications, np.random.default_rng(1))


def test_rows_that_are_no_whole_numbers_are_refused():
    with pytest.raises(ValueError, match="whole numbers, got float64"):
        studentised_sums(np.arange(10.0), Resamples(ROWS.astype(float), BEGINS))


def test_resamples_are_checked_without_a_series():
    check_resamples(Resamples(ROWS, BEGINS))
    with pytest.raises(ValueError, match="rows from -1 to 3"):
        check_resamples(Resamples(ROWS - 1, BEGINS))


@pytest.mark.parametrize("lacking", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("pivots", [correlation_pivots, rank_pivots])
def test_a_resample_that_draws_what_is_missing_has_no_correlation(pivots, lacking):
    """NaN had the rank of the largest value there is."""
    rng, resamples = drawn(1)
    x, y = rng.standard_normal((2, 20))
    without, x[7] = pivots(x, y, 0.1, resamples), lacking
    hit = (resamples.row == 7).any(axis=1)
    assert 0 < hit.sum() < len(hit)
    for sides in ((x, y), (y, x)):
        found = pivots(*sides, 0.1, resamples)
        assert np.isnan(found[hit]).all()
        np.testing.assert_allclose(found[~hit], without[~hit], rtol=1e-12)


@pytest.mark.parametrize("kind", [list, lambda x: x.astype(object)])
def test_sides_may_be_lists_or_arrays_of_objects(kind):
    rng, resamples = drawn(1)
    x, y = rng.standard_normal((2, 20))
    assert studentised_sums(kind(x), resamples).tolist() == studentised_sums(x, resamples).tolist()
    for pivots in (correlation_pivots, rank_pivots):
        found = pivots(kind(x), kind(y), 0.1, resamples)
        assert found.tolist() == pivots(x, y, 0.1, resamples).tolist()


def test_what_a_mask_hides_is_in_no_sum():
    rng, resamples = drawn(1)
    values = np.ma.MaskedArray(rng.standard_normal(20), np.arange(20) == 7)
    assert np.isnan(studentised_sums(values, resamples)).all()
