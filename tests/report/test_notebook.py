"""Results show themselves in a notebook: marked, escaped, drawn from the page's figures."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.report import notebook
from indexer.report.drawing import SHADES, drawing, ink, pale
from indexer.report.figures import bands, index_figure
from indexer.report.marks import bilingual
from indexer.report.words import BANDS

CSS = Path(notebook.__file__).parent / "page.css"
DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 (of our own making)


@pytest.fixture(scope="module")
def history(comparison):
    return comparison.histories["domestic-compute"]


def test_lines_have_the_colours_of_the_page():
    """Those of the light page; on the ninth they begin again, and 0 is the colour of the text."""
    light = CSS.read_text("utf-8").partition("@media")[0]
    told = dict(re.findall(r"--(ink|line-\d): (#[0-9a-f]{6});", light))

    assert [ink(slot) for slot in range(9)] == [
        told["ink"],
        *(told[f"line-{n}"] for n in range(1, 9)),
    ]
    assert ink(9) == ink(1)


def test_an_index_shows_its_last_level_and_its_marks(history):
    html = history._repr_html_()

    assert "合成数据 SYNTHETIC DATA" in html
    assert f"{history.variants['price'][-1]:.4f}" in html
    assert f"<td>{history.backtested.sum()}</td>" in html


def test_a_study_shows_where_its_pairs_stand(comparison):
    html = comparison._repr_html_()

    assert html.count("<tr>") == 1 + len(comparison.study.pairs)
    assert "SYNTHETIC DATA" in html


def test_a_study_says_which_of_its_lists_are_back_tested(comparison, single):
    before = "Back-tested before <time>2026-05-07</time>: North American"

    assert before in comparison._repr_html_()
    assert not single.backtested_before or "Back-tested before" in single._repr_html_()


def test_a_name_is_no_markup(history):
    definition = history.definition
    name = definition.name.model_copy(update={"en": "<script>x</script>", "zh": None})
    renamed = replace(history, definition=definition.model_copy(update={"name": name}))

    assert "<script" not in renamed._repr_html_() + renamed.plot()._repr_html_()
    assert parsed(renamed.plot().svg[0]).get("aria-label").endswith("<script>x</script>")


def test_what_is_printed_is_short(history, comparison):
    days = "2024-01-02 to 2026-08-21 SYNTHETIC DATA"
    assert repr(history) == f"<History of domestic-compute, {days}>"
    assert repr(comparison) == f"<Comparison of compute-diffusion, {days}>"
    assert repr(history.plot()) == "<Drawing of 1 figures>"


def strokes(svg):
    """Return the strokes of lines, without those of the key."""
    found = svg.findall(f"{SVG}path[@fill='none']")
    return [path for path in found if not path.get("d").endswith("h16")]


def test_every_variant_is_drawn_pale_where_it_is_back_tested(history):
    paths = strokes(parsed(history.plot().svg[0]))

    shades = [path.get("stroke") for path in paths]
    assert shades[::2] == [pale(colour) for colour in shades[1::2]]
    assert len(set(shades)) == 2 * len(history.variants)
    points = [path.get("d").count("L") + 1 for path in paths[:2]]
    assert points == [history.backtested.sum(), (~history.backtested).sum() + 1]


def test_a_study_draws_indices_pairs_and_ratio_lines(comparison, single):
    assert len(comparison.plot().svg) == 1 + 2 + 1
    assert len(single.plot().svg) == 1 + 1
    assert all("SYNTHETIC DATA" in svg for svg in comparison.plot().svg)


def test_lines_of_indices_are_those_of_the_page(comparison):
    """One begins late: all are 100 on the first session they share, and not each on its own."""
    level = comparison.aligned.level.copy()
    level[:10, 2] = np.nan
    late = replace(comparison, aligned=replace(comparison.aligned, level=level))
    shown = {}
    for line in notebook._indices(late)["lines"]:
        shown |= {(line["label"], t): v for t, v in zip(line["rows"], line["values"], strict=True)}
    drawn = {
        (bilingual(late.histories[id].definition.name), t): value
        for id, line in zip(late.aligned.ids, index_figure(late)["lines"], strict=True)
        for t, value in zip(line["rows"], line["values"], strict=True)
        if value is not None
    }

    assert {value for (_, t), value in drawn.items() if t == 10} == {100.0}
    assert {key: np.round(value, 2) for key, value in shown.items()} == drawn


def test_a_state_is_shaded_where_it_was(comparison):
    expected = bands(comparison.states[0])
    shades = parsed(comparison.plot().svg[1]).findall(f"{SVG}rect")

    assert [shade.findtext(f"{SVG}title") for shade in shades] == [b[2] for b in expected]


def test_a_line_is_where_its_values_are():
    """Bounds −1 and 1: 0 is halfway up, the first row at the left end, nothing at the gap."""
    line = {"label": "x", "rows": [0, 1, 2, 3], "values": [0.0, 1.0, None, -1.0], "tested": 0,
            "slot": 1, "style": "solid"}  # fmt: skip
    figure = {"title": "t", "lines": [line], "bands": [], "bounds": [-1, 1]}
    days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    (path,) = strokes(parsed(drawing([figure], days, "").svg[0]))

    assert path.get("d") == "M60.0 157.0L320.0 49.0M840.0 265.0"


def drawn(values, label="x", title="t"):
    line = {"label": label, "rows": [0, 1], "values": values, "tested": 0, "slot": 1,
            "style": "solid"}  # fmt: skip
    figure = {"title": title, "lines": [line, line, line], "bands": [], "bounds": None}
    return parsed(drawing([figure], ["2024-01-02", "2024-01-03"], "").svg[0])


@pytest.mark.parametrize("values", [[5.0, 5.0], [-2.0, 3.0], [None, None], [0.0, 0.0]])
def test_a_line_that_stands_still_or_is_negative_is_drawn(values):
    svg = drawn(values)

    assert not any("nan" in str(found.attrib) for found in svg.iter())
    assert np.isfinite([float(e.get("y", 0)) for e in svg]).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([61.0, 330.0], ["70", "100", "150", "200", "300"]),
        ([4000.0, 9e6], ["10000", "30000", "100000", "300000", "1000000", "3000000"]),
        ([-2.0, 3.0], ["-2", "-1", "0", "1", "2", "3"]),
        ([100.2, 101.9], None),
    ],
)
def test_a_scale_tells_round_values(values, expected):
    told = [e.text for e in drawn(values).findall(f"{SVG}text[@text-anchor='end']")][:-1]

    assert 3 <= len(told) <= 9
    assert expected is None or told == expected


@pytest.mark.parametrize(("tested", "told"), [(0, 0), (1, 1)])
def test_what_pale_means_is_told_where_it_is_used(tested, told):
    line = {"label": "x", "rows": [0, 1], "values": [1.0, 2.0], "tested": tested, "slot": 1,
            "style": "solid"}  # fmt: skip
    figure = {"title": "t", "lines": [line], "bands": [], "bounds": None}
    svg = drawing([figure], ["2024-01-02", "2024-01-03"], "").svg[0]

    assert svg.count("pale: back-tested") == told


def test_names_that_do_not_fit_go_on_in_another_row():
    svg = drawn([1.0, 2.0], label="北美算力链 North American Compute Chain " * 2, title="t " * 200)
    rows = [float(e.get("y")) for e in svg.iter(f"{SVG}text") if e.get("fill")]
    scale = [float(e.get("y")) for e in svg.iter(f"{SVG}text") if e.get("text-anchor")]

    assert len(set(rows)) == 3
    assert max(rows) < min(scale)


def test_the_example_notebook_runs_and_shows_what_it_shows(monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    kept = nbformat.read(DOCS / "example.ipynb", as_version=4)
    made = nbformat.read(DOCS / "example.ipynb", as_version=4)
    where = {"metadata": {"path": str(DOCS)}}
    nbclient.NotebookClient(made, timeout=300, resources=where).execute()
    code = [n for n, cell in enumerate(kept.cells) if cell.cell_type == "code"]

    for n in code[1:]:
        assert made.cells[n].outputs[0].data == kept.cells[n].outputs[0].data, kept.cells[n].source


def test_states_have_the_shades_of_the_page():
    light = CSS.read_text("utf-8").partition("@media")[0]

    assert list(SHADES) == list(BANDS)
    assert all(f"--{key}: {shade.pale};" in light for key, shade in SHADES.items())
