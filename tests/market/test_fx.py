"""Exchange rates: the date's or the last before it, inverted, and known at an instant."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from indexer.errors import MissingInputError
from indexer.market.fx import known_dates, rate_dates, rates_known, rates_on
from indexer.market.tables import Market, read_market

ROWS = ("2024-01-04,USD,CNY,7.2", "2024-01-02,USD,CNY,7.0")  # not in order
SHANGHAI = ZoneInfo("Asia/Shanghai")


def market(folder: Path, *rows: str) -> Market:
    (folder / "fx.csv").write_text("date,base,quote,rate,fixed_at\n" + "\n".join(rows))
    return read_market(folder)


def on(folder: Path, *rows: str, unit: str = "USD", price: str = "CNY", day: str) -> float:
    days = np.array([day], "M8[D]")
    return float(rates_on(market(folder, *rows), unit, price, days)[0])


def known(folder: Path, *rows: str, at: str, zone: ZoneInfo = SHANGHAI) -> float:
    instants = np.array([at], "M8[s]")
    return float(rates_known(market(folder, *rows), "USD", "CNY", instants, zone)[0])


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        ("2024-01-01", np.nan),
        ("2024-01-02", 7.0),
        ("2024-01-03", 7.0),
        ("2024-01-04", 7.2),
        ("2026-11-20", 7.2),
    ],
)
def test_the_rate_is_the_dates_or_the_last_before_it(tmp_path: Path, day: str, rate: float) -> None:
    assert on(tmp_path, *ROWS, day=day) == pytest.approx(rate, rel=0, nan_ok=True)


def test_rates_come_one_a_day_in_the_order_asked_for(tmp_path: Path) -> None:
    days = np.array(["2024-01-05", "2024-01-01", "2024-01-03"], "M8[D]")
    found = rates_on(market(tmp_path, *ROWS), "USD", "CNY", days)
    np.testing.assert_array_equal(found, [7.2, np.nan, 7.0])


def test_a_rate_has_the_date_it_is_of_from_its_first_day_on(tmp_path: Path) -> None:
    days = np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-05"], "M8[D]")
    found = rate_dates(market(tmp_path, *ROWS), "USD", "CNY", days)
    assert found.tolist() == [None, date(2024, 1, 2), date(2024, 1, 2), date(2024, 1, 4)]


def test_the_only_rate_of_a_pair_has_its_date_before_and_after_it(tmp_path: Path) -> None:
    days = np.array(["2024-01-03", "2024-01-05"], "M8[D]")
    found = rate_dates(market(tmp_path, ROWS[0]), "USD", "CNY", days)
    assert found.tolist() == [None, date(2024, 1, 4)]


def test_a_rate_known_at_an_instant_has_the_date_it_is_of(tmp_path: Path) -> None:
    instants = np.array(["2024-01-02T15:59", "2024-01-02T16:00", "2024-01-09T00:00"], "M8[s]")
    found = known_dates(market(tmp_path, *ROWS), "USD", "CNY", instants, SHANGHAI)
    assert found.tolist() == [None, date(2024, 1, 2), date(2024, 1, 4)]


def test_a_pair_is_inverted_where_only_the_inverse_is_given(tmp_path: Path) -> None:
    assert on(tmp_path, *ROWS, unit="CNY", price="USD", day="2024-01-03") == 1 / 7.0


def test_the_pair_as_given_comes_before_its_inverse(tmp_path: Path) -> None:
    both = (*ROWS, "2024-01-02,CNY,USD,0.15")
    assert on(tmp_path, *both, day="2024-01-03") == 7.0
    assert on(tmp_path, *both, unit="CNY", price="USD", day="2024-01-03") == 0.15


def test_a_date_without_the_pair_has_its_inverse_and_not_an_older_rate(tmp_path: Path) -> None:
    both = (*ROWS, "2024-01-03,CNY,USD,0.125")

    assert on(tmp_path, *both, day="2024-01-03") == 8.0
    assert on(tmp_path, *both, day="2024-01-04") == 7.2
    assert on(tmp_path, *both, unit="CNY", price="USD", day="2024-01-02") == 1 / 7.0
    assert on(tmp_path, *both, unit="CNY", price="USD", day="2024-01-03") == 0.125


@pytest.mark.parametrize(("unit", "price"), [("HKD", "CNY"), ("CNY", "HKD"), ("EUR", "CNY")])
def test_no_rate_is_made_through_a_third_currency(tmp_path: Path, unit: str, price: str) -> None:
    rows = (*ROWS, "2024-01-02,USD,HKD,7.8")
    with pytest.raises(MissingInputError, match=f"no rate of {unit}/{price} or {price}/{unit}"):
        on(tmp_path, *rows, unit=unit, price=price, day="2024-01-03")
    with pytest.raises(MissingInputError, match=f"no rate of {unit}/{price} or {price}/{unit}"):
        rates_known(market(tmp_path, *rows), unit, price, np.array([], "M8[s]"), SHANGHAI)


def test_a_currency_is_worth_one_of_itself_without_any_rate(tmp_path: Path) -> None:
    days = np.array(["1990-01-01", "2024-01-02"], "M8[D]")
    empty = market(tmp_path)
    assert rates_on(empty, "CNY", "CNY", days).tolist() == [1, 1]
    assert rates_known(empty, "CNY", "CNY", days.astype("M8[s]"), SHANGHAI).tolist() == [1, 1]


FIXED = (
    "2024-01-02,USD,CNY,7.0,2024-01-02T01:15:00Z",
    "2024-01-03,USD,CNY,7.1,2024-01-03T01:15:00Z",
)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2024-01-02T01:14:59", np.nan),
        ("2024-01-02T01:15:00", 7.0),
        ("2024-01-03T01:14:59", 7.0),
        ("2024-01-03T01:15:00", 7.1),
    ],
)
def test_a_rate_is_known_once_it_is_fixed_in_any_zone(
    tmp_path: Path, at: str, rate: float, zone: str
) -> None:
    found = known(tmp_path, *FIXED[::-1], at=at, zone=ZoneInfo(zone))
    assert found == pytest.approx(rate, rel=0, nan_ok=True)


@pytest.mark.parametrize(
    ("date", "zone", "begins"),
    [
        ("2024-01-02", "Asia/Shanghai", "2024-01-02T16:00:00"),
        ("2024-01-02", "UTC", "2024-01-03T00:00:00"),
        ("2024-01-02", "America/New_York", "2024-01-03T05:00:00"),
        ("2024-07-02", "America/New_York", "2024-07-03T04:00:00"),
        ("2024-01-02", "Asia/Kathmandu", "2024-01-02T18:15:00"),
        ("2024-04-25", "Africa/Cairo", "2024-04-25T22:00:00"),  # midnight is skipped
        ("2024-11-02", "America/Havana", "2024-11-03T04:00:00"),  # midnight comes twice
    ],
)
def test_a_rate_without_instant_is_known_from_the_next_day_in_the_zone(
    tmp_path: Path, date: str, zone: str, begins: str
) -> None:
    before = str(np.datetime64(begins, "s") - np.timedelta64(1, "s"))
    rows = (f"{date},USD,CNY,7.0,",)
    assert np.isnan(known(tmp_path, *rows, at=before, zone=ZoneInfo(zone)))
    assert known(tmp_path, *rows, at=begins, zone=ZoneInfo(zone)) == 7.0


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2024-01-02T10:00:00", np.nan),
        ("2024-01-02T16:00:00", 7.0),
        ("2024-01-03T10:00:00", 7.1),
        ("2024-01-03T16:00:00", 7.1),
    ],
)
def test_rates_with_and_without_instant_may_follow_each_other(
    tmp_path: Path, at: str, rate: float
) -> None:
    """At the cut-off of the 3rd its own fixing is known; on the 2nd only the day before's is."""
    found = known(tmp_path, "2024-01-02,USD,CNY,7.0,", FIXED[1], at=at)
    assert found == pytest.approx(rate, rel=0, nan_ok=True)


