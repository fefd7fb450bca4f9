"""What the tests of surfaces look at: the bundled studies on the bundled sample."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from indexer.definitions.read import read_basket, read_study
from indexer.index.build import build
from indexer.market.tables import read_market
from indexer.report import page
from indexer.signals.result import Comparison
from indexer.signals.study import compare

ROOT = Path(__file__).parents[2]


def no_fixings(currency: str, instants: object) -> None:
    raise AssertionError("the bundled studies compare in local currency")


def _compared(id: str) -> Comparison:
    market = read_market(ROOT / "seeds" / "market")
    study = read_study(ROOT / "baskets" / f"{id}.yaml")
    events = [id for event in study.events for id in event.indices]
    names = dict.fromkeys((*study.indices, study.benchmark, *events))
    baskets = {name: read_basket(ROOT / "baskets" / f"{name}.yaml") for name in names}
    histories = {name: build(basket, market) for name, basket in baskets.items()}
    return compare(study, histories, no_fixings)


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    """Return a study with a triple."""
    return _compared("compute-diffusion")


@pytest.fixture(scope="session")
def single() -> Comparison:
    """Return a study of one pair, without ratio lines to compare."""
    return _compared("cloud-catch-up")


@pytest.fixture(scope="session")
def short(comparison: Comparison) -> Comparison:
    """Return a study of six weeks, of which one follower ends a week before the others."""
    follower = read_basket(ROOT / "baskets" / "hang-seng-tech.yaml")
    early = build(follower, read_market(ROOT / "seeds" / "market"), until=date(2026, 8, 14))
    study = comparison.study.model_copy(update={"start": date(2026, 7, 13)})
    return compare(study, {**comparison.histories, follower.id: early}, no_fixings)


def figures_of(comparison: Comparison) -> list[dict[str, Any]]:
    """Return every figure of the page of a study, in reading order."""
    sections = page._sections(comparison, None)
    return [part for _, content in sections for part in content if isinstance(part, dict)]
