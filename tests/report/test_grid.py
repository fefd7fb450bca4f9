"""The page of a sweep: every cell, both languages, nothing loaded, nothing unescaped."""

import json
import re
from typing import Any

import pytest

from indexer.report import grid as module
from indexer.report.grid import Cell, grid_page

SUMMARY: dict[str, Any] = {
    "id": "grid",
    "study": "some",
    "cost_bps": 20.0,
    "synthetic": True,
    "definition_digest": "a" * 64,
    "market_digest": "b" * 64,
    "tried": 4,
    "failed": 1,
    "backtested": {"count": 3, "of": 5},
    "trials": 4,
    "best": {
        "values": {"a": "1", "b": "x"},
        "leader": "one",
        "follower": "two",
        "sharpe": 0.25,
        "deflated_sharpe": 0.875,
    },
    "warnings": ["trio: left out, no close in the folder: A.US"],
    "failures": [
        {"number": 4, "index": None, "values": {"a": "<b>"}, "kind": "E", "message": "no\n<i>"}
    ],
}
CELLS = [
    Cell("one / two", {"a": a, "b": b}, value)
    for (a, b), value in zip(
        [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")], [0.25, None, -0.5, 0.0], strict=True
    )
]
PAGE = grid_page(SUMMARY, ["a", "b"], CELLS)


def test_what_is_doubtful_of_the_data_stands_on_the_page():
    assert SUMMARY["warnings"][0] in PAGE


def figures(page: str) -> Any:
    found = re.search(r'id="figures">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])["figures"]


def caption(page: str) -> str:
    """Return what the first map of a page says of itself, in English."""
    found = re.search(r'<figcaption[^>]*><span lang="en">(.*?)</span>', page)
    assert found is not None
    return found[1]


def test_the_rule_whose_returns_are_looked_at_is_told_with_its_cost() -> None:
    assert "Of some: the follower is held against the leader" in PAGE
    assert "each change costs 20 basis points" in PAGE
    assert "每次换仓成本合计20个基点" in PAGE


def test_every_cell_stands_where_its_items_say() -> None:
    [grid] = figures(PAGE)

    assert (grid["columns"], grid["rows"]) == (["x", "y"], ["1", "2"])
    assert grid["cells"] == [[0, 0, 0.25], [1, 0, None], [0, 1, -0.5], [1, 1, 0.0]]


@pytest.mark.parametrize(
    ("keys", "said"),
    [(["a", "b"], "index · a down, b across; "), (["a"], "index down, a across; ")],
)
def test_a_map_of_indices_says_that_rows_are_of_an_index_each(keys: list[str], said: str) -> None:
    summary = {key: value for key, value in SUMMARY.items() if key != "study"}
    cells = [Cell("", {"index": "one", **dict.fromkeys(keys, "1")}, 0.5)]

    assert caption(grid_page(summary, keys, cells)).startswith(said)


def test_a_map_of_one_key_of_a_study_names_no_rows() -> None:
    page = grid_page(SUMMARY, ["a"], [Cell("one / two", {"a": "1"}, 0.5)])

    assert caption(page).startswith("a across; ")


def test_the_best_stands_beside_what_chance_makes_of_it() -> None:
    assert "0.2500" in PAGE
    assert "0.8750" in PAGE
    assert "Deflated Sharpe" in PAGE
    assert "折减夏普" in PAGE


def test_what_is_back_tested_is_told_before_any_figure_and_on_every_chart() -> None:
    said = PAGE.partition("<h2")[0]

    assert "3 of the 5 episodes of all variants rest on levels from before" in said
    assert "全部变体的5个阶段中有3个用到选样日之前的点位" in said
    assert re.search(r'<footer id="stamp">.*back-tested.*回测.*</footer>', PAGE)


def test_indices_that_are_back_tested_are_counted() -> None:
    summary = {key: value for key, value in SUMMARY.items() if key not in ("study", "best")}
    page = grid_page(summary, ["a"], [])

    assert "3 of 5 indices begin before their constituents were selected" in page


def test_where_nothing_is_back_tested_nothing_says_so() -> None:
    page = grid_page(SUMMARY | {"backtested": {"count": 0, "of": 5}}, ["a", "b"], CELLS)
    body = page.partition("<main>")[2].partition("<script")[0]

    assert "back-tested" not in body.lower()


def test_synthetic_data_and_failures_are_told_in_both_languages() -> None:
    assert "Synthetic data." in PAGE
    assert "合成数据。" in PAGE
    assert "共试4个变体，1个失败。" in PAGE


def test_what_definitions_and_errors_say_is_escaped() -> None:
    body = PAGE.split("<main>")[1].split("<script")[0]

    assert "&lt;i&gt;" in body
    assert "<i>" not in body
    assert "<b>" not in body


def test_it_says_what_it_was_made_of() -> None:
    assert "sweep grid aaaaaaaaaaaa · market data bbbbbbbbbbbb · SYNTHETIC DATA" in PAGE


def test_where_nothing_is_varied_there_is_no_map() -> None:
    page = grid_page(SUMMARY, [], [Cell("", {"index": "one"}, 0.5)])

    assert figures(page) == []
    assert "1 figure, not drawn" in page


def test_too_many_cells_are_left_to_the_table(monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    page = grid_page(SUMMARY, ["a", "b"], CELLS)

    assert figures(page) == []
    assert "4 figures, not drawn" in page


def test_the_same_sweep_has_the_same_page() -> None:
    assert grid_page(SUMMARY, ["a", "b"], CELLS) == PAGE
