"""The tables of conventions, as they are written down beside this module."""

import csv
from pathlib import Path


def rows_of(table: str) -> list[dict[str, str]]:
    """Return the rows of a table by column, every cell text."""
    text = Path(__file__).with_name(f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
