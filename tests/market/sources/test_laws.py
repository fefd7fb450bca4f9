"""Laws of the checks: whatever is clean is believed whole, and nothing wrong is believed."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.market.actions import Action
from tests.market.sources.example import Case, case

D = pl.col("date")
PRICES = ["open", "high", "low", "close"]
MAINLAND = ["300308.SZ", "600519.SH", "688981.SH", "920808.BJ"]
SYMBOLS = st.sampled_from([*MAINLAND, "00700.HK", "NVDA.US"])
COUNT = 40


@st.composite
def actions(draw: st.DrawFn) -> tuple[int, Action]:
    kind = draw(st.sampled_from(["bonus", "dividend", "special_dividend", "rights", "split"]))
    ratio, cash = draw(st.integers(1, 20)) / 10, draw(st.integers(1, 40)) / 100
    action = {
        "bonus": Action(kind, ratio=ratio),
        "rights": Action(kind, ratio=min(ratio, 1.0), price=2.0),
        "split": Action(kind, ratio=ratio + 1),
    }.get(kind, Action(kind, cash=cash))
    return draw(st.integers(1, COUNT - 1)), action


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a clean case: holidays, suspensions, actions, limits, a listing, and what is stored."""
    suspended = draw(st.lists(st.tuples(st.integers(1, COUNT - 9), st.integers(0, 8)), max_size=2))
    facts: dict[str, Any] = {
        "actions": draw(st.lists(actions(), max_size=3)),
        "suspended": [(first, first + more) for first, more in suspended],
        "limit_up": draw(st.lists(st.integers(6, COUNT - 1), max_size=4)),
        "listed": draw(st.booleans()),
        "back": draw(st.integers(0, 500)),
    }
    found = case(draw(SYMBOLS), COUNT, draw(st.integers(0, 2**32 - 1)), **facts)
    new = draw(st.integers(0, 12))
    return found.stored(new) if new else found


def put(frame: pl.DataFrame, k: int, change: pl.Expr | list[pl.Expr]) -> pl.DataFrame:
    rows = frame.with_row_index("k")
    changed = rows.filter(pl.col("k") == k).with_columns(change)
    return rows.update(changed, on="k", include_nulls=True).drop("k")


def again(frame: pl.DataFrame, k: int, *changes: pl.Expr) -> pl.DataFrame:
    return pl.concat([frame, frame[k].with_columns(*changes)])


def times(factor: float, *names: str) -> list[pl.Expr]:
    return [(pl.col(name) * factor).round(2) for name in names]


def closed_after(frame: pl.DataFrame, k: int) -> date:
    """Return the Saturday after a bar."""
    day: date = frame["date"][k]
    return day + timedelta(days=5 - day.weekday())


