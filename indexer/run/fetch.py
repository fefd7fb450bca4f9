"""The use case that brings market data in: what definitions need, merged into a market store.

Each need is written when it has been met, so a fetch that was cut off goes on where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.exceptions import PanicException

from indexer.errors import (
    BugError,
    Flaw,
    IndexerError,
    MarketDataError,
    OutputError,
    SourceError,
    TryAgainError,
)
from indexer.folders import is_file
from indexer.market.sources.agree import IDENTITY
from indexer.market.sources.akshare import NAMES, Access, upstreams
from indexer.market.sources.archive import REPLIES, append_disregarded
from indexer.market.sources.guard import Clock, lasting
from indexer.market.sources.source import Source
from indexer.market.sources.verdict import SETTLED, Disregarded
from indexer.market.sources.worker import Worker
from indexer.market.store import read_rows, write_rows
from indexer.market.tables import TABLES, read_table, table_files
from indexer.run.believed import Believed
from indexer.run.gather import Gathered, Gatherer
from indexer.run.needs import needs_of

if TYPE_CHECKING:  # it comes with all that computes, which fetching does without
    from indexer.run.results import Progress


@dataclass(frozen=True, slots=True)
class Span:
    """Which dates are fetched.

    Attributes
    ----------
    at : the instant of the fetch, with its zone
    since : first date, instead of what the definitions need; None for that
    until : last date, inclusive; None for the latest
    """

    at: datetime
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """What came of a fetch.

    Attributes
    ----------
    needs : one entry a need, in the order in which they were met
    version : version of the store after it; None where nothing was written
    bug : the first mistake of this package that was met; None where none was
    """

    needs: tuple[Gathered, ...]
    version: int | None
    bug: BugError | None = None

    @property
    def disregarded(self) -> list[Disregarded]:
        """Every datum that is not believed."""
        return [entry for gathered in self.needs for entry in gathered.disregarded]

    @property
    def problem(self) -> IndexerError | None:
        """The error that says what stands against the whole; None where nothing does.

        A bug before data that are wrong, those before a source that cannot be reached, and that
        before data that are not complete yet.
        """
        if self.bug is not None:
            return self.bug
        open_ = [g for g in self.needs if g.outcome not in SETTLED]
        if wrong := [g for g in open_ if g.outcome == "corrupt"]:
            return MarketDataError(
                [Flaw(g.need.table, None, g.need.subject, g.reason) for g in wrong]
            )
        if away := [
            g for g in open_ if g.outcome == "blocked" or (not g.failures and not g.answers)
        ]:
            first = away[0]
            asked = f"{first.need.table} of {first.need.subject}"
            return SourceError(
                _more(", ".join(first.failures) or "no source", away), asked, first.reason
            )
        if open_:
            asked = f"{open_[0].need.table} of {open_[0].need.subject}"
            return TryAgainError(_more(asked, open_), open_[0].reason)
        return None


def _more(text: str, found: Sequence[Gathered]) -> str:
    return text if len(found) == 1 else f"{text} and {len(found) - 1} more"


def fetch(
    names: Sequence[str],
    market: Path,
    sources: list[Source],
    span: Span,
    *,
    progress: "Progress" = lambda _: None,
) -> Fetched:
    """Bring in what some definitions need and merge it into a market store.

    Parameters
    ----------
    names : baskets, series and studies, by file or id
    market : folder of the store, made where it is missing
    sources : whom to ask

    Raises
    ------
    MissingInputError, DefinitionError
        If a definition is missing or wrong.
    MarketDataError
        If what is stored cannot be read. What is wrong with what came is told in the result.
    TryAgainError, OutputError
        If the store, or its archive of replies, cannot be written.
    """
    if is_file(market):
        raise OutputError(str(market), "it is a file, name the folder of the store")
    believed = Believed({table: _stored(market, table) for table in TABLES})
    needs = needs_of(names, span.at.date(), believed.tables["actions"], span.since)
    gatherer = Gatherer(sources, span.at, span.until or date.max, believed)
    done: list[Gathered] = []
    version: int | None = None
    bug: BugError | None = None
    for n, need in enumerate(needs, 1):
        progress(f"{n} of {len(needs)}: {need.table} of {need.subject}")
        if need.table == "actions":  # they are written as a whole: others' since then too
            believed.tables["actions"] = _stored(market, "actions")
        try:
            found = gatherer.gather(need)
        except IndexerError:
            raise
        except (Exception, PanicException) as error:  # noqa: BLE001 (of one need, stops no other)
            met = BugError(f"{need.table} of {need.subject}", error)
            found = Gathered(need, "corrupt", {}, reason=str(met).splitlines()[0])
            bug = bug or met
        found = _without_files(found, market)
        for table, rows in found.rows.items():
            believed.add(table, rows)
        if new := {table: rows for table, rows in found.rows.items() if not rows.is_empty()}:
            version = write_rows(market, new, symbols=_symbols(found))
        append_disregarded(market / REPLIES, _log_entries(found, span.at))
        done.append(found)
    return Fetched(tuple(done), version, bug)


@dataclass(frozen=True, slots=True)
class Way:
    """How the upstreams are reached.

    Attributes
    ----------
    environment : variables; those about proxies and certificates are passed on, no others
    clock : where time comes from, and is waited for
    source : the only one to ask; None asks all
    """

    environment: Mapping[str, str]
    clock: Clock
    source: str | None = None


def fetch_through_akshare(
    names: Sequence[str],
    market: Path,
    way: Way,
    *,
    since: date | None = None,
    until: date | None = None,
    progress: "Progress" = lambda _: None,
) -> Fetched:
    """Fetch from the upstreams behind akshare; raises as `fetch` does.

    Their replies are kept in ``replies/`` in the folder of the store.
    """
    with reaching(way, market / REPLIES) as (sources, at):
        return fetch(names, market, sources, Span(at, since, until), progress=progress)


@contextmanager
def reaching(way: Way, archive: Path) -> Iterator[tuple[list[Source], datetime]]:
    """Give the upstreams behind akshare and the instant, and end akshare's process afterwards.

    Parameters
    ----------
    archive : folder in which their replies are kept
    """
    with Worker(way.environment) as worker:
        guard = lasting(way.clock)
        access = Access(worker, guard, archive)
        sources = upstreams(access, NAMES if way.source is None else [way.source])
        yield sources, datetime.fromisoformat(guard.instant())


def _stored(market: Path, table: str) -> pl.DataFrame:
    """Return what is stored of a table, in the columns of a market folder, and where it is from."""
    zoned = pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)
    rows = read_rows(market, table).with_columns(zoned)
    plain = [read_table(market, table)] if table_files(market, table) else []  # entered: of nobody
    return pl.concat([TABLES[table].empty(), rows, *plain], how="diagonal_relaxed")


def _without_files(found: Gathered, market: Path) -> Gathered:
    """Return what came of a need without new rows of tables that stand in a file, and say so."""
    kept, files = dict(found.rows), list[str]()
    for table in found.rows:
        if plain := table_files(market, table):
            new = kept.pop(table).join(_stored(market, table), on=_TELLING[table], how="anti")
            files += [file.name for file in plain if not new.is_empty()]
    if not files:
        return replace(found, rows=kept)
    reason = f"{files[0]} cannot be added to: write its rows into the store, and move it away"
    return replace(found, outcome="corrupt", rows=kept, reason=reason)


# What a row that is fetched tells that none has told before: its figures are held against those.
_TELLING = IDENTITY | {"securities": ("symbol", "list_date"), "suspensions": ("symbol", "from")}


def _log_entries(found: Gathered, at: datetime) -> Iterator[dict[str, Any]]:
    """Yield each datum that is not believed and each source that does not count, and its rule."""
    told = {"at": at.isoformat(), "table": found.need.table}
    for entry in found.disregarded:
        fields = {
            name: getattr(entry, name) for name in ("rule", "symbol", "field", "value", "why")
        }
        yield told | fields | {"date": str(entry.date or "")}
    for source, (outcome, why) in found.failed.items():
        yield told | {"rule": outcome, "symbol": found.need.subject, "source": source, "why": why}


def _symbols(found: Gathered) -> list[str]:
    return [found.need.subject] if "actions" in found.rows else []


def report_of(found: Fetched) -> dict[str, Any]:
    """Return what came from where, and what was refused and why, as JSON holds it."""
    return {
        "version": found.version,
        "complete": found.problem is None,
        "needs": [
            {
                "table": gathered.need.table,
                "subject": gathered.need.subject,
                "outcome": gathered.outcome,
                "sources": [answer.source for answer in gathered.answers],
                "single": gathered.single,
                "rows": {table: len(rows) for table, rows in gathered.rows.items()},
                "refused": sum(not entry.field for entry in gathered.disregarded),
                "failures": gathered.failures,
                "reason": gathered.reason,
            }
            for gathered in found.needs
        ],
        "disregarded": [str(entry) for entry in found.disregarded],
    }
