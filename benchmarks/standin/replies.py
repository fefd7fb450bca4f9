"""The vendors' replies, rendered from a market in the shape in which each of them serves it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from benchmarks.standin.biff import sheet
from benchmarks.standin.eastmoney import EASTMONEY
from benchmarks.standin.klc import encode_bars, encode_days
from benchmarks.standin.market import Market
from benchmarks.standin.wire import (
    Reply,
    Request,
    Row,
    Spoil,
    as_json,
    as_script,
    payouts,
    price_text,
)


def reply(market: Market, request: Request, spoil: Spoil) -> Reply | None:
    """Return what a vendor answers; None where the stand-in does not know the address."""
    for (host, path), answer in _ROUTES.items():
        if request.host.endswith(host) and path in request.path:
            return answer(market, request, spoil)
    return None


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
                *(str(b.day), *(price_text(n) for n in (b.open, b.close, b.high, b.low))),
                *(f"{b.volume / lot:.3f}", {}, "0.59", f"{b.amount / 1e4:.2f}", ""),
            ]
            for b in spoil.bars(market.known_bars(symbol))
            if first <= str(b.day) <= last
        ]
        body |= {"day": spoil.rows(rows), "prec": "9.0", "version": "16"}
    answered = code if symbol == asked else f"{symbol[-2:].lower()}{symbol[:-3]}"
    text = json.dumps({"code": 0, "msg": "", "data": {answered: body}})
    return as_script(f"{request.query['_var']}={text}")


def _tencent_start(market: Market, request: Request, spoil: Spoil) -> Reply:
    bars = market.known_bars(spoil.symbol(_prefixed(market, request.query["code"])))
    weeks = [[str(bars[0].day), "1", "1", "1", "1", "1"]] if bars else []
    return as_script(f"trend_qfq={json.dumps({'code': 0, 'msg': '', 'data': weeks})}")


def _sina_days(market: Market, request: Request, spoil: Spoil) -> Reply:
    del request, spoil
    skipped = date(1992, 5, 4)  # which the vendor leaves out and akshare puts back
    days = encode_days(day for day in market.sessions if day != skipped)
    return as_script(f'var datelist="{days}";')


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
    return as_script(f'var KLC_KL_{served.lstrip(".")}="{encode_bars(bars) if bars else ""}";')


def _sina_amounts(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_prefixed(market, request.query["symbol"]))
    held = [(bar.day, 56000) for bar in market.bars.get(symbol, [])[:1]]
    rows = ",".join(f'{{date:"{day}",amount:"{amount}"}}' for day, amount in held)
    return as_script(f"var KKE_ShareAmount_{request.query['symbol']}=([{rows}]);")


def _sina_factors(market: Market, request: Request, spoil: Spoil) -> Reply:
    del market, request, spoil
    rows = [{"d": "1900-01-01", "f": "1", "c": "0"}]
    return as_script(f"var factors={json.dumps({'total': 1, 'data': rows})}\n/* */")


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
    return as_json({"total": len(rows), "resultcode": 200, "resultmsg": "success", "records": rows})


def _by_code(market: Market, code: str) -> str:
    return next((s for s in market.bars if s[:-3] == code and s[-2:] in {"SH", "SZ", "BJ"}), "")


def _cninfo_payouts(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for day, cash, ratio in payouts(market, symbol):
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
    return as_json({"code": "200", "msg": None, "data": rows, "success": True})


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


_ROUTES: dict[tuple[str, str], Callable[[Market, Request, Spoil], Reply]] = EASTMONEY | {
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
