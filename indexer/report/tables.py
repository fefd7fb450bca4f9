"""The tables of a page: what was found, in numbers that are those of the files.

They are given the part of the study's summary that they show.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.arrays import or_none
from indexer.report.backtested import (
    figure_backtested,
    ids_of,
    noted_table,
    pair_backtested,
    starred,
)
from indexer.report.figures import name_of, ratio_lines_name, ratio_name
from indexer.report.marks import DIGEST
from indexer.report.markup import (
    bound,
    figure_text,
    heading,
    log_per_cent,
    number,
    paragraph,
    per_cent,
    table,
)
from indexer.report.words import (
    BACKTESTED,
    NONE,
    QUADRANTS,
    STATES,
    TURNED,
    interval_name,
    kind_shown,
    named,
)
from indexer.signals.evaluate import HORIZONS
from indexer.signals.result import Comparison
from indexer.words import VARIANTS, Text, joined, same

Told = Sequence[dict[str, Any]]  # pairs of a summary

YES = Text("yes", "是")
NO = Text("no", "否")
_PAIR = Text("Leader / follower", "领先指数 / 跟随指数")


def with_last_row(comparison: Comparison, name: Text, told: dict[str, Any]) -> Text:
    """Return the name of a pair or of ratio lines, with their last row where the study has more."""
    if told["last_row"] == str(comparison.aligned.sessions[-1]):
        return name
    row = Text(f"(last row {told['last_row']})", f"（最后一期{told['last_row']}）")
    return joined([name, row], " ", "")


def pair_table(comparison: Comparison, pairs: Told) -> str:
    """Return where each pair stands on its last row."""
    study = comparison.study
    window = study.windows.zscore
    heads = (
        _PAIR,
        Text("State", "状态"),
        Text("Since", "起始"),
        Text("How the gap is closing", "收敛方式"),
        Text("Peak on", "高点日期"),
        Text("Leader since peak", "领先指数自高点涨跌"),
        Text("Follower since peak", "跟随指数自高点涨跌"),
        Text("Relative strength", "相对强弱"),
        Text(f"z ({window} rows)", f"z值（{window}期）"),
        Text(f"Gap ({study.windows.gap} rows, %)", f"偏离（{study.windows.gap}期，%）"),
        Text("Rotation", "轮动"),
    )
    rows = []
    for told in pairs:
        name, turns = ratio_name(comparison, told["leader"], told["follower"]), told["failed_turns"]
        state, since = STATES[told["state"]], same(told["since"])
        if told["rows"] < window:  # neutral only because nothing can be known
            state = since = NONE
        tested = pair_backtested(comparison, told)
        if turns:
            failed = Text(f"failed turns: {turns}", f"失败拐点{turns}次")
            state = joined([state, failed], ", ", "，")
        rows.append(
            (
                with_last_row(comparison, name, told),
                state,
                since,
                kind_shown(told["kind"], turned=told["state"] in TURNED),
                same(told["peak_on"] or "–"),
                starred(same(log_per_cent(told["move_leader"])), tested["moves"]),
                starred(same(log_per_cent(told["move_follower"])), tested["moves"]),
                starred(figure_text(told["relative_strength"], 2), tested["relative_strength"]),
                starred(figure_text(told["zscore"], 2), tested["zscore"]),
                starred(same(log_per_cent(told["gap"])), tested["gap"]),
                starred(QUADRANTS.get(told["rotation"]["quadrant"], NONE), tested["rotation"]),
            )
        )
    return noted_table(heads, rows, "wide")


_RATIO_FIGURES = {
    "ratio_correlation": Text("Correlation of the ratio lines", "比值线的相关系数"),
    "ratio_null": Text("Shared-leg null", "共用分子零假设值"),
    "ratio_excess": Text("Excess", "超出部分"),
    "partial_correlation": Text(
        "Partial correlation, given the leader", "偏相关系数（剔除领先指数）"
    ),
    "p_value_adjusted": Text("p of excess and partial correlation", "超出部分与偏相关的p值"),
    "partial_correlation_benchmark": Text(
        "Partial correlation, given the benchmark too", "偏相关系数（再剔除基准）"
    ),
    "p_value_benchmark_adjusted": Text("p of that", "上一行的p值"),
    "level_correlation": Text("Correlation of the lines' levels", "两线点位的相关系数"),
}
_LEVEL_NULL = Text("Null of the levels, median (5 to 95 %), p", "点位零假设中位数（5%至95%），p值")


def ratio_table(comparison: Comparison, told: dict[str, Any]) -> str:
    """Return the correlations of two ratio lines by window, with nulls, intervals and p."""
    windows = list(told["ratio_correlation"])
    heads = (Text("Rows", "窗口（期）"), *(same(str(window)) for window in windows))
    rows = [
        (label, *(with_interval(comparison, told, name, window) for window in windows))
        for name, label in _RATIO_FIGURES.items()
    ]
    nulls = (
        starred(_level_null(null), figure_backtested(comparison, told, "level_null", window))
        for window, null in told["level_null"].items()
    )
    rows.append((_LEVEL_NULL, *nulls))
    name = ratio_lines_name(comparison, ids_of(told))
    return heading(4, name) + noted_table(heads, rows, "narrow")


def with_interval(comparison: Comparison, told: dict[str, Any], name: str, window: int) -> Text:
    """Return a figure with the interval that covers the true one 95 times in 100, where known."""
    bounds = told.get(f"{name}_interval", {}).get(window)
    figure = same(number(told[name][window], 3))
    if bounds is not None and bounds["low"] is not None:
        low, high = bound(bounds["low"]), bound(bounds["high"])
        figure = Text(f"{figure.en} ({low} to {high})", f"{figure.zh}（{low}至{high}）")
    return starred(figure, figure_backtested(comparison, told, name, window))


def _level_null(null: dict[str, float | None]) -> Text:
    if null["median"] is None:
        return NONE
    median = number(null["median"], 3)
    low, high = (number(null[name], 2) for name in ("low", "high"))
    p = number(null["p"], 3)
    return Text(f"{median} ({low} to {high}), p {p}", f"{median}（{low}至{high}），p {p}")


def correlation_table(comparison: Comparison, pairs: Told) -> str:
    """Return the correlations of each pair by window, with intervals."""
    windows = comparison.study.windows.correlation
    heads = (_PAIR, *(Text(f"{w} rows", f"{w}期") for w in windows))
    names = {
        "correlation": Text("returns", "收益率"),
        "spearman": Text("returns, by rank", "收益率（秩）"),
        "level_correlation": Text("levels", "点位"),
    }
    rows = [
        (
            joined([ratio_name(comparison, told["leader"], told["follower"]), label], ": ", "："),
            *(with_interval(comparison, told, name, window) for window in windows),
        )
        for told in pairs
        for name, label in names.items()
    ]
    return noted_table(heads, rows, "narrow")


def interval_table(comparison: Comparison) -> str:
    """Return the moves of each pair over the usual stretches, a table a pair."""
    heads = (
        Text("Stretch", "区间"),
        Text("From", "起"),
        Text("Leader", "领先指数"),
        Text("Follower", "跟随指数"),
        Text("Relative strength", "相对强弱"),
        Text("Back-tested", "回测"),
    )
    parts = []
    for ids, found in comparison.interval_table.group_by("leader", "follower", maintain_order=True):
        rows = [
            (
                interval_name(name),
                same(str(begin)),
                *(same(per_cent(move, sign="+")) for move in moves),
                YES if tested else NO,
            )
            for _, _, name, begin, _, *moves, tested in found.rows()
        ]
        leader, follower = map(str, ids)
        parts.append(heading(3, ratio_name(comparison, leader, follower)))
        parts.append(table(heads, rows, "wide"))
    return "".join(parts)


def episode_table(comparison: Comparison, pairs: Told) -> str:
    """Return every episode of each pair; nothing where there is none."""
    found = comparison.episode_table
    if found.is_empty():
        return paragraph(Text("No pair has been stretched yet.", "尚无配对进入过“拉大”状态。"))
    heads = (
        _PAIR,
        Text("Stretched on", "拉大"),
        Text("Peak on", "高点"),
        Text("Turn on", "拐点"),
        Text("Closed on", "收敛完成"),
        Text("How", "方式"),
        Text("Failed turns", "失败拐点"),
        Text("Closed", "已收敛"),
        Text(
            f"Follower over leader, {' / '.join(map(str, HORIZONS))} rows after",
            f"其后{'/'.join(map(str, HORIZONS))}期跟随指数相对领先指数",
        ),
    )
    rows = []
    for told in found.iter_rows(named=True):
        forward = " / ".join(log_per_cent(told[f"forward_{n}"]) for n in HORIZONS)
        name = ratio_name(comparison, told["leader"], told["follower"])
        if told["backtested"]:
            name = joined([name, Text(f"({BACKTESTED.en})", f"（{BACKTESTED.zh}）")], " ", "")
        rows.append(
            (
                name,
                *(
                    same(str(told[f"{key}_on"] or "–"))
                    for key in ("stretched", "peak", "turn", "closed")
                ),
                kind_shown(told["kind"], turned=told["turn_on"] is not None),
                same(str(told["failed_turns"])),
                same(per_cent(told["closed_share"], 0)),
                same(forward),
            )
        )
    return table(heads, rows, "wide") + _by_chance(comparison, pairs)


def _by_chance(comparison: Comparison, pairs: Told) -> str:
    told = []
    for pair, found in zip(pairs, comparison.pairs, strict=True):
        if pair["chance"] is None:
            continue
        name = ratio_name(comparison, pair["leader"], pair["follower"])
        rate = pair["chance"]["episodes_per_1000_rows"]
        mean, low, high = (number(rate[key], 1) for key in ("mean", "low", "high"))
        seen = number(1000 * len(found.episodes) / pair["rows"], 1)
        told.append(
            Text(
                f"{name.en}: {seen} episodes per 1,000 rows; driftless paths have {mean} "
                f"({low} to {high}).",
                f"{name.zh}：每千期{seen}次；无漂移随机路径为{mean}次（{low}至{high}）。",
            )
        )
    return paragraph(joined(told, " ", "")) if told else ""


def event_table(comparison: Comparison) -> str:
    """Return what each event's indices did on its row, and by the end of its window."""
    heads = (
        Text("Event", "事件"),
        Text("Index", "指数"),
        Text("On the day", "当日"),
        Text("p", "p值"),
        Text("To the end", "累计至窗口末"),
        Text("p", "p值"),
        Text("Carried that day", "当日沿用旧价"),
        Text("Back-tested", "回测"),
    )
    rows = []
    for seen in comparison.happenings:
        found = seen.found
        there = np.flatnonzero(~np.isnat(seen.days) & ~np.isnan(found.cumulative))
        on = np.flatnonzero(found.offset == 0)
        if not there.size or not on.size:
            continue
        day, end = int(on[0]), int(there[-1])
        total, last = log_per_cent(found.cumulative[end]), int(found.offset[end])
        dated, row = str(seen.event.date), str(seen.days[day])
        later = Text(f" (row of {row})", f"（{row}一期）") if row != dated else same("")
        rows.append(
            (
                joined([joined([same(dated), later], ""), named(seen.event.name)], ": ", "："),
                name_of(comparison, seen.id),
                same(log_per_cent(found.abnormal[day])),
                figure_text(or_none(found.p), 3),
                Text(f"{total} (+{last})", f"{total}（+{last}）"),
                figure_text(or_none(found.cumulative_p[end]), 3),
                Text(
                    f"{int(seen.carried[day])} of {int(seen.constituents[day])}",
                    f"{int(seen.constituents[day])}只中的{int(seen.carried[day])}只",
                )
                if seen.constituents[day]
                else NONE,
                YES if seen.backtested[day] else NO,
            )
        )
    return table(heads, rows, "wide") if rows else ""


