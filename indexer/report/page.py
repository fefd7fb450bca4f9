"""The page of a study: one self-contained file that shows what a comparison says.

The answer comes first, then the charts, then what a reader must know before trusting either. The
page loads nothing: its script, style and figures are inside, and its own policy forbids the rest.
"""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from indexer.report.figures import (
    BANDS,
    Figure,
    figures,
    headline_window,
    name_of,
    ratio_lines_name,
    ratio_name,
)
from indexer.report.markup import (
    banner,
    bilingual,
    json_text,
    number,
    paragraph,
    per_cent,
    safe,
    source_hash,
    table,
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


def _document(comparison: Comparison, body: str, content: str) -> str:
    style = _asset("page.css")
    scripts = [_asset("echarts.min.js"), _asset("page.js")]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(source_hash, scripts))}; "
        f"style-src {source_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = f"{bilingual(comparison.study.name)}, {comparison.aligned.sessions[-1]}"
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


def _heading(comparison: Comparison) -> Iterable[str]:
    study = comparison.study
    name = safe(study.name.en)
    if study.name.zh:
        name += f' <span lang="zh">{safe(study.name.zh)}</span>'
    yield f"<h1>{name}</h1>"
    yield (
        f'<p class="asof">As of the session of {comparison.aligned.sessions[-1]}: '
        f"what was known by {safe(study.cutoff)}.</p>"
    )
    if study.description:
        yield paragraph(study.description)


def _banners(comparison: Comparison) -> Iterable[str]:
    if comparison.synthetic:
        yield banner(
            "Synthetic data.", "Its prices are invented: nothing here is about a real market."
        )
    selected: dict[str, list[str]] = {}
    for id, tested in zip(comparison.aligned.ids, comparison.aligned.backtested.T, strict=True):
        if tested.any():
            day = str(comparison.histories[id].definition.selected_on)
            selected.setdefault(day, []).append(name_of(comparison, id))
    for day, names in selected.items():
        yield banner(
            "Back-tested lists.",
            f"The constituents of {' and '.join(names)} were selected on {day}: "
            "everything before that day rests on hindsight.",
        )


def _pairs(comparison: Comparison, pairs: Sequence[dict[str, Any]]) -> Iterable[str]:
    window, last = comparison.study.windows.zscore, str(comparison.aligned.sessions[-1])
    heads = (
        *("Leader / follower", "State", "Since", "How the gap is closing", "Peak on"),
        *("Leader since peak", "Follower since peak", "Relative strength", f"z ({window} rows)"),
    )
    rows = []
    for told in pairs:
        turns = told["failed_turns"]
        rows.append(
            (
                ratio_name(comparison, told["leader"], told["follower"])
                + ("" if told["last_row"] == last else f" (last row {told['last_row']})"),
                told["state"].replace("_", " ") + (f", failed turns: {turns}" if turns else ""),
                told["since"],
                told["kind"] or "–",
                told["peak_on"] or "–",
                per_cent(told["move_leader"]),
                per_cent(told["move_follower"]),
                number(told["relative_strength"], 2),
                number(told["zscore"], 2),
            )
        )
    yield table(heads, rows, "wide")
    yield paragraph(
        "Relative strength is the leader's level over the follower's, 100 on the first row; z is "
        "its distance from the mean of its window, in standard deviations. A row is a session on "
        "which every level compared is new."
    )


def _ratio_lines(comparison: Comparison, triples: Sequence[dict[str, Any]]) -> Iterable[str]:
    if not triples:
        return
    yield "<h2>Do the ratio lines move together?</h2>"
    yield paragraph(
        "Two ratio lines share their numerator, so part of their correlation is arithmetic: the "
        "null is what remains when the followers have nothing in common but their tie to the "
        "leader, and the excess is what is not arithmetic. The partial correlations ask the same "
        f"of the followers' returns; the benchmark is {_benchmark(comparison)}. p is how often "
        "chance alone would show as much, adjusted for looking at several windows; below 60 rows "
        "nothing is tested. The levels of two lines that share a leg look alike by themselves: "
        "their correlation stands beside what unrelated followers would show."
    )
    for told in triples:
        ids = [told[role] for role in ("leader", "follower", "other")]
        yield f"<h3>{safe(ratio_lines_name(comparison, ids))}</h3>"
        yield paragraph(_ratio_sentence(told, headline_window(list(told["ratio_correlation"]))))
        windows = list(told["ratio_correlation"])
        rows = [
            (label, *(_with_interval(told, name, window) for window in windows))
            for name, label in _RATIO_FIGURES.items()
        ]
        rows += [
            ("Null of the levels, median (5 to 95 %)", *map(_level_null, levels.values()))
            for levels in [told["level_null"]]
        ]
        yield table(("Rows", *map(str, windows)), rows, "narrow")


