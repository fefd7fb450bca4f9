"""A panel: actions in one order whoever asks, and nothing later than what was known."""

import itertools
from datetime import date

import numpy as np
import pytest

from indexer.market.panel import Panel, panel_of
from tests.index.examples import Row, market
from tests.reference.example import MONDAY, SESSIONS, WEEK, action, closes

PAID = [action("A.US", WEEK[2], "dividend", cash=cash) for cash in (0.1, 0.2, 0.3)]
PRICES = closes("A.US", *[10.0] * 9) + closes("B.US", *[20.0] * 9)


def made(actions: list[Row], count: int = 5, prices: list[Row] = PRICES) -> Panel:
    """Return the panel of A.US and B.US over so many sessions from Monday on."""
    first = SESSIONS.index(MONDAY)
    sessions = np.array(SESSIONS[first : first + count], dtype="datetime64[D]")
    tables = {"prices": prices, "actions": actions}
    return panel_of(market(tables), ["A.US", "B.US"], sessions, "USD", ["", ""])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_actions_of_a_day_are_dealt_with_in_one_order_however_they_are_listed(
    order: tuple[int, ...],
) -> None:
    """0.1 and 0.2 and 0.3 are one unit in the last place more than 0.3 and 0.2 and 0.1."""
    [found] = made([PAID[n] for n in order]).events

    assert found.event.ordinary == 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1


def test_what_was_known_holds_no_later_close() -> None:
    known = made([]).upto(1)

    assert known.closes.date.tolist() == [*WEEK[:2], *WEEK[:2]]
    assert known.closes.first.tolist() == [0, 2, 4]
    assert known.closes.close.tolist() == [10.0, 10.0, 20.0, 20.0]
    assert np.isnan(known.closes.amount).all()


def test_what_was_known_holds_no_later_event() -> None:
    splits = [action("A.US", day, "split", ratio=2) for day in (WEEK[1], WEEK[3])]
    panel = made(splits)

    assert [e.row for e in panel.events_of(0)] == [1, 3]
    assert panel.upto(1).events_of(0) == [panel.events_of(0)[0]]
    assert not panel.upto(0).events_of(0)


def test_a_close_between_sessions_is_known_with_those_of_the_one_after_it() -> None:
    """Saturday's is dated on no session; on Friday it is not known."""
    late = [{"symbol": "A.US", "date": date(2024, 1, 13), "close": 11.0}]
    panel = made([], 6, PRICES + late)

    assert panel.upto(4).closes.close.max() == 20.0
    assert 11.0 not in panel.upto(4).closes.close
    assert 11.0 in panel.upto(5).closes.close
