"""The benchmarks' references against exact fractions, and how answers differ from them."""

import numpy as np
import pytest

from benchmarks import accuracy, baskets, panels, reference
from benchmarks.accuracy import KINDS
from benchmarks.baskets import Baskets
from benchmarks.contenders import Rolling
from tests.reference import rolling as exact

SESSIONS, WINDOW = 240, 60


@pytest.fixture(params=KINDS)
def series(request: pytest.FixtureRequest) -> Rolling:
    return accuracy.drawn(request.param, SESSIONS)


def test_correlations_are_those_of_exact_fractions(series: Rolling) -> None:
    """Every fortieth window: fractions are slow."""
    a, b = series.values[:, 0], series.values[:, 1]
    found = reference.rolling_correlation(a, b, WINDOW, series.least)
    for t in range(19, SESSIONS, 40):
        rows = slice(max(0, t - WINDOW + 1), t + 1)
        window = [part[rows].tolist() for part in (a, b)]
        expected = exact.rolling_correlation(*window, WINDOW, series.least)[-1]
        if expected is None:
            assert np.isnan(found[t])
        else:
            assert found[t] == pytest.approx(expected, rel=0, abs=2e-16)


@pytest.mark.parametrize("kind", ["zero returns", "constant stretches"])
def test_the_hard_data_hold_windows_that_must_be_null(kind: str) -> None:
    """Without them no contender could get a null wrong."""
    drawn = accuracy.drawn(kind, 700)
    found = reference.pairwise_correlation(drawn.values, drawn.window, drawn.least)
    assert np.isnan(found[WINDOW:]).sum() > 100


def test_the_rows_of_a_long_series_are_taken_in_parts() -> None:
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, 20_100))
    found = reference.rolling_correlation(a, b, 5, 5)
    for t in (19_999, 20_000, 20_099):
        assert found[t] == pytest.approx(np.corrcoef(a[t - 4 : t + 1], b[t - 4 : t + 1])[0, 1])
    assert not np.isnan(found[4:]).any()


def test_the_mean_is_that_of_the_pairs() -> None:
    values = accuracy.drawn("returns", 90).values
    pairs = reference.pairwise_correlation(values, 30, 30)
    found = reference.mean_pairwise_correlation(values, 30)
    assert np.isnan(found[:29]).all()
    assert found[29:] == pytest.approx(pairs[29:].mean(axis=1), abs=1e-15)


def test_the_mean_leaves_out_columns_with_a_gap_or_no_movement() -> None:
    values = accuracy.drawn("returns", 30).values
    expected = reference.mean_pairwise_correlation(values[:, 2:], 30)[-1]
    values[5, 0], values[:, 1] = np.nan, 0.1
    assert reference.mean_pairwise_correlation(values, 30)[-1] == expected
    assert np.isnan(reference.mean_pairwise_correlation(values[:, :3], 30)[-1])


def test_one_against_many_is_pair_by_pair() -> None:
    values = accuracy.drawn("3 % missing", 90).values
    found = reference.correlation_with(values[:, 1:], values[:, 0], 30, 10)
    pairs = reference.pairwise_correlation(values, 30, 10)[:, :5]  # those of the first column
    assert np.array_equal(found, pairs, equal_nan=True)


def test_levels_worked_by_hand() -> None:
    """Up by a tenth on the one half; then three quarters double and a quarter is halved."""
    worth = np.array([[10.0, 7.0, 20.0], [11.0, 7.0, 22.0], [22.0, 7.0, 11.0]])
    weights = np.array([[[0.5, 0.5]], [[0.75, 0.25]]])
    case = Baskets(worth, np.array([[0, 2]]), np.array([0, 1]), weights)
    assert baskets.exact_levels(case)[:, 0] == pytest.approx([1000.0, 1100.0, 1100.0 * 1.625])


def test_the_last_known_value_goes_on() -> None:
    nan = np.nan
    values = np.array([[nan, 1.0], [2.0, nan], [nan, nan], [3.0, 4.0]])
    expected = [[nan, 1.0], [2.0, 1.0], [2.0, 1.0], [3.0, 4.0]]
    assert np.array_equal(panels.exact_fill(Rolling(values, 2, 2)), expected, equal_nan=True)


def test_a_difference_counts_every_way_to_be_wrong() -> None:
    nan = np.nan
    found = np.array([0.5, nan, 0.2, 1.5, nan, -2.0])
    expected = np.array([0.4, 0.1, nan, 1.0, nan, nan])
    told = reference.difference(found, expected)
    assert told.error == pytest.approx(0.5)
    assert told[1:] == (1, 2, 2)


def test_an_infinite_answer_is_infinitely_wrong() -> None:
    assert reference.difference(np.array([np.inf]), np.array([0.0])).error == np.inf


def test_levels_differ_by_their_ratio_and_may_exceed_one() -> None:
    told = reference.difference(np.array([2002.0]), np.array([2000.0]), relative=True)
    assert told.error == pytest.approx(1e-3)
    assert told.beyond == 0


def test_an_answer_of_another_shape_is_no_answer() -> None:
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        reference.difference(np.zeros(3), np.zeros(2))


def test_a_machine_without_extended_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reference.require_extended()
    monkeypatch.setattr(reference.np, "longdouble", np.float64)
    with pytest.raises(RuntimeError, match="fewer than 64"):
        reference.require_extended()
