"""What `python -m benchmarks` can be told: its parts, and the options that each of them has."""

import argparse
import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"

Part = Callable[[argparse.Namespace], None]
Option = tuple[str, Mapping[str, Any]]


def is_own(results: Path) -> bool:
    """Return whether a folder of results is the checkout's own, which alone its pages show."""
    return results.resolve() == RESULTS.resolve()


def asked(parts: Mapping[str, Part], words: Sequence[str], told: str | None) -> argparse.Namespace:
    """Return the options of the part that is asked for, of kernels where none is named.

    The folder of results is there when this returns: nothing is measured that cannot be kept.

    Parameters
    ----------
    told : what is said of all parts; each says in its docstring what it does, costs and writes

    Raises
    ------
    SystemExit
        With 2 where something is asked for that the part does not have, else after ``--help``.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=told)
    group = parser.add_subparsers(
        title="parts", dest="part", metavar="PART", description="Without one: kernels."
    )
    each = {}
    for name, part in parts.items():
        text = inspect.getdoc(part) or ""
        each[name] = group.add_parser(name, help=text.partition("\n")[0], description=text)
        for flag, settings in OPTIONS[name]:
            each[name].add_argument(flag, **settings)
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help"}):
        words = ["kernels", *words]
    options, unknown = parser.parse_known_args(words)
    if unknown:
        each[options.part].error(f"unrecognized arguments: {' '.join(unknown)}")
    if why := _unusable(options):
        each[options.part].error(f"argument --results: {why}")
    return options


def _unusable(options: argparse.Namespace) -> str:
    """Return why results cannot be read, or kept in a folder that is made where it is missing."""
    if "results" not in options or getattr(options, "quick", False):
        return ""
    folder: Path = options.results
    if options.part == "table":
        return "" if folder.is_dir() else f"there is no folder {folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return str(error)
    return "" if os.access(folder, os.W_OK) else f"{folder} cannot be written to"


def _count(text: str, least: int = 1) -> int:
    """Return a number, of which there is at least one: nothing is measured of none."""
    try:
        found = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number") from None
    if found < least:
        raise argparse.ArgumentTypeError(f"{text} is less than {least}")
    return found


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0.0 < (found := float(text)) < math.inf:
            return found
    raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")


def _option(flag: str, told: str, **settings: Any) -> Option:
    return flag, {"help": told, **settings}


def _only(what: str) -> Option:
    return _option("--only", f"some {what}", nargs="+", default=[], metavar="NAME")


def _number(flag: str, told: str, *, default: int | None = None) -> Option:
    return _option(flag, told, type=_count, default=default, metavar="N")


def _sizes(what: str, least: int) -> Option:
    number = partial(_count, least=least)
    return _option("--sizes", f"{what}, {least} or more", type=number, nargs="+", metavar="N")


_QUICK = _option("--quick", "small sizes; no result is kept", action="store_true")
_JSON = _option("--json", "print JSON", action="store_true")
_RIVALS = _option(
    "--rivals",
    "environment of the rivals and of cosmic-ray, as benchmarks/rivals.sh makes it",
    type=Path,
    default=ROOT / "build" / "rivals",
    metavar="DIR",
)
_RESULTS = _option(
    "--results",
    "where results are kept; the checkout's pages show, and are renewed from, its own alone: "
    "benchmarks/results",
    type=Path,
    default=RESULTS,
    metavar="DIR",
)
_SHARED = _number("--processes", "processes that share the work; 2 if not given", default=2)
OPTIONS: Mapping[str, Sequence[Option]] = {
    "kernels": (
        _QUICK,
        _only("of the cases, accuracy, growth"),
        _number("--processes", "processes that are timed; 5 if not given, of --quick 1"),
        _option("--budget", "for each contender in a process", type=_seconds, metavar="SECONDS"),
        _RIVALS,
        _RESULTS,
    ),
    "commands": (_number("--runs", "runs of each; 5 if not given", default=5), _JSON),
    "large": (_QUICK, _sizes("constituents", 1), _JSON),
    "thousand": (_QUICK, _JSON),
    "inference": (_QUICK, _RESULTS),
    "study": (_QUICK, _sizes("sessions", 301), _JSON),  # as many as the first comparison takes
    "sweep": (_QUICK, _JSON, _RESULTS),
    "nightly": (_QUICK, _JSON),
    "faults": (
        _QUICK,
        _number("--every", "each n-th scenario only; of --quick the 37th"),
        _number("--processes", "processes that share the work; 1 if not given", default=1),
        _RESULTS,
    ),
    "days": (_QUICK, _RESULTS),
    "years": (_QUICK, _number("--every", "each n-th evening only", default=1), _RESULTS),
    "reliability": (_QUICK, _only("of the bars"), _SHARED, _RESULTS),
    "mutants": (
        _QUICK,
        _only("of the layers"),
        _number("--drawn", "errors of each layer; 40 if not given, of --quick 1"),
        _SHARED,
        _RIVALS,
        _RESULTS,
    ),
    "defects": (_QUICK, _SHARED, _RESULTS),
    "table": (
        _option("--check", "fail if a table or a README is stale", action="store_true"),
        _option("--write", "write table.md and the READMEs' tables", action="store_true"),
        _RESULTS,
    ),
}
