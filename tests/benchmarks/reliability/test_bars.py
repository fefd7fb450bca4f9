"""A slice of every campaign; in full they are run by ``python -m benchmarks reliability``."""

import inspect
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.reliability import bars, volume
from benchmarks.reliability.calls import AVAILABLE
from benchmarks.reliability.record import ROOT, files
from benchmarks.reliability.server import programs

TRACED, MOUNTED, SERVED = {"B1", "B4", "B5"}, {"B3", "B3-planted"}, {"B16", "B17"}
UNITS = [(id, unit) for id, units in bars.SLICE.items() for unit in units]


def lacking(id: str, unit: str) -> str:
    """Return what a unit needs of the machine that is not there."""
    fuse = (volume.available() if AVAILABLE else "no Linux") if id in MOUNTED else ""
    groups = os.access("/sys/fs/cgroup/memory", os.W_OK)
    lacks = {
        "stopping at system calls is written for x86-64 Linux": id in TRACED and not AVAILABLE,
        f"needs FUSE: {fuse}": bool(fuse),
        "the extra `web` is not installed": id in SERVED and find_spec("fastapi") is None,
        "schemathesis is not installed": unit[:5] == "cases" and find_spec("schemathesis") is None,
        "needs control groups of version 1": unit.startswith("groups") and not groups,
        "needs PostgreSQL's programs": unit.startswith("postgresql") and programs() is None,
    }
    return next((why for why, lacking in lacks.items() if lacking), "")


@pytest.mark.attack("E1", "E2", "E3", "E7")
@pytest.mark.parametrize(("id", "unit"), UNITS)
def test_nothing_goes_wrong(apart, id, unit):
    if why := lacking(id, unit):
        pytest.skip(why)
    found = apart(bars.campaigns()[id].work, unit)

    assert not found.wrong
    assert found.n > 0


def test_every_bar_has_a_slice():
    assert bars.SLICE.keys() == bars.campaigns().keys()


def ran(unit: str) -> set[str]:
    """Do a unit of B8 and return which files of the project had a function called."""
    seen = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # no import
            seen.add(frame.f_code.co_filename.removeprefix(f"{ROOT}/"))

    bars.live(unit)  # what is compiled or imported is so from here on
    sys.setprofile(note)
    bars.live(unit)
    sys.setprofile(None)
    return {path for path in seen if path.startswith(("indexer/", "benchmarks/"))}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git tells which files there are")
def test_a_journal_of_evenings_goes_by_every_file_that_they_run(apart):
    hands_on = {"benchmarks/reliability/bars.py", "benchmarks/reliability/campaign.py"}

    called = apart(ran, "3:1:1")

    assert {"benchmarks/reliability/years.py", "indexer/ledger/publish.py"} <= called
    assert called - hands_on <= set(files(bars.LIVED))


def loaded(id: str, unit: str) -> set[str]:
    """Do a unit and return which files of the package are loaded then."""
    bars.campaigns()[id].work(unit)
    found = {
        Path(str(module.__file__))
        for module in list(sys.modules.values())
        if getattr(module, "__file__", None)
    }
    return {str(path.relative_to(ROOT)) for path in found if path.is_relative_to(ROOT / "indexer")}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git tells which files there are")
def test_a_journal_of_publishing_goes_by_every_file_that_is_loaded():
    units = {"B1": "study:7/160", "B12": "1:1", "B14": "1:5"}  # the first forks, before the others
    if why := next(filter(None, (lacking(*one) for one in units.items())), ""):
        pytest.skip(why)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        *_, found = [pool.submit(loaded, *one).result() for one in units.items()]  # of all by then

    assert "indexer/run/publish.py" in found
    assert found <= set(files(bars.PUBLISHED))


def test_every_scenario_is_killed_in_full():
    """All of them, and no part twice."""
    units = bars.campaigns()["B1"].units

    assert len(set(units)) == len(units)
    assert {unit.split(":")[0] for unit in units} == {s.name for s in bars.scenarios()}
