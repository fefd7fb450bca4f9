"""Hand-made cases and worked numbers of the oracle of alignment and correlation."""

import math
import statistics
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from tests.reference.study import (
    Aligned,
    Exchange,
    Level,
    align,
    average_ranks,
    backtested,
    known_at,
    level_correlation,
    log_returns,
    momentum,
    partial_correlation,
    pearson,
    percentile,
    ratio_correlation,
    ratio_excess,
    ratio_null,
    relative_strength,
    residual_statistic,
    residuals,
    rolling,
    row_levels,
    rows,
    spearman,
    zscore,
)

CUTOFF = "18:00 Asia/Shanghai"
HONG_KONG = (time(16), "Asia/Hong_Kong")
NEW_YORK = (time(16), "America/New_York")
# Mutually orthogonal columns of mean zero and equal length: exact samples of any covariance.
H = [[(-1.0) ** (i & mask).bit_count() for i in range(8)] for mask in range(1, 8)]


def may(*days: int) -> list[date]:
    return [date(2024, 5, day) for day in days]


def closes(market: tuple[time, str], days: Sequence[date]) -> list[Level]:
    at, zone = market
    return [
        (day, datetime.combine(day, at, ZoneInfo(zone)), 100.0 + k) for k, day in enumerate(days)
    ]


def mixed(scale: float, *parts: tuple[float, int]) -> list[float]:
    return [scale * sum(weight * H[k][i] for weight, k in parts) for i in range(8)]


def dated(aligned: Aligned, name: str) -> list[tuple[int, int, bool]]:
    return [
        (day.day, here[name].dated.day, here[name].fresh)
        for day, here in aligned.items()
        if name in here
    ]


def test_hong_kong_counts_the_same_evening() -> None:
    days = may(7, 8, 9)
    aligned = align(days, CUTOFF, {"hk": closes(HONG_KONG, days)}, days[0])
    assert dated(aligned, "hk") == [(7, 7, True), (8, 8, True), (9, 9, True)]


def test_new_york_counts_only_on_the_next_study_session() -> None:
    days = may(7, 8, 9, 10)
    aligned = align(days, CUTOFF, {"us": closes(NEW_YORK, days)}, days[0])
    assert dated(aligned, "us") == [(8, 7, True), (9, 8, True), (10, 9, True)]
    assert "us" not in aligned[days[0]]


def test_a_level_known_at_the_cutoff_itself_counts() -> None:
    days = may(7, 8)
    at_cutoff = datetime(2024, 5, 7, 10, tzinfo=UTC)
    aligned = align(days, CUTOFF, {"x": [(days[0], at_cutoff, 1.0)]}, days[0], days[1])
    assert dated(aligned, "x") == [(7, 7, True), (8, 7, False)]


def test_a_leader_that_was_closed_makes_the_session_no_row() -> None:
    study = may(24, 27, 28, 29)
    indices = {"us": closes(NEW_YORK, may(23, 24, 28, 29)), "hk": closes(HONG_KONG, study)}
    aligned = align(study, CUTOFF, indices, study[0])
    assert dated(aligned, "us") == [(24, 23, True), (27, 24, True), (28, 24, False), (29, 28, True)]
    assert rows(aligned, ["us", "hk"], study[0]) == may(24, 27, 29)
    assert rows(aligned, ["hk"], study[0]) == study


def test_a_return_over_a_session_that_is_no_row_spans_it_for_both() -> None:
    study = may(24, 27, 28, 29)
    indices = {"us": closes(NEW_YORK, may(23, 24, 28, 29)), "hk": closes(HONG_KONG, study)}
    aligned = align(study, CUTOFF, indices, study[0])
    found = rows(aligned, ["us", "hk"], study[0])
    assert row_levels(aligned, found, "us") == [100.0, 101.0, 102.0]
    assert row_levels(aligned, found, "hk") == [100.0, 101.0, 103.0]
    assert log_returns(row_levels(aligned, found, "hk"))[2] == pytest.approx(math.log(103 / 101))


def test_a_level_of_a_day_the_study_calendar_is_closed_is_fresh_on_the_next_session() -> None:
    study = [date(2024, 4, 29), date(2024, 4, 30), *may(6, 7)]
    indices = {
        "hk": closes(HONG_KONG, [date(2024, 4, 29), date(2024, 4, 30), *may(2, 7)]),
        "us": closes(NEW_YORK, [date(2024, 4, 26), date(2024, 4, 29), *may(1, 2, 3, 6, 7)]),
    }
    aligned = align(study, CUTOFF, indices, study[0])
    assert dated(aligned, "hk")[2] == (6, 2, True)
    assert dated(aligned, "us")[2:] == [(6, 3, True), (7, 6, True)]
    assert rows(aligned, ["us", "hk"], study[0]) == study


