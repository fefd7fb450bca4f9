"""Measuring cases, ours against rivals, in processes of their own."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import OURS, Case

ROOT = Path(__file__).parents[1]
RIGHT = 1e-8  # a rival whose error is larger is wrong, not slower
EXACT = 1e-10  # what ours must keep

_THREADS = "NUMBA_NUM_THREADS POLARS_MAX_THREADS OMP_NUM_THREADS OPENBLAS_NUM_THREADS"
_ONE_THREAD = dict.fromkeys(_THREADS.split(), "1")

Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to measure: what a quick run spares.

    Attributes
    ----------
    quick : at the quick sizes
    processes : that are timed, each from a warm cache of compiled kernels
    budget : seconds a contender may take in each, or one call
    """

    quick: bool
    processes: int
    budget: float


QUICK = Effort(quick=True, processes=1, budget=0.1)
FULL = Effort(quick=False, processes=5, budget=2.0)


def rivals_python(rivals: Path) -> Path:
    """Return where the interpreter of the rivals' environment is, if there is one."""
    return rivals.absolute() / "bin" / "python"


class Laboratory:
    """Where measuring processes run: the rivals' Python if it is there, and a cache."""

    def __init__(self, rivals: Path, cache: Path) -> None:
        self.rivals = rivals
        inside = rivals_python(rivals)
        self.python = str(inside if inside.is_file() else sys.executable)
        self.cache = cache

    def ask(self, case: str, mode: str, request: Request, *, threads: int = 1) -> Any:
        """Return the answer of one process; see `benchmarks.timing`.

        Raises
        ------
        RuntimeError
            If the process fails, with the end of what it wrote.
        """
        environment = {
            **os.environ,
            **_ONE_THREAD,
            "NUMBA_NUM_THREADS": str(threads),
            "NUMBA_CACHE_DIR": str(self.cache),
            "XDG_CACHE_HOME": str(self.cache),
            "NUMBAGG_CACHE": "1",
        }
        told = {"case": case, "mode": mode, **request}
        done = subprocess.run(
            [self.python, "-m", "benchmarks.timing", json.dumps(told)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{case}, {mode}: {done.stderr.strip()[-2000:]}")
        return json.loads(done.stdout)


def measure(case: Case, laboratory: Laboratory, effort: Effort) -> Request:
    """Compile, check against the reference, time in turns, and return everything as JSON has it."""
    request: Request = {"quick": effort.quick}
    checked = laboratory.ask(case.name, "check", request)
    right = [name for name, found in checked.items() if name != OURS and is_right(found)]
    request |= {"budget": effort.budget}
    timed = [
        laboratory.ask(case.name, "clock", {**request, "names": right})
        for _ in range(effort.processes)
    ]
    size = case.quick if effort.quick else case.size
    contenders = {name: _contender(case, name, checked[name], timed) for name in checked}
    ours = contenders[OURS]["cpu_minimum"]
    for contender in contenders.values():
        if "cpu_minimum" in contender:
            contender["ratio"] = contender["cpu_minimum"] / ours
    absent = [c.name for c in case.rivals if c.name not in checked]
    limits = {f"limit {kind}" for kind in case.floor(size)}
    return {
        "case": case.name,
        "title": case.titled(size),
        "contenders": contenders,
        "absent": [name for name in absent if not size.missing or _takes_holes(case, name)],
        "share": {
            name.removeprefix("limit "): _least(timed, name, 0) / ours for name in sorted(limits)
        },
        "first_call": _first_call(case, laboratory) if case.compiled and not effort.quick else None,
        "same_bits": len({run["digest"] for run in timed}) == 1,
        "threads": _threads(case, laboratory, request, effort.processes),
    }


def _first_call(case: Case, laboratory: Laboratory) -> Request:
    """Return the CPU seconds of the first call in a process: compiling, and from the cache."""
    with tempfile.TemporaryDirectory() as empty:
        cold = Laboratory(laboratory.rivals, Path(empty)).ask(case.name, "first", {})
    return {"cold": cold["cpu"], "warm": laboratory.ask(case.name, "first", {})["cpu"]}


def _takes_holes(case: Case, name: str) -> bool:
    return next(c.holes for c in case.rivals if c.name == name)


def is_right(found: Mapping[str, Any], tolerance: float = RIGHT) -> bool:
    """Return whether an answer has exact nulls, none beyond one, and a small error."""
    return (
        "failed" not in found
        and found["error"] <= tolerance
        and not (found["lost"] or found["invented"])
    )


def _least(timed: list[Any], name: str, clock: int) -> float:
    return float(min(sample[clock] for run in timed for sample in run["samples"][name]))


def _contender(case: Case, name: str, checked: Request, timed: list[Any]) -> Request:
    """Return one contender's correctness and costs, multiplied up where it did a part."""
    rival = next(c for c in (case.ours, *case.rivals) if c.name == name)
    found: Request = {**checked, "right": is_right(checked), "reuses": rival.reuses}
    samples = [sample for run in timed for sample in run["samples"].get(name, [])]
    if not samples:
        return found
    cpu, wall = ([sample[clock] for sample in samples] for clock in (0, 1))
    return found | {
        "part_of": timed[0]["factors"][name],
        "linear": rival.linear,
        "samples": len(samples),
        "cpu_minimum": min(cpu),
        "cpu_median": statistics.median(cpu),
        "wall_minimum": min(wall),
        "wall_median": statistics.median(wall),
    }


def _threads(
    case: Case, laboratory: Laboratory, request: Request, processes: int
) -> Request | None:
    """Return how much sooner two threads are done than one, and whether with the same bits.

    Processes of one thread and of two take turns: kernels may read numba's count when they are
    loaded.
    """
    if case.threaded is None or (os.cpu_count() or 1) < 2:
        return None
    runs: dict[int, list[Any]] = {1: [], 2: []}
    for _ in range(processes):
        for count, found in runs.items():
            asked = {**request, "threads": count}
            found.append(laboratory.ask(case.name, "threads", asked, threads=count))
    one, two = (_least(found, OURS, 1) for found in runs.values())
    digests = {run["digest"] for found in runs.values() for run in found}
    return {"ratio": one / two, "same_bits": len(digests) == 1}


def faults(measured: Request) -> list[str]:
    """Return what is wrong with ours in a case: nothing, if all is well."""
    ours = measured["contenders"][OURS]
    tests: dict[str, Callable[[], bool]] = {
        f"error {ours['error']:.1e}, nulls lost {ours['lost']} and invented {ours['invented']}": (
            lambda: is_right(ours, EXACT)
        ),
        "other bits in another process": lambda: measured["same_bits"],
        "other bits on two threads": lambda: (measured["threads"] or {}).get("same_bits", True),
    }
    return [f"{measured['case']}: {fault}" for fault, right in tests.items() if not right()]
