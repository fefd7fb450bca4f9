"""Studies are published after their indices, with the signals that the study itself shows."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import yaml

from indexer.cli.exits import exit_code
from indexer.errors import LedgerError
from indexer.index.build import build
from indexer.ledger.database import reading
from indexer.ledger.history import read_entries
from indexer.market.tables import read_market
from indexer.run.decisions import retire
from indexer.run.doctor import examine
from indexer.run.entries import study_candidate
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET, index_named, study_named
from indexer.run.publication import Asked, _as_published, _moves
from indexer.run.publish import publish
from indexer.run.report import report
from indexer.run.restate import Ground, restate
from indexer.run.results import study as compare_study
from indexer.run.sessions import Period
from indexer.run.verify import verify
from indexer.words import Text
from tests.ledger.chain import entry as chain_entry
from tests.run.desk import desk, files, ledger_url

DAY = date(2026, 5, 7)
NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
STUDY = "cloud-catch-up"


def quick(path, study=STUDY):
    """Write a bundled study with as few resamples as it may have, and return its file."""
    text = (BUNDLED_BASKETS / f"{study}.yaml").read_text(encoding="utf-8")
    file = path / f"{study}.yaml"
    file.write_text(f"{text}bootstrap: {{replications: 99}}\n", encoding="utf-8")
    return str(file)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with a study of the bundled sample published, and what became of it."""
    path = tmp_path_factory.mktemp("study")
    at = desk(path, NOW)
    return path, publish([quick(path)], BUNDLED_MARKET, at, Period(DAY, DAY))


@pytest.fixture(scope="module")
def compared(made):
    """Return the study made up to that day."""
    study = study_named(str(made[0] / f"{STUDY}.yaml"))
    return compare_study(study, read_market(BUNDLED_MARKET), until=DAY)


def entry(path):
    with reading(desk(path).engine) as connection:
        return next(e for e in read_entries(connection) if e.kind == "study")


def test_its_indices_are_published_before_it(made):
    _, outcomes = made

    assert [(o.subject, o.state) for o in outcomes] == [
        ("us-cloud", "published"), ("hk-internet", "published"), (STUDY, "published"),
    ]  # fmt: skip
    assert [e.number for o in outcomes for e in o.entries] == [1, 2, 3]


def test_whoever_retires_an_index_is_told_of_its_studies(made, tmp_path):
    path = shutil.copytree(made[0], tmp_path / "desk")
    _, studies = retire("us-cloud", "over", desk(path, NOW, by="Ada"))
    found = {c.about: c for c in examine((), None, ledger_url(path), NOW + timedelta(2))}

    assert studies == (STUDY,)
    assert (found[STUDY].state, found[STUDY].message) == (
        "wrong", "is made of us-cloud, retired: retire it, or publish it without",
    )  # fmt: skip
    retire(STUDY, "over", desk(path, NOW, by="Ada"))
    assert retire("us-cloud", "over", desk(path, NOW, by="Ada"))[1] == ()


@pytest.mark.parametrize(
    ("first", "last", "shares"),
    [
        (date(2026, 5, 2), date(2026, 5, 2), "no session"),
        (date(2026, 5, 4), date(2026, 5, 4), "published"),
        (date(2026, 5, 2), date(2026, 5, 5), "published"),
    ],
    ids=["Saturday", "Hong Kong alone", "a range"],
)
def test_on_days_without_a_session_of_it_no_earlier_one_is_published(tmp_path, first, last, shares):
    """Shanghai rests on the first five days of May, Hong Kong goes on after the weekend."""
    outcomes = publish(
        [small(tmp_path)], alibaba(tmp_path), desk(tmp_path, NOW), Period(first, last)
    )

    assert [o.state for o in outcomes] == [shares, shares, "no session"]
    assert all(first <= day <= last for o in outcomes for day in o.sessions)


def test_indices_are_published_up_to_what_is_final_on_their_own_exchanges(tmp_path):
    """In the evening of Shanghai New York has yet to open: its last session is a day older."""
    evening = desk(tmp_path, datetime(2026, 5, 7, 12, tzinfo=UTC))
    outcomes = publish([quick(tmp_path)], BUNDLED_MARKET, evening, Period())

    assert {o.subject: o.sessions[-1] for o in outcomes} == {
        "us-cloud": DAY - timedelta(days=1), "hk-internet": DAY, STUDY: DAY,
    }  # fmt: skip


