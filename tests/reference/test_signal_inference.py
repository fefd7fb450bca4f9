"""Hand-made cases of the oracle of exact correlation, p-values, intervals and nulls."""

import math
import random
import statistics
from collections.abc import Sequence
from fractions import Fraction

import pytest

from tests.reference import signal_correlation as exact
from tests.reference import study
from tests.reference.signal_inference import (
    atanh_error,
    block_length,
    cumulate,
    given,
    holm,
    level_null,
    level_observed,
    level_summary,
    linear_quantile,
    order_quantile,
    p_value,
    plain,
    residual_products,
    sign_path,
    spreads,
    stationary_path,
    statistic,
    studentised_interval,
)
from tests.reference.test_diffusion import NOISE
from tests.reference.test_study import H, mixed

A, B, C, M = NOISE[:14], NOISE[14:28], NOISE[28:42], NOISE[42:56]


def ends(values: Sequence[float], share: float) -> float:
    return max(values) if share > 0.5 else min(values)


def test_legs_that_share_nothing_have_a_null_of_one_half() -> None:
    a, b, c = H[0], H[1], H[2]
    assert exact.ratio_null(a, b, c) == 0.5
    assert exact.ratio_correlation(a, b, c) == 0.5
    assert exact.ratio_excess(a, b, c) == 0.0
    assert exact.partial_correlation(b, c, a) == 0.0
    assert exact.residual_statistic(b, c, a) == 0.0


def test_the_worked_ratio_correlation_is_all_shared_leg() -> None:
    a = mixed(0.45, (1.0, 0))
    b = mixed(0.45, (0.7, 0), (math.sqrt(0.51), 1))
    c = mixed(0.35, (0.4, 0), (math.sqrt(0.84), 2))
    assert exact.ratio_correlation(a, b, c) == pytest.approx(0.269, abs=5e-4)
    assert exact.ratio_null(a, b, c) == pytest.approx(exact.ratio_correlation(a, b, c), rel=1e-12)
    assert exact.ratio_excess(a, b, c) == pytest.approx(0.0, abs=1e-15)


def test_exact_arithmetic_and_plain_loops_agree() -> None:
    assert exact.pearson(A, B) == pytest.approx(study.pearson(A, B), rel=1e-13)
    assert exact.pearson(A, B) == pytest.approx(statistics.correlation(A, B), rel=1e-13)
    tied = [round(value, 2) for value in A]
    assert exact.spearman(tied, B) == pytest.approx(study.spearman(tied, B), rel=1e-13)
    for name in ("ratio_correlation", "ratio_null", "ratio_excess"):
        found, other = getattr(exact, name)(A, B, C), getattr(study, name)(A, B, C)
        assert found == pytest.approx(other, rel=1e-12)
    for controls in ([A], [A, M]):
        for name in ("partial_correlation", "residual_statistic"):
            found, other = (
                getattr(exact, name)(B, C, *controls),
                getattr(study, name)(B, C, *controls),
            )
            assert found == pytest.approx(other, rel=1e-12)


def test_excess_is_what_is_left_of_the_correlation() -> None:
    rho, null = exact.ratio_correlation(A, B, C), exact.ratio_null(A, B, C)
    assert rho is not None
    assert null is not None
    assert exact.ratio_excess(A, B, C) == pytest.approx(rho - null, rel=1e-12)


def test_no_variance_is_null_and_never_one() -> None:
    flat = [0.1] * 14
    assert exact.pearson(flat, A) is None
    assert exact.spearman(A, flat) is None
    assert exact.ratio_correlation(A, A, C) is None
    assert exact.ratio_null(flat, B, C) is None
    assert exact.ratio_correlation(flat, B, C) == pytest.approx(exact.pearson(B, C), rel=1e-12)
    assert exact.partial_correlation(B, C, flat) is None
    assert exact.partial_correlation([2 * v for v in A], C, A) is None
    assert exact.partial_correlation(B, C, A, [4 * v for v in A]) is None


def test_ranks_are_averages_over_ties() -> None:
    assert exact.ranks([7.0, 3.0, 7.0, 1.0, 7.0, 3.0]) == [5, 2.5, 5, 1, 5, 2.5]


