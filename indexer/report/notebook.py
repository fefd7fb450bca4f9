"""What a notebook shows of a result: a few figures in a table, and drawings of its lines."""

from collections.abc import Sequence

import numpy as np

from indexer.index.history import History
from indexer.report.drawing import Drawing, drawing
from indexer.report.figures import (
    compact,
    index_figure,
    name_of,
    pair_figure,
    ratio_figure,
)
from indexer.report.markup import banner, bilingual, number, paragraph, safe, table
from indexer.signals.result import Comparison

_SYNTHETIC = "合成数据 SYNTHETIC DATA"


def history_drawing(history: History) -> Drawing:
    """Return the lines of an index, one for each variant."""
    lines = [
        {
            "label": name,
            "rows": list(range(len(history.days))),
            "values": compact(level),
            "tested": int(history.backtested.sum()),
            "slot": n + 1,
            "style": "solid",
        }
        for n, (name, level) in enumerate(history.variants.items())
    ]
    title = bilingual(history.definition.name)
    figure = {"title": title, "lines": lines, "bands": [], "bounds": None}
    return drawing([figure], [str(day) for day in history.days], _mark(history.synthetic))


def comparison_drawing(comparison: Comparison) -> Drawing:
    """Return the index lines of a study, its pairs over their states, and its ratio lines."""
    figures = [
        index_figure(comparison),
        *(pair_figure(comparison, pair) for pair in comparison.states),
        *(ratio_figure(comparison, found.ids) for found in comparison.ratios),
    ]
    sessions = [str(day) for day in comparison.aligned.sessions]
    return drawing(figures, sessions, _mark(comparison.synthetic))


def history_html(history: History) -> str:
    """Return what happened to an index, in a few figures."""
    told = history.summary
    change, fall = 100 * told["return"], 100 * told["maximum_drawdown"]
    yearly = None if told["volatility"] is None else 100 * told["volatility"]
    rows = [
        (
            told["variant"],
            f"{told['first']['date']}: {number(told['first']['level'], 4)}",
            f"{told['last']['date']}: {number(told['last']['level'], 4)}",
            *(f"{number(value, 1)}%" for value in (change, yearly, fall)),
            f"{told['carried_last']} of {told['constituents']}",
            str(int(np.sum(history.backtested))),
        )
    ]
    heads = (
        *("Variant", "First", "Last", "Return", "Volatility", "Maximum drawdown"),
        *("Carried", "Back-tested sessions"),
    )
    return _page(
        bilingual(history.definition.name), heads, rows, history.synthetic, told["warnings"]
    )


def comparison_html(comparison: Comparison) -> str:
    """Return where each pair of a study stands."""
    told = comparison.summary
    rows = [
        (
            f"{name_of(comparison, pair['leader'])} / {name_of(comparison, pair['follower'])}",
            pair["state"].replace("_", " "),
            pair["since"],
            pair["kind"] or "–",
            number(pair["relative_strength"], 2),
            number(pair["zscore"], 2),
            pair["last_row"],
        )
        for pair in told["pairs"]
    ]
    heads = ("Leader / follower", "State", "Since", "Kind", "Relative strength", "z", "Last row")
    return _page(
        bilingual(comparison.study.name), heads, rows, comparison.synthetic, told["warnings"]
    )


def _page(
    title: str,
    heads: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    synthetic: bool,
    warnings: list[str],
) -> str:
    return "".join(
        [
            f"<strong>{safe(title)}</strong>",
            banner(_SYNTHETIC, "") if synthetic else "",
            table(heads, rows, "wide"),
            *map(paragraph, warnings),
        ]
    )


def _mark(synthetic: bool) -> str:
    return _SYNTHETIC if synthetic else ""
