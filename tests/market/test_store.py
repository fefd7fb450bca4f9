"""The market store: what is written is what is read, at every version and after any accident."""

import multiprocessing
import random
import signal
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import MarketDataError, OutputError
from indexer.market import store
from indexer.market.store import KEYS, PROVENANCE, read_rows, write_rows
from indexer.market.tables import TABLES, read_market
from tests.market.writers import (
    day_of,
    pair,
    prices,
    versions,
    write_and_die,
    write_for_ever,
    write_often,
)

SYMBOLS = ("00700.HK", "300308.SZ", "NVDA.US")
DAYS = [date(2024, 1, 2) + timedelta(n) for n in range(4)]

fork = multiprocessing.get_context("forkserver")
fork.set_forkserver_preload(["tests.market.writers"])  # else each takes a second to begin


def dividends(*rows: tuple[str, date, float]) -> pl.DataFrame:
    columns = {"symbol": pl.String, "ex_date": pl.Date, "cash": pl.Float64}
    return pl.DataFrame(rows, columns, orient="row").with_columns(kind=pl.lit("dividend"))


def closes(folder: Path | str) -> dict[tuple[str, date], float]:
    """Return the closes that a market is read with."""
    rows = read_market(folder).prices
    return {(r["symbol"], r["date"]): r["close"] for r in rows.iter_rows(named=True)}


cells = st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(DAYS))
batches = st.lists(st.dictionaries(cells, st.sampled_from([1.0, 2.0]), max_size=5), max_size=6)


@settings(deadline=None, max_examples=15)
@given(batches)
def test_a_store_is_a_dictionary_at_every_version(written: list[dict[Any, float]]) -> None:
    """Late rows, rows sent again and corrected rows, in any order; equal ones change nothing."""
    with tempfile.TemporaryDirectory() as folder:
        write_rows(folder, {"prices": prices()})
        model, past = dict[Any, float](), [dict[Any, float]()]
        for batch in written:
            model = model | batch
            past += [model] if model != past[-1] else []
            sent = prices(*((*cell, close) for cell, close in batch.items()))
            assert write_rows(folder, {"prices": sent}) == len(past) - 1

        assert closes(folder) == model
        assert [closes(f"{folder}@{version}") for version in range(len(past))] == past


