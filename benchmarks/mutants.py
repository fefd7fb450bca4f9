"""Errors planted one at a time, of which a test must find each: how strong the tests are (B19).

cosmic-ray plants them, in an environment of its own (`benchmarks/rivals.sh` makes it). Of each
layer so many are drawn. An error is looked for by the tests of its module first, then by those of
its layer, then by all that use it; one that no test finds has survived, and is told with its line.
"""

import ast
import difflib
import functools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.reliability.campaign import CODE, Campaign, run
from benchmarks.reliability.record import ROOT, Found, files

SEED = 20260507
JOURNALS = ROOT / "build" / "mutants"
TESTED = (*CODE, "tests", ":!tests/docs")  # what decides whether an error is found
# Of the replacements of one operator the nearest are kept. A shift or an exclusive or in place of a
# product is found by any test at all and would only flatter the score; an order keeps its boundary
# and its opposite; a decorator taken away is an import error as a rule.
TOO_EASY = re.compile(
    "core/ReplaceBinaryOperator_.*_(RShift|LShift|BitXor|Mod|FloorDiv|Pow)"
    "|core/ReplaceBinaryOperator_(Add|Sub|Mul|Div|Pow|Mod|FloorDiv)_Bit.*"
    "|core/ReplaceBinaryOperator_(Add|Sub)_(Mul|Div)"
    "|core/ReplaceBinaryOperator_(Mul|Div|Pow|Mod|FloorDiv)_(Add|Sub)"
    "|core/ReplaceBinaryOperator_(LShift|RShift|Bit.*)_(Add|Sub|Mul|Div)"
    "|core/ReplaceComparisonOperator_.*_(Is|IsNot)"
    "|core/ReplaceComparisonOperator_(Is|IsNot)_(Eq|NotEq|Lt|LtE|Gt|GtE)"
    "|core/ReplaceComparisonOperator_(Lt|LtE|Gt|GtE)_(Eq|NotEq)"
    "|core/ReplaceComparisonOperator_(Lt_Gt|Gt_Lt|LtE_GtE|GtE_LtE)"
    "|core/ReplaceComparisonOperator_(Eq|NotEq)_(Lt|Gt)"
    "|core/ReplaceUnaryOperator_.*_(UAdd|Invert|Not)"
    "|core/ReplaceUnaryOperator_Invert_USub"
    "|core/RemoveDecorator"
)
_STAR = re.compile(r"\*(?=,)|(?<=[\s({,])\*\*(?=[\w({\[])").finditer
PATIENCE = 1200  # seconds for the tests of a stage, several times what the longest takes


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of the package, and the tests that must find what is wrong in it.

    Attributes
    ----------
    code : its modules, as pathspecs of git
    first : tests by which most errors are found within seconds
    rest : all others that use it
    compiled : whether kernels are compiled from the beginning; to compile each error takes longer
        than most tests of kernels, so that there only what else survives is compiled
    """

    code: tuple[str, ...]
    first: tuple[str, ...]
    rest: tuple[str, ...]
    compiled: bool = True


_PUBLISHING = (
    *(f"tests/run/test_{name}.py" for name in ("publish", "corrections", "decisions", "derived")),
    *(f"tests/run/test_{name}.py" for name in ("entries", "records", "sessions", "stored")),
    *(f"tests/run/test_{name}.py" for name in ("studies", "attempt", "report", "find", "rebuild")),
    "tests/run/test_due.py",
)
_COMMANDS = ("tests/cli/test_ledger.py", "tests/cli/test_commands.py", "tests/cli/test_screen.py")
_FETCHING = (
    *("announced", "believed", "calendars", "doctor", "fetch", "gather", "needs", "payouts"),
    "supply",
)
_GATES = ("finding", "gates", "holes", "moves")
_CHECKS = ("checks", "delimited", "manifest", "tables")
LAYERS = {
    "ledger": Layer(
        ("indexer/ledger/*.py", ":!indexer/ledger/migrations"),
        ("tests/ledger",),
        (*_PUBLISHING, *_COMMANDS, "tests/report/test_agreement.py", "tests/web/test_api.py"),
    ),
    "publish": Layer(
        (
            "indexer/run/*.py",
            *(f":!indexer/run/{name}.py" for name in _FETCHING),
        ),
        _PUBLISHING,
        (*_COMMANDS, "tests/report/test_agreement.py", "tests/web/test_api.py"),
    ),
    "gates": Layer(
        (
            *(f"indexer/index/{name}.py" for name in _GATES),
            "indexer/market/conventions/*.py",
        ),
        tuple(f"tests/index/test_{name}.py" for name in (*_GATES, "gates_series", "gates_oracle")),
        (
            *(f"tests/market/test_{name}.py" for name in ("gate_limits", "bounds", "limits")),
            *_PUBLISHING,
        ),
    ),
    "calendar": Layer(
        (
            "indexer/market/calendar.py",
            "indexer/market/overlays.py",
            "indexer/market/calendars/*.py",
        ),
        ("tests/market/test_calendar.py", "tests/market/test_announced.py"),
        (
            "tests/market/calendars",
            "tests/cli/test_calendar_command.py",
            "tests/run/test_sessions.py",
        ),
    ),
    "validator": Layer(
        ("indexer/definitions/*.py", *(f"indexer/market/{name}.py" for name in _CHECKS)),
        ("tests/definitions", *(f"tests/market/test_{n}.py" for n in ("checks", "tables"))),
        (
            *("tests/market/test_manifest.py", "tests/cli/test_broken_input.py"),
            *("tests/sweep/test_plan.py", "tests/index/test_gates.py"),
            *("tests/cli/test_commands.py", "tests/index/test_build.py", "tests/run/test_needs.py"),
        ),
    ),
    "kernels": Layer(
        ("indexer/kernels/*.py",),
        ("tests/kernels",),
        (
            "tests/index/test_batch.py",
            *(f"tests/signals/test_{name}.py" for name in ("strength", "catchup")),
        ),
        compiled=False,
    ),
    "index": Layer(
        ("indexer/index/*.py", *(f":!indexer/index/{name}.py" for name in _GATES)),
        ("tests/index",),
        ("tests/run/test_publish.py", "tests/report/test_agreement.py"),
    ),
    "signals": Layer(
        ("indexer/signals/*.py",), ("tests/signals",), ("tests/report", "tests/run/test_studies.py")
    ),
    "market": Layer(
        (
            *(":(glob)indexer/*.py", ":(glob)indexer/market/*.py"),
            *(f":!indexer/market/{name}.py" for name in (*_CHECKS, "calendar", "overlays")),
        ),
        ("tests/market", "tests/test_folders.py", "tests/test_errors.py"),
        ("tests/index/test_build.py", "tests/index/test_oracle.py", "tests/run/test_fetch.py"),
    ),
    "fetching": Layer(
        ("indexer/market/sources/*.py", *(f"indexer/run/{name}.py" for name in _FETCHING)),
        (
            "tests/market/sources",
            *(
                f"tests/run/test_{n}.py"
                for n in ("announced", "gather", "needs", "payouts", "supply")
            ),
        ),
        (
            "tests/run/test_fetch.py",
            "tests/cli/test_calendar_command.py",
            "tests/cli/test_ledger.py",
        ),
    ),
    "report": Layer(("indexer/report/*.py",), ("tests/report",), ("tests/web/test_api.py",)),
    "web": Layer(("indexer/web/*.py",), ("tests/web",), ("tests/cli/test_serve.py",)),
    "sweep": Layer(("indexer/sweep/*.py",), ("tests/sweep",), ("tests/cli/test_sweep.py",)),
    "cli": Layer(("indexer/cli/*.py",), ("tests/cli",), ("tests/run", "tests/sweep")),
}


def measure(
    rivals: Path, only: Sequence[str], *, drawn: int, processes: int
) -> Iterator[dict[str, Any]]:
    """Plant errors in layers, all or some of them, and yield what is kept of each.

    Raises
    ------
    SystemExit
        If there is no layer of a name, no cosmic-ray, or tests fail with no error planted.
    """
    if unknown := sorted(set(only) - set(LAYERS)):
        raise SystemExit(f"no layers {', '.join(unknown)}: there are {', '.join(LAYERS)}")
    program = rivals.absolute() / "bin" / "cosmic-ray"
    if not program.is_file():
        raise SystemExit(f"{program} is missing: benchmarks/rivals.sh makes its environment")
    for name in only or LAYERS:
        check_sound(name)
        units = planted(program, LAYERS[name])
        random.Random(f"{SEED} {name}").shuffle(units)  # noqa: S311 (a sample that can be drawn again)
        work = functools.partial(judged, program, name)
        title = f"errors planted in {name}, of {len(units):,}"
        chosen = (*units[:drawn],)
        campaign = Campaign(f"B19-{name}", title, chosen, work, SEED, code=TESTED)
        yield run(campaign, JOURNALS, processes)


def planted(program: Path, layer: Layer) -> list[str]:
    """Return all errors that cosmic-ray would plant in a layer: module, operator, occurrence."""
    with TemporaryDirectory() as folder:
        config, session = Path(folder, "config.toml"), Path(folder, "session.sqlite")
        config.write_text(
            f"[cosmic-ray]\nmodule-path = {json.dumps(files(layer.code))}\ntimeout = 1.0\n"
            'excluded-modules = []\ntest-command = ""\n[cosmic-ray.distributor]\nname = "local"\n',
            encoding="utf-8",
        )
        _done([program, "init", config, session], ROOT)
        told = _done([program, "dump", session], ROOT)
    every = [json.loads(line)[0]["mutations"][0] for line in told.splitlines()]
    return sorted(
        f"{one['module_path']} {one['operator_name']} {one['occurrence']}"
        for one in every
        if not TOO_EASY.match(one["operator_name"])
        and not any(a <= tuple(one["start_pos"]) < b for a, b in _unseen(one["module_path"]))
    )


@functools.cache
def _unseen(path: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where a module says what no result shows: types, records' options, strict of zip.

    Nor do the stars between parameters and before what is unpacked, taken for operators.
    """
    text = (ROOT / path).read_text("utf-8")
    tree = ast.parse(text)
    every: list[ast.expr | None] = []
    for node in ast.walk(tree):
        every += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"zip", "dataclass"}:
            every += [keyword.value for keyword in node.keywords]
    stars = ((row, found) for row, line in enumerate(text.splitlines(), 1) for found in _STAR(line))
    return [
        ((a.lineno, a.col_offset), (a.end_lineno or a.lineno, a.end_col_offset or a.col_offset))
        for a in every
        if isinstance(a, ast.expr)
    ] + [((row, found.start()), (row, found.end())) for row, found in stars]


