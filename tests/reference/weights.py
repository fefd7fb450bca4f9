"""Selection, weighting and caps at a rebalance, written from the methodology page alone."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from tests.reference.prices import DEPARTURES, OracleError, Row, Tables

REAL_SHARES = ("market_cap", "free_float")


@dataclass
class Member:
    """A constituent that takes part in a rebalance."""

    entry: Row  # as listed in the definition
    listed: str  # its symbol there, or that of the constituent it continues after the reference
    at_reference: str  # its symbol on the reference date
    symbol: str  # its symbol on the effective date
    value: float  # P·X at the close of the reference date
    rank: int = 0  # by `rank_by`, from one; zero without a selection
    shares: float = 1.0  # real-share schemes: the count of the table, times the float band
    weight: float = 0.0  # after caps
    factor: float = 1.0  # capping factor, the largest of the basket 1


def float_band(ratio: float) -> float:
    """Free-float band of the ladder csi-2010, as a fraction.

    "ratio ≤ 10 % as it is; (10,20] → 20 %; (20,30] → 30 %; … (70,80] → 80 %; above → 100 %, edges
    with 1e-12 tolerance".
    """
    if ratio <= 0.10 + 1e-12:
        return ratio
    for tenths in range(2, 9):
        if ratio <= tenths / 10 + 1e-12:
            return tenths / 10
    return 1.0


# --- caps -----------------------------------------------------------------------------------------


def capped(
    uncapped: dict[str, float],
    constituent_cap: float | None = None,
    segment_cap: float | None = None,
    segments: dict[str, str] | None = None,
) -> dict[str, float]:
    """Weights that minimise Σ w ln(w/u) under both caps, as fractions in the order given.

    The conditions of the minimum (Karush, Kuhn and Tucker) say that w_i = min(cap, u_i·level_s),
    with one water level for all segments below the segment cap and, in a segment at it, the lower
    level that fills it exactly. Both are found by halving.
    """
    total = math.fsum(uncapped.values())
    u = {name: value / total for name, value in uncapped.items()}
    cap = 1.0 if constituent_cap is None else constituent_cap
    segment_of = segments or {}
    groups: dict[str, list[float]] = {}
    for name, value in u.items():
        groups.setdefault(segment_of.get(name, ""), []).append(value)
    limit = 1.0 if segment_cap is None else segment_cap

    def filled(values: list[float], level: float) -> float:
        return math.fsum(min(cap, value * level) for value in values)

    def filled_in_all(level: float) -> float:
        return math.fsum(min(limit, filled(values, level)) for values in groups.values())

    check_feasible(groups, constituent_cap, segment_cap)
    highest = 2.0 / min(value for value in u.values() if value > 0)
    common = water_level(filled_in_all, 1.0, highest)
    levels = dict.fromkeys(groups, common)
    for name, values in groups.items():
        if filled(values, common) > limit:
            levels[name] = water_level(partial(filled, values), limit, common)
    return {name: min(cap, value * levels[segment_of.get(name, "")]) for name, value in u.items()}


def water_level(filled: Callable[[float], float], wanted: float, high: float) -> float:
    """Least level at which a rising function reaches what is wanted, to the last bit."""
    low = 0.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return high
        if filled(middle) >= wanted:
            high = middle
        else:
            low = middle


def check_feasible(
    groups: dict[str, list[float]], constituent_cap: float | None, segment_cap: float | None
) -> None:
    """Refuse caps that cannot hold the whole, naming the smallest feasible one."""
    counts = [sum(value > 0 for value in values) for values in groups.values()]

    def room(constituent: float, segment: float) -> float:
        return math.fsum(min(segment, count * constituent) for count in counts)

    constituent = 1.0 if constituent_cap is None else constituent_cap
    segment = 1.0 if segment_cap is None else segment_cap
    if room(constituent, segment) >= 1 - 1e-12:
        return
    if constituent_cap is not None and room(1.0, segment) >= 1 - 1e-12:
        least = water_level(lambda level: room(level, segment), 1 - 1e-12, 1.0)
        raise OracleError("caps", f"constituent cap {constituent_cap}; at least {least:.9g}")
    least = water_level(lambda level: room(constituent, level), 1 - 1e-12, 1.0)
    raise OracleError("caps", f"segment cap {segment_cap}; at least {least:.9g}")


def segment_of(entry: Row, tables: Tables) -> str | None:
    """Segment of a constituent: the definition's, else the securities table's."""
    segment = entry.get("segment") or tables.fact("segment", entry["symbol"])
    return None if segment is None else str(segment)


# --- who takes part -------------------------------------------------------------------------------


class Choice:
    """Members and weights of one rebalance, from data known at the close of the reference date."""

    def __init__(
        self, definition: dict[str, Any], tables: Tables, effective: date, reference: date
    ) -> None:
        self.definition = definition
        self.tables = tables
        self.effective = effective
        self.reference = reference
        self.excluded: list[Row] = []

    def members(self, held: Collection[str]) -> list[Member]:
        """Members with their weights after caps, in the order of the definition."""
        members: list[Member] = []
        for entry in self.definition["constituents"]:
            member = self._take_part(entry)
            # constituents that continue under one symbol are one line
            if member and all(member.symbol != m.symbol for m in members):
                members.append(member)
        selection = self.definition.get("selection")
        if selection:
            members = self._select(members, selection, held)
        members = self._weigh(members)
        if not members:
            raise OracleError("empty", f"no constituent can be held on {self.effective}")
        return members

    def exclude(self, symbol: str, reason: str) -> None:
        """Record that a constituent is not held."""
        self.excluded.append({"effective": self.effective, "symbol": symbol, "reason": reason})

    def _take_part(self, entry: Row) -> Member | None:
        """Tell whether a constituent takes part; record the reason if not."""
        tables, e, r = self.tables, self.effective, self.reference
        listed = self._begun_as(entry["symbol"])
        if not any(tables.own.get(symbol) for symbol in self._names(listed)):
            return None  # "Constituents without any data are left out"
        at_reference, symbol = tables.name_on(listed, r), tables.name_on(listed, e)
        since, until = entry.get("from"), entry.get("until")
        list_date = tables.fact("list_date", *tables.names(symbol, e))
        closes = tables.line(at_reference, r)[0]
        if list_date is None and closes:
            list_date = closes[0]
        lines = {listed, at_reference, symbol}
        gone = [
            action
            for line in lines
            for action in tables.line(line, e)[2]
            if action["kind"] in DEPARTURES and action["ex_date"] <= e
        ]
        # "`from ≤ e < until` (either may be absent), it has no delisting or merger dated on or
        # before e, at least one close dated ≤ r, and at least `eligibility.seasoning` sessions d
        # with list date < d ≤ r"
        seasoning = (self.definition.get("eligibility") or {}).get("seasoning") or 0
        reason = None
        # An heir that is listed as well has a name of its own to be told by.
        heir_listed = any(other["symbol"] == symbol for other in self.definition["constituents"])
        if (since is not None and e < since) or (until is not None and e >= until):
            reason = "outside from and until"
        elif symbol != entry["symbol"] and heir_listed:
            reason = "continues as another constituent"
        elif gone:
            reason = gone[0]["kind"]
        elif tables.last_close(at_reference, r) is None:
            reason = "no close"
        elif sum(list_date < d <= r for d in tables.sessions) < seasoning:
            reason = "seasoning"
        if reason:
            self.exclude(entry["symbol"] if heir_listed else symbol, reason)
            return None
        value = tables.price(at_reference, r) * self._rate(at_reference)
        return Member(entry, listed, at_reference, symbol, value)

    def _begun_as(self, symbol: str) -> str:
        """Constituent that becomes another one between reference and effective date, if any."""
        for entry in self.definition["constituents"]:
            before = self.tables.name_on(entry["symbol"], self.reference)
            after = self.tables.name_on(before, self.effective)
            own = any(day <= self.reference for day in self.tables.own.get(symbol, {}))
            if symbol == after and symbol not in (before, entry["symbol"]) and not own:
                return str(entry["symbol"])
        return symbol

    def _names(self, listed: str) -> list[str]:
        return [listed, self.tables.name_on(listed, date.max)]

    def _rate(self, symbol: str) -> float:
        return self.tables.rate(symbol, self.reference, self.definition["currency"])

    def _shares(self, member: Member) -> tuple[float, float]:
        """Total shares and total shares times float band of a member."""
        total, free = self.tables.shares(self.reference, member.at_reference, member.listed)
        ladder = self.definition["weighting"].get("ladder") or "csi-2010"
        if ladder != "csi-2010":
            raise OracleError("ladder", ladder)
        return total, total * float_band(free / total)

    def _column(self, member: Member, column: str) -> float:
        figure = self.tables.fact(column, *self.tables.names(member.symbol, self.effective))
        if figure is None:
            raise OracleError("score", f"{member.listed}: no {column}")
        return float(figure)

    # --- selection --------------------------------------------------------------------------------

    def _rank_figure(self, member: Member, rank_by: str) -> float | None:
        if rank_by == "market_cap":  # P·X·total shares
            return member.value * self._shares(member)[0]
        if rank_by == "free_float_cap":  # P·X·total shares·float band
            return member.value * self._shares(member)[1]
        if rank_by == "price":  # P·X
            return member.value
        if rank_by.startswith("amount_"):
            count = int(rank_by.removeprefix("amount_"))
            currency = self.definition["currency"]
            return self.tables.mean_amount(member.listed, self.reference, count, currency)
        return self._column(member, rank_by)

    def _select(
        self, members: list[Member], selection: dict[str, Any], held: Collection[str]
    ) -> list[Member]:
        figures = {m.symbol: self._rank_figure(m, selection["rank_by"]) for m in members}
        for member in members:
            if figures[member.symbol] is None:
                self.exclude(member.symbol, "no turnover")
        members = [m for m in members if figures[m.symbol] is not None]
        # "largest first, ties by symbol"
        ranked = sorted(members, key=lambda m: (-(figures[m.symbol] or 0.0), m.at_reference))
        for rank, member in enumerate(ranked, start=1):
            member.rank = rank
        queue = ranked  # "The first `top` are held."
        if selection.get("enter") is not None:
            # "names ranked within `enter` come in, then current members (held at the close of e)
            # ranked within `keep`, then the rest by rank, in that order, to exactly `top`"
            enter, keep = selection["enter"], selection["keep"]
            within = [m for m in ranked if m.rank <= enter]
            current = [m for m in ranked[enter:keep] if m.symbol in held]
            rest = [m for m in ranked if m not in within and m not in current]
            queue = within + current + rest
        chosen = queue[: selection["top"]]
        for member in members:
            if member not in chosen:
                self.exclude(member.symbol, "selection")
        return [m for m in members if m in chosen]

    # --- weighting --------------------------------------------------------------------------------

    def _uncapped(self, members: list[Member]) -> dict[str, float]:
        """Weights before caps, up to a common factor; a member without one sits out."""
        scheme = self.definition["weighting"]["scheme"]
        if scheme == "inverse_volatility":  # w ∝ 1/σ
            return self._inverse_volatility(members)
        figures: dict[str, Callable[[Member], float]] = {
            "equal": lambda m: 1.0,  # 1/n
            "market_cap": self._capitalisation,  # P·X·total shares
            "free_float": self._capitalisation,  # P·X·total shares·float band
            "price": lambda m: m.value,  # w ∝ P·X
            "fixed": self._fixed(),
            "rank": self._by_rank(members),
            "score": lambda m: self._column(m, self.definition["weighting"]["column"]),
        }
        return {m.symbol: float(figures[scheme](m)) for m in members}

    def _capitalisation(self, member: Member) -> float:
        scheme = self.definition["weighting"]["scheme"]
        member.shares = self._shares(member)[REAL_SHARES.index(scheme)]
        return member.value * member.shares

    def _fixed(self) -> Callable[[Member], float]:
        """Given weights, "which must sum to 1 ± 1e-9 over the list (unless `normalise: true`)"."""
        weighting = self.definition["weighting"]
        if weighting["scheme"] == "fixed" and not weighting.get("normalise"):
            total = math.fsum(float(entry["weight"]) for entry in self.definition["constituents"])
            if abs(total - 1) > 1e-9:
                raise OracleError("weights", f"sum {total}")
        return lambda member: float(member.entry["weight"])

    def _by_rank(self, members: list[Member]) -> Callable[[Member], float]:
        """List of weights in rank order, renormalised when fewer are held."""
        weights = self.definition["weighting"].get("weights") or []
        ordered = [m.symbol for m in sorted(members, key=lambda m: m.rank)]
        if self.definition["weighting"]["scheme"] == "rank" and (
            not self.definition.get("selection") or len(ordered) > len(weights)
        ):
            raise OracleError("weights", "needs a selection and a weight for each that it holds")
        return lambda member: float(weights[ordered.index(member.symbol)])

    def _inverse_volatility(self, members: list[Member]) -> dict[str, float]:
        lookback = self.definition["weighting"].get("lookback") or 60
        weights = {}
        for m in members:
            count, sigma = self.tables.deviation(m.at_reference, self.reference, lookback)
            # "fewer than ⌈lookback/2⌉ returns or σ = 0 sits that rebalance out, not refilled"
            if count < math.ceil(lookback / 2) or sigma == 0:
                self.exclude(m.symbol, "volatility")
            else:
                weights[m.symbol] = 1.0 / sigma
        return weights

    def _weigh(self, members: list[Member]) -> list[Member]:
        uncapped = self._uncapped(members) if members else {}
        members = [m for m in members if m.symbol in uncapped]
        total = math.fsum(uncapped.values())
        if any(weight < 0 for weight in uncapped.values()):
            raise OracleError("weights", "a weight is negative")
        if not members or total <= 0:
            return []
        uncapped = {m.symbol: uncapped[m.symbol] / total for m in members}
        caps = self.definition["weighting"].get("caps") or {}
        segment_cap = caps.get("segment")
        weights = uncapped
        if caps:
            segments = {m.symbol: str(segment_of(m.entry, self.tables)) for m in members}
            weights = capped(uncapped, caps.get("constituent"), segment_cap, segments)
        ratios = {s: weights[s] / u for s, u in uncapped.items() if u > 0}
        for m in members:
            m.weight = weights[m.symbol]
            m.factor = ratios.get(m.symbol, max(ratios.values())) / max(ratios.values())
        return members
