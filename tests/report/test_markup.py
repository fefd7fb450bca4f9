"""Pieces of a page: numbers as they are read, and text that cannot become markup."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from indexer.report.markup import json_text, number, per_cent, safe, table


def test_numbers_carry_a_true_minus_sign_and_a_dash_where_there_is_none() -> None:
    assert [number(-0.1254, 2), number(3.0, 1, "+"), number(None, 2)] == ["−0.13", "+3.0", "–"]


def test_log_moves_are_shown_as_percentages() -> None:
    assert [per_cent(math.log(0.75)), per_cent(math.log(1.1)), per_cent(0.0), per_cent(None)] == [
        "−25.0%",
        "+10.0%",
        "+0.0%",
        "–",
    ]


def test_dates_are_marked_inside_escaped_text() -> None:
    assert safe("<b> & 2026-05-07") == "&lt;b&gt; &amp; <time>2026-05-07</time>"


def test_cells_and_their_labels_are_escaped() -> None:
    cells = table(["a", '"<b>'], [["<i>", "<u>"]], "wide")
    assert '<td data-label="&quot;&lt;b&gt;">&lt;u&gt;</td>' in cells
    assert '<th scope="row">&lt;i&gt;</th>' in cells


@given(st.text())
def test_json_text_holds_no_markup_and_reads_back(text: str) -> None:
    written = json_text([text])
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == [text]
