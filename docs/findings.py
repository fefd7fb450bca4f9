"""Write findings.md: what the compute-diffusion study says on a market folder with real prices.

python docs/findings.py --market MARKET
"""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from indexer.definitions.study import Pair, Study
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


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--market", type=Path, required=True, help="folder of real prices")
    PAGE.write_text(page(read_market(parser.parse_args().market)), encoding="utf-8")


def page(market: Market) -> str:
    """Return the page's text."""
    asked = study_named("compute-diffusion")
    readings = (FOLLOWER, *HONG_KONG)
    pairs = tuple(Pair(leader=LEADER, follower=id) for id in readings)
    wide = asked.model_copy(update={"pairs": pairs})
    whole = study(asked, market)
    parts = (
        _opening(whole),
        _confirmation(wide, market),
        _states(whole),
        _chance(whole),
        _lead_lag(whole),
        _event(whole),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _opening(whole: Comparison) -> Iterator[str]:
    sessions = whole.aligned.sessions
    selected = whole.histories[LEADER].definition.selected_on
    yield f"""\
# Does the rally diffuse? What real prices say

This page is written by `python docs/findings.py --market MARKET` from the bundled study
`compute-diffusion` and a folder of real closes, {sessions[0]} to {sessions[-1]}. The two baskets
are lists of {selected}: everything before that day is **back-tested**, on constituents that were
chosen knowing how they had done. Closes come from public vendors and are as they were found.
"""


def _confirmation(asked: Study, market: Market) -> Iterator[str]:
    """Yield the strategists' claim, evening by evening, for each reading of Hong Kong internet."""
    yield f"""\
## Does the second pair confirm the first?

On {CLAIM} strategists called the lines NA/domestic and NA/Hong Kong internet "very highly
positively correlated". Over {WINDOW} rows of returns, as known each evening; *partial* is what the
followers share beyond the leader, p is adjusted for the study's windows, and *given market* takes
the CSI All Share off as well. Levels are what the eye sees in a chart of the two lines; beside them
the median, and 5 to 95 %, of what followers unrelated given the leader would show.
"""
    heads = ("evening", "Hong Kong is", "correlation", "null", "excess", "partial", "p")
    more = ("given market", "p", "levels", "their null")
    yield "| " + " | ".join((*heads, *more)) + " |"
    yield "|" + "---|" * len((*heads, *more))
    for evening in EVENINGS:
        found = study(asked, market, until=evening).summary["ratio_lines"]
        for told in found:
            if told["follower"] == FOLLOWER:
                cells = (str(evening), told["other"], *_ratio_cells(told))
                yield "| " + " | ".join(cells) + " |"
    yield """
The correlation of the two ratio lines on the day of the claim was real in part: about six tenths
of it is the shared numerator. What was left was more than chance given the leader alone; once the
whole market's return is taken off too it no longer is at 5 %. The levels that look so alike are
within what unrelated followers show, or just above it. By August the confirmation was gone.
"""


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
Forward returns are of the follower over the leader, in log, from the row after the turn.
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
    yield "\nFewer than ten episodes a pair: they are cases, and nothing is inferred from them.\n"


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
                event=seen.event.date, name=seen.event.name, index=seen.id
            ).iter_rows(named=True)
        }
        cells = [_number(rows[0]["abnormal"], 4), _number(rows[0]["p"], 3)]
        for offset in (5, 20):
            there = rows.get(offset, {"cumulative": None, "cumulative_p": None})
            cells += [_number(there["cumulative"], 4), _number(there["cumulative_p"], 3)]
        held = rows[0]["constituents"]
        carried = f"{rows[0]['carried']} of {held}" if held else "a series"
        yield "| " + " | ".join((seen.id, *cells, carried)) + " |"
    leader = whole.histories[LEADER]
    on = {day: n for n, day in enumerate(leader.days.tolist())}
    yield (
        "\nIndices that share one date are not independent observations of it. Of "
        f"{len(leader.definition.symbols)} constituents of {LEADER} "
        + " and ".join(
            f"{len(leader.definition.symbols) - leader.carried[on[day]]} have a close on {day}"
            for day in (date(2026, 7, 1), date(2026, 7, 2))
        )
        + " in this folder; the others are carried."
    )


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


if __name__ == "__main__":
    main()
