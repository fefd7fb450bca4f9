"""The oracle's rebalances: dates, membership, selection, schemes, caps, what cannot be traded."""

import itertools
import math
import statistics
from datetime import date, timedelta

import pytest

from tests.reference.example import SESSIONS, WEEK, action, closes, column, index
from tests.reference.prices import Tables, board_limit
from tests.reference.schedule import effective_dates
from tests.reference.weights import OracleError, capped, float_band

RAW = dict(zip("abcdef", (0.40, 0.25, 0.15, 0.10, 0.06, 0.04), strict=True))
MONTHLY = {"frequency": "monthly", "day": WEEK[2].day}


def listed(*symbols, **keys):
    return [{"symbol": symbol, **keys} for symbol in symbols]


def weights(result, effective, name="effective_weight"):
    return {row["symbol"]: row[name] for row in result.weights if row["effective"] == effective}


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


@pytest.mark.parametrize(
    ("cap", "segment_cap", "least"), [(0.16, None, "0.166666667"), (0.5, 0.3, "0.333333333")]
)
def test_infeasible_caps_name_the_smallest_feasible(cap, segment_cap, least):
    segments = dict(zip("abcdef", "xxyyzz", strict=True))
    with pytest.raises(OracleError, match=least):
        capped(RAW, cap, segment_cap, segments)


def test_the_pages_ladder():
    ratios = [0.09, 0.438, 0.82, 0.10, 0.1001, 0.2, 0.8, 0.8001, 0.3 + 1e-13]
    assert [float_band(r) for r in ratios] == [0.09, 0.5, 1.0, 0.1, 0.2, 0.2, 0.8, 1.0, 0.3]


# --- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"frequency": "quarterly", "day": "third friday"}, ["03-15", "06-21", "09-20", "12-20"]),
        ({"frequency": "semiannual"}, ["06-28", "12-31"]),
        ({"frequency": "annual", "months": [6], "day": 1}, ["05-31"]),
        ({"frequency": "monthly", "months": [2, 6], "day": 31}, ["02-29", "06-28"]),
        ({"frequency": "annual", "months": [4], "day": "first session"}, ["04-02"]),
        ({"frequency": "annual", "months": [4], "day": "first monday"}, ["03-29"]),
        ({"frequency": "annual", "months": [4], "day": "last tuesday"}, ["04-30"]),
        ({"frequency": "never"}, []),
    ],
)
def test_effective_dates(rule, expected):
    """1 April 2024, a Monday, is made a holiday."""
    sessions = [day for day in SESSIONS if day != date(2024, 4, 1)]
    dates = effective_dates(rule, sessions, date(2024, 1, 8))
    assert [f"{d:%m-%d}" for d in dates if d.year == 2024] == expected


def test_dates_on_the_base_date_are_skipped():
    dates = effective_dates({"frequency": "monthly", "day": 8}, SESSIONS, WEEK[0])
    assert dates[0] == date(2024, 2, 8)


# --- membership and selection ---------------------------------------------------------------------


def test_membership_is_judged_at_each_rebalance():
    result = index(
        closes("A.US", 10, 10, 10, 10)
        + closes("B.US", 20, 20, 20, 20)
        + closes("C.US", None, 5, 5, 5)
        + closes("D.US", 4, 4, 4, 4),
        rebalance=MONTHLY,
        constituents=[
            {"symbol": "A.US", "until": WEEK[2]},
            {"symbol": "B.US", "from": WEEK[0]},
            {"symbol": "C.US"},
            {"symbol": "D.US", "from": WEEK[1]},
        ],
    )
    assert weights(result, WEEK[0]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
    assert weights(result, WEEK[2]) == pytest.approx({"B.US": 1 / 3, "C.US": 1 / 3, "D.US": 1 / 3})
    assert [(row["effective"], row["symbol"], row["reason"]) for row in result.excluded] == [
        (WEEK[0], "C.US", "no close"),
        (WEEK[0], "D.US", "outside from and until"),
        (WEEK[2], "A.US", "outside from and until"),
    ]
    assert result.turnover[WEEK[2]] == pytest.approx(2 / 3)
    assert result.effective_number[WEEK[2]] == pytest.approx(3)


@pytest.mark.parametrize(("seasoning", "count"), [(2, 3), (3, 2)])
def test_seasoning_counts_sessions_after_the_list_date(seasoning, count):
    """C lists on Saturday; by the close of Tuesday's reference it has two sessions behind it."""
    result = index(
        closes("A.US", *[10] * 9) + closes("B.US", *[20] * 9) + closes("C.US", *[5] * 9),
        market={
            "securities": [
                {"symbol": "A.US", "list_date": date(2020, 1, 2)},
                {"symbol": "B.US", "list_date": date(2020, 1, 2)},
                {"symbol": "C.US", "list_date": WEEK[0] + timedelta(5)},
            ]
        },
        constituents=listed("A.US", "B.US", "C.US"),
        eligibility={"seasoning": seasoning},
        rebalance={"frequency": "monthly", "day": 17, "reference_lag": 1},
    )
    assert len(weights(result, date(2024, 1, 17))) == count


def test_selection_keeps_members_inside_the_buffer():
    """Ranks of the second rebalance are D E C B A; B is held and ranked within 4, C is not held."""
    prices = (
        closes("A.US", 9, 1, 1)
        + closes("B.US", 8, 2, 2)
        + closes("C.US", 3, 3, 3)
        + closes("D.US", 2, 9, 9)
        + closes("E.US", 1, 8, 8)
    )
    selection = {"rank_by": "price", "top": 2, "enter": 1, "keep": 4}
    constituents = listed("A.US", "B.US", "C.US", "D.US", "E.US")
    keys = {"constituents": constituents, "rebalance": MONTHLY}
    result = index(prices, selection=selection, **keys)
    assert list(weights(result, WEEK[0])) == ["A.US", "B.US"]
    assert list(weights(result, WEEK[2])) == ["B.US", "D.US"]
    result = index(prices, selection={"rank_by": "price", "top": 2}, **keys)
    assert list(weights(result, WEEK[2])) == ["D.US", "E.US"]


def test_rank_weights_and_turnover_amounts():
    """Mean amounts over the sessions traded among the last two: A 6, B 9, C 9; ties by symbol."""
    amounts = {"A.US": [90, 5, 7], "B.US": [1, None, 9], "C.US": [1, 10, 8]}
    prices = [
        row | {"amount": amount}
        for symbol, values in amounts.items()
        for row, amount in zip(closes(symbol, 10, 10, 10), values, strict=True)
        if amount is not None
    ]
    result = index(
        prices,
        constituents=listed("A.US", "B.US", "C.US"),
        weighting={"scheme": "rank", "weights": [0.5, 0.3, 0.2]},
        selection={"rank_by": "amount_2", "top": 3},
        rebalance=MONTHLY,
    )
    expected = {"A.US": 0.2, "B.US": 0.5, "C.US": 0.3}
    assert weights(result, WEEK[2], "reference_weight") == pytest.approx(expected)


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


# --- what cannot be traded ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("close", "free"),
    [(11.06, False), (11.05, True), (11.07, True), (9.05, False), (9.04, True), (10.05, True)],
)
def test_a_price_limit_is_rounded_half_up(close, free):
    """10.05·1.1 = 11.055 and 10.05·0.9 = 9.045."""
    prices = closes("600000.SH", 10.05, close)
    tables = Tables(
        {"prices": prices, "securities": [], "shares": [], "actions": [], "fx": []}, SESSIONS
    )
    assert tables.tradable("600000.SH", WEEK[1], board_limit) is free
    assert not tables.tradable("600000.SH", WEEK[2], board_limit)


