"""A clean reply of a source and what is known beside it: made from a seed, on real calendars."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.definitions.symbols import exchange_of
from indexer.market.actions import Action, event
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.conventions.limits import price_limit
from indexer.market.sources.bars import COLUMNS, Known, Scope
from indexer.market.sources.check import check_bars
from indexer.market.sources.verdict import RULES, Verdict
from indexer.market.tables import TABLES

LAST = date(2026, 8, 20)  # a Thursday


@dataclass(frozen=True)
class Case:
    """A reply as it should be, what was asked for, and what is known."""

    bars: pl.DataFrame
    scope: Scope
    known: Known

    def check(self, frame: pl.DataFrame | None = None) -> Verdict:
        """Check another frame in place of the clean one, and that every row is accounted for."""
        given = self.bars if frame is None else frame
        verdict = check_bars(given, self.scope, self.known)
        whole = [entry for entry in verdict.disregarded if not entry.field]
        assert len(given) == len(verdict.rows) + len(whole)
        assert {entry.rule for entry in verdict.disregarded} <= RULES.keys()
        return verdict

    def stored(self, count: int) -> "Case":
        """Return the case in which all bars but the last few were stored before."""
        stored = self.bars.head(-count)
        since = stored["date"][max(-20, -len(stored))]
        return replace(
            self,
            bars=self.bars.filter(pl.col("date") >= since),
            scope=replace(self.scope, since=since),
            known=replace(self.known, stored=stored),
        )


def case(symbol: str = "300308.SZ", count: int = 60, seed: int = 7, **facts: Any) -> Case:
    """Return a clean case of some sessions up to a Thursday in 2026, the evening after it.

    Parameters
    ----------
    facts : ``actions`` as pairs of a session's number and an action; ``suspended`` as pairs of the
        first and last session's number; ``listed`` if the first session is that of the listing;
        ``limit_up`` as numbers of sessions; ``back`` by how many sessions the last one is earlier
    """
    calendar = read_calendar(exchange_of(symbol))
    sessions = calendar.sessions[: np.searchsorted(calendar.sessions, np.datetime64(LAST)) + 1]
    sessions = sessions[: len(sessions) - facts.get("back", 0)]
    days, last = sessions[-count:], sessions[-1].item()
    off = {i for a, b in facts.get("suspended", ()) for i in range(a, b + 1)}
    bars = _bars(symbol, days, off, np.random.default_rng(seed), facts)
    close = calendar.close_of(days[-1:])[0].item().replace(tzinfo=UTC)
    first = days[0].item()
    known = Known(
        calendar,
        actions=actions(symbol, days, facts.get("actions", ())),
        suspensions=_suspensions(symbol, days, facts.get("suspended", ())),
        listed=first if facts.get("listed") else date(2012, 4, 10),
    )
    return Case(bars, Scope(symbol, first, last, close + timedelta(hours=2)), known)


def actions(symbol: str, days: Days, given: Iterable[tuple[int, Action]]) -> pl.DataFrame:
    rows = [
        (symbol, days[i].item(), a.kind, a.cash or None, a.ratio or None, a.price or None, None)
        for i, a in given
    ]
    return pl.DataFrame(rows, schema=TABLES["actions"].empty().schema, orient="row")


def _suspensions(symbol: str, days: Days, given: Iterable[tuple[int, int]]) -> pl.DataFrame:
    rows = [(symbol, days[a].item(), (days[b] + 1).item(), None) for a, b in given]
    return pl.DataFrame(rows, schema=TABLES["suspensions"].empty().schema, orient="row")


def _bars(
    symbol: str, days: Days, off: set[int], rng: np.random.Generator, facts: dict[str, Any]
) -> pl.DataFrame:
    rows, close = [], float(np.round(rng.uniform(8, 300), 2))
    by_day: dict[int, list[Action]] = {}
    for i, action in facts.get("actions", ()):
        by_day.setdefault(i, []).append(action)
    for i, day in enumerate(days.tolist()):
        reference = event(by_day.get(i, ()), close).ex_reference
        close = reference
        if i in off:
            continue
        limit = float(price_limit(symbol, day) or 0.3)
        low, high = _cents(reference * (1 - limit)), _cents(reference * (1 + limit))
        if facts.get("listed") and i < 5:
            low, high = _cents(reference * 0.6), _cents(reference * 1.9)
        lively = 0.3 if facts.get("listed") and i < 5 else 0.02
        drawn = rng.normal(0, lively, 4) * reference + reference
        opened, *between, close = (float(min(max(_cents(p), low), high)) for p in drawn)
        if i in facts.get("limit_up", ()):
            opened, between, close = close, [high, high], high
        bottom, top = min(opened, close, *between), max(opened, close, *between)
        volume = 100.0 * int(rng.integers(2_000, 900_000))
        amount = round(volume * rng.uniform(bottom, top), 2)
        rows.append((symbol, day, opened, top, bottom, close, volume, amount))
    return pl.DataFrame(
        rows,
        schema=TABLES["prices"]
        .empty()
        .select("symbol", "date", "open", "high", "low", "close", "volume", "amount")
        .schema,
        orient="row",
    ).select(COLUMNS)


def _cents(price: float) -> float:
    return float(np.floor(price * 100 + 0.5 + 1e-7)) / 100


def at(day: date, hour: int, minute: int, calendar: Calendar) -> datetime:
    """Return an instant by the clocks of an exchange."""
    return datetime.combine(day, time(hour, minute), calendar.zone)
