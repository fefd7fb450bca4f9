"""Moves beyond belief, and feeds that do not move at all."""

import math
from datetime import date

import numpy as np
import pytest

from indexer.index.build import build
from indexer.index.gates import findings
from indexer.index.moves import index_moves
from indexer.market.conventions.gates import gate_limits
from tests.index.examples import Row, basket, market
from tests.index.gated import (
    FIRST,
    HONG_KONG,
    LAST,
    SHANGHAI,
    SHENZHEN,
    days_of,
    judged,
    sound,
    told,
    with_close,
)

EVERY = (*SHANGHAI, *SHENZHEN, *HONG_KONG)
DAY = date(2024, 9, 10)
BEFORE = {"600001.SH": 10.01, "688001.SH": 10.01, "920001.BJ": 10.01, "00011.HK": 10.01}
LIMITS = gate_limits(DAY)

# --- of who joins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "refused"),
    [(11, True), (20, True), (12, False)],
    ids=["reference", "effective", "else"],
)
def test_who_joins_is_judged_by_the_closes_it_joins_at(day, refused):
    """The third joins on 20 September, at weights by the closes of five sessions before."""
    newcomer, on = SHANGHAI[2], date(2024, 9, day)
    keys = {
        "rebalance": {"frequency": "monthly", "day": "third friday", "reference_lag": 5},
        "constituents": [
            *({"symbol": symbol} for symbol in SHANGHAI[:2]),
            {"symbol": newcomer, "from": date(2024, 9, 20)},
        ],
    }
    found = judged(with_close(sound(SHANGHAI), newcomer, on, 1.0), date(2024, 9, 20), **keys)

    assert told(found) == ([("2024-09-20", "R16", "refuse")] if refused else [])
    assert all(f"{newcomer} closed at 1.0 on {on}" in f.message for f in found)


# --- of rates ---------------------------------------------------------------------------------


def rates(*values: float, pair: tuple[str, str] = ("HKD", "CNY")) -> list[Row]:
    """Return rates on the last sessions of Shanghai, and one of 0.9 from the first on."""
    days = [FIRST, *days_of(SHANGHAI[0])[-len(values) :]]
    base, quote = pair
    return [
        {"date": day, "base": base, "quote": quote, "rate": rate}
        for day, rate in zip(days, (0.9, *values), strict=True)
    ]


@pytest.mark.parametrize(
    ("values", "beyond"),
    [
        ((0.91, 0.9), []),
        ((0.9 * 1.8, 0.9), []),
        ((0.9 / 1.8, 0.9), []),
        ((0.9 * 1.81, 0.9 * 1.81), [-2]),
        ((0.9 / 1.81, 0.9 / 1.81), [-2]),
        ((9.0, 0.9), [-2, -1]),
    ],
    ids=["sound", "at the bound", "at its inverse", "above", "below", "decimal point"],
)
def test_a_rate_beyond_a_factor_of_the_one_before_is_refused(values, beyond):
    found = judged(sound((*SHANGHAI, *HONG_KONG)), tables={"fx": rates(*values)})

    days = days_of(SHANGHAI[0])
    said = [f for f in found if f.rule == "R16" and "HKD/CNY" in f.message]
    assert [f.session for f in said] == [days[n] for n in beyond]


def test_a_rate_beyond_belief_is_told_with_the_one_before_and_what_to_look_at():
    found = judged(sound((*SHANGHAI, *HONG_KONG)), LAST, tables={"fx": rates(0.9, 9.0)})

    [message] = [f.message for f in found if "HKD/CNY" in f.message]
    assert message.startswith(
        "HKD/CNY of 9 on 2024-09-30 after 0.9 on 2024-09-27, more than a factor of 1.8: check "
    )


def test_a_rate_of_a_currency_that_nothing_held_is_in_does_not_count():
    rows = {"fx": [*rates(0.9, 0.9), *rates(7.0, 70.0, pair=("USD", "CNY"))]}
    found = judged(sound((*SHANGHAI, *HONG_KONG)), LAST, tables=rows)

    assert not [f for f in found if f.rule == "R16"]


