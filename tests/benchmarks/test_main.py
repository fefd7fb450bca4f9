"""Parts of the harness: whose pages they renew, and what is said where a process fails."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as entry
from benchmarks import days, options, survival, table
from benchmarks.commands import process_cost

SUMMARY = {"n": 1, "wrong": 0, "seconds": 1, "seed": 7, "commit": "abc"}


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", *words])
    entry.main()


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the folders from which the sources' page is renewed, by evenings that are none."""
    found: list[Path] = []
    monkeypatch.setattr(survival, "renew", found.append)
    monkeypatch.setattr(days, "simulate", lambda *_, **__: SUMMARY)
    return found


def test_results_that_are_not_the_checkouts_leave_its_pages_alone(tmp_path, monkeypatch, renewed):
    run(monkeypatch, "days", "--results", str(tmp_path))

    assert json.loads((tmp_path / "days.json").read_text("utf-8")) == SUMMARY
    assert renewed == []


def test_the_checkouts_results_renew_its_pages(tmp_path, monkeypatch, renewed):
    monkeypatch.setattr(options, "RESULTS", tmp_path)

    run(monkeypatch, "days", "--results", str(tmp_path))

    assert renewed == [tmp_path]


@pytest.mark.parametrize("own", [True, False])
def test_a_readme_is_written_from_the_checkouts_results_alone(tmp_path, monkeypatch, own):
    readme = tmp_path / "README.md"
    readme.write_text(f"{table.BEGIN}old{table.END}", encoding="utf-8")
    monkeypatch.setattr(table, "READMES", (readme,))
    if own:
        monkeypatch.setattr(options, "RESULTS", tmp_path)

    run(monkeypatch, "table", "--write", "--results", str(tmp_path))

    assert ("old" in readme.read_text("utf-8")) is not own
    assert (tmp_path / "table.md").is_file()


def test_what_a_process_says_when_it_fails_is_told(tmp_path, monkeypatch):
    command = (sys.executable, "-c", "raise SystemExit('no room')")

    def costs(runs: int) -> None:
        process_cost(command, runs=runs, folder=str(tmp_path), environment={})

    monkeypatch.setattr(entry, "command_costs", costs)
    with pytest.raises(SystemExit, match=r"left with 1\nno room$"):
        run(monkeypatch, "commands")