sets = st.lists(
    st.dictionaries(
        st.sampled_from(SYMBOLS),
        st.lists(st.tuples(st.sampled_from(DAYS), st.sampled_from([1.0, 2.0])), max_size=3),
        min_size=1,
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=15)
@given(sets)
def test_actions_are_sets_of_their_symbols_in_the_order_given(
    written: list[dict[str, list[tuple[date, float]]]],
) -> None:
    """Two equal rows are two actions; a symbol named without rows has none any more."""
    with tempfile.TemporaryDirectory() as folder:
        write_rows(folder, {"actions": dividends()})
        model, past = dict[str, Any](), [dict[str, Any]()]
        for batch in written:
            model = {s: rows for s, rows in (model | batch).items() if rows}
            past += [model] if model != past[-1] else []
            sent = dividends(*((s, *row) for s, rows in batch.items() for row in rows))
            assert write_rows(folder, {"actions": sent}, symbols=batch) == len(past) - 1

        for version, expected in enumerate(past):
            found: dict[str, Any] = {}
            for row in read_market(f"{folder}@{version}").actions.iter_rows(named=True):
                found.setdefault(row["symbol"], []).append((row["ex_date"], row["cash"]))
            assert found == expected


def test_a_symbol_named_alone_has_no_actions_any_more(tmp_path: Path) -> None:
    write_rows(tmp_path, {"actions": dividends(*((s, DAYS[0], 1.0) for s in SYMBOLS))})
    assert write_rows(tmp_path, {}, symbols=iter(SYMBOLS[:1])) == 1
    assert read_rows(tmp_path, "actions")["symbol"].to_list() == list(SYMBOLS[1:])
    assert write_rows(tmp_path, {}, symbols=SYMBOLS[:1]) == 1


ROWS: dict[str, dict[str, Any]] = {
    "prices": {"symbol": "300308.SZ", "date": "2024-01-02", "close": "10.5", "volume": "3"},
    "securities": {"symbol": "300308.SZ", "segment": "optical", "points": "7", "grade": "A"},
    "shares": {"symbol": "300308.SZ", "date": "2024-01-02", "total_shares": "1000"},
    "actions": {"symbol": "300308.SZ", "ex_date": "2024-01-02", "kind": "dividend", "cash": "1"},
    "suspensions": {"symbol": "300308.SZ", "from": "2024-01-02", "until": "2024-01-05"},
    "fx": {"date": "2024-01-02", "base": "USD", "quote": "CNY", "rate": "7.1"}
    | {"fixed_at": "2024-01-02T08:15:00Z"},
    "series": {"symbol": "399006.SZ", "date": "2024-01-02", "close": "1800"},
}
CHANGES: dict[str, dict[str, Any]] = {
    "prices": {"close": "10.6"},
    "securities": {"points": "8"},
    "shares": {"total_shares": "1001"},
    "actions": {"cash": "2"},
    "suspensions": {"until": "2024-01-08"},
    "fx": {"rate": "7.2"},
    "series": {"close": "1801"},
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_read_as_from_a_file_and_corrected_by_key(tmp_path: Path, name: str) -> None:
    place = tmp_path / "store"
    for version, row in enumerate((ROWS[name], ROWS[name] | CHANGES[name])):
        frame = pl.DataFrame([row])
        folder = tmp_path / str(version)
        folder.mkdir()
        frame.write_csv(folder / f"{name}.csv")

        assert write_rows(place, {name: frame}) == version
        assert write_rows(place, {name: frame}) == version
        plain = getattr(read_market(folder), name)
        assert getattr(read_market(place), name).select(plain.columns).equals(plain)


def test_where_a_row_is_from_is_kept_and_is_no_change(tmp_path: Path) -> None:
    one = (SYMBOLS[0], DAYS[0], 1.0)
    fetched = pl.lit("2024-01-02T10:00:00Z"), pl.lit("a" * 64)
    sent = prices(one, source="first").with_columns(fetched_at=fetched[0], sha256=fetched[1])
    write_rows(tmp_path, {"prices": sent})
    assert write_rows(tmp_path, {"prices": prices(one, source="second")}) == 0

    [row] = read_rows(tmp_path, "prices").select(*PROVENANCE).rows()
    assert row == ("first", datetime(2024, 1, 2, 10, tzinfo=UTC), "a" * 64)
    assert write_rows(tmp_path, {"prices": prices((*one[:2], 2.0), source="second")}) == 1
    assert read_rows(tmp_path, "prices")["source"].to_list() == ["second"]


def test_who_gives_a_row_again_without_a_source_has_entered_it(tmp_path: Path) -> None:
    one = (SYMBOLS[0], DAYS[0], 1.0)
    write_rows(tmp_path, {"prices": prices(one, source="first")})

    assert write_rows(tmp_path, {"prices": prices(one)}) == 1
    assert write_rows(tmp_path, {"prices": prices(one, source="first")}) == 1
    assert read_rows(tmp_path, "prices")["source"].to_list() == [None]


def test_a_store_is_from_everybody_its_rows_are_from(tmp_path: Path) -> None:
    sent = [prices((SYMBOLS[n], DAYS[0], 1.0), source=f"source {n}") for n in (1, 0)]
    assert write_rows(tmp_path, {"prices": sent[0]}) == 0
    assert write_rows(tmp_path, {"prices": sent[1]}) == 1

    assert read_market(tmp_path).manifest.source == "source 0, source 1"
    assert read_market(f"{tmp_path}@0").manifest.source == "source 1"
    (tmp_path / "manifest.yaml").write_text("source: a vendor")
    assert read_market(tmp_path).manifest.source == "a vendor"


def test_rows_that_agree_but_for_where_they_are_from_are_one(tmp_path: Path) -> None:
    one = (SYMBOLS[0], DAYS[0], 1.0)
    sent = pl.concat([prices(one, source="first"), prices(one, source="second")])
    write_rows(tmp_path, {"prices": sent})
    assert read_rows(tmp_path, "prices")["source"].to_list() == ["first"]


def test_wrong_rows_are_refused_whole(tmp_path: Path) -> None:
    bad = prices((SYMBOLS[0], DAYS[0], 1.0), (SYMBOLS[0], DAYS[0], 2.0), (SYMBOLS[1], DAYS[0], 0.0))
    rate = pl.DataFrame([ROWS["fx"] | {"rate": "-1"}])
    with pytest.raises(MarketDataError) as refused:
        write_rows(tmp_path, {"prices": bad, "fx": rate})

    assert [str(flaw).split(":")[0] for flaw in refused.value.flaws] == [
        "prices row 3",
        "prices row 1",
        "fx row 1",
    ]
    assert list(tmp_path.iterdir()) == []


def test_stored_rows_are_read_by_symbol(tmp_path: Path) -> None:
    rows = [(symbol, day, 1.0) for symbol in SYMBOLS for day in DAYS]
    write_rows(tmp_path, {"prices": prices(*rows)})
    found = read_rows(tmp_path, "prices", [SYMBOLS[1]])

    assert found.select("symbol", "date", "close").rows() == [r for r in rows if r[0] == SYMBOLS[1]]
    assert read_rows(tmp_path, "shares").schema == read_rows(tmp_path / "none", "shares").schema


def test_many_small_files_are_made_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FILES", 4)
    days = [date(2024, 1, 1) + timedelta(n) for n in range(12)]
    for day in days:
        write_rows(tmp_path, {"prices": prices((SYMBOLS[0], day, 1.0))})

    assert len(DeltaTable(tmp_path / "prices").file_uris()) <= 4
    assert sorted(day for _, day in closes(tmp_path)) == days
    assert len(closes(f"{tmp_path}@5")) == 6


def test_a_table_that_stands_in_a_file_is_not_written_beside_it(tmp_path: Path) -> None:
    pl.DataFrame([ROWS["fx"]]).write_csv(tmp_path / "fx.csv")
    with pytest.raises(MarketDataError, match=r"fx\.csv: cannot be added to"):
        write_rows(tmp_path, {"fx": pl.DataFrame([ROWS["fx"]])})
    write_rows(tmp_path, {"prices": pl.DataFrame([ROWS["prices"]])})

    assert len(read_market(tmp_path).fx) == len(read_market(tmp_path).prices) == 1


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_rows(tmp_path / "file", {"prices": pl.DataFrame([ROWS["prices"]])})


@pytest.mark.parametrize("name", ["市场", "a b", "{x}", "x#y?*"])
def test_a_store_may_have_almost_any_name(tmp_path: Path, name: str) -> None:
    for n in range(2):
        assert write_rows(tmp_path / name, pair(n)) == n
    assert assert_whole(tmp_path / name) == 2
    assert assert_whole(f"{tmp_path / name}@0") == 1


@pytest.mark.parametrize("name", ["a%20b", "a[1]", "a|b", "a\\b", "a^b", "a\tb"])
def test_a_name_that_deltalake_takes_for_another_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="a folder of Delta tables has no "):
        write_rows(tmp_path / name, pair(0))
    assert list(tmp_path.iterdir()) == []


# Other writers, and none that gets to its end


def each_whole(folder: Path | str, writers: int) -> list[int]:
    """Check that all transactions up to one are there and nothing of any other; count each's."""
    market, counts = read_market(folder), []
    for who in range(writers):
        symbol, quote = f"{600_000 + who}.SH", "ABCD"[who] * 3
        days = market.prices.filter(pl.col("symbol") == symbol)["date"].sort().to_list()
        assert days == market.fx.filter(pl.col("quote") == quote)["date"].sort().to_list()
        assert days == [day_of(n) for n in range(len(days))]
        counts.append(len(days))
    return counts


def assert_whole(folder: Path | str) -> int:
    """Check the transactions of a single writer; return how many there are."""
    return sum(each_whole(folder, 1))


def test_racing_writers_lose_nothing(tmp_path: Path) -> None:
    writers = [fork.Process(target=write_often, args=(tmp_path, n, 4)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * 4
    assert each_whole(tmp_path, 4) == [4] * 4
    assert versions(tmp_path) == 16
    assert [sum(each_whole(f"{tmp_path}@{v}", 4)) for v in range(16)] == list(range(1, 17))


def test_a_reader_beside_a_writer_sees_whole_transactions(tmp_path: Path) -> None:
    write_rows(tmp_path, pair(0))
    writer = fork.Process(target=write_often, args=(tmp_path, 0, 20))
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(assert_whole(tmp_path))
    writer.join()

    assert assert_whole(tmp_path) == 20
    assert len(seen) > 2


def test_killed_at_any_moment_the_last_good_version_is_read_and_written_on(tmp_path: Path) -> None:
    moments, done = random.Random(20261127), 0  # noqa: S311
    for _ in range(12):
        begun = fork.Event()
        writer = fork.Process(target=write_for_ever, args=(tmp_path, done, begun))
        writer.start()
        begun.wait()
        time.sleep(moments.uniform(0.0, 0.5))
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        before, done = done, versions(tmp_path)
        assert done >= before
        assert done == 0 or assert_whole(tmp_path) == done

    write_rows(tmp_path, pair(done))
    assert done > 0
    assert [assert_whole(f"{tmp_path}@{v}") for v in range(done + 1)] == list(range(1, done + 2))


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("begun", [0, 1])
def test_between_the_commits_of_two_tables_there_is_no_new_version(
    tmp_path: Path, begun: int, after: int
) -> None:
    write_often(tmp_path, 0, begun)
    dying = fork.Process(target=write_and_die, args=(tmp_path, after))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert (tmp_path / "fx").exists() == (begun + after > 0)
    assert versions(tmp_path) == begun + (after == 2)

    other = {"fx": pair(5, 1)["fx"], "prices": pair(5, 1)["prices"]}
    assert write_rows(tmp_path, other) == begun + (after == 2)
    rates = read_market(tmp_path).fx["date"].to_list()
    assert (day_of(1) in rates) == (after == 2)
    assert len(rates) == len(read_market(tmp_path).prices)


def test_what_others_wrote_to_a_table_of_a_store_does_not_count(tmp_path: Path) -> None:
    """It cannot be told from what was never finished."""
    write_rows(tmp_path, pair(0))
    stray = read_rows(tmp_path, "fx").with_columns(quote=pl.lit("XXX"))
    write_deltalake(tmp_path / "fx", stray, mode="append")
    assert assert_whole(tmp_path) == 1
    write_rows(tmp_path, pair(1))

    assert read_rows(tmp_path, "fx")["quote"].to_list() == ["AAA"] * 2


def test_keys_are_those_of_the_tables() -> None:
    assert {name for name, key in KEYS.items() if not key} == {"actions"}
    assert all(TABLES[name].key in ((), key) for name, key in KEYS.items())
