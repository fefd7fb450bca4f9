"""How the cost of ours grows with sessions, series, indices, windows and missing values."""

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.measure import Effort, Laboratory


class Axis(NamedTuple):
    """One size of a case that is varied, the others staying as they are.

    Attributes
    ----------
    size : which one
    values, quick : at which it is measured
    """

    size: str
    values: tuple[float, ...]
    quick: tuple[float, ...]


AXES = {
    "pairwise": (
        Axis("sessions", (625, 1_250, 2_500, 5_000, 10_000), (300, 600, 1_200)),
        Axis("series", (11, 22, 44, 88, 176), (12, 24, 48)),
        Axis("window", (20, 60, 120, 250), (20, 60)),
    ),
    "pairwise-3": (Axis("missing", (0.0, 0.01, 0.03, 0.1, 0.3, 0.5), (0.0, 0.3)),),
    "one-pair": (Axis("sessions", (62_500, 250_000, 1_000_000, 4_000_000), (25_000, 50_000)),),
    "against-one": (Axis("series", (101, 501, 2_501, 5_501), (101, 201)),),
    "mean-pairwise": (Axis("series", (62, 125, 250, 500, 1_000), (30, 60)),),
    "many-indices": (
        Axis("indices", (62, 125, 250, 500, 1_000), (50, 100)),
        Axis("members", (38, 75, 150, 300, 600), (50, 100)),
        Axis("sessions", (312, 625, 1_250, 2_500), (300, 600)),
    ),
    "forward-fill": (Axis("sessions", (312, 625, 1_250, 2_500), (300, 600)),),
}


def scaling(laboratory: Laboratory, effort: Effort, case: str) -> Iterator[dict[str, Any]]:
    """Yield what each size of a case costs, least CPU seconds, and the slope of the logarithms."""
    axes = {axis.size: axis.quick if effort.quick else axis.values for axis in AXES[case]}
    request = {"quick": effort.quick, "axes": axes, "budget": effort.budget}
    runs = [laboratory.ask(case, "scale", request) for _ in range(min(effort.processes, 3))]
    for size, values in axes.items():
        found = [run[size] for run in runs]
        names = list(found[0]["samples"])
        cost = [min(s[0] for run in found for s in run["samples"][name]) for name in names]
        each = [spent / found[0]["outputs"][name] for spent, name in zip(cost, names, strict=True)]
        yield {
            "case": case,
            "axis": size,
            "values": list(values),
            "cpu_minimum": cost,
            "per_output": each,
            "slope": slope(values, cost),
            "slope_per_output": slope(values, each),
        }


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """Return d log(cost) / d log(size) by least squares; None where a size is zero.

    One is linear growth.
    """
    if min(sizes) <= 0:
        return None
    x, y = ([math.log(value) for value in part] for part in (sizes, costs))
    return statistics.linear_regression(x, y).slope
