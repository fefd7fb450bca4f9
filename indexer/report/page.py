"""The page of a study: one self-contained file that shows what a comparison says.

The answer comes first, then the charts, then what a reader must know before trusting either. The
page loads nothing: its script, style and figures are inside, and its own policy forbids the rest.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from indexer.definitions.model import Name
from indexer.report.figures import (
    BANDS,
    Figure,
    figures,
    headline_window,
    name_of,
    ratio_lines_name,
    ratio_name,
)
from indexer.signals.result import Comparison

_DIGEST = 12  # characters of a digest that are shown


def study_page(comparison: Comparison) -> str:
    """Return the page of a study as the text of one HTML file.

    The same comparison gives the same text. Every name and note of a definition is escaped.
    """
    summary, drawn = comparison.summary, figures(comparison)
    parts = [
        *_heading(comparison),
        *_banners(comparison),
        "<h2>Where the pairs stand</h2>",
        *_pairs(comparison, summary["pairs"]),
        *_ratio_lines(comparison, summary["ratio_lines"]),
        "<h2>Charts</h2>",
        *_charts(comparison, drawn),
        "<h2>Data and caveats</h2>",
        *_warnings(comparison),
        *_indices(comparison, summary["indices"]),
        *_facts(comparison),
    ]
    content = {"sessions": _sessions(comparison), "states": BANDS, "figures": drawn}
    return _document(comparison, "\n".join(parts), json_text(content))


def json_text(content: Any) -> str:
    """Return JSON that can stand inside a script element: no character of markup is left."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _document(comparison: Comparison, body: str, content: str) -> str:
    style = _asset("page.css")
    scripts = [_asset("echarts.min.js"), _asset("page.js")]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; "
        f"style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = f"{_bilingual(comparison.study.name)}, {comparison.aligned.sessions[-1]}"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style></head><body>",
            body,
            f'<script type="application/json" id="figures">{content}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def _asset(name: str) -> str:
    """Return the text of a file that lies beside this one."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
    return f"'sha256-{digest.decode()}'"


def _heading(comparison: Comparison) -> Iterable[str]:
    study = comparison.study
    name = escape(study.name.en)
    if study.name.zh:
        name += f' <span lang="zh">{escape(study.name.zh)}</span>'
    yield f"<h1>{name}</h1>"
    yield (
        f'<p class="asof">As of the session of {comparison.aligned.sessions[-1]}: '
        f"what was known by {escape(study.cutoff)}.</p>"
    )
    if study.description:
        yield _paragraph(study.description)


def _banners(comparison: Comparison) -> Iterable[str]:
    if comparison.synthetic:
        yield _banner(
            "Synthetic data.", "Its prices are invented: nothing here is about a real market."
        )
    selected: dict[str, list[str]] = {}
    for id, tested in zip(comparison.aligned.ids, comparison.aligned.backtested.T, strict=True):
        if tested.any():
            day = str(comparison.histories[id].definition.selected_on)
            selected.setdefault(day, []).append(name_of(comparison, id))
    for day, names in selected.items():
        yield _banner(
            "Back-tested lists.",
            f"The constituents of {' and '.join(names)} were selected on {day}: "
            "everything before that day rests on hindsight.",
        )


def _banner(head: str, text: str) -> str:
    return f'<p class="banner"><strong>{escape(head)}</strong> {escape(text)}</p>'


def _pairs(comparison: Comparison, pairs: Sequence[dict[str, Any]]) -> Iterable[str]:
    window = comparison.study.windows.zscore
    heads = (
        *("Leader / follower", "State", "Since", "How the gap is closing", "Peak on"),
        *("Leader since peak", "Follower since peak", "Relative strength", f"z ({window} rows)"),
    )
    rows = []
    for told in pairs:
        turns = told["failed_turns"]
        rows.append(
            (
                ratio_name(comparison, told["leader"], told["follower"]),
                told["state"].replace("_", " ") + (f", failed turns: {turns}" if turns else ""),
                told["since"],
                told["kind"] or "–",
                told["peak_on"] or "–",
                _per_cent(told["move_leader"]),
                _per_cent(told["move_follower"]),
                _number(told["relative_strength"], 2),
                _number(told["zscore"], 2),
            )
        )
    yield _table(heads, rows, "wide")
    yield _paragraph(
        "Relative strength is the leader's level over the follower's, 100 on the first row; z is "
        "its distance from the mean of its window, in standard deviations. A row is a session on "
        "which every level compared is new."
    )


def _ratio_lines(comparison: Comparison, triples: Sequence[dict[str, Any]]) -> Iterable[str]:
    if not triples:
        return
    yield "<h2>Do the ratio lines move together?</h2>"
    yield _paragraph(
        "Two ratio lines share their numerator, so part of their correlation is arithmetic: the "
        "null is what remains when the followers have nothing in common but their tie to the "
        "leader, and the excess is what is not arithmetic. The partial correlation asks the same "
        "of the followers' returns: given the leader's, and given those of the benchmark "
        f"({_benchmark(comparison)}) too. All are point estimates: no test stands behind them."
    )
    for told in triples:
        ids = [told[role] for role in ("leader", "follower", "other")]
        yield f"<h3>{escape(ratio_lines_name(comparison, ids))}</h3>"
        yield _paragraph(_ratio_sentence(told, headline_window(list(told["ratio_correlation"]))))
        heads = ("Rows", "Correlation", "Shared-leg null", "Excess", "Partial", "Given benchmark")
        rows = [(str(w), *_ratio_row(told, w)) for w in told["ratio_correlation"]]
        yield _table(heads, rows, "narrow")


_RATIO_FIGURES = (
    *("ratio_correlation", "ratio_null", "ratio_excess"),
    *("partial_correlation", "partial_correlation_benchmark"),
)


def _ratio_row(told: dict[str, Any], window: int) -> list[str]:
    return [_number(told[name][window], 3) for name in _RATIO_FIGURES]


def _ratio_sentence(told: dict[str, Any], window: int) -> str:
    observed, null, excess, *_ = _ratio_row(told, window)
    if told["ratio_correlation"][window] is None:
        return f"There is no correlation over {window} rows here."
    return (
        f"Over the last {window} rows the two lines correlate at {observed}; their shared "
        f"numerator alone would give {null}; the excess is {excess}."
    )


def _charts(comparison: Comparison, drawn: Sequence[Figure]) -> Iterable[str]:
    yield "<noscript><p>The charts need JavaScript; the tables do not.</p></noscript>"
    hint = "Drag the bar below a chart to zoom: all charts follow. Press a name to hide or show it."
    if comparison.aligned.backtested.any():
        hint += " Pale lines are back-tested, a correlation while any level in its window is."
    yield _paragraph(hint)
    for n, figure in enumerate(drawn):
        if figure["bands"] and not any(before["bands"] for before in drawn[:n]):
            yield _states(comparison)
        yield _figure(figure, synthetic=comparison.synthetic)


def _figure(figure: Figure, *, synthetic: bool) -> str:
    about = ("Synthetic data. " if synthetic else "") + figure["about"]
    label = escape(f"Chart: {figure['title']}. {about}")
    return (
        f"<figure><h3>{escape(figure['title'])}</h3><figcaption>{escape(about)}</figcaption>"
        f'<div class="chart" id="{figure["id"]}" role="img" aria-label="{label}"></div></figure>'
    )


def _states(comparison: Comparison) -> str:
    """Return what each shade means, in words."""
    rule = comparison.study.catch_up
    turned = f"relative strength fell from its peak by {rule.turn:g} × its usual 20-row move"
    words = {
        "stretched": f"z reached {rule.enter:g}, no turn since the peak",
        "catch-up": f"{turned}; the follower rose at least as much as the leader fell",
        "leader-fall": f"{turned}; mostly because the leader fell",
        "both-falling": f"{turned}; leader and follower are both below where they were",
        "closed": f"{rule.close:.0%} of the way back to the mean at onset is made",
    }
    items = "".join(
        f'<dt class="{key}">{escape(name)}</dt><dd>{escape(words[key])}</dd>'
        for key, name in BANDS.items()
    )
    neutral = "<dt>neutral</dt><dd>none of these; not shaded</dd>"
    return f'<h3>Shades of the catch-up states</h3><dl class="states">{items}{neutral}</dl>'


def _warnings(comparison: Comparison) -> Iterable[str]:
    told = list(comparison.warnings)
    for id, history in comparison.histories.items():
        told += [f"{name_of(comparison, id)}: {warning}" for warning in history.warnings]
    if not told:
        yield _paragraph("No warnings.")
    else:
        yield "<ul>" + "".join(f"<li>{escape(warning)}</li>" for warning in told) + "</ul>"


def _indices(comparison: Comparison, indices: dict[str, dict[str, Any]]) -> Iterable[str]:
    heads = (
        *("Index", "Variant", "Currency", "Last level", "Carried then", "Missing"),
        *("Back-tested sessions", "Definition", "Market data"),
    )
    rows = []
    for id, told in indices.items():
        history, count = comparison.histories[id], told["constituents"]
        rows.append(
            (
                _bilingual(history.definition.name),
                _variant(comparison, id),
                history.definition.currency,
                told["last_level_on"],
                f"{told['carried_last']} of {count}" if count else "ready-made series",
                ", ".join(told["missing"]) or "none",
                f"{told['backtested_sessions']} of {len(comparison.aligned.sessions)}",
                f"{id} {told['definition_digest'][:_DIGEST]}",
                told["market_digest"][:_DIGEST],
            )
        )
    yield _table(heads, rows, "wide")
    yield _paragraph(
        "Carried: constituents without a close on the day, held at their last price. Missing: "
        "constituents without any data, left out."
    )
    for id in indices:
        definition = comparison.histories[id].definition
        if definition.description:
            yield _paragraph(f"{definition.name.en}: {definition.description}")


def _facts(comparison: Comparison) -> Iterable[str]:
    study = comparison.study
    local = "local: each index in its own"
    facts = {
        "Study": f"{study.id}, definition {study.digest[:_DIGEST]}",
        "Calendar": f"{study.calendar}, from {study.start}",
        "Cut-off": study.cutoff,
        "Variant": study.variant,
        "Currency": local if study.currency == "local" else study.currency,
        "Benchmark": _benchmark(comparison),
    }
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    yield f"<dl>{items}</dl>"


def _variant(comparison: Comparison, id: str) -> str:
    """Return the variant that was compared: the study's, or the one an index has."""
    offered = comparison.histories[id].variants
    wanted = comparison.study.variant
    return wanted if wanted in offered else next(iter(offered))


def _benchmark(comparison: Comparison) -> str:
    id = comparison.study.benchmark
    return name_of(comparison, id) if id in comparison.histories else f"{id} (no data)"


def _sessions(comparison: Comparison) -> list[str]:
    return [str(day) for day in np.datetime_as_string(comparison.aligned.sessions)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], layout: str) -> str:
    """Return a table; each cell also carries its heading, for narrow screens."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    lines = []
    for first, *others in rows:
        cells = "".join(
            f'<td data-label="{escape(label)}">{escape(text)}</td>'
            for label, text in zip(heads[1:], others, strict=True)
        )
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<table class="{layout}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _bilingual(name: Name) -> str:
    return f"{name.en} {name.zh}" if name.zh else name.en


def _per_cent(log_move: float | None) -> str:
    return "–" if log_move is None else _number(100 * float(np.expm1(log_move)), 1, "+") + "%"


def _number(value: float | None, digits: int, sign: str = "") -> str:
    """Return a number as it is read: a true minus sign, a dash where there is none."""
    return "–" if value is None else f"{value:{sign}.{digits}f}".replace("-", "−")
