"""The charts of a study over time that look into its baskets, or lay a dated series beside them."""

from indexer.report.figures import Figure, name_of, signal_line, slot_of, time_figure
from indexer.report.words import Text, joined, same
from indexer.signals.result import Comparison

_BREADTH = {
    "breadth_20": Text("above their 20-session mean", "站上20日均线"),
    "breadth_60": Text("above their 60-session mean", "站上60日均线"),
    "breadth_outperform": Text("ahead of the leader", "跑赢领先指数"),
    "diffusion": Text("diffusion", "扩散指数"),
    "mean_pair_correlation": Text("mean correlation of members", "成分股平均相关系数"),
}
_STROKES = ("solid", "dashed", "dotted")  # of the series laid over an index, by turns


def breadth_figure(comparison: Comparison) -> Figure | None:
    """Return shares of members that take part, and how alike they move; None without baskets."""
    lines = []
    for found in comparison.signals:
        if found.name in _BREADTH and not found.leader:
            label = joined([name_of(comparison, found.follower), _BREADTH[found.name]], ": ", "：")
            shown = found.name == "breadth_20"
            style = "solid" if shown else "dashed"
            line = {"label": label, "style": style, "shown": shown}
            line |= {"slot": slot_of(comparison, found.follower)}
            lines.append(signal_line(comparison, found, 3) | line)
    if not lines:
        return None
    figure = {
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


def overlay_figure(comparison: Comparison) -> Figure | None:
    """Return how far an index has left a dated series laid over it; None where there is none."""
    names = {overlay.symbol: overlay.name for overlay in comparison.study.overlays}
    lines: list[Figure] = []
    for found in comparison.signals:
        if found.name == "divergence":
            names_of_line = same(names.get(found.other, found.other))
            label = joined([name_of(comparison, found.follower), names_of_line], " / ", " / ")
            style = _STROKES[list(names).index(found.other) % len(_STROKES)]
            line = {"label": label, "slot": slot_of(comparison, found.follower), "style": style}
            lines.append(signal_line(comparison, found, 2) | line)
    if not lines:
        return None
    figure = {
        "id": "overlays",
        "title": Text("Beside announced figures", "与已公布数据对照"),
        "about": Text(
            "Change of the index less that of the series, each in its own deviations; by the day "
            "of announcement.",
            "指数变化减去数据变化，各以自身标准差为单位；按公布日对齐。",
        ),
        "digits": 2,
        "scale": "value",
    }
    return time_figure(comparison, figure, lines, comparison.study.indices)


def _there(line: Figure) -> list[float]:
    return [value for value in line["values"] if value is not None]
