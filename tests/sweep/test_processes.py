"""Processes are started once, end with what started them, and are not needed for one task."""

import os
import subprocess
import sys
import time

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
