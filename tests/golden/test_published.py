"""What the press said of an index, as a bundled definition reads it from real levels."""

from datetime import date
from pathlib import Path

from indexer.definitions.read import read_basket
from indexer.index.build import build
from indexer.market.tables import read_market
from tests.shared import COMPUTE, real

ROOT = Path(__file__).resolve().parents[2]
pytestmark = real


def test_chinext_fell_on_the_day_meta_offered_its_capacity() -> None:
    """From 4260.72 to 4017.27, by 5.71 per cent."""
    found = build(read_basket(ROOT / "baskets" / "chinext.yaml"), read_market(COMPUTE))
    level = dict(zip(found.days.tolist(), found.variants["price"], strict=True))
    before, after = level[date(2026, 7, 1)], level[date(2026, 7, 2)]
    assert (round(before, 2), round(after, 2)) == (4260.72, 4017.27)
    assert round(100 * (after / before - 1), 2) == -5.71
