"""Pieces of a page: text, numbers, tables and scripts, safe whatever a definition says.

Text handed in is plain and is escaped here; text handed back is HTML. What is said in two
languages stands in the page twice, and the page shows one of them.
"""

import base64
import hashlib
import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from indexer.words import Text, same


def safe(text: str) -> str:
    r"""Return text escaped, its dates marked: no line breaks inside one, nor before a per cent.

    Examples
    --------
    >>> safe("p 0.05 on 2026-05-07: 7 %")
    'p\xa00.05 on <time>2026-05-07</time>: 7\xa0%'
    """
    kept = re.sub(r"(?<=\d) (?=%)|(?<=\bp) (?=\d)", "\N{NO-BREAK SPACE}", escape(text))
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", r"<time>\g<0></time>", kept)


def both(text: Text) -> str:
    """Return text in both languages; once where they say the same."""
    if text.en == text.zh:
        return safe(text.en)
    return f'<span lang="en">{safe(text.en)}</span><span lang="zh-CN">{safe(text.zh)}</span>'


def attribute(name: str, text: Text) -> str:
    """Return an attribute in English, and what it says in both for the script to choose from."""
    en, zh = escape(text.en), escape(text.zh)
    return f'{name}="{en}" data-{name}-en="{en}" data-{name}-zh="{zh}"'


def paragraph(text: Text, kind: str = "") -> str:
    """Return a paragraph."""
    return f'<p class="{kind}">{both(text)}</p>' if kind else f"<p>{both(text)}</p>"


def heading(level: int, text: Text) -> str:
    """Return a heading."""
    return f"<h{level}>{both(text)}</h{level}>"


def banner(head: Text, text: Text) -> str:
    """Return a paragraph nobody overlooks."""
    return f'<p class="banner"><strong>{both(head)}</strong> {both(text)}</p>'


def table(heads: Sequence[Text], rows: Sequence[Sequence[Text]], layout: str) -> str:
    """Return a table; each cell also carries its heading, for narrow screens."""
    head = "".join(f'<th scope="col">{both(text)}</th>' for text in heads)
    lines = []
    for first, *others in rows:
        cells = "".join(
            f"<td {_label(label)}{_classes(text)}>{both(text)}</td>"
            for label, text in zip(heads[1:], others, strict=True)
        )
        lines.append(f'<tr><th scope="row">{both(first)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0"><table class="{layout}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _classes(text: Text) -> str:
    """Return the classes of a cell: a move is up or down, and short Chinese is not broken."""
    moved = re.fullmatch(r"([+−])[\d.,]*[1-9][\d.,]*%(?: \(.*\))?\*?", text.en)
    found = ["up" if moved[1] == "+" else "down"] if moved else []
    found += ["short"] if re.fullmatch(r"[\u4e00-\u9fff]{2,6}\*?", text.zh) else []
    return f' class="{" ".join(found)}"' if found else ""


def _label(text: Text) -> str:
    return f'data-en="{escape(text.en)}" data-zh="{escape(text.zh)}"'


def warning_list(told: Iterable[Text]) -> str:
    """Return warnings as a list; that there are none where there are none."""
    items = "".join(f"<li>{both(one)}</li>" for one in told)
    return f"<ul>{items}</ul>" if items else paragraph(Text("No warnings.", "无提示。"))


def number(value: float | None, digits: int, sign: str = "") -> str:
    """Return a number as it is read: a true minus sign, a dash where there is none.

    What rounds to zero has no sign.

    Examples
    --------
    >>> number(-0.25, 1, "+"), number(0.25, 1, "+"), number(-0.0, 1, "+"), number(None, 1)
    ('−0.2', '+0.2', '0.0', '–')
    """
    if value is None:
        return "–"
    told = f"{value:{sign}.{digits}f}"
    return told.replace("-", "−") if told.strip("+-0.") else told.lstrip("+-")


def bound(value: float) -> str:
    """Return a bound of an interval: two digits, or more where it would look like zero and is not.

    Examples
    --------
    >>> bound(0.1234), bound(-0.00465), bound(0.0)
    ('0.12', '−0.005', '0.00')
    """
    digits = next((n for n in range(2, 7) if round(value, n) != 0), 2)
    return number(value, digits)


def per_cent(fraction: float | None, digits: int = 1, sign: str = "") -> str:
    """Return a fraction of one as a percentage; a dash where there is none, or it is no number.

    Examples
    --------
    >>> per_cent(-0.25), per_cent(0.25, 0, "+"), per_cent(math.nan)
    ('−25.0%', '+25%', '–')
    """
    if fraction is None or not math.isfinite(100 * float(fraction)):
        return "–"
    return number(100 * fraction, digits, sign) + "%"


def log_per_cent(log_move: float | None) -> str:
    """Return a move of log levels as the percentage a reader knows."""
    if log_move is None or log_move > math.log(sys.float_info.max / 100):
        return "–"  # a percentage too large to be a number
    return per_cent(math.expm1(log_move), sign="+")


def figure_text(value: float | None, digits: int) -> Text:
    """Return a number as text of both languages."""
    return same(number(value, digits))


def script_json(content: Any) -> str:
    """Return JSON that can stand inside a script element: no character of markup is left."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    marks = {
        "&": "\\u0026",
        "<": "\\u003c",
        ">": "\\u003e",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
    }
    for mark, told in marks.items():
        text = text.replace(mark, told)
    return text


def source_hash(text: str) -> str:
    """Return what a content security policy calls a script or style by."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
    return f"'sha256-{digest.decode()}'"
