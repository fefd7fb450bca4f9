"""From a definition and a folder to levels: spans, rates, and what is refused.

Unless a test says otherwise A.US and B.US are held, half and half, at 10 and 20 on the base date:
50 and 25 index shares, and a divisor of 1.
"""

import re
from datetime import date, datetime, timedelta

import pytest

from indexer.definitions.basket import Series
from indexer.errors import DefinitionError, MarketDataError, MissingInputError
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from tests.index.examples import REQUIRED, basket, history, market, price
from tests.reference.example import (
    MONDAY,
    NEXT_MONDAY,
    SATURDAY,
    SESSIONS,
    SUNDAY,
    WEEK,
    action,
    closes,
    listed,
    shares,
)

A, B = closes("A.US", 10, 11, 12), closes("B.US", 20, 20, 20)
BEFORE = SESSIONS[SESSIONS.index(MONDAY) - 1]
MONTHLY = {"frequency": "monthly", "day": str(WEEK[1].day)}  # on Tuesday
ADJUSTED = {"securities": [{"symbol": "A.US", "price_kind": "total_return_adjusted"}]}


def days(found: History) -> list[date]:
    return found.days.tolist()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"until": "2024-03-04"}, "until is '2024-03-04': give a datetime.date"),
        ({"until": datetime(2024, 3, 4)}, "give a datetime.date"),  # noqa: DTZ001 (none has a zone)
        ({"definition": "trio.yaml"}, "'trio.yaml' is no index: give what read_basket returns"),
    ],
)
def test_what_is_no_date_or_no_index_is_refused(given, told):
    whole = {"definition": basket(), "market": market({"prices": A})} | given
    with pytest.raises(TypeError, match=told):
        build(**whole)


# --- ready-made series ----------------------------------------------------------------------------

WEEKLY = [{"symbol": "MAIN.US", "date": d, "close": c}
          for d, c in ((WEEK[2], 120.0), (WEEK[0], 80.0), (WEEK[1], 100.0))]  # fmt: skip
OTHER = [{"symbol": "SIDE.US", "date": WEEK[0], "close": 7.0}]


def series(rows, until=None, synthetic=False, **keys):
    """Return the history of MAIN.US as an index on the calendar 24/5."""
    given = {"kind": "series", "symbol": "MAIN.US", "currency": "USD", "calendar": "24/5"}
    definition = Series.model_validate(REQUIRED | given | keys)
    return build(definition, market({"series": rows}, synthetic=synthetic), until=until)


def test_a_series_is_an_index_as_it_stands():
    found = series(WEEKLY + OTHER, synthetic=True)

    assert found.levels.rows() == [
        (day, "price", level, None, None, 0, False)
        for day, level in zip(WEEK, (80.0, 100.0, 120.0), strict=False)
    ]
    assert found.synthetic
    assert (found.symbols, found.panel, found.warnings) == ((), None, ())
    assert found.contributions.is_empty()
    assert found.summary["effective_number"] is None
    assert not series(WEEKLY).synthetic


def test_a_series_may_be_rebased_and_ends_with_until():
    found = series(WEEKLY, base={"date": WEEK[1], "level": 1000.0})
    assert days(found) == WEEK[1:3]
    assert price(found) == [1000, 1200]
    assert days(series(WEEKLY, until=WEEK[1])) == WEEK[:2]


def test_a_series_begins_at_its_base_level_to_the_last_bit():
    """103 times 500/103 is less than 500."""
    prices = [row | {"close": 103.0} for row in WEEKLY]

    assert price(series(prices, base={"date": MONDAY, "level": 500.0}))[0] == 500


@pytest.mark.parametrize("close", [5e-324, 1e308])
def test_a_series_that_rebasing_takes_beyond_all_numbers_is_refused(close):
    rows = [*WEEKLY[1:], WEEKLY[0] | {"close": close}]
    message = f"MAIN.US: the level of {WEEK[2]} is no number above zero: its close is"
    with pytest.raises(MarketDataError, match=message):
        series(rows, base={"date": WEEK[1], "level": 1000.0 if close > 1 else 1e-3})


