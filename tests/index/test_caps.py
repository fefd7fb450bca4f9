"""Caps: the published examples, the conditions of the optimum, and what cannot be met."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.definitions.read import read_basket
from indexer.errors import DefinitionError
from indexer.index.build import build
from indexer.index.caps import capped
from tests.index.examples import basket, history, market, weights
from tests.reference.example import MONDAY, closes
from tests.reference.prices import OracleError
from tests.reference.weights import capped as capped_slowly

RAW = [0.40, 0.25, 0.15, 0.10, 0.06, 0.04]


def cap(weights_given, segments=(), **caps) -> list[float]:
    """Return the capped weights; without segments each constituent is one of its own."""
    definition = basket(weighting={"scheme": "equal", "caps": {}}).model_copy()
    weighting = definition.weighting.model_copy(
        update={"caps": type(definition.weighting.caps)(**caps)}
    )
    definition = definition.model_copy(update={"weighting": weighting})
    names = segments or [str(n) for n in range(len(weights_given))]
    return capped(definition, np.array(weights_given), names).tolist()


def test_offenders_go_to_the_cap_and_the_excess_pro_rata_to_the_rest():
    expected = [0.25, 0.25, 3 / 14, 1 / 7, 3 / 35, 2 / 35]  # 21.428571, 14.285714, 8.571429, …

    assert cap(RAW, constituent=0.25) == pytest.approx(expected, rel=1e-14)


def test_who_is_lifted_over_the_cap_is_capped_too():
    expected = [0.2, 0.2, 0.2, 0.2, 0.12, 0.08]

    assert cap(RAW, constituent=0.2) == pytest.approx(expected, rel=1e-14)


def test_a_cap_that_nobody_reaches_changes_nothing():
    assert cap(RAW, constituent=0.4) == pytest.approx(RAW, rel=1e-15)
    assert cap(RAW) == RAW


def test_a_cap_that_is_hardly_missed_changes_nothing():
    almost = 0.5 + 4e-13

    assert cap([0.5, 0.3, 0.2], constituent=almost) == pytest.approx([0.5, 0.3, 0.2], rel=1e-15)
    assert cap([0.5, 0.5], ["x", "y"], segment=almost) == [0.5, 0.5]


def test_the_smallest_feasible_cap_makes_all_equal():
    assert cap(RAW, constituent=1 / 6) == pytest.approx([1 / 6] * 6, rel=1e-12)


def test_a_segment_cap_scales_its_members_and_the_rest():
    """Half of 0.65 is scaled to 0.5 and the other 0.35 to 0.5."""
    found = cap(RAW, ["x", "x", "y", "y", "y", "y"], segment=0.5)

    assert found == pytest.approx(
        [0.4 * 5 / 6.5, 0.25 * 5 / 6.5, *(np.array(RAW[2:]) * 5 / 3.5)], rel=1e-14
    )


def test_both_caps_together():
    """In segment x the first is at 0.3, so the second takes the rest of 0.5; y shares 0.5."""
    found = cap(RAW, ["x", "x", "y", "y", "y", "y"], segment=0.5, constituent=0.3)

    assert found == pytest.approx([0.3, 0.2, *(np.array(RAW[2:]) * 5 / 3.5)], rel=1e-14)


def test_weights_of_zero_stay_zero():
    assert cap([0.6, 0.4, 0.0], constituent=0.5) == [0.5, 0.5, 0.0]


@given(
    st.lists(st.tuples(st.floats(1e-3, 1.0), st.sampled_from("xyz")), min_size=1, max_size=40),
    st.none() | st.floats(0.01, 1.0),
    st.none() | st.floats(0.3, 1.0),
)
@settings(max_examples=3 * settings().max_examples)
def test_the_optimum_is_that_of_the_oracle(given_weights, constituent, segment):
    raw, segments = (list(part) for part in zip(*given_weights, strict=True))
    uncapped = (np.array(raw) / sum(raw)).tolist()
    caps = {"constituent": constituent, "segment": segment}
    names = [str(n) for n in range(len(raw))]
    try:
        expected = capped_slowly(
            dict(zip(names, uncapped, strict=True)),
            constituent,
            segment,
            dict(zip(names, segments, strict=True)),
        )
    except OracleError:
        with pytest.raises(DefinitionError) as refused:
            cap(uncapped, segments, **caps)
        name_the_smallest(refused.value, list(Counter(segments).values()), segment)
        return
    found = cap(uncapped, segments, **caps)
    assert found == pytest.approx(list(expected.values()), rel=1e-9, abs=1e-12)
    assert sum(found) == pytest.approx(1, rel=1e-12)


def name_the_smallest(error: DefinitionError, sizes: list[int], segment: float | None) -> None:
    """Check that the cap an error names can be met, and that hardly less can.

    A constituent cap beside the segment cap as it is; a segment cap by itself.
    """
    [problem] = error.problems
    least = float(problem.message.rpartition(" ")[2])
    for told, met in ((least, True), (least - 2e-6, False)):
        if problem.path.endswith("segment"):
            room = sum(min(told, 1.0) for _ in sizes)
        else:
            room = sum(min(segment or 1.0, size * told) for size in sizes)
        assert (room >= 1 - 1e-9) == met


# --- what cannot be met ---------------------------------------------------------------------------

A, B = closes("A.US", 10, 10), closes("B.US", 20, 20)
TEXT = """\
version: 1
id: example
name: {en: Example}
currency: USD
calendar: 24/5
base: {date: 2024-01-08, level: 1000}
weighting:
  scheme: equal
  caps: {constituent: 0.4, segment: 0.9}
