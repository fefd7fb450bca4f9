"""Published files, derived from the ledger: whatever is missing is written again, byte for byte."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from indexer.errors import OutputError
from indexer.ledger.database import reading
from indexer.ledger.history import (
    COLUMNS,
    STUDY_COLUMNS,
    Published,
    published,
    published_rows,
    signal_rows,
    subjects,
)
from indexer.report.files import turn, write_folders
from indexer.report.published import (
    LATEST,
    MANIFEST,
    csv_text,
    file_name,
    manifest_text,
    parse_manifest,
    sha256_of,
)


def write_derived(engine: sa.Engine, out: Path, subject: str, kind: str) -> None:
    """Write the published files of a subject that are not there, the manifest and the latest.

    What the manifest lists and is there stays as it is: `verify` compares contents.

    Raises
    ------
    OutputError
        If they cannot be written; what was there is there.
    """
    folder = out / subject
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with turn(folder):
            listed = _listed(folder)
            there = {path.name for path in folder.iterdir()}
            with reading(engine) as connection:
                known = {_name(one): one for one in published(connection, subject, kind)}
                lacking = [known[name] for name in known if name not in listed.keys() & there]
                texts = _texts(connection, kind, [*lacking, *_latest(known)])
            latest = texts[_name(_latest(known)[0])]
            files = {name: texts[name] for name in map(_name, lacking)}
            digests = {n: listed[n] if n not in files else sha256_of(files[n]) for n in known}
            changed = {MANIFEST: manifest_text(digests), LATEST: latest}
            files |= {n: text for n, text in changed.items() if _text(folder / n) != text}
            write_folders(out, {subject: files}, "csv")
    except OSError as error:
        raise OutputError(str(error.filename or folder), error.strerror or str(error)) from error


def derived_files(connection: sa.Connection, subject: str, kind: str) -> Mapping[str, str]:
    """Return every published file of a subject by name, as the ledger has it."""
    known = list(published(connection, subject, kind))
    texts = _texts(connection, kind, known)
    newest = _latest({_name(one): one for one in known})[0]
    digests = {name: sha256_of(text) for name, text in texts.items()}
    return {**texts, MANIFEST: manifest_text(digests), LATEST: texts[_name(newest)]}


def export(engine: sa.Engine, out: Path) -> list[Path]:
    """Write every published file of the ledger anew, and return their paths.

    Raises
    ------
    OutputError
        If they cannot be written; what was there is there.
    """
    with reading(engine) as connection:
        folders = {
            subject: derived_files(connection, subject, kind)
            for subject, kind in subjects(connection).items()
        }
    return write_folders(out, folders, "csv")


def wrong_files(connection: sa.Connection, out: Path) -> Iterator[tuple[Path, str]]:
    """Yield every published file that is missing, differs, or was never published, and how."""
    for subject, kind in subjects(connection).items():
        folder = out / subject
        expected = derived_files(connection, subject, kind)
        for name, text in expected.items():
            found = _text(folder / name)
            if found is None:
                yield folder / name, "is missing or cannot be read: export writes it again"
            elif found != text:
                yield folder / name, "is not what was published: export writes it again"
        for path in sorted(folder.glob(f"{subject}_*_r*.csv")):
            if path.name not in expected:
                yield path, "was never published"


def _texts(connection: sa.Connection, kind: str, some: Sequence[Published]) -> dict[str, str]:
    numbers = [one.number for one in some]
    if kind == "study":
        columns, rows = STUDY_COLUMNS, signal_rows(connection, numbers)
    else:
        columns, rows = COLUMNS, published_rows(connection, numbers)
    return {_name(one): csv_text(columns, rows[one.number]) for one in some}


def _name(one: Published) -> str:
    return file_name(one.subject, one.session, one.revision)


def _latest(known: Mapping[str, Published]) -> list[Published]:
    """Return the newest revision of the last session, in a list."""
    return [max(known.values(), key=lambda one: (one.session, one.revision))]


def _listed(folder: Path) -> dict[str, str]:
    return parse_manifest(_text(folder / MANIFEST) or "")


def _text(path: Path) -> str | None:
    """Return the text of a file; None where there is none, or it is no text."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None
