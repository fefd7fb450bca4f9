"""Candidates whose levels are given: for campaigns on the ledger, in which nothing is built."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import sqlalchemy as sa

from indexer.digest import digest_bytes
from indexer.ledger.entry import decimal_text
from indexer.market.inputs import Inputs
from indexer.run.desk import Desk, Outcome, Terms
from indexer.run.entries import Candidate, Content
from indexer.run.publish import record

FIRST = date(1991, 1, 1)
TEXT = "{}"
DEFINITION = digest_bytes([TEXT.encode()])
CODE = "1" * 64


def day(n: int) -> date:
    """Return the n-th day of these ledgers; every day is a session."""
    return FIRST + timedelta(days=n)


def candidate(id: str, levels: Sequence[float]) -> Candidate:
    """Return an index with these levels, one a day, that rest on one close each."""
    days = np.datetime64(FIRST, "D") + np.arange(len(levels)).astype("m8[D]")
    prices = pl.DataFrame(
        {"symbol": [f"{id.upper()}.US"] * len(levels), "date": days, "close": list(levels)},
        schema={"symbol": pl.String, "date": pl.Date, "close": pl.Float64},
    )

    def content(at: int) -> Content:
        level = float(levels[at])
        return {"levels": [("price", decimal_text(level, 4), level, 1.0, level)]}

    return Candidate(
        id=id,
        kind="index",
        definition=DEFINITION,
        text=TEXT,
        calendar="24/5",
        days=days,
        backtested=np.zeros(len(levels), dtype=bool),
        synthetic=True,
        content=content,
        inputs=Inputs("raw", {"prices": prices}, {"prices": days}),
        code=CODE,
    )


def desk(engine: sa.Engine, now: datetime, terms: Terms | None = None) -> Desk:
    """Return a desk at an instant; nothing is written but the ledger."""
    return Desk(engine, Path("out"), now, f"run-{now.isoformat()}", terms or Terms())


def publish(engine: sa.Engine, one: Candidate, days: Sequence[date], now: datetime) -> Outcome:
    """Record days of a candidate that no gate stands against."""
    return record(desk(engine, now), one, days, lambda _: ())


def levels_of(rows: Sequence[Sequence[object]]) -> Mapping[str, tuple[object, object]]:
    """Return revision and exact level by session, of rows of a history."""
    return {str(row[0]): (row[5], row[3]) for row in rows}
