"""The vendors' replies, rendered from a market in the shape in which each of them serves it."""

import json
from collections.abc import Callable
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
    share_counts,
    tenfold,
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
    served = code if symbol in {asked, ""} else symbol[-2:].lower() + symbol[:-3]
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
    query, names = request.query, {"USD": "美元", "HKD": "港币", "EUR": "欧元"}
    options = "".join(f'<option value="{k}">{v}</option>' for k, v in names.items())
    first, last = query["startdate"], query["enddate"]
    rates = market.rates.get(spoil.symbol(query["money_code"]), {})
    known = [[str(day), round(rates[day] * 100, 2)] for day in sorted(rates) if day <= market.today]
    told = [row for row in spoil.page(spoil.figures(known))[::-1] if first <= row[0] <= last]
    page, pages = int(query.get("page", 1)), -(-len(told) // 20)
    rows = "".join(_line(row + row[1:] * 4, spoil) for row in told[(page - 1) * 20 : page * 20])
    head = "<tr><th>日期</th><th>a</th><th>b</th><th>c</th><th>d</th><th>e</th></tr>"
    links = "".join(f'<a class="page">{n}</a>' for n in [*range(1, pages + 1), "下一页"])
    text = f'<select id="money_code">{options}</select><table>{head}{rows}</table>{links}'
    return Reply(text.encode("gbk"), "text/html; charset=gbk")


def _line(cells: Row, spoil: Spoil) -> str:
    """Return a line of a table in HTML, a cell longer or shorter where columns changed."""
    numbered = {str(n): cell for n, cell in enumerate(cells)}
    shown = spoil.records([numbered], str(len(cells) - 1))[0].values()
    return "<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in shown) + "</tr>"


def _cell(cell: Any) -> str:
    return f"{cell:.4f}".removesuffix("00") if isinstance(cell, float) else str(cell)


# cninfo, csindex, SAFE


def _records(rows: list[dict[str, Any]], spoil: Spoil) -> Reply:
    head = {"total": len(rows), "resultcode": 200, "resultmsg": "success"}
    return as_json(head | {"records": spoil.page(rows)})


def _by_code(market: Market, code: str) -> str:
    return next((s for s in market.bars if s[:-3] == code and s[-2:] in {"SH", "SZ", "BJ"}), "")


def _cninfo_payouts(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for day, cash, ratio in payouts(market, symbol, spoil):
        row = {"F006D": day, "F044V": "年度分红", "F011N": tenfold(ratio), "F010N": None}
        row |= {"F012N": tenfold(cash), "F018D": day, "F020D": day, "F023D": day}
        rows.append(row | {"F025D": None, "F007V": "", "F001V": "年报"})
    return _records(spoil.records(rows, "F012N"), spoil)


def _cninfo_rights(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for action in market.actions.get(symbol, []):
        if action["kind"] == "rights":
            cells: dict[str, Any] = {f"F{n:03d}": None for n in range(57)}
            cells["F008"], cells["F009"] = action["price"], action["ratio"] * 10
            cells["F018"], cells["F021"] = str(action["ex_date"]), symbol[:-3]
            rows.append(cells)
    return _records(rows, spoil)


def _cninfo_shares(market: Market, request: Request, spoil: Spoil) -> Reply:
    symbol = spoil.symbol(_by_code(market, request.query["scode"]))
    rows = []
    for day, *counts in spoil.figures(share_counts(market, symbol)):
        if request.query["sdate"] <= day <= request.query["edate"]:
            total, free = (n / 1e4 if isinstance(n, int | float) else n for n in counts)
            row = {"SECCODE": symbol[:-3], "SECNAME": "样本", "ORGNAME": "样本", "F002V": "变动"}
            row |= {"DECLAREDATE": day, "VARYDATE": day, "F001V": "1"}
            rows.append(row | {"F003N": total, "F021N": free})
    return _records(spoil.records(rows, "F003N"), spoil)


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


def _safe_rows(market: Market, spoil: Spoil) -> list[Row]:
    """Return what is told of each day, a hundred units in yuan."""
    rates = [market.rates.get(spoil.symbol(code), {}) for code in _SAFE_NAMES]
    days = sorted({day for told in rates for day in told if day <= market.today})
    rows: list[Row] = [[str(day), *(_hundred(told.get(day)) for told in rates)] for day in days]
    return spoil.page(spoil.figures(rows))


def _hundred(rate: float | None) -> float | None:
    return None if rate is None else round(rate * 100, 4)


_QUERIED = 5  # days that are not in the workbook yet, which the query tells


def _safe_book(market: Market, request: Request, spoil: Spoil) -> Reply:
    del request
    rows = _safe_rows(market, spoil)[:-_QUERIED]
    whole = [["日期", *_SAFE_NAMES.values()], *rows]
    numbered = [{str(n): cell for n, cell in enumerate(row)} for row in whole]
    told = [list(row.values()) for row in spoil.records(numbered, "2")]
    return Reply(sheet(told), "application/vnd.ms-excel")


def _safe_query(market: Market, request: Request, spoil: Spoil) -> Reply:
    del request
    rows = _safe_rows(market, spoil)[-_QUERIED:]
    head = "".join(f"<th>{name}</th>" for name in ["日期", *_SAFE_NAMES.values()])
    lines = "".join(_line(row, spoil) for row in rows)
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
