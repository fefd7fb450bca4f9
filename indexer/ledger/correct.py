"""The correction policy: what becomes of a published level that its inputs no longer give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml

REASONS = ("bad-price", "late-action", "methodology", "vendor-revision", "software")

Decision = Literal["automatic", "approval", "immaterial"]


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force from a date on; see ``corrections.yaml``."""

    since: date
    automatic_sessions: int
    material_bp: float
    approval_bp: float


def decide(policy: Policy, age: int, difference_bp: float) -> Decision:
    """Return what the policy says of a published level that would now be another.

    Parameters
    ----------
    age : sessions since that of the level; 0 on its own day
    difference_bp : of the new level to the published one, in basis points, either sign

    Returns
    -------
    ``immaterial`` below ``material_bp``, whatever the age: the new number is recorded beside the
    published one. ``automatic`` up to ``automatic_sessions`` and ``approval_bp``, both inclusive.
    Else ``approval``.

    Examples
    --------
    >>> policy = policy_on(date(2026, 5, 7))
    >>> decide(policy, 2, -25.0), decide(policy, 3, 1.0), decide(policy, 0, 0.9)
    ('automatic', 'approval', 'immaterial')
    """
    size = abs(difference_bp)
    if size < policy.material_bp:
        return "immaterial"
    if age <= policy.automatic_sessions and size <= policy.approval_bp:
        return "automatic"
    return "approval"


def basis_points(published: float, new: float) -> float:
    """Return by how many basis points a level has moved, without the rounding of a quotient.

    Of doubles that are decimals but for their last bits the difference is taken first, and what is
    beyond nine decimals is none.

    Examples
    --------
    >>> basis_points(1000.0, 1000.1), (1000.1 / 1000.0 - 1) * 1e4
    (1.0, 0.9999999999998899)
    """
    return round((new - published) / published * 1e4, 9)


def policy_on(day: date) -> Policy:
    """Return the policy in force on a day.

    Raises
    ------
    ValueError
        If the day is before the first policy, of 1990.
    """
    return max((p for p in _policies() if p.since <= day), key=lambda policy: policy.since)


@lru_cache
def _policies() -> Sequence[Policy]:
    text = Path(__file__).with_name("corrections.yaml").read_text(encoding="utf-8")
    return tuple(
        Policy(
            date.fromisoformat(entry["from"]),
            int(entry["automatic_sessions"]),
            float(entry["material_bp"]),
            float(entry["approval_bp"]),
        )
        for entry in yaml.BaseLoader(text).get_single_data()  # every scalar stays text
    )
