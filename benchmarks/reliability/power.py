"""The power goes at every step of a command: unsynchronised writes and names are lost (B3)."""

import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.durable import Disk, Kept, write_disk
from benchmarks.reliability.observe import observe
from benchmarks.reliability.record import Found
from benchmarks.reliability.scenario import Publisher, Scenario, Stage, differences
from benchmarks.reliability.tracing import forked
from benchmarks.reliability.volume import Step, recorded, steps

DRAWN = 2  # states between the corners at each step


def power_sweep(
    publisher: Publisher, scenario: Scenario, seed: int, memory: Path, every: int = 1
) -> Found:
    """Cut the power after each step of the disturbed command, and run it again on what is left.

    Once the command has said that it is done, all it did must be there without another run.

    Parameters
    ----------
    every : look after one step in so many, and after the last
    """
    began = time.perf_counter()
    wrong: list[str] = []
    n = 0
    with tempfile.TemporaryDirectory(dir=memory) as root:
        stage = Stage(Path(root), publisher, scenario)
        done = recorded_steps(stage, Path(root))
        rng = random.Random(seed)  # noqa: S311
        for where, kept, said_done in losses(stage.ready, done, rng, every):
            n += 1
            flaws = _lost(stage, kept, said_done=said_done)
            wrong += [f"{scenario.name} {where}: {'; '.join(flaws)}"] if flaws else []
    return Found(n, tuple(wrong), time.perf_counter() - began)


def recorded_steps(stage: Stage, root: Path) -> list[Step]:
    """Run the disturbed command on a volume that writes down its steps.

    Raises
    ------
    RuntimeError
        If the command fails there, or leaves other things than elsewhere.
    """
    shutil.rmtree(stage.place)
    stage.place.mkdir()
    backing, log = root / "backing", root / "log"
    shutil.copytree(stage.ready, backing)
    with recorded(backing, stage.place, log):
        ended = forked(stage.command)
    if ended.code:
        raise RuntimeError(f"{stage.scenario.name} on a volume: {ended.said}")
    if flaws := differences(stage.after, observe(backing)):
        raise RuntimeError(f"{stage.scenario.name} on a volume: {'; '.join(flaws)}")
    return steps(log)


def losses(
    ready: Path, done: list[Step], rng: random.Random, every: int
) -> Iterator[tuple[str, Kept, bool]]:
    """Yield where the power went, what was left, and whether the command had said it was done.

    What was left in the same way before is left out.
    """
    disk = Disk(ready)
    seen: set[tuple[Kept, bool]] = set()
    for n, step in enumerate(done):
        disk.do(step)
        last = n == len(done) - 1
        if n % every and not last:
            continue
        for kept in disk.left(rng, DRAWN):
            if (kept, last) not in seen:
                seen.add((kept, last))
                yield f"after step {n} {step[:2]}", kept, last


def _lost(stage: Stage, kept: Kept, *, said_done: bool) -> list[str]:
    shutil.rmtree(stage.place)
    stage.place.mkdir()
    write_disk(kept, stage.place)
    try:
        found = observe(stage.place)
    except sqlite3.DatabaseError as error:
        return [f"the ledger is not whole: {error}"]
    flaws = stage.flaws_on_the_way(found)
    if said_done:
        flaws += [f"was done, then lost: {line}" for line in differences(stage.after, found)]
    return flaws + stage.heal()
