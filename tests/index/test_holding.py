"""What a basket holds after a rebalance, and what passes from line to line, worked by hand.

Unless a test says otherwise A.US and B.US are held, half and half, at 10 and 20 on the base date:
50 and 25 index shares, and a divisor of 1. Rebalances are on Wednesday.
"""

from itertools import pairwise

import numpy as np
import pytest

from indexer.errors import MarketDataError, MissingInputError
from indexer.index.history import History
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

B = closes("B.US", 20, 20, 20, 20)
REAL = {"weighting": {"scheme": "market_cap"}}
MONTHLY = {"frequency": "monthly", "day": str(WEEK[2].day)}
LATE = MONTHLY | {"reference_lag": 1}
FREEZE = {"rebalance": MONTHLY | {"untradable": "freeze"}}


# --- after the close of an effective date ---------------------------------------------------------


@pytest.mark.parametrize("day", range(4))
def test_events_after_the_reference_date_reach_the_shares_of_its_prices(day):
    """Two for one on some day of the week moves no value: from Tuesday to Wednesday halves stay."""
    path = [10.0 if n < day else 5.0 for n in range(4)]
    split = action("A.US", WEEK[day], "split", ratio=2)
    found = history(closes("A.US", *path) + B, split, rebalance=LATE)

    assert weights(found, WEEK[2]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
    assert found.rebalances[1].turnover == pytest.approx(0, abs=1e-15)
    assert price(found) == pytest.approx([1000] * 4)


@pytest.mark.parametrize(("day", "count"), [(1, 100), (2, 200), (3, 100)])
def test_tabled_shares_grow_by_events_after_the_reference_date(day, count):
    """A split of Tuesday, the reference date, is in the table of that date or nowhere."""
    split = action("A.US", WEEK[day], "split", ratio=2)
    found = history(closes("A.US", 10, 10, 10, 10) + B, split, tables=shares(100, 50),
                    rebalance=LATE, **REAL)  # fmt: skip

    assert weights(found, WEEK[2], "shares") == {"A.US": count, "B.US": 50}


def test_where_no_share_changes_the_divisor_stays_to_the_last_bit():
    """Of these closes an eighth make a divisor times value over value another one."""
    drawn = np.random.default_rng(1).uniform(5, 50, (40, 2, 4)).round(2).tolist()
    for a, b in drawn:
        found = history(closes("A.US", *a) + closes("B.US", *b), tables=shares(100, 50),
                        rebalance=MONTHLY, **REAL)  # fmt: skip

        assert len(found.rebalances) == 2
        assert len(set(found.divisor.tolist())) == 1, (a, b)
        assert set(found.events["date"]) == {WEEK[0]}


def test_rights_between_grow_tabled_shares_by_their_number_and_others_by_their_worth():
    """One for two at 8 on 11: P' = 10, by 1.5 or by 1.1; B is worth 20 throughout."""
    prices = closes("A.US", 11, 11, 10) + B[:3]
    rights = action("A.US", WEEK[2], "rights", ratio=0.5, price=8)
    rule = {"rebalance": LATE}
    found = history(prices, rights, tables=shares(100, 50), **rule, **REAL)
    assert weights(found, WEEK[2], "shares") == {"A.US": 150, "B.US": 50}

    found = history(prices, rights, **rule)
    assert weights(found, WEEK[2]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})


@pytest.mark.parametrize(
    ("dated", "held"),
    [("reference", {"A.US": 40, "B.US": 40}), ("effective", {"A.US": 1000 / 30, "B.US": 50})],
)
def test_shares_are_set_at_reference_or_at_effective_prices(dated, held):
    """A is 20 on Tuesday, as B is, and 30 on Wednesday, when 50·30 + 25·20 = 2000 are shared."""
    found = history(closes("A.US", 10, 20, 30) + B[:3], rebalance=LATE | {"price_date": dated})

    assert weights(found, WEEK[2], "shares") == pytest.approx(held)
    assert (found.divisor[2], found.market_value[2]) == (1, 2000)


