"""Correlations of panels against exact arithmetic, whatever stands beside a pair of columns."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Grid, Vector
from indexer.kernels import panels, rolling, threads, windows
from indexer.kernels.compile import config
from indexer.kernels.rolling import (
    correlation_with,
    mean_pairwise_correlation,
    pairwise_correlation,
    rolling_correlation,
    rolling_rank_correlation,
)
from indexer.kernels.vector import WIDTH, load, store
from tests.reference import rolling as reference
from tests.reference.rolling import COMPLETE, GAPPY, LINES, holed, noise

T, MOST = 50, 40
SENTINEL, PLACE = 7.25, slice(2 * WIDTH, -2 * WIDTH)
# The first chunk holds every kind, the second nothing but complete columns, the last a few gaps.
KINDS = [*LINES, *COMPLETE, *list(COMPLETE)[:8], *GAPPY, *list(COMPLETE)[:4]]
PANEL = np.column_stack([LINES[kind](seed, T) for seed, kind in enumerate(KINDS)])
WHOLE = np.column_stack([list(COMPLETE.values())[n % 9](n, T) for n in range(MOST)])
PANELS = {"gaps": PANEL, "no gaps": WHOLE}
COLUMNS = [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 40]
pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")


def assert_near(found: Grid, expected: Grid, bound: float = 1e-12) -> None:
    """Null in the same places, elsewhere no further apart than the bound, and nowhere beyond one.

    The promise is 1e-10; windows as short as these keep a hundred times to spare.
    """
    assert found.shape == expected.shape
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(abs(found - expected), initial=0.0) <= bound
    assert np.nanmax(abs(found), initial=0.0) <= 1.0


@cache
def exact(name: str, window: int, least: int) -> Grid:
    """Every column's correlation with every other: sessions, columns, columns."""
    lines = PANELS[name].T.tolist()
    table = np.full((T, MOST, MOST), np.nan)
    for i, a in enumerate(lines):
        for j, b in enumerate(lines[: i + 1]):
            found = reference.rolling_correlation(a, b, window, least)
            table[:, i, j] = table[:, j, i] = reference.vector(found)
    return table


def exact_pairs(name: str, columns: list[int], window: int, least: int) -> Grid:
    first, second = (np.array(columns, dtype=int)[k] for k in np.triu_indices(len(columns), 1))
    return exact(name, window, least)[:, first, second]


def per_pair(x: Grid, window: int, least: int) -> Grid:
    pairs = zip(*np.triu_indices(x.shape[1], 1), strict=True)
    found = [rolling_correlation(x[:, i], x[:, j], window, least) for i, j in pairs]
    return np.array(found).reshape(-1, len(x)).T


def mean_of(pairs: Grid) -> Vector:
    """Average what is not null."""
    known = ~np.isnan(pairs)
    sums, counts = np.where(known, pairs, 0.0).sum(axis=1), known.sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize(("window", "least"), [(2, 2), (3, 2), (10, 10), (10, 4), (25, 25)])
def test_all_pairs_against_exact_arithmetic(name: str, window: int, least: int) -> None:
    """Any number of columns, the first and the last: they lie elsewhere in their chunks."""
    for count in COLUMNS:
        for columns in (list(range(count)), list(range(MOST - count, MOST))):
            found = pairwise_correlation(PANELS[name][:, columns], window, least)
            assert_near(found, exact_pairs(name, columns, window, least))


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize(("window", "least"), [(2, 2), (3, 2), (10, 10), (10, 4), (25, 25)])
def test_one_against_many_against_exact_arithmetic(name: str, window: int, least: int) -> None:
    x, table = PANELS[name], exact(name, window, least)
    for count in COLUMNS:
        for y in range(0, MOST, 3):
            found = correlation_with(x[:, :count], x[:, y], window, least)
            assert_near(found, table[:, :count, y])


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize(("window", "least"), [(10, 10), (10, 4)])
def test_one_of_any_kind_against_many_that_are_easy(kind: str, window: int, least: int) -> None:
    """No column gives cause to look again: whether y does is for y to say."""
    x, y = np.column_stack([noise(seed, T) for seed in range(18)]), LINES[kind](99, T)
    found = [reference.rolling_correlation(a, y.tolist(), window, least) for a in x.T.tolist()]
    expected = np.column_stack([reference.vector(line) for line in found])
    assert_near(correlation_with(x, y, window, least), expected)


