"""Workbooks hold the tables' numbers as numbers and text as text, marked on every sheet."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import numpy as np
import openpyxl
import polars as pl
import pytest

from indexer.report import sheets
from indexer.report.drawing import ink, pale
from indexer.report.headings import SIGNALS, TABS
from indexer.report.marks import index_marks, study_marks
from indexer.report.record import Record
from indexer.report.words import named
from indexer.report.workbook import (
    _SHEETS,
    _states,
    _tab_of,
    constituents,
    index_workbook,
    study_workbook,
)
from indexer.run.entries import index_candidate
from indexer.words import same
from tests.report.conftest import figures_of

RECORD = Record(7, "2026-08-21", 2, "2026-08-22T10:00:00.000000Z", None, "c0ffee" * 10)
RECORD_DAY = datetime(2026, 8, 21)  # noqa: DTZ001 (Excel knows no zones)
NASTY = ("=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "{=1+1}", "https://example.org", "-2+3")


@pytest.fixture(scope="module")
def content(comparison):
    return study_workbook(comparison, RECORD)


@pytest.fixture(scope="module")
def book(content):
    return opened(content)


@pytest.fixture(scope="module")
def history(comparison):
    return comparison.histories["domestic-compute"]


@pytest.fixture(scope="module")
def index_book(history):
    return opened(index_workbook(history))


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def table(sheet, heads):
    """Return the rows below the English headings of a sheet, dates as dates."""
    rows = list(sheet.iter_rows(values_only=True))
    at = next(n for n, row in enumerate(rows) if row[: len(heads)] == heads)
    return [
        tuple(cell.date() if hasattr(cell, "date") else cell for cell in row)
        for row in rows[at + 1 :]
    ]


def heads_of(rows):
    """Yield the headings of each column of the tables of a sheet, in Chinese and in English."""
    for above, row in pairwise(rows):
        if row[0] in ("Date", "Leader", "Index", "Symbol", "Effective", "Window"):
            yield from zip(above, filter(None, row), strict=False)


def test_sheets_stand_in_reading_order(book):
    first = ["摘要 Summary", "图表 Charts", "指数点位 Levels", "相对强弱 Relative strength"]
    assert book.sheetnames[:4] == first
    assert book.sheetnames[-1] == "数据说明 Data and caveats"


def test_tabs_are_in_chinese_and_english(book, index_book):
    named = re.compile("[\u4e00-\u9fff]+ [A-Z][a-z ]+")
    assert [
        name for name in book.sheetnames + index_book.sheetnames if not named.fullmatch(name)
    ] == []


def test_every_tab_has_room_in_excel_numbered_too():
    assert max(len(f"{name} 99") for name in TABS.values()) <= 31
    assert len(set(TABS.values())) == len(TABS)


def test_every_column_has_a_chinese_and_an_english_heading(book, index_book):
    """A ratio line of the rotation is called the same in both."""
    for sheet in [*book.worksheets, *index_book.worksheets]:
        rows = list(sheet.iter_rows(values_only=True))
        for zh, en in heads_of(rows):
            assert re.search("[\u4e00-\u9fff]", zh) or " = 100" in zh or zh.startswith("RS-"), sheet
            assert en.isascii()


def test_every_sheet_says_what_it_is_of(book):
    for sheet in book.worksheets:
        head = " ".join(str(row[0]) for row in sheet.iter_rows(max_row=10, values_only=True))
        assert "合成数据" in head, sheet.title
        assert "SYNTHETIC DATA" in head
        assert "2026-08-21" in head
        assert "数据来源 Data source: seeds/generate.py" in head
        assert "第2版 Revision 2" in head
        assert "c0ffeec0ffee" in head
        assert "回测" in head


def test_what_was_asked_as_of_no_instant_is_in_force_now(history):
    told = [text for _, text in index_marks(history, RECORD)]

    assert any("· 现行 In force now ·" in text for text in told)


def test_what_was_asked_as_of_an_instant_says_which(history):
    told = " ".join(
        text for _, text in index_marks(history, replace(RECORD, known_at="2026-08-23"))
    )

    assert "· 查询时点 As known at 2026-08-23 ·" in told
    assert "In force now" not in told


def test_every_sheet_says_which_contributions_are_none_of_what_was_published(history):
    record = replace(RECORD, differing=("2026-03-04", "2026-03-06"))
    told = " ".join(text for _, text in index_marks(history, record))

    assert "2 个交易日（2026-03-04至2026-03-06）的点位为已发布值，贡献为现在计算的数值" in told
    assert (
        "2 sessions (2026-03-04 to 2026-03-06) are as published, contributions as calculated"
        in (told)
    )


def test_every_sheet_of_a_study_says_that_states_are_none_of_what_was_published(comparison):
    record = replace(RECORD, differing=("2026-03-04",))
    told = " ".join(text for _, text in study_marks(comparison, record))

    assert "1 个交易日（2026-03-04）的点位与信号为已发布值，状态等其余各项为现在计算的数值" in told
    assert (
        "Levels and signals of 1 session (2026-03-04) are as published, states and all else as "
        "calculated now" in told
    )


def test_a_calculation_says_that_it_was_not_published(index_book):
    assert "Not published" in str(index_book["摘要 Summary"]["A5"].value)


def test_states_are_those_of_the_table(book, comparison):
    heads = ("Date", "Leader", "Follower", "State", "Kind")
    found = [row[:9] for row in table(book["状态 States"], heads)]

    assert found == comparison.state_table.rows()


@pytest.mark.parametrize(
    ("sheet", "name"),
    [
        ("区间 Intervals", "interval_table"),
        ("领先滞后 Lead and lag", "leadlag_table"),
        ("阶段 Episodes", "episode_table"),
    ],
)
def test_a_long_table_is_the_same_to_the_last_digit(book, comparison, sheet, name):
    expected = getattr(comparison, name)
    heads = tuple(cell.replace("_", " ").capitalize() for cell in expected.columns[:3])

    assert [row[: expected.width] for row in table(book[sheet], heads)] == expected.rows()


def test_levels_are_the_same_to_the_last_digit(book, comparison):
    rows = table(book["指数点位 Levels"], ("Date", "Level"))
    ids = comparison.aligned.ids
    found = {
        (row[0], id): cell
        for row in rows
        for id, cell in zip(ids, row[1:], strict=False)
        if cell is not None
    }

    assert found == {(day, id): level for day, id, level, *_ in comparison.levels.rows()}


def test_index_tables_are_the_same_to_the_last_digit(index_book, history):
    count = len(history.variants)
    found = table(index_book["指数点位 Levels"], ("Date",))
    price = history.levels.filter(pl.col("variant") == "price")
    beside = price.select("divisor", "market_value", "carried", "backtested").rows()

    assert [row[0] for row in found] == price["date"].to_list()
    assert [cell for row in found for cell in row[1 : 1 + count]] == history.levels[
        "level"
    ].to_list()
    assert [row[1 + count :] for row in found] == beside
    assert (
        table(index_book["贡献 Contributions"], ("Date", "Symbol")) == history.contributions.rows()
    )
    assert table(index_book["权重 Weights"], ("Effective",)) == history.weights.rows()


def test_the_constituents_add_up(history):
    found = constituents(history)

    assert found["weight"].sum() == pytest.approx(1)
    assert found.height == int((history.shares[-1] > 0).sum())
    assert found["carried_price"].sum() == history.carried[-1]


def test_weights_are_those_that_are_published_to_the_last_digit(history):
    published = index_candidate(history).content(len(history.days) - 1)["constituents"]

    assert constituents(history)["weight"].to_list() == [row[5] for row in published]


def test_a_back_tested_value_is_pale(book, comparison):
    sheet = book["指数点位 Levels"]
    first = next(n for n, row in enumerate(sheet.iter_rows(values_only=True)) if row[0] == "Date")
    cells = (sheet.cell(first + 2, 2), sheet.cell(sheet.max_row, 2))

    assert comparison.aligned.backtested[[0, -1], 0].tolist() == [True, False]
    assert [bool(cell.font.italic) for cell in cells] == [True, False]


def test_a_figure_of_the_summary_is_pale_while_its_signal_is_back_tested(book, comparison):
    """Windows of 20 and 60 rows have left those levels behind, that of 120 and z have not."""
    pale = [
        {bool(cell.font.italic) for cell in row if isinstance(cell.value, float)}
        for row in book["摘要 Summary"].iter_rows()
    ]

    of_pairs, of_windows = [{True}] * len(comparison.states), [{False}, {False}, {True}]
    assert [found for found in pale if found] == of_pairs + of_windows


def test_leads_and_lags_are_pale_where_a_row_of_their_pair_is_back_tested(book):
    rows = table(book["领先滞后 Lead and lag"], ("Leader", "Follower", "Lag"))

    assert {row[-1] for row in rows} == {True}


def test_the_summary_of_an_index_says_of_which_variant_it_is(index_book):
    cells = index_book["摘要 Summary"].iter_rows(max_col=2, values_only=True)

    assert dict(cells)["口径 Variant"] == "价格 price"


def test_a_figure_of_an_index_is_pale_where_it_rests_on_back_tested_levels(index_book):
    cells = [(row[0].value, row[1]) for row in index_book["摘要 Summary"].iter_rows(max_col=2)]
    pale = [name.split(" ", 1)[1] for name, cell in cells if cell.font.italic]

    assert pale == ["First level", "Return", "Volatility, a year", "Maximum drawdown"]


def test_a_state_is_pale_while_its_z_score_is_back_tested(comparison):
    """Where nothing is, none is: not before there is a z-score, and on no holiday of one side."""
    live = [replace(s, backtested=np.zeros_like(s.backtested)) for s in comparison.signals]

    assert _states(comparison)["backtested"].any()
    assert _states(comparison).drop("backtested").equals(comparison.state_table)
    assert not _states(replace(comparison, signals=tuple(live)))["backtested"].any()


def test_words_of_tables_stand_there_in_chinese_too(book):
    called = {
        "状态 States": ("State", "State, in Chinese", {"neutral": "中性", "stretched": "拉大"}),
        "阶段 Episodes": ("Kind", "Kind, in Chinese", {"leader fall": "领先指数回落"}),
        "区间 Intervals": ("Interval", "Interval, in Chinese", {"rows_5": "5期"}),
    }
    for name, (head, beside, words) in called.items():
        rows = list(book[name].iter_rows(values_only=True))
        heads = next(row for row in rows if head in row)
        pairs = {(row[heads.index(head)], row[heads.index(beside)]) for row in rows}
        assert pairs >= set(words.items())


def test_headings_stay_in_sight_and_can_be_filtered(book):
    sheet = book["状态 States"]

    row = next(cell.row for cell in sheet["A"] if cell.value == "Date")

    assert sheet.freeze_panes == f"B{row + 1}"
    assert sheet.auto_filter.ref == f"A{row}:L{sheet.max_row}"
    assert sheet.cell(row + 1, 1).number_format == "yyyy-mm-dd"


def charts(content):
    """Return the text of each chart of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(n for n in archive.namelist() if n.startswith("xl/charts/chart"))
        return [archive.read(name).decode() for name in names]


