"""Cells of the ledger: each is read as what was written there, or told as damage.

SQLite keeps whatever it is given in any column: text where a number was, any number for true. The
kinds are those that the columns of `indexer.ledger.tables` say, nowhere else.
"""

import math
import sys
from collections.abc import Callable
from datetime import date
from typing import Any, cast

import sqlalchemy as sa

from indexer.errors import LedgerError, Refusal, short

_SAID: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    bytes: "bytes",
}
_STORED = {str: "text", int: "integer", float: "real", bool: "integer", bytes: "blob"}  # by SQLite


class Cell(sa.types.TypeDecorator[Any]):
    """The type of a column whose cells are checked as they are read.

    Attributes
    ----------
    name : of table and column
    kind : as which the database holds it
    positive : whether a number must be above zero
    dated : whether a text must be an ISO date
    """

    impl = sa.Text
    cache_ok = True

    def __init__(
        self, name: str, kind: sa.types.TypeEngine[Any], *, positive: bool, dated: bool
    ) -> None:
        self.name, self.kind, self.positive, self.dated = name, kind, positive, dated
        self.impl = kind  # type: ignore[assignment]  # of each column its own

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return what SQLAlchemy makes of each cell it reads: itself, true or false of a flag.

        A cell that never was written raises ``LedgerError``.
        """
        # SQLite's own would make something of anything: true of any text, bytes of a number.
        sqlite = dialect.name == "sqlite"
        before = None if sqlite else super().result_processor(dialect, coltype)
        check = self._check()
        return check if before is None else lambda cell: check(before(cell))

    def _check(self) -> Callable[[Any], Any]:
        """Return the function for every cell; there are millions of them: no question twice."""
        kind = self.kind.python_type
        lowest = 0.0 if self.positive else -math.inf

        def same(cell: Any) -> Any:
            if cell.__class__ is kind or cell is None:
                return cell
            raise self._damage(cell)

        def number(cell: Any) -> Any:
            if cell is None or (cell.__class__ is float and lowest < cell < math.inf):
                return cell
            raise self._damage(cell)

        def day(cell: Any) -> Any:
            try:
                if cell is None or date.fromisoformat(cell).isoformat() == cell:
                    return cell
            except (ValueError, TypeError):
                pass
            raise self._damage(cell)

        def flag(cell: Any) -> Any:
            if cell is None or (cell.__class__ in (bool, int) and cell in (0, 1)):
                return cell if cell is None else cell == 1
            raise self._damage(cell)

        return day if self.dated else {float: number, bool: flag}.get(kind, same)

    def _damage(self, cell: Any) -> LedgerError:
        return damage(f"{self.name} is {short(cell)}, not {self.said}")

    @property
    def said(self) -> str:
        """What a cell must be, in words."""
        if self.dated:
            return "an ISO date"
        return _SAID[self.kind.python_type] + (" above zero" if self.positive else "")


def check_cells(connection: sa.Connection, table: sa.Table) -> None:
    """Raise ``LedgerError`` with the first cell of a table that never was written.

    The database looks for it; what is null where nothing may be is found as well.
    """
    sqlite = connection.dialect.name == "sqlite"
    wrong = sa.case(*((_wrong(column, sqlite=sqlite), column.name) for column in table.columns))
    keys = [column.name for column in table.primary_key]
    raw = [sa.type_coerce(c, sa.types.NullType()).label(c.name) for c in table.columns]
    query = sa.select(wrong, *raw).where(wrong.is_not(None)).order_by(*table.primary_key).limit(1)
    found = connection.execute(query).first()
    if found is None:
        return
    name, row = found[0], found._mapping
    place = ", ".join(f"{key} {short(row[key])}" for key in keys)
    said = cast("Cell", table.columns[name].type).said
    raise damage(f"{table.name}.{name} ({place}) is {short(row[name])}, not {said}")


def _wrong(column: "sa.Column[Any]", *, sqlite: bool) -> sa.ColumnElement[bool]:
    """Return the condition under which a cell is none that was written."""
    cell, raw = cast("Cell", column.type), sa.type_coerce(column, sa.types.NullType())
    kind = cell.kind.python_type
    wrong = [sa.func.typeof(raw) != _STORED[kind]] if sqlite else []
    if kind is float:
        wrong.append(sa.func.abs(raw) > sys.float_info.max)  # PostgreSQL: of NaN too
    if kind is float and cell.positive:
        wrong.append(raw <= 0.0)
    if cell.dated and sqlite:
        # Something is added so that 30 February becomes another day.
        wrong.append(sa.func.date(raw, "+0 days").is_distinct_from(raw))
    if kind is bool and sqlite:
        wrong.append(raw.not_in([0, 1]))
    there = sa.and_(column.is_not(None), sa.or_(sa.false(), *wrong))
    return there if column.nullable else sa.or_(column.is_(None), there)


def damage(message: str, name: str = "ledger") -> LedgerError:
    """Return what is said of a database that is not what was written."""
    text = f"the database is damaged: {message}: restore it from a copy, then verify"
    return LedgerError([Refusal(name, "", "", text)])
