"""Which sessions a publication is about: those whose closes are final."""

from datetime import UTC, date, datetime

import pytest

from indexer.errors import MissingInputError, TryAgainError
from indexer.run.find import definition_named, indices_of, study_named
from indexer.run.sessions import Period, closures, final_at, last_final, sessions_asked, zone_of
from tests.run.desk import DAYS, basket, evening


@pytest.fixture
def index(tmp_path):
    """Return an index of Shanghai."""
    return definition_named(basket(tmp_path))


def of(path, calendar, *symbols):
    return definition_named(
        basket(path, calendar=calendar, constituents=[{"symbol": symbol} for symbol in symbols])
    )


@pytest.mark.parametrize(
    ("calendar", "symbol", "day", "at"),
    [
        ("XSHG", "600001.SH", date(2026, 3, 2), "2026-03-02T07:30"),
        ("XHKG", "00700.HK", date(2026, 3, 2), "2026-03-02T08:40"),
        ("XHKG", "00700.HK", date(2025, 12, 24), "2025-12-24T04:40"),
        ("XNYS", "NVDA.US", date(2026, 3, 2), "2026-03-02T22:00"),
        ("XNYS", "NVDA.US", date(2026, 3, 9), "2026-03-09T21:00"),
        ("XSHG", "NVDA.US", date(2026, 3, 2), "2026-03-02T22:00"),
        ("XSHG", "00700.HK", date(2026, 4, 3), "2026-04-03T07:30"),
        ("XPAR", "600001.SH", date(2026, 3, 2), "2026-03-02T17:30"),  # an hour after 17:30 there
    ],
    ids=[
        *("Shanghai", "Hong Kong", "a half day", "New York", "in summer", "abroad", "a holiday"),
        "no convention",
    ],
)
def test_a_session_is_final_so_long_after_its_last_close(tmp_path, calendar, symbol, day, at):
    found = final_at(of(tmp_path, calendar, symbol), day)

    assert found.astimezone(UTC) == datetime.fromisoformat(f"{at}+00:00")


def test_neither_end_is_the_last_final_session(index):
    assert sessions_asked(index, Period(), evening(DAYS[3])) == [DAYS[3]]
    assert sessions_asked(index, Period(), evening(DAYS[3], 3)) == [DAYS[2]]


def test_on_a_weekend_it_is_that_of_friday(index):
    assert last_final(index, evening(date(2026, 3, 7))) == DAYS[4]


def test_the_last_final_one_up_to_a_date(index):
    assert last_final(index, evening(DAYS[9]), date(2026, 3, 8)) == DAYS[4]


def closed(path, *days):
    """Return what is said of days that are no sessions of an index."""
    return list(closures([str(basket(path))], {"trio"}, Period(*days)))


def test_a_closed_range_is_told_with_the_sessions_on_both_sides(tmp_path):
    assert closed(tmp_path, date(2026, 3, 7), date(2026, 3, 8)) == [
        "trio: XSHG is closed from 2026-03-07 to 2026-03-08, "
        "the nearest sessions are 2026-03-06 and 2026-03-09"
    ]


def test_a_closed_calendar_is_told_once_with_the_first_of_those_it_closes(tmp_path):
    names = [basket(tmp_path, id=f"trio-{n}") for n in range(5)]
    ids = [f"trio-{n}" for n in range(5)]

    assert list(closures(names, ids, Period(last=date(2026, 3, 7)))) == [
        "trio-0, trio-1, trio-2 and 2 more: XSHG is closed on 2026-03-07, "
        "the nearest sessions are 2026-03-06 and 2026-03-09"
    ]


def test_nothing_is_told_of_what_the_calendar_does_not_know(tmp_path):
    assert closed(tmp_path, None, date(2099, 1, 3)) == []


def test_only_those_without_a_session_are_told_of(tmp_path):
    names = ["nowhere", str(basket(tmp_path))]

    assert list(closures(names, {"duo"}, Period(last=date(2026, 3, 7)))) == []


def test_a_range_holds_both_ends_and_no_weekend(index):
    found = sessions_asked(index, Period(DAYS[3], DAYS[6]), evening(DAYS[9]))

    assert found == DAYS[3:7]


def test_a_range_without_an_end(index):
    assert sessions_asked(index, Period(DAYS[3]), evening(DAYS[5])) == DAYS[3:6]


def test_a_range_without_an_end_that_begins_too_late_is_waited_for(index):
    with pytest.raises(TryAgainError):
        sessions_asked(index, Period(DAYS[6]), evening(DAYS[5]))


def test_an_end_alone_is_that_session(index):
    assert sessions_asked(index, Period(last=DAYS[3]), evening(DAYS[5])) == [DAYS[3]]


def test_a_session_to_come_is_waited_for(index):
    with pytest.raises(
        TryAgainError, match="2026-03-31 are final only from 2026-03-31 15:30\\+08:00"
    ):
        sessions_asked(index, Period(DAYS[-1], DAYS[-1]), evening(DAYS[0]))


def test_a_date_the_calendar_does_not_know_is_told(index):
    with pytest.raises(MissingInputError, match="2099"):
        sessions_asked(index, Period(date(2099, 1, 5), date(2099, 1, 5)), evening(DAYS[0]))


def test_the_zone_is_that_of_the_calendar(tmp_path):
    assert zone_of(basket(tmp_path, calendar="XNYS")).key == "America/New_York"


@pytest.fixture
def cloud():
    """Return the bundled study of companies in New York and Hong Kong, and its indices."""
    study = study_named("cloud-catch-up")
    return study, indices_of(study).values()


@pytest.mark.parametrize(
    ("day", "at"),
    [
        (
            date(2026, 3, 3),
            "2026-03-03T08:40",
        ),  # Hong Kong of that day, New York of the night before
        (date(2026, 4, 3), "2026-04-03T07:30"),  # a holiday in Hong Kong: Shanghai alone
    ],
    ids=["Hong Kong is open", "Hong Kong is closed"],
)
def test_a_study_is_final_when_the_levels_it_knows_are(cloud, day, at):
    study, members = cloud

    found = final_at(study, day, members).astimezone(UTC)
    assert found == datetime.fromisoformat(f"{at}+00:00")


def test_the_last_session_of_a_study_is_one_of_which_its_indices_are_final(cloud):
    study, members = cloud
    early = datetime(2026, 3, 3, 8, tzinfo=UTC)  # 16:00: Shanghai is final, Hong Kong is not

    assert last_final(study, early, members=members) == date(2026, 3, 2)
    assert sessions_asked(study, Period(), early, members=members) == [date(2026, 3, 2)]
