"""The next rebalance: what the index will do, told before it does it."""

import json
from datetime import date

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from indexer.errors import DefinitionError, IndexerError, MissingInputError
from indexer.index.build import build
from indexer.index.proforma import Proforma, proforma
from indexer.market.calendar import read_calendar
from tests.index.drawn import SMALL, Case, cases
from tests.index.examples import Row, Tables, basket, market
from tests.index.test_laws import EVERY, law, some
from tests.reference.example import MONDAY, WEEK, action, closes

NEXT = {"frequency": "monthly", "day": "26", "reference_lag": 3}  # Friday 26, from Tuesday 23
UNTRADABLE = "not tradable, and not held before"
LONG = [size for size in SMALL if size[1] >= 45]  # sessions: some for a second rebalance
A, B = closes("A.US", 10, 10, 12), closes("B.US", 20, 20, 20)


def made(prices: list[Row], *actions: Row, until: date | None = None, **keys: object) -> Proforma:
    tables: Tables = {"prices": prices, "actions": list(actions)}
    return proforma(basket(**{"rebalance": NEXT} | keys), market(tables), until)


def column(found: Proforma, name: str) -> dict[str, object]:
    return dict(zip(found.symbols, found.members[name], strict=True))


def test_the_next_rebalance_has_its_dates():
    found = made(A + B)

    assert (found.last, found.reference, found.effective, found.first_session) == (
        WEEK[2],
        date(2024, 1, 23),
        date(2024, 1, 26),
        date(2024, 1, 29),
    )


def test_before_the_reference_date_the_last_closes_take_its_place():
    """Half each at 10 and 20; A rose to 12: 600 and 500 of 1,100, and half each again."""
    found = made(A + B)

    assert found.indicative
    assert found.weighed_on == WEEK[2]
    assert column(found, "current_weight") == pytest.approx({"A.US": 6 / 11, "B.US": 5 / 11})
    assert column(found, "target_weight") == {"A.US": 0.5, "B.US": 0.5}
    assert column(found, "shares_before") == pytest.approx({"A.US": 50, "B.US": 25})
    assert column(found, "shares") == pytest.approx({"A.US": 550 / 12, "B.US": 27.5})
    assert found.turnover == pytest.approx(1 / 22)


def test_after_the_reference_date_weights_come_from_it_and_drift_on():
    """At Monday's closes half each; on Wednesday A is worth 12 and not 10."""
    rule = {"frequency": "monthly", "day": "12", "reference_lag": 4}
    friday = date(2024, 1, 5)
    prices = closes("A.US", 8, 10, 10, 12, start=friday) + closes("B.US", *[20] * 4, start=friday)
    found = made(prices, base={"date": friday, "level": 1000.0}, rebalance=rule)

    assert (found.reference, found.effective) == (MONDAY, WEEK[4])
    assert not found.indicative
    assert found.weighed_on == MONDAY
    assert column(found, "target_weight") == {"A.US": 0.5, "B.US": 0.5}
    assert column(found, "weight") == pytest.approx({"A.US": 6 / 11, "B.US": 5 / 11})


@pytest.mark.parametrize(
    ("entry", "joins", "leaves"),
    [
        ({"from": date(2024, 1, 26)}, ("C.US",), ()),
        ({"from": date(2024, 1, 27)}, (), ()),
        ({"until": date(2024, 1, 27)}, (), ()),
        ({"until": date(2024, 1, 26)}, (), ("C.US",)),
    ],
)
def test_membership_is_judged_on_the_effective_date(entry, joins, leaves):
    """Though the data end on the 10th."""
    prices = A + B + closes("C.US", 5, 5, 5)
    members = [{"symbol": "A.US"}, {"symbol": "B.US"}, {"symbol": "C.US", **entry}]
    found = made(prices, constituents=members)

    assert (found.joins, found.leaves) == (joins, leaves)


def test_who_will_not_be_held_is_told_with_the_reason():
    members = [{"symbol": s} for s in ("A.US", "B.US", "C.US")]
    gone = action("B.US", date(2024, 1, 25), "delisting")
    found = made(A + B + closes("C.US", 5, 5, 5), gone, constituents=members)

    assert found.exclusions.rows() == [("B.US", "delisting on 2024-01-25")]
    assert set(found.symbols) == {"A.US", "C.US"}


def test_an_announced_split_is_in_the_shares():
    split = action("A.US", date(2024, 1, 24), "split", ratio=2.0)
    found = made(A + B, split)

    assert column(found, "shares") == pytest.approx({"A.US": 1100 / 12, "B.US": 27.5})
    assert column(found, "target_weight") == {"A.US": 0.5, "B.US": 0.5}