def test_the_first_row_may_hold_a_level_dated_before_the_start() -> None:
    study = may(6, 7, 8, 9)
    indices = {"us": closes(NEW_YORK, may(6, 7, 8)), "hk": closes(HONG_KONG, study)}
    aligned = align(study, CUTOFF, indices, may(7)[0])
    assert list(aligned) == may(7, 8, 9)
    assert aligned[may(7)[0]]["us"].dated == may(6)[0]
    assert rows(aligned, ["us", "hk"], may(7)[0]) == may(7, 8, 9)


def test_the_first_session_on_which_all_have_a_level_is_a_row_even_if_one_is_not_fresh() -> None:
    study = may(7, 8, 9, 10)
    indices = {"old": closes(HONG_KONG, may(7, 9, 10)), "new": closes(HONG_KONG, may(8, 9, 10))}
    aligned = align(study, CUTOFF, indices, study[0])
    assert not aligned[may(8)[0]]["old"].fresh
    assert rows(aligned, ["old", "new"], study[0]) == may(8, 9, 10)


def test_sessions_end_with_the_latest_level_of_a_paired_index_or_at_until() -> None:
    study = may(6, 7, 8, 9, 10)
    indices = {
        "a": closes(HONG_KONG, may(6, 7)),
        "b": closes(HONG_KONG, may(6, 8)),
        "benchmark": closes(HONG_KONG, study),
    }
    assert list(align(study, CUTOFF, indices, study[0], paired=["a", "b"])) == may(6, 7, 8)
    assert list(align(study, CUTOFF, indices, study[0])) == study
    assert list(align(study, CUTOFF, indices, study[0], may(7)[0])) == may(6, 7)


@pytest.mark.parametrize(
    ("fixed_at", "rates"),
    [
        ([datetime(2024, 5, day, 8, 15, tzinfo=UTC) for day in (6, 7, 8)], [0.92, 0.93]),
        ([datetime(2024, 5, day, 10, 0, tzinfo=UTC) for day in (6, 7, 8)], [0.92, 0.93]),
        ([datetime(2024, 5, day, 15, 0, tzinfo=UTC) for day in (6, 7, 8)], [0.91, 0.92]),
        ([None, None, None], [0.91, 0.92]),
        ([None, datetime(2024, 5, 7, 8, 15, tzinfo=UTC), None], [0.92, 0.92]),
    ],
    ids=["before", "at the cut-off", "after", "no instant", "mixed"],
)
def test_conversion_takes_the_last_fixing_known_at_the_cutoff(
    fixed_at: list[datetime | None], rates: list[float]
) -> None:
    fixings = list(zip(may(6, 7, 8), fixed_at, [0.91, 0.92, 0.93], strict=True))
    levels = {"hk": closes(HONG_KONG, may(7))}
    aligned = align(may(7, 8), CUTOFF, levels, may(7)[0], may(8)[0], {"hk": fixings})
    assert row_levels(aligned, may(7, 8), "hk") == [100 * rate for rate in rates]
    assert not aligned[may(8)[0]]["hk"].fresh


def test_conversion_without_a_known_fixing_is_an_error() -> None:
    levels = {"hk": closes(HONG_KONG, may(7))}
    with pytest.raises(LookupError, match="2024-05-07"):
        align(may(7), CUTOFF, levels, may(7)[0], None, {"hk": [(may(7)[0], None, 0.92)]})


def test_a_level_is_known_at_the_latest_close_of_the_exchanges_open_that_day() -> None:
    shanghai: Exchange = (
        {day: datetime(2024, 5, day.day, 7, tzinfo=UTC) for day in may(14, 15)},
        time(15),
        "Asia/Shanghai",
    )
    half_day = datetime(2024, 5, 14, 4, tzinfo=UTC)
    hong_kong: Exchange = ({may(14)[0]: half_day}, time(16), "Asia/Hong_Kong")
    assert known_at(may(14)[0], [hong_kong]) == half_day
    assert known_at(may(14)[0], [shanghai, hong_kong]) == datetime(2024, 5, 14, 7, tzinfo=UTC)
    assert known_at(may(15)[0], [shanghai, hong_kong]) == datetime(2024, 5, 15, 7, tzinfo=UTC)
    assert known_at(may(16)[0], [shanghai, hong_kong]) == datetime(2024, 5, 16, 8, tzinfo=UTC)


def test_ordinary_closing_time_follows_the_clocks_of_its_place() -> None:
    new_york: Exchange = ({}, *NEW_YORK)
    assert known_at(date(2024, 7, 4), [new_york]) == datetime(2024, 7, 4, 20, tzinfo=UTC)
    assert known_at(date(2024, 12, 25), [new_york]) == datetime(2024, 12, 25, 21, tzinfo=UTC)