def test_a_series_without_a_close_is_an_error():
    with pytest.raises(MissingInputError, match=r"^series: MAIN.US: no close in the folder$"):
        series(OTHER)


@pytest.mark.parametrize(
    ("days", "bound"),
    [
        ((None, BEFORE), f"up to {BEFORE}"),
        ((WEEK[3], None), f"from its base date {WEEK[3]} on"),
        ((WEEK[3], WEEK[4]), f"from its base date {WEEK[3]} on, up to {WEEK[4]}"),
        ((WEEK[3], BEFORE), f"up to {BEFORE}"),
    ],
)
def test_a_series_none_of_whose_closes_counts_says_why_and_which_there_are(days, bound):
    base, until = days
    keys = {} if base is None else {"base": {"date": base, "level": 1.0}}
    message = (
        f"^series: MAIN.US: no close {bound}: the folder has those from {WEEK[0]} to {WEEK[2]}$"
    )
    with pytest.raises(MissingInputError, match=message):
        series(WEEKLY, until, **keys)


@pytest.mark.parametrize("kept", [WEEK[:1], WEEK[:3]])
def test_a_series_in_another_currency_than_its_definition_is_refused(kept):
    rows = [row | {"currency": "CNY" if row["date"] in kept else None} for row in WEEKLY]
    message = "USD, but the series table has MAIN.US in CNY: make them agree"
    with pytest.raises(DefinitionError, match=message) as refused:
        series(rows)

    assert refused.value.problems[0].path == "currency"


def test_a_series_may_be_given_in_the_currency_of_its_definition():
    """Closes that are not used, of another currency, are no matter."""
    rows = [row | {"currency": "USD" if row["date"] < WEEK[2] else "CNY"} for row in WEEKLY]

    assert price(series(rows, until=WEEK[1])) == [80, 100]


def test_a_series_is_rebased_on_a_close_of_its_own():
    with pytest.raises(
        DefinitionError, match=f"no close on {BEFORE}, the first one.*{MONDAY}"
    ) as e:
        series(WEEKLY, base={"date": BEFORE, "level": 1000.0})

    assert e.value.problems[0].path == "base.date"


def test_closes_of_a_series_on_no_session_are_counted():
    weekend = [{"symbol": "MAIN.US", "date": day, "close": 90.0} for day in (SATURDAY, SUNDAY)]
    found = series(WEEKLY + weekend)

    assert days(found) == [*WEEK[:3], SATURDAY, SUNDAY]
    assert found.off_calendar == found.summary["closes_off_calendar"] == 2
    (warned,) = found.summary["warnings"]
    assert warned == (
        "2 closes used from days closed by the exchange's calendar, the first MAIN.US of "
        f"{SATURDAY}"
    )


def test_the_digest_of_a_series_is_blind_to_others_and_to_what_comes_later():
    more = [*WEEKLY, {"symbol": "MAIN.US", "date": WEEK[3], "close": 9.0}]
    digest = series(WEEKLY).market_digest

    assert series(WEEKLY + OTHER).market_digest == series(more, until=WEEK[2]).market_digest
    assert series(WEEKLY + OTHER).market_digest == digest != series(more).market_digest


# --- sessions -------------------------------------------------------------------------------------


def test_levels_run_from_the_base_date_to_the_latest_close_of_any_constituent():
    """C and X, which A spins off, are no constituents, and Saturday is no session."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="X.US")
    late = [{"symbol": "A.US", "date": SATURDAY, "close": 12.0}]
    early = closes("A.US", 9, start=BEFORE)
    found = history(
        early + A + B + late + closes("C.US", *[5] * 9) + closes("X.US", *[1] * 9), spun
    )

    assert days(found) == WEEK
    assert price(found) == pytest.approx([1000, 1100, 1150, 1150, 1150])
    assert found.carried.tolist() == [0, 0, 0, 2, 2]


def test_only_the_first_reference_date_gives_way_to_the_oldest_close():
    """No close is as old as the session before the base date, Tuesday's reference."""
    rule = MONTHLY | {"reference_lag": 2}
    reasons = ", ".join(f"{s} (no close on or before {BEFORE})" for s in ("A.US", "B.US"))
    message = f"example: none of the 2 constituents can be held on {WEEK[1]}: {reasons}"
    with pytest.raises(MissingInputError, match=f"^{re.escape(message)}$"):
        history(A + B, rebalance=rule)


