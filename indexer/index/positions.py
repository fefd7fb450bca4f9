"""What an index holds at a close: the same rows are published, shown and written to workbooks."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import or_none
from indexer.index.history import History
from indexer.index.holding import market_weights


class Position(NamedTuple):
    """One constituent, as it is held at a close.

    Attributes
    ----------
    shares : index shares
    close, dated : last close of it, and the date of that; None where there is none
    carried_price : whether that is an earlier session's
    fx : worth of a unit of its currency in the index's; None before there is a rate
    weight : share of the market value of the index
    contribution : to the return of the session; None where there is none
    column : in the arrays of the history
    """

    symbol: str
    segment: str | None
    currency: str
    shares: float
    close: float | None
    dated: date | None
    carried_price: bool
    fx: float | None
    weight: float
    contribution: float | None
    column: int


def positions(history: History, at: int) -> Iterator[Position]:
    """Yield what an index holds at the close of its ``at``-th session; nothing of a series.

    As listed, with what came in the stead of constituents after them; -1 is the last session.
    """
    panel = history.panel
    if panel is None:
        return
    row = len(panel.sessions) - len(history.days) + at % len(history.days)
    shares = history.shares[at]
    weights = market_weights(panel, row, shares)
    symbols, segments, currencies = panel.symbols, panel.segments, panel.currencies
    for j in np.flatnonzero(shares > 0).tolist():
        dated = panel.dated[row, j]
        yield Position(
            symbols[j],
            segments[j],
            currencies[j],
            float(shares[j]),
            or_none(panel.close[row, j]),
            None if np.isnat(dated) else dated.item(),
            bool(dated != panel.sessions[row]),
            or_none(panel.fx[row, j]),
            float(weights[j]),
            or_none(history.contribution[at, j]),
            j,
        )


def constituents(history: History) -> pl.DataFrame:
    """Return what an index holds at its last close as a table; it has no rows of a series."""
    beside, names = {"index": history.definition.id}, history.names
    rows = [
        beside | {"name": names[held.column]} | held._asdict() for held in positions(history, -1)
    ]
    return pl.DataFrame(rows, schema=_CONSTITUENTS)


_CONSTITUENTS = {
    "index": pl.String,
    "symbol": pl.String,
    "name": pl.String,
    "segment": pl.String,
    "currency": pl.String,
    "shares": pl.Float64,
    "close": pl.Float64,
    "dated": pl.Date,
    "carried_price": pl.Boolean,
    "weight": pl.Float64,
    "contribution": pl.Float64,
}