@pytest.mark.parametrize("window", [2, 3, 10])
def test_lines_and_their_images_correlate_fully_but_not_beyond(window: int) -> None:
    """Sums round some of them upwards."""
    y = noise(1, 200)
    slopes = np.random.default_rng(2).standard_normal(32)
    x = y[:, None] * slopes
    x[150, 20] = x[160, 3] = np.nan
    signs, (first, second) = np.sign(slopes), np.triu_indices(32, 1)
    for least in (2, window):
        one = correlation_with(x, y, window, least)
        assert_near(one, np.where(np.isnan(one), np.nan, signs))
        pairs = pairwise_correlation(x, window, least)
        assert_near(pairs, np.where(np.isnan(pairs), np.nan, signs[first] * signs[second]))
    mean = mean_pairwise_correlation(x[:, signs > 0.0], window)
    assert_near(mean[window - 1 :], np.ones(201 - window))


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("window", [2, 3, 10, 25])
def test_the_mean_against_exact_arithmetic(name: str, window: int) -> None:
    """That of the pairs which are not null when all of a window's values are asked for."""
    for columns in map(range, COLUMNS):
        found = mean_pairwise_correlation(PANELS[name][:, list(columns)], window)
        assert_near(found, mean_of(exact_pairs(name, list(columns), window, window)))


def test_the_mean_against_the_oracle_of_the_mean() -> None:
    x = PANEL[:, [0, 2, 5, 9, 11, 20]]
    expected = reference.vector(reference.mean_correlation(x.T.tolist(), 10))
    assert_near(mean_pairwise_correlation(x, 10), expected)


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize(("window", "least"), [(10, 10), (10, 4), (25, 2), (64, 3), (64, 64)])
def test_any_number_of_sessions(name: str, window: int, least: int) -> None:
    """Fewer than the window, as many, and no multiple of it."""
    columns = list(range(5, 25))
    for sessions in (0, 1, 2, 9, 10, 11, 20, 25, 29, T):
        x, table = PANELS[name][:sessions], exact(name, window, least)[:sessions]
        pairs = exact_pairs(name, columns, window, least)[:sessions]
        assert_near(pairwise_correlation(x[:, columns], window, least), pairs)
        assert_near(correlation_with(x, x[:, 9], window, least), table[:, :, 9])
        if window == least:
            assert_near(mean_pairwise_correlation(x[:, columns], window), mean_of(pairs))


@pytest.mark.parametrize("least", range(2, 11))
def test_min_periods_counts_complete_pairs(least: int) -> None:
    x = np.column_stack([holed(seed, T) for seed in range(18)])
    there = ~np.isnan(x)
    pairs = [there[:, i] & there[:, j] for i, j in zip(*np.triu_indices(18, 1), strict=True)]
    counts = np.array([np.convolve(pair, np.ones(10))[:T] for pair in pairs]).T
    found = pairwise_correlation(x, 10, least)
    assert np.array_equal(np.isnan(found), counts < least)
    first = correlation_with(x[:, 1:], x[:, 0], 10, least)
    assert np.array_equal(np.isnan(first), counts[:, :17] < least)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Grid, int, int]:
    """Draw a panel with ties, constant stretches and holes, a window and its fewest pairs."""
    sessions, symbols = draw(st.integers(1, 24)), draw(st.integers(1, 20))
    random = np.random.default_rng(draw(st.integers(0, 9999)))
    kinds = (
        random.standard_normal((sessions, symbols)) * 10.0 ** random.integers(-3, 7, symbols),
        random.integers(-1, 2, (sessions, symbols)).astype(float),
    )
    x = np.where(random.random(symbols) < draw(st.sampled_from([0.0, 0.5])), *kinds)
    x[random.random(x.shape) < draw(st.sampled_from([0.0, 0.01, 0.3]))] = np.nan
    window = draw(st.integers(2, 12))
    return x, window, draw(st.integers(2, window))


