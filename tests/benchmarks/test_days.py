"""An evening of fetching while a share of all answers fails."""

import random
from datetime import date
from pathlib import Path

import pytest

from benchmarks import days
from benchmarks.days import Chance, Course, simulate
from benchmarks.ground import SILENT
from benchmarks.standin.faults import KINDS

QUIET = tuple(kind for kind in KINDS if kind not in SILENT)


def test_an_evening_with_a_third_of_answers_faulted_leaves_no_wrong_row(monkeypatch):
    monkeypatch.setattr(days, "SHARES", 2)  # of the mainland, beside two of Hong Kong
    found = simulate(1, share=0.3, kinds=QUIET, deadline=30.0)

    assert (found["wrong"], found["faulted"] > 5) == (0, True)
    assert not found["lacking"] or found["refusals"]


EVENINGS = [date(2026, 6, day) for day in (8, 9, 10)]


def test_evenings_go_on_where_they_were_stopped_and_draw_the_same(tmp_path: Path):
    def run(name: str, kept: Path, stop: date | None = None) -> tuple[list[str], list[str]]:
        chance = Chance(0.5, ("rst", "bom_json"), random.Random(), 7)  # noqa: S311 (replayed)
        course = Course(tmp_path / name, kept, "commit 3")
        drawn = course.stores / "drawn"

        def fetched(day: date) -> list[str]:
            if day == stop:
                raise KeyboardInterrupt
            before = drawn.read_text("utf-8") if drawn.exists() else ""
            drawn.write_text(f"{before}{chance('sina', None)}\n", "utf-8")  # type: ignore[arg-type]
            return [f"{day} 1: refused"]

        course.run(EVENINGS, chance, fetched)
        return course.refused, drawn.read_text("utf-8").splitlines()

    whole = run("whole", tmp_path / "one.kept")
    with pytest.raises(KeyboardInterrupt):
        run("stopped", tmp_path / "two.kept", EVENINGS[2])

    assert run("again", tmp_path / "two.kept") == whole
    assert len(whole[0]) == len(whole[1]) == 3
