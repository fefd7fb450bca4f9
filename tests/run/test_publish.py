"""A session enters the ledger whole, once, and only if nothing stands against it."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
import yaml

from indexer.errors import DefinitionError, LedgerError, MissingInputError, TryAgainError
from indexer.index import weighting
from indexer.ledger.database import open_ledger
from indexer.ledger.publish import instant_text
from indexer.run import provenance
from indexer.run.publish import publish, record
from indexer.run.sessions import Period
from indexer.run.verify import verify
from tests.ledger.chain import OLDER, changed
from tests.run.desk import (
    DAYS,
    NOON,
    SYMBOLS,
    basket,
    candidate,
    close,
    corrected,
    desk,
    entries,
    evening,
    files,
    folder,
    ledger_url,
    moved,
    prices,
    published,
    told,
)


def sessions(path):
    """Return the sessions that are published."""
    return [row[0] for row in told(path)]


def iso(*days):
    return [day.isoformat() for day in days]


def test_one_session_is_published(tmp_path):
    outcome = published(tmp_path, DAYS[4])

    assert (outcome.state, outcome.sessions) == ("published", (DAYS[4],))
    assert told(tmp_path) == [(DAYS[4].isoformat(), "1031.0824", 1, "final")]


def test_a_level_is_printed_as_computed(tmp_path):
    """Half to even at the decimals of the definition, and the exact double beside it."""
    name = basket(tmp_path, publish={"decimals": 2})
    entry = published(tmp_path, DAYS[4], names=[name]).entries[0]
    variant, text, exact, divisor, value = entry.rows["levels"][0]

    assert (variant, text) == ("price", f"{exact:.2f}")
    assert value / divisor == pytest.approx(exact, rel=1e-15)


def test_the_same_again_changes_nothing(tmp_path):
    published(tmp_path, DAYS[0], DAYS[5])
    before = files(tmp_path / "out"), entries(tmp_path)
    outcome = published(tmp_path, DAYS[0], DAYS[5], now=NOON + timedelta(1))

    assert (outcome.state, outcome.entries) == ("unchanged", ())
    assert (files(tmp_path / "out"), entries(tmp_path)) == before


def test_a_range_is_published_in_order(tmp_path):
    published(tmp_path, DAYS[2], DAYS[6])

    assert sessions(tmp_path) == iso(*DAYS[2:7])
    assert [entry.session for entry in entries(tmp_path)] == iso(*DAYS[2:7])


def test_a_gap_is_filled(tmp_path):
    published(tmp_path, DAYS[0], DAYS[1])
    published(tmp_path, DAYS[5])
    outcome = published(tmp_path, DAYS[0], DAYS[6])

    assert [entry.session for entry in outcome.entries] == iso(*DAYS[2:5], DAYS[6])
    assert sessions(tmp_path) == iso(*DAYS[:7])


def test_a_session_is_the_same_published_alone_or_with_others(tmp_path):
    alone = published(
        tmp_path / "a", DAYS[6], market=folder(tmp_path / "m"), names=[basket(tmp_path)]
    )
    together = published(
        tmp_path / "b", *DAYS[:10], market=tmp_path / "m", names=[basket(tmp_path)]
    )

    assert alone.entries[0].content == together.entries[6].content
    assert alone.entries[0].market == together.entries[6].market


@pytest.fixture(autouse=True)
def _folders(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()


def test_levels_before_the_first_published_session_are_computed_and_not_published(tmp_path):
    published(tmp_path, DAYS[3], DAYS[4])

    assert sessions(tmp_path) == iso(DAYS[3], DAYS[4])
    assert entries(tmp_path)[0].rows["levels"][0][1] != "1000.0000"


def test_without_a_date_the_last_final_session_is_meant(tmp_path):
    published(tmp_path, now=evening(DAYS[5], 6))  # 14:00 in Shanghai: it still trades
    published(tmp_path, now=evening(DAYS[6], 8))

    assert sessions(tmp_path) == iso(DAYS[4], DAYS[6])


def test_a_range_without_an_end_goes_to_the_last_final_session(tmp_path):
    names = [basket(tmp_path)]
    at = desk(tmp_path, evening(DAYS[6]))
    publish(names, folder(tmp_path / "market"), at, Period(first=DAYS[3]))

    assert sessions(tmp_path) == iso(*DAYS[3:7])


def test_a_day_that_is_no_session_publishes_nothing(tmp_path):
    saturday = date(2026, 3, 7)
    outcome = published(tmp_path, saturday)

    assert (outcome.state, outcome.error) == ("no session", None)
    assert entries(tmp_path) == []


@pytest.mark.parametrize("hour", [0, 6, 7])
def test_a_session_that_is_not_final_is_waited_for(tmp_path, hour):
    """It is from 15:30 in Shanghai."""
    outcome = published(tmp_path, DAYS[5], now=evening(DAYS[5], hour))

    assert isinstance(outcome.error, TryAgainError)
    assert "final only from 2026-03-09 15:30" in str(outcome.error)
    assert entries(tmp_path) == []


def test_a_session_is_final_from_its_minute_on(tmp_path):
    half_past_three = evening(DAYS[5], 7).replace(minute=30)
    early = published(tmp_path, DAYS[5], now=half_past_three - timedelta(seconds=1))

    assert isinstance(early.error, TryAgainError)
    assert published(tmp_path, DAYS[5], now=half_past_three).state == "published"


def test_a_session_whose_data_are_to_come_is_waited_for(tmp_path):
    market = folder(tmp_path / "market", prices(DAYS[:5]))
    outcome = published(tmp_path, DAYS[5], market=market)

    assert isinstance(outcome.error, TryAgainError)
    assert "2026-03-09" in str(outcome.error)
    assert entries(tmp_path) == []


def test_a_range_that_cannot_be_published_whole_is_not_published_at_all(tmp_path):
    market = folder(tmp_path / "market", prices(DAYS[:5]))
    outcome = published(tmp_path, DAYS[3], DAYS[5], market=market)

    assert f"or up to --to {DAYS[4]}" in str(outcome.error)
    assert entries(tmp_path) == []


def test_a_date_before_the_base_is_refused(tmp_path):
    outcome = published(tmp_path, DAYS[0] - timedelta(3))

    assert isinstance(outcome.error, MissingInputError)
    assert "before the base date" in str(outcome.error)
    assert entries(tmp_path) == []


def test_a_range_that_begins_before_the_base_begins_with_it(tmp_path):
    published(tmp_path, DAYS[0] - timedelta(30), DAYS[1])

    assert sessions(tmp_path) == iso(*DAYS[:2])


def test_one_bad_index_does_not_hold_up_the_others(tmp_path):
    other = basket(tmp_path, id="lonely", constituents=[{"symbol": "600009.SH"}])
    names = [other, basket(tmp_path)]
    bad, good = publish(
        names, folder(tmp_path / "market"), desk(tmp_path), Period(DAYS[3], DAYS[3])
    )

    assert (bad.state, good.state) == ("failed", "published")
    assert bad.error is not None


def test_a_broken_definition_does_not_hold_up_the_others(tmp_path):
    names = [basket(tmp_path, id="broken", currency="Yuan"), basket(tmp_path)]
    bad, good = publish(
        names, folder(tmp_path / "market"), desk(tmp_path), Period(DAYS[3], DAYS[3])
    )

    assert isinstance(bad.error, DefinitionError)
    assert (bad.state, good.state) == ("failed", "published")


# --- what would change what is published -----------------------------------------------------


@pytest.mark.parametrize("asked", [2, 4, 5], ids=["itself", "the last one", "the next one"])
def test_a_close_that_changed_is_refused_whatever_is_asked_for(tmp_path, asked):
    published(tmp_path, *DAYS[:5])
    market = folder(tmp_path / "changed", prices(**moved(SYMBOLS[0], DAYS[2], 30)))
    outcome = published(tmp_path, DAYS[asked], market=market)

    assert isinstance(outcome.error, LedgerError)
    assert "2026-03-04: R9: price 1023.389523806291 would be 1026.4596923777" in str(outcome.error)
    assert len(entries(tmp_path)) == 5


def test_a_session_of_the_same_level_names_what_would_differ(tmp_path):
    published(tmp_path, *DAYS[:5])
    market = folder(tmp_path / "changed", prices(**moved(SYMBOLS[0], DAYS[2], 30)))
    outcome = published(tmp_path, DAYS[4], market=market)

    assert "2026-03-05: R9: no level would differ, constituents would" in str(outcome.error)


def test_every_level_that_would_differ_is_named_the_one_that_moves_most_first(tmp_path):
    names = [basket(tmp_path, variants=["price", "gross"])]
    published(tmp_path, DAYS[2], names=names)
    paid = [{"symbol": SYMBOLS[0], "ex_date": DAYS[2], "kind": "dividend", "cash": 0.5}]
    rows = prices(**moved(SYMBOLS[1], DAYS[2], 10))
    market = folder(tmp_path / "m", rows, actions=paid)
    said = str(published(tmp_path, DAYS[3], market=market, names=names).error)

    assert re.search(
        r"R9: gross \S+ would be \S+ \(\S+ bp\), price \S+ would be \S+ \(\+10 bp\)", said
    )


def test_a_level_that_would_only_be_printed_otherwise_is_named_with_both_texts(tmp_path):
    """Whatever the order in which definitions name their variants."""
    paid = [{"symbol": SYMBOLS[0], "ex_date": DAYS[1], "kind": "dividend", "cash": 5.0}]
    market = folder(tmp_path / "m", actions=paid)
    one, other = ({"variants": order} for order in (["price", "gross"], ["gross", "price"]))
    published(tmp_path, DAYS[2], market=market, names=[basket(tmp_path, **one)])
    names = [basket(tmp_path, **other, publish={"decimals": 2})]
    said = str(published(tmp_path, DAYS[3], market=market, names=names).error)

    assert re.search(
        r"no level would differ, \w+ (\d+)\.\d{4} would be printed as \1\.\d\d\b", said
    )


def test_a_gap_is_not_filled_from_a_market_that_changed_before_it(tmp_path):
    published(tmp_path, DAYS[0], DAYS[2])
    published(tmp_path, DAYS[6])
    market = folder(tmp_path / "changed", prices(**moved(SYMBOLS[0], DAYS[1], 5)))
    outcome = published(tmp_path, DAYS[4], market=market)

    assert isinstance(outcome.error, LedgerError)
    assert len(entries(tmp_path)) == 4


def test_rows_after_the_session_change_nothing(tmp_path):
    published(tmp_path, *DAYS[:5])
    changed = prices(**moved(SYMBOLS[0], DAYS[7], 30))

    assert published(tmp_path, DAYS[4], market=folder(tmp_path / "m", changed)).state == "unchanged"


def test_rows_of_others_change_nothing(tmp_path):
    published(tmp_path, *DAYS[:5])
    more = [*prices(), *prices(symbols=["600777.SH"])]

    assert published(tmp_path, DAYS[4], market=folder(tmp_path / "m", more)).state == "unchanged"


def test_a_late_action_is_refused(tmp_path):
    published(tmp_path, *DAYS[:5])
    split = {"symbol": SYMBOLS[0], "ex_date": DAYS[2], "kind": "bonus", "ratio": 0.01}
    outcome = published(tmp_path, DAYS[5], market=folder(tmp_path / "m", actions=[split]))

    assert isinstance(outcome.error, LedgerError)
    assert {refusal.rule for refusal in outcome.error.refusals} == {"R9"}
    assert "2026-03-04" in str(outcome.error)


def test_a_definition_that_makes_other_levels_is_refused(tmp_path):
    published(tmp_path, *DAYS[:5])
    name = basket(tmp_path, base={"date": DAYS[0].isoformat(), "level": 100})
    outcome = published(tmp_path, DAYS[5], names=[name])

    assert isinstance(outcome.error, LedgerError)
    assert "then restate; it is defined otherwise since, at base.level" in str(outcome.error)


@pytest.mark.parametrize(("first", "then"), [("true", "false"), ("false", "true")])
def test_what_was_published_as_synthetic_is_not_real_the_next_day(tmp_path, first, then):
    market = folder(tmp_path / "market")
    told = market / "manifest.yaml"
    told.write_text(f"synthetic: {first}\n", encoding="utf-8")
    published(tmp_path, *DAYS[:2], market=market)
    told.write_text(f"synthetic: {then}\n", encoding="utf-8")
    outcome = published(tmp_path, DAYS[2], market=market)
    was, now = ("synthetic", "real")[:: 1 if first == "true" else -1]

    assert f"{DAYS[0]}: R9: published as {was}, and the market is now marked {now}\n" in (
        str(outcome.error)
    )


@pytest.mark.parametrize(("first", "then"), [(None, DAYS[2]), (DAYS[2], None)])
def test_a_list_that_is_said_to_be_later_chosen_marks_what_is_published(tmp_path, first, then):
    published(tmp_path, *DAYS[:2], names=[basket(tmp_path, selected_on=first)])
    outcome = published(tmp_path, DAYS[3], names=[basket(tmp_path, selected_on=then)])

    said = f"would {'' if first is None else 'no more '}be marked back-tested"
    assert f"{DAYS[0]}: R9: {said}\n" in str(outcome.error)


@pytest.mark.parametrize("then", [{}, {"price_kind": "raw"}])
def test_what_was_published_of_adjusted_prices_is_not_of_raw_ones_the_next_day(tmp_path, then):
    """No level shows it before a dividend, which would then count twice."""
    names = [basket(tmp_path, variants=["gross"])]
    market = folder(tmp_path / "market")
    told = market / "manifest.yaml"
    told.write_text("price_kind: total_return_adjusted\n", encoding="utf-8")
    published(tmp_path, *DAYS[:2], names=names, market=market)
    assert published(tmp_path, DAYS[2], names=names, market=market).state == "published"
    told.write_text(yaml.safe_dump(then), encoding="utf-8")
    outcome = published(tmp_path, DAYS[3], names=names, market=market)

    said = f"the prices of {SYMBOLS[0]} were published as total_return_adjusted, now raw"
    assert f"{DAYS[2]}: R9: {said}\n" in str(outcome.error)


def test_another_mark_hides_no_other_level(tmp_path):
    published(tmp_path, *DAYS[:2])
    market = folder(tmp_path / "changed", prices(**moved(SYMBOLS[0], DAYS[1], 50)))
    (market / "manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")
    said = str(published(tmp_path, DAYS[2], market=market).error)

    assert re.search(
        r"2026-03-03: R9: .* marked synthetic; price \S+ would be \S+ \(\+50 bp\)", said
    )


def test_what_was_wrongly_marked_is_restated(tmp_path):
    market = folder(tmp_path / "market")
    published(tmp_path, *DAYS[:2], market=market)
    (market / "manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")
    corrected(tmp_path, market)
    published(tmp_path, DAYS[2], market=market)

    assert [(e.session, e.revision, e.synthetic) for e in entries(tmp_path)] == [
        (str(DAYS[0]), 1, False), (str(DAYS[1]), 1, False),
        (str(DAYS[0]), 2, True), (str(DAYS[1]), 2, True), (str(DAYS[2]), 1, True),
    ]  # fmt: skip


def test_another_mark_is_the_market_s_and_needs_a_name(tmp_path):
    market = folder(tmp_path / "market")
    published(tmp_path, DAYS[0], market=market)
    (market / "manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")
    refused = published(tmp_path, DAYS[1], market=market, correct=True)
    published(tmp_path, DAYS[1], market=market, correct=True, by="Ada")

    assert "R10" in str(refused.error)
    assert [(e.revision, e.reason, e.by) for e in entries(tmp_path)[1:]] == [
        (2, "vendor-revision", "Ada"), (1, "", ""),
    ]  # fmt: skip


def test_a_definition_that_makes_the_same_levels_passes_and_is_kept(tmp_path):
    before = published(tmp_path, *DAYS[:5]).entries[0].definition
    name = basket(tmp_path, name={"en": "Another name"})
    outcome = published(tmp_path, DAYS[5], names=[name])

    assert outcome.state == "published"
    assert outcome.entries[0].definition != before
    assert verify(desk(tmp_path).engine, inputs=True).built == 6


@pytest.mark.parametrize(
    ("keys", "noted"),
    [
        ({"name": {"en": "Another name"}}, []),
        (
            {"rebalance": {"frequency": "never", "untradable": "freeze"}},
            ["defined otherwise than for 2026-03-06: rebalance.untradable"],
        ),
        (
            {"weighting": {"scheme": "equal", "caps": {"constituent": 0.9}}},
            ["defined otherwise than for 2026-03-06: weighting.caps.constituent"],
        ),
    ],
)
def test_what_is_defined_otherwise_than_the_session_before_is_noted(tmp_path, keys, noted):
    """R30: once, of the first session."""
    published(tmp_path, *DAYS[:5])
    outcome = published(tmp_path, *DAYS[5:7], names=[basket(tmp_path, **keys)])
    found = [e.rows["findings"] for e in outcome.entries]

    assert found == [[("R30", one, "", "") for one in noted], []]


def test_a_session_after_those_that_are_corrected_is_not_defined_otherwise(tmp_path):
    """They are defined as it is from this very publication on."""
    published(tmp_path, *DAYS[:5])
    name = basket(tmp_path, weighting={"scheme": "price"})
    outcome = published(tmp_path, *DAYS[5:7], names=[name], correct=True, by="Ada")

    assert [e.status for e in outcome.published][-2:] == ["final", "final"]
    assert [e.rows["findings"] for e in outcome.published if e.status == "final"] == [[], []]


@pytest.fixture
def other_code(monkeypatch):
    """Let the digest of the code be another."""
    monkeypatch.setattr(provenance, "_LIBRARIES", ("numpy",))
    provenance.code_digest.cache_clear()
    yield provenance.code_digest()
    provenance.code_digest.cache_clear()


def test_other_code_that_makes_the_same_numbers_passes(tmp_path, request):
    before = published(tmp_path, *DAYS[:5]).entries[0].code
    other = request.getfixturevalue("other_code")
    after = published(tmp_path, DAYS[5]).entries[0].code

    assert after == other != before
    assert sessions(tmp_path) == iso(*DAYS[:6])


def test_other_code_that_makes_other_numbers_is_refused(tmp_path, request, monkeypatch):
    published(tmp_path, *DAYS[:5])
    request.getfixturevalue("other_code")
    monkeypatch.setitem(weighting._SCHEMES, "equal", weighting._price)
    outcome = published(tmp_path, DAYS[5])

    assert isinstance(outcome.error, LedgerError)
    assert len(entries(tmp_path)) == 5


def test_an_entry_is_known_from_when_it_is_appended_not_from_when_the_run_began(tmp_path):
    at = replace(desk(tmp_path), clock=lambda: NOON + timedelta(hours=2))
    [outcome] = publish(
        [basket(tmp_path)], folder(tmp_path / "market"), at, Period(DAYS[0], DAYS[0])
    )

    assert outcome.entries[0].published_at == instant_text(NOON + timedelta(hours=2))


def test_an_index_does_not_take_the_id_of_a_study(tmp_path):
    published(tmp_path, DAYS[0])
    study = replace(candidate(tmp_path), kind="study")

    with pytest.raises(LedgerError, match="trio 2026-03-02: is the id of a published index"):
        record(desk(tmp_path), study, DAYS[:1], lambda _: ())


def test_two_definitions_of_one_id_are_not_taken_for_one(tmp_path):
    first, second = basket(tmp_path), basket(tmp_path / "other", name={"en": "Another"})
    outcomes = publish(
        [first, second], folder(tmp_path / "market"), desk(tmp_path), Period(DAYS[0], DAYS[0])
    )

    assert [(o.subject, o.state) for o in outcomes] == [("trio", "published"), (second, "failed")]
    assert f"'trio' is another index or study in {first}: name one of them" in str(
        outcomes[1].error
    )


def test_an_entry_says_what_it_was_made_from(tmp_path):
    entry = published(tmp_path, DAYS[2]).entries[0]

    assert (entry.code, entry.methodology) == (provenance.code_digest(), provenance.methodology())
    assert len(entry.market) == len(entry.definition) == 64


# --- gates ------------------------------------------------------------------------------------


def spiked(path):
    """Return a market with a close far beyond the limit of its board on the sixth session."""
    return folder(path / "spiked", prices(s600001_20260309=44.0))


def test_a_shut_gate_is_obeyed(tmp_path):
    outcome = published(tmp_path, DAYS[5], market=spiked(tmp_path))

    assert isinstance(outcome.error, LedgerError)
    assert "R16" in {refusal.rule for refusal in outcome.error.refusals}
    assert entries(tmp_path) == []
    assert not list((tmp_path / "out").rglob("*.csv"))


def halved(path, first):
    """Return a market in which a split of one share on a session is recorded nowhere."""
    changed = {
        f"s600001_{day:%Y%m%d}": close("600001.SH", n) / 2
        for n, day in enumerate(DAYS)
        if first <= day
    }
    return folder(path / "halved", prices(**changed))


def test_a_price_beyond_belief_is_refused_the_day_after_as_well(tmp_path):
    """Nobody published its own session: every later level has it none the less."""
    published(tmp_path, DAYS[4])
    market = halved(tmp_path, DAYS[5])
    outcome = published(tmp_path, DAYS[6], market=market)

    assert [(r.session, r.rule) for r in outcome.error.refusals] == [(str(DAYS[6]), "R16")]
    assert outcome.error.refusals[0].message.startswith(
        f"{DAYS[5]} was not published, and is in its level: 600001.SH closed at "
    )


def test_who_takes_a_price_beyond_belief_upon_himself_is_asked_once(tmp_path):
    published(tmp_path, DAYS[4])
    market = halved(tmp_path, DAYS[5])
    terms = {"override": ("R16",), "by": "Ada", "note": "a split"}
    taken = published(tmp_path, DAYS[7], market=market, **terms)
    after = published(tmp_path, DAYS[8], market=market)

    assert [row[:1] + row[2:] for row in taken.entries[0].rows["findings"]] == [
        ("R16", "Ada", "a split")
    ]
    assert (after.state, after.entries[0].rows["findings"]) == ("published", [])


def test_what_was_wrong_between_two_publications_and_is_no_more_stands_in_no_way(tmp_path):
    """A hole passes: the close after it is counted from the one before."""
    rows = [row for row in prices() if row["date"] != DAYS[5]]
    published(tmp_path, DAYS[4])

    outcome = published(tmp_path, DAYS[6], market=folder(tmp_path / "holed", rows))

    assert outcome.state == "published"


def test_before_the_first_publication_no_price_is_looked_at(tmp_path):
    """Those levels are computed, and nobody's."""
    assert published(tmp_path, DAYS[6], market=halved(tmp_path, DAYS[5])).state == "published"


