"""Pieces of a workbook: sheets with their marks, tables and native charts.

Every sheet begins with the marks of the workbook, so that none is copied out without them. Text is
text whatever it begins with; a number reads back to the same double.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from indexer.arrays import Days, Flags
from indexer.report.drawing import pale

ROWS = 1_048_576  # of a sheet, as Excel has them
COLUMNS = 16_384
TEXT = 32_767  # characters of a cell
PALE = "#667281"
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "round_dot"}
_FORMATS: dict[str, dict[str, Any]] = {
    "text": {"align": "left", "indent": 1},  # clear of the number to the left of it
    "date": {"num_format": "yyyy-mm-dd", "align": "left"},
    "level": {"num_format": "#,##0.0000"},
    "index": {"num_format": "0.00"},
    "ratio": {"num_format": "0.000;−0.000"},
    "log": {"num_format": "0.0000;−0.0000"},
    "weight": {"num_format": "0.00%;−0.00%"},
    "shares": {"num_format": "#,##0.00"},
    "price": {"num_format": "#,##0.000"},
    "count": {"num_format": "0"},
    "flag": {"align": "left"},
}
_WIDTHS = {"date": 12}
_CHART = (900, 340)  # pixels
_STEP = 19  # rows from one chart to the next
_PAGE = 180  # characters that are still read when they are fitted to the width of a page


Key = tuple[str, int | None]


class Column(NamedTuple):
    """One column of a table: headings, values (None or NaN where there is none) and their format.

    Where it is ``tested`` a value rests on a back-tested level and is shown pale.
    """

    zh: str
    en: str
    values: Sequence[Any]
    format: str
    about: str = ""  # the index, pair or triple it is of
    tested: Flags | None = None
    key: Key = ("", None)  # by which charts find it: what it holds, and its window


class ChartLine(NamedTuple):
    """One line of a chart: two columns of a sheet, and how they are drawn."""

    label: str
    x: int
    y: int
    colour: str
    style: str = "solid"
    tested: int = 0  # its first rows, drawn pale
    band: bool = False  # a wide one that others are seen through, with gaps where it has no value


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook that is being written, and the marks that every sheet of it carries."""

    book: Any
    stream: io.BytesIO
    marks: tuple[tuple[str, str], ...]  # format and text
    formats: dict[str, Any] = field(default_factory=dict)

    def format(self, name: str, *, tested: bool = False) -> Any:
        """Return a cell's format by name; pale where a value is back-tested."""
        key = f"{name} tested" if tested else name
        if key not in self.formats:
            looks = _FORMATS.get(name, {}) | _LOOKS.get(name, {})
            looks |= {"font_color": PALE, "italic": True} if tested else {}
            self.formats[key] = self.book.add_format({"font_name": _FONT, **looks})
        return self.formats[key]


_FONT = "Microsoft YaHei"
_LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "font_size": 12},
    "mark": {"font_color": "#5B6775"},
    "warning": {"bold": True, "font_color": "#8A4B00", "bg_color": "#FFF4E0"},
    "group": {"font_color": "#5B6775", "text_wrap": True, "valign": "top"},
    "zh": {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#F5F7F9"},
    "en": {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#F5F7F9", "bottom": 1},
    "wrapped": {"text_wrap": True, "valign": "top"},
}


class _Exact(Worksheet):  # type: ignore[misc]
    """A worksheet whose numbers read back to the same double: 16 digits do not always."""

    def _xml_number_element(self, number: float, attributes: Any = ()) -> None:
        told = "".join(f' {key}="{self._escape_attributes(value)}"' for key, value in attributes)
        self.fh.write(f"<c{told}><v>{number!r}</v></c>")


def new_book(title: str, created: datetime, marks: Sequence[tuple[str, str]]) -> Book:
    """Return an empty workbook; the same contents give the same bytes."""
    stream = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": title, "created": created, "author": "indexer"})
    return Book(book, stream, tuple(marks))


def finished(book: Book) -> bytes:
    """Return a workbook's bytes; nothing can be added afterwards."""
    book.book.close()
    return book.stream.getvalue()


def add_sheet(book: Book, name: str, title: str) -> tuple[Any, int]:
    """Return a new sheet with its title and the marks of the workbook, and its next free row."""
    sheet = book.book.add_worksheet(_free_name(book, name), _Exact)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, title, book.format("title"))
    for n, (look, text) in enumerate(book.marks, start=1):
        sheet.write_string(n, 0, text, book.format(look))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_footer("&L&A&R&P / &N")
    return sheet, len(book.marks) + 2


