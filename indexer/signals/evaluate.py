"""What became of catch-up episodes, and what trading the state would have returned."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from indexer.arrays import Flags, Vector, dot, expm1, or_none
from indexer.kernels.catchup import TURN_WINDOW
from indexer.kernels.moments import window_moments
from indexer.signals.catchup import Kind, States, kind_of
from indexer.signals.rounding import log_strength

HORIZONS = (5, 20, 60)  # rows of the forward returns
FEWEST_EPISODES = 10  # episodes below which nothing is inferred
_INFERRED = ("mean", "positive", "p")
_EULER = 0.5772156649015329  # Euler-Mascheroni


class Episode(NamedTuple):
    """One episode of a pair: from its onset to the row on which it closes or is given back.

    One that does neither goes on to the last row. Dates are rows; the names are those of the table
    ``episodes``. What is not there, or not yet, is None or NaN.

    Attributes
    ----------
    stretched_on : the onset
    peak_on : highest log relative strength of the episode
    turn_on : the last turn. Where it lies before the peak, a new maximum has undone it too
    closed_on : when the share that closes an episode was made
    kind : how the gap has closed between peak and last row; empty where they are one
    failed_turns : turns that a new maximum undid
    gap_at_turn : log relative strength on the turn less the mean of the window at the onset
    closed_share : of the way from the peak back to that mean, on the last row
    forward_5, forward_20, forward_60 : log return of the follower over the leader from the row
        after the turn on. Which turn is the last is known only later, and turns before it failed:
        these flatter the rule. `state_returns` does not, where every turn counts
    backtested : whether a level is that the episode rests on, from the windows of its onset on
    """

    stretched_on: int
    peak_on: int
    turn_on: int | None
    closed_on: int | None
    kind: Kind
    failed_turns: int
    gap_at_turn: float
    closed_share: float
    forward_5: float
    forward_20: float
    forward_60: float
    backtested: bool


class Forward(NamedTuple):
    """Forward returns of episodes over one horizon; NaN, but for the turns, where they are few.

    Attributes
    ----------
    turns : those that are far enough back
    mean : log return of the follower over the leader
    positive : share above zero
    p : of a sign test, two-sided, as if episodes were independent
    """

    turns: int
    mean: float
    positive: float
    p: float


class Summary(NamedTuple):
    """Some episodes: the cases themselves, how many turned and closed, what came after turns."""

    cases: tuple[Episode, ...]
    turned: int
    closed: int
    failed_turns: int
    forward: dict[int, Forward]

    @property
    def told(self) -> dict[str, Any]:
        """The counts and what was inferred, by name."""
        return {
            "count": len(self.cases),
            "turned": self.turned,
            "closed": self.closed,
            "failed_turns": self.failed_turns,
            "forward": {
                horizon: {"turns": f.turns} | {k: or_none(getattr(f, k)) for k in _INFERRED}
                for horizon, f in self.forward.items()
            },
        }


class Evaluation(NamedTuple):
    """Episodes with an onset before the constituents were selected, and the others."""

    before_selection: Summary
    since_selection: Summary

    @property
    def told(self) -> dict[str, Any]:
        """Counts and forward returns of either, by name; None where nothing is inferred."""
        return {name: summary.told for name, summary in self._asdict().items()}


class ReturnMoments(NamedTuple):
    """What a Sharpe ratio is judged by; NaN, but for the length, where returns do not vary.

    Attributes
    ----------
    sharpe : mean over sample deviation (``ddof`` 1), per row, not annualised
    length : returns
    skew, kurtosis : third and fourth standardised moments (``ddof`` 0); of normal returns 0 and 3
    """

    sharpe: float
    length: int
    skew: float
    kurtosis: float


def episodes(
    states: States, leader: Vector, follower: Vector, window: int, tested: Flags
) -> list[Episode]:
    """Return the episodes of a pair, in order; the last may still go on.

    Parameters
    ----------
    states : of the pair, (R,) each
    leader, follower : (R,) log levels
    window : rows of the z-score
    tested : (R,) whether a level of the row is back-tested; those rows come first
    """
    strength = log_strength(leader, follower)
    mean, _ = window_moments(strength, window)
    state = np.array(states.state)
    turns = 1 + np.flatnonzero((state[1:] == "catching_up") & (state[:-1] == "stretched"))
    found = []
    for onset in np.unique(states.onset[states.onset >= 0]).tolist():
        rows = np.flatnonzero(states.onset == onset)
        closed = rows[state[rows] == "closed"]
        final = int(closed[0] if closed.size else rows[-1])
        # Given back, it ends on the first neutral row, where there is no peak any more.
        last = final if closed.size else min(final + 1, len(strength) - 1)
        peak = int(states.peak[final])
        turn = max(turns[(turns >= onset) & (turns <= final)].tolist(), default=None)
        way = float(strength[peak] - mean[onset])
        moves = (float(side[last] - side[peak]) for side in (leader, follower))
        five, twenty, sixty = (_forward(-strength, turn, horizon) for horizon in HORIZONS)
        found.append(
            Episode(
                stretched_on=onset,
                peak_on=peak,
                turn_on=turn,
                closed_on=final if closed.size else None,
                kind="" if last == peak else kind_of(*moves),
                failed_turns=int(states.failed_turns[final]),
                gap_at_turn=math.nan if turn is None else float(strength[turn] - mean[onset]),
                closed_share=float(strength[peak] - strength[last]) / way if way > 0 else math.nan,
                forward_5=five,
                forward_20=twenty,
                forward_60=sixty,
                backtested=bool(tested[max(0, onset + 1 - max(window, TURN_WINDOW))]),
            )
        )
    return found


def _forward(gain: Vector, turn: int | None, horizon: int) -> float:
    """Return the gain over a horizon from the row after a turn; NaN where it is not over."""
    if turn is None or turn + 1 + horizon >= len(gain):
        return math.nan
    return float(gain[turn + 1 + horizon] - gain[turn + 1])


def evaluate(found: Sequence[Episode], tested: Flags) -> Evaluation:
    """Return what became of episodes, those before the constituents were selected apart.

    Under ten the cases are listed and nothing is inferred.

    Parameters
    ----------
    tested : (R,) whether a level of the row is dated before the selection
    """
    before = [episode for episode in found if tested[episode.stretched_on]]
    since = [episode for episode in found if not tested[episode.stretched_on]]
    return Evaluation(_summary(before), _summary(since))


def _summary(cases: Sequence[Episode]) -> Summary:
    ahead = zip(HORIZONS, *((c.forward_5, c.forward_20, c.forward_60) for c in cases), strict=True)
    return Summary(
        cases=tuple(cases),
        turned=sum(case.turn_on is not None for case in cases),
        closed=sum(case.closed_on is not None for case in cases),
        failed_turns=sum(case.failed_turns for case in cases),
        forward={horizon: _inferred(values) for horizon, *values in ahead},
    )


def _inferred(values: Sequence[float]) -> Forward:
    there = [value for value in values if not math.isnan(value)]
    count = len(there)
    if count < FEWEST_EPISODES:
        return Forward(count, math.nan, math.nan, math.nan)
    rose = sum(value > 0 for value in there)
    return Forward(
        count,
        math.fsum(there) / count,
        rose / count,
        sign_test(rose, sum(value < 0 for value in there)),
    )


def sign_test(positive: int, negative: int) -> float:
    """Return the two-sided p-value of so many signs if both were as likely; NaN for none.

    Examples
    --------
    >>> sign_test(9, 1)
    0.021484375
    """
    count = positive + negative
    if count == 0:
        return math.nan
    tail = sum(math.comb(count, k) for k in range(max(positive, negative), count + 1))
    return min(1.0, 2 * tail / (1 << count))


def state_returns(states: States, leader: Vector, follower: Vector, cost_bps: float) -> Vector:
    """Return what holding the follower against the leader while catching up would have returned.

    Parameters
    ----------
    states : of the pair, (R,) each
    leader, follower : (R,) log levels
    cost_bps : of each row on which the position changes, basis points, both legs together

    Returns
    -------
    (R - 1,) simple returns of the rows after the first. The position follows the state of the row
    before; zero without one.
    """
    position = np.array([state == "catching_up" for state in states.state[:-1]], dtype=float)
    changed = np.diff(position, prepend=0.0) != 0.0
    with np.errstate(invalid="ignore"):  # of infinite returns nothing is told
        earned = expm1(np.diff(follower)) - expm1(np.diff(leader))
        return np.asarray(position * earned - changed * (cost_bps / 1e4))


def return_moments(returns: Vector) -> ReturnMoments:
    """Return Sharpe ratio, length, skewness and kurtosis of some returns."""
    count = len(returns)
    centred = returns - returns.mean() if count else returns
    square = float(dot(centred, centred))
    if count < 2 or not square > 0.0 or np.ptp(returns) == 0.0:
        return ReturnMoments(math.nan, count, math.nan, math.nan)
    unit = centred / math.sqrt(square / count)
    return ReturnMoments(
        sharpe=float(returns.mean()) / math.sqrt(square / (count - 1)),
        length=count,
        skew=float(np.mean(unit * unit * unit)),
        kurtosis=float(np.mean(np.square(unit * unit))),
    )


def deflated_sharpe(
    sharpe: float, length: int, skew: float, kurtosis: float, variance: float, trials: int
) -> float:
    """Return the probability that a Sharpe ratio chosen as the best of many is above chance.

    Parameters
    ----------
    sharpe, length, skew, kurtosis : of the returns of the best trial, as `return_moments` has them
    variance : of the ratios per row across trials
    trials : how many were tried, all of them counted

    Returns
    -------
    0 to 1; NaN where there is no ratio, or where the moments leave it no error.

    Notes
    -----
    Bailey and López de Prado (2014), "The Deflated Sharpe Ratio", Journal of Portfolio Management
    40. The best of N worthless trials is expected at ``sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 -
    1/(N e)))``, with Z the normal quantile and g Euler's constant; of one trial, at zero.

    Examples
    --------
    >>> round(deflated_sharpe(2.5 / math.sqrt(250), 1250, -3.0, 10.0, 0.5 / 250, 100), 6)
    0.900397
    """
    normal = NormalDist()
    chance = 0.0
    if trials > 1:
        expected = (1 - _EULER) * normal.inv_cdf(1 - 1 / trials)
        expected += _EULER * normal.inv_cdf(1 - 1 / (trials * math.e))
        chance = math.sqrt(variance) * expected
    error = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if not error > 0.0:
        return math.nan
    return normal.cdf((sharpe - chance) * math.sqrt((length - 1) / error))
