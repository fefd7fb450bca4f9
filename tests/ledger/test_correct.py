"""The correction policy, cell by cell: below, on and above each of its limits."""

from datetime import date

import pytest

from indexer.ledger.correct import REASONS, Policy, decide, policy_on

POLICY = Policy(date(1990, 1, 1), 2, 1.0, 25.0)


@pytest.mark.parametrize("age", [0, 1, 2])
@pytest.mark.parametrize(
    ("bp", "said"),
    [
        (0.0, "immaterial"),
        (0.9999, "immaterial"),
        (1.0, "automatic"),
        (1.0001, "automatic"),
        (24.9999, "automatic"),
        (25.0, "automatic"),
        (25.0001, "approval"),
    ],
)
def test_up_to_two_sessions_old_the_rule_decides(age, bp, said):
    assert decide(POLICY, age, bp) == decide(POLICY, age, -bp) == said


@pytest.mark.parametrize("age", [3, 4, 250])
@pytest.mark.parametrize(
    ("bp", "said"),
    [(0.9999, "immaterial"), (1.0, "approval"), (1.0001, "approval"), (25.0001, "approval")],
)
def test_older_ones_need_somebody(age, bp, said):
    assert decide(POLICY, age, bp) == decide(POLICY, age, -bp) == said


def test_a_level_that_cannot_be_compared_needs_somebody():
    assert decide(POLICY, 0, float("inf")) == decide(POLICY, 0, float("nan")) == "approval"


def test_the_defaults_are_those_of_the_requirement():
    found = policy_on(date(2026, 3, 2))

    assert (found.automatic_sessions, found.material_bp, found.approval_bp) == (2, 1.0, 25.0)


def test_the_reasons_are_those_of_the_contract():
    assert set(REASONS) == {
        "bad-price", "late-action", "methodology", "vendor-revision", "software",
    }  # fmt: skip


def test_before_the_first_policy_there_is_none():
    with pytest.raises(ValueError, match="empty"):
        policy_on(date(1989, 12, 31))
