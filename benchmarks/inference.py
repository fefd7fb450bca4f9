"""How often the tests of a study reject and its intervals cover, where the truth is known.

Followers are unrelated given the leader, or as related as a case says. What a reader without these
tests would conclude from the same draws stands beside them.
"""

import json
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from indexer.signals import inference

SEED, RUNS, REPLICATIONS = 20260507, 2000, 999
WINDOWS = (60, 120)
LEGS = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.3), (0.5, 0.5))  # beta, partial correlation
LEVEL = 0.05
BURN = 100
PAGE = Path(__file__).parents[1] / "docs" / "inference.md"

Array = np.ndarray[Any, np.dtype[np.float64]]


def _normal(rng: np.random.Generator, count: int) -> Array:
    return rng.standard_normal((count, 3))


def _common_volatility(rng: np.random.Generator, count: int) -> Array:
    """One log variance for all three: autocorrelation .95, deviation one."""
    log_variance, news = np.zeros(count), rng.standard_normal(count) * math.sqrt(1 - 0.95**2)
    for t in range(1, count):
        log_variance[t] = 0.95 * log_variance[t - 1] + news[t]
    return _normal(rng, count) * np.exp(log_variance / 2)[:, None]


def _fat_tails(rng: np.random.Generator, count: int) -> Array:
    return rng.standard_t(5, (count, 3))


PROCESSES: dict[str, tuple[str, Callable[[np.random.Generator, int], Array]]] = {
    "iid": ("normal, independent", _normal),
    "volatility": ("common stochastic volatility", _common_volatility),
    "t5": ("Student's t, 5 degrees of freedom", _fat_tails),
    "ar1": ("residuals with autocorrelation .3", _normal),
}


@dataclass(frozen=True, slots=True)
class Case:
    """Shares of the runs, at a nominal 5 % for tests and 95 % for intervals.

    Attributes
    ----------
    process, window : what is drawn, and over how many rows
    beta, partial : the first follower's share of the leader; the true partial correlation
    rejected : the partial correlation's p-value is at most 5 %
    covered, covered_rank : intervals of follower with follower, Pearson's and Spearman's
    covered_partial : interval of the residuals
    ratio_naive : t test of the ratio lines' correlation against zero
    level_naive : the same of their levels
    level : observed level correlation above the null's 95 per cent
    """

    process: str
    window: int
    beta: float
    partial: float
    runs: int
    rejected: float
    covered: float
    covered_rank: float
    covered_partial: float
    ratio_naive: float
    level_naive: float
    level: float


