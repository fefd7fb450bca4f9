"""The table of an index's constituents: what is held, how much it weighs, what it contributed."""

from collections.abc import Iterator

import numpy as np

from indexer.index.history import History
from indexer.report.markup import figure_text, number, paragraph, table
from indexer.report.words import Text, same

RECENT = 20  # sessions that contributions are added up over


def constituent_table(history: History, most: int | None = None) -> str:
    """Return the constituents held last: weight, recent contribution, and how old their price is.

    Parameters
    ----------
    most : how many of the heaviest are shown; None for all
    """
    panel = history.panel
    if panel is None:
        return paragraph(Text("A ready-made series: no constituents.", "现成序列，无成分股。"))
    heads = (
        Text("Constituent", "成分股"),
        Text("Segment", "细分环节"),
        Text("Weight", "权重"),
        Text(f"Contribution, {RECENT} sessions", f"{RECENT}日贡献"),
        Text("Close", "收盘价"),
        Text("Dated", "价格日期"),
    )
    rows = [_constituent(history, j, weight) for j, weight in list(_heaviest(history))[:most]]
    return table(heads, rows, "wide")


def segment_table(history: History) -> str:
    """Return the weight of each segment at the last close; nothing where there are no segments."""
    panel = history.panel
    weight: dict[str, float] = {}
    for j, part in _heaviest(history):
        segment = panel.segments[j] if panel is not None else ""
        weight[segment] = weight.get(segment, 0.0) + part
    if set(weight) <= {""}:
        return ""
    told = sorted(weight.items(), key=lambda one: (-one[1], one[0]))
    text = ", ".join(f"{segment or '–'} {number(100 * part, 1)}%" for segment, part in told)
    return paragraph(Text(f"By segment: {text}.", f"按细分环节：{text}。"))


def _heaviest(history: History) -> Iterator[tuple[int, float]]:
    """Yield the column of each constituent held and its weight at the last close."""
    panel = history.panel
    assert panel is not None  # noqa: S101 (the caller has looked)
    value = np.nan_to_num(history.shares[-1] * panel.worth[-1])
    weight = value / value.sum()
    for j in np.argsort(-weight, kind="stable").tolist():
        if history.shares[-1, j] > 0:
            yield j, float(weight[j])


def _constituent(history: History, j: int, weight: float) -> tuple[Text, ...]:
    panel = history.panel
    assert panel is not None  # noqa: S101 (as above)
    symbol, dated = panel.symbols[j], panel.dated[-1, j]
    names = {c.symbol: c.name for c in getattr(history.definition, "constituents", ())}
    recent = history.contribution[-RECENT:, j]
    gained = None if np.isnan(recent).all() else float(np.nansum(recent))
    on = "–" if np.isnat(dated) else str(dated)
    late = on != str(history.days[-1])
    return (
        same(f"{symbol} {names.get(symbol) or ''}".strip()),
        same(panel.segments[j] or "–"),
        same(f"{number(100 * weight, 2)}%"),
        same("–" if gained is None else number(100 * gained, 2, "+") + "%"),
        figure_text(_or_none(panel.close[-1, j]), 2),
        Text(f"{on} (carried)", f"{on}（沿用）") if late else same(on),
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
