"""The bars, each a campaign: what it tries in full, or a slice of it.

A unit of work is named by text, so that any process can do it: ``scenario:part/of`` or ``seed``.
"""

import functools
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.campaign import Campaign, memory_below, part_of, parts
from benchmarks.reliability.faults import error_sweep, full_sweep, memory_sweep
from benchmarks.reliability.kill import kill_sweep
from benchmarks.reliability.power import power_sweep
from benchmarks.reliability.publication import Publication, inputs_below, scenarios, warm
from benchmarks.reliability.record import ROOT, Found
from benchmarks.reliability.scenario import Publisher, Scenario

SEED = 20260507
SPLIT = 16  # parts of a large scenario: some minutes each
LARGE = ("backfill", "three-weeks", "restate-all", "export-over")


def campaigns(share: int = 1) -> dict[str, Campaign]:
    """Return all campaigns by id, in full, or one part in ``share`` of each."""
    names = [scenario.name for scenario in scenarios()]
    sliced = tuple(f"{name}:{n % share}/{share}" for n, name in enumerate(names))
    split = tuple(unit for name in names for unit in parts([name], SPLIT if name in LARGE else 2))
    found = (
        Campaign("B1", "kill -9 at every change of files", sliced if share > 1 else split, kill),
    )
    return {campaign.id: campaign for campaign in found}


def kill(unit: str) -> Found:
    """Do a part of B1."""
    return _swept(kill_sweep, unit)


def _swept(sweep: Callable[[Publisher, Scenario, tuple[int, int], Path], Found], unit: str) -> Found:
    name, part = part_of(unit)
    scenario = next(s for s in scenarios() if s.name == name)
    memory = place()
    return sweep(_publication(memory), scenario, part, memory)


@functools.cache
def _publication(memory: Path) -> Publication:
    """Return the publisher, this process made ready to fork it."""
    inputs = inputs_below(memory)
    warm(inputs)
    return Publication(inputs)


def place() -> Path:
    """Return the folder that campaigns work below."""
    folder = ROOT / "build" / "reliability"
    folder.mkdir(parents=True, exist_ok=True)
    return memory_below(folder)
