"""Indices and markets shared by the tests of the index layer, worked by hand or drawn.

Both sides of a comparison are given the same plain rows: dictionaries as the contract names their
keys. `history` puts them to the package; `tests.reference.index.build` takes them as they are.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from indexer.definitions.basket import Basket
from indexer.definitions.rules import broken
from indexer.errors import DefinitionError
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.tables import TABLES, Manifest, Market
from tests.reference.example import MONDAY

Row = dict[str, Any]
Tables = dict[str, list[Row]]

REQUIRED = {"version": "1", "id": "example", "name": {"en": "Example"}}
DEFAULTS = {
    "currency": "USD",
    "calendar": "24/5",
    "base": {"date": MONDAY, "level": 1000.0},
    "weighting": {"scheme": "equal"},
    "constituents": [{"symbol": "A.US"}, {"symbol": "B.US"}],
}


def basket(**keys: Any) -> Basket:
    """Return a definition that keeps the rules; without keys A.US and B.US, equal weighted."""
    definition = Basket.model_validate(REQUIRED | DEFAULTS | keys)
    problems = [definition.problem(*rule) for rule in broken(Basket, dict(definition))]
    if problems:
        raise DefinitionError(problems)
    return definition


def market(tables: Tables, **manifest: Any) -> Market:
    """Return rows of tables as a market; a column beyond the known ones holds text."""
    frames = {name: _frame(name, tables.get(name, [])) for name in TABLES}
    return Market("example", Manifest(**manifest), **frames)


def _frame(name: str, rows: Iterable[Row]) -> pl.DataFrame:
    rows = list(rows)
    known = TABLES[name].empty().schema
    beyond = dict.fromkeys((key for row in rows for key in row if key not in known), pl.String)
    columns = {
        key: [str(row[key]) if key in beyond and row.get(key) is not None else row.get(key)
              for row in rows]
        for key in {**known, **beyond}
    }  # fmt: skip
    return pl.DataFrame(columns, schema={**known, **beyond})


def history(
    prices: list[Row],
    *actions: Row,
    tables: Tables | None = None,
    until: date | None = None,
    **keys: Any,
) -> History:
    """Return the history of A.US and B.US, or of what the keys define, over prices and actions."""
    folder = {"prices": prices, "actions": list(actions), **(tables or {})}
    return build(basket(**keys), market(folder), until=until)


def price(found: History) -> list[float]:
    """Return the levels of the price index."""
    return [float(level) for level in found.variants["price"]]


def weights(found: History, effective: date, column: str = "effective_weight") -> dict[str, Any]:
    """Return one column of the weights of a rebalance, by symbol, in the order of the rows."""
    rows = found.weights.filter(pl.col("effective") == effective)
    return dict(zip(rows["symbol"], rows[column], strict=True))


def changes(found: History) -> list[tuple[str, str, list[float]]]:
    """Return the rows of ``events`` after the base date: symbol, kind, shares and divisors."""
    return [(row[1], row[2], list(row[3:])) for row in found.events.rows() if row[0] > MONDAY]