def test_the_divisor_moves_at_a_rebalance_of_tabled_shares():
    """B's 50 become 100: 2000 at a divisor of 2 are 3000 at 3."""
    rows = shares(100, 50)["shares"] + [{"symbol": "B.US", "date": WEEK[2], "total_shares": 100.0}]
    found = history(closes("A.US", *[10] * 4) + B, tables={"shares": rows},
                    rebalance=MONTHLY, **REAL)  # fmt: skip

    assert found.divisor.tolist() == [2, 2, 3, 3]
    assert found.market_value.tolist() == [2000, 2000, 3000, 3000]
    assert changes(found) == [("B.US", "rebalance", [50, 100, 2, 3])]
    assert found.rebalances[1].turnover == pytest.approx(2 / 3 - 1 / 2)


def test_weights_of_a_basket_worth_less_than_one():
    """Half a point is shared; on Wednesday A has 0.3 of 0.55."""
    found = history(closes("A.US", 10, 10, 12) + B[:3], rebalance=MONTHLY,
                    base={"date": MONDAY, "level": 0.5})  # fmt: skip

    assert weights(found, MONDAY) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
    assert found.rebalances[1].turnover == pytest.approx(0.3 / 0.55 - 0.5)


def test_the_first_basket_has_no_turnover():
    assert history(closes("A.US", 10) + B[:1]).rebalances[0].turnover == 0


# --- what cannot be traded ------------------------------------------------------------------------

FOUR = (
    closes("A.US", 10, 14, None, 14)
    + B
    + closes("600000.SH", None, 10, 11, 11)
    + closes("D.US", None, 4, 4, 4)
)
IN_DOLLARS = {"securities": [{"symbol": "600000.SH", "currency": "USD"}]}


def four(untradable: str) -> History:
    """Return a history in which all differ on Wednesday.

    A, held, is suspended; B trades; 600000 is new and at its limit; D is new.
    """
    return history(
        FOUR,
        constituents=listed("A.US", "B.US", "600000.SH", "D.US"),
        rebalance=MONTHLY | {"untradable": untradable},
        tables=IN_DOLLARS,
    )


def test_what_cannot_be_traded_is_flagged():
    found = four("ignore")
    flags = {"A.US": False, "B.US": True, "600000.SH": False, "D.US": True}

    assert weights(found, WEEK[2], "tradable") == flags
    assert weights(found, WEEK[2]) == pytest.approx(dict.fromkeys(flags, 0.25))
    assert found.excluded.filter(effective=WEEK[2]).is_empty()


def test_what_cannot_be_traded_is_frozen():
    """A keeps 50 at 14; of 1200 there are 500 left for B and D, and 600000 stays out."""
    found = four("freeze")
    held = {"A.US": 50, "B.US": 12.5, "D.US": 62.5}

    assert weights(found, WEEK[2], "shares") == pytest.approx(held)
    assert weights(found, WEEK[2], "tradable") == {"A.US": False, "B.US": True, "D.US": True}
    assert weights(found, WEEK[2], "reference_weight") == dict.fromkeys(held, 0.25)
    assert weights(found, WEEK[2]) == pytest.approx(
        {"A.US": 7 / 12, "B.US": 2.5 / 12, "D.US": 2.5 / 12}
    )
    assert found.excluded.filter(effective=WEEK[2]).rows() == [
        (WEEK[2], "600000.SH", "not tradable, and not held before")
    ]
    assert found.divisor.tolist() == [1] * 4


def test_a_frozen_line_that_is_not_chosen_again_stays_without_a_target():
    """600 of 1100 stay in A, which C and D outrank; B is sold for them."""
    found = history(
        closes("A.US", 10, 12, None, 12) + closes("B.US", 8, 8, 8, 8)
        + closes("C.US", 5, 30, 30, 30) + closes("D.US", 5, 40, 40, 40),
        constituents=listed("A.US", "B.US", "C.US", "D.US"),
        selection={"rank_by": "price", "top": 2},
        **FREEZE,
    )  # fmt: skip

    assert weights(found, WEEK[2], "reference_weight") == {"A.US": 0, "C.US": 0.5, "D.US": 0.5}
    assert weights(found, WEEK[2], "capping_factor") == {"A.US": 1, "C.US": 1, "D.US": 1}
    assert weights(found, WEEK[2], "shares") == pytest.approx(
        {"A.US": 50, "C.US": 250 / 30, "D.US": 250 / 40}
    )


