"""What becomes of a published level that its inputs no longer give: by rule, or by somebody."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from indexer.definitions.read import read_basket
from indexer.errors import DefinitionError, LedgerError, TryAgainError
from indexer.index.build import build
from indexer.ledger.database import reading
from indexer.ledger.heads import heads, last_heads
from indexer.ledger.history import history_rows
from indexer.market.tables import read_market
from indexer.run.decisions import retire
from indexer.run.entries import index_candidate
from indexer.run.policy import by_policy
from indexer.run.restate import Ground, restate
from indexer.run.revise import differences, stands
from indexer.run.sessions import Period
from indexer.run.verify import verify
from tests.run.desk import (
    DAYS,
    SYMBOLS,
    basket,
    close,
    corrected,
    desk,
    entries,
    evening,
    files,
    folder,
    moved,
    prices,
    published,
    told,
)

LAST = 9  # position of the last published session
EVENING = evening(DAYS[LAST])
COARSE = {"decimals": 0}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with ten sessions published."""
    path = tmp_path_factory.mktemp("made")
    published(path, DAYS[0], DAYS[LAST], now=EVENING)
    return path


@pytest.fixture
def path(made, tmp_path):
    """Return a copy of it."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def changed(path, age, bp):
    """Return a market in which the level of so many sessions before the last is another."""
    return folder(path / "changed", prices(**moved(SYMBOLS[0], DAYS[LAST - age], bp)))


def by_rule(path, market, *days, **terms):
    return published(
        path, *(days or (DAYS[LAST],)), market=market, now=EVENING, correct=True, **terms
    )


def kinds(path):
    """Return kind, revision and decider of what was appended after the first ten."""
    return [(e.kind, e.revision, e.by) for e in entries(path)[LAST + 1 :]]


# --- by rule ----------------------------------------------------------------------------------


def test_a_session_that_would_be_one_of_a_rebalance_is_never_only_recorded(path):
    """As where the day of the rebalance is declared closed when the one before is published."""
    made = index_candidate(
        build(read_basket(str(path / "trio.yaml")), read_market(path / "market"))
    )

    def content(at):
        change = (SYMBOLS[0], "rebalance", 1.0, 2.0, 1.0, 1.0)
        return {**made.content(at), **({"changes": [change]} if at == LAST else {})}

    other = replace(made, content=content, code="another")
    with reading(desk(path).engine) as connection:
        found = differences(connection, other)
        [entry] = by_policy(connection, other, found, desk(path, now=EVENING))

    assert (found[0].bp, entry.kind, entry.status) == (0, "index", "corrected")


@pytest.mark.parametrize("age", [0, 2])
@pytest.mark.parametrize("bp", [1, -1, 1.01, -1.01, 24.99, -24.99, 25, -25])
def test_a_young_and_moderate_difference_is_corrected_by_rule(path, age, bp):
    by_rule(path, changed(path, age, bp))
    found = told(path)[LAST - age]

    assert found[2:] == (2, "corrected")
    assert ("index", 2, "policy") in kinds(path)


@pytest.mark.parametrize("age", [0, 3, 8])
def test_a_difference_below_one_basis_point_is_recorded_and_not_restated(path, age):
    by_rule(path, changed(path, age, 0.99))

    assert {row[2] for row in told(path)} == {1}
    assert ("immaterial", 1, "policy") in kinds(path)
    assert "below 1 bp, not restated" in entries(path)[LAST + 1].note


@pytest.mark.parametrize("level", [1000.1, 999.9])
def test_one_basis_point_is_material_whatever_binary_fractions_make_of_it(tmp_path, level):
    """The one double over the other, less one, is 0.9999999999998899."""
    held, days = [{"symbol": SYMBOLS[0]}], DAYS[:2]
    names = [basket(tmp_path, constituents=held)]
    rows = [{"symbol": SYMBOLS[0], "date": day, "close": 1000.0} for day in days]
    market = folder(tmp_path / "market", [*rows[:1], rows[1] | {"close": 1000.0}])
    terms = {"names": names, "now": evening(days[1]), "override": ("R17",), "by": "A", "note": "b"}
    published(tmp_path, *days, market=market, **terms)
    other = folder(tmp_path / "other", [*rows[:1], rows[1] | {"close": level}])
    published(tmp_path, days[1], market=other, correct=True, **terms | {"by": ""})

    assert told(tmp_path)[1][1:] == (f"{level:.4f}", 2, "corrected")


def test_what_is_made_of_a_corrected_session_is_corrected_with_it(path):
    """Its level is the same; what its constituents gained since the corrected one is not."""
    by_rule(path, changed(path, 1, 15))
    made = entries(path)[LAST + 1 :]

    assert [(e.session, e.revision) for e in made] == [
        (DAYS[LAST - 1].isoformat(), 2),
        (DAYS[LAST].isoformat(), 2),
    ]
    assert len({e.correction for e in made}) == 1


def test_what_follows_a_session_that_somebody_approved_is_part_of_his_correction(path):
    by_rule(path, changed(path, 4, 15), by="Ada")

    assert [(e.by, e.revision) for e in entries(path)[LAST + 1 :]] == [("Ada", 2), ("Ada", 2)]


def test_another_name_makes_no_level_another(path):
    """What the vendor revises is his, and corrected by rule."""
    named = [basket(path, name={"en": "Three"}, description="as it is called now")]
    by_rule(path, changed(path, 1, 5), names=named)

    assert {(e.reason, e.by) for e in entries(path)[LAST + 1 :]} == {("vendor-revision", "policy")}


@pytest.mark.parametrize(("age", "bp"), [(3, 1.01), (2, 25.01), (0, -25.01), (8, 200)])
def test_an_old_or_a_large_difference_needs_somebody(path, age, bp):
    outcome = by_rule(path, changed(path, age, bp))

    assert isinstance(outcome.error, LedgerError)
    assert {refusal.rule for refusal in outcome.error.refusals} == {"R10"}
    assert len(entries(path)) == LAST + 1


@pytest.mark.parametrize(("age", "bp"), [(3, 1.01), (0, -25.01), (8, 200)])
def test_who_approves_is_recorded(path, age, bp):
    by_rule(path, changed(path, age, bp), by="Ada")

    assert told(path)[LAST - age][2:] == (2, "corrected")
    assert ("index", 2, "Ada") in kinds(path)


def test_how_old_a_level_is_goes_by_the_clock(path):
    """Asking for an old session does not make the one before it young."""
    market = changed(path, 6, 10)
    outcome = by_rule(path, market, DAYS[LAST - 5])

    assert isinstance(outcome.error, LedgerError)
    assert "past 2 sessions" in str(outcome.error)


def test_what_is_recorded_as_immaterial_is_not_refused_again(path):
    market = changed(path, 3, 0.5)
    by_rule(path, market)
    before = entries(path)
    outcome = published(path, DAYS[LAST], market=market, now=EVENING)

    assert outcome.state == "unchanged"
    assert entries(path) == before


def test_the_next_session_is_published_after_an_immaterial_difference(path):
    market = changed(path, 3, 0.5)
    by_rule(path, market)
    outcome = published(path, DAYS[LAST + 1], market=market)

    assert outcome.state == "published"
    assert verify(desk(path).engine, market=market, inputs=True).built > LAST


def test_a_difference_that_grows_beyond_what_was_recorded_is_looked_at_again(path):
    by_rule(path, changed(path, 2, 0.5))
    by_rule(path, changed(path, 2, 5))

    assert told(path)[LAST - 2][2:] == (2, "corrected")


def test_a_dividend_found_late_is_judged_by_the_total_return(tmp_path):
    """It leaves the price index as it was."""
    names = [basket(tmp_path, variants=["price", "gross"])]
    published(tmp_path, *DAYS[: LAST + 1], names=names, now=EVENING)
    late = {"symbol": SYMBOLS[0], "ex_date": DAYS[LAST - 1], "kind": "dividend", "cash": 0.4}
    market = folder(tmp_path / "late", actions=[late])
    outcome = by_rule(tmp_path, market, names=names)

    assert isinstance(outcome.error, LedgerError)
    assert "above 25 bp" in str(outcome.error)


def test_a_dividend_that_was_none_is_judged_by_the_total_return_too(tmp_path):
    names = [basket(tmp_path, variants=["price", "gross"])]
    wrong = {"symbol": SYMBOLS[0], "ex_date": DAYS[LAST - 1], "kind": "dividend", "cash": 0.4}
    market = folder(tmp_path / "wrong", actions=[wrong])
    published(tmp_path, *DAYS[: LAST + 1], names=names, market=market, now=EVENING)
    outcome = by_rule(tmp_path, folder(tmp_path / "right"), names=names)

    assert isinstance(outcome.error, LedgerError)
    assert "above 25 bp" in str(outcome.error)


def other(path):
    """Write a definition that makes levels that are hardly others; return its file."""
    weights = {SYMBOLS[0]: 0.3334, SYMBOLS[1]: 0.3333, SYMBOLS[2]: 0.3333}
    held = [{"symbol": symbol, "weight": weight} for symbol, weight in weights.items()]
    return basket(path / "new", weighting={"scheme": "fixed"}, constituents=held)


def leapt(path, **more):
    """Return a market in which a close of the last session is beyond the limit of its board."""
    at = f"s600001_{DAYS[LAST]:%Y%m%d}"
    return folder(path / "leapt", prices(**{at: 1.2 * close(SYMBOLS[0], LAST)}, **more))


TAKEN = {"override": ("R16",), "by": "Ada", "note": "a takeover bid"}


def test_a_corrected_session_passes_the_gates_as_a_first_one_does(path):
    """Who approves of a correction has not taken a gate upon himself."""
    outcome = by_rule(path, leapt(path), by="Ada")

    assert isinstance(outcome.error, LedgerError)
    assert {refusal.rule for refusal in outcome.error.refusals} == {"R16"}
    assert len(entries(path)) == LAST + 1


def test_a_gate_taken_upon_himself_by_somebody_is_in_the_corrected_session(path):
    by_rule(path, leapt(path), **TAKEN)
    [(rule, _, by, note)] = entries(path)[LAST + 1].rows["findings"]

    assert (rule, by, note) == ("R16", "Ada", "a takeover bid")


@pytest.mark.parametrize(("terms", "revision"), [({}, 1), (TAKEN, 2)])
def test_what_was_published_over_a_gate_is_corrected_over_it_by_somebody_only(
    tmp_path, terms, revision
):
    """It is another level than the one that somebody looked at."""
    published(tmp_path, DAYS[LAST], market=leapt(tmp_path), now=EVENING, **TAKEN)
    by_rule(tmp_path, leapt(tmp_path, **moved(SYMBOLS[1], DAYS[LAST], 5)), **terms)
    last = entries(tmp_path)[-1]

    assert last.revision == revision
    assert [row[0] for row in last.rows["findings"]] == ["R16"]


def short(path):
    """Return a market in which a level is another and that ends before the last two published."""
    return folder(path / "short", prices(DAYS[: LAST - 1], **moved(SYMBOLS[0], DAYS[LAST - 3], 5)))


def test_nothing_is_corrected_by_rule_where_the_data_end_too_early(path):
    """What was published after their end may be another too."""
    outcome = by_rule(path, short(path), DAYS[LAST - 2])

    assert isinstance(outcome.error, TryAgainError)
    assert f"published until {DAYS[LAST]}, and the last data are of {DAYS[LAST - 2]}" in str(
        outcome.error
    )
    assert len(entries(path)) == LAST + 1


def test_an_early_session_is_published_though_the_data_end_before_the_last(path):
    """Nothing that is published would be another."""
    published(path, DAYS[LAST + 2])
    fewer = folder(path / "fewer", prices(DAYS[: LAST + 2]))

    assert published(path, DAYS[LAST + 1], market=fewer, correct=True).state == "published"


def test_what_another_definition_makes_is_never_corrected_by_rule(path):
    outcome = by_rule(path, path / "market", names=[other(path)])

    assert isinstance(outcome.error, LedgerError)
    assert "by another definition than that published: name who approves them" in str(outcome.error)
    assert len(entries(path)) == LAST + 1


def test_what_another_definition_makes_is_approved_as_such(path):
    by_rule(path, path / "market", names=[other(path)], by="Ada")

    assert {(e.reason, e.by) for e in entries(path)[LAST + 1 :]} == {("methodology", "Ada")}


def test_what_other_code_makes_is_told_from_what_other_rows_make(path):
    basket(path)
    history = build(
        read_basket(str(path / "trio.yaml")),
        read_market(folder(path / "market", prices(**moved(SYMBOLS[0], DAYS[LAST], 5)))),
        until=DAYS[LAST],
    )
    revised = replace(index_candidate(history), code="0" * 64)
    with reading(desk(path).engine) as connection:
        by_rows = differences(connection, revised)
        kept = {d: h.market for d, h in zip(DAYS, heads(connection, "trio"), strict=False)}
        by_code = differences(connection, replace(revised, _digests=kept))

    assert [one.reason for one in by_rows] == ["vendor-revision"]
    assert [one.reason for one in by_code] == ["software"]


def test_why_somebody_approves_is_kept_beside_what_would_differ(path):
    by_rule(path, changed(path, 3, 5), by="Ada", note="the exchange said so")
    note = entries(path)[LAST + 1].note

    assert note.startswith("the exchange said so: ")
    assert note.endswith("(+5 bp)")


def test_what_is_approved_and_what_is_by_rule_have_notices_of_their_own(path):
    market = folder(
        path / "both",
        prices(**moved(SYMBOLS[0], DAYS[LAST], 5), **moved(SYMBOLS[0], DAYS[LAST - 5], 5)),
    )
    by_rule(path, market, by="Ada")
    notices = [n.read_text(encoding="utf-8") for n in (path / "out/trio").glob("restatement_*")]
    told = [("Decided by / 决定人: Ada" in text, text.count("1 → 2")) for text in notices]

    assert sorted(told) == [(False, 1), (True, 2)]  # and the session after an approved one


def test_a_dry_run_tells_the_corrections_it_would_make(path):
    before = files(path / "out")
    outcome = by_rule(path, changed(path, 1, 5), dry_run=True)
    told = (outcome.entries[0].session, outcome.entries[0].revision, outcome.entries[0].by)

    assert outcome.state == "would publish"
    assert told == (DAYS[LAST - 1].isoformat(), 2, "policy")
    assert files(path / "out") == before


def test_correction_and_new_session_share_a_run(path):
    market = changed(path, 1, 5)
    outcome = published(
        path, DAYS[LAST + 1], market=market, now=evening(DAYS[LAST + 1]), correct=True
    )
    made = {(e.session, e.run, e.correction) for e in outcome.entries}
    run = outcome.entries[0].run

    assert (DAYS[LAST - 1].isoformat(), run, run) in made
    assert (DAYS[LAST + 1].isoformat(), run, "") in made


# --- by somebody ------------------------------------------------------------------------------


@pytest.mark.parametrize("bp", [0.1, 10, 300])
def test_a_restatement_always_writes(path, bp):
    done = corrected(path, changed(path, 6, bp))
    found = entries(path)[LAST + 1]

    assert done.outcome.state == "restated"
    assert (found.reason, found.note, found.by) == ("bad-price", "a note", "Ada")
    assert found.revision == 2


def test_what_gates_find_on_a_restated_session_is_in_its_entry(path):
    """Who restates takes it upon himself."""
    corrected(path, leapt(path))
    [(rule, _, by, note)] = entries(path)[LAST + 1].rows["findings"]

    assert (rule, by, note) == ("R16", "Ada", "a note")


def test_what_is_nobodys_to_publish_is_not_restated_either(tmp_path):
    names = [basket(tmp_path, base={"date": DAYS[0].isoformat(), "level": 1}, publish=COARSE)]
    published(tmp_path, *DAYS[:2], names=names)
    fallen = {f"s{symbol[:6]}_{DAYS[1]:%Y%m%d}": 4.0 for symbol in SYMBOLS}

    with pytest.raises(LedgerError, match=r"R34.*zero to 0 decimals"):
        corrected(tmp_path, folder(tmp_path / "fallen", prices(**fallen)))


def test_an_index_that_was_never_published_is_not_restated_with_a_definition_of_it(path):
    other = basket(path, id="other")

    with pytest.raises(LedgerError, match="other: was never published"):
        corrected(path, path / "market", subject="other", basket=other)


def test_a_restatement_with_one_more_variant_tells_that_it_had_no_level(path):
    wide = basket(path, variants=["price", "gross"])
    done = corrected(path, path / "market", DAYS[LAST], basket=wide, reason="methodology")
    notice = next(text for name, text in files(path / "out").items() if "restatement_" in name)

    assert "variants price would be price, gross" in done.corrected[0].text
    assert any("gross" in line and "price" not in line for line in notice.decode().splitlines())


def test_a_restatement_writes_what_was_called_immaterial(path):
    market = changed(path, 3, 0.5)
    by_rule(path, market)
    corrected(path, market)

    assert told(path)[LAST - 3][2:] == (2, "corrected")


@pytest.mark.parametrize(("bp", "days"), [(0.5, []), (5, DAYS[LAST - 3 : LAST - 1])])
def test_what_is_recorded_as_immaterial_holds_up_nothing_beside_a_restatement(path, bp, days):
    """A close that is another changes the contributions of its session and of the next."""
    by_rule(path, changed(path, 3, 0.5))
    market = changed(path, 3, bp)

    assert corrected(path, market, DAYS[LAST]).left == tuple(map(str, days))


def test_what_was_immaterial_beside_another_revision_is_a_difference(path):
    """It was less than a basis point from the first one, and is a hundred from the second."""
    small = changed(path, 3, 0.5)
    by_rule(path, small)
    corrected(path, folder(path / "large", prices(**moved(SYMBOLS[0], DAYS[LAST - 3], 100))))
    error = published(path, DAYS[LAST], market=small, now=EVENING).error

    assert isinstance(error, LedgerError)
    assert {refusal.rule for refusal in error.refusals} == {"R9"}


def test_what_was_immaterial_beside_another_revision_is_not_verified(path):
    small = changed(path, 3, 0.5)
    by_rule(path, small)
    corrected(path, folder(path / "large", prices(**moved(SYMBOLS[0], DAYS[LAST - 3], 100))))

    with pytest.raises(
        LedgerError, match=r"revision 2.*built again, it is another: price \S+ would be \S+ \("
    ):
        verify(desk(path).engine, market=small)


def test_what_is_immaterial_is_so_after_the_end_too(path):
    """A retirement says the last revision once more, and is no other."""
    small = changed(path, 0, 0.5)
    by_rule(path, small)
    retire("trio", "no longer of use", desk(path, by="Ada"))

    assert verify(desk(path).engine, market=small).built == LAST


def test_nothing_is_restated_where_the_data_end_too_early(path):
    with pytest.raises(TryAgainError, match=f"published until {DAYS[LAST]}"):
        corrected(path, short(path))

    assert len(entries(path)) == LAST + 1


def test_what_is_asked_for_is_restated_and_what_could_not_be_compared_is_told(path):
    done = corrected(path, short(path), DAYS[0], DAYS[LAST - 3])

    assert done.outcome.state == "restated"
    assert done.unseen == (DAYS[LAST - 1].isoformat(), DAYS[LAST].isoformat())


def test_what_was_published_stays(path):
    before = entries(path)
    corrected(path, changed(path, 6, 10))

    assert entries(path)[: LAST + 1] == before


def test_what_was_known_before_a_restatement_can_be_asked_for(path):
    before = told(path)
    corrected(path, changed(path, 6, 10), now=EVENING + timedelta(1))

    assert told(path, known_at="2026-03-13T23:00:00.000000Z") == before
    assert told(path) != before


def test_a_second_restatement_writes_nothing(path):
    market = changed(path, 6, 10)
    corrected(path, market)
    before = entries(path), files(path / "out")
    done = corrected(path, market, now=EVENING + timedelta(2))

    assert (done.outcome.state, done.corrected) == ("unchanged", ())
    assert (entries(path), files(path / "out")) == before


def test_only_sessions_that_differ_get_a_revision(path):
    """A close of one day moves that level, and the contributions of the next."""
    corrected(path, changed(path, 6, 10))
    revised = [row[0] for row in told(path) if row[2] == 2]

    assert revised == [DAYS[n].isoformat() for n in (LAST - 6, LAST - 5)]


def test_sessions_outside_the_range_are_left_and_named(path):
    done = corrected(path, changed(path, 6, 10), DAYS[0], DAYS[LAST - 6])

    assert done.left == (DAYS[LAST - 5].isoformat(),)
    assert [row[2] for row in told(path)].count(2) == 1


def test_sessions_that_were_left_are_refused_until_they_are_restated(path):
    market = changed(path, 6, 10)
    corrected(path, market, DAYS[0], DAYS[LAST - 6])
    assert isinstance(published(path, DAYS[LAST + 1], market=market).error, LedgerError)

    corrected(path, market, DAYS[LAST - 5])
    assert published(path, DAYS[LAST + 1], market=market).state == "published"


def test_a_restatement_of_the_last_session_does_not_hide_one_that_was_left(path):
    """Restated, the last session rests on all rows of today; those before it still do not."""
    more = moved(SYMBOLS[0], DAYS[LAST - 6], 10) | moved(SYMBOLS[0], DAYS[LAST], 10)
    market = folder(path / "changed", prices(**more))
    corrected(path, market, DAYS[LAST])
    error = published(path, DAYS[LAST + 1], market=market).error

    assert isinstance(error, LedgerError)
    assert DAYS[LAST - 6].isoformat() in str(error)


def test_a_gap_filled_from_other_rows_does_not_hide_that_they_are_back(path):
    """Published last is an early session, and the last session never changed."""
    published(path, DAYS[LAST + 4], now=evening(DAYS[LAST + 4]))
    other = folder(path / "changed", prices(**moved(SYMBOLS[0], DAYS[LAST + 2], 30)))
    for session in (LAST + 2, LAST + 1):
        assert published(path, DAYS[session], market=other).state == "published"
    error = published(path, DAYS[LAST + 5]).error

    assert isinstance(error, LedgerError)
    assert DAYS[LAST + 2].isoformat() in str(error)


def test_ten_sessions_that_differ_are_named_and_all_are_counted(path):
    published(path, DAYS[LAST + 1], DAYS[LAST + 2])
    split = {"symbol": SYMBOLS[0], "ex_date": DAYS[1], "kind": "bonus", "ratio": 0.01}
    late = folder(path / "late", actions=[split])
    *named, counted = str(published(path, DAYS[LAST + 3], market=late).error).splitlines()

    assert len(named) == 10
    assert counted.startswith("trio: R9: 11 published sessions would now differ")


@pytest.mark.parametrize(("bp", "same"), [(0.0, True), (5.0, False)])
def test_the_newest_entry_alone_tells_whether_all_of_them_stand(path, bp, same):
    """So that a publication reads one entry, not all there are."""
    definition = read_basket(basket(path))
    history = build(definition, read_market(changed(path, 4, bp)), until=DAYS[LAST])
    with reading(desk(path).engine) as connection:
        newest = last_heads(connection, "trio", "index")

    assert stands(index_candidate(history), newest) is same


def test_a_late_action_changes_every_session_from_its_ex_date_on(path):
    split = {"symbol": SYMBOLS[0], "ex_date": DAYS[4], "kind": "bonus", "ratio": 0.01}
    corrected(path, folder(path / "late", actions=[split]), reason="late-action")
    revised = [row[0] for row in told(path) if row[2] == 2]

    assert revised == [day.isoformat() for day in DAYS[4 : LAST + 1]]


def test_a_new_definition_is_taken_where_it_is_given(path):
    name = basket(path / "new", base={"date": DAYS[0].isoformat(), "level": 100})
    corrected(path, path / "market", reason="methodology", basket=name)

    assert told(path)[0] == (DAYS[0].isoformat(), "100.0000", 2, "corrected")
    assert (
        published(path, DAYS[LAST + 1], market=path / "market", names=[name]).state == "published"
    )


def test_the_old_definition_is_refused_after_a_new_one(path):
    name = basket(path / "new", base={"date": DAYS[0].isoformat(), "level": 100})
    corrected(path, path / "market", reason="methodology", basket=name)

    assert isinstance(published(path, DAYS[LAST + 1], market=path / "market").error, LedgerError)


def test_a_definition_that_somebody_else_restates_meanwhile_is_not_undone(path):
    wide = basket(path, variants=["price", "gross"])

    def meanwhile(step):
        if step.startswith("building"):
            corrected(path, path / "market", reason="methodology", basket=wide)

    ground = Ground("bad-price", "a note", "Ada")
    market = changed(path, 3, 10)
    with pytest.raises(TryAgainError, match="another definition of it was published meanwhile"):
        restate("trio", market, desk(path), Period(), ground, progress=meanwhile)

    assert {row[3] for row in told(path)} == {"corrected"}
    assert {row[2] for row in told(path)} == {2}


def test_the_definition_of_another_index_is_refused(path):
    other = basket(path / "new", id="other")

    with pytest.raises(DefinitionError, match="is 'other', and 'trio' is to be restated"):
        corrected(path, path / "market", basket=other)


def test_what_was_never_published_cannot_be_restated(path):
    with pytest.raises(LedgerError, match="nobody: was never published"):
        corrected(path, path / "market", subject="nobody")


def test_a_session_that_would_be_none_is_not_taken_back(tmp_path):
    """The levels of a ready-made series are its closes."""
    name = basket(
        tmp_path, kind="series", symbol="000001.SH", base=None, weighting=None, constituents=None
    )
    rows = [{"symbol": "000001.SH", "date": d, "close": 3000.0 + n} for n, d in enumerate(DAYS)]
    market = folder(tmp_path / "m", series=rows)
    published(tmp_path, DAYS[0], DAYS[5], market=market, names=[name])
    fewer = folder(tmp_path / "m2", series=rows[:2] + rows[3:])

    with pytest.raises(LedgerError, match=f"trio {DAYS[2]}: R9: .*cannot be taken back"):
        corrected(tmp_path, fewer)


def test_what_would_leave_another_session_without_a_level_is_not_restated(path):
    """A base date after it: nothing could be published any more."""
    later = basket(path, base={"date": DAYS[2].isoformat(), "level": 1000})

    with pytest.raises(LedgerError, match=f"trio {DAYS[0]}: R9: .*cannot be taken back"):
        corrected(path, path / "market", DAYS[2], reason="methodology", basket=later)


def test_a_session_that_the_data_have_lost_holds_up_no_other(tmp_path):
    """Of a ready-made series: where the definition has not changed, the row may come back."""
    name = basket(
        tmp_path, kind="series", symbol="000001.SH", base=None, weighting=None, constituents=None
    )
    rows = [{"symbol": "000001.SH", "date": d, "close": 3000.0 + n} for n, d in enumerate(DAYS)]
    published(tmp_path, DAYS[0], DAYS[5], market=folder(tmp_path / "m", series=rows), names=[name])
    rows[4] |= {"close": 3500.0}
    done = corrected(tmp_path, folder(tmp_path / "m2", series=rows[:2] + rows[3:]), DAYS[4])

    assert done.outcome.sessions == (DAYS[4],)
    assert done.left == (DAYS[2].isoformat(),)


def test_nobody_can_approve_of_a_session_that_would_be_none(tmp_path):
    name = basket(
        tmp_path, kind="series", symbol="000001.SH", base=None, weighting=None, constituents=None
    )
    rows = [{"symbol": "000001.SH", "date": d, "close": 3000.0 + n} for n, d in enumerate(DAYS)]
    published(tmp_path, DAYS[0], DAYS[5], market=folder(tmp_path / "m", series=rows), names=[name])
    fewer = folder(tmp_path / "m2", series=rows[:2] + rows[3:])
    outcome = by_rule(tmp_path, fewer, DAYS[5], names=[name], by="Ada")

    assert "cannot be taken back" in str(outcome.error)
    assert "name who approves" not in str(outcome.error)


# --- the notice -------------------------------------------------------------------------------


def test_a_restatement_prints_a_notice(path):
    corrected(path, changed(path, 6, 10))
    name = next((path / "out" / "trio").glob("restatement_*.txt"))
    text = name.read_text(encoding="utf-8")

    assert "RESTATEMENT NOTICE / 指数更正公告" in text
    assert "Reason / 原因: bad-price (价格错误)" in text
    assert "Decided by / 决定人: Ada" in text
    assert "1 → 2     price          1009.2350       1010.2443  +10.0000" in text
    assert "trio_20260305_r2.csv" in text


def test_each_variant_has_its_own_difference_in_the_notice(tmp_path):
    names = [basket(tmp_path, variants=["price", "gross"])]
    published(tmp_path, *DAYS[:6], names=names)
    late = {"symbol": SYMBOLS[0], "ex_date": DAYS[5], "kind": "dividend", "cash": 0.4}
    corrected(tmp_path, folder(tmp_path / "late", actions=[late]), reason="late-action")
    text = next((tmp_path / "out" / "trio").glob("restatement_*.txt")).read_text(encoding="utf-8")
    bp = {line.split()[4]: line.split()[-1] for line in text.splitlines() if "1 → 2" in line}

    assert float(bp["price"]) == 0
    assert float(bp["gross"]) > 50


def test_a_variant_that_is_dropped_is_withdrawn_in_the_notice(tmp_path):
    published(tmp_path, *DAYS[:6], names=[basket(tmp_path, variants=["price", "gross"])])
    one = basket(tmp_path / "new", variants=["price"])
    corrected(tmp_path, tmp_path / "market", reason="methodology", basket=one)
    text = next((tmp_path / "out" / "trio").glob("restatement_*.txt")).read_text(encoding="utf-8")
    [told] = (
        line for line in text.splitlines() if line.startswith(f"{DAYS[5]}") and "gross" in line
    )

    assert told.split()[-2:] == ["1001.7912", "withdrawn"]
    assert "withdrawn: the variant is no longer published / 该口径不再发布" in text


def test_a_correction_by_rule_prints_a_notice_too(path):
    by_rule(path, changed(path, 1, 5))

    assert list((path / "out" / "trio").glob("restatement_*.txt"))


def test_history_shows_both_variants_after_a_correction(tmp_path):
    names = [basket(tmp_path, variants=["price", "gross"])]
    published(tmp_path, *DAYS[:6], names=names)
    corrected(tmp_path, folder(tmp_path / "m2", prices(**moved(SYMBOLS[0], DAYS[5], 10))))
    with reading(desk(tmp_path).engine) as connection:
        rows = [row[:6] for row in history_rows(connection, "trio") if row[0] == "2026-03-09"]

    assert [(row[1], row[5]) for row in rows] == [("price", 2), ("gross", 2)]
