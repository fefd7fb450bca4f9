"""What the guide for the desk says of limits and policies is what is in force: R38."""

from datetime import date
from pathlib import Path

import pytest

from indexer.ledger.correct import policy_on
from indexer.market.conventions.gates import gate_limits

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
NOW = date.max
LIMITS, POLICY = gate_limits(NOW), policy_on(NOW)
SAID = {
    "stale weight": f"at a carried price on an open day | {LIMITS.stale_weight:.0%} |".replace(
        "%", " %"
    ),
    "a move of the index": f"| {LIMITS.deviations:g} deviations of the last {LIMITS.returns} daily "
    f"log returns, from {LIMITS.returns_minimum} on |",
    "a board's limit": f"| {LIMITS.ticks:g} tick; not in the first {LIMITS.exempt_sessions} "
    "sessions |",
    "without a limit": f"over its reference price, or the inverse | {LIMITS.jump:g} |",
    "one exchange": f"unchanged while others moved | from {LIMITS.members} closes |",
    "for review": f"carried for more than {LIMITS.review_age} sessions, for review",
    "by age": f"| difference | up to {POLICY.automatic_sessions} sessions old | older |",
    "immaterial": f"| below {POLICY.material_bp:g} bp | recorded beside the published number",
    "by itself": f"| {POLICY.material_bp:g} to {POLICY.approval_bp:g} bp | corrected |",
    "by name": f"| above {POLICY.approval_bp:g} bp | needs a name: `--by` |",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_a_number_of_the_guide_is_the_one_in_force(said: str) -> None:
    assert said in PAGE
