"""The sweep of kills finds nothing in a right publisher, and the bugs that a kill can show."""

import pytest

from benchmarks.reliability.calls import AVAILABLE
from benchmarks.reliability.kill import kill_sweep
from tests.benchmarks.reliability.toy import SCENARIOS, swept

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="only on x86-64 Linux")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_a_right_publisher_survives_every_kill(apart, memory, scenario):
    found = apart(swept, kill_sweep, (), scenario, (0, 1), memory)

    assert not found.wrong
    assert found.n > 30


@pytest.mark.parametrize("bug", ["files before the ledger", "two transactions", "written in place"])
def test_a_planted_bug_is_found(apart, memory, bug):
    found = apart(swept, kill_sweep, (bug,), SCENARIOS[1], (0, 1), memory)

    assert found.wrong


def test_parts_are_the_whole(apart, memory):
    parts = [apart(swept, kill_sweep, (), SCENARIOS[0], (n, 3), memory).n for n in range(3)]

    assert sum(parts) == apart(swept, kill_sweep, (), SCENARIOS[0], (0, 1), memory).n
