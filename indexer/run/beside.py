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
from indexer.market.fx import rate_dates
from indexer.market.tables import Market
from indexer.signals.align import cutoffs, known_at
from indexer.signals.result import Comparison


def study_findings(
    found: Comparison, market: Market, sessions: Sequence[date]
) -> tuple[Finding, ...]:
    """Return what is found of the benchmark and of the rates of a study on some of its sessions.

    The benchmark is published by nobody: the gates of an index are put to what is new of it. Where
    it is left out, and where a level of it or a rate is not of the day, that is noted.
    """
    rows = np.flatnonzero(np.isin(found.aligned.sessions, np.array(sessions, dtype="M8[D]")))
    told = [*_old_rates(found, market, rows)]
    if found.study.benchmark not in found.study.indices:
        told += _of_benchmark(found, market, rows)
    return tuple(sorted(told))


def _of_benchmark(found: Comparison, market: Market, rows: Rows) -> Iterator[Finding]:
    id, days = found.study.benchmark, found.aligned.sessions
    history = found.histories.get(id)
    if history is None:
        for day in days[rows].tolist():
            message = f"benchmark {id}: left out, it has no data: add its closes, or fetch them"
            yield Finding(day, "R15", message, "note")
        return
    dated = found.aligned.dated[:, found.aligned.ids.index(id)]
    begun = int(np.isnat(dated).sum())
    own = history.days[history.days >= dated[begun]] if begun < len(dated) else history.days[:0]
    place = begun + np.searchsorted(dated[begun:], own)  # the study session that has it first
    new = np.isin(place, rows)
    seen = dict(zip(own[new].tolist(), days[place[new]].tolist(), strict=True))
    for one in findings(history, market, list(seen)) if seen else ():
        yield replace(one, session=seen[one.session], message=f"benchmark {id}: {one.message}")
    yield from _old_levels(found, history, rows[rows >= begun])


def _old_levels(found: Comparison, history: History, rows: Rows) -> Iterator[Finding]:
    """Yield the sessions on which a later level of the benchmark should have been known."""
    definition, days = history.definition, found.aligned.sessions
    dated = found.aligned.dated[:, found.aligned.ids.index(definition.id)]
    for row, cutoff in zip(rows.tolist(), cutoffs(found.study, days[rows]), strict=True):
        day, last = days[row].item(), dated[row].item()
        due = read_calendar(definition.calendar).between(last, day)
        if age := int((known_at(definition, due) <= cutoff).sum()) - 1:
            message = (
                f"benchmark {definition.id}: no level of {due[age]} is known: that of {last} "
                f"stands, {counted(age, 'session')} old"
            )
            yield Finding(day, "R14", message, "note")


def _old_rates(found: Comparison, market: Market, rows: Rows) -> Iterator[Finding]:
    """Yield the sessions whose levels are converted at a rate of a day before."""
    currency, days = found.study.currency, found.aligned.sessions[rows]
    units = {history.definition.currency for history in found.histories.values()}
    for unit in sorted(units - {currency}) if currency != "local" else ():
        for day, last in zip(days.tolist(), rate_dates(market, unit, currency, days), strict=True):
            if not np.isnat(last) and (age := (day - last.item()).days):
                message = (
                    f"no {unit}/{currency} of {day}: the rate of {last} stands, "
                    f"{counted(age, 'day')} old"
                )
                yield Finding(day, "R14", message, "note")
