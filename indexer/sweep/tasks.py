"""The work itself: what is told of one variant of a study, or of one index, on a market.

A result is bytes, the same for the same variant whoever calculated it.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from indexer.arrays import Days, or_none
from indexer.definitions.basket import Index
from indexer.definitions.read import restore_index, restore_study
from indexer.definitions.study import Study
from indexer.errors import IndexerError
from indexer.index.batch import Levels, Spreads, batch_built
from indexer.index.build import build
from indexer.index.caveats import calendar_caveat, issuer_caveat, missing_caveat
from indexer.index.history import History, backtested, maximum_drawdown, volatility
from indexer.market.calendar import read_calendar
from indexer.market.excerpt import MappedMarket, excerpt
from indexer.run.results import fixings_of
from indexer.signals.evaluate import HORIZONS, episodes, return_moments, state_returns
from indexer.signals.pairs import PairStates
from indexer.signals.signal import SharedRows
from indexer.signals.study import states_of
from indexer.sweep.plan import failed
from indexer.words import Text

KEPT = 32  # histories in a process: variants of one study share most of their indices

Histories = dict[str, History]  # by the canonical text of the definition


def study_result(
    text: str, cost_bps: float, market: MappedMarket, known: Histories
) -> dict[str, Any]:
    """Return what is told of each pair of a study: states, episodes, hits and Sharpe ratio.

    Parameters
    ----------
    text : the study and the indices of its pairs, as `study_text` writes them
    known : histories of indices on this market; those that are new are added
    """
    study, indices = restore_study(text)
    histories = {id: _history(index, market, known) for id, index in indices.items()}
    found, warnings = states_of(study, histories, fixings_of(study, market.rest))
    told = [warning.en for warning in warnings]
    told += [f"{id}: {one.en}" for id, history in histories.items() for one in history.warnings]
    return {
        "warnings": told,
        "pairs": [_pair(study, rows, states, cost_bps) for rows, states in found],
    }


def _history(index: Index, market: MappedMarket, known: Histories) -> History:
    if index.canonical not in known:
        while len(known) >= KEPT:
            known.pop(next(iter(known)))
        known[index.canonical] = build(index, excerpt(market, getattr(index, "symbols", ())))
    return known[index.canonical]


def _pair(study: Study, rows: SharedRows, states: PairStates, cost_bps: float) -> dict[str, Any]:
    leader, follower = states.leader, states.follower
    found = episodes(states.states, leader, follower, study.windows.zscore, rows.backtested)
    moments = return_moments(state_returns(states.states, leader, follower, cost_bps))
    last = states.at(len(states.rows) - 1)
    told: dict[str, Any] = {
        "leader": states.pair.leader,
        "follower": states.pair.follower,
        "last_row": str(rows.days[-1]),
        "state": last["state"],
        "kind": last["kind"],
        "since": str(rows.days[last["since"]]),
        "episodes": len(found),
        "backtested": sum(episode.backtested for episode in found),
        "turned": sum(episode.turn_on is not None for episode in found),
        "closed": sum(episode.closed_on is not None for episode in found),
        "failed_turns": sum(episode.failed_turns for episode in found),
    }
    for horizon in HORIZONS:
        ahead = np.array([getattr(episode, f"forward_{horizon}") for episode in found])
        there = ahead[~np.isnan(ahead)]
        told[f"hits_{horizon}"] = int((there > 0).sum())
        told[f"cases_{horizon}"] = len(there)
    told["sharpe"] = or_none(moments.sharpe)
    told |= {"returns": moments.length, "skew": or_none(moments.skew)}
    return told | {"kurtosis": or_none(moments.kurtosis)}


def index_result(
    index: Index, days: Days, levels: Levels, warnings: Sequence[Text]
) -> dict[str, Any]:
    """Return what is told of an index in one row; (T,) sessions and levels by variant."""
    name, level = next(iter(levels.items()))
    return {
        "warnings": [f"{index.id}: {warning.en}" for warning in warnings],
        "variant": name,
        "first_session": str(days[0]),
        "last_session": str(days[-1]),
        "backtested": int(backtested(days, index.selected_on).sum()),
        "first_level": float(level[0]),
        "last_level": float(level[-1]),
        "volatility": volatility(level),
        "maximum_drawdown": maximum_drawdown(level),
    }


def index_results(
    texts: Sequence[str], market: MappedMarket, spreads: Spreads
) -> Iterator[dict[str, Any]]:
    """Yield what is told of each index, its levels included; of one that fails, why."""
    indices = [restore_index(text) for text in texts]
    batched = {} if market.grid is None else batch_built(indices, spreads)
    for n, index in enumerate(indices):
        try:
            if n in batched:
                days, levels, missing = batched[n]
                known = calendar_caveat(read_calendar(index.calendar), days[-1].item())
                same = issuer_caveat(getattr(index, "constituents", ()), market.rest.securities)
                warnings = (*missing_caveat(missing), *same, *known)
            else:
                days, levels, warnings = _built(index, market)
            told = index_result(index, days, levels, warnings)
            told["levels"] = {"days": days.astype("<M8[D]")}
            told["levels"] |= {name: np.asarray(level, "<f8") for name, level in levels.items()}
            yield told
        except IndexerError as error:
            yield {"error": failed(error)}


def _built(index: Index, market: MappedMarket) -> tuple[Days, Levels, tuple[Text, ...]]:
    history = build(index, excerpt(market, getattr(index, "symbols", ())))
    levels = {str(name): level for name, level in history.variants.items()}
    return history.days, levels, history.warnings


def packed(result: dict[str, Any]) -> bytes:
    """Return a result as bytes: a line of JSON, then days and levels, eight bytes each.

    A NaN in the line is a bug and raises.
    """
    levels = result.get("levels", {})
    line = json.dumps(result | {"levels": [*levels]}, ensure_ascii=False, allow_nan=False)
    return line.encode() + b"\n" + b"".join(values.tobytes() for values in levels.values())


def opened(content: bytes) -> dict[str, Any]:
    """Return a result from its bytes: `packed` the other way round."""
    end = content.index(b"\n") + 1
    result: dict[str, Any] = json.loads(content[:end])
    names = result.pop("levels")
    if names:
        rows = np.frombuffer(content, "<f8", offset=end).reshape(len(names), -1)
        result["levels"] = dict(zip(names, rows, strict=True))
        result["levels"]["days"] = rows[0].view("<i8").view("<M8[D]")  # `packed` has them first
    return result
