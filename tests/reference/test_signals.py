"""Hand-made cases of the oracle of intervals, chance rates, episodes, lead-lag and rotation."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.reference.catchup import Episode, Row, deflated_sharpe, walk
from tests.reference.diffusion import beta_gap, rotation, whiten
from tests.reference.signal_catchup import chance_rates, driftless_path, path_inputs, state_shares
from tests.reference.signal_correlation import pearson
from tests.reference.signal_episodes import apart, best_variant, hits, sharpe, standardised_moment
from tests.reference.signal_gap import dimson_beta, dimson_betas, gap_percent
from tests.reference.signal_leadlag import band, lagged, largest, made_by_closes
from tests.reference.signal_rotation import rotation_by_row, tail
from tests.reference.signal_strength import (
    dickey_fuller,
    half_life,
    interval_table,
    maximum_row,
    minimum_row,
    year_start,
)
from tests.reference.study import Column
from tests.reference.test_diffusion import NOISE, levels

MONDAY = date(2024, 1, 8)


def days(n: int, start: date = MONDAY) -> list[date]:
    return [start + timedelta(k) for k in range(n)]


def wave(n: int, salt: int) -> list[float]:
    """Small returns without much pattern."""
    return [math.sin(salt + 1.7 * k * k) / 100 for k in range(n)]


def test_the_interval_table_counts_from_the_close_it_names() -> None:
    dates = [date(2023, 12, 28), date(2023, 12, 29), date(2024, 1, 2), *days(3)]
    a, b = [100.0, 110.0, 132.0, 121.0, 120.0, 126.0], [50.0, 50.0, 50.0, 55.0, 50.0, 60.0]
    table = {line.name: line[1:] for line in interval_table(dates, a, b, 4)}
    # RS: 100, 110, 132, 110, 120, 105.
    assert table["1"] == (4, pytest.approx(0.05), pytest.approx(0.2), pytest.approx(-0.125))
    assert table["5"] == (0, pytest.approx(0.26), pytest.approx(0.2), pytest.approx(0.05))
    assert table["20"] == (None, None, None, None)
    assert table["year to date"][0] == 1
    assert table["year to date"][1] == pytest.approx(126 / 110 - 1)
    assert (table["since maximum"][0], table["since low"][0]) == (2, 5)
    assert table["since maximum"][3] == pytest.approx(105 / 132 - 1)
    assert table["since low"][1:] == (0.0, 0.0, 0.0)
    assert list(table) == ["1", "5", "20", "40", "60", "120", "250", *list(table)[7:]]


def test_maximum_and_low_need_their_rows_and_take_the_first_of_equals() -> None:
    assert maximum_row([9.0, 3.0, 5.0, 5.0, 4.0], 4) == 2
    assert maximum_row([1.0, 2.0, 3.0], 4) is None
    assert minimum_row([5.0, 1.0, 2.0, 1.0], 0) == 1
    assert maximum_row([1.0, 3.0, 2.0], 3) == 1
    assert minimum_row([5.0, 5.0, 5.0], 0) == 1
    assert minimum_row([5.0, 9.0], 1) is None
    assert minimum_row([5.0, 9.0], None) is None
    assert year_start(days(3)) is None


def test_half_life_of_a_line_that_halves_is_one_row() -> None:
    line = [9.0, 1.0, 0.5, 0.25, 0.125]
    assert half_life(line, 4, unit_root_rejected=True) == pytest.approx(1.0)
    assert half_life(line, 4, unit_root_rejected=False) is None
    assert half_life(line, 6, unit_root_rejected=True) is None
    assert half_life([1.0, 2.0, 4.0, 8.0], 4, unit_root_rejected=True) is None
    assert half_life([1.0, -0.5, 0.25, -0.125], 4, unit_root_rejected=True) is None
    assert half_life([0.1] * 4, 4, unit_root_rejected=True) is None


def test_the_unit_root_statistic_by_hand() -> None:
    # Slope -1/2, intercept 1, residuals 0, -1/2, 0, 1/2; -3/2 over its error of 1/2.
    assert dickey_fuller([0.0, 1.0, 0.0, 1.0, 1.0]) == pytest.approx(-3.0)
    assert dickey_fuller([1.0, 1.0, 1.0, 1.0]) is None


def test_dimson_beta_adds_the_slopes_of_three_rows() -> None:
    a = NOISE[:12]
    b = [0.003 + 0.2 * a[t - 1] + 0.5 * a[t] + 0.1 * a[(t + 1) % 12] for t in range(12)]
    assert dimson_beta(a, [9.0, *b[1:-1], 9.0]) == pytest.approx(0.8)
    assert dimson_beta([0.1] * 12, b) is None


def test_dimson_beta_has_the_window_of_beta() -> None:
    h, n = 3, 8
    a, b = NOISE[:14], NOISE[14:28]
    found = dimson_betas([None, *a], [None, *b], h, n)
    gaps = beta_gap(levels(a), levels(b), h, n)
    assert [value is None for value in found] == [gap is None for gap in gaps]
    assert found[h + n] == dimson_beta(a[:n], b[:n])
    assert found[14] == dimson_beta(a[3:11], b[3:11])
    assert gap_percent(math.log(1.25)) == pytest.approx(25)


def test_a_driftless_path_loses_the_mean_change() -> None:
    log_rs = [1.0, 2.0, 2.0, 4.0]
    assert driftless_path(log_rs, [0, 1, 2]) == pytest.approx([1, 1, 0, 1])
    assert driftless_path(log_rs, [2, 2, 2]) == pytest.approx([1, 2, 3, 4])


def test_chance_rates_are_means_over_the_paths() -> None:
    # The line stretches on its third row and cannot turn without sixty changes; flat never does.
    line = [0.0, 0.0, 3.0, 0.0, 0.0]
    assert chance_rates(line, [[0, 1, 2, 3]], 3) == ((0.4, 0.6, 0.0, 0.0), 200.0)
    assert chance_rates(line, [[0, 1, 2, 3], [0] * 4], 3) == (
        pytest.approx((0.7, 0.3, 0.0, 0.0)),
        100.0,
    )
    rows = [Row(name, 0, None, None, None, None) for name in ("closed", "catching_up")]
    assert state_shares(rows) == (0.0, 0.0, 0.5, 0.5)


def test_a_path_walks_the_machine_like_a_pair_would() -> None:
    line = [0.01 * math.sin(k * k) + (0.3 if 80 <= k < 90 else 0.0) for k in range(120)]
    names = [row.state for row in walk(path_inputs(line, 20))[0]]
    assert set(names[:19]) == {"neutral"}
    assert names[80] == "stretched"
    assert "catching_up" in names[90:]
    assert [row.state for row in walk(path_inputs(line, 20, (9.0, 1.0, 0.5)))[0]] == [
        "neutral"
    ] * 120


def episode(stretched: int, *ahead: float | None) -> Episode:
    return Episode(stretched, stretched, stretched, None, None, 0, 0.1, 0.2, ahead)


def test_episodes_are_told_apart_by_their_onset() -> None:
    cases = [episode(k, 0.1, None, -0.1) for k in (0, 4, 5)]
    before, after = apart(cases, days(9), MONDAY + timedelta(4))
    assert [case.stretched for case in before] == [0]
    assert [case.stretched for case in after] == [4, 5]


def test_nothing_is_inferred_of_fewer_than_ten_episodes_with_a_forward_return() -> None:
    cases = [episode(k, 0.1 if k % 2 else -0.1, 0.0, None) for k in range(10)]
    assert hits(cases, 0) == (5, 10, True)
    assert hits(cases[1:], 0) == (5, 9, False)
    assert hits(cases, 1) == (0, 10, True)
    assert hits(cases, 2) == (0, 0, False)


def test_the_best_variant_is_deflated_by_all_that_were_tried() -> None:
    one: Column = [None, 0.01, 0.03, -0.01, 0.02]
    two: Column = [None, 0.0, 0.01, -0.01, 0.01]
    idle: Column = [None, 0.0, 0.0, 0.0, 0.0]
    assert sharpe([0.01, 0.03]) == pytest.approx(math.sqrt(2))
    assert standardised_moment([0.0, 0.0, 3.0], 3) == pytest.approx(math.sqrt(0.5))
    assert standardised_moment([0.0, 0.0, 3.0], 4) == pytest.approx(1.5)
    found = best_variant({"two": two, "one": one, "idle": idle})
    assert found is not None
    first, second = sharpe([0.01, 0.03, -0.01, 0.02]), sharpe([0.0, 0.01, -0.01, 0.01])
    assert first is not None
    assert second is not None
    # Deviations of 1, .03, -.01, .02 from their mean .0125: -.0025, .0175, -.0225, .0075.
    skew, kurtosis = (standardised_moment([0.01, 0.03, -0.01, 0.02], k) for k in (3, 4))
    expected = deflated_sharpe(first, 4, skew, kurtosis, (first - second) ** 2 / 2, 3)
    assert found == ("one", pytest.approx(first), pytest.approx(expected))
    assert best_variant({"one": one, "idle": idle}) == ("one", found.sharpe, None)
    assert best_variant({"idle": idle}) is None


def test_the_worked_deflated_sharpe_ratio() -> None:
    value = deflated_sharpe(2.5 / math.sqrt(250), 1250, -3.0, 10.0, 0.5 / 250, 100)
    assert value == pytest.approx(0.900397, abs=5e-7)


def test_the_band_is_the_highest_of_all_lags_but_the_present() -> None:
    a, b = NOISE[2:42], NOISE[:40]
    e, f = whiten(a), whiten(b)
    assert e is not None
    assert f is not None
    n = len(e)
    assert lagged(e, f, 2) == pytest.approx(pearson(e[:-2], f[2:]), rel=1e-12)
    assert lagged(e, f, -2) == pytest.approx(pearson(e[2:], f[:-2]), rel=1e-12)
    assert largest(e, f) == abs(lagged(e, f, 2) or 0)
    assert largest(e, e) != pytest.approx(1)
    assert lagged([1.0], [1.0], 0) is None
    there = list(range(n))
    assert band(a, b, [(there, there)]) == largest(e, f)
    back = there[::-1]
    heights = sorted([largest(e, f) or 0, largest(e, f[::-1]) or 0])
    assert band(a, b, [(there, back), (there, there)]) == pytest.approx(
        heights[0] + 0.95 * (heights[1] - heights[0])
    )
    assert band([0.1] * 40, b, [(there, there)]) is None


def test_the_later_close_seems_to_lead() -> None:
    new_york = [datetime(2024, 5, day, 20, tzinfo=UTC) for day in (6, 7)]
    shanghai = [datetime(2024, 5, day, 7, tzinfo=UTC) for day in (7, 8)]
    assert made_by_closes(new_york, shanghai) == "follower"
    assert made_by_closes(shanghai, new_york) == "leader"
    assert made_by_closes(shanghai, shanghai) is None
    assert made_by_closes(shanghai, [shanghai[0], new_york[0]]) == "leader"
    assert made_by_closes(shanghai, [new_york[0], shanghai[1] + timedelta(1)]) is None


def test_every_row_has_the_rotation_of_a_study_that_ends_there() -> None:
    dates = [day for day in days(210) if day.weekday() < 5]
    rs = [100 * math.exp(v) for v in wave(len(dates), 3)]
    found = rotation_by_row(dates, rs)
    weeks = {week.on: week for week in rotation(dates, rs)}
    for day, week in zip(dates, found, strict=True):
        assert week.on == day
        if day.weekday() == 4:
            assert week == weeks[day]
    assert [week.ratio is None for week in found[:70]] == [True] * 65 + [False] * 5
    assert tail(dates, rs) == rotation(dates, rs)[-3:]
    longer = days(400)
    rs = [100 * math.exp(v) for v in wave(400, 3)]
    assert tail(longer, rs) == rotation(longer, rs)[-10:]
