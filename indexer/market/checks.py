"""What the cells of a market table must be, and every place where they are not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, date, time
from functools import partial
from typing import Literal, NamedTuple

import polars as pl

from indexer.definitions.symbols import NO_CURRENCIES
from indexer.errors import Flaw, separated, short

SHOWN = 10  # rows named for one kind of flaw in one column; the rest are counted

ROW = "\0row"  # line or row of the file; cannot be a column of a real table

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT = rf"^({_DAY}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{1,6}})?)(?:Z|\+00:00)?$"

# kind of action: the columns it needs, and those it may have besides
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
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
        """Return the cells in the column's type, null where they are empty or not of it."""
        text, dtype = cells.dtype == pl.String, cells.dtype
        if self.kind == "date" and text:
            return cells.str.extract(f"^({_DAY})$").str.to_date("%Y-%m-%d", strict=False)
        if self.kind == "date" and isinstance(dtype, pl.Datetime):
            return _where(cells.dt.time() == time(), cells.dt.date())
        if self.kind == "instant" and text:
            plain = cells.str.extract(_INSTANT).str.replace("T", " ")
            return plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        castable = {
            "text": not dtype.is_nested() and dtype != pl.Binary,
            "date": dtype == pl.Date,
            "instant": isinstance(dtype, pl.Datetime),
            "number": text or dtype.is_numeric(),
        }
        if not castable[self.kind]:
            return _empty(cells.name, len(cells), self.dtype)
        cast = cells.cast(self.dtype, strict=False)
        return _where(cast != "", cast) if self.kind == "text" else cast

    def sound(self, typed: pl.Series) -> pl.Series:
        """Return which typed cells obey the column's rule; null cells are null."""
        if self.kind == "number":
            above = typed > 0 if self.positive else typed >= 0
            return typed.is_finite() & above
        if self.kind in {"date", "instant"}:
            return typed.dt.year().is_between(MINYEAR, MAXYEAR)
        if self.pattern:
            return typed.str.contains(self.pattern)
        return typed.is_not_null()


class Rule(NamedTuple):
    """What ties the cells of a row together: where it is broken, and what to say of that row."""

    column: str
    broken: pl.Expr
    message: str  # its fields in braces are cells of the row


