"""Two ratio lines that share a leader: how much of what they have in common is arithmetic."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexer.arrays import Grid, Vector, log, or_none
from indexer.definitions.study import Study
from indexer.index.history import History
from indexer.kernels.rolling import rolling_correlation
from indexer.signals.align import Aligned
from indexer.signals.correlation import partial_correlation, ratio_family
from indexer.signals.inference import (
    DRAWS,
    NO_INTERVAL,
    Interval,
    LevelNull,
    correlation_interval,
    generator,
    holm,
    level_null,
    partial_p_value,
    residuals,
)
from indexer.signals.issuers import Shared, levels_without, shared_issuers
from indexer.signals.rounding import log_returns, log_strength
from indexer.signals.signal import SharedRows, Signal

FAMILY = ("ratio_correlation", "ratio_null", "ratio_excess", "partial_correlation")


@dataclass(frozen=True, slots=True)
class RatioInference:
    """What may be chance about two ratio lines, on their last row; by window.

    Attributes
    ----------
    ids : leader and two followers
    benchmark : that they are given too; None where there is none to give
    correlation, partial : intervals of the ratio lines' and the partial correlation
    p_value, adjusted : of the partial correlation and the excess; adjusted for all windows
    p_benchmark, adjusted_benchmark : of the partial correlation given the benchmark too
    levels : the correlation of the lines' levels beside its null
    shared : issuers that more than one of the baskets hold
    partial_without : the partial correlation without them; NaN where a basket is nothing else
    """

    ids: tuple[str, str, str]
    benchmark: str | None
    correlation: dict[int, Interval]
    partial: dict[int, Interval]
    p_value: dict[int, float]
    adjusted: dict[int, float]
    p_benchmark: dict[int, float]
    adjusted_benchmark: dict[int, float]
    levels: dict[int, LevelNull]
    shared: tuple[Shared, ...]
    partial_without: dict[int, float]

    @property
    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says of it; None for what there is not."""
        return {
            "ratio_correlation_interval": {w: i.told for w, i in self.correlation.items()},
            "partial_correlation_interval": {w: i.told for w, i in self.partial.items()},
            "p_value": _or_none(self.p_value),
            "p_value_adjusted": _or_none(self.adjusted),
            "p_value_benchmark": _or_none(self.p_benchmark),
            "p_value_benchmark_adjusted": _or_none(self.adjusted_benchmark),
            "level_null": {w: null.told for w, null in self.levels.items()},
            "shared_issuers": {s.issuer: s.held_as for s in self.shared},
            "partial_correlation_without_shared": _or_none(self.partial_without),
        }


def _or_none(values: Mapping[int, float]) -> dict[int, float | None]:
    return {window: or_none(value) for window, value in values.items()}


def ratio_signals(
    study: Study, aligned: Aligned, ids: tuple[str, str, str], benchmark: str | None
) -> list[Signal]:
    """Return the signals of a leader and two followers on the rows that the three share."""
    rows = SharedRows.of(aligned, *ids)
    a, b, c = rows.returns()
    lines, found = _lines(rows), []
    if benchmark is not None:
        controls = _controls(rows, benchmark)
        with_it = replace(rows, backtested=aligned.backtested_on((*ids, benchmark), rows.at))
    for window in study.windows.correlation:
        family = ratio_family(a, b, c, window)
        found += [
            rows.signal(name, value, window, window)
            for name, value in zip(FAMILY, family, strict=True)
        ]
        if benchmark is not None:
            given = partial_correlation(b, c, controls, window)
            found.append(with_it.signal("partial_correlation_benchmark", given, window, window))
        levels = rolling_correlation(*lines, window)
        found.append(rows.signal("level_correlation", levels, window, window - 1))
    return found


def _lines(rows: SharedRows) -> tuple[Vector, Vector]:
    """Return the log relative strength of the leader over each follower, (R,) each."""
    leader, follower, other = rows.logs()
    return log_strength(leader, follower), log_strength(leader, other)


def _controls(rows: SharedRows, benchmark: str | None) -> Grid:
    """Return the returns of the leader, and of the benchmark where there is one, as columns."""
    ids = [rows.ids[0]] if benchmark is None else [rows.ids[0], benchmark]
    return np.column_stack([log_returns(rows.log(id)) for id in ids])


