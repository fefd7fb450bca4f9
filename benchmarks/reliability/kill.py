"""Kill −9 at every change to files and half-way through every write (B1), or by chance (B2)."""

import random
import tempfile
import time
from pathlib import Path

from benchmarks.reliability.observe import observe
from benchmarks.reliability.record import Found
from benchmarks.reliability.scenario import Publisher, Scenario, Stage, differences
from benchmarks.reliability.tracing import Fault, forked


def kill_points(stage: Stage) -> list[Fault]:
    """Return a kill before every change, and one in the middle of each write of several bytes."""
    before = [Fault(n, "kill") for n in range(len(stage.changes))]
    middle = [Fault(n, "half") for n, change in enumerate(stage.changes) if change.size > 1]
    return before + middle


def kill_sweep(
    publisher: Publisher, scenario: Scenario, part: tuple[int, int], memory: Path
) -> Found:
    """Kill at the points of one part, and after each see what a reader sees and the next run heals.

    Parameters
    ----------
    part : (r, m): the points whose number leaves r when divided by m
    memory : folder to work below, best one held in memory
    """
    began = time.perf_counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(dir=memory) as root:
        stage = Stage(Path(root), publisher, scenario)
        points = kill_points(stage)[part[0] :: part[1]]
        for fault in points:
            flaws = killed(stage, fault)
            where = f"{scenario.name} {fault.act} {fault.at} {stage.changes[fault.at]}"
            wrong += [f"{where}: {'; '.join(flaws)}"] if flaws else []
    figures = {
        "max_healing_cpu_seconds": round(stage.longest, 3),
        "distinct_states": len(stage.healed),
    }
    return Found(len(points), tuple(wrong), time.perf_counter() - began, figures)


def killed(stage: Stage, fault: Fault) -> list[str]:
    """Kill once, look as a reader would, run again; return what was wrong."""
    ended = stage.disturb(fault)
    if ended.code != -9:
        return [f"was not killed: ended with {ended.code}: {ended.said[-300:]}"]
    return stage.flaws_on_the_way(observe(stage.place)) + stage.heal()


def random_kills(
    publisher: Publisher, scenario: Scenario, draws: tuple[int, int], memory: Path
) -> Found:
    """Kill at random instants of a run, and after each see what a reader sees and what heals.

    Some runs end before they are killed: then everything must be there.

    Parameters
    ----------
    draws : seed, and how many
    """
    began = time.perf_counter()
    seed, count = draws
    rng = random.Random(seed)  # noqa: S311
    wrong: list[str] = []
    ended_before = 0
    with tempfile.TemporaryDirectory(dir=memory) as root:
        stage = Stage(Path(root), publisher, scenario)
        lasts = _seconds(stage)
        for _ in range(count):
            instant = rng.uniform(0.0, 1.1 * lasts)
            stage.reset()
            ended = forked(stage.command, killed_after=instant)
            found = observe(stage.place)
            flaws = stage.flaws_on_the_way(found)
            if ended.code != -9:
                ended_before += 1
                flaws += [f"ended with {ended.code}: {ended.said[-300:]}"] if ended.code else []
                flaws += differences(stage.after, found)
            flaws += stage.heal()
            where = f"{scenario.name} after {instant:.4f} s of {lasts:.4f}"
            wrong += [f"{where}: {'; '.join(flaws)}"] if flaws else []
    figures = {
        "ended_before_the_kill": ended_before,
        "max_healing_cpu_seconds": round(stage.longest, 3),
        "distinct_states": len(stage.healed),
    }
    return Found(count, tuple(wrong), time.perf_counter() - began, figures)


def _seconds(stage: Stage) -> float:
    """Return how long an undisturbed run takes, the middle one of three."""
    taken = []
    for _ in range(3):
        stage.reset()
        began = time.perf_counter()
        forked(stage.command)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[1]
