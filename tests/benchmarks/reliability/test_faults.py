"""Failing calls, small disks and little memory: a right publisher says so and heals."""

import pytest

from benchmarks.reliability.calls import AVAILABLE
from benchmarks.reliability.faults import error_sweep, full_sweep, memory_sweep
from tests.benchmarks.reliability.toy import SCENARIOS, swept

traced = pytest.mark.skipif(not AVAILABLE, reason="only on x86-64 Linux")


@traced
def test_a_right_publisher_survives_failing_calls(apart, memory):
    found = apart(swept, error_sweep, (), SCENARIOS[1], (0, 3), memory)

    assert not found.wrong
    assert found.n > 100


@traced
@pytest.mark.parametrize("bug", ["untyped error", "silent error"])
def test_an_error_badly_told_is_found(apart, memory, bug):
    found = apart(swept, error_sweep, (bug,), SCENARIOS[1], (0, 30), memory)

    assert found.wrong


def test_a_right_publisher_survives_small_disks(apart, memory):
    found = apart(swept, full_sweep, (), SCENARIOS[1], (0, 25), memory)

    assert not found.wrong


def test_an_error_told_as_success_is_found_on_small_disks(apart, memory):
    found = apart(swept, full_sweep, ("silent error",), SCENARIOS[1], (0, 25), memory)

    assert found.wrong


def test_a_right_publisher_survives_little_memory(apart, memory):
    found = apart(swept, memory_sweep, (), SCENARIOS[1], (0, 20), memory)

    assert not found.wrong