@pytest.mark.parametrize(("until", "last"), [(0, 0), (1, 1), (2, 2), (4, 4), (6, 4), (7, 5)])
def test_until_is_the_last_day_that_counts(until, last):
    """Counted from Monday: five is a Saturday."""
    prices = closes("A.US", *[10] * 6) + closes("B.US", *[20] * 6)
    found = history(prices, until=MONDAY + timedelta(until))

    assert days(found) == [*WEEK, NEXT_MONDAY][: last + 1]


@pytest.mark.parametrize(("first", "told"), [(20, 1), (15, 0)])
def test_a_spun_off_line_that_leaves_before_it_traded_is_told(first, told):
    """January's rebalance is on its eighteenth session."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="X.US")
    rows = closes("A.US", *[10] * 25) + closes("B.US", *[20] * 25)
    rows += closes("X.US", *[None] * first, *[1] * (25 - first))
    monthly = {"frequency": "monthly", "day": "last session"}
    found = [text for text in history(rows, spun, rebalance=monthly).warnings if "X.US" in text.en]

    assert [text.en.partition(":")[0] for text in found] == [
        "X.US came by a spin-off and left on 2024-01-31, before it had a close"
    ] * told


def test_until_leaves_out_what_comes_after_it():
    """Neither the spun-off line nor the departure of Wednesday is known on Tuesday."""
    spun = action("A.US", WEEK[2], "spinoff", ratio=1, other="X.US")
    gone = action("B.US", WEEK[2], "delisting", price=0)
    found = history(A + B, spun, gone, until=WEEK[1])

    assert found.symbols == ("A.US", "B.US")
    assert price(found) == [1000, 1050]
    assert history(A + B, spun, gone).symbols == ("A.US", "B.US", "X.US")


@pytest.mark.parametrize(
    ("until", "more", "end"),
    [
        (None, [], f"prices: ends on {BEFORE}, before the base date {MONDAY} of example"),
        (WEEK[1], [], f"prices: ends on {BEFORE}, before the base date {MONDAY} of example"),
        (BEFORE, A, f"example: is asked for until {BEFORE}, before the base date {MONDAY}"),
    ],
)
def test_data_that_end_before_the_base_date_are_an_error(until, more, end):
    rows = closes("A.US", 9, start=BEFORE) + more
    with pytest.raises(MissingInputError, match=f"^{end}$"):
        history(rows, until=until)


def test_a_close_beyond_every_calendar_is_named():
    rows = [{"symbol": "A.US", "date": date(2062, 1, 6), "close": 10.0}]
    with pytest.raises(MissingInputError, match=r"prices: A\.US: has a close of 2062-01-06:"):
        history(A + B + rows)


def test_a_base_date_that_is_no_session_names_its_neighbours():
    message = f"{SATURDAY} is no session of 24/5: take {WEEK[4]} or {NEXT_MONDAY}"
    with pytest.raises(DefinitionError, match=message) as refused:
        history(A + B, base={"date": SATURDAY, "level": 1000.0})

    assert refused.value.problems[0].path == "base.date"


def test_a_base_date_outside_the_calendar_and_an_unknown_calendar_are_errors():
    with pytest.raises(DefinitionError, match=r"base\.date: calendar XSHG: does not know 1980"):
        history(A + B, base={"date": date(1980, 1, 2), "level": 1.0}, calendar="XSHG")
    with pytest.raises(DefinitionError, match=r"calendar: .*XXXX"):
        history(A + B, calendar="XXXX")


def test_closes_older_than_the_calendar_are_no_obstacle():
    old = [{"symbol": "A.US", "date": date(1970, 1, 2), "close": 1.0}]

    assert price(history(old + A + B)) == [1000, 1050, 1100]


@pytest.mark.parametrize("lag", [0, 1])
def test_an_index_may_begin_on_the_first_session_of_its_calendar(lag):
    """There is no session before it for a reference date."""
    first, second = (day.item() for day in read_calendar("24/5").sessions[:2])
    path = {first: (10.0, 20.0), second: (11.0, 20.0)}
    prices = [{"symbol": symbol, "date": day, "close": close}
              for day, pair in path.items()
              for symbol, close in zip(("A.US", "B.US"), pair, strict=True)]  # fmt: skip
    found = history(prices, base={"date": first, "level": 1000.0}, rebalance={"reference_lag": lag})

    assert days(found) == [first, second]
    assert price(found) == pytest.approx([1000, 1050])


# --- constituents without prices, adjusted prices -------------------------------------------------


def test_who_has_no_close_is_left_out_and_named():
    found = history(A, constituents=listed("C.US", "A.US", "B.US"))

    assert found.symbols == ("A.US",)
    assert found.missing == ("C.US", "B.US")
    assert found.summary["missing"] == ["C.US", "B.US"]
    assert found.summary["warnings"] == ["left out, no close in the folder: C.US, B.US"]
    assert found.warnings[0].zh == "数据中无收盘价，未纳入：C.US、B.US"
    assert price(found) == [1000, 1100, 1200]


def test_who_has_no_close_is_an_error_of_a_strict_build():
    definition = basket(constituents=listed("A.US", "B.US", "C.US"))
    with pytest.raises(MissingInputError, match="example is built strictly") as refused:
        build(definition, market({"prices": A}), strict=True)

    assert [flaw.symbol for flaw in refused.value.flaws] == ["B.US", "C.US"]
    assert build(basket(), market({"prices": A + B}), strict=True).missing == ()


def test_no_close_of_anybody_is_an_error():
    with pytest.raises(MissingInputError, match="no close of any of the 2 constituents of example"):
        history(closes("C.US", 5))


def test_a_folder_without_closes_is_told_from_one_without_those_asked_for():
    with pytest.raises(MissingInputError, match=r"nor prices.parquet has a row$"):
        build(basket(), market({"actions": [action("A.US", MONDAY, "dividend", cash=1.0)]}))


def test_a_constituent_goes_on_with_the_closes_of_its_new_symbol():
    """A's are all under Z, and the last of them ends the index."""
    renamed = action("A.US", BEFORE, "symbol_change", other="Z.US")
    found = history(closes("Z.US", 10, 11, 12) + closes("B.US", 20), renamed)

    assert found.missing == ()
    assert price(found) == [1000, 1050, 1100]


