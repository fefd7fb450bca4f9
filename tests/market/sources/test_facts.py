"""Actions, shares, rates and suspensions: what is plausible is believed, what is not is logged."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from indexer.market.calendar import read_calendar
from indexer.market.sources.bars import Known, Scope
from indexer.market.sources.facts import (
    check_actions,
    check_rates,
    check_shares,
    check_suspensions,
)
from indexer.market.sources.verdict import Verdict
from indexer.market.tables import TABLES

SYMBOL = "300308.SZ"
NOW = datetime(2026, 8, 20, 10, tzinfo=UTC)
SCOPE = Scope(SYMBOL, date(2024, 1, 1), date(2026, 12, 31), NOW)
RATES = replace(SCOPE, symbol="USD/CNY", since=date(2026, 8, 3), until=date(2026, 8, 20))
KNOWN = Known(read_calendar("XSHG"), listed=date(2012, 4, 10))


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TABLES[name].empty().schema)


def action(day: str, kind: str, **amounts: Any) -> dict[str, Any]:
    return {"symbol": SYMBOL, "ex_date": date.fromisoformat(day), "kind": kind, **amounts}


def shares(day: str, total: float, free: float | None = None) -> dict[str, Any]:
    date_ = date.fromisoformat(day)
    return {"symbol": SYMBOL, "date": date_, "total_shares": total, "free_float_shares": free}


def rate(day: int, figure: float, base: str = "USD") -> dict[str, Any]:
    return {"date": date(2026, 8, day), "base": base, "quote": "CNY", "rate": figure}


def rules(verdict: Verdict, received: int) -> list[str]:
    """Return the rules broken, every row received being believed or logged."""
    assert received == len(verdict.rows) + len(verdict.disregarded)
    return [entry.rule for entry in verdict.disregarded]


BONUS = action("2024-06-03", "bonus", ratio=0.4)
CASH = action("2024-06-03", "dividend", cash=0.5)
LATER = action("2026-09-15", "dividend", cash=0.3)


def test_actions_are_believed_and_announced_ones_kept():
    verdict = check_actions(table("actions", BONUS, CASH, LATER), SCOPE, KNOWN)

    assert verdict.outcome == "ok"
    assert verdict.rows["ex_date"].max() == date(2026, 9, 15)
    assert rules(verdict, 3) == []


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (action("2024-06-03", "bonus", ratio=4.0), "bound"),  # per 10 shares
        (action("2024-06-03", "bonus", ratio=-0.4), "type"),
        (action("2024-06-03", "bonus", ratio=float("inf")), "type"),
        (action("2024-06-03", "bonus", ratio=float("nan")), "bound"),
        (action("2024-06-03", "bonus"), "bound"),
        (action("2024-06-03", "rights", ratio=3.0, price=5.0), "bound"),
        (action("2024-06-03", "rights", ratio=0.3), "bound"),
        (action("2024-06-03", "gift", ratio=0.3), "bound"),
        (action("2024-06-02", "dividend", cash=0.5), "session"),  # a Sunday
        (action("2024-06-10", "dividend", cash=0.5), "session"),  # Dragon Boat Festival
        (action("2011-06-03", "dividend", cash=0.5), "window"),
    ],
)
def test_an_action_that_cannot_be_is_not_believed(wrong: dict[str, Any], rule: str):
    verdict = check_actions(table("actions", wrong, LATER), SCOPE, KNOWN)

    assert rules(verdict, 2) == [rule]
    assert verdict.rows["ex_date"].to_list() == [LATER["ex_date"]]
    assert verdict.outcome == ("ok" if rule == "window" else "corrupt")


def test_a_dividend_is_held_against_the_close_before_it():
    before = {"symbol": SYMBOL, "date": date(2024, 5, 31), "close": 12.0}
    bars = table("prices", before, before | {"date": date(2024, 6, 3), "close": 0.6})
    known = replace(KNOWN, stored=bars)
    ten_shares = action("2024-06-03", "dividend", cash=7.5)

    assert check_actions(table("actions", CASH), SCOPE, known).outcome == "ok"
    assert "per 10 shares" in check_actions(table("actions", ten_shares), SCOPE, known).reason


def test_an_action_before_the_listing_is_that_of_another():
    known = replace(KNOWN, listed=date(2025, 1, 6))

    assert rules(check_actions(table("actions", CASH), SCOPE, known), 1) == ["listing"]


def test_an_action_given_twice_is_one():
    verdict = check_actions(table("actions", CASH, CASH), SCOPE, KNOWN)

    assert (verdict.outcome, len(verdict.rows)) == ("ok", 1)
    assert rules(verdict, 2) == ["duplicate"]


def test_an_action_that_changed_is_reported_and_not_applied():
    known = replace(KNOWN, actions=table("actions", CASH))
    changed = action("2024-06-03", "dividend", cash=0.49)

    verdict = check_actions(table("actions", changed, BONUS), SCOPE, known)

    assert rules(verdict, 2) == ["revision"]
    assert (verdict.outcome, verdict.missing) == ("ok", ())


def test_an_action_that_vanished_is_missing():
    known = replace(KNOWN, actions=table("actions", CASH, LATER))

    verdict = check_actions(table("actions", CASH), SCOPE, known)

    assert verdict.outcome == "no_data_unexplained"
    assert verdict.missing == (LATER["ex_date"],)


@pytest.mark.parametrize(
    ("frame", "outcome"),
    [
        (pl.DataFrame(), "corrupt"),
        (TABLES["actions"].empty(), "no_data_unexplained"),
        (table("actions", CASH).drop("kind"), "corrupt"),
        (table("actions", CASH).with_columns(note=pl.lit(1)), "corrupt"),
        (table("actions", CASH | {"symbol": "300502.SZ"}), "corrupt"),
    ],
    ids=["no-columns", "empty", "column-less", "column-more", "another-code"],
)
def test_a_table_of_something_else_says_nothing(frame: pl.DataFrame, outcome: str):
    verdict = check_actions(frame, SCOPE, KNOWN)

    assert (verdict.outcome, len(verdict.rows)) == (outcome, 0)
    assert verdict.reason


def test_an_action_of_which_another_kind_is_told_is_missing():
    known = replace(KNOWN, actions=table("actions", CASH))

    verdict = check_actions(table("actions", BONUS), SCOPE, known)

    assert (verdict.outcome, verdict.missing) == ("no_data_unexplained", (CASH["ex_date"],))


# Shares

SHARES = [shares("2024-01-02", 8e8, 7.9e8), shares("2024-06-03", 1.12e9, 1.1e9)]


def test_shares_that_a_bonus_explains_are_believed():
    known = replace(KNOWN, actions=table("actions", action("2024-06-03", "bonus", ratio=2.0)))
    tripled = [SHARES[0], shares("2024-06-03", 2.4e9)]

    assert check_shares(table("shares", *SHARES), SCOPE, KNOWN, table("shares")).outcome == "ok"
    assert check_shares(table("shares", *tripled), SCOPE, known, table("shares")).outcome == "ok"
    fifth = replace(KNOWN, actions=table("actions", action("2024-06-03", "bonus", ratio=0.2)))
    more = [SHARES[0], shares("2024-06-03", 9.6e8)]
    assert check_shares(table("shares", *more), SCOPE, fifth, table("shares")).outcome == "ok"
    alone = check_shares(table("shares", *tripled), SCOPE, KNOWN, table("shares"))
    assert rules(alone, 2) == ["bound"]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (shares("2025-01-02", 1.12e5), "bound"),  # in ten thousands
        (shares("2025-01-02", 1.12e9, 1.2e9), "bound"),  # more free than there are
        (shares("2025-01-02", 0.0), "type"),
        (shares("2025-01-02", 2.3e9), "bound"),
        (shares("2026-08-21", 1.12e9), "future"),
    ],
)
def test_a_share_count_that_cannot_be_is_not_believed(wrong: dict[str, Any], rule: str):
    verdict = check_shares(table("shares", *SHARES, wrong), SCOPE, KNOWN, table("shares"))

    assert rules(verdict, 3) == [rule]
    assert len(verdict.rows) == 2


def test_share_counts_at_another_level_than_those_stored_are_not_believed():
    level = table("shares", *SHARES).with_columns(pl.col("total_shares") / 20)
    new = level.with_columns(pl.col("date") + timedelta(days=365))

    verdict = check_shares(
        new.drop("free_float_shares"), SCOPE, KNOWN, table("shares", *SHARES)
    )  # fmt: skip

    assert verdict.rows.is_empty()
    assert verdict.outcome == "corrupt"


def test_counts_that_repeat_those_before_are_left_out():
    again = SHARES[-1] | {"date": date(2024, 7, 1)}

    verdict = check_shares(table("shares", *SHARES, again), SCOPE, KNOWN, table("shares"))

    assert (verdict.outcome, rules(verdict, 3)) == ("ok", ["duplicate"])
    assert verdict.rows["date"].max() == date(2024, 6, 3)


def test_counts_that_are_stored_from_a_later_date_on_are_not_believed():
    earlier = SHARES[-1] | {"date": date(2024, 5, 31)}
    stored = table("shares", *SHARES).with_columns(source=pl.lit("eastmoney"))
    scope = replace(SCOPE, source="cninfo")

    verdict = check_shares(table("shares", SHARES[0], earlier), scope, KNOWN, stored)

    assert (verdict.outcome, rules(verdict, 2)) == ("ok", ["revision"])
    assert verdict.rows["date"].to_list() == [date(2024, 1, 2)]


def test_counts_that_a_reply_tells_of_both_dates_are_believed():
    stored = table("shares", SHARES[-1])
    earlier = SHARES[-1] | {"date": date(2024, 2, 1)}

    verdict = check_shares(table("shares", earlier, SHARES[-1]), SCOPE, KNOWN, stored)

    assert (verdict.outcome, len(verdict.rows)) == ("ok", 2)


def test_counts_that_are_stored_stay_although_they_repeat_those_before():
    again = SHARES[-1] | {"date": date(2024, 7, 1)}
    every = table("shares", *SHARES, again)

    verdict = check_shares(every, SCOPE, KNOWN, every)

    assert (verdict.outcome, len(verdict.rows)) == ("ok", 3)


def test_share_counts_that_conflict_are_not_believed():
    verdict = check_shares(
        table("shares", *SHARES, shares("2024-01-02", 8.1e8)), SCOPE, KNOWN, table("shares")
    )

    assert sorted(rules(verdict, 3)) == ["conflict", "conflict"]


# Exchange rates

DAYS = [3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 17, 18, 19, 20]


def test_rates_are_believed():
    frame = table("fx", *(rate(day, 7.1 + day / 1000) for day in DAYS))

    assert check_rates(frame, RATES, KNOWN, table("fx")).outcome == "ok"


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (rate(18, 710.0), "bound"),  # for 100
        (rate(18, 1 / 7.1), "bound"),  # the other way round
        (rate(18, 8.5), "bound"),
        (rate(18, 0.0), "type"),
        (rate(16, 7.1), "calendar"),  # a Sunday
        (rate(21, 7.1), "future"),
    ],
)
def test_a_rate_that_cannot_be_is_not_believed(wrong: dict[str, Any], rule: str):
    good = [rate(day, 7.1) for day in DAYS if day != 18]
    scope = replace(RATES, until=date(2026, 8, 31))

    verdict = check_rates(table("fx", *good, wrong), scope, KNOWN, table("fx"))

    assert rules(verdict, 14) == [rule]


def test_rates_of_another_pair_are_not_believed():
    frame = table("fx", *(rate(day, 0.9, "HKD") for day in DAYS))

    verdict = check_rates(frame, RATES, KNOWN, table("fx"))

    assert set(rules(verdict, 14)) == {"identity"}
    assert "HKD/CNY" in verdict.reason


def moving(days: list[int], by: int = 0) -> pl.DataFrame:
    """Return rates that move a little every day, told so many sessions too early."""
    return table("fx", *(rate(day, 7 + (n + by) / 1000) for n, day in enumerate(days)))


def test_rates_of_the_day_after_are_not_believed_beside_those_stored():
    verdict = check_rates(moving(DAYS, by=1), RATES, KNOWN, moving(DAYS[:-1]))

    assert (verdict.outcome, len(verdict.rows)) == ("corrupt", 0)
    assert rules(verdict, 14) == ["revision"] * 14
    assert verdict.reason == (
        "USD/CNY: 13 of 13 repeated rates differ from those stored, the first of 2026-08-03: they "
        "are of other dates or of another pair; nothing is taken"
    )


def test_one_rate_that_differs_from_the_one_stored_is_left_out():
    stored = table("fx", rate(DAYS[0], 7.05), *moving(DAYS[:-1])[1:].to_dicts())

    verdict = check_rates(moving(DAYS), RATES, KNOWN, stored)

    assert (verdict.outcome, rules(verdict, 14)) == ("ok", ["revision"])
    assert verdict.rows["date"].max() == date(2026, 8, 20)


def test_rates_that_end_early_are_missing():
    frame = table("fx", *(rate(day, 7.1) for day in DAYS[:3]))

    verdict = check_rates(frame, RATES, KNOWN, table("fx"))

    assert (verdict.outcome, len(verdict.rows)) == ("transient", 3)
    assert verdict.missing[0] == date(2026, 8, 6)


def test_the_rate_of_a_session_that_is_not_over_may_come_later():
    frame = table("fx", *(rate(day, 7.1) for day in DAYS if day != 20))
    morning = replace(RATES, at=datetime(2026, 8, 20, 1, tzinfo=UTC))

    assert check_rates(frame, morning, KNOWN, table("fx")).outcome == "ok"
    assert check_rates(frame, RATES, KNOWN, table("fx")).outcome == "transient"


def test_a_session_without_a_rate_is_missing():
    frame = table("fx", *(rate(day, 7.1) for day in DAYS if day != 12))

    verdict = check_rates(frame, RATES, KNOWN, table("fx"))

    assert (verdict.outcome, verdict.missing) == ("transient", (date(2026, 8, 12),))


SPRING = Scope("USD/CNY", date(2026, 3, 23), date(2026, 4, 10), NOW)  # Good Friday is 3 April


def spring(*lacking: int) -> pl.DataFrame:
    days = KNOWN.calendar.between(SPRING.since, SPRING.until).tolist()
    given = [day for day in days if (day.month, day.day) not in {(4, n) for n in lacking}]
    return table("fx", *({**rate(1, 7.1), "date": day} for day in given))


def test_a_source_that_rests_with_the_banks_of_europe_is_not_late():
    assert check_rates(spring(3), SPRING, KNOWN, table("fx")).outcome == "ok"


def test_any_other_session_is_due_of_a_source_that_rests():
    verdict = check_rates(spring(2, 3), SPRING, KNOWN, table("fx"))

    assert verdict.missing == (date(2026, 4, 2),)


def test_a_source_that_has_rates_of_good_fridays_is_late_without_one():
    before = table("fx", {**rate(1, 7.1), "date": date(2025, 4, 18)})

    assert check_rates(spring(3), SPRING, KNOWN, before).missing == (date(2026, 4, 3),)


# Suspensions


def suspension(first: str, last: str | None) -> dict[str, Any]:
    until = None if last is None else date.fromisoformat(last)
    return {"symbol": SYMBOL, "from": date.fromisoformat(first), "until": until}


def test_suspensions_are_believed_unless_traded_through():
    good, open_end = suspension("2026-08-03", "2026-08-07"), suspension("2026-08-19", None)
    traded = {"symbol": SYMBOL, "date": date(2026, 8, 19), "close": 10.0, "volume": 100.0}
    known = replace(KNOWN, stored=table("prices", traded))
    frame = table("suspensions", good, open_end)

    assert check_suspensions(frame, SCOPE, KNOWN).outcome == "ok"
    assert rules(check_suspensions(frame, SCOPE, known), 2) == ["bound"]


def test_a_suspension_is_believed_beside_a_bar_of_the_day_on_which_trade_goes_on():
    traded = {"symbol": SYMBOL, "date": date(2026, 8, 7), "close": 10.0, "volume": 100.0}
    frame = table("suspensions", suspension("2026-08-03", "2026-08-07"))

    verdict = check_suspensions(frame, SCOPE, replace(KNOWN, stored=table("prices", traded)))

    assert rules(verdict, 1) == []


def test_a_suspension_that_ends_before_it_begins_is_not_believed():
    frame = table("suspensions", suspension("2026-08-07", "2026-08-03"))

    assert rules(check_suspensions(frame, SCOPE, KNOWN), 1) == ["bound"]