def test_an_override_is_recorded_with_name_and_reason(tmp_path):
    terms = {"override": ("R16",), "by": "Ada", "note": "a takeover bid"}
    outcome = published(tmp_path, DAYS[5], market=spiked(tmp_path), **terms)
    rule, message, by, note = outcome.entries[0].rows["findings"][0]

    assert (rule, by, note) == ("R16", "Ada", "a takeover bid")
    assert "44" in message


def test_an_override_of_another_rule_opens_nothing(tmp_path):
    terms = {"override": ("R14",), "by": "Ada", "note": "why not"}

    assert published(tmp_path, DAYS[5], market=spiked(tmp_path), **terms).state == "refused"


def test_a_hole_nothing_explains_is_noted_with_nobodys_name(tmp_path):
    rows = [r for r in prices() if (r["symbol"], r["date"]) != (SYMBOLS[0], DAYS[5])]
    names = [basket(tmp_path, constituents=[{"symbol": s} for s in SYMBOLS])]
    terms = {"override": ("R14",), "by": "Ada", "note": "known"}
    outcome = published(
        tmp_path, DAYS[5], market=folder(tmp_path / "m", rows), names=names, **terms
    )
    noted = {row[0]: row[2:] for row in outcome.entries[0].rows["findings"]}

    assert noted["R15"] == ("", "")
    assert noted["R14"] == ("Ada", "known")


