"""Who may be held at a rebalance, and who is chosen where the list is a universe."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.definitions.basket import Basket, Selection
from indexer.errors import Flaw, MarketDataError
from indexer.index.weighting import float_band, score_column
from indexer.market.panel import Panel, shares_known


@dataclass(frozen=True, slots=True)
class Chosen:
    """Columns of the panel that are held, best rank first, and why the others are not."""

    columns: Rows
    excluded: tuple[tuple[str, str], ...]  # symbol, reason


def choose(basket: Basket, known: Panel, effective: date, held: Collection[int]) -> Chosen:
    """Return the constituents that take part in a rebalance.

    Parameters
    ----------
    known : the panel up to the reference date
    effective : the date membership is judged by
    held : columns held at the close of the effective date, which the buffer favours
    """
    excluded: list[tuple[str, str]] = []
    eligible: list[int] = []
    spans = {c.symbol: (c.from_ or date.min, c.until or date.max) for c in basket.constituents}
    for j, symbol in enumerate(known.symbols):
        start, until = spans[symbol]
        reason = _ineligible(known, j, basket.eligibility.seasoning)
        if not start <= effective < until:
            reason = f"a member from {start} until {until}"
        if reason:
            excluded.append((symbol, reason))
        else:
            eligible.append(j)
    columns = np.array(eligible, dtype=np.int64)
    if basket.selection is None or not eligible:
        return Chosen(columns, tuple(excluded))
    ranking = _ranked(basket.selection, known, columns)
    top = _buffered(basket.selection, ranking, held)
    left = [(known.symbols[j], f"ranked {n}") for n, j in enumerate(ranking, 1) if j not in top]
    return Chosen(np.array(top, dtype=np.int64), (*excluded, *left))


def _ineligible(known: Panel, j: int, seasoning: int) -> str:
    """Return why a constituent cannot be held yet, or nothing."""
    if np.isnan(known.close[-1, j]):
        return f"no close on or before {known.sessions[-1]}"
    traded = int((known.sessions > known.listed[j]).sum())
    if traded < seasoning:
        return f"listed {traded} sessions, seasoning is {seasoning}"
    return ""


def _ranked(selection: Selection, known: Panel, columns: Rows) -> list[int]:
    """Return the columns by rank, largest first, ties by symbol."""
    values = _values(selection.rank_by, known, columns)
    unknown = [known.symbols[j] for j, v in zip(columns, values, strict=True) if np.isnan(v)]
    if unknown:
        message = f"no {selection.rank_by} on or before {known.sessions[-1]} to rank by"
        raise MarketDataError([Flaw("selection", None, symbol, message) for symbol in unknown])
    order = sorted(
        zip(columns, values, strict=True), key=lambda pair: (-pair[1], known.symbols[pair[0]])
    )
    return [int(j) for j, _ in order]


def _values(rank_by: str, known: Panel, columns: Rows) -> Vector:
    worth = known.worth[-1, columns]
    if rank_by == "price":
        return np.asarray(worth)
    if rank_by in {"market_cap", "free_float_cap"}:
        total, free = shares_known(known, columns)
        counted = float_band(free / total) if rank_by == "free_float_cap" else 1.0
        return np.asarray(worth * total * counted)
    if rank_by.startswith("amount_"):
        return _mean_amount(known, columns, int(rank_by.removeprefix("amount_")))
    return score_column(known, rank_by)[columns]


def _mean_amount(known: Panel, columns: Rows, sessions: int) -> Vector:
    """Return the mean turnover amount over the sessions traded among the last ones."""
    amount = (known.amount * known.fx)[-sessions:, columns]
    counted = known.traded[-sessions:, columns] & ~np.isnan(amount)
    total = np.where(counted, amount, 0.0).sum(axis=0)
    count = counted.sum(axis=0)
    mean = np.full(len(columns), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _buffered(selection: Selection, ranking: Sequence[int], held: Collection[int]) -> list[int]:
    """Return the chosen columns by rank: entrants, members inside the buffer, then the rest."""
    top, enter, keep = selection.top, selection.enter, selection.keep
    if enter is None or keep is None:
        return list(ranking[:top])
    rank = {j: n for n, j in enumerate(ranking, 1)}
    entrants = list(ranking[:enter])
    members = [j for j in ranking[enter:keep] if j in held]
    rest = [j for j in ranking[enter:] if j not in members]
    return sorted((entrants + members + rest)[:top], key=rank.__getitem__)
