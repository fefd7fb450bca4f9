"""Numbers as they are published, and what a hash is taken of."""

import math
from dataclasses import fields, replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.ledger.entry import FIRST, Entry, content_digest, decimal_text, hash_of, sealed
from tests.ledger.chain import ROWS, entry

DECIMALS = st.integers(0, 10)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEVELS = st.floats(1e-9, 1e12)


@given(LEVELS, DECIMALS)
def test_a_level_is_rounded_half_to_even_from_its_exact_value(value, decimals):
    with localcontext() as context:
        context.prec = 1200
        scaled = Decimal(value) * 10**decimals
        whole = scaled.to_integral_value(ROUND_HALF_EVEN)

        assert Decimal(decimal_text(value, decimals)) * 10**decimals == whole


@given(st.integers(0, 10**9), st.integers(1, 8))
def test_exact_halves_go_to_the_even_neighbour(whole, decimals):
    """Multiples of 1/2**n are the decimals of which a double holds the exact half."""
    last = decimal_text(whole + 2.0**-decimals, decimals - 1)[-1]

    assert int(last) % 2 == 0


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.675, 2, "2.67"),
        (1000.125, 2, "1000.12"),
        (1000.375, 2, "1000.38"),
        (0.5, 0, "0"),
        (1.5, 0, "2"),
        (1e22, 1, "10000000000000000000000.0"),
        (999.99995, 4, "1000.0000"),
        (5e-324, 4, "0.0000"),
    ],
)
def test_known_levels_are_printed_as_the_requirement_says(value, decimals, text):
    assert decimal_text(value, decimals) == text


@given(LEVELS, DECIMALS)
def test_a_level_has_its_decimals_and_no_exponent(value, decimals):
    text = decimal_text(value, decimals)
    whole, _, rest = text.partition(".")

    assert whole.isdigit()
    assert len(rest) == decimals


@given(FINITE, st.integers(17, 30))
def test_many_decimals_are_off_by_half_the_last_one_at_most(value, decimals):
    value = math.copysign(abs(value) % 1000, value)
    text = decimal_text(value, decimals)

    assert abs(Decimal(text) - Decimal(value)) <= Decimal(10) ** -decimals / 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_cannot_be_published(value):
    with pytest.raises(ValueError, match="cannot be published: it is no finite number"):
        decimal_text(value, 4)


@given(FINITE, FINITE)
def test_the_digest_tells_every_double_from_every_other(one, other):
    digests = [content_digest({"levels": [("price", "1", x, None, None)]}) for x in (one, other)]

    assert (digests[0] == digests[1]) == (one == other)


def test_the_digest_is_blind_to_tables_without_rows():
    assert content_digest({**ROWS, "changes": []}) == content_digest(
        {name: rows for name, rows in ROWS.items() if name != "changes"}
    )


def test_what_the_gates_found_is_no_part_of_what_is_published():
    assert content_digest(ROWS) == content_digest({**ROWS, "findings": []})


def test_what_the_gates_found_is_part_of_the_hash():
    assert hash_of(entry()) != hash_of(entry(rows={**ROWS, "findings": []}))


@pytest.mark.parametrize("table", sorted(ROWS))
def test_every_cell_of_every_table_is_part_of_the_hash(table):
    row = ROWS[table][0]
    for n, cell in enumerate(row):
        other = not cell if isinstance(cell, bool) else cell + type(cell)("1")
        rows = {**ROWS, table: [(*row[:n], other, *row[n + 1 :]), *ROWS[table][1:]]}

        assert sealed(entry(rows=rows)).hash != sealed(entry()).hash, (table, n)


@pytest.mark.parametrize("name", [f.name for f in fields(Entry) if f.name not in ("hash", "rows")])
def test_every_field_of_an_entry_is_part_of_its_hash(name):
    one = sealed(entry(), number=1, revision=1, published_at="2026", previous=FIRST)
    value = getattr(one, name)
    more = {str: "1", int: 1, bytes: b"1"}
    other = not value if isinstance(value, bool) else value + more[type(value)]

    assert hash_of(replace(one, **{name: other})) != one.hash


def test_the_order_of_rows_is_part_of_what_is_published():
    assert content_digest(ROWS) != content_digest({**ROWS, "levels": ROWS["levels"][::-1]})


def test_an_entry_with_a_number_that_is_none_cannot_be_sealed():
    with pytest.raises(ValueError, match="not JSON compliant"):
        hash_of(entry(basis=math.nan))
