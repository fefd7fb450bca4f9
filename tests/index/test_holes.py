"""Constituents without a close: stale weight, holes and silent exchanges."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import counted
from indexer.index.gates import findings
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
    without,
)

EVERY = (*SHANGHAI, *SHENZHEN, *HONG_KONG)
DAY = date(2024, 9, 10)
UNKNOWN = {"suspensions": [{"symbol": "600099.SH", "from": FIRST}]}  # of another symbol
FLAT = [row | {"close": 10.0} for row in sound((*SHANGHAI, *SHENZHEN))]


@pytest.mark.parametrize(("weight", "count"), [(0.0999, 0), (0.1, 0), (0.1001, 1)])
def test_a_tenth_of_the_weight_may_be_stale_and_no_more(weight, count):
    """All closes are 10, so that weights stay what they were."""
    weights = [weight, 1 - weight, *[0.0] * 4]
    symbols = [{"symbol": s, "weight": w}
               for s, w in zip((*SHANGHAI, *SHENZHEN), weights, strict=True)]  # fmt: skip
    found = judged(
        without(FLAT, SHANGHAI[:1], DAY),
        DAY,
        weighting={"scheme": "fixed"},
        constituents=symbols,
    )

    assert told(found, "R14") == [("2024-09-10", "R14", "refuse")] * count
    assert told(found, "R15") == [("2024-09-10", "R15", "note")]


def test_ten_equal_weights_are_a_tenth_each_whatever_rounding_says():
    symbols = [f"6000{n}.SH" for n in range(10, 20)]
    prices = [row | {"close": 10.0} for row in sound(symbols)]

    assert not told(judged(without(prices, symbols[:1], DAY), DAY), "R14")
    assert told(judged(without(prices, symbols[:2], DAY), DAY), "R14")


@given(
    st.sets(
        st.tuples(st.sampled_from(EVERY), st.sampled_from(days_of(SHANGHAI[0])[1:])), max_size=40
    ),
    st.integers(0, 8),
)
@settings(max_examples=40)
def test_an_index_is_too_stale_where_the_gate_says_so(holes, weight):
    """In closings of either exchange too: of Hong Kong in a typhoon, of Shanghai on holidays."""
    prices = [row for row in sound(EVERY) if (row["symbol"], row["date"]) not in holes]
    weights = [weight / 50, *[(1 - weight / 50) / 8] * 8]
    symbols = [{"symbol": s, "weight": w} for s, w in zip(EVERY, weights, strict=True)]
    history, folder = built(prices, weighting={"scheme": "fixed"}, constituents=symbols)
    found = findings(history, folder, history.days.tolist())

    refused = {f.session for f in found if (f.rule, f.verdict) == ("R14", "refuse")}
    assert set(history.days[history.too_stale].tolist()) == refused


def test_parts_of_a_tenth_that_sum_to_more_by_rounding_alone_pass():
    """Twelve of 120 equal weights sum to 0.10000000000000003."""
    symbols = [f"600{n}.SH" for n in range(100, 220)]
    prices = [row | {"close": 10.0} for row in sound(symbols, date(2024, 9, 9), DAY)]

    assert not told(judged(without(prices, symbols[:12], DAY), DAY), "R14")


@pytest.mark.parametrize("level", [0.001, 1e6])
def test_weight_is_a_part_of_the_index_however_small_its_level_is(level):
    keys = {"base": {"date": FIRST, "level": level}}

    assert told(judged(without(FLAT, SHANGHAI[:1], DAY), DAY, **keys), "R14")


def test_a_refusal_names_who_is_stale_since_when_and_how_much():
    found = judged(without(FLAT, SHANGHAI[:1], date(2024, 9, 9), DAY), DAY)
    message = found[0].message

    assert "16.6667% of the index weight of 2024-09-10 is stale, more than 10%" in message
    assert "600001.SH 16.67%, close of 2024-09-06, 2 sessions old, unexplained" in message


@pytest.mark.parametrize(("age", "count"), [(25, 0), (26, 1)])
def test_a_close_older_than_25_sessions_is_put_on_the_review_list(age, count):
    """Counted in sessions of its own exchange, of which there are fewer than of the index's."""
    days = days_of("00011.HK")
    day = days[-1]
    found = judged(without(sound(EVERY), HONG_KONG[:1], *days[-age:]), day)
    reviews = [f for f in found if f.rule == "R14" and f.verdict == "note"]

    assert len(reviews) == count
    assert not count or f"00011.HK (close of {days[-27]}, 26 sessions)" in reviews[0].message


def test_a_closed_exchange_is_not_stale():
    """Three ninths are in Hong Kong, which a typhoon shut on 2024-09-06."""
    assert not judged(sound(EVERY), date(2024, 9, 6))


