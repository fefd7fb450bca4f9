"""From a basket and a panel to levels: carried prices, departures, and what is refused.

Unless a test says otherwise A.US and B.US are held, half and half, at 10 and 20 on the base date:
50 and 25 index shares, and a divisor of 1.
"""

from datetime import date

import numpy as np
import pytest

from indexer.errors import MarketDataError, MissingInputError
from tests.index.examples import changes, history, price, weights
from tests.reference.example import (
    MONDAY,
    NEXT_MONDAY,
    SATURDAY,
    SESSIONS,
    SUNDAY,
    WEEK,
    action,
    closes,
    listed,
    shares,
)

A, B = closes("A.US", 10, 11, 12), closes("B.US", 20, 20, 20)
BEFORE = SESSIONS[SESSIONS.index(MONDAY) - 1]
MONTHLY = {"frequency": "monthly", "day": str(WEEK[1].day)}  # on Tuesday


# --- stale and impossible prices ------------------------------------------------------------------


def test_cash_above_a_close_since_the_last_session_is_refused():
    """A falls to 0.4 on Saturday and pays out half on Monday, on which it does not trade."""
    rows = [*closes("A.US", *[10] * 5), {"symbol": "A.US", "date": SATURDAY, "close": 0.4}]
    paid = action("A.US", NEXT_MONDAY, "special_dividend", cash=0.5)
    message = f"^actions: A.US: {NEXT_MONDAY}: cash of 0.5 leaves nothing of the close of 0.4$"
    with pytest.raises(MarketDataError, match=message):
        history(rows + closes("B.US", *[20] * 6), paid)


@pytest.mark.parametrize("monday", [[], [{"symbol": "A.US", "date": NEXT_MONDAY, "close": 9}]])
@pytest.mark.parametrize(("weighting", "level"), [("equal", 950), ("market_cap", 900)])
def test_rights_are_judged_by_the_last_close_before_them_though_on_no_session(
    monday, weighting, level
):
    """At 9.5 nobody takes them up: A, at 10 on Friday, is at 9 on Saturday, and stays there."""
    rows = [*closes("A.US", *[10] * 5), {"symbol": "A.US", "date": SATURDAY, "close": 9}, *monday]
    rights = action("A.US", SUNDAY, "rights", ratio=0.5, price=9.5)
    found = history(rows + closes("B.US", *[20] * 6), rights, tables=shares(200, 1e-9),
                    weighting={"scheme": weighting})  # fmt: skip

    assert price(found)[-1] == pytest.approx(level)


@pytest.mark.parametrize("monday", [[], [{"symbol": "A.US", "date": NEXT_MONDAY, "close": 26 / 3}]])
def test_shares_grow_by_the_close_that_the_price_is_restated_from(monday):
    """One for two at 8 on Saturday's 9: P' = 26/3, shares by 9 · 3 / 26; A is worth 450."""
    rows = [*closes("A.US", *[10] * 5), {"symbol": "A.US", "date": SATURDAY, "close": 9}, *monday]
    rights = action("A.US", SUNDAY, "rights", ratio=0.5, price=8)
    found = history(rows + closes("B.US", *[20] * 6), rights)

    assert price(found)[-1] == pytest.approx(950)
    assert found.shares[-1].tolist() == pytest.approx([50 * 27 / 26, 25])


def test_a_price_may_be_carried_for_so_many_sessions_and_no_more():
    """A's last close is Monday's; on Wednesday it is two sessions old."""
    rows = closes("A.US", 10) + B
    assert history(rows, max_stale=2).carried.tolist() == [0, 1, 1]
    message = f"^prices: A.US: on {WEEK[2]} its close of {MONDAY} is carried beyond max_stale 1$"
    with pytest.raises(MarketDataError, match=message):
        history(rows, max_stale=1)


