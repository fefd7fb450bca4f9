"""The page that says how publication was tried has the figures that were measured."""

import re

from benchmarks.reliability.bars import campaigns
from benchmarks.reliability.page import PAGE, is_fresh, table, with_table
from benchmarks.reliability.record import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "reliability.json"
BAR = {
    "id": "B1",
    "title": "kills",
    "n": 12345,
    "wrong": 0,
    "bound95": 0.000243,
    "seconds": 61.4,
    "commit": "abc",
}


def test_the_page_has_the_results():
    assert is_fresh(RESULTS)


def test_a_bar_is_a_row():
    assert table([BAR]).splitlines()[-1] == "| B1 | kills | 12,345 | 0 | 0.00024 | 61 | abc |"


def test_a_table_is_put_in_the_place_of_the_one_before():
    once = with_table(PAGE.read_text("utf-8"), [BAR])

    assert with_table(once, []).count("| bar |") == 1
    assert "12,345" not in with_table(once, [])


def test_every_bar_is_told_of_on_the_page():
    text = PAGE.read_text("utf-8")

    assert [id for id in campaigns() if not re.search(rf"\({id}\b", text)] == []
