"""Exchange rates: a pair as given, else inverted, never through a third currency."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import numpy as np
import polars as pl

from indexer.arrays import Days, Instants, Rows, Vector
from indexer.errors import Flaw, MissingInputError
from indexer.market.tables import Market


def rates_on(market: Market, unit: str, price: str, days: Days) -> Vector:
    """Return the price of one unit of a currency in another, one rate a day.

    The rate of the date, else the last one before it; NaN before the first.

    Raises
    ------
    MissingInputError
        If the folder has neither the pair nor its inverse.
    """
    if unit == price:
        return np.ones(len(days))
    rows, rate = _pair(market, unit, price)
    return _last_known(_days(rows), rate, days)


def rate_dates(market: Market, unit: str, price: str, days: Days) -> Days:
    """Return the date of the rate that `rates_on` gives on each day; NaT before the first.

    Raises as `rates_on` does.
    """
    dates = _days(_pair(market, unit, price)[0])
    at = np.searchsorted(dates, days, side="right") - 1
    return np.where(at >= 0, dates[np.maximum(at, 0)], np.datetime64("NaT", "D"))


def rates_known(market: Market, unit: str, price: str, instants: Instants, zone: tzinfo) -> Vector:
    """Return the rate of the last date fixed by each instant, UTC; NaN before the first.

    A rate without ``fixed_at`` counts as known from the beginning of the next day in ``zone``.
    Raises as `rates_on` does.
    """
    if unit == price:
        return np.ones(len(instants))
    rows, rate = _pair(market, unit, price)
    moments, newest = _fixings(rows, zone)
    return _last_known(moments, rate[newest], instants.astype("datetime64[us]"))


def known_dates(market: Market, unit: str, price: str, instants: Instants, zone: tzinfo) -> Days:
    """Return the date of the rate that `rates_known` gives at each instant; NaT before the first.

    Raises as `rates_on` does.
    """
    rows, _ = _pair(market, unit, price)
    moments, newest = _fixings(rows, zone)
    at = np.searchsorted(moments, instants.astype("datetime64[us]"), side="right") - 1
    return np.where(at >= 0, _days(rows)[newest[np.maximum(at, 0)]], np.datetime64("NaT", "D"))


def without_rate(unit: str, price: str, day: date) -> str:
    """Return what is said where a rate is not known by a day, and what to do about it."""
    remedy = f"add rates of {unit}/{price} to the fx table, or fetch them, from {day} or before"
    return f"no {unit} rate by {day}: {remedy}"


def _pair(market: Market, unit: str, price: str) -> tuple[pl.DataFrame, Vector]:
    """Return the rows of a pair by date, and the rates the way round that was asked for.

    Of a date that has both ways round the one asked for stands.
    """
    base, quote = pl.col("base"), pl.col("quote")
    given, inverse = (base == unit) & (quote == price), (base == price) & (quote == unit)
    rows = market.fx.filter(given | inverse).sort("date", base == price)
    if rows.is_empty():
        message = (
            f"no rate of {unit}/{price} or {price}/{unit}, which the calculation needs: add either "
            f"to the fx table, or fetch it"
        )
        raise MissingInputError([Flaw("fx", None, "", message)])
    rows = rows.unique("date", keep="first", maintain_order=True)
    rate, inverted = rows["rate"].to_numpy(), (rows["base"] == price).to_numpy()
    return rows, np.divide(1.0, rate, out=rate.copy(), where=inverted)


def _fixings(rows: pl.DataFrame, zone: tzinfo) -> tuple[Instants, Rows]:
    """Return the instants at which rates became known, ascending, and which row is the newest."""
    known = [
        fixed or _day_after(day, zone)
        for day, fixed in zip(rows["date"], rows["fixed_at"], strict=True)
    ]
    moments = np.array(known, dtype="datetime64[us]")
    order = np.argsort(moments, kind="stable")
    # A fixing that comes late does not replace a newer one.
    return moments[order], np.maximum.accumulate(order)


def _day_after(day: date, zone: tzinfo) -> datetime:
    """Return when the day after begins, UTC; not by polars, which refuses a midnight skipped."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return midnight.astimezone(UTC).replace(tzinfo=None)


def _days(rows: pl.DataFrame) -> Days:
    return rows["date"].to_numpy().astype("datetime64[D]")


def _last_known(moments: Instants, rate: Vector, asked: Instants) -> Vector:
    at = np.searchsorted(moments, asked, side="right") - 1
    return np.where(at >= 0, rate[np.maximum(at, 0)], np.nan)
