"""Episodes and what is inferred of them: by hand, by the oracle, by scipy, and cut short."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from indexer.arrays import Flags, Vector
from indexer.kernels.catchup import TURN_WINDOW
from indexer.signals.catchup import States, catch_up_states
from indexer.signals.evaluate import (
    Episode,
    deflated_sharpe,
    episodes,
    evaluate,
    return_moments,
    sign_test,
    state_returns,
)
from indexer.signals.strength import zscore
from tests.reference import catchup as reference
from tests.reference import signal_episodes
from tests.signals.example import walk, walks

WINDOW = 4
# Sixty-one rows that swing by one: from the last of them on there is a deviation of changes.
SWINGS = [float(t % 2) for t in range(TURN_WINDOW + 1)]
START = len(SWINGS)

RULES = st.fixed_dictionaries(
    {"enter": st.floats(0.3, 1.6), "turn": st.floats(0.05, 1.1), "close": st.floats(0.1, 1.0)}
)
PAIRS = walks(2, count=240, longest=60)


def states(strength: Vector, window: int, z: Any = None, **rule: float) -> States:
    """Return states by the defaults but for some; by its own z-score unless one is given."""
    scores = zscore(strength, window) if z is None else z
    return catch_up_states(
        strength, scores, window, **{"enter": 1.0, "turn": 1.0, "close": 0.5} | rule
    )


def untested(count: int) -> Flags:
    return np.zeros(count, dtype=bool)


def after_swings(tail: list[float], z: list[float], follower: list[float]) -> list[Episode]:
    """Return the episodes of lines whose difference swings and then does as the tail says.

    Rows count from the end of the swings. A turn takes 1 to 3 after jumps of 20 to 40.
    """
    strength = np.array(SWINGS + tail)
    quiet = np.array([math.nan] * START + z)
    b = np.array([0.0] * START + follower)
    found = states(strength, WINDOW, quiet, turn=0.1)
    told = episodes(found, strength + b, b, WINDOW, untested(len(strength)))
    shifted = []
    for episode in told:
        rows = {name: getattr(episode, name) for name in episode._fields if name.endswith("_on")}
        rows = {name: row if row is None else row - START for name, row in rows.items()}
        shifted.append(episode._replace(**rows))
    return shifted


def test_an_episode_by_hand() -> None:
    """The mean at the onset is 5.25: of 24.75 on the way back from 30, 15 at the close is made."""
    tail = [20.0, 30.0, 29.0, 25.0, 27.0, 15.0, 8.0, 9.0, 9.0, 9.0]
    follower = [0.0, 1.0, 1.0, 1.0, 1.0, 17.0, 0.0, 0.0, 0.0, 0.0]
    (found,) = after_swings(tail, [2.0, 3.0, 2.0] + [0.0] * 7, follower)
    assert found[:6] == (0, 1, 3, 5, "catch-up", 0)
    assert found.gap_at_turn == pytest.approx(25.0 - 5.25)
    assert found.closed_share == pytest.approx(15.0 / 24.75)
    assert found.forward_5 == pytest.approx(27.0 - 9.0)
    assert math.isnan(found.forward_20)
    assert math.isnan(found.forward_60)
    assert not found.backtested


def test_what_comes_after_the_close_is_no_part_of_an_episode() -> None:
    """Neither a new maximum while the z-score is still high, nor a way all back."""
    tail = [30.0, 28.0, 9.0, 31.0, -50.0, -50.0]
    (found,) = after_swings(tail, [2.0, 2.0, 2.0, 2.0, 2.0, 0.0], [0.0] * 6)
    assert (found.peak_on, found.turn_on, found.closed_on) == (0, 1, 2)
    assert found.closed_share == pytest.approx(21.0 / (30.0 - 7.75))


def test_a_lead_given_back_without_a_turn_ends_where_it_is_neutral() -> None:
    """A turn takes twenty rows' deviation, the mean is reached first, on the row at 2."""
    tail = [1.0, 0.0, 2.0, 5.0, 3.0, 2.01, 1.9, 1.9]
    strength = np.array(SWINGS + tail)
    z = np.array([math.nan] * START + [0.0] * 3 + [2.0] * 3 + [0.0] * 2)
    told = episodes(
        states(strength, WINDOW, z), strength, 0 * strength, WINDOW, untested(len(strength))
    )
    (found,) = told
    assert found[:6] == (START + 3, START + 3, None, None, "leader fall", 0)
    assert found.closed_share == pytest.approx(3.1 / 3.0)
    assert np.isnan([found.gap_at_turn, found.forward_5]).all()


