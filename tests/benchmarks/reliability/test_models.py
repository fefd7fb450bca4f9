"""Campaigns that judge by a model find what is planted: open gates, a level that is held over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from benchmarks.reliability import flips, steps, years
from benchmarks.reliability.judge import Prices, refusals
from benchmarks.reliability.record import Found
from benchmarks.reliability.vendor import Slip, known
from benchmarks.reliability.world import drawn

YEAR = (date(2006, 1, 4), date(2006, 12, 31))


def gates_are_open() -> None:
    years.findings = lambda *_: ()


def yesterday_is_held() -> None:
    record = years.record

    def recording(desk: Any, candidate: Any, sessions: Any, gate: Any) -> Any:
        held = replace(candidate, content=lambda at: candidate.content(max(at - 1, 0)))
        return record(desk, held, sessions, gate)

    years.record = recording


def lived(plant: Callable[[], None], memory: Any) -> Found:
    plant()
    return years.years(3, YEAR, 2, memory)


@pytest.mark.parametrize(
    ("plant", "told"), [(gates_are_open, "expected"), (yesterday_is_held, "price")]
)
def test_years_find_what_is_planted(apart, memory, plant, told):
    found = apart(lived, plant, memory)

    assert found.wrong
    assert told in found.wrong[0]


def stepped(memory: Any) -> Found:
    append = steps.append_revised
    steps.append_revised = lambda connection, desk, one, new: append(
        connection, desk, one, new[:-1]
    )
    return steps.steps(1, 5, memory)


def test_steps_find_a_restatement_that_loses_a_day(apart, memory):
    assert apart(stepped, memory).wrong


def flipped(memory: Any) -> Found:
    flips.verified = lambda *_, **__: None
    return flips.flips(1, 60, memory)


def test_flips_find_a_verification_that_looks_away(apart, memory):
    assert apart(flipped, memory).wrong


@pytest.mark.parametrize(
    ("slip", "rules"),
    [
        (Slip(60, 61, "spike", 0, 1.6), "R16"),
        (Slip(60, 61, "missing", 0), "R14 R15"),  # a fourth of the index
        (Slip(60, 61, "frozen"), "R17"),
        (Slip(60, 61, "wrong", 0, 1.004), ""),
    ],
)
def test_the_judge_names_the_rule_of_a_fault(slip, rules):
    world = drawn(2, *YEAR, count=12, pauses=0.0)
    assert not np.isnan(world.close[59:61, :4]).any()
    state = known(world, [slip])
    columns = np.arange(4)
    shares = np.ones((len(world.days), 4))
    index = (columns, shares, state.world.close[:, :4].sum(axis=1), 0)

    assert refusals(state, Prices(state.world), index, [60]) == [frozenset(rules.split())]
