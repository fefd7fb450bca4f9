"""The upstreams behind akshare, as sources: each is asked through one guarded process."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from indexer.definitions.symbols import MAINLAND, split_symbol
from indexer.market.sources.agree import ranking
from indexer.market.sources.archive import append_reply
from indexer.market.sources.guard import Guard, host_of, upstream
from indexer.market.sources.source import (
    AHEAD,
    SCHEMAS,
    Answer,
    Ask,
    Reply,
    Source,
    Table,
    without_rows,
)
from indexer.market.sources.verdict import Outcome
from indexer.market.sources.worker import Ended, Worker

_MAINLAND = frozenset(MAINLAND)
# Who has which rows of which exchange, or currency.
OFFERS: dict[Table, dict[str, frozenset[str]]] = {
    "prices": {
        "eastmoney": _MAINLAND | {"HK", "US"},
        "tencent": _MAINLAND,
        "sina": _MAINLAND | {"HK", "US"},
    },
    "series": {
        "csindex": frozenset({"SH"}),
        "sina": _MAINLAND | {"HK", "US"},
        "eastmoney": _MAINLAND | {"HK"},
    },
    "actions": {"cninfo": _MAINLAND, "eastmoney": _MAINLAND | {"HK"}},
    "shares": {"eastmoney": _MAINLAND, "cninfo": _MAINLAND},
    "suspensions": {"eastmoney": frozenset({""})},
    "fx": {"safe": frozenset({"CNY"}), "sina": frozenset({"CNY"})},
    "sessions": {"sina": frozenset({""})},
    "weights": {"csindex": frozenset({"SH", "SZ"})},
    "listing": {"eastmoney": _MAINLAND},
}
# Shares that akshare's functions look for on the right exchange, and that trade in the currency of
# their suffix: no funds, no bonds, no B shares, no counters in another currency.
_SHARES = re.compile(r"(6\d{5}\.SH|[03]\d{5}\.SZ|(4|8|92)\d+\.BJ|[0-79]\d{4}\.HK|.+\.US)", re.ASCII)
_OF_SHARES = {"prices", "actions", "shares", "listing"}
NAMES = tuple(dict.fromkeys(name for offers in OFFERS.values() for name in offers))
_FOREIGN = {"USD", "HKD", "EUR", "JPY", "GBP"}
_OUTCOMES: tuple[Outcome, ...] = ("ok", "no_data_unexplained", "blocked", "transient", "corrupt")
_FAILED = {"blocked", "transient"}
_UNCHECKED = {"sessions", "weights", "listing"}


@dataclass(frozen=True, slots=True)
class Access:
    """The way to every upstream: the process akshare runs in, the gate before it, the archive."""

    worker: Worker
    guard: Guard
    archive: Path


@dataclass(frozen=True, slots=True)
class Upstream:
    """One upstream behind akshare, as a source."""

    name: str
    access: Access

    def offers(self, table: Table, subject: str) -> bool:
        """Return whether it has such rows of such a subject."""
        suffix = subject[-3:] if table == "fx" else split_symbol(subject)[1]
        if table == "fx" and subject[:3] not in _FOREIGN:
            return False
        if table in _OF_SHARES and not _SHARES.fullmatch(subject):
            return False
        return suffix in OFFERS[table].get(self.name, frozenset())

    def fetch(self, ask: Ask) -> Answer:
        """Return what it answers; asked twice where the first time came to nothing.

        A second time is not asked at once but in turn, and not at all where the host is left
        alone: two failures in a row are a refusal.
        """
        answer = self._fetch(ask)
        return self._fetch(ask) if answer.outcome == "transient" else answer

    def _fetch(self, ask: Ask) -> Answer:
        hosts: list[str] = []
        replies: list[Reply] = []
        guard, worker = self.access.guard, self.access.worker

        def want(url: str) -> str:
            host = host_of(url)
            hosts.append(host)
            return guard.wait(host)

        def got(url: str, status: int, function: str, body: bytes) -> None:
            told = {"source": self.name, "function": function, "ask": str(ask)} | worker.versions
            asked = (url, status, guard.instant())
            replies.append(append_reply(self.access.archive, asked, body, told))

        try:
            said = worker.ask(self.name, ask, want, got)
        except Ended as ended:  # of what the upstream sent
            said = {"done": "corrupt", "reason": ended.how}
        return self._judged(ask, said, hosts, tuple(replies))

    def _judged(
        self, ask: Ask, said: dict[str, Any], hosts: list[str], replies: tuple[Reply, ...]
    ) -> Answer:
        outcome: Outcome = said["done"] if said["done"] in _OUTCOMES else "corrupt"
        reason, guard = str(said.get("reason", "")), self.access.guard
        asked, last = dict.fromkeys(map(upstream, hosts)), upstream(hosts[-1]) if hosts else ""
        failed = outcome in _FAILED
        if hosts and failed and guard.refusal(last):
            outcome = "blocked"  # by ourselves: nothing was asked, so nothing is counted
        else:
            rest = [guard.note(host, failed=failed and host == last) for host in asked]
            outcome = "blocked" if any(rest) else outcome
        if outcome == "ok":
            return _framed(ask, self.name, said.get("columns"), replies)
        return without_rows(ask, self.name, outcome, reason, replies)


def _framed(ask: Ask, source: str, columns: Any, replies: tuple[Reply, ...]) -> Answer:
    """Return rows in our own types, whatever they came in, or why they are none."""
    schema = SCHEMAS[ask.table]
    try:
        given = {name: list(columns[name]) for name in schema}
        frame = pl.DataFrame(
            {name: _typed(name, cells, schema[name]) for name, cells in given.items()}
        )
    except (TypeError, KeyError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        text = f"columns that are not those of {ask.table}: {error}"
        return without_rows(ask, source, "corrupt", text, replies)
    if reason := _absurd(ask, frame):
        return without_rows(ask, source, "corrupt", reason, replies)
    whole = frame.unique(maintain_order=True)
    key = [name for name in ("symbol", "date", "ex_date", "from") if name in schema]
    if ask.table not in {"actions", "suspensions"} and whole.select(key).is_duplicated().any():
        twice_told = whole.filter(whole.select(key).is_duplicated()).row(0)
        reason = f"two rows that differ: {twice_told!r}"
        return without_rows(ask, source, "corrupt", reason, replies)
    if whole.is_empty() and ask.table in {"prices", "series", "fx", "sessions", "shares"}:
        reason = "no rows in the span"
        return without_rows(ask, source, "no_data_unexplained", reason, replies)
    # What is checked is handed on as it came: the check tells of each row that came twice.
    told = whole if ask.table in _UNCHECKED else frame
    return Answer(ask, source, "ok", told.sort(key), "", replies)


def _typed(name: str, cells: list[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Date:
        return pl.Series(name, cells, pl.String()).str.to_date("%Y-%m-%d", strict=True)
    if dtype == pl.Float64 and any(isinstance(cell, str | bool) for cell in cells):
        raise TypeError(f"{name} holds what is no number")
    return (
        pl.Series(name, cells, dtype, strict=True)
        if dtype != pl.Float64
        else pl.Series(name, [None if cell is None else float(cell) for cell in cells], dtype)
    )


def _absurd(ask: Ask, frame: pl.DataFrame) -> str:
    """Return what no market can have done; empty where all of it may be true."""
    for name in ("close", "rate"):
        if name in frame.columns:
            sound = frame[name].is_finite() & (frame[name] > 0)
            if not sound.fill_null(value=False).all():
                return f"a {name} that is no number above zero"
    ahead = AHEAD if ask.table == "sessions" else timedelta()
    for name, allowed in (("date", ahead), ("ex_date", AHEAD)):
        if name in frame.columns:
            late = frame.filter(pl.col(name) > ask.asked_on + allowed)
            if not late.is_empty():
                return f"a row dated {late[name][0]}, and it was asked on {ask.asked_on}"
    return ""


def upstreams(access: Access, names: Iterable[str] = NAMES) -> list[Source]:
    """Return the sources of some names."""
    return [Upstream(name, access) for name in names]


def sources_of(
    table: Table, subject: str, sources: Iterable[Source], on: date = date.max
) -> list[Source]:
    """Return who offers some rows, in the order in which they are to be asked.

    Parameters
    ----------
    on : the date whose hierarchy counts; the latest without one. Who has no place in it is first
    """
    order = ranking(table, on)
    offering = [source for source in sources if source.offers(table, subject)]
    return sorted(offering, key=lambda s: order.index(s.name) if s.name in order else -1)