def test_its_signals_are_those_of_the_study(made, compared):
    path, _ = made
    expected = compared.table.filter(pl.col("date") == DAY).drop("date").rows()

    assert entry(path).rows["signals"] == expected
    assert len(expected) > 3


def test_its_states_are_those_of_the_study(made, compared):
    path, _ = made
    shown = compared.state_table.filter(pl.col("date") == DAY)
    told = [(row[0], row[1], row[2]) for row in entry(path).rows.get("states", [])]

    assert told
    assert told == shown.select("leader", "follower", "state").rows()


def test_the_levels_it_compares_are_those_it_was_made_of(made, compared):
    path, _ = made
    rows = compared.levels.filter(pl.col("date") == DAY).drop("date").rows()

    assert [row[: len(rows[0])] for row in entry(path).rows["aligned"]] == rows


def test_the_sample_is_marked_as_invented(made):
    assert entry(made[0]).synthetic


def test_a_study_whose_benchmark_is_beyond_belief_is_refused(tmp_path):
    market = shutil.copytree(BUNDLED_MARKET, tmp_path / "market")
    series = pl.read_csv(market / "series.csv", try_parse_dates=True)
    wrong = (pl.col("symbol") == "000985.SH") & (pl.col("date") == DAY)
    close = pl.when(wrong).then(3 * pl.col("close")).otherwise("close")
    series.with_columns(close=close).write_csv(market / "series.csv")
    names = [quick(tmp_path, "compute-diffusion")]
    *_, study = publish(names, market, desk(tmp_path, NOW), Period(DAY, DAY))
    terms = {"override": ("R16",), "by": "Ada", "note": "it is right"}
    *_, taken = publish(names, market, desk(tmp_path, NOW, **terms), Period(DAY, DAY))

    assert [(r.rule, r.message[:23]) for r in study.error.refusals] == [
        ("R16", "benchmark csi-all-share")
    ]
    assert [row[0] for row in taken.entries[0].rows["findings"]] == ["R16"]


def test_the_same_again_changes_nothing(made):
    path, _ = made
    before = files(path / "out")
    outcomes = publish([quick(path)], BUNDLED_MARKET, desk(path, NOW), Period(DAY, DAY))

    assert {o.state for o in outcomes} == {"unchanged"}
    assert files(path / "out") == before


def test_it_is_restated_with_the_indices_that_were_published(made, monkeypatch):
    """Not with definitions of those ids that lie in the folder one happens to be in."""
    path, _ = made
    (path / "baskets").mkdir()
    for id in ("us-cloud", "hk-internet"):
        text = (BUNDLED_BASKETS / f"{id}.yaml").read_text(encoding="utf-8")
        other = text.replace("scheme: equal", "scheme: price")
        assert other != text
        (path / "baskets" / f"{id}.yaml").write_text(other, encoding="utf-8")
    monkeypatch.chdir(path)
    ground = Ground("software", "to be looked at again", "Ada")
    found = restate(STUDY, BUNDLED_MARKET, desk(path, NOW), Period(), ground)

    assert (found.outcome.state, found.left) == ("unchanged", ())


def test_what_was_published_before_a_change_of_symbol_is_made_again_to_the_last_bit(tmp_path):
    """Who takes over is a column more, and numpy sums 48 of them in other groups than 47."""
    old, new, changed = "000988.SZ", "301999.SZ", date(2026, 5, 18)
    market, at = shutil.copytree(BUNDLED_MARKET, tmp_path / "market"), desk(tmp_path, NOW)
    study = quick(tmp_path, "compute-diffusion")
    publish([study], market, at, Period(date(2026, 5, 6), date(2026, 5, 15)))
    prices = pl.read_parquet(market / "prices.parquet")
    gone = (pl.col("symbol") == old) & (pl.col("date") >= changed)
    prices = prices.with_columns(symbol=pl.when(gone).then(pl.lit(new)).otherwise("symbol"))
    prices.write_parquet(market / "prices.parquet")
    actions = pl.read_csv(market / "actions.csv")
    row = pl.DataFrame(
        {"symbol": [old], "ex_date": [str(changed)], "kind": ["symbol_change"], "other": [new]}
    )
    pl.concat([actions, row], how="diagonal").write_csv(market / "actions.csv")
    outcomes = publish([study], market, desk(tmp_path, NOW), Period(changed, changed))

    assert {outcome.state for outcome in outcomes} == {"published"}
    assert verify(at.engine, inputs=True, market=market).built > 60


