"""The report of a published session: page, workbook and tables, checked before they are written."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from indexer.index.history import History
from indexer.ledger.database import open_ledger
from indexer.report.factsheet import index_page
from indexer.report.files import (
    Content,
    comparison_files,
    excel_text,
    history_files,
    write_folders,
)
from indexer.report.page import study_page
from indexer.report.published import REPORTS, entry_name
from indexer.report.record import Record
from indexer.report.workbook import index_workbook, study_workbook
from indexer.run.publication import Asked, Publication, publication
from indexer.run.results import Progress
from indexer.words import Text


@dataclass(frozen=True, slots=True)
class Reported:
    """What was written, of which entry, and what a reader must know of it."""

    kind: str
    synthetic: bool
    record: Record
    caveats: tuple[Text, ...]
    files: tuple[Path, ...]


def report(
    id: str,
    ledger: str,
    out: Path,
    asked: Asked,
    *,
    bom: bool = False,
    progress: Progress = lambda _: None,
) -> Reported:
    """Write page, workbook and tables of a published session of an index or study.

    They go into ``OUT/<id>/report/<YYYYMMDD>_r<revision>``, beside the published files; as known
    at an instant into ``<YYYYMMDD>_r<revision>_at_<instant>``, for they may be others.

    Parameters
    ----------
    bom : whether CSV is written as Excel wants it, see `indexer.report.files.excel_text`

    Raises
    ------
    UsageError
        If the URL is none of a ledger.
    MissingInputError
        If there is no ledger, or nothing was published of that id, session and instant.
    LedgerError
        If what is made again is not what was published, or the ledger is damaged.
    TryAgainError
        If the ledger cannot be read now.
    OutputError
        If the files cannot be written; then nothing is left behind.
    """
    progress(f"building {id}")
    shown = publication(open_ledger(ledger), id, asked)
    progress("drawing")
    name = _name(id, shown.record)
    files = dict(_files(shown, name))
    if bom:
        files = dict(_for_excel(name, content) for name, content in files.items())
    progress("writing")
    folder = f"{id}/{REPORTS}/{name.removeprefix(f'{id}_')}"
    written = write_folders(out, {folder: files}, "csv")
    synthetic = shown.found.synthetic
    return Reported(shown.kind, synthetic, shown.record, shown.caveats, tuple(written))


def _name(id: str, record: Record) -> str:
    """Return what a report is called: by its entry, and the instant as of which it was asked."""
    name = entry_name(id, record.session, record.revision)
    if record.known_at is None:
        return name
    instant = record.known_at.replace(".000000", "")
    return f"{name}_at_{instant.replace('-', '').replace(':', '')}"


def _files(shown: Publication, name: str) -> Iterator[tuple[str, Content]]:
    """Yield the files of a report by name; tables without their ending."""
    found, record = shown.found, shown.record
    if isinstance(found, History):
        yield f"{name}.html", index_page(found, record)
        yield f"{name}.xlsx", index_workbook(found, record)
        tables = history_files(found)
    else:
        yield f"{name}.html", study_page(found, record)
        yield f"{name}.xlsx", study_workbook(found, record)
        tables = comparison_files(found)
    yield from tables.items()
    yield "published", shown.published
    yield "summary.json", {**found.summary, "record": asdict(record)}


def _for_excel(name: str, content: Content) -> tuple[str, Content]:
    if isinstance(content, pl.DataFrame):
        return f"{name}.csv", excel_text(content)
    return name, content
