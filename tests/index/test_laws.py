"""Laws that hold for every index whatever it holds, each written once for all schemes."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from indexer.errors import IndexerError
from indexer.index.build import build
from indexer.index.history import History
from tests.index.drawn import REAL_SHARES, SCHEMES, SMALL, Case, cases
from tests.index.drawn_market import MOVING, RESTATING
from tests.index.examples import Row, basket, market

EXACT = {"rel": 1e-12}
settings.register_profile("laws", max_examples=max(40, settings().max_examples // 3))
few = settings(
    max_examples=max(40, settings().max_examples // 3), suppress_health_check=list(HealthCheck)
)
sound = cases(kinds=RESTATING, sizes=SMALL, sound=True)


def history(case: Case) -> History:
    return build(basket(**case.definition), market(case.tables), until=case.until)


def levels(case: Case) -> dict[str, list[float]]:
    return {name: level.tolist() for name, level in history(case).variants.items()}


def dated(row: Row) -> date:
    day: date = row.get("date") or row["ex_date"]
    return day


@given(cases(kinds=(*RESTATING, *MOVING), sizes=SMALL, sound=True), st.data())
@few
def test_prefix(case: Case, data: st.DataObject) -> None:
    """Data cut at t give the same levels up to t, bit for bit, and so does asking until t."""
    try:
        whole = history(case)
    except IndexerError:
        assume(False)
    last = data.draw(st.sampled_from(whole.days.tolist()))
    dates = {"prices", "actions", "shares", "fx"}
    cut = {
        name: [row for row in rows if name not in dates or dated(row) <= last]
        for name, rows in case.tables.items()
    }
    assume(any(row["date"] >= whole.days[0].item() for row in cut["prices"]))
    for prefix in (history(replace(case, tables=cut)), history(replace(case, until=last))):
        count = len(prefix.days)
        assert whole.days[:count].tolist() == prefix.days.tolist()
        assert whole.days[count : count + 1] > np.datetime64(last)
        for name, level in prefix.variants.items():
            assert level.tolist() == whole.variants[name][:count].tolist()
        assert prefix.divisor.tolist() == whole.divisor[:count].tolist()
        assert prefix.weights.equals(whole.weights.head(len(prefix.weights)))


@given(sound, st.data())
@few
def test_split(case: Case, data: st.DataObject) -> None:
    """A split changes nothing on any session: prices are divided, share counts multiplied by it.

    Where prices themselves are weights or ranks it may only come after the last rebalance.
    """
    case = case.but(rebalance=case.definition["rebalance"] | {"untradable": "ignore"})
    base = case.definition["base"]["date"]
    by_price = case.definition["weighting"]["scheme"] == "price"
    if by_price or case.definition.get("selection", {}).get("rank_by") == "price":
        case = case.but(rebalance={"frequency": "never"})
    symbol = data.draw(st.sampled_from([e["symbol"] for e in case.definition["constituents"]]))
    day = base + timedelta(data.draw(st.integers(1 if by_price else -20, 90)))
    taken = [a["ex_date"] for a in case.tables["actions"] if a["symbol"] == symbol]
    assume(day not in taken)  # amounts of one ex-date are per share before all of it
    ratio = data.draw(st.sampled_from((2.0, 4.0, 0.5)))
    assert levels(after_split(case, symbol, day, ratio)) == {
        name: pytest.approx(level, **EXACT) for name, level in levels(case).items()
    }


def after_split(case: Case, symbol: str, day: date, ratio: float) -> Case:
    """Return the case with one split more, and all figures since per new share."""
    figures = {"prices": {"close": 1 / ratio}, "actions": {"cash": 1 / ratio, "price": 1 / ratio},
               "shares": {"total_shares": ratio, "free_float_shares": ratio}}  # fmt: skip
    counted = [r for r in case.tables["shares"] if r["symbol"] == symbol and r["date"] <= day]
    latest = max(counted, key=dated)
    tables = case.tables | {"shares": [*case.tables["shares"]]}
    if latest["date"] < day:
        tables["shares"].append(latest | {"date": day})
    for name, factors in figures.items():
        tables[name] = [
            row | {key: row[key] * factor for key, factor in factors.items() if row.get(key)}
            if row["symbol"] == symbol and dated(row) >= day
            else row
            for row in tables[name]
        ]
    split = {"symbol": symbol, "ex_date": day, "kind": "split", "ratio": ratio}
    return replace(case, tables=tables).with_table("actions", [*tables["actions"], split])


@given(sound)
@few
def test_unit(case: Case) -> None:
    """Prices times four change no level, bit for bit."""
    keys = {"prices": ("close", "amount"), "actions": ("cash", "price")}
    tables = {
        name: [row | {k: row[k] * 4 for k in keys.get(name, ()) if row.get(k)} for row in rows]
        for name, rows in case.tables.items()
    }
    case = case.but(rebalance=case.definition["rebalance"] | {"untradable": "ignore"})
    assert levels(replace(case, tables=tables)) == levels(case)


@given(sound, st.data())
@few
def test_order(case: Case, data: st.DataObject) -> None:
    """Neither the order of constituents nor that of rows matters."""
    constituents = data.draw(st.permutations(case.definition["constituents"]))
    tables = {
        name: rows if name == "actions" else data.draw(st.permutations(rows))
        for name, rows in case.tables.items()
        if len(rows) < 100
    }
    other = replace(case.but(constituents=constituents), tables=case.tables | tables)
    assert levels(other) == {
        name: pytest.approx(level, **EXACT) for name, level in levels(case).items()
    }


@given(cases(sizes=SMALL, sound=True))
@few
def test_relink(case: Case) -> None:
    """The divisor moves only where money or members enter or leave, and no level with it."""
    try:
        found = history(case)
    except IndexerError:
        assume(False)
    level = found.variants.get("price", found.market_value / found.divisor)
    assert level.tolist() == pytest.approx((found.market_value / found.divisor).tolist(), **EXACT)
    moved = set(found.days[1:][np.diff(found.divisor) != 0].tolist())
    money = {"special_dividend", "delisting", "merger"}
    money |= {"rights"} if case.definition["weighting"]["scheme"] in REAL_SHARES else set()
    events = found.events.iter_rows(named=True)
    allowed = {row["date"] for row in events if money & set(row["kind"].split("+"))}
    if case.definition["weighting"]["scheme"] in REAL_SHARES:
        allowed |= {r.effective for r in found.rebalances}
    if case.definition["rebalance"].get("untradable") == "freeze":
        allowed |= {r.effective for r in found.rebalances if not r.tradable.any()}
    assert moved <= allowed


@given(cases(kinds=("split", "bonus"), sizes=((1, 130),), sound=True))
@few
def test_single(case: Case) -> None:
    """A basket of one stock is that stock."""
    found = history(case)
    closes = {row["date"]: row["close"] for row in case.tables["prices"]}
    worth = found.panel.worth[-len(found.days) :, 0]
    grown = found.shares[:, 0] / found.shares[0, 0]
    expected = case.definition["base"]["level"] * worth * grown / worth[0]
    level = next(iter(found.variants.values()))
    if not any(r.before.shares.any() and r.after.divisor != r.before.divisor
               for r in found.rebalances):  # fmt: skip
        assert level.tolist() == pytest.approx(expected.tolist(), **EXACT)
    assert closes.keys() >= {found.panel.dated[-1, 0].item()}


@given(cases(("fixed", "score", "free_float"), RESTATING, sizes=SMALL, sound=True))
@few
def test_zero_weight(case: Case) -> None:
    """A constituent of weight zero changes nothing."""
    case = case.but(selection=None)
    first = case.definition["constituents"][0]
    prices = case.tables["prices"]
    extra = [row | {"symbol": "ZERO.US", "close": row["close"] + n % 7}
             for n, row in enumerate(prices) if row["symbol"] == first["symbol"]]  # fmt: skip
    entry = {"symbol": "ZERO.US"} | ({"weight": 0.0} if "weight" in first else {})
    facts = {"symbol": "ZERO.US", "points": 0, "currency": case.definition["currency"]}
    count = {"symbol": "ZERO.US", "date": date(2021, 1, 4), "total_shares": 1e3}
    tables = case.tables | {
        "prices": prices + extra,
        "securities": [*case.tables["securities"], facts],
        "shares": [*case.tables["shares"], count | {"free_float_shares": 0.0}],
    }
    constituents = [entry, *case.definition["constituents"]]
    other = replace(case.but(constituents=constituents), tables=tables)
    found, without = history(other), history(case)
    assert found.carried.tolist() == without.carried.tolist()
    for name, level in without.variants.items():
        assert found.variants[name].tolist() == pytest.approx(level.tolist(), **EXACT)


@given(cases(sizes=SMALL))
@few
def test_cap(case: Case) -> None:
    """No weight is above its cap, and the weights of a rebalance sum to one."""
    try:
        found = history(case)
    except IndexerError:
        assume(False)
    caps = case.definition["weighting"].get("caps", {})
    segments = {row["symbol"]: row.get("segment") for row in case.tables["securities"]}
    for done in found.rebalances:
        if case.definition["rebalance"].get("untradable") != "freeze":
            assert done.target.sum() == pytest.approx(1, **EXACT)
            assert done.drifted.sum() == pytest.approx(1, **EXACT)
        assert done.target.max() <= caps.get("constituent", 1) + 1e-12
        assert done.capping_factor.max() == 1
        for segment in {"x", "y", "z"}:
            inside = [segments.get(found.symbols[j]) == segment for j in done.columns]
            assert done.target[inside].sum() <= caps.get("segment", 1) + 1e-12


@given(cases(kinds=(*RESTATING, *MOVING), sizes=SMALL, sound=True))
@few
def test_total(case: Case) -> None:
    """Gross is at least net and net at least price, for dividends are positive."""
    case = case.but(variants=["price", "gross", "net"])
    try:
        found = history(case).variants
    except IndexerError:
        assume(False)
    assert (found["gross"] >= found["net"] * (1 - 1e-12)).all()
    assert (found["net"] >= found["price"] * (1 - 1e-12)).all()


@given(cases(kinds=(*RESTATING, *MOVING), sizes=SMALL, sound=True))
@few
def test_contributions(case: Case) -> None:
    """Contributions of a session sum to its price return."""
    try:
        found = history(case.but(variants=["price"]))
    except IndexerError:
        assume(False)
    level = found.variants["price"]
    total = np.nansum(found.contribution[1:], axis=1)
    assert total.tolist() == pytest.approx((level[1:] / level[:-1] - 1).tolist(), abs=1e-12)


@given(cases(REAL_SHARES, (), sizes=SMALL, sound=True), st.sampled_from(("monthly", "quarterly")))
@few
def test_rebalance_to_the_weights_that_stand(case: Case, frequency: str) -> None:
    """A rebalance that changes no weight leaves the level alone."""
    counts = {row["symbol"]: row for row in case.tables["shares"]}
    early = [row | {"date": date(2021, 1, 4)} for row in counts.values()]
    case = case.with_table("shares", early).but(selection=None)
    held = levels(case.but(rebalance={"frequency": "never"}))
    assert levels(case.but(rebalance={"frequency": frequency})) == {
        name: pytest.approx(level, **EXACT) for name, level in held.items()
    }


def test_every_scheme_is_drawn() -> None:
    drawn = set()

    @given(sound)
    @settings(max_examples=200, database=None)
    def look(case: Case) -> None:
        drawn.add(case.definition["weighting"]["scheme"])

    look()
    assert drawn == set(SCHEMES)
