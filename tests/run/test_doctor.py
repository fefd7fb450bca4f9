"""What is wrong or late is told, each by itself, and stops nothing."""

import shutil
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from indexer.cli.exits import exit_code
from indexer.digest import digest_bytes
from indexer.errors import Flaw, MarketDataError
from indexer.ledger.database import publishing
from indexer.ledger.history import read_entry
from indexer.ledger.publish import append
from indexer.market.calendar import read_calendar
from indexer.market.store import write_rows
from indexer.market.tables import read_market
from indexer.run.decisions import retire
from indexer.run.doctor import examine
from indexer.run.publish import publish
from indexer.run.sessions import Period
from tests.ledger.chain import OLDER, changed
from tests.run.desk import (
    DAYS,
    NOON,
    SYMBOLS,
    basket,
    desk,
    evening,
    folder,
    ledger_url,
    prices,
    published,
)


def states(path, now=NOON, names=()):
    found = examine(list(names), path / "market", ledger_url(path), now)
    return {check.about: check.state for check in found}


def test_what_is_published_up_to_date_is_well(path):
    assert states(path, evening(DAYS[4]))["trio"] == "ok"


def test_what_is_late_is_named(path):
    checks = examine([], None, ledger_url(path), evening(DAYS[6]))
    late = next(check for check in checks if check.about == "trio")

    assert late.state == "late"
    assert late.message == (
        "published until 2026-03-06, 2 sessions from 2026-03-09 to 2026-03-10 are final: "
        "publish --from 2026-03-09 --to 2026-03-10"
    )


def test_one_session_that_is_late_is_to_be_published(path):
    checks = examine([], None, ledger_url(path), evening(DAYS[5]))
    late = next(check for check in checks if check.about == "trio")

    assert late.message == f"published until {DAYS[4]}, {DAYS[5]} is final: publish it"


def test_a_retired_index_is_not_late(path):
    retire("trio", "over", desk(path, by="Ada"))

    assert states(path)["trio"] == "ok"


def test_a_session_that_is_not_final_makes_nothing_late(path):
    assert states(path, evening(DAYS[5], 6))["trio"] == "ok"


@pytest.mark.parametrize(("left", "state"), [(61, "ok"), (60, "note"), (0, "note"), (-1, "wrong")])
def test_a_calendar_that_ends_soon_is_noted_and_one_that_has_ended_is_wrong(path, left, state):
    day = read_calendar("XSHG").verified_until - timedelta(left)
    checks = examine([], None, ledger_url(path), evening(day))

    assert [c.state for c in checks if c.about == "calendar XSHG"] == [state]


def test_a_calendar_that_is_damaged_is_wrong_and_nothing_else(path, monkeypatch):
    def damaged(code):
        raise MarketDataError([Flaw(f"{code}.yaml", 1, "", "status is 'oficial'")])

    monkeypatch.setattr("indexer.run.doctor.read_calendar", damaged)
    checks = examine([], None, ledger_url(path), NOON)

    assert [c.state for c in checks if c.about == "calendar XSHG"] == ["wrong"]


def test_a_store_whose_calendar_has_ended_is_wrong_and_stops_nothing(path):
    write_rows(path / "store", {"prices": pl.DataFrame(prices(DAYS[:2]))})
    (path / "store" / "replies").mkdir()
    checks = examine([], path / "store", ledger_url(path), evening(date(2028, 6, 1)))

    wrong = [c.message for c in checks if c.about == str(path / "store") and c.state == "wrong"]
    assert [message.partition(":")[0] for message in wrong] == ["calendar XSHG"]
    assert [c.state for c in checks if c.about == "trio"] == ["wrong"]


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


def gone(path, **how):
    """Return what is said of a ledger that is not there any more."""
    (path / "ledger.db").unlink()
    return examine([], None, ledger_url(path), NOON, **how)[0]


def test_a_ledger_that_is_named_and_gone_is_wrong(path):
    told = gone(path, named=True)

    assert (told.state, exit_code([told.error])) == ("wrong", 66)
    assert "put its copy back" in told.message


@pytest.mark.parametrize(("kept", "state"), [(True, "wrong"), (False, "note")])
def test_a_ledger_is_missed_where_there_are_files_published_from_it(path, kept, state):
    assert (path / "out" / "trio" / "MANIFEST.sha256").is_file()
    if not kept:
        shutil.rmtree(path / "out")

    assert gone(path, out=path / "out").state == state


