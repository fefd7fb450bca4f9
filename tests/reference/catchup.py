"""Slow, obvious oracle of the catch-up state machine, its episodes and their evaluation.

Written from the methodology page (Section 3) alone; ``None`` is null and rows count from 0.
"""

import math
from collections.abc import Sequence
from datetime import date
from statistics import NormalDist
from typing import NamedTuple

from tests.reference.study import Column, deviation, mean, relative_strength, rolling, zscore

EULER = 0.57721566490153286060651209008240243


class Inputs(NamedTuple):
    """What the state machine reads, one value per row; thresholds beside them."""

    log_rs: list[float]
    log_leader: list[float]
    log_follower: list[float]
    z: Column
    mean: Column  # of ln RS over the window of z
    s: Column  # deviation of the last 60 changes of ln RS
    enter: float = 1.0
    turn: float = 1.0
    close: float = 0.5


class Row(NamedTuple):
    """State of one row; peak, moves and kind are null in neutral, kind also on the peak row."""

    state: str
    since: int
    peak: int | None
    move_leader: float | None
    move_follower: float | None
    kind: str | None


class Episode(NamedTuple):
    """From an onset to its close, its return to neutral, or the last row there is."""

    stretched: int
    peak: int
    turn: int | None
    closed: int | None
    kind: str | None
    failed_turns: int
    gap_at_turn: float | None
    closed_share: float | None
    forward: tuple[float | None, ...]  # over 5, 20 and 60 rows


def inputs(
    leader: Sequence[float], follower: Sequence[float], window: int, changes: int = 60
) -> Inputs:
    """Read the levels of a pair's rows into the machine's inputs, at the default thresholds."""
    log_rs = [math.log(value) for value in relative_strength(leader, follower)]
    steps: Column = [None] + [log_rs[t] - log_rs[t - 1] for t in range(1, len(log_rs))]
    return Inputs(
        log_rs,
        [math.log(level) for level in leader],
        [math.log(level) for level in follower],
        zscore(log_rs, window),
        rolling(mean, window, log_rs),
        rolling(lambda values: deviation(values, 1), changes, steps),
    )


def kind_of_move(move_leader: float, move_follower: float) -> str:
    """Name of the two moves since the peak."""
    if move_leader < 0 and move_follower < 0:
        return "both falling"
    if move_follower > 0 and move_follower >= -move_leader:
        return "catch-up"
    return "leader fall"


def closed_share(log_rs: Sequence[float], peak: int, t: int, mu: float) -> float | None:
    """Share of the way from the peak to the mean at onset that row t has come back."""
    if log_rs[peak] == mu:
        return None
    return (log_rs[peak] - log_rs[t]) / (log_rs[peak] - mu)


def _after_stretched(x: Inputs, t: int, peak: int, mu: float) -> str:
    s = x.s[t]
    if s is None:
        return "stretched"
    if x.log_rs[peak] - x.log_rs[t] >= x.turn * s * math.sqrt(20):
        return "catching_up"
    return "neutral" if x.log_rs[t] <= mu else "stretched"


def _after_catching_up(x: Inputs, t: int, peak: int, mu: float) -> str:
    if peak == t:
        return "stretched"
    share = closed_share(x.log_rs, peak, t, mu)
    return "closed" if share is not None and share >= x.close else "catching_up"


