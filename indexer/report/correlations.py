"""The charts of rolling correlations, each with what chance is known to do to its last value."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from indexer.definitions.study import WindowLengths
from indexer.report.figure import Figure, FigureLine, Reach
from indexer.report.figures import (
    name_of,
    pair_slots,
    ratio_lines_name,
    signal_line,
    time_figure,
)
from indexer.signals.inference import FEWEST_ROWS, Interval, LevelNull
from indexer.signals.ratios import RatioInference
from indexer.signals.result import Comparison
from indexer.words import Text, joined, many

_DIGITS = 3
_FRAME: Figure = {"digits": _DIGITS, "bounds": [-1, 1]}
_INTERVAL = Text("95 % interval", "95%置信区间")
_NULL = Text("null, 5 to 95 %", "零假设5%至95%")
_BOX = Text(
    "The box at the end is the 95 % interval of the last value, as wide as its window; it is "
    f"worked out for the last session alone, and not below {FEWEST_ROWS} rows.",
    f"末端方框为最新值的95%置信区间，宽度即其窗口；仅对最后一个交易日计算，不足{FEWEST_ROWS}期者不算。",
)


def ratio_figure(comparison: Comparison, found: RatioInference) -> Figure:
    """Return the rolling correlation of two ratio lines beside its shared-leg null."""
    windows = comparison.study.windows.correlation
    lines = []
    for n, window in enumerate(windows):
        for name, words, style in (
            ("ratio_correlation", Text("correlation", "相关系数"), "solid"),
            ("ratio_null", Text("shared-leg null", "共用分子零假设值"), "dotted"),
        ):
            line = _window_line(comparison, name, found.ids, window, words)
            if name == "ratio_correlation":
                line["reach"] = _reach(line, window, found.correlation.get(window), _INTERVAL)
            lines.append(line | {"slot": n + 1, "style": style})
    about = Text(
        "Rolling correlation of the returns of the two lines (solid), and what the numerator "
        "they share would give by itself: its null (dotted).",
        "两条比值线收益率的滚动相关系数（实线），以及仅因分子相同就会出现的数值，即零假设值（点线）。",
    )
    title = Text("Correlation of the ratio lines", "比值线的相关系数")
    return _of_lines(comparison, found.ids, "ratio", (title, joined([about, _BOX], " ", "")), lines)


def ratio_levels_figure(comparison: Comparison, found: RatioInference) -> Figure:
    """Return the rolling correlation of two ratio lines' levels, and its last value's null."""
    lines = []
    for n, window in enumerate(comparison.study.windows.correlation):
        words = Text("correlation of levels", "点位相关系数")
        line = _window_line(comparison, "level_correlation", found.ids, window, words)
        line["reach"] = _reach(line, window, found.levels.get(window), _NULL)
        lines.append(line | {"slot": n + 1, "style": "solid"})
    about = Text(
        "Rolling correlation of the two log ratio lines. Lines that trend look alike by "
        "themselves: the box at the end is what followers unrelated but for the leader would show "
        "on the last session, 5 to 95 %, its median dotted, as wide as the window.",
        "两条对数比值线的滚动相关系数。有趋势的两条线本来就会显得相似：末端方框为零假设（除领先指数外两跟随指数"
        "互不相关）下最后一个交易日的5%至95%范围，点线为中位数，宽度即窗口。",
    )
    title = Text("Correlation of the ratio lines' levels", "比值线点位的相关系数")
    return _of_lines(comparison, found.ids, "ratiolevels", (title, about), lines)


def _of_lines(
    comparison: Comparison,
    ids: tuple[str, str, str],
    kind: str,
    told: tuple[Text, Text],
    lines: list[FigureLine],
) -> Figure:
    """Return a figure of two ratio lines, its title and what it shows told."""
    title, about = told
    figure: Figure = {
        "id": "_".join((kind, *ids)),
        "title": joined([title, ratio_lines_name(comparison, ids)], ": ", "："),
        "about": about,
        **_FRAME,
    }
    return time_figure(comparison, figure, lines, ids)


def correlation_figures(comparison: Comparison) -> Iterator[Figure]:
    """Yield the rolling correlation of leader and follower, of their returns and their levels."""
    told = {
        "correlation": (
            Text("Correlation of leader and follower", "领先指数与跟随指数的相关系数"),
            joined(
                [
                    Text(
                        "Rolling correlation of the returns of leader and follower of each pair; "
                        "its null is nought.",
                        "各配对中领先指数与跟随指数收益率的滚动相关系数；零假设值为0。",
                    ),
                    _BOX,
                ],
                " ",
                "",
            ),
        ),
        "level_correlation": (
            Text("Correlation of the levels", "点位的相关系数"),
            Text(
                "Rolling correlation of log levels. Lines that trend look alike by themselves: "
                "nothing is tested here, and none of it should be read alone.",
                "对数点位的滚动相关系数。有趋势的两条线本来就会显得相似：此图不作检验，不可单独看。",
            ),
        ),
    }
    for name, (title, about) in told.items():
        figure: Figure = {"id": f"{name}s", "title": title, "about": about, **_FRAME}
        lines = list(_pair_lines(comparison, name))
        yield time_figure(comparison, figure, lines, comparison.study.indices)


def _pair_lines(comparison: Comparison, name: str) -> Iterator[FigureLine]:
    windows = comparison.study.windows.correlation
    styles = _window_styles(comparison.study.windows)
    pairs = zip(comparison.pairs, pair_slots(comparison), strict=True)
    for (pair, slot), window in product(pairs, windows):
        names = joined([name_of(comparison, id) for id in pair.rows.ids], " with ", "与")
        line = _window_line(comparison, name, pair.rows.ids, window, names)
        if name == "correlation":
            line["reach"] = _reach(line, window, pair.correlation.get(window), _INTERVAL)
        line |= {"legend": line["label"], "slot": slot, "style": styles[window]}
        yield line


def _window_line(
    comparison: Comparison, name: str, ids: Sequence[str], window: int, words: Text
) -> FigureLine:
    """Return the line of one window, named for it; only that of the headline is shown at first."""
    rows = many(window, "row", "期")
    found = comparison.signal(name, *ids, window=window)
    shown = window == comparison.study.windows.headline
    label = joined([words, rows], ", ", "，")
    line = signal_line(comparison, found, _DIGITS)
    return line | {"label": label, "legend": rows, "shown": shown}


def _reach(
    line: FigureLine, window: int, found: Interval | LevelNull | None, words: Text
) -> Reach | None:
    """Return what is known of a line's last value, over the rows of its window; None of none."""
    if found is None or np.isnan(found.low):
        return None
    median = found.median if isinstance(found, LevelNull) else None
    return {
        "label": words,
        "first": line["rows"][-window],
        "last": line["rows"][-1],
        "low": round(found.low, _DIGITS),
        "high": round(found.high, _DIGITS),
        "median": None if median is None else round(median, _DIGITS),
    }


def _window_styles(windows: WindowLengths) -> dict[int, str]:
    """Return the stroke of each window's line: solid for the headline, the others by turns."""
    others = [window for window in windows.correlation if window != windows.headline]
    turns = {window: ("dotted", "dashed")[n % 2] for n, window in enumerate(others)}
    return {windows.headline: "solid"} | turns
