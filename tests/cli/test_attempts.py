"""From when and until when a publication is tried, by the clock of the first calendar."""

from datetime import UTC, datetime

import pytest

from indexer.cli.attempts import instants_of
from tests.run.desk import basket

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)  # 20:00 in Shanghai


def told(names, *times):
    """Return the instants of two times of day, as text."""
    given = [time and datetime.strptime(time, "%H:%M") for time in times]  # noqa: DTZ007 (no zone)
    return tuple(moment and moment.isoformat() for moment in instants_of(names, *given, NOW))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("16:30", "20:00"), ("2026-03-06T16:30:00+08:00", "2026-03-06T20:00:00+08:00")),
        (("23:30", "00:30"), ("2026-03-06T23:30:00+08:00", "2026-03-07T00:30:00+08:00")),
        ((None, "00:30"), (None, "2026-03-06T00:30:00+08:00")),
        (("23:30", None), ("2026-03-06T23:30:00+08:00", None)),
    ],
)
def test_a_deadline_is_today_unless_that_is_before_the_beginning(tmp_path, times, expected):
    assert told([basket(tmp_path)], *times) == expected


def test_the_first_definition_that_can_be_read_gives_the_zone(tmp_path):
    names = ["nowhere", basket(tmp_path, id="bad", currency="Yuan"), basket(tmp_path)]

    assert told(names, None, "20:00")[1] == "2026-03-06T20:00:00+08:00"


def test_without_any_that_can_be_read_times_are_utc():
    assert told(["nowhere"], None, "20:00")[1] == "2026-03-06T20:00:00+00:00"
