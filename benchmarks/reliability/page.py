"""The bars as a table of the page that says how publication was tried."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.reliability.record import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- bars -->\n", "<!-- /bars -->\n"


def table(bars: Sequence[dict[str, Any]]) -> str:
    """Return bars as a table in Markdown."""
    lines = [
        "| bar | what | tried | wrong | bound | seconds | commit |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {bar['id']} | {bar['title']} | {bar['n']:,} | {bar['wrong']} | {bar['bound95']:.2g} "
        f"| {bar['seconds']:,.0f} | {bar['commit']} |"
        for bar in bars
    ]
    return "\n".join(lines) + "\n"


def with_table(text: str, bars: Sequence[dict[str, Any]]) -> str:
    """Return the text of the page with the table of these bars."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{table(bars)}{END}{tail}"


def renew(results: Path, page: Path = PAGE) -> None:
    """Put the bars of a file of results into the page."""
    bars = json.loads(results.read_text("utf-8"))["bars"]
    page.write_text(with_table(page.read_text("utf-8"), bars), encoding="utf-8")


def is_fresh(results: Path, page: Path = PAGE) -> bool:
    """Return whether the page has the bars of a file of results."""
    text = page.read_text("utf-8")
    return text == with_table(text, json.loads(results.read_text("utf-8"))["bars"])