def walk(x: Inputs) -> tuple[list[Row], list[Episode]]:
    """State of every row and the episodes, in order of onset."""
    found: list[Row] = []
    episodes: list[Episode] = []
    state, since, onset, peak, failed, mu = "neutral", 0, 0, 0, 0, 0.0
    turn: int | None = None
    for t, value in enumerate(x.log_rs):
        if state != "neutral" and value > x.log_rs[peak]:
            peak = t
        before, z, centre = state, x.z[t], x.mean[t]
        if before == "neutral":
            if z is not None and centre is not None and z >= x.enter:
                state, onset, peak, turn, failed, mu = "stretched", t, t, None, 0, centre
        elif before == "stretched":
            state = _after_stretched(x, t, peak, mu)
        elif before == "catching_up":
            state = _after_catching_up(x, t, peak, mu)
        elif z is not None and z < x.enter:
            state = "neutral"
        if state != before:
            since = t
            turn = t if state == "catching_up" else turn
            failed += before == "catching_up" and state == "stretched"
        found.append(_row(x, t, state, since, peak))
        running = before in ("stretched", "catching_up")
        ended = running and state in ("closed", "neutral")
        last = t == len(x.log_rs) - 1
        if ended or (last and state in ("stretched", "catching_up")):
            closed = t if state == "closed" else None
            episodes.append(_episode(x, (onset, peak, turn, closed, t), failed, mu))
    return found, episodes


def _row(x: Inputs, t: int, state: str, since: int, peak: int) -> Row:
    if state == "neutral":
        return Row(state, since, None, None, None, None)
    leader = x.log_leader[t] - x.log_leader[peak]
    follower = x.log_follower[t] - x.log_follower[peak]
    kind = None if t == peak else kind_of_move(leader, follower)
    return Row(state, since, peak, leader, follower, kind)


def _episode(
    x: Inputs, at: tuple[int, int, int | None, int | None, int], failed: int, mu: float
) -> Episode:
    onset, peak, turn, closed, last = at
    leader = x.log_leader[last] - x.log_leader[peak]
    follower = x.log_follower[last] - x.log_follower[peak]
    return Episode(
        onset,
        peak,
        turn,
        closed,
        None if last == peak else kind_of_move(leader, follower),
        failed,
        None if turn is None else x.log_rs[turn] - mu,
        closed_share(x.log_rs, peak, last, mu),
        tuple(forward(x.log_rs, turn, n) for n in (5, 20, 60)),
    )


def carry(sessions: Sequence[date], on: Sequence[date], found: Sequence[Row]) -> list[Row | None]:
    """State on every study session: that of the last row by then, null before the first row."""
    states = dict(zip(on, found, strict=True))
    carried: list[Row | None] = []
    last: Row | None = None
    for session in sessions:
        last = states.get(session, last)
        carried.append(last)
    return carried


def forward(log_rs: Sequence[float], turn: int | None, n: int) -> float | None:
    """Change of ln(B/A) from the row after the turn over n rows, null beyond the last row."""
    if turn is None or turn + 1 + n >= len(log_rs):
        return None
    return log_rs[turn + 1] - log_rs[turn + 1 + n]


def state_returns(
    states: Sequence[str], leader: Sequence[float], follower: Sequence[float], cost_bps: float
) -> Column:
    """Row returns of being long B and short A from the row after each `catching_up` row.

    `leader` and `follower` are levels; the first row has no return.
    """
    found: Column = [None]
    held = False
    for t in range(1, len(states)):
        hold = states[t - 1] == "catching_up"
        value = 0.0
        if hold:
            value = follower[t] / follower[t - 1] - leader[t] / leader[t - 1]
        if hold != held:
            value -= cost_bps / 1e4
        found.append(value)
        held = hold
    return found


def expected_maximum_sharpe(variance: float, trials: int) -> float:
    """Sharpe ratio to expect of the best of independent trials without skill."""
    quantile = NormalDist().inv_cdf
    return math.sqrt(variance) * (
        (1 - EULER) * quantile(1 - 1 / trials) + EULER * quantile(1 - 1 / (trials * math.e))
    )


def deflated_sharpe(
    sharpe: float, length: int, skew: float, kurtosis: float, variance: float, trials: int
) -> float:
    """Probability that a Sharpe ratio beats the best of so many trials without skill.

    `sharpe` is per row and `variance` that of the trials' Sharpe ratios per row; `kurtosis` is 3
    for a normal distribution.
    """
    excess = sharpe - expected_maximum_sharpe(variance, trials)
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return NormalDist().cdf(excess * math.sqrt(length - 1) / math.sqrt(spread))