# --- of the index -----------------------------------------------------------------------------


def moved(returns: list[float], rows: list[int]) -> list[str]:
    """Return the days on which levels that follow from log returns move beyond belief."""
    levels = 1000 * np.exp(np.cumsum([0.0, *returns]))
    days = np.datetime64("2020-01-01") + np.arange(len(levels)).astype("m8[D]")
    found = index_moves(levels, days, np.array(rows), LIMITS)
    return [str(f.session) for f in found]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("count", [60, 61, 249, 250, 300])
def test_an_index_may_move_six_deviations_of_the_returns_before_and_no_more(sign, count):
    """Of the last 250, or of as many as there are; what came before them is wilder."""
    wild = [0.1 * (-1) ** n for n in range(max(0, count - 250))]
    calm = [0.01 * (-1) ** n for n in range(min(count, 250))]
    bound = 6 * float(np.std(calm, ddof=1))
    for move, beyond in ((bound * 0.999, False), (bound * 1.001, True)):
        found = moved([*wild, *calm, sign * move], [count + 1])
        assert bool(found) == beyond


def test_with_fewer_than_60_returns_the_move_of_an_index_is_not_judged():
    calm = [0.01 * (-1) ** n for n in range(59)]

    assert not moved([*calm, 0.5], [60])
    assert moved([*calm, 0.01, 0.5], [61])


def test_a_level_that_never_moved_may_not_begin_to():
    """But for what rounding does to it."""
    assert not moved([*[0.0] * 100, 0.9e-9], [101])
    assert moved([*[0.0] * 100, 1.1e-9], [101])


def test_the_move_of_an_index_names_levels_return_and_bound():
    calm = [0.01 * (-1) ** n for n in range(100)]
    levels = 1000 * np.exp(np.cumsum([0.0, *calm, 0.2]))
    days = np.datetime64("2020-01-01") + np.arange(len(levels)).astype("m8[D]")
    (found,) = index_moves(levels, days, np.arange(len(levels)), LIMITS)

    assert "level 1221.402758 on 2020-04-11 after 1000.000000 on 2020-04-10" in found.message
    assert "+20.0000%, beyond 6 deviations (±6.0302%) of the 100 before it" in found.message
    assert found.verdict == "refuse"


# --- of a constituent -------------------------------------------------------------------------

# 10.01 by the limit, rounded half up, and a tick more or less
AT_MOST = {"600001.SH": 11.02, "688001.SH": 12.02, "920001.BJ": 13.02, "00011.HK": 18.018}
AT_LEAST = {"600001.SH": 9.0, "688001.SH": 8.0, "920001.BJ": 7.0, "00011.HK": 5.5612}


def of_constituent(symbol: str, close: float, *actions: Row, **keys: object) -> list[str]:
    """Return what R16 tells of a close on Tuesday, after 10.01 on Monday."""
    every = (symbol, *SHENZHEN, "000014.SZ", "000015.SZ")
    prices = with_close(sound(every), symbol, date(2024, 9, 9), 10.01)
    prices = with_close(prices, symbol, DAY, close)
    tables = {"actions": list(actions), **keys}
    return [f.message for f in judged(prices, DAY, tables=tables) if f.rule == "R16"]


@pytest.mark.parametrize("symbol", BEFORE)
def test_a_close_one_tick_beyond_its_boards_limit_passes_and_two_do_not(symbol):
    """Where there is no limit, a factor of 1.8 counts."""
    for bound, tick in ((AT_MOST[symbol], 0.01), (AT_LEAST[symbol], -0.01)):
        assert not of_constituent(symbol, round(bound - tick, 4))
        assert not of_constituent(symbol, bound)
        assert of_constituent(symbol, round(bound + tick, 4))


