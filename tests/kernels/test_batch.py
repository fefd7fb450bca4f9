"""The batch kernel: worked examples, an oracle, the kernel of one index, and the laws of levels."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import config
from numpy.testing import assert_allclose, assert_array_equal

from indexer.arrays import Grid, Rows, Vector
from indexer.kernels import batch as kernel
from indexer.kernels import blocks
from indexer.kernels.batch import Batch, Income, Levels, batch_levels
from indexer.kernels.level import Events, chain_levels
from tests.reference import batch as reference
from tests.reference.batch import Basket, Payment

NAN = float("nan")


@dataclass
class Case:
    """Indices over one panel, each as the baskets it holds."""

    worth: Grid
    indices: list[list[Basket]]
    payments: list[Payment]

    def batch(self) -> Batch:
        """Return the baskets as the kernel takes them."""
        baskets = [basket for held in self.indices for basket in held]
        pairs = [pair for basket in baskets for pair in basket.weights]
        return Batch(
            first=_offsets([len(held) for held in self.indices]),
            effective=np.array([b.effective for b in baskets], dtype=np.int64),
            reference=_references(baskets),
            start=_offsets([len(b.weights) for b in baskets]),
            column=np.array([column for column, _ in pairs], dtype=np.int64),
            weight=np.array([weight for _, weight in pairs], dtype=float),
        )

    def income(self) -> Income:
        """Return the dividends as the kernel takes them."""
        paid = sorted(self.payments)
        counts = np.bincount([p.column for p in paid], minlength=self.worth.shape[1])
        return Income(
            start=_offsets(counts.tolist()),
            row=np.array([p.row for p in paid], dtype=np.int64),
            amount=np.array([p.amount for p in paid], dtype=float),
        )

    def levels(self, threads: int = 1) -> Levels:
        """Return what the kernel makes of it."""
        return batch_levels(self.worth, self.batch(), self.income(), threads=threads)

    def until(self, row: int) -> Self:
        """Return what was known at the close of a session."""
        return replace(
            self,
            worth=self.worth[: row + 1],
            indices=[[b for b in held if b.effective <= row] for held in self.indices],
            payments=[p for p in self.payments if p.row <= row],
        )


def _offsets(counts: list[int]) -> Rows:
    return np.cumsum([0, *counts])


def _references(baskets: list[Basket]) -> Rows:
    rows = [-1 if b.reference is None else b.reference for b in baskets]
    return np.array(rows, dtype=np.int64)


@st.composite
def cases(draw: st.DrawFn, gaps: int = 3) -> Case:
    """Up to five indices over three blocks of sessions; missing closes, weights of zero."""
    sessions, symbols = draw(st.integers(1, 45)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    worth = rng.uniform(0.5, 500.0, (sessions, symbols))
    for _ in range(draw(st.integers(0, gaps))):
        worth[rng.integers(sessions), rng.integers(symbols)] = NAN
    common = sorted(draw(st.sets(st.integers(0, sessions - 1), min_size=1, max_size=4)))
    indices = []
    for _ in range(draw(st.integers(1, 5))):
        own = st.sets(st.integers(0, sessions - 1), min_size=1, max_size=4)
        rows = draw(st.one_of(st.just(common), own.map(sorted)))
        indices.append([_basket(draw, rng, row, symbols) for row in rows])
    payments = [
        Payment(int(rng.integers(symbols)), int(rng.integers(sessions)), rng.uniform(0.0, 5.0))
        for _ in range(draw(st.integers(0, 30)))
    ]
    return Case(worth, indices, payments)


def _basket(draw: st.DrawFn, rng: np.random.Generator, row: int, symbols: int) -> Basket:
    held = rng.permutation(symbols)[: draw(st.integers(1, symbols))]
    weights = rng.uniform(0.1, 1.0, len(held)) * (rng.random(len(held)) < 0.8)
    weights[0] = 0.5
    reference = draw(st.sampled_from([row, max(0, row - 2), None]))
    return Basket(row, reference, list(zip(held.tolist(), weights.tolist(), strict=True)))


def test_two_constituents_a_rebalance_and_a_dividend() -> None:
    """1 / 2 (1.1 + 1) = 1.05, then 1 / 4 (12 / 11) + 3 / 4 (25 / 20) = 213 / 176, 4 / 176 paid."""
    worth = np.array([[10.0, 20.0], [11.0, 20.0], [12.0, 25.0]])
    halves, quarters = Basket(0, 0, [(0, 0.5), (1, 0.5)]), Basket(1, 1, [(0, 0.25), (1, 0.75)])
    found = Case(worth, [[halves, quarters]], [Payment(0, 2, 1.0)]).levels()
    assert_allclose(found.price[:, 0], [1000.0, 1050.0, 1050 * 213 / 176], rtol=1e-15)
    assert found.total is not None
    assert_allclose(found.total[:, 0], [1000.0, 1050.0, 1050 * 217 / 176], rtol=1e-15)


def test_weights_of_an_earlier_close_have_drifted() -> None:
    """Halves at 10 and 20 are a twentieth and a fortieth of a share: 22 / 40 and 20 / 40 at 11."""
    worth = np.array([[10.0, 20.0], [11.0, 20.0], [11.0, 40.0]])
    found = Case(worth, [[Basket(1, 0, [(0, 0.5), (1, 0.5)])]], []).levels()
    assert_array_equal(np.isnan(found.price[:, 0]), [True, False, False])
    assert_allclose(found.price[1:, 0], [1000.0, 1000 * 62 / 42], rtol=1e-15)


def test_index_shares_are_held_as_they_are() -> None:
    worth = np.array([[10.0, 20.0], [12.0, 20.0]])
    found = Case(worth, [[Basket(0, None, [(0, 3.0), (1, 1.0)])]], []).levels()
    assert_allclose(found.price[:, 0], [1000.0, 1000 * 56 / 50], rtol=1e-15)


def test_a_dividend_counts_for_who_held_the_share_before_that_session() -> None:
    """Of three dividends the first falls on the base, the last on the basket of before."""
    worth = np.full((4, 2), 10.0)
    held = [Basket(0, 0, [(0, 1.0)]), Basket(2, 2, [(1, 1.0)])]
    paid = [Payment(0, 0, 5.0), Payment(0, 2, 1.0), Payment(1, 2, 3.0), Payment(1, 3, 2.0)]
    found = Case(worth, [held], paid).levels()
    assert found.total is not None
    assert_allclose(found.total[:, 0], [1000.0, 1000.0, 1100.0, 1320.0], rtol=1e-15)
    assert found.price[:, 0].tolist() == [1000.0] * 4


def test_a_missing_close_is_one_session_without_a_level() -> None:
    worth = np.array([[10.0], [NAN], [12.0], [13.0]])
    found = Case(worth, [[Basket(0, 0, [(0, 1.0)])]], [Payment(0, 2, 1.2)]).levels()
    assert found.total is not None
    assert_allclose(found.price[:, 0], [1000.0, NAN, 1200.0, 1300.0], rtol=1e-15)
    assert_allclose(found.total[:, 0], [1000.0, NAN, 1320.0, 1430.0], rtol=1e-15)


def test_income_that_cannot_be_reinvested_ends_total_return() -> None:
    worth = np.array([[10.0], [NAN], [12.0]])
    found = Case(worth, [[Basket(0, 0, [(0, 1.0)])]], [Payment(0, 1, 1.0)]).levels()
    assert found.total is not None
    assert_array_equal(found.total[:, 0], [1000.0, NAN, NAN])
    assert_allclose(found.price[:, 0], [1000.0, NAN, 1200.0], rtol=1e-15)


@pytest.mark.parametrize("rows", [(1, 1), (1, 0)], ids=["effective", "reference"])
def test_a_basket_that_cannot_be_priced_ends_the_levels(rows: tuple[int, int]) -> None:
    worth = np.full((4, 2), 10.0)
    worth[rows[1], 1] = NAN
    held = [Basket(0, 0, [(0, 1.0)]), Basket(rows[0], rows[1], [(1, 1.0)])]
    found = Case(worth, [held], []).levels()
    assert_array_equal(found.price[:, 0], [1000.0, 1000.0, NAN, NAN])


@given(cases())
def test_it_agrees_with_one_session_after_another(case: Case) -> None:
    found = case.levels()
    assert found.total is not None
    for b, held in enumerate(case.indices):
        price, total = reference.levels(case.worth.tolist(), held, case.payments, 1000.0)
        assert_allclose(found.price[:, b], price, rtol=1e-12)
        assert_allclose(found.total[:, b], total, rtol=1e-12)


@given(cases(gaps=0))
def test_it_agrees_with_the_kernel_of_one_index(case: Case) -> None:
    found = case.levels()
    assert found.total is not None
    for b, held in enumerate(case.indices):
        price, total = _chained(case, held)
        assert_allclose(found.price[held[0].effective :, b], price, rtol=1e-12)
        assert_allclose(found.total[held[0].effective :, b], total, rtol=1e-12)


def _chained(case: Case, held: list[Basket]) -> tuple[Vector, Vector]:
    """Chain the stretches of one index by the divisor method."""
    price, total = [1000.0], [1000.0]
    ends = [basket.effective for basket in held[1:]] + [len(case.worth) - 1]
    for (row, known, weights), end in zip(held, ends, strict=True):
        shares = np.zeros(case.worth.shape[1])
        for column, weight in weights:
            shares[column] += weight if known is None else weight / case.worth[known, column]
        paid = sorted((p.row, p.column, p.amount) for p in case.payments if row < p.row <= end)
        rows, columns, amounts = (np.array([p[n] for p in paid]) for n in range(3))
        none = np.zeros(len(paid))
        events = Events(
            rows.astype(int) - row - 1,
            columns.astype(int),
            none + 1,
            none,
            none.astype(int) - 1,
            none,
            amounts.astype(float).reshape(-1, 1),
        )
        divisor = float(shares @ case.worth[row]) / price[-1]
        chain = chain_levels(
            case.worth[row + 1 : end + 1], shares, case.worth[row], divisor, events
        )
        for level, income in zip(chain.level, chain.income[:, 0], strict=True):
            total.append(total[-1] * (level + income) / price[-1])
            price.append(level)
    return np.array(price), np.array(total)


def test_many_constituents_agree_with_one_numpy_expression() -> None:
    """A thousand columns: several groups of eight, whole blocks and a last one that is not."""
    rng = np.random.default_rng(7)
    worth = np.exp(rng.normal(0, 0.02, (100, 1000)).cumsum(axis=0))
    weights = rng.uniform(0.1, 1.0, (50, 1000)) * (rng.random((50, 1000)) < 0.3)
    indices = [[Basket(3, 3, list(enumerate(row)))] for row in weights.tolist()]
    found = Case(worth, indices, []).levels()
    values = worth[3:] @ (weights / worth[3]).T
    assert_allclose(found.price[3:], 1000 * values / values[0], rtol=1e-13)


@given(cases())
def test_each_index_is_what_it_is_alone(case: Case) -> None:
    """Alone its columns are gathered, among others all columns are laid out: the same bits."""
    found = case.levels()
    for b, held in enumerate(case.indices):
        wide = np.hstack([case.worth, np.full((len(case.worth), 200), NAN)])
        _assert_same(Case(wide, [held], case.payments).levels(), _picked(found, [b]))


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_indices_changes_nothing(case: Case, random: Any) -> None:
    order = list(range(len(case.indices)))
    random.shuffle(order)
    other = replace(case, indices=[case.indices[b] for b in order])
    _assert_same(other.levels(), _picked(case.levels(), order))


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_constituents_changes_nothing_but_rounding(case: Case, random: Any) -> None:
    def shuffled(basket: Basket) -> Basket:
        return basket._replace(weights=random.sample(basket.weights, len(basket.weights)))

    other = replace(case, indices=[[shuffled(b) for b in held] for held in case.indices]).levels()
    found = case.levels()
    assert_allclose(other.price, found.price, rtol=1e-13)
    assert_allclose(other.total, found.total, rtol=1e-13)


@given(cases(), st.integers(0, 44))
def test_it_never_looks_ahead(case: Case, row: int) -> None:
    """Neither later prices nor later baskets or dividends move an earlier session by one bit."""
    begun = [held for held in case.indices if held[0].effective <= row]
    case = replace(case, indices=begun)
    found, before = case.levels(), case.until(row).levels()
    assert before.total is not None
    assert found.total is not None
    assert_array_equal(before.price, found.price[: row + 1])
    assert_array_equal(before.total, found.total[: row + 1])


@given(cases(), st.sampled_from([0.25, 4.0, 1024.0]))
def test_the_unit_of_money_does_not_matter(case: Case, unit: float) -> None:
    """Powers of two change no digit, so no level may change by one bit."""
    payments = [p._replace(amount=p.amount * unit) for p in case.payments]
    _assert_same(replace(case, worth=case.worth * unit, payments=payments).levels(), case.levels())


@given(cases(), st.sampled_from([0.5, 64.0]))
def test_only_the_proportions_of_weights_count(case: Case, times: float) -> None:
    def scaled(basket: Basket) -> Basket:
        return basket._replace(weights=[(column, w * times) for column, w in basket.weights])

    other = replace(case, indices=[[scaled(b) for b in held] for held in case.indices])
    _assert_same(other.levels(), case.levels())


@given(cases())
def test_a_weight_of_zero_is_as_good_as_none(case: Case) -> None:
    """Not even a column without a single close is seen."""
    empty = case.worth.shape[1]
    worth = np.column_stack([case.worth, np.full(len(case.worth), NAN)])

    def extended(basket: Basket) -> Basket:
        weights = [w for pair in basket.weights for w in (pair, (empty, 0.0))]
        return basket._replace(weights=[*weights, (empty, 0.0)])

    def bare(basket: Basket) -> Basket:
        return basket._replace(weights=[pair for pair in basket.weights if pair[1]])

    more = Case(worth, [[extended(b) for b in held] for held in case.indices], case.payments)
    less = replace(case, indices=[[bare(b) for b in held] for held in case.indices])
    _assert_same(more.levels(), case.levels())
    _assert_same(less.levels(), case.levels())


@given(cases(gaps=0), st.integers(0, 39))
def test_a_basket_of_one_is_that_constituent(case: Case, column: int) -> None:
    line = case.worth[:, column % case.worth.shape[1]]
    basket = Basket(0, 0, [(column % case.worth.shape[1], 0.3)])
    found = replace(case, indices=[[basket]]).levels()
    assert_allclose(found.price[:, 0], 1000 * line / line[0], rtol=1e-14)


@given(cases(gaps=0))
def test_total_return_is_price_return_until_something_is_paid(case: Case) -> None:
    found = case.levels()
    assert found.total is not None
    begun = ~np.isnan(found.price)
    assert np.all(found.total[begun] >= found.price[begun])
    first = min((p.row for p in case.payments), default=len(case.worth))
    assert_array_equal(found.total[:first], found.price[:first])
    assert batch_levels(case.worth, case.batch()).total is None
    assert_array_equal(batch_levels(case.worth, case.batch()).price, found.price)


@given(cases(gaps=0))
def test_prices_that_stand_still_are_a_level_that_does(case: Case) -> None:
    still = replace(case, worth=np.repeat(case.worth[:1], len(case.worth), axis=0))
    found = still.levels().price
    assert np.all(np.isnan(found) | (found == 1000.0))


@given(cases(), st.integers(2, 5))
def test_threads_change_no_bit(case: Case, threads: int) -> None:
    _assert_same(case.levels(threads), case.levels())


@contextmanager
def interpreted() -> Iterator[None]:
    """Have the bodies run as they are written, where numpy refuses to read outside an array."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(invalid="ignore"):
        for module in (blocks, kernel):
            for name, body in list(vars(module).items()):
                if hasattr(body, "py_func"):
                    patch.setattr(module, name, body.py_func)
        yield


@pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")
@settings(max_examples=30)
@given(cases())
def test_the_compiled_bodies_are_the_interpreted_ones(case: Case) -> None:
    """No operation is fused, so that it is the same to the last bit."""
    found = case.levels()
    with interpreted():
        _assert_same(case.levels(), found)


@pytest.mark.parametrize("symbols", [3, 30], ids=["all columns", "those held"])
def test_no_body_reaches_outside_an_array(symbols: int) -> None:
    """However many sessions there are, and constituents in the last eight."""
    for sessions in range(1, 36):
        worth = np.ones((sessions, symbols))
        held = [(column, 1.0) for column in range(1 + sessions % 3)]
        paid = [Payment(symbols - 1, sessions - 1, 1.0), Payment(0, sessions - 1, 1.0)]
        with interpreted():
            Case(worth, [[Basket(0, 0, held)]], paid).levels()


@given(cases())
def test_the_input_stays_as_it_was(case: Case) -> None:
    inputs = (case.worth, *case.batch(), *case.income())
    before = [part.copy() for part in inputs]
    batch_levels(inputs[0], Batch(*inputs[1:7]), Income(*inputs[7:]), threads=2)
    for now, then in zip(inputs, before, strict=True):
        assert_array_equal(now, then)


@given(cases())
def test_columns_may_lie_in_any_order_in_memory(case: Case) -> None:
    """And rows and columns may be counted in fewer bits."""
    small = Batch(*(p.astype(np.int32) for p in case.batch()[:5]), case.batch().weight)
    found = batch_levels(np.asfortranarray(case.worth), small, case.income())
    _assert_same(found, case.levels())


