"""What a fetch leaves in the store, whoever fails on the way; through akshare's own code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import PanicException

from benchmarks.standin.faults import Fault
from benchmarks.standin.market import invented
from indexer.cli.fetch import SOURCES, _print
from indexer.errors import BugError, MarketDataError, OutputError, SourceError, TryAgainError
from indexer.index.build import build
from indexer.market.calendar import read_calendar
from indexer.market.sources.akshare import NAMES, upstreams
from indexer.market.sources.archive import index_of
from indexer.market.sources.source import Answer, Ask, Source, Table
from indexer.market.store import read_rows
from indexer.market.tables import read_market
from indexer.run.fetch import Fetched, Span, fetch, report_of
from indexer.run.find import index_named
from tests.market.sources.folder import folder_source
from tests.market.sources.standin import (
    EX_DATE,
    LAST,
    SHARES,
    Reach,
    evening,
    small_market,
    write_folder,
)

BASKET = """
version: 1
id: small
name: {en: Small}
currency: CNY
calendar: XSHG
base: {date: 2026-04-01, level: 1000}
variants: [price, gross]
weighting: {scheme: free_float}
rebalance: {frequency: monthly}
constituents: [%s]
"""
SERIES = """
version: 1
id: tech
kind: series
name: {en: Tech}
currency: HKD
calendar: XHKG
base: {date: 2026-03-02, level: 1000}
symbol: HSTECH.HK
"""


def test_the_command_knows_every_source_by_name():
    assert sorted(SOURCES) == sorted(NAMES)


@pytest.fixture
def basket(tmp_path: Path) -> str:
    return written(tmp_path, *SHARES)


def written(folder: Path, *symbols: str) -> str:
    """Write a basket of some shares; return its path."""
    listed = ", ".join(f"{{symbol: {symbol}}}" for symbol in symbols)
    (folder / "small.yaml").write_text(BASKET % listed)
    return str(folder / "small.yaml")


def run(reach: Reach, folder: Path, *names: str, sources: tuple[str, ...] = NAMES) -> Fetched:
    """Fetch into a store at the instant the stand-in's clock shows."""
    span = Span(reach.clock.at, until=reach.standin.market.today)
    return fetch(names, folder / "store", upstreams(reach.access, sources), span)


def closes(folder: Path) -> pl.DataFrame:
    return read_rows(folder / "store", "prices").select("symbol", "date", "close")


def true_closes(*symbols: str, until: date = LAST) -> pl.DataFrame:
    rows = [
        (symbol, bar.day, bar.close)
        for symbol in sorted(symbols)
        for bar in small_market().bars[symbol]
        if bar.day <= until
    ]
    return pl.DataFrame(rows, schema=["symbol", "date", "close"], orient="row")


def failing(reach: Reach, kind: str, *hosts: str) -> None:
    """Give every request to some hosts a fault."""
    reach.standin.choose = lambda r: Fault(kind) if r.host.endswith(hosts) else None


def test_a_file_in_the_place_of_a_store_is_refused(reach, tmp_path, basket):
    (tmp_path / "store").touch()
    with pytest.raises(OutputError, match="it is a file, name the folder of the store"):
        run(reach, tmp_path, basket)


def test_an_index_of_what_was_fetched_is_that_of_the_true_market(reach, tmp_path, basket):
    found = run(reach, tmp_path, basket)
    write_folder(small_market(), tmp_path / "true")

    index = build(index_named(basket), read_market(tmp_path / "store"))
    true = build(index_named(basket), read_market(tmp_path / "true"))

    assert found.problem is None
    assert index.levels.drop("market_value").equals(true.levels.drop("market_value"))


