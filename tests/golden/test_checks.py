"""Real bars are the judge of false alarms: what the checks hold back of them is wrong indeed.

Each alarm was looked at. 2024-03-29, 2026-01-26 and 2026-06-16 hold bars taken before the close;
300476.SZ turns to lots on 2026-05-29; the volumes of 688256.SH are adjusted for a later bonus
issue, its prices are not; four bars lie up to three ticks beyond their limits, as prices do that
were computed back from adjusted ones; and 304 rows repeat a price through a suspension.
"""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from indexer.definitions.symbols import exchange_of
from indexer.market.calendar import read_calendar
from indexer.market.sources.bars import Known, Scope
from indexer.market.sources.check import check_bars
from indexer.market.sources.facts import check_actions, check_rates, check_shares
from indexer.market.sources.verdict import Disregarded, Verdict
from indexer.market.tables import TABLES, Market, read_market
from tests.shared import COMPUTE, SHARED, SSE50, real

pytestmark = real

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def checked(market: Market) -> dict[str, Verdict]:
    listed = dict(market.securities.select("symbol", "list_date").iter_rows())
    verdicts = {}
    for (symbol,), bars in market.prices.group_by("symbol", maintain_order=True):
        calendar = read_calendar(exchange_of(str(symbol)))
        scope = Scope(str(symbol), bars["date"].min(), bars["date"].max(), NOW)
        known = Known(calendar, actions=market.actions, listed=listed.get(str(symbol)))
        verdicts[str(symbol)] = check_bars(bars, scope, known)
    return verdicts


@pytest.fixture(scope="module")
def compute() -> dict[str, Verdict]:
    return checked(read_market(COMPUTE))


@pytest.fixture(scope="module")
def sse50() -> dict[str, Verdict]:
    return checked(read_market(SSE50))


def log(verdicts: dict[str, Verdict]) -> list[Disregarded]:
    return [entry for verdict in verdicts.values() for entry in verdict.disregarded]


def days(entries: list[Disregarded], rule: str) -> set[date | None]:
    return {entry.date for entry in entries if entry.rule == rule}


def test_every_row_is_believed_or_logged(compute: dict[str, Verdict], sse50: dict[str, Verdict]):
    for verdicts, received in ((compute, 182_031), (sse50, 9_502)):
        believed = sum(len(verdict.rows) for verdict in verdicts.values())
        assert believed + sum(not entry.field for entry in log(verdicts)) == received


def test_alarms_of_the_compute_folder_are_those_looked_at(compute: dict[str, Verdict]):
    entries = log(compute)

    assert Counter(entry.rule for entry in entries if entry.field in ("", "volume")) == {
        "filler": 289,
        "price": 55,
        "unit": 51,
        "turnover": 13,
        "limit": 4,
    }
    assert days(entries, "price") == {date(2024, 3, 29)}
    assert days(entries, "turnover") == {date(2024, 3, 29), date(2026, 6, 16)}
    assert {e.symbol for e in entries if e.rule == "unit"} == {"300476.SZ"}
    assert min(days(entries, "unit") - {None}, default=None) == date(2026, 5, 29)
    assert {e.symbol for e in entries if e.rule == "limit"} == {"002837.SZ", "688668.SH"}


def test_alarms_of_the_sse_50_folder_are_those_looked_at(sse50: dict[str, Verdict]):
    entries = log(sse50)

    assert Counter(entry.rule for entry in entries) == {"turnover": 180, "filler": 15}
    rest = [e for e in entries if e.rule == "turnover" and e.symbol != "688256.SH"]
    assert {entry.date for entry in rest} == {date(2026, 1, 26)}
    assert len(rest) == 4


def test_no_line_is_refused_whole_but_the_one_with_adjusted_volumes(
    compute: dict[str, Verdict], sse50: dict[str, Verdict]
):
    assert [s for s, v in (compute | sse50).items() if v.rows.is_empty()] == ["688256.SH"]


def test_sessions_without_a_bar_are_suspensions_or_the_known_end_of_a_source(
    compute: dict[str, Verdict],
):
    """The folder has no suspensions; its sources end on 2026-05-28 for some names."""
    held = {(entry.symbol, entry.date) for entry in log(compute)}
    holes = [
        (symbol, day)
        for symbol, verdict in compute.items()
        for day in verdict.missing
        if (symbol, day) not in held
    ]

    assert {symbol for symbol, day in holes if day < date(2026, 5, 28)} == {"300870.SZ"}
    assert len(holes) == 698


@pytest.mark.parametrize("folder", ["compute", "sse50"])
def test_a_day_that_follows_stored_ones_is_believed(folder: str, request: pytest.FixtureRequest):
    """Every line as it is fetched day by day: 20 sessions repeated and one new."""
    actions = read_market(SHARED / "market" / folder).actions
    for symbol, verdict in request.getfixturevalue(folder).items():
        if len(verdict.rows) < 21:
            continue
        stored, last = verdict.rows.head(-1), verdict.rows.tail(21)
        scope = Scope(symbol, last["date"][0], last["date"][-1], NOW)
        known = Known(read_calendar(exchange_of(symbol)), stored, actions)

        found = check_bars(last, scope, known)

        assert found.rows.equals(last)
        assert set(found.missing) <= set(verdict.missing)
        assert not found.disregarded


def around(symbol: str, rows: pl.DataFrame, *, series: bool = False) -> Scope:
    return Scope(symbol, rows["date"].min(), rows["date"].max(), NOW, series)


def test_real_actions_raise_no_alarm():
    market = read_market(COMPUTE)
    for (symbol,), rows in market.actions.group_by("symbol"):
        known = Known(read_calendar(exchange_of(str(symbol))), market.prices)
        scope = Scope(str(symbol), date(2020, 1, 1), date(2026, 12, 31), NOW)
        assert check_actions(rows, scope, known).outcome == "ok"


def test_real_share_counts_raise_no_alarm():
    market = read_market(COMPUTE)
    for (symbol,), rows in market.shares.group_by("symbol"):
        known = Known(read_calendar(exchange_of(str(symbol))), actions=market.actions)
        found = check_shares(rows, around(str(symbol), rows), known, TABLES["shares"].empty())
        assert found.outcome == "ok"


def test_real_rates_raise_no_alarm():
    for (base, quote), rows in read_market(COMPUTE).fx.group_by("base", "quote"):
        known = Known(read_calendar("XSHG"))
        found = check_rates(rows, around(f"{base}/{quote}", rows), known, TABLES["fx"].empty())
        assert found.outcome == "ok"


@pytest.mark.parametrize("folder", [COMPUTE, SSE50], ids=["compute", "sse50"])
def test_real_series_raise_no_alarm(folder: Path):
    for (symbol,), rows in read_market(folder).series.group_by("symbol"):
        levels = rows.select("symbol", "date", "close")
        known = Known(read_calendar(exchange_of(str(symbol))))
        assert check_bars(levels, around(str(symbol), rows, series=True), known).outcome == "ok"