def drawn(
    process: str, rows: int, legs: tuple[float, float], rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return returns of a leader and two followers: so much of the leader's, and their own."""
    beta, partial = legs
    a, e, f = PROCESSES[process][1](rng, rows + BURN).T.copy()
    f = partial * e + math.sqrt(1 - partial**2) * f
    if process == "ar1":
        for t in range(1, len(e)):
            e[t] += 0.3 * e[t - 1]
            f[t] += 0.3 * f[t - 1]
    a, e, f = (0.02 * x[BURN:] for x in (a, e, f))
    return a, beta * a + e, 0.8 * beta * a + f


def simulate(process: str, window: int, legs: tuple[float, float], runs: int = RUNS) -> Case:
    """Return what the tests say of many draws of one kind."""
    rng = np.random.default_rng([SEED, *process.encode(), window, *(round(100 * x) for x in legs)])
    truth = (*_truth(process, legs), legs[1])
    told = np.array([_run(drawn(process, window, legs, rng), truth, rng) for _ in range(runs)])
    return Case(process, window, *legs, runs, *told.mean(axis=0).tolist())


def _simulate(case: tuple[str, int, tuple[float, float], int]) -> Case:
    return simulate(*case)


def _truth(process: str, legs: tuple[float, float]) -> tuple[float, float]:
    """Return the correlation of the followers and of their ranks, from a long draw."""
    _, b, c = drawn(process, 400_000, legs, np.random.default_rng(SEED))
    ranks = [np.argsort(np.argsort(side)) for side in (b, c)]
    return float(np.corrcoef(b, c)[0, 1]), float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _run(
    lines: tuple[Array, ...], truth: tuple[float, ...], rng: np.random.Generator
) -> tuple[bool, ...]:
    a, b, c = lines
    control = a[:, None]
    left = inference.residuals(b, control), inference.residuals(c, control)
    p = inference.partial_p_value(b, c, control, REPLICATIONS, rng)
    covers = [
        _covers(inference.correlation_interval(b, c, REPLICATIONS, rng), truth[0]),
        _covers(inference.correlation_interval(b, c, REPLICATIONS, rng, ranked=True), truth[1]),
        _covers(inference.correlation_interval(*left, REPLICATIONS, rng), truth[2]),
    ]
    levels = inference.level_null(a, b, c, inference.DRAWS, rng)
    return (
        p <= LEVEL,
        *covers,
        _differs_from_zero(float(np.corrcoef(a - b, a - c)[0, 1]), len(a)),
        _differs_from_zero(levels.value, len(a) + 1),
        levels.p < LEVEL,
    )


def _covers(interval: inference.Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def _differs_from_zero(r: float, rows: int) -> bool:
    """Tell what the usual test says: rows independent and normal."""
    return abs(math.atanh(r)) * math.sqrt(rows - 3) > NormalDist().inv_cdf(1 - LEVEL / 2)


def measure(runs: int = RUNS, windows: Iterable[int] = WINDOWS) -> list[Case]:
    """Return every case, on two processes; the same figures on any number of them."""
    cases = list(product(PROCESSES, windows, LEGS))
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_simulate, [(*case, runs) for case in cases]))


def wrong(cases: Iterable[Case]) -> list[str]:
    """Return what breaks a promise: a test that rejects the truth, or an interval that misses it.

    Their bounds are widened by three deviations of a share of as many runs.
    """
    found = []
    for case in cases:
        name = f"{case.process}, {case.window} rows, beta {case.beta:g}, partial {case.partial:g}"
        slack = 3 * math.sqrt(LEVEL * (1 - LEVEL) / case.runs)
        if case.partial == 0.0 and case.rejected > 0.07 + slack:
            found.append(f"{name}: rejects the truth in {case.rejected:.3f}")
        found += [
            f"{name}: {what} {getattr(case, what):.3f}"
            for what in ("covered", "covered_rank", "covered_partial")
            if not 0.93 - slack <= getattr(case, what) <= 0.97 + slack
        ]
    return found


def keep(found: Iterable[Any], name: str, folder: Path) -> None:
    """Keep records as ``NAME.json``."""
    told = json.dumps([asdict(one) for one in found], indent=2)
    (folder / f"{name}.json").write_text(told + "\n", encoding="utf-8")


def renew(name: str, shown: str) -> None:
    """Put tables into the page between the marks of a name."""
    text, begin, end = PAGE.read_text(encoding="utf-8"), f"<!-- {name} -->", f"<!-- /{name} -->"
    before, after = text.split(begin)[0], text.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n{shown}{end}{after}", encoding="utf-8")


def tables(cases: Iterable[Case]) -> str:
    """Return the page's tables: what rejects, and what covers."""
    lines = [
        "| returns | rows | beta | true partial | our test rejects | naive test of the ratio lines "
        "| naive reading of their levels | our null of the levels |",
        "|---|---|---|---|---|---|---|---|",
    ]
    other = [
        "| returns | rows | beta | true partial | Pearson | Spearman | partial |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        begin = (
            f"| {PROCESSES[case.process][0]} | {case.window} | {case.beta:g} | {case.partial:g} |"
        )
        tests = (case.rejected, case.ratio_naive, case.level_naive, case.level)
        intervals = (case.covered, case.covered_rank, case.covered_partial)
        lines.append(begin + "".join(f" {100 * share:.1f} % |" for share in tests))
        other.append(begin + "".join(f" {100 * share:.1f} % |" for share in intervals))
    return "\n".join([*lines, "", *other]) + "\n"
