"""Hand-made walks of the catch-up state machine, its episodes and their evaluation."""

import math

import pytest

from tests.reference.catchup import (
    Inputs,
    carry,
    closed_share,
    deflated_sharpe,
    expected_maximum_sharpe,
    forward,
    inputs,
    kind_of_move,
    state_returns,
    walk,
)
from tests.reference.study import Column, mean
from tests.reference.test_study import may

# With this deviation a turn takes a fall of exactly 2 from the peak (2 = 1 * s * sqrt 20, up to
# rounding on the harmless side).
S = 2 / math.sqrt(20) * (1 - 1e-15)


def made(log_rs: list[float], z: Column, s: Column | None = None, mu: float = 0.0) -> Inputs:
    n = len(log_rs)
    flat = [0.0] * n
    return Inputs(log_rs, log_rs, flat, z, [mu] * n, [S] * n if s is None else s)


def states(x: Inputs) -> str:
    letters = {"neutral": "N", "stretched": "S", "catching_up": "C", "closed": "X"}
    return "".join(letters[row.state] for row in walk(x)[0])


def test_every_transition_of_a_full_cycle() -> None:
    x = made([0, 6, 10, 9, 8, 6, 5, 5, 5], [0.5, 1.0, 3, 2, 2, 2, 2, 1.0, 0.99])
    assert states(x) == "NSSSCCXXN"
    found, (episode,) = walk(x)
    assert [row.since for row in found] == [0, 1, 1, 1, 4, 4, 6, 6, 8]
    assert [row.peak for row in found] == [None, 1, 2, 2, 2, 2, 2, 2, None]
    assert episode[:6] == (1, 2, 4, 6, "leader fall", 0)
    assert (episode.gap_at_turn, episode.closed_share) == (8.0, 0.5)


def test_a_new_maximum_while_catching_up_is_a_failed_turn() -> None:
    x = made([0, 6, 10, 8, 10, 11, 9, 5], [0, 2, 2, 2, 2, 2, 2, 2])
    assert states(x) == "NSSCCSCX"
    found, (episode,) = walk(x)
    assert (found[4].peak, found[5].peak, found[5].since) == (2, 5, 5)
    assert (episode.peak, episode.turn, episode.closed, episode.failed_turns) == (5, 6, 7, 1)
    assert episode.closed_share == pytest.approx(6 / 11)


def test_a_new_maximum_while_stretched_moves_the_peak_that_a_turn_counts_from() -> None:
    assert states(made([0, 6, 7.9, 6, 5.9], [0, 2, 2, 2, 2])) == "NSSSC"


def test_stretched_ends_at_the_mean_frozen_at_the_onset() -> None:
    n = 5
    x = Inputs(
        [0, 1.5, 1.0, 0.6, 0.5],
        [0.0] * n,
        [0.0] * n,
        [0, 2, 2, -3, -3],
        [0, 0.5, 9, 9, 9],
        [S] * n,
    )
    assert states(x) == "NSSSN"
    (episode,) = walk(x)[1]
    assert (episode.turn, episode.closed, episode.gap_at_turn) == (None, None, None)
    assert episode.closed_share == 1.0
    assert episode.forward == (None, None, None)


def test_the_turn_comes_before_the_return_to_the_mean_and_closing_takes_another_row() -> None:
    assert states(made([0, 6, -1, -1, -1, -1], [0, 2, -4, -4, -4, -4])) == "NSCXNN"


def test_a_stretch_begins_again_only_on_the_row_after_neutral() -> None:
    x = made([0, 6, 3, 2, 2, 6], [0, 2, 2, 2, 0.5, 3])
    assert states(x) == "NSCXNS"
    assert [(e.stretched, e.closed) for e in walk(x)[1]] == [(1, 3), (5, None)]


def test_closed_stays_while_z_is_high_and_reports_the_maximum_since_onset() -> None:
    x = made([0, 6, 4, 3, 7, 5], [0, 2, 2, 2, 4, 2])
    assert states(x) == "NSCXXX"
    found, (episode,) = walk(x)
    assert [row.peak for row in found[3:]] == [1, 4, 4]
    assert (episode.peak, episode.closed) == (1, 3)


@pytest.mark.parametrize(
    ("log_rs", "z", "s", "expected"),
    [
        ([0, 6, 6, 6], [None, None, 2, 2], [S] * 4, "NNSS"),
        ([0, 6, 3, 3], [0, 2, 2, 2], [S, S, None, S], "NSSC"),
        ([0, 6, -1, -1], [0, 2, 2, 2], [S, S, None, S], "NSSC"),
        ([0, 6, 4, 3], [0, 2, None, None], [S, S, S, None], "NSCX"),
        ([0, 6, 4, 3, 3, 3], [0, 2, 2, 2, None, 0], [S] * 6, "NSCXXN"),
    ],
    ids=["z in neutral", "s before a turn", "s below the mean", "unread", "z in closed"],
)
def test_null_inputs_keep_the_state(
    log_rs: list[float], z: Column, s: Column, expected: str
) -> None:
    assert states(made(log_rs, z, s)) == expected


def test_thresholds_are_reached_by_equality() -> None:
    x = made([0, 4, 3, 2, 2], [0.99, 1.0, 1.0, 1.0, 1.0], [1 / math.sqrt(20) * (1 - 1e-15)] * 5)
    assert states(x) == "NSCXX"
    assert states(x._replace(enter=1.01)) == "NNNNN"
    assert states(x._replace(turn=1.01)) == "NSSCX"
    assert states(made([0, 6, 6], [0, 2, 2])._replace(turn=0.0)) == "NSC"
    assert states(x._replace(close=0.51)) == "NSCCC"