@given(cases())
def test_a_panel_is_its_pairs_one_by_one(case: tuple[Grid, int, int]) -> None:
    x, window, least = case
    pairs = per_pair(x, window, least)
    assert_near(pairwise_correlation(*case), pairs)
    first = correlation_with(x[:, 1:], x[:, 0], window, least)
    assert_near(first, pairs[:, : x.shape[1] - 1])
    assert_near(mean_pairwise_correlation(x, window), mean_of(per_pair(x, window, window)))


@pytest.mark.parametrize("window", [63, 64, 65, 130])
def test_long_windows(window: int) -> None:
    """Longer than the rows that are added up at a time."""
    x = np.column_stack([LINES[kind](n, 200) for n, kind in enumerate([*LINES, "noise"])])
    pairs = per_pair(x, window, window)
    assert_near(pairwise_correlation(x, window), pairs)
    assert_near(mean_pairwise_correlation(x, window), mean_of(pairs))
    assert not np.isnan(pairs[-1]).all()


def test_many_columns() -> None:
    """More than those whose pairs are written in turn, twice over."""
    x = np.column_stack([noise(seed, 7) for seed in range(99)])
    x[2, 40] = x[5, 77] = np.nan
    for least in (2, 3):
        assert_near(pairwise_correlation(x, 3, least), per_pair(x, 3, least))


FUNCTIONS: dict[str, Callable[..., Grid]] = {
    "one pair": lambda x: rolling_correlation(x[:, 0], x[:, -1], 10, 4),
    "ranks": lambda x: rolling_rank_correlation(x[:, 0], x[:, -1], 10, 4),
    "one to many": lambda x: correlation_with(x[:, 1:], x[:, 0], 10, 4),
    "all pairs": lambda x: pairwise_correlation(x, 10, 4),
    "one to many, complete": lambda x: correlation_with(x[:, 1:], x[:, 0], 10),
    "all pairs, complete": lambda x: pairwise_correlation(x, 10),
    "mean": lambda x: mean_pairwise_correlation(x, 10),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", PANELS)
def test_it_never_looks_ahead(function: str, name: str) -> None:
    """Not by one bit, wherever the data are cut."""
    x = PANELS[name]
    whole = FUNCTIONS[function](x)
    for cut in range(T):
        part = FUNCTIONS[function](x[:cut])
        assert np.array_equal(part, whole[:cut], equal_nan=True), cut


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("row", "column"), [(14, 3), (25, 7), (39, 0), (47, 12), (49, 39)])
def test_a_later_gap_changes_nothing_before_it(function: str, row: int, column: int) -> None:
    """Nor with a value that only one side's sums cannot take, where the other side lacks one."""
    whole = np.column_stack([noise(seed, T) for seed in range(MOST)])
    whole[22, 7], whole[22, 5] = 1e75, np.nan
    gappy = whole.copy()
    gappy[row, column] = np.nan
    found, expected = FUNCTIONS[function](gappy), FUNCTIONS[function](whole)
    assert np.array_equal(found[:row], expected[:row], equal_nan=True)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", PANELS)
