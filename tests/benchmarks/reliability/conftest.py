"""Where campaigns work: a folder in memory, and a process without threads."""

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.campaign import memory_below

Apart = Callable[..., Any]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Give a folder to work below, held in memory where there is such a place."""
    place = memory_below(tmp_path)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def apart() -> Iterator[Apart]:
    """Call a function in a process that nothing has started threads in: it may fork."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *given: pool.submit(function, *given).result()
