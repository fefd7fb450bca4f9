"""The catch-up states of a path, and how often driftless chance visits each of them."""

from operator import index

import numpy as np

from indexer.arrays import Grid, Rows, Vector, vectors
from indexer.kernels.bootstrap import Resamples, check_resamples
from indexer.kernels.compile import compiled
from indexer.kernels.moments import moments

NEUTRAL, STRETCHED, CATCHING_UP, CLOSED = range(4)
_STATES = 4
TURN_WINDOW = 60  # changes whose deviation measures a turn
TURN_SPAN = 20  # rows over which that deviation is scaled


def path_states(
    strength: Vector, z: Vector, mean: Vector, fall: Vector, enter: float, close: float
) -> tuple[Rows, Rows, Rows, Rows, Rows]:
    """Return state, row it was entered on, peak, onset and failed turns of each row, (R,) each.

    Parameters
    ----------
    strength : (R,) log relative strength of leader over follower
    z, mean : (R,) its z-score, and the mean that an onset freezes
    fall : (R,) how far below the peak a turn is; NaN where that cannot be told
    enter, close : thresholds of the states

    Raises
    ------
    ValueError
        If one is not (R,), or the lengths differ.

    Notes
    -----
    The states are numbers: neutral, stretched, catching up, closed. Peak and onset are rows, -1
    in neutral. See `indexer.signals.catchup.catch_up_states` for the rules.
    """
    strength, z, mean, fall = vectors(strength=strength, z=z, mean=mean, fall=fall)
    told = np.empty((5, len(strength)), dtype=np.int64)
    _path_states(strength, z, mean, fall, enter, close, told)
    return told[0], told[1], told[2], told[3], told[4]


def fall_of_turn(strength: Vector, turn: float) -> Vector:
    """Return how far below the peak a turn is on each row, (R,).

    That is ``turn`` deviations of the last 60 changes, scaled to twenty rows. NaN while there are
    too few, and where they are all the same: without it any fall, even none, would be a turn.

    Raises
    ------
    ValueError
        If strength is not (R,).
    """
    (strength,) = vectors(strength=strength)
    fall = np.empty(len(strength))
    _fall(strength, turn, np.empty(len(strength)), fall)
    return fall


def state_rates(
    changes: Vector, resamples: Resamples, window: int, rule: tuple[float, float, float]
) -> tuple[Grid, Vector]:
    """Return the share of rows in each state, (R, 4), and the episodes, (R,), of resampled paths.

    Parameters
    ----------
    changes : (n,) changes of log relative strength; their mean is taken off
    resamples : which changes make up each of R paths of n + 1 rows
    window : rows of the z-score
    rule : enter, turn and close

    Raises
    ------
    ValueError
        If the resamples are not of the changes, as `check_resamples` says, window is below 1, or
        the rule is not three numbers.
    """
    (changes,) = vectors(changes=changes)
    check_resamples(resamples, changes)
    window = min(index(window), len(changes) + 2)  # a path has a row more than changes
    if window < 1:
        raise ValueError(f"expected a window of at least 1 row, got {window}")
    if len(rule) != 3:
        raise ValueError(f"expected a rule of enter, turn and close, got {rule}")
    share, episodes = np.empty((len(resamples.row), _STATES)), np.empty(len(resamples.row))
    _state_rates(
        changes - changes.mean(), resamples.row, window, tuple(map(float, rule)), share, episodes
    )
    return share, episodes


@compiled(nogil=True)
def _state_rates(changes, row, window, rule, share, episodes):
    enter, turn, close = rule
    count = row.shape[1] + 1
    path, z, mean, fall = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    told = np.empty((5, count), dtype=np.int64)
    for r in range(row.shape[0]):
        path[0] = 0.0
        for k in range(count - 1):
            path[k + 1] = path[k] + changes[row[r, k]]
        _fall(path, turn, mean, fall)
        moments(path, window, mean, z)
        for t in range(count):
            z[t] = (path[t] - mean[t]) / z[t] if z[t] > 0.0 else np.nan
        _path_states(path, z, mean, fall, enter, close, told)
        share[r] = 0.0
        episodes[r] = 0.0
        for t in range(count):
            share[r, told[0, t]] += 1.0
            episodes[r] += told[3, t] == t  # an onset is on the row that it names
        share[r] /= count


@compiled(nogil=True)
def _fall(strength, turn, spare, fall):
    fall[:] = np.nan
    moments(strength[1:] - strength[:-1], TURN_WINDOW, spare[1:], fall[1:])
    for t in range(fall.size):
        fall[t] = turn * np.sqrt(TURN_SPAN) * fall[t] if fall[t] > 0.0 else np.nan


@compiled(nogil=True)
def _path_states(strength, z, mean, fall, enter, close, told):
    state, entered, peak, onset, failed, frozen = NEUTRAL, 0, -1, -1, 0, np.nan
    for t in range(strength.size):
        before = state
        new_maximum = state != NEUTRAL and strength[t] > strength[peak]
        if new_maximum:
            peak = t
        if state == NEUTRAL:
            if z[t] >= enter:
                state, onset, peak, frozen = STRETCHED, t, t, mean[t]
        elif state == STRETCHED:
            if strength[peak] - strength[t] >= fall[t]:
                state = CATCHING_UP
            elif strength[t] <= frozen and not np.isnan(fall[t]):
                state = NEUTRAL
        elif state == CATCHING_UP:
            if new_maximum:
                state, failed = STRETCHED, failed + 1
            elif (strength[peak] - strength[t]) / (strength[peak] - frozen) >= close:
                state = CLOSED
        elif z[t] < enter:
            state = NEUTRAL
        if state != before:
            entered = t
        if state == NEUTRAL:
            peak, onset, failed = -1, -1, 0
        told[0, t], told[1, t] = state, entered
        told[2, t], told[3, t], told[4, t] = peak, onset, failed
