"""What is published can be proved on another machine: no number goes by the processor."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.reliability.replay import older_processor
from indexer.run.find import BUNDLED_MARKET

COMMAND = (sys.executable, "-m", "indexer.cli.app", "run", "compute-diffusion")


def written(out: Path, **environment: str) -> dict[str, str]:
    """Return the tables that a study and its indices are written as."""
    words = [*COMMAND, "--market", str(BUNDLED_MARKET), "--out", str(out)]
    subprocess.run(words, env=os.environ | environment, check=True, capture_output=True)
    return {str(p.relative_to(out)): p.read_text("utf-8") for p in out.rglob("*.csv")}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="an older processor of the same kind")
def test_another_processor_writes_the_same_tables(tmp_path):
    """Kernels are compiled for it in the campaign that builds levels again: that takes a while."""
    older = {name: told for name, told in older_processor().items() if "NUMBA" not in name}
    here, there = written(tmp_path / "here"), written(tmp_path / "there", **older)

    assert {"signals.csv", "levels.csv"} <= {Path(name).name for name in here}
    assert [name for name in here if there[name] != here[name]] == []