@dataclass(frozen=True)
class Broken:
    """A source with a mistake in it that one subject brings to light."""

    name: str
    own: Source
    error: BaseException

    def offers(self, table: Table, subject: str) -> bool:
        """Return what the source itself does."""
        return self.own.offers(table, subject)

    def fetch(self, ask: Ask) -> Answer:
        """Return what the source itself does, but for that subject."""
        if (ask.table, ask.subject) == ("prices", "300308.SZ"):
            raise self.error
        return self.own.fetch(ask)


@pytest.mark.parametrize("error", [ZeroDivisionError(), PanicException("of a library")])
def test_a_bug_that_one_need_meets_stops_no_other(reach, tmp_path, basket, error):
    sources: list[Source] = [Broken(s.name, s, error) for s in upstreams(reach.access, NAMES)]
    span = Span(reach.clock.at, until=reach.standin.market.today)
    found = fetch([basket], tmp_path / "store", sources, span)

    assert isinstance(found.problem, BugError)
    assert "Traceback" in str(found.problem)
    assert closes(tmp_path).equals(true_closes(*{*SHARES} - {"300308.SZ"}))
    assert report_of(found)["complete"] is False


def test_first_prices_rest_on_three_sources_that_agree_and_say_where_they_are_from(reach, tmp_path):
    found = run(reach, tmp_path, written(tmp_path, "300308.SZ"))

    prices = next(g for g in found.needs if g.need.table == "prices")
    assert [answer.source for answer in prices.answers] == ["eastmoney", "tencent", "sina"]
    row = read_rows(tmp_path / "store", "prices").row(0, named=True)
    assert row["source"] == "eastmoney"
    assert row["sha256"] == prices.answers[0].replies[-1].sha256


@pytest.mark.parametrize(
    ("table", "asked"), [("suspensions", "suspensions"), ("securities", "listing of 600584.SH")]
)
def test_what_explains_a_hole_is_from_the_reply_that_does(reach, tmp_path, table, asked):
    market, listed = reach.standin.market, date(2026, 3, 16)
    market.listed["600584.SH"] = listed
    market.bars["600584.SH"] = [bar for bar in market.bars["600584.SH"] if bar.day >= listed]

    run(reach, tmp_path, written(tmp_path, "688256.SH", "600584.SH"))

    told = {entry["sha256"]: entry["ask"] for entry in index_of(reach.access.archive)}
    stored = read_rows(tmp_path / "store", table)
    assert {told[digest].partition(",")[0] for digest in stored["sha256"]} == {asked}


def test_the_archive_tells_which_function_asked_for_a_reply(reach, tmp_path):
    run(reach, tmp_path, written(tmp_path, "600584.SH"))

    told = {
        (line["source"], line["ask"].split()[0], line["function"])
        for line in index_of(reach.access.archive)
    }
    assert ("eastmoney", "prices", "stock_zh_a_hist") in told
    assert ("tencent", "prices", "stock_zh_a_hist_tx") in told


def test_a_row_is_from_the_first_source_that_has_it(reach, tmp_path):
    failing(reach, "one_row_missing_today", "push2his.eastmoney.com")

    run(reach, tmp_path, written(tmp_path, "600584.SH"))

    stored = read_rows(tmp_path / "store", "prices").sort("date")
    assert stored["source"].to_list() == ["eastmoney"] * (len(stored) - 1) + ["tencent"]


def test_actions_that_are_stored_stay_from_when_they_came(reach, tmp_path):
    name, before = written(tmp_path, "300308.SZ"), evening(EX_DATE)
    reach.standin.market.today, reach.clock.at = EX_DATE, before
    run(reach, tmp_path, name)
    reach.standin.market.today, reach.clock.at = LAST, evening()
    known = reach.standin.market.actions["300308.SZ"]
    known.append(known[0] | {"ex_date": LAST + timedelta(days=3), "cash": 0.2})

    run(reach, tmp_path, name)

    stored = read_rows(tmp_path / "store", "actions")
    days = stored.select(pl.col("ex_date"), pl.col("fetched_at").dt.date()).rows()
    assert days == [(EX_DATE, EX_DATE)] * 2 + [(LAST + timedelta(days=3), LAST)]


