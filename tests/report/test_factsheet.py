"""The page of an index: its numbers are those of its files, and it says what it rests on."""

import re
from dataclasses import replace

import numpy as np
import pytest

from indexer.index.history import History
from indexer.index.positions import positions
from indexer.report.backtested import NOTE
from indexer.report.factsheet import _numbers, index_page
from indexer.report.members import constituent_table
from indexer.report.record import Record
from indexer.signals.result import Comparison
from tests.report.reading import lines_of
from tests.report.test_backtested import rows_of
from tests.report.test_page import Page, english

RECORD = Record(12, "2026-08-21", 2, "2026-08-22T10:00:00.000000Z", None, "ab" * 32)


@pytest.fixture(scope="module")
def history(comparison: Comparison) -> History:
    return comparison.histories["north-america-compute"]


def test_the_page_has_the_last_level_of_every_variant(history: History) -> None:
    text = english(index_page(history))
    for level in history.variants.values():
        assert f"{level[-1]:,.4f}" in text


def test_what_the_index_is_stands_in_chinese_too(history: History) -> None:
    about = history.definition.description

    assert about is not None
    assert about.zh is not None
    assert about.zh in index_page(history)


def test_a_list_chosen_afterwards_is_told_with_its_sessions_and_no_other(history: History) -> None:
    definition = history.definition.model_copy(update={"selected_on": history.days[3].item()})
    later = english(index_page(replace(history, definition=definition)))
    definition = history.definition.model_copy(update={"selected_on": history.days[0].item()})

    assert f"selected on {history.days[3]}: the 3 sessions before that day" in later
    assert "Back-tested list" not in english(index_page(replace(history, definition=definition)))


def test_moves_are_those_of_the_levels(history: History) -> None:
    level = history.variants["price"]
    moves = [level[-1] / level[-1 - n] - 1 for n in (1, 5, 20, 60, 250)]
    told = " ".join(f"{100 * move:+.1f}%" for move in moves).replace("-", "−")
    assert told in english(index_page(history))


def test_where_there_is_no_figure_there_is_a_dash_alone(history: History) -> None:
    short = replace(
        history,
        days=history.days[:2],
        variants={name: level[:2] for name, level in history.variants.items()},
    )
    assert "–%" not in _numbers(short)


def test_a_figure_over_back_tested_levels_is_marked(history: History) -> None:
    """The list was chosen 77 sessions ago: 60 of them reach no further, 250 do."""
    (row, *_) = rows_of(_numbers(history))
    level, *moves, volatility, drawdown = row[1:]
    assert not level.endswith("*")
    assert [move.endswith("*") for move in moves] == [False] * 4 + [True] * 3
    assert volatility.endswith("*")
    assert drawdown.endswith("*")
    assert NOTE.en in _numbers(history)


def test_a_figure_that_begins_on_a_back_tested_level_is_marked(history: History) -> None:
    chosen = {"selected_on": history.days[-5].item()}
    definition = history.definition.model_copy(update=chosen)
    (row, *_) = rows_of(_numbers(replace(history, definition=definition)))
    assert [cell.endswith("*") for cell in row[2:5]] == [False, True, True]


def test_the_year_to_date_starts_at_the_last_close_of_the_year_before(history: History) -> None:
    level = history.variants["price"]
    last = int(np.flatnonzero(history.days < np.datetime64("2026-01-01"))[-1])
    told = f"{100 * (level[-1] / level[last] - 1):+.1f}%*".replace("-", "−")
    assert f"+127.9%* {told}" in english(index_page(history))


def test_drawn_levels_are_those_of_the_history_to_the_printed_digit(history: History) -> None:
    content = Page(index_page(history)).figures
    lines = lines_of(content, *content["figures"])
    for line, level in zip(lines, history.variants.values(), strict=True):
        assert line["values"] == np.round(level, 4).tolist()
    assert content["figures"][0]["lines"][0]["tested"] == int(history.backtested.sum())


def test_the_heaviest_stand_first_and_all_of_them_below(history: History) -> None:
    page = index_page(history)
    assert history.panel is not None
    worth = np.nan_to_num(history.shares[-1] * history.panel.worth[-1])
    heaviest = history.symbols[int(worth.argmax())]
    rows = re.findall(r'<th scope="row">(\d{6}\.S[HZ])', page)
    assert rows[0] == heaviest
    assert len(rows) == 10 + 47
    assert f"{100 * worth.max() / worth.sum():.2f}%" in page


def test_a_close_is_told_in_the_currency_it_is_traded_in(history: History) -> None:
    closes = {one.symbol: f"{one.close:.2f} {one.currency}" for one in positions(history, -1)}
    rows = rows_of(constituent_table(history))

    assert {row[0].split()[0]: row[4] for row in rows} == closes


def test_weights_shown_add_up(history: History) -> None:
    details = index_page(history).partition("<details>")[2]
    weights = re.findall(r'data-en="Weight"[^>]*>([\d.]+)%', details)
    assert sum(map(float, weights)) == pytest.approx(100, abs=0.3)


def test_a_published_page_says_which_entry_it_shows(history: History) -> None:
    text = english(index_page(history, RECORD))
    assert "revision 2 of the session of 2026-08-21 (entry 12, content abababababab)" in text
    assert "in force now" in text
    earlier = replace(RECORD, known_at="2026-08-23T00:00:00.000000Z")
    assert "in force as known at 2026-08-23" in english(index_page(history, earlier))


def test_recent_contributions_that_are_none_of_what_was_published_are_told(
    history: History,
) -> None:
    """Of the three one is longer ago than contributions are added up."""
    days = history.days.astype(str)
    page = index_page(history, replace(RECORD, differing=(days[-21], days[-20], days[-18])))
    told = f"On 2 of the 20 sessions ({days[-20]} to {days[-18]}) the inputs of this entry give"
    assert told in english(page)
    assert f"20个交易日中有2个（{days[-20]}至{days[-18]}）按本记录的输入重算" in Page(page).text


def test_where_recent_contributions_are_those_published_nothing_is_said(history: History) -> None:
    record = replace(RECORD, differing=(str(history.days[-21]),))
    assert "as they are calculated now" not in english(index_page(history, record))


def test_charts_that_leave_the_page_say_what_they_are(history: History) -> None:
    english_stamp, chinese = Page(index_page(history, RECORD)).figures["stamp"]
    digest = history.definition.digest[:12]
    for told in ("2026-08-21", "r2", digest, history.market_digest[:12]):
        assert told in english_stamp
        assert told in chinese
    assert "SYNTHETIC DATA" in english_stamp
    assert "合成数据" in chinese
    assert "North American Compute Chain back-tested before 2026-05-07" in english_stamp


def test_where_the_data_are_from_is_told(history: History) -> None:
    assert "Data source seeds/generate.py with seed 20260507" in english(index_page(history))
    untold = replace(history, inputs=replace(history.inputs, source=""))
    assert "Data source –" in english(index_page(untold))


def test_a_ready_made_series_has_no_constituents(comparison: Comparison) -> None:
    text = english(index_page(comparison.histories["hang-seng-tech"]))
    assert "Constituent " not in text
    assert "A ready-made series of its provider's levels" in text


def test_carried_prices_are_marked(history: History) -> None:
    panel = history.panel
    assert panel is not None
    dated = panel.dated.copy()
    dated[-1, 3] = np.datetime64("2026-08-19")
    carried = replace(history, panel=replace(panel, dated=dated))
    assert "2026-08-19 (carried)" in english(index_page(carried))


def test_the_same_history_gives_the_same_page(history: History) -> None:
    assert index_page(history, RECORD) == index_page(history, RECORD)
