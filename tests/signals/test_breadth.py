"""Statistics of members: by hand, by the oracle on drawn markets, and what changes nothing."""

import math
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from indexer.arrays import Vector
from indexer.definitions.read import read_basket
from indexer.errors import IndexerError
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.market.tables import read_market
from indexer.signals.breadth import (
    Members,
    breadth,
    breadth_outperform,
    correlated,
    crowding,
    diffusion,
    dispersion,
    member_correlation,
    members_of,
    turnover_amount,
)
from indexer.signals.members import breadth_reach
from tests.index.drawn import SMALL, Case, cases
from tests.index.drawn_market import MOVING, RESTATING
from tests.index.examples import basket, history, market
from tests.reference import diffusion as reference
from tests.reference.example import SATURDAY, WEEK, action, closes
from tests.reference.prices import event_of
from tests.reference.signal_members import crowding as reference_crowding
from tests.shared import COMPUTE, real
from tests.signals.example import history as series_history
from tests.signals.example import series

ROOT = Path(__file__).resolve().parents[2]
HELD = np.ones((5, 2), dtype=bool)
TRADED = HELD

few = settings(
    max_examples=max(25, settings().max_examples // 4), suppress_health_check=list(HealthCheck)
)


def returns(close: Any) -> list[float]:
    return [float(now / before - 1) for before, now in pairwise(close)]


def nulls(values: Vector) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def numbers(column: list[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in column]


def same(found: Vector, expected: list[float | None]) -> None:
    np.testing.assert_allclose(found, numbers(expected), rtol=1e-9, atol=1e-10)


# --- members of an index ----------------------------------------------------------------------


def line(found: Members, column: int = 0) -> list[float]:
    return [float(value) for value in found.close[:, column]]


def test_members_are_held_from_the_session_after_the_base_date() -> None:
    """B.US doubles on Tuesday: of both equal halves it has two thirds on Wednesday morning."""
    prices = [*closes("A.US", 10, 10, 10, 10), *closes("B.US", 5, 10, 10, 10)]
    found = members_of(history(prices))
    assert found.days.tolist() == WEEK[:4]
    assert found.held.tolist() == [[False] * 2, [True] * 2, [True] * 2, [True] * 2]
    assert np.isnan(found.weight[0]).all()
    np.testing.assert_allclose(found.weight[1:3], [[0.5, 0.5], [1 / 3, 2 / 3]], rtol=1e-14)
    assert found.traded.all()
    assert np.isnan(found.amount).all()


def test_what_a_rebalance_brings_in_counts_from_the_session_after() -> None:
    """B.US may be a member from Tuesday on; the rebalance is on Wednesday."""
    entries = [{"symbol": "A.US"}, {"symbol": "B.US", "from": WEEK[1]}]
    rule = {"frequency": "monthly", "day": str(WEEK[2].day)}
    prices = [*closes("A.US", *[10] * 5), *closes("B.US", *[5] * 5)]
    found = members_of(history(prices, constituents=entries, rebalance=rule))
    assert found.held[:, 0].tolist() == [False, True, True, True, True]
    assert found.held[:, 1].tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("columns", "reference_price"),
    [
        ({"kind": "dividend", "cash": 0.5}, 9.5),
        ({"kind": "special_dividend", "cash": 2.0}, 8.0),
        ({"kind": "split", "ratio": 2.0}, 5.0),
        ({"kind": "bonus", "ratio": 0.25}, 8.0),
        ({"kind": "rights", "ratio": 1.0, "price": 6.0}, 8.0),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else str(value),
)
def test_returns_are_on_the_reference_price(columns: Any, reference_price: float) -> None:
    """On the ex-date, after a halt that it falls into, and while that lasts."""
    ex = action("A.US", WEEK[1], **columns)
    other = closes("B.US", *[7.0] * 4)
    risen = 1.1 * reference_price
    at_once = members_of(history([*closes("A.US", 10, risen, risen), *other], ex))
    assert returns(line(at_once)[:3]) == pytest.approx([0.1, 0.0], abs=1e-12)
    halted = members_of(history([*closes("A.US", 10, None, risen, risen), *other], ex))
    assert returns(line(halted)) == pytest.approx([0.0, 0.1, 0.0], abs=1e-12)
    assert halted.traded[:, 0].tolist() == [True, False, True, True]
    assert line(at_once)[0] == 10.0


def test_dividends_of_one_halt_are_taken_off_one_after_the_other() -> None:
    """From 10 first 1, then the half of it for a split: 4.5. The price index is blind to the 1."""
    events = [
        action("A.US", WEEK[1], "dividend", cash=1.0),
        action("A.US", WEEK[2], "split", ratio=2.0),
    ]
    prices = [*closes("A.US", 10, None, None, 5.0), *closes("B.US", *[7.0] * 4)]
    found = history(prices, *events)
    assert found.panel is not None
    assert found.panel.close[:, 0].tolist() == [10.0, 10.0, 5.0, 5.0]
    assert returns(line(members_of(found))) == pytest.approx([0.0, 0.0, 5 / 4.5 - 1], abs=1e-12)


def test_two_events_before_one_open_follow_each_other() -> None:
    """A dividend dated on Saturday and a split on Monday: (10 - 1) / 2 = 4.5."""
    events = [
        action("A.US", SATURDAY, "dividend", cash=1.0),
        action("A.US", date(2024, 1, 15), "split", ratio=2.0),
    ]
    prices = [*closes("A.US", *[10.0] * 5, 4.95), *closes("B.US", *[7.0] * 6)]
    found = members_of(history(prices, *events))
    assert returns(line(found))[-1] == pytest.approx(0.1, rel=1e-12)


def test_a_close_between_sessions_goes_on_at_the_reference_price() -> None:
    """From 10 to Saturday's 12; less Monday's dividend of 1 that makes 11, and Tuesday 12.1."""
    extra = {"symbol": "A.US", "date": SATURDAY, "close": 12.0}
    ex = action("A.US", date(2024, 1, 15), "dividend", cash=1.0)
    prices = [*closes("A.US", *[10.0] * 5, None, 12.1), extra, *closes("B.US", *[7.0] * 7)]
    found = members_of(history(prices, ex))
    assert found.traded[:, 0].tolist() == [True] * 5 + [False, True]
    assert returns(line(found))[-2:] == pytest.approx([0.2, 0.1], rel=1e-12)


def test_of_two_events_while_the_index_is_closed_each_counts_from_the_close_before_it() -> None:
    """10; less 1 on Saturday 9, which Saturday's close of 18 doubles; a split of two on Monday."""
    events = [
        action("A.US", SATURDAY, "dividend", cash=1.0),
        action("A.US", date(2024, 1, 15), "split", ratio=2.0),
    ]
    extra = {"symbol": "A.US", "date": SATURDAY, "close": 18.0}
    prices = [*closes("A.US", *[10.0] * 5, 9.9), extra, *closes("B.US", *[7.0] * 6)]
    found = members_of(history(prices, *events))
    assert returns(line(found))[-1] == pytest.approx(2.0 * 1.1 - 1, rel=1e-12)


def test_a_halted_share_that_pays_out_all_it_was_has_no_return() -> None:
    events = [action("A.US", day, "dividend", cash=6.0) for day in WEEK[1:3]]
    prices = [*closes("A.US", 10, None, None, 1.0, 2.0), *closes("B.US", *[7.0] * 5)]
    found = members_of(history(prices, *events))
    assert np.isnan(line(found)[2:]).all()
    assert diffusion(found.close, found.held, found.traded)[1:].tolist() == [0.5] * 4


def test_a_line_goes_on_under_another_symbol() -> None:
    """NEW.US has what A.US did as its past: its first return is of the day of the change."""
    change = action("A.US", WEEK[2], "symbol_change", other="NEW.US")
    prices = [
        *closes("A.US", 10, 11),
        *closes("NEW.US", 12.1, 12.1, start=WEEK[2]),
        *closes("B.US", *[7.0] * 4),
    ]
    found = members_of(history(prices, change))
    assert found.held[:, [0, 2]].tolist() == [[False] * 2, [True, False], *[[False, True]] * 2]
    assert returns(line(found, 2)) == pytest.approx([0.1, 0.1, 0.0], abs=1e-12)
    assert diffusion(found.close, found.held, found.traded)[1:].tolist() == [0.75, 0.75, 0.5]


def test_a_delisting_is_a_trade_at_its_price() -> None:
    gone = action("A.US", WEEK[2], "delisting", price=0.0)
    found = members_of(history([*closes("A.US", 10, 10), *closes("B.US", *[7.0] * 4)], gone))
    assert found.held[:, 0].tolist() == [False, True, True, False]
    assert diffusion(found.close, found.held, found.traded)[1:].tolist() == [0.5, 0.25, 0.5]


def test_windows_reach_back_before_the_base_date() -> None:
    prices = [*closes("A.US", 1, 2, 3, 4), *closes("B.US", 4, 3, 2, 1)]
    found = members_of(history(prices, base={"date": WEEK[2], "level": 1000.0}))
    assert found.days.tolist() == WEEK[:4]
    assert nulls(breadth(found.close, found.held, found.traded, 4)) == [None] * 3 + [0.5]


def test_turnover_is_in_index_currency() -> None:
    prices = [*closes("A.US", 1, 2, 3), *closes("B.US", 4, 3, 2)]
    amounts = [row | {"amount": 10.0 * (n + 1)} for n, row in enumerate(prices)]
    rates = [
        {"date": day, "base": "USD", "quote": "CNY", "rate": rate}
        for day, rate in zip(WEEK[:3], (7.0, 7.0, 8.0), strict=True)
    ]
    found = members_of(history(amounts, tables={"fx": rates}, currency="CNY"))
    assert found.amount.tolist() == [[70.0, 280.0], [140.0, 350.0], [240.0, 480.0]]
    total = turnover_amount(found.amount, found.held, found.traded)
    assert nulls(total) == [None, 490.0, 720.0]


def test_a_series_has_no_members() -> None:
    found = members_of(series_history(series("a"), np.array(WEEK, dtype="datetime64[D]"), 1.0))
    assert found.close.shape == (5, 0)
    assert np.isnan(breadth(found.close, found.held, found.traded, 2)).all()
    assert np.isnan(member_correlation(found.close, found.held, found.traded, 2)).all()


# --- figures by hand --------------------------------------------------------------------------


def test_breadth_passes_over_sessions_without_a_trade() -> None:
    """The first stands at 3 among 2, 1, 3 while it does not trade; the second has two closes."""
    close = np.array([[2.0, np.nan], [1.0, 5.0], [3.0, 5.0], [3.0, 4.0], [1.0, 6.0]])
    traded = np.array([[1, 0], [1, 1], [1, 0], [0, 1], [1, 1]], dtype=bool)
    assert nulls(breadth(close, HELD, traded, 3)) == [None, None, 1.0, 1.0, 0.5]
    held = HELD.copy()
    held[3, 0] = False
    assert nulls(breadth(close, held, traded, 3)) == [None, None, 1.0, None, 0.5]


def test_breadth_reaches_back_to_the_oldest_close_it_counts() -> None:
    """The second is halted for three sessions, and not held on the last one."""
    traded = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [1, 0], [1, 1], [1, 1]], dtype=bool)
    held = np.ones((7, 2), dtype=bool)
    assert breadth_reach(held, traded, 2).tolist() == [1, 1, 2, 3, 4, 4, 1]
    held[4:, 1] = False
    assert breadth_reach(held, traded, 2).tolist() == [1, 1, 2, 3, 1, 1, 1]


