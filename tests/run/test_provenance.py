"""The digest of the code: every file that makes a number, published or kept of a sweep."""

import shutil
from pathlib import Path

import pytest

from indexer.run import provenance
from indexer.sweep import perform

CODE = Path(provenance.__file__).parents[1]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a copy of the package that the digest is taken of."""
    copy = tmp_path / "indexer"
    shutil.copytree(CODE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.js"))
    monkeypatch.setattr(provenance, "_PACKAGE", copy)
    provenance.code_digest.cache_clear()
    yield copy
    provenance.code_digest.cache_clear()


def changed(package: Path, file: str) -> None:
    """Change a file of the package."""
    with (package / file).open("a") as stream:
        stream.write("# another line\n")
    provenance.code_digest.cache_clear()


@pytest.mark.parametrize(
    "file",
    [
        *("run/entries.py", "run/results.py", "ledger/entry.py", "ledger/tables.py", "digest.py"),
        "index/calculate.py",
    ],
)
def test_what_shapes_published_rows_is_in_the_digest(package, file):
    before = provenance.code_digest()
    changed(package, file)

    assert provenance.code_digest() != before


def test_what_makes_the_figures_of_a_sweep_is_in_the_digest_of_sweeps_alone(package):
    before = provenance.code_digest(), perform.results_code()
    changed(package, "sweep/tasks.py")

    assert provenance.code_digest() == before[0]
    assert perform.results_code() != before[1]


def test_what_every_number_comes_from_is_in_the_digest_of_sweeps_too(package):
    before = perform.results_code()
    changed(package, "index/calculate.py")

    assert perform.results_code() != before


def test_what_only_shows_numbers_is_in_neither(package):
    before = provenance.code_digest(), perform.results_code()
    changed(package, "report/page.py")

    assert (provenance.code_digest(), perform.results_code()) == before
