"""What an index rests on: which rows count, from when, and the digest of them on any day."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.market import inputs
from indexer.market.inputs import Used, inputs_of, market_of
from indexer.market.tables import Manifest
from tests.index.examples import market

DAYS = [date(2026, 3, 2) + timedelta(n) for n in range(5)]
USED = Used({"A.US": date.min, "B.US": DAYS[2]}, frozenset({"USD", "CNY"}))


def row(symbol, n, close=10.0, **more):
    return {"symbol": symbol, "date": DAYS[n], "close": close, **more}


def tables(**changed):
    """Return the rows of a market of two shares and a rate; some tables replaced."""
    return {
        "prices": [row(s, n, 10.0 + n) for s in ("A.US", "B.US", "C.US") for n in range(5)],
        "fx": [{"date": d, "base": "USD", "quote": "CNY", "rate": 7.0} for d in DAYS],
        "securities": [{"symbol": "A.US", "currency": "USD", "segment": "x"}],
        "actions": [{"symbol": "A.US", "ex_date": DAYS[1], "kind": "split", "ratio": 2.0}],
        **changed,
    }


def digests(used=USED, **changed):
    return inputs_of(market(tables(**changed)), used).digests(np.array(DAYS, "datetime64[D]"))


def differing(used=USED, **changed):
    """Return the days, counted from nought, whose digest another table changes."""
    return [n for n, pair in enumerate(zip(digests(used), digests(used, **changed), strict=True))
            if pair[0] != pair[1]]  # fmt: skip


def priced(*changes):
    """Return the prices with some rows replaced or added."""
    new = {(r["symbol"], r["date"]): r for r in (*tables()["prices"], *changes)}
    return list(new.values())


def test_a_row_counts_from_its_day_on():
    assert differing(prices=priced(row("A.US", 2, 99.0))) == [2, 3, 4]


def test_a_symbol_that_is_brought_counts_from_that_day_on():
    assert differing(prices=priced(row("B.US", 0, 99.0))) == [2, 3, 4]


def test_rows_of_others_do_not_count():
    assert differing(prices=priced(row("C.US", 0, 99.0), row("D.US", 0))) == []


def test_the_order_of_rows_does_not_count():
    assert differing(prices=tables()["prices"][::-1]) == []


def test_columns_no_level_depends_on_do_not_count():
    assert differing(prices=priced(row("A.US", 0, 10.0, volume=5.0, amount=7.0))) == []
    assert differing(securities=[{**tables()["securities"][0], "name_en": "A"}]) == []


def test_amounts_count_where_they_are_used():
    used = replace(USED, amounts=True)

    assert differing(used, prices=priced(row("A.US", 3, 13.0, amount=7.0))) == [3, 4]


def test_rates_between_currencies_of_the_index_count_alone():
    more = [*tables()["fx"], {"date": DAYS[1], "base": "HKD", "quote": "CNY", "rate": 0.9}]
    other = [*tables()["fx"][:3], {**tables()["fx"][3], "rate": 7.5}, *tables()["fx"][4:]]

    assert differing(fx=more) == []
    assert differing(fx=other) == [3, 4]


def test_what_a_security_is_counts_from_the_beginning():
    assert differing(securities=[{"symbol": "A.US", "currency": "USD", "segment": "y"}]) == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip


def test_scores_count_where_they_are_used():
    changed = [{"symbol": "A.US", "currency": "USD", "segment": "x", "points": "3"}]
    scored = market(tables(securities=changed))
    used = replace(USED, scores=frozenset({"points"}))

    assert inputs_of(scored, USED).digest(DAYS[4]) == digests()[4]
    assert inputs_of(scored, used).digest(DAYS[4]) != digests()[4]


def test_what_prices_are_counts():
    told = [inputs_of(market(tables(), price_kind=kind), USED).digest(DAYS[0])
            for kind in ("raw", "total_return_adjusted")]  # fmt: skip

    assert told[0] != told[1]


def test_sessions_count_from_their_day_on():
    def told(*days):
        used = replace(USED, sessions={"XNYS": np.array(days, "datetime64[D]")})
        return inputs_of(market(tables()), used).digests(np.array(DAYS, "datetime64[D]"))

    one, other = told(*DAYS), told(*DAYS[:3], DAYS[4])
    assert [n for n in range(5) if one[n] != other[n]] == [3, 4]


def test_an_empty_cell_is_no_empty_text():
    one, other = ([{"symbol": "A.US", "currency": "USD", "segment": s}] for s in ("", None))

    assert digests(securities=one)[0] != digests(securities=other)[0]


@given(st.lists(st.integers(0, 4), max_size=5, unique=True))
def test_the_digest_of_a_day_is_the_same_asked_alone_or_with_others(picks):
    days = [DAYS[n] for n in sorted(picks)]
    found = inputs_of(market(tables()), USED)

    assert found.digests(np.array(days, "datetime64[D]")) == [found.digest(day) for day in days]


@given(st.integers(0, 4), st.integers(0, 4))
def test_rows_until_a_day_are_those_until_another_and_those_after_it(one, other):
    first, last = sorted((one, other))
    found = inputs_of(market(tables()), USED)
    whole, before, since = (
        found.rows(DAYS[last]), found.rows(DAYS[first]), found.rows(DAYS[last], after=DAYS[first]),
    )  # fmt: skip

    for name, (_, cells) in whole.items():
        parts = [rows for part in (before, since) if name in part for rows in part[name][1]]
        assert sorted(parts, key=repr) == sorted(cells, key=repr)


def test_rows_make_the_market_they_were_taken_from():
    found = inputs_of(market(tables()), USED)
    again = market_of(found.rows(DAYS[4]), Manifest(), "again")

    assert inputs_of(again, USED).digest(DAYS[4]) == found.digest(DAYS[4])


def test_rows_that_do_not_fit_are_told():
    rows = {"prices": (("symbol", "date", "close"), [("A.US", "yesterday", 1.0)])}

    with pytest.raises(ValueError, match="rows of prices do not fit"):
        market_of(rows, Manifest(), "bad")


def test_sessions_are_among_the_rows():
    used = replace(USED, sessions={"XNYS": np.array(DAYS[:2], "datetime64[D]")})

    told = market_of(inputs_of(market(tables()), used).rows(DAYS[4]), Manifest(), "rows")

    assert told.manifest.ends == {"XNYS": DAYS[1]}


def test_two_indices_use_what_each_does():
    one = Used(
        {"A.US": DAYS[3], "B.US": DAYS[1]}, frozenset({"USD"}), frozenset({"p"}), amounts=True
    )
    other = Used(
        {"A.US": DAYS[0]}, frozenset({"CNY"}), sessions={"XNYS": np.array(DAYS[:2], "M8[D]")}
    )
    both = one | other

    assert both.symbols == {"A.US": DAYS[0], "B.US": DAYS[1]}
    assert (both.currencies, both.scores) == ({"USD", "CNY"}, {"p"})
    assert (both.amounts, both.instants) == (True, False)
    assert both.sessions["XNYS"].tolist() == DAYS[:2]


def test_instants_of_rates_come_back():
    fixed = datetime(2026, 3, 2, 1, 15)  # noqa: DTZ001  tables hold UTC without its name
    rows = [{"date": DAYS[0], "base": "USD", "quote": "CNY", "rate": 7.0, "fixed_at": fixed}]
    used = replace(USED, instants=True)
    found = inputs_of(market(tables(fx=rows)), used)
    again = market_of(found.rows(DAYS[4]), Manifest(), "again")

    assert again.fx["fixed_at"][0] == rows[0]["fixed_at"]
    assert inputs_of(again, used).digest(DAYS[4]) == found.digest(DAYS[4])


@pytest.mark.parametrize("points", ["10", "2.5"])
def test_scores_read_from_text_come_back_as_text(points):
    scored = market(tables(securities=[{"symbol": "A.US", "points": points}]))
    used = replace(USED, scores=frozenset({"points"}))
    again = market_of(inputs_of(scored, used).rows(DAYS[4]), Manifest(), "again")

    assert inputs_of(again, used).digest(DAYS[4]) == inputs_of(scored, used).digest(DAYS[4])


def test_rows_end_where_they_do_though_cells_span_lines():
    told = {
        "a": ["x", "y\nz", None, "q\n\n"],
        "b": [1.0, 2.0, None, 3.0],
        "c": ["a\nb", None, "k", "m"],
    }
    frame = pl.DataFrame(told)
    heights = range(1, frame.height + 1)
    lengths = [len(frame.head(n).write_csv(include_header=False).encode()) for n in heights]

    assert inputs._text_of(frame).ends.tolist() == lengths


STUDIED = replace(USED, amounts=True, instants=True)
ISSUED = [
    {"symbol": "A.US", "currency": "USD", "segment": "x", "issuer": "Alpha"},
    {"symbol": "B.US"},
    {"symbol": "C.US", "issuer": "Alpha"},
]


def test_without_issuers_the_digest_of_a_study_is_what_it_was_before_they_were_kept():
    """So that what was published of one is told to rest on the same rows."""
    digest = "130aafe107d5d7bc4b744af749c80d29c34f7253e95939dbe201339b8c604775"
    unnamed = [row | {"issuer": None} for row in tables()["securities"]]

    assert digests(STUDIED)[4] == digests(STUDIED, securities=unnamed)[4] == digest


def test_issuers_count_in_a_study_alone():
    plain = [{k: v for k, v in row.items() if k != "issuer"} for row in ISSUED]

    assert digests(USED, securities=ISSUED) == digests(USED, securities=plain)
    assert digests(STUDIED, securities=ISSUED)[0] != digests(STUDIED, securities=plain)[0]


def test_issuers_come_back_with_the_rows_of_their_securities():
    found = inputs_of(market(tables(securities=ISSUED)), STUDIED)
    again = market_of(found.rows(DAYS[4]), Manifest(), "again")
    kept = again.securities.select("symbol", "currency", "issuer").sort("symbol").rows()

    assert kept == [("A.US", "USD", "Alpha"), ("B.US", None, None)]
    assert inputs_of(again, STUDIED).digest(DAYS[4]) == found.digest(DAYS[4])


def test_an_issuer_counts_from_the_day_that_brings_its_security():
    """B comes on the third day: the digests of the first two are those without issuers."""
    late = [*tables()["securities"], {"symbol": "B.US", "issuer": "Beta"}]
    plain = [*tables()["securities"], {"symbol": "B.US"}]
    pairs = zip(digests(STUDIED, securities=late), digests(STUDIED, securities=plain), strict=True)

    assert [one == other for one, other in pairs] == [True, True, False, False, False]
