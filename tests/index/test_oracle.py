"""The package against the oracle of `tests.reference.index`, on drawn definitions and markets."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings

from indexer.errors import DefinitionError, MarketDataError
from indexer.index.build import build
from indexer.index.history import Change, History
from tests.index.drawn import Case, cases
from tests.index.examples import basket, market
from tests.reference.index import OracleError, Result
from tests.reference.index import build as build_slowly

CLOSE = {"rel": 1e-9, "abs": 1e-12}


@given(cases())
@settings(suppress_health_check=list(HealthCheck))
def test_the_package_agrees_with_the_oracle(case: Case) -> None:
    expected: Result | OracleError
    try:
        expected = build_slowly(case.definition, case.tables, case.sessions, case.until)
    except OracleError as error:
        expected = error
    if isinstance(expected, OracleError):
        event(f"refused: {expected.kind}")
        with pytest.raises((DefinitionError, MarketDataError)):
            build(basket(**case.definition), market(case.tables), until=case.until)
        return
    event("built")
    found = build(basket(**case.definition), market(case.tables), until=case.until)
    agree(found, expected)


def agree(found: History, expected: Result) -> None:
    """Compare everything that a history tells."""
    assert found.days.tolist() == [row["date"] for row in expected.rows]
    for name in ("price", "gross", "net"):
        levels = [row[name] for row in expected.rows]
        assert (name in found.variants) == (levels[0] is not None)
        if name in found.variants:
            assert found.variants[name].tolist() == pytest.approx(levels, **CLOSE), name
    for name in ("divisor", "market_value"):
        figures = [row[name] for row in expected.rows]
        assert getattr(found, name).tolist() == pytest.approx(figures, **CLOSE), name
    if all(row["shares"] > 0 for row in expected.weights):
        assert found.carried.tolist() == [row["carried"] for row in expected.rows]
    agree_on_weights(found, expected)
    tell_every_change(found)
    contributions = {
        (row["date"], row["symbol"]): row["contribution"]
        for row in found.contributions.iter_rows(named=True)
    }
    wanted = {
        (day, s): x for day, parts in expected.contributions.items() for s, x in parts.items()
    }
    idle = {key: 0.0 for key in wanted if key not in contributions}  # of weight zero
    assert contributions | idle == pytest.approx(wanted, **CLOSE)
    turnover = {r.effective: r.turnover for r in found.rebalances[1:]}
    assert turnover == pytest.approx(expected.turnover, **CLOSE)


def agree_on_weights(found: History, expected: Result) -> None:
    """Compare the members of every rebalance, and who was left out of it."""
    rows = {(row["effective"], row["symbol"]): row for row in found.weights.iter_rows(named=True)}
    wanted = {(row["effective"], row["symbol"]): row for row in expected.weights}
    rows = {key: row for key, row in rows.items() if row["shares"] > 0}
    wanted = {key: row for key, row in wanted.items() if row["shares"] > 0}
    assert rows.keys() == wanted.keys()
    for key, row in rows.items():
        assert _figures(row) == pytest.approx(_figures(wanted[key]), **CLOSE), key
        assert _labels(row) == _labels(wanted[key]), key
    left_out = {(row["effective"], row["symbol"]) for row in expected.excluded}
    left_out |= {(one.effective, symbol) for one in found.rebalances for symbol in found.missing}
    idle = {(row["effective"], row["symbol"]) for row in expected.weights if row["shares"] == 0}
    assert set(found.excluded.select("effective", "symbol").iter_rows()) - idle == left_out - idle


def tell_every_change(found: History) -> None:
    """Check that shares and divisors follow from the changes alone, one from another."""
    shares: dict[str, float] = {}
    changes = list(found.changes)
    for t, day in enumerate(found.days):
        today = [c for c in changes if c.date == day]
        opening = [c for c in today if t and c.kind not in ("delisting", "merger", "rebalance")]
        shares = _changed(shares, opening)
        if t:
            held = {found.symbols[j]: found.shares[t, j] for j in np.flatnonzero(found.shares[t])}
            assert {symbol: n for symbol, n in shares.items() if n} == held
        shares = _changed(shares, [c for c in today if c not in opening])
        if today:
            assert today[-1].divisor_after == pytest.approx(found.divisor[t], **CLOSE)


def _changed(shares: dict[str, float], changes: list[Change]) -> dict[str, float]:
    after = dict(shares)
    for change in changes:
        assert after.get(change.symbol, 0.0) == change.shares_before, change
        after[change.symbol] = change.shares_after
    return after


def _figures(row: dict[str, Any]) -> dict[str, float]:
    names = ("shares", "capping_factor", "reference_weight", "effective_weight")
    return {name: row[name] for name in names}


def _labels(row: dict[str, Any]) -> tuple[date, date, bool]:
    return row["reference"], row["first_session"], row["tradable"]
