"""The sample market: what the generator writes, what is committed, and the facts they must show."""

from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from indexer.definitions.read import read_definition
from indexer.definitions.study import Study
from indexer.definitions.symbols import exchange_of
from indexer.market.calendar import read_calendar
from indexer.market.tables import read_market
from seeds.generate import generate, main, read_securities
from seeds.parameters import read_parameters

ROOT = Path(__file__).parents[1]
SEEDS, MARKET, BASKETS = ROOT / "seeds", ROOT / "seeds" / "market", ROOT / "baskets"
FIRST, LAST = date(2023, 12, 1), date(2026, 8, 21)
SHOCK = date(2026, 7, 2)
TABLES = ("securities", "shares", "actions", "suspensions", "fx", "series")
CHAINS = {"north-america-compute": 47, "domestic-compute": 41}


@cache
def parameters():
    return read_parameters(SEEDS / "parameters.yaml")


@cache
def table(name):
    """Return a committed table."""
    if name == "prices":
        return pl.read_parquet(MARKET / "prices.parquet")
    dates = {"symbol": pl.String, **dict.fromkeys(("from", "until"), pl.Date)}
    return pl.read_csv(MARKET / f"{name}.csv", try_parse_dates=True, schema_overrides=dates)


def definition(path):
    """Return a definition with every scalar as text."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506


def definitions(*, series):
    """Return the bundled index definitions, ready-made series or baskets."""
    found = [definition(path) for path in sorted(BASKETS.glob("*.yaml"))]
    return [d for d in found if (d.get("kind") == "series") == series and "pairs" not in d]


@cache
def moves():
    """Return (symbol, date, reference, close) of every close but the first: P^ex by definition."""
    events = {}
    for row in table("actions").iter_rows(named=True):
        events.setdefault((row["symbol"], row["ex_date"]), []).append(row)
    found = []
    for (symbol,), prices in table("prices").group_by("symbol", maintain_order=True):
        closes = list(prices.select("date", "close").iter_rows())
        own = sorted(ex for name, ex in events if name == symbol)
        for (before, previous), (day, close) in pairwise(closes):
            reference = previous
            for ex_date in (ex for ex in own if before < ex <= day):
                cash = sum(row["cash"] or 0 for row in events[symbol, ex_date])
                bonus = sum(row["ratio"] or 0 for row in events[symbol, ex_date])
                reference = (reference - cash) / (1 + bonus)
            found.append((symbol, day, reference, close))
    return found


@cache
def equal_weight(basket):
    """Return the mean daily return of a basket's members by date, rebalanced every day."""
    symbols = {c["symbol"] for c in definition(BASKETS / f"{basket}.yaml")["constituents"]}
    daily = {}
    for symbol, day, reference, close in moves():
        if symbol in symbols:
            daily.setdefault(day, []).append(close / reference - 1)
    return {day: float(np.mean(daily[day])) for day in sorted(daily)}


def series_returns(symbol):
    rows = table("series").filter(pl.col("symbol") == symbol)
    close = rows["close"].to_numpy()
    return dict(zip(rows["date"][1:], close[1:] / close[:-1] - 1, strict=True))


def aligned(*returns):
    """Return log returns on the dates that all have, one row for each."""
    days = sorted(set.intersection(*map(set, returns)))
    return days, np.log1p([[r[day] for day in days] for r in returns])


def test_the_generator_writes_what_is_committed(tmp_path):
    main(["--out", str(tmp_path)])

    assert pl.read_parquet(tmp_path / "prices.parquet").equals(table("prices"))
    for name in (*(f"{name}.csv" for name in TABLES), "manifest.yaml"):
        assert (tmp_path / name).read_text("utf-8") == (MARKET / name).read_text("utf-8"), name
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in MARKET.iterdir()}


def test_another_seed_gives_another_market_of_the_same_shape():
    other = parameters().model_copy(update={"seed": 1})
    prices = generate(other, read_securities(SEEDS / "securities.csv"))["prices"]

    assert prices.select("symbol", "date").equals(table("prices").select("symbol", "date"))
    assert (prices["close"] != table("prices")["close"]).mean() > 0.95


def test_it_is_marked_synthetic_and_small():
    manifest = yaml.safe_load((MARKET / "manifest.yaml").read_text("utf-8"))

    assert manifest["synthetic"] is True
    assert manifest["price_kind"] == "raw"
    assert str(parameters().seed) in manifest["source"]
    assert sum(path.stat().st_size for path in MARKET.iterdir()) <= 900_000