def test_the_limit_counts_from_the_ex_reference_price():
    """2.01 paid out of 10.01: 8.00, up to 8.81 and a half; without the dividend 8 is too low."""
    dividend = {"symbol": "600001.SH", "ex_date": DAY, "kind": "dividend", "cash": 2.01}

    assert of_constituent("600001.SH", 8.0)
    for close, beyond in ((8.81, False), (8.82, True), (7.19, False), (7.18, True), (10.0, True)):
        assert bool(of_constituent("600001.SH", close, dividend)) == beyond, close


def test_an_event_inside_a_hole_restates_the_close_before_it():
    """Two for one on Tuesday, the next close on Thursday."""
    split = {"symbol": "600001.SH", "ex_date": DAY, "kind": "split", "ratio": 2.0}
    back = date(2024, 9, 12)
    for close, beyond in ((5.51, False), (5.53, True), (10.01, True)):
        prices = with_close(sound((*SHANGHAI, *SHENZHEN)), "600001.SH", date(2024, 9, 9), 10.01)
        prices = with_close(prices, "600001.SH", back, close)
        prices = [r for r in prices
                  if r["symbol"] != "600001.SH" or not DAY <= r["date"] < back]  # fmt: skip
        found = judged(prices, back, tables={"actions": [split]})
        assert bool(told(found, "R16")) == beyond, close


def test_sessions_without_a_close_are_told_with_the_evidence():
    prices = [r for r in sound((*SHANGHAI, *SHENZHEN))
              if r["symbol"] != "600001.SH" or not date(2024, 9, 5) <= r["date"] < DAY]  # fmt: skip
    (found,) = judged(with_close(prices, "600001.SH", DAY, 12.0), DAY)

    assert "600001.SH closed at 12.0 on 2024-09-10, outside 8.99 to 11.01" in found.message
    assert "price 10 of 2024-09-04, 3 sessions without a close between" in found.message


@pytest.mark.parametrize(("missing", "told"), [(0, ""), (1, ", 1 session without"), (2, ", 2 s")])
def test_each_session_without_a_close_is_counted(missing, told):
    gap = days_of("600001.SH", date(2024, 9, 4), date(2024, 9, 9))[4 - missing :]
    prices = [r for r in sound((*SHANGHAI, *SHENZHEN))
              if r["symbol"] != "600001.SH" or r["date"] not in gap]  # fmt: skip
    (found,) = judged(with_close(prices, "600001.SH", DAY, 12.0), DAY)

    assert ("without a close between" in found.message) == bool(missing)
    assert told in found.message


def test_where_there_is_no_limit_the_bounds_are_told_too():
    (message,) = of_constituent("00011.HK", 100.1)

    assert "outside 5.56111 to 18.018 (a factor of 1.8 from the ex-reference price" in message


@pytest.mark.parametrize("close", [100.1, 1.001, 1001.0])
@pytest.mark.parametrize("symbol", BEFORE)
def test_a_close_in_another_unit_is_refused_on_every_board(symbol, close):
    assert of_constituent(symbol, close)


def test_a_split_nobody_recorded_is_refused_where_there_is_no_limit():
    split = {"symbol": "00011.HK", "ex_date": DAY, "kind": "split", "ratio": 2.0}

    assert of_constituent("00011.HK", 5.2)
    assert not of_constituent("00011.HK", 5.2, split)


@pytest.mark.parametrize(("sessions", "beyond"), [(4, False), (5, False), (6, True)])
def test_the_first_five_sessions_of_a_listing_are_exempt(sessions, beyond):
    """The list date is the first of them."""
    days = [day for day in days_of("600001.SH") if day <= DAY]
    facts = [{"symbol": "600001.SH", "list_date": days[-sessions]}]

    assert bool(of_constituent("600001.SH", 25.0, securities=facts)) == beyond


def test_a_first_close_has_none_that_it_could_be_far_from():
    facts = [{"symbol": s, "list_date": date(2010, 1, 4)} for s in SHANGHAI]
    prices = [row | {"close": 10.0 * row["close"]} if row["symbol"] == "600003.SH" else row
              for row in sound(SHANGHAI)]  # fmt: skip

    assert not judged(prices, FIRST, tables={"securities": facts})


