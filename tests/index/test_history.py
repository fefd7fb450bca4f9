"""What the tables of a history say of levels, actions, income and the whole, worked by hand.

Unless a test says otherwise A.US and B.US are held, half and half, at 10 and 20 on the base date:
50 and 25 index shares, and a divisor of 1.
"""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import DefinitionError
from indexer.index.history import History
from tests.index.examples import basket, changes, history, price
from tests.reference.example import MONDAY, SATURDAY, SUNDAY, WEEK, action, closes, listed, shares

A = closes("A.US", 10, 11, 11)
B = closes("B.US", 20, 20, 20, 20)
FALLING = closes("B.US", 20, 20, 15.8)
REAL = {"weighting": {"scheme": "market_cap"}}
TOTAL = {"variants": ["price", "gross", "net"]}
MONTHLY = {"frequency": "monthly", "day": str(WEEK[1].day)}  # on Tuesday


# --- the tables -----------------------------------------------------------------------------------


def test_a_history_is_equal_to_itself_alone_and_may_be_a_key():
    one, other = (history(A + closes("B.US", 20, 20, 20)) for _ in "ab")

    assert one != other
    assert len({one, other, one}) == 2


def test_levels_have_a_row_for_each_session_and_variant():
    dividend = action("A.US", WEEK[1], "dividend", cash=0.5)
    found = history(A[:2] + closes("B.US", 20), dividend, variants=["gross", "price"]).levels

    assert found.columns == [
        *("date", "variant", "level", "divisor", "market_value", "carried", "backtested")
    ]
    assert found.rows() == [
        (MONDAY, "gross", 1000.0, None, None, 0, False),
        (MONDAY, "price", 1000.0, 1.0, 1000.0, 0, False),
        (WEEK[1], "gross", 1075.0, None, None, 1, False),
        (WEEK[1], "price", 1050.0, 1.0, 1050.0, 1, False),
    ]


@pytest.mark.parametrize(
    ("selected", "marks"),
    [(MONDAY, [0, 0, 0]), (WEEK[1], [1, 0, 0]), (WEEK[2], [1, 1, 0]), (None, [0, 0, 0])],
)
def test_sessions_before_the_selection_are_marked(selected, marks):
    found = history(A + FALLING, selected_on=selected)

    assert found.levels["backtested"].to_list() == [mark == 1 for mark in marks]
    assert found.summary["backtested_before"] == (str(selected) if any(marks) else None)


def test_weights_have_a_row_for_each_rebalance_and_member():
    """Weights at Monday's closes are 1/2; Tuesday's make 11/21 of A of them: 1050 are shared so."""
    found = history(A + B[:3], rebalance=MONTHLY | {"reference_lag": 1}).weights

    assert found.columns == [
        *("effective", "reference", "first_session", "symbol", "shares"),
        *("capping_factor", "reference_weight", "effective_weight", "tradable"),
    ]
    assert found.rows() == [
        (MONDAY, MONDAY, WEEK[1], "A.US", 50.0, 1.0, 0.5, 0.5, True),
        (MONDAY, MONDAY, WEEK[1], "B.US", 25.0, 1.0, 0.5, 0.5, True),
        (WEEK[1], MONDAY, WEEK[2], "A.US", 50.0, 1.0, 0.5, pytest.approx(11 / 21), True),
        (WEEK[1], MONDAY, WEEK[2], "B.US", 25.0, 1.0, 0.5, pytest.approx(10 / 21), True),
    ]


def test_events_begin_with_the_first_basket_and_hold_only_what_changes():
    """On Tuesday 525 buy 525/11 of A and 26.25 of B; on Wednesday nothing is done."""
    found = history(A + B, rebalance=MONTHLY).events

    assert found.columns == [
        *("date", "symbol", "kind", "shares_before", "shares_after"),
        *("divisor_before", "divisor_after"),
    ]
    assert found.rows() == [
        (MONDAY, "A.US", "rebalance", 0.0, 50.0, 1.0, 1.0),
        (MONDAY, "B.US", "rebalance", 0.0, 25.0, 1.0, 1.0),
        (WEEK[1], "A.US", "rebalance", 50.0, pytest.approx(525 / 11), 1.0, 1.0),
        (WEEK[1], "B.US", "rebalance", 25.0, pytest.approx(26.25), 1.0, 1.0),
    ]


