"""The oracle's levels against examples worked by hand, session by session.

Unless a test says otherwise: A.US and B.US, equal weighted, base level 1000, closes of 10 and 20 on
the base date, so 50 and 25 index shares.
"""

from datetime import timedelta

import pytest

from tests.reference.example import (
    MONDAY,
    SATURDAY,
    SESSIONS,
    SUNDAY,
    WEEK,
    action,
    closes,
    column,
    index,
    shares,
)
from tests.reference.index import OracleError, build


def test_the_level_is_the_market_value_over_the_divisor():
    result = index(closes("A.US", 10, 11, 9) + closes("B.US", 20, 20, 22))
    assert column(result, "price") == pytest.approx([1000, 1050, 1000])
    assert column(result, "divisor") == [1, 1, 1]
    assert column(result, "gross") == [None] * 3
    assert result.contributions[WEEK[1]] == pytest.approx({"A.US": 0.05, "B.US": 0.0})
    assert result.contributions[WEEK[2]] == pytest.approx({"A.US": -100 / 1050, "B.US": 50 / 1050})
    assert [row["shares"] for row in result.weights] == pytest.approx([50, 25])


def test_real_shares_are_divided_to_the_base_level():
    prices = closes("A.US", 10, 11) + closes("B.US", 20, 20)
    result = index(prices, market=shares(300, 50), weighting={"scheme": "market_cap"})
    assert column(result, "divisor") == [4, 4]
    assert column(result, "market_value") == [4000, 4300]
    assert column(result, "price") == [1000, 1075]


def test_a_constituent_without_a_close_is_carried_and_counted():
    result = index(closes("A.US", 10, None, 12) + closes("B.US", 20, 22, 22))
    assert column(result, "price") == pytest.approx([1000, 1050, 1150])
    assert column(result, "carried") == [0, 1, 0]


def test_levels_end_with_the_latest_close_or_with_until():
    prices = closes("A.US", 10, 11, 12) + closes("B.US", 20)
    definition = {
        "currency": "USD",
        "base": {"date": MONDAY, "level": 1000.0},
        "weighting": {"scheme": "equal"},
        "constituents": [{"symbol": "A.US"}, {"symbol": "B.US"}],
    }
    assert len(build(definition, {"prices": prices}, SESSIONS).rows) == 3
    assert len(build(definition, {"prices": prices}, SESSIONS, until=WEEK[1]).rows) == 2


def test_a_close_between_sessions_counts_on_the_next_one():
    off = [{"symbol": "A.US", "date": SATURDAY, "close": 12.0}]
    prices = closes("A.US", 10, 10, 10, 10, 10) + off + closes("B.US", 20, 20, 20, 20, 20, 20)
    result = index(prices)
    assert column(result, "price")[-2:] == pytest.approx([1000, 1100])
    assert column(result, "carried")[-2:] == [0, 1]


@pytest.mark.parametrize(
    ("base", "quote", "rates"), [("USD", "CNY", [7, 7.7]), ("CNY", "USD", [1 / 7, 1 / 7.7])]
)
def test_exchange_rates_move_under_a_carried_price(base, quote, rates):
    dates = [MONDAY - timedelta(1), WEEK[1]]  # the last one before the base date, and a new one
    fx = [
        {"date": d, "base": base, "quote": quote, "rate": r}
        for d, r in zip(dates, rates, strict=True)
    ]
    prices = closes("A.US", 10) + closes("600000.SH", 20, 20, 20)
    result = index(
        prices,
        market={"fx": fx},
        currency="CNY",
        constituents=[{"symbol": "A.US"}, {"symbol": "600000.SH"}],
    )
    assert column(result, "price") == pytest.approx([1000, 1050, 1050])
    assert [row["shares"] for row in result.weights] == pytest.approx([500 / 70, 25])


# --- adjusted closes, errors ----------------------------------------------------------------------