def test_at_the_mean_is_not_above_it() -> None:
    """Also where restating has left a rounding: 0.1 + 0.2 is no rise over 0.3."""
    close = np.array([[0.3], [0.1 + 0.2]])
    assert close[1] > close[0]
    held = np.ones((2, 1), dtype=bool)
    assert breadth(close, held, held, 2)[1] == 0.0
    assert diffusion(close, held, held)[1] == 0.5
    assert breadth_outperform(close, held, np.array([1.0, 1.0]), 1)[1] == 0.0


def test_diffusion_counts_half_of_those_unchanged_and_none_without_a_trade() -> None:
    close = np.array([[1.0, 1.0, 1.0, 1.0, np.nan], [2.0, 1.0, 0.5, 1.0, 3.0]])
    traded = np.array([[True] * 5, [True, True, True, False, True]])
    assert nulls(diffusion(close, np.ones((2, 5), dtype=bool), traded)) == [None, 0.5]
    close[1, 2] = 1.5
    assert diffusion(close, np.ones((2, 5), dtype=bool), traded)[1] == pytest.approx(2.5 / 3)
    assert nulls(diffusion(close, ~traded, traded)) == [None, None]


def test_members_outperform_over_the_leaders_own_sessions() -> None:
    """Over two sessions +20 %, -10 %, and one too young; the leader has +10 %, then +50 %."""
    close = np.array([[10.0, 10, np.nan], [11, 10, 1], [12, 9, 2], [11, 12, 3]])
    leader = np.array([100.0, 100.0, 110.0, 150.0])
    held = np.ones((4, 3), dtype=bool)
    assert nulls(breadth_outperform(close, held, leader, 2)) == [None, None, 0.5, 1 / 3]
    leader[1] = np.nan
    assert nulls(breadth_outperform(close, held, leader, 2)) == [None, None, 0.5, None]


