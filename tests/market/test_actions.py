"""Corporate actions: examples worked by hand, real ex-dates, and laws."""

import csv
import math
import random
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.market.actions import Action, Event, decimal, event, exact_ex_reference, impossible
from tests.shared import COMPUTE, SHARED, real


def dividend(cash: float) -> Action:
    return Action("dividend", cash=cash)


def special(cash: float) -> Action:
    return Action("special_dividend", cash=cash)


def split(ratio: float) -> Action:
    return Action("split", ratio=ratio)


def bonus(ratio: float) -> Action:
    return Action("bonus", ratio=ratio)


def rights(ratio: float, price: float) -> Action:
    return Action("rights", ratio=ratio, price=price)


def shown(price: float) -> Decimal:
    """Return a price as an exchange shows it: half up to the hundredth."""
    return Decimal(repr(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)


# Worked by hand: close before, actions; Q, P', P^ex, index shares for one
WORKED = {
    "nothing": (10, [], 1, 10, 10, 1),
    "dividend": (32.41, [dividend(0.5)], 1, 32.41, 31.91, 1),
    "two dividends": (10, [dividend(0.5), dividend(0.5)], 1, 10, 9, 1),
    "special dividend": (10, [special(2)], 1, 8, 8, 1),
    "both dividends": (10, [special(2), dividend(1)], 1, 8, 7, 1),
    "two for one": (10, [split(2)], 2, 5, 5, 2),
    "one for ten": (10, [split(0.1)], 0.1, 100, 100, 0.1),
    "two splits": (12, [split(2), split(3)], 6, 2, 2, 6),
    "four for ten": (14, [bonus(0.4)], 1.4, 10, 10, 1.4),
    "two bonus issues": (15, [bonus(0.2), bonus(0.3)], 1.5, 10, 10, 1.5),
    "bonus and cash": (14, [bonus(0.4), dividend(0.7)], 1.4, 10, 9.5, 1.4),
    "rights": (11, [rights(0.5, 8)], 1.5, 10, 10, 1.1),
    "rights at the close": (10, [rights(0.5, 10)], 1, 10, 10, 1),
    "rights above the close": (10, [rights(0.5, 10.01)], 1, 10, 10, 1),
    "rights just below": (10, [rights(1, 9)], 2, 9.5, 9.5, 10 / 9.5),
    "rights judged before cash": (9, [rights(1, 8.5), special(1)], 2, 8.25, 8.25, 8 / 8.25),
    "rights at a close that as a float is above": (1 - 0.18, [rights(1, 0.82)], 1, 0.82, 0.82, 1),
    "one of two rights": (11, [rights(0.5, 8), rights(1, 12)], 1.5, 10, 10, 1.1),
    "all of one day": (
        20,
        [
            split(2),
            split(1.5),
            bonus(0.5),
            rights(1.5, 8),
            special(2),
            dividend(0.4),
            dividend(0.6),
        ],
        5,
        6,
        5.8,
        3,
    ),
}


@pytest.mark.parametrize(
    ("prior", "actions", "quantity", "restated", "ex_reference", "factor"),
    WORKED.values(),
    ids=WORKED,
)
def test_an_event_is_as_worked_by_hand(
    prior: float,
    actions: list[Action],
    quantity: float,
    restated: float,
    ex_reference: float,
    factor: float,
) -> None:
    found = event(actions, prior)
    assert [found.quantity, found.restated, found.ex_reference, found.factor] == pytest.approx(
        [quantity, restated, ex_reference, factor], rel=1e-15
    )


@pytest.mark.parametrize("kind", ["delisting", "merger", "spinoff", "symbol_change"])
def test_other_kinds_restate_nothing(kind: str) -> None:
    assert event([Action(kind, cash=1, ratio=2, price=3)], 10) == Event(10, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ([dividend(4), special(0.9)], ""),
        ([dividend(4), special(1)], "cash of 5 leaves nothing of the close of 5"),
        ([rights(1, 2), special(8)], "cash of 6 leaves nothing of the close of 5"),
        ([split(1e-320)], "the close of 5 becomes inf: a ratio is too small or too large"),
        (
            [split(1e200), split(1e200)],
            "the close of 5 becomes 0: a ratio is too small or too large",
        ),
    ],
)
def test_an_event_must_leave_a_price(actions: list[Action], why: str) -> None:
    assert impossible(event(actions, 5)) == why


# Real ones


