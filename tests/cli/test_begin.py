"""Beginning: definitions that run as they are, and a shell that knows the commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.run.begin import NAMES


def test_what_is_written_is_valid_and_runs_on_the_sample(indexer):
    code, out, _ = indexer("init", "mine")
    assert (code, out) == (0, "mine/my-basket.yaml\nmine/my-study.yaml\n")

    assert indexer("validate", *(f"mine/{name}" for name in NAMES))[:2] == (0, "2 valid\n")
    code, out, _ = indexer("run", "mine/my-study.yaml")
    assert (code, "/ my-basket" in out) == (0, True)


def test_what_is_written_is_named_as_json(indexer):
    found = json.loads(indexer("init", "mine", "--json")[1])

    assert found == {"files": ["mine/my-basket.yaml", "mine/my-study.yaml"]}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_overwritten_and_nothing_half_written(indexer, name):
    Path(name).write_text("mine", encoding="utf-8")
    code, out, err = indexer("init")

    assert (code, out) == (73, "")
    assert f"{name}: cannot be written: a file of that name is there already" in err
    assert [path.name for path in Path().iterdir()] == [name]
    assert Path(name).read_text(encoding="utf-8") == "mine"


def test_the_files_explain_themselves(indexer):
    indexer("init")
    texts = [Path(name).read_text(encoding="utf-8") for name in NAMES]

    assert all(text.count("#") > 8 for text in texts)
    assert "中际旭创" in texts[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell):
    """As the installed command does: its name decides what the shell is to ask."""
    code = "import sys; sys.argv[0] = 'indexer'; from indexer.cli.app import main; main()"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env=os.environ | {"_INDEXER_COMPLETE": f"{shell}_source"},
    )  # fmt: skip

    if "Couldn't detect Bash" in found.stderr:
        pytest.skip("no bash here")
    assert found.returncode == 0
    assert "_INDEXER_COMPLETE=" in found.stdout or "_INDEXER_COMPLETE " in found.stdout


def test_commands_are_completed():
    code = "import sys; sys.argv[0] = 'indexer'; from indexer.cli.app import main; main()"
    asked = {
        "_INDEXER_COMPLETE": "bash_complete",
        "COMP_WORDS": "indexer re",
        "COMP_CWORD": "1",
    }
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | asked,
    )  # fmt: skip

    assert set(found.stdout.split()) == {"plain,report", "plain,restate", "plain,retire"}
