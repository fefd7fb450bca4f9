"""A study as a whole: every signal against the oracle, currency, variants, and what is missing."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.arrays import Days, Instants, Vector
from indexer.definitions.study import Study
from indexer.errors import MissingInputError
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.fx import rates_known
from indexer.market.tables import read_market
from indexer.signals.align import known_at
from indexer.signals.result import Comparison
from indexer.signals.study import compare
from tests.reference import catchup
from tests.reference import study as reference
from tests.signals.example import (
    HONG_KONG,
    MAINLAND,
    NEW_YORK,
    SHORT,
    START,
    basket,
    compared,
    days,
    fixed_rates,
    history,
    series,
    study,
    walk,
)

SPRING = MAINLAND.between(START, date(2024, 6, 28))
PLACES = {"a": "XNYS", "b": "XSHG", "c": "XHKG", "market": "XSHG"}
Told = dict[date, tuple[float, bool]]


def on_calendar(id: str, code: str, seed: int, **keys: object) -> History:
    """Return a random walk on an exchange's sessions of half a year."""
    calendar = {"XSHG": MAINLAND, "XHKG": HONG_KONG, "XNYS": NEW_YORK}[code]
    on = calendar.between(START, date(2024, 6, 28))
    return history(series(id, code, **keys), on, walk(seed, len(on)))


def three() -> list[History]:
    """Return a leader in New York, a follower here and one in Hong Kong, and the benchmark."""
    return [on_calendar(id, code, n) for n, (id, code) in enumerate(PLACES.items())]


def told(found: Comparison, name: str, ids: Sequence[str], window: int | None) -> Told:
    """Return values and marks of one signal by date."""
    rows = found.table.filter(
        pl.col("window").eq_missing(window),
        signal=name,
        leader=ids[0],
        follower=ids[1],
        other=ids[2] if len(ids) > 2 else "",
    )
    return {day: (v, mark) for day, v, mark in rows.select("date", "value", "backtested").rows()}


# --- every signal against the oracle --------------------------------------------------------------


class Oracle:
    """The same study by the slow implementation."""

    def __init__(self, asked: Study, histories: Sequence[History]) -> None:
        self.study = asked
        self.selected = {
            h.definition.id: h.definition.selected_on or date.min for h in histories
        }
        levels = {h.definition.id: _levels(h) for h in histories}
        sessions = MAINLAND.sessions.tolist()
        self.aligned = reference.align(
            sessions, asked.cutoff, levels, asked.start, paired=asked.indices
        )

    def rows(self, ids: Sequence[str]) -> list[date]:
        return reference.rows(self.aligned, ids, self.study.start)

    def levels(self, id: str, rows: list[date]) -> list[float]:
        found = reference.row_levels(self.aligned, rows, id)
        return [math.nan if level is None else level for level in found]

    def marked(
        self, rows: list[date], values: Sequence[float | None], ids: Sequence[str], window: int | None
    ) -> Told:
        selected = {id: self.selected[id] for id in ids}
        marks = reference.backtested(self.aligned, rows, selected, window)
        both = zip(rows, values, marks, strict=True)
        return {day: (value, mark) for day, value, mark in both if value is not None}

    def pair(self, ids: tuple[str, str], span: int, window: int, z: int) -> dict[str, Told]:
        """Return the signals of a pair by name."""
        rows = self.rows(ids)
        leader, follower = (self.levels(id, rows) for id in ids)
        strength = reference.relative_strength(leader, follower)
        logs = [math.log(value) for value in strength]
        moves = [reference.log_returns(x) for x in (leader, follower)]
        correlation = reference.rolling(reference.pearson, window, *moves)
        levels = reference.level_correlation(leader, follower, window)
        return {
            "relative_strength": self.marked(rows, strength, ids, None),
            "momentum": self.marked(rows, reference.momentum(logs, span), ids, span + 1),
            "zscore": self.marked(rows, reference.zscore(logs, z), ids, z),
            "correlation": self.marked(rows, correlation, ids, window + 1),
            "level_correlation": self.marked(rows, levels, ids, window),
        }

    def triple(self, ids: tuple[str, str, str], benchmark: str, window: int) -> dict[str, Told]:
        """Return the signals of a triple by name."""
        rows = self.rows(ids)
        lines = {id: self.levels(id, rows) for id in (*ids, benchmark)}
        a, b, c, m = (reference.log_returns(line) for line in lines.values())
        ratios = [reference.relative_strength(lines[ids[0]], lines[id]) for id in ids[1:]]
        statistics: dict[str, tuple[Callable[..., float | None], list[reference.Column]]] = {
            "ratio_correlation": (reference.ratio_correlation, [a, b, c]),
            "ratio_null": (reference.ratio_null, [a, b, c]),
            "ratio_excess": (reference.ratio_excess, [a, b, c]),
            "partial_correlation": (reference.partial_correlation, [b, c, a]),
            "partial_correlation_benchmark": (reference.partial_correlation, [b, c, a, m]),
        }
        found = {}
        for name, (statistic, columns) in statistics.items():
            used = (*ids, benchmark) if name.endswith("benchmark") else ids
            values = reference.rolling(statistic, window, *columns)
            found[name] = self.marked(rows, values, used, window + 1)
        levels = reference.level_correlation(*ratios, window)
        return found | {"level_correlation": self.marked(rows, levels, ids, window)}


