"""What commands make the interpreter do, as it tells an audit hook: no code comes out of data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.desk import DAYS, basket, folder

DAY = DAYS[4].isoformat()
WATCH = """
import json, sys
from pathlib import Path
OUTWARD = {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.startfile"}
OUTWARD |= {"socket.connect", "socket.bind", "socket.getaddrinfo", "ftplib.connect"}
CODE = {"exec", "compile", "pickle.find_class", "marshal.loads", "code.__new__", "ctypes.dlopen"}
seen, busy = set(), []
def package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
def hook(event, args):
    if busy or event not in OUTWARD | CODE:
        return
    busy.append(event)
    frame = sys._getframe(1)
    if event in OUTWARD or package(frame) == "indexer":
        seen.add(f"{event} by {package(frame)}")
    elif event == "pickle.find_class":
        seen.add(f"{event} for {package(frame)}")
    busy.clear()
sys.addaudithook(hook)
from indexer.cli import app
codes = []
for command in json.loads(sys.argv[1]):
    sys.argv = ["indexer", *command]
    try:
        app.main()
    except SystemExit as stopped:
        codes.append(stopped.code or 0)
found = sorted(seen)
seen.clear()
exec("exec('1')", {"__name__": "indexer.watched"})
Path("seen").write_text(json.dumps([codes, found, sorted(seen)]))
"""
MARKET = ("--market", "market")
COMMANDS = [
    ("validate", "trio.yaml"),
    ("build", "trio.yaml", *MARKET, "--out", "built"),
    ("explain", "trio.yaml", DAY, *MARKET),
    ("publish", "trio.yaml", *MARKET, "--date", DAY),
    ("history", "trio"),
    ("verify", *MARKET, "--out", "out"),
    ("report", "trio"),
    ("export", "--out", "again"),
    ("doctor", *MARKET),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Return the exit codes of the commands, and what the hook was told of, in a process apart."""
    path = tmp_path_factory.mktemp("audit")
    basket(path)
    folder(path / "market")
    root = str(Path(__file__).parents[2])
    subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(COMMANDS)],
        check=True, capture_output=True, cwd=path, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    return json.loads((path / "seen").read_text("utf-8"))


def test_the_commands_do_what_they_are_watched_at(seen):
    *codes, doctor = seen[0]

    assert codes == [0] * (len(COMMANDS) - 1)
    assert doctor in {65, 75}  # late; and wrong, once the bundled calendars have ended


@pytest.mark.attack("D6")
def test_no_command_runs_or_loads_code_from_data_nor_asks_anybody(seen):
    """Kernels are kept as pickle, by numba, in a folder that is this user's alone."""
    assert set(seen[1]) <= {"pickle.find_class for numba"}
    assert "exec by indexer" in seen[2]  # of what was told to do so: the hook is awake
