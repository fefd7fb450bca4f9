"""Hand-made cases of the oracle of gap, lead-lag, rotation and the statistics of members."""

import math
import statistics
from datetime import date, timedelta

import pytest

from tests.reference.diffusion import (
    beta_gap,
    breadth,
    breadth_outperform,
    diffusion_index,
    dispersion,
    lead_lag,
    mean_pair_correlation,
    ols,
    quadrant,
    rotation,
    weekly,
    whiten,
)
from tests.reference.study import Column, pearson

NOISE = [((k * k * 31 + 7 * k) % 101 - 50) / 1000 for k in range(1, 60)]


def levels(returns: list[float]) -> list[float]:
    found = [100.0]
    for value in returns:
        found.append(found[-1] * math.exp(value))
    return found


def test_line_is_that_of_the_standard_library() -> None:
    x, y = NOISE[:20], NOISE[20:40]
    line = ols(x, y)
    slope, intercept = statistics.linear_regression(x, y)
    assert line is not None
    assert [line.alpha, line.beta] == pytest.approx([intercept, slope])
    assert line.residual_sum == pytest.approx(
        sum((q - intercept - slope * p) ** 2 for p, q in zip(x, y, strict=True))
    )
    assert ols([0.1] * 3, [1.0, 2.0, 3.0]) is None


def test_the_gap_rests_on_returns_that_end_before_its_span() -> None:
    h, n = 3, 6
    a, b = NOISE[:12], NOISE[12:24]
    found = beta_gap(levels(a), levels(b), h, n)
    assert [k for k, gap in enumerate(found) if gap is None] == list(range(h + n))
    last = found[12]
    assert last is not None
    slope, intercept = statistics.linear_regression(a[3:9], b[3:9])
    assert [last.alpha, last.beta] == pytest.approx([intercept, slope])
    assert last.gap == pytest.approx(slope * sum(a[9:12]) - sum(b[9:12]))


def test_the_band_is_the_prediction_error_of_the_sum_of_h_returns() -> None:
    h, n = 3, 5
    a = [0.03, -0.01, 0.02, 0.0, 0.01, 0.04, 0.02, 0.0]
    b = [0.01, -0.02, 0.02, -0.01, 0.005, 0.0, 0.0, 0.0]
    gap = beta_gap(levels(a), levels(b), h, n)[8]
    # Means 0.01 and 0.001; sum of squares of a 0.001, of products 0.0009.
    assert gap is not None
    assert [gap.alpha, gap.beta] == pytest.approx([0.001 - 0.009, 0.9])
    errors = [q + 0.008 - 0.9 * p for p, q in zip(a[:5], b[:5], strict=True)]
    s2 = sum(e * e for e in errors) / 3
    band = math.sqrt(s2 * (3 + 9 / 5 + (0.06 - 0.03) ** 2 / 0.001))
    assert gap.gap == pytest.approx(0.054)
    assert gap.gap_z == pytest.approx((0.054 - 0.024) / band)


def test_a_gap_without_residual_variance_has_no_band_and_a_flat_leader_no_gap() -> None:
    a = NOISE[:12]
    exact = beta_gap(levels(a), levels([2 * v for v in a]), 2, 6)[-1]
    assert exact is not None
    assert exact.beta == pytest.approx(2.0)
    assert exact.gap_z is None
    assert beta_gap([100.0] * 13, levels(a), 2, 6)[-1] is None


def test_whitening_leaves_the_shocks_of_an_exact_chain() -> None:
    residual = whiten(NOISE)
    assert residual is not None
    assert len(residual) == len(NOISE) - 1
    assert pearson(residual, NOISE[:-1]) == pytest.approx(0, abs=1e-12)
    assert math.fsum(residual) == pytest.approx(0, abs=1e-14)
    assert whiten([0.5**k for k in range(12)]) is None


def test_a_follower_two_rows_late_shows_at_lag_two() -> None:
    a, b = NOISE[2:], NOISE[:-2]
    found = lead_lag(a, b)
    assert sorted(found) == list(range(-10, 11))
    assert max(found, key=lambda k: found[k] or 0.0) == 2
    assert found[2] == pytest.approx(1.0, abs=0.01)
    mirrored = lead_lag(b, a)
    assert {-k: value for k, value in mirrored.items()} == pytest.approx(found)


