"""Every surface says the same: a thousand sampled values, looked up wherever they are shown.

A surface is a function from a comparison to what it shows, by key, and to how many places: None for
the whole double. A further one, such as the HTTP interface, is one more line of ``SURFACES``.
"""

import csv
import io
import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import date

import openpyxl
import polars as pl
import pytest

from indexer.report.files import comparison_files, excel_text, write_folders
from indexer.report.page import study_page
from indexer.report.workbook import study_workbook
from indexer.signals.result import Comparison

SAMPLED, SEED = 1000, 20260507
Key = tuple[object, ...]  # the day, the signal or "level", leader or index, follower, other, window
Shown = Mapping[Key, float]


def from_tables(comparison: Comparison) -> dict[Key, float]:
    """Return every level and signal as the tables in memory hold it."""
    found: dict[Key, float] = {
        (day, "level", id, "", "", None): level for day, id, level, *_ in comparison.levels.rows()
    }
    return found | {tuple(key): value for *key, value, _ in comparison.table.rows()}


def from_csv(comparison: Comparison, tmp_path) -> Shown:
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
    name = en.lower().replace(" ", "_")
    told = re.search(r"_(\d+)$", name)
    name = name if name in names or told is None else name[: told.start()]  # as breadth_20 is
    if name not in names:
        return None
    padded = ["", *ids] if len(ids) == 1 else ids
    return name, *(*padded, "")[:3], int(told.group(1)) if told else None


def from_page(comparison: Comparison, _) -> Shown:
    """Return what the charts of the page hold."""
    text = study_page(comparison)
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.S)
    content = json.loads(found.group(1))
    days = [date.fromisoformat(day) for day in content["sessions"]]
    shown = {}
    for figure in content["figures"]:
        kind, *ids = str(figure["id"]).split("_")
        for line in figure["lines"] if kind in {"pair", "ratio"} else ():
            label = str(line["label"])  # in one language or in two
            window = re.search(r"(\d+) rows", label)
            name = "relative_strength" if kind == "pair" else "ratio_correlation"
            name = "ratio_null" if "null" in label else name
            key = (name, *(*ids, "")[:3], int(window.group(1)) if window else None)
            rows = line["rows"]  # or their number among the rows that lines share
            rows = content["rows"][rows] if isinstance(rows, int) else rows
            for row, value in zip(rows, line["values"], strict=True):
                if value is not None:
                    shown[days[row], *key] = value
    return shown


# Which part of the values a surface shows at least, and how far off it may be: half of
# its last printed digit.
SURFACES: dict[str, tuple[Callable[..., Shown], float, float]] = {
    "csv": (from_csv, 1.0, 0.0),
    "csv for Excel": (from_excel_csv, 1.0, 0.0),
    "workbook": (from_workbook, 1.0, 0.0),
    "page": (from_page, 0.1, 5.001e-4),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_a_thousand_sampled_values_are_the_same(comparison, tmp_path, surface):
    show, share, precision = SURFACES[surface]
    expected, shown = from_tables(comparison), show(comparison, tmp_path)
    sampled = random.Random(SEED).sample(sorted(expected, key=repr), SAMPLED)  # noqa: S311
    there = [key for key in sampled if key in shown]
    wrong = {
        key: (expected[key], shown[key])
        for key in there
        if abs(shown[key] - expected[key]) > precision
    }

    assert wrong == {}
    assert len(there) >= share * SAMPLED


def test_no_surface_shows_a_value_that_the_tables_have_not(comparison, tmp_path):
    expected = set(from_tables(comparison))

    for show, *_ in SURFACES.values():
        assert set(show(comparison, tmp_path)) <= expected


def test_the_sample_touches_every_signal(comparison):
    expected = from_tables(comparison)
    sampled = random.Random(SEED).sample(sorted(expected, key=repr), SAMPLED)  # noqa: S311

    assert {key[1] for key in sampled} >= {
        "level", "relative_strength", "ratio_correlation", "ratio_null", "gap", "breadth_20",
    }  # fmt: skip
    assert pl.Series([key[0] for key in sampled]).n_unique() > 400
