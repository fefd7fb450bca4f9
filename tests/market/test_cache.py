"""Closes kept from one run to the next: whatever happens to the cache, the answer is right."""

import mmap
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable
from numpy.testing import assert_array_equal

from indexer.errors import MarketDataError, MissingInputError
from indexer.market import cache
from indexer.market.cache import read_grid
from indexer.market.grid import CloseGrid, grid_of
from indexer.market.store import write_rows
from indexer.market.tables import read_table
from tests.market.readers import SYMBOLS, assert_right, read_and_die, read_often

fork = multiprocessing.get_context("forkserver")
fork.set_forkserver_preload(["tests.market.readers"])  # else each takes a second to begin


def write_prices(folder: Path, times: float = 1.0, *, amounts: bool = True) -> Path:
    """Write prices of three symbols on 200 days, a few missing; return the file."""
    days = np.arange("2024-01-02", 200, dtype="datetime64[D]")
    rows = {
        "symbol": np.repeat(SYMBOLS, len(days)),
        "date": np.tile(days, len(SYMBOLS)),
        "close": times * np.arange(1.0, 1 + len(SYMBOLS) * len(days)),
        "amount": np.arange(len(SYMBOLS) * len(days), dtype=float),
    }
    frame = pl.DataFrame(rows)[:-7]
    folder.mkdir(exist_ok=True)
    file = folder / "prices.csv"
    (frame if amounts else frame.drop("amount")).write_csv(file)
    return file


def settle(file: Path) -> None:
    """Wait until a change of a file is one of the past."""
    while time.time_ns() - file.stat().st_ctime_ns < cache.SETTLED + 50_000_000:
        time.sleep(0.05)


@pytest.fixture(scope="module")
def markets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of market folders whose files have not changed lately."""
    top = tmp_path_factory.mktemp("markets")
    write_prices(top / "one")
    write_prices(top / "bare", amounts=False)
    for n in range(cache.KEPT["closes"] + 2):
        last = write_prices(top / f"other{n}", 2.0 + n)
    settle(last)
    return top


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder closes are kept in, not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "indexer" / "closes"


def stored(kept: Path, suffix: str = ".closes") -> list[Path]:
    return sorted(kept.glob(f"*{suffix}"))


def mapped(grid: CloseGrid) -> bool:
    """Return whether a grid comes from the cache."""
    owner: object = grid.close
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(owner, mmap.mmap)


@pytest.mark.parametrize("name", ["one", "bare"])
def test_the_second_time_it_is_mapped_and_the_same(markets: Path, kept: Path, name: str) -> None:
    first, second = read_grid(markets / name), read_grid(markets / name)

    assert not mapped(first)
    assert mapped(second)
    assert_right(first, markets / name)
    assert_right(second, markets / name)
    assert not second.close.flags.writeable
    assert [p.stat().st_mode & 0o777 for p in (kept, *kept.iterdir())] == [0o700, 0o600, 0o600]


def test_a_file_of_the_same_content_has_the_same_grid(markets: Path, tmp_path: Path) -> None:
    read_grid(markets / "one")
    shutil.copytree(markets / "one", tmp_path / "copy")

    assert mapped(read_grid(tmp_path / "copy"))


def test_the_same_bytes_of_another_kind_of_table_have_not(markets: Path, tmp_path: Path) -> None:
    """What is in a CSV file is no Parquet file."""
    read_grid(markets / "one")
    (tmp_path / "odd").mkdir()
    shutil.copy(markets / "one" / "prices.csv", tmp_path / "odd" / "prices.parquet")

    with pytest.raises(MarketDataError, match="cannot be read as a table"):
        read_grid(tmp_path / "odd")


def test_a_change_is_seen(tmp_path: Path) -> None:
    file = write_prices(tmp_path / "m")
    settle(file)
    read_grid(tmp_path / "m")
    write_prices(tmp_path / "m", 2.0)

    assert_right(read_grid(tmp_path / "m"), tmp_path / "m")


def test_a_change_that_hides_its_time_is_seen(tmp_path: Path, kept: Path) -> None:
    """The same size, inode and mtime: only the ctime tells, which nobody can set."""
    file = write_prices(tmp_path / "m")
    settle(file)
    read_grid(tmp_path / "m")
    before = file.stat()
    with file.open("r+b") as stream:
        text = stream.read().replace(b",111.0,", b",999.0,")
        stream.seek(0)
        stream.write(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_ino) == (before.st_size, before.st_ino)
    assert after.st_mtime_ns == before.st_mtime_ns
    found = read_grid(tmp_path / "m")

    assert 999.0 in found.close
    assert_right(found, tmp_path / "m")


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path, kept: Path) -> None:
    """Another change within one tick of the file system's clock would leave no trace."""
    file = write_prices(tmp_path / "m")
    assert_right(read_grid(tmp_path / "m"), tmp_path / "m")
    assert not list(kept.iterdir())

    settle(file)
    read_grid(tmp_path / "m")
    assert len(list(kept.iterdir())) == 2