def test_its_files_are_verified_and_its_indices_built_again(made):
    path, _ = made

    found = verify(desk(path).engine, out=path / "out", inputs=True)
    assert (found.entries, found.built) == (3, 3)


def test_it_is_not_published_where_one_of_its_indices_is_refused(tmp_path):
    """The other one is; so is what was asked for beside it."""
    days = Period(date(2025, 7, 10), date(2025, 7, 10))  # before the base date of both
    outcomes = publish([STUDY, "star-50"], BUNDLED_MARKET, desk(tmp_path, NOW), days)
    told = {o.subject: o for o in outcomes}

    assert isinstance(told[STUDY].error, LedgerError)
    assert "could not be" in str(told[STUDY].error)
    assert told["star-50"].state == "published"


def test_it_waits_where_its_indices_wait(tmp_path):
    """A scheduler tries again: data that are not there yet are no refusal."""
    later = desk(tmp_path, datetime(2026, 8, 25, 12, tzinfo=UTC))
    outcomes = publish([STUDY], BUNDLED_MARKET, later, Period())

    assert [o.state for o in outcomes] == ["delayed", "delayed", "delayed"]
    assert str(outcomes[-1].error).endswith("us-cloud, hk-internet could not be: try again later")
    assert exit_code(o.error for o in outcomes if o.error) == 75


def test_a_ready_made_series_is_published_as_it_was_read(tmp_path):
    publish(["star-50"], BUNDLED_MARKET, desk(tmp_path, NOW), Period(DAY, DAY))
    with reading(desk(tmp_path).engine) as connection:
        found = next(read_entries(connection))
    series = read_market(BUNDLED_MARKET).series
    close = series.filter(pl.col("symbol") == "000688.SH", pl.col("date") == DAY)["close"].item()

    assert found.rows["levels"][0][2] == close
    assert verify(desk(tmp_path).engine, inputs=True, market=BUNDLED_MARKET).built == 2


def test_a_study_is_reported_with_page_workbook_and_tables(made):
    path, _ = made
    found = report(STUDY, ledger_url(path), path / "reports", Asked(DAY))
    names = {file.name for file in found.files}

    assert {file.parent.name for file in found.files} == {"20260507_r1"}
    assert names >= {f"{STUDY}_20260507_r1.html", f"{STUDY}_20260507_r1.xlsx", "published.csv"}
    assert (found.kind, found.synthetic, found.record.revision) == ("study", True, 1)


def test_signals_and_levels_published_before_are_shown_as_published(made, compared):
    """As if those of the day before had been published with other numbers."""
    day = compared.aligned.sessions[-2].item()
    rows = {"signals": compared.table, "aligned": compared.levels}
    rows = {n: t.filter(pl.col("date") == day).drop("date").rows() for n, t in rows.items()}
    signals = [(*key, value + 1, tested) for *key, value, tested in rows["signals"][1:]]
    levels = [(id, level * 2, *marks) for id, level, *marks in rows["aligned"]]
    published = replace(
        entry(made[0]), session=day.isoformat(), rows={"signals": signals, "aligned": levels}
    )
    caveat = Text("a caveat", "一条提示")
    shown = _as_published(compared, [published], (caveat,))
    on = pl.col("date") == day

    assert shown.table.filter(on).drop("date").rows() == signals
    assert shown.levels.filter(on).drop("date").rows() == levels
    assert shown.table.filter(~on).equals(compared.table.filter(~on))
    assert shown.levels.filter(~on).equals(compared.levels.filter(~on))
    assert shown.warnings == (caveat, *compared.warnings)