def test_contributions_are_of_the_constituents_held_from_the_second_session_on():
    """C is never a member; A's 50 points are of 1000, B's 105 of 1050."""
    constituents = [*listed("C.US", "A.US"), {"symbol": "B.US"}]
    constituents[0]["until"] = MONDAY
    found = history(A + FALLING + closes("C.US", 5, 6, 7), constituents=constituents).contributions

    assert found.rows() == [
        (WEEK[1], "A.US", pytest.approx(0.05)),
        (WEEK[1], "B.US", 0.0),
        (WEEK[2], "A.US", 0.0),
        (WEEK[2], "B.US", pytest.approx(-105 / 1050)),
    ]
    assert found.schema == {"date": pl.Date, "symbol": pl.String, "contribution": pl.Float64}


def test_a_single_session_has_tables_all_the_same():
    found = history(A[:1] + B[:1])

    assert found.levels.rows() == [(MONDAY, "price", 1000.0, 1.0, 1000.0, 0, False)]
    assert found.contributions.is_empty()
    assert found.summary["volatility"] is None
    assert found.summary["turnover"] == {}


def test_one_return_has_no_volatility():
    assert history(A[:2] + B[:2]).summary["volatility"] is None


def test_excluded_has_effective_date_symbol_and_reason():
    constituents = [{"symbol": "A.US"}, {"symbol": "B.US", "from": WEEK[1], "until": WEEK[2]}]
    found = history(A + B, constituents=constituents, rebalance=MONTHLY).excluded

    assert found.schema == {"effective": pl.Date, "symbol": pl.String, "reason": pl.String}
    assert found.rows() == [(MONDAY, "B.US", f"a member from {WEEK[1]} until {WEEK[2]}")]


def test_what_has_no_close_at_all_is_left_out_of_every_rebalance():
    constituents = [{"symbol": "A.US"}, {"symbol": "B.US"}]
    found = history(A, constituents=constituents, rebalance=MONTHLY)

    assert found.missing == ("B.US",)
    assert found.excluded.rows() == [
        (rebalanced.effective, "B.US", "no close in the folder") for rebalanced in found.rebalances
    ]


def test_the_summary_in_full():
    """1000, 1050, 945, and 550 of these 945 in A; Tuesday moves 25 of 1050 out of A."""
    found = history(A + FALLING, rebalance=MONTHLY)
    last = 525 / 11 * 11 + 26.25 * 15.8
    first, second = math.log(1.05), math.log(last / 1050)
    mean = (first + second) / 2
    deviation = math.sqrt((first - mean) ** 2 + (second - mean) ** 2)  # over 2 − 1
    parts = [525 / last, 26.25 * 15.8 / last]

    assert found.summary == {
        "id": "example",
        "name": {"en": "Example"},
        "synthetic": False,
        "backtested_before": None,
        "definition_digest": basket(rebalance=MONTHLY).digest,
        "market_digest": found.market_digest,
        "variant": "price",
        "first": {"date": "2024-01-08", "level": 1000.0},
        "last": {"date": "2024-01-10", "level": pytest.approx(last)},
        "return": pytest.approx(last / 1000 - 1),
        "volatility": pytest.approx(deviation * math.sqrt(250)),
        "maximum_drawdown": pytest.approx(last / 1050 - 1),
        "turnover": {"2024-01-09": pytest.approx(25 / 1050)},
        "effective_number": pytest.approx(1 / (parts[0] ** 2 + parts[1] ** 2)),
        "constituents": 2,
        "carried_last": 0,
        "closes_off_calendar": 0,
        "missing": [],
        "warnings": [],
    }


def test_the_drawdown_is_the_deepest_and_from_the_highest_level_before():
    """From 1100 to 990, a tenth, and not the rise after it nor the 1 % from the base."""
    found = history(closes("A.US", 10, 12, 9.8, 11) + B)

    assert found.summary["maximum_drawdown"] == pytest.approx(990 / 1100 - 1)
    assert history(A + B).summary["maximum_drawdown"] == 0.0


