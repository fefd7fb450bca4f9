"""Every surface says the same: a thousand sampled values, looked up wherever they are shown.

A surface is a function from a comparison to what it shows, by key. A further one is one more line
of ``SURFACES``.
"""

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import polars as pl
import pytest

from indexer.ledger.database import open_ledger, publishing
from indexer.ledger.publish import append
from indexer.market.tables import read_market
from indexer.report.files import comparison_files, excel_text, write_folders
from indexer.report.page import study_page
from indexer.report.workbook import study_workbook
from indexer.run.entries import index_candidate, study_candidate
from indexer.signals.result import Comparison
from tests.report.conftest import ROOT
from tests.report.reading import lines_of, sessions_of

SAMPLED, SEED = 1000, 20260507
NOON = datetime(2026, 8, 24, 4, tzinfo=UTC)
Key = tuple[object, ...]  # the day, the signal or "level", leader or index, follower, other, window
Shown = Mapping[Key, float]


def from_tables(comparison: Comparison) -> dict[Key, float]:
    """Return every level and signal as the tables in memory hold it."""
    found: dict[Key, float] = {
        (day, "level", id, "", "", None): level for day, id, level, *_ in comparison.levels.rows()
    }
    return found | {tuple(key): value for *key, value, _ in comparison.table.rows()}


def from_csv(comparison: Comparison, tmp_path: Path) -> Shown:
    """Return what the CSV files hold, read with Python's own eyes."""
    files = comparison_files(comparison)
    write_folders(tmp_path, {"x": {name: files[name] for name in ("aligned", "signals")}}, "csv")
    return _read(
        *((tmp_path / "x" / f"{n}.csv").read_text("utf-8") for n in ("aligned", "signals"))
    )


def from_excel_csv(comparison: Comparison, _) -> Shown:
    """Return what the CSV files for Excel hold."""
    texts = [excel_text(table) for table in (comparison.levels, comparison.table)]
    assert all(text.startswith("\ufeff") for text in texts)
    return _read(*(text[1:] for text in texts))


def _read(levels: str, signals: str) -> Shown:
    found = {}
    for day, id, level, *_ in list(csv.reader(io.StringIO(levels)))[1:]:
        found[date.fromisoformat(day), "level", id, "", "", None] = float(level)
    for day, *names, window, value, _ in list(csv.reader(io.StringIO(signals)))[1:]:
        found[date.fromisoformat(day), *names, int(window) if window else None] = float(value)
    return found


def from_workbook(comparison: Comparison, _) -> Shown:
    """Return what the sheets over sessions show, by the headings of their columns."""
    book = openpyxl.load_workbook(io.BytesIO(study_workbook(comparison)), read_only=True)
    names = {s.name for s in comparison.signals}
    found = {}
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows(values_only=True))
        at = next((n for n, row in enumerate(rows) if row and row[0] == "Date"), None)
        if at is None or not rows[at - 2][1]:
            continue
        keys = [_key(about, en, names) for about, en in zip(rows[at - 2], rows[at], strict=True)]
        for day, *cells in rows[at + 1 :]:
            for key, cell in zip(keys[1:], cells, strict=True):
                if key is not None and cell is not None:
                    found[day.date(), *key] = cell
    return found


def _key(about: str | None, en: str, names: set[str]) -> Key | None:
    """Return what a column is of: signal, ids and window; None where it is of something else."""
    if not about:
        return None
    ids = about.split("\n")[1].split(" / ")
    if en == "Level":
        return "level", ids[0], "", "", None
    name = en.lower().replace(" (log)", "").replace(" ", "_")
    told = re.search(r"_(\d+)$", name)
    name = name if name in names or told is None else name[: told.start()]  # as breadth_20 is
    if name not in names:
        return None
    padded = ["", *ids] if len(ids) == 1 else ids
    return name, *(*padded, "")[:3], int(told.group(1)) if told else None


_DRAWN = {  # figures of certain indices, by the beginning of their ids
    "pair": "relative_strength",
    "ratio": "ratio_correlation",
    "ratiolevels": "level_correlation",
}


