"""What every source of market data is asked, and what it answers."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

import polars as pl

from indexer.market.sources.verdict import Outcome

Table = Literal[
    "prices",  # daily bars of a security, raw, in its listing currency
    "series",  # daily levels of a ready-made index
    "actions",  # dividends, bonus issues and rights of a security
    "shares",  # total and freely tradable shares of a security
    "suspensions",  # who did not trade on one day: `since` and `until` are that day
    "fx",  # rates of a pair, ``USD/CNY``
    "sessions",  # trading days of Shanghai
    "weights",  # constituents of a published index at the last month's end
    "listing",  # first trading day of a security
]
AHEAD = timedelta(days=400)  # by which an ex-date or a trading day may be known before
SCHEMAS: dict[Table, dict[str, pl.DataType]] = {
    "prices": {"symbol": pl.String(), "date": pl.Date()}
    | dict.fromkeys(("open", "high", "low", "close", "volume", "amount"), pl.Float64())
    | {"previous_close": pl.Float64()},  # by the source: the close its change is one from
    "series": {"symbol": pl.String(), "date": pl.Date(), "close": pl.Float64()},
    "actions": {"symbol": pl.String(), "ex_date": pl.Date(), "kind": pl.String()}
    | dict.fromkeys(("cash", "ratio", "price"), pl.Float64()),
    "shares": {"symbol": pl.String(), "date": pl.Date()}
    | dict.fromkeys(("total_shares", "free_float_shares"), pl.Float64()),
    "suspensions": {"symbol": pl.String(), "from": pl.Date()}
    | {"until": pl.Date(), "reason": pl.String()},
    "fx": {"date": pl.Date(), "base": pl.String(), "quote": pl.String(), "rate": pl.Float64()},
    "sessions": {"date": pl.Date()},
    "weights": {"index": pl.String(), "date": pl.Date(), "symbol": pl.String()}
    | {"weight": pl.Float64()},
    "listing": {"symbol": pl.String(), "list_date": pl.Date()},
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a source.

    Attributes
    ----------
    table : what kind of rows
    subject : a symbol, a pair like ``USD/CNY``, or nothing where the table is of no symbol
    since, until : first and last date, both inclusive
    asked_on : the date on which it is asked; a row dated after it cannot be true
    """

    table: Table
    subject: str
    since: date
    until: date
    asked_on: date

    def __str__(self) -> str:
        what = f"{self.table} of {self.subject}" if self.subject else self.table
        return f"{what}, {self.since} to {self.until}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of an upstream as it was archived before anything read it.

    Attributes
    ----------
    url : what was asked
    status : of HTTP
    sha256 : digest of the body, the name it is archived under
    fetched_at : instant in UTC, ISO 8601
    """

    url: str
    status: int
    sha256: str
    fetched_at: str


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a source answered.

    Attributes
    ----------
    ask, source : the question, and the name of who answered
    outcome : what kind of answer it is; rows are of use only where it is ``ok``
    frame : rows in the columns of `SCHEMAS`: volume in shares, money in the listing currency,
        null where the source has no figure; empty unless ``ok``
    reason : why it is not ``ok``, in words
    replies : the raw bytes it rests on
    """

    ask: Ask
    source: str
    outcome: Outcome
    frame: pl.DataFrame
    reason: str = ""
    replies: tuple[Reply, ...] = ()


class Source(Protocol):
    """Whoever can be asked for market data."""

    @property
    def name(self) -> str:
        """The name it is chosen by."""

    def offers(self, table: Table, subject: str) -> bool:
        """Return whether it is worth asking: it has such rows of such a subject."""

    def fetch(self, ask: Ask) -> Answer:
        """Return the rows asked for, or which way they are not there; never raises for data."""


def without_rows(
    ask: Ask, source: str, outcome: Outcome, reason: str, replies: tuple[Reply, ...] = ()
) -> Answer:
    """Return an answer that is not ``ok``."""
    return Answer(ask, source, outcome, pl.DataFrame(schema=SCHEMAS[ask.table]), reason, replies)
