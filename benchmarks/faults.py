"""Every kind of fault, everywhere it can fall: no close may be wrong, and no outcome.

60 kinds × 4 places × 3 extents × 3 sources through akshare's own code against the stand-in. What a
fault must end in is written in `OUTCOMES`; beside it stands what akshare alone makes of the same
replies. Finished scenarios are kept line by line, so a run that was stopped goes on.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks.standin.faults import KINDS, PATIENCE, Fault
from benchmarks.standin.market import invented
from benchmarks.standin.server import Standin, serving
from benchmarks.standin.wire import Request
from indexer.market.calendar import read_calendar
from indexer.market.sources.akshare import Access, upstreams
from indexer.market.sources.guard import Guard, Pace
from indexer.market.sources.source import Outcome
from indexer.market.sources.worker import Worker
from indexer.market.tables import TABLES
from indexer.run.gather import Believed, Gathered, Gatherer
from indexer.run.needs import Need

SEED = 20260507
LAST = date(2026, 6, 12)
PLACES = {"first": 1, "overlap": 10, "last": 1, "rebalance": 16}  # the row, from the end
EXTENTS = ("one", "tenth", "all")
SOURCES: dict[str, tuple[str, ...]] = {
    "first": ("push2his.eastmoney.com",),
    "second": ("gtimg.cn", "finance.qq.com"),
    "both": ("push2his.eastmoney.com", "gtimg.cn", "finance.qq.com"),
}
_NAMED = {"first": ("eastmoney",), "second": ("tencent",), "both": ("eastmoney", "tencent")}

_GONE: frozenset[Outcome] = frozenset({"blocked"})
_WRONG: frozenset[Outcome] = frozenset({"corrupt"})
_EMPTY: frozenset[Outcome] = frozenset({"no_data_unexplained"})
_LATE: frozenset[Outcome] = frozenset({"transient", "no_data_unexplained"})
_ODD = _WRONG | _LATE
# What a reply with a fault may be called, where it does not count. A reply may count all the same:
# what is wrong with it is seen beside another source, or does no harm.
OUTCOMES: dict[str, frozenset[Outcome]] = {
    **dict.fromkeys(("rst", "close_no_response", "http_429", "http_502_html"), _GONE),
    **dict.fromkeys(("http_403_json_ok_body", "captcha_html_200", "redirect_loop"), _GONE),
    **dict.fromkeys(("empty_body", "truncated_json", "short_content_length"), _GONE),
    **dict.fromkeys(("long_content_length", "bad_gzip", "hang", "drip", "ban_after_n"), _GONE),
    "code_in_body": _GONE | _WRONG,
    **dict.fromkeys(("data_null", "klines_empty"), _EMPTY),
    **dict.fromkeys(("end_cut", "one_row_missing_today"), _LATE),
    **dict.fromkeys(("truncated_page", "head_cut", "row_dropped"), _ODD),
    **dict.fromkeys(("shifted_forward", "shifted_back", "phantom", "flat_zero_volume"), _ODD),
}


class Scenario(NamedTuple):
    """One fault, where it falls, on how many constituents, at which source."""

    kind: str
    place: str
    extent: str
    source: str


def scenarios() -> list[Scenario]:
    """Return all of them."""
    return list(itertools.starmap(Scenario, itertools.product(KINDS, PLACES, EXTENTS, SOURCES)))


@dataclass(slots=True)
class _Clock:
    at: datetime

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class Ground:
    """A stand-in, the way to it, and what a clean run makes of it.

    Attributes
    ----------
    symbols : the constituents
    true : their closes as the market has them
    """

    standin: Standin
    access: Access
    clock: _Clock
    symbols: tuple[str, ...]
    true: pl.DataFrame
    needs: list[Need] = field(default_factory=list)


@contextmanager
def ground(count: int = 20, deadline: float = 4.0) -> Iterator[Ground]:
    """Start the stand-in over an invented market of some constituents."""
    symbols = tuple(
        f"{board}{n:03d}.{suffix}"
        for n, (board, suffix) in zip(
            range(1, count + 1),
            itertools.cycle((("600", "SH"), ("000", "SZ"), ("300", "SZ"), ("688", "SH"))),
            strict=False,
        )
    )
    sessions = read_calendar("XSHG").between(date(2026, 3, 2), LAST).tolist()
    market = invented(symbols, sessions, SEED)
    rows = [(s, bar.day, bar.close) for s in symbols for bar in market.bars[s]]
    true = pl.DataFrame(rows, schema=["symbol", "date", "close"], orient="row").sort(pl.all())
    clock = _Clock(datetime(LAST.year, LAST.month, LAST.day, 12, tzinfo=UTC))
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(market, Path(folder)) as standin,
        Worker(os.environ | standin.environment, deadline) as worker,
    ):
        guard = Guard(clock, pace=Pace(3.0, 3.0, 10**9))
        access = Access(worker, guard, Path(folder) / "replies")
        needs = [Need("prices", symbol, sessions[0]) for symbol in symbols]
        yield Ground(standin, access, clock, symbols, true, needs)


def judged(on: Ground, scenario: Scenario) -> list[str]:
    """Run a scenario; return everything wrong with what came of it."""
    on.access.guard._hosts.clear()
    on.clock.at = datetime(LAST.year, LAST.month, LAST.day, 12, tzinfo=UTC)
    until = LAST
    if scenario.kind == "partial_today":  # the bar is unfinished because the session is
        on.clock.at = on.clock.at.replace(hour=6)
        until = on.true["date"].unique().sort()[-2]
    held = _held(on, scenario)
    hit = set(_hit(on, scenario))
    on.standin.choose = _chooser(on, scenario, hit)
    gatherer = Gatherer(upstreams(on.access), on.clock.at, LAST, held)
    found = []
    for need in on.needs:
        gathered = gatherer.gather(need)
        for table, rows in gathered.rows.items():
            held.add(table, rows)
        found.append(gathered)
    on.standin.choose = lambda _: None
    return [*_wrong_closes(on, held, found, until), *_wrong_outcomes(scenario, hit, found)]


def _held(on: Ground, scenario: Scenario) -> Believed:
    """Return what is stored before: nothing, or all but the last sessions."""
    tables = {name: table.empty() for name, table in TABLES.items()}
    lacking = {"overlap": 5, "last": 1}.get(scenario.place)
    if lacking:
        bars = [
            (symbol, *bar)
            for symbol in on.symbols
            for bar in on.standin.market.bars[symbol][:-lacking]
        ]
        schema = {"symbol": pl.String()} | dict(
            zip(
                ("date", "open", "high", "low", "close", "volume", "amount"),
                (pl.Date(), *[pl.Float64()] * 6),
                strict=True,
            )
        )
        rows = pl.DataFrame(bars, schema=schema, orient="row")
        tables["prices"] = rows.select(TABLES["prices"].empty().columns)
    return Believed(tables)


def _hit(on: Ground, scenario: Scenario) -> tuple[str, ...]:
    count = {"one": 1, "tenth": max(1, len(on.symbols) // 10)}.get(scenario.extent)
    return on.symbols[:count]


def _chooser(on: Ground, scenario: Scenario, hit: set[str]) -> Any:
    """Return what gives the requests about some symbols to some hosts the fault."""
    hosts, fault = SOURCES[scenario.source], Fault(scenario.kind, PLACES[scenario.place])
    codes = {symbol[:6] for symbol in hit}
    asked: dict[str, int] = {}

    def choose(request: Request) -> Fault | None:
        if not request.host.endswith(hosts):
            return None
        if scenario.kind == "ban_after_n":
            asked[request.host] = asked.get(request.host, 0) + 1
            return fault if asked[request.host] > PATIENCE else None
        return fault if any(code in str(request.query) for code in codes) else None

    return choose


def _wrong_closes(on: Ground, held: Believed, found: list[Gathered], until: date) -> Iterator[str]:
    """Yield closes that are not the market's, and sessions that are silently missing."""
    have = held.tables["prices"].select("symbol", "date", "close")
    extra = have.join(on.true, on=["symbol", "date", "close"], how="anti")
    for row in extra.iter_rows():
        yield f"close {row[2]:g} of {row[0]} on {row[1]} is not the market's"
    whole = {g.need.subject for g in found if g.outcome in {"ok", "no_data_explained"}}
    lacking = on.true.filter(pl.col("date") <= until).join(have, on=["symbol", "date"], how="anti")
    for symbol in sorted(whole.intersection(lacking["symbol"])):
        yield f"{symbol} is called complete and lacks sessions"


