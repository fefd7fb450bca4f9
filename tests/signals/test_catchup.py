"""Catch-up states: a walk by hand through every transition, the oracle, and what keeps a state."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.arrays import Vector
from indexer.kernels.bootstrap import stationary_rows
from indexer.kernels.catchup import TURN_SPAN, TURN_WINDOW, state_rates
from indexer.signals.catchup import State, States, catch_up_states, chance_rates, kind_of
from indexer.signals.strength import zscore
from tests.reference import catchup as reference
from tests.signals.example import walk, walks

LETTERS: dict[State, str] = {"neutral": "N", "stretched": "S", "catching_up": "C", "closed": "X"}
# Sixty-one rows that swing by one: from the last of them on there is a deviation of changes.
SWINGS = [float(t % 2) for t in range(TURN_WINDOW + 1)]
WINDOW = 4


def states(strength: Vector, z: Vector, window: int = WINDOW, **rule: float) -> States:
    return catch_up_states(strength, z, window, **{"enter": 1.0, "turn": 1.0, "close": 0.5} | rule)


def after_swings(tail: list[float], z: list[float], **rule: float) -> tuple[str, States]:
    """Return the states after the swings, a letter a row, and all of them.

    A turn takes a tenth of the twenty rows' deviation: 1 to 3 after jumps of 20 to 40.
    """
    quiet = [np.nan] * len(SWINGS)
    found = states(np.array(SWINGS + tail), np.array(quiet + z), **{"turn": 0.1} | rule)
    return "".join(LETTERS[state] for state in found.state[len(SWINGS) :]), found


def rows(found: Any) -> list[int]:
    """Return rows counted from the end of the swings; negative where there is none."""
    return [int(row) - len(SWINGS) if row >= 0 else -1 for row in found[len(SWINGS) :]]


def test_every_transition_of_a_full_cycle() -> None:
    """The mean at the onset is 5.25: of the way from 30 to it, 15 is more than half, 27 is not."""
    tail = [20.0, 30.0, 29.0, 25.0, 27.0, 15.0, 15.0, 15.0, 15.0]
    told, found = after_swings(tail, [2.0, 3.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.99, 0.0])
    assert told == "SSSCCXXNN"
    assert rows(found.since) == [0, 0, 0, 3, 3, 5, 5, 7, 7]
    assert rows(found.peak) == [0, 1, 1, 1, 1, 1, 1, -1, -1]
    assert rows(found.onset) == [0, 0, 0, 0, 0, 0, 0, -1, -1]
    assert not found.failed_turns.any()


def test_before_there_is_a_zscore_all_rows_are_neutral_since_the_first() -> None:
    found = states(np.array(SWINGS), np.full(len(SWINGS), np.nan))
    assert set(found.state) == {"neutral"}
    assert not found.since.any()
    assert set(found.peak) == set(found.onset) == {-1}


def test_a_turn_takes_the_deviation_of_the_last_sixty_changes_over_twenty_rows() -> None:
    strength = np.array([*SWINGS, 40.0, 20.0])
    needed = np.std(np.diff(strength)[-TURN_WINDOW:], ddof=1) * math.sqrt(TURN_SPAN)
    z = np.array([np.nan] * len(SWINGS) + [2.0, 2.0])
    turn = 20.0 / needed
    assert states(strength, z, turn=turn * (1 - 1e-12)).state[-1] == "catching_up"
    assert states(strength, z, turn=turn * (1 + 1e-12)).state[-1] == "stretched"


def test_thresholds_are_reached_by_equality() -> None:
    """The z-score, then the fall from the peak (a turn that takes none is made at once)."""
    below = np.nextafter(1.0, 0.0)
    told, _ = after_swings([20.0, 20.0, 20.0, 20.0], [below, 1.0, 1.0, 1.0], turn=0.0)
    assert told == "NSCC"


def test_a_lead_given_back_before_a_turn_is_neutral_at_the_mean_of_its_onset() -> None:
    """Of the window 1, 0, 2, 5 at the onset: 2, whatever the mean becomes."""
    tail = [1.0, 0.0, 2.0, 5.0, 3.0, 2.01, 2.0, 2.0]
    told, found = after_swings(tail, [0.0] * 3 + [2.0] * 5, turn=1.0)
    assert told == "NNNSSSNS"
    assert rows(found.since)[3:] == [3, 3, 3, 6, 7]
    assert rows(found.peak)[3:] == [3, 3, 3, -1, 7]


def test_a_new_maximum_undoes_a_turn_and_is_counted() -> None:
    tail = [20.0, 18.0, 19.0, 21.0, 25.0, 20.0, 26.0, 5.0, 5.0, 5.0]
    told, found = after_swings(tail, [2.0] * 9 + [0.0], close=0.999)
    assert told == "SCCSSCSCXN"
    assert rows(found.peak) == [0, 0, 0, 3, 4, 4, 6, 6, 6, -1]
    assert found.failed_turns[-10:].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 0]
    assert rows(found.onset) == [0] * 9 + [-1]


def test_an_equal_maximum_is_no_new_one() -> None:
    told, found = after_swings([20.0, 18.0, 20.0, 20.0], [2.0] * 4, close=0.999)
    assert told == "SCCC"
    assert rows(found.peak) == [0, 0, 0, 0]


def test_a_turn_comes_before_the_mean_and_closing_takes_another_row() -> None:
    """One transition a row: below the mean at once, it still turns, closes, and only then ends."""
    told, _ = after_swings([30.0, -9.0, -9.0, -9.0], [2.0, -4.0, -4.0, -4.0])
    assert told == "SCXN"


@pytest.mark.parametrize(("close", "told"), [(0.5, "SCX"), (0.51, "SCC"), (0.4, "SCX")])
def test_the_share_closed_is_of_the_way_from_the_peak_to_the_frozen_mean(
    close: float, told: str
) -> None:
    """The window at the onset is 0, 1, 0, 39: mean 10; from 39 half the way back is 24.5."""
    tail = [1.0, 0.0, 39.0, 24.5, 24.5]
    assert after_swings(tail, [0.0, 0.0, 2.0, 2.0, 2.0], close=close)[0] == "NN" + told


def test_a_closed_episode_goes_on_reporting_the_maximum_since_its_onset() -> None:
    told, found = after_swings([30.0, 9.0, 9.0, 31.0, 12.0, 12.0, 12.0], [2.0] * 5 + [0.5, 2.0])
    assert told == "SCXXXNS"
    assert rows(found.peak) == [0, 0, 0, 3, 3, -1, 6]
    assert rows(found.onset) == [0, 0, 0, 0, 0, -1, 6]


@pytest.mark.parametrize(
    ("tail", "z", "told"),
    [
        ([20.0, 20.0, 20.0], [np.nan, 2.0, 2.0], "NSS"),
        ([30.0, 9.0, 9.0, 9.0, 9.0], [2.0, np.nan, np.nan, np.nan, 0.0], "SCXXN"),
    ],
    ids=["in neutral", "from closed only"],
)
def test_a_missing_zscore_keeps_the_state(tail: list[float], z: list[float], told: str) -> None:
    assert after_swings(tail, z)[0] == told


@pytest.mark.parametrize("fall", [30.0, 100.0], ids=["a turn", "below the mean"])
def test_without_a_deviation_of_changes_a_lead_stays_stretched(fall: float) -> None:
    """Fifty-nine changes are too few, the sixtieth decides."""
    strength = np.array([*SWINGS[:-3], 50.0, *[50.0 - fall] * 2])
    z = np.full(len(strength), 2.0)
    z[: len(SWINGS) - 3] = np.nan
    found = states(strength, z, turn=0.1).state
    assert found[-3:] == ["stretched", "stretched", "catching_up"]


def test_sixty_equal_changes_make_no_turn() -> None:
    """A pair that stands still at its peak has not turned: there is no deviation to fall by."""
    strength = np.concatenate([SWINGS, np.full(80, 20.0), [19.0, 19.0]])
    z = np.concatenate([np.full(len(SWINGS), np.nan), np.full(82, 2.0)])
    found = states(strength, z, turn=0.1)
    assert found.state[len(SWINGS) :] == ["stretched"] * 80 + ["catching_up"] * 2


@pytest.mark.parametrize(
    ("leader", "follower", "kind"),
    [
        (-0.02, 0.05, "catch-up"),
        (0.03, 0.05, "catch-up"),
        (-0.05, 0.05, "catch-up"),
        (0.0, 0.05, "catch-up"),
        (-0.05, 0.049, "leader fall"),
        (-0.05, 0.0, "leader fall"),
        (0.0, -0.05, "leader fall"),
        (0.01, -0.02, "leader fall"),
        (0.02, 0.0, "leader fall"),
        (-0.05, -0.02, "both falling"),
    ],
)
def test_kinds_follow_the_moves_since_the_peak(leader: float, follower: float, kind: str) -> None:
    assert kind_of(leader, follower) == kind
    assert reference.kind_of_move(leader, follower) == kind


RULES = st.fixed_dictionaries(
    {"enter": st.floats(0.3, 1.6), "turn": st.floats(0.05, 1.1), "close": st.floats(0.1, 1.0)}
)


@given(walks(2, count=240, longest=90), st.integers(10, 60), RULES)
def test_every_row_is_that_of_the_oracle(
    lines: list[Vector], window: int, rule: dict[str, float]
) -> None:
    leader, follower = lines
    strength = np.log(leader) - np.log(follower)
    found = states(strength, zscore(strength, window), window, **rule)
    x = reference.inputs(leader.tolist(), follower.tolist(), window)._replace(**rule)
    expected, episodes = reference.walk(x)
    assert found.state == [row.state for row in expected]
    assert found.since.tolist() == [row.since for row in expected]
    assert found.peak.tolist() == [-1 if row.peak is None else row.peak for row in expected]
    for episode in episodes:
        failures = found.failed_turns[found.onset == episode.stretched]
        assert failures[-1] == episode.failed_turns
    onsets = {episode.stretched for episode in episodes}
    assert set(found.onset[found.onset >= 0].tolist()) == onsets


def test_the_drawn_walks_go_through_every_transition() -> None:
    """What is compared with the oracle above is worth comparing."""
    seen = set()
    for seed in range(20):
        strength = np.log(walk(seed, 240)) - np.log(walk(seed + 100, 240))
        found = states(strength, zscore(strength, 30), 30, turn=0.5).state
        seen |= {LETTERS[one] + LETTERS[two] for one, two in pairwise(found)}
    assert seen == {"NN", "NS", "SS", "SN", "SC", "CC", "CS", "CX", "XX", "XN"}


@settings(max_examples=40)
@given(walks(2, count=240, longest=90), st.integers(10, 60), RULES, st.integers(1, 240))
def test_it_never_looks_ahead(
    lines: list[Vector], window: int, rule: dict[str, float], cut: int
) -> None:
    strength = np.log(lines[0]) - np.log(lines[1])
    z = zscore(strength, window)
    whole, part = (
        states(strength, z, window, **rule),
        states(strength[:cut], z[:cut], window, **rule),
    )
    assert part.state == whole.state[:cut]
    for found, all_of_it in zip(part[1:], whole[1:], strict=True):
        assert np.array_equal(found, all_of_it[:cut])


@pytest.mark.parametrize("length", [0, 10, len(SWINGS) + 1])
def test_a_zscore_of_another_length_is_refused(length: int) -> None:
    """The compiled body would read beside it."""
    with pytest.raises(ValueError, match="of one length"):
        states(np.array(SWINGS), np.zeros(length))


@pytest.mark.parametrize("window", [0, -1])
def test_chance_needs_a_window(window: int) -> None:
    with pytest.raises(ValueError, match="at least 1 row, got"):
        chance_rates(
            np.array(SWINGS), window, (1.0, 1.0, 0.5), block=2.0, rng=np.random.default_rng(1)
        )


def test_chance_of_a_window_longer_than_the_path_is_all_neutral() -> None:
    rng = np.random.default_rng(1)
    found = chance_rates(np.array(SWINGS), 2**70, (1.0, 1.0, 0.5), block=2.0, rng=rng)
    assert found.share["neutral"] == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("length", [5, 12])
def test_changes_that_are_not_those_resampled_are_refused(length: int) -> None:
    drawn = stationary_rows(10, 2.0, 3, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"\(R, n\)"):
        state_rates(np.arange(float(length)), drawn, 3, (1.0, 1.0, 0.5))


@pytest.mark.parametrize("count", [0, 1])
def test_chance_has_no_path_of_less_than_two_rows(count: int) -> None:
    rule, rng = (1.0, 1.0, 1.0), np.random.default_rng(1)
    with pytest.raises(ValueError, match="length=0"):
        chance_rates(np.ones(count), 5, rule, block=2.0, rng=rng)


def test_the_states_of_a_list_are_those_of_an_array() -> None:
    strength = walk(1, 90)
    z, rule = zscore(strength, 20), {"enter": 0.5, "turn": 0.3, "close": 0.5}
    found = catch_up_states(strength.tolist(), z.tolist(), 20, **rule)  # type: ignore[arg-type]
    assert found.state == catch_up_states(strength, z, 20, **rule).state
