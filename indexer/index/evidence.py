"""What gates find, and why constituents are left out, in Chinese: it is kept in English."""

import re
from collections.abc import Iterator

_SENTENCES = {  # by the English they are written in, whose parts stand in both
    "{session} was not published, and is in its level: {message}": (
        "{session}未发布，其影响留在该点位中：{message}"
    ),
    "benchmark {id}: left out, it has no level here: add its closes and rates": (
        "基准{id}：此处没有点位，未纳入：请补其收盘价与汇率"
    ),
    "benchmark {id}: no level of {day} is known: that of {last} stands, {age} old": (
        "基准{id}：{day}点位未知，沿用{last}点位，已隔{age}"
    ),
    "benchmark {id}: {message}": "基准{id}：{message}",
    "the rate of {pair} of {last} stands on {day}, {age} old": (
        "{day}沿用{last}的{pair}汇率，已隔{age}"
    ),
    "no {pair} of {day}: the rate of {last} stands, {age} old": (
        "{day}无{pair}汇率，沿用{last}的汇率，已隔{age}"
    ),
    "left out, without any close in the folder: {names}: add their closes, or take them out of the "
    "definition": "数据中没有收盘价，未纳入：{names}：请补收盘价，或从定义中删去",
    "no held constituent of an open exchange has a close of {day} yet ({names}): complete the "
    "market folder and publish again; if the exchange was closed, give its calendar an official "
    "overlay entry": (
        "{day}开市的交易所尚无任何成分股的收盘价（{names}）：请补全行情后再发布；"
        "如当日休市，请在交易日历中加入official条目"
    ),
    "none of {count} held {suffix} constituents has a close of {day} though others have, calendar "
    "{code} says open and the folder {later}: fetch them, or, if the exchange was closed, add "
    "{same} as an official entry to the overlay {overlay}": (
        "{count}只{suffix}成分股均无{day}收盘价，而其他交易所有，日历{code}为开市，{later}："
        "请补收盘价；如当日休市，请在{overlay}中加入{same}的official条目"
    ),
    "{part} of the index weight of {day} is stale, more than {limit} ({names}; {count} in all): "
    "{remedy}": "{day}有{part}的指数权重沿用旧价，超过{limit}（{names}；共{count}只）：{remedy}",
    "carried on {day} for more than {most} of its exchange: {names}: decide whether it stays in "
    "the index": "{day}沿用旧价已超过所在交易所{most}：{names}：请决定是否保留在指数中",
    "no close of {day}, on which the exchange is open: {names}: {remedy}": (
        "{day}交易所开市，但下列成分股无收盘价：{names}：{remedy}"
    ),
    "no close of {day} yet, the last level is of {last}: complete the market folder and publish "
    "again, or up to --to {same}": (
        "{day}尚无收盘价，最近点位为{last}：请补全行情后再发布，或以--to {same}发布至该日"
    ),
    "the series has no close of {day}, but one of {last}: add it, or an official entry to the "
    "calendar's overlay if the exchange was closed": (
        "序列无{day}收盘价，而有{last}的：请补入；如当日休市，请在交易日历中加入official条目"
    ),
    "{day} is beyond {known}, up to which {whose} calendar {code} is verified: update "
    "exchange_calendars, or publish with --allow-estimated-calendar": (
        "{day}晚于{whose}日历{code}已核实的最后日期{known}：请更新exchange_calendars，"
        "或以--allow-estimated-calendar发布"
    ),
    "closes on days on which their exchange was closed: {names}: delete them, or add the day as an "
    "official entry to the overlay of the exchange's calendar if it was open": (
        "休市日有收盘价：{names}：请删去；如当日开市，请在该交易所的日历中加入official条目"
    ),
    "level {level} of {day} is that of {last}: the feed is frozen: fetch {same} again": (
        "{day}点位{level}与{last}相同：行情未更新，请重新获取{same}的行情"
    ),
    "level {level} on {day} after {before} on {last}: a log return of {move}, beyond {deviations} "
    "deviations ({bound}) of the {count} before it: check the closes and rates that moved it; "
    "publish with a recorded override if they are right": (
        "{day}点位{level}，前值{before}（{last}）：对数收益率{move}，超出此前{count}个收益率"
        "标准差的{deviations}倍（{bound}）：请核对相关收盘价与汇率；确认无误的，可记名放行后发布"
    ),
    "{symbol} closed at {close} on {day}, outside {low} to {high} ({why} from the ex-reference "
    "price {price} of {since}): check its unit and its actions; publish with a recorded override "
    "if it is right": (
        "{symbol} {day}收盘{close}，超出{low}至{high}（{why}；除权参考价{price}，取自{since}）："
        "请核对单位与公司行为；确认无误的，可记名放行后发布"
    ),
    "{pair} of {rate} on {day} after {before} on {last}, more than a factor of {jump}: check which "
    "way round it is, and its decimal point; publish with a recorded override if it is right": (
        "{day}的{pair}汇率{rate}，前值{before}（{last}），相差超过{jump}倍："
        "请核对报价方向与小数点；确认无误的，可记名放行后发布"
    ),
    "all {count} held constituents with a close of {day} have the one they had before, and no "
    "other volume: the feed is frozen: fetch {same} again": (
        "有{day}收盘价的{count}只成分股，收盘价均与前值相同，成交量亦无变化："
        "行情未更新，请重新获取{same}的行情"
    ),
    "all {count} held {suffix} constituents with a close of {day} have the one they had before, "
    "and no other volume, while {others} moved: the feed of that exchange is frozen: fetch {same} "
    "again": (
        "有{day}收盘价的{count}只{suffix}成分股，收盘价均与前值相同，成交量亦无变化，"
        "而{others}有变动：该交易所行情未更新，请重新获取{same}的行情"
    ),
}
_REASONS = {  # why a constituent is left out
    "no close in the folder": "数据中无收盘价",
    "no close on or before {day}": "{day}及之前无收盘价",
    "no amount in {count} sessions": "最近{count}个交易日无成交额",
    "listed {most}, seasoning is {count}": "上市{most}，应满{count}个交易日",
    "continues as {symbol}, a constituent of its own": "已变为{symbol}，后者另为成分股",
    "takes over from {symbol} only on {day}": "{day}起才承接{symbol}",
    "a member from {since} until {last}": "成分期为{since}至{last}（不含）",
    "a member from {day}": "成分期始于{day}",
    "a member until {last}": "成分期止于{last}（不含）",
    "delisting on {day}": "{day}退市",
    "merger on {day}": "{day}合并",
}
_PHRASES = {  # within the parts of a sentence
    r", (\d+) sessions? without a close between": r"，其间\1个交易日无收盘价",
    r"(\d+) sessions? old": r"已隔\1个交易日",
    r"(\d+) sessions?": r"\1个交易日",
    r"(\d+) days?": r"\1天",
    "close of ([0-9-]+)": r"收盘价日期\1",
    r"(\d\S*) of ([0-9-]+)": r"\2收盘\1",
    "never traded": "从未成交",
    "publish with a recorded override while trading is suspended, or add a delisting with its "
    "price to the actions where it will not go on": (
        "停牌期间可记名放行后发布；不再复牌的，请在公司行为中加入退市及其价格"
    ),
    "publish with a recorded override until what is not listed yet trades": (
        "尚未上市的，开始交易前可记名放行后发布"
    ),
    "add the delisting of what is delisted to the actions, with its price": (
        "已退市的，请在公司行为中加入退市及其价格"
    ),
    "fetch the closes": "请补收盘价",
    "unexplained, taken for suspended: the folder has no suspensions": (
        "原因不明，按停牌处理（数据中没有停牌表）"
    ),
    "fetch it, or add the suspension, until trade goes on, to suspensions": (
        "请补收盘价，或在停牌表中加入至复牌为止的停牌"
    ),
    "unexplained": "原因不明",
    "suspended": "停牌",
    "not yet listed": "尚未上市",
    "delisted": "已退市",
    "has no later close": "数据中没有其后的收盘价",
    "holds later closes": "数据中有其后的收盘价",
    "the index's": "指数",
    "a constituent's": "成分股",
    "a factor of ([0-9.]+)": r"\1倍",
    r"(\d+%) of its board": r"涨跌幅限制\1",
    r" and (\d+%) for adjusted closes": r"，复权价另加\1",
    r", rounded, and (\d+) tick": r"，取整后容差\1个最小变动价位",
    r" and (\d+) more\b": r"，另有\1只",
    r" \(": "（",
    r"\)": "）",
    ", ": "，",
    "; ": "；",
}
_LONG = {
    "age",
    "later",
    "message",
    "most",
    "names",
    "others",
    "remedy",
    "since",
    "whose",
    "why",
}  # parts of more than one word