def test_all_frozen_keeps_everything():
    found = history(closes("A.US", 10, 12, None, 12) + closes("B.US", 20, 20, None, 22), **FREEZE)

    assert weights(found, WEEK[2], "shares") == {"A.US": 50, "B.US": 25}
    assert price(found) == pytest.approx([1000, 1100, 1100, 1150])
    assert found.divisor.tolist() == [1] * 4
    assert changes(found) == []


def test_the_divisor_takes_up_what_nobody_can_buy():
    """B leaves at 20 and A cannot be bought: 600 of 1100 are left."""
    found = history(
        closes("A.US", 10, 12, None, 12) + B, **FREEZE,
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US", "until": WEEK[2]}],
    )  # fmt: skip

    assert found.divisor.tolist() == pytest.approx([1, 1, 600 / 1100, 600 / 1100])
    assert price(found) == pytest.approx([1000, 1100, 1100, 1100])
    assert changes(found) == [("B.US", "rebalance", pytest.approx([25.0, 0.0, 1.0, 600 / 1100]))]


def test_a_first_basket_of_which_nothing_trades_is_an_error():
    early = SESSIONS[SESSIONS.index(MONDAY) - 1]
    prices = closes("A.US", 10, None, 10, start=early) + closes("B.US", 20, None, 20, start=early)
    reason = r"\(not tradable, and not held before\)"
    message = f"none of the 2 constituents can be held on 2024-01-08: A.US {reason}, B.US {reason}$"
    with pytest.raises(MissingInputError, match=message):
        history(prices, **FREEZE)


def test_who_cannot_be_held_is_counted_without_what_was_spun_off():
    rows = closes("A.US", *[10] * 3) + closes("X.US", None, 5, 5)
    listed_until = [{"symbol": "A.US", "until": WEEK[2]}]
    with pytest.raises(MissingInputError, match=f"none of the 1 constituents can .* {WEEK[2]}"):
        history(rows, SPINOFF, constituents=listed_until, rebalance=MONTHLY)


def test_of_many_who_cannot_be_held_the_first_are_named():
    """Seven that never traded by then; five are told with their reasons."""
    symbols = [f"{letter}.US" for letter in "CDEFGHI"]
    rows = [row for symbol in symbols for row in closes(symbol, None, 5)]
    reasons = ", ".join(rf"{s} \(no close on or before {MONDAY}\)" for s in symbols[:5])
    message = f"none of the 7 constituents can be held on {MONDAY}: {reasons} and 2 more$"
    with pytest.raises(MissingInputError, match=message):
        history(rows, constituents=listed(*symbols))


def test_frozen_tabled_shares_stay_beside_those_that_trade():
    rows = [
        ("A.US", MONDAY, 300),
        ("B.US", MONDAY, 100),
        ("A.US", WEEK[1], 600),
        ("B.US", WEEK[1], 200),
    ]
    table = [{"symbol": s, "date": d, "total_shares": float(n)} for s, d, n in rows]
    found = history(closes("A.US", 10, 10, None, 10) + B, tables={"shares": table},
                    **FREEZE, **REAL)  # fmt: skip

    assert weights(found, WEEK[2], "shares") == {"A.US": 300, "B.US": 200}
    assert found.divisor.tolist() == [5, 5, 7, 7]
    assert price(found) == [1000] * 4


@pytest.mark.parametrize("later", [[], [action("X.US", WEEK[2], "symbol_change", other="Y.US")]])
def test_a_spun_off_line_is_sold_though_it_cannot_be_traded(later):
    found = history(SPUN[:-1], SPINOFF, *later, **FREEZE)

    assert weights(found, WEEK[2]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})


