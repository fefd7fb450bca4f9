"""Target weights of every scheme, by hand."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from indexer.errors import MarketDataError, MissingInputError
from indexer.index.weighting import weigh
from tests.index.examples import basket, history, weights
from tests.reference.example import MONDAY, SESSIONS, WEEK, action, closes, listed, shares

A, B = closes("A.US", 10, 10, 10, 10), closes("B.US", 20, 20, 20, 20)
C = closes("C.US", 5, 5, 5, 5)
EARLY = SESSIONS[SESSIONS.index(MONDAY) - 4]


def targets(found) -> dict[str, float]:
    return weights(found, MONDAY, "reference_weight")


def test_equal():
    found = history(A + B + C, constituents=listed("A.US", "B.US", "C.US"))

    assert targets(found) == pytest.approx(dict.fromkeys(("A.US", "B.US", "C.US"), 1 / 3))
    assert weights(found, MONDAY, "shares") == pytest.approx(
        {"A.US": 1000 / 30, "B.US": 1000 / 60, "C.US": 1000 / 15}
    )
    assert found.divisor[0] == 1


def test_price():
    assert targets(history(A + B, weighting={"scheme": "price"})) == pytest.approx(
        {"A.US": 1 / 3, "B.US": 2 / 3}
    )


def test_market_cap_holds_the_shares_outstanding():
    found = history(A + B, weighting={"scheme": "market_cap"}, tables=shares(300, 50))

    assert targets(found) == {"A.US": 0.75, "B.US": 0.25}
    assert weights(found, MONDAY, "shares") == {"A.US": 300, "B.US": 50}
    assert (found.divisor[0], found.market_value[0]) == (4, 4000)


def test_prices_are_compared_in_index_currency():
    """78 HKD are 10 USD."""
    found = history(
        A + closes("00001.HK", 78),
        constituents=listed("A.US", "00001.HK"),
        weighting={"scheme": "price"},
        tables={"fx": [{"date": MONDAY, "base": "USD", "quote": "HKD", "rate": 7.8}]},
    )

    assert targets(found) == pytest.approx({"A.US": 0.5, "00001.HK": 0.5})


@pytest.mark.parametrize(
    ("ratio", "band"),
    [
        (0.09, 0.09),
        (0.1, 0.1),
        (0.1 + 1e-13, 0.1),
        (0.1001, 0.2),
        (0.2, 0.2),
        (0.2001, 0.3),
        (0.3, 0.3),  # 0.3 * 1000 / 1000 is above 0.3 by a rounding
        (0.438, 0.5),
        (0.7, 0.7),
        (0.8, 0.8),
        (0.8001, 1.0),
        (0.82, 1.0),
        (1.0, 1.0),
    ],
)
def test_free_float_bands(ratio, band):
    count = {"symbol": "A.US", "date": MONDAY, "total_shares": 1000.0}
    rows = [count | {"free_float_shares": 1000.0 * ratio}, count | {"symbol": "B.US"}]
    found = history(A + B, weighting={"scheme": "free_float"}, tables={"shares": rows})

    assert weights(found, MONDAY, "shares") == pytest.approx({"A.US": 1000 * band, "B.US": 1000})


def test_free_float_weighs_by_what_the_band_counts():
    """43.8 % count as half: 500 of A at 10 beside 1000 of B at 20."""
    count = {"symbol": "A.US", "date": MONDAY, "total_shares": 1000.0}
    rows = [count | {"free_float_shares": 438.0}, count | {"symbol": "B.US"}]
    found = history(A + B, weighting={"scheme": "free_float"}, tables={"shares": rows})

    assert targets(found) == pytest.approx({"A.US": 0.2, "B.US": 0.8})


@pytest.mark.parametrize("scheme", ["price", "market_cap", "free_float"])
def test_what_is_weighed_by_price_is_so_at_the_last_close(scheme):
    """A was 90 four sessions before; on the base date 10 are beside 20."""
    found = history(closes("A.US", 90, start=EARLY) + closes("B.US", 20, start=EARLY) + A + B,
                    weighting={"scheme": scheme}, tables=shares(100, 100))  # fmt: skip

    assert targets(found) == pytest.approx({"A.US": 1 / 3, "B.US": 2 / 3})


def test_counts_are_the_last_known_at_the_reference_date():
    rows = [
        {"symbol": symbol, "date": day, "total_shares": float(count)}
        for symbol, day, count in (
            ("A.US", date(2023, 1, 2), 300),
            ("B.US", date(2023, 1, 2), 100),
            ("A.US", WEEK[1], 600),
            ("A.US", WEEK[2], 900),
        )
    ]
    rule = {"frequency": "monthly", "day": str(WEEK[2].day), "reference_lag": 1}
    found = history(A + B, weighting={"scheme": "market_cap"}, tables={"shares": rows},
                    rebalance=rule)  # fmt: skip

    assert weights(found, MONDAY, "shares") == {"A.US": 300, "B.US": 100}
    assert weights(found, WEEK[2], "shares") == {"A.US": 600, "B.US": 100}


@pytest.mark.parametrize("scheme", ["market_cap", "free_float"])
def test_a_count_that_is_missing_is_an_error(scheme):
    rows = [{"symbol": "A.US", "date": MONDAY, "total_shares": 1.0},
            {"symbol": "B.US", "date": WEEK[1], "total_shares": 1.0}]  # fmt: skip
    with pytest.raises(MissingInputError, match=r"B\.US: no row dated on or before 2024-01-08"):
        history(A + B, weighting={"scheme": scheme}, tables={"shares": rows})


def test_a_count_is_missing_on_the_reference_date():
    rows = [{"symbol": "A.US", "date": MONDAY, "total_shares": 1.0},
            {"symbol": "B.US", "date": WEEK[3], "total_shares": 1.0}]  # fmt: skip
    with pytest.raises(MissingInputError, match=f"on or before {WEEK[2]}, which"):
        history(A + B, weighting={"scheme": "market_cap"}, tables={"shares": rows},
                base={"date": WEEK[2], "level": 1000.0})  # fmt: skip


def test_fixed_weights_are_renormalised_over_the_members():
    given = [("A.US", 0.5), ("B.US", 0.3), ("C.US", 0.2)]
    constituents = [{"symbol": symbol, "weight": weight} for symbol, weight in given]
    keys = {"weighting": {"scheme": "fixed"}, "constituents": constituents}
    assert targets(history(A + B + C, **keys)) == pytest.approx(dict(given))

    constituents[2]["from"] = WEEK[1]
    assert targets(history(A + B + C, **keys)) == pytest.approx({"A.US": 0.625, "B.US": 0.375})


def test_a_fixed_weight_may_be_zero():
    constituents = [{"symbol": "A.US", "weight": 1}, {"symbol": "B.US", "weight": 0}]
    found = history(A + B, weighting={"scheme": "fixed"}, constituents=constituents)

    assert targets(found) == {"A.US": 1, "B.US": 0}


def test_fixed_weights_may_be_normalised():
    constituents = [{"symbol": "A.US", "weight": 3}, {"symbol": "B.US", "weight": 1}]
    weighting = {"scheme": "fixed", "normalise": True}

    assert targets(history(A + B, weighting=weighting, constituents=constituents)) == {
        "A.US": 0.75,
        "B.US": 0.25,
    }


def test_rank_weights_follow_the_rank():
    selection = {"rank_by": "price", "top": 3}
    weighting = {"scheme": "rank", "weights": [0.5, 0.3, 0.2]}
    found = history(C + A + B, weighting=weighting, selection=selection,
                    constituents=listed("C.US", "A.US", "B.US"))  # fmt: skip
    assert targets(found) == {"C.US": 0.2, "A.US": 0.3, "B.US": 0.5}

    found = history(A + B, weighting=weighting, selection=selection)  # one fewer than weights
    assert targets(found) == pytest.approx({"A.US": 3 / 8, "B.US": 5 / 8})


def test_score():
    facts = [{"symbol": "A.US", "points": 3}, {"symbol": "B.US", "points": "1.5"}]
    found = history(A + B, weighting={"scheme": "score", "column": "points"},
                    tables={"securities": facts})  # fmt: skip

    assert targets(found) == pytest.approx({"A.US": 2 / 3, "B.US": 1 / 3})


def test_a_weight_of_zero_has_a_capping_factor_of_one():
    facts = [{"symbol": "A.US", "points": 3}, {"symbol": "B.US", "points": 0}]
    found = history(A + B, weighting={"scheme": "score", "column": "points"},
                    tables={"securities": facts})  # fmt: skip

    assert weights(found, MONDAY, "capping_factor") == {"A.US": 1, "B.US": 1}


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (-1, r"B\.US: points -1: a score must be a finite number, zero or above"),
        ("inf", r"B\.US: points inf: a score must be a finite number, zero or above"),
        (None, r"B\.US: points nan"),
        ("x", r"B\.US: points 'x' is not a number"),
    ],
)
def test_a_score_must_be_a_number_not_below_zero(points, message):
    facts = [{"symbol": "A.US", "points": 3}, {"symbol": "B.US", "points": points}]
    with pytest.raises(MarketDataError, match=message):
        history(A + B, weighting={"scheme": "score", "column": "points"},
                tables={"securities": facts})  # fmt: skip


@pytest.mark.parametrize(
    ("column", "message"),
    [("list_date", "list_date holds Date, and numbers are needed"), ("segment", "is not a number")],
)
def test_a_column_of_the_table_that_holds_no_numbers_is_no_score(column, message):
    facts = [{"symbol": s, "segment": "optics", "list_date": MONDAY} for s in ("A.US", "B.US")]
    with pytest.raises(MarketDataError, match=message):
        history(A + B, weighting={"scheme": "score", "column": column},
                tables={"securities": facts})  # fmt: skip


def test_scores_of_zero_leave_nothing_to_weigh():
    facts = [{"symbol": symbol, "points": 0} for symbol in ("A.US", "B.US")]
    early = closes("A.US", 10, start=EARLY)
    with pytest.raises(MarketDataError, match="nothing to weigh on 2024-01-08"):
        history(early + A + B, weighting={"scheme": "score", "column": "points"},
                tables={"securities": facts})  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "told"),
    [((1e308, 1), "inf being that of A"), ((9e306, 8.9e306), r"1.78e\+308 .* B")],
)
def test_weights_must_have_a_finite_sum(counts, told):
    """A at 10 and B at 20, 1e308 shares of the one, or too many of both together."""
    message = f"^example: weights of {MONDAY} have no finite sum, {told}.US alone: a close"
    with pytest.raises(MarketDataError, match=message):
        history(A + B, tables=shares(*counts),
                weighting={"scheme": "market_cap", "caps": {"constituent": 0.9}})  # fmt: skip


# --- inverse volatility ---------------------------------------------------------------------------

INVERSE = {"scheme": "inverse_volatility", "lookback": 4}


def prices_of(symbol: str, *returns: float, start: float = 100.0) -> list[dict[str, object]]:
    """Return closes up to the base date that have these log returns."""
    path = [start * math.exp(sum(returns[:n])) for n in range(len(returns) + 1)]
    return closes(symbol, *path, start=SESSIONS[SESSIONS.index(MONDAY) - len(returns)])


def test_weights_are_inverse_to_the_sample_deviation():
    """Returns ±1 % and ±3 %: one deviation is three times the other."""
    calm, wild = (prices_of(s, r, -r, r, -r) for s, r in (("A.US", 0.01), ("B.US", 0.03)))

    assert targets(history(calm + wild, weighting=INVERSE)) == pytest.approx(
        {"A.US": 0.75, "B.US": 0.25}
    )


def test_only_the_last_sessions_count():
    """Five closes make four returns; the fifth return back does not matter."""
    calm = prices_of("A.US", 0.5, 0.01, -0.01, 0.01, -0.01)
    wild = prices_of("B.US", -0.5, 0.03, -0.03, 0.03, -0.03)

    assert targets(history(calm + wild, weighting=INVERSE)) == pytest.approx(
        {"A.US": 0.75, "B.US": 0.25}
    )


def test_the_deviation_is_that_of_a_sample():
    """Two returns of B, 0 and 2d, deviate by d√2; four of A, ±d, by d·√(4/3)."""
    four = prices_of("A.US", 0.02, -0.02, 0.02, -0.02)
    two = prices_of("B.US", 0.0, 0.04)
    found = targets(history(four + two, weighting=INVERSE))

    assert found["A.US"] / found["B.US"] == pytest.approx(math.sqrt(2 / (4 / 3)))


def test_too_few_returns_sit_out():
    """Half of four returns are needed; B has one."""
    four, one = prices_of("A.US", 0.02, -0.02, 0.02, -0.02), prices_of("B.US", 0.04)
    found = history(four + one, weighting=INVERSE)

    assert targets(found) == {"A.US": 1}
    assert found.excluded["symbol"].to_list() == ["B.US"]


def test_one_return_has_no_deviation_however_short_the_lookback():
    found = history(prices_of("A.US", 0.02, -0.02) + prices_of("B.US", 0.04),
                    weighting=INVERSE | {"lookback": 2})  # fmt: skip

    assert targets(found) == {"A.US": 1}


@pytest.mark.parametrize("step", [0.0, math.log(1.1)])
def test_no_deviation_sits_out_though_rounding_leaves_some(step):
    steady = prices_of("B.US", step, step, step, step, start=1.0)
    found = history(prices_of("A.US", 0.02, -0.02, 0.02, -0.02) + steady, weighting=INVERSE)

    assert targets(found) == {"A.US": 1}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([0.04], r"A.US \(1 return in a lookback of 4 sessions, needs 2\) and 1 more$"),
        ([0.0, 0.0], r"A.US \(no variance in a lookback of 4 sessions\) and 1 more$"),
    ],
)
def test_where_nobody_can_be_weighed_it_is_said_what_is_missing(rows, told):
    prices = prices_of("A.US", *rows) + prices_of("B.US", 0.01)
    with pytest.raises(MarketDataError, match=f"^example: nothing to weigh on {MONDAY}: {told}"):
        history(prices, weighting=INVERSE)


def test_who_sits_out_is_not_refilled():
    selection = {"rank_by": "price", "top": 2}
    found = history(
        prices_of("A.US", 0.02, -0.02, 0.02, start=90)
        + prices_of("B.US", 0.0, 0.0, 0.0)
        + prices_of("C.US", 0.02, -0.02, 0.02, start=80),
        weighting=INVERSE,
        selection=selection,
        constituents=listed("A.US", "B.US", "C.US"),
    )

    assert targets(found) == {"A.US": 1}
    assert found.excluded["symbol"].to_list() == ["B.US", "C.US"]


def test_returns_are_restated_by_the_ex_reference_price():
    """Cash and split apart, B returns ±3 %."""
    calm = prices_of("A.US", 0.01, -0.01, 0.01, -0.01)
    day = SESSIONS[SESSIONS.index(MONDAY) - 3 :]
    up, down = math.exp(0.03), math.exp(-0.03)
    path = [100.0]
    path.append((path[-1] - 7) * up)
    path.append(path[-1] / 2 * down)
    path.append((path[-1] - 3) * up)
    path.append(path[-1] * 10 * down)
    found = history(
        calm + closes("B.US", *path, start=EARLY),
        action("B.US", day[0], "dividend", cash=7),
        action("B.US", day[1], "split", ratio=2),
        action("B.US", day[2], "special_dividend", cash=3),
        action("B.US", MONDAY, "split", ratio=0.1),
        weighting=INVERSE,
    )

    assert targets(found) == pytest.approx({"A.US": 0.75, "B.US": 0.25})


def test_closes_on_no_session_make_no_return():
    """A Saturday's close of 50 stands between Friday and Monday."""
    saturday = {"symbol": "B.US", "date": date(2024, 1, 6), "close": 50.0}
    calm = prices_of("A.US", 0.01, -0.01, 0.01, -0.01)
    wild = [*prices_of("B.US", 0.03, -0.03, 0.03, -0.03), saturday]

    assert targets(history(calm + wild, weighting=INVERSE)) == pytest.approx(
        {"A.US": 0.75, "B.US": 0.25}
    )


