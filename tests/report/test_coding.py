"""Columns as text: what is read back is what was written, to the last digit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.report.coding import coded
from indexer.report.figures import compact
from tests.report.reading import numbers_of

DIGITS = st.integers(0, 6)
COLUMNS = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=40)


@given(COLUMNS, DIGITS)
def test_what_is_read_back_is_what_was_rounded(column, digits):
    values = compact(np.array(column, dtype=float), digits)

    assert numbers_of(coded(values, digits), digits) == values


@given(COLUMNS, DIGITS)
def test_the_text_is_printable_and_none_of_it_is_markup(column, digits):
    text = coded(compact(np.array(column, dtype=float), digits), digits)

    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set("<>&\"'")


@pytest.mark.parametrize(
    ("values", "text"),
    [((-179.98321,), "`~oia@"), ((38.5, 40.7, 43.252), "_p~iF_ulL_mqN"), ((0.0, None, 0.0), "?!?")],
)
def test_it_is_the_encoding_of_polylines(values, text):
    assert coded(values, 5) == text
