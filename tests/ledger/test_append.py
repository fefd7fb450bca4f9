"""Entries get their place in the chain: numbers, revisions, instants, the hash before."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from indexer.errors import LedgerError
from indexer.ledger.database import publishing, reading
from indexer.ledger.entry import FIRST
from indexer.ledger.heads import subjects
from indexer.ledger.history import read_entries, read_entry
from indexer.ledger.publish import append, instant_text
from indexer.ledger.verify import check_chain, check_database
from tests.ledger.chain import DEFINITION, DIGEST, MORNING, appended, entry, ledger, level

HOUR = timedelta(hours=1)


def test_what_is_appended_is_what_is_read(tmp_path):
    engine = ledger(tmp_path)
    new = appended(engine, entry(), entry("2026-03-03", basis=None, inputs=b"\x00\xff"))

    with reading(engine) as connection:
        assert list(read_entries(connection)) == new


def test_each_entry_names_the_hash_of_the_one_before(tmp_path):
    first, second, third = appended(ledger(tmp_path), *(entry(f"2026-03-0{n}") for n in (2, 3, 4)))

    assert (first.previous, second.previous, third.previous) == (FIRST, first.hash, second.hash)
    assert [first.number, second.number, third.number] == [1, 2, 3]


def test_the_first_entry_names_a_digest_of_zeros():
    """Of the length of every other, so that anybody can follow the chain."""
    assert f"{0:064x}" == FIRST


def test_a_session_published_again_is_its_next_revision(tmp_path):
    engine = ledger(tmp_path)
    told = [appended(engine, entry(day))[0].revision for day in ("2026-03-02", "2026-03-03")]
    told += [e.revision for e in appended(engine, entry("2026-03-02"), entry("2026-03-02"))]

    assert told == [1, 1, 2, 3]


def test_revisions_are_counted_for_each_subject_and_kind(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry())
    others = [entry(subject="other"), entry(kind="approval"), entry(kind="immaterial")]

    assert [e.revision for e in appended(engine, *others)] == [1, 1, 1]


def test_a_clock_that_goes_backwards_does_not_change_what_was_known(tmp_path):
    engine = ledger(tmp_path)
    told = [
        appended(engine, entry(day), now=MORNING + shift)[0].published_at
        for day, shift in (("2026-03-02", HOUR), ("2026-03-03", -HOUR), ("2026-03-04", 2 * HOUR))
    ]

    next_instant = HOUR + timedelta(microseconds=1)
    assert told == [instant_text(MORNING + h) for h in (HOUR, next_instant, 2 * HOUR)]


def test_instants_are_held_in_utc():
    east = timezone(timedelta(hours=8))

    assert instant_text(datetime(2026, 3, 2, 18, tzinfo=east)) == "2026-03-02T10:00:00.000000Z"
    assert instant_text(datetime(2026, 3, 2, 10, 0, 0, 7, tzinfo=UTC)).endswith(":00.000007Z")


def test_nothing_to_append_writes_nothing(tmp_path):
    engine = ledger(tmp_path)

    assert appended(engine) == []
    with reading(engine) as connection:
        assert check_chain(connection) == (0, FIRST)


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry())

    with suppress(RuntimeError), publishing(engine) as connection:
        append(connection, [entry("2026-03-03")], MORNING, {DIGEST: DEFINITION})
        raise RuntimeError
    with reading(engine) as connection:
        check_database(connection)
        assert check_chain(connection)[0] == 1


def test_an_entry_whose_definition_is_not_stored_is_refused(tmp_path):
    engine = ledger(tmp_path)

    with pytest.raises(LedgerError, match="FOREIGN KEY"):
        appended(engine, replace(entry(), definition="f" * 64))
    with reading(engine) as connection:
        assert check_chain(connection)[0] == 0


def test_the_same_definition_is_stored_once(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry())
    appended(engine, entry("2026-03-03"))

    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM definitions").scalar() == 1


def test_decisions_beside_levels_make_nobody_a_subject(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry(subject="b"), entry(subject="a", kind="study"))
    appended(engine, entry(subject="c", kind="approval"), entry(subject="d", kind="immaterial"))

    with reading(engine) as connection:
        assert subjects(connection) == {"a": "study", "b": "index"}


def test_the_sign_of_zero_does_not_break_the_chain(tmp_path):
    """SQLite gives back 0.0 for -0.0."""
    engine = ledger(tmp_path)
    appended(engine, entry(rows={"levels": [("price", "1.0", 1.0, -0.0, None)]}))

    with reading(engine) as connection:
        assert check_chain(connection)[0] == 1


def test_every_double_comes_back_from_the_database(tmp_path):
    engine = ledger(tmp_path)
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2.0**53 + 2, 1e22, -1e-300]
    rows = {"levels": [(str(v), "1", 1.0, v, v) for v in values]}
    appended(engine, entry(rows=rows))

    with reading(engine) as connection:
        assert [row[3].hex() for row in read_entry(connection, 1).rows["levels"]] == [
            v.hex() for v in values
        ]


def test_more_entries_than_fit_one_question_are_read_in_order(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, *(entry(f"{n + 1:04}-01-01", rows=level("1.0")) for n in range(1203)))

    with reading(engine) as connection:
        assert [e.number for e in read_entries(connection)] == list(range(1, 1204))
        assert [read_entry(connection, n).number for n in (500, 501)] == [500, 501]