@pytest.mark.parametrize(("giver", "count"), [("A.US", 50), ("C.US", 25)])
def test_a_member_that_a_spin_off_adds_to_is_frozen_like_any_other(giver, count):
    """C, which would give as many, is not held."""
    found = history(
        closes("A.US", *[10] * 4) + closes("B.US", 20, 20, None, 20) + closes("C.US", *[5] * 4),
        SPINOFF | {"symbol": giver, "other": "B.US"},
        constituents=[{"symbol": "A.US"}, *({"symbol": s, "until": WEEK[n]}
                      for s, n in (("B.US", 2), ("C.US", 0)))],
        **FREEZE,
    )  # fmt: skip

    assert weights(found, WEEK[2], "shares") == pytest.approx({"A.US": 50, "B.US": count})


@pytest.mark.parametrize(
    ("close", "free"),
    [(11.06, False), (11.05, True), (11.07, True), (9.05, False), (9.04, True), (10.05, True)],
)
def test_a_close_at_the_price_limit_cannot_be_traded(close, free):
    """10.05·1.1 = 11.055 and 10.05·0.9 = 9.045, half up."""
    assert tradable([10.05, close]) is free


def tradable(path: list[float | None], *acts: dict[str, object]) -> bool:
    """Return whether 600000.SH can be traded on Wednesday, the last session of its closes."""
    start = WEEK[3 - len(path)]
    found = history(
        closes("600000.SH", *path, start=start) + closes("A.US", 9.09, 9.09, 9.09),
        *acts,
        constituents=listed("600000.SH", "A.US"),
        rebalance=MONTHLY,
        tables=IN_DOLLARS,
    )
    return bool(weights(found, WEEK[2], "tradable")["600000.SH"])


@pytest.mark.parametrize(("day", "limit"), [(0, 22), (1, 11), (2, 11)])
def test_limits_count_from_the_close_before_restated_for_every_event_since(day, limit):
    """Monday's 20 is halved to 10 on Tuesday, a day of suspension, or on Wednesday."""
    split = action("600000.SH", WEEK[day], "split", ratio=2)

    assert not tradable([20, None, limit], split)
    assert tradable([20, None, limit - 0.01], split)


def test_limits_count_from_the_ex_reference_price():
    """22 less 2 of ordinary cash is 20, and its limit 22."""
    assert not tradable([22, 22], action("600000.SH", WEEK[2], "dividend", cash=2))
    assert tradable([22, 22], action("600000.SH", WEEK[1], "dividend", cash=2))


@pytest.mark.parametrize(
    ("before", "kind", "amount", "lowest"),
    [(5.02, "dividend", {"cash": 0.37}, 4.19), (5.01, "bonus", {"ratio": 0.8}, 2.51)],
)
def test_limits_count_from_the_very_number_that_the_ex_reference_price_is(
    before, kind, amount, lowest
):
    """4.65·0.9 = 4.185 and 5.01/1.8·0.9 = 2.505, half up; as floats both are a shade less."""
    event = action("600000.SH", WEEK[2], kind, **amount)

    assert not tradable([before, lowest], event)
    assert tradable([before, round(lowest - 0.01, 2)], event)


def test_dividends_that_leave_nothing_leave_no_limit():
    """10 less 6 on Tuesday and on Wednesday: no price limit is counted from -2."""
    paid = [action("600000.SH", day, "dividend", cash=6) for day in WEEK[1:3]]

    assert tradable([10, None, 4], *paid)


def test_the_first_close_of_all_is_at_no_limit():
    """And not at that of another line, whose limit is 9.09·1.1 = 9.999, half up."""
    assert tradable([10])


# --- shares that pass from line to line -----------------------------------------------------------

SPUN = closes("A.US", 10, 7, 7, 7) + closes("B.US", 20, 20, 20, 22) + closes("X.US", None, 5, 6)
SPINOFF = action("A.US", WEEK[1], "spinoff", ratio=0.5, other="X.US")
RENAMED = closes("A.US", 10) + closes("Z.US", None, 11, 11, 11) + B
RENAME = action("A.US", WEEK[1], "symbol_change", other="Z.US")


