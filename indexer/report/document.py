"""The one file a page is: markup, style, script, figures, and a policy that lets nothing else in.

Its reader chooses language, light or dark, and whether red or green is up; the choice stands in
the address, so that it can be passed on.
"""

from collections.abc import Collection, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from indexer.arrays import Days
from indexer.definitions.model import Definition
from indexer.index.history import History
from indexer.report.coding import coded
from indexer.report.figure import Figure
from indexer.report.marks import DIGEST, sources
from indexer.report.markup import attribute, both, script_json, source_hash
from indexer.report.record import Record
from indexer.report.words import BACKTESTED, BANDS, QUADRANTS, STATES, SYNTHETIC, named
from indexer.words import Text, joined, same

_SWITCHES = (
    ("lang", Text("Language", "语言"), (("en", same("English")), ("zh", same("中文")))),
    (
        "theme",
        Text("Colours", "配色"),
        (
            ("auto", Text("auto", "自动")),
            ("light", Text("light", "浅色")),
            ("dark", Text("dark", "深色")),
        ),
    ),
    (
        "up",
        Text("Up is", "上涨"),
        (("red", Text("red", "红色")), ("green", Text("green", "绿色"))),
    ),
)
_WORDS = {  # what the script says
    "backtested": BACKTESTED,
    "neutral": STATES["neutral"],
    "download": Text("Download", "下载"),
    "move": Text("Session that is 100", "设为100的交易日"),
    **QUADRANTS,
    "date": Text("date", "日期"),
    "pair": Text("leader / follower", "领先指数 / 跟随指数"),
    "constituent": Text("constituent", "成分股"),
    "name": Text("name", "名称"),
    "segment": Text("segment", "细分环节"),
    "lag": Text("lag, rows", "滞后期数"),
    "offset": Text("rows from the event", "距事件期数"),
}


def document(title: Text, body: str, content: dict[str, Any], layout: str = "study") -> str:
    """Return a page as the text of one HTML file; the same arguments give the same text."""
    style = _asset("page.css")
    scripts = [_asset("echarts.min.js"), _asset("charts.js"), _asset("page.js")]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(source_hash, scripts))}; "
        f"style-src {source_hash(style)}; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    told = script_json(content | {"words": _WORDS, "states": BANDS})
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title data-en="{escape(title.en)}" data-zh="{escape(title.zh)}">'
            f"{escape(' '.join(dict.fromkeys(title)))}</title>",
            f'<style>{style}</style></head><body class="{layout}">',
            _bar(),
            f"<main>{body}</main>",
            f'<footer id="stamp">{both(content["stamp"])}</footer>',
            f'<script type="application/json" id="figures">{told}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def stamp(
    as_of: str,
    definition: Definition,
    histories: Sequence[History],
    tested: Collection[str],
    record: Record | None,
) -> Text:
    """Return what a chart that leaves the page says of itself.

    Parameters
    ----------
    definition : of the index or study that is shown
    histories : the indices its numbers rest on
    tested : ids of those of which back-tested levels are shown
    """
    parts = [Text(f"as of {as_of}", f"截至{as_of}")]
    if record is not None:
        revision = f"r{record.revision}"
        parts.append(
            Text(
                f"{revision}, published {record.published_at[:16]}Z",
                f"{revision}，发布于{record.published_at[:16]}Z",
            )
        )
    parts += [source_of(histories), _known_as(definition, definition.digest)]
    for history in histories:
        data = history.market_digest[:DIGEST]
        told = Text(f"market data {data}", f"行情{data}")
        own = history.definition is definition
        parts.append(told if own else joined([_known_as(history.definition, ""), told]))
    return joined([*parts, *_marks(histories, tested)], " · ", " · ")


def source_of(histories: Iterable[History]) -> Text:
    """Return where the market data of some indices are from, as their folders say it."""
    told = "; ".join(sources(histories))
    return Text(
        f"data source: {told or 'not stated'}",
        f"数据来源：{told or '未注明'}",
    )


