"""Market folders: every broken table with its place, and what is read."""

import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from indexer.errors import IndexerError, MarketDataError, MissingInputError
from indexer.market.delimited import csv_flaws
from indexer.market.tables import TABLES, read_market
from tests.shared import SHARED, real

Row = dict[str, Any]
ROWS: dict[str, Row] = {
    "prices": {"symbol": "300308.SZ", "date": "2024-01-02", "close": "10.5"},
    "securities": {"symbol": "300308.SZ"},
    "shares": {"symbol": "300308.SZ", "date": "2024-01-02", "total_shares": "1000"},
    "actions": {"symbol": "300308.SZ", "ex_date": "2024-01-02", "kind": "dividend", "cash": "1"},
    "suspensions": {"symbol": "300308.SZ", "from": "2024-01-02"},
    "fx": {"date": "2024-01-02", "base": "USD", "quote": "CNY", "rate": "7.1"},
    "series": {"symbol": "399006.SZ", "date": "2024-01-02", "close": "1800"},
}
OTHER = {"prices": "00700.HK", "securities": "00700.HK", "shares": "00700.HK", "series": "HSI.HK"}


def two(table: str, **changes: Any) -> list[Row]:
    """Return a sound row, and one of another key that is changed."""
    other = {"symbol": OTHER[table]} if table in OTHER else {}
    if table == "fx":
        other = {"base": "HKD"}
    return [ROWS[table], ROWS[table] | other | changes]


def as_csv(folder: Path, table: str, rows: list[Row]) -> Path:
    path = folder / f"{table}.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_parquet(folder: Path, table: str, rows: list[Row]) -> Path:
    path = folder / f"{table}.parquet"
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    return path


WRITERS = [as_csv, as_parquet]


def refusal(folder: Path, kind: type[IndexerError] = MarketDataError) -> list[str]:
    """Return the flaws of a folder as they are printed."""
    with pytest.raises(MarketDataError) as refused:
        read_market(folder)
    assert type(refused.value) is kind
    printed = str(refused.value).splitlines()
    assert printed == [str(flaw) for flaw in refused.value.flaws]
    return printed


def written(folder: Path, text: str | bytes, name: str = "prices.csv") -> Path:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


# What is refused in one row

