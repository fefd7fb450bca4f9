"""Eastmoney's replies: bars, lists of codes, facts, and the reports of its data centre."""

from collections.abc import Callable
from datetime import date
from typing import Any

from benchmarks.standin.market import Market
from benchmarks.standin.wire import (
    Reply,
    Request,
    Row,
    Spoil,
    as_json,
    ex_references,
    payouts,
    price_text,
    share_counts,
    tenfold,
)

_MARKETS = {"SH": "1", "SZ": "0", "BJ": "0", "HK": "116", "US": "105"}
_HK_INDICES = {"HSTECH": "124", "HSI": "100", "HSCEI": "100"}


def _by_secid(market: Market, secid: str) -> str:
    for symbol in market.bars:
        code, _, suffix = symbol.partition(".")
        numbers = {_HK_INDICES.get(code, _MARKETS[suffix])} | ({"2"} if suffix == "SH" else set())
        if secid in {f"{number}.{code}" for number in numbers}:
            return symbol
    return ""


def _kline(market: Market, request: Request, spoil: Spoil) -> Reply:
    query = request.query
    symbol = spoil.symbol(_by_secid(market, query["secid"]))
    if not symbol:
        return as_json({"rc": 102, "rt": 17, "svr": 1, "lt": 1, "full": 0, "data": None})
    lot = 100 if symbol[-2:] in {"SH", "SZ", "BJ"} and not symbol.startswith("688") else 1
    bars = spoil.bars(market.known_bars(symbol))
    rows: list[Row] = []
    before = 0.0
    restating = ex_references(market, symbol)
    for bar in bars:
        before = restating(bar.day, before) or bar.open
        change, span = bar.close - before, bar.high - bar.low
        prices = [price_text(n) for n in (bar.open, bar.close, bar.high, bar.low)]
        lots = bar.volume / lot
        traded = [f"{lots:.0f}" if lots == round(lots) else f"{lots:.2f}", f"{bar.amount:.2f}"]
        rates = (span / before * 100, change / before * 100, change, 0.55)
        rows.append([bar.day.isoformat(), *prices, *traded, *(f"{n:.2f}" for n in rates)])
        before = bar.close
    first = query.get("beg", "0")
    kept = [row for row in rows if first <= row[0].replace("-", "") <= query["end"]]
    fields = len(set(query["fields2"].split(",")) - {"f116"})
    lines = [",".join((row + ["0.00"] * 3)[: fields + len(row) - 11]) for row in spoil.rows(kept)]
    secid = query["secid"] if symbol == _by_secid(market, query["secid"]) else ""
    number, _, code = secid.partition(".")
    data = {"code": code or symbol[:-3], "market": int(number or 0), "name": "样本", "decimal": 2}
    data |= {"dktotal": len(rows), "preKPrice": 0.0, "klines": lines}
    return as_json({"rc": 0, "rt": 17, "svr": 1, "lt": 1, "full": 0, "dlmkts": "", "data": data})


def _clist(market: Market, request: Request, spoil: Spoil) -> Reply:
    del spoil
    known = [s for s in market.bars if s[:-3] in _HK_INDICES]
    figures = dict.fromkeys(("f2", "f3", "f4", "f5", "f6", "f15", "f16", "f17", "f18"), 1.0)
    rows = [
        figures | {"f12": s[:-3], "f13": int(_HK_INDICES[s[:-3]]), "f14": "指数"} for s in known
    ]
    page, size = int(request.query["pn"]), int(request.query["pz"])
    found = rows[(page - 1) * size : page * size]
    return as_json({"rc": 0, "data": {"total": len(rows), "diff": found} if found else None})


