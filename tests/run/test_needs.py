"""What definitions need of market data."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from indexer.market.tables import TABLES
from indexer.run.needs import Need, needs_of

TODAY = date(2026, 11, 27)
NONE = TABLES["actions"].empty()


def wanted(*names: str, since: date | None = None) -> list[Need]:
    return needs_of(names, TODAY, NONE, since)


def test_both_compute_baskets_need_bars_and_actions_of_eighty_eight_shares():
    found = wanted("north-america-compute", "domestic-compute")

    assert {need.table for need in found} == {"actions", "prices"}
    assert len(found) == 2 * 88
    assert {need.since for need in found} == {date(2023, 11, 23)}


def test_a_study_needs_its_indices_its_benchmark_and_those_of_its_events():
    found = wanted("compute-diffusion")

    series = {need.subject for need in found if need.table == "series"}
    assert series == {"HSTECH.HK", "000985.SH", "399006.SZ", "000688.SH"}
    assert len([need for need in found if need.table == "prices"]) == 88


def test_a_series_of_which_nothing_says_where_it_begins_is_needed_for_five_years():
    assert wanted("hang-seng-tech") == [Need("series", "HSTECH.HK", date(2021, 11, 23))]


def test_actions_come_before_the_prices_that_are_judged_by_them():
    tables = [need.table for need in wanted("compute-diffusion")]

    assert tables == sorted(tables, key=["actions", "prices", "series"].index)


def test_share_counts_are_needed_where_the_scheme_weighs_by_them():
    found = wanted("domestic-compute-free-float")

    assert len([need for need in found if need.table == "shares"]) == 41


def test_what_two_definitions_need_is_needed_once_from_the_earlier_date(tmp_path):
    text = """
version: 1
id: early
name: {en: Early}
currency: CNY
calendar: XSHG
base: {date: 2020-01-02, level: 1000}
weighting: {scheme: equal}
constituents: [{symbol: 688256.SH}, {symbol: 600584.SH}]
"""
    (tmp_path / "early.yaml").write_text(text)

    found = wanted("domestic-compute", str(tmp_path / "early.yaml"))

    shared = [need for need in found if (need.table, need.subject) == ("prices", "600584.SH")]
    assert shared == [Need("prices", "600584.SH", date(2019, 12, 3))]


def test_a_date_that_is_given_counts_for_all():
    assert {n.since for n in wanted("compute-diffusion", since=date(2026, 1, 5))} == {
        date(2026, 1, 5)
    }


@pytest.mark.parametrize(
    ("currency", "pairs"), [("HKD", ["HKD/CNY", "USD/HKD"]), ("CNY", ["HKD/CNY", "USD/CNY"])]
)
def test_pairs_are_asked_for_as_they_are_published(tmp_path, currency, pairs):
    text = f"""
version: 1
id: mixed
name: {{en: Mixed}}
currency: {currency}
calendar: XSHG
base: {{date: 2026-04-01, level: 1000}}
weighting: {{scheme: equal}}
constituents: [{{symbol: 600584.SH}}, {{symbol: 00700.HK}}, {{symbol: NVDA.US}}]
"""
    (tmp_path / "mixed.yaml").write_text(text)

    found = wanted(str(tmp_path / "mixed.yaml"))

    assert sorted(need.subject for need in found if need.table == "fx") == pairs


def test_what_is_looked_back_at_from_the_base_date_is_needed_as_well(tmp_path):
    text = """
