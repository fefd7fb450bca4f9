"""Yuan rates, trading days of Shanghai, and the constituents of published indices."""

from typing import Any

from indexer.definitions.symbols import split_symbol
from indexer.market.sources import bodies
from indexer.market.sources.plain import Refused
from indexer.market.sources.quotes import Adapter, Call, Columns, compact
from indexer.market.sources.source import Ask, Table

_HUNDRED = 100  # units of a foreign currency to which a rate refers
_SAFE_NAMES = {"USD": "美元", "HKD": "港元", "EUR": "欧元", "JPY": "日元", "GBP": "英镑"}
_SINA_NAMES = {"USD": "美元", "HKD": "港币", "EUR": "欧元", "JPY": "日元", "GBP": "英镑"}
_EXCHANGES = {"深圳证券交易所": "SZ", "上海证券交易所": "SH", "北京证券交易所": "BJ"}


def _rates(ask: Ask, days: list[Any], hundreds: list[Any]) -> Columns:
    base, _, quote = ask.subject.partition("/")
    kept = [
        (day, round(rate / _HUNDRED, 9))
        for day, rate in zip(days, hundreds, strict=True)
        if day is not None and rate is not None and str(ask.since) <= day <= str(ask.until)
    ]
    return {
        "date": [day for day, _ in kept],
        "base": [base] * len(kept),
        "quote": [quote] * len(kept),
        "rate": [rate for _, rate in kept],
    }


def safe_fx(ask: Ask, call: Call) -> Columns:
    """Return the central parity of the yuan, as the State Administration publishes it.

    Raises
    ------
    Refused
        If there is no column of the currency's.
    """
    check = bodies.by_path(
        {
            "17833.html": bodies.html("人民币汇率"),
            "RMBQuery": bodies.html("<table"),
            "/": bodies.excel,
        }
    )
    found = call("currency_boc_safe", check)
    name = _SAFE_NAMES[ask.subject[:3]]
    if name not in found:
        raise Refused("corrupt", f"no column {name}; found {', '.join(found)}")
    return _rates(ask, found["日期"], found[name])


def sina_fx(ask: Ask, call: Call) -> Columns:
    """Return the central parity of the yuan as the Bank of China quotes it."""
    span = {"start_date": compact(ask.since), "end_date": compact(ask.until)}
    found = call("currency_boc_sina", bodies.rates, symbol=_SINA_NAMES[ask.subject[:3]], **span)
    return _rates(ask, found["日期"], found["央行中间价"])


def sina_sessions(ask: Ask, call: Call) -> Columns:
    """Return the trading days of Shanghai."""
    found = call("tool_trade_date_hist_sina", bodies.klc("sh"))
    days = [d for d in found["trade_date"] if d and str(ask.since) <= d <= str(ask.until)]
    return {"date": days}


def csindex_weights(ask: Ask, call: Call) -> Columns:
    """Return the constituents of a CSI index and their weights at the last month's end.

    Raises
    ------
    Refused
        If they are another index's, listed elsewhere, or do not make up a whole.
    """
    code, _ = split_symbol(ask.subject)
    found = call("index_stock_cons_weight_csindex", bodies.excel, symbol=code)
    if set(found["指数代码"]) != {code}:
        raise Refused("corrupt", f"constituents of {found['指数代码'][0]}, not of {code}")
    unknown = set(found["交易所"]) - set(_EXCHANGES)
    if unknown:
        raise Refused("corrupt", f"constituents listed at {', '.join(map(str, unknown))}")
    told = zip(found["成分券代码"], found["交易所"], strict=True)
    symbols = [f"{constituent}.{_EXCHANGES[exchange]}" for constituent, exchange in told]
    weights = [round(weight / 100, 9) for weight in found["权重"]]
    if abs(sum(weights) - 1) > 0.005:
        raise Refused("corrupt", f"weights that sum to {sum(weights):.4f}")
    index = [ask.subject] * len(symbols)
    return {"index": index, "date": found["日期"], "symbol": symbols, "weight": weights}


RATES: dict[tuple[str, Table], Adapter] = {
    ("safe", "fx"): safe_fx,
    ("sina", "fx"): sina_fx,
    ("sina", "sessions"): sina_sessions,
    ("csindex", "weights"): csindex_weights,
}