def test_no_index_has_no_levels() -> None:
    found = Case(np.ones((3, 2)), [], []).levels()
    assert found.total is not None
    assert found.price.shape == found.total.shape == (3, 0)


def test_a_base_on_the_last_session_is_one_level() -> None:
    found = Case(np.ones((20, 2)), [[Basket(19, 19, [(0, 1.0)])]], []).levels()
    assert_array_equal(found.price[:, 0], [NAN] * 19 + [1000.0])
    assert_array_equal(found.total, found.price)


def test_a_base_level_may_be_any() -> None:
    case = Case(np.array([[1.0], [2.0]]), [[Basket(0, 0, [(0, 1.0)])]], [])
    assert batch_levels(case.worth, case.batch(), base=100).price[:, 0].tolist() == [100.0, 200.0]


BATCH = Case(np.ones((5, 3)), [[Basket(0, 0, [(0, 1.0)]), Basket(2, 1, [(1, 1.0)])]], []).batch()
INCOME = Income(np.array([0, 2, 2, 3]), np.array([1, 4, 0]), np.ones(3))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("first", [0, 1], "first does not go from 0 to 2"),
        ("first", [1, 2], "first does not go from 0 to 2"),
        ("first", [0, 0, 2], "first .* steps of at least 1"),
        ("first", [], "first does not go"),
        ("effective", [0, 5], "effective reaches from 0 to 5, outside 0 to 4"),
        ("effective", [-1, 2], "effective reaches from -1 to 2"),
        ("effective", [2, 2], "effective does not ascend at 1"),
        ("effective", [0], "lengths of a batch"),
        ("reference", [0, 5], "reference reaches from 0 to 5, outside -1 to 4"),
        ("reference", [-2, 0], "reference reaches from -2 to 0"),
        ("reference", [0], "lengths of a batch"),
        ("start", [0, 2, 1], "start does not go from 0 to 2"),
        ("start", [0, 2], "lengths of a batch"),
        ("column", [0, 3], "column reaches from 0 to 3, outside 0 to 2"),
        ("column", [-1, 0], "column reaches from -1 to 0"),
        ("weight", [1.0], "lengths of a batch"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(name: str, value: Any, told: str) -> None:
    kind = float if name == "weight" else int
    with pytest.raises(ValueError, match=told):
        batch_levels(np.ones((5, 3)), BATCH._replace(**{name: np.array(value, dtype=kind)}))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("start", [0, 2, 3], "lengths of income"),
        ("start", [0, 2, 1, 3], "income.start does not go from 0 to 3"),
        ("row", [1, 5, 0], "income.row reaches from 0 to 5, outside 0 to 4"),
        ("row", [1, 4, -1], "income.row reaches from -1 to 4"),
        ("row", [4, 1, 0], "income.row does not ascend at 1"),
        ("row", [1, 4], "lengths of income"),
        ("amount", [1.0], "lengths of income"),
    ],
)
def test_income_that_does_not_fit_is_refused(name: str, value: Any, told: str) -> None:
    kind = float if name == "amount" else int
    income = INCOME._replace(**{name: np.array(value, dtype=kind)})
    with pytest.raises(ValueError, match=told):
        batch_levels(np.ones((5, 3)), BATCH, income)