version: 1
id: calm
name: {en: Calm}
currency: CNY
calendar: XSHG
base: {date: 2026-04-01, level: 1000}
weighting: {scheme: inverse_volatility, lookback: 60}
constituents: [{symbol: 600584.SH}]
"""
    (tmp_path / "calm.yaml").write_text(text)

    assert {need.since for need in wanted(str(tmp_path / "calm.yaml"))} == {date(2025, 11, 2)}


DATED = """
version: 1
id: dated
name: {en: Dated}
currency: CNY
calendar: XSHG
base: {date: 2024-04-01, level: 1000}
weighting: {scheme: %s}
constituents: [{symbol: %s}]
"""
BEFORE, DAY = date(2024, 6, 2), date(2024, 6, 3)
EARLIER = date(2024, 5, 4)  # by so much as a close may be carried


def needed(
    folder: Path, *told: tuple[str, date, str, str | None], symbol: str = "600584.SH"
) -> dict[tuple[str, str], Need]:
    """Return the needs of a basket of one share, given actions."""
    schema = {name: NONE.schema[name] for name in ("symbol", "ex_date", "kind", "other")}
    actions = pl.concat([NONE, pl.DataFrame(told, schema, orient="row")], how="diagonal")
    (folder / "dated.yaml").write_text(DATED % ("market_cap", symbol))
    found = needs_of([str(folder / "dated.yaml")], TODAY, actions)
    return {(need.table, need.subject): need for need in found}


OWN, OTHER, THIRD = "600584.SH", "600000.SH", "600036.SH"


@pytest.mark.parametrize(
    ("kind", "since", "until"),
    [("spinoff", EARLIER, None), ("merger", EARLIER, DAY), ("symbol_change", DAY, None)],
)
@pytest.mark.parametrize("table", ["prices", "actions"])
def test_what_it_becomes_is_needed_from_then(tmp_path, kind, since, until, table):
    need = needed(tmp_path, (OWN, DAY, kind, OTHER))[table, OTHER]

    assert (need.since, need.until) == (since, until)


@pytest.mark.parametrize(
    ("kind", "until"), [("spinoff", None), ("merger", None), ("symbol_change", BEFORE)]
)
def test_it_is_needed_as_long_as_it_has_its_symbol(tmp_path, kind, until):
    assert needed(tmp_path, (OWN, DAY, kind, OTHER))["prices", OWN].until == until


@pytest.mark.parametrize("kind", ["spinoff", "merger", "symbol_change"])
def test_what_goes_on_as_a_constituent_is_weighed(tmp_path, kind):
    found = needed(tmp_path, (OWN, DAY, kind, OTHER))

    assert (("shares", OTHER) in found) == (kind == "symbol_change")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("middle", [OTHER, "688256.SH"])
def test_what_happens_to_it_on_one_day_is_followed_in_any_order(tmp_path, order, middle):
    told = [(OWN, DAY, "symbol_change", middle), (middle, DAY, "symbol_change", THIRD)]
    found = needed(tmp_path, *told[::order])

    assert ("prices", THIRD) in found


@pytest.mark.parametrize("symbol", [OWN, OTHER])
def test_what_is_spun_off_on_the_day_of_a_change_is_needed(tmp_path, symbol):
    found = needed(tmp_path, (OWN, DAY, "symbol_change", OTHER), (symbol, DAY, "spinoff", THIRD))

    assert ("prices", THIRD) in found


def test_a_symbol_that_comes_back_is_needed_on(tmp_path):
    """A parallel counter in Hong Kong: under another code for some weeks."""
    back = date(2024, 7, 3)
    found = needed(
        tmp_path, (OWN, DAY, "symbol_change", OTHER), (OTHER, back, "symbol_change", OWN)
    )

    assert found["prices", OWN].until is None
    assert found["prices", OTHER].until == date(2024, 7, 2)


def test_a_symbol_that_is_told_to_come_back_on_the_same_day_is_needed_on(tmp_path):
    told = [(OWN, DAY, "symbol_change", OTHER), (OTHER, DAY, "symbol_change", OWN)]

    assert needed(tmp_path, *told)["prices", OWN].until is None


def test_a_change_before_the_index_began_is_followed(tmp_path):
    found = needed(tmp_path, (OWN, date(2020, 6, 3), "symbol_change", OTHER))

    assert ("prices", OWN) not in found
    assert found["prices", OTHER].since == date(2024, 3, 2)


def test_what_happened_before_the_index_began_does_not_count(tmp_path):
    found = needed(tmp_path, (OWN, date(2020, 6, 3), "spinoff", OTHER))

    assert ("prices", OTHER) not in found


def test_a_change_that_is_known_and_stored_as_well_is_followed_once(tmp_path):
    told = ("430047.BJ", date(2025, 10, 9), "symbol_change", "920047.BJ")

    assert needed(tmp_path, told, symbol=told[0]) == needed(tmp_path, symbol=told[0])


def test_a_rate_is_needed_of_what_is_spun_off_abroad(tmp_path):
    assert ("fx", "HKD/CNY") in needed(tmp_path, (OWN, DAY, "spinoff", "09660.HK"))


def test_a_study_in_one_currency_needs_the_rates_and_its_overlays(tmp_path):
    text = """
version: 1
id: in-dollars
name: {en: In dollars}
start: 2024-01-02
currency: USD
pairs: [{leader: north-america-compute, follower: hang-seng-tech}]
overlays: [{symbol: 000300.SH, name: breadth}]
"""
    (tmp_path / "in-dollars.yaml").write_text(text)
    found = {(n.table, n.subject): n.since for n in wanted(str(tmp_path / "in-dollars.yaml"))}

    beside = {key: since for key, since in found.items() if key[0] in {"fx", "series"}}
    subjects = {subject for _, subject in beside}
    assert {"USD/CNY", "HKD/USD", "HSTECH.HK", "000300.SH"} <= subjects
    assert set(beside.values()) == {date(2023, 12, 3)}