def test_a_constituent_that_has_become_another_without_closes_is_missing():
    """What goes on under its own symbol afterwards is another company's, or a mistake."""
    renamed = action("A.US", BEFORE, "symbol_change", other="Z.US")

    assert history(A + B, renamed).missing == ("A.US",)
    with pytest.raises(MissingInputError, match=r"A\.US: no close in the folder"):
        build(basket(), market({"prices": A + B, "actions": [renamed]}), strict=True)


def test_closes_that_are_all_under_the_new_symbol_are_warned_of():
    renamed = action("A.US", WEEK[1], "symbol_change", other="Z.US")
    found = history(closes("Z.US", 10, 11, 12) + closes("B.US", 20, 20, 20), renamed)

    assert found.summary["warnings"] == [
        f"A.US has no close before it becomes Z.US on {WEEK[1]}, which has: it is not held before; "
        "give its earlier closes as those of A.US"
    ]


def test_a_constituent_has_the_segment_that_is_tabled_under_its_earlier_symbol():
    named = [{"symbol": "A.US", "segment": "a"}, {"symbol": "B.US", "segment": "b"}]
    found = history(
        closes("A.US", 10) + closes("Z.US", None, 11) + closes("B.US", 20, 20),
        action("A.US", WEEK[1], "symbol_change", other="Z.US"),
        tables={"securities": named},
        constituents=[{"symbol": "Z.US"}, {"symbol": "B.US"}],
        weighting={"scheme": "equal", "caps": {"segment": 1}},
    )

    assert found.panel.segments == ("a", "b")


