"""The files that the documentation describes are those that are written."""

import re
from pathlib import Path

import pytest

from indexer.definitions.read import read_study
from indexer.definitions.study import Bootstrap
from indexer.ledger.history import COLUMNS, STUDY_COLUMNS
from indexer.market.tables import read_market
from indexer.report.files import comparison_files, history_files
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET
from indexer.run.results import study

TEXT = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")


def told(heading):
    """Return the rows of the tables below a heading: what the first cell says, and the last."""
    part = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|(?:.*\|)? (.*?) \|$", part, re.MULTILINE)
    return {first.strip("`"): last.strip("`") for first, last in rows}


@pytest.fixture(scope="module")
def compared():
    definition = read_study(BUNDLED_BASKETS / "compute-diffusion.yaml")
    quick = definition.model_copy(update={"bootstrap": Bootstrap(replications=99)})
    return study(quick, read_market(BUNDLED_MARKET))


@pytest.mark.parametrize("heading", ["Of an index", "Of a study"])
def test_tables_and_their_columns_are_told_and_no_others(compared, heading):
    index = compared.histories["domestic-compute"]
    files = comparison_files(compared) if heading == "Of a study" else history_files(index)
    columns = {name: " ".join(t.columns) for name, t in files.items() if hasattr(t, "columns")}

    assert told(heading) == {"table": "columns", **columns}


def test_every_signal_is_told(compared):
    named = {name for cell in told("Signals") for name in re.findall(r"[a-z_0-9]{3,}", cell)}

    of_overlays = {"divergence"}  # of which the sample has none
    assert named - {"signal"} == set(compared.table["signal"].unique()) | of_overlays


def test_columns_of_publications_are_told():
    rows = told("Of a publication")

    assert rows["an index"].split() == list(COLUMNS)
    assert rows["a study"].split() == list(STUDY_COLUMNS)
