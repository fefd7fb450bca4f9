"""What has become of each index after several attempts at it."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from indexer.errors import LedgerError, MissingInputError, Refusal, TryAgainError
from indexer.report.metrics import LAST_SESSION, parse_metrics
from indexer.run.attempt import Attempt, so_far, write_metrics
from indexer.run.desk import Outcome
from tests.ledger.chain import entry
from tests.run.desk import DAYS

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
DAY = (DAYS[0],)
PUBLISHED = Outcome("a", "published", DAY, (entry("2026-03-02"),))
LATE = TryAgainError("b", "there are no data yet")


def after(*told, before=(PUBLISHED,), error=None):
    return so_far(before, Attempt(NOW, "run", told, error))


def test_what_is_unchanged_after_it_was_published_stays_published():
    assert after(Outcome("a", "unchanged", DAY)) == [PUBLISHED]


def test_what_was_only_recorded_was_not_published():
    beside = replace(entry("2026-03-02"), kind="immaterial", status="recorded")
    noted = Outcome("a", "unchanged", DAY, (beside,))

    assert after(Outcome("a", "unchanged", DAY), before=[noted]) == [noted]


def test_what_is_published_in_two_attempts_has_the_entries_of_both():
    [told] = after(Outcome("a", "published", (DAYS[1],), (entry("2026-03-03"),)))

    assert [one.session for one in told.entries] == ["2026-03-02", "2026-03-03"]
    assert told.sessions == (DAYS[0], DAYS[1])


def test_what_is_refused_after_it_was_published_is_both():
    error = LedgerError([Refusal("a", "2026-03-02", "R9", "would be another")])
    [told] = after(Outcome("a", "refused", DAY, error=error))

    assert (told.state, told.error, told.entries) == ("refused", error, PUBLISHED.entries)


def test_what_would_be_published_is_counted_once():
    would = Outcome("a", "would publish", DAY, PUBLISHED.entries)

    assert after(would, before=[would]) == [would]


def test_what_was_late_is_as_it_is_now():
    late = Outcome("a", "delayed", DAY, error=LATE)

    assert after(PUBLISHED, before=[late]) == [PUBLISHED]


def test_an_attempt_that_failed_as_a_whole_changes_nothing():
    late = Outcome("b", "delayed", DAY, error=LATE)

    assert after(before=[PUBLISHED, late], error=MissingInputError([])) == [PUBLISHED, late]


def test_a_file_that_is_found_later_is_no_failure_of_its_name():
    failed = Outcome("a.yaml", "failed", error=MissingInputError([]))

    assert after(PUBLISHED, before=[failed]) == [PUBLISHED]


def refused_after(file, *outcomes, hours=0):
    """Return which subjects a file of figures says were refused, and when."""
    write_metrics(file, NOW + timedelta(hours=hours), outcomes, 0)
    return parse_metrics(file.read_text(encoding="utf-8"))


def test_a_refusal_stays_in_the_figures_when_others_are_published(tmp_path):
    before = refused_after(tmp_path / "prom", Outcome("b", "refused", DAY))

    assert before == {"b": NOW.timestamp()}
    assert refused_after(tmp_path / "prom", PUBLISHED, hours=1) == before


def test_a_refusal_goes_from_the_figures_with_the_next_word_on_its_subject(tmp_path):
    refused_after(tmp_path / "prom", Outcome("a", "refused", DAY))

    assert refused_after(tmp_path / "prom", PUBLISHED, hours=1) == {}


def test_the_last_session_of_an_index_stays_when_others_are_published(tmp_path):
    """An alarm on its age would end otherwise, as the series would."""
    file = tmp_path / "prom"
    for outcome in (replace(PUBLISHED, last=DAY[0]), Outcome("b", "delayed", DAY, error=LATE)):
        write_metrics(file, NOW, [outcome], 0)
    found = parse_metrics(file.read_text(encoding="utf-8"), LAST_SESSION)

    assert list(found) == ["a"]


def test_a_file_that_is_none_of_figures_is_written_over(tmp_path):
    (tmp_path / "prom").write_bytes(b"\xff")

    assert refused_after(tmp_path / "prom", PUBLISHED) == {}


@pytest.mark.attack("B2")
def test_a_pipe_is_not_read_and_written_over(tmp_path):
    os.mkfifo(tmp_path / "prom")

    assert refused_after(tmp_path / "prom", PUBLISHED) == {}