@pytest.mark.parametrize(("ratio", "close"), [(1.0, 25.0), (2.0, 10.0)])
def test_the_second_close_of_the_first_constituent_is_judged_too(ratio, close):
    """Too high as it is, or for a split of two for one."""
    day = days_of("600001.SH")[1]
    facts = [{"symbol": s, "list_date": date(2010, 1, 4)} for s in SHANGHAI]
    split = {"symbol": "600001.SH", "ex_date": day, "kind": "split", "ratio": ratio}
    prices = with_close(sound(SHANGHAI), "600001.SH", day, close)
    found = judged(prices, day, tables={"securities": facts, "actions": [split]})

    assert told(found) == [(str(day), "R16", "refuse")]


def test_a_new_listing_does_not_hide_the_close_of_another():
    facts = [{"symbol": "600001.SH", "list_date": date(2024, 9, 9)}]
    prices = sound((*SHANGHAI, *SHENZHEN))
    for symbol in SHANGHAI[:2]:
        prices = with_close(prices, symbol, DAY, 25.0)
    (found,) = [f for f in judged(prices, DAY, tables={"securities": facts}) if f.rule == "R16"]

    assert found.message.startswith("600002.SH closed at 25.0 on 2024-09-10")


def test_adjusted_closes_have_two_per_cent_for_ticks_that_are_not_known():
    """The limit of 10 per cent on 10.01 is 11.011, and 11.2112 with them."""
    facts = [{"symbol": "600001.SH", "price_kind": "total_return_adjusted"}]

    assert not of_constituent("600001.SH", 11.21, securities=facts)
    assert of_constituent("600001.SH", 11.22, securities=facts)


def test_a_constituent_that_is_not_held_may_close_where_it_likes():
    prices = with_close(sound((*SHANGHAI, *SHENZHEN)), "600001.SH", DAY, 100.0)
    held = [{"symbol": s} for s in (*SHANGHAI[1:], *SHENZHEN)]
    other = [*held, {"symbol": "600001.SH", "from": LAST}]

    assert not judged(prices, constituents=other)


def test_a_close_between_two_sessions_of_the_index_is_judged_with_the_later_one():
    """The mainland rested on 2024-09-16 and 17; Hong Kong's close of 16 stands if 18's is none."""
    found = judged(with_close(sound(EVERY), "00011.HK", date(2024, 9, 16), 100.0))

    assert told(found) == [("2024-09-18", "R16", "refuse")] * 2  # there and back


def test_a_spike_of_115_per_cent_is_refused_and_never_published_as_the_day_before():
    """The level stays what the closes say: nothing is put in its place."""
    first = date(2023, 8, 1)
    prices = sound(SHANGHAI, first)
    was = build(*_pair(prices, first)).variants["price"][-1]
    for symbol in SHANGHAI:
        prices = with_close(prices, symbol, LAST, 21.5)
    folder = market({"prices": prices})
    history = build(_pair(prices, first)[0], folder)
    found = findings(history, folder, [LAST])

    level = float(history.variants["price"][-1])
    assert math.isclose(level, 2.15 * 1000, rel_tol=1e-2)
    assert abs(level - was) > 1000
    assert told(found) == [("2024-09-30", "R16", "refuse")] * 4
    assert any("beyond 6 deviations" in f.message for f in found)


def _pair(prices: list[Row], first: date) -> tuple[object, object]:
    keys = {"currency": "CNY", "calendar": "XSHG", "base": {"date": first, "level": 1000.0}}
    constituents = [{"symbol": symbol} for symbol in SHANGHAI]
    return basket(**keys, constituents=constituents), market({"prices": prices})


# --- none at all ------------------------------------------------------------------------------


