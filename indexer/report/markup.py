"""Pieces of a page: text, numbers, tables and scripts, safe whatever a definition says.

Text handed in is plain and is escaped here; text handed back is HTML.
"""

import base64
import hashlib
import json
import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from indexer.definitions.model import Name


def safe(text: str) -> str:
    """Return text escaped, its dates marked so that no line breaks inside one."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", r"<time>\g<0></time>", escape(text))


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{safe(text)}</p>"


def banner(head: str, text: str) -> str:
    """Return a paragraph nobody overlooks."""
    return f'<p class="banner"><strong>{safe(head)}</strong> {safe(text)}</p>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], layout: str) -> str:
    """Return a table; each cell also carries its heading, for narrow screens."""
    head = "".join(f'<th scope="col">{safe(text)}</th>' for text in heads)
    lines = []
    for first, *others in rows:
        cells = "".join(
            f'<td data-label="{escape(label)}">{safe(text)}</td>'
            for label, text in zip(heads[1:], others, strict=True)
        )
        lines.append(f'<tr><th scope="row">{safe(first)}</th>{cells}</tr>')
    return (
        f'<table class="{layout}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def number(value: float | None, digits: int, sign: str = "") -> str:
    """Return a number as it is read: a true minus sign, a dash where there is none."""
    return "–" if value is None else f"{value:{sign}.{digits}f}".replace("-", "−")


def per_cent(log_move: float | None) -> str:
    """Return a move of log levels as the percentage a reader knows."""
    return "–" if log_move is None else number(100 * math.expm1(log_move), 1, "+") + "%"


def bilingual(name: Name) -> str:
    """Return the English name, and the Chinese one where there is one."""
    return f"{name.en} {name.zh}" if name.zh else name.en


def json_text(content: Any) -> str:
    """Return JSON that can stand inside a script element: no character of markup is left."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def source_hash(text: str) -> str:
    """Return what a content security policy calls a script or style by."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
    return f"'sha256-{digest.decode()}'"
