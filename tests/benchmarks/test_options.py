"""What is asked for is what a part has, and results can be kept before anything is measured."""

import re
from argparse import Namespace

import pytest

from benchmarks.__main__ import main
from benchmarks.options import OPTIONS, RESULTS, asked, is_own


def part(options: Namespace) -> None:
    """Cost ten minutes, keep nothing."""


PARTS = dict.fromkeys(OPTIONS, part)


def refusal(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is said of words that are refused."""
    with pytest.raises(SystemExit) as stopped:
        asked(PARTS, words.split(), None)
    assert stopped.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_without_a_part_it_is_kernels():
    found = asked(PARTS, ["--quick", "--only", "growth"], None)

    assert (found.part, found.quick, found.only) == ("kernels", True, ["growth"])


@pytest.mark.parametrize(
    "words",
    ["table --json", "table --only growth", "days --every 2", "years --processes 2", "--json"],
)
def test_an_option_of_another_part_is_refused(words, capsys):
    option = words[words.index("--") :]

    assert refusal(words, capsys).endswith(f"error: unrecognized arguments: {option}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--processes abc", "argument --processes: abc is not a whole number"),
        ("commands --runs 0", "argument --runs: 0 is less than 1"),
        ("large --sizes 5 0", "argument --sizes: 0 is less than 1"),
        ("study --sizes 300", "argument --sizes: 300 is less than 301"),
        ("--budget nan", "argument --budget: nan is not a number of seconds above 0"),
        ("--budget 0", "argument --budget: 0 is not a number of seconds above 0"),
    ],
)
def test_a_number_out_of_bounds_is_told_with_its_bound(words, told, capsys):
    assert refusal(words, capsys).endswith(told)


def test_each_part_says_what_it_costs(capsys):
    with pytest.raises(SystemExit) as stopped:
        asked(PARTS, ["--help"], None)

    assert stopped.value.code == 0
    assert capsys.readouterr().out.count("Cost ten minutes, keep nothing.") == len(PARTS)


def test_every_part_has_a_line_of_help(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", "--help"])
    with pytest.raises(SystemExit):
        main()

    told = capsys.readouterr().out
    assert [name for name in OPTIONS if not re.search(rf"^    {name}\s+[A-Z]", told, re.M)] == []


def test_a_folder_of_results_is_made_before_anything_is_measured(tmp_path):
    asked(PARTS, ["days", "--results", str(tmp_path / "new" / "folder")], None)

    assert (tmp_path / "new" / "folder").is_dir()


def test_no_folder_is_made_where_nothing_is_kept(tmp_path):
    asked(PARTS, ["days", "--quick", "--results", str(tmp_path / "new")], None)

    assert not (tmp_path / "new").exists()


def test_results_that_cannot_be_kept_are_refused(tmp_path, capsys):
    (tmp_path / "file").touch()

    told = refusal(f"sweep --results {tmp_path / 'file'}", capsys)

    assert "error: argument --results: " in told
    assert str(tmp_path / "file") in told


def test_there_is_no_table_of_a_folder_that_is_missing(tmp_path, capsys):
    missing = tmp_path / "missing"

    told = refusal(f"table --results {missing}", capsys)

    assert told.endswith(f"argument --results: there is no folder {missing}")


def test_the_checkouts_results_are_its_own_by_any_name(tmp_path):
    (tmp_path / "link").symlink_to(RESULTS)

    assert is_own(tmp_path / "link")
    assert not is_own(tmp_path)
