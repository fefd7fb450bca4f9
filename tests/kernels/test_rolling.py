"""Rolling correlation: exact to ten digits where naive sums fail, and the laws it obeys."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Grid, Vector
from indexer.kernels import panels
from indexer.kernels.compile import config
from indexer.kernels.rolling import (
    correlation_with,
    mean_pairwise_correlation,
    pairwise_correlation,
    rolling_correlation,
    rolling_rank_correlation,
)
from tests.reference import rolling as reference
from tests.reference.rolling import LINES, holed, noise, stepped

if config.DISABLE_JIT:  # numpy warns of what overflows and is then looked at alone
    pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Vector, Vector, int, int]:
    """Draw two lines with ties, constant stretches and holes, a window and its fewest pairs."""
    count = draw(st.integers(1, 30))
    # Below 1e-290 a difference may be no normal number any more, and has few digits.
    drawn = st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-290 else 0.0)
    value = st.one_of(st.integers(-2, 2).map(float), drawn, st.just(np.nan))
    a, b = (np.array(draw(st.lists(value, min_size=count, max_size=count))) for _ in "ab")
    window = draw(st.integers(2, 12))
    return a, b, window, draw(st.integers(2, window))


def exact(a: Vector, b: Vector, window: int, least: int) -> Vector:
    return reference.vector(reference.rolling_correlation(a.tolist(), b.tolist(), window, least))


def assert_near(found: Vector, expected: Vector, bound: float) -> None:
    """Null in the same places, and elsewhere no further apart than the bound."""
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(abs(found - expected), initial=0.0) <= bound


@pytest.mark.parametrize("x", LINES)
@pytest.mark.parametrize("y", LINES)
def test_every_kind_of_line_against_exact_arithmetic(x: str, y: str) -> None:
    """The bound is 1e-10; a window looked at alone in time keeps a hundred times to spare."""
    a, b = LINES[x](1), LINES[y](2)
    for of in ((2, 2), (10, 3), (25, 25)):
        assert_near(rolling_correlation(a, b, *of), exact(a, b, *of), 1e-12)


@given(cases())
def test_ties_and_holes_against_exact_arithmetic(case: tuple[Vector, Vector, int, int]) -> None:
    assert_near(rolling_correlation(*case), exact(*case), 1e-10)


def test_worked_by_hand() -> None:
    """Deviations -1, 0, 1 and -5/3, 1/3, 4/3: the sum of products is 3, of squares 2 and 14/3."""
    found = rolling_correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.0]), 3)
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(3 / np.sqrt(2 * 14 / 3), rel=1e-15)


@pytest.mark.parametrize(("window", "still"), [(5, range(19, 40)), (25, [39]), (26, [])])
def test_null_exactly_where_a_side_stands_still(window: int, still: range | list[int]) -> None:
    """Never plus or minus one, never infinite: not a session more and not one less."""
    a, b = stepped(1), noise(2)
    for found in (rolling_correlation(a, b, window), rolling_correlation(b, a, window)):
        null = np.flatnonzero(np.isnan(found)).tolist()
        assert null == [*range(window - 1), *still]


@given(cases())
def test_it_lies_between_minus_one_and_one(case: tuple[Vector, Vector, int, int]) -> None:
    found = rolling_correlation(*case)
    assert np.all(np.isnan(found) | (abs(found) <= 1.0))


@given(st.integers(0, 999), st.floats(0.001, 1000.0), st.floats(-1000.0, 1000.0))
def test_a_line_and_its_image_correlate_fully_but_not_beyond(
    seed: int, slope: float, offset: float
) -> None:
    a = noise(seed)
    for sign in (1.0, -1.0):
        found = rolling_correlation(a, sign * slope * a + offset, 7)[6:]
        assert abs(found - sign).max() <= 1e-10
        assert abs(found).max() <= 1.0


@given(cases())
def test_it_is_symmetric(case: tuple[Vector, Vector, int, int]) -> None:
    a, b, window, least = case
    one, other = rolling_correlation(a, b, window, least), rolling_correlation(b, a, window, least)
    assert np.array_equal(one, other, equal_nan=True)


@given(st.integers(0, 999), st.integers(-600, 600), st.integers(-600, 600))
def test_the_units_do_not_matter(seed: int, x: int, y: int) -> None:
    """Squares that would vanish or overflow are looked at alone, with other last digits."""
    a, b = holed(seed), noise(seed + 1)
    found = rolling_correlation(a * 2.0**x, b * -(2.0**y), 10, 4)
    assert_near(found, -rolling_correlation(a, b, 10, 4), 1e-13)


@given(st.integers(0, 999), st.integers(-100, 100), st.integers(-100, 100))
def test_common_units_do_not_matter_by_one_bit(seed: int, x: int, y: int) -> None:
    """Powers of two change no digit of any sum."""
    a, b = holed(seed), noise(seed + 1)
    found = rolling_correlation(a * 2.0**x, b * -(2.0**y), 10, 4)
    assert np.array_equal(found, -rolling_correlation(a, b, 10, 4), equal_nan=True)


@given(st.integers(0, 999), st.floats(-1e6, 1e6))
def test_an_offset_does_not_matter(seed: int, offset: float) -> None:
    a, b = noise(seed), noise(seed + 1)
    moved = rolling_correlation(a + offset, b, 10)
    # An offset of 1e6 leaves the noise ten digits.
    assert np.nanmax(abs(moved - rolling_correlation(a, b, 10))) <= 1e-8


@pytest.mark.parametrize("size", [1e6, 1e12, 1e200])
def test_it_recovers_at_once_when_an_outlier_leaves(size: float) -> None:
    a, b, window = noise(1), noise(2), 10
    hit = a.copy()
    hit[30] = size
    found, quiet = rolling_correlation(hit, b, window), rolling_correlation(a, b, window)
    assert np.array_equal(found[40:], quiet[40:])
    assert not np.any(found[30:40] == quiet[30:40])


@given(cases(), st.integers(0, 30))
def test_a_window_has_one_answer_wherever_it_stands(
    case: tuple[Vector, Vector, int, int], shift: int
) -> None:
    """What came before leaves no trace; where its block is cut, only the last digits know."""
    a, b, window, least = case
    x, y = (np.concatenate([noise(shift, shift) * 1e12, line]) for line in (a, b))
    found = rolling_correlation(x, y, window, least)[shift + window - 1 :]
    assert_near(found, rolling_correlation(*case)[window - 1 :], 1e-12)


@given(cases(), st.integers(0, 30))
def test_it_never_looks_ahead(case: tuple[Vector, Vector, int, int], cut: int) -> None:
    a, b, *rest = case
    part = rolling_correlation(a[:cut], b[:cut], *rest)
    assert np.array_equal(part, rolling_correlation(*case)[:cut], equal_nan=True)


@pytest.mark.parametrize("least", range(2, 7))
def test_min_periods_counts_complete_pairs(least: int) -> None:
    """Six rows, the first side lacks row 1, the other row 3: four pairs in all."""
    a = np.array([1.0, np.nan, 3.0, 5.0, 4.0, 9.0])
    b = np.array([2.0, 7.0, 1.0, np.nan, 8.0, 3.0])
    found = rolling_correlation(a, b, 6, least)
    pairs = [1, 1, 2, 2, 3, 4]
    assert np.isnan(found).tolist() == [count < least for count in pairs]


def test_an_infinite_value_is_a_missing_one() -> None:
    a, b = holed(1), noise(2)
    infinite = np.where(np.isnan(a), np.inf, a)
    expected = rolling_correlation(a, b, 10, 3)
    assert np.array_equal(rolling_correlation(infinite, b, 10, 3), expected, equal_nan=True)
    assert np.array_equal(rolling_correlation(b, -infinite, 10, 3), -expected, equal_nan=True)


@pytest.mark.parametrize("share", [1.001e-3, 1.001e-2])
@pytest.mark.parametrize("seed", [271, 453, 1303, 1467])
def test_a_window_of_5000_is_within_1e_10_where_sums_are_least_sure(
    seed: int, share: float
) -> None:
    """Two levels far from zero: all rounding has one side. Seeds are the worst of 1,500.

    With sums for all above a thousandth they were off by up to 2.7e-10.
    """
    rng, window = np.random.default_rng(seed), 5000
    middle = rng.uniform(1, 2)
    step = middle * np.sqrt(share / (1 - share))
    sign = np.tile([1.0, -1.0], window // 2)
    a, b = (middle + step * s for s in (sign, np.where(rng.random(window) < 0.5, -sign, sign)))
    before = np.zeros(window)
    found = rolling_correlation(np.append(before, a), np.append(before, b), window)[-1]

    pairs = list(zip(reference.wholes(a), reference.wholes(b), strict=True))
    assert found == pytest.approx(reference.pearson(pairs), rel=0, abs=1e-10)


def test_min_periods_is_the_window_unless_told() -> None:
    a, b = holed(1), noise(2)
    assert np.array_equal(
        rolling_correlation(a, b, 4), rolling_correlation(a, b, 4, 4), equal_nan=True
    )


def test_any_layout_and_number_type_gives_the_same_by_the_same_body() -> None:
    """Another body for each would cost a second of compiling, and could differ."""
    grid = np.round(np.column_stack([noise(1), noise(2)]) * 50)
    expected = rolling_correlation(grid[:, 0].copy(), grid[:, 1].copy(), 9)
    bodies = None if config.DISABLE_JIT else list(panels.one_pair.signatures)
    narrow = grid.astype(np.float32)
    for a, b in (
        (grid[:, 0], grid[:, 1]),
        (grid[::-1, 0][::-1], grid.astype(np.int64)[:, 1]),
        (narrow[:, 0], np.asfortranarray(narrow)[:, 1]),
    ):
        assert np.array_equal(rolling_correlation(a, b, 9), expected, equal_nan=True)
    if not config.DISABLE_JIT:
        assert panels.one_pair.signatures == bodies


@pytest.mark.parametrize("window", [5, 2**70])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_line_shorter_than_its_window_is_all_null(count: int, window: int) -> None:
    found = rolling_correlation(noise(1, count), noise(2, count), window)
    assert found.shape == (count,)
    assert np.isnan(found).all()


@pytest.mark.parametrize(
    ("shapes", "window", "least", "message"),
    [
        (((3,), (4,)), 2, None, r"one length.*\(3,\).*\(4,\)"),
        (((3, 2), (3, 2)), 2, None, r"one length.*\(3, 2\)"),
        (((3,), (3,)), 1, None, "got 1 and 1"),
        (((3,), (3,)), 5, 1, "got 1 and 5"),
        (((3,), (3,)), 5, 6, "got 6 and 5"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(
    shapes: tuple[tuple[int, ...], ...], window: int, least: int | None, message: str
) -> None:
    a, b = (np.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError, match=message):
        rolling_correlation(a, b, window, least)


FUNCTIONS: dict[str, Callable[[Grid], Grid]] = {
    "one pair": lambda x: rolling_correlation(x[:, 0], x[:, -1], 9, 4),
    "ranks": lambda x: rolling_rank_correlation(x[:, 0], x[:, -1], 9, 4),
    "one to many": lambda x: correlation_with(x, x[:, 1], 9, 4),
    "all pairs": lambda x: pairwise_correlation(x, 9, 4),
    "mean": lambda x: mean_pairwise_correlation(x, 9),
}


def panel(symbols: int = 20) -> Grid:
    """Whole numbers, which every type holds."""
    return np.column_stack([np.round(50 * noise(seed)) for seed in range(symbols)])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_any_layout_and_number_type_gives_the_same(function: str) -> None:
    x, correlate = panel(), FUNCTIONS[function]
    expected = correlate(x).tobytes()
    frozen = x.copy()
    frozen.flags.writeable = False
    wide = np.full((2 * len(x), 60), np.nan)
    wide[::2, 5:45:2] = x
    for same in (
        x.astype(np.float32), x.astype(np.int64), x.astype(">f8"), np.asfortranarray(x),
        x[::-1, ::-1].copy()[::-1, ::-1], wide[::2, 5:45:2], frozen,
    ):  # fmt: skip
        before = same.copy()
        assert correlate(same).tobytes() == expected
        assert np.array_equal(same, before)


TABLES: dict[str, Callable[[Any], Grid]] = {
    "one to many": lambda x: correlation_with(x, np.asarray(x)[:, 1].tolist(), 9, 4),
    "all pairs": lambda x: pairwise_correlation(x, 9, 4),
    "into an array": lambda x: pairwise_correlation(x, 9, 4, np.empty((80, 190))),
    "mean": lambda x: mean_pairwise_correlation(x, 9),
}


@pytest.mark.parametrize("function", TABLES)
def test_lists_and_frames_do_as_arrays_do(function: str) -> None:
    x, correlate = panel(), TABLES[function]
    for table in (x.tolist(), pl.DataFrame(x), pd.DataFrame(x)):
        np.testing.assert_array_equal(correlate(table), correlate(x))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", LINES)
def test_the_input_stays_as_it_was(function: str, name: str) -> None:
    x = np.column_stack([LINES[name](seed) for seed in range(17)])
    before = x.tobytes()
    FUNCTIONS[function](x)
    assert x.tobytes() == before


@given(st.permutations(range(20)), st.integers(0, 99))
def test_the_order_of_columns_does_not_matter(order: list[int], seed: int) -> None:
    """And so neither which of two is called the first."""
    x = np.column_stack([(holed, noise, stepped)[n % 3](seed + n, 30) for n in range(20)])
    moved = x[:, order]
    square = np.full((30, 20, 20), np.nan)
    first, second = np.triu_indices(20, 1)
    square[:, first, second] = square[:, second, first] = pairwise_correlation(x, 7, 3)
    expected = square[:, order][:, :, order][:, first, second]
    assert_near(pairwise_correlation(moved, 7, 3), expected, 1e-12)
    one = correlation_with(x, x[:, 1], 7, 3)
    assert_near(correlation_with(moved, x[:, 1], 7, 3), one[:, order], 1e-12)
    assert_near(mean_pairwise_correlation(moved, 7), mean_pairwise_correlation(x, 7), 1e-12)


@given(st.integers(0, 99), st.floats(0.01, 100.0), st.floats(-30.0, 30.0))
def test_neither_scale_nor_offset_of_columns_matters(
    seed: int, scale: float, offset: float
) -> None:
    """An offset of 30 leaves fourteen digits; scales have a column's sign."""
    x = np.column_stack([(holed, noise)[n % 4 == 0](seed + n, 30) for n in range(20)])
    signs = np.where(np.arange(20) % 3, 1.0, -1.0)
    moved = x * (signs * scale ** np.linspace(-2.0, 2.0, 20)) + offset * np.arange(20)
    turned = np.array([a * b for n, a in enumerate(signs) for b in signs[n + 1 :]])
    assert_near(pairwise_correlation(moved, 7, 3), turned * pairwise_correlation(x, 7, 3), 1e-7)
    one = signs * signs[4] * correlation_with(x, x[:, 4], 7, 3)
    assert_near(correlation_with(moved, moved[:, 4], 7, 3), one, 1e-7)
    same = signs > 0.0
    mean = mean_pairwise_correlation(x[:, same], 7)
    assert_near(mean_pairwise_correlation(moved[:, same], 7), mean, 1e-7)


