"""Rotation of relative strength by weeks: by hand, by pandas, by the oracle, and cut short."""

import math
import statistics
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.arrays import Days, Vector
from indexer.signals.rotation import Rotation, quadrant, rotation
from tests.reference import diffusion, signal_rotation
from tests.signals.example import MAINLAND, days, walk

seeds = st.integers(0, 2**32 - 1)
SESSIONS = MAINLAND.between(date(2023, 1, 3), date(2024, 12, 31))


def weekly(on: Days, values: Vector) -> Rotation:
    """Return the rotation on the last row of each week alone."""
    found = rotation(on, values)
    return Rotation(found.row, found.rs_ratio[found.row], found.rs_momentum[found.row])


def mondays(count: int) -> Days:
    return np.datetime64("2024-01-01") + 7 * np.arange(count).astype("m8[D]")


def test_a_week_closes_on_its_last_row_whatever_the_year() -> None:
    """Monday 30 December 2024 and Friday 3 January are of one week, Sunday the 5th too."""
    found = rotation(days("12-27", "12-30", "12-31"), np.ones(3))
    assert found.row.tolist() == [0, 2]
    on = np.array(["2024-12-29", "2024-12-30", "2025-01-03", "2025-01-05", "2025-01-06"])
    assert rotation(on.astype("datetime64[D]"), np.ones(5)).row.tolist() == [0, 3, 4]


def test_weeks_are_those_of_iso_8601() -> None:
    """Of all sessions of two years; the weeks without any, at festivals, are not counted."""
    numbers = [day.isocalendar()[:2] for day in SESSIONS.tolist()]
    last = [t for t, week in enumerate(numbers) if week not in numbers[t + 1 :]]
    row = rotation(SESSIONS, walk(1, len(SESSIONS))).row
    assert row.tolist() == last
    assert len(row) == len(set(numbers)) < 104


def test_the_first_fourteen_weeks_by_hand() -> None:
    values = np.array([*range(100, 126, 2), 140.0])
    found = rotation(mondays(14), values)
    assert np.isnan(found.rs_ratio[:13]).all()
    z = (140.0 - statistics.fmean(values)) / statistics.pstdev(values)
    assert found.rs_ratio[13] == pytest.approx(100 + z, rel=1e-14)
    assert np.isnan(found.rs_momentum).all()


@given(seeds, st.integers(28, 60))
def test_each_step_is_that_of_pandas(seed: int, weeks: int) -> None:
    values = walk(seed, weeks)
    found = rotation(mondays(weeks), values)

    def about(line: "pd.Series[float]") -> "pd.Series[float]":
        window = line.rolling(14)
        return 100 + (line - window.mean()) / window.std(ddof=0)

    ratio = about(pd.Series(values))
    np.testing.assert_allclose(found.rs_ratio, ratio, rtol=1e-9)
    np.testing.assert_allclose(found.rs_momentum, about(ratio.pct_change(fill_method=None)), 1e-8)
    assert np.isnan(found.rs_momentum).tolist() == [True] * 27 + [False] * (weeks - 27)


@given(seeds, st.integers(0, 240), st.integers(1, 240))
def test_all_agree_with_the_oracle(seed: int, begin: int, count: int) -> None:
    """Of sessions with holidays, beginning and ending within a week."""
    on = SESSIONS[begin : begin + count]
    values = walk(seed, len(on), [(30, 20)])
    found = weekly(on, values)
    expected = diffusion.rotation(on.tolist(), values.tolist())
    assert on[found.row].tolist() == [week.on for week in expected]
    for told, name in ((found.rs_ratio, "ratio"), (found.rs_momentum, "momentum")):
        column = [getattr(week, name) for week in expected]
        wanted = [math.nan if value is None else value for value in column]
        np.testing.assert_allclose(told, wanted, rtol=1e-9)
    names = [quadrant(x, y) or None for x, y in zip(found.rs_ratio, found.rs_momentum, strict=True)]
    assert names == [week.quadrant for week in expected]


@pytest.mark.parametrize(
    ("ratio", "momentum", "name"),
    [
        (100.0, 100.0, "leading"),
        (100.0, 99.9, "weakening"),
        (99.9, 99.9, "lagging"),
        (99.9, 100.0, "improving"),
        (math.nan, 101.0, ""),
        (101.0, math.nan, ""),
    ],
)
def test_the_lines_belong_to_what_is_above_them(ratio: float, momentum: float, name: str) -> None:
    assert quadrant(ratio, momentum) == name


@given(seeds, st.integers(0, 240), st.integers(1, 240))
def test_every_row_is_as_if_the_study_ended_there(seed: int, begin: int, count: int) -> None:
    on = SESSIONS[begin : begin + count]
    values = walk(seed, len(on), [(30, 20)])
    found = rotation(on, values)
    expected = signal_rotation.rotation_by_row(on.tolist(), values.tolist())
    for told, name in ((found.rs_ratio, "ratio"), (found.rs_momentum, "momentum")):
        column = [getattr(row, name) for row in expected]
        wanted = [math.nan if value is None else value for value in column]
        np.testing.assert_allclose(told, wanted, rtol=1e-9)


@given(seeds, st.integers(1, 300))
def test_what_comes_later_changes_nothing(seed: int, cut: int) -> None:
    """Cut at any row, within a week or at its end, not one bit before it changes."""
    on, values = SESSIONS[:300], walk(seed, 300)
    whole, part = rotation(on, values), rotation(on[:cut], values[:cut])
    for one, two in zip(part[1:], whole[1:], strict=True):
        assert np.array_equal(one, two[:cut], equal_nan=True)


@given(seeds, st.floats(0.01, 100.0), st.floats(-500.0, 500.0))
def test_unit_and_offset_do_not_matter(seed: int, scale: float, offset: float) -> None:
    values = walk(seed, 50)
    one, two = rotation(mondays(50), values), rotation(mondays(50), scale * (values + offset))
    np.testing.assert_allclose(one.rs_ratio, two.rs_ratio, rtol=1e-9)
    np.testing.assert_allclose(one.rs_momentum, two.rs_momentum, rtol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 1e-14])
def test_relative_strength_that_stands_still_has_no_place(noise: float) -> None:
    """Nor where two lines that move alike leave rounding."""
    values = 100.0 * (1.0 + noise * np.sin(np.arange(40)))
    found = rotation(mondays(40), values)
    assert np.isnan(found.rs_ratio).all()
    assert np.isnan(found.rs_momentum).all()


def test_a_straight_line_has_a_ratio_and_no_momentum() -> None:
    """The last of 14 equal steps is 6.5 from their mean; their deviation is that of 1 to 14."""
    found = rotation(mondays(40), 100.0 + 0.3 * np.arange(40))
    expected = 100 + 6.5 / statistics.pstdev(range(14))
    np.testing.assert_allclose(found.rs_ratio[13:], expected, rtol=1e-12)
    assert np.isnan(found.rs_momentum).all()


@pytest.mark.parametrize("count", [0, 1, 13])
def test_too_few_weeks_have_no_place(count: int) -> None:
    found = rotation(mondays(count), walk(1, count))
    assert found.row.tolist() == list(range(count))
    for side in (found.rs_ratio, found.rs_momentum):
        assert np.isnan(side).tolist() == [True] * count
