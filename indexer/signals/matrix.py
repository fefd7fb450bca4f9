"""How alike the members of a basket move, each with each."""

from typing import NamedTuple

import numpy as np

from indexer.arrays import Grid, Rows, dot
from indexer.index.history import History
from indexer.signals.breadth import CORRELATION_WINDOW, members_of


class Matrix(NamedTuple):
    """Correlations of the members held on the last session, M of them, by segment.

    Attributes
    ----------
    column : (M,) of each member in the index's panel
    correlation : (M, M) of simple returns in listing currency over the last window; NaN for a
        member that has not a close on each of its sessions and on the one before, or whose
        returns do not vary
    """

    column: Rows
    correlation: Grid


def correlation_matrix(history: History, window: int = CORRELATION_WINDOW) -> Matrix:
    """Return the correlations of the members of an index; none for a ready-made series.

    Members are in the order of their segments' names, within one as the index lists them.

    Raises
    ------
    ValueError
        If window is below 2.
    """
    if window < 2:
        raise ValueError(f"expected a window of at least 2 returns, got {window}")
    panel, members = history.panel, members_of(history)
    if panel is None or len(members.days) <= window:
        return Matrix(np.empty(0, dtype=np.intp), np.empty((0, 0)))
    held = np.flatnonzero(members.held[-1])
    column = held[np.argsort([panel.segments[j] for j in held], kind="stable")]
    close, traded = members.close[-window - 1 :, column], members.traded[-window - 1 :, column]
    moves = close[1:] / close[:-1] - 1.0
    whole = traded.all(axis=0) & (
        moves.max(axis=0, initial=-np.inf) > moves.min(axis=0, initial=np.inf)
    )
    found = np.full((len(column), len(column)), np.nan)
    if whole.any():
        centred = moves[:, whole] - moves[:, whole].mean(axis=0)
        unit = centred / np.sqrt((centred**2).sum(axis=0))
        found[np.ix_(whole, whole)] = np.clip([dot(unit.T, one) for one in unit.T], -1.0, 1.0)
    return Matrix(column, found)
