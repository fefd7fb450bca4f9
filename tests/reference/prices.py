"""Prices, corporate actions and exchange rates, written from the methodology page alone.

Nothing is precomputed beyond sorting the tables: every question is answered by going back to the
rows. Decimal figures are taken as exact fractions wherever an action touches them.
"""

import math
import statistics
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

Row = dict[str, Any]
CURRENCY = {"SH": "CNY", "SZ": "CNY", "BJ": "CNY", "HK": "HKD", "US": "USD"}
COUNTRY = {"SH": "CN", "SZ": "CN", "BJ": "CN", "HK": "HK", "US": "US"}
DEPARTURES = ("delisting", "merger")


class OracleError(Exception):
    """Refusal that the page demands, of a kind that a test can name."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


def given(row: Row, column: str) -> bool:
    """Tell whether a row has a value in a column."""
    value = row.get(column)
    return value is not None and value != "" and value == value  # noqa: PLR0124 (NaN)


def exact(value: Any) -> Fraction:
    """Decimal figure that a double was read from."""
    return Fraction(str(value))


def amount_of(action: Row, column: str) -> Fraction:
    """Figure of an action without which its kind has no meaning."""
    if not given(action, column):
        raise OracleError("action", f"{action['symbol']} {action['ex_date']}: no {column}")
    return exact(action[column])


@dataclass(frozen=True)
class Event:
    """All actions of one constituent with one ex-date, at a prior close."""

    prior: Fraction  # P
    quotient: Fraction  # Q
    special: Fraction
    ordinary: Fraction
    money: Fraction  # Σ rights·price

    @property
    def restated(self) -> Fraction:
        """Restated prior close of the price index, P' = (P − special_cash + Σ rights·price) / Q."""
        return (self.prior - self.special + self.money) / self.quotient

    @property
    def ex_price(self) -> Fraction:
        """Exchange reference price P^ex = (P − all cash + Σ rights·price) / Q, unrounded."""
        return (self.prior - self.special - self.ordinary + self.money) / self.quotient

    def share_factor(self, *, real: bool) -> Fraction:
        """Real-share schemes × Q; all other schemes × (P − special_cash) / P'."""
        if real or self.money == 0:  # without rights both are Q
            return self.quotient
        return (self.prior - self.special) / self.restated

    def money_in(self, *, real: bool) -> Fraction:
        """Change of value per old share that only the divisor can absorb."""
        return (self.money if real else Fraction(0)) - self.special


def event_of(actions: list[Row], prior: Fraction) -> Event:
    """All actions of one ex-date are one event; all amounts are per share held before it."""

    def of(kind: str) -> list[Row]:
        return [action for action in actions if action["kind"] == kind]

    # "split 1 if none, several multiplied"
    quotient = Fraction(1)
    for action in of("split"):
        quotient *= amount_of(action, "ratio")
    quotient += sum(amount_of(action, "ratio") for action in of("bonus"))
    # "rights: … counted only when `price < P` before any same-day cash"
    rights = [action for action in of("rights") if amount_of(action, "price") < prior]
    quotient += sum(amount_of(action, "ratio") for action in rights)
    event = Event(
        prior=prior,
        quotient=quotient,
        special=sum((amount_of(a, "cash") for a in of("special_dividend")), Fraction(0)),
        ordinary=sum((amount_of(a, "cash") for a in of("dividend")), Fraction(0)),
        money=sum((amount_of(a, "ratio") * amount_of(a, "price") for a in rights), Fraction(0)),
    )
    if quotient <= 0 or (prior > 0 and event.restated <= 0):
        raise OracleError("action", f"{actions[0]['symbol']}: nothing left of {prior}")
    return event


def board_limit(symbol: str) -> float | None:
    """Daily price limit of the board that a symbol is listed on; None where there is none."""
    code, suffix = symbol.rsplit(".", 1)
    if suffix == "BJ":
        return 0.30
    if suffix not in ("SH", "SZ"):
        return None
    return 0.20 if code[:3] in ("688", "689") or code[:2] == "30" else 0.10


