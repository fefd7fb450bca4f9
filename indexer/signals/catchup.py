"""Catch-up states of a pair: when the leader's lead is stretched, turns, and closes again."""

from typing import Literal, NamedTuple

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.signals.strength import window_moments

State = Literal["neutral", "stretched", "catching_up", "closed"]
Kind = Literal["", "catch-up", "leader fall", "both falling"]

TURN_WINDOW = 60  # changes whose deviation measures a turn
TURN_SPAN = 20  # rows over which that deviation is scaled


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

    Notes
    -----
    neutral to stretched at ``z >= enter``, freezing the window's mean. Stretched to catching_up
    when the fall from the peak reaches ``turn * s * sqrt(20)``, with ``s`` the sample deviation
    of the last 60 changes; back to neutral when the frozen mean is reached first. Catching_up to
    stretched on a new maximum (a failed turn), to closed when the share ``close`` of the way is
    made. Closed to neutral when ``z < enter``.
    """
    mean, _ = window_moments(strength, window)
    threshold = turn * np.sqrt(TURN_SPAN) * _change_deviation(strength)
    count = len(strength)
    told: list[State] = []
    since, peaks, onsets, failures = (np.full(count, -1) for _ in range(4))
    state: State = "neutral"
    entered, peak, onset, failed, frozen = 0, -1, -1, 0, np.nan
    for t in range(count):
        before = state
        new_maximum = state != "neutral" and strength[t] > strength[peak]
        peak = t if new_maximum else peak
        if state == "neutral":
            if z[t] >= enter:
                state, onset, peak, failed, frozen = "stretched", t, t, 0, mean[t]
        elif state == "stretched":
            if strength[peak] - strength[t] >= threshold[t]:
                state = "catching_up"
            elif strength[t] <= frozen and not np.isnan(threshold[t]):
                state = "neutral"
        elif state == "catching_up":
            if new_maximum:
                state, failed = "stretched", failed + 1
            elif (strength[peak] - strength[t]) / (strength[peak] - frozen) >= close:
                state = "closed"
        elif z[t] < enter:
            state = "neutral"
        entered = t if state != before else entered
        told.append(state)
        if state != "neutral":
            peaks[t], onsets[t] = peak, onset
        since[t], failures[t] = entered, failed if state != "neutral" else 0
    return States(told, since, peaks, onsets, failures)


def _change_deviation(strength: Vector) -> Vector:
    """Return the sample deviation of the last changes of each row.

    NaN while there are too few, and where they are all the same: without it any fall, even none,
    would be a turn.
    """
    out = np.full(len(strength), np.nan)
    deviation = window_moments(np.diff(strength), TURN_WINDOW)[1]
    out[1:] = np.where(deviation > 0, deviation, np.nan)
    return out


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