A_SYMBOL = "expected a symbol like 300308.SZ, 00700.HK or NVDA.US"
POSITIVE = "expected a finite number above zero"
PLAIN = f"{POSITIVE}, in plain digits like 1234.5"
BROKEN = [
    ("prices", {"symbol": ""}, "", f"symbol is empty: {A_SYMBOL}"),
    ("prices", {"symbol": "700.HK"}, "", f"symbol '700.HK': {A_SYMBOL}"),
    ("prices", {"symbol": "688981.SS"}, "", "symbol '688981.SS'"),
    ("prices", {"symbol": "sh688981"}, "", "symbol 'sh688981'"),
    ("prices", {"symbol": "３００３０８.SZ"}, "", "symbol '３００３０８.SZ'"),
    ("prices", {"symbol": "00700.HK "}, "", "symbol '00700.HK '"),
    ("prices", {"date": ""}, "00700.HK", "date is empty: expected a date like 2024-01-02"),
    ("prices", {"date": "2024-02-30"}, "00700.HK", "date '2024-02-30'"),
    ("prices", {"date": "2024-1-2"}, "00700.HK", "date '2024-1-2'"),
    ("prices", {"date": "20240102"}, "00700.HK", "date '20240102'"),
    ("prices", {"date": "+2024-01-02"}, "00700.HK", "date '+2024-01-02'"),
    ("prices", {"date": " 2024-01-02"}, "00700.HK", "date ' 2024-01-02'"),
    ("prices", {"date": "2024-01-02 15:00:00"}, "00700.HK", "date '2024-01-02 15:00:00'"),
    ("prices", {"close": ""}, "00700.HK", "close is empty: expected a finite number above zero"),
    ("prices", {"close": "0"}, "00700.HK", "close '0': expected a finite number above zero"),
    ("prices", {"close": "-1"}, "00700.HK", "close '-1'"),
    ("prices", {"close": "NaN"}, "00700.HK", "close 'NaN'"),
    ("prices", {"close": "inf"}, "00700.HK", "close 'inf'"),
    ("prices", {"close": "1e400"}, "00700.HK", "close '1e400'"),
    ("prices", {"close": "1e-400"}, "00700.HK", "close '1e-400'"),
    ("prices", {"close": "1,050"}, "00700.HK", f"close '1,050': {PLAIN}"),
    ("prices", {"close": "1.234,5"}, "00700.HK", f"close '1.234,5': {PLAIN}"),
    ("prices", {"close": "12%"}, "00700.HK", f"close '12%': {PLAIN}"),
    ("prices", {"close": "1\n2"}, "00700.HK", f"close '1\\n2': {POSITIVE}; it goes on over lines"),
    ("prices", {"close": "x" * 99}, "00700.HK", f"close '{'x' * 59}… (101 characters): {PLAIN}"),
    ("prices", {"close": "suspended"}, "00700.HK", "close 'suspended'"),
    ("prices", {"volume": "-1"}, "00700.HK", "volume '-1': expected a finite number, zero or"),
    ("prices", {"amount": "inf"}, "00700.HK", "amount 'inf'"),
    ("securities", {"currency": "RMB1"}, "00700.HK", "currency 'RMB1': expected a currency like"),
    (
        "securities",
        {"currency": "RMB"},
        "00700.HK",
        "currency 'RMB' is not ISO 4217: write CNY, or leave the row out",
    ),
    (
        "securities",
        {"price_kind": "adjusted"},
        "00700.HK",
        "price_kind 'adjusted': expected raw or",
    ),
    ("securities", {"list_date": "2004"}, "00700.HK", "list_date '2004': expected a date"),
    ("shares", {"total_shares": "0"}, "00700.HK", "total_shares '0': expected a finite number"),
    ("shares", {"free_float_shares": "1001"}, "00700.HK", "free float 1001 above total 1000"),
    ("suspensions", {"from": ""}, "300308.SZ", "from is empty: expected a date"),
    ("suspensions", {"until": "soon"}, "300308.SZ", "until 'soon': expected a date"),
    ("fx", {"rate": "0"}, "", "rate '0': expected a finite number above zero"),
    ("fx", {"base": "hkd"}, "", "base 'hkd': expected a currency like CNY"),
    ("fx", {"quote": "CNH"}, "", "quote 'CNH' is not ISO 4217: write CNY, or leave the row out"),
    ("fx", {"base": "CNY"}, "", "CNY/CNY is no pair of currencies"),
    ("fx", {"fixed_at": "2024-01-02T16:15:00+08:00"}, "", "expected an instant in UTC like"),
    ("fx", {"fixed_at": "2024-01-02"}, "", "fixed_at '2024-01-02': expected an instant in UTC"),
    ("series", {"symbol": "hsi.hk"}, "", "symbol 'hsi.hk': expected a series like 399006.SZ"),
    (
        "series",
        {"currency": "CNH"},
        "HSI.HK",
        "currency 'CNH' is not ISO 4217: write CNY, or leave the row out",
    ),
    ("series", {"close": "0"}, "HSI.HK", "close '0': expected a finite number above zero"),
    ("actions", {"kind": "devidend"}, "300308.SZ", "kind 'devidend': expected one of dividend, "),
    ("actions", {"kind": ""}, "300308.SZ", "kind is empty"),
    ("actions", {"cash": ""}, "300308.SZ", "a dividend needs cash above zero"),
    ("actions", {"cash": "-1"}, "300308.SZ", "cash '-1': expected a finite number, zero or above"),
    ("actions", {"other": "NVDA"}, "300308.SZ", f"other 'NVDA': {A_SYMBOL}"),
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(("table", "change", "symbol", "said"), BROKEN)
def test_a_broken_cell_is_named_with_file_row_and_symbol(
    tmp_path: Path, write: Any, table: str, change: Row, symbol: str, said: str
) -> None:
    path = write(tmp_path, table, two(table, **change))
    [flaw] = refusal(tmp_path)

    row = "line 3" if path.suffix == ".csv" else "row 2"
    assert flaw.startswith(
        f"{path.name} {row}: {symbol}: {said}" if symbol else f"{path.name} {row}"
    )
    assert said in flaw


TYPED = [
    ({"close": 0.0}, "close 0.0"),
    ({"close": -1}, "close -1"),
    ({"close": float("nan")}, "close nan"),
    ({"close": float("inf")}, "close inf"),
    ({"close": None}, "close is empty"),
    ({"close": True}, "close True"),
    ({"close": [1.0]}, "close [1.0]"),
    ({"close": date(2024, 1, 2)}, "close 2024-01-02"),
    ({"volume": float("nan")}, "volume nan"),
    ({"date": 20240102}, "date 20240102"),
    ({"date": datetime(2024, 1, 2, 15, 0)}, "date 2024-01-02 15:00:00"),  # noqa: DTZ001
    ({"date": datetime(2024, 1, 2).time()}, "date 00:00:00"),  # noqa: DTZ001
    ({"symbol": 700}, "symbol 700"),
    ({"symbol": ["00700.HK"]}, "symbol ['00700.HK']"),
    ({"symbol": "00700.HK\n"}, r"symbol '00700.HK\n'"),
]


@pytest.mark.parametrize(("change", "said"), TYPED)
def test_a_typed_cell_is_held_to_the_same(tmp_path: Path, change: Row, said: str) -> None:
    as_parquet(tmp_path, "prices", [ROWS["prices"] | change])
    [flaw] = refusal(tmp_path)
    symbol = "" if "symbol" in change else "300308.SZ: "
    assert flaw.startswith(f"prices.parquet row 1: {symbol}{said}: expected ")


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("prices", {"close": "10.6"}, "2024-01-02 conflicts in {}: close 10.5 and 10.6"),
        ("prices", {"volume": "5"}, "2024-01-02 conflicts in {}: volume None and 5.0"),
        (
            "shares",
            {"total_shares": "9"},
            "2024-01-02 conflicts in {}: total_shares 1000.0 and 9.0",
        ),
        ("series", {"close": "1"}, "2024-01-02 conflicts in {}: close 1800.0 and 1.0"),
        ("fx", {"rate": "7"}, "2024-01-02 USD CNY conflicts in {}: rate 7.1 and 7.0"),
        ("securities", {"segment": "x"}, "conflicts in {}: segment None and x"),
        ("securities", {"score": "2"}, "conflicts in {}: score None and 2"),
    ],
)
def test_rows_that_conflict_are_both_named(
    tmp_path: Path, write: Any, table: str, change: Row, said: str
) -> None:
    path = write(tmp_path, table, [*two(table), ROWS[table] | change])
    [flaw] = refusal(tmp_path)

    csv_file = path.suffix == ".csv"
    row, rows = ("line 2", "lines 2 and 4") if csv_file else ("row 1", "rows 1 and 3")
    symbol = "" if table == "fx" else f"{ROWS[table]['symbol']}: "
    assert flaw == f"{path.name} {row}: {symbol}{said.format(rows)}; keep the right one"


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("table", TABLES)
def test_a_missing_column_is_named_with_those_found(tmp_path: Path, write: Any, table: str) -> None:
    *kept, lost = TABLES[table].required
    rows = [{name: ROWS[table][name] for name in kept} | {"more": "x"}]
    path = write(tmp_path, table, rows)
    found = ", ".join([*kept, "more"])

    assert refusal(tmp_path) == [f"{path.name}: required column {lost!r} is missing; found {found}"]


