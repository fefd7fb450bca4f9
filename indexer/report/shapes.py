"""The charts of a study that do not run over time: rotation, lead and lag, heat, events."""

from collections.abc import Iterator

import numpy as np

from indexer.definitions.model import Name
from indexer.index.history import History
from indexer.report.figure import Figure, FigureLine
from indexer.report.figures import (
    compact,
    name_of,
    pair_slots,
    ratio_name,
    slot_of,
)
from indexer.report.words import PALE, named
from indexer.signals.breadth import CORRELATION_WINDOW
from indexer.signals.events import Happening
from indexer.signals.matrix import correlation_matrix
from indexer.signals.pairs import PairInference
from indexer.signals.result import Comparison
from indexer.signals.rotation import WEEKS, week_ends
from indexer.words import Text, joined, same

TAIL = 10  # weeks of a rotation's tail


def rotation_figure(comparison: Comparison) -> Figure:
    """Return where each pair stands in the weekly rotation, and where it came from."""
    tails: list[FigureLine] = []
    for pair, slot in zip(comparison.study.pairs, pair_slots(comparison), strict=True):
        ids = (pair.leader, pair.follower)
        across = comparison.signal("rs_ratio", *ids, window=WEEKS)
        up = comparison.signal("rs_momentum", *ids, window=WEEKS)
        ends = np.flatnonzero(week_ends(up.days))
        there = ends[~np.isnan(across.value[ends]) & ~np.isnan(up.value[ends])][-TAIL:]
        tails.append(
            {
                "label": ratio_name(comparison, *ids),
                "slot": slot,
                "days": [str(day) for day in up.days[there]],
                "x": compact(across.value[there], 2),
                "y": compact(up.value[there], 2),
                "tested": int((across.backtested | up.backtested)[there].sum()),
            }
        )
    return {
        "id": "rotation",
        "kind": "rotation",
        "title": Text("Weekly rotation", "周度轮动图"),
        "about": Text(
            f"Relative strength of the leader and its momentum, each 100 at its mean of {WEEKS} "
            f"weeks; the last {TAIL} weeks, the newest one marked, pale where back-tested. "
            "Clockwise: leading, weakening, lagging, improving.",
            f"领先指数的相对强弱及其动量，均以{WEEKS}周均值为100；显示最近{TAIL}周，大点为最新一周，浅色为回测。"
            "顺时针依次为：领先、转弱、落后、改善。",
        ),
        "digits": 2,
        "of": list(comparison.study.indices),
        "lines": tails,
    }


def lead_lag_figures(comparison: Comparison) -> Iterator[Figure]:
    """Yield, of each pair, the correlation of its whitened returns at each lag."""
    for pair, slot in zip(comparison.pairs, pair_slots(comparison), strict=True):
        if pair.lead_lag is not None:
            yield _lead_lag(comparison, pair) | {"slot": slot}


def _lead_lag(comparison: Comparison, pair: PairInference) -> Figure:
    found, ids = pair.lead_lag, pair.rows.ids
    assert found is not None  # noqa: S101 (the caller has looked)
    name, tested = ratio_name(comparison, *ids), bool(pair.rows.backtested.any())
    about = Text(
        "Correlation of the leader's return with the follower's so many rows later (right) or "
        "earlier (left), of whitened returns. Beyond the dashed band, bar nought, something leads: "
        "chance alone passes it anywhere 5 times in 100, and more often where the two share their "
        "volatility.",
        "领先指数收益率与其后（右）或其前（左）若干期跟随指数收益率的相关系数，收益率已剔除自相关。"
        "除0期外，越出虚线带才说明存在领先关系：若纯属偶然，至少有一处越出的概率为5%；若两者波动率同起同落，则高于5%。",
    )
    notes = [PALE] if tested else []
    if pair.apparent_leader:
        early = name_of(comparison, pair.apparent_leader)
        told = Text(
            f"The hours of closing alone would make {early.en} look like a leader.",
            f"仅因收盘时间不同，{early.zh}便会显得领先。",
        )
        notes.insert(0, told)
    return {
        "id": "_".join(("leadlag", *ids)),
        "kind": "bars",
        "title": joined([Text("Lead and lag", "领先与滞后"), name], ": ", "："),
        "about": joined([about, *notes], " ", ""),
        "digits": 3,
        "of": list(ids),
        "tested": tested,
        "x": found.lag.tolist(),
        "y": compact(found.correlation, 3),
        "band": None if np.isnan(found.band) else round(float(found.band), 3),
    }


def heat_figure(history: History) -> Figure | None:
    """Return the correlations of the constituents of an index by segment; None without them."""
    found = correlation_matrix(history)
    panel = history.panel
    if panel is None or not np.isfinite(found.correlation).any():
        return None
    id, names = history.definition.id, history.names
    return {
        "id": f"heat_{id}",
        "kind": "heat",
        "title": joined(
            [
                Text("Constituents, each with each", "成分股两两相关"),
                named(history.definition.name),
            ],
            ": ",
            "：",
        ),
        "about": Text(
            f"Correlation of the last {CORRELATION_WINDOW} returns, by segment: from −1, blue, "
            "over 0, the colour of the paper, to 1, red; empty where a close is missing.",
            f"最近{CORRELATION_WINDOW}个收益率的相关系数，按细分环节排列：−1为蓝色，0为底色，1为红色；收盘价缺失处留空。",
        ),
        "digits": 2,
        "of": [id],
        "symbols": [panel.symbols[j] for j in found.column],
        "names": [names[j] or panel.symbols[j] for j in found.column],
        "segments": [panel.segments[j] or "–" for j in found.column],
        "values": [compact(row[: n + 1], 2) for n, row in enumerate(found.correlation)],
    }


def event_figures(comparison: Comparison) -> Iterator[Figure]:
    """Yield, of each event, what its indices did beyond their benchmark, added up."""
    by_event: dict[tuple[str, Name], list[Happening]] = {}
    for seen in comparison.happenings:
        if np.isnan(seen.found.cumulative).all():  # the warnings say why
            continue
        by_event.setdefault((str(seen.event.date), seen.event.name), []).append(seen)
    for n, ((day, name), group) in enumerate(by_event.items()):
        lines: list[FigureLine] = [
            {
                "label": name_of(comparison, seen.id),
                "slot": slot_of(comparison, seen.id),
                "x": seen.found.offset.tolist(),
                "y": compact(100 * np.expm1(seen.found.cumulative), 2),
                "days": ["" if np.isnat(d) else str(d) for d in seen.days],
                "tested": bool(seen.backtested.any()),
            }
            for seen in group
        ]
        yield {
            "id": f"event_{n}",
            "kind": "offsets",
            "title": joined([same(day), named(name)], ": ", "："),
            "about": Text(
                "Abnormal move, what the benchmark does not explain, in per cent, compounded from "
                "five rows before the event on; p stands in the table. That of all rows up to +20 "
                "is too small: without any event it is 0.05 or less in 12 of 100. "
                "Pale: back-tested.",
                "异常涨跌幅（基准不能解释的部分，%），自事件前5期起逐期累计；p值见表。"
                "累计至第20期的p值偏小：即使没有事件，100次中也有12次不高于0.05。浅色为回测。",
            ),
            "digits": 2,
            "of": list(dict.fromkeys([*(seen.id for seen in group), comparison.study.benchmark])),
            "lines": lines,
        }
