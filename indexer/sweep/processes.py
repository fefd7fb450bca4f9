"""Who does the work: this process, several that work for it, or a cluster's.

Processes are split off from one that has imported what they need, once for all of them, and end
when the one that asked for them does, however that ends.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver, get_context, parent_process
from typing import Any, Self, TypeVar

from indexer.errors import TryAgainError

DEATHS = 5  # of processes, without a task done in between, after which there is no use in another
AHEAD = 3  # tasks a process has before it
_PATIENCE = 2.0  # seconds in which a broken pool ends, unless it waits for what nobody reads
# By the process the others split from; the last is what numba imports before its first kernel.
IMPORTED = ["indexer.sweep.plan", "indexer.sweep.perform", "numba.np.arraymath"]
METHOD = "forkserver" if sys.platform == "linux" else "spawn"

Asked = TypeVar("Asked")
Found = TypeVar("Found")


@dataclass(slots=True)
class Workers:
    """So many processes here, or those of the cluster at an address.

    Processes are started with the first tasks, go on with the next ones, and end with the context.
    """

    jobs: int = 1
    scheduler: str | None = None
    _pool: ProcessPoolExecutor | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self) -> None:
        """Start what imports for the processes here, and do not wait for it."""
        if METHOD == "forkserver" and self.jobs > 1 and self.scheduler is None:
            forkserver.set_forkserver_preload(IMPORTED)
            forkserver.ensure_running()

    def done(
        self, work: Callable[[Asked], Found], tasks: Sequence[Asked]
    ) -> Iterator[tuple[Asked, Found]]:
        """Yield tasks and what came of them as they are finished here, in any order.

        One that a process dies of is tried again, by fewer processes.

        Raises
        ------
        TryAgainError
            If processes die one after another.
        """
        if min(self.jobs, len(tasks)) <= 1:
            yield from ((task, work(task)) for task in tasks)
            return
        left, deaths, jobs = dict(enumerate(tasks)), 0, self.jobs
        while left:
            try:
                for n, found in self._through(work, left, jobs):
                    yield left.pop(n), found
                    deaths = 0
            except BrokenProcessPool as error:
                self._give_up()
                deaths, jobs = deaths + 1, max(1, jobs // 2)
                if deaths >= DEATHS:
                    reason = (
                        f"{deaths} worker processes died one after another, as for want of memory"
                    )
                    raise TryAgainError("sweep", reason) from error

    def _through(
        self, work: Callable[[Asked], Found], tasks: dict[int, Asked], jobs: int
    ) -> Iterator[tuple[int, Found]]:
        if self._pool is None:
            given = (dict(os.environ),)
            self._pool = ProcessPoolExecutor(jobs, get_context(METHOD), begun, given)
        pool, waiting = self._pool, iter(list(tasks.items()))
        running: dict[Future[Found], int] = {}
        while True:
            while len(running) < AHEAD * jobs and (task := next(waiting, None)) is not None:
                running[pool.submit(work, task[1])] = task[0]
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                found = future.result()
                yield running.pop(future), found

    def _give_up(self) -> None:
        """Let a pool go of which a process has died.

        Before CPython 3.12 it waits for ever (issue 94777) for a task that was being written to
        that process: nobody reads the other end, and the pool itself holds that open.
        """
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if sys.version_info >= (3, 12):
            pool.shutdown(wait=True, cancel_futures=True)
            return
        manager: Any = pool._executor_manager_thread
        queue: Any = pool._call_queue  # type: ignore[attr-defined]
        pool.shutdown(wait=False, cancel_futures=True)
        manager.join(_PATIENCE)
        if manager.is_alive():
            queue._reader.close()
            manager.join()

    def end(self) -> None:
        """Let the processes here go."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begun(environment: dict[str, str]) -> None:
    """Begin a process: with the environment of the one that asks, and no longer than it lives."""
    os.environ.clear()
    os.environ.update(environment)
    parent = parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()
