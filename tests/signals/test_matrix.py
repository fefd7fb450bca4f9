"""Correlations of members, each with each, beside numpy."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.signals.breadth import members_of
from indexer.signals.matrix import correlation_matrix
from tests.index.examples import history
from tests.reference.example import closes

DAYS = 12
RNG = np.random.default_rng(7)
A, B, C = (np.round(100 * np.exp(0.02 * RNG.standard_normal(DAYS).cumsum()), 2) for _ in range(3))


def three(*, gap: int | None = None):
    """Return an index of three shares, the third without a close on one session."""
    third = [None if n == gap else float(price) for n, price in enumerate(C)]
    rows = [*closes("A.US", *A.tolist()), *closes("B.US", *B.tolist()), *closes("C.US", *third)]
    listed = [
        {"symbol": "A.US", "segment": "two"},
        {"symbol": "B.US", "segment": "one"},
        {"symbol": "C.US", "segment": "one"},
    ]
    return history(rows, constituents=listed)


def test_correlations_are_those_of_simple_returns():
    found = correlation_matrix(three(), window=10)
    returns = np.array([x[-11:][1:] / x[-11:][:-1] - 1 for x in (B, C, A)])

    assert found.correlation == pytest.approx(np.corrcoef(returns), abs=1e-12)


@pytest.mark.parametrize("window", [1, 0, -1])
def test_a_window_too_short_to_correlate_is_refused(window):
    with pytest.raises(ValueError, match=f"at least 2 returns, got {window}"):
        correlation_matrix(three(), window)


def test_members_stand_by_segment():
    index = three()
    found = correlation_matrix(index, window=5)

    assert [index.symbols[j] for j in found.column] == ["B.US", "C.US", "A.US"]


def test_a_member_with_a_gap_in_the_window_has_none():
    found = correlation_matrix(three(gap=8), window=5)

    assert np.isnan(found.correlation[1]).all()
    assert np.isnan(found.correlation[:, 1]).all()
    assert not np.isnan(found.correlation[0, 2])


def test_a_member_that_does_not_move_has_none():
    index = three()
    assert index.panel is not None
    still = index.panel.close.copy()
    still[:, 0] = 5.0
    found = correlation_matrix(replace(index, panel=replace(index.panel, close=still)), window=5)

    assert np.isnan(found.correlation[2]).all()


def test_too_few_sessions_give_no_matrix():
    index = three()
    found = correlation_matrix(index, window=len(members_of(index).days))

    assert found.column.size == 0
