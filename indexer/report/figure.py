"""What a chart is: a plain dictionary, of which page and script know every key.

Text is a pair of English and Chinese. Positions count the sessions of the page.
"""

from typing import Any, TypedDict

from indexer.words import Text

Stroke = str | list[int]  # ``solid``, ``dashed``, ``dotted``, or lengths of dashes and gaps


class Reach(TypedDict):
    """What chance is known to do to the last value of a line.

    A box from ``low`` to ``high`` over the rows of the window that it is of, and across it a
    median, or none.
    """

    label: Text
    first: int
    last: int
    low: float
    high: float
    median: float | None


class FigureLine(TypedDict, total=False):
    """A line of a chart; ``label``, ``slot`` and ``tested`` stand in every one.

    Attributes
    ----------
    label : what it is
    slot : its colour, from one; 0 is that of the text
    tested : how many of its first values rest on back-tested levels; over rows from an event,
        whether any does
    rows, values : positions, and the value there, rounded to ``digits``; None where there is none
    style : how it is stroked, over time
    legend : the button that shows and hides it, with all others of that name
    button : whether there is one
    shown : whether the line is there at first
    points : whether each value has a dot, of a line that has few
    reach : beside its last value; None or absent where nothing is known of it
    days, x, y : of a line that does not run over time: ISO dates, and where its points are
    """

    label: Text
    slot: int
    tested: int
    rows: list[int]
    values: list[float | None]
    digits: int
    style: Stroke
    legend: Text
    button: bool
    shown: bool
    points: bool
    reach: Reach | None
    days: list[str]
    x: list[float | None] | list[int]
    y: list[float | None]


class Mark(TypedDict):
    """A position on which a chart has an upright line; dotted, and without words, for a turn."""

    at: int
    label: Text | None


class Figure(TypedDict, total=False):
    """A chart; ``id`` to ``digits`` stand in every one, the others by its kind.

    Attributes
    ----------
    id : of its place on the page
    kind : ``time``, ``rotation``, ``bars``, ``offsets``, ``heat`` or ``grid``
    title, about : its name, and what it shows
    digits : after the point, of values that are read off
    of, stamp : ids of the indices that are in it, and what it says of them when it leaves a page;
        without a stamp it has that of the page
    lines : of ``time``, ``rotation`` and ``offsets``
    scale : of ``time``: ``log`` or ``value``; bounds take the place of either
    bounds : lowest and highest value of the axis; None where the values give them
    bands : of ``time``: shades, each ``[first, last, key]``, both positions inclusive
    marks : of ``time``: among them the first session that is not back-tested
    rebase : of ``time``: position on which every line is 100 until its reader chooses another;
        None where there is no such choice
    slot, x, y, band, tested : of ``bars``: colour, lags, values, how far chance takes them, and
        whether they rest on a back-tested level
    symbols, names, segments, values : of ``heat``: members, and row by row up to the diagonal
        their correlations
    across, columns, rows, cells : of ``grid``: the key varied across, the names of columns and of
        rows, and ``[column, row, value]`` of each
    """

    id: str
    kind: str
    title: Text
    about: Text
    digits: int
    of: list[str]
    stamp: Text
    lines: list[FigureLine]
    scale: str
    bounds: list[float] | None
    bands: list[list[Any]]
    marks: list[Mark]
    rebase: int | None
    slot: int
    x: list[int]
    y: list[float | None]
    band: float | None
    tested: bool
    symbols: list[str]
    names: list[str]
    segments: list[str]
    values: list[list[float | None]]
    across: str
    columns: list[str]
    rows: list[str]
    cells: list[list[Any]]