def test_a_system_is_solved_exactly_or_not_at_all() -> None:
    one = Fraction(1)
    assert exact.solve([[0 * one, 2 * one], [3 * one, one]], [4 * one, 5 * one]) == [1, 2]
    assert exact.solve([[one, 2 * one], [2 * one, 4 * one]], [one, one]) is None


def test_a_stationary_path_goes_on_past_the_end_from_the_beginning() -> None:
    assert stationary_path([2, 0, 3, 1], [False, False, True, False]) == [2, 3, 3, 0]


def test_block_length_of_a_series_that_remembers_one_row_only() -> None:
    draw = random.Random(3)  # noqa: S311
    shocks = [draw.gauss(0, 1) for _ in range(201)]
    u = [now + 0.9 * then for now, then in zip(shocks[1:], shocks[:-1], strict=True)]
    n, centre, variance = 200, statistics.fmean(u), statistics.pvariance(u)
    x = [value - centre for value in u]
    r = [sum(x[t] * x[t - k] for t in range(k, n)) / n / variance for k in range(12)]
    bound = 2 * math.sqrt(math.log10(n) / n)
    assert next(m for m in range(1, 7) if max(abs(v) for v in r[m : m + 5]) < bound) == 2
    # M = 4: the taper is 1, 1, 1/2, 0.
    g = 2 * (r[1] + 2 * r[2] + 0.5 * 3 * r[3])
    total = 1 + 2 * (r[1] + r[2] + 0.5 * r[3])
    assert block_length(u) == pytest.approx((n * g**2 / total**2) ** (1 / 3), rel=1e-12)


def test_block_length_is_clipped_and_a_constant_has_none() -> None:
    assert block_length([math.sin(math.pi * k / 5) for k in range(60)]) == 20.0
    assert block_length([math.sin(math.pi * k / 10) for k in range(144)]) == 36.0
    draw = random.Random(1)  # noqa: S311
    assert block_length([draw.gauss(0, 1) for _ in range(100)]) == 1.0
    assert block_length([0.1] * 60) is None


def test_the_p_value_counts_centred_resamples_and_itself() -> None:
    u = [1.0, 2.0, 3.0]
    assert statistic(u) == pytest.approx(6 / math.sqrt(2))
    resamples = [[0, 1, 2], [0, 0, 1], [2, 2, 2], [1, 1, 1]]
    assert statistic([1.0, 1.0, 2.0], 2.0) == pytest.approx(-2 / math.sqrt(2 / 3))
    assert p_value(u, resamples, least=3) == 2 / 5
    assert p_value([-1.0, 0.0, 1.0], resamples[:1], least=3) == 1.0
    # Here tau is 1 / sqrt(42 / 9), which the second resample beats on the other side.
    assert p_value([-1.0, 0.0, 2.0], resamples[:2], least=3) == 2 / 3


def test_no_p_value_below_sixty_rows_nor_without_variance() -> None:
    u = [math.sin(k) for k in range(60)]
    rows = [list(range(60))]
    assert p_value(u, rows) == 1 / 2
    assert p_value(u[:59], [rows[0][:59]]) is None
    assert p_value([0.25] * 60, rows) is None


def test_u_is_the_product_of_both_residuals() -> None:
    u = residual_products(B, C, A, M)
    assert u is not None
    assert statistic(u) == pytest.approx(exact.residual_statistic(B, C, A, M), rel=1e-12)
    assert residual_products(B, C, [0.1] * 14) is None


def test_holm_steps_down_and_leaves_nulls_out() -> None:
    assert holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([None, 0.02]) == [None, 0.02]


def test_quantiles_at_whole_places_and_between() -> None:
    line = [float(k) for k in range(1, 1000)]
    assert [order_quantile(line, q) for q in (0.025, 0.975)] == pytest.approx([25, 975])
    assert order_quantile([1.0, 2.0], 0.01) == 1.0
    assert order_quantile([2.0, 1.0], 0.99) == 2.0
    assert linear_quantile([3.0, 0.0, 2.0, 1.0], 0.5) == 1.5
    assert [linear_quantile([5.0, 7.0], q) for q in (0.0, 1.0)] == [5.0, 7.0]


