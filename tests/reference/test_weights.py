"""The oracle's weights: caps, the free-float ladder and the schemes."""

import itertools
import math
import statistics
from datetime import timedelta

import pytest

from tests.reference.example import (
    SESSIONS,
    WEEK,
    action,
    closes,
    column,
    index,
    listed,
    weights,
)
from tests.reference.prices import OracleError
from tests.reference.weights import capped, float_band

RAW = dict(zip("abcdef", (0.40, 0.25, 0.15, 0.10, 0.06, 0.04), strict=True))


# --- caps and ladder ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        (0.25, [25, 25, 21.428571, 14.285714, 8.571429, 5.714286]),
        (0.20, [20, 20, 20, 20, 12, 8]),
        (1 / 6, [100 / 6] * 6),
        (None, [40, 25, 15, 10, 6, 4]),
    ],
)
def test_the_pages_caps(cap, expected):
    assert [100 * w for w in capped(RAW, cap).values()] == pytest.approx(expected, abs=5e-7)


def test_a_segment_cap_spares_the_proportions_inside_and_outside():
    """65 % of a and b go down to 50 %; the rest shares 50 % in the proportions 15:10:6:4."""
    got = capped(RAW, None, 0.5, dict(zip("abcdef", "xxyyyz", strict=True)))
    outside = [0.5 * w / 0.35 for w in (0.15, 0.10, 0.06, 0.04)]
    assert list(got.values()) == pytest.approx([0.5 * 40 / 65, 0.5 * 25 / 65, *outside], abs=1e-14)


def test_no_other_feasible_weights_are_closer():
    """Moving weight between any two constituents, where the caps allow it, raises Σ w ln(w/u)."""
    segments = dict(zip("abcdef", "xxyyzz", strict=True))
    best = capped(RAW, 0.28, 0.45, segments)
    assert sum(best.values()) == pytest.approx(1, abs=1e-15)

    def distance(w):
        return math.fsum(x * math.log(x / RAW[k]) for k, x in w.items())

    tried = 0
    for giver, taker in itertools.permutations("abcdef", 2):
        moved = best | {giver: best[giver] - 1e-4, taker: best[taker] + 1e-4}
        totals = [sum(moved[k] for k in moved if segments[k] == s) for s in "xyz"]
        if max(moved.values()) <= 0.28 + 1e-12 and max(totals) <= 0.45 + 1e-12:
            tried += 1
            assert distance(moved) > distance(best)
    assert tried >= 10


def test_a_constituent_of_weight_zero_takes_no_room_under_a_cap():
    assert capped({"a": 3, "b": 1, "c": 0}, 0.6) == pytest.approx({"a": 0.6, "b": 0.4, "c": 0})
    with pytest.raises(OracleError, match=r"least 0\.5"):
        capped({"a": 3, "b": 1, "c": 0}, 0.4)


@pytest.mark.parametrize(
    ("cap", "segment_cap", "least"), [(0.16, None, "0.166666667"), (0.5, 0.3, "0.333333333")]
)
def test_infeasible_caps_name_the_smallest_feasible(cap, segment_cap, least):
    segments = dict(zip("abcdef", "xxyyzz", strict=True))
    with pytest.raises(OracleError, match=least):
        capped(RAW, cap, segment_cap, segments)


def test_the_pages_ladder():
    ratios = [0.09, 0.438, 0.82, 0.10, 0.1001, 0.2, 0.8, 0.8001, 0.3 + 1e-13, 0.3 + 1e-11]
    expected = [0.09, 0.5, 1.0, 0.1, 0.2, 0.2, 0.8, 1.0, 0.3, 0.4]
    assert [float_band(r) for r in ratios] == expected
    assert float_band(0.1 + 1e-13) == 0.1 + 1e-13  # still as it is
    assert float_band(0.1 + 1e-11) == 0.2


# --- schemes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        ({"scheme": "equal"}, 1 / 2),
        ({"scheme": "price"}, 1 / 3),
        ({"scheme": "market_cap"}, 3 / 5),  # 10·300 and 20·100
        ({"scheme": "free_float"}, 3 / 7),  # 10·300·0.5 and 20·100
        ({"scheme": "fixed", "normalise": True}, 1 / 5),
        ({"scheme": "score", "column": "points"}, 7 / 10),
    ],
)
def test_weights_of_the_schemes(weighting, expected):
    result = index(
        closes("A.US", 10, 10) + closes("B.US", 20, 20),
        weighting=weighting,
        constituents=[{"symbol": "A.US", "weight": 1}, {"symbol": "B.US", "weight": 4}],
        market={
            "securities": [{"symbol": "A.US", "points": 7}, {"symbol": "B.US", "points": 3}],
            "shares": [
                {"symbol": "A.US", "date": WEEK[0], "total_shares": 300, "free_float_shares": 130},
                {"symbol": "B.US", "date": WEEK[0], "total_shares": 100},
            ],
        },
    )
    assert weights(result, WEEK[0])["A.US"] == pytest.approx(expected)


