"""Measuring: calls take turns, what is wrong is not timed, and other bits are noticed."""

import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import measure, timing
from benchmarks.cases import OURS, Size, case_of
from benchmarks.contenders import Ready
from benchmarks.measure import Effort, Laboratory, faults, is_right
from benchmarks.proof import prove
from benchmarks.scaling import AXES, scaling, slope

RIGHT = {"error": 1e-12, "lost": 0, "invented": 0, "beyond": 0}
LEAST = Effort(quick=True, processes=1, budget=0.01)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """Return one that runs this Python: the folder of the rivals is not there."""
    folder = tmp_path_factory.mktemp("laboratory", numbered=True)
    folder.chmod(0o700)
    return Laboratory(folder / "no rivals", folder)


def test_calls_take_turns_after_those_that_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of its own: each call takes 3 ms, two are a sample, called once more before it."""
    calls: list[str] = []

    def now() -> float:
        return 0.003 * len(calls)

    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=now, process_time=now))
    found = timing.interleaved({name: partial(calls.append, name) for name in "ab"}, budget=0.031)

    assert "".join(calls) == "aabb" + "aaaabbbb" * 5
    assert {name: len(samples) for name, samples in found.items()} == {"a": 5, "b": 5}
    assert all(wall == pytest.approx(0.003) for samples in found.values() for _, wall in samples)


def test_a_call_that_takes_longer_than_it_may_is_timed_once() -> None:
    found = timing.interleaved({"slow": lambda: time.sleep(0.02)}, budget=0.001)
    assert len(found["slow"]) == 1


def test_a_short_call_is_repeated_within_a_sample() -> None:
    """A clock read around every call would be part of what is measured."""
    calls: list[int] = []
    found = timing.interleaved({"short": lambda: calls.append(1)}, budget=0.01)
    assert len(calls) > 100 * len(found["short"])


def test_bits_tell_answers_apart_and_nulls_have_one_form() -> None:
    def digest(answer: list[float]) -> str:
        return timing.digest(Ready(lambda: np.array(answer), lambda found: found))

    assert digest([1.0, np.nan]) == digest([1.0, -np.nan])
    assert digest([1.0, np.nan]) != digest([np.nextafter(1.0, 2.0), np.nan])


@pytest.mark.parametrize(
    "wrong",
    [{"error": 1e-7}, {"lost": 1}, {"invented": 1}, {"failed": "ValueError"}, {"error": np.nan}],
)
def test_an_answer_is_right_or_wrong(wrong: dict[str, Any]) -> None:
    assert is_right(RIGHT)
    assert not is_right(RIGHT | wrong)


def test_faults_of_ours_are_told() -> None:
    told = {"case": "c", "contenders": {OURS: RIGHT}, "same_bits": True, "threads": None}
    assert faults(told) == []
    assert len(faults(told | {"contenders": {OURS: RIGHT | {"error": 1e-9}}})) == 1
    assert len(faults(told | {"same_bits": False})) == 1
    assert len(faults(told | {"threads": {"same_bits": False}})) == 1


def test_a_case_is_checked_then_timed(laboratory: Laboratory) -> None:
    found = measure.measure(case_of("one-pair"), laboratory, LEAST)
    assert faults(found) == []
    assert found["title"] == "one pair, 50,000 sessions"
    for name, contender in found["contenders"].items():
        assert contender["right"], name
        assert 0 < contender["cpu_minimum"] <= contender["cpu_median"]
    assert found["contenders"][OURS]["ratio"] == 1.0
    assert found["contenders"]["numpy windows"]["ratio"] > 1.0
    rivals = {rival.name for rival in case_of("one-pair").rivals}
    assert rivals == {*found["contenders"], *found["absent"]} - {OURS}
    json.dumps(found)


def test_a_rival_that_is_wrong_is_not_timed(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask(case: str, mode: str, request: Any, **rest: Any) -> Any:
        asked.append((mode, request))
        if mode == "check":
            return {OURS: RIGHT, "pandas": RIGHT | {"lost": 3}, "numpy windows": RIGHT}
        if mode == "clock":
            samples = {OURS: [(1.0, 1.0)], "numpy windows": [(4.0, 5.0), (3.0, 6.0)]}
            limits = {"limit copy": [(0.5, 0.5)]}
            factors = dict.fromkeys(samples, 1.0)
            return {"samples": samples | limits, "factors": factors, "digest": "d"}
        return {}

    monkeypatch.setattr(laboratory, "ask", ask)
    found = measure.measure(case_of("one-pair"), laboratory, LEAST)
    assert [request["names"] for mode, request in asked if mode == "clock"] == [["numpy windows"]]
    assert "ratio" not in found["contenders"]["pandas"]
    assert not found["contenders"]["pandas"]["right"]
    assert found["contenders"]["numpy windows"]["ratio"] == 3.0
    assert found["share"] == {"copy": 0.5}


def test_the_cost_of_a_part_is_multiplied_up() -> None:
    """Of 40 series there are 780 pairs, of 60 there are 1,770."""
    pytest.importorskip("pandas")
    request = {"quick": True, "names": ["pandas"], "budget": 0.01}
    found = timing.clock(case_of("mean-pairwise"), request)
    assert found["factors"]["pandas"] == 1_770 / 780
    assert found["factors"][OURS] == 1.0


def test_a_process_that_fails_says_why(laboratory: Laboratory) -> None:
    with pytest.raises(RuntimeError, match=r"one-pair, nonsense:(.|\n)*KeyError"):
        laboratory.ask("one-pair", "nonsense", {})


def test_growth_is_measured_size_by_size(laboratory: Laboratory) -> None:
    (found,) = scaling(laboratory, LEAST, "one-pair")
    assert found["values"] == list(AXES["one-pair"][0].quick)
    assert found["cpu_minimum"][1] > found["cpu_minimum"][0]
    assert 0.5 < found["slope"] < 1.5
    assert found["slope_per_output"] == pytest.approx(found["slope"] - 1.0)


def test_the_slope_of_a_square_is_two() -> None:
    assert slope([1, 2, 4], [3, 12, 48]) == pytest.approx(2.0)
    assert slope([0.0, 0.3], [1.0, 2.0]) is None


def test_every_axis_is_one_of_its_case() -> None:
    sizes = Size(1, 1).__slots__
    assert all(case_of(case) for case in AXES)
    assert all(axis.size in sizes for axes in AXES.values() for axis in axes)


def test_the_rivals_python_is_used_if_it_is_there(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    assert Laboratory(tmp_path, tmp_path).python == str(python)
    assert Laboratory(tmp_path / "none", tmp_path).python != str(python)


def test_cases_that_there_are_not_are_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no cases nosuch: there are pairwise, .*, growth"):
        prove(tmp_path, LEAST, ["nosuch", "growth"], None)


def test_results_without_rivals_are_not_measured(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"python is missing: benchmarks/rivals\.sh makes"):
        prove(tmp_path, replace(LEAST, quick=False), ["one-pair"], tmp_path)


def test_a_quick_run_without_rivals_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove(tmp_path, LEAST, ["one-pair"], None) == []
    assert "python is missing: benchmarks/rivals.sh makes" in capsys.readouterr().err