def test_who_is_not_held_may_be_stale():
    constituents = [{"symbol": "A.US", "until": WEEK[1]}, {"symbol": "B.US"}]
    keys = {"constituents": constituents, "rebalance": MONTHLY, "max_stale": 1}

    assert len(history(closes("A.US", 10) + B, **keys).days) == 3


def test_all_that_is_stale_is_named():
    rows = closes("A.US", 10) + closes("B.US", 20) + closes("C.US", 5, 5, 5)
    with pytest.raises(MarketDataError) as refused:
        history(rows, max_stale=0, constituents=listed("A.US", "B.US", "C.US"))

    assert [flaw.symbol for flaw in refused.value.flaws] == ["A.US", "B.US"]
    assert str(refused.value).count(f"on {WEEK[1]} its close of {MONDAY}") == 2


def test_the_first_session_on_which_a_close_is_too_old_is_told():
    """A's close of Monday is two sessions old on Wednesday; on Thursday A trades again."""
    message = f"^prices: A.US: on {WEEK[2]} its close of {MONDAY} is carried beyond max_stale 1$"
    with pytest.raises(MarketDataError, match=message):
        history(closes("A.US", 10, None, None, 10, 10) + closes("B.US", *[20] * 5), max_stale=1)


@np.errstate(all="ignore")  # what is not compiled would warn of it
def test_a_level_beyond_all_numbers_is_an_error():
    with pytest.raises(MarketDataError, match=f"^example: the level of {WEEK[1]} is no finite"):
        history(closes("A.US", 1e-300, 1e300, 1) + B)


@np.errstate(all="ignore")  # what is not compiled would warn of it
def test_a_level_may_be_beyond_all_numbers_though_the_market_value_is_not():
    """Of 1e12 points on Monday so many on Tuesday as closes grow: 1e300 times."""
    rows = closes("A.US", 1e-150, 1e150) + closes("B.US", 2e-150, 2e150)
    with pytest.raises(MarketDataError, match=f"^example: the level of {WEEK[1]} is no finite"):
        history(rows, base={"date": MONDAY, "level": 1e12}, tables=shares(100, 50),
                weighting={"scheme": "market_cap"})  # fmt: skip


def test_dividends_may_carry_the_total_return_beyond_all_numbers():
    """A rate that is all but zero for a day leaves a level, and none that grows from it."""
    rates = [
        {"date": day, "base": "HKD", "quote": "USD", "rate": rate}
        for day, rate in zip(WEEK, (1.0, 5e-324, 1.0), strict=False)
    ]
    paid = action("00001.HK", WEEK[2], "dividend", cash=1)
    with pytest.raises(MarketDataError, match=f"^example: the level of {WEEK[2]} is no finite"):
        history(closes("00001.HK", 10, 10, 10), paid, constituents=listed("00001.HK"),
                variants=["price", "gross"], tables={"fx": rates})  # fmt: skip


@np.errstate(all="ignore")  # what is not compiled would warn of it
def test_shares_beyond_all_numbers_are_an_error():
    """On Tuesday half of what is left would buy A at the least price there is."""
    with pytest.raises(MarketDataError, match=f"^example: the level of {WEEK[1]} is no finite"):
        history(closes("A.US", 10, 5e-324, 10) + B, rebalance=MONTHLY)


# --- departures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "level"), [(4.0, 700), (None, 1050), (0.0, 500)])
def test_a_delisting_is_shown_and_then_leaves(given, level):
    gone = action("A.US", WEEK[1], "delisting", price=given)
    found = history(A + closes("B.US", 20, 20, 22), gone)

    assert price(found) == pytest.approx([1000, level, level * 1.1])
    assert found.market_value.tolist() == pytest.approx([1000, 500, 550])
    divisor = 500 / level
    assert found.divisor.tolist() == pytest.approx([1, divisor, divisor])
    assert changes(found) == [("A.US", "delisting", pytest.approx([50, 0, 1, divisor]))]
    assert found.events["date"][-1] == WEEK[1]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"kind": "delisting", "price": 2.0}, "delisting price 2.0 and delisting price 4.0"),
        ({"kind": "delisting"}, "delisting and delisting price 4.0"),
        ({"kind": "merger", "cash": 6.0}, "merger cash 6.0 and delisting price 4.0"),
    ],
)
def test_who_leaves_on_one_day_in_two_ways_is_refused(other, told):
    """And both rows are named, whichever the file lists first."""
    one = action("A.US", WEEK[1], "delisting", price=4.0)
    for acts in ([one, one | {"price": None} | other], [one | {"price": None} | other, one]):
        with pytest.raises(MarketDataError, match=f"^actions: A.US: {told} on {WEEK[1]}: keep"):
            history(A + B, *acts)


