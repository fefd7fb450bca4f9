"""The oracle's corporate actions against examples worked by hand, session by session.

Unless a test says otherwise: A.US and B.US, equal weighted, base level 1000, closes of 10 and 20 on
the base date, so 50 and 25 index shares.
"""

import pytest

from tests.reference.example import (
    NEXT_MONDAY,
    SATURDAY,
    SUNDAY,
    WEEK,
    action,
    closes,
    column,
    index,
    shares,
)
from tests.reference.index import OracleError


def test_a_split_multiplies_the_shares_and_leaves_the_divisor():
    prices = closes("A.US", 10, 5.5, 5.5) + closes("B.US", 20, 20, 22)
    split = action("A.US", WEEK[1], "split", ratio=2)
    for result in (
        index(prices, split),
        index(prices, split, market=shares(100, 50), weighting={"scheme": "market_cap"}),
    ):
        assert column(result, "price") == pytest.approx([1000, 1050, 1100])
        assert len(set(column(result, "divisor"))) == 1
        assert result.contributions[WEEK[1]] == pytest.approx({"A.US": 0.05, "B.US": 0})


def test_a_bonus_adds_shares_per_share():
    result = index(
        closes("A.US", 14, 10.5) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "bonus", ratio=0.4),
    )
    assert column(result, "price") == pytest.approx([1000, 1025])


def test_rights_below_the_prior_close():
    """P' = (11 + 0.5·8)/1.5 = 10: the shares grow by 11/10, or by 1.5 with new money."""
    prices = closes("A.US", 11, 10.2) + closes("B.US", 20, 20)
    rights = action("A.US", WEEK[1], "rights", ratio=0.5, price=8)
    result = index(prices, rights)
    assert column(result, "price") == pytest.approx([1000, 1010])
    assert column(result, "divisor") == [1, 1]
    result = index(prices, rights, market=shares(100, 55), weighting={"scheme": "market_cap"})
    assert column(result, "divisor") == pytest.approx([2.2, 2.6])
    assert column(result, "market_value") == pytest.approx([2200, 2630])
    assert column(result, "price") == pytest.approx([1000, 2630 / 2.6])
    assert result.contributions[WEEK[1]]["A.US"] == pytest.approx((150 * 10.2 - 1500) / 2600)


def test_rights_at_or_above_the_prior_close_are_not_counted():
    prices = closes("A.US", 10, 10) + closes("B.US", 20, 20)
    result = index(prices, action("A.US", WEEK[1], "rights", ratio=0.5, price=10))
    assert column(result, "price") == pytest.approx([1000, 1000])


def test_rights_at_the_prior_close_bring_no_money_into_real_shares():
    prices = closes("A.US", 10, 10) + closes("B.US", 20, 20)
    rights = action("A.US", WEEK[1], "rights", ratio=0.5, price=10)
    result = index(prices, rights, market=shares(100, 50), weighting={"scheme": "market_cap"})
    assert column(result, "divisor") == [2, 2]


def test_rights_are_judged_before_cash_of_the_same_day():
    """P = 9 > 8.5, though 9 less the cash of 1 is below: P' = (9 − 1 + 8.5)/2 = 8.25."""
    result = index(
        closes("A.US", 9, 8.25) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "rights", ratio=1, price=8.5),
        action("A.US", WEEK[1], "special_dividend", cash=1),
    )
    assert column(result, "price") == pytest.approx([1000, 1000])
    assert column(result, "divisor") == pytest.approx([1, (1000 - 500 / 9) / 1000])


def test_an_ordinary_dividend_is_paid_into_total_return_only():
    result = index(
        closes("A.US", 10, 9.6, 9.6) + closes("B.US", 20, 20, 22),
        action("A.US", WEEK[1], "dividend", cash=0.5),
        variants=["price", "gross", "net"],
        withholding={"view": "non-resident", "US": 0.3},
    )
    assert column(result, "price") == pytest.approx([1000, 980, 1030])
    assert column(result, "gross") == pytest.approx([1000, 1005, 1005 * 1030 / 980])
    assert column(result, "net") == pytest.approx([1000, 997.5, 997.5 * 1030 / 980])
    assert column(result, "divisor") == [1, 1, 1]


