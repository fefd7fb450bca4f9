"""Pages of what is published: every row once, on either database, as of any instant."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from benchmarks.reliability import shown
from indexer.errors import LedgerError, TryAgainError
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.heads import AFTER_ALL
from indexer.ledger.history import COLUMNS, history_rows, published_rows, read_entries
from indexer.ledger.pages import (
    CONSTITUENT_COLUMNS,
    HEAD_COLUMNS,
    LEVEL_COLUMNS,
    PUBLICATION_COLUMNS,
    Page,
    Place,
    Span,
    constituent_page,
    head_at,
    last_instant,
    last_known,
    level_page,
    publications,
    signal_page,
    state_page,
    subject_spans,
)
from indexer.ledger.publish import instant_text
from indexer.ledger.tables import PARTS, entries
from indexer.ledger.verify import check_database
from tests.ledger.chain import appended, entry, ledger

COUNT = 12
DAYS = shown.days(COUNT)
LATER = shown.PUBLISHED + timedelta(days=7)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def connection(request, tmp_path_factory):
    """Give a reader of a ledger in which the third session of an index was corrected."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('pages') / 'ledger.db'}"
    else:
        url = request.getfixturevalue("database")("pages")
    engine = shown.write_at(url, COUNT)
    shown.correct(engine, "chain-1", DAYS[2], 5000.0, LATER)
    engine.dispose()
    reader = open_ledger(url, read_only=True)
    with reading(reader) as found:
        yield found
    reader.dispose()


def every_page(connection, limit, **asked):
    rows, after = [], Place()
    while after is not None:
        page = level_page(connection, Span("chain-1", after=after, limit=limit, **asked))
        assert len(page.rows) <= limit
        rows += page.rows
        after = page.after
    return rows


def test_a_page_reads_one_row_more_than_it_shows(connection):
    limits = []

    def listen(_connection, _cursor, _statement, _parameters, context, _many):
        limits.extend(asked["limit"] for asked in context.compiled_parameters)

    sa.event.listen(connection, "before_cursor_execute", listen)
    level_page(connection, Span("chain-1", limit=3))
    sa.event.remove(connection, "before_cursor_execute", listen)

    assert limits == [4]


@pytest.mark.parametrize("limit", [1, 2, 5, 23, 24, 25])
def test_pages_hold_every_row_once(connection, limit):
    rows = [row[: len(COLUMNS)] for row in every_page(connection, limit)]

    assert rows == history_rows(connection, "chain-1")
    assert len(rows) == 2 * COUNT


def test_what_was_known_is_told_as_the_history_tells_it(connection):
    known_at = instant_text(LATER - timedelta(microseconds=1))
    rows = [row[: len(COLUMNS)] for row in every_page(connection, 5, known_at=known_at)]

    assert rows == history_rows(connection, "chain-1", known_at=known_at)
    assert rows != history_rows(connection, "chain-1")


def test_a_span_is_inclusive_and_of_one_variant(connection):
    span = Span("chain-2", DAYS[3], DAYS[5])
    page = level_page(connection, span, "gross")

    assert [row[:2] for row in page.rows] == [(day, "gross") for day in DAYS[3:6]]
    assert page.after is None


