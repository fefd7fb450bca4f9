"""What chance does, path by path: each built, scored and followed by itself."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.kernels.bootstrap import stationary_rows
from indexer.kernels.catchup import fall_of_turn, path_states, state_rates
from tests.reference.study import deviation, mean


def rates(changes, drawn, window, rule):
    """Return shares of the four states and the episodes of each path, from lists of numbers."""
    enter, turn, close = rule
    moved = (changes - changes.mean())[drawn.row]
    shares, episodes = [], []
    for own in moved:
        path = np.concatenate([[0.0], np.cumsum(own)])
        z, centre = np.full(len(path), np.nan), np.full(len(path), np.nan)
        for t in range(window - 1, len(path)):
            part = path[t + 1 - window : t + 1].tolist()
            centre[t] = mean(part)
            spread = deviation(part, 1) if window > 1 else None
            z[t] = (path[t] - centre[t]) / spread if spread else np.nan
        told = path_states(path, z, centre, fall_of_turn(path, turn), enter, close)
        shares.append([(told[0] == n).mean() for n in range(4)])
        episodes.append((told[3] == np.arange(len(path))).sum())
    return np.array(shares), np.array(episodes)


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 5, 20, 90]))
def test_rates_are_those_of_each_path_followed_by_itself(seed, window):
    rng = np.random.default_rng(seed)
    changes, rule = rng.standard_normal(150), (0.5, 0.3, 0.5)
    drawn = stationary_rows(len(changes), 4.0, 3, rng)
    share, episodes = state_rates(changes, drawn, window, rule)
    expected, counted = rates(changes, drawn, window, rule)

    np.testing.assert_allclose(share, expected, rtol=1e-12)
    assert episodes.tolist() == counted.tolist()


def test_all_four_states_are_visited_by_some_path():
    """Else the rates above would compare nothing."""
    rng = np.random.default_rng(1)
    changes = rng.standard_normal(150)
    share, episodes = state_rates(changes, stationary_rows(150, 4.0, 20, rng), 20, (0.5, 0.3, 0.5))
    assert (share.max(axis=0) > 0).all()
    assert share.sum(axis=1).tolist() == pytest.approx([1.0] * 20)
    assert episodes.max() > 1


@pytest.mark.parametrize("kind", [list, pd.Series, np.ma.MaskedArray])
def test_a_path_may_be_any_row_of_numbers(kind):
    path = np.random.default_rng(1).standard_normal(90).cumsum()
    fall = fall_of_turn(path, 0.3)
    expected = path_states(path, path, path, fall, 0.5, 0.5)
    np.testing.assert_array_equal(fall_of_turn(kind(path), 0.3), fall)
    np.testing.assert_array_equal(
        path_states(*map(kind, (path, path, path, fall)), 0.5, 0.5), expected
    )


def test_what_a_mask_hides_keeps_the_state():
    path = np.array([0.0, 5.0, 0.0])
    z = np.ma.MaskedArray([0.0, 9.0, 0.0], [False, True, False])
    assert path_states(path, z, path, path, 1.0, 0.5)[0].tolist() == [0, 0, 0]


def test_a_path_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected strength .*\(90, 2\)"):
        fall_of_turn(np.ones((90, 2)), 0.3)
    with pytest.raises(ValueError, match=r"strength, z, mean, fall of one length.*\(2,\)"):
        path_states(np.ones(3), np.ones(3), np.ones(3), np.ones(2), 1.0, 0.5)


def test_a_rule_of_other_than_three_numbers_is_refused():
    changes = np.arange(9.0)
    drawn = stationary_rows(9, 2.0, 1, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"enter, turn and close, got \(1, 1\)"):
        state_rates(changes, drawn, 2, (1, 1))


def test_a_rule_may_be_of_whole_numbers():
    changes = np.arange(9.0)
    drawn = stationary_rows(9, 2.0, 1, np.random.default_rng(1))
    found = state_rates(changes, drawn, 2, [1, 1, 1])[0]
    np.testing.assert_array_equal(found, state_rates(changes, drawn, 2, (1.0, 1.0, 1.0))[0])