@dataclass(frozen=True, slots=True)
class Table:
    """What one table of a market folder must and may hold."""

    required: dict[str, Column]
    optional: dict[str, Column] = field(default_factory=dict)
    key: tuple[str, ...] = ()  # rows equal in these must be equal in every column that is kept
    open_ended: bool = False  # columns beyond the known ones are kept as they are
    rules: tuple[Rule, ...] = ()

    @property
    def columns(self) -> dict[str, Column]:
        """Every known column, the required ones first."""
        return self.required | self.optional

    def empty(self) -> pl.DataFrame:
        """Return the table without rows."""
        return pl.DataFrame(schema={name: c.dtype for name, c in self.columns.items()})

    def checked(self, rows: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Flaw]]:
        """Return the table in its types, one row a key, and everything wrong with it.

        The column `ROW` says where each row stands. Optional columns that are absent come back
        empty; the frame is of use only without flaws.
        """
        if flaws := self.header_flaws([name for name in rows.columns if name != ROW], file):
            return self.empty(), flaws
        rows, beyond = _within(_as_text(rows[[ROW, *self._looked_at(rows)]]))  # by no pattern
        typed, none = {}, pl.repeat(value=False, n=len(rows), eager=True)
        sound = ~none
        for name, column in self.columns.items():
            if name not in rows.columns:
                typed[name] = _empty(name, len(rows), column.dtype)
                continue
            typed[name] = column.typed(rows[name]).alias(name)
            far = beyond.get(name, none)
            wrong = self._wrong(name, typed[name], rows[name]) & ~far
            flaws.extend(_named(rows, wrong, file, name, partial(_cell, name, column)))
            flaws.extend(_named(rows, far, file, name, partial(_far, name, column)))
            sound &= ~(wrong | far)
        frame = rows.with_columns(typed.values())
        frame = frame.filter(sound) if flaws else frame
        frame = frame if self.open_ended else frame.select(ROW, *self.columns)
        if self.key and not ascending(frame, self.key):
            frame = frame.unique(pl.exclude(ROW), keep="first", maintain_order=True)
            flaws.extend(self._conflicts(frame, file))
        broken = frame.select(rule.broken.alias(str(n)) for n, rule in enumerate(self.rules))
        for rule, wrong in zip(self.rules, broken, strict=True):
            flaws.extend(_named(frame, wrong, file, rule.column, rule.message.format_map))
        return frame.drop(ROW), flaws

    def _looked_at(self, rows: pl.DataFrame) -> list[str]:
        """Return the columns that are known, and those that are kept all the same."""
        more = [name for name, dtype in rows.schema.items() if not dtype.is_nested()]
        kept = {*self.columns, *(more if self.open_ended else ())} - {ROW}
        return [name for name in rows.columns if name in kept]

    def header_flaws(self, found: list[str], file: str) -> list[Flaw]:
        """Return what is wrong with the names of the columns."""
        if file.endswith(".csv") and (message := _no_header(found)):
            return [Flaw(file, 1, "", message)]
        missing = [
            f"required column {name!r} is missing; found {', '.join(found)}"
            + "".join(f": call {n!r} so" for n in found if n.strip().lower() == name)
            for name in self.required
            if name not in found
        ]
        twice = [  # as polars renames the second one
            f"column {name!r} is given twice"
            for name in self.columns
            if f"{name}_duplicated_0" in found
        ]
        return [Flaw(file, None, "", message) for message in missing + twice]

    def _wrong(self, name: str, typed: pl.Series, given: pl.Series) -> pl.Series:
        """Return which cells are not what the column holds."""
        empty = given.is_null() if given.dtype != pl.String else given.is_null() | (given == "")
        wrong = ~(self.columns[name].sound(typed).fill_null(value=False)) & ~empty
        return wrong | empty if name in self.required else wrong

    def _conflicts(self, frame: pl.DataFrame, file: str) -> Iterator[Flaw]:
        twice = frame.filter(pl.struct(self.key).is_duplicated())
        groups = twice.group_by(self.key, maintain_order=True).agg(ROW)
        for found in groups.head(SHOWN).iter_rows(named=True):
            rows = twice.filter(pl.col(ROW).is_in(found[ROW])).drop(ROW, *self.key)
            differing = [
                f"{name} {' and '.join(map(str, rows[name]))}"
                for name in rows.columns
                if rows[name].n_unique() > 1
            ]
            unit = "lines" if file.endswith(".csv") else "rows"
            key = "".join(f"{found[k]} " for k in self.key if k != "symbol")
            message = (
                f"{key}conflicts in {unit} {' and '.join(map(str, found[ROW]))}: "
                f"{', '.join(differing)}; keep the right one"
            )
            yield Flaw(file, found[ROW][0], found.get("symbol", ""), message)
        if len(groups) > SHOWN:
            yield Flaw(file, None, "", f"{len(groups) - SHOWN} more conflicts like these")


def ascending(frame: pl.DataFrame, key: tuple[str, ...]) -> bool:
    """Return whether every row's key is above that of the row before, so that none comes twice.

    Tables mostly are in order. Of 12 M rows this takes 0.1 s, and looking for equal keys 10 s.
    """
    same, above = pl.lit(value=True), pl.lit(value=False)
    for name in key:
        before = pl.col(name).shift(1)
        above = above | (same & (pl.col(name) > before))
        same = same & (pl.col(name) == before)
    return bool(frame.select(above.slice(1).fill_null(value=False).all()).item())


def _as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the text that categories stand for."""
    return rows.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def _within(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Return rows without the dates and times that Python has none for, and where those stood.

    Whatever looks at such a cell ends: with an error, or with a panic of polars.
    """
    beyond = {}
    for name, dtype in rows.schema.items():
        if isinstance(dtype, pl.Date | pl.Datetime):
            a_day = _IN_A_DAY[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1
            near = 0 if getattr(dtype, "time_zone", None) in {None, "UTC"} else 1  # in its own zone
            days = rows[name].to_physical() // a_day
            far = ~days.is_between(_FIRST_DAY + near, _LAST_DAY - near).fill_null(value=True)
            if far.any():
                beyond[name] = far
    cells = [_where(~far, rows[name]).alias(name) for name, far in beyond.items()]
    return rows.with_columns(cells), beyond


_IN_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))


def _no_header(found: list[str]) -> str:
    """Return why what was read as the header of a CSV file is none; empty where it may be one."""
    if "\0" in found[0]:
        return "is UTF-16: save the file as UTF-8, in Excel as 'CSV UTF-8'"
    if any("\r" in name or "\n" in name for name in found):
        return "has line ends that are CR alone, or an open quote: save it with LF or CRLF"
    return separated(found)


