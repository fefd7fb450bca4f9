"""The charts of a study as plain dictionaries: what is drawn, in which words, over which rows.

A figure holds ``id, title, about, digits, bounds, lines, bands, marks``. Positions count the
sessions of the study: a line's ``rows`` are those its ``values`` stand on, null where there is
none, and its first ``tested`` values rest on back-tested levels; a band is ``[first, last, key]``,
both inclusive; a mark stands at the first session that is not back-tested.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, cast

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.signals.pairs import PairStates
from indexer.signals.result import Comparison
from indexer.signals.signal import Signal

Figure = dict[str, Any]

BANDS = {
    "stretched": "stretched",
    "catch-up": "catching up: follower rises",
    "leader-fall": "catching up: leader falls",
    "both-falling": "catching up: both fall",
    "closed": "closed",
}
DIGITS = 6  # significant digits of the largest value of a line
HEADLINE = 60  # rows of the window that is shown first, where the study has it
_INK = 0  # colour of the text; the others are counted from one


def figures(comparison: Comparison) -> list[Figure]:
    """Return the figures of a study in reading order."""
    return [
        index_figure(comparison),
        *(pair_figure(comparison, pair) for pair in comparison.states),
        *(ratio_figure(comparison, found.ids) for found in comparison.ratios),
        correlation_figure(comparison),
    ]


def headline_window(windows: Sequence[int]) -> int:
    """Return the window to show first: 60 rows, else the middle one."""
    return HEADLINE if HEADLINE in windows else sorted(windows)[len(windows) // 2]


def name_of(comparison: Comparison, id: str) -> str:
    """Return the English name of an index."""
    return comparison.histories[id].definition.name.en


def ratio_name(comparison: Comparison, leader: str, follower: str) -> str:
    """Return the name of a ratio line: leader over follower."""
    return f"{name_of(comparison, leader)} / {name_of(comparison, follower)}"


def ratio_lines_name(comparison: Comparison, ids: Sequence[str]) -> str:
    """Return the name of two ratio lines that share their leader."""
    leader, first, second = (name_of(comparison, id) for id in ids)
    return f"{leader} over {first} and over {second}"


def index_figure(comparison: Comparison) -> Figure:
    """Return every index line, 100 on the first session on which all of them have a level."""
    aligned, study = comparison.aligned, comparison.study
    complete = np.flatnonzero(~np.isnan(aligned.level).any(axis=1))
    common = int(complete[0]) if complete.size else 0
    lines = []
    for k, id in enumerate(aligned.ids):
        known = np.flatnonzero(~np.isnan(aligned.level[:, k]))
        if not known.size:
            continue
        level = 100 * aligned.level[:, k] / aligned.level[max(common, known[0]), k]
        line = _line(np.arange(len(level)), level, _first_live(comparison, id))
        style = "dashed" if id == study.benchmark else "solid"
        lines.append(line | {"label": name_of(comparison, id), "slot": k + 1, "style": style})
    currency = "its own currency" if study.currency == "local" else study.currency
    where = str(aligned.sessions[common]) if complete.size else "its first session"
    about = f"Every index at 100 on {where}, in {currency}; log scale."
    figure = {"id": "indices", "title": "Index levels", "about": about, "digits": 2}
    return _figure(comparison, figure, lines, aligned.ids)


def pair_figure(comparison: Comparison, pair: PairStates) -> Figure:
    """Return the relative strength of a pair over its catch-up states."""
    ids = (pair.pair.leader, pair.pair.follower)
    strength = _signal(comparison, "relative_strength", *ids)
    # The signal counts its base too and so may be back-tested for ever: here the day's levels are.
    tested = int(comparison.aligned.tested(ids, pair.rows).sum())
    line = _line(pair.rows, strength.value, tested)
    line |= {"label": ratio_name(comparison, *ids), "slot": _INK, "style": "solid"}
    figure = {
        "id": "_".join(("pair", *ids)),
        "title": f"{line['label']}: relative strength",
        "about": "Leader over follower, 100 on the first row, log scale; shaded: catch-up states.",
        "digits": 2,
        "bands": bands(pair, len(comparison.aligned.sessions)),
    }
    return _figure(comparison, figure, [line], ids)


def bands(pair: PairStates, sessions: int) -> list[list[Any]]:
    """Return the stretches of one state, ``[first, last, key]``; neutral ones are left out."""
    told = [_band(pair.at(row)) for row in range(len(pair.rows))]
    starts = [row for row in range(len(told)) if row == 0 or told[row] != told[row - 1]]
    ends = [int(pair.rows[row]) - 1 for row in starts[1:]] + [sessions - 1]
    return [
        [int(pair.rows[row]), end, told[row]]
        for row, end in zip(starts, ends, strict=True)
        if told[row]
    ]


def ratio_figure(comparison: Comparison, ids: tuple[str, str, str]) -> Figure:
    """Return the rolling correlation of two ratio lines beside its shared-leg null."""
    windows = comparison.study.windows.correlation
    lines = []
    for n, window in enumerate(windows):
        for name, words, style in (
            ("ratio_correlation", "correlation", "solid"),
            ("ratio_null", "shared-leg null", "dotted"),
        ):
            line = _signal_line(comparison, _signal(comparison, name, *ids, window=window))
            line |= {"label": f"{words}, {window} rows", "legend": f"{window} rows"}
            shown = window == headline_window(windows)
            lines.append(line | {"slot": n + 1, "style": style, "shown": shown})
    figure = {
        "id": "_".join(("ratio", *ids)),
        "title": f"Correlation of the ratio lines: {ratio_lines_name(comparison, ids)}",
        "about": "Rolling correlation of the returns of the two lines (solid), and what the "
        "numerator they share would give by itself (dotted).",
        **_CORRELATION,
    }
    return _figure(comparison, figure, lines, ids)


def correlation_figure(comparison: Comparison) -> Figure:
    """Return the rolling correlation of leader and follower returns, of every pair."""
    study = comparison.study
    windows, lines = study.windows.correlation, []
    styles = _window_styles(windows)
    for (n, pair), window in product(enumerate(study.pairs), windows):
        ids = (pair.leader, pair.follower)
        signal = _signal(comparison, "correlation", *ids, window=window)
        names = " with ".join(name_of(comparison, id) for id in ids)
        # Second colour first: a follower then has the colour of its line among the indices.
        line = {"label": f"{names}, {window} rows", "slot": n + 2, "style": styles[window]}
        shown = window == headline_window(windows)
        lines.append(_signal_line(comparison, signal) | line | {"shown": shown})
    figure = {
        "id": "correlations",
        "title": "Correlation of leader and follower",
        "about": "Rolling correlation of the returns of leader and follower of each pair.",
        **_CORRELATION,
    }
    return _figure(comparison, figure, lines, study.indices)


_CORRELATION = {"digits": 3, "bounds": [-1, 1]}


def _figure(
    comparison: Comparison, figure: Figure, lines: list[dict[str, Any]], ids: Sequence[str]
) -> Figure:
    """Return a figure with everything a drawing may ask for."""
    absent: Figure = {"bounds": None, "bands": []}
    filled = [{"shown": True, "legend": line["label"]} | line for line in lines]
    return absent | figure | {"lines": filled, "marks": _marks(comparison, ids)}


def _marks(comparison: Comparison, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return where the back-tested stretch of some indices ends, once for each day of selection.

    Levels of one date are known on different sessions where exchanges differ: the last counts.
    """
    ends: dict[str, int] = {}
    for id in ids:
        day = str(comparison.histories[id].definition.selected_on)
        ends[day] = max(ends.get(day, 0), _first_live(comparison, id))
    count = len(comparison.aligned.sessions)
    return [{"at": at, "label": f"selected {day}"} for day, at in ends.items() if 0 < at < count]