def test_the_summary_counts_what_is_carried_on_the_last_session():
    assert history(A + B).summary["carried_last"] == 1


@pytest.mark.parametrize(("weight", "told"), [(0.08, [False] * 3), (0.12, [False, True, True])])
def test_an_index_with_more_than_a_tenth_at_old_prices_is_too_stale(weight, told):
    weights = [{"symbol": "A.US", "weight": 1 - weight}, {"symbol": "B.US", "weight": weight}]
    found = history(
        closes("A.US", 10, 10, 10) + closes("B.US", 10),
        weighting={"scheme": "fixed"}, constituents=weights,
    )  # fmt: skip

    assert found.too_stale.tolist() == told


def test_the_last_price_of_a_line_on_the_session_it_leaves_is_not_stale():
    leaves = action("B.US", WEEK[2], "delisting")

    assert history(A + closes("B.US", 10, 10), leaves).too_stale.tolist() == [False] * 3


def test_prices_carried_while_their_exchange_is_closed_are_not_stale():
    """On 5 April Hong Kong is open and Shanghai is not."""
    days = ["2024-04-03", "2024-04-05"]
    rows = [{"symbol": "00700.HK", "date": date.fromisoformat(day), "close": 300.0} for day in days]
    rows += [{"symbol": "600519.SH", "date": date(2024, 4, 3), "close": 1700.0}]
    found = history(
        rows, currency="CNY", calendar="XHKG", base={"date": days[0], "level": 1000},
        constituents=[{"symbol": "00700.HK"}, {"symbol": "600519.SH"}],
        tables={"fx": [{"date": date(2024, 4, 3), "base": "HKD", "quote": "CNY", "rate": 0.9}]},
    )  # fmt: skip

    assert (found.carried.tolist(), found.too_stale.tolist()) == ([0, 1], [False, False])


def test_a_variant_that_is_not_offered_is_replaced_by_the_first_one():
    found = history(A + B, variants=["gross", "price"])

    assert [found.offered(name) for name in TOTAL["variants"]] == ["price", "gross", "gross"]
    assert found.summary["variant"] == "gross"
    assert found.symbols == ("A.US", "B.US")


# --- what actions do to level, divisor and income -------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "ratio", "first", "close"),
    [("split", 2, 10, 5.5), ("split", 0.1, 10, 110), ("bonus", 0.25, 10, 8.8)],
)
def test_more_or_fewer_shares_leave_the_level_to_the_market(kind, ratio, first, close):
    """A rises by a tenth from its restated close of 5, 100 or 8."""
    quantity = ratio if kind == "split" else 1 + ratio
    act = action("A.US", WEEK[1], kind, ratio=ratio)
    found = history(closes("A.US", first, close) + B[:2], act)

    assert price(found) == pytest.approx([1000, 1050])
    assert found.events.row(-1)[:3] == (WEEK[1], "A.US", kind)
    assert changes(found) == [("A.US", kind, pytest.approx([50.0, 50.0 * quantity, 1.0, 1.0]))]
    assert found.contribution[1].tolist() == pytest.approx([0.05, 0.0])

    found = history(closes("A.US", first, close) + B[:2], act, tables=shares(100, 50), **REAL)
    assert price(found) == pytest.approx([1000, 1050])
    assert changes(found) == [("A.US", kind, pytest.approx([100.0, 100.0 * quantity, 2.0, 2.0]))]


def test_the_only_constituent_may_have_an_action():
    split = action("A.US", WEEK[1], "split", ratio=2)
    found = history(closes("A.US", 10, 5.5), split, constituents=listed("A.US"))

    assert price(found) == pytest.approx([1000, 1100])


RIGHTS = action("A.US", WEEK[1], "rights", ratio=0.5, price=8)


def test_rights_reinvest_where_weights_are_given():
    """P' = (11 + 0.5·8)/1.5 = 10, so shares grow by 11/10 and not by 1.5."""
    found = history(closes("A.US", 11, 10.2) + B[:2], RIGHTS)

    assert price(found) == pytest.approx([1000, 500 * 10.2 / 10 + 500])
    assert changes(found) == [("A.US", "rights", pytest.approx([500 / 11, 50.0, 1.0, 1.0]))]