def test_what_a_masked_array_hides_is_missing() -> None:
    worth = np.ma.MaskedArray(np.ones((5, 3)), np.zeros((5, 3), dtype=bool))
    worth[1, 0] = np.ma.masked
    found = batch_levels(worth, BATCH).price[:, 0]
    assert_array_equal(np.isnan(found), [False, True, False, False, False])


def test_a_weight_behind_a_mask_is_not_used() -> None:
    batch = BATCH._replace(weight=np.ma.MaskedArray([1.0, 1.0], [False, True]))
    found = batch_levels(np.ones((5, 3)), batch).price[:, 0]
    assert_array_equal(np.isnan(found), [False, False, False, True, True])


@pytest.mark.parametrize("name", ["first", "effective", "reference", "start", "column"])
def test_rows_that_are_no_whole_numbers_are_refused(name: str) -> None:
    halves = np.asarray(getattr(BATCH, name)) + 0.5
    with pytest.raises(ValueError, match=f"{name} is not made of whole numbers: .*float64"):
        batch_levels(np.ones((5, 3)), BATCH._replace(**{name: halves}))


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"worth is no grid .*\(5,\)"):
        batch_levels(np.ones(5), BATCH)
    with pytest.raises(ValueError, match="threads=0"):
        batch_levels(np.ones((5, 3)), BATCH, threads=0)


def _picked(levels: Levels, indices: list[int]) -> Levels:
    assert levels.total is not None
    return Levels(levels.price[:, indices], levels.total[:, indices])


def _assert_same(found: Levels, expected: Levels) -> None:
    assert found.total is not None
    assert expected.total is not None
    assert_array_equal(found.price, expected.price)
    assert_array_equal(found.total, expected.total)


@pytest.mark.parametrize("name", ["effective", "column", "weight"])
def test_parts_of_more_than_one_axis_are_refused(name: str) -> None:
    grid = np.asarray(getattr(BATCH, name))[:, None]
    with pytest.raises(ValueError, match=rf"{name} .*\(2, 1\)"):
        batch_levels(np.ones((5, 3)), BATCH._replace(**{name: grid}))


def test_a_basket_of_nothing_has_its_base_level_and_no_other() -> None:
    nothing = BATCH._replace(weight=np.zeros(2))
    assert_array_equal(batch_levels(np.ones((5, 3)), nothing).price[:, 0], [1000.0, *[np.nan] * 4])
