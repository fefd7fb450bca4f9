"""Levels against two peers: trades by bt, and one expression of whole arrays in numpy.

Both are given the weights that a rebalance leaves at the close of its effective date, worked out
here from drawn closes and share counts, with a cap of this module's own. bt buys them at that close
and values what it holds; the expression is ``level_e * sum(w_i * P_i,t / P_i,e)`` for all
constituents and all sessions up to the next rebalance at once.
"""

from collections.abc import Callable
from math import isnan
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from indexer.arrays import Flags, Grid, Vector
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.tables import Market
from tests.index.examples import basket, market, price

ASSETS, SESSIONS, LAG = 88, 2_500, 5
LEVEL = 1000.0
CLOSE = 1e-12  # relative
CAP = 0.02  # between 1/88, where all would be equal, and the largest weights, several times this
SYMBOLS = [f"S{n:02}.US" for n in range(ASSETS)]
DAYS = np.busday_offset(np.datetime64("2015-01-05"), np.arange(-LAG, SESSIONS))
BASE = LAG  # its row: the first reference date has closes too
QUARTERS = np.arange(np.datetime64("2015-03"), DAYS[-1].astype("datetime64[M]") + 1, 3)
FRIDAYS = np.busday_offset(QUARTERS, 2, roll="forward", weekmask="Fri")
EFFECTIVE = np.array([BASE, *np.flatnonzero(np.isin(DAYS, FRIDAYS))])
COUNTED = np.array([0, *(EFFECTIVE[2::4] - 2)])  # a lag of five sees new counts a quarter later


class Drawn(NamedTuple):
    """A market over DAYS, as arrays for the peers and as the tables of a folder.

    Attributes
    ----------
    closes : (T, N) carried forward where absent
    absent : (T, N) whether the folder has no close
    counts : (T, N) share counts, the latest tabled
    folder : the tables, without what is carried
    """

    closes: Grid
    absent: Flags
    counts: Grid
    folder: Market


class Rule(NamedTuple):
    """What decides the weights, in the words of a definition."""

    scheme: str
    cap: float | None = None
    reference_lag: int = 0
    price_date: str = "reference"


RULES = [
    Rule("equal"),
    Rule("market_cap", CAP),
    Rule("price", CAP),
    Rule("equal", None, LAG),
    Rule("market_cap", CAP, LAG),
    Rule("price", CAP, LAG),
    Rule("price", CAP, LAG, "effective"),
]


def drawn(*, suspended: bool) -> Drawn:
    """Draw walks with a common part, and share counts; suspended, each line stops for a while."""
    random = np.random.default_rng(20150105)
    moves = random.normal(2e-4, 0.01, (len(DAYS), 1)) + random.normal(0, 0.02, (len(DAYS), ASSETS))
    walks = random.uniform(5, 500, ASSETS) * np.exp(np.cumsum(moves, axis=0))
    tabled = np.rint(random.lognormal(18, 1.5, (len(COUNTED), ASSETS)))
    begin, length = random.integers(1, len(DAYS), ASSETS), random.integers(1, 130, ASSETS)
    row = np.arange(len(DAYS))[:, None]
    absent = suspended & (row >= begin) & (row < begin + length)
    latest = np.maximum.accumulate(np.where(absent, 0, row), axis=0)
    return Drawn(
        closes=np.take_along_axis(walks, latest, axis=0),
        absent=absent,
        counts=tabled[np.searchsorted(COUNTED, row[:, 0], side="right") - 1],
        folder=folder(np.where(absent, np.nan, walks), tabled),
    )


def folder(closes: Grid, counts: Grid) -> Market:
    """Return closes on DAYS and counts on the days of COUNTED as a market; NaN is no close."""
    sessions, counted = DAYS.tolist(), DAYS[COUNTED].tolist()
    return market(
        {
            "prices": [
                {"symbol": symbol, "date": day, "close": close}
                for symbol, column in zip(SYMBOLS, closes.T.tolist(), strict=True)
                for day, close in zip(sessions, column, strict=True)
                if not isnan(close)
            ],
            "shares": [
                {"symbol": symbol, "date": day, "total_shares": count}
                for symbol, column in zip(SYMBOLS, counts.T.tolist(), strict=True)
                for day, count in zip(counted, column, strict=True)
            ],
        }
    )


@pytest.fixture(scope="module")
def full() -> Drawn:
    return drawn(suspended=False)


@pytest.fixture(scope="module")
def interrupted() -> Drawn:
    return drawn(suspended=True)


def index(rule: Rule, folder: Market) -> History:
    definition = basket(
        base={"date": DAYS[BASE].item(), "level": LEVEL},
        constituents=[{"symbol": symbol} for symbol in SYMBOLS],
        weighting={"scheme": rule.scheme, "caps": {"constituent": rule.cap}},
        rebalance={
            "frequency": "quarterly",
            "day": "third friday",
            "reference_lag": rule.reference_lag,
            "price_date": rule.price_date,
        },
    )
    return build(definition, folder)