def index_table(comparison: Comparison, indices: dict[str, Any]) -> str:
    """Return what each index rests on, as the summary has it by id."""
    heads = (
        Text("Index", "指数"),
        Text("Variant", "口径"),
        Text("Currency", "货币"),
        Text("Last level on", "最新点位日期"),
        Text("Carried then", "当日沿用旧价"),
        Text("Missing", "缺失"),
        Text("Back-tested sessions", "回测交易日"),
        Text("Definition", "定义哈希"),
        Text("Market data", "行情数据哈希"),
    )
    rows = []
    dates, levels = comparison.aligned.dated[-1], comparison.aligned.level.T
    for (id, told), dated, level in zip(indices.items(), dates, levels, strict=True):
        history, count = comparison.histories[id], told["constituents"]
        last = same(told["last_level_on"])
        if str(dated) != told["last_level_on"]:
            compared = Text(f"compared: {dated}", f"用于比较：{dated}")
            last = joined([last, compared], ", ", "，")
        sessions = int((~np.isnan(level)).sum())
        rows.append(
            (
                named(history.definition.name),
                VARIANTS[history.offered(comparison.study.variant)],
                same(history.definition.currency),
                last,
                Text(f"{told['carried_last']} of {count}", f"{count}只中的{told['carried_last']}只")
                if count
                else Text("ready-made series", "现成序列"),
                joined(map(same, told["missing"]), ", ", "、")
                if told["missing"]
                else Text("none", "无"),
                Text(
                    f"{told['backtested_sessions']} of {sessions}",
                    f"{sessions}日中的{told['backtested_sessions']}日",
                ),
                same(f"{id} {told['definition_digest'][:DIGEST]}"),
                same(told["market_digest"][:DIGEST]),
            )
        )
    return table(heads, rows, "wide")