@pytest.mark.parametrize(
    ("at", "rate"), [("2024-01-02T10:00:00", np.nan), ("2024-01-04T10:00:00", 7.1)]
)
@pytest.mark.parametrize("late", ["2024-01-05T01:15:00Z", "2024-01-03T23:00:00Z"])
def test_a_rate_fixed_late_does_not_replace_a_newer_one(
    tmp_path: Path, at: str, rate: float, late: str
) -> None:
    rows = (f"2024-01-02,USD,CNY,7.0,{late}", FIXED[1])
    assert known(tmp_path, *rows, at=at) == pytest.approx(rate, rel=0, nan_ok=True)
    assert known(tmp_path, *rows, at="2024-01-06T00:00:00") == 7.1


def test_a_rate_fixed_late_does_not_bring_later_ones_forward(tmp_path: Path) -> None:
    rows = [
        f"2024-01-0{d},USD,CNY,7.{d},2024-01-0{9 if d == 2 else d}T01:15:00Z" for d in range(1, 5)
    ]
    assert known(tmp_path, *rows, at="2024-01-03T10:00:00") == 7.3


def test_a_known_rate_may_be_the_inverse(tmp_path: Path) -> None:
    instants = np.array(["2024-01-03T10:00:00"], "M8[s]")
    found = rates_known(market(tmp_path, *FIXED), "CNY", "USD", instants, SHANGHAI)
    assert found.tolist() == [1 / 7.1]