def _quote(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_secid(market, request.query["secid"]))
    data: dict[str, Any] | None = None
    if symbol:
        last = market.shares.get(symbol, [{"total_shares": 1e9, "free_float_shares": 1e9}])[-1]
        listed = market.listed.get(symbol) or market.bars[symbol][0].day
        data = {"f57": symbol[:-3], "f58": "样本", "f84": last["total_shares"]}
        data |= {"f85": last["free_float_shares"], "f127": "行业", "f116": 1.0, "f117": 1.0}
        data |= {"f189": int(f"{listed:%Y%m%d}"), "f43": 1.0}
    return as_json({"rc": 0, "rt": 4, "svr": 1, "lt": 1, "full": 1, "dlmkts": "", "data": data})


_BONUS_KEYS = (
    *("SECUCODE", "SECURITY_NAME_ABBR", "SECURITY_INNER_CODE", "ORG_CODE"),
    *("SECURITY_CODE", "BONUS_IT_RATIO", "BONUS_RATIO", "IT_RATIO", "PRETAX_BONUS_RMB"),
    *("PLAN_NOTICE_DATE", "EQUITY_RECORD_DATE", "EX_DIVIDEND_DATE", "REPORT_DATE"),
    *("ASSIGN_PROGRESS", "IMPL_PLAN_PROFILE", "NOTICE_DATE", "IMPL_PLAN_NEWPROFILE"),
    *("ASSIGN_OBJECT", "PLAN_BULLETIN", "BASIC_EPS", "BVPS", "PER_CAPITAL_RESERVE"),
    *("PER_UNASSIGN_PROFIT", "PNP_YOY_RATIO", "TOTAL_SHARES", "PUBLISH_DATE"),
    *("DIVIDENT_RATIO", "DATE_TYPE", "D10_CLOSE", "BD10_CLOSE"),
)
_EQUITY_KEYS = (
    *("END_DATE", "TOTAL_SHARES", "LIMITED_A_SHARES", "LIMITED_OTHARS"),
    *("LIMITED_DOMESTIC_NOSTATE", "LIMITED_DOMESTIC_NATURAL", "FREE_SHARES"),
    *("LISTED_A_SHARES", "CHANGE_REASON"),
)
_SUSPENSION_KEYS = (
    *("SECURITY_CODE", "SECURITY_NAME_ABBR", "SUSPEND_START_TIME", "SUSPEND_END_TIME"),
    *("SUSPEND_EXPIRE", "SUSPEND_REASON", "TRADE_MARKET", "SUSPEND_START_DATE"),
    *("PREDICT_RESUME_DATE", "TRADE_MARKET_CODE", "SECURITY_TYPE_CODE", "SECUCODE"),
)


