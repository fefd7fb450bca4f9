"""Tasks done: those that are finished already left out, each result kept as soon as it is there."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from indexer.errors import BugError, MissingInputError
from indexer.market.cache import read_grid
from indexer.market.spread import BLOCK, laid_out, write_spread
from indexer.sweep.cluster import on_cluster
from indexer.sweep.finished import read_result, sweep_away, write_result
from indexer.sweep.perform import Place, Task, fill, perform
from indexer.sweep.processes import Workers
from indexer.sweep.tasks import opened

Tell = Callable[[int, int], None]  # parts done, and all of them


def execute(
    tasks: Sequence[Task], place: Place, workers: Workers, kept: Path, tell: Tell
) -> dict[str, dict[str, Any]]:
    """Return the result of every part, by key; each is kept and opened as soon as it is there.

    Raises
    ------
    MissingInputError, MarketDataError
        If the market cannot be read.
    OutputError
        If a result cannot be kept.
    UsageError
        If a cluster cannot be reached as its address says.
    TryAgainError
        If workers die one after another, the cluster cannot be reached, or the market changes. What
        is done is kept.
    """
    sweep_away(kept)
    found: dict[str, dict[str, Any]] = {}
    left: list[Task] = []
    total = sum(len(task.keys) for task in tasks)
    for task in tasks:
        there = {key: read_result(kept, key) for key in task.keys}
        found |= {key: opened(content) for key, content in there.items() if content is not None}
        rest = [n for n, key in enumerate(task.keys) if there[key] is None]
        if rest:
            keys, texts = (tuple(of[n] for n in rest) for of in (task.keys, task.texts))
            left.append(Task(keys, texts, task.cost_bps, task.spreads))
    tell(len(found), total)
    if workers.scheduler is not None and left:
        workers.end()
        done = on_cluster(left, place, workers.scheduler)
    else:
        _spread_together({spread for task in left for spread in task.spreads}, place, workers)
        done = workers.done(partial(perform, place), left)
    for task, results in done:
        for key, content in zip(task.keys, results, strict=True):
            found[key] = opened(content)
            error = found[key].get("error")
            if not error or error["kind"] != BugError.__name__:  # code put right is another's
                write_result(kept, key, content)
        tell(len(found), total)
    return found


def _spread_together(spreads: Collection[tuple[str, str]], place: Place, workers: Workers) -> None:
    """Spread the market out by all processes that are here, before each would do so alone."""
    if not spreads or workers.jobs == 1:
        return
    with suppress(OSError, MissingInputError):  # then each does; without prices none
        grid = read_grid(place.folder)
        width = len(grid.symbols)
        blocks = [range(at, min(at + BLOCK, width)) for at in range(0, width, BLOCK)]
        for calendar, currency in sorted(spreads):
            with laid_out(grid, place.digest, calendar, currency) as laid:
                if laid is not None:
                    parts = dict(workers.done(partial(fill, place, laid), blocks))
                    write_spread(laid, grid, [parts[block] for block in blocks])
