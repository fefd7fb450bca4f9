"""What a person decides beside levels: a rebalance approved, an index retired."""

import shutil
from dataclasses import replace
from datetime import date, timedelta

import pytest

from indexer.digest import digest_bytes
from indexer.errors import DefinitionError, LedgerError
from indexer.ledger.database import publishing, reading
from indexer.ledger.heads import subjects
from indexer.ledger.history import read_entries, read_entry
from indexer.ledger.publish import append
from indexer.run.decisions import approve, proforma, retire
from indexer.run.doctor import examine
from indexer.run.verify import verify
from tests.run.desk import (
    DAYS,
    NOON,
    SYMBOLS,
    basket,
    corrected,
    desk,
    evening,
    files,
    folder,
    ledger_url,
    moved,
    prices,
    published,
    told,
)

MONTHLY = {"rebalance": {"frequency": "monthly", "day": "last session"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with five sessions published."""
    path = tmp_path_factory.mktemp("made")
    published(path, DAYS[0], DAYS[4])
    return path


@pytest.fixture
def path(made, tmp_path):
    """Return a copy of it."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def states(path, now=NOON, names=()):
    found = examine(list(names), path / "market", ledger_url(path), now)
    return {check.about: check.state for check in found}


# --- retirement -------------------------------------------------------------------------------


def test_the_final_entry_is_the_last_session_once_more(path):
    before = told(path)[-1]
    entry = retire("trio", "the theme is over", desk(path, by="Ada"))

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
    entry = retire("trio", "over", desk(path, by="Ada"))
    whole = files(path / "out")
    (path / "out" / "trio" / "trio_20260306_r2.csv").unlink()

    assert retire("trio", "over", desk(path, by="Ada")).number == entry.number
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


def test_a_retired_index_is_not_late(path):
    retire("trio", "over", desk(path, by="Ada"))

    assert states(path)["trio"] == "ok"


# --- approval ---------------------------------------------------------------------------------


def found(path):
    """Return an index that is rebalanced monthly, and its next rebalance."""
    name = basket(path, id="monthly", **MONTHLY)
    return name, proforma(name, folder(path / "market"), DAYS[10])


def test_an_approval_records_members_weights_and_who(path):
    name, rebalance = found(path)
    entry = approve(name, rebalance, desk(path, by="Ada"), "as discussed")

    assert (entry.kind, entry.status, entry.by, entry.note) == (
        "approval", "recorded", "Ada", "as discussed",
    )  # fmt: skip
    assert entry.session == rebalance.effective.isoformat()
    assert sum(row[1] for row in entry.rows["members"]) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("day", [DAYS[10], DAYS[11]], ids=["known then", "later"])
def test_an_approval_keeps_the_digest_of_the_rows_it_was_weighed_on(path, day):
    """A close that is another makes it another; one after the last session does not."""
    name, rebalance = found(path)
    market = folder(path / "other", prices(**moved(SYMBOLS[0], day, 0.01)))
    other = proforma(name, market, DAYS[10])
    entry = approve(name, rebalance, desk(path, by="Ada"))

    assert entry.market == rebalance.market_digest
    assert (entry.market == other.market_digest) == (day > DAYS[10])


def test_an_approval_publishes_nothing(path):
    name, rebalance = found(path)
    approve(name, rebalance, desk(path, by="Ada"))
    with reading(desk(path).engine) as connection:
        assert subjects(connection) == {"trio": "index"}
    assert verify(desk(path).engine, out=path / "out").entries == 6


def test_an_approval_given_again_is_a_revision(path):
    name, rebalance = found(path)
    told = [approve(name, rebalance, desk(path, by=by)).revision for by in ("Ada", "Grace")]

    assert told == [1, 2]
    with reading(desk(path).engine) as connection:
        assert [entry.by for entry in read_entries(connection, 6)] == ["Ada", "Grace"]


def test_the_same_approval_again_records_nothing(path):
    """As after a run that died before it could say that it was done."""
    name, rebalance = found(path)
    told = [approve(name, rebalance, desk(path, by="Ada")).number for _ in range(2)]

    assert told == [6, 6]


def test_a_ready_made_series_has_nothing_to_approve(path):
    keys = dict.fromkeys(("base", "weighting", "constituents"))
    name = basket(path, id="line", kind="series", symbol="000001.SH", **keys)

    with pytest.raises(DefinitionError, match="it has no rebalances"):
        proforma(name, path / "market")


# --- the doctor -------------------------------------------------------------------------------


def test_what_is_published_up_to_date_is_well(path):
    assert states(path, evening(DAYS[4]))["trio"] == "ok"


def test_what_is_late_is_named(path):
    checks = examine([], None, ledger_url(path), evening(DAYS[6]))
    late = next(check for check in checks if check.about == "trio")

    assert late.state == "late"
    assert late.message == "published until 2026-03-06, 2026-03-10 is final: publish it"


def test_a_session_that_is_not_final_makes_nothing_late(path):
    assert states(path, evening(DAYS[5], 6))["trio"] == "ok"


def test_a_calendar_that_ends_soon_is_noted(path):
    checks = examine([], None, ledger_url(path), evening(date(2026, 12, 10)))

    assert [c.state for c in checks if c.about == "calendar XSHG"] == ["note"]


def test_a_calendar_that_has_ended_is_wrong(path):
    checks = examine([], None, ledger_url(path), evening(date(2027, 6, 1)))

    assert [c.state for c in checks if c.about == "calendar XSHG"] == ["wrong"]


def test_a_published_definition_that_is_none_any_more_is_wrong(path):
    """As one of an older version of the package, of which this one knows nothing."""
    text = '{"id":"trio"}'
    digest = digest_bytes([text.encode()])
    with publishing(desk(path).engine) as connection:
        append(
            connection, [replace(read_entry(connection, 5), definition=digest)], NOON,
            {digest: text},
        )  # fmt: skip

    assert states(path)["trio"] == "wrong"


def test_a_ledger_that_is_not_there_yet_is_noted(tmp_path):
    assert [c.state for c in examine([], None, ledger_url(tmp_path), NOON)] == ["note"]


def test_a_broken_ledger_definition_and_market_are_wrong_and_stop_nothing(path):
    (path / "ledger.db").write_bytes(b"nonsense" * 1000)
    (path / "market" / "prices.csv").write_text("symbol\n1\n", encoding="utf-8")
    bad = basket(path, id="bad", currency="Yuan")
    told = states(path, names=[bad])

    assert list(told.values()) == ["wrong", "wrong", "wrong"]


@pytest.mark.attack("F7")
def test_no_password_is_told(tmp_path):
    for url in (
        "postgresql://u:secret@127.0.0.1:1/db",
        "postgresql:///db?host=/nowhere&password=secret",
        "postgresql://u:secret@host:port/db",
        "nodialect://u:secret@host/db",
    ):
        assert "secret" not in str(examine([], None, url, NOON + timedelta(1)))


def test_sessions_between_that_were_never_published_are_told(path):
    """Nobody else would say so, and after a retirement they can never be."""
    published(path, DAYS[7], market=path / "market")
    [found] = [
        c for c in examine((), None, ledger_url(path), evening(DAYS[7])) if c.about == "trio"
    ]

    assert (found.state, found.message) == (
        "note",
        f"published until {DAYS[7]}, 2 sessions before it not, from {DAYS[5]}: "
        f"publish --from {DAYS[5]} --to {DAYS[6]}",
    )