def _datacenter(market: Market, request: Request, spoil: Spoil) -> Reply:
    report, filter_ = request.query["reportName"], request.query["filter"]
    rows = spoil.records(_REPORTS[report](market, filter_, spoil), _KEPT[report])
    if not rows:
        return as_json({"result": None, "success": False, "message": "返回数据为空", "code": 9201})
    size, page = int(request.query["pageSize"]), int(request.query["pageNumber"])
    served = spoil.page(rows[(page - 1) * size : page * size])
    result = {"pages": -(-len(rows) // size), "data": served}
    return as_json({"result": result | {"count": len(rows)}, "success": True, "code": 0})


def _asked(market: Market, filter_: str) -> str:
    code = filter_.split('"')[1]
    return next((s for s in market.bars if code in {s, s[:-3]}), "")


def _bonuses(market: Market, filter_: str, spoil: Spoil) -> list[dict[str, Any]]:
    symbol = spoil.symbol(_asked(market, filter_))
    rows = []
    for day, cash, ratio in payouts(market, symbol, spoil):
        row: dict[str, Any] = dict.fromkeys(_BONUS_KEYS)
        row |= {"SECUCODE": symbol, "SECURITY_CODE": symbol[:-3], "BONUS_IT_RATIO": tenfold(ratio)}
        row |= {"IT_RATIO": tenfold(ratio), "PRETAX_BONUS_RMB": tenfold(cash)}
        row |= {"EX_DIVIDEND_DATE": _stamp(day), "REPORT_DATE": _stamp(day)}
        rows.append(row | {"ASSIGN_PROGRESS": "实施分配", "NOTICE_DATE": _stamp(day)})
    return rows


def _stamp(day: date | str | None) -> str | None:
    return f"{day} 00:00:00" if day else None


def _equity(market: Market, filter_: str, spoil: Spoil) -> list[dict[str, Any]]:
    symbol = spoil.symbol(_asked(market, filter_))
    rows: list[dict[str, Any]] = []
    known = [row for row in share_counts(market, symbol) if row[0] <= str(market.today)]
    for day, total, free in spoil.figures(known):
        row: dict[str, Any] = dict.fromkeys(_EQUITY_KEYS) | {"SECUCODE": symbol}
        row |= {"SECURITY_CODE": symbol[:-3], "END_DATE": _stamp(day), "TOTAL_SHARES": total}
        row |= {"FREE_SHARES": free, "LIMITED_A_SHARES": None, "LISTED_A_SHARES": free}
        rows.insert(0, row | {"CHANGE_REASON": "股份变动"})
    return rows


def _suspended(market: Market, filter_: str, spoil: Spoil) -> list[dict[str, Any]]:
    del spoil
    day = date.fromisoformat(filter_.split("'")[1])
    rows = []
    for held in market.suspensions:
        if held["from"] <= day and (held["until"] is None or day < held["until"]):
            row: dict[str, Any] = dict.fromkeys(_SUSPENSION_KEYS)
            resumes = held["until"] if held["until"] and held["until"] <= market.today else None
            row |= {"SECURITY_CODE": held["symbol"][:-3], "SECUCODE": held["symbol"]}
            row |= {"SUSPEND_START_TIME": f"{held['from']} 09:30:00"}
            row |= {"SUSPEND_START_DATE": _stamp(held["from"]), "SUSPEND_REASON": held["reason"]}
            rows.append(row | {"PREDICT_RESUME_DATE": _stamp(resumes)})
    return rows


def _hk_payouts(market: Market, filter_: str, spoil: Spoil) -> list[dict[str, Any]]:
    symbol = spoil.symbol(_asked(market, filter_))
    rows: list[dict[str, Any]] = []
    for day, cash, _ in payouts(market, symbol, spoil):
        row = {"SECURITY_CODE": symbol[:-3], "UPDATE_DATE": _stamp(day), "REPORT_TYPE": "年度分配"}
        row |= {"EX_DIVIDEND_DATE": _stamp(day), "DIVIDEND_DATE": day.replace("-", "/")}
        row |= {"TRANSFER_END_DATE": "", "YEAR": day[:4], "IS_BFP": "0"}
        paid = f"{cash:g}" if isinstance(cash, int | float) else cash
        rows.append(row | {"PLAN_EXPLAIN": f"每股派港币{paid}元"})
    return rows


_REPORTS: dict[str, Callable[[Market, str, Spoil], list[dict[str, Any]]]] = {
    "RPT_SHAREBONUS_DET": _bonuses,
    "RPT_F10_EH_EQUITY": _equity,
    "RPT_CUSTOM_SUSPEND_DATA_INTERFACE": _suspended,
    "RPT_HKF10_MAIN_DIVBASIC": _hk_payouts,
}
# The column of each report that is lost where one is.
_KEPT = {
    "RPT_SHAREBONUS_DET": "PRETAX_BONUS_RMB",
    "RPT_F10_EH_EQUITY": "TOTAL_SHARES",
    "RPT_CUSTOM_SUSPEND_DATA_INTERFACE": "SUSPEND_START_TIME",
    "RPT_HKF10_MAIN_DIVBASIC": "PLAN_EXPLAIN",
}


EASTMONEY: dict[tuple[str, str], Callable[[Market, Request, Spoil], Reply]] = {
    ("eastmoney.com", "/api/qt/stock/kline/get"): _kline,
    ("eastmoney.com", "/api/qt/clist/get"): _clist,
    ("eastmoney.com", "/api/qt/stock/get"): _quote,
    ("eastmoney.com", "/api/data/v1/get"): _datacenter,
}
