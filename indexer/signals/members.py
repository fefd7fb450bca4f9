"""The members of each basket of a study: their figures on the study's sessions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from indexer.arrays import Days, Flags, Grid, Instants, Mask, Rows, Vector
from indexer.definitions.study import Study
from indexer.index.history import History, backtested
from indexer.market.calendar import read_calendar
from indexer.signals.align import Aligned, IndexLine, cutoffs, known_at
from indexer.signals.breadth import (
    CORRELATION_WINDOW,
    CROWDING_WINDOW,
    OUTPERFORM_SPAN,
    Members,
    breadth,
    breadth_outperform,
    correlated,
    crowding,
    diffusion,
    dispersion,
    member_correlation,
    members_of,
    turnover_amount,
)
from indexer.signals.signal import Signal, reaching
from indexer.signals.strength import PERCENTILE

BREADTH = (20, 60)  # closes of a member


@dataclass(frozen=True, slots=True, eq=False)
class _Basket:
    """A basket's members, and where each study session finds them; D sessions, T own ones.

    Attributes
    ----------
    at : (S,) study sessions on which the index is fresh
    row : (S,) own session whose level is known there
    tested : (T,) whether an own session is before the selection
    """

    id: str
    history: History
    members: Members
    aligned: Aligned
    at: Rows
    row: Rows
    tested: Flags

    @classmethod
    def of(cls, history: History, aligned: Aligned) -> "_Basket":
        id = history.definition.id
        members, column = members_of(history), aligned.ids.index(id)
        at = np.flatnonzero(aligned.fresh[:, column])
        tested = backtested(members.days, history.definition.selected_on)
        row = np.searchsorted(members.days, aligned.dated[at, column])
        return cls(id, history, members, aligned, at, row, tested)

    def signal(
        self,
        name: str,
        value: Vector,
        window: int | None,
        reach: int | Rows,
        beside: Flags | None = None,
    ) -> Signal:
        """Return a figure on own sessions, its window ``reach`` sessions back, as a signal.

        Parameters
        ----------
        reach : of all, or of each own session, (T,)
        beside : (T,) whether what it is measured against is back-tested
        """
        tested = self.tested if beside is None else self.tested | beside
        return Signal(
            name=name,
            leader="",
            follower=self.id,
            other="",
            window=window,
            days=self.aligned.sessions[self.at],
            value=value[self.row],
            backtested=reaching(tested, reach)[self.row],
        )

    def seen(self, study: Study) -> Instants:
        """Return the cut-off by which the level of each own session was first known, (T,)."""
        known = known_at(self.history.definition, self.members.days)
        sessions = read_calendar(study.calendar).sessions
        last = self.aligned.sessions[-1:]
        moments = cutoffs(study, sessions[(sessions >= self.members.days[0]) & (sessions <= last)])
        at = np.searchsorted(moments, known)
        shown = at < len(moments)  # what is known later stands on no session of the study
        found = known.copy()
        found[shown] = moments[at[shown]]
        return found


def member_signals(
    study: Study, aligned: Aligned, histories: Mapping[str, History], lines: Mapping[str, IndexLine]
) -> Iterator[Signal]:
    """Yield the figures of each basket of the pairs; a ready-made series has no members.

    A figure stands on the study session on which the level of its own session was first known.
    What a follower's members are measured against is the leader of its first pair, as it was known
    then, each in its own currency. Beside them all, ``carried``: how many members were held at a
    carried price that session.
    """
    baskets = {
        id: _Basket.of(histories[id], aligned)
        for id in study.indices
        if histories[id].panel is not None
    }
    for id, basket in baskets.items():
        moments = basket.seen(study)
        held, close, traded = basket.members.held, basket.members.close, basket.members.traded
        counted = np.full(len(held), np.nan)
        counted[len(held) - len(basket.history.days) :] = basket.history.carried
        yield basket.signal("carried", counted, None, 0)
        for window in BREADTH:
            above = breadth(close, held, traded, window)
            reach = breadth_reach(held, traded, window)
            yield basket.signal(f"breadth_{window}", above, window, reach)
        leader = next((pair.leader for pair in study.pairs if pair.follower == id), None)
        if leader is not None:
            level, tested = _known_level(lines[leader], moments)
            better, span = breadth_outperform(close, held, level), OUTPERFORM_SPAN
            yield basket.signal("breadth_outperform", better, span, span, tested)
        yield basket.signal("diffusion", diffusion(close, held, traded), None, 1)
        alike = member_correlation(close, held, traded)
        window = CORRELATION_WINDOW
        yield basket.signal("mean_pair_correlation", alike, window, window)
        spread = dispersion(close, held, basket.members.weight)
        yield basket.signal("dispersion", spread, None, 1)
        yield from _crowding_signals(basket, baskets, moments)


def breadth_reach(held: Mask, traded: Mask, window: int) -> Rows:
    """Return how many sessions before its own the oldest close lies that `breadth` counts, (T,).

    Of members that were halted it lies further back than ``window`` sessions.
    """
    row = np.arange(len(held))
    reach = np.full(len(held), window - 1)
    for j in range(held.shape[1]):
        dated = np.flatnonzero(traded[:, j])
        oldest = np.cumsum(traded[:, j]) - window
        counted = held[:, j] & (oldest >= 0)
        reach[counted] = np.maximum(reach[counted], row[counted] - dated[oldest[counted]])
    return reach


def members_correlated(history: History, aligned: Aligned) -> tuple[Rows, Rows]:
    """Return how many members each mean correlation of a basket is of, and how many were held.

    Returns
    -------
    (S,) each, of the sessions on which the signal ``mean_pair_correlation`` of the basket stands.
    """
    basket = _Basket.of(history, aligned)
    own = basket.members
    counted = correlated(own.close, own.held, own.traded)
    return counted[basket.row], own.held.sum(axis=1)[basket.row]


def stale_sessions(study: Study, aligned: Aligned, history: History) -> tuple[int, int]:
    """Return on how many of an index's latest sessions too much of it stood at stale prices.

    Latest are those within the headline window, and how many that are is returned as well.
    """
    days = aligned.sessions[-study.windows.headline :]
    latest = (history.days >= days[0]) & (history.days <= days[-1])
    return int(history.too_stale[latest].sum()), int(latest.sum())


def _known_level(leader: IndexLine, moments: Instants) -> tuple[Vector, Flags]:
    """Return the leader's level known at some instants, NaN before its first; if it is tested."""
    at = np.searchsorted(leader.known_at, moments, side="right") - 1
    tested = backtested(leader.days, leader.selected_on)[at]
    return np.where(at >= 0, leader.level[at], np.nan), (at >= 0) & tested


