"""The oracle against answers from outside: official levels, a public exercise, exchange records."""

import csv
import warnings
from datetime import date, datetime, timedelta

import exchange_calendars
import polars as pl
import pytest

from tests.reference.index import build
from tests.reference.prices import Tables, event_of, half_up
from tests.shared import COMPUTE, SHARED, SSE50, real

pytestmark = real


def sessions_of_shanghai():
    with warnings.catch_warnings():  # exchange_calendars 4.13 under pandas 3.1
        warnings.filterwarnings("ignore", "Series.values returning", DeprecationWarning)
        calendar = exchange_calendars.get_calendar("XSHG", start="2021-01-04")
    return [session.date() for session in calendar.sessions]


def market_of(folder):
    """Tables of a market folder as lists of rows."""
    columns = ["symbol", "date", "close"]
    prices = pl.read_parquet(folder / "prices.parquet", columns=columns)
    tables = {"prices": prices.to_dicts()}
    for name in ("securities", "shares", "actions", "fx"):
        path = folder / f"{name}.csv"
        frame = pl.read_csv(path, try_parse_dates=True) if path.exists() else pl.DataFrame()
        tables[name] = frame.to_dicts()
    return tables


@pytest.mark.parametrize(
    ("name", "level"), [("north-america-compute", 8105.4035), ("domestic-compute", 4360.4130)]
)
def test_the_founding_baskets(name, level):
    with (SHARED / "lists" / f"{name}.csv").open(encoding="utf-8") as file:
        constituents = [{"symbol": row["symbol"]} for row in csv.DictReader(file)]
    definition = {
        "currency": "CNY",
        "base": {"date": date(2024, 1, 2), "level": 1000.0},
        "weighting": {"scheme": "equal"},
        "rebalance": {"frequency": "quarterly", "day": "third friday", "reference_lag": 5},
        "constituents": constituents,
    }
    last = build(definition, market_of(COMPUTE), sessions_of_shanghai()).rows[-1]
    assert last["date"] == date(2026, 8, 21)
    assert last["price"] == pytest.approx(level, abs=5e-5)


def test_sse_50_with_its_official_weights_held_fixed():
    """Within 0.03 bp of the official change since 2025-09-30, at every official level."""
    base = date(2025, 9, 30)
    with (SSE50 / "official-weights.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["date"] == base.isoformat()]
    official = pl.read_csv(SSE50 / "series.csv", try_parse_dates=True)
    expected = {
        row["date"]: row["close"]
        for row in official.filter(pl.col("symbol") == "000016.SH").to_dicts()
        if row["date"] >= base
    }
    definition = {
        "currency": "CNY",
        "base": {"date": base, "level": expected[base]},
        "weighting": {"scheme": "fixed", "normalise": True},
        "constituents": [
            {"symbol": row["symbol"], "weight": float(row["weight_percent"])} for row in rows
        ],
    }
    market = market_of(SSE50)
    result = build(definition, market, sessions_of_shanghai(), until=date(2025, 12, 12))
    levels = {row["date"]: row["price"] for row in result.rows}
    assert len(rows) == 50
    assert levels.keys() == expected.keys()
    worst = max(abs(levels[day] / expected[day] - 1) for day in expected)
    assert worst * 1e4 < 0.03


def solactive():
    """Yield the closes of the exercise, ten stocks on every weekday, as rows."""
    with (SHARED / "examples/solactive/stock_prices.csv").open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            day = datetime.strptime(row.pop("Date"), "%d/%m/%Y").date()  # noqa: DTZ007
            for name, close in row.items():
                symbol = name.replace("_", "").upper() + ".US"
                yield {"symbol": symbol, "date": day, "close": float(close)}


def test_the_solactive_exercise_level_by_level():
    prices = list(solactive())
    symbols = sorted({row["symbol"] for row in prices})
    start = date(2019, 6, 3)
    weekdays = [d for n in range(800) if (d := start + timedelta(n)).weekday() < 5]
    definition = {
        "currency": "USD",
        "base": {"date": date(2020, 1, 1), "level": 100.0},
        "weighting": {"scheme": "rank", "weights": [0.5, 0.25, 0.25]},
        "selection": {"rank_by": "market_cap", "top": 3},
        "rebalance": {
            "frequency": "monthly",
            "day": "first session",
            "reference_lag": 1,
            "price_date": "effective",
        },
        "constituents": [{"symbol": symbol} for symbol in symbols],
    }
    shares = [{"symbol": s, "date": date(2019, 12, 30), "total_shares": 1e6} for s in symbols]
    result = build(definition, {"prices": prices, "shares": shares}, weekdays)
    with (SHARED / "examples/solactive/expected_levels.csv").open(encoding="utf-8-sig") as file:
        expected = [
            (datetime.strptime(row["Date"], "%d/%m/%Y").date(), float(row["index_level"]))  # noqa: DTZ007
            for row in csv.DictReader(file)
        ]
    assert len(expected) == 262
    assert [(row["date"], round(row["price"], 2)) for row in result.rows] == expected


@pytest.mark.parametrize(
    ("symbol", "ex_date", "prior", "expected"),
    [
        ("002463.SZ", date(2024, 5, 20), "32.41", "31.91"),
        ("001309.SZ", date(2024, 4, 26), "122.1", "93.82"),
    ],
)
def test_exchange_reference_prices_on_record(symbol, ex_date, prior, expected):
    tables = Tables(market_of(COMPUTE), sessions_of_shanghai())
    before = tables.exact_price(symbol, ex_date - timedelta(1))
    [actions] = tables.events(symbol, ex_date - timedelta(1), ex_date, ex_date)
    assert before == pytest.approx(float(prior))
    assert half_up(event_of(actions, before).ex_price) == pytest.approx(float(expected), abs=1e-12)