def ratio_inference(
    study: Study,
    aligned: Aligned,
    ids: tuple[str, str, str],
    benchmark: str | None,
    histories: Mapping[str, History],
) -> RatioInference:
    """Return what may be chance about two ratio lines, on the last row of the three.

    Each figure draws from a generator of its own, named by what it is of: no other pair, window
    or benchmark of a study changes it.
    """
    rows = SharedRows.of(aligned, *ids)
    a, b, c = rows.returns()
    lines = _lines(rows)
    leader = _controls(rows, None)
    windows = study.windows.correlation
    draws = {w: _Last(study, (*ids, w), w) for w in windows}
    p_value = {w: draw.p_value(b, c, leader) for w, draw in draws.items()}
    if benchmark is None:
        given = dict.fromkeys(windows, math.nan)
    else:
        both = _controls(rows, benchmark)
        given = {w: draw.p_value(b, c, both) for w, draw in draws.items()}
    shared = shared_issuers({id: histories[id] for id in ids})
    return RatioInference(
        ids=ids,
        benchmark=benchmark,
        correlation={w: draw.ratio_lines(a, b, c) for w, draw in draws.items()},
        partial={w: draw.partial(b, c, leader) for w, draw in draws.items()},
        p_value=p_value,
        adjusted=dict(zip(windows, holm(list(p_value.values())), strict=True)),
        p_benchmark=given,
        adjusted_benchmark=dict(zip(windows, holm(list(given.values())), strict=True)),
        levels={w: draw.levels(lines, a, b, c) for w, draw in draws.items()},
        shared=shared,
        partial_without=_without(rows, histories, shared, windows) if shared else {},
    )


@dataclass(frozen=True, slots=True)
class _Last:
    """The last window of returns, and the random numbers of its figures."""

    study: Study
    name: tuple[object, ...]
    window: int

    def _generator(self, figure: str) -> np.random.Generator:
        return generator(self.study.bootstrap.seed, figure, *self.name)

    def p_value(self, b: Vector, c: Vector, controls: Grid) -> float:
        if len(b) < self.window:
            return math.nan
        b, c, controls = (x[-self.window :] for x in (b, c, controls))
        rng = self._generator(f"p_value given {controls.shape[1]}")
        return partial_p_value(b, c, controls, self.study.bootstrap.replications, rng)

    def ratio_lines(self, a: Vector, b: Vector, c: Vector) -> Interval:
        if math.isnan(_last(ratio_family(a, b, c, self.window).correlation)):
            return NO_INTERVAL
        x, y = (a - b)[-self.window :], (a - c)[-self.window :]
        rng = self._generator("correlation")
        return correlation_interval(x, y, self.study.bootstrap.replications, rng)

    def partial(self, b: Vector, c: Vector, controls: Grid) -> Interval:
        if math.isnan(_last(partial_correlation(b, c, controls, self.window))):
            return NO_INTERVAL
        left = [residuals(x[-self.window :], controls[-self.window :]) for x in (b, c)]
        rng = self._generator("partial")
        return correlation_interval(left[0], left[1], self.study.bootstrap.replications, rng)

    def levels(self, lines: tuple[Vector, Vector], a: Vector, b: Vector, c: Vector) -> LevelNull:
        """Return the null of a window of levels, which has one return fewer."""
        if math.isnan(_last(rolling_correlation(*lines, self.window))):
            return LevelNull(*[math.nan] * 5)
        a, b, c = (x[len(x) + 1 - self.window :] for x in (a, b, c))
        return level_null(a, b, c, DRAWS, self._generator("levels"))


def _without(
    rows: SharedRows,
    histories: Mapping[str, History],
    shared: tuple[Shared, ...],
    windows: tuple[int, ...],
) -> dict[int, float]:
    """Return the partial correlation of the followers, given the leader, without shared issuers.

    Levels stay in the study's currency and variant: only what the issuers made of the price is
    taken out.
    """
    logs = []
    for id in rows.ids:
        history = histories[id]
        left_out = [s.issuer for s in shared if id in s.held_as]
        made = log(levels_without(history, left_out) / levels_without(history, []))
        dated = rows.aligned.dated[rows.at, rows.aligned.ids.index(id)]
        logs.append(rows.log(id) + made[np.searchsorted(history.days, dated)])
    a, b, c = (log_returns(line) for line in logs)
    return {w: _last(partial_correlation(b, c, a[:, None], w)) for w in windows}


def _last(values: Vector) -> float:
    return float(values[-1]) if len(values) else math.nan
