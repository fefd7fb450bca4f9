"""Hand-made cases of the oracle of the statistics of members and of crowding."""

import math
import statistics
from collections.abc import Sequence

import pytest

from tests.reference.signal_members import (
    Member,
    breadth_on,
    crowding,
    diffusion_on,
    dispersion_on,
    member_returns,
    outperform_on,
    pair_correlation_on,
    restated,
)
from tests.reference.study import Column
from tests.reference.test_diffusion import levels
from tests.reference.test_signals import wave

# Splits two for one on the third session, and is halted on the fourth.
SPLIT = Member([10.0, 11.0, 6.0, None, 6.6], [None, 10.0, 5.5, 6.0, 6.0], [0.5] * 5)
# Halted while it splits.
HALTED = Member([10.0, None, 4.4, 4.4, 4.0], [None, 5.0, 5.0, 4.4, 4.4], [0.3] * 5)
# Listed late and not yet held.
LATE = Member([None, None, 3.0, 4.0, 5.0], [None, None, None, 3.0, 4.0], [0, 0, 0, 0, 0.2])


def test_members_return_on_the_reference_price() -> None:
    assert member_returns(SPLIT) == [
        None,
        pytest.approx(0.1),
        pytest.approx(6 / 5.5 - 1),
        None,
        pytest.approx(0.1),
    ]
    assert member_returns(LATE)[2] is None


def test_closes_are_restated_also_for_what_happens_in_a_halt() -> None:
    assert restated(SPLIT) == pytest.approx([5.0, 5.5, 6.0, None, 6.6])
    assert restated(HALTED) == pytest.approx([5.0, None, 4.4, 4.4, 4.0])
    later = Member([10.0, None, None, 4.4], [None, 10.0, 5.0, 5.0], [1.0] * 4)
    assert restated(later) == pytest.approx([5.0, None, None, 4.4])
    assert restated(LATE) == [None, None, 3.0, 4.0, 5.0]


def test_statistics_of_members_take_those_held() -> None:
    members = [SPLIT, HALTED, LATE]
    assert breadth_on(members, 3, 3) == 1 / 2
    assert breadth_on(members, 4, 3) == 2 / 3
    assert breadth_on(members, 4, 4) == 1 / 2
    assert diffusion_on(members, 3) == 0.5
    assert diffusion_on(members, 4) == 2 / 3
    # Half up 10 %, the halted one (3/8) down 1/11, the new one 25 %.
    returns = [0.1, -1 / 11, 0.25]
    total = 0.5 * 0.1 - 0.3 / 11 + 0.05
    expected = sum(w * (r - total) ** 2 for w, r in zip((0.5, 0.3, 0.2), returns, strict=True))
    assert dispersion_on(members, 4) == pytest.approx(math.sqrt(expected))


def test_a_member_without_a_trade_disperses_with_a_return_of_zero() -> None:
    other = Member([1.0, 1.02], [None, 1.0], [0.5, 0.5])
    assert dispersion_on([other, Member([1.0, None], [None, 1.0], [0.5, 0.5])], 1) == pytest.approx(
        0.01
    )


def priced(returns: Sequence[float]) -> Member:
    closes: Column = [*levels(list(returns))]
    return Member(closes, [None, *closes[:-1]], [1.0] * len(closes))


def test_members_correlate_and_beat_the_leader_over_their_windows() -> None:
    one, two = priced(wave(20, 1)), priced(wave(20, 2))
    gone = Member([*one.closes[:9], None, *one.closes[10:]], one.openings, one.weights)
    x, y = ([math.expm1(v) for v in wave(20, k)[10:]] for k in (1, 2))
    assert pair_correlation_on([one, two, gone], 20, 10) != pair_correlation_on([one, two], 20, 10)
    assert pair_correlation_on([one, two, gone], 20, 20) == pair_correlation_on([one, two], 20, 20)
    assert pair_correlation_on([one, two], 20, 10) == pytest.approx(statistics.correlation(x, y))
    middle = math.exp((sum(wave(20, 1)) + sum(wave(20, 2))) / 2)
    leader = [1.0] * 20 + [middle]
    assert outperform_on([one, two], leader, 20) == 0.5
    assert outperform_on([one, two], leader, 19) is None


def test_crowding_is_a_mean_of_shares_and_its_rank_among_its_own() -> None:
    basket: list[float | None] = [float(k) for k in range(300)]
    means, ranked = crowding(basket, [1000.0] * 300)
    assert means[18] is None
    assert means[19] == pytest.approx(0.0095)
    assert (ranked[267], ranked[268], ranked[299]) == (None, 1.0, 1.0)
    basket[299] = 0.0
    assert crowding(basket, [1000.0] * 300)[1][299] == pytest.approx(236 / 250)
    holed = crowding(basket, [0.0, *[1000.0] * 299])[0]
    assert (holed[19], holed[20]) == (None, pytest.approx(0.0105))
