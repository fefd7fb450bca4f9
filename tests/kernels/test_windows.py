"""Windows of a row of lanes: where values are counted from, what is summed, and what is doubted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from indexer.arrays import Grid, Vector
from indexer.kernels import windows
from indexer.kernels.compile import config
from indexer.kernels.vector import WIDTH
from indexer.kernels.windows import (
    DOUBTFUL,
    against,
    alone,
    centre,
    complete,
    fill,
    moments,
    pairwise,
    room,
)
from tests.reference import rolling as reference
from tests.reference.rolling import LINES, noise

pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")

WINDOW = 7
ROWS = 2 * WINDOW
FIRST, SIZE = np.uint64(0), np.uint64(WIDTH)
NAN = np.nan


def chunk(seed: int) -> Grid:
    """Two blocks of sixteen columns: sessions, lanes."""
    return np.random.default_rng(seed).standard_normal((ROWS, WIDTH))


def ends(x: Grid) -> Iterator[tuple[int, Grid]]:
    """Yield every window that ends in the second block."""
    for t in range(WINDOW):
        yield t, x[t + 1 : t + 1 + WINDOW]


@contextmanager
def interpreted() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        for name, body in list(vars(windows).items()):
            if hasattr(body, "py_func"):
                patch.setattr(windows, name, body.py_func)
        yield


def same(body: Any, *arguments: Any, written: tuple[int, ...] = ()) -> Any:
    """Run a body compiled and interpreted, and compare what they return and write.

    To 1e-12: interpreted, a product is rounded before it is added.
    """
    copies = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
    found = body(*arguments)
    with interpreted():
        again = body.py_func(*copies)
    if found is not None:
        assert found == pytest.approx(again, rel=0.0, abs=1e-12, nan_ok=True)
    for one, other in ((arguments[n], copies[n]) for n in written):
        assert_allclose(one, other, rtol=1e-12, atol=1e-12)
        assert np.array_equal(np.equal(one, DOUBTFUL), np.equal(other, DOUBTFUL))
    return found


@pytest.mark.parametrize("x", LINES)
@pytest.mark.parametrize("y", ["noise", "missing", "spikes", "huge"])
def test_a_window_alone_against_exact_arithmetic(x: str, y: str) -> None:
    a, b = LINES[x](1), LINES[y](2)
    grid, other = np.column_stack([b, a]), b.reshape(-1, 1)
    for of in ((2, 2), (10, 3), (80, 2)):
        expected = reference.vector(reference.rolling_correlation(a.tolist(), b.tolist(), *of))
        for t in range(0, len(a), 3):
            found = same(alone, grid, 1, other, 0, t, *of)
            assert found == pytest.approx(expected[t], rel=0.0, abs=1e-14, nan_ok=True)


def test_a_constant_alone_is_null_whatever_its_size() -> None:
    other = noise(1, 9).reshape(-1, 1)
    for size in (0.0, 0.1, 1e9 + 0.1, 1e-300, -1e300):
        still = np.full((9, 1), size)
        assert np.isnan(alone(still, 0, other, 0, 8, 9, 9))
        assert np.isnan(alone(other, 0, still, 0, 8, 9, 9))


def test_a_line_and_its_image_alone_correlate_fully_but_not_beyond() -> None:
    """Rounded upwards, one in five would be beyond."""
    for seed in range(200):
        line = noise(seed, 9).reshape(-1, 1)
        for slope in (0.1, -3.7):
            found = alone(line, 0, slope * line + 1.0, 0, 8, 9, 9)
            assert found == pytest.approx(np.sign(slope), rel=1e-14)
            assert abs(found) <= 1.0


@pytest.mark.parametrize("size", [1, 8, 100])
def test_a_room_begins_a_cache_line(size: int) -> None:
    for body in (room, room.py_func):
        found = body(size)
        assert found.shape == (size,)
        assert found.dtype == np.float64
        assert found.ctypes.data % 64 == 0


@pytest.mark.parametrize("lane", [0, 5, 15])
@pytest.mark.parametrize("columns", [1, 11, 16, 27, 33])
@pytest.mark.parametrize("first", [-9, -2, 0, 3, 8])
def test_what_a_chunk_is_filled_with(lane: int, columns: int, first: int) -> None:
    """Sessions before the first hold what is asked, those after the last 0; spare lanes repeat."""
    x = np.random.default_rng(1).standard_normal((5, 40))
    chunks, rows = -(-(lane + columns) // WIDTH), 6
    z = np.full((chunks + 2) * rows * WIDTH, 7.25)
    inside = slice(rows * WIDTH, -rows * WIDTH)
    same(fill, x, 4, columns, lane, first, -3.0, z[inside], rows, written=(6,))
    expected = np.zeros((rows, chunks * WIDTH))
    expected[: max(0, -first)] = -3.0
    for s in range(rows):
        if 0 <= first + s < 5:
            expected[s] = x[first + s, 4]
            expected[s, lane : lane + columns] = x[first + s, 4 : 4 + columns]
    found = z[inside].reshape(chunks, rows, WIDTH).transpose(1, 0, 2)
    assert found.reshape(rows, -1).tolist() == expected.tolist()
    assert np.all(np.delete(z, np.arange(z.size)[inside]) == 7.25)


def middles(x: Grid, start: int, end: int) -> Vector:
    """Find the last finite value before the block, or else the first in it."""
    before = [column[start:WINDOW][np.isfinite(column[start:WINDOW])][-1:] for column in x.T]
    within = [column[WINDOW:end][np.isfinite(column[WINDOW:end])][:1] for column in x.T]
    return np.array([[*a, *b, NAN][0] for a, b in zip(before, within, strict=True)])


@pytest.mark.parametrize(
    ("start", "end"), [(0, ROWS), (0, WINDOW + 1), (WINDOW, ROWS), (3, ROWS - 2)]
)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9, 1.0])
def test_values_are_counted_from_a_middle(start: int, end: int, share: float) -> None:
    random = np.random.default_rng(3)
    x = chunk(1) + 1e6
    x[random.random(x.shape) < share] = NAN
    x[random.random(x.shape) < share / 4] = np.inf
    z = np.concatenate([np.full(WIDTH, 7.25), x.ravel(), np.full(WIDTH, 7.25)])
    lacks = same(centre, z, WIDTH, WINDOW, start, end, written=(0,))
    expected = np.where(np.isfinite(x), x, NAN) - middles(x, start, end)
    expected[:start], expected[end:] = x[:start], x[end:]
    assert np.array_equal(z[WIDTH:-WIDTH].reshape(x.shape), expected, equal_nan=True)
    assert np.all(z[:WIDTH] == 7.25)
    assert np.all(z[-WIDTH:] == 7.25)
    assert lacks is bool(~np.isfinite(x[start:end]).all())


HARD: dict[str, Callable[[Grid], Grid]] = {
    "noise": lambda x: x,
    "a gap": lambda x: np.where(np.arange(x.size).reshape(x.shape) == 5 * WIDTH + 3, NAN, x),
    "constant": lambda x: np.where(np.arange(WIDTH) == 3, 0.1, x),
    "offset": lambda x: x + np.where(np.arange(WIDTH) == 3, 100.0, 0.0),
    "tiny": lambda x: x * np.where(np.arange(WIDTH) == 3, 1e-75, 1.0),
    "huge": lambda x: x * np.where(np.arange(WIDTH) == 3, 1e75, 1.0),
}


def side(z: Grid) -> tuple[Vector, Vector, bool]:
    """Return drift and scale, each within a margin that is not written."""
    drift, scale = (np.full((WINDOW + 2) * WIDTH, 7.25) for _ in "ds")
    doubts = same(
        moments, z.ravel(), FIRST, WINDOW, drift, scale, SIZE, written=(3, 4)
    )  # fmt: skip
    for out in (drift, scale):
        assert np.all(out[:WIDTH] == 7.25)
        assert np.all(out[-WIDTH:] == 7.25)
    return drift[WIDTH:-WIDTH].copy(), scale[WIDTH:-WIDTH].copy(), doubts


@pytest.mark.parametrize("name", HARD)
def test_what_one_side_brings_to_a_correlation(name: str) -> None:
    """Where sums do not suffice there is no scale; where a value lacks, no drift either."""
    z = HARD[name](chunk(1))
    drift, scale, doubts = (
        part if isinstance(part, bool) else part.reshape(WINDOW, WIDTH) for part in side(z)
    )
    assert doubts is (name not in ("noise", "a gap"))
    others = np.arange(WIDTH) != 3
    for t, rows in ends(z):
        variance = WINDOW**2 * rows.var(axis=0)
        assert_allclose(scale[t][others], 1.0 / np.sqrt(variance[others]), rtol=1e-12)
        assert_allclose(drift[t][others], (rows.sum(axis=0) * scale[t])[others], atol=1e-12)
        if name == "a gap":
            gone = bool(np.isnan(rows[:, 3]).any())
            assert np.isnan([scale[t, 3], drift[t, 3]]).tolist() == [gone, gone]
        elif name != "noise":
            assert np.isnan(scale[t, 3])
            assert not np.isnan(drift[t, 3])


def expected_correlations(a: Vector, z: Grid, least: int = WINDOW) -> Grid:
    """Exact ones of a column with each lane; null below the fewest pairs."""
    found = [reference.rolling_correlation(a.tolist(), b, WINDOW, least) for b in z.T.tolist()]
    return np.array([reference.vector(lane)[WINDOW:] for lane in found]).T


@pytest.mark.parametrize("rows", [1, 4, WINDOW])
@pytest.mark.parametrize("step", [WIDTH, WIDTH + 3, 40])
def test_a_column_with_a_chunk_that_lacks_nothing(rows: int, step: int) -> None:
    """Three ways to the same bits: which one is taken must not show."""
    own, z = chunk(2)[:, 5].copy(), chunk(1)
    own -= own[WINDOW - 1]
    z -= z[WINDOW - 1]
    drift, scale, _ = side(z)
    its_drift, its_scale, _ = side(np.repeat(own, WIDTH).reshape(ROWS, WIDTH))
    sides = np.concatenate([its_scale[::WIDTH], its_drift[::WIDTH]])
    later = np.empty(6 * WINDOW * WIDTH)
    outs = [np.full(step * (rows - 1) + 3 * WIDTH, 7.25) for _ in range(3)]
    to, stride = np.uint64(WIDTH), np.uint64(step)
    same(complete, own, FIRST, sides, FIRST, z.ravel(), FIRST, WINDOW, drift, scale, FIRST, later,
         outs[0], to, stride, rows, written=(11,))  # fmt: skip
    assert not same(against, own, FIRST, sides, FIRST, z.ravel(), FIRST, SIZE, WINDOW, later,
                    outs[1], to, stride, rows, written=(9,))  # fmt: skip
    assert not same(pairwise, own, FIRST, None, z.ravel(), FIRST, WINDOW, WINDOW, later,
                    outs[2], to, stride, rows, written=(9,))  # fmt: skip
    assert outs[0].tobytes() == outs[1].tobytes() == outs[2].tobytes()
    expected = expected_correlations(own, z)
    for t in range(rows):
        found = outs[0][WIDTH + t * step :][:WIDTH]
        assert_allclose(found, expected[t], rtol=0.0, atol=1e-13)
        found[:] = 7.25
    assert np.all(outs[0] == 7.25)


@pytest.mark.parametrize("name", HARD)
def test_a_chunk_as_it_lies_in_a_panel(name: str) -> None:
    """What lacks a value or has lost its digits is doubted; all else is right beside it."""
    panel = np.full((ROWS + 1, WIDTH + 5), 7.25)
    panel[1:, 5:] = z = HARD[name](chunk(1))
    own = chunk(2)[:, 5].copy()
    own -= own[WINDOW - 1]
    drift, scale, _ = side(np.repeat(own, WIDTH).reshape(ROWS, WIDTH))
    sides, later = np.concatenate([scale[::WIDTH], drift[::WIDTH]]), np.empty(3 * WINDOW * WIDTH)
    out = np.full(WINDOW * WIDTH, 7.25)
    stride = np.uint64(WIDTH + 5)
    found = same(against, own, FIRST, sides, FIRST, panel.ravel(), stride + np.uint64(5), stride,
                 WINDOW, later, out, FIRST, SIZE, WINDOW, written=(10,))  # fmt: skip
    assert found is bool((out == DOUBTFUL).any())
    expected = expected_correlations(own, z)
    doubted = {"a gap": [*range(5)], "noise": [], "offset": []}.get(name, [*range(WINDOW)])
    lanes = np.zeros((WINDOW, WIDTH), dtype=bool)
    lanes[doubted, 3] = True
    out = out.reshape(WINDOW, WIDTH)
    assert np.array_equal(out == DOUBTFUL, lanes)
    assert_allclose(out[~lanes], expected[~lanes], rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("least", range(2, WINDOW + 1))
@pytest.mark.parametrize("form", ["a column", "a chunk"])
def test_pairs_where_values_lack(name: str, least: int, form: str) -> None:
    x, y = HARD[name](chunk(1)), chunk(2)
    random = np.random.default_rng(4)
    y[random.random(y.shape) < 0.3] = NAN
    x[random.random(x.shape) < 0.1] = NAN
    out, later = np.full((WINDOW + 2) * WIDTH, 7.25), np.empty(6 * WINDOW * WIDTH)
    lanes = range(WIDTH) if form == "a chunk" else [3] * WIDTH
    own, other = (x.ravel(), x.ravel()) if form == "a chunk" else (x[:, 3].copy(), None)
    found = same(pairwise, own, FIRST, other, y.ravel(), FIRST, WINDOW, least, later,
                 out, SIZE, SIZE, WINDOW, written=(9,))  # fmt: skip
    r = out[WIDTH:-WIDTH].reshape(WINDOW, WIDTH).copy()
    for lane, its in enumerate(lanes):
        expected = expected_correlations(x[:, its], y[:, lane : lane + 1], least)[:, 0]
        there = r[:, lane] != DOUBTFUL
        assert_allclose(r[there, lane], expected[there], rtol=0.0, atol=1e-12)
        if its == 3 and name not in ("noise", "a gap"):
            assert not np.any(there & ~np.isnan(r[:, lane]))
    # One doubtful lane is enough, and also one whose pairs are too few.
    assert found or not (r == DOUBTFUL).any()
    out[WIDTH:-WIDTH] = 7.25
    assert np.all(out == 7.25)
