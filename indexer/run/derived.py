"""Published files, derived from the ledger: whatever is missing is written again, byte for byte."""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from glob import escape
from pathlib import Path

import sqlalchemy as sa

from indexer.errors import LedgerError, OutputError, Refusal
from indexer.folders import read_file, turn
from indexer.ledger.correct import basis_points
from indexer.ledger.database import reading
from indexer.ledger.entry import Row
from indexer.ledger.heads import Head, all_heads, corrections, kind_of, revisions, subjects
from indexer.ledger.history import columns_of, published_rows, read_entry
from indexer.report.files import write_folders
from indexer.report.notice import WITHDRAWN, Correction, Decision, notice_name, notice_text
from indexer.report.published import (
    LATEST,
    MANIFEST,
    csv_text,
    file_name,
    manifest_text,
    parse_manifest,
    sha256_of,
)


def check_folder(engine: sa.Engine, out: Path, subject: str, kind: str) -> None:
    """Raise where published files of a subject are not this ledger's: it is another, or a lost one.

    Each must be of an entry; the last that the manifest lists, and those that it does not, must be
    as they were published: else one revision of a session would come to have two levels, in its
    file and in the ledger.

    Raises
    ------
    LedgerError
        If they are not.
    """
    folder = out / subject
    listed, there = _listed(folder), _there(folder)
    names = {*there, *(name for name in listed if name.endswith(".csv"))}
    with reading(engine) as connection:
        ours = {file_name(subject, s, r): number for s, r, number in revisions(connection, subject)}
        strange = sorted(names - ours.keys())
        if not strange and kind_of(connection, subject) == kind:
            last = [name for name in ours if name in listed][-1:]
            looked = [*last, *sorted(name for name in there if name not in listed)]
            rows = published_rows(connection, [ours[name] for name in looked], kind)
            texts = {name: csv_text(columns_of(kind), rows[ours[name]]) for name in looked}
            strange = _others(folder, texts)
    if strange:
        raise _not_ours(subject, folder / strange[0])


def _others(folder: Path, ours: Mapping[str, str]) -> list[str]:
    """Return which files of sessions, by names that this ledger has too, another one published.

    The manifest says so. Of what it does not list whatever looks like such a file may be one, but
    for one of ours that was cut short.
    """
    listed, found = _listed(folder), []
    for name, text in ours.items():
        if not name.endswith(".csv") or name == LATEST:
            continue
        there, told = _text(folder / name), listed.get(name)
        cut = there is not None and text.startswith(there)
        alike = told is None and not cut and (there or "").startswith(text.partition("\n")[0])
        if there != text and (alike or told not in (None, sha256_of(text))):
            found.append(name)
    return found


def _listed(folder: Path) -> dict[str, str]:
    """Return the files that the manifest of a folder lists, and their SHA-256."""
    return parse_manifest(_text(folder / MANIFEST) or "")


def _not_ours(subject: str, file: Path) -> LedgerError:
    message = f"{file} {_ANOTHERS}, give another --out, or move {file.parent} away"
    return LedgerError([Refusal(subject, "", "R37", message)])


def _there(folder: Path) -> list[str]:
    """Return the names of sessions of which there is a file; what stands in its way is none."""
    if not (folder.is_dir() and os.access(folder, os.R_OK)):
        return []
    named = re.compile(rf"{re.escape(folder.name)}_[0-9]{{8}}_r[0-9]+\.csv").fullmatch
    with os.scandir(folder) as found:  # of thousands, none is looked at
        return [f.name for f in found if named(f.name) and f.is_file(follow_symlinks=False)]


def _named(folder: Path) -> list[Path]:
    """Return what is in a folder and named like a file of its published sessions."""
    return sorted(folder.glob(f"{escape(folder.name)}_*_r*.csv"))


def write_derived(engine: sa.Engine, out: Path, subject: str, kind: str) -> None:
    """Write the published files of a subject that are not there, the manifest and the latest.

    What the manifest lists and is there stays as it is: `verify` compares contents.

    Raises
    ------
    OutputError
        If they cannot be written; what was there is there.
    """
    folder = out / subject
    with _turn(folder):
        listed = _listed(folder)
        there = {path.name for path in folder.iterdir() if path.is_file()}
        kept = {name: digest for name, digest in listed.items() if name in there}
        with reading(engine) as connection:
            files = _files(connection, subject, kind, kept)
        new = {
            name: text
            for name, text in files.items()
            if name not in (MANIFEST, LATEST) or _text(folder / name) != text
        }
        write_folders(out, {subject: new}, "csv")


def export(engine: sa.Engine, out: Path) -> list[Path]:
    """Write every published file of the ledger anew, and return their paths.

    Each folder waits for its turn and is then read for: what is published meanwhile is in it.

    Raises
    ------
    LedgerError
        If there are files that another ledger published: what they say is said nowhere else.
    OutputError
        If they cannot be written; what was there is there.
    """
    with reading(engine) as connection:
        found = subjects(connection)
    written = []
    for subject, kind in found.items():
        with _turn(out / subject):
            with reading(engine) as connection:
                files = _files(connection, subject, kind, {})
            strange = [name for name in _there(out / subject) if name not in files]
            strange += _others(out / subject, files)
            if strange:
                raise _not_ours(subject, out / subject / min(strange))
            written += write_folders(out, {subject: files}, "csv")
    return written


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Make a folder and hold it against other writers; raises as `write_derived` does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with turn(folder):
            yield
    except OSError as error:
        raise OutputError(str(error.filename or folder), error.strerror or str(error)) from error


