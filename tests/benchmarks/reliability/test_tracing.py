"""Stopping a process at its changes of files."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.reliability.calls import AVAILABLE
from benchmarks.reliability.tracing import Ended, Fault, traced

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="only on x86-64 Linux")


def changing(folder: Path) -> int:
    with (folder / "half").open("wb", buffering=0) as stream:
        stream.write(b"level,1000\n")
        os.fsync(stream.fileno())
    (folder / "half").rename(folder / "whole")
    return 0


def run(folder: Path, fault: Fault | None = None) -> Ended:
    return traced(lambda: changing(folder), folder, fault)


def in_a_thread(folder: Path) -> Ended:
    def work() -> int:
        thread = threading.Thread(target=changing, args=(folder,))
        thread.start()
        thread.join()
        return 0

    return traced(work, folder, Fault(2, "kill"))


def reading(folder: Path) -> Ended:
    (folder / "a").write_text("a", encoding="ascii")
    return traced(lambda: len((folder / "a").read_text("ascii")), folder)


def elsewhere(folder: Path) -> Ended:
    inside = folder / "inside"
    inside.mkdir()
    return traced(lambda: changing(folder), inside)


def test_every_change_is_seen_in_order(apart, tmp_path):
    ended = apart(run, tmp_path)

    assert [(c.name, c.path) for c in ended.changes] == [
        ("openat", "half"),
        ("write", "half"),
        ("fsync", "half"),
        ("rename", "whole"),
    ]
    assert ended.code == 0


def test_strace_sees_the_same_changes(apart, tmp_path):
    if not Path("/usr/bin/strace").is_file():
        pytest.skip("strace is not installed")
    log = tmp_path / "log"
    program = (
        "from pathlib import Path; from tests.benchmarks.reliability.test_tracing import changing; "
        f"changing(Path({str(tmp_path)!r}))"
    )
    traced_calls = "trace=openat,write,fsync,rename"
    words = ["strace", "-f", "-o", str(log), "-e", traced_calls, sys.executable, "-c", program]
    subprocess.run(words, check=True, cwd=Path(__file__).parents[3])
    (tmp_path / "whole").unlink()

    lines = [line for line in log.read_text().splitlines() if str(tmp_path) in line]
    opened = [line for line in lines if "O_CREAT" in line]

    assert (len(opened), sum("rename(" in line for line in lines)) == (1, 1)
    assert [c.name for c in apart(run, tmp_path).changes] == ["openat", "write", "fsync", "rename"]


@pytest.mark.parametrize("at", range(4))
def test_a_kill_leaves_what_was_done_before(apart, tmp_path, at):
    ended = apart(run, tmp_path, Fault(at, "kill"))
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert ended.code == -9
    assert left == ({}, {"half": b""}, *[{"half": b"level,1000\n"}] * 2)[at]


def test_half_of_a_write_can_be_left(apart, tmp_path):
    ended = apart(run, tmp_path, Fault(1, "half"))

    assert ended.code == -9
    assert (tmp_path / "half").read_bytes() == b"level"


def test_a_call_can_be_made_to_fail(apart, tmp_path):
    ended = apart(run, tmp_path, Fault(2, "error", errno.ENOSPC))

    assert ended.code == 70
    assert "[Errno 28] No space left on device" in ended.said
    assert not (tmp_path / "whole").exists()


def test_threads_are_followed_and_killed_with_the_process(apart, tmp_path):
    assert apart(in_a_thread, tmp_path).code == -9
    assert (tmp_path / "half").read_bytes() == b"level,1000\n"


def test_reading_is_no_change(apart, tmp_path):
    ended = apart(reading, tmp_path)

    assert (ended.code, ended.changes) == (1, ())


def test_changes_elsewhere_do_not_count(apart, tmp_path):
    assert apart(elsewhere, tmp_path).changes == ()
