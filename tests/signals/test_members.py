"""Members' figures as signals: on which session they stand, and what they are measured against."""

from datetime import date, timedelta
from typing import Any

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
from tests.signals.example import MAINLAND, NEW_YORK, TRIPLE, compared, on_calendar, study, told

LEADER, FOLLOWER, _ = TRIPLE
SYMBOLS = ("600000.SH", "600001.SH", "600002.SH", "600003.SH")
SPAN = (date(2024, 1, 2), date(2024, 5, 31))
SPRING = MAINLAND.between(*SPAN)


def held(
    id: str,
    *symbols: str,
    moves: float = 0.0,
    amount: float | None = None,
    jump: date = date.max,
    last: date = SPAN[1],
    halt: date = date.max,
    calendar: str = "XSHG",
    **keys: Any,
) -> History:
    """Return an equal-weighted basket in Shanghai whose closes all grow by a share a session.

    From one date on its members have no amount in Shanghai, and ten times as much in New York. From
    another on its first member has no close.
    """
    rows = [
        {
            "symbol": symbol,
            "date": day,
            "close": 10.0 * (1 + moves) ** n,
            "amount": None
            if amount is None or (day >= jump and not symbol.endswith("US"))
            else amount * (k + 1) * (10 if day >= jump else 1),
        }
        for k, symbol in enumerate(symbols)
        for n, day in enumerate(
            (NEW_YORK if symbol.endswith("US") else MAINLAND).between(SPAN[0], last)
        )
        for day in [day.item()]
        if k or day < halt
    ]
    asked = definition(
        id=id,
        currency="CNY",
        calendar=calendar,
        constituents=[{"symbol": symbol} for symbol in symbols],
        **{"base": {"date": SPRING[0].item(), "level": 1000}} | keys,
    )
    fixed = [{"date": SPRING[0].item(), "base": "USD", "quote": "CNY", "rate": 7.0}]
    return build(asked, market({"prices": rows, "fx": fixed}))


def of_members(found: Comparison, name: str, id: str, window: int | None = None) -> list[float]:
    return [value for value, _ in told(found, name, ("", id), window).values()]


def test_carried_counts_the_members_without_a_close_each_session(sample: Comparison) -> None:
    for id in (LEADER, FOLLOWER):
        found = told(sample, "carried", ("", id), None)
        history = sample.histories[id]
        counts = dict(zip(history.days.tolist(), history.carried.tolist(), strict=True))
        assert {day: value for day, (value, _) in found.items()} == {d: counts[d] for d in found}


def test_carried_counts_on_the_base_date_as_the_levels_do() -> None:
    base = SPRING[5].item()
    follower = held("follower", *SYMBOLS, base={"date": base, "level": 1000}, halt=base)
    found = compared(on_calendar("leader", "XSHG", 0), follower, study=study("leader", "follower"))

    assert told(found, "carried", ("", "follower"), None)[base] == (1.0, False)


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


@pytest.mark.parametrize(
    ("place", "known"),
    [
        pytest.param("XNYS", date(2024, 4, 11), id="New York: known the evening after"),
        pytest.param("XHKG", date(2024, 4, 10), id="Hong Kong: after Shanghai, before the cut-off"),
    ],
)
def test_members_are_measured_against_the_leader_as_the_study_knows_it_that_evening(
    place: str, known: date
) -> None:
    """The leader stands still but for one rise; the follower's members grow all the time."""
    leader = on_calendar("leader", place, 0)
    jump = np.datetime64("2024-04-10")
    leader.variants["price"] = np.where(leader.days < jump, 100.0, 200.0)
    found = compared(
        leader, held("follower", "600000.SH", "600001.SH", moves=0.001),
        study=study("leader", "follower"),
    )  # fmt: skip
    better = told(found, "breadth_outperform", ("", "follower"), 20)
    values = {day: value for day, (value, _) in better.items()}
    assert values[known] == 0.0
    assert values[MAINLAND.on_or_before(known - timedelta(days=1))] == 1.0


def test_what_members_are_measured_against_may_be_back_tested_too() -> None:
    leader = on_calendar("leader", "XSHG", 0, selected_on=date(2024, 4, 10))
    found = compared(
        leader, held("follower", "600000.SH", moves=0.001), study=study("leader", "follower")
    )
    marks = {
        day: mark
        for day, (_, mark) in told(found, "breadth_outperform", ("", "follower"), 20).items()
    }
    first = SPRING[np.searchsorted(SPRING, np.datetime64("2024-04-10")) + 20].item()
    assert [day for day, mark in marks.items() if not mark] == [d for d in marks if d >= first]
    assert marks[date(2024, 4, 10)]


def test_a_turnover_that_lacks_a_part_has_no_shares() -> None:
    """The other basket's amounts end: what is left would be all there is."""
    one = held("one", "600000.SH", amount=1e6)
    two = held("two", "600001.SH", amount=1e6, jump=date(2024, 4, 10))
    found = told(compared(one, two, study=study("one", "two")), "crowding", ("", "one"), 20)
    assert max(found) == date(2024, 4, 9)
    assert {value for value, _ in found.values()} == {0.5}


@pytest.mark.parametrize("calendar", ["XSHG", "XHKG"])
def test_a_turnover_has_no_shares_once_one_of_the_baskets_has_ended(calendar: str) -> None:
    """What is left would be all there is."""
    one = held("one", SYMBOLS[0], amount=1e6)
    two = held("two", SYMBOLS[1], amount=1e6, last=date(2024, 4, 3), calendar=calendar)
    three = held("three", SYMBOLS[2], amount=1e6)
    asked = study("one", "two", "three")
    found = told(compared(one, two, three, study=asked), "crowding", ("", "one"), 20)
    assert max(found) == date(2024, 4, 3)