def add_table(book: Book, name: str, title: str, columns: Sequence[Column]) -> tuple[Any, int]:
    """Return a new sheet that holds one table under frozen headings, and the table's first row.

    Of a table with more rows than a sheet the last ones are written, and the sheet says so.
    """
    sheet, row = add_sheet(book, name, title)
    room = ROWS - row - 5
    count = max((len(column.values) for column in columns), default=0)
    if count > room:
        left_out = (
            f"仅列最近 {room:,} 行，全部见 CSV  The last {room:,} rows of {count:,}: CSV has all"
        )
        sheet.write_string(row - 1, 0, left_out, book.format("warning"))
        columns = [_last(column, room) for column in columns]
    first = write_table(book, sheet, row, columns)
    last = first + max(1, min(count, room)) - 1
    sheet.freeze_panes(first, 1)
    sheet.autofilter(first - 1, 0, last, len(columns) - 1)
    sheet.repeat_rows(first - 3, first - 1)
    sheet.repeat_columns(0)
    widths = [_width(column) for column in columns]
    for n, width in enumerate(widths):
        sheet.set_column(n, n, width)
    if sum(widths) < _PAGE:
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(50)
    return sheet, first


def write_table(book: Book, sheet: Any, row: int, columns: Sequence[Column]) -> int:
    """Write headings and cells of a table from a row on, and return the row of its first cells."""
    headings = zip(*((c.about, c.zh, c.en) for c in columns), strict=True)
    for k, texts in enumerate(headings):
        sheet.set_row(row + k, 15 * max(map(_lines, texts)))
    for n, column in enumerate(columns):
        for k, (look, text) in enumerate(
            (("group", column.about), ("zh", column.zh), ("en", column.en))
        ):
            sheet.write_string(row + k, n, text, book.format(look))
        _write_cells(book, sheet, (row + 3, n), column)
    return row + 3


def write_lines(book: Book, sheet: Any, row: int, texts: Sequence[str], look: str = "text") -> int:
    """Write texts below each other, long ones in pieces, and return the next free row."""
    for text in texts:
        for begin in range(0, max(1, len(text)), TEXT):
            sheet.write_string(row, 0, text[begin : begin + TEXT], book.format(look))
            row += 1
    return row


def write_pair(
    book: Book, sheet: Any, row: int, told: tuple[str, Any, str], *, tested: bool
) -> None:
    """Write what a figure is called, and beside it the figure: its value and its format."""
    name, value, look = told
    sheet.write_string(row, 0, name, book.format("text"))
    flags = np.array([tested])
    _write_cells(book, sheet, (row, 1), Column("", "", [value], look, tested=flags))


def add_chart(
    book: Book, title: str, data: tuple[Any, int, int], lines: Sequence[ChartLine]
) -> Any:
    """Return a chart of lines over dates; ``data`` is a sheet, the first row and how many rows."""
    sheet, first, rows = data
    chart = book.book.add_chart({"type": "scatter", "subtype": "straight"})
    unnamed = []
    for line in lines:
        for begin, end, colour in (
            (0, line.tested, pale(line.colour)),
            (max(0, line.tested - 1), rows, line.colour),
        ):
            if end - begin < 2:
                continue
            if begin == 0 and 0 < line.tested < rows:
                unnamed.append(len(chart.series))
            span = (first + begin, first + end - 1)
            chart.add_series(
                {
                    "name": _no_formula(line.label),
                    "categories": [sheet.name, span[0], line.x, span[1], line.x],
                    "values": [sheet.name, span[0], line.y, span[1], line.y],
                    "line": {
                        "color": colour,
                        "width": 7.0 if line.band else 1.75,
                        "dash_type": _DASHES[line.style],
                        "transparency": 45 if line.band else 0,
                    },
                    "marker": {"type": "none"},
                }
            )
    font = {"name": _FONT, "size": 9}
    chart.set_title(
        {"name": _no_formula(title), "name_font": {"name": _FONT, "size": 11}, "overlay": False}
    )
    chart.set_legend({"position": "bottom", "font": font, "delete_series": unnamed})
    chart.show_blanks_as("gap" if any(line.band for line in lines) else "span")
    chart.set_size({"width": _CHART[0], "height": _CHART[1]})
    return chart


