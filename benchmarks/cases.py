"""What is measured: sizes, seeds, and what each case computes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks import baskets, contenders, panels, reference, rivals
from benchmarks.contenders import Contender, Ready, Rolling, Size, on_numba_threads
from indexer.arrays import Grid, Vector

SEED = 20260821
OURS = "indexer"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is computed by ours and by rivals.

    Attributes
    ----------
    name, title : as files and as tables print it, the title with the names of sizes in braces
    draw : the input of a size
    size, quick : at which it is measured, and where two minutes must do for everything
    ours, rivals : who computes it
    reference : the answer in extended precision, from the same input
    outputs : answers a session from an input, by which a rival's part is multiplied up
    floor : doubles stored or copied and multiplications with addition that no way of computing it
        could save, of a size; the machine's limits are measured on as many
    relative : errors are relative to the answer
    threaded : ours, prepared for so many threads; None where it has one
    compiled : whether ours is compiled when it is first called
    """

    name: str
    title: str
    draw: Callable[[Size], Any]
    size: Size
    quick: Size
    ours: Contender
    rivals: tuple[Contender, ...]
    reference: Callable[[Any], Vector | Grid]
    outputs: Callable[[Any], int]
    floor: Callable[[Size], Mapping[str, int]] = field(default=lambda _: {})
    relative: bool = False
    threaded: Callable[[Any, int], Ready] | None = None
    compiled: bool = True

    def titled(self, size: Size) -> str:
        """Return the title at a size."""
        more = {"pairs": _pairs(size.series), "others": size.series - 1}
        return self.title.format(**asdict(size), **more)


def returns(size: Size) -> Rolling:
    """Draw daily returns that share a market, some of them missing."""
    random = np.random.default_rng(SEED)
    shape = (size.sessions, size.series)
    values = 0.01 * random.standard_normal((size.sessions, 1))
    values = values + 0.02 * random.standard_normal(shape)
    if size.missing:
        values[random.random(shape) < size.missing] = np.nan
    return Rolling(values, size.window, size.least or size.window)


def _pairs(series: int) -> int:
    return series * (series - 1) // 2


def _pairs_of(given: Rolling) -> int:
    return _pairs(given.values.shape[1])


def _pairwise(name: str, words: str, missing: float) -> Case:
    least = 20 if missing else None
    return Case(
        name=name,
        title=f"all {{pairs:,}} pairs of {{series:,}} series × {{sessions:,}} sessions, {words}",
        draw=returns,
        size=Size(2_500, 88, least=least, missing=missing),
        quick=Size(600, 24, least=least, missing=missing),
        ours=Contender(OURS, contenders.pairwise, reuses=rivals.OUT),
        rivals=rivals.PAIRWISE,
        reference=lambda r: reference.pairwise_correlation(r.values, r.window, r.least),
        outputs=_pairs_of,
        floor=lambda size: {
            "store": size.sessions * _pairs(size.series),
            # In and out of the one sum that a pair does not share with others.
            "FMA": 2 * size.sessions * _pairs(size.series),
        },
        threaded=on_numba_threads(contenders.pairwise),
    )


def _levels(name: str, title: str, size: Size, quick: Size) -> Case:
    return Case(
        name=name,
        title=title,
        draw=lambda size: baskets.drawn(size, SEED),
        size=size,
        quick=quick,
        ours=Contender(OURS, baskets.ours),
        rivals=baskets.ONE if size.indices == 1 else baskets.MANY,
        reference=baskets.exact_levels,
        outputs=lambda given: len(given.columns),
        floor=lambda size: (
            {} if size.indices == 1 else {"FMA": size.sessions * size.indices * size.members}
        ),
        relative=True,
        threaded=baskets.ours if size.indices > 1 else None,
    )


