"""Laws that hold for every index whatever it holds, each written once for all schemes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from indexer.errors import IndexerError
from indexer.index.build import build
from indexer.index.history import History
from tests.index.drawn import REAL_SHARES, SCHEMES, SMALL, Case, cases
from tests.index.drawn_market import MOVING, RESTATING
from tests.index.examples import Row, basket, market

EXACT = {"rel": 1e-12}
EVERY = (*RESTATING, *MOVING)

law = pytest.mark.parametrize("scheme", SCHEMES)
some = settings(
    max_examples=max(6, settings().max_examples // 16), suppress_health_check=list(HealthCheck)
)


def sound(
    scheme: str,
    kinds: Sequence[str] = RESTATING,
    sizes: Sequence[tuple[int, int]] = SMALL,
) -> st.SearchStrategy[Case]:
    """Return small cases in which no figure is missing."""
    return cases((scheme,), kinds, sizes=sizes, sound=True)


def history(case: Case) -> History:
    return build(basket(**case.definition), market(case.tables), until=case.until)


def original(case: Case) -> History:
    """Return the history that another is compared with; a case that is refused has none."""
    try:
        return history(case)
    except IndexerError:
        reject()


def levels(found: History) -> dict[str, list[float]]:
    return {name: level.tolist() for name, level in found.variants.items()}


def near(found: History) -> dict[str, object]:
    """Return the levels for a comparison that leaves room for rounding."""
    return {name: pytest.approx(level, **EXACT) for name, level in levels(found).items()}


def dated(row: Row) -> date:
    day: date = row.get("date") or row["ex_date"]
    return day


@law
@given(st.data())
@some
def test_prefix(scheme: str, data: st.DataObject) -> None:
    """Data cut at t give the same levels up to t, bit for bit, and so does asking until t."""
    case = data.draw(sound(scheme, EVERY))
    whole = original(case)
    last = data.draw(st.sampled_from(whole.days.tolist()))
    cut = {
        name: rows if name == "securities" else [row for row in rows if dated(row) <= last]
        for name, rows in case.tables.items()
    }
    until = history(replace(case, until=last))
    assert until.days[-1].item() == last
    known = [row["date"] for row in cut["prices"] if row["symbol"] in until.symbols]
    assume(max(known) >= whole.days[0].item())
    for prefix in (until, history(replace(case, tables=cut))):
        count = len(prefix.days)
        assert prefix.days.tolist() == whole.days[:count].tolist()
        assert levels(prefix) == {name: level[:count] for name, level in levels(whole).items()}
        assert prefix.divisor.tolist() == whole.divisor[:count].tolist()
        assert prefix.weights.equals(whole.weights.head(len(prefix.weights)))


@law
@given(st.data())
@some
def test_split(scheme: str, data: st.DataObject) -> None:
    """A split changes nothing on any session: prices are divided, share counts multiplied by it.

    Where prices themselves are weights or ranks it may only come after the last rebalance.
    """
    case = data.draw(sound(scheme))
    case = case.but(rebalance=case.definition["rebalance"] | {"untradable": "ignore"})
    selection = case.definition.get("selection", {})
    by_price = scheme == "price" or selection.get("rank_by") == "price"
    if by_price:
        case = case.but(rebalance={"frequency": "never"})
    symbol = data.draw(st.sampled_from([e["symbol"] for e in case.definition["constituents"]]))
    shift = timedelta(data.draw(st.integers(1 if by_price else -20, 90)))
    day = case.definition["base"]["date"] + shift
    taken = [a["ex_date"] for a in case.tables["actions"] if a["symbol"] == symbol]
    assume(symbol != "GONE.US" and day not in taken)  # amounts of a day are per share before it
    ratio = data.draw(st.sampled_from((2.0, 4.0, 0.5)))
    expected = near(original(case))
    assert levels(history(after_split(case, symbol, day, ratio))) == expected


def after_split(case: Case, symbol: str, day: date, ratio: float) -> Case:
    """Return the case with one split more, and all figures since per new share."""
    per_share = {
        "prices": {"close": 1 / ratio},
        "actions": {"cash": 1 / ratio, "price": 1 / ratio},
        "shares": {"total_shares": ratio, "free_float_shares": ratio},
    }
    counts = [r for r in case.tables["shares"] if r["symbol"] == symbol and r["date"] <= day]
    latest = max(counts, key=dated) | {"date": day}
    shares = [row for row in case.tables["shares"] if (row["symbol"], dated(row)) != (symbol, day)]
    tables = case.tables | {"shares": [*shares, latest]}
    for name, factors in per_share.items():
        tables[name] = [
            row | {key: row[key] * factor for key, factor in factors.items() if row.get(key)}
            if row["symbol"] == symbol and dated(row) >= day
            else row
            for row in tables[name]
        ]
    split = {"symbol": symbol, "ex_date": day, "kind": "split", "ratio": ratio}
    return replace(case, tables=tables).with_table("actions", [*tables["actions"], split])


@law
@given(st.data())
@some
def test_unit(scheme: str, data: st.DataObject) -> None:
    """Prices times four change no level, bit for bit."""
    case = data.draw(sound(scheme))
    case = case.but(rebalance=case.definition["rebalance"] | {"untradable": "ignore"})
    keys = {"prices": ("close", "amount"), "actions": ("cash", "price")}
    tables = {
        name: [row | {k: row[k] * 4 for k in keys.get(name, ()) if row.get(k)} for row in rows]
        for name, rows in case.tables.items()
    }
    expected = levels(original(case))
    assert levels(history(replace(case, tables=tables))) == expected


@law
@given(st.data())
@some
def test_order(scheme: str, data: st.DataObject) -> None:
    """Neither the order of constituents nor that of rows matters; that of actions of a day may."""
    case = data.draw(sound(scheme))
    constituents = data.draw(st.permutations(case.definition["constituents"]))
    tables = {name: rows if name == "actions" else rows[::-1] for name, rows in case.tables.items()}
    expected = near(original(case))
    other = replace(case.but(constituents=constituents), tables=tables)
    assert levels(history(other)) == expected


@law
@given(st.data())
@some
def test_relink(scheme: str, data: st.DataObject) -> None:
    """The divisor moves only where money or members enter or leave, and no level with it."""
    case = data.draw(sound(scheme, EVERY))
    found = original(case)
    price = found.market_value / found.divisor
    if "price" in found.variants:
        assert levels(found)["price"] == pytest.approx(price.tolist(), **EXACT)
    real = scheme in REAL_SHARES
    money = {"special_dividend", "delisting", "merger"} | ({"rights"} if real else set())
    allowed = {
        row["date"]
        for row in found.events.iter_rows(named=True)
        if money & set(row["kind"].split("+"))
    }
    for done in found.rebalances:
        moved = not np.array_equal(done.before.shares, done.after.shares)
        if moved and (
            real or not done.tradable.any()
        ):  # frozen whole: nothing takes up what leaves
            allowed.add(done.effective)
    assert set(found.days[1:][np.diff(found.divisor) != 0].tolist()) <= allowed


@law
@given(st.data())
@some
def test_single(scheme: str, data: st.DataObject) -> None:
    """A basket of one stock is that stock, splits and bonus shares undone."""
    case = data.draw(sound(scheme, ("split", "bonus"), ((1, 130),)))
    found = original(case)
    close = found.panel.worth[-len(found.days) :, 0]
    expected = case.definition["base"]["level"] * close / close[0]
    for event in found.panel.events:
        expected *= np.where((found.days >= event.ex_date) & (found.days[0] < event.ex_date),
                             event.event.quantity, 1)  # fmt: skip
    for level in levels(found).values():
        assert level == pytest.approx(expected.tolist(), **EXACT)


@pytest.mark.parametrize("scheme", ["fixed", "score", "free_float"])
@given(st.data())
@some
def test_zero_weight(scheme: str, data: st.DataObject) -> None:
    """A constituent of weight zero changes nothing."""
    case = data.draw(sound(scheme)).but(selection=None)
    first = case.definition["constituents"][0]
    extra = [
        row | {"symbol": "ZERO.US", "close": row["close"] + n % 7}
        for n, row in enumerate(case.tables["prices"])
        if row["symbol"] == first["symbol"]
    ]
    entry = {"symbol": "ZERO.US"} | ({"weight": 0.0} if "weight" in first else {})
    facts = {"symbol": "ZERO.US", "points": 0, "currency": case.definition["currency"]}
    count = {"symbol": "ZERO.US", "date": date(2021, 1, 4), "total_shares": 1e3}
    tables = case.tables | {
        "prices": [*case.tables["prices"], *extra],
        "securities": [*case.tables["securities"], facts],
        "shares": [*case.tables["shares"], count | {"free_float_shares": 0.0}],
    }
    without = original(case)
    other = case.but(constituents=[entry, *case.definition["constituents"]])
    found = history(replace(other, tables=tables))
    assert found.carried.tolist() == without.carried.tolist()
    assert levels(found) == near(without)


@law
@given(st.data())
@some
def test_cap(scheme: str, data: st.DataObject) -> None:
    """No weight is above its cap, and the weights of a rebalance sum to one."""
    case = data.draw(cases((scheme,), sizes=SMALL))
    chosen = case.definition.get("selection", {}).get("top", len(case.definition["constituents"]))
    tight = data.draw(st.floats(1.0, 1.6)) / chosen
    caps = {"constituent": min(1.0, tight), "segment": data.draw(st.sampled_from((0.34, 0.5)))}
    caps.pop(data.draw(st.sampled_from(("constituent", "segment", ""))), None)
    found = original(case.but(weighting=case.definition["weighting"] | {"caps": caps}))
    segments = {row["symbol"]: row.get("segment") for row in case.tables["securities"]}
    for done in found.rebalances:
        assert done.drifted.sum() == pytest.approx(1, **EXACT)
        if case.definition["rebalance"].get("untradable") != "freeze":
            assert done.target.sum() == pytest.approx(1, **EXACT)
        assert done.target.max() <= caps.get("constituent", 1) + 1e-12
        assert 0 < done.capping_factor.min() <= done.capping_factor.max() <= 1
        for segment in ("x", "y", "z"):
            inside = [segments.get(found.symbols[j]) == segment for j in done.columns]
            assert done.target[inside].sum() <= caps.get("segment", 1) + 1e-12


@law
@given(st.data())
@some
def test_total(scheme: str, data: st.DataObject) -> None:
    """Gross is at least net and net at least price, for dividends are positive."""
    case = data.draw(sound(scheme, EVERY))
    found = original(case.but(variants=["price", "gross", "net"])).variants
    assert (found["gross"] >= found["net"] * (1 - 1e-12)).all()
    assert (found["net"] >= found["price"] * (1 - 1e-12)).all()


@law
@given(st.data())
@some
def test_contributions(scheme: str, data: st.DataObject) -> None:
    """Contributions of a session sum to its price return."""
    case = data.draw(sound(scheme, EVERY))
    found = original(case.but(variants=["price"]))
    level = found.variants["price"]
    total = np.nansum(found.contribution[1:], axis=1)
    assert total.tolist() == pytest.approx((level[1:] / level[:-1] - 1).tolist(), abs=1e-12)


@pytest.mark.parametrize("scheme", REAL_SHARES)
@given(st.data())
@some
def test_rebalance_to_the_weights_that_stand(scheme: str, data: st.DataObject) -> None:
    """A rebalance that changes no weight leaves the level alone."""
    case = data.draw(sound(scheme, ()))
    frequency = data.draw(st.sampled_from(("monthly", "quarterly")))
    counts = {row["symbol"]: row for row in case.tables["shares"]}
    early = [row | {"date": date(2021, 1, 4)} for row in counts.values()]
    case = case.with_table("shares", early).but(selection=None)
    held = near(original(case.but(rebalance={"frequency": "never"})))
    assert levels(history(case.but(rebalance={"frequency": frequency}))) == held
