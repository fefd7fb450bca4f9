"""Bars of one reply: clean ones are accepted whole, and each kind of fault beside them is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from indexer.market.actions import Action
from indexer.market.sources.bars import Known, Scope
from indexer.market.sources.check import check_bars
from tests.market.sources.example import LAST, Case, at, case

D = pl.col("date")
PRICES = ["symbol", "date", "open", "high", "low", "close"]
Change = Callable[[pl.DataFrame], pl.DataFrame]

CLEAN = {
    "share": case(),
    "main-board": case("600519.SH"),
    "beijing": case("920808.BJ"),
    "hong-kong": case("00700.HK"),
    "new-york": case("NVDA.US"),
    "bonus-and-cash": case(
        actions=[(20, Action("bonus", ratio=0.4)), (20, Action("dividend", cash=0.5))]
    ),
    "rights": case(actions=[(33, Action("rights", ratio=0.3, price=4.0))]),
    "consolidation": case("00700.HK", actions=[(33, Action("split", ratio=0.1))]),
    "suspension": case(suspended=[(10, 25)]),
    "events-inside-a-suspension": case(
        suspended=[(10, 30)],
        actions=[(15, Action("bonus", ratio=1.0)), (22, Action("dividend", cash=0.2))],
    ),
    "limit-up": case(limit_up=[5, 6, 7, 8]),
    "new-listing": case(listed=True),
}


def scaled(factor: float, *columns: str, digits: int = 4) -> Change:
    names = columns or ("open", "high", "low", "close")
    return lambda bars: bars.with_columns((pl.col(n) * factor).round(digits) for n in names)


def misread(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with a wrong close that is within the range of the day."""
    close, low, high = pl.col("close"), pl.col("low"), pl.col("high")
    return bars.with_columns(close=pl.when(close == low).then(high).otherwise(low))


def only(where: pl.Expr, change: Change) -> Change:
    return lambda bars: pl.concat([bars.filter(~where), change(bars.filter(where))]).sort("date")


def valued(value: object, column: str = "close") -> Change:
    return lambda bars: bars.with_columns(pl.lit(value, pl.Float64).alias(column))


def renamed(**names: str) -> Change:
    return lambda bars: bars.rename(names).select(bars.columns)


def added(change: Change, where: pl.Expr) -> Change:
    return lambda bars: pl.concat([bars, change(bars.filter(where))])


def redated(day: date) -> Change:
    return lambda bars: bars.with_columns(date=pl.lit(day))


def shifted(days: int) -> Change:
    return lambda bars: bars.with_columns(D + timedelta(days=days))


def of(symbol: str) -> Change:
    return lambda bars: bars.with_columns(symbol=pl.lit(symbol))


def as_text(column: str, cell: str) -> Change:
    """Return bars with one cell of a column, all of it text, replaced."""
    text = pl.when(D == MIDDLE).then(pl.lit(cell)).otherwise(pl.col(column).cast(pl.String))
    return lambda bars: bars.with_columns(text.alias(column))


MIDDLE, FRIDAY = date(2026, 8, 5), date(2026, 8, 7)
ONE, END, LATER = D == MIDDLE, D == LAST, D >= MIDDLE