@pytest.mark.parametrize("span", [0, -1])
def test_a_span_of_nothing_is_refused(span: int) -> None:
    close = np.ones((4, 3))
    with pytest.raises(ValueError, match=f"at least 1 session, got {span}"):
        breadth_outperform(close, close > 0, close[:, 0], span)


def test_dispersion_by_hand() -> None:
    """Returns of 10 % and -20 % at weights of 3/4 and 1/4 about 2.5 %; then one is left."""
    close = np.array([[10.0, 10.0], [11.0, 8.0], [12.0, np.nan]])
    weight = np.array([[np.nan, np.nan], [0.75, 0.25], [0.75, 0.25]])
    expected = math.sqrt(0.75 * 0.075**2 + 0.25 * 0.225**2)
    found = dispersion(close, HELD[:3], weight)
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([expected, 0.0], rel=1e-12)


def test_members_correlate_only_over_whole_windows() -> None:
    """Returns of the third follow the first's; a halt takes it out for as long as a window."""
    moves = np.array([[0.1, 0.1], [-0.1, 0.2], [0.2, -0.1], [0.1, 0.1], [-0.2, 0.1], [0.1, -0.2]])
    close = np.cumprod(1 + np.column_stack([moves, moves[:, 0]]), axis=0)
    traded = np.ones(close.shape, dtype=bool)
    held = np.ones(close.shape, dtype=bool)
    traded[1, 2] = False
    found = member_correlation(close, held, traded, 3)
    ab = {t: np.corrcoef(moves[t - 2 : t + 1].T)[0, 1] for t in (3, 4, 5)}
    assert np.isnan(found[:3]).all()
    assert found[3:5] == pytest.approx([ab[3], ab[4]], rel=1e-12)
    assert found[5] == pytest.approx((1 + 2 * ab[5]) / 3, rel=1e-12)


