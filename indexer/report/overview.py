"""The sheets of words in a workbook: the answer first, the caveats last."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from indexer.index.history import History
from indexer.report.backtested import figure_backtested, ids_of, pair_backtested
from indexer.report.headings import TABS, columns_of, in_chinese
from indexer.report.marks import bilingual, in_both
from indexer.report.record import Record
from indexer.report.sheets import Book, Column, add_sheet, write_lines, write_pair, write_table
from indexer.signals.result import Comparison
from indexer.words import VARIANTS, Text

_RATIO = ("ratio_null", "ratio_excess", "partial_correlation")
_ENTRY = {  # what is told of an entry of the ledger
    "number": "记录号 Number",
    "session": "交易日 Session",
    "revision": "版本 Revision",
    "published_at": "发布时间 Published at",
    "known_at": "查询时点 As known at",
    "digest": "内容哈希 Digest",
    "differing": "与重算不一致的交易日 Differing on",
}
_GIVEN = "partial_correlation_benchmark"


def study_summary(book: Book, comparison: Comparison) -> None:
    """Write where the pairs stand, and whether the ratio lines move together."""
    sheet, row = add_sheet(
        book, TABS["summary"], f"摘要 Summary · {bilingual(comparison.study.name)}"
    )
    summary = comparison.summary
    pairs = pl.DataFrame([_pair_row(pair) for pair in summary["pairs"]], infer_schema_length=None)
    tested = [pair_backtested(comparison, pair) for pair in summary["pairs"]]
    flags = {name: [found[of] for found in tested] for name, of in _PAIR_FLAGS.items()}
    row = write_lines(book, sheet, row, ["各配对现状 Where the pairs stand"], "head")
    first = write_table(book, sheet, row, _marked(in_chinese(pairs), flags))
    row = first + pairs.height + 1
    for told in summary["ratio_lines"]:
        names = " / ".join(
            bilingual(comparison.histories[id].definition.name) for id in ids_of(told)
        )
        head = f"比值线是否同步 Do the ratio lines move together: {names}"
        row = write_lines(book, sheet, row, [head], "head")
        lines = pl.DataFrame(list(_ratio_rows(told)), infer_schema_length=None)
        flags = {
            name: [figure_backtested(comparison, told, name, window) for window in lines["window"]]
            for name in lines.columns[1:]
        }
        first = write_table(book, sheet, row, _marked(lines, flags))
        row = first + lines.height + 1
    note = (
        "两条比值线共用分子，部分相关纯属算术：零假设值即跟随指数除与领先指数的联系外别无共同之处时仍会剩下的相关。"
        "  Two ratio lines share their numerator, so part of their correlation is arithmetic: "
        "the null is what would remain without anything else in common."
    )
    write_lines(book, sheet, row, [note] if summary["ratio_lines"] else [], "mark")
    sheet.set_column(0, 1, 24)
    sheet.set_column(2, 14, 15)
    sheet.fit_to_pages(1, 0)


_PAIR_FLAGS = {
    "move_leader": "moves",
    "move_follower": "moves",
    "relative_strength": "relative_strength",
    "zscore": "zscore",
}


def _marked(table: pl.DataFrame, flags: Mapping[str, Sequence[bool]]) -> list[Column]:
    """Return the columns of a table, pale where their figures are back-tested."""
    return [
        column._replace(tested=np.array(flags[name])) if name in flags else column
        for name, column in zip(table.columns, columns_of(table), strict=True)
    ]


def _pair_row(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "leader": told["leader"],
        "follower": told["follower"],
        "last_row": date.fromisoformat(told["last_row"]),
        "state": told["state"],
        "since": date.fromisoformat(told["since"]),
        "kind": told["kind"],
        "peak_on": told["peak_on"] and date.fromisoformat(told["peak_on"]),
        "move_leader": told["move_leader"],
        "move_follower": told["move_follower"],
        "relative_strength": told["relative_strength"],
        "zscore": told["zscore"],
    }


def _ratio_rows(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the figures of two ratio lines by window, with intervals and nulls."""
    for window in told["ratio_correlation"]:
        interval, partial = (
            told.get(f"{name}_interval", {}).get(window) or {}
            for name in ("ratio_correlation", "partial_correlation")
        )
        null = told["level_null"][window]
        yield {
            "window": window,
            "ratio_correlation": told["ratio_correlation"][window],
            "ratio_correlation_low": interval.get("low"),
            "ratio_correlation_high": interval.get("high"),
            **{name: told[name][window] for name in _RATIO},
            "partial_correlation_low": partial.get("low"),
            "partial_correlation_high": partial.get("high"),
            "p_value_adjusted": told["p_value_adjusted"].get(window),
            _GIVEN: told[_GIVEN][window],
            "p_value_benchmark_adjusted": told["p_value_benchmark_adjusted"].get(window),
            "level_correlation": told["level_correlation"][window],
            "level_null": null["median"],
            "level_null_low": null["low"],
            "level_null_high": null["high"],
            "level_p_value": null["p"],
        }