def test_rights_bring_money_where_shares_are_given():
    """100 shares at 11 become 150 and bring 100·0.5·8 = 400 into 1100 + 1100."""
    found = history(closes("A.US", 11, 10.2) + B[:2], RIGHTS, tables=shares(100, 55), **REAL)

    assert found.divisor.tolist() == pytest.approx([2.2, 2.2 * 2600 / 2200])
    assert price(found) == pytest.approx([1000, (150 * 10.2 + 1100) / 2.6])
    assert changes(found) == [("A.US", "rights", pytest.approx([100.0, 150.0, 2.2, 2.6]))]
    assert found.contribution[1].tolist() == pytest.approx([(150 * 10.2 - 1500) / 2600, 0.0])


def test_rights_at_the_last_close_are_nothing():
    found = history(closes("A.US", 8, 8) + B[:2], RIGHTS, tables=shares(100, 40), **REAL)

    assert changes(found) == []
    assert found.divisor.tolist() == [1.6, 1.6]


@pytest.mark.parametrize(
    ("keys", "count", "divisor"), [({}, 50, 1), ({"tables": shares(100, 50)} | REAL, 100, 2)]
)
def test_special_cash_leaves_through_the_divisor_of_every_variant(keys, count, divisor):
    """One of 10 a share is a twentieth of the basket; at 9 nothing has moved but B, by 22/20."""
    special = action("A.US", WEEK[1], "special_dividend", cash=1)
    prices = closes("A.US", 10, 9) + closes("B.US", 20, 22)
    found = history(prices, special, withholding={"US": 0.3}, **TOTAL, **keys)

    for name in ("price", "gross", "net"):
        assert found.variants[name].tolist() == pytest.approx([1000, 1000 * 1000 / 950])
    expected = (count, count, divisor, divisor * 0.95)
    assert changes(found) == [("A.US", "special_dividend", pytest.approx([*map(float, expected)]))]
    assert found.income.tolist() == [[0, 0], [0, 0]]


def test_all_actions_of_a_day_are_one_event():
    """Q = 2·1.5 + 0.5 + 1.5 = 5; P' = (20 − 2 + 1.5·8)/5 = 6; shares grow by 18/6 = 3."""
    kinds = [("split", {"ratio": 2}), ("split", {"ratio": 1.5}), ("bonus", {"ratio": 0.5}),
             ("rights", {"ratio": 1.5, "price": 8}), ("special_dividend", {"cash": 2}),
             ("dividend", {"cash": 0.4}), ("dividend", {"cash": 0.4})]  # fmt: skip
    acts = [action("A.US", WEEK[1], kind, **columns) for kind, columns in kinds]
    found = history(closes("A.US", 20, 6.6) + B[:2], *acts, variants=["price", "gross"])

    name = "split+bonus+rights+special_dividend+dividend"
    assert changes(found) == [("A.US", name, pytest.approx([25.0, 75.0, 1.0, 0.95]))]
    assert price(found) == pytest.approx([1000, (75 * 6.6 + 500) / 0.95])
    assert found.income[1, 0] == pytest.approx(25 * 0.8 / 0.95)


def test_several_ex_dates_between_two_sessions_follow_one_another():
    """Saturday's special of 1 is on 10, Sunday's split on 9, Monday's dividend on 4.5."""
    found = history(
        closes("A.US", *[10] * 5, 4.5) + closes("B.US", *[20] * 6),
        action("A.US", SUNDAY, "split", ratio=2),
        action("A.US", date(2024, 1, 15), "dividend", cash=0.2),
        action("A.US", SATURDAY, "special_dividend", cash=1),
        variants=["price", "gross"],
    )

    assert [row[0] for row in found.events.rows()[2:]] == [date(2024, 1, 15)] * 2
    assert changes(found) == [
        ("A.US", "special_dividend", pytest.approx([50.0, 50.0, 1.0, 0.95])),
        ("A.US", "split", pytest.approx([50.0, 100.0, 0.95, 0.95])),
    ]
    assert price(found)[-1] == pytest.approx(1000)
    assert found.income[-1, 0] == pytest.approx(100 * 0.2 / 0.95)


