"""What a study rests on beside its indices: a benchmark and rates that nobody publishes."""

from dataclasses import replace
from datetime import date, datetime, time

import numpy as np
import pytest

from indexer.run.beside import study_findings
from tests.index.examples import market
from tests.signals.example import HONG_KONG, MAINLAND, compared, on_calendar

SESSIONS = MAINLAND.between(date(2024, 1, 2), date(2024, 6, 28))
LATE = SESSIONS[-10:].tolist()


def study(*, place="XSHG", last=None, jump=None, **keys):
    """Return two indices compared beside a benchmark that ends, or triples, on a day."""
    beside = on_calendar("market", place, 3)
    if last is not None:
        kept = beside.days <= np.datetime64(last)
        levels = {"price": beside.variants["price"][kept]}
        unknown, carried = beside.divisor[kept], beside.carried[kept]
        beside = replace(
            beside, days=beside.days[kept], variants=levels, divisor=unknown,
            market_value=unknown, carried=carried,
        )  # fmt: skip
    if jump is not None:
        level = beside.variants["price"]
        level = np.where(beside.days >= np.datetime64(jump), 3 * level, level)
        beside = replace(beside, variants={"price": level})
    one = on_calendar("a", "XSHG", 1, currency=keys.pop("of", "CNY"))
    return compared(one, on_calendar("b", "XSHG", 2), beside, **keys)


def findings_of(found, days, **tables):
    """Return what is found beside a market that holds the last close of the series."""
    last = {"symbol": "000001.SH", "date": SESSIONS[-1].item(), "close": 1.0}
    return study_findings(found, market({"series": [last], **tables}), days)


def told(found, *days, **tables):
    """Return session, rule and verdict of everything that is found."""
    return [(one.session, one.rule, one.verdict)
            for one in findings_of(found, days, **tables)]  # fmt: skip


def test_a_sound_benchmark_is_not_spoken_of():
    assert told(study(), *LATE) == []


def test_a_benchmark_beyond_belief_is_refused_as_an_index_would_be():
    found = study(jump=LATE[3])
    first = findings_of(found, LATE)[0]

    assert told(found, *LATE) == [(LATE[3], "R16", "refuse")]
    assert first.message.startswith("benchmark market: level ")


def test_a_level_of_the_benchmark_is_judged_where_it_is_first_known():
    """Of New York's Friday Shanghai knows on Monday evening."""
    friday, monday = date(2024, 6, 21), date(2024, 6, 24)

    assert told(study(place="XNYS", jump=friday), friday, monday) == [(monday, "R16", "refuse")]


def test_an_old_level_of_the_benchmark_is_noted_with_its_age():
    found = study(last=LATE[-3])
    told_last = findings_of(found, LATE)[-1]

    assert told(found, *LATE) == [(LATE[-2], "R14", "note"), (LATE[-1], "R14", "note")]
    assert told_last.message == (
        f"benchmark market: no level of {LATE[-1]} is known: that of {LATE[-3]} stands, "
        "2 sessions old"
    )


def test_a_benchmark_whose_exchange_is_closed_is_not_old():
    """Easter Monday: Shanghai is open and Hong Kong is not."""
    monday = date(2024, 4, 1)

    assert not HONG_KONG.is_session(monday)
    assert told(study(place="XHKG"), monday) == []


def test_a_benchmark_that_is_left_out_is_noted():
    found = compared(on_calendar("a", "XSHG", 1), on_calendar("b", "XSHG", 2))

    assert told(found, LATE[0]) == [(LATE[0], "R15", "note")]


def test_a_benchmark_that_is_compared_itself_was_judged_when_it_was_published():
    whole = on_calendar("b", "XSHG", 2)
    level = np.where(whole.days >= np.datetime64(LATE[3]), 3e3, whole.variants["price"])
    found = compared(
        on_calendar("a", "XSHG", 1), replace(whole, variants={"price": level}), benchmark="b"
    )

    assert told(found, *LATE) == []


def test_a_benchmark_without_a_level_in_the_currency_of_the_study_is_left_out():
    """Nothing is asked of rates that nothing is converted at."""
    found = study(currency="CNY", rates={"CNY": 1.0})
    level = found.aligned.level.copy()
    level[:, found.aligned.ids.index("market")] = np.nan
    market = found.histories["market"]
    abroad = market.definition.model_copy(update={"currency": "HKD"})
    lacking = replace(
        found,
        aligned=replace(found.aligned, level=level),
        histories=found.histories | {"market": replace(market, definition=abroad)},
    )

    assert told(lacking, LATE[0]) == [(LATE[0], "R15", "note")]


def test_a_close_of_the_benchmark_on_a_closed_day_is_judged_by_the_gates():
    """Easter Monday in Hong Kong: a close of that day is no level, and of no age."""
    monday = date(2024, 4, 1)
    found = study(place="XHKG")
    market = found.histories["market"]
    days = np.insert(
        market.days, np.searchsorted(market.days, np.datetime64(monday)), np.datetime64(monday)
    )
    grown = {"price": np.resize(market.variants["price"], len(days))}
    dated = found.aligned.dated.copy()
    dated[found.aligned.sessions == np.datetime64(monday), found.aligned.ids.index("market")] = (
        np.datetime64(monday)
    )
    odd = replace(
        found,
        aligned=replace(found.aligned, dated=dated),
        histories=found.histories | {"market": replace(market, days=days, variants=grown)},
    )

    assert ("R19", "refuse") in {one[1:] for one in told(odd, monday)}


@pytest.mark.parametrize(
    ("dated", "hour", "rules"),
    [
        (LATE[-2], None, []),  # no hour is told: it is known from the next day on
        (LATE[-3], None, ["R14"]),
        (LATE[-1], 1, []),
        (LATE[-2], 1, []),
        (LATE[-3], 1, ["R14"]),
        (LATE[-1], 12, ["R14"]),  # after the cut-off: the one of two sessions before stands
    ],
)
def test_a_rate_older_than_the_session_before_is_noted(dated, hour, rules):
    found = study(of="USD", currency="CNY", rates={"USD": 7.0, "CNY": 1.0})
    rate = {"base": "USD", "quote": "CNY", "rate": 7.0}
    fixed = None if hour is None else datetime.combine(dated, time(hour))
    rows = [rate | {"date": LATE[-3]}, rate | {"date": dated, "fixed_at": fixed}]

    assert [rule for _, rule, _ in told(found, LATE[-1], fx=rows[-2 if hour == 12 else -1 :])] == (
        rules
    )
