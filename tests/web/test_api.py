"""The API says what the ledger says, to the last digit, and refuses what has no meaning."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from benchmarks.reliability import shown
from indexer.digest import digest_bytes
from indexer.ledger.database import reading
from indexer.ledger.history import COLUMNS, STUDY_COLUMNS, history_rows
from indexer.report.published import FORMULA, csv_text
from indexer.web import parameters
from indexer.web.parameters import EXAMPLES
from tests.web.conftest import SESSIONS, readers_of

DAYS = shown.days(SESSIONS)
LEVELS = "/v1/indices/chain-1/levels"
NASTY = (
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "'=1",
)


def history(engine, **asked):
    with reading(engine) as connection:
        return history_rows(connection, "chain-1", **asked)


def pages(ask, target):
    while target:
        told = ask(target).json
        yield told
        target = told["next"]


def test_levels_are_those_of_the_history(ask, published):
    rows = ask(LEVELS).json["rows"]

    assert [tuple(row[name] for name in COLUMNS) for row in rows] == history(published)
    assert len(rows) == 2 * SESSIONS


def test_csv_begins_with_the_columns_of_the_history_as_the_command_prints_them(ask, published):
    rows = list(csv.reader(io.StringIO(ask(f"{LEVELS}?format=csv").body.decode())))
    kept = csv_text(rows[0][: len(COLUMNS)], [row[: len(COLUMNS)] for row in rows[1:]])

    assert kept == csv_text(COLUMNS, history(published))


@pytest.mark.parametrize("limit", [1, 7, 79, 80])
def test_pages_hold_every_row_once(ask, published, limit):
    found = [row for told in pages(ask, f"{LEVELS}?limit={limit}") for row in told["rows"]]

    assert [tuple(row[name] for name in COLUMNS) for row in found] == history(published)


def test_the_last_page_has_no_next(ask):
    assert ask(f"{LEVELS}?limit={2 * SESSIONS}").json["next"] is None


def test_a_csv_is_whole_where_no_page_is_asked_for(ask, monkeypatch):
    """Nobody who opens it in a spreadsheet sees that it would go on."""
    monkeypatch.setattr(parameters, "PAGE", 3)
    asked = f"{LEVELS}?variant=price&to={DAYS[-1]}"

    assert len(ask(asked).json["rows"]) == 3
    assert len(ask(f"{asked}&format=csv").body.splitlines()) == 1 + SESSIONS


def test_a_csv_that_would_be_cut_is_refused(ask, monkeypatch):
    monkeypatch.setattr(parameters, "MAX_ROWS", 10)
    asked = f"{LEVELS}?format=csv&variant=price"
    told = ask(asked)

    assert (told.status, told.json["faults"][0]["parameter"]) == (422, "limit")
    assert ask(f"{asked}&limit=10").status == ask(f"{asked}&to={DAYS[9]}").status == 200


def test_pages_asked_before_a_correction_go_on_showing_what_was_before_it(ledger, client_of):
    ask = client_of(ledger)
    first = ask(f"{LEVELS}?limit=2").json
    shown.correct(ledger, "chain-1", DAYS[1], 5.0, datetime(2026, 3, 9, tzinfo=UTC))
    (second,) = ask(first["next"]).json["rows"][:1]

    assert (second["date"], second["revision"]) == (DAYS[1], 1)
    assert ask(f"{LEVELS}?from={DAYS[1]}&limit=1").json["rows"][0]["revision"] == 2


def test_a_range_is_inclusive_and_of_one_variant(ask):
    told = ask(f"{LEVELS}?variant=gross&from={DAYS[3]}&to={DAYS[5]}").json

    assert [row["date"] for row in told["rows"]] == DAYS[3:6]
    assert {row["variant"] for row in told["rows"]} == {"gross"}
    assert told["record"]["session"] == DAYS[5]


def test_what_was_known_before_a_correction_is_still_told(ledger, client_of):
    shown.correct(ledger, "chain-1", DAYS[7], 123.0, datetime(2026, 3, 9, tzinfo=UTC))
    ask, day = client_of(ledger), f"from={DAYS[7]}&to={DAYS[7]}&variant=price"
    (now,) = ask(f"{LEVELS}?{day}").json["rows"]
    (then,) = ask(f"{LEVELS}?{day}&as_known_at=2026-03-08T23:59:59Z").json["rows"]

    assert (now["level"], now["revision"], now["status"]) == ("123.0000", 2, "corrected")
    assert (then["revision"], then["status"]) == (1, "final")


def test_nothing_was_known_before_the_first_publication(ask):
    told = ask(f"{LEVELS}?as_known_at=2026-03-02T16:59:59%2B08:00").json

    assert (told["rows"], told["record"]) == ([], None)
    assert len(ask(f"{LEVELS}?as_known_at=2026-03-02T17:00:00%2B08:00").json["rows"]) == 80


def test_every_level_is_marked(ask):
    rows = ask(f"{LEVELS}?variant=price").json["rows"]

    assert [row["backtested"] for row in rows] == [n < SESSIONS // 2 for n in range(SESSIONS)]
    assert {row["synthetic"] for row in rows} == {True}


def test_the_record_says_where_the_data_are_from(ask):
    assert ask(LEVELS).json["record"]["source"] == "random walks"
    assert {row["source"] for row in ask("/v1/indices").json["rows"]} == {"random walks"}


@pytest.mark.parametrize(("n", "carried"), [(0, 0), (4, 1), (29, 1), (30, 0)])
def test_the_record_of_a_session_says_how_many_prices_are_carried(ask, n, carried):
    """The n-th session carries the price of the n-th constituent, but for the first."""
    told = ask(f"{LEVELS}?from={DAYS[0]}&to={DAYS[n]}").json

    assert told["record"]["carried"] == carried


def test_constituents_are_those_of_the_session(ask):
    told = ask(f"/v1/indices/chain-2/constituents?date={DAYS[4]}").json

    assert len(told["rows"]) == 30
    assert [row["symbol"] for row in told["rows"] if row["carried"]] == ["600004.SH"]
    assert {row["date"] for row in told["rows"]} == {DAYS[4]}
    assert told["record"]["session"] == DAYS[4]


def test_without_a_date_constituents_are_the_last(ask):
    assert ask("/v1/indices/chain-2/constituents").json["record"]["session"] == DAYS[-1]


def test_signals_are_filtered_by_everything_asked(ask):
    target = "/v1/studies/pair/signals?signal=gap&leader=chain-1&follower=chain-3"
    rows = ask(f"{target}&from={DAYS[2]}&to={DAYS[2]}").json["rows"]

    assert [tuple(row) for row in rows] == [STUDY_COLUMNS] * 2
    assert [(row["signal"], row["follower"], row["window"]) for row in rows] == [
        ("gap", "chain-3", 20),
        ("gap", "chain-3", 60),
    ]


def test_all_signals_come_page_by_page(ask):
    found = [
        row for told in pages(ask, "/v1/studies/pair/signals?limit=100") for row in told["rows"]
    ]

    assert len(found) == 14 * SESSIONS
    assert len({(r["date"], r["signal"], r["follower"], r["window"]) for r in found}) == len(found)


def test_an_index_tells_its_definition_and_its_publications(ask):
    told = ask("/v1/indices/chain-1").json

    assert told["definition"]["name"] == shown.NAMES[0]
    assert told["record"]["definition_digest"] == told["summary"]["definition_digest"]
    assert [row["variant"] for row in told["levels"]] == ["price", "gross"]
    assert told["publications"] == [
        {
            "published_at": "2026-03-02T09:00:00.000000Z",
            "first": DAYS[0],
            "last": DAYS[-1],
            "sessions": SESSIONS,
            "corrected": 0,
        }
    ]


def test_the_summary_is_that_of_the_instant(ledger, client_of):
    """Since then the last session was corrected, and another published after it."""
    before = client_of(ledger)("/v1/indices/chain-1").json["summary"]
    shown.correct(ledger, "chain-1", DAYS[-1], 123.0, datetime(2026, 3, 9, tzinfo=UTC))
    later, text = shown.more("chain-1", shown.days(SESSIONS + 1)[-1:], 2)
    shown.publish(ledger, later, text, datetime(2026, 3, 10, tzinfo=UTC))
    target = "/v1/indices/chain-1?as_known_at=2026-03-08T00:00:00Z"
    told = client_of(ledger)(target).json

    assert told["summary"] == before
    assert told["record"]["session"] == before["session"]


def test_the_first_session_is_that_of_the_instant(ledger, client_of):
    earlier, text = shown.more("chain-1", ["2015-12-31"], 2)
    shown.publish(ledger, earlier, text, datetime(2026, 3, 9, tzinfo=UTC))
    ask, target = client_of(ledger), "/v1/indices/chain-1"
    then = ask(f"{target}?as_known_at=2026-03-08T00:00:00Z").json["summary"]

    assert then["first_session"] == DAYS[0]
    assert ask(target).json["summary"]["first_session"] == "2015-12-31"


@pytest.mark.parametrize("target", ["/v1/indices/chain-1", "/v1/studies/pair"])
def test_before_the_first_publication_there_is_no_summary(ask, target):
    asked = f"{target}?as_known_at=2026-01-01T00:00:00Z"
    told = ask(asked).json

    assert (told["summary"], told["record"], told["definition"]) == (None, None, None)
    assert ask(f"{asked}&format=csv").body.count(b"\n") == 1  # the columns


def test_a_study_tells_the_state_of_its_pairs(ask):
    told = ask("/v1/studies/pair").json

    assert [(s["follower"], s["state"]) for s in told["states"]] == [
        ("chain-2", "neutral"),
        ("chain-3", "neutral"),
    ]


def test_lists_come_page_by_page(ask):
    found = [row["id"] for told in pages(ask, "/v1/indices?limit=2") for row in told["rows"]]

    assert found == shown.ids(5)


@pytest.mark.parametrize("kept", ["the first page", "an instant"])
def test_pages_of_a_list_belong_together_whatever_is_published_meanwhile(ledger, client_of, kept):
    ask = client_of(ledger)
    asked = "&as_known_at=2026-03-08T00:00:00Z" if kept == "an instant" else ""
    whole = ask("/v1/indices").json["rows"]
    first = ask(f"/v1/indices?limit=2{asked}").json
    shown.correct(ledger, "chain-4", DAYS[-1], 123.0, datetime(2026, 3, 9, tzinfo=UTC))
    later, text = shown.more("later", DAYS[:1], 1)
    shown.publish(ledger, later, text, datetime(2026, 3, 10, tzinfo=UTC))
    others = [row for told in pages(ask, first["next"]) for row in told["rows"]]

    assert first["rows"] + others == whole
    assert [row["id"] for row in ask("/v1/indices").json["rows"]] == [*shown.ids(5), "later"]


@pytest.mark.attack("C1")
def test_names_stay_names_in_json_and_are_no_formula_in_csv(ask):
    rows = ask("/v1/indices").json["rows"]
    cells = list(csv.DictReader(io.StringIO(ask("/v1/indices?format=csv").body.decode())))

    assert [row["name_en"] for row in rows] == [name["en"] for name in shown.NAMES]
    assert cells[1]["name_en"] == "<script>alert(1)</script>"
    assert cells[2]["name_en"] == "'=cmd|' /C calc'!A0"
    assert cells[2]["name_zh"] == "'@SUM(1+1)"


@pytest.mark.attack("C1")
@pytest.mark.parametrize("name", NASTY)
def test_no_name_that_was_published_is_a_formula_in_csv(ledger, client_of, name):
    text = json.dumps({"id": "other", "name": {"en": name}})
    (entry,), _ = shown.more("other", DAYS[:1], 1)
    named = replace(entry, definition=digest_bytes([text.encode()]))
    shown.publish(ledger, [named], text, shown.PUBLISHED)
    body = client_of(ledger)("/v1/indices/other?format=csv").body.decode()
    (row,) = csv.DictReader(io.StringIO(body, newline=""))

    assert row["name_en"][:1] not in FORMULA
    assert row["name_en"].removeprefix("'") == name.removeprefix("'")


def test_the_csv_of_one_is_its_row_of_the_list(ask):
    one = ask("/v1/indices/chain-1?format=csv").body.decode().splitlines()

    assert one == ask("/v1/indices?format=csv").body.decode().splitlines()[:2]


@pytest.mark.attack("B3")
@pytest.mark.parametrize(
    "target",
    [
        "/v1/indices/chain-9",
        "/v1/indices/pair",
        "/v1/studies/chain-1",
        "/v1/indices/chain-9/levels",
        "/v1/indices/pair/constituents",
        "/v1/studies/chain-1/signals",
        "/v1",
        "/v1/",
        "/v1/indices/",
        "/v1/indices/chain-1/levels/",
        "/v1/indices/chain-1/../../../etc/passwd",
        "/docs",
        "/live.html",
        "/api.py",
        "/live.js/../api.py",
        "/..%2fapi.py",
        "/%2e%2e/%2e%2e/pyproject.toml",
        "//etc/passwd",
        "/ledger.db",
    ],
)
def test_what_is_not_there_is_not_found(ask, target):
    answer = ask(target)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


REFUSED = [
    ("from=2026-02-30", "from"),
    ("from=20260101", "from"),
    ("from=1767225600", "from"),
    ("from=2026-01-01T00:00:00", "from"),
    ("from=", "from"),
    ("to=9999-99-99", "to"),
    ("from=%EF%BC%92026-01-01", "from"),
    ("variant=total", "variant"),
    ("variant=Price", "variant"),
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=5001", "limit"),
    ("limit=1000000000", "limit"),
    ("limit=1_0", "limit"),
    ("limit=%201", "limit"),
    ("limit=1.0", "limit"),
    ("limit=%D9%A1", "limit"),
    ("after=x", "after"),
    ("after=2026-01-01.-1", "after"),
    ("as_known_at=2026-03-02", "as_known_at"),
    ("as_known_at=2026-03-02T10:00:00", "as_known_at"),
    ("as_known_at=2026-03-02T10:00:00+08:00", "as_known_at"),
    ("as_known_at=2026-13-02T10:00:00Z", "as_known_at"),
    ("as_known_at=now", "as_known_at"),
    ("format=xml", "format"),
    ("date=2026-01-01", "date"),
    ("From=2026-01-01", "From"),
    ("from_=2026-01-01", "from_"),
]


@pytest.mark.attack("E3")
@pytest.mark.parametrize(("query", "parameter"), REFUSED)
def test_a_parameter_without_meaning_is_refused_by_name(ask, query, parameter):
    answer = ask(f"{LEVELS}?{query}")

    assert answer.status == 422
    assert [fault["parameter"] for fault in answer.json["faults"]] == [parameter]


def test_an_unknown_parameter_is_told_with_those_that_are_known(ask):
    answer = ask(f"{LEVELS}?vairant=price")
    known = "format, as_known_at, limit, after, from, to, variant"

    assert answer.json["detail"] == f"vairant: is unknown: known are {known}"


def test_a_plus_sign_that_became_a_space_is_explained(ask):
    answer = ask(f"{LEVELS}?as_known_at=2026-03-02T10:00:00+08:00")

    assert "%2B" in answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=20260101", "from: '20260101' has another form: write it like 2026-05-07"),
        ("to=", "to: '' has another form: write it like 2026-05-07"),
        ("to=2026-02-30", "to: '2026-02-30' is no date of the calendar: write it like 2026-05-07"),
        (
            "as_known_at=now",
            "as_known_at: 'now' has another form: write it like 2026-05-07T10:00:00Z",
        ),
        ("after=x", "after: 'x' has another form: write it like 2026-05-07.2"),
        ("variant=total", "variant: 'total' should be 'price', 'gross' or 'net'"),
        ("limit=0", "limit: '0' should be greater than or equal to 1"),
        ("limit=many", "limit: 'many' is no whole number: write it like 1000"),
    ],
)
def test_a_parameter_is_refused_with_what_was_given_and_what_to_write(ask, query, told):
    assert ask(f"{LEVELS}?{query}").json["detail"] == told


def test_every_pattern_that_is_described_has_an_example(ask):
    paths = ask("/openapi.json").json["paths"].values()
    schemas = [one["schema"] for path in paths for one in path["get"].get("parameters", ())]
    several = [part for schema in schemas for part in (schema, *schema.get("anyOf", ()))]
    patterns = {part["pattern"] for part in several if "pattern" in part}

    assert patterns == EXAMPLES.keys()
    assert all(re.fullmatch(pattern, EXAMPLES[pattern]) for pattern in patterns)


def test_a_range_that_ends_before_it_begins_is_refused_by_its_end(ask):
    answer = ask(f"{LEVELS}?from=2026-02-01&to=2026-01-01")
    why = "'2026-01-01' is before from, 2026-02-01: give that date or a later one"

    assert answer.status == 422
    assert answer.json["faults"] == [{"parameter": "to", "message": why}]


@pytest.mark.attack("B3")
@pytest.mark.parametrize(
    "id", ["A", "a_b", "..%5cx", "a%00b", "a%2Fb", "%2E%2E", "x" * 65, "ä", "a b", "%"]
)
def test_what_is_no_id_is_refused_or_not_there(ask, id):
    path = id.encode().decode("latin-1") if not id.isascii() else id
    assert ask(f"/v1/indices/{path}/levels").status in (404, 422)


@pytest.mark.attack("E3")
@pytest.mark.parametrize(
    ("instant", "rows"),
    [("0001-01-01T00:00:00%2B14:00", 0), ("9999-12-31T23:59:59-14:00", 80)],
)
def test_instants_beyond_the_calendar_are_before_or_after_everything(ask, instant, rows):
    assert len(ask(f"{LEVELS}?as_known_at={instant}").json["rows"]) == rows


@pytest.mark.attack("E1")
@pytest.mark.parametrize("switch", ["ON", "OFF"])
def test_the_ledger_cannot_be_written(published, switch):
    """Its file is opened for reading, whatever the connection has been told since."""
    engine = readers_of(published).ledger
    with engine.connect() as writer:
        writer.exec_driver_sql(f"PRAGMA query_only={switch}")
        with pytest.raises(sa.exc.OperationalError, match="readonly database"):
            writer.exec_driver_sql("CREATE TABLE mine (x)")
    engine.dispose()


@pytest.mark.attack("E1")
def test_a_connection_that_answers_only_asks(published):
    engine = readers_of(published).ledger
    with engine.connect() as reader:
        assert reader.exec_driver_sql("PRAGMA query_only").scalar() == 1
    engine.dispose()
