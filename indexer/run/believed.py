"""What is believed while a fetch goes on."""

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from indexer.market.sources.bars import Known
from indexer.market.store import KEYS
from indexer.run.needs import Need


@dataclass(slots=True, eq=False)
class Believed:
    """What is known while a fetch goes on: what is stored, and what came since.

    Attributes
    ----------
    tables : rows by table, in the schemas of a market folder
    days : dates on which it was asked who was suspended
    """

    tables: dict[str, pl.DataFrame]
    days: set[date] = field(default_factory=set)

    def add(self, table: str, rows: pl.DataFrame) -> None:
        """Add rows; those of a key that is there already take its place."""
        if table == "actions":
            kept = self.tables[table].filter(~pl.col("symbol").is_in(rows["symbol"].implode()))
        else:
            kept = self.tables[table].join(rows, on=KEYS[table], how="anti")
        self.tables[table] = pl.concat([kept, rows], how="diagonal_relaxed")

    def of(self, table: str, subject: str) -> pl.DataFrame:
        """Return the rows of a subject."""
        rows = self.tables[table]
        if table == "fx":
            base, _, quote = subject.partition("/")
            return rows.filter(pl.col("base") == base, pl.col("quote") == quote)
        return rows.filter(pl.col("symbol") == subject)

    def known(self, need: Need) -> Known:
        """Return what is known of a subject without its source."""
        if need.table == "fx":
            return Known(need.calendar)
        life = self.of("securities", need.subject).select("list_date", "delist_date").rows()
        listed, delisted = life[0] if life else (None, None)
        return Known(
            need.calendar,
            stored=self.of("series" if need.table == "series" else "prices", need.subject),
            actions=self.of("actions", need.subject),
            suspensions=self.of("suspensions", need.subject),
            listed=listed,
            delisted=delisted,
        )