SUSPENDED = {"symbol": "600001.SH", "from": DAY, "until": date(2024, 9, 12)}
MANY = [f"6000{n:02}.SH" for n in range(1, 13)]


@pytest.mark.parametrize(
    ("row", "explained"),
    [
        (SUSPENDED, True),
        (SUSPENDED | {"until": None}, True),
        (SUSPENDED | {"from": date(2024, 9, 11)}, False),
        (SUSPENDED | {"until": DAY, "from": date(2024, 9, 2)}, False),
        (SUSPENDED | {"until": date(2024, 9, 11)}, True),
        (SUSPENDED | {"symbol": "600002.SH"}, False),
    ],
)
def test_where_suspensions_are_known_a_hole_has_one_or_is_refused(row, explained):
    """A suspension ends before the day on which trading goes on."""
    prices = without(sound(MANY), ["600001.SH"], DAY)
    found = judged(prices, DAY, tables={"suspensions": [row]})

    assert told(found) == [("2024-09-10", "R15", "refuse")] * (not explained)


def test_without_a_table_of_suspensions_a_hole_is_flagged_and_passes():
    found = judged(without(sound(MANY), ["600001.SH"], DAY), DAY)

    assert told(found) == [("2024-09-10", "R15", "note")]
    assert "600001.SH (close of 2024-09-09): unexplained" in found[0].message


@pytest.mark.parametrize(("listed", "explained"), [(DAY, False), (date(2024, 9, 11), True)])
def test_a_constituent_that_is_not_listed_yet_has_no_hole(listed, explained):
    """It has closes from before: those of another market."""
    facts = {"securities": [{"symbol": "600001.SH", "list_date": listed}], **UNKNOWN}
    found = judged(without(sound(MANY), ["600001.SH"], DAY), DAY, tables=facts)

    assert told(found) == [("2024-09-10", "R15", "refuse")] * (not explained)


def test_delisting_explains_a_hole():
    facts = {"securities": [{"symbol": "600001.SH", "delist_date": DAY}], **UNKNOWN}
    days = days_of("600001.SH", date(2024, 9, 9), LAST)
    found = judged(without(sound(MANY), ["600001.SH"], *days), tables=facts)

    assert told(found) == [("2024-09-09", "R15", "refuse")]


def test_a_constituent_is_worth_its_delisting_price_on_its_last_session_and_not_stale():
    action = {"symbol": "600001.SH", "ex_date": DAY, "kind": "delisting", "price": None}
    prices = [r for r in sound(SHANGHAI) if r["symbol"] != "600001.SH" or r["date"] < DAY]
    for price in (None, 0.0, 0.00001, 9.5):
        tables = {"actions": [action | {"price": price}], **UNKNOWN}
        found = judged(prices, tables=tables, weighting={"scheme": "equal"})
        assert not told(found), price


def test_a_share_spun_off_and_not_yet_listed_is_no_hole():
    """It has joined at price zero; it is listed and trades two sessions later."""
    action = {"symbol": "600001.SH", "ex_date": DAY, "kind": "spinoff", "other": "600050.SH",
              "ratio": 1.0}  # fmt: skip
    own = [r for r in sound(["600050.SH"]) if r["date"] >= date(2024, 9, 12)]
    listed = {"securities": [{"symbol": "600050.SH", "list_date": date(2024, 9, 12)}], **UNKNOWN}
    found = judged(
        [*sound(MANY), *own],
        DAY,
        date(2024, 9, 11),
        tables={"actions": [action], **listed},
        constituents=[{"symbol": s} for s in MANY],
    )

    assert not told(found)


def test_without_any_close_the_data_are_waited_for():
    """The close of a symbol of the definition that is not held yet makes a level, of old closes."""
    constituents = [*({"symbol": s} for s in SHANGHAI), {"symbol": "000011.SZ", "from": LAST}]
    prices = without(sound((*SHANGHAI, "000011.SZ")), SHANGHAI, LAST)
    found = judged(prices, LAST, constituents=constituents)

    assert told(found) == [("2024-09-30", "R15", "wait")]
    assert "600001.SH, 600002.SH, 600003.SH" in found[0].message


def test_a_day_without_any_close_that_later_ones_have_passed_by_is_refused():
    constituents = [*({"symbol": s} for s in SHANGHAI), {"symbol": "000011.SZ", "from": LAST}]
    prices = without(sound((*SHANGHAI, "000011.SZ")), SHANGHAI, DAY)
    found = judged(prices, constituents=constituents)

    assert told(found) == [("2024-09-10", "R14", "refuse"), ("2024-09-10", "R15", "note")]