def _table(name: str, words: str, ours: Contender, rivals: tuple[Contender, ...]) -> Case:
    return Case(
        name=name,
        title=f"long table to an array of {{sessions:,}} × {{series:,}} closes, {words}",
        draw=lambda size: panels.drawn(size, SEED),
        size=Size(2_500, 5_500, missing=0.13),
        quick=Size(600, 200, missing=0.13),
        ours=ours,
        rivals=rivals,
        reference=lambda given: given.values,
        outputs=lambda given: given.values.shape[1],
        relative=True,
        compiled=False,
    )


CASES = (
    _pairwise("pairwise", "complete", 0.0),
    _pairwise("pairwise-3", "3 % missing", 0.03),
    _pairwise("pairwise-30", "30 % missing", 0.3),
    Case(
        name="one-pair",
        title="one pair, {sessions:,} sessions",
        draw=returns,
        size=Size(1_000_000, 2),
        quick=Size(50_000, 2),
        ours=Contender(OURS, contenders.one_pair),
        rivals=rivals.PAIR,
        reference=lambda r: reference.rolling_correlation(
            r.values[:, 0], r.values[:, 1], r.window, r.least
        ),
        outputs=lambda given: 1,
        floor=lambda size: {"copy": 2 * size.sessions},
    ),
    Case(
        name="against-one",
        title="{others:,} series against one, {sessions:,} sessions",
        draw=returns,
        size=Size(2_500, 5_501),
        quick=Size(600, 201),
        ours=Contender(OURS, contenders.against_one),
        rivals=rivals.AGAINST,
        reference=lambda r: reference.correlation_with(
            r.values[:, 1:], r.values[:, 0], r.window, r.least
        ),
        outputs=lambda given: given.values.shape[1] - 1,
        floor=lambda size: {"copy": size.sessions * (size.series - 1)},
        threaded=on_numba_threads(contenders.against_one),
    ),
    Case(
        name="mean-pairwise",
        title="mean of all pairs of {series:,} series, {sessions:,} sessions",
        draw=returns,
        size=Size(2_500, 500),
        quick=Size(400, 60),
        ours=Contender(OURS, contenders.mean_pairwise),
        rivals=rivals.MEAN,
        reference=lambda r: reference.mean_pairwise_correlation(r.values, r.window),
        outputs=_pairs_of,
        floor=lambda size: {"FMA": size.sessions * size.window * size.series},
        threaded=on_numba_threads(contenders.mean_pairwise),
    ),
    _levels(
        "one-index",
        "one index, {members:,} of {series:,} columns, {sessions:,} sessions, "
        "{rebalances} rebalances",
        Size(2_500, 5_500, members=88, rebalances=40),
        Size(600, 500, members=88, rebalances=10),
    ),
    _levels(
        "many-indices",
        "{indices:,} indices of {members:,} of {series:,} columns, {sessions:,} sessions",
        Size(2_500, 5_500, indices=1_000, members=300),
        Size(600, 500, indices=100, members=100),
    ),
    _levels(
        "many-indices-40",
        "the same {indices:,} indices with {rebalances} rebalances",
        Size(2_500, 5_500, indices=1_000, members=300, rebalances=40),
        Size(600, 500, indices=100, members=100, rebalances=10),
    ),
    Case(
        name="forward-fill",
        title="forward fill, {sessions:,} × {series:,}",
        draw=returns,
        size=Size(2_500, 5_500, missing=0.1),
        quick=Size(600, 500, missing=0.1),
        ours=Contender(OURS, panels.fill, reuses=rivals.OUT),
        rivals=panels.FILL,
        reference=panels.exact_fill,
        outputs=lambda given: given.values.shape[1],
        floor=lambda size: {"copy": size.sessions * size.series},
        relative=True,
    ),
    _table("table-first", "read and checked", Contender(OURS, panels.read_and_check), panels.TABLE),
    _table("table-store", "from a store", Contender(OURS, panels.read_store), panels.TABLE[:1]),
    _table(
        "table-again",
        "mapped",
        Contender(OURS, panels.map_kept, reuses="file of the grid"),
        panels.TABLE[:1],
    ),
)


def case_of(name: str) -> Case:
    """Return the case of a name."""
    return next(case for case in CASES if case.name == name)
