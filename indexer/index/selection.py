"""Who may be held at a rebalance, and who is chosen where the list is a universe."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.definitions.basket import Basket, Selection
from indexer.errors import DefinitionError, Flaw, MarketDataError, MissingInputError, counted
from indexer.index.weighting import score_column
from indexer.market.calendar import read_calendar
from indexer.market.conventions.ladders import float_band
from indexer.market.fx import without_rate
from indexer.market.panel import Panel, shares_known

Excluded = tuple[tuple[str, str], ...]  # symbol and reason of each constituent that is not held


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Who is held, and why the others are not.

    Attributes
    ----------
    known : the panel up to the reference date, each line that is held under the constituent it
        stands for, of those that have become it the one that is a member
    columns : of it, by rank or as listed
    """

    known: Panel
    columns: Rows
    excluded: Excluded


def choose(basket: Basket, known: Panel, effective: date, held: Collection[int]) -> Chosen:
    """Return the constituents that take part in a rebalance.

    Parameters
    ----------
    known : the panel up to the reference date
    effective : the date membership is judged by
    held : columns held at the close of the effective date, which the buffer favours

    Raises
    ------
    DefinitionError
        If two constituents with a weight of their own have become one line.
    MissingInputError
        If there is no rate, share count or turnover to rank by.
    MarketDataError
        If a column to rank by is missing, or holds something else than numbers.
    """
    excluded: list[tuple[str, str]] = []
    eligible: dict[int, str] = {}  # column, and the constituent that it stands for
    spans = {c.symbol: (c.from_ or date.min, c.until or date.max) for c in basket.constituents}
    heirs = known.heirs(effective)
    continued = {int(c) for j, c in enumerate(heirs) if j != c and known.symbols[j] in spans}
    gone = {d.column: d for d in reversed(known.departures) if d.day <= effective}
    for j, line in enumerate(known.lines):
        if line.symbol not in spans:
            continue
        column = int(heirs[j])
        leaving = gone.get(j) or gone.get(column)
        reason = f"{leaving.kind} on {leaving.day}" if leaving else ""
        reason = reason or _ineligible(basket, known, (j, column), begun=column in continued)
        start, until = spans[line.symbol]
        if not start <= effective < until:
            reason = _outside(start, until)
        if reason:
            heir = known.lines[column].symbol  # told of by itself where it is listed too
            excluded.append((line.symbol if heir in spans else heir, reason))
        elif column in eligible:
            heir = known.lines[column].symbol
            _check_weights(basket, (eligible[column], line.symbol), heir, effective)
        else:
            eligible[column] = line.symbol
    known = _standing(basket, known, eligible)
    columns = np.array(list(eligible), dtype=np.int64)
    if basket.selection is None or not eligible:
        return Chosen(known, columns, tuple(excluded))
    ranking, unranked = _ranked(basket.selection, known, columns)
    top = _buffered(basket.selection, ranking, held)
    left = [
        (known.lines[j].symbol, f"ranked {n}") for n, j in enumerate(ranking, 1) if j not in top
    ]
    return Chosen(known, np.array(top, dtype=np.int64), (*excluded, *unranked, *left))


def _standing(basket: Basket, known: Panel, eligible: Mapping[int, str]) -> Panel:
    """Return the panel with each of some lines under the constituent it stands for now."""
    given = {c.symbol: c.segment for c in basket.constituents}
    lines, segments = list(known.lines), list(known.segments)
    for column, symbol in eligible.items():
        if known.entry_symbol(column) != symbol:
            lines[column] = replace(lines[column], entry=known.symbols.index(symbol))
            segments[column] = given[symbol] or known.securities["segment"][column] or ""
    if tuple(lines) == known.lines:
        return known
    return replace(known, lines=tuple(lines), segments=tuple(segments))


def _check_weights(basket: Basket, both: tuple[str, str], heir: str, effective: date) -> None:
    """Raise where constituents that have become one line each have a weight given."""
    if basket.weighting.scheme == "fixed":
        message = (
            f"{' and '.join(both)} are both {heir} on {effective}, and each has a weight: "
            f"end one of them with until, and give the other the weight of both"
        )
        place = ("constituents", basket.symbols.index(both[1]), "weight")
        raise DefinitionError([basket.problem(place, message)])


def _outside(start: date, until: date) -> str:
    """Return from when until when a constituent is a member, as far as it is bounded."""
    since = f" from {start}" if start > date.min else ""
    return f"a member{since} until {until}" if until < date.max else f"a member{since}"


