"""Broken definitions and broken tables at the command line.

One clear message, the right exit code, no traceback, and nothing written.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from indexer.cli.app import main

HEADER = "symbol,ex_date,kind"
SHARES = "symbol,date,total_shares,free_float_shares"

BASKET = """\
version: 1
id: demo
name: {en: Demo}
currency: CNY
calendar: XSHG
base: {date: 2024-01-02, level: 1000}
weighting: {scheme: equal}
rebalance: {frequency: quarterly, day: third friday}
constituents:
  - {symbol: 600000.SH}
  - {symbol: 000001.SZ}
"""
DAYS = ("2024-01-02", "2024-01-03", "2024-01-04")
PRICES = "symbol,date,close\n" + "".join(
    f"{symbol},{day},{10 + n}\n"
    for symbol in ("600000.SH", "000001.SZ")
    for n, day in enumerate(DAYS)
)


def indexer(monkeypatch, *arguments):
    """Run the command line and return its exit code."""
    monkeypatch.setattr("sys.argv", ["indexer", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


@pytest.fixture
def build(tmp_path, monkeypatch, capfd):
    """Return a way to build the demo basket from texts: exit code, what stderr says, the folder."""

    def run(basket=BASKET, *options, **tables):
        monkeypatch.chdir(tmp_path)
        Path("demo.yaml").write_text(basket, encoding="utf-8")
        Path("market").mkdir()
        for name, text in ({"prices_csv": PRICES} | tables).items():
            if text is not None:
                content = text if isinstance(text, bytes) else text.encode()
                Path("market", name.replace("_csv", ".csv").replace("_yaml", ".yaml")).write_bytes(
                    content
                )
        code = indexer(monkeypatch, "build", "demo.yaml", "--market", "market", *options)
        return code, capfd.readouterr().err

    return run


def test_the_sound_demo_builds(build):
    code, said = build()

    assert code == 0
    assert Path("out/demo/levels.csv").exists()
    assert "error" not in said


def replaced(old, new):
    assert old in BASKET
    return BASKET.replace(old, new, 1)


DEFINITIONS = {
    "unknown key": (
        replaced("weighting", "weigthing"),
        "demo.yaml:7:1: weigthing: unknown key; did",
    ),
    "missing key": (replaced("currency: CNY\n", ""), "demo.yaml:1:1: currency: required key is"),
    "wrong id": (replaced("id: demo", "id: other"), "demo.yaml:2:5: id: 'other' must equal"),
    "bad id": (replaced("id: demo", "id: Demo!"), "demo.yaml:2:5: id: got 'Demo!'"),
    "no date": (
        replaced("2024-01-02", "2024-13-02"),
        "demo.yaml:6:14: base.date: got '2024-13-02'",
    ),
    "no session": (replaced("2024-01-02", "2024-01-01"), "take 2023-12-29 or 2024-01-02"),
    "negative level": (replaced("1000", "-1000"), "demo.yaml:6:33: base.level: got '-1000'"),
    "unknown scheme": (replaced("equal", "equl"), "did you mean 'equal'?"),
    "unknown calendar": (replaced("XSHG", "XSHE"), "demo.yaml:5:11: calendar: "),
    "bad frequency": (replaced("quarterly", "weekly"), "rebalance.frequency: got 'weekly'"),
    "bad day": (replaced("third friday", "fifth friday"), "rebalance.day: got 'fifth friday'"),
    "ambiguous code": (replaced("000001.SZ", "000001"), "write 000001.SZ or 000001.SH"),
    "not a symbol": (replaced("600000.SH", "NO"), "demo.yaml:10:14: constituents[0].symbol: 'NO'"),
    "twice": (replaced("000001.SZ", "sh600000"), "600000.SH is listed twice"),
    "no constituents": (
        BASKET.split("constituents", maxsplit=1)[0],
        "constituents: required key is missing",
    ),
    "duplicate key": (BASKET + "id: demo\n", "demo.yaml:12:1: id: duplicate key"),
    "anchor": (replaced("CNY", "&c CNY"), "demo.yaml:4:11: currency: anchor &c"),
    "tag": (replaced("CNY", "!!str CNY"), "demo.yaml:4:11: currency: a tag"),
    "not YAML": (replaced("{en: Demo}", "{en: Demo"), "not YAML"),
    "not a mapping": ("- demo\n", "demo.yaml:1:1: expected keys and values"),
    "two documents": (BASKET + "---\na: b\n", "a second document"),
    "cap too low": (
        replaced("{scheme: equal}", "{scheme: equal, caps: {constituent: 0.4}}"),
        "0.5",
    ),
    "weights": (replaced("equal", "fixed"), "scheme 'fixed' needs a weight"),
    "net without tax": (
        BASKET + "variants: [net]\n",
        "variants: variant 'net' needs a withholding",
    ),
    "from after until": (
        replaced("{symbol: 600000.SH}", "{symbol: 600000.SH, from: 2025-01-01, until: 2024-01-01}"),
        "must be after from",
    ),
    "a study": (
        "version: 1\nid: demo\nname: {en: D}\nstart: 2024-01-02\n"
        "pairs: [{leader: a, follower: b}]\n",
        "this is a study",
    ),
}


@pytest.mark.attack("A6")
@pytest.mark.parametrize(("day", "expected"), [("2026-12-31", 66), ("2099-01-05", 78)])
def test_a_base_that_has_not_been_yet_gives_no_index(build, day, expected):
    code, said = build(replaced("2024-01-02", day))

    assert code == expected
    assert day in said
    assert not Path("out").exists()


@pytest.mark.attack("A6")
@pytest.mark.parametrize(("basket", "told"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_a_broken_definition_is_78_and_says_where(build, basket, told):
    code, said = build(basket)

    assert code == 78
    assert told in said
    assert "Traceback" not in said
    assert not Path("out").exists()


CONFLICT = PRICES + "600000.SH,2024-01-03,99\n"
TABLES = {  # name: tables, exit code, what is said
    "no folder": ({}, 66, "no such market folder"),
    "empty folder": ({"prices_csv": None}, 66, "holds none of the tables"),
    "no close of any": ({"prices_csv": "symbol,date,close\n"}, 66, "no close of any"),
    "no column": ({"prices_csv": "symbol,date\n600000.SH,2024-01-02\n"}, 65, "column 'close'"),
    "empty cell": (
        {"prices_csv": PRICES + "600000.SH,2024-01-05,\n"},
        65,
        "line 8: 600000.SH: close",
    ),
    "zero close": ({"prices_csv": PRICES + "600000.SH,2024-01-05,0\n"}, 65, "close '0': expected"),
    "negative": ({"prices_csv": PRICES + "600000.SH,2024-01-05,-1\n"}, 65, "close '-1': expected"),
    "infinite": ({"prices_csv": PRICES + "600000.SH,2024-01-05,inf\n"}, 65, "close 'inf'"),
    "not a number": ({"prices_csv": PRICES + "600000.SH,2024-01-05,n/a\n"}, 65, "close 'n/a'"),
    "CR alone": ({"prices_csv": PRICES.replace("\n", "\r")}, 65, "line ends that are CR alone"),
    "other name": (
        {"prices_csv": PRICES.replace("close", "Close")},
        65,
        "column 'close' is missing; found symbol, date, Close: call 'Close' so",
    ),
    "suspended backwards": (
        {"suspensions_csv": "symbol,from,until\n600000.SH,2024-01-05,2024-01-02\n"},
        65,
        "line 2: 600000.SH: until 2024-01-02 is before from 2024-01-05",
    ),
    "delisted before listed": (
        {"securities_csv": "symbol,list_date,delist_date\n600000.SH,2024-01-05,2024-01-02\n"},
        65,
        "delist_date 2024-01-02 is before list_date 2024-01-05",
    ),
    "year zero": ({"prices_csv": PRICES + "600000.SH,0000-01-05,9\n"}, 65, "date '0000-01-05'"),
    "no such day": ({"prices_csv": PRICES + "600000.SH,2024-02-30,9\n"}, 65, "date '2024-02-30'"),
    "spelling": ({"prices_csv": PRICES + "sh600000,2024-01-05,9\n"}, 65, "symbol 'sh600000'"),
    "conflict": ({"prices_csv": CONFLICT}, 65, "conflicts in lines 3 and 8: close 11.0 and 99.0"),
    "not UTF-8": ({"prices_csv": PRICES.encode() + b"\xff\xfe,2024-01-05,9\n"}, 65, "prices.csv"),
    "action kind": (
        {"actions_csv": f"{HEADER}\n600000.SH,2024-01-03,gift\n"},
        65,
        "'gift'",
    ),
    "action cash": (
        {"actions_csv": f"{HEADER}\n600000.SH,2024-01-03,dividend\n"},
        65,
        "actions.csv line 2: 600000.SH: a dividend needs cash",
    ),
    "cash above close": (
        {"actions_csv": f"{HEADER},cash\n600000.SH,2024-01-03,dividend,50\n"},
        65,
        "cash of 50 leaves nothing of the close of 10",
    ),
    "float above total": (
        {"shares_csv": f"{SHARES}\n600000.SH,2024-01-02,1,2\n"},
        65,
        "shares.csv line 2: 600000.SH: free float 2 above total 1",
    ),
    "manifest": ({"manifest_yaml": "synthetic: perhaps\n"}, 65, "synthetic 'perhaps'"),
}


@pytest.mark.parametrize(("tables", "expected", "told"), TABLES.values(), ids=TABLES)
def test_a_broken_table_is_65_or_66_and_says_where(build, tables, expected, told):
    options = () if tables else ("--market", "nowhere")
    code, said = build(BASKET, *options, **tables)

    assert code == expected
    assert told in said
    assert "Traceback" not in said
    assert not Path("out").exists()


def test_a_missing_rate_is_66(build):
    code, said = build(replaced("currency: CNY", "currency: USD"))

    assert code == 66
    assert "no rate of CNY/USD or USD/CNY" in said


def test_a_missing_share_count_is_66(build):
    code, said = build(replaced("equal", "market_cap"))

    assert code == 66
    assert "600000.SH: no row dated on or before 2024-01-02" in said


def test_results_that_cannot_be_written_are_73_and_leave_nothing(build):
    code, said = build(BASKET, "--out", "demo.yaml")

    assert code == 73
    assert "demo.yaml" in said
    assert Path("demo.yaml").read_text(encoding="utf-8") == BASKET


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_standard_output_is_73(build, monkeypatch, capfd):
    build()
    with suppress(OSError), Path("/dev/full").open("w", encoding="utf-8") as full:  # closing fails
        monkeypatch.setattr("sys.stdout", full)
        code = indexer(monkeypatch, "explain", "demo.yaml", "2024-01-03", "--market", "market")
        monkeypatch.undo()

    assert code == 73
    assert "standard output: cannot be written" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.EPIPE, 73), (errno.EIO, 73), (errno.EAGAIN, 70), (errno.ECONNRESET, 70)],
    ids=("reader gone", "disk broken", "no process to be had", "connection lost"),
)
def test_only_what_writing_says_is_of_the_screen(monkeypatch, number, expected):
    """Not that no process can be split off, nor that a connection is lost."""

    def fail(**_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("indexer.cli.app.app", fail)

    assert indexer(monkeypatch, "run") == expected


@pytest.mark.parametrize("target", [None, "actions.csv", "nowhere"], ids=["folder", "loop", "gone"])
def test_a_table_that_is_no_file_is_told(build, monkeypatch, capfd, target):
    build()
    place = Path("market", "actions.csv")
    if target is None:
        place.mkdir()
    else:
        place.symlink_to(target)

    assert indexer(monkeypatch, "build", "demo.yaml", "--market", "market") == 65
    assert "actions.csv: is no file, nor a link to one" in capfd.readouterr().err


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        ("validate", LONG),
        ("build", f"{LONG}.yaml", "--market", "market"),
        ("build", "demo.yaml", "--market", LONG),
        ("run", LONG),
        ("doctor", f"{LONG}.yaml"),
        ("calendar", "XSHG", "--against", LONG),
        ("fetch", "demo.yaml", "--market", LONG),
        ("history", "demo", "--ledger", f"sqlite:///{LONG}"),
        ("publish", f"{LONG}.yaml", "--market", "market", "--ledger", "sqlite:///kept.db"),
    ],
    ids=lambda words: f"{words[0]} {['name', 'option'][LONG in words[-1]]}",
)
def test_a_name_that_no_file_can_have_is_of_none(build, monkeypatch, capfd, words):
    build()

    assert indexer(monkeypatch, *words) == 66
    assert "File name too long" in "".join(capfd.readouterr())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
@pytest.mark.parametrize("words", [("validate", "shut/a.yaml"), ("doctor", "--market", "shut/a")])
def test_a_folder_that_may_not_be_entered_holds_nothing(build, monkeypatch, capfd, words):
    build()
    Path("shut").mkdir(mode=0)

    assert indexer(monkeypatch, *words) == 66
    assert "Permission denied" in "".join(capfd.readouterr())


def test_misuse_is_2(monkeypatch, capfd):
    assert indexer(monkeypatch, "build", "--bogus") == 2
    assert "No such option" in capfd.readouterr().err


def test_a_panic_of_a_library_is_a_bug_too(monkeypatch, capfd):
    def panic(*_, **__):
        raise pl.exceptions.PanicException("out of range")

    monkeypatch.setattr("indexer.run.results.read_market", panic)

    assert indexer(monkeypatch, "run") == 70
    assert "this is a bug in indexer" in capfd.readouterr().err


def test_a_bug_is_70_and_keeps_its_traceback(monkeypatch, capfd):
    monkeypatch.setattr("indexer.run.results.read_market", None)

    assert indexer(monkeypatch, "run") == 70
    assert "Traceback" in capfd.readouterr().err
