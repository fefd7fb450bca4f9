"""Tables and chart: what is wrong is listed as wrong, and stale tables are found."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import chart, table
from benchmarks.cases import CASES, OURS

MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "system": "Linux",
    "python": "3.11",
    "versions": {"numpy": "2.4"},
}
TIMES = ("cpu_minimum", "cpu_median", "wall_minimum", "wall_median")
COST = dict.fromkeys(TIMES, 0.01) | {"samples": 5, "part_of": 1.0, "linear": True, "ratio": 1.0}
RIGHT = {
    "error": 1e-15,
    "lost": 0,
    "invented": 0,
    "beyond": 0,
    "peak_mib": 3.0,
    "right": True,
    "reuses": "",
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder with one case and rivals that fare in every way there is."""
    contenders: dict[str, Any] = {
        OURS: RIGHT | COST,
        "slower": RIGHT | COST | {"ratio": 4.71},
        "in part": RIGHT | COST | {"ratio": 53.2, "part_of": 4.0},
        "steep": RIGHT | COST | {"ratio": 53.2, "part_of": 4.0, "linear": False},
        "astray": RIGHT | {"right": False, "error": 490.0, "lost": 12},
        "broken": {"failed": "ValueError: no", "right": False, "reuses": ""},
    }
    told = {
        "case": CASES[0].name,
        "title": "all pairs",
        "contenders": contenders,
        "absent": ["gone"],
        "share": {"store": 0.4},
        "first_call": {"cold": 2.5, "warm": 0.2},
        "same_bits": True,
        "threads": {"ratio": 1.75, "same_bits": True},
        "machine": MACHINE,
    }
    put(tmp_path, CASES[0].name, told)
    put(tmp_path, "accuracy", {"astray, pairwise": {"1e9 + noise": contenders["astray"]}})
    return tmp_path


def put(folder: Path, name: str, told: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def test_a_wrong_rival_is_wrong_and_not_slower(results: Path) -> None:
    row = next(line for line in table.section(results).splitlines() if "all pairs" in line)
    assert row == (
        "| all pairs | 10.0 ms | slower 4.7×, in part ~53×, steep ≥53×, astray wrong, broken fails "
        "| 40 % of store | 1.75× |"
    )


def test_the_section_names_the_machine_and_the_worst_error(results: Path) -> None:
    found = table.section(results)
    assert "A processor, 2 cores, Linux, Python 3.11, numpy 2.4." in found
    assert "| astray, pairwise | 4.9e+02 | 1e9 + noise | 12 | 0 |" in found


def test_the_full_table_has_everyone(results: Path) -> None:
    found = table.full(results)
    assert "| astray | wrong |  |  |  |  |  | 3 | wrong: 5e+02, 12 nulls too many |  |" in found
    assert "| broken | fails: ValueError: no |" in found
    assert "| gone | not installed |" in found
    assert "First call: 2.50 s compiling, 200 ms from the cache." in found
    assert "Two threads: 1.75× as fast as one, same bits: yes." in found


def test_rows_have_as_many_cells_as_their_heads(results: Path) -> None:
    put(results, "growth", [{**GROWN[0], "slope": None}])
    width = 0
    for line in [*table.full(results).splitlines(), "", *table.section(results).splitlines()]:
        if line.startswith("|"):
            width = width or line.count("|")
            assert line.count("|") == width, line
        else:
            width = 0


def test_what_is_written_is_not_stale_until_a_result_changes(results: Path) -> None:
    readme = results / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\n{table.END}\nafter\n", encoding="utf-8")
    assert table.stale(results, [readme]) == ["table.md", "README.md"]
    table.write(results, [readme])
    assert table.stale(results, [readme]) == []
    assert readme.read_text(encoding="utf-8").startswith("before\n")
    assert readme.read_text(encoding="utf-8").endswith("\nafter\n")
    put(results, "accuracy", {})
    assert table.stale(results, [readme]) == ["table.md", "README.md"]


def test_the_tables_of_the_project_are_those_of_its_results() -> None:
    """Where they are not: `python -m benchmarks table --write`."""
    assert table.stale() == []


def test_a_case_that_no_table_can_have_is_named(results: Path) -> None:
    assert table.missing(results) == [*(case.name for case in CASES[1:]), "growth"]


def test_a_readme_without_marks_is_not_written(results: Path) -> None:
    readme = results / "README.md"
    readme.write_text("no marks\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected <!-- benchmarks -->"):
        table.write(results, [readme])
    assert readme.read_text(encoding="utf-8") == "no marks\n"


def test_figures_are_as_long_as_they_are_sure() -> None:
    found = [table.figures(value) for value in (0.934, 4.71, 9.96, 53.2, 3301.0)]
    assert found == ["0.93", "4.7", "10", "53", "3,301"]
    times = [table.seconds(value) for value in (5.12e-7, 5.12e-5, 0.0123, 4.5, 120.0)]
    assert times == ["0.512 µs", "51.2 µs", "12.3 ms", "4.50 s", "120 s"]


GROWN = [
    {
        "case": case,
        "axis": axis,
        "values": values,
        "per_output": [1e-9, 2e-9, 3e-9],
        "slope": 1.0,
        "slope_per_output": 0.0,
    }
    for case, axis, values in [
        ("a", "series", [10, 20, 40]),
        ("b", "series", [100, 200, 400]),
        ("a & b", "missing", [0.0, 0.1, 0.3]),
    ]
]


def test_the_chart_has_a_curve_a_case_and_no_logarithm_of_zero() -> None:
    name = "{http://www.w3.org/2000/svg}polyline"
    curves = list(ElementTree.fromstring(chart.drawn(GROWN)).iter(name))  # noqa: S314 (our own)
    assert sorted(len(curve.attrib["points"].split()) for curve in curves) == [2, 3, 3]


def test_a_costlier_size_stands_higher_in_the_chart() -> None:
    name = "{http://www.w3.org/2000/svg}polyline"
    curve = next(ElementTree.fromstring(chart.drawn(GROWN[:1])).iter(name))  # noqa: S314
    points = [tuple(map(float, point.split(","))) for point in curve.attrib["points"].split()]
    assert points == sorted(points)
    heights = [y for _, y in points]
    assert heights == sorted(heights, reverse=True)
