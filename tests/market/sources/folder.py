"""A market folder as a source: what somebody has put together answers like any upstream."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from indexer.market.sources.source import SCHEMAS, Answer, Ask, Table, without_rows
from indexer.market.tables import Market, read_market

_HELD: tuple[Table, ...] = ("prices", "series", "actions", "shares", "suspensions", "fx", "listing")
_DATES = {"actions": "ex_date", "listing": "list_date"}


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """The tables of a market folder, read and checked once.

    Attributes
    ----------
    name : what it is called; that of a source in the hierarchy where others are asked as well
    market : its tables
    """

    name: str
    market: Market = field(repr=False)

    def offers(self, table: Table, subject: str) -> bool:
        """Return whether a table has any row of a subject, or could have an action of it."""
        if table == "suspensions":
            return not self.market.suspensions.is_empty()
        if table == "actions":
            return not self.market.actions.is_empty() and self._has(subject)
        return table in _HELD and not self._rows(table, subject).is_empty()

    def fetch(self, ask: Ask) -> Answer:
        """Return the rows of the span, as they stand in the folder."""
        if ask.table not in _HELD:
            reason = f"a market folder holds no {ask.table}"
            return without_rows(ask, self.name, "no_data_unexplained", reason)
        rows = self._rows(ask.table, ask.subject)
        if ask.table == "suspensions":
            rows = rows.filter(
                pl.col("from") <= ask.since,
                pl.col("until").is_null() | (pl.col("until") > ask.since),
            )
        elif ask.table == "shares":
            held = rows.filter(pl.col("date") <= ask.since)["date"].max() or ask.since
            rows = rows.filter(pl.col("date").is_between(held, ask.until))
        elif ask.table != "listing":
            day = pl.col(_DATES.get(ask.table, "date"))
            rows = rows.filter(day.is_between(ask.since, ask.until))
        if rows.is_empty() and not (ask.table == "actions" and self._has(ask.subject)):
            reason = f"{self.market.folder} has no rows in the span"
            return without_rows(ask, self.name, "no_data_unexplained", reason)
        return Answer(ask, self.name, "ok", rows)

    def _has(self, symbol: str) -> bool:
        """Return whether there are prices of a symbol: then the actions told are all there were."""
        return bool((self.market.prices["symbol"] == symbol).any())

    def _rows(self, table: Table, subject: str) -> pl.DataFrame:
        """Return all rows of a subject in the columns of a source, by date."""
        schema = SCHEMAS[table]
        frame: pl.DataFrame = getattr(self.market, "securities" if table == "listing" else table)
        if table == "fx":
            base, _, quote = subject.partition("/")
            frame = frame.filter(pl.col("base") == base, pl.col("quote") == quote)
        elif subject:
            frame = frame.filter(pl.col("symbol") == subject)
        if table == "listing":
            frame = frame.filter(pl.col("list_date").is_not_null())
        frame = frame.with_columns(
            pl.lit(None, dtype).alias(name)
            for name, dtype in schema.items()
            if name not in frame.columns
        )
        return frame.select(*schema).sort([n for n in schema if n in {"symbol", "date", "ex_date"}])


def folder_source(path: Path, name: str = "") -> Folder:
    """Return a folder as a source; raises as `read_market` does."""
    return Folder(name or str(path), read_market(path))
