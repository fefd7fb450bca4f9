"""What the members of a basket do: how many rise, how alike they move, how much is traded in them.

Everything is on the sessions of the index's own calendar. A member that is held but has no close
dated on the session is carried; beside every figure stands how many are.
"""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from indexer.arrays import Days, Flags, Grid, Mask, Rows, Vector, row_sums
from indexer.index.history import History
from indexer.kernels.moments import window_moments
from indexer.kernels.rolling import mean_pairwise_correlation
from indexer.market.panel import Panel
from indexer.signals.strength import percentile

CORRELATION_WINDOW = 60  # returns
OUTPERFORM_SPAN = 20  # sessions
CROWDING_WINDOW = 20  # sessions
_DAY = np.timedelta64(1, "D")
_ROUNDING = 1e-12  # of a price: restating rounds to 1e-16 of it, a tick is never below 1e-9


class Members(NamedTuple):
    """The lines an index holds or held, T sessions by N lines as its panel orders them.

    Attributes
    ----------
    days : (T,) sessions from the oldest close of any line on, so that windows reach back before
        the base date
    held : (T, N) held during the session: on a rebalance day the old basket, nothing up to the
        base date, after whose close the first one is held
    weight : (T, N) share of the market value at the open, after the morning's events; NaN up to
        the base date
    close : (T, N) latest close, restated so that the ratio of two sessions is the return on the
        ex-reference price ``P^ex`` (not rounded), listing currency at the first close; NaN before
    traded : (T, N) whether a close is dated on the session
    amount : (T, N) turnover of the session, index currency; NaN where there is none
    """

    days: Days
    held: Mask
    weight: Grid
    close: Grid
    traded: Mask
    amount: Grid


class Crowding(NamedTuple):
    """Share of the market's turnover that is in a basket, mean of 20 sessions, and its rank; (T,).

    Attributes
    ----------
    share : 0 to 1
    percentile : share of the last 250 such means that are no greater
    """

    share: Vector
    percentile: Vector


def members_of(history: History) -> Members:
    """Return the members of an index as arrays; a ready-made series has no column.

    Prices go forward restated, by what has taken effect: nothing that comes later changes them.
    Ordinary dividends count, as in ``P^ex``; a spin-off does not.
    """
    panel = history.panel
    if panel is None:
        none = np.empty((len(history.days), 0))
        return Members(history.days, none > 0, none, none, none > 0, none)
    before = len(panel.sessions) - len(history.days)
    held, weight = np.zeros(panel.close.shape, dtype=bool), np.full(panel.close.shape, np.nan)
    held[before + 1 :] = history.shares[1:] > 0
    weight[before:] = history.opening_weights
    return Members(
        days=panel.sessions,
        held=held,
        weight=weight,
        close=_restated(panel),
        traded=panel.traded(slice(None)),
        amount=panel.amount * panel.fx,
    )


def _restated(panel: Panel) -> Grid:
    """Return the closes of a panel on ``P^ex``: carried ones go on at it, growth makes up for it.

    The panel itself carries closes blind to ordinary dividends, as the price index does; whether
    rights count is settled there, for both.
    """
    close, growth = _as_traded(panel), np.ones(panel.close.shape)
    running: dict[tuple[int, int], tuple[np.datetime64, float]] = {}  # since when, and at what
    for found in panel.events:
        row, j = found.row, found.column
        since, prior = running.get(
            (row, j), (panel.sessions[row - 1] + _DAY, float(close[row - 1, j]))
        )
        at = panel.closes.before(j, found.ex_date)
        if at >= 0 and panel.closes.date[at] >= since:  # while the index was closed
            prior = float(panel.closes.close[at])
        opening = replace(found.event, prior=prior).ex_reference
        running[row, j] = found.ex_date, opening
        growth[row:, j] *= prior / opening if opening > 0 else np.nan  # halted, and paid out whole
        dated = panel.dated[row:, j]
        if dated[0] < found.ex_date:  # no close since: the carried one goes on at P^ex
            same = dated == dated[0]
            until = row + (len(same) if same.all() else int(np.argmin(same)))
            close[row:until, j] = replace(found.event, prior=float(close[row, j])).ex_reference
    return close * growth


