"""Restatement notices, in English and Chinese."""

from dataclasses import replace

import pytest

from indexer.ledger.correct import REASONS
from indexer.report.notice import (
    CHINESE_REASONS,
    Correction,
    Decision,
    notice_name,
    notice_text,
)


def notice(*corrected, reason="bad-price"):
    made = Decision("trio", "run-1", reason, "a typing error", "Ada", "2026-03-10T08:00:00Z")
    return notice_text(made, corrected, ["trio_20260306_r2.csv"])


def test_it_says_that_data_are_synthetic():
    made = Decision("trio", "run-1", "software", "a note", "Ada", "2026-03-10T08:00:00Z")
    mark = "SYNTHETIC DATA / 合成数据"

    assert mark not in notice_text(made, [correction()], [])
    assert mark in notice_text(replace(made, synthetic=True), [correction()], [])


def correction(session="2026-03-06", *levels):
    return Correction(session, 1, 2, levels or [("price", "1000.0000", "1001.0000", 10.0)])


def test_it_names_what_nasdaq_names():
    text = notice(correction(), correction("2026-03-09"))

    for told in (
        "Index / 指数: trio", "Sessions / 交易日: 2026-03-06 – 2026-03-09 (2)",
        "Correction / 更正编号: run-1", "Note / 说明: a typing error", "Decided by / 决定人: Ada",
        "发现并发布于: 2026-03-10T08:00:00Z", "disregard the earlier revisions",
        "any high, low or return", "trio_20260306_r2.csv",
    ):  # fmt: skip
        assert told in text


def test_a_line_has_the_old_and_the_new_level_and_the_difference():
    line = next(line for line in notice(correction()).splitlines() if "→" in line)

    assert line.split() == [
        "2026-03-06", "1", "→", "2", "price", "1000.0000", "1001.0000", "+10.0000",
    ]  # fmt: skip


def test_a_variant_without_a_level_before_has_no_difference():
    line = next(
        line for line in notice(correction("2026-03-06", ("net", "", "9.0", None))).splitlines()
        if "→" in line
    )  # fmt: skip

    assert line.split() == ["2026-03-06", "1", "→", "2", "net", "9.0"]


def test_a_corrected_study_has_signals():
    text = notice(Correction("2026-03-06", 1, 2, []))

    assert "2026-03-06  1 → 2     signals" in text


def test_the_reasons_it_knows_are_those_of_the_ledger():
    assert tuple(CHINESE_REASONS) == REASONS


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_told_in_both_languages(reason):
    text = notice(correction(), reason=reason)
    chinese = text.split(f"Reason / 原因: {reason} (")[1].split(")")[0]

    assert not chinese.isascii()


def test_it_is_named_by_its_correction():
    assert notice_name("run-1") == "restatement_run-1.txt"
