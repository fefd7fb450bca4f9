"""What definitions need of market data."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from indexer.market.tables import TABLES
from indexer.run.needs import Need, needs_of

TODAY = date(2026, 11, 27)


def wanted(*names: str, since: date | None = None) -> list[Need]:
    return needs_of(names, TODAY, since)


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


def needs_within(folder: Path, constituent: str, rule: str = "ignore") -> list[Need]:
    """Return what a constituent of an index that is rebalanced in June and December needs."""
    (folder / "dated.yaml").write_text(f"""
version: 1
id: dated
name: {{en: Dated}}
currency: CNY
calendar: XSHG
base: {{date: 2024-04-01, level: 1000}}
weighting: {{scheme: equal}}
rebalance: {{frequency: semiannual, day: second friday, untradable: {rule}}}
constituents: [{constituent}]
""")
    return [need for need in wanted(str(folder / "dated.yaml")) if need.table == "prices"]


def test_what_leaves_is_needed_up_to_the_rebalance_at_which_it_does(tmp_path):
    found = needs_within(tmp_path, "{symbol: 600584.SH, until: 2024-09-30}")

    assert [need.until for need in found] == [date(2024, 12, 13)]


def test_what_has_not_left_yet_is_needed_up_to_its_rebalance_to_come(tmp_path):
    found = needs_within(tmp_path, "{symbol: 600584.SH, until: 2027-01-01}")

    assert [need.until for need in found] == [date(2027, 6, 11)]


def test_what_enters_later_is_needed_from_the_start(tmp_path):
    """It may have been suspended since, be spun off before, or be looked back at by a signal."""
    found = needs_within(tmp_path, "{symbol: 600584.SH, from: 2024-09-30}")

    assert [need.since for need in found] == [date(2024, 4, 1) - timedelta(days=30)]


def test_what_may_be_frozen_is_needed_on(tmp_path):
    found = needs_within(tmp_path, "{symbol: 600584.SH, until: 2024-09-30}", rule="freeze")

    assert [need.until for need in found] == [None]


def test_actions_of_what_has_left_are_needed_on(tmp_path):
    """Bars that are stored already, and those another definition needs, are judged by them."""
    needs_within(tmp_path, "{symbol: 600584.SH, until: 2024-09-30}")

    assert {n.until for n in wanted(str(tmp_path / "dated.yaml")) if n.table == "actions"} == {None}


def test_what_was_never_in_is_needed_up_to_the_base_date(tmp_path):
    found = needs_within(tmp_path, "{symbol: 600584.SH, until: 2024-01-31}")

    assert [need.until for need in found] == [date(2024, 4, 1)]


def test_what_leaves_and_has_changed_its_symbol_is_needed_under_both(tmp_path):
    found = needs_within(tmp_path, "{symbol: 430047.BJ, until: 2025-11-30}")

    assert [(need.subject, need.until) for need in found] == [
        ("430047.BJ", date(2025, 10, 8)),
        ("920047.BJ", date(2025, 12, 12)),
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_what_one_definition_holds_on_is_needed_on(tmp_path, order):
    needs_within(tmp_path, "{symbol: 600584.SH, until: 2024-09-30}")

    found = wanted(*[str(tmp_path / "dated.yaml"), "domestic-compute"][::order])

    both = [need for need in found if (need.table, need.subject) == ("prices", "600584.SH")]
    assert both == [Need("prices", "600584.SH", date(2023, 11, 23))]


def ended(folder: Path, kind: str, other: str | None) -> dict[tuple[str, str], Need]:
    """Return the needs of a basket whose share has an action on 2024-06-03."""
    needs_within(folder, "{symbol: 600584.SH}")
    row = {"symbol": "600584.SH", "ex_date": date(2024, 6, 3), "kind": kind, "other": other}
    actions = pl.DataFrame([row], schema=TABLES["actions"].empty().schema)
    found = needs_of([str(folder / "dated.yaml")], TODAY, None, actions)
    return {(need.table, need.subject): need for need in found}


@pytest.mark.parametrize(("kind", "last"), [("delisting", 3), ("merger", 3), ("symbol_change", 2)])
def test_what_ends_is_needed_until_then(tmp_path, kind, last):
    other = None if kind == "delisting" else "600000.SH"
    found = ended(tmp_path, kind, other)

    assert found["prices", "600584.SH"].until == date(2024, 6, last)


@pytest.mark.parametrize(
    ("kind", "since"),
    [
        ("spinoff", date(2024, 6, 3)),
        ("merger", date(2024, 5, 4)),
        ("symbol_change", date(2024, 6, 3)),
    ],
)
def test_what_it_becomes_is_needed_from_then(tmp_path, kind, since):
    found = ended(tmp_path, kind, "600000.SH")

    assert found["prices", "600000.SH"].since == since


def test_what_spins_another_off_is_needed_on(tmp_path):
    assert ended(tmp_path, "spinoff", "600000.SH")["prices", "600584.SH"].until is None
