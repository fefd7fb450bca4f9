"""Processes are started once, end with what started them, and are not needed for one task."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.sweep.processes import Workers


def pid_of(_: int) -> int:
    time.sleep(0.05)  # so that no process does all
    return os.getpid()


@pytest.mark.parametrize(("jobs", "tasks"), [(1, 3), (4, 1)])
def test_one_task_or_one_process_is_done_here(jobs: int, tasks: int) -> None:
    with Workers(jobs) as workers:
        found = list(workers.done(pid_of, range(tasks)))

    assert found == [(n, os.getpid()) for n in range(tasks)]


def test_the_same_processes_go_on_with_the_next_tasks() -> None:
    with Workers(2) as workers:
        first, then = ({pid for _, pid in workers.done(pid_of, range(20))} for _ in range(2))

    assert os.getpid() not in first
    assert then <= first


def test_every_task_is_done_once() -> None:
    with Workers(2) as workers:
        assert sorted(task for task, _ in workers.done(pid_of, range(20))) == [*range(20)]


def variable_of(_: int) -> str | None:
    return os.environ.get("OF_A_TEST")


def test_processes_have_the_environment_of_this_one(monkeypatch) -> None:
    Workers(2).begin()
    monkeypatch.setenv("OF_A_TEST", "set later")
    with Workers(2) as workers:
        assert {found for _, found in workers.done(variable_of, range(2))} == {"set later"}


def modules_of(_: int) -> set[str]:
    return set(sys.modules)


# In a program of its own: one that has begun to split off processes goes on as it began.
ASKED = """
from indexer.sweep.processes import IMPORTED, Workers
from tests.sweep.test_processes import modules_of
with Workers(2) as workers:
    print([set(IMPORTED) <= found for _, found in workers.done(modules_of, range(2))])
"""


def test_what_processes_need_is_imported_before_they_are_split_off() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=60
    )

    assert told.stdout == "[True, True]\n"


def dies_of_the_first(task: tuple[str, bytes]) -> int:
    """Die of the task that finds no such file, while the next ones are on their way."""
    time.sleep(0.3)
    try:
        open(task[0], "x").close()
    except FileExistsError:
        return len(task[1])
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("size", [10, 4_000_000], ids=["small", "larger than a pipe"])
def test_a_task_that_a_process_dies_of_is_done_by_others(tmp_path: Path, size: int) -> None:
    """Not waited for by one that goes on writing what nobody reads any more."""
    code = f"""
from indexer.sweep.processes import Workers
from tests.sweep.test_processes import dies_of_the_first
if __name__ == "__main__":
    tasks = [({str(tmp_path / "died")!r}, bytes({size}))] * 8
    with Workers(2) as workers:
        print(sum(found for _, found in workers.done(dies_of_the_first, tasks)))
"""
    (tmp_path / "main.py").write_text(code, encoding="utf-8")
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "main.py")], check=True, capture_output=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(root)}, text=True,
    )  # fmt: skip

    assert ended.stdout == f"{8 * size}\n"