def repeated(
    rows: list[Row], symbols: tuple[str, ...], *, volume: bool = True, day: date = DAY
) -> list[Row]:
    """Return closes with those of a day repeating the ones before it, with the volumes or not."""
    last = {r["symbol"]: r for r in rows if r["date"] < day}
    keys = ("close", "volume") if volume else ("close",)
    return [
        r | {k: last[r["symbol"]][k] for k in keys}
        if r["symbol"] in symbols and r["date"] == day
        else r
        for r in rows
    ]


def no_volume(rows: list[Row]) -> list[Row]:
    return [row | {"volume": None} for row in rows]


def test_a_day_that_repeats_the_one_before_is_refused():
    found = judged(repeated(sound(EVERY), EVERY), DAY)

    assert told(found) == [("2024-09-10", "R17", "refuse")]
    assert "all 9 held constituents with a close of 2024-09-10" in found[0].message


def test_one_close_or_one_volume_that_moved_is_another_day():
    assert not judged(repeated(sound(SHANGHAI), SHANGHAI[1:]), DAY)
    assert not judged(repeated(sound(SHANGHAI), SHANGHAI, volume=False), DAY)
    other = repeated(repeated(sound(SHANGHAI), SHANGHAI[1:]), SHANGHAI[:1], volume=False)
    assert not judged(other, DAY)


@pytest.mark.parametrize(("count", "refused"), [(1, False), (2, False), (3, True)])
def test_without_volumes_three_closes_prove_that_a_feed_is_frozen(count, refused):
    symbols = SHANGHAI[:count]
    found = judged(repeated(no_volume(sound(symbols)), symbols), DAY)

    assert told(found) == [("2024-09-10", "R17", "refuse")] * refused


@pytest.mark.parametrize(("volume", "refused"), [(500.0, True), (0.0, False)])
def test_one_close_with_the_same_volume_proves_it_unless_nothing_was_traded(volume, refused):
    prices = [row | {"volume": volume} for row in sound(SHANGHAI[:1])]
    found = judged(repeated(prices, SHANGHAI[:1]), DAY)

    assert told(found) == [("2024-09-10", "R17", "refuse")] * refused


def test_a_constituent_without_a_close_does_not_hide_that_the_others_are_frozen():
    symbols = tuple(f"6000{n}.SH" for n in range(10, 23))
    prices = [r for r in sound(symbols) if (r["symbol"], r["date"]) != (symbols[0], DAY)]
    found = judged(repeated(prices, symbols), DAY)

    assert told(found) == [("2024-09-10", "R15", "note"), ("2024-09-10", "R17", "refuse")]


def test_first_closes_repeat_none():
    """All are the same, but no line had one before."""
    flat = no_volume([row | {"close": 10.0} for row in sound(SHANGHAI)])

    assert not judged(flat, FIRST)
    assert told(judged(flat, days_of("600001.SH")[1]), "R17")


def test_shanghai_frozen_while_others_move_is_refused():
    """The morning of 2024-09-27, when Shanghai's system stood still and Shenzhen's did not."""
    day = date(2024, 9, 27)
    found = judged(repeated(sound(EVERY), SHANGHAI, day=day), day)

    assert told(found) == [("2024-09-27", "R18", "refuse")]
    assert "all 3 held .SH constituents" in found[0].message
    assert "while .SZ, .HK moved" in found[0].message


def test_one_close_that_moves_elsewhere_tells_that_only_one_exchange_is_frozen():
    found = judged(repeated(sound((*SHANGHAI, HONG_KONG[0])), SHANGHAI), DAY)

    assert told(found) == [("2024-09-10", "R18", "refuse")]
    assert "while .HK moved" in found[0].message


@pytest.mark.parametrize(("count", "refused"), [(2, False), (3, True)])
def test_without_volumes_three_closes_prove_that_an_exchange_is_frozen(count, refused):
    symbols = (*SHANGHAI[:count], *SHENZHEN)
    found = judged(repeated(no_volume(sound(symbols)), SHANGHAI), DAY)

    assert told(found) == [("2024-09-10", "R18", "refuse")] * refused
