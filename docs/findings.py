"""Write findings.md: what the compute-diffusion study says on a market folder with real prices.

python docs/findings.py --market MARKET
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from indexer.definitions.study import Pair, Study
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.index.history import History
from indexer.market.conventions.gates import gate_limits
from indexer.market.tables import Market, read_market
from indexer.run.find import study_named
from indexer.run.results import study
from indexer.signals.result import Comparison

PAGE = Path(__file__).with_name("findings.md")
LEADER, FOLLOWER = "north-america-compute", "domestic-compute"
HONG_KONG = ("hang-seng-tech", "hk-internet", "alibaba")
CLAIM = date(2026, 5, 7)
EVENINGS = (CLAIM, date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 3), date(2026, 8, 20))
WINDOW = 60
LEVEL = 0.05  # of a test


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--market", type=Path, required=True, help="folder of real prices")
    market = read_market(parser.parse_args().market)
    if market.manifest.synthetic:
        parser.error(f"{market.folder} is synthetic, and {PAGE.name} tells of real prices")
    PAGE.write_text(page(market), encoding="utf-8")


def page(market: Market) -> str:
    """Return the page's text."""
    asked = study_named("compute-diffusion")
    readings = (FOLLOWER, *HONG_KONG)
    pairs = tuple(Pair(leader=LEADER, follower=id) for id in readings)
    wide = asked.model_copy(update={"pairs": pairs})
    whole = study(asked, market)
    refused = {
        id: [f for f in findings(h, market, h.days.tolist()) if f.verdict == "refuse"]
        for id, h in study(wide, market).histories.items()
    }
    stale = {id: {f.session for f in told if f.rule == "R14"} for id, told in refused.items()}
    parts = (
        _opening(whole, stale),
        _beyond(whole, refused),
        _confirmation(wide, market, stale),
        _states(whole),
        _chance(whole),
        _lead_lag(whole),
        _event(whole),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _opening(whole: Comparison, stale: dict[str, set[date]]) -> Iterator[str]:
    sessions = whole.aligned.sessions
    selected = whole.histories[LEADER].definition.selected_on
    yield f"""\
# Does the rally diffuse? What real prices say

This page is written by `python docs/findings.py --market MARKET` from the bundled study
`compute-diffusion` and a folder of real closes, {sessions[0]} to {sessions[-1]}. The two baskets
are lists of {selected}: everything before that day is **back-tested**, on constituents that were
chosen knowing how they had done. Closes come from public vendors and are as they were found.

## What these closes cannot say
"""
    if not any(stale[id] for id in (LEADER, FOLLOWER)):
        yield "The gate on stale prices, R14, would let every session of the two chains pass.\n"
        return
    limit = gate_limits(CLAIM).stale_weight
    yield (
        f"Gate R14 refuses a session with more than {limit:.0%} of the index weight at a carried "
        "price, and would not let all of these be published:\n"
    )
    for id in (LEADER, FOLLOWER):
        history = whole.histories[id]
        told = f"{len(stale[id])} of {len(history.days)} sessions"
        if stale[id]:
            last = max(stale[id])
            members = len(history.definition.symbols)
            there = members - history.carried[history.days.tolist().index(last)]
            told += (
                f", {min(stale[id])} to {last}; of its {members} constituents {there} have a close "
                f"on that last day"
            )
        yield f"- {id}: {told}."
    first = min(min(stale[id]) for id in (LEADER, FOLLOWER) if stale[id])
    yield f"""
A carried price has no return on its day and that of several days on a later one. Correlations,
betas and turns after {first} may be due to that, and not to the market. *Stale*, below, counts the
sessions of a window that R14 would refuse of a basket in it; where there are any, take the row for
a sample of what is calculated, and for no evidence.
"""


def _beyond(whole: Comparison, refused: dict[str, list[Finding]]) -> Iterator[str]:
    """Yield what gate R16 would refuse, and how much of the leader's fall that makes."""
    moves = {
        id: [_move(whole.histories[id], f) for f in refused[id] if f.rule == "R16"]
        for id in (LEADER, FOLLOWER)
    }
    yield """\
Gate R16 refuses a close farther from the one before than its board allows, and a level beyond six
deviations. Most of these closes end a hole in the data: what they moved the index by, in brackets,
is the move of many sessions on one day, and whether they are right these data cannot say.
"""
    for id, found in moves.items():
        yield f"- {id}: {', '.join(told for _, _, told in found) or 'none'}."
    yield ""
    level = _levels(whole.histories[LEADER])
    for peak in sorted({p["peak_on"] for p in whole.summary["pairs"] if p["peak_on"]}):
        day = date.fromisoformat(peak)
        fall = level[max(level)] - level[day]
        since = [points for when, points, _ in moves[LEADER] if when > day]
        yield (
            f"From its peak over a follower on {peak} to the last session {LEADER} moved by "
            f"{_number(fall, 0)} points; {_number(sum(since), 0)} of them, {sum(since) / fall:.0%},"
            f" are of {len(since)} closes that R16 would refuse.\n"
        )


def _move(history: History, found: Finding) -> tuple[date, float, str]:
    """Return the day, what the close moved the index by in points, and both in words."""
    if (symbol := found.message.split()[0]) not in history.definition.symbols:
        return (found.session, 0.0, f"the level of {found.session}")
    level = _levels(history)
    before = max(day for day in level if day < found.session)
    part = history.contributions.filter(date=found.session, symbol=symbol)["contribution"].item()
    told = f"{symbol} on {found.session} ({_number(100 * part)} %)"
    return (found.session, part * level[before], told)


def _levels(history: History) -> dict[date, float]:
    return dict(history.levels.filter(variant="price").select("date", "level").iter_rows())


@dataclass(frozen=True)
class _Evening:
    """What the two ratio lines say on an evening, one for each reading of Hong Kong internet."""

    day: date
    told: tuple[dict[str, Any], ...]
    stale: tuple[int, ...]  # sessions of each one's window that would be refused


def _confirmation(asked: Study, market: Market, stale: dict[str, set[date]]) -> Iterator[str]:
    """Yield the strategists' claim, evening by evening, for each reading of Hong Kong internet."""
    yield f"""\
## Does the second pair confirm the first?

On {CLAIM} strategists called the lines NA/domestic and NA/Hong Kong internet "very highly
positively correlated". Over {WINDOW} rows of returns, as known each evening; *partial* is what the
followers share beyond the leader, p is adjusted for the study's windows, and *given market* takes
the CSI All Share off as well. What that ready-made series holds is not known to the tool, but the
A-shares of both chains are in it, and part of what the followers share is taken off with it. Levels
are what the eye sees in a chart of the two lines; beside them the median, and 5 to 95 %, of what
followers unrelated given the leader would show.
"""
    heads = ("evening", "Hong Kong is", "stale", "correlation", "null", "excess", "partial", "p")
    more = ("given market", "p", "levels", "their null")
    yield "| " + " | ".join((*heads, *more)) + " |"
    yield "|" + "---|" * len((*heads, *more))
    evenings = [_evening(study(asked, market, until=day), day, stale) for day in EVENINGS]
    for evening in evenings:
        for told, count in zip(evening.told, evening.stale, strict=True):
            cells = (str(evening.day), told["other"], str(count), *_ratio_cells(told))
            yield "| " + " | ".join(cells) + " |"
    yield f"""
In one line an evening; beyond chance is p below {LEVEL:.0%}, and levels are as of unrelated
followers where they are within the 5 to 95 % of their null (compared before rounding):
"""
    yield from (f"- {_in_words(evening)}" for evening in evenings)
    yield ""


def _evening(found: Comparison, day: date, stale: dict[str, set[date]]) -> _Evening:
    lines = [told for told in found.summary["ratio_lines"] if told["follower"] == FOLLOWER]
    counts = []
    for told in lines:
        ids = (told["leader"], told["follower"], told["other"])
        rows = found.aligned.sessions[found.aligned.rows(ids)[-WINDOW - 1 :]]
        begin = rows[0].item()  # from whose levels the first return counts
        counts.append(len({s for id in ids for s in stale[id] if begin < s <= day}))
    return _Evening(day, tuple(lines), tuple(counts))


def _in_words(evening: _Evening) -> str:
    """Return what an evening's figures say, and nothing that they do not."""

    def span(name: str) -> str:
        values = [told[name][WINDOW] for told in evening.told]
        return f"{_number(min(values))} to {_number(max(values))}"

    def beyond(given: str, of: str = "") -> str:
        """Return in how many readings chance is not enough, and how many of those are below 0."""
        keys = (f"p_value{given}_adjusted", f"partial_correlation{given}")
        tested = [[told[key][WINDOW] for key in keys] for told in evening.told]
        values = [value for p, value in tested if p is not None and p < LEVEL]
        below = sum(value < 0 for value in values)
        return f"{len(values)}{of}" + (f" ({below} negative)" if below else "")

    levels = [
        (told["level_correlation"][WINDOW], told["level_null"][WINDOW]) for told in evening.told
    ]
    within = sum(null["low"] <= level <= null["high"] for level, null in levels)
    count = len(evening.told)
    told = (
        f"{evening.day}: correlation {span('ratio_correlation')}, the shared leg alone makes "
        f"{span('ratio_null')}; what is left is beyond chance in "
        f"{beyond('', f' of {count} readings')}, given the market in {beyond('_benchmark')}; "
        f"levels as of unrelated followers in {within}"
    )
    if not any(evening.stale):
        return f"{told}."
    few, many = min(evening.stale), max(evening.stale)
    sessions = f"{few}" if few == many else f"{few} to {many}"
    return f"{told}. With {sessions} stale sessions in the window this may be staleness."


def _ratio_cells(told: dict[str, Any]) -> Iterator[str]:
    names = ("ratio_correlation", "ratio_null", "ratio_excess", "partial_correlation")
    yield from (_number(told[name][WINDOW]) for name in names)
    yield _number(told["p_value_adjusted"][WINDOW], 3)
    yield _number(told["partial_correlation_benchmark"][WINDOW])
    yield _number(told["p_value_benchmark_adjusted"][WINDOW], 3)
    yield _number(told["level_correlation"][WINDOW])
    null = told["level_null"][WINDOW]
    yield f"{_number(null['median'])} ({_number(null['low'])} to {_number(null['high'])})"


def _states(whole: Comparison) -> Iterator[str]:
    yield """\
## State history

An episode begins when the leader's lead is stretched (z at least 1), turns when it falls from its
peak by one deviation of twenty rows, and closes when half of the way back is made. *kind* says how.
Forward returns are of the follower over the leader, in log, from the row after the turn. An episode
without turn and close was back at the mean of its onset before it turned, or still goes on
([catch_up_states](reference/signals.md#catch_up_states)).
"""
    heads = ("pair", "stretched", "peak", "turn", "closed", "kind", "failed turns")
    yield "| " + " | ".join((*heads, "after 5", "20", "60 rows")) + " |"
    yield "|" + "---|" * 10
    for row in whole.episode_table.iter_rows(named=True):
        dates = (row[name] for name in ("stretched_on", "peak_on", "turn_on", "closed_on"))
        cells = (
            f"{row['leader']} / {row['follower']}",
            *(str(day or "–") for day in dates),
            row["kind"] or "–",
            str(row["failed_turns"]),
            *(_number(row[f"forward_{span}"]) for span in (5, 20, 60)),
        )
        yield "| " + " | ".join(cells) + " |"
    yield ""
    kinds = whole.episode_table.group_by("follower", "kind").len().sort("follower", "kind")
    for follower, kind, count in kinds.iter_rows():
        yield f"- {follower}: {count} of kind {kind or '–'}"
    most = whole.episode_table.group_by("leader", "follower").len()["len"].max() or 0
    yield f"\nAt most {most} episodes a pair: they are cases, and nothing is inferred from them.\n"


def _chance(whole: Comparison) -> Iterator[str]:
    yield """\
## How often does chance do it?

A thousand driftless paths of each ratio line, resampled in blocks from its own changes, put
through the same states: share of rows in each state, mean and 5 to 95 % of the paths, beside what
was seen.
"""
    yield "| pair | state | seen | by chance |"
    yield "|---|---|---|---|"
    for pair, states in zip(whole.summary["pairs"], whole.states, strict=True):
        told = states.states.state
        for name, rate in pair["chance"]["share"].items():
            band = f"{rate['mean']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"
            seen = f"{told.count(name) / len(told):.1%}"
            yield f"| {pair['follower']} | {name.replace('_', ' ')} | {seen} | {band} |"
        rate = pair["chance"]["episodes_per_1000_rows"]
        onsets = sum(e["count"] for e in pair["episodes"].values())
        seen = f"{1000 * onsets / pair['rows']:.1f}"
        band = f"{rate['mean']:.1f} ({rate['low']:.1f} to {rate['high']:.1f})"
        yield f"| {pair['follower']} | episodes per 1,000 rows | {seen} | {band} |"
    yield ""


def _lead_lag(whole: Comparison) -> Iterator[str]:
    yield "## Who leads?\n"
    for pair in whole.summary["pairs"]:
        rows = whole.leadlag_table.filter(
            pl.col("lag") != 0, leader=pair["leader"], follower=pair["follower"]
        )
        beyond = rows.filter(pl.col("correlation").abs() > pl.col("band"))["lag"].to_list()
        alone = pair["closes_alone_would_lead"]
        yield (
            f"- {pair['leader']} / {pair['follower']}: of twenty leads and lags of whitened "
            f"returns {len(beyond)} are beyond the band of ±{pair['lead_lag_band']:.3f}"
            + (f" (lags {', '.join(map(str, beyond))})" if beyond else "")
            + "."
            + (f" The hours of close alone would make {alone} a leader." if alone else "")
        )
    yield ""


def _event(whole: Comparison) -> Iterator[str]:
    yield """\
## 2 July 2026

Abnormal return of the day against the market model on CSI All Share (220 rows that end 31 before),
p by its rank among those rows; cumulative from five rows before, p by rank among all placebo
windows, which overlap.
"""
    yield "| index | abnormal | p | cumulative to +5 | p | to +20 | p | carried |"
    yield "|---|---|---|---|---|---|---|---|"
    for seen in whole.happenings:
        rows = {
            row["offset"]: row
            for row in whole.event_table.filter(
                event=seen.event.date, name=seen.event.name.en, index=seen.id
            ).iter_rows(named=True)
        }
        cells = [_number(rows[0]["abnormal"], 4), _number(rows[0]["p"], 3)]
        for offset in (5, 20):
            there = rows.get(offset, {"cumulative": None, "cumulative_p": None})
            cells += [_number(there["cumulative"], 4), _number(there["cumulative_p"], 3)]
        held = rows[0]["constituents"]
        carried = f"{rows[0]['carried']} of {held}" if held else "a series"
        yield "| " + " | ".join((seen.id, *cells, carried)) + " |"
    yield "\nIndices that share one date are not independent observations of it."


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


if __name__ == "__main__":
    main()
