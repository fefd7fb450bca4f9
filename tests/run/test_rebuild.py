"""What was published is made again from its definition, or it is said which entry cannot be."""

import pytest

from indexer.definitions.read import read_basket
from indexer.errors import LedgerError
from indexer.ledger.database import reading
from indexer.ledger.heads import Head, all_heads
from indexer.market.tables import read_market
from indexer.run.rebuild import Subject, built_again
from indexer.run.verify import _check_same
from tests.run.desk import DAYS, basket, candidate, desk, folder, prices, published

TRIO = Subject("trio", "index")


def head(path, n: int = 0) -> Head:
    """Publish the first two sessions and return one of their entries."""
    published(path, DAYS[0], DAYS[1])
    with reading(desk(path).engine) as connection:
        return all_heads(connection, "trio", "index")[n]


def test_a_definition_that_is_none_to_this_version_is_told_with_its_entry(tmp_path):
    market = read_market(folder(tmp_path / "m"))
    said = r"trio.*2026-03-02 \(entry 1, revision 1\).*its definition is none to this version"
    with pytest.raises(LedgerError, match=said):
        built_again('{"id": "trio"}', TRIO, head(tmp_path), market)


def test_a_market_from_which_nothing_can_be_made_is_told_with_the_entry(tmp_path):
    market = read_market(folder(tmp_path / "m", prices(symbols=["600777.SH"])))
    text = read_basket(basket(tmp_path)).canonical
    with pytest.raises(LedgerError, match=r"\(entry 1, revision 1\).*cannot be built again: "):
        built_again(text, TRIO, head(tmp_path), market)


def test_a_session_that_built_again_is_none_is_told(tmp_path):
    there = head(tmp_path, 1)
    folder(tmp_path / "market", prices(DAYS[:1]))
    with pytest.raises(LedgerError, match="built again, it is no session of the index"):
        _check_same(candidate(tmp_path), there)