# kind of fault: what becomes of the frame, the outcome, and a rule by which it shows
FAULTS: dict[str, tuple[Change, str, str]] = {
    "no-columns": (lambda _: pl.DataFrame(), "corrupt", ""),
    "empty": (lambda bars: bars.clear(), "no_data_unexplained", ""),
    "column-more": (lambda bars: bars.with_columns(note=pl.lit(1.0)), "corrupt", "shape"),
    "column-less": (lambda bars: bars.drop("close"), "corrupt", "shape"),
    "page-cap": (lambda bars: bars.tail(12), "no_data_unexplained", ""),
    "amount-is-volume": (valued(1e6, "amount"), "corrupt", "turnover"),
    "volume-and-amount-swapped": (renamed(volume="amount", amount="volume"), "corrupt", "turnover"),
    "close-and-high-swapped": (renamed(close="high", high="close"), "corrupt", "price"),
    "columns-in-another-order": (
        lambda bars: bars.rename({"close": "high", "high": "low", "low": "close"}),
        "corrupt",
        "price",
    ),
    "another-code": (of("300309.SZ"), "corrupt", "identity"),
    "negative": (only(ONE, valued(-3.9)), "corrupt", "type"),
    "zero": (only(ONE, valued(0.0)), "corrupt", "price"),
    "nan": (only(ONE, valued(float("nan"))), "corrupt", "type"),
    "infinite": (only(ONE, valued(float("inf"))), "corrupt", "type"),
    "beyond-a-double": (as_text("close", "1e400"), "corrupt", "type"),
    "dash": (as_text("close", "-"), "corrupt", "type"),
    "tenfold-once": (only(ONE, scaled(10)), "corrupt", "turnover"),
    "tenfold-with-the-amount": (only(ONE, scaled(10, *PRICES[2:], "amount")), "corrupt", "limit"),
    "a-tenth-once": (only(ONE, scaled(0.1)), "corrupt", "tick"),
    "decimals-lost-on-the-last-day": (
        only(END, scaled(100, *PRICES[2:], "amount")),
        "corrupt",
        "limit",
    ),
    "tenfold-from-a-day-on": (only(LATER, scaled(10)), "corrupt", "turnover"),
    "adjusted-from-a-day-on": (only(LATER, scaled(0.9)), "corrupt", "tick"),
    "adjusted-to-cents-from-a-day-on": (only(LATER, scaled(0.9, digits=2)), "corrupt", "turnover"),
    "adjusted-throughout": (scaled(0.7134), "corrupt", "tick"),
    "last-session-late": (lambda bars: bars.filter(D < LAST), "transient", ""),
    "hole": (lambda bars: bars.filter(D != MIDDLE), "no_data_unexplained", ""),
    "every-third-day": (lambda bars: bars.gather_every(3), "no_data_unexplained", ""),
    "late-start": (lambda bars: bars.filter(D > MIDDLE), "no_data_unexplained", ""),
    "early-end": (lambda bars: bars.filter(D < MIDDLE), "no_data_unexplained", ""),
    "same-row-twice": (added(lambda bars: bars, ONE), "ok", "duplicate"),
    "rows-in-conflict": (added(scaled(1.01, "close", "high"), ONE), "corrupt", "conflict"),
    "a-day-later": (shifted(1), "corrupt", "calendar"),
    "a-day-earlier": (shifted(-1), "corrupt", "calendar"),
    "phantom-saturday": (added(redated(date(2026, 8, 8)), D == FRIDAY), "ok", "calendar"),
    "row-of-2030": (added(redated(date(2030, 1, 2)), END), "ok", "future"),
    "impossible-date": (as_text("date", "2026-02-30"), "corrupt", "type"),
    "one-bar-in-lots": (only(ONE, scaled(0.01, "volume")), "ok", "unit"),
    "volume-a-hundredfold": (scaled(100, "volume"), "corrupt", "turnover"),
    "standing-still": (
        lambda bars: only(END, lambda _: redated(LAST)(bars.tail(2).head(1)))(bars),
        "corrupt",
        "frozen",
    ),
    "not-asked-for": (
        added(redated(date(2026, 1, 5)), END),
        "ok",
        "window",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_reply_is_believed_whole(name: str):
    clean = CLEAN[name]
    verdict = clean.check()

    assert (verdict.outcome, verdict.disregarded, verdict.reason) == ("ok", (), "")
    assert verdict.rows.equals(clean.bars)


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_reply_that_repeats_what_is_stored_is_believed_whole(name: str):
    clean = CLEAN[name].stored(1)

    assert clean.check().outcome == "ok"
    assert clean.check().rows.equals(clean.bars)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("clean", [case(), case().stored(15)], ids=["first", "new"])
def test_a_fault_shows(name: str, clean: Case):
    change, outcome, rule = FAULTS[name]
    verdict = clean.check(change(clean.bars))

    assert verdict.outcome == outcome
    assert rule in {entry.rule for entry in verdict.disregarded} | {""}
    assert bool(verdict.reason) == (outcome != "ok")


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("clean", [case(), case().stored(15)], ids=["first", "new"])
def test_what_is_believed_of_a_faulty_reply_is_true(name: str, clean: Case):
    verdict = clean.check(FAULTS[name][0](clean.bars))

    assert verdict.rows.join(clean.bars, on=PRICES, how="anti").is_empty()
    assert set(verdict.missing) >= set(clean.bars["date"]) - set(verdict.rows["date"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_what_is_stored_already_changes_nothing_there(name: str):
    clean = case().stored(3)
    verdict = clean.check(FAULTS[name][0](clean.bars))

    assert verdict.rows.join(clean.bars, on=PRICES, how="anti").is_empty()
    assert verdict.outcome != "ok" or verdict.disregarded


# What is accepted all the same


@pytest.mark.parametrize(
    "drift",
    [
        lambda bars: bars.with_columns(pl.all().cast(pl.String)),
        lambda bars: bars.with_columns(D.cast(pl.Datetime("ms"))),
        lambda bars: bars.with_columns(pl.col("volume").cast(pl.Int64)),
        lambda bars: bars.with_columns(pl.col("symbol").cast(pl.Categorical)),
        lambda bars: bars.select(reversed(bars.columns)),
        lambda bars: bars.sample(fraction=1, shuffle=True, seed=3),
    ],
    ids=["text", "datetime", "integer", "categorical", "order", "rows"],
)
def test_types_and_order_may_drift(drift: Change):
    clean = case()
    verdict = clean.check(drift(clean.bars))

    assert verdict.outcome == "ok"
    assert verdict.rows.equals(clean.bars)


def test_volume_in_lots_becomes_shares():
    clean = case()
    verdict = clean.check(scaled(0.01, "volume")(clean.bars))

    assert verdict.outcome == "ok"
    assert verdict.rows["volume"].to_list() == pytest.approx(clean.bars["volume"].to_list())


@pytest.mark.parametrize("unit", [0.01, 100.0])
def test_a_bar_in_another_unit_keeps_its_prices_and_loses_its_volume(unit: float):
    clean = case()
    verdict = clean.check(only(ONE, scaled(unit, "volume"))(clean.bars))
    of_the_day = verdict.rows.filter(ONE)

    assert [(e.rule, e.field, e.date) for e in verdict.disregarded] == [
        ("unit", "volume", MIDDLE),
        ("unit", "amount", MIDDLE),
    ]
    assert of_the_day["close"].to_list() == clean.bars.filter(ONE)["close"].to_list()
    assert of_the_day["volume"].to_list() == [None]


def test_volume_in_lots_without_an_amount_to_tell_is_not_believed():
    clean = case()
    lots = scaled(0.01, "volume")(clean.bars)
    verdict = clean.check(only(ONE, valued(None, "amount"))(lots))

    assert [(e.rule, e.field, e.date) for e in verdict.disregarded] == [("unit", "volume", MIDDLE)]
    assert verdict.rows.filter(ONE)["volume"].to_list() == [None]


def test_the_first_session_of_the_calendar_can_be_asked_for():
    clean = case("600519.SH")
    scope = replace(clean.scope, since=clean.known.calendar.sessions[0].item())

    listed = replace(clean.known, listed=clean.bars["date"][0])
    assert Case(clean.bars, scope, listed).check().outcome == "ok"


def test_a_close_alone_is_a_bar():
    clean = case()
    verdict = clean.check(clean.bars.select("symbol", "date", "close"))

    assert verdict.outcome == "ok"
    assert verdict.rows["high"].null_count() == len(clean.bars)


def test_an_announced_action_does_not_act_before_its_ex_date():
    clean = case(actions=[(59, Action("bonus", ratio=0.4))])
    early = clean.bars.filter(D < LAST)
    scope = replace(clean.scope, until=early["date"][-1])

    assert Case(early, scope, clean.known).check().outcome == "ok"


@pytest.mark.parametrize("outside", ["open", "close"])
@pytest.mark.parametrize(("edge", "step"), [("low", -0.01), ("high", 0.01)])
def test_a_price_outside_the_range_of_its_day_is_none(outside: str, edge: str, step: float):
    clean = case()
    moved = (pl.col(edge) + step).round(2).alias(outside)

    verdict = clean.check(only(ONE, lambda bars: bars.with_columns(moved))(clean.bars))

    assert [(entry.rule, entry.date) for entry in verdict.disregarded] == [("price", MIDDLE)]


def test_prices_off_the_tick_speak_against_those_that_are_on_it():
    """Some of a series that was adjusted fall on the tick by chance."""
    clean = case()
    half = pl.int_range(pl.len()) % 2 == 0
    off = clean.bars.with_columns(high=pl.when(half).then(pl.col("high") + 0.004).otherwise("high"))

    verdict = clean.check(off)

    assert {entry.rule for entry in verdict.disregarded} == {"tick"}
    assert len(verdict.rows) == 0


def test_amounts_that_often_do_not_fit_speak_against_those_that_do():
    clean = case()
    third = pl.int_range(pl.len()) % 3 == 0
    amount = pl.when(third).then(pl.col("amount") * 1.4).otherwise("amount")

    verdict = clean.check(clean.bars.with_columns(amount=amount))

    assert {entry.rule for entry in verdict.disregarded} == {"turnover"}
    assert len(verdict.rows) == 0


def test_a_zero_alone_is_no_price():
    closes = case().bars.select("symbol", "date", "close")

    verdict = case().check(only(END, valued(0.0))(closes))

    assert [(entry.rule, entry.date) for entry in verdict.disregarded] == [("price", LAST)]


@pytest.mark.parametrize(("ticks", "rules"), [(1, []), (3, ["limit"])])
@pytest.mark.parametrize("columns", [["high"], ["high", "close"]])
def test_a_bar_just_beyond_its_limit_is_wrong_alone(
    ticks: int, rules: list[str], columns: list[str]
):
    clean = case(limit_up=[30])
    beyond = [(pl.col(name) + ticks / 100).round(2) for name in columns]
    there = clean.bars["date"][30] == D

    verdict = clean.check(only(there, lambda bars: bars.with_columns(beyond))(clean.bars))

    assert [entry.rule for entry in verdict.disregarded] == rules


def test_a_bar_years_after_the_one_before_is_no_number_too_large():
    """A limit of a fifth a session, four thousand times: the hole is what is wrong."""
    clean = case()
    calendar, first = clean.known.calendar, date(2010, 1, 4)
    later = calendar.between(date(2026, 7, 1), LAST)
    bars = pl.DataFrame({"symbol": "300001.SZ", "date": [first, *later.tolist()], "close": 10.0})
    scope = replace(clean.scope, symbol="300001.SZ", since=first)

    assert check_bars(bars, scope, Known(calendar)).outcome == "no_data_unexplained"


def test_the_limit_of_a_bar_is_that_of_its_day():
    """ChiNext's was doubled on 2020-08-24: what a bar could do later it could not do before."""
    sessions = case().known.calendar.between(date(2020, 9, 10), LAST)
    clean = case(back=len(sessions) - 1, limit_up=[40])
    day = clean.bars["date"][40]
    more = only(day == D, scaled(1.05, *PRICES[2:], "amount", digits=2))

    verdict = clean.check(more(clean.bars))

    assert day < date(2020, 8, 24) < clean.bars["date"][-1]
    assert (verdict.outcome, {entry.rule for entry in verdict.disregarded}) == (
        "corrupt",
        {"limit"},
    )


@pytest.mark.parametrize(("early", "outcome"), [(5, "transient"), (6, "no_data_unexplained")])
def test_a_source_may_be_late_by_five_sessions(early: int, outcome: str):
    clean = case()

    assert clean.check(clean.bars.head(-early)).outcome == outcome


@pytest.mark.parametrize(("apart", "rules"), [(0.001, []), (0.01, ["previous"])])
def test_changes_of_shares_below_a_dollar_are_told_to_the_mill(apart: float, rules: list[str]):
    low = case("NVDA.US")
    bars = low.bars.with_columns(pl.col(*PRICES[2:]) / 1000, pl.col("amount") / 1000)
    bars = bars.with_columns(previous_close=pl.col("close").shift(1).round(3))
    told = only(bars["date"][30] == D, lambda b: b.with_columns(pl.col("previous_close") + apart))

    assert [entry.rule for entry in low.check(told(bars)).disregarded] == rules


def test_several_bars_beyond_their_limits_speak_against_the_others():
    clean = case()
    days = clean.bars["date"]
    wrong = D.is_in([days[20], days[40]])

    verdict = clean.check(only(wrong, scaled(10, *PRICES[2:], "amount", digits=2))(clean.bars))

    assert (verdict.outcome, len(verdict.rows)) == ("corrupt", 0)


def test_a_hole_in_a_run_of_limit_moves_leaves_the_rest():
    clean = case(limit_up=[30, 31, 32])
    hole = clean.bars["date"][31]

    verdict = clean.check(clean.bars.filter(hole != D))

    assert (verdict.outcome, verdict.disregarded) == ("no_data_unexplained", ())


def test_the_limit_after_a_hole_is_the_price_that_six_limit_moves_lead_to():
    """Each is rounded to the cent: 547.32, and not the 547.30 of all six at once."""
    clean = case(limit_up=[*range(30, 36)])
    hole = clean.bars["date"][30:35]

    verdict = clean.check(clean.bars.filter(~D.is_in(hole.implode())))

    assert (clean.bars["close"][35], verdict.disregarded) == (547.32, ())


def test_a_long_hole_does_not_excuse_a_lost_decimal():
    clean = case("600519.SH")
    days = clean.bars["date"]
    after = scaled(10, *PRICES[2:], "amount", digits=2)(clean.bars.filter(days[45] < D))

    verdict = clean.check(pl.concat([clean.bars.filter(days[15] > D), after]))

    assert (verdict.outcome, len(verdict.rows)) == ("corrupt", 0)


# What explains that there is nothing


def test_a_suspension_explains_that_there_is_nothing():
    clean = case(suspended=[(30, 59)])
    scope = replace(clean.scope, since=clean.known.suspensions["from"][0])

    verdict = Case(clean.bars.clear(), scope, clean.known).check()

    assert (verdict.outcome, verdict.missing) == ("no_data_explained", ())


def test_a_suspension_explains_nothing_of_the_day_on_which_trade_goes_on():
    clean = case(suspended=[(30, 38)])
    resumed = clean.known.suspensions["until"][0]

    verdict = clean.check(clean.bars.filter(resumed != D))

    assert (verdict.outcome, verdict.missing) == ("no_data_unexplained", (resumed,))


def test_a_listing_to_come_explains_that_there_is_nothing():
    clean = case()
    known = replace(clean.known, listed=LAST + timedelta(days=1))

    assert Case(clean.bars.clear(), clean.scope, known).check().outcome == "no_data_explained"


def test_a_delisting_explains_that_bars_end():
    clean = case()
    known = replace(clean.known, delisted=MIDDLE)
    bars = clean.bars.filter(D < MIDDLE)

    assert Case(bars, clean.scope, known).check().outcome == "ok"
    assert Case(clean.bars, clean.scope, known).check().outcome == "corrupt"


def test_bars_before_the_listing_are_those_of_another():
    clean = case()
    known = replace(clean.known, listed=MIDDLE)

    verdict = Case(clean.bars, clean.scope, known).check()

    assert (verdict.outcome, len(verdict.rows)) == ("corrupt", 0)


def test_a_repeated_price_without_trade_is_no_bar_of_a_mainland_share():
    clean = case()
    flat = only(END, lambda bars: bars.with_columns(volume=0.0, amount=0.0))(clean.bars)

    verdict = clean.check(flat)

    assert [entry.rule for entry in verdict.disregarded] == ["filler"]
    assert verdict.outcome == "transient"


def test_a_day_without_trade_is_a_bar_in_hong_kong():
    clean = case("00700.HK")
    flat = only(END, lambda bars: bars.with_columns(volume=0.0, amount=0.0))(clean.bars)

    assert clean.check(flat).outcome == "ok"


@pytest.mark.parametrize("until", [None, LAST + timedelta(days=30)])
def test_a_suspension_is_over_when_a_bar_shows_it(until: date | None):
    """Else a planned end, or none, would explain every later day without a bar."""
    clean = case(suspended=[(30, 40)])
    planned = clean.known.suspensions.with_columns(until=pl.lit(until, pl.Date))
    known = replace(clean.known, suspensions=planned)

    assert Case(clean.bars, clean.scope, known).check().outcome == "ok"
    late = Case(clean.bars.filter(D < LAST), clean.scope, known).check()
    assert (late.outcome, late.missing) == ("transient", (LAST,))


def test_one_lot_at_the_same_price_two_days_running_is_no_standing_feed():
    clean = case("00700.HK")
    flat = [pl.lit(10.0).alias(name) for name in PRICES[2:]]
    quiet = clean.bars.with_columns(*flat, volume=100.0, amount=1000.0)

    assert clean.check(quiet).outcome == "ok"


# The bar of today


@pytest.mark.parametrize(
    ("symbol", "early", "late"),
    [
        ("300308.SZ", (15, 29), (15, 30)),
        ("00700.HK", (16, 39), (16, 40)),
        ("NVDA.US", (16, 59), (17, 0)),
    ],
)
def test_the_bar_of_today_counts_from_its_hour_on(
    symbol: str, early: tuple[int, int], late: tuple[int, int]
):
    clean = case(symbol)
    calendar = clean.known.calendar
    before = replace(clean.scope, at=at(LAST, *early, calendar))
    after = replace(clean.scope, at=at(LAST, *late, calendar))

    found = Case(clean.bars, before, clean.known).check()

    assert [(e.rule, e.date) for e in found.disregarded] == [("provisional", LAST)]
    assert (found.outcome, found.missing) == ("ok", ())
    assert len(Case(clean.bars, after, clean.known).check().rows) == len(clean.bars)


def test_the_bar_of_a_half_day_counts_earlier():
    clean = case("00700.HK")
    calendar = clean.known.calendar
    eve = date(2025, 12, 24)
    bars = redated(eve)(clean.bars.tail(1))
    scope = Scope("00700.HK", eve, eve, at(eve, 12, 40, calendar))

    assert check_bars(bars, scope, clean.known).outcome == "ok"


# What is stored


def test_a_revision_is_reported_and_not_applied():
    clean = case().stored(3)
    verdict = clean.check(only(ONE, scaled(1.001, "volume", "amount"))(clean.bars))
    close = clean.check(only(ONE, misread)(clean.bars))

    assert verdict.outcome == "ok"
    assert verdict.disregarded == ()  # sources round: that is no revision
    assert [(e.rule, e.date) for e in close.disregarded] == [("revision", MIDDLE)]
    assert (close.outcome, close.missing) == ("ok", ())
    assert MIDDLE not in close.rows["date"]


@pytest.mark.parametrize("factor", [0.9, 3.0, 0.001])
def test_prices_at_another_level_than_those_stored_are_not_believed(factor: float):
    clean = case().stored(3)
    whole = scaled(factor, "open", "high", "low", "close", "amount")
    on_tick = whole(clean.bars).with_columns(pl.col("open", "high", "low", "close").round(2))

    verdict = clean.check(on_tick)

    assert (verdict.outcome, len(verdict.rows)) == ("corrupt", 0)


def test_bars_may_be_asked_for_from_before_there_was_a_calendar():
    clean = case()
    found = [
        check_bars(clean.bars, replace(clean.scope, since=since), clean.known)
        for since in (date.min, date(1900, 1, 1))
    ]

    assert [one.outcome for one in found] == [found[0].outcome] * 2
    assert found[0].rows.equals(found[1].rows)


def test_dates_that_do_not_repeat_what_is_stored_are_refused_before_asking():
    clean = case().stored(3)
    scope = replace(clean.scope, since=MIDDLE)

    with pytest.raises(ValueError, match="ask for dates that hold 20 of them"):
        check_bars(clean.bars, scope, clean.known)


def test_rows_that_join_on_to_stored_ones_are_kept_where_prices_break():
    clean = case().stored(5)
    days = clean.bars["date"]
    broken = only(days[-4] < D, scaled(1.5, "open", "high", "low", "close", "amount"))(clean.bars)
    on_tick = broken.with_columns(pl.col("open", "high", "low", "close").round(2))

    verdict = clean.check(on_tick)

    assert verdict.outcome == "corrupt"
    assert verdict.rows["date"].to_list() == days[:-3].to_list()


@pytest.mark.parametrize(("factor", "outcome"), [(1, "ok"), (10, "corrupt")])
def test_a_new_code_joins_on_to_bars_stored_under_the_old_one(factor: int, outcome: str):
    """The old code is dead and the new one has no bars before the change."""
    clean = case("920808.BJ")
    old, new = clean.bars.filter(D < MIDDLE), clean.bars.filter(D >= MIDDLE)
    known = replace(clean.known, stored=old, listed=MIDDLE)
    bars = scaled(factor, *PRICES[2:], "amount", digits=2)(new)

    verdict = Case(bars, clean.scope, known).check()

    assert verdict.outcome == outcome
    assert verdict.rows.equals(new if factor == 1 else new.clear())


def test_what_is_stored_is_not_judged_again():
    clean = case().stored(3)
    early = clean.known.stored["date"][10] == D
    stored = only(early, scaled(10, *PRICES[2:], "amount", digits=2))(clean.known.stored)

    assert (
        Case(clean.bars, clean.scope, replace(clean.known, stored=stored)).check().outcome == "ok"
    )


def test_a_bonus_nobody_knows_of_breaks_the_series():
    clean = CLEAN["bonus-and-cash"]
    unknown = replace(clean.known, actions=clean.known.actions.clear())

    verdict = Case(clean.bars, clean.scope, unknown).check()

    assert (verdict.outcome, len(verdict.rows)) == ("corrupt", 0)
    assert "enter the action that is missing" in verdict.reason


def test_prices_adjusted_for_a_known_bonus_break_at_its_ex_date():
    clean = CLEAN["bonus-and-cash"]
    ex_date = clean.known.actions["ex_date"][0]
    adjusted = only(ex_date > D, scaled(1 / 1.4))(clean.bars)
    cents = adjusted.with_columns(pl.col("open", "high", "low", "close").round(2))

    assert clean.check(cents.drop("amount", "volume")).outcome == "corrupt"
    assert clean.check(cents).outcome == "corrupt"


# What the previous close shows


def with_previous(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.with_columns(previous_close=pl.col("close").shift(1))


def test_open_and_close_swapped_show_by_the_previous_close():
    clean = case()
    swapped = renamed(open="close", close="open")(clean.bars)
    told = swapped.with_columns(previous_close=clean.bars["close"].shift(1))

    assert clean.check(with_previous(clean.bars)).outcome == "ok"
    assert clean.check(told).outcome == "corrupt"
    assert clean.check(swapped).outcome == "ok"  # without it nothing shows


def test_a_plausible_wrong_close_shows_by_the_previous_close_of_the_next_bar():
    clean = case()
    told = with_previous(clean.bars)
    wrong = only(ONE, misread)(told)

    assert [(e.rule, e.date) for e in clean.check(wrong).disregarded] == [("previous", MIDDLE)]


def test_a_previous_close_is_not_held_against_the_bar_before_a_hole():
    clean = case()
    told = with_previous(clean.bars).filter(D != MIDDLE)

    assert clean.check(told).disregarded == ()


def test_a_previous_close_restated_for_an_action_is_one():
    clean = CLEAN["bonus-and-cash"]
    told = with_previous(clean.bars)
    ex_date = clean.known.actions["ex_date"][0]
    restated = ((pl.col("previous_close") - 0.5) / 1.4).round(2)
    told = told.with_columns(
        previous_close=pl.when(ex_date == D).then(restated).otherwise("previous_close")
    )

    assert clean.check(told).outcome == "ok"


# Series


def series() -> Case:
    clean = case("000852.SH")
    level = clean.bars.with_columns(pl.col("open", "high", "low", "close") * 40 + 0.123)
    return Case(level, replace(clean.scope, series=True), clean.known)


def test_a_series_is_believed_whole():
    clean = series()

    assert clean.check().outcome == "ok"
    assert clean.check(clean.bars.select("symbol", "date", "close")).outcome == "ok"


def test_a_share_with_the_digits_of_an_index_is_none():
    clean = series()

    verdict = clean.check(case("000852.SH").bars)

    assert (verdict.outcome, verdict.disregarded[0].rule) == ("corrupt", "identity")


def test_an_index_with_the_digits_of_a_share_is_none():
    clean = case("000852.SZ")
    index = series().bars.with_columns(symbol=pl.lit("000852.SZ")).with_columns(
        pl.col("open", "high", "low", "close").round(2)
    )  # fmt: skip

    assert clean.check(index).outcome == "corrupt"


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_a_decimal_lost_in_a_series_shows(factor: float):
    clean = series()

    assert clean.check(only(END, scaled(factor))(clean.bars)).outcome == "corrupt"


# What is said


def test_evidence_names_symbol_date_value_bound_and_remedy():
    clean = case()
    reason = clean.check(FAULTS["tenfold-with-the-amount"][0](clean.bars)).reason

    for part in ("300308.SZ", str(MIDDLE), "close ", "is possible by the limit", "another source"):
        assert part in reason


def test_a_hostile_cell_is_quoted_and_cut():
    clean = case()
    hostile = clean.bars.with_columns(symbol=pl.lit("\x1b[2J{x}" * 40))

    said = str(clean.check(hostile).disregarded[0])

    assert "\x1b" not in said
    assert len(said) < 400


def test_nothing_is_known_of_a_symbol_by_the_facts_of_another():
    clean = case(actions=[(20, Action("bonus", ratio=0.4))])
    other = clean.known.actions.with_columns(symbol=pl.lit("300502.SZ"))
    known = Known(clean.known.calendar, actions=other, listed=clean.known.listed)

    assert Case(clean.bars, clean.scope, known).check().outcome == "corrupt"


def test_the_example_moves_like_a_market():
    """Else the limits would never be put to the test."""
    moves = np.diff(np.log(case().bars["close"].to_numpy()))

    assert 0.005 < moves.std() < 0.08
