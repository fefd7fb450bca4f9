"""A leader and a follower: every signal of the two, and what may be chance on their last row."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.arrays import Rows, Vector, or_none
from indexer.definitions.study import Pair, Study
from indexer.kernels.bootstrap import stationary_rows
from indexer.kernels.rolling import rolling_correlation, rolling_rank_correlation
from indexer.signals.catchup import ChanceRates, States, catch_up_states, chance_rates, kind_of
from indexer.signals.evaluate import Episode, episodes, evaluate
from indexer.signals.gap import beta_gap, dimson_beta
from indexer.signals.inference import (
    FEWEST_ROWS,
    NO_INTERVAL,
    Interval,
    block_length,
    correlation_interval,
    generator,
    most_block,
)
from indexer.signals.intervals import Intervals, interval_table
from indexer.signals.leadlag import LeadLag, lead_lag, whitened
from indexer.signals.reversion import half_life
from indexer.signals.rotation import WEEKS, rotation
from indexer.signals.rounding import log_strength, settled
from indexer.signals.signal import SharedRows, Signal
from indexer.signals.strength import (
    PERCENTILE,
    momentum,
    percentile,
    relative_strength,
    zscore,
)


def pair_signals(study: Study, rows: SharedRows) -> Iterator[Signal]:
    """Yield the signals of a pair on the rows that the two share."""
    leader, follower = rows.logs()
    levels = (rows.aligned.level[rows.at, column] for column in rows.aligned.columns(rows.ids))
    strength = log_strength(leader, follower)
    relative = relative_strength(*levels)
    yield rows.signal("relative_strength", relative, None, len(rows.at))
    for span in study.windows.momentum:
        yield rows.signal("momentum", momentum(strength, span), span, span)
    place = percentile(strength)
    yield rows.signal("percentile", place, PERCENTILE, PERCENTILE - 1)
    window = study.windows.zscore
    yield rows.signal("zscore", zscore(strength, window), window, window - 1)
    a, b = rows.returns()
    for window in study.windows.correlation:
        yield rows.signal("correlation", rolling_correlation(a, b, window), window, window)
        yield rows.signal("spearman", rolling_rank_correlation(a, b, window), window, window)
        together = rolling_correlation(leader, follower, window)
        yield rows.signal("level_correlation", together, window, window - 1)
    span, window = study.windows.gap, study.windows.beta
    gap = beta_gap(leader, follower, span, window)
    yield rows.signal("beta", gap.beta, window, span + window)
    yield rows.signal("gap", gap.gap, span, span + window)
    yield rows.signal("gap_z", gap.z, span, span + window)
    yield from _rotation_signals(rows, relative)


def _rotation_signals(rows: SharedRows, strength: Vector) -> Iterator[Signal]:
    """Yield the weekly rotation; the windows of a row go back to the ends of earlier weeks."""
    found = rotation(rows.days, strength)
    for name, value, weeks in (
        ("rs_ratio", found.rs_ratio, WEEKS),
        ("rs_momentum", found.rs_momentum, 2 * WEEKS),
    ):
        yield rows.signal(name, value, WEEKS, found.reach(weeks))


@dataclass(frozen=True, slots=True, eq=False)
class PairStates:
    """The catch-up states of a pair on its rows; rows count the sessions of the study.

    Attributes
    ----------
    pair : as the study names it
    rows : (R,) study sessions that are rows
    leader, follower : (R,) log levels
    states : of each row, and since when
    """

    pair: Pair
    rows: Rows
    leader: Vector
    follower: Vector
    states: States

    def at(self, row: int) -> dict[str, Any]:
        """Return the state of one row: since and peak as rows, moves in log, kind."""
        peak = int(self.states.peak[row])
        told: dict[str, Any] = {
            "state": self.states.state[row],
            "kind": None,
            "since": int(self.states.since[row]),
            "peak": None,
            "move_leader": None,
            "move_follower": None,
        }
        if peak < 0:
            return told
        leader = float(self.leader[row] - self.leader[peak])
        follower = float(self.follower[row] - self.follower[peak])
        kind = None if row == peak else kind_of(leader, follower)
        return told | {
            "kind": kind,
            "peak": peak,
            "move_leader": leader,
            "move_follower": follower,
        }


def pair_states(study: Study, pair: Pair, rows: SharedRows) -> PairStates:
    """Return the catch-up states of a pair on the rows that the two share."""
    leader, follower = rows.logs()
    window, rule = study.windows.zscore, study.catch_up
    strength = log_strength(leader, follower)
    states = catch_up_states(
        strength,
        zscore(strength, window),
        window,
        enter=rule.enter,
        turn=rule.turn,
        close=rule.close,
    )
    return PairStates(pair, rows.at, leader, follower, states)


@dataclass(frozen=True, slots=True, eq=False)
class PairInference:
    """What may be chance about a pair, on its last row.

    Attributes
    ----------
    rows : of the pair
    intervals : returns up to the last row
    episodes : of the catch-up states, the last may still go on
    correlation, spearman : intervals by window
    half_life : rows until half of a deviation of log relative strength is gone; NaN where a
        random walk cannot be told from it, and below 60 rows
    dimson_beta : where the two close at different hours; NaN elsewhere
    chance : what the states do on driftless paths; None where there is no whole z-score window,
        and where log relative strength changes by the same on each row
    lead_lag : of the whitened returns; None where there are too few
    apparent_leader : which of the two its hour of close alone would make a leader: the one whose
        levels are known later, on most rows, has seen more. Empty where that is the same
    """

    rows: SharedRows
    intervals: Intervals
    episodes: tuple[Episode, ...]
    correlation: dict[int, Interval]
    spearman: dict[int, Interval]
    half_life: float
    dimson_beta: float
    chance: ChanceRates | None
    lead_lag: LeadLag | None
    apparent_leader: str

    @property
    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says of it; None for what there is not."""
        return {
            "correlation_interval": {w: found.told for w, found in self.correlation.items()},
            "spearman_interval": {w: found.told for w, found in self.spearman.items()},
            "half_life": or_none(self.half_life),
            "dimson_beta": or_none(self.dimson_beta),
            "chance": self.chance and self.chance.told,
            "lead_lag_band": self.lead_lag and or_none(self.lead_lag.band),
            "closes_alone_would_lead": self.apparent_leader,
            "episodes": evaluate(self.episodes, self.rows.backtested).told,
        }