def test_who_is_left_out_is_noted_with_every_session(tmp_path):
    """One symbol misspelt, and the index is another one."""
    held = [{"symbol": s} for s in (*SYMBOLS, "600099.SH", "600098.SH")]
    names = [basket(tmp_path, constituents=held)]
    outcome = published(tmp_path, DAYS[4], DAYS[5], names=names)
    rows = [entry.rows["findings"] for entry in outcome.entries]

    assert [[(r[0], r[2]) for r in found] for found in rows] == [[("R15", "")], [("R15", "")]]
    assert "left out, without any close in the folder: 600099.SH, 600098.SH" in rows[0][0][1]


def test_a_dry_run_notes_what_a_publication_would(tmp_path):
    held = [{"symbol": s} for s in (*SYMBOLS, "600099.SH")]
    names = [basket(tmp_path, constituents=held)]
    outcome = published(tmp_path, DAYS[5], names=names, dry_run=True)

    assert [row[0] for row in outcome.entries[0].rows["findings"]] == ["R15"]


def test_a_hole_in_a_series_is_no_matter_of_waiting_whatever_is_overridden(tmp_path):
    """No override gives a session a level that the data have passed by."""
    rows = [{"symbol": "399006.SZ", "date": d, "close": 100.0 + n} for n, d in enumerate(DAYS[:8])]
    keys = {"kind": "series", "symbol": "399006.SZ", "base": None, "weighting": None}
    names = [basket(tmp_path, id="seven", constituents=None, **keys)]
    market = folder(
        tmp_path / "m", prices(), series=[row for row in rows if row["date"] != DAYS[6]]
    )
    published(tmp_path, DAYS[7], names=names, market=market)
    terms = {"override": ("R15",), "by": "Ada", "note": "why not"}
    outcome = published(tmp_path, DAYS[6], names=names, market=market, **terms)

    assert isinstance(outcome.error, LedgerError)
    assert f"the last are of {DAYS[7]}" in str(outcome.error)


