"""Overlay files: what official and estimated entries do, and what is refused."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import MarketDataError
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.calendars import listing
from tests.market.test_calendar import close

NEW_YORK = read_calendar("XNYS")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands in for the bundled one, with New York's snapshot in it."""
    shutil.copy(listing.path_of("XNYS", ".txt"), tmp_path)
    monkeypatch.setattr(listing, "FOLDER", tmp_path)
    return tmp_path


def new_york_with(folder: Path, overlay: str) -> Calendar:
    """Return the calendar of New York, to 2030 by the library, with an overlay."""
    (folder / "XNYS.yaml").write_text(overlay, encoding="utf-8")
    return read_calendar.__wrapped__("XNYS")


def test_official_entries_correct_the_library(folder: Path) -> None:
    calendar = new_york_with(
        folder,
        """
        - {from: 2024-07-05, until: 2024-07-08, closed: flood, status: official, source: notice}
        - {date: 2024-07-09, close: "11:30", status: official, source: notice}
        - {date: 2024-07-13, close: "16:00", status: official, source: notice}
        """,
    )
    days = calendar.between(date(2024, 7, 3), date(2024, 7, 15)).astype(str).tolist()
    assert days == [f"2024-07-{day:02}" for day in (3, 9, 10, 11, 12, 13, 15)]
    assert close(calendar, "2024-07-09") == "2024-07-09T15:30"
    assert close(calendar, "2024-07-13") == "2024-07-13T20:00"
    assert calendar.verified_until == NEW_YORK.verified_until


def test_estimated_entries_yield_to_the_library(folder: Path) -> None:
    calendar = new_york_with(
        folder,
        """
        - {from: 2028-01-01, until: 2030-06-30, open: weekdays, status: estimated, source: guess}
        - {date: 2028-01-03, closed: guess, status: estimated, source: guess}
        """,
    )
    np.testing.assert_array_equal(calendar.sessions, NEW_YORK.sessions)
    assert calendar.verified_until == calendar.horizon == date(2030, 12, 31)


def test_an_estimated_extension_is_not_vouched_for(folder: Path) -> None:
    calendar = new_york_with(
        folder,
        "- {from: 2031-01-01, until: 2031-01-31, open: weekdays, status: estimated, source: guess}",
    )
    assert calendar.verified_until == date(2030, 12, 31)
    assert calendar.horizon == date(2031, 1, 31)


def test_dates_after_the_last_session_close_at_the_ordinary_time(folder: Path) -> None:
    calendar = new_york_with(
        folder, "- {date: 2030-12-31, closed: flood, status: official, source: notice}"
    )
    assert calendar.sessions[-1] == np.datetime64("2030-12-30")
    assert close(calendar, "2030-12-31") == "2030-12-31T21:00"


def test_an_official_extension_is_vouched_for(folder: Path) -> None:
    calendar = new_york_with(
        folder,
        """
        - {from: 2031-01-01, until: 2031-01-31, open: weekdays, status: official, source: notice}
        - {date: 2031-01-01, closed: New Year, status: official, source: notice}
        """,
    )
    assert calendar.verified_until == calendar.horizon == date(2031, 1, 31)
    assert calendar.after(date(2030, 12, 31)) == date(2031, 1, 2)
    assert close(calendar, "2031-01-02") == "2031-01-02T21:00"


def test_nothing_after_the_first_estimate_is_verified(folder: Path) -> None:
    calendar = new_york_with(
        folder,
        """
        - {from: 2031-01-01, until: 2031-12-31, open: weekdays, status: official, source: notice}
        - {from: 2032-01-01, until: 2032-12-31, open: weekdays, status: estimated, source: guess}
        - {date: 2031-07-04, closed: Independence Day, status: estimated, source: guess}
        - {date: 2033-01-03, closed: beyond the calendar, status: estimated, source: guess}
        """,
    )
    assert calendar.verified_until == date(2031, 7, 3)
    assert calendar.horizon == date(2032, 12, 31)


def test_an_extension_that_leaves_a_gap_is_not_used(folder: Path) -> None:
    calendar = new_york_with(
        folder,
        """
        - {from: 2031-01-02, until: 2031-12-31, open: weekdays, status: estimated, source: guess}
        - {date: 2031-07-04, closed: Independence Day, status: estimated, source: guess}
        """,
    )
    assert calendar.verified_until == calendar.horizon == date(2030, 12, 31)


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("- {date: 2024-07-05", "XNYS.yaml: is not YAML: "),
        ("date: 2024-07-05", "XNYS.yaml: is no list of entries"),
        ("", "XNYS.yaml: is no list of entries"),
        ("- closed", "XNYS.yaml row 1: expected keys and values, as in 'date: 2024-01-02'"),
        ("- {date: [2024-07-05]}", "XNYS.yaml row 1: 'date' has no text as its value"),
        ("- {date: }", "XNYS.yaml row 1: 'date' has no text as its value"),
        (
            "- {date: 2024-07-05, date: 2024-07-08}",
            "XNYS.yaml row 1: 'date' is given twice",
        ),
        (
            "- {date: 2024-07-05, closed: flood, status: official}",
            "XNYS.yaml row 1: has date, closed, status: expected date or from and until; "
            "closed, close or open; status; source",
        ),
        (
            "- {date: 2024-02-30, closed: flood, status: official, source: notice}",
            "XNYS.yaml row 1: day is out of range for month",
        ),
        (
            "- {from: 2024-07-08, until: 2024-07-05, closed: flood, status: official, source: a}",
            "XNYS.yaml row 1: from 2024-07-08 is later than until 2024-07-05",
        ),
        (
            "- {date: 2024-07-05, closed: flood, status: rumour, source: notice}",
            "XNYS.yaml row 1: status is 'rumour': expected official or estimated",
        ),
        (
            "- {date: 2024-07-05, open: always, status: official, source: notice}",
            "XNYS.yaml row 1: open is 'always': expected weekdays",
        ),
        (
            "- {date: 2024-07-05, close: noon, status: official, source: notice}",
            "XNYS.yaml row 1: Invalid isoformat string: 'noon'",
        ),
        (
            "- {from: 2024-07-05, until: 2024-07-09, closed: a, status: official, source: a}\n"
            '- {date: 2024-07-08, close: "13:00", status: official, source: a}',
            "XNYS.yaml row 2: an earlier entry has 2024-07-08 too",
        ),
    ],
)
def test_malformed_overlays_are_refused(folder: Path, overlay: str, message: str) -> None:
    with pytest.raises(MarketDataError) as caught:
        new_york_with(folder, overlay)
    assert str(caught.value).startswith(message)


def test_every_flaw_of_an_overlay_is_reported_at_once(folder: Path) -> None:
    with pytest.raises(MarketDataError) as caught:
        new_york_with(folder, "- closed\n- {date: 2024-07-05}\n")
    assert [flaw.row for flaw in caught.value.flaws] == [1, 2]
