"""A study: its index lines aligned, and every signal put to the pairs and triples it names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np

from indexer.arrays import Days, Instants, Vector
from indexer.definitions.study import Study
from indexer.errors import Flaw, MarketDataError, MissingInputError, counted
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.signals.align import Aligned, Line, align, cutoffs, known_at, study_sessions
from indexer.signals.events import ESTIMATION, Happening, happening
from indexer.signals.issuers import shared_issuers
from indexer.signals.members import member_signals
from indexer.signals.overlay import ANNOUNCEMENTS, divergence, divergence_reach
from indexer.signals.pairs import PairStates, pair_inference, pair_signals, pair_states
from indexer.signals.ratios import ratio_inference, ratio_signals
from indexer.signals.result import Comparison
from indexer.signals.signal import SharedRows, Signal, reaching, siblings

STALE = 5  # sessions without a new level after which an index has ended
Overlays = Mapping[str, tuple[Days, Vector]]
Fixings = Callable[[str, Instants], Vector]  # price of a unit of a currency known at each instant


def compare(
    study: Study,
    histories: Mapping[str, History],
    fixings: Fixings,
    *,
    overlays: Overlays | None = None,
    until: date | None = None,
) -> Comparison:
    """Return every signal of a study.

    Parameters
    ----------
    histories : of the indices of the pairs, and of the benchmark and those of events where they
        have data
    fixings : rates in the study's currency; asked only where the study converts
    overlays : by symbol, the dates on which its figures were announced and the figures
    until : last session to look at, inclusive; None for the latest level there is

    Raises
    ------
    MissingInputError
        If two indices of a pair have no session in common.
    MarketDataError
        If a level in the study's currency is too large or too small to be a number.
    """
    overlays = overlays or {}
    lines, aligned, warnings = _aligned(study, histories, fixings, until)
    benchmark = study.benchmark if study.benchmark in histories else None
    warnings += tuple(_benchmark_warnings(study, aligned, histories))
    warnings += tuple(_end_warnings(study, aligned, histories))
    shared = [SharedRows.of(aligned, pair.leader, pair.follower) for pair in study.pairs]
    signals = [signal for rows in shared for signal in pair_signals(study, rows)]
    triples = siblings([(pair.leader, pair.follower) for pair in study.pairs])
    inside = _inside(histories, benchmark, triples)
    warnings += tuple(_inside_warnings(study, inside))
    controls = [_control(benchmark, ids, inside) for ids in triples]
    for ids, control in zip(triples, controls, strict=True):
        signals += ratio_signals(study, aligned, ids, control)
    by_id = {line.id: line for line in lines}
    signals += member_signals(study, aligned, histories, by_id)
    signals += _overlay_signals(study, aligned, overlays)
    happenings = tuple(_happenings(study, aligned, histories, benchmark))
    states = tuple(map(partial(pair_states, study), study.pairs, shared))
    return Comparison(
        study=study,
        histories=dict(histories),
        aligned=aligned,
        signals=tuple(signals),
        states=states,
        pairs=tuple(map(partial(pair_inference, study), states, shared)),
        ratios=tuple(
            ratio_inference(study, aligned, ids, control, histories)
            for ids, control in zip(triples, controls, strict=True)
        ),
        happenings=happenings,
        warnings=(
            *warnings,
            *_short_warnings(study, states),
            *_event_warnings(study, histories, happenings),
            *_overlay_warnings(study, overlays, signals),
        ),
    )


def states_of(
    study: Study, histories: Mapping[str, History], fixings: Fixings
) -> list[tuple[SharedRows, PairStates]]:
    """Return the rows and the catch-up states of each pair, as `compare` does, and nothing else.

    Parameters, and what is raised, are those of `compare`; only indices of pairs are looked at.
    """
    named = {id: histories[id] for id in study.indices}
    _, aligned, _ = _aligned(study, named, fixings, None)
    shared = [SharedRows.of(aligned, pair.leader, pair.follower) for pair in study.pairs]
    return [(r, pair_states(study, p, r)) for p, r in zip(study.pairs, shared, strict=True)]


def _aligned(
    study: Study, histories: Mapping[str, History], fixings: Fixings, until: date | None
) -> tuple[list[Line], Aligned, tuple[str, ...]]:
    """Return the lines of a study, their levels known on each session, and what to warn of."""
    lines, warnings = _lines(study, histories)
    sessions = study_sessions(study, read_calendar(study.calendar), lines, until)
    aligned = align(study, sessions, lines)
    if study.currency != "local":
        local, aligned = aligned, _converted(study, aligned, histories, fixings)
        warnings += tuple(_rate_warnings(study, local, aligned))
    _check_pairs(study, aligned)
    return lines, aligned, warnings


def _benchmark_warnings(
    study: Study, aligned: Aligned, histories: Mapping[str, History]
) -> Iterator[str]:
    """Yield where nothing, or nothing new, is known of the benchmark."""
    name = study.benchmark
    if name not in histories:
        yield f"benchmark {name} left out: it has no data here"
        return
    if name in study.indices:
        yield f"benchmark {name} is compared itself: what it is part of is not given the benchmark"
    if _has_ended(aligned, histories[name]):
        ends = _last(histories[name])
        yield f"benchmark {name} ends on {ends}: after that it counts as unchanged"


def _inside(
    histories: Mapping[str, History], benchmark: str | None, triples: Sequence[tuple[str, str, str]]
) -> dict[str, int]:
    """Return the followers that the benchmark holds issuers of, and of how many.

    Given it, they would partly be given themselves. What a ready-made series holds is not known.
    """
    if benchmark is None:
        return {}
    followers = dict.fromkeys(id for _, *both in triples for id in both if id != benchmark)
    found = {
        id: len(shared_issuers({name: histories[name] for name in (id, benchmark)}))
        for id in followers
    }
    return {id: count for id, count in found.items() if count}


def _inside_warnings(study: Study, inside: Mapping[str, int]) -> Iterator[str]:
    """Yield which followers are not given the benchmark, for it holds some of what they hold."""
    for id, count in inside.items():
        yield (
            f"benchmark {study.benchmark} holds {counted(count, 'issuer')} of {id}: partial "
            f"correlations of {id} are not given the benchmark"
        )


def _control(
    benchmark: str | None, ids: tuple[str, str, str], inside: Mapping[str, int]
) -> str | None:
    """Return the benchmark unless it is one of the indices or a follower is inside it."""
    return None if benchmark in ids or any(id in inside for id in ids[1:]) else benchmark


def _end_warnings(
    study: Study, aligned: Aligned, histories: Mapping[str, History]
) -> Iterator[str]:
    """Yield which indices that are compared end before the study does."""
    for id in study.indices:
        if _has_ended(aligned, histories[id]):
            yield f"{id} ends on {_last(histories[id])}: what it is compared in ends there too"


def _has_ended(aligned: Aligned, history: History) -> bool:
    fresh = aligned.fresh[:, aligned.ids.index(history.definition.id)]
    calendar = read_calendar(history.definition.calendar)
    last = calendar.on_or_before(aligned.sessions[-1].item())
    return not fresh[-STALE:].any() and last > _last(history)


def _last(history: History) -> date:
    last: date = history.days[-1].item()
    return last


def _short_warnings(study: Study, states: Sequence[PairStates]) -> Iterator[str]:
    """Yield which pairs have no state but the one that nothing has happened in."""
    window = study.windows.zscore
    for found in states:
        if len(found.rows) < window:
            pair = f"{found.pair.leader} / {found.pair.follower}"
            rows = counted(len(found.rows), "row")
            yield f"{pair} has {rows}: neutral for want of the {window} of a z-score"


def _event_warnings(
    study: Study, histories: Mapping[str, History], happenings: Sequence[Happening]
) -> Iterator[str]:
    """Yield which events tell nothing of an index, and why."""
    told = {(seen.event, seen.id): seen for seen in happenings}
    for event in study.events:
        for id in event.indices:
            seen = told.get((event, id))
            if id not in histories:
                why = "left out: it has no data here"
            elif id == study.benchmark:
                why = "left out: it is the benchmark"
            elif seen is None or np.isnat(seen.days).all():
                why = "left out: the event lies outside the rows it shares with the benchmark"
            elif seen.found.estimated == 0:
                why = (
                    f"has no abnormal return: fewer than {1 - ESTIMATION[0]} rows come before, the "
                    "benchmark stands still then, or it is all there is to the index"
                )
            else:
                continue
            yield f"event of {event.date}: {id} {why}"


def _overlay_warnings(study: Study, overlays: Overlays, signals: Sequence[Signal]) -> Iterator[str]:
    """Yield which overlays tell nothing, and why."""
    there = {s.other for s in signals if s.name == "divergence" and not np.isnan(s.value).all()}
    for overlay in study.overlays:
        if overlay.symbol not in overlays:
            yield f"overlay {overlay.symbol} left out: it has no data here"
        elif overlay.symbol not in there:
            why = f"fewer than {ANNOUNCEMENTS + 1} announcements that differ"
            yield f"overlay {overlay.symbol} tells nothing: {why}"


def _happenings(
    study: Study, aligned: Aligned, histories: Mapping[str, History], benchmark: str | None
) -> Iterator[Happening]:
    """Yield what each index of each event did beyond the benchmark."""
    for event in study.events:
        for id in event.indices:
            if benchmark is not None and id in histories and id != benchmark:
                rows = SharedRows.of(aligned, id, benchmark)
                if rows.at.size:
                    yield happening(event, rows, histories[id])


def _overlay_signals(study: Study, aligned: Aligned, overlays: Overlays) -> Iterator[Signal]:
    """Yield the divergence of each overlaid series from each index of the pairs."""
    for overlay in study.overlays:
        if overlay.symbol not in overlays:
            continue
        announced, value = overlays[overlay.symbol]
        for id in study.indices:
            at = aligned.rows([id])
            days, tested = aligned.sessions[at], aligned.tested([id], at)
            found = divergence(aligned.logs(id, at), days, value, announced, ANNOUNCEMENTS)
            reach = divergence_reach(days, announced, ANNOUNCEMENTS)
            yield Signal(
                name="divergence",
                leader="",
                follower=id,
                other=overlay.symbol,
                window=ANNOUNCEMENTS,
                days=days,
                value=found,
                backtested=reaching(tested, reach),
            )


def _lines(study: Study, histories: Mapping[str, History]) -> tuple[list[Line], tuple[str, ...]]:
    """Return the levels of each index in the study's variant, or in the one it has."""
    lines, warnings = [], []
    for id, history in histories.items():
        variant = history.offered(study.variant)
        if variant != study.variant and id in study.indices:
            warnings.append(f"{id} has no {study.variant} variant here: its {variant} is used")
        lines.append(
            Line(
                id,
                history.days,
                history.variants[variant],
                known_at(history.definition, history.days),
                history.definition.selected_on,
            )
        )
    return lines, tuple(warnings)


