"""How often p-values of events and the band of leads reject where nothing happened.

They are known to reject too often; by how much is drawn here, and stands on the page.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.inference import BURN, LEVEL, PROCESSES, REPLICATIONS, RUNS, SEED, Array
from indexer.kernels.bootstrap import stationary_rows
from indexer.signals.events import ESTIMATION, WINDOW, event_study
from indexer.signals.inference import block_length, most_block
from indexer.signals.leadlag import lead_lag, whitened

DRAWN = ("iid", "volatility")
ROWS = (100, 250, 600)  # of a lead-lag study
OFFSETS = (0, 5, 20)  # last rows of the sums of an event; 0 stands for the event's row alone


@dataclass(frozen=True, slots=True)
class Size:
    """How often one test rejects at 5 %, in so many draws of unrelated lines over so many rows."""

    test: str
    process: str
    rows: int
    runs: int
    rejected: float


def measure(runs: int = RUNS, rows: Iterable[int] = ROWS) -> list[Size]:
    """Return every size, on two processes; the same figures on any number of them."""
    cases = [("event", process, 0) for process in DRAWN]
    cases += [("lead", process, count) for process, count in product(DRAWN, rows)]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(_measure, [(*case, runs) for case in cases]))
    return [size for sizes in found for size in sizes]


def _measure(case: tuple[str, str, int, int]) -> list[Size]:
    kind, process, rows, runs = case
    rng = np.random.default_rng([SEED, *f"{kind} {process}".encode(), rows])
    if kind == "lead":
        passed = np.mean([_leads(process, rows, rng) for _ in range(runs)])
        return [Size("lead or lag, anywhere", process, rows, runs, float(passed))]
    rejected = np.mean([list(_events(process, rng)) for _ in range(runs)], axis=0)
    first, length = WINDOW[0], WINDOW[1] - ESTIMATION[0] + 1
    names = ["event's row", *(f"event, rows {first} to {last}" for last in OFFSETS[1:])]
    return [
        Size(name, process, length, runs, float(share))
        for name, share in zip(names, rejected, strict=True)
    ]


def _events(process: str, rng: np.random.Generator) -> Iterator[bool]:
    """Draw an index and a benchmark; yield whether each p of an event that is none is at most 5 %.

    The index has the benchmark's return and its own.
    """
    benchmark, own, _ = _drawn(process, WINDOW[1] - ESTIMATION[0] + 1, rng)
    found = event_study(
        np.cumsum([0.0, *(benchmark + own)]), np.cumsum([0.0, *benchmark]), 1 - ESTIMATION[0]
    )
    yield found.p <= LEVEL
    for last in OFFSETS[1:]:
        yield found.cumulative_p[last - WINDOW[0]] <= LEVEL


def _leads(process: str, rows: int, rng: np.random.Generator) -> bool:
    """Draw two lines and return whether one seems to lead the other, as a study looks at it."""
    a, b, _ = _drawn(process, rows, rng)
    blocks = [block_length(whitened(x), most_block(rows - 1)) for x in (a, b)]
    first, second = (stationary_rows(rows - 1, block, REPLICATIONS, rng).row for block in blocks)
    found = lead_lag(a, b, first, second)
    return bool((np.abs(found.correlation[found.lag != 0]) > found.band).any())


def _drawn(process: str, rows: int, rng: np.random.Generator) -> Array:
    """Return the returns of three unrelated lines, (3, rows)."""
    drawn: Array = 0.02 * PROCESSES[process][1](rng, rows + BURN)[BURN:].T
    return drawn


def table(sizes: Iterable[Size]) -> str:
    """Return the page's table."""
    lines = ["| test | returns | rows | rejects at 5 % |", "|---|---|---|---|"]
    lines += [
        f"| {s.test} | {PROCESSES[s.process][0]} | {s.rows} | {100 * s.rejected:.1f} % |"
        for s in sizes
    ]
    return "\n".join(lines) + "\n"
