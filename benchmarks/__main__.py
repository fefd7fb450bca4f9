"""Print what the commands and a very large index cost.

Leave with 1 if a command exceeds its bound.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import Case, cases
from benchmarks.measure import Cost, process_cost


def main() -> None:
    """Run every case of a part and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="?", choices=["commands", "large"], default="commands")
    parser.add_argument("--runs", type=int, default=5, help="processes a command")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[500, 1000, 2000, 5000], help="constituents"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.part == "large":
        _large(options.sizes, options.json)
    else:
        _commands(options.runs, options.json)


def _commands(runs: int, as_json: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kernels = {"NUMBA_CACHE_DIR": str(folder / "kernels")}
        found = []
        for case in cases(folder):
            # The one cold run compiles into the cache that the warm ones use.
            count = 1 if case.cold else runs
            cost = process_cost(case.command, runs=count, folder=name, environment=kernels)
            found.append((case, cost))
    if as_json:
        told = {case.name: dataclasses.asdict(cost) for case, cost in found}
        print(json.dumps(told, indent=2))
    else:
        print(f"{'case':<22}{'CPU min s':>11}{'median s':>10}{'bound s':>9}{'peak MiB':>10}")
        for case, cost in found:
            print(_line(case, cost))
    exceeded = [c.name for c, cost in found if c.bound is not None and cost.cpu_minimum > c.bound]
    if exceeded:
        sys.exit(f"over the bound: {', '.join(exceeded)}")


def _line(case: Case, cost: Cost) -> str:
    bound = "" if case.bound is None else f"{case.bound:.2f}"
    figures = f"{cost.cpu_minimum:>11.3f}{cost.cpu_median:>10.3f}{bound:>9}{cost.peak_mib:>10.0f}"
    return f"{case.name:<22}{figures}"


def _large(sizes: list[int], as_json: bool) -> None:
    """Measure each size in a process of its own: peak memory never falls within one."""
    from benchmarks.large import build_large  # polars would count in every child's peak memory

    if as_json and len(sizes) == 1:
        print(json.dumps(dataclasses.asdict(build_large(sizes[0]))))
        return
    found = []
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks", "large", "--json", "--sizes", str(size)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(told))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'constituents':>12}{'sessions':>10}{'CPU s':>8}{'µs a price':>12}{'peak MiB':>10}")
    for f in found:
        cells = f["constituents"] * f["sessions"]
        print(
            f"{f['constituents']:>12}{f['sessions']:>10}{f['cpu_seconds']:>8.1f}"
            f"{f['cpu_seconds'] / cells * 1e6:>12.2f}{f['peak_mib']:>10.0f}"
        )


if __name__ == "__main__":
    main()