def test_a_special_dividend_moves_the_divisor_in_every_variant():
    result = index(
        closes("A.US", 10, 9) + closes("B.US", 20, 22),
        action("A.US", WEEK[1], "special_dividend", cash=1),
        variants=["price", "gross", "net"],
        withholding=0,
    )
    assert column(result, "divisor") == pytest.approx([1, 0.95])
    for variant in ("price", "gross", "net"):
        assert column(result, variant) == pytest.approx([1000, 1000 / 0.95])
    assert result.contributions[WEEK[1]] == pytest.approx({"A.US": 0, "B.US": 50 / 950})


def test_events_use_the_prior_sessions_rate_and_dividends_that_of_the_day():
    fx = [
        {"date": WEEK[n], "base": "USD", "quote": "CNY", "rate": r} for n, r in enumerate([7, 7.7])
    ]
    result = index(
        closes("A.US", 10, 9) + closes("600000.SH", 20, 20),
        action("A.US", WEEK[1], "special_dividend", cash=1),
        action("A.US", WEEK[1], "dividend", cash=0.1),
        market={"fx": fx},
        currency="CNY",
        variants=["price", "gross"],
        constituents=[{"symbol": "A.US"}, {"symbol": "600000.SH"}],
    )
    assert column(result, "divisor") == pytest.approx([1, 0.95])
    assert column(result, "price") == pytest.approx([1000, 995 / 0.95])
    assert column(result, "gross") == pytest.approx([1000, (995 + 500 / 70 * 0.1 * 7.7) / 0.95])


@pytest.mark.parametrize(("price", "level"), [(4, 700), (None, 1000), (0, 500)])
def test_a_delisting_is_shown_and_then_leaves(price, level):
    result = index(
        closes("A.US", 10) + closes("B.US", 20, 20, 22),
        action("A.US", WEEK[1], "delisting", price=price),
    )
    assert column(result, "price") == pytest.approx([1000, level, level * 1.1])
    assert column(result, "divisor") == pytest.approx([1, 500 / level, 500 / level])
    assert column(result, "market_value") == pytest.approx([1000, 500, 550])
    assert column(result, "carried") == [0, 1 if price is None else 0, 0]


def test_a_delisting_between_sessions_is_shown_on_the_next():
    result = index(
        closes("A.US", *[10] * 5) + closes("B.US", *[20] * 6),
        action("A.US", SATURDAY, "delisting", price=4),
    )
    assert column(result, "price")[-2:] == pytest.approx([1000, 700])
    assert column(result, "market_value")[-1] == pytest.approx(500)


def test_a_basket_of_which_nothing_is_left_is_an_error():
    with pytest.raises(OracleError, match="nothing is left"):
        index(
            closes("A.US", 10, 10),
            action("A.US", WEEK[1], "delisting"),
            constituents=[{"symbol": "A.US"}],
        )


def test_a_merger_into_a_member_makes_its_shares_grow():
    """50 A become 50·0.4 = 20 B beside the 25: 45·20 = 900 of the 1000 stay, the cash leaves."""
    result = index(
        closes("A.US", 10, 10) + closes("B.US", 20, 20, 22),
        action("A.US", WEEK[1], "merger", cash=2, ratio=0.4, other="B.US"),
    )
    assert column(result, "price") == pytest.approx([1000, 1000, 1100])
    assert column(result, "divisor") == pytest.approx([1, 0.9, 0.9])
    assert column(result, "market_value") == pytest.approx([1000, 900, 990])


def test_a_merger_into_a_stranger_leaves_through_the_divisor():
    result = index(
        closes("A.US", 10, 11) + closes("B.US", 20, 20, 22) + closes("C.US", 5, 5, 5),
        action("A.US", WEEK[1], "merger", ratio=2, other="C.US"),
    )
    assert column(result, "price") == pytest.approx([1000, 1050, 1155])
    assert column(result, "market_value") == pytest.approx([1000, 500, 550])


def test_a_spin_off_joins_at_zero_and_stays_until_the_next_rebalance():
    result = index(
        closes("A.US", 10, 7, 7, 7) + closes("B.US", 20, 20, 20, 22) + closes("X.US", None, 5, 6),
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US"),
        rebalance={"frequency": "monthly", "day": WEEK[2].day},
    )
    assert column(result, "price") == pytest.approx([1000, 975, 1000, 1050])
    assert column(result, "divisor") == [1, 1, 1, 1]
    assert result.contributions[WEEK[1]] == pytest.approx({"A.US": -0.15, "B.US": 0, "X.US": 0.125})
    assert {r["symbol"] for r in result.weights if r["effective"] == WEEK[2]} == {"A.US", "B.US"}
    assert result.turnover[WEEK[2]] == pytest.approx(0.15)


