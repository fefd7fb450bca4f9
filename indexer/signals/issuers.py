"""Issuers that two baskets both hold: what they have in common by construction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from indexer.arrays import Vector, row_sums
from indexer.index.history import History

_NOTHING = 1e-12  # a weight that is rounding


@dataclass(frozen=True, slots=True)
class Shared:
    """An issuer that several baskets have held, and the symbols each has held it by."""

    issuer: str
    held_as: dict[str, tuple[str, ...]]


def shared_issuers(histories: Mapping[str, History]) -> tuple[Shared, ...]:
    """Return the issuers that more than one basket has held at any time, in order.

    A line whose table names no issuer is its own. Ready-made series tell nothing of what they hold.

    Parameters
    ----------
    histories : by id
    """
    held: dict[str, dict[str, tuple[str, ...]]] = {}
    for id, history in histories.items():
        names = _issuers(history)
        for j in np.flatnonzero((history.shares > 0).any(axis=0)):
            symbols = held.setdefault(names[j], {})
            symbols[id] = (*symbols.get(id, ()), history.symbols[j])
    return tuple(Shared(issuer, by) for issuer, by in held.items() if len(by) > 1)


def _issuers(history: History) -> list[str]:
    """Return the issuer of each line, its symbol where the table names none."""
    if history.panel is None:
        return []
    named = history.panel.securities["issuer"]
    return [name or symbol for name, symbol in zip(named, history.symbols, strict=True)]


def levels_without(history: History, issuers: Collection[str]) -> Vector:
    """Return price levels of a basket as if it had never held some issuers, (T,).

    The others keep their weights among each other. NaN from where nothing else is held on.

    Notes
    -----
    On each session the rest returns what it contributes over what it weighs at the open.
    """
    if history.panel is None or not issuers:
        return history.variants[history.offered("price")]
    rest = [n for n, name in enumerate(_issuers(history)) if name not in issuers]
    weight = row_sums(history.opening_weights[1:, rest])
    gained = row_sums(np.nan_to_num(history.contribution[1:, rest]))
    growth = np.full(len(history.days), np.nan)
    growth[0] = 100.0
    growth[1:][weight > _NOTHING] = 1.0 + gained[weight > _NOTHING] / weight[weight > _NOTHING]
    return np.asarray(np.cumprod(growth))
