"""What rests on back-tested levels is marked where a figure stands, as in ``signals``."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import polars as pl
import pytest

from indexer.report import notebook
from indexer.report.answer import answers
from indexer.report.backtested import NOTE, pair_backtested
from indexer.report.figures import pair_figure, ratio_name
from indexer.report.shapes import event_figures, lead_lag_figures, rotation_figure
from indexer.report.tables import correlation_table, event_table, pair_table, ratio_table
from indexer.signals.result import Comparison
from indexer.signals.signal import after_last
from tests.report.conftest import figures_of

SIGNALS = {
    "Correlation of the ratio lines": "ratio_correlation",
    "Shared-leg null": "ratio_null",
    "Excess": "ratio_excess",
    "Partial correlation, given the leader": "partial_correlation",
    "p of excess and partial correlation": "ratio_excess",
    "Partial correlation, given the benchmark too": "partial_correlation_benchmark",
    "p of that": "partial_correlation_benchmark",
    "Correlation of the lines' levels": "level_correlation",
    "Null of the levels, median (5 to 95\N{NO-BREAK SPACE}%), p": "level_correlation",
    "returns": "correlation",
    "returns, by rank": "spearman",
    "levels": "level_correlation",
}


def rows_of(markup: str) -> list[list[str]]:
    """Return the English cells of the rows of a table."""
    rows = re.findall(r"<tr>(.*?)</tr>", markup)[1:]
    cells = [re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row) for row in rows]
    english = r'<span lang="en">(.*?)</span>'
    return [[unescape((re.findall(english, c) or [c])[0]) for c in row] for row in cells]


def flags(comparison: Comparison, name: str, ids: list[str]) -> list[bool]:
    """Return, by window, whether the last value of a signal is back-tested."""
    asked = dict(zip(("leader", "follower", "other"), [*ids, ""][:3], strict=True))
    told = comparison.table.filter(pl.col("date") == pl.col("date").max(), signal=name, **asked)
    return told.sort("window")["backtested"].to_list()


def test_correlations_are_marked_by_window(comparison: Comparison) -> None:
    found = rows_of(correlation_table(comparison, comparison.summary["pairs"]))
    for told in comparison.summary["pairs"]:
        ids = [told["leader"], told["follower"]]
        head = ratio_name(comparison, *ids).en
        own = [row for row in found if row[0].startswith(f"{head}: ")]
        assert len(own) == 3
        for name, *cells in own:
            signal = SIGNALS[name.removeprefix(f"{head}: ")]
            assert [cell.endswith("*") for cell in cells] == flags(comparison, signal, ids)
            assert {cell.endswith("*") for cell in cells} == {True, False}


def test_figures_of_ratio_lines_are_marked_by_window_and_a_p_like_what_it_is_of(
    comparison: Comparison,
) -> None:
    (told,) = comparison.summary["ratio_lines"]
    ids = [told[role] for role in ("leader", "follower", "other")]
    found = rows_of(ratio_table(comparison, told))
    assert [name for name, *_ in found] == list(SIGNALS)[: len(found)]
    for name, *cells in found:
        for cell, flag in zip(cells, flags(comparison, SIGNALS[name], ids), strict=True):
            assert cell.endswith("*") == (flag and cell != "–")


@pytest.mark.parametrize(("peak", "moved"), [("2026-05-06", True), ("2026-05-07", False)])
def test_moves_since_a_peak_that_is_back_tested_are(
    comparison: Comparison, peak: str, moved: bool
) -> None:
    """The lists were chosen on 7 May."""
    told = comparison.summary["pairs"][0] | {"peak_on": peak, "move_leader": -0.1}
    (row, *_) = rows_of(pair_table(comparison, [told]))
    assert row[5] == ("−9.5%*" if moved else "−9.5%")
    assert pair_backtested(comparison, told)["moves"] == moved


def test_what_an_asterisk_means_is_said_where_there_is_one(comparison: Comparison) -> None:
    pairs = comparison.summary["pairs"]
    live = replace(comparison, signals=tuple(map(never, comparison.signals)))
    assert NOTE.en in correlation_table(comparison, pairs)
    assert NOTE.en not in correlation_table(live, pairs)


def never(signal):
    return replace(signal, backtested=np.zeros_like(signal.backtested))


def test_an_answer_says_that_part_of_its_rows_is_back_tested(comparison: Comparison) -> None:
    """The window of ratio lines, 60 rows, has left them behind; that of z, 250 rows, has not."""
    lines, *pairs = answers(comparison, comparison.summary)
    assert "back-tested" not in lines.en
    assert all(text.en.endswith(" Part of the rows behind it is back-tested.") for text in pairs)
    assert all(text.zh.endswith("所依据的各期中有一部分为回测。") for text in pairs)


def test_relative_strength_is_drawn_pale_where_its_signal_is_back_tested(
    comparison: Comparison,
) -> None:
    """Its base is, and so all of it."""
    for pair, found in zip(comparison.states, comparison.pairs, strict=True):
        (line,) = pair_figure(comparison, pair, found)["lines"]
        signal = comparison.signal("relative_strength", *found.rows.ids)
        assert line["tested"] == after_last(signal.backtested) == len(line["rows"])


def test_relative_strength_is_pale_in_a_notebook_as_its_signal_is(comparison: Comparison) -> None:
    drawn = [figure["lines"][0] for figure in notebook._pairs(comparison)]
    assert [line["tested"] for line in drawn] == [len(line["rows"]) for line in drawn]


def test_leads_and_lags_are_back_tested_where_any_row_is(comparison: Comparison) -> None:
    tested = [figure["tested"] for figure in lead_lag_figures(comparison)]
    assert tested == [bool(pair.rows.backtested.any()) for pair in comparison.pairs] == [True] * 2


def test_a_chart_that_is_pale_says_why(comparison: Comparison) -> None:
    for figure in figures_of(comparison):
        tested = figure.get("tested", any(line["tested"] for line in figure.get("lines", ())))
        assert ("ack-tested" in figure["about"].en and "为回测" in figure["about"].zh) or not tested


def test_a_week_of_the_rotation_is_pale_while_it_is_back_tested(comparison: Comparison) -> None:
    for line in rotation_figure(comparison)["lines"]:
        assert 0 < line["tested"] <= len(line["days"])


def test_the_line_of_an_event_is_pale_where_it_is_back_tested(comparison: Comparison) -> None:
    lines = [line for figure in event_figures(comparison) for line in figure["lines"]]
    told = [row[-1] == "yes" for row in rows_of(event_table(comparison))]
    assert [line["tested"] for line in lines] == told
