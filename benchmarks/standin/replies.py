"""The vendors' replies, rendered from a market in the shape in which each of them serves it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol

from benchmarks.standin.biff import sheet
from benchmarks.standin.klc import encode_bars, encode_days
from benchmarks.standin.market import Bar, Market

Row = list[Any]  # cells of one bar as the vendor writes them; the first six are the same everywhere


class Request(NamedTuple):
    """One request: GET or POST, with the fields of its query and of its form."""

    host: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]


class Reply(NamedTuple):
    """One reply as it goes over the wire."""

    body: bytes
    content_type: str = "application/json"
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = ()


class Spoil(Protocol):
    """What may be done to a vendor's data before they are written."""

    def symbol(self, symbol: str) -> str:
        """Return the symbol that is answered instead of the one asked for."""

    def bars(self, bars: list[Bar]) -> list[Bar]:
        """Return the bars served for the true ones."""

    def rows(self, rows: list[Row]) -> list[Row]:
        """Return the rows written for those of the bars."""


def reply(market: Market, request: Request, spoil: Spoil) -> Reply | None:
    """Return what a vendor answers; None where the stand-in does not know the address."""
    for (host, path), answer in _ROUTES.items():
        if request.host.endswith(host) and path in request.path:
            return answer(market, request, spoil)
    return None


def _json(content: Any) -> Reply:
    return Reply(json.dumps(content, ensure_ascii=False).encode())


def _script(text: str) -> Reply:
    return Reply(text.encode(), "application/javascript")


# Eastmoney

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
        return _json({"rc": 102, "rt": 17, "svr": 1, "lt": 1, "full": 0, "data": None})
    lot = 100 if symbol[-2:] in {"SH", "SZ", "BJ"} and not symbol.startswith("688") else 1
    bars = spoil.bars(market.known_bars(symbol))
    rows: list[Row] = []
    before = 0.0
    for bar in bars:
        before = before or bar.open
        change, span = bar.close - before, bar.high - bar.low
        prices = [_price(n) for n in (bar.open, bar.close, bar.high, bar.low)]
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
    return _json({"rc": 0, "rt": 17, "svr": 1, "lt": 1, "full": 0, "dlmkts": "", "data": data})


def _price(number: float) -> str:
    return f"{number:.3f}" if round(number, 2) != number else f"{number:.2f}"


def _clist(market: Market, request: Request, spoil: Spoil) -> Reply:
    del spoil
    known = [s for s in market.bars if s[:-3] in _HK_INDICES]
    figures = dict.fromkeys(("f2", "f3", "f4", "f5", "f6", "f15", "f16", "f17", "f18"), 1.0)
    rows = [
        figures | {"f12": s[:-3], "f13": int(_HK_INDICES[s[:-3]]), "f14": "指数"} for s in known
    ]
    page, size = int(request.query["pn"]), int(request.query["pz"])
    found = rows[(page - 1) * size : page * size]
    return _json({"rc": 0, "data": {"total": len(rows), "diff": found} if found else None})


