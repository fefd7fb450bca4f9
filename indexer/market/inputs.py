"""What an index rests on: certain rows of a market, the digest of them on any day, and back.

A level of a day depends on rows known by that day alone. So the digest of a day is that of the
rows known by then, whatever has been added since, and the rows of many days are those of the first
and what each later one brought.
"""

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Days, Rows
from indexer.market.tables import TABLES, Manifest, Market, PriceKind

_COLUMNS = {  # columns that levels rest on
    "prices": ("symbol", "date", "close"),
    "securities": ("symbol", "currency", "country", "segment", "list_date", "price_kind"),
    "shares": ("symbol", "date", "total_shares", "free_float_shares"),
    "actions": ("symbol", "ex_date", "kind", "cash", "ratio", "price", "other"),
    "fx": ("date", "base", "quote", "rate"),
    "series": ("symbol", "date", "close"),
}
_ISSUERS = "issuers"  # who issued each security: of a study, and in a digest only where it has rows
_DATED = ("date", "ex_date")
_BY_INDEX = {"index": pl.String(), "date": pl.Date()}
_AS_TEXT = (pl.selectors.date() | pl.selectors.datetime()).dt.to_string("iso")
_LINE_FEED = 10
_KNOWN = "\0known"  # the day a row counts from; cannot be a column of a real table

Row = tuple[Any, ...]  # cells of a row, dates in ISO form
RowsByTable = dict[str, tuple[tuple[str, ...], list[Row]]]  # by table: its columns and rows


