"""Members' figures as signals: on which session they stand, and what they are measured against."""

from datetime import date

import numpy as np
import pytest

from indexer.arrays import Instants, Vector
from indexer.index.build import build
from indexer.index.history import History
from indexer.signals.breadth import breadth, members_of
from indexer.signals.result import Comparison
from indexer.signals.study import compare
from tests.index.examples import basket as definition
from tests.index.examples import market
from tests.signals.example import MAINLAND, TRIPLE, compared, on_calendar, study, told

LEADER, FOLLOWER, _ = TRIPLE
SYMBOLS = ("600000.SH", "600001.SH", "600002.SH", "600003.SH")
SPRING = MAINLAND.between(date(2024, 1, 2), date(2024, 5, 31))


def held(id: str, *symbols: str, moves: float = 0.0, amount: float | None = None) -> History:
    """Return an equal-weighted basket in Shanghai whose closes all grow by a share a session."""
    rows = [
        {
            "symbol": symbol,
            "date": day,
            "close": 10.0 * (1 + moves) ** n,
            "amount": None if amount is None else amount * (k + 1),
        }
        for k, symbol in enumerate(symbols)
        for n, day in enumerate(SPRING.tolist())
    ]
    asked = definition(
        id=id,
        currency="CNY",
        calendar="XSHG",
        base={"date": SPRING[0].item(), "level": 1000},
        constituents=[{"symbol": symbol} for symbol in symbols],
    )
    return build(asked, market({"prices": rows}))


def of_members(found: Comparison, name: str, id: str, window: int | None = None) -> list[float]:
    return [value for value, _ in told(found, name, ("", id), window).values()]


def test_carried_counts_the_members_without_a_close_each_session(sample: Comparison) -> None:
    for id in (LEADER, FOLLOWER):
        found = told(sample, "carried", ("", id), None)
        history = sample.histories[id]
        counts = dict(zip(history.days.tolist(), history.carried.tolist(), strict=True))
        assert {day: value for day, (value, _) in found.items()} == {d: counts[d] for d in found}


def test_a_figure_stands_where_the_level_of_its_own_session_was_first_known(
    sample: Comparison,
) -> None:
    members = members_of(sample.histories[FOLLOWER])
    above = breadth(members.close, members.held, members.traded, 20)
    own = dict(zip(members.days.tolist(), above.tolist(), strict=True))
    column = sample.aligned.ids.index(FOLLOWER)
    dated = dict(
        zip(sample.aligned.sessions.tolist(), sample.aligned.dated[:, column].tolist(), strict=True)
    )
    found = told(sample, "breadth_20", ("", FOLLOWER), 20)
    assert len(found) > 600
    assert {day: value for day, (value, _) in found.items()} == {d: own[dated[d]] for d in found}


def test_a_ready_made_series_has_no_members(sample: Comparison) -> None:
    assert not [s for s in sample.signals if s.leader == "" and s.follower == TRIPLE[2]]


def test_members_are_measured_against_what_was_known_of_the_leader() -> None:
    """New York's level of a date is known after Shanghai's close: the one before it counts.

    The leader stands still but for one rise; the follower's members grow all the time.
    """
    leader = on_calendar("leader", "XNYS", 0)
    jump = np.datetime64("2024-04-10")
    leader.variants["price"] = np.where(leader.days < jump, 100.0, 200.0)
    found = compared(
        leader, held("follower", "600000.SH", "600001.SH", moves=0.001),
        study=study("leader", "follower"),
    )  # fmt: skip
    better = told(found, "breadth_outperform", ("", "follower"), 20)
    values = {day: value for day, (value, _) in better.items()}
    assert values[date(2024, 4, 10)] == 1.0
    assert values[date(2024, 4, 11)] == 0.0


def test_crowding_is_the_share_of_what_the_baskets_turn_over_together() -> None:
    """One holds 1 and 2, the other 1, 2 and 3 of which the first two are the same symbols."""
    one = held("one", "600000.SH", "600001.SH", amount=1e6)
    two = held("two", "600000.SH", "600001.SH", "600002.SH", amount=1e6)
    found = compared(one, two, study=study("one", "two"))
    assert set(np.round(of_members(found, "crowding", "one", 20), 12)) == {0.5}
    assert set(np.round(of_members(found, "crowding", "two", 20), 12)) == {1.0}


def test_a_basket_alone_is_not_crowded() -> None:
    one = held("one", "600000.SH", amount=1e6)
    found = compared(one, on_calendar("two", "XSHG", 1), study=study("one", "two"))
    assert of_members(found, "crowding", "one", 20) == []


def test_without_amounts_nothing_is_crowded() -> None:
    found = compared(held("one", "600000.SH"), held("two", "600001.SH"), study=study("one", "two"))
    assert of_members(found, "crowding", "one", 20) == []


def test_without_shared_issuers_the_rest_is_compared_in_the_currency_of_the_study() -> None:
    """The follower holds 0 and 1, the leader 1: without it the follower is a basket of 0 alone."""
    rng = np.random.default_rng(5)
    close = {s: 10 * np.exp(np.cumsum(0.02 * rng.standard_normal(len(SPRING)))) for s in SYMBOLS}

    def holding(id: str, *symbols: str) -> History:
        rows = [
            {"symbol": symbol, "date": day, "close": float(price)}
            for symbol in symbols
            for day, price in zip(SPRING.tolist(), close[symbol], strict=True)
        ]
        base = {"date": SPRING[0].item(), "level": 1000}
        listed = [{"symbol": symbol} for symbol in symbols]
        keys = {"currency": "CNY", "calendar": "XSHG", "base": base, "constituents": listed}
        return build(definition(id=id, **keys), market({"prices": rows}))

    def moving(_: str, instants: Instants) -> Vector:
        return np.asarray(0.14 * np.exp(0.02 * np.sin(np.arange(len(instants)) ** 2)))

    asked = study("a", "b", "c", currency="USD", windows={"correlation": ["20"]})
    c = holding("c", SYMBOLS[3])
    a, b = holding("a", *SYMBOLS[1:3]), holding("b", *SYMBOLS[:2])
    both = compare(asked, {"a": a, "b": b, "c": c}, moving)
    a, b = holding("a", SYMBOLS[2]), holding("b", SYMBOLS[0])
    alone = compare(asked, {"a": a, "b": b, "c": c}, moving)
    assert [s.issuer for s in both.ratios[0].shared] == [SYMBOLS[1]]
    expected = alone.summary["ratio_lines"][0]["partial_correlation"][20]
    assert both.ratios[0].partial_without[20] == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(both.summary["ratio_lines"][0]["partial_correlation"][20])
