"""Every attack that SECURITY.md lists is tried where it says, or it says why it is not."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([A-Z]\d) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE)
FILES = re.compile(r"`(tests/[\w/]+\.py)`")
# How many of each letter there are: a row cannot be lost together with its tests.
COUNTS = {"A": 6, "B": 3, "C": 4, "D": 6, "E": 8, "F": 8}


def marked(path: Path) -> Iterator[str]:
    """Yield the attacks that tests of a file are marked with."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.attack":
                    yield from (str(ast.literal_eval(id)) for id in mark.args)


@functools.cache
def found() -> dict[str, set[str]]:
    """Return the attacks that each file tries; not at import, which every process does."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    return {str(path.relative_to(ROOT)): set(marked(path)) for path in files}


def test_the_list_is_whole_and_in_order():
    assert [id for id, *_ in ROWS] == [
        f"{letter}{n}" for letter, count in COUNTS.items() for n in range(1, count + 1)
    ]


def test_the_attacks_that_are_tried_and_those_that_are_not_are_all_of_them():
    tried = set().union(*found().values())
    excused = {id for id, _, where in ROWS if where.startswith("not here: ")}

    assert not tried & excused
    assert tried | excused == {id for id, *_ in ROWS}


@pytest.mark.parametrize(("id", "where"), [(id, where) for id, _, where in ROWS], ids=str)
def test_an_attack_is_tried_in_the_files_that_are_named_and_in_no_others(id, where):
    named = FILES.findall(where)

    assert named == sorted(file for file, ids in found().items() if id in ids)
    assert bool(named) != where.startswith("not here: ")


def test_the_scan_sees_the_marks_of_tests_alone(tmp_path):
    text = "@pytest.mark.attack('A1', 'B2')\ndef test_a(): ...\n"
    text += "@pytest.mark.attack('C3')\ndef a(): ...\n"
    (tmp_path / "a.py").write_text(text)

    assert list(marked(tmp_path / "a.py")) == ["A1", "B2"]