def test_a_series_published_before_is_shown_as_published_without_a_divisor():
    history = build(index_named("star-50"), read_market(BUNDLED_MARKET), until=DAY)
    day = history.days[-2].item()
    rows = {"levels": [("price", "1.0000", 1.0, None, None)]}
    shown = _as_published(history, [chain_entry(day.isoformat(), rows=rows)], ())

    assert shown.variants["price"][-2:].tolist() == [1.0, history.variants["price"][-1]]
    assert np.isnan(shown.divisor).all()


def test_how_far_its_levels_would_move_is_told_in_basis_points(compared):
    day = compared.aligned.sessions[-2].item()
    rows = compared.levels.filter(pl.col("date") == day).drop("date").rows()
    published = [(id, level / 1.001, *marks) for id, level, *marks in rows]
    told = chain_entry(day.isoformat(), kind="study", rows={"aligned": published})

    assert list(_moves(study_candidate(compared, read_market(BUNDLED_MARKET)), told)) == (
        pytest.approx([10.0] * len(rows))
    )


def test_a_level_of_an_index_that_is_in_it_no_more_is_not_shown(compared):
    day = compared.aligned.sessions[-2].item().isoformat()
    rows = {"aligned": [("nobody", 1.0, False, False)]}
    shown = _as_published(compared, [chain_entry(day, kind="study", rows=rows)], ())

    assert shown.levels.equals(compared.levels)


def test_it_is_not_published_while_the_market_of_one_of_its_indices_is_open(tmp_path):
    early = desk(tmp_path, datetime(2026, 5, 7, 8, tzinfo=UTC))  # 16:00 in Hong Kong
    outcomes = publish([quick(tmp_path)], BUNDLED_MARKET, early, Period(DAY, DAY))

    assert outcomes[-1].state == "delayed"
    assert f"closes of {DAY} are final only from 2026-05-07 16:40" in str(outcomes[-1].error)


# --- the order of names -----------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
def test_its_indices_are_published_before_it_whatever_the_order_of_names(tmp_path, first):
    """Also where a day is a holiday of an index that is named itself."""
    file = tmp_path / "mixed.yaml"
    pairs = [{"leader": "star-50", "follower": "alibaba"}]
    text = yaml.safe_dump(SMALL | {"id": "mixed", "pairs": pairs, "calendar": "XSHG"})
    file.write_text(text, encoding="utf-8")
    names = ["alibaba", str(file)] if first else [str(file), "alibaba"]
    holiday = Period(date(2026, 7, 1), date(2026, 7, 1))  # in Hong Kong
    outcomes = publish(names, alibaba(tmp_path), desk(tmp_path, NOW), holiday)
    told = {one.subject: (one.state, [e.session for e in one.entries]) for one in outcomes}

    assert told["alibaba"] == ("published", ["2026-06-30"])
    assert told["mixed"] == ("published", ["2026-07-01"])


# --- before its start -------------------------------------------------------------------------


def asked_from(path, first, last):
    """Publish a study that starts on 5 January from one date to another."""
    market = alibaba(path)
    return publish([small(path)], market, desk(path, NOW), Period(first, last))[-1]


def test_a_range_that_begins_before_its_start_begins_with_it(tmp_path):
    outcome = asked_from(tmp_path, date(2025, 12, 30), date(2026, 1, 8))

    assert [e.session for e in outcome.entries] == [f"2026-01-0{day}" for day in (5, 6, 7, 8)]


def test_without_a_date_it_is_published_up_to_the_last_session_final_in_its_indices(tmp_path):
    """At 16:00 Shanghai's closes are final, and Hong Kong's are not."""
    now = datetime(2026, 8, 20, 8, tzinfo=UTC)
    outcome = publish([small(tmp_path)], alibaba(tmp_path), desk(tmp_path, now), Period())[-1]

    assert (outcome.state, outcome.sessions) == ("published", (WEDNESDAY,))


def test_a_range_before_its_start_is_refused(tmp_path):
    error = asked_from(tmp_path, date(2025, 12, 29), date(2025, 12, 30)).error

    assert isinstance(error, LedgerError)
    assert "before the start: its first session is 2026-01-05" in str(error)
    assert error.refusals[0].session == "2025-12-30"


# --- corrections ------------------------------------------------------------------------------

