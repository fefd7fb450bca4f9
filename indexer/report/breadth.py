"""The charts of a study over time that look into its baskets, or lay a dated series beside them."""

from dataclasses import replace

import numpy as np

from indexer.arrays import or_none
from indexer.report.figure import Figure, FigureLine, Stroke
from indexer.report.figures import name_of, signal_line, slot_of, time_figure
from indexer.report.markup import number
from indexer.signals.breadth import CORRELATION_WINDOW
from indexer.signals.members import members_correlated
from indexer.signals.result import Comparison
from indexer.signals.signal import Signal
from indexer.words import Text, joined, same

_BREADTH: dict[str, tuple[Text, Stroke]] = {  # and how each is drawn
    "breadth_20": (Text("above their 20-session mean", "站上20日均线"), "solid"),
    "breadth_60": (Text("above their 60-session mean", "站上60日均线"), "dashed"),
    "breadth_outperform": (Text("ahead of the leader", "跑赢领先指数"), "dotted"),
    "diffusion": (Text("diffusion", "扩散指数"), [9, 3, 2, 3]),
    "mean_pair_correlation": (Text("mean correlation of members", "成分股平均相关系数"), [2, 5]),
}
_STROKES = ("solid", "dashed", "dotted")  # of the series laid over an index, by turns


def breadth_figure(comparison: Comparison) -> Figure | None:
    """Return shares of members that take part, and how alike they move; None without baskets."""
    lines = []
    for found in comparison.signals:
        if found.name in _BREADTH and not found.leader:
            name, style = _BREADTH[found.name]
            label = joined([name_of(comparison, found.follower), name], ": ", "：")
            line = signal_line(comparison, found, 3)
            line |= {"label": label, "style": style, "shown": found.name == "breadth_20"}
            lines.append(line | {"slot": slot_of(comparison, found.follower)})
    if not lines:
        return None
    figure: Figure = {
        "id": "breadth",
        "title": Text("Breadth", "市场宽度"),
        "about": Text(
            "Share of the constituents above their mean of 20 or 60 closes, and ahead of the "
            "leader over 20 sessions; diffusion; and how alike they move.",
            "站上20日、60日均线的成分股占比，20日跑赢领先指数的占比，扩散指数，以及成分股走势的相似程度。",
        ),
        "digits": 3,
        "bounds": [-1, 1] if any(min(_there(line), default=0) < 0 for line in lines) else [0, 1],
    }
    return time_figure(comparison, figure, lines, comparison.study.indices)


def alike_text(comparison: Comparison) -> Text | None:
    """Return how alike members moved last, and of how many that is; None without baskets."""
    told = []
    for found in comparison.signals:
        if found.name == "mean_pair_correlation":
            id = found.follower
            counted, held = members_correlated(comparison.histories[id], comparison.aligned)
            value, n, m = number(or_none(found.value[-1]), 2), counted[-1], held[-1]
            count = Text(f"{value} ({n} of {m} members)", f"{value}（{m}只成分股中的{n}只）")
            told.append(joined([name_of(comparison, id), count], " at ", "为"))
    if not told:
        return None
    head = Text(
        f"Mean correlation of members over the last {CORRELATION_WINDOW} returns: ",
        f"最近{CORRELATION_WINDOW}个收益率的成分股平均相关系数：",
    )
    left_out = Text(
        ". Members without a close on each session of the window, as where their exchange alone "
        "was shut, are left out.",
        "。窗口内任一交易日缺收盘价的成分股（如其交易所单独休市）不计入。",
    )
    return joined([head, joined(told, "; ", "；"), left_out], "", "")


def overlay_figure(comparison: Comparison) -> Figure | None:
    """Return how far a dated series has left the index under it; None where there is none."""
    names = {overlay.symbol: overlay.name for overlay in comparison.study.overlays}
    lines: list[FigureLine] = []
    for found in comparison.signals:
        if found.name == "divergence":
            names_of_line = same(names.get(found.other, found.other))
            label = joined([name_of(comparison, found.follower), names_of_line], " / ", " / ")
            style = _STROKES[list(names).index(found.other) % len(_STROKES)]
            line = signal_line(comparison, _announced(found), 2) | {"label": label, "points": True}
            slot = slot_of(comparison, found.follower)
            lines.append(line | {"slot": slot, "style": style})
    if not lines:
        return None
    figure: Figure = {
        "id": "overlays",
        "title": Text("Beside announced figures", "与已公布数据对照"),
        "about": Text(
            "Change of the series less that of the index, each in its own deviations; by the "
            "day of announcement.",
            "数据变化减去指数变化，各以自身的标准差为单位；按公布日对齐。",
        ),
        "digits": 2,
        "scale": "value",
    }
    return time_figure(comparison, figure, lines, comparison.study.indices)


def _announced(signal: Signal) -> Signal:
    """Return a signal on the days that it stands on alone: nothing is missing between them."""
    there = ~np.isnan(signal.value)
    days, value, tested = signal.days[there], signal.value[there], signal.backtested[there]
    return replace(signal, days=days, value=value, backtested=tested)


def _there(line: FigureLine) -> list[float]:
    return [value for value in line["values"] if value is not None]
