"""Prove the kernels and the ledger, or print what commands and very many indices cost.

Leave with 1 if ours is wrong anywhere, a command exceeds its bound, a process that was started
fails, or a table is stale. What parts write lies in benchmarks/results, or by --results elsewhere;
pages of docs and READMEs are renewed from benchmarks/results alone.
"""

import argparse
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.commands import Command, Cost, command_costs
from benchmarks.options import ROOT, asked, is_own

# What the parts import would count in the peak memory of every process they start: imported there.
QUICK_FAULTS = 37  # has no factor in common with the places, extents and sources


def main() -> None:
    """Run a part and print a table, or JSON."""
    every = (
        *(_kernels, _commands, _large, _thousand, _inference, _study, _sweep, _nightly),
        *(_faults, _days, _years, _reliability, _mutants, _defects, _table),
    )
    parts = {part.__name__.removeprefix("_"): part for part in every}
    options = asked(parts, sys.argv[1:], __doc__)
    try:
        parts[options.part](options)
    except subprocess.CalledProcessError as error:
        sys.exit(_failure(error))


def _failure(error: subprocess.CalledProcessError) -> str:
    """Return what failed, and the last lines it wrote."""
    command = shlex.join(map(str, error.cmd))
    lines = (error.stderr or "").strip().splitlines()[-10:]
    return "\n".join([f"{command} left with {error.returncode}", *lines])


def _kernels(options: argparse.Namespace) -> None:
    """Prove and time the kernels, 20 minutes: writes a file a case, table.md, READMEs' tables."""
    from benchmarks import table
    from benchmarks.measure import FULL, QUICK
    from benchmarks.proof import prove

    effort = QUICK if options.quick else FULL
    changed = {
        name: getattr(options, name)
        for name in ("processes", "budget")
        if getattr(options, name) is not None
    }
    keep = None if options.quick else options.results
    wrong = prove(options.rivals, dataclasses.replace(effort, **changed), options.only, keep)
    if keep:
        table.write(keep, _readmes(keep))
    if wrong:
        sys.exit("\n".join(["", "wrong:", *wrong]))


def _readmes(results: Path) -> Sequence[Path]:
    from benchmarks import table

    return table.READMES if is_own(results) else ()


def _one_thread() -> None:
    """Let polars use one thread, in processes to come too: handing tiny frames over costs more."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")


def _faults(options: argparse.Namespace) -> None:
    """Fault every kind of reply everywhere, half an hour: writes faults.*, docs/sources.md.

    Leave with 1 if any scenario ends wrong.
    """
    _one_thread()
    from benchmarks import survival
    from benchmarks.faults import run

    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            every = options.every or QUICK_FAULTS
            summary = run(Path(folder), every=every, processes=options.processes)
    else:
        summary = run(options.results, every=options.every or 1, processes=options.processes)
        if is_own(options.results):
            survival.renew(options.results)
    print(json.dumps(summary, indent=1, ensure_ascii=False))
    if summary["wrong"]:
        sys.exit(f"{summary['wrong']} of {summary['n']} scenarios end wrong")


def _days(options: argparse.Namespace) -> None:
    """Fetch on sixty evenings, half an hour: writes days.*, docs/sources.md.

    Of all answers 30 % are faulted. Leave with 1 if a row is wrong.
    """
    _one_thread()
    from benchmarks.days import simulate

    _simulated(options, "days", partial(simulate, 4 if options.quick else 60))


def _years(options: argparse.Namespace) -> None:
    """Fetch on the evenings of ten years, three hours: writes years.*, docs/sources.md.

    From recorded answers, some faulted. Leave with 1 if a row is wrong.
    """
    _one_thread()
    from benchmarks.years import simulate

    limit = 8 if options.quick else None
    _simulated(options, "years", partial(simulate, every=options.every, limit=limit))


def _simulated(
    options: argparse.Namespace, name: str, simulate: Callable[..., dict[str, Any]]
) -> None:
    from benchmarks import survival

    summary = simulate(kept=None if options.quick else options.results / f"{name}.kept")
    text = json.dumps(summary, indent=1, ensure_ascii=False)
    print(text)
    if not options.quick:
        (options.results / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
        if is_own(options.results):
            survival.renew(options.results)
    if summary["wrong"]:
        sys.exit(f"{summary['wrong']} rows are wrong")


def _table(options: argparse.Namespace) -> None:
    """Print the kernels' table, or see whether what stands is what was measured, or write it."""
    from benchmarks import table

    if missing := table.missing(options.results):
        print(f"not measured, and in no table: {', '.join(missing)}", file=sys.stderr)
    if options.write:
        table.write(options.results, _readmes(options.results))
    elif not options.check:
        print(table.section(options.results), end="")
    elif stale := table.stale(options.results, _readmes(options.results)):
        sys.exit(f"stale: {', '.join(stale)}; python -m benchmarks table --write renews them")


