"""What a campaign found, resumable while it runs and merged into one file when it ends."""

import ast
import itertools
import json
import math
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexer.digest import digest_bytes

ROOT = Path(__file__).parents[2]
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Found:
    """What one unit of work found.

    Attributes
    ----------
    n : cases tried
    wrong : one line for each case that went wrong
    seconds : wall time
    figures : anything else that is told; numbers are added over units, largest ones (``max_…``)
        compared
    """

    n: int
    wrong: tuple[str, ...] = ()
    seconds: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)


def bound95(n: int, wrong: int) -> float:
    """Return the upper 95 % bound of the rate of failure, by the exact binomial (Clopper, Pearson).

    With no failure it is about 3/n. Enumerated cases are not a sample; it is then the rate among
    cases like these.

    Examples
    --------
    >>> round(bound95(300, 0), 4)
    0.0099
    """
    if not n or wrong >= n:
        return 1.0
    low, high = wrong / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(wrong, n, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, n: int, rate: float) -> float:
    """Return the probability of at most so many failures."""
    if rate in (0.0, 1.0):
        return float(rate == 0.0)
    logs = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        + k * math.log(rate) + (n - k) * math.log1p(-rate)
        for k in range(wrong + 1)
    )  # fmt: skip
    return math.fsum(map(math.exp, logs))


_TOLD = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)  # with a docstring
WRITTEN = ("benchmarks/results", "docs")  # by benchmarks themselves, while others still run


def commit() -> str:
    """Return the commit of this checkout, marked where files differ from it that decide."""
    at = _git("rev-parse", "--short=12", "HEAD")
    decide = (".", *(f":!{path}" for path in WRITTEN))
    dirty = _git("status", "--porcelain", "--untracked-files=no", "--", *decide)
    return f"{at}{'-dirty' if dirty else ''}" if at else "unknown"


def version(code: Sequence[str]) -> str:
    """Return a digest of tracked files, named by git's pathspecs; of modules, of what runs of them.

    It stays on another machine of the same Python, and after a commit that leaves these files alone
    or changes what is said in them: comments, docstrings, where lines are broken.
    """
    content = ((path.encode(), running(ROOT / path)) for path in files(code))
    return digest_bytes(itertools.chain.from_iterable(content))[:16]


def running(file: Path) -> bytes:
    """Return what decides of a file: of a module its statements, of any other file all of it."""
    content = file.read_bytes()
    if file.suffix != ".py":
        return content
    tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, _TOLD) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree).encode()


def files(code: Sequence[str]) -> list[str]:
    """Return the tracked files of pathspecs that are there."""
    paths = _git("ls-files", "--", *code).splitlines()
    return [path for path in paths if (ROOT / path).is_file()]


def _git(*words: str) -> str:
    told = ["git", *words]
    return subprocess.run(
        told, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


class Journal:
    """The units done so far, a line each: what was tried on this code is not tried again."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        self.done: dict[str, Found] = {}
        for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
            try:
                told = json.loads(line)
            except ValueError:  # the last line of a run that was stopped
                continue
            if told["key"] == key:
                self.done[told["unit"]] = Found(
                    told["n"], tuple(told["wrong"]), told["seconds"], told["figures"]
                )

    def write(self, unit: str, found: Found) -> None:
        """Add a unit."""
        self.done[unit] = found
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"key": self.key, "unit": unit, **asdict(found)}) + "\n")


def tally(
    id: str, title: str, founds: Iterable[Found], *, seed: int | None, at: str
) -> dict[str, Any]:
    """Return what is kept of a bar."""
    founds = list(founds)
    n = sum(found.n for found in founds)
    wrong = [line for found in founds for line in found.wrong]
    return {
        "id": id,
        "title": title,
        "n": n,
        "wrong": len(wrong),
        "bound95": float(f"{bound95(n, len(wrong)):.3g}"),
        "seconds": round(sum(found.seconds for found in founds), 1),
        "seed": seed,
        "commit": at,
        **_merged([found.figures for found in founds]),
        **({"first_wrong": wrong[:20]} if wrong else {}),
    }


def _merged(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    merged: dict[str, float] = {}
    for each in figures:
        for name, value in each.items():
            old = merged.get(name)
            larger = name.startswith("max_")
            merged[name] = (
                value if old is None else max(old, value) if larger else round(old + value, 6)
            )
    return merged


def merge(path: Path, bars: Sequence[dict[str, Any]]) -> None:
    """Put bars into a file of results, whole or not at all; other bars stay as they are."""
    kept = json.loads(path.read_text("utf-8"))["bars"] if path.is_file() else []
    merged = {bar["id"]: bar for bar in [*kept, *bars]}
    ordered = sorted(merged.values(), key=lambda bar: (int(bar["id"][1:].split("-")[0]), bar["id"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump({"bars": ordered}, file, indent=1, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
