"""The calendar command: what is shown, what differs, and what is written on request only."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from indexer.cli.app import main
from indexer.market.calendar import read_calendar
from indexer.market.calendars import listing
from indexer.market.store import write_rows
from indexer.run import announced as upstream

Run = Callable[..., tuple[int, str, str]]
PACKAGE = listing.FOLDER


@pytest.fixture
def indexer(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a way to run the command line: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["indexer", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        return (int(stopped.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that stands in for that of the bundled calendars."""
    place = tmp_path / "calendars"
    place.mkdir()
    for suffix in (".txt", ".yaml"):
        shutil.copy(PACKAGE / f"XSHG{suffix}", place)
    monkeypatch.setattr(listing, "FOLDER", place)
    read_calendar.cache_clear()
    yield place
    read_calendar.cache_clear()


def announced(place: Path) -> Path:
    """Write the sessions of 2026, one closed and one more, and the first days of 2027."""
    days = [str(day) for day in read_calendar("XSHG").sessions if str(day).startswith("2026")]
    days.remove("2026-03-02")
    file = place / "days.csv"
    file.write_text("\n".join(["trade_date", *days, "2026-05-09", "2027-01-04", "2027-01-05", ""]))
    return file


def test_the_calendars_are_shown_with_what_is_estimated(indexer: Run) -> None:
    code, out, _ = indexer("calendar")
    lines = out.splitlines()

    assert code == 0
    assert [line.split()[0] for line in lines] == ["XSHG", "XHKG", "XNYS"]
    assert "verified until 2026-12-31, 243 estimated  overlay " in lines[0]
    assert "0 estimated" in lines[2]
    assert "overlay" not in lines[2]


def test_json_is_one_object(indexer: Run) -> None:
    _, out, _ = indexer("calendar", "XHKG", "--json")
    [told] = json.loads(out)["calendars"]
    assert (told["code"], told["horizon"], len(told["overlay"])) == ("XHKG", "2030-12-31", 64)


def test_the_difference_and_its_entries_are_shown_and_nothing_is_written(
    indexer: Run, folder: Path, tmp_path: Path
) -> None:
    before = (folder / "XSHG.yaml").read_bytes()
    code, out, _ = indexer("calendar", "XSHG", "--against", str(announced(tmp_path)))

    assert code == 0
    assert "from 2026-01-05 to 2027-01-05" in out
    assert "to open  1: 2026-05-09" in out
    assert "to close 1: 2026-03-02" in out
    assert "- date: 2026-03-02\n  closed: not announced\n  status: official" in out
    assert "- from: 2027-01-01\n  until: 2027-01-05\n  open: weekdays\n  status: official" in out
    assert (folder / "XSHG.yaml").read_bytes() == before


def test_on_request_the_overlay_is_brought_up_to_the_announced_days(
    indexer: Run, folder: Path, tmp_path: Path
) -> None:
    file = str(announced(tmp_path))
    digest = json.loads(indexer("calendar", "XSHG", "--json")[1])["calendars"][0]["overlay"]
    code, out, _ = indexer(
        "calendar", "XSHG", "--against", file, "--source", "SSE: 2027", "--write", "--json"
    )
    [told] = json.loads(out)["calendars"]

    assert code == 0
    assert told["written"] == str(folder / "XSHG.yaml")
    assert told["overlay"] != digest
    assert told["verified_until"] == "2027-01-05"
    assert told["horizon"] == "2027-12-31"
    assert "source: 'SSE: 2027'" in (folder / "XSHG.yaml").read_text("utf-8")
    _, again, _ = indexer("calendar", "XSHG", "--against", file)
    assert "to open  0: none" in again
    assert "entries" not in again


