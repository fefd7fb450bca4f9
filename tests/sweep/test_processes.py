"""Processes are started once, end with what started them, and are not needed for one task."""

import os
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
