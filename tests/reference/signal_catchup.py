"""Slow, obvious oracle of how often chance alone walks the catch-up state machine.

The machine itself is in `catchup`. Written from the methodology page (Section 3) alone.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.reference.catchup import Inputs, Row, walk
from tests.reference.study import Column, deviation, mean, rolling, zscore

STATES = ("neutral", "stretched", "catching_up", "closed")


class Rates(NamedTuple):
    """Share of rows per state, in the order of STATES, and episodes per 1,000 rows."""

    shares: tuple[float, ...]
    episodes: float


def driftless_path(log_rs: Sequence[float], rows: Sequence[int]) -> list[float]:
    """Path of ln RS made of resampled changes without drift.

    `rows` count the changes from 0 (the one into row 1). Readings: drift is the mean of all
    observed changes, taken off before resampling, so that a path may end anywhere; the path has
    as many rows as the observed line and begins where it does.
    """
    changes = [now - then for now, then in zip(log_rs[1:], log_rs[:-1], strict=True)]
    drift = mean(changes)
    path = [log_rs[0]]
    for row in rows:
        path.append(path[-1] + changes[row] - drift)
    return path


def path_inputs(
    log_rs: Sequence[float], window: int, thresholds: tuple[float, float, float] = (1.0, 1.0, 0.5)
) -> Inputs:
    """Give the machine its inputs from a line of ln RS alone; its legs are left at zero."""
    steps: Column = [None]
    steps += [now - then for now, then in zip(log_rs[1:], log_rs[:-1], strict=True)]
    return Inputs(
        list(log_rs),
        [0.0] * len(log_rs),
        [0.0] * len(log_rs),
        zscore(log_rs, window),
        rolling(mean, window, log_rs),
        rolling(lambda values: deviation(values, 1), 60, steps),
        *thresholds,
    )


def state_shares(found: Sequence[Row]) -> tuple[float, ...]:
    """Share of the rows in each state.

    Reading: all rows count, also the first ones, neutral for want of a full window.
    """
    return tuple(sum(row.state == name for row in found) / len(found) for name in STATES)


def chance_rates(
    log_rs: Sequence[float],
    resamples: Iterable[Sequence[int]],
    window: int,
    thresholds: tuple[float, float, float] = (1.0, 1.0, 0.5),
) -> Rates:
    """Rates of the state machine on driftless paths, the mean over them.

    The page: the share of rows per state and the episodes per 1,000 rows on 1,000 resampled
    driftless paths. Readings: an episode is an onset, also one still open at the path's end;
    paths are equally long, so that the mean of shares is the share of all rows.
    """
    shares, episodes = [], []
    for rows in resamples:
        x = path_inputs(driftless_path(log_rs, rows), window, thresholds)
        found, cases = walk(x)
        shares.append(state_shares(found))
        episodes.append(1000 * len(cases) / len(found))
    return Rates(tuple(mean(column) for column in zip(*shares, strict=True)), mean(episodes))