@pytest.mark.parametrize(("price", "warned"), [(20, True), (11.1, True), (10.9, False)])
def test_a_change_into_a_symbol_at_another_price_is_warned_of(price, warned):
    """A closes at 10 before it becomes B, which has closes of its own."""
    renamed = action("A.US", WEEK[1], "symbol_change", other="B.US")
    found = history(A + closes("B.US", price, price, price), renamed)

    expected = (
        f"A.US becomes B.US on {WEEK[1]}, one for one, at 10 and {price:g} before: enter a merger "
        "with its ratio if it was another"
    )
    assert found.summary["warnings"] == ([expected] if warned else [])


@pytest.mark.parametrize(("paid", "warned"), [(WEEK[1], False), (WEEK[2], True)])
def test_an_action_of_a_symbol_that_has_become_another_is_warned_of(paid, warned):
    """One of the day of the change is paid on the old one."""
    renamed = action("A.US", WEEK[1], "symbol_change", other="B.US")
    found = history(
        A + closes("B.US", 10, 10, 10), renamed, action("A.US", paid, "dividend", cash=1)
    )

    expected = (
        f"A.US is B.US from {WEEK[1]} on: 1 action of A.US after that not counted, give what is "
        "B.US's as its own"
    )
    assert found.summary["warnings"] == ([expected] if warned else [])


def test_an_action_of_a_symbol_that_has_changed_twice_is_told_once():
    changes = [
        action("A.US", WEEK[1], "symbol_change", other="B.US"),
        action("B.US", WEEK[2], "symbol_change", other="C.US"),
    ]
    dividend = action("A.US", WEEK[3], "dividend", cash=1)
    found = history(A + closes("C.US", 10, 10, 10, 10), *changes, dividend)

    assert [text for text in found.summary["warnings"] if "not counted" in text] == [
        f"A.US is B.US from {WEEK[1]} on: 1 action of A.US after that not counted, give what is "
        "B.US's as its own"
    ]


@pytest.mark.parametrize("scheme", ["market_cap", "free_float"])
def test_adjusted_prices_have_no_shares_to_count(scheme):
    message = f"^prices: A.US: adjusted prices cannot be weighted by {scheme}: give raw ones$"
    with pytest.raises(MarketDataError, match=message):
        history(A + B, tables=ADJUSTED | shares(1, 1), weighting={"scheme": scheme})


@pytest.mark.parametrize(
    "variants",
    [
        ["price", "net"],
        ["gross"],
    ],
)
def test_adjusted_prices_make_a_gross_index_and_it_says_so(variants):
    """Their own dividend is in them, B's is paid beside; no rate of tax is asked for."""
    paid = [action(symbol, WEEK[1], "dividend", cash=1) for symbol in ("A.US", "B.US")]
    found = history(A + B, *paid, tables=ADJUSTED, variants=variants, withholding={"CN": 0.1})

    assert list(found.variants) == ["gross"]
    assert found.variants["gross"].tolist() == pytest.approx([1000, 1075, 1075 * 1100 / 1050])
    told = "gross alone: prices of A.US are adjusted for total return"
    assert found.summary["warnings"] == [told]


# --- calendars of exchanges, rates ----------------------------------------------------------------


@pytest.mark.attack("A6")
@pytest.mark.parametrize(("issuer", "warned"), [("A plc", True), ("B plc", False)])
def test_two_shares_of_one_company_are_warned_of(issuer, warned):
    rows = closes("A.US", 10, 11) + closes("B.US", 20, 20)
    securities = [{"symbol": "A.US", "issuer": "A plc"}, {"symbol": "B.US", "issuer": issuer}]
    found = history(rows, tables={"securities": securities})
    told = [one.en for one in found.warnings if "one company" in one.en]

    assert told == (
        ["several constituents of one company, each with a weight of its own: A plc (A.US, B.US)"]
        if warned
        else []
    )


