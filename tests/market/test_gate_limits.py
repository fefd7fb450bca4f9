"""The limits of the gates: what the documents promise is what the file says."""

from dataclasses import asdict
from datetime import date, timedelta

import pytest

from indexer.errors import MarketDataError
from indexer.market.conventions.gates import gate_limits, parsed

DOCUMENTED = {  # reliability R14 to R18, as the contract makes them precise
    "stale_weight": 0.10,
    "review_age": 25,
    "deviations": 6,
    "returns": 250,
    "returns_minimum": 60,
    "ticks": 1,
    "exempt_sessions": 5,
    "jump": 1.8,
    "adjusted_room": 0.02,
    "members": 3,
}
ENTRY = "- {from: %s, " + ", ".join(f"{k}: {v}" for k, v in DOCUMENTED.items()) + "}\n"


@pytest.mark.parametrize("day", [date(1980, 1, 1), date(2016, 1, 7), date(2026, 8, 21)])
def test_the_documented_limits_are_in_force(day):
    assert asdict(gate_limits(day)) == DOCUMENTED


def test_a_later_entry_counts_from_its_day_on():
    text = ENTRY % "1990-01-01" + (ENTRY % "2030-05-06").replace("members: 3", "members: 7")
    (first, early), (since, late) = parsed(text, "gates.yaml")

    assert (first, since) == (date(1990, 1, 1), date(2030, 5, 6))
    assert (early.members, late.members) == (3, 7)


def test_the_limits_of_a_day_are_those_of_the_last_entry_before_it(monkeypatch):
    text = ENTRY % "1990-01-01" + (ENTRY % "2030-05-06").replace("members: 3", "members: 7")
    entries = parsed(text, "gates.yaml")
    monkeypatch.setattr("indexer.market.conventions.gates._entries", lambda: entries)
    change = date(2030, 5, 6)

    shifts = (-1, 0, 1)
    assert [gate_limits(change + timedelta(n)).members for n in shifts] == [3, 7, 7]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no entry"),
        (ENTRY % "1990-01-01" + ENTRY % "1990-01-01", "row 2: from 1990-01-01: expected a date"),
        (ENTRY % "soon", "from soon: expected a date"),
        ((ENTRY % "1990-01-01").replace("members: 3", "member: 3"), "member, members: missing"),
        ((ENTRY % "1990-01-01").replace("members: 3", "members: many"), "members': 'many'"),
        ((ENTRY % "1990-01-01").replace("members: 3", "members: 0"), "numbers above zero"),
    ],
)
def test_a_malformed_file_of_limits_is_an_error(text, why):
    with pytest.raises(MarketDataError, match=why):
        parsed(text, "gates.yaml")