def test_charts_are_native_and_marked(content):
    found = charts(content)

    assert len(found) == 8
    assert all("合成数据 SYNTHETIC" in text and "<c:scatterChart>" in text for text in found)
    assert any("共用分子零假设值" in text for text in found)


def titles(content):
    """Return the title of each chart of a workbook."""
    found = [re.search(r"<c:title>.*?</c:title>", text, re.DOTALL)[0] for text in charts(content)]
    return ["".join(re.findall(r"<a:t>(.*?)</a:t>", title)) for title in found]


def test_the_title_of_a_chart_with_a_back_tested_line_says_so(content):
    assert all(title.endswith("浅色为回测 pale: back-tested") for title in titles(content))


def test_the_title_of_a_chart_without_a_back_tested_line_does_not(comparison):
    live = index_workbook(comparison.histories["hang-seng-tech"])

    assert not any("back-tested" in title for title in titles(live))


def test_both_measures_of_the_gap_are_drawn_under_the_names_of_their_signals(content):
    told = [title for title in titles(content) if "Gap" in title]

    assert [re.search(r"gap\w*", title)[0] for title in told] == ["gap", "gap_z"]


def test_correlations_are_drawn_between_their_bounds(content):
    drawn = zip(charts(content), titles(content), strict=True)
    correlations = [chart for chart, title in drawn if "相关" in title]
    for chart in correlations:
        _, y = re.findall(r"<c:valAx>.*?</c:valAx>", chart, re.DOTALL)
        bounds = {n: re.search(f'<c:{n} val="(.*?)"', y)[1] for n in ("min", "max", "majorUnit")}
        assert bounds == {"min": "-1", "max": "1", "majorUnit": "0.5"}
    assert len(correlations) == 2


