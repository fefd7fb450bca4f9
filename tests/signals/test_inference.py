"""Nulls, p-values and intervals: the oracle on the same draws, peers, and what is null."""

import math

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from indexer.arrays import AnyArray, Vector
from indexer.kernels.bootstrap import correlation_pivots, stationary_rows
from indexer.signals import inference
from indexer.signals.inference import (
    block_length,
    correlation_interval,
    generator,
    holm,
    level_null,
    p_value,
    partial_p_value,
    residuals,
)
from tests.reference import signal_inference as reference

seeds = st.integers(0, 2**32 - 1)


def lines(seed: int, rows: int = 60) -> tuple[Vector, Vector, Vector]:
    """Return a leader and two followers that share it."""
    a, e, f = np.random.default_rng(seed).standard_normal((3, rows)) * 0.02
    return a, 0.5 * a + e, 0.3 * a + 0.2 * e + f


# --- random numbers -------------------------------------------------------------------------------


def test_a_figure_draws_the_same_numbers_whatever_else_is_drawn() -> None:
    one, two = (generator(7, "p_value", "a", "b", 60).random(3) for _ in range(2))
    assert one.tolist() == two.tolist()


@pytest.mark.parametrize("of", [(8, "x", 60), (7, "y", 60), (7, "x", 20), (7, "x", 6, 0)])
def test_another_figure_or_seed_draws_others(of: tuple[int, str, int]) -> None:
    assert generator(*of).random() != generator(7, "x", 60).random()


# --- blocks ---------------------------------------------------------------------------------------


@given(seeds, st.floats(0.0, 0.9), st.integers(60, 250))
def test_the_mean_block_is_that_of_politis_and_white(seed: int, tie: float, rows: int) -> None:
    u = np.random.default_rng(seed).standard_normal(rows)
    for t in range(1, rows):
        u[t] += tie * u[t - 1]
    found = block_length(u, min(3 * math.sqrt(rows), rows / 3))
    assert found == pytest.approx(reference.block_length(u.tolist()), rel=1e-9)
    peer = float(optimal_block_length(u)["stationary"].iloc[0])
    assert found == pytest.approx(min(max(peer, 1), 3 * math.sqrt(rows), rows / 3), rel=1e-12)


def test_a_series_that_does_not_move_has_blocks_of_one_row() -> None:
    assert block_length(np.full(60, 3.0), 20) == 1.0


# --- the p-value of the partial correlation -------------------------------------------------------


@given(seeds)
def test_the_p_value_is_the_oracles_on_the_same_resamples(seed: int) -> None:
    a, b, c = lines(seed)
    found = partial_p_value(b, c, a[:, None], 99, np.random.default_rng(3))
    u = reference.residual_products(b.tolist(), c.tolist(), a.tolist())
    assert u is not None
    block = reference.block_length(u)
    assert block is not None
    rows = stationary_rows(60, block, 99, np.random.default_rng(3)).row.tolist()
    assert found == pytest.approx(reference.p_value(u, rows), abs=1e-12)


def test_no_p_value_below_sixty_rows() -> None:
    a, b, c = lines(1, rows=59)
    assert math.isnan(partial_p_value(b, c, a[:, None], 99, np.random.default_rng(3)))


def test_no_p_value_where_the_leader_is_all_there_is() -> None:
    a, b, _ = lines(1)
    still = np.zeros(60)
    assert math.isnan(partial_p_value(b, still, a[:, None], 99, np.random.default_rng(3)))


@pytest.mark.parametrize("case", ["copy", "inverse", "flat leader", "flat benchmark"])
def test_no_p_value_where_there_is_no_partial_correlation(case: str) -> None:
    """What is left of a follower is rounding, or what it is set against says nothing."""
    a, b, c = lines(1)
    rng = np.random.default_rng(3)
    if case in ("copy", "inverse"):
        p = partial_p_value(a if case == "copy" else -a, c, a[:, None], 99, rng)
    else:
        flat = np.full((60, 1), 0.1)
        controls = flat if case == "flat leader" else np.column_stack([a, flat])
        p = partial_p_value(b, c, controls, 99, rng)
    assert math.isnan(p)


def test_followers_that_move_together_are_no_chance() -> None:
    a, b, _ = lines(1)
    assert partial_p_value(b, b + 0.1 * a, a[:, None], 999, np.random.default_rng(3)) == 0.001


def test_a_statistic_that_is_missing_has_no_p_value() -> None:
    assert math.isnan(p_value(math.nan, np.array([1.0, 2.0])))


def test_a_draw_that_is_missing_counts_as_one_as_large() -> None:
    assert p_value(2.0, np.array([math.nan, 1.0, 3.0])) == 0.75


@pytest.mark.parametrize("controls", [np.ones(60), np.ones((59, 1)), np.ones((60, 1, 1))])
def test_controls_of_another_shape_are_refused(controls: AnyArray) -> None:
    _, b, c = lines(1)
    with pytest.raises(ValueError, match=r"expected controls of \(60, k\), got"):
        partial_p_value(b, c, controls, 99, np.random.default_rng(3))


