"""Pieces of a page: numbers as they are read, and text that cannot become markup."""

import json
import math
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.report.markup import (
    attribute,
    banner,
    both,
    heading,
    log_per_cent,
    number,
    paragraph,
    per_cent,
    safe,
    script_json,
    table,
    warning_list,
)
from indexer.words import Text, same


def test_numbers_carry_a_true_minus_sign_and_a_dash_where_there_is_none() -> None:
    assert [number(-0.1254, 2), number(3.0, 1, "+"), number(None, 2)] == ["−0.13", "+3.0", "–"]


def test_data_of_a_page_that_hold_no_number_are_a_bug() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json({"values": [math.nan]})


def test_log_moves_are_shown_as_percentages() -> None:
    assert [log_per_cent(x) for x in (math.log(0.75), math.log(1.1), 0.0, None)] == [
        "−25.0%",
        "+10.0%",
        "0.0%",
        "–",
    ]


@pytest.mark.parametrize("move", [708.0, 1400.0])
def test_a_move_whose_percentage_is_beyond_all_numbers_is_a_dash(move: float) -> None:
    assert log_per_cent(move) == "–"


@pytest.mark.parametrize("fraction", [None, math.nan, math.inf, 1e307, 1.7977e306 * 1.0001])
def test_a_fraction_that_is_no_number_of_per_cent_is_a_dash(fraction: float | None) -> None:
    assert per_cent(fraction) == "–"


def test_dates_are_marked_inside_escaped_text() -> None:
    assert safe("<b> & 2026-05-07") == "&lt;b&gt; &amp; <time>2026-05-07</time>"


@pytest.mark.attack("C2")
def test_cells_and_their_labels_are_escaped_in_both_languages() -> None:
    cells = table([same("a"), Text('"<b>', "“<b>")], [[same("<i>"), same("<u>")]], "wide")
    label = 'data-en="&quot;&lt;b&gt;" data-zh="“&lt;b&gt;"'
    assert f"<td {label}>&lt;u&gt;</td>" in cells
    assert '<th scope="row">&lt;i&gt;</th>' in cells


def test_text_stands_in_both_languages_once_where_they_agree() -> None:
    assert both(Text("a & b", "甲")) == (
        '<span lang="en">a &amp; b</span><span lang="zh-CN">甲</span>'
    )
    assert both(same("300308.SZ")) == "300308.SZ"


@pytest.mark.parametrize(
    ("text", "way"),
    [("+1.2%", "up"), ("−0.5% (+20)", "down"), ("0.0%", ""), ("1.2%", ""), ("+1.2% / −1.0%", "")],
)
def test_moves_are_up_or_down(text: str, way: str) -> None:
    cell = table([same("a"), same("b")], [[same("x"), same(text)]], "wide")
    assert (f' class="{way}">' in cell) == bool(way)


@pytest.mark.attack("C2")
@given(st.text())
def test_script_json_holds_no_markup_and_reads_back(text: str) -> None:
    written = script_json([text])
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == [text]


class Tags(HTMLParser):
    """The tags of a text, with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and the names of its attributes."""
        self.found.append((tag, [name for name, _ in attrs]))


PIECES = (
    *("<", ">", "&", "'", '"', "/", "=", ";", " ", "\n", "\0", "`", "x", "\u2028", "＜", "\ufeff"),
    *("<script>", "</script>", "</style>", "</td>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;"),
    *("<img src=x onerror=alert(1)>", "<svg/onload=", "' autofocus onfocus='", "javascript:"),
)
MARKUP = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.mark.attack("C2")
@given(MARKUP, MARKUP)
def test_whatever_is_said_the_tags_are_those_of_the_page(en: str, zh: str) -> None:
    def pieces(text: Text) -> list[tuple[str, list[str]]]:
        cells = table([text, text], [[text, text]], "wide")
        label = f"<p {attribute('title', text)}>{safe(text.en)}</p>"
        rest = heading(2, text) + paragraph(text) + banner(text, text) + warning_list([text])
        return Tags(cells + label + rest).found

    assert pieces(Text(f"a{en}", f"b{zh}")) == pieces(Text("a", "b"))
