"""Who takes part in a rebalance."""

from datetime import date, timedelta

import pytest

from indexer.errors import DefinitionError, MarketDataError, MissingInputError
from tests.index.examples import history, price, weights
from tests.reference.example import MONDAY, SESSIONS, WEEK, action, closes, listed

MONTHLY = {"frequency": "monthly", "day": str(WEEK[2].day)}  # on Wednesday
A, B = closes("A.US", 10, 10, 10, 10), closes("B.US", 20, 20, 20, 20)


def prices(**rows: list[float | None]) -> list[dict[str, object]]:
    """Return closes on the sessions from the base date on, by symbol."""
    return [row for name, values in rows.items() for row in closes(f"{name}.US", *values)]


def held(found, effective) -> set[str]:
    return set(weights(found, effective))


@pytest.mark.parametrize(
    ("span", "members"),
    [
        ({"from": WEEK[2]}, {"A.US", "B.US"}),
        ({"from": WEEK[3]}, {"B.US"}),
        ({"until": WEEK[3]}, {"A.US", "B.US"}),
        ({"until": WEEK[2]}, {"B.US"}),
        ({"from": WEEK[1], "until": WEEK[2]}, {"B.US"}),
    ],
)
def test_from_is_the_first_effective_date_and_until_the_first_one_outside(span, members):
    constituents = [{"symbol": "A.US", **span}, {"symbol": "B.US"}]
    found = history(A + B, constituents=constituents, rebalance=MONTHLY)

    assert held(found, WEEK[2]) == members


def test_nobody_enters_or_leaves_between_rebalances():
    constituents = [{"symbol": "A.US", "until": WEEK[1]}, {"symbol": "B.US", "from": WEEK[1]}]
    found = history(A + B, constituents=constituents, rebalance=MONTHLY)

    assert [row.tolist() for row in found.shares > 0] == [[True, False]] * 3 + [[False, True]]


def test_a_constituent_needs_a_close_on_or_before_the_reference_date():
    keys = {"constituents": listed("A.US", "B.US", "C.US"), "rebalance": MONTHLY}
    found = history(A + B + prices(C=[None, None, 5, 5]), **keys)
    assert held(found, WEEK[2]) == {"A.US", "B.US", "C.US"}

    keys["rebalance"] = MONTHLY | {"reference_lag": 1}
    found = history(A + B + prices(C=[None, None, 5, 5]), **keys)
    assert held(found, WEEK[2]) == {"A.US", "B.US"}
    reasons = dict(found.excluded.filter(effective=WEEK[2]).select("symbol", "reason").iter_rows())
    assert reasons == {"C.US": f"no close on or before {WEEK[1]}"}


def test_nobody_left_is_an_error_that_names_the_date():
    constituents = [{"symbol": "A.US", "until": WEEK[2]}]
    message = rf"can be held on {WEEK[2]}: A\.US \(a member until {WEEK[2]}\)$"
    with pytest.raises(MissingInputError, match=message):
        history(A, constituents=constituents, rebalance=MONTHLY)


@pytest.mark.parametrize("kind", ["delisting", "merger"])
@pytest.mark.parametrize(("day", "members"), [(2, {"B.US"}), (3, {"A.US", "B.US"})])
def test_a_departure_on_the_effective_date_or_before_ends_membership(kind, day, members):
    """It is asked by the effective date, not by the reference date before it."""
    gone = action("A.US", WEEK[day], kind, **({"cash": 9.0} if kind == "merger" else {}))
    found = history(A + B, gone, rebalance=MONTHLY | {"reference_lag": 1})

    assert held(found, WEEK[2]) == members


def test_a_constituent_that_continues_as_another_one_is_left_to_it():
    found = history(
        A + B, action("A.US", SESSIONS[SESSIONS.index(MONDAY) - 1], "symbol_change", other="B.US")
    )

    reason = "continues as B.US, a constituent of its own"
    assert found.excluded.rows() == [(MONDAY, "A.US", reason)]
    assert weights(found, MONDAY, "shares") == {"B.US": 50}


@pytest.mark.parametrize(("day", "members"), [(1, {"Z.US", "B.US"}), (2, {"B.US"})])
def test_a_symbol_that_takes_over_from_a_stranger_is_no_member_before(day, members):
    """Tuesday is the reference date. Until it takes over, its closes are those of A."""
    found = history(
        A[:1] + B + closes("Z.US", None, None, 12),
        action("A.US", WEEK[day], "symbol_change", other="Z.US"),
        constituents=listed("Z.US", "B.US"),
        rebalance=MONTHLY | {"reference_lag": 1},
    )

    assert held(found, WEEK[2]) == members
    reason = f"takes over from A.US only on {WEEK[day]}"
    assert found.excluded.rows()[0] == (MONDAY, "Z.US", reason)