def test_two_shares_of_one_company_that_follow_each_other_are_none_too_many():
    rows = closes("A.US", 10, 11) + closes("B.US", 20, 20)
    securities = [{"symbol": s, "issuer": "A plc"} for s in ("A.US", "B.US")]
    listed = [{"symbol": "A.US", "until": WEEK[1]}, {"symbol": "B.US", "from": WEEK[1]}]
    found = history(rows, tables={"securities": securities}, constituents=listed)

    assert not [one for one in found.warnings if "one company" in one.en]


def test_closes_on_no_session_of_their_exchange_are_used_counted_and_warned_of():
    """No calendar has a Saturday, and New York's has no session on 15 January 2024."""
    off = [{"symbol": s, "date": SATURDAY, "close": c} for s, c in (("A.US", 12.0), ("B.US", 22.0))]
    prices = closes("A.US", *[10] * 6) + closes("B.US", *[20] * 5) + off

    found = history(prices)
    assert price(found)[-1] == pytest.approx(1050)  # 10 of Monday's own, and Saturday's 22
    assert found.off_calendar == 3
    assert found.summary["warnings"][0].startswith("3 closes used from")
    assert history(prices, until=SUNDAY).off_calendar == 0
    assert history(closes("00001.HK", *[10] * 6), constituents=listed("00001.HK"),
                   currency="HKD").off_calendar == 0  # fmt: skip


def rates(*given: tuple[date, float], quote: str = "CNY") -> dict[str, list[dict[str, object]]]:
    return {"fx": [{"date": d, "base": "USD", "quote": quote, "rate": r} for d, r in given]}


def test_rates_move_under_a_carried_price():
    """500 yuan of A at 70 and 10 dollars, carried while the dollar rises by a tenth."""
    found = history(closes("A.US", 10) + closes("600000.SH", 20, 20, 20), currency="CNY",
                    constituents=listed("A.US", "600000.SH"),
                    tables=rates((BEFORE, 7.0), (WEEK[1], 7.7)))  # fmt: skip

    assert price(found) == pytest.approx([1000, 1050, 1050])
    assert found.carried.tolist() == [0, 1, 1]


def test_a_pair_that_is_missing_is_an_error():
    with pytest.raises(MissingInputError, match="no rate of USD/CNY or CNY/USD"):
        history(A + B, currency="CNY", tables=rates((BEFORE, 1.1), quote="EUR"))


def test_a_line_that_goes_on_in_another_currency_is_refused():
    renamed = action("A.US", WEEK[1], "symbol_change", other="00009.HK")
    message = (
        f"^actions: A.US: symbol_change of {WEEK[1]} leads from USD to 00009.HK in HKD, and its "
        "closes are of one line: give both one currency in securities, with closes in it, "
        "or end A.US by a delisting and list 00009.HK beside it$"
    )
    with pytest.raises(MarketDataError, match=message):
        history(A[:1] + closes("00009.HK", None, 78) + B, renamed)


def test_a_rate_must_be_known_where_constituents_are_ranked_by_what_they_are_worth():
    message = f"^fx: A.US: no USD rate by {MONDAY}: add rates of USD/CNY"
    with pytest.raises(MissingInputError, match=message):
        history(A + B, currency="CNY", tables=rates((WEEK[1], 7.0)),
                selection={"rank_by": "price", "top": 1})  # fmt: skip


def test_a_rate_must_be_known_on_the_reference_date():
    remedy = f"add rates of USD/CNY to the fx table, or fetch them, from {MONDAY} or before"
    message = f"^fx: A.US: no USD rate by {MONDAY}: {remedy}\nfx: B.US"
    with pytest.raises(MissingInputError, match=message):
        history(A + B, currency="CNY", tables=rates((WEEK[1], 7.0)))


def _without_rate(day: date) -> str:
    """Return what is said of X where it has no rate by a day."""
    remedy = f"add rates of HKD/USD to the fx table, or fetch them, from {day} or before"
    return f"^fx: 00009.HK: no HKD rate by {day}: {remedy}$"