def test_of_a_mean_correlation_those_with_a_whole_window_are_counted() -> None:
    """The third has no close on the second session, the fourth stands still, the fifth is not held.

    A window of three returns reaches over four sessions.
    """
    close = np.cumprod(1 + np.random.default_rng(2).standard_normal((7, 5)) / 50, axis=0)
    close[:, 3] = 1.0
    traded, held = np.ones(close.shape, dtype=bool), np.ones(close.shape, dtype=bool)
    traded[1, 2], held[:, 4] = False, False
    assert correlated(close, held, traded, 3).tolist() == [0, 0, 0, 2, 2, 3, 3]


def test_a_window_of_one_return_counts_nobody() -> None:
    with pytest.raises(ValueError, match="at least 2 returns, got 1"):
        correlated(np.ones(HELD.shape), HELD, TRADED, 1)


def test_a_new_members_returns_from_before_it_joined_count() -> None:
    moves = np.random.default_rng(1).standard_normal((8, 3)) / 50
    close = np.array(np.cumprod(1 + moves, axis=0), dtype=np.float64)
    traded = np.ones((8, 3), dtype=bool)
    held = traded.copy()
    held[:5, 2] = False
    found = member_correlation(close, held, traded, 4)
    whole = member_correlation(close, traded, traded, 4)
    assert found[4] != whole[4]
    np.testing.assert_allclose(found[5:], whole[5:], rtol=1e-12)