def test_actions_of_one_morning_follow_the_ex_date_and_then_the_list():
    """Of B that of Saturday, then both of Sunday, all before the open of Monday."""
    found = history(
        closes("A.US", *[10] * 6) + closes("B.US", *[20] * 6),
        action("A.US", SUNDAY, "split", ratio=2),
        action("B.US", SUNDAY, "split", ratio=2),
        action("B.US", SATURDAY, "split", ratio=4),
    )

    assert [row[0] for row in changes(found)] == ["B.US", "A.US", "B.US"]


def test_a_suspended_price_goes_on_restated():
    """10 is carried as 5 over the split and trades again at 5.5."""
    split = action("A.US", WEEK[1], "split", ratio=2)
    found = history(closes("A.US", 10, None, None, 5.5) + B, split)

    assert price(found) == pytest.approx([1000, 1000, 1000, 1050])
    assert found.carried.tolist() == [0, 1, 1, 0]


def test_an_ordinary_dividend_is_income_of_the_total_return_variants():
    """50 shares earn 25 points before tax and 17.5 after; the price index falls by 20."""
    dividend = action("A.US", WEEK[1], "dividend", cash=0.5)
    prices = closes("A.US", 10, 9.6, 9.6) + closes("B.US", 20, 20, 22)
    found = history(prices, dividend, withholding={"US": 0.3}, **TOTAL)

    assert price(found) == pytest.approx([1000, 980, 1030])
    assert found.variants["gross"].tolist() == pytest.approx([1000, 1005, 1005 * 1030 / 980])
    assert found.variants["net"].tolist() == pytest.approx([1000, 997.5, 997.5 * 1030 / 980])
    assert found.income == pytest.approx(found.income * 0 + [[0, 0], [25, 17.5], [0, 0]])
    assert changes(found) == []


@pytest.mark.parametrize(
    ("withholding", "net"),
    [({"US": 0.3, "HK": 0.1}, 0.7 * 50 + 0.9 * 25), (0.2, 0.8 * 75), ({"US": 0, "HK": 0}, 75)],
)
def test_tax_goes_by_the_country_of_the_constituent(withholding, net):
    """Both pay 1 a share; B counts as of Hong Kong."""
    paid = [action(symbol, WEEK[1], "dividend", cash=1) for symbol in ("A.US", "B.US")]
    facts = {"securities": [{"symbol": "B.US", "country": "HK"}]}
    found = history(closes("A.US", 10, 10) + B, *paid, tables=facts,
                    withholding=withholding, **TOTAL)  # fmt: skip

    assert found.income[1].tolist() == pytest.approx([75, net])


def test_a_country_without_a_rate_is_an_error_of_the_net_variant_alone():
    facts = {"securities": [{"symbol": "A.US", "country": "KY"}]}
    keys = {"tables": facts, "withholding": {"HK": 0.1}}
    prices = closes("A.US", 10, 10) + B
    assert price(history(prices, variants=["price", "gross"], **keys)) == [1000] * 4
    with pytest.raises(DefinitionError, match="no rate for KY, US, where") as refused:
        history(prices, variants=["net"], **keys)

    assert refused.value.problems[0].path == "withholding"


def test_capital_moves_at_the_rate_of_the_session_before_and_income_at_its_own():
    """The dollar rises from 7 to 7.7 yuan; A pays 1 special and 0.1 ordinary."""
    pair = {"base": "USD", "quote": "CNY"}
    fx = [{"date": day, "rate": rate, **pair} for day, rate in ((MONDAY, 7.0), (WEEK[1], 7.7))]
    found = history(
        closes("A.US", 10, 9) + closes("600000.SH", 20, 20),
        action("A.US", WEEK[1], "special_dividend", cash=1),
        action("A.US", WEEK[1], "dividend", cash=0.1),
        tables={"fx": fx},
        currency="CNY",
        variants=["price", "gross"],
        constituents=listed("A.US", "600000.SH"),
    )

    assert found.divisor.tolist() == pytest.approx([1, 1 - 500 / 70 * 7 / 1000])
    assert price(found)[1] == pytest.approx((500 / 70 * 9 * 7.7 + 500) / 0.95)
    assert found.income[1].tolist() == pytest.approx([500 / 70 * 0.1 * 7.7 / 0.95] * 2)