def test_an_exchange_whose_closes_are_to_come_is_waited_for():
    prices = without(sound(EVERY), HONG_KONG, LAST)
    found = judged(prices, LAST)

    assert told(found) == [("2024-09-30", "R19", "wait")]


def test_an_exchange_without_closes_that_later_ones_have_passed_by_is_refused_with_the_remedy():
    found = judged(without(sound(EVERY), HONG_KONG, DAY))

    assert told(found) == [("2024-09-10", "R19", "refuse")]
    assert "none of 3 held .HK constituents has a close of 2024-09-10" in found[0].message
    assert "indexer/market/calendars/XHKG.yaml" in found[0].message


def test_shanghai_is_silent_apart_from_shenzhen():
    found = judged(without(sound(EVERY), SHANGHAI, DAY))

    assert told(found) == [("2024-09-10", "R19", "refuse")]


def test_three_held_constituents_make_an_exchange_silent_whatever_others_in_the_folder_do():
    """A fourth that is not held has a close already: the fetch is under way."""
    prices = sound((*MANY, *HONG_KONG, "00014.HK"))
    held = [{"symbol": s} for s in (*MANY, *HONG_KONG)]
    found = judged(without(prices, HONG_KONG, LAST), LAST, constituents=held)

    assert told(found) == [("2024-09-30", "R19", "wait")]


def test_two_constituents_of_an_exchange_may_be_suspended_together():
    """Nothing else tells of the exchange: they are holes, and it is for their weight to refuse."""
    prices = sound((*MANY, *[f"0000{n}.SZ" for n in range(10, 20)], *HONG_KONG[:2]))
    found = judged(without(prices, HONG_KONG[:2], LAST), LAST)

    assert told(found) == [("2024-09-30", "R15", "note")]


def test_other_symbols_of_the_folder_tell_that_an_exchange_is_silent():
    """One of three Hong Kong shares is held; that the others have no close either is no chance."""
    prices = sound((*MANY, *HONG_KONG))
    held = [{"symbol": s} for s in (*MANY, HONG_KONG[0])]
    silent = without(prices, HONG_KONG, LAST)
    found = judged(silent, LAST, constituents=held)
    assert told(found) == [("2024-09-30", "R19", "wait")]

    found = judged(without(prices, HONG_KONG[:1], LAST), LAST, constituents=held)
    assert told(found) == [("2024-09-30", "R15", "note")]


def test_two_symbols_that_traded_last_are_too_few_to_tell():
    """The third has none on the session before either."""
    prices = without(sound((*MANY, *HONG_KONG)), HONG_KONG[1:2], days_of("00011.HK")[-2])
    held = [{"symbol": s} for s in (*MANY, HONG_KONG[0])]
    found = judged(without(prices, HONG_KONG, LAST), LAST, constituents=held)

    assert told(found) == [("2024-09-30", "R15", "note")]


def test_symbols_that_stopped_trading_long_ago_tell_nothing_of_their_exchange():
    """No exchange has rested for more than 15 days."""
    prices = sound((*MANY, *HONG_KONG))
    held = [{"symbol": s} for s in (*MANY, HONG_KONG[0])]
    days = [day for day in days_of("00011.HK") if day > DAY]
    found = judged(without(prices, HONG_KONG, *days), constituents=held)

    silent = [day for day, rule, _ in told(found) if rule == "R19"]
    assert (silent[0], silent[-1]) == ("2024-09-11", "2024-09-25")
    assert told(found)[-1] == ("2024-09-30", "R15", "note")
    alone = judged(without(prices, HONG_KONG, *days), date(2024, 9, 25), constituents=held)
    assert told(alone) == [("2024-09-25", "R19", "wait")]


def test_a_refusal_names_the_five_heaviest_and_counts_the_rest():
    members = [{"symbol": s, "weight": float(n)} for n, s in enumerate(MANY, 1)]
    weighting = {"scheme": "fixed", "normalise": True}
    prices = without([row | {"close": 10.0} for row in sound(MANY)], MANY[6:], DAY)
    found = judged(prices, DAY, weighting=weighting, constituents=members)
    message = next(f.message for f in found if f.rule == "R14")

    places = [message.find(symbol) for symbol in reversed(MANY[7:])]
    assert places == sorted(places)
    assert places[0] > 0
    assert MANY[6] not in message
    assert "6 in all" in message


def test_constituents_known_to_be_suspended_do_not_make_an_exchange_silent():
    rows = [{"symbol": s, "from": DAY, "until": date(2024, 9, 11)} for s in HONG_KONG]
    prices = without(sound((*MANY, *HONG_KONG)), HONG_KONG, DAY)
    found = judged(prices, DAY, tables={"suspensions": rows})

    assert told(found) == [("2024-09-10", "R14", "refuse")]
    assert "suspended" in found[0].message