def test_a_tie_with_the_maximum_is_neither_a_new_peak_nor_a_failed_turn() -> None:
    x = made([0, 6, 6, 4, 6, 4], [0, 2, 2, 2, 2, 2])
    assert states(x) == "NSSCCC"
    assert [row.peak for row in walk(x)[0][1:]] == [1] * 5


def test_moves_and_kind_are_counted_from_the_peak() -> None:
    leader, follower = [1.0, 7.0, 6.0, 7.5, 5.0], [1.0, 1.5, 1.0, 3.0, -0.5]
    log_rs = [a - b for a, b in zip(leader, follower, strict=True)]
    x = Inputs(log_rs, leader, follower, [0, 2, 2, 2, 2], [0.0] * 5, [S] * 5)
    found, (episode,) = walk(x)
    assert found[0][2:] == (None, None, None, None)
    assert found[1][2:] == (1, 0.0, 0.0, None)
    assert found[2][2:] == (1, -1.0, -0.5, "both falling")
    assert found[3][2:] == (1, 0.5, 1.5, "catch-up")
    assert found[4][2:] == (1, -2.0, -2.0, "both falling")
    assert episode.kind == "both falling"


@pytest.mark.parametrize(
    ("move_leader", "move_follower", "kind"),
    [
        (-1.0, -0.1, "both falling"),
        (-1.0, 0.0, "leader fall"),
        (-1.0, 0.9, "leader fall"),
        (-1.0, 1.0, "catch-up"),
        (0.0, 0.1, "catch-up"),
        (0.5, 0.6, "catch-up"),
        (0.0, -0.1, "leader fall"),
        (0.5, 0.0, "leader fall"),
    ],
)
def test_kind_of_move(move_leader: float, move_follower: float, kind: str) -> None:
    assert kind_of_move(move_leader, move_follower) == kind


def test_an_episode_still_open_ends_on_the_last_row() -> None:
    x = made([0, 6, 10, 8, 7], [0, 2, 2, 2, 2])
    (episode,) = walk(x)[1]
    assert episode[:6] == (1, 2, 3, None, "leader fall", 0)
    assert episode.closed_share == pytest.approx(0.3)


def test_an_episode_counts_its_gap_from_the_frozen_mean_and_looks_ahead_of_its_turn() -> None:
    x = made([1, 7, 5, *(5 - 0.01 * k for k in range(1, 63))], [0.0, *[2.0] * 64], mu=1.0)
    (episode,) = walk(x)[1]
    assert (episode.turn, episode.gap_at_turn) == (2, 4.0)
    assert episode.forward == pytest.approx((0.05, 0.2, 0.6))


def test_an_onset_on_the_mean_itself_has_no_share_to_close() -> None:
    assert closed_share([1.0, 1.0], 0, 1, 1.0) is None
    x = made([0, -2, -2, -2], [0, 0, 0, 0])._replace(enter=0.0)
    assert states(x) == "SCCC"


def test_forward_return_runs_from_the_row_after_the_turn() -> None:
    log_rs = [0.0, 0.1, 0.4, 0.3, 0.7, 0.6, 0.9, 0.2]
    assert forward(log_rs, 1, 5) == pytest.approx(0.4 - 0.2)
    assert forward(log_rs, 2, 5) is None
    assert forward(log_rs, None, 5) is None


def test_inputs_need_a_full_window_and_sixty_changes() -> None:
    leader = [100 * math.exp(0.001 * (k * k % 17)) for k in range(62)]
    x = inputs(leader, [50.0] * 62, 10)
    assert [k for k, value in enumerate(x.z) if value is None] == list(range(9))
    assert [k for k, value in enumerate(x.s) if value is None] == list(range(60))
    wave = [0.001 * (k * k % 17) for k in range(10)]
    assert x.mean[9] == pytest.approx(math.log(100) + mean(wave))
    steps = [0.001 * ((k * k % 17) - ((k - 1) ** 2 % 17)) for k in range(2, 62)]
    assert x.s[61] == pytest.approx(math.sqrt(sum((v - mean(steps)) ** 2 for v in steps) / 59))


def test_sessions_that_are_no_rows_carry_the_state() -> None:
    found, _ = walk(made([0, 6], [0, 2]))
    carried = carry(may(6, 7, 8, 9), may(7, 9), found)
    assert carried == [None, found[0], found[0], found[1]]


def test_the_position_is_held_from_the_next_row_and_pays_once_a_change() -> None:
    names = ["stretched", "catching_up", "catching_up", "closed", "closed"]
    found = state_returns(names, [100, 101, 100, 99, 98], [50, 50, 51, 50, 49], 20)
    assert found == [
        None,
        0.0,
        pytest.approx(51 / 50 - 100 / 101 - 0.002),
        pytest.approx(50 / 51 - 99 / 100),
        -0.002,
    ]


def test_deflated_sharpe_of_the_worked_example() -> None:
    value = deflated_sharpe(2.5 / math.sqrt(250), 1250, -3.0, 10.0, 0.5 / 250, 100)
    assert value == pytest.approx(0.900397, abs=5e-7)
    assert expected_maximum_sharpe(0.5 / 250, 100) == pytest.approx(0.1132, abs=5e-5)
