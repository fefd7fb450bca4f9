"""Print what each case costs, and leave with 1 if one exceeds its bound."""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import Case, cases
from benchmarks.measure import Cost, process_cost


def main() -> None:
    """Run every case and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="processes a case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm = {"NUMBA_CACHE_DIR": str(folder / "kernels")}
        found = [(case, _cost(case, options.runs, folder, warm)) for case in cases(folder)]
    if options.json:
        told = {case.name: dataclasses.asdict(cost) for case, cost in found}
        print(json.dumps(told, indent=2))
    else:
        print(f"{'case':<22}{'CPU min s':>11}{'median s':>10}{'bound s':>9}{'peak MiB':>10}")
        for case, cost in found:
            bound = "" if case.bound is None else f"{case.bound:.2f}"
            print(
                f"{case.name:<22}{cost.cpu_minimum:>11.3f}{cost.cpu_median:>10.3f}"
                f"{bound:>9}{cost.peak_mib:>10.0f}"
            )
    exceeded = [c.name for c, cost in found if c.bound is not None and cost.cpu_minimum > c.bound]
    if exceeded:
        sys.exit(f"over the bound: {', '.join(exceeded)}")


def _cost(case: Case, runs: int, folder: Path, warm: dict[str, str]) -> Cost:
    if not case.cold:
        return process_cost(case.command, runs=runs, folder=str(folder), environment=warm)
    # The first cold run compiles into the cache that the warm cases use.
    return process_cost(case.command, runs=1, folder=str(folder), environment=warm)


if __name__ == "__main__":
    main()
