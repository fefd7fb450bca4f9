"""What the commands cost, in processes of their own, with their bounds in seconds of CPU."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INDEXER = (sys.executable, "-m", "indexer.cli.app")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) over several processes, and the largest peak memory."""

    runs: int
    cpu_minimum: float
    cpu_median: float
    peak_mib: float


def process_cost(
    command: Sequence[str], *, runs: int, folder: str, environment: Mapping[str, str]
) -> Cost:
    """Run a command several times in a folder and return what it cost.

    Raises
    ------
    CalledProcessError
        If a run fails, with what it wrote: the cost of a failure is no figure.
    """
    seconds, peaks = [], []
    for _ in range(runs):
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            if code:
                said.seek(0)
                raise subprocess.CalledProcessError(code, list(command), stderr=said.read())
        seconds.append(usage.ru_utime + usage.ru_stime)
        peaks.append(usage.ru_maxrss / 1024)
    return Cost(runs, min(seconds), statistics.median(seconds), max(peaks))


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and the CPU time it may take at most; None where there is no bound."""

    name: str
    words: tuple[str, ...]
    bound: float | None
    cold: bool = False  # with an empty cache of compiled kernels


def commands(folder: Path) -> list[Command]:
    """Return the commands; files they read are written into the folder."""
    large = folder / "large.yaml"
    large.write_text(_large_basket(5000), encoding="utf-8")
    read = (
        "from indexer.definitions.read import read_basket; import time; t = time.process_time(); "
        f"read_basket({str(large)!r}); assert time.process_time() - t <= 0.4"
    )
    return [
        Command("import indexer", (sys.executable, "-c", "import indexer"), 0.15),
        Command("indexer --help", (*INDEXER, "--help"), 0.15),
        Command("read 5,000 members", (sys.executable, "-c", read), None),
        Command("indexer run, first", (*INDEXER, "run"), None, cold=True),
        Command("indexer run, warm", (*INDEXER, "run"), 1.5),
    ]


def command_costs(runs: int) -> list[tuple[Command, Cost]]:
    """Run every command so often, in an empty folder and from a cache of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # What was compiled is kept, of kernels and of modules, as it is where it is installed.
        kept = {"NUMBA_CACHE_DIR": str(folder / "kernels"), "PYTHONDONTWRITEBYTECODE": ""}
        found = []
        for command in commands(folder):
            # The one cold run compiles into the cache that the warm ones use.
            count = 1 if command.cold else runs
            cost = process_cost(command.words, runs=count, folder=name, environment=kept)
            found.append((command, cost))
    return found


def _large_basket(members: int) -> str:
    head = (
        "version: 1\nid: large\nname: {en: Large}\ncurrency: CNY\ncalendar: XSHG\n"
        "base: {date: 2024-01-02, level: 1000}\nweighting: {scheme: equal}\nconstituents:\n"
    )
    rows = (
        f"  - {{symbol: {n:06d}.SZ, name: 中际旭创, segment: optical-module, from: 2024-01-02}}\n"
        for n in range(members)
    )
    return head + "".join(rows)
