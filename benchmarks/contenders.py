"""What a contender is, and ours: each prepares its input untimed and then answers when asked."""

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

import indexer
from indexer.arrays import Grid, Vector


class Ready(NamedTuple):
    """A contender with its input in its own form.

    Attributes
    ----------
    run : what is timed
    read : its answer as an array in the layout of the reference, not timed
    """

    run: Callable[[], Any]
    read: Callable[[Any], Vector | Grid]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to compute a case.

    Attributes
    ----------
    name : as tables print it
    prepare : from the input of the case
    needs : modules it imports; without one of them it is absent
    series : columns it is measured on, the first of the case's; None means all. Its cost is
        multiplied up by the answers asked for and marked so
    linear : whether its cost grows as that does; of one that grows faster it is a lower bound
    reuses : what is kept from one call to the next, in words
    holes : whether it takes missing values
    """

    name: str
    prepare: Callable[[Any], Ready]
    needs: tuple[str, ...] = ()
    series: int | None = None
    reuses: str = ""
    holes: bool = True
    linear: bool = True


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to do; a case uses some of these."""

    sessions: int
    series: int
    window: int = 60
    least: int | None = None  # fewest complete pairs; None means the window
    missing: float = 0.0  # share of the values
    indices: int = 1
    members: int = 0  # constituents of each index
    rebalances: int = 1  # the base is one


@dataclass(frozen=True, slots=True)
class Rolling:
    """Series and a window.

    Attributes
    ----------
    values : (T, N), NaN is missing
    window, least : positions looked back over, and fewest complete pairs
    """

    values: Grid
    window: int
    least: int

    def narrowed(self, series: int) -> Self:
        """Return the same for the first series alone."""
        return replace(self, values=np.ascontiguousarray(self.values[:, :series]))


def as_it_is(answer: Any) -> Any:
    """Return an answer that is in the layout of the reference already."""
    return answer


def one_pair(case: Rolling) -> Ready:
    """Correlate the first two series."""
    a, b = (np.ascontiguousarray(case.values[:, side]) for side in (0, 1))
    return Ready(lambda: indexer.rolling_correlation(a, b, case.window, case.least), as_it_is)


def pairwise(case: Rolling) -> Ready:
    """Correlate every pair, into one array that is kept."""
    sessions, series = case.values.shape
    out = np.empty((sessions, series * (series - 1) // 2))
    return Ready(
        lambda: indexer.pairwise_correlation(case.values, case.window, case.least, out=out),
        as_it_is,
    )


def against_one(case: Rolling) -> Ready:
    """Correlate every series but the first with the first."""
    x, y = np.ascontiguousarray(case.values[:, 1:]), np.ascontiguousarray(case.values[:, 0])
    return Ready(lambda: indexer.correlation_with(x, y, case.window, case.least), as_it_is)


def mean_pairwise(case: Rolling) -> Ready:
    """Average over every pair without forming one."""
    return Ready(lambda: indexer.mean_pairwise_correlation(case.values, case.window), as_it_is)


def mean_of_pairs(case: Rolling) -> Ready:
    """Average over every pair by our own kernel of pairs, into one array that is kept."""
    ready = pairwise(case)
    return Ready(lambda: ready.run().mean(axis=1), as_it_is)


def on_numba_threads(prepare: Callable[[Any], Ready]) -> Callable[[Any, int], Ready]:
    """Return a kernel that takes the thread count numba was started with."""
    return lambda case, threads: prepare(case)


def present(contenders: Iterable[Contender], *, missing: bool) -> list[Contender]:
    """Return those that can be imported here and take such data."""
    return [
        contender
        for contender in contenders
        if all(importlib.util.find_spec(name) for name in contender.needs)
        and (contender.holes or not missing)
    ]