def test_names_in_charts_are_in_both_languages(content):
    levels, strength, _, ratios, *_ = charts(content)

    assert "Domestic Compute Chain 国产算力链" in levels
    assert "拉大 stretched" in strength
    assert "共用分子零假设值 60 Ratio null 60" in ratios


def test_a_chart_draws_an_index_and_a_pair_in_the_colour_of_the_page(comparison, content):
    """Of a pair it is the follower's; of the breadth of a basket that of its index."""
    page = {f["id"]: f for f in figures_of(comparison)}
    slots = {line["label"]: line["slot"] for line in page["indices"]["lines"]}
    levels, _, _, _, correlation, *_, breadth = charts(content)
    follower = comparison.study.pairs[0].follower
    name = named(comparison.histories[follower].definition.name)
    found = [colours(chart, name.zh) for chart in (levels, correlation, breadth)]

    assert found == [{ink(slots[name])}] * 3


def colours(chart, name):
    """Return the colours of the lines of a chart whose names end so, but for the pale ones."""
    found = re.findall(r"<c:ser>.*?<c:v>(.*?)</c:v>.*?<a:srgbClr val=\"(.*?)\"", chart, re.DOTALL)
    return {f"#{colour.lower()}" for label, colour in found if label.endswith(name)} & {
        ink(slot) for slot in range(9)
    }


