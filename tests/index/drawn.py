"""Hypothesis strategies: an index definition and a market folder to go with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from tests.index.drawn_market import (
    MOVING,
    RESTATING,
    Layout,
    constituents,
    markets,
    open_days,
    seldom,
    turning,
    walked,
)
from tests.index.examples import Row, Tables
from tests.reference.schedule import effective_dates

SCHEMES = (
    "equal",
    "market_cap",
    "free_float",
    "price",
    "fixed",
    "rank",
    "inverse_volatility",
    "score",
)
REAL_SHARES = ("market_cap", "free_float")
NTH = ("first", "second", "third", "fourth", "last")
DAYS = (
    *(f"{nth} {day}" for nth in NTH for day in ("monday", "wednesday", "friday")),
    "first session",
    "last session",
    *(str(number) for number in (1, 2, 5, 15, 28, 30, 31)),
)
MONTHS = {"never": 0, "monthly": 12, "quarterly": 4, "semiannual": 2, "annual": 1}
# (constituents, largest number of sessions): small ones mostly
SMALL = ((1, 12), (2, 12), (2, 45), (3, 45), (3, 130), (4, 90), (5, 130), (6, 90))
SIZES = (*SMALL, (8, 70), (13, 45), (40, 40), (4, 600))


@dataclass(frozen=True)
class Case:
    """A definition, the tables of a market folder, and the last date asked for."""

    definition: Row
    tables: Tables
    until: date | None = None

    @property
    def sessions(self) -> list[date]:
        """Return the sessions of the calendar around everything that is dated in the case."""
        days = [row["date"] for name in ("prices", "shares") for row in self.tables[name]]
        days += [row["list_date"] for row in self.tables["securities"] if row.get("list_date")]
        days.append(self.definition["base"]["date"])
        first, last = min(days) - timedelta(90), max(days) + timedelta(70)
        return [d for d in open_days(self.definition["calendar"]) if first <= d <= last]

    def but(self, **keys: object) -> "Case":
        """Return the case with some keys of the definition replaced."""
        return replace(self, definition=self.definition | keys)

    def with_table(self, name: str, rows: Sequence[Row]) -> "Case":
        """Return the case with one table replaced."""
        return replace(self, tables=self.tables | {name: list(rows)})


@st.composite
def cases(
    draw: st.DrawFn,
    schemes: Sequence[str] = SCHEMES,
    kinds: Sequence[str] = (*RESTATING, *MOVING),
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    sound: bool = False,
    lagged: bool = False,
) -> Case:
    """Draw a case; a sound one lacks no figure and leaves out nobody without an action.

    A lagged one is rebalanced every month, by figures of an earlier session.
    """
    count, longest = draw(st.sampled_from(sizes))
    rule = draw(rebalances(lagged=lagged))
    scheme = draw(st.sampled_from(schemes))
    layout = draw(layouts(count, longest, rule, sound=sound))
    layout = replace(layout, ranked=scheme == "rank" or seldom(draw, 3))
    definition = {
        "currency": layout.currency,
        "calendar": layout.code,
        "base": {"date": layout.base, "level": draw(st.sampled_from((1000.0, 100.0, 3.7)))},
        "rebalance": rule,
        **draw(weightings(layout, scheme)),
        **draw(options(sound=sound)),
    }
    if definition["weighting"]["scheme"] not in REAL_SHARES and draw(st.booleans()):
        rule["price_date"] = "effective"
    until = None
    if not sound and seldom(draw, 6):
        until = draw(st.dates(layout.base - timedelta(1), layout.end + timedelta(9)))
    return Case(definition, draw(markets(layout, kinds)), until)


@st.composite
def layouts(draw: st.DrawFn, count: int, longest: int, rule: Row, *, sound: bool) -> Layout:
    """Draw dates, currency and symbols."""
    code = draw(st.sampled_from(("24/5", "XSHG", "XHKG", "XNYS")))
    sessions = open_days(code)
    first = 750 + draw(st.integers(0, 450))  # from 2022 on
    base = first + draw(st.integers(12 if sound else 0, 25))
    end = base + draw(st.integers(1, longest))
    dates = [sessions[base]]
    for effective in effective_dates(rule, sessions[: end + 1], sessions[base]):
        dates += [effective, sessions[sessions.index(effective) - rule.get("reference_lag", 0)]]
    return Layout(
        code,
        sessions[first],
        sessions[base],
        sessions[end],
        draw(st.sampled_from(("CNY", "HKD", "USD"))),
        dates,
        draw(constituents(count)),
        draw(st.sampled_from(((), ("NEW.US", "600099.SH")))),
        sound,
        not sound and seldom(draw, 3),
    )


@st.composite
def rebalances(draw: st.DrawFn, *, lagged: bool) -> Row:
    often = ("monthly", "monthly", "monthly")
    every = ("never", *often, "quarterly", "semiannual", "annual")
    frequency = draw(st.sampled_from(often if lagged else every))
    rule: Row = {"frequency": frequency, "day": draw(st.sampled_from(DAYS))}
    count = MONTHS[frequency]
    if 0 < count < 12 and draw(st.booleans()):
        months = st.lists(st.integers(1, 12), min_size=count, max_size=count, unique=True)
        rule["months"] = draw(months)
    if lagged or draw(st.booleans()):
        rule["reference_lag"] = draw(st.integers(int(lagged), 12))
    if seldom(draw, 3):
        rule["untradable"] = "freeze"
    return rule


@st.composite
def weightings(draw: st.DrawFn, layout: Layout, scheme: str) -> Row:
    """Draw weighting, selection and constituents."""
    entries: list[Row] = [{"symbol": symbol} for symbol in layout.symbols]
    if seldom(draw, 12):
        entries.append({"symbol": "GONE.US", "segment": "x"})  # of which there are no closes
    weighting: Row = {"scheme": scheme}
    keys: Row = {"weighting": weighting, "constituents": entries}
    if layout.ranked:
        keys["selection"] = draw(selections(len(entries), layout))
    if scheme == "fixed":
        weighting["normalise"] = True
        for entry in entries:
            entry["weight"] = draw(st.sampled_from((1.0, 0.3, 2.0, 0.0 if layout.zeros else 0.1)))
        if not any(entry["weight"] for entry in entries):
            entries[0]["weight"] = 1.0
    elif scheme == "rank":
        raw = sorted(walked(draw(st.integers(0, 99)), keys["selection"]["top"], 0.4), reverse=True)
        weighting["weights"] = [weight / sum(raw) for weight in raw]
    elif scheme == "inverse_volatility":
        weighting["lookback"] = draw(st.integers(2, 20))
    elif scheme == "score":
        weighting["column"] = "points"
    if not layout.sound and seldom(draw, 3):
        weighting["caps"] = draw(caps(keys.get("selection", {}).get("top", len(entries))))
    for entry in entries:
        entry.update(draw(memberships(layout)))
    return keys


@st.composite
def caps(draw: st.DrawFn, count: int) -> dict[str, float]:
    """Draw caps that the constituents can mostly meet."""
    found = {}
    if draw(st.booleans()):
        found["constituent"] = min(1.0, draw(st.floats(1.0, 3.0)) / count)
    if draw(st.booleans()):
        found["segment"] = draw(st.sampled_from((0.5, 0.7, 1.0, 0.34)))
    return found


@st.composite
def selections(draw: st.DrawFn, count: int, layout: Layout) -> Row:
    """Draw a selection; no buffer where a member may weigh nothing, and so be held or not."""
    by = ["price", "market_cap", "free_float_cap", "amount_5", "amount_1"]
    found: Row = {"rank_by": draw(st.sampled_from(by[:3] if layout.sound else [*by, "points"]))}
    found["top"] = draw(st.integers(1, count))
    if not layout.zeros and draw(st.booleans()):
        found["enter"] = draw(st.integers(1, found["top"]))
        found["keep"] = found["top"] + draw(st.integers(0, 5))
    return found


@st.composite
def options(draw: st.DrawFn, *, sound: bool) -> Row:
    """Draw variants, tax, seasoning and staleness."""
    keys: Row = {"variants": ["price", "gross", "net"]}
    keys["withholding"] = {"CN": 0.1, "HK": 0.0, "US": 0.3, "view": "non-resident"}
    if not sound and seldom(draw, 6):
        keys["withholding"] = draw(st.sampled_from((0.2, {"CN": 0.1, "US": 0.3}, 0.0)))
    if seldom(draw, 4):
        keys["variants"] = draw(st.sampled_from((["net"], ["gross", "price"], ["price"])))
    if not sound and seldom(draw, 4):
        keys["eligibility"] = {"seasoning": draw(st.integers(0, 12))}
    if not sound and seldom(draw, 6):
        keys["max_stale"] = draw(st.integers(5, 60))
    return keys


@st.composite
def memberships(draw: st.DrawFn, layout: Layout) -> dict[str, date]:
    """Draw from and until, on a date of a rebalance or next to it."""
    if layout.sound or not seldom(draw, 8):
        return {}
    found = {"from": turning(draw, layout)} if draw(st.booleans()) else {}
    until = turning(draw, layout) + timedelta(draw(st.sampled_from((0, 40))))
    return found | ({"until": until} if until > found.get("from", date.min) else {})
