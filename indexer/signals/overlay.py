"""Series laid over an index, such as capital expenditure or contract prices."""

import numpy as np

from indexer.arrays import Days, Rows, Vector, log
from indexer.signals.rounding import log_returns
from indexer.signals.strength import zscore

ANNOUNCEMENTS = 8  # that a divergence is set beside: two years of quarters


def divergence(
    index_log: Vector, index_days: Days, series_value: Vector, announced: Days, window: int
) -> Vector:
    """Return how much more unusual the last move of a series was than the index's meanwhile.

    Parameters
    ----------
    index_log, index_days : (T,) log levels and their dates, ascending
    series_value, announced : (K,) figures and the dates on which they became known, in any order
    window : changes that the z-scores look back over, the current one included

    Returns
    -------
    (T,) on the first day on or after an announcement; NaN on all others, while there are fewer
    changes, where one side's are all alike, and where a figure in the window is not above zero.

    Raises
    ------
    ValueError
        If window is below 1.

    Notes
    -----
    The z-score of the series' log change from one announcement to the next, among its last
    ``window`` ones (sample deviation, ``ddof`` 1), less that of the index's over the same spans:
    each side in its own unit, as figures move by more in a quarter than indices do. A span runs
    from the close of the first day on which a figure is known to that of the next one, so that
    the index's answer to the news is in the span that the news belongs to. Of several figures
    first known on one day the last announced counts, of several announced on one date the last
    given. Figures announced before the index begins have no span and are left out.
    """
    rows, known = _first_known(index_days, announced)
    figure = series_value[known]
    level = log(np.where(figure > 0, figure, np.nan))
    out = np.full(len(index_days), np.nan)
    out[rows[1:]] = zscore(log_returns(level), window) - zscore(
        log_returns(index_log[rows]), window
    )
    return out


def divergence_reach(index_days: Days, announced: Days, window: int) -> Rows:
    """Return how many days back the oldest announcement lies that a divergence rests on, (T,).

    Zero where there is none.

    Raises
    ------
    ValueError
        If window is below 1.
    """
    if window < 1:
        raise ValueError(f"expected a window of at least 1 change, got {window}")
    rows, _ = _first_known(index_days, announced)
    reach = np.zeros(len(index_days), dtype=np.int64)
    reach[rows[window:]] = rows[window:] - rows[: len(rows[window:])]
    return reach


def _first_known(index_days: Days, announced: Days) -> tuple[Rows, Rows]:
    """Return the days on which a figure is first known, ascending, and which figure it is."""
    order = np.argsort(announced, kind="stable")
    order = order[announced[order] >= index_days[:1]] if len(index_days) else order[:0]
    rows = np.searchsorted(index_days, announced[order])
    last = np.append(rows[1:] != rows[:-1], True) & (rows < len(index_days))
    return rows[last], order[last]
