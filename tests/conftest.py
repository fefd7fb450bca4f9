"""A browser, and how far Hypothesis goes.

`HYPOTHESIS_PROFILE=full python -m pytest tests/index` goes further; `mutants` is for mutation
testing, where a failure is an answer and need not be made small.
"""

import os
import shutil

import pytest
from hypothesis import Phase, settings

settings.register_profile("default", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("full", max_examples=2000, deadline=None, print_blob=True)
settings.register_profile(
    "mutants", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="module")  # its loop runs as long as it is open, and lets no other begin
def browser():
    """Return a real browser; who needs it skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs chromium")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()