def test_a_hole_is_explained_by_who_was_suspended_on_its_days(reach, tmp_path):
    found = run(reach, tmp_path, written(tmp_path, "688256.SH"))

    assert found.problem is None
    stored = read_rows(tmp_path / "store", "suspensions")
    assert stored.select("symbol", "from").row(0) == ("688256.SH", date(2026, 4, 8))


def test_a_suspension_that_bars_contradict_is_told(reach, tmp_path):
    """Who was suspended is asked on a day on which 688256 has no bar; 300308 has one."""
    planned = reach.standin.market.suspensions[0] | {"symbol": "300308.SZ"}
    reach.standin.market.suspensions.append(planned)

    found = run(reach, tmp_path, written(tmp_path, "300308.SZ", "688256.SH"))

    assert {str(d.date) for d in found.disregarded if d.symbol == "300308.SZ"} == {"2026-04-08"}


def test_a_hole_that_nobody_explains_is_told_and_the_session_is_missing(reach, tmp_path):
    del reach.standin.market.bars["600584.SH"][30]

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    assert isinstance(found.problem, TryAgainError)
    assert "no bar for 1 session," in str(found.problem)


def test_what_is_there_is_not_asked_for_again(reach, tmp_path):
    """Also of one that was suspended in between."""
    name = written(tmp_path, "688256.SH")
    run(reach, tmp_path, name)
    reach.standin.asked.clear()

    found = run(reach, tmp_path, name)

    assert found.problem is None
    assert not [r for r in reach.standin.asked if "kline" in r.path]


def test_a_span_that_ends_on_no_session_is_not_asked_for_again(reach, tmp_path):
    sunday, name = date(2026, 6, 7), written(tmp_path, "600584.SH")
    span = Span(reach.clock.at, until=sunday)
    fetch([name], tmp_path / "store", upstreams(reach.access), span)
    reach.standin.asked.clear()

    fetch([name], tmp_path / "store", upstreams(reach.access), span)

    assert closes(tmp_path)["date"].max() == sunday - timedelta(days=2)
    assert not [r for r in reach.standin.asked if "kline" in r.path]


def test_what_is_stored_and_two_sources_bear_out_the_next_day(reach, tmp_path):
    name = written(tmp_path, "600584.SH")
    reach.standin.market.today = LAST - timedelta(days=1)
    reach.clock.at = evening(LAST - timedelta(days=1))
    run(reach, tmp_path, name)
    reach.standin.market.today, reach.clock.at = LAST, evening(LAST)

    found = run(reach, tmp_path, name)

    prices = next(g for g in found.needs if g.need.table == "prices")
    assert [answer.source for answer in prices.answers] == ["eastmoney", "tencent"]


@dataclass(frozen=True)
class Copying:
    """A source with one close from elsewhere, within its day's range and in step with its bars."""

    name: str
    own: Source

    def offers(self, table: Table, subject: str) -> bool:
        """Return what the source itself does."""
        return self.own.offers(table, subject)

    def fetch(self, ask: Ask) -> Answer:
        """Return what the source itself does, but for that close."""
        answer = self.own.fetch(ask)
        if ask.table != "prices" or answer.outcome != "ok":
            return answer
        told = pl.col("close").cast(float)
        close = pl.when(pl.col("date").cast(pl.String) == "2026-04-08").then(
            (pl.col("low").cast(float) + 0.01).round(2)
        )
        frame = answer.frame.with_columns(close=close.otherwise(told))
        if answer.frame["previous_close"].is_not_null().any():
            frame = frame.with_columns(previous_close=pl.col("close").shift())
        return replace(answer, frame=frame)


