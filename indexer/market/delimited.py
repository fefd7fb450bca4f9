"""CSV files line by line: where each row begins, and why a file is no table.

Polars reads the tables. What it cannot read, and where a flaw stands, is looked up here, at the
speed of Python.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from indexer.errors import Flaw, counted
from indexer.market.checks import ROW, SHOWN, Table

_COMMAS = "put text that holds a comma in quotes, and no comma into a number"
_SHORT = "the line is cut short, or a comma is missing: an empty cell has one too"
_UNCLOSED = "a quote is opened and not closed: close it, or delete it"
_MISQUOTED = "a quote within a cell: quote the whole cell, and double each quote within it"


def with_lines(rows: pl.DataFrame, file: Path) -> pl.DataFrame:
    """Return the rows of a CSV file with the lines they begin on: quoted cells may span several."""
    begins, line = [0], 1
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            for _ in reader:
                begins.append(line)
                line = reader.line_num + 1
        return rows.with_columns(pl.Series(ROW, [begins[row] for row in rows[ROW]]))
    except (
        csv.Error,
        IndexError,
        UnicodeDecodeError,
    ):
        # One cell to a line is then as good a guess as any.
        return rows


def csv_flaws(file: Path, table: Table, *, whole: bool = False) -> list[Flaw]:
    """Return why a CSV file could not be read as a table, by line; nothing where it is not seen.

    Where rows must be ``whole``, one that ends before the header does is none.
    """
    shown, more = list[Flaw](), 0
    try:
        for flaw in _foreign(file) or _header_flaws(file, table) or _no_rows(file, whole):
            if len(shown) < SHOWN:
                shown.append(flaw)
            else:
                more += 1
    except (OSError, UnicodeDecodeError):
        return []
    return [*shown, Flaw(file.name, None, "", f"{more} more rows like these")] if more else shown


def short_rows(file: Path, table: Table) -> list[Flaw]:
    """Return which rows of a CSV file end before the header does: polars fills them up.

    A figure that was cut off with what came after it, or slid to the left, looks like any other.
    """
    lines = pl.read_lines(file)["line"]
    commas = lines.filter(lines != "").str.count_matches(",", literal=True)
    uneven = commas.n_unique() > 1  # as quoted ones make them, too
    return csv_flaws(file, table, whole=True) if uneven else []


def _foreign(file: Path) -> list[Flaw]:
    """Return the first line that is not UTF-8."""
    with file.open("rb") as stream:
        for line, content in enumerate(stream, 1):
            try:
                content.decode()
            except UnicodeDecodeError as error:
                byte = f"byte 0x{content[error.start]:02X}"
                message = f"{byte} is not UTF-8: save the file as UTF-8, in Excel as 'CSV UTF-8'"
                return [Flaw(file.name, line, "", message)]
    return []


def _header_flaws(file: Path, table: Table) -> list[Flaw]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        header = next((cells for _, cells, wrong in _rows(stream) if cells or wrong), [])
    return table.header_flaws(header, file.name) if header else []


def _no_rows(file: Path, whole: bool) -> Iterator[Flaw]:
    """Yield each row that is none, at the line it begins on."""
    columns = 0
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for begin, cells, wrong in _rows(stream):
            columns = columns or len(cells)
            uneven = len(cells) > columns or (whole and 0 < len(cells) < columns)
            if wrong or uneven:
                remedy = _COMMAS if len(cells) > columns else _SHORT
                many = f"{counted(len(cells), 'cell')} under {counted(columns, 'column')}: {remedy}"
                yield Flaw(file.name, begin, "", wrong or many)


def _rows(stream: Iterable[str]) -> Iterator[tuple[int, list[str], str]]:
    """Yield of each row the line it begins on, its cells, and what is wrong with its quotes.

    A row that cannot be read is the last one, and has no cells.
    """
    begin, taken = 1, list[str]()
    try:
        for cells in csv.reader(_keeping(stream, taken), strict=True):
            yield begin, cells, _MISQUOTED if "".join(taken).count('"') % 2 else ""
            begin += len(taken)
            taken.clear()
    except csv.Error as error:
        yield begin, [], _MISQUOTED if "expected after" in str(error) else _UNCLOSED


def _keeping(stream: Iterable[str], taken: list[str]) -> Iterator[str]:
    """Yield the lines of a file, and leave them in a list."""
    for text in stream:
        taken.append(text)
        yield text
