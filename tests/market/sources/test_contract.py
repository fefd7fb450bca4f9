"""One suite over every source, real akshare code and market folders alike."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from indexer.market.sources import akshare
from indexer.market.sources.agree import IDENTITY, ranking
from indexer.market.sources.akshare import NAMES, OFFERS, sources_of, upstreams
from indexer.market.sources.source import SCHEMAS, Ask, Source, Table
from tests.market.sources.folder import folder_source
from tests.market.sources.standin import (
    ABROAD,
    EX_DATE,
    FIRST,
    LAST,
    SERIES,
    SHARES,
    Reach,
    body_of,
    small_market,
    write_folder,
)

SUBJECTS: dict[Table, tuple[str, ...]] = {
    "prices": SHARES[:2] + SHARES[4:] + ABROAD,  # one of each board and country
    "series": SERIES,
    "actions": ("300308.SZ", "00700.HK"),
    "shares": ("300308.SZ", "600584.SH"),
    "suspensions": ("",),
    "fx": ("USD/CNY", "HKD/CNY"),
    "sessions": ("",),
    "weights": ("000985.SH",),
    "listing": ("300308.SZ",),
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "prices": ("symbol", "date", "open", "high", "low", "close", "volume"),
    "actions": ("symbol", "ex_date", "kind"),
    "suspensions": ("symbol", "from", "until"),
}
DATED: tuple[Table, ...] = ("prices", "series", "fx", "sessions")


def source_named(name: str, reach: Reach, folder: Path) -> Source:
    if name == "folder":
        write_folder(small_market(), folder / "market")
        return folder_source(folder / "market", "folder")
    return upstreams(reach.access, [name])[0]


def ask_of(table: Table, subject: str, since: date = FIRST, until: date = LAST) -> Ask:
    if table == "suspensions":
        since = until = date(2026, 4, 9)
    return Ask(table, subject, since, until, LAST)


def offered(*tables: Table, folders: bool = True) -> list[tuple[str, Table, str]]:
    """Return every source with everything it offers of some tables."""
    found = []
    for table in tables:
        for subject in SUBJECTS[table]:
            suffix = subject[-3:] if table == "fx" else subject.rpartition(".")[2]
            found += [(n, table, subject) for n in NAMES if suffix in OFFERS[table].get(n, ())]
            if folders and table not in {"sessions", "weights"}:
                found.append(("folder", table, subject))
    return found


@pytest.fixture
def case(request, reach, tmp_path):
    name, table, subject = request.param
    return source_named(name, reach, tmp_path), table, subject


def of(*tables: Table, folders: bool = True) -> pytest.MarkDecorator:
    """Give a test every source that offers some tables."""
    cases = offered(*tables, folders=folders)
    return pytest.mark.parametrize("case", cases, ids="-".join, indirect=True)


def true_frame(table: Table, subject: str) -> pl.DataFrame:
    """Return what the market holds, in the columns of a source."""
    market, schema = small_market(), SCHEMAS[table]
    if table in {"prices", "series"}:
        bars = [(subject, *bar, None) for bar in market.bars[subject]]
        rows = [bar[: len(schema)] if table == "prices" else (*bar[:2], bar[5]) for bar in bars]
    elif table == "fx":
        base = subject[:3]
        rows = [(day, base, "CNY", rate) for day, rate in market.rates[base].items()]
    elif table == "sessions":
        rows = [(day,) for day in market.sessions[1:]]
    elif table == "weights":
        rows = [(subject, date(2026, 5, 31), s, w) for s, w in market.weights[subject]]
    elif table == "listing":
        rows = [(subject, market.listed[subject])]
    else:
        kept = {"actions": market.actions, "shares": market.shares}.get(table, {})
        held = kept[subject] if kept else market.suspensions
        rows = [tuple(map(row.get, schema)) for row in held]
    return pl.DataFrame(rows, schema=schema, orient="row").sort(pl.all())


@of(*SUBJECTS)
def test_a_source_tells_what_the_market_holds_in_our_columns_and_units(case):
    source, table, subject = case

    answer = source.fetch(ask_of(table, subject))

    assert (answer.outcome, answer.reason) == ("ok", "")
    assert dict(answer.frame.schema) == SCHEMAS[table]
    told = [name for name in answer.frame.columns if answer.frame[name].null_count() == 0]
    told = [name for name in told if name not in {"previous_close", "reason"}]
    assert set(REQUIRED.get(table) or SCHEMAS[table]) <= set(told)
    true = true_frame(table, subject)
    tolerance = 1e-4 if "amount" in told else 1e-12  # Tencent tells amounts to a hundred yuan
    assert_frame_equal(
        answer.frame.sort(pl.all()).select(told), true.select(told), rel_tol=tolerance
    )
    if "close" in told:  # to the last digit
        assert answer.frame["close"].to_list() == true["close"].to_list()


@of(*DATED)
def test_rows_lie_within_the_span_asked_for_in_order(case):
    source, table, subject = case
    since, until = date(2026, 4, 1), date(2026, 4, 30)

    dates = source.fetch(ask_of(table, subject, since, until)).frame["date"]

    assert dates.is_sorted()
    assert (dates.min() >= since, dates.max() <= until, len(dates) > 10) == (True, True, True)


@of("prices", "series", "fx", folders=False)
def test_what_has_not_happened_is_not_told(case, reach):
    source, table, subject = case
    reach.standin.market.today = date(2026, 5, 6)

    answer = source.fetch(ask_of(table, subject))

    assert answer.frame["date"].max() == date(2026, 5, 6)


@of(*DATED)
def test_a_span_before_all_data_is_no_data_and_nothing_is_said_to_explain_it(case):
    source, table, subject = case

    answer = source.fetch(ask_of(table, subject, date(2025, 3, 3), date(2025, 3, 31)))

    assert (answer.outcome, answer.frame.is_empty()) == ("no_data_unexplained", True)
    assert answer.reason


@of("prices", "series", "actions", "shares", "listing")
def test_a_subject_nobody_knows_is_no_data(case):
    source, table, subject = case
    answer = source.fetch(ask_of(table, f"{subject[0]}99999{subject[-3:]}"))

    assert (answer.outcome, answer.frame.is_empty()) == ("no_data_unexplained", True)


@of(*SUBJECTS, folders=False)
def test_every_reply_of_an_upstream_is_kept_as_it_came(case, reach):
    source, table, subject = case

    answer = source.fetch(ask_of(table, subject))

    assert len(answer.replies) == len(reach.standin.asked)
    kept = [body_of(reach.access.archive, reply.sha256) for reply in answer.replies]
    assert [hashlib.sha256(body).hexdigest() for body in kept] == [r.sha256 for r in answer.replies]


@of("actions")
def test_an_ex_date_outside_the_span_is_left_out(case):
    source, table, subject = case

    answer = source.fetch(ask_of(table, subject, FIRST, EX_DATE - timedelta(days=1)))

    assert answer.frame.is_empty()


@pytest.mark.parametrize("table", IDENTITY)
def test_the_hierarchy_ranks_those_who_have_a_table_and_nobody_else(table):
    assert set(ranking(table, LAST)) == set(OFFERS[table])


def test_the_order_in_which_sources_are_asked_is_that_of_the_hierarchy(reach, monkeypatch):
    turned = dict(reversed(OFFERS["prices"].items()))
    monkeypatch.setitem(akshare.OFFERS, "prices", turned)

    found = sources_of("prices", "300308.SZ", upstreams(reach.access, [*turned]))

    assert [source.name for source in found] == ["eastmoney", "tencent", "sina"]


@pytest.mark.parametrize(
    "symbol",
    ["900901.SH", "510300.SH", "113050.SH", "200002.SZ", "159915.SZ", "80700.HK"],
    ids=["B share", "fund", "bond", "B share in Shenzhen", "fund in Shenzhen", "yuan counter"],
)
def test_what_is_no_share_in_the_currency_of_its_suffix_is_asked_of_nobody(symbol, reach):
    """It is looked for on the wrong exchange, or its prices are in another currency."""
    tables: tuple[Table, ...] = ("prices", "actions", "shares", "listing")

    assert not any(s.offers(t, symbol) for s in upstreams(reach.access) for t in tables)
