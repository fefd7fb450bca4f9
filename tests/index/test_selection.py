"""Who is chosen where the list is a universe."""

import pytest

from indexer.errors import MarketDataError, MissingInputError
from tests.index.examples import history, weights
from tests.index.test_membership import MONTHLY, A, B, held, prices
from tests.reference.example import MONDAY, SESSIONS, WEEK, closes, listed, shares

FIVE = [f"{letter}.US" for letter in "ABCDE"]


def chosen(*, top: int, enter: int | None = None, keep: int | None = None) -> set[str]:
    """Return who is held after Wednesday: ranks are A to E on Monday, D E C B A on Wednesday."""
    buffer = {} if enter is None else {"enter": enter, "keep": keep}
    found = history(
        prices(A=[9, 1, 1], B=[8, 2, 2], C=[3, 3, 3], D=[2, 9, 9], E=[1, 8, 8]),
        constituents=listed(*FIVE),
        selection={"rank_by": "price", "top": top, **buffer},
        rebalance=MONTHLY,
    )
    assert held(found, MONDAY) == {"A.US", "B.US", "C.US"} - ({"C.US"} if top == 2 else set())
    return held(found, WEEK[2])


@pytest.mark.parametrize(
    ("selection", "members"),
    [
        ({"top": 2}, {"D.US", "E.US"}),
        # D enters; of the members A and B only B is within 4; the place left is for it.
        ({"top": 2, "enter": 1, "keep": 4}, {"D.US", "B.US"}),
        # Both are within 5, but the better one comes first.
        ({"top": 2, "enter": 1, "keep": 5}, {"D.US", "B.US"}),
        # D and E are within enter: no place is left for members.
        ({"top": 2, "enter": 2, "keep": 5}, {"D.US", "E.US"}),
        # No member is within 2: the rest by rank.
        ({"top": 2, "enter": 1, "keep": 2}, {"D.US", "E.US"}),
        # D enters, the members C and B are within 4, and that makes three.
        ({"top": 3, "enter": 1, "keep": 4}, {"D.US", "C.US", "B.US"}),
    ],
)
def test_a_buffer_keeps_members_after_those_who_enter(selection, members):
    assert chosen(**selection) == members


def test_ties_go_to_the_first_symbol():
    same = prices(C=[5], A=[5], B=[5])
    selection = {"rank_by": "price", "top": 2}
    found = history(same, constituents=listed("C.US", "B.US", "A.US"), selection=selection)

    assert list(weights(found, MONDAY)) == ["B.US", "A.US"]  # as listed


def test_a_short_universe_is_held_whole():
    assert held(history(A + B, selection={"rank_by": "price", "top": 9}), MONDAY) == {
        "A.US",
        "B.US",
    }


@pytest.mark.parametrize(
    ("rank_by", "member"),
    [("market_cap", "A.US"), ("free_float_cap", "B.US"), ("price", "C.US"), ("points", "D.US")],
)
def test_what_constituents_are_ranked_by(rank_by, member):
    """Market values 3000, 2000, 900 and 40; with the float bands 600, 2000, 900 and 40."""
    counts = {"A.US": (300, 45), "B.US": (100, 100), "C.US": (30, 30), "D.US": (4, 4)}
    found = history(
        prices(A=[10], B=[20], C=[30], D=[10]),
        constituents=listed(*counts),
        selection={"rank_by": rank_by, "top": 1},
        tables={
            "securities": [{"symbol": s, "points": n} for n, s in enumerate(counts)],
            "shares": [
                {"symbol": s, "date": MONDAY, "total_shares": n, "free_float_shares": f}
                for s, (n, f) in counts.items()
            ],
        },
    )

    assert held(found, MONDAY) == {member}


def test_amounts_are_means_over_the_sessions_traded():
    """Among the last two sessions A turns over 5 and 7, B only 9, C 10 and 8: 6, 9, 9.

    B has no close on Tuesday, D has one without an amount: 5.5.
    """
    amounts = {"A.US": [90, 5, 7], "B.US": [1, 0, 9], "C.US": [1, 10, 8], "D.US": [1, None, 5.5]}
    rows = [
        row | {"amount": amount}
        for symbol, values in amounts.items()
        for row, amount in zip(closes(symbol, 10, 10, 10), values, strict=True)
        if amount != 0
    ]
    found = history(
        rows,
        constituents=listed("C.US", "A.US", "D.US", "B.US"),
        weighting={"scheme": "rank", "weights": [0.4, 0.3, 0.2, 0.1]},
        selection={"rank_by": "amount_2", "top": 4},
        rebalance=MONTHLY,
    )
    ranked = {"C.US": 0.3, "A.US": 0.2, "D.US": 0.1, "B.US": 0.4}

    assert weights(found, WEEK[2], "reference_weight") == pytest.approx(ranked)


