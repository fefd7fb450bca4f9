"""The findings that are published are those that the study finds."""

import runpy
import sys
from pathlib import Path

import pytest

from indexer.market.tables import read_market
from tests.shared import COMPUTE, real

ROOT = Path(__file__).resolve().parents[2]


@real
def test_the_page_is_what_the_study_says() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "findings.py"))
    assert (ROOT / "docs" / "findings.md").read_text("utf-8") == script["page"](
        read_market(COMPUTE)
    )


def test_a_synthetic_market_makes_no_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ROOT / "docs" / "findings.md"
    before = page.read_bytes()
    asked = ["findings.py", "--market", str(ROOT / "seeds" / "market")]
    monkeypatch.setattr(sys, "argv", asked)
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(ROOT / "docs" / "findings.py"), run_name="__main__")
    assert "is synthetic" in capsys.readouterr().err
    assert page.read_bytes() == before
