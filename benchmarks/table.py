"""The results as tables: the README's section, and every figure in `results/table.md`."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy import KINDS
from benchmarks.cases import CASES, OURS
from benchmarks.measure import RIGHT, is_right
from benchmarks.options import RESULTS, ROOT

READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
NAMES = (*(case.name for case in CASES), "accuracy", "growth")  # of results, one file each
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"

Json = Mapping[str, Any]


def read_results(folder: Path = RESULTS) -> list[Json]:
    """Return the results of the cases that have been measured, in the order of the cases."""
    paths = [folder / f"{case.name}.json" for case in CASES]
    return [json.loads(p.read_text(encoding="utf-8")) for p in paths if p.is_file()]


def missing(folder: Path = RESULTS) -> list[str]:
    """Return what has not been measured, so that no table can have it."""
    return [name for name in NAMES if not (folder / f"{name}.json").is_file()]


def section(folder: Path = RESULTS) -> str:
    """Return the README's section: how many times longer each rival takes, and how exact it is."""
    found = read_results(folder)
    lines = ["| case | indexer | times longer | of the machine's limit | 2 threads |"]
    lines += ["|---|---|---|---|---|"]
    lines += [_row(told) for told in found]
    lines += ["", *_accuracy_summary(folder), "", *_machines(found)]
    return "\n".join(line for line in lines if line is not None) + "\n"


def _row(told: Json) -> str:
    ours = told["contenders"][OURS]
    rivals = ", ".join(
        f"{name} {_ratio(rival)}" for name, rival in told["contenders"].items() if name != OURS
    )
    share = ", ".join(f"{100 * part:.0f} % of {kind}" for kind, part in told["share"].items())
    threads = told["threads"]
    sooner = f"{threads['ratio']:.2f}×" if threads else ""
    return f"| {told['title']} | {seconds(ours['cpu_minimum'])} | {rivals} | {share} | {sooner} |"


def _ratio(rival: Json) -> str:
    if "failed" in rival:
        return "fails"
    if not rival["right"]:
        return "wrong"
    about = "" if rival["part_of"] == 1 else "~" if rival["linear"] else "≥"
    return f"{about}{figures(rival['ratio'])}×"


def figures(value: float) -> str:
    """Return a ratio with two significant figures, or all before the point."""
    digits = 0 if value >= 9.95 else 1 if value >= 0.995 else 2
    return f"{value:,.{digits}f}"


def seconds(value: float) -> str:
    """Return a time in the unit that suits it."""
    unit, size = next(((u, s) for u, s in _UNITS if value >= s), _UNITS[-1])
    digits = max(0, 2 - math.floor(math.log10(value / size))) if value else 0
    return f"{value / size:.{digits}f} {unit}"


_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def _accuracy_summary(folder: Path) -> list[str]:
    """Return one row a contender: its worst error, where, and what it got wrong besides."""
    path = folder / "accuracy.json"
    if not path.is_file():
        return []
    lines = ["| rolling correlation | worst error | on | nulls wrong | beyond ±1 |"]
    lines += ["|---|---|---|---|---|"]
    for name, by_kind in json.loads(path.read_text(encoding="utf-8")).items():
        kind, worst = max(by_kind.items(), key=lambda item: item[1]["error"])
        nulls = sum(found["lost"] + found["invented"] for found in by_kind.values())
        beyond = sum(found["beyond"] for found in by_kind.values())
        lines.append(f"| {name} | {worst['error']:.1e} | {kind} | {nulls:,} | {beyond:,} |")
    return lines


def _machines(found: Iterable[Json]) -> list[str]:
    """Return a line for each machine the figures are of: one, unless results were mixed."""
    lines = []
    for told in found:
        machine = told["machine"]
        versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items())
        lines.append(
            f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, "
            f"Python {machine['python']}, {versions}."
        )
    return sorted(set(lines))


def full(folder: Path = RESULTS) -> str:
    """Return every figure of every contender, accuracy by kind of data, and growth."""
    lines = ["# Benchmarks", "", *_machines(read_results(folder)), ""]
    lines += [_LEGEND.format(RIGHT)]
    for told in read_results(folder):
        lines += ["", details(told)]
    for name, shown in (("accuracy", accuracies), ("growth", growth)):
        path = folder / f"{name}.json"
        if path.is_file():
            lines += ["", shown(json.loads(path.read_text(encoding="utf-8")))]
    return "\n".join(lines) + "\n"


