"""What a notebook shows of a result: a few figures in a table, and drawings of its lines."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from indexer.arrays import Rows, Vector
from indexer.index.history import History
from indexer.report.backtested import MARK, NOTE, pair_backtested, starred
from indexer.report.drawing import Drawing, drawing
from indexer.report.figures import bands, name_of, rebased
from indexer.report.marks import bilingual, in_both
from indexer.report.markup import figure_text, safe
from indexer.report.words import KINDS, STATES
from indexer.signals.result import Comparison
from indexer.signals.signal import after_last
from indexer.words import VARIANTS, Text

_SYNTHETIC = "合成数据 SYNTHETIC DATA"


def history_drawing(history: History) -> Drawing:
    """Return the lines of an index, one for each variant."""
    rows, tested = np.arange(len(history.days)), after_last(history.backtested)
    lines = [
        _line(name, rows, level, tested, slot=n)
        for n, (name, level) in enumerate(history.variants.items(), start=1)
    ]
    figure = {
        "title": bilingual(history.definition.name),
        "lines": lines,
        "bands": [],
        "bounds": None,
    }
    return drawing([figure], list(map(str, history.days)), _mark(history.synthetic))


def comparison_drawing(comparison: Comparison) -> Drawing:
    """Return the index lines of a study, its pairs over their states, and its ratio lines."""
    figures = [_indices(comparison), *_pairs(comparison), *_ratios(comparison)]
    sessions = list(map(str, comparison.aligned.sessions))
    return drawing(figures, sessions, _mark(comparison.synthetic))


def _indices(comparison: Comparison) -> dict[str, Any]:
    """Return every index line, 100 on the session on which the page has it."""
    aligned, lines = comparison.aligned, []
    for id, (_, level) in rebased(aligned).items():
        known, k = np.flatnonzero(~np.isnan(level)), aligned.ids.index(id)
        tested = after_last(aligned.backtested[known, k])
        lines.append(_line(_name(comparison, id), known, level[known], tested, slot=k + 1))
    return {"title": "指数点位 Index levels", "lines": lines, "bands": [], "bounds": None}


def _pairs(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield the relative strength of each pair over its states."""
    for pair in comparison.states:
        ids = (pair.pair.leader, pair.pair.follower)
        signal = comparison.signal("relative_strength", *ids)
        label = " / ".join(_name(comparison, id) for id in ids)
        tested = after_last(signal.backtested)
        yield {
            "title": "相对强弱 Relative strength",
            "lines": [_line(label, pair.rows, signal.value, tested, slot=0)],
            "bands": bands(pair),
            "bounds": None,
        }


def _ratios(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield the correlation of two ratio lines, and dotted what they share by arithmetic."""
    window = comparison.study.windows.headline
    for found in comparison.ratios:
        lines = []
        for name, (words, style) in _RATIO.items():
            signal = comparison.signal(name, *found.ids, window=window)
            rows = np.searchsorted(comparison.aligned.sessions, signal.days)
            tested = after_last(signal.backtested)
            line = _line(f"{words}, {window}", rows, signal.value, tested, slot=1)
            lines.append(line | {"style": style})
        names = " / ".join(_name(comparison, id) for id in found.ids)
        title = f"比值线相关 Ratio lines: {names}"
        yield {"title": title, "lines": lines, "bands": [], "bounds": [-1, 1]}


_RATIO = {
    "ratio_correlation": ("相关系数 correlation", "solid"),
    "ratio_null": ("共用分子零假设值 shared-leg null", "dotted"),
}


def _line(label: str, rows: Rows, values: Vector, tested: int, *, slot: int) -> dict[str, Any]:
    told = [None if np.isnan(value) else value for value in values.tolist()]
    line = {"label": label, "rows": rows.tolist(), "values": told, "tested": tested}
    return line | {"slot": slot, "style": "solid"}


def _name(comparison: Comparison, id: str) -> str:
    return bilingual(comparison.histories[id].definition.name)


def history_html(history: History) -> str:
    """Return what happened to an index, in a few figures."""
    told = history.summary
    row = [
        in_both(VARIANTS[told["variant"]]),
        f"{told['first']['date']}: {told['first']['level']:.4f}",
        f"{told['last']['date']}: {told['last']['level']:.4f}",
        f"{told['return']:+.1%}",
        "–" if told["volatility"] is None else f"{told['volatility']:.1%}",
        f"{told['maximum_drawdown']:.1%}",
        f"{told['carried_last']} / {told['constituents']}",
        str(int(history.backtested.sum())),
    ]
    heads = (
        *("口径 Variant", "首日 First", "末日 Last", "涨跌幅 Return", "波动率 Volatility"),
        *("最大回撤 Maximum drawdown", "沿用旧价 Carried", "回测交易日 Back-tested sessions"),
    )
    name = bilingual(history.definition.name)
    return _html(name, heads, [row], history.synthetic, history.warnings)


def comparison_html(comparison: Comparison) -> str:
    """Return where each pair of a study stands."""
    told = comparison.summary
    marks = [pair_backtested(comparison, pair) for pair in told["pairs"]]
    rows = [
        [
            f"{_name(comparison, pair['leader'])} / {_name(comparison, pair['follower'])}",
            in_both(STATES[pair["state"]]),
            pair["since"],
            in_both(KINDS[pair["kind"]]) if pair["kind"] else "–",
            *(
                starred(figure_text(pair[name], 2), tested[name]).en
                for name in ("relative_strength", "zscore")
            ),
            pair["last_row"],
        ]
        for pair, tested in zip(told["pairs"], marks, strict=True)
    ]
    heads = (
        *("领先 / 跟随 Leader / follower", "状态 State", "起始 Since", "收敛方式 Kind"),
        *("相对强弱 Relative strength", "z值 z", "最近一期 Last row"),
    )
    name = bilingual(comparison.study.name)
    tested = [
        Text(
            f"Back-tested before {day}: {', '.join(name_of(comparison, id).en for id in ids)}",
            f"{day}之前为回测：{'、'.join(name_of(comparison, id).zh for id in ids)}",
        )
        for day, ids in comparison.backtested_before.items()
    ]
    if any(cell.endswith(MARK) for _, *figures in rows for cell in figures):
        tested.append(NOTE)
    return _html(name, heads, rows, comparison.synthetic, [*tested, *comparison.warnings])


def _html(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    synthetic: bool,
    warnings: Sequence[Text],
) -> str:
    head = "".join(f"<th>{safe(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{safe(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return "".join(
        [
            f"<p><strong>{safe(title)}</strong></p>",
            f"<p><strong>{_SYNTHETIC}</strong></p>" if synthetic else "",
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
            *(f"<p>{safe(in_both(warning))}</p>" for warning in warnings),
        ]
    )


def _mark(synthetic: bool) -> str:
    return _SYNTHETIC if synthetic else ""
