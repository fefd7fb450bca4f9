"""What a type checker sees of the package: its names, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest

import indexer

ROOT = Path(indexer.__file__).parents[1]
# Only the package's own door is read: all that it stands on takes ten seconds.
SETTINGS = f"""
[mypy]
strict = true
mypy_path = {ROOT}
follow_imports = skip
[mypy-indexer]
follow_imports = normal
"""


def said(folder: Path, text: str) -> str:
    """Return what mypy says of a program."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    (folder / "mypy.ini").write_text(SETTINGS, encoding="utf-8")
    (folder / "program.py").write_text(f"import indexer\n{text}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "program.py"],
        check=False, capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_name_that_is_misspelt_is_an_error(tmp_path: Path) -> None:
    assert 'Module has no attribute "rolling_corelation"' in said(
        tmp_path, "indexer.rolling_corelation"
    )


def test_every_public_name_is_known(tmp_path: Path) -> None:
    names = "\n".join(f"print(indexer.{name})" for name in indexer.__all__)

    assert said(tmp_path, f"{names}\nversion: str = indexer.__version__").startswith("Success")