def test_a_ledger_that_a_run_has_made_after_it_was_lost_is_wrong(path):
    (path / "ledger.db").unlink()
    outcome = publish(
        [str(path / "trio.yaml")], path / "market", desk(path), Period(DAYS[4], DAYS[4])
    )
    told = examine([], None, ledger_url(path), NOON, out=path / "out")[0]

    assert "R37" in str(outcome[0].error)
    assert (told.state, exit_code([told.error])) == ("wrong", 66)


def test_a_ledger_without_an_entry_is_noted_where_nothing_was_published(tmp_path):
    desk(tmp_path)
    told = examine([], None, ledger_url(tmp_path), NOON, named=True, out=tmp_path / "out")

    assert [(check.state, check.message) for check in told] == [("note", "holds nothing yet")]


def test_published_files_that_the_ledger_does_not_know_are_wrong(path):
    shutil.copytree(path / "out" / "trio", path / "out" / "duo")
    told = examine([], None, ledger_url(path), NOON, out=path / "out")
    lost = next(check for check in told if check.about == "duo")

    assert (lost.state, exit_code([lost.error])) == ("wrong", 65)


@pytest.mark.parametrize("table", ["prices", "series"])
def test_a_close_of_a_day_to_come_is_wrong(path, table):
    late = {"symbol": SYMBOLS[0], "date": date(2026, 4, 13), "close": 20.0}
    folder(path / "market", **{table: [*prices(), late]})
    told = [c for c in examine([], path / "market", ledger_url(path), NOON) if c.state == "wrong"]

    assert [exit_code([check.error]) for check in told] == [65]
    assert told[0].message.startswith("600001.SH has a close of 2026-04-13, which is still to come")


def test_an_older_ledger_is_wrong_until_it_is_brought_up_to_date(path):
    changed(desk(path).engine, *OLDER)
    told = examine([], None, ledger_url(path), NOON)[0]

    assert (told.state, exit_code([told.error])) == ("wrong", 66)
    assert "has schema 0001, not 0002" in told.message


def test_a_broken_ledger_definition_and_market_are_wrong_and_stop_nothing(path):
    (path / "ledger.db").write_bytes(b"nonsense" * 1000)
    (path / "market" / "prices.csv").write_text("symbol\n1\n", encoding="utf-8")
    bad = basket(path, id="bad", currency="Yuan")
    told = states(path, names=[bad])

    assert list(told.values()) == ["wrong", "wrong", "wrong"]


@pytest.mark.attack("F7")
def test_no_password_is_told():
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
        "late",
        f"published until {DAYS[7]}, 2 sessions from {DAYS[5]} to {DAYS[6]} are final: "
        f"publish --from {DAYS[5]} --to {DAYS[6]}",
    )


def test_a_session_that_was_missed_does_not_fall_silent_by_the_next(path):
    published(path, DAYS[6], market=path / "market")
    published(path, DAYS[7], market=path / "market")
    [found] = [
        c for c in examine((), None, ledger_url(path), evening(DAYS[7])) if c.about == "trio"
    ]

    told = f"published until {DAYS[7]}, {DAYS[5]} is final: publish --date {DAYS[5]}"
    assert (found.state, found.message) == ("late", told)


def test_where_the_market_ends_before_it_is_to_be_fetched_first(path):
    market = path / "market"
    last = read_market(market).prices["date"].max()
    [found] = [
        c
        for c in examine((), market, ledger_url(path), evening(last) + timedelta(7))
        if c.about == "trio"
    ]

    assert f" are final: the market ends on {last}: fetch, then publish --from " in found.message


def test_the_calendars_of_all_constituents_are_looked_at(tmp_path):
    abroad = [{"symbol": "600001.SH"}, {"symbol": "00700.HK"}, {"symbol": "AAPL.US"}]
    name = basket(tmp_path, constituents=abroad)
    found = [c.about for c in examine([name], None, ledger_url(tmp_path), NOON)]

    assert {f"calendar {code}" for code in ("XSHG", "XHKG", "XNYS")} <= set(found)


def test_of_a_study_those_of_its_indices_are(tmp_path):
    found = [c.about for c in examine(["compute-diffusion"], None, ledger_url(tmp_path), NOON)]

    assert {"calendar XSHG", "calendar XHKG"} <= set(found)


def test_how_much_is_published_is_told(path):
    checks = examine([], None, ledger_url(path), NOON)

    assert checks[0].message == "1 definition published"
