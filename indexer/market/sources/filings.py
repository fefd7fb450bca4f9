"""What companies announce: dividends, bonus issues, rights, share counts, suspensions, listing."""

import re
from datetime import date, timedelta
from typing import Any

from indexer.definitions.symbols import board_of, split_symbol
from indexer.market.sources import bodies
from indexer.market.sources.plain import FIRST, NoRecords, Refused
from indexer.market.sources.quotes import Adapter, Call, Columns, compact
from indexer.market.sources.source import Ask, Table

_TEN = 10  # shares to which the mainland's payouts refer
_MYRIAD = 10_000  # shares to a unit of cninfo's counts


def _actions(ask: Ask, found: list[tuple[str, str, Any, Any, Any]]) -> Columns:
    """Return actions from symbol's ex-date, kind, cash, ratio and price, those of the span."""
    kept = sorted(
        (row for row in found if str(ask.since) <= row[0] <= str(ask.until)), key=lambda r: r[:2]
    )
    columns = [list(column) for column in zip(*kept, strict=True)] if kept else [[]] * 5
    keys = ("ex_date", "kind", "cash", "ratio", "price")
    return {"symbol": [ask.subject] * len(kept)} | dict(zip(keys, columns, strict=True))


def _payouts(
    days: list[Any], cash: list[Any], bonus: list[Any]
) -> list[tuple[str, str, Any, Any, Any]]:
    """Return a dividend and a bonus issue for each payout to ten shares that has an ex-date."""
    found: list[tuple[str, str, Any, Any, Any]] = []
    for day, paid, given in zip(days, cash, bonus, strict=True):
        if day is None:  # decided, not carried out yet
            continue
        if paid:
            found.append((day, "dividend", round(paid / _TEN, 9), None, None))
        if given:
            found.append((day, "bonus", None, round(given / _TEN, 9), None))
    return found


def cninfo_actions(ask: Ask, call: Call) -> Columns:
    """Return dividends, bonus issues and rights of a mainland share.

    Raises
    ------
    NoRecords
        If there are none.
    Refused
        If they are another share's.
    """
    code, _ = split_symbol(ask.subject)
    try:
        check = bodies.records(days=["F020D"], figures=["F010N", "F011N", "F012N"])
        found = call("stock_dividend_cninfo", check, symbol=code)
    except NoRecords:
        rows = []  # a company that has paid nothing may still have issued rights
    else:
        given = [
            (a or 0) + (b or 0) for a, b in zip(found["送股比例"], found["转增比例"], strict=True)
        ]
        rows = _payouts(found["除权日"], found["派息比例"], given)
    rights = _rights(ask, call)
    if not rows and not rights:
        raise NoRecords("no_data_unexplained", "no records")
    return _actions(ask, rows + rights)


def _rights(ask: Ask, call: Call) -> list[tuple[str, str, Any, Any, Any]]:
    code, _ = split_symbol(ask.subject)
    span = {"start_date": compact(ask.since), "end_date": compact(ask.until)}
    try:
        found = call("stock_allotment_cninfo", bodies.records(), symbol=code, **span)
    except NoRecords:
        return []
    if set(found["证券代码"]) != {code}:
        raise Refused("corrupt", f"rights of {found['证券代码'][0]}, not of {code}")
    told = zip(found["除权基准日"], found["配股比例"], found["配股价格"], strict=True)
    return [(d, "rights", None, r / _TEN, p) for d, r, p in told if d and r and p]


def eastmoney_actions(ask: Ask, call: Call) -> Columns:
    """Return dividends and bonus issues, of a mainland share or of one in Hong Kong.

    Raises
    ------
    Refused
        If what a company in Hong Kong plans to pay is not understood.
    """
    code, suffix = split_symbol(ask.subject)
    if suffix == "HK":
        return _hong_kong(ask, call)
    check = bodies.datacenter(
        "ASSIGN_PROGRESS",
        days=["EX_DIVIDEND_DATE"],
        figures=["PRETAX_BONUS_RMB", "BONUS_IT_RATIO"],
        keys=30,
        own=("SECURITY_CODE", code),
    )
    found = call("stock_fhps_detail_em", check, symbol=code)
    done = [progress == "实施分配" for progress in found["方案进度"]]
    days = [d if yes else None for d, yes in zip(found["除权除息日"], done, strict=True)]
    return _actions(
        ask, _payouts(days, found["现金分红-现金分红比例"], found["送转股份-送转总比例"])
    )


_PAYS = re.compile(r"每股派(?:发)?(?:现金)?(?:股息)?(?:港币|港元)([0-9]+(?:\.[0-9]+)?)元?")
_NOTHING = re.compile(r"(?:不分派|不派息|无|不分配不转增)?")


