"""Campaigns: what they try, in parts that processes share and that a later run takes up again."""

import hashlib
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.record import Found, Journal, commit, tally, version

CODE = ("indexer", "baskets", "seeds", "benchmarks", ":!benchmarks/results", "requirements*.txt")
_MEMORY = Path("/dev/shm")  # noqa: S108 (the system's folder in memory)


@dataclass(frozen=True, slots=True)
class Campaign:
    """One bar.

    Attributes
    ----------
    units : names of the parts, each done whole by one process
    work : does the part of a name
    alone : whether a part measures time, so that none may run beside it
    code : the files that what is found depends on
    """

    id: str
    title: str
    units: tuple[str, ...]
    work: Callable[[str], Found]
    seed: int | None = None
    alone: bool = False
    code: tuple[str, ...] = CODE


def run(campaign: Campaign, journals: Path, processes: int) -> dict[str, Any]:
    """Do what is left of a campaign and return what is kept of it.

    Each unit runs in a process that has forked and threaded nothing but by what it does itself.

    Raises
    ------
    BaseExceptionGroup
        With what units raised, after what the others found has been kept.
    """
    at, journal = commit(), Journal(journals / f"{campaign.id}.jsonl", version(campaign.code))
    left = [unit for unit in campaign.units if unit not in journal.done]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1 if campaign.alone else processes, context) as pool:
        futures = {pool.submit(campaign.work, unit): unit for unit in left}
        for future in as_completed(futures):
            if future.exception() is None:
                unit, found = futures[future], future.result()
                journal.write(unit, found)
                _tell(campaign, journal, unit, found)
    if broken := [error for future in futures if (error := future.exception())]:
        raise BaseExceptionGroup(f"{campaign.id}: of {len(left)} units", broken)
    founds = [journal.done[unit] for unit in campaign.units]
    return tally(campaign.id, campaign.title, founds, seed=campaign.seed, at=at)


def _tell(campaign: Campaign, journal: Journal, unit: str, found: Found) -> None:
    done = f"{len(journal.done)}/{len(campaign.units)}"
    told = f"{campaign.id} {done} {unit}: {found.n} tried, {len(found.wrong)} wrong"
    print(
        f"{told}, {found.seconds:.1f} s", *found.wrong[:3], sep="\n  ", file=sys.stderr, flush=True
    )


def memory_below(folder: Path) -> Path:
    """Return a folder in memory for this one, or itself where there is no such place."""
    if not _MEMORY.is_dir():
        return folder
    place = _MEMORY / f"indexer-{hashlib.sha256(bytes(folder.absolute())).hexdigest()[:12]}"
    place.mkdir(exist_ok=True)
    return place


def parts(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the units of a sweep: each scenario in so many parts, ``name:part/count``."""
    return tuple(f"{name}:{n}/{count}" for name in names for n in range(count))


def part_of(unit: str) -> tuple[str, tuple[int, int]]:
    """Return the scenario and the part that a unit names.

    Examples
    --------
    >>> part_of("first:2/8")
    ('first', (2, 8))
    """
    name, _, part = unit.rpartition(":")
    n, _, count = part.partition("/")
    return name, (int(n), int(count))