def test_a_week_closes_on_its_last_row_and_follows_the_iso_year() -> None:
    days = [date(2024, 12, 27), date(2024, 12, 30), date(2025, 1, 3), date(2025, 1, 7)]
    assert weekly(days, [1.0, 2.0, 3.0, 4.0]) == [(days[0], 1.0), (days[2], 3.0), (days[3], 4.0)]


def test_rotation_needs_fourteen_weeks_for_each_of_its_steps() -> None:
    days = [date(2024, 1, 5) + timedelta(weeks=k) for k in range(30)]
    rs = [100 * math.exp(v) for v in NOISE[:30]]
    found = rotation(days, rs)
    assert [k for k, week in enumerate(found) if week.ratio is None] == list(range(13))
    assert [k for k, week in enumerate(found) if week.momentum is None] == list(range(27))
    ratio = [
        100 + (rs[t] - statistics.fmean(rs[t - 13 : t + 1])) / statistics.pstdev(rs[t - 13 : t + 1])
        for t in range(13, 30)
    ]
    assert [week.ratio for week in found[13:]] == pytest.approx(ratio)
    change = [now / then - 1 for now, then in zip(ratio[1:], ratio[:-1], strict=True)]
    last = change[-14:]
    assert found[-1].momentum == pytest.approx(
        100 + (last[-1] - statistics.fmean(last)) / statistics.pstdev(last)
    )


@pytest.mark.parametrize(
    ("ratio", "momentum", "name"),
    [
        (101, 101, "leading"),
        (101, 99, "weakening"),
        (99, 99, "lagging"),
        (99, 101, "improving"),
        (100, 100, "leading"),
        (99, 100, "improving"),
    ],
)
def test_quadrants(ratio: float, momentum: float, name: str) -> None:
    assert quadrant(ratio, momentum) == name


def test_breadth_compares_a_member_with_its_own_closes() -> None:
    members: list[Column] = [
        [1.0, 2.0, 3.0, 4.0],
        [4.0, 3.0, 2.0, 1.0],
        [2.0, 2.0, 2.0, 2.0],
        [1.0, None, 2.0, 3.0],
        [None, None, 1.0, 2.0],
    ]
    assert breadth(members, 3, 3) == 2 / 4
    assert breadth(members, 2, 3) == 1 / 3
    assert breadth(members, 1, 3) is None


def test_breadth_outperform_counts_members_that_beat_the_leader() -> None:
    members: list[Column] = [
        [4.0, 1.0, 5.2],
        [4.0, 1.0, 4.8],
        [4.0, 1.0, 4.4],
        [None, 1.0, 9.0],
        [1.0, 1.0, None],
    ]
    assert breadth_outperform(members, [10.0, 11.0, 12.0], 2, 2) == 1 / 3
    assert breadth_outperform(members, [10.0, 11.0, 12.0], 1, 2) is None


def test_diffusion_index_leaves_out_members_without_a_trade() -> None:
    assert diffusion_index([0.1, 0.0, -0.1, None, 0.2]) == 2.5 / 4
    assert diffusion_index([None, None]) is None


def test_mean_pair_correlation_takes_members_with_complete_windows() -> None:
    x, y, z = [0.0, 1.0, 2.0, 0.0], [9.0, 2.0, 0.0, 1.0], [5.0, 3.0, 3.0, 3.0]
    partly = [1.0, None, 1.0, 2.0]
    pairs = [statistics.correlation(p[1:], q[1:]) for p, q in ((x, y),)]
    assert mean_pair_correlation([x, y, partly], 3, 3) == pytest.approx(statistics.fmean(pairs))
    assert mean_pair_correlation([x, y, z], 3, 3) == pytest.approx(pairs[0])
    three = [statistics.correlation(p[:3], q[:3]) for p, q in ((x, y), (x, z), (y, z))]
    assert mean_pair_correlation([x, y, z], 2, 3) == pytest.approx(statistics.fmean(three))
    assert mean_pair_correlation([x, partly], 3, 3) is None


def test_dispersion_weighs_squares_about_the_index() -> None:
    assert dispersion([0.75, 0.25], [0.02, -0.02], 0.01) == pytest.approx(
        math.sqrt(0.75 * 0.0001 + 0.25 * 0.0009)
    )