def test_amounts_are_compared_in_index_currency():
    rows = [row | {"amount": amount} for symbol, amount in (("A.US", 2.0), ("00001.HK", 9.0))
            for row in closes(symbol, 10)]  # fmt: skip
    found = history(
        rows,
        constituents=listed("A.US", "00001.HK"),
        selection={"rank_by": "amount_20", "top": 1},
        tables={"fx": [{"date": MONDAY, "base": "USD", "quote": "HKD", "rate": 7.8}]},
    )

    assert held(found, MONDAY) == {"A.US"}  # 9 / 7.8 is less than 2


def test_who_has_not_traded_lately_is_left_out_of_a_rank_by_amount():
    rows = [row | {"amount": 1.0} for row in closes("A.US", 10, 10, 10) + closes("B.US", 10)]
    selection = {"rank_by": "amount_2", "top": 2}
    found = history(rows, selection=selection, rebalance=MONTHLY)

    assert held(found, WEEK[2]) == {"A.US"}
    reasons = dict(found.excluded.filter(effective=WEEK[2]).select("symbol", "reason").iter_rows())
    assert reasons == {"B.US": "no amount in 2 sessions"}


def test_a_session_without_a_rate_is_no_part_of_a_mean():
    """The first of two sessions has none for the second of two constituents."""
    start = SESSIONS[SESSIONS.index(MONDAY) - 1]
    symbols = ("600000.SH", "A.US")
    rows = [row | {"amount": 1.0} for s in symbols for row in closes(s, 10, 10, start=start)]
    late = [{"date": MONDAY, "base": "USD", "quote": "CNY", "rate": 7.1}]
    remedy = f"add rates of USD/CNY to the fx table, or fetch them, from {start} or before"
    with pytest.raises(MissingInputError, match=f"^fx: A.US: no USD rate by {start}: {remedy}$"):
        history(rows, currency="CNY", constituents=listed(*symbols), tables={"fx": late},
                selection={"rank_by": "amount_2", "top": 1})  # fmt: skip


def test_a_figure_to_rank_by_that_is_missing_is_an_error():
    selection = {"rank_by": "points", "top": 1}
    with pytest.raises(MarketDataError, match="no column 'points' to rank or score by"):
        history(A + B, selection=selection)
    facts = [{"symbol": "A.US", "points": 3}]
    early = closes("A.US", 10, start=SESSIONS[SESSIONS.index(MONDAY) - 2])
    with pytest.raises(MarketDataError, match=r"B\.US: no points on or before 2024-01-08"):
        history(early + A + B, selection=selection, tables={"securities": facts})
    with pytest.raises(MarketDataError, match="points 'many' is not a number"):
        history(A + B, selection=selection,
                tables={"securities": [{"symbol": "A.US", "points": "many"}]})  # fmt: skip


def test_share_counts_are_those_known_at_the_reference_date():
    """B's count of Wednesday makes it the larger one a day too late."""
    late = [{"symbol": "B.US", "date": WEEK[2], "total_shares": 1000}]
    tables = {"shares": shares(100, 10)["shares"] + late}
    selection = {"rank_by": "market_cap", "top": 1}
    found = history(A + B, tables=tables, selection=selection,
                    rebalance=MONTHLY | {"reference_lag": 1})  # fmt: skip

    assert held(found, WEEK[2]) == {"A.US"}
    found = history(A + B, tables=tables, selection=selection, rebalance=MONTHLY)
    assert held(found, WEEK[2]) == {"B.US"}


def test_excluded_says_why_in_the_order_of_the_definition():
    found = history(
        prices(A=[9], B=[8], C=[7], D=[6], E=[5]),
        constituents=[
            {"symbol": "E.US"},
            {"symbol": "D.US", "until": MONDAY},
            {"symbol": "C.US"},
            {"symbol": "B.US", "from": WEEK[1]},
            {"symbol": "A.US"},
        ],
        selection={"rank_by": "price", "top": 1},
    )

    assert found.excluded["symbol"].to_list() == ["E.US", "D.US", "C.US", "B.US"]
    assert found.excluded["effective"].unique().to_list() == [MONDAY]
    reasons = ["ranked 3", f"until {MONDAY}", "ranked 2", f"from {WEEK[1]}"]
    told = found.excluded["reason"].to_list()
    assert all(part in reason for part, reason in zip(reasons, told, strict=True))