def test_a_spin_off_that_has_not_traded_is_carried_at_zero():
    result = index(
        closes("A.US", 10, 7) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US"),
    )
    assert column(result, "price") == pytest.approx([1000, 850])
    assert column(result, "carried") == [0, 1]


def test_a_symbol_change_continues_under_the_other():
    """The close of 10 is carried under the new symbol, which also goes through a split."""
    result = index(
        closes("A.US", 10) + closes("B.US", 20, 20, 20, 20) + closes("Z.US", None, None, 5.5, 6),
        action("A.US", WEEK[1], "symbol_change", other="Z.US"),
        action("Z.US", WEEK[2], "split", ratio=2),
        rebalance={"frequency": "monthly", "day": WEEK[3].day, "reference_lag": 3},
    )
    assert column(result, "price") == pytest.approx([1000, 1000, 1050, 1100])
    assert column(result, "carried") == [0, 1, 0, 0]
    assert result.contributions[WEEK[1]] == {"Z.US": 0, "B.US": 0}
    last = [row for row in result.weights if row["effective"] == WEEK[3]]
    assert [row["symbol"] for row in last] == ["Z.US", "B.US"]
    assert [row["effective_weight"] for row in last] == pytest.approx([600 / 1100, 500 / 1100])


@pytest.mark.parametrize("named", ["A.US", "Z.US"])
def test_an_action_of_the_day_of_a_symbol_change_may_name_either_symbol(named):
    """50 of A, then Z: half a share of X at 5 each, or paid out at 4."""
    renamed = action("A.US", WEEK[1], "symbol_change", other="Z.US")
    prices = closes("A.US", 10) + closes("Z.US", None, 7) + closes("B.US", 20, 20, 20)
    spun = action(named, WEEK[1], "spinoff", ratio=0.5, other="X.US")
    result = index(prices + closes("X.US", None, 5), renamed, spun)
    assert column(result, "price") == pytest.approx([1000, 975, 975])
    result = index(prices, renamed, action(named, WEEK[1], "delisting", price=4.0))
    assert column(result, "price") == pytest.approx([1000, 700, 700])
    assert column(result, "market_value") == pytest.approx([1000, 500, 500])


def test_a_symbol_that_a_line_gives_up_may_be_that_of_what_it_spins_off():
    """50 of A are 50 of Z at 7, and a quarter as many of a new A at 12."""
    result = index(
        closes("A.US", 10, 12) + closes("Z.US", None, 7) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "symbol_change", other="Z.US"),
        action("Z.US", WEEK[1], "spinoff", ratio=0.25, other="A.US"),
    )
    assert column(result, "price") == pytest.approx([1000, 350 + 150 + 500])


def test_volatility_spans_a_symbol_change():
    """Z continues A: one line of closes 10, 11, 6, 5 over a split of the day of the change."""
    result = index(
        closes("A.US", 10, 11)
        + closes("Z.US", None, None, 6, 5)
        + closes("C.US", 20, 22, 24, 20)
        + closes("D.US", 20, 22, 24, 24),
        action("A.US", WEEK[2], "symbol_change", other="Z.US"),
        action("A.US", WEEK[2], "split", ratio=2),
        base={"date": WEEK[3], "level": 1000.0},
        weighting={"scheme": "inverse_volatility", "lookback": 3},
        constituents=[{"symbol": "A.US"}, {"symbol": "C.US"}, {"symbol": "D.US"}],
    )
    found = {row["symbol"]: row["effective_weight"] for row in result.weights}
    assert list(found) == ["Z.US", "C.US", "D.US"]
    assert found["Z.US"] == pytest.approx(found["C.US"])
    assert found["D.US"] > 1.5 * found["C.US"]


def test_a_symbol_that_is_a_member_takes_up_the_shares_of_another():
    result = index(
        closes("A.US", 10, 20) + closes("B.US", 20, 20, 22),
        action("A.US", WEEK[2], "symbol_change", other="B.US"),
    )
    assert column(result, "price") == pytest.approx([1000, 1500, 1650])