def test_the_back_tested_stretch_of_a_line_is_drawn_by_itself(comparison, content):
    text = charts(content)[0]

    assert pale(ink(1)).removeprefix("#").upper() in text
    assert text.count("<c:ser>") == len(comparison.aligned.ids) + 2


def test_a_study_of_one_pair_has_no_sheet_of_ratio_lines(single):
    assert TABS["ratios"] not in opened(study_workbook(single)).sheetnames


def test_the_same_makes_the_same_bytes(history):
    assert index_workbook(history, RECORD) == index_workbook(history, RECORD)


@pytest.mark.attack("C1")
def test_names_stay_text(comparison):
    study, named = comparison.study, dict(comparison.histories)
    for id, name in zip(named, NASTY, strict=False):
        definition = named[id].definition
        renamed = definition.model_copy(
            update={"name": definition.name.model_copy(update={"en": name, "zh": name})}
        )
        named[id] = replace(named[id], definition=renamed, warnings=tuple(map(same, NASTY)))
    changed = replace(comparison, histories=named, study=study, warnings=tuple(map(same, NASTY)))
    content = study_workbook(changed)
    cells = [c for s in opened(content).worksheets for row in s.iter_rows() for c in row]

    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert {cell.value for cell in cells} >= set(NASTY)
    assert not any("<c:f>cmd" in text for text in charts(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not [name for name in archive.namelist() if "externalLink" in name]


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 1e-300, 123456789.12345679, -0.0])
def test_a_number_reads_back_to_the_same_double(value):
    book = sheets.new_book("x", RECORD_DAY, ())
    sheets.add_table(book, "s", "s", [sheets.Column("数", "n", [value], "log")])

    assert opened(sheets.finished(book))["s"]["A6"].value == value


