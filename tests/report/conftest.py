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


def _compared(id: str, start: date | None = None, **until: date) -> Comparison:
    """Return a bundled study, from a day on, of indices some of which end early."""
    market = read_market(ROOT / "seeds" / "market")
    study = read_study(ROOT / "baskets" / f"{id}.yaml")
    study = study.model_copy(update={"start": start or study.start})
    events = [id for event in study.events for id in event.indices]
    names = dict.fromkeys((*study.indices, study.benchmark, *events))
    baskets = {name: read_basket(ROOT / "baskets" / f"{name}.yaml") for name in names}
    ends = {id.replace("_", "-"): day for id, day in until.items()}
    histories = {
        name: build(basket, market, until=ends.get(name)) for name, basket in baskets.items()
    }
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
def short() -> Comparison:
    """Return a study of six weeks, of which one follower ends a week before the others."""
    return _compared("compute-diffusion", start=date(2026, 7, 13), hang_seng_tech=date(2026, 8, 14))


def figures_of(comparison: Comparison) -> list[dict[str, Any]]:
    """Return every figure of the page of a study, in reading order."""
    sections = page._sections(comparison)
    return [part for _, content in sections for part in content if isinstance(part, dict)]