_RATIO_FIGURES = {
    "ratio_correlation": "Correlation of the ratio lines",
    "ratio_null": "Shared-leg null",
    "ratio_excess": "Excess",
    "partial_correlation": "Partial correlation, given the leader",
    "p_value_adjusted": "p of excess and partial correlation",
    "partial_correlation_benchmark": "Partial correlation, given the benchmark too",
    "p_value_benchmark_adjusted": "p of that",
    "level_correlation": "Correlation of the lines' levels",
}


def _with_interval(told: dict[str, Any], name: str, window: int) -> str:
    """Return a figure with the interval that covers the true one 95 times in 100, where known."""
    bounds = told.get(f"{name}_interval", {}).get(window)
    figure = number(told[name][window], 3)
    if bounds is None or bounds["low"] is None:
        return figure
    return f"{figure} ({number(bounds['low'], 2)} to {number(bounds['high'], 2)})"


def _level_null(null: dict[str, float | None]) -> str:
    if null["median"] is None:
        return number(None, 3)
    low, high = (number(null[name], 2) for name in ("low", "high"))
    return f"{number(null['median'], 3)} ({low} to {high})"


def _ratio_sentence(told: dict[str, Any], window: int) -> str:
    observed, null, excess = (number(told[name][window], 3) for name in list(_RATIO_FIGURES)[:3])
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
    yield paragraph(hint)
    for n, figure in enumerate(drawn):
        if figure["bands"] and not any(before["bands"] for before in drawn[:n]):
            yield _states(comparison)
        yield _figure(figure, synthetic=comparison.synthetic)


def _figure(figure: Figure, *, synthetic: bool) -> str:
    about = ("Synthetic data. " if synthetic else "") + figure["about"]
    label = escape(f"Chart: {figure['title']}. {about}")
    return (
        f"<figure><h3>{safe(figure['title'])}</h3><figcaption>{safe(about)}</figcaption>"
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
        f'<dt class="{key}">{safe(name)}</dt><dd>{safe(words[key])}</dd>'
        for key, name in BANDS.items()
    )
    neutral = "<dt>neutral</dt><dd>none of these; not shaded</dd>"
    return f'<h3>Shades of the catch-up states</h3><dl class="states">{items}{neutral}</dl>'


def _warnings(comparison: Comparison) -> Iterable[str]:
    told = list(comparison.warnings)
    for id, history in comparison.histories.items():
        told += [f"{name_of(comparison, id)}: {warning}" for warning in history.warnings]
    if not told:
        yield paragraph("No warnings.")
    else:
        yield "<ul>" + "".join(f"<li>{safe(warning)}</li>" for warning in told) + "</ul>"


def _indices(comparison: Comparison, indices: dict[str, dict[str, Any]]) -> Iterable[str]:
    heads = (
        *("Index", "Variant", "Currency", "Last level", "Carried then", "Missing"),
        *("Back-tested sessions", "Definition", "Market data"),
    )
    rows = []
    for (id, told), dated in zip(indices.items(), comparison.aligned.dated[-1], strict=True):
        history, count = comparison.histories[id], told["constituents"]
        known = "" if str(dated) == told["last_level_on"] else f", compared: {dated}"
        rows.append(
            (
                bilingual(history.definition.name),
                history.offered(comparison.study.variant),
                history.definition.currency,
                told["last_level_on"] + known,
                f"{told['carried_last']} of {count}" if count else "ready-made series",
                ", ".join(told["missing"]) or "none",
                f"{told['backtested_sessions']} of {len(comparison.aligned.sessions)}",
                f"{id} {told['definition_digest'][:_DIGEST]}",
                told["market_digest"][:_DIGEST],
            )
        )
    yield table(heads, rows, "wide")
    yield paragraph(
        "Carried: constituents without a close on the day, held at their last price. Missing: "
        "constituents without any data, left out."
    )
    for id in indices:
        definition = comparison.histories[id].definition
        if definition.description:
            yield paragraph(f"{definition.name.en}: {definition.description}")


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
    items = "".join(f"<dt>{safe(k)}</dt><dd>{safe(v)}</dd>" for k, v in facts.items())
    yield f"<dl>{items}</dl>"


def _benchmark(comparison: Comparison) -> str:
    id = comparison.study.benchmark
    return name_of(comparison, id) if id in comparison.histories else f"{id} (no data)"


def _sessions(comparison: Comparison) -> list[str]:
    return [str(day) for day in np.datetime_as_string(comparison.aligned.sessions)]