def test_nobody_is_frozen_and_no_close_too_old_before_the_day_has_come():
    """Nothing has a close on the effective date yet."""
    found = made(A + B, rebalance=NEXT | {"untradable": "freeze"}, max_stale=2)

    assert column(found, "target_weight") == {"A.US": 0.5, "B.US": 0.5}
    assert found.turnover > 0


def test_what_was_frozen_before_is_held_as_it_was_kept():
    """On Tuesday A has no close: its 50 shares stay, though B, at 40, is worth twice as much."""
    rule = {"frequency": "monthly", "day": "9", "untradable": "freeze"}
    found = made(closes("A.US", 10) + closes("B.US", 20, 40, 40), rebalance=rule)

    assert column(found, "shares_before") == {"A.US": 50.0, "B.US": 25.0}
    assert column(found, "target_weight") == {"A.US": 0.5, "B.US": 0.5}


def test_a_constituent_without_a_close_yet_is_told_as_the_rebalance_would_tell_it():
    """Also one that never had any; C, which trades from Thursday on, the index leaves out too."""
    rule = {"frequency": "monthly", "day": "12", "reference_lag": 2}
    members = [{"symbol": s} for s in ("C.US", "A.US", "GONE.US")]
    prices = A + closes("C.US", 5, 5, start=WEEK[3])
    asked = basket(rebalance=rule, constituents=members)
    folder = market({"prices": prices + closes("A.US", 12, 12, start=WEEK[3])})
    done = build(asked, folder).rebalances[-1]
    found = proforma(asked, folder, WEEK[2])

    reason = f"no close on or before {WEEK[2]}"
    assert (done.effective, done.excluded) == (WEEK[4], (("C.US", reason),))
    assert found.excluded == (("C.US", reason), ("GONE.US", reason))


def test_a_member_of_weight_zero_is_a_line_only_while_it_is_held():
    members = [{"symbol": "A.US", "weight": 1.0}, {"symbol": "B.US", "weight": 0.0}]
    found = made(A + B, weighting={"scheme": "fixed"}, constituents=members)

    assert (found.symbols, found.leaves) == (("A.US",), ())


def test_parts_of_a_share_join_stay_and_leave_as_whole_ones_do():
    day = date(2024, 1, 20)
    spans = {"B.US": {"until": day}, "A.US": {}, "C.US": {"from": day}}
    members = [{"symbol": symbol, **span} for symbol, span in spans.items()]
    prices = A + B + closes("C.US", 5, 5, 5)
    found = made(prices, base={"date": MONDAY, "level": 0.5}, constituents=members)

    assert column(found, "change") == {"A.US": "stays", "C.US": "joins", "B.US": "leaves"}
    assert max(*found.shares, *found.shares_before) < 1


def test_on_the_effective_date_the_next_rebalance_is_the_one_after_it():
    prices = [r for s in ("A.US", "B.US") for r in closes(s, *[10.0] * 30)]

    assert made(prices, until=date(2024, 1, 25)).effective == date(2024, 1, 26)
    assert made(prices, until=date(2024, 1, 26)).effective == date(2024, 2, 26)


def test_later_closes_are_left_out():
    prices = A + B
    cut = [row for row in prices if row["date"] <= WEEK[1]]

    assert made(prices, until=WEEK[1]).summary == made(cut).summary
    assert made(prices, until=WEEK[1]).summary != made(prices).summary


def test_the_summary_is_json_and_names_every_line():
    members = [{"symbol": "A.US"}, {"symbol": "B.US", "until": date(2024, 1, 20)}]
    summary = json.loads(json.dumps(made(A + B, constituents=members).summary, allow_nan=False))

    assert summary["leaves"] == ["B.US"]
    assert summary["indicative"] is True
    assert [(m["symbol"], m["change"], m["target_weight"]) for m in summary["members"]] == [
        ("A.US", "stays", 1.0),
        ("B.US", "leaves", 0.0),
    ]
    assert summary["excluded"][0]["symbol"] == "B.US"
    assert "until 2024-01-20" in summary["excluded"][0]["reason"]
    assert [summary[key] for key in ("last", "reference", "effective", "first_session")] == [
        "2024-01-10",
        "2024-01-23",
        "2024-01-26",
        "2024-01-29",
    ]


def test_a_basket_that_is_never_rebalanced_has_no_next_rebalance():
    with pytest.raises(DefinitionError, match=r"rebalance\.frequency: never: the basket has no"):
        made(A + B, rebalance={"frequency": "never"})


