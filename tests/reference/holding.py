"""The lines that an index holds, from one session to the next, from the methodology page alone.

Actions before the open, prices at the close, delistings and mergers after it.
"""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.reference.prices import DEPARTURES, OracleError, Row, Tables, event_of, given


@dataclass
class Holding:
    """Index shares and divisor, and what happens to them between rebalances."""

    tables: Tables
    currency: str  # of the index
    real: bool  # a real-share scheme
    withholding: Any = None  # by country, or one figure for all
    net_offered: bool = False
    divisor: float = 1.0  # D
    shares: dict[str, float] = field(default_factory=dict)  # S of the lines held
    joined: dict[str, date] = field(default_factory=dict)  # by a spin-off since the last rebalance

    def kept(self, symbol: str) -> float:
        """Part of a dividend that a net holder keeps, 1 − withholding[country]."""
        table = self.withholding
        if isinstance(table, int | float):
            return 1.0 - table
        country = self.tables.country(symbol)
        if not table or country not in table:
            raise OracleError("withholding", f"{symbol}: {country}")
        return 1.0 - float(table[country])

    def worth(self, symbol: str, day: date) -> float:
        """P·X of a line at the close of a session."""
        return self.tables.price(symbol, day) * self._rate(symbol, day)

    def _rate(self, symbol: str, day: date) -> float:
        return self.tables.rate(symbol, day, self.currency)

    # --- corporate actions, before the open -----------------------------------------------------

    def open(self, previous: date, day: date) -> tuple[dict[str, float], tuple[float, float]]:
        """Apply the actions that take effect on a session before its open.

        Returns the values of the lines held at the prior closes restated for them, and the ordinary
        dividends of the session in index currency, gross and net, not yet divided by the divisor.
        """
        # "They take effect before the open of the first session on or after the ex-date; … several
        # ex-dates between two sessions are several events in order." "With P the prior (carried,
        # restated) close": the last one before the ex-date, also one after the session before.
        # "Events use the prior session's FX."
        prior = {s: self.tables.exact_price(s, previous) or Fraction(0) for s in self.shares}
        since: dict[str, date] = {}  # of who takes over: whose closes before that do not count
        value = {s: n * float(prior[s]) * self._rate(s, previous) for s, n in self.shares.items()}
        before = math.fsum(value.values())
        gross: list[float] = []
        net: list[float] = []
        for ex_date in self._ex_dates(previous, day):
            eve, held_before = ex_date - timedelta(days=1), set(self.shares)
            for symbol in held_before:
                last = self.tables.last_close(symbol, eve)
                if last is not None and last > since.get(symbol, previous):
                    prior[symbol] = self.tables.exact_price(symbol, eve) or Fraction(0)
            self._rename(ex_date, prior, value)
            since |= dict.fromkeys(set(self.shares) - held_before, eve)
            joining: list[tuple[str, float]] = []
            for symbol in list(self.shares):
                actions = self._actions_on(symbol, ex_date, day)
                if not actions:
                    continue
                held = self.shares[symbol]  # "per share held *before* the event"
                event = event_of(actions, prior[symbol])
                prior[symbol] = event.restated
                self.shares[symbol] = held * float(event.share_factor(real=self.real))
                moved = float(event.money_in(real=self.real))
                value[symbol] += held * moved * self._rate(symbol, previous)
                # "ID_t = Σ S_i·cash_i·X_i,t / D …, shares before that day's event"
                paid = held * float(event.ordinary) * self._rate(symbol, day)
                gross.append(paid)
                if paid and self.net_offered:
                    net.append(paid * self.kept(symbol))
                # `spinoff`: "`ratio` shares of `other` per share"
                spun = [a for a in actions if a["kind"] == "spinoff"]
                joining += [
                    (str(self.tables.other_of(a, symbol, ex_date)), held * float(a["ratio"]))
                    for a in spun
                ]
            # "join at price zero before the open (no divisor move)", after the day's own events
            for symbol, count in joining:
                if symbol not in self.shares:
                    self.joined[symbol] = ex_date
                    prior[symbol], value[symbol] = Fraction(0), 0.0
                self.shares[symbol] = self.shares.get(symbol, 0.0) + count
        # "D_after = D_before · MV_after / MV_before, both at the same prices"
        after = math.fsum(value.values())
        if after != before:
            self.divisor *= after / before
        return value, (math.fsum(gross), math.fsum(net))

    def _ex_dates(self, previous: date, day: date) -> list[date]:
        rows = (a for actions in self.tables.actions.values() for a in actions)
        return sorted({a["ex_date"] for a in rows if previous < a["ex_date"] <= day})

    def _actions_on(self, symbol: str, ex_date: date, day: date) -> list[Row]:
        actions = self.tables.line(symbol, day)[2]
        return [action for action in actions if action["ex_date"] == ex_date]

    def _rename(self, ex_date: date, prior: dict[str, Fraction], value: dict[str, float]) -> None:
        """`symbol_change`: continues under `other`."""
        for change in self.tables.changes:
            old, new = change["symbol"], change["other"]
            if change["ex_date"] != ex_date or old not in self.shares:
                continue
            already = new in self.shares
            renamed = {new if s == old and not already else s: n for s, n in self.shares.items()}
            if already:
                renamed[new] += renamed.pop(old)
            else:
                prior[new] = prior[old]
            self.shares = renamed
            value[new] = value.get(new, 0.0) + value.pop(old)
            since = self.joined.pop(old, None)
            if since is None:  # what takes up a member's shares is a member
                self.joined.pop(new, None)
            elif not already:
                self.joined[new] = since

    # --- prices at the close --------------------------------------------------------------------

    def _close_price(self, symbol: str, day: date, previous: date | None = None) -> float:
        """P of a session: the latest close, restated; on its delisting date the price of that."""
        if previous is not None:
            for action in self._departures(symbol, previous, day):
                if action["kind"] == "delisting" and given(action, "price"):
                    return float(action["price"])
        return self.tables.price(symbol, day)

    def _departures(self, symbol: str, previous: date, day: date) -> list[Row]:
        actions = self.tables.line(symbol, day)[2]
        kinds = [action for action in actions if action["kind"] in DEPARTURES]
        return [action for action in kinds if previous < action["ex_date"] <= day]

    def values(self, day: date, previous: date | None = None) -> dict[str, float]:
        """S·P·X of the lines held, at the close of a session."""
        return {
            symbol: shares * self._close_price(symbol, day, previous) * self._rate(symbol, day)
            for symbol, shares in self.shares.items()
        }

    def carried(self, day: date) -> dict[str, int]:
        """Sessions without a close, of each constituent that is at a carried price on a session.

        "A constituent without a close dated on `t` is *carried*."
        """
        sessions = self.tables.sessions
        previous = sessions[sessions.index(day) - 1]
        found = {}
        for symbol in self.shares:
            last = self.tables.last_close(symbol, day)
            leaving = self._departures(symbol, previous, day)
            if any(a["kind"] == "delisting" and given(a, "price") for a in leaving):
                continue  # valued at the price of its delisting, which is not a carried one
            if last is None:  # joined by a spin-off and never traded since
                found[symbol] = sum(self.joined[symbol] <= d <= day for d in sessions)
            elif last != day:
                found[symbol] = sum(last < d <= day for d in sessions)
        return found

    # --- delistings and mergers, after the close --------------------------------------------------

    def leave(self, previous: date, day: date) -> None:
        """Let the delisted and the merged leave through the divisor after a session's close."""
        values = self.values(day, previous)
        market_value = math.fsum(values.values())
        leaving = {s: a[0] for s in self.shares if (a := self._departures(s, previous, day))}
        held = {symbol: self.shares.pop(symbol) for symbol in leaving}
        for symbol, action in leaving.items():
            # "the constituent becomes `cash` plus `ratio` shares of `other`: where `other` is a
            # member its shares grow, else the stock leg leaves like the cash"
            other = self.tables.other_of(action, symbol, day)
            if action["kind"] == "merger" and other in self.shares:
                self.shares[other] += held[symbol] * float(action["ratio"])
        if leaving:
            self.move_divisor(market_value, day, previous)

    def move_divisor(self, before: float, day: date, previous: date | None = None) -> None:
        """Keep the level continuous through a change of the basket at the close of a session."""
        after = math.fsum(self.values(day, previous).values())
        if after <= 0 or before <= 0:
            raise OracleError("empty", f"nothing is left after the close of {day}")
        self.divisor *= after / before
