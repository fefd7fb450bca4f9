"""Text of sheets and notebooks in both languages."""

import pytest

from indexer.index.caveats import missing_caveat
from indexer.report.marks import in_both
from indexer.words import Text, same


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            *missing_caveat(["A.US"]),
            "数据中无收盘价，未纳入：A.US left out, no close in the folder: A.US",
        ),
        (Text("tested: X", "回测：X"), "回测：X tested: X"),
        (same("=cmd"), "=cmd"),
    ],
)
def test_text_stands_there_in_both_languages_once_where_they_agree(text, told):
    assert in_both(text) == told
