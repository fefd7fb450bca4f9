"""The event study: by hand, by statsmodels, by the oracle, and what is not known yet."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from indexer.arrays import Vector
from indexer.signals.events import EventStudy, event_row, event_study
from tests.reference import signal_events as reference
from tests.signals.example import days, walk

ROW = 251
COUNT = ROW + 21
seeds = st.integers(0, 2**32)


def logs(returns: Vector) -> Vector:
    """Return log levels from returns, the first of them zero."""
    return np.concatenate([[0.0], np.cumsum(returns)])


def pair(seed: int, count: int = COUNT) -> tuple[Vector, Vector]:
    """Return log levels of an index that goes along with its benchmark, and of that."""
    benchmark, other = np.log(walk(seed, count)), np.log(walk(seed + 1, count))
    return 0.7 * benchmark + other, benchmark


def parts(found: EventStudy) -> list[Vector]:
    return [np.atleast_1d(part) for part in found]


def test_an_event_by_hand() -> None:
    """The benchmark swings; the index by twice as much plus 0.001, and plus or minus 0.002 in turn.

    Of the 220 residuals, all of that size, none is as large as 0.01 of the event and all are as
    large as 0.001 of the row after. Sums of them are 0.002 after odd counts of rows, else 0.
    """
    t = np.arange(COUNT - 1)
    benchmark = np.where(t // 2 % 2 == 0, 0.01, -0.01)
    index = 0.001 + 2 * benchmark + np.where(t % 2 == 0, 0.002, -0.002)
    index[ROW - 31 :] = 0.001 + 2 * benchmark[ROW - 31 :]
    index[ROW - 1] += 0.01
    index[ROW] += 0.001
    found = event_study(logs(index), logs(benchmark), ROW)
    assert [found.alpha, found.beta] == pytest.approx([0.001, 2.0], rel=1e-9)
    assert found.offset.tolist() == list(range(-5, 21))
    assert found.abnormal == pytest.approx([0.0] * 5 + [0.01, 0.001] + [0.0] * 19, abs=1e-12)
    assert found.cumulative == pytest.approx([0.0] * 5 + [0.01] + [0.011] * 20, abs=1e-12)
    assert (found.p, found.estimated) == (1 / 221, 220)
    assert found.placebos == 195
    assert found.cumulative_p[5:].tolist() == [1 / 196] * 21


@given(seeds, st.integers(0, 40))
def test_the_market_model_is_that_of_statsmodels(seed: int, more: int) -> None:
    index, benchmark = pair(seed, COUNT + more)
    row = ROW + more
    y, x = np.diff(index), np.diff(benchmark)
    window = slice(row - 251, row - 31)  # returns of rows -250 to -31
    fit = OLS(y[window], add_constant(x[window])).fit()
    found = event_study(index, benchmark, row)
    assert [found.alpha, found.beta] == pytest.approx(fit.params, rel=1e-9, abs=1e-12)
    left = y - fit.params[0] - fit.params[1] * x
    expected = left[row - 6 : row + 20]
    np.testing.assert_allclose(found.abnormal, expected, rtol=1e-8, atol=1e-12)
    assert found.p == (1 + (np.abs(fit.resid) >= abs(expected[5])).sum()) / 221


@given(seeds, st.integers(240, 300), st.integers(0, 299))
def test_it_agrees_with_the_oracle(seed: int, count: int, row: int) -> None:
    index, benchmark = pair(seed, count)
    on = np.arange(count).astype("datetime64[D]")
    told = reference.event_study(
        on.tolist(),
        np.exp(index).tolist(),
        np.exp(benchmark).tolist(),
        np.datetime64(row, "D").item(),
    )
    found = event_study(index, benchmark, event_row(on, np.datetime64(row, "D")))
    if told is None:
        assert math.isnan(found.p)
        assert np.isnan(found.cumulative).all()
        assert found.placebos == 0
        return
    expected = [told.alpha, told.beta, told.abnormal, told.p_abnormal, told.placebos]
    values = [found.alpha, found.beta, found.abnormal[5], found.p, found.placebos]
    assert values == pytest.approx(expected, rel=1e-7, abs=1e-10)
    if told.cumulative is None:
        assert math.isnan(found.cumulative[-1])
        assert math.isnan(found.cumulative_p[-1])
    else:
        assert found.cumulative[-1] == pytest.approx(told.cumulative, rel=1e-7, abs=1e-10)
        assert found.cumulative_p[-1] == told.p_cumulative


@given(seeds)
def test_placebos_are_all_sums_inside_the_estimation_window(seed: int) -> None:
    index, benchmark = pair(seed)
    found = event_study(index, benchmark, ROW)
    left = np.diff(index) - found.alpha - found.beta * np.diff(benchmark)
    for k, total in enumerate(found.cumulative):
        sums = [math.fsum(left[s : s + k + 1]) for s in range(195)]
        p = (1 + sum(abs(placebo) >= abs(total) for placebo in sums)) / 196
        assert found.cumulative_p[k] == pytest.approx(p, abs=1.5 / 196)


@given(seeds, st.integers(0, 20))
def test_it_never_looks_ahead(seed: int, last: int) -> None:
    """Cut so many rows after the event, all that is of rows until then is the same."""
    index, benchmark = pair(seed)
    whole, end = event_study(index, benchmark, ROW), ROW + last + 1
    part = event_study(index[:end], benchmark[:end], ROW)
    known = last + 6
    for name in ("abnormal", "cumulative", "cumulative_p"):
        told = getattr(part, name)
        np.testing.assert_array_equal(told[:known], getattr(whole, name)[:known])
        assert np.isnan(told[known:]).all()
    assert (part.alpha, part.beta, part.p) == (whole.alpha, whole.beta, whole.p)
    assert part.placebos == 195


def test_an_event_that_is_yet_to_come_has_no_row() -> None:
    """How many rows there are until then is not known either."""
    index, benchmark = pair(1)
    on = np.arange(ROW).astype("datetime64[D]")
    row = event_row(on, np.datetime64(ROW + 9, "D"))
    for part in parts(event_study(index[:ROW], benchmark[:ROW], row)._replace(offset=np.empty(0))):
        assert np.isnan(part).all() or not part.any()


@given(seeds, st.floats(-0.1, 0.1), st.floats(0.5, 3.0))
def test_a_drift_and_the_benchmark_are_no_abnormal_return(
    seed: int, drift: float, beta: float
) -> None:
    index, benchmark = pair(seed)
    found = event_study(index + drift * np.arange(COUNT) + beta * benchmark, benchmark, ROW)
    expected = event_study(index, benchmark, ROW)
    np.testing.assert_allclose(found.cumulative, expected.cumulative, rtol=1e-7, atol=1e-9)
    assert found.beta == pytest.approx(expected.beta + beta, rel=1e-7)


@pytest.mark.parametrize("row", [250, 0, -1, COUNT + 300])
def test_without_a_whole_estimation_window_there_is_nothing(row: int) -> None:
    for part in parts(event_study(*pair(1), row)._replace(offset=np.array([math.nan]))):
        assert np.isnan(part).all() or not part.any()


@pytest.mark.parametrize("at", [0, 1, 150, 219, 220])
def test_a_level_missing_in_the_estimation_window_leaves_nothing(at: int) -> None:
    """Of rows -251 to -31, the first as what the first return is from."""
    index, benchmark = pair(1)
    whole = event_study(index, benchmark, ROW)
    index[at] = math.nan
    assert not math.isnan(whole.p)
    assert math.isnan(event_study(index, benchmark, ROW).p)


def test_a_level_missing_between_the_windows_changes_nothing() -> None:
    index, benchmark = pair(1)
    whole = event_study(index, benchmark, ROW)
    index[ROW - 30 : ROW - 6] = math.nan
    for told, expected in zip(parts(event_study(index, benchmark, ROW)), parts(whole), strict=True):
        np.testing.assert_array_equal(told, expected)


@given(seeds, st.floats(0.1, 3.0), st.floats(-0.01, 0.01))
def test_an_index_that_its_benchmark_explains_wholly_has_no_event(
    seed: int, beta: float, drift: float
) -> None:
    """What is left of it is rounding, of which the ranks are noise."""
    _, benchmark = pair(seed)
    found = event_study(beta * benchmark + drift * np.arange(COUNT), benchmark, ROW)
    assert math.isnan(found.p)


@pytest.mark.parametrize(
    "case", ["benchmark stands still", "benchmark drifts evenly", "index stands still", "one line"]
)
def test_what_cannot_be_judged_is_null(case: str) -> None:
    index, benchmark = pair(1)
    if case == "benchmark stands still":
        benchmark[:] = 1.0
    elif case == "benchmark drifts evenly":
        benchmark = np.asarray(1.0 + 0.001 * np.arange(COUNT), dtype=float)
    elif case == "index stands still":
        index[:] = 1.0
    else:
        index = 0.3 + 1.7 * benchmark + 0.0001 * np.arange(COUNT)
    found = event_study(index, benchmark, ROW)
    assert math.isnan(found.p)
    assert np.isnan(found.abnormal).all()
    assert np.isnan(found.cumulative_p).all()
    assert (found.estimated, found.placebos) == (0, 0)


def test_an_event_on_no_session_is_of_the_next_one() -> None:
    on = days("05-06", "05-07", "05-10")
    wanted = [*days("05-05", "05-06", "05-08", "05-10", "05-11")]
    assert [event_row(on, day) for day in wanted] == [0, 0, 2, 2, 3]


def test_levels_of_different_lengths_are_refused() -> None:
    index, benchmark = pair(1)
    with pytest.raises(ValueError, match="index_log, benchmark_log of one length"):
        event_study(index, benchmark[1:], 280)