def set_axes(chart: Any, days: Days, y: dict[str, Any]) -> None:
    """Set a chart's axis of dates and that of its values."""
    font = {"name": _FONT, "size": 9}
    begin, end = (_serial(day) for day in (days[0], days[-1]))
    chart.set_x_axis(
        {
            "min": begin,
            "max": end,
            "major_unit": max(1, (end - begin) // 6),
            "num_format": "yyyy-mm-dd",
            "num_font": font,
            "label_position": "low",
            "major_gridlines": {"visible": False},
        }
    )
    gridlines = {"visible": True, "line": {"color": "#D9DEE5", "width": 0.5}}
    chart.set_y_axis({"num_font": font, "major_gridlines": gridlines, "crossing": "min", **y})


def place_charts(sheet: Any, row: int, charts: Iterable[Any]) -> None:
    """Put charts below each other from a row on, three to a printed page."""
    count = 0
    for count, chart in enumerate(charts, start=1):
        sheet.insert_chart(row + (count - 1) * _STEP, 0, chart)
    sheet.set_portrait()
    sheet.set_print_scale(55)
    sheet.set_h_pagebreaks([row + n * _STEP for n in range(3, count, 3)])


def _serial(day: Any) -> int:
    """Return a date as Excel counts it."""
    return int(
        (np.datetime64(day, "D") - np.datetime64("1899-12-30", "D")) // np.timedelta64(1, "D")
    )


def _write_cells(book: Book, sheet: Any, at: tuple[int, int], column: Column) -> None:
    row, n = at
    plain, faint = (book.format(column.format, tested=tested) for tested in (False, True))
    tested = column.tested if column.tested is not None else np.zeros(len(column.values), bool)
    for k, (value, is_tested) in enumerate(zip(column.values, tested, strict=True)):
        look = faint if is_tested else plain
        if value is None or value != value:  # noqa: PLR0124 (NaN alone is not itself)
            continue
        if isinstance(value, str):
            sheet.write_string(row + k, n, value[:TEXT], look)
        elif isinstance(value, bool | np.bool_):
            sheet.write_boolean(row + k, n, bool(value), look)
        elif column.format == "date":
            sheet.write_number(row + k, n, _serial(value), look)
        else:
            sheet.write_number(row + k, n, _plain(value), look)


def _plain(value: Any) -> float | int:
    """Return a number as one of Python's own, whose digits read back to it."""
    return int(value) if isinstance(value, int | np.integer) else float(value)


def _no_formula(text: str) -> str:
    """Return a name that is not taken for a reference to a cell, as ``x!A1`` would be."""
    return re.sub(r"!(?=\$?[A-Z])", "! ", text)


def _last(column: Column, count: int) -> Column:
    tested = None if column.tested is None else column.tested[-count:]
    return column._replace(values=column.values[-count:], tested=tested)


def _width(column: Column) -> float:
    cells = [_shown(value) for value in column.values[:200] if isinstance(value, str)]
    longest = max((len(text) for text in cells), default=0)
    return min(40.0, max(_WIDTHS.get(column.format, 15), longest + 2))


def _lines(heading: str) -> int:
    """Return how many lines a heading takes in a column of the usual width."""
    return sum(1 + len(_shown(text)) // 14 for text in heading.split("\n"))


def _shown(text: str) -> str:
    """Return text as wide as it is shown: a Chinese character takes two places."""
    return "".join(c if ord(c) < 0x2E80 else c * 2 for c in text)


def _free_name(book: Book, name: str) -> str:
    """Return a sheet's name, numbered where there is one of that name."""
    taken = {sheet.name for sheet in book.book.worksheets()}
    found, n = name, 1
    while found in taken:
        n += 1
        found = f"{name} {n}"
    return found
