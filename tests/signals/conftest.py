"""What the tests of studies look at: the bundled study on the bundled sample."""

from pathlib import Path

import pytest

from indexer.definitions.read import read_basket, read_study
from indexer.index.build import build
from indexer.market.tables import read_market
from indexer.signals.result import Comparison
from indexer.signals.study import compare
from tests.signals.example import fixed_rates

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sample() -> Comparison:
    """Return the bundled study, two pairs that share a leader, in local currency."""
    market = read_market(ROOT / "seeds" / "market")
    asked = read_study(ROOT / "baskets" / "compute-diffusion.yaml")
    named = (*asked.indices, asked.benchmark)
    baskets = {id: read_basket(ROOT / "baskets" / f"{id}.yaml") for id in named}
    histories = {id: build(basket, market) for id, basket in baskets.items()}
    return compare(asked, histories, fixed_rates({}))