def damages() -> Iterator[tuple[str, object]]:
    yield "empty", lambda whole: b""
    yield "cut in the digest", lambda whole: whole[:40]
    yield "cut in the labels", lambda whole: whole[:300]
    yield "cut in the figures", lambda whole: whole[:-8]
    yield "longer", lambda whole: whole + b"\0" * 8
    yield "of zeros", lambda whole: bytes(len(whole))
    yield "of another format", lambda whole: whole.replace(b"2024-01-02", b"2024-01-01")
    yield "pickle", lambda whole: b"cos\nabort\n(tR."
    yield "an endless length", lambda whole: whole[:64] + b"\xff" * 8 + whole[72:]
    for at in (0, 63, 64, 71, 72, 80, 500):
        yield (
            f"one bit at {at}",
            lambda whole, at=at: whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        )


DAMAGES = dict(damages())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_grid_is_built_again(markets: Path, kept: Path, damage) -> None:
    read_grid(markets / "one")
    (place,) = stored(kept)
    whole = place.read_bytes()
    assert damage(whole) != whole
    place.write_bytes(damage(whole))

    again = read_grid(markets / "one")
    assert not mapped(again)
    assert_right(again, markets / "one")
    assert place.read_bytes() == whole
    assert mapped(read_grid(markets / "one"))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"../../etc/passwd", b"0" * 64, b"0" * 63])
def test_a_damaged_memory_of_a_digest_does_no_harm(markets: Path, kept: Path, text: bytes) -> None:
    read_grid(markets / "one")
    (memo,) = stored(kept, ".digest")
    memo.write_bytes(text)

    assert_right(read_grid(markets / "one"), markets / "one")


def test_a_grid_of_another_version_is_not_used(
    markets: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_grid(markets / "one")
    stored(kept, ".digest")[0].unlink()
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)

    assert not mapped(read_grid(markets / "one"))
    assert len(stored(kept)) == 2


def test_a_folder_open_to_others_is_neither_read_nor_written(markets: Path, kept: Path) -> None:
    read_grid(markets / "one")
    kept.chmod(0o777)
    before = {p: p.stat().st_mtime_ns for p in kept.iterdir()}

    assert not mapped(read_grid(markets / "one"))
    assert_right(read_grid(markets / "other0"), markets / "other0")
    assert {p: p.stat().st_mtime_ns for p in kept.iterdir()} == before


def test_a_folder_reached_by_a_link_or_of_another_owner_is_not_used(
    markets: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_grid(markets / "one")
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: kept.stat().st_uid + 1)
        assert not mapped(read_grid(markets / "one"))
    kept.rename(kept.with_name("elsewhere"))
    kept.symlink_to(kept.with_name("elsewhere"))

    assert not mapped(read_grid(markets / "one"))