def _converted(
    study: Study, aligned: Aligned, histories: Mapping[str, History], fixings: Fixings
) -> Aligned:
    """Return the levels in the study's currency, at the last fixing known at each cut-off."""
    moments = cutoffs(study, aligned.sessions)
    rates = []
    for id in aligned.ids:
        own = histories[id].definition.currency
        rate = np.full(len(moments), np.nan)
        left_out = () if id in study.indices else (MissingInputError,)  # with a warning, by NaN
        with suppress(*left_out):
            rate = fixings(own, moments)
        if id in study.indices and np.isnan(rate).all():
            pair, last = f"{own}/{study.currency}", aligned.sessions[-1]
            message = f"no rate of {pair} is known by {last}: add it, or fetch it"
            raise MissingInputError([Flaw("fx", None, id, message)])
        rates.append(rate)
    with np.errstate(over="ignore"):
        level = aligned.level * np.column_stack(rates)
    for row, column in np.argwhere(np.isinf(level) | (level == 0.0))[:1]:
        day = aligned.sessions[row]
        message = f"its level of {day} in {study.currency} is no number above zero: too far off"
        raise MarketDataError([Flaw("fx", None, aligned.ids[column], message)])
    return replace(aligned, level=level)


def _rate_warnings(study: Study, local: Aligned, converted: Aligned) -> Iterator[str]:
    """Yield which levels begin later for want of a rate."""
    for id, before, after in zip(local.ids, local.level.T, converted.level.T, strict=True):
        first, known = (int(np.argmax(~np.isnan(level))) for level in (before, after))
        if np.isnan(after).all():
            yield f"{id} left out: no rate into {study.currency} is known"
        elif known > first:
            day = local.sessions[known]
            yield f"{id} begins on {day}: no rate into {study.currency} is known before"


def _check_pairs(study: Study, aligned: Aligned) -> None:
    for pair in study.pairs:
        if not aligned.rows((pair.leader, pair.follower)).size:
            message = f"no session from {study.start} on with levels of both {pair.leader} and it"
            raise MissingInputError([Flaw(study.id, None, pair.follower, message)])