def test_a_delisting_told_twice_is_one():
    gone = action("A.US", WEEK[1], "delisting", price=4.0)

    assert price(history(A + B, gone, gone)) == price(history(A + B, gone))


def test_a_line_may_merge_into_two_others():
    """A third each at 20, 20 and 10: of 50/3 of A come 25/3 of B and 50/3 of C."""
    legs = [
        action("A.US", WEEK[1], "merger", ratio=ratio, other=other)
        for ratio, other in ((0.5, "B.US"), (1.0, "C.US"))
    ]
    found = history(closes("A.US", *[20] * 3) + B + closes("C.US", *[10] * 3), *legs,
                    constituents=listed("A.US", "B.US", "C.US"))  # fmt: skip

    assert found.shares[-1].tolist() == pytest.approx([0, 25, 50])


def test_a_delisting_price_is_not_a_carried_one():
    gone = action("A.US", WEEK[1], "delisting")

    assert history(A[:1] + B, gone | {"price": 4.0}).carried.tolist() == [0, 0, 0]
    assert history(A[:1] + B, gone).carried.tolist() == [0, 1, 0]


def test_a_delisting_between_sessions_is_shown_on_the_next():
    gone = action("A.US", SATURDAY, "delisting", price=4.0)
    found = history(closes("A.US", *[10] * 5) + closes("B.US", *[20] * 6), gone)

    assert price(found)[-2:] == pytest.approx([1000, 700])
    assert found.market_value.tolist()[-2:] == [1000, 500]


@pytest.mark.parametrize(
    ("legs", "held", "value"),
    [
        ({"cash": 12.0}, 25, 500),
        ({"ratio": 0.4, "other": "B.US"}, 45, 900),
        ({"cash": 2.0, "ratio": 0.4, "other": "B.US"}, 45, 900),
        ({"ratio": 0.4, "other": "C.US"}, 25, 500),
        ({"ratio": 0.4, "other": "D.US"}, 25, 500),
    ],
)
def test_a_merger_becomes_shares_of_a_member_and_the_rest_leaves(legs, held, value):
    """C is listed, but no member; 50 A at 11 are in the level of Tuesday, 1050."""
    constituents = [{"symbol": "C.US", "from": WEEK[4]}, *listed("A.US", "B.US")]
    found = history(A + closes("B.US", 20, 20, 22) + closes("C.US", 5, 5, 5),
                    action("A.US", WEEK[1], "merger", **legs),
                    constituents=constituents)  # fmt: skip

    assert price(found) == pytest.approx([1000, 1050, 1155])
    assert found.market_value.tolist() == pytest.approx([1000, value, value * 1.1])
    assert found.divisor[1] == pytest.approx(value / 1050)
    rows = [("A.US", "merger", pytest.approx([50, 0, 1, value / 1050]))]
    if held > 25:
        rows += [("B.US", "merger", pytest.approx([25, held, 1, value / 1050]))]
    assert changes(found) == rows


def test_a_merger_into_a_member_listed_before_it():
    gone = action("B.US", WEEK[1], "merger", ratio=2, other="A.US")

    assert history(A + B, gone).shares[2].tolist() == [100, 0]


