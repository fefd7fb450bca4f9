"""The pages that are made from the program are those it would make now."""

import re

from docs.reference import DOCS, MADE, PICTURE, pages, picture
from indexer.cli.app import app

FOLDERS = ("reference", "methodology")


def test_pages_are_as_they_would_be_made():
    """`python -m docs.reference` makes them anew."""
    stale = [
        str(path.relative_to(DOCS))
        for path, text in pages().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]

    assert not stale


def test_the_picture_is_as_it_would_be_drawn():
    assert PICTURE.read_text("utf-8") == picture()


def test_no_page_is_left_that_is_not_made():
    there = {path for folder in FOLDERS for path in (DOCS / folder).rglob("*.md")}

    assert there == set(pages())


def test_who_reads_a_page_is_told_not_to_edit_it():
    assert all(text.startswith(MADE) for text in pages().values())


def test_every_command_and_every_public_name_has_its_place():
    made = {path.name: text for path, text in pages().items() if path.parent.name == "reference"}

    assert set(re.findall(r"^## indexer (\w+)$", made["commands.md"], re.M)) == set(app.commands)
    for name in ("build", "rolling_correlation", "History", "Comparison"):
        assert f"\n## {name}\n" in made["python.md"]
    for name in ("Basket", "Series", "Weighting", "WindowLengths", "Evaluate"):
        assert f"\n### {name}\n" in made["definitions.md"]
