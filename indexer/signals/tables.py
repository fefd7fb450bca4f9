"""The smaller tables of a study, from what was found of its pairs and events."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from indexer.signals.events import Happening
from indexer.signals.pairs import PairInference

_INTERVALS = {
    "leader": pl.String,
    "follower": pl.String,
    "interval": pl.String,
    "begin": pl.Date,
    "end": pl.Date,
    "return_leader": pl.Float64,
    "return_follower": pl.Float64,
    "return_strength": pl.Float64,
    "backtested": pl.Boolean,
}
_LEADLAG = {
    "leader": pl.String,
    "follower": pl.String,
    "lag": pl.Int64,
    "correlation": pl.Float64,
    "band": pl.Float64,
}
_EPISODES = {
    "leader": pl.String,
    "follower": pl.String,
    "stretched_on": pl.Date,
    "peak_on": pl.Date,
    "turn_on": pl.Date,
    "closed_on": pl.Date,
    "kind": pl.String,
    "failed_turns": pl.Int64,
    "gap_at_turn": pl.Float64,
    "closed_share": pl.Float64,
    "forward_5": pl.Float64,
    "forward_20": pl.Float64,
    "forward_60": pl.Float64,
    "backtested": pl.Boolean,
}
_EVENTS = {
    "event": pl.Date,
    "name": pl.String,
    "index": pl.String,
    "offset": pl.Int64,
    "date": pl.Date,
    "abnormal": pl.Float64,
    "p": pl.Float64,
    "cumulative": pl.Float64,
    "cumulative_p": pl.Float64,
    "alpha": pl.Float64,
    "beta": pl.Float64,
    "estimated": pl.Int64,
    "placebos": pl.Int64,
    "carried": pl.Int64,
    "constituents": pl.Int64,
    "backtested": pl.Boolean,
}


def interval_rows(pairs: Iterable[PairInference]) -> pl.DataFrame:
    """Return the returns of each pair up to its last row; fractions of one.

    A null where one is too large to be a number.
    """
    rows = []
    for pair in pairs:
        leader, follower = pair.rows.ids
        found, days = pair.intervals, pair.rows.days
        rows += [
            (leader, follower, name, days[begin].item(), days[-1].item(), *returns, tested)
            for name, begin, *returns, tested in zip(
                found.name,
                found.begin,
                found.leader,
                found.follower,
                found.strength,
                pair.rows.backtested[found.begin].tolist(),
                strict=True,
            )
        ]
    return pl.DataFrame(rows, schema=_INTERVALS, orient="row").fill_nan(None)


def leadlag_rows(pairs: Iterable[PairInference]) -> pl.DataFrame:
    """Return the correlation of leader and follower at each lag; where there is none, a null."""
    rows = [
        (*pair.rows.ids, lag, value, pair.lead_lag.band)
        for pair in pairs
        if pair.lead_lag is not None
        for lag, value in zip(pair.lead_lag.lag, pair.lead_lag.correlation, strict=True)
    ]
    return pl.DataFrame(rows, schema=_LEADLAG, orient="row").fill_nan(None)


def episode_rows(pairs: Iterable[PairInference]) -> pl.DataFrame:
    """Return the episodes of all pairs by date; null for what is not there, or not yet."""
    rows = []
    for pair in pairs:
        days = pair.rows.days
        for episode in pair.episodes:
            told = episode._asdict()
            for name in ("stretched_on", "peak_on", "turn_on", "closed_on"):
                told[name] = None if told[name] is None else days[told[name]].item()
            told["kind"] = told["kind"] or None
            rows.append((*pair.rows.ids, *told.values()))
    table = pl.DataFrame(rows, schema=_EPISODES, orient="row").fill_nan(None)
    return table.sort("stretched_on", maintain_order=True)


def event_rows(happenings: Iterable[Happening]) -> pl.DataFrame:
    """Return the abnormal returns about all events by date, but for rows that are not there."""
    rows = []
    for seen in happenings:
        found = seen.found
        for k in np.flatnonzero(~np.isnat(seen.days)):
            offset = int(found.offset[k])
            rows.append(
                (seen.event.date, seen.event.name.en, seen.id, offset, seen.days[k].item(),
                 found.abnormal[k], found.p if offset == 0 else np.nan,
                 found.cumulative[k], found.cumulative_p[k],
                 found.alpha, found.beta, found.estimated, found.placebos,
                 seen.carried[k], seen.constituents[k], bool(seen.backtested[k]))
            )  # fmt: skip
    table = pl.DataFrame(rows, schema=_EVENTS, orient="row").fill_nan(None)
    return table.sort("date", maintain_order=True)