def test_a_table_of_suspensions_without_a_row_says_that_nobody_is_suspended(tmp_path):
    rows = [r for r in prices() if (r["symbol"], r["date"]) != (SYMBOLS[0], DAYS[5])]
    market = folder(tmp_path / "m", rows)
    (market / "suspensions.csv").write_text("symbol,from,until\n", encoding="utf-8")
    terms = {"override": ("R14",), "by": "Ada", "note": "known"}
    outcome = published(tmp_path, DAYS[5], market=market, **terms)

    assert isinstance(outcome.error, LedgerError)
    assert {refusal.rule for refusal in outcome.error.refusals} == {"R15"}


ESTIMATED = date(2027, 11, 1)


def far(path):
    """Return a market of a month for which Shanghai's sessions are estimated, and its index."""
    days = [ESTIMATED + timedelta(n) for n in range(4)]
    rows = [
        {"symbol": symbol, "date": day, "close": 10 + k + 0.1 * (n + k) % 0.3}
        for k, symbol in enumerate(SYMBOLS)
        for n, day in enumerate(days)
    ]
    name = basket(path, base={"date": days[0].isoformat(), "level": 1000})
    return {"market": folder(path / "far", rows), "names": [name], "now": evening(days[3])}


def test_sessions_that_are_estimated_are_refused(tmp_path):
    outcome = published(tmp_path, ESTIMATED, **far(tmp_path))

    assert isinstance(outcome.error, LedgerError)
    assert "R22" in {refusal.rule for refusal in outcome.error.refusals}


