"""Published files: what the ledger says of a session as text, the same bytes whenever asked."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SCHEMA = 1  # of the files below; a change of a column takes the next one
MANIFEST = "MANIFEST.sha256"
LATEST = "latest.csv"
REPORTS = "report"  # the folder of reports beside them
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # how text begins that a spreadsheet would calculate

_FIRST = f"# indexer published files, schema {SCHEMA}"
_MARK = ", SYNTHETIC DATA 合成数据"


def file_name(subject: str, session: str, revision: int) -> str:
    """Return the name of the file of one revision of a session, an ISO date.

    Examples
    --------
    >>> file_name("chinext", "2026-05-07", 1)
    'chinext_20260507_r1.csv'
    """
    return f"{entry_name(subject, session, revision)}.csv"


def entry_name(subject: str, session: str, revision: int) -> str:
    """Return the name of whatever is made of one revision of a session, without an ending."""
    return f"{subject}_{session.replace('-', '')}_r{revision}"


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV: UTF-8, line feeds, numbers that read back to the same double."""
    text = _Lines()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


class _Lines(io.StringIO):
    """Lines that end with line feeds alone.

    Before Python 3.13 a writer quotes what its own ends of line are made of and nothing else: a
    carriage return in a cell would begin a row.
    """

    def write(self, line: str) -> int:
        return super().write(line.removesuffix("\r\n") + "\n")


def _cell(value: Any) -> Any:
    """Return a flag in the words other tables have for it, anything else as it is."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_text(digests: Mapping[str, str], *, synthetic: bool) -> str:
    """Return a manifest of files and their SHA-256, as ``sha256sum --check`` reads it."""
    lines = [f"{digest}  {name}\n" for name, digest in sorted(digests.items())]
    return f"{_FIRST}{_MARK if synthetic else ''}\n{''.join(lines)}"


def parse_manifest(text: str) -> dict[str, str]:
    """Return the files of a manifest and their SHA-256; nothing of one that is not ours."""
    lines = text.splitlines()
    if not lines or lines[0].removesuffix(_MARK) != _FIRST:
        return {}
    found = {}
    for line in lines[1:]:
        digest, _, name = line.partition("  ")
        found[name] = digest
    return found
