"""The gates of a study: what its indices, which are published before it, were not judged by."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from indexer.arrays import Rows
from indexer.errors import counted
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.market.fx import known_dates
from indexer.market.tables import Market
from indexer.signals.align import cutoffs, known_at
from indexer.signals.result import Comparison


def study_findings(
    found: Comparison, market: Market, sessions: Sequence[date]
) -> tuple[Finding, ...]:
    """Return what is found of the benchmark and of the rates of a study on some of its sessions.

    The benchmark is published by nobody: the gates of an index are put to what is new of it. Where
    it is left out, and where a level of it or a rate is older than it need be, that is noted.
    """
    rows = np.flatnonzero(np.isin(found.aligned.sessions, np.array(sessions, dtype="M8[D]")))
    told = [*_old_rates(found, market, rows)]
    if found.study.benchmark not in found.study.indices:
        told += _of_benchmark(found, market, rows)
    return tuple(sorted(told))


def _of_benchmark(found: Comparison, market: Market, rows: Rows) -> Iterator[Finding]:
    id, days = found.study.benchmark, found.aligned.sessions
    if id not in _used(found):
        for day in days[rows].tolist():
            message = f"benchmark {id}: left out, it has no level here: add its closes and rates"
            yield Finding(day, "R15", message, "note")
        return
    history, dated = found.histories[id], found.aligned.dated[:, found.aligned.ids.index(id)]
    begun = int(np.isnat(dated).sum())
    own = history.days[history.days >= dated[begun]]
    place = begun + np.searchsorted(dated[begun:], own)  # the study session that has it first
    new = np.flatnonzero(np.isin(place, rows))
    seen = dict(zip(own[new].tolist(), days[place[new]].tolist(), strict=True))
    for one in findings(history, market, list(seen)) if seen else ():
        yield replace(one, session=seen[one.session], message=f"benchmark {id}: {one.message}")
    yield from _old_levels(found, history, rows[rows >= begun])


def _used(found: Comparison) -> list[str]:
    """Return the indices that have a level in the study's currency."""
    there = np.flatnonzero(~np.isnan(found.aligned.level).all(axis=0))
    return [found.aligned.ids[column] for column in there.tolist()]


def _old_levels(found: Comparison, history: History, rows: Rows) -> Iterator[Finding]:
    """Yield the sessions on which a later level of the benchmark should have been known."""
    definition, days = history.definition, found.aligned.sessions
    dated = found.aligned.dated[:, found.aligned.ids.index(definition.id)]
    for row, cutoff in zip(rows.tolist(), cutoffs(found.study, days[rows]), strict=True):
        day, last = days[row].item(), dated[row].item()
        due = read_calendar(definition.calendar).between(last, day)
        due = due[due > dated[row]]
        due = due[known_at(definition, due) <= cutoff] if due.size else due
        if due.size:
            message = (
                f"benchmark {definition.id}: no level of {due[-1]} is known: that of {last} "
                f"stands, {counted(due.size, 'session')} old"
            )
            yield Finding(day, "R14", message, "note")


def _old_rates(found: Comparison, market: Market, rows: Rows) -> Iterator[Finding]:
    """Yield the sessions whose levels are converted at a rate older than the session before.

    One that is fixed in the evening, or of which no hour is told, is known from the next day on.
    """
    study, days = found.study, found.aligned.sessions
    rows = rows[rows > 0]
    moments = cutoffs(study, days[rows])
    units = {found.histories[id].definition.currency for id in _used(found)} - {study.currency}
    for unit in sorted(units) if study.currency != "local" else ():
        dates = known_dates(market, unit, study.currency, moments, study.cutoff_time[1])
        for row in np.flatnonzero(dates < days[rows - 1]).tolist():
            day, last = days[rows[row]].item(), dates[row].item()
            message = (
                f"the rate of {unit}/{study.currency} of {last} stands on {day}, "
                f"{counted((day - last).days, 'day')} old"
            )
            yield Finding(day, "R14", message, "note")
