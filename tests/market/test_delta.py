"""Folders of Delta tables: which version is read, and what is said of what is wrong."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable

import indexer
from indexer.errors import MarketDataError, MissingInputError
from indexer.market.delta import split_version
from indexer.market.inputs import Used, inputs_of
from indexer.market.store import write_rows
from indexer.market.tables import TABLES, read_market, read_table
from tests.market.writers import pair, prices
from tests.shared import COMPUTE, real

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "seeds" / "market"


def files_of(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the tables of a plain folder as they stand in their files."""
    found = {file.stem: pl.read_csv(file, infer_schema=False) for file in folder.glob("*.csv")}
    found |= {file.stem: pl.read_parquet(file) for file in folder.glob("*.parquet")}
    return {name: rows for name, rows in found.items() if name in TABLES}


def as_store(folder: Path, place: Path) -> Path:
    """Write the tables of a plain folder into a store, the later half of each table first."""
    place.mkdir()
    (place / "manifest.yaml").write_text((folder / "manifest.yaml").read_text("utf-8"), "utf-8")
    for name, rows in files_of(folder).items():
        half = 0 if name == "actions" else len(rows) // 2
        write_rows(place, {name: rows[half:]})
        write_rows(place, {name: rows[:half]} if half else {})
    return place


def same_histories(one: Path, other: Path, basket: str) -> None:
    """Compare all tables of an index on two markets, bit for bit, and what it rests on."""
    definition = indexer.read_basket(ROOT / "baskets" / f"{basket}.yaml")
    found = [indexer.build(definition, read_market(folder)) for folder in (one, other)]
    for table in ("levels", "weights", "events", "contributions", "excluded"):
        assert getattr(found[0], table).equals(getattr(found[1], table))
    assert found[0].summary == found[1].summary


def test_a_store_gives_the_history_of_the_folder_with_the_same_rows(tmp_path: Path) -> None:
    store = as_store(SAMPLE, tmp_path / "store")
    same_histories(SAMPLE, store, "domestic-compute")
    same_histories(SAMPLE, store, "chinext")


@real
def test_a_store_gives_the_history_of_real_prices(tmp_path: Path) -> None:
    same_histories(COMPUTE, as_store(COMPUTE, tmp_path / "store"), "domestic-compute")


def test_a_store_has_the_digest_of_the_folder_with_the_same_rows(tmp_path: Path) -> None:
    one, other = read_market(SAMPLE), read_market(as_store(SAMPLE, tmp_path / "store"))
    symbols = dict.fromkeys(one.prices["symbol"], date.min)
    used = Used(symbols, frozenset({"CNY", "HKD", "USD"}), amounts=True)
    digests = [inputs_of(m, used).digest(date(2026, 1, 30)) for m in (one, other)]
    assert digests[0] == digests[1]
    for name in ("prices", "shares", "fx", "series"):
        keys = TABLES[name].key
        assert getattr(one, name).sort(keys).equals(getattr(other, name).sort(keys))


# Which version is read


def closes(market: Path | str) -> list[float]:
    return read_market(market).prices["close"].sort().to_list()


def three_versions(folder: Path) -> Path:
    for n in range(3):
        write_rows(folder, pair(n))
    return folder


def test_a_version_names_one_state_of_all_tables(tmp_path: Path) -> None:
    three_versions(tmp_path)
    for version in range(3):
        market = read_market(f"{tmp_path}@{version}")
        assert len(market.prices) == len(market.fx) == version + 1
        assert len(read_table(f"{tmp_path}@{version}", "fx")) == version + 1


@pytest.mark.parametrize("version", [3, 99])
def test_a_version_that_is_not_there_is_said_with_those_that_are(
    tmp_path: Path, version: int
) -> None:
    three_versions(tmp_path)
    with pytest.raises(MissingInputError, match=f"has no version {version}: its .* are 0 to 2"):
        read_market(f"{tmp_path}@{version}")


def test_a_folder_of_files_has_no_versions() -> None:
    with pytest.raises(MissingInputError, match="has no version 3: no Delta table prices/ in it"):
        read_market(f"{SAMPLE}@3")


@pytest.mark.parametrize("name", ["market@1", "a@b", "@7", "m@"])
def test_a_folder_that_has_such_a_name_is_that_folder(tmp_path: Path, name: str) -> None:
    folder = three_versions(tmp_path / name)
    assert split_version(folder) == (folder, None)
    assert closes(folder) == [1.0, 2.0, 3.0]
    assert closes(f"{folder}@1") == [1.0, 2.0]
    assert closes(f"{folder}/@0") == [1.0]


def test_beside_a_folder_with_its_name_a_version_is_written_with_a_slash(tmp_path: Path) -> None:
    three_versions(tmp_path / "m")
    write_rows(tmp_path / "m@1", pair(7))
    assert closes(tmp_path / "m@1") == [8.0]
    assert closes(tmp_path / "m/@1") == [1.0, 2.0]


@pytest.mark.parametrize("name", ["m@-1", "m@1.0", "m@latest", "m@", "m@２"])
def test_what_is_no_version_is_a_name(tmp_path: Path, name: str) -> None:
    three_versions(tmp_path / "m")
    with pytest.raises(MissingInputError, match="no such market folder"):
        read_market(tmp_path / name)


