"""Every kind of fault, everywhere it can fall: no figure may be wrong, and no outcome.

60 kinds × 4 places × 3 extents × 3 sources, as the catalogue of faults counts them, through
akshare's own code against the stand-in. Each scenario is one fetch of twenty needs from every
table: bars of five boards, of Hong Kong and New York, payouts, share counts, series and rates;
sources are the first, the second or both of whoever has the table. What a fault must end in is
written in `OUTCOMES`; beside it stands what akshare alone makes of the same replies. Finished
scenarios are kept line by line, so a run that was stopped goes on.
"""

import itertools
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks.alone import alone
from benchmarks.ground import (
    ABROAD,
    FIRST,
    LAST,
    PAIRS,
    PAYING,
    SEED,
    SERIES,
    Ground,
    evening,
    ground,
)
from benchmarks.reliability.record import Found, Journal, bound95, commit
from benchmarks.standin.faults import KINDS, Fault
from indexer.market.conventions.finality import last_final_bar
from indexer.market.sources.akshare import sources_of, upstreams
from indexer.market.sources.source import Ask, Source, Table
from indexer.market.sources.verdict import SETTLED, Outcome
from indexer.market.tables import TABLES
from indexer.run.believed import Believed
from indexer.run.gather import Gathered, Gatherer
from indexer.run.needs import Need
from indexer.run.payouts import UNSECONDED

PLACES = {"first": 1, "overlap": 10, "last": 1, "rebalance": 16}  # the row, from the end
EXTENTS = ("one", "tenth", "all")
SOURCES = {"first": (0,), "second": (1,), "both": (0, 1)}  # in the order in which they are asked
ANSWERED = {"one": 10, "tenth": 5, "all": 1}  # questions a source answers before it shuts

# The figures a level rests on; others may differ between sources by their rounding.
FIGURES = {
    "prices": ("symbol", "date", "close"),
    "series": ("symbol", "date", "close"),
    "actions": ("symbol", "ex_date", "kind", "cash", "ratio"),
    "shares": ("symbol", "date", "total_shares", "free_float_shares"),
    "fx": ("base", "quote", "date", "rate"),
}
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


# Of these what is wrong shows by rows that are lacking, too, and rates stand on pages: what is no
# page stands in the way of one.
FACTS: dict[str, frozenset[Outcome]] = {"actions": _ODD, "shares": _ODD, "fx": _ODD | _GONE}


