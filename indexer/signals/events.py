"""The event study: what an index did around one date that its benchmark does not account for."""

import math
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Days, Flags, Rows, Vector, dot, vectors
from indexer.definitions.study import Event
from indexer.index.history import History
from indexer.signals.inference import p_value
from indexer.signals.regression import SINGULAR
from indexer.signals.signal import SharedRows

ESTIMATION = (-250, -31)  # rows about the event, both inclusive
WINDOW = (-5, 20)


class EventStudy(NamedTuple):
    """Abnormal returns about one event; K rows, the event's own being that of offset 0.

    Attributes
    ----------
    alpha, beta : of the market model
    offset : (K,) rows from the event, -5 to 20
    abnormal : (K,) log return less what the market model expects
    p : of the abnormal return of the event's row, two-sided: its rank among the residuals
    cumulative : (K,) sum of the abnormal returns from offset -5 on
    cumulative_p : (K,) rank of each partial sum, two-sided, among the placebos' of as many rows
    estimated : residuals that p is a rank among
    placebos : windows that the cumulative ones are ranks among. They overlap: far fewer of them
        are independent
    """

    alpha: float
    beta: float
    offset: Vector
    abnormal: Vector
    p: float
    cumulative: Vector
    cumulative_p: Vector
    estimated: int
    placebos: int


class Happening(NamedTuple):
    """A dated event of a study and one index: what it did beyond its benchmark.

    Attributes
    ----------
    event : as the study has it; id : of the index
    days : (K,) date of each offset; NaT where that row is not there
    found : the event study
    carried, constituents : (K,) how many members were held at a carried price, and at all, when
        the level of the row was made; zero for a ready-made series
    backtested : (K,) whether a level that the row's figures rest on is back-tested
    """

    event: Event
    id: str
    days: Days
    found: EventStudy
    carried: Rows
    constituents: Rows
    backtested: Flags


def happening(event: Event, rows: SharedRows, history: History) -> Happening:
    """Return what an index did about an event, on the rows it shares with the benchmark."""
    index, benchmark = rows.logs()
    row = event_row(rows.days, np.datetime64(event.date))
    at = row + np.arange(WINDOW[0], WINDOW[1] + 1)
    within = row < len(rows.at) and rows.days[0] <= np.datetime64(event.date)
    there = (at >= 0) & (at < len(rows.at)) & within  # not before it has come, nor what it was
    days = np.full(len(at), np.datetime64("NaT", "D"))
    days[there] = rows.days[at[there]]
    carried, constituents = np.zeros((2, len(at)), dtype=np.int64)
    column = rows.aligned.ids.index(rows.ids[0])
    dated = rows.aligned.dated[rows.at[at[there]], column]
    own = np.searchsorted(history.days, dated)
    carried[there] = history.carried[own]
    if history.shares.size:
        constituents[there] = (history.shares[own] > 0).sum(axis=1)
    begin = min(max(row + ESTIMATION[0] - 1, 0), len(rows.backtested) - 1)
    tested = np.full(len(at), bool(rows.backtested[begin]))
    return Happening(
        event=event,
        id=rows.ids[0],
        days=days,
        found=event_study(index, benchmark, row),
        carried=carried,
        constituents=constituents,
        backtested=tested,
    )


def event_row(days: Days, day: np.datetime64) -> int:
    """Return the first row dated on or after a day; the number of rows where none is.

    News that comes after the close belongs to the day after: that is the one to name.
    """
    return int(np.searchsorted(days, day))


def event_study(index_log: Vector, benchmark_log: Vector, row: int) -> EventStudy:
    """Return abnormal returns about an event, beside those of all placebo events before it.

    Parameters
    ----------
    index_log, benchmark_log : (R,) log levels on the rows they share
    row : of the event

    Returns
    -------
    NaN for rows that are not there, and all of it where the event's is not, the estimation window
    is not whole, a level in it is missing, the benchmark does not move over it or explains the
    index wholly.

    Raises
    ------
    ValueError
        If one is not (R,), or the lengths differ.

    Notes
    -----
    The market model of MacKinlay (1997), "Event studies in economics and finance", Journal of
    Economic Literature 35: least squares with intercept of the index's return on the benchmark's
    over rows -250 to -31. p-values are ``(1 + number as large in size) / (n + 1)``: among its n
    residuals for the event's row, and for the sum of k rows among the sums of the first k
    residuals from each start from which the whole event window fits in the estimation window. No
    start is drawn at random: all are used. Residuals have been fitted and abnormal returns have
    not, and placebos overlap, so that the p-values of long sums are too small: that of the sum up
    to row 20 is 0.05 or less in 12 of 100 draws without an event (docs/inference.md). Members, or
    indices, that share one date are not independent observations of it.
    """
    first, last = WINDOW
    index_log, benchmark_log = vectors(index_log=index_log, benchmark_log=benchmark_log)
    moves = np.full((last - ESTIMATION[0] + 1, 2), np.nan)  # rows -250 to 20
    begin = row + ESTIMATION[0]
    at = np.arange(begin, row + last + 1)
    there = (at >= 1) & (at < len(index_log)) & (row < len(index_log))
    for k, level in enumerate((index_log, benchmark_log)):
        moves[there, k] = level[at[there]] - level[at[there] - 1]
    count = ESTIMATION[1] - ESTIMATION[0] + 1
    alpha, beta = _market_model(*moves[:count].T)
    left = moves[:, 0] - alpha - beta * moves[:, 1]
    residuals, abnormal = left[:count], left[first - last - 1 :]
    cumulative = np.cumsum(abnormal)
    sums = np.cumsum(sliding_window_view(residuals, len(abnormal)), axis=1)
    return EventStudy(
        alpha=alpha,
        beta=beta,
        offset=np.arange(first, last + 1.0),
        abnormal=abnormal,
        p=p_value(float(abnormal[-first]), residuals),
        cumulative=cumulative,
        cumulative_p=np.array(
            [p_value(float(sum), of) for sum, of in zip(cumulative, sums.T, strict=True)]
        ),
        estimated=count if math.isfinite(beta) else 0,
        placebos=len(sums) if math.isfinite(beta) else 0,
    )


def _market_model(index: Vector, benchmark: Vector) -> tuple[float, float]:
    """Return intercept and slope of returns on the benchmark's; NaN where they mean nothing."""
    y, x = index - index.mean(), benchmark - benchmark.mean()
    xx, yy, xy = float(dot(x, x)), float(dot(y, y)), float(dot(x, y))
    size = float(dot(benchmark, benchmark))
    if not xx > SINGULAR * size or not yy * xx - xy * xy > SINGULAR * yy * xx:
        return math.nan, math.nan
    beta = xy / xx
    return float(index.mean() - beta * benchmark.mean()), beta
