"""Lines that do not move but for rounding: no signal makes anything of that."""

from datetime import date

import numpy as np
import pytest

from indexer.arrays import Instants, Vector
from indexer.signals.overlay import divergence
from indexer.signals.result import Comparison
from indexer.signals.rounding import log_returns, log_strength, settled
from indexer.signals.study import compare
from tests.signals.example import (
    MAINLAND,
    START,
    compared,
    fixed_rates,
    history,
    series,
    study,
    told,
    walk,
)

ON = MAINLAND.between(START, date(2025, 4, 30))
EUROS = np.exp(0.003 * np.random.default_rng(9).standard_normal(5 * len(ON)).cumsum())


def rebased() -> Comparison:
    """Return a walk beside itself, first brought to another base level, and another walk."""
    levels = np.round(walk(1, len(ON)), 2)
    lines = {"a": levels, "b": 1000.0 * levels / levels[0], "c": walk(2, len(ON))}
    market = history(series("market"), ON, walk(3, len(ON)))
    return compared(*(history(series(id), ON, line) for id, line in lines.items()), market)


def steady(**keys: object) -> Comparison:
    """Return a walk, and beside it cash, which grows by the same on each row, and another walk."""
    lines = {
        "a": walk(1, len(ON)),
        "b": 100.0 * 1.0001 ** np.arange(len(ON)),
        "c": walk(2, len(ON)),
    }
    market = history(series("market"), ON, walk(3, len(ON)))
    histories = [history(series(id), ON, line) for id, line in lines.items()]
    return compared(*histories, market, **keys)


# --- the notion -----------------------------------------------------------------------------------


def test_a_value_that_rounding_tells_from_an_earlier_one_is_that_one() -> None:
    values = np.array([0.5, 0.5 + 1e-14, 0.6, 0.5 - 1e-14, 0.5])
    assert settled(values, np.full(5, 7.0)).tolist() == [0.5, 0.5, 0.6, 0.5, 0.5]


def test_rounding_goes_by_the_terms_and_not_by_their_difference() -> None:
    """Terms of 7 leave 1e-15, which is no rounding of a number of that size."""
    values = np.array([1e-15, 2e-15])
    assert settled(values, np.full(2, 7.0)).tolist() == [1e-15, 1e-15]


def test_what_is_not_there_settles_nothing() -> None:
    values = np.array([1.0, np.nan, 1.0, np.nan, 1.0 + 1e-15])
    np.testing.assert_array_equal(settled(values, values), [1.0, np.nan, 1.0, np.nan, 1.0])


def test_lines_that_move_keep_every_bit() -> None:
    leader, follower = (np.log(walk(seed, 500)) for seed in (1, 2))
    assert np.array_equal(log_strength(leader, follower), leader - follower)
    assert np.array_equal(log_returns(leader), np.diff(leader))


def test_settling_never_looks_ahead() -> None:
    values = np.round(walk(1, 60) / 30.0) * (1 + 1e-15 * np.arange(60))
    for cut in range(61):
        assert np.array_equal(settled(values[:cut], values[:cut]), settled(values, values)[:cut])


# --- two lines in one proportion ------------------------------------------------------------------


def test_a_line_beside_itself_rebased_is_never_stretched() -> None:
    states = rebased().states[0].states
    assert set(states.state) == {"neutral"}


def test_a_line_beside_itself_rebased_has_no_zscore() -> None:
    assert not told(rebased(), "zscore", "ab", 10)


def test_a_line_beside_itself_rebased_is_all_ties() -> None:
    assert {value for value, _ in told(rebased(), "percentile", "ab", 250).values()} == {1.0}


def test_a_line_beside_itself_rebased_has_no_level_correlation() -> None:
    assert not told(rebased(), "level_correlation", "abc", 6)


def test_a_line_beside_itself_rebased_has_no_null_of_levels() -> None:
    assert set(rebased().ratios[0].levels[6].told.values()) == {None}


def test_a_line_beside_itself_rebased_has_nothing_to_draw_chance_from() -> None:
    assert rebased().pairs[0].chance is None


def test_a_maximum_that_only_rounding_passes_is_no_new_one() -> None:
    """Once stretched, the leader comes back to its highest again and again: the first stays it."""
    leader = np.full(len(ON), 100.0)
    leader[20:] = 130.0
    leader[[22, 25, 28]] = 127.0
    converted = {"a": leader, "b": np.full(len(ON), 77.7)}
    named = {
        id: history(series(id), ON, level * EUROS[: len(ON)]) for id, level in converted.items()
    }
    states = compare(study("a", "b"), named, fixed_rates({})).states[0].states
    assert set(states.peak[states.peak >= 0]) == {20}


def test_constant_lines_converted_at_one_rate_have_no_zscore() -> None:
    def fixings(currency: str, instants: Instants) -> Vector:
        return EUROS[: len(instants)]

    named = {id: history(series(id, currency="USD"), ON, level) for id, level in
             (("a", 1234.5), ("b", 987.6))}  # fmt: skip
    found = compare(study("a", "b", currency="CNY"), named, fixings)
    assert not told(found, "zscore", "ab", 10)


# --- a line that grows by the same on each row ----------------------------------------------------


@pytest.mark.parametrize("name", ["correlation", "spearman"])
def test_steady_growth_has_no_correlation(name: str) -> None:
    found = steady()
    assert not told(found, name, "ab", 6)
    assert told(found, name, "ac", 6)


@pytest.mark.parametrize("name", ["partial_correlation", "partial_correlation_benchmark"])
def test_steady_growth_has_no_partial_correlation(name: str) -> None:
    assert not told(steady(), name, "abc", 6)


def test_steady_growth_has_neither_intervals_nor_a_p_value() -> None:
    found = steady(windows={"correlation": ["60"], "zscore": "10"})
    pair, ratio = found.pairs[0], found.ratios[0]
    for interval in (pair.correlation[60], pair.spearman[60], ratio.partial[60]):
        assert interval.told == {"low": None, "high": None}
    assert np.isnan([ratio.p_value[60], ratio.p_benchmark[60]]).all()


def test_a_series_of_steady_growth_diverges_from_nothing() -> None:
    announced = ON[::5]
    figures = 100.0 * 1.1 ** np.arange(len(announced))
    assert np.isnan(divergence(np.log(walk(1, len(ON))), ON, figures, announced, 4)).all()