def test_a_market_tells_the_days_it_has_prices_of(indexer: Run, tmp_path: Path) -> None:
    days = ["2026-03-02", "2026-03-03", "2026-03-05", "2026-03-07"]
    prices = {"symbol": ["300308.SZ"] * 4, "date": days, "close": [1.0] * 4}
    more = {"symbol": ["NVDA.US"], "date": ["2026-03-04"], "close": [1.0]}
    write_rows(tmp_path / "m", {"prices": pl.concat([pl.DataFrame(prices), pl.DataFrame(more)])})
    for market in (tmp_path / "m", f"{tmp_path / 'm'}@0"):
        code, out, _ = indexer("calendar", "XSHG", "--against", str(market), "--json")
        [told] = json.loads(out)["calendars"]
        assert code == 0
        assert told["to_open"] == ["2026-03-07"]
        assert told["to_close"] == ["2026-03-04", "2026-03-06"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("XSHG", "--write"), 2, "--write needs --against"),
        (("XSHG", "--source", "the exchange"), 2, "--source needs --against"),
        (("--against", "x"), 2, "name its CODE"),
        (("XSHG", "XHKG", "--against", "x"), 2, "name its CODE"),
        (("XXXX",), 66, "'XXXX' is no calendar"),
        (("XSHG", "--against", "no/such"), 66, "no/such: no such file or market folder"),
    ],
)
def test_what_cannot_be_done_is_said(
    indexer: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = indexer("calendar", *arguments)
    assert (found, out) == (code, "")
    assert said in err


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("date\n2026-01-05\n2026-13-01\nx\n", 65, "line 3: '2026-13-01': expected a date like"),
        ("20260105x\n", 65, "line 1: '20260105x': expected a date"),
        ("", 66, "holds no trading day of XSHG"),
        (
            "日期\n2026-01-05\n",
            65,
            "is not UTF-8: give a text of dates, one a line, or a market's folder",
        ),
    ],
)
def test_a_file_that_holds_no_dates_is_refused(
    indexer: Run, tmp_path: Path, text: str, code: int, said: str
) -> None:
    (tmp_path / "days").write_text(text, encoding="gbk")
    found, _, err = indexer("calendar", "XSHG", "--against", str(tmp_path / "days"))
    assert found == code
    assert said in err


def test_every_command_understands_a_version_of_a_market(
    indexer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    days = read_calendar("XSHG").sessions[-300:-290].astype(str).tolist()
    for n in (5, 10):
        prices = {
            "symbol": ["300308.SZ"] * n,
            "date": days[:n],
            "close": [1.0 + k for k in range(n)],
        }
        write_rows("m", {"prices": pl.DataFrame(prices)})
    Path("one.yaml").write_text(
        "version: 1\nid: one\nname: {en: One}\ncurrency: CNY\ncalendar: XSHG\n"
        f"base: {{date: {days[0]}, level: 1000}}\nweighting: {{scheme: equal}}\n"
        "constituents: [{symbol: 300308.SZ}]\n"
    )
    for market, last in (("m@0", 4), ("m@1", 9), ("m", 9)):
        code, out, _ = indexer("build", "one.yaml", "--market", market, "--json")
        assert code == 0
        assert json.loads(out)["indices"][0]["last"]["date"] == days[last]
    assert indexer("explain", "one.yaml", days[3], "--market", "m@0")[0] == 0
    code, _, err = indexer("build", "one.yaml", "--market", "m@2")
    assert code == 66
    assert "m: has no version 2: its versions are 0 to 1" in err


def test_a_calendar_is_compared_with_what_an_upstream_announces(
    indexer: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = read_calendar("XSHG").sessions[-300:-290]
    told = np.delete(sessions, 4)
    monkeypatch.setattr(upstream, "trading_days_through_akshare", lambda _: told)

    code, out, _ = indexer("calendar", "XSHG", "--against", "akshare", "--json")

    (found,) = json.loads(out)["calendars"]
    assert (code, found["to_close"], found["to_open"]) == (0, [str(sessions[4])], [])


def test_only_shanghai_can_be_compared_with_the_upstream(indexer: Run) -> None:
    code, _, err = indexer("calendar", "XHKG", "--against", "akshare")

    assert (code, "of XSHG alone" in err) == (2, True)


def test_constituents_are_printed_as_a_file_of_them(
    indexer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pl.DataFrame(
        {
            "date": [date(2026, 5, 31)] * 2,
            "symbol": ["600519.SH", "300750.SZ"],
            "weight": [0.6, 0.4],
        }
    )
    monkeypatch.setattr(upstream, "constituents_through_akshare", lambda *_: rows)

    code, out, err = indexer("constituents", "000300.SH")

    assert (code, out) == (0, "symbol,weight\n600519.SH,0.6\n300750.SZ,0.4\n")
    assert "2 constituents of 000300.SH on 2026-05-31" in err