def index_summary(book: Book, history: History) -> None:
    """Write what happened in a few figures."""
    summary, tested = history.summary, history.backtested
    whole = bool(tested.any())
    title = f"摘要 Summary · {bilingual(history.definition.name)}"
    sheet, row = add_sheet(book, TABS["summary"], title)
    kind = VARIANTS[summary["variant"]]
    for name, value, look, pale in (
        ("口径 Variant", f"{kind.zh} {kind.en}", "text", False),
        ("首日 First session", date.fromisoformat(summary["first"]["date"]), "date", False),
        ("首日点位 First level", summary["first"]["level"], "level", bool(tested[0])),
        ("末日 Last session", date.fromisoformat(summary["last"]["date"]), "date", False),
        ("末日点位 Last level", summary["last"]["level"], "level", bool(tested[-1])),
        ("涨跌幅 Return", summary["return"], "weight", whole),
        ("年化波动率 Volatility, a year", summary["volatility"], "weight", whole),
        ("最大回撤 Maximum drawdown", summary["maximum_drawdown"], "weight", whole),
        ("有效成分股数 Effective number", summary["effective_number"], "index", False),
        ("成分股数 Constituents", summary["constituents"], "count", False),
        ("沿用旧价 At a carried price", summary["carried_last"], "count", False),
    ):
        write_pair(book, sheet, row, (name, value, look), tested=pale)
        row += 1
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 18)


def notes(
    book: Book, histories: Mapping[str, History], warnings: Sequence[Text], record: Record | None
) -> None:
    """Write everything a reader must know before trusting a figure."""
    sheet, row = add_sheet(book, TABS["caveats"], "数据说明 Data and caveats")
    sheet.set_column(0, 0, 120)
    sheet.fit_to_pages(1, 0)
    row = write_lines(book, sheet, row, ["提示 Caveats"], "head")
    told = [in_both(warning) for warning in warnings]
    for id, history in histories.items():
        told += [f"{id}：{in_both(warning)}" for warning in history.warnings]
    row = write_lines(book, sheet, row, told or ["无 None"], "wrapped") + 1
    row = write_lines(book, sheet, row, ["指数 Indices"], "head")
    for id, history in histories.items():
        definition = history.definition
        lines = [
            f"{id}: {bilingual(definition.name)}, {definition.currency}",
            f"定义哈希 Definition digest {definition.digest}",
            f"行情数据哈希 Market data digest {history.market_digest}",
        ]
        lines += [bilingual(definition.description)] if definition.description else []
        lines += [f"无数据 Missing: {', '.join(history.missing)}"] if history.missing else []
        row = write_lines(book, sheet, row, lines, "wrapped") + 1
    if record is not None:
        row = write_lines(book, sheet, row, ["账本记录 Ledger entry"], "head")
        entry = asdict(record) | {"differing": ", ".join(record.differing) or None}
        facts = [f"{_ENTRY[name]} {value}" for name, value in entry.items() if value is not None]
        row = write_lines(book, sheet, row, facts) + 1
    row = write_lines(book, sheet, row, ["读法 How to read it"], "head")
    write_lines(book, sheet, row, _READING, "wrapped")


_READING = (
    "相对强弱为领先指数除以跟随指数，首期 = 100。 Relative strength is leader over follower, 100 "
    "on the first row.",
    "动量、偏离和高点以来的变动为对数；分位和占比为 0 至 1。 Momentum, gap and moves are in log; "
    "percentiles and shares run from 0 to 1.",
    "空格表示没有数值，并非零。 An empty cell has no value; it is not zero.",
)