@dataclass(frozen=True, slots=True, eq=False)
class Used:
    """What an index uses of a market.

    Attributes
    ----------
    symbols : each symbol, and the day from which it counts: that of the change of symbol or the
        spin-off that brought it, or the earliest date for a constituent
    currencies, scores : currencies of its rates, and score columns of the securities table
    amounts : whether amounts turned over matter
    instants : whether a study is made of it, for which it matters when rates and figures were known
        and who issued what
    sessions : by index, the sessions it has, from the first one that matters
    oldest : by index, its first reference date, where the folder's closes must reach back to it
    """

    symbols: Mapping[str, date]
    currencies: Set[str] = frozenset()
    scores: Set[str] = frozenset()
    amounts: bool = False
    instants: bool = False
    sessions: Mapping[str, Days] = field(default_factory=dict)
    oldest: Mapping[str, date] = field(default_factory=dict)

    def __or__(self, other: "Used") -> "Used":
        """Return what two indices use together."""
        both = {**other.symbols, **self.symbols}
        since = {s: min(u.symbols.get(s, date.max) for u in (self, other)) for s in both}
        return Used(
            since,
            {*self.currencies, *other.currencies},
            {*self.scores, *other.scores},
            self.amounts or other.amounts,
            self.instants or other.instants,
            {**self.sessions, **other.sessions},
            {**self.oldest, **other.oldest},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The rows an index rests on.

    Attributes
    ----------
    price_kind : what the prices are where the securities table does not say
    frames : by table, the rows in order of the day they count from
    known : by table, those days
    source : where they are from, as the folder says; no level depends on it, and so no digest
    used : what they were chosen by
    """

    price_kind: PriceKind
    frames: Mapping[str, pl.DataFrame]
    known: Mapping[str, Days]
    source: str = ""
    used: Used = field(default_factory=lambda: Used({}))
    _texts: dict[str, "_Text"] = field(default_factory=dict, repr=False)

    def digest(self, day: date) -> str:
        """Return the SHA-256 of the rows that count by a day."""
        return self.digests(np.array([day], dtype="datetime64[D]"))[0]

    def digests(self, days: Days) -> list[str]:
        """Return the SHA-256 of the rows that count by each day; days ascend.

        Blind to the order of rows, to other symbols and currencies, to later rows and to columns
        that no level depends on.
        """
        parts, heights = {}, {}
        for name, frame in self.frames.items():
            if name not in self._texts:  # writing it out costs more than the digests of all days
                self._texts[name] = _text_of(frame)
            heights[name] = np.searchsorted(self.known[name], days, "right")
            parts[name] = _prefix_digests(self._texts[name], heights[name])
        found = []
        for n in range(len(days)):
            total = hashlib.sha256(self.price_kind.encode())
            for name, digests in parts.items():
                if heights[name][n] or name != _ISSUERS:
                    total.update(name.encode())
                    total.update(digests[n])
            found.append(total.hexdigest())
        return found

    def rows(self, until: date, after: date = date.min) -> RowsByTable:
        """Return the rows that count from days after one day and until another, inclusive."""
        first, last = np.datetime64(after, "D"), np.datetime64(until, "D")
        found: RowsByTable = {}
        for name, frame in self.frames.items():
            begin = 0 if after == date.min else np.searchsorted(self.known[name], first, "right")
            end = np.searchsorted(self.known[name], last, "right")
            if end > begin:
                rows = frame.slice(int(begin), int(end - begin))
                found[name] = (tuple(frame.columns), rows.with_columns(_AS_TEXT).rows())
        return found


class _Text(NamedTuple):
    """A table as text, and where each of its rows ends."""

    text: bytes
    ends: Rows


def _text_of(frame: pl.DataFrame) -> _Text:
    text = frame.write_csv(include_header=False).encode()
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == _LINE_FEED) + 1
    if len(ends) != frame.height:  # a cell spans lines
        inside = pl.sum_horizontal(pl.selectors.string().str.count_matches("\n", literal=True))
        lines = frame.select(inside.fill_null(0) + 1).to_series().to_numpy()
        ends = ends[np.cumsum(lines, dtype=np.int64) - 1]
    return _Text(text, ends)


def _prefix_digests(table: _Text, heights: Rows) -> list[bytes]:
    """Return the SHA-256 of the first rows of a table, for ascending numbers of rows."""
    running, begun, found = hashlib.sha256(), 0, []
    for height in heights:
        end = int(table.ends[height - 1]) if height else 0
        running.update(table.text[begun:end])
        begun = end
        found.append(running.digest())
    return found


def inputs_of(market: Market, used: Used) -> Inputs:
    """Return the rows and columns of a market that an index rests on."""
    frames, known = {}, {}
    since = pl.DataFrame(
        {"symbol": list(used.symbols), _KNOWN: list(used.symbols.values())},
        schema={"symbol": pl.String, _KNOWN: pl.Date},
    )
    for name, columns in _COLUMNS.items():
        more = {
            "securities": sorted(used.scores),
            "prices": ["amount"] * used.amounts,
            "fx": ["fixed_at"] * used.instants,
            "series": ["announced_at"] * used.instants,
        }
        rows: pl.DataFrame = getattr(market, name).select(
            *dict.fromkeys([*columns, *more.get(name, [])])  # a score may be one of them as well
        )
        if "symbol" in columns:
            rows = rows.join(since, on="symbol")
        else:
            pair = pl.col("base", "quote").is_in(list(used.currencies))
            rows = rows.filter(pl.all_horizontal(pair)).with_columns(pl.lit(date.min).alias(_KNOWN))
        dated = [column for column in _DATED if column in columns]
        rows = rows.with_columns(pl.max_horizontal(_KNOWN, *dated))
        frames[name], known[name] = _by_day(rows)
    sessions = pl.concat(
        [
            pl.DataFrame({"index": [id] * len(days), "date": days}, schema=_BY_INDEX)
            for id, days in used.sessions.items()
        ]
        or [pl.DataFrame(schema=_BY_INDEX)]
    ).sort("date", "index")
    frames["sessions"] = sessions
    known["sessions"] = sessions["date"].to_numpy().astype("datetime64[D]")
    oldest = {"index": list(used.oldest), "date": list(used.oldest.values())}
    frames["oldest"] = pl.DataFrame(oldest, schema=_BY_INDEX).sort("index")
    known["oldest"] = np.full(len(used.oldest), np.datetime64(date.min, "D"))
    issuers = market.securities.select("symbol", "issuer").drop_nulls().join(since, on="symbol")
    frames[_ISSUERS], known[_ISSUERS] = _by_day(issuers if used.instants else issuers.clear())
    manifest = market.manifest
    return Inputs(manifest.price_kind, frames, known, manifest.source, used)


def _by_day(rows: pl.DataFrame) -> tuple[pl.DataFrame, Days]:
    """Return rows in order of the day they count from, and those days."""
    rows = rows.sort(_KNOWN, pl.exclude(_KNOWN))
    return rows.drop(_KNOWN), rows[_KNOWN].to_numpy().astype("datetime64[D]")


def market_of(rows: RowsByTable, manifest: Manifest, name: str) -> Market:
    """Return the market that rows taken from `Inputs.rows` make; ``name`` is told in errors.

    Raises
    ------
    ValueError
        If a row does not fit its table.
    """
    frames = {table: _frame(table, *rows.get(table, ((), []))) for table in TABLES}
    issuers: dict[str, str] = dict(rows.get(_ISSUERS, ((), []))[1])
    if issuers:
        named = pl.col("symbol").replace_strict(issuers, default=None, return_dtype=pl.String)
        frames["securities"] = frames["securities"].with_columns(issuer=named)
    oldest, sessions = (
        [(id, date.fromisoformat(day)) for id, day in rows.get(table, ((), []))[1]]
        for table in ("oldest", "sessions")
    )
    ends: dict[str, date] = {}
    for id, day in sessions:
        ends[id] = max(day, ends.get(id, day))
    first = min((day for _, day in oldest), default=None)
    return Market(name, replace(manifest, oldest=first, ends=ends), **frames)


def _frame(table: str, columns: Sequence[str], rows: Sequence[Row]) -> pl.DataFrame:
    empty = TABLES[table].empty()
    types = {
        name: empty.schema.get(name, _type_of([row[n] for row in rows]))
        for n, name in enumerate(columns)
    }
    as_text = {name: pl.String() if dtype.is_temporal() else dtype for name, dtype in types.items()}
    try:
        found = pl.DataFrame(rows, schema=as_text, orient="row")
        found = found.with_columns(
            pl.col(name).str.strptime(dtype)
            for name, dtype in types.items()
            if isinstance(dtype, pl.Date | pl.Datetime)
        )
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"rows of {table} do not fit: {error}") from error
    return pl.concat([empty, found], how="diagonal")


def _type_of(cells: Sequence[Any]) -> pl.DataType:
    """Return the type of a column of scores, which a CSV file holds as text."""
    first = next((cell for cell in cells if cell is not None), 0.0)
    return {str: pl.String(), bool: pl.Boolean(), int: pl.Int64()}.get(type(first), pl.Float64())
