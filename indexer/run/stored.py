"""The rows of the market an entry rests on, as the ledger stores them: what each added, and back.

An entry holds the rows that came since its basis, the entry of the session before, and those of
the basis that are no longer there. So the inputs of every entry can be told years later from the
ledger alone, and an index rebuilt from them.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import sqlalchemy as sa

from indexer.errors import LedgerError, Refusal
from indexer.ledger.history import inputs_of_entry
from indexer.market.inputs import Inputs, Row, RowsByTable, market_of
from indexer.market.tables import Manifest, Market, PriceKind

Bag = Counter[tuple[str, tuple[str, ...], Row]]  # table, columns and cells; equal rows are counted


def whole(inputs: Inputs, session: date) -> bytes:
    """Return all rows known by a session, packed."""
    return _packed(inputs.price_kind, inputs.rows(session), {})


def since(inputs: Inputs, basis: date, session: date) -> bytes:
    """Return the rows that came after the session of a basis whose rows have not changed."""
    return _packed(inputs.price_kind, inputs.rows(session, after=basis), {})


def against(inputs: Inputs, session: date, before: Bag) -> bytes:
    """Return what distinguishes the rows known by a session from those of a basis, packed."""
    now = bag(inputs.rows(session))
    return _packed(inputs.price_kind, _rows(now - before), _rows(before - now))


def nothing_more() -> bytes:
    """Return the inputs of an entry that rests on those of its basis, packed."""
    return _packed("", {}, {})


def bag_of(connection: sa.Connection, number: int) -> Bag:
    """Return the rows that an entry rests on; raises as `rows_of_entry` does."""
    return _folded(connection, number)[0]


def rows_of_entry(connection: sa.Connection, number: int) -> tuple[RowsByTable, PriceKind]:
    """Return the rows that an entry rests on, and what prices are where no row says it.

    Raises
    ------
    LedgerError
        If what is stored cannot be read.
    """
    found, kind = _folded(connection, number)
    return _rows(found), kind


def price_kinds(rows: RowsByTable, otherwise: PriceKind) -> dict[str, PriceKind]:
    """Return by symbol what its prices are, of the rows that something rests on."""
    found: dict[str, PriceKind] = {}
    for table in ("prices", "securities"):
        columns, cells = rows.get(table, ((), []))
        for row in cells:
            named = dict(zip(columns, row, strict=True))
            found[named["symbol"]] = named.get("price_kind") or otherwise
    return found


def market_of_entry(
    connection: sa.Connection, number: int, *, synthetic: bool, source: str = ""
) -> Market:
    """Return the market that an entry rests on, no row more.

    Raises
    ------
    LedgerError
        If what is stored cannot be read.
    """
    rows, kind = rows_of_entry(connection, number)
    manifest = Manifest(kind, synthetic=synthetic, source=source)
    with _readable(number) as name:
        return market_of(rows, manifest, name)


def _folded(connection: sa.Connection, number: int) -> tuple[Bag, PriceKind]:
    """Return rows folded from an entry and every one below it, and the kind of prices told last."""
    found: Bag = Counter()
    kinds: list[PriceKind] = []
    with _readable(number):
        for packed in inputs_of_entry(connection, number):
            told = _unpacked(packed)
            found.update(bag(_tables(told, "added")))
            found.subtract(bag(_tables(told, "removed")))
            kinds += [told["price_kind"]] if told["price_kind"] else []
        return +found, kinds[-1]


@contextmanager
def _readable(number: int) -> Iterator[str]:
    """Yield what the inputs of an entry are called; what cannot be read of them is damage."""
    name = f"inputs of entry {number}"
    try:
        yield name
    except (ValueError, LookupError, TypeError, zlib.error) as error:
        raise LedgerError([Refusal("ledger", "", "", f"{name}: {error}")]) from error


def _packed(price_kind: str, added: RowsByTable, removed: RowsByTable) -> bytes:
    tables: dict[str, dict[str, Any]] = {}
    for name in added | removed:
        columns, came = added.get(name) or (removed[name][0], [])
        before, went = removed.get(name, (columns, []))
        tables[name] = {"columns": columns, "added": came, "removed": went}
        if before != columns:  # another definition looks at others
            tables[name]["removed_columns"] = before
    text = json.dumps(
        {"price_kind": price_kind, "tables": tables},
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )
    return zlib.compress(text.encode(), 6)


def _unpacked(packed: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(packed))
    return found


def _tables(told: dict[str, Any], which: str) -> RowsByTable:
    return {
        name: (
            tuple(table.get(f"{which}_columns", table["columns"])),
            [tuple(row) for row in table[which]],
        )
        for name, table in told["tables"].items()
    }


def bag(rows: RowsByTable) -> Bag:
    """Return rows without their order."""
    return Counter((name, columns, row) for name, (columns, cells) in rows.items() for row in cells)


def _rows(folded: Bag) -> RowsByTable:
    found: RowsByTable = {}
    for name, columns, row in sorted(folded.elements(), key=repr):
        found.setdefault(name, (columns, []))[1].append(row)
    return found
