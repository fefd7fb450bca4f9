"""A study: its index lines aligned, and every signal put to the pairs and triples it names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

import numpy as np

from indexer.arrays import Flags, Instants, Rows, Vector
from indexer.definitions.study import Pair, Study
from indexer.errors import Flaw, MissingInputError
from indexer.index.history import History
from indexer.kernels.rolling import rolling_correlation
from indexer.market.calendar import read_calendar
from indexer.signals.align import Aligned, Line, align, cutoffs, known_at, study_sessions
from indexer.signals.catchup import catch_up_states
from indexer.signals.correlation import partial_correlation, ratio_family
from indexer.signals.result import Comparison, PairStates, Signal
from indexer.signals.strength import momentum, relative_strength, zscore

Fixings = Callable[[str, Instants], Vector]  # price of a unit of a currency known at each instant


def compare(
    study: Study,
    histories: Mapping[str, History],
    fixings: Fixings,
    *,
    until: date | None = None,
) -> Comparison:
    """Return every signal of a study.

    Parameters
    ----------
    histories : of the indices of the pairs, and of the benchmark where it has data
    fixings : rates in the study's currency; asked only where the study converts
    until : last session to look at, inclusive; None for the latest level there is

    Raises
    ------
    MissingInputError
        If two indices of a pair have no session in common.
    """
    calendar = read_calendar(study.calendar)
    lines, warnings = _lines(study, histories)
    sessions = study_sessions(study, calendar, lines, until)
    aligned = align(study, sessions, lines)
    if study.currency != "local":
        aligned = _converted(study, aligned, histories, fixings)
    _check_pairs(study, aligned)
    benchmark = study.benchmark if study.benchmark in histories else None
    if benchmark is None:
        warnings += (f"benchmark {study.benchmark} left out: it has no data here",)
    elif (ends := histories[benchmark].days[-1]) < sessions[-1]:
        warnings += (f"benchmark {benchmark} ends on {ends}: after that it counts as unchanged",)
    signals = [signal for pair in study.pairs for signal in _pair_signals(study, pair, aligned)]
    for first, second in _siblings(study.pairs):
        signals += _ratio_signals(study, aligned, (first, second), benchmark)
    return Comparison(
        study=study,
        histories=dict(histories),
        aligned=aligned,
        signals=tuple(signals),
        states=tuple(_states(study, pair, aligned) for pair in study.pairs),
        warnings=warnings,
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
    rates = [fixings(histories[id].definition.currency, moments) for id in aligned.ids]
    return replace(aligned, level=aligned.level * np.column_stack(rates))


def _check_pairs(study: Study, aligned: Aligned) -> None:
    for pair in study.pairs:
        if not aligned.rows((pair.leader, pair.follower)).size:
            message = f"no session from {study.start} on with levels of both {pair.leader} and it"
            raise MissingInputError([Flaw(study.id, None, pair.follower, message)])


def _siblings(pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Pair]]:
    """Yield every two pairs that share their leader, in the order of the study."""
    return ((p, q) for p, q in combinations(pairs, 2) if p.leader == q.leader)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a pair or a triple, and a way to make signals on them."""

    aligned: Aligned
    ids: tuple[str, ...]
    at: Rows
    tested: Flags

    @classmethod
    def of(cls, aligned: Aligned, ids: tuple[str, ...]) -> "_Rows":
        at = aligned.rows(ids)
        return cls(aligned, ids, at, aligned.tested(ids, at))

    def log(self, id: str) -> Vector:
        return self.aligned.logs(id, self.at)

    def signal(self, name: str, value: Vector, window: int | None, reach: int) -> Signal:
        """Return a signal whose window begins ``reach`` rows before the row it stands on."""
        first = np.maximum(np.arange(len(self.at)) - reach, 0)
        leader, follower, *other = self.ids
        return Signal(
            name=name,
            leader=leader,
            follower=follower,
            other=other[0] if other else "",
            window=window,
            days=self.aligned.sessions[self.at],
            value=value,
            backtested=self.tested[first],
        )


def _pair_signals(study: Study, pair: Pair, aligned: Aligned) -> Iterator[Signal]:
    rows = _Rows.of(aligned, (pair.leader, pair.follower))
    leader, follower = rows.log(pair.leader), rows.log(pair.follower)
    strength = leader - follower
    yield rows.signal("relative_strength", _strength(rows), None, len(rows.at))
    for span in study.windows.momentum:
        yield rows.signal("momentum", momentum(strength, span), span, span)
    window = study.windows.zscore
    yield rows.signal("zscore", zscore(strength, window), window, window - 1)
    for window in study.windows.correlation:
        moves = _after_first(rolling_correlation(np.diff(leader), np.diff(follower), window))
        yield rows.signal("correlation", moves, window, window)
        levels = rolling_correlation(leader, follower, window)
        yield rows.signal("level_correlation", levels, window, window - 1)


def _strength(rows: _Rows) -> Vector:
    leader, follower = (rows.aligned.level[rows.at, rows.aligned.ids.index(i)] for i in rows.ids)
    return relative_strength(leader, follower)


def _ratio_signals(
    study: Study, aligned: Aligned, pairs: tuple[Pair, Pair], benchmark: str | None
) -> Iterator[Signal]:
    ids = (pairs[0].leader, pairs[0].follower, pairs[1].follower)
    rows = _Rows.of(aligned, ids)
    logs = [rows.log(id) for id in ids]
    a, b, c = (np.diff(log) for log in logs)
    for window in study.windows.correlation:
        family = ratio_family(a, b, c, window)
        names = ("ratio_correlation", "ratio_null", "ratio_excess", "partial_correlation")
        for name, value in zip(names, family, strict=True):
            yield rows.signal(name, _after_first(value), window, window)
        if benchmark is not None and benchmark not in ids:
            controls = np.column_stack([a, np.diff(rows.log(benchmark))])
            given = _after_first(partial_correlation(b, c, controls, window))
            with_it = replace(rows, tested=aligned.tested((*ids, benchmark), rows.at))
            yield with_it.signal("partial_correlation_benchmark", given, window, window)
        levels = rolling_correlation(logs[0] - logs[1], logs[0] - logs[2], window)
        yield rows.signal("level_correlation", levels, window, window - 1)


def _after_first(returns: Vector) -> Vector:
    """Return a statistic of returns as one of rows: the first row has no return."""
    return np.concatenate([[np.nan], returns])


def _states(study: Study, pair: Pair, aligned: Aligned) -> PairStates:
    rows = _Rows.of(aligned, (pair.leader, pair.follower))
    leader, follower = rows.log(pair.leader), rows.log(pair.follower)
    window, rule = study.windows.zscore, study.catch_up
    states = catch_up_states(
        leader - follower,
        zscore(leader - follower, window),
        window,
        enter=rule.enter,
        turn=rule.turn,
        close=rule.close,
    )
    return PairStates(pair, rows.at, leader, follower, states)