def test_a_window_is_backtested_while_it_holds_a_level_dated_before_the_selection() -> None:
    study = may(6, 7, 8, 9, 10)
    indices = {"us": closes(NEW_YORK, may(3, 6, 7, 8, 9)), "hk": closes(HONG_KONG, study)}
    aligned = align(study, CUTOFF, indices, study[0])
    selected = {"us": may(7)[0]}
    assert backtested(aligned, study, selected, 1) == [True, True, False, False, False]
    assert backtested(aligned, study, selected, 2) == [True, True, True, False, False]
    assert backtested(aligned, study, selected, None) == [True] * 5
    assert backtested(aligned, study, selected | {"hk": may(9)[0]}, 1) == [True] * 3 + [False] * 2
    assert backtested(aligned, study, {}, None) == [False] * 5


def test_relative_strength_momentum_and_their_first_rows() -> None:
    rs = relative_strength([10.0, 11.0, 12.0], [200.0, 220.0, 180.0])
    assert rs == pytest.approx([100, 100, 100 * 1.2 / 0.9], rel=1e-15)
    assert momentum([math.log(v) for v in rs], 2) == [None, None, pytest.approx(math.log(4 / 3))]


def test_percentile_counts_today_and_ties_at_or_below() -> None:
    assert percentile([3.0, 1.0, 2.0, 2.0, 9.0, 0.0], 4) == [None, None, None, 0.75, 1.0, 0.25]
    last = percentile([float(k % 250) for k in range(251)])[-2:]
    assert last == [1.0, 1 / 250]


def test_zscore_includes_today_and_divides_by_one_less() -> None:
    assert zscore([5.0, 1.0, 2.0, 6.0], 3) == [
        None,
        None,
        pytest.approx((2 - 8 / 3) / statistics.stdev([5.0, 1.0, 2.0])),
        pytest.approx((6 - 3) / statistics.stdev([1.0, 2.0, 6.0])),
    ]
    assert zscore([0.1, 0.1, 0.1], 3) == [None, None, None]


def test_a_statistic_of_returns_needs_as_many_returns_as_its_window() -> None:
    a = log_returns([100.0, 101.0, 99.0, 104.0, 103.0])
    b = log_returns([50.0, 51.0, 50.0, 50.0, 52.0])
    found = rolling(pearson, 3, a, b)
    assert found[:3] == [None, None, None]
    x, y = ([v for v in column if v is not None] for column in (a, b))
    assert found[3] == pytest.approx(statistics.correlation(x[:3], y[:3]), rel=1e-12)
    assert found[4] == pytest.approx(statistics.correlation(x[1:], y[1:]), rel=1e-12)


def test_a_constant_side_has_no_correlation_and_none_exceeds_one() -> None:
    assert pearson([0.1] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]) is None
    assert spearman([1.0, 2.0, 3.0, 4.0, 5.0], [0.1] * 5) is None
    line = [0.1 * k for k in range(7)]
    assert pearson(line, [3 * v + 1 for v in line]) == pytest.approx(1.0, abs=1e-15)
    assert pearson(line, [1e-9 - v for v in line]) == pytest.approx(-1.0, abs=1e-15)


def test_spearman_takes_average_ranks() -> None:
    assert average_ranks([7.0, 3.0, 7.0, 1.0, 7.0, 3.0]) == [5.0, 2.5, 5.0, 1.0, 5.0, 2.5]
    x, y = [1.0, 2.0, 2.0, 3.0], [10.0, 1000.0, 20.0, 1e9]
    # Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 over the root of 4.5 times 5.
    assert spearman(x, y) == pytest.approx(4.5 / math.sqrt(4.5 * 5), rel=1e-15)


def test_level_correlation_is_of_logarithms_and_needs_as_many_rows_as_its_window() -> None:
    a, b = [math.exp(k) for k in (0.0, 1.0, 2.0, 3.0)], [math.exp(k) for k in (5.0, 4.0, 3.0, 3.5)]
    found = level_correlation(a, b, 3)
    assert found[:2] == [None, None]
    assert found[2] == pytest.approx(-1.0, rel=1e-14)
    assert found[3] == pytest.approx(-0.5, rel=1e-12)


def test_independent_legs_of_equal_variance_have_a_null_of_one_half() -> None:
    a, b, c = H[0], H[1], H[2]
    assert ratio_null(a, b, c) == pytest.approx(0.5, rel=1e-15)
    assert ratio_correlation(a, b, c) == pytest.approx(0.5, rel=1e-15)
    assert ratio_excess(a, b, c) == pytest.approx(0.0, abs=1e-15)
    assert partial_correlation(b, c, a) == pytest.approx(0.0, abs=1e-15)


