"""What a person decides beside levels: a rebalance approved, an index retired."""

import pytest

from indexer.definitions.read import read_basket
from indexer.errors import DefinitionError, LedgerError
from indexer.ledger.database import reading
from indexer.ledger.heads import subjects
from indexer.ledger.history import read_entries
from indexer.run.decisions import approve, proforma, retire
from indexer.run.verify import verify
from tests.run.desk import (
    DAYS,
    SYMBOLS,
    basket,
    corrected,
    desk,
    files,
    folder,
    moved,
    prices,
    published,
    told,
)

MONTHLY = {"rebalance": {"frequency": "monthly", "day": "last session"}}


# --- retirement -------------------------------------------------------------------------------


def test_the_final_entry_is_the_last_session_once_more(path):
    before = told(path)[-1]
    entry, _ = retire("trio", "the theme is over", desk(path, by="Ada"))

    assert (entry.session, entry.revision, entry.status) == (DAYS[4].isoformat(), 2, "retired")
    assert (entry.note, entry.by) == ("the theme is over", "Ada")
    assert told(path)[-1] == (*before[:2], 2, "retired")


def test_nothing_is_published_after_it(path):
    retire("trio", "over", desk(path, by="Ada"))
    outcome = published(path, DAYS[5], market=path / "market")

    assert isinstance(outcome.error, LedgerError)
    assert "was retired" in str(outcome.error)
    assert len(told(path)) == 5


def test_a_dry_run_says_so_too(path):
    retire("trio", "over", desk(path, by="Ada"))

    assert published(path, DAYS[5], market=path / "market", dry_run=True).state == "refused"


def test_nothing_is_restated_after_it(path):
    retire("trio", "over", desk(path, by="Ada"))

    with pytest.raises(LedgerError, match="was retired"):
        corrected(path, path / "market")


def test_it_is_retired_once(path):
    retire("trio", "over", desk(path, by="Ada"))

    with pytest.raises(LedgerError, match="was retired"):
        retire("trio", "again", desk(path, by="Ada"))


def test_the_same_retirement_again_writes_what_files_are_missing(path):
    """As after a run that died between the ledger and the files."""
    entry, _ = retire("trio", "over", desk(path, by="Ada"))
    whole = files(path / "out")
    (path / "out" / "trio" / "trio_20260306_r2.csv").unlink()

    again, _ = retire("trio", "over", desk(path, by="Ada"))
    assert again.number == entry.number
    assert files(path / "out") == whole


def test_what_was_never_published_cannot_be_retired(path):
    with pytest.raises(LedgerError, match="never published"):
        retire("nobody", "over", desk(path, by="Ada"))


def test_a_retired_index_is_served_and_verified(path):
    retire("trio", "over", desk(path, by="Ada"))

    assert len(told(path)) == 5
    found = verify(desk(path).engine, out=path / "out", market=path / "market", inputs=True)
    assert found.entries == 6
    assert "trio/trio_20260306_r2.csv" in files(path / "out")


# --- approval ---------------------------------------------------------------------------------


def found(path):
    """Return the next rebalance of an index that is rebalanced monthly."""
    return proforma(monthly(path), folder(path / "market"), DAYS[10])


def monthly(path, **keys):
    """Return the file of an index that is rebalanced monthly."""
    return basket(path, id="monthly", **MONTHLY | keys)


def test_an_approval_records_members_weights_and_who(path):
    rebalance = found(path)
    entry = approve(rebalance, desk(path, by="Ada"), "as discussed")

    assert (entry.kind, entry.status, entry.by, entry.note) == (
        "approval", "recorded", "Ada", "as discussed",
    )  # fmt: skip
    assert entry.session == rebalance.effective.isoformat()
    assert sum(row[1] for row in entry.rows["members"]) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("day", [DAYS[10], DAYS[11]], ids=["known then", "later"])
def test_an_approval_keeps_the_digest_of_the_rows_it_was_weighed_on(path, day):
    """A close that is another makes it another; one after the last session does not."""
    rebalance = found(path)
    market = folder(path / "other", prices(**moved(SYMBOLS[0], day, 0.01)))
    other = proforma(monthly(path), market, DAYS[10])
    entry = approve(rebalance, desk(path, by="Ada"))

    assert entry.market == rebalance.market_digest
    assert (entry.market == other.market_digest) == (day > DAYS[10])


def test_an_approval_is_of_the_definition_that_was_weighed(path):
    """Whatever has been saved in its file since."""
    rebalance = found(path)
    name = monthly(path, weighting={"scheme": "price"})
    entry = approve(rebalance, desk(path, by="Ada"))

    assert entry.definition == rebalance.basket.digest != read_basket(name).digest


def test_an_approval_publishes_nothing(path):
    rebalance = found(path)
    approve(rebalance, desk(path, by="Ada"))
    with reading(desk(path).engine) as connection:
        assert subjects(connection) == {"trio": "index"}
    assert verify(desk(path).engine, out=path / "out").entries == 6


def test_an_approval_given_again_is_a_revision(path):
    rebalance = found(path)
    told = [approve(rebalance, desk(path, by=by)).revision for by in ("Ada", "Grace")]

    assert told == [1, 2]
    with reading(desk(path).engine) as connection:
        assert [entry.by for entry in read_entries(connection)][5:] == ["Ada", "Grace"]


def test_the_same_approval_again_records_nothing(path):
    """As after a run that died before it could say that it was done."""
    rebalance = found(path)
    told = [approve(rebalance, desk(path, by="Ada")).number for _ in range(2)]

    assert told == [6, 6]


def test_a_ready_made_series_has_nothing_to_approve(path):
    keys = dict.fromkeys(("base", "weighting", "constituents"))
    name = basket(path, id="line", kind="series", symbol="000001.SH", **keys)

    with pytest.raises(DefinitionError, match="it has no rebalances"):
        proforma(name, path / "market")