@pytest.mark.parametrize(("first", "refused"), [(1, False), (2, True)])
def test_what_joins_must_have_a_rate_once_it_has_a_close(first, refused):
    """X, of Hong Kong, is spun off on Tuesday and closes that day; its rate may be late."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="00009.HK")
    keys = {"tables": rates((WEEK[first], 7.8), quote="HKD")}
    rows = A + B + closes("00009.HK", None, 7.8, 7.8)
    if not refused:
        assert price(history(rows, spun, **keys)) == pytest.approx([1000, 1100, 1150])
        return
    with pytest.raises(MissingInputError, match=_without_rate(WEEK[1])):
        history(rows, spun, **keys)


def test_part_of_a_share_must_have_a_rate_too():
    """50 of A bring half a share of X."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=0.01, other="00009.HK")
    rows = A + B + closes("00009.HK", None, 7.8, 7.8)
    with pytest.raises(MissingInputError, match=_without_rate(WEEK[1])):
        history(rows, spun, tables=rates((WEEK[2], 7.8), quote="HKD"))


def test_the_first_session_without_a_rate_is_told():
    """X, held and closing from Tuesday on, has none on Wednesday either."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="00009.HK")
    rows = A + B + closes("00009.HK", None, 7.8, 7.8)
    with pytest.raises(MissingInputError, match=_without_rate(WEEK[1])):
        history(rows, spun, tables=rates((WEEK[3], 7.8), quote="HKD"))


def test_what_is_not_held_yet_needs_no_rate():
    """X has a close on Monday already, a rate and a place in the basket from Tuesday on."""
    spun = action("A.US", WEEK[1], "spinoff", ratio=1, other="00009.HK")
    rows = A + B + closes("00009.HK", 7.8, 7.8, 7.8)
    found = history(rows, spun, tables=rates((WEEK[1], 7.8), quote="HKD"))

    assert price(found) == pytest.approx([1000, 1100, 1150])


# --- digest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"selection": {"rank_by": "price", "top": 2}}, set()),
        ({"weighting": {"scheme": "score", "column": "points"}}, {"points"}),
        ({"selection": {"rank_by": "rank", "top": 2}}, {"rank"}),
        ({"selection": {"rank_by": "amount_5", "top": 2}}, {"amount"}),
    ],
)
def test_the_digest_tells_a_change_of_what_the_levels_rest_on(keys, told):
    tables = {
        "prices": [row | {"amount": 5.0} for row in A + B],
        "securities": [
            {"symbol": x, "points": n, "rank": n} for n, x in enumerate(("A.US", "B.US"))
        ],
        "fx": [{"date": MONDAY, "base": "USD", "quote": "CNY", "rate": 7.0}],
        "shares": shares(1, 1)["shares"],
    }
    cells = {"close": "prices", "amount": "prices", "points": "securities", "rank": "securities",
             "rate": "fx"}  # fmt: skip

    def digest(cell: str) -> str:
        changed = {cells[cell]: [{**row, cell: 9.0} for row in tables[cells[cell]]]} if cell else {}
        return build(basket(**keys), market(tables | changed)).market_digest

    assert {cell for cell in cells if digest(cell) != digest("")} == told | {"close"}


def test_the_digest_tells_a_change_of_the_last_close_alone():
    last = [WEEKLY[0] | {"close": 9.5}, *WEEKLY[1:]]

    assert (
        history(A + B).market_digest
        != history([*A[:-1], A[-1] | {"close": 12.5}, *B]).market_digest
    )
    assert series(last).market_digest != series(WEEKLY).market_digest


@pytest.mark.parametrize(
    ("rebalance", "told"),
    [
        ({"day": "third friday"}, 1),
        ({"frequency": "quarterly", "day": "third friday"}, 0),
        ({"day": "last session"}, 0),
        ({}, 0),
    ],
)
def test_a_day_without_a_frequency_is_told_to_rebalance_never(rebalance, told):
    found = history(closes("A.US", 10, 11) + closes("B.US", 10, 10), rebalance=rebalance)

    assert sum("never rebalanced" in one.en for one in found.warnings) == told