# What is refused in a file

HEAD = "symbol,date,close\n"
ROW = "300308.SZ,2024-01-02,1"
UTF_8 = "is not UTF-8: save the file as UTF-8"
MORE = "4 cells under 3 columns: put text that holds a comma in quotes, and no comma into a number"
UNCLOSED = "a quote is opened and not closed: close it, or delete it"
WITHIN = "a quote within a cell: quote the whole cell, and double each quote within it"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "prices.csv: cannot be read as a table: empty CSV"),
        (HEAD.encode() + b"300308.SZ,2024-01-02,1\xff\n", f"prices.csv line 2: byte 0xFF {UTF_8}"),
        (f"{HEAD}{ROW},中际旭创\n".encode("gbk"), f"prices.csv line 2: byte 0xD6 {UTF_8}"),
        (HEAD.replace("\n", ',"note\n') + ROW, f"prices.csv line 1: {UNCLOSED}"),
        (f"{HEAD}{ROW}\n".encode("utf-16"), "prices.csv line 1: is UTF-16: save the file as UTF-8"),
        (f"{HEAD}{ROW}\n{ROW},2\n", f"prices.csv line 3: {MORE}"),
        (f'{HEAD[:-1]},no"te\n{ROW}\n', f"prices.csv line 1: {WITHIN}"),
        (f'{HEAD}"{ROW}\n{ROW}\n', f"prices.csv line 2: {UNCLOSED}"),
        (f'{HEAD}{ROW}\n"{ROW}' + "x" * 200_000, f"prices.csv line 3: {UNCLOSED}"),
        (f'{HEAD}{ROW}"2\n', f"prices.csv line 2: {WITHIN}"),
        (f'{HEAD}"300308.SZ"x,2024-01-02,1\n', f"prices.csv line 2: {WITHIN}"),
        (HEAD + "300308.SZ,2024-01-02\n", "prices.csv line 2: 300308.SZ: close is empty"),
        (HEAD.replace(",", ";"), "prices.csv line 1: cells are separated by semicolons: separate"),
        (HEAD.replace(",", "\t"), "prices.csv line 1: cells are separated by tabs: separate them"),
        ("symbol;date;close\n300308.SZ;2024-01-02;1,5\n", "prices.csv line 1: cells are separated"),
        ("symbol,date,close,close\n", "prices.csv: column 'close' is given twice"),
    ],
)
def test_a_csv_file_that_is_no_table_is_refused(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert refusal(written(tmp_path, content))[0].startswith(said)


def test_a_row_that_is_none_is_named_where_it_begins(tmp_path: Path) -> None:
    text = "symbol,date,close,note\n" + f'{ROW},"two\nlines"\n{ROW},x,y\n'
    [flaw] = refusal(written(tmp_path, text))
    assert flaw.startswith("prices.csv line 4: 5 cells under 4 columns: ")


LONG = "symbol,date,close,amount\n" + f"{ROW},5\n"
SHORT = "the line is cut short, or a comma is missing: an empty cell has one too"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("300308.SZ,2024-01-03,15", f"prices.csv line 3: 3 cells under 4 columns: {SHORT}"),
        ("\n300308.SZ,2024-01-03,15\n", f"prices.csv line 4: 3 cells under 4 columns: {SHORT}"),
    ],
)
def test_a_row_of_closes_that_ends_early_is_refused(tmp_path: Path, end: str, said: str) -> None:
    assert refusal(written(tmp_path, LONG + end)) == [said]


