"""The bars, each a campaign, in full and as a slice that takes some seconds.

A unit of work is named by text, so that any process can do it: ``scenario:part/of``, or figures.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.reliability.abuse import abused
from benchmarks.reliability.campaign import Campaign, memory_below, part_of, parts, run
from benchmarks.reliability.clock import ZONES, clocks
from benchmarks.reliability.contest import contest
from benchmarks.reliability.faults import error_sweep, full_sweep, group_sweep, memory_sweep
from benchmarks.reliability.flips import flips
from benchmarks.reliability.kill import kill_sweep, random_kills
from benchmarks.reliability.load import measured
from benchmarks.reliability.planted import BUGS
from benchmarks.reliability.power import power_sweep
from benchmarks.reliability.publication import Publication, inputs_below, scenarios, warm
from benchmarks.reliability.record import ROOT, Found
from benchmarks.reliability.replay import replay
from benchmarks.reliability.scenario import Publisher, Scenario
from benchmarks.reliability.steps import steps
from benchmarks.reliability.years import years

SEED = 20260507


def _without(folder: str, *names: str) -> tuple[str, ...]:
    """Return pathspecs that leave out files of a folder of the package."""
    return tuple(f":!indexer/{folder}/{name}.py" for name in names)


# What campaigns go by, as long as they take hours; tests hold that it is all they run or load.
LIVED = (  # what the evenings of B8 run
    *(f"benchmarks/reliability/{name}.py" for name in ("expected", "judge", "vendor", "world")),
    *("benchmarks/reliability/years.py", "indexer/arrays.py", "indexer/digest.py"),
    *("indexer/definitions/*.py", *_without("definitions", "schema", "study", "sweep", "vary")),
    *("indexer/errors.py", "indexer/index", *_without("index", "batch", "explain", "proforma")),
    "indexer/kernels/level.py",
    *("indexer/ledger", *_without("ledger", "pages", "verify")),
    *("indexer/market", ":!indexer/market/sources"),
    *_without("market", "cache", "excerpt", "grid", "overlays", "spread", "store"),
    *(f"indexer/run/{name}.py" for name in ("desk", "entries", "gate", "policy", "publish")),
    *(f"indexer/run/{name}.py" for name in ("revise", "sessions", "stored")),
    *("indexer/words.py", "requirements.txt"),
)
PUBLISHED = (  # what publishers load: the whole but for fetching, drawing, serving and sweeping
    *("baskets", "seeds", "benchmarks/reliability", "requirements.txt", "indexer"),
    *(f":!indexer/{name}" for name in ("sweep", "web")),
    *_without("definitions", "schema", "vary"),
    *_without("index", "batch"),
    *_without("kernels", "batch", "blocks", "fill"),
    *_without("ledger", "pages"),
    *_without("market", "cache", "excerpt", "grid", "overlays", "spread", "store"),
    *_without("market/sources", "agree", "akshare", "bars", "bodies", "cells", "check", "child"),
    *_without("market/sources", "continuity", "facts", "filings", "framing", "guard", "keyed"),
    *_without("market/sources", "origin", "plain", "quotes", "rates", "worker"),
    *_without("report", "charts", "drawing", "factsheet", "grid", "headings", "notebook"),
    *_without("report", "overview", "sheets", "workbook"),
    *(f":!indexer/report/*.{kind}" for kind in ("css", "js")),
    *_without("run", "announced", "begin", "believed", "calendars", "doctor", "fetch"),
    *_without("run", "gather", "needs", "payouts", "publication", "report", "supply"),
)
SHORT = ("first", "next", "week", "restate", "retire", "correct", "export", "study")
LARGE = {"backfill": 16, "three-weeks": 16, "restate-all": 8, "export-over": 24, "study-week": 8}
SHOWING = {"files before the ledger": "next:6", "two transactions": "week:1"}  # else retire
CONTESTS = tuple(
    f"{kind}:{publishers}:{days}"
    for kind in ("sqlite", "postgresql")
    for publishers, days in ((2, 4000), (4, 4000), (8, 2000))
)
LOADS = (
    *(f"steady:{n}:200:60:25" for n in range(1, 6)),
    *(f"publish:{n}:200:60:50" for n in range(1, 6)),
    *(f"full:{n}:0:20:1500" for n in range(1, 6)),
)
ABUSES = (
    *(f"cases:{n}:60" for n in range(1, 16)),
    "slow:3000:60:50",
    *(f"hostile:{n}:10000" for n in range(1, 11)),
)


def campaigns() -> dict[str, Campaign]:
    """Return all campaigns by id."""
    names = [scenario.name for scenario in scenarios()]
    kills = tuple(unit for name in names for unit in parts([name], LARGE.get(name, 2)))
    losses = tuple(f"{name}:{16 if name in LARGE else 1}" for name in names)
    draws = tuple(f"{name}:{n}/114" for name in names for n in (1, 2))
    lives = tuple(f"{n}:20:10" for n in range(1, 53))  # 19.46 years are lived through in each
    small = (*parts(["week"], 4), *parts(["groups week"], 2))
    publishing = (
        Campaign("B1", "kill -9 at every change of files", kills, kill),
        Campaign("B2", "kill -9 at random instants", draws, kill_at_random, SEED),
        Campaign("B3", "power lost at every change of files", losses, lose_power, SEED),
        Campaign("B3-planted", "planted bugs found in lost writes", tuple(BUGS), find, SEED),
        Campaign("B4", "failing calls, once and for ever", parts(SHORT, 8), fail),
        Campaign("B5", "full disks and largest files", parts(["week"], 8), fill),
        Campaign("B6", "little memory", small, choke),
        Campaign("B7", "clocks", ZONES, tell_time),
        Campaign(
            "B12", "random steps beside a model", tuple(f"{n}:50" for n in range(1, 109)), walk, 1
        ),
        Campaign("B13", "publishers at once", CONTESTS, race, alone=True),
        Campaign("B14", "flipped bits", tuple(f"{n}:500" for n in range(1, 21)), flip, 1),
        Campaign("B15", "levels built again", ("1:1:1000", "1:2:1000"), build_again, 1),
    )
    found = (
        *(replace(campaign, code=PUBLISHED) for campaign in publishing),
        Campaign("B8", "simulated years", lives, live, 1, code=LIVED),
        Campaign("B16", "requests answered in time", LOADS, answer, 1, alone=True),
        Campaign("B17", "requests made, slow and hostile", ABUSES, abuse, 1),
    )
    return {campaign.id: campaign for campaign in found}


SLICE = {
    "B1": ("retire:1/25", "restate:3/60", "study:7/160"),
    "B2": ("week:3/8",),
    "B3": ("retire:8",),
    "B3-planted": ("files before the ledger", "synchronous off"),
    "B4": ("next:5/100", "export:7/200"),
    "B5": ("week:3/120",),
    "B6": ("week:3/50", "groups week:3/7"),
    "B7": ("America/New_York",),
    "B8": ("3:1:3",),
    "B12": ("1:3",),
    "B13": ("sqlite:3:25", "postgresql:3:25"),
    "B14": ("1:50",),
    "B15": ("1:1:30",),
    "B16": ("steady:1:100:1:5000", "full:1:0:1:20"),
    "B17": ("cases:1:3", "slow:100:8:5000", "hostile:1:300"),
}


def tried(only: Sequence[str], *, quick: bool, processes: int) -> Iterator[dict[str, Any]]:
    """Do what is left of campaigns, all or some of them, and yield what is kept of each.

    Raises
    ------
    SystemExit
        If there is no bar of a name.
    """
    every = campaigns()
    if unknown := sorted(set(only) - set(every)):
        raise SystemExit(f"no bars {', '.join(unknown)}: there are {', '.join(every)}")
    journals = ROOT / ("build/reliability/slice" if quick else "benchmarks/results/journals")
    inputs_below(place())
    for one in (every[name] for name in (only or every)):
        chosen = replace(one, units=SLICE[one.id]) if quick else one
        yield run(chosen, journals, processes)


def kill(unit: str) -> Found:
    """Do a part of B1."""
    return _swept(kill_sweep, unit)


def kill_at_random(unit: str) -> Found:
    """Do a scenario of B2, with a seed and so many draws: ``scenario:seed/draws``."""
    return _swept(random_kills, unit)


def lose_power(unit: str) -> Found:
    """Do a scenario of B3, after one step in so many: ``scenario:every``."""
    name, _, every = unit.partition(":")
    return power_sweep(_publication(place()), _scenario(name), SEED, place(), int(every))


def find(unit: str) -> Found:
    """Return as wrong a planted bug that is not found."""
    publication = replace(_publication(place()), planted=unit)
    name, every = SHOWING.get(unit, "retire:1").split(":")
    found = power_sweep(publication, _scenario(name), SEED, place(), int(every))
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
    """Do a part of B6; that of a control group begins with ``groups``."""
    if unit.startswith("groups "):
        return _swept(group_sweep, unit.removeprefix("groups "))
    return _swept(memory_sweep, unit)


def tell_time(unit: str) -> Found:
    """Do a zone of B7."""
    return clocks(_publication(place()), _scenario("next"), unit, place())


def live(unit: str) -> Found:
    """Do a seed of B8: ``seed:years:indices``."""
    seed, count, indices = map(int, unit.split(":"))
    return years(seed, (date(2006, 1, 4), date(2005 + count, 12, 31)), indices, place())


def walk(unit: str) -> Found:
    """Do a seed of B12: ``seed:walks``."""
    seed, walks = map(int, unit.split(":"))
    return steps(seed, walks, place())


def race(unit: str) -> Found:
    """Do a contest of B13: ``kind:publishers:days``."""
    kind, publishers, days = unit.split(":")
    return contest(kind, int(publishers), int(days), place())


def flip(unit: str) -> Found:
    """Do a seed of B14: ``seed:bits``."""
    seed, count = map(int, unit.split(":"))
    return flips(seed, count, place())


def build_again(unit: str) -> Found:
    """Do a part of B15: ``seed:threads:levels``."""
    seed, threads, count = map(int, unit.split(":"))
    return replay(seed, threads, count, place())


def answer(unit: str) -> Found:
    """Do a unit of B16."""
    return measured(unit.split(":"), place())


def abuse(unit: str) -> Found:
    """Do a unit of B17."""
    return abused(unit, place())


Sweep = Callable[[Publisher, Scenario, tuple[int, int], Path], Found]


def _swept(sweep: Sweep, unit: str) -> Found:
    name, part = part_of(unit)
    return sweep(_publication(place()), _scenario(name), part, place())


def _scenario(name: str) -> Scenario:
    return next(scenario for scenario in scenarios() if scenario.name == name)


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
