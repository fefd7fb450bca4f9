"""The charts of a study over time: what is drawn, in which words."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.report.figure import Figure, FigureLine, Mark
from indexer.report.words import PALE, named, shade_of
from indexer.signals.align import Aligned
from indexer.signals.pairs import PairInference, PairStates
from indexer.signals.result import Comparison
from indexer.signals.signal import Signal, after_last
from indexer.words import Text, joined

NORMAL = 1.96  # deviations that 95 of 100 errors of prediction stay within
_INK = 0  # colour of the text; the others are counted from one


def name_of(comparison: Comparison, id: str) -> Text:
    """Return the name of an index."""
    return named(comparison.histories[id].definition.name)


def ratio_name(comparison: Comparison, leader: str, follower: str) -> Text:
    """Return the name of a ratio line: leader over follower."""
    return joined([name_of(comparison, id) for id in (leader, follower)], " / ", " / ")


def ratio_lines_name(comparison: Comparison, ids: Sequence[str]) -> Text:
    """Return the name of two ratio lines that share their leader."""
    leader, first, second = (name_of(comparison, id) for id in ids)
    return Text(
        f"{leader.en} over {first.en} and over {second.en}",
        f"{leader.zh} / {first.zh} 与 {leader.zh} / {second.zh}",
    )


def slot_of(comparison: Comparison, id: str) -> int:
    """Return the colour of an index: it has the same one wherever it is drawn."""
    return comparison.aligned.ids.index(id) + 1


def pair_slots(comparison: Comparison) -> list[int]:
    """Return the colour of each pair: its follower's, else its leader's, else one of no index."""
    spare = len(comparison.aligned.ids) + 1
    found: list[int] = []
    for pair in comparison.study.pairs:
        own = [slot_of(comparison, id) for id in (pair.follower, pair.leader)]
        free = [slot for slot in own if slot not in found]
        found.append(free[0] if free else max(spare, max(found) + 1))
    return found


class Rebased(NamedTuple):
    """An index line, 100 on one session.

    Attributes
    ----------
    at : that session
    level : (T,) NaN where there is none
    """

    at: int
    level: Vector


def common_session(aligned: Aligned) -> int | None:
    """Return the first session on which every index has a level; None where there is none."""
    complete = np.flatnonzero(~np.isnan(aligned.level).any(axis=1))
    return int(complete[0]) if complete.size else None


def rebased(aligned: Aligned) -> dict[str, Rebased]:
    """Return every index line that has a level, 100 on the first session they share, by id.

    Each on its own first one where they share none.
    """
    common, found = common_session(aligned), {}
    for id, level in zip(aligned.ids, aligned.level.T, strict=True):
        known = np.flatnonzero(~np.isnan(level))
        if known.size:
            at = int(known[0]) if common is None else common
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # not drawn
                found[id] = Rebased(at, 100 * level / level[at])
    return found


def index_figure(comparison: Comparison) -> Figure:
    """Return every index line, 100 on the first session on which all of them have a level."""
    aligned, study = comparison.aligned, comparison.study
    lines, common = [], common_session(aligned)
    for id, (_, level) in rebased(aligned).items():
        line = line_of(np.arange(len(level)), level, first_live(comparison, id), 2)
        style = "dashed" if id == study.benchmark else "solid"
        line |= {"label": name_of(comparison, id), "slot": slot_of(comparison, id), "style": style}
        lines.append(line)
    where = None if common is None else str(aligned.sessions[common])
    local = study.currency == "local"
    about = Text(
        f"Every index at 100 on {where or 'its first session'}, or on the session that the slider "
        f"sets, in {'its own currency' if local else study.currency}; log scale.",
        f"各指数以{where or '其首个交易日'}（或滑块所选交易日）为100，"
        f"{'以各自货币计价' if local else f'以{study.currency}计价'}；对数坐标。",
    )
    figure: Figure = {
        "id": "indices",
        "title": Text("Index levels", "指数走势"),
        "about": about,
        "digits": 2,
        "rebase": common or 0,
    }
    return time_figure(comparison, figure, lines, aligned.ids)


def pair_figure(comparison: Comparison, pair: PairStates, found: PairInference) -> Figure:
    """Return the relative strength of a pair over its catch-up states, with its turns."""
    ids = (pair.pair.leader, pair.pair.follower)
    strength = comparison.signal("relative_strength", *ids)
    line = signal_line(comparison, strength, 3)
    line |= {"label": ratio_name(comparison, *ids), "slot": _INK, "style": "solid"}
    figure: Figure = {
        "id": "_".join(("pair", *ids)),
        "title": joined([line["label"], Text("relative strength", "相对强弱")], ": ", "："),
        "about": Text(
            "Leader over follower, 100 on the first row, on which all of it rests, log scale; "
            "shaded: catch-up states; dotted: turns that held.",
            "领先指数除以跟随指数，首期为100，其后各值均以首期为准，对数坐标；底色为补涨状态，点线为未失败的拐点。",
        ),
        "digits": 2,
        "bands": bands(pair),
    }
    drawn = time_figure(comparison, figure, [line], ids)
    drawn["marks"] += [
        {"at": int(pair.rows[episode.turn_on]), "label": None}
        for episode in found.episodes
        if episode.turn_on is not None
    ]
    return drawn


def bands(pair: PairStates) -> list[list[Any]]:
    """Return the stretches of one state, ``[first, last, key]``; neutral ones are left out.

    The last one ends with the pair's last row, as its line does, though its state is carried on.
    """
    states = [pair.at(row) for row in range(len(pair.rows))]
    told = [shade_of(state["state"], state["kind"] or "") for state in states]
    starts = [row for row in range(len(told)) if row == 0 or told[row] != told[row - 1]]
    ends = [int(pair.rows[row]) - 1 for row in starts[1:]] + [int(pair.rows[-1])]
    return [
        [int(pair.rows[row]), end, told[row]]
        for row, end in zip(starts, ends, strict=True)
        if told[row]
    ]


def gap_figure(comparison: Comparison) -> Figure:
    """Return how far each follower lags its beta to the leader, beside what chance would do."""
    study = comparison.study
    lines, sessions = [], len(comparison.aligned.sessions)
    for pair, slot in zip(study.pairs, pair_slots(comparison), strict=True):
        found = comparison.signal("gap_z", pair.leader, pair.follower, window=study.windows.gap)
        line = signal_line(comparison, found, 2)
        name = ratio_name(comparison, pair.leader, pair.follower)
        lines.append(line | {"label": name, "slot": slot, "style": "solid"})
    for sign in (1, -1):
        edge = line_of(np.array([0, sessions - 1]), np.full(2, sign * NORMAL), 0, 2)
        words = Text(f"{sign * NORMAL:+.2f}", f"{sign * NORMAL:+.2f}")
        lines.append(edge | {"label": words, "slot": 8, "style": "dotted", "button": False})
    figure: Figure = {
        "id": "gaps",
        "title": Text(
            "Gap of the follower in errors of prediction (gap_z)",
            "跟随指数的偏离，以预测标准误计（gap_z）",
        ),
        "about": Text(
            f"What the follower lacks to have moved over {study.windows.gap} rows as before, by "
            "its own drift and by its beta times the leader's move; in errors of prediction. 95 of "
            "100 lie between the dotted lines where nothing but that is at work. Positive: the "
            "follower lags. The gap of the table, in per cent, is another measure (gap): it leaves "
            "the drift out.",
            f"过去{study.windows.gap}期，跟随指数与此前关系（自身漂移加贝塔乘以领先指数涨幅）相比尚未补上的涨幅，"
            "以预测标准误为单位：若仅有该回归关系，95%的情形落在两条点线之间。正值表示跟随指数落后。"
            "表中以百分比表示的偏离（gap）是另一指标，不含漂移项。",
        ),
        "digits": 2,
        "scale": "value",
    }
    return time_figure(comparison, figure, lines, study.indices)


def time_figure(
    comparison: Comparison, figure: Figure, lines: list[FigureLine], ids: Sequence[str]
) -> Figure:
    """Return a figure with everything a drawing may ask for."""
    absent: Figure = {"kind": "time", "bounds": None, "scale": "log", "bands": [], "rebase": None}
    if any(line["tested"] for line in lines):
        figure = figure | {"about": joined([figure["about"], PALE], " ", "")}
    filled = [_filled(line) for line in lines]
    drawn: Figure = {"of": list(ids), "lines": filled, "marks": _marks(comparison, ids)}
    return absent | figure | drawn


def _filled(line: FigureLine) -> FigureLine:
    absent: FigureLine = {"shown": True, "button": True, "legend": line["label"]}
    return absent | line


def _marks(comparison: Comparison, ids: Sequence[str]) -> list[Mark]:
    """Return where the back-tested stretch of some indices ends, once for each day of selection.

    Levels of one date are known on different sessions where exchanges differ: the last counts.
    """
    ends: dict[str, int] = {}
    for id in ids:
        day = str(comparison.histories[id].definition.selected_on)
        ends[day] = max(ends.get(day, 0), first_live(comparison, id))
    count = len(comparison.aligned.sessions)
    return [
        {"at": at, "label": Text(f"selected {day}", f"选样日 {day}")}
        for day, at in ends.items()
        if 0 < at < count
    ]


def first_live(comparison: Comparison, id: str) -> int:
    """Return the session after the last one whose level of an index is back-tested."""
    (column,) = comparison.aligned.columns([id])
    return after_last(comparison.aligned.backtested[:, column])


def signal_line(comparison: Comparison, signal: Signal, digits: int) -> FigureLine:
    """Return the line of a signal, rounded to what is printed."""
    rows = np.searchsorted(comparison.aligned.sessions, signal.days)
    tested = after_last(signal.backtested & ~np.isnan(signal.value))
    return line_of(rows, signal.value, tested, digits)


def line_of(rows: Rows, values: Vector, tested: int, digits: int) -> FigureLine:
    """Return a line on some rows, the first ``tested`` of them back-tested."""
    told = compact(values, digits)
    return {"rows": rows.tolist(), "values": told, "digits": digits, "tested": tested}


def compact(values: Vector, digits: int) -> list[float | None]:
    """Return values rounded to what is printed; None where there is none, or it is beyond that.

    Examples
    --------
    >>> compact(np.array([np.nan, 1.0, 2 / 3, 123.456789]), 3)
    [None, 1.0, 0.667, 123.457]
    """
    with np.errstate(over="ignore"):
        rounded = np.round(values, digits)
    told = rounded.astype(object)
    told[~np.isfinite(rounded)] = None
    return cast("list[float | None]", told.tolist())
