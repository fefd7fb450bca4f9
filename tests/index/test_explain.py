"""What moved an index on one session, worked by hand."""

from datetime import date

import numpy as np
import pytest

from indexer.errors import MissingInputError
from indexer.index.explain import explain
from indexer.index.history import History
from tests.index.examples import history
from tests.reference.example import WEEK, action, closes

A = closes("A.US", 10, 11, 11)
B = closes("B.US", 20, 20, 18)


def explained(day, *tables, **changes):
    """Return what explains a session of an index of A and B, half and half."""
    return explain(history(A + B, *tables, **changes), day)


def test_contributions_are_named_largest_first_and_sum_to_the_return():
    told = explained(WEEK[1])

    assert told["levels"]["price"] == {"before": 1000.0, "after": 1050.0}
    assert told["price_return"] == pytest.approx(0.05)
    assert [(p["symbol"], p["contribution"]) for p in told["contributions"]] == [
        ("A.US", pytest.approx(0.05)),
        ("B.US", 0.0),
    ]


@pytest.mark.parametrize(("selected", "marked"), [(WEEK[1], False), (WEEK[2], True)])
def test_a_session_before_the_selection_is_marked(selected, marked):
    assert explained(WEEK[1], selected_on=selected)["backtested"] is marked


def test_weights_are_those_the_session_opened_with():
    """A rose to 550 of 1050 on Tuesday; B falls by a tenth from there on Wednesday."""
    told = explained(WEEK[2])
    parts = {p["symbol"]: p for p in told["contributions"]}

    assert parts["A.US"]["weight"] == pytest.approx(550 / 1050)
    assert parts["B.US"]["weight"] == pytest.approx(500 / 1050)
    assert parts["B.US"]["return"] == pytest.approx(-0.1)
    assert told["price_return"] == pytest.approx(-50 / 1050)


def test_actions_of_the_session_are_told_with_the_price_they_leave():
    told = explained(WEEK[1], action("A.US", WEEK[1], "dividend", cash=1))

    assert told["actions"] == [
        {
            "symbol": "A.US",
            "kind": "dividend",
            "ex_date": str(WEEK[1]),
            "close_before": 10.0,
            "ex_reference": 9.0,
            "cash": 1.0,
        }
    ]
    assert told["dividend_points"] == pytest.approx(50.0)  # 50 shares of A for each 1000 points


def test_carried_prices_are_told_with_their_age():
    told = explain(history(closes("A.US", 10) + closes("B.US", 20, 20, 20)), WEEK[2])

    assert told["carried"] == [
        {"symbol": "A.US", "close_of": str(WEEK[0]), "sessions": 2},
    ]


def test_what_befell_a_line_on_the_day_it_passed_into_another_is_told_and_its_name_goes_on():
    """C traded before, so that A's shares pass into a line of its own past."""
    made = [
        action("A.US", WEEK[1], "dividend", cash=0.5),
        action("A.US", WEEK[1], "symbol_change", other="C.US"),
    ]
    rows = closes("A.US", 10) + closes("B.US", 20, 20, 20) + closes("C.US", 10, 10, 10)
    named = [{"symbol": "A.US", "name": "Alpha"}, {"symbol": "B.US"}]
    told = explain(history(rows, *made, constituents=named), WEEK[1])

    assert told["dividend_points"] == pytest.approx(25)
    assert [(a["symbol"], a["kind"], a["cash"]) for a in told["actions"]] == [
        ("A.US", "dividend", 0.5)
    ]
    assert {c["symbol"]: c["name"] for c in told["contributions"]}["C.US"] == "Alpha"


@pytest.mark.parametrize("day", [WEEK[0], date(2030, 1, 2), date(2024, 1, 13)])
def test_a_day_without_a_return_is_an_error_that_names_the_span(day):
    with pytest.raises(
        MissingInputError, match=f"nothing to explain on {day}.*from {WEEK[0]} (on|to)"
    ):
        explained(day)


