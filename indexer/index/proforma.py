"""The next rebalance of a basket: what it will hold, as far as that is known today."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import numpy as np
import polars as pl

from indexer.arrays import Rows, Vector
from indexer.definitions.basket import Basket
from indexer.errors import DefinitionError, Flaw, MissingInputError
from indexer.index.build import (
    basket_history,
    basket_panel,
    check_end,
    oldest_of,
    rebalance_dates,
)
from indexer.index.calculate import calculate
from indexer.index.holding import Rebalanced, market_weights
from indexer.index.schedule import calendar_of, effective_dates
from indexer.index.selection import Excluded
from indexer.market.panel import Panel
from indexer.market.tables import Market


@dataclass(frozen=True, slots=True, eq=False)
class Proforma:
    """The next rebalance of a basket, n lines: those it will hold and those it holds.

    Attributes
    ----------
    last : session whose closes are the latest it rests on
    reference, effective, first_session : dates of the rebalance
    weighed_on : session the target weights come from: the reference date, or ``last`` before that
    estimated : the calendar is not announced up to the effective date
    market_digest : of the rows of the market it rests on, actions up to the effective date among
        them
    symbols : (n,) those that will be held in the order of the definition, then those that leave
    current, target : (n,) weights at the latest closes, and after caps; zero where it is not held
    weight : (n,) after the rebalance at the latest closes: the target as it has drifted since
    shares_before, shares : (n,) index shares; zero where it is not held
    turnover : one-way, at the latest closes
    excluded : symbol and reason of each constituent that will not be held
    """

    basket: Basket
    last: date
    reference: date
    effective: date
    first_session: date
    weighed_on: date
    estimated: bool
    synthetic: bool
    market_digest: str
    symbols: tuple[str, ...]
    current: Vector
    target: Vector
    weight: Vector
    shares_before: Vector
    shares: Vector
    turnover: float
    excluded: Excluded

    @property
    def indicative(self) -> bool:
        """Whether the reference date is still to come, so that weights may change."""
        return self.weighed_on < self.reference

    @property
    def joins(self) -> tuple[str, ...]:
        """The symbols that will be held and are not."""
        return self._changed("joins")

    @property
    def leaves(self) -> tuple[str, ...]:
        """The symbols that are held and will not be."""
        return self._changed("leaves")

    @property
    def members(self) -> pl.DataFrame:
        """One row per line: what happens to it, its weights and its shares."""
        return pl.DataFrame(
            {
                "symbol": pl.Series(self.symbols, dtype=pl.String),
                "change": pl.Series(self._changes(), dtype=pl.String),
                "current_weight": self.current,
                "target_weight": self.target,
                "weight": self.weight,
                "shares_before": self.shares_before,
                "shares": self.shares,
            }
        )

    @property
    def exclusions(self) -> pl.DataFrame:
        """One row per constituent that will not be held, and why."""
        schema = {"symbol": pl.String, "reason": pl.String}
        return pl.DataFrame(list(self.excluded), schema=schema, orient="row")

    @property
    def summary(self) -> dict[str, Any]:
        """Everything as numbers, text and lists that JSON can hold."""
        return {
            "id": self.basket.id,
            "synthetic": self.synthetic,
            "last": str(self.last),
            "reference": str(self.reference),
            "effective": str(self.effective),
            "first_session": str(self.first_session),
            "weighed_on": str(self.weighed_on),
            "indicative": self.indicative,
            "calendar_estimated": self.estimated,
            "turnover": self.turnover,
            "joins": list(self.joins),
            "leaves": list(self.leaves),
            "members": self.members.to_dicts(),
            "excluded": self.exclusions.to_dicts(),
        }

    def _changed(self, what: str) -> tuple[str, ...]:
        pairs = zip(self.symbols, self._changes(), strict=True)
        return tuple(symbol for symbol, change in pairs if change == what)

    def _changes(self) -> list[str]:
        held = zip(self.shares_before > 0, self.shares > 0, strict=True)
        return ["stays" if was and will else "joins" if will else "leaves" for was, will in held]


def proforma(basket: Basket, market: Market, until: date | None = None) -> Proforma:
    """Return the rebalance that follows the last session of a market.

    It is worked out as the index will work it out, at closes and rates carried on to the effective
    date: membership is judged on that date, actions up to it are applied as they are tabled, and
    every line can be traded. Until the reference date the last session takes its place.

    Parameters
    ----------
    until : leave out closes and rates after this date (inclusive); actions are announced before
        they take effect and stay

    Raises
    ------
    DefinitionError
        If the basket is never rebalanced, and as `build`.
    MissingInputError
        If the calendar ends before the next rebalance, and as `build`.
    MarketDataError
        As `build`.
    """
    if basket.rebalance.frequency == "never":
        message = "never: the basket has no next rebalance, give it a frequency"
        raise DefinitionError([basket.problem(("rebalance", "frequency"), message)])
    if until is not None:
        check_end(basket, until, until)
    known = market if until is None else _known(market, until)
    history = basket_history(basket, known, None, strict=False)
    last: date = history.days[-1].item()
    effective = _next_effective(basket, last)
    calendar = calendar_of(basket)
    begin = cast("Panel", history.panel).sessions[0].item()
    sessions = calendar.between(begin, effective)
    panel = basket_panel(basket, known, sessions, history.missing)
    *past, coming = rebalance_dates(basket, panel, calendar, oldest_of(known))
    row = int(np.searchsorted(sessions, np.datetime64(last)))
    weighed = replace(coming, reference=min(coming.reference, row), ahead=True)
    # The age of closes up to the last session is judged; those carried on grow older than they are.
    ageless = basket.model_copy(update={"max_stale": None})
    done = calculate(ageless, panel, [*past, weighed]).rebalances[-1]
    lines = _lines(done)
    before, after = done.before.shares, done.after.shares
    target = np.zeros(len(panel.lines))
    target[done.columns] = done.target
    return Proforma(
        basket=basket,
        last=last,
        reference=sessions[coming.reference].item(),
        effective=effective,
        first_session=coming.first_session,
        weighed_on=done.reference,
        estimated=effective > calendar.verified_until,
        synthetic=history.synthetic,
        market_digest=history.inputs.digest(effective),
        symbols=tuple(panel.lines[j].symbol for j in lines),
        current=market_weights(panel, coming.effective, before)[lines],
        target=target[lines],
        weight=market_weights(panel, coming.effective, after)[lines],
        shares_before=before[lines],
        shares=after[lines],
        turnover=done.turnover,
        excluded=(*done.excluded, *_without_close(history.missing, done)),
    )


def _known(market: Market, until: date) -> Market:
    """Return a market without the closes and rates after a date."""
    return replace(
        market,
        prices=market.prices.filter(pl.col("date") <= until),
        fx=market.fx.filter(pl.col("date") <= until),
    )


def _next_effective(basket: Basket, last: date) -> date:
    """Return the first effective date after a session."""
    calendar = calendar_of(basket)
    dates = effective_dates(basket.rebalance, calendar, basket.base.date, calendar.horizon)
    found = next((day for day in dates if day > last), None)
    if found is not None:
        return found
    message = (
        f"has no rebalance of {basket.id} after {last}: it ends on {calendar.horizon}, install an "
        f"exchange_calendars that knows more"
    )
    raise MissingInputError([Flaw(f"calendar {calendar.code}", None, "", message)])


def _without_close(missing: Collection[str], done: Rebalanced) -> Iterator[tuple[str, str]]:
    """Yield the constituents that have no close yet, in the order of the definition."""
    told = {symbol for symbol, _ in done.excluded}
    for symbol in missing:
        if symbol not in told:
            yield symbol, f"no close on or before {done.reference}"


def _lines(done: Rebalanced) -> Rows:
    """Return the columns that will be held, then those that leave.

    A member of weight zero is among them only while it is held.
    """
    before, after = done.before.shares > 0, done.after.shares > 0
    return np.concatenate([done.columns[after[done.columns]], np.flatnonzero(before & ~after)])
