"""The native charts of a workbook: which lines are drawn from which columns of its sheets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from indexer.arrays import Days
from indexer.index.history import History
from indexer.report import words
from indexer.report.drawing import INK, PALE, SHADES, ink
from indexer.report.figures import pair_slots, slot_of
from indexer.report.marks import bilingual, chinese
from indexer.report.sheets import Book, ChartLine, Column, Key, add_chart, set_axes
from indexer.signals.result import Comparison
from indexer.signals.signal import after_last

_LINEAR = (
    "线性坐标 linear scale"  # on the page it is logarithmic: Excel marks that at powers of ten
)


class Placed(NamedTuple):
    """A table of sessions on a sheet: its first row, its days, and its columns in order."""

    sheet: Any
    first: int
    days: Days
    columns: tuple[Column, ...]

    def line(self, n: int, label: str, colour: str, style: str = "solid") -> ChartLine:
        """Return a line of the n-th column, pale up to its last back-tested session."""
        column = self.columns[n]
        tested = 0 if column.tested is None else after_last(column.tested)
        return ChartLine(label, 0, n, colour, style, tested)

    def chart(
        self, book: Book, title: str, lines: list[ChartLine], axis: dict[str, Any]
    ) -> Iterator[Any]:
        """Yield a chart of some lines; none where there is nothing to draw a line of."""
        if lines and len(self.days) > 1:
            title += f" · {PALE}" if any(line.tested for line in lines) else ""
            chart = add_chart(book, title, (self.sheet, self.first, len(self.days)), lines)
            set_axes(chart, self.days, axis)
            yield chart


def about(comparison: Comparison, *ids: str) -> str:
    """Return what a column is of: the names of some indices on a line, their ids on the next."""
    overlaid = {overlay.symbol: overlay.name for overlay in comparison.study.overlays}
    names = [
        chinese(comparison.histories[id].definition.name)
        if id in comparison.histories
        else overlaid.get(id, id)
        for id in ids
    ]
    return " / ".join(names) + "\n" + " / ".join(ids)


class _Look(NamedTuple):
    """How something is drawn on every chart: its name in both languages, and its colour."""

    label: str
    colour: str


def _looks(comparison: Comparison) -> dict[str, _Look]:
    """Return the look of each index, pair and two ratio lines, by what their columns are of."""
    slots: dict[tuple[str, ...], int] = {
        (id,): slot_of(comparison, id) for id in comparison.aligned.ids
    }
    for pair, slot in zip(comparison.study.pairs, pair_slots(comparison), strict=True):
        slots[pair.leader, pair.follower] = slot
    slots |= {found.ids: slot for slot, found in enumerate(comparison.ratios, start=1)}
    looks = {}
    for ids, slot in slots.items():
        label = " / ".join(bilingual(comparison.histories[id].definition.name) for id in ids)
        looks[about(comparison, *ids)] = _Look(label, ink(slot))
    return looks


def study_charts(book: Book, comparison: Comparison, placed: Mapping[str, Placed]) -> Iterator[Any]:
    """Yield the charts of a study in reading order."""
    mark = _mark(comparison.synthetic, comparison.aligned.sessions[-1])
    window = comparison.study.windows.headline
    looks = _looks(comparison)
    yield from _levels(book, placed["levels"], mark, looks)
    yield from _strength(book, placed["strength"], mark, looks)
    for name, wanted, title in (
        (
            "ratios",
            ("ratio_correlation", "ratio_null"),
            "比值线相关与零假设值 Ratio lines, null dotted",
        ),
        (
            "correlation",
            ("correlation",),
            "领先与跟随指数的相关 Correlation of leader and follower",
        ),
    ):
        if name in placed:
            keys = [(of, window) for of in wanted]
            axis = {"min": -1, "max": 1, "major_unit": 0.5, "num_format": "0.0"}
            told = f"{title}, {window}{mark}"
            yield from _several(book, placed[name], keys, (told, axis), looks)
    gap = comparison.study.windows.gap
    for name, title in (
        ("gap", "偏离（对数） Gap of the follower, gap (log)"),
        ("gap_z", "偏离 Z 值 Gap in errors of prediction, gap_z"),
    ):
        drawn = (f"{title}, {gap}{mark}", {"num_format": "0.00"})
        yield from _several(book, placed["gap"], [(name, gap)], drawn, looks)
    if "breadth" in placed:
        title = f"60 日均线上方占比 Breadth: share above their 60-session average{mark}"
        axis = {"min": 0, "max": 1, "num_format": "0%"}
        yield from _several(book, placed["breadth"], [("breadth_60", 60)], (title, axis), looks)


def index_charts(book: Book, history: History, levels: Placed) -> Iterator[Any]:
    """Yield the charts of an index."""
    mark = _mark(history.synthetic, history.days[-1])
    lines = [
        levels.line(n, column.about, ink(n))
        for n, column in enumerate(levels.columns)
        if column.key == ("level", None)
    ]
    yield from levels.chart(
        book,
        f"指数点位 Index level, {_LINEAR}{mark}",
        lines,
        _span(levels, [line.y for line in lines]),
    )


def _mark(synthetic: bool, last: np.datetime64) -> str:
    """Return what stands in the title of every chart: a picture of it is copied by itself."""
    return f" · {last}" + (" · 合成数据 SYNTHETIC" if synthetic else "")


def _levels(book: Book, levels: Placed, mark: str, looks: Mapping[str, _Look]) -> Iterator[Any]:
    found = [n for n, column in enumerate(levels.columns) if column.key == ("rebased", None)]
    lines = [levels.line(n, *looks[levels.columns[n].about]) for n in found]
    if lines:
        title = f"指数点位 Index levels, {levels.columns[found[0]].zh}, {_LINEAR}{mark}"
        yield from levels.chart(book, title, lines, _span(levels, [line.y for line in lines]))


def _strength(book: Book, strength: Placed, mark: str, looks: Mapping[str, _Look]) -> Iterator[Any]:
    """Yield the relative strength of each pair, a band along it for each of its states."""
    wanted = ("relative_strength", None)
    found = [n for n, column in enumerate(strength.columns) if column.key == wanted]
    for n in found:
        column = strength.columns[n]
        lines = [
            ChartLine(f"{words.SHADES[key].zh} {key}", 0, k, shade.strong, band=True)
            for k, other in enumerate(strength.columns)
            for key, shade in SHADES.items()
            if (other.about, other.key) == (column.about, (key, None))
        ]
        label = looks[column.about].label
        lines.append(strength.line(n, f"{label} 相对强弱 relative strength", INK))
        title = f"{label} 相对强弱与状态 Relative strength and states, {_LINEAR}{mark}"
        yield from strength.chart(book, title, lines, {"num_format": "0"} | _span(strength, [n]))


def _several(
    book: Book,
    placed: Placed,
    keys: Sequence[Key],
    told: tuple[str, dict[str, Any]],
    looks: Mapping[str, _Look],
) -> Iterator[Any]:
    """Yield a chart of every column with one of some keys, those of the second one dotted."""
    title, axis = told
    lines = []
    for n, column in enumerate(placed.columns):
        if column.key not in keys:
            continue
        second = column.key != keys[0]
        label, colour = looks[column.about]
        label += f" {column.zh} {column.en}" if len(keys) > 1 else ""
        style = "dotted" if second else "solid"
        lines.append(placed.line(n, label, colour, style))
    yield from placed.chart(book, title, lines, axis)


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