def test_the_last_turn_counts_and_those_before_it_failed() -> None:
    tail = [20.0, 18.0, 25.0, 21.0, 26.0, 22.0, 5.0, 5.0]
    (found,) = after_swings(tail, [2.0] * 8, [0.0] * 8)
    assert (found.turn_on, found.closed_on, found.failed_turns) == (5, 6, 2)
    assert found.peak_on == 4


def test_a_last_turn_that_failed_lies_before_the_peak() -> None:
    (found,) = after_swings([20.0, 18.0, 25.0], [2.0] * 3, [0.0] * 3)
    assert (found.peak_on, found.turn_on, found.closed_on) == (2, 1, None)
    assert (found.kind, found.failed_turns, found.closed_share) == ("", 1, 0.0)


def test_a_peak_at_the_mean_leaves_no_way_to_close() -> None:
    """Which takes a threshold of zero."""
    strength = np.array([*SWINGS, 5.0, 5.0, 5.0, 5.0])
    z = np.array([math.nan] * (START + 3) + [0.0])
    found = states(strength, WINDOW, z, enter=0.0)
    (told,) = episodes(found, strength, 0 * strength, WINDOW, untested(len(strength)))
    assert math.isnan(told.closed_share)


def test_there_may_be_no_episode() -> None:
    assert after_swings([0.0, 1.0], [math.nan] * 2, [0.0] * 2) == []


@pytest.mark.parametrize("window", [4, 60, 61])
def test_an_episode_is_marked_by_the_first_level_its_windows_rest_on(window: int) -> None:
    """That of the z-score, and at least that of a turn: 60 changes up to the row after it."""
    strength = np.array([*SWINGS, 0.0, 1.0, 20.0, 18.0])
    z = np.full(len(strength), math.nan)
    z[-2:] = 2.0
    onset = len(strength) - 2
    found = states(strength, window, z)
    for last, mark in ((onset - max(window, 60), False), (onset - max(window, 60) + 1, True)):
        tested = np.arange(len(strength)) <= last
        (told,) = episodes(found, strength, 0 * strength, window, tested)
        assert told.backtested is mark


@given(PAIRS, st.integers(10, 60), RULES)
def test_every_episode_is_that_of_the_oracle(
    lines: list[Vector], window: int, rule: dict[str, float]
) -> None:
    x = reference.inputs(lines[0].tolist(), lines[1].tolist(), window)._replace(**rule)
    _, expected = reference.walk(x)
    a, b = np.log(lines[0]), np.log(lines[1])
    found = episodes(states(a - b, window, **rule), a, b, window, untested(len(a)))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one[:6] == (*other[:4], other.kind or "", other.failed_turns)
        numbers = [math.nan if v is None else v for v in (*other[6:8], *other.forward)]
        np.testing.assert_allclose(one[6:11], numbers, rtol=1e-7, atol=1e-9)


def test_the_drawn_walks_have_episodes_of_all_sorts() -> None:
    """What is compared with the oracle above is worth comparing."""
    seen: Counter[str] = Counter()
    for seed in range(40):
        a, b = np.log(walk(seed, 240)), np.log(walk(seed + 100, 240))
        for found in episodes(states(a - b, 30, turn=0.5), a, b, 30, untested(240)):
            seen["turned"] += found.turn_on is not None
            seen["never turned"] += found.turn_on is None
            seen["closed"] += found.closed_on is not None
            seen["failed"] += found.failed_turns > 0
            seen["failed at last"] += found.turn_on is not None and found.turn_on < found.peak_on
            seen["far ahead"] += not math.isnan(found.forward_60)
            seen[found.kind] += 1
    assert min(seen.values()) > 0
    assert {"catch-up", "leader fall", "both falling", "failed at last"} <= set(seen)