@pytest.mark.parametrize(
    "end",
    ["300308.SZ,2024-01-03,15,", '300308.SZ,2024-01-03,"15",\n', "\n300308.SZ,2024-01-03,15,\n\n"],
)
def test_a_row_whose_last_cell_is_empty_is_whole(tmp_path: Path, end: str) -> None:
    assert read_market(written(tmp_path, LONG + end)).prices["close"].to_list() == [1.0, 15.0]


def test_a_comma_in_quotes_ends_no_cell(tmp_path: Path) -> None:
    text = f'symbol,date,close,note,amount\n{ROW},"a, b",\n300308.SZ,2024-01-03,2,,3\n'
    assert read_market(written(tmp_path, text)).prices["close"].to_list() == [1.0, 2.0]


def test_a_row_of_events_may_leave_out_its_end(tmp_path: Path) -> None:
    written(tmp_path, LONG)
    (tmp_path / "actions.csv").write_text(
        "symbol,ex_date,kind,cash,other\n300308.SZ,2024-01-03,dividend,2"
    )
    assert read_market(tmp_path).actions["cash"].to_list() == [2.0]


def test_rows_that_are_none_are_counted_beyond_the_first(tmp_path: Path) -> None:
    *shown, more = refusal(written(tmp_path, HEAD + f"{ROW},\n" * 25))
    assert [flaw.split(":")[0] for flaw in shown] == [f"prices.csv line {n}" for n in range(2, 12)]
    assert more == "prices.csv: 15 more rows like these"


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = as_parquet(tmp_path, "prices", [ROWS["prices"]])
    path.write_bytes(path.read_bytes()[:cut])
    [flaw] = refusal(tmp_path)
    assert flaw.startswith("prices.parquet: cannot be read as a table: ")


