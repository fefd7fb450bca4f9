"""Ten years of evenings on recorded answers, a share of them faulted: the store must not be.

Every answer is asked for once through akshare's own code, over all ten years, and cut to what is
asked for and known on each evening. What akshare makes of a kind of fault, too, is asked of it
once, on the last row; where it lets it pass, the fault is laid on the rows it falls on. Answers are
kept beside what a run leaves that is stopped. All that is ours runs as it does every day: the gate,
the checks, the agreement, the store. Judged as `benchmarks.days` judges.
"""

import json
import random
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.days import Chance, Course, compared, definitions, evening_of, told
from benchmarks.ground import ABROAD, PATIENCE, SEED, SILENT, Recorder, act, ground
from benchmarks.reliability.campaign import memory_below
from benchmarks.reliability.record import ROOT, commit
from benchmarks.standin.faults import KINDS, Fault
from benchmarks.standin.figures import spoiled
from benchmarks.standin.market import Bar, Market
from benchmarks.standin.wire import Request, Row
from indexer.market.calendar import read_calendar
from indexer.market.sources.source import SCHEMAS, Ask, Table
from indexer.market.sources.worker import Ended, Got, Want

FIRST, LAST = date(2016, 1, 4), date(2026, 6, 12)
PAID_FIRST = date(2016, 2, 15)  # before the first evening
BEGIN = date(2016, 3, 21)  # the first evening
SHARES = 1
_ANNOUNCED = timedelta(days=7)  # by which a payout is known before
_PLAIN = Fault("none")

Columns = dict[str, list[Any]]


class Replayed(Recorder):
    """Answers recorded once, cut and faulted below akshare.

    Attributes
    ----------
    market : what the faults of rows are drawn from
    answers : folder in which answers are kept, if any
    """

    market: Market
    answers: Path | None = None

    def ask(self, source: str, ask: Ask, want: Want, got: Got) -> dict[str, Any]:
        """Return the answer of an evening; see `Worker.ask`. Nothing is archived again."""
        fault = self.choose(source, ask) or _PLAIN
        self.asked += 1
        self.faulted += fault is not _PLAIN
        whole = self._recorded(source, ask, None)
        if reason := want(whole["url"]):
            return {"done": "blocked", "reason": reason}
        said = whole if fault is _PLAIN else self._recorded(source, ask, fault)
        if "ended" in said:
            raise Ended(said["ended"])
        if said["done"] != "ok":
            return said
        return cut(faulted(whole["columns"], ask.table, fault, self.market), ask, self.market.today)

    def _recorded(self, source: str, ask: Ask, fault: Fault | None) -> dict[str, Any]:
        """Return what akshare says over the whole time, asked once of a subject or of its kind."""
        subject = ask.subject if fault is None else ask.subject[-3:]
        key = "-".join((source, ask.table, subject, fault.kind if fault else "whole"))
        if key not in self._told:
            file = self.answers and self.answers / f"{key.replace('/', '_')}.json"
            if file and file.is_file():
                self._told[key] = json.loads(file.read_text("utf-8"))
            else:
                self._told[key] = self._of_akshare(source, ask, fault)  # type: ignore[assignment]
                if file:
                    file.write_text(json.dumps(self._told[key]), "utf-8")
        return self._told[key]  # type: ignore[return-value]

    def _of_akshare(self, source: str, ask: Ask, fault: Fault | None) -> dict[str, Any]:
        today, self.market.today = self.market.today, LAST
        self._standin.choose = lambda _: fault and Fault(fault.kind)
        urls: list[str] = []
        try:
            since = FIRST if fault is None else LAST - timedelta(days=90)
            span = (LAST, LAST) if ask.table == "suspensions" else (since, LAST)
            silent = fault is not None and fault.kind in SILENT
            self._deadline = self._silence if silent else PATIENCE
            said = super(Recorder, self).ask(
                source,
                Ask(ask.table, ask.subject, *span, LAST),
                lambda url: urls.append(url) or "",  # type: ignore[func-returns-value]
                lambda *_: None,
            )
        except Ended as ended:
            said = {"ended": ended.how}
        finally:
            self._standin.choose = lambda _: None
            self.market.today = today
        return {**said, "url": urls[-1]}


def pay_every_year(market: Market, symbol: str) -> None:
    """Let a symbol pay a hundredth each June, and its bars be lower by it from then on."""
    bars = market.bars[symbol]
    for year in range(FIRST.year - 1, LAST.year):
        at = next(n for n, bar in enumerate(bars) if bar.day >= max(date(year, 6, 10), PAID_FIRST))
        cash = round(0.01 * bars[at - 1].close, 2)
        act(market, symbol, bars[at].day, "dividend", cash=cash)
        left = 1 - cash / bars[at - 1].close
        bars[at:] = [lowered(bar, left) for bar in bars[at:]]


def lowered(bar: Bar, factor: float) -> Bar:
    """Return a bar at another level, to the cent."""
    prices = {n: round(getattr(bar, n) * factor, 2) for n in ("open", "high", "low", "close")}
    amount = float(round(bar.volume * (prices["high"] + prices["low"]) / 2))
    return bar._replace(**prices, amount=amount)