_LEGEND = """\
CPU and wall times are the least and the median over the calls of several processes, taken in turns
with compiled kernels from a warm cache, on one thread. ~ marks a rival that was measured on a part
of the series and multiplied up by the answers asked for, ≥ one whose cost grows faster than that.
A rival with an error above {:g}, or a null where a value must be or the other way round, is wrong
and not timed."""
_HEAD = "| | ratio | CPU min | median | wall min | median | calls | peak MiB | error | reused |"


def details(told: Json) -> str:
    """Return every figure of one case."""
    lines = [f"## {told['title']}", "", _HEAD, "|" + "---|" * 10]
    for name, found in told["contenders"].items():
        if "failed" in found:
            lines.append(f"| {name} | fails: {found['failed']} |" + " |" * 8)
            continue
        times = [""] * 5
        if "cpu_minimum" in found:
            keys = ("cpu_minimum", "cpu_median", "wall_minimum", "wall_median")
            times = [*(seconds(found[key]) for key in keys), str(found["samples"])]
        ratio = "" if name == OURS else _ratio(found)
        peak = "" if found["peak_mib"] is None else f"{found['peak_mib']:.0f}"
        cells = [name, ratio, *times, peak, _verdict(found), found["reuses"]]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {name} | not installed |" + " |" * 8 for name in told["absent"]]
    lines += [
        "",
        *(f"{kind}: {100 * part:.1f} % of the limit." for kind, part in told["share"].items()),
        f"Same bits in every process: {_yes(told['same_bits'])}.",
    ]
    if told["first_call"]:
        cold, warm = (seconds(told["first_call"][state]) for state in ("cold", "warm"))
        lines.append(f"First call: {cold} compiling, {warm} from the cache.")
    if told["threads"]:
        bits, ratio = told["threads"]["same_bits"], told["threads"]["ratio"]
        lines.append(f"Two threads: {ratio:.2f}× as fast as one, same bits: {_yes(bits)}.")
    return "\n".join(lines)


def _yes(value: object) -> str:
    return "yes" if value else "NO"


def _verdict(found: Json) -> str:
    """Return the error of an answer, and what else is wrong with it."""
    told = [f"{found['error']:.0e}"]
    told += [f"{found[key]:,} {words}" for key, words in _WORDS.items() if found[key]]
    return ", ".join(told) if is_right(found) else f"wrong: {', '.join(told)}"


_WORDS = {"lost": "nulls too many", "invented": "nulls too few", "beyond": "beyond ±1"}


def accuracies(found: Json) -> str:
    """Return the error of every contender on every kind of data."""
    lines = ["## Accuracy", "", f"| | {' | '.join(KINDS)} |", "|" + "---|" * (len(KINDS) + 1)]
    for name, by_kind in found.items():
        cells = [_verdict(by_kind[kind]) if kind in by_kind else "" for kind in KINDS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def growth(found: Iterable[Json]) -> str:
    """Return how the cost grows with each size; a slope of one is linear."""
    lines = ["## Growth", "", "| case | against | sizes | ns an answer | slope | of an answer |"]
    lines += ["|" + "---|" * 6]
    for told in found:
        sizes = ", ".join(f"{value:,.10g}" for value in told["values"])
        each = ", ".join(f"{1e9 * value:.3g}" for value in told["per_output"])
        slopes = [
            "" if told[key] is None else f"{told[key]:.2f}" for key in ("slope", "slope_per_output")
        ]
        cells = [told["case"], told["axis"], sizes, each, *slopes]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def stale(folder: Path = RESULTS, readmes: Sequence[Path] = READMES) -> list[str]:
    """Return what does not agree with the results: a README's section, or the full table."""
    table, asked = folder / "table.md", section(folder).strip()
    kept = table.read_text(encoding="utf-8") if table.is_file() else ""
    found = {table.name: kept == full(folder)}
    for readme in readmes:
        _, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        found[readme.name] = rest.partition(END)[0].strip() == asked
    return [name for name, fresh in found.items() if not fresh]


def write(folder: Path = RESULTS, readmes: Sequence[Path] = ()) -> None:
    """Write the full table beside the results, and the section between the marks of READMEs.

    Raises
    ------
    ValueError
        If a README has no such marks.
    """
    (folder / "table.md").write_text(full(folder), encoding="utf-8")
    for readme in readmes:
        before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            raise ValueError(f"expected {BEGIN} and {END} in {readme}")
        text = f"{before}{begin}\n{section(folder)}{end}{after}"
        readme.write_text(text, encoding="utf-8")