@pytest.mark.parametrize("r", [-0.8, 0.0, 0.6])
def test_the_error_of_two_valued_rows_is_that_of_the_root_of_n(r: float) -> None:
    # The influence of a row is (1 - r**2)**1.5 times +-1.
    y = mixed(3.0, (r, 0), (math.sqrt(1 - r * r), 1))
    found = atanh_error(H[0], y)
    assert found == pytest.approx((math.atanh(r), math.sqrt((1 - r * r) / 8)), abs=1e-14)


def test_the_error_is_the_infinitesimal_change_of_atanh_r() -> None:
    base = atanh_error(A, B)
    assert base is not None
    step = 1e-6
    total = 0.0
    for k in range(14):
        weights = [(1 - step) / 14 + (step if j == k else 0) for j in range(14)]
        x, y = (sum(w * v for w, v in zip(weights, side, strict=True)) for side in (A, B))
        xx, yy, xy = (
            sum(w * (p - x) ** i * (q - y) ** j for w, p, q in zip(weights, A, B, strict=True))
            for i, j in ((2, 0), (0, 2), (1, 1))
        )
        total += ((math.atanh(xy / math.sqrt(xx * yy)) - base[0]) / step) ** 2
    assert base[1] == pytest.approx(math.sqrt(total) / 14, rel=1e-4)


def test_no_error_where_nothing_or_everything_is_correlated() -> None:
    assert atanh_error(A, [0.1] * 14) is None
    assert atanh_error(A, [3 * v + 1 for v in A]) is None


def test_an_interval_turns_the_pivots_round() -> None:
    resamples = [[k % 14, *range(13)] for k in (3, 9)] + [[5] * 14]
    here = atanh_error(A, B)
    assert here is not None
    pivots = []
    for rows in resamples[:2]:
        star = atanh_error([A[k] for k in rows], [B[k] for k in rows])
        assert star is not None
        pivots.append((star[0] - here[0]) / star[1])
    found = studentised_interval([A, B], plain, resamples, quantile=ends)
    assert found == pytest.approx(
        (math.tanh(here[0] - max(pivots) * here[1]), math.tanh(here[0] - min(pivots) * here[1]))
    )
    assert studentised_interval([A, B], plain, [[5] * 14]) is None
    assert studentised_interval([A, [0.1] * 14], plain, resamples) is None


def test_an_interval_forms_differences_and_residuals_in_each_resample() -> None:
    rows = [[k, *range(1, 14)] for k in (2, 4, 6, 8)]
    sides = spreads(A, B, C)
    assert studentised_interval([A, B, C], spreads, rows) == studentised_interval(
        sides, plain, rows
    )
    once = given(B, C, A)
    assert once is not None
    fixed = studentised_interval(once, plain, rows)
    assert studentised_interval([B, C, A], given, rows) != fixed
    same = [list(reversed(range(14)))]
    r = exact.partial_correlation(B, C, A)
    assert studentised_interval([B, C, A], given, same) == pytest.approx((r, r))


def test_signs_hold_within_a_block() -> None:
    assert sign_path([1, -1, -1, 1], [False, False, True, False]) == [1, 1, -1, -1]


def test_lines_of_a_window_are_its_returns_summed() -> None:
    assert cumulate([1.0, -3.0]) == [0.0, 1.0, -2.0]
    lines = [[100 * math.exp(v) for v in cumulate(side)] for side in (A, B, C)]
    rs = [study.relative_strength(lines[0], other) for other in lines[1:]]
    assert level_observed(A, B, C) == pytest.approx(study.level_correlation(*rs, 15)[-1], rel=1e-9)


def test_the_null_of_levels_flips_what_the_leader_does_not_explain() -> None:
    plus, minus = [1] * 14, [-1] * 14
    same, flipped = level_null(A, B, C, [plus, minus])
    assert same == level_observed(A, B, C)
    slope, intercept = statistics.linear_regression(A, C)
    mirror = [2 * (intercept + slope * p) - q for p, q in zip(A, C, strict=True)]
    assert flipped == pytest.approx(level_observed(A, B, mirror), rel=1e-9)
    assert level_null([0.1] * 14, B, C, [plus]) == [None]


def test_the_null_of_levels_is_told_by_its_middle_its_ends_and_its_share() -> None:
    found = level_summary(0.4, [0.5, None, 0.1, 0.4, 0.2, 0.3])
    assert found == pytest.approx((0.3, 0.12, 0.48, 0.4))
    assert level_summary(None, [0.1]) is None
    assert level_summary(0.4, [None]) is None