def test_turnover_lacks_nothing_or_is_not_told() -> None:
    """Somebody halted has none, and need not; somebody who traded without an amount must not."""
    amount = np.array([[1.0, 2.0], [3.0, np.nan], [3.0, np.nan], [5.0, 6.0], [7.0, 8.0]])
    traded = np.array([[1, 1], [1, 0], [1, 1], [0, 0], [1, 1]], dtype=bool)
    held = HELD.copy()
    held[4] = False
    assert nulls(turnover_amount(amount, held, traded)) == [3.0, 3.0, None, 0.0, None]


def test_crowding_is_the_mean_of_shares() -> None:
    """Nineteen shares of a tenth and one of three tenths: a mean of 0.11."""
    basket_amount, market_amount = np.full(21, 1.0), np.full(21, 10.0)
    basket_amount[19], market_amount[19] = 6.0, 20.0
    found = crowding(basket_amount, market_amount)
    assert np.isnan(found.share[:19]).all()
    assert found.share[19:] == pytest.approx([0.11, 0.11], rel=1e-12)
    assert np.isnan(found.percentile).all()


@given(st.integers(0, 2**32), st.sets(st.integers(0, 319), max_size=2))
@settings(max_examples=20)
def test_crowding_agrees_with_the_oracle(seed: int, missing: set[int]) -> None:
    rng = np.random.default_rng(seed)
    own, whole = rng.integers(0, 50, 320) / 10.0, rng.integers(1, 90, 320) / 1.0
    own[list(missing)] = np.nan
    whole[seed % 40] = 0.0
    found = crowding(own, whole)
    for told, expected in zip(found, reference_crowding(nulls(own), nulls(whole)), strict=True):
        same(told, expected)


# --- the oracle on drawn markets --------------------------------------------------------------


def built(case: Case) -> History:
    """Return the history of a case without closes on days that are no session of the index."""
    open_days = set(read_calendar(case.definition["calendar"]).sessions.tolist())
    prices = [row for row in case.tables["prices"] if row["date"] in open_days]
    assume(prices)
    return build(basket(**case.definition), market(case.with_table("prices", prices).tables))


class Exact(NamedTuple):
    """One line by session: closes restated for all before, carried or null; returns on ``P^ex``."""

    carried: list[float | None]
    traded: list[Fraction | None]
    moves: list[float | None]


def exact(case: Case, days: list[date], symbol: str) -> Exact:
    """Return the line of a symbol, in exact fractions until it is told.

    Whether rights count is what the price index, blind to dividends, has made of them.
    """
    closes_on = {r["date"]: r["close"] for r in case.tables["prices"] if r["symbol"] == symbol}
    own = [row for row in case.tables["actions"] if row["symbol"] == symbol]
    told = Exact([], [], [])
    last: Fraction | None = None
    blind: Fraction | None = None
    value: Fraction | None = None
    past = date.min
    for day in days:
        for ex_date in sorted({r["ex_date"] for r in own if past < r["ex_date"] <= day}):
            if last is not None and blind is not None:
                event = event_of([r for r in own if r["ex_date"] == ex_date], blind)
                last, blind = replace(event, prior=last).ex_price, event.restated
        move = None
        if day in closes_on:
            close = Fraction(str(closes_on[day]))
            move = None if last is None else close / last
            value = close if value is None or move is None else value * move
            last = blind = close
        told.carried.append(None if value is None else float(value))
        told.traded.append(value if day in closes_on else None)
        told.moves.append(None if move is None else float(move - 1))
        past = day
    return told


def exact_breadth(lines: list[Exact], t: int, window: int) -> float | None:
    """Return the share above the mean; the mean of the oracle is rounded, which decides ties."""
    above = []
    for line in lines:
        own = [close for close in line.traded[: t + 1] if close is not None][-window:]
        if len(own) == window:
            above.append(own[-1] > sum(own) / window)
    return sum(above) / len(above) if above else None


