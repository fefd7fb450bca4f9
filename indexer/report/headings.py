"""What tabs and columns are called in Chinese, and how numbers are shown."""

from collections.abc import Callable

import polars as pl

from indexer.index import evidence
from indexer.report import words
from indexer.report.sheets import Column

_LOG = "（对数）"

SIGNALS = {
    "relative_strength": ("相对强弱", "index"),
    "momentum": ("动量（对数）", "log"),
    "percentile": ("分位", "ratio"),
    "zscore": ("z值", "ratio"),
    "correlation": ("相关系数", "ratio"),
    "spearman": ("秩相关", "ratio"),
    "level_correlation": ("点位相关", "ratio"),
    "ratio_correlation": ("比值线相关", "ratio"),
    "ratio_null": ("共用分子零假设值", "ratio"),
    "ratio_excess": ("超出零假设值", "ratio"),
    "partial_correlation": ("偏相关（剔除领先指数）", "ratio"),
    "partial_correlation_benchmark": ("偏相关（再剔除基准）", "ratio"),
    "beta": ("贝塔", "ratio"),
    "gap": ("偏离（对数）", "log"),
    "gap_z": ("偏离z值", "ratio"),
    "rs_ratio": ("相对强弱比率", "index"),
    "rs_momentum": ("相对强弱动量", "index"),
    "breadth_20": ("站上20日均线占比", "ratio"),
    "breadth_60": ("站上60日均线占比", "ratio"),
    "breadth_outperform": ("跑赢占比", "ratio"),
    "diffusion": ("扩散指数", "ratio"),
    "mean_pair_correlation": ("成分股平均相关", "ratio"),
    "dispersion": ("离散度", "log"),
    "crowding": ("拥挤度", "ratio"),
    "carried": ("沿用旧价数", "count"),
    "divergence": ("背离（两者变化的z值之差）", "ratio"),
}

TABS = {  # of a workbook; Excel has room for 31 characters
    "summary": "摘要 Summary",
    "charts": "图表 Charts",
    "levels": "指数点位 Levels",
    "strength": "相对强弱 Relative strength",
    "correlation": "相关性 Correlation",
    "ratios": "比值线相关 Ratio lines",
    "gap": "偏离 Gap",
    "rotation": "轮动 Rotation",
    "breadth": "市场宽度 Breadth",
    "overlays": "公布数据 Announced figures",
    "states": "状态 States",
    "episodes": "阶段 Episodes",
    "intervals": "区间 Intervals",
    "leadlag": "领先滞后 Lead and lag",
    "events": "事件 Events",
    "constituents": "成分股 Constituents",
    "weights": "权重 Weights",
    "changes": "变动 Changes",
    "contributions": "贡献 Contributions",
    "excluded": "未纳入 Left out",
    "caveats": "数据说明 Data and caveats",
}

