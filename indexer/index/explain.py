"""What moved an index on one session: the index desk's daily question."""

from datetime import date
from typing import Any

import numpy as np

from indexer.arrays import Rows
from indexer.errors import Flaw, MissingInputError
from indexer.index.history import History
from indexer.market.events import DEPARTING
from indexer.market.lines import RENAME, SPINOFF
from indexer.market.panel import Panel

TRANSFERRING = (*DEPARTING, SPINOFF, RENAME)


def explain(history: History, day: date) -> dict[str, Any]:
    """Return levels, contributions, actions and carried prices of one session.

    Actions restate a price; transfers are those by which a line ends, joins or passes its shares
    on, each line with its shares before and after.

    Contributions are fractions of the price return and sum to it, largest first; weights are those
    at the close of the session before, restated for the morning's actions.

    Raises
    ------
    MissingInputError
        If the index has no level of that day, or nothing to compare it with, or is a series.
    """
    row = int(np.searchsorted(history.days, np.datetime64(day)))
    found = row < len(history.days) and history.days[row] == np.datetime64(day)
    if history.panel is None:
        message = "is a ready-made series: it has no constituents that could have moved it"
        raise MissingInputError([Flaw(history.definition.id, None, "", message)])
    if not found or row == 0:
        first, last = history.days[0], history.days[-1]
        span = f"from {first} to {last}"
        if found:
            span = f"from {first} on, and the first one is compared with none"
        message = f"nothing to explain on {day}: it has levels {span}"
        raise MissingInputError([Flaw(history.definition.id, None, "", message)])
    panel, around = history.panel, (("before", row - 1), ("after", row))
    at = len(panel.sessions) - len(history.days) + row
    names, moves = history.names, history.contribution[row]
    held = np.flatnonzero(~np.isnan(moves))
    opening = history.opening_weights[row]
    order = held[np.argsort(-np.abs(moves[held]), kind="stable")]
    return {
        "id": history.definition.id,
        "date": str(day),
        "synthetic": history.synthetic,
        "backtested": bool(history.backtested[row]),
        "levels": {
            name: {when: float(level[n]) for when, n in around}
            for name, level in history.variants.items()
        },
        "price_return": float(moves[held].sum()),
        "dividend_points": float(history.income[row, 0]),
        "divisor": {when: float(history.divisor[n]) for when, n in around},
        "contributions": [
            {
                "symbol": panel.lines[j].symbol,
                "name": names[j],
                "weight": float(opening[j]),
                "return": float(moves[j] / opening[j]) if opening[j] else None,
                "contribution": float(moves[j]),
            }
            for j in order
        ],
        "actions": _actions(panel, history, at, row),
        "changes": [c.kind for c in history.changes if c.date == history.days[row]],
        "transfers": _transfers(history, row),
        "carried": _carried(panel, held, at),
    }


def _actions(panel: Panel, history: History, at: int, row: int) -> list[dict[str, Any]]:
    """Return the actions that took effect on held constituents, with what they did to the price."""
    day = history.days[row]
    gave = {c.symbol for c in history.changes if c.date == day and c.shares_before != 0.0}
    return [
        {
            "symbol": panel.lines[e.column].symbol,
            "kind": e.kind,
            "ex_date": str(e.ex_date),
            "close_before": e.event.prior,
            "ex_reference": e.event.ex_reference,
            "cash": e.event.ordinary + e.event.special,
        }
        for e in panel.events
        if e.row == at
        and (history.shares[row, e.column] != 0.0 or panel.lines[e.column].symbol in gave)
    ]


def _transfers(history: History, row: int) -> list[dict[str, Any]]:
    """Return the lines that ended, joined, gave shares or received them, in order."""
    return [
        {
            "symbol": c.symbol,
            "kind": c.kind,
            "shares_before": c.shares_before,
            "shares_after": c.shares_after,
        }
        for c in history.changes
        if c.date == history.days[row] and c.kind in TRANSFERRING
    ]


def _carried(panel: Panel, held: Rows, at: int) -> list[dict[str, Any]]:
    """Return the held constituents without a close that day, and how old their close is.

    None for one that has never had a close, as what a spin-off brings may not have.
    """
    told = []
    for j in held:
        day = panel.dated[at, j]
        if day != panel.sessions[at]:
            age = int(at + 1 - np.searchsorted(panel.sessions, day, "right"))
            never = bool(np.isnat(day))
            told.append(
                {
                    "symbol": panel.lines[j].symbol,
                    "close_of": None if never else str(day),
                    "sessions": None if never else age,
                }
            )
    return told
