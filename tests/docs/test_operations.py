"""What the guide for the desk says of limits and policies is what is in force: R38."""

import re
import subprocess
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


def test_what_cron_starts_has_a_line_for_a_cron_without_zones_of_its_own() -> None:
    """Debian's takes ``CRON_TZ`` for a variable, and starts the line by the host's zone."""
    found = re.findall("^```crontab\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    by_cron, by_itself = (
        {re.findall(r"bin/indexer (.*?) > ?", block)[0] for block in found if needs(block)}
        for needs in (lambda b: "CRON_TZ=" in b, lambda b: "TZ=Asia/Shanghai date" in b)
    )

    assert by_cron
    assert by_cron == by_itself


@pytest.mark.parametrize(("hour", "runs"), [("16", True), ("15", False)])
def test_such_a_line_starts_at_its_hour_alone(hour: str, runs: bool, tmp_path: Path) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("45 * * * * "))
    guard = line.removeprefix("45 * * * *").partition("cd ")[0].replace("\\%", "%")
    date = tmp_path / "date"
    date.write_text(f'#!/bin/sh\n[ "$TZ $1" = "Asia/Shanghai +%H" ] && echo {hour}\n')
    date.chmod(0o755)
    told = subprocess.run(
        ["/bin/sh", "-c", f"{guard} echo started"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    assert (told == "started\n") is runs
