"""What the cells of a market table must be, and every place where they are not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from indexer.errors import Flaw

SHOWN = 10  # rows named for one kind of flaw in one column; the rest are counted

_ROW = "\0row"  # cannot be a column of a real table

# kind of action: the columns it needs, and those it may have besides
_ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "dividend": (("cash",), ()),
    "special_dividend": (("cash",), ()),
    "split": (("ratio",), ()),
    "bonus": (("ratio",), ()),
    "rights": (("ratio", "price"), ()),
    "delisting": ((), ("price",)),
    "merger": ((), ("cash", "ratio", "other")),
    "spinoff": (("ratio", "other"), ()),
    "symbol_change": (("other",), ()),
}


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds. Cells of required columns may not be empty."""

    kind: Literal["text", "date", "instant", "number"]
    pattern: str = ""  # regular expression a text must match
    positive: bool = False  # a number: above zero, else zero is allowed; never negative
    expected: str = ""  # in words, for the error

    @property
    def dtype(self) -> pl.DataType:
        """The polars type of the column after reading."""
        kinds = {"date": pl.Date(), "instant": pl.Datetime("us"), "number": pl.Float64()}
        return kinds.get(self.kind, pl.String())

    def typed(self, cells: pl.Series) -> pl.Series:
        """Return the cells in the column's type, null where they are not of it."""
        text = cells.dtype == pl.String
        if self.kind == "date" and text:
            return cells.str.to_date("%Y-%m-%d", strict=False)
        if self.kind == "instant" and text:
            plain = cells.str.replace(r"(?:Z|\+00:00)$", "").str.replace("T", " ")
            return plain.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        castable = {
            "text": True,
            "number": text or cells.dtype.is_numeric(),
        }.get(self.kind, cells.dtype.is_temporal())
        if castable:
            return cells.cast(self.dtype, strict=False)
        return pl.Series(cells.name, [None] * len(cells), dtype=self.dtype)

    def sound(self, typed: pl.Series) -> pl.Series:
        """Return which typed cells obey the column's rule; null cells are null."""
        if self.kind == "number":
            above = typed > 0 if self.positive else typed >= 0
            return typed.is_finite() & above
        if self.pattern:
            return typed.str.contains(self.pattern)
        return typed.is_not_null()


