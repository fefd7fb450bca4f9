"""Alignment: what was known by the cut-off, on real evenings of 2024 and against the oracle."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.arrays import Days, Instants
from indexer.definitions.basket import Index
from indexer.market.calendar import Calendar
from indexer.signals.align import Aligned, IndexLine, align, cutoffs, known_at, study_sessions
from tests.reference import study as reference
from tests.signals.example import HONG_KONG, MAINLAND, NEW_YORK, basket, days, series, study

SPRING = (date(2024, 4, 22), date(2024, 5, 24))
HOURS = ("18:00 Asia/Shanghai", "09:15 Asia/Shanghai", "08:00 America/New_York", "23:59 UTC")


def line(index: Index, on: Days, selected_on: date | None = None) -> IndexLine:
    """Return levels 100, 101 and so on, known when the index's exchanges have closed."""
    return IndexLine(index.id, on, 100.0 + np.arange(len(on)), known_at(index, on), selected_on)


def on_calendar(id: str, calendar: Calendar, span: tuple[date, date] = SPRING) -> IndexLine:
    return line(series(id, calendar.code), calendar.between(*span))


def aligned(
    *lines: IndexLine, start: date = date(2024, 5, 6), until: date | None = None
) -> Aligned:
    """Align lines on the evenings of Shanghai; the first is compared with the others."""
    asked = study(*(found.id for found in lines), start=start)
    sessions = study_sessions(asked, MAINLAND, lines, until)
    return align(asked, sessions, lines)


def told(found: Aligned, id: str) -> dict[str, tuple[str, bool]]:
    """Return by session, month and day: date of the level, and whether it is fresh."""
    k = found.ids.index(id)
    parts = zip(found.sessions, found.dated[:, k], found.fresh[:, k], strict=True)
    return {str(day)[5:]: (str(dated)[5:], bool(fresh)) for day, dated, fresh in parts}


def row_days(found: Aligned, *ids: str) -> list[str]:
    return [str(day)[5:] for day in found.sessions[found.rows(ids)]]


def test_hong_kong_counts_the_same_evening() -> None:
    found = told(aligned(on_calendar("a", MAINLAND), on_calendar("hk", HONG_KONG)), "hk")
    assert found["05-07"] == ("05-07", True)
    assert found["05-08"] == ("05-08", True)


def test_new_york_counts_on_the_next_study_session() -> None:
    found = told(aligned(on_calendar("us", NEW_YORK), on_calendar("hk", HONG_KONG)), "us")
    assert found["05-07"] == ("05-06", True)
    assert found["05-13"] == ("05-10", True)  # Friday's on Monday


def test_a_close_in_hong_kong_alone_makes_no_row() -> None:
    """Buddha's birthday, 15 May: Shanghai is open, and the level of the 14th is not fresh again."""
    found = aligned(on_calendar("a", MAINLAND), on_calendar("hk", HONG_KONG))
    assert told(found, "hk")["05-15"] == ("05-14", False)
    assert told(found, "hk")["05-16"] == ("05-16", True)
    assert row_days(found, "a", "hk")[6:9] == ["05-14", "05-16", "05-17"]
    assert "05-15" in row_days(found, "a")


def test_a_level_of_a_day_without_study_session_is_fresh_on_the_next() -> None:
    """Mid-autumn, 16 and 17 September: Shanghai is shut; on the 18th Hong Kong is."""
    span = (date(2024, 9, 9), date(2024, 9, 20))
    found = aligned(
        on_calendar("a", MAINLAND, span), on_calendar("hk", HONG_KONG, span), start=span[0]
    )
    assert told(found, "hk")["09-18"] == ("09-17", True)
    assert row_days(found, "a", "hk") == [
        *("09-09", "09-10", "09-11", "09-12", "09-13", "09-18", "09-19", "09-20")
    ]
    levels = found.level[found.rows(("a", "hk")), 1]
    assert np.diff(levels).tolist() == [1.0] * 4 + [2.0, 1.0, 1.0]  # the 16th's return is in it


def test_after_a_closure_of_the_study_calendar_the_last_of_several_levels_counts() -> None:
    """Labour Day: three New York sessions on which Shanghai was shut."""
    found = aligned(
        on_calendar("us", NEW_YORK), on_calendar("hk", HONG_KONG), start=date(2024, 4, 30)
    )
    assert told(found, "us")["04-30"] == ("04-29", True)
    assert told(found, "us")["05-06"] == ("05-03", True)
    assert row_days(found, "us", "hk")[:3] == ["04-30", "05-06", "05-07"]


def test_a_holiday_of_the_leader_delays_the_row() -> None:
    """Memorial Day, 27 May: on the 28th New York has nothing new, on the 29th it has."""
    span = (date(2024, 5, 20), date(2024, 5, 31))
    found = aligned(
        on_calendar("us", NEW_YORK, span), on_calendar("a", MAINLAND, span), start=date(2024, 5, 24)
    )
    assert told(found, "us")["05-27"] == ("05-24", True)
    assert told(found, "us")["05-28"] == ("05-24", False)
    assert row_days(found, "us", "a") == ["05-24", "05-27", "05-29", "05-30", "05-31"]