@settings(max_examples=40)
@given(PAIRS, st.integers(10, 60), RULES, st.integers(1, 240))
def test_an_episode_that_is_over_never_changes(
    lines: list[Vector], window: int, rule: dict[str, float], cut: int
) -> None:
    """But for forward returns that are not over; the last one may still go on."""
    a, b = np.log(lines[0]), np.log(lines[1])
    whole = episodes(states(a - b, window, **rule), a, b, window, untested(240))
    part = episodes(states((a - b)[:cut], window, **rule), a[:cut], b[:cut], window, untested(cut))
    assert [e.stretched_on for e in part] == [e.stretched_on for e in whole if e.stretched_on < cut]
    for told, later in zip(part, whole, strict=False):
        if told.closed_on is not None or told is not part[-1]:
            assert told[:6] == later[:6]
            assert told.closed_share == later.closed_share
        for horizon in ("forward_5", "forward_20", "forward_60"):
            value = getattr(told, horizon)
            assert (
                math.isnan(value)
                or told.turn_on != later.turn_on
                or value == getattr(later, horizon)
            )


# --- what is inferred -------------------------------------------------------------------------


def episode(onset: int, forward: float = math.nan, **keys: Any) -> Episode:
    ahead = (forward, forward, forward)
    plain = Episode(onset, onset, onset + 1, None, "catch-up", 1, 0.1, 0.5, *ahead, False)
    return plain._replace(**keys)


def test_under_ten_cases_nothing_is_inferred() -> None:
    found = evaluate([episode(t, 0.1) for t in range(9)], untested(9)).since_selection
    assert len(found.cases) == found.turned == found.failed_turns == 9
    assert found.closed == 0
    for forward in found.forward.values():
        assert forward.turns == 9
        assert np.isnan(forward[1:]).all()


def test_ten_cases_have_a_mean_and_a_test() -> None:
    """Nine of ten rose. The eleventh is not far enough back, and no case of that horizon."""
    values = [0.1] * 9 + [-0.2, math.nan]
    cases = [episode(t, v, closed_on=9, forward_60=math.nan) for t, v in enumerate(values)]
    found = evaluate(cases, untested(11)).since_selection
    assert list(found.forward[5]) == [10, pytest.approx(0.07), 0.9, 0.021484375]
    assert found.forward[20] == found.forward[5]
    assert found.forward[60].turns == 0
    assert math.isnan(found.forward[60].mean)
    assert found.closed == 11


def test_episodes_before_the_selection_stand_apart_by_their_onset() -> None:
    """Whatever the windows of the onset rest on."""
    cases = [episode(2), episode(5, backtested=True), episode(7)]
    found = evaluate(cases, np.arange(9) < 5)
    assert found.before_selection.cases == (cases[0],)
    assert found.since_selection.cases == (cases[1], cases[2])


def test_no_episode_is_no_case() -> None:
    for summary in evaluate([], untested(3)):
        assert summary.cases == ()
        assert [forward.turns for forward in summary.forward.values()] == [0, 0, 0]


@given(PAIRS, st.integers(10, 40), st.integers(0, 240))
def test_hits_are_those_of_the_oracle(lines: list[Vector], window: int, selected: int) -> None:
    x = reference.inputs(lines[0].tolist(), lines[1].tolist(), window)
    _, expected = reference.walk(x._replace(enter=0.3, turn=0.1))
    a, b = np.log(lines[0]), np.log(lines[1])
    rule = {"enter": 0.3, "turn": 0.1}
    found = episodes(states(a - b, window, **rule), a, b, window, untested(240))
    on = [np.datetime64(t, "D").item() for t in range(240)]
    apart = signal_episodes.apart(expected, on, np.datetime64(selected, "D").item())
    for told, cases in zip(evaluate(found, np.arange(240) < selected), apart, strict=True):
        assert len(told.cases) == len(cases)
        for n, forward in enumerate(told.forward.values()):
            hits = signal_episodes.hits(cases, n)
            assert forward.turns == hits.cases
            assert math.isnan(forward.positive) is not hits.inferred
            if hits.inferred:
                assert forward.positive == hits.hits / hits.cases


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_sign_test_is_that_of_scipy(positive: int, negative: int) -> None:
    assume(positive + negative)
    expected = stats.binomtest(positive, positive + negative).pvalue
    assert sign_test(positive, negative) == pytest.approx(expected, rel=1e-9)


def test_no_sign_is_no_test() -> None:
    assert math.isnan(sign_test(0, 0))
    assert sign_test(0, 2000) == 0.5**1999


# --- a sweep's returns ------------------------------------------------------------------------


def test_returns_beyond_all_numbers_are_told_nothing_of() -> None:
    """Both lines rise by more than a double holds, out of position and in it."""
    line = np.array([0.0, 800.0, 1600.0])
    rows = np.zeros(3, dtype=np.int64)
    found = States(["neutral", "catching_up", "neutral"], *[rows] * 4)
    assert np.isnan(state_returns(found, line, line, 0.0)).all()