def test_the_output_given_is_written_and_returned() -> None:
    x = panel(18)
    out = np.full((len(x), 153), 7.25)
    assert pairwise_correlation(x, 9, None, out) is out
    assert out.tobytes() == pairwise_correlation(x, 9).tobytes()
    x[30, 3] = np.nan
    assert pairwise_correlation(x, 9, 4, out) is out
    assert out.tobytes() == pairwise_correlation(x, 9, 4).tobytes()


@pytest.mark.parametrize(
    ("out", "value"),
    [
        (np.empty((80, 189)), r"\(80, 189\)"),
        (np.empty((79, 190)), r"\(79, 190\)"),
        (np.empty(80 * 190), r"\(15200,\)"),
        (np.empty((80, 190), dtype=np.float32), "float32"),
        (np.empty((80, 190), dtype=">f8"), ">f8"),
        (np.empty((190, 80)).T, r"\(8, 640\)"),
        (np.empty((80, 380))[:, ::2], r"\(3040, 16\)"),
        (np.broadcast_to(0.0, (80, 190)), r"\(0, 0\)"),
        (np.frombuffer(bytes(80 * 190 * 8)).reshape(80, 190), "writeable=False"),
    ],
)
def test_an_output_of_another_form_is_refused(out: Any, value: str) -> None:
    with pytest.raises(ValueError, match=r"C-contiguous float64 \(80, 190\), got .*" + value):
        pairwise_correlation(panel(), 9, None, out)


