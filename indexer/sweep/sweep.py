"""The use case: a sweep planned, done, and written, all of it or what of it can be."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.definitions.sweep import Sweep
from indexer.digest import digest_json
from indexer.folders import read_file
from indexer.market.excerpt import market_digest
from indexer.market.tables import TABLES, read_market
from indexer.report.files import Content, Folder, Format, write_folders
from indexer.report.grid import Cell, grid_page
from indexer.run.find import sweep_named
from indexer.sweep.execute import Tell, execute
from indexer.sweep.finished import FOLDER
from indexer.sweep.outcome import Outcome, levels_table, outcomes, results_table, summary
from indexer.sweep.perform import Place, Task, results_code
from indexer.sweep.plan import Variant, plan
from indexer.sweep.processes import Workers

PARTS = {"study": 8, "index": 32}  # most parts of a task: what they share is made once
_TASKS = 16  # at least so many tasks where there are as many parts: nobody waits for one


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: its summary, and what came of each variant."""

    summary: dict[str, Any]
    outcomes: list[Outcome]


def sweep(
    name: str,
    market: Path,
    output: tuple[Path, Format],
    workers: Workers,
    tell: Tell = lambda *_: None,
) -> Swept:
    """Do what a sweep asks for and write its results; what is finished already is not done again.

    Raises
    ------
    DefinitionError
        If the sweep or its study is wrong.
    MissingInputError, MarketDataError
        If the market cannot be read.
    OutputError, UsageError, TryAgainError
        As `execute` and `write_folders` do.
    """
    definition = sweep_named(name)
    out, format = output
    synthetic = read_market(market, without=TABLES).manifest.synthetic
    cost = None if definition.study is None else definition.evaluate.cost_bps
    with workers:
        variants = plan(definition, workers)
        place = Place(str(market.absolute()), market_digest(market), results_code())
        keys = [digest_json([place.digest, v.text, cost]) if v.text else None for v in variants]
        found = execute(tasks_of(variants, keys, cost), place, workers, out / FOLDER, tell)
    told = outcomes(variants, [None if key is None else found[key] for key in keys])
    made_of = {
        "market_digest": place.market,
        "code_digest": place.code,
        "synthetic": synthetic,
    }
    swept = Swept(summary(definition, told, made_of), told)
    write_folders(out, {"": _files(definition, swept, out)}, format)
    return swept


def tasks_of(
    variants: Sequence[Variant], keys: Sequence[str | None], cost_bps: float | None
) -> list[Task]:
    """Return the tasks of some variants, those of the same indices beside each other."""
    groups: dict[str, dict[str, Variant]] = {}
    for variant, key in zip(variants, keys, strict=True):
        if key is not None:
            group = "" if variant.index else digest_json(json.loads(variant.text)["indices"])
            groups.setdefault(group, {})[key] = variant
    most = PARTS["index" if cost_bps is None else "study"]
    size = max(1, min(most, sum(map(len, groups.values())) // _TASKS))
    tasks = []
    for parts in groups.values():
        own, of = list(parts), list(parts.values())
        for at in range(0, len(own), size):
            part = of[at : at + size]
            spreads = frozenset(v.spread for v in part if v.spread is not None)
            texts = tuple(v.text for v in part)
            tasks.append(Task(tuple(own[at : at + size]), texts, cost_bps, spreads))
    return tasks


def _files(definition: Sweep, swept: Swept, out: Path) -> Folder:
    files: dict[str, Content | None] = {
        "results": results_table(swept.outcomes),
        "summary.json": swept.summary,
        "report.html": grid_page(swept.summary, list(definition.vary), _cells(swept)),
    }
    if definition.study is None:
        files["levels"] = levels_table(swept.outcomes)
    elif _are_of_baskets(out):  # else a table of that name is none of ours
        files["levels"] = None
    return files


def _are_of_baskets(out: Path) -> bool:
    """Return whether the results that stand in a folder are those of a sweep of baskets."""
    with suppress(OSError, ValueError):
        told = json.loads(read_file(out / "summary.json"))
        return isinstance(told, dict) and "baskets" in told
    return False


def _cells(swept: Swept) -> list[Cell]:
    """Return what the heat map shows: the Sharpe ratio of each pair, or the return of an index."""
    cells = []
    for outcome in swept.outcomes:
        values, result = outcome.variant.values, outcome.result
        if outcome.variant.index:
            first, last = result.get("first_level"), result.get("last_level")
            told = None if first is None else last / first - 1
            cells.append(Cell("", {"index": outcome.variant.index} | values, told))
        else:
            shown = {(p["leader"], p["follower"]): p["sharpe"] for p in result.get("pairs", ())}
            pairs = outcome.variant.pairs
            cells += [Cell(" / ".join(pair), values, shown.get(pair)) for pair in pairs]
    return cells
