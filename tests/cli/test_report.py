"""The command ``report``: exit codes, what it prints and writes."""

import json
from pathlib import Path

import pytest

from tests.run.desk import DAYS, basket, folder

DAY = DAYS[4].isoformat()


@pytest.fixture
def indexer(indexer, tmp_path, monkeypatch):
    """Return a way to run the command line in a folder with one published index."""
    monkeypatch.delenv("INDEXER_LEDGER", raising=False)
    basket(tmp_path)
    folder(tmp_path / "market")
    days = ("--from", DAYS[0].isoformat(), "--to", DAY)
    assert indexer("publish", "trio.yaml", "--market", "market", *days)[0] == 0
    return indexer


def test_what_was_written_is_said(indexer):
    code, out, _ = indexer("report", "trio")
    first, *paths = out.splitlines()

    assert (code, first) == (0, f"trio: {DAY}, revision 1")
    assert all(Path(path).is_file() for path in paths)
    assert "out/trio/report/20260306_r1/trio_20260306_r1.xlsx" in paths


def test_json_is_one_object(indexer):
    code, out, _ = indexer("report", "trio", "--date", DAYS[2], "--json", "--out", "there")
    told = json.loads(out)

    assert (code, told["kind"], told["synthetic"], told["caveats"]) == (0, "index", False, [])
    assert (told["record"]["session"], told["record"]["number"]) == (DAYS[2].isoformat(), 3)
    assert all(path.startswith("there/trio/report/20260304_r1/") for path in told["files"])


def test_the_summary_names_the_entry(indexer):
    told = json.loads(indexer("report", "trio", "--json")[1])
    summary = next(Path(path) for path in told["files"] if path.endswith("summary.json"))

    assert json.loads(summary.read_text(encoding="utf-8"))["record"] == told["record"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("nobody",), 66),
        (("trio", "--date", "2026-03-07"), 66),
        (("trio", "--as-known-at", "2026-03-06T18:00:00+08:00"), 66),
        (("trio", "--as-known-at", "2026-03-06"), 2),
        (("trio", "--ledger", "sqlite:///none.db"), 66),
        (("trio", "--out", "trio.yaml"), 73),
        (("trio", "--date", "yesterday"), 2),
    ],
)
def test_what_cannot_be_reported_has_its_exit_code(indexer, given, expected):
    code, out, err = indexer("report", *given)

    assert (code, out) == (expected, "")
    assert "Traceback" not in err
    assert not list(Path().rglob("*.xlsx"))


def test_verification_still_finds_everything_as_it_was(indexer):
    indexer("report", "trio", "--bom")

    assert indexer("verify", "--out", "out")[0] == 0
