"""What was tried on the sources, as tables of the page that says how."""

import json
from pathlib import Path
from typing import Any

from benchmarks.reliability.record import ROOT

PAGE = ROOT / "docs" / "sources.md"
BEGIN, END = "<!-- tried -->\n", "<!-- /tried -->\n"
TITLES = {
    "faults": "60 kinds of fault × 4 places × 3 extents × 3 sources",
    "days": "evenings through akshare's own code",
    "years": "evenings of ten years, on recorded answers",
}
_TABLES = ("prices", "series", "actions", "shares", "fx")
_OUTCOMES = ("as without", "no_data_unexplained", "transient", "blocked", "corrupt")


def tables(results: Path) -> str:
    """Return the tables of what has been kept so far, in Markdown."""
    files = ((name, results / f"{name}.json") for name in TITLES)
    kept = {n: json.loads(f.read_text(encoding="utf-8")) for n, f in files if f.is_file()}
    lines = ["| what | tried | wrong | refused | answers faulted | seconds | seed | commit |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---|")
    lines += [
        f"| {TITLES[name]} | {_tried(told)} | {told['wrong']} "
        f"| {told.get('evenings_refused', '')} | {_share(told)} "
        f"| {told['seconds']:,} | {told['seed']} | {told['commit']} |"
        for name, told in kept.items()
    ]
    if "faults" in kept:
        lines += ["", *_ends(kept["faults"])]
    return "\n".join(lines) + "\n"


def _tried(told: dict[str, Any]) -> str:
    """Return how much was tried, and of how much where that is not all."""
    all_ = told.get("of", told["n"])
    return f"{told['n']:,}" if told["n"] == all_ else f"{told['n']:,} of {all_:,}"


def _share(told: dict[str, Any]) -> str:
    return f"{told['faulted']:,} of {told['answers']:,}" if "answers" in told else ""


def _ends(told: dict[str, Any]) -> list[str]:
    """Return how the faulted needs of each table ended, and what akshare alone made of it."""
    lines = ["| faulted needs of | " + " | ".join(_OUTCOMES) + " |"]
    lines.append("|---" * (len(_OUTCOMES) + 1) + "|")
    for table in _TABLES:
        counts = (told["ends"].get(f"{table} {outcome}", 0) for outcome in _OUTCOMES)
        lines.append(f"| {table} | " + " | ".join(f"{count:,}" for count in counts) + " |")
    alone = told["akshare_alone"]
    truth = alone["n"] - alone["raises"] - alone["hangs"] - alone["silently_another_frame"]
    lines += [
        "",
        f"In {told['uncontradicted']} of the {told['n']:,} scenarios figures that are wrong were "
        "taken because every source there is tells the same, or the only one does: "
        f"{_kinds(told['uncontradicted_by_kind'])}.",
        "",
        f"akshare alone, of the same {alone['n']} kinds in its daily bars: "
        f"{alone['silently_another_frame']} come back as another frame without a word, "
        f"{alone['raises']} raise, {alone['hangs']} hang, {truth} give the truth.",
    ]
    return lines


def _kinds(counts: dict[str, int]) -> str:
    return ", ".join(f"`{kind}` {count}" for kind, count in sorted(counts.items())) or "none"


def with_tables(text: str, results: Path) -> str:
    """Return the text of the page with the tables."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{tables(results)}{END}{tail}"


def renew(results: Path, page: Path = PAGE) -> None:
    """Put what is kept into the page."""
    page.write_text(with_tables(page.read_text("utf-8"), results), encoding="utf-8")


def is_fresh(results: Path, page: Path = PAGE) -> bool:
    """Return whether the page has what is kept."""
    text = page.read_text("utf-8")
    return text == with_tables(text, results)
