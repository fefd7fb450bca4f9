"""Tasks done: those that are finished already left out, the others here, by processes, or afar."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from indexer.errors import TryAgainError
from indexer.sweep.cluster import on_cluster
from indexer.sweep.finished import finished, keep, sweep_away
from indexer.sweep.perform import BUG, Place, Task, perform
from indexer.sweep.processes import end_with_parent

DEATHS = 5  # of processes, without a task done in between, after which there is no use in another
AHEAD = 3  # tasks a process has before it

Tell = Callable[[int, int], None]  # parts done, and all of them
Done = Iterator[tuple[Task, list[bytes]]]


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work: so many processes here, or those of the cluster at an address."""

    jobs: int = 1
    scheduler: str | None = None


def execute(
    tasks: Sequence[Task], place: Place, workers: Workers, kept: Path, tell: Tell
) -> dict[str, bytes]:
    """Return the result of every part, by key; each is kept as soon as it is there.

    Raises
    ------
    MissingInputError, MarketDataError
        If the market cannot be read.
    OutputError
        If a result cannot be kept.
    TryAgainError
        If workers die one after another, or the cluster cannot be reached. What is done is kept.
    """
    sweep_away(kept)
    found: dict[str, bytes] = {}
    left: list[Task] = []
    total = sum(len(task.keys) for task in tasks)
    for task in tasks:
        there = {key: finished(kept, key) for key in task.keys}
        found |= {key: content for key, content in there.items() if content is not None}
        rest = [n for n, key in enumerate(task.keys) if there[key] is None]
        if rest:
            keys, texts = (tuple(of[n] for n in rest) for of in (task.keys, task.texts))
            left.append(Task(keys, texts, task.cost_bps))
    tell(len(found), total)
    for task, results in _done(left, place, workers):
        for key, content in zip(task.keys, results, strict=True):
            if not content.startswith(_OF_A_BUG):  # the code that is put right is another's
                keep(kept, key, content)
            found[key] = content
        tell(len(found), total)
    return found


_OF_A_BUG = f'{{"error": {{"kind": "{BUG}"'.encode()


def _done(tasks: Sequence[Task], place: Place, workers: Workers) -> Done:
    if not tasks:
        return iter(())
    if workers.scheduler is not None:
        return on_cluster(tasks, place, workers.scheduler)
    jobs = min(workers.jobs, len(tasks))
    if jobs == 1:
        return ((task, perform(place, task)) for task in tasks)
    return _by_processes(tasks, place, jobs)


def _by_processes(tasks: Sequence[Task], place: Place, jobs: int) -> Done:
    """Yield tasks as processes finish them; after a death fewer processes go on."""
    left, deaths = {task.keys[0]: task for task in tasks}, 0
    while left:
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=end_with_parent)
        try:
            for task, results in _through(pool, list(left.values()), place, AHEAD * jobs):
                del left[task.keys[0]]
                deaths = 0
                yield task, results
        except BrokenProcessPool as error:
            deaths, jobs = deaths + 1, max(1, jobs // 2)
            if deaths >= DEATHS:
                reason = f"{deaths} worker processes died one after another: is memory short?"
                raise TryAgainError("sweep", reason) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _through(pool: ProcessPoolExecutor, tasks: Sequence[Task], place: Place, ahead: int) -> Done:
    waiting = iter(tasks)
    running: dict[Future[list[bytes]], Task] = {}
    while True:
        while len(running) < ahead and (task := next(waiting, None)) is not None:
            running[pool.submit(perform, place, task)] = task
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            results = future.result()
            yield running.pop(future), results
