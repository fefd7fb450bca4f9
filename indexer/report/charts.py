"""The native charts of a workbook: which lines are drawn from which columns of its sheets."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from indexer.arrays import Days
from indexer.index.history import History
from indexer.report.figures import headline_window
from indexer.report.headings import SHADES
from indexer.report.sheets import INK, Book, Column, Line, add_chart, set_axes
from indexer.signals.result import Comparison

_COLOURS = {
    "stretched": "#E0A030",
    "catch-up": "#2E9E55",
    "leader-fall": "#4C7BD9",
    "both-falling": "#D95757",
    "closed": "#9AA0A8",
}


class Placed(NamedTuple):
    """A table of sessions on a sheet: its first row, its days, and its columns in order."""

    sheet: Any
    first: int
    days: Days
    columns: tuple[Column, ...]

    def line(self, n: int, label: str, colour: str, style: str = "solid") -> Line:
        """Return a line of the n-th column, pale up to its last back-tested session."""
        column = self.columns[n]
        tested = np.flatnonzero(column.tested) if column.tested is not None else np.empty(0)
        return Line(label, 0, n, colour, style, int(tested[-1]) + 1 if tested.size else 0)

    def chart(
        self, book: Book, title: str, lines: list[Line], axis: dict[str, Any]
    ) -> Iterator[Any]:
        """Yield a chart of some lines; none where there is nothing to draw a line of."""
        if lines and len(self.days) > 1:
            chart = add_chart(book, title, (self.sheet, self.first, len(self.days)), lines)
            set_axes(chart, self.days, axis)
            yield chart


def study_charts(book: Book, comparison: Comparison, placed: Mapping[str, Placed]) -> Iterator[Any]:
    """Yield the charts of a study in reading order."""
    mark = _mark(comparison.synthetic, comparison.aligned.sessions[-1])
    window = headline_window(comparison.study.windows.correlation)
    yield from _levels(book, placed["指数点位"], mark)
    yield from _strength(book, comparison, placed["相对强弱"], mark)
    for name, wanted, title in (
        (
            "比值线相关",
            ("Ratio correlation", "Ratio null"),
            "比值线相关与零假设值 Ratio lines, null dotted",
        ),
        ("相关性", ("Correlation",), "领先与跟随指数的相关 Correlation of leader and follower"),
    ):
        if name in placed:
            heads = [f"{head} {window}" for head in wanted]
            axis = {"min": -1, "max": 1, "major_unit": 0.5, "num_format": "0.0"}
            yield from _several(book, placed[name], heads, f"{title}, {window}{mark}", axis)
    gap = f"Gap {comparison.study.windows.gap}"
    title = f"偏离（对数） Gap of the follower, log{mark}"
    yield from _several(book, placed["偏离"], [gap], title, {"num_format": "0.00"})
    if "市场宽度" in placed:
        title = f"60 日均线上方占比 Breadth: share above their 60-session average{mark}"
        axis = {"min": 0, "max": 1, "num_format": "0%"}
        yield from _several(book, placed["市场宽度"], ["Breadth 60"], title, axis)


def index_charts(book: Book, history: History, levels: Placed) -> Iterator[Any]:
    """Yield the charts of an index."""
    mark = _mark(history.synthetic, history.days[-1])
    lines = [
        levels.line(n, column.about, INK[n % len(INK)])
        for n, column in enumerate(levels.columns)
        if column.en.startswith("Level ")
    ]
    yield from levels.chart(
        book, f"指数点位 Index level{mark}", lines, _span(levels, [line.y for line in lines])
    )


def _mark(synthetic: bool, last: np.datetime64) -> str:
    """Return what stands in the title of every chart: a picture of it is copied by itself."""
    return f" · {last}" + (" · 合成数据 SYNTHETIC" if synthetic else "")


def _levels(book: Book, levels: Placed, mark: str) -> Iterator[Any]:
    found = [n for n, column in enumerate(levels.columns) if column.en == "Rebased"]
    lines = [
        levels.line(n, _label(levels.columns[n]), INK[(k + 1) % len(INK)])
        for k, n in enumerate(found)
    ]
    if lines:
        title = f"指数点位 Index levels, {levels.columns[found[0]].zh}{mark}"
        yield from levels.chart(book, title, lines, _span(levels, [line.y for line in lines]))


def _strength(book: Book, comparison: Comparison, strength: Placed, mark: str) -> Iterator[Any]:
    """Yield the relative strength of each pair, a band along it for each of its states."""
    found = [n for n, column in enumerate(strength.columns) if column.en == "Relative strength"]
    aligned = comparison.aligned
    for n, pair in zip(found, comparison.study.pairs, strict=False):  # as many as a sheet takes
        column = strength.columns[n]
        lines = [
            Line(SHADES[key], 0, k, _COLOURS[key], width=7.0)
            for k, other in enumerate(strength.columns)
            for key in SHADES
            if (other.about, other.en) == (column.about, f"While {key}")
        ]
        # The signal counts its base too and so may be back-tested for ever: here the day's levels.
        columns = aligned.columns((pair.leader, pair.follower))
        tested = np.flatnonzero(aligned.backtested[:, columns].any(axis=1))
        line = strength.line(n, f"{_label(column)} 相对强弱", INK[0])
        lines.append(line._replace(tested=int(tested[-1]) + 1 if tested.size else 0))
        title = f"{_label(column)} 相对强弱与状态 Relative strength and states{mark}"
        yield from strength.chart(book, title, lines, {"num_format": "0"} | _span(strength, [n]))


def _several(
    book: Book, placed: Placed, heads: list[str], title: str, axis: dict[str, Any]
) -> Iterator[Any]:
    """Yield a chart of every column under some English headings, the second heading dotted."""
    found = [(n, c) for n, c in enumerate(placed.columns) if c.en in heads]
    colours = {
        about: INK[1 + k % 7] for k, about in enumerate(dict.fromkeys(c.about for _, c in found))
    }
    lines = []
    for n, column in found:
        second = column.en != heads[0]
        label = f"{_label(column)}{' ' + column.zh if len(heads) > 1 else ''}"
        style = "dotted" if second else "solid"
        lines.append(placed.line(n, label, colours[column.about], style))
    yield from placed.chart(book, title, lines, axis)


def _label(column: Column) -> str:
    """Return the names a column is of."""
    return column.about.split("\n", maxsplit=1)[0]


def _values(placed: Placed, columns: list[int]) -> Any:
    grid = np.array([placed.columns[n].values for n in columns], dtype=float)
    return grid[np.isfinite(grid)]


def _span(placed: Placed, columns: list[int]) -> dict[str, Any]:
    """Return bounds of an axis that leave a little room about the values."""
    values = _values(placed, columns)
    if not values.size or values.min() == values.max():
        return {}
    step = 10.0 ** np.floor(np.log10(values.max() - values.min()))
    return {
        "min": float(np.floor(values.min() / step) * step),
        "max": float(np.ceil(values.max() / step) * step),
    }