@pytest.mark.parametrize("basket", CHAINS)
@pytest.mark.parametrize("suffix", ["", "-free-float"])
def test_the_chains_hold_as_many_names_as_the_facts_say(basket, suffix):
    facts = yaml.safe_load((SEEDS / "facts.yaml").read_text("utf-8"))
    names = {fact["id"]: fact["names"] for fact in facts["lists"]}
    chain = definition(BASKETS / f"{basket}{suffix}.yaml")

    assert len(chain["constituents"]) == names[basket] == CHAINS[basket]
    assert "RECONSTRUCTION" in chain["description"]["en"]
    assert "重建" in chain["description"]["zh"]


def test_baskets_and_securities_agree_on_names_and_segments():
    known = {row["symbol"]: row for row in table("securities").iter_rows(named=True)}

    for basket in definitions(series=False):
        for constituent in basket["constituents"]:
            row = known[constituent["symbol"]]
            assert constituent["name"] == row["name_zh"]
            assert constituent["segment"] == row["segment"]


def test_every_symbol_of_every_definition_has_data():
    held = {c["symbol"] for basket in definitions(series=False) for c in basket["constituents"]}
    ready_made = {wrapped["symbol"] for wrapped in definitions(series=True)}

    assert held == set(table("prices")["symbol"]) == set(table("shares")["symbol"])
    assert ready_made == set(table("series")["symbol"])


def test_every_definition_is_valid_and_every_study_names_bundled_indices():
    found = {path.stem: read_definition(path) for path in BASKETS.glob("*.yaml")}
    studies = [definition for definition in found.values() if isinstance(definition, Study)]

    assert {study.id for study in studies} == {"compute-diffusion", "cloud-catch-up"}
    for study in studies:
        events = {index for event in study.events for index in event.indices}
        assert {*study.indices, study.benchmark, *events} <= found.keys() - {study.id}


def test_the_market_folder_passes_every_check():
    market = read_market(MARKET)

    assert market.manifest.synthetic
    assert len(market.prices) == len(table("prices"))


def test_closes_stand_on_every_session_but_those_suspended_or_before_the_listing():
    suspended = table("suspensions").select("symbol", "from", "until").rows()
    since = dict(table("securities").select("symbol", "list_date").iter_rows())

    for (symbol,), prices in table("prices").group_by("symbol"):
        first = max(since[symbol] or FIRST, FIRST)
        sessions = read_calendar(exchange_of(symbol)).between(first, LAST).tolist()
        out = [(begin, end) for name, begin, end in suspended if name == symbol]
        open_days = [d for d in sessions if not any(begin <= d < end for begin, end in out)]
        assert sorted(prices["date"]) == open_days, symbol


def test_series_stand_on_every_session():
    for (symbol,), levels in table("series").group_by("symbol"):
        sessions = read_calendar(exchange_of(symbol)).between(FIRST, LAST)
        assert sorted(levels["date"]) == sessions.tolist(), symbol


def test_no_a_share_closes_beyond_its_limit():
    first_sessions = table("prices").group_by("symbol").agg(pl.col("date").sort().head(5))
    free = {s: set(d) if d[0] > FIRST else set() for s, d in first_sessions.iter_rows()}
    at_limit = 0

    for symbol, day, reference, close in moves():
        if not symbol.endswith((".SH", ".SZ")) or day in free[symbol]:
            continue
        limit = 0.2 if symbol[:3] in ("300", "301", "688", "689") else 0.1
        low, high = (
            np.floor(reference * (1 + s * limit) * 100 + 0.5 + 1e-7) / 100 for s in (-1, 1)
        )
        assert low - 1e-9 <= close <= high + 1e-9, (symbol, day)
        at_limit += close in (low, high)
    assert at_limit > 50  # the limits bind, else this test would show nothing


def test_closes_are_whole_ticks():
    ticks = table("prices")["close"].to_numpy() * 100

    assert np.abs(ticks - np.round(ticks)).max() < 1e-6
    assert table("prices")["close"].min() > 1


def test_new_listings_begin_on_their_listing_date():
    first = dict(table("prices").group_by("symbol").agg(pl.col("date").min()).iter_rows())

    assert {symbol: day for symbol, day in first.items() if day != FIRST} == {
        "001389.SZ": date(2024, 4, 2),
        "688795.SH": date(2025, 12, 5),
        "688802.SH": date(2025, 12, 17),
    }


