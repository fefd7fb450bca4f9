"""The findings that are published are those that the study finds."""

import runpy
from pathlib import Path

from indexer.market.tables import read_market
from tests.shared import COMPUTE, real

ROOT = Path(__file__).resolve().parents[2]


@real
def test_the_page_is_what_the_study_says() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "findings.py"))
    assert (ROOT / "docs" / "findings.md").read_text("utf-8") == script["page"](
        read_market(COMPUTE)
    )