def swapped(frame: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    return frame.rename({one: other, other: one}).select(frame.columns)


def from_row(frame: pl.DataFrame, k: int, change: list[pl.Expr]) -> pl.DataFrame:
    return pl.concat([frame.head(k), frame.slice(k).with_columns(change)])


def frozen(frame: pl.DataFrame, k: int) -> pl.DataFrame:
    day = frame["date"][k]
    repeated = frame[k - 1].with_columns(pl.lit(day).alias("date"))
    return pl.concat([frame.head(k), repeated, frame.slice(k + 1)])


CHANGES: dict[str, Callable[[pl.DataFrame, int], pl.DataFrame]] = {
    "zero": lambda f, k: put(f, k, pl.lit(0.0).alias("close")),
    "negative": lambda f, k: put(f, k, -pl.col("close")),
    "nan": lambda f, k: put(f, k, pl.lit(float("nan")).alias("close")),
    "infinite": lambda f, k: put(f, k, pl.lit(float("inf")).alias("high")),
    "missing": lambda f, k: put(f, k, pl.lit(None, pl.Float64).alias("low")),
    "text": lambda f, k: put(
        f.with_columns(pl.col("close").cast(pl.String)), k, pl.lit("-").alias("close")
    ),
    "hole": lambda f, k: pl.concat([f.head(k), f.slice(k + 1)]),
    "head-cut": lambda f, k: f.slice(k),
    "tail-cut": lambda f, k: f.head(k),
    "twice": again,
    "conflict": lambda f, k: again(f, k, pl.col("low") - 0.01),
    "phantom": lambda f, k: again(f, k, pl.lit(closed_after(f, k)).alias("date")),
    "future": lambda f, k: again(f, k, pl.lit(date(2030, 1, 2)).alias("date")),
    "tenfold": lambda f, k: put(f, k, times(10, *PRICES)),
    "tenfold-with-amount": lambda f, k: put(f, k, times(10, *PRICES, "amount")),
    "hundredfold": lambda f, k: put(f, k, times(100, *PRICES)),
    "tenth": lambda f, k: put(f, k, times(0.1, *PRICES)),
    "tenth-with-amount": lambda f, k: put(f, k, times(0.1, *PRICES, "amount")),
    "tenfold-from-then": lambda f, k: from_row(f, max(k, 1), times(10, *PRICES)),
    "tenfold-with-amount-from-then": lambda f, k: from_row(
        f, max(k, 1), times(10, *PRICES, "amount")
    ),
    "adjusted-before": lambda f, k: pl.concat(
        [f.head(k).with_columns(times(0.7, *PRICES)), f.slice(k)]
    ),
    "close-for-high": lambda f, _: swapped(f, "close", "high"),
    "high-for-low": lambda f, _: swapped(f, "high", "low"),
    "volume-for-amount": lambda f, _: swapped(f, "volume", "amount"),
    "volume-for-close": lambda f, _: swapped(f, "volume", "close"),
    "day-later": lambda f, _: f.with_columns(D + timedelta(days=1)),
    "day-earlier": lambda f, _: f.with_columns(D - timedelta(days=1)),
    "lots": lambda f, _: f.with_columns(pl.col("volume") / 100),
    "lots-once": lambda f, k: put(f, k, pl.col("volume") / 100),
    "lots-from-then": lambda f, k: from_row(f, k, [pl.col("volume") / 100]),
    "volume-hundredfold": lambda f, _: f.with_columns(pl.col("volume") * 100),
    "frozen": lambda f, k: frozen(f, k) if k else f,
    "another-code": lambda f, k: put(f, k, pl.lit("000001.SZ").alias("symbol")),
    "no-columns": lambda *_: pl.DataFrame(),
    "no-rows": lambda f, _: f.clear(),
    "column-less": lambda f, _: f.drop("date"),
    "column-more": lambda f, _: f.with_columns(note=pl.lit("")),
    "order": lambda f, _: f.reverse(),
}


@given(cases())
def test_a_clean_reply_is_believed_whole(clean: Case):
    verdict = clean.check()

    assert (verdict.outcome, verdict.disregarded, verdict.missing) == ("ok", (), ())
    assert verdict.rows.equals(clean.bars)


@pytest.mark.parametrize("name", CHANGES)
@settings(max_examples=settings().max_examples // 10)
@given(clean=cases(), where=st.floats(0, 1, exclude_max=True))
def test_nothing_wrong_is_believed(name: str, clean: Case, where: float):
    """Every row is either as it was or held back and logged; `ok` means that none is missing."""
    changed = CHANGES[name](clean.bars, int(where * len(clean.bars)))

    verdict = clean.check(changed)  # counts rows received against rows believed and logged

    columns = ["symbol", "date", *PRICES]
    assert verdict.rows.join(clean.bars, on=columns, how="anti").is_empty()
    volume = verdict.rows.join(clean.bars, on=columns).drop_nulls("volume")
    assert ((volume["volume"] / volume["volume_right"] - 1).abs() < 1e-9).all()
    lost = set(clean.bars["date"]) - set(verdict.rows["date"])
    logged = {entry.date for entry in verdict.disregarded}
    assert lost <= logged | set(verdict.missing)
    if verdict.outcome == "ok":
        revised = {entry.date for entry in verdict.disregarded if entry.rule == "revision"}
        assert lost <= revised
