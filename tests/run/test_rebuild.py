"""What was published is made again from its definition, or it is said which entry cannot be."""

import pytest

from indexer.definitions.read import read_basket
from indexer.errors import LedgerError, MarketDataError
from indexer.ledger.database import reading
from indexer.ledger.heads import Head, all_heads
from indexer.market.sources.archive import append_reply
from indexer.market.tables import read_market
from indexer.run.rebuild import Subject, built_again
from indexer.run.verify import _difference, verify
from tests.run.desk import (
    DAYS,
    SYMBOLS,
    basket,
    candidate,
    desk,
    folder,
    moved,
    prices,
    published,
)
from tests.run.desk import corrected as restated

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


def test_what_can_be_made_of_nothing_in_a_market_is_not_verified(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    other = folder(tmp_path / "m", prices(symbols=["600777.SH"]))
    with pytest.raises(LedgerError, match=r"\(entry 2, revision 1\).*cannot be built again: "):
        verify(desk(tmp_path).engine, market=other)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (2, "another", None),
        (2, None, r"\(entry 2, revision 1\): it is another$"),
        (
            3,
            "another",
            r"\(entry 3, revision 2\): it is another; it was published by another version",
        ),
    ],
    ids=["corrected since", "by this version", "in force"],
)
def test_what_another_version_made_and_was_corrected_since_is_no_failure(
    tmp_path, monkeypatch, number, code, said
):
    published(tmp_path, DAYS[0], DAYS[1])
    restated(tmp_path, folder(tmp_path / "m", prices(**moved(SYMBOLS[0], DAYS[1], 10))))
    monkeypatch.setattr(
        "indexer.run.verify._difference",
        lambda _, __, head: "it is another" if head.number == number else "",
    )
    for module in ("verify", "rebuild") if code else ():
        monkeypatch.setattr(f"indexer.run.{module}.code_digest", lambda: code)
    if said is None:
        found = verify(desk(tmp_path).engine, inputs=True)
        assert (found.built, found.others) == (2, 1)
    else:
        with pytest.raises(LedgerError, match=said):
            verify(desk(tmp_path).engine, inputs=True)


def difference(path, there: Head) -> str:
    """Return how a session, built again from the market in a folder, is another."""
    with reading(desk(path).engine) as connection:
        return _difference(connection, candidate(path), there)


def test_a_session_after_the_end_of_the_market_is_told_as_such(tmp_path):
    there = head(tmp_path, 1)
    folder(tmp_path / "market", prices(DAYS[:1]))

    assert difference(tmp_path, there) == (f"cannot be built again: the market ends on {DAYS[0]}")


def test_a_session_that_built_again_is_none_is_told(tmp_path):
    there = head(tmp_path, 1)._replace(session="2026-03-01")  # a Sunday

    assert difference(tmp_path, there) == "built again, it is no session of the index"


def test_a_reply_that_is_not_as_it_came_into_the_market_is_told(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    market = tmp_path / "market"
    reply = append_reply(market / "replies", ("https://upstream", 200, "2026-03-02"), b"{}")
    assert verify(desk(tmp_path).engine, market=market).replies == 1

    next((market / "replies").glob("??/*.gz")).unlink()

    with pytest.raises(MarketDataError, match=f"replies/../{reply.sha256}.gz: is gone"):
        verify(desk(tmp_path).engine, market=market)


@pytest.mark.parametrize("inputs", [False, True])
def test_of_several_that_are_others_the_first_entry_is_named(tmp_path, inputs):
    """Whatever its subject's id."""
    for id in ("zinc", "alum"):
        published(tmp_path, DAYS[1], names=[basket(tmp_path, id=id)])
    other = folder(tmp_path / "other", prices(**moved(SYMBOLS[0], DAYS[1], 5)))

    with pytest.raises(LedgerError, match=r"zinc.*\(entry 1, revision 1\): built again") as wrong:
        verify(desk(tmp_path).engine, market=other, inputs=inputs)
    assert len(wrong.value.refusals) == 1