def _empty(name: str, count: int, dtype: pl.DataType) -> pl.Series:
    return pl.repeat(None, count, dtype=dtype, eager=True).alias(name)


def _where(mask: pl.Series, cells: pl.Series) -> pl.Series:
    """Return the cells, null where the mask is not true."""
    return pl.select(pl.when(mask).then(cells)).to_series()


def _cell(name: str, column: Column, row: Mapping[str, object]) -> str:
    cell = row[name]
    said = (short(cell) if cell else "is empty") if isinstance(cell, str | None) else str(cell)
    return f"{name} {said}: expected {column.expected}{_remedy(column, cell)}"


def _far(name: str, column: Column, _: Mapping[str, object]) -> str:
    return f"{name} is not within the years 1 to 9999: expected {column.expected}"


def _remedy(column: Column, cell: object) -> str:
    """Return what to do about a cell beside writing what is expected; mostly nothing."""
    if not isinstance(cell, str) or not cell:
        return ""
    if "\n" in cell:
        return "; it goes on over lines: is its quote closed?"
    typed = column.typed(pl.Series([cell]))
    return ", in plain digits like 1234.5" if column.kind == "number" and typed[0] is None else ""


def _named(
    rows: pl.DataFrame,
    wrong: pl.Series,
    file: str,
    column: str,
    say: Callable[[Mapping[str, object]], str],
) -> Iterator[Flaw]:
    """Yield the first rows in which a column is wrong, and how many more there are."""
    if not wrong.any():
        return
    found = rows.filter(wrong)
    for row in found.head(SHOWN).iter_rows(named=True):
        symbol = "" if column == "symbol" else row.get("symbol") or ""
        yield Flaw(file, row[ROW], str(symbol), say(row))
    if len(found) > SHOWN:
        yield Flaw(file, None, "", f"{column}: {len(found) - SHOWN} more rows like these")


def _action_rules() -> Iterator[Rule]:
    known = pl.col("kind").is_in(list(ACTIONS))
    yield Rule("kind", ~known, f"kind {{kind!r}}: expected one of {', '.join(ACTIONS)}")
    for kind, (needed, possible) in ACTIONS.items():
        here = pl.col("kind") == kind
        for column in ("cash", "ratio", "price", "other"):
            given = pl.col(column).is_not_null()
            if column in needed and column == "other":
                yield Rule(column, here & ~given, f"a {kind} needs other, a symbol")
            elif column in needed:
                above = given & (pl.col(column) > 0)
                yield Rule(column, here & ~above, f"a {kind} needs {column} above zero")
            elif column not in possible:
                message = f"{column} {{{column}!r}} has no meaning for a {kind}: leave it empty"
                yield Rule(column, here & given, message)
    merger, cash, ratio = pl.col("kind") == "merger", pl.col("cash"), pl.col("ratio")
    paid = cash.is_not_null() | ratio.is_not_null()
    yield Rule("cash", merger & ~paid, "a merger pays cash, or ratio shares of other")
    alone = ratio.is_null() != pl.col("other").is_null()
    yield Rule("ratio", merger & alone, "a merger's ratio and other go together")
    yield Rule("other", pl.col("other") == pl.col("symbol"), "other is the symbol itself")


def currency_rules(*columns: str) -> tuple[Rule, ...]:
    """Return what refuses the names of currencies that are no codes of ISO 4217."""
    remedy = "is not ISO 4217: write {}, or leave the row out"
    return tuple(
        Rule(name, pl.col(name) == wrong, f"{name} {wrong!r} {remedy.format(code)}")
        for name in columns
        for wrong, code in NO_CURRENCIES.items()
    )


def in_order(first: str, last: str) -> Rule:
    """Return what refuses a row whose last day is before its first."""
    message = f"{last} {{{last}}} is before {first} {{{first}}}"
    return Rule(last, pl.col(last) < pl.col(first), message)


ACTION_RULES = tuple(_action_rules())
FLOAT_RULES = (
    Rule(
        "free_float_shares",
        pl.col("free_float_shares") > pl.col("total_shares"),
        "free float {free_float_shares:.15g} above total {total_shares:.15g}",
    ),
)
FX_RULES = (
    Rule("quote", pl.col("base") == pl.col("quote"), "{base}/{quote} is no pair of currencies"),
)
