"""The page of an index: one sheet of paper when it is printed."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from indexer.errors import counted
from indexer.index.history import (
    History,
    maximum_drawdown,
    return_over,
    sessions_of_year,
    volatility,
)
from indexer.report.backtested import noted_table, starred
from indexer.report.document import (
    document,
    figure_markup,
    packed,
    record_line,
    stamp,
)
from indexer.report.figure import Figure
from indexer.report.figures import line_of
from indexer.report.marks import DIGEST
from indexer.report.markup import (
    banner,
    both,
    figure_text,
    heading,
    paragraph,
    per_cent,
    warning_list,
)
from indexer.report.members import constituent_table, recent_note, segment_table
from indexer.report.method import index_method
from indexer.report.record import Record
from indexer.report.words import BANNER_SYNTHETIC, SYNTHETIC_TEXT, named
from indexer.words import VARIANTS, Text, joined, many, same

HEAVIEST = 10  # constituents on paper
_STRETCHES = (1, 5, 20, 60, 250)


def index_page(history: History, record: Record | None = None) -> str:
    """Return the page of an index as the text of one HTML file; the same arguments, the same text.

    Parameters
    ----------
    record : the entry of a ledger that is shown; None for an index that was not published
    """
    definition, last = history.definition, str(history.days[-1])
    figure = _figure(history)
    parts = [
        *_heading(history, record),
        "<section>",
        _numbers(history),
        figure_markup(figure, synthetic=history.synthetic),
        "</section>",
        *_members(history, record),
        "<section>",
        heading(2, Text("Data and caveats", "数据说明与提示")),
        warning_list(history.warnings),
        _facts(history),
        "</section><section>",
        heading(2, Text("Methodology", "编制方法")),
        paragraph(joined(list(index_method(definition)), " ", "")),
        "</section>",
    ]
    tested = {definition.id} if history.backtested.any() else set[str]()
    content = packed(history.days, [figure]) | {
        "id": definition.id,
        "stamp": stamp(last, definition, [history], tested, record),
        "synthetic": history.synthetic,
    }
    name = joined([named(definition.name), same(last)], ", ", "，")
    return document(name, "\n".join(parts), content, layout="factsheet")


def _heading(history: History, record: Record | None) -> Iterator[str]:
    definition = history.definition
    yield f"<h1>{both(named(definition.name))}</h1>"
    told = Text(
        f"Close of {history.days[-1]}, {definition.currency}.",
        f"截至{history.days[-1]}收盘，以{definition.currency}计价。",
    )
    yield paragraph(told, "asof")
    yield record_line(record)
    if definition.description:
        yield paragraph(named(definition.description))
    if history.synthetic:
        yield banner(BANNER_SYNTHETIC, SYNTHETIC_TEXT)
    tested = int(history.backtested.sum())
    if tested:
        day = definition.selected_on
        yield banner(
            Text("Back-tested list.", "成分股为事后选定。"),
            Text(
                f"The constituents were selected on {day}: the {counted(tested, 'session')} "
                "before that day rest on hindsight.",
                f"选样日为{day}：此前{tested}个交易日均为回测，含后见之明。",
            ),
        )


def _numbers(history: History) -> str:
    """Return what each variant did over the usual stretches, and how it moved."""
    heads = (
        Text("Variant", "口径"),
        Text("Level", "点位"),
        *(many(n, "session", "日") for n in _STRETCHES),
        Text("Year to date", "年初至今"),
        Text(f"Since {history.days[0]}", f"自{history.days[0]}"),
        Text("Volatility a year", "年化波动率"),
        Text("Largest drawdown", "最大回撤"),
    )
    decimals = history.definition.publish.decimals
    last = len(history.days) - 1
    spans = (*_STRETCHES, sessions_of_year(history.days), last)
    reaches = (0, *spans, last, last)  # of each figure, in sessions before the last
    tested = [bool(history.backtested[-1 - reach :].any()) for reach in reaches]
    rows = []
    for name, level in history.variants.items():
        told = (
            f"{level[-1]:,.{decimals}f}",
            *(per_cent(return_over(level, span), sign="+") for span in spans),
            per_cent(volatility(level)),
            per_cent(maximum_drawdown(level), sign="+"),
        )
        cells = (starred(same(text), flag) for text, flag in zip(told, tested, strict=True))
        rows.append((VARIANTS[name], *cells))
    return noted_table(heads, rows, "wide")


def _figure(history: History) -> Figure:
    tested = int(history.backtested.sum())
    rows = np.arange(len(history.days))
    lines = [
        line_of(rows, level, tested, history.definition.publish.decimals)
        | {"label": VARIANTS[name], "legend": VARIANTS[name], "slot": n + 1, "style": "solid"}
        | {"shown": True, "button": True}
        for n, (name, level) in enumerate(history.variants.items())
    ]
    day = history.definition.selected_on
    chosen = Text(f"selected {day}", f"选样日 {day}")
    return {
        "id": "levels",
        "kind": "time",
        "title": Text("Index level", "指数点位"),
        "about": Text(
            "Index points at the close, log scale; pale where back-tested.",
            "收盘点位，对数坐标；浅色为回测。",
        ),
        "digits": history.definition.publish.decimals,
        "bounds": None,
        "scale": "log",
        "bands": [],
        "rebase": None,
        "lines": lines,
        "marks": [{"at": tested, "label": chosen}] if 0 < tested < len(rows) else [],
    }


def _members(history: History, record: Record | None) -> Iterator[str]:
    if history.panel is None:
        return
    count = history.constituents
    yield f"<section>{heading(2, Text('Constituents', '成分股'))}"
    shown = min(count, HEAVIEST)
    yield paragraph(
        Text(
            f"The {shown} heaviest of {count}, at the close.",
            f"收盘权重最大的{shown}只，共{count}只。",
        ),
        "asof",
    )
    yield constituent_table(history, HEAVIEST)
    yield recent_note(history, record)
    yield segment_table(history)
    if count > HEAVIEST:
        title = Text(f"All {count} constituents", f"全部{count}只成分股")
        yield f"<details><summary>{both(title)}</summary>{constituent_table(history)}</details>"
    yield "</section>"


def _facts(history: History) -> str:
    summary: dict[str, Any] = history.summary
    turnover = list(summary["turnover"].items())
    effective = summary["effective_number"]
    none = Text("none", "无")
    facts = (
        (
            Text("Carried at the close", "收盘沿用旧价"),
            Text(
                f"{summary['carried_last']} of {summary['constituents']}",
                f"{summary['constituents']}只中的{summary['carried_last']}只",
            )
            if summary["constituents"]
            else Text("ready-made series", "现成序列"),
        ),
        (
            Text("Missing", "缺失"),
            joined(map(same, summary["missing"]), ", ", "、") if summary["missing"] else none,
        ),
        (Text("Effective number", "有效成分股数"), figure_text(effective, 1)),
        (
            Text("Last rebalance, turnover one way", "最近一次定期调整（单边换手率）"),
            joined([same(str(turnover[-1][0])), same(per_cent(turnover[-1][1]))], ", ", "，")
            if turnover
            else none,
        ),
        (Text("Definition", "定义哈希"), same(summary["definition_digest"][:DIGEST])),
        (Text("Market data", "行情数据哈希"), same(summary["market_digest"][:DIGEST])),
        (Text("Data source", "数据来源"), same(history.inputs.source or "–")),
    )
    items = "".join(f"<dt>{both(k)}</dt><dd>{both(v)}</dd>" for k, v in facts)
    return f"<dl>{items}</dl>"