def _quote(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_secid(market, request.query["secid"]))
    data: dict[str, Any] | None = None
    if symbol:
        last = market.shares.get(symbol, [{"total_shares": 1e9, "free_float_shares": 1e9}])[-1]
        listed = market.listed.get(symbol) or market.bars[symbol][0].day
        data = {"f57": symbol[:-3], "f58": "样本", "f84": last["total_shares"]}
        data |= {"f85": last["free_float_shares"], "f127": "行业", "f116": 1.0, "f117": 1.0}
        data |= {"f189": int(f"{listed:%Y%m%d}"), "f43": 1.0}
    return _json({"rc": 0, "rt": 4, "svr": 1, "lt": 1, "full": 1, "dlmkts": "", "data": data})


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
    rows = _REPORTS[report](market, filter_, spoil)
    if not rows:
        return _json({"result": None, "success": False, "message": "返回数据为空", "code": 9201})
    size, page = int(request.query["pageSize"]), int(request.query["pageNumber"])
    result = {"pages": -(-len(rows) // size), "data": rows[(page - 1) * size : page * size]}
    return _json({"result": result | {"count": len(rows)}, "success": True, "code": 0})


def _asked(market: Market, filter_: str) -> str:
    code = filter_.split('"')[1]
    return next((s for s in market.bars if code in {s, s[:-3]}), "")


def _bonuses(market: Market, filter_: str, spoil: Spoil) -> list[dict[str, Any]]:
    symbol = spoil.symbol(_asked(market, filter_))
    rows = []
    for day, cash, ratio in _payouts(market, symbol):
        row: dict[str, Any] = dict.fromkeys(_BONUS_KEYS)
        row |= {"SECUCODE": symbol, "SECURITY_CODE": symbol[:-3], "BONUS_IT_RATIO": ratio * 10}
        row |= {"IT_RATIO": ratio * 10 or None, "PRETAX_BONUS_RMB": cash * 10 or None}
        row |= {"EX_DIVIDEND_DATE": _stamp(day), "REPORT_DATE": _stamp(day)}
        rows.append(row | {"ASSIGN_PROGRESS": "实施分配", "NOTICE_DATE": _stamp(day)})
    return rows


def _payouts(market: Market, symbol: str) -> list[tuple[date, float, float]]:
    """Return ex-date, cash and bonus shares a share of each payout known today."""
    found: dict[date, list[float]] = {}
    for row in market.actions.get(symbol, []):
        if row["kind"] in {"dividend", "special_dividend", "bonus"}:
            if row["ex_date"] > market.today + timedelta(days=7):  # not announced yet
                continue
            sums = found.setdefault(row["ex_date"], [0.0, 0.0])
            sums[0] += row.get("cash") or 0.0
            sums[1] += row.get("ratio") or 0.0
    return [(day, round(cash, 6), round(ratio, 6)) for day, (cash, ratio) in sorted(found.items())]


def _stamp(day: date | None) -> str | None:
    return f"{day} 00:00:00" if day else None


def _equity(market: Market, filter_: str, spoil: Spoil) -> list[dict[str, Any]]:
    symbol = spoil.symbol(_asked(market, filter_))
    rows: list[dict[str, Any]] = []
    for held in market.shares.get(symbol, []):
        if held["date"] <= market.today:
            row: dict[str, Any] = dict.fromkeys(_EQUITY_KEYS) | {"SECUCODE": symbol}
            row |= {"SECURITY_CODE": symbol[:-3], "END_DATE": _stamp(held["date"])}
            free = held["free_float_shares"] or held["total_shares"]
            row |= {"TOTAL_SHARES": held["total_shares"], "FREE_SHARES": free}
            row |= {"LIMITED_A_SHARES": held["total_shares"] - free, "LISTED_A_SHARES": free}
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
    for day, cash, _ in _payouts(market, symbol):
        row = {"SECURITY_CODE": symbol[:-3], "UPDATE_DATE": _stamp(day), "REPORT_TYPE": "年度分配"}
        row |= {"EX_DIVIDEND_DATE": _stamp(day), "DIVIDEND_DATE": f"{day:%Y/%m/%d}"}
        row |= {"TRANSFER_END_DATE": "", "YEAR": str(day.year), "IS_BFP": "0"}
        rows.append(row | {"PLAN_EXPLAIN": f"每股派港币{cash:g}元"})
    return rows


_REPORTS: dict[str, Callable[[Market, str, Spoil], list[dict[str, Any]]]] = {
    "RPT_SHAREBONUS_DET": _bonuses,
    "RPT_F10_EH_EQUITY": _equity,
    "RPT_CUSTOM_SUSPEND_DATA_INTERFACE": _suspended,
    "RPT_HKF10_MAIN_DIVBASIC": _hk_payouts,
}


# Tencent and Sina


def _prefixed(market: Market, code: str) -> str:
    symbol = f"{code[2:]}.{code[:2].upper()}"
    return symbol if symbol in market.bars else ""


def _tencent(market: Market, request: Request, spoil: Spoil) -> Reply:
    code, _, first, last, *_ = request.query["param"].split(",")
    asked = _prefixed(market, code)
    symbol = spoil.symbol(asked)
    body: dict[str, Any] = {"qt": {}, "mx_price": {}}
    if symbol:
        lot = 1 if symbol.startswith("688") else 100
        rows: list[Row] = [
            [
                *(str(b.day), *(_price(n) for n in (b.open, b.close, b.high, b.low))),
                *(f"{b.volume / lot:.3f}", {}, "0.59", f"{b.amount / 1e4:.2f}", ""),
            ]
            for b in spoil.bars(market.known_bars(symbol))
            if first <= str(b.day) <= last
        ]
        body |= {"day": spoil.rows(rows), "prec": "9.0", "version": "16"}
    answered = code if symbol == asked else f"{symbol[-2:].lower()}{symbol[:-3]}"
    text = json.dumps({"code": 0, "msg": "", "data": {answered: body}})
    return _script(f"{request.query['_var']}={text}")


def _tencent_start(market: Market, request: Request, spoil: Spoil) -> Reply:
    bars = market.known_bars(spoil.symbol(_prefixed(market, request.query["code"])))
    weeks = [[str(bars[0].day), "1", "1", "1", "1", "1"]] if bars else []
    return _script(f"trend_qfq={json.dumps({'code': 0, 'msg': '', 'data': weeks})}")


def _sina_days(market: Market, request: Request, spoil: Spoil) -> Reply:
    del request, spoil
    skipped = date(1992, 5, 4)  # which the vendor leaves out and akshare puts back
    days = encode_days(day for day in market.sessions if day != skipped)
    return _script(f'var datelist="{days}";')


def _sina_bars(market: Market, request: Request, spoil: Spoil) -> Reply:
    parts = request.path.strip("/").split("/")
    if "hkstock" in parts or "us" in parts:
        code = parts[parts.index("hkstock" if "hkstock" in parts else "us") + 1]
        asked = f"{code.lstrip('.')}.{'HK' if 'hkstock' in parts else 'US'}"
    else:
        code = parts[parts.index("company") + 1]
        asked = _prefixed(market, code)
    asked = asked if asked in market.bars else ""
    symbol = spoil.symbol(asked)
    bars = spoil.bars(market.known_bars(symbol))
    served = code if symbol == asked else symbol[-2:].lower() + symbol[:-3]
    return _script(f'var KLC_KL_{served.lstrip(".")}="{encode_bars(bars) if bars else ""}";')


def _sina_amounts(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_prefixed(market, request.query["symbol"]))
    held = [(bar.day, 56000) for bar in market.bars.get(symbol, [])[:1]]
    rows = ",".join(f'{{date:"{day}",amount:"{amount}"}}' for day, amount in held)
    return _script(f"var KKE_ShareAmount_{request.query['symbol']}=([{rows}]);")


def _sina_factors(market: Market, request: Request, spoil: Spoil) -> Reply:
    del market, request, spoil
    rows = [{"d": "1900-01-01", "f": "1", "c": "0"}]
    return _script(f"var factors={json.dumps({'total': 1, 'data': rows})}\n/* */")


def _sina_rates(market: Market, request: Request, spoil: Spoil) -> Reply:
    del spoil
    query, names = request.query, {"USD": "美元", "HKD": "港币", "EUR": "欧元"}
    options = "".join(f'<option value="{k}">{v}</option>' for k, v in names.items())
    first, last = query["startdate"], query["enddate"]
    rates = market.rates.get(query["money_code"], {})
    days = [d for d in sorted(rates, reverse=True) if first <= str(d) <= last and d <= market.today]
    page, pages = int(query.get("page", 1)), -(-len(days) // 20)
    rows = "".join(
        f"<tr><td>{day}</td>{'<td>{0:.2f}</td>' * 5}</tr>".format(rates[day] * 100)
        for day in days[(page - 1) * 20 : page * 20]
    )
    head = "<tr><th>日期</th><th>a</th><th>b</th><th>c</th><th>d</th><th>e</th></tr>"
    links = "".join(f'<a class="page">{n}</a>' for n in [*range(1, pages + 1), "下一页"])
    text = f'<select id="money_code">{options}</select><table>{head}{rows}</table>{links}'
    return Reply(text.encode("gbk"), "text/html; charset=gbk")


# cninfo, csindex, SAFE


def _records(rows: Sequence[Mapping[str, Any]]) -> Reply:
    return _json({"total": len(rows), "resultcode": 200, "resultmsg": "success", "records": rows})


def _by_code(market: Market, code: str) -> str:
    return next((s for s in market.bars if s[:-3] == code and s[-2:] in {"SH", "SZ", "BJ"}), "")


def _cninfo_payouts(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for day, cash, ratio in _payouts(market, symbol):
        row = {"F006D": str(day), "F044V": "年度分红", "F011N": ratio * 10 or None, "F010N": None}
        row |= {"F012N": cash * 10 or None, "F018D": str(day), "F020D": str(day), "F023D": str(day)}
        rows.append(row | {"F025D": None, "F007V": "", "F001V": f"{day.year - 1}年报"})
    return _records(rows)


_ALLOTMENT = {"price": 8, "ratio": 9, "ex_date": 18, "code": 21}  # positions among its 57 keys


def _cninfo_rights(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for action in market.actions.get(symbol, []):
        if action["kind"] == "rights":
            cells: dict[str, Any] = {f"F{n:03d}": None for n in range(57)}
            cells["F008"], cells["F009"] = action["price"], action["ratio"] * 10
            cells["F018"], cells["F021"] = str(action["ex_date"]), symbol[:-3]
            rows.append(cells)
    return _records(rows)


def _cninfo_shares(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for held in market.shares.get(symbol, []):
        if request.query["sdate"] <= str(held["date"]) <= request.query["edate"]:
            free = held["free_float_shares"] or held["total_shares"]
            row = {"SECCODE": symbol[:-3], "SECNAME": "样本", "ORGNAME": "样本", "F002V": "变动"}
            row |= {"DECLAREDATE": str(held["date"]), "VARYDATE": str(held["date"]), "F001V": "1"}
            rows.append(row | {"F003N": held["total_shares"] / 1e4, "F021N": free / 1e4})
    return _records(rows)


_PERFORMANCE_KEYS = (
    *("tradeDate", "indexCode", "indexNameCnAll", "indexNameCn", "indexNameEnAll"),
    *("indexNameEn", "open", "high", "low", "close", "change", "changePct", "tradingVol"),
    *("tradingValue", "consNumber", "peg"),
)


def _csindex_levels(market: Market, request: Request, spoil: Spoil) -> Reply:
    query = request.query
    symbol = spoil.symbol(f"{query['indexCode']}.SH")
    rows = []
    for bar in spoil.bars(market.known_bars(symbol)):
        if query["startDate"] <= f"{bar.day:%Y%m%d}" <= query["endDate"]:
            row: dict[str, Any] = dict.fromkeys(_PERFORMANCE_KEYS, 1.0)
            row |= {"tradeDate": f"{bar.day:%Y%m%d}", "indexCode": symbol[:-3]}
            rows.append(row | {"open": None, "high": None, "low": None, "close": bar.close})
    return _json({"code": "200", "msg": None, "data": rows, "success": True})


_WEIGHT_HEADER = ["日期", "指数代码", "指数名称", "Index", "成份券代码", "成份券名称", "Name"]
_WEIGHT_HEADER += ["交易所", "Exchange", "权重"]


def _csindex_weights(market: Market, request: Request, spoil: Spoil) -> Reply:
    code = request.path.rsplit("/", 1)[1].removesuffix("closeweight.xls")
    found = market.weights.get(spoil.symbol(f"{code}.SH"), [])
    month_end = market.today.replace(day=1) - timedelta(days=1)
    rows: list[list[str | float]] = [
        [
            *(f"{month_end:%Y%m%d}", code, "样本", "Sample", symbol[:-3], "样本", "Sample"),
            "深圳证券交易所" if symbol.endswith("SZ") else "上海证券交易所",
            *("X", weight * 100),
        ]
        for symbol, weight in found
    ]
    return Reply(sheet([_WEIGHT_HEADER, *rows]), "application/vnd.ms-excel")


_SAFE_NAMES = {"USD": "美元", "HKD": "港元"}


def _safe_page(market: Market, request: Request, spoil: Spoil) -> Reply:
    del market, request, spoil
    page = '<html><a href="/safe/file/rates.xls">人民币汇率中间价</a></html>'
    return Reply(page.encode(), "text/html")


def _safe_split(market: Market) -> tuple[list[date], list[date]]:
    """Return the days in the workbook, and those after it that the query tells."""
    days = sorted(d for d in set().union(*market.rates.values()) if d <= market.today)
    return days[:-5], days[-5:]


def _safe_rows(market: Market, days: Sequence[date]) -> list[list[str | float | None]]:
    return [
        [str(day), *(_hundred(market.rates.get(code, {}).get(day)) for code in _SAFE_NAMES)]
        for day in days
    ]


def _hundred(rate: float | None) -> float | None:
    return None if rate is None else round(rate * 100, 4)


def _safe_book(market: Market, request: Request, spoil: Spoil) -> Reply:
    del request, spoil
    rows = _safe_rows(market, _safe_split(market)[0])
    return Reply(sheet([["日期", *_SAFE_NAMES.values()], *rows]), "application/vnd.ms-excel")


def _safe_query(market: Market, request: Request, spoil: Spoil) -> Reply:
    del request, spoil
    rows = _safe_rows(market, _safe_split(market)[1])
    head = "".join(f"<th>{name}</th>" for name in ["日期", *_SAFE_NAMES.values()])
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    page = f"<table><tr><th>x</th></tr></table><table><tr>{head}</tr>{lines}</table>"
    return Reply(page.encode(), "text/html; charset=utf-8")


_ROUTES: dict[tuple[str, str], Callable[[Market, Request, Spoil], Reply]] = {
    ("eastmoney.com", "/api/qt/stock/kline/get"): _kline,
    ("eastmoney.com", "/api/qt/clist/get"): _clist,
    ("eastmoney.com", "/api/qt/stock/get"): _quote,
    ("eastmoney.com", "/api/data/v1/get"): _datacenter,
    ("proxy.finance.qq.com", "newfqkline/get"): _tencent,
    ("web.ifzq.gtimg.cn", "weekTrends"): _tencent_start,
    ("biz.finance.sina.com.cn", "forex.php"): _sina_rates,
    ("stock.finance.sina.com.cn", "getAmountBySymbol"): _sina_amounts,
    ("finance.sina.com.cn", "klc_td_sh.txt"): _sina_days,
    ("finance.sina.com.cn", "klc_kl.js"): _sina_bars,
    ("finance.sina.com.cn", "klc2_kl.js"): _sina_bars,
    ("finance.sina.com.cn", "/reinstatement/"): _sina_factors,
    ("finance.sina.com.cn", "/staticdata/us/"): _sina_bars,
    ("webapi.cninfo.com.cn", "p_sysapi1139"): _cninfo_payouts,
    ("webapi.cninfo.com.cn", "p_stock2232"): _cninfo_rights,
    ("webapi.cninfo.com.cn", "p_stock2215"): _cninfo_shares,
    ("www.csindex.com.cn", "index-perf"): _csindex_levels,
    ("oss-ch.csindex.com.cn", "closeweight"): _csindex_weights,
    ("www.safe.gov.cn", "17833.html"): _safe_page,
    ("www.safe.gov.cn", "rates.xls"): _safe_book,
    ("www.safe.gov.cn", "RMBQuery.do"): _safe_query,
}