def test_one_share_is_a_holding_and_part_of_one_is():
    """One of A at 0.5 and a fortieth of B at 20: A leaves, and half of the value with it."""
    rows = closes("A.US", 0.5, 0.5, 0.5) + B[:1]
    keys = {"base": {"date": MONDAY, "level": 1.0}}
    found = history(rows, action("A.US", WEEK[1], "delisting"), **keys)

    assert found.market_value.tolist() == [1, 0.5, 0.5]
    assert found.carried.tolist() == [0, 1, 1]
    with pytest.raises(MarketDataError, match="carried beyond max_stale"):
        history(rows, max_stale=1, **keys)


def test_one_share_may_be_all_that_is_left():
    """One of A and one of B, at 1 each: A leaves."""
    rows = closes("A.US", 1, 1, 1) + closes("B.US", 1, 1, 1)
    gone = action("A.US", WEEK[1], "delisting")
    found = history(rows, gone, base={"date": MONDAY, "level": 2.0})

    assert found.market_value.tolist() == [2, 1, 1]


def test_a_departure_after_a_rebalance_waits_for_its_day():
    """All is 1050 on Tuesday; on Wednesday A, by then 525, leaves at 12/11 of that."""
    gone = action("A.US", WEEK[2], "delisting")
    found = history(A + B, gone, rebalance=MONTHLY)

    assert found.divisor.tolist() == pytest.approx([1, 1, 525 / (525 * 12 / 11 + 525)])
    assert [row[:2] for row in changes(found)] == [
        ("A.US", "rebalance"), ("B.US", "rebalance"), ("A.US", "delisting")
    ]  # fmt: skip


def test_who_merges_into_one_that_leaves_that_day_leaves_too():
    rows = A + B + closes("C.US", 5, 5, 5)
    gone = [action("A.US", WEEK[1], "merger", ratio=1, other="B.US"),
            action("B.US", WEEK[1], "delisting", price=20.0)]  # fmt: skip
    found = history(rows, *gone, constituents=listed("A.US", "B.US", "C.US"))

    assert found.shares[2].tolist() == pytest.approx([0, 0, 1000 / 15])
    assert [row[:2] for row in changes(found)] == [("A.US", "merger"), ("B.US", "delisting")]


@pytest.mark.parametrize("named", ["A.US", "Z.US"])
def test_a_departure_on_the_day_of_a_change_of_symbol_is_of_either_symbol(named):
    """50 of A, Z since that morning, are paid out at 4."""
    renamed = action("A.US", WEEK[1], "symbol_change", other="Z.US")
    gone = action(named, WEEK[1], "delisting", price=4.0)
    found = history(A[:1] + closes("Z.US", None, 11) + B, renamed, gone)

    assert price(found) == pytest.approx([1000, 700, 700])
    assert found.market_value.tolist() == [1000, 500, 500]


def test_a_departure_before_a_change_of_symbol_of_the_same_morning():
    """A leaves on Saturday, but is Z, since Sunday, by the close of Monday."""
    renamed = action("A.US", SUNDAY, "symbol_change", other="Z.US")
    gone = action("A.US", SATURDAY, "delisting", price=4.0)
    found = history(closes("A.US", *[10] * 5) + closes("B.US", *[20] * 6), renamed, gone)

    assert price(found)[-2:] == pytest.approx([1000, 700])
    assert found.market_value.tolist()[-2:] == [1000, 500]


@pytest.mark.parametrize("kind", ["delisting", "merger"])
def test_a_basket_of_which_nothing_is_left_is_an_error(kind):
    gone = action("A.US", WEEK[1], kind, **({"cash": 1.0} if kind == "merger" else {}))
    message = f"^example: A.US: nothing is left after the close of {WEEK[1]}: {kind}$"
    with pytest.raises(MissingInputError, match=message):
        history(A, gone, constituents=listed("A.US"))


def test_of_those_that_leave_nothing_the_first_one_listed_is_named():
    gone = action("B.US", WEEK[1], "delisting"), action("A.US", WEEK[1], "merger", cash=1.0)
    message = f"^example: A.US: nothing is left after the close of {WEEK[1]}: merger$"
    with pytest.raises(MissingInputError, match=message):
        history(A + B, *gone)