@dataclass(frozen=True, slots=True)
class Table:
    """What one table of a market folder must and may hold."""

    required: dict[str, Column]
    optional: dict[str, Column] = field(default_factory=dict)
    key: tuple[str, ...] = ()  # rows equal in these must be equal in every known column
    open_ended: bool = False  # columns beyond the known ones are kept as they are

    @property
    def columns(self) -> dict[str, Column]:
        """Every known column, the required ones first."""
        return self.required | self.optional

    def empty(self) -> pl.DataFrame:
        """Return the table without rows."""
        return pl.DataFrame(schema={name: c.dtype for name, c in self.columns.items()})

    def checked(self, raw: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Flaw]]:
        """Return the table in its types, one row a key, and everything wrong with it.

        Optional columns that are absent come back empty; the frame is of use only without flaws.
        """
        missing = [name for name in self.required if name not in raw.columns]
        if missing:
            found = ", ".join(raw.columns)
            return self.empty(), [
                Flaw(file, None, "", f"required column {name!r} is missing; found {found}")
                for name in missing
            ]
        rows = raw.with_row_index(_ROW, offset=2 if file.endswith(".csv") else 1)
        flaws: list[Flaw] = []
        typed = {}
        for name, column in self.columns.items():
            if name not in raw.columns:
                typed[name] = pl.Series(name, [None] * len(raw), dtype=column.dtype)
                continue
            typed[name] = column.typed(raw[name]).alias(name)
            flaws.extend(self._cell_flaws(name, typed[name], rows, file))
        frame = rows.with_columns(typed.values())
        frame = frame if self.open_ended else frame.select(_ROW, *self.columns)
        if self.key and not flaws:
            frame = frame.unique(list(self.columns), keep="first", maintain_order=True)
            flaws.extend(self._conflicts(frame, file))
        return frame.drop(_ROW), flaws

    def _cell_flaws(
        self, name: str, typed: pl.Series, rows: pl.DataFrame, file: str
    ) -> Iterator[Flaw]:
        column, given = self.columns[name], rows[name]
        empty = given.is_null() if given.dtype != pl.String else given.is_null() | (given == "")
        wrong = ~(column.sound(typed).fill_null(value=False)) & ~empty
        if name in self.required:
            wrong = wrong | empty
        if not wrong.any():
            return
        found = rows.filter(wrong)
        symbols = found["symbol"] if "symbol" in found.columns and name != "symbol" else None
        for n in range(min(SHOWN, len(found))):
            cell = found[name][n]
            said = "is empty" if cell in (None, "") else f"{cell!r}"
            symbol = "" if symbols is None else str(symbols[n])
            yield Flaw(file, found[_ROW][n], symbol, f"{name} {said}: expected {column.expected}")
        if len(found) > SHOWN:
            yield Flaw(file, None, "", f"{name}: {len(found) - SHOWN} more rows like these")

    def _conflicts(self, frame: pl.DataFrame, file: str) -> Iterator[Flaw]:
        twice = frame.filter(pl.struct(self.key).is_duplicated())
        groups = twice.group_by(self.key, maintain_order=True).agg(_ROW)
        for n, found in enumerate(groups.iter_rows(named=True)):
            if n == SHOWN:
                message = f"{len(groups) - SHOWN} more conflicts like these"
                yield Flaw(file, None, "", message)
                return
            rows = twice.filter(pl.col(_ROW).is_in(found[_ROW])).drop(_ROW, *self.key)
            differing = [
                f"{name} {' and '.join(map(str, rows[name]))}"
                for name in rows.columns
                if rows[name].n_unique() > 1
            ]
            unit = "lines" if file.endswith(".csv") else "rows"
            key = " ".join(str(found[k]) for k in self.key if k != "symbol")
            message = (
                f"{key} conflicts in {unit} {' and '.join(map(str, found[_ROW]))}: "
                f"{', '.join(differing)}; keep the right one"
            )
            yield Flaw(file, found[_ROW][0], str(found.get("symbol", "")), message)


def action_flaws(actions: pl.DataFrame, file: str) -> Iterator[Flaw]:
    """Yield every action of an unknown kind, or without what its kind needs."""
    offset = 2 if file.endswith(".csv") else 1
    for n, row in enumerate(actions.iter_rows(named=True)):
        kind, symbol = row["kind"], row["symbol"]
        if kind not in _ACTIONS:
            message = f"kind {kind!r}: expected one of {', '.join(_ACTIONS)}"
            yield Flaw(file, n + offset, symbol, message)
            continue
        needed, possible = _ACTIONS[kind]
        given = {k for k in ("cash", "ratio", "price", "other") if row[k] is not None}
        for column in needed:
            if column not in given or row[column] in (0, ""):
                yield Flaw(file, n + offset, symbol, f"a {kind} needs {column} above zero")
        for column in sorted(given.difference(needed, possible)):
            message = f"{column} {row[column]!r} has no meaning for a {kind}: leave it empty"
            yield Flaw(file, n + offset, symbol, message)
        if kind == "merger":
            yield from _merger_flaws(row, Flaw(file, n + offset, symbol, ""))


def _merger_flaws(row: dict[str, object], at: Flaw) -> Iterator[Flaw]:
    if row["cash"] is None and row["ratio"] is None:
        yield Flaw(at.table, at.row, at.symbol, "a merger pays cash, or ratio shares of other")
    if (row["ratio"] is None) != (row["other"] is None):
        yield Flaw(at.table, at.row, at.symbol, "a merger's ratio and other go together")


def float_flaws(shares: pl.DataFrame, file: str) -> Iterator[Flaw]:
    """Yield every row with more free-float shares than shares."""
    offset = 2 if file.endswith(".csv") else 1
    rows = shares.with_row_index(_ROW, offset=offset)
    above = rows.filter(pl.col("free_float_shares") > pl.col("total_shares"))
    for row in above.head(SHOWN).iter_rows(named=True):
        message = f"free float {row['free_float_shares']:g} above total {row['total_shares']:g}"
        yield Flaw(file, row[_ROW], row["symbol"], message)
    if len(above) > SHOWN:
        yield Flaw(file, None, "", f"{len(above) - SHOWN} more rows with free float above total")