@pytest.mark.parametrize(
    ("tables", "remedy"),
    [
        ({}, "fetch the closes"),
        (
            {"suspensions": [{"symbol": "600001.SH", "from": DAY}]},
            "publish with a recorded override while trading is suspended, or add a delisting with "
            "its price to the actions where it will not go on",
        ),
        (
            {"securities": [{"symbol": "600001.SH", "list_date": LAST}]},
            "publish with a recorded override until what is not listed yet trades",
        ),
        (
            {"securities": [{"symbol": "600001.SH", "delist_date": DAY}]},
            "add the delisting of what is delisted to the actions, with its price",
        ),
    ],
)
def test_the_remedy_of_stale_weight_is_one_that_its_cause_admits(tables, remedy):
    """What is suspended has no close that could be fetched."""
    (found,) = [f for f in judged(without(FLAT, SHANGHAI[:1], DAY), DAY, tables=tables)
                if f.rule == "R14"]  # fmt: skip

    assert found.message.endswith(f"; 1 in all): {remedy}")


def test_every_cause_of_stale_weight_has_its_remedy_once_and_on_one_line():
    rows = [{"symbol": s, "from": DAY} for s in SHENZHEN[:2]]
    prices = without(FLAT, (SHANGHAI[0], *SHENZHEN[:2]), DAY)
    (found,) = [f for f in judged(prices, DAY, tables={"suspensions": rows}) if f.rule == "R14"]

    assert "3 in all): fetch the closes; publish with a recorded override" in found.message
    assert found.message.count("override") == 1
    assert "\n" not in found.message


def test_what_weighs_nothing_asks_for_no_remedy():
    """A share spun off and not yet listed is held beside what is stale, at no value."""
    action = {"symbol": "600002.SH", "ex_date": DAY, "kind": "spinoff", "other": "600050.SH",
              "ratio": 1.0}  # fmt: skip
    own = [r for r in sound(["600050.SH"]) if r["date"] >= date(2024, 9, 12)]
    facts = [{"symbol": "600050.SH", "list_date": date(2024, 9, 12)}]
    members = [{"symbol": s} for s in (*SHANGHAI, *SHENZHEN)]
    prices = [*without(FLAT, SHANGHAI[:1], DAY), *own]
    tables = {"actions": [action], "securities": facts}
    found = judged(prices, DAY, tables=tables, constituents=members)
    message = next(f.message for f in found if f.rule == "R14")

    assert "2 in all" in message
    assert message.endswith(": fetch the closes")


def test_a_delisting_with_its_price_is_a_remedy():
    rows = [{"symbol": "600001.SH", "from": date(2024, 9, 9)}]
    gone = {"symbol": "600001.SH", "ex_date": DAY, "kind": "delisting", "price": 0.00001}
    prices = [r for r in FLAT if r["symbol"] != "600001.SH" or r["date"] < date(2024, 9, 9)]
    assert told(judged(prices, DAY, tables={"suspensions": rows}), "R14")

    found = judged(prices, DAY, LAST, tables={"suspensions": rows, "actions": [gone]})
    assert not told(found, "R14")


@pytest.mark.parametrize("age", [0, 1, 40])
def test_a_rate_of_a_day_before_is_noted_with_its_age(age):
    """It counts, but is never silently that of the day."""
    dated = DAY - timedelta(age)
    rates = [{"date": dated, "base": "HKD", "quote": "CNY", "rate": 0.9}]
    early = [{"date": FIRST, "base": "HKD", "quote": "CNY", "rate": 0.9}]
    found = judged(sound((*SHANGHAI, *HONG_KONG)), DAY, tables={"fx": [*early, *rates]})
    message = f"no HKD/CNY of {DAY}: the rate of {dated} stands, {counted(age, 'day')} old"

    assert [(f.rule, f.verdict, f.message) for f in found] == [("R14", "note", message)] * (age > 0)


def test_a_rate_that_nothing_held_is_converted_at_may_be_old():
    members = [*({"symbol": s} for s in SHANGHAI)]
    members += [{"symbol": s, "until": date(2024, 8, 15)} for s in HONG_KONG]
    early = [{"date": FIRST, "base": "HKD", "quote": "CNY", "rate": 0.9}]
    monthly = {"constituents": members, "rebalance": {"frequency": "monthly"}}
    prices = sound((*SHANGHAI, *HONG_KONG))

    assert told(judged(prices, date(2024, 8, 29), tables={"fx": early}, **monthly), "R14")
    assert not judged(prices, DAY, tables={"fx": early}, **monthly)