def test_a_calendar_that_ends_before_the_next_rebalance_is_an_error():
    *_, day, _, last = read_calendar("XSHG").sessions.tolist()
    rows = [{"symbol": "600001.SH", "date": d, "close": 10.0} for d in (day, last)]
    keys = {"calendar": "XSHG", "currency": "CNY", "base": {"date": day, "level": 1.0},
            "constituents": [{"symbol": "600001.SH"}]}  # fmt: skip

    with pytest.raises(MissingInputError, match=f"no rebalance of example after {last}"):
        proforma(basket(**keys, rebalance=NEXT), market({"prices": rows}))


def test_sessions_that_are_not_announced_yet_are_told():
    known = read_calendar("XSHG").verified_until
    day = read_calendar("XSHG").on_or_before(known)
    rows = [{"symbol": "600001.SH", "date": day, "close": 10.0}]
    keys = {"calendar": "XSHG", "currency": "CNY", "base": {"date": day, "level": 1.0},
            "constituents": [{"symbol": "600001.SH"}]}  # fmt: skip

    assert proforma(basket(**keys, rebalance=NEXT), market({"prices": rows})).estimated
    assert not made(A + B).estimated


def latest(case: Case, day: date) -> date:
    """Return the last close of a constituent by a date."""
    symbols = [entry["symbol"] for entry in case.definition["constituents"]]
    own = [r["date"] for r in case.tables["prices"] if r["symbol"] in symbols and r["date"] <= day]
    return max(own, default=date.min)


def unseen(case: Case, day: date) -> set[str]:
    """Return the constituents without a close by a date, who are told as that and nothing else."""
    seen = {row["symbol"] for row in case.tables["prices"] if row["date"] <= day}
    return {entry["symbol"] for entry in case.definition["constituents"]} - seen


@law
@some
@given(st.data())
def test_a_proforma_after_the_reference_date_has_the_weights_of_the_rebalance(scheme, data):
    """Whatever happens in between, bit for bit: the rebalance looks no further either.

    A constituent without a close yet that another becomes stands last: sums differ by rounding.
    """
    case: Case = data.draw(cases((scheme,), EVERY, sizes=LONG, sound=True, lagged=True))
    asked, folder = basket(**case.definition), market(case.tables)
    try:
        history = build(asked, folder)
    except IndexerError:
        reject()
    if len(history.rebalances) < 2:
        reject()
    done = data.draw(st.sampled_from(history.rebalances[1:]))
    past = [r.effective for r in history.rebalances if r.effective < done.effective]
    since = max(*past, done.reference)
    days = [d for d in history.days.tolist() if d < done.effective and latest(case, d) >= since]
    if not days:
        reject()  # no close since the reference date
    found = proforma(asked, folder, data.draw(st.sampled_from(days)))

    assert (found.effective, found.reference) == (done.effective, done.reference)
    assert not found.indicative
    targets = column(found, "target_weight")
    names = [history.symbols[j] for j in done.columns]
    held = dict(zip(names, done.target.tolist(), strict=True))
    wanted = {(symbol, reason) for symbol, reason in done.excluded if reason != UNTRADABLE}
    assert {s for s, _ in found.excluded} == {s for s, _ in wanted} | set(history.missing)
    known = {(s, reason) for s, reason in found.excluded if s not in unseen(case, found.last)}
    assert known <= wanted
    if asked.rebalance.untradable == "ignore":
        kept = {s: w for s, w in targets.items() if s in held}
        assert kept == (held if list(kept) == names else pytest.approx(held, rel=1e-14))
        assert {s for s in targets if s not in held} == set(found.leaves)
    else:  # who cannot be traded on the day is known on the day
        assert {s: w for s, w in held.items() if w > 0}.items() <= targets.items()


def test_the_first_reference_date_is_that_of_the_index_where_only_some_rows_are_at_hand():
    """By what is known of the folder it begins on Monday: the first basket is of 12 and 20."""
    friday = date(2024, 1, 5)
    prices = closes("A.US", 8, 12, 12, start=friday) + closes("B.US", *[20] * 3, start=friday)
    asked = basket(rebalance=NEXT | {"reference_lag": 1})
    folder = market({"prices": prices}, oldest=MONDAY)
    held = build(asked, folder).shares[-1]

    assert held.tolist() == pytest.approx([500 / 12, 25])
    assert proforma(asked, folder).shares_before.tolist() == held.tolist()


def test_an_end_before_the_base_date_is_refused():
    with pytest.raises(MissingInputError, match="until 2020-01-01, before the base date"):
        made(A + B, until=date(2020, 1, 1))
