"""What must be refused and why: the gates once more, written from the contract for this world.

It shares no code with the publisher. Closes, volumes, actions and suspensions are the known ones;
index shares and levels are those of the index that is judged.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from benchmarks.reliability.vendor import Known
from benchmarks.reliability.world import World
from indexer.arrays import Grid, Mask, Rows, Vector

STALE, SIGMAS, WINDOW, FEWEST, EXEMPT, PROOF = 0.10, 6.0, 250, 60, 5, 3
TICK = Decimal("0.01")
WIDER = {"300": (date(2020, 8, 24), Decimal("0.2")), "": (date(1990, 1, 1), Decimal("0.1"))}


class Prices:
    """What each symbol's close is compared with, and what it is worth where it has none.

    Attributes
    ----------
    before : (T, N) the last close before, restated for every action since, all cash included
    carried : (T, N) the close, else the last one, restated for actions but for ordinary dividends
    last : (T, N) row of the last close before
    """

    def __init__(self, world: World) -> None:
        shape = world.close.shape
        self.before, self.carried = np.full(shape, np.nan), np.full(shape, np.nan)
        self.last = np.full(shape, -1)
        full, plain, row = (np.full(shape[1], v) for v in (np.nan, np.nan, -1))
        by_row: dict[int, list[dict[str, object]]] = {}
        for action in world.actions:
            by_row.setdefault(world.row(action["ex_date"]), []).append(action)
        at = {symbol: n for n, symbol in enumerate(world.symbols)}
        for t in range(shape[0]):
            for action in by_row.get(t, ()):
                j = at[str(action["symbol"])]
                full[j] = _ex(full[j], action, ordinary=True)
                plain[j] = _ex(plain[j], action, ordinary=False)
            self.before[t], self.last[t] = full, row
            traded = ~np.isnan(world.close[t])
            full = np.where(traded, world.close[t], full)
            plain = np.where(traded, world.close[t], plain)
            row = np.where(traded, t, row)
            self.carried[t] = plain


def _ex(price: float, action: dict[str, object], *, ordinary: bool) -> float:
    """Return a price after an action: ``(P - cash + rights) / Q``."""
    kind, ratio = action["kind"], float(action.get("ratio") or 0.0)  # type: ignore[arg-type]
    cash = float(action.get("cash") or 0.0)  # type: ignore[arg-type]
    if kind == "split":
        return price / ratio
    if kind == "bonus":
        return price / (1.0 + ratio)
    if kind == "rights":
        paid = float(action["price"])  # type: ignore[arg-type]
        return (price + ratio * paid) / (1.0 + ratio) if paid < price else price
    return price - cash if ordinary or kind == "special_dividend" else price


def refusals(
    known: Known, prices: Prices, index: tuple[Rows, Grid, Vector, int], rows: Sequence[int]
) -> list[frozenset[str]]:
    """Return, of some sessions, the rules by which each must be refused.

    Parameters
    ----------
    index : columns of the constituents in the world, (T, n) index shares, (T,) price levels; both
        from the base on, which is the session of this number
    rows : of the world, ascending
    """
    columns, shares, level, base = index
    world = known.world
    at = np.asarray(rows)
    held = shares[at - base] > 0
    traded = ~np.isnan(world.close[np.ix_(at, columns)])
    found: list[set[str]] = [set() for _ in rows]
    missing = held & ~traded
    for n in np.flatnonzero(missing.any(axis=1)).tolist():
        worth = np.where(held[n], shares[at[n] - base] * prices.carried[at[n], columns], 0.0)
        if worth[missing[n]].sum() / worth.sum() > STALE + 1e-12:
            found[n].add("R14")
        if any(not _suspended(world, int(j), int(at[n])) for j in columns[missing[n]]):
            found[n].add("R15")
    for n in _beyond_limits(world, prices, columns, at, held & traded):
        found[n].add("R16")
    for n in _beyond_deviations(level, at - base):
        found[n].add("R16")
    for n, rule in _frozen(world, prices, columns, at, held & traded):
        found[n].add(rule)
    for row, column in known.phantoms:
        if column in columns and row in at:
            found[int(np.searchsorted(at, row))].add("R19")
    return [frozenset(rules) for rules in found]


def _suspended(world: World, column: int, row: int) -> bool:
    day, symbol = world.day(row), world.symbols[column]
    return any(s["symbol"] == symbol and s["from"] <= day < s["until"] for s in world.suspensions)


def _beyond_limits(
    world: World, prices: Prices, columns: Rows, at: Rows, closed: Mask
) -> Iterator[int]:
    close, before = world.close[np.ix_(at, columns)], prices.before[np.ix_(at, columns)]
    with np.errstate(invalid="ignore"):
        doubtful = closed & (np.abs(close / before - 1.0) > 0.09)
    for n, k in np.argwhere(doubtful).tolist():
        j = int(columns[k])
        listed = int(np.flatnonzero(~np.isnan(world.close[:, j]))[0])
        if at[n] - listed >= EXEMPT:
            symbol, day = world.symbols[j], world.day(int(at[n]))
            low, high = _bounds(symbol, day, float(before[n, k]))
            if not low <= Decimal(repr(float(close[n, k]))) <= high:
                yield n


def _bounds(symbol: str, day: date, reference: float) -> tuple[Decimal, Decimal]:
    since, wider = WIDER["300"]
    limit = wider if symbol.startswith("300") and day >= since else WIDER[""][1]
    exact = Decimal(repr(reference))
    low, high = (
        (exact * (1 + sign * limit)).quantize(TICK, ROUND_HALF_UP) + sign * TICK for sign in (-1, 1)
    )
    return low, high


def _beyond_deviations(level: Vector, rows: Rows) -> Iterator[int]:
    for n, row in enumerate(rows.tolist()):
        if row > FEWEST:
            returns = np.diff(np.log(level[max(0, row - WINDOW - 1) : row + 1]))
            if abs(returns[-1]) > SIGMAS * returns[:-1].std(ddof=1) + 1e-9:
                yield n


def _frozen(
    world: World, prices: Prices, columns: Rows, at: Rows, closed: Mask
) -> Iterator[tuple[int, str]]:
    """Yield sessions on which all closes, or all of one exchange, are those of the time before."""
    last = prices.last[np.ix_(at, columns)]
    close, volume = world.close[np.ix_(at, columns)], world.volume[np.ix_(at, columns)]
    had = last >= 0
    same = closed & had & (close == world.close[last, columns])
    equal = same & (volume == world.volume[last, columns])
    suffix = np.array([world.symbols[j][-2:] for j in columns])
    candidates = np.flatnonzero((same | ~closed).any(axis=1) & same.any(axis=1))
    for n in candidates.tolist():
        groups = [(closed[n] & (suffix == s)) for s in sorted(set(suffix))]
        groups = [group for group in groups if group.any()]
        still = [bool(same[n, g].all() and equal[n, g].all()) for g in groups]
        if all(still):
            if equal[n].any() or sum(g.sum() for g in groups) >= PROOF:
                yield n, "R17"
        elif any(still):
            yield n, "R18"