def test_limits_follow_the_board_and_the_exchange_reference_price():
    symbols = ["688981.SH", "300308.SZ", "600000.SH", "000001.SZ", "830001.BJ", "00700.HK", "A.US"]
    assert [board_limit(s) for s in symbols] == [0.2, 0.2, 0.1, 0.1, 0.3, None, None]
    prices = closes("600000.SH", 22, 11)  # (22 − 2)/2 = 10, its limit 11
    actions = [
        action("600000.SH", WEEK[1], "dividend", cash=2),
        action("600000.SH", WEEK[1], "split", ratio=2),
    ]
    market = {"prices": prices, "actions": actions, "securities": [], "shares": [], "fx": []}
    assert not Tables(market, SESSIONS).tradable("600000.SH", WEEK[1], board_limit)


def frozen_basket(untradable):
    """Build a basket: A held and suspended on e, B traded, 600000 new at its limit, D new."""
    return index(
        closes("A.US", 10, 14, None, 14)
        + closes("B.US", 20, 20, 20, 20)
        + closes("600000.SH", None, 10, 11, 11)
        + closes("D.US", None, 4, 4, 4),
        rebalance=MONTHLY | {"untradable": untradable},
        constituents=listed("A.US", "B.US", "600000.SH", "D.US"),
        market={"securities": [{"symbol": "600000.SH", "currency": "USD"}]},
    )


def test_the_untradable_are_flagged_or_frozen():
    result = frozen_basket("ignore")
    assert weights(result, WEEK[2]) == pytest.approx(
        {"A.US": 0.25, "B.US": 0.25, "600000.SH": 0.25, "D.US": 0.25}
    )
    flags = {"A.US": False, "B.US": True, "600000.SH": False, "D.US": True}
    assert weights(result, WEEK[2], "tradable") == flags
    result = frozen_basket("freeze")
    assert column(result, "price") == pytest.approx([1000, 1200, 1200, 1200])
    expected = {"A.US": 50, "B.US": 12.5, "D.US": 62.5}  # 500 of 1200 are left, in halves
    assert weights(result, WEEK[2], "shares") == pytest.approx(expected)
    assert [r["symbol"] for r in result.excluded if r["reason"] == "untradable"] == ["600000.SH"]


def test_price_date_effective_holds_the_weights_at_the_close_of_e():
    result = index(
        closes("A.US", 10, 10, 30) + closes("B.US", 20, 20, 20),
        rebalance=MONTHLY | {"reference_lag": 1, "price_date": "effective"},
    )
    assert weights(result, WEEK[2]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
    assert weights(result, WEEK[2], "shares") == pytest.approx({"A.US": 1000 / 30, "B.US": 50})


def test_the_first_reference_lies_before_the_base_where_closes_do():
    prices = closes("A.US", 10, 20, 20) + closes("B.US", 20, 20, 20)
    keys = {"base": {"date": WEEK[1], "level": 1000.0}}
    near = index(prices, rebalance={"reference_lag": 1}, **keys)
    assert weights(near, WEEK[1]) == pytest.approx({"A.US": 2 / 3, "B.US": 1 / 3})
    far = index(prices, rebalance={"reference_lag": 2}, **keys)
    assert weights(far, WEEK[1]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
