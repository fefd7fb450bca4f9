"""What becomes of a reply: its outcome, the rows believed, and every datum that is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import polars as pl

from indexer.market.checks import ROW

Outcome = Literal[
    "ok", "no_data_explained", "no_data_unexplained", "blocked", "transient", "corrupt"
]
SETTLED = frozenset[Outcome](("ok", "no_data_explained"))  # nothing is left to be asked

WHOLE = ""  # the field of a disregarded row
CELL = 40  # characters of a text cell that are quoted: replies may be hostile

# Every rule by which a datum is disregarded, and what the datum breaks.
RULES = {
    "shape": "the columns are not those of the table",
    "type": "a cell is not what its column holds",
    "identity": "it is of another symbol than was asked for",
    "window": "it lies outside the dates that were asked for",
    "future": "its date has not come yet",
    "provisional": "its session is not over, or only just",
    "calendar": "the exchange is closed on its date",
    "session": "an ex-date on which the exchange is closed",
    "listing": "it is dated before the listing or after the delisting",
    "duplicate": "the same row came before",
    "conflict": "another row of the same key says otherwise",
    "filler": "nothing was traded: it repeats a price through a suspension",
    "price": "its prices contradict each other or are not above zero",
    "turnover": "amount / volume lies outside the range of its prices, in shares and in lots",
    "unit": "its volume is not in the unit of the other rows",
    "tick": "its prices are no multiples of the tick, as only adjusted prices are",
    "frozen": "it repeats the session before, volume and all",
    "revision": "it differs from what is stored",
    "limit": "it lies beyond the price limit, or what is plausible",
    "previous": "the next row's previous close is another",
    "bound": "the figure is not plausible",
    "disagreement": "another source says otherwise",
    "alone": "it is new, and no other source that was asked has it",
}
# Rules that say nothing against the rest of the reply. Revisions are reported and never applied.
HARMLESS = frozenset(
    ("window", "future", "provisional", "calendar", "duplicate", "filler", "unit", "revision")
)


@dataclass(frozen=True, slots=True)
class Disregarded:
    """One datum that is not believed, and why.

    Attributes
    ----------
    rule : one of ``RULES``
    symbol : whose datum it is
    date : its date; None where it has none that can be read
    field : the column of the datum; empty for a whole row
    value : what was received
    why : the bound it breaks, and what to do
    refused : whether its row is taken from none of several sources
    """

    rule: str
    symbol: str
    date: date | None
    field: str
    value: str
    why: str
    refused: bool = False

    def __str__(self) -> str:
        what = f"{self.field} {self.value}" if self.field else self.value
        return f"{self.rule}: {self.symbol} {self.date or '(no date)'}: {what}: {self.why}"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What is believed of a reply.

    Attributes
    ----------
    outcome : ``ok`` where every date asked for has a row that is believed or needs none
    rows : the rows believed, in the schema of the market table, by date
    disregarded : every datum not believed; whole rows have an empty ``field``, so that the rows
        of the reply are those believed and those listed here
    missing : sessions that should have a row and have none that is believed, ascending
    reason : what stands against ``ok``, with symbol, date, value, bound and remedy; else empty
    """

    outcome: Outcome
    rows: pl.DataFrame
    disregarded: tuple[Disregarded, ...]
    missing: tuple[date, ...] = ()
    reason: str = ""


Why = str | Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """The log of one check: rows pass from rule to rule, and what is held back is written down.

    Attributes
    ----------
    symbol : whom the rows are of, where they do not say so themselves
    given : the rows as received, numbered in the column `ROW`
    key : the column with the date of a row
    log : what was held back, in the order of the rules
    condemned : why nothing of the reply is believed; empty while that is not so
    """

    symbol: str
    given: pl.DataFrame
    key: str = "date"
    log: list[Disregarded] = field(default_factory=list)
    condemned: list[str] = field(default_factory=list)

    def drop(self, rows: pl.DataFrame, wrong: pl.Expr, rule: str, why: Why) -> pl.DataFrame:
        """Return the rows that are not wrong; log each of the others whole.

        Parameters
        ----------
        why : the reason, or a function that says it of the cells of a row
        """
        mask = rows.select(wrong.fill_null(value=False).alias("wrong")).to_series()
        if rows.is_empty() or not mask.any():
            return rows
        found = rows.filter(mask)
        said = dict(zip(found[ROW], self._values(found[ROW]), strict=True))
        for row in found.iter_rows(named=True):
            self.log.append(self._entry(row, rule, WHOLE, said[row[ROW]], why))
        return rows.filter(~mask)

    def blank(
        self, rows: pl.DataFrame, wrong: pl.Expr, fields: tuple[str, ...], rule: str, why: Why
    ) -> pl.DataFrame:
        """Return the rows, null in some fields where those are wrong; log each such cell."""
        mask = rows.select(wrong.fill_null(value=False).alias("wrong")).to_series()
        for row in rows.filter(mask).iter_rows(named=True):
            for name in fields:
                if row[name] is not None:
                    self.log.append(self._entry(row, rule, name, str(row[name]), why))
        return rows.with_columns(pl.when(~mask).then(pl.col(name)) for name in fields)

    def condemn(self, rows: pl.DataFrame, rule: str, why: str) -> pl.DataFrame:
        """Return no rows: one reason stands against all of them."""
        self.condemned.append(f"{self.symbol}: {why}")
        return self.drop(rows, pl.lit(value=True), rule, why)

    @property
    def fault(self) -> str:
        """What shows that the reply is wrong; empty where nothing does."""
        wrong = (str(entry) for entry in self.log if entry.rule not in HARMLESS)
        return next(iter(self.condemned), None) or next(wrong, "")

    def _entry(
        self, row: Mapping[str, Any], rule: str, name: str, value: str, why: Why
    ) -> Disregarded:
        text = why if isinstance(why, str) else why(row)
        symbol = ascii(row.get("symbol") or self.symbol)[1:-1][:CELL]
        return Disregarded(rule, symbol, row.get(self.key), name, value, text)

    def _values(self, numbers: pl.Series) -> list[str]:
        """Return what rows held when they were received, as text."""
        cells = self.given.filter(pl.col(ROW).is_in(numbers.implode()))
        order = {number: n for n, number in enumerate(cells[ROW])}
        dicts = cells.drop(ROW).to_dicts()
        return [_told(dicts[order[number]]) for number in numbers]


def _told(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name} {quoted(cell)}" for name, cell in row.items())


def quoted(cell: object) -> str:
    """Return a cell of a reply as text that is safe to show, cut where it is long."""
    return ascii(cell)[:CELL] if isinstance(cell, str) else str(cell)[:CELL]
