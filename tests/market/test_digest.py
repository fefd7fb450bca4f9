"""Digests of market data: of the rows an index rests on, and of nothing else."""

import csv
from datetime import date
from pathlib import Path

import pytest

from indexer.market.inputs import Used, inputs_of
from indexer.market.tables import Market, read_market

Row = dict[str, str]
ROWS: dict[str, Row] = {
    "prices": {"symbol": "300308.SZ", "date": "2024-01-02", "close": "10.5"},
    "securities": {"symbol": "300308.SZ"},
    "shares": {"symbol": "300308.SZ", "date": "2024-01-02", "total_shares": "1000"},
    "actions": {"symbol": "300308.SZ", "ex_date": "2024-01-02", "kind": "dividend", "cash": "1"},
    "suspensions": {"symbol": "300308.SZ", "from": "2024-01-02"},
    "fx": {"date": "2024-01-02", "base": "USD", "quote": "CNY", "rate": "7.1"},
    "series": {"symbol": "399006.SZ", "date": "2024-01-02", "close": "1800"},
}
OTHER = ROWS["prices"] | {"symbol": "00700.HK"}


def market_of(folder: Path, **tables: list[Row]) -> Market:
    """Return the market of one row a table, but for the tables given."""
    folder.mkdir(exist_ok=True)
    for table, row in ROWS.items():
        rows = tables.get(table, [row])
        with (folder / f"{table}.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return read_market(folder)


def digest(market: Market) -> str:
    used = Used(dict.fromkeys(("300308.SZ", "399006.SZ"), date.min), frozenset({"USD", "CNY"}))
    return inputs_of(market, used).digest(date(2024, 6, 28))


@pytest.mark.parametrize(
    "rows",
    [
        {"prices": [ROWS["prices"]] * 2},
        {"prices": [ROWS["prices"], OTHER]},
        {"prices": [OTHER, ROWS["prices"]]},
        {"prices": [ROWS["prices"] | {"note": "x"}]},
        {"prices": [ROWS["prices"] | {"volume": "1", "amount": "10"}]},
        {"suspensions": [ROWS["suspensions"] | {"until": "2024-01-05"}]},
        {"fx": [ROWS["fx"] | {"fixed_at": "2024-01-02T08:15:00Z"}]},
        {"securities": [ROWS["securities"] | {"name_en": "Innolight", "points": "3"}]},
        {"prices": [ROWS["prices"], ROWS["prices"] | {"date": "2024-06-29"}]},
        {"actions": [ROWS["actions"], ROWS["actions"] | {"ex_date": "2024-06-29"}]},
        {"fx": [ROWS["fx"], ROWS["fx"] | {"base": "HKD"}]},
        {"series": [ROWS["series"], ROWS["series"] | {"symbol": "HSI.HK"}]},
    ],
    ids=str,
)
def test_the_digest_is_blind_to_what_an_index_does_not_rest_on(
    tmp_path: Path, rows: dict[str, list[Row]]
) -> None:
    assert digest(market_of(tmp_path / "a", **rows)) == digest(market_of(tmp_path / "b"))


def test_the_digest_is_blind_to_the_order_of_rows(tmp_path: Path) -> None:
    rows = [ROWS["prices"], ROWS["prices"] | {"date": "2024-01-03", "close": "9"}]
    straight = market_of(tmp_path / "a", prices=rows)
    assert digest(straight) == digest(market_of(tmp_path / "b", prices=rows[::-1]))
    assert digest(straight) != digest(market_of(tmp_path / "c"))


CHANGES = [
    ("prices", {"close": "10.6"}),
    ("prices", {"date": "2024-01-03"}),
    ("securities", {"country": "CN"}),
    ("securities", {"price_kind": "raw"}),
    ("shares", {"total_shares": "1001"}),
    ("shares", {"free_float_shares": "1000"}),
    ("actions", {"cash": "2"}),
    ("actions", {"kind": "special_dividend"}),
    ("fx", {"rate": "7.2"}),
    ("series", {"close": "1801"}),
]


def test_the_digest_tells_every_change_it_rests_on_from_every_other(tmp_path: Path) -> None:
    digests = {digest(market_of(tmp_path))}
    for table, change in CHANGES:
        digests.add(digest(market_of(tmp_path, **{table: [ROWS[table] | change]})))
    digests.add(digest(market_of(tmp_path, actions=[ROWS["actions"]] * 2)))
    (tmp_path / "manifest.yaml").write_text("price_kind: total_return_adjusted")
    digests.add(digest(market_of(tmp_path)))

    assert len(digests) == len(CHANGES) + 3


@pytest.mark.parametrize(
    ("table", "change", "used"),
    [
        ("securities", {"points": "3"}, {"scores": frozenset({"points"})}),
        ("prices", {"amount": "10"}, {"amounts": True}),
    ],
)
def test_scores_and_amounts_count_where_an_index_uses_them(tmp_path, table, change, used):
    asked = Used({"300308.SZ": date.min}, **used)
    before = {table: [ROWS[table] | dict.fromkeys(change, "1")]}
    after = {table: [ROWS[table] | change]}
    digests = {
        inputs_of(market_of(tmp_path / str(n), **rows), asked).digest(date(2024, 6, 28))
        for n, rows in enumerate((before, after))
    }

    assert len(digests) == 2