# --- what both peers are told ---------------------------------------------------------------------


def weights(rule: Rule, given: Drawn) -> Grid:
    """Return the weights after caps at the reference dates of EFFECTIVE, (R, N)."""
    raw = {
        "equal": np.ones_like(given.closes),
        "price": given.closes,
        "market_cap": given.closes * given.counts,
    }[rule.scheme][EFFECTIVE - rule.reference_lag]
    return np.array([capped(row / row.sum(), rule.cap or 1.0) for row in raw])


def capped(uncapped: Vector, cap: float) -> Vector:
    """Set offenders to the cap and share the excess pro rata among the rest, until none offends."""
    found, full = uncapped.copy(), np.zeros(len(uncapped), dtype=bool)
    while (found > cap).any():
        full |= found > cap
        found[full] = cap
        found[~full] = uncapped[~full] * (1 - cap * full.sum()) / uncapped[~full].sum()
    return found


def drifted(rule: Rule, given: Drawn) -> Grid:
    """Return the weights at the close of the effective dates, units set by the reference prices."""
    found = weights(rule, given)
    if rule.price_date == "reference":
        found *= given.closes[EFFECTIVE] / given.closes[EFFECTIVE - rule.reference_lag]
    return np.asarray(found / found.sum(axis=1, keepdims=True))


# --- the peers ------------------------------------------------------------------------------------


def expressed(closes: Grid, held: Grid) -> Vector:
    """Return the levels from the base date on, by the expression."""
    levels = np.full(len(closes), LEVEL)
    for begin, end, w in zip(EFFECTIVE, [*EFFECTIVE[1:], len(closes) - 1], held, strict=True):
        ratios = closes[begin + 1 : end + 1] / closes[begin]
        levels[begin + 1 : end + 1] = levels[begin] * (ratios @ w)
    return levels[BASE:]


def traded(closes: Grid, held: Grid) -> Vector:
    """Return the levels from the base date on, by trades in bt: any fraction of a share, no cost.

    bt puts a row of its own before the first. It is imported here: with what it draws in it takes
    as long as a hundred tests, in every process.
    """
    import bt  # noqa: PLC0415

    quotes = pd.DataFrame(closes[BASE:], pd.DatetimeIndex(DAYS[BASE:]), SYMBOLS)
    wanted = pd.DataFrame(held, pd.DatetimeIndex(DAYS[EFFECTIVE]), SYMBOLS)
    strategy = bt.Strategy("peer", [bt.algos.WeighTarget(wanted), bt.algos.Rebalance()])
    trades = bt.Backtest(strategy, quotes, integer_positions=False)
    trades.run()
    values = trades.strategy.prices.to_numpy()[1:]
    return np.asarray(LEVEL * values / values[0])


# --- the comparison -------------------------------------------------------------------------------


PAIRED = [*((rule, expressed) for rule in RULES), (RULES[4], traded), (RULES[6], traded)]


@pytest.mark.parametrize(("rule", "peer"), PAIRED, ids=lambda x: getattr(x, "__name__", str(x)))
def test_the_levels_are_those_of_a_peer(
    full: Drawn, rule: Rule, peer: Callable[[Grid, Grid], Vector]
) -> None:
    """Seven rules in one, two of them in the other: a peer knows of a rule by its weights alone."""
    expected = peer(full.closes, drifted(rule, full))

    assert len(expected) == SESSIONS
    assert price(index(rule, full.folder)) == pytest.approx(expected.tolist(), rel=CLOSE, abs=0)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_suspended_line_counts_at_its_last_close(interrupted: Drawn, rule: Rule) -> None:
    """Also where its weight is set, and where the basket changes."""
    expected = expressed(interrupted.closes, drifted(rule, interrupted))
    found = index(rule, interrupted.folder)

    assert found.carried.tolist() == interrupted.absent[BASE:].sum(axis=1).tolist()
    assert price(found) == pytest.approx(expected.tolist(), rel=CLOSE, abs=0)


def test_every_line_is_suspended_and_some_when_weights_are_set_or_held(interrupted: Drawn) -> None:
    assert interrupted.absent.any(axis=0).all()
    for rows in (EFFECTIVE - LAG, EFFECTIVE):
        assert interrupted.absent[rows].any(axis=1).sum() > len(EFFECTIVE) / 2


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.cap], ids=str)
def test_the_cap_binds_at_every_rebalance(full: Drawn, rule: Rule) -> None:
    found = weights(rule, full)

    assert (found.max(axis=1) == CAP).all()
    assert found.sum(axis=1) == pytest.approx(1, rel=1e-14)