@settings(max_examples=12)  # of statsmodels each takes a sixteenth of a second
@given(st.lists(st.one_of(st.floats(0.001, 1), st.just(math.nan)), max_size=6))
def test_holm_is_that_of_statsmodels_on_what_is_there(p: list[float]) -> None:
    there = [value for value in p if not math.isnan(value)]
    expected = multipletests(there, method="holm")[1].tolist() if there else []
    assert [v for v in holm(p) if not math.isnan(v)] == pytest.approx(expected)
    assert [math.isnan(v) for v in holm(p)] == [math.isnan(v) for v in p]


# --- intervals ------------------------------------------------------------------------------------


@given(seeds)
def test_an_interval_is_as_far_as_its_resamples_say(seed: int) -> None:
    _, x, y = lines(seed)
    found = correlation_interval(x, y, 99, np.random.default_rng(3))
    r = float(stats.pearsonr(x, y).statistic)
    assert found.value == pytest.approx(r, rel=1e-12)
    influence = inference._influence(x, y)[1]
    block = max(block_length(influence, 10), 60 ** (1 / 3))
    resamples = stationary_rows(60, block, 99, np.random.default_rng(3))
    reach = np.sort(np.abs(correlation_pivots(x, y, math.atanh(r), resamples)))[94]
    spread = math.sqrt(reference.resampled_variance(influence.tolist(), block)) / (1 - r * r)
    assert math.atanh(found.high) - math.atanh(r) == pytest.approx(reach * spread, rel=1e-6)
    assert math.atanh(r) - math.atanh(found.low) == pytest.approx(reach * spread, rel=1e-6)


@given(seeds)
def test_a_rank_interval_is_about_spearmans_and_blind_to_scale(seed: int) -> None:
    _, x, y = lines(seed)
    found = correlation_interval(x, y, 99, np.random.default_rng(3), ranked=True)
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-12)
    stretched = correlation_interval(
        np.exp(30 * x), y**3, 99, np.random.default_rng(3), ranked=True
    )
    assert stretched == found


@pytest.mark.parametrize("case", ["short", "still", "still but for rounding", "on a line"])
def test_no_interval_where_nothing_can_be_told(case: str) -> None:
    _, x, y = lines(1, rows=59 if case == "short" else 60)
    y = {
        "short": y,
        "still": np.full(60, 2.0),
        "still but for rounding": np.full(60, 0.1),
        "on a line": 2 * x + 1,
    }[case]
    found = correlation_interval(x, y, 99, np.random.default_rng(3))
    assert all(math.isnan(part) for part in found)


@pytest.mark.parametrize("lacking", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("ranked", [False, True])
def test_no_interval_where_a_value_is_missing(ranked: bool, lacking: float) -> None:
    _, x, y = lines(1)
    x[3] = lacking
    for sides in ((x, y), (y, x)):
        found = correlation_interval(*sides, 99, np.random.default_rng(3), ranked=ranked)
        assert all(math.isnan(part) for part in found)


def test_no_interval_of_sides_of_different_lengths() -> None:
    _, x, y = lines(1)
    with pytest.raises(ValueError, match="x, y of one length"):
        correlation_interval(x, y[:-1], 99, np.random.default_rng(3))


def test_without_a_draw_nothing_is_inferred() -> None:
    a, b, c = lines(1)
    rng = np.random.default_rng(3)
    for infer in (
        lambda: correlation_interval(b, c, 0, rng),
        lambda: level_null(a, b, c, 0, rng),
        lambda: partial_p_value(b, c, a[:, None], 0, rng),
    ):
        with pytest.raises(ValueError, match="replications=0"):
            infer()


def test_more_rows_make_a_narrower_interval() -> None:
    wide, narrow = (
        correlation_interval(*lines(1, rows)[1:], 999, np.random.default_rng(3))
        for rows in (60, 600)
    )
    assert 2 * (narrow.high - narrow.low) < wide.high - wide.low


# --- levels ---------------------------------------------------------------------------------------


@given(seeds)
def test_the_level_null_is_the_oracles_on_the_same_signs(seed: int) -> None:
    a, b, c = lines(seed, rows=59)
    found = level_null(a, b, c, 40, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    block = block_length(residuals(c, a[:, None]), min(3 * math.sqrt(59), 59 / 3))
    drawn = stationary_rows(59, block, 40, rng)
    signs = inference._signs(drawn, rng).astype(int).tolist()
    null = reference.level_null(a.tolist(), b.tolist(), c.tolist(), signs)
    expected = reference.level_summary(
        reference.level_observed(a.tolist(), b.tolist(), c.tolist()), null
    )
    assert expected is not None
    assert found[1:] == pytest.approx(expected, rel=1e-9)


def test_signs_hold_throughout_a_block() -> None:
    rng = np.random.default_rng(3)
    drawn = stationary_rows(30, 4.0, 20, rng)
    signs = inference._signs(drawn, rng)
    changed = signs[:, 1:] != signs[:, :-1]
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert not (changed & ~drawn.begins[:, 1:]).any()
    assert changed.sum() == pytest.approx(drawn.begins[:, 1:].sum() / 2, rel=0.3)


def test_a_line_that_does_not_move_has_no_level_correlation() -> None:
    a, b, _ = lines(1, rows=59)
    assert all(math.isnan(part) for part in level_null(a, b, a, 20, np.random.default_rng(3)))
