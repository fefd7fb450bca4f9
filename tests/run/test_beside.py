"""What a study rests on beside its indices: a benchmark and rates that nobody publishes."""

from dataclasses import replace
from datetime import date, timedelta

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


@pytest.mark.parametrize(("age", "rules"), [(0, []), (1, ["R14"])])
def test_a_rate_of_a_day_before_is_noted(age, rules):
    found = study(of="USD", currency="CNY", rates={"USD": 7.0, "CNY": 1.0})
    rate = {"date": LATE[-1] - timedelta(age), "base": "USD", "quote": "CNY", "rate": 7.0}

    assert [rule for _, rule, _ in told(found, LATE[-1], fx=[rate])] == rules
