"""What a user sees of kernels being compiled, and commands that need none."""

import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from indexer.cli.screen import progress
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET

LINE = "compiling kernels, once on this machine …"
COMMAND = (sys.executable, "-m", "indexer.cli.app")
BUILD = ("build", "us-cloud", "--market", str(BUNDLED_MARKET), "--json")
# As where neither the user's cache nor the package's own folder can be written to
NOWHERE = {
    "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
    "NUMBA_CACHE_DIR": "/dev/null/none",
    "XDG_CACHE_HOME": "/dev/null/none",
    "TMPDIR": "/dev/null/none",
}


def indexer(
    folder: Path, *arguments: str, environment: Mapping[str, str], **streams: int
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process and a folder of its own."""
    paths = os.pathsep.join([str(Path.cwd()), *sys.path])
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run(
        [*COMMAND, *arguments], check=False, text=True, cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
        | {"PYTHONPATH": paths, **environment}, **streams,
    )  # fmt: skip


def test_it_is_said_on_stderr_the_first_time_only(tmp_path: Path) -> None:
    user = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = indexer(tmp_path, *BUILD, environment=user)
    second = indexer(tmp_path, *BUILD, environment=user)

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr.splitlines()[0] == LINE
    assert LINE not in second.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)


def test_without_any_folder_to_write_to_it_is_slow_and_right(tmp_path: Path) -> None:
    found = indexer(tmp_path, *BUILD, environment=NOWHERE)

    assert found.returncode == 0, found.stderr
    assert "compiling kernels, in every run" in found.stderr
    assert json.loads(found.stdout)["indices"][0]["id"] == "us-cloud"


def test_where_nobody_can_be_told_it_is_not_said(tmp_path: Path) -> None:
    script = f'exec "$@" 2>&- >{tmp_path / "said"}'
    command = ["sh", "-c", script, "sh", *COMMAND, *BUILD]
    found = subprocess.run(
        command, check=False, cwd=tmp_path,
        env=os.environ | NOWHERE | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
    )  # fmt: skip

    assert found.returncode == 0
    assert json.loads((tmp_path / "said").read_text(encoding="utf-8"))["indices"]


def test_on_a_terminal_it_takes_the_line_of_progress(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with progress() as tell:
            tell("building a")
            logging.getLogger("indexer.kernels.compile").info(LINE)
            tell("building b")
    said = b""
    with suppress(OSError):  # it comes in pieces, and an error once all has been read
        while part := os.read(leader, 1000):
            said += part
    os.close(leader)

    clear = "\r\x1b[2K"
    assert said.decode() == f"{clear}building a …{clear}{LINE}\r\n{clear}building b …{clear}"


def test_elsewhere_it_is_a_line_and_progress_is_not_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with progress() as tell:
        tell("building a")
        logging.getLogger("indexer.kernels.compile").info(LINE)
        logging.getLogger("numba").warning("of no concern here")

    assert capfd.readouterr() == ("", f"{LINE}\n")


def test_a_screen_that_is_gone_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    with suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:  # closing fails
        monkeypatch.setattr("sys.stderr", full)
        with progress():
            logging.getLogger("indexer.kernels.compile").info(LINE)
            done.append("went on")
        monkeypatch.undo()

    assert done == ["went on"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("build",),
        ("validate", *map(str, sorted(BUNDLED_BASKETS.glob("*.yaml")))),
    ],
    ids=["help", "help of a command", "misuse", "validate"],
)
def test_commands_that_compute_nothing_do_not_load_numba(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys; from indexer.cli import app\n"
        "try: app.main()\n"
        "except SystemExit: print('numba' in sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    found = subprocess.run(command, check=True, capture_output=True, text=True)

    assert found.stderr.splitlines()[-1] == "False"