def in_chinese(message: str) -> str:
    """Return a finding, or a reason, in Chinese; one that is not known stays as it is.

    Examples
    --------
    >>> in_chinese("no USD/CNY of 2026-05-07: the rate of 2026-05-05 stands, 2 days old")
    '2026-05-07无USD/CNY汇率，沿用2026-05-05的汇率，已隔2天'
    """
    for sentence, chinese in _KNOWN:
        if found := sentence.fullmatch(message):
            parts = {name: _part(name, text) for name, text in found.groupdict().items()}
            return chinese.format_map(parts)
    return message


def _part(name: str, text: str) -> str:
    """Return a part of a sentence in Chinese."""
    if name == "message":
        return in_chinese(text)
    if name not in _LONG:
        return text
    for phrase, chinese in _PHRASES.items():
        text = re.sub(phrase, chinese, text)
    return text


def _patterns() -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield what matches each sentence, with its Chinese."""
    for sentence, chinese in (_SENTENCES | _REASONS).items():
        pieces = re.split(r"\{(\w+)\}", sentence)
        pieces[::2] = map(re.escape, pieces[::2])
        pieces[1::2] = (f"(?P<{name}>{_span(name)})" for name in pieces[1::2])
        yield re.compile("".join(pieces)), chinese


def _span(name: str) -> str:
    return ".+" if name in _LONG else r"\S+"


_KNOWN = tuple(_patterns())