def _reliability(options: argparse.Namespace) -> None:
    """Try the bars of the ledger, hours: writes reliability.json and docs/reliability.md.

    What was tried on this code, by benchmarks/results/journals, is not tried again. Leave with 1 if
    anything is wrong.
    """
    from benchmarks.reliability.bars import tried

    wrong = 0
    for bar in tried(options.only, quick=options.quick, processes=options.processes):
        _told(options, bar)
        wrong += bar["wrong"]
    if wrong:
        sys.exit(1)


def _told(options: argparse.Namespace, bar: dict[str, Any]) -> None:
    """Print what is kept of a bar, and keep it unless only a slice was tried."""
    from benchmarks.reliability.page import renew
    from benchmarks.reliability.record import merge

    print(json.dumps(bar, ensure_ascii=False), flush=True)
    if not options.quick:
        merge(options.results / "reliability.json", [bar])
        if is_own(options.results):
            renew(options.results / "reliability.json")


def _mutants(options: argparse.Namespace) -> None:
    """Plant errors and tell which no test finds, hours: writes as reliability does."""
    from benchmarks.mutants import measure

    drawn = options.drawn or (1 if options.quick else 40)
    for bar in measure(options.rivals, options.only, drawn=drawn, processes=options.processes):
        _told(options, bar)


def _defects(options: argparse.Namespace) -> None:
    """Plant ten defects by name, some minutes: writes as reliability does.

    Leave with 1 if the tests miss one.
    """
    from benchmarks.defects import DEFECTS, measure

    names = (*DEFECTS,)[-1:] if options.quick else (*DEFECTS,)
    bar = measure(names, options.processes)
    _told(options, bar)
    if bar["wrong"]:
        sys.exit(1)


def _inference(options: argparse.Namespace) -> None:
    """Simulate how often tests reject, half an hour: writes two files and docs/inference.md."""
    from benchmarks import inference, sizes

    cases = inference.measure(100, [60]) if options.quick else inference.measure()
    print(inference.tables(cases))
    inexact = sizes.measure(20, [100]) if options.quick else sizes.measure()
    print(sizes.table(inexact), end="")
    if not options.quick:
        inference.keep(cases, "inference", options.results)
        inference.keep(inexact, "sizes", options.results)
        if is_own(options.results):
            inference.renew("inference", inference.tables(cases))
            inference.renew("sizes", sizes.table(inexact))
    if found := inference.wrong(cases):
        sys.exit("\n".join(["", "wrong:", *found]))


def _commands(options: argparse.Namespace) -> None:
    """Time whole commands, a minute: leaves with 1 where one exceeds its bound; keeps nothing."""
    found = command_costs(options.runs)
    if options.json:
        told = {command.name: dataclasses.asdict(cost) for command, cost in found}
        print(json.dumps(told, indent=2))
    else:
        print(f"{'case':<22}{'CPU min s':>11}{'median s':>10}{'bound s':>9}{'peak MiB':>10}")
        for command, cost in found:
            print(_line(command, cost))
    exceeded = [c.name for c, cost in found if c.bound is not None and cost.cpu_minimum > c.bound]
    if exceeded:
        sys.exit(f"over the bound: {', '.join(exceeded)}")


def _line(command: Command, cost: Cost) -> str:
    bound = "" if command.bound is None else f"{command.bound:.2f}"
    figures = f"{cost.cpu_minimum:>11.3f}{cost.cpu_median:>10.3f}{bound:>9}{cost.peak_mib:>10.0f}"
    return f"{command.name:<22}{figures}"


