"""A slice of the matrix of faults, through akshare's own code: each kind once."""

from collections.abc import Iterator

import pytest

from benchmarks.faults import (
    EXTENTS,
    OUTCOMES,
    PLACES,
    Ground,
    Scenario,
    alone,
    ground,
    judged,
    run,
    scenarios,
)
from benchmarks.standin.faults import DATA, KINDS, TRANSPORT

SLOW = {"hang", "drip"}  # seconds of silence each: the worker's own tests have them


@pytest.fixture(scope="module")
def on() -> Iterator[Ground]:
    with ground(2, deadline=30.0) as found:
        yield found


def test_there_are_sixty_kinds_in_two_thousand_one_hundred_and_sixty_scenarios():
    assert (len(TRANSPORT), len(DATA), len(set(KINDS))) == (35, 25, 60)
    assert len(set(scenarios())) == 2160
    assert set(OUTCOMES) <= set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SLOW])
def test_a_fault_in_both_first_sources_makes_no_close_wrong_and_is_called_what_it_is(on, kind):
    n = KINDS.index(kind)
    place, extent = list(PLACES)[n % len(PLACES)], EXTENTS[n % len(EXTENTS)]

    assert judged(on, Scenario(kind, place, extent, "both")) == []


def test_the_judge_sees_a_close_that_is_not_the_markets(on):
    """A fault that all three sources have is believed: nothing can tell."""
    bars = on.standin.market.bars[on.symbols[0]]
    true = bars[5]
    bars[5] = true._replace(close=round(true.close + 0.01, 2), high=round(true.high + 0.01, 2))
    try:
        wrong = judged(on, Scenario("bom_json", "first", "one", "first"))
    finally:
        bars[5] = true

    assert [line for line in wrong if "is not the market's" in line]


def test_the_judge_sees_an_outcome_that_is_not_the_faults(on, monkeypatch):
    monkeypatch.setitem(OUTCOMES, "http_429", frozenset({"corrupt"}))

    wrong = judged(on, Scenario("http_429", "first", "all", "first"))

    assert [line for line in wrong if "is called blocked" in line]


def test_scenarios_that_are_kept_are_not_run_again(tmp_path):
    first = run(tmp_path, every=1000, count=2, beside=())
    kept = tmp_path / "faults-2.jsonl"
    lines = kept.read_text()
    kept.write_text(lines + '{"scenario": ["cut off')

    second = run(tmp_path, every=1000, count=2, beside=())

    assert kept.read_text().startswith(lines)
    assert (first["n"], first["wrong"], first["seed"]) == (3, 0, second["seed"])
    assert (second["n"], second["wrong"], second["seconds"]) == (3, 0, first["seconds"])


def test_akshare_alone_gives_frames_that_are_not_the_truth(on):
    told = alone(on, ("http_429", "conflicting_dup"))

    assert told == {"http_429": "raises KeyError", "conflicting_dup": "another frame"}
