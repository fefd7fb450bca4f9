"""Published files as text: the same bytes whenever asked."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.report.published import (
    csv_text,
    file_name,
    manifest_text,
    parse_manifest,
    sha256_of,
)

NAMES = st.text("abc019_.-", min_size=1, max_size=20)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_a_file_is_named_by_index_session_and_revision():
    assert file_name("star-50", "2026-05-07", 12) == "star-50_20260507_r12.csv"


@given(st.dictionaries(NAMES, DIGESTS, max_size=5), st.booleans())
def test_a_manifest_is_read_as_it_was_written(digests, synthetic):
    assert parse_manifest(manifest_text(digests, synthetic=synthetic)) == digests


def test_a_manifest_says_its_schema_first_and_whether_the_data_are_synthetic():
    first = "# indexer published files, schema 1"

    assert manifest_text({}, synthetic=False) == f"{first}\n"
    assert manifest_text({}, synthetic=True) == f"{first}, SYNTHETIC DATA 合成数据\n"


def test_nothing_is_taken_from_a_manifest_that_is_not_ours():
    assert parse_manifest("") == parse_manifest(f"{'0' * 64}  a.csv\n") == {}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_to_the_same_double(value):
    rows = list(csv.reader(io.StringIO(csv_text(["a"], [[value]]))))

    assert float(rows[1][0]).hex() == value.hex()


def test_text_is_utf8_with_line_feeds_and_quotes_where_needed():
    assert csv_text(["名", "b"], [["a,b", None], ['c"d', 1]]) == '名,b\n"a,b",\n"c""d",1\n'


@pytest.mark.attack("C1")
@pytest.mark.parametrize("cell", ["a\r=1+1", "\r", "a\r\n", "a\nb", "\n=1", '"\r', "a,\rb"])
def test_a_cell_is_one_whatever_ends_of_lines_are_in_it(cell):
    rows = list(csv.reader(io.StringIO(csv_text(["a", "b"], [[cell, cell]]), newline="")))

    assert rows == [["a", "b"], [cell, cell]]


def test_the_digest_is_that_of_the_bytes():
    """Of the standard's own example."""
    assert sha256_of("abc").startswith("ba7816bf8f01cfea414140de5dae2223")