def test_a_spin_off_joins_at_zero_and_stays_until_the_next_rebalance():
    found = history(SPUN, SPINOFF, rebalance=MONTHLY)

    assert price(found) == pytest.approx([1000, 975, 1000, 1050])
    assert found.divisor.tolist() == [1] * 4
    assert found.contribution[1].tolist() == pytest.approx([-0.15, 0, 0.125])
    assert weights(found, WEEK[2]) == pytest.approx({"A.US": 0.5, "B.US": 0.5})
    assert found.rebalances[1].turnover == pytest.approx(0.15)  # X leaves with 150 of 1000


@pytest.mark.parametrize("days", [(SATURDAY, SATURDAY), (SATURDAY, SUNDAY), (SUNDAY, NEXT_MONDAY)])
def test_what_has_no_price_yet_may_pay_out_all_the_same(days):
    """X, never traded, pays a half and again a half on 25 shares: 25 of 1000 leave."""
    paid = [action("X.US", day, "special_dividend", cash=0.5) for day in days]
    found = history(closes("A.US", *[10] * 6) + closes("B.US", *[20] * 6), SPINOFF, *paid)

    assert found.divisor[-2:].tolist() == pytest.approx([1, 0.975])


def test_what_has_no_price_yet_cannot_pay_out_more_than_the_index_is_worth():
    """50 on each of 25 shares are 1250 of 1000: the divisor would be below zero."""
    paid = action("X.US", WEEK[2], "special_dividend", cash=50)
    message = rf"^example: the level of {WEEK[2]} is -4000: what joined at no price has paid out"
    with pytest.raises(MarketDataError, match=message):
        history(closes("A.US", *[10] * 3) + B[:3], SPINOFF, paid)


def test_a_spin_off_is_an_event_of_the_line_that_joins():
    """Every change of shares is one: X goes from none to 25."""
    found = history(SPUN, SPINOFF)

    assert ("X.US", "spinoff", [0.0, 25.0, 1.0, 1.0]) in changes(found)


@pytest.mark.parametrize(("prices", "passed_on"), [(SPUN, SPINOFF), (RENAMED, RENAME)])
def test_shares_that_change_line_are_no_income(prices, passed_on):
    assert history(prices, passed_on).income.tolist() == [[0, 0]] * 4


def test_a_change_of_symbol_is_an_event_of_both_lines():
    found = history(RENAMED, RENAME)

    assert price(found) == pytest.approx([1000, 1050, 1050, 1050])
    assert changes(found) == [
        ("A.US", "symbol_change", [50.0, 0.0, 1.0, 1.0]),
        ("Z.US", "symbol_change", [0.0, 50.0, 1.0, 1.0]),
    ]


def test_a_spun_off_line_that_has_not_traded_is_carried_at_zero():
    found = history(closes("A.US", 10, 7, 7) + B[:2], SPINOFF, rebalance=MONTHLY)

    assert price(found) == pytest.approx([1000, 850, 850])
    assert found.carried.tolist() == [0, 1, 2]  # of Wednesday B is carried too
    assert found.contribution[1].tolist() == pytest.approx([-0.15, 0, 0])
    assert found.rebalances[1].turnover == pytest.approx(1 / 2 - 350 / 850)


@pytest.mark.parametrize(("keys", "joined"), [({}, 25), ({"tables": shares(100, 50)} | REAL, 50)])
def test_a_spin_off_counts_the_shares_before_the_split_of_its_day(keys, joined):
    found = history(SPUN, action("A.US", WEEK[1], "split", ratio=2), SPINOFF, **keys)

    assert found.shares[1].tolist() == pytest.approx([4 * joined, joined, joined])


GIVEN = closes("A.US", 10, 10) + closes("B.US", 20, 20) + closes("C.US", 5, 5)


