"""Definitions to begin with: a basket and a study that run on the bundled sample."""

import os
from pathlib import Path

from indexer.errors import OutputError
from indexer.report.files import write_folders

_TEMPLATES = Path(__file__).parent / "templates"
NAMES = ("my-basket.yaml", "my-study.yaml")


def write_templates(folder: Path) -> list[Path]:
    """Write a commented basket and study into a folder, both or neither, and return their paths.

    Raises
    ------
    OutputError
        If a file of either name is there already, or they cannot be written.
    """
    for name in NAMES:
        if os.path.lexists(folder / name):
            reason = "a file of that name is there already: name another folder, or move it away"
            raise OutputError(str(folder / name), reason)
    texts = {name: (_TEMPLATES / name).read_text(encoding="utf-8") for name in NAMES}
    return write_folders(folder, {".": texts}, "csv")