def recorded(symbol: str, ex_date: str) -> list[Action]:
    with (COMPUTE / "actions.csv").open(encoding="utf-8") as stream:
        return [
            Action(row["kind"], float(row["cash"] or 0), float(row["ratio"] or 0))
            for row in csv.DictReader(stream)
            if (row["symbol"], row["ex_date"]) == (symbol, ex_date)
        ]


def test_the_reference_price_of_a_real_dividend() -> None:
    """002463 on 2024-05-20: five yuan for ten shares."""
    assert shown(event([dividend(0.5)], 32.41).ex_reference) == Decimal("31.91")


@real
def test_the_reference_price_of_a_real_bonus_with_cash() -> None:
    actions = recorded("001309.SZ", "2024-04-26")
    assert sorted(action.kind for action in actions) == ["bonus", "dividend"]
    assert shown(event(actions, 122.10).ex_reference) == Decimal("93.82")


NO_RECORDS = {"002484"}  # the folder holds no actions at all of this company


@real
def test_every_real_ex_date_is_recorded_and_none_of_the_false_ones() -> None:
    """A vendor's factor changed 39 times in 2024; 15 times the reference price differs too."""
    with (SHARED / "examples" / "ex-dates-2024.csv").open(encoding="utf-8") as stream:
        changes = list(csv.DictReader(stream))
    real_ones = [row for row in changes if float(row["price_gap"]) != 0]
    assert (len(changes), len(real_ones)) == (39, 15)

    for row in changes:
        actions = recorded(f"{row['code']}.SZ", row["ex_date"])
        assert bool(actions) == (row in real_ones and row["code"] not in NO_RECORDS), row
        if actions or row not in real_ones:
            reference = event(actions, float(row["cum_close"])).ex_reference
            assert shown(reference) == shown(float(row["ex_reference_prev_close"])), row


# Laws

PRIORS = st.floats(0.5, 5_000)
RATIOS = st.floats(0.01, 20)
GENTLE = st.one_of(
    st.builds(split, RATIOS),
    st.builds(bonus, RATIOS),
    st.builds(dividend, st.floats(0, 0.02)),
    st.builds(special, st.floats(0, 0.02)),
)
ANY = GENTLE | st.builds(rights, RATIOS, st.floats(0.01, 6_000))


@given(PRIORS, st.lists(ANY, max_size=6))
def test_an_event_keeps_the_value_of_a_holding(prior: float, actions: list[Action]) -> None:
    """What is held after it, at the restated price, is what was held before less special cash."""
    found = event(actions, prior)
    assert math.isclose(found.factor * found.restated, prior - found.special, rel_tol=1e-12)


@given(PRIORS, st.lists(ANY, max_size=6))
def test_an_event_leaves_positive_shares_and_prices(prior: float, actions: list[Action]) -> None:
    found = event(actions, prior)
    assert found.quantity > 0
    assert found.restated > 0
    assert found.factor > 0


@given(PRIORS, st.lists(GENTLE, max_size=6))
def test_without_rights_the_shares_grow_by_the_quantity(
    prior: float, actions: list[Action]
) -> None:
    found = event(actions, prior)
    assert found.factor == found.quantity
    assert found.subscribed == 0


@given(PRIORS, st.lists(ANY, max_size=6))
def test_the_reference_price_is_the_restated_one_less_ordinary_cash(
    prior: float, actions: list[Action]
) -> None:
    found = event(actions, prior)
    cash = sum(action.cash for action in actions if action.kind == "dividend")
    assert math.isclose(
        found.ex_reference, found.restated - cash / found.quantity, rel_tol=1e-12, abs_tol=1e-12
    )


@given(PRIORS, st.lists(ANY, max_size=6))
def test_the_exact_reference_price_is_the_reference_price(
    prior: float, actions: list[Action]
) -> None:
    exact = exact_ex_reference(actions, decimal(prior))
    assert math.isclose(exact, event(actions, prior).ex_reference, rel_tol=1e-12)


@given(PRIORS, st.lists(ANY, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_days_actions_changes_nothing(
    prior: float, actions: list[Action], chance: random.Random
) -> None:
    shuffled = actions.copy()
    chance.shuffle(shuffled)
    first, second = event(actions, prior), event(shuffled, prior)
    assert math.isclose(first.restated, second.restated, rel_tol=1e-12)
    assert math.isclose(first.factor, second.factor, rel_tol=1e-12)


@given(PRIORS, st.lists(ANY, max_size=6), RATIOS)
def test_rights_at_or_above_the_close_change_nothing(
    prior: float, actions: list[Action], ratio: float
) -> None:
    assert event([*actions, rights(ratio, prior)], prior) == event(actions, prior)