def test_raw_closes_drop_on_a_bonus_issue():
    bonus = table("actions").filter(pl.col("kind") == "bonus")
    closes = {(s, d): c for s, d, c in table("prices").select("symbol", "date", "close").rows()}
    before = {(s, d): r for s, d, r, _ in moves()}
    seen = [row for row in bonus.iter_rows(named=True) if (row["symbol"], row["ex_date"]) in closes]

    assert len({row["symbol"] for row in seen}) >= 5
    for row in seen:
        at = row["symbol"], row["ex_date"]
        cum_dividend = before[at] * (1 + row["ratio"])
        assert abs(closes[at] / before[at] - 1) < abs(closes[at] / cum_dividend - 1), at


def test_ordinary_dividends_go_ex_from_may_to_july_in_every_year():
    ex_dates = table("actions").filter(pl.col("kind") == "dividend")["ex_date"]

    assert set(ex_dates.dt.year()) == {2024, 2025, 2026}
    assert set(ex_dates.dt.month()) == {5, 6, 7}


def test_an_ex_date_lies_inside_a_suspension():
    both = table("suspensions").join(table("actions"), on="symbol")
    inside = both.filter(pl.col("ex_date").is_between("from", "until", closed="left"))

    assert set(inside["symbol"]) >= {"688521.SH", "300476.SZ"}
    assert {"bonus", "dividend"} <= set(inside["kind"])


def test_share_counts_step_up_with_each_bonus_issue():
    bonus = table("actions").filter(pl.col("kind") == "bonus").rows(named=True)

    for row in bonus:
        counts = table("shares").filter(pl.col("symbol") == row["symbol"]).sort("date")
        at = counts["date"].to_list().index(row["ex_date"])
        for column in ("total_shares", "free_float_shares"):
            grown = counts[column][at] / counts[column][at - 1]
            assert grown == pytest.approx(1 + row["ratio"], rel=1e-6)
    assert (table("shares")["free_float_shares"] <= table("shares")["total_shares"]).all()
    late = table("shares").filter(pl.col("date") > FIRST)
    assert len(late) == len(bonus) + 3  # nothing else changes a count; three list late


def test_rates_cross():
    wide = table("fx").with_columns(pair=pl.col("base") + pl.col("quote"))
    rates = wide.pivot(on="pair", index="date", values="rate")

    assert rates.null_count().sum_horizontal().item() == 0
    cross = rates["USDCNY"] / rates["USDHKD"]
    assert (rates["HKDCNY"] - cross).abs().max() < 1e-6


@pytest.mark.parametrize(("symbol", "per_cent"), [("399006.SZ", -5.71), ("000680.SH", -5.64)])
def test_the_two_indices_fall_as_the_facts_say(symbol, per_cent):
    facts = yaml.safe_load((SEEDS / "facts.yaml").read_text("utf-8"))
    fact = next(move for move in facts["moves"] if move["symbol"] == symbol)

    assert fact["date"] == SHOCK
    assert round(100 * fact["return"], 2) == per_cent
    assert round(100 * series_returns(symbol)[SHOCK], 2) == per_cent


@pytest.mark.parametrize("basket", CHAINS)
def test_the_chains_fall_that_day_too(basket):
    assert -0.09 < equal_weight(basket)[SHOCK] < -0.04


def test_volatilities_and_correlations_are_those_of_such_markets():
    leader, domestic = (equal_weight(basket) for basket in CHAINS)
    _, returns = aligned(leader, domestic, series_returns("HSTECH.HK"))
    deviation, correlation = returns.std(axis=1, ddof=1), np.corrcoef(returns)
    a_b, a_c, b_c = correlation[0, 1], correlation[0, 2], correlation[1, 2]

    assert np.all((deviation[:2] > 0.02) & (deviation[:2] < 0.03))
    assert 0.65 < a_b < 0.80
    assert 0.35 < a_c < 0.50
    assert 0.15 < (b_c - a_b * a_c) / np.sqrt((1 - a_b**2) * (1 - a_c**2)) < 0.40


def test_the_leader_stretches_and_the_domestic_chain_catches_up_in_the_spring():
    days, (leader, follower) = aligned(*(equal_weight(basket) for basket in CHAINS))
    strength = np.cumsum(leader - follower)
    winter, summer = days.index(date(2026, 2, 27)), days.index(date(2026, 6, 12))
    window = strength[winter - 249 : winter + 1]
    noise = np.diff(strength[winter - 60 : winter + 1]).std(ddof=1)

    assert (strength[winter] - window.mean()) / window.std(ddof=1) > 1
    assert strength[winter] - strength[summer] > 2 * noise * np.sqrt(20)
    assert follower[winter + 1 : summer + 1].sum() > 0.2
