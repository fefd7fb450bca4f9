"""The method of an index in words."""

import pytest

from indexer.definitions.read import read_basket
from indexer.report.method import index_method
from indexer.run.begin import write_templates


@pytest.mark.parametrize(
    ("lag", "en", "zh"),
    [
        (5, "by what was known 5 sessions before.", "以此前5个交易日已知数据为准。"),
        (1, "by what was known 1 session before.", "以此前1个交易日已知数据为准。"),
        (0, "by the closes of that day.", "以当日收盘数据为准。"),
    ],
)
def test_a_rebalance_is_told_with_its_day_and_its_reference(tmp_path, lag, en, zh):
    path = write_templates(tmp_path)[0]
    text = path.read_text("utf-8").replace("reference_lag: 5", f"reference_lag: {lag}")
    path.write_text(text, encoding="utf-8")
    told = list(index_method(read_basket(path)))

    assert f"Rebalanced quarterly, on the third Friday of the month, {en}" in [t.en for t in told]
    assert any(t.zh.endswith(f"于当月第三个周五生效，{zh}") for t in told)


def test_figures_of_a_definition_are_told_as_they_are(tmp_path):
    path = write_templates(tmp_path)[0]
    text = path.read_text("utf-8").replace(
        "# caps: {constituent: 0.10}", "caps: {constituent: 0.475}"
    )
    path.write_text(text.replace("level: 1000", "level: 1234567"), encoding="utf-8")
    told = " ".join(t.en for t in index_method(read_basket(path)))

    assert "No constituent above 47.5% at a rebalance." in told
    assert "Level 1234567 on" in told


@pytest.mark.parametrize(
    ("base", "en"),
    [
        ("", "used as it is."),
        ("base: {date: 2024-01-02, level: 1000}", "scaled to 1000 on 2024-01-02."),
    ],
)
def test_a_ready_made_series_is_told_as_it_is_or_as_it_was_scaled(tmp_path, base, en):
    path = tmp_path / "a.yaml"
    keys = "version: 1\nid: a\nkind: series\nname: {en: A, zh: 甲}\ncurrency: CNY\ncalendar: XSHG\n"
    path.write_text(f"{keys}symbol: 399006.SZ\n{base}\n", encoding="utf-8")
    (told,) = index_method(read_basket(path))

    assert told.en == f"A ready-made series of its provider's levels, {en}"