@given(cases(("equal", "market_cap", "price"), RESTATING, sizes=SMALL, sound=True), st.data())
@few
def test_every_figure_agrees_with_the_oracle(case: Case, data: st.DataObject) -> None:
    try:
        whole = built(case)
    except IndexerError:
        assume(False)
    found = members_of(whole)
    lines = [exact(case, found.days.tolist(), symbol) for symbol in whole.symbols]
    window = data.draw(st.integers(2, 8))
    lead = [100.0 * 1.01**t for t in range(len(found.days))]
    told = (
        breadth(found.close, found.held, found.traded, window),
        breadth_outperform(found.close, found.held, np.array(lead)),
        diffusion(found.close, found.held, found.traded),
        dispersion(found.close, found.held, found.weight),
    )
    for t in range(len(found.days)):
        there = np.flatnonzero(found.held[t]).tolist()
        members = [lines[j] for j in there]
        weights = found.weight[t, there].tolist()
        steps = [line.moves[t] or 0.0 for line in members]
        total = math.fsum(w * r for w, r in zip(weights, steps, strict=True))
        expected = (
            exact_breadth(members, t, window),
            reference.breadth_outperform([line.carried for line in members], lead, t),
            reference.diffusion_index([line.moves[t] for line in members]),
            reference.dispersion(weights, steps, total) if members else None,
        )
        for figure, value in zip(told, expected, strict=True):
            same(figure[t : t + 1], [value])


@given(cases(("equal",), (*RESTATING, *MOVING), sizes=SMALL, sound=True), st.data())
@few
def test_members_until_a_day_are_known_on_it(case: Case, data: st.DataObject) -> None:
    """A symbol that comes to continue another has its past from then on, and is held then."""
    definition, tables = basket(**case.definition), market(case.tables)
    try:
        everything = build(definition, tables)
        last = data.draw(st.sampled_from(everything.days.tolist()))
        part = members_of(build(definition, tables, until=last))
    except IndexerError:
        assume(False)
    whole = members_of(everything)
    known = figures(part, leader_of(part), 3)
    for told, later in zip(known, figures(whole, leader_of(whole), 3), strict=True):
        np.testing.assert_array_equal(told, later[: len(told)])  # published, and built again


# --- laws -------------------------------------------------------------------------------------