def test_a_session_in_full():
    """A spins off C, which joins at no value; B pays 1 of either kind; D is not held yet."""
    found = history(
        closes("A.US", 10, 8, 8) + closes("B.US", 20, 18, 18) + closes("C.US", None, 2, 2)
        + closes("D.US", 5, 5, 5),
        action("A.US", WEEK[1], "spinoff", ratio=1, other="C.US"),
        action("B.US", WEEK[1], "dividend", cash=1),
        action("B.US", WEEK[1], "special_dividend", cash=1),
        action("D.US", WEEK[1], "dividend", cash=1),
        constituents=[{"symbol": "A.US", "name": "Alpha"}, {"symbol": "B.US"},
                      {"symbol": "D.US", "from": WEEK[2]}],
    )  # fmt: skip
    told = explain(found, WEEK[1])

    assert (told["id"], told["date"], told["synthetic"]) == ("example", str(WEEK[1]), False)
    assert told["divisor"] == {"before": 1.0, "after": pytest.approx(0.975)}
    assert told["changes"] == ["special_dividend+dividend", "spinoff"]
    assert [(t["symbol"], t["kind"], t["shares_before"]) for t in told["transfers"]] == [
        ("C.US", "spinoff", 0.0)
    ]
    assert told["dividend_points"] == pytest.approx(25 / 0.975)
    assert [(a["symbol"], a["kind"], a["cash"]) for a in told["actions"]] == [
        ("B.US", "special_dividend+dividend", 2.0)
    ]
    # 500 of A, 475 of B and nothing of C are 975; B closes at 25·18 = 450.
    assert [(p["symbol"], p["name"], p["return"]) for p in told["contributions"]] == [
        ("A.US", "Alpha", pytest.approx(-0.2)),
        ("C.US", None, None),
        ("B.US", None, pytest.approx(-25 / 475)),
    ]
    assert [p["weight"] for p in told["contributions"]] == pytest.approx([500 / 975, 0, 475 / 975])
    assert told["price_return"] == pytest.approx(-25 / 975)
    assert told["carried"] == []


def test_a_merger_is_told_with_who_gives_and_who_receives():
    found = history(A + B, action("B.US", WEEK[1], "merger", ratio=2, other="A.US"))

    assert explain(found, WEEK[1])["transfers"] == [
        {"symbol": "A.US", "kind": "merger", "shares_before": 50.0, "shares_after": 100.0},
        {"symbol": "B.US", "kind": "merger", "shares_before": 25.0, "shares_after": 0.0},
    ]
    assert explain(found, WEEK[2])["transfers"] == []


def test_levels_are_those_of_the_session_and_of_the_one_before():
    assert explained(WEEK[2])["levels"]["price"] == pytest.approx({"before": 1050, "after": 1000})


def test_a_day_without_a_level_is_refused_with_the_sessions_there_are():
    with pytest.raises(MissingInputError, match=f"levels from {WEEK[0]} to {WEEK[2]}$"):
        explained(WEEK[3])


def test_dividend_points_are_those_before_tax():
    """A pays 1.1 on each of 50 shares."""
    paid = action("A.US", WEEK[1], "dividend", cash=1.1)
    tax = {"view": "resident", "US": 0.1}
    found = history(A + B, paid, variants=["price", "gross", "net"], withholding=tax)

    assert explain(found, WEEK[1])["dividend_points"] == pytest.approx(55)


def test_a_series_has_nothing_that_moved_it():
    days = np.array([str(day) for day in WEEK[:2]], "datetime64[D]")
    whole = history(A + B)
    none = np.empty(2)
    series = History(
        whole.definition, False, days, {"price": none}, none, none, np.zeros(2, dtype=int)
    )

    with pytest.raises(MissingInputError, match="is a ready-made series: it has no constituents"):
        explain(series, WEEK[1])


def test_what_has_never_traded_is_carried_at_no_close():
    """C joins by a spin-off and has no close at all."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="C.US")

    assert explained(WEEK[1], spun)["carried"] == [
        {"symbol": "C.US", "close_of": None, "sessions": None},
    ]