@pytest.mark.parametrize(("window", "least"), [(1, None), (5, 1), (5, 6)])
def test_windows_that_mean_nothing_are_refused(window: int, least: int | None) -> None:
    x = panel(3)
    message = f"got {window if least is None else least} and {window}"
    for correlate in (
        lambda: rolling_rank_correlation(x[:, 0], x[:, 1], window, least),
        lambda: correlation_with(x, x[:, 1], window, least),
        lambda: pairwise_correlation(x, window, least),
    ):
        with pytest.raises(ValueError, match=message):
            correlate()
    with pytest.raises(ValueError, match="got 1 and 1"):
        mean_pairwise_correlation(x, 1)


def test_shapes_that_mean_nothing_are_refused() -> None:
    x = panel(3)
    with pytest.raises(ValueError, match=r"one length.*\(80, 3\)"):
        rolling_rank_correlation(x, x, 9)
    with pytest.raises(ValueError, match=r"\(80, 3\).*\(79,\)"):
        correlation_with(x, x[1:, 0], 9)
    with pytest.raises(ValueError, match=r"\(80,\).*\(80,\)"):
        correlation_with(x[:, 0], x[:, 0], 9)
    for correlate in (pairwise_correlation, mean_pairwise_correlation):
        with pytest.raises(ValueError, match=r"\(80,\)"):
            correlate(x[:, 0], 9)


@pytest.mark.parametrize("out", [[[0.0] * 3] * 30, np.ma.zeros((30, 3))])
def test_what_is_written_to_is_an_array_without_a_mask(out: Any) -> None:
    told = f"expected an array to write to, got {type(out).__name__}"
    with pytest.raises(ValueError, match=told):
        pairwise_correlation(np.ones((30, 3)), 20, out=out)


def test_what_is_read_is_not_written_over() -> None:
    """Three columns have three pairs: one array would do for both."""
    x = np.random.default_rng(1).normal(size=(50, 3))
    with pytest.raises(ValueError, match="out shares memory with x"):
        pairwise_correlation(x, 20, out=x)


def test_what_a_masked_array_hides_is_missing() -> None:
    a, b = np.array([1.0, 2.0, 4.0, 3.0, 6.0]), np.array([2.0, 1.0, 3.0, 5.0, 4.0])
    hidden = np.array([False, True, False, False, False])
    masked = np.ma.MaskedArray(a, hidden)

    found = rolling_correlation(masked, b, 3)
    np.testing.assert_array_equal(found, rolling_correlation(np.where(hidden, np.nan, a), b, 3))
