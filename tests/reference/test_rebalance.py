"""The oracle's rebalances: what cannot be traded, at which prices, from which reference date."""

import pytest

from tests.reference.example import (
    MONTHLY,
    SESSIONS,
    WEEK,
    action,
    closes,
    column,
    index,
    listed,
    weights,
)
from tests.reference.prices import Tables, board_limit


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


@pytest.mark.parametrize(
    ("kind", "columns", "prior", "limit"),
    [
        ("special_dividend", {"cash": 2}, 22, 22),
        ("rights", {"ratio": 1, "price": 10}, 30, 22),
        ("rights", {"ratio": 1, "price": 20}, 20, 22),  # not counted at the prior close
    ],
)
def test_limits_stand_about_the_restated_close(kind, columns, prior, limit):
    """P^ex is 20 each time."""
    market = {"securities": [], "shares": [], "fx": []}
    for close, free in ((limit, False), (limit - 0.01, True)):
        prices = closes("600000.SH", prior, close)
        actions = [action("600000.SH", WEEK[1], kind, **columns)]
        tables = Tables({"prices": prices, "actions": actions, **market}, SESSIONS)
        assert tables.tradable("600000.SH", WEEK[1], board_limit) is free


def test_a_frozen_member_that_is_not_chosen_again_stays():
    """A, held with B, is suspended while C and D outrank it: 600 of 1100 stay in it."""
    result = index(
        closes("A.US", 10, 12, None, 12)
        + closes("B.US", 8, 8, 8, 8)
        + closes("C.US", 5, 30, 30, 30)
        + closes("D.US", 5, 40, 40, 40),
        constituents=listed("A.US", "B.US", "C.US", "D.US"),
        selection={"rank_by": "price", "top": 2},
        rebalance=MONTHLY | {"untradable": "freeze"},
    )
    expected = {"A.US": 50, "C.US": 250 / 30, "D.US": 250 / 40}
    assert weights(result, WEEK[2], "shares") == pytest.approx(expected)
    assert weights(result, WEEK[2], "reference_weight") == {"A.US": 0, "C.US": 0.5, "D.US": 0.5}


def test_a_spun_off_line_leaves_at_the_rebalance_though_it_cannot_be_traded():
    result = index(
        closes("A.US", 10, 7, 7, 7) + closes("B.US", 20, 20, 20, 22) + closes("X.US", None, 6),
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US"),
        rebalance=MONTHLY | {"untradable": "freeze"},
    )
    assert weights(result, WEEK[2]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})


def test_nothing_is_bought_when_all_is_frozen():
    """The divisor stays with the market value."""
    result = index(
        closes("A.US", 10, 12, None, 12) + closes("B.US", 20, 20, None, 22),
        rebalance=MONTHLY | {"untradable": "freeze"},
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US"}],
    )
    assert weights(result, WEEK[2], "shares") == pytest.approx({"A.US": 50, "B.US": 25})
    assert column(result, "price") == pytest.approx([1000, 1100, 1100, 1150])
    assert column(result, "divisor") == [1, 1, 1, 1]


def test_what_a_spin_off_adds_to_a_member_is_frozen_and_what_joined_is_not():
    """B, a member until Wednesday, doubles to 50 and is suspended; X, then Y, never trades."""
    spun = [
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="B.US"),
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US"),
        action("X.US", WEEK[2], "symbol_change", other="Y.US"),
    ]
    result = index(
        closes("A.US", 10, 10, 10) + closes("B.US", 20, 20),
        *spun,
        rebalance=MONTHLY | {"untradable": "freeze"},
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US", "until": WEEK[2]}],
    )
    assert weights(result, WEEK[2], "shares") == pytest.approx({"A.US": 50, "B.US": 50})


def test_frozen_real_shares_stay_beside_those_of_the_table():
    """B's 100 tabled shares become 200 and are taken; A's 300 become 600 and are not."""
    rows = [("A.US", WEEK[0], 300), ("B.US", WEEK[0], 100), ("A.US", WEEK[1], 600)]
    rows += [("B.US", WEEK[1], 200)]
    result = index(
        closes("A.US", 10, 10, None, 10) + closes("B.US", 20, 20, 20, 20),
        weighting={"scheme": "market_cap"},
        rebalance=MONTHLY | {"untradable": "freeze"},
        market={"shares": [{"symbol": s, "date": d, "total_shares": n} for s, d, n in rows]},
    )
    assert weights(result, WEEK[2], "shares") == {"A.US": 300, "B.US": 200}
    assert column(result, "divisor") == pytest.approx([5, 5, 7, 7])
    assert column(result, "price") == pytest.approx([1000] * 4)


def test_tabled_shares_are_those_of_the_reference_date_with_later_actions():
    """R is Tuesday: its 300 doubled by Wednesday's split, not Wednesday's own row of 900."""
    rows = [("A.US", WEEK[0], 300), ("B.US", WEEK[0], 100), ("A.US", WEEK[2], 900)]
    result = index(
        closes("A.US", 10, 10, 5) + closes("B.US", 20, 20, 20),
        action("A.US", WEEK[2], "split", ratio=2),
        weighting={"scheme": "market_cap"},
        rebalance=MONTHLY | {"reference_lag": 1},
        market={"shares": [{"symbol": s, "date": d, "total_shares": n} for s, d, n in rows]},
    )
    assert weights(result, WEEK[2], "shares") == {"A.US": 600, "B.US": 100}
