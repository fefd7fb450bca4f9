"""What one measuring process does: ``python -m benchmarks.timing REQUEST`` prints JSON.

A process of its own tells compiled code that was loaded from code that was compiled, has a peak
memory of its own, and takes part in nothing the one before it left behind.
"""

import gc
import hashlib
import json
import math
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.accuracy import accuracy
from benchmarks.cases import Case, case_of
from benchmarks.contenders import Contender, Ready, present
from benchmarks.reference import difference, require_extended

ROUNDS = 15  # at most
_PATIENCE = 10.0  # seconds within which a first call is followed by one that tells the cost
_SHORT = 0.1  # seconds of a call that caches may decide
_SAMPLE = 0.004  # seconds a sample takes at least; shorter calls are repeated within it

Samples = list[tuple[float, float]]  # CPU and wall seconds of a call


def interleaved(runs: dict[str, Callable[[], object]], budget: float) -> dict[str, Samples]:
    """Time calls in turns, each for so many seconds or once, after one or two that do not count.

    A short one is called as often once more before each turn: who came before it, and left its
    own arrays in the caches or these, would otherwise decide by a factor of two.
    """
    rounds, repeats, short = {}, {}, set()
    for name, run in runs.items():
        once = _cost(run, 1)[1]
        if once < _PATIENCE:  # the first call loaded what is compiled
            once = max(_cost(run, 1)[1], 1e-7)
        repeats[name] = math.ceil(_SAMPLE / once)
        short |= {name} if once < _SHORT else set()
        rounds[name] = max(1, min(ROUNDS, int(budget / once / repeats[name])))
    found: dict[str, Samples] = {name: [] for name in runs}
    gc.disable()
    for n in range(max(rounds.values())):
        for name, run in runs.items():
            if n < rounds[name]:
                for _ in range(repeats[name] if name in short else 0):
                    run()
                found[name].append(_cost(run, repeats[name]))
    gc.enable()
    return found


def _cost(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        run()
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return spent[0] / repeats, spent[1] / repeats


def _inputs(contender: Contender, drawn: Any) -> Any:
    return drawn if contender.series is None else drawn.narrowed(contender.series)


def first_call(case: Case, _: dict[str, Any]) -> dict[str, float]:
    """Return what the first call takes: it loads the compiled body, or compiles it."""
    import numba  # noqa: F401 (its own import is no part of it)

    ready = case.ours.prepare(case.draw(case.quick))
    cpu, wall = _cost(ready.run, 1)
    return {"cpu": cpu, "wall": wall}


def check(case: Case, request: dict[str, Any]) -> dict[str, Any]:
    """Compare everyone's answer with the reference, and see what memory it took."""
    require_extended()
    size = case.quick if request["quick"] else case.size
    drawn, small = case.draw(size), case.draw(case.quick)
    expected: dict[int | None, Any] = {}
    found = {}
    for contender in present((case.ours, *case.rivals), missing=bool(size.missing)):
        given = _inputs(contender, drawn)
        if contender.series not in expected:
            expected[contender.series] = case.reference(given)
        try:
            contender.prepare(_inputs(contender, small)).run()
            found[contender.name] = _checked(case, contender, given, expected[contender.series])
        except Exception as error:  # whatever a rival raises is its result
            if contender is case.ours:
                raise
            found[contender.name] = {"failed": f"{type(error).__name__}: {error}"[:200]}
    return found


def _checked(case: Case, contender: Contender, given: Any, expected: Any) -> dict[str, Any]:
    ready = contender.prepare(given)
    before = machine.reset_peak()
    answer = ready.run()
    after = machine.peak()
    told = difference(ready.read(answer), expected, relative=case.relative)
    more = None if before is None or after is None else max(0.0, after - before)
    return {**told._asdict(), "peak_mib": more}


def clock(case: Case, request: dict[str, Any]) -> dict[str, Any]:
    """Time everyone named, and the limits of the machine, in turns."""
    size = case.quick if request["quick"] else case.size
    drawn = case.draw(size)
    ours = case.ours.prepare(drawn)
    runs: dict[str, Callable[[], object]] = {case.ours.name: ours.run}
    factors = {case.ours.name: 1.0}
    for contender in case.rivals:
        if contender.name in request["names"]:
            given = _inputs(contender, drawn)
            runs[contender.name] = contender.prepare(given).run
            factors[contender.name] = case.outputs(drawn) / case.outputs(given)
    for kind, count in case.floor(size).items():
        name = f"limit {kind}"
        runs[name], factors[name] = machine.limit(kind, count)
    found = interleaved(runs, request["budget"])
    samples = {
        name: [(cpu * factors[name], wall * factors[name]) for cpu, wall in calls]
        for name, calls in found.items()
    }
    return {"samples": samples, "factors": factors, "digest": digest(ours)}


def digest(ready: Ready) -> str:
    """Return a fingerprint of the bits of an answer."""
    answer = ready.read(ready.run())
    # A NaN has many forms and one meaning.
    bits = np.ascontiguousarray(np.where(np.isnan(answer), np.nan, answer))
    return hashlib.sha256(bits.tobytes()).hexdigest()


def threads(case: Case, request: dict[str, Any]) -> dict[str, Any]:
    """Time ours alone on so many threads, as many as numba is started with."""
    if case.threaded is None:
        return {}
    drawn = case.draw(case.quick if request["quick"] else case.size)
    ready = case.threaded(drawn, request["threads"])
    samples = interleaved({case.ours.name: ready.run}, request["budget"])
    return {"samples": samples, "digest": digest(ready)}


def scale(case: Case, request: dict[str, Any]) -> dict[str, Any]:
    """Time ours at several sizes in turns, the others being those of the case; axis by axis."""
    size = case.quick if request["quick"] else case.size
    found = {}
    for axis, values in request["axes"].items():
        runs, outputs = {}, {}
        for value in values:
            changed = replace(size, **{axis: value})
            given = case.draw(changed)
            runs[str(value)] = case.ours.prepare(given).run
            outputs[str(value)] = case.outputs(given) * changed.sessions
        samples = interleaved(runs, request["budget"])
        found[axis] = {"samples": samples, "outputs": outputs}
    return found


def about(_: Case, __: dict[str, Any]) -> dict[str, Any]:
    """Describe the machine, as seen from the environment that is measured."""
    return machine.described()


MODES: dict[str, Callable[[Case, dict[str, Any]], dict[str, Any]]] = {
    "about": about,
    "accuracy": accuracy,
    "check": check,
    "clock": clock,
    "first": first_call,
    "scale": scale,
    "threads": threads,
}


def main() -> None:
    """Do what the request says and print the result."""
    warnings.simplefilter("ignore")  # numbagg warns of the cache it is given
    request = json.loads(sys.argv[1])
    print(json.dumps(MODES[request["mode"]](case_of(request["case"]), request)))


if __name__ == "__main__":
    main()