class Scenario(NamedTuple):
    """One fault, where it falls, on how much of what is fetched, at which source."""

    kind: str
    place: str
    extent: str
    source: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a scenario.

    Attributes
    ----------
    wrong : a line for each figure and each outcome that is not what it should be
    alike : figures that are wrong and believed because every source there is tells the same ones
    ends : how many faulted needs ended how, by table and outcome
    """

    wrong: tuple[str, ...]
    alike: tuple[str, ...]
    ends: dict[str, int]


def scenarios() -> list[Scenario]:
    """Return all of them."""
    return list(itertools.starmap(Scenario, itertools.product(KINDS, PLACES, EXTENTS, SOURCES)))


def needs_on(on: Ground) -> list[Need]:
    """Return what each scenario fetches."""
    shares = on.shares
    subjects: dict[Any, Iterable[str]] = {
        "actions": (*(shares[n] for n in PAYING), ABROAD[0]),
        "prices": (*shares[:6], *ABROAD),
        "series": SERIES,
        "shares": (shares[0], shares[1]),
        "fx": PAIRS,
    }
    return [Need(table, name, FIRST) for table, names in subjects.items() for name in names]


def judged(on: Ground, scenario: Scenario) -> Judged:
    """Run a scenario; return everything wrong with what came of it."""
    on.access.guard._hosts.clear()
    on.clock.at = evening()
    if scenario.kind == "partial_today":  # the bar is unfinished because the session is
        on.clock.at = on.clock.at.replace(hour=6)
    needs = needs_on(on)
    sources = upstreams(on.access)
    held = _held(on, needs, scenario.place, sources)
    hit = _hit(needs, scenario)
    if "blocked" not in OUTCOMES.get(scenario.kind, _WRONG):  # no source is left alone:
        subjects = {subject for _, subject in hit}  # what is of other subjects has no part in it
        needs = [need for need in needs if need.subject in subjects]
    faulted = {
        (source.name, need.table, need.subject)
        for need in needs
        for n, source in enumerate(sources_of(need.table, need.subject, sources))
        if n in SOURCES[scenario.source]
    }
    on.recorder.choose = _chooser(scenario, faulted, hit)
    gatherer = Gatherer(sources, on.clock.at, LAST, held)
    found = []
    for need in needs:
        gathered = gatherer.gather(need)
        for table, rows in gathered.rows.items():
            held.add(table, rows)
        found.append(gathered)
    on.recorder.choose = lambda *_: None
    refused = {g.need.subject for g in found if g.outcome not in SETTLED}
    wrong: list[str] = []
    alike: list[str] = []
    for one in found:
        lines = [*_strange(on, held, one.need)]
        if one.need.subject in refused and one.need.table == "actions":
            lines = []  # no level is made of them
        if one.need.subject not in refused:
            lines += _silent(on, held, one.need)
        key = _key(one.need)
        others = {(s.name, *key) for s in sources_of(*key, sources)} - faulted
        (alike if key in hit and not others else wrong).extend(lines)
    wrong += _wrong_outcomes(scenario, faulted, hit, found)
    ends = Counter(f"{g.need.table} {_end(g)}" for g in found if _key(g.need) in hit)
    return Judged(tuple(wrong), tuple(alike), dict(sorted(ends.items())))


def _key(need: Need) -> tuple[Table, str]:
    return need.table, need.subject


def _end(gathered: Gathered) -> str:
    return "as without" if gathered.outcome in SETTLED else gathered.outcome


def true_rows(on: Ground, need: Need) -> pl.DataFrame:
    """Return what the market holds of a need, the figures that levels rest on."""
    market, subject, columns = on.market, need.subject, FIGURES[need.table]
    rows: list[tuple[Any, ...]]
    if need.table in {"prices", "series"}:
        rows = [(subject, bar.day, bar.close) for bar in market.bars[subject]]
    elif need.table == "fx":
        rows = [(subject[:3], "CNY", *told) for told in market.rates[subject[:3]].items()]
    else:
        table = market.actions if need.table == "actions" else market.shares
        rows = [tuple(row[name] for name in columns) for row in table.get(subject, [])]
    return pl.DataFrame(rows, schema=_schema(need.table), orient="row")


def _schema(table: str) -> dict[str, pl.DataType]:
    schema = TABLES[table].empty().schema
    return {name: schema[name] for name in FIGURES[table]}


def _held(on: Ground, needs: list[Need], place: str, sources: list[Source]) -> Believed:
    """Return what the first sources told before: nothing, or all but the last sessions."""
    tables = {name: table.empty() for name, table in TABLES.items()}
    held = Believed(tables)
    lacking = {"overlap": 5, "last": 1}.get(place)
    for need in needs if lacking else ():
        if need.table == "prices":
            bars = on.market.bars[need.subject][:-lacking]  # type: ignore[operator]
            rows = pl.DataFrame(bars, orient="row").rename({"day": "date"})
            rows = rows.with_columns(symbol=pl.lit(need.subject))
        else:
            rows = true_rows(on, need)
            rows = rows[:-lacking] if need.table in {"series", "fx"} else rows  # type: ignore[operator]
        first = sources_of(need.table, need.subject, sources)[0]  # not entered by hand
        held.add(need.table, rows.with_columns(source=pl.lit(first.name)))
    return held


def _hit(needs: list[Need], scenario: Scenario) -> set[tuple[Table, str]]:
    """Return which needs have the fault: drawn, so that each comes to be the only one."""
    count = {"one": 1, "tenth": len(needs) // 10}.get(scenario.extent, len(needs))
    draw = random.Random(f"{SEED} {scenario.kind} {scenario.place} {scenario.source}")  # noqa: S311
    return {_key(need) for need in draw.sample(needs, max(1, count))}


def _chooser(
    scenario: Scenario, faulted: set[tuple[str, Table, str]], hit: set[tuple[Table, str]]
) -> Any:
    """Return what gives the answers of some sources about some needs the fault."""
    asked: Counter[str] = Counter()
    fault = Fault(scenario.kind, PLACES[scenario.place])

    def choose(source: str, ask: Ask) -> Fault | None:
        if (source, ask.table, ask.subject) not in faulted:
            return None
        if scenario.kind == "ban_after_n":
            asked[source] += 1
            return fault if asked[source] > ANSWERED[scenario.extent] else None
        return fault if (ask.table, ask.subject) in hit else None

    return choose


def _strange(on: Ground, held: Believed, need: Need) -> Iterator[str]:
    """Yield figures that are not the market's."""
    columns = list(FIGURES[need.table])
    have, true = held.of(need.table, need.subject).select(columns), true_rows(on, need)
    if need.table == "shares":  # what holds on a date counts, not since when
        dates = have.select("symbol", "date").sort("date")
        true = dates.join_asof(true.sort("date").drop("symbol"), on="date").select(columns)
    strange = have.join(true, on=columns, how="anti", nulls_equal=True)
    yield from (f"{need.table} {row} are not the market's" for row in strange.iter_rows())


def _silent(on: Ground, held: Believed, need: Need) -> Iterator[str]:
    """Yield the dates that are missing where all is said to be there."""
    day = "ex_date" if need.table == "actions" else "date"
    true, have = true_rows(on, need), held.of(need.table, need.subject)
    if need.table in {"prices", "series", "fx"}:  # what is not final yet is not asked for
        true = true.filter(pl.col("date") <= last_final_bar(need.calendar, on.clock.at))
    lacking = true.join(have, on=day, how="anti")[day].to_list()
    if lacking:
        yield f"{need.table} of {need.subject} are called whole and lack {lacking}"