@pytest.mark.parametrize(("at", "bits"), [(47, 0x10), (95, 0xFF), (735, 0x10), (811, 0xFF)])
def test_damage_to_a_parquet_file_at_which_polars_panics_is_refused(
    tmp_path: Path, at: int, bits: int
) -> None:
    path = as_parquet(tmp_path, "prices", [ROWS["prices"]] * 50)
    content = bytearray(path.read_bytes())
    content[at] ^= bits
    path.write_bytes(content)
    [flaw] = refusal(tmp_path)
    assert flaw.startswith("prices.parquet: cannot be read as a table: ")


def test_a_table_in_two_formats_is_refused(tmp_path: Path) -> None:
    as_csv(tmp_path, "fx", [ROWS["fx"]])
    as_parquet(tmp_path, "fx", [ROWS["fx"]])
    assert refusal(tmp_path) == ["fx.parquet: fx.parquet and fx.csv both exist: keep one of them"]


@pytest.mark.parametrize("name", ["prices.csv", "prices.parquet"])
def test_a_folder_in_the_place_of_a_table_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    [flaw] = refusal(tmp_path)
    assert flaw == f"{name}: is no file, nor a link to one"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none", "no such market folder"),
        ("prices.csv", "is a file: name the folder of tables"),
    ],
)
def test_what_is_no_folder_is_a_missing_input(tmp_path: Path, name: str, said: str) -> None:
    as_csv(tmp_path, "prices", [ROWS["prices"]])
    path = tmp_path / name
    assert refusal(path, MissingInputError) == [f"{path}: {said}"]


@pytest.mark.parametrize("name", ["a\0b", "a\0b@3", "a\ud800b"])
def test_a_name_that_no_folder_can_have_is_a_missing_input(name: str) -> None:
    with pytest.raises(MissingInputError, match=r"null|surrogates"):
        read_market(name)


def test_an_empty_folder_is_a_missing_input(tmp_path: Path) -> None:
    written(tmp_path, "synthetic: true", "manifest.yaml")
    [flaw] = refusal(tmp_path, MissingInputError)
    assert flaw.startswith(f"{tmp_path}: holds none of the tables prices, securities, shares, ")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("action.csv", "actions"),
        ("Actions.csv", "actions"),
        ("suspension.csv", "suspensions"),
        ("security.parquet", "securities"),
        ("share.txt", "shares"),
        ("allactions.csv", "actions"),
        ("Series.CSV", "series"),
        ("fx.xlsx", "fx"),
        ("actions.csv.gz", "actions"),
    ],
)
def test_a_file_with_nearly_the_name_of_a_table_is_refused(
    tmp_path: Path, name: str, meant: str
) -> None:
    as_csv(tmp_path, "prices", [ROWS["prices"]])
    written(tmp_path, "", name)
    said = f"is not read, {meant}.csv or {meant}.parquet would be: rename it or move it"
    assert refusal(tmp_path) == [f"{name}: {said}"]


def test_prices_of_another_name_are_told_and_not_called_missing(tmp_path: Path) -> None:
    written(tmp_path, "", "Prices.CSV")
    [flaw] = refusal(tmp_path)
    assert flaw.startswith("Prices.CSV: is not read, prices.csv or prices.parquet would be")


@pytest.mark.parametrize("name", ["manifest.yml", "Manifest.yaml", "mainfest.yaml"])
def test_a_manifest_that_is_not_read_is_refused(tmp_path: Path, name: str) -> None:
    as_csv(tmp_path, "prices", [ROWS["prices"]])
    written(tmp_path, "synthetic: true", name)
    said = "is not read, manifest.yaml would be: rename it"
    assert refusal(tmp_path) == [f"{name}: {said}"]


