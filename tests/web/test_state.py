"""Published, delayed, refused, retired: by the ledger, the calendar and what runs left."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchmarks.reliability import shown
from indexer.ledger.database import reading
from indexer.report.metrics import metrics_text
from indexer.web.state import STATUS_COLUMNS, refused_at, standings, status_rows
from tests.web.conftest import SESSIONS

LAST = shown.days(SESSIONS)[-1]
TOMORROW = "2099-01-01"
BEFORE, AFTER = "2026-03-02T08:00:00.000000Z", "2026-03-03T00:00:00.000000Z"


def told(engine, due=None, *refusals):
    with reading(engine) as connection:
        rows = status_rows(standings(connection), {"chain-1": due} if due else {}, refusals)
    return {row[0]: dict(zip(STATUS_COLUMNS, row, strict=True)) for row in rows}


def test_everything_published_is_told(published):
    assert list(told(published)) == [*shown.ids(5), "pair"]
    assert told(published)["pair"]["kind"] == "study"


@pytest.mark.parametrize(("due", "state"), [(LAST, "published"), (TOMORROW, "delayed")])
def test_what_is_due_and_not_there_is_delayed(published, due, state):
    assert told(published, due)["chain-1"]["state"] == state


@pytest.mark.parametrize("due", [LAST, TOMORROW])
def test_a_refusal_after_the_last_publication_is_told_late_or_not(published, due):
    found = told(published, due, {"chain-1": AFTER})["chain-1"]

    assert (found["state"], found["refused_at"], found["session"]) == ("refused", AFTER, LAST)


@pytest.mark.parametrize("refusals", [{"chain-1": BEFORE}, {"chain-2": AFTER}])
def test_a_refusal_that_is_past_or_of_another_is_not_told(published, refusals):
    found = told(published, TOMORROW, refusals)["chain-1"]

    assert (found["state"], found["refused_at"]) == ("delayed", None)


def test_what_was_refused_from_the_beginning_is_told(published):
    found = told(published, None, {"new": AFTER})["new"]

    assert (found["kind"], found["state"], found["session"]) == (None, "refused", None)


def test_what_is_retired_is_never_late(ledger):
    entry, text = shown.more("chain-1", [LAST], 1)
    final = replace(entry[0], status="retired")
    shown.publish(ledger, [final], text, shown.PUBLISHED)

    assert told(ledger, TOMORROW)["chain-1"]["state"] == "retired"


def test_the_instant_is_that_of_the_last_session_also_after_an_earlier_one_is_corrected(ledger):
    before = told(ledger)["chain-1"]
    shown.correct(ledger, "chain-1", shown.days(3)[1], 990.0, datetime(2026, 3, 4, tzinfo=UTC))

    assert told(ledger)["chain-1"] == before


def test_a_refusal_before_a_correction_is_past(ledger):
    shown.correct(ledger, "chain-1", shown.days(3)[1], 990.0, datetime(2026, 3, 4, tzinfo=UTC))

    assert told(ledger, TOMORROW, {"chain-1": AFTER})["chain-1"]["state"] == "delayed"


def test_refusals_are_read_from_the_figures_that_runs_left():
    text = metrics_text([], 1772442001.0, 65, {'a"b\\n\n': 1772442000.5}, {})

    assert refused_at(text) == {'a"b\\n\n': "2026-03-02T09:00:00.500000Z"}


@pytest.mark.parametrize("text", ["", "indexer_run_timestamp_seconds", "up 1"])
def test_what_is_no_file_of_figures_is_refused(text):
    with pytest.raises(ValueError, match="indexer_run_timestamp_seconds"):
        refused_at(text)


@pytest.mark.parametrize("when", ["+Inf", "1e300", "NaN"])
def test_an_instant_that_is_none_is_refused(when):
    text = metrics_text([], 1772442001.0, 65, {"a": 1772442000.5}, {})
    text = text.replace("1772442000.5", when)

    with pytest.raises(ValueError, match=r"timestamp out of range|Invalid value NaN"):
        refused_at(text)


def test_the_api_says_so(published, client_of):
    (first, *_) = client_of(published)("/v1/status").json["rows"]

    assert (first["id"], first["state"], first["due"]) == ("chain-1", "published", None)
