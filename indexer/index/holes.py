"""Gates of what is missing: closes (R14, R15), rates (R14), what an exchange is silent of (R19)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from indexer.arrays import Days, Mask, Rows
from indexer.errors import counted
from indexer.index.finding import SHOWN, Asked, Finding, shown
from indexer.index.holding import market_weights
from indexer.market.fx import rate_dates
from indexer.market.tables import Market

RESTED = 15  # days: longer than any exchange, or who fixes rates, has rested
_ACTIVE = np.timedelta64(RESTED, "D")  # its last session is inside
_ROUNDING = 1e-12  # of weights: ten of a hundred equal ones are a tenth, not more
_REMEDIES = {  # of stale weight, by why a close is missing: not every one can be fetched
    "unexplained": "fetch the closes",
    "suspended": "publish with a recorded override while trading is suspended, or add a delisting "
    "with its price to the actions where it will not go on",
    "not yet listed": "publish with a recorded override until what is not listed yet trades",
    "delisted": "add the delisting of what is delisted to the actions, with its price",
}
_WHY = {  # of a hole, by whether the folder knows of suspensions: what to do, or how it is taken
    True: "fetch it, or add the suspension, until trade goes on, to suspensions",
    False: "unexplained, taken for suspended: the folder has no suspensions",
}


class _Traded(NamedTuple):
    """Days on which an exchange traded, as a folder has them, and how many of its symbols."""

    days: Days
    symbols: Rows


def left_out(asked: Asked) -> Iterator[Finding]:
    """Yield, on every session, the constituents that are left out because they have no close."""
    if names := asked.history.missing:
        message = (
            f"left out, without any close in the folder: {shown(list(names))}: add their closes, "
            f"or take them out of the definition"
        )
        yield from (Finding(day, "R15", message, "note") for day in asked.days.tolist())


def old_rates(asked: Asked, market: Market, *, beyond: int = 0) -> Iterator[Finding]:
    """Yield the sessions that held lines are converted on at a rate of more days before."""
    panel = asked.panel
    units = np.array(panel.currencies)
    for unit in sorted(set(panel.currencies) - {panel.currency}):
        held = np.flatnonzero(asked.held[:, units == unit].any(axis=1))
        dated = rate_dates(market, unit, panel.currency, asked.days[held])
        for k, day in zip(held.tolist(), dated.tolist(), strict=True):
            if day is not None and (age := (asked.day(k) - day).days) > beyond:
                message = (
                    f"no {unit}/{panel.currency} of {asked.day(k)}: the rate of {day} stands, "
                    f"{counted(age, 'day')} old"
                )
                yield Finding(asked.day(k), "R14", message, "note")


def holes(asked: Asked, market: Market) -> Iterator[Finding]:
    """Yield what is found of held constituents without a close while their exchange is open.

    A delisted or merged line on its last session is none of them: the action says what it is
    worth. Where a whole exchange is silent that is said once, and not of each constituent.
    """
    missing = asked.held & ~asked.traded & asked.is_open[:, asked.suffix]
    for leaving in asked.panel.departures:
        missing[asked.at == leaving.row, leaving.column] = False
    if not missing.any():
        return
    why = _explanations(asked, market, missing)
    unexplained = missing.copy()
    unexplained[tuple(np.array(list(why), dtype=np.int64).reshape(-1, 2).T)] = False
    for k, suffixes, finding in _silences(asked, market, unexplained):
        missing[k, np.isin(asked.suffix, suffixes)] = False
        yield finding
    unexplained &= missing
    if missing.any():
        yield from _stale(asked, missing, why)
    yield from _unexplained(asked, market, unexplained)


def _explanations(asked: Asked, market: Market, missing: Mask) -> dict[tuple[int, int], str]:
    """Return why a close is missing, by session and line, where that is known."""
    columns = np.flatnonzero(missing.any(axis=0)).tolist()
    names = {j: asked.panel.lines[j].symbols for j in columns}
    known = {name for own in names.values() for name in own}
    spans: dict[str, list[tuple[np.datetime64, np.datetime64]]] = {}
    for symbol, begin, end in (
        market.suspensions.filter(pl.col("symbol").is_in(list(known)))
        .select("symbol", "from", "until")
        .iter_rows()
    ):
        until = np.datetime64("9999-12-31") if end is None else np.datetime64(end)
        spans.setdefault(symbol, []).append((np.datetime64(begin), until))
    gone = {d.column: np.datetime64(d.day) for d in reversed(asked.panel.departures)}
    delisted = asked.panel.securities["delist_date"]
    found: dict[tuple[int, int], str] = {}
    for j in columns:
        rows = np.flatnonzero(missing[:, j])
        listed, last = asked.panel.listed[j], delisted[j]
        last = min(gone.get(j, np.datetime64("9999-12-31")), np.datetime64(last or "9999-12-31"))
        out = [span for name in names[j] for span in spans.get(name, ())]
        for k, day in zip(rows.tolist(), asked.days[rows], strict=True):
            if any(begin <= day < end for begin, end in out):
                found[k, j] = "suspended"
            elif np.isnat(listed) or day < listed:
                found[k, j] = "not yet listed"
            elif day >= last:
                found[k, j] = "delisted"
    return found


def _silences(
    asked: Asked, market: Market, unexplained: Mask
) -> Iterator[tuple[int, list[int], Finding]]:
    """Yield sessions and exchanges none of whose held constituents has a close, and what of it.

    Where the folder holds later closes they are not to come: an exchange was closed, or each
    constituent is a hole of its own. One or two constituents of an exchange may be suspended
    together: it is silent only where the other symbols of the folder say so too.
    """
    one_hot = asked.suffix[:, None] == np.arange(len(asked.suffixes))
    lacking = unexplained.astype(np.int64) @ one_hot
    has = (asked.held & asked.traded).astype(np.int64) @ one_hot
    silent = (lacking > 0) & (has == 0)
    rows = np.flatnonzero(silent.any(axis=1))
    if not rows.size:
        return
    folder = _traded(asked, market, silent)
    for k in rows.tolist():
        found = np.flatnonzero(silent[k]).tolist()
        to_come = {s: not (folder[s].days > asked.days[k]).any() for s in found}
        if not has[k].any():
            if all(to_come.values()):
                yield k, found, _all_silent(asked, k, unexplained[k])
            continue
        for s in found:
            if lacking[k, s] >= asked.limits.members or _is_silent(asked, folder[s], k):
                yield k, [s], _one_silent(asked, k, s, int(lacking[k, s]), wait=to_come[s])


def _traded(asked: Asked, market: Market, silent: Mask) -> dict[int, _Traded]:
    """Return when the exchanges that are silent on some session traded, by position."""
    first = asked.days[int(np.argmax(silent.any(axis=1)))] - _ACTIVE
    found = {}
    for s in np.flatnonzero(silent.any(axis=0)).tolist():
        rows = (
            market.prices.lazy()
            .filter(pl.col("date") >= first.item())
            .filter(pl.col("symbol").cast(pl.String).str.ends_with(f".{asked.suffixes[s]}"))
            .group_by("date")
            .len()
            .sort("date")
            .collect()
        )
        days = rows["date"].to_numpy().astype("datetime64[D]")
        found[s] = _Traded(days, rows["len"].to_numpy().astype(np.int64))
    return found


def _is_silent(asked: Asked, traded: _Traded, k: int) -> bool:
    """Return whether no symbol of the folder traded on an exchange where enough had before."""
    at = int(np.searchsorted(traded.days, asked.days[k]))
    if at < len(traded.days) and traded.days[at] == asked.days[k]:
        return False
    recent = at > 0 and traded.days[at - 1] >= asked.days[k] - _ACTIVE
    return bool(recent and traded.symbols[at - 1] >= asked.limits.members)


def _all_silent(asked: Asked, k: int, unexplained: Mask) -> Finding:
    names = [asked.symbol(j) for j in np.flatnonzero(unexplained).tolist()]
    message = (
        f"no held constituent of an open exchange has a close of {asked.day(k)} yet "
        f"({shown(names)}): complete the market folder and publish again; if the exchange was "
        f"closed, give its calendar an official overlay entry"
    )
    return Finding(asked.day(k), "R15", message, "wait")


def _one_silent(asked: Asked, k: int, suffix: int, count: int, *, wait: bool) -> Finding:
    calendar, day = asked.calendar(suffix), asked.day(k)
    later = "has no later close" if wait else "holds later closes"
    message = (
        f"none of {count} held .{asked.suffixes[suffix]} constituents has a close of {day} though "
        f"others have, calendar {calendar.code} says open and the folder {later}: fetch them, or, "
        f"if the exchange was closed, add {day} as an official entry to the overlay "
        f"indexer/market/calendars/{calendar.code}.yaml"
    )
    return Finding(day, "R19", message, "wait" if wait else "refuse")


def _stale(asked: Asked, missing: Mask, why: dict[tuple[int, int], str]) -> Iterator[Finding]:
    """Yield sessions with more stale weight than the limit, and constituents to be reviewed."""
    limit, most = asked.limits.stale_weight, asked.limits.review_age
    for k in np.flatnonzero(missing.any(axis=1)).tolist():
        columns = np.flatnonzero(missing[k])
        ages = {int(j): _age(asked, k, int(j)) for j in columns}
        weight = market_weights(asked.panel, asked.at[k], asked.history.shares[asked.rows[k]])
        part = weight[columns].sum()
        if part > limit + _ROUNDING:
            order = columns[np.argsort(-weight[columns], kind="stable")].tolist()
            names = [
                f"{asked.symbol(j)} {weight[j]:.2%}, {_close(asked, k, j)}, "
                f"{counted(ages[j], 'session')} old, {why.get((k, j), 'unexplained')}"
                for j in order
            ]
            reasons = {why.get((k, j), "unexplained") for j in order if weight[j] > 0}
            remedy = "; ".join(text for reason, text in _REMEDIES.items() if reason in reasons)
            message = (
                f"{part:.4%} of the index weight of {asked.day(k)} is stale, more than "
                f"{limit:.0%} ({'; '.join(names[:SHOWN])}; {len(names)} in all): {remedy}"
            )
            yield Finding(asked.day(k), "R14", message, "refuse")
        old = [
            f"{asked.symbol(j)} ({_close(asked, k, j)}, {counted(age, 'session')})"
            for j, age in ages.items()
            if age > most
        ]
        if old:
            message = (
                f"carried on {asked.day(k)} for more than {counted(most, 'session')} of its "
                f"exchange: {shown(old)}: decide whether it stays in the index"
            )
            yield Finding(asked.day(k), "R14", message, "note")


def _close(asked: Asked, k: int, column: int) -> str:
    day = asked.panel.dated[asked.at[k], column]
    return "never traded" if np.isnat(day) else f"close of {day}"


def _age(asked: Asked, k: int, column: int) -> int:
    """Return the sessions of its exchange since the close that stands; 0 for one never traded."""
    day = asked.panel.dated[asked.at[k], column]
    if np.isnat(day):
        return 0
    sessions = asked.calendar(int(asked.suffix[column])).sessions
    before, until = np.searchsorted(sessions, [day, asked.days[k]], side="right")
    return int(until - before)


def _unexplained(asked: Asked, market: Market, unexplained: Mask) -> Iterator[Finding]:
    """Yield the holes nothing explains: refused where the folder knows of suspensions."""
    known = not market.suspensions.is_empty() or "suspensions" in market.manifest.bare
    for k in np.flatnonzero(unexplained.any(axis=1)).tolist():
        names = [
            f"{asked.symbol(j)} ({_close(asked, k, j)})"
            for j in np.flatnonzero(unexplained[k]).tolist()
        ]
        message = (
            f"no close of {asked.day(k)}, on which the exchange is open: {shown(names)}: "
            f"{_WHY[known]}"
        )
        yield Finding(asked.day(k), "R15", message, "refuse" if known else "note")
