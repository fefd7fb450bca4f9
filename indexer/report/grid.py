"""The page of a sweep: what was tried, the best of it, and a heat map of the grid.

One self-contained file, in English and Chinese, that loads nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from indexer.report.markup import banner, json_text, number, paragraph, safe, source_hash, table
from indexer.report.words import BANNER_SYNTHETIC, SYNTHETIC_TEXT, same

MOST = 20_000  # cells of the heat maps: more are for the table of results
Text = tuple[str, str]  # English and Chinese


class Cell(NamedTuple):
    """A figure of the grid: which map it is in, the items it is of, and its value."""

    map: str
    values: Mapping[str, str]
    value: float | None


def grid_page(summary: Mapping[str, Any], keys: Sequence[str], cells: Sequence[Cell]) -> str:
    """Return the page of a sweep as the text of one HTML file.

    Parameters
    ----------
    summary : as in the contract's ``summary.json``
    keys : the varied keys, in their order
    """
    shown = cells if len(cells) <= MOST else ()
    maps = [_map(title, [c for c in shown if c.map == title], keys) for title in _titles(shown)]
    parts = [f"<h1>{safe(summary['id'])}</h1>", *_facts(summary), *_best(summary)]
    parts += _maps(summary, maps, left_out=len(cells) if len(cells) > MOST else 0)
    parts += _failures(summary["failures"])
    return _document(str(summary["id"]), "\n".join(parts), json_text(maps))


def _document(title: str, body: str, content: str) -> str:
    style, scripts = _asset("page.css"), [_asset("echarts.min.js"), _asset("grid.js")]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(source_hash, scripts))}; "
        f"style-src {source_hash(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style></head><body>",
            body,
            f'<script type="application/json" id="figures">{content}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def _asset(name: str) -> str:
    """Return the text of a file that lies beside this one."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _both(english: str, chinese: str) -> str:
    return f'<p>{safe(english)}<br><span lang="zh">{safe(chinese)}</span></p>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], layout: str) -> str:
    return table(
        [same(text) for text in heads], [[same(cell) for cell in row] for row in rows], layout
    )


def _heading(english: str, chinese: str) -> str:
    return f'<h2>{safe(english)} <span lang="zh">{safe(chinese)}</span></h2>'


def _facts(summary: Mapping[str, Any]) -> Iterable[str]:
    if summary["synthetic"]:
        yield banner(BANNER_SYNTHETIC, SYNTHETIC_TEXT)
    tried, failed = summary["tried"], summary["failed"]
    yield _both(
        f"{tried} variants tried, {failed} failed.", f"共试 {tried} 个变体，{failed} 个失败。"
    )


def _best(summary: Mapping[str, Any]) -> Iterable[str]:
    best = summary.get("best")
    if best is None:
        return
    yield _heading("Best of all trials", "最佳者")
    heads = ("Key 键", "Value 值")
    rows = [(key, str(value)) for key, value in best["values"].items()]
    rows += [
        ("Leader / follower 领先 / 跟随", f"{best['leader']} / {best['follower']}"),
        ("Sharpe ratio per row 每期夏普比率", number(best["sharpe"], 4)),
        ("Deflated Sharpe 折减夏普", number(best["deflated_sharpe"], 4)),
        ("Trials 试验数", str(summary["trials"])),
    ]
    yield _table(heads, rows, "narrow")
    yield _both(
        "The best of many is high by chance alone. The deflated figure is the probability that "
        "this one is above what the best of so many worthless trials is expected to show.",
        "多中取优，最高者本就可能出于偶然。折减值是其超过同样多次无效试验之最佳期望值的概率。",
    )


def _titles(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.map for cell in cells))


def _map(title: str, cells: Sequence[Cell], keys: Sequence[str]) -> dict[str, Any]:
    """Return a heat map: the last key across, every combination of the others down."""
    across = next(iter(reversed(keys)), "")
    columns = list(dict.fromkeys(cell.values.get(across, "") for cell in cells))
    named = [_row_name(cell, across) for cell in cells]
    rows = list(dict.fromkeys(named))
    place = {name: n for n, name in enumerate(rows)}
    points = [
        [columns.index(cell.values.get(across, "")), place[name], cell.value]
        for cell, name in zip(cells, named, strict=True)
    ]
    return {"title": title, "across": across, "columns": columns, "rows": rows, "cells": points}


def _row_name(cell: Cell, across: str) -> str:
    told = ((key.rpartition(".")[2], v) for key, v in cell.values.items() if key != across)
    return " · ".join(f"{name} {value}" for name, value in told) or "–"


def _maps(
    summary: Mapping[str, Any], maps: Sequence[Mapping[str, Any]], *, left_out: int
) -> Iterable[str]:
    is_study = "study" in summary
    figure: Text = (
        ("Sharpe ratio per row of the state's returns", "状态收益的每期夏普比率")
        if is_study
        else ("Return from the base date on", "自基日以来的收益")
    )
    yield _heading(*figure)
    if left_out:
        yield _both(
            f"{left_out} cells are too many to draw: see the table of results.",
            f"共 {left_out} 格，不便绘制：请看结果表。",
        )
    for n, map in enumerate(maps):
        label = escape(f"Heat map: {figure[0]}. {map['title']}")
        yield (
            f"<figure><h3>{safe(map['title'])}</h3><figcaption>{safe(map['across'])}</figcaption>"
            f'<div id="map{n}" role="img" aria-label="{label}"></div>'
            "</figure>"
        )


def _failures(failures: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if not failures:
        return
    yield _heading("Failed", "失败")
    rows = [
        (
            f"{told['number']} {told['index'] or ''}",
            ", ".join(f"{k} {v}" for k, v in told["values"].items()),
            str(told["message"]).strip().splitlines()[-1],
        )
        for told in failures[:200]
    ]
    yield _table(("Variant 变体", "Values 取值", "Why 原因"), rows, "wide")
    if len(failures) > len(rows):
        yield paragraph(same(f"{len(failures) - len(rows)} more in summary.json"))