def test_a_symbol_takes_over_on_the_last_change_on_the_way_to_it():
    """A is Y from Tuesday and Z from Thursday on: on Wednesday it is not Z yet."""
    found = history(
        A[:1] + B + prices(Y=[None, 11, 12], Z=[None, None, None, 13]),
        action("A.US", WEEK[1], "symbol_change", other="Y.US"),
        action("Y.US", WEEK[3], "symbol_change", other="Z.US"),
        constituents=listed("Z.US", "B.US"),
        rebalance=MONTHLY,
    )

    assert found.excluded.rows()[-1] == (
        WEEK[2],
        "Z.US",
        f"takes over from Y.US only on {WEEK[3]}",
    )


def test_a_constituent_that_takes_over_is_there_before_its_own_first_close():
    """Else its line stood elsewhere, and had the weight of another, until that close came."""
    early = closes("A.US", 10, start=SESSIONS[SESSIONS.index(MONDAY) - 1])
    changed = action("A.US", MONDAY, "symbol_change", other="Z.US")
    named = [
        {"symbol": "Z.US", "weight": 0.6},
        {"symbol": "B.US", "weight": 0.1},
        {"symbol": "A.US", "weight": 0.3},
    ]
    fixed = {"weighting": {"scheme": "fixed", "normalise": True}, "constituents": named}
    before = history(early + B, changed, **fixed)
    after = history(early + B + prices(Z=[None, 11]), changed, **fixed)

    assert before.missing == ()
    assert before.symbols == after.symbols
    assert weights(before, MONDAY, "reference_weight") == pytest.approx(
        {"Z.US": 6 / 7, "B.US": 1 / 7}
    )
    assert before.weights.equals(after.weights)


def becoming(*names: str) -> list[dict[str, object]]:
    return [action("A.US", WEEK[1], "symbol_change", other=f"{name}.US") for name in names]


def test_a_symbol_that_becomes_two_on_one_day_is_refused():
    message = f"^actions: A.US: symbol_change of {WEEK[1]} to Y.US and to Z.US: keep the right one$"
    with pytest.raises(MarketDataError, match=message):
        history(A + B + prices(Y=[None, 11], Z=[None, 12]), *becoming("Y", "Z"))


def test_a_stranger_that_becomes_two_does_not_matter():
    alone = listed("B.US")

    assert price(history(B, *becoming("Y", "Z"), constituents=alone)) == price(
        history(B, constituents=alone)
    )


def test_a_change_of_symbol_told_twice_is_one():
    rows = A[:1] + B + prices(Z=[None, 11, 12])

    assert price(history(rows, *becoming("Z", "Z"))) == price(history(rows, *becoming("Z")))


def test_what_befell_a_stranger_before_it_was_taken_over_is_no_matter():
    renamed = action("C.US", WEEK[2], "symbol_change", other="Z.US")
    gone = action("C.US", WEEK[1], "delisting", price=4.0)
    rows = A + prices(C=[9], Z=[None, None, 8, 8])
    found = history(rows, gone, renamed, constituents=listed("Z.US", "A.US"), rebalance=MONTHLY)

    assert held(found, WEEK[2]) == {"A.US", "Z.US"}
    assert price(found) == [1000] * 4


def test_a_constituent_without_closes_of_its_own_takes_over_from_another():
    """A spins off X, which is no constituent, before it goes on as Z."""
    found = history(
        A,
        action("A.US", WEEK[1], "spinoff", ratio=1, other="X.US"),
        action("A.US", WEEK[2], "symbol_change", other="Z.US"),
        constituents=listed("A.US", "Z.US"),
        rebalance=MONTHLY,
    )

    assert held(found, WEEK[2]) == {"Z.US"}


@pytest.mark.parametrize("spans", [({}, {}), ({"until": WEEK[2]}, {"from": WEEK[2]})])
def test_a_constituent_that_becomes_another_one_after_the_reference_date_takes_part_once(spans):
    """Tuesday is the reference date, and from Wednesday on A is Z, of two shares for one."""
    renamed = action("A.US", WEEK[2], "symbol_change", other="Z.US")
    old, new = spans
    found = history(
        A[:2] + B + prices(Z=[None, None, 5, 5]),
        action("A.US", WEEK[2], "split", ratio=2),
        renamed,
        constituents=[{"symbol": "A.US", **old}, {"symbol": "Z.US", **new}, {"symbol": "B.US"}],
        rebalance=MONTHLY | {"reference_lag": 1},
    )

    assert weights(found, WEEK[2]) == pytest.approx({"Z.US": 0.5, "B.US": 0.5})


def test_what_bounds_a_membership_is_told_and_no_more():
    constituents = [{"symbol": "A.US", "from": WEEK[2]}, {"symbol": "B.US"}]
    found = history(A + B, constituents=constituents)

    assert found.excluded.rows() == [(MONDAY, "A.US", f"a member from {WEEK[2]}")]


ONE_LINE = [action(f"{old}.US", WEEK[1], "symbol_change", other="Z.US") for old in "AB"]
MERGED = prices(A=[10], B=[10], C=[10] * 5, Z=[None, 10, 10, 10, 10])


def test_constituents_that_have_become_one_line_are_one_member():
    found = history(
        MERGED, *ONE_LINE, constituents=listed("A.US", "B.US", "C.US"), rebalance=MONTHLY
    )

    assert weights(found, WEEK[2]) == pytest.approx({"C.US": 0.5, "Z.US": 0.5})
    assert price(found) == pytest.approx([1000] * 5)