@pytest.mark.parametrize("named", [("A.US", "B.US"), ("B.US", "A.US")])
def test_what_a_line_spins_off_is_of_the_shares_held_before(named):
    """The 50 B that A's holders receive bring no C, in whatever order A and B are named."""
    found = history(
        GIVEN,
        action("A.US", WEEK[1], "spinoff", ratio=1, other="B.US"),
        action("B.US", WEEK[1], "spinoff", ratio=1, other="C.US"),
        constituents=listed(*named),
    )

    assert dict(zip(found.symbols, found.shares[1], strict=True)) == {
        "A.US": 50, "B.US": 75, "C.US": 25,
    }  # fmt: skip


@pytest.mark.parametrize("named", [("A.US", "B.US"), ("B.US", "A.US")])
def test_a_symbol_given_up_may_be_taken_by_another_the_same_day(named):
    """B is C and A is B from Tuesday on: neither has the other's shares."""
    found = history(
        GIVEN,
        action("A.US", WEEK[1], "symbol_change", other="B.US"),
        action("B.US", WEEK[1], "symbol_change", other="C.US"),
        constituents=listed(*named),
    )

    assert dict(zip(found.symbols, found.shares[1], strict=True)) == {
        "A.US": 0, "B.US": 50, "C.US": 25,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["spinoff", "symbol_change"])
def test_lines_that_lead_to_each_other_on_one_day_are_refused(kind):
    rows = [
        action(old, WEEK[1], kind, ratio=1 if kind == "spinoff" else None, other=new)
        for old, new in pairwise(("A.US", "B.US", "C.US", "A.US"))
    ]
    message = (
        f"^actions: A.US: each {kind} of {WEEK[1]} leads to the next, and the last to the first "
        r"again: A.US, B.US, C.US, A.US: what is given is of shares held before; correct or "
        "leave out one$"
    )
    with pytest.raises(MarketDataError, match=message):
        history(GIVEN, *rows)


@pytest.mark.parametrize("day", [MONDAY, SESSIONS[SESSIONS.index(MONDAY) - 1]])
def test_a_spin_off_up_to_the_base_date_brings_nothing(day):
    spinoff = SPINOFF | {"ex_date": day}
    early = closes("A.US", 10, start=SESSIONS[SESSIONS.index(MONDAY) - 3])
    found = history(early + SPUN, spinoff, rebalance={"reference_lag": 2})

    assert found.shares[:, 2].tolist() == [0, 0, 0, 0]


def test_a_spin_off_of_the_base_date_leaves_later_ones_alone():
    """B's of Monday brings nothing, A's of Tuesday 25 of X."""
    found = history(SPUN, action("B.US", MONDAY, "spinoff", ratio=1, other="X.US"), SPINOFF)

    assert found.shares[1].tolist() == [50, 25, 25]


def test_a_spin_off_beyond_the_last_session_brings_nothing():
    found = history(SPUN, SPINOFF | {"ex_date": WEEK[4]})

    assert found.symbols == ("A.US", "B.US")


@pytest.mark.parametrize("listed_too", [False, True])
def test_a_spin_off_into_a_symbol_that_another_line_has_yet_to_take_is_refused(listed_too):
    """Of Tuesday's X nobody knows whether it is B, called X later on, or a new line."""
    prices = closes("A.US", 10, 7, 7) + closes("B.US", 20, 20) + closes("X.US", None, None, 20)
    taken = action("B.US", WEEK[2], "symbol_change", other="X.US")
    keys = {"constituents": listed("A.US", "B.US", "X.US")} if listed_too else {}
    message = (
        f"^actions: A.US: spinoff of {WEEK[1]} brings X.US, which has no close by then and is what "
        f"B.US is called from {WEEK[2]} on: name B.US, or the symbol the new shares had$"
    )
    with pytest.raises(MarketDataError, match=message):
        history(prices, SPINOFF, taken, **keys)

    named = history(prices, SPINOFF | {"other": "B.US"}, taken, **keys)
    assert price(history(prices, SPINOFF, taken, until=WEEK[1]))[-1] == pytest.approx(850)
    assert price(named)[-1] > 1000


