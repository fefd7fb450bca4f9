"""Cutting the power finds nothing in a right publisher, and every planted bug."""

import pytest

from benchmarks.reliability.power import power_sweep
from benchmarks.reliability.volume import available
from tests.benchmarks.reliability.toy import BUGS, SCENARIOS, swept

pytestmark = pytest.mark.skipif(bool(why := available()), reason=f"needs FUSE: {why}")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_a_right_publisher_survives_every_loss(apart, memory, scenario):
    found = apart(swept, power_sweep, (), scenario, 1, memory)

    assert not found.wrong
    assert found.n >= 15


@pytest.mark.parametrize("bug", [*BUGS, "written in place"])
def test_a_planted_bug_is_found(apart, memory, bug):
    found = apart(swept, power_sweep, (bug,), SCENARIOS[1], 1, memory)

    assert found.wrong
