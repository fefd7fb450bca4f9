"""Small studies to be worked by hand: ready-made series, and what is asked of them.

Unless told otherwise an index is a series in CNY on the Shanghai calendar, and a study compares
the indices it is given to the first of them from the beginning of 2024 on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from indexer.arrays import Days, Instants, Vector
from indexer.definitions.basket import Basket, Index, Series
from indexer.definitions.study import Study
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.signals.result import Comparison
from indexer.signals.study import compare

PLACES = {"a": "XNYS", "b": "XSHG", "c": "XHKG", "market": "XSHG"}
Told = dict[date, tuple[float, bool]]
MAINLAND, HONG_KONG, NEW_YORK = (read_calendar(code) for code in ("XSHG", "XHKG", "XNYS"))
START = date(2024, 1, 2)
SHORT = {"correlation": ["6"], "momentum": ["2"], "zscore": "10"}

# Of the bundled study.
PAIRS = [
    ("north-america-compute", "domestic-compute"),
    ("north-america-compute", "hang-seng-tech"),
]
TRIPLE = ("north-america-compute", "domestic-compute", "hang-seng-tech")


def days(*texts: str) -> Days:
    """Dates of 2024 written like 05-07."""
    return np.array([f"2024-{text}" for text in texts], dtype="datetime64[D]")


def series(id: str, calendar: str = "XSHG", currency: str = "CNY", **keys: Any) -> Series:
    """Definition of a ready-made series."""
    return Series(
        version="1",
        id=id,
        name={"en": id},
        kind="series",
        currency=currency,
        calendar=calendar,
        symbol="000001.SH",
        **keys,
    )


def basket(id: str, *symbols: str, **keys: Any) -> Basket:
    """Definition of a basket of some symbols."""
    return Basket.model_validate(
        {
            "version": "1",
            "id": id,
            "name": {"en": id},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": "2024-01-02", "level": 1000},
            "weighting": {"scheme": "equal"},
            "constituents": [{"symbol": symbol} for symbol in symbols],
            **keys,
        }
    )


def history(index: Index, on: Days, levels: Any, variant: str = "price") -> History:
    """Index whose levels are given; one level stands for all days."""
    level = np.broadcast_to(np.asarray(levels, dtype=float), on.shape)
    unknown = np.full(len(on), np.nan)
    carried = np.zeros(len(on), dtype=np.int64)
    return History(index, False, on, {variant: level}, unknown, unknown, carried)  # type: ignore[dict-item]


def study(*ids: str, **keys: Any) -> Study:
    """Study of the first index against each of the others; windows are short."""
    leader, *followers = ids
    return Study.model_validate(
        {
            "version": "1",
            "id": "example",
            "name": {"en": "Example"},
            "start": START,
            "benchmark": "market",
            "pairs": [{"leader": leader, "follower": follower} for follower in followers],
            "windows": SHORT,
            **keys,
        }
    )


def fixed_rates(rates: Mapping[str, float]) -> Any:
    """Rates of currencies that never move."""

    def fixings(currency: str, instants: Instants) -> Vector:
        return np.full(len(instants), rates[currency])

    return fixings


def compared(
    *histories: History, rates: Mapping[str, float] | None = None, **keys: Any
) -> Comparison:
    """Compare the first index with each of the others; one called ``market`` is the benchmark."""
    last = keys.pop("until", None)
    named = {found.definition.id: found for found in histories}
    asked = keys.pop("study", None) or study(*(id for id in named if id != "market"), **keys)
    return compare(asked, named, fixed_rates(rates or {}), until=last)


def walk(seed: int, count: int, still: list[tuple[int, int]] | None = None) -> Vector:
    """Levels of a random walk that stands still over some spans of rows."""
    moves = 0.02 * np.random.default_rng(seed).standard_normal(count)
    for first, length in still or []:
        moves[first : first + length] = 0.0
    return np.asarray(1000.0 * np.exp(np.cumsum(moves)))


@st.composite
def walks(draw: st.DrawFn, lines: int, count: int = 60, longest: int = 15) -> list[Vector]:
    """Levels of some random walks of one length, most with a constant stretch."""
    seed = draw(st.integers(0, 2**32))
    span = st.tuples(st.integers(0, count - 1), st.integers(0, longest))
    return [walk(seed + n, count, draw(st.lists(span, max_size=2))) for n in range(lines)]


def on_calendar(id: str, code: str, seed: int, **keys: Any) -> History:
    """Return a random walk on an exchange's sessions of half a year."""
    calendar = {"XSHG": MAINLAND, "XHKG": HONG_KONG, "XNYS": NEW_YORK}[code]
    on = calendar.between(START, date(2024, 6, 28))
    return history(series(id, code, **keys), on, walk(seed, len(on)))


def three() -> list[History]:
    """Return a leader in New York, a follower here and one in Hong Kong, and the benchmark."""
    return [on_calendar(id, code, n) for n, (id, code) in enumerate(PLACES.items())]


def told(found: Comparison, name: str, ids: Sequence[str], window: int | None) -> Told:
    """Return values and marks of one signal by date."""
    return chosen(found.table, name, ids, window)


def chosen(table: pl.DataFrame, name: str, ids: Sequence[str], window: int | None) -> Told:
    """Return what `told` does from a table that is made once for many signals."""
    rows = table.filter(
        pl.col("window").eq_missing(window),
        signal=name,
        leader=ids[0],
        follower=ids[1],
        other=ids[2] if len(ids) > 2 else "",
    )
    return {day: (v, mark) for day, v, mark in rows.select("date", "value", "backtested").rows()}


def same(found: Told, expected: Told, name: str) -> None:
    """Assert that two signals have the same dates and marks, and nine digits in common."""
    assert list(found) == list(expected), name
    assert [mark for _, mark in found.values()] == [mark for _, mark in expected.values()], name
    values, others = ([value for value, _ in side.values()] for side in (found, expected))
    np.testing.assert_allclose(values, others, rtol=1e-9, atol=1e-9, err_msg=name)


def until(found: History, last: date) -> History:
    """Return an index without its levels dated after a day."""
    known = found.days <= np.datetime64(last)
    levels = {name: level[known] for name, level in found.variants.items()}
    return replace(found, days=found.days[known], variants=levels)


def small(**keys: Any) -> Comparison:
    """Return a study of twelve sessions of May 2024 with a triple and a late follower."""
    on = days(*(f"05-{day:02}" for day in (6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 20, 21)))
    a, b, c = (history(series(id), on, walk(n, len(on))) for n, id in enumerate("abc"))
    late = replace(c, days=on[3:], variants={"price": c.variants["price"][3:]})
    market = history(series("market"), on, walk(4, len(on)))
    return compared(a, b, late, market, **keys)
