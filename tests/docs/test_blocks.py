"""Every block of code in the documentation runs, and prints what stands below it."""

import difflib
from pathlib import Path

import click
import pytest

from tests.docs.blocks import NOT_RUN, ROOT, Desk, commands, normal, parse, replayed

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
PAGES.remove(ROOT / "README.zh-CN.md")  # its blocks are those of README.md: test_readmes.py


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(autouse=True)
def _no_ledger_of_ours(monkeypatch):
    monkeypatch.delenv("INDEXER_LEDGER", raising=False)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_blocks_run_and_print_what_is_shown(page, tmp_path):
    for block, made in replayed(page, Desk(tmp_path)):
        shown, printed = (normal(text).splitlines() for text in (block.text, made))
        assert not [*difflib.unified_diff(shown, printed, block.place, "printed", lineterm="")]


def test_what_is_not_run_is_listed_for_a_command_there_is():
    there = [(page.name, command) for page in PAGES for command in commands(page)]
    unused = [
        entry
        for entry in NOT_RUN
        for where, _, begins in [entry.rpartition(": ")]
        if not any(c.startswith(begins) and where in ("", page) for page, c in there)
    ]

    assert not unused


@pytest.mark.parametrize(
    "command",
    ["indexer serve --prot 8000", "x && .venv/bin/indexer run --to 1", "ExecStart=/b/indexer serv"],
)
def test_a_command_that_is_not_run_must_parse(command):
    with pytest.raises((click.UsageError, AssertionError), match=r"No such option|no command serv"):
        parse(command)


def test_what_is_shown_and_not_printed_is_found(tmp_path):
    page = tmp_path / "page.md"
    text = "```sh-session\n$ echo one\ntwo\n```\n\n```python\nprint(3)\n```\n\n```text\n4\n```\n"
    page.write_text(text, encoding="utf-8")
    made = [made for _, made in replayed(page, Desk(tmp_path))]

    assert made == ["$ echo one\none\n", "3\n"]


def test_a_command_that_fails_unannounced_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nindexer build nothing.yaml --market market\n```\n", encoding="utf-8")

    with pytest.raises(AssertionError, match="No such file"):
        list(replayed(page, Desk(tmp_path)))
