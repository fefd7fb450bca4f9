"""Workbooks of a study and of an index: what their tables say, for Excel, with native charts.

A sheet holds what a file of the same run holds, wide where readers compare lines over time. Numbers
are the same doubles; headings are Chinese and English.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.index.history import History
from indexer.report.charts import Placed, index_charts, study_charts
from indexer.report.figures import bands, rebased
from indexer.report.headings import COLUMNS as HEADINGS
from indexer.report.headings import KINDS, SHADES, SIGNALS, STATES, columns_of, english
from indexer.report.holdings import constituents
from indexer.report.marks import chinese, index_marks, study_marks
from indexer.report.overview import index_summary, notes, study_summary
from indexer.report.record import Record
from indexer.report.sheets import (
    COLUMNS,
    Book,
    Column,
    add_sheet,
    add_table,
    finished,
    new_book,
    place_charts,
)
from indexer.signals.pairs import PairStates
from indexer.signals.result import Comparison
from indexer.signals.signal import Signal

_SHEETS = {  # signals of a pair by sheet; level_correlation of two ratio lines goes with those
    "相对强弱": ("relative_strength", "momentum", "percentile", "zscore"),
    "相关性": ("correlation", "spearman", "level_correlation"),
    "比值线相关": (
        "ratio_correlation",
        "ratio_null",
        "ratio_excess",
        "partial_correlation",
        "partial_correlation_benchmark",
    ),
    "偏离": ("beta", "gap", "gap_z"),
    "轮动": ("rs_ratio", "rs_momentum"),
    "市场宽度": (
        "breadth_20",
        "breadth_60",
        "breadth_outperform",
        "diffusion",
        "mean_pair_correlation",
        "dispersion",
        "crowding",
    ),
    "其他": (),
}
_TITLES = {
    "相对强弱": "Relative strength",
    "相关性": "Correlation of leader and follower",
    "比值线相关": "Correlation of the ratio lines and their shared-leg null",
    "偏离": "Gap of the follower to its leader",
    "轮动": "Weekly rotation",
    "市场宽度": "Breadth and constituents",
    "其他": "Other signals",
}


def study_workbook(comparison: Comparison, record: Record | None = None) -> bytes:
    """Return the workbook of a study as the bytes of one ``.xlsx`` file.

    The same comparison and record give the same bytes.

    Parameters
    ----------
    record : the published entry it was made from; None for a calculation that was not published
    """
    study = comparison.study
    sessions = comparison.aligned.sessions
    marks = tuple(study_marks(comparison, record))
    book = new_book(chinese(study.name), _midnight(sessions), marks)
    study_summary(book, comparison)
    charts, row = add_sheet(book, "图表", "图表 Charts")
    placed = {"指数点位": _levels(book, comparison)}
    for name in _SHEETS:
        found = (signal for signal in comparison.signals if _sheet_of(signal) == name)
        columns = [_signal_column(comparison, signal) for signal in found]
        if name == "相对强弱":
            columns += [c for pair in comparison.states for c in _shaded(comparison, pair)]
        if columns:
            placed[name] = _wide(book, name, f"{name} {_TITLES[name]}", sessions, columns)
    place_charts(charts, row, study_charts(book, comparison, placed))
    _frame(book, "状态", "状态 States of each pair", _in_chinese(comparison.state_table))
    _frame(book, "阶段", "阶段 Episodes of each pair", comparison.episode_table)
    _frame(book, "区间", "区间 Returns over intervals", comparison.interval_table)
    _frame(book, "领先滞后", "领先滞后 Lead and lag", comparison.leadlag_table)
    _frame(book, "事件", "事件 Event windows", comparison.event_table)
    parts = [constituents(comparison.histories[id]) for id in comparison.aligned.ids]
    _frame(book, "成分股", "成分股 Constituents on the last session", pl.concat(parts))
    notes(book, comparison.histories, comparison.warnings, record)
    return finished(book)


def index_workbook(history: History, record: Record | None = None) -> bytes:
    """Return the workbook of an index as the bytes of one ``.xlsx`` file; see `study_workbook`."""
    marks = tuple(index_marks(history, record))
    book = new_book(chinese(history.definition.name), _midnight(history.days), marks)
    index_summary(book, history)
    charts, row = add_sheet(book, "图表", "图表 Charts")
    columns = [
        Column("点位", f"Level {name}", level.tolist(), "level", name, history.backtested)
        for name, level in history.variants.items()
    ]
    for name, values in (
        ("divisor", history.divisor),
        ("market_value", history.market_value),
        ("carried", history.carried),
        ("backtested", history.backtested),
    ):
        zh, look = HEADINGS[name]
        columns.append(Column(zh, english(name), values.tolist(), look))
    levels = _wide(book, "指数点位", "指数点位 Index levels", history.days, columns)
    place_charts(charts, row, index_charts(book, history, levels))
    _frame(book, "成分股", "成分股 Constituents on the last session", constituents(history))
    _frame(book, "权重", "权重 Weights at each rebalance", history.weights)
    _frame(book, "变动", "变动 Changes of shares and divisor", history.events)
    _frame(book, "贡献", "贡献 Contributions to the price return", history.contributions)
    _frame(book, "剔除", "剔除 Left out of a rebalance", history.excluded)
    notes(book, {history.definition.id: history}, (), record)
    return finished(book)


def _sheet_of(signal: Signal) -> str:
    """Return the sheet a signal stands on."""
    if signal.name == "level_correlation" and signal.other:
        return "比值线相关"
    return next((sheet for sheet, names in _SHEETS.items() if signal.name in names), "其他")


def _levels(book: Book, comparison: Comparison) -> Placed:
    """Write the levels that were known each evening, and all of them at 100 on one session."""
    aligned, based = comparison.aligned, rebased(comparison.aligned)
    columns, beside = [], []
    for k, id in enumerate(aligned.ids):
        level, tested = aligned.level[:, k], aligned.backtested[:, k]
        about = _about(comparison, id)
        columns.append(Column("点位", "Level", level.tolist(), "level", about, tested))
        if id in based:
            heads = (f"{aligned.sessions[based[id].at]} = 100", "Rebased")
            beside.append(Column(*heads, based[id].level.tolist(), "index", about, tested))
    title = "指数点位 Index levels known each evening"
    return _wide(book, "指数点位", title, aligned.sessions, [*columns, *beside])


def _signal_column(comparison: Comparison, signal: Signal) -> Column:
    """Return a signal on the sessions of the study; empty where it has no row."""
    sessions = comparison.aligned.sessions
    rows = np.searchsorted(sessions, signal.days)
    values, tested = np.full(len(sessions), np.nan), np.zeros(len(sessions), dtype=bool)
    values[rows], tested[rows] = signal.value, signal.backtested
    zh, look = SIGNALS.get(signal.name, (signal.name, "log"))
    told = signal.window is None or signal.name.endswith(f"_{signal.window}")  # as breadth_20 does
    window = "" if told else f" {signal.window}"
    ids = [id for id in (signal.leader, signal.follower, signal.other) if id]
    about = _about(comparison, *ids)
    heads = (f"{zh}{window}", f"{english(signal.name)}{window}")
    return Column(*heads, values.tolist(), look, about, tested)


def _shaded(comparison: Comparison, pair: PairStates) -> Iterator[Column]:
    """Yield, for each state a pair has been in, its relative strength meanwhile."""
    ids = (pair.pair.leader, pair.pair.follower)
    strength = next(
        _signal_column(comparison, s)
        for s in comparison.signals
        if (s.name, s.leader, s.follower) == ("relative_strength", *ids)
    )
    sessions = len(comparison.aligned.sessions)
    found: dict[str, list[float | None]] = {}
    for first, last, key in bands(pair, sessions):
        meanwhile = found.setdefault(key, [None] * sessions)
        meanwhile[first : last + 1] = strength.values[first : last + 1]
    for key, values in found.items():
        heads = (f"{SHADES[key]}期间", f"While {key}")
        yield strength._replace(zh=heads[0], en=heads[1], values=values)


def _about(comparison: Comparison, *ids: str) -> str:
    """Return the names of some indices on a line, and their ids on the next."""
    overlaid = {overlay.symbol: overlay.name for overlay in comparison.study.overlays}
    names = [
        chinese(comparison.histories[id].definition.name)
        if id in comparison.histories
        else overlaid.get(id, id)
        for id in ids
    ]
    return " / ".join(names) + "\n" + " / ".join(ids)


def _midnight(days: Days) -> datetime:
    return datetime.combine(days[-1].item(), time())


def _wide(book: Book, name: str, title: str, days: Days, columns: Sequence[Column]) -> Placed:
    """Write columns over the same sessions; more than a sheet takes go on a further one."""
    date_column = Column("日期", "Date", days.tolist(), "date")
    for begin in range(0, len(columns), COLUMNS - 1):
        some = [date_column, *columns[begin : begin + COLUMNS - 1]]
        sheet, first = add_table(book, name, title, some)
        if not begin:
            placed = Placed(sheet, first, days, tuple(some))
    return placed


def _frame(book: Book, name: str, title: str, table: pl.DataFrame) -> None:
    """Write a table as it is, one sheet; nothing of an empty one."""
    if not table.is_empty():
        add_table(book, name, title, columns_of(table))


def _in_chinese(states: pl.DataFrame) -> pl.DataFrame:
    """Return the states with what they are called in Chinese beside them."""
    called = (("state_zh", "state", STATES), ("kind_zh", "kind", KINDS))
    return states.with_columns(
        pl.col(of).replace_strict(words, default=None).alias(name) for name, of, words in called
    )