def test_all_actions_of_one_day_are_one_event():
    """Q = 2·1.5 + 0.5 + 1.5 = 5: 20 less special 2 plus rights 1.5·8 is 30, P' = 6."""
    result = index(
        closes("A.US", 20, 6.6) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "split", ratio=2),
        action("A.US", WEEK[1], "split", ratio=1.5),
        action("A.US", WEEK[1], "bonus", ratio=0.5),
        action("A.US", WEEK[1], "rights", ratio=1.5, price=8),
        action("A.US", WEEK[1], "special_dividend", cash=2),
        action("A.US", WEEK[1], "dividend", cash=0.4),
        action("A.US", WEEK[1], "dividend", cash=0.4),
        variants=["price", "gross"],
    )
    divisor, held = (1000 - 25 * 2) / 1000, 25 * 18 / 6
    level = (held * 6.6 + 500) / divisor
    assert column(result, "divisor") == pytest.approx([1, divisor])
    assert column(result, "price") == pytest.approx([1000, level])
    assert column(result, "gross") == pytest.approx([1000, level + 25 * 0.8 / divisor])


def test_several_events_inside_one_suspension():
    """12 → split 2 → 6 → special 1 → 5, then the first close since at 5.5."""
    result = index(
        closes("A.US", 12, None, None, None, 5.5) + closes("B.US", 20, 20, 20, 20, 20),
        action("A.US", WEEK[1], "split", ratio=2),
        action("A.US", WEEK[2], "special_dividend", cash=1),
        action("A.US", WEEK[3], "dividend", cash=0.3),
        variants=["price", "gross"],
    )
    held = 500 / 12 * 2
    divisor = (1000 - held) / 1000
    end = (held * 5.5 + 500) / divisor
    assert column(result, "price") == pytest.approx([1000, 1000, 1000, 1000, end])
    assert column(result, "divisor") == pytest.approx([1, 1, divisor, divisor, divisor])
    assert column(result, "carried") == [0, 1, 1, 1, 0]
    paid = 1 + held * 0.3 / divisor / 1000
    assert column(result, "gross") == pytest.approx([1000, 1000, 1000, 1000 * paid, end * paid])


@pytest.mark.parametrize("ex_date", [SATURDAY, SUNDAY, NEXT_MONDAY])
def test_an_ex_date_between_sessions_takes_effect_on_the_next(ex_date):
    result = index(
        closes("A.US", 10, 10, 10, 10, 10, 5.5) + closes("B.US", *[20] * 6),
        action("A.US", ex_date, "split", ratio=2),
    )
    assert column(result, "price")[-2:] == pytest.approx([1000, 1050])


@pytest.mark.parametrize(("ex_date", "close"), [(SATURDAY, 5.5), (SUNDAY, 11.0)])
def test_a_close_between_sessions_is_restated_for_later_actions_only(ex_date, close):
    off = [{"symbol": "A.US", "date": SATURDAY, "close": close}]
    result = index(
        closes("A.US", 10, 10, 10, 10, 10) + off + closes("B.US", *[20] * 6),
        action("A.US", ex_date, "split", ratio=2),
    )
    assert column(result, "price")[-2:] == pytest.approx([1000, 1050])


def test_several_ex_dates_between_two_sessions_are_in_order():
    """The dividend of Sunday is per share after the split of Saturday."""
    result = index(
        closes("A.US", 10, 10, 10, 10, 10, 4.9) + closes("B.US", *[20] * 6),
        action("A.US", SUNDAY, "dividend", cash=0.1),
        action("A.US", SATURDAY, "split", ratio=2),
        variants=["price", "gross"],
    )
    assert column(result, "price")[-1] == pytest.approx(990)
    assert column(result, "gross")[-1] == pytest.approx(1000)


def test_actions_between_reference_and_effective_date():
    """Equal at the reference prices of 10 and 20; a split and a move of A by a tenth follow."""
    result = index(
        closes("A.US", 10, 10, 5.5) + closes("B.US", 20, 20, 20),
        action("A.US", WEEK[2], "split", ratio=2),
        rebalance={"frequency": "monthly", "day": WEEK[2].day, "reference_lag": 1},
    )
    last = [row for row in result.weights if row["effective"] == WEEK[2]]
    assert [row["reference_weight"] for row in last] == [0.5, 0.5]
    assert [row["effective_weight"] for row in last] == pytest.approx([11 / 21, 10 / 21])
    assert [row["shares"] for row in last] == pytest.approx([100, 25])
    assert last[0]["reference"] == WEEK[1]
    assert last[0]["first_session"] == WEEK[3]
    assert result.turnover[WEEK[2]] == pytest.approx(0, abs=1e-15)