def _ineligible(basket: Basket, known: Panel, columns: tuple[int, int], *, begun: bool) -> str:
    """Return why a constituent cannot be held, or nothing.

    ``columns`` are its line as listed and the one it continues under on the effective date;
    ``begun`` says whether another constituent has become that line by then.
    """
    listed, column = columns
    reference = known.sessions[-1]
    own = known.lines[listed].past
    if listed != column and known.lines[column].symbol in basket.symbols:
        return f"continues as {known.lines[column].symbol}, a constituent of its own"
    if own and listed == column and not begun and np.datetime64(own[0][1]) > reference:
        return f"takes over from {own[0][0]} only on {own[0][1]}"
    if np.isnan(known.close[-1, column]):
        return f"no close on or before {reference}"
    sessions = read_calendar(basket.calendar).sessions
    known_on, listed_on = np.searchsorted(sessions, [reference, known.listed[column]], side="right")
    traded = max(0, int(known_on - listed_on))
    if traded < basket.eligibility.seasoning:
        return f"listed {counted(traded, 'session')}, seasoning is {basket.eligibility.seasoning}"
    return ""


def _ranked(selection: Selection, known: Panel, columns: Rows) -> tuple[list[int], Excluded]:
    """Return the columns by rank, largest first, ties by symbol; and who cannot be ranked."""
    values = _values(selection.rank_by, known, columns)
    symbol = {int(j): known.lines[j].symbol for j in columns}
    unknown = [symbol[int(j)] for j, v in zip(columns, values, strict=True) if np.isnan(v)]
    by_amount = selection.rank_by.startswith("amount_")
    if unknown and not by_amount:
        message = f"no {selection.rank_by} on or before {known.sessions[-1]} to rank by"
        raise MarketDataError([Flaw("securities", None, name, message) for name in unknown])
    ranked = sorted(
        ((int(j), v) for j, v in zip(columns, values, strict=True) if not np.isnan(v)),
        key=lambda pair: (-pair[1], symbol[pair[0]]),
    )
    reason = f"no amount in {selection.rank_by.removeprefix('amount_')} sessions"
    return [j for j, _ in ranked], tuple((name, reason) for name in unknown)


def _values(rank_by: str, known: Panel, columns: Rows) -> Vector:
    worth = known.worth[-1, columns]
    if rank_by in {"price", "market_cap", "free_float_cap"}:
        check_rates(known, len(known.sessions) - 1, columns)
    if rank_by == "price":
        return np.asarray(worth)
    if rank_by in {"market_cap", "free_float_cap"}:
        total, free = shares_known(known, columns)
        part = 1.0 if rank_by == "market_cap" else float_band("csi-2010", free / total)
        return np.asarray(worth * total * part)
    if rank_by.startswith("amount_"):
        return _mean_amount(known, columns, int(rank_by.removeprefix("amount_")))
    return score_column(known, rank_by)[columns]


def check_rates(panel: Panel, row: int, columns: Rows) -> None:
    """Check that lines have a rate of exchange on a session.

    Raises
    ------
    MissingInputError
        Naming every line that has none.
    """
    lacking = [rate_flaw(panel, row, int(j)) for j in columns if np.isnan(panel.fx[row, j])]
    if lacking:
        raise MissingInputError(lacking)


def rate_flaw(panel: Panel, row: int, column: int) -> Flaw:
    """Return what is wrong where a line has no rate of exchange on a session."""
    day = panel.sessions[row].item()
    message = without_rate(panel.currencies[column], panel.currency, day)
    return Flaw("fx", None, panel.lines[column].symbol, message)


def _mean_amount(known: Panel, columns: Rows, sessions: int) -> Vector:
    """Return the mean turnover amount over the sessions traded among the last ones."""
    last = slice(-sessions, None)
    amount = known.amount[last, columns]
    traded = known.traded(last)[:, columns] & ~np.isnan(amount)
    rate = known.fx[last, columns]
    lacking = traded & np.isnan(rate)
    if lacking.any():
        days = known.sessions[last][np.argmax(lacking, axis=0)].tolist()
        flaws = []
        for n in np.flatnonzero(lacking.any(axis=0)):
            line, currency = known.lines[columns[n]], known.currencies[columns[n]]
            message = without_rate(currency, known.currency, days[n])
            flaws.append(Flaw("fx", None, line.symbol, message))
        raise MissingInputError(flaws)
    amount = amount * rate
    total = np.where(traded, amount, 0.0).sum(axis=0)
    count = traded.sum(axis=0)
    mean = np.full(len(columns), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _buffered(selection: Selection, ranking: Sequence[int], held: Collection[int]) -> list[int]:
    """Return the chosen columns by rank: entrants, members inside the buffer, then the rest."""
    top, enter, keep = selection.top, selection.enter, selection.keep
    if enter is None or keep is None:
        return list(ranking[:top])
    rank = {j: n for n, j in enumerate(ranking, 1)}
    members = [j for j in ranking[enter:keep] if j in held]
    rest = [j for j in ranking[enter:] if j not in members]
    return sorted((list(ranking[:enter]) + members + rest)[:top], key=rank.__getitem__)
