"""Rolling correlation: exact to ten digits where naive sums fail, and the laws it obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Vector
from indexer.kernels import rolling as kernel
from indexer.kernels.rolling import rolling_correlation
from tests.reference import rolling as reference

T = 80


def noise(seed: int, count: int = T) -> Vector:
    return np.random.default_rng(seed).standard_normal(count)


def spiked(seed: int) -> Vector:
    line = noise(seed)
    line[[20, 45]] = 1e12, -1e12
    return line


def stepped(seed: int) -> Vector:
    """Noise that stands still for a while, at a value that is no short binary fraction."""
    line = noise(seed)
    line[15:40] = 0.1
    return line


def holed(seed: int) -> Vector:
    line = noise(seed)
    line[np.random.default_rng(seed + 1000).random(T) < 0.4] = np.nan
    return line


def priced(seed: int) -> Vector:
    return np.round(1000 * np.exp(np.cumsum(0.02 * noise(seed))), 2)


LINES = {
    "noise": noise,
    "offset": lambda seed: 1e9 + noise(seed),
    "prices": priced,
    "logs of prices": lambda seed: np.log(priced(seed)),
    "spikes": spiked,
    "constant stretch": stepped,
    "tiny": lambda seed: 1e-200 * noise(seed),
    "huge": lambda seed: 1e200 * noise(seed),
    "missing": holed,
    "a trend with little else": lambda seed: np.arange(T) + 1e-6 * noise(seed),
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Vector, Vector, int, int]:
    """Two lines with ties, constant stretches and holes, a window and its fewest pairs."""
    count = draw(st.integers(1, 30))
    # Below 1e-290 a difference may be no normal number any more, and has few digits.
    drawn = st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-290 else 0.0)
    value = st.one_of(st.integers(-2, 2).map(float), drawn, st.just(np.nan))
    a, b = (np.array(draw(st.lists(value, min_size=count, max_size=count))) for _ in "ab")
    window = draw(st.integers(2, 12))
    return a, b, window, draw(st.integers(2, window))


def exact(a: Vector, b: Vector, window: int, least: int) -> Vector:
    found = reference.rolling_correlation(a.tolist(), b.tolist(), window, least)
    return np.array([np.nan if value is None else value for value in found])


@pytest.mark.parametrize("x", LINES)
@pytest.mark.parametrize("y", LINES)
@pytest.mark.parametrize(("window", "least"), [(2, 2), (10, 3), (25, 25)])
def test_every_kind_of_line_against_exact_arithmetic(
    x: str, y: str, window: int, least: int
) -> None:
    a, b = LINES[x](1), LINES[y](2)
    found, expected = rolling_correlation(a, b, window, least), exact(a, b, window, least)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(abs(found - expected), initial=0.0) <= 1e-10


@given(cases())
def test_ties_and_holes_against_exact_arithmetic(case: tuple[Vector, Vector, int, int]) -> None:
    found, expected = rolling_correlation(*case), exact(*case)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(abs(found - expected), initial=0.0) <= 1e-10


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
    """Powers of two change no digit, so no result may change by one bit."""
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
    """What came before the window leaves no trace, not by one bit."""
    a, b, window, least = case
    x, y = (np.concatenate([noise(shift, shift) * 1e12, line]) for line in (a, b))
    found = rolling_correlation(x, y, window, least)[shift + window - 1 :]
    assert np.array_equal(found, rolling_correlation(*case)[window - 1 :], equal_nan=True)


@given(cases(), st.integers(0, 30))
def test_it_never_looks_ahead(case: tuple[Vector, Vector, int, int], cut: int) -> None:
    a, b, *rest = case
    part = rolling_correlation(a[:cut], b[:cut], *rest)
    assert np.array_equal(part, rolling_correlation(*case)[:cut], equal_nan=True)


@given(cases())
def test_the_compiled_body_is_the_interpreted_one(case: tuple[Vector, Vector, int, int]) -> None:
    out = np.empty(len(case[0]))
    kernel._rolling_correlation.py_func(*case, out)
    assert np.array_equal(rolling_correlation(*case), out, equal_nan=True)


@pytest.mark.parametrize("name", LINES)
def test_the_compiled_body_is_the_interpreted_one_on_every_kind_of_line(name: str) -> None:
    a, b, out = LINES[name](1), LINES["noise"](2), np.empty(T)
    kernel._rolling_correlation.py_func(a, b, 10, 3, out)
    assert np.array_equal(rolling_correlation(a, b, 10, 3), out, equal_nan=True)


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


def test_min_periods_is_the_window_unless_told() -> None:
    a, b = holed(1), noise(2)
    assert np.array_equal(
        rolling_correlation(a, b, 4), rolling_correlation(a, b, 4, 4), equal_nan=True
    )


def test_any_layout_and_number_type_gives_the_same_by_the_same_body() -> None:
    """Another body for each would cost a second of compiling, and could differ."""
    grid = np.round(np.column_stack([noise(1), noise(2)]) * 50)
    expected = rolling_correlation(grid[:, 0].copy(), grid[:, 1].copy(), 9)
    narrow = grid.astype(np.float32)
    for a, b in (
        (grid[:, 0], grid[:, 1]),
        (grid[::-1, 0][::-1], grid.astype(np.int64)[:, 1]),
        (narrow[:, 0], np.asfortranarray(narrow)[:, 1]),
    ):
        assert np.array_equal(rolling_correlation(a, b, 9), expected, equal_nan=True)
    assert len(kernel._rolling_correlation.signatures) == 1


def test_the_input_stays_as_it_was() -> None:
    a, b = spiked(1), holed(2)
    rolling_correlation(a, b, 10, 3)
    assert np.array_equal(a, spiked(1))
    assert np.array_equal(b, holed(2), equal_nan=True)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_line_shorter_than_its_window_is_all_null(count: int) -> None:
    found = rolling_correlation(noise(1, count), noise(2, count), 5)
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