def test_the_first_row_may_hold_a_level_dated_before_the_start() -> None:
    found = aligned(on_calendar("us", NEW_YORK), on_calendar("hk", HONG_KONG))
    assert told(found, "us")["05-06"] == ("05-03", True)
    assert row_days(found, "us", "hk")[0] == "05-06"
    assert found.sessions[0] == np.datetime64("2024-05-06")


def test_the_first_session_with_all_levels_is_a_row_even_if_one_is_stale() -> None:
    old = line(series("old"), days("05-06", "05-08", "05-09"))
    new = line(series("new"), days("05-07", "05-08", "05-09"))
    found = aligned(old, new)
    assert told(found, "old")["05-07"] == ("05-06", False)
    assert row_days(found, "old", "new") == ["05-07", "05-08", "05-09"]
    assert row_days(found, "old") == ["05-06", "05-08", "05-09"]


def test_before_its_first_level_an_index_has_none() -> None:
    late = line(series("late"), days("05-08", "05-09"), date(2025, 1, 1))
    found = aligned(on_calendar("a", MAINLAND, (SPRING[0], date(2024, 5, 9))), late)
    assert np.isnan(found.level[:, 1]).tolist() == [True, True, False, False]
    assert np.isnat(found.dated[:2, 1]).all()
    assert (
        found.fresh[:, 1].tolist() == found.backtested[:, 1].tolist() == [False, False, True, True]
    )
    never = line(series("never"), days("05-10"))
    assert (
        aligned(on_calendar("a", MAINLAND), never, until=date(2024, 5, 9)).rows(["never"]).size == 0
    )


def test_a_level_known_at_the_very_cutoff_counts() -> None:
    moment = np.array(["2024-05-07T10:00", "2024-05-08T10:01"], dtype="datetime64[m]")
    found = aligned(
        IndexLine("a", days("05-07", "05-08"), np.ones(2), moment), on_calendar("b", MAINLAND)
    )
    assert told(found, "a")["05-07"] == ("05-07", True)
    assert told(found, "a")["05-08"] == ("05-07", False)
    assert told(found, "a")["05-09"] == ("05-08", True)


def test_sessions_run_to_the_latest_level_of_a_paired_index_or_until() -> None:
    lines = [
        line(series("a"), days("05-06", "05-07")),
        line(series("b"), days("05-06", "05-08")),
        line(series("market"), days("05-06", "05-10")),
    ]
    asked = study("a", "b", start=date(2024, 5, 1))
    for until, expected in (
        (None, ["05-06", "05-07", "05-08"]),
        (date(2024, 5, 7), ["05-06", "05-07"]),
        (date(2024, 5, 20), ["05-06", "05-07", "05-08"]),
        (date(2024, 4, 20), []),
    ):
        sessions = study_sessions(asked, MAINLAND, lines, until)
        assert [str(day)[5:] for day in sessions] == expected


@pytest.mark.parametrize(
    ("index", "day", "expected"),
    [
        (series("x", "XHKG"), "2024-05-14", "08:00"),
        (series("x", "XHKG"), "2024-12-24", "04:00"),  # half a day
        (series("x", "XNYS"), "2024-07-05", "20:00"),
        (series("x", "XNYS"), "2024-07-03", "17:00"),  # an early close
        (series("x", "XNYS"), "2024-12-23", "21:00"),  # winter
        (series("x", "XNYS"), "2024-07-04", "20:00"),  # shut: its ordinary time
        (basket("x", "600000.SH", "00700.HK"), "2024-05-14", "08:00"),
        (basket("x", "600000.SH", "00700.HK"), "2024-05-15", "07:00"),  # Hong Kong is shut
        (basket("x", "600000.SH", "00700.HK"), "2024-12-24", "07:00"),  # and shuts early
        (basket("x", "600000.SH", "00700.HK"), "2024-05-02", "08:00"),  # Shanghai is shut
        (basket("x", "600000.SH", "00700.HK"), "2024-05-18", "08:00"),  # both: the later
        (basket("x", "00700.HK", "NVDA.US", calendar="XHKG"), "2024-05-14", "20:00"),
    ],
)
def test_a_level_is_known_at_the_latest_close_among_its_exchanges(
    index: Index, day: str, expected: str
) -> None:
    found = known_at(index, np.array([day], dtype="datetime64[D]"))
    assert str(found[0]) == f"{day}T{expected}"


def exchange(calendar: Calendar) -> reference.Exchange:
    closes = {
        day: moment.replace(tzinfo=UTC)
        for day, moment in zip(
            calendar.sessions.tolist(), calendar.closes.astype("M8[us]").tolist(), strict=True
        )
    }
    return closes, calendar.ordinary_close, str(calendar.zone)


EXCHANGES = {
    ".SH": exchange(MAINLAND),
    ".HK": exchange(HONG_KONG),
    ".US": exchange(NEW_YORK),
}