def test_two_sources_that_err_alike_do_not_count_against_the_third(reach, tmp_path):
    name, span = written(tmp_path, "600584.SH"), Span(reach.clock.at, until=LAST)
    honest = upstreams(reach.access)
    sources = [Copying(s.name, s) if s.name in {"eastmoney", "tencent"} else s for s in honest]

    found = fetch([name], tmp_path / "store", sources, span)

    prices = next(g for g in found.needs if g.need.table == "prices")
    assert prices.outcome == "corrupt"
    assert "2026-04-08: close" in prices.reason
    assert "none counts" in prices.reason
    assert closes(tmp_path).equals(
        true_closes("600584.SH").filter(pl.col("date") != date(2026, 4, 8))
    )


def test_the_next_day_asks_for_the_last_twenty_sessions_and_adds_one(reach, tmp_path):
    name = written(tmp_path, "600584.SH")
    reach.standin.market.today = LAST - timedelta(days=1)
    reach.clock.at = evening(LAST - timedelta(days=1))
    run(reach, tmp_path, name)
    before = closes(tmp_path)
    reach.standin.market.today, reach.clock.at = LAST, evening()
    reach.standin.asked.clear()

    found = run(reach, tmp_path, name)

    assert found.problem is None
    first = next(r for r in reach.standin.asked if "kline" in r.path).query["beg"]
    assert first == f"{before['date'].sort()[-20]:%Y%m%d}"
    assert closes(tmp_path).equals(true_closes("600584.SH"))


def test_a_fetch_that_was_cut_off_goes_on_where_it_was(reach, tmp_path, basket):
    class CutError(Exception):
        pass

    def progress(text: str) -> None:
        if "prices of 600584.SH" in text:
            raise CutError

    span = Span(reach.clock.at, until=LAST)
    with pytest.raises(CutError):
        fetch([basket], tmp_path / "store", upstreams(reach.access), span, progress=progress)
    assert set(closes(tmp_path)["symbol"]) == {"300308.SZ", "688256.SH", "000063.SZ"}
    reach.standin.asked.clear()

    assert run(reach, tmp_path, basket).problem is None
    assert {r.query["secid"] for r in reach.standin.asked if "secid" in r.query} == {
        "1.600584",
        "0.920002",
    }
    assert closes(tmp_path).equals(true_closes(*SHARES))


def test_a_first_source_that_refuses_leaves_the_others(reach, tmp_path):
    failing(reach, "captcha_html_200", "push2his.eastmoney.com")

    found = run(reach, tmp_path, written(tmp_path, "600584.SH", "000063.SZ"))

    assert found.problem is None
    assert closes(tmp_path).equals(true_closes("600584.SH", "000063.SZ"))
    told = {need["table"]: need["sources"] for need in report_of(found)["needs"]}
    assert told["prices"] == ["tencent", "sina"]


def test_a_source_that_refuses_is_asked_no_more_than_twice(reach, tmp_path):
    failing(reach, "rst", "push2his.eastmoney.com")

    run(reach, tmp_path, written(tmp_path, "600584.SH", "000063.SZ", "688256.SH"))

    assert len([r for r in reach.standin.asked if r.host == "push2his.eastmoney.com"]) == 2


@pytest.mark.parametrize(
    ("kind", "outcome"), [("rst", "blocked"), ("one_row_missing_today", "transient")]
)
def test_a_last_close_that_nobody_seconds_is_not_taken(reach, tmp_path, kind, outcome):
    """In the evening one source still shows a bar of the day that is not finished."""
    faults = {"push2his.eastmoney.com": kind, "finance.sina.com.cn": "partial_today"}
    reach.standin.choose = lambda request: next(
        (Fault(fault) for host, fault in faults.items() if request.host.endswith(host)), None
    )

    found = run(reach, tmp_path, written(tmp_path, "00700.HK"))

    told = {need["table"]: need for need in report_of(found)["needs"]}["prices"]
    assert told["outcome"] == outcome
    assert f"{LAST}: new figures that no other source seconds are not taken" in told["reason"]
    assert closes(tmp_path).equals(true_closes("00700.HK", until=LAST - timedelta(days=1)))


