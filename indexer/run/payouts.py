"""What sources make together of what companies announce, and what bars tell of it."""

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from indexer.market.actions import RESTATING
from indexer.market.calendar import Calendar, read_calendar
from indexer.market.sources.agree import IDENTITY, Agreement, agree
from indexer.market.sources.continuity import references
from indexer.market.sources.facts import ALIKE, as_entered, entered, worth
from indexer.market.sources.source import Answer, Table
from indexer.market.sources.verdict import Disregarded, Outcome, Verdict
from indexer.market.tables import TABLES
from indexer.run.needs import Need

UNSECONDED: tuple[Outcome, str] = (
    "transient",
    "new figures that no other source seconds are not taken: fetch again, or choose one source",
)
_WORST: tuple[Outcome, ...] = ("corrupt", "blocked", "transient", "no_data_unexplained")
_TICK = 0.011  # yuan: a tick and no more
_OFF = 0.005  # relative: by which what is told of an action may differ from what it did


def agreed(table: str, replies: Mapping[str, pl.DataFrame], on: date) -> Agreement:
    """Return what is believed of a table, as `agree` does where sources tell the same of each row.

    Rights are told by one source alone: they are nobody's to second. Counts that two sources date
    differently hold from neither date. A rate that one source alone dates on a day on which
    Shanghai does not trade is another day's.
    """
    if len(replies) == 1 or table not in {"actions", "shares", "fx"}:
        return agree(table, replies, on)
    if table == "fx":
        return _fixed(agree(table, replies, on))
    if table == "shares":
        return _dated(agree(table, replies, on), replies)
    plain = {n: rows.filter(pl.col("kind") != "rights") for n, rows in replies.items()}
    found = agree(table, plain, on)
    rights = [rows.filter(pl.col("kind") == "rights") for rows in replies.values()]
    rows = pl.concat([found.rows, *rights], how="diagonal_relaxed").sort("ex_date", "kind")
    return replace(found, rows=rows)


def _fixed(found: Agreement) -> Agreement:
    """Return rates without those of one source on days on which none are fixed."""
    sessions = pl.Series(read_calendar("XSHG").sessions).cast(pl.Date).implode()
    keys = ["date", "base", "quote"]
    closed = found.single.select(keys).filter(~pl.col("date").is_in(sessions))
    wrong = found.rows.join(closed, on=keys, how="semi")
    why = "no rate is fixed then and no other source has one: not taken"
    log = tuple(
        Disregarded(
            "calendar",
            f"{row['base']}/{row['quote']}",
            row["date"],
            "",
            f"{row['rate']:g}",
            why,
            refused=True,
        )
        for row in wrong.iter_rows(named=True)
    )
    rows = found.rows.join(closed, on=keys, how="anti")
    return replace(found, rows=rows, disregarded=(*found.disregarded, *log))


def _dated(found: Agreement, replies: Mapping[str, pl.DataFrame]) -> Agreement:
    """Return counts of shares without those of which two sources tell different dates.

    Counts of one source alone that the next row repeats, which another source alone has, are that.
    """
    single = {
        (symbol, day): name
        for symbol, day in found.single.select("symbol", "date").iter_rows()
        for name, frame in replies.items()
        if day in frame["date"]
    }
    wrong: dict[tuple[str, date], str] = {}
    for before, row in itertools.pairwise(found.rows.sort("date").iter_rows(named=True)):
        sources = [single.get((one["symbol"], one["date"])) for one in (before, row)]
        counts = [(one["total_shares"], one["free_float_shares"]) for one in (before, row)]
        if None not in sources and sources[0] != sources[1] and counts[0] == counts[1]:
            told = " and ".join(
                f"{source} from {one['date']}"
                for source, one in zip(sources, (before, row), strict=True)
            )
            wrong |= {(one["symbol"], one["date"]): told for one in (before, row)}
    if not wrong:
        return found
    keys = pl.DataFrame(list(wrong), schema=found.refused.schema, orient="row")
    log = tuple(
        Disregarded(
            "disagreement",
            row["symbol"],
            row["date"],
            "date",
            f"{row['total_shares']:g}",
            f"{wrong[row['symbol'], row['date']]} on: neither counts, ask a third source",
            refused=True,
        )
        for row in found.rows.join(keys, on=["symbol", "date"], how="semi").iter_rows(named=True)
    )
    return replace(
        found,
        rows=found.rows.join(keys, on=["symbol", "date"], how="anti"),
        refused=pl.concat([found.refused, keys]),
        disregarded=(*found.disregarded, *log),
    )


def says_none(answer: Answer, verdict: Verdict) -> bool:
    """Return whether a source says that there were no actions: that may be so.

    An address that is gone, as a status other than 200 tells, says nothing.
    """
    table: Table = answer.ask.table
    nothing = verdict.outcome == "no_data_unexplained" and not verdict.missing
    return table == "actions" and nothing and {reply.status for reply in answer.replies} <= {200}


def held_back(
    need: Need, rows: pl.DataFrame, rule: str = "alone", why: str = UNSECONDED[1]
) -> tuple[Disregarded, ...]:
    """Return figures that are not taken: no other source seconds them, or by another rule."""
    day = _day(need)
    figures = [name for name in TABLES[need.table].columns if name not in IDENTITY[need.table]]
    return tuple(
        Disregarded(
            rule,
            need.subject,
            row[day],
            "",
            " ".join(f"{name} {row[name]}" for name in figures if row[name] is not None),
            why,
            refused=True,
        )
        for row in rows.iter_rows(named=True)
    )


