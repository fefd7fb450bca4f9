"""A slice of every campaign; in full they are run by ``python -m benchmarks reliability``."""

import inspect
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.reliability import bars, volume
from benchmarks.reliability.calls import AVAILABLE
from benchmarks.reliability.record import ROOT, Found, files
from benchmarks.reliability.server import programs

TRACED, MOUNTED, SERVED = {"B1", "B4", "B5"}, {"B3", "B3-planted"}, {"B16", "B17"}
UNITS = [(id, unit) for id, units in bars.SLICE.items() for unit in units]


def lacking(id: str, unit: str) -> str:
    """Return what a unit needs of the machine that is not there."""
    if id in TRACED and not AVAILABLE:
        return "stopping at system calls is written for x86-64 Linux"
    if id in MOUNTED and (why := volume.available() or "" if AVAILABLE else "no Linux"):
        return f"needs FUSE: {why}"
    if id in SERVED and find_spec("fastapi") is None:
        return "the extra `web` is not installed"
    if unit.startswith("cases") and find_spec("schemathesis") is None:
        return "schemathesis is not installed"
    if unit.startswith("postgresql") and programs() is None:
        return "needs PostgreSQL's programs"
    return ""


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


def ran(unit: str) -> Found:
    """Do a unit of B8, and say by ``wrong`` which of the project's files had a function called."""
    seen = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # no import
            seen.add(Path(frame.f_code.co_filename))

    bars.live(unit)  # what is compiled or imported is so from here on
    sys.setprofile(note)
    bars.live(unit)
    sys.setprofile(None)
    ours = (path.relative_to(ROOT) for path in seen if path.is_relative_to(ROOT))
    return Found(1, tuple(sorted(map(str, ours))))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git tells which files there are")
def test_a_journal_of_evenings_goes_by_every_file_that_they_run(apart):
    listed = set(files(bars.LIVED))
    beside = {"benchmarks/reliability/bars.py", "benchmarks/reliability/campaign.py"}
    beside |= {__file__.removeprefix(f"{ROOT}/")}

    called = {path for path in apart(ran, "3:1:1").wrong if not path.startswith(".venv")}

    assert called
    assert called - beside <= listed


def test_every_scenario_is_killed_in_full():
    """All of them, and no part twice."""
    units = bars.campaigns()["B1"].units

    assert len(set(units)) == len(units)
    assert {unit.split(":")[0] for unit in units} == {s.name for s in bars.scenarios()}
