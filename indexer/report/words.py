"""The words of a page that recur, in both of its languages."""

from indexer.definitions.model import Name
from indexer.signals.intervals import WINDOW
from indexer.words import Text, joined, many, same


def named(name: Name) -> Text:
    """Return a name; the English one where there is no Chinese one."""
    return Text(name.en, name.zh or name.en)


_CALENDARS = {
    "XSHG": "上交所",
    "XSHE": "深交所",
    "XHKG": "港交所",
    "XNYS": "纽交所",
    "XNAS": "纳斯达克",
}


def calendar_name(code: str) -> Text:
    """Return what the calendar of an exchange is called."""
    return Text(code, _CALENDARS.get(code, code))


def hour_of(cutoff: str) -> Text:
    """Return an hour and its zone.

    Examples
    --------
    >>> hour_of("18:00 Asia/Shanghai").zh, hour_of("16:00 America/New_York").zh
    ('北京时间18:00', '16:00（America/New_York）')
    """
    hour, _, zone = cutoff.partition(" ")
    return Text(cutoff, f"北京时间{hour}" if zone == "Asia/Shanghai" else f"{hour}（{zone}）")


NONE = same("–")
SYNTHETIC = Text("Synthetic data", "合成数据")
BACKTESTED = Text("back-tested", "回测")
PALE = Text("Pale: back-tested.", "浅色为回测。")
BANNER_SYNTHETIC = Text("Synthetic data.", "合成数据。")
BANNER_BACKTESTED = Text("Back-tested.", "回测。")
SYNTHETIC_TEXT = Text(
    "Its prices are invented: nothing here is about a real market.",
    "价格均为虚构，与任何真实市场无关。",
)

STATES = {
    "neutral": Text("neutral", "中性"),
    "stretched": Text("stretched", "拉大"),
    "catching_up": Text("catching up", "收敛中"),
    "closed": Text("closed", "已收敛"),
}
RULES = {  # of the gates whose findings are recorded, in Chinese
    "R14": "沿用旧价或旧汇率",
    "R15": "行情缺失",
    "R16": "涨跌超出可信范围",
    "R17": "行情未更新",
    "R18": "某交易所行情未更新",
    "R19": "休市与否存疑",
    "R22": "交易日历为推算",
    "R30": "定义有变更",
}
KINDS = {
    "catch-up": Text("follower rises", "跟随指数补涨"),
    "leader fall": Text("leader falls", "领先指数回落"),
    "both falling": Text("both fall", "两者同跌"),
}


def shade_of(state: str, kind: str) -> str:
    """Return the key of a state's shade, empty for neutral; a turn is told apart by its kind.

    Examples
    --------
    >>> shade_of("catching_up", "leader fall"), shade_of("closed", ""), shade_of("neutral", "")
    ('leader-fall', 'closed', '')
    """
    if state == "catching_up":
        return kind.replace(" ", "-")
    return "" if state == "neutral" else state


SHADES = {  # of the catch-up states, in short
    "stretched": STATES["stretched"],
    **{shade_of("catching_up", kind): text for kind, text in KINDS.items()},
    "closed": STATES["closed"],
}
BANDS = {  # the same in full
    key: text if key in STATES else joined([STATES["catching_up"], text], ": ", "：")
    for key, text in SHADES.items()
}
QUADRANTS = {
    "leading": Text("leading", "领先"),
    "weakening": Text("weakening", "转弱"),
    "lagging": Text("lagging", "落后"),
    "improving": Text("improving", "改善"),
}
INTERVALS = {
    "year_to_date": Text("year to date", "年初至今"),
    "since_maximum": Text(f"since the high of {WINDOW} rows", f"自{WINDOW}期高点以来"),
    "since_minimum": Text("since the low after that high", "自该高点之后的低点以来"),
}


TURNED = {"catching_up", "closed"}  # states before which nothing has begun to close


def kind_shown(kind: str | None, *, turned: bool) -> Text:
    """Return how a gap is closing; a dash before it has turned."""
    return KINDS.get(kind or "", NONE) if turned else NONE


def interval_name(name: str) -> Text:
    """Return what an interval of the table of returns is called."""
    if name.startswith("rows_"):
        return many(int(name.removeprefix("rows_")), "row", "期")
    return INTERVALS[name]