@pytest.mark.parametrize(
    "name",
    [
        *("README.txt", "notes.csv", ".prices.csv", "prices.xlsx"),
        *("prices.csv.old", "prices_old.csv", "shares_hk.csv", "shares2.csv"),
        *("serials.csv", "factors.csv", "pricing.csv", "fullactions.csv", "fax.csv"),
    ],
)
def test_a_file_that_is_like_none_or_lies_beside_its_table_is_left_alone(
    tmp_path: Path, name: str
) -> None:
    as_csv(tmp_path, "prices", [ROWS["prices"]])
    written(tmp_path, "anything", name)
    (tmp_path / "replies").mkdir()
    assert len(read_market(tmp_path).prices) == 1


# What is read


@real
@pytest.mark.parametrize("name", ["compute", "sse50"])
def test_a_real_folder_is_read_clean(name: str) -> None:
    market = read_market(SHARED / "market" / name)
    assert len(market.prices) == len(pl.read_parquet(SHARED / "market" / name / "prices.parquet"))
    assert not market.manifest.synthetic


def test_the_bundled_sample_is_read_clean_and_says_it_is_synthetic() -> None:
    assert read_market(Path(__file__).parents[2] / "seeds" / "market").manifest.synthetic


@pytest.mark.parametrize("folder", ["data[1]", "a*b?", "{x}", "市场"])
@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_may_have_any_name(tmp_path: Path, folder: str, write: Any) -> None:
    (tmp_path / folder).mkdir()
    write(tmp_path / folder, "fx", [ROWS["fx"]])
    assert len(read_market(tmp_path / folder).fx) == 1


def test_a_market_is_equal_to_itself_alone_and_may_be_a_key(tmp_path: Path) -> None:
    as_csv(tmp_path, "prices", two("prices"))
    one, other = read_market(tmp_path), read_market(tmp_path)

    assert one != other
    assert len({one, other, one}) == 2


def test_absent_tables_and_columns_come_back_empty(tmp_path: Path) -> None:
    as_csv(tmp_path, "prices", [ROWS["prices"]])
    market = read_market(tmp_path)

    assert market.prices["volume"].to_list() == [None]
    for name, table in TABLES.items():
        frame = getattr(market, name)
        assert frame.schema == {key: column.dtype for key, column in table.columns.items()}
        assert len(frame) == (name == "prices")


def test_flaws_of_every_table_are_reported_at_once(tmp_path: Path) -> None:
    for table, change in (("prices", "close"), ("fx", "rate"), ("shares", "total_shares")):
        as_csv(tmp_path, table, two(table, **{change: "x"}))
    written(tmp_path, "synthetic: maybe", "manifest.yaml")
    files = [flaw.split(" ")[0] for flaw in refusal(tmp_path)]
    assert files == ["prices.csv", "shares.csv", "fx.csv", "manifest.yaml:"]


def test_a_file_that_is_gone_when_it_is_looked_at_again_has_no_flaw_to_tell(tmp_path: Path) -> None:
    assert csv_flaws(tmp_path / "prices.csv", TABLES["prices"]) == []


@pytest.mark.parametrize("write", WRITERS)
def test_a_table_that_is_there_without_a_row_is_told_from_one_that_is_not(
    tmp_path: Path, write: Any
) -> None:
    write(tmp_path, "prices", [ROWS["prices"]])
    header = ",".join(TABLES["suspensions"].required)
    (tmp_path / "suspensions.csv").write_text(f"{header}\n", encoding="utf-8")

    assert read_market(tmp_path).manifest.bare == {"suspensions"}
    assert read_market(tmp_path, without=["suspensions"]).manifest.bare == set()


@pytest.mark.parametrize("without", [["price"], "prices"])
def test_a_table_that_is_to_be_left_out_has_to_be_one(tmp_path: Path, without: Any) -> None:
    with pytest.raises(ValueError, match="the tables are prices, "):
        read_market(tmp_path, without=without)
