"""The page of a sweep: what was tried, the best of it, and heat maps of what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from indexer.errors import counted
from indexer.report.document import document, figure_markup, packed
from indexer.report.figure import Figure
from indexer.report.marks import DIGEST
from indexer.report.markup import banner, figure_text, heading, paragraph, table, warning_list
from indexer.report.words import BACKTESTED, BANNER_BACKTESTED, BANNER_SYNTHETIC, SYNTHETIC_TEXT
from indexer.words import Text, joined, same

MOST = 20_000  # cells of the heat maps: more are for the table of results
_FAILURES = 200  # that are listed
_DIGITS = 4


class Cell(NamedTuple):
    """A figure of the grid: which map it is in, the items it is of, and its value."""

    map: str
    values: Mapping[str, str]
    value: float | None


def grid_page(summary: Mapping[str, Any], keys: Sequence[str], cells: Sequence[Cell]) -> str:
    """Return the page of a sweep as the text of one HTML file; the same arguments, the same text.

    Parameters
    ----------
    summary : as in ``summary.json``
    keys : the varied keys, in their order
    """
    figures = _figures(summary, keys, cells) if keys and len(cells) <= MOST else []
    parts = [*_heading(summary), *_best(summary), *_maps(summary, figures, len(cells))]
    parts += _failures(summary["failures"])
    if summary["warnings"]:
        parts.append(heading(2, Text("Data and caveats", "数据说明与提示")))
        parts.append(warning_list(map(same, summary["warnings"][:_FAILURES])))
    content = packed(np.array([], "datetime64[D]"), figures) | {
        "id": summary["id"],
        "stamp": _stamp(summary),
        "synthetic": summary["synthetic"],
    }
    return document(same(summary["id"]), "\n".join(parts), content)


def _heading(summary: Mapping[str, Any]) -> Iterator[str]:
    yield heading(1, same(summary["id"]))
    if summary["synthetic"]:
        yield banner(BANNER_SYNTHETIC, SYNTHETIC_TEXT)
    yield from _backtested(summary)
    tried, failed = summary["tried"], summary["failed"]
    told = Text(
        f"{counted(tried, 'variant')} tried, {failed} failed.",
        f"共试{tried}个变体，{failed}个失败。",
    )
    yield paragraph(told, "asof")
    if "study" in summary:
        yield paragraph(_rule(summary))


def _rule(summary: Mapping[str, Any]) -> Text:
    """Return which returns a Sharpe ratio is of, and what they cost."""
    study, cost = summary["study"], f"{summary['cost_bps']:g}"
    return Text(
        f"Of {study}: the follower is held against the leader from the row after a catch-up begins "
        f"for as long as it lasts, and nothing otherwise; each change costs {cost} basis points, "
        "both legs together.",
        f"研究{study}：补涨状态开始后的下一期起做多跟随指数、做空领先指数，直至该状态结束，其余时间空仓；"
        f"每次换仓成本合计{cost}个基点。",
    )


def _backtested(summary: Mapping[str, Any]) -> Iterator[str]:
    count, of = (summary["backtested"][name] for name in ("count", "of"))
    if count and "study" in summary:
        yield banner(
            BANNER_BACKTESTED,
            Text(
                f"{count} of the {of} episodes of all variants rest on levels from before their "
                "lists were selected: what a rule earned in them rests on hindsight.",
                f"全部变体的{of}个阶段中有{count}个用到选样日之前的点位：规则在其中的收益含后见之明。",
            ),
        )
    elif count:
        yield banner(
            BANNER_BACKTESTED,
            Text(
                f"{count} of {of} indices begin before their constituents were selected: their "
                "levels until then rest on hindsight.",
                f"{of}个指数中有{count}个始于选样日之前：此前点位含后见之明。",
            ),
        )


def _best(summary: Mapping[str, Any]) -> Iterator[str]:
    best = summary.get("best")
    if best is None:
        return
    rows = [(same(key), same(str(value))) for key, value in best["values"].items()]
    rows += [
        (
            Text("Leader / follower", "领先指数 / 跟随指数"),
            same(f"{best['leader']} / {best['follower']}"),
        ),
        (Text("Sharpe ratio per row", "每期夏普比率"), figure_text(best["sharpe"], _DIGITS)),
        (Text("Deflated Sharpe", "折减夏普比率"), figure_text(best["deflated_sharpe"], _DIGITS)),
        (Text("Trials", "试验数"), same(str(summary["trials"]))),
    ]
    yield "<section>"
    yield heading(2, Text("Best of all trials", "最佳者"))
    yield table((Text("Key", "键"), Text("Value", "值")), rows, "narrow")
    yield paragraph(
        Text(
            "The best of many is high by chance alone. The deflated figure is the probability that "
            "this one is above what the best of so many worthless trials is expected to show.",
            "多中取优，最高者本就可能出于偶然。折减值是其超过同样多次无效试验之最佳期望值的概率。",
        )
    )
    yield "</section>"


def _maps(summary: Mapping[str, Any], figures: Sequence[Figure], count: int) -> Iterator[str]:
    yield f"<section>{heading(2, _figure_name(summary))}"
    if not figures:
        yield paragraph(
            Text(
                f"{counted(count, 'figure')}, not drawn: see the table of results.",
                f"共{count}个数值，未绘制：请看结果表。",
            )
        )
    for figure in figures:
        yield figure_markup(figure, synthetic=summary["synthetic"])
    yield "</section>"


def _figure_name(summary: Mapping[str, Any]) -> Text:
    if "study" in summary:
        return Text("Sharpe ratio per row of the state's returns", "状态收益的每期夏普比率")
    return Text("Return from the base date on", "自基日以来的收益")


def _figures(
    summary: Mapping[str, Any], keys: Sequence[str], cells: Sequence[Cell]
) -> list[Figure]:
    """Return heat maps: the last key across, every combination of the others down."""
    across, down = keys[-1], [*([] if "study" in summary else ["index"]), *map(_short, keys[:-1])]
    rows_are = (
        Text(f"{' · '.join(down)} down, ", f"纵轴：{' · '.join(down)}；") if down else same("")
    )
    about = Text(
        f"{rows_are.en}{_short(across)} across; empty where there is no figure.",
        f"{rows_are.zh}横轴：{_short(across)}。无数值处留空。",
    )
    name = _figure_name(summary)
    found: list[Figure] = []
    for n, title in enumerate(dict.fromkeys(cell.map for cell in cells)):
        own = [cell for cell in cells if cell.map == title]
        at = [(cell.values.get(across, "–"), _row(cell, across)) for cell in own]
        columns, rows = (
            {name: k for k, name in enumerate(dict.fromkeys(names))}
            for names in zip(*at, strict=True)
        )
        points = [
            [columns[column], rows[row], _printed(cell)]
            for (column, row), cell in zip(at, own, strict=True)
        ]
        found.append(
            {
                "id": f"map_{n}",
                "kind": "grid",
                "title": joined([same(title), name], ": ", "：") if title else name,
                "about": about,
                "digits": _DIGITS,
                "across": _short(across),
                "columns": list(columns),
                "rows": list(rows),
                "cells": points,
            }
        )
    return found


def _short(key: str) -> str:
    return key.rpartition(".")[2]


def _row(cell: Cell, across: str) -> str:
    return " · ".join(value for key, value in cell.values.items() if key != across) or "–"


def _printed(cell: Cell) -> float | None:
    return None if cell.value is None else round(cell.value, _DIGITS)


def _failures(failures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not failures:
        return
    rows = [
        (
            same(f"{told['number']} {told['index'] or ''}".strip()),
            same(", ".join(f"{key} {value}" for key, value in told["values"].items())),
            same(str(told["message"]).strip().splitlines()[-1]),
        )
        for told in failures[:_FAILURES]
    ]
    heads = (Text("Variant", "变体"), Text("Values", "取值"), Text("Why", "原因"))
    yield f"<section>{heading(2, Text('Failed', '失败'))}{table(heads, rows, 'wide')}"
    if more := len(failures) - len(rows):
        yield paragraph(Text(f"{more} more in summary.json", f"其余{more}个见 summary.json"))
    yield "</section>"


def _stamp(summary: Mapping[str, Any]) -> Text:
    own, data = (summary[name][:DIGEST] for name in ("definition_digest", "market_digest"))
    parts = [
        Text(f"sweep {summary['id']} {own}", f"扫描{summary['id']} {own}"),
        Text(f"market data {data}", f"行情{data}"),
    ]
    if summary["synthetic"]:
        parts.append(Text("SYNTHETIC DATA", "合成数据"))
    if summary["backtested"]["count"]:
        parts.append(BACKTESTED)
    return joined(parts, " · ", " · ")
