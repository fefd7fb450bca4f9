"""Target weights at a reference date."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Rows, Vector, log
from indexer.definitions.basket import Basket
from indexer.errors import DefinitionError, Flaw, MarketDataError, counted, few
from indexer.index.caps import capped
from indexer.market.actions import event
from indexer.market.conventions.ladders import float_band
from indexer.market.panel import Panel, shares_known

SatOut = tuple[tuple[str, str], ...]  # symbols, and why
_NAMED = 5  # constituents that a message names; the rest are counted


class Weights(NamedTuple):
    """Weights of the constituents that are held, fractions of one that sum to one.

    Attributes
    ----------
    columns : (n,) columns of the panel
    target : (n,) after caps
    shares : (n,) shares outstanding that a real-share scheme counts, else NaN
    capping_factor : (n,) target over uncapped weight, scaled so that the largest is one
    sat_out : symbols that the scheme cannot weigh at this rebalance, and why
    """

    columns: Rows
    target: Vector
    shares: Vector
    capping_factor: Vector
    sat_out: SatOut


def weigh(basket: Basket, known: Panel, columns: Rows) -> Weights:
    """Return the target weights of the chosen columns from what is known at the reference date.

    Raises
    ------
    MissingInputError
        If a scheme needs a share count that is not tabled yet.
    MarketDataError
        If a score is missing, negative or infinite, nothing has a weight above zero, or the sum of
        all is no finite number.
    DefinitionError
        If the caps cannot be met by the constituents held.
    """
    with np.errstate(over="ignore"):
        raw, shares = _SCHEMES[basket.weighting.scheme](basket, known, columns)
    weighable = ~np.isnan(raw)
    sat_out = tuple(
        (known.lines[j].symbol, _unweighable(basket, known, j)) for j in columns[~weighable]
    )
    columns, raw, shares = columns[weighable], raw[weighable], shares[weighable]
    uncapped = raw / _sum(basket, known, (columns, raw), sat_out)
    target = _capped(basket, known, (columns, uncapped))
    factor = np.divide(target, uncapped, out=np.ones(len(target)), where=uncapped > 0)
    return Weights(columns, target, shares, factor / factor.max(), sat_out)


def _sum(basket: Basket, known: Panel, weights: tuple[Rows, Vector], sat_out: SatOut) -> float:
    """Return what weights sum to; raises unless that is a finite number above zero."""
    columns, raw = weights
    with np.errstate(over="ignore"):
        total = float(raw.sum())
    if total == np.inf:
        most = int(np.argmax(raw))
        message = (
            f"weights of {known.sessions[-1]} have no finite sum, {raw[most]:g} being that of "
            f"{known.lines[columns[most]].symbol} alone: a close, a rate, a share count or a score "
            "is too large"
        )
        raise MarketDataError([Flaw(basket.id, None, "", message)])
    if not total > 0:
        message = f"nothing to weigh on {known.sessions[-1]}: "
        if sat_out:
            message += "{} ({})".format(*sat_out[0])
            message += f" and {len(sat_out) - 1} more" if sat_out[1:] else ""
        else:
            message += "no constituent has a positive weight"
        raise MarketDataError([Flaw(basket.id, None, "", message)])
    return total


def _capped(basket: Basket, known: Panel, weights: tuple[Rows, Vector]) -> Vector:
    """Return weights under the caps; where those cannot be met, say when and by whom."""
    columns, uncapped = weights
    try:
        return capped(basket, uncapped, [known.segments[j] for j in columns])
    except DefinitionError as error:
        told = few([known.lines[j].symbol for j in columns[uncapped > 0]], _NAMED)
        closed = np.flatnonzero(~np.isnan(known.close[-1])).tolist()
        found = {s for j in closed for s in (known.lines[j].symbol, known.entry_symbol(j))}
        if unknown := [symbol for symbol in basket.symbols if symbol not in found]:
            told += f" (no close of {few(unknown, _NAMED)})"
        where = f"by what was known on {known.sessions[-1]}, of {told}: "
        problems = [replace(p, message=where + p.message) for p in error.problems]
        raise DefinitionError(problems) from None


def _unweighable(basket: Basket, known: Panel, column: int) -> str:
    """Return why a scheme cannot weigh a constituent."""
    if basket.weighting.scheme == "inverse_volatility":
        lookback = basket.weighting.lookback
        count, needed = len(session_returns(known, column, lookback)), _needed(lookback)
        if count < needed:
            return (
                f"{counted(count, 'return')} in a lookback of {lookback} sessions, needs {needed}"
            )
        return f"no variance in a lookback of {lookback} sessions"
    return f"no number to weigh it by: scheme {basket.weighting.scheme!r}"


_CONSTANT = 1e-12  # a deviation of log returns this small is rounding: every return is the same

Raw = tuple[Vector, Vector]  # weights before scaling, and shares outstanding or NaN


def _none(columns: Rows) -> Vector:
    return np.full(len(columns), np.nan)


def _equal(basket: Basket, known: Panel, columns: Rows) -> Raw:
    return np.ones(len(columns)), _none(columns)


def _price(basket: Basket, known: Panel, columns: Rows) -> Raw:
    return known.worth[-1, columns], _none(columns)


def _market_cap(basket: Basket, known: Panel, columns: Rows) -> Raw:
    total, _ = shares_known(known, columns)
    return known.worth[-1, columns] * total, total


def _free_float(basket: Basket, known: Panel, columns: Rows) -> Raw:
    total, free = shares_known(known, columns)
    floating = total * float_band(basket.weighting.ladder, free / total)
    return known.worth[-1, columns] * floating, floating


def _fixed(basket: Basket, known: Panel, columns: Rows) -> Raw:
    given = {c.symbol: c.weight or 0.0 for c in basket.constituents}
    weights = [given[known.entry_symbol(int(j))] for j in columns]
    return np.array(weights), _none(columns)


def _rank(basket: Basket, known: Panel, columns: Rows) -> Raw:
    weights = np.array(basket.weighting.weights)
    return weights[: len(columns)], _none(columns)


def _score(basket: Basket, known: Panel, columns: Rows) -> Raw:
    column = str(basket.weighting.column)
    values = score_column(known, column)[columns]
    wrong = [n for n, v in enumerate(values) if not 0 <= v < np.inf]
    if wrong:
        raise MarketDataError(
            [
                Flaw(
                    "securities",
                    None,
                    known.lines[columns[n]].symbol,
                    f"{column} {values[n]:g}: a score must be a finite number, zero or above",
                )
                for n in wrong
            ]
        )
    return values, _none(columns)


def _needed(lookback: int) -> int:
    """Return how many returns a deviation is of at least."""
    return max(2, (lookback + 1) // 2)


def _inverse_volatility(basket: Basket, known: Panel, columns: Rows) -> Raw:
    lookback = basket.weighting.lookback
    weights = _none(columns)
    for n, j in enumerate(columns):
        returns = session_returns(known, int(j), lookback)
        if len(returns) >= _needed(lookback):
            deviation = returns.std(ddof=1)
            weights[n] = 1.0 / deviation if deviation > _CONSTANT else np.nan
    return weights, _none(columns)


_SCHEMES: dict[str, Callable[[Basket, Panel, Rows], Raw]] = {
    "equal": _equal,
    "market_cap": _market_cap,
    "free_float": _free_float,
    "price": _price,
    "fixed": _fixed,
    "rank": _rank,
    "inverse_volatility": _inverse_volatility,
    "score": _score,
}


def session_returns(known: Panel, column: int, lookback: int) -> Vector:
    """Return log returns between consecutive closes of a constituent inside the last sessions.

    Only closes dated on sessions count, among the last ``lookback + 1`` sessions; the earlier
    close of each pair is restated by the ex-reference price of every event between the two.
    """
    first = max(0, len(known.sessions) - lookback - 1)
    rows = np.flatnonzero(known.traded(slice(first, None))[:, column]) + first
    closes = known.close[rows, column]
    opening = closes[:-1].copy()
    for found in known.events_of(column):
        if len(rows) and rows[0] < found.row <= rows[-1]:
            n = int(np.searchsorted(rows, found.row)) - 1  # the close before the event
            opening[n] = event(found.actions, opening[n]).ex_reference
    return log(closes[1:] / opening)


def score_column(known: Panel, column: str) -> Vector:
    """Return a column of the securities table as numbers, one a symbol; NaN where it has none.

    Raises
    ------
    MarketDataError
        If the table has no such column, or a cell of it is not a number.
    """
    if column not in known.securities.columns:
        found = ", ".join(known.securities.columns)
        message = f"no column {column!r} to rank or score by; found {found}"
        raise MarketDataError([Flaw("securities", None, "", message)])
    given = known.securities[column]
    if not (given.dtype.is_numeric() or given.dtype == pl.String):
        message = f"{column} holds {given.dtype}, and numbers are needed to rank or score by"
        raise MarketDataError([Flaw("securities", None, "", message)])
    values = given.cast(pl.Float64, strict=False)
    wrong = known.securities.filter(values.is_null() & given.is_not_null())
    if not wrong.is_empty():
        raise MarketDataError(
            [
                Flaw("securities", None, row["symbol"], f"{column} {row[column]!r} is not a number")
                for row in wrong.iter_rows(named=True)
            ]
        )
    return np.asarray(values.to_numpy(), dtype=float)