def test_last_rates_that_nobody_seconds_are_not_taken(reach, tmp_path):
    failing(reach, "end_cut", "www.safe.gov.cn")

    found = run(reach, tmp_path, written(tmp_path, "00700.HK"))

    stored = dict(read_rows(tmp_path / "store", "fx").select("date", "rate").rows())
    rates = small_market().rates["HKD"]
    told = {need["table"]: need for need in report_of(found)["needs"]}["fx"]
    assert stored == dict(sorted(rates.items())[: len(stored)])
    assert 30 < len(stored) < len(rates)
    assert "new figures that no other source seconds are not taken" in told["reason"]


def test_of_rates_that_one_source_tells_a_day_late_none_is_taken(reach, tmp_path):
    failing(reach, "shifted_forward", "finance.sina.com.cn")

    found = run(reach, tmp_path, written(tmp_path, "00700.HK"))

    told = {need["table"]: need for need in report_of(found)["needs"]}["fx"]
    assert (told["outcome"], told["rows"]) == ("corrupt", {"fx": 0})
    assert "disagreement: HKD/CNY" in told["reason"]


def test_the_last_close_of_the_one_source_that_was_chosen_is_taken(reach, tmp_path):
    run(reach, tmp_path, written(tmp_path, "00700.HK"), sources=("sina", "safe"))

    assert closes(tmp_path).equals(true_closes("00700.HK"))


def test_when_nobody_can_be_reached_the_error_says_so(reach, tmp_path):
    failing(reach, "close_no_response", "")

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    assert isinstance(found.problem, SourceError)
    assert found.version is None


def test_when_all_that_came_is_wrong_the_error_says_so_and_nothing_is_stored(reach, tmp_path):
    failing(reach, "scaled_up", "push2his.eastmoney.com", "qq.com", "sina.com.cn")

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    assert isinstance(found.problem, MarketDataError)
    assert closes(tmp_path).is_empty()


def test_a_session_nobody_has_yet_is_to_be_asked_for_later(reach, tmp_path):
    failing(reach, "one_row_missing_today", "")

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    assert isinstance(found.problem, TryAgainError)
    assert closes(tmp_path).equals(true_closes("600584.SH", until=LAST - timedelta(days=1)))


def test_where_two_sources_differ_a_third_decides(reach, tmp_path):
    """Both closes are possible; only that two say the same tells them apart."""
    market = reach.standin.market
    bars = market.bars["600584.SH"]
    true = bars[30].close

    def choose(request):
        wrong = request.host.startswith("push2his")
        close = round(true + 0.05, 2) if wrong else true
        bars[30] = bars[30]._replace(close=close)

    reach.standin.choose = choose

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    assert found.problem is None
    assert closes(tmp_path).equals(true_closes("600584.SH"))
    assert any(entry.rule == "disagreement" for entry in found.disregarded)


def test_actions_that_are_stored_stay_when_a_source_forgets_them(reach, tmp_path):
    name = written(tmp_path, "300308.SZ")
    run(reach, tmp_path, name)
    stored = read_rows(tmp_path / "store", "actions").select("symbol", "ex_date", "kind")
    reach.standin.market.actions.clear()

    run(reach, tmp_path, name)

    again = read_rows(tmp_path / "store", "actions").select("symbol", "ex_date", "kind")
    assert again.equals(stored)
    assert set(stored["ex_date"]) == {EX_DATE}


def test_a_series_is_fetched_as_closes(reach, tmp_path):
    (tmp_path / "tech.yaml").write_text(SERIES)

    found = run(reach, tmp_path, str(tmp_path / "tech.yaml"))

    assert found.problem is None
    stored = read_rows(tmp_path / "store", "series").select("date", "close").rows()
    assert stored == [(bar.day, bar.close) for bar in small_market().bars["HSTECH.HK"]]


