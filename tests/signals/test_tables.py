"""Intervals, leads and lags, episodes and events as tables: columns, dates, and what is null."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from indexer.signals.result import Comparison
from tests.reference import signal_strength
from tests.signals.example import (
    MAINLAND,
    PAIRS,
    START,
    TRIPLE,
    compared,
    history,
    on_calendar,
    series,
    study,
    walk,
)

EVENT = date(2025, 3, 3)


@pytest.fixture(scope="module")
def eventful() -> Comparison:
    """Two years of a leader, a follower and a benchmark, with an event and one too late."""
    on = MAINLAND.between(START, date(2025, 3, 10))
    common = np.log(walk(1, len(on)))
    levels = [np.exp(0.7 * common + np.log(walk(n, len(on)))) for n in (2, 3, 4)]
    found = [
        history(series(id, "XSHG"), on, level)
        for id, level in zip(("a", "b", "market"), levels, strict=True)
    ]
    events = [
        {"date": str(EVENT), "name": "News", "indices": ["a", "b", "gone", "market"]},
        {"date": "2025-03-20", "name": "Later", "indices": ["a"]},
        {"date": "2023-06-01", "name": "Earlier", "indices": ["a"]},
        {"date": "2024-06-03", "name": "Soon", "indices": ["a"]},
    ]
    return compared(*found, study=study("a", "b", events=events))


def test_the_intervals_are_those_of_the_oracle(sample: Comparison) -> None:
    table = sample.interval_table
    assert table.columns == [
        "leader", "follower", "interval", "begin", "end",
        "return_leader", "return_follower", "return_strength", "backtested",
    ]  # fmt: skip
    for (leader, follower), pair in zip(PAIRS, sample.pairs, strict=True):
        rows = table.filter(leader=leader, follower=follower)
        assert set(rows["end"]) == {pair.rows.days[-1].item()}
        levels = [np.exp(line).tolist() for line in pair.rows.logs()]
        expected = signal_strength.interval_table(pair.rows.days.tolist(), *levels)
        there = [row for row in expected if row.relative_strength is not None]
        found = rows.select("return_leader", "return_follower", "return_strength").rows()
        assert len(found) == len(there)
        for row, wanted in zip(found, there, strict=True):
            assert row == pytest.approx((wanted.leader, wanted.follower, wanted.relative_strength))
    assert table.filter(interval="rows_250")["backtested"].all()
    assert not table.filter(interval="rows_20")["backtested"].any()


def test_a_return_too_large_to_be_a_number_is_null() -> None:
    leader, follower = ([1e-300, 1e300], [1.0, 1.0])
    found = compared(
        *(
            history(series(n), MAINLAND.between(START, date(2024, 1, 3)), level)
            for n, level in (("a", leader), ("b", follower))
        )
    )
    (row,) = found.interval_table.filter(interval="rows_1").rows(named=True)
    assert (row["return_leader"], row["return_follower"]) == (None, 0.0)


def test_leads_and_lags_stand_beside_their_band(sample: Comparison) -> None:
    table = sample.leadlag_table
    assert table.columns == ["leader", "follower", "lag", "correlation", "band"]
    for (_, follower), pair in zip(PAIRS, sample.pairs, strict=True):
        rows = table.filter(follower=follower)
        assert rows["lag"].to_list() == list(range(-10, 11))
        assert pair.lead_lag is not None
        assert set(rows["band"]) == {pair.lead_lag.band}
        same_day = rows.filter(lag=0)["correlation"].item()
        assert same_day > rows.filter(pl.col("lag") != 0)["correlation"].abs().max()


def test_episodes_are_the_states_told_one_by_one(sample: Comparison) -> None:
    table, states = sample.episode_table, sample.state_table
    assert table.columns == [
        "leader", "follower", "stretched_on", "peak_on", "turn_on", "closed_on", "kind",
        "failed_turns", "gap_at_turn", "closed_share", "forward_5", "forward_20", "forward_60",
        "backtested",
    ]  # fmt: skip
    for _, follower in PAIRS:
        own = states.filter(follower=follower)
        since = own.filter(pl.col("state") == "stretched")["since"].unique()
        rows = table.filter(follower=follower)
        assert len(rows) > 0
        assert set(rows["stretched_on"]) <= set(since)
        closed = own.filter(pl.col("state") == "closed")["since"].unique().sort()
        assert rows["closed_on"].drop_nulls().to_list() == closed.to_list()


def test_an_event_is_told_row_by_row_as_far_as_there_are_rows(eventful: Comparison) -> None:
    """The fifth and last row after it is 10 March."""
    table = eventful.event_table
    assert set(table["name"]) == {"News", "Soon"}
    table = table.filter(name="News")
    assert set(table["index"]) == {"a", "b"}
    for id in ("a", "b"):
        rows = table.filter(index=id)
        assert rows["offset"].to_list() == list(range(-5, 6))
        assert rows.filter(offset=0)["date"].item() == EVENT
        assert rows["date"].is_sorted()
        assert rows["p"].is_null().to_list() == [n != 0 for n in range(-5, 6)]
        sums = np.cumsum(rows["abnormal"].to_numpy())
        assert rows["cumulative"].to_list() == pytest.approx(sums.tolist())
        assert set(rows["placebos"]) == {195}
        assert set(rows["constituents"]) == {0}


def test_why_an_event_tells_nothing_is_said(eventful: Comparison) -> None:
    """There are 283 rows: of an event on the hundredth no abnormal return can be told."""
    outside = "left out: the event lies outside the rows it shares with the benchmark"
    assert eventful.summary["warnings"] == [
        f"event of {EVENT}: gone left out: it has no data here",
        f"event of {EVENT}: market left out: it is the benchmark",
        f"event of 2025-03-20: a {outside}",
        f"event of 2023-06-01: a {outside}",
        "event of 2024-06-03: a has no abnormal return: fewer than 251 rows come before, the "
        "benchmark stands still then, or it is all there is to the index",
    ]


def test_why_an_event_tells_nothing_is_said_in_chinese_too(eventful: Comparison) -> None:
    assert [warning.zh for warning in eventful.warnings] == [
        f"{EVENT}的事件：gone没有数据，未纳入",
        f"{EVENT}的事件：market即为基准，未纳入",
        "2025-03-20的事件：a未纳入：事件不在其与基准共有的各期之内",
        "2023-06-01的事件：a未纳入：事件不在其与基准共有的各期之内",
        "2024-06-03的事件：a没有异常收益：此前不足251期，或其间基准不变，或指数的变动全在基准之内",
    ]


def test_a_study_without_events_or_long_rows_has_empty_tables_of_all_columns() -> None:
    short = [on_calendar(id, "XSHG", n) for n, id in enumerate(("a", "b"))]
    found = compared(*short)
    assert found.event_table.is_empty()
    assert found.event_table.width == 16
    assert TRIPLE[0] not in found.interval_table["leader"]


def test_episodes_and_events_are_in_the_order_of_time(
    sample: Comparison, eventful: Comparison
) -> None:
    """Not those of one pair or index after those of another."""
    episodes, events = sample.episode_table, eventful.event_table

    assert episodes["follower"].n_unique() > 1
    assert events["index"].n_unique() > 1
    assert episodes["stretched_on"].is_sorted()
    assert events["date"].is_sorted()
