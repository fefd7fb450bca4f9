"""The use cases that compute: build indices, study them, and write what came out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from indexer.arrays import Days, Instants, Vector
from indexer.definitions.basket import Index
from indexer.definitions.study import Study
from indexer.errors import DefinitionError, Flaw, MissingInputError
from indexer.index.build import build
from indexer.index.explain import explain
from indexer.index.gates import gate_caveats
from indexer.index.history import History
from indexer.index.schedule import calendar_of
from indexer.market.fx import rates_known
from indexer.market.tables import Market, read_market
from indexer.report.files import (
    Content,
    Folder,
    Format,
    comparison_files,
    history_files,
    write_folders,
)
from indexer.report.page import study_page
from indexer.run.find import index_named, indices_of, study_named
from indexer.signals.result import Comparison
from indexer.signals.study import compare

Progress = Callable[[str], None]


def study(
    definition: Study,
    market: Market,
    *,
    indices: Mapping[str, Index] | None = None,
    until: date | None = None,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Return every signal of a study on a market.

    The benchmark and the indices of events are left out, with a warning, where the market has no
    data of them.

    Parameters
    ----------
    indices : by id, all of the pairs and those there are of the benchmark and the events; None:
        each is found by its id beside the study's file, else in ./baskets, else bundled
    until : last session to look at, inclusive; None for all there are
    progress : told what is done next, in a few words

    Raises
    ------
    DefinitionError, MissingInputError, MarketDataError
        As building any of its indices does; the second also with every index of a pair that is not
        among those given, and every one that is given under another id.
    """
    histories: dict[str, History] = {}
    named = indices_of(definition) if indices is None else indices
    if another := [id for id, index in named.items() if index.id != id]:
        message = "is the key of another index: give each under its own id"
        raise MissingInputError([Flaw(definition.id, None, id, message) for id in another])
    if absent := [id for id in definition.indices if id not in named]:
        message = "is of a pair and not among the indices given: give it too"
        raise MissingInputError([Flaw(definition.id, None, id, message) for id in absent])
    for id in named:
        progress(f"building {id}")
        try:
            histories[id] = _looked_at(build(named[id], market, until=until), market)
        except MissingInputError:
            if id in definition.indices:
                raise
    progress(f"comparing {definition.id}")
    fixings, overlays = fixings_of(definition, market), _overlays(definition, market)
    return compare(definition, histories, fixings, overlays=overlays, until=until)


def _looked_at(history: History, market: Market) -> History:
    """Return a history that warns of sessions which nobody would publish a level of."""
    return replace(history, warnings=(*history.warnings, *gate_caveats(history, market)))


def _overlays(definition: Study, market: Market) -> dict[str, tuple[Days, Vector]]:
    """Return when the figures of each overlaid series became known, and the figures."""
    found = {}
    for overlay in definition.overlays:
        rows = market.series.filter(pl.col("symbol") == overlay.symbol).sort("date")
        if not rows.is_empty():
            known = rows.select(pl.coalesce("announced_at", "date")).to_series()
            days = known.to_numpy().astype("datetime64[D]")
            found[overlay.symbol] = (days, rows["close"].to_numpy().astype(float))
    return found


def fixings_of(definition: Study, market: Market) -> Callable[[str, Instants], Vector]:
    """Return what gives the rates of a currency known at instants, in the currency of a study."""
    zone = definition.cutoff_time[1]

    def fixings(currency: str, instants: Instants) -> Vector:
        return rates_known(market, currency, definition.currency, instants, zone)

    return fixings


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go, and in which format their tables are written."""

    folder: Path
    format: Format = "csv"


def build_indices(
    names: Sequence[str],
    market: Path,
    output: Output,
    *,
    until: date | None = None,
    strict: bool = False,
    progress: Progress = lambda _: None,
) -> list[History]:
    """Build indices and write each into a folder of its id; all of them or none.

    Raises
    ------
    DefinitionError
        If one is wrong, or two have one id.
    MissingInputError, MarketDataError
        If the market cannot be read, or does not reach to an index.
    OutputError
        If a result cannot be written.
    """
    definitions = [index_named(name) for name in names]
    for n, definition in enumerate(definitions):
        if definition.id in [other.id for other in definitions[:n]]:
            message = f"{definition.id!r} is built already: its results would overwrite these"
            raise DefinitionError([definition.problem(("id",), message)])
    progress(f"reading {market}")
    tables = read_market(market)
    histories = []
    for definition in definitions:
        progress(f"building {definition.id}")
        histories.append(_looked_at(build(definition, tables, until=until, strict=strict), tables))
    progress("writing")
    folders = {history.definition.id: history_files(history) for history in histories}
    write_folders(output.folder, folders, output.format)
    return histories


def explain_session(
    name: str, market: Path, day: date, *, progress: Progress = lambda _: None
) -> dict[str, Any]:
    """Return what moved an index on one session; on a day that is none, only that it is none.

    Raises as `build` does, and where there is no such definition or market.
    """
    definition = index_named(name)
    if not calendar_of(definition).is_session(day):
        return {"id": definition.id, "date": str(day), "session": False}
    progress(f"reading {market}")
    tables = read_market(market)
    progress(f"building {definition.id}")
    return {"session": True} | explain(build(definition, tables, until=day), day)


def run(
    name: str,
    market: Path,
    output: Output,
    *,
    until: date | None = None,
    indices: bool = True,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Study the pairs of a study and write signals, states and page into a folder of its id.

    All of it is written or nothing.

    Parameters
    ----------
    indices : write every index it names as well, each into a folder of its own id

    Raises
    ------
    DefinitionError, MissingInputError, MarketDataError
        As `study` does, and if the market cannot be read.
    OutputError
        If a result cannot be written.
    """
    definition = study_named(name)
    progress(f"reading {market}")
    found = study(definition, read_market(market), until=until, progress=progress)
    progress("writing")
    page: dict[str, Content] = {"report.html": study_page(found)}
    folders: dict[str, Folder] = {definition.id: comparison_files(found) | page}
    if indices:
        folders |= {id: history_files(history) for id, history in found.histories.items()}
    write_folders(output.folder, folders, output.format)
    return found