def test_a_market_folder_is_a_source_like_any_other(reach, tmp_path, basket):
    write_folder(small_market(), tmp_path / "true")
    source = folder_source(tmp_path / "true", "eastmoney")

    found = fetch([basket], tmp_path / "store", [source], Span(evening(), until=LAST))

    assert found.problem is None
    assert closes(tmp_path).equals(true_closes(*SHARES))
    assert not reach.standin.asked


def test_a_share_of_hong_kong_in_a_basket_in_yuan_brings_its_rate_with_it(reach, tmp_path):
    found = run(reach, tmp_path, written(tmp_path, "00700.HK", "600584.SH"))

    told = {
        (need["table"], need["subject"]): (need["outcome"], need["sources"])
        for need in report_of(found)["needs"]
    }
    assert told["prices", "00700.HK"] == ("ok", ["eastmoney", "sina"])
    assert told["actions", "00700.HK"] == ("ok", ["eastmoney"])
    assert told["fx", "HKD/CNY"] == ("ok", ["safe", "sina"])
    stored = read_rows(tmp_path / "store", "fx").select("date", "rate").rows()
    assert stored == sorted(small_market().rates["HKD"].items())
    assert "no source has shares of 00700.HK" in str(found.problem)


def test_what_no_source_offers_is_told(reach, tmp_path):
    found = run(reach, tmp_path, written(tmp_path, "NVDA.US"))

    assert isinstance(found.problem, SourceError)
    assert "no source has actions of NVDA.US" in str(found.problem)