@given(
    st.dates(date(2015, 1, 1), date(2026, 6, 30)),
    st.sets(st.sampled_from(["600000.SH", "00700.HK", "NVDA.US"]), min_size=1),
)
def test_the_moment_a_level_is_known_is_that_of_the_oracle(day: date, symbols: set[str]) -> None:
    ten = np.arange(day, day + timedelta(days=10), dtype="datetime64[D]")
    found = known_at(basket("x", *sorted(symbols)), ten).astype("M8[us]").tolist()
    exchanges = [EXCHANGES[symbol[-3:]] for symbol in symbols]
    expected = [reference.known_at(d, exchanges).astimezone(UTC) for d in ten.tolist()]
    assert [moment.replace(tzinfo=UTC) for moment in found] == expected


@given(st.dates(date(2015, 1, 1), date(2026, 6, 30)), st.sampled_from(HOURS))
def test_the_cutoff_follows_the_clocks_of_its_zone(day: date, hour: str) -> None:
    found = cutoffs(study("a", "b", cutoff=hour), np.array([day], dtype="datetime64[D]"))
    expected = reference.cutoff_instant(day, hour)
    assert found.astype("M8[us]").item().replace(tzinfo=UTC) == expected.astimezone(UTC)


@st.composite
def known(draw: st.DrawFn) -> tuple[Days, Instants]:
    """Draw dates, weekends too, and instants in their order up to two days later."""
    every = np.arange(SPRING[0], SPRING[1], dtype="datetime64[D]")
    kept = draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
    kept[draw(st.integers(0, len(every) - 1))] = True
    on = every[np.array(kept)]
    usual = draw(st.integers(0, 36 * 60))
    jitter = draw(st.lists(st.integers(-600, 600), min_size=len(on), max_size=len(on)))
    return on, on.astype("datetime64[m]") + usual + np.array(jitter)


@given(
    st.lists(known(), min_size=2, max_size=3),
    st.lists(st.dates(*SPRING), min_size=3, max_size=3),
    st.dates(*SPRING),
    st.sampled_from(HOURS),
)
def test_every_cell_is_that_of_the_oracle(
    drawn: list[tuple[Days, Instants]], selected: list[date], start: date, hour: str
) -> None:
    ids = ("a", "b", "c")[: len(drawn)]
    lines = [
        IndexLine(id, on, 100.0 + np.arange(len(on)), at, when)
        for id, (on, at), when in zip(ids, drawn, selected, strict=False)
    ]
    asked = study(*ids, start=start, cutoff=hour)
    sessions = study_sessions(asked, MAINLAND, lines, None)
    found = align(asked, sessions, lines)
    levels = {x.id: levels_of(x) for x in lines}
    expected = reference.align(MAINLAND.sessions.tolist(), hour, levels, start)
    assert sessions.tolist() == list(expected)
    for n, here in enumerate(expected.values()):
        for k, id in enumerate(ids):
            cell = here.get(id)
            assert np.isnan(found.level[n, k]) == (cell is None)
            assert found.fresh[n, k] == (cell is not None and cell.fresh)
            if cell is not None:
                assert (found.level[n, k], found.dated[n, k]) == (cell.level, cell.dated)
    rows = reference.rows(expected, ids, start)
    assert sessions[found.rows(ids)].tolist() == rows
    chosen = dict(zip(ids, selected, strict=False))
    marks = reference.backtested(expected, rows, chosen, 1)
    assert found.backtested_on(ids, found.rows(ids)).tolist() == marks


def levels_of(found: IndexLine) -> list[reference.Level]:
    moments = found.known_at.astype("M8[us]").tolist()
    known_from = [datetime.replace(moment, tzinfo=UTC) for moment in moments]
    return list(zip(found.days.tolist(), known_from, found.level.tolist(), strict=True))


@given(known(), known(), st.integers(1, 60))
def test_it_never_looks_ahead(
    one: tuple[Days, Instants], two: tuple[Days, Instants], cut: int
) -> None:
    """Levels not yet known on an evening leave it as it is, whatever they will be."""
    lines = [
        IndexLine(id, on, np.arange(1.0, len(on) + 1), at)
        for id, (on, at) in zip("ab", (one, two), strict=True)
    ]
    asked = study("a", "b", start=SPRING[0])
    sessions = study_sessions(asked, MAINLAND, lines, None)[:cut]
    assume(sessions.size)
    whole = align(asked, sessions, lines)
    moment = cutoffs(asked, sessions)[-1]
    hidden = [
        IndexLine(x.id, x.days, np.where(x.known_at <= moment, x.level, np.nan), x.known_at)
        for x in lines
    ]
    assert np.array_equal(align(asked, sessions, hidden).level, whole.level, equal_nan=True)


def test_columns_and_log_levels_are_those_of_the_ids_asked_for() -> None:
    found = aligned(
        on_calendar("a", MAINLAND), on_calendar("b", HONG_KONG), on_calendar("c", NEW_YORK)
    )
    assert found.columns(["c", "a"]) == [2, 0]
    rows = found.rows(["a"])
    assert np.array_equal(found.logs("c", rows), np.log(found.level[rows, 2]))