def test_the_marks_stand_at_the_end_of_a_level(connection):
    assert LEVEL_COLUMNS[-2:] == ("backtested", "synthetic")
    rows = level_page(connection, Span("chain-2"), "price").rows
    assert [row[-2:] for row in rows] == [(n < COUNT // 2, True) for n in range(COUNT)]


def test_signals_are_those_of_the_entries(connection):
    numbers = [row[0] for row in connection.exec_driver_sql(
        "SELECT number FROM entries WHERE kind = 'study' ORDER BY number"
    )]  # fmt: skip
    by_entry = published_rows(connection, numbers, "study")
    wanted = [row for number in numbers for row in by_entry[number]]

    assert signal_page(connection, Span("pair")).rows == wanted
    assert signal_page(connection, Span("pair"), "gap", "chain-1", "chain-3").rows == [
        row for row in wanted if row[1:4] == ("gap", "chain-1", "chain-3")
    ]


def test_constituents_say_which_prices_are_carried(connection):
    rows = constituent_page(connection, Span("chain-3", DAYS[4], DAYS[4])).rows

    assert len(rows) == 30
    assert [row[1] for row in rows if row[CONSTITUENT_COLUMNS.index("carried")]] == ["600004.SH"]


def test_states_are_those_of_the_session(connection):
    rows = state_page(connection, Span("pair", DAYS[1], DAYS[1])).rows

    assert [row[:4] for row in rows] == [
        (DAYS[1], "chain-1", follower, "neutral") for follower in ("chain-2", "chain-3")
    ]


@pytest.mark.parametrize(
    ("last", "known_at", "found"),
    [
        (AFTER_ALL, AFTER_ALL, (DAYS[-1], 1)),
        (DAYS[2], AFTER_ALL, (DAYS[2], 2)),
        (DAYS[2], instant_text(LATER - timedelta(seconds=1)), (DAYS[2], 1)),
        (DAYS[2], "2026-01-01", None),
        ("1990-01-01", AFTER_ALL, None),
    ],
)
def test_the_head_of_a_span_is_its_last_session_in_force(connection, last, known_at, found):
    head = head_at(connection, Span("chain-1", last=last, known_at=known_at), "index")

    told = None if head is None else dict(zip((*HEAD_COLUMNS, "carried"), head, strict=True))
    assert (told and (told["session"], told["revision"])) == found


def test_publications_are_told_the_newest_first(connection):
    assert publications(connection, "chain-1", "index", 10) == [
        (instant_text(LATER), DAYS[2], DAYS[2], 1, 1),
        (instant_text(shown.PUBLISHED), DAYS[0], DAYS[-1], COUNT, 0),
    ]
    assert len(publications(connection, "chain-1", "index", 1)) == 1


def test_that_an_index_is_retired_is_no_correction(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry())
    appended(engine, entry(status="retired", reason="retired"))

    with reading(engine) as found:
        last, _ = publications(found, "example", "index", 10)
    assert dict(zip(PUBLICATION_COLUMNS, last, strict=True))["corrected"] == 0
    engine.dispose()


def test_subjects_come_with_their_first_session(connection):
    number, _ = last_known(connection)
    assert subject_spans(connection, "index", number) == [(id, DAYS[0]) for id in shown.ids(5)]
    assert subject_spans(connection, "study", number) == [("pair", DAYS[0])]


@pytest.mark.parametrize(
    ("known_at", "count"), [(AFTER_ALL, 5), (instant_text(shown.PUBLISHED), 1), ("2026-01-01", 0)]
)
def test_subjects_are_those_published_by_an_instant(connection, known_at, count):
    number, instant = last_known(connection, known_at)

    assert instant <= known_at
    assert len(subject_spans(connection, "index", number)) == count


def test_subjects_stand_in_the_order_of_their_ids_whatever_order_the_database_has(database):
    """By this one the tenth stands after the second."""
    engine = shown.write_at(database("counted"), 1, indices=10)
    with engine.begin() as changing:
        changing.exec_driver_sql("CREATE COLLATION counted (provider = icu, locale = 'en-u-kn')")
        changing.exec_driver_sql("ALTER TABLE entries ALTER subject TYPE text COLLATE counted")
    with reading(engine) as found:
        ids = [id for id, _ in subject_spans(found, "index", last_known(found)[0])]
    engine.dispose()

    assert ids == sorted(shown.ids(10))


@pytest.mark.parametrize(
    ("subject", "kind", "at"),
    [
        ("chain-1", "index", LATER),
        ("chain-2", "index", shown.PUBLISHED + timedelta(microseconds=1)),  # after chain-1
        ("chain-1", "study", None),
    ],
)
def test_the_last_instant_is_that_of_the_subject(connection, subject, kind, at):
    assert last_instant(connection, subject, kind) == (instant_text(at) if at else "")


def test_of_a_subject_that_is_not_there_there_are_no_rows(connection):
    assert level_page(connection, Span("pair")) == Page([], None)
    assert publications(connection, "nobody", "index", 10) == []


SQL = (
    *("' OR 1=1 --", "' OR ''='", '" OR 1=1 --', "x'; DROP TABLE entries; --", "';--", "'", "''"),
    *(
        "chain-1' --",
        "chain-1'/*",
        "chain-1\\x00",
        "_hain-1",
        "chain-%",
        "%",
        ":id",
        "?",
        "$1",
        "`",
    ),
    *("1;DELETE FROM levels", "') UNION SELECT * FROM definitions --", "chain-1\\' OR 1=1", "\\"),
    *("chain-1' AND (SELECT load_extension('x'))='", "%(id)s", "{id}", "0x61", "[entries]", "’"),
)


def everything(connection):
    return {table: connection.execute(sa.select(table)).all() for table in (entries, *PARTS)}


@pytest.mark.attack("C3")
def test_text_asked_for_is_only_ever_compared(connection):
    before = everything(connection)
    for text in SQL:
        named = Span(text)
        found = [
            *(page(connection, named).rows for page in (level_page, constituent_page, state_page)),
            level_page(connection, Span("chain-1"), text).rows,
            signal_page(connection, Span("pair"), text).rows,
            signal_page(connection, Span("pair"), "", text).rows,
            signal_page(connection, Span("pair"), "", "", text).rows,
            level_page(connection, Span("chain-1", known_at=f"0{text}")).rows,
        ]

        assert not any(found), text
        assert head_at(connection, named, "index") is None
        assert not publications(connection, text, "index", 9)
    assert everything(connection) == before


@pytest.mark.attack("C3")
def test_text_written_is_kept_to_the_letter(tmp_path):
    engine = ledger(tmp_path)
    new = [
        entry(f"2026-03-{n + 1:02}", note=text, by=text, rows={"members": [(text, 0.5, 1.0)]})
        for n, text in enumerate(SQL)
    ]
    appended(engine, *new)

    with reading(engine) as found:
        kept = list(read_entries(found))
        assert [(one.note, one.by, one.rows["members"][0][0]) for one in kept] == [
            (text, text, text) for text in SQL
        ]
        check_database(found)
    engine.dispose()


@pytest.mark.attack("E1")
def test_a_reader_cannot_write(connection):
    """The last test here: afterwards the connection is of no use."""
    with pytest.raises((LedgerError, TryAgainError, sa.exc.DBAPIError), match=r"read.?only"):
        connection.exec_driver_sql("CREATE TABLE mine (x INTEGER)")
    connection.rollback()
