"""Results as files: tables, summaries and pages, each written whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import polars as pl

from indexer.errors import OutputError
from indexer.index.history import History
from indexer.signals.result import Comparison

Format = Literal["csv", "parquet"]
Content = pl.DataFrame | dict[str, Any] | str  # a table, a JSON object, or text

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
        "summary.json": comparison.summary,
    }


def write_folders(
    out: Path, folders: Mapping[str, Mapping[str, Content]], format: Format
) -> list[Path]:
    """Write the files of each folder below ``out``, and return their paths.

    Everything is written under temporary names first and moved into place when all of it is
    there, so an earlier run's results stay as they were until this one's are complete. Of a table
    written in one format an earlier copy in the other is removed: it would be stale.

    Raises
    ------
    OutputError
        If a file cannot be written; then nothing is left behind.
    """
    made: list[Path] = []  # folders made here, to be removed again if anything fails
    pending: dict[Path, Path] = {}
    try:
        for folder, files in folders.items():
            _make_folder(out / folder, made)
            for name, content in files.items():
                target = out / folder / _file_name(name, content, format)
                temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
                pending[target] = temporary
                _write(temporary, content, format)
        for target, temporary in pending.items():
            temporary.replace(target)
            for stale in _other_formats(target, format):
                stale.unlink(missing_ok=True)
    except OSError as error:
        for temporary in pending.values():
            temporary.unlink(missing_ok=True)
        for folder_made in reversed(made):
            with suppress(OSError):  # no longer empty: somebody else's files are in it
                folder_made.rmdir()
        raise OutputError(str(error.filename or out), error.strerror or str(error)) from error
    return list(pending)


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        made.append(path)
    if not folder.is_dir():
        raise NotADirectoryError(20, "a file of that name is in the way", str(folder))


def _file_name(name: str, content: Content, format: Format) -> str:
    return f"{name}.{format}" if isinstance(content, pl.DataFrame) else name


def _other_formats(target: Path, format: Format) -> Iterator[Path]:
    if target.suffix == f".{format}":
        for other in _FORMATS:
            if other != format:
                yield target.with_suffix(f".{other}")


def _write(path: Path, content: Content, format: Format) -> None:
    """Write one file durably: its bytes are on disk before it gets its name."""
    with path.open("xb") as stream:
        if isinstance(content, str):
            stream.write(content.encode())
        elif isinstance(content, dict):
            stream.write(json_text(content).encode())
        elif format == "csv":
            content.write_csv(stream)
        else:
            content.write_parquet(stream)
        stream.flush()
        os.fsync(stream.fileno())


def json_text(content: Mapping[str, Any]) -> str:
    """Return a JSON object as indented text in UTF-8; a NaN in it is a bug and raises."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
