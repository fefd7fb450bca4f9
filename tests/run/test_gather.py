"""What a fetch asks for again, and whom it believes, of sources that answer from tables."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from indexer.market.calendar import read_calendar
from indexer.market.sources.source import SCHEMAS, Answer, Ask, Table, without_rows
from indexer.market.store import read_rows, write_rows
from indexer.market.tables import TABLES
from indexer.run.fetch import Fetched, Span, fetch

NOW, LATER = (datetime(2026, 11, day, 10, tzinfo=UTC) for day in (25, 27))
FIRST, BAD, LAST = date(2026, 6, 1), date(2026, 8, 11), date(2026, 11, 27)
SHARE, ABROAD = "600584.SH", "00700.HK"
PAID, RIGHTS, COMING = date(2026, 7, 15), date(2026, 8, 20), date(2026, 12, 10)
BASKET = """
version: 1
id: small
name: {en: Small}
currency: CNY
calendar: XSHG
base: {date: 2026-07-01, level: 1000}
weighting: {scheme: %s}
constituents: [{symbol: %s}]
"""


@dataclass
class Teller:
    """A source that answers from tables, by what they are of; and what it was asked."""

    name: str
    told: dict[tuple[Table, str], pl.DataFrame]
    meanwhile: Callable[[], Any] = lambda: None
    asked: list[Ask] = field(default_factory=list)

    def offers(self, table: Table, subject: str) -> bool:
        """Return whether there is a table."""
        return (table, subject) in self.told

    def fetch(self, ask: Ask) -> Answer:
        """Return the rows of the dates asked for; of counts, the one that held before too."""
        self.asked.append(ask)
        self.meanwhile()
        rows = self.told[ask.table, ask.subject]
        day, since = ("ex_date" if ask.table == "actions" else "date"), ask.since
        if ask.table == "shares":
            since = rows.filter(pl.col(day) <= since)[day].max() or since
        rows = rows.filter(pl.col(day).is_between(since, ask.until))
        if rows.is_empty():
            return without_rows(ask, self.name, "no_data_unexplained", "no rows in the span")
        return Answer(ask, self.name, "ok", rows)


def bars(first: date = FIRST, bad: float | None = None) -> pl.DataFrame:
    """Return a walk of bars, the bad day's close as it is or another."""
    draw, close, rows = random.Random(1), 20.0, []  # noqa: S311 (the same walk each time)
    for day in read_calendar("XSHG").between(first, LAST).tolist():
        before, close = close, round(close * (1 + draw.uniform(-0.02, 0.02)), 2)
        told = close if bad is None or day != BAD else bad
        high, low = max(before, close) + 0.05, min(before, close) - 0.05
        volume = draw.randrange(10**6, 10**7)
        amount = round(volume * (high + low) / 2)
        row = (before, round(high, 2), round(low, 2), told, float(volume), float(amount), None)
        rows.append((SHARE, day, *row))
    return pl.DataFrame(rows, schema=SCHEMAS["prices"], orient="row")


