"""Calendars, levels and identities before publication, and what is refused for no good reason."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from indexer.errors import MissingInputError
from indexer.index.build import build
from indexer.index.gates import findings, gate_caveats
from indexer.market.calendar import read_calendar
from indexer.words import Text
from tests.index.examples import Row, Tables, basket, market
from tests.index.gated import (
    FIRST,
    HONG_KONG,
    LAST,
    SHANGHAI,
    SHENZHEN,
    built,
    days_of,
    judged,
    sound,
    told,
    with_close,
    without,
)
from tests.reference.example import closes

EVERY = (*SHANGHAI, *SHENZHEN, *HONG_KONG)
DAY = date(2024, 9, 10)
KEYS = {
    "currency": "CNY",
    "calendar": "XSHG",
    "base": {"date": FIRST, "level": 1000.0},
    "constituents": [{"symbol": symbol} for symbol in SHANGHAI],
}


def test_sound_closes_of_two_exchanges_pass():
    """Hong Kong is closed on 2024-09-06 and -18, the mainland on others: none of it is a hole."""
    assert not judged(sound(EVERY))


@pytest.mark.parametrize(
    ("day", "what"),
    [
        (date(2023, 10, 9), "Hong Kong opened in the afternoon after a rainstorm"),
        (date(2016, 1, 7), "the mainland ended after half an hour of circuit breakers"),
        (date(2024, 12, 24), "Hong Kong closed at noon"),
    ],
)
def test_a_day_cut_short_is_published(day, what):
    assert not judged(sound(EVERY, day - timedelta(40), day), day), what


def test_a_close_on_a_day_on_which_its_exchange_was_closed_is_refused():
    """Typhoon Yagi shut Hong Kong on 2024-09-06; the mainland was open."""
    closed = date(2024, 9, 6)
    row = {"symbol": "00011.HK", "date": closed, "close": 10.02}
    found = judged([*sound(EVERY), row])

    assert told(found) == [("2024-09-06", "R19", "refuse")]
    assert "00011.HK 10.02 of 2024-09-06" in found[0].message
    assert "overlay" in found[0].message


@pytest.mark.parametrize("judges", [(), (date(2024, 9, 11),)], ids=["all", "one passed over"])
def test_a_close_of_a_weekend_is_refused_as_long_as_it_stands(judges):
    """The share is halted on Monday and Tuesday after it."""
    symbol, halted = SHANGHAI[0], [date(2024, 9, day) for day in (9, 10, 11)]
    row = {"symbol": symbol, "date": date(2024, 9, 7), "close": 10.02}
    out = {"symbol": symbol, "from": halted[0], "until": date(2024, 9, 12)}
    rows = [*without(sound(SHANGHAI), [symbol], *halted), row]
    found = judged(rows, *judges, tables={"suspensions": [out]})

    refused = [(str(day), "R19", "refuse") for day in judges or halted]
    assert told(found, "R19") == refused


def test_a_close_of_a_weekend_is_refused_with_the_session_after_it():
    row = {"symbol": "600001.SH", "date": date(2024, 9, 7), "close": 10.02}

    assert told(judged([*sound(SHANGHAI), row])) == [("2024-09-09", "R19", "refuse")]


def test_a_session_beyond_what_the_calendar_knows_is_refused_by_a_rule_of_its_own():
    known = read_calendar("XSHG").verified_until
    after = read_calendar("XSHG").after(known)
    prices = sound(SHANGHAI, known - timedelta(20), after)
    last = days_of("600001.SH", known - timedelta(5), known)[-1]

    assert not judged(prices, last)
    found = judged(prices, after)
    assert told(found) == [(str(after), "R22", "refuse")]
    assert "--allow-estimated-calendar" in found[0].message


def test_a_constituents_calendar_counts_as_the_indexs_does():
    known = read_calendar("XSHG").verified_until
    after = read_calendar("XSHG").after(known)
    prices = sound((*SHANGHAI, *HONG_KONG), known - timedelta(20), after)
    found = judged(prices, after, calendar="XHKG")

    assert told(found) == [(str(after), "R22", "refuse")]
    assert "a constituent's calendar XSHG" in found[0].message


def test_the_calendar_of_what_is_not_held_does_not_count():
    known = read_calendar("XSHG").verified_until
    after = read_calendar("XSHG").after(known)
    prices = sound((*SHANGHAI, *HONG_KONG), known - timedelta(20), after)
    later = [{"symbol": symbol, "from": after + timedelta(1)} for symbol in SHANGHAI]
    members = [*({"symbol": symbol} for symbol in HONG_KONG), *later]

    assert not judged(prices, after, calendar="XHKG", constituents=members)


@pytest.mark.parametrize("level", [0.0, -1.0, np.nan, np.inf, 0.00005])
def test_a_level_that_is_none_is_refused(level):
    folder = market({"prices": sound(SHANGHAI)})
    history = build(basket(**KEYS), folder)
    levels = history.variants["price"].copy()
    levels[5] = level
    found = findings(replace(history, variants={"price": levels}), folder, history.days.tolist())

    assert told(found, "R34") == [(str(history.days[5]), "R34", "refuse")]


@pytest.mark.parametrize(("off", "count"), [(0.9e-12, 0), (1.1e-12, 1)])
def test_weights_sum_to_one(off, count):
    """By shares a little too many: the level does not follow from them."""
    folder = market({"prices": sound(SHANGHAI)})
    history = build(basket(**KEYS), folder)
    shares = history.shares.copy()
    shares[-1] *= 1 + off
    found = findings(replace(history, shares=shares), folder, [history.days[-1].item()])

    assert told(found) == [(str(LAST), "R35", "refuse")] * count


@pytest.mark.parametrize(("off", "count"), [(0.9e-9, 0), (1.1e-9, 1)])
def test_contributions_sum_to_the_price_return(off, count):
    folder = market({"prices": sound(SHANGHAI)})
    history = build(basket(**KEYS), folder)
    moves = history.contribution.copy()
    moves[-1, 0] += off * (1 + moves[-1].sum())
    found = findings(replace(history, contribution=moves), folder, [history.days[-1].item()])

    assert told(found) == [(str(LAST), "R35", "refuse")] * count


def test_the_level_of_a_rebalance_is_that_of_the_old_basket():
    """Weights of its session are those before it, and so is the divisor; a delisting likewise."""
    rule = {"frequency": "monthly", "day": "15"}
    actions = [
        {"symbol": "600003.SH", "ex_date": date(2024, 9, 13), "kind": "delisting"},
        {"symbol": "600002.SH", "ex_date": date(2024, 9, 11), "kind": "special_dividend",
         "cash": 0.3},
    ]  # fmt: skip
    shares = [
        {"symbol": s, "date": FIRST, "total_shares": 1000.0 * n} for n, s in enumerate(SHANGHAI, 1)
    ]
    prices = [r for r in sound(SHANGHAI) if r["symbol"] != "600003.SH" or r["date"] <= DAY]
    prices += [
        r for r in sound(("600003.SH",)) if date(2024, 9, 10) < r["date"] < date(2024, 9, 13)
    ]
    tables = {"actions": actions, "shares": shares}
    for scheme in ("equal", "market_cap"):
        weighting = {"scheme": scheme}
        found = judged(prices, tables=tables, rebalance=rule, weighting=weighting)
        assert not told(found), scheme


@pytest.mark.parametrize("kind", ["delisting", "merger"])
def test_the_level_of_a_session_after_which_one_leaves_is_that_of_all_of_them(kind):
    action = {"symbol": "600003.SH", "ex_date": DAY, "kind": kind}
    action |= {"cash": 9.0} if kind == "merger" else {"price": 9.0}
    prices = [r for r in sound(SHANGHAI) if r["symbol"] != "600003.SH" or r["date"] <= DAY]

    assert not judged(prices, DAY, date(2024, 9, 11), tables={"actions": [action]})


@pytest.mark.parametrize("before", [None, date(2024, 9, 9)], ids=["moved", "renamed before"])
def test_closes_of_a_past_symbol_are_of_its_own_exchange(before):
    """Until 2024-09-18 it was listed in Hong Kong, which traded while the mainland rested."""
    change = {"ex_date": date(2024, 9, 18), "kind": "symbol_change", "other": "600011.SH"}
    moved = [change | {"symbol": "00014.HK" if before else "00011.HK"}]
    old = [r for r in sound(HONG_KONG[:1]) if r["date"] < date(2024, 9, 18)]
    if before:
        moved.append(change | {"symbol": "00011.HK", "ex_date": before, "other": "00014.HK"})
        old = [r | {"symbol": "00014.HK"} if r["date"] >= before else r for r in old]
    new = [r for r in sound(("600011.SH",)) if r["date"] >= date(2024, 9, 18)]
    assert any(r["date"] == date(2024, 9, 16) for r in old)
    members = [{"symbol": s} for s in (*SHANGHAI, "00011.HK")]
    money = [{"symbol": "600011.SH", "currency": "HKD"}]
    tables = {"actions": moved, "securities": money}
    found = judged([*sound(SHANGHAI), *old, *new], tables=tables, constituents=members)

    assert not told(found, "R19")


def test_a_session_after_the_last_level_is_waited_for():
    found = judged(sound(SHANGHAI), LAST, date(2024, 10, 8))

    assert told(found) == [("2024-10-08", "R15", "wait")]
    assert "last level is of 2024-09-30" in found[0].message


@pytest.mark.parametrize(
    ("day", "why"),
    [(date(2024, 7, 31), "before its first level"), (date(2024, 9, 7), "no session of XSHG")],
)
def test_a_date_that_can_have_no_level_is_an_error(day, why):
    with pytest.raises(MissingInputError, match=why):
        judged(sound(SHANGHAI), day)


def test_a_session_judged_alone_is_judged_as_among_others():
    day = date(2024, 9, 12)
    prices = with_close(without(sound(EVERY), HONG_KONG, DAY), "600001.SH", day, 100.0)
    prices = without(prices, SHENZHEN[:1], *days_of("000011.SZ", date(2024, 8, 5), DAY))
    history, folder = built(prices)
    together = list(findings(history, folder, history.days.tolist()))

    assert {f.rule for f in together} == {"R14", "R15", "R16", "R19"}
    apart = [f for day in history.days.tolist() for f in findings(history, folder, [day])]
    assert apart == together


# --- of a whole history -----------------------------------------------------------------------


def cautions(prices: list[Row], tables: Tables | None = None, **keys: Any) -> list[Text]:
    """Return what is told of an index of A.US and B.US over closes, or of what the keys define."""
    folder = market({"prices": prices, **(tables or {})})
    return list(gate_caveats(build(basket(**keys), folder), folder))


def test_closes_that_nobody_would_publish_are_counted_and_the_first_is_told():
    """On a board without limit a close may be 1.8 times the one before, but for the first five."""
    rows = closes("A.US", 10, 30, *[10] * 4, 25, 25, 60) + closes("B.US", *[10] * 7, 30, 30)
    (found,) = cautions(rows)

    assert found.en.startswith(
        "3 closes beyond belief, of which R16 would refuse to publish a level. The first: A.US "
        "closed at 25.0 on 2024-01-16, outside 5.55556 to 18 "
    )
    assert found.zh.startswith("3个收盘价超出R16的限度，所含点位不得发布。最早一例：A.US")


def test_a_history_within_belief_is_not_spoken_of():
    assert cautions(closes("A.US", 10, 11, 12) + closes("B.US", 10, 10, 10)) == []


def test_a_close_of_what_is_not_held_moves_no_level():
    """C trebles on the 16th."""
    rows = closes("A.US", *[10] * 9) + closes("B.US", *[10] * 9)
    rows += closes("C.US", *[10] * 6, 30, 30, 30)
    monthly = {"frequency": "monthly", "day": "last session"}

    def told_of(since: str) -> int:
        listed = [{"symbol": "A.US"}, {"symbol": "B.US"}, {"symbol": "C.US", "from": since}]
        return len(cautions(rows, constituents=listed, rebalance=monthly))

    assert (told_of("2024-01-08"), told_of("2024-01-18")) == (1, 0)


@pytest.mark.parametrize(("suspended", "count"), [("B.US", 1), ("A.US", 0)])
def test_sessions_with_a_hole_are_counted_where_nothing_explains_it(suspended: str, count: int):
    """A.US has no close on the third and the fourth session."""
    rows = closes("A.US", 10, 10, None, None, 10) + closes("B.US", 10, 11, 10, 11, 10)
    span = {"symbol": suspended, "from": date(2024, 1, 1), "until": date(2024, 2, 1)}
    found = cautions(rows, {"suspensions": [span]})

    assert [text.en.partition(" which ")[0] for text in found] == (
        ["2 sessions without a close that nothing explains,"] * count
    )


def test_a_line_that_has_no_rate_yet_is_none_at_an_old_one():
    """It came by a spin-off, before its first close and the first rate."""
    rows = closes("A.US", *[10] * 12) + closes("B.US", *[10] * 12)
    rows += closes("C.HK", *[None] * 5, *[10] * 7)
    spun = {"symbol": "A.US", "ex_date": date(2024, 1, 10), "kind": "spinoff", "ratio": 1.0}
    rate = {"date": date(2024, 1, 15), "base": "HKD", "quote": "USD", "rate": 0.13}
    tables = {"actions": [spun | {"other": "C.HK"}], "fx": [rate]}

    assert not [text for text in cautions(rows, tables) if "days old" in text.en]


@pytest.mark.parametrize(("sessions", "count"), [(12, 0), (20, 8)])
def test_sessions_at_a_rate_that_ends_long_before_are_counted(sessions: int, count: int):
    """The only rate is of the 8th of January; up to the 23rd it is fifteen days old."""
    rows = closes("A.US", *[10] * sessions) + closes("B.US", *[10] * sessions)
    rate = {"date": date(2024, 1, 8), "base": "USD", "quote": "CNY", "rate": 7.0}
    found = cautions(rows, {"fx": [rate]}, currency="CNY")

    assert [text.en for text in found] == [
        f"{count} sessions at a rate more than 15 days old. The first: no USD/CNY of 2024-01-24: "
        "the rate of 2024-01-08 stands, 16 days old"
    ] * bool(count)


def test_rates_beyond_belief_are_counted_and_the_first_is_told():
    """A comma slips on the third session, and is put right on the fourth."""
    rows = closes("A.US", *[10] * 5) + closes("B.US", *[10] * 5)
    days = [row["date"] for row in rows[:5]]
    rates = [
        {"date": day, "base": "USD", "quote": "CNY", "rate": rate}
        for day, rate in zip(days, (7.1, 7.1, 71.0, 7.1, 7.1), strict=True)
    ]
    (found,) = cautions(rows, {"fx": rates}, currency="CNY")

    assert found.en.startswith(
        f"2 rates beyond belief, at which R16 would refuse to publish a level. The first: USD/CNY "
        f"of 71 on {days[2]} after 7.1 on {days[1]}, more than a factor of 1.8: "
    )
    assert found.zh.startswith("2个汇率超出R16的限度，所折算的点位不得发布。最早一例：2024")
