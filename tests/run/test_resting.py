"""What a study differs by beside levels of its indices that are only recorded."""

from dataclasses import replace

import polars as pl
import pytest
import yaml

from indexer.ledger.database import reading
from indexer.ledger.heads import AFTER_ALL, heads
from indexer.market.tables import read_market
from indexer.run.entries import study_candidate
from indexer.run.find import study_named
from indexer.run.publish import publish
from indexer.run.resting import other_since
from indexer.run.results import study as compare_study
from indexer.run.sessions import Period
from tests.run.desk import DAYS, SYMBOLS, basket, desk, folder, moved, prices
from tests.run.test_studies import THURSDAY, WEDNESDAY, evenings, small


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return a folder in which half a basis point of its index is recorded beside a study."""
    path = tmp_path_factory.mktemp("resting")
    evenings(path, 0.5)
    return path


def since(path, *, code=None, **moved):
    """Return since when the study differs by more, with some tables made from those recorded."""
    market = read_market(path / "market0.5")
    market = replace(
        market, **{name: change(getattr(market, name)) for name, change in moved.items()}
    )
    found = study_candidate(compare_study(study_named(small(path)), market, until=THURSDAY), market)
    found = replace(found, code=code or found.code)
    with reading(desk(path).engine) as connection:
        head = heads(connection, "small", "study")[-1]
        return other_since(connection, found, head)


def once(column, day, symbol, times):
    """Return a change of one cell of a table."""
    here = (pl.col("date") == day) & (pl.col("symbol") == symbol)
    return lambda rows: rows.with_columns(
        pl.when(here).then(pl.col(column) * times).otherwise(column).alias(column)
    )


def test_by_what_is_recorded_of_its_index_alone(recorded):
    assert since(recorded) == AFTER_ALL


@pytest.mark.parametrize(
    ("table", "column", "symbol"),
    [("series", "close", "000985.SH"), ("prices", "amount", "09988.HK")],
    ids=["benchmark", "turnover"],
)
def test_by_rows_that_no_index_of_it_explains_from_their_day_on(recorded, table, column, symbol):
    assert since(recorded, **{table: once(column, WEDNESDAY, symbol, 1.07)}) == str(WEDNESDAY)


def test_what_no_index_explains_is_corrected_and_not_only_recorded(tmp_path):
    """One evening a level moves by half a basis point, the next a turnover is fifty times that."""
    pair = {"leader": "one", "follower": "two"}
    windows = {"correlation": [20], "momentum": [5], "zscore": 20, "beta": 20, "gap": 5}
    keys = {"start": DAYS[0].isoformat(), "pairs": [pair], "windows": windows, "benchmark": "two"}
    text = {"version": 1, "id": "both", "name": {"en": "Both"}, **keys}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    for n, id in enumerate(("one", "two")):
        basket(tmp_path, id=id, constituents=[{"symbol": s} for s in SYMBOLS[n : n + 2]])
    name = str(tmp_path / "both.yaml")

    def evening(day, bp=0.0, times=1.0):
        rows = prices(**moved(SYMBOLS[0], DAYS[5], bp))
        for row in rows:
            much = row["symbol"] == SYMBOLS[0] and row["date"] in DAYS[15:19]
            row["amount"] = 1000.0 * (times if much else 1.0)
        market = folder(tmp_path / "market", rows)
        [*_, found] = publish([name], market, desk(tmp_path, correct=True), Period(DAYS[0], day))
        return {entry.kind for entry in found.entries if entry.session != str(day)}

    evening(DAYS[19])
    assert evening(DAYS[20], 0.2) == {"immaterial"}
    assert evening(DAYS[21], 0.2, 50.0) == {"study"}


def test_by_other_code_on_every_day(recorded):
    assert since(recorded, code="another") == ""
