"""The table of an index's constituents: what is held, how much it weighs, what it contributed."""

import numpy as np

from indexer.index.history import History
from indexer.index.positions import Position, positions
from indexer.report.markup import number, paragraph, per_cent, table
from indexer.report.record import Record
from indexer.report.words import NONE
from indexer.words import Text, joined, same, span

RECENT = 20  # sessions that contributions are added up over


def constituent_table(history: History, most: int | None = None) -> str:
    """Return the constituents held last: weight, recent contribution, and how old their price is.

    Parameters
    ----------
    most : how many of the heaviest are shown; None for all
    """
    if history.panel is None:
        return paragraph(Text("A ready-made series: no constituents.", "现成序列，无成分股。"))
    heads = (
        Text("Constituent", "成分股"),
        Text("Segment", "细分环节"),
        Text("Weight", "权重"),
        Text(f"Contributions, {RECENT} sessions summed", f"{RECENT}日贡献合计"),
        Text("Close", "收盘价"),
        Text("Dated", "价格日期"),
    )
    rows = [_constituent(history, one) for one in _heaviest(history)[:most]]
    return table(heads, rows, "wide")


def recent_note(history: History, record: Record | None) -> str:
    """Return that recent contributions are none of what was published; nothing where they are."""
    recent = history.days[-RECENT:].astype(str).tolist()
    found = [day for day in recent if record is not None and day in record.differing]
    if not found or history.panel is None:
        return ""
    told = span(found)
    return paragraph(
        Text(
            f"On {len(found)} of the {len(recent)} sessions ({told.en}) the inputs of this entry "
            "give another result than was published: levels are shown as published, contributions "
            "as they are calculated now.",
            f"{len(recent)}个交易日中有{len(found)}个（{told.zh}）按本记录的输入重算与已发布的结果不同："
            "点位按已发布的显示，贡献为现在计算的数值。",
        )
    )


def segment_table(history: History) -> str:
    """Return the weight of each segment at the last close; nothing where there are no segments."""
    weight: dict[str, float] = {}
    for one in _heaviest(history):
        weight[one.segment or ""] = weight.get(one.segment or "", 0.0) + one.weight
    if set(weight) <= {""}:
        return ""
    told = sorted(weight.items(), key=lambda one: (-one[1], one[0]))
    parts = [same(f"{segment or '–'} {per_cent(part)}") for segment, part in told]
    text = joined(parts, ", ", "、")
    return paragraph(Text(f"By segment: {text.en}.", f"按细分环节：{text.zh}。"))


def _heaviest(history: History) -> list[Position]:
    """Return what is held, the heaviest first."""
    return sorted(positions(history, -1), key=lambda one: -one.weight)


def _constituent(history: History, held: Position) -> tuple[Text, ...]:
    recent = history.contribution[-RECENT:, held.column]
    gained = None if np.isnan(recent).all() else float(np.nansum(recent))
    on = "–" if held.dated is None else str(held.dated)
    return (
        same(f"{held.symbol} {history.names[held.column] or ''}".strip()),
        same(held.segment or "–"),
        same(per_cent(held.weight, 2)),
        same(per_cent(gained, 2, "+")),
        NONE if held.close is None else same(f"{number(held.close, 2)} {held.currency}"),
        Text(f"{on} (carried)", f"{on}（沿用）") if held.carried_price else same(on),
    )