def test_an_index_that_stood_at_stale_prices_of_late_is_warned_of() -> None:
    """The first of two equals is halted on the last three of the six sessions looked at."""
    one = held("one", *SYMBOLS[:2], halt=SPRING[-3].item())
    found = compared(one, held("two", SYMBOLS[2]), study=study("one", "two"))
    told = found.summary["indices"]
    assert {id: index["stale_sessions"] for id, index in told.items()} == {"one": 3, "two": 0}
    assert [w.en for w in found.warnings if w.en.startswith("one: ")] == [
        "one: more of its weight than R14 lets be published stood at stale prices on 3 of its "
        "latest 6 sessions: its returns come late, and what is made of them may be due to that"
    ]


def test_what_was_stale_before_the_latest_sessions_is_not_told() -> None:
    one = held("one", *SYMBOLS[:2], halt=SPRING[-3].item())
    asked = study("one", "two")
    found = compared(one, held("two", SYMBOLS[2]), study=asked, until=SPRING[-4].item())
    assert found.summary["indices"]["one"]["stale_sessions"] == 0


def test_turnover_counts_when_it_is_known() -> None:
    """New York turns over ten times as much from a date on, known the evening after."""
    one = held("one", "600000.SH", amount=7e6)
    two = held("two", "AAA.US", amount=1e6, jump=date(2024, 5, 14))
    found = told(compared(one, two, study=study("one", "two")), "crowding", ("", "one"), 20)
    values = {day: value for day, (value, _) in found.items()}
    assert values[date(2024, 5, 14)] == 0.5
    assert values[date(2024, 5, 15)] == pytest.approx((19 * 0.5 + 1 / 11) / 20)


def test_crowding_is_back_tested_with_any_of_the_baskets() -> None:
    one = held("one", "600000.SH", amount=1e6)
    two = held("two", "600001.SH", amount=1e6, selected_on=date(2024, 4, 10))
    found = told(compared(one, two, study=study("one", "two")), "crowding", ("", "one"), 20)
    first = SPRING[np.searchsorted(SPRING, np.datetime64("2024-04-10")) + 19].item()
    assert [d for d, (_, mark) in found.items() if not mark] == [d for d in found if d >= first]


def test_crowding_is_back_tested_also_where_a_window_begins_without_a_session_of_the_other() -> (
    None
):
    """Easter Monday, 1 April: Shanghai is open and Hong Kong, which is chosen later, is not."""
    one = held("one", "600000.SH", amount=1e6)
    two = held("two", "600001.SH", amount=1e6, calendar="XHKG", selected_on=date(2024, 4, 8))
    found = told(compared(one, two, study=study("one", "two")), "crowding", ("", "one"), 20)
    first = SPRING[np.searchsorted(SPRING, np.datetime64("2024-04-08")) + 19].item()
    assert [d for d, (_, mark) in found.items() if not mark] == [d for d in found if d >= first]


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


@pytest.mark.parametrize("others", [("two",), ("two", "three")])
def test_a_basket_is_not_crowded_while_no_other_holds_a_member(others: tuple[str, ...]) -> None:
    """The others are held from the session after their base date on; a mean is of twenty."""
    base = {"date": date(2024, 3, 5), "level": 1000}
    late = [held(id, SYMBOLS[n], amount=1e6, base=base) for n, id in enumerate(others, 1)]
    found = compared(held("one", SYMBOLS[0], amount=1e6), *late, study=study("one", *others))
    shares = told(found, "crowding", ("", "one"), 20)
    assert min(shares) == SPRING[np.searchsorted(SPRING, np.datetime64("2024-03-05")) + 20].item()
    assert {round(value, 12) for value, _ in shares.values()} == {round(1 / (1 + len(others)), 12)}


def test_without_amounts_nothing_is_crowded() -> None:
    found = compared(held("one", "600000.SH"), held("two", "600001.SH"), study=study("one", "two"))
    assert of_members(found, "crowding", "one", 20) == []


def given(*in_the_benchmark: str) -> Comparison:
    """Return two followers of 1 and 2 and a leader of 0 beside a benchmark of some symbols."""
    baskets = [held(id, symbol) for id, symbol in zip("abc", SYMBOLS, strict=False)]
    return compared(*baskets, held("market", *in_the_benchmark), study=study("a", "b", "c"))


@pytest.mark.parametrize(("inside", "follower"), [(SYMBOLS[1], "b"), (SYMBOLS[2], "c")])
def test_a_benchmark_that_holds_what_a_follower_holds_is_no_control(
    inside: str, follower: str
) -> None:
    found = given(inside, SYMBOLS[3])
    assert found.summary["warnings"][0] == (
        f"benchmark market holds 1 issuer of {follower}: partial correlations of {follower} are "
        "not given the benchmark"
    )
    assert "partial_correlation_benchmark" not in {signal.name for signal in found.signals}
    assert found.summary["ratio_lines"][0]["benchmark"] is None


def test_a_benchmark_that_holds_what_the_leader_holds_is_a_control() -> None:
    found = given(SYMBOLS[0], SYMBOLS[3])
    assert not [text for text in found.summary["warnings"] if text.startswith("benchmark")]
    assert found.summary["ratio_lines"][0]["benchmark"] == "market"


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
    said = f"a and b have both held 1 issuer ({SYMBOLS[1]}): they move together by these as well"
    assert said in both.summary["warnings"]
    expected = alone.summary["ratio_lines"][0]["partial_correlation"][20]
    assert both.ratios[0].partial_without[20] == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(both.summary["ratio_lines"][0]["partial_correlation"][20])