def test_a_spin_off_on_the_day_on_which_another_line_takes_its_symbol_is_of_that_line():
    """50 of A at 7, and 25 of B, now X, beside the other 25 at 20."""
    prices = closes("A.US", 10, 7) + closes("B.US", 20) + closes("X.US", None, 20)
    taken = action("B.US", WEEK[1], "symbol_change", other="X.US")

    assert price(history(prices, SPINOFF, taken)) == pytest.approx([1000, 350 + 500 + 500])


@pytest.mark.parametrize("named", ["A.US", "Z.US"])
def test_a_spin_off_on_the_day_of_a_change_of_symbol_is_of_either_symbol(named):
    """50 of A, now Z at 7, and 25 of X at 5."""
    prices = closes("A.US", 10) + closes("Z.US", None, 7) + closes("X.US", None, 5) + B[:2]
    found = history(prices, RENAME, SPINOFF | {"symbol": named})

    assert price(found) == pytest.approx([1000, 350 + 125 + 500])


def test_a_symbol_that_a_line_gives_up_may_be_that_of_what_it_spins_off():
    """50 of A are 50 of Z at 11, and half as many of a new A at 12."""
    new = closes("A.US", 12, start=WEEK[1])
    found = history(RENAMED + new, RENAME, SPINOFF | {"symbol": "Z.US", "other": "A.US"})

    assert found.shares[1].tolist() == [25, 25, 50]
    assert price(found)[1] == pytest.approx(550 + 300 + 500)


def test_actions_on_the_day_of_a_change_of_symbol_are_done_once():
    """50 of A become 50 of Z, which earn 25 and become 100."""
    day = [action("A.US", WEEK[1], "split", ratio=2), action("A.US", WEEK[1], "dividend", cash=0.5)]
    found = history(RENAMED, *day, RENAME, variants=["gross"])

    assert found.income[:, 0].tolist() == pytest.approx([0, 25, 0, 0])
    assert found.shares[1].tolist() == [0, 25, 100]
    assert ("Z.US", "split+dividend", [50, 100, 1, 1]) in changes(found)


# --- changes of symbol into a line with a past of its own -----------------------------------------

USED = closes("Z.US", 3, start=SESSIONS[SESSIONS.index(MONDAY) - 5])  # a week before the base date


@pytest.mark.parametrize("earlier", [USED, closes("Z.US", 100)])
def test_a_split_on_the_day_of_a_change_into_a_used_symbol_is_of_the_shares_that_pass(earlier):
    """50 of A at 10 are 5 of Z at 100, whatever Z traded at before."""
    split = action("A.US", WEEK[1], "split", ratio=0.1)
    rows = closes("A.US", 10) + earlier + closes("Z.US", 100, 100, start=WEEK[1]) + B[:3]
    found = history(rows, RENAME, split)

    assert price(found) == pytest.approx([1000] * 3)
    assert found.shares[1].tolist() == pytest.approx([0, 25, 5])


def test_a_dividend_on_the_day_of_a_change_into_another_constituent_is_paid_once():
    """A's 25 shares earn 1 each before they are B's."""
    into = RENAME | {"other": "B.US"}
    paid = action("A.US", WEEK[1], "dividend", cash=1.0)
    found = history(closes("A.US", 20) + closes("B.US", 20, 20), into, paid, variants=["gross"])

    assert found.income[:, 0].tolist() == pytest.approx([0, 25])


@pytest.mark.parametrize(("kind", "told"), [("split", {"ratio": 2}), ("bonus", {"ratio": 1})])
def test_a_spin_off_of_that_day_counts_the_shares_before_the_split_of_it(kind, told):
    """50 of A bring 25 of X, and are 100 of Z."""
    rows = closes("A.US", 10) + USED + closes("Z.US", 5, start=WEEK[1]) + B[:2]
    event = action("A.US", WEEK[1], kind, **told)
    found = history(rows + closes("X.US", 4, start=WEEK[1]), RENAME, event, SPINOFF)

    shares = dict(zip(found.symbols, found.shares[1], strict=True))
    assert shares == pytest.approx({"A.US": 0, "B.US": 25, "X.US": 25, "Z.US": 100})


