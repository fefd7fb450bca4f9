"""A ready-made series before publication."""

from datetime import date

import pytest

from indexer.definitions.basket import Series
from indexer.index.build import build
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.market.calendar import read_calendar
from tests.index.examples import Row, market
from tests.index.gated import told

SYMBOL = "HSTECH.HK"
DAYS: list[date] = read_calendar("XHKG").between(date(2024, 1, 2), date(2024, 9, 30)).tolist()
DAY = date(2024, 9, 10)
ROWS: list[Row] = [
    {"symbol": SYMBOL, "date": day, "close": 5000.0 + 10 * (n % 3)} for n, day in enumerate(DAYS)
]


def judged(rows: list[Row], *sessions: date, until: date | None = None) -> list[Finding]:
    keys = {"version": "1", "id": "example", "name": {"en": "Example"}, "kind": "series",
            "currency": "HKD", "calendar": "XHKG", "symbol": SYMBOL}  # fmt: skip
    folder = market({"series": rows})
    history = build(Series.model_validate(keys), folder, until=until)
    return list(findings(history, folder, sessions or DAYS))


def with_level(day: date, level: float) -> list[Row]:
    return [row | {"close": level} if row["date"] == day else row for row in ROWS]


def test_a_sound_series_passes():
    assert not judged(ROWS)


def test_a_level_that_is_still_that_of_the_session_before_is_refused():
    before = next(row["close"] for row in ROWS if row["date"] == date(2024, 9, 9))
    found = judged(with_level(DAY, before), DAY)

    assert told(found) == [("2024-09-10", "R17", "refuse")]
    assert f"level {before} of 2024-09-10 is that of 2024-09-09" in found[0].message


def test_a_series_is_held_to_its_deviations():
    found = judged(with_level(DAY, 50_000.0), DAY)

    assert told(found) == [("2024-09-10", "R16", "refuse")]


def test_a_level_that_is_to_come_is_waited_for():
    found = judged([row for row in ROWS if row["date"] < DAYS[-1]], DAYS[-1])

    assert told(found) == [("2024-09-30", "R15", "wait")]


def test_a_level_that_later_ones_have_passed_by_is_refused():
    found = judged([row for row in ROWS if row["date"] != DAY])

    assert told(found) == [("2024-09-10", "R15", "refuse")]
    assert "has no close of 2024-09-10, but one of 2024-09-30" in found[0].message


@pytest.mark.parametrize("closed", [date(2024, 9, 6), date(2024, 9, 7)])
def test_a_level_of_a_day_without_trading_is_refused_with_the_session_after_it(closed):
    """A typhoon on Friday, and a Saturday."""
    row = {"symbol": SYMBOL, "date": closed, "close": 5005.0}
    found = judged([*ROWS, row])

    assert told(found) == [("2024-09-09", "R19", "refuse")]
    assert f"HSTECH.HK 5005 of {closed}" in found[0].message


def test_a_session_beyond_what_the_calendar_knows_is_refused():
    keys = {"version": "1", "id": "example", "name": {"en": "Example"}, "kind": "series",
            "currency": "CNY", "calendar": "XSHG", "symbol": "399006.SZ"}  # fmt: skip
    known = read_calendar("XSHG").verified_until
    after = read_calendar("XSHG").after(known)
    before = read_calendar("XSHG").on_or_before(known)
    rows = [
        {"symbol": "399006.SZ", "date": d, "close": c} for d, c in ((before, 9.0), (after, 9.1))
    ]
    folder = market({"series": rows})
    found = findings(build(Series.model_validate(keys), folder), folder, [before, after])

    assert told(found) == [(str(after), "R22", "refuse")]


def test_a_hole_is_refused_also_where_nothing_is_asked_for_after_it():
    found = judged([row for row in ROWS if row["date"] != DAY], DAY, until=DAY)

    assert told(found) == [("2024-09-10", "R15", "refuse")]
    assert f"but one of {DAYS[-1]}" in found[0].message


def test_of_closes_on_closed_days_only_those_since_the_session_before_are_named():
    first, last = date(2023, 12, 30), date(2024, 10, 5)  # Saturdays before and after all others
    beside = [{"symbol": SYMBOL, "date": day, "close": 5005.0} for day in (first, last)]
    found = judged([*ROWS, *beside], first, DAYS[0], last)
    named = [[day for day in (first, last) if str(day) in one.message] for one in found]

    assert told(found) == [(str(day), "R19", "refuse") for day in (first, DAYS[0], last)]
    assert named == [[first], [first], [last]]
