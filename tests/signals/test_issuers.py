"""Issuers that two baskets hold: who they are, and a basket as if it had never held them."""

import numpy as np
import pytest

from indexer.signals.issuers import Shared, levels_without, shared_issuers
from tests.index.examples import history
from tests.reference.example import WEEK, action, closes, listed
from tests.signals.example import days, series
from tests.signals.example import history as ready_made

A, B = closes("A.US", 10, 12, 15), closes("B.US", 20, 22, 11)
SECURITIES = [
    {"symbol": "A.US", "issuer": "Alpha"},
    {"symbol": "00005.HK", "issuer": "Alpha"},
]


@pytest.mark.attack("A6")
def test_an_issuer_is_shared_whatever_the_symbol_it_is_held_by() -> None:
    """A's New York and Hong Kong lines are of one issuer; B names none and is its own."""
    tables = {"securities": SECURITIES}
    fx = [{"date": WEEK[0], "base": "HKD", "quote": "USD", "rate": 0.125}]
    one = history(A + B, tables=tables)
    two = history(
        closes("00005.HK", 60, 60, 61) + B + closes("D.US", 5, 5, 5),
        tables=tables | {"fx": fx},
        constituents=listed("00005.HK", "D.US", "B.US"),
    )
    assert shared_issuers({"one": one, "two": two}) == (
        Shared("Alpha", {"one": ("A.US",), "two": ("00005.HK",)}),
        Shared("B.US", {"one": ("B.US",), "two": ("B.US",)}),
    )
    assert shared_issuers({"one": one}) == ()


def test_what_is_listed_but_never_held_is_not_shared() -> None:
    one = history(A + B)
    two = history(
        A + B + closes("D.US", 5, 5, 5),
        constituents=[{"symbol": "D.US"}, {"symbol": "B.US", "from": WEEK[2]}],
    )
    assert shared_issuers({"one": one, "two": two}) == ()


def test_what_was_held_once_and_left_is_shared() -> None:
    one = history(A + B, action("A.US", WEEK[1], "delisting"))
    two = history(A + closes("D.US", 5, 5, 5), constituents=listed("A.US", "D.US"))

    assert one.shares[-1, 0] == 0
    assert shared_issuers({"one": one, "two": two}) == (
        Shared("A.US", {"one": ("A.US",), "two": ("A.US",)}),
    )


def test_a_ready_made_series_tells_nothing_of_what_it_holds() -> None:
    found = ready_made(series("a"), days("01-02", "01-03"), [100.0, 110.0])
    assert shared_issuers({"one": history(A + B), "a": found}) == ()
    assert levels_without(found, ["A.US"]).tolist() == [100.0, 110.0]


def test_without_one_of_two_a_basket_is_the_other() -> None:
    assert levels_without(history(A + B), ["A.US"]).tolist() == pytest.approx([100, 110, 55])


def test_the_others_keep_their_weights_among_each_other() -> None:
    """Half A and, after A is left out, B and D as one to three: 10 % and -20 % of the rest."""
    rows = A[:2] + closes("B.US", 20, 22) + closes("D.US", 30, 24)
    found = history(
        rows,
        weighting={"scheme": "fixed"},
        constituents=[
            {"symbol": "A.US", "weight": 0.5},
            {"symbol": "B.US", "weight": 0.125},
            {"symbol": "D.US", "weight": 0.375},
        ],
    )
    assert levels_without(found, ["A.US"]).tolist() == pytest.approx([100, 87.5])


def test_a_rebalance_between_the_others_counts() -> None:
    """Equal weights again after Tuesday: B and D rise by a tenth on different days."""
    rule = {"frequency": "monthly", "day": str(WEEK[1].day)}
    rows = A + closes("B.US", 20, 22, 22) + closes("D.US", 10, 10, 11)
    found = history(rows, constituents=listed("A.US", "B.US", "D.US"), rebalance=rule)
    assert levels_without(found, ["A.US"]).tolist() == pytest.approx([100, 105, 110.25])


def test_an_action_of_another_moves_nothing() -> None:
    split = action("B.US", WEEK[1], "split", ratio=2)
    found = history(A + closes("B.US", 20, 11, 5.5), split)
    assert levels_without(found, ["A.US"]).tolist() == pytest.approx([100, 110, 55])


def test_without_all_that_it_holds_a_basket_has_no_level() -> None:
    found = levels_without(history(A + B), ["A.US", "B.US"])
    assert found[0] == 100
    assert np.isnan(found[1:]).all()


def test_without_nothing_a_basket_is_itself() -> None:
    found = history(A + B)
    assert levels_without(found, []).tolist() == found.variants["price"].tolist()