def test_of_more_rows_than_a_sheet_has_the_last_are_kept_and_it_says_so(monkeypatch):
    monkeypatch.setattr(sheets, "ROWS", 20)
    book = sheets.new_book("x", RECORD_DAY, ())
    sheets.add_table(book, "s", "s", [sheets.Column("数", "n", list(range(100)), "count")])
    rows = [row[0] for row in opened(sheets.finished(book))["s"].iter_rows(values_only=True)]

    assert len(rows) <= 20
    assert rows[-1] == 99
    assert "rows of 100: CSV has all" in rows[1]
    assert rows[5] == 100 - len(rows[5:])


def test_sheets_of_one_name_are_numbered():
    book = sheets.new_book("x", RECORD_DAY, ())
    names = [sheets.add_sheet(book, "相关性", "")[0].name for _ in range(3)]

    assert names == ["相关性", "相关性 2", "相关性 3"]


def test_text_too_long_for_a_cell_goes_on_below():
    book = sheets.new_book("x", RECORD_DAY, ())
    sheet, row = sheets.add_sheet(book, "s", "")
    sheets.write_lines(book, sheet, row, ["x" * 40_000])
    cells = [row[0] for row in opened(sheets.finished(book))["s"].iter_rows(values_only=True)]

    assert "".join(filter(None, cells)) == "x" * 40_000


def test_every_signal_has_a_heading_of_its_own_in_both_languages(comparison):
    """Divergence stands in studies with an overlay."""
    names = {signal.name for signal in comparison.signals} | {"divergence"}

    assert names <= set(SIGNALS)
    assert all(zh != name for name, (zh, _) in SIGNALS.items())


def test_every_signal_has_a_sheet_that_is_called_for_it(comparison):
    """Divergence stands in studies with an overlay."""
    signals = {signal.name: signal for signal in comparison.signals}
    divergence = replace(signals["gap"], name="divergence")

    assert {_tab_of(signal) for signal in [*signals.values(), divergence]} == set(_SHEETS)


def test_who_is_carried_is_counted_beside_the_breadth(book):
    rows = list(book["市场宽度 Breadth"].iter_rows())
    at = next(n for n, row in enumerate(rows) if row[0].value == "Date")
    columns = [n for n, cell in enumerate(rows[at]) if cell.value == "Carried"]

    assert {rows[at - 1][n].value for n in columns} == {"沿用旧价数"}
    assert {rows[at + 1][n].number_format for n in columns} == {"0"}
    assert len(columns) == 2


def test_members_of_a_mean_correlation_are_counted_beside_it(book):
    """One of the 47 was halted in the window."""
    rows = list(book["市场宽度 Breadth"].iter_rows(values_only=True))
    heads = next(row for row in rows if row[0] == "Date")
    at = heads.index("Mean pair correlation 60")
    row = next(row for row in rows if row[0] == RECORD_DAY)

    assert heads[at + 1 : at + 3] == ("Members counted", "Members")
    assert row[at + 1 : at + 3] == (46, 47)


def test_carried_constituents_are_told_of_those_that_are_held(history):
    """One of its lines is not held any more."""
    shares, carried = history.shares.copy(), history.carried.copy()
    shares[-1, np.flatnonzero(shares[-1] > 0)[0]], carried[-1] = 0.0, 1
    found = replace(history, shares=shares, carried=carried)
    content = opened(index_workbook(found))
    told = {row[0]: row[1] for row in content["摘要 Summary"].iter_rows(values_only=True) if row[0]}
    held = int((shares[-1] > 0).sum())

    assert told["成分股数 Constituents"] == held
    assert any(f"{found.definition.id} 1 / {held}" in str(key) for key in told)