def pair_inference(study: Study, states: PairStates, rows: SharedRows) -> PairInference:
    """Return what may be chance about a pair, on its last row.

    Parameters
    ----------
    states, rows : of the pair
    """
    leader, follower = rows.logs()
    a, b = rows.returns()
    strength, windows = log_strength(leader, follower), study.windows
    last = strength[-windows.zscore :]
    before_gap = slice(None, -windows.gap)  # as the beta of the gap
    beta = dimson_beta(a[before_gap], b[before_gap], windows.beta)[-1:]
    apparent = _apparent_leader(rows)
    return PairInference(
        rows=rows,
        intervals=interval_table(rows.days, leader, follower),
        episodes=tuple(episodes(states.states, leader, follower, windows.zscore, rows.backtested)),
        correlation={w: _interval(study, rows, a, b, w) for w in windows.correlation},
        spearman={w: _interval(study, rows, a, b, w, ranked=True) for w in windows.correlation},
        half_life=half_life(last) if len(last) == windows.zscore else math.nan,
        dimson_beta=float(beta[0]) if apparent and len(beta) else math.nan,
        chance=_chance(study, rows, strength),
        lead_lag=_lead_lag(study, rows, a, b),
        apparent_leader=apparent,
    )


def _apparent_leader(rows: SharedRows) -> str:
    known = rows.aligned.known_at[rows.at][:, rows.aligned.columns(rows.ids)]
    later = np.sign((known[:, 0] - known[:, 1]).astype(np.int64))
    for n, sign in enumerate((1, -1)):
        if (later == sign).mean() > 0.5:  # a few half days are no habit
            return rows.ids[n]
    return ""


def _interval(
    study: Study, rows: SharedRows, a: Vector, b: Vector, window: int, *, ranked: bool = False
) -> Interval:
    """Return the interval of the last window of returns."""
    if len(a) < window:
        return NO_INTERVAL
    rng = generator(
        study.bootstrap.seed, "spearman" if ranked else "correlation", *rows.ids, window
    )
    draws = study.bootstrap.replications
    return correlation_interval(a[-window:], b[-window:], draws, rng, ranked=ranked)


def _chance(study: Study, rows: SharedRows, strength: Vector) -> ChanceRates | None:
    """Return what the states do on driftless paths; None where there is nothing to draw from.

    Blocks are as long as the changes or, for the clustering of their size, their squares ask.
    """
    changes = settled(np.diff(strength), *(log[1:] for log in rows.logs()))
    if len(strength) < study.windows.zscore or not np.ptp(changes) > 0.0:
        return None
    most = most_block(len(changes))
    block = max(block_length(changes, most), block_length((changes - changes.mean()) ** 2, most))
    rule = (study.catch_up.enter, study.catch_up.turn, study.catch_up.close)
    rng = generator(study.bootstrap.seed, "states", *rows.ids)
    return chance_rates(strength, study.windows.zscore, rule, block=block, rng=rng)


def _lead_lag(study: Study, rows: SharedRows, a: Vector, b: Vector) -> LeadLag | None:
    """Return leads and lags of the returns; blocks are those of each whitened line."""
    if len(a) <= FEWEST_ROWS:
        return None
    rng = generator(study.bootstrap.seed, "lead_lag", *rows.ids)
    count, draws = len(a) - 1, study.bootstrap.replications
    blocks = (block_length(whitened(x), most_block(count)) for x in (a, b))
    drawn = [stationary_rows(count, block, draws, rng).row for block in blocks]
    return lead_lag(a, b, drawn[0], drawn[1])
