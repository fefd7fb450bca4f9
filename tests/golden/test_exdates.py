"""Real ex-dates among false ones, as indices of single shares take them.

A vendor's adjustment factors changed 39 times in 2024; on 15 of those days the exchange's
reference price differs from the close before. What an index did on a day is worked out from its
levels alone: shares held from its price variant, cash from what the gross one has beyond that.
"""

import csv
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import NamedTuple

import pytest

from indexer.definitions.basket import Basket
from indexer.index.build import build
from indexer.index.history import History
from indexer.market.tables import Market, read_market
from tests.shared import COMPUTE, SHARED, real

CHANGES = SHARED / "examples" / "ex-dates-2024.csv"
pytestmark = real

ABSENT = "002484.SZ"  # the market folder holds neither prices nor actions of this company


class Change(NamedTuple):
    """One change of a vendor's adjustment factor: the day, the close before, the reference."""

    symbol: str
    cum_date: date
    ex_date: date
    close: Decimal
    reference: Decimal


def changes() -> list[Change]:
    """Return what the list holds, nothing where it is absent."""
    if not CHANGES.is_file():
        return []
    with CHANGES.open(encoding="utf-8") as stream:
        return [
            Change(
                f"{row['code']}.SZ",
                date.fromisoformat(row["cum_date"]),
                date.fromisoformat(row["ex_date"]),
                Decimal(row["cum_close"]),
                Decimal(row["ex_reference_prev_close"]),
            )
            for row in csv.DictReader(stream)
        ]


LISTED = changes()
TRUE = [c for c in LISTED if c.reference != c.close and c.symbol != ABSENT]
FALSE = [c for c in LISTED if c.reference == c.close and c.symbol != ABSENT]


@cache
def market() -> Market:
    return read_market(COMPUTE)


@cache
def alone(symbol: str) -> History:
    """Return the index of one share."""
    definition = Basket.model_validate(
        {
            "version": "1",
            "id": "alone",
            "name": {"en": symbol},
            "currency": "CNY",
            "calendar": "XSHG",
            "base": {"date": "2024-04-24", "level": 1000},
            "variants": ["price", "gross"],
            "weighting": {"scheme": "equal"},
            "constituents": [{"symbol": symbol}],
        }
    )
    return build(definition, market(), until=date(2024, 10, 31))


def taken(change: Change) -> tuple[float, float]:
    """Return shares held after a day's opening and cash paid, for each share held before it."""
    closes = market().prices.filter(symbol=change.symbol)
    before, after = (
        closes.filter(date=day)["close"].item() for day in (change.cum_date, change.ex_date)
    )
    assert Decimal(str(before)) == change.close
    found = alone(change.symbol)
    row = found.days.tolist().index(change.ex_date)
    price, gross = (found.variants[name][row - 1 : row + 1] for name in ("price", "gross"))
    assert found.days[row - 1].item() == change.cum_date
    shares = price[1] / price[0] * before / after
    return float(shares), float((gross[1] / gross[0] - price[1] / price[0]) * before)


def shown(price: float) -> Decimal:
    """Return a price as an exchange shows it, half up once errors of the last digits are gone."""
    return Decimal(repr(round(price, 9))).quantize(Decimal("0.01"), ROUND_HALF_UP)


def label(change: Change) -> str:
    return f"{change.symbol}-{change.ex_date}"


def test_the_market_folder_holds_all_but_one_company_of_the_list() -> None:
    """Of 15 true and 24 false dates it holds 14 and 22."""
    real = [change for change in LISTED if change.reference != change.close]
    assert (len(LISTED), len(real)) == (39, 15)
    assert (len(TRUE), len(FALSE)) == (14, 22)
    assert market().prices.filter(symbol=ABSENT).is_empty()
    assert market().actions.filter(symbol=ABSENT).is_empty()


@pytest.mark.parametrize("change", TRUE, ids=label)
def test_a_true_ex_date_leaves_the_reference_price_of_the_exchange(change: Change) -> None:
    shares, cash = taken(change)
    assert cash > 0
    assert shown((float(change.close) - cash) / shares) == change.reference


@pytest.mark.parametrize("change", FALSE, ids=label)
def test_a_false_ex_date_moves_nothing(change: Change) -> None:
    assert taken(change) == pytest.approx((1, 0), abs=1e-10)
