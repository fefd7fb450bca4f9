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
