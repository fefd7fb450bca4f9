"""A build says when its calendar is about to end, and when it goes on by estimate."""

from datetime import date

import polars as pl
import pytest

from indexer.definitions.basket import Basket
from indexer.index.build import build
from indexer.market.tables import TABLES, Manifest, Market
from tests.index.examples import history
from tests.reference.example import listed


def warnings_of_a_history_until(last: date) -> list[str]:
    tables = {name: table.empty() for name, table in TABLES.items()}
    days = [date(2026, 9, 1), last]
    rows = pl.DataFrame({"symbol": ["600000.SH"] * 2, "date": days, "close": [10.0, 11.0]})
    tables["prices"] = pl.concat([tables["prices"], rows], how="diagonal")
    basket = Basket.model_validate(
        {
            "version": "1",
            "id": "demo",
            "name": {"en": "Demo"},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": "2026-09-01", "level": "1000"},
            "weighting": {"scheme": "equal"},
            "constituents": [{"symbol": "600000.SH"}],
        }
    )
    return build(basket, Market("demo", Manifest(), **tables)).summary["warnings"]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (date(2026, 10, 30), []),
        (date(2026, 11, 2), ["known only until 2026-12-31"]),
        (date(2026, 12, 31), ["known only until 2026-12-31"]),
        (date(2027, 1, 4), ["after 2026-12-31 are estimated"]),
    ],
)
def test_the_end_of_the_calendar_is_announced(last, told):
    """The mainland calendar is announced to the end of 2026; 2027 is an estimate of ours."""
    found = warnings_of_a_history_until(last)

    assert len(found) == len(told)
    assert all(part in warning for part, warning in zip(told, found, strict=True))


@pytest.mark.parametrize(("last", "warned"), [(date(2030, 10, 31), 0), (date(2030, 11, 1), 1)])
def test_the_end_of_the_calendar_is_announced_sixty_days_before_it(last, warned):
    """The weekdays are listed to 31 December 2030, and 1 November is a Friday."""
    rows = [{"symbol": "A.US", "date": last, "close": 10.0}]
    found = history(rows, base={"date": last, "level": 1000.0}, constituents=listed("A.US"))

    assert len(found.warnings) == warned