def test_estimated_sessions_are_published_where_that_is_allowed_and_it_is_noted(tmp_path):
    outcome = published(tmp_path, ESTIMATED, estimated=True, **far(tmp_path))

    assert outcome.state == "published"
    assert "R22" in [row[0] for row in outcome.entries[0].rows["findings"]]


# --- dry runs ---------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_published_and_makes_nothing(tmp_path):
    market = folder(tmp_path / "market")
    basket(tmp_path)
    before = files(tmp_path)
    outcome = published(tmp_path, DAYS[0], DAYS[3], market=market, dry_run=True)

    assert (outcome.state, outcome.sessions) == ("would publish", tuple(DAYS[:4]))
    assert files(tmp_path) == before


def test_a_dry_run_looks_at_what_is_published(tmp_path):
    published(tmp_path, *DAYS[:5])
    before = files(tmp_path)

    assert published(tmp_path, *DAYS[:5], dry_run=True).state == "unchanged"
    assert published(tmp_path, *DAYS[:7], dry_run=True).sessions == tuple(DAYS[5:7])
    assert files(tmp_path) == before


def test_a_dry_run_does_not_pass_over_a_ledger_of_an_older_schema(tmp_path):
    """What is published in it would not be seen."""
    published(tmp_path, *DAYS[:5])
    changed(open_ledger(ledger_url(tmp_path)), *OLDER)

    with pytest.raises(MissingInputError, match="has schema 0001, not 0002"):
        published(tmp_path, *DAYS[:5], dry_run=True)


