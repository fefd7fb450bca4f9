"""What should be published by now is the last final session of everything that is."""

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from indexer.market.calendar import read_calendar
from indexer.run.decisions import retire
from indexer.run.due import due_sessions, gaps, published_definition
from tests.ledger.chain import appended, entry
from tests.run.desk import DAYS, basket, desk, evening, ledger_url, published

AFTER = read_calendar("XSHG").horizon.replace(year=read_calendar("XSHG").horizon.year + 2)


def due(path, now):
    return due_sessions(desk(path).engine, now)


def test_an_index_is_due_up_to_the_last_session_whose_closes_are_final(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])

    assert due(tmp_path, evening(DAYS[3], hour=4)) == {"trio": DAYS[2].isoformat()}
    assert due(tmp_path, evening(DAYS[3], hour=12)) == {"trio": DAYS[3].isoformat()}


def test_of_what_is_retired_nothing_is_due(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    retire("trio", "the theme is over", desk(tmp_path, by="Ada"))

    assert due(tmp_path, evening(DAYS[3])) == {}


def test_a_calendar_that_ends_before_makes_nothing_due(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    far = datetime(AFTER.year, AFTER.month, AFTER.day, tzinfo=UTC)

    assert due(tmp_path, far) == {}


def test_one_whose_definition_is_none_to_this_version_holds_up_no_other(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    appended(desk(tmp_path).engine, entry(DAYS[0].isoformat(), subject="strange"))

    assert due(tmp_path, evening(DAYS[3], hour=12)) == {"trio": DAYS[3].isoformat()}


def test_of_what_is_published_now_gaps_are_told_whatever_else_the_ledger_holds(tmp_path):
    """Also of another version, which nobody here could read."""
    published(tmp_path, DAYS[0])
    published(tmp_path, DAYS[0], names=[basket(tmp_path, id="unreadable")])
    outcome = published(tmp_path, DAYS[3])
    unreadable = sa.text("UPDATE definitions SET content = '{}' WHERE content LIKE '%unreadable%'")
    with desk(tmp_path).engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER definitions_no_update")
        connection.execute(unreadable)

    [told] = gaps(ledger_url(tmp_path), [outcome])
    assert told.startswith("trio: 2 sessions before")


def test_of_what_never_was_published_there_is_no_definition(tmp_path):
    engine = desk(tmp_path).engine

    assert published_definition(engine, "trio") is None
    assert due_sessions(engine, evening(DAYS[3])) == {}


def test_of_what_the_ledger_does_not_know_no_gap_is_told(tmp_path):
    outcome = published(tmp_path, DAYS[0])

    assert list(gaps(ledger_url(tmp_path), [replace(outcome, subject="nobody")])) == []