def _hong_kong(ask: Ask, call: Call) -> Columns:
    """Return cash dividends in Hong Kong dollars; anything else a plan says is not guessed at."""
    code, _ = split_symbol(ask.subject)
    check = bodies.datacenter(
        "PLAN_EXPLAIN", days=["EX_DIVIDEND_DATE"], own=("SECURITY_CODE", code), paged=False
    )
    found = call("stock_hk_dividend_payout_em", check, symbol=code)
    rows: list[tuple[str, str, Any, Any, Any]] = []
    for day, plan in zip(found["除净日"], found["分红方案"], strict=True):
        if day is None or not str(ask.since) <= day <= str(ask.until):
            continue
        if paid := _PAYS.fullmatch(plan or ""):
            rows.append((day, "dividend", float(paid[1]), None, None))
        elif not _NOTHING.fullmatch(plan or ""):
            raise Refused("corrupt", f"{day}: the plan {plan!r} is not understood")
    return _actions(ask, rows)


def _shares(ask: Ask, rows: list[tuple[Any, Any, Any]]) -> Columns:
    """Return share counts that held within the span: what was in force at its start as well.

    Two of one date are both told, for the check to find.
    """
    rows = sorted((row for row in rows if None not in row[:2]), key=lambda row: row[0])
    first = max((day for day, *_ in rows if day <= str(ask.since)), default=str(ask.since))
    kept = [row for row in rows if first <= row[0] <= str(ask.until)]
    found: Columns = {"symbol": [ask.subject] * len(kept)}
    for n, name in enumerate(("date", "total_shares", "free_float_shares")):
        found[name] = [row[n] for row in kept]
    return found


def eastmoney_shares(ask: Ask, call: Call) -> Columns:
    """Return total shares, and those listed on the mainland that may be sold."""
    check = bodies.datacenter(
        days=["END_DATE"],
        figures=["TOTAL_SHARES", "LISTED_A_SHARES"],
        own=("SECUCODE", ask.subject),
    )
    found = call("stock_zh_a_gbjg_em", check, symbol=ask.subject)
    told = zip(found["变更日期"], found["总股本"], found["已上市流通A股"], strict=True)
    return _shares(ask, list(told))


def cninfo_shares(ask: Ask, call: Call) -> Columns:
    """Return total shares and those that circulate.

    Raises
    ------
    Refused
        If they are another share's.
    """
    code, _ = split_symbol(ask.subject)
    found = call(
        "stock_share_change_cninfo",
        bodies.records("SECCODE", "DECLAREDATE", days=["VARYDATE"], figures=["F003N", "F021N"]),
        symbol=code,
        start_date=compact(FIRST),
        end_date=compact(ask.until),
    )
    if set(found["证券代码"]) != {code}:
        raise Refused("corrupt", f"shares of {found['证券代码'][0]}, not of {code}")
    told = zip(found["变动日期"], found["总股本"], found["已流通股份"], strict=True)
    return _shares(ask, [(day, _times(a), _times(b)) for day, a, b in told])


def _times(count: float | None) -> float | None:
    return None if count is None else round(count * _MYRIAD)


def eastmoney_suspensions(ask: Ask, call: Call) -> Columns:
    """Return who was suspended on a day, at least to the end of it."""
    check = bodies.datacenter("SECURITY_CODE", "SUSPEND_START_TIME", keys=12)
    found = call("stock_tfp_em", check, date=compact(ask.since))
    columns: Columns = {"symbol": [], "from": [], "until": [], "reason": []}
    told = (found[name] for name in ("代码", "停牌时间", "预计复牌时间", "停牌原因"))
    for code, start, resumes, reason in zip(*told, strict=True):
        suffix = _suffix(code)
        if suffix is None or start is None or start > str(ask.since):
            continue
        next_day = str(ask.since + timedelta(days=1))  # all that is known of one that goes on
        until = resumes if resumes and resumes > str(ask.since) else next_day
        row = (f"{code}.{suffix}", start, until, reason or "")
        for name, cell in zip(columns, row, strict=True):
            columns[name].append(cell)
    return columns


def _suffix(code: Any) -> str | None:
    """Return the exchange of a mainland share's code; None of anything else."""
    if not isinstance(code, str) or not re.fullmatch(r"[013-9][0-9]{5}", code):  # 2 are B shares
        return None
    return board_of(code)


def eastmoney_listing(ask: Ask, call: Call) -> Columns:
    """Return the first trading day of a mainland share.

    Raises
    ------
    Refused
        If it is no day.
    """
    code, _ = split_symbol(ask.subject)
    found = call("stock_individual_info_em", bodies.quote(code), symbol=code)
    told = str(dict(zip(found["item"], found["value"], strict=True)).get("上市时间"))
    if not re.fullmatch(r"[0-9]{8}", told):
        raise Refused("corrupt", f"{told!r} is no first trading day")
    day = date(int(told[:4]), int(told[4:6]), int(told[6:]))
    return {"symbol": [ask.subject], "list_date": [str(day)]}


FILINGS: dict[tuple[str, Table], Adapter] = {
    ("cninfo", "actions"): cninfo_actions,
    ("eastmoney", "actions"): eastmoney_actions,
    ("eastmoney", "shares"): eastmoney_shares,
    ("cninfo", "shares"): cninfo_shares,
    ("eastmoney", "suspensions"): eastmoney_suspensions,
    ("eastmoney", "listing"): eastmoney_listing,
}