COLUMNS = SIGNALS | {
    "date": ("日期", "date"),
    "index": ("指数", "text"),
    "leader": ("领先指数", "text"),
    "follower": ("跟随指数", "text"),
    "state": ("状态", "text"),
    "kind": ("类别", "text"),
    "state_zh": ("状态（中文）", "text"),
    "kind_zh": ("类别（中文）", "text"),
    "interval_zh": ("区间（中文）", "text"),
    "reason_zh": ("原因（中文）", "text"),
    "last_row": ("最后一期", "date"),
    "since": ("起始", "date"),
    "peak_on": ("高点日", "date"),
    "move_leader": ("高点以来领先指数（对数）", "log"),
    "move_follower": ("高点以来跟随指数（对数）", "log"),
    "stretched_on": ("拉大日", "date"),
    "turn_on": ("拐点日", "date"),
    "closed_on": ("收敛日", "date"),
    "failed_turns": ("失败拐点次数", "count"),
    "gap_at_turn": ("拐点时偏离（对数）", "log"),
    "closed_share": ("已收敛比例", "ratio"),
    "forward_5": ("其后5期（对数）", "log"),
    "forward_20": ("其后20期（对数）", "log"),
    "forward_60": ("其后60期（对数）", "log"),
    "backtested": ("回测", "flag"),
    "interval": ("区间", "text"),
    "begin": ("起", "date"),
    "end": ("止", "date"),
    "return_leader": ("领先指数涨跌", "weight"),
    "return_follower": ("跟随指数涨跌", "weight"),
    "return_strength": ("相对强弱变化", "weight"),
    "lag": ("滞后期数", "count"),
    "band": ("95%界限（±）", "ratio"),
    "event": ("事件日", "date"),
    "name": ("名称", "text"),
    "offset": ("距事件期数", "count"),
    "abnormal": ("异常收益", "log"),
    "p": ("p值", "ratio"),
    "cumulative": ("累计异常收益", "log"),
    "cumulative_p": ("累计p值", "ratio"),
    "alpha": ("截距", "log"),
    "estimated": ("估计期数", "count"),
    "placebos": ("安慰剂数", "count"),
    "constituents": ("成分股数", "count"),
    "symbol": ("代码", "text"),
    "segment": ("细分环节", "text"),
    "currency": ("货币", "text"),
    "shares": ("指数股数", "shares"),
    "close": ("收盘价", "price"),
    "dated": ("价格日期", "date"),
    "carried_price": ("沿用旧价", "flag"),
    "weight": ("权重", "weight"),
    "contribution": ("当日贡献", "weight"),
    "divisor": ("除数", "level"),
    "market_value": ("市值", "shares"),
    "effective": ("生效日", "date"),
    "reference": ("参考日", "date"),
    "first_session": ("首个交易日", "date"),
    "capping_factor": ("权重因子", "log"),
    "reference_weight": ("参考日权重", "weight"),
    "effective_weight": ("生效日权重", "weight"),
    "tradable": ("可交易", "flag"),
    "reason": ("原因", "text"),
    "shares_before": ("变动前股数", "shares"),
    "shares_after": ("变动后股数", "shares"),
    "divisor_before": ("变动前除数", "level"),
    "divisor_after": ("变动后除数", "level"),
    "window": ("窗口", "count"),
    "p_value_adjusted": ("校正p值", "ratio"),
    "p_value_benchmark_adjusted": ("再剔除基准后的校正p值", "ratio"),
    "level_null": ("点位相关零假设中位数", "ratio"),
    "level_null_low": ("点位相关零假设5%分位", "ratio"),
    "level_null_high": ("点位相关零假设95%分位", "ratio"),
    "level_p_value": ("点位相关p值", "ratio"),
    "ratio_correlation_low": ("比值线相关95%区间下限", "ratio"),
    "ratio_correlation_high": ("比值线相关95%区间上限", "ratio"),
    "partial_correlation_low": ("偏相关95%区间下限", "ratio"),
    "partial_correlation_high": ("偏相关95%区间上限", "ratio"),
}

STATES = {key: text.zh for key, text in words.STATES.items()}
KINDS = {key: text.zh for key, text in words.KINDS.items()}
CHANGES = {  # of shares and divisor
    "rebalance": "定期调整",
    "split": "拆股",
    "bonus": "送转股",
    "rights": "配股",
    "dividend": "现金红利",
    "special_dividend": "特别红利",
    "symbol_change": "更换代码",
    "spinoff": "分拆",
    "merger": "合并",
    "delisting": "退市",
}
_KINDS = KINDS | CHANGES
_CALLED: dict[str, Callable[[str], str]] = {
    "state": STATES.__getitem__,
    "kind": lambda kind: "、".join(_KINDS.get(part, part) for part in kind.split("+")),
    "interval": lambda name: words.interval_name(name).zh,
    "reason": evidence.in_chinese,
}


def english(name: str) -> str:
    """Return a column's name in words, and whether it is a logarithm.

    Examples
    --------
    >>> english("ratio_correlation"), english("move_leader")
    ('Ratio correlation', 'Move leader (log)')
    """
    called = name.replace("_zh", ", in Chinese").replace("_", " ")
    zh, _ = COLUMNS.get(name, ("", ""))
    return called[:1].upper() + called[1:] + (" (log)" if _LOG in zh else "")


def in_chinese(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table with what its words are called in Chinese in further columns."""
    return table.with_columns(
        pl.Series(f"{of}_zh", [None if word is None else called(word) for word in table[of]])
        for of, called in _CALLED.items()
        if of in table.columns
    )


def columns_of(table: pl.DataFrame) -> list[Column]:
    """Return the columns of a table, back-tested rows marked."""
    tested = table["backtested"].to_numpy() if "backtested" in table.columns else None
    columns = []
    for name in table.columns:
        zh, look = COLUMNS.get(name, (name, "text"))
        columns.append(Column(zh, english(name), table[name].to_list(), look, "", tested))
    return columns
