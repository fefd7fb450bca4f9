"""Hand-made cases of the oracle of the event study, of overlays and of back-test marks."""

import math
import statistics
from datetime import timedelta

import pytest

from tests.reference.signal_events import event_row, event_study, rank_p
from tests.reference.signal_marks import episode_rows, marked, rows_used, weekly_rows_used
from tests.reference.signal_overlay import divergence
from tests.reference.study import Contribution, backtested, log_returns
from tests.reference.test_diffusion import levels
from tests.reference.test_signals import MONDAY, days, wave


def event_lines(n: int, shock: int, spread: float) -> tuple[list[float], list[float]]:
    market = wave(n - 1, 1)
    noise = wave(n - 1, 2)
    own = [0.001 + 1.5 * m + spread * e for m, e in zip(market, noise, strict=True)]
    own[shock - 1] += 0.5
    own[shock + 4] -= 0.2
    return levels(own), levels(market)


def test_an_event_stands_out_of_its_market_model() -> None:
    dates = days(300)
    index, benchmark = event_lines(300, 260, 0.0)
    found = event_study(dates, index, benchmark, dates[260])
    assert found is not None
    assert found[:4] == pytest.approx((260, 0.001, 1.5, 0.5))
    assert (found.p_abnormal, found.cumulative) == (1 / 221, pytest.approx(0.3))
    assert (found.placebos, found.p_cumulative) == (195, 1 / 196)
    early = event_study(dates[:280], index[:280], benchmark[:280], dates[260])
    assert early == found._replace(cumulative=None, p_cumulative=None)
    assert event_study(dates[:281], index[:281], benchmark[:281], dates[260]) == found
    assert event_study(dates, index, benchmark, dates[250]) is None
    assert event_study(dates, index, benchmark, dates[251]) is not None
    assert event_study(dates, index, benchmark, dates[-1] + timedelta(1)) is None


def test_the_market_model_and_the_placebos_are_those_of_the_window_before() -> None:
    dates = days(300)
    index, benchmark = event_lines(300, 260, 0.7)
    found = event_study(dates, index, benchmark, dates[260])
    assert found is not None
    x, y = ([v or 0.0 for v in log_returns(line)] for line in (benchmark, index))
    slope, intercept = statistics.linear_regression(x[10:230], y[10:230])
    assert [found.beta, found.alpha] == pytest.approx([slope, intercept])
    abnormal = [q - intercept - slope * p for p, q in zip(x, y, strict=True)]
    assert found.cumulative == pytest.approx(sum(abnormal[255:281]))
    sums = [sum(abnormal[s : s + 26]) for s in range(10, 205)]
    assert found.p_cumulative == rank_p(sum(abnormal[255:281]), sums)


def test_an_event_counts_on_the_next_row_and_ranks_either_way() -> None:
    dates = [MONDAY, MONDAY + timedelta(3)]
    assert event_row(dates, MONDAY + timedelta(1)) == 1
    assert event_row(dates, MONDAY + timedelta(4)) is None
    assert rank_p(-0.3, [0.1, 0.3, -0.4]) == 3 / 4


def test_divergence_subtracts_z_scores_over_the_same_span() -> None:
    dates = days(8)
    index = [math.exp(v) for v in (0.0, 0.1, 0.1, 0.3, 0.4, 0.6, 0.6, 0.6)]
    weekend = MONDAY - timedelta(2)
    announced = [weekend, dates[0], dates[1], dates[4], dates[5], dates[7] + timedelta(1)]
    values = [math.exp(v) for v in (5.0, 0.0, 1.0, 3.0, 9.0, 10.0)]
    found = divergence(dates, index, announced, values)
    assert [p.row for p in found] == [0, 1, 4, 5]
    assert found[0][1:] == (None, None, None)
    assert divergence(dates, index, [weekend], [1.0]) == []
    assert found[1] == (1, pytest.approx(1.0), pytest.approx(0.1), None)
    assert found[2] == (4, pytest.approx(2.0), pytest.approx(0.3), pytest.approx(0.0, abs=1e-12))
    # Changes 1, 2, 6 and .1, .3, .2: the last is 3 over the root of 7, and in the middle.
    assert found[3].divergence == pytest.approx(3 / math.sqrt(7))


def test_a_figure_counts_from_the_first_row_after_its_announcement() -> None:
    dates = [MONDAY, MONDAY + timedelta(4), MONDAY + timedelta(5)]
    announced = [MONDAY + timedelta(3), MONDAY, MONDAY + timedelta(1)]
    found = divergence(dates, [1.0, math.e, 1.0], announced, [math.e**2, 1.0, 7.0])
    assert found == [(0, None, None, None), (1, pytest.approx(2.0), pytest.approx(1.0), None)]


def test_signals_look_at_as_many_levels_as_their_windows_need() -> None:
    assert rows_used("relative_strength", 9) == [0, 9]
    assert rows_used("correlation", 9, 3) == [6, 7, 8, 9]
    assert rows_used("momentum", 9, 3) == [6, 7, 8, 9]
    assert rows_used("zscore", 9, 3) == [7, 8, 9]
    assert rows_used("zscore", 2, 3) == [0, 1, 2]
    assert rows_used("correlation", 2, 3) is None
    assert rows_used("beta", 9, 3, 2) == [4, 5, 6, 7]
    assert rows_used("gap_z", 9, 3, 2) == [4, 5, 6, 7, 8, 9]
    assert rows_used("gap", 4, 3, 2) is None
    assert len(rows_used("mean_pair_correlation", 99) or []) == 61
    assert episode_rows(9, 12, 4) == [6, 7, 8, 9, 10, 11, 12]
    assert episode_rows(1, 2, 4) == [0, 1, 2]
    with pytest.raises(ValueError, match="beauty"):
        rows_used("beauty", 9)


def test_rotation_looks_at_the_closes_of_its_weeks() -> None:
    dates = [day for day in days(42) if day.weekday() < 5]
    assert weekly_rows_used(dates, 12, "rs_ratio", 3) == [4, 9, 12]
    assert weekly_rows_used(dates, 29, "rs_momentum", 3) == [4, 9, 14, 19, 24, 29]
    assert weekly_rows_used(dates, 9, "rs_ratio", 3) is None


def test_a_value_is_marked_while_its_rows_hold_a_level_from_before() -> None:
    dated = {"a": [day - timedelta(1) for day in days(6)], "b": days(6)}
    selected = {"a": MONDAY + timedelta(2), "b": MONDAY + timedelta(2)}
    used = [rows_used("zscore", t, 2) or [] for t in range(1, 6)]
    own = {"b": dated["b"]}
    assert [marked(rows, dated, selected) for rows in used] == [True, True, True, False, False]
    assert [marked(rows, own, selected) for rows in used] == [True, True, False, False, False]
    assert marked([0, 5], dated, selected)
    assert not marked([0, 5], dated, {})


def test_marks_of_whole_windows_are_those_of_the_study() -> None:
    dated = {"a": [day - timedelta(1) for day in days(9)], "b": days(9)}
    selected = {"a": MONDAY + timedelta(3), "b": MONDAY + timedelta(1)}
    aligned = {
        day: {name: Contribution(line[t], 1.0, fresh=True) for name, line in dated.items()}
        for t, day in enumerate(days(9))
    }
    expected = backtested(aligned, days(9), selected, 4)
    assert True in expected[3:]
    assert False in expected[3:]
    for signal, window in (("zscore", 4), ("correlation", 3), ("momentum", 3)):
        found = [marked(rows_used(signal, t, window) or [], dated, selected) for t in range(3, 9)]
        assert found == expected[3:]