def _levels(found: History) -> list[reference.Level]:
    moments = known_at(found.definition, found.days).astype("M8[us]").tolist()
    known_from = [datetime.replace(moment, tzinfo=UTC) for moment in moments]
    levels = next(iter(found.variants.values())).tolist()
    return list(zip(found.days.tolist(), known_from, levels, strict=True))


def same(found: Told, expected: Told, name: str) -> None:
    assert list(found) == list(expected), name
    values = ([value for value, _ in side.values()] for side in (found, expected))
    np.testing.assert_allclose(*values, rtol=1e-9, atol=1e-9, err_msg=name)
    marks = ([mark for _, mark in side.values()] for side in (found, expected))
    assert [*next(marks)] == [*next(marks)], name


class Gaps(NamedTuple):
    """What is drawn of one index: its walk, where it stands still, what share of days it lacks."""

    seed: int
    still: list[tuple[int, int]]
    lacking: float
    selected: date | None

    def history(self, id: str, code: str) -> History:
        """Return the index on the sessions of its exchange."""
        whole = on_calendar(id, code, 0)
        kept = np.random.default_rng(self.seed).random(len(whole.days)) >= self.lacking
        kept[30] = True
        level = walk(self.seed, len(whole.days), self.still)[kept]
        return history(series(id, code, selected_on=self.selected), whole.days[kept], level)


GAPS = st.builds(
    Gaps,
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 15)), max_size=2),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.none() | st.dates(START, date(2024, 6, 28)),
)
MARKETS = st.tuples(GAPS, GAPS, GAPS, GAPS)
Drawn = tuple[Gaps, Gaps, Gaps, Gaps]


def drawn(gaps: Drawn) -> list[History]:
    """Return a leader in New York, two followers and a benchmark."""
    return [g.history(id, code) for g, (id, code) in zip(gaps, PLACES.items(), strict=True)]


@settings(max_examples=25)
@given(MARKETS, st.integers(1, 9), st.integers(6, 12), st.integers(2, 30))
def test_every_signal_is_that_of_the_oracle(
    gaps: Drawn, span: int, window: int, z: int
) -> None:
    histories = drawn(gaps)
    windows = {"momentum": [str(span)], "correlation": [str(window)], "zscore": str(z)}
    asked = study("a", "b", "c", windows=windows)
    oracle = Oracle(asked, histories)
    found = compared(*histories, study=asked)
    lengths = {"relative_strength": None, "momentum": span, "zscore": z}
    for ids in (("a", "b"), ("a", "c")):
        for name, expected in oracle.pair(ids, span, window, z).items():
            same(told(found, name, ids, lengths.get(name, window)), expected, name)
    ids = ("a", "b", "c")
    expected = oracle.triple(ids, "market", window)
    for name, values in expected.items():
        same(told(found, name, ids, window), values, name)