def test_opening_weights_are_those_after_the_events_of_the_morning():
    """A opens at 500 of 1000 less a special dividend of 50; on Wednesday at 550 of 1000."""
    special = action("A.US", WEEK[1], "special_dividend", cash=1)
    found = history(closes("A.US", 10, 11, 11) + closes("B.US", 20, 18, 18), special)

    assert np.isnan(found.opening_weights[0]).all()
    assert found.opening_weights[1].tolist() == pytest.approx([450 / 950, 500 / 950])
    assert found.opening_weights[2].tolist() == pytest.approx([550 / 1000, 450 / 1000])


def test_what_is_not_held_opens_with_no_weight():
    constituents = [{"symbol": "A.US"}, {"symbol": "B.US", "from": WEEK[2]}]
    found = history(closes("A.US", 10, 11) + closes("B.US", 20, 18), constituents=constituents)

    assert found.opening_weights[1].tolist() == [1.0, 0.0]


def test_who_takes_over_may_spin_off_another_on_the_same_day():
    """A goes on as C, which traded before: C's ratio counts per share of C, as it was."""
    made = [
        action("A.US", WEEK[1], "symbol_change", other="C.US"),
        action("C.US", WEEK[1], "spinoff", other="D.US", ratio=0.5),
    ]
    flat = [row for s in "BC" for row in closes(f"{s}.US", 10, 10)]
    found = history([*closes("A.US", 10), *flat, *closes("D.US", 4, start=WEEK[1])], *made)

    assert found.shares[1].tolist() == pytest.approx([0, 50, 50, 25])
    assert price(found) == [1000.0, pytest.approx(1100)]


def test_a_line_that_joins_later_changes_no_bit_of_a_weight_before():
    """Of 23 shares one becomes another on the last day: numpy sums 24 in other groups of eight."""
    rng = np.random.default_rng(20260507)
    symbols = [f"A{n:02}.US" for n in range(23)]
    prices = [row for s in symbols for row in closes(s, *rng.integers(500, 2000, 5) / 100)]
    renamed = action("A03.US", WEEK[4], "symbol_change", other="B.US")
    part = history(prices, renamed, constituents=listed(*symbols), until=WEEK[3])
    whole = history(prices, renamed, constituents=listed(*symbols))

    assert whole.shares.shape[1] == 24
    np.testing.assert_array_equal(whole.opening_weights[:4, :23], part.opening_weights)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_what_was_worth_nothing_at_the_open_has_no_weight_in_it(ticks, first, ratio):
    """A share spun off without a price has its first close the next day."""
    spun = action("A.US", WEEK[1], "spinoff", other="B.US", ratio=ratio / 1000)
    prices = closes("A.US", 10, 10, ticks / 100)
    found = history(
        [*prices, {"symbol": "B.US", "date": WEEK[2], "close": first / 100}],
        spun,
        constituents=listed("A.US"),
    )

    assert found.opening_weights[2].tolist() == [pytest.approx(1.0), 0.0]


def test_the_summary_counts_what_is_held_and_not_what_is_listed():
    """Of three the two dearest are held, one of them at a carried price."""
    found = history(
        closes("A.US", 10) + B + closes("C.US", 5, 5, 5),
        constituents=listed("A.US", "B.US", "C.US"),
        selection={"rank_by": "price", "top": 2},
    )

    assert len(found.symbols) == 3
    assert (found.summary["carried_last"], found.summary["constituents"]) == (1, 2)


def test_a_series_holds_nothing():
    none = np.full(2, np.nan)
    days = np.array(WEEK[:2], dtype="datetime64[D]")
    levels = {"price": np.array([100.0, 101.0])}
    found = History(basket(), False, days, levels, none, none, np.zeros(2, dtype=np.int64))

    assert found.summary["constituents"] == 0