def from_page(comparison: Comparison, _) -> Shown:
    """Return what the charts of the page hold."""
    text = study_page(comparison)
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.S)
    content = json.loads(found.group(1))
    days = sessions_of(content)
    shown = {}
    for figure in content["figures"]:
        kind, *ids = str(figure["id"]).split("_")
        for line in lines_of(content, figure) if kind in _DRAWN else ():
            label = str(line["label"])  # in one language or in two
            window = re.search(r"(\d+) rows", label)
            name = "ratio_null" if "null" in label else _DRAWN[kind]
            key = (name, *(*ids, "")[:3], int(window.group(1)) if window else None)
            for row, value in zip(line["rows"], line["values"], strict=True):
                if value is not None:
                    shown[days[row], *key] = value
    return shown


def from_api(comparison: Comparison, tmp_path: Path) -> Shown:
    """Return what the application answers of a ledger to which all of it was published."""
    pytest.importorskip("fastapi", reason="the extra `web` is not installed")
    from indexer.web.door import Admission  # noqa: PLC0415
    from tests.web.conftest import client  # noqa: PLC0415

    aligned, market = comparison.aligned, read_market(ROOT / "seeds" / "market")
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    histories = [comparison.histories[id] for id in aligned.ids]
    indices = [index_candidate(history) for history in histories]
    for candidate in (*indices, study_candidate(comparison, market)):
        candidate.market_digests(candidate.days.tolist())  # all at once, not day by day
        entries = [candidate.entry(day) for day in candidate.days.tolist()]
        with publishing(ledger) as connection:
            append(connection, entries, NOON, {candidate.definition: candidate.text})
    found: dict[Key, float] = {}
    with client(ledger, Admission()) as ask:
        for row in _every_row(ask, f"/v1/studies/{comparison.study.id}/signals?limit=5000"):
            key = [row[name] for name in ("signal", "leader", "follower", "other", "window")]
            found[date.fromisoformat(row["date"]), *key] = row["value"]
        for id, dated in zip(aligned.ids, aligned.dated.T, strict=True):
            rows = _every_row(ask, f"/v1/indices/{id}/levels?variant=price&limit=5000")
            levels = {row["date"]: row["level_exact"] for row in rows}
            for day, of in zip(aligned.sessions.tolist(), dated, strict=True):
                found[day, "level", id, "", "", None] = levels[str(of)]
    ledger.dispose()
    return found


def _every_row(ask: Callable[[str], Any], target: str | None) -> Iterator[dict[str, Any]]:
    while target:
        told = ask(target).json
        yield from told["rows"]
        target = told["next"]


class Surface(NamedTuple):
    """Where values are shown: which part of them at least, and how far off one may be."""

    name: str
    show: Callable[[Comparison, Path], Shown]
    share: float = 1.0
    precision: float = 0.0


SURFACES = (
    Surface("csv", from_csv),
    Surface("csv for Excel", from_excel_csv),
    Surface("workbook", from_workbook),
    Surface("page", from_page, 0.1, 5.001e-4),  # half of its last printed digit
    Surface("api", from_api),
)


@pytest.fixture(scope="module", params=SURFACES, ids=lambda surface: surface.name)
def surface(request: pytest.FixtureRequest) -> Surface:
    """Return each surface in turn."""
    return request.param


@pytest.fixture(scope="module")
def shown(surface: Surface, comparison: Comparison, tmp_path_factory) -> Shown:
    """Return what a surface shows."""
    return surface.show(comparison, tmp_path_factory.mktemp("surface"))


def test_a_thousand_sampled_values_are_the_same(comparison, surface, shown):
    expected = from_tables(comparison)
    sampled = random.Random(SEED).sample(sorted(expected, key=repr), SAMPLED)  # noqa: S311
    there = [key for key in sampled if key in shown]
    wrong = {
        key: (expected[key], shown[key])
        for key in there
        if abs(shown[key] - expected[key]) > surface.precision
    }

    assert wrong == {}
    assert len(there) >= surface.share * SAMPLED


def test_no_surface_shows_a_value_that_the_tables_have_not(comparison, shown):
    assert set(shown) <= set(from_tables(comparison))


def test_the_sample_touches_every_signal(comparison):
    expected = from_tables(comparison)
    sampled = random.Random(SEED).sample(sorted(expected, key=repr), SAMPLED)  # noqa: S311

    assert {key[1] for key in sampled} >= {
        "level", "relative_strength", "ratio_correlation", "ratio_null", "gap", "breadth_20",
    }  # fmt: skip
    assert pl.Series([key[0] for key in sampled]).n_unique() > 400