def _wrong_outcomes(
    scenario: Scenario,
    faulted: set[tuple[str, Table, str]],
    hit: set[tuple[Table, str]],
    found: list[Gathered],
) -> Iterator[str]:
    """Yield outcomes of the faulted source that are not what such a fault is called."""
    allowed = OUTCOMES.get(scenario.kind, _WRONG)
    unknown = {
        g.need.subject
        for g in found
        if g.need.table == "actions" and (_key(g.need) in hit or g.outcome not in SETTLED)
    }
    for gathered in found:
        key = _key(gathered.need)
        broken = _WRONG if key[0] == "prices" and key[1] in unknown else frozenset()
        for source, told in gathered.failures.items():
            outcome = told.partition(":")[0]
            own = (source, *key) in faulted and key in hit
            resting = outcome == "blocked" and "blocked" in allowed  # left alone after another's
            resting |= told == ": ".join(UNSECONDED)  # and the other one has the fault
            named = allowed | FACTS.get(key[0], frozenset())
            if not resting and not (own and outcome in named) and outcome not in broken:
                yield f"{source} is called {outcome} for {' of '.join(key)}: {told[:200]}"
        # Where nobody is left to decide between two that differ, neither is believed; nor are
        # prices that break where an action is not known.
        refused = broken | (_WRONG if key in hit else frozenset())
        refused |= FACTS.get(key[0], frozenset()) if key in hit else frozenset()
        if (
            UNSECONDED[1] in gathered.reason
        ):  # the other one has the fault, or rests after another's
            refused |= {UNSECONDED[0]} if key in hit or "blocked" in allowed else frozenset()
        if gathered.outcome not in SETTLED | allowed | refused:
            yield f"{' of '.join(key)} ends {gathered.outcome}: {gathered.reason[:200]}"


def run(
    results: Path, *, every: int = 1, processes: int = 1, beside: tuple[str, ...] = KINDS
) -> dict[str, Any]:
    """Run every n-th scenario that is not kept already; return the summary and keep it.

    Parameters
    ----------
    processes : that share the kinds; each has a stand-in of its own
    beside : kinds of fault that are shown to akshare alone as well
    """
    results.mkdir(parents=True, exist_ok=True)
    kept, key = results / "faults.jsonl", commit()
    chosen = scenarios()[::every]
    shares = [[s for s in chosen if KINDS.index(s.kind) % processes == n] for n in range(processes)]
    start = multiprocessing.get_context("spawn").Process
    running = [start(target=_run, args=(kept, key, share), daemon=True) for share in shares]
    for process in running:
        process.start()
    for process in running:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a process left with {process.exitcode}")
    told: dict[str, str] = {}
    if beside:
        with ground() as on:
            told = alone(on, beside)
    done = Journal(kept, key).done
    summary = summed(key, {scenario: done[" ".join(scenario)] for scenario in chosen}, told)
    (results / "faults.json").write_text(
        json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return summary


def _run(kept: Path, key: str, share: list[Scenario]) -> None:
    """Run the scenarios of one process; lines of several do not mix."""
    journal = Journal(kept, key)
    left = [scenario for scenario in share if " ".join(scenario) not in journal.done]
    if not left:
        return
    with ground() as on:
        for n, scenario in enumerate(left, 1):
            started, real = time.monotonic(), on.recorder.real
            found = judged(on, scenario)
            figures = {"real": on.recorder.real - real, **found.ends}
            figures |= {"alike": bool(found.alike)}
            wrong = tuple(f"{' '.join(scenario)}: {line}" for line in found.wrong[:5])
            seconds = round(time.monotonic() - started, 2)
            journal.write(" ".join(scenario), Found(1, wrong, seconds, figures))
            print(f"{n} of {len(left)}: {scenario.kind}", file=sys.stderr, flush=True)


def summed(key: str, done: Mapping[Scenario, Found], told: dict[str, str]) -> dict[str, Any]:
    """Return what is kept of the scenarios and of akshare alone."""
    founds = list(done.values())
    wrong = [found for found in founds if found.wrong]
    ends: Counter[str] = Counter()
    for found in founds:
        ends.update({name: int(count) for name, count in found.figures.items()})
    real, alike = ends.pop("real", 0), ends.pop("alike", 0)
    silent = sum(what == "another frame" for what in told.values())
    return {
        "id": "faults",
        "n": len(founds),
        "of": len(scenarios()),
        "wrong": len(wrong),
        "uncontradicted": alike,
        "uncontradicted_by_kind": dict(
            Counter(s.kind for s, f in done.items() if f.figures["alike"])
        ),
        "bound95": float(f"{bound95(len(founds), len(wrong)):.3g}"),
        "seconds": round(sum(found.seconds for found in founds)),
        "seed": SEED,
        "commit": key,
        "needs": 20,
        "answers_by_akshare": real,
        "ends": dict(sorted(ends.items())),
        "akshare_alone": {
            "n": len(told),
            "raises": sum(what.startswith("raises") for what in told.values()),
            "hangs": sum(what == "hangs" for what in told.values()),
            "silently_another_frame": silent,
            "by_kind": told,
        },
        "failures": [line for found in wrong for line in found.wrong][:100],
    }