@settings(max_examples=25)
@given(MARKETS, st.integers(10, 40), st.floats(0.3, 1.5), st.floats(0.05, 0.5))
def test_every_state_is_that_of_the_oracle(
    gaps: Drawn, z: int, enter: float, turn: float
) -> None:
    histories = drawn(gaps)[:2]
    windows = SHORT | {"zscore": str(z)}
    asked = study("a", "b", windows=windows, catch_up={"enter": enter, "turn": turn})
    oracle = Oracle(asked, histories)
    rows = oracle.rows(("a", "b"))
    levels = [oracle.levels(id, rows) for id in ("a", "b")]
    walked, _ = catchup.walk(catchup.inputs(*levels, z)._replace(enter=enter, turn=turn))
    expected = catchup.carry(list(oracle.aligned), rows, walked)
    table = compared(*histories, study=asked).state_table
    assert table["date"].to_list() == list(oracle.aligned)[-len(table) :]
    there = [row for row in expected if row is not None]
    assert len(there) == len(table)
    for row, state in zip(table.rows(named=True), there, strict=True):
        assert (row["state"], row["kind"]) == (state.state, state.kind)
        assert row["since"] == rows[state.since]
        assert row["peak_on"] == (None if state.peak is None else rows[state.peak])
        moves = [(row[name], getattr(state, name)) for name in ("move_leader", "move_follower")]
        for move, other in moves:
            assert (move is None) == (other is None)
            assert move is None or math.isclose(move, other, rel_tol=1e-9, abs_tol=1e-12)


# --- laws -----------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(MARKETS, st.dates(date(2024, 3, 1), date(2024, 6, 28)))
def test_it_never_looks_ahead(gaps: Drawn, last: date) -> None:
    """Cut every level after a day: what was told by then stays as it was, to the last bit."""
    histories = drawn(gaps)
    whole = compared(*histories)
    part = compared(*(_until(found, last) for found in histories))
    end = part.aligned.sessions[-1].item()
    for name in ("table", "state_table", "levels"):
        expected = getattr(whole, name).filter(pl.col("date") <= end)
        assert getattr(part, name).equals(expected), name


def _until(found: History, last: date) -> History:
    known = found.days <= np.datetime64(last)
    levels = {name: level[known] for name, level in found.variants.items()}
    return replace(found, days=found.days[known], variants=levels)


def test_until_looks_at_nothing_later() -> None:
    whole, part = compared(*three()), compared(*three(), until=date(2024, 5, 15))
    assert part.aligned.sessions[-1] == np.datetime64("2024-05-15")
    assert part.table.equals(whole.table.filter(pl.col("date") <= date(2024, 5, 15)))
    assert part.state_table.equals(whole.state_table.filter(pl.col("date") <= date(2024, 5, 15)))
    assert compared(*three(), until=date(2030, 1, 1)).table.equals(whole.table)


def test_swapping_the_followers_changes_only_their_names() -> None:
    a, b, c, market = three()
    for name in ("ratio_correlation", "ratio_null", "partial_correlation_benchmark"):
        one = told(compared(a, b, c, market), name, ("a", "b", "c"), 6)
        two = told(compared(a, c, b, market), name, ("a", "c", "b"), 6)
        same(one, two, name)


# --- pairs and triples ----------------------------------------------------------------------------


def test_pairs_that_share_a_leader_are_compared_with_each_other_once() -> None:
    a, b, c, market = three()
    pairs = [("a", "b"), ("c", "b"), ("a", "c"), ("a", "market")]
    asked = study("a", "b", pairs=[{"leader": x, "follower": y} for x, y in pairs], benchmark="x")
    found = compared(a, b, c, market, study=asked)
    assert found.triples == [("a", "b", "c"), ("a", "b", "market"), ("a", "c", "market")]


def test_a_triple_has_rows_of_its_own() -> None:
    """The pair of a and b goes on while c has no new level."""
    a, b, c, market = three()
    c = _until(c, date(2024, 6, 14))
    found = compared(a, b, c, market)
    pair, triple = (told(found, "correlation", "ab", 6), told(found, "ratio_null", "abc", 6))
    assert max(pair) == date(2024, 6, 28)
    assert max(triple) == date(2024, 6, 14)


# --- benchmark ------------------------------------------------------------------------------------


