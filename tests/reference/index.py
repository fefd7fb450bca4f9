"""Slow, obvious oracle of the index mathematics, written from the methodology page alone.

It follows §1 of the page in its order and quotes its sentences, so that a reader can check one
against the other. It shares nothing with the package that it judges. `prices` has closes, actions
and rates, `holding` the lines held between rebalances, `schedule` their dates, `weights` selection,
schemes and caps; here are the chain of levels and the rebalance.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.reference.holding import Holding
from tests.reference.prices import (
    OracleError,
    Row,
    Tables,
    board_limit,
    event_of,
)
from tests.reference.schedule import effective_dates, first_reference, reference_date
from tests.reference.weights import REAL_SHARES, Choice, Member, segment_of

__all__ = ["OracleError", "Result", "build"]


@dataclass
class Result:
    """What the page says an index is, as plain rows."""

    rows: list[Row] = field(default_factory=list)
    weights: list[Row] = field(default_factory=list)
    excluded: list[Row] = field(default_factory=list)
    contributions: dict[date, dict[str, float]] = field(default_factory=dict)
    dividends: dict[date, float] = field(default_factory=dict)  # ID_t, gross
    turnover: dict[date, float] = field(default_factory=dict)

    @property
    def effective_number(self) -> dict[date, float]:
        """Effective number of constituents 1/Σw² at the close of each effective date."""
        squares: dict[date, list[float]] = {}
        for row in self.weights:
            squares.setdefault(row["effective"], []).append(row["effective_weight"] ** 2)
        return {effective: 1 / math.fsum(values) for effective, values in squares.items()}


def build(
    definition: dict[str, Any],
    market: dict[str, Any],
    sessions: list[date],
    until: date | None = None,
    *,
    limits: Callable[[str], float | None] = board_limit,
) -> Result:
    """Compute an index from its base date on, one level per session of its calendar."""
    filled = {"prices": [], "securities": [], "shares": [], "actions": [], "fx": []} | market
    chain = Chain(definition, Tables(filled, sessions), limits)
    return chain.run(until)


class Chain:
    """Definition, market and what has been computed so far."""

    def __init__(
        self, definition: dict[str, Any], tables: Tables, limits: Callable[[str], float | None]
    ) -> None:
        self.definition = definition
        self.tables = tables
        self.limits = limits
        self.result = Result()
        self.price = self.gross = self.net = float(definition["base"]["level"])
        self.weighting, self.rule = definition["weighting"], definition.get("rebalance") or {}
        self.at_effective_prices = self.rule.get("price_date", "reference") == "effective"
        self.freeze = self.rule.get("untradable", "ignore") == "freeze"
        listed = [entry["symbol"] for entry in definition["constituents"]]
        self.lines = [s for s in listed if self._closes(s)]
        self.adjusted = any(tables.adjusted(symbol) for symbol in self.lines)
        # "A basket that holds any adjusted symbol offers `gross` only"
        self.variants = ["gross"] if self.adjusted else definition.get("variants") or ["price"]
        self.holding = Holding(
            tables=tables,
            currency=definition["currency"],
            real=self.weighting["scheme"] in REAL_SHARES,
            withholding=definition.get("withholding"),
            net_offered="net" in self.variants,
        )
        self._check()

    def _check(self) -> None:
        """Refuse what the page refuses before any level is computed."""
        # "schemes that need share counts are refused"; "`price_date: effective` (not for real-share
        # schemes)"
        if self.holding.real and (self.adjusted or self.at_effective_prices):
            raise OracleError("scheme", f"{self.weighting['scheme']} needs raw reference prices")
        # "a segment cap with a constituent that lacks a segment is a definition error"
        if (self.weighting.get("caps") or {}).get("segment") is not None:
            for entry in self.definition["constituents"]:
                if not segment_of(entry, self.tables):
                    raise OracleError("segment", f"{entry['symbol']} has none, a cap needs it")
        # "a country missing from the table is an error in the net variant"
        if self.holding.net_offered:
            for symbol in self.lines:
                self.holding.kept(symbol)
        # "The base date must be a session (else an error naming its neighbours)."
        base, sessions = self.definition["base"]["date"], self.tables.sessions
        if base not in sessions:
            after = bisect_right(sessions, base)
            raise OracleError("base", f"{base} lies between {sessions[after - 1 : after + 1]}")

    def _now(self, symbol: str) -> str:
        return self.tables.name_on(symbol, date.max)

    def _closes(self, symbol: str) -> list[date]:
        """Dates of all closes of a constituent, under whatever symbol it goes."""
        return [
            day for name in (symbol, self._now(symbol)) for day in self.tables.own.get(name, {})
        ]

    # --- sessions -----------------------------------------------------------------------------

    def run(self, until: date | None) -> Result:
        """Write one level per session from the base date to the last."""
        base, sessions = self.definition["base"]["date"], self.tables.sessions
        # "to the last session on or before the latest close of any constituent of the definition
        # (or `--until`)"
        closes = [day for symbol in self.lines for day in self._closes(symbol)]
        end = max(closes, default=date.min)
        if until is not None:
            end = min(end, until)
        if end < base:
            raise OracleError("empty", f"no close on or after {base}")
        self._form_first_basket(base)
        effective = set(effective_dates(self.rule, sessions, base))
        for previous, day in pairwise(sessions):
            if not base < day <= end:
                continue
            # "Actions before the open; closes; level; delistings and mergers; rebalance."
            opening, dividends = self.holding.open(previous, day)
            self._level(previous, day, opening, dividends)
            carried = self._carried(day)
            self.holding.leave(previous, day)
            if day in effective:
                reference = reference_date(self.rule.get("reference_lag") or 0, sessions, day)
                if reference is None:
                    raise OracleError("calendar", f"begins after the reference date of {day}")
                self._rebalance(day, reference)
            self._write(day, carried)
        return self.result

    def _form_first_basket(self, base: date) -> None:
        lag = self.rule.get("reference_lag") or 0
        folder = {day for closes in self.tables.own.values() for day in closes}
        self._rebalance(base, first_reference(lag, self.tables.sessions, base, folder), first=True)
        self._write(base, self._carried(base))

    def _carried(self, day: date) -> int:
        """Count the constituents at a carried price."""
        runs = self.holding.carried(day)
        # "never run longer than `max_stale` sessions where that is set (error)"
        longest = self.definition.get("max_stale")
        for symbol, run in runs.items():
            if longest is not None and run > longest:
                raise OracleError("stale", f"{symbol}: {run} sessions without a close on {day}")
        return len(runs)

    def _level(
        self, previous: date, day: date, opening: dict[str, float], paid: tuple[float, float]
    ) -> None:
        """Compute the levels of a session and what contributed to them."""
        values = self.holding.values(day, previous)
        before, last = math.fsum(opening.values()), self.price
        # "MV_t = Σ_i S_i,t · P_i,t · X_i,t and PR_t = MV_t / D_t"
        self.price = math.fsum(values.values()) / self.holding.divisor
        # "GTR_t = GTR_{t−1} · (PR_t + ID_t)/PR_{t−1}", ID_t with "D after it"
        dividend, after_tax = (cash / self.holding.divisor for cash in paid)
        self.gross *= (self.price + dividend) / last
        self.net *= (self.price + after_tax) / last
        self.result.dividends[day] = dividend
        # "(S_i,t P_i,t X_i,t − S_i,t P'_i,t−1 X_i,t−1) / Σ_j S_j,t P'_j,t−1 X_j,t−1"
        self.result.contributions[day] = {s: (values[s] - opening[s]) / before for s in values}

    def _write(self, day: date, carried: int) -> None:
        """Write the row; its divisor and market value are those after all of the session."""
        offered = {"price": self.price, "gross": self.gross, "net": self.net}
        levels = {name: x if name in self.variants else None for name, x in offered.items()}
        market_value = math.fsum(self.holding.values(day).values())
        after = {"divisor": self.holding.divisor, "market_value": market_value}
        self.result.rows.append({"date": day, **levels, **after, "carried": carried})

    # --- rebalance, after the close ---------------------------------------------------------------

    def _rebalance(self, e: date, r: date, *, first: bool = False) -> None:
        holding = self.holding
        choice = Choice(self.definition, self.tables, e, r)
        members = choice.members(holding.shares)
        lines = {m.symbol for m in members} | set(holding.shares)
        traded = {symbol: self.tables.tradable(symbol, e, self.limits) for symbol in lines}
        old = holding.values(e)
        frozen = self._frozen(members, traded)
        for m in members:
            if self.freeze and not traded[m.symbol] and m.symbol not in frozen:
                choice.exclude(m.symbol, "untradable")
        others = [m for m in members if traded[m.symbol] or not self.freeze]
        wanted = {m.symbol: self._target_shares(m, e, r) for m in others}
        base_level = float(self.definition["base"]["level"])
        if not holding.real:
            # "shares are scaled so that `MV` at the close of e is unchanged; the divisor stays.
            # The first basket has `MV = base.level`, `D = 1`." Beside frozen members "the others
            # share what is left of `MV` by their target weights".
            total = base_level if first else math.fsum(old.values())
            left = total - math.fsum(old[symbol] for symbol in frozen)
            worth = math.fsum(n * holding.worth(symbol, e) for symbol, n in wanted.items())
            wanted = {s: n * left / worth for s, n in wanted.items()} if worth > 0 else {}
        holding.shares = self._in_order(frozen | wanted)
        holding.joined = {}
        new = holding.values(e)
        if math.fsum(new.values()) <= 0:
            raise OracleError("empty", f"no constituent can be held on {e}")
        if first:
            holding.divisor = math.fsum(new.values()) / base_level if holding.real else 1.0
        else:
            if holding.real or not wanted:
                holding.move_divisor(math.fsum(old.values()), e)
            self.result.turnover[e] = turnover(old, new)
        self._record(members, traded, (e, r), new)
        self.result.excluded += choice.excluded

    def _frozen(self, members: list[Member], traded: dict[str, bool]) -> dict[str, float]:
        """Shares that cannot be traded at a rebalance and are kept.

        "`freeze`: a member that has no close dated e, or closed at its price limit, keeps its
        shares if held": chosen again or not, but for a line that a spin-off brought, which is to
        "stay until the next rebalance".
        """
        chosen = {m.symbol for m in members}
        return {
            symbol: shares
            for symbol, shares in self.holding.shares.items()
            if self.freeze
            and not traded[symbol]
            and (symbol in chosen or symbol not in self.holding.joined)
        }

    def _target_shares(self, member: Member, e: date, r: date) -> float:
        """Index shares of a member at the close of e, not yet scaled."""
        if self.at_effective_prices:  # "S_i ∝ w_i / (P_i,e · X_i,e)"
            return member.weight / self.holding.worth(member.symbol, e)
        # "S_i = shares_i · c_i" or "S_i ∝ w_i / (P_i,r · X_i,r)"
        shares = (
            member.shares * member.factor if self.holding.real else member.weight / member.value
        )
        # "then the share factors of all events with ex-date in `(r, e]` are applied"
        sessions = self.tables.sessions
        for position in range(sessions.index(r) + 1, sessions.index(e) + 1):
            previous, day = sessions[position - 1], sessions[position]
            name = self.tables.name_on(member.at_reference, day)
            for actions in self.tables.events(name, previous, day, day):
                eve = actions[0]["ex_date"] - timedelta(days=1)
                event = event_of(actions, self.tables.exact_price(name, eve, day) or Fraction(0))
                shares *= float(event.share_factor(real=self.holding.real))
        return shares

    def _in_order(self, shares: dict[str, float]) -> dict[str, float]:
        """Shares as listed in the definition."""
        names = [self._now(entry["symbol"]) for entry in self.definition["constituents"]]
        return dict(sorted(shares.items(), key=lambda item: names.index(self._now(item[0]))))

    def _record(
        self,
        members: list[Member],
        traded: dict[str, bool],
        dates: tuple[date, date],
        values: dict[str, float],
    ) -> None:
        effective, reference = dates
        targets = {m.symbol: m for m in members}
        sessions = self.tables.sessions
        for symbol, shares in self.holding.shares.items():
            target = targets.get(symbol)
            self.result.weights.append(
                {
                    "effective": effective,
                    "reference": reference,
                    "first_session": sessions[sessions.index(effective) + 1],
                    "symbol": symbol,
                    "shares": shares,
                    "capping_factor": target.factor if target else 1.0,
                    "reference_weight": target.weight if target else 0.0,
                    "effective_weight": values[symbol] / math.fsum(values.values()),
                    "tradable": traded[symbol],
                }
            )


def turnover(old: dict[str, float], new: dict[str, float]) -> float:
    """One-way turnover ½ Σ |w_new − w_old| between two baskets at the same prices."""
    was, becomes = math.fsum(old.values()), math.fsum(new.values())
    moves = [abs(new.get(s, 0.0) / becomes - old.get(s, 0.0) / was) for s in {*old, *new}]
    return math.fsum(moves) / 2
