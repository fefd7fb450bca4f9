"""What an index holds at the close of its last session, as a table."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from indexer.index.history import History


def constituents(history: History) -> pl.DataFrame:
    """Return what an index holds at the close of its last session; nothing of a series."""
    rows = list(_constituents(history))
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


def _constituents(history: History) -> Iterator[tuple[Any, ...]]:
    panel = history.panel
    if panel is None:
        return
    names = {c.symbol: c.name for c in getattr(history.definition, "constituents", ())}
    shares = history.shares[-1]
    held = np.flatnonzero(shares > 0)
    value = np.nan_to_num(shares[held] * panel.worth[-1, held])
    for weight, j in zip(value / value.sum(), held, strict=True):
        dated = panel.dated[-1, j]
        yield (
            history.definition.id,
            panel.symbols[j],
            names.get(panel.symbols[j]),
            panel.segments[j],
            panel.currencies[j],
            float(shares[j]),
            _or_none(panel.close[-1, j]),
            None if np.isnat(dated) else dated.item(),
            bool(dated != panel.sessions[-1]),
            float(weight),
            _or_none(history.contribution[-1, j]),
        )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
