"""Some evenings on recorded answers, and how those are cut and faulted below akshare."""

from datetime import date

import pytest

from benchmarks.standin.faults import Fault
from benchmarks.standin.market import Market, bars_of
from benchmarks.years import cut, faulted, simulate
from indexer.market.sources.source import Ask

DAYS = [date(2026, 6, day) for day in (8, 9, 10, 11, 12)]
BARS = bars_of(dict(zip(DAYS, (20.0, 20.4, 20.1, 19.9, 20.3), strict=True)), 0.004)
COLUMNS = {
    "symbol": ["600001.SH"] * 5,
    "date": [str(bar.day) for bar in BARS],
    **{n: [getattr(b, n) for b in BARS] for n in ("open", "high", "low", "close")},
    **{n: [getattr(b, n) for b in BARS] for n in ("volume", "amount")},
    "previous_close": [20.0, 20.0, 20.4, 20.1, 19.9],
}
MARKET = Market(DAYS[-1], bars={"600001.SH": BARS})


def ask(table: str, since: date = DAYS[0], until: date = DAYS[-1]) -> Ask:
    return Ask(table, "600001.SH", since, until, DAYS[-1])  # type: ignore[arg-type]


def test_an_answer_is_cut_to_what_is_asked_for_and_known():
    told = cut(COLUMNS, ask("prices", DAYS[1]), DAYS[3])

    assert told["columns"]["date"] == [str(day) for day in DAYS[1:4]]


def test_without_a_row_it_is_no_answer():
    assert cut(COLUMNS, ask("prices", DAYS[4]), DAYS[3])["done"] == "no_data_unexplained"


def test_payouts_are_known_a_week_before_and_none_in_the_span_is_an_answer():
    columns = {"ex_date": ["2026-06-15"], "kind": ["dividend"]}

    assert cut(columns, ask("actions"), DAYS[0])["columns"]["ex_date"] == []
    assert cut(columns, ask("actions"), date(2026, 6, 1))["done"] == "no_data_unexplained"
    late = ask("actions", until=date(2026, 7, 1))
    assert cut(columns, late, DAYS[0])["columns"]["ex_date"] == ["2026-06-15"]


def test_the_count_that_holds_at_the_start_belongs_to_the_answer():
    columns = {"date": ["2025-01-02", "2026-01-05"], "total_shares": [1e9, 1.4e9]}

    told = cut(columns, ask("shares"), DAYS[-1])

    assert told["columns"]["total_shares"] == [1.4e9]


def test_a_bar_under_a_fault_is_what_the_next_one_calls_the_previous_close():
    told = faulted(COLUMNS, "prices", Fault("scaled_up", 3), MARKET)

    assert told["close"] == [20.0, 20.4, 201.0, 19.9, 20.3]
    assert told["previous_close"] == [20.0, 20.0, 20.4, 201.0, 19.9]


@pytest.mark.parametrize("table", ["series", "fx", "actions", "shares"])
def test_figures_of_other_tables_are_faulted_too(table):
    given = {
        "series": {"symbol": ["X"], "date": ["2026-06-08"], "close": [100.0]},
        "fx": {"date": ["2026-06-08"], "base": ["USD"], "quote": ["CNY"], "rate": [7.1]},
        "actions": {"symbol": ["X"], "ex_date": ["2026-06-08"], "kind": ["dividend"]}
        | {"cash": [0.5], "ratio": [None], "price": [None]},
        "shares": {"symbol": ["X"], "date": ["2026-06-08"]}
        | {"total_shares": [1e9], "free_float_shares": [9e8]},
    }[table]

    told = faulted(given, table, Fault("scaled_up"), MARKET)

    figure = {"series": "close", "fx": "rate", "actions": "cash", "shares": "total_shares"}[table]
    assert told[figure] == [pytest.approx(10 * given[figure][0])]
    assert {name: told[name] for name in given if name in {"symbol", "kind", "base"}} == {
        name: given[name] for name in given if name in {"symbol", "kind", "base"}
    }


def test_evenings_without_faults_refuse_nothing():
    """What is fetched on two evenings is what the second one alone brings."""
    found = simulate(every=5, share=0.0, limit=2)

    assert (found["wrong"], found["lacking"], found["attempts_refused"]) == (0, [], 0)