def test_of_those_that_leave_nothing_one_that_was_held_is_named():
    """A was never a member, though it is listed first and leaves that day too."""
    gone = [action(symbol, WEEK[1], "delisting") for symbol in ("A.US", "B.US")]
    constituents = [{"symbol": "A.US", "from": WEEK[4]}, {"symbol": "B.US"}]
    with pytest.raises(MissingInputError, match=r"^example: B\.US: nothing is left"):
        history(A + B, *gone, constituents=constituents)


def test_departures_come_before_the_rebalance_of_their_day():
    """1050 less A's 550 is 500, all of it in B, and C joins for half."""
    constituents = [*listed("A.US", "B.US"), {"symbol": "C.US", "from": WEEK[1]}]
    gone = action("A.US", WEEK[1], "delisting")
    found = history(A + B + closes("C.US", 5, 5, 5), gone, constituents=constituents,
                    rebalance=MONTHLY)  # fmt: skip

    assert weights(found, WEEK[1], "shares") == pytest.approx({"B.US": 12.5, "C.US": 50})
    assert [row[:2] for row in changes(found)] == [
        ("A.US", "delisting"), ("B.US", "rebalance"), ("C.US", "rebalance")
    ]  # fmt: skip
    assert found.rebalances[1].turnover == pytest.approx(0.5)


def test_who_left_before_the_base_date_or_was_never_held_changes_nothing():
    early = closes("A.US", 9, start=SESSIONS[SESSIONS.index(MONDAY) - 3])
    found = history(early + A + closes("B.US", 20, 22, 24), action("A.US", BEFORE, "delisting"))
    assert found.market_value.tolist() == pytest.approx([1000, 1100, 1200])

    constituents = [{"symbol": "A.US", "from": WEEK[4]}, {"symbol": "B.US"}]
    found = history(A + B, action("A.US", WEEK[1], "delisting"), constituents=constituents)
    assert changes(found) == []


# --- what changes between rebalances --------------------------------------------------------------


def test_what_a_line_gives_to_itself_is_told_once():
    """A is Z on the day on which it spins off half a share of Z."""
    found = history(
        A[:1] + closes("Z.US", None, 10) + B,
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="Z.US"),
        action("A.US", WEEK[1], "symbol_change", other="Z.US"),
    )

    assert changes(found) == [
        ("A.US", "symbol_change", [50, 0, 1, 1]),
        ("Z.US", "symbol_change", [0, 50, 1, 1]),
        ("Z.US", "spinoff", [50, 75, 1, 1]),
    ]


def test_who_was_chosen_at_the_last_rebalance_has_not_joined_since():
    """Half of 1000 buys 12.5 of C on 12 January, which is suspended on 12 February."""
    day = SESSIONS.index(date(2024, 2, 12)) - SESSIONS.index(MONDAY)
    found = history(
        closes("A.US", *[10] * (day + 1)) + closes("C.US", *[40] * day),
        constituents=[
            {"symbol": "A.US"},
            {"symbol": "C.US", "from": date(2024, 1, 12), "until": date(2024, 2, 12)},
        ],
        rebalance={"frequency": "monthly", "day": "12", "untradable": "freeze"},
    )

    assert weights(found, date(2024, 2, 12), "shares") == pytest.approx({"A.US": 50, "C.US": 12.5})


def test_who_was_sold_at_the_last_rebalance_may_join_by_a_spin_off_since():
    """C, held from the base date to 12 January, is suspended when the 100 from A are to be sold."""
    day = SESSIONS.index(date(2024, 2, 12)) - SESSIONS.index(MONDAY)
    found = history(
        closes("A.US", *[10] * (day + 1)) + closes("C.US", *[40] * day),
        action("A.US", date(2024, 1, 15), "spinoff", ratio=1, other="C.US"),
        constituents=[{"symbol": "A.US"}, {"symbol": "C.US", "until": date(2024, 1, 12)}],
        rebalance={"frequency": "monthly", "day": "12", "untradable": "freeze"},
    )

    assert found.shares[-1].tolist() == pytest.approx([100, 100])
    assert weights(found, date(2024, 2, 12), "shares") == pytest.approx({"A.US": 500})


