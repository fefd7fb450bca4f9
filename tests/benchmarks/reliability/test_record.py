"""What campaigns find is kept while they run, and merged when they end."""

import json

import pytest
from scipy.stats import beta

from benchmarks.reliability.record import (
    ROOT,
    Found,
    Journal,
    bound95,
    merge,
    running,
    tally,
    version,
)


@pytest.mark.parametrize(("n", "wrong"), [(10_000, 0), (100, 0), (10, 1), (50, 5)])
def test_the_bound_is_that_of_the_exact_binomial(n, wrong):
    assert bound95(n, wrong) == pytest.approx(beta.ppf(0.95, wrong + 1, n - wrong), rel=1e-9)


def test_nothing_tried_bounds_nothing():
    assert bound95(0, 0) == 1.0


def test_a_journal_tells_what_was_done_on_this_code_alone(tmp_path):
    Journal(tmp_path / "B1.jsonl", "a").write("first", Found(3, ("lost",), 1.5, {"max_s": 2.0}))

    assert Journal(tmp_path / "B1.jsonl", "a").done == {
        "first": Found(3, ("lost",), 1.5, {"max_s": 2.0})
    }
    assert Journal(tmp_path / "B1.jsonl", "b").done == {}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git tells which files there are")
def test_code_is_told_apart_by_what_its_files_hold_and_no_others():
    both = ["indexer/digest.py", "indexer/errors.py"]

    assert version(both) == version([*both, "indexer/folders.py", ":!indexer/folders.py"])
    assert len({version(both), *(version([path]) for path in both)}) == 3


@pytest.mark.parametrize(
    "other",
    [
        '"""Other."""\n\ndef f(x):\n    return (\n        x + 1  # told\n    )\n',
        "def f(x): return x + 1",
    ],
)
def test_what_is_said_about_a_module_decides_nothing(tmp_path, other):
    (tmp_path / "a.py").write_text('"""One."""\n\ndef f(x):\n    """Add."""\n    return x + 1\n')
    (tmp_path / "b.py").write_text(other)

    assert running(tmp_path / "a.py") == running(tmp_path / "b.py")


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("a.py", '"""One."""\nx = 1\n', '"""One."""\nx = 2\n'),
        ("a.py", 'x = "one"\n', 'x = "two"\n'),
        ("a.py", 'def f():\n    x = 1\n    "one"\n', 'def f():\n    x = 1\n    "two"\n'),
        ("a.yaml", "x: 1\n", "x: 1  # told\n"),
    ],
)
def test_what_runs_decides(tmp_path, name, one, other):
    (tmp_path / name).write_text(one)
    before = running(tmp_path / name)
    (tmp_path / name).write_text(other)

    assert running(tmp_path / name) != before


def test_a_line_half_written_is_left_out(tmp_path):
    journal = Journal(tmp_path / "B1.jsonl", "a")
    journal.write("first", Found(3))
    with journal.path.open("a", encoding="utf-8") as stream:
        stream.write('{"key": "a", "un')

    assert set(Journal(journal.path, "a").done) == {"first"}


def test_units_are_added_and_largest_figures_compared():
    founds = [Found(3, (), 1.0, {"cut": 1, "max_s": 2.0}), Found(4, ("lost",), 2.0, {"max_s": 3.0})]
    bar = tally("B1", "Kill", founds, seed=7, at="abc")

    told = {key: bar[key] for key in ("n", "wrong", "seconds", "seed", "commit", "cut", "max_s")}
    assert told == {
        "n": 7, "wrong": 1, "seconds": 3.0, "seed": 7, "commit": "abc", "cut": 1, "max_s": 3.0,
    }  # fmt: skip
    assert bar["first_wrong"] == ["lost"]


def test_results_of_other_bars_stay(tmp_path):
    path = tmp_path / "results" / "reliability.json"
    merge(path, [{"id": "B10", "n": 1}, {"id": "B3", "n": 2}])
    merge(path, [{"id": "B3", "n": 5}])

    assert json.loads(path.read_text()) == {"bars": [{"id": "B3", "n": 5}, {"id": "B10", "n": 1}]}
