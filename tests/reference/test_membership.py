"""When the oracle rebalances, and who takes part: dates, membership and selection."""

from datetime import date, timedelta

import pytest

from tests.reference.example import MONTHLY, SESSIONS, WEEK, action, closes, index, listed, weights
from tests.reference.schedule import effective_dates

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


@pytest.mark.parametrize(("seasoning", "count"), [(2, 3), (3, 2)])
def test_the_list_date_is_the_first_close_where_the_table_has_none(seasoning, count):
    """C first closes on Tuesday, so that Wednesday and Thursday are its sessions since."""
    earlier = SESSIONS[SESSIONS.index(WEEK[0]) - 5]
    result = index(
        closes("A.US", *[10] * 9, start=earlier)
        + closes("B.US", *[20] * 9, start=earlier)
        + closes("C.US", *[5] * 3, start=WEEK[1]),
        constituents=listed("A.US", "B.US", "C.US"),
        eligibility={"seasoning": seasoning},
        rebalance={"frequency": "monthly", "day": WEEK[3].day},
    )
    assert len(weights(result, WEEK[3])) == count


@pytest.mark.parametrize(("day", "held"), [(WEEK[2], ["B.US"]), (WEEK[3], ["A.US", "B.US"])])
def test_a_delisting_dated_on_e_or_before_ends_membership(day, held):
    """A reference date before the delisting does not bring the constituent back."""
    result = index(
        closes("A.US", 10, 10, 10, 10) + closes("B.US", 20, 20, 20, 20),
        action("A.US", day, "delisting"),
        rebalance=MONTHLY | {"reference_lag": 1},
    )
    assert list(weights(result, WEEK[2])) == held


def test_names_within_enter_come_before_current_members():
    """C and D rank within 2, so the held A and B have to go, though they rank within 4."""
    result = index(
        closes("A.US", 9, 5, 5)
        + closes("B.US", 8, 4, 4)
        + closes("C.US", 3, 7, 7)
        + closes("D.US", 2, 6, 6),
        constituents=listed("A.US", "B.US", "C.US", "D.US"),
        selection={"rank_by": "price", "top": 2, "enter": 2, "keep": 4},
        rebalance=MONTHLY,
    )
    assert list(weights(result, WEEK[2])) == ["C.US", "D.US"]


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


@pytest.mark.parametrize(
    ("rank_by", "chosen"),
    [("market_cap", "A.US"), ("free_float_cap", "B.US"), ("price", "C.US"), ("points", "D.US")],
)
def test_what_members_are_ranked_by(rank_by, chosen):
    """Market values 3000, 2000, 900, 40; with the float bands 600, 2000, 900, 40."""
    counts = {"A.US": (300, 45), "B.US": (100, 100), "C.US": (30, 30), "D.US": (4, 4)}
    result = index(
        closes("A.US", 10) + closes("B.US", 20) + closes("C.US", 30) + closes("D.US", 10),
        constituents=listed("A.US", "B.US", "C.US", "D.US"),
        selection={"rank_by": rank_by, "top": 1},
        market={
            "securities": [{"symbol": s, "points": n} for n, s in enumerate(counts)],
            "shares": [
                {"symbol": s, "date": WEEK[0], "total_shares": n, "free_float_shares": f}
                for s, (n, f) in counts.items()
            ],
        },
    )
    assert list(weights(result, WEEK[0])) == [chosen]


def test_turnover_amounts_are_compared_in_index_currency():
    prices = [
        row | {"amount": amount}
        for symbol, amount in (("A.US", 2), ("00001.HK", 9), ("00002.HK", None))
        for row in closes(symbol, 10)
    ]
    result = index(
        prices,
        constituents=listed("A.US", "00001.HK", "00002.HK"),
        selection={"rank_by": "amount_20", "top": 1},
        market={"fx": [{"date": WEEK[0], "base": "USD", "quote": "HKD", "rate": 7.8}]},
    )
    assert list(weights(result, WEEK[0])) == ["A.US"]
    reasons = {row["symbol"]: row["reason"] for row in result.excluded}
    assert reasons == {"00001.HK": "selection", "00002.HK": "no turnover"}


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


@pytest.mark.parametrize("top", [2, 3])
def test_rank_weights_are_renormalised_when_fewer_are_held(top):
    result = index(
        closes("A.US", 10) + closes("B.US", 20),
        weighting={"scheme": "rank", "weights": [0.5, 0.3, 0.2]},
        selection={"rank_by": "price", "top": top},
    )
    assert weights(result, WEEK[0]) == pytest.approx({"A.US": 3 / 8, "B.US": 5 / 8})


def test_constituents_that_continue_under_one_symbol_are_one_member():
    prices = closes("A.US", 10) + closes("B.US", 10) + closes("C.US", 10, 10, 10, 10)
    result = index(
        prices + closes("Z.US", 10, 10, 10, start=WEEK[1]),
        *(action(old, WEEK[1], "symbol_change", other="Z.US") for old in ("A.US", "B.US")),
        constituents=listed("A.US", "B.US", "C.US"),
        rebalance=MONTHLY,
    )
    assert weights(result, WEEK[2]) == pytest.approx({"C.US": 0.5, "Z.US": 0.5})


@pytest.mark.parametrize("spans", [({}, {}), ({"until": WEEK[2]}, {"from": WEEK[2]})])
def test_a_constituent_that_becomes_another_one_after_the_reference_date_takes_part_once(spans):
    old, new = spans
    result = index(
        closes("A.US", 10, 10) + closes("B.US", 10, 10, 10) + closes("Z.US", 5, start=WEEK[2]),
        action("A.US", WEEK[2], "split", ratio=2),
        action("A.US", WEEK[2], "symbol_change", other="Z.US"),
        constituents=[{"symbol": "A.US", **old}, {"symbol": "Z.US", **new}, {"symbol": "B.US"}],
        rebalance=MONTHLY | {"reference_lag": 1},
    )
    assert weights(result, WEEK[2]) == pytest.approx({"B.US": 0.5, "Z.US": 0.5})