def test_a_dry_run_is_refused_what_is_refused(tmp_path):
    published(tmp_path, *DAYS[:5])
    market = folder(tmp_path / "changed", prices(**moved(SYMBOLS[0], DAYS[2], 30)))

    assert published(tmp_path, DAYS[5], market=market, dry_run=True).state == "refused"
    assert published(tmp_path, DAYS[5], market=spiked(tmp_path), dry_run=True).state == "refused"


# --- more than one exchange -------------------------------------------------------------------

HOLIDAY = date(2026, 4, 3)  # Good Friday: Hong Kong is closed, Shanghai is open


def both(path):
    """Return a market of a share in Shanghai and one in Hong Kong, and an index of both."""
    days = [date(2026, 4, 1), date(2026, 4, 2), HOLIDAY]
    rows = [
        {"symbol": symbol, "date": day, "close": start + 0.1 * n}
        for symbol, start in (("600001.SH", 20.0), ("00700.HK", 500.0))
        for n, day in enumerate(days)
        if (symbol, day) != ("00700.HK", HOLIDAY)
    ]
    rates = [{"date": day, "base": "HKD", "quote": "CNY", "rate": 0.92} for day in days]
    name = basket(
        path,
        base={"date": days[0].isoformat(), "level": 1000},
        constituents=[{"symbol": "600001.SH"}, {"symbol": "00700.HK"}],
    )
    return {"market": folder(path / "both", rows, fx=rates), "names": [name]}