def judged(program: Path, name: str, unit: str) -> Found:
    """Plant one error in a copy of the project; wrong is one that survives the tests."""
    began = time.monotonic()
    path, *_ = unit.split()
    with copied() as copy:
        try:
            _done([program, "apply", *unit.split()], copy)
        except subprocess.CalledProcessError:  # of an exception with a dot in its name it cannot
            return Found(0, figures={"not_planted": 1})
        before, after = ((top / path).read_text("utf-8").splitlines() for top in (ROOT, copy))
        missed = survives(copy, name, path)
    told = (f"{path}: {_change(before, after)}",) if missed else ()
    return Found(1, told, time.monotonic() - began)


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of the project, in which something may be planted."""
    with TemporaryDirectory() as folder:
        copy = Path(folder, "project")
        unneeded = shutil.ignore_patterns(".*", "build", "dist", "site", "results")
        shutil.copytree(ROOT, copy, ignore=unneeded)
        yield copy


def check_sound(name: str) -> None:
    """Leave where tests of a layer fail with nothing planted: they would find any error at all.

    Raises
    ------
    SystemExit
        If they do.
    """
    with copied() as copy:
        if not _all_pass(copy, LAYERS[name], (LAYERS[name].first, LAYERS[name].rest)):
            raise SystemExit(f"tests of {name} fail with nothing planted: they would find anything")


def survives(copy: Path, name: str, path: str) -> bool:
    """Return whether all tests of a layer pass in a copy with something planted in a module."""
    return _all_pass(copy, LAYERS[name], [*_stages(copy, name, path)])


def _all_pass(copy: Path, layer: Layer, stages: Sequence[Sequence[str]]) -> bool:
    compiled: Mapping[str, str] = {"NUMBA_CACHE_DIR": str(copy / "kept")}  # as they now are
    ways = [{}] if layer.compiled else [{"NUMBA_DISABLE_JIT": "1"}, compiled]
    return all(_pass(copy, tests, way) for way in ways for tests in stages)


def _stages(copy: Path, name: str, path: str) -> Iterator[Sequence[str]]:
    """Yield the tests of a module itself, then those of its layer, then the rest."""
    module = PurePath(path).relative_to("indexer")
    twin = PurePath("tests", module.parent, f"test_{module.stem}.py")
    if (copy / twin).is_file():
        yield (str(twin),)
    yield LAYERS[name].first
    yield LAYERS[name].rest


def _pass(copy: Path, tests: Sequence[str], more: Mapping[str, str]) -> bool:
    """Return whether tests pass in an environment with more variables, and end."""
    own = {"PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "mutants"}
    environment = {**os.environ, **own, **more}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    with subprocess.Popen(
        command,
        cwd=copy,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            return process.wait(PATIENCE) == 0
        except subprocess.TimeoutExpired:  # an error that never ends has been found
            os.killpg(process.pid, signal.SIGKILL)
            return False


def _change(before: Sequence[str], after: Sequence[str]) -> str:
    """Return the lines that differ, and where.

    Examples
    --------
    >>> _change(["a = 1", "b = 2"], ["a = 1", "b = 3"])
    '2: b = 2 -> b = 3'
    """
    for kind, begin, end, first, last in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if kind != "equal":
            old, new = (
                " ".join(map(str.strip, lines)) for lines in (before[begin:end], after[first:last])
            )
            return f"{begin + 1}: {old} -> {new}"
    return "nothing is changed"


def _done(command: Sequence[str | Path], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