def cut(columns: Columns, ask: Ask, today: date) -> dict[str, Any]:
    """Return the rows asked for that are known on a day; none is no answer."""
    name = next((n for n in ("date", "ex_date") if n in columns), None)
    if name is None:
        return {"done": "ok", "columns": columns}
    last = min(ask.until, today + _ANNOUNCED if name == "ex_date" else today)
    since = str(ask.since)
    if ask.table == "shares":  # what holds at the start is older
        since = max((day for day in columns[name] if day <= since), default=since)
    kept = [n for n, day in enumerate(columns[name]) if since <= day <= str(last)]
    known = [day for day in columns[name] if day <= str(today + _ANNOUNCED)]
    if not (known if ask.table == "actions" else kept):
        return {"done": "no_data_unexplained", "reason": "no rows in the span"}
    return {"done": "ok", "columns": {k: [v[n] for n in kept] for k, v in columns.items()}}


def faulted(columns: Columns, table: Table, fault: Fault, market: Market) -> Columns:
    """Return rows under a fault that akshare lets pass."""
    if fault.kind == "none" or table not in {"prices", "series", "actions", "shares", "fx"}:
        return columns
    if table == "prices":
        return _bars_under(columns, fault, market)
    day = "ex_date" if table == "actions" else "date"
    figures = [n for n, kind in SCHEMAS[table].items() if kind.is_numeric()]
    others = {n: v[0] for n, v in columns.items() if n not in {day, "kind", *figures} and v}
    rows = [list(row) for row in zip(columns[day], *(columns[n] for n in figures), strict=True)]
    kinds = dict(zip(columns[day], columns.get("kind", columns[day]), strict=True))
    told = spoiled(fault.kind, rows, len(rows) - min(fault.at, len(rows)))
    found: Columns = {n: [value] * len(told) for n, value in others.items()}
    found[day] = [row[0] for row in told]
    found |= {name: [row[n] for row in told] for n, name in enumerate(figures, 1)}
    if "kind" in columns:
        found["kind"] = [kinds.get(row[0], "dividend") for row in told]
    return {name: found[name] for name in columns}


def _bars_under(columns: Columns, fault: Fault, market: Market) -> Columns:
    names = ("open", "high", "low", "close", "volume", "amount")
    days = [date.fromisoformat(day) for day in columns["date"]]
    true = [Bar(*row) for row in zip(days, *(columns[n] for n in names), strict=True)]
    if true and None in true[0]:  # New York's amounts are not told
        return columns
    spoil = fault.on(market, Request("", "", {}, {}))
    bars = spoil.bars(true)
    if bars is true:  # a fault of cells: the rows are those of a table
        rows: list[Row] = [[str(bar.day), *bar[1:]] for bar in true]
        told: list[Row] = spoil.figures(rows) if fault.kind in _ROWWISE else rows
        bars = [Bar(date.fromisoformat(row[0]), *row[1:]) for row in told]
    close = {bar.day: bar.close for bar in true}
    moved = {bar.day: bar.close - close.get(bar.day, bar.close) for bar in bars}
    before = dict(zip(days[1:], days[:-1], strict=True))
    said = dict(zip(days, columns["previous_close"], strict=True))
    previous = [
        None
        if said.get(b.day) is None
        else round(said[b.day] + moved.get(before.get(b.day, b.day), 0), 4)
        for b in bars
    ]
    found: Columns = {
        "symbol": columns["symbol"][:1] * len(bars),
        "date": [str(b.day) for b in bars],
    }
    found |= {name: [getattr(bar, name) for bar in bars] for name in names}
    return found | {"previous_close": previous}


_ROWWISE = {"dup_rows", "conflicting_dup", "unsorted", "future_row"}


def simulate(
    *,
    every: int = 1,
    share: float = 0.3,
    seed: int = SEED,
    limit: int | None = None,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Fetch on each n-th evening of ten years; return what is wrong in the end.

    Parameters
    ----------
    limit : evenings at most; None for all
    kept : folder in which a run that is stopped leaves what it goes on from
    """
    chance = Chance(share, KINDS, random.Random(), seed)  # noqa: S311 (one seed replays it)
    memory = memory_below(ROOT)
    with (
        ground(SHARES, 4.0, FIRST, LAST, Replayed) as on,
        tempfile.TemporaryDirectory(dir=memory) as folder,
    ):
        place = Path(folder)
        on.recorder.market = on.market  # type: ignore[attr-defined]
        if kept:
            answers = kept.with_suffix(".answers") / commit()
            answers.mkdir(parents=True, exist_ok=True)
            on.recorder.answers = answers  # type: ignore[attr-defined]
        on.market.actions.clear()
        for symbol in (*on.shares, ABROAD[0]):
            pay_every_year(on.market, symbol)
        names = definitions(place, on.shares, ABROAD[:1], BEGIN)
        evenings = read_calendar("XSHG").between(BEGIN, LAST).tolist()[::-every][::-1][:limit]
        on.recorder.choose = chance
        course = Course(place / "stores", kept, f"{commit()} {every} {share} {seed}", step=25)
        store, clean = (place / "stores" / name for name in ("store", "clean"))
        course.run(evenings, chance, lambda day: evening_of(on, names, store, day))
        on.recorder.choose = lambda *_: None
        if found := evening_of(on, names, clean, evenings[-1]):
            raise AssertionError(f"a day without faults is refused: {found}")
        rows = compared(store, clean)
    return told("years", evenings, course, chance, rows) | {
        "every": every,
        "answers_by_akshare": len(on.recorder._told),
    }
