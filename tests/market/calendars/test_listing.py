"""What exchange_calendars lists: the snapshots against the library, and names it does not know."""

import runpy
import subprocess
import sys
import warnings
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest

from indexer.market.calendar import read_calendar
from indexer.market.calendars import listing
from indexer.market.calendars.listing import (
    SNAPSHOTS,
    ask_library,
    parse_snapshot,
    path_of,
    read_listing,
    snapshot_text,
)

REGENERATE = "run: python -m indexer.market.calendars.listing"


def library_calendar(code: str, **period: str):
    """Return a calendar of exchange_calendars itself."""
    import exchange_calendars  # noqa: PLC0415  only where the library itself is asked

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar(code, **period)


@pytest.mark.parametrize("code", SNAPSHOTS)
def test_snapshots_are_current(code: str) -> None:
    text = path_of(code, ".txt").read_text(encoding="ascii")
    assert text == snapshot_text(ask_library(code)), REGENERATE


@pytest.mark.parametrize("code", SNAPSHOTS)
def test_calendars_equal_the_library_on_every_session_and_close(code: str) -> None:
    calendar = read_calendar(code)
    first, last = calendar.sessions[0], min(calendar.verified_until, date(2030, 12, 31))
    theirs = library_calendar(code, start=str(first), end=str(last))
    sessions = theirs.sessions.to_numpy().astype("M8[D]")
    closes = theirs.closes.dt.tz_convert(None).to_numpy().astype("M8[m]")
    kept = np.isin(sessions, calendar.sessions)
    ours = calendar.sessions <= np.datetime64(last)
    corrected = {"XHKG": {"2023-09-01", "2023-09-08"}}.get(code, set())
    assert set(sessions[~kept].astype(str)) <= corrected
    np.testing.assert_array_equal(calendar.sessions[ours], sessions[kept], REGENERATE)
    np.testing.assert_array_equal(calendar.closes[ours], closes[kept], REGENERATE)


def test_bundled_calendars_are_read_without_importing_the_library() -> None:
    program = (
        "import sys\n"
        "from indexer.market.calendar import read_calendar\n"
        "for code in ('XSHG', 'XHKG', 'XNYS', '24/5'): read_calendar(code)\n"
        "print(sorted({'exchange_calendars', 'pandas', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]", REGENERATE


def test_a_snapshot_counts_only_for_the_version_it_was_written_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = path_of("XNYS", ".txt").read_text(encoding="ascii") + "2024-07-05 closed\n"
    monkeypatch.setattr(listing, "FOLDER", tmp_path)
    path_of("XNYS", ".txt").write_text(marked, encoding="ascii")
    assert date(2024, 7, 5) in read_listing("XNYS").exceptions
    stale = marked.replace("version ", "version 0.")
    path_of("XNYS", ".txt").write_text(stale, encoding="ascii")
    assert date(2024, 7, 5) not in read_listing("XNYS").exceptions


def test_aliases_lead_to_the_calendar_they_stand_for() -> None:
    assert ask_library("XNAS") == ask_library("XNYS")
    assert read_calendar("XNAS").code == "XNYS"


@pytest.mark.parametrize("code", ["XLON", "24/7"])  # early closes; sessions at week-ends
def test_a_listing_survives_its_snapshot(code: str) -> None:
    asked = ask_library(code)
    assert parse_snapshot(snapshot_text(asked)) == asked


def test_the_ordinary_close_is_the_present_one() -> None:
    tokyo = ask_library("XTKS")  # 15:00 until 2024-11-04
    assert tokyo.close == time(15, 30)
    assert tokyo.exceptions[date(2024, 11, 1)] == time(15)


def test_london_closes_at_noon_and_a_half_on_christmas_eve() -> None:
    assert ask_library("XLON").exceptions[date(2024, 12, 24)] == time(12, 30)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("XSHE", "its sessions are those of 'XSHG'"),
        ("bjse", "its sessions are those of 'XSHG'"),
        ("SZSE", "did you mean 'XSHG'?"),
        ("SEHK", "did you mean 'XHKG'?"),
        ("nasdaq", "did you mean 'XNYS'?"),
        ("XHK", "did you mean 'XHKG'?"),
        ("xnys", "did you mean 'XNYS'?"),
        ("Q/9:0", "expected an ISO 10383 code, such as 'XSHG'"),
        ("../XSHG", "did you mean 'XSHG'?"),
    ],
)
def test_unknown_codes_are_refused_with_a_hint(code: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is no calendar of exchange_calendars") as caught:
        ask_library(code)
    assert str(caught.value).endswith(hint)


def test_a_calendar_the_library_fails_to_compute_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(type(library_calendar("XLON")), "bound_min", fail)
    with pytest.raises(ValueError, match=r"'XLON' is known to .*, which fails to compute it"):
        ask_library("XLON")


def test_the_module_writes_the_snapshots_beside_itself(tmp_path: Path) -> None:
    copy = tmp_path / "listing.py"
    copy.write_text(Path(listing.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    runpy.run_path(str(copy), run_name="__main__")
    written = {path.name: path.read_text(encoding="ascii") for path in tmp_path.glob("*.txt")}

    assert written == {
        path_of(code, ".txt").name: snapshot_text(ask_library(code)) for code in SNAPSHOTS
    }
