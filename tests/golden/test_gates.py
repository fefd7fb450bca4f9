"""The gates on real prices: how many sessions of the two chains they refuse, and for what.

The prices come from days without a full fetch: from May 2026 on many a close is lacking. That is
what R14 refuses; the closes that R16 refuses are the first after such a hole, and the level after
the rally of September 2024, which was true.
"""

from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from indexer.definitions.read import read_basket
from indexer.index.build import build
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.market.tables import read_market
from tests.shared import COMPUTE, real

ROOT = Path(__file__).resolve().parents[2]
pytestmark = real
LAST = date(2026, 8, 20)


@pytest.fixture(scope="module", params=["domestic-compute", "north-america-compute"])
def judged(request: pytest.FixtureRequest) -> tuple[str, list[Finding]]:
    """Return a chain, and what the gates find on all its sessions up to the last one asked."""
    market = read_market(COMPUTE)
    history = build(read_basket(ROOT / "baskets" / f"{request.param}.yaml"), market)
    sessions = [day for day in history.days.tolist() if day <= LAST]
    assert (sessions[0], len(sessions)) == (date(2024, 1, 2), 638)
    return request.param, list(findings(history, market, sessions))


def refused(found: list[Finding]) -> dict[str, set[date]]:
    """Return the sessions that each rule refuses."""
    sessions: dict[str, set[date]] = defaultdict(set)
    for finding in found:
        if finding.verdict == "refuse":
            sessions[finding.rule].add(finding.session)
    return sessions


def test_so_many_sessions_are_refused_by_each_rule(judged: tuple[str, list[Finding]]) -> None:
    id, found = judged
    count = {rule: len(sessions) for rule, sessions in refused(found).items()}
    assert count == {
        "domestic-compute": {"R14": 37, "R16": 5},
        "north-america-compute": {"R14": 59, "R16": 5},
    }[id]  # fmt: skip


def test_before_the_closes_are_lacking_only_the_rally_of_2024_is_refused(
    judged: tuple[str, list[Finding]],
) -> None:
    id, found = judged
    early = {(f.session, f.rule) for f in found if f.session < date(2026, 5, 8)}
    rally = {(date(2024, 9, 30), "R16"), (date(2024, 10, 8), "R16")}
    assert early == (rally if id == "domestic-compute" else set())


def test_every_message_is_one_line(judged: tuple[str, list[Finding]]) -> None:
    assert all("\n" not in f.message for f in judged[1])
