"""What is in force, and what was at an instant."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from indexer.errors import LedgerError
from indexer.ledger.database import reading
from indexer.ledger.heads import (
    AFTER_ALL,
    all_heads,
    corrections,
    head_before,
    heads,
    last_heads,
    last_number,
)
from indexer.ledger.history import (
    COLUMNS,
    STUDY_COLUMNS,
    history_rows,
    inputs_of_entry,
    published_rows,
    read_definition,
)
from indexer.ledger.publish import instant_text
from tests.ledger.chain import DEFINITION, DIGEST, MORNING, appended, changed, entry, ledger, level

SESSIONS = [f"2026-03-{day:02}" for day in range(2, 28)]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """Return a ledger of many revisions, and of each session what was published when."""
    engine, drawn = ledger(tmp_path_factory.mktemp("replayed")), np.random.default_rng(20260507)
    model, at = {}, MORNING
    for n in range(90):
        at += timedelta(
            minutes=int(drawn.choice([0, 0, 1, 7])), microseconds=int(drawn.choice([0, 1]))
        )
        for session in drawn.choice(SESSIONS, drawn.integers(1, 4), replace=False).tolist():
            [new] = appended(engine, entry(session, rows=level(f"{n + 1}.0")), now=at)
            told = datetime.fromisoformat(new.published_at)
            model.setdefault(session, []).append((told, f"{n + 1}.0"))
    return engine, model, told


def test_what_was_known_at_an_instant_agrees_with_a_replay(replayed):
    """1,000 sessions and instants against a dictionary; instants on, just before and after."""
    engine, model, end = replayed
    drawn = np.random.default_rng(12)
    stamps = [at for told in model.values() for at, _ in told]
    wrong = 0
    with reading(engine) as connection:
        for _ in range(200):
            shift = timedelta(microseconds=int(drawn.choice([-1, 0, 1])))
            instant = [stamps[drawn.integers(len(stamps))] + shift, end, MORNING - timedelta(1)][
                drawn.choice(3, p=(0.8, 0.1, 0.1))
            ]
            rows = history_rows(connection, "example", known_at=instant_text(instant))
            found = {row[0]: row[2] for row in rows}
            for session in drawn.choice(SESSIONS, 5, replace=False).tolist():
                known = [text for at, text in model.get(session, []) if at <= instant]
                wrong += found.get(session) != (known[-1] if known else None)

    assert wrong == 0


def test_now_is_the_newest_revision_of_every_session(replayed):
    engine, model, _ = replayed
    with reading(engine) as connection:
        found = {row[0]: (row[2], row[5]) for row in history_rows(connection, "example")}

    assert found == {s: (told[-1][1], len(told)) for s, told in model.items()}


def test_every_revision_is_kept(replayed):
    engine, model, _ = replayed
    with reading(engine) as connection:
        numbers = [head.number for head in all_heads(connection, "example")]

        assert numbers == list(range(1, sum(map(len, model.values())) + 1))


@pytest.fixture
def small(tmp_path):
    """Return a ledger of three sessions, the second of them corrected."""
    engine = ledger(tmp_path)
    days = ("2026-03-02", "2026-03-03", "2026-03-04")
    appended(engine, *(entry(day, correction="", status="final") for day in days))
    appended(engine, entry(days[1], correction="c", status="corrected", basis=1, inputs=b"more"))
    return engine


def test_the_history_has_the_columns_of_the_contract():
    assert ", ".join(COLUMNS) == (
        "date, variant, level, level_exact, divisor, revision, status, published_at, run, "
        "basket_digest, market_digest, methodology"
    )


def test_a_row_of_the_history_is_what_was_published(small):
    with reading(small) as connection:
        row = history_rows(connection, "example", variant="net")[1]

    assert row == (
        "2026-03-03", "net", "1001.0000", 1001.0, 2.0, 2, "corrected",
        instant_text(MORNING + timedelta(microseconds=1)), "run-1", DIGEST, "m" * 64, "1-abc",
    )  # fmt: skip


def test_one_variant_can_be_asked_for(small):
    with reading(small) as connection:
        both = history_rows(connection, "example")
        one = history_rows(connection, "example", variant="price")

    assert [row for row in both if row[1] == "price"] == one
    assert len(both) == 2 * len(one) == 6


def test_rows_of_an_entry_no_longer_in_force_can_be_asked_for(small):
    with reading(small) as connection:
        found = published_rows(connection, [2, 4])

    assert [row[5] for row in (found[2][0], found[4][0])] == [1, 2]


def test_signals_are_asked_for_by_entry(small):
    with reading(small) as connection:
        found = published_rows(connection, [1], "study")

    assert len(STUDY_COLUMNS) == len(found[1][0])
    assert found[1][0][:8] == ("2026-03-02", "gap", "a", "b", "c", 20, 0.125, 1)


def test_the_last_heads_are_the_newest_and_that_of_the_last_session(small):
    with reading(small) as connection:
        assert [head.number for head in last_heads(connection, "example")] == [4, 3]
        assert last_heads(connection, "nobody") == []


def test_heads_in_force_are_by_session_within_dates(small):
    with reading(small) as connection:
        found = heads(connection, "example", between=("2026-03-03", "2026-03-04"))

    assert [(head.session, head.revision) for head in found] == [
        ("2026-03-03", 2), ("2026-03-04", 1),
    ]  # fmt: skip


def test_the_head_before_a_session_is_the_one_in_force(small):
    with reading(small) as connection:
        assert [head.number for head in head_before(connection, "example", "2026-03-04")] == [4]
        assert head_before(connection, "example", "2026-03-02") == []


def test_a_correction_knows_its_entries(small):
    with reading(small) as connection:
        assert corrections(connection, "example", "index") == {"c": [4]}


def test_what_never_was_is_none(small):
    with reading(small) as connection:
        assert head_before(connection, "example", AFTER_ALL, "study") == []
        assert read_definition(connection, "0" * 64) is None
        assert read_definition(connection, DIGEST) == DEFINITION
        assert last_number(connection) == 4


def test_inputs_are_told_from_the_lowest_entry_up(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry(basis=None, inputs=b"a"), entry("2026-03-03", basis=1, inputs=b"b"))
    appended(engine, entry("2026-03-04", basis=2, inputs=b"c"), entry("2026-03-05", basis=1))

    with reading(engine) as connection:
        assert inputs_of_entry(connection, 3) == [b"a", b"b", b"c"]
        assert inputs_of_entry(connection, 4) == [b"a", b"inputs"]


@pytest.mark.parametrize("basis", [3, 2, 0, 99])
def test_inputs_that_add_to_none_before_them_are_damage(tmp_path, basis):
    """An entry that rests on itself would be read for ever."""
    engine = ledger(tmp_path)
    appended(engine, *(entry(f"2026-03-0{n}", basis=n - 2 or None) for n in (2, 3, 4)))
    changed(engine, f"UPDATE entries SET basis = {basis} WHERE number = 2")  # noqa: S608

    with reading(engine) as connection, pytest.raises(LedgerError, match="of entry 3 does not"):
        inputs_of_entry(connection, 3)
