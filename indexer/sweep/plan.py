"""What a sweep asks for: its variants in order, each whole in itself, or what is wrong with it."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.read import read_definition, study_text
from indexer.definitions.study import Study
from indexer.definitions.sweep import Sweep
from indexer.definitions.vary import Choice, varied
from indexer.digest import canonical_json
from indexer.errors import DefinitionError, IndexerError, Problem
from indexer.index.batch import batchable
from indexer.run.find import RULES, check, indices_of, swept_baskets, swept_study
from indexer.sweep.processes import Workers

MOST = 1_000_000  # variants; their rows alone are then a table of several gigabytes

MANY = 128  # files from which on it pays to start processes
PART = 16  # of them read at a time
TRIED = 1000  # variants in which an item may prove sound

Choices = tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of a sweep's results.

    Attributes
    ----------
    values : of the varied keys, as text
    pairs : leader and follower of each pair; none of an index
    index : id of the index; empty where a study is varied
    text : the definition, or the study with the indices of its pairs, as canonical text; empty
        where that is wrong
    failure : what is wrong with it, as `failed` tells it; None where nothing is
    spread : calendar and currency over which an index needs the market spread out; None where it
        does not
    """

    values: dict[str, str]
    pairs: tuple[tuple[str, str], ...] = ()
    index: str = ""
    text: str = ""
    failure: Mapping[str, str] | None = None
    spread: tuple[str, str] | None = None


def failed(error: IndexerError) -> dict[str, str]:
    """Return what is told of a variant that cannot be: kind, the error's class, and message."""
    return {"kind": type(error).__name__, "message": str(error)}


def plan(sweep: Sweep, workers: Workers) -> list[Variant]:
    """Return the variants of a sweep, the last key varying fastest; of indices one after another.

    Of the files that a glob names, studies and sweeps are left out; a series has one variant. Many
    files are read by several processes: a definition takes as long as its levels do.

    Raises
    ------
    DefinitionError
        If the study is wrong as it stands, nothing is found that could be varied, or there are too
        many variants. A variant that is wrong says so itself.
    """
    files = _files(sweep)
    if sweep.study is None:
        size = PART if len(files) >= MANY else len(files)
        parts = [tuple(files[at : at + size]) for at in range(0, len(files), size)]
        found = dict(workers.done(partial(_of_files, sweep), parts))
        variants = [variant for part in parts for variant in found[part]]
        for _, own in itertools.groupby(variants, lambda variant: variant.index):
            _check_distinct(sweep, list(own))
        return variants
    study = swept_study(sweep)
    indices_of(study)
    variants = list(_studies(sweep, study, _choices(sweep)))
    _check_distinct(sweep, variants)
    return variants


def _files(sweep: Sweep) -> list[Path]:
    """Return the files of a sweep of baskets; raise where there would be too many variants."""
    count = math.prod(len(items) for items in sweep.vary.values())
    files = swept_baskets(sweep) if sweep.study is None else []
    if count * max(1, len(files)) > MOST:
        message = f"{count * max(1, len(files))} variants, more than {MOST}: list fewer items"
        raise DefinitionError([sweep.problem(("vary",), message)])
    return files


def problems_of(sweep: Sweep) -> list[Problem]:
    """Return every item that makes no variant which is sound, with what is wrong with it.

    An item that is wrong by itself may be right beside those of other keys: so many combinations
    are tried as `TRIED` says, and where all are wrong it is told why it is by itself.

    Raises
    ------
    DefinitionError
        If there are too many variants, the study is wrong as it stands, or nothing is found that
        could be varied.
    """
    files = _files(sweep)
    study = None if sweep.study is None else swept_study(sweep)
    if study is not None:
        indices_of(study)

    def variants(item: Choice) -> Iterator[Variant]:
        if study is not None:
            yield from _studies(sweep, study, _with(sweep, item))
        for file in files:
            given = _given(file)
            if isinstance(given, Basket):
                yield from _indices(sweep, file.stem, given, _with(sweep, item))

    items = [Choice(key, n) for key, listed in sweep.vary.items() for n in range(len(listed))]
    faults = [(item, _fault(itertools.islice(variants(item), TRIED))) for item in items]
    return [
        sweep.problem(("vary", *item), f"makes no sound variant: {told}")
        for item, told in faults
        if told
    ]


def _fault(variants: Iterable[Variant]) -> str:
    """Return what is wrong with the first of some variants that are all wrong; else nothing."""
    told = ""
    for variant in variants:
        if variant.failure is None:
            return ""
        told = told or "; ".join(variant.failure["message"].splitlines())
    return told


