"""The level kernel: worked examples, an oracle without a divisor, and the laws of an index."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config
from numpy.testing import assert_allclose, assert_array_equal

from indexer.arrays import AnyArray, Grid, Vector
from indexer.kernels import level as kernel
from indexer.kernels.level import Chain, Events, chain_levels
from tests.reference import level as reference
from tests.reference.level import Event

NAN = float("nan")


@dataclass
class Holding:
    """A basket held from one rebalance to the next."""

    worth: Grid
    held: Vector
    start: Vector
    divisor: float
    events: list[Event]

    def arguments(self) -> tuple[Grid, Vector, Vector, float, Events]:
        """Return what the kernel takes."""
        row, column, factor, money, into, ratio, paid = (
            [event[n] for event in self.events] for n in range(len(Event._fields))
        )
        events = Events(
            row=np.array(row, dtype=np.int64),
            column=np.array(column, dtype=np.int64),
            factor=np.array(factor, dtype=float),
            money=np.array(money, dtype=float),
            into=np.array(into, dtype=np.int64),
            ratio=np.array(ratio, dtype=float),
            income=np.array(paid, dtype=float).reshape(len(self.events), 2),
        )
        return self.worth, self.held, self.start, self.divisor, events

    def chain(self) -> Chain:
        """Return what the kernel makes of it."""
        return chain_levels(*self.arguments())


def held(worth: list[list[float]], *events: Event, shares: tuple[float, ...] = (1, 1)) -> Holding:
    """Return a basket that starts at 10 and 20 and at a level of 1000."""
    start = np.array([10.0, 20.0])
    counts = np.array(shares, dtype=float)
    return Holding(np.array(worth), counts, start, float(counts @ start) / 1000, list(events))


@st.composite
def holdings(draw: st.DrawFn) -> Holding:
    """Up to twelve sessions of four symbols, some not held and not priced, up to four events."""
    sessions, symbols = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    worth = rng.uniform(0.5, 500.0, (sessions + 1, symbols))
    counts = rng.uniform(1.0, 1e6, symbols) * (rng.random(symbols) < 0.7)
    counts[0] = 1000.0
    for j in np.flatnonzero(counts == 0):
        worth[: draw(st.integers(1, sessions + 1)), j] = np.nan
    events = [_event(draw, sessions, counts) for _ in range(draw(st.integers(0, 4)))]
    divisor = float(np.nansum(counts * worth[0])) / 1234.5
    in_order = sorted(events, key=lambda event: event.row)
    return Holding(worth[1:], counts, worth[0], divisor, in_order)


def _event(draw: st.DrawFn, sessions: int, counts: Vector) -> Event:
    row, column = draw(st.integers(0, sessions - 1)), draw(st.integers(0, len(counts) - 1))
    others = [j for j in range(len(counts)) if j != column]
    spun = draw(st.sampled_from([-1, *others]))
    renamed = draw(st.sampled_from([-1, *(j for j in others if counts[j])]))
    paid = draw(st.sampled_from([(0.0, 0.0), (0.3, 0.27)]))
    money = draw(st.sampled_from([-0.01, 0.0, 0.0, 0.5]))
    return draw(
        st.sampled_from(
            [
                Event(row, column, draw(st.sampled_from([0.1, 1.0, 1.4, 2.0])), money, paid=paid),
                Event(row, column, 1.0, money, spun, 0.25 if spun >= 0 else 0.0, paid),
                Event(row, column, 0.0 if renamed >= 0 else 1.0, 0.0, renamed, 1.0, paid),
            ]
        )
    )


def test_shares_given_as_whole_numbers_may_become_fractions() -> None:
    """Three for two leaves one and a half."""
    split = held([[20 / 3, 20.0]], Event(0, 0, factor=1.5))
    worth, shares, *rest = split.arguments()
    found = chain_levels(worth, shares.astype(np.int64), *rest)

    assert found.shares.tolist() == [[1.5, 1.0]]
    assert found.level.tolist() == split.chain().level.tolist()


def test_a_split_moves_neither_level_nor_divisor() -> None:
    """Two for one: 10 becomes 5 and one share becomes two."""
    found = held([[5.0, 20.0], [6.0, 20.0]], Event(0, 0, factor=2.0)).chain()
    assert found.level.tolist() == [30 / 0.03, 32 / 0.03]
    assert found.divisor.tolist() == [0.03, 0.03]
    assert found.shares.tolist() == [[2.0, 1.0], [2.0, 1.0]]
    assert found.change.tolist() == [[1.0, 2.0, 0.03, 0.03, 0.0, 0.0]]
    assert found.contribution.tolist() == [[0.0, 0.0], [2 / 30, 0.0]]


def test_a_special_dividend_leaves_through_the_divisor() -> None:
    """One of 10 a share is paid out and the price falls by it: 29 are left of 30."""
    found = held([[9.0, 20.0]], Event(0, 0, money=-1.0)).chain()
    assert found.level[0] == pytest.approx(1000.0, rel=1e-15)
    assert found.divisor[0] == pytest.approx(0.03 * 29 / 30, rel=1e-15)
    assert found.market_value.tolist() == [29.0]
    assert found.contribution.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("factor", "money", "divisor"),
    [(1.5, 2.0, 0.032), (1.25, 0.0, 0.03)],
    ids=["subscribed", "by more shares of the same worth"],
)
def test_rights_leave_the_level_where_it_was(factor: float, money: float, divisor: float) -> None:
    """One for two at 4 on a price of 10: (10 + 2) / 1.5 = 8 is the price after."""
    found = held([[8.0, 20.0]], Event(0, 0, factor, money)).chain()
    assert found.level[0] == pytest.approx(1000.0, rel=1e-15)
    assert found.divisor[0] == pytest.approx(divisor, rel=1e-15)
    assert found.contribution.tolist() == [[0.0, 0.0]]


def test_income_is_that_of_the_shares_before_over_the_divisor_after() -> None:
    """0.5 gross and 0.45 net on two shares, one for one on that day, and 20 more join 40."""
    paying = Event(1, 0, factor=2.0, money=10.0, paid=(0.5, 0.45))
    found = held([[10.0, 20.0]] * 3, paying, shares=(2, 1)).chain()
    assert_allclose(found.divisor, [0.04, 0.06, 0.06], rtol=1e-15)
    assert_allclose(found.income, [[0, 0], [1.0 / 0.06, 0.9 / 0.06], [0, 0]], rtol=1e-15)


def test_events_of_one_session_follow_one_another() -> None:
    """A special dividend of 1, then two for one, then 0.25 on each of the two."""
    day = [Event(0, 0, money=-1.0), Event(0, 0, factor=2.0), Event(0, 0, money=-0.25)]
    found = held([[4.25, 20.0]], *day).chain()
    assert_allclose(found.level, [1000.0], rtol=1e-15)
    assert_allclose(found.divisor, [0.03 * 28.5 / 30], rtol=1e-15)
    assert found.change[:, :2].tolist() == [[1, 1], [1, 2], [2, 2]]
    assert_array_equal(found.change[1:, 2], found.change[:-1, 3])
    assert found.change[-1, 3] == found.divisor[0]


def test_a_spin_off_joins_at_zero_and_counts_from_its_first_close() -> None:
    """Three of the second for each of two of the first, which falls from 10 to 8."""
    day = Event(0, 0, into=1, ratio=3.0)
    found = held([[8.0, NAN], [8.0, 1.0]], day, shares=(2, 0)).chain()
    assert_allclose(found.level, [800.0, 1100.0], rtol=1e-15)
    assert found.shares.tolist() == [[2.0, 6.0], [2.0, 6.0]]
    assert_allclose(found.contribution, [[-0.2, 0.0], [0.0, 6 / 16]], rtol=1e-15)
    assert np.ptp(found.divisor) == 0.0
    assert found.change.tolist() == [[2.0, 2.0, 0.02, 0.02, 0.0, 6.0]]


def test_a_line_held_but_not_traded_yet_counts_zero() -> None:
    """Five shares that joined in an earlier stretch, worth two on their first close."""
    holding = held([[10.0, NAN], [10.0, 2.0]], shares=(3, 5))
    holding.start, holding.divisor = np.array([10.0, NAN]), 0.03
    found = holding.chain()
    assert_allclose(found.level, [1000.0, 40 / 0.03], rtol=1e-15)
    assert_allclose(found.contribution, [[0.0, 0.0], [0.0, 10 / 30]], rtol=1e-15)


def test_a_change_of_symbol_hands_over_shares_and_value() -> None:
    """One of the first becomes half of the second, of which one is held: 15 of 30 each a share."""
    day = Event(0, 0, factor=0.0, into=1, ratio=0.5)
    found = held([[NAN, 25.0]], day).chain()
    assert found.shares.tolist() == [[0.0, 1.5]]
    assert_allclose(found.level, [1000 * 37.5 / 30], rtol=1e-15)
    assert_allclose(found.contribution, [[NAN, 7.5 / 30]], rtol=1e-15)
    assert found.divisor.tolist() == [0.03]
    assert found.change.tolist() == [[1.0, 0.0, 0.03, 0.03, 1.0, 1.5]]


def test_an_event_tells_the_shares_of_who_gives_and_who_receives() -> None:
    """A spin-off of the second to the first, to one share of which two are added."""
    found = held([[10.0, 20.0]], Event(0, 1, into=0, ratio=2.0)).chain()
    assert found.change.tolist() == [[1.0, 1.0, 0.03, 0.03, 1.0, 3.0]]


def test_what_is_not_held_takes_no_part() -> None:
    """Not even where no rate makes money of its events, or its price is beyond all numbers."""
    day = Event(0, 1, factor=3.0, money=NAN, paid=(NAN, 9.0))
    holding = held([[10.0, math.inf]], day, shares=(3, 0))
    holding.start = np.array([10.0, math.inf])
    found = holding.chain()
    assert found.level.tolist() == [30 / 0.03]
    assert not found.income.any()
    assert found.change.tolist() == [[0.0, 0.0, 0.03, 0.03, 0.0, 0.0]]
    assert_array_equal(found.contribution, [[0.0, NAN]])


@given(holdings())
def test_it_agrees_with_chaining_without_a_divisor(holding: Holding) -> None:
    found = holding.chain()
    worth, counts, start = (part.tolist() for part in holding.arguments()[:3])
    level = float(np.nansum(holding.held * holding.start)) / holding.divisor
    expected = reference.chain(worth, counts, start, level, holding.events)
    assert_allclose(found.level, [session.level for session in expected], rtol=1e-13)
    assert_allclose(found.income, [session.income for session in expected], rtol=1e-13)
    assert_allclose(found.shares, [session.shares for session in expected], rtol=1e-14)
    contribution = [session.contribution for session in expected]
    assert_allclose(found.contribution, contribution, rtol=1e-12, atol=1e-14)
    assert_allclose(found.market_value / found.divisor, found.level, rtol=1e-15)


@given(holdings())
def test_contributions_sum_to_the_price_return(holding: Holding) -> None:
    found = holding.chain()
    first = float(np.nansum(holding.held * holding.start)) / holding.divisor
    moves = found.level / np.concatenate([[first], found.level[:-1]]) - 1
    assert_allclose(np.nansum(found.contribution, axis=1), moves, rtol=1e-12, atol=1e-13)
    assert_array_equal(np.isnan(found.contribution), found.shares == 0)


@given(holdings(), st.integers(0, 12))
def test_it_never_looks_ahead(holding: Holding, cut: int) -> None:
    """Neither later prices nor later events move an earlier session by one bit."""
    whole = holding.chain()
    holding.worth = holding.worth[:cut]
    holding.events = [e for e in holding.events if e.row < len(holding.worth)]
    for part, all_of_it in zip(holding.chain(), whole, strict=True):
        assert_array_equal(part, all_of_it[: len(part)])


@given(holdings())
def test_the_divisor_moves_only_where_money_does(holding: Holding) -> None:
    found = holding.chain()
    before = np.concatenate([[holding.divisor], found.divisor[:-1]])
    changes = zip(holding.events, found.change, strict=True)
    moving = {e.row for e, (shares, *_) in changes if e.money and shares}
    assert set(np.flatnonzero(found.divisor != before).tolist()) == moving


@given(holdings(), st.sampled_from([0.25, 4.0, 1024.0]))
def test_the_unit_of_money_does_not_matter(holding: Holding, unit: float) -> None:
    """Powers of two change no digit, so no level may change by one bit."""
    found = holding.chain()
    events = [
        e._replace(money=e.money * unit, paid=(e.paid[0] * unit, e.paid[1] * unit))
        for e in holding.events
    ]
    other = Holding(
        holding.worth * unit, holding.held, holding.start * unit, holding.divisor * unit, events
    ).chain()
    assert_array_equal(other.level, found.level)
    assert_array_equal(other.income, found.income)
    assert_array_equal(other.contribution, found.contribution)
    assert_array_equal(other.divisor, found.divisor * unit)


@pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")
@given(holdings())
def test_the_compiled_body_is_the_interpreted_one(holding: Holding) -> None:
    worth, counts, start, divisor, events = holding.arguments()
    found = holding.chain()
    again = Chain(*(np.full_like(part, np.nan) for part in found))
    again.income[:] = 0.0
    kernel._chain_levels.py_func(worth, counts.copy(), start, divisor, *events, *again)
    for compiled, interpreted in zip(found, again, strict=True):
        assert_array_equal(compiled, interpreted)


@given(holdings())
def test_the_input_stays_as_it_was(holding: Holding) -> None:
    worth, counts, start, divisor, events = holding.arguments()
    inputs = (worth, counts, start, *events)
    before = [part.copy() for part in inputs]
    chain_levels(worth, counts, start, divisor, events)
    for now, then in zip(inputs, before, strict=True):
        assert_array_equal(now, then)


def test_a_stretch_without_sessions_has_no_levels() -> None:
    found = Holding(np.empty((0, 2)), np.ones(2), np.ones(2), 1.0, []).chain()
    shapes = [part.shape for part in found]
    assert shapes == [(0,), (0,), (0,), (0, 2), (0, 2), (0, 2), (0, 6)]


@pytest.mark.parametrize(
    "event",
    [
        Event(2, 0),
        Event(-1, 0),
        Event(0, 2),
        Event(0, -1),
        Event(0, 0, into=2, ratio=1.0),
        Event(0, 0, into=-2),
    ],
    ids=["late", "early", "right", "left", "into", "into none"],
)
def test_an_event_outside_the_grid_is_refused(event: Event) -> None:
    with pytest.raises(ValueError, match="outside the 2 sessions of 2 symbols"):
        held([[10.0, 20.0]] * 2, event).chain()


def test_events_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not in order.*\[1 0\]"):
        held([[10.0, 20.0]] * 2, Event(1, 0), Event(0, 1)).chain()


def test_what_a_masked_array_hides_is_missing() -> None:
    worth, counts, start, divisor, events = held([[10.0, 20.0], [11.0, 99.0]]).arguments()
    hidden = [[False, False], [False, True]]
    masked = chain_levels(np.ma.MaskedArray(worth, hidden), counts, start, divisor, events)
    missing = chain_levels(np.where(hidden, NAN, worth), counts, start, divisor, events)
    assert_array_equal(masked.level, missing.level)


def test_shares_behind_a_mask_are_not_used() -> None:
    worth, counts, start, divisor, events = held([[10.0, 20.0]]).arguments()
    counts = np.ma.MaskedArray(counts, [False, True])
    assert np.isnan(chain_levels(worth, counts, start, divisor, events).level).all()


def test_shapes_that_disagree_are_refused() -> None:
    worth, counts, start, divisor, events = held([[10.0, 20.0]], Event(0, 0)).arguments()
    with pytest.raises(ValueError, match=r"held\.shape=\(1,\)"):
        chain_levels(worth, counts[:1], start, divisor, events)
    with pytest.raises(ValueError, match="shapes differ"):
        chain_levels(worth, counts, start[:1], divisor, events)
    with pytest.raises(ValueError, match=r"shapes differ.*worth\.shape=\(2,\)"):
        chain_levels(worth[0], counts, start, divisor, events)


ONE = held([[10.0, 20.0]] * 2, Event(1, 0, factor=2.0))


@pytest.mark.parametrize("value", [0.5, 1.0, NAN])
@pytest.mark.parametrize("name", ["row", "column", "into"])
def test_an_event_at_no_whole_number_is_refused(name: str, value: float) -> None:
    """The compiled body passed it over, and handed out memory that nothing had written."""
    *rest, events = ONE.arguments()
    with pytest.raises(ValueError, match=f"{name} is not made of whole numbers"):
        chain_levels(*rest, events._replace(**{name: np.array([value])}))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("factor", np.ones((1, 2)), r"factor, money, ratio .*\(1, 2\)"),
        ("money", np.zeros(2), r"factor, money, ratio .*\(2,\)"),
        ("income", np.zeros(1), r"income of \(E, V\), got .*'income': \(1,\)"),
        ("income", np.zeros((2, 2)), r"'income': \(2, 2\)"),
        ("row", np.zeros((1, 1), dtype=int), "row is not made of"),
        ("row", np.zeros(2, dtype=int), r"shapes differ.*'row': \(2,\)"),
    ],
)
def test_events_of_another_shape_are_refused(name: str, value: AnyArray, told: str) -> None:
    *rest, events = ONE.arguments()
    with pytest.raises(ValueError, match=told):
        chain_levels(*rest, events._replace(**{name: value}))


def test_events_may_be_lists() -> None:
    *rest, events = ONE.arguments()
    found = chain_levels(*rest, Events(*(part.tolist() for part in events)))  # type: ignore[arg-type]
    assert found.change.tolist() == ONE.chain().change.tolist()