def test_every_datum_and_every_source_that_does_not_count_is_logged_with_its_rule(reach, tmp_path):
    failing(reach, "scaled_up", "push2his.eastmoney.com")

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    lines = (tmp_path / "store" / "replies" / "disregarded.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert len([t for t in told if "source" not in t]) == len(found.disregarded)
    assert {(t["rule"], t["source"]) for t in told if "source" in t} == {("corrupt", "eastmoney")}
    assert all(t["why"] and t["symbol"] == "600584.SH" for t in told)
    prices = next(g for g in found.needs if g.need.table == "prices")
    outcome, reason = prices.failed["eastmoney"]
    assert (outcome, prices.failures) == ("corrupt", {"eastmoney": f"corrupt: {reason}"})


@pytest.mark.parametrize("table", ["prices", "actions"])
def test_a_row_that_came_twice_is_logged(reach, tmp_path, table):
    failing(reach, "dup_rows", "eastmoney.com")

    run(reach, tmp_path, written(tmp_path, "300308.SZ"))

    lines = (tmp_path / "store" / "replies" / "disregarded.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert (table, "duplicate") in {(line["table"], line["rule"]) for line in told}


def test_whatever_is_open_is_told_with_its_reason(capsys):
    need = {"table": "prices", "subject": "300308.SZ", "outcome": "transient", "sources": ["sina"]}
    need |= {"single": True, "rows": {}, "refused": 0, "failures": {}, "reason": "come again"}
    told = [need, need | {"subject": "002463.SZ", "reason": "alone"}, need | {"outcome": "ok"}]
    _print({"needs": told, "disregarded": []})

    assert capsys.readouterr().err.splitlines() == [
        "note: prices of 300308.SZ: transient: come again",
        "note: prices of 002463.SZ: transient: alone",
    ]


def test_a_span_that_ends_before_it_begins_is_an_error_of_use():
    span = ("--market", "store", "--since", "2026-11-01", "--until", "2026-10-01")
    done = subprocess.run(
        [sys.executable, "-m", "indexer.cli.app", "fetch", "compute-diffusion", *span],
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 2
    assert "--since 2026-11-01 is later than --until 2026-10-01" in done.stderr


@pytest.mark.parametrize(("kind", "code"), [("none", 0), ("http_403_json_ok_body", 69)])
def test_the_command_says_by_its_exit_code_how_it_went(reach, tmp_path, kind, code):
    failing(reach, kind, "csindex.com.cn")
    text = SERIES.replace("HSTECH.HK", "000985.SH").replace("XHKG", "XSHG").replace("HKD", "CNY")
    (tmp_path / "tech.yaml").write_text(text)
    given = (*("--market", "store", "--until", "2026-06-12", "--source", "csindex"), "--json")

    done = subprocess.run(
        [sys.executable, "-m", "indexer.cli.app", "fetch", "tech.yaml", *given],
        cwd=tmp_path,
        env=os.environ | reach.standin.environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stderr
    need = json.loads(done.stdout)["needs"][0]
    assert need["outcome"] == ("blocked" if code else "ok")
    assert need["rows"].get("series", 0) == (
        0 if code else len(read_rows(tmp_path / "store", "series"))
    )


def renamed(reach: Reach, folder: Path) -> str:
    """Let a share change its code on a day after a holiday; return a basket of it."""
    sessions = read_calendar("XSHG").between(date(2025, 9, 15), date(2025, 11, 14)).tolist()
    whole = invented(["920047.BJ"], sessions, 7)
    for symbol, kept in (("430047.BJ", False), ("920047.BJ", True)):
        bars = [bar for bar in whole.bars["920047.BJ"] if (bar.day >= SWITCH) == kept]
        reach.standin.market.bars[symbol] = bars
    reach.standin.market.today, reach.clock.at = sessions[-1], evening(sessions[-1])
    text = BASKET.replace("2026-04-01", "2025-10-15").replace("free_float", "equal")
    (folder / "small.yaml").write_text(text % "{symbol: 920047.BJ}")
    return str(folder / "small.yaml")


SWITCH = date(2025, 10, 9)


def test_a_share_that_changed_its_code_is_fetched_under_each_while_it_had_it(reach, tmp_path):
    found = run(reach, tmp_path, renamed(reach, tmp_path))

    assert found.problem is None
    told = {(g.need.subject, g.need.since, g.need.until) for g in found.needs}
    assert told == {
        ("430047.BJ", date(2025, 9, 15), SWITCH - timedelta(days=1)),
        ("920047.BJ", SWITCH, None),
    }
    actions = read_rows(tmp_path / "store", "actions").select("symbol", "ex_date", "kind", "other")
    assert actions.rows() == [("430047.BJ", SWITCH, "symbol_change", "920047.BJ")]
    told = read_rows(tmp_path / "store", "actions").select("source", "fetched_at", "sha256")
    assert told.rows() == [(None, None, None)]  # it is of no source's telling
    bars = [reach.standin.market.bars[symbol] for symbol in ("430047.BJ", "920047.BJ")]
    assert len(closes(tmp_path)) == sum(map(len, bars))


def test_a_code_that_was_given_up_is_not_asked_for_again(reach, tmp_path):
    name = renamed(reach, tmp_path)
    run(reach, tmp_path, name)
    reach.standin.asked.clear()

    run(reach, tmp_path, name)

    assert not [r for r in reach.standin.asked if "kline" in r.path]


def test_a_share_that_is_not_listed_yet_has_no_bars_and_that_is_explained(reach, tmp_path):
    reach.standin.market.bars["600584.SH"] = []
    reach.standin.market.listed["600584.SH"] = date(2026, 7, 1)

    found = run(reach, tmp_path, written(tmp_path, "600584.SH", "000063.SZ"))

    told = {(g.need.table, g.need.subject): g.outcome for g in found.needs}
    assert told["prices", "600584.SH"] == "no_data_explained"
    assert found.problem is None


def test_a_share_without_bars_that_is_listed_is_not_explained(reach, tmp_path):
    reach.standin.market.bars["600584.SH"] = []

    found = run(reach, tmp_path, written(tmp_path, "600584.SH"))

    assert isinstance(found.problem, TryAgainError)