def _wrong_outcomes(scenario: Scenario, hit: set[str], found: list[Gathered]) -> Iterator[str]:
    """Yield outcomes of the faulted source that are not what such a fault is called."""
    allowed = OUTCOMES.get(scenario.kind, _WRONG)
    for gathered in found:
        for source, told in gathered.failures.items():
            outcome = told.partition(":")[0]
            faulted = source in _NAMED[scenario.source] and gathered.need.subject in hit
            resting = outcome == "blocked" and "blocked" in allowed  # left alone after another's
            if not resting and not (faulted and outcome in allowed):
                yield f"{source} is called {outcome} for {gathered.need.subject}: {told[:200]}"
        if gathered.outcome not in {"ok", "no_data_explained"} | allowed:
            yield f"{gathered.need.subject} ends {gathered.outcome}: {gathered.reason[:200]}"


_ALONE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import akshare
try:
    frame = akshare.stock_zh_a_hist(symbol=sys.argv[1], start_date="20260302",
                                    end_date="20260612", timeout=3)
except Exception as error:
    print(json.dumps({"raises": type(error).__name__}))
else:
    rows = {c: [str(v) for v in frame[c]] for c in frame.columns}
    print(json.dumps({"frame": rows}))
"""


def alone(on: Ground, kinds: tuple[str, ...] = KINDS, patience: float = 60.0) -> dict[str, str]:
    """Return what akshare by itself makes of each fault: raises, the truth, or another frame."""
    symbol = on.symbols[0]
    told: dict[str, str] = {}
    truth: Any = None
    for kind in ("none", *kinds):
        on.standin.choose = lambda _, kind=kind: Fault(kind)  # type: ignore[misc]
        command = [sys.executable, "-c", _ALONE, symbol[:6]]
        environment = os.environ | on.standin.environment | {"TQDM_DISABLE": "1"}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, timeout=patience, check=True
            )
            said = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            told[kind] = "hangs"
            continue
        if kind == "none":
            truth = said
        elif "raises" in said:
            told[kind] = f"raises {said['raises']}"
        else:
            told[kind] = "the truth" if said == truth else "another frame"
    on.standin.choose = lambda _: None
    return told


def run(
    results: Path, *, every: int = 1, count: int = 20, beside: tuple[str, ...] = KINDS
) -> dict[str, Any]:
    """Run every n-th scenario that is not kept already; return the summary and keep it.

    Parameters
    ----------
    beside : kinds of fault that are shown to akshare alone as well
    """
    results.mkdir(parents=True, exist_ok=True)
    kept = results / f"faults-{count}.jsonl"
    done = _kept(kept)
    begun = time.monotonic()
    with ground(count) as on, kept.open("a", encoding="utf-8") as stream:
        stream.write("\n")  # after a line that was cut off
        chosen = scenarios()[::every]
        for n, scenario in enumerate(chosen, 1):
            if scenario not in done:
                started = time.monotonic()
                wrong = judged(on, scenario)
                seconds = round(time.monotonic() - started, 2)
                done[scenario] = {"scenario": scenario, "wrong": wrong, "seconds": seconds}
                stream.write(json.dumps(done[scenario], ensure_ascii=False) + "\n")
                stream.flush()
            print(f"\r{n} of {len(chosen)} ", end="", file=sys.stderr, flush=True)
        told = alone(on, beside)
    entries = [done[scenario] for scenario in chosen]
    frames = [kind for kind, what in told.items() if what == "another frame"]
    summary = {
        "id": "faults",
        "n": len(entries),
        "wrong": sum(bool(entry["wrong"]) for entry in entries),
        "bound95": round(3 / len(entries), 5),
        "seconds": round(sum(entry["seconds"] for entry in entries), 1),
        "elapsed": round(time.monotonic() - begun, 1),
        "seed": SEED,
        "constituents": count,
        "akshare_alone": {
            "n": len(told),
            "raises": sum(what.startswith("raises") for what in told.values()),
            "hangs": sum(what == "hangs" for what in told.values()),
            "silently_another_frame": len(frames),
            "by_kind": told,
        },
        "failures": [entry for entry in entries if entry["wrong"]][:50],
    }
    (results / "faults.json").write_text(
        json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return summary


def _kept(file: Path) -> dict[Scenario, dict[str, Any]]:
    done: dict[Scenario, dict[str, Any]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:  # cut off
            continue
        done[Scenario(*entry["scenario"])] = entry
    return done