def test_a_version_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three_versions(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert closes("@1") == closes(".@1") == [1.0, 2.0]


# Other people's tables, and mixed folders


def test_files_and_delta_tables_may_be_mixed(tmp_path: Path) -> None:
    three_versions(tmp_path)
    (tmp_path / "securities.csv").write_text("symbol,segment\n600000.SH,banks\n", "utf-8")
    for market in (tmp_path, f"{tmp_path}@0"):
        assert read_market(market).securities["segment"].to_list() == ["banks"]


def test_a_table_in_two_forms_is_refused(tmp_path: Path) -> None:
    three_versions(tmp_path)
    pair(0)["fx"].write_csv(tmp_path / "fx.csv")
    with pytest.raises(MarketDataError, match=r"fx\.csv and fx/ both exist: keep one of them"):
        read_market(tmp_path)


def test_delta_tables_of_other_software_are_read_as_they_are_now(tmp_path: Path) -> None:
    series = pl.DataFrame({"symbol": ["HSI.HK"], "date": [date(2024, 1, 2)], "close": [1.0]})
    series.write_delta(tmp_path / "series")
    assert len(read_market(tmp_path).series) == 1

    prices(("00700.HK", date(2024, 1, 2), 1.0)).write_delta(tmp_path / "prices")
    assert len(read_market(tmp_path).series) == len(read_market(tmp_path).prices) == 1
    with pytest.raises(MissingInputError, match="version 0 does not say which version of series/"):
        read_market(f"{tmp_path}@0")


def test_a_store_goes_on_from_tables_of_other_software(tmp_path: Path) -> None:
    rows = pair(0)
    for name, frame in rows.items():
        typed = frame.drop("source", strict=False)
        typed.write_delta(tmp_path / name)
    write_rows(tmp_path, pair(1))

    assert len(read_market(tmp_path).prices) == len(read_market(tmp_path).fx) == 2


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("prices", {"close": 0.0}, "prices/: 600000.SH: 2024-01-01: close 0.0: expected a finite"),
    ("prices", {"symbol": "6.SH"}, "prices/: 2024-01-01: symbol '6.SH': expected a symbol"),
    ("prices", {"close": None}, "prices/: 600000.SH: 2024-01-01: close is empty"),
    ("prices", {"close": 2.0}, "prices/: 600000.SH: 2024-01-01 conflicts in rows 1 and 2"),
    ("fx", {"rate": -1.0}, "fx/: 2024-01-01 USD AAA: rate -1.0: expected a finite number"),
]


@pytest.mark.parametrize(("name", "change", "said"), WRONG)
def test_what_is_wrong_in_a_delta_table_is_told_by_its_key(
    tmp_path: Path, name: str, change: dict[str, Any], said: str
) -> None:
    """A row of such a table has no number."""
    for table, frame in pair(0).items():
        frame.write_delta(tmp_path / table)
    frame = pair(0)[name]
    bad = frame.with_columns(**{k: pl.lit(v, frame[k].dtype) for k, v in change.items()})
    bad.write_delta(tmp_path / name, mode="append")
    with pytest.raises(MarketDataError) as refused:
        read_market(tmp_path)

    assert str(refused.value).startswith(said)


def test_a_damaged_log_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    three_versions(tmp_path)
    file = Path(DeltaTable(tmp_path / "fx").file_uris()[0])
    kept = file.read_bytes()
    file.unlink()
    with pytest.raises(MarketDataError, match="fx/: cannot be read as a table"):
        read_market(tmp_path)
    file.write_bytes(kept)
    log = tmp_path / "fx" / "_delta_log" / f"{1:020}.json"
    log.write_bytes(log.read_bytes()[:50])
    with pytest.raises(MarketDataError, match="fx/: cannot be read as a table"):
        read_market(tmp_path)


def test_a_version_that_another_table_lacks_is_told_of_that_table(tmp_path: Path) -> None:
    """As after a part of a store was taken from a backup."""
    three_versions(tmp_path)
    for log in (tmp_path / "fx" / "_delta_log").glob(f"*{2}.json"):
        log.unlink()
    message = f"^{tmp_path}/fx/: has no version 2: its versions are 0 to 1$"
    with pytest.raises(MissingInputError, match=message):
        read_market(tmp_path)
    assert len(read_market(f"{tmp_path}@1").fx) == 2


def test_an_empty_log_is_no_table(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "prices" / "_delta_log")
    with pytest.raises(MissingInputError, match="holds none of the tables"):
        read_market(tmp_path)


def test_a_checkpointed_store_keeps_every_version(tmp_path: Path) -> None:
    """Other software may make checkpoints and vacuum: no version is lost."""
    three_versions(tmp_path)
    for name in ("prices", "fx"):
        table = DeltaTable(tmp_path / name)
        table.create_checkpoint()
        table.cleanup_metadata()
        table.vacuum(dry_run=False)
    write_rows(tmp_path, pair(3))

    assert [len(read_market(f"{tmp_path}@{v}").fx) for v in range(4)] == [1, 2, 3, 4]
