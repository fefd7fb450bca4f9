"""Sixteen doubles at once: compiled operations against numpy's, lane by lane."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from indexer.arrays import Vector
from indexer.kernels import vector
from indexer.kernels.compile import config
from indexer.kernels.vector import (
    WIDTH,
    finite,
    fused,
    inverse_root,
    known,
    load,
    select,
    some,
    splat,
    store,
)

pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")

NUMBERS = {
    "sum": np.add,
    "difference": np.subtract,
    "product": np.multiply,
}
FLAGS: dict[str, Callable[..., object]] = {
    "less": np.less,
    "greater": np.greater,
    "both": lambda a, b: (a < b) & (b > 0.0),
    "known": lambda a, _: ~np.isnan(a),
    "finite": lambda a, _: np.isfinite(a),
}
VALUES = [0.0, -0.0, 1.0, -1.0, 0.1, -2.5, 1e300, -1e300, 5e-324, np.inf, -np.inf, np.nan]


@njit(error_model="numpy")
def _numbers(a, b, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x + y)
    store(out, WIDTH, x - y)
    store(out, 2 * WIDTH, x * y)


@njit(error_model="numpy")
def _flags(a, b, out):
    x, y, zero = load(a, 0), load(b, 0), splat(0.0)
    yes, no = splat(3.0), splat(-2.0)
    store(out, 0, select(x < y, yes, no))
    store(out, WIDTH, select(x > y, yes, no))
    store(out, 2 * WIDTH, select((x < y) & (y > zero), yes, no))
    store(out, 3 * WIDTH, select(known(x), yes, no))
    store(out, 4 * WIDTH, select(finite(x), yes, no))
    return some(x < y)


@njit(error_model="numpy")
def _fused(a, b, c, out):
    store(out, 0, fused(load(a, 0), load(b, 0), load(c, 0)))


@njit(error_model="numpy")
def _inverse_root(a, out):
    store(out, 0, inverse_root(load(a, 0)))


@njit(error_model="numpy")
def _copy(a, at, b, to):
    store(b, to, load(a, at))


@njit(error_model="numpy")
def _spread(number, out):
    store(out, 0, splat(number))


lanes = st.lists(
    st.one_of(st.sampled_from(VALUES), st.floats()), min_size=WIDTH, max_size=WIDTH
).map(np.array)


def alike(found: Vector, expected: Vector) -> bool:
    """Tell whether numbers are the same bits, and NaN in the same places."""
    here, there = (np.where(np.isnan(part), np.nan, part) for part in (found, expected))
    return here.tobytes() == there.tobytes()


@given(lanes, lanes)
def test_arithmetic_is_numpys(a: Vector, b: Vector) -> None:
    out = np.full(len(NUMBERS) * WIDTH, 7.0)
    _numbers(a, b, out)
    with np.errstate(all="ignore"):
        for found, expected in zip(out.reshape(-1, WIDTH), NUMBERS.values(), strict=True):
            assert alike(found, expected(a, b))


@given(lanes, lanes)
def test_comparisons_are_numpys(a: Vector, b: Vector) -> None:
    """Nothing compares with NaN."""
    out = np.full(len(FLAGS) * WIDTH, 7.0)
    for x, y in ((a, b), (a, a), (a, np.roll(a, 1))):
        found_any = _flags(x, y, out)
        for found, expected in zip(out.reshape(-1, WIDTH), FLAGS.values(), strict=True):
            assert found.tolist() == np.where(expected(x, y), 3.0, -2.0).tolist()
        assert found_any is bool(np.any(x < y))


@pytest.mark.parametrize("lane", range(WIDTH))
def test_any_one_lane_makes_some(lane: int) -> None:
    a, b, out = np.ones(WIDTH), np.ones(WIDTH), np.empty(len(FLAGS) * WIDTH)
    assert _flags(a, b, out) is False
    a[lane] = 0.0
    assert _flags(a, b, out) is True
    a[:] = np.nan
    assert _flags(a, b, out) is False


def test_a_fused_product_is_rounded_once() -> None:
    """Lane by lane the nearest double to the exact result; rounded twice, some are another."""
    random = np.random.default_rng(1)
    out, differ = np.empty(WIDTH), 0
    for _ in range(100):
        a, b = random.standard_normal((2, WIDTH))
        c = -a * b * random.choice([1.0, 1.0 + 1e-15, 0.3, 1e5], WIDTH)
        _fused(a, b, c, out)
        parts = ([Fraction(x) for x in part.tolist()] for part in (a, b, c))
        exact = [float(x * y + z) for x, y, z in zip(*parts, strict=True)]
        assert out.tolist() == exact
        differ += np.count_nonzero(out != fused(a, b, c))
    assert differ > 100


@given(lanes)
def test_an_inverse_root_is_numpys(a: Vector) -> None:
    out = np.empty(WIDTH)
    _inverse_root(a, out)
    assert alike(out, inverse_root(a))


@given(st.lists(st.floats(-280.0, 280.0), min_size=WIDTH, max_size=WIDTH))
def test_an_inverse_root_is_within_two_units_in_the_last_place(powers: list[float]) -> None:
    """A relative error e of the root is one of 2 e of its square: no root need be taken."""
    a, out = 10.0 ** np.array(powers), np.empty(WIDTH)
    _inverse_root(a, out)
    for x, y in zip(a.tolist(), out.tolist(), strict=True):
        assert y > 0.0
        assert abs(Fraction(x) * Fraction(y) ** 2 - 1) <= 2 * 2 * Fraction(2.0**-52)


@pytest.mark.parametrize("power", range(-900, 901, 50))
def test_an_inverse_root_knows_no_unit(power: int) -> None:
    """Powers of four are powers of two under the root and change no digit."""
    a = 1.0 + 3.0 * np.random.default_rng(1).random(WIDTH)
    out, moved = np.empty(WIDTH), np.empty(WIDTH)
    _inverse_root(a, out)
    _inverse_root(a * 2.0**power, moved)
    assert moved.tobytes() == (out * 2.0 ** (-power // 2)).tobytes()


@pytest.mark.parametrize("at", range(WIDTH + 1))
def test_sixteen_values_from_any_place_to_any_place_and_no_more(at: int) -> None:
    a = np.arange(3.0 * WIDTH)
    for to in range(2 * WIDTH + 1):
        found, expected = np.full(3 * WIDTH, -7.0), np.full(3 * WIDTH, -7.0)
        _copy(a, at, found, to)
        expected[to : to + WIDTH] = a[at : at + WIDTH]
        assert found.tolist() == expected.tolist()


def test_places_may_be_of_either_kind_of_integer() -> None:
    a, found = np.arange(40.0), np.full(40, -7.0)
    _copy(a, np.uint64(3), found, np.uint64(21))
    assert found.tolist() == [-7.0] * 21 + a[3:19].tolist() + [-7.0] * 3


@given(st.floats())
def test_one_value_in_every_lane(number: float) -> None:
    out = np.empty(WIDTH)
    _spread(number, out)
    assert alike(out, np.full(WIDTH, number))


@given(lanes, lanes, lanes)
def test_interpreted_they_are_the_same_operations(a: Vector, b: Vector, c: Vector) -> None:
    out, flags = np.empty(WIDTH), np.empty(len(FLAGS) * WIDTH)
    with np.errstate(all="ignore"):
        # Whole numbers this small round nowhere.
        x, y, z = (np.nan_to_num(part, posinf=9.0, neginf=-9.0) % 1000 // 1 for part in (a, b, c))
        _fused(x, y, z, out)
        assert out.tolist() == vector.fused(x, y, z).tolist()
    _flags(a, b, flags)
    found = flags.reshape(-1, WIDTH)
    assert found[3].tolist() == select(known(a), splat(3.0), splat(-2.0)).tolist()
    assert found[4].tolist() == select(finite(a), splat(3.0), splat(-2.0)).tolist()
    assert some(a < b) is bool(np.any(a < b))
    moved = np.zeros(3 * WIDTH)
    store(moved, 5, load(a, 0))
    assert alike(load(moved, 5), a)
    assert np.count_nonzero(moved[:5]) == np.count_nonzero(moved[5 + WIDTH :]) == 0


def test_interpreted_a_root_is_a_root() -> None:
    assert inverse_root(np.array([4.0, 0.25, 1e-280])).tolist() == [0.5, 2.0, 1e140]
    assert np.isnan(inverse_root(np.array([-1.0]))).all()


def test_what_is_loaded_interpreted_is_no_view() -> None:
    a = np.zeros(20)
    taken = load(a, 2)
    a[:] = 1.0
    assert not taken.any()