def test_without_a_place_for_it_nothing_is_lost_but_time(
    markets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")

    assert_right(read_grid(markets / "one"), markets / "one")


def test_a_full_disk_costs_only_time(
    markets: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    assert_right(read_grid(markets / "one"), markets / "one")
    assert not list(kept.iterdir())


def test_only_the_newest_are_kept(markets: Path, kept: Path) -> None:
    for n in range(cache.KEPT["closes"] + 2):
        assert_right(read_grid(markets / f"other{n}"), markets / f"other{n}")

    assert len(stored(kept)) == cache.KEPT["closes"]
    assert mapped(read_grid(markets / f"other{n}"))
    assert not mapped(read_grid(markets / "other0"))


def test_a_grid_stays_whole_for_those_who_have_it_when_it_is_replaced(
    markets: Path, kept: Path
) -> None:
    read_grid(markets / "one")
    held = read_grid(markets / "one")
    for path in kept.iterdir():
        path.unlink()

    assert_right(held, markets / "one")


@pytest.mark.parametrize("after", [*range(9), 99])
def test_being_killed_at_any_moment_leaves_no_wrong_answer(
    markets: Path, kept: Path, after: int
) -> None:
    home = os.environ["XDG_CACHE_HOME"]
    process = fork.Process(target=read_and_die, args=(markets / "one", after, home))
    process.start()
    process.join()
    assert process.exitcode == (0 if after == 99 else -signal.SIGKILL)

    for _ in range(2):
        assert_right(read_grid(markets / "one"), markets / "one")
    assert mapped(read_grid(markets / "one"))


def test_what_was_half_written_long_ago_is_removed(markets: Path, kept: Path) -> None:
    read_grid(markets / "one")
    for name, age in (("old", 7200), ("new", 60)):
        (kept / name).touch()
        os.utime(kept / name, (time.time() - age,) * 2)
    read_grid(markets / "other0")

    assert not (kept / "old").exists()
    assert (kept / "new").exists()


def test_two_processes_at_once_are_both_right(markets: Path, kept: Path) -> None:
    home = os.environ["XDG_CACHE_HOME"]
    processes = [fork.Process(target=read_often, args=(markets, 10, home)) for _ in range(2)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        for place in stored(kept):
            place.unlink(missing_ok=True)  # so that they go on writing
        time.sleep(0.02)
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    assert not [p for p in kept.iterdir() if not p.suffix]


def test_a_folder_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="holds no table prices"):
        read_grid(tmp_path)


def test_two_files_of_prices_are_refused(tmp_path: Path) -> None:
    file = write_prices(tmp_path / "m")
    pl.read_csv(file).write_parquet(tmp_path / "m" / "prices.parquet")

    with pytest.raises(MarketDataError, match="both exist"):
        read_grid(tmp_path / "m")


def test_wrong_prices_are_refused_each_time(tmp_path: Path, kept: Path) -> None:
    file = write_prices(tmp_path / "m", -1.0)
    settle(file)

    for _ in range(2):
        with pytest.raises(MarketDataError, match="expected a finite number above zero"):
            read_grid(tmp_path / "m")
    assert not stored(kept)


def test_a_table_without_rows_is_an_empty_grid(tmp_path: Path, kept: Path) -> None:
    (tmp_path / "prices.csv").write_text("symbol,date,close\n", encoding="utf-8")

    found = read_grid(tmp_path)
    assert (found.close.shape, found.symbols, found.amount) == ((0, 0), (), None)


# Of a store


def rows_of(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "prices.csv", try_parse_dates=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of four versions, all of them some time ago, and of plain folders beside it.

    The plain folder ``one`` holds the rows of versions 2 and 3, ``half`` those of version 0.
    """
    top = tmp_path_factory.mktemp("store")
    write_prices(top / "one")
    whole = rows_of(top / "one")
    (top / "half").mkdir()
    whole[::2].write_csv(top / "half" / "prices.csv")
    write_rows(top / "store", {"prices": whole[::2]})
    write_rows(top / "store", {"prices": whole[1::4]})
    write_rows(top / "store", {"prices": whole})
    rate = {"date": ["2024-01-02"], "base": ["USD"], "quote": ["CNY"], "rate": [7.1]}
    write_rows(top / "store", {"fx": pl.DataFrame(rate)})
    settle(max((top / "store" / "prices").glob("*.parquet"), key=lambda f: f.stat().st_ctime_ns))
    return top / "store"


def test_each_version_of_a_store_has_its_own_grid(store: Path, kept: Path) -> None:
    for version, plain in ((0, "half"), (2, "one"), (0, "half"), (2, "one")):
        seen = len(stored(kept))
        found = read_grid(f"{store}@{version}")
        expected = grid_of(read_table(store.parent / plain, "prices"))
        assert mapped(found) == (seen == 2)
        assert found.symbols == expected.symbols
        assert_array_equal(found.days, expected.days)
        assert_array_equal(found.close, expected.close)
        assert_array_equal(found.amount, expected.amount)


def test_a_version_with_the_same_prices_has_the_same_grid(store: Path) -> None:
    read_grid(f"{store}@2")
    assert mapped(read_grid(f"{store}@3"))
    assert mapped(read_grid(store))


def test_a_copy_of_a_store_that_goes_on_by_itself_has_a_grid_of_its_own(
    store: Path, tmp_path: Path
) -> None:
    """The table has the same id and the same number of versions."""
    for n, name in enumerate(("a", "b")):
        shutil.copytree(store, tmp_path / name)
        day = pl.DataFrame({"symbol": ["NVDA.US"], "date": ["2025-01-02"], "close": [1.0 + n]})
        assert write_rows(tmp_path / name, {"prices": day}) == 4
    time.sleep(cache.SETTLED / 1e9 + 0.1)

    for _ in range(2):
        assert read_grid(tmp_path / "a").close[-1, -1] == 1.0
        assert read_grid(tmp_path / "b").close[-1, -1] == 2.0


def test_a_file_of_a_store_that_is_changed_in_its_place_is_read_again(
    store: Path, tmp_path: Path
) -> None:
    shutil.copytree(store, tmp_path / "m")
    time.sleep(cache.SETTLED / 1e9 + 0.1)
    read_grid(tmp_path / "m")
    assert mapped(read_grid(tmp_path / "m"))
    file = DeltaTable(tmp_path / "m" / "prices").file_uris()[0]
    pl.read_parquet(file).with_columns(pl.col("close") * -1).write_parquet(file)

    with pytest.raises(MarketDataError, match=r"^prices/: "):
        read_grid(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"close": 0.0}, "close 0.0: expected"),
        ({"close": np.inf}, "close inf: expected"),
        ({"close": np.nan}, "close nan: expected"),
        ({"close": None}, "close is empty"),
        ({"amount": -1.0}, "amount -1.0: expected"),
        ({"amount": np.nan}, "amount nan: expected"),
        ({"symbol": "6.SH"}, "symbol '6.SH': expected"),
        ({"symbol": None}, "symbol is empty"),
        ({"date": None}, "date is empty"),
        ({"close": 7.0}, "conflicts in rows"),
    ],
    ids=str,
)
def test_what_others_wrote_into_a_table_is_checked(
    store: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    rows = rows_of(store.parent / "one")
    bad = rows[:1].with_columns(**{k: pl.lit(v, rows[k].dtype) for k, v in change.items()})
    rows.write_delta(tmp_path / "prices")
    bad.write_delta(tmp_path / "prices", mode="append")

    with pytest.raises(MarketDataError, match=said):
        read_grid(tmp_path)


def test_a_column_that_others_left_out_is_missed(tmp_path: Path) -> None:
    pl.DataFrame({"symbol": ["NVDA.US"], "date": ["2024-01-02"]}).write_delta(tmp_path / "prices")
    with pytest.raises(MarketDataError, match="required column 'close' is missing"):
        read_grid(tmp_path)


def test_rows_that_agree_are_one_in_a_table_of_others_too(store: Path, tmp_path: Path) -> None:
    rows = rows_of(store.parent / "one")
    pl.concat([rows, rows]).write_delta(tmp_path / "prices")
    assert_right(read_grid(tmp_path), store.parent / "one")


def test_a_store_in_two_forms_is_refused(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "m")
    shutil.copy(store.parent / "one" / "prices.csv", tmp_path / "m")
    with pytest.raises(MarketDataError, match="both exist"):
        read_grid(tmp_path / "m")
