"""The pages in a real browser: drawn, silent, narrow, printed, and usable by everyone."""

import csv
import importlib.resources
import io
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from indexer.definitions.model import Name
from indexer.report.backtested import NOTE
from indexer.report.factsheet import index_page
from indexer.report.page import study_page
from indexer.report.published import FORMULA
from indexer.report.record import Record
from indexer.report.words import BANDS
from indexer.signals.result import Comparison
from indexer.words import Text
from tests.report.conftest import figures_of
from tests.report.test_grid import CELLS
from tests.report.test_grid import PAGE as SWEPT
from tests.report.test_page import HOSTILE, hostile

RECORD = Record(12, "2026-08-21", 2, "2026-08-22T10:00:00.000000Z", None, "ab" * 32)
FORMULAS = {"en": "=cmd|' /C calc'!A0", "zh": "＝1+1"}


def renamed(comparison: Comparison, name: dict[str, str]) -> Comparison:
    """Return a comparison of which all indices are called the same."""
    called = {"name": Name(**name)}
    histories = {
        id: replace(history, definition=history.definition.model_copy(update=called))
        for id, history in comparison.histories.items()
    }
    return replace(comparison, histories=histories)


@pytest.fixture(scope="module")
def files(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages as files: a study, the same with hostile names, an index, a sweep."""
    folder = tmp_path_factory.mktemp("pages")
    index = comparison.histories["domestic-compute"]
    warned = replace(index, warnings=(Text("Published since yesterday.", "昨日起发布。"),))
    described = comparison.histories["north-america-compute"]  # at length
    pages = {
        "study": study_page(comparison),
        "hostile": study_page(hostile(comparison)),
        "index": index_page(index),
        "published": index_page(warned, RECORD),
        "described": index_page(replace(described, warnings=warned.warnings), RECORD),
        "sweep": SWEPT,
        "formula": study_page(renamed(comparison, FORMULAS)),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


def opened(browser, file: Path, choice: str = "lang=en&theme=light", width: int = 1100):
    """Return a page that has been drawn, and what it said and asked for meanwhile."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(f"{file.as_uri()}#{choice}")
    page.wait_for_function("document.querySelectorAll('.chart svg').length > 0")
    return page, said


@pytest.fixture(scope="module")
def study(browser, files):
    """Return the page of the study, of which its readers change nothing."""
    page, _ = opened(browser, files["study"])
    return page


@pytest.mark.attack("C2")
@pytest.mark.parametrize("name", ["study", "hostile", "index", "sweep"])
def test_every_chart_is_drawn_without_a_word_or_a_request(browser, files, name, comparison):
    page, said = opened(browser, files[name])
    drawn = page.evaluate(
        "[...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('path').length)"
    )
    page.close()

    assert [line for line in said if not line.startswith("file:")] == []
    assert len(said) == 1
    assert len(drawn) == (1 if name in {"index", "sweep"} else len(figures_of(comparison)))
    assert min(drawn) >= 3  # of the sweep, a path a cell


@pytest.mark.parametrize("name", ["study", "index", "sweep"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_telephone_shows_all_of_its_width(browser, files, name, lang):
    page, _ = opened(browser, files[name], f"lang={lang}&theme=dark", width=360)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert width == 360


@pytest.mark.parametrize("name", ["study", "index"])
@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark&up=green")])
def test_axe_finds_no_serious_fault(browser, files, name, lang, theme):
    script = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js")
    page, _ = opened(browser, files[name], f"lang={lang}&theme={theme}")
    page.evaluate(script.read_text("utf-8"))
    told = "found.violations.map(v => [v.id, v.impact, v.nodes[0].html])"
    found = json.loads(page.evaluate(f"axe.run().then(found => JSON.stringify({told}))"))
    page.close()

    assert [v for v in found if v[1] in {"serious", "critical"}] == []


@pytest.mark.parametrize(("name", "most"), [("published", 1), ("described", 1), ("study", 10)])
def test_paper_holds_it(browser, files, name, most):
    page, _ = opened(browser, files[name])
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    page.close()

    assert 0 < len(re.findall(rb"/Type\s*/Page\b", printed)) <= most


@pytest.mark.parametrize("told", ["Pale lines, and figures with an asterisk", NOTE.en])
def test_paper_says_what_marks_mean(browser, files, told):
    page, _ = opened(browser, files["study"])
    page.emulate_media(media="print")
    shown = page.locator("p", has_text=told).first.is_visible()
    page.close()

    assert shown


def test_paper_does_not_say_what_to_drag(browser, files):
    page, _ = opened(browser, files["study"])
    page.emulate_media(media="print")
    shown = page.locator("p", has_text="Drag the bar below a chart").is_visible()
    page.close()

    assert not shown


def test_one_language_is_shown_at_a_time_and_the_choice_stands_in_the_address(browser, files):
    page, _ = opened(browser, files["study"])
    shown = "document.querySelector('h1').innerText"
    assert page.evaluate(shown) == "Compute diffusion"
    page.click("[data-set=lang][data-value=zh]")
    told = (page.evaluate(shown), page.evaluate("location.hash"), page.evaluate("document.title"))
    label = page.get_by_role("img", name=re.compile("^指数走势"))
    found = label.count()
    page.close()

    assert told[0] == "算力链扩散"
    assert "lang=zh" in told[1]
    assert found == 1


def test_red_is_up_unless_green_is_asked_for(browser, files):
    page, _ = opened(browser, files["index"])
    colour = "getComputedStyle(document.querySelector('td.up')).color"
    red = page.evaluate(colour)
    page.click("[data-set=up][data-value=green]")
    green = page.evaluate(colour)
    page.close()

    assert (red, green) == ("rgb(179, 32, 42)", "rgb(11, 107, 58)")


def downloaded(page, chart: str, kind: str) -> bytes:
    """Return the file that a chart gives out."""
    button = page.locator(f"#{chart} ~ .downloads button", has_text=kind).first
    with page.expect_download() as waiting:
        button.click()
    return Path(waiting.value.path()).read_bytes()


def test_a_chart_leaves_as_csv_with_its_numbers_and_what_they_are(study, comparison):
    text = downloaded(study, "indices", "CSV").decode("utf-8-sig")
    ((_, about), (stamp,), head, *rows) = csv.reader(io.StringIO(text))
    level = comparison.aligned.level[:, 0]

    assert about.startswith("Every index at 100 on")
    assert "SYNTHETIC DATA" in stamp
    assert head[:2] == ["date", "North American Compute Chain"]
    assert [row[0] for row in rows] == [str(day) for day in comparison.aligned.sessions]
    assert [float(row[1]) for row in rows] == pytest.approx(
        (100 * level / level[0]).tolist(), abs=5.1e-3
    )


def test_a_grid_leaves_with_every_figure_under_its_items(browser, files):
    page, _ = opened(browser, files["sweep"])
    text = downloaded(page, "map_0", "CSV").decode("utf-8-sig")
    page.close()
    (_, _, head, *rows) = csv.reader(io.StringIO(text))
    told = {(row[0], head[k]): row[k] for row in rows for k in (1, 2)}

    assert head == ["b", "x", "y"]
    assert told == {
        tuple(c.values.values()): "" if c.value is None else f"{c.value:g}" for c in CELLS
    }


@pytest.mark.parametrize("start", ["indices", "pair", "ratio", "gaps"])
def test_a_browser_reads_every_number_to_the_last_digit(study, comparison, start):
    figure = next(f for f in figures_of(comparison) if f["id"].startswith(start))
    text = downloaded(study, figure["id"], "CSV").decode("utf-8-sig")
    cells = {row[0]: row[1::2] for row in list(csv.reader(io.StringIO(text)))[3:]}
    sessions = [str(day) for day in comparison.aligned.sessions]

    for n, line in enumerate(line for line in figure["lines"] if line["button"]):
        found = {sessions[t]: v for t, v in zip(line["rows"], line["values"], strict=True)}
        shown = {day: float(row[n]) for day, row in cells.items() if row[n]}
        assert shown == {day: value for day, value in found.items() if value is not None}


def test_a_chart_leaves_as_a_picture_that_says_what_it_is(study):
    svg, png = (downloaded(study, "indices", kind) for kind in ("SVG", "PNG"))

    assert "SYNTHETIC DATA" in svg.decode()
    assert "as of 2026-08-21" in svg.decode()
    assert png.startswith(b"\x89PNG")


def said(svg: bytes) -> str:
    """Return the words of a picture without the breaks between its lines."""
    drawn = ElementTree.fromstring(svg)  # noqa: S314 (it is ours)
    return "".join("".join(drawn.itertext()).split())


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("start", ["pair", "ratio", "event"])
def test_a_picture_has_its_caption_in_the_language_shown(browser, files, comparison, lang, start):
    figure = next(f for f in figures_of(comparison) if f["id"].startswith(start))
    page, _ = opened(browser, files["study"], f"lang={lang}&theme=light")
    told = said(downloaded(page, figure["id"], "SVG"))
    page.close()

    assert "".join(getattr(figure["about"], lang).split()) in told


def test_a_picture_has_a_key_to_its_shades(study, comparison):
    figure = next(f for f in figures_of(comparison) if f["id"].startswith("pair"))
    told = said(downloaded(study, figure["id"], "SVG"))

    keys = {key for _, _, key in figure["bands"]}
    names = {key: "".join(name.en.split()) for key, name in BANDS.items()}
    assert {key for key, name in names.items() if name in told} == keys


def test_a_long_caption_in_chinese_is_broken_within_its_picture(browser, files, comparison):
    figure = next(f for f in figures_of(comparison) if f["id"].startswith("ratiolevels"))
    page, _ = opened(browser, files["study"], "lang=zh&theme=light")
    drawn = ElementTree.fromstring(downloaded(page, figure["id"], "SVG"))  # noqa: S314 (it is ours)
    page.close()
    words = ["".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text")]

    assert len(figure["about"].zh) > 92  # characters of 13 pixels across 1200
    assert max(sum(c > "\u2e80" for c in text) for text in words) <= 92


@pytest.mark.parametrize("kind", ["time", "rotation", "bars", "heat", "offsets"])
def test_a_picture_is_xml(study, comparison, kind):
    figure = next(f for f in figures_of(comparison) if f["kind"] == kind)
    drawn = ElementTree.fromstring(downloaded(study, figure["id"], "SVG"))  # noqa: S314 (it is ours)

    assert figure["title"].en.split()[0] in "".join(drawn.itertext())


@pytest.mark.parametrize("chart", ["rotation", "event_0"])
def test_a_name_is_hidden_in_charts_that_do_not_run_over_time(browser, files, chart):
    page, _ = opened(browser, files["study"])
    paths = f"document.querySelectorAll('#{chart} svg path').length"
    before = page.evaluate(paths)
    page.locator(f"figure:has(#{chart}) .legend button").first.click()
    page.wait_for_timeout(100)  # of a frame
    after = page.evaluate(paths)
    page.close()

    assert after < before


def test_the_mark_of_an_event_stays_when_its_first_name_is_hidden(browser, files):
    page, _ = opened(browser, files["study"])
    marks = "document.querySelectorAll('#event_0 path[stroke-dasharray]').length"
    before = page.evaluate(marks)
    page.locator("figure:has(#event_0) .legend button").first.click()
    page.wait_for_timeout(100)  # of a frame
    after = page.evaluate(marks)
    page.close()

    assert before == after == 1


def test_a_picture_of_one_line_of_several_says_which(browser, files):
    page, _ = opened(browser, files["study"])
    for button in page.locator("figure:has(#rotation) .legend button").all()[1:]:
        button.click()
    name = page.locator("figure:has(#rotation) .legend button").first.inner_text()
    svg = downloaded(page, "rotation", "SVG").decode()
    page.close()

    assert f">{name}<" in svg


def test_a_picture_names_every_line_it_shows_and_no_other(browser, files, comparison):
    labels = [
        line["label"].en
        for line in next(f for f in figures_of(comparison) if f["id"] == "breadth")["lines"]
    ]
    page, _ = opened(browser, files["study"])
    buttons = page.locator("figure:has(#breadth) .legend button")
    for button in buttons.element_handles()[1:]:
        if button.get_attribute("aria-pressed") == "false":
            button.click()
    buttons.first.click()
    svg = downloaded(page, "breadth", "SVG").decode()
    page.close()
    told = [label for label in labels if f">{label}<" in svg]

    assert told == labels[1:]


def test_names_stay_text_in_what_leaves(browser, files):
    page, _ = opened(browser, files["hostile"])
    text = downloaded(page, "indices", "CSV").decode("utf-8-sig")
    svg = downloaded(page, "indices", "SVG").decode()
    page.close()

    assert HOSTILE in next(csv.reader(io.StringIO(text.split("\r\n", 2)[2])))
    assert "<script" not in svg


def test_the_slider_sets_every_line_to_100_on_its_session(browser, files, comparison):
    page, _ = opened(browser, files["study"])
    page.locator(".base input").fill("100")
    text = downloaded(page, "indices", "CSV").decode("utf-8-sig")
    day = page.locator(".base output").inner_text()
    spoken = page.locator(".base input").get_attribute("aria-valuetext")
    page.close()
    rows = list(csv.reader(io.StringIO(text)))[3:]

    assert day == spoken == str(comparison.aligned.sessions[100])
    assert [float(row) for row in rows[100][1::2]] == pytest.approx([100.0] * 6)


@pytest.mark.parametrize(("lang", "told"), [("en", " (= 100 on {})"), ("zh", "（{} = 100）")])
def test_lines_set_to_100_elsewhere_leave_with_their_base_and_no_noise(
    browser, files, comparison, lang, told
):
    page, _ = opened(browser, files["study"], f"lang={lang}&theme=light")
    page.locator(".base input").fill("100")
    text = downloaded(page, "indices", "CSV").decode("utf-8-sig")
    page.close()
    ((title, _), *rows) = csv.reader(io.StringIO(text))
    numbers = [cell for row in rows[2:] for cell in row[1::2] if cell]

    assert title.endswith(told.format(comparison.aligned.sessions[100]))
    assert [cell for cell in numbers if not re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", cell)] == []


def test_the_band_of_leads_and_lags_stands_on_the_chart_as_it_is_in_the_table(study, comparison):
    figure = next(f for f in figures_of(comparison) if f["kind"] == "bars")
    told = study.locator(f"#{figure['id']} svg text").all_text_contents()

    assert f"{figure['band']:.3f}" in told


def test_the_band_of_leads_and_lags_is_told_clear_of_the_lags(browser, files, comparison):
    """On paper, where a chart is low."""
    figure = next(f for f in figures_of(comparison) if f["kind"] == "bars")
    page, _ = opened(browser, files["study"])
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    boxes = page.evaluate(
        """id => [...document.querySelectorAll(`#${id} svg text`)].map((text) => {
          const { left, right, top, bottom } = text.getBoundingClientRect();
          return [text.textContent, left, right, top, bottom];
        })""",
        figure["id"],
    )
    page.close()
    band = next(box for box in boxes if box[0] == f"−{figure['band']:.3f}")
    over = [
        text
        for text, left, right, top, bottom in boxes
        if text != band[0] and left < band[2] and right > band[1] and top < band[4] - 1
        and bottom > band[3] + 1
    ]  # fmt: skip

    assert over == []


def test_what_leads_is_marked_in_what_leaves_where_it_is_back_tested(study, comparison):
    figure = next(f for f in figures_of(comparison) if f["kind"] == "bars")
    text = downloaded(study, figure["id"], "CSV").decode("utf-8-sig")

    assert list(csv.reader(io.StringIO(text)))[2][1] == f"{figure['title'].en} (back-tested)"


TAIL = {
    "kind": "rotation", "digits": 2, "lines": [{
        "label": ["a", "a"], "slot": 1, "tested": 2, "days": [""] * 4,
        "x": [101, 102, 103, 104], "y": [101, 102, 103, 103.6],
    }],
}  # fmt: skip


def rotated(study):
    """Return how the tail above is drawn."""
    return study.evaluate(
        """figure => {
          const page = JSON.parse(document.getElementById("figures").textContent);
          const { series, xAxis } = charts.option(page, figure, { selected: {} });
          const strokes = series.filter(({ id }) => /^[0-9]/.test(id));
          return {
            strokes: strokes.map(
              ({ data, lineStyle: { width, color } }) => [data.length, width, color],
            ),
            ends: [xAxis.min, xAxis.max, xAxis.interval],
          };
        }""",
        TAIL,
    )


def test_the_trail_of_a_rotation_is_pale_where_it_is_back_tested(study):
    """Both strokes have the point at which they meet."""
    assert rotated(study)["strokes"] == [[2, 1, "rgba(84,145,200,1)"], [3, 2, "#0b62b0"]]


def test_a_rotation_ends_on_marks_of_its_axes(study):
    assert rotated(study)["ends"] == [94, 106, 2]


def test_bars_end_on_marks_of_their_axis(study):
    axis = study.evaluate(
        """() => {
          const figure = { kind: "bars", digits: 3, band: 0.118, x: [0, 1], y: [0.77, -0.05] };
          return charts.option({ words: { lag: ["", ""] } }, figure, { selected: {} }).yAxis;
        }"""
    )

    assert (axis["min"], axis["max"], axis["interval"]) == (-0.2, 0.8, 0.2)


@pytest.mark.parametrize("kind", ["rotation", "heat", "bars", "offsets", "time"])
def test_every_column_of_what_leaves_has_a_name(study, comparison, kind):
    figure = next(f for f in figures_of(comparison) if f["kind"] == kind)
    text = downloaded(study, figure["id"], "CSV").decode("utf-8-sig")

    assert all(list(csv.reader(io.StringIO(text)))[2])


def test_the_rotation_leaves_in_the_language_of_the_page(browser, files):
    page, _ = opened(browser, files["study"], "lang=zh&theme=light")
    text = downloaded(page, "rotation", "CSV").decode("utf-8-sig")
    page.close()

    assert list(csv.reader(io.StringIO(text)))[2][2:4] == ["相对强弱比率", "相对强弱动量"]


def test_an_address_given_to_a_page_that_is_open_is_followed(browser, files):
    page, _ = opened(browser, files["study"])
    page.evaluate("location.hash = 'lang=zh'")
    page.wait_for_function("document.documentElement.lang === 'zh'")
    told = page.locator("h1").inner_text()
    page.close()

    assert told == "算力链扩散"


def test_without_script_both_languages_say_so(browser, files):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(files["study"].as_uri())
    shown = page.locator("noscript [lang=zh-CN]").is_visible()
    context.close()

    assert shown


def test_a_level_that_rounds_to_nought_marks_no_log_axis(study):
    line = {"legend": ["", ""], "rows": [0, 1, 2], "shownValues": [0, 50, 100]}
    figure = {"lines": [line], "scale": "log", "marks": []}
    marks = study.evaluate(
        "figure => charts.inView(figure, {}, 0, 2).yAxis.axisLabel.customValues", figure
    )

    assert marks == [50 + 10 * k for k in range(12)]


def test_nothing_runs_through_the_label_of_a_mark(study):
    figure = {"lines": [], "scale": "value", "marks": [{"at": 1, "label": ["1", "1"]}]}
    label, paper = study.evaluate(
        """figure => [
          charts.inView(figure, {}, 0, 2).series.markLine.label, charts.colour("--paper"),
        ]""",
        figure,
    )

    assert label["backgroundColor"] == paper


def test_names_of_segments_under_a_heat_map_do_not_overlap(study):
    """Forty-seven segments of one constituent each, on a map of the width of the page."""
    figure = {
        "kind": "heat", "digits": 2, "symbols": [f"s{n}" for n in range(47)], "names": [],
        "segments": [f"segment {n}" for n in range(47)], "values": [],
    }  # fmt: skip
    named = study.evaluate(
        """figure => {
          const { axisLabel } = charts.option({}, figure, { room: [704, 608], selected: {} }).xAxis;
          return figure.symbols.map((_, n) => n).filter((n) => axisLabel.interval(n));
        }""",
        figure,
    )

    assert min(later - one for one, later in pairwise(named)) * (704 - 200) / 47 >= 20


@pytest.mark.parametrize("width", [800, 1100])
def test_words_of_two_characters_are_not_broken_into_lines(browser, files, width):
    page, _ = opened(browser, files["study"], "lang=zh&theme=light", width)
    high = page.evaluate(
        """[...document.querySelectorAll("td:last-child")].filter((one) => (
          /^[^ ]{2}\\*?$/.test(one.innerText) && one.offsetParent
        )).map((one) => {
          const range = document.createRange();
          range.selectNodeContents(one);
          return new Set([...range.getClientRects()].map(({ top }) => top)).size;
        })"""
    )
    page.close()

    assert high
    assert set(high) == {1}


def test_labels_of_marks_that_are_near_stand_below_one_another(study):
    marks = [{"at": at, "label": [str(at), str(at)]} for at in (90, 20, 10)]
    figure = {"lines": [], "scale": "value", "marks": marks}
    data = study.evaluate(
        "figure => charts.inView(figure, {}, 0, 100).series.markLine.data", figure
    )

    assert [(mark["xAxis"], mark["label"]["distance"]) for mark in data] == [
        (10, 3), (20, -11), (90, 3),
    ]  # fmt: skip


def test_the_band_of_leads_and_lags_is_told_to_the_digits_of_its_bars(study):
    told = study.evaluate(
        """() => {
          const figure = { kind: "bars", digits: 3, band: 0.125, x: [0], y: [0.5] };
          const { series } = charts.option({ words: { lag: ["", ""] } }, figure, { selected: {} });
          const { data, label } = series[0].markLine;
          return data.map(({ yAxis }) => label.formatter({ value: yAxis }));
        }"""
    )

    assert told == ["0.125", "−0.125"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_of_a_grid_is_read_on_any_cell(browser, files, theme):
    """By what WCAG 2.2 asks of text; of black and white one always reaches it."""
    page, _ = opened(browser, files["sweep"], f"lang=en&theme={theme}")
    figure = {
        "kind": "grid", "title": ["", ""], "digits": 2, "across": "", "rows": [""],
        "columns": [str(k) for k in range(41)],
        "cells": [[k, 0, (k - 20) / 20] for k in range(41)],
    }  # fmt: skip
    told = page.evaluate(
        """figure => {
          const how = { room: [4000, 400], selected: {} };
          const { visualMap, series } = charts.option({}, figure, how);
          return series[0].data.map(({ value, label }) => [
            echarts.color.lerp((value[2] + 1) / 2, visualMap.inRange.color), label.color,
          ].map((shade) => echarts.color.parse(shade)));
        }""",
        figure,
    )
    page.close()

    assert min(contrast(*pair) for pair in told) >= 4.5


def contrast(one: list[float], other: list[float]) -> float:
    """Return the contrast ratio of WCAG 2.2 between two colours."""
    linear = [
        [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shade]
        for shade in ([c / 255 for c in colour[:3]] for colour in (one, other))
    ]
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (high + 0.05) / (low + 0.05)


def test_an_interval_is_drawn_and_goes_with_its_line(browser, files):
    page, _ = opened(browser, files["study"])
    boxes = "document.querySelectorAll('[id^=ratio_].chart path[stroke-dasharray=\"4,3\"]').length"
    before = page.evaluate(boxes)
    page.locator("figure:has([id^=ratio_].chart) .legend button", has_text="60 rows").click()
    after = page.evaluate(boxes)
    page.close()

    assert (before, after) == (1, 0)


def test_a_name_is_hidden_and_shown_by_the_keyboard(browser, files):
    page, _ = opened(browser, files["study"])
    button = page.locator("figure:has(#indices) .legend button").first
    paths = "document.querySelectorAll('#indices path[stroke]').length"
    before = page.evaluate(paths)
    button.focus()
    page.keyboard.press("Enter")
    pressed, after = button.get_attribute("aria-pressed"), page.evaluate(paths)
    page.close()

    assert pressed == "false"
    assert after < before


SEEN = """id => {
    const { startValue, endValue } = echarts.getInstanceByDom(document.getElementById(id))
        .getOption().dataZoom[0];
    return [startValue, endValue];
}"""


def test_charts_are_zoomed_and_moved_by_the_keyboard_together(browser, files, comparison):
    page, _ = opened(browser, files["study"])
    end = len(comparison.aligned.sessions) - 1
    chart, other = (page.locator(".chart.time").nth(n).get_attribute("id") for n in (0, 1))
    page.locator(f"#{chart}").focus()
    found = {}
    for key in ("+", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight", "-", "Home", "-"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
        found.setdefault(key, []).append(tuple(page.evaluate(SEEN, chart)))
        assert page.evaluate(SEEN, other) == page.evaluate(SEEN, chart)
    page.close()
    by = round(end / 10)
    one = round((end - 2 * by) / 10)

    assert found["+"] == [(by, end - by)]
    assert found["ArrowLeft"] == [(by - one, end - by - one)]
    assert found["ArrowRight"] == [
        (by, end - by), (by + one, end - by + one), (2 * by, end)
    ]  # fmt: skip
    assert found["-"] == [(2 * by - one, end), (0, end)]
    assert found["Home"] == [(0, end)]


@pytest.mark.attack("C1")
@pytest.mark.parametrize(("lang", "name"), FORMULAS.items())
def test_no_text_of_a_chart_taken_away_is_a_formula(browser, files, lang, name):
    page, _ = opened(browser, files["formula"], f"lang={lang}&theme=light")
    text = downloaded(page, "indices", "CSV")
    page.close()
    cells = [cell for row in csv.reader(io.StringIO(text.decode("utf-8-sig"))) for cell in row]

    assert [cell for cell in cells if cell.startswith(f"'{name}")]
    assert not [cell for cell in cells if cell[:1] in FORMULA and not number(cell)]


def number(cell: str) -> bool:
    return re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell) is not None