def _as_traded(panel: Panel) -> Grid:
    """Return the latest close of each cell as it was traded, or as a delisting values it."""
    close = panel.close.copy()
    traded = panel.traded(slice(None))
    for j in range(close.shape[1]):
        part = slice(panel.closes.first[j], panel.closes.first[j + 1])
        at = np.searchsorted(panel.closes.date[part], panel.sessions, side="right") - 1
        stale = (at >= 0) & ~traded[:, j]
        close[stale, j] = panel.closes.close[part][at[stale]]
    return close


def breadth(close: Grid, held: Mask, traded: Mask, window: int) -> Vector:
    """Return the share of members above the mean of their own last closes.

    Parameters
    ----------
    close, held, traded : (T, N) as in `Members`
    window : closes that the mean is of, the latest included; only closes dated on a session count,
        so that a carried member stands where it stood when it last traded

    Returns
    -------
    (T,) 0 to 1. Members with fewer closes are left out; NaN where that leaves none.

    Raises
    ------
    ValueError
        If window is below 1.
    """
    above = np.full(close.shape, np.nan)
    for j in range(close.shape[1]):
        own = close[traded[:, j], j]
        mean, _ = window_moments(own, window)
        told = np.where(np.isnan(mean), np.nan, _exceeds(own, mean))
        last = np.cumsum(traded[:, j]) - 1
        above[last >= 0, j] = told[last[last >= 0]]
    return _mean(above, held)


def breadth_outperform(
    close: Grid, held: Mask, leader_level: Vector, span: int = OUTPERFORM_SPAN
) -> Vector:
    """Return the share of members whose return over ``span`` sessions beats the leader's.

    Parameters
    ----------
    close, held : (T, N) as in `Members`
    leader_level : (T,) level of the leader known on each of these sessions; NaN where there is none
    span : sessions, at least 1

    Returns
    -------
    (T,) 0 to 1. Members without a close that long ago are left out; NaN where that leaves none,
    and where the leader has no return.

    Raises
    ------
    ValueError
        If span is below 1.
    """
    if span < 1:
        raise ValueError(f"expected a span of at least 1 session, got {span}")
    better = np.full(close.shape, np.nan)
    own = _ratio(close[span:], close[:-span])
    leaders = _ratio(leader_level[span:], leader_level[:-span])[:, None]
    better[span:] = np.where(np.isnan(own + leaders), np.nan, _exceeds(own, leaders))
    return _mean(better, held)


def diffusion(close: Grid, held: Mask, traded: Mask) -> Vector:
    """Return the share of members that rose and half the share of those unchanged.

    Up and down are against ``P^ex``, after a halt that of the last close.

    Parameters
    ----------
    close, held, traded : (T, N) as in `Members`

    Returns
    -------
    (T,) 0 to 1. Members without a trade that session, or without a close before it, are left out;
    NaN where that leaves none.
    """
    score = np.full(close.shape, np.nan)
    now, before = close[1:], close[:-1]
    up, down = _exceeds(now, before), _exceeds(before, now)
    there = traded[1:] & ~np.isnan(now) & ~np.isnan(before)
    score[1:] = np.where(there, 0.5 + 0.5 * up - 0.5 * down, np.nan)
    return _mean(score, held)


def member_correlation(
    close: Grid, held: Mask, traded: Mask, window: int = CORRELATION_WINDOW
) -> Vector:
    """Return the mean correlation of all pairs of members over the last ``window`` returns.

    Parameters
    ----------
    close, held, traded : (T, N) as in `Members`
    window : returns, at least 2

    Returns
    -------
    (T,) in [-1, 1], of those held on the session whose window is complete: a close on each of its
    sessions and on the one before, so that every return spans the same time for all. NaN where
    they are fewer than two.

    Raises
    ------
    ValueError
        If window is below 2.
    """
    moves = _whole_moves(close, traded)
    out = np.full(len(close), np.nan)
    changes = np.flatnonzero((held[1:] != held[:-1]).any(axis=1)) + 1
    # Which columns count is the same from one change of members to the next. The return of
    # session t is row t - 1 of the moves.
    for first, end in pairwise([0, *changes.tolist(), len(close)]):
        columns = np.flatnonzero(held[first:end].any(axis=0))
        begin, at = max(0, first - window), max(1, first)
        if len(columns) > 1 and at < end:
            found = mean_pairwise_correlation(moves[begin : end - 1, columns], window)
            out[at:end] = found[at - 1 - begin :]
    return out