WEDNESDAY, THURSDAY = date(2026, 8, 19), date(2026, 8, 20)
SMALL = {
    "version": 1,
    "id": "small",
    "name": {"en": "Small"},
    "start": "2026-01-05",
    "pairs": [{"leader": "alibaba", "follower": "hang-seng-tech"}],
    "windows": {"correlation": [20], "momentum": [20], "zscore": 60, "beta": 60, "gap": 20},
    "bootstrap": {"replications": 99},
}


def small(path):
    """Write a study of one share and a ready-made series, and return its file."""
    file = path / "small.yaml"
    file.write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    return str(file)


def alibaba(path, bp=0.0):
    """Return the sample with one share, its close of Wednesday so many basis points higher."""
    market = path / f"market{bp:g}"
    shutil.copytree(BUNDLED_MARKET, market, dirs_exist_ok=True)
    table = pl.read_parquet(market / "prices.parquet").filter(pl.col("symbol") == "09988.HK")
    more = pl.when(pl.col("date") == WEDNESDAY).then(1 + bp * 1e-4).otherwise(1.0)
    table.with_columns(pl.col("close") * more).write_parquet(market / "prices.parquet")
    return market


def evenings(path, *bp):
    """Publish Wednesday, then Thursday from markets that differ by so much; return its entries."""
    name, markets = small(path), [alibaba(path, more) for more in (0.0, *bp)]
    for n, market in enumerate(markets):
        day = WEDNESDAY if n == 0 else THURSDAY
        now = datetime(day.year, day.month, day.day, 12, n, tzinfo=UTC)
        publish([name], market, desk(path, now, correct=True), Period(day, day))
    with reading(desk(path).engine) as connection:
        found = [e for e in read_entries(connection) if e.subject == "small"]
    return [(e.kind, e.session, e.revision) for e in found]


def test_it_is_not_corrected_onto_levels_that_are_only_recorded(tmp_path):
    assert evenings(tmp_path, 0.5)[1:] == [
        ("study", THURSDAY.isoformat(), 1), ("immaterial", WEDNESDAY.isoformat(), 1),
    ]  # fmt: skip


def test_what_is_recorded_beside_it_is_not_looked_at_again(tmp_path):
    evenings(tmp_path, 0.5)
    again = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    market = tmp_path / "market0.5"
    outcomes = publish([small(tmp_path)], market, again, Period(THURSDAY, THURSDAY))

    assert {outcome.state for outcome in outcomes} == {"unchanged"}


def test_it_is_corrected_when_a_level_that_was_recorded_is_restated(tmp_path):
    evenings(tmp_path, 0.5)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC), correct=True)
    market = tmp_path / "market0.5"
    restate("alibaba", market, now, Period(), Ground("bad-price", "a note", "Ada"))
    outcomes = publish([small(tmp_path)], market, now, Period(THURSDAY, THURSDAY))
    corrected = [(e.kind, e.session, e.revision) for e in outcomes[-1].entries]

    assert ("study", WEDNESDAY.isoformat(), 2) in corrected


def test_what_would_differ_of_it_is_told_without_levels(tmp_path):
    evenings(tmp_path, 10)
    with reading(desk(tmp_path).engine) as connection:
        found = [e for e in read_entries(connection) if e.subject == "small" and e.correction]

    assert {(e.reason, e.note) for e in found} == {
        ("vendor-revision", "signals and aligned would differ")
    }


@pytest.mark.parametrize(("bp", "studies"), [(0.5, ("small",)), (0.0, ())])
def test_a_restatement_of_an_index_names_the_studies_it_is_in(tmp_path, bp, studies):
    evenings(tmp_path, 0.0)
    market = alibaba(tmp_path, bp)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    done = restate("alibaba", market, now, Period(), Ground("bad-price", "a note", "Ada"))

    assert done.studies == studies


def test_it_is_not_restated_onto_levels_that_are_not_published(tmp_path):
    """They would be in its signals, and nowhere in the history of its index."""
    evenings(tmp_path, 0.0)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    ground, market = Ground("bad-price", "a note", "Ada"), alibaba(tmp_path, 10)
    with pytest.raises(LedgerError, match="alibaba: R9: 2 published sessions would differ") as told:
        restate("small", market, now, Period(), ground)

    assert "on which small rests: restate it first" in str(told.value)