def test_adjusted_closes_offer_gross_alone_and_contain_their_dividends():
    result = index(
        closes("A.US", 10, 11) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "dividend", cash=1),
        action("B.US", WEEK[1], "dividend", cash=1),
        market={"securities": [{"symbol": "A.US", "price_kind": "total_return_adjusted"}]},
        variants=["price", "net"],
    )
    assert column(result, "price") == [None, None]
    assert column(result, "net") == [None, None]
    assert column(result, "gross") == pytest.approx([1000, 1075])


def test_the_manifest_may_call_all_closes_adjusted():
    prices = closes("A.US", 10, 11) + closes("B.US", 20, 20)
    kinds = {"securities": [{"symbol": "A.US", "price_kind": "raw"}]}
    result = index(prices, market={"price_kind": "total_return_adjusted", **kinds})
    assert column(result, "gross") == pytest.approx([1000, 1050])
    raw = {"securities": [{"symbol": s, "price_kind": "raw"} for s in ("A.US", "B.US")]}
    result = index(prices, market={"price_kind": "total_return_adjusted", **raw})
    assert column(result, "price") == pytest.approx([1000, 1050])


PRICES = closes("A.US", 10, 10, 10) + closes("B.US", 20, None, None)
AT_EFFECTIVE = {"weighting": {"scheme": "market_cap"}, "rebalance": {"price_date": "effective"}}
SEGMENT_CAP = {"scheme": "equal", "caps": {"segment": 0.6}}
UNSUMMED = {
    "weighting": {"scheme": "fixed"},
    "constituents": [{"symbol": "A.US", "weight": 0.9}],
}


@pytest.mark.parametrize(
    ("kind", "prices", "keys"),
    [
        ("base", PRICES, {"base": {"date": SATURDAY, "level": 1.0}}),
        ("price", closes("A.US", 10, 0), {}),
        ("price", closes("A.US", 10, float("inf")), {}),
        ("duplicate", PRICES + closes("A.US", 10.5), {}),
        ("fx", PRICES, {"currency": "CNY"}),
        ("shares", PRICES, {"weighting": {"scheme": "free_float"}}),
        ("scheme", PRICES, AT_EFFECTIVE),
        ("stale", PRICES, {"max_stale": 1}),
        ("caps", PRICES, {"weighting": {"scheme": "equal", "caps": {"constituent": 0.4}}}),
        ("segment", PRICES, {"weighting": SEGMENT_CAP}),
        ("withholding", PRICES, {"variants": ["net"], "withholding": {"CN": 0.1}}),
        ("weights", PRICES, UNSUMMED),
        ("weights", PRICES, {"weighting": {"scheme": "rank", "weights": [0.5, 0.5]}}),
        ("empty", PRICES, {"constituents": [{"symbol": "A.US", "from": SUNDAY}]}),
    ],
)
def test_what_the_page_refuses(kind, prices, keys):
    with pytest.raises(OracleError) as refusal:
        index(prices, **keys)
    assert refusal.value.kind == kind


@pytest.mark.parametrize(
    "columns",
    [{"kind": "special_dividend", "cash": 10}, {"kind": "split"}, {"kind": "split", "ratio": 0}],
)
def test_an_action_that_leaves_nothing_or_says_nothing_is_refused(columns):
    with pytest.raises(OracleError) as refusal:
        index(PRICES, action("A.US", WEEK[1], **columns))
    assert refusal.value.kind == "action"


def test_a_base_date_that_is_no_session_names_its_neighbours():
    with pytest.raises(OracleError, match=r"2024, 1, 12\), .*2024, 1, 15\)\]"):
        index(PRICES, base={"date": SATURDAY, "level": 1.0})


def test_one_figure_may_be_withheld_in_all_countries():
    dividend = action("A.US", WEEK[1], "dividend", cash=0.4)
    prices = closes("A.US", 10, 10) + closes("B.US", 20, 20)
    result = index(prices, dividend, variants=["net"], withholding=0.25)
    assert column(result, "net") == pytest.approx([1000, 1015])


def test_a_carried_price_may_run_for_max_stale_sessions():
    assert column(index(PRICES, max_stale=2), "carried") == [0, 1, 1]


def test_a_row_repeated_in_agreement_is_one():
    assert column(index(PRICES + PRICES), "price") == column(index(PRICES), "price")
