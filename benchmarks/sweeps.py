"""A thousand indices end to end from a store, by one process and by two.

One wall time says little: all runs are made in turns, several times, and medians are compared. The
CPU time of each process is kept too: of the one that was started, and of those it started.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.commands import INDEXER
from indexer.market.calendar import read_calendar
from indexer.market.store import write_rows
from indexer.sweep.processes import Workers
from indexer.sweep.sweep import sweep

SEED, MISSING, LATE = 1, 0.03, 0.1
FIRST, BASE = "2015-01-05", "2016-01-04"
_TICK = os.sysconf("SC_CLK_TCK")
_CHUNK = 500  # symbols written at a time
_LOOK = 0.2  # seconds from one look at the processes to the next


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is built."""

    indices: int = 1000
    members: int = 300
    symbols: int = 5500
    sessions: int = 2500


QUICK = Sizes(24, 20, 200, 600)
ROUNDS = 5  # of all runs in turns: a single ratio of two wall times says little


@dataclass(frozen=True, slots=True)
class Run:
    """What one command took: seconds, and MiB at the peak of the largest process.

    ``own`` is the CPU time of the process that was started, ``workers`` that of each it started.
    """

    jobs: int
    spread: bool  # whether the market was spread out before, by another run on it
    wall: float
    own: float
    workers: tuple[float, ...]
    peak_mib: float

    @property
    def cpu(self) -> float:
        """CPU time of all processes."""
        return self.own + sum(self.workers)


def measure(folder: Path, sizes: Sizes) -> dict[str, Any]:
    """Write market and definitions below a folder where they are missing, and sweep them."""
    market, file = folder / "market", folder / "thousand.yaml"
    if not file.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        symbols = write_market(market, sizes)
        write_baskets(folder / "baskets", symbols, sizes)
        file.write_text("version: 1\nid: thousand\nbaskets: baskets/*.yaml\n", encoding="utf-8")
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    runs = []
    for _ in range(ROUNDS if sizes == Sizes() else 1):
        for jobs, spread in product((1, 2), (False, True)):
            if not spread:
                shutil.rmtree(folder / "cache" / "indexer" / "spread", ignore_errors=True)
            runs.append(_run(file, market, folder / "out", jobs, environment, spread=spread))
    return {
        "sizes": asdict(sizes),
        "runs": [asdict(run) | {"cpu": run.cpu} for run in runs],
        "shares": shares(file, market),
    }


def write_market(place: Path, sizes: Sizes) -> list[str]:
    """Write random walks into a store: closes with holes, a dividend a year, a few bonus issues."""
    rng = np.random.default_rng(SEED)
    days = read_calendar("XSHG").sessions
    days = days[days >= np.datetime64(FIRST)][: sizes.sessions]
    symbols = [f"{600000 + n}.SH" for n in range(sizes.symbols)]
    for at in range(0, sizes.symbols, _CHUNK):
        own = symbols[at : at + _CHUNK]
        moves = 0.02 * rng.standard_normal((len(own), len(days)))
        close = np.exp(np.cumsum(moves, axis=1)) * rng.uniform(20.0, 200.0, (len(own), 1))
        there = rng.random(close.shape) >= MISSING
        listed = rng.integers(0, len(days), len(own)) * (rng.random(len(own)) < LATE)
        there &= np.arange(len(days)) >= listed[:, None]
        row, column = np.nonzero(there)
        prices = pl.DataFrame(
            {
                "symbol": pl.Series(own)[row],
                "date": days[column],
                "close": close[row, column].round(2).clip(1.0),
            }
        )
        write_rows(place, {"prices": prices, "actions": _actions(rng, own, days)})
    return symbols