def test_the_worked_ratio_correlation_is_all_shared_leg() -> None:
    a = mixed(0.45, (1.0, 0))
    b = mixed(0.45, (0.7, 0), (math.sqrt(0.51), 1))
    c = mixed(0.35, (0.4, 0), (math.sqrt(0.84), 2))
    assert statistics.pstdev(c) == pytest.approx(0.35)
    assert [pearson(a, b), pearson(a, c), pearson(b, c)] == pytest.approx([0.7, 0.4, 0.28])
    rho, null = ratio_correlation(a, b, c), ratio_null(a, b, c)
    assert [rho, null] == pytest.approx([0.269, 0.269], abs=5e-4)
    assert rho == pytest.approx(0.04185 / math.sqrt(0.1215 * 0.199), rel=1e-12)
    spreads = [[p - q for p, q in zip(a, other, strict=True)] for other in (b, c)]
    assert rho == pytest.approx(statistics.correlation(*spreads), rel=1e-12)


def test_excess_partial_correlation_and_their_statistic_share_sign_and_zero() -> None:
    for tie in (-0.6, -0.1, 0.0, 0.1, 0.6):
        a = mixed(0.02, (1.0, 0))
        b = mixed(0.03, (0.5, 0), (0.8, 1))
        c = mixed(0.01, (-0.3, 0), (tie, 1), (0.7, 2))
        expected = tie / math.hypot(tie, 0.7)
        partial = partial_correlation(b, c, a)
        excess, statistic = ratio_excess(a, b, c), residual_statistic(b, c, a)
        assert partial == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert excess is not None
        assert statistic is not None
        if tie == 0:
            assert [excess, statistic] == pytest.approx([0, 0], abs=1e-14)
        else:
            assert math.copysign(1, excess) == math.copysign(1, statistic) == math.copysign(1, tie)


def test_the_statistic_is_the_studentised_sum_of_products_of_residuals() -> None:
    a, e, f = H[0], [3.0, -1.0, -3.0, 1.0, 2.0, 0.0, -2.0, 0.0], H[1]
    u = [p * q for p, q in zip(residuals(e, [a]) or [], residuals(f, [a]) or [], strict=True)]
    centred = [v - statistics.fmean(u) for v in u]
    b, c = ([p + 5 * q + 1 for p, q in zip(x, a, strict=True)] for x in (e, f))
    expected = sum(u) / math.sqrt(sum(v * v for v in centred))
    assert residual_statistic(b, c, a) == pytest.approx(expected, rel=1e-12)
    assert residual_statistic(b, c, [0.1] * 8) is None


def test_a_benchmark_takes_out_what_b_and_c_share_beyond_a() -> None:
    a = mixed(1.0, (1.0, 0))
    market = mixed(1.0, (0.5, 0), (2.0, 3))
    b = mixed(1.0, (0.7, 0), (1.0, 3), (0.6, 1))
    c = mixed(1.0, (0.2, 0), (1.0, 3), (0.6, 1), (0.8, 2))
    assert partial_correlation(b, c, a) == pytest.approx(1.36 / math.sqrt(1.36 * 2.0), rel=1e-12)
    assert partial_correlation(b, c, a, market) == pytest.approx(0.6, rel=1e-12)


def test_residuals_have_no_mean_and_nothing_of_their_controls() -> None:
    a = [0.3, -0.1, 0.25, 0.8, -0.4, 0.05]
    m = [0.9, 0.4, -0.2, 0.5, 0.3, -0.7]
    y = [1.2, 0.1, 0.4, -0.3, 0.6, 0.2]
    e = residuals(y, [a, m])
    assert e is not None
    assert math.fsum(e) == pytest.approx(0, abs=1e-15)
    for control in (a, m):
        assert math.fsum(p * q for p, q in zip(e, control, strict=True)) == pytest.approx(
            0, abs=1e-15
        )
    one = residuals(y, [a])
    slope, intercept = statistics.linear_regression(a, y)
    assert one == pytest.approx([q - intercept - slope * p for p, q in zip(a, y, strict=True)])


def test_nothing_left_to_correlate_is_null() -> None:
    a = [0.01, -0.02, 0.015, 0.03, -0.01]
    twice = [2 * v + 0.001 for v in a]
    free = [0.02, 0.01, -0.01, 0.005, 0.0]
    assert partial_correlation(twice, free, a) is None
    assert partial_correlation(free, a, [0.1] * 5) is None
    assert partial_correlation(free, [1.0, 0.0, 2.0, 0.0, 0.0], a, twice) is None
    assert ratio_correlation(a, a, free) is None
    assert ratio_null(a, a, free) is None
    assert ratio_excess([0.1] * 5, a, free) is None
    assert ratio_correlation([0.1] * 5, a, free) == pytest.approx(pearson(a, free))
