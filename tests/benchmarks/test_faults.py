"""A slice of the matrix of faults, through akshare's own code: each kind once."""

from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.alone import alone
from benchmarks.faults import (
    EXTENTS,
    OUTCOMES,
    PLACES,
    Scenario,
    judged,
    needs_on,
    run,
    scenarios,
    summed,
)
from benchmarks.ground import SILENT, Ground, ground
from benchmarks.reliability.record import Found
from benchmarks.standin.faults import DATA, KINDS, TRANSPORT


@pytest.fixture(scope="module")
def on() -> Iterator[Ground]:
    with ground(deadline=30.0) as found:
        yield found


def test_there_are_sixty_kinds_in_two_thousand_one_hundred_and_sixty_scenarios():
    assert (len(TRANSPORT), len(DATA), len(set(KINDS))) == (35, 25, 60)
    assert len(set(scenarios())) == 2160
    assert set(OUTCOMES) <= set(KINDS)


def test_a_scenario_fetches_twenty_needs_of_every_table(on):
    tables = Counter(need.table for need in needs_on(on))
    suffixes = {need.subject[-2:] for need in needs_on(on) if need.table == "prices"}

    assert tables == {"prices": 9, "actions": 4, "series": 3, "shares": 2, "fx": 2}
    assert suffixes == {"SH", "SZ", "BJ", "HK", "US"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SILENT])
def test_a_fault_makes_no_figure_wrong_and_is_called_what_it_is(on, kind):
    n = KINDS.index(kind)
    # One that is refused falls on every need alike: one place will do, and one set of true answers.
    refused = "blocked" in OUTCOMES.get(kind, ())
    place = "first" if refused else list(PLACES)[n % len(PLACES)]
    extent = EXTENTS[n % (len(EXTENTS) - 1)]

    assert judged(on, Scenario(kind, place, extent, "first")).wrong == ()


def test_an_answer_repeated_is_the_answer_given(on, monkeypatch):
    monkeypatch.setattr(on.recorder, "_told", {})
    scenario = Scenario("conflicting_dup", "first", "one", "first")
    first, real = judged(on, scenario), on.recorder.real

    second = judged(on, scenario)

    assert (first, on.recorder.real) == (second, real)
    on.recorder._told.clear()
    assert judged(on, scenario) == first
    assert on.recorder.real > real


def test_the_judge_sees_a_close_that_is_not_the_markets(on):
    """What every source says is believed: nothing can tell."""
    bars = on.market.bars[on.shares[2]]  # it pays nothing: no missing action holds its bars back
    true = bars[5]
    judged(on, Scenario("bom_json", "first", "all", "first"))  # the true bars are told
    bars[5] = true._replace(close=round(true.close + 0.01, 2), high=round(true.high + 0.01, 2))
    try:
        wrong = judged(on, Scenario("bom_json", "first", "all", "first")).wrong
    finally:
        bars[5] = true

    assert [line for line in wrong if "are not the market's" in line]


def test_the_judge_sees_an_outcome_that_is_not_the_faults(on, monkeypatch):
    monkeypatch.setitem(OUTCOMES, "http_429", frozenset({"corrupt"}))

    wrong = judged(on, Scenario("http_429", "first", "all", "first")).wrong

    assert [line for line in wrong if "is called blocked" in line]


def test_scenarios_that_are_kept_are_not_run_again(tmp_path):
    first = run(tmp_path, every=2160, beside=())
    kept = tmp_path / "faults.jsonl"
    lines = kept.read_text()
    kept.write_text(lines + '{"scenario": ["cut off')

    second = run(tmp_path, every=2160, beside=())

    assert kept.read_text().startswith(lines)
    assert (first["n"], first["wrong"], first["seed"]) == (1, 0, second["seed"])
    assert (second["n"], second["seconds"]) == (1, first["seconds"])


def test_what_is_believed_because_two_sources_tell_it_is_told():
    found = Found(1, (), 1.0, {"real": 2, "alike": True, "series as without": 3})

    told = summed("commit", {Scenario("scaled_up", "first", "all", "both"): found}, {})

    assert (told["uncontradicted"], told["uncontradicted_by_kind"]) == (1, {"scaled_up": 1})
    assert (told["n"], told["wrong"], told["ends"]) == (1, 0, {"series as without": 3})


def test_akshare_alone_gives_frames_that_are_not_the_truth(on):
    told = alone(on, ("http_429", "conflicting_dup"))

    assert told == {"http_429": "raises KeyError", "conflicting_dup": "another frame"}