def _known_as(definition: Definition, digest: str) -> Text:
    """Return a definition's name, id and the beginning of a digest."""
    name, beside = named(definition.name), f"{definition.id} {digest[:DIGEST]}".strip()
    return Text(f"{name.en} ({beside})", f"{name.zh}（{beside}）")


def _marks(histories: Sequence[History], tested: Collection[str]) -> list[Text]:
    """Return what a chart of some indices must not leave the page without: how far it is real."""
    marks = []
    if any(history.synthetic for history in histories):
        marks.append(Text("SYNTHETIC DATA", "合成数据"))
    for history in histories:
        name, day = named(history.definition.name), history.definition.selected_on
        if history.definition.id in tested:
            marks.append(Text(f"{name.en} back-tested before {day}", f"{name.zh}于{day}前为回测"))
        if held := int(history.carried[-1]):
            marks.append(Text(f"{name.en}: {held} carried", f"{name.zh}：{held}只沿用旧价"))
    return marks


def record_line(record: Record | None) -> str:
    """Return which entry of a ledger a page shows, as a paragraph; nothing for one of none."""
    if record is None:
        return ""
    known = record.known_at
    told = Text(
        f"Published {record.published_at}, revision {record.revision} of the session of "
        f"{record.session} (entry {record.number}, content {record.digest[:DIGEST]})"
        + (f"; in force as known at {known}." if known else "; in force now."),
        f"{record.session}交易日第{record.revision}版，发布于{record.published_at}"
        f"（记录号{record.number}，内容哈希{record.digest[:DIGEST]}）"
        + (f"；为{known}时已知的版本。" if known else "；现行有效。"),
    )
    return f'<p class="asof">{both(told)}</p>'


def figure_markup(figure: Figure, *, synthetic: bool) -> str:
    """Return the place of a chart: its title, what it shows, and what it is called for others."""
    id = figure["id"]
    mark = f' <strong class="mark">{both(SYNTHETIC)}</strong>' if synthetic else ""
    return (
        f'<figure><h3 id="{id}_title">{both(figure["title"])}{mark}</h3>'
        f'<figcaption id="{id}_about">{both(figure["about"])}</figcaption>'
        f'<div class="chart {figure["kind"]}" id="{id}" role="img" '
        f'aria-labelledby="{id}_title {id}_about stamp"></div></figure>'
    )


def packed(sessions: Days, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return sessions, figures, and their different stamps and rows once; what is long is coded."""
    found: dict[tuple[int, ...], int] = {}
    stamps: dict[Text, int] = {}
    told = []
    for figure in figures:
        lines = [
            line
            | {
                "rows": found.setdefault(tuple(line["rows"]), len(found)),
                "values": coded(line["values"], line["digits"]),
            }
            if "rows" in line
            else line
            for line in figure.get("lines", ())
        ]
        own: dict[str, Any] = {**figure, "lines": lines}
        del own["about"]  # the script reads it where it stands
        if "stamp" in figure:
            own["stamp"] = stamps.setdefault(figure["stamp"], len(stamps))
        told.append(own)
    return {
        "stamps": list(stamps),
        "sessions": coded(sessions.astype("datetime64[D]").astype(int).tolist()),
        "rows": [coded(rows) for rows in found],
        "figures": told,
    }


def _bar() -> str:
    """Return the switches of the page; the script shows them, since it alone makes them work."""
    groups = []
    for key, label, choices in _SWITCHES:
        buttons = "".join(
            f'<button type="button" data-set="{key}" data-value="{value}">{both(text)}</button>'
            for value, text in choices
        )
        groups.append(
            f'<div role="group" {attribute("aria-label", label)}>'
            f'<span class="switch" aria-hidden="true">{both(label)}</span>{buttons}</div>'
        )
    what = attribute("aria-label", Text("Display", "显示"))
    return f'<nav class="bar" hidden {what}>{"".join(groups)}</nav>'


def _asset(name: str) -> str:
    """Return the text of a file that lies beside this one."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
