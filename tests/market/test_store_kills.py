"""A writer killed at every change it makes to files: what is read is the last good version."""

import multiprocessing
import shutil
import signal
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from benchmarks.reliability.calls import AVAILABLE
from benchmarks.reliability.tracing import Fault, forked, traced
from indexer.market.store import write_rows
from indexer.market.tables import read_market
from tests.market.writers import pair, versions

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="only on x86-64 Linux")


def written(folder: Path, n: int) -> int:
    write_rows(folder, pair(n))
    return 0


def killed_everywhere(root: Path, begun: int) -> list[tuple[int, str]]:
    """Kill one transaction at each of its changes and half-way through each write, a folder each.

    Runs in a process that starts no threads of its own: it forks. Return the exit codes and what
    was about to be done.
    """
    base = root / "base"
    base.mkdir()
    for n in range(begun):
        assert forked(partial(written, base, n)).code == 0
    probe = root / "probe"
    shutil.copytree(base, probe)
    changes = traced(partial(written, probe, begun), probe).changes
    faults = [Fault(n, "kill") for n in range(len(changes))]
    faults += [Fault(n, "half") for n, change in enumerate(changes) if change.size > 1]
    ends = []
    for at, fault in enumerate(faults):
        place = root / str(at)
        shutil.copytree(base, place)
        ended = traced(partial(written, place, begun), place, fault)
        ends.append((ended.code, f"{fault.act} {changes[fault.at]}"))
    return ends


def rows_of(folder: Path) -> tuple[int, int]:
    """Return how many rows there are of the two tables that are written together."""
    if not versions(folder):
        return 0, 0
    market = read_market(folder)
    return len(market.prices), len(market.fx)


@pytest.mark.parametrize("begun", [0, 2])
def test_killed_at_every_change_a_transaction_is_there_or_not_and_the_next_one_goes_on(
    tmp_path: Path, begun: int
) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        ends = pool.submit(killed_everywhere, tmp_path, begun).result()

    assert len(ends) > 15
    whole = 0
    for at, (code, where) in enumerate(ends):
        place = tmp_path / str(at)
        assert code == -signal.SIGKILL, where
        there = versions(place) - begun
        assert there in {0, 1}, where
        assert rows_of(place) == (begun + there, begun + there), where
        write_rows(place, pair(begun + 1))  # half of the other transaction must not come with it
        assert rows_of(place) == (begun + there + 1, begun + there + 1), where
        whole += there
    assert whole < len(ends)
