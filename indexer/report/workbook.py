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
from indexer.index.positions import constituents
from indexer.report.charts import Placed, about, index_charts, study_charts
from indexer.report.figures import bands, rebased
from indexer.report.headings import COLUMNS as HEADINGS
from indexer.report.headings import SIGNALS, TABS, columns_of, english, in_chinese
from indexer.report.marks import bilingual, index_marks, study_marks
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
from indexer.report.words import SHADES
from indexer.signals.members import members_correlated
from indexer.signals.pairs import PairStates
from indexer.signals.result import Comparison
from indexer.signals.signal import Signal
from indexer.words import VARIANTS

_SHEETS = {  # signals by tab; level_correlation of two ratio lines goes with those
    "strength": ("relative_strength", "momentum", "percentile", "zscore"),
    "correlation": ("correlation", "spearman", "level_correlation"),
    "ratios": (
        "ratio_correlation",
        "ratio_null",
        "ratio_excess",
        "partial_correlation",
        "partial_correlation_benchmark",
    ),
    "gap": ("beta", "gap", "gap_z"),
    "rotation": ("rs_ratio", "rs_momentum"),
    "breadth": (
        "breadth_20",
        "breadth_60",
        "breadth_outperform",
        "diffusion",
        "mean_pair_correlation",
        "dispersion",
        "crowding",
        "carried",
    ),
    "overlays": ("divergence",),
}
_TITLES = {
    "strength": "相对强弱 Relative strength",
    "correlation": "相关性 Correlation of leader and follower",
    "ratios": "比值线相关 Correlation of the ratio lines and their shared-leg null",
    "gap": "偏离 Gap of the follower to its leader",
    "rotation": "轮动 Weekly rotation",
    "breadth": "市场宽度 Breadth and constituents",
    "overlays": "公布数据 Beside announced figures",
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
    book = new_book(bilingual(study.name), _midnight(sessions), marks)
    study_summary(book, comparison)
    charts, row = add_sheet(book, TABS["charts"], "图表 Charts")
    placed = {"levels": _levels(book, comparison)}
    for name in _SHEETS:
        columns = list(_columns(comparison, name))
        if columns:
            placed[name] = _wide(book, TABS[name], _TITLES[name], sessions, columns)
    place_charts(charts, row, study_charts(book, comparison, placed))
    _frame(book, "states", "状态 States of each pair", _states(comparison))
    _frame(book, "episodes", "阶段 Episodes of each pair", comparison.episode_table)
    _frame(book, "intervals", "区间 Returns over intervals", comparison.interval_table)
    _frame(book, "leadlag", "领先滞后 Lead and lag", _lead_lag(comparison))
    _frame(book, "events", "事件 Event windows", comparison.event_table)
    parts = [constituents(comparison.histories[id]) for id in comparison.aligned.ids]
    _frame(book, "constituents", "成分股 Constituents on the last session", pl.concat(parts))
    notes(book, comparison.histories, comparison.warnings, record)
    return finished(book)


def index_workbook(history: History, record: Record | None = None) -> bytes:
    """Return the workbook of an index as the bytes of one ``.xlsx`` file; see `study_workbook`."""
    marks = tuple(index_marks(history, record))
    book = new_book(bilingual(history.definition.name), _midnight(history.days), marks)
    index_summary(book, history)
    charts, row = add_sheet(book, TABS["charts"], "图表 Charts")
    columns = [
        Column(
            "点位",
            f"Level {name}",
            level.tolist(),
            "level",
            f"{VARIANTS[name].zh} {name}",
            history.backtested,
            ("level", None),
        )
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
    levels = _wide(book, TABS["levels"], "指数点位 Index levels", history.days, columns)
    place_charts(charts, row, index_charts(book, history, levels))
    _frame(book, "constituents", "成分股 Constituents on the last session", constituents(history))
    _frame(book, "weights", "权重 Weights at each rebalance", history.weights)
    _frame(book, "changes", "变动 Changes of shares and divisor", history.events)
    _frame(book, "contributions", "贡献 Contributions to the price return", history.contributions)
    _frame(book, "excluded", "未纳入 Left out of a rebalance", history.excluded)
    notes(book, {history.definition.id: history}, (), record)
    return finished(book)


def _columns(comparison: Comparison, tab: str) -> Iterator[Column]:
    """Yield the columns of a sheet of signals."""
    for signal in comparison.signals:
        if _tab_of(signal) == tab:
            column = _signal_column(comparison, signal)
            yield column
            if signal.name == "mean_pair_correlation":
                yield from _counts(comparison, signal, column)
    if tab == "strength":
        for pair in comparison.states:
            yield from _shaded(comparison, pair)


def _tab_of(signal: Signal) -> str:
    """Return the sheet a signal stands on."""
    if signal.name == "level_correlation" and signal.other:
        return "ratios"
    return next(tab for tab, names in _SHEETS.items() if signal.name in names)


def _levels(book: Book, comparison: Comparison) -> Placed:
    """Write the levels that were known each evening, and all of them at 100 on one session."""
    aligned, based = comparison.aligned, rebased(comparison.aligned)
    columns, beside = [], []
    for k, id in enumerate(aligned.ids):
        level, tested = aligned.level[:, k], aligned.backtested[:, k]
        told = about(comparison, id)
        columns.append(Column("点位", "Level", level.tolist(), "level", told, tested))
        if id in based:
            heads = (f"{aligned.sessions[based[id].at]} = 100", "Rebased")
            values, key = based[id].level.tolist(), ("rebased", None)
            beside.append(Column(*heads, values, "index", told, tested, key))
    title = "指数点位 Index levels known each evening"
    return _wide(book, TABS["levels"], title, aligned.sessions, [*columns, *beside])


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
    heads = (f"{zh}{window}", f"{english(signal.name)}{window}")
    key = (signal.name, signal.window)
    return Column(*heads, values.tolist(), look, about(comparison, *ids), tested, key)


def _counts(comparison: Comparison, signal: Signal, column: Column) -> Iterator[Column]:
    """Yield how many members a mean correlation is of, and how many there were."""
    aligned, id = comparison.aligned, signal.follower
    rows = np.searchsorted(aligned.sessions, signal.days)
    heads = (("计入成分股数", "Members counted"), ("成分股数", "Members"))
    found = members_correlated(comparison.histories[id], aligned)
    for (zh, en), count in zip(heads, found, strict=True):
        values: list[int | None] = [None] * len(aligned.sessions)
        for row, value in zip(rows, count.tolist(), strict=True):
            values[row] = value
        yield column._replace(zh=zh, en=en, values=values, format="count", key=("", None))


def _shaded(comparison: Comparison, pair: PairStates) -> Iterator[Column]:
    """Yield, for each state a pair has been in, its relative strength meanwhile."""
    ids = (pair.pair.leader, pair.pair.follower)
    strength = _signal_column(comparison, comparison.signal("relative_strength", *ids))
    sessions = len(comparison.aligned.sessions)
    found: dict[str, list[float | None]] = {}
    for first, last, key in bands(pair):
        meanwhile = found.setdefault(key, [None] * sessions)
        meanwhile[first : last + 1] = strength.values[first : last + 1]
    for key, values in found.items():
        zh, en = f"{SHADES[key].zh}期间", f"While {key}"
        yield strength._replace(zh=zh, en=en, values=values, key=(key, None))


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


def _frame(book: Book, tab: str, title: str, table: pl.DataFrame) -> None:
    """Write a table as it is, one sheet; nothing of an empty one."""
    if not table.is_empty():
        add_table(book, TABS[tab], title, columns_of(in_chinese(table)))


def _states(comparison: Comparison) -> pl.DataFrame:
    """Return the states; back-tested where the z-score they go by is, and carried like them."""
    sessions, window = comparison.aligned.sessions, comparison.study.windows.zscore
    marks = []
    for pair in comparison.states:
        ids = (pair.pair.leader, pair.pair.follower)
        tested = comparison.signal("zscore", *ids, window=window).backtested
        days = np.arange(pair.rows[0], len(sessions))
        rows = np.searchsorted(pair.rows, days, side="right") - 1
        told = {"date": sessions[days], "leader": ids[0], "follower": ids[1]}
        marks.append(pl.DataFrame(told | {"backtested": tested[rows]}))
    table, keys = comparison.state_table, ["date", "leader", "follower"]
    return table.join(pl.concat(marks), keys, "left", maintain_order="left")


def _lead_lag(comparison: Comparison) -> pl.DataFrame:
    """Return leads and lags; they rest on all rows of their pair, and are marked if one is."""
    marks = [(*pair.rows.ids, bool(pair.rows.backtested.any())) for pair in comparison.pairs]
    columns = {"leader": pl.String, "follower": pl.String, "backtested": pl.Boolean}
    told = pl.DataFrame(marks, columns, orient="row")
    keys = ["leader", "follower"]
    return comparison.leadlag_table.join(told, keys, "left", maintain_order="left")
