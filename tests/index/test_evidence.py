"""What gates find is told in Chinese, too: every sentence, with all its parts."""

import ast
import re
from collections.abc import Iterator
from inspect import getsource
from types import ModuleType

import pytest

from indexer.index import evidence, gates, holes, moves
from indexer.index.evidence import in_chinese
from indexer.run import beside, gate

_SHORTEST = 38  # of a sentence; what is shorter is a part of one
_UNRECORDED = ("1 level 1 of 1: a level is finite", "1 level 1 of 1 is zero", "1 to 1, but on")


def _sentences(module: ModuleType) -> Iterator[str]:
    """Yield the messages of a module with 1 for every part, but not its text in two languages."""
    tree = ast.parse(getsource(module))
    told = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Text"
        for part in ast.walk(call)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and id(node) not in told:
            parts = [p.value if isinstance(p, ast.Constant) else "1" for p in node.values]
            text = "".join(map(str, parts))
            if len(text) >= _SHORTEST:
                yield text


SENTENCES = [text for module in (gates, moves, holes, beside, gate) for text in _sentences(module)]
RECORDED = [text for text in SENTENCES if not text.startswith(_UNRECORDED)]


def test_the_sentences_of_all_gates_are_found():
    assert len(RECORDED) >= 20


@pytest.mark.parametrize("sentence", RECORDED)
def test_every_sentence_that_is_recorded_has_its_chinese(sentence):
    told = in_chinese(sentence)
    assert told != sentence
    names = "official|exchange_calendars|--[a-z-]+|indexer/.*yaml"
    assert not re.search("[a-z]{3,}", re.sub(names, "", told))


@pytest.mark.parametrize(
    "known", [pattern for pattern, _ in evidence._KNOWN[: len(evidence._SENTENCES)]]
)
def test_every_sentence_that_has_its_chinese_is_said_by_a_gate(known):
    assert any(known.fullmatch(sentence) for sentence in RECORDED)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "37.0384% of the index weight of 2026-08-20 is stale, more than 10% (688702.SH 3.71%, "
            "close of 2026-08-18, 2 sessions old, unexplained; 688041.SH 2.00%, never traded, 0 "
            "sessions old, not yet listed; 13 in all): fetch the closes; publish with a recorded "
            "override until what is not listed yet trades",
            "2026-08-20有37.0384%的指数权重沿用旧价，超过10%（688702.SH 3.71%，收盘价日期"
            "2026-08-18，已隔2个交易日，原因不明；688041.SH 2.00%，从未成交，已隔0个交易日，"
            "尚未上市；共13只）：请补收盘价；尚未上市的，开始交易前可记名放行后发布",
        ),
        (
            "301217.SZ closed at 178.17 on 2026-06-16, outside 95.25 to 142.91 (20% of its board, "
            "rounded, and 1 tick from the ex-reference price 119.08 of 2026-05-28, 12 sessions "
            "without a close between): check its unit and its actions; publish with a recorded "
            "override if it is right",
            "301217.SZ 2026-06-16收盘178.17，超出95.25至142.91（涨跌幅限制20%，取整后容差1个最小"
            "变动价位；除权参考价119.08，取自2026-05-28，其间12个交易日无收盘价）：请核对单位与公司"
            "行为；确认无误的，可记名放行后发布",
        ),
        (
            "2024-09-02 was not published, and is in its level: USD/CNY of 71 on 2024-09-02 after "
            "7.1 on 2024-08-30, more than a factor of 1.8: check which way round it is, and its "
            "decimal point; publish with a recorded override if it is right",
            "2024-09-02未发布，其影响留在该点位中：2024-09-02的USD/CNY汇率71，前值7.1"
            "（2024-08-30），相差超过1.8倍：请核对报价方向与小数点；确认无误的，可记名放行后发布",
        ),
        (
            "benchmark csi-300: closes on days on which their exchange was closed: 600001.SH 10.01 "
            "of 2024-09-15 and 3 more: delete them, or add the day as an official entry to the "
            "overlay of the exchange's calendar if it was open",
            "基准csi-300：休市日有收盘价：600001.SH 2024-09-15收盘10.01，另有3只：请删去；如当日"
            "开市，请在该交易所的日历中加入official条目",
        ),
        (
            "2027-01-04 is beyond 2026-12-31, up to which a constituent's calendar XHKG is "
            "verified: update exchange_calendars, or publish with --allow-estimated-calendar",
            "2027-01-04晚于成分股日历XHKG已核实的最后日期2026-12-31：请更新exchange_calendars，"
            "或以--allow-estimated-calendar发布",
        ),
        ("weighting.scheme, constituents", "weighting.scheme, constituents"),
    ],
)
def test_a_finding_is_told_with_all_its_parts(message, told):
    assert in_chinese(message) == told


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("no close in the folder", "数据中无收盘价"),
        ("no close on or before 2023-12-25", "2023-12-25及之前无收盘价"),
        ("no amount in 60 sessions", "最近60个交易日无成交额"),
        ("listed 1 session, seasoning is 60", "上市1个交易日，应满60个交易日"),
        ("continues as B.US, a constituent of its own", "已变为B.US，后者另为成分股"),
        ("takes over from A.US only on 2024-05-06", "2024-05-06起才承接A.US"),
        (
            "a member from 2024-01-02 until 2024-05-06",
            "成分期为2024-01-02至2024-05-06（不含）",
        ),
        ("a member from 2024-01-02", "成分期始于2024-01-02"),
        ("a member until 2024-05-06", "成分期止于2024-05-06（不含）"),
        ("delisting on 2024-05-06", "2024-05-06退市"),
        ("merger on 2024-05-06", "2024-05-06合并"),
    ],
)
def test_why_a_constituent_is_left_out_is_told(reason, told):
    assert in_chinese(reason) == told