def test_a_used_symbol_goes_on_from_the_close_it_continues_until_it_trades():
    """A's last close is 10; Z trades on Thursday for the first time since a week ago."""
    found = history(closes("A.US", 10) + USED + closes("Z.US", 11, start=WEEK[3]) + B, RENAME)

    assert price(found) == pytest.approx([1000, 1000, 1000, 1050])
    assert found.carried.tolist() == [0, 1, 1, 0]


def test_a_line_that_comes_back_to_its_symbol_goes_on_from_its_last_close():
    """A is T on Tuesday only, at 20, and A again on Wednesday, but trades on Thursday."""
    back = action("T.US", WEEK[2], "symbol_change", other="A.US")
    rows = closes("A.US", 10, None, None, 20) + closes("T.US", None, 20) + B
    found = history(rows, RENAME | {"other": "T.US"}, back)

    assert price(found) == pytest.approx([1000, 1500, 1500, 1500])


# --- what befalls a spun-off line before it trades ------------------------------------------------

UNTRADED = closes("A.US", 10, 7, 7, 7) + B


@pytest.mark.parametrize("traded", [2, 3])
def test_a_spun_off_line_is_split_before_it_trades(traded):
    """25 of X are 50 on Wednesday, at 3 from that day or the next on."""
    split = action("X.US", WEEK[2], "split", ratio=2)
    found = history(UNTRADED + closes("X.US", 3, 3, start=WEEK[traded]), SPINOFF, split)

    assert found.shares[2].tolist() == [50, 25, 50]
    assert price(found)[3] == pytest.approx(350 + 500 + 150)


def test_a_spun_off_line_pays_a_dividend_before_it_trades():
    paid = action("X.US", WEEK[2], "dividend", cash=1.0)
    found = history(UNTRADED + closes("X.US", 3, start=WEEK[3]), SPINOFF, paid, variants=["gross"])

    assert found.income[:, 0].tolist() == [0, 0, 25, 0]


# --- who is meant by the other of an action ------------------------------------------------------

FALLEN = closes("A.US", 10, 10) + closes("B.US", 20) + closes("Z.US", None, 20, 40)
TAKEN = action("B.US", WEEK[1], "symbol_change", other="Z.US")


@pytest.mark.parametrize("other", ["B.US", "Z.US"])
def test_a_merger_is_into_the_line_that_is_called_so_or_was_until_that_day(other):
    """25 of Z, which was B, and half as many shares of it as there were of A: 50."""
    merger = action("A.US", WEEK[1], "merger", ratio=0.5, other=other)
    found = history(FALLEN, TAKEN, merger)

    assert price(found) == pytest.approx([1000, 1000, 2000])
    assert found.divisor.tolist() == pytest.approx([1, 1, 1])


def test_a_merger_is_into_the_line_that_its_other_is_by_the_close_it_counts_at():
    """A merges into B on Saturday; by the close of Monday B is called Z."""
    rows = closes("A.US", *[10] * 6) + closes("B.US", *[20] * 5)
    merger = action("A.US", SATURDAY, "merger", ratio=0.5, other="B.US")
    taken = TAKEN | {"ex_date": NEXT_MONDAY}
    found = history(rows + closes("Z.US", 20, start=NEXT_MONDAY), taken, merger)

    assert ("Z.US", "merger", [25, 50, 1, 1]) in changes(found)


@pytest.mark.parametrize("other", ["B.US", "Z.US"])
def test_a_spin_off_is_of_the_line_that_is_called_so_or_was_until_that_day(other):
    """50 of A, at 5 now, and 50 of Z, which was B: 25 of them A brought."""
    rows = closes("A.US", 10, 5, 5) + FALLEN[2:]
    found = history(rows, TAKEN, SPINOFF | {"other": other})

    assert price(found) == pytest.approx([1000, 1250, 2250])
