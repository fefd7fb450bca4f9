"""A study: its index lines aligned, and every signal put to the pairs and triples it names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np

from indexer.arrays import Days, Instants, Vector
from indexer.definitions.study import Study
from indexer.errors import Flaw, MarketDataError, MissingInputError
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.signals.align import Aligned, IndexLine, align, cutoffs, known_at, study_sessions
from indexer.signals.caveats import (
    benchmark_caveats,
    end_caveats,
    event_caveats,
    inside_caveats,
    overlay_caveats,
    rate_caveats,
    shared_caveats,
    short_caveats,
    stale_caveats,
    variant_caveat,
)
from indexer.signals.events import Happening, happening
from indexer.signals.issuers import shared_issuers
from indexer.signals.members import member_signals
from indexer.signals.overlay import ANNOUNCEMENTS, divergence, divergence_reach
from indexer.signals.pairs import PairStates, pair_inference, pair_signals, pair_states
from indexer.signals.ratios import ratio_inference, ratio_signals
from indexer.signals.result import Comparison
from indexer.signals.signal import SharedRows, Signal, reaching, siblings
from indexer.words import Text

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
        If two indices of a pair have no session in common, a rate of the study's currency is not
        known, or a calendar does not reach so far.
    MarketDataError
        If a level in the study's currency is too large or too small to be a number.
    """
    overlays = overlays or {}
    lines, aligned, warnings = _aligned(study, histories, fixings, until)
    benchmark = study.benchmark if study.benchmark in histories else None
    warnings += tuple(benchmark_caveats(study, aligned, histories))
    warnings += tuple(shared_caveats(study, histories))
    warnings += tuple(end_caveats(study, aligned, histories))
    warnings += tuple(stale_caveats(study, aligned, histories))
    shared = [SharedRows.of(aligned, pair.leader, pair.follower) for pair in study.pairs]
    signals = [signal for rows in shared for signal in pair_signals(study, rows)]
    triples = siblings([(pair.leader, pair.follower) for pair in study.pairs])
    inside = _inside(histories, benchmark, triples)
    warnings += tuple(inside_caveats(study, inside, histories))
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
            *short_caveats(study, states, histories),
            *event_caveats(study, histories, happenings),
            *overlay_caveats(study, overlays, signals),
        ),
    )


def states_of(
    study: Study, histories: Mapping[str, History], fixings: Fixings
) -> tuple[list[tuple[SharedRows, PairStates]], tuple[Text, ...]]:
    """Return the rows and the catch-up states of each pair, as `compare` does, and what to warn of.

    Parameters, and what is raised, are those of `compare`; only indices of pairs are looked at.
    """
    named = {id: histories[id] for id in study.indices}
    _, aligned, warnings = _aligned(study, named, fixings, None)
    shared = [SharedRows.of(aligned, pair.leader, pair.follower) for pair in study.pairs]
    found = [(r, pair_states(study, p, r)) for p, r in zip(study.pairs, shared, strict=True)]
    return found, (*warnings, *end_caveats(study, aligned, named))


def _aligned(
    study: Study, histories: Mapping[str, History], fixings: Fixings, until: date | None
) -> tuple[list[IndexLine], Aligned, tuple[Text, ...]]:
    """Return the lines of a study, their levels known on each session, and what to warn of."""
    lines, warnings = _lines(study, histories)
    sessions = study_sessions(study, read_calendar(study.calendar), lines, until)
    aligned = align(study, sessions, lines)
    _check_pairs(study, aligned)
    if study.currency != "local":
        local, aligned = aligned, _converted(study, aligned, histories, fixings)
        warnings += tuple(rate_caveats(study, local, aligned, histories))
        _check_pairs(study, aligned)
    return lines, aligned, warnings


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


def _control(
    benchmark: str | None, ids: tuple[str, str, str], inside: Mapping[str, int]
) -> str | None:
    """Return the benchmark unless it is one of the indices or a follower is inside it."""
    return None if benchmark in ids or any(id in inside for id in ids[1:]) else benchmark


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
            days, tested = aligned.sessions[at], aligned.backtested_on([id], at)
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


def _lines(
    study: Study, histories: Mapping[str, History]
) -> tuple[list[IndexLine], tuple[Text, ...]]:
    """Return the levels of each index in the study's variant, or in the one it has."""
    lines, warnings = [], []
    for id, history in histories.items():
        variant = history.offered(study.variant)
        if variant != study.variant:
            warnings.append(variant_caveat(history, study.variant, variant))
        lines.append(
            IndexLine(
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


def _check_pairs(study: Study, aligned: Aligned) -> None:
    for pair in study.pairs:
        if not aligned.rows((pair.leader, pair.follower)).size:
            message = f"no session from {study.start} on with levels of both {pair.leader} and it"
            raise MissingInputError([Flaw(study.id, None, pair.follower, message)])