def correlated(close: Grid, held: Mask, traded: Mask, window: int = CORRELATION_WINDOW) -> Rows:
    """Return how many members `member_correlation` is of, (T,).

    Its arguments are the same, and it raises as `member_correlation` does.

    Returns
    -------
    (T,) those held on the session whose window is complete, and not of the same return throughout.
    """
    if window < 2:
        raise ValueError(f"expected a window of at least 2 returns, got {window}")
    out = np.zeros(len(close), dtype=np.int64)
    if len(close) > window:
        windows = sliding_window_view(_whole_moves(close, traded), window, axis=0)
        # A NaN among them is no more than another.
        vary = windows.max(axis=-1) > windows.min(axis=-1)
        out[window:] = (held[window:] & vary).sum(axis=1)
    return out


def _whole_moves(close: Grid, traded: Mask) -> Grid:
    """Return simple returns from one session to the next; NaN where either has no close."""
    moves = _ratio(close[1:], close[:-1]) - 1.0
    return np.where(traded[1:] & traded[:-1], moves, np.nan)


def dispersion(close: Grid, held: Mask, weight: Grid) -> Vector:
    """Return how far the members' returns of a session lie apart, weighted.

    Parameters
    ----------
    close, held, weight : (T, N) as in `Members`

    Returns
    -------
    (T,) ``sqrt(sum(w (r - r_I)^2))`` of simple returns, with ``r_I = sum(w r)``. A carried member
    has a return of zero, one without a close before has none and is left out; NaN where no weight
    is left.
    """
    moves = np.full(close.shape, np.nan)
    moves[1:] = _ratio(close[1:], close[:-1]) - 1.0
    counted = held & ~np.isnan(moves) & ~np.isnan(weight)
    w, r = np.where(counted, weight, 0.0), np.where(counted, moves, 0.0)
    total = row_sums(w)[:, None]
    w = np.divide(w, total, out=np.full(w.shape, np.nan), where=total > 0)
    centre = row_sums(w * r)[:, None]
    spread = np.sqrt(row_sums(w * (r - centre) ** 2))
    return np.where(total[:, 0] > 0, spread, np.nan)


def turnover_amount(amount: Grid, held: Mask, traded: Mask) -> Vector:
    """Return the turnover of all members together, (T,) index currency.

    NaN where nothing is held, and where one that traded has no amount: a sum that lacks one of
    its parts would pass for a fall.
    """
    counted = held & traded
    total = row_sums(np.where(counted, np.nan_to_num(amount), 0.0))
    lacking = (counted & np.isnan(amount)).any(axis=1) | ~held.any(axis=1)
    return np.where(lacking, np.nan, total)


def crowding(of_basket: Vector, of_market: Vector) -> Crowding:
    """Return how much of the market's turnover is in a basket.

    Parameters
    ----------
    of_basket, of_market : (T,) turnover amounts of the same sessions, one currency

    Returns
    -------
    (T,) each: the mean of the last 20 sessions' shares, and its percentile among its last 250
    values. NaN while the windows are short, and where a share in them is missing.
    """
    share, _ = window_moments(_ratio(of_basket, of_market), CROWDING_WINDOW)
    return Crowding(share, percentile(share))


def _ratio(numerator: Grid, denominator: Grid) -> Grid:
    """Return quotients; NaN where the denominator is not above zero."""
    there = denominator > 0
    out = np.full(there.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=there)
    return out


def _exceeds(one: Grid, other: Grid) -> Mask:
    """Return where one is above the other by more than restating has rounded; not where NaN."""
    return np.asarray(one - other > _ROUNDING * np.abs(other))


def _mean(values: Grid, held: Mask) -> Vector:
    """Return the mean over the members that have a value, (T,); NaN where none has."""
    counted: Flags = held & ~np.isnan(values)
    count = counted.sum(axis=1)
    total = row_sums(np.where(counted, values, 0.0))
    out = np.full(len(count), np.nan)
    np.divide(total, count, out=out, where=count > 0)
    return out
