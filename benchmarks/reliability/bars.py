"""The bars, each a campaign: what it tries in full, or a slice of it.

A unit of work is named by text, so that any process can do it: ``scenario:part/of`` or ``seed``.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.reliability.campaign import Campaign, memory_below, part_of, parts
from benchmarks.reliability.faults import error_sweep, full_sweep, memory_sweep
from benchmarks.reliability.kill import kill_sweep
from benchmarks.reliability.planted import BUGS
from benchmarks.reliability.power import power_sweep
from benchmarks.reliability.publication import Publication, inputs_below, scenarios, warm
from benchmarks.reliability.record import ROOT, Found
from benchmarks.reliability.scenario import Publisher, Scenario

SEED = 20260507
SPLIT = 16  # parts of a large scenario: some minutes each
SHORT = ("first", "next", "week", "restate", "retire", "correct", "export", "study")
LARGE = ("backfill", "three-weeks", "restate-all", "export-over")


def campaigns(share: int = 1) -> dict[str, Campaign]:
    """Return all campaigns by id, in full, or about one part in ``share`` of each."""
    names = [scenario.name for scenario in scenarios()]
    spread = tuple(f"{name}:{n % share}/{share}" for n, name in enumerate(names))
    split = tuple(unit for name in names for unit in parts([name], SPLIT if name in LARGE else 2))
    few = names if share == 1 else SHORT
    small = tuple(f"{name}:{n % (4 * share)}/{4 * share}" for n, name in enumerate(SHORT))
    found = (
        Campaign("B1", "kill -9 at every change of files", split if share == 1 else spread, kill),
        Campaign("B3", "power lost at every change of files", tuple(few), lose_power, SEED),
        Campaign("B3-planted", "planted bugs that are not found", tuple(BUGS), find_planted, SEED),
        Campaign("B4", "failing calls", parts(SHORT, 8) if share == 1 else small, fail),
        Campaign("B5", "full disks", parts(["week"], 8) if share == 1 else ("week:3/40",), fill),
        Campaign(
            "B6", "little memory", parts(["week"], 4) if share == 1 else ("week:3/20",), choke
        ),
    )
    return {campaign.id: campaign for campaign in found}


def kill(unit: str) -> Found:
    """Do a part of B1."""
    return _swept(kill_sweep, unit)


def lose_power(unit: str) -> Found:
    """Do a part of B3."""
    scenario = next(s for s in scenarios() if s.name == unit)
    return power_sweep(_publication(place()), scenario, SEED, place())


def find_planted(unit: str) -> Found:
    """Return as wrong a planted bug that is not found."""
    scenario = next(s for s in scenarios() if s.name == "week")
    publication = replace(_publication(place()), planted=unit)
    found = power_sweep(publication, scenario, SEED, place())
    wrong = () if found.wrong else (f"{unit}: not found in {found.n} states",)
    figures = {"states": found.n, "states_that_show_it": len(found.wrong)}
    return Found(1, wrong, found.seconds, figures)


def fail(unit: str) -> Found:
    """Do a part of B4."""
    return _swept(error_sweep, unit)


def fill(unit: str) -> Found:
    """Do a part of B5."""
    return _swept(full_sweep, unit)


def choke(unit: str) -> Found:
    """Do a part of B6."""
    return _swept(memory_sweep, unit)


def _swept(
    sweep: Callable[[Publisher, Scenario, tuple[int, int], Path], Found], unit: str
) -> Found:
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
