"""Very many indices by the batch kernel: the numbers of `build`, alone or beside others."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.definitions.basket import Basket
from indexer.definitions.read import read_basket
from indexer.definitions.symbols import exchange_of
from indexer.errors import IndexerError
from indexer.index.batch import SCHEMES, batch_built, batchable
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.market.excerpt import MappedMarket, map_market
from indexer.market.spread import Spread, _spread
from indexer.market.tables import Market, read_market
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET
from indexer.sweep.tasks import index_results, opened, packed
from tests.index.drawn import SMALL, Case, cases
from tests.index.drawn_market import MOVING, RESTATING
from tests.index.examples import basket, market
from tests.market.test_excerpt import mapped
from tests.reference.example import WEEK, action, closes, shares

AGREE = {"rtol": 1e-11, "atol": 0.0}
some = settings(max_examples=40, suppress_health_check=list(HealthCheck))
SORTED = tuple(sorted(SCHEMES))
drawn = cases(SORTED, (*RESTATING, *MOVING), sizes=SMALL)
KINDS = ("dividend", "split", "bonus", "rights")  # with which the kernel is still enough


def plain(case: Case) -> Case:
    """Return a case without what only `build` can do."""
    left_out = {"selection", "max_stale", "withholding"}
    definition = {k: v for k, v in case.definition.items() if k not in left_out}
    rule = {k: v for k, v in definition.get("rebalance", {}).items() if k != "untradable"}
    open_then = [
        row
        for row in case.tables["prices"]
        if read_calendar(exchange_of(row["symbol"])).is_session(row["date"])
    ]
    return replace(
        case,
        definition=definition | {"rebalance": rule, "variants": ["price", "gross"]},
        tables=case.tables | {"prices": open_then},
    )


plainly = cases(SORTED, KINDS, sizes=SMALL, sound=True).map(plain)


def results(baskets: list[Basket], on: MappedMarket) -> list[bytes]:
    """Return what is told of some indices on a market, as it is kept."""
    made: dict[tuple[str, str], Spread] = {}

    def spreads(calendar: str, currency: str) -> Spread:
        if (calendar, currency) not in made:
            made[calendar, currency] = _spread(on, read_calendar(calendar), currency)
        return made[calendar, currency]

    return list(map(packed, index_results([b.canonical for b in baskets], on, spreads)))


def levels(told: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Return the levels in a result, and the days."""
    return dict(opened(told)["levels"])


def tried(definition: Basket, whole: Market) -> History | dict[str, str]:
    """Return what `build` makes of a definition, or what it says against it."""
    try:
        return build(definition, whole)
    except IndexerError as error:
        return {"kind": type(error).__name__, "message": str(error)}


@given(drawn | plainly)
@some
def test_an_index_has_the_levels_of_build_or_its_error(case: Case) -> None:
    definition, whole = basket(**case.definition), market(case.tables)
    on = mapped(whole)
    [told] = results([definition], on)
    expected = tried(definition, whole)
    if isinstance(expected, dict):
        assert opened(told)["error"] == expected
        return
    found = levels(told)

    assert (found.pop("days") == expected.days).all()
    assert list(found) == list(expected.variants)
    for name, level in expected.variants.items():
        np.testing.assert_allclose(found[name], level, **AGREE)


