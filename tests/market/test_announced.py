"""Announced trading days against calendars: the difference, and an overlay brought up to them."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import MarketDataError, OutputError
from indexer.market import overlays
from indexer.market.calendar import read_calendar
from indexer.market.calendars import listing
from indexer.market.overlays import difference, overlay_entries, refreshed_overlay, write_overlay

END = date(2026, 12, 31)  # of what the library lists of Shanghai
PACKAGE = listing.FOLDER


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that stands in for the bundled one, with Shanghai's files in it."""
    for suffix in (".txt", ".yaml"):
        shutil.copy(PACKAGE / f"XSHG{suffix}", tmp_path)
    monkeypatch.setattr(listing, "FOLDER", tmp_path)
    read_calendar.cache_clear()
    yield tmp_path
    read_calendar.cache_clear()


def days_of(*days: date) -> np.ndarray:
    return np.array(sorted(days), dtype="datetime64[D]")


def known() -> set[date]:
    """Return the sessions of Shanghai that the library lists."""
    return {day for day in read_calendar("XSHG").sessions.tolist() if day <= END}


def weekdays_of_2027(until: date = date(2027, 12, 31)) -> set[date]:
    days = (date(2027, 1, 1) + timedelta(n) for n in range(365))
    return {day for day in days if day.weekday() < 5 and day <= until}


def test_the_difference_is_what_to_open_and_what_to_close() -> None:
    calendar = read_calendar("XSHG")
    days = set(calendar.between(date(2024, 1, 2), date(2024, 3, 29)).tolist())
    announced = days - {date(2024, 1, 5)} | {date(2024, 2, 4)}
    found = difference(calendar, days_of(*announced))

    assert (found.first, found.last) == (date(2024, 1, 2), date(2024, 3, 29))
    assert (found.opens, found.closes) == ((date(2024, 2, 4),), (date(2024, 1, 5),))


def test_days_beyond_the_horizon_are_to_open_and_those_before_the_beginning_are_left() -> None:
    calendar = read_calendar("XSHG")
    far = calendar.horizon + timedelta(5)
    found = difference(calendar, days_of(date(1980, 1, 1), *known(), far))
    assert found.first == calendar.sessions[0].item()
    assert found.opens == (far,)
    assert difference(calendar, days_of(date(1980, 1, 1))).opens == ()


def test_where_nothing_differs_there_is_nothing_to_write(folder: Path) -> None:
    before = (folder / "XSHG.yaml").read_text("utf-8")
    assert overlay_entries("XSHG", days_of(*known()), "notice") == ""
    assert refreshed_overlay("XSHG", days_of(*known()), "notice") == before


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8
)
@given(
    st.sets(st.sampled_from(sorted(weekdays_of_2027())), max_size=30),
    st.sampled_from([date(2027, 12, 31), date(2027, 6, 30), date(2027, 5, 4), date(2027, 1, 4)]),
    st.sets(st.dates(date(2025, 1, 1), END), max_size=4),
)
def test_after_writing_the_calendar_is_what_was_announced(
    folder: Path, closed: set[date], until: date, wrong: set[date]
) -> None:
    """In the span of the announced days all is official, after it estimates stay."""
    shutil.copy(PACKAGE / "XSHG.yaml", folder)
    read_calendar.cache_clear()
    before = read_calendar("XSHG")
    announced = (known() ^ wrong) | (weekdays_of_2027(until) - closed)
    write_overlay("XSHG", days_of(*announced), "notice: of 2026, #7")

    after = read_calendar("XSHG")
    last = max(announced)
    assert {day for day in after.sessions.tolist() if day <= last} == announced
    assert after.verified_until >= min(last, END)
    assert after.horizon == before.horizon
    later = [day for day in before.sessions.tolist() if day > max(last, until)]
    assert set(later) <= set(after.sessions.tolist())
    assert overlay_entries("XSHG", days_of(*announced), "again") == ""


