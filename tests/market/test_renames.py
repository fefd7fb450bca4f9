"""Changes of symbol: the table is sound, and a line goes on under either symbol."""

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import indexer
from indexer.definitions.symbols import CANONICAL, exchange_of
from indexer.errors import DefinitionError
from indexer.market import conventions
from indexer.market.calendar import read_calendar
from indexer.market.conventions.renames import (
    latest_symbol,
    rename_actions,
    renames_of,
    symbol_on,
)
from indexer.market.store import write_rows
from indexer.run.find import definition_named, validate
from indexer.sweep.plan import problems_of

TEXT = Path(conventions.__file__).with_name("renames.csv").read_text("utf-8")
TABLE = list(csv.DictReader(TEXT.splitlines()))


def test_every_row_is_a_change_of_one_security() -> None:
    frame = pl.DataFrame(TABLE)
    for column in ("symbol", "other"):
        assert frame[column].str.contains(CANONICAL).all()
        assert frame[column].is_unique().all()
    assert not set(frame["symbol"]) & set(frame["other"])
    assert frame["source"][0]


def test_the_beijing_codes_follow_the_rule_of_the_exchange() -> None:
    """920 and the last three digits; where another has that code, the next free hundred."""
    pairs = {row["symbol"]: row["other"] for row in TABLE if row["symbol"].endswith(".BJ")}
    taken = set(pairs.values())
    assert len(pairs) == 248
    for old, new in pairs.items():
        wanted = int(old[3:6])
        while f"920{wanted:03}.BJ" != new:
            assert f"920{wanted:03}.BJ" in taken
            wanted = (wanted + 100) % 1000
    assert Counter(row["from"] for row in TABLE if row["symbol"] in pairs) == {
        "2025-05-06": 6,
        "2025-10-09": 242,
    }


@pytest.mark.parametrize("row", TABLE[:10], ids=lambda row: row["symbol"])
def test_a_security_has_its_old_symbol_until_the_day_of_the_change(row: dict[str, str]) -> None:
    day = date.fromisoformat(row["from"])
    assert read_calendar(exchange_of(row["symbol"])).is_session(day)
    for symbol in (row["symbol"], row["other"]):
        assert symbol_on(symbol, day - timedelta(1)) == row["symbol"]
        assert symbol_on(symbol, day) == latest_symbol(symbol) == row["other"]


def test_a_security_without_a_change_has_its_symbol_always() -> None:
    assert symbol_on("300308.SZ", date(1999, 1, 1)) == latest_symbol("300308.SZ") == "300308.SZ"
    assert renames_of("300308.SZ") == ()
    assert rename_actions(["300308.SZ"]).is_empty()


def basket(folder: Path, *constituents: str) -> Path:
    place = folder / "bj.yaml"
    place.write_text(
        "version: 1\nid: bj\nname: {en: Beijing}\ncurrency: CNY\ncalendar: XSHG\n"
        "base: {date: 2025-09-30, level: 1000}\nweighting: {scheme: equal}\nconstituents:\n"
        + "".join(f"  - {{symbol: {symbol}}}\n" for symbol in constituents)
    )
    return place


@pytest.mark.parametrize("listed", ["430047.BJ", "920047.BJ"])
def test_an_index_goes_on_through_a_change_whichever_symbol_it_lists(
    tmp_path: Path, listed: str
) -> None:
    """Sources tell the whole past under the later one, and so it may be stored."""
    days = read_calendar("XSHG").between(date(2025, 9, 29), date(2025, 10, 14)).tolist()
    symbols = ["920047.BJ" if listed == "920047.BJ" else symbol_on(listed, day) for day in days]
    closes = [10.0 + n for n in range(len(days))]
    prices = pl.DataFrame({"symbol": symbols, "date": days, "close": closes})
    write_rows(tmp_path / "m", {"prices": prices, "actions": rename_actions([listed])})
    history = indexer.build(
        indexer.read_basket(basket(tmp_path, listed)), indexer.read_market(tmp_path / "m")
    )

    assert len(set(symbols)) == (2 if listed == "430047.BJ" else 1)
    expected = [1000.0 * close / closes[1] for close in closes[1:]]
    assert history.levels["level"].to_list() == pytest.approx(expected, rel=1e-12)
    assert history.levels["carried"].sum() == 0


@pytest.mark.attack("A6")
def test_one_security_under_two_symbols_is_a_problem(tmp_path: Path) -> None:
    place = basket(tmp_path, "430047.BJ", "920139.BJ", "920047.BJ")
    said = "920047.BJ and 430047.BJ are one security, held twice"
    with pytest.raises(DefinitionError, match=said):
        definition_named(str(place))
    [problem] = validate([str(place)], problems_of)
    assert problem.message.startswith(said)
    assert (problem.line, problem.path) == (11, "constituents[2].symbol")


def test_a_security_may_be_listed_by_one_symbol_after_the_other(tmp_path: Path) -> None:
    place = basket(
        tmp_path, "430047.BJ, until: 2025-10-09", "920047.BJ, from: 2025-10-09", "920139.BJ"
    )
    assert validate([str(place)], problems_of) == []