@st.composite
def drawn(draw: st.DrawFn, longest: int = 60) -> Members:
    """Draw members on a grid: prices in ticks, halts, late listings, some changes of members."""
    count, lines = draw(st.integers(0, longest)), draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps = rng.integers(-2, 3, (count, lines)) / 100 * draw(st.sampled_from((0, 1, 1, 1)))
    close = np.round(np.cumprod(1 + steps, axis=0) * 10, 2)
    traded = rng.random((count, lines)) > draw(st.sampled_from((0.0, 0.02, 0.3)))
    for j, first in enumerate(rng.integers(0, 10, lines)):
        traded[:first, j] = False
        close[:first, j] = np.nan
        for t in range(max(1, first), count):
            close[t, j] = close[t, j] if traded[t, j] else close[t - 1, j]
    held = np.repeat(rng.random((count // 12 + 1, lines)) > 0.2, 12, axis=0)[:count]
    weight = np.where(held, rng.random((count, lines)), 0.0)
    days = np.arange(count).astype("datetime64[D]")
    return Members(days, held, weight, close, traded, np.where(traded, 1.0, np.nan))


def figures(found: Members, leader: Vector, window: int) -> list[Vector]:
    _, held, weight, close, traded, amount = found
    # Of what is held alone: a line that joins later has amounts from before it did.
    market_amount = np.cumsum(np.nan_to_num(np.where(held, amount, 0.0)).sum(axis=1)) + 1.0
    return [
        breadth(close, held, traded, window),
        breadth_outperform(close, held, leader, window),
        diffusion(close, held, traded),
        member_correlation(close, held, traded, window),
        dispersion(close, held, weight),
        *crowding(turnover_amount(amount, held, traded), market_amount),
    ]


def leader_of(found: Members) -> Vector:
    return np.asarray(100.0 + np.arange(len(found.days)) % 7)


@given(drawn(), st.integers(0, 60), st.integers(2, 9))
def test_no_figure_looks_ahead(found: Members, cut: int, window: int) -> None:
    part = Members(*(values[:cut] for values in found))  # type: ignore[arg-type]
    whole = figures(found, leader_of(found), window)
    for one, all_of_it in zip(figures(part, leader_of(part), window), whole, strict=True):
        np.testing.assert_array_equal(one, all_of_it[:cut])


@given(drawn(), st.integers(2, 9), st.integers(0, 6), st.integers(1, 40))
def test_a_line_that_is_not_held_changes_no_bit(
    found: Members, window: int, place: int, count: int
) -> None:
    """As one that is held only later, and is there only once it is known."""
    place = min(place, found.held.shape[1])
    beside = [np.repeat(values[:, :1], count, axis=1) for values in found[1:] if values.shape[1]]
    assume(beside)
    held, weight, *others = beside
    beside = [np.zeros_like(held), np.zeros_like(weight), *others]
    more = [
        np.insert(v, [place] * count, b, axis=1) for v, b in zip(found[1:], beside, strict=True)
    ]
    wider = Members(found.days, *more)  # type: ignore[arg-type]
    whole = figures(wider, leader_of(wider), window)
    for told, expected in zip(figures(found, leader_of(found), window), whole, strict=True):
        np.testing.assert_array_equal(told, expected)


@given(drawn(), st.integers(2, 9), st.randoms(use_true_random=False))
def test_the_order_of_members_changes_nothing(found: Members, window: int, random: Any) -> None:
    order = list(range(found.close.shape[1]))
    random.shuffle(order)
    turned = Members(found.days, *(part[:, order] for part in found[1:]))  # type: ignore[arg-type]
    leader = leader_of(found)
    as_it_is = figures(found, leader, window)
    for one, other in zip(as_it_is, figures(turned, leader, window), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@given(drawn(), st.integers(2, 9), st.sampled_from((0.1, 3.0, 128.0)))
def test_the_unit_of_a_price_changes_nothing(found: Members, window: int, unit: float) -> None:
    scaled = found._replace(close=found.close * unit)
    leader = leader_of(found)
    as_it_is = figures(found, leader, window)
    for one, other in zip(as_it_is, figures(scaled, leader, window), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@given(drawn(), st.integers(2, 9))
def test_figures_stay_within_their_bounds(found: Members, window: int) -> None:
    *shares, correlation, spread, _, _ = figures(found, leader_of(found), window)
    for share in shares:
        there = share[~np.isnan(share)]
        assert ((there >= 0) & (there <= 1)).all()
    assert not (np.abs(correlation) > 1).any()
    assert not (spread < 0).any()


@given(drawn(), st.integers(2, 9))
def test_member_correlation_is_the_mean_over_pairs(found: Members, window: int) -> None:
    """Of the members of each session that have traded throughout, over pairs that both move."""
    told = member_correlation(found.close, found.held, found.traded, window)
    step: list[list[float | None]] = []
    for j in range(found.close.shape[1]):
        there = found.traded[1:, j] & found.traded[:-1, j]
        step.append([None, *nulls(np.where(there, returns(found.close[:, j]), np.nan))])
    expected = [
        reference.mean_pair_correlation([step[j] for j in np.flatnonzero(found.held[t])], t, window)
        for t in range(len(found.days))
    ]
    same(told, expected)


@given(drawn(), st.integers(2, 9))
def test_there_is_a_mean_correlation_where_two_members_count(found: Members, window: int) -> None:
    told = member_correlation(found.close, found.held, found.traded, window)
    counted = correlated(found.close, found.held, found.traded, window)
    assert (counted > 1).tolist() == (~np.isnan(told)).tolist()
    assert (counted <= found.held.sum(axis=1)).all()


# --- real prices ------------------------------------------------------------------------------


@real
def test_many_names_of_the_real_chain_are_carried() -> None:
    """Of 47 names, 31 and 28 have a close of those days in the folder."""
    found = build(
        read_basket(ROOT / "baskets" / "north-america-compute.yaml"), read_market(COMPUTE)
    )
    members = members_of(found)
    trading = {}
    for day in (date(2026, 7, 1), date(2026, 7, 2)):
        row = int(np.flatnonzero(members.days == np.datetime64(day))[0])
        count = int(members.held[row].sum())
        trading[day] = int((members.held & members.traded)[row].sum())
        assert count == 47
    assert list(trading.values()) == [31, 28]
    since = len(found.days) - 1
    carried = (members.held & ~members.traded).sum(axis=1)
    assert carried[-since:].tolist() == found.carried[1:].tolist()
