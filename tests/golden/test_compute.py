"""The founding case on real prices: the two chains, and what was said of them on two evenings.

The figures were worked out from the same prices before there was a package.
"""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from indexer.definitions.read import read_basket, read_study
from indexer.index.build import build
from indexer.market.tables import read_market
from indexer.signals.result import Comparison
from indexer.signals.study import compare
from tests.shared import COMPUTE, real
from tests.signals.example import fixed_rates

ROOT = Path(__file__).resolve().parents[2]
pytestmark = real

LEADER, FOLLOWER, OTHER = "north-america-compute", "domestic-compute", "hang-seng-tech"
BEFORE, AFTER = date(2026, 5, 7), date(2026, 8, 20)


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Return the bundled study on real prices."""
    market = read_market(COMPUTE)
    asked = read_study(ROOT / "baskets" / "compute-diffusion.yaml")
    named = (*asked.indices, asked.benchmark)
    baskets = {id: read_basket(ROOT / "baskets" / f"{id}.yaml") for id in named}
    return compare(asked, {id: build(b, market) for id, b in baskets.items()}, fixed_rates({}))


def figure(found: Comparison, day: date, name: str) -> float:
    """Return a figure of the two ratio lines over 60 rows."""
    key = {"date": day, "signal": name, "follower": FOLLOWER, "other": OTHER, "window": 60}
    return float(found.table.filter(**key)["value"].item())


def state(found: Comparison, day: date, follower: str) -> dict[str, object]:
    return found.state_table.filter(date=day, leader=LEADER, follower=follower).row(0, named=True)


@pytest.mark.parametrize(("id", "level"), [(LEADER, 8105.4035), (FOLLOWER, 4360.4130)])
def test_where_the_chains_end(found: Comparison, id: str, level: float) -> None:
    history = found.histories[id]
    assert history.days[-1].item() == date(2026, 8, 21)
    assert history.variants["price"][-1] == pytest.approx(level, abs=5e-5)


@pytest.mark.parametrize(
    ("day", "name", "value"),
    [
        (BEFORE, "ratio_correlation", 0.658),
        (BEFORE, "ratio_null", 0.391),
        (BEFORE, "partial_correlation", 0.518),
        (BEFORE, "partial_correlation_benchmark", 0.268),
        (BEFORE, "level_correlation", 0.959),
        (AFTER, "ratio_correlation", 0.192),
        (AFTER, "ratio_null", 0.161),
    ],
)
def test_the_two_ratio_lines(found: Comparison, day: date, name: str, value: float) -> None:
    assert figure(found, day, name) == pytest.approx(value, abs=5e-4)


def test_on_7_may_2026_the_domestic_chain_was_catching_up(found: Comparison) -> None:
    told = state(found, BEFORE, FOLLOWER)
    assert told["state"] == "catching_up"
    assert told["since"] == date(2026, 4, 30)
    assert told["peak_on"] == date(2026, 4, 22)
    assert told["kind"] == "catch-up"


def test_on_7_may_2026_the_lead_over_hong_kong_was_stretched(found: Comparison) -> None:
    assert state(found, BEFORE, OTHER)["state"] == "stretched"


def test_all_of_it_was_back_tested_by_then_and_none_of_it_later(found: Comparison) -> None:
    """The constituents were selected on the very day of the question.

    The beta of a gap goes back 120 rows further, and breadth to the 60th close of who was halted.
    """
    for day, mark in ((BEFORE, True), (AFTER, False)):
        further = pl.col("signal").str.contains("^gap|^breadth_60$")
        rows = found.table.filter(pl.col("window") == 60, ~further, date=day)
        assert set(rows["backtested"]) == {mark}