def _actions(rng: np.random.Generator, symbols: list[str], days: Any) -> pl.DataFrame:
    years = max(1, len(days) // 250)
    rows: list[tuple[Any, ...]] = [
        (symbol, days[at].item(), "dividend", 0.05, None)
        for symbol in symbols
        for at in rng.integers(1, len(days), years)
    ]
    rows += [
        (symbol, days[rng.integers(1, len(days))].item(), "bonus", None, 0.4)
        for symbol in symbols[::10]
    ]
    names = ["symbol", "ex_date", "kind", "cash", "ratio"]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def write_baskets(place: Path, symbols: list[str], sizes: Sizes) -> None:
    """Write so many definitions: equal weighted under a cap, rebalanced each quarter."""
    rng = np.random.default_rng(SEED)
    place.mkdir()
    days = read_calendar("XSHG").sessions
    base = max(np.datetime64(BASE), days[days >= np.datetime64(FIRST)][20])
    for n in range(sizes.indices):
        chosen = rng.choice(len(symbols), sizes.members, replace=False)
        told = {
            "version": 1,
            "id": f"index-{n:06}",
            "name": {"en": f"Index {n}"},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": str(base), "level": 1000},
            "variants": ["price", "gross"],
            "weighting": {"scheme": "price" if n % 2 else "equal", "caps": {"constituent": 0.2}},
            "rebalance": {"frequency": "quarterly", "reference_lag": 5},
            "constituents": [{"symbol": symbols[k]} for k in sorted(chosen)],
        }
        (place / f"index-{n:06}.yaml").write_text(json.dumps(told), encoding="utf-8")


def _run(
    file: Path, market: Path, out: Path, jobs: int, environment: dict[str, str], *, spread: bool
) -> Run:
    """Run the command in a process of its own, and look at it and those it starts."""
    shutil.rmtree(out, ignore_errors=True)
    words = [*INDEXER, "sweep", str(file), "--market", str(market), "--out", str(out)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*words, "--jobs", str(jobs), "--format", "parquet"],
        env=environment | {"POLARS_MAX_THREADS": str(jobs)},  # so many processors, no more
        stdout=subprocess.DEVNULL,
    )
    seen: dict[int, tuple[float, float]] = {}
    while process.returncode is None:
        for pid in (process.pid, *_descendants(process.pid)):
            seen[pid] = tuple(map(max, _usage(pid), seen.get(pid, (0.0, 0.0))))  # type: ignore[assignment]
        with suppress(subprocess.TimeoutExpired):  # looking costs time that is not the sweep's
            process.wait(_LOOK)
    wall = time.perf_counter() - begun
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    own = seen.pop(process.pid)
    workers = tuple(cpu for cpu, _ in seen.values() if cpu > 1.0)  # what else starts takes less
    peak = max(own[1], *(mib for _, mib in seen.values()), 0.0)
    return Run(jobs, spread, wall, own[0], workers, peak)


def _descendants(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [found for word in text.split() for found in (int(word), *_descendants(int(word)))]


def _usage(pid: int) -> tuple[float, float]:
    """Return CPU seconds of a process, and MiB at its peak; zero where it has ended."""
    try:
        cells = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0, 0.0
    peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return (int(cells[11]) + int(cells[12])) / _TICK, int(peak[0]) / 1024 if peak else 0.0


def shares(file: Path, market: Path) -> dict[str, float]:
    """Return the CPU seconds of parts of a sweep by one process, in this process."""
    from indexer.index import batch
    from indexer.sweep import perform, tasks
    from indexer.sweep import sweep as use

    spent: dict[str, float] = {}
    with (
        _timed(batch, "batch_levels", spent, "kernels"),
        _timed(batch, "_held", spent, "weights"),
        _timed(tasks, "index_result", spent, "rows of the results"),
        _timed(perform, "map_market", spent, "market"),
        _timed(perform, "spread_market", spent, "spread market mapped"),
        _timed(use, "plan", spent, "definitions"),
        _timed(use, "_files", spent, "tables and page"),
        _timed(use, "write_folders", spent, "written"),
    ):
        start = time.process_time()
        out = file.parent / "shares"
        sweep(str(file), market, (out, "parquet"), Workers(1))
        spent["all"] = time.process_time() - start
    shutil.rmtree(out, ignore_errors=True)
    return spent


@contextmanager
def _timed(module: Any, name: str, spent: dict[str, float], label: str) -> Iterator[None]:
    """Add the CPU time of a function to what is spent under a label."""
    found: Callable[..., Any] = getattr(module, name)

    def timed(*given: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return found(*given, **named)
        finally:
            spent[label] = spent.get(label, 0.0) + time.process_time() - start

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, found)


def told(found: dict[str, Any]) -> str:
    """Return what was measured as lines of text."""
    s = found["sizes"]
    lines = [
        f"{s['indices']:,} indices of {s['members']} of {s['symbols']:,} symbols, "
        f"{s['sessions']:,} sessions; medians, and the least wall time",
        "jobs  market spread out   wall s    least    CPU s  peak MiB",
    ]
    wall = {}
    for jobs, spread in product((1, 2), (False, True)):
        runs = [r for r in found["runs"] if (r["jobs"], r["spread"]) == (jobs, spread)]
        told = {name: [run[name] for run in runs] for name in ("wall", "cpu", "peak_mib")}
        wall[jobs, spread] = median(told["wall"])
        figures = f"{wall[jobs, spread]:>9.1f}{min(told['wall']):>9.1f}{median(told['cpu']):>9.1f}"
        before = "before" if spread else "in the run"
        lines.append(f"{jobs:>4}{before:>19}{figures}{max(told['peak_mib']):>10.0f}")
    for spread, before in ((False, "in the run"), (True, "before")):
        ratio = wall[1, spread] / wall[2, spread]
        lines.append(f"1 to 2 processes, market spread out {before}: {ratio:.2f} ×")
    every = found["shares"]["all"]
    lines += [f"{n:<24}{v:>8.2f} s{v / every:>8.1%}" for n, v in found["shares"].items()]
    return "\n".join(lines)


def scheduler_cost(address: str, tasks: int = 2000) -> float:
    """Return the wall seconds a task that does nothing takes by way of a Dask scheduler."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.gather(client.map(abs, range(100), pure=False))
        start = time.perf_counter()
        client.gather(client.map(abs, range(tasks), pure=False))
        return (time.perf_counter() - start) / tasks


if __name__ == "__main__":
    print(scheduler_cost(sys.argv[1]))
