"""Results as files: tables, summaries and pages, each written whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import polars as pl

from indexer.errors import OutputError
from indexer.folders import TEMPORARY, turn
from indexer.index.history import History
from indexer.report.published import FORMULA
from indexer.signals.result import Comparison

Format = Literal["csv", "parquet"]
Table = pl.DataFrame | pl.LazyFrame  # whole, or made as it is written
Content = Table | dict[str, Any] | str | bytes  # else a JSON object, text, or as it is
Folder = Mapping[str, Content | None]  # by name; None: a table that there is no longer

# How our own hidden files end, and nobody else's: a folder of results may be a user's own.
_OLD = ".indexer-old"  # what was there before, until all is in place
_FORMATS: tuple[Format, ...] = ("csv", "parquet")


def history_files(history: History) -> dict[str, Content]:
    """Return what ``build`` writes of an index, by name; tables without their ending."""
    return {
        "levels": history.levels,
        "weights": history.weights,
        "events": history.events,
        "contributions": history.contributions,
        "excluded": history.excluded,
        "summary.json": history.summary,
    }


def comparison_files(comparison: Comparison) -> dict[str, Content]:
    """Return what ``study`` writes, but for the page, by name; tables without their ending."""
    return {
        "aligned": comparison.levels,
        "signals": comparison.table,
        "states": comparison.state_table,
        "episodes": comparison.episode_table,
        "intervals": comparison.interval_table,
        "leadlag": comparison.leadlag_table,
        "events": comparison.event_table,
        "summary.json": comparison.summary,
    }


def excel_text(table: pl.DataFrame) -> str:
    r"""Return a table as the CSV that Excel opens as it is meant.

    A byte order mark says that it is UTF-8, and an apostrophe before text that begins like a
    formula that it is text. So it does not read back to the same text; other CSV does.

    Examples
    --------
    >>> excel_text(pl.DataFrame({"name": ["=cmd|x", "中际旭创"], "move": [-0.5, 1.0]}))
    "\ufeffname,move\n'=cmd|x,-0.5\n中际旭创,1.0\n"
    """
    guarded = [
        pl.when(pl.col(name).str.head(1).is_in(FORMULA))
        .then(pl.concat_str(pl.lit("'"), name))
        .otherwise(name)
        .alias(name)
        for name, kind in table.schema.items()
        if kind == pl.String
    ]
    return "\ufeff" + table.with_columns(guarded).write_csv()


def write_folders(out: Path, folders: Mapping[str, Folder], format: Format) -> list[Path]:
    """Write the files of each folder below ``out``, and return their paths.

    Everything is written under temporary names first and moved into place when all of it is
    there, so an earlier run's results stay as they were until this one's are complete. Runs that
    write below one ``out`` take turns. Of a table written in one format an earlier copy in the
    other is removed: it would be stale; of one that is None, every copy.

    Raises
    ------
    OutputError
        If a file cannot be written; then nothing is left behind, and what was there is there.
    """
    made: list[Path] = []  # folders made here, to be removed again if anything fails
    pending: dict[Path, Path] = {}
    try:
        _make_folder(out, made)
        with turn(out):
            for folder, files in folders.items():
                _make_folder(out / folder, made)
                _sweep(out / folder)
                for name, content in files.items():
                    if content is None:
                        continue
                    target = out / folder / _file_name(name, content, format)
                    pending[target] = target.with_name(f".{target.name}{TEMPORARY}")
                    _write(pending[target], content, format)
            _move(pending)
            for stale in _stale(out, folders, format):
                stale.unlink(missing_ok=True)
            for written in {path.parent for path in (*pending, *made)} | _above(out, folders):
                _sync(written)
    except BaseException as error:
        for temporary in pending.values():
            with suppress(OSError):  # what failed may fail again; the next run sweeps it away
                temporary.unlink(missing_ok=True)
        for folder_made in reversed(made):
            with suppress(OSError):  # no longer empty: somebody else's files are in it
                folder_made.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise OutputError(str(error.filename or out), reason) from error
        if isinstance(error, pl.exceptions.PolarsError):
            raise OutputError(str(out), str(error).splitlines()[0]) from error
        raise
    return list(pending)


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed while it wrote has left behind."""
    for ending in (TEMPORARY, _OLD):
        for left in folder.glob(f".*{ending}"):
            left.unlink(missing_ok=True)


def _above(out: Path, folders: Iterable[str]) -> set[Path]:
    """Return the folders that hold what was written, made now or by a run that died before."""
    between = (path for folder in folders for path in (out / folder / "_").parents)
    return {out.parent, *(path for path in between if path.is_relative_to(out))}


def _sync(folder: Path) -> None:
    """Make the names in a folder durable, where the system can, and where it may be looked into."""
    if hasattr(os, "O_DIRECTORY") and os.access(folder, os.R_OK):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _move(pending: Mapping[Path, Path]) -> None:
    """Move temporary files to their names; if one cannot be, put back what was there before."""
    kept: dict[Path, Path | None] = {}
    try:
        for target in pending:
            old = target.with_name(f".{target.name}{_OLD}")
            old.unlink(missing_ok=True)
            kept[target] = _second_name(target, old) if target.exists() else None
        for target, temporary in pending.items():
            temporary.replace(target)
    except OSError:
        for target, before in kept.items():
            with suppress(OSError):  # put back what can be
                if before is not None:
                    before.replace(target)
                    before.unlink(missing_ok=True)  # two names of one file: replacing did nothing
                elif not pending[target].exists():
                    target.unlink(missing_ok=True)
        raise
    for before in kept.values():
        if before is not None:
            before.unlink(missing_ok=True)


def _second_name(target: Path, name: Path) -> Path:
    try:
        os.link(target, name)
    except OSError:  # a file system without links
        shutil.copy2(target, name)
    return name


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        made.append(path)
    if not folder.is_dir():
        raise NotADirectoryError(20, "a file of that name is in the way", str(folder))


def _file_name(name: str, content: Content | None, format: Format) -> str:
    return f"{name}.{format}" if isinstance(content, Table | None) else name


def _stale(out: Path, folders: Mapping[str, Folder], format: Format) -> Iterator[Path]:
    """Yield the copies of tables that are there no longer, or no longer in that format."""
    for folder, files in folders.items():
        for name, content in files.items():
            target = out / folder / _file_name(name, content, format)
            if target.suffix == f".{format}":
                for other in _FORMATS:
                    if other != format or content is None:
                        yield target.with_suffix(f".{other}")


def _write(path: Path, content: Content, format: Format) -> None:
    """Write one file durably: its bytes are on disk before it gets its name."""
    path.unlink(missing_ok=True)
    with path.open("xb") as stream:  # never through a link somebody has put there
        if isinstance(content, bytes):
            stream.write(content)
        elif isinstance(content, str):
            stream.write(content.encode())
        elif isinstance(content, dict):
            stream.write(json_text(content).encode())
        elif isinstance(content, pl.LazyFrame):
            (content.sink_csv if format == "csv" else content.sink_parquet)(stream)
        else:
            (content.write_csv if format == "csv" else content.write_parquet)(stream)
        stream.flush()
        os.fsync(stream.fileno())


def json_text(content: Mapping[str, Any]) -> str:
    """Return a JSON object as indented text in UTF-8; a NaN in it is a bug and raises."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
