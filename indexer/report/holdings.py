"""What an index holds at the close of its last session."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date

import numpy as np
import polars as pl

from indexer.arrays import or_none
from indexer.index.history import History
from indexer.index.holding import market_weights


@dataclass(frozen=True, slots=True)
class Holding:
    """One constituent, as it is held at the close.

    Attributes
    ----------
    shares : index shares
    close, dated : last close of it, and the date of that; None where there is none
    carried_price : whether that is an earlier session's
    weight : share of the market value of the index
    contribution : to the return of the last session; None where there is none
    column : in the arrays of the history
    """

    index: str
    symbol: str
    name: str | None
    segment: str | None
    currency: str
    shares: float
    close: float | None
    dated: date | None
    carried_price: bool
    weight: float
    contribution: float | None
    column: int


def holdings(history: History) -> Iterator[Holding]:
    """Yield what an index holds, in the order of its definition; nothing of a series."""
    panel = history.panel
    if panel is None:
        return
    names = {c.symbol: c.name for c in getattr(history.definition, "constituents", ())}
    shares = history.shares[-1]
    weights = market_weights(panel, -1, shares)
    for j in np.flatnonzero(shares > 0).tolist():
        dated = panel.dated[-1, j]
        yield Holding(
            history.definition.id,
            panel.symbols[j],
            names.get(panel.symbols[j]),
            panel.segments[j],
            panel.currencies[j],
            float(shares[j]),
            or_none(panel.close[-1, j]),
            None if np.isnat(dated) else dated.item(),
            bool(dated != panel.sessions[-1]),
            float(weights[j]),
            or_none(history.contribution[-1, j]),
            j,
        )


def constituents(history: History) -> pl.DataFrame:
    """Return what an index holds as a table; it has no rows of a series."""
    rows = [astuple(one)[:-1] for one in holdings(history)]
    return pl.DataFrame(rows, schema=_CONSTITUENTS, orient="row")


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