def _with(sweep: Sweep, item: Choice) -> Iterator[Choices]:
    """Yield an item alone, then every combination that has it."""
    yield (item,)
    yield from itertools.product(
        *(
            [item] if key == item.key else [Choice(key, n) for n in range(len(listed))]
            for key, listed in sweep.vary.items()
        )
    )


def _check_distinct(sweep: Sweep, variants: Sequence[Variant]) -> None:
    """Raise where two items of a key make the same, whatever else is chosen: they are one trial."""
    if len(variants) < 2:
        return  # also of a series, which has one whatever is varied
    made = list(zip(_choices(sweep), variants, strict=True))
    for at, (key, items) in enumerate(sweep.vary.items()):
        texts: list[list[str]] = [[] for _ in items]  # in the order of the other choices
        for choices, variant in made:
            texts[choices[at].item].append(variant.text)
        first: dict[tuple[str, ...], int] = {}
        for n, told in enumerate(map(tuple, texts)):
            other = first.setdefault(told, n)
            if other != n and all(told):
                message = f"{items[other]!r} and {items[n]!r} make the same variant: list one"
                raise DefinitionError([sweep.problem(("vary", key, n), message)])


def _choices(sweep: Sweep) -> Iterator[Choices]:
    """Yield every combination of items."""
    each = ([Choice(key, n) for n in range(len(items))] for key, items in sweep.vary.items())
    yield from itertools.product(*each)


def _studies(sweep: Sweep, study: Study, every: Iterable[Choices]) -> Iterator[Variant]:
    found: dict[Choices, Study | DefinitionError] = {}
    named: dict[str, dict[str, Index]] = {}
    baskets: dict[tuple[str, Choices], Index | DefinitionError] = {}
    given = tuple((pair.leader, pair.follower) for pair in study.pairs)
    for choices in every:
        own = tuple(c for c in choices if sweep.varies(c.key) is Study)
        inside = tuple(c for c in choices if c not in own)
        pairs = given
        try:
            if own not in found:
                found[own] = _tried(study, sweep, own)
            variant = _sound(found[own])
            pairs = tuple((pair.leader, pair.follower) for pair in variant.pairs)
            asked = canonical_json([variant.indices, variant.benchmark, repr(variant.events)])
            if asked not in named:
                named[asked] = indices_of(variant)
            indices: dict[str, Index] = {}
            for id in variant.indices:
                if (id, inside) not in baskets:
                    baskets[id, inside] = _tried(named[asked][id], sweep, inside)
                indices[id] = _sound(baskets[id, inside])
            yield Variant(_told(sweep, choices), pairs, text=study_text(variant, indices))
        except DefinitionError as error:
            yield Variant(_told(sweep, choices), pairs, failure=failed(error))


def _of_files(sweep: Sweep, files: Sequence[Path]) -> list[Variant]:
    return [variant for file in files for variant in _of_file(sweep, file)]


def _of_file(sweep: Sweep, file: Path) -> list[Variant]:
    """Return the variants of the index in a file; none of a study."""
    given = _given(file)
    if isinstance(given, Study | Sweep):
        return []
    every = [()] if isinstance(given, Series) else _choices(sweep)
    return list(_indices(sweep, file.stem, given, every))


def _given(file: Path) -> Index | Study | Sweep | IndexerError:
    """Return the definition in a file, or what is wrong with it."""
    try:
        return read_definition(file, RULES)
    except IndexerError as error:
        return error


def _indices(
    sweep: Sweep, id: str, given: Index | IndexerError, every: Iterable[Choices]
) -> Iterator[Variant]:
    for choices in every:
        told = _told(sweep, choices)
        try:
            one = _sound(_tried(_sound(given), sweep, choices))
            spread = (one.calendar, one.currency) if batchable(one) else None
            yield Variant(told, index=id, text=one.canonical, spread=spread)
        except IndexerError as error:
            yield Variant(told, index=id, failure=failed(error))


def _tried(definition: Any, sweep: Sweep, choices: Choices) -> Any:
    """Return a variant of a definition, or what is wrong with it; a series has none."""
    if not choices or not isinstance(definition, Study | Basket):
        return definition
    try:
        found = varied(definition, sweep, choices)
        check(found)
    except DefinitionError as error:
        return error
    return found


def _sound(found: Any) -> Any:
    if isinstance(found, IndexerError):
        raise found
    return found


def _told(sweep: Sweep, choices: Choices) -> dict[str, str]:
    """Return the items that were chosen, as text."""
    items = ((key, sweep.vary[key][item]) for key, item in choices)
    return {key: item if isinstance(item, str) else canonical_json(item) for key, item in items}