def _first_live(comparison: Comparison, id: str) -> int:
    """Return the session after the last one whose level of an index is back-tested."""
    (column,) = comparison.aligned.columns([id])
    tested = np.flatnonzero(comparison.aligned.backtested[:, column])
    return int(tested[-1]) + 1 if tested.size else 0


def _signal(comparison: Comparison, name: str, *ids: str, window: int | None = None) -> Signal:
    """Return the signal of a pair, or of a triple where there are three ids."""
    key = (name, *(*ids, "")[:3], window)
    return next(
        s for s in comparison.signals if (s.name, s.leader, s.follower, s.other, s.window) == key
    )


def _signal_line(comparison: Comparison, signal: Signal) -> dict[str, Any]:
    rows = np.searchsorted(comparison.aligned.sessions, signal.days)
    return _line(rows, signal.value, int(signal.backtested.sum()))


def _line(rows: Rows, values: Vector, tested: int) -> dict[str, Any]:
    return {"rows": rows.tolist(), "values": compact(values), "tested": tested}


def compact(values: Vector) -> list[float | None]:
    """Return values rounded to what a chart can show; None where there is none.

    Examples
    --------
    >>> compact(np.array([np.nan, 1.0, 2 / 3, 123.456789]))
    [None, 1.0, 0.667, 123.457]
    """
    there = np.isfinite(values)
    largest = np.abs(values[there]).max(initial=0.0)
    decimals = DIGITS - 1 - int(np.floor(np.log10(largest))) if largest else 0
    rounded = np.round(values, decimals).astype(object)
    rounded[~there] = None
    return cast("list[float | None]", rounded.tolist())


def _band(told: dict[str, Any]) -> str:
    """Return the key of a state's shade, empty for neutral; a turn is told apart by its kind."""
    if told["state"] == "catching_up":
        return str(told["kind"]).replace(" ", "-")
    return "" if told["state"] == "neutral" else str(told["state"])


def _window_styles(windows: Sequence[int]) -> dict[int, str]:
    """Return the stroke of each window's line: solid for the headline, the others by turns."""
    others = [window for window in windows if window != headline_window(windows)]
    turns = {window: ("dotted", "dashed")[n % 2] for n, window in enumerate(others)}
    return {headline_window(windows): "solid"} | turns