def actions(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Return actions: ex-date, kind, cash, ratio and price of each."""
    told = [(SHARE, *row, *[None] * (5 - len(row))) for row in rows]
    return pl.DataFrame(told, schema=SCHEMAS["actions"], orient="row")


def counts(*rows: tuple[date, float]) -> pl.DataFrame:
    """Return counts of shares, all of them free to trade."""
    told = [(SHARE, day, total, total) for day, total in rows]
    return pl.DataFrame(told, schema=SCHEMAS["shares"], orient="row")


DIVIDEND = actions((PAID, "dividend", 0.1))


def tellers(
    prices: pl.DataFrame,
    first: pl.DataFrame = DIVIDEND,
    second: pl.DataFrame = DIVIDEND,
    third: pl.DataFrame | None = None,
) -> list[Teller]:
    """Return sources of the share: two of its actions, and three of its bars."""
    other = prices if third is None else third
    return [
        Teller("cninfo", {("actions", SHARE): first}),
        Teller("eastmoney", {("actions", SHARE): second, ("prices", SHARE): prices}),
        Teller("tencent", {("prices", SHARE): prices if third is None else bars()}),
        Teller("sina", {("prices", SHARE): other}),
    ]


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., Fetched]:
    """Return how a basket of one share is fetched."""

    def bring(
        sources: list[Teller], at: datetime = NOW, scheme: str = "equal", **span: date
    ) -> Fetched:
        (tmp_path / "small.yaml").write_text(BASKET % (scheme, SHARE))
        return fetch([str(tmp_path / "small.yaml")], tmp_path / "store", sources, Span(at, **span))  # type: ignore[arg-type]

    return bring


def stored(folder: Path, table: str, column: str) -> list[Any]:
    """Return a column of what is stored."""
    return read_rows(folder / "store", table).sort(pl.all())[column].to_list()


def outcomes(found: Fetched) -> dict[str, str]:
    """Return what came of each table."""
    return {gathered.need.table: gathered.outcome for gathered in found.needs}


# --- what is asked for again ----------------------------------------------------------------------


def disputed() -> list[Teller]:
    """Return sources of which no two have the same close of one day."""
    close = bars().filter(date=BAD)["close"][0]
    return tellers(bars(bad=close + 0.03), third=bars(bad=close - 0.03))


def test_a_session_that_was_refused_is_wanted_as_long_as_it_lacks(bring):
    first, again = bring(disputed()), bring(disputed())

    assert outcomes(first)["prices"] == outcomes(again)["prices"] == "corrupt"


@pytest.mark.parametrize("at", [NOW, LATER])
def test_a_session_that_was_refused_is_there_when_sources_agree(bring, tmp_path, at):
    bring(disputed())
    found = bring(tellers(bars()), at)

    assert outcomes(found)["prices"] == "ok"
    assert BAD in stored(tmp_path, "prices", "date")


def test_what_is_all_there_is_not_asked_for_again(bring):
    bring(tellers(bars()))
    sources = tellers(bars())
    bring(sources)

    assert [ask.table for source in sources for ask in source.asked] == ["actions", "actions"]


def suspended(folder: Path, until: date | None) -> None:
    """Store a suspension from the bad day on."""
    row = {"symbol": SHARE, "from": BAD, "until": until, "reason": "told"}
    rows = pl.DataFrame([row], schema=TABLES["suspensions"].empty().schema)
    write_rows(folder / "store", {"suspensions": rows})


def test_a_session_that_a_suspension_explains_is_not_asked_for_again(bring, tmp_path):
    suspended(tmp_path, date(2026, 8, 12))
    without = bars().filter(pl.col("date") != BAD)
    bring(tellers(without))
    sources = tellers(without)
    bring(sources)

    assert [ask for source in sources for ask in source.asked if ask.table == "prices"] == []


def test_a_suspension_without_an_end_does_not_end_the_asking(bring, tmp_path):
    bring(tellers(bars()), datetime(2026, 8, 10, 10, tzinfo=UTC))
    suspended(tmp_path, None)
    bring(tellers(bars()))

    assert stored(tmp_path, "prices", "date")[-1] == NOW.date()


def test_nothing_is_wanted_of_what_was_delisted(bring, tmp_path):
    bring(tellers(bars()), datetime(2026, 8, 10, 10, tzinfo=UTC))
    life = pl.DataFrame({"symbol": [SHARE], "delist_date": [date(2026, 8, 11)]})
    write_rows(tmp_path / "store", {"securities": life})
    gone = [Teller(s.name, s.told) for s in tellers(bars().clear())]

    assert outcomes(bring(gone))["prices"] == "ok"


def test_actions_are_asked_for_since_the_first_bar_that_is_stored(bring):
    """Those between are needed to judge the bars that are asked for again."""
    bring(tellers(bars()))
    sources = tellers(bars())
    bring(sources, since=date(2026, 11, 2))

    assert [ask.since for ask in sources[0].asked] == [FIRST]


def test_a_span_before_what_is_stored_is_brought_in(bring, tmp_path):
    early = bars(first=date(2025, 1, 2))
    sources = [Teller(s.name, s.told | {("prices", SHARE): early}) for s in tellers(early)[1:]]
    sources.append(tellers(early)[0])
    bring(sources)
    found = bring(sources, since=date(2025, 1, 2), until=date(2025, 12, 31))

    assert found.problem is None
    assert stored(tmp_path, "prices", "date")[0] == date(2025, 1, 2)


def test_a_rate_that_was_missing_is_asked_for_again(tmp_path):
    days = read_calendar("XSHG").between(FIRST, LAST).tolist()
    rates = pl.DataFrame(
        [(day, "HKD", "CNY", 0.91) for day in days], schema=SCHEMAS["fx"], orient="row"
    )
    (tmp_path / "small.yaml").write_text(BASKET % ("equal", ABROAD))

    def bring(told: pl.DataFrame) -> Fetched:
        sources = [Teller(name, {("fx", "HKD/CNY"): told}) for name in ("safe", "sina")]
        return fetch([str(tmp_path / "small.yaml")], tmp_path / "store", sources, Span(NOW))

    bring(rates.filter(pl.col("date") != BAD))
    bring(rates)

    assert BAD in stored(tmp_path, "fx", "date")


def test_a_listing_that_was_entered_in_a_file_ends_the_asking(bring, tmp_path):
    late = bars(first=BAD)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "securities.csv").write_text(f"symbol,list_date\n{SHARE},{BAD}\n")

    found = bring(tellers(late))

    assert outcomes(found)["prices"] == "ok"


def test_a_table_in_a_file_is_not_added_to_and_the_rest_is_there(bring, tmp_path):
    (tmp_path / "store").mkdir()
    file = tmp_path / "store" / "actions.csv"
    file.write_text(before := "symbol,ex_date,kind,cash\nNVDA.US,2026-07-01,dividend,0.01\n")
    found = bring(tellers(bars()))

    assert outcomes(found) == {"actions": "corrupt", "prices": "ok"}
    assert "actions.csv cannot be added to" in str(found.problem)
    assert file.read_text() == before


def test_a_table_in_a_file_that_has_all_that_is_told_holds_up_nothing(bring, tmp_path):
    bring(tellers(bars()))
    rows = read_rows(tmp_path / "store", "actions").select("symbol", "ex_date", "kind", "cash")
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "store").mkdir()
    rows.write_csv(tmp_path / "store" / "actions.csv")

    assert bring(tellers(bars())).problem is None


def test_what_stands_in_a_file_need_not_be_told_by_a_source(bring, tmp_path):
    (tmp_path / "store").mkdir()
    text = f"symbol,ex_date,kind,cash\n{SHARE},{PAID},dividend,0.1\n{SHARE},{RIGHTS},dividend,0.2\n"
    (tmp_path / "store" / "actions.csv").write_text(text)

    assert outcomes(bring(tellers(bars())))["actions"] == "ok"


def test_a_suspension_in_a_file_holds_up_no_later_bar(bring, tmp_path):
    bring(tellers(bars()), datetime(2026, 8, 11, 10, tzinfo=UTC))
    file = tmp_path / "store" / "suspensions.csv"
    file.write_text(f"symbol,from,until,reason\n{SHARE},2026-01-05,2026-01-07,told\n")
    late = bars().filter(pl.col("date") < NOW.date())
    one, two, _, three = tellers(bars())
    found = bring([one, two, tellers(late)[2], three])

    assert outcomes(found)["prices"] == "ok"


# --- whom one believes ----------------------------------------------------------------------------


def test_rights_that_one_source_tells_hold_up_no_other(bring, tmp_path):
    rights = (RIGHTS, "rights", None, 0.3, 5.0)
    bring(tellers(bars(), actions((PAID, "dividend", 0.1), rights)))
    more = [(PAID, "dividend", 0.1), (COMING, "dividend", 0.2)]
    bring(tellers(bars(), actions(*more, rights), actions(*more)))

    assert stored(tmp_path, "actions", "ex_date") == [PAID, RIGHTS, COMING]


@pytest.mark.parametrize(
    ("kind", "figures"), [("split", {"ratio": 2.0}), ("dividend", {"cash": 1.0})]
)
def test_an_action_entered_by_hand_holds_up_no_source(bring, tmp_path, kind, figures):
    bring(tellers(bars()))
    own = {"symbol": SHARE, "ex_date": date(2026, 12, 1), "kind": kind, **figures}
    kept = read_rows(tmp_path / "store", "actions")
    rows = pl.concat([kept, pl.DataFrame([own])], how="diagonal_relaxed")
    write_rows(tmp_path / "store", {"actions": rows}, symbols=[SHARE])
    more = actions((PAID, "dividend", 0.1), (COMING, "dividend", 0.2))
    bring(tellers(bars(), more, more))

    assert stored(tmp_path, "actions", "ex_date") == [PAID, date(2026, 12, 1), COMING]


def test_a_count_from_one_source_need_not_be_repeated_by_another(bring, tmp_path):
    start = (date(2026, 1, 5), 1.0e9)
    only, new = (date(2026, 7, 6), 1.01e9), (date(2026, 11, 20), 1.2e9)

    def sources(*more: tuple[date, float]) -> list[Teller]:
        found = tellers(bars())
        found[0].told["shares", SHARE] = counts(start, *more)
        found[1].told["shares", SHARE] = counts(start, only, *more)
        return found

    bring(sources(), scheme="market_cap")
    bring(sources(new), scheme="market_cap")

    assert stored(tmp_path, "shares", "date") == [start[0], only[0], new[0]]


def test_an_action_that_all_tell_otherwise_than_stored_is_refused(bring, tmp_path):
    bring(tellers(bars()))
    amended = actions((PAID, "dividend", 0.3))
    found = bring(tellers(bars(), amended, amended))

    assert outcomes(found)["actions"] == "corrupt"
    assert "stored is cash 0.1" in str(found.problem)
    assert stored(tmp_path, "actions", "cash") == [0.1]


def test_nothing_new_is_taken_beside_an_action_that_all_tell_otherwise(bring, tmp_path):
    bring(tellers(bars()))
    scaled = actions((PAID, "dividend", 1.0), (COMING, "dividend", 2.0))
    bring(tellers(bars(), scaled, scaled))

    assert stored(tmp_path, "actions", "ex_date") == [PAID]
    log = (tmp_path / "store" / "replies" / "disregarded.jsonl").read_text("utf-8")
    assert "nothing new is taken before that is settled" in log


def test_nothing_new_is_taken_beside_a_count_that_all_tell_otherwise(bring, tmp_path):
    def sources(times: float, *more: tuple[date, float]) -> list[Teller]:
        found = tellers(bars())
        for source in found[:2]:
            rows = counts((date(2026, 1, 5), 1.0e9), *more)
            told = rows.with_columns(pl.col("total_shares", "free_float_shares") * times)
            source.told["shares", SHARE] = told
        return found

    bring(sources(1.0), scheme="market_cap")
    found = bring(sources(1.2, (date(2026, 11, 20), 1.0e9)), scheme="market_cap")

    assert outcomes(found)["shares"] == "corrupt"
    assert stored(tmp_path, "shares", "date") == [date(2026, 1, 5)]


@pytest.mark.parametrize("cash", [0.1, 0.2, 0.3])
def test_what_is_entered_of_an_action_that_all_tell_otherwise_settles_it(bring, tmp_path, cash):
    bring(tellers(bars()))
    entered(tmp_path, {"ex_date": PAID, "kind": "dividend", "cash": cash})
    amended = actions((PAID, "dividend", 0.3), (COMING, "dividend", 0.5))
    found = bring(tellers(bars(), amended, amended))

    assert outcomes(found)["actions"] == "ok"
    assert stored(tmp_path, "actions", "cash") == [cash, 0.5]


def entered(folder: Path, *rows: dict[str, Any]) -> None:
    """Store actions of the share that somebody has entered."""
    named = [{"symbol": SHARE, **row} for row in rows]
    write_rows(folder / "store", {"actions": pl.DataFrame(named)})


SPECIAL = {"ex_date": PAID, "kind": "special_dividend", "cash": 0.1}


def test_a_dividend_that_was_entered_as_a_special_one_is_not_paid_twice(bring, tmp_path):
    entered(tmp_path, SPECIAL)
    found = bring(tellers(bars()))

    assert found.problem is None
    assert stored(tmp_path, "actions", "kind") == ["special_dividend"]


def test_a_bonus_issue_that_was_entered_as_a_split_is_not_issued_twice(bring, tmp_path):
    entered(tmp_path, {"ex_date": COMING, "kind": "split", "ratio": 1.4})
    bonus = actions((COMING, "bonus", None, 0.4))
    found = bring(tellers(bars(), bonus, bonus))

    assert found.problem is None
    assert stored(tmp_path, "actions", "kind") == ["split"]


def test_a_dividend_beside_a_special_one_that_was_entered_is_refused(bring, tmp_path):
    entered(tmp_path, SPECIAL | {"cash": 0.5})
    found = bring(tellers(bars()))

    assert "dividend 0.1: 0.5 was entered of that date" in str(found.problem)
    assert [e.value for e in found.disregarded if e.rule == "disagreement"] == ["0.1"]
    assert stored(tmp_path, "actions", "kind") == ["special_dividend"]


def test_a_dividend_beside_a_special_one_is_settled_by_entering_both(bring, tmp_path):
    dividend = {"ex_date": PAID, "kind": "dividend", "cash": 0.1}
    entered(tmp_path, dividend, SPECIAL | {"cash": 0.5})

    assert bring(tellers(bars())).problem is None


def test_a_special_dividend_may_be_entered_beside_a_dividend_that_a_source_told(bring, tmp_path):
    bring(tellers(bars()))
    told = read_rows(tmp_path / "store", "actions")
    special = pl.DataFrame([{"symbol": SHARE, **SPECIAL, "cash": 0.5}])
    write_rows(tmp_path / "store", {"actions": pl.concat([told, special], how="diagonal")})

    assert bring(tellers(bars())).problem is None


def test_a_dividend_that_changes_beside_a_special_one_that_was_entered_is_told(bring, tmp_path):
    bring(tellers(bars()))
    told = read_rows(tmp_path / "store", "actions")
    special = pl.DataFrame([{"symbol": SHARE, **SPECIAL, "cash": 0.2}])
    write_rows(tmp_path / "store", {"actions": pl.concat([told, special], how="diagonal")})
    changed = actions((PAID, "dividend", 0.2))

    assert outcomes(bring(tellers(bars(), changed, changed)))["actions"] == "corrupt"


def test_what_was_entered_as_a_special_dividend_is_not_new_to_the_only_source(bring, tmp_path):
    entered(tmp_path, SPECIAL)
    first, second, *rest = tellers(bars())
    second.told.pop(("actions", SHARE))
    silent = Silent("eastmoney", {("actions", SHARE): DIVIDEND})

    assert bring([first, silent, second, *rest]).problem is None


def test_a_dividend_told_as_one_may_be_entered_as_two(bring, tmp_path):
    entered(tmp_path, {"ex_date": PAID, "kind": "dividend", "cash": 0.04}, SPECIAL | {"cash": 0.06})

    assert bring(tellers(bars())).problem is None
    assert stored(tmp_path, "actions", "cash") == [0.04, 0.06]


class Silent(Teller):
    """A source that does not answer."""

    def fetch(self, ask: Ask) -> Answer:
        """Return that there is no answer."""
        return without_rows(ask, self.name, "transient", "no answer")


def test_sources_that_do_not_answer_do_not_say_that_nothing_was_paid(bring):
    first, second, *rest = tellers(bars())
    silent = [Silent(name, {("actions", SHARE): DIVIDEND}) for name in (first.name, second.name)]
    second.told.pop(("actions", SHARE))

    assert outcomes(bring([*silent, second, *rest]))["actions"] == "transient"


def test_an_action_that_another_writes_meanwhile_stays(bring, tmp_path):
    bring(tellers(bars()))
    own = {"symbol": SHARE, "ex_date": date(2026, 12, 1), "kind": "split", "ratio": 2.0}

    def write() -> None:
        kept = read_rows(tmp_path / "store", "actions").filter(kind="dividend")
        rows = pl.concat([kept, pl.DataFrame([own])], how="diagonal_relaxed")
        write_rows(tmp_path / "store", {"actions": rows}, symbols=[SHARE])

    sources = tellers(bars())
    sources[0].meanwhile = write
    bring(sources)

    assert stored(tmp_path, "actions", "kind") == ["dividend", "split"]


def alone(found: Fetched) -> list[tuple[str, date | None, str]]:
    """Return what was held back because no other source has it."""
    return [(e.symbol, e.date, e.value) for e in found.disregarded if e.rule == "alone"]


def test_a_last_bar_that_nobody_seconds_is_logged(bring):
    day, close = NOW.date(), bars().filter(date=NOW.date())["close"][0]
    late = bars().filter(pl.col("date") < day)

    found = bring(tellers(bars(), third=late)[:2] + tellers(late)[2:])

    assert [(symbol, on) for symbol, on, _ in alone(found)] == [(SHARE, day)]
    assert f"close {close}" in alone(found)[0][2]


def test_an_action_that_nobody_seconds_is_logged(bring):
    bring(tellers(bars()))
    sources = tellers(bars(), actions((PAID, "dividend", 0.1), (COMING, "dividend", 0.2)))
    sources[1].told["actions", SHARE] = actions((PAID, "dividend", 0.1), (COMING, "dividend", 50.0))
    found = bring(sources)

    assert alone(found) == [(SHARE, COMING, "cash 0.2")]
