"""The gates on constituents against those of `tests.reference.gates`, on drawn markets."""

import re

from hypothesis import HealthCheck, event, given, reject, settings
from hypothesis import strategies as st

from indexer.errors import IndexerError
from indexer.index.build import build
from indexer.index.finding import Finding
from indexer.index.gates import findings
from indexer.index.history import History
from indexer.index.holding import market_weights
from indexer.market.tables import Market
from tests.index.drawn import SMALL, Case, cases
from tests.index.drawn_market import RESTATING
from tests.index.examples import basket, market
from tests.reference.gates import beyond_belief, stale_weight

drawn = st.composite(lambda draw: draw(cases(kinds=RESTATING, sizes=SMALL, sound=True)))()
some = settings(
    max_examples=max(30, settings().max_examples // 4), suppress_health_check=list(HealthCheck)
)


def built(case: Case) -> tuple[History, Market]:
    folder = market(case.tables)
    try:
        return build(basket(**case.definition), folder), folder
    except IndexerError:
        reject()


def judged(history: History, folder: Market) -> list[Finding]:
    return list(findings(history, folder, history.days.tolist()))


@given(drawn)
@some
def test_closes_beyond_belief_are_those_of_the_oracle(case: Case) -> None:
    history, folder = built(case)
    wanted = set()
    listed = {row["symbol"]: row.get("list_date") for row in case.tables["securities"]}
    first = history.panel.sessions[len(history.panel.sessions) - len(history.days) - 1].item()
    for j, symbol in enumerate(history.symbols):
        days = beyond_belief(case.tables["prices"], case.tables["actions"], symbol, listed[symbol])
        held = history.shares[:, j] > 0
        for day in days:
            row = int(history.days.searchsorted(day))
            early = row == 0 and len(history.panel.sessions) > len(history.days) and day <= first
            if row < len(held) and held[row] and not early:
                wanted.add((symbol, str(day)))
    told = [f.message for f in judged(history, folder) if f.rule == "R16"]
    found = {
        match.groups()
        for message in told
        if (match := re.match(r"(\S+) closed at \S+ on (\S+),", message))
    }

    event(f"beyond: {bool(wanted)}")
    assert found == wanted


@given(drawn)
@some
def test_stale_weight_is_that_of_the_oracle(case: Case) -> None:
    """But on sessions on which an exchange is silent, which says so itself."""
    history, folder = built(case)
    told = judged(history, folder)
    silent = {f.session for f in told if f.rule == "R19" or f.verdict == "wait"}
    refused = {f.session for f in told if (f.rule, f.verdict) == ("R14", "refuse")} - silent
    wanted = set()
    for row, day in enumerate(history.days.tolist()):
        at = len(history.panel.sessions) - len(history.days) + row
        weights = market_weights(history.panel, at, history.shares[row])
        by_symbol = dict(zip(history.symbols, weights.tolist(), strict=True))
        if stale_weight(case.tables["prices"], by_symbol, day) > 0.1 + 1e-12:
            wanted.add(day)

    event(f"stale: {bool(wanted - silent)}")
    assert refused == wanted - silent


@given(drawn)
@some
def test_nothing_an_index_is_built_right_from_breaks_an_identity(case: Case) -> None:
    history, folder = built(case)

    assert not [f for f in judged(history, folder) if f.rule in ("R34", "R35")]


@given(drawn, st.data())
@some
def test_a_session_judged_alone_is_judged_as_among_all(case: Case, data: st.DataObject) -> None:
    history, folder = built(case)
    day = data.draw(st.sampled_from(history.days.tolist()))
    together = [f for f in judged(history, folder) if f.session == day]

    assert list(findings(history, folder, [day])) == together