def _day(need: Need) -> str:
    """Return the column that dates a row."""
    return "ex_date" if need.table == "actions" else "date"


def none_known(answers: Collection[Answer], enough: int) -> tuple[Outcome, str]:
    """Return what it means that no action is known.

    It is explained where a source answers and has none in the span, or where enough of them have
    none at all.
    """
    names = " and ".join(answer.source for answer in answers)
    if len(answers) >= enough or any(answer.outcome == "ok" for answer in answers):
        return "no_data_explained", f"{names} know of none"
    return "no_data_unexplained", f"{names} alone has none: no action and no answer look alike"


def uncontradicted(
    need: Need, rows: pl.DataFrame, stored: pl.DataFrame, verdicts: Collection[Verdict]
) -> tuple[pl.DataFrame, tuple[Disregarded, ...], str]:
    """Return the figures against which nothing stands that is stored, the others, and what does.

    Where every source tells other payouts or counts than came from one before, nothing new of them
    is taken: it may be in the same wrong unit. What somebody has entered is settled.
    """
    if need.table not in {"actions", "shares"}:
        return rows, (), ""
    key = IDENTITY[need.table]
    came = stored.join(entered(stored), on=key, how="anti")
    if told := restated(verdicts, came[_day(need)].to_list()):
        new = rows.join(stored, on=key, how="anti")
        if need.table == "actions":
            new = new.join(as_entered(rows, stored), on=["ex_date", "kind"], how="anti")
        why = f"all tell otherwise of {told.date}: nothing new is taken before that is settled"
        return rows.clear(), held_back(need, new, "revision", why), str(told)
    if need.table == "shares":
        return rows, (), ""
    rows, beside = but_entered(rows, stored)
    return rows, beside, str(beside[0]) if beside else ""


def but_entered(
    rows: pl.DataFrame, stored: pl.DataFrame
) -> tuple[pl.DataFrame, tuple[Disregarded, ...]]:
    """Return actions that sources tell, without those beside others that were entered; and these.

    What is worth as much as what is stored, some of it entered, is that. What is not may be that or
    come beside it, which somebody must say.
    """
    same = as_entered(rows, stored)
    new = rows.join(stored, on=["ex_date", "kind"], how="anti")
    against: list[Disregarded] = []
    for kinds in ALIKE:
        own = entered(stored).filter(pl.col("kind").is_in(kinds))
        told = new.filter(pl.col("kind").is_in(kinds)).join(own, on="ex_date", how="semi")
        rows = rows.join(told, on=["ex_date", "kind"], how="anti")
        told = told.join(same, on=["ex_date", "kind"], how="anti")
        for symbol, day, kind in told.select("symbol", "ex_date", "kind").iter_rows():
            paid, known = (worth(actions.filter(ex_date=day)) for actions in (told, own))
            why = f"{known:g} was entered of that date: enter all that was paid"
            entry = Disregarded("disagreement", symbol, day, kind, f"{paid:g}", why, refused=True)
            against.append(entry)
    return rows, tuple(against)


def restated(verdicts: Iterable[Verdict], dates: Iterable[date]) -> Disregarded | None:
    """Return one of some dates of which every source tells other figures than those stored."""
    own = [{e.date: e for e in v.disregarded if e.rule == "revision"} for v in verdicts]
    days = set[date | None](dates).intersection(*map(set, own)) if own else set()
    return own[0][min(days, key=str)] if days else None


def unannounced(
    rows: pl.DataFrame, answers: Iterable[Answer], actions: pl.DataFrame, calendar: Calendar
) -> str:
    """Return which action is missing by what sources call the previous close; empty if none is.

    A source whose closes are those believed restates the one before where something was paid: no
    other source needs to contradict the prices for an action to be missing, or to be wrong.

    Parameters
    ----------
    rows : bars of one symbol that are believed, by date
    actions : all that are known of it
    calendar : of its exchange; nothing is compared across sessions without a bar
    """
    known = actions.filter(pl.col("kind").is_in(RESTATING))["ex_date"].to_list()
    for answer in answers:
        frame = answer.frame.select("date", "close", "previous_close")
        both = rows.select("date", "close").join(frame, on=["date", "close"]).sort("date")
        days = both["date"].to_numpy().astype("datetime64[D]")
        close, told = both["close"].to_numpy(), both["previous_close"].to_numpy()
        reference = references(days, close, actions)
        next_to = np.diff(np.searchsorted(calendar.sessions, days)) == 1
        moved = np.abs(told[1:] - close[:-1]) > _TICK
        for i in (np.flatnonzero(next_to & moved) + 1).tolist():
            day: date = days[i].item()
            slack = max(_TICK, _OFF * close[i - 1]) if day in known else 0.0
            if abs(told[i] - reference[i]) > slack:
                what = "the actions known of that date do not" if slack else "no action does"
                return (
                    f"{rows['symbol'][0]}: {answer.source} restates the close {close[i - 1]:g} "
                    f"before {day} to {told[i]:g}, and {what}: enter the action, or fetch it again"
                )
    return ""


def worst(need: Need, failed: Iterable[tuple[Outcome, str]]) -> tuple[Outcome, str]:
    """Return the outcome that says most of those who failed a need, and its reason."""
    found = sorted(failed, key=lambda f: _WORST.index(f[0]) if f[0] in _WORST else len(_WORST))
    if not found:
        return "no_data_unexplained", f"no source has {need.table} of {need.subject}"
    return found[0]