def _crowding_signals(
    basket: _Basket, baskets: Mapping[str, _Basket], moments: Instants
) -> Iterator[Signal]:
    """Yield the share of turnover that is in a basket, of all that the study's baskets hold.

    What was turned over counts by the moments at which each own session is seen.
    Only baskets in its currency count, a symbol of several of them once; alone, as before any
    other holds a member, it has no share, nor once one of them has ended.
    """
    currency = basket.history.definition.currency
    others = [b for b in baskets.values() if b.history.definition.currency == currency]
    if len(others) < 2:
        return
    own = basket.members
    together: dict[str, Vector] = {}
    tested, accompanied = np.zeros((2, len(moments)), dtype=bool)
    for other in others:
        amounts, holds, beside = _amounts(other, own.days, moments)
        tested |= beside
        accompanied |= holds & (other is not basket)
        for symbol, amount in zip(other.history.symbols, amounts.T, strict=True):
            together[symbol] = np.maximum(together.get(symbol, amount), amount)
    whole = np.where(accompanied, np.sum(list(together.values()), axis=0), np.nan)
    found = crowding(turnover_amount(own.amount, own.held, own.traded), whole)
    window = CROWDING_WINDOW
    yield basket.signal("crowding", found.share, window, window - 1, tested)
    reach = window + PERCENTILE - 2
    yield basket.signal("crowding", found.percentile, PERCENTILE, reach, tested)


def _amounts(other: _Basket, days: Days, moments: Instants) -> tuple[Grid, Flags, Flags]:
    """Return what was turned over in a basket's members by some days, and known at instants then.

    Returns
    -------
    (T, N) of its last session, zero where that was counted before; NaN where a member that traded
    has no amount, and once its calendar has a session after its last: a sum that lacks it would
    pass for all. And (T,) whether it holds a member by then, and whether what was turned over is
    back-tested.
    """
    members, definition = other.members, other.history.definition
    later = read_calendar(definition.calendar).between(members.days[-1].item(), days[-1].item())
    sessions = np.concatenate([members.days, later[1:]])
    dated = np.searchsorted(sessions, days, side="right") - 1
    known = np.searchsorted(known_at(definition, sessions), moments, side="right") - 1
    at = np.minimum(dated, known)
    new = (at >= 0) & (at != np.concatenate([[-1], at[:-1]]))
    row = np.minimum(at, len(members.days) - 1)
    counted = np.where(members.held & members.traded, members.amount, 0.0)
    amounts = np.where(new[:, None], counted[row], 0.0)
    amounts[at > row] = np.nan
    holds = (at >= 0) & np.asarray(members.held.any(axis=1))[row]
    return amounts, holds, new & other.tested[row]
