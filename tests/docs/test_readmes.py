"""The two READMEs say the same: what runs in one runs in the other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^```.*?^```$",  # blocks
        r"^#+ ",  # headings, by their depth
        r"^\|[-|]+\|$",  # tables, by their columns
        r"\]\((docs/[^)#]+|benchmarks/[^)#]+)\)",  # what is linked or shown
        r"^- ",
    ],
)
def test_both_have_the_same_parts(pattern: str) -> None:
    english, chinese = (re.findall(pattern, t, re.M | re.S) for t in (ENGLISH, CHINESE))

    assert english
    assert chinese == english


def test_tables_have_as_many_rows() -> None:
    english, chinese = (len(re.findall(r"^\|", text, re.M)) for text in (ENGLISH, CHINESE))

    assert chinese == english


def test_each_links_to_the_other() -> None:
    assert "[中文](README.zh-CN.md)" in ENGLISH
    assert "[English](README.md)" in CHINESE