@given(st.lists(plainly | drawn, min_size=2, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_what_stands_beside_an_index_moves_no_bit_of_it(several: list[Case], random: Any) -> None:
    on = mapped(market(several[0].tables))
    baskets = [basket(**case.definition) for case in several]
    together = results(baskets, on)
    order = list(range(len(baskets)))
    random.shuffle(order)

    assert [results([b], on)[0] for b in baskets] == together
    assert results([baskets[n] for n in order], on) == [together[n] for n in order]


@pytest.mark.parametrize("scheme", sorted(SCHEMES - {"fixed"}))
def test_the_bundled_baskets_are_done_by_the_kernel(scheme: str) -> None:
    """As most baskets are: else nothing here would be fast."""
    given_basket = read_basket(BUNDLED_BASKETS / "domestic-compute.yaml")
    assert isinstance(given_basket, Basket)
    changed = given_basket.model_dump(by_alias=True, exclude_defaults=True) | {
        "weighting": {"scheme": scheme, "caps": {"constituent": 0.1}},
        "variants": ("price", "gross"),
    }
    definition, on = Basket.model_validate(changed), map_market(BUNDLED_MARKET)
    made = batch_built([definition], lambda c, x: _spread(on, read_calendar(c), x))
    expected = build(definition, read_market(BUNDLED_MARKET))

    assert batchable(definition)
    for name, level in made[0][1].items():
        np.testing.assert_allclose(level, expected.variants[name], **AGREE)  # type: ignore[index]


def test_who_may_be_held_from_the_effective_date_on_is_held_from_then_on() -> None:
    """B from the very day of a rebalance, not from the next one."""
    tables = {"prices": closes("A.US", 10, 11, 12, 13, 14) + closes("B.US", 20, 20, 20, 18, 15)}
    definition = basket(
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US", "from": WEEK[2]}],
        rebalance={"frequency": "monthly", "day": str(WEEK[2].day)},
    )
    [told] = results([definition], mapped(market(tables)))
    expected = build(definition, market(tables)).variants["price"]

    assert expected[-1] == pytest.approx(1200 * (14 / 12 + 15 / 20) / 2)
    np.testing.assert_allclose(levels(told)["price"], expected, **AGREE)


def test_segments_that_begin_alike_are_two() -> None:
    long = "s" * 80
    tables = {
        "prices": closes("A.US", 10, 11) + closes("B.US", 20, 20) + closes("C.US", 5, 6),
        "securities": [
            {"symbol": f"{letter}.US", "segment": f"{long}{letter}"} for letter in "ABC"
        ],
    }
    definition = basket(
        constituents=[{"symbol": f"{letter}.US"} for letter in "ABC"],
        weighting={"scheme": "equal", "caps": {"segment": 0.4}},
    )
    [told] = results([definition], mapped(market(tables)))
    expected = build(definition, market(tables)).variants["price"]

    np.testing.assert_allclose(levels(told)["price"], expected, **AGREE)


@pytest.mark.parametrize("tabled", [True, False])
def test_a_segment_cap_asks_for_the_segment_of_everybody_listed(tabled: bool) -> None:
    """Also of C, of which there is no close, and whatever becomes of it is what `build` says."""
    segments = {"A.US": "x", "B.US": "y"} | ({"C.US": "y"} if tabled else {})
    tables = {
        "prices": closes("A.US", 10, 11) + closes("B.US", 20, 20),
        "securities": [{"symbol": s, "segment": segment} for s, segment in segments.items()],
    }
    definition = basket(
        constituents=[{"symbol": f"{letter}.US"} for letter in "ABC"],
        weighting={"scheme": "equal", "caps": {"segment": 0.6}},
    )
    [told] = results([definition], mapped(market(tables)))
    expected = tried(definition, market(tables))

    assert isinstance(expected, History) is tabled
    if isinstance(expected, History):
        np.testing.assert_allclose(levels(told)["price"], expected.variants["price"], **AGREE)
    else:
        assert opened(told)["error"] == expected


TWO = closes("A.US", 10, 11, 12) + closes("B.US", 20, 20, 18)
BY_SHARES = {"weighting": {"scheme": "market_cap"}}
THIRDS = {
    "constituents": [{"symbol": f"{letter}.US"} for letter in "ABC"],
    "weighting": {"scheme": "equal", "caps": {"constituent": 0.4}},
}
LATER = {"shares": [row | {"date": WEEK[1]} for row in shares(1, 2)["shares"]]}
NOT_THE_KERNELS = {  # prices, actions, other tables, and keys of the definition
    "no close at all": (closes("C.US", 5, 5), [], {}, {}),
    "shares that turn into others": (TWO, [action("A.US", WEEK[1], "merger", cash=11)], {}, {}),
    "a base date before the data": (TWO, [], {}, {"base": {"date": "2024-01-05", "level": 1}}),
    "a reference date before the data": (TWO, [], {}, {"rebalance": {"reference_lag": 1}}),
    "nobody there on the base date": (closes("A.US", 10, 11, start=WEEK[1]), [], {}, {}),
    "no shares": (TWO, [], {}, BY_SHARES),
    "shares known later": (TWO, [], LATER, BY_SHARES),
    "no shares of one": (TWO, [], {"shares": shares(1, 2)["shares"][:1]}, BY_SHARES),
    "shares of nothing": (TWO, [], shares(0, 0), BY_SHARES),
    "a cap for three while two are there": (TWO, [], {}, THIRDS),
}


@pytest.mark.parametrize("case", NOT_THE_KERNELS)
def test_what_only_build_can_tell_is_left_to_it(case: str) -> None:
    prices, actions, tables, keys = NOT_THE_KERNELS[case]
    whole, definition = market({"prices": prices, "actions": actions, **tables}), basket(**keys)
    [told] = results([definition], mapped(whole))
    expected = tried(definition, whole)

    if isinstance(expected, History):
        np.testing.assert_array_equal(levels(told)["price"], expected.variants["price"])
    else:
        assert opened(told)["error"] == expected