def wrong_files(engine: sa.Engine, out: Path) -> Iterator[tuple[Path, str]]:
    """Yield every published file that is missing or differs, or is only named like one, and how.

    Nothing is written into a folder meanwhile, and nobody kept from the ledger while it is read.
    """
    with reading(engine) as connection:
        found = subjects(connection)
    for subject, kind in found.items():
        folder = out / subject
        held = folder.is_dir() and os.access(folder, os.R_OK)
        with turn(folder) if held else nullcontext():
            with reading(engine) as connection:
                expected = _files(connection, subject, kind, {})
            yield from _compared(folder, expected)
    yield from _lost(engine, out, found)


def _lost(engine: sa.Engine, out: Path, known: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Yield published files of subjects that the ledger has nothing of, nor has come to have."""
    there = out.is_dir() and os.access(out, os.R_OK | os.X_OK)
    for folder in sorted(out.iterdir()) if there else ():
        named = _named(folder) if folder.name not in known and folder.is_dir() else []
        if named:
            with reading(engine) as connection:
                published = kind_of(connection, folder.name) is not None
            yield from () if published else ((path, _STRANGE) for path in named)


_STRANGE = (
    "is named like a published file, and this ledger never published it: move it away, unless the "
    "ledger has lost it or is another one"
)


_ANOTHERS = (
    "was published, and not by this ledger, which is another or an older copy: restore the one "
    "that published it"
)


def _compared(folder: Path, expected: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    others = _others(folder, expected)
    for name, text in expected.items():
        found = _text(folder / name)
        if name in others:
            yield folder / name, _ANOTHERS
        elif found is None:
            yield folder / name, "is missing or cannot be read: export writes it again"
        elif found != text:
            yield folder / name, "is not what was published: export writes it again"
    for path in [
        *_named(folder),
        *sorted(folder.glob(notice_name("*"))),
    ]:  # what `build` or `study` write beside them has other names
        if path.name not in expected:
            yield path, _STRANGE


def _files(
    connection: sa.Connection, subject: str, kind: str, kept: Mapping[str, str]
) -> dict[str, str]:
    """Return the published files of a subject by name, manifest and latest last.

    Those that are kept as they are, named with their digest, are in the manifest alone.
    """
    found = all_heads(connection, subject, kind)
    names = {head.number: file_name(subject, head.session, head.revision) for head in found}
    newest = max(found, key=lambda head: (head.session, head.revision))
    wanted = [number for number, name in names.items() if name not in kept]
    columns = columns_of(kind)
    rows = published_rows(connection, [*wanted, newest.number], kind)
    files = {names[number]: csv_text(columns, rows[number]) for number in wanted}
    made = {
        notice_name(c): numbers for c, numbers in corrections(connection, subject, kind).items()
    }
    for name in made.keys() - kept.keys():
        files[name] = _notice(connection, subject, found, made[name])
    digests = {
        name: sha256_of(files[name]) if name in files else kept[name]
        for name in (*names.values(), *made)
    }
    files[MANIFEST] = manifest_text(digests, synthetic=any(head.synthetic for head in found))
    return {**files, LATEST: csv_text(columns, rows[newest.number])}


def _notice(
    connection: sa.Connection, subject: str, heads: Sequence[Head], corrected: Sequence[int]
) -> str:
    """Return the notice of a correction from the entries it made and those they replace."""
    by_number = {head.number: head for head in heads}
    numbers = {(head.session, head.revision): head.number for head in heads}
    replaced = {
        number: numbers[by_number[number].session, by_number[number].revision - 1]
        for number in corrected
    }
    rows = published_rows(connection, [*replaced, *replaced.values()])
    told = [
        _correction(by_number[number], rows[before], rows[number])
        for number, before in replaced.items()
    ]
    first = read_entry(connection, corrected[0])
    synthetic = any(by_number[number].synthetic for number in corrected)
    said = (first.correction, first.reason, first.note, first.by, first.published_at)
    made = Decision(subject, *said, synthetic=synthetic)
    files = [file_name(subject, by_number[n].session, by_number[n].revision) for n in corrected]
    return notice_text(made, told, files)


def _correction(head: Head, before: Sequence[Row], after: Sequence[Row]) -> Correction:
    """Return how a session was corrected; before and after are rows of its history."""
    was, now = ({row[1]: row for row in rows} for rows in (before, after))
    levels: list[tuple[str, str, str, float | None]] = []
    for _, name, text, exact, *_ in after:
        if name in was:
            published, old = was[name][2:4]
            levels.append((name, published, text, basis_points(old, exact)))
        else:
            levels.append((name, "", text, None))
    levels += [(name, row[2], WITHDRAWN, None) for name, row in was.items() if name not in now]
    return Correction(head.session, head.revision - 1, head.revision, levels)


def _text(path: Path) -> str | None:
    """Return the text of a file; None where there is none, or it is no text."""
    try:
        return read_file(path).decode()
    except (OSError, UnicodeDecodeError):
        return None
