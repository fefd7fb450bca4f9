"""What sources make together of payouts and counts, and what bars tell of a missing action."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from indexer.market.calendar import read_calendar
from indexer.market.sources.source import SCHEMAS, Answer, Ask, Reply, without_rows
from indexer.market.sources.verdict import Outcome, Verdict
from indexer.market.tables import TABLES
from indexer.run.payouts import agreed, says_none, unannounced

ON = date(2026, 11, 20)
SYMBOL = "600584.SH"
CALENDAR = read_calendar("XSHG")
DAYS = CALENDAR.between(date(2026, 8, 17), date(2026, 8, 21)).tolist()
CLOSES = [20.0, 20.4, 20.1, 19.9, 20.3]


def bars(closes: list[float] = CLOSES, days: list[date] = DAYS) -> pl.DataFrame:
    rows = {"symbol": [SYMBOL] * len(days), "date": days, "close": closes}
    return pl.DataFrame(rows, schema_overrides=TABLES["prices"].empty().schema)


def told(previous: list[float | None], closes: list[float] = CLOSES) -> Answer:
    """Return a source's bars, with what it calls the previous close of each."""
    frame = pl.DataFrame(
        {"symbol": [SYMBOL] * 5, "date": DAYS, "close": closes, "previous_close": previous},
        schema_overrides=SCHEMAS["prices"],
    )
    return Answer(Ask("prices", SYMBOL, DAYS[0], DAYS[-1], ON), "eastmoney", "ok", frame)


def actions(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"symbol": SYMBOL, **row} for row in rows], schema=TABLES["actions"].empty().schema
    )


def counts(day: date, total: float = 1e9) -> pl.DataFrame:
    row = {"symbol": SYMBOL, "date": day, "total_shares": total, "free_float_shares": 9e8}
    return pl.DataFrame([row], schema=TABLES["shares"].empty().schema)


PLAIN = [None, 20.0, 20.4, 20.1, 19.9]
RESTATED = [None, 20.0, 20.28, 20.1, 19.9]  # 0.12 were paid on the third day


@pytest.mark.parametrize(("status", "none"), [(200, True), (404, False)])
def test_only_a_reply_that_is_whole_says_that_there_were_no_actions(status, none):
    outcome: Outcome = "no_data_unexplained"
    reply = Reply("https://a", status, "digest", "2026-11-20T20:00:00+08:00")
    ask = Ask("actions", SYMBOL, DAYS[0], DAYS[-1], ON)
    answer = without_rows(ask, "cninfo", outcome, "no records", (reply,))

    assert says_none(answer, Verdict(outcome, actions(), (), ())) == none


def test_closes_that_are_called_what_they_were_tell_of_no_action():
    assert unannounced(bars(), [told(PLAIN)], actions(), CALENDAR) == ""


def test_a_close_that_is_restated_without_an_action_tells_that_one_is_missing():
    reason = unannounced(bars(), [told(RESTATED)], actions(), CALENDAR)

    assert "restates the close 20.4 before 2026-08-19 to 20.28, and no action does" in reason


@pytest.mark.parametrize(("off", "missing"), [(0.01, False), (-0.01, False), (-0.02, True)])
def test_a_close_is_restated_where_it_is_more_than_a_tick_off(off, missing):
    answer = told([None, 20.0, 20.4 + off, 20.1, 19.9])
    reason = unannounced(bars(), [answer], actions(), CALENDAR)

    assert ("no action does" in reason) == missing


def test_the_action_that_is_known_explains_it():
    paid = actions({"ex_date": DAYS[2], "kind": "dividend", "cash": 0.12})

    assert unannounced(bars(), [told(RESTATED)], paid, CALENDAR) == ""


def test_an_action_that_does_something_else_does_not():
    bonus = actions({"ex_date": DAYS[2], "kind": "bonus", "ratio": 0.12})

    reason = unannounced(bars(), [told(RESTATED)], bonus, CALENDAR)

    assert "the actions known of that date do not" in reason


@pytest.mark.parametrize(("off", "wrong"), [(0.004, False), (0.006, True)])
def test_an_amount_a_little_off_is_how_companies_with_own_shares_pay(off, wrong):
    """By less than half a hundredth of the close."""
    paid = actions({"ex_date": DAYS[2], "kind": "dividend", "cash": 0.12 + off * 20.4})
    reason = unannounced(bars(), [told(RESTATED)], paid, CALENDAR)

    assert ("the actions known of that date do not" in reason) == wrong


def test_a_source_with_closes_of_its_own_tells_nothing():
    other = told(RESTATED, [close + 1 for close in CLOSES])

    assert unannounced(bars(), [other], actions(), CALENDAR) == ""


def test_nothing_is_compared_across_a_session_without_a_bar():
    held = bars().filter(pl.col("date") != DAYS[1])

    assert unannounced(held, [told(RESTATED)], actions(), CALENDAR) == ""


@pytest.mark.parametrize("order", [("eastmoney", "cninfo"), ("cninfo", "eastmoney")])
def test_counts_that_two_sources_date_differently_hold_from_neither_date(order):
    replies = dict(zip(order, (counts(date(2015, 1, 5)), counts(date(2015, 1, 10))), strict=True))

    found = agreed("shares", replies, ON)

    assert found.rows.is_empty()
    assert sorted(found.refused["date"]) == [date(2015, 1, 5), date(2015, 1, 10)]
    assert str(found.disregarded[0]).endswith(
        f"{order[0]} from 2015-01-05 and {order[1]} from 2015-01-10 on: "
        "neither counts, ask a third source"
    )
    assert all(entry.refused for entry in found.disregarded)


def test_counts_that_one_source_repeats_are_its_own():
    twice = pl.concat([counts(DAYS[0]), counts(DAYS[1])])
    replies = {"eastmoney": twice, "cninfo": counts(date(2015, 1, 5), 8e8)}

    assert agreed("shares", replies, ON).rows["date"].to_list() == [date(2015, 1, 5), *DAYS[:2]]


def test_counts_that_differ_stay():
    replies = {"eastmoney": counts(DAYS[0]), "cninfo": counts(DAYS[1], 1.4e9)}

    assert agreed("shares", replies, ON).rows["total_shares"].to_list() == [1e9, 1.4e9]


def rates(*days: date) -> pl.DataFrame:
    rows = [{"date": day, "base": "USD", "quote": "CNY", "rate": 7.1} for day in days]
    return pl.DataFrame(rows, schema=TABLES["fx"].empty().schema)


def test_a_rate_of_one_source_on_a_holiday_is_not_taken():
    holiday, session = date(2026, 5, 1), date(2026, 5, 6)

    found = agreed("fx", {"safe": rates(session), "sina": rates(holiday, session)}, ON)

    assert found.rows["date"].to_list() == [session]
    assert [(e.rule, e.date, e.refused) for e in found.disregarded] == [("calendar", holiday, True)]


def test_a_rate_of_one_source_on_a_session_is_taken():
    found = agreed("fx", {"safe": rates(DAYS[0]), "sina": rates(*DAYS[:2])}, ON)

    assert found.rows["date"].to_list() == DAYS[:2]
