"""Slow, obvious oracle of the statistics of members, from raw closes, and of crowding.

The statistics of one session given restated closes or returns are in `diffusion`. Written from
the methodology page (Section 3) alone; ``None`` is null.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from tests.reference.diffusion import (
    breadth,
    breadth_outperform,
    diffusion_index,
    dispersion,
    mean_pair_correlation,
)
from tests.reference.study import Column, mean, percentile, rolling


class Member(NamedTuple):
    """One member by session of its index."""

    closes: Column  # raw; null without a close dated that session
    openings: Column  # last close before it, restated to P^ex; null before the first close
    weights: list[float]  # after opening events, of the market value at openings; 0: not held


def member_returns(member: Member) -> Column:
    """Return of each session on the exchange reference price, null without a trade.

    The page: returns on P^ex. Readings: simple, ``P / P^ex - 1``, the form that weights add up
    in; a session without a close has none, and the first close after a halt has that of the
    whole halt; the first close ever has none.
    """
    return [
        None if close is None or opening is None else close / opening - 1
        for close, opening in zip(member.closes, member.openings, strict=True)
    ]


def restated(member: Member) -> Column:
    """Raw closes restated for all later actions, in units of the last session.

    Reading: restated in proportion, each close times the product of P^ex over the close before
    it of later sessions, so that returns between restated closes are returns on P^ex (taking the
    cash itself off every earlier close would be another reading).
    """
    factors: list[float] = []
    last: float | None = None
    for close, opening in zip(member.closes, member.openings, strict=True):
        factors.append(1.0 if last is None or opening is None else opening / last)
        # An action on a session without a close restates the close that is carried.
        last = close if close is not None else opening
    found: Column = []
    for t, close in enumerate(member.closes):
        found.append(None if close is None else close * math.prod(factors[t + 1 :]))
    return found


def held(members: Sequence[Member], t: int) -> list[Member]:
    """Members of one session: those that open it with a weight.

    Reading: what a rebalance brings in after the close counts from the session after.
    """
    return [member for member in members if member.weights[t] != 0]


def breadth_on(members: Sequence[Member], t: int, window: int) -> float | None:
    """Share of members above the mean of their own last `window` restated closes.

    Readings: own closes, so that sessions without one are passed over and a halted member
    stands where it last closed; strictly above; the window includes the last close; members
    with fewer closes (since listing, not since joining) are left out of both counts.
    """
    return breadth([restated(member) for member in held(members, t)], t, window)


def outperform_on(members: Sequence[Member], leader: Sequence[float], t: int) -> float | None:
    """Share of members whose return over 20 sessions beats the leader's.

    `leader` has the leader's level known on each of the sessions. Readings: strictly; both
    returns over the same 20 sessions; members without a close on either end are left out.
    """
    return breadth_outperform([restated(member) for member in held(members, t)], leader, t)


def diffusion_on(members: Sequence[Member], t: int) -> float | None:
    """Share of members up plus half the share unchanged, against P^ex; no trade is left out."""
    return diffusion_index([member_returns(member)[t] for member in held(members, t)])


def pair_correlation_on(members: Sequence[Member], t: int, window: int = 60) -> float | None:
    """Mean of the correlations of all pairs of members with `window` returns in a row.

    Readings: simple returns; complete means a return on each of the last sessions; returns from
    before joining count; pairs with a constant side are left out of the mean; null without one.
    """
    return mean_pair_correlation([member_returns(member) for member in held(members, t)], t, window)


def dispersion_on(members: Sequence[Member], t: int) -> float:
    """Weighted root mean square of members' returns about the index's.

    Readings: weights are those of the opening; a member without a trade has a return of zero, as
    in the level; the index return is then the weighted sum, which is the price index's own.
    """
    there = held(members, t)
    weights = [member.weights[t] for member in there]
    returns = [member_returns(member)[t] or 0.0 for member in there]
    total = math.fsum(w * r for w, r in zip(weights, returns, strict=True))
    return dispersion(weights, returns, total)


def crowding(
    basket: Sequence[float | None], market: Sequence[float | None]
) -> tuple[Column, Column]:
    """20-session mean of the basket's share of turnover amount, and its 250-session percentile.

    Readings: the mean is of the sessions' shares, not the share of sums; a session without an
    amount of either, or of a market amount of zero, has no share and any window with it is null;
    the percentile is that of the mean, counted as that of ln RS (at or below, today included).
    """
    shares: Column = [
        None if own is None or whole is None or whole == 0 else own / whole
        for own, whole in zip(basket, market, strict=True)
    ]
    means = rolling(mean, 20, shares)
    return means, rolling(lambda line: percentile(line)[-1], 250, means)