constituents:
  - {symbol: A.US, segment: x}
  - {symbol: B.US, segment: y}
  - {symbol: C.US, segment: y, from: 2024-02-01}
"""


def test_a_cap_the_members_cannot_meet_names_the_smallest_and_its_place(tmp_path):
    """Three constituents could meet it, the two members of the base date cannot."""
    file = tmp_path / "example.yaml"
    file.write_text(TEXT)
    with pytest.raises(DefinitionError) as refused:
        build(read_basket(file), market({"prices": A + B + closes("C.US", 5, 5)}))
    [problem] = refused.value.problems

    assert (problem.file, problem.line, problem.path) == (
        str(file),
        9,
        "weighting.caps.constituent",
    )
    assert TEXT.splitlines()[8][problem.column - 1 :].startswith("0.4")
    assert problem.message == (
        "by what was known on 2024-01-08, of A.US, B.US: 2 constituents in 2 segments cannot reach "
        "a sum of 1 under it: the smallest feasible cap is 0.5"
    )


def test_of_a_constituent_without_a_close_it_is_said_where_the_others_cannot_meet_a_cap(tmp_path):
    """Else nothing tells why the third does not count: the caveat comes with a result alone."""
    file = tmp_path / "example.yaml"
    file.write_text(TEXT.replace(", from: 2024-02-01", ""))
    with pytest.raises(DefinitionError) as refused:
        build(read_basket(file), market({"prices": A + B}))

    assert "of A.US, B.US (no close of C.US): 2 constituents" in refused.value.problems[0].message


@pytest.mark.parametrize(
    ("caps", "path", "least"),
    [
        ({"constituent": 0.3}, "constituent", 0.333334),  # rounded up, so that it can be met
        ({"segment": 0.4}, "segment", 0.5),
        # x has one member and room for 0.3, y has two and room for 0.6: 0.1 is left
        ({"constituent": 0.3, "segment": 0.7}, "constituent", 0.333334),
        # y may take 0.55, and the one member of x must take the rest
        ({"constituent": 0.35, "segment": 0.55}, "constituent", 0.45),
    ],
)
def test_which_cap_is_to_blame(caps, path, least):
    raw, segments = [0.5, 0.3, 0.2], ["x", "y", "y"]
    with pytest.raises(DefinitionError) as refused:
        cap(raw, segments if "segment" in caps else (), **caps)
    [problem] = refused.value.problems

    assert problem.path == f"weighting.caps.{path}"
    assert problem.message.endswith(f"the smallest feasible cap is {least}")
    assert sum(cap(raw, segments, **caps | {path: least})) == pytest.approx(1)


def test_a_segment_without_weight_has_no_room():
    """Two of three segments share one, so half is the least; a third each would be too little."""
    with pytest.raises(DefinitionError, match=r"2 constituents in 2 segments .* cap is 0\.5$"):
        cap([0.0, 0.6, 0.4], ["x", "y", "z"], segment=0.4)


@pytest.mark.parametrize("late", [{}, {"from": "2024-02-01"}], ids=["member", "later"])
def test_a_segment_cap_wants_the_segment_of_every_constituent(late):
    constituents = [{"symbol": "A.US", "segment": "x"}, {"symbol": "B.US", **late}]
    with pytest.raises(DefinitionError, match=r"B\.US has no segment"):
        history(A + B, weighting={"scheme": "equal", "caps": {"segment": 0.9}},
                constituents=constituents)  # fmt: skip


def test_segments_come_from_the_definition_or_else_from_the_table():
    table = [{"symbol": "A.US", "segment": "y"}, {"symbol": "B.US", "segment": "y"}]
    constituents = [{"symbol": "A.US", "segment": "x"}, {"symbol": "B.US"}, {"symbol": "C.US",
                    "segment": "y"}]  # fmt: skip
    found = history(A + B + closes("C.US", 5), tables={"securities": table},
                    weighting={"scheme": "equal", "caps": {"segment": 0.5}},
                    constituents=constituents)  # fmt: skip

    assert weights(found, MONDAY, "reference_weight") == pytest.approx(
        {"A.US": 0.5, "B.US": 0.25, "C.US": 0.25}
    )


def test_the_capping_factor_is_what_a_cap_leaves_of_a_count_the_largest_being_one():
    """Market values 3000, 1000 and 500 under 0.5: weights 0.5, 1/3 and 1/6, factors 0.5, 1, 1."""
    prices = A + B + closes("C.US", 5, 5)
    counts = [{"symbol": s, "date": MONDAY, "total_shares": float(n)}
              for s, n in (("A.US", 300), ("B.US", 50), ("C.US", 100))]  # fmt: skip
    found = history(
        prices,
        weighting={"scheme": "market_cap", "caps": {"constituent": 0.5}},
        constituents=[{"symbol": "A.US"}, {"symbol": "B.US"}, {"symbol": "C.US"}],
        tables={"shares": counts},
    )

    assert weights(found, MONDAY, "capping_factor") == pytest.approx(
        {"A.US": 0.5, "B.US": 1, "C.US": 1}
    )
    assert weights(found, MONDAY, "shares") == pytest.approx({"A.US": 150, "B.US": 50, "C.US": 100})
    assert weights(found, MONDAY) == pytest.approx({"A.US": 0.5, "B.US": 1 / 3, "C.US": 1 / 6})