class Tables:
    """The market folder, asked as of a day.

    A symbol that continues another after a `symbol_change` has, from that day on, the other's
    earlier closes and actions as its own past, unless it traded before the change itself.
    """

    def __init__(self, market: dict[str, Any], sessions: list[date]) -> None:
        self.sessions = sorted(sessions)
        self.kind = market.get("price_kind") or "raw"
        self.securities: dict[str, Row] = {row["symbol"]: row for row in market["securities"]}
        self.own: dict[str, dict[date, float]] = {}
        self.amounts: dict[tuple[str, date], float] = {}
        for row in market["prices"]:
            self._add_price(row)
        self.share_rows: dict[str, dict[date, tuple[float, float]]] = {}
        for row in market["shares"]:
            self._add_shares(row)
        # "Action rows are never merged: two rows are two actions, even when equal."
        self.actions: dict[str, list[Row]] = {}
        for row in market["actions"]:
            self.actions.setdefault(row["symbol"], []).append(row)
        self.changes: list[Row] = [a for a in market["actions"] if a["kind"] == "symbol_change"]
        rates: dict[tuple[str, str], dict[date, float]] = {}
        for row in market["fx"]:
            pair = rates.setdefault((row["base"], row["quote"]), {})
            if pair.setdefault(row["date"], row["rate"]) != row["rate"]:
                raise OracleError("duplicate", f"fx {row['base']}{row['quote']} {row['date']}")
        self.rates = {pair: sorted(table.items()) for pair, table in rates.items()}
        self._lines: dict[tuple[Any, ...], tuple[list[date], list[float], list[Row]]] = {}

    def _add_price(self, row: Row) -> None:
        symbol, day, close = row["symbol"], row["date"], row["close"]
        # "A close that is zero, negative or not finite is an error."
        if close is None or not math.isfinite(close) or close <= 0:
            raise OracleError("price", f"{symbol} {day}: {close}")
        if self.own.setdefault(symbol, {}).setdefault(day, close) != close:
            raise OracleError("duplicate", f"{symbol} {day}")
        if given(row, "amount"):
            self.amounts[symbol, day] = row["amount"]

    def _add_shares(self, row: Row) -> None:
        symbol, day, total = row["symbol"], row["date"], float(row["total_shares"])
        free = float(row["free_float_shares"]) if given(row, "free_float_shares") else total
        if free > total:
            raise OracleError("shares", f"{symbol} {day}: float {free} above total {total}")
        if self.share_rows.setdefault(symbol, {}).setdefault(day, (total, free)) != (total, free):
            raise OracleError("duplicate", f"shares {symbol} {day}")

    # --- who is who -----------------------------------------------------------------------------

    def name_on(self, symbol: str, day: date, after: date = date.min) -> str:
        """Symbol under which a constituent goes on a day: `symbol_change` continues under other.

        It went under the symbol given on the day `after`.
        """
        while True:
            changes = sorted(
                (a["ex_date"], a["other"])
                for a in self.actions.get(symbol, [])
                if a["kind"] == "symbol_change" and after < a["ex_date"] <= day
            )
            if not changes:
                return symbol
            after, symbol = changes[0]

    def other_of(self, action: Row, giver: str, day: date) -> str | None:
        """Symbol under which the other line of an action goes on a day."""
        if not given(action, "other"):
            return None
        name = self.name_on(action["other"], day, action["ex_date"] - timedelta(days=1))
        return name if name != giver else str(action["other"])

    def _predecessor(self, symbol: str, known: date) -> tuple[str, date] | None:
        for a in self.changes:
            day = a["ex_date"]
            traded_before = any(earlier < day for earlier in self.own.get(symbol, {}))
            if a["other"] == symbol and day <= known and not traded_before:
                return a["symbol"], day
        return None

    def names(self, symbol: str, known: date) -> list[str]:
        """Return a symbol and those that it continues by a day, the latest first."""
        before = self._predecessor(symbol, known)
        return [symbol, *(self.names(before[0], before[1] - timedelta(days=1)) if before else [])]

    def line(self, symbol: str, known: date) -> tuple[list[date], list[float], list[Row]]:
        """Dates and closes of a line, ascending, and its actions, as continued by `known`."""
        before = self._predecessor(symbol, known)
        key = (symbol, before)
        if key not in self._lines:
            closes = dict(self.own.get(symbol, {}))
            actions = list(self.actions.get(symbol, []))
            if before is not None:
                old, change = before
                past = self.line(old, change - timedelta(days=1))
                pairs = zip(past[0], past[1], strict=True)
                closes = {d: c for d, c in pairs if d < change} | closes
                actions = [a for a in past[2] if a["ex_date"] <= change] + actions
            if self.adjusted(symbol):  # its closes already contain them
                actions = [a for a in actions if a["kind"] in (*DEPARTURES, "symbol_change")]
            dates = sorted(closes)
            self._lines[key] = (dates, [closes[d] for d in dates], actions)
        return self._lines[key]

    def _fact(self, symbol: str, column: str) -> Any:
        row = self.securities.get(symbol, {})
        return row[column] if given(row, column) else None

    def adjusted(self, symbol: str) -> bool:
        """Tell whether the closes of a symbol contain its dividends and splits already."""
        return (self._fact(symbol, "price_kind") or self.kind) == "total_return_adjusted"

    def country(self, symbol: str) -> str:
        """Country for withholding: the table's, else by suffix."""
        return str(self._fact(symbol, "country") or COUNTRY[symbol.rsplit(".", 1)[1]])

    def fact(self, column: str, *symbols: str) -> Any:
        """First value that the securities table has for a constituent's symbols; None if none."""
        return next((v for s in symbols if (v := self._fact(s, column)) is not None), None)

    # --- prices ---------------------------------------------------------------------------------

    def last_close(self, symbol: str, day: date) -> date | None:
        """Date of the latest close dated on or before a day; None if never traded by then."""
        dates = self.line(symbol, day)[0]
        position = bisect_right(dates, day)
        return dates[position - 1] if position else None

    def events(self, symbol: str, after: date, day: date, known: date) -> list[list[Row]]:
        """Actions with after < ex-date ≤ day, one list per ex-date, in order of the ex-dates."""
        actions = self.line(symbol, known)[2]
        found: dict[date, list[Row]] = {}
        for action in actions:
            if after < action["ex_date"] <= day:
                found.setdefault(action["ex_date"], []).append(action)
        return [found[ex_date] for ex_date in sorted(found)]

    def exact_price(self, symbol: str, day: date, known: date | None = None) -> Fraction | None:
        """P: the latest close dated ≤ day, restated for the actions since; None if never traded."""
        known = known or day
        dates, closes, _ = self.line(symbol, known)
        position = bisect_right(dates, day) - 1
        if position < 0:
            return None
        price = exact(closes[position])
        for actions in self.events(symbol, dates[position], day, known):
            price = event_of(actions, price).restated
        return price

    def price(self, symbol: str, day: date) -> float:
        """P as a double; zero for a line that joined and has never traded."""
        return float(self.exact_price(symbol, day) or 0)

    def rate(self, symbol: str, day: date, currency: str) -> float:
        """X: price of one unit of the listing currency in index currency."""
        listing = self._fact(symbol, "currency") or CURRENCY[symbol.rsplit(".", 1)[1]]
        if listing == currency:
            return 1.0
        # "the pair as given, else its inverse, never through a third currency"
        direct = self.rates.get((listing, currency))
        table = direct or self.rates.get((currency, listing)) or []
        # "the rate of the date, else the last one before it; none at all is an error"
        position = bisect_right(table, day, key=lambda row: row[0]) - 1
        if position < 0:
            raise OracleError("fx", f"{listing}{currency} on {day}")
        rate = float(table[position][1])
        return rate if direct else 1.0 / rate

    # --- what a member is judged by ---------------------------------------------------------------

    def tradable(self, symbol: str, day: date, limits: Callable[[str], float | None]) -> bool:
        """Tell whether a member has a close dated on a day that is not at its price limit."""
        dates, closes, _ = self.line(symbol, day)
        position = bisect_right(dates, day) - 1
        if position < 0 or dates[position] != day:
            return False
        limit = limits(symbol)
        if limit is None or position == 0:
            return True
        prior = exact(closes[position - 1])
        for actions in self.events(symbol, dates[position - 1], day, day):
            prior = event_of(actions, prior).ex_price
        bounds = {half_up(prior * (1 + sign * exact(limit))) for sign in (1, -1)}
        return exact(closes[position]) not in bounds

    def deviation(self, symbol: str, reference: date, lookback: int) -> tuple[int, float]:
        """Count and sample deviation (ddof 1) of a member's log returns up to a reference date.

        Between consecutive closes, restated by P^ex, inside the last `lookback` + 1 sessions up to
        it; closes dated on sessions only.
        """
        last = bisect_right(self.sessions, reference)
        window = set(self.sessions[max(0, last - lookback - 1) : last])
        dates, closes, _ = self.line(symbol, reference)
        kept = [(d, exact(c)) for d, c in zip(dates, closes, strict=True) if d in window]
        returns = []
        for (earlier, prior), (later, close) in pairwise(kept):
            for actions in self.events(symbol, earlier, later, reference):
                prior = event_of(actions, prior).ex_price  # noqa: PLW2901
            returns.append(0.0 if close == prior else math.log(close / prior))
        if len(returns) < 2:
            return len(returns), 0.0
        return len(returns), statistics.stdev(returns)

    def mean_amount(self, symbol: str, reference: date, count: int, currency: str) -> float | None:
        """Mean turnover amount in index currency over the sessions traded among the last `count`.

        None where there is none.
        """
        last = bisect_right(self.sessions, reference)
        named = [(self.name_on(symbol, d), d) for d in self.sessions[max(0, last - count) : last]]
        traded = [pair for pair in named if pair in self.amounts]
        if not traded:
            return None
        money = [self.amounts[name, d] * self.rate(name, d, currency) for name, d in traded]
        return math.fsum(money) / len(money)

    def shares(self, reference: date, *symbols: str) -> tuple[float, float]:
        """Total and free-float shares as tabled: the last row dated on or before a date."""
        for symbol in symbols:
            rows = self.share_rows.get(symbol, {})
            if days := [day for day in rows if day <= reference]:
                return rows[max(days)]
        raise OracleError("shares", f"{symbols[0]}: no row on or before {reference}")


def half_up(price: Fraction) -> Fraction:
    """Price rounded to the tick, a hundredth, halves up."""
    return Fraction(math.floor(price * 100 + Fraction(1, 2)), 100)