def test_who_goes_on_under_another_symbol_has_not_joined_either():
    """25 of B are Z from Tuesday on, which is suspended on Wednesday."""
    found = history(
        A + closes("B.US", 20) + closes("Z.US", None, 20),
        action("B.US", WEEK[1], "symbol_change", other="Z.US"),
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US", "until": WEEK[2]}],
        rebalance={"frequency": "monthly", "day": str(WEEK[2].day), "untradable": "freeze"},
    )

    assert weights(found, WEEK[2], "shares") == pytest.approx({"A.US": 50, "Z.US": 25})


@pytest.mark.parametrize("named", ["B.US", "Z.US"])
def test_who_has_left_joins_by_a_spin_off_as_anybody_does(named):
    """B, or Z that it goes on as, is delisted on Tuesday and sold on Thursday, though suspended."""
    found = history(
        closes("A.US", 10, 10, 10, 10) + closes("B.US", 20, 20),
        action("B.US", WEEK[1], "symbol_change", other="Z.US"),
        action(named, WEEK[1], "delisting"),
        action("A.US", WEEK[2], "spinoff", ratio=1, other="Z.US"),
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US", "until": WEEK[2]}],
        rebalance={"frequency": "monthly", "day": str(WEEK[3].day), "untradable": "freeze"},
    )

    assert set(weights(found, WEEK[3])) == {"A.US"}


def test_a_spin_off_is_of_the_symbol_of_its_day_though_others_follow():
    """A is Y from Tuesday on, when 50 at 7 spin off 25 at 5, and is to be Z, a constituent."""
    found = history(
        A[:1]
        + closes("Y.US", None, 7)
        + closes("Z.US", None, None, 7)
        + closes("X.US", None, 5)
        + B,
        action("A.US", WEEK[1], "symbol_change", other="Y.US"),
        action("Y.US", WEEK[2], "symbol_change", other="Z.US"),
        action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US"),
        constituents=listed("A.US", "B.US", "Z.US"),
    )

    assert price(found) == pytest.approx([1000, 975, 975])


def test_adjusted_prices_contain_their_spin_offs():
    spun = action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US")
    facts = [{"symbol": "A.US", "price_kind": "total_return_adjusted"}]
    found = history(A + B + closes("X.US", None, 5), spun, tables={"securities": facts})

    assert found.variants["gross"].tolist() == pytest.approx([1000, 1050, 1100])


def test_a_line_that_joins_by_a_spin_off_is_as_old_as_its_own_last_close():
    """X last closed four sessions before it joins on Tuesday: no other close is as old."""
    early = closes("X.US", 5, start=SESSIONS[SESSIONS.index(MONDAY) - 3])
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="X.US")

    assert history(A[:2] + B[:2] + early, spun, max_stale=4).carried.tolist() == [0, 1]
    with pytest.raises(MarketDataError, match=r"X\.US: .* is carried beyond max_stale 3$"):
        history(A[:2] + B[:2] + early, spun, max_stale=3)


@pytest.mark.parametrize("paid", [(), (action("00009.HK", WEEK[2], "dividend", cash=0.1),)])
def test_a_rate_that_is_missing_is_told_as_that_whatever_it_is_needed_for(paid):
    """X is spun off on Tuesday; what it pays on Wednesday has no rate either."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="00009.HK")
    rows = A + B + closes("00009.HK", None, 7.8, 7.8)
    with pytest.raises(MissingInputError, match=f"^fx: 00009.HK: no HKD rate by {WEEK[1]}"):
        history(rows, spun, *paid)