def test_a_study_without_its_benchmark_says_so() -> None:
    *indices, market = three()
    found = compared(*indices)
    assert found.warnings == ("benchmark market left out: it has no data here",)
    assert "partial_correlation_benchmark" not in set(found.table["signal"])
    whole = compared(*indices, market)
    assert not whole.warnings
    rest = whole.table.filter(pl.col("signal") != "partial_correlation_benchmark")
    assert rest.equals(found.table)


def test_a_benchmark_that_is_one_of_the_three_is_no_control() -> None:
    found = compared(*three(), study=study("a", "b", "c", benchmark="b"))
    assert not found.warnings
    assert "partial_correlation_benchmark" not in set(found.table["signal"])


def test_a_stale_benchmark_takes_part_with_its_last_level_and_makes_no_row() -> None:
    *indices, market = three()
    found = compared(*indices, _until(market, date(2024, 5, 15)))
    whole = told(compared(*indices, market), "partial_correlation_benchmark", "abc", 6)
    part = told(found, "partial_correlation_benchmark", "abc", 6)
    assert [d for d in part if d <= date(2024, 5, 15)] == [d for d in whole if d <= date(2024, 5, 15)]
    # While some of its returns are there it still explains; once none is, it cannot.
    assert date(2024, 5, 15) < max(part) < date(2024, 5, 24)
    assert max(told(found, "ratio_null", "abc", 6)) == date(2024, 6, 28)


def test_a_benchmark_that_was_selected_later_marks_what_rests_on_it() -> None:
    *indices, _ = three()
    market = on_calendar("market", "XSHG", 3, selected_on=date(2024, 4, 1))
    found = compared(*indices, market)
    given_it = told(found, "partial_correlation_benchmark", "abc", 6)
    marked = [day for day, (_, mark) in given_it.items() if mark]
    rows = list(told(found, "ratio_correlation", "abc", 6))
    first_clean = next(n for n, day in enumerate(rows) if day >= date(2024, 4, 1)) + 6
    assert marked == rows[:first_clean]
    assert not any(mark for _, mark in told(found, "partial_correlation", "abc", 6).values())


# --- variants -------------------------------------------------------------------------------------


def test_an_index_without_the_variant_takes_part_with_what_it_has_and_is_flagged() -> None:
    on, level = SPRING, walk(1, len(SPRING))
    whole = history(basket("a", "600000.SH"), on, level, "gross")
    whole.variants["price"] = level / 2
    lacking, ready = history(basket("b", "600000.SH"), on, walk(2, len(on))), three()[1]
    ready = replace(ready, definition=series("c"))
    found = compared(whole, lacking, ready, history(series("market"), on, level), variant="gross")
    assert found.warnings == (
        "b has no gross variant here: its price is used",
        "c has no gross variant here: its price is used",
    )
    assert np.array_equal(found.aligned.level[:, 0], level)
    assert np.array_equal(found.aligned.level[:, 1], walk(2, len(on)))
    assert np.array_equal(compared(whole, lacking).aligned.level[:, 0], level / 2)


# --- currency -------------------------------------------------------------------------------------


def test_levels_are_converted_before_they_are_compared() -> None:
    """At rates that never move nothing but the levels changes."""
    one = on_calendar("a", "XNYS", 1, currency="USD")
    two = on_calendar("b", "XHKG", 2, currency="HKD")
    rates = {"USD": 7.0, "HKD": 0.9}
    local, found = compared(one, two), compared(one, two, rates=rates, currency="CNY")
    np.testing.assert_allclose(found.aligned.level, local.aligned.level * [7.0, 0.9], rtol=1e-15)
    for name in ("relative_strength", "correlation"):
        window = 6 if name == "correlation" else None
        same(told(found, name, "ab", window), told(local, name, "ab", window), name)


def test_rates_are_asked_for_in_the_index_currency_at_every_cutoff() -> None:
    asked: list[tuple[str, Instants]] = []

    def fixings(currency: str, instants: Instants) -> Vector:
        asked.append((currency, instants))
        return np.ones(len(instants))

    one, two = on_calendar("a", "XNYS", 1, currency="USD"), on_calendar("b", "XSHG", 2)
    histories = {"a": one, "b": two}
    found = compare(study("a", "b", currency="HKD", cutoff="17:30 Asia/Tokyo"), histories, fixings)
    assert [currency for currency, _ in asked] == ["USD", "CNY"]
    half_past_five = found.aligned.sessions + np.timedelta64(8 * 60 + 30, "m")
    assert all(np.array_equal(instants, half_past_five) for _, instants in asked)