def test_an_event_before_the_lookback_restates_none_of_its_returns():
    """Both have returns of ±1 %; the split of B lies before the four of them."""
    path = [10 * math.exp(0.01 * (n % 2)) for n in range(5)]
    start = SESSIONS.index(MONDAY) - 5
    split = action("B.US", SESSIONS[start + 1], "split", ratio=2)
    found = history(closes("A.US", 10, *path, start=SESSIONS[start])
                    + closes("B.US", 20, *path, start=SESSIONS[start]), split,
                    weighting={"scheme": "inverse_volatility", "lookback": 4})  # fmt: skip

    assert weights(found, MONDAY) == pytest.approx({"A.US": 0.5, "B.US": 0.5})


@pytest.mark.parametrize("symbol", ["A.US", "B.US"])
def test_every_return_of_the_lookback_counts(symbol):
    """All the variance of one is in the first of four returns, that of the other in the last."""
    other = {"A.US": "B.US", "B.US": "A.US"}[symbol]
    found = history(prices_of(symbol, 0.02, 0, 0, 0) + prices_of(other, 0, 0, 0, 0.02),
                    weighting=INVERSE)  # fmt: skip

    assert targets(found) == pytest.approx({"A.US": 0.5, "B.US": 0.5})


@pytest.mark.parametrize(("returns", "members"), [(2, {"A.US"}), (3, {"A.US", "B.US"})])
def test_half_of_an_odd_lookback_is_rounded_up(returns, members):
    found = history(
        prices_of("A.US", 0.02, -0.02, 0.02, -0.02, 0.02)
        + prices_of("B.US", *[0.02, -0.02, 0.02][:returns]),
        weighting=INVERSE | {"lookback": 5},
    )

    assert set(targets(found)) == members


@pytest.mark.parametrize(
    ("weighting", "reason"),
    [
        (
            {"scheme": "inverse_volatility", "lookback": 4},
            "0 returns in a lookback of 4 sessions, needs 2",
        ),
        ({"scheme": "price"}, "no number to weigh it by: scheme 'price'"),
    ],
)
def test_who_cannot_be_weighed_is_told_why_by_the_scheme(weighting, reason):
    definition = basket(weighting=weighting)
    rows = [prices_of(symbol, 0.02, -0.02, 0.02, -0.02) for symbol in ("A.US", "B.US")]
    panel = history([*rows[0], *rows[1]]).panel
    worth, dated = panel.worth.copy(), panel.dated.copy()
    worth[-1, 1], dated[:, 1] = np.nan, np.datetime64("NaT", "D")
    found = weigh(definition, replace(panel, worth=worth, dated=dated), np.array([0, 1]))
    [(symbol, told)] = found.sat_out

    assert symbol == "B.US"
    assert told.startswith(reason)