def test_any_number_of_threads_gives_the_same_bits(
    function: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every session is written by one of them, none rests on what the output held."""
    x = np.concatenate([PANELS[name]] * 10)
    empty, used = np.empty, []

    class Counted(ThreadPoolExecutor):
        def __init__(self, count: int) -> None:
            used.append(count)
            super().__init__(count)

    def marked(*shape: Any, **kind: Any) -> Grid:
        (out := empty(*shape, **kind)).fill(SENTINEL)
        return out

    monkeypatch.setattr(rolling, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "ThreadPoolExecutor", Counted)
    monkeypatch.setattr(np, "empty", marked)
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(rolling.config, "NUMBA_NUM_THREADS", count)
        found.append(FUNCTIONS[function](x))
    assert not np.any(found[0] == SENTINEL)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
    assert used == ([] if function == "ranks" else [2, 3])


def drivers(x: Grid, window: int, least: int) -> Iterator[tuple[Any, tuple[Any, ...], int]]:
    """Every driver, what it takes before its output, and the width of a session in that."""
    symbols = x.shape[1]
    yield panels.one_pair, (x[:, :1].copy(), x[:, -1:].copy(), window, least), 1
    yield panels.one_to_many, (x, x[:, -1:].copy(), window, least), symbols
    yield panels.all_pairs, (x, window, least), symbols * (symbols - 1) // 2
    yield panels.mean_of_pairs, (x, window), 1


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize(
    ("sessions", "window", "least"),
    [(1, 2, 2), (3, 2, 2), (7, 3, 3), (9, 3, 2), (4, 9, 9), (9, 9, 4), (11, 5, 3), (12, 5, 5)],
)
def test_nothing_but_a_blocks_own_sessions_is_written(
    name: str, sessions: int, window: int, least: int
) -> None:
    """Rows are written sixteen values at a time, some of them in places that are not theirs yet."""
    for symbols in range(2, MOST + 1):
        x = np.ascontiguousarray(PANELS[name][:sessions, -symbols:])
        for driver, takes, width in drivers(x, window, least):
            shape = x.shape if driver is panels.one_to_many else -1
            whole = np.full(sessions * width + 4 * WIDTH, SENTINEL)
            driver(*takes, whole[PLACE].reshape(shape), 0, -(-sessions // window))
            for block in range(-(-sessions // window)):
                guarded = np.full(whole.size, SENTINEL)
                driver(*takes, guarded[PLACE].reshape(shape), block, block + 1)
                own = guarded[PLACE][block * window * width :][: window * width]
                assert np.all((abs(own) <= 1.0) | np.isnan(own))
                its = whole[PLACE][block * window * width :][: window * width]
                assert own.tobytes() == its.tobytes()
                own[:] = SENTINEL
                assert np.all(guarded == SENTINEL)


@contextmanager
def interpreted(monkeypatch: pytest.MonkeyPatch, held: float) -> Iterator[None]:
    """Run the bodies as Python, which may not reach beyond an array nor rest on what it held."""

    def checked_load(array: Vector, at: int) -> Vector:
        assert 0 <= at <= array.size - WIDTH
        return load(array, at)

    def checked_store(array: Vector, at: int, numbers: Vector) -> None:
        assert 0 <= at <= array.size - WIDTH
        store(array, at, numbers)

    with monkeypatch.context() as patch, np.errstate(all="ignore"):
        for module in (rolling, panels, windows):
            for name, body in list(vars(module).items()):
                if hasattr(body, "py_func"):
                    patch.setattr(module, name, body.py_func)
        for module in (panels, windows):
            patch.setattr(module, "load", checked_load)
            patch.setattr(module, "store", checked_store)
            patch.setattr(module, "room", lambda size: np.full(size, held))
        yield


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("symbols", [2, 16, 19])
@pytest.mark.parametrize("name", PANELS)
def test_the_compiled_bodies_are_the_interpreted_ones(
    function: str, name: str, symbols: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within 1e-12: interpreted, a product is rounded before it is added, and a root is a root."""
    x = np.ascontiguousarray(PANELS[name][:24, 8 : 8 + symbols])
    with interpreted(monkeypatch, np.nan):
        slow = FUNCTIONS[function](x)
    assert_near(FUNCTIONS[function](x), slow)
    with interpreted(monkeypatch, 3.0):
        assert FUNCTIONS[function](x).tobytes() == slow.tobytes()