def test_it_is_not_restated_onto_levels_that_are_only_recorded(tmp_path):
    evenings(tmp_path, 0.5)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    with pytest.raises(LedgerError, match="alibaba: R9: 1 published session would differ"):
        restate("small", tmp_path / "market0.5", now, Period(), Ground("bad-price", "a", "Ada"))


def test_beside_a_retired_index_whose_levels_would_differ_it_says_what_can_be_done(tmp_path):
    evenings(tmp_path, 0.0)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC), by="Ada")
    retire("alibaba", "over", now)
    ground, market = Ground("bad-price", "a note", "Ada"), alibaba(tmp_path, 10)
    with pytest.raises(LedgerError, match="it is retired: retire small too, or restate it without"):
        restate("small", market, now, Period(), ground)


def test_a_level_that_it_never_sees_keeps_it_from_nothing(tmp_path):
    """The index has one of a session before the study's start."""
    early, market = date(2025, 12, 1), alibaba(tmp_path)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    publish(["alibaba"], market, now, Period(early, early))
    evenings(tmp_path, 0.0)
    table = pl.read_parquet(market / "prices.parquet")
    more = pl.when(pl.col("date") == early).then(1.001).otherwise(1.0)
    table.with_columns(pl.col("close") * more).write_parquet(market / "prices.parquet")
    (tmp_path / "other").mkdir()
    file, windows = tmp_path / "other" / "small.yaml", SMALL["windows"] | {"correlation": [30]}
    file.write_text(yaml.safe_dump(SMALL | {"windows": windows}), encoding="utf-8")
    ground = Ground("methodology", "a note", "Ada", str(file))

    assert restate("small", market, now, Period(), ground).outcome.state == "restated"


def test_it_is_restated_once_its_indices_are(tmp_path):
    evenings(tmp_path, 0.0)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    ground, market = Ground("bad-price", "a note", "Ada"), alibaba(tmp_path, 10)
    restate("alibaba", market, now, Period(), ground)

    assert restate("small", market, now, Period(), ground).outcome.sessions == (
        WEDNESDAY, THURSDAY,
    )  # fmt: skip


def test_it_is_restated_up_to_where_its_indices_stand(tmp_path):
    """Of what comes after it knows nothing."""
    evenings(tmp_path, 0.0)
    now = desk(tmp_path, datetime(2026, 8, 20, 13, tzinfo=UTC))
    ground, market = Ground("bad-price", "a note", "Ada"), alibaba(tmp_path, 10)
    restate("alibaba", market, now, Period(last=WEDNESDAY), ground)
    period = Period(first=WEDNESDAY, last=WEDNESDAY)

    assert restate("small", market, now, period, ground).outcome.sessions == (WEDNESDAY,)
    with pytest.raises(LedgerError, match="1 published session would differ"):
        restate("small", market, now, Period(), ground)


def test_it_is_corrected_when_its_indices_are(tmp_path):
    assert ("study", WEDNESDAY.isoformat(), 2) in evenings(tmp_path, 10)


def test_named_twice_it_is_published_once(tmp_path):
    name, market = small(tmp_path), alibaba(tmp_path)
    outcomes = publish([name, name], market, desk(tmp_path, NOW), Period(WEDNESDAY, WEDNESDAY))

    assert [(one.subject, one.state) for one in outcomes] == [
        ("alibaba", "published"), ("hang-seng-tech", "published"), ("small", "published"),
    ]  # fmt: skip


def test_what_was_recorded_and_is_as_published_again_holds_nothing_back(tmp_path):
    """Thursday was published from the other market: by the first one it differs in its turn."""
    assert evenings(tmp_path, 0.5, 0.0)[1:] == [
        ("study", THURSDAY.isoformat(), 1),
        ("immaterial", WEDNESDAY.isoformat(), 1),
        ("immaterial", THURSDAY.isoformat(), 1),
    ]


def test_what_was_recorded_and_is_another_by_now_is_looked_at_again(tmp_path):
    """Half a basis point was recorded beside it; ten are a correction, which it follows."""
    assert ("study", WEDNESDAY.isoformat(), 2) in evenings(tmp_path, 0.5, 10)
