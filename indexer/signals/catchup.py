"""Catch-up states of a pair: when the leader's lead is stretched, turns, and closes again."""

from typing import Any, Literal, NamedTuple

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.kernels.bootstrap import stationary_rows
from indexer.kernels.catchup import fall_of_turn, path_states, state_rates
from indexer.kernels.moments import window_moments

State = Literal["neutral", "stretched", "catching_up", "closed"]
Kind = Literal["", "catch-up", "leader fall", "both falling"]

STATES: tuple[State, ...] = ("neutral", "stretched", "catching_up", "closed")
PATHS = 1000


class States(NamedTuple):
    """The state of a pair on each of R rows.

    Attributes
    ----------
    state : (R,) names
    since : (R,) row on which the present state was entered
    peak : (R,) row of the highest log relative strength since onset; -1 while neutral
    onset : (R,) row of the episode's onset; -1 while neutral
    failed_turns : (R,) turns since onset that a new maximum undid
    """

    state: list[State]
    since: Rows
    peak: Rows
    onset: Rows
    failed_turns: Rows


def catch_up_states(
    strength: Vector, z: Vector, window: int, *, enter: float, turn: float, close: float
) -> States:
    """Return the catch-up state of each row; at most one transition a row.

    Parameters
    ----------
    strength : (R,) log relative strength of leader over follower
    z : (R,) its z-score over ``window`` rows; NaN keeps the state
    enter : z-score from which the lead is stretched, and below which a closed episode ends
    turn : fall from the peak that makes a turn, in deviations of twenty rows' change
    close : share of the way from the peak back to the mean at onset that closes the episode

    Raises
    ------
    ValueError
        If one is not (R,), the lengths differ, or window is below 1.

    Notes
    -----
    neutral to stretched at ``z >= enter``, freezing the window's mean. Stretched to catching_up
    when the fall from the peak reaches ``turn * s * sqrt(20)``, with ``s`` the sample deviation
    of the last 60 changes; back to neutral when the frozen mean is reached first. Catching_up to
    stretched on a new maximum (a failed turn), to closed when the share ``close`` of the way is
    made. Closed to neutral when ``z < enter``.
    """
    mean, _ = window_moments(strength, window)
    fall = fall_of_turn(strength, turn)
    state, since, peak, onset, failed = path_states(strength, z, mean, fall, enter, close)
    return States([STATES[n] for n in state], since, peak, onset, failed)


class ChanceRates(NamedTuple):
    """What the states do on driftless paths: means over the paths, and 5 and 95 per cent.

    Attributes
    ----------
    share : share of rows by state, three numbers each
    episodes : onsets per thousand rows, three numbers
    """

    share: dict[State, tuple[float, float, float]]
    episodes: tuple[float, float, float]

    @property
    def told(self) -> dict[str, Any]:
        """The rates by name, each with mean, low and high."""
        names = ("mean", "low", "high")
        return {
            "share": {k: dict(zip(names, v, strict=True)) for k, v in self.share.items()},
            "episodes_per_1000_rows": dict(zip(names, self.episodes, strict=True)),
        }


def chance_rates(
    strength: Vector,
    window: int,
    rule: tuple[float, float, float],
    *,
    block: float,
    rng: np.random.Generator,
) -> ChanceRates:
    """Return how often chance alone visits the states.

    Parameters
    ----------
    strength : (R,) log relative strength, at least two rows
    window : rows of the z-score
    rule : enter, turn and close
    block : mean length of a block of changes, at least one

    Raises
    ------
    ValueError
        If window or block is below 1, there are fewer than two rows, or the rule is not three
        numbers.

    Notes
    -----
    A thousand paths as long as the one given, of its changes less their mean in blocks drawn by
    the stationary bootstrap: what is left of volatility and its clustering, without a trend to
    catch up.
    """
    changes = np.diff(strength)
    drawn = stationary_rows(len(changes), block, PATHS, rng)
    share, episodes = state_rates(changes, drawn, window, rule)
    rates = 1000.0 * episodes / len(strength)
    return ChanceRates(
        {name: _mean_and_band(share[:, n]) for n, name in enumerate(STATES)},
        _mean_and_band(rates),
    )


def _mean_and_band(values: Vector) -> tuple[float, float, float]:
    low, high = np.quantile(values, [0.05, 0.95])
    return float(values.mean()), float(low), float(high)


def kind_of(move_leader: float, move_follower: float) -> Kind:
    """Return how the gap is closing since the peak, from the log moves of both since then.

    Examples
    --------
    >>> kind_of(-0.02, 0.05), kind_of(-0.05, 0.02), kind_of(-0.05, -0.02)
    ('catch-up', 'leader fall', 'both falling')
    """
    if move_leader < 0 and move_follower < 0:
        return "both falling"
    if move_follower > 0 and move_follower >= -move_leader:
        return "catch-up"
    return "leader fall"