def test_constituents_that_have_become_one_line_with_a_weight_each_are_refused():
    weight = {"A.US": 0.5, "B.US": 0.3, "C.US": 0.2}
    constituents = [{"symbol": symbol, "weight": w} for symbol, w in weight.items()]
    keys = {"weighting": {"scheme": "fixed"}, "rebalance": MONTHLY}
    message = (
        rf"A\.US and B\.US are both Z\.US on {WEEK[2]}, and each has a weight: "
        r"end one of them with until, and give the other the weight of both"
    )
    with pytest.raises(DefinitionError, match=message):
        history(MERGED, *ONE_LINE, constituents=constituents, **keys)


@pytest.mark.parametrize(("named", "day"), [("A.US", 1), ("Z.US", 2)])
def test_who_has_left_is_no_member_under_another_symbol(named, day):
    """A is delisted before it is called Z, or Z after that."""
    gone = action(named, WEEK[day], "delisting")
    renamed = action("A.US", WEEK[3 - day], "symbol_change", other="Z.US")
    found = history(A + prices(Z=[None, None, 9]) + B, gone, renamed, rebalance=MONTHLY)

    assert held(found, WEEK[2]) == {"B.US"}
    assert found.excluded.rows() == [(WEEK[2], "Z.US", f"delisting on {WEEK[day]}")]


# --- seasoning ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seasoning", "members"), [(2, {"A.US", "B.US"}), (3, {"B.US"})])
def test_seasoning_counts_sessions_after_the_list_date(seasoning, members):
    """A lists on Saturday; up to the reference date, a Tuesday, two sessions are behind it."""
    facts = [
        {"symbol": "A.US", "list_date": WEEK[0] + timedelta(5)},
        {"symbol": "B.US", "list_date": date(2020, 1, 2)},
    ]
    found = history(
        closes("A.US", *[10] * 9) + closes("B.US", *[20] * 9),
        tables={"securities": facts},
        eligibility={"seasoning": seasoning},
        rebalance={"frequency": "monthly", "day": "17", "reference_lag": 1},
    )

    assert held(found, date(2024, 1, 17)) == members


def test_seasoning_counts_sessions_before_the_folder_begins():
    old = [{"symbol": symbol, "list_date": date(2023, 6, 1)} for symbol in ("A.US", "B.US")]
    found = history(A + B, tables={"securities": old}, eligibility={"seasoning": 150})

    assert held(found, MONDAY) == {"A.US", "B.US"}


@pytest.mark.parametrize(("seasoning", "members"), [(2, {"A.US", "B.US"}), (3, {"B.US"})])
def test_the_list_date_is_the_first_close_where_the_table_has_none(seasoning, members):
    """A first closes on Tuesday: Wednesday and Thursday are the sessions since."""
    start = SESSIONS[SESSIONS.index(MONDAY) - 5]
    found = history(
        closes("A.US", 10, 10, 10, start=WEEK[1]) + closes("B.US", *[20] * 9, start=start),
        eligibility={"seasoning": seasoning},
        rebalance={"frequency": "monthly", "day": str(WEEK[3].day)},
    )

    assert held(found, WEEK[3]) == members


@pytest.mark.parametrize("day", [MONDAY, WEEK[2]])
def test_a_list_date_after_its_closes_excludes_nobody_without_seasoning(day):
    facts = [
        {"symbol": "A.US", "list_date": day},
        {"symbol": "B.US", "list_date": date(2020, 1, 2)},
    ]
    tables = {"securities": facts}
    assert held(history(A + B, tables=tables), MONDAY) == {"A.US", "B.US"}

    found = history(A + B, tables=tables, eligibility={"seasoning": 1})
    assert held(found, MONDAY) == {"B.US"}
    assert found.excluded.rows() == [(MONDAY, "A.US", "listed 0 sessions, seasoning is 1")]


def test_what_two_constituents_have_become_has_the_weight_and_segment_of_the_one_that_is_a_member():
    """A becomes C on Tuesday and B on Wednesday, from when on A is no member."""
    made = [action("A.US", WEEK[1], "symbol_change", other="C.US"),
            action("B.US", WEEK[2], "symbol_change", other="C.US")]  # fmt: skip
    constituents = [
        {"symbol": "A.US", "weight": 0.1, "segment": "x", "until": WEEK[2]},
        {"symbol": "B.US", "weight": 0.5, "segment": "y"},
        {"symbol": "D.US", "weight": 0.4, "segment": "x"},
    ]
    rows = prices(A=[10, None, None, None], B=[20, 20, None, None], C=[None, 10, 10, 10],
                  D=[40, 40, 40, 40])  # fmt: skip
    weighting = {"scheme": "fixed", "normalise": True, "caps": {"segment": 0.6}}
    found = history(rows, *made, constituents=constituents, rebalance=MONTHLY, weighting=weighting)

    assert weights(found, WEEK[2]) == pytest.approx({"C.US": 5 / 9, "D.US": 4 / 9})
