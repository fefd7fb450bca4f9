"""What the ledger keeps of a market folds back to exactly the rows an entry rested on."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from indexer.errors import IndexerError, LedgerError
from indexer.index.build import build
from indexer.ledger.database import open_ledger, publishing, reading
from indexer.ledger.entry import Entry
from indexer.ledger.history import read_entries, read_entry
from indexer.ledger.publish import append
from indexer.market.inputs import Used, inputs_of, market_of
from indexer.run import stored
from indexer.run.desk import Desk
from indexer.run.entries import index_candidate, study_candidate
from indexer.run.publish import append_revised
from indexer.run.results import study as compare_study
from indexer.run.revise import corrected, differences, remaining
from indexer.run.verify import verify
from tests.index.drawn import cases
from tests.index.examples import basket, market
from tests.reference.example import WEEK, closes
from tests.run.desk import DAYS, NOON, SYMBOLS, desk, folder, moved, prices, published
from tests.run.desk import basket as basket_file
from tests.run.desk import corrected as restated
from tests.signals.example import study, walk

SIZES = ((1, 12), (2, 12), (3, 45), (3, 25))


@st.composite
def published_cases(draw):
    """Draw a definition, versions of a market, and which sessions are published from each.

    The first lacks rows that come late; the last has other closes, and lacks actions.
    """
    case = draw(cases(sizes=SIZES, sound=True))
    rows = case.tables["prices"]
    actions = case.tables["actions"]
    late = draw(st.sets(st.integers(0, len(rows) - 1), max_size=3))
    first = {**case.tables, "prices": [row for n, row in enumerate(rows) if n not in late]}
    other = draw(st.sets(st.integers(0, len(rows) - 1), max_size=3))
    changed = [
        {**row, "close": round(row["close"] * 1.001, 4)} if n in other else row
        for n, row in enumerate(rows)
    ]
    gone = draw(st.sets(st.integers(0, 3)))
    left = [row for n, row in enumerate(actions) if n not in gone]
    last = {**case.tables, "prices": changed, "actions": left}
    picks = st.lists(st.integers(0, 40), min_size=1, max_size=3)
    return case.definition, [(tables, draw(picks)) for tables in (first, case.tables, last)]


def publish_all(engine, definition, versions):
    """Publish as the versions say, what differs as corrections; return the rows of each entry."""
    at = Desk(engine, Path("nowhere"), datetime(2026, 1, 1, tzinfo=UTC), "run")
    rows = {}
    for tables, picks in versions:
        candidate = index_candidate(build(definition, market(tables)))
        named = [row["date"] for row in tables["prices"] if row["symbol"] in definition.symbols]
        days = [day for day in candidate.days.tolist() if day in named] or [candidate.last]
        for session in sorted({days[pick % len(days)] for pick in picks}):
            with publishing(engine) as connection:
                found = differences(connection, candidate, immaterial=True)
                new = [
                    corrected(entry, "bad-price", "", "Ada", "run")
                    for _, entry in remaining(definition.id, found)
                ]
                there = {e.session for e in read_entries(connection)}
                if session.isoformat() not in there:
                    new.append(candidate.entry(session))
                for entry in append_revised(connection, at, candidate, new):
                    day = date.fromisoformat(entry.session)
                    rows[entry.number] = stored.bag(candidate.inputs.rows(day))
    return rows


@settings(max_examples=12, phases=(Phase.explicit, Phase.generate))  # small enough as drawn
@given(published_cases())
def test_every_entry_is_built_again_from_the_rows_it_rested_on(drawn):
    """Late rows, corrections, actions and changes of symbol in between; every one bit for bit."""
    definition, versions = drawn
    engine = open_ledger("sqlite://", create=True)
    try:
        rows = publish_all(engine, basket(**definition), versions)
    except IndexerError:
        assume(False)  # a market that makes no index, or takes a session back
    with reading(engine) as connection:
        for number, expected in rows.items():
            assert stored.bag_of(connection, number) == expected

    assert verify(engine, inputs=True).built == len(rows)
    engine.dispose()


def ranked(path, by):
    """Write a market in which every share has a score, and the basket that ranks by it."""
    scores = [{"symbol": symbol, by: float(n)} for n, symbol in enumerate(SYMBOLS)]
    selection = None if by == "none" else {"rank_by": by, "top": 3}
    return {
        "market": folder(path / f"by {by}", securities=scores),
        "names": [basket_file(path, selection=selection)],
    }


@pytest.mark.parametrize("then", ["none", "ai", "ml"])
@pytest.mark.parametrize("first", ["none", "ai"])
def test_an_index_that_looks_at_other_columns_is_built_again_from_what_is_kept(
    tmp_path, first, then
):
    """A score it ranks by from now on, or no more, or under another name and of equal cells."""
    published(tmp_path, DAYS[0], DAYS[1], **ranked(tmp_path, first))
    assert published(tmp_path, DAYS[2], **ranked(tmp_path, then)).state == "published"

    assert verify(desk(tmp_path).engine, inputs=True).built == 3


@pytest.mark.parametrize(("first", "then"), [("none", "ai"), ("ai", "none"), ("ai", "ml")])
def test_a_restatement_that_looks_at_other_columns_is_built_again_from_what_is_kept(
    tmp_path, first, then
):
    published(tmp_path, DAYS[0], DAYS[2], **ranked(tmp_path, first))
    other = ranked(tmp_path, then)
    rows = prices(**moved(SYMBOLS[0], DAYS[1], 10))
    securities = [{"symbol": symbol, then: float(n)} for n, symbol in enumerate(SYMBOLS)]
    market = folder(other["market"], rows, securities=securities)
    restated(tmp_path, market, DAYS[1], DAYS[2], basket=other["names"][0])

    assert verify(desk(tmp_path).engine, inputs=True).built == 5


WANTED = st.builds(
    Used,
    st.dictionaries(st.sampled_from(SYMBOLS), st.sampled_from([date.min, DAYS[1]]), min_size=1),
    scores=st.sets(st.sampled_from(["ai", "ml"])),
    amounts=st.booleans(),
    instants=st.booleans(),
)


@given(WANTED, WANTED, st.sampled_from(DAYS[:3]), st.sampled_from(DAYS[:3]))
def test_whatever_two_definitions_look_at_the_second_is_kept_beside_the_first(one, two, day, until):
    tables = {
        "prices": [{**row, "amount": 7.0} for row in prices(DAYS[:4])],
        "securities": [{"symbol": s, "ai": 1.0, "ml": n} for n, s in enumerate(SYMBOLS)],
    }
    whole = market(tables)
    before, after = inputs_of(whole, one), inputs_of(whole, two)
    engine = open_ledger("sqlite://", create=True)
    with publishing(engine) as connection:
        entry = Entry("trio", "index", str(day), "final", "d", "m", "c", "t", {})
        given = replace(entry, inputs=stored.whole(before, day))
        [first] = append(connection, [given], NOON, {"d": "{}"})
        packed = stored.against(after, until, stored.bag_of(connection, first.number))
        later = replace(entry, session=str(DAYS[5]), basis=first.number, inputs=packed)
        [second] = append(connection, [later], NOON, {})
    with reading(engine) as connection:
        assert stored.bag_of(connection, second.number) == stored.bag(after.rows(until))
    engine.dispose()


def kept(tables, until, **keys):
    """Return an index built from a market, and from the rows of it that are kept of a session."""
    definition, folder = basket(**keys), market(tables)
    found = build(definition, folder, until=until)
    rows = index_candidate(found).inputs.rows(until)
    return found, build(definition, market_of(rows, folder.manifest, "kept"), until=until)


def test_the_last_session_is_kept_where_no_constituent_has_a_close_but_later():
    """That a folder goes on tells that there was a session: its level is a carried one."""
    rows = [*closes("A.US", 10.0, None, 11.0), *closes("B.US", 20.0, None, 21.0)]
    found, again = kept({"prices": rows}, WEEK[1])

    assert found.days.tolist() == again.days.tolist() == WEEK[:2]


def test_a_study_made_again_from_what_is_kept_names_the_issuers_its_baskets_share():
    symbols = {"one": ["A.US", "B.US"], "two": ["C.US", "D.US"], "three": ["E.US", "B.US"]}
    named = sorted({symbol for own in symbols.values() for symbol in own})
    rows = [row for n, s in enumerate(named) for row in closes(s, *walk(n, 40).tolist())]
    issuers = [{"symbol": s, "issuer": "Alpha"} for s in ("A.US", "C.US")]
    folder = market({"prices": rows, "securities": issuers})
    indices = {
        id: basket(id=id, constituents=[{"symbol": symbol} for symbol in own])
        for id, own in symbols.items()
    }
    asked = study("one", "two", "three")
    found = compare_study(asked, folder, indices=indices)
    candidate = study_candidate(found, folder)
    kept_rows = candidate.inputs.rows(candidate.last)
    again = compare_study(asked, market_of(kept_rows, folder.manifest, "kept"), indices=indices)

    shared = {"Alpha": {"one": ("A.US",), "two": ("C.US",)}}
    assert again.summary["pairs"][0]["shared_issuers"] == shared
    assert again.summary == found.summary


def packed(path, number):
    """Return the stored inputs of one entry."""
    with reading(desk(path).engine) as connection:
        return read_entry(connection, number)


def test_an_entry_stores_only_what_came_since_the_one_before(tmp_path):
    published(tmp_path, DAYS[0], DAYS[2])
    tables = stored._unpacked(packed(tmp_path, 3).inputs)["tables"]

    assert packed(tmp_path, 3).basis == 2
    assert {row[1] for row in tables["prices"]["added"]} == {DAYS[2].isoformat()}
    assert tables["prices"]["removed"] == []


def test_a_correction_stores_the_rows_that_went_and_came(tmp_path):
    published(tmp_path, DAYS[0], DAYS[2])
    restated(tmp_path, folder(tmp_path / "m", prices(**moved(SYMBOLS[0], DAYS[1], 10))))
    told = stored._unpacked(packed(tmp_path, 4).inputs)["tables"]["prices"]

    assert [row[:2] for row in told["added"]] == [[s, DAYS[1].isoformat()] for s in SYMBOLS]
    assert told["removed"] == []  # it adds to the session before, which had none of them
    assert packed(tmp_path, 5).basis == 4


def test_a_gap_filled_rests_on_the_session_before_it(tmp_path):
    published(tmp_path, DAYS[0])
    published(tmp_path, DAYS[4])
    published(tmp_path, DAYS[2])

    assert [packed(tmp_path, n).basis for n in (1, 2, 3)] == [None, 1, 1]


def test_inputs_that_are_not_those_of_the_digest_prove_nothing(tmp_path, monkeypatch):
    """The chain holds what is stored; this is for what is read of it."""
    published(tmp_path, DAYS[0], DAYS[2])

    def one_less(*given, **more):
        whole = stored.market_of_entry(*given, **more)
        return replace(whole, prices=whole.prices.slice(1))

    monkeypatch.setattr("indexer.run.verify.market_of_entry", one_less)
    message = r"entry 1, revision 1\): its stored inputs are not those its digest was taken of$"
    with pytest.raises(LedgerError, match=message):
        verify(desk(tmp_path).engine, inputs=True)


def test_the_market_of_an_entry_holds_no_row_more(tmp_path):
    more = [*prices(), *prices(symbols=["600777.SH"])]
    published(tmp_path, DAYS[0], DAYS[2], market=folder(tmp_path / "m", more))
    with reading(desk(tmp_path).engine) as connection:
        found = stored.market_of_entry(connection, 2, synthetic=False)

    assert sorted(set(found.prices["symbol"])) == list(SYMBOLS)
    assert max(found.prices["date"]) == DAYS[1]


def test_inputs_that_cannot_be_read_are_told(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    with desk(tmp_path).engine.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER entries_no_update")
        connection.exec_driver_sql("UPDATE entries SET inputs = x'00'")
        connection.commit()
        for read in (stored.bag_of, stored.rows_of_entry):
            with pytest.raises(LedgerError, match="inputs of entry 2"):
                read(connection, 2)
        with pytest.raises(LedgerError, match="inputs of entry 2"):
            stored.market_of_entry(connection, 2, synthetic=False)