def test_fixed_weights_are_renormalised_over_the_members():
    constituents = [{"symbol": s, "weight": w} for s, w in (("A.US", 0.3), ("B.US", 0.2))]
    absent = {"symbol": "C.US", "weight": 0.5 + 9e-10}
    result = index(
        closes("A.US", 10) + closes("B.US", 20) + closes("C.US", None, 5),
        weighting={"scheme": "fixed"},
        constituents=[*constituents, absent],
    )
    assert weights(result, WEEK[0]) == pytest.approx({"A.US": 0.6, "B.US": 0.4})
    with pytest.raises(OracleError, match="sum"):
        index(
            closes("A.US", 10) + closes("B.US", 20),
            weighting={"scheme": "fixed"},
            constituents=[*constituents, absent | {"weight": 0.5 + 2e-9}],
        )


def test_capping_factors_of_real_shares():
    """60 % and 40 % with a cap of 50 %: A's shares are cut to two thirds."""
    result = index(
        closes("A.US", 10, 10) + closes("B.US", 20, 20),
        weighting={"scheme": "market_cap", "caps": {"constituent": 0.5}},
        market={
            "shares": [
                {"symbol": "A.US", "date": WEEK[0], "total_shares": 300},
                {"symbol": "B.US", "date": WEEK[0], "total_shares": 100},
            ]
        },
    )
    assert weights(result, WEEK[0], "shares") == pytest.approx({"A.US": 200, "B.US": 100})
    assert weights(result, WEEK[0], "capping_factor") == pytest.approx({"A.US": 2 / 3, "B.US": 1})
    assert column(result, "divisor") == pytest.approx([4, 4])


def test_inverse_volatility_on_restated_closes():
    """A goes through a split and a dividend, C has one return, D does not move: both sit out."""
    result = index(
        closes("A.US", 10, 11, 5, 5.2)
        + closes("B.US", 20, 21, 19, 22)
        + closes("C.US", 5, None, None, 6)
        + closes("D.US", 5, 5, 5, 5),
        action("A.US", WEEK[2], "split", ratio=2),
        action("A.US", WEEK[2], "dividend", cash=0.6),
        constituents=listed("A.US", "B.US", "C.US", "D.US"),
        weighting={"scheme": "inverse_volatility", "lookback": 3},
        base={"date": WEEK[3], "level": 1000.0},
    )
    a = statistics.stdev([math.log(11 / 10), math.log(5 / 5.2), math.log(5.2 / 5)])
    b = statistics.stdev([math.log(21 / 20), math.log(19 / 21), math.log(22 / 19)])
    assert weights(result, WEEK[3]) == pytest.approx({"A.US": b / (a + b), "B.US": a / (a + b)})


@pytest.mark.parametrize(("lookback", "count"), [(4, 2), (5, 1)])
def test_half_the_lookback_of_returns_is_needed(lookback, count):
    """A has two returns; ⌈4/2⌉ = 2 are enough, ⌈5/2⌉ = 3 are not."""
    result = index(
        closes("A.US", None, None, None, 10, 11, 10) + closes("B.US", 20, 21, 19, 22, 20, 21),
        weighting={"scheme": "inverse_volatility", "lookback": lookback},
        base={"date": SESSIONS[SESSIONS.index(WEEK[4]) + 1], "level": 1000.0},
    )
    assert len(result.weights) == count


def test_inverse_volatility_ignores_closes_between_sessions():
    prices = closes("A.US", 10, 11, 10, 11, 10, 11) + closes("B.US", 10, 11, 10, 11, 10, 11)
    saturday = {"symbol": "A.US", "date": WEEK[4] + timedelta(1), "close": 99.0}
    result = index(
        [*prices, saturday],
        weighting={"scheme": "inverse_volatility", "lookback": 4},
        base={"date": SESSIONS[SESSIONS.index(WEEK[4]) + 1], "level": 1000.0},
    )
    assert weights(result, WEEK[4] + timedelta(3)) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