def test_state_returns_by_hand() -> None:
    """The position of a row is the state of the row before; going in and out costs 20 bps each."""
    names: Any = ["stretched", "catching_up", "catching_up", "closed", "neutral"]
    rows = np.zeros(5, dtype=np.int64)
    found = States(names, rows, rows, rows, rows)
    leader = np.log([100.0, 110.0, 99.0, 99.0, 200.0])
    follower = np.log([50.0, 60.0, 63.0, 69.3, 10.0])
    told = state_returns(found, leader, follower, 20.0)
    assert told == pytest.approx([0.0, 0.05 + 0.1 - 0.002, 0.1, -0.002], abs=1e-12)
    empty = state_returns(States([], *[rows[:0]] * 4), leader[:0], follower[:0], 20.0)
    assert len(empty) == 0


@given(PAIRS, st.integers(10, 40), st.floats(0, 100), st.integers(1, 240))
def test_state_returns_are_those_of_the_oracle_and_never_look_ahead(
    lines: list[Vector], window: int, cost: float, cut: int
) -> None:
    a, b = np.log(lines[0]), np.log(lines[1])
    found = states(a - b, window, enter=0.5, turn=0.2)
    told = state_returns(found, a, b, cost)
    expected = reference.state_returns(found.state, lines[0].tolist(), lines[1].tolist(), cost)
    np.testing.assert_allclose(told, expected[1:], rtol=1e-9, atol=1e-12)
    part = States(found.state[:cut], *(rows[:cut] for rows in found[1:]))
    np.testing.assert_array_equal(state_returns(part, a[:cut], b[:cut], cost), told[: cut - 1])


@given(st.integers(0, 2**32), st.integers(2, 300))
def test_moments_are_those_of_scipy_and_the_oracle(seed: int, count: int) -> None:
    returns = np.random.default_rng(seed).standard_t(4, count) / 50
    found = return_moments(returns)
    assert found.length == count
    assert found.sharpe == pytest.approx(signal_episodes.sharpe(returns.tolist()), rel=1e-9)
    assert found.skew == pytest.approx(stats.skew(returns), rel=1e-7, abs=1e-9)
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False), rel=1e-7)


@pytest.mark.parametrize("returns", [[], [0.1], [0.0] * 9, [0.1] * 9])
def test_returns_that_do_not_vary_have_no_ratio(returns: list[float]) -> None:
    found = return_moments(np.array(returns))
    assert found.length == len(returns)
    assert np.isnan([found.sharpe, found.skew, found.kurtosis]).all()
    assert math.isnan(deflated_sharpe(*found, 0.1, 3))


def test_the_worked_example_of_the_deflated_ratio() -> None:
    """Bailey and López de Prado (2014): 2.5 a year, and variance 0.5 a year, of 250 sessions."""
    found = deflated_sharpe(2.5 / math.sqrt(250), 1250, -3.0, 10.0, 0.5 / 250, 100)
    assert found == pytest.approx(0.900397, abs=5e-7)


@given(
    st.floats(-0.3, 0.3),
    st.integers(2, 2000),
    st.floats(-2, 2),
    st.floats(0, 10),
    st.floats(0, 0.05),
    st.integers(2, 500),
)
def test_the_deflated_ratio_is_that_of_the_oracle(
    sharpe: float, length: int, skew: float, more: float, variance: float, trials: int
) -> None:
    kurtosis = 1 + skew**2 + more  # no distribution has less
    found = deflated_sharpe(sharpe, length, skew, kurtosis, variance, trials)
    expected = reference.deflated_sharpe(sharpe, length, skew, kurtosis, variance, trials)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert deflated_sharpe(sharpe, length, skew, kurtosis, variance, trials + 50) <= found


def test_a_single_trial_is_deflated_by_nothing() -> None:
    """Its ratio of 0.1 over 101 normal returns is one standard error, but for the ratio's own."""
    found = deflated_sharpe(0.1, 101, 0.0, 3.0, 0.7, 1)
    assert found == pytest.approx(stats.norm.cdf(1 / math.sqrt(1 + 0.01 / 2)), rel=1e-12)


def test_moments_that_leave_no_error_have_no_answer() -> None:
    assert math.isnan(deflated_sharpe(1.0, 100, 3.0, 2.0, 0.1, 5))
