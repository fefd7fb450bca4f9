"""What akshare's columns are taken to mean; the calls themselves are in the contract's suite."""

import ast
import json
import re
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from indexer.market.sources import quotes
from indexer.market.sources.bodies import judge_status
from indexer.market.sources.filings import FILINGS
from indexer.market.sources.plain import Refused
from indexer.market.sources.quotes import QUOTES, bars
from indexer.market.sources.source import Ask

ASK = Ask("prices", "300308.SZ", date(2026, 6, 1), date(2026, 6, 30), date(2026, 6, 30))
NAMES = "date open high low close volume amount -"


def columns(volume: float, amount: float = 1_005_000.0) -> dict[str, list]:
    cells = {"date": "2026-06-11", "open": 10.0, "high": 10.2, "low": 9.9, "close": 10.1}
    return {name: [cell] for name, cell in (cells | {"volume": volume, "amount": amount}).items()}


def plan(text: str) -> list:
    """Return the actions in a plan of a company in Hong Kong."""
    ask = Ask("actions", "00700.HK", ASK.since, ASK.until, ASK.asked_on)
    found = {"除净日": ["2026-06-11"], "分红方案": [text]}
    told = FILINGS["eastmoney", "actions"](ask, lambda *_, **__: found)
    return list(zip(told["kind"], told["cash"], strict=True))


@pytest.mark.parametrize(("told", "units"), [(1000, (100,)), (100_000, (1,)), (1000, (1, 100))])
def test_volumes_are_told_in_shares_whatever_they_came_in(told, units):
    assert bars(ASK, columns(told), NAMES, units)["volume"] == [100_000]


@pytest.mark.parametrize(("told", "units"), [(100_000, (100,)), (1000, (1,))])
def test_a_unit_the_source_is_not_known_to_use_condemns_the_reply(told, units):
    """Volumes in shares beside prices of which the point is lost look like lots."""
    with pytest.raises(Refused, match="in units of"):
        bars(ASK, columns(told), NAMES, units)


def test_where_no_unit_fits_the_documented_one_stays_for_the_check_to_find():
    assert bars(ASK, columns(777), NAMES, (100,))["volume"] == [77_700]


def test_bars_outside_the_span_are_left_out():
    found = {name: cells * 2 for name, cells in columns(1000).items()}
    found["date"] = ["2026-05-29", "2026-06-11"]

    assert bars(ASK, found, NAMES, (100,))["date"] == ["2026-06-11"]


def test_the_previous_close_is_the_one_the_change_is_from():
    found = columns(1000) | {"change": [0.1]}

    assert bars(ASK, found, NAMES.replace("-", "change"), (100,))["previous_close"] == [10.0]


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("每股派港币5.3元", [("dividend", 5.3)]),
        ("每股派港元0.25", [("dividend", 0.25)]),
        ("不分派", []),
        ("", []),
    ],
)
def test_a_plan_in_hong_kong_that_is_understood(text, actions):
    assert plan(text) == actions


@pytest.mark.parametrize(
    "text", ["每股派人民币1.2元", "每10股送1股", "每股派港币5.3元,可选代息股份"]
)
def test_a_plan_in_hong_kong_that_is_not_understood_is_not_guessed_at(text):
    with pytest.raises(Refused, match="is not understood"):
        plan(text)


def test_two_share_counts_of_one_date_are_both_told_for_the_check_to_find():
    found = {"变更日期": ["2026-06-11"] * 2, "总股本": [8e8, 8e8], "已上市流通A股": [7e8, None]}
    ask = replace(ASK, table="shares")

    told = FILINGS["eastmoney", "shares"](ask, lambda *_, **__: found)

    assert told["free_float_shares"] == [7e8, None]


def test_an_american_code_is_asked_of_each_exchange_until_one_knows_it():
    asked = []

    def call(function, check, **arguments):
        del function, check
        asked.append(arguments["symbol"])
        if not arguments["symbol"].startswith("106."):
            raise Refused("no_data_unexplained", "data is null")
        renamed = dict(
            zip(
                NAMES.split()[:7],
                ["日期", "开盘", "最高", "最低", "收盘", "成交量", "成交额"],
                strict=True,
            )
        )
        return {renamed[n]: cells for n, cells in columns(100_000).items()} | {"涨跌额": [0.1]}

    ask = Ask("prices", "BRK-B.US", ASK.since, ASK.until, ASK.asked_on)

    assert QUOTES["eastmoney", "prices"](ask, call)["close"] == [10.1]
    assert asked == ["105.BRK_B", "106.BRK_B"]


def test_a_refusal_by_the_first_american_exchange_is_not_asked_round():
    def call(*_, **__):
        raise Refused("blocked", "status 403")

    ask = Ask("prices", "NVDA.US", ASK.since, ASK.until, ASK.asked_on)

    with pytest.raises(Refused, match="403"):
        QUOTES["eastmoney", "prices"](ask, call)


PAID = {"除权日": ["2026-06-11"], "派息比例": [5.0], "送股比例": [None], "转增比例": [4.0]}
RIGHTS = {"证券代码": ["300308"], "除权基准日": ["2026-06-11"], "配股比例": [3.0]}


def of_cninfo(payouts: int | dict) -> list[str]:
    """Return the kinds of action of a share with rights, by the reply about its payouts."""

    def call(function, check, **_):
        if function == "stock_allotment_cninfo":
            return RIGHTS | {"配股价格": [8.0]}
        if isinstance(payouts, int):
            judge_status(payouts)
        check("", json.dumps(payouts).encode())
        return PAID

    return FILINGS["cninfo", "actions"](ASK, call)["kind"]


def test_a_share_that_has_paid_nothing_may_have_issued_rights():
    assert of_cninfo({"resultcode": 200, "records": []}) == ["rights"]


@pytest.mark.parametrize(
    ("payouts", "outcome"),
    [({"resultcode": 200, "records": None}, "corrupt"), (404, "no_data_unexplained")],
)
def test_a_reply_that_tells_of_no_payouts_does_not_say_that_there_are_none(payouts, outcome):
    with pytest.raises(Refused) as refused:
        of_cninfo(payouts)

    assert refused.value.outcome == outcome


PACKAGE = Path(find_spec("akshare").origin).parent
CALLED = {
    name
    for path in Path(quotes.__file__).parent.glob("*.py")
    for name in re.findall(r'\bcall\(\s*"(\w+)"', path.read_text("utf-8"))
}
# In akshare 1.19.5, on 2026-11-28: how often the function calls eval. In a later one look again at
# what it is given: here it is text that `bodies` has taken for dates and numbers, or nothing.
EVALUATING = {"stock_hk_daily": 4, "stock_us_daily": 1, "stock_zh_a_daily": 4}
DANGEROUS = {"eval", "exec", "compile", "pickle.loads", "pd.read_pickle", "os.system"}


@pytest.mark.attack("D2")
def test_the_functions_that_evaluate_what_they_are_told_are_known():
    found, seen = {}, set()
    for text in (path.read_text("utf-8") for path in PACKAGE.rglob("*.py")):
        defining = CALLED.intersection(re.findall(r"^def (\w+)\(", text, re.M))
        for node in ast.parse(text).body if defining else ():
            if isinstance(node, ast.FunctionDef) and node.name in CALLED:
                seen.add(node.name)
                calls = [ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)]
                count = sum(name in DANGEROUS for name in calls)
                found |= {node.name: count} if count else {}

    assert seen == CALLED
    assert found == EVALUATING
