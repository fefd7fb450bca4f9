"""Prove the kernels: every case against its reference and its rivals, then accuracy and growth."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import chart, table
from benchmarks.cases import CASES, OURS
from benchmarks.measure import EXACT, Effort, Laboratory, faults, is_right, measure, rivals_python
from benchmarks.scaling import AXES, scaling

ROLLING = ("pairwise", "one-pair", "against-one", "mean-pairwise")  # whose accuracy is compared


def prove(rivals: Path, effort: Effort, only: list[str], keep: Path | None) -> list[str]:
    """Measure and print everything, or the cases and parts named; return what is wrong with ours.

    Parameters
    ----------
    rivals : environment of the rivals
    only : names of cases, ``accuracy``, ``growth``; none means all
    keep : folder for the results; None keeps nothing

    Raises
    ------
    SystemExit
        If there is no case or part of a name, or no environment of the rivals and the effort is
        not quick: results without them would take their rows from the README.
    """
    if unknown := sorted(set(only) - set(table.NAMES)):
        raise SystemExit(f"no cases {', '.join(unknown)}: there are {', '.join(table.NAMES)}")
    if not rivals_python(rivals).is_file():
        lacking = f"{rivals_python(rivals)} is missing: benchmarks/rivals.sh makes its environment"
        if not effort.quick:
            raise SystemExit(lacking)
        print(f"with such rivals alone as this Python has: {lacking}", file=sys.stderr)
    wrong = []
    with tempfile.TemporaryDirectory() as kernels:
        laboratory = Laboratory(rivals, Path(kernels))
        machine = laboratory.ask(CASES[0].name, "about", {})
        print(machine["processor"], machine["versions"], sep="\n")
        for case in CASES:
            if only and case.name not in only:
                continue
            told = {**measure(case, laboratory, effort), "machine": machine}
            wrong += faults(told)
            print(f"\n{table.details(told)}", flush=True)
            _keep(keep, case.name, told)
        if not only or "accuracy" in only:
            found = dict(_accuracies(laboratory, effort))
            wrong += _inexact(found)
            print(f"\n{table.accuracies(found)}", flush=True)
            _keep(keep, "accuracy", found)
        if not only or "growth" in only:
            grown = [told for case in AXES for told in scaling(laboratory, effort, case)]
            print(f"\n{table.growth(grown)}")
            _keep(keep, "growth", grown)
            if keep:
                (keep / "cost.svg").write_text(chart.drawn(grown), encoding="utf-8")
    return wrong


def _keep(folder: Path | None, name: str, found: Any) -> None:
    if folder:
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _accuracies(laboratory: Laboratory, effort: Effort) -> Iterator[tuple[str, Any]]:
    """Yield each contender of each rolling case, with its differences by kind of data."""
    for name in ROLLING:
        found = laboratory.ask(name, "accuracy", {"quick": effort.quick})
        for contender, by_kind in found.items():
            yield f"{contender}, {name}", by_kind


def _inexact(found: dict[str, Any]) -> list[str]:
    return [
        f"{name} on {kind}: {told}"
        for name, by_kind in found.items()
        if name.startswith(f"{OURS}, ")
        for kind, told in by_kind.items()
        if not is_right(told, EXACT) or told["beyond"]
    ]