def test_a_basket_of_two_exchanges_is_final_when_both_are(tmp_path):
    """Hong Kong closes at 16:00 and is final at 16:40."""
    given, day = both(tmp_path), date(2026, 4, 2)
    early = published(tmp_path, day, now=evening(day, 8), **given)

    assert "16:40" in str(early.error)
    assert published(tmp_path, day, now=evening(day, 9), **given).state == "published"


def test_a_holiday_of_one_exchange_carries_its_last_close(tmp_path):
    outcome = published(tmp_path, HOLIDAY, now=evening(HOLIDAY, 8), **both(tmp_path))
    dated = {row[0]: row[3] for row in outcome.entries[0].rows["constituents"]}

    assert dated == {"600001.SH": "2026-04-03", "00700.HK": "2026-04-02"}


def test_what_another_publisher_records_meanwhile_is_not_recorded_again(tmp_path):
    """It comes between what a publisher has read and the transaction in which it writes."""
    basket(tmp_path)
    folder(tmp_path / "market")
    slow, quick = desk(tmp_path), desk(tmp_path)

    def meanwhile(_):
        record(quick, candidate(tmp_path), DAYS[:2], lambda _: ())
        return ()

    outcome = record(slow, candidate(tmp_path), DAYS[:3], meanwhile)

    assert [(e.session, e.revision) for e in outcome.entries] == [(DAYS[2].isoformat(), 1)]
    assert [row[2] for row in told(tmp_path)] == [1, 1, 1]


def test_a_session_of_which_there_are_no_data_is_not_made_up_where_no_gate_says_so(tmp_path):
    basket(tmp_path)
    folder(tmp_path / "market", prices(DAYS[:2]))
    with pytest.raises(TryAgainError, match=f"there are no data of {DAYS[2]} yet, the last are of"):
        record(desk(tmp_path), candidate(tmp_path), DAYS[:3], lambda _: ())
