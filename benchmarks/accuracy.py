"""How exact rolling correlations are on data that rounding, outliers and halts make hard."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import SEED, Case
from benchmarks.contenders import Rolling, present
from benchmarks.reference import difference, require_extended
from indexer.arrays import Grid

SERIES, WINDOW, LEAST = 6, 60, 20
# Those of one formula are compared once: rivals of these cases alone.
WITH_RIVALS = ("pairwise", "one-pair")

Random = np.random.Generator


def _noise(random: Random, sessions: int) -> Grid:
    return random.standard_normal((sessions, SERIES))


def _prices(random: Random, sessions: int) -> Grid:
    walks = 1000.0 * np.exp(np.cumsum(0.02 * _noise(random, sessions), axis=0))
    return np.round(walks, 2)


def _offset(random: Random, sessions: int) -> Grid:
    return 1e9 + _noise(random, sessions)


def _spikes(random: Random, sessions: int) -> Grid:
    """Put a spike of either sign into every series every few windows, each at its own time."""
    values = _noise(random, sessions)
    for column in range(SERIES):
        rows = np.arange(90 + 7 * column, sessions, 400)
        values[rows, column] = 1e12 * random.choice([-1.0, 1.0], len(rows))
    return values


def _halts(random: Random, sessions: int) -> Grid:
    """Let every series return nothing for a while, most often for longer than a window."""
    values = 0.02 * _noise(random, sessions)
    for column in range(SERIES):
        for first in random.integers(0, sessions - 200, 2):
            values[first : first + random.integers(30, 150), column] = 0.0
    return values


def _still(random: Random, sessions: int) -> Grid:
    """Let every series stand at a value that is no short binary fraction."""
    values = _prices(random, sessions)
    for column in range(SERIES):
        first = random.integers(0, sessions - 200)
        values[first : first + 130, column] = 0.1 * (column + 1)
    return values


def _jump(random: Random, sessions: int) -> Grid:
    values = _noise(random, sessions)
    values[sessions // 3 : 2 * sessions // 3] += 1e9
    return values


def _holed(draw: Callable[[Random, int], Grid], share: float) -> Callable[[Random, int], Grid]:
    def drawn(random: Random, sessions: int) -> Grid:
        values = draw(random, sessions)
        values[random.random(values.shape) < share] = np.nan
        return values

    return drawn


KINDS: dict[str, Callable[[Random, int], Grid]] = {
    "returns": lambda random, sessions: 0.02 * _noise(random, sessions),
    "3 % missing": _holed(_noise, 0.03),
    "30 % missing": _holed(_noise, 0.3),
    "price levels": _prices,
    "1e9 + noise": _offset,
    "spikes of 1e12": _spikes,
    "level jump of 1e9": _jump,
    "zero returns": _halts,
    "constant stretches": _still,
    "1e9 + noise, 30 % missing": _holed(_offset, 0.3),
    "spikes, 30 % missing": _holed(_spikes, 0.3),
    "constant stretches, 30 % missing": _holed(_still, 0.3),
}


def drawn(kind: str, sessions: int) -> Rolling:
    """Draw series of a kind; half of the pairs of a window need not be there."""
    values = KINDS[kind](np.random.default_rng(SEED), sessions)
    return Rolling(values, WINDOW, LEAST if np.isnan(values).any() else WINDOW)


def accuracy(case: Case, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return, for every contender and kind of data, how its answer differs from the reference."""
    require_extended()
    found: dict[str, dict[str, Any]] = {}
    rivals = case.rivals if case.name in WITH_RIVALS else ()
    for kind in KINDS:
        given = drawn(kind, 700 if request["quick"] else 2_500)
        missing = bool(np.isnan(given.values).any())
        expected = case.reference(given)
        for contender in present((case.ours, *rivals), missing=missing):
            ready = contender.prepare(given)
            told = difference(ready.read(ready.run()), expected)._asdict()
            found.setdefault(contender.name, {})[kind] = told
    return found