def test_a_whole_year_leaves_no_estimate(folder: Path) -> None:
    write_overlay("XSHG", days_of(*known(), *weekdays_of_2027()), "State Council notice")
    text = (folder / "XSHG.yaml").read_text("utf-8")
    assert "status: estimated" not in text
    assert "in operation since 1990-12-19" in text
    assert read_calendar("XSHG").verified_until == date(2027, 12, 31)


def test_closed_days_between_which_there_are_but_weekends_are_one_entry(folder: Path) -> None:
    closed = {date(2027, 2, day) for day in (4, 5, 8, 9, 11)}
    entries = overlay_entries("XSHG", days_of(*known(), *weekdays_of_2027() - closed), "notice")

    assert "- from: 2027-02-04\n  until: 2027-02-09\n  closed: not announced\n" in entries
    assert "- date: 2027-02-11\n  closed: not announced\n" in entries


def test_beyond_what_is_listed_a_weekend_is_opened_and_the_last_day_but_one_closed(
    folder: Path,
) -> None:
    weekend = {date(2027, 5, 8), date(2027, 5, 9)}
    announced = weekdays_of_2027(date(2027, 6, 30)) - {date(2027, 6, 29)} | weekend
    entries = overlay_entries("XSHG", days_of(*known(), *announced), "notice")

    for day in (8, 9):
        assert f"- date: 2027-05-{day:02}\n  close: '15:00'\n" in entries
    assert "- date: 2027-06-29\n  closed: not announced\n" in entries


def test_an_announced_year_is_gone_on_from_by_the_next(folder: Path) -> None:
    """Closures that are official already are no second time there, nor is the old year lost."""
    holidays = {date(2027, 1, 1), date(2027, 10, 1), date(2028, 1, 3)}
    half = known() | weekdays_of_2027(date(2027, 6, 30)) - holidays
    whole = known() | weekdays_of_2027() - holidays
    more = {date(2028, 1, day) for day in (4, 5, 6, 7)}
    for announced in (half, whole, whole | more):
        write_overlay("XSHG", days_of(*announced), "notice")
        calendar = read_calendar("XSHG")
        assert calendar.verified_until == max(announced)
        assert set(calendar.between(date(2026, 12, 1), max(announced)).tolist()) == {
            day for day in announced if day >= date(2026, 12, 1)
        }


def test_what_was_announced_may_be_corrected_later(folder: Path) -> None:
    write_overlay("XSHG", days_of(*known(), *weekdays_of_2027()), "notice")
    later = known() | weekdays_of_2027() | {date(2027, 5, 8)}
    assert "- date: 2027-05-08\n  close: '15:00'" in overlay_entries(
        "XSHG", days_of(*later), "more"
    )
    write_overlay("XSHG", days_of(*later, date(2027, 12, 31)), "more")
    assert read_calendar("XSHG").is_session(date(2027, 5, 8))


def test_an_official_entry_that_says_otherwise_is_for_people_to_settle(folder: Path) -> None:
    overlay = folder / "XSHG.yaml"
    entry = "- {date: 2024-03-01, closed: flood, status: official, source: notice}\n"
    overlay.write_text(entry + overlay.read_text("utf-8"), "utf-8")
    read_calendar.cache_clear()
    before = overlay.read_text("utf-8")
    said = r"XSHG\.yaml: says otherwise than somebody: an earlier entry has 2024-03-01 too: settle"
    with pytest.raises(MarketDataError, match=said):
        write_overlay("XSHG", days_of(*known(), date(2024, 3, 1)), "somebody")

    assert overlay.read_text("utf-8") == before
    assert {p.name for p in folder.iterdir()} == {"XSHG.txt", "XSHG.yaml"}


def test_a_package_that_cannot_be_written_to_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlays, "path_of", lambda *_: Path("/proc/XSHG.yaml"))
    with pytest.raises(OutputError, match="cannot be written"):
        write_overlay("XSHG", days_of(*known()), "notice")