@pytest.mark.parametrize(
    ("fixed_at", "rates"),
    [
        ("", [7.0, 7.1]),
        ("T09:59:00Z", [7.1, 7.2]),
        ("T10:00:00Z", [7.1, 7.2]),
        ("T10:01:00Z", [7.0, 7.1]),
    ],
    ids=["no instant", "before the cut-off", "at the cut-off", "after the cut-off"],
)
def test_only_a_fixing_known_at_the_cutoff_converts(
    tmp_path: Path, fixed_at: str, rates: list[float]
) -> None:
    """A rate of the day itself, without a word when it was fixed, is tomorrow's."""
    tables = {
        "fx": ["date,base,quote,rate,fixed_at"]
        + [
            f"{day},USD,CNY,{rate},{day + fixed_at if fixed_at else ''}"
            for day, rate in zip(("2024-05-06", "2024-05-07", "2024-05-08"), (7, 7.1, 7.2), strict=True)
        ],
        "series": ["symbol,date,close"]
        + [f"{s},2024-05-0{n},100" for s in ("IXIC.US", "000001.SH") for n in (6, 7, 8)],
    }
    for name, rows in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(rows), encoding="utf-8")
    market = read_market(tmp_path)
    asked = study("a", "b", currency="CNY", start=date(2024, 5, 7))
    indices = [
        series("a", "XNYS", "USD").model_copy(update={"symbol": "IXIC.US"}),
        series("b"),
    ]

    def fixings(currency: str, instants: Instants) -> Vector:
        return rates_known(market, currency, "CNY", instants, asked.cutoff_time[1])

    found = compare(asked, {i.id: build(i, market) for i in indices}, fixings)
    np.testing.assert_allclose(found.aligned.level[:, 0], [100 * rate for rate in rates])
    assert found.aligned.level[:, 1].tolist() == [100.0, 100.0]


def test_before_the_first_fixing_an_index_has_no_level() -> None:
    def fixings(currency: str, instants: Instants) -> Vector:
        known = instants >= np.datetime64("2024-02-01")
        return np.where(known | (currency == "CNY"), 7.0, np.nan)

    histories = {
        "a": on_calendar("a", "XNYS", 1, currency="USD"),
        "b": on_calendar("b", "XSHG", 2),
    }
    found = compare(study("a", "b", currency="CNY"), histories, fixings)
    assert min(told(found, "relative_strength", "ab", None)) == date(2024, 2, 1)
    assert found.levels.filter(index="a")["date"].min() == date(2024, 2, 1)


# --- too little to look at ------------------------------------------------------------------------


def test_one_row_has_a_relative_strength_and_a_state_and_nothing_else() -> None:
    on: Days = days("05-07")
    found = compared(*(history(series(id), on, 100.0) for id in ("a", "b", "c", "market")))
    assert found.table["signal"].to_list() == ["relative_strength"] * 2
    assert found.table["value"].to_list() == [100.0, 100.0]
    assert found.state_table["state"].to_list() == ["neutral"] * 2


@pytest.mark.parametrize("keys", [{"start": date(2024, 7, 1)}, {"until": date(2023, 12, 1)}])
def test_a_pair_without_a_session_in_common_is_an_error_that_names_it(keys: dict[str, date]) -> None:
    with pytest.raises(MissingInputError, match=r"b: no session from .* with levels of both a"):
        compared(*three(), **keys)


def test_indices_that_begin_after_the_other_ended_still_meet() -> None:
    """The last level of the one is carried, so the first of the other is a row, and the only."""
    old = history(series("a"), days("05-06", "05-07"), 100.0)
    new = history(series("b"), days("05-09", "05-10"), 100.0)
    assert list(told(compared(old, new), "relative_strength", "ab", None)) == [date(2024, 5, 9)]


def test_a_study_in_local_currency_asks_for_no_rate() -> None:
    histories = {found.definition.id: found for found in three()}
    assert compare(study("a", "b"), histories, fixed_rates({})).table.height > 0