def _each_alone(part: str, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return what a part tells of each size, by a process each: peak memory never falls in one."""
    found = []
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks", part, "--json", "--sizes", str(size)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(told))
    return found


def _large(options: argparse.Namespace) -> None:
    """Build one index of each number of constituents, some minutes; keeps nothing."""
    sizes = options.sizes or ([100] if options.quick else [500, 1000, 2000, 5000])
    if options.json and len(sizes) == 1:
        from benchmarks.large import build_large

        print(json.dumps(dataclasses.asdict(build_large(sizes[0]))))
        return
    found = _each_alone("large", sizes)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'constituents':>12}{'sessions':>10}{'CPU s':>8}{'µs a price':>12}{'peak MiB':>10}")
    for f in found:
        cells = f["constituents"] * f["sessions"]
        print(
            f"{f['constituents']:>12}{f['sessions']:>10}{f['cpu_seconds']:>8.1f}"
            f"{f['cpu_seconds'] / cells * 1e6:>12.2f}{f['peak_mib']:>10.0f}"
        )


def _study(options: argparse.Namespace) -> None:
    """Compare five baskets over each number of sessions, a minute; keeps nothing."""
    sizes = options.sizes or ([600] if options.quick else [600, 1250, 2500])
    if options.json and len(sizes) == 1:
        from benchmarks.studies import study_cost

        print(json.dumps(dataclasses.asdict(study_cost(sizes[0]))))
        return
    found = _each_alone("study", sizes)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'sessions':>10}{'signals':>9}{'rows':>10}{'CPU s':>8}{'peak MiB':>10}")
    for f in found:
        print(
            f"{f['sessions']:>10}{f['signals']:>9}{f['rows']:>10}{f['cpu_seconds']:>8.2f}"
            f"{f['peak_mib']:>10.0f}"
        )


def _sweep(options: argparse.Namespace) -> None:
    """Sweep a thousand baskets, a quarter of an hour: writes sweep.json, and a market in build.

    By one process and by two, from a store, which is kept for the next time.
    """
    from benchmarks import sweeps

    name, sizes = ("quick", sweeps.QUICK) if options.quick else ("sweep", sweeps.Sizes())
    found = sweeps.measure(ROOT / "build" / f"sweep-{name}", sizes)
    print(json.dumps(found, indent=2) if options.json else sweeps.told(found))
    if not options.quick:
        text = json.dumps(found, indent=1)
        (options.results / "sweep.json").write_text(f"{text}\n", encoding="utf-8")


def _nightly(options: argparse.Namespace) -> None:
    """Publish the last evenings of some indices, some minutes; keeps nothing."""
    from benchmarks.nightly import QUICK, SIZES, nightly, told

    with tempfile.TemporaryDirectory() as folder:
        found = nightly(Path(folder), QUICK if options.quick else SIZES)
    print(json.dumps(dataclasses.asdict(found), indent=2) if options.json else told(found))


def _thousand(options: argparse.Namespace) -> None:
    """Calculate a thousand indices, and time each stage, some minutes; keeps nothing."""
    from benchmarks import table
    from benchmarks.thousand import thousand

    small = {"indices": 50, "members": 30, "sessions": 600, "symbols": 500, "rounds": 2}
    found = thousand(**(small if options.quick else {}))
    if options.json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
        return
    print(
        f"{found.indices:,} indices of {found.members:,} of {found.symbols:,} symbols, "
        f"{found.sessions:,} sessions, {found.rebalances:,} rebalances, {found.rows:,} rows"
    )
    print(f"{'stage':<30}{'CPU s':>10}{'wall s':>10}")
    for stage in found.stages:
        print(f"{stage.name:<30}{stage.cpu_seconds:>10.4f}{stage.wall_seconds:>10.4f}")
    for rival in found.rivals:
        times = rival.cpu_seconds / rival.ours_cpu_seconds
        print(f"{rival.name:<30}{rival.cpu_seconds:>10.4f}{table.figures(times):>9}×")
    print(
        f"{found.member_session_ns:.2f} ns a constituent and session, "
        f"a copy of the panel {table.seconds(found.copy_seconds)}, peak {found.peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
