"""An index that is published, and the stand-in of the tests of sources for the use cases above."""

import shutil

import pytest

from tests.market.sources.conftest import _reach, reach
from tests.run.desk import DAYS, published

__all__ = ["_reach", "reach"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with five sessions published."""
    path = tmp_path_factory.mktemp("made")
    published(path, DAYS[0], DAYS[4])
    return path


@pytest.fixture
def path(made, tmp_path):
    """Return a copy of it."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)
